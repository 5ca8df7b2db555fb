"""The chapter on SRAM: worked numbers of others, limits, conclusions that follow the data, charts of what exists."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from analysis.figures import Value
from analysis.subjects import common
from analysis.subjects.sram_density import charts, derived, findings
from analysis.tables import REPOSITORY, DataPackage
from tests.conftest import GIVEN

MODEL, EFFICIENCY = "llama-7b", 0.7
CHAPTER = REPOSITORY / "chapters" / "sram_density.md"


@cache
def values(package: DataPackage) -> dict[str, Value]:
    found = findings.values(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=EFFICIENCY))
    return {value.id.removeprefix("sram-density-"): value for value in found}


def number(package: DataPackage, key: str) -> float:
    found = values(package)[key].number
    assert found is not None
    return found


def edit(folder: Path, table: str, key: str, **cells: str) -> DataPackage:
    """A copy of the data with some cells of one row changed."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    rows = [row | cells if row[first] == key else row for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return DataPackage(folder)


# Worked numbers of others


def test_three_nanometres_hold_what_the_article_says(package: DataPackage) -> None:
    """SemiAnalysis, 13 May 2023: about 0.6 GB on 100 mm2 of TSMC 3 nm, overheads not counted."""
    stated = number(package, "article-capacity")
    assert stated == pytest.approx(0.6e9)
    assert number(package, "n3-bare") == pytest.approx(stated, rel=0.1)
    assert number(package, "n3e-bare") == pytest.approx(stated, rel=0.1)


def test_arrays_are_counted_in_binary_megabits(package: DataPackage) -> None:
    """WikiChip Fuse on IEDM 2022: 33.55 and 31.8 Mib/mm2, cells less about 30 percent (not 0.419 and 0.398 GB)."""
    assert number(package, "n3-stated") == pytest.approx(33.55 * 2**20 * 100 / 8)
    assert number(package, "n3e-stated") == pytest.approx(31.8 * 2**20 * 100 / 8)
    assert number(package, "n3-stated") / number(package, "n3-bare") == pytest.approx(0.70, abs=0.002)


def test_a_foundrys_arrays_are_counted_in_decimal_megabits(package: DataPackage) -> None:
    """TSMC at IEDM 2024: 38 Mb/mm2 for N2."""
    table = derived.capacity_by_node(package, array_efficiency_share=EFFICIENCY).set_index("cell_id")
    assert table.loc["tsmc-n2-hd", "stated_capacity_byte"] == pytest.approx(38e6 * 100 / 8)


def test_the_articles_14_gigabytes_cover_2229_square_millimetres(package: DataPackage) -> None:
    row = derived.article_area(package).iloc[0]
    assert row["weight_byte"] == pytest.approx(14e9)
    assert row["area_mm2"] == pytest.approx(14e9 * 8 * 0.0199e-6)


def test_the_caches_of_known_chips_per_100_square_millimetres(package: DataPackage) -> None:
    """H100: 50 MiB and 132 x 256 KiB on 814 mm2.  V-Cache: 64 MiB on 36 mm2.  WSE-3: 44 GB on 46,225 mm2."""
    table = derived.dies(package).set_index("die_id")["sram_on_100mm2_byte"]
    assert table["nvidia-h100"] == pytest.approx(83 * 2**20 / 8.14)
    assert table["amd-v-cache-gen-2"] == pytest.approx(64 * 2**20 / 0.36)
    assert table["cerebras-wse-3"] == pytest.approx(44e9 / 462.25)


def test_m3_is_larger_than_the_article_foresaw(package: DataPackage) -> None:
    assert number(package, "smaller-than-m3") == pytest.approx(1 - 100 / 146)
    assert number(package, "smaller-than-m3") > 1.1 * number(package, "article-smaller")
    assert number(package, "smaller-than-m3-forecast-low") == pytest.approx(1 - 100 / 135)


def test_the_wafer_gained_a_tenth_of_memory_in_one_step(package: DataPackage) -> None:
    """Cerebras: 40 to 44 GB, 2.6 to 4.0 trillion transistors, the same area."""
    assert number(package, "wse-more-memory") == pytest.approx(0.1)
    assert number(package, "wse-more-transistors") == pytest.approx(4.0 / 2.6 - 1)


def test_the_cell_halves_far_slower_than_it_did(package: DataPackage) -> None:
    """Least squares by hand: ln(area) of 2011, 2013, 2014, 2017 and 2019 falls 0.2372 a year; of 2019, 2022 and 2024 0.0350."""
    table = derived.shrink(package)
    assert list(table["start_year"]) == [2011, 2019]
    assert list(table["area_ratio"]) == pytest.approx([0.021 / 0.127, 0.0175 / 0.021])
    assert list(table["halving_year"]) == pytest.approx([math.log(2) / 0.2372, math.log(2) / 0.0350], rel=0.01)
    assert number(package, "behind") == pytest.approx(0.0175 / (0.021 * math.exp(-0.2372 * 5)), rel=1e-3)


# Limits and consistency


