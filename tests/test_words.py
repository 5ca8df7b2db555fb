"""Numbers as a reader reads them."""

from __future__ import annotations

import math

import pytest

from analysis import words


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (34.128e9, "byte_per_s", "34.1 GB/s"),
        (1.0238e9, "param", "1.02 B parameters"),
        (540e9, "param", "540 B parameters"),
        (1.8e12, "param", "1.80 T parameters"),
        (57e9, "transistor", "57.0 B transistors"),
        (0.12, "s", "120 ms"),
        (0.0000141, "s", "14.1 µs"),
        (85.2, "s", "1.42 min"),
        (0.398, "share", "39.8 %"),
        (4.56, "ratio", "4.56×"),
        (270000.0, "usd", "$270,000"),
        (8.3333, "token_per_s", "8.33 tokens per second"),
        (999.9e6, "byte", "1.00 GB"),
        (0.0, "byte", "0 B"),
        (math.nan, "byte", "unknown"),
    ],
)
def test_quantities_read_well(value: float, unit: str, text: str) -> None:
    assert words.quantity(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,230"), (0.0199, "0.0199"), (9.999, "10.0"), (-3.2, "−3.20"), (0, "0"), (math.inf, "∞")],
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert words.number(value) == text


def test_lists_read_like_english() -> None:
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing([]) == "none"
    assert words.plural(1, "device") == "1 device"
    assert words.plural(3000, "device") == "3,000 devices"


def test_a_number_stays_on_the_line_of_its_unit() -> None:
    assert (
        words.unbroken("3.37 GB of 16 in 2 × 8, 87 %")
        == "3.37\N{NO-BREAK SPACE}GB of 16\N{NO-BREAK SPACE}in 2 × 8, 87\N{NO-BREAK SPACE}%"
    )
