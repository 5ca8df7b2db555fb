"""The picture beside a link to a page without a figure: whose page it is and its number, large, as lettered paper.

There are hundreds, so no chart engine draws them: FreeType sets the words, on levels of grey that are the indices of a palette.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from analysis import fonts
from analysis.book.pictures import card, pixels
from analysis.book.pictures.framing import Words
from analysis.charts import theme
from analysis.words import unbroken

LEVELS = 7
"""Steps from ink to paper: twice as many would weigh a fifth more. One index more is the colour of the bar."""
INK, PAPER, BAR = 0, LEVELS, LEVELS + 1
QUIET = 2
NAME, NUMBER, WHAT, FOOT = (56, 600, 2), (140, 600, 1), (36, 400, 2), (card.FOOT_SIZE, 400, 2)
"""Font size, weight and lines of each text; one that takes more lines is set smaller."""
WIDE = card.WIDTH - 2 * card.MARGIN
LEADING, SMALLER, SMALLEST = 1.25, 0.9, 10


def drawn(words: Words) -> bytes:
    """A PNG of few colours: the title, the number, what it counts, and where it is from."""
    image = _paper(words.footer).copy()
    pen = ImageDraw.Draw(image)
    y = _put(pen, words.title, NAME, card.MARGIN + card.BAR, INK)
    y = _put(pen, words.number, NUMBER, y + 12, INK)
    _put(pen, words.subtitle, WHAT, y + 12, QUIET)
    return pixels.few_colours(np.asarray(image), _palette(), pixels.SCREEN_DPI, words.about)


def _put(pen: ImageDraw.ImageDraw, text: str, style: tuple[int, int, int], top: float, level: int) -> float:
    """Set a text below ``top``; where it ends."""
    size, lines = _set(text, style)
    for line in lines:
        pen.text((card.MARGIN, top), line.replace("\xa0", " "), fill=level, font=_font(size, style[1]))
        top += LEADING * size
    return top


@lru_cache(maxsize=256)
def _set(text: str, style: tuple[int, int, int]) -> tuple[int, list[str]]:
    """The font size at which a text fits, and its lines: many cards count the same thing."""
    size, weight, most = style
    text = unbroken(" ".join(text.split()))
    lines = _lines(text, _font(size, weight))
    while size > SMALLEST and not _fit(lines, _font(size, weight), most):
        size = int(size * SMALLER)
        lines = _lines(text, _font(size, weight))
    return size, lines


def _lines(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """A text in lines no wider than they may be, but for words that are wider themselves."""
    if font.getlength(text) <= WIDE:
        return [text]
    first, *words = text.split(" ")
    lines = [first]
    for word in words:
        longer = f"{lines[-1]} {word}"
        lines = [*lines[:-1], longer] if font.getlength(longer) <= WIDE else [*lines, word]
    return lines


def _fit(lines: list[str], font: ImageFont.FreeTypeFont, most: int) -> bool:
    return len(lines) <= most and max(map(font.getlength, lines)) <= WIDE


@cache
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    """Without the shaping library that some systems have and others lack: the same pixels everywhere."""
    file = fonts.file("Semibold" if weight >= 600 else "Regular")
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=16)
def _paper(footer: str) -> Image.Image:
    """What hundreds of cards of a build share: paper, bar and foot."""
    paper = Image.new("L", (card.WIDTH, card.HEIGHT), PAPER)
    paper.paste(BAR, (0, 0, card.WIDTH, card.BAR))
    _put(ImageDraw.Draw(paper), footer, FOOT, card.HEIGHT - 2.4 * FOOT[0] * LEADING, QUIET)
    return paper


@cache
def _palette() -> bytes:
    """Red, green, blue of each index."""
    ink, paper, bar = map(_rgb, (theme.INK["light"], theme.PAPER["light"], card.BAR_COLOUR))
    greys = [ink + (paper - ink) * level / LEVELS for level in range(LEVELS + 1)]
    return np.rint([*greys, bar]).astype(np.uint8).tobytes()


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float64)
