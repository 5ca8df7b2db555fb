"""The picture that stands beside a link to a figure where somebody shares it: what was found, large, over its chart."""

from __future__ import annotations

import textwrap
from html import escape

from analysis.book.pictures.framing import SVG, Words
from analysis.charts import theme
from analysis.words import unbroken

WIDTH, HEIGHT = 1200, 630
"""Pixels that services which preview links ask for."""
MARGIN = 48
BAR, BAR_COLOUR = 10, "#c23616"
SIZES = ((46, 46, 2), (38, 56, 3), (30, 70, 4))
"""Font size of the title → letters that a line holds, and lines that there may be; the last for whatever is longer."""
FOOT_SIZE, FOOT_LETTERS = 18, 120


def card(picture: str, width: int, height: int, words: Words) -> str:
    """An SVG of the light page's chart, ``width`` × ``height`` pixels, under its title and over where it is from."""
    found = SVG.fullmatch(picture)
    if found is None:
        raise ValueError("a chart was drawn as something else than an SVG")
    size, lines = _title(words.title)
    foot = textwrap.shorten(words.footer.partition(" Sources:")[0], FOOT_LETTERS * 2, placeholder=" …")
    below = textwrap.wrap(foot, FOOT_LETTERS)
    top = MARGIN + BAR + len(lines) * 1.2 * size + 16
    bottom = HEIGHT - MARGIN / 2 - len(below) * 1.3 * FOOT_SIZE - 12
    scale = min((WIDTH - 2 * MARGIN) / width, (bottom - top) / height)
    ink, quiet = theme.config("light")["title"]["color"], theme.QUIET["light"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
        f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.PAPER["light"]}"/><rect width="{WIDTH}" height="{BAR}" fill="{BAR_COLOUR}"/>'
        f"{_lines(lines, MARGIN + BAR, size, 600, ink)}"
        f'<g transform="translate({(WIDTH - scale * width) / 2:.2f},{top:.2f}) scale({scale:.4f})">{found[1]}</g>'
        f"{_lines(below, bottom + 12, FOOT_SIZE, 400, quiet)}</svg>"
    )


def _title(text: str) -> tuple[int, list[str]]:
    """The font size at which a title fits, and its lines."""
    for size, letters, most in SIZES:
        if len(lines := textwrap.wrap(unbroken(text), letters)) <= most:
            return size, lines
    return size, [*lines[: most - 1], textwrap.shorten(" ".join(lines[most - 1 :]), letters, placeholder=" …")]


def _lines(texts: list[str], top: float, size: float, weight: int, colour: str) -> str:
    return "".join(
        f'<text x="{MARGIN}" y="{top + (row * 1.2 + 0.8) * size:.1f}" font-family="{escape(theme.FONTS)}" font-size="{size}px" '
        f'font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
        for row, text in enumerate(texts)
    )
