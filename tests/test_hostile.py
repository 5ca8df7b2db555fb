"""Special files, bombs and damage: each is refused with its place, or left alone by check and build alike, in bounded time and memory.

Those that take seconds are in ``tests/hostile.py``, which runs all of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analysis import door, tables
from analysis.book.inputs import parameters
from analysis.book.store import freshness
from analysis.door import sheets
from analysis.errors import InputError
from analysis.tables import cells
from tests import hostile
from tests.bad_cases import GOOD, table
from tests.conftest import command
from tests.hostile import CASES, Hostile, parquet, pipe, workbook
from tests.test_bad_cases import ended

pytestmark = pytest.mark.slow
LIGHT = [case for case in CASES if case.light]


@pytest.mark.parametrize("case", LIGHT, ids=lambda case: case.name)
def test_a_hostile_input_is_told(
    case: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    case.make(folder)
    if case.code == InputError.exit_code:
        assert ended([part.format(folder=folder) for part in case.arguments], monkeypatch) == case.code
    said = capsys.readouterr().err
    assert all(word in said for word in case.words) or not case.code, said


def test_no_two_cases_are_one() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_time_and_memory_are_measured_and_held() -> None:
    case = next(case for case in CASES if case.name == "XLSX: a format in the last cell")
    result, wrong = hostile.tried(case)
    assert wrong == ""
    assert 0 < result.cpu_s < hostile.LIMIT_S
    assert 10**7 < result.byte < hostile.LIMIT_BYTE
    assert "exit code 2, not 0" in hostile.fault(case, hostile.Ended(2, "", 1.0, 11.0, 2 * 10**9))


# ------------------------------------------------------------------------------------------------------------- the door


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.1)


@pytest.mark.usefixtures("hurried")
def test_a_silent_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe("p")(tmp_path)
    with pytest.raises(InputError, match=r"none for 0\.1 s"):
        parameters.read(tmp_path / "p")
    with pytest.raises(door.Refused, match=r"none for 0\.1 s"):
        door.opened(str(tmp_path / "p"))


def test_parameters_from_a_pipe_are_read_once() -> None:
    """As a shell gives them in ``--params <(…)``, whose writer has mostly ended before anybody reads."""
    stream, writer = os.pipe()
    os.write(writer, b"context_token: 4096\n")
    os.close(writer)
    given = door.taken(Path(f"/dev/fd/{stream}"))
    os.close(stream)
    assert parameters.parsed(given) == {"context_token": 4096}
    assert parameters.parsed(given) == {"context_token": 4096}


def test_notes_and_other_names_are_never_opened(tmp_path: Path) -> None:
    pipe("notes/x")(tmp_path)
    pipe("other")(tmp_path)
    (tmp_path / "devices.csv").write_bytes(table(GOOD))
    files, problems = door.offered(tmp_path)
    assert [path.name for path in files] == ["devices.csv"]
    assert [problem.level for problem in problems] == ["warning"]


# -------------------------------------------------------------------------------------------- what a site was built from


def test_the_digest_is_of_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of its name: the same name may stand for another content, as that of a pipe or of a variable's folder does."""
    first = freshness.inputs({"params": b"a".hex()}, None)
    assert freshness.inputs({"params": b"a".hex()}, None) == first
    assert freshness.inputs({"params": b"b".hex()}, None) != first
    other = tmp_path / "data"
    other.mkdir()
    for path in door.of_book(tables.data_folder()):
        (other / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv(tables.DATA_VARIABLE, str(other))
    moved = freshness.inputs({"params": b"a".hex()}, None)
    with (other / "devices.csv").open("ab") as file:
        file.write(b"\n")
    assert len({first, moved, freshness.inputs({"params": b"a".hex()}, None)}) == 3


def test_the_digest_follows_the_files_that_are_read_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_bytes(table(GOOD))
    pipe("notes/x")(tmp_path)
    before = freshness.inputs({}, tmp_path)
    (tmp_path / "notes" / "y").write_text("aside", encoding="utf-8")
    assert freshness.inputs({}, tmp_path) == before
    (tmp_path / "models.csv").symlink_to("/dev/zero")
    assert freshness.inputs({}, tmp_path) != before


def test_another_data_folder_is_another_book(tmp_path: Path) -> None:
    """A folder that holds no book is told, and nothing is built from the book's own instead."""
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0
    environment = {**os.environ, tables.DATA_VARIABLE: str(tmp_path)}
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "analysis", "check"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == InputError.exit_code
    assert "datapackage.json" in done.stderr
    assert tables.DATA_VARIABLE in done.stderr


# --------------------------------------------------------------------------------------------------------------- readers


def rows(folder: Path) -> list[list[str]]:
    """What the one file in a folder holds, without its header."""
    [sheet], problems = sheets.given(folder, ["devices"])
    assert not [*problems, *sheet.problems]
    return [cells for _, cells in sheet.rows]


def test_numbers_of_a_parquet_file_keep_the_shortest_form_of_their_type(tmp_path: Path) -> None:
    values = "6.1::FLOAT, 85.3::FLOAT, 16::FLOAT, 0.1::DOUBLE + 0.2::DOUBLE, 6.1::DOUBLE, 1.50::DECIMAL(9,2), 'iOS 16.0', 'nan'::FLOAT"
    parquet(f"SELECT {values}")(tmp_path)
    assert rows(tmp_path) == [["6.1", "85.3", "16", "0.30000000000000004", "6.1", "1.50", "iOS 16.0", ""]]


def test_cells_of_a_workbook_by_how_they_are_stored(tmp_path: Path) -> None:
    shared = "<si><t>My </t></si><si><r><t>My</t></r><r><t> Phone</t></r><rPh><t>aloud</t></rPh></si>"
    styles = '<numFmts><numFmt numFmtId="170" formatCode="yyyy-mm-dd"/></numFmts><cellXfs><xf/><xf numFmtId="170"/></cellXfs>'
    stored = (
        '<c r="A2" t="s"><v>1</v></c>', '<c r="B2" s="1"><v>46328</v></c>', '<c r="A3"><v>85.299999999999997</v></c>',
        '<c t="b"><v>1</v></c>', '<c r="B4" t="str"><f>A1</f><v>of a formula</v></c>', '<c r="A5" t="d"><v>2026-11-02T00:00:00</v></c>',
    )  # fmt: skip
    text = (
        "".join(stored[:2])
        + "</row><row>"
        + "".join(stored[2:4])
        + "</row><row>"
        + stored[4]
        + '</row><row r="5">'
        + stored[5]
    )
    workbook(f'<row r="2">{text}</row>', strings=shared, styles=styles)(tmp_path)
    assert rows(tmp_path) == [["My Phone", "2026-11-02"], ["85.3", "true"], ["", "of a formula"], ["2026-11-02", ""]]


def test_a_line_within_a_cell_is_no_comment() -> None:
    sheet = sheets.from_bytes(b'# one\na,b\n# two\n1,"x\n# y"\n3,4\n', sheets.Sheet("devices", "x.csv"))
    assert sheet.rows == [(4, ["1", "x\n# y"]), (6, ["3", "4"])]


# ------------------------------------------------------------------------------------------------------------ plain text

PLAIN = (
    "-5", "+5.2e3", "−5 %", "5 – 10", "A-B", "a@b", "x = 1", "weights in {-1, 0, +1}; a limit", "M3 (8-core), 16 GB", "a; b", "C++",
    "5;-3;+2",
    "Ноутбук", "携帯電話", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "क\u094d\u200dष", "Café", "85\u00a0GB", "½ GB", "😀",
)  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_let_in(text: str) -> None:
    assert cells.unfit(text) == ""


def test_a_row_after_a_line_break_is_told_at_its_own_line(tmp_path: Path) -> None:
    rows = ({**GOOD, "note": "two\nlines"}, {**GOOD, "device_id": "b", "device_class": "labtop"})
    (tmp_path / "devices.csv").write_bytes(table(*rows))
    done = command("check", "--data", str(tmp_path))
    assert "devices.csv:4:device_class" in done.stderr
