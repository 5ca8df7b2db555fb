"""Rerun with one's own data: what may be supplied and how, and that figures, numbers, sentences and verdicts follow."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess
from threading import Event, Thread
from typing import Any

import duckdb
import lxml.html
import nbformat
import pandas as pd
import pytest
import vl_convert
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.book import site as site_module
from analysis.book.inputs import intake, parameters
from analysis.book.pages import pieces
from analysis.book.run import execution
from analysis.book.store import places, publishing
from analysis.door import sheets
from analysis.errors import InputError
from analysis.model import inputs
from analysis.subjects.sram_density import charts as charts_sram
from analysis.subjects.sram_density import derived as derived_sram
from analysis.tables import DataPackage, checks, overlay, template, wrong_inputs
from tests import other_world, samples
from tests.bad_cases import DECODE, GOOD, table, workbook
from tests.conftest import ROOT, command

pytestmark = pytest.mark.slow
Run = Callable[..., CompletedProcess[str]]
TITLE = 'Phones & "drives" of another world'
SENTENCES, VERDICTS = 10, 3
ENOUGH_REMOVED = 300
"""Rows that the smallest book does without."""


def merged(tmp_path: Path, files: dict[str, bytes]) -> DataPackage:
    """The book with these files laid over it, found sound."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for name, content in files.items():
        (mine / name).write_bytes(content)
    folder = overlay.merged(mine, tmp_path / "data")
    checks.require(folder)
    return DataPackage(folder)


# ---------------------------------------------------------------------------------------------- what may be supplied


@pytest.mark.parametrize(
    "content",
    [
        table(GOOD), b"\xef\xbb\xbf" + table(GOOD), table(GOOD).replace(b"\n", b"\r\n"), table(GOOD, delimiter=";"),
        b"sep=;\r\n" + table(GOOD, delimiter=";"), b"# mine\n\n" + table(GOOD) + b"# the end\n", table(GOOD).rstrip(b"\n"),
        table(GOOD, delimiter=";").replace(b"85.3", b"85,3"), table(GOOD).replace(b"\n", b",,\n"),
    ],
    ids=["plain", "BOM", "CRLF", "semicolons", "sep=", "comments", "no last line feed", "decimal commas", "empty columns"],
)  # fmt: skip
def test_one_row_in_any_csv_is_added(content: bytes, tmp_path: Path, package: DataPackage) -> None:
    found = merged(tmp_path, {"devices.csv": content})
    assert len(found.raw("devices")) == len(package.raw("devices")) + 1
    row = found.row("devices", "my-phone")
    assert (row["memory_bandwidth_byte_per_s"], row["memory_capacity_byte"]) == (85.3e9, 16 * 2**30)
    assert row["source_id"] == overlay.SOURCE["source_id"]
    assert row["confidence"] == "estimate"
    assert set(found.raw("sources")["source_id"]) - set(package.raw("sources")["source_id"]) == {row["source_id"]}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("memory_bandwidth_mbyte_per_s", "85300"), ("memory_bandwidth_tbyte_per_s", "0.0853"), ("memory_bandwidth_gbit_per_s", "682.4"),
        ("memory_bandwidth_byte_per_s", "8.53e10"), ("memory_bandwidth_gbyte_per_ms", "0.0853"), ("memory_bandwidth_gbyte_per_min", "5118"),
    ],
)  # fmt: skip
def test_a_number_may_be_in_any_unit_of_its_kind(header: str, value: str, tmp_path: Path) -> None:
    row = {name: cell for name, cell in GOOD.items() if "bandwidth" not in name} | {header: value}
    found = merged(tmp_path, {"devices.csv": table(row)})
    assert found.row("devices", "my-phone")["memory_bandwidth_byte_per_s"] == pytest.approx(85.3e9)


def test_a_row_with_a_known_key_changes_what_it_states(tmp_path: Path, package: DataPackage) -> None:
    found = merged(tmp_path, {"devices.csv": b"device_id,memory_capacity_gibyte,note\niphone-14,8,NA\n"})
    old, new = package.row("devices", "iphone-14"), found.row("devices", "iphone-14")
    assert new["memory_capacity_byte"] == 8 * 2**30
    assert new["note"] == ""
    assert old["note"]
    same = set(old) - {"memory_capacity_byte", "note"}
    assert pd.Series({k: new[k] for k in same}).equals(pd.Series({k: old[k] for k in same}))


