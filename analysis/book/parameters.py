"""The parameters of the book: read from ``chapters/parameters.yml``, typed, with ranges; unknown names are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from analysis import tables
from analysis.errors import InputError, Problem, nearest

FILE = tables.REPOSITORY / "chapters" / "parameters.yml"


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Name → default, range and description, as the file declares them."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


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


def validated(given: Mapping[str, Any], *, file: str = "--set") -> dict[str, Any]:
    """All parameters, ``given`` over the defaults; raises InputError with every problem and the nearest name."""
    try:
        values = _model()(**given).model_dump()
    except ValidationError as error:
        raise InputError([_problem(dict(found), file) for found in error.errors()]) from None
    return values


def _problem(error: dict[str, Any], file: str) -> Problem:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return Problem(
            file=file,
            column=name,
            found=f"parameter {name!r}",
            expected="a declared parameter",
            todo=nearest(name, declared()),
        )
    note = declared()[name]
    kind = {float: "a number", int: "a whole number", str: "text"}[type(note["default"])]
    span = f" from {note['minimum']} to {note['maximum']}" if "minimum" in note else f" like {note['default']}"
    return Problem(file=file, column=name, found=repr(error["input"]), expected=kind + span, todo=note["description"])


def references(values: Mapping[str, Any], package: tables.DataPackage) -> list[Problem]:
    """Parameters that name a row of a table which the data does not hold."""
    problems = []
    for name, note in declared().items():
        if "table" in note:
            key = package.resource(note["table"])["schema"]["primaryKey"][0]
            known = list(package.raw(note["table"])[key])
            if values[name] not in known:
                expected = f"an id in {note['table']}.csv"
                problems.append(
                    Problem(
                        file="parameters",
                        column=name,
                        found=repr(values[name]),
                        expected=expected,
                        todo=nearest(values[name], known),
                    )
                )
    return problems


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
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def read(path: Path) -> dict[str, Any]:
    """Parameters from a YAML file; raises InputError where it is not a mapping of names to values."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(
            [Problem(file=str(path), found=str(error).splitlines()[0], expected="a readable YAML file")]
        ) from None
    if not isinstance(found, dict):
        raise InputError(
            [Problem(file=str(path), found=type(found).__name__, expected="a mapping of parameter names to values")]
        )
    return {str(name): value for name, value in found.items()}
