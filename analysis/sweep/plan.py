"""The editions that are asked for: a grid, a list, random draws, each on every data folder.  Nothing begins before all is judged."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis import door, tables
from analysis.assumptions import declared
from analysis.book.inputs import parameters, plain_yaml
from analysis.claims.robustness import SEED
from analysis.errors import InputError, Problem, nearest
from analysis.subjects import SUBJECTS, numbers
from analysis.sweep import cells as uncertain
from analysis.sweep import reading, spreads
from analysis.sweep.cells import Cell
from analysis.sweep.reading import Said
from analysis.sweep.spreads import Spread
from analysis.tables import checks, overlay

KEYS = ("set", "grid", "list", "draws", "data", "numbers")
DRAWS = ("count", "seed", "parameters", "cells")
BOOK = "book"
"""In the list of data folders: the book's own tables."""
MOST_EDITIONS = 100_000
MOST_FOLDERS = 1_000
"""Each is checked before anything begins, for a second or two."""
MOST_WANTED = 1_000
"""Ids of numbers: beyond, whole chapters are asked for."""
Setting = tuple[dict[str, Any], tuple[float, ...]]
"""Parameters that differ from the defaults or are named, and values of the uncertain cells; no values where none is drawn."""


@dataclass(frozen=True)
class Edition:
    """One setting on one data folder."""

    name: str
    parameters: Mapping[str, Any]
    data: str
    cells: Mapping[str, float]


@dataclass
class Plan:
    """What was asked for, as far as the text says it."""

    said: Said
    folder: Path = Path()
    fixed: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0
    seed: int = SEED
    spreads: dict[str, Spread] = field(default_factory=dict)
    cells_said: Any = None
    cells: list[Cell] = field(default_factory=list)
    data: list[str] = field(default_factory=lambda: [BOOK])
    wanted: list[str] = field(default_factory=list)
    wanted_at: str = ""
    """The option that said which numbers are wanted; empty where the plan does."""

    def wrong_wanted(self, position: int, found: str, todo: str) -> None:
        """Note an id that is that of no number, where it was said."""
        expected = "the id of a number or a claim"
        if self.wanted_at:
            self.said.problems.append(Problem(self.wanted_at, found, expected, todo))
        else:
            self.said.wrong(("numbers", position), found, expected, todo)

    def require_sound(self) -> None:
        """Raise InputError with every problem found so far."""
        if self.said.problems:
            raise InputError(self.said.problems)

    def settings(self) -> list[Setting]:
        """Every setting in the order of the plan, each once: the grid, the list, the draws."""
        grid = [dict(zip(self.grid, point, strict=True)) for point in itertools.product(*self.grid.values())]
        plain: list[Setting] = [(one, ()) for one in (grid if self.grid else []) + self.listed]
        found = [*plain, *self._drawn()] or [({}, ())]
        each = [({**self.fixed, **given}, drawn) for given, drawn in found]
        return list({json.dumps(one, sort_keys=True): one for one in each}.values())

    def _drawn(self) -> list[Setting]:
        names = [*self.spreads, *(cell.name for cell in self.cells)]
        spread = [*self.spreads.values(), *(cell.spread for cell in self.cells)]
        columns = [
            spreads.drawn(name, one, self.count, self.seed).tolist() for name, one in zip(names, spread, strict=True)
        ]
        rows = zip(*columns, strict=True)
        n_parameter = len(self.spreads)
        return [
            (
                {name: reading.number(name, value) for name, value in zip(self.spreads, row, strict=False)},
                tuple(row[n_parameter:]),
            )
            for row in rows
        ]

    def editions(self) -> list[Edition]:
        """Every edition, named for what it holds: the same setting has the same name in every plan."""
        found = []
        for data, (given, drawn) in itertools.product(self.data, self.settings()):
            cells = dict(zip((cell.name for cell in self.cells), drawn, strict=True)) if drawn else {}
            text = json.dumps([parameters.validated(given), data, cells], sort_keys=True)
            found.append(Edition(hashlib.sha256(text.encode()).hexdigest()[:12], given, data, cells))
        return found

    def varied(self) -> list[str]:
        """The parameters that have more than one value in it, in the order in which the book declares them."""
        settings = [parameters.validated(given) for given, _ in self.settings()]
        return [name for name in declared() if len({repr(one[name]) for one in settings}) > 1]

    def place(self, data: str) -> Path | None:
        """The data folder that an entry means, which is named from where the plan lies; None for the book's own."""
        return None if data == BOOK else self.folder / data


