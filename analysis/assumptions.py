"""What ``chapters/parameters.yml`` declares of every parameter: default, range, and what is plausible, with the reason."""

from __future__ import annotations

import math
import re
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


def require(names: Mapping[str, Any]) -> None:
    """Check what stands in a chapter's first cell, whichever way it came there; ``names`` are all names of the chapter.

    Raises InputError with every plain value that no parameter is called, with the nearest, and every parameter that is of
    another kind or out of its range: whoever runs a chapter by papermill alone is told what ``--set`` would tell.
    """
    given = {name: value for name, value in names.items() if not name.startswith("_") and isinstance(value, PLAIN)}
    found = [problem for name, value in given.items() for problem in _unfit(name, value)]
    if found:
        raise InputError(found)


PLAIN = (bool, int, float, str, type(None))
"""Kinds of values that a parameter may come as; what else a chapter holds is no parameter."""


def _unfit(name: str, value: Any) -> Iterator[Problem]:
    note = declared().get(name)
    if note is None:
        yield Problem("parameters", repr(name), "a parameter of the book", nearest(name, declared()), column=name)
        return
    kind, low, high = type(note["default"]), note.get("minimum", -math.inf), note.get("maximum", math.inf)
    fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    if not fits or (kind is str and not re.fullmatch(note.get("pattern", ".*"), value)):
        yield Problem("parameters", repr(value), f"a value like {note['default']!r}", note["description"], column=name)
    elif kind is not str and not low <= value <= high:
        yield Problem("parameters", repr(value), f"a number from {low:g} to {high:g}", note["description"], column=name)


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
