"""``datapackage.json`` from the hand-written column notes: what a person knows is written, the rest is inferred.

``python -m analysis.tables.descriptor`` rewrites it; a test requires the committed file to be what this writes.
A list of words (``enum``) is closed, with the reason, or open, with what follows for a word that it lacks; ``package.toml``
says it of columns that many tables have.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis import units
from analysis.errors import InputError, Problem

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
CONSTRAINTS = ("required", "unique", "pattern", "minimum", "maximum", "enum")
ASKED = ("alike", "alike_by", "unlike", "mistaken", "clock_by", "sizes", "instead_of", "unset")
"""What ``likely`` and ``rules`` compare a column with."""
SAID = ("states", "states_first_of", "states_from", "caveat")
"""Of a column with a source, the columns that it states, those of which it states the first that is filed, and what besides a database
of some publisher states; of any, what is said wherever its number stands."""
KNOWN = {*CONSTRAINTS, *ASKED, "type", "description", "references", "open", "closed", "spellings", *SAID}
EXAMPLE = {"row", "new", "at", "why"}
"""What a wrong entry says beside its cells: the row of the book it is laid over, whether as a new row, where it is told, why."""


def build(folder: Path) -> dict[str, Any]:
    """The descriptor of the data package in ``folder``, from ``notes/package.toml`` and ``notes/<table>.toml``."""
    about = tomllib.loads((folder / "notes" / "package.toml").read_text(encoding="utf-8"))
    names, closed = about.pop("tables"), about.pop("closed")
    return {"$schema": PROFILE, **about, "resources": [_resource(folder, name, closed) for name in names]}


def _resource(folder: Path, name: str, closed: Mapping[str, str]) -> dict[str, Any]:
    notes = tomllib.loads((folder / "notes" / f"{name}.toml").read_text(encoding="utf-8"))
    columns = notes["columns"]
    for column, note in columns.items():
        if unknown := set(note) - KNOWN:
            found = f"{column}.{min(unknown)}"
            raise InputError([Problem(file=f"notes/{name}.toml", found=found, expected=f"one of {sorted(KNOWN)}")])
        if "enum" in note and len({"open", "closed"} & set(note)) + (column in closed) != 1:
            found, expected = (
                f"{column}.enum",
                "why the list is closed, or what a new word means where it is open: one of the two",
            )
            raise InputError([Problem(file=f"notes/{name}.toml", found=found, expected=expected)])
    keys = {"foreignKeys": _foreign_keys(columns)} if _foreign_keys(columns) else {}
    return {
        "name": name,
        "type": "table",
        "path": f"{name}.csv",
        "scheme": "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "title": notes["title"],
        "description": notes["description"].strip(),
        "row": notes["row"],
        "licences": notes["licence"],
        "examples": _examples(notes.get("examples", {})),
        **({"needed": notes["needed"]} if "needed" in notes else {}),
        "schema": {
            "fields": [_field(column, closed, note) for column, note in columns.items()],
            "primaryKey": notes["primary_key"],
            **keys,
        },
    }


def _examples(noted: dict[str, Any]) -> dict[str, list[str]]:
    """Right entries as they are written, wrong ones in words; a test lays each wrong one over its row and asks what is told."""
    return {kind: [text if isinstance(text, str) else _wrong(text) for text in texts] for kind, texts in noted.items()}


def _wrong(example: dict[str, Any]) -> str:
    stated = ", ".join(f"{column} = {cell}" for column, cell in example.items() if column not in EXAMPLE)
    return f"{stated} for {example['row']}: {example['why']}"


def _field(name: str, closed: Mapping[str, str], note: dict[str, Any]) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "type": note["type"], "description": note["description"].strip()}
    unit = units.parse(name) if note["type"] in ("number", "integer") else None
    if unit is not None:
        field["unit"] = unit.symbol
    field |= {key: note[key] for key in (*ASKED, *SAID) if key in note}
    constraints = {key: note[key] for key in CONSTRAINTS if key in note}
    if "open" in note:  # a list of words that may grow is no constraint
        field |= {"words": constraints.pop("enum")} | {key: note[key] for key in ("open", "spellings") if key in note}
    elif "enum" in note:
        field["closed"] = note.get("closed") or closed[name]
    return {**field, "constraints": constraints} if constraints else field


def _foreign_keys(columns: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    keys = []
    for column, note in columns.items():
        if "references" in note:
            table, field = note["references"].split(".")
            keys.append({"fields": [column], "reference": {"resource": table, "fields": [field]}})
    return keys


def text(folder: Path) -> str:
    """The descriptor as the file holds it."""
    return json.dumps(build(folder), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    from analysis.tables import data_folder

    (data_folder() / "datapackage.json").write_text(text(data_folder()), encoding="utf-8")
