"""Cells of files that know types, Parquet and XLSX, as CSV would hold them; and how much of such a file is a table."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", flags=re.ASCII)
MOST_ROWS = 50_000
MOST_COLUMNS = 500
MOST_CELLS = 1_500_000
"""A table above these is none of ours: the largest of the book has 3,000 rows, of 41 columns."""
MOST_CELLS_IN_ALL = 3_000_000


def text(value: Any) -> str:
    """A cell of a typed file as CSV would hold it; dates as ISO, whole numbers without a point, missing as nothing."""
    if value is None or value != value or str(value) in ("<NA>", "NaT"):  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def in_digits(column: Any) -> Any:
    """A column without what pandas takes for numbers and is none: truth values, and words for infinity."""
    if column.dtype.kind in "fiu":
        return column
    texts = column.astype(str).str.strip()
    return texts.where([NUMBER.fullmatch(str(text)) is not None for text in texts])
