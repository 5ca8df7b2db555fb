"""PNGs are read back by a library that did not write them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from analysis.book.pictures import card, number_card, pixels
from analysis.book.pictures.framing import Words

WIDTH, HEIGHT = 7, 5


def noise(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(7).integers(0, 256, size=(height, width, 4), dtype=np.uint8)


@pytest.mark.parametrize(("size", "mode"), [((HEIGHT, WIDTH), "P"), ((50, 70), "RGB")])
def test_every_pixel_and_the_printed_size_are_read_back(size: tuple[int, int], mode: str) -> None:
    """Of few colours, and of so many that 256 are too far from some."""
    given = noise(*size)
    with Image.open(io.BytesIO(pixels.png(given, 300))) as found:
        assert (found.size, found.mode) == (size[::-1], mode)
        assert np.array_equal(np.asarray(found.convert("RGB")), given[..., :3])
        assert round(found.info["dpi"][0]) == 300


def test_what_is_flat_keeps_its_colour_and_no_rim_is_far_off() -> None:
    """Discs of three colours with soft rims of 2,000 shades and more between them, as letters and lines have."""
    y, x = np.mgrid[:300, :400]
    flat = np.array([[255, 255, 255], [47, 127, 209], [20, 24, 31]], dtype=float)
    given = np.full((300, 400, 4), 255, dtype=np.uint8)
    for place, (one, other) in enumerate(((0, 1), (1, 2), (0, 2))):
        share = np.clip(np.hypot(x - 70 - 130 * place, y - 150) / 8 - 5, 0, 1)[..., None]
        disc = slice(130 * place, 130 * place + 140)
        given[:, disc, :3] = np.round(flat[one] * share + flat[other] * (1 - share))[:, disc]
    given[::37, ::41, 0] ^= (
        np.arange(given[::37, ::41, 0].size, dtype=np.uint8).reshape(given[::37, ::41, 0].shape) % 32
    )
    given[::29, ::31, 1] ^= (
        np.arange(given[::29, ::31, 1].size, dtype=np.uint8).reshape(given[::29, ::31, 1].shape) % 32
    )
    assert len(np.unique(given.reshape(-1, 4), axis=0)) > pixels.MOST_COLOURS
    with Image.open(io.BytesIO(pixels.png(given, 300))) as found:
        assert found.mode == "P"
        off = np.linalg.norm(np.asarray(found.convert("RGB")).astype(float) - given[..., :3], axis=2)
    assert 0 < off.max() <= pixels.MOST_OFF
    assert all((off[(given[..., :3] == colour).all(axis=2)] == 0).all() for colour in flat)


def test_one_pixel_is_what_the_specification_says() -> None:
    """PNG (W3C), § 11.2: length, name, content, checksum; one red pixel is a filter byte and the place of its colour."""
    written = pixels.png(np.array([[[255, 0, 0, 7]]], dtype=np.uint8), 300)
    assert written[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    assert written[8:33] == struct.pack(">I4s2I5B", 13, b"IHDR", 1, 1, 8, 3, 0, 0, 0) + struct.pack(
        ">I", zlib.crc32(written[12:29])
    )
    assert written[41:50] == struct.pack(">2IB", 11811, 11811, 1)  # 300 to the inch are 11,811 to the metre
    assert struct.pack(">I4s3B", 3, b"PLTE", 255, 0, 0) in written
    begin = written.index(b"IDAT")
    (length,) = struct.unpack(">I", written[begin - 4 : begin])
    assert zlib.decompress(written[begin + 4 : begin + 4 + length]) == bytes([0, 0])
    assert written.endswith(bytes.fromhex("0000000049454e44ae426082"))


def test_few_colours_are_read_back() -> None:
    given = np.random.default_rng(7).integers(0, 3, size=(HEIGHT, WIDTH + 1), dtype=np.uint8)
    palette = bytes([0, 0, 0, 255, 0, 0, 255, 255, 255])
    with Image.open(io.BytesIO(pixels.few_colours(given, palette, 96, {"Title": "½"}))) as found:
        assert (found.mode, found.text) == ("P", {"Title": "½"})  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(found), given)
        assert found.getpalette()[:9] == list(palette)  # type: ignore[index]


def lettered(words: Words) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    written = number_card.drawn(words)
    assert written == number_card.drawn(words)
    with Image.open(io.BytesIO(written)) as found:
        return np.asarray(found.convert("L"))


@pytest.mark.long
def test_a_card_shows_its_number_and_keeps_to_its_margins() -> None:
    few, many = (lettered(Words("A phone", "models fit", "A book.", number=it)) for it in ("7", "8"))
    assert np.array_equal(few[:140], many[:140])
    assert not np.array_equal(few, many)
    lettered(Words("w" * 9999, "", "", number=""))  # runs out of the picture rather than out of sizes
    lettered(Words("two\nlines 🜚", "", "", number="7"))
    long = lettered(Words("word " * 12 + "w" * 90, "of it " * 30, "A book.", number="1,234,567 of 8,901,234"))
    for sides in (long[card.BAR :, : card.MARGIN - 8], long[:, -card.MARGIN :][card.BAR :]):
        assert (sides == 255).all()


def test_flat_colour_takes_little_room() -> None:
    flat = np.full((400, 400, 4), 250, dtype=np.uint8)
    assert len(pixels.png(flat, 300)) < flat.nbytes / 200
