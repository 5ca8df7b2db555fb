"""A picture that carries the letters it is set in: on a machine without the book's font its words are as wide as they were placed."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from html import unescape
from pathlib import Path
from typing import NamedTuple

STATIC = Path(__file__).parents[1] / "static"
RULE = re.compile(
    r'@font-face \{ font-family: "Memory Wall Sans"; font-weight: (?P<weight>[\d ]+); font-style: normal;[^}]*?'
    r'url\("(?P<file>[^"]+)"\)[^}]*?unicode-range: (?P<range>[^;]+); \}'
)
OWN_STYLE = re.compile(r"<style>@font-face.*?</style>", re.DOTALL)
HEAVY = re.compile(r'font-weight="(?:[6-9]00|bold)"')
START = re.compile(r"<svg[^>]*>")


class Face(NamedTuple):
    """A file of the font: its weights, and the code points it holds."""

    weight: str
    file: str
    points: frozenset[int]

    @property
    def heavy(self) -> bool:
        """Whether it is the one of titles."""
        return int(self.weight.split()[0]) >= 600

    @property
    def rule(self) -> str:
        """As a rule of a style sheet that carries the file."""
        content = b64encode((STATIC / self.file).read_bytes()).decode()
        return (
            f'@font-face {{ font-family: "Memory Wall Sans"; font-weight: {self.weight}; '
            f"src: url(data:font/woff2;base64,{content}); }}"
        )


@cache
def faces() -> tuple[Face, ...]:
    """The upright files of the font, as the style sheet of the pages has them."""
    sheet = (STATIC / "memory-wall.css").read_text(encoding="utf-8")
    return tuple(Face(found["weight"], found["file"], _points(found["range"])) for found in RULE.finditer(sheet))


def _points(text: str) -> frozenset[int]:
    spans = [[int(end, 16) for end in part.strip().removeprefix("U+").split("-")] for part in text.split(",")]
    return frozenset(point for span in spans for point in range(span[0], span[-1] + 1))


def plain(picture: str) -> str:
    """An SVG without the fonts that it names or carries: it is set in those of where it stands."""
    return OWN_STYLE.sub("", picture)


def lettered(picture: str) -> str:
    """An SVG with those files of the font within it that its words need, in place of a stand-in it may name."""
    bare = plain(picture)
    used = {ord(sign) for sign in unescape(re.sub(r"<[^>]*>", "", bare))} - {ord("\n")}
    heavy = HEAVY.search(bare) is not None
    needed = [face.rule for face in faces() if face.points & used and (heavy or not face.heavy)]
    return START.sub(lambda found: f"{found[0]}<style>{''.join(needed)}</style>", bare, count=1)
