"""Uncertain cells of the tables: which they are, how far each may be off, and a table with other values in them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import tables, units
from analysis.assumptions import Range
from analysis.book.inputs.plain_yaml import Path
from analysis.claims.engine import Cell as Address
from analysis.errors import nearest
from analysis.sweep.reading import Said, distribution
from analysis.sweep.spreads import KINDS, Spread

PLACE = ("table", "row", "column")
SPREAD = "spread"


@dataclass(frozen=True)
class Cell:
    """One cell, in the unit of its column."""

    table: str
    row: str
    column: str
    spread: Spread

    @property
    def name(self) -> str:
        """The cell as it is called beside the parameters."""
        return f"{self.table}/{self.row}/{self.column}"

    def address(self) -> Address:
        """The cell as the rules of claims look it up."""
        return self.table, self.row, units.base_name(self.column)

    def ends(self) -> Range:
        """Its lowest and highest value in base units, of a fact in the unit of its row."""
        unit = units.parse(self.column)
        low, high = self.spread.ends
        return (low * unit.factor, high * unit.factor) if unit else (low, high)


def read(said: Said, path: Path, given: Any, packages: Sequence[tables.DataPackage]) -> list[Cell]:
    """The cells of a plan, each of which must be in every data package of it."""
    listed = said.take(path, given, list, "a list of cells")
    found = [_read(said, (*path, position), one, packages) for position, one in enumerate(listed)]
    kept = [cell for cell in found if cell is not None]
    for position, cell in enumerate(kept):
        if cell.name in [other.name for other in kept[:position]]:
            said.wrong((*path, position), cell.name, "each cell once")
    return kept


def _read(said: Said, path: Path, given: Any, packages: Sequence[tables.DataPackage]) -> Cell | None:
    place = said.take(path, given, dict, "a cell: table, row, column, and low and high, spread, or a distribution")
    if missing := [name for name in PLACE if not isinstance(place.get(name), str)]:
        said.wrong(path, place.get(missing[0]), f"{missing[0]}: a name as text")
        return None
    filed = [_filed(said, path, place, package) for package in packages]
    if None in filed:
        return None
    row, field = filed[0]  # type: ignore[misc]
    limits = field.get("constraints", {})
    within = (float(limits.get("minimum", -math.inf)), float(limits.get("maximum", math.inf)))
    spread = _spread(said, path, place, row, within)
    return Cell(place["table"], place["row"], place["column"], spread) if spread else None


def _filed(
    said: Said, path: Path, place: Mapping[str, str], package: tables.DataPackage
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The row that holds a cell, and what is declared of its column; None, and a problem, where there is no such number."""
    if place["table"] not in package.names:
        said.wrong((*path, "table"), f"table {place['table']!r}", "a table", nearest(place["table"], package.names))
        return None
    fields, key = package.columns(place["table"]), package.resource(place["table"])["schema"]["primaryKey"]
    numbers = [name for name, field in fields.items() if field["type"] in ("number", "integer")]
    if place["column"] not in numbers:
        todo = nearest(place["column"], numbers)
        said.wrong(
            (*path, "column"), f"column {place['column']!r}", f"a column of numbers of {place['table']}.csv", todo
        )
        return None
    rows = {" ".join(str(row[name]) for name in key): row for row in package.raw(place["table"]).to_dict("records")}
    if place["row"] not in rows:
        said.wrong(
            (*path, "row"), f"row {place['row']!r}", f"a row of {place['table']}.csv", nearest(place["row"], rows)
        )
        return None
    row = {str(name): value for name, value in rows[place["row"]].items()}
    if math.isnan(row[place["column"]]):
        said.wrong((*path, "column"), "an empty cell", f"a number in {place['table']}.csv, {place['row']}")
        return None
    return row, fields[place["column"]]


def _spread(said: Said, path: Path, place: Mapping[str, Any], row: Mapping[str, Any], within: Range) -> Spread | None:
    """How far a cell may be off: a share of what is filed, two numbers or columns beside it, or a distribution."""
    more = [name for name in place if name not in PLACE]
    if more == [SPREAD]:
        share = place[SPREAD]
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
            said.wrong((*path, SPREAD), share, "a share of the filed value above 0 and below 1, as 0.1")
            return None
        filed = row[place["column"]]
        return distribution(said, path, [filed * (1 - share), filed * (1 + share)], within)
    if sorted(more) == sorted(KINDS["uniform"]):
        return distribution(said, path, [_end(said, path, place[name], row) for name in KINDS["uniform"]], within)
    return distribution(said, path, {name: place[name] for name in more}, within)


def _end(said: Said, path: Path, given: Any, row: Mapping[str, Any]) -> Any:
    """An end of a range: a number, or the name of the column beside it that holds one."""
    if not isinstance(given, str):
        return given
    if given not in row:
        said.wrong(path, f"column {given!r}", "a number, or a column of the same table", nearest(given, row))
    return row.get(given)


def written(content: bytes, key: Sequence[str], values: Mapping[tuple[str, str], float]) -> bytes:
    """A table with other values in some cells.

    Args:
        content: the table as CSV
        key: the columns of its primary key
        values: (key of the row, column) → value, in the unit of the column
    """
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    places = {" ".join(row[header.index(name)] for name in key): row for row in rows if row}
    for (row, column), value in values.items():
        places[row][header.index(column)] = repr(value)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()
