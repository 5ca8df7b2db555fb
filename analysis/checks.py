"""What is wrong with a data folder: file, row, column, what was found, what was expected, what to do; all of it in one go.

Frictionless checks each table against its schema; the rules across rows and tables are here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import tables
from analysis.errors import InputError, Problem, nearest

BANDWIDTH_TOLERANCE = 0.02
RULES_EDITION = 1
"""Raise it when the way a table is checked changes: what was found sound before is then read again."""
ACTIVE_TODO = "A spreadsheet or a browser could run it: remove the leading = + - @, the tag or the javascript: address."
ACTIVE_CONTENT = r"^\s*[=+@]|<\s*script|javascript:|^\s*-\D"


def problems(folder: Path) -> list[Problem]:
    """Every problem of the data package in ``folder``; an empty list means it can be built with."""
    try:
        package = tables.DataPackage(folder)
        found = [problem for name in package.names for problem in _schema_problems(package, name)]
    except (OSError, ValueError, KeyError) as error:
        return [
            Problem(
                file=str(folder / "datapackage.json"), found=str(error), expected="a readable data package descriptor"
            )
        ]
    if found:
        return found
    return [problem for rule in RULES for problem in rule(package)]


def require(folder: Path) -> None:
    """Raise InputError with every problem of the folder, if there is any."""
    found = [problem for problem in problems(folder) if problem.level == "error"]
    if found:
        raise InputError(found)


def _schema_problems(package: tables.DataPackage, name: str) -> Iterator[Problem]:
    resource = package.resource(name)
    path = package.folder / resource["path"]
    if not path.is_file():
        yield Problem(file=path.name, found="no such file", expected=f"the table {name!r}", todo="Restore the file.")
        return
    schema = {key: value for key, value in resource["schema"].items() if key != "foreignKeys"}
    mark = _mark(path, schema)
    if mark.exists():
        return
    found = list(_frictionless_problems(path, schema))
    yield from found
    if not found:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _mark(path: Path, schema: dict[str, Any]) -> Path:
    """A file that exists once this very content was found sound under this very schema: it need not be read again."""
    content = json.dumps([RULES_EDITION, schema]).encode() + path.read_bytes()
    return tables.REPOSITORY / "_build" / "cache" / "sound" / hashlib.sha256(content).hexdigest()


def _frictionless_problems(path: Path, schema: dict[str, Any]) -> Iterator[Problem]:
    from frictionless import Dialect, Resource, Schema
    from frictionless.formats import CsvControl

    checked = Resource(
        path=path.name, basepath=str(path.parent), schema=Schema.from_descriptor(schema), encoding="utf-8", format="csv",
        scheme="file", dialect=Dialect(controls=[CsvControl()]),
    )  # fmt: skip
    report = checked.validate(limit_errors=200)
    for task in report.tasks:
        for error in task.errors:
            yield _problem(path.name, schema, error.to_descriptor())


def _problem(file: str, schema: dict[str, Any], error: dict[str, Any]) -> Problem:
    column = error.get("fieldName") or error.get("label")
    field = next((field for field in schema["fields"] if field["name"] == column), None)
    names = [field["name"] for field in schema["fields"]]
    row = error.get("rowNumber")
    if field is None or "cell" not in error:
        hint = nearest(str(column), names) if column else ""
        return Problem(
            file=file,
            row=row,
            column=column,
            found=error.get("note") or error["message"],
            expected="the columns " + ", ".join(names),
            todo=hint,
        )
    cell = error["cell"]
    found = "nothing" if cell in ("", None) else repr(str(cell)[:80])
    hint = (
        nearest(str(cell), field["constraints"]["enum"])
        if cell and "enum" in field.get("constraints", {})
        else error.get("note", "")
    )
    return Problem(file=file, row=row, column=column, found=found, expected=expected(field), todo=hint)


def expected(field: dict[str, Any]) -> str:
    """What a cell of this column may hold, in words."""
    limits = field.get("constraints", {})
    kind = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false"}[
        field["type"]
    ]
    if "enum" in limits:
        kind = "one of " + ", ".join(str(value) for value in limits["enum"])
    if "minimum" in limits or "maximum" in limits:
        kind += f" from {limits.get('minimum', '−∞')} to {limits.get('maximum', '∞')}"
    if field.get("unit"):
        kind += f" in {field['unit']}"
    if "pattern" in limits:
        kind += f" that matches {limits['pattern']}"
    return (
        kind
        + ("" if limits.get("required") else ", or nothing")
        + (", each value once" if limits.get("unique") else "")
    )


def _unknown_keys(package: tables.DataPackage) -> Iterator[Problem]:
    for name in package.names:
        for key in package.resource(name)["schema"].get("foreignKeys", []):
            column, target = key["fields"][0], key["reference"]
            known = set(package.raw(target["resource"])[target["fields"][0]])
            cells = package.raw(name)[column]
            for index, cell in cells[(cells != "") & ~cells.isin(known)].items():
                expected_key = f"an id in {target['resource']}.csv"
                todo = f"Add the row there first. {nearest(str(cell), known)}"
                yield Problem(
                    file=f"{name}.csv",
                    row=_line(index),
                    column=column,
                    found=repr(cell),
                    expected=expected_key,
                    todo=todo,
                )


def _line(index: Any) -> int:
    return int(index) + 2  # the header is line 1


def _bandwidth(package: tables.DataPackage) -> Iterator[Problem]:
    devices = package.raw("devices")
    computed = devices["memory_data_rate_mtransfer_per_s"] * devices["memory_bus_width_bit"] / 8 / 1000
    column = "memory_bandwidth_gbyte_per_s"
    wrong = (devices[column] / computed - 1).abs() > BANDWIDTH_TOLERANCE
    for index in devices.index[wrong]:
        yield Problem(
            file="devices.csv", row=_line(index), column=column, found=f"{float(str(devices.at[index, column])):g}",
            expected=f"data rate × bus width / 8 = {computed[index]:.4g} GB/s within {BANDWIDTH_TOLERANCE:.0%}",
            todo="Check all three cells: MHz is not MT/s, Gb is not GB.",
        )  # fmt: skip


def _one_kept(package: tables.DataPackage) -> Iterator[Problem]:
    stated = package.raw("disagreements")
    kept = stated.groupby("disagreement_id")["kept"].sum()
    for name, count in kept[kept != 1].items():
        yield Problem(
            file="disagreements.csv", column="kept", found=f"{count} kept values for {name!r}", expected="exactly one",
            todo="Mark the value the table holds, and say why in `reason`.",
        )  # fmt: skip


def _active_content(package: tables.DataPackage) -> Iterator[Problem]:
    for name in package.names:
        table = package.raw(name)
        for column in table.columns:
            if not (pd.api.types.is_object_dtype(table[column]) or pd.api.types.is_string_dtype(table[column])):
                continue
            bad = table[column].astype(str).str.contains(ACTIVE_CONTENT, case=False, regex=True)
            for index in table.index[bad]:
                yield Problem(
                    file=f"{name}.csv", row=_line(index), column=column, found=repr(str(table.at[index, column])[:60]),
                    expected="plain text", todo=ACTIVE_TODO,
                )  # fmt: skip


RULES = (_unknown_keys, _bandwidth, _one_kept, _active_content)
"""Rules across rows and tables, each a function of the package."""