def test_a_whole_table_replaces_the_book_s(tmp_path: Path, package: DataPackage) -> None:
    lines = (ROOT / "data" / "devices.csv").read_bytes().splitlines(keepends=True)
    found = merged(tmp_path, {"devices.csv": b"".join(lines[:-3])})
    assert len(found.raw("devices")) == len(package.raw("devices")) - 3
    assert overlay.supplied(found.folder).changes[0].removed


def test_a_name_says_which_is_meant(tmp_path: Path, package: DataPackage) -> None:
    lines = (ROOT / "data" / "area_references.csv").read_bytes().splitlines(keepends=True)
    count = len(package.raw("area_references"))
    for part, expected in (("rows", count), ("whole", 1)):
        (tmp_path / part).mkdir()
        content = b"".join(lines[:-1] if part == "rows" else lines[:2])
        mine = tmp_path / part / "mine"
        mine.mkdir()
        (mine / f"area_references.{part}.csv").write_bytes(content)
        found = DataPackage(overlay.merged(mine, tmp_path / part / "data"))
        assert len(found.raw("area_references")) == expected


def test_more_rows_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    second = table({**GOOD, "device_id": "my-laptop", "device_class": "laptop"})
    found = merged(tmp_path, {"devices.csv": table(GOOD), "devices.laptops.csv": second})
    assert found.row("devices", "my-phone")["device_class"] == "phone"
    assert found.row("devices", "my-laptop")["device_class"] == "laptop"


def test_a_workbook(tmp_path: Path) -> None:
    found = merged(tmp_path, {"mine.xlsx": workbook("devices", GOOD)})
    assert found.row("devices", "my-phone")["memory_bandwidth_byte_per_s"] == 85.3e9


def test_cells_of_a_workbook_are_read_as_what_they_are(tmp_path: Path) -> None:
    import datetime

    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.append(list(GOOD))
    page.append([*GOOD.values()])
    for cell, value in (("E2", datetime.datetime(2026, 11, 2)), ("G2", 85.3), ("H2", 16), ("I2", 2026)):
        page[cell] = value
    book.save(tmp_path / "devices.xlsx")
    found = merged(tmp_path, {"devices.xlsx": (tmp_path / "devices.xlsx").read_bytes()})
    row = found.row("devices", "my-phone")
    assert (row["release_date"], row["default_set"], row["memory_capacity_byte"]) == ("2026-11-02", "2026", 16 * 2**30)


def parquet(path: Path, select: str) -> bytes:
    duckdb.connect().sql(select).write_parquet(str(path))
    return path.read_bytes()


def test_parquet(tmp_path: Path) -> None:
    numbers = {"memory_bandwidth_gbyte_per_s": 85.3, "memory_capacity_gibyte": 16}
    row = {**GOOD, **numbers}
    select = "SELECT " + ", ".join(f"{value!r} AS {name}" for name, value in row.items())
    found = merged(tmp_path, {"devices.parquet": parquet(tmp_path / "x.parquet", select)})
    assert found.row("devices", "my-phone")["memory_bandwidth_byte_per_s"] == 85.3e9


def test_a_small_parquet_file_of_a_huge_table_is_refused(tmp_path: Path) -> None:
    content = parquet(tmp_path / "x.parquet", "SELECT 1 AS device_id FROM range(3000000)")
    assert len(content) < 100_000
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "devices.parquet").write_bytes(content)
    assert "found 3,000,000 rows of 1; expected at most 50,000" in str(intake.judged(tmp_path / "mine").errors[0])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_parquet_file_is_read_or_refused(places: list[tuple[float, int]], tmp_path: Path) -> None:
    content = bytearray(parquet(tmp_path / "x.parquet", "SELECT 'a' AS device_id, 1.5 AS b FROM range(40)"))
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "devices.parquet").write_bytes(content)
    assert intake.judged(folder).errors


