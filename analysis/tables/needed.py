"""What of each table the chapters cannot do without: rows that the text names, numbers of those rows, sorts of rows.

``notes/<table>.toml`` lists it under ``[needed]``; a test builds the book from nothing else.  A table supplied for a run that
leaves some of it out is refused before a chapter runs, with what is missing and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pandas as pd

from analysis import tables
from analysis.door import sheets
from analysis.errors import Problem, similar
from analysis.tables import overlay

MOST_NAMED = 6
"""Ids listed in one message; the rest are counted."""


@dataclass(frozen=True)
class Needed:
    """What the chapters need of one table.

    rows   keys that the text or the equations name
    every  the same of all rows of the book
    cells  columns that must stay filled in those rows where the book has a value
    kinds  column → value; of each at least one row
    """

    rows: Sequence[str] = ()
    every: bool = False
    cells: Sequence[str] = ()
    kinds: Sequence[Mapping[str, str]] = field(default_factory=tuple)


def told(wanted: Needed) -> list[str]:
    """What a table that replaces the book's must keep, in words; nothing where the chapters follow whatever is there."""
    parts = ["every row of the book"] if wanted.every else []
    parts += [f"the rows {', '.join(wanted.rows)}"] if wanted.rows else []
    parts += [f"in these a value wherever the book has one in {', '.join(wanted.cells)}"] if wanted.cells else []
    return [*parts, *(f"at least one row with {_said(kind)}" for kind in wanted.kinds)]


def missing(name: str, table: pd.DataFrame, wanted: Needed, supplied: overlay.Supplied) -> Iterator[Problem]:
    """What ``table``, the texts of the table ``name``, lacks of what the chapters need."""
    if not any(change.table == name for change in supplied.changes):
        return
    book = _book(tables.data_folder() / f"{name}.csv")
    key = table[str(book.index.name)]
    rows = list(book.index) if wanted.every else wanted.rows
    held = set(key)
    if lost := [row for row in rows if row not in held]:
        yield left_out(name, lost, "the rows that the chapters speak of", supplied)
    for row in table.index[key.isin(rows)]:
        for column in wanted.cells:
            if not table.at[row, column] and (old := str(book.at[key[row], column])):
                yield _cell(name, int(row), column, old)
    shapes = {tuple(kind) for kind in wanted.kinds}
    found = {names: set(table[list(names)].itertuples(index=False, name=None)) for names in shapes}
    if none := [kind for kind in wanted.kinds if tuple(kind.values()) not in found[tuple(kind)]]:
        yield _kinds(name, none)


@lru_cache(maxsize=64)
def _book(path: Path) -> pd.DataFrame:
    """The book's own table as text, by its first column."""
    sheet = sheets.read(path, path.stem)
    return pd.DataFrame(sheet.columns(), dtype=object).drop_duplicates(sheet.header[0]).set_index(sheet.header[0])


def left_out(name: str, lost: Sequence[str], expected: str, supplied: overlay.Supplied) -> Problem:
    """The rows that a whole table leaves out, and what to do; a row that looks renamed is asked about."""
    listed = ", ".join(repr(row) for row in lost[:MOST_NAMED])
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    added = [row for change in supplied.changes if change.table == name for row in change.added]
    todo = f"{similar(lost[0], added)} Keep {'it' if len(lost) == 1 else 'them'}, {_rows_only(name)}"
    return Problem(file=f"{name}.csv", found=f"no row {listed}{more}", expected=expected, todo=todo.strip())


def _rows_only(name: str) -> str:
    return f"or call the file {name}.rows.csv: its rows are added to the book's, or change them."


def _cell(name: str, row: int, column: str, value: str) -> Problem:
    todo = f"Give it one; the book has {value}."
    expected = "a value: the chapters reckon with this row"
    return Problem(file=f"{name}.csv", row=row, column=column, found="no value", expected=expected, todo=todo)


def _kinds(name: str, none: Sequence[Mapping[str, str]]) -> Problem:
    expected, todo = "at least one of each: the chapters compare them", f"Add one, {_rows_only(name)}"
    return Problem(file=f"{name}.csv", found="no row with " + "; ".join(map(_said, none)), expected=expected, todo=todo)


def _said(kind: Mapping[str, str]) -> str:
    return " and ".join(f"{column} {value}" for column, value in kind.items())
