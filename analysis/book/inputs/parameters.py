"""The parameters of the book: read from ``chapters/parameters.yml``, typed, with ranges; unknown names are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from analysis import door, tables, words
from analysis.assumptions import declared
from analysis.book.inputs import plain_yaml
from analysis.errors import InputError, Problem, nearest
from analysis.tables import cells

__all__ = ["declared", "defaults", "parse", "read", "references", "validated"]


def defaults() -> dict[str, Any]:
    """Every parameter at its default."""
    return {name: note["default"] for name, note in declared().items()}


@cache
def _model() -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, note in declared().items():
        kind = type(note["default"])
        limits: dict[str, Any] = {"ge": note.get("minimum"), "le": note.get("maximum")}
        limits |= {"pattern": _anchored(note.get("pattern")), "allow_inf_nan": False if kind is float else None}
        given = {key: value for key, value in limits.items() if value is not None}
        fields[name] = (Annotated[kind, Field(**given)], note["default"])
    return create_model("Parameters", __config__=ConfigDict(extra="forbid"), **fields)


def _anchored(pattern: str | None) -> str | None:
    return None if pattern is None else f"^(?:{pattern})$"


def _odd_text(name: str, value: Any, file: str) -> Problem | None:
    """Text goes onto every page and into files that spreadsheets open: it is judged like a cell, and so is a number as text."""
    if not isinstance(value, str):
        return None
    if not isinstance(declared()[name]["default"], str):
        odd = not cells.NUMBER.fullmatch(value.strip())
        return _problem({"loc": (name,), "type": "number", "input": value}, file) if odd else None
    todo = cells.unfit(value)
    return Problem(file, repr(value[:80]), cells.PLAIN_TEXT, todo, column=name) if todo else None


def validated(given: Mapping[str, Any], *, file: str = "--set") -> dict[str, Any]:
    """All parameters, ``given`` over the defaults; raises InputError with every problem and the nearest name."""
    switches = [_not_a_switch(name, value, file) for name, value in given.items() if isinstance(value, bool)]
    rest = {name: value for name, value in given.items() if not isinstance(value, bool)}
    try:
        values = _model()(**rest).model_dump()
    except ValidationError as error:
        raise InputError([*switches, *(_problem(dict(found), file) for found in error.errors())]) from None
    texts = (_odd_text(name, value, file) for name, value in rest.items())
    wrong = [
        *switches,
        *filter(None, texts),
        *(_no_day(name, values[name], file) for name in values if _is_no_day(name, values[name])),
    ]
    if wrong:
        raise InputError(wrong)
    return values


def _is_no_day(name: str, value: Any) -> bool:
    try:
        return name.endswith("_date") and not date.fromisoformat(value)
    except ValueError:
        return True


def _no_day(name: str, value: Any, file: str) -> Problem:
    return Problem(file=file, column=name, found=repr(value), expected="a day of the calendar, as 2026-11-22")


def _not_a_switch(name: str, value: bool, file: str) -> Problem:
    todo = "YAML reads yes, no, on and off without quotation marks as true and false."
    expected = "a number or text"
    return Problem(file=file, column=name, found=str(value).lower(), expected=expected, todo=todo)


def _problem(error: dict[str, Any], file: str) -> Problem:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return Problem(
            file=file,
            column=name[:80],
            found=f"parameter {name[:80]!r}",
            expected="a declared parameter",
            todo=nearest(name[:80], declared()),
        )
    note = declared()[name]
    kind = {float: "a number", int: "a whole number", str: "text"}[type(note["default"])]
    span = f" from {note['minimum']} to {note['maximum']}" if "minimum" in note else f" like {note['default']}"
    todo = note["description"]
    if kind == "text" and not isinstance(error["input"], str):
        todo = f"Put it in quotation marks: YAML takes it for something else. {todo}"
    return Problem(file=file, column=name, found=_shown(error["input"]), expected=kind + span, todo=todo)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, (list, dict)):
        return {type(None): "nothing", list: "a list", dict: "a mapping"}[type(value)]
    return repr(value if not isinstance(value, str) else value[:80])[:100]


def references(values: Mapping[str, Any], package: tables.DataPackage) -> list[Problem]:
    """Parameters that name a row of a table which the data does not hold, or which leaves open what the chapters need."""
    found = (_reference(name, note, values[name], package) for name, note in declared().items() if "table" in note)
    return [problem for problem in found if problem]


def _reference(name: str, note: Mapping[str, Any], value: str, package: tables.DataPackage) -> Problem | None:
    raw = package.raw(note["table"])
    rows = raw.set_index(package.resource(note["table"])["schema"]["primaryKey"][0])
    expected = f"an id in {note['table']}.csv"
    if value not in rows.index:
        todo = nearest(value, rows.index)
    elif empty := [column for column in note["filled"] if rows.loc[[value], column].isna().any()]:
        expected += f" whose row has {words.listing(note['filled'])}"
        todo = f"Its row leaves {words.listing(empty)} empty: supply what is published, or name another."
    else:
        return None
    return Problem(file="parameters", column=name, found=repr(value), expected=expected, todo=todo)


def parse(settings: Sequence[str]) -> dict[str, Any]:
    """``name=value`` pairs from the command line; values are read as YAML scalars."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(
                [Problem(file="--set", found=repr(setting), expected="name=value", todo=nearest(name, declared()))]
            )
        found[name.strip()] = _scalar(name.strip(), value.strip())
    return found


def _scalar(name: str, text: str) -> Any:
    if isinstance(declared().get(name, {}).get("default"), str):
        return text
    try:
        return plain_yaml.load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def read(path: Path) -> dict[str, Any]:
    """Parameters from a YAML file, a pipe or standard input; raises InputError where it is no mapping of names to values."""
    return parsed(door.taken(path))


def parsed(given: door.Given, holds: str = "parameter names to values") -> dict[str, Any]:
    """Parameters, or what else a file ``holds``, that has been read; raises InputError where it is no mapping of names to values."""
    wanted = "a readable YAML file"
    try:
        if given.refused:
            raise given.refused
        found = plain_yaml.load(given.content.decode("utf-8-sig"))
    except door.Refused as error:
        raise InputError([error.problem(given.name)]) from None
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputError(
            [Problem(file=given.name, row=row, found=str(error.problem).removeprefix("found "), expected=wanted)]
        ) from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError([Problem(file=given.name, found=str(error).splitlines()[0], expected=wanted)]) from None
    if not isinstance(found, dict):
        kind = "nothing" if found is None else type(found).__name__
        raise InputError([Problem(file=given.name, found=kind, expected=f"a mapping of {holds}")])
    return {str(name): value for name, value in found.items()}
