"""What a build is given, judged as a whole before anything runs: data, parameters, title; every problem in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis import door, tables
from analysis.book.inputs import parameters
from analysis.book.store import cache, freshness
from analysis.errors import InputError, Problem
from analysis.tables import checks, overlay


@dataclass
class Intake:
    """The parameters as given, what the supplied files change, and every problem found."""

    given: dict[str, Any] = field(default_factory=dict)
    changes: list[overlay.Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that prevent a build."""
        return [problem for problem in self.problems if problem.level == "error"]

    def verdict(self) -> str:
        """What a check ends with where nothing is wrong: that, and how many questions there are."""
        n_asked = len(self.problems)
        asked = f" {n_asked} {'thing is' if n_asked == 1 else 'things are'} asked about." if n_asked else ""
        return f"The data is sound.{asked}"

    def remarks(self) -> list[str]:
        """What to tell whoever builds although nothing is wrong: what the files changed, and warnings."""
        return [*map(str, self.changes), *(str(problem) for problem in self.problems if problem.level != "error")]


def judged(
    data: Path | None, settings: Sequence[str] = (), params: door.Given | None = None, title: str | None = None,
    *, tables_too: bool = True,
) -> Intake:  # fmt: skip
    """Judge everything; raises nothing for a wrong input.  ``tables_too=False`` leaves the tables to whoever builds with them.

    How old the newest rows are is asked of the book's own data alone.
    """
    found = Intake()
    if params:
        _take(lambda: parameters.parsed(params), params.name, found)
    _take(lambda: parameters.parse(settings), "--set", found)
    if title is not None:
        _take(lambda: {"title": title}, "--title", found)
    values = {} if found.problems else parameters.validated(found.given)
    with TemporaryDirectory() as folder:
        try:
            merged = overlay.merged(data, Path(folder) / "data")
        except InputError as error:
            found.problems.extend(error.problems)
            return found
        found.changes = overlay.supplied(merged).changes
        found.problems += _checked(merged) if tables_too else []
        if values and not found.errors and tables_too and data is None:
            found.problems += checks.staleness(merged, values["edition_date"])
        if values and not found.errors:
            found.problems += parameters.references(values, tables.DataPackage(merged))
    return found


def _checked(data: Path) -> list[Problem]:
    """What is wrong with tables; that nothing is prevented by it is kept, so that the same data need not be checked again."""
    checked = _of_checks(data)  # before: what changes meanwhile has another digest
    found = checks.problems(data)
    if all(problem.level != "error" for problem in found):
        cache.Store("sound").put(checked, b"")
    return found


def _of_checks(data: Path) -> str:
    return " ".join([cache.code_of("analysis.tables.checks"), *map(cache.file_digest, freshness.files(data))])


def require_sound(data: Path) -> None:
    """Check the data, unless the same data was found sound before by the same checks; raises InputError."""
    if cache.Store("sound").get(_of_checks(data)) is None and (
        errors := [problem for problem in _checked(data) if problem.level == "error"]
    ):
        raise InputError(errors)


def _take(ask: Callable[[], Mapping[str, Any]], file: str, found: Intake) -> None:
    """Add what one place gives to what is given, or its problems to the problems."""
    try:
        given = ask()
        parameters.validated(given, file=file)
        found.given.update(given)
    except InputError as error:
        found.problems.extend(error.problems)


def required(
    data: Path | None, settings: Sequence[str] = (), params: door.Given | None = None, title: str | None = None
) -> Intake:
    """Judge everything before a build; raises InputError with every problem, errors first, where there is an error.

    The book's own tables are judged by the build itself, while its workers start.
    """
    found = judged(data, settings, params, title, tables_too=data is not None)
    if found.errors:
        raise InputError(sorted(found.problems, key=lambda problem: problem.level != "error"))
    return found
