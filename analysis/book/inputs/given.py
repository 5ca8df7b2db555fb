"""The parameters a chapter was given, judged by its first cell: plain papermill is as safe as ``memory-wall build --set``.

A build judges them before anything runs, so there the cell has nothing to do, and the chapter does not depend on how that is done.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from analysis import figures
from analysis.assumptions import Parameters, declared
from analysis.errors import InputError, Problem

SHELL = {"In", "Out"}
"""What the shell itself puts beside the names of a notebook."""
PLAIN = (bool, int, float, str, list, tuple, dict, type(None))
"""What papermill can write into a notebook."""


def require(names: Mapping[str, Any]) -> Parameters:
    """The parameters of a chapter, checked before its first chart: every plain value is a parameter, within its range.

    Args:
        names: ``globals()`` of the notebook.

    Raises InputError with every parameter that is misspelt, of another type, out of range, or that names no row of its table.
    """
    if not os.environ.get(figures.BUILDING):
        _judge(names)
    return Parameters(names)


def _judge(names: Mapping[str, Any]) -> None:
    from analysis import tables
    from analysis.book.inputs import parameters

    found = {name: value for name, value in names.items() if isinstance(value, PLAIN)}
    given = {name: value for name, value in found.items() if not name.startswith("_") and name not in SHELL}
    if texts := [_text_for_number(name, value) for name, value in given.items() if _is_text_for_number(name, value)]:
        raise InputError(texts)
    values = parameters.validated(given, file="parameters")
    problems = [problem for problem in parameters.references(values, tables.package()) if problem.column in given]
    if problems:
        raise InputError(problems)


def _is_text_for_number(name: str, value: object) -> bool:
    return isinstance(value, str) and not isinstance(declared().get(name, {}).get("default", ""), str)


def _text_for_number(name: str, value: object) -> Problem:
    """A build turns text into a number, but what the notebook holds stays text."""
    return Problem(
        "parameters",
        f"the text {str(value)[:80]!r}",
        "a number",
        "papermill gives numbers with -p and text with -r.",
        column=name,
    )
