"""The chapter on storage: worked numbers of others, limits, conclusions that follow the data, charts of what exists."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from analysis.errors import InputError
from analysis.figures import Value
from analysis.subjects import common
from analysis.subjects.storage_io import charts, derived, findings
from analysis.tables import REPOSITORY, DataPackage
from tests.conftest import GIVEN, number

READER = {"reading_speed_word_per_min": 250.0, "token_per_word": 2.0}
MODEL, RESERVE, DATE = "llama-7b", 2.0, "2023-05-13"
CHAPTER = REPOSITORY / "chapters" / "storage_io.md"
SLIDER = 1e-3
"""A slider starts at a rounded value: two decimals of a billion."""


def values(package: DataPackage, **changed: Any) -> dict[str, Value]:
    return {value.id.removeprefix("storage-io-"): value for value in findings.values(package, GIVEN.but(**changed))}


@pytest.fixture(scope="module")
def said(package: DataPackage) -> dict[str, Value]:
    return values(package)


def edited(folder: Path, table: str, change: Callable[[dict[str, str]], None]) -> DataPackage:
    """A copy of the data whose rows went through ``change``."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return DataPackage(folder)


def cell(key: str, **cells: str) -> Callable[[dict[str, str]], None]:
    return lambda row: row.update(cells) if key in row.values() else None


# Worked numbers of others


def test_a_seven_billion_model_streams_14_gigabytes_a_token(said: dict[str, Value]) -> None:
    """SemiAnalysis, 13 May 2023: 7 billion FP16 parameters need 14 GB/s; which is right for one token a second."""
    assert number(said, "article-token") == pytest.approx(14e9)
    assert number(said, "article-hidden") == pytest.approx(14e9)
    assert number(said, "article-reading") == pytest.approx(14e9 * 250 * 2 / 60)


def test_one_gigabyte_a_second_carries_two_billion_parameters_at_one_token_a_second(said: dict[str, Value]) -> None:
    """SemiAnalysis, 13 May 2023: about 2 billion parameters at 1 GB/s and 4 bits."""
    assert number(said, "largest-hidden") == pytest.approx(2e9)
    assert number(said, "largest-reading") == pytest.approx(0.24e9)
    assert number(said, "largest-half") == pytest.approx(0.12e9)
    assert number(said, "hidden-ratio") == pytest.approx(8.333, rel=1e-3)


def test_a_dense_model_on_a_slow_drive_runs_at_the_limit(package: DataPackage) -> None:
    """llama.cpp pull request 711, April 2023: 20 GB on a drive of 1 GB/s took 20 s a token."""
    runs = derived.offload_measured(package).set_index("measurement_id")
    assert runs.loc["storage-055", "limit_token_per_s"] == pytest.approx(1 / 20)
    assert runs.loc["storage-055", "speedup_ratio"] == pytest.approx(1)


def test_flash_moe_reads_less_than_a_hundredth(package: DataPackage, said: dict[str, Value]) -> None:
    """Flash-MoE: 4 experts of 6.75 MiB in 60 layers are 1.70 GB a token; 71 % hit the page cache; 4.36 tokens/s."""
    steps = derived.flash_moe(package)
    expert = 6.75 * 2**20 * 60
    read = [224.4e9, 10 * expert, 4 * expert, 0.29 * 4 * expert]
    assert list(steps["storage_byte_per_token"]) == pytest.approx(read)
    assert list(steps["io_needed_byte_per_s"]) == pytest.approx([4.36 * byte for byte in read])
    assert "more than any maker" in said["moe-doubt"].text


def test_an_expert_has_the_bytes_of_its_matrices_and_all_experts_fit_their_file(package: DataPackage) -> None:
    """Three matrices of 4096 by 1024 at 4 bits, with two 16-bit numbers for 64 weights; a "MB" of 10^6 would break the second rule."""
    size = package.row("facts", "flash-moe-expert-size")
    byte = common.base(size["value"], size["unit"])
    assert byte == 3 * 4096 * 1024 * (4 + 2 * 16 / 64) / 8 == 7_077_888
    runs = package.table("measurements_storage")
    runs = runs[runs["model"].str.contains("397B-A17B 4bit", regex=False)]
    assert len(runs) == 3
    assert (runs["weight_byte"] >= byte * 512 * 60).all()