def asked(file: Path | None, settings: Sequence[str], wanted: str | None, data: Path | None) -> Plan:
    """The plan of a command line: a file's, or that of its settings; raises InputError where it is both or neither."""
    if (file is None) != bool(settings):
        found = "both" if file else "neither"
        raise InputError([Problem("sweep", found, "a plan as a file, or --set for what varies")])
    if file is None:
        return of_settings(settings, wanted, data)
    if data is not None:
        raise InputError(
            [Problem("--data", str(data), "data folders in the plan", f"Name it in {file}: data: [{data}]")]
        )
    plan = of_file(door.taken(file), file.parent)
    _want(plan, wanted)
    plan.require_sound()
    return plan


def _want(plan: Plan, wanted: str | None) -> None:
    """Take the numbers of the command line, where it has any."""
    if wanted is None:
        return
    plan.wanted, plan.wanted_at = [key.strip() for key in wanted.split(",") if key.strip()], "--numbers"
    if not plan.wanted:
        todo = "As index-needed-fp16,storage_io; without the option every one is computed."
        plan.said.problems.append(Problem(plan.wanted_at, "nothing", "ids of numbers or claims, or chapters", todo))


def of_file(given: door.Given, folder: Path) -> Plan:
    """The plan that a file holds; raises InputError with every problem."""
    content = parameters.parsed(given, f"{', '.join(KEYS)} to what each asks for")
    said = Said(given.name, plain_yaml.lines(given.content.decode("utf-8-sig")))
    plan = Plan(said, folder)
    said.known((), content, KEYS)
    takers = {
        "set": _take_fixed, "grid": _take_grid, "list": _take_list, "draws": _take_draws, "data": _take_data, "numbers": _take_wanted,
    }  # fmt: skip
    for name, take in takers.items():
        if name in content:
            take(plan, content[name])
    if not content:
        said.wrong((), content, f"one of {', '.join(KEYS)}")
    for name in set(plan.fixed) & {*plan.grid, *plan.spreads}:
        said.wrong(("set", name), f"{name}, which varies too", "each parameter in one place")
    for name in set(plan.grid) & set(plan.spreads):
        said.wrong(("grid", name), f"{name}, which is drawn too", "each parameter in one place")
    plan.require_sound()
    return plan


def of_settings(settings: Sequence[str], wanted: str | None, data: Path | None) -> Plan:
    """The plan of a command line: ``name=200,250`` or ``name=1.33:2.5:8`` for each parameter; raises InputError."""
    plan = Plan(Said("--set"))
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name.strip() not in declared():
            todo = nearest(name.strip(), declared()) if name.strip() else EXAMPLE
            plan.said.wrong((), setting, "name=value,value or name=low:high:count of a declared parameter", todo)
            continue
        given = text if text.count(":") == 2 and "," not in text else [*map(str.strip, text.split(","))]
        if name.strip() in plan.grid:
            plan.said.wrong((), setting, "each parameter once")
        plan.grid[name.strip()] = reading.points(plan.said, (name.strip(),), name.strip(), given)
    _want(plan, wanted)
    if data is not None:
        plan.data = [str(data)]
    plan.require_sound()
    return plan


EXAMPLE = "As reading_speed_word_per_min=200,250,300."


def _take_fixed(plan: Plan, given: Any) -> None:
    plan.fixed = reading.settings(plan.said, ("set",), given)


def _take_grid(plan: Plan, given: Any) -> None:
    sides = plan.said.take(("grid",), given, dict, "a mapping of parameters to lists of values")
    plan.grid = {name: reading.points(plan.said, ("grid", name), name, values) for name, values in sides.items()}
    if not sides:
        plan.said.wrong(("grid",), given, "at least one parameter with its values")


def _take_list(plan: Plan, given: Any) -> None:
    entries = plan.said.take(("list",), given, list, "a list of settings")
    plan.listed = [reading.settings(plan.said, ("list", position), one) for position, one in enumerate(entries)]
    if not entries:
        plan.said.wrong(("list",), given, "at least one setting")


def _take_draws(plan: Plan, given: Any) -> None:
    said, path = plan.said, ("draws",)
    draws = said.take(path, given, dict, "a mapping with count, seed, parameters, cells")
    said.known(path, draws, DRAWS)
    plan.count = said.take((*path, "count"), draws.get("count"), int, "how many draws, as a whole number")
    plan.seed = said.take((*path, "seed"), draws.get("seed", SEED), int, "a whole number")
    if not 1 <= plan.count <= MOST_EDITIONS and isinstance(draws.get("count"), int):
        said.wrong((*path, "count"), plan.count, f"1 to {MOST_EDITIONS:,}")
    if plan.seed < 0:
        said.wrong((*path, "seed"), plan.seed, "a whole number from 0")
    named = said.take((*path, "parameters"), draws.get("parameters", {}), dict, "a mapping of parameters to ranges")
    for name, range_ in named.items():
        if found := reading.spread(said, (*path, "parameters", name), name, range_):
            plan.spreads[name] = found
    plan.cells_said = draws.get("cells")
    if not named and not plan.cells_said:
        said.wrong(path, "neither parameters nor cells", "something to draw")


