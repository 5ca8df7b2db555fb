"""Pixels as a PNG of the same bytes everywhere: image libraries compress with the zlib they meet, and those differ.

zlib-ng comes as part of its package; it was seen to write the same bytes on processors with and without AVX and SSE 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EFFORT = 6
"""Of 9: a chart is flat colour, and gains little from more."""
EIGHT_BITS, RGB = 8, 2
FOUR_BITS, PALETTE = 4, 3
SCREEN_DPI = 96
METRE_PER_INCH = 0.0254


def png(pixels: NDArray[np.uint8], dots_per_inch: int, about: Mapping[str, str] | None = None) -> bytes:
    """Rows × columns × (red, green, blue, anything) as PNG, with the size at which it is meant to be printed and what it says of itself.

    Of 256 colours where none of the others is farther than ``MOST_OFF`` from them, which halves the file; of all of them otherwise.
    Lines are not filtered (PNG, W3C Recommendation, § 9), which suits flat colours; other pixels would compress badly.
    """
    height, width, _ = pixels.shape
    colours = (np.ascontiguousarray(pixels).view("<u4")[..., 0] & np.uint32(0xFFFFFF)).ravel()
    begins = np.flatnonzero(np.concatenate(([True], colours[1:] != colours[:-1])))  # flat colours come in runs
    lengths = np.diff(begins, append=colours.size)
    known, places = np.unique(colours[begins], return_inverse=True)
    shades = known.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    chosen, nearest, off = _few(shades, np.bincount(places, lengths))
    if off > MOST_OFF:
        return _file((width, height, EIGHT_BITS, RGB), pixels[..., :3].reshape(height, -1), dots_per_inch, about or {})
    lines = np.repeat(nearest[places], lengths).reshape(height, width)
    palette = _chunk(b"PLTE", shades[chosen].tobytes())
    return _file((width, height, EIGHT_BITS, PALETTE), lines, dots_per_inch, about or {}, palette)


MOST_COLOURS, EXACT = 256, 64
"""Colours of a picture, and how many of them are the most frequent ones: what is flat is among these."""
MOST_OFF = 32.0
"""Of 441 from black to white: so far off a rare shade at the rim of a letter or a line is not seen; in the book it is 20 at most."""


def _few(shades: NDArray[np.uint8], counts: NDArray[Any]) -> tuple[list[int], NDArray[np.uint8], float]:
    """Which colours stand for all; of each the place of the nearest of these; and how far off the worst is.

    The most frequent ones, then each time the one that is worst off for its frequency.
    """
    points, weight = shades.astype(np.int32), np.sqrt(counts)
    off, nearest = np.full(counts.size, np.inf), np.zeros(counts.size, np.uint8)
    chosen: list[int] = []
    while len(chosen) < MOST_COLOURS and off.any():
        one = int(np.argmax(np.where(off > 0, counts, 0) if len(chosen) < EXACT else off * weight))
        away = ((points - points[one]) ** 2).sum(axis=1)  # whole numbers: no order of sums matters
        nearest[away < off] = len(chosen)
        off = np.minimum(off, away)
        chosen.append(one)
    return chosen, nearest, float(np.sqrt(off.max()))


def few_colours(
    indices: NDArray[np.uint8], palette: bytes, dots_per_inch: int, about: Mapping[str, str] | None = None
) -> bytes:
    """The same of rows × an even number of columns of indices, of 16 at most, into a palette of three bytes each."""
    height, width = indices.shape
    pairs = np.left_shift(indices[:, ::2], np.uint8(FOUR_BITS)) | indices[:, 1::2]
    return _file((width, height, FOUR_BITS, PALETTE), pairs, dots_per_inch, about or {}, _chunk(b"PLTE", palette))


def _file(
    head: tuple[int, int, int, int],
    lines: NDArray[np.uint8],
    dots_per_inch: int,
    about: Mapping[str, str],
    palette: bytes = b"",
) -> bytes:
    per_metre = round(dots_per_inch / METRE_PER_INCH)
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">2I5B", *head, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">2IB", per_metre, per_metre, 1)),
            *(_chunk(b"iTXt", _text(name, text)) for name, text in about.items()),
            palette,
            _chunk(
                b"IDAT", zlib_ng.compress(np.pad(lines, ((0, 0), (1, 0))).tobytes(), EFFORT)
            ),  # before each: no filter
            _chunk(b"IEND", b""),
        )
    )


def _text(name: str, text: str) -> bytes:
    """Not compressed, in English, the name as it is (ibid., § 11.3.3.4)."""
    return b"%b\0\0\0en\0\0%b" % (name.encode("latin-1"), text.encode())


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc32(name + content))
