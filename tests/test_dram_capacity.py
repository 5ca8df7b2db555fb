"""Does it fit: footprints, verdicts, contexts, shares and prices, against others' numbers and changed data."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.equations import dram_capacity as equations
from analysis.errors import InputError
from analysis.model import memory_limits
from analysis.subjects.dram_capacity import charts, derived, findings
from analysis.tables import DataPackage
from tests import renderer
from tests.conftest import GIVEN

GIBYTE = 2**30
GRADES = {"no": 0, "barely": 1, "yes": 2}


@pytest.fixture(scope="module")
def package() -> DataPackage:
    return DataPackage(Path(__file__).resolve().parents[1] / "data")


@pytest.fixture(scope="module")
def matrix(package: DataPackage) -> pd.DataFrame:
    return derived.fit_matrix(package, GIVEN)


@pytest.fixture(scope="module")
def said(package: DataPackage) -> dict[str, str]:
    return findings.said(findings.values(package, GIVEN))


def edited(folder: Path, table: str, change: Callable[[dict[str, str]], None]) -> DataPackage:
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return DataPackage(folder)


# ---------------------------------------------------------------------------------- footprint


@pytest.mark.parametrize(
    ("model_id", "byte_per_token"),
    [
        # Zhao et al. 2025, Insights into DeepSeek-V3, table 1: cache per token at BF16, in kB
        ("deepseek-v3", 70_272),
        ("qwen2.5-72b", 327_680),
        ("llama-3.1-405b", 516_096),
        # scaling-book, applied inference: 163,840 bytes at int8 for Llama 3 70B
        ("llama-3.1-70b", 2 * 163_840),
    ],
)
def test_the_cache_of_a_token_is_what_others_print(package: DataPackage, model_id: str, byte_per_token: float) -> None:
    row = derived.models(package, [model_id]).iloc[0]
    assert row["full_kv_byte_per_token"] + row["window_kv_byte_per_token"] == byte_per_token


def test_the_cache_of_a_context_is_what_others_print(package: DataPackage) -> None:
    # scaling-book, inference: Llama 2 13B at 8192 tokens, 6.7 GB; whichllm's corrected value for Llama 2 7B at 4096
    assert derived.cache_byte(derived.models(package, ["llama-2-13b"]), 8192)[0] == pytest.approx(6.7e9, rel=0.01)
    assert derived.cache_byte(derived.models(package, ["llama-2-7b"]), 4096)[0] == 2_147_483_648


def test_a_window_stops_the_cache_from_growing(package: DataPackage) -> None:
    windowed = derived.models(package, ["mistral-7b-v0.1"])
    assert derived.cache_byte(windowed, 4096) == derived.cache_byte(windowed, 32768)
    hybrid = derived.models(package, ["gemma-3-12b"])
    short, long = (float(derived.cache_byte(hybrid, tokens)[0]) for tokens in (1024, 32768))
    assert short < long < 32 * short


def test_seven_billion_at_fp16_are_the_articles_fourteen_gigabytes_and_the_cache_comes_on_top(
    package: DataPackage,
) -> None:
    own = derived.footprints(package, GIVEN)
    own = own[own["is_reference"]].set_index("format_id")
    weight = own["weight_byte"]
    assert weight["fp16"] == pytest.approx(13.48e9, rel=1e-3)  # the published checkpoint: 13.48 GB
    assert (own["footprint_byte"] - weight == 2048 * 2 * 32 * 32 * 128 * 2).all()
    assert weight["q4-k-m"] / weight["fp16"] == pytest.approx(4.8944 / 16)
    assert own["kv_cache_byte"].nunique() == 1


def test_a_reference_model_beside_the_shown_ones_is_shown_too(package: DataPackage) -> None:
    table = derived.footprints(package, GIVEN.but(reference_model="phi-2"))
    assert set(table.loc[table["is_reference"], "model_id"]) == {"phi-2"}
    assert table["model_id"].nunique() == len(derived.shown(package)) + 1


def test_an_unknown_model_is_named(package: DataPackage) -> None:
    with pytest.raises(InputError, match=r"llama-3\.1-8b"):
        derived.footprints(package, GIVEN.but(reference_model="llama-3.1-8"))


def test_an_unknown_shape_stays_unknown(package: DataPackage) -> None:
    table = derived.fit_matrix(package, GIVEN.but(reference_model="gemini-nano-2"))
    own = table[table["is_reference"]]
    assert own["footprint_byte"].isna().all()
    assert set(own["fits"]) == {""}


# ---------------------------------------------------------------------------------- does it fit


def test_sixteen_on_the_box_are_binary(package: DataPackage) -> None:
    # turboquant-mlx, pull request 78: a planner that took 16e9 refused a model that ran
    table = derived.devices(package, GIVEN.but(system_reserve_gibyte=0.0)).set_index("device_id")
    assert table.loc["desktop-core-i5-12400-ddr4-16gb", "usable_byte"] == 17_179_869_184


def test_what_one_program_may_take_is_what_was_measured(package: DataPackage) -> None:
    """Prints of others: 11.84 of 16 GiB and 107.52 of 128 GiB on Macs, 5.33 of 8; 3.912 of 6 on an iPhone."""
    usable = derived.devices(package, GIVEN).set_index("device_id")["usable_byte"] / GIBYTE
    assert usable["macbook-air-m4-16gb"] == pytest.approx(11.84)
    assert usable["macbook-pro-16-m5-max-128gb"] == pytest.approx(107.52)
    assert usable["macbook-air-m2-8gb"] == pytest.approx(5.33, abs=0.005)
    assert usable["iphone-14"] == pytest.approx(3.912)
    # PyTorch's maintainers: about 300 MB of a card are gone with the context
    assert usable["rtx-4090-24gb"] == pytest.approx(24 - 300e6 / GIBYTE, abs=0.001)


def test_the_reserve_counts_where_the_system_s_own_limit_is_not_known(package: DataPackage) -> None:
    little, much = (
        derived.devices(package, GIVEN.but(system_reserve_gibyte=size)).set_index("device_id") for size in (1.0, 3.0)
    )
    lost = little["usable_byte"] - much["usable_byte"]
    assert (lost[["pixel-7", "desktop-core-i5-12400-ddr4-16gb"]] == 2 * GIBYTE).all()
    assert (lost[["iphone-14", "rtx-4090-24gb", "macbook-pro-16-m5-max-128gb"]] == 0).all()
    assert much.loc["pixel-7", "is_limit_estimate"]
    assert not much.loc["rtx-4090-24gb", "is_limit_estimate"]


def test_every_system_has_limits_in_order(package: DataPackage) -> None:
    table = package.table("memory_limits")
    assert set(table["system"]) == set(memory_limits.SYSTEMS)
    assert (table.groupby("system")["memory_from_byte"].min() == 0).all()
    assert (table["low_share"] <= table["limit_share"]).all()
    assert (table["limit_share"] <= table["high_share"]).all()
    devices = derived.devices(package, GIVEN)
    assert (devices["usable_low_byte"] <= devices["usable_byte"]).all()
    assert (devices["usable_byte"] <= devices["usable_high_byte"]).all()
    assert (devices["usable_high_byte"] <= devices["memory_capacity_byte"]).all()


def test_no_answer_inside_the_spread_of_an_estimate_is_better_than_barely(matrix: pd.DataFrame) -> None:
    inside = (matrix["footprint_byte"] > matrix["usable_low_byte"]) & (
        matrix["footprint_byte"] <= matrix["usable_high_byte"]
    )
    assert inside.any()
    assert set(matrix.loc[inside, "fits"]) == {"barely"}
    spare = 1 - matrix["footprint_byte"] / matrix["usable_byte"]
    assert (spare[matrix["fits"] == "yes"] >= 0.1).all()


def test_what_is_said_to_fit_where_no_limit_is_known_says_so(matrix: pd.DataFrame) -> None:
    """Gemma 3 12B as downloaded needs more than one app may take on an 8 GB iPhone, however little is kept."""
    own = matrix[(matrix["model_id"] == "gemma-3-12b") & (matrix["format_id"] == "q4-k-m")].set_index("device_id")
    assert own.loc["iphone-17", "fits"] == "no"
    # LLaMA 7B in FP16 was said to fit 16 GB MacBooks, whose graphics get 11.84 GiB
    llama = matrix[matrix["is_reference"] & (matrix["format_id"] == "fp16")].set_index("device_id")
    assert llama.loc["macbook-air-m4-16gb", "fits"] == "no"


def test_more_reserve_and_more_context_never_make_a_model_fit(package: DataPackage, matrix: pd.DataFrame) -> None:
    tighter = derived.fit_matrix(package, GIVEN.but(system_reserve_gibyte=4.0, context_token=32768))
    after, before = (table["fits"].map(GRADES) for table in (tighter, matrix))
    assert (after <= before).all()
    assert after.sum() < before.sum()


def test_what_fits_at_fp16_fits_in_fewer_bits(matrix: pd.DataFrame) -> None:
    wide = matrix.pivot(index=["device_id", "model_id"], columns="format_id", values="fits").replace(GRADES).astype(int)
    assert (wide["fp16"] <= wide["q8-0"]).all()
    assert (wide["q8-0"] <= wide["q4-k-m"]).all()


@pytest.mark.long
def test_the_articles_phone_misses_four_bits_and_misses_fp16_by_far(matrix: pd.DataFrame, said: dict[str, str]) -> None:
    own = matrix[matrix["is_reference"] & (matrix["device_id"] == "iphone-14")].set_index("format_id")
    # 3.912 of 6 GiB, less 6.7384e9 parameters of 4.8944 bits and 2048 tokens of 524,288 bytes
    left = 0.652 * 6 * GIBYTE - 6.7384e9 * 4.8944 / 8 - 2048 * 524288
    assert own.loc["q4-k-m", "headroom_byte"] == pytest.approx(left, rel=1e-4)
    assert own["headroom_byte"]["fp16"] < -10e9
    assert said["iphone-14-verdict"] == "holds the model in none of the three formats"
    assert said["iphone-14-room"] == "is 1.0 GB short"


@pytest.mark.long
def test_words_follow_the_data(data_copy: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["device_id"] == "iphone-14":
            row["memory_capacity_gibyte"] = "12"

    told = findings.said(findings.values(edited(data_copy, "devices", change), GIVEN))
    assert told["iphone-14-verdict"] == "holds the model in Q4_K_M and barely holds it in Q8_0"
    assert told["iphone-14-room"].endswith("to spare")
    assert told["holding-q4-k-m-2023"] == "7 and barely 3 more"


def test_the_table_of_fits_says_what_is_missing(package: DataPackage) -> None:
    table = derived.fit_table(package, GIVEN).set_index("device_id")
    assert str(table.loc["iphone-14", "fp16"]).replace(derived.NO_BREAK, " ") == "no: needs 14.6 GB, has 4.20 GB"
    assert str(table.loc["rtx-4090-24gb", "fp16"]).replace(derived.NO_BREAK, " ") == "yes: 14.6 GB of 25.5 GB"
    assert not table[list(derived.FORMAT_NAMES)].isna().to_numpy().any()


# ---------------------------------------------------------------------------------- largest context


def test_the_longest_context_fills_the_memory_exactly(package: DataPackage) -> None:
    table = derived.largest_context(package, GIVEN)
    cache = table["full_kv_byte_per_token"] * table["largest_context_token"] + table[
        "window_kv_byte_per_token"
    ] * np.minimum(table["largest_context_token"], table["window_token"])
    np.testing.assert_allclose(table["weight_byte"] + cache, table["usable_byte"], rtol=1e-9)


def test_no_context_where_the_weights_do_not_fit(package: DataPackage) -> None:
    table = derived.largest_context(package, GIVEN)
    assert (table["weight_byte"] < table["usable_byte"]).all()
    assert (table["largest_context_token"] >= 1).all()


def test_a_window_in_every_layer_sets_no_limit_once_it_is_full() -> None:
    table = pd.DataFrame(
        {"usable_byte": [8e9], "weight_byte": [4e9], "full_kv_byte_per_token": [0.0],
         "window_kv_byte_per_token": [131072.0], "window_token": [4096.0], "state_byte": [0.0]}
    )  # fmt: skip
    assert np.isnan(derived.context_within(table)[0])
    assert derived.context_within(table.assign(usable_byte=4.1e9))[0] == pytest.approx(0.1e9 / 131072)


# ---------------------------------------------------------------------------------- installed base


def test_shares_of_pcs_agree_with_the_sums_filed_beside_the_buckets(package: DataPackage) -> None:
    base = package.table("installed_base")
    filed = base[base["metric"].str.endswith("cumulative-share") & base["bucket_lower_byte"].notna()]
    assert len(filed) >= 10
    for row in filed.to_dict("records"):
        metric = row["metric"].replace("-cumulative", "")
        ours = derived.at_least_share(package, metric, row["date"], row["bucket_lower_byte"])
        assert ours == pytest.approx(row["share"], abs=2e-4), row["row_id"]


def test_shares_fall_with_the_memory_asked_for(package: DataPackage) -> None:
    table = derived.installed_base(package)
    for _, part in table.groupby(["metric", "date"]):
        shares = part.sort_values("threshold_byte")["share"].to_numpy()
        assert (np.diff(shares) <= 0).all()
        assert ((shares >= 0) & (shares <= 1)).all()


def test_fewer_bits_reach_more_pcs_and_video_memory_fewer_than_main(package: DataPackage) -> None:
    table = derived.holding_share(package, GIVEN)
    wide = table.pivot(index=["metric", "date"], columns="format_id", values="share")
    assert (wide["fp16"] <= wide["q8-0"]).all()
    assert (wide["q8-0"] <= wide["q4-k-m"]).all()
    assert (wide.loc[derived.VIDEO] <= wide.loc[derived.SYSTEM]).to_numpy().all()


@pytest.mark.long
def test_most_becomes_a_minority_when_the_survey_says_so(data_copy: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["row_id"] == "steam-system-ram-share-2023-05-16gb":
            row["share_percent"] = "5"

    package = edited(data_copy, "installed_base", change)
    assert findings.said(findings.values(package, GIVEN))["survey-verdict"] == "a minority of"


def test_the_mean_of_notebooks_gives_the_share_of_the_smaller_size(said: dict[str, str]) -> None:
    assert said["small-notebook-share-2023"] == "68.8 %"  # (16 - 10.5) / 8
    assert said["small-notebook-verdict"] == "more than half"
    assert said["small-notebook-share-2024"] == "52.5 %"


# ---------------------------------------------------------------------------------- price


def test_one_series_is_one_product_in_one_survey(package: DataPackage) -> None:
    table = derived.prices(package)
    for _, part in table.groupby("series"):
        assert (
            part[["kind", "item", "basis", "is_inflation_adjusted", "capacity_basis"]].drop_duplicates().shape[0] == 1
        )
    assert (
        not table["memory_type"].isin(["nand", "nand-mlc", "nand-tlc", "hbm3", "hbm3e", "disk", "ssd", "flash"]).any()
    )


def test_the_surge_is_what_the_press_reports(package: DataPackage, said: dict[str, str]) -> None:
    assert said["price-before"] == "$1.65 per GB"
    assert said["price-newest"] == "$13.00 per GB"
    assert said["price-surge"] == "7.9 times"
    assert said["price-before-set"] == "$26"
    assert said["price-newest-set"] == "$208"
    chips = derived.chip_contract(package)
    assert not chips["is_forecast"].any()
    assert (chips["kind"] == derived.CONTRACT).all()


def test_forecasts_are_drawn_hollow_and_never_quoted(package: DataPackage, said: dict[str, str]) -> None:
    table = derived.prices(package)
    assert table["is_forecast"].any()
    assert not table.loc[table["mark"] != "", "is_forecast"].any()
    assert said["price-newest-date"] == "February 2026"


def test_retail_prices_alone_are_adjusted_for_inflation(package: DataPackage) -> None:
    table = derived.prices(package)
    assert set(table.loc[table["is_inflation_adjusted"].astype(bool), "kind"]) == {derived.RETAIL}


# ---------------------------------------------------------------------------------- values and charts


@pytest.mark.long
def test_every_value_is_defined_once_and_says_what_it_is(package: DataPackage) -> None:
    values = findings.values(package, GIVEN)
    ids = [value.id for value in values]
    assert len(ids) == len(set(ids))
    assert all(value.definition and value.as_dict()["text"] for value in values)
    assert not any("nan" in str(value.as_dict()["text"]).lower() for value in values)
    known = set(package.table("sources")["source_id"])
    assert all(set(value.sources) <= known for value in values)


def test_every_value_the_chapter_cites_exists(said: dict[str, str]) -> None:
    import re

    text = (Path(__file__).resolve().parents[1] / "chapters" / "dram_capacity.md").read_text(encoding="utf-8")
    cited = {name.removeprefix("dram-capacity-") for name in re.findall(r"\{value\}`([^`]+)`", text)}
    assert cited <= set(said), cited - set(said)


@pytest.mark.long
def test_other_parameters_make_other_words(package: DataPackage) -> None:
    told = findings.said(
        findings.values(
            package, GIVEN.but(system_reserve_gibyte=6.0, context_token=8192, reference_model="llama-3.1-8b")
        )
    )
    assert told["reference"] == "Llama 3.1 8B"
    assert told["context-reference-8gb"] == "0"
    assert told["context-gain-sharing"] == "an unknown multiple of"


@pytest.mark.long
def test_an_unknown_shape_leaves_the_prose_whole(package: DataPackage) -> None:
    told = findings.said(findings.values(package, GIVEN.but(reference_model="gemini-nano-2")))
    assert "unknown" in told["answer"]


def drawn(package: DataPackage) -> dict[str, Any]:
    controls = {"context_token": 2048, "system_reserve_gibyte": 2.0}
    points = derived.footprints(package, GIVEN)
    limits = derived.landmarks(package, GIVEN)
    return {
        "footprint-against-memory": charts.footprint_against_memory(points, limits, **controls),
        "device-memory-by-year": charts.device_memory_by_year(derived.device_years(package, GIVEN)),
        "fit-matrix": charts.fit_matrix(derived.fit_matrix(package, GIVEN), **controls, shown_set="2026"),
        "largest-context": charts.largest_context(derived.largest_context(package, GIVEN)),
        "installed-base-memory": charts.installed_base(derived.installed_base(package)),
        "phone-average-memory": charts.phone_memory(derived.phone_memory(package), derived.phone_needs(package, GIVEN)),
        "dram-price": charts.prices(derived.prices(package)),
    }


def fields(node: Any) -> set[str]:
    """Fields that encodings name, less those the browser computes."""
    if isinstance(node, list):
        return set().union(*map(fields, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    named = {node["field"]} if isinstance(node.get("field"), str) else set()
    return named.union(*(fields(value) for key, value in node.items() if key != "datasets"))


def computed(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(computed, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    named = {node["as"]} if isinstance(node.get("as"), str) else set()
    return named.union(*(computed(value) for key, value in node.items() if key != "datasets"))


@pytest.mark.long
def test_charts_encode_only_what_their_tables_hold(package: DataPackage) -> None:
    for name, chart in drawn(package).items():
        spec = json.loads(json.dumps(chart.to_dict()))
        held = {key for rows in spec["datasets"].values() for row in rows for key in row}
        assert fields(spec) - computed(spec) <= held, name
        assert not {"title", "width", "height"} & set(spec), name


def names(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def test_the_browser_computes_what_the_tables_hold(matrix: pd.DataFrame) -> None:
    for row in matrix.sample(60, random_state=1).to_dict("records"):
        need = eval(charts.NEED.replace("datum.", ""), {"min": min, "context": 2048} | names(row))  # noqa: S307 - ours
        assert need == pytest.approx(row["footprint_byte"])


@pytest.mark.long
@pytest.mark.parametrize(("context", "reserve"), [(2048, 2.0), (32768, 2.0), (2048, 0.0), (131072, 6.0)])
def test_the_browser_answers_as_the_table_does(package: DataPackage, context: int, reserve: float) -> None:
    table = derived.fit_matrix(package, GIVEN.but(system_reserve_gibyte=reserve, context_token=context))
    sample = table.sample(80, random_state=context).astype(object)
    rows: list[Any] = sample.where(sample.notna(), None).to_dict("records")
    controls = {"context": context, "reserve": reserve}
    left = {name: renderer.numbers(text, rows, **controls) for name, text in charts.LEFT.items()}
    assert left["left_byte"] == pytest.approx([row["usable_byte"] for row in rows])
    need = renderer.numbers(charts.NEED, rows, **controls)
    assert need == pytest.approx([row["footprint_byte"] for row in rows])
    shown = [
        row | {"need_byte": size} | {name: ends[at] for name, ends in left.items()}
        for at, (row, size) in enumerate(zip(rows, need, strict=True))
    ]
    words = {"yes": "fits", "barely": "barely fits", "no": "does not fit", "": "unknown"}
    assert renderer.evaluated(charts.OUTCOME, shown) == [words[row["fits"]] for row in rows]


def test_the_tenth_to_spare_is_said_once() -> None:
    assert charts.SPARE_SHARE == equations.SPARE_SHARE


@pytest.mark.long
def test_the_matrix_as_drawn_shows_the_verdicts_of_the_table(package: DataPackage, matrix: pd.DataFrame) -> None:
    import vl_convert

    chart = charts.fit_matrix(matrix, context_token=2048, system_reserve_gibyte=2.0, shown_set="2026")
    picture = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()))
    shown = matrix[(matrix["default_set"] == "2026") & (matrix["format_id"] == "q4-k-m")]
    circles = [
        part
        for part in picture.split("<path")[1:]
        if 'aria-roledescription="point"' in part and "outcome: fits" in part
    ]
    assert len(circles) == (shown["fits"] == "yes").sum()
    said = renderer.texts(picture)
    for model in shown["model"].unique():
        assert said.count(model) == 2, f"{model}: named at the head and at the foot"