def test_the_four_readings_of_seven_seconds(package: DataPackage) -> None:
    readings = derived.seven_seconds(package, token_per_word=2).set_index("reading")
    assert list(readings["half_word_s"]) == pytest.approx([7, 7, 7, 14])
    assert list(readings["agrees"]) == [True, True, True, False]


def test_reading_the_sentence_with_english_tokens(package: DataPackage) -> None:
    """At 4/3 tokens a word half a word is two thirds of a token: 9.3 s as written."""
    readings = derived.seven_seconds(package, token_per_word=4 / 3).set_index("reading")["half_word_s"]
    assert readings["d"] == pytest.approx(14 * 2 / 3)
    assert readings["c"] == pytest.approx(7)


def test_what_a_drive_of_a_phone_can_have_delivered(said: dict[str, Value]) -> None:
    """PowerInfer-2: 11.68 tokens/s on UFS 4.0, a class of 4.2 GB/s."""
    assert number(said, "phone-sparse-byte") == pytest.approx(4.2e9 / 11.68)


# Drives


def test_drives_are_ordered_named_and_sourced(package: DataPackage) -> None:
    table = derived.drives(package)
    assert table["storage_read_byte_per_s"].is_monotonic_increasing
    assert table["storage_read_byte_per_s"].between(0.5e9, 25e9).all()
    assert table["drive_id"].is_unique
    assert set(table["source_id"]) <= set(package.table("sources")["source_id"])
    assert {"Samsung 990 Pro", "UFS 4.0", "First PCIe 5.0 drives", "PNY CS3250"} <= set(table["name"])


def test_a_drive_that_stands_for_a_slot_is_no_devices_drive(package: DataPackage) -> None:
    assert not derived.drives(package)["drive_id"].str.startswith("desktop-").any()


def test_measured_and_stated_speeds_are_told_apart(package: DataPackage) -> None:
    basis = derived.drives(package).set_index("drive_id")["basis"]
    assert basis["iphone-14-pro-max"] == derived.MEASURED
    assert basis["galaxy-s22-ultra"] == derived.MEASURED
    assert basis["macbook-pro-16-m5-max-128gb"] == derived.STATED
    assert basis["ufs-4.0-read"] == derived.STATED
    assert basis["storage-094"] == derived.STATED


def test_a_single_drive_above_every_makers_word_is_doubted(package: DataPackage) -> None:
    table = derived.drives(package).set_index("drive_id")
    assert set(table.index[table["is_doubtful"]]) == {"storage-090", "storage-092"}
    assert not table.loc["storage-096", "is_doubtful"]


def test_the_month_of_the_article_is_not_before_it(package: DataPackage) -> None:
    """The Crucial T700 went on sale at the end of May 2023."""
    assert derived.fastest(derived.drives(package), before=DATE)["drive_id"] == "ssd-first-pcie-5"


def test_a_date_before_all_drives_is_refused_with_what_to_do(package: DataPackage) -> None:
    with pytest.raises(InputError, match=r"on sale before 2001-01.*Add one"):
        derived.fastest(derived.drives(package), before="2001-01-01")


def test_drives_without_a_date_stay_out_of_the_years(package: DataPackage) -> None:
    table = derived.storage_speeds(package, article_date=DATE)
    assert "ufs-3.1-read" not in set(table["drive_id"])
    assert table["sold_year"].between(2020, 2027).all()
    assert set(table.loc[table["is_doubtful"], "label"].str[-1]) == {"?"}


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Desktop, Core i9-13900K, DDR5-5600", "Core i9-13900K"),
        ("MacBook Pro 16 (M5 Max, 40-core GPU), 128 GB", "MacBook Pro 16 (M5 Max)"),
        ("MacBook Air (M2), 256 GB", "MacBook Air (M2)"),
        ("iPhone 14 Pro Max", "iPhone 14 Pro Max"),
    ],
)
def test_names_lose_what_does_not_matter(name: str, short: str) -> None:
    assert derived.short_name(name) == short


# Limits and consistency


def test_speed_falls_with_bits_and_rises_with_the_drive(package: DataPackage) -> None:
    table = derived.streaming_speed(package, reference_model=MODEL)
    drives = table[table["role"] == "drive"].drop_duplicates(["storage_read_byte_per_s", "format_id"])
    grid = drives.pivot_table(index="storage_read_byte_per_s", columns="byte_per_param", values="token_per_s")
    assert (grid.diff().dropna() > 0).all().all()
    assert (grid.diff(axis=1).iloc[:, 1:] < 0).all().all()
    assert "is_doubtful" not in table


