"""Rows in an order that no processor changes: floats at twelve digits, what ties by the next column, the last one unique."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from analysis import words


def by(table: pd.DataFrame, *columns: str, falling: Collection[str] = ()) -> pd.DataFrame:
    """Sort a table, numbered anew; missing values come last.

    columns  what to sort by; the last ones, such as an id, tell any two rows apart
    falling  those of them whose largest value comes first

    Plain sorting leaves rows that tie in an order that depends on the set of instructions, and two ways to compute one number
    may differ in the last bit.
    """
    keys = pd.DataFrame({name: _comparable(table[name]) for name in columns})
    rising = [name not in falling for name in columns]
    places = keys.sort_values(list(columns), ascending=rising, kind="stable").index
    return table.iloc[places].reset_index(drop=True)


def first(table: pd.DataFrame, *columns: str, falling: Collection[str] = ()) -> pd.Series[Any]:
    """The row that comes first in this order; raises IndexError for a table without rows."""
    return by(table, *columns, falling=falling).iloc[0]


def tied(table: pd.DataFrame, *columns: str, falling: Collection[str] = ()) -> pd.DataFrame:
    """All rows that share the first place, in this order: as high as the first in the first column; a sentence names them all."""
    ordered = by(table, *columns, falling=falling)
    keys = pd.Series(_comparable(ordered[columns[0]]), dtype=object)
    return ordered[(keys == keys.iloc[0]).to_numpy()] if len(ordered) else ordered


def _comparable(column: pd.Series[Any]) -> Any:
    """The cells as they may be compared: floats at twelve digits, anything else as it is."""
    if not pd.api.types.is_float_dtype(column):
        return column.array
    return [words.settled(value) for value in column.to_numpy(dtype=np.float64, na_value=np.nan)]
