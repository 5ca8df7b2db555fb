"""What the rules of several chapters look up and compute alike."""

from __future__ import annotations

import pandas as pd

from analysis import ranking
from analysis.claims.engine import Book
from analysis.equations import memory_wall


def rate(book: Book, speed: str = "reading_speed_word_per_min") -> float:
    """Tokens per second that keep up with the reader of this edition."""
    return float(memory_wall.reading_token_per_s(book.parameter(speed), book.parameter("token_per_word")))


def byte_per_param(book: Book, format_id: str) -> float:
    """Bytes a parameter takes in a number format."""
    return float(memory_wall.byte_per_param(book.value("number_formats", format_id, "effective_bit_per_param")))


def weights(book: Book, format_id: str, *, exact: bool = False) -> float:
    """Bytes of the smallest LLaMA: of the seven billion parameters in its name, or of its exact count."""
    count = book.value("models", "llama-7b", "total_param") if exact else book.fact("llama-7b-nominal-params")
    return float(memory_wall.weight_byte(count, byte_per_param(book, format_id)))


def largest(
    book: Book, device_id: str, format_id: str, *, share: float | None = None, token_per_s: float | None = None
) -> float:
    """Largest model a device keeps up with, by bandwidth; at this edition's speed and share unless told otherwise."""
    return float(
        memory_wall.largest_model_param(
            book.value("devices", device_id, "memory_bandwidth_byte_per_s"),
            token_per_s=rate(book) if token_per_s is None else token_per_s,
            byte_per_param=byte_per_param(book, format_id),
            bandwidth_share=book.parameter("bandwidth_share") if share is None else share,
        )
    )


def newest_device(book: Book, column: str = "memory_bandwidth_byte_per_s", **equal: str) -> str:
    """Give the id of the matching device released last with a number in ``column``; of several the largest."""
    table = book.table("devices")
    for name, value in equal.items():
        table = table[table[name] == value]
    table = table[table[column].notna()]
    last = table[table["release_date"] == table["release_date"].max()]
    return str(ranking.first(last, column, "device_id", falling={column})["device_id"])


def top_device(book: Book, column: str = "memory_bandwidth_byte_per_s", *, until: str = "", **equal: str) -> str:
    """Give the id of the matching device with the largest number in ``column``, among those out by ``until``."""
    table = book.table("devices")
    for name, value in equal.items():
        table = table[table[name] == value]
    if until:
        table = table[table["release_date"] <= until]
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


def either(condition: bool, yes: str, no: str) -> str:
    """One of two wordings, chosen by the numbers."""
    return yes if condition else no


def ratio(value: float, reference: float) -> float:
    """One number in units of another."""
    return value / reference
