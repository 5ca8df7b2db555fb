"""What ``chapters/parameters.yml`` declares of every parameter: default, range, and what is plausible, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analysis import tables
from analysis.errors import InputError, Problem, nearest

FILE = tables.REPOSITORY / "chapters" / "parameters.yml"
KEYS = (
    "default", "minimum", "maximum", "pattern", "table", "filled", "description",
    "plausible", "plausible_reason", "plausible_source",
)  # fmt: skip
Range = tuple[float, float]


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Name → what the file declares of it; raises InputError where that is not sound."""
    return read(FILE)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read a file of declared parameters.

    Raises InputError with every key that is not known, and every plausible range that is none, lies outside of what is
    accepted, leaves out the default, or comes without a reason.
    """
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems = [problem for name, note in found.items() for problem in _problems(path.name, name, note)]
    if problems:
        raise InputError(problems)
    return found


def plausible() -> dict[str, Range]:
    """Name → lowest and highest plausible value, in the parameter's own unit, of those that declare it."""
    return {
        name: (float(note["plausible"][0]), float(note["plausible"][1]))
        for name, note in declared().items()
        if "plausible" in note
    }


def _problems(file: str, name: str, note: Mapping[str, Any]) -> Iterator[Problem]:
    for key in note:
        if key not in KEYS:
            yield Problem(file, f"key {key!r} of {name}", f"one of {', '.join(KEYS)}", nearest(key, KEYS))
    if "plausible" in note:
        yield from _implausible(file, name, note)
    elif extra := [key for key in note if str(key).startswith("plausible_")]:
        yield Problem(file, f"{extra[0]} of {name} without a range", "plausible: [lowest, highest]", column=name)


def _implausible(file: str, name: str, note: Mapping[str, Any]) -> Iterator[Problem]:
    given = note["plausible"]
    pair = isinstance(given, list) and len(given) == len(("low", "high"))
    if not pair or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in given):
        yield Problem(file, f"plausible {given!r}", "two numbers, the lowest and the highest", column=name)
        return
    low, high = given
    if not note["minimum"] <= low <= note["default"] <= high <= note["maximum"] or low == high:
        accepted = f"a range that holds {note['default']}, within {note['minimum']} to {note['maximum']}"
        yield Problem(file, f"plausible {given!r}", accepted, column=name)
    if not str(note.get("plausible_reason", "")).strip():
        yield Problem(file, "a plausible range without plausible_reason", "why it reaches so far", column=name)
