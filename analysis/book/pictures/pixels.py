"""Pixels as a PNG of the same bytes everywhere: image libraries compress with the zlib they meet, and those differ.

zlib-ng comes as part of its package; it was seen to write the same bytes on processors with and without AVX and SSE 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
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
    """Rows × columns × (red, green, blue) as PNG, with the size at which it is meant to be printed and what it says of itself.

    Lines are not filtered (PNG, W3C Recommendation, § 9), which suits flat colours; other pixels would compress badly.
    """
    height, width, _ = pixels.shape
    return _file((width, height, EIGHT_BITS, RGB), pixels.reshape(height, -1), dots_per_inch, about or {})


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
