"""What is wrong with a data folder: file, row, column, what was found, what was expected, what to do; all of it in one go.

``cells`` judges each table by itself, ``rules`` judges across rows and tables, ``likely`` asks.  Where rows were supplied for a run
(``overlay``), a problem is reported where they stand in the file that supplied them.
"""

from __future__ import annotations

import calendar
import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from analysis import tables
from analysis.door import sheets
from analysis.errors import InputError, Problem
from analysis.tables import cells, likely, model_shapes, needed, overlay, rules

KEPT = 64
"""Tables whose judgement is kept: all of the book's, and those supplied for a run, which are judged before and in a build."""
MOST_IN_A_COLUMN = 20
"""Problems told of one column; the rest are counted: a column with the wrong separator has one cause, not 3000."""


def problems(folder: Path) -> list[Problem]:
    """Every problem of the data package in ``folder``; an empty list means it can be built with."""
    supplied = overlay.supplied(folder)
    try:
        package = tables.DataPackage(folder)
        resources = {name: package.resource(name) for name in package.names}
        schemas = {name: resource["schema"] for name, resource in resources.items()}
    except (OSError, ValueError, KeyError) as error:
        return [Problem(file=str(folder / "datapackage.json"), found=str(error), expected="a readable descriptor")]
    judged = {name: _judged(name, _content(folder / f"{name}.csv"), json.dumps(schemas[name])) for name in schemas}
    found = [problem for _, of_table in judged.values() for problem in of_table]
    told = {_place(problem) for problem in found}
    wanted = {name: needed.Needed(**resource.get("needed", {})) for name, resource in resources.items()}
    data = rules.Data({name: texts for name, (texts, _) in judged.items()}, schemas, supplied, wanted)
    for rule in (*rules.RULES, model_shapes.problems, *likely.RULES):
        with suppress(KeyError):  # a column the rule needs is missing, which has been said
            found += _later(list(rule(data)), told, {_place(problem) for problem in found})
    return _few(
        [*supplied.problems, *(supplied.relocated(problem) for problem in found if not supplied.is_told(problem))]
    )


def _place(problem: Problem) -> tuple[object, ...]:
    return problem.file, problem.row, problem.column


def _later(problems: list[Problem], told: set[tuple[object, ...]], asked: set[tuple[object, ...]]) -> list[Problem]:
    """Without those at a cell that is wrong by itself, and the questions about one of which a rule has spoken."""
    told_to = {"error": told, "warning": asked}
    return [problem for problem in problems if _place(problem) not in told_to[problem.level]]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


@lru_cache(maxsize=KEPT)
def _judged(name: str, content: bytes | None, schema: str) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """The cells of one table and what is wrong with them; the same content is judged once."""
    sheet = sheets.from_bytes(content, sheets.Sheet(name, f"{name}.csv"))
    return rules.texts(sheet), tuple(cells.problems(sheet, json.loads(schema)))


def _few(found: list[Problem]) -> list[Problem]:
    """The problems, errors first, but of one column and level the first twenty and how many more: they have one cause."""
    columns: dict[tuple[str, str | None, str], list[Problem]] = {}
    for problem in sorted(_alike_once(found), key=lambda problem: problem.level != "error"):
        columns.setdefault((problem.file, problem.column, problem.level), []).append(problem)
    few = []
    for (file, column, level), of_column in columns.items():
        few += of_column[:MOST_IN_A_COLUMN]
        if (rest := len(of_column) - MOST_IN_A_COLUMN) > 0:
            said, todo = f"{rest} more problems like these", "They are probably of one kind."
            few.append(Problem(file, said, of_column[0].expected, todo, column=column, level=level))
    return few


MOST_ALIKE = 3
"""The same question at more cells of a column is asked once, and the first row speaks for the others."""


def _alike_once(found: list[Problem]) -> list[Problem]:
    alike: dict[Problem, list[Problem]] = {}
    for problem in found:
        alike.setdefault(replace(problem, row=None) if problem.level != "error" else problem, []).append(problem)
    once = [
        [replace(same[0], found=f"{same[0].found}, here and in {len(same) - 1} more rows")]
        if len(same) > MOST_ALIKE
        else same
        for same in alike.values()
    ]
    return [problem for same in once for problem in same]


MOST_DAYS = {"models": 60, "devices": 90}
"""Table → days before an edition by which its newest row has come out; later nobody calls the edition today's."""
MOST_NAMED = 3


def staleness(folder: Path, edition_date: str) -> list[Problem]:
    """A warning for each table whose newest row is too old for an edition of this date, with the names of its newest rows.

    A month counts as its last day; a row that gives a year alone says nothing.
    """
    package, day, found = tables.DataPackage(folder), date.fromisoformat(edition_date), []
    for name, most in MOST_DAYS.items():
        rows = package.raw(name)
        rows = rows.assign(day=rows["release_date"].map(_last_day)).dropna(subset=["day"])
        newest = max(rows["day"], default=date.min)
        if (day - newest).days > most:
            latest = rows[rows["day"] == newest]
            named = [f"{row['name']} ({row['release_date']})" for row in latest.head(MOST_NAMED).to_dict("records")]
            wanted = f"a row of the {most} days before the edition's date, {edition_date}"
            todo = "Add what has come out since: data, not code, makes an edition young."
            found.append(
                Problem(
                    f"{name}.csv",
                    f"{', '.join(named) or 'nothing'} as newest",
                    wanted,
                    todo,
                    column="release_date",
                    level="warning",
                )
            )
    return found


def _last_day(cell: str) -> date | None:
    """The day of a date, the last one of a month; None of a year alone."""
    year, *rest = (int(part) for part in cell.split("-"))
    if not rest:
        return None
    return date(year, rest[0], rest[1] if rest[1:] else calendar.monthrange(year, rest[0])[1])


def require(folder: Path) -> None:
    """Raise InputError with every problem of the folder, if there is any."""
    found = [problem for problem in problems(folder) if problem.level == "error"]
    if found:
        raise InputError(found)