def test_no_drive_reaches_the_reader_where_the_sentence_says_so(package: DataPackage, said: dict[str, Value]) -> None:
    drives = derived.streaming_speed(package, reference_model=MODEL).query("role == 'drive'")
    assert drives["token_per_s"].max() < number(said, "reading-rate")
    assert said["answer"].text.startswith("Not at reading speed")
    assert number(said, "needed-int4") == pytest.approx(6.7384e9 / 2 * 500 / 60)


def test_the_largest_model_is_the_inverse_of_the_speed(package: DataPackage) -> None:
    table = derived.largest_streamed(package, GIVEN)
    again = table["storage_read_byte_per_s"] / (table["largest_param"] * table["byte_per_param"])
    assert list(again) == pytest.approx(list(table["token_per_s"]))


def resident(package: DataPackage, reserve: float = RESERVE) -> pd.DataFrame:
    return derived.resident_share(package, GIVEN.but(system_reserve_gibyte=reserve))


def test_the_ends_of_caching_are_the_drive_and_the_memory(package: DataPackage) -> None:
    table = resident(package).query("role == 'line'")
    none, whole = table[table["resident_share"] == 0], table[table["resident_share"] == 1]
    assert list(none["token_per_s"]) == pytest.approx(list(none["storage_read_byte_per_s"] / none["weight_byte"]))
    assert list(whole["token_per_s"]) == pytest.approx(
        list(whole["memory_bandwidth_byte_per_s"] / whole["weight_byte"])
    )


def test_half_in_memory_never_quite_doubles(package: DataPackage, said: dict[str, Value]) -> None:
    assert 1.8 < number(said, "cache-half") < 2
    assert number(said, "cache-most") < 10
    assert number(said, "cache-all") == pytest.approx(51.2 / 1.53)


def test_memory_is_binary_and_what_one_app_may_take(package: DataPackage, said: dict[str, Value]) -> None:
    assert number(said, "cache-share") == pytest.approx(0.652 * 6 * 2**30 / (2 * 6.7384e9))
    assert resident(package, reserve=64.0).query("role == 'memory'")["resident_share"].min() == 0


def test_rows_beyond_the_memory_are_marked(package: DataPackage) -> None:
    table = resident(package)
    assert table.loc[table["role"] == "memory", "is_held"].all()
    phone = table[(table["device_id"] == derived.CACHING_DEVICES[0]) & (table["role"] == "line")]
    assert set(phone.loc[phone["is_held"], "resident_share"]) == {0.0, 0.1, 0.2, 0.3}


def test_the_share_needed_gives_exactly_the_rate(package: DataPackage) -> None:
    laptop = resident(package).query(f"device_id == '{derived.CACHING_DEVICES[-1]}'")
    share, row = derived.share_needed(laptop, 25 / 3), laptop.iloc[0]
    seconds = row["weight_byte"] * (
        (1 - share) / row["storage_read_byte_per_s"] + share / row["memory_bandwidth_byte_per_s"]
    )
    assert 1 / seconds == pytest.approx(25 / 3)
    assert derived.share_needed(laptop, 1e4) != derived.share_needed(laptop, 1e4)


def test_only_runs_that_a_drive_could_limit_are_compared(package: DataPackage) -> None:
    runs = derived.offload_measured(package)
    assert not set(runs["explained_by"]) & set(derived.NOT_STREAMED)
    assert runs["weight_byte"].notna().all()
    assert "storage-056" not in set(runs["measurement_id"])
    assert set(runs["source_id"]) <= set(package.table("sources")["source_id"])


def test_reasons_agree_with_the_arithmetic(package: DataPackage) -> None:
    runs = derived.offload_measured(package)
    assert (runs.loc[runs["explained_by"] == "page-cache", "speedup_ratio"] > 1).all()
    assert (runs.loc[runs["explained_by"] == "storage", "speedup_ratio"] <= 1).all()
    assert (runs.loc[runs["explained_by"] == "sparsity", "speedup_ratio"] > 10).all()


def test_the_counts_of_the_prose_add_up(said: dict[str, Value]) -> None:
    count = {key: int(said[f"measured-{key}"].text) for key in ("above", "sparse", "cache", "rest")}
    assert count["above"] == count["sparse"] + count["cache"] + count["rest"]
    assert count["above"] <= int(said["measured-count"].text.split()[0])


