"""Wrong data and wrong parameters: the message says where, what was found, what was expected; nothing changes on disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from analysis.book.inputs import parameters
from analysis.errors import InputError
from analysis.tables import checks
from tests.conftest import is_untouched, site_of_yesterday

Run = Callable[..., CompletedProcess[str]]

CELLS = [
    # table, row id, column, wrong cell, words the message must hold
    ("devices", "iphone-14", "memory_bandwidth_gbyte_per_s", "-34.1", ["'-34.1'", "a number from", "GB/s"]),
    ("devices", "iphone-14", "memory_bandwidth_gbyte_per_s", "44.0", ["44", "data rate × bus width / 8"]),
    ("devices", "iphone-14", "memory_bandwidth_gbyte_per_s", "34,1", ["'34,1'", "a number"]),
    ("devices", "iphone-14", "memory_capacity_gibyte", "six", ["'six'", "a number"]),
    ("devices", "iphone-14", "device_class", "phon", ["'phon'", "one of phone", "Did you mean 'phone'"]),
    ("devices", "iphone-14", "device_id", "iphone-13", ["iphone-13", "each value once"]),
    ("devices", "iphone-14", "source_id", "nowhere", ["'nowhere'", "an id in sources.csv"]),
    ("devices", "iphone-14", "name", "<script>alert(1)</script>", ["plain text", "browser"]),
    ("devices", "iphone-14", "note", "=HYPERLINK(1)", ["plain text", "spreadsheet"]),
    ("sources", None, "url", "javascript:alert(1)", ["matches"]),
    ("number_formats", "int4", "effective_bit_per_param", "", ["nothing", "a number"]),
]


def line_of(path: Path, key: str | None) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(
        number for number, line in enumerate(lines, 1) if number > 1 and (key is None or line.startswith(f"{key},"))
    )


def damage(folder: Path, table: str, key: str | None, column: str, cell: str) -> int:
    import csv

    path = folder / f"{table}.csv"
    number = line_of(path, key)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[number - 1][rows[0].index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return number


@pytest.mark.long
@pytest.mark.parametrize(("table", "key", "column", "cell", "expected"), CELLS)
def test_a_wrong_cell_is_named(
    data_copy: Path, table: str, key: str | None, column: str, cell: str, expected: list[str]
) -> None:
    number = damage(data_copy, table, key, column, cell)
    found = checks.problems(data_copy)
    assert found
    said = [str(problem) for problem in found if problem.row == number]
    assert said, f"no problem names row {number}: {found}"
    assert any(f"{table}.csv:{number}" in text and all(word in text for word in expected) for text in said), said


@pytest.mark.long
def test_all_problems_are_told_in_one_go(data_copy: Path) -> None:
    damage(data_copy, "devices", "iphone-14", "memory_capacity_gibyte", "six")
    damage(data_copy, "devices", "iphone-13", "device_class", "brick")
    damage(data_copy, "models", "llama-7b", "n_layer", "-1")
    assert len(checks.problems(data_copy)) == 3


def test_a_renamed_column_is_named(data_copy: Path) -> None:
    path = data_copy / "devices.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("memory_capacity_gibyte", "memory_gb", 1), encoding="utf-8"
    )
    said = "\n".join(str(problem) for problem in checks.problems(data_copy))
    assert "devices.csv" in said
    assert "memory_gb" in said


def test_a_missing_file_is_named(data_copy: Path) -> None:
    (data_copy / "models.csv").unlink()
    assert any(
        "models.csv" in str(problem) and "no such file" in str(problem) for problem in checks.problems(data_copy)
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("reading_speed_word_per_min", -1.0, "from 1.0 to 5000.0"),
        ("reading_speed_word_per_min", "fast", "a number"),
        ("reading_speed_word_per_min", float("nan"), "a number"),
        ("reading_sped", 250.0, "reading_speed_word_per_min"),
        ("bandwidth_share", 1.5, "from 0.01 to 1.0"),
        ("context_token", 2.5, "a whole number"),
        ("edition", "November", "like 2026.11"),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, value: object, expected: str) -> None:
    with pytest.raises(InputError, match=name) as caught:
        parameters.validated({name: value})
    assert expected in str(caught.value)


def test_the_command_ends_with_2_and_leaves_the_site(
    memory_wall: Run, data_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chapters may be running already when the mistake is found: they leave nothing either."""
    temporary = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))  # short: sockets are made below it
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("MEMORY_WALL_CACHE", str(tmp_path / "cache"))
    out = site_of_yesterday(tmp_path / "html")
    number = damage(data_copy, "devices", "iphone-14", "memory_capacity_gibyte", "six")
    mine = tmp_path / "mine"
    mine.mkdir()
    (data_copy / "devices.csv").rename(mine / "devices.csv")
    result = memory_wall("build", "--data", str(mine), "--out", str(out))
    assert result.returncode == 2
    assert f"devices.csv:{number}:memory_capacity_gibyte: found 'six'" in result.stderr
    assert "Traceback" not in result.stderr
    assert is_untouched(out)
    assert [path for path in temporary.iterdir() if path.name.startswith("mw-")] == []
    shutil.rmtree(temporary)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("build", "--set", "reading_speed_word_per_min=-5"), "from 1.0 to 5000.0"),
        (("build", "--set", "no_such=1"), "a declared parameter"),
        (("build", "--set", "nonsense"), "name=value"),
        (("build", "--set", "reference_model=llama-8b"), "an id in models.csv"),
        (("build", "--set", "reference_model=gemini-nano-1"), "Its row leaves n_layer, n_kv_head and head_dim empty"),
        (("build", "--params", "no-such-file.yml"), "a readable YAML file"),
    ],
)
def test_wrong_arguments_end_with_2(
    memory_wall: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = memory_wall(*arguments, "--out", str(tmp_path / "html"))
    assert result.returncode == 2, result.stderr
    assert expected in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())
