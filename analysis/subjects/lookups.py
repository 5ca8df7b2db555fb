"""What the rules of several chapters look up and compute alike."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking
from analysis.claims.engine import Book
from analysis.equations import memory_wall
from analysis.equations.ranges import Result as Number


def rate(book: Book, speed: str = "reading_speed_word_per_min") -> Number:
    """Tokens per second that keep up with the reader of this edition."""
    return memory_wall.reading_token_per_s(book.parameter(speed), book.parameter("token_per_word"))


def byte_per_param(book: Book, format_id: str) -> Number:
    """Bytes a parameter takes in a number format."""
    return memory_wall.byte_per_param(book.value("number_formats", format_id, "effective_bit_per_param"))


def weights(book: Book, format_id: str, *, exact: bool = False) -> Number:
    """Bytes of the smallest LLaMA: of the seven billion parameters in its name, or of its exact count."""
    count = book.value("models", "llama-7b", "total_param") if exact else book.fact("llama-7b-nominal-params")
    return memory_wall.weight_byte(count, byte_per_param(book, format_id))


def largest(
    book: Book, device_id: str, format_id: str, *, share: Number | None = None, token_per_s: Number | None = None
) -> Number:
    """Largest model a device keeps up with, by bandwidth; at this edition's speed and share unless told otherwise."""
    return memory_wall.largest_model_param(
        book.value("devices", device_id, "memory_bandwidth_byte_per_s"),
        token_per_s=rate(book) if token_per_s is None else token_per_s,
        byte_per_param=byte_per_param(book, format_id),
        bandwidth_share=book.parameter("bandwidth_share") if share is None else share,
    )


def newest_device(book: Book, column: str = "memory_bandwidth_byte_per_s", **equal: str) -> str:
    """Give the id of the matching device released last with a number in ``column``; of several the largest."""

    def find() -> str:
        table = _matching(book, **equal)
        table = table[table[column].notna()]
        return _largest(table[table["release_date"] == table["release_date"].max()], column)

    return str(book.once(("newest", column, *equal.items()), find))


def top_device(book: Book, column: str = "memory_bandwidth_byte_per_s", *, until: str = "", **equal: str) -> str:
    """Give the id of the matching device with the largest number in ``column``, among those out by ``until``."""

    def find() -> str:
        table = _matching(book, **equal)
        return _largest(table[table["release_date"] <= until] if until else table, column)

    return str(book.once(("top", column, until, *equal.items()), find))


def _matching(book: Book, **equal: str) -> pd.DataFrame:
    table = book.table("devices")
    for name, value in equal.items():
        table = table[table[name] == value]
    return table


def _largest(table: pd.DataFrame, column: str) -> str:
    return str(ranking.first(table, column, "device_id", falling={column})["device_id"])


def named(book: Book, device_id: str) -> str:
    """Give the name of a device."""
    return str(book.row("devices", device_id)["name"])


def chip(book: Book, device_id: str) -> str:
    """Give the chip of a device, without its variant."""
    return str(book.row("devices", device_id)["chip"]).partition(" (")[0]


def month(day: pd.Timestamp) -> str:
    """Give a day's month, as the tables write it."""
    return f"{day:%Y-%m}"


def either(condition: Any, yes: str, no: str) -> str:
    """One of two wordings, chosen by the numbers."""
    return yes if condition else no


def smallest(values: Iterable[Number]) -> Number:
    """Give the smallest of several numbers, for every draw."""
    return reduce(np.minimum, values)


def largest_of(values: Iterable[Number]) -> Number:
    """Give the largest of several numbers, for every draw."""
    return reduce(np.maximum, values)


def ratio(value: Number, reference: Number) -> Number:
    """One number in units of another."""
    return value / reference
