"""What moved between two states: every kind of change is told with its reason, in every format, and nothing where nothing moved."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from bs4 import BeautifulSoup

from analysis.book.compare import changes, diff, states
from analysis.book.record import editions
from analysis.errors import InputError
from tests.conftest import ROOT

Run = Callable[..., CompletedProcess[str]]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>{}</text></svg>'


def small_site(folder: Path, **changed: Any) -> Path:
    """A site with the catalogues a diff reads: one claim, two numbers, a sentence, a figure, one table."""
    told: dict[str, Any] = {
        "edition": "2026.10", "value": 1.0, "verdict": "reproduces", "number": 34.1e9, "sentence": "does not fit", "points": "x,y\n1,2\n",
        "title": "A title", "code": "draw()", "spec": {"mark": "line"}, "parameter": 250.0, "capacity": "6", "run": [],
        "rows": ("iphone-14", "m2"),
    } | changed  # fmt: skip
    figure = folder / "figures" / "speed"
    figure.mkdir(parents=True)
    (folder / "tables").mkdir()
    parameters = {"reading_speed_word_per_min": told["parameter"], "edition": told["edition"]}
    _json(
        folder / "edition.json",
        {"edition": told["edition"], "commit": "c0ffee", "parameters": parameters, "figures": {}, "run": told["run"]},
    )
    claim = {
        "id": "largest", "statement": "It holds <b>.", "unit": "gparam", "value": told["value"], "latest_value": 2.0,
        "verdict": told["verdict"],
        "inputs": {"devices iphone-14 memory_capacity_byte": told["capacity"]},
    }  # fmt: skip
    _json(folder / "claims.json", [claim])
    number = {
        "id": "index-bandwidth",
        "number": told["number"],
        "text": f"{told['number'] / 1e9:.3g} GB/s",
        "unit": "byte_per_s",
        "definition": "d",
    }
    words = {"id": "does-it-fit", "number": None, "text": told["sentence"], "unit": "", "definition": ""}
    _json(folder / "numbers.json", [number, words])
    entry = {
        "id": "speed",
        "number": "1.1",
        "title": told["title"],
        "caption": "c",
        "chapter": "memory_wall",
        "sources": ["apple"],
    }
    _json(folder / "figures.json", [entry])
    _json(figure / "speed.metadata.json", {"title": told["title"], "caption": "c", "code": told["code"]})
    footer = f"Figure 1.1, The Memory Wall, edition {told['edition']}."
    _json(
        figure / "speed.vl.json",
        {
            **told["spec"],
            "title": told["title"],
            "note": footer,
            "usermeta": {"citation": f"Edition {told['edition']}."},
            "datasets": {"d": []},
        },
    )
    (figure / "speed.csv").write_text(told["points"], encoding="utf-8")
    (figure / "wide-light.svg").write_text(SVG.format(told["title"]), encoding="utf-8")
    schema = {"primaryKey": ["device_id"]}
    _json(folder / "tables" / "datapackage.json", {"resources": [{"name": "devices", "schema": schema}]})
    with (folder / "tables" / "devices.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[key, told["capacity"] if key == "iphone-14" else "8", "apple"] for key in told["rows"]]
        csv.writer(file, lineterminator="\n").writerows([["device_id", "memory_capacity_gibyte", "source_id"], *rows])
    return folder


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def compared(tmp_path: Path, **changed: Any) -> diff.Difference:
    old, new = small_site(tmp_path / "old"), small_site(tmp_path / "new", **changed)
    return diff.compared(str(old), str(new))[0]


def test_nothing_moved(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert found.nothing
    assert all("Nothing moved" in changes.FORMATS[form](found, {}) for form in ("text", "markdown", "html"))


def test_another_name_of_the_edition_moves_no_figure(tmp_path: Path) -> None:
    found = compared(tmp_path, edition="2026.11")
    assert [one["name"] for one in found.parameters] == ["edition"]
    assert not found.figures


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_run_is_named_as_one_with_what_it_changed(tmp_path: Path, form: str) -> None:
    found = compared(tmp_path, run=["1 row added in devices", "context token = 4096 (not 2048)"], number=68.2e9)
    assert found.as_dict()["new"]["run"] == "1 row added in devices and context token = 4096 (not 2048)"
    told = changes.FORMATS[form](found, {})
    assert told.count("a run with 1 row added in devices and context token = 4096 (not 2048)") >= 1
    assert "a run with" not in changes._named(found.old)


def test_a_number_moves_by_so_many_per_cent(tmp_path: Path) -> None:
    [one] = compared(tmp_path, number=68.2e9).numbers
    assert (one["old"], one["new"], one["percent"], one["headline"]) == ("34.1 GB/s", "68.2 GB/s", 100.0, True)


def test_a_verdict_flips_and_the_input_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, verdict="contradicted", value=0.5, capacity="8")
    [one] = found.verdicts
    assert (one["old"], one["new"]) == ("reproduces", "contradicted")
    assert one["why"] == ["devices iphone-14 memory capacity: 6 → 8"]
    assert found.claims[0]["percent"] == -50.0


def test_a_sentence_changes(tmp_path: Path) -> None:
    [one] = compared(tmp_path, sentence="fits").sentences
    assert (one["old"], one["new"]) == ("does not fit", "fits")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"points": "x,y\n1,3\n", "capacity": "8"}, ["data: devices (iphone-14)"]),
        ({"points": "x,y\n1,3\n", "parameter": 300.0}, ["parameters: reading_speed_word_per_min"]),
        ({"points": "x,y\n1,3\n"}, ["code"]),
        ({"spec": {"mark": "bar"}}, ["code"]),
        ({"code": "draw(2)"}, ["code"]),
        ({"title": "Another title"}, ["caption"]),
        ({"title": "A title of other numbers", "capacity": "8"}, ["data: devices (iphone-14)", "caption"]),
        ({"title": "Another", "points": "x,y\n1,3\n", "capacity": "8"}, ["data: devices (iphone-14)", "caption, with them"]),
        ({"points": "x,y\n1,3\n", "rows": ("iphone-14", "m2", "m3")}, ["data: devices (m3)"]),
    ],
    ids=["data", "parameters", "equations", "drawing", "cell", "caption", "numbers in a caption", "data and caption", "a row more"],
)  # fmt: skip
def test_why_a_figure_changed(tmp_path: Path, changed: dict[str, Any], why: list[str]) -> None:
    [one] = compared(tmp_path, **changed).figures
    assert one["why"] == why


def test_rows_that_came_went_and_changed(tmp_path: Path) -> None:
    [one] = compared(tmp_path, rows=("iphone-14", "m3"), capacity="8").tables
    assert (one["added"], one["removed"]) == (["m3"], ["m2"])
    assert one["changed"] == [
        {"key": "iphone-14", "column": "memory_capacity_gibyte", "old": "6", "new": "8", "percent": 33.3}
    ]


def test_a_figure_that_is_new_or_gone(tmp_path: Path) -> None:
    old, new = small_site(tmp_path / "old"), small_site(tmp_path / "new")
    _json(new / "figures.json", [])
    assert [one["why"] for one in diff.compared(str(old), str(new))[0].figures] == [["gone"]]
    assert [one["why"] for one in diff.compared(str(new), str(old))[0].figures] == [["new"]]


# --------------------------------------------------------------------------------------------------------------- formats

EVERYTHING: dict[str, Any] = {
    "edition": "2026.11", "value": 0.5, "verdict": "contradicted", "number": 68.2e9, "sentence": "fits | now", "points": "x,y\n1,3\n",
    "title": "<script>alert(1)</script>", "parameter": 300.0, "capacity": "8", "rows": ("iphone-14", "m3"),
}  # fmt: skip


def test_every_format_tells_everything(tmp_path: Path) -> None:
    old, new = small_site(tmp_path / "old"), small_site(tmp_path / "new", **EVERYTHING)
    found, pictures = diff.compared(str(old), str(new))
    for form, tell in changes.FORMATS.items():
        told = tell(found, pictures)
        for word in ("largest", "68.2 GB/s", "fits", "speed", "m3", "iphone-14", "300", "contradicted", "100.0"):
            assert word in told, (form, word)
    assert json.loads(changes.as_json(found)) == found.as_dict()


def test_the_page_has_both_pictures_and_nothing_that_runs(tmp_path: Path) -> None:
    old, new = small_site(tmp_path / "old"), small_site(tmp_path / "new", **EVERYTHING)
    page = BeautifulSoup(changes.as_html(*diff.compared(str(old), str(new))), "html.parser")
    assert len(page.find_all("img")) == 2
    assert all(str(image["src"]).startswith("data:image/svg+xml;base64,") for image in page.find_all("img"))
    assert not page.find_all(["script", "iframe", "object", "link", "b"])
    assert "<script>alert(1)</script>" in page.get_text()


def test_markdown_is_shown_as_it_is(tmp_path: Path) -> None:
    told = changes.as_markdown(compared(tmp_path, **EVERYTHING))
    assert "fits \\| now" in told
    assert "<script>" not in told
    rows = [line for line in told.splitlines() if line.startswith("| does-it-fit")]
    assert len(rows) == 1


def test_a_long_list_is_cut_in_the_terminal_alone(tmp_path: Path) -> None:
    many = ("iphone-14", *(f"new-{number}" for number in range(40)))
    found = compared(tmp_path, rows=many)
    assert "and 16 more" in changes.as_text(found)
    assert "new-39" in changes.as_markdown(found)


# ---------------------------------------------------------------------------------------------------------------- states


def test_an_edition_by_its_name_and_its_archive(tmp_path: Path) -> None:
    site = small_site(tmp_path / "html")
    frozen = small_site(site / editions.FOLDER / "2026.10", number=1e9)
    archive = editions.archive(frozen, tmp_path / "releases", {"edition": "2026.10"})
    by_name = diff.compared("2026.10", str(site), site)[0]
    by_archive = diff.compared(str(archive), str(site), site)[0]
    assert by_name.old["name"] == "edition 2026.10"
    assert by_name.numbers == by_archive.numbers != []


@pytest.mark.parametrize("given", ["nowhere", "2026.12", ".", "pyproject.toml", "README.md"])
def test_what_is_no_state_is_refused(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = small_site(tmp_path / "html")
    small_site(site / editions.FOLDER / "2026.10")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="a site, an edition, its archive, or a data folder"):
        diff.compared(given, str(site), site)


def test_a_broken_site_and_a_broken_archive_are_refused(tmp_path: Path) -> None:
    site = small_site(tmp_path / "html")
    (site / "claims.json").write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="a complete site"):
        diff.compared(str(site), str(site))
    (tmp_path / "x.tar.gz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="the archive of an edition"):
        diff.compared(str(tmp_path / "x.tar.gz"), str(site))


@pytest.mark.slow
def test_two_data_folders(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    row = "device_id,memory_data_rate_mtransfer_per_s,memory_bandwidth_gbyte_per_s\niphone-14,NA,273\n"
    (mine / "devices.csv").write_text(row, encoding="utf-8")
    found, _ = diff.compared(str(ROOT / "data"), str(mine))
    assert "iphone14-1b-fp16" in {one["id"] for one in found.verdicts}
    assert found.numbers[0]["headline"]
    assert [one["table"] for one in found.tables] == ["devices"]
    assert not found.figures


def test_a_wrong_data_folder_is_refused_with_its_place(memory_wall: Run, tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_text("device_id,memory_capacity_gibyte\niphone-14,six\n", encoding="utf-8")
    done = memory_wall("diff", str(ROOT / "data"), str(tmp_path))
    assert done.returncode == 2
    assert "devices.csv:2:memory_capacity_gibyte" in done.stderr


def test_the_command_writes_the_page(memory_wall: Run, tmp_path: Path) -> None:
    old, new = small_site(tmp_path / "old"), small_site(tmp_path / "new", **EVERYTHING)
    done = memory_wall("diff", str(old), str(new), "--format", "html", "--out", str(tmp_path / "changes.html"))
    assert done.returncode == 0, done.stderr
    assert "Before" in (tmp_path / "changes.html").read_text(encoding="utf-8")
    assert memory_wall("diff", str(old), str(new), "--format", "json", "--out", str(tmp_path)).returncode == 2


@pytest.mark.slow
def test_states_do_not_outlive_their_use(tmp_path: Path) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        folder = states.opened(str(ROOT / "data"), stack).folder
        assert folder.is_dir()
    assert not folder.exists()
    shutil.rmtree(tmp_path)
