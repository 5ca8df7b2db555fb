"""What a plan says, judged part by part: every problem with file, line, what was found and what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis import words
from analysis.assumptions import declared, plausible
from analysis.book.inputs import parameters
from analysis.book.inputs.plain_yaml import Path
from analysis.errors import InputError, Problem, nearest
from analysis.sweep.spreads import KINDS, Spread

MOST_POINTS = 100_000
POINTS = ("low", "high", "count")


@dataclass
class Said:
    """A plan as it was written: its file, where its parts stand, and what is wrong with them."""

    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, found: object, expected: str, todo: str = "") -> None:
        """Note one problem at a part of the plan."""
        row = next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), None)
        column = ".".join(str(part) for part in path if isinstance(part, str)) or None
        problem = Problem(self.file, _shown(found), expected, todo, row=row, column=column)
        if problem not in self.problems:  # the same value, tried on several data folders
            self.problems.append(problem)

    def take(self, path: Path, value: Any, kind: type, expected: str) -> Any:
        """The value where it is of its kind; an empty one of that kind, and a problem, where it is not."""
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self.wrong(path, value, expected)
        return kind()

    def known(self, path: Path, given: Mapping[str, Any], names: Sequence[str]) -> None:
        """Note the names that are none of those expected."""
        for name in given:
            if name not in names:
                self.wrong((*path, name), f"key {str(name)!r}", f"one of {', '.join(names)}", nearest(str(name), names))


def _shown(value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return "nothing"
    if isinstance(value, (list, dict)):
        kind = "a list" if isinstance(value, list) else "a mapping"
        return kind if value else f"{kind} without entries"
    return str(value)[:120] if isinstance(value, str) else repr(value)


def setting(said: Said, path: Path, name: Any, value: Any) -> Any:
    """One value of a parameter, of its type and within its range."""
    if not isinstance(name, str):  # YAML reads 1: and yes: as what they are
        said.wrong(path, f"parameter {name!r}", "the name of a parameter", nearest(str(name), declared()))
        return None
    try:
        return parameters.validated({name: value}, file=said.file)[name]
    except InputError as error:
        for problem in error.problems:
            said.wrong(path, problem.found, problem.expected, problem.todo)
        return None


def settings(said: Said, path: Path, given: Any) -> dict[str, Any]:
    """A mapping of parameters to one value each."""
    found = said.take(path, given, dict, "a mapping of parameters to values")
    return {name: setting(said, (*path, name), name, value) for name, value in found.items()}


def points(said: Said, path: Path, name: str, given: Any) -> list[Any]:
    """The values of a parameter along its side of a grid: a list, or ``low:high:count`` for evenly spaced ones."""
    if isinstance(given, str) and given.count(":") == len(POINTS) - 1 and name in declared():
        given = _spaced(said, path, name, given)
    elif not isinstance(given, list):
        given = [given]
    if not given:
        said.wrong(path, given, "at least one value")
    if name not in declared():
        given = given[:1]  # what is wrong is the name, whatever its values
    found = [setting(said, (*path, position), name, value) for position, value in enumerate(given)]
    if len(set(map(repr, found))) < len(found) and None not in found:
        said.wrong(path, f"{len(found)} values, some of them twice", "each value once")
    return found


def _spaced(said: Said, path: Path, name: str, given: str) -> list[Any]:
    parts = given.split(":")
    try:
        low, high, count = float(parts[0]), float(parts[1]), int(parts[2])
    except ValueError:
        said.wrong(path, given, "low:high:count, as 1.33:2.5:8")
        return []
    if isinstance(declared()[name]["default"], str) or not 2 <= count <= MOST_POINTS or not low < high:
        said.wrong(path, given, f"low below high, and 2 to {MOST_POINTS:,} points of a parameter that is a number")
        return []
    return [number(name, value) for value in np.linspace(low, high, count)]


def number(name: str, value: float) -> float | int:
    """A value as the parameter has it: whole where it counts, else at six significant digits."""
    short = words.significant(float(value))
    return round(short) if isinstance(declared()[name]["default"], int) else short


def spread(said: Said, path: Path, name: str, given: Any) -> Spread | None:
    """How a parameter is spread: ``plausible``, two numbers, or a distribution by its name."""
    note = declared().get(name)
    if note is None:
        said.wrong(path, f"parameter {name!r}", "a declared parameter", nearest(name, declared()))
        return None
    if "minimum" not in note:
        said.wrong(path, f"{name}, which is text", "a parameter that is a number", "Text goes into grid or list.")
        return None
    if given == "plausible" and name not in plausible():
        said.wrong(path, given, "two numbers or a distribution", "No plausible range is declared for it.")
        return None
    given = list(plausible()[name]) if given == "plausible" else given
    return distribution(said, path, given, (float(note["minimum"]), float(note["maximum"])))


def distribution(said: Said, path: Path, given: Any, within: tuple[float, float]) -> Spread | None:
    """A distribution within a range: two numbers for a uniform one, or a mapping with its name and its numbers."""
    if isinstance(given, list) and len(given) == len(KINDS["uniform"]):
        given = {"distribution": "uniform", **dict(zip(KINDS["uniform"], given, strict=True))}
    if not isinstance(given, dict) or given.get("distribution") not in KINDS:
        shown = given.get("distribution") if isinstance(given, dict) else given
        todo = (
            nearest(shown, KINDS)
            if isinstance(shown, str)
            else "As [175, 300], or {distribution: uniform, low: 175, high: 300}."
        )
        said.wrong(path, shown, f"two numbers, plausible, or a distribution: {', '.join(KINDS)}", todo)
        return None
    kind = given["distribution"]
    said.known(path, given, ("distribution", *KINDS[kind]))
    numbers = {name: given.get(name) for name in KINDS[kind]}
    if odd := [
        name for name, value in numbers.items() if isinstance(value, bool) or not isinstance(value, (int, float))
    ]:
        said.wrong((*path, odd[0]), numbers[odd[0]], f"a number for {odd[0]}")
        return None
    made = Spread(kind, {name: float(value) for name, value in numbers.items()}, within)  # type: ignore[arg-type]
    if why := made.why_not():
        said.wrong(path, ", ".join(f"{name} {value:g}" for name, value in made.numbers.items()), why)
    return made