def test_capacity_and_area_are_each_others_inverse(package: DataPackage) -> None:
    areas = derived.area_for_the_weights(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=EFFICIENCY))
    bare = areas[(areas["format_id"] == "fp16") & (areas["basis"] == derived.BARE)].iloc[0]
    assert bare["area_mm2"] / 100 * number(package, "n3-bare") == pytest.approx(bare["weight_byte"])
    assert bare["weight_byte"] == pytest.approx(2 * package.row("models", MODEL)["total_param"])


def test_at_full_efficiency_arrays_are_bare_cells(package: DataPackage) -> None:
    areas = derived.area_for_the_weights(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=1))
    by_basis = areas.pivot_table(index="format_id", columns="basis", values="area_mm2")
    assert list(by_basis[derived.ARRAYS]) == pytest.approx(list(by_basis[derived.BARE]))


def test_fewer_bits_and_denser_memory_need_less_area(package: DataPackage) -> None:
    areas = derived.area_for_the_weights(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=EFFICIENCY))
    grid = areas.pivot_table(index="byte_per_param", columns="basis", values="area_mm2")
    assert grid.index.is_monotonic_increasing
    assert (grid.diff().dropna() > 0).all().all()
    assert ((grid[derived.BARE] < grid[derived.ARRAYS]) & (grid[derived.ARRAYS] < grid[derived.PROVEN])).all()


def test_no_real_chip_is_denser_than_bare_cells(package: DataPackage) -> None:
    assert derived.dies(package)["sram_on_100mm2_byte"].max() < number(package, "n3-bare")
    assert 0 < number(package, "v-cache-efficiency") < 1


def test_what_is_not_known_stays_out(package: DataPackage) -> None:
    chips = derived.dies(package)
    assert "apple-m5" not in set(chips["die_id"])
    assert chips["row"].notna().all()
    nodes = derived.capacity_by_node(package, array_efficiency_share=EFFICIENCY).set_index("cell_id")
    assert nodes["stated_capacity_byte"].isna()["tsmc-n7-hd"]
    assert "samsung-3-hd" not in nodes.index
    assert "sram-tsmc-n2" not in set(derived.other_memories(package)["memory_id"])


def test_a_chip_of_uncertain_area_is_never_the_one_named(package: DataPackage) -> None:
    named = derived.dies(package).query("highlight != ''")
    assert set(named["certainty"]) == {"stated"}
    assert named["row"].is_unique


def test_reference_areas_repeat_the_table_of_dies(package: DataPackage) -> None:
    areas = derived.yardsticks(package).set_index("area_id")["area_mm2"]
    for die_id in (derived.PHONE, derived.LAPTOP):
        assert areas[die_id] == package.row("dies", die_id)["area_mm2"]


def test_every_table_names_its_sources(package: DataPackage) -> None:
    known = set(package.table("sources")["source_id"])
    for table in (derived.dies(package), derived.cell_area_by_year(package), derived.memory_densities(package)):
        assert set(table["source_id"]) <= known


# Conclusions follow the data


def test_a_smaller_model_fits_and_the_sentences_say_so(data_copy: Path) -> None:
    package = edit(data_copy, "models", MODEL, total_gparam="0.1")
    found = {key: value.text for key, value in values(package).items()}
    assert found["fit-phone-bare"] == "every format fits"
    assert found["conclusion"].startswith("a memory that can share a die")


@pytest.mark.long
def test_a_larger_chip_takes_the_smallest_format_only(data_copy: Path) -> None:
    package = edit(data_copy, "area_references", derived.PHONE, area_mm2="600")
    assert values(package)["fit-phone-bare"].text == "only int4 fits"


def test_today_no_format_fits_a_phone_chip(package: DataPackage) -> None:
    found = {key: value.text for key, value in values(package).items()}
    assert (found["fit-phone-bare"], found["fit-reticle-array"]) == ("no format fits", "only int4 fits")
    assert found["conclusion"].startswith("no memory")


@pytest.mark.long
def test_a_gigabyte_of_mram_on_sale_changes_the_sentence(data_copy: Path) -> None:
    package = edit(data_copy, "emerging_memory", "stt-mram-everspin-1gb", capacity_gbit="64")
    found = values(package)
    assert found["emerging-reach"].text == "1 product on sale reaches a gigabyte"
    assert found["conclusion"].text.startswith("a memory")


def test_a_memory_that_was_only_shown_is_not_on_sale(package: DataPackage) -> None:
    assert number(package, "emerging-sold") == pytest.approx(0.125e9)
    assert number(package, "emerging-shown") == pytest.approx(4e9)


# Charts and chapter


