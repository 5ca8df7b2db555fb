"""What the derived tables of several chapters share: formats, models and devices as the book uses them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from analysis import units, words
from analysis.equations import memory_wall
from analysis.model import shapes
from analysis.tables import DataPackage

HALF = 0.5
MONTHS_PER_YEAR, DAYS_PER_MONTH = 12, 365.25 / 12
FORMATS = ("fp16", "int8", "int4")
"""The number formats of the article, nominal bits per parameter."""
DOWNLOADED = {"fp16": "fp16", "int8": "q8-0", "int4": "q4-k-m"}
"""The file a person downloads for so many bits: what memory has to hold, scales included."""
CLASSES = ("phone", "tablet", "laptop", "desktop", "edge", "gpu")
PRECISIONS = {"tensor-fp16": "16 bit on matrix units", "fp16": "16 bit", "fp32": "32 bit"}
"""Number formats of published peaks, and what they are called; one chart or sentence compares one of them."""
SETS = ("2023", "2026")
"""Devices on sale when the article appeared, and the newest ones."""


def held_byte_per_param(package: DataPackage, format_id: str) -> float:
    """Bytes a parameter takes in memory: of the file that is downloaded for a nominal format, else of the format itself."""
    return byte_per_param(package, DOWNLOADED.get(format_id, format_id))


def byte_per_param(package: DataPackage, format_id: str) -> float:
    """Bytes a parameter takes in a number format: its effective bits / 8."""
    return float(memory_wall.byte_per_param(package.row("number_formats", format_id)["effective_bit_per_param"]))


def formats(package: DataPackage, format_ids: tuple[str, ...] = FORMATS) -> pd.DataFrame:
    """One row per format, in the order given: ``format_id``, ``format`` (its name), ``byte_per_param``, ``source_id``."""
    rows = [package.row("number_formats", format_id) for format_id in format_ids]
    sizes = [byte_per_param(package, format_id) for format_id in format_ids]
    names = [row["name"] for row in rows]
    sources = [row["source_id"] for row in rows]
    return pd.DataFrame({"format_id": format_ids, "format": names, "byte_per_param": sizes, "source_id": sources})


def model(package: DataPackage, model_id: str) -> dict[str, Any]:
    """One model; a dense model's active parameters are all of them."""
    row = package.row("models", model_id)
    active = row["active_param"]
    return row | {"active_param": row["total_param"] if math.isnan(active) else active}


def devices(package: DataPackage, default_set: str | None = None) -> pd.DataFrame:
    """Devices with a known memory bandwidth; ``default_set`` keeps the subset shown by default (``2023`` or ``2026``)."""
    table = package.table("devices")
    table = table[table["memory_bandwidth_byte_per_s"].notna()]
    return (
        table[table["default_set"] == default_set].reset_index(drop=True)
        if default_set
        else table.reset_index(drop=True)
    )


def device_pages(device_ids: Iterable[str]) -> list[str]:
    """Where the pages of devices lie, as seen from a chapter; those of a set that is drawn by default all have one."""
    return [f"../devices/{device_id}.html" for device_id in device_ids]


MOST_DRAWN = 500
"""Devices drawn in one figure: beyond, marks hide one another and a page grows heavy."""
MOST_IN_ROWS = 40
"""Devices drawn in a figure that gives each a row of its own."""


def drawn(table: pd.DataFrame, *, always: pd.Series[bool] | None = None, most: int = MOST_DRAWN) -> pd.DataFrame:
    """The rows of at most so many devices, evenly spaced in the order of the table; all of them where there are no more.

    always  rows whose devices are drawn in any case, as a figure names them
    """
    ids = table["device_id"].drop_duplicates()
    if len(ids) <= most:
        return table
    kept = set(ids.iloc[[round(place * (len(ids) - 1) / (most - 1)) for place in range(most)]])
    named = set() if always is None else set(table.loc[always, "device_id"])
    return table[table["device_id"].isin(kept | named)]


def undrawn(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    """A sentence that says how many devices a figure draws of how many; empty where it draws them all."""
    few, count = shown["device_id"].nunique(), table["device_id"].nunique()
    if few == count:
        return ""
    return (
        f" Drawn are {few:,} of {count:,} devices, evenly spaced in their order; the data of the figure hold them all."
    )


def base(value: float, unit: str) -> float:
    """Convert a parameter to base units, as equations take it: ``base(2, "gibyte")`` → 2147483648 (byte)."""
    return value * units.unit(unit).factor


def part_of_bandwidth(bandwidth_share: float) -> str:
    """Say a share of a device's bandwidth: ``its full bandwidth``, ``half of its bandwidth``, ``30 % of its bandwidth``."""
    if bandwidth_share == 1:
        return "its full bandwidth"
    part = "half" if bandwidth_share == HALF else f"{words.number(bandwidth_share * 100, 2)} %"
    return f"{part} of its bandwidth"


def decimal_year(date: str) -> float:
    """Read a date as a year with decimals; a month or a year alone stands at its middle: ``2022-09`` → 2022.708."""
    year, month, day = (*date.split("-"), "", "")[:3]
    if not month:
        return int(year) + 0.5
    within = (int(day) - 0.5) / DAYS_PER_MONTH if day else 0.5
    return int(year) + (int(month) - 1 + within) / MONTHS_PER_YEAR


def kv_cache_byte(model: dict[str, Any], context_token: float, kv_element_byte: float) -> float:
    """KV cache of one sequence, with the fixed state of layers that keep no cache; NaN where the shape is not published."""
    return float(shapes.cache(model, kv_element_byte).at(context_token))


def kv_byte_per_token(model: dict[str, Any], kv_element_byte: float) -> float:
    """Cache a token adds to one sequence while every window still fills; NaN where the shape is not published."""
    kept = shapes.cache(model, kv_element_byte)
    return float(kept.full_byte_per_token + kept.window_byte_per_token)
