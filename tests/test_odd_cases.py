"""Odd inputs: each gets its message at its level and place; what only asks lets a build go on, what is fine is not asked about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.book.inputs import intake
from analysis.tables import overlay
from tests.conftest import command
from tests.odd_cases import FINE, ODD, Odd, Rows

pytestmark = pytest.mark.slow
ENOUGH = 155


def laid_out(files: Rows, folder: Path) -> Path:
    mine = folder / "mine"
    mine.mkdir()
    for name, content in files.items():
        (mine / name).write_bytes(content)
    return mine


def test_there_are_enough_of_them_and_no_two_are_one() -> None:
    assert len(ODD) >= ENOUGH
    assert len({case.name for case in ODD}) == len(ODD)


@pytest.mark.parametrize("case", ODD, ids=lambda case: case.name.encode("ascii", "backslashreplace").decode()[:70])
def test_an_odd_input_gets_its_message(case: Odd, tmp_path: Path) -> None:
    mine = laid_out(case.files, tmp_path)
    found = intake.judged(mine)
    place = (case.level, str(mine / case.file), case.row, case.column)
    told = [
        problem for problem in found.problems if (problem.level, problem.file, problem.row, problem.column) == place
    ]
    said = "\n".join(map(str, found.problems))
    assert told, said
    assert any(all(word in str(problem) for word in case.words) for problem in told), said
    assert all(problem.found and problem.expected for problem in found.problems)
    assert all(problem.todo for problem in told), said
    assert bool(found.errors) == (case.level == "error"), said


@pytest.mark.parametrize("name", FINE)
def test_a_fine_input_is_understood(name: str, tmp_path: Path) -> None:
    found = intake.judged(laid_out(FINE[name], tmp_path))
    assert [str(problem) for problem in found.problems] == []
    assert sum(len(change.added) for change in found.changes) >= 1


def test_what_is_understood_is_converted(tmp_path: Path) -> None:
    for name, column, value in (
        ("Gbit/s a pin", "memory_data_rate_mtransfer_per_s", "21000"),
        ("decimal commas, points of thousands", "memory_bandwidth_gbyte_per_s", "1008.5"),
        ("headers as people write them", "memory_bandwidth_gbyte_per_s", "100"),
    ):
        folder = tmp_path / name.replace("/", "")
        folder.mkdir()
        merged = overlay.merged(laid_out(FINE[name], folder), folder / "data")
        lines = (merged / "devices.csv").read_text(encoding="utf-8").splitlines()
        assert lines[-1].split(",")[lines[0].split(",").index(column)] == value


def test_strict_counts_a_question_as_an_error(tmp_path: Path) -> None:
    mine = laid_out(FINE["8 TB/s"], tmp_path)
    (mine / "devices.csv").write_bytes((mine / "devices.csv").read_bytes().replace(b",2026,cpu", b",,cpu"))
    plain, strict, as_json = (
        command("check", "--data", str(mine), *more) for more in ((), ("--strict",), ("--json", "--strict"))
    )
    assert (plain.returncode, strict.returncode, as_json.returncode) == (0, 2, 2)
    assert "warning: " in plain.stderr
    assert plain.stdout == strict.stdout == "The data is sound. 1 thing is asked about.\n"
    assert [problem["level"] for problem in json.loads(as_json.stdout)] == ["warning"]
    assert command("check", "--strict").returncode == 0
