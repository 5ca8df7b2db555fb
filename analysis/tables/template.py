"""An empty table to start from: what a row is, what each column may hold, what a right and a wrong entry look like."""

from __future__ import annotations

import textwrap
from pathlib import Path

from analysis import tables
from analysis.errors import InputError, Problem
from analysis.tables import cells, needed, overlay

WIDTH = 120
HOW = """
Lines that begin with # are left out. A row whose key ({key}) the book has changes that row: leave a cell empty, or a column
out, to keep the book's value; write {taken} to take it away. A row with a new key is added. A file that holds every column and
nearly all of the book's rows is the whole table: rows missing from it are gone. The file's name says which is meant where that
is not what you want: {table}.rows.csv or {table}.whole.csv. A number may be in any unit of its kind: name the column for it,
and it is converted. CSV (UTF-8; commas, or semicolons with decimal commas), XLSX and Parquet are read. Check it with
`memory-wall check --data FOLDER`.
"""


def text(package: tables.DataPackage, table: str) -> str:
    """The commented, empty CSV; raises InputError with the nearest name where there is no such table."""
    if table not in package.names:
        raise InputError.unknown("table", table, [*package.names, "predict"], file="template")
    resource = package.resource(table)
    schema = resource["schema"]
    how = HOW.format(key=", ".join(schema["primaryKey"]), taken=overlay.TAKEN_AWAY, table=table)
    lines = [*_wrapped(f"{resource['title']}. A row: {resource['row']}"), "", *_wrapped(resource["description"]), ""]
    parts = needed.told(needed.Needed(**resource.get("needed", {})))
    kept = f"A table that replaces the book's keeps: {'; '.join(parts)}." if parts else ""
    lines += [*_wrapped(f"{' '.join(how.split())} {kept}"), ""]
    for field in schema["fields"]:
        lines += _wrapped(f"{field['name']}: {cells.expected(field)}. {field['description']}", "  ")
        if field["name"] in overlay.FOR_NEW_ROWS:
            lines += _wrapped(f"Column left out: {overlay.FOR_NEW_ROWS[field['name']]}.", "  ", "  ")
    for kind, entries in resource.get("examples", {}).items():
        lines += ["", f"{kind.capitalize()}:", *(line for entry in entries for line in _wrapped(entry, "  "))]
    header = ",".join(field["name"] for field in schema["fields"])
    return "".join(f"# {line}".rstrip() + "\n" for line in lines) + header + "\n"


def _wrapped(paragraph: str, indent: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(
        " ".join(paragraph.split()), WIDTH - 2, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )


def write(package: tables.DataPackage, table: str, out: Path) -> Path:
    """The same as a file; ``out`` may be a folder."""
    return put(text(package, table), table, out)


def put(content: str, table: str, out: Path) -> Path:
    """Write a new file; ``out`` may be a folder.  Raises InputError where it would overwrite something."""
    target = out / f"{table}.csv" if out.is_dir() or not out.suffix else out
    if target.exists():
        found, todo = "a file", "Nothing is overwritten: name another, or move it away."
        raise InputError([Problem(file=str(target), found=found, expected="a new file", todo=todo)])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    except OSError as error:
        found = str(error.strerror).lower()
        raise InputError([Problem(file=str(target), found=found, expected="a place that can be written")]) from None
    return target