@pytest.mark.parametrize(("column", "value"), [("memory_capacity_gibyte", "1024"), ("storage_read_gbyte_per_s", "50")])
def test_what_is_far_off_is_asked_about_and_built(column: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_bytes(table({**GOOD, column: value}))
    found = intake.required(tmp_path)
    asked = [(problem.level, problem.column) for problem in found.problems if problem.column != "storage_basis"]
    assert asked == [("warning", column)]
    assert found.remarks()[-1].startswith("warning: ")


def test_nothing_of_the_source_tree_is_touched(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "data").rglob("*")}
    merged(tmp_path, {"devices.csv": table(GOOD)})
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "data").rglob("*")} == before


# -------------------------------------------------------------------------------------------------- check and template


def test_check_as_json(memory_wall: Run, tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_bytes(table({**GOOD, "device_class": "labtop"}))
    done = memory_wall("check", "--data", str(tmp_path), "--json")
    assert done.returncode == 2
    [problem] = json.loads(done.stdout)
    assert (problem["row"], problem["column"], problem["level"]) == (2, "device_class", "error")
    assert problem["file"] == str(tmp_path / "devices.csv")
    assert problem["todo"] == "Did you mean 'laptop'?"


def test_check_says_what_a_folder_changes(memory_wall: Run, tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_bytes(
        table(GOOD, {**GOOD, "device_id": "iphone-14"}).replace(b"85.3,16", b"34.13,16")
    )
    done = memory_wall("check", "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "1 added, 1 changed" in done.stderr
    assert "The data is sound." in done.stdout


@pytest.mark.parametrize("name", DataPackage(ROOT / "data").names)
def test_an_empty_template_changes_nothing(name: str, tmp_path: Path, package: DataPackage) -> None:
    written = template.write(package, name, tmp_path)
    assert written.name == f"{name}.csv"
    sheet = sheets.read(written, name)
    assert sheet.header == list(package.columns(name))
    assert not sheet.rows
    assert max(len(line) for line in written.read_text(encoding="utf-8").splitlines()[:-1]) <= 120
    text = written.read_text(encoding="utf-8")
    assert all(f"# {column}: " in text for column in package.columns(name))
    folder = overlay.merged(tmp_path, tmp_path / "data")
    assert folder.joinpath(f"{name}.csv").read_bytes() == (ROOT / "data" / f"{name}.csv").read_bytes()


def test_a_template_overwrites_nothing(tmp_path: Path, package: DataPackage) -> None:
    template.write(package, "devices", tmp_path / "new" / "mine.csv")
    with pytest.raises(InputError, match="Nothing is overwritten"):
        template.write(package, "devices", tmp_path / "new" / "mine.csv")
    with pytest.raises(InputError, match="Did you mean 'devices'"):
        template.text(package, "device")


def test_a_filled_template_is_read(tmp_path: Path, package: DataPackage) -> None:
    text = template.text(package, "devices")
    row = ",".join(
        GOOD.get(name, {"source_id": "apple-m1-2020", "confidence": "spec"}.get(name, ""))
        for name in package.columns("devices")
    )
    known = package.raw("sources")["source_id"].iloc[0]
    found = merged(tmp_path, {"devices.csv": (text + row.replace("apple-m1-2020", known) + "\n").encode()})
    assert found.row("devices", "my-phone")["source_id"] == known


# ------------------------------------------------------------------------------------------------- conclusions follow


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book once more, built with the data of another world."""
    folder = tmp_path_factory.mktemp("other")
    out = folder / "html"
    (folder / "defaults.yml").write_text("token_per_word: 2.0\n", encoding="utf-8")
    done = command(
        "build", "--data", str(other_world.write(folder / "mine")), "--title", TITLE, "--out", str(out),
        "--params", str(folder / "defaults.yml"), "--set", "context_token=2048",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"rows of devices, \d\d changed", done.stderr)
    return out


def catalogue(site: Path, name: str) -> dict[str, dict[str, object]]:
    return {entry["id"]: entry for entry in json.loads((site / f"{name}.json").read_text(encoding="utf-8"))}


def texts(site: Path) -> str:
    """The words of all chapters as a reader sees them."""
    pages = [site / "index.html", *sorted((site / "chapters").glob("*.html"))]
    found = [BeautifulSoup(page.read_text(encoding="utf-8"), "lxml").find("main") for page in pages]
    return " ".join(" ".join(page.get_text().split()) for page in found if page)


def test_sentences_follow_the_data(site: Path, other: Path) -> None:
    old, new = catalogue(site, "numbers"), catalogue(other, "numbers")
    then, now = texts(site), texts(other)
    turned = [
        name
        for name in old
        if name in new and old[name]["number"] is None and old[name]["text"] != new[name]["text"]
        and " ".join(str(old[name]["text"]).split()) in then and " ".join(str(new[name]["text"]).split()) in now
        and " ".join(str(old[name]["text"]).split()) not in now
    ]  # fmt: skip
    assert len(turned) >= SENTENCES, turned


def test_verdicts_follow_the_data(site: Path, other: Path) -> None:
    old, new = catalogue(site, "claims"), catalogue(other, "claims")
    turned = {name: str(new[name]["verdict"]) for name in new if old[name]["verdict"] != new[name]["verdict"]}
    assert len(turned) >= VERDICTS, turned
    page = BeautifulSoup((other / "chapters" / "claims.html").read_text(encoding="utf-8"), "html.parser")
    for name, verdict in turned.items():
        row = page.find(id=name)
        assert row is not None, name
        assert verdict.replace("-", " ") in row.get_text(), name


def test_captions_and_titles_follow_the_data(site: Path, other: Path) -> None:
    old, new = catalogue(site, "figures"), catalogue(other, "figures")
    assert sum(old[name]["title"] != new[name]["title"] for name in new) >= 5
    for name in new:
        shown = str(new[name]["title"])
        page = BeautifulSoup((other / "figures" / name / "index.html").read_text(encoding="utf-8"), "html.parser")
        assert shown in page.get_text(), name


def test_a_run_says_so_on_every_page_that_differs(site: Path, other: Path) -> None:
    record = json.loads((other / "edition.json").read_text(encoding="utf-8"))
    assert {one["table"] for one in record["supplied"]} == {"devices", "sram_bitcells", "memory_prices"}
    assert record["parameters"]["title"] == TITLE
    told = {True: 0, False: 0}
    for page in sorted(other.rglob("*.html")):
        text, published = page.read_text(encoding="utf-8"), site / page.relative_to(other)
        speaks = 'class="mw-run"' in text
        told[speaks] += 1
        assert speaks == (not published.exists() or text != published.read_text(encoding="utf-8")), page
        assert not speaks or "not the published book" in text, page
        assert speaks == (TITLE in html.unescape(text)) or page.name == "embed.html", page
    assert min(told.values()) > 200, told
    assert json.loads((site / "edition.json").read_text(encoding="utf-8"))["supplied"] == []


class Active(HTMLParser):
    """What in a page could run and does not come from the book."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name.startswith("on") or re.match(
                r"\s*(javascript|vbscript|data:text)", value or "", flags=re.IGNORECASE
            ):
                self.found.append(f"<{tag} {name}={value}>")


def test_nothing_active_reaches_a_page_a_table_or_a_specification(other: Path) -> None:
    for page in other.rglob("*.html"):
        parser = Active()
        parser.feed(page.read_text(encoding="utf-8"))
        theirs = [tag for tag in parser.found if "onmouseover" in tag or "alert" in tag]
        assert not theirs, (page, theirs)
    for path in [*other.glob("tables/*.csv"), *other.glob("figures/*/*.csv")]:
        with path.open(encoding="utf-8", newline="") as file:
            bad = [
                cell
                for row in csv.reader(file)
                for cell in row
                if re.match(r"\s*[=+@]", cell) and not re.match(r"\+\d", cell)
            ]
        assert not bad, (path, bad)
    shown = 0
    for path in other.glob("figures/*/*.vl.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script|javascript:", text), path
        rows = [row for rows in json.loads(text).get("datasets", {}).values() for row in rows]
        shown += any(other_world.HOSTILE in str(value) for row in rows for value in row.values())
    assert shown, "the new phone is in no chart"


def test_the_new_phone_is_shown_under_its_name(other: Path) -> None:
    rest = (
        (other / "tables" / "devices.rows.js").read_text(encoding="utf-8").removeprefix("mwRows(").removesuffix(");\n")
    )
    rows = [BeautifulSoup(row, "html.parser") for row in json.loads(rest)]
    assert any(other_world.HOSTILE in row.get_text() for row in rows)
    pages = [lxml.html.parse(path) for path in (other / "devices").glob("*.html")]
    assert other_world.HOSTILE in {head.text_content() for page in pages for head in page.iter("h1")}


# ----------------------------------------------------------------------------------------- what the chapters cannot do without


def whole(tmp_path: Path, table_name: str, change: Callable[[dict[str, str]], dict[str, str] | None]) -> list[str]:
    """What is said to a whole table whose rows were changed, or left out where there is nothing."""
    with (ROOT / "data" / f"{table_name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [new for row in csv.DictReader(file) if (new := change(row)) is not None]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / f"{table_name}.whole.csv").write_bytes(table(*rows))
    return [str(problem) for problem in intake.judged(mine).errors]


def test_a_row_the_text_names_cannot_be_left_out(tmp_path: Path) -> None:
    [said] = whole(tmp_path, "devices", lambda row: None if row["device_id"] == "iphone-14" else row)
    assert "devices.whole.csv: found no row 'iphone-14'; expected the rows that the chapters speak of" in said
    assert "devices.rows.csv" in said


def test_a_renamed_row_is_asked_about(tmp_path: Path) -> None:
    [said] = whole(
        tmp_path, "devices", lambda row: row | {"device_id": row["device_id"].replace("rtx-5090", "rtx-5090d")}
    )
    assert "found no row 'rtx-5090-32gb'" in said
    assert "Did you mean 'rtx-5090d-32gb'" in said


def test_an_empty_class_is_told(tmp_path: Path) -> None:
    said = whole(tmp_path, "devices", lambda row: None if row["device_class"] == "laptop" else row)
    assert any(
        "no row with device_class laptop and default_set 2023; device_class laptop and default_set 2026" in one
        for one in said
    )


def test_a_number_of_such_a_row_cannot_be_taken_away(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "devices.csv").write_bytes(b"device_id,memory_bandwidth_gbyte_per_s,note\niphone-14,NA,NA\npixel-7,NA,\n")
    [said] = map(str, intake.judged(mine).errors)
    assert "devices.csv:2:memory_bandwidth_gbyte_per_s: found no value; expected a value" in said


def test_rows_that_others_refer_to_are_named_once(tmp_path: Path) -> None:
    said = whole(tmp_path, "accelerators", lambda row: None if row["accelerator_id"] == "amd-mi300x" else row)
    assert [
        one for one in said if "'amd-mi300x'; expected every row that the book's servers.csv refers to" in one
    ] == said


def test_a_measurement_needs_the_shape_of_its_model(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "measurements_decode.csv").write_bytes(table(DECODE | {"model": "LLaMA 7B v22"}))
    said = [str(problem) for problem in intake.judged(mine).errors]
    assert any(":2:model: found 'LLaMA 7B v22'; expected a model of measured_models.csv" in one for one in said), said
    assert "'LLaMA 7B v2'" in "".join(said)


def test_the_book_can_be_made_of_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each table no row but those it is said to need: every chapter runs, so none needs a row unsaid."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for resource in DataPackage(ROOT / "data").descriptor["resources"]:
        if rows := resource.get("needed", {}).get("rows"):
            with (ROOT / "data" / resource["path"]).open(encoding="utf-8", newline="") as file:
                kept = [row for row in csv.DictReader(file) if row[resource["schema"]["primaryKey"][0]] in rows]
            (mine / f"{resource['name']}.whole.csv").write_bytes(table(*kept))
    folder = overlay.merged(mine, tmp_path / "data")
    checks.require(folder)
    assert sum(len(change.removed) for change in overlay.supplied(folder).changes) > ENOUGH_REMOVED
    monkeypatch.setenv(tables.DATA_VARIABLE, str(folder))
    tables.forget()
    try:
        run_chapters({})
    finally:
        tables.forget()


def run_chapters(values: dict[str, Any]) -> None:
    """Run the code of every chapter with these values of the parameters it declares."""
    for path in site_module.chapter_files():
        names: dict[str, Any] = {}
        for cell in execution.read(path).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, path.name, "exec"), names)  # noqa: S102 - a chapter's own code
                names |= {name: values[name] for name in names.keys() & values.keys()}


@pytest.mark.parametrize(("end", "model"), [("minimum", "smollm2-135m"), ("maximum", "palm-540b")])
def test_the_book_can_be_made_at_the_ends_of_all_ranges(end: str, model: str) -> None:
    """No setting that is accepted stops a chapter."""
    values = {name: note[end] for name, note in parameters.declared().items() if end in note}
    run_chapters(parameters.validated(values | {"reference_model": model}))


EDGE_PX = 10
"""A star may stand on the upper edge of a plot."""


def points_outside(node: dict[str, Any], width: float = 0, height: float = 0) -> Iterator[tuple[Any, Any]]:
    """Where the renderer puts points that lie outside their plot, or nowhere."""
    for item in node.get("items", []):
        for below in item.get("items", []):
            yield from points_outside(below, item.get("width", width), item.get("height", height))
        if node["marktype"] == "symbol" and node["role"] == "mark":
            x, y = item.get("x", 0), item.get("y", 0)
            if None in (x, y) or not (-1 <= x <= width + 1 and -EDGE_PX <= y <= height + 1):
                yield x, y


def test_no_point_leaves_its_picture(other: Path) -> None:
    pictures = sorted(other.glob("figures/*/*.vl.json"))
    assert len(pictures) == len(catalogue(other, "figures"))
    for path in pictures:
        drawn = vl_convert.vegalite_to_scenegraph(path.read_text(encoding="utf-8"))
        assert not list(points_outside(drawn["scenegraph"])), path


def test_a_device_that_holds_no_model_has_its_row_and_no_point(other: Path) -> None:
    rows = (other / "figures" / "largest-model-by-device" / "largest-model-by-device.csv").read_text(encoding="utf-8")
    assert "Tiny board" in rows
    used = (other / "figures" / "compute-used-at-reading-speed" / "compute-used-at-reading-speed.csv").read_text(
        encoding="utf-8"
    )
    assert "Tiny board" not in used
    for name in ("largest-model-by-device", "largest-model-expected"):
        assert "Tiny board" in (other / "figures" / name / f"{name}.svg").read_text(encoding="utf-8"), name


def test_an_axis_reaches_as_far_as_the_data(tmp_path: Path) -> None:
    package = DataPackage(overlay.merged(other_world.write(tmp_path / "mine"), tmp_path / "data"))
    nodes = derived_sram.capacity_by_node(package, array_efficiency_share=1.0)
    chart = charts_sram.capacity_by_node(
        nodes, derived_sram.article_capacity(package), array_efficiency_share=1.0
    ).to_dict()
    ends = [layer["encoding"]["x"]["scale"]["domain"] for layer in chart["layer"] if "scale" in layer["encoding"]["x"]]
    assert all(end[1] >= nodes["bare_capacity_byte"].max() for end in ends)
    assert ends


def test_the_usual_mistakes_are_all_told() -> None:
    told = wrong_inputs.table()
    assert list(told["case"]) == list(wrong_inputs.CASES)
    assert all(message.startswith("my-data/") and "; expected " in message for message in told["message"])


def test_data_laid_over_data_name_their_source_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = merged(tmp_path, {"devices.csv": table(GOOD)}).folder
    monkeypatch.setenv(tables.DATA_VARIABLE, str(first))
    tables.forget()
    assert all(message.startswith("my-data/") for message in wrong_inputs.table()["message"])
    again = overlay.merged(tmp_path / "mine", tmp_path / "again")
    tables.forget()
    assert checks.problems(again) == []


def test_a_sheet_that_is_no_table_hides_no_other(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    first = book.active
    first.title = "devices"
    for line in (list(GOOD), [*(GOOD | {"device_class": "labtop"}).values()]):
        first.append(line)
    book.create_sheet("memory_price").append(["price_id"])
    mine = tmp_path / "mine"
    mine.mkdir()
    book.save(mine / "any.xlsx")
    said = [str(problem) for problem in intake.judged(mine).errors]
    assert any("any.xlsx[memory_price]: found sheet" in one and "'memory_prices'" in one for one in said)
    assert any("any.xlsx[devices]:2:device_class" in one for one in said)


def test_a_build_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "html"
    with pytest.raises(InputError), publishing.claimed(out, print):
        raise InputError([])
    assert list(tmp_path.iterdir()) == []


def test_whoever_waited_for_it_holds_a_lock_that_counts(tmp_path: Path) -> None:
    out, waits, held = tmp_path / "html", Event(), []

    def second() -> None:
        with publishing.claimed(out, lambda text: waits.set()):
            held.append(places.record_file(out).exists())

    with pytest.raises(InputError), publishing.claimed(out, print):  # noqa: PT012 - the second waits inside
        other = Thread(target=second)
        other.start()
        assert waits.wait(10)
        raise InputError([])
    other.join(10)
    assert held == [True]
    assert list(tmp_path.iterdir()) == []


def test_backticks_of_the_notes_are_code() -> None:
    assert pieces.with_code("`a<b` & `c`") == "<code>a&lt;b</code> &amp; <code>c</code>"


# ------------------------------------------------------------------------------------------------------- the recipes

RERUN = (ROOT / "chapters" / "rerun.md").read_text(encoding="utf-8")


def recipes() -> list[str]:
    """The commands of the page, without those that build whole books or need a cluster: what they do is tested above and elsewhere."""
    blocks = re.findall(r"```console\n(.*?)```", RERUN, flags=re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [
        line
        for line in dict.fromkeys(lines)
        if ".venv/bin/memory-wall" in line and not re.search(" (build|release|export) |--only site|--executor", line)
    ]


@pytest.mark.parametrize("line", recipes())
def test_each_recipe_runs(line: str, site: Path, other: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my-data"
    mine.mkdir()
    (mine / "devices.csv").write_bytes(table(GOOD))
    (tmp_path / "my-parameters.yml").write_text("token_per_word: 1.3\n", encoding="utf-8")
    (tmp_path / "plan.yml").write_text(
        "grid: {token_per_word: [2]}\nnumbers: [index-iphone-14-fp16]\n", encoding="utf-8"
    )
    (tmp_path / "my-cards.csv").write_text(inputs.EXAMPLE, encoding="utf-8")
    (tmp_path / "bench.csv").write_text(samples.bench_csv(), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps(samples.QWEN3_8B), encoding="utf-8")
    header = samples.gguf(samples.GGUF_LLAMA, samples.GGUF_TENSORS, data=427_744)
    (tmp_path / "Qwen3-8B-Q4_K_M.gguf").write_bytes(header)
    (tmp_path / "_build").mkdir()
    for name, built in (("html", site), ("mine", other)):
        (tmp_path / "_build" / name).symlink_to(built)
    words = shlex.split(line)[1:]
    if words[0] == "template":
        shutil.rmtree(mine)
        mine.mkdir()
    if words[0] == "cite":
        words += ["--site", "_build/html"]
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert done.stdout or (tmp_path / "every-device.csv").stat().st_size


def test_every_file_for_a_browser_is_there_and_says_what_works() -> None:
    for name in re.findall(r"`((?:binder|\.devcontainer)/[\w.-]+)`", RERUN):
        assert (ROOT / name).exists(), name
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make book"
    assert (ROOT / "binder" / "postBuild").stat().st_mode & 0o111
    assert "requirements.lock" in (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8")
    notebook = nbformat.read(ROOT / "binder" / "colab.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for command_name in re.findall(r"memory-wall (\w+)", code):
        assert command(command_name, "--help").returncode == 0, command_name
