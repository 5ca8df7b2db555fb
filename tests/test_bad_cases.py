"""Hundreds of wrong inputs: each is refused with a message that says where, and the site that was there stays as it was."""

from __future__ import annotations

import csv
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import cli, tables
from analysis.book.inputs import intake
from analysis.errors import InputError
from analysis.tables import cells, checks, overlay
from tests.bad_cases import ACTIVE, CASES, GOOD, Case, laid_out, table
from tests.conftest import command, is_untouched, site_of_yesterday

pytestmark = pytest.mark.slow
ENOUGH = 200


def test_there_are_enough_of_them_and_no_two_are_one() -> None:
    assert len(CASES) >= ENOUGH
    assert len({case.name for case in CASES}) == len(CASES)


def ended(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of the command line, run in this process."""
    monkeypatch.setattr(sys, "argv", ["memory-wall", *arguments])
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(str(caught.value.code))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.encode("ascii", "backslashreplace").decode()[:70])
def test_a_wrong_input_is_refused(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = site_of_yesterday(tmp_path / "html")
    code = ended(["build", *laid_out(case, tmp_path), "--out", str(out)], monkeypatch)
    said = capsys.readouterr().err
    assert code == InputError.exit_code, said
    assert all(word in said for word in case.words), said
    assert "found" in said
    assert "expected" in said
    assert "Traceback" not in said
    assert is_untouched(out)


def test_an_id_that_stands_twice_is_not_a_name_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = next(case for case in CASES if case.name == "the same id twice")
    ended(["check", *laid_out(case, tmp_path)], monkeypatch)
    said = "".join(capsys.readouterr())
    assert "each value once" in said
    assert "each name once" not in said


SPOTS = ["devices.device_class = 'labtop'", "file: Latin-1", "XLSX: script", "YAML: deep", "--data: no such folder"]


@pytest.mark.parametrize("name", SPOTS)
def test_the_same_from_a_shell(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    out = site_of_yesterday(tmp_path / "html")
    done = command("build", *laid_out(case, tmp_path), "--out", str(out))
    assert done.returncode == InputError.exit_code, done.stderr
    assert all(word in done.stderr for word in case.words), done.stderr
    assert "Traceback" not in done.stderr
    assert is_untouched(out)


def test_every_problem_is_told_in_one_go(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    wrong = [
        {**GOOD, "device_id": "a", "device_class": "brick"},
        {**GOOD, "device_id": "b", "memory_capacity_gibyte": "six"},
    ]
    (mine / "devices.csv").write_bytes(table(*wrong))
    (mine / "models.csv").write_bytes(b"model_id,total_gparm\nllama-7b,6.7\n")
    (mine / "dies.csv").write_bytes("die_id,name\napple-m3,é\n".encode("latin-1"))
    found = intake.judged(mine, ["no_such=1", "bandwidth_share=2"], None, "<b>")
    said = [str(problem) for problem in found.problems]
    for place in (
        "devices.csv:2:device_class",
        "devices.csv:3:memory_capacity",
        "models.csv:1:total_gparm",
        "dies.csv:2",
        "no_such",
        "bandwidth_share",
        "--title",
    ):
        assert any(place in line for line in said), place


# ------------------------------------------------------------------------------------------------------- anything at all

SCHEMA = tables.DataPackage(tables.REPOSITORY / "data").resource("devices")["schema"]
COLUMNS = [field["name"] for field in SCHEMA["fields"]]
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def judged(content: bytes, folder: Path, name: str = "devices.csv") -> Path | None:
    """The merged folder where the content is accepted; None where it is refused with problems that can be told."""
    mine = folder / "mine"
    mine.mkdir(exist_ok=True)
    (mine / name).write_bytes(content)
    found = intake.judged(mine)
    assert all(str(problem).isprintable() and len(str(problem)) < 3000 for problem in found.problems)
    if found.errors:
        return None
    target = folder / "data"
    if target.exists():
        import shutil

        shutil.rmtree(target)
    return overlay.merged(mine, target)


def is_passive(folder: Path) -> bool:
    """Whether no cell of the devices could be run, and every id is one."""
    with (folder / "devices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [cell for row in rows for cell in row.values() if not cells.NUMBER.fullmatch(cell)]
    return not any(map(cells.unfit, texts))


@SLOW
@given(
    column=st.sampled_from(COLUMNS),
    value=st.one_of(st.text(max_size=40), st.sampled_from(ACTIVE), st.floats().map(str)),
)
def test_any_cell_is_accepted_or_refused_but_never_dangerous(column: str, value: str, tmp_path: Path) -> None:
    content = table({**GOOD, column: value}).decode("utf-8", "surrogatepass").encode("utf-8", "replace")
    folder = judged(content, tmp_path)
    if folder is not None:
        assert is_passive(folder)


@SLOW
@given(content=st.binary(max_size=400), name=st.sampled_from(["devices.csv", "devices.xlsx", "devices.parquet"]))
def test_any_file_is_accepted_or_refused(content: bytes, name: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    if mine.exists():
        for path in mine.iterdir():
            path.unlink()
    judged(content, tmp_path, name)


@SLOW
@given(lines=st.lists(st.text(alphabet='device_id,;"\n\t#=0123 \r', max_size=60), max_size=6))
def test_any_lines_are_accepted_or_refused(lines: list[str], tmp_path: Path) -> None:
    judged("\n".join(lines).encode(), tmp_path)


def test_the_book_itself_passes(package: tables.DataPackage) -> None:
    assert checks.problems(package.folder) == []
