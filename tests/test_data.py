"""Every table: there, described, keys unique, sources known, as many rows as the book promises."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import pandas as pd
import pytest

from analysis import tables, units
from analysis.book.inputs import intake, parameters
from analysis.tables import DataPackage, checks, descriptor
from tests.conftest import ROOT

DATA = ROOT / "data"
NAMES = DataPackage(DATA).names

AT_LEAST = {
    "devices": 220, "models": 190, "file_sizes": 100,
    "batteries": 22, "number_formats": 35, "sram_bitcells": 30, "dies": 60, "accelerators": 30,
    "memory_prices": 120, "memory_limits": 11, "compute_trend": 140, "pope_tables": 197, "pope_context": 22, "installed_base": 165,
    "claims": 78, "measurements_decode": 1572, "measurements_batching": 3235, "measurements_bandwidth": 147,
    "measurements_storage": 96, "emerging_memory": 21, "servers": 28,
}  # fmt: skip
"""Rows the book was published with; a table may grow."""


@pytest.mark.long
def test_the_data_is_sound() -> None:
    assert checks.problems(DATA) == []


def test_the_edition_is_of_today() -> None:
    assert checks.staleness(DATA, parameters.validated({})["edition_date"]) == []


@pytest.mark.parametrize(("name", "most"), checks.MOST_DAYS.items())
def test_a_table_that_has_grown_old_is_named_with_its_newest_rows(name: str, most: int, data_copy: Path) -> None:
    """A month counts as its last day, and a year alone makes nothing young."""
    path = data_copy / f"{name}.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    dates = pd.Series("2024-01", index=table.index)
    dates.iloc[0], dates.iloc[1] = "2026-02", "2026"
    table.assign(release_date=dates).to_csv(path, index=False)
    last = datetime.date(2026, 2, 28) + datetime.timedelta(most)
    fresh, old = (
        [problem for problem in checks.staleness(data_copy, str(day)) if problem.file == f"{name}.csv"]
        for day in (last, last + datetime.timedelta(1))
    )
    assert fresh == []
    assert [(one.found, one.level, one.column) for one in old] == [
        (f"{table['name'].iloc[0]} (2026-02) as newest", "warning", "release_date")
    ]


@pytest.mark.long
def test_an_old_edition_is_a_warning_of_the_book_s_own_data(tmp_path: Path) -> None:
    later = ["edition_date=2027-03-01"]
    assert [problem.file for problem in intake.judged(None, later).problems] == ["models.csv", "devices.csv"]
    assert intake.judged(None, later).errors == []
    (tmp_path / "devices.csv").write_text("device_id,memory_capacity_gibyte\niphone-14,6\n", encoding="utf-8")
    assert intake.judged(tmp_path, later).problems == []


def test_the_descriptor_is_what_the_notes_say() -> None:
    assert (DATA / "datapackage.json").read_text(encoding="utf-8") == descriptor.text(DATA), (
        "data/datapackage.json is stale: python -m analysis.tables.descriptor"
    )


def test_every_file_is_in_the_package() -> None:
    assert {path.stem for path in DATA.glob("*.csv")} == set(NAMES)
    assert {path.stem for path in (DATA / "notes").glob("*.toml")} == {*NAMES, "package"}


@pytest.mark.parametrize(("name", "count"), AT_LEAST.items())
def test_no_row_was_lost(package: DataPackage, name: str, count: int) -> None:
    assert len(package.raw(name)) >= count


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_of_the_notes_in_their_order(package: DataPackage, name: str) -> None:
    assert list(package.raw(name).columns) == list(package.columns(name))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_plain_utf8_with_line_feeds(name: str) -> None:
    raw = (DATA / f"{name}.csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        widths = {len(row) for row in csv.reader(file)}
    assert len(widths) == 1, widths


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_a_column_with_a_unit_are_numbers(package: DataPackage, name: str) -> None:
    for column, field in package.columns(name).items():
        unit = units.parse(column)
        if unit is not None and unit.text != "date" and field["type"] == "string":
            assert column.endswith(("_date", "date", "year", "w")) or column in ("unit",), (
                f"{name}.{column} has a unit and holds text"
            )


def test_every_source_is_cited(package: DataPackage) -> None:
    cited = {source for name in NAMES if name != "sources" for source in tables.source_ids(package.raw(name))}
    assert set(package.raw("sources")["source_id"]) == cited


def test_rows_that_rest_on_an_unrecorded_source_alone_are_estimates(package: DataPackage) -> None:
    kinds = package.raw("sources").set_index("source_id")["kind"]
    exceptions = {"apple-a17-pro": "its area is confirmed by a second source"}
    for name in NAMES:
        table = package.raw(name)
        if "confidence" in table:
            alone = table["source_id"].map(kinds).eq("unrecorded")
            if "second_source_id" in table:
                alone &= ~table["second_source_id"].map(kinds).notna()
            bad = table[alone & (table["confidence"] != "estimate")]
            assert set(bad.iloc[:, 0]) <= set(exceptions), f"{name}: {list(bad.iloc[:, 0])}"


def test_kept_values_are_those_of_the_tables(package: DataPackage) -> None:
    stated = package.raw("disagreements")
    for _, row in stated[stated["kept"] & (stated["row_id"] != "")].iterrows():
        table = package.raw(row["table"])
        found = table[table.iloc[:, 0] == row["row_id"]]
        assert len(found) == 1, f"{row['disagreement_id']}: no row {row['row_id']} in {row['table']}"
        value = found.iloc[0][row["column"]]
        if isinstance(value, float):
            assert value == pytest.approx(float(row["value"]), rel=1e-3), row["disagreement_id"]
        else:
            assert str(value).lower() == row["value"].lower(), row["disagreement_id"]


def test_laptop_and_desktop_parts_of_one_name_are_separate_rows(package: DataPackage) -> None:
    devices = package.raw("devices")
    assert not devices.duplicated(["name", "memory_capacity_gibyte", "device_class"]).any()


def test_the_reference_areas_are_those_of_the_dies(package: DataPackage) -> None:
    areas = package.raw("area_references").set_index("area_id")["area_mm2"]
    dies = package.raw("dies").set_index("die_id")["area_mm2"]
    for name in ("apple-a17-pro", "apple-m3"):
        assert areas[name] == dies[name]


def test_a_quantity_filed_in_either_of_two_units_is_read_as_one(package: DataPackage) -> None:
    capacity = package.table("accelerators")["memory_capacity_byte"]
    assert capacity.notna().all()
    tpu = package.row("accelerators", "google-tpu-v4")
    assert tpu["memory_capacity_byte"] == 32 * 2**30


def test_base_units() -> None:
    raw = pd.DataFrame(
        {"memory_bandwidth_gbyte_per_s": [34.1], "memory_capacity_gibyte": [6.0], "n_layer": [32], "name": ["x"]}
    )
    base = tables.in_base_units(raw)
    assert list(base.columns) == ["memory_bandwidth_byte_per_s", "memory_capacity_byte", "n_layer", "name"]
    assert base.iloc[0].tolist() == [34.1e9, 6 * 2**30, 32, "x"]
