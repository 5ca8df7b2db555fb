"""Every wrong entry that a template shows is told when somebody types it: refused, or asked about, at its cell."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest

from analysis.tables import checks, overlay
from analysis.tables.descriptor import EXAMPLE
from tests.conftest import ROOT

NOTES = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "data" / "notes").glob("*.toml"))
}
WRONG = [(table, entry) for table, notes in NOTES.items() for entry in notes.get("examples", {}).get("wrong", [])]


def row_of(table: str, key: str) -> dict[str, str]:
    with (ROOT / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return next(row for row in csv.DictReader(file) if next(iter(row.values())) == key)


def laid(folder: Path, table: str, entry: dict[str, Any], cells: dict[str, str]) -> list[tuple[str | None, str]]:
    """(column, level) of what is told where an entry's cells are laid over its row, or over a copy of it."""
    mine = folder / "mine"
    mine.mkdir()
    row = row_of(table, entry["row"])
    key = NOTES[table]["primary_key"][0]
    renamed = {key: f"{row[key]}-copy"} if entry.get("new") else {}
    row = row | renamed | cells
    with (mine / f"{table}.rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
    found = checks.problems(overlay.merged(mine, folder / "data"))
    return [
        (problem.column, problem.level)
        for problem in found
        if problem.file.startswith(str(folder)) and problem.row == 2
    ]


def cells_of(entry: dict[str, Any]) -> dict[str, str]:
    return {column: cell for column, cell in entry.items() if column not in EXAMPLE}


@pytest.mark.long
@pytest.mark.parametrize(("table", "entry"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_entry_is_told_at_its_cell(table: str, entry: dict[str, Any], tmp_path: Path) -> None:
    told = {column for column, _ in laid(tmp_path, table, entry, cells_of(entry))}
    assert told & {entry.get("at"), *cells_of(entry)}, f"{entry} of {table} passes; told at {told}"


def test_every_table_with_examples_has_a_wrong_one_with_a_reason() -> None:
    for table, notes in NOTES.items():
        if "examples" in notes:
            assert notes["examples"].get("wrong"), table
    assert all(entry["why"] and set(cells_of(entry)) <= set(NOTES[table]["columns"]) for table, entry in WRONG)
    assert len(WRONG) >= 45


@pytest.mark.slow
@pytest.mark.parametrize("table", [name for name in NOTES if name != "package"])
def test_the_books_own_rows_are_not_asked_about_when_they_are_laid_over_themselves(table: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / f"{table}.csv").write_bytes((ROOT / "data" / f"{table}.csv").read_bytes())
    found = checks.problems(overlay.merged(tmp_path / "mine", tmp_path / "data"))
    assert [str(problem) for problem in found] == []