# Conclusions follow the data


def test_a_fast_enough_drive_turns_the_answer(data_copy: Path) -> None:
    found = values(edited(data_copy, "facts", cell("ssd-fastest-2026", value="40")))
    assert found["answer"].text.startswith("Yes")
    assert (found["enough"].text, found["dense"].text) == ("enough for", "no longer agree")
    assert "within what makers state" in found["moe-doubt"].text


def test_a_small_model_turns_the_answer(package: DataPackage) -> None:
    assert values(package, reference_model="llama-3.2-1b")["answer"].text.startswith("Yes")


def test_slower_drives_of_2023_would_bear_the_article_out(data_copy: Path) -> None:
    def slow(row: dict[str, str]) -> None:
        if row["fact_id"].startswith("ssd-") and row["date"] < "2023-05":
            row["value"] = "5"

    found = values(edited(data_copy, "facts", slow))
    assert found["then-verdict"].text == "stayed within it"
    assert found["then-title"].text == "had not passed"


@pytest.mark.long
def test_a_slow_phone_is_counted(data_copy: Path, said: dict[str, Value]) -> None:
    assert said["below"].text == "1 of 8 devices"
    found = values(edited(data_copy, "devices", cell("iphone-14-pro-max", storage_read_gbyte_per_s="0.8")))
    assert found["below"].text == "2 of 8 devices"


def test_seven_seconds_as_written_would_agree_on_a_drive_twice_as_fast(data_copy: Path) -> None:
    found = values(edited(data_copy, "claims", cell("most-below-1gbs", article_value="2")))
    assert number(found, "seven-written") == pytest.approx(7)
    assert found["seven-count"].text == "1 of the 4 readings"


def test_out_of_reach_is_said(package: DataPackage) -> None:
    assert values(package, reading_speed_word_per_min=5000.0)["cache-needed"].text == "more than all of the weights"


# Charts


def drawn(package: DataPackage) -> dict[str, Any]:
    rate, size = GIVEN.reading_token_per_s, common.model(package, MODEL)["active_param"]
    streaming = derived.streaming_speed(package, reference_model=MODEL)
    speeds = derived.storage_speeds(package, article_date=DATE)
    star = derived.article_stream(package)
    largest = derived.largest_streamed(package, GIVEN)
    made = {
        "streaming-speed": charts.streaming_speed(streaming, star, model_param=size, **READER),
        "storage-speeds": charts.storage_speeds(speeds, said={"Article": derived.article_fastest(package)}),
        "largest-streamed": charts.largest_streamed(largest, derived.article_largest(package), **READER),
        "seven-seconds": charts.seven_seconds(derived.seven_seconds(package, token_per_word=2), said_s=7),
        "resident-share": charts.resident_share(resident(package), model_param=size, rate_token_per_s=rate),
        "offload": charts.offload_measured(derived.offload_measured(package), rate_token_per_s=rate),
        "sparse-reads": charts.sparse_reads(derived.flash_moe(package), fastest_byte_per_s=14.9e9),
    }
    return {name: chart.to_dict() for name, chart in made.items()}


@pytest.fixture(scope="module")
def specs(package: DataPackage) -> dict[str, Any]:
    return drawn(package)


def fields(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["field"]} if isinstance(node.get("field"), str) else set()
        return own.union(*(fields(value) for value in node.values()))
    return set().union(*(fields(value) for value in node)) if isinstance(node, list) else set()


@pytest.mark.long
def test_charts_encode_only_what_their_tables_hold(specs: dict[str, Any]) -> None:
    for name, spec in specs.items():
        columns = {column for rows in spec["datasets"].values() for row in rows for column in row}
        made = set(re.findall(r"'as': '(\w+)'", str(spec)))
        assert fields(spec) <= columns | made, name
        assert not {"width", "height", "config", "title"} & set(spec) - {"config"}, name


def evaluated(expression: str, row: dict[str, Any], parameters: dict[str, float]) -> float:
    """A calculate expression of Vega, for one row."""
    for column, value in row.items():
        expression = expression.replace(f"datum.{column}", repr(value))
    return float(eval(expression, {"__builtins__": {}}, parameters))  # noqa: S307 - our own expression


def started(spec: Any) -> dict[str, float]:
    return {param["name"]: param["value"] for param in spec["params"] if "value" in param}


