"""Which letters the font of the figures has: a name with others is drawn in whatever font a machine has, or not at all."""

from __future__ import annotations

import struct
from functools import cache

from analysis import fonts

SEGMENTS, GROUPS = 4, 12
"""Formats of the table from letters to glyphs: two bytes a letter, and four."""


def missing(text: str) -> str:
    """The letters of a text that the font lacks, each once, in their order."""
    return "" if text.isascii() else "".join(dict.fromkeys(sign for sign in text if ord(sign) not in _known()))


@cache
def _known() -> frozenset[int]:
    content = fonts.file("Regular").read_bytes()
    (n_table,) = struct.unpack_from(">H", content, 4)
    records = (struct.unpack_from(">4sIII", content, 12 + 16 * number) for number in range(n_table))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    (n_map,) = struct.unpack_from(">H", content, start + 2)
    offsets = {struct.unpack_from(">HHI", content, start + 4 + 8 * number)[2] for number in range(n_map)}
    return frozenset().union(*(_letters(content, start + offset) for offset in offsets))


def _letters(content: bytes, at: int) -> set[int]:
    """The letters of one table of the font; other formats than the two usual ones hold nothing that these lack."""
    (form,) = struct.unpack_from(">H", content, at)
    if form == GROUPS:
        (n_group,) = struct.unpack_from(">I", content, at + 12)
        groups = (struct.unpack_from(">III", content, at + 16 + 12 * number) for number in range(n_group))
        return {letter for first, last, _ in groups for letter in range(first, last + 1)}
    if form != SEGMENTS:
        return set()
    n = struct.unpack_from(">H", content, at + 6)[0] // 2
    ends, starts = (struct.unpack_from(f">{n}H", content, place) for place in (at + 14, at + 16 + 2 * n))
    return {letter for first, last in zip(starts, ends, strict=True) for letter in range(first, last + 1)} - {0xFFFF}
