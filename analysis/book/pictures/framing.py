"""The picture to take away: a chart as its page shows it, between its title and the line that says where it is from."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from analysis.book.record import citation
from analysis.charts import theme
from analysis.words import unbroken

WORDS_WIDTH = 720
"""Pixels that the lines of words may take; a narrower chart does not make them shorter."""
PADDING = 18
GAP = 14
"""Pixels between the chart and its words."""
LEADING = 1.25
"""Distance of lines, in font sizes."""
FOOTER_SIZE = 11.5
SVG = re.compile(r"<svg[^>]*?>(.*)</svg>\s*", re.DOTALL)


class Words(NamedTuple):
    """What a picture says beside its chart."""

    title: str
    subtitle: str
    footer: str
    citation: str = ""
    """How to cite it: in what the file says of itself, not in the picture."""
    address: str = ""
    number: str = ""
    """What a card without a chart shows large."""

    @property
    def told(self) -> str:
        """The title, with the number and what it counts where there is one."""
        return f"{self.title}: {self.number} {self.subtitle}" if self.number else self.title

    @property
    def about(self) -> dict[str, str]:
        """What the file says of itself, by the names that PNG has for it (PNG, W3C Recommendation, § 11.3.3)."""
        told = {
            "Title": self.told, "Author": citation.AUTHOR, "Description": self.footer, "Source": self.address,
            "Comment": self.citation, "Copyright": f"{citation.LICENCE}, {citation.LICENCE_ADDRESS}",
        }  # fmt: skip
        return {name: text for name, text in told.items() if text}


class Line(NamedTuple):
    """One line of words, ``baseline`` pixels below the top."""

    text: str
    baseline: float
    size: float
    weight: int
    colour: str


def wrapped(words: Words) -> tuple[list[str], list[str], list[str]]:
    """The lines of title, subtitle and footer: as many letters as ``WORDS_WIDTH`` holds."""
    return _balanced(words.title, 82), _balanced(words.subtitle, 112), _balanced(words.footer, 135)


def _balanced(text: str, most: int) -> list[str]:
    """As few lines as can be, of about the same length; a number stays with what it counts."""
    whole = unbroken(text)
    lines = textwrap.wrap(whole, most)
    return next(
        tried for width in range(most // 2, most + 1) if len(tried := textwrap.wrap(whole, width)) <= len(lines)
    )


def framed(picture: str, width: int, height: int, words: Words) -> str:
    """An SVG of the light page's chart, ``width`` × ``height`` pixels, as one that stands alone on paper."""
    style: dict[str, Any] = theme.config("light")["title"]
    title, subtitle, footer = wrapped(words)
    above, top = _lines(title, PADDING, style["fontSize"], style["fontWeight"], style["color"])
    under, top = _lines(
        subtitle, top + style["subtitlePadding"], style["subtitleFontSize"], 400, style["subtitleColor"]
    )
    below, bottom = _lines(footer, top + 2 * GAP + height, FOOTER_SIZE, 400, theme.QUIET["light"])
    whole_width, whole_height = max(width, WORDS_WIDTH) + 2 * PADDING, round(bottom + PADDING)
    found = SVG.fullmatch(picture)
    if found is None:
        raise ValueError("a chart was drawn as something else than an SVG")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" role="img" '
        f'aria-label="{escape(words.title)}" width="{whole_width}" height="{whole_height}" '
        f'viewBox="0 0 {whole_width} {whole_height}">'
        f"{_metadata(words)}"
        f'<rect width="{whole_width}" height="{whole_height}" fill="{theme.PAPER["light"]}"/>'
        f"{''.join(_drawn([*above, *under, *below]))}"
        f'<g transform="translate({PADDING},{top + GAP:g})">{found[1]}</g></svg>'
    )


DUBLIN_CORE = {"Title": "title", "Author": "creator", "Description": "description", "Source": "source", "Comment": "identifier",
               "Copyright": "rights"}  # fmt: skip
"""Name in PNG → element of the Dublin Core (ISO 15836-1)."""


def _metadata(words: Words) -> str:
    told = "".join(
        f"<dc:{DUBLIN_CORE[name]}>{escape(text)}</dc:{DUBLIN_CORE[name]}>" for name, text in words.about.items()
    )
    return (
        '<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:cc="http://creativecommons.org/ns#"><cc:Work rdf:about="">{told}<dc:language>en</dc:language>'
        f'<cc:license rdf:resource="{citation.LICENCE_ADDRESS}"/></cc:Work></rdf:RDF></metadata>'
    )


def _lines(texts: list[str], top: float, size: float, weight: int, colour: str) -> tuple[list[Line], float]:
    """Lines from ``top`` on, and where they end."""
    found = [Line(text, top + (row + 0.8) * LEADING * size, size, weight, colour) for row, text in enumerate(texts)]
    return found, top + len(texts) * LEADING * size


def _drawn(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        yield (
            f'<text x="{PADDING}" y="{line.baseline:g}" font-family="{escape(theme.FONTS)}" font-size="{line.size:g}px" '
            f'font-weight="{line.weight}" fill="{line.colour}">{escape(line.text)}</text>'
        )