def _drawn(package: DataPackage) -> dict[str, Callable[[], Any]]:
    areas = derived.area_for_the_weights(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=EFFICIENCY))
    nodes = derived.capacity_by_node(package, array_efficiency_share=EFFICIENCY)
    needed = derived.weights(package, reference_model=MODEL)
    return {
        "area": lambda: charts.area_for_the_weights(
            areas, derived.yardsticks(package), derived.article_area(package),
            total_param=derived.total_param(package, MODEL), array_efficiency_share=EFFICIENCY,
        ),
        "nodes": lambda: charts.capacity_by_node(
            nodes, derived.article_capacity(package), array_efficiency_share=EFFICIENCY
        ),
        "dies": lambda: charts.dies(derived.dies(package), 628e6),
        "years": lambda: charts.cell_area_by_year(derived.cell_area_by_year(package), derived.old_pace(package)),
        "memories": lambda: charts.other_memories(derived.other_memories(package), needed),
        "densities": lambda: charts.memory_densities(derived.memory_densities(package), needed),
    }  # fmt: skip


def _fields(spec: Any) -> set[str]:
    if isinstance(spec, dict):
        own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
        return own.union(*(_fields(value) for value in spec.values()))
    return set().union(*(_fields(value) for value in spec)) if isinstance(spec, list) else set()


@pytest.mark.long
@pytest.mark.parametrize("name", ["area", "nodes", "dies", "years", "memories", "densities"])
def test_charts_encode_columns_that_exist(package: DataPackage, name: str) -> None:
    spec = _drawn(package)[name]().to_dict()
    columns = {column for rows in spec["datasets"].values() for row in rows for column in row}
    text = str(spec)
    made = set(re.findall(r"'as': '(\w+)'", text)) | {"kind", "capacity_byte"}
    assert _fields(spec) <= columns | made
    assert "width" not in spec
    assert "title" not in spec


def _evaluated(expression: str, row: dict[str, Any], parameters: dict[str, float]) -> float:
    """A calculate expression of Vega, for one row."""
    for column, value in row.items():
        expression = expression.replace(f"datum.{column}", repr(value))
    expression = re.sub(r"\(([^()]+) \? ([^()]+) : ([^()]+)\)", r"((\2) if \1 else (\3))", expression)
    return float(eval(expression, {"__builtins__": {}}, parameters))  # noqa: S307 - our own expression


@pytest.mark.long
def test_the_browser_computes_the_areas_of_the_table(package: DataPackage) -> None:
    areas = derived.area_for_the_weights(package, GIVEN.but(reference_model=MODEL, array_efficiency_share=EFFICIENCY))
    spec = _drawn(package)["area"]().to_dict()
    (expression,) = set(re.findall(r"'calculate': [\"'](8 \* model_size.+?)[\"'], 'as'", str(spec)))
    defaults = {param["name"]: param["value"] for param in spec["params"]}
    for row in areas[["basis", "byte_per_param", "density_bit_per_mm2", "area_mm2"]].to_dict("records"):
        named = {str(column): value for column, value in row.items()}
        assert _evaluated(expression, named, defaults) == pytest.approx(row["area_mm2"], rel=1e-9)


def test_the_browser_computes_the_arrays_of_the_table(package: DataPackage) -> None:
    table = derived.capacity_by_node(package, array_efficiency_share=EFFICIENCY)
    spec = _drawn(package)["nodes"]().to_dict()
    assert [param["value"] for param in spec["params"]] == [pytest.approx(100 * EFFICIENCY)]
    assert "datum.bare_capacity_byte * node_efficiency / 100" in str(spec)
    assert list(table["bare_capacity_byte"] * EFFICIENCY) == pytest.approx(list(table["array_capacity_byte"]))


def test_nothing_known_falls_outside_the_axes(package: DataPackage) -> None:
    assert derived.dies(package)["sram_on_100mm2_byte"].between(4e6, 1.2e9).all()
    assert derived.other_memories(package)["capacity_byte"].between(2e6, 2e12).all()
    assert derived.memory_densities(package)["capacity_on_100mm2_byte"].between(5e7, 1e12).all()
    assert derived.cell_area_by_year(package)["bitcell_area_mm2"].between(5e-9, 1.6e-7).all()
    nodes = derived.capacity_by_node(package, array_efficiency_share=EFFICIENCY)
    assert nodes["bare_capacity_byte"].max() < 8e8
    assert set(derived.other_memories(package)["row"]) <= set(charts.MEMORY_ROWS)
    assert set(derived.dies(package)["row"]) == set(charts.DIE_COLOURS)


def test_the_chapter_cites_only_values_it_has(package: DataPackage) -> None:
    text = CHAPTER.read_text(encoding="utf-8")
    found = values(package)
    assert {key.removeprefix("sram-density-") for key in re.findall(r"\{value\}`([\w-]+)`", text)} <= set(found)
    assert set(re.findall(r"said\['([\w-]+)'\]", text)) <= set(found)


def test_the_chapter_shows_a_verdict_for_each_of_its_claims(package: DataPackage) -> None:
    claims = package.table("claims")
    own = set(claims.loc[claims["chapter"] == "sram_density", "claim_id"])
    assert set(re.findall(r"\{verdict\}`([\w-]+)`", CHAPTER.read_text(encoding="utf-8"))) == own


def test_formats_are_those_of_the_book() -> None:
    assert tuple(derived.FORMAT_WORDS) == common.FORMATS
