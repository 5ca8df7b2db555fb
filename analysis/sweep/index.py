"""The table of a sweep: one row for each number and each verdict of each edition, in one order."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.book.inputs import parameters
from analysis.sweep.plan import Edition, Plan

FILE, PARQUET = "index.csv", "index.parquet"
FOUND = ("id", "value", "unit", "verdict")
Found = Iterable[Mapping[str, Any]]


def columns(plan: Plan) -> list[str]:
    """The columns: the edition, what varies, what was found."""
    return ["edition", "data", *plan.varied(), *(cell.name for cell in plan.cells), *FOUND]


def inputs(edition: Edition, plan: Plan, varied: list[str]) -> list[Any]:
    """What an edition has of what varies; a cell that is as filed is empty."""
    values = parameters.validated(edition.parameters)
    return [
        edition.data,
        *(values[name] for name in varied),
        *(edition.cells.get(cell.name, "") for cell in plan.cells),
    ]


def rows(found: Found) -> Iterator[tuple[str, str, str, str]]:
    """Id, value, unit and verdict of each entry; a claim may have no value."""
    for one in found:
        value = one.get("number", one.get("value"))
        yield one["id"], "" if value is None else repr(value), one["unit"], one.get("verdict", "")


def write(target: Path, plan: Plan, editions: Iterable[Edition], found: Callable[[Edition], Found]) -> None:
    """Write the table as CSV, edition by edition as the plan has them; no more than one is held in memory."""
    varied = plan.varied()
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns(plan))
        for edition in editions:
            given = [edition.name, *inputs(edition, plan, varied)]
            writer.writerows([*given, *row] for row in rows(found(edition)))


def write_parquet(source: Path, target: Path) -> None:
    """The same table as Parquet, its columns typed by what stands in them."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        names = {"source": str(source), "target": str(target)}
        quoted = {name: "'" + text.replace("'", "''") + "'" for name, text in names.items()}
        read = f"read_csv({quoted['source']}, header = true, sample_size = -1, types = {{'edition': 'VARCHAR', 'value': 'DOUBLE'}})"
        connection.execute(f"COPY (SELECT * FROM {read}) TO {quoted['target']} (FORMAT parquet)")  # noqa: S608 - paths of our own