def formulas(spec: Any, column: str) -> set[str]:
    return set(re.findall(rf"'calculate': ['\"]([^'\"]+)['\"], 'as': '{column}'", str(spec)))


def compare(expression: str, table: pd.DataFrame, column: str, spec: Any) -> None:
    for row in table.select_dtypes("number").to_dict("records"):
        named = {str(key): value for key, value in row.items()}
        assert evaluated(expression, named, started(spec)) == pytest.approx(row[column], rel=SLIDER)


@pytest.mark.long
def test_the_browser_streams_as_the_table_does(package: DataPackage, specs: dict[str, Any]) -> None:
    spec, table = specs["streaming-speed"], derived.streaming_speed(package, reference_model=MODEL)
    (streamed,) = {each for each in formulas(spec, "token_per_s") if "byte_per_param" in each}
    (reading,) = formulas(spec, "token_per_s") - {streamed}
    compare(streamed, table, "token_per_s", spec)
    assert evaluated(reading, {}, started(spec)) == pytest.approx(25 / 3)


def test_the_browser_sizes_models_as_the_table_does(package: DataPackage, specs: dict[str, Any]) -> None:
    spec = specs["largest-streamed"]
    (expression,) = formulas(spec, "largest_param")
    compare(expression, derived.largest_streamed(package, GIVEN), "largest_param", spec)


def test_the_browser_caches_as_the_table_does(package: DataPackage, specs: dict[str, Any]) -> None:
    spec = specs["resident-share"]
    (expression,) = formulas(spec, "token_per_s")
    lines = resident(package)
    compare(expression, lines[lines["role"] == "line"], "token_per_s", spec)
    (held,) = {each for each in formulas(spec, "resident_share") if each.startswith("min")}
    ends = lines[lines["role"] == "memory"]
    for row in ends[["usable_byte", "resident_share"]].to_dict("records"):
        weight = held.replace("min(1, ", "").removesuffix(")")
        assert min(1, evaluated(weight, {str(k): v for k, v in row.items()}, started(spec))) == pytest.approx(
            row["resident_share"], rel=SLIDER
        )


def test_nothing_known_falls_outside_the_axes(package: DataPackage) -> None:
    runs = derived.offload_measured(package)
    assert runs["limit_token_per_s"].between(0.003, 30).all()
    assert runs["token_per_s"].between(0.02, 60).all()
    assert set(runs["explained_by"].replace(charts.OTHER)) <= set(charts.REASONS)
    assert derived.storage_speeds(package, article_date=DATE)["storage_read_byte_per_s"].between(0.6e9, 25e9).all()
    assert derived.flash_moe(package)["io_needed_byte_per_s"].between(0.01e9, 20e12).all()
    assert resident(package)["token_per_s"].between(0.02, 200).all()


# The chapter


def test_every_value_is_defined_once_and_says_what_it_is(package: DataPackage) -> None:
    known = set(package.table("sources")["source_id"])
    found = findings.values(package, GIVEN)
    assert len({value.id for value in found}) == len(found)
    assert all(value.definition and value.as_dict()["text"] not in ("", "unknown") for value in found)
    assert {source for value in found for source in value.sources} <= known


def test_the_chapter_cites_only_values_it_has(said: dict[str, Value]) -> None:
    text = CHAPTER.read_text(encoding="utf-8")
    assert {key.removeprefix("storage-io-") for key in re.findall(r"\{value\}`([\w-]+)`", text)} <= set(said)
    assert set(re.findall(r"said\['([\w-]+)'\]", text)) <= set(said)


def test_the_chapter_shows_a_verdict_for_each_of_its_claims(package: DataPackage) -> None:
    claims = package.table("claims")
    own = set(claims.loc[claims["chapter"] == "storage_io", "claim_id"])
    assert set(re.findall(r"\{verdict\}`([\w-]+)`", CHAPTER.read_text(encoding="utf-8"))) == own


def test_the_chapters_parameters_are_the_books() -> None:
    declared = dict(re.findall(r"^(\w+): \w+ = (.+)$", CHAPTER.read_text(encoding="utf-8"), re.MULTILINE))
    book = yaml.safe_load((CHAPTER.parent / "parameters.yml").read_text(encoding="utf-8"))
    assert {name: yaml.safe_load(value) for name, value in declared.items()} == {
        name: book[name]["default"] for name in declared
    }