def _take_data(plan: Plan, given: Any) -> None:
    plan.data = plan.said.take(("data",), given, list, f"a list of data folders; {BOOK} for the book's own tables")
    if len(plan.data) > MOST_FOLDERS:
        plan.said.wrong(
            ("data",), f"{len(plan.data):,} folders", f"at most {MOST_FOLDERS}", "Make several sweeps of it."
        )
        return
    for position, name in enumerate(plan.data):
        if plan.said.take(("data", position), name, str, "the name of a folder") == "":
            plan.said.wrong(("data", position), name, f"the name of a folder, or {BOOK} for the book's own tables")
        if _same(name) in map(_same, plan.data[:position]):
            plan.said.wrong(("data", position), name, "each folder once")
    if not plan.data:
        plan.said.wrong(("data",), given, "at least one data folder")


def _same(name: Any) -> str:
    """What two names of one folder share; the word for the book's own tables is no folder."""
    return BOOK if name == BOOK else os.path.join(".", os.path.normpath(str(name)))


def _take_wanted(plan: Plan, given: Any) -> None:
    plan.wanted = plan.said.take(("numbers",), given, list, "a list of ids of numbers and claims, or of whole parts")
    for position, name in enumerate(plan.wanted):
        plan.said.take(("numbers", position), name, str, "the id of a number or a claim")


def judged(plan: Plan, folder: Path) -> dict[str, Path]:
    """Lay each data folder over the book's tables and judge all that the plan asks of them; data folder → merged tables.

    Raises InputError with every problem: in the data, in parameters that name rows, in cells, ids, and in how many editions it makes.
    """
    merged = {}
    for position, data in enumerate(plan.data):
        try:
            merged[data] = overlay.merged(plan.place(data), folder / f"{position}")
            checks.require(merged[data])
        except InputError as error:
            plan.said.problems += error.problems
    plan.require_sound()
    packages = [tables.DataPackage(place) for place in merged.values()]
    if plan.cells_said is not None:
        plan.cells = uncertain.read(plan.said, ("draws", "cells"), plan.cells_said, packages)
    _judge_references(plan, packages)
    _judge_wanted(plan, packages[0])
    plan.require_sound()
    _judge_count(plan)
    plan.require_sound()
    return merged


def _judge_references(plan: Plan, packages: Sequence[tables.DataPackage]) -> None:
    """Note the values of parameters that name no row of a table, or one that lacks what the chapters need."""
    for name in (name for name, note in declared().items() if "table" in note):
        values: list[tuple[plain_yaml.Path, Any]] = [(("set", name), plan.fixed[name])] if name in plan.fixed else []
        values += [(("grid", name, at), value) for at, value in enumerate(plan.grid.get(name, []))]
        values += [(("list", at, name), one[name]) for at, one in enumerate(plan.listed) if name in one]
        for (path, value), package in itertools.product(values, packages):
            for problem in parameters.references(parameters.validated({name: value}), package):
                if problem.column == name:
                    plan.said.wrong(path, problem.found, problem.expected, problem.todo)


def _judge_wanted(plan: Plan, package: tables.DataPackage) -> None:
    if len(plan.wanted) > MOST_WANTED:
        plan.wrong_wanted(0, f"{len(plan.wanted):,} ids", f"Ask for at most {MOST_WANTED:,}, or for whole chapters.")
        return
    claims = list(package.table("claims")["claim_id"])
    known = [*claims, *numbers.PARTS, *(name.replace("_", "-") + "-" for name in SUBJECTS)]
    for position, key in enumerate(plan.wanted):
        if not numbers.part_of(key, package):
            plan.wrong_wanted(position, f"id {key!r}", nearest(key, known))


def _judge_count(plan: Plan) -> None:
    count = len(plan.listed) + plan.count
    points = 1
    for values in plan.grid.values():
        points *= len(values)
    count = (count + (points if plan.grid else 0)) * len(plan.data)
    if count > MOST_EDITIONS:
        plan.said.wrong((), f"{count:,} editions", f"at most {MOST_EDITIONS:,}", "Draw from the ranges instead: draws.")
