"""What a figure rests on: the maker, a standard, a derivation that the page shows, or less; and how the page says so."""

from __future__ import annotations

import math

import pandas as pd

from analysis.tables import DataPackage

STANDARD = "standard"
"""It says what a kind of memory can do, not what a device has: it supports a derivation, and is none of the device."""
FIRST_HAND = ("vendor", STANDARD, "filing", "paper")
"""Kinds of sources that speak for themselves: makers, standards bodies, what they file, and papers."""
FIRST, SHOWN, LESS = "first-hand", "derivation", "secondary"
WORDS = {
    "spec": "the maker's figure", "paper": "by a paper", "measured": "measured", "derived": "derived",
    "third-party": "secondary source", "estimate": "estimate",
}  # fmt: skip
"""Confidence of a row → how the page says it."""
THROUGH_PRESS = "the maker's figure, read elsewhere"


def kinds(package: DataPackage, table: pd.DataFrame) -> list[set[str]]:
    """Return the kinds of the sources of each row."""
    kind = package.source_kinds
    pairs = zip(table["source_id"], table["second_source_id"], strict=True)
    return [{kind[source] for source in pair if source} for pair in pairs]


def devices(package: DataPackage) -> pd.DataFrame:
    """Return what the bandwidth of every device rests on: ``device_id``, ``standing``, and ``basis``, the words for the page.

    A derivation is shown where data rate and width of the memory are filed: their product is the bandwidth.
    """
    table = package.table("devices")
    shown = [_derivation(row) for row in table.to_dict("records")]
    said = zip(kinds(package, table), table["confidence"], shown, strict=True)
    rows = [(_standing(of_row, text), f"{text or 'as printed'}; {_words(of_row, sure)}") for of_row, sure, text in said]
    return pd.DataFrame(rows, columns=["standing", "basis"]).assign(
        device_id=table["device_id"], confidence=table["confidence"]
    )


def words(package: DataPackage, table: str, key: str) -> str:
    """Return how sure one row is, in the page's words."""
    row = package.row(table, key)
    return _words(kinds(package, pd.DataFrame([row]))[0], str(row["confidence"]))


def _derivation(row: dict[object, object]) -> str:
    """The product that gives the bandwidth: ``LPDDR4X-4266 × 64 bit``; nothing where a factor is not filed."""
    rate, width = (float(str(row[name])) for name in ("memory_data_rate_transfer_per_s", "memory_bus_width_bit"))
    if math.isnan(rate * width) or not row["memory_type"]:
        return ""
    return f"{row['memory_type']}-{rate / 1e6:.0f} × {width:.0f} bit"


def _standing(kinds_of_row: set[str], derivation: str) -> str:
    if kinds_of_row & set(FIRST_HAND) - {STANDARD}:
        return FIRST
    return SHOWN if derivation else LESS


def _words(kinds_of_row: set[str], confidence: str) -> str:
    return THROUGH_PRESS if confidence == "spec" and not kinds_of_row & set(FIRST_HAND) else WORDS[confidence]
