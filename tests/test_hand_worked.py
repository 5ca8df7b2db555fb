"""At least one cell of every figure's CSV, worked by hand from the raw tables: tests/data/hand_worked.csv says how.

No code of the package takes part.  In a formula ``{table|rows|column}`` is the one cell, ``*{…}`` all cells, ``#{table|rows}``
the number of rows; rows are named by their key, or by conditions joined by ``&``; ``figures/…`` is another figure's CSV.
"""

from __future__ import annotations

import csv
import math
import re
import statistics
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.conftest import ROOT

Row = dict[str, str]
with (ROOT / "tests" / "data" / "hand_worked.csv").open(encoding="utf-8", newline="") as file:
    WORKED = list(csv.DictReader(file))
PUBLISHED = (ROOT / "tests" / "published_figures.txt").read_text(encoding="utf-8").split()
CONDITION = re.compile(r"(\w+)(>=|=)(.*)")
CELL = re.compile(r"([*#]?)\{([^|{}]+)\|([^|{}]+)(?:\|([^|{}]+))?\}")
NEAR = 1e-4
"""Figures are published at six digits, and what is worked from them, or from sizes in a file's name, loses one or two."""


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@cache
def table(name: str, site: Path) -> list[Row]:
    if name == "parameters":
        declared = yaml.safe_load((ROOT / "chapters" / "parameters.yml").read_text(encoding="utf-8"))
        return [{"name": key, "default": str(entry["default"])} for key, entry in declared.items()]
    if name.startswith("figures/"):
        figure = name.removeprefix("figures/")
        return read(site / "figures" / figure / f"{figure}.csv")
    return read(ROOT / "data" / f"{name}.csv")


def holds(row: Row, condition: str) -> bool:
    found = CONDITION.fullmatch(condition)
    if found is None:
        return next(iter(row.values())) == condition
    column, sign, wanted = found.groups()
    if sign == "=":
        return row[column] == wanted
    bound = row.get(wanted, wanted)
    return row[column] != "" and float(row[column]) >= float(bound)


def rows(name: str, conditions: str, site: Path) -> list[Row]:
    return [row for row in table(name, site) if all(holds(row, one) for one in conditions.split("&"))]


def number(text: str) -> float | str:
    return text if re.fullmatch(r"\d{4}(-\d\d)+", text) else float(text)


def years(dates: Sequence[str | float]) -> list[float]:
    """Days as decimal years, at their middle; months are all as long."""
    parts = [[int(part) for part in str(date).split("-")] for date in dates]
    return [year + (month - 1 + (day - 0.5) / (365.25 / 12)) / 12 for year, month, day in parts]


def trend(x: Sequence[float], y: Sequence[float], at: float) -> float:
    """The level of the straight line through the logarithms."""
    _, level = np.polyfit(np.asarray(x) - at, np.log(np.asarray(y)), 1)
    return float(np.exp(level))


def worked(how: str, site: Path) -> float:
    """What a formula gives."""
    given: dict[str, Any] = {}

    def put(found: re.Match[str]) -> str:
        kind, name, conditions, column = found.groups()
        chosen, key = rows(name, conditions, site), f"given_{len(given)}"
        if kind == "#":
            given[key] = len(chosen)
        else:
            cells = [number(row[column]) for row in chosen]
            assert kind == "*" or len(cells) == 1, f"{found[0]}: {len(cells)} rows"
            given[key] = cells if kind else cells[0]
        return key

    functions = {
        "median": statistics.median, "absolute": lambda values: [abs(value) for value in values], "exp": math.exp, "sum": sum,
        "min": min, "years": years, "trend": trend,
    }  # fmt: skip
    return float(eval(CELL.sub(put, how), {"__builtins__": {}}, functions | given))  # noqa: S307 - our own formula


@pytest.mark.parametrize("cell", WORKED, ids=lambda cell: f"{cell['figure_id']}-{cell['column']}")
def test_a_cell_worked_by_hand_is_what_the_figure_holds(cell: Row, site: Path) -> None:
    conditions = cell["row"]
    found = rows(f"figures/{cell['figure_id']}", conditions.removesuffix("&last=end"), site)
    if conditions.endswith("&last=end"):
        found = sorted(found, key=lambda row: float(row["end"]))[-1:]
    assert len(found) == 1, f"{conditions}: {len(found)} rows"
    assert float(found[0][cell["column"]]) == pytest.approx(worked(cell["how"], site), rel=NEAR)


def test_every_figure_has_a_cell_worked_by_hand() -> None:
    assert {cell["figure_id"] for cell in WORKED} == set(PUBLISHED)
