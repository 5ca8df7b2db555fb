"""The chapter on bandwidth: worked numbers of others, limits, sentences that follow the data, charts that draw what the tables say."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import vl_convert
import yaml

from analysis import tables
from analysis.model import expected
from analysis.subjects import common
from analysis.subjects.index import derived as index
from analysis.subjects.index import findings as index_findings
from analysis.subjects.memory_wall import charts, derived
from analysis.subjects.memory_wall import findings as prose
from analysis.tables import DataPackage
from tests.conftest import GIVEN

ROOT = Path(__file__).parents[1]
CHAPTER = (ROOT / "chapters" / "memory_wall.md").read_text(encoding="utf-8")
SPEED = {"reading_speed_word_per_min": 250.0, "token_per_word": 2.0, "bandwidth_share": 0.5}
GIBYTE = 2.0**30


@pytest.fixture
def changed() -> DataPackage:
    """A package of its own whose tables a test may change."""
    own = DataPackage(tables.data_folder())
    own.table("devices")
    return own


def _largest(package: DataPackage, device_id: str, format_id: str, **change: Any) -> pd.Series[Any]:
    table = derived.largest_models(package, GIVEN.but(**change))
    row = table[(table["device_id"] == device_id) & (table["format_id"] == format_id)]
    return row.iloc[0]


# ------------------------------------------------------------------------------------- worked numbers of others


@pytest.mark.parametrize(
    ("device_id", "format_id", "stated_param", "tolerance"),
    [
        ("iphone-14", "fp16", 1e9, 0.05),  # SemiAnalysis, 13 May 2023: about 1 billion
        ("iphone-14", "int4", 4e9, 0.05),  # the same: about 4 billion
        ("macbook-air-m2-8gb", "fp16", 3e9, 0.05),  # the same: 3 to 4 billion, the lower end
    ],
)
def test_largest_model_matches_the_article(
    package: DataPackage, device_id: str, format_id: str, stated_param: float, tolerance: float
) -> None:
    row = _largest(package, device_id, format_id)  # the article reckons with bandwidth alone
    assert row["largest_by_bandwidth_param"] == pytest.approx(stated_param, rel=tolerance)


def test_largest_model_by_hand(package: DataPackage) -> None:
    # 0.5 × 34.13e9 byte/s / (250 × 2 / 60 token/s) / 2 byte
    assert _largest(package, "iphone-14", "fp16")["largest_by_bandwidth_param"] == pytest.approx(1.0239e9, rel=1e-12)
    # 8 GiB less 2 GiB, in GiB and not in GB, at 2 byte a parameter, without a cache
    row = _largest(package, "pixel-7", "fp16", context_token=0)
    assert row["largest_by_capacity_param"] == pytest.approx(6 * GIBYTE / 2)
    # the same held as Q4_K_M: 4.8944 bits
    row = _largest(package, "pixel-7", "int4", context_token=0)
    assert row["largest_by_capacity_param"] == pytest.approx(6 * GIBYTE * 8 / 4.8944)


@pytest.mark.long
@pytest.mark.parametrize("context", [0, 2048, 131072])
@pytest.mark.parametrize("format_id", ["fp16", "int8", "int4", "q4-k-m"])
def test_weights_and_cache_fill_what_one_program_may_take(package: DataPackage, format_id: str, context: int) -> None:
    table = derived.largest_models(package, GIVEN.but(context_token=context), format_ids=(format_id,))
    held = table.dropna(subset=["largest_by_capacity_param"]).query("largest_by_capacity_param > 0")
    layers = expected.typical_layer(expected.calibration(package.folder), held["largest_by_capacity_param"])
    cache = 2 * layers * 8 * 128 * 2 * context
    byte = common.held_byte_per_param(package, format_id)
    assert (held["largest_by_capacity_param"] * byte + cache).to_numpy() == pytest.approx(
        held["usable_byte"].to_numpy()
    )


def test_ridge_points_match_the_scaling_book(package: DataPackage) -> None:
    roofs = derived.roofline(package).drop_duplicates("machine_id").set_index("machine_id")["ridge_flop_per_byte"]
    assert roofs["nvidia-h100-sxm5-80gb"] == pytest.approx(
        295, rel=0.01
    )  # jax-ml/scaling-book, gpus.md: 990e12 / 3.35e12
    assert roofs["google-tpu-v4"] == pytest.approx(229, rel=0.01)  # Google: 275 TFLOP/s, 1,200 GB/s


@pytest.mark.parametrize(
    ("model_id", "stated_byte"),
    [
        ("llama-7b", 524288),  # kipply, Transformer Inference Arithmetic: 2 · 2 · n_layer · d_model
        ("llama-3.1-8b", 131072),  # 128 kibibyte, as vLLM reports it
        ("deepseek-v3", 70272),  # DeepSeek-V3 report: (512 + 64) · 61 layers · 2 byte
    ],
)
def test_cache_per_token_matches_published_values(package: DataPackage, model_id: str, stated_byte: int) -> None:
    assert common.kv_cache_byte(common.model(package, model_id), 1, 2) == stated_byte


def test_speculative_gain_matches_leviathan(package: DataPackage) -> None:
    # Leviathan et al. 2023, equation 1, with a free draft: (1 − 0.8^6) / (1 − 0.8) = 3.69
    table = derived.read_per_token(package, acceptance_share=0.8, draft_token=5)
    row = table[table["kind"] == "dense + draft model"].iloc[0]
    assert row["dense_param"] / row["read_param"] * (1 + 5 * row["draft_cost_ratio"]) == pytest.approx(3.69, abs=0.005)


def test_growth_is_near_what_others_found(package: DataPackage) -> None:
    table = derived.growth_table(package).set_index(["by", "series"])["growth_per_2_year_ratio"]
    assert 2.2 < table[("this book", "peak compute")] < 3.1  # Gholami et al. 2024: 3.0
    assert 1.4 < table[("this book", "memory bandwidth")] < 1.7  # Gholami et al. 1.6, Epoch AI 1.40
    assert table[("Epoch AI", "peak compute")] == pytest.approx(2 ** (2 / 2.3))


@pytest.mark.long
def test_no_panel_holds_two_kinds_of_peak(package: DataPackage) -> None:
    """Shares of INT8, FP16 and BF16 peaks stand in panels of their own, and every share that a sentence names says of which."""
    for table, draw in (
        (derived.roofline(package), charts.roofline), (derived.compute_used(package, GIVEN), charts.compute_used)
    ):  # fmt: skip
        assert draw(table).to_dict()["facet"]["field"] == "peak_kind"
    assert (derived.machines(package).groupby(["device_id", "peak_kind"]).size() == 1).all()


@pytest.mark.long
def test_the_three_shares_of_one_phone_follow_from_one_another(package: DataPackage) -> None:
    """Full bandwidth, the share of it left to the weights, and a 7B model that would need more than there is."""
    found = {value.id.removeprefix("memory-wall-"): value.number or 0.0 for value in prose.values(package, GIVEN)}
    whole, used, asked = (
        found[name] for name in ("attainable-iphone-14-one", "phone-compute-used", "reference-compute-used")
    )
    assert used == pytest.approx(SPEED["bandwidth_share"] * whole)
    assert asked == pytest.approx(used * 6.738e9 / found["iphone-14-fp16"], rel=1e-3)


@pytest.mark.long
def test_the_window_decides_the_growth(package: DataPackage) -> None:
    """From 2018 on 2.22 and 1.75: the gap between them is half of what it is over all years, and its sentence says so."""
    compute, bandwidth, gap = (
        derived.pace(package, name, recent=True) for name in ("peak compute", "memory bandwidth", "compute per byte")
    )
    assert (compute.ratio, bandwidth.ratio) == pytest.approx((2.22, 1.75), abs=0.01)
    assert gap.ratio == pytest.approx(compute.ratio / bandwidth.ratio)
    assert gap.ratio < derived.pace(package, derived.BALANCE).ratio
    assert gap.growth in prose.texts(prose.values(package, GIVEN))["growth-conclusion"]


def test_the_conclusion_on_growth_follows_the_intervals(package: DataPackage) -> None:
    whole, recent = (derived.pace(package, derived.BALANCE, recent=new) for new in (False, True))
    ahead, behind = (replace(whole, low=low, high=high) for low, high in ((1.2, 1.8), (0.5, 0.9)))
    level = replace(whole, low=0.9, high=1.1)
    assert prose._outgrown(ahead, ahead).startswith("Compute ran away from memory bandwidth; since 2018 one over")
    assert prose._outgrown(ahead, level).endswith("do not tell them apart")
    assert prose._outgrown(behind, behind).startswith("Memory bandwidth ran away from compute")
    assert prose._outgrown(level, recent).startswith("The data do not tell")


# ------------------------------------------------------------------------------------------ limits and monotony


def test_faster_reading_and_smaller_share_shrink_the_model_in_proportion(package: DataPackage) -> None:
    stated = _largest(package, "iphone-14", "int8")["largest_param"]
    assert _largest(package, "iphone-14", "int8", reading_speed_word_per_min=1000.0)["largest_param"] == pytest.approx(
        stated / 4
    )
    assert _largest(package, "iphone-14", "int8", bandwidth_share=0.25)["largest_param"] == pytest.approx(stated / 2)


def test_slow_reader_meets_the_capacity_limit(package: DataPackage) -> None:
    row = _largest(package, "iphone-14", "fp16", reading_speed_word_per_min=1.0)
    assert row["binding"] == "capacity"
    assert row["largest_param"] == row["largest_by_capacity_param"]


def test_the_largest_is_the_smaller_of_the_two_limits(package: DataPackage) -> None:
    table = derived.largest_models(package, GIVEN)
    assert (
        table["largest_param"] <= table[["largest_by_bandwidth_param", "largest_by_capacity_param"]].min(axis=1)
    ).all()


def test_one_set_is_part_of_all(package: DataPackage) -> None:
    one, all_ = (derived.largest_models(package, GIVEN, default_set=name) for name in ("2023", None))
    assert set(one["default_set"]) == {"2023"}
    assert set(one["device_id"]) < set(all_["device_id"])


def test_missing_capacity_stays_missing(changed: DataPackage) -> None:
    changed._tables["devices"].loc[lambda frame: frame["device_id"] == "iphone-14", "memory_capacity_byte"] = math.nan
    row = _largest(changed, "iphone-14", "fp16")
    assert math.isnan(row["largest_param"])
    assert row["binding"] == "unknown"


def test_share_of_compute_does_not_depend_on_reading_speed_where_bandwidth_binds(package: DataPackage) -> None:
    slow = derived.compute_used(package, GIVEN).set_index(["device_id", "format_id"])
    fast = derived.compute_used(package, GIVEN.but(reading_speed_word_per_min=500.0)).set_index(
        ["device_id", "format_id"]
    )
    bound = slow[slow["binding"] == "bandwidth"].index
    pd.testing.assert_series_equal(slow.loc[bound, "compute_used_share"], fast.loc[bound, "compute_used_share"])
    assert slow["compute_used_share"].max() < 1


def test_work_never_lies_above_its_roof(package: DataPackage) -> None:
    table = derived.roofline(package)
    assert (table["attainable_op_per_s"] <= table["peak_op_per_s"] * (1 + 1e-12)).all()
    one = table[(table["kind"] == "work") & table["work"].str.contains("one user")]
    assert (one["intensity_flop_per_byte"] < one["ridge_flop_per_byte"]).all()


def test_bytes_shrink_with_the_format_and_operations_do_not(package: DataPackage) -> None:
    table = derived.byte_and_flop(package, reference_model="llama-7b")
    assert table["read_byte_per_token"].is_monotonic_decreasing
    assert table["flop_per_token"].nunique() == 1
    product = table["intensity_flop_per_byte"] * table["read_byte_per_token"]
    assert product.to_numpy() == pytest.approx(table["flop_per_token"].to_numpy())


def test_cache_grows_with_context_and_a_window_bounds_it(package: DataPackage) -> None:
    table = derived.kv_cache_over_context(package, GIVEN)
    assert table.groupby("model_id")["kv_cache_byte"].apply(lambda cache: cache.is_monotonic_increasing).all()
    mistral = table[table["model_id"] == "mistral-7b-v0.1"].set_index("context_token")["kv_cache_byte"]
    assert mistral[4096.0] == mistral[32768.0]


def test_sensitivity_brackets_the_stated_answer(package: DataPackage) -> None:
    table = derived.sensitivity(package, GIVEN, device_id="iphone-14")
    stated = _largest(package, "iphone-14", "fp16")["largest_param"]
    assert table["stated_param"].to_numpy() == pytest.approx(stated)
    assert (table["low_param"] <= table["stated_param"]).all()
    assert (table["high_param"] >= table["stated_param"]).all()
    assert table["span_ratio"].is_monotonic_decreasing


def test_fit_runs_through_one_at_the_start_and_through_the_middle_of_the_points(package: DataPackage) -> None:
    lines = derived.growth_lines(package)
    points = derived.compute_trend(package)
    assert (lines[lines["year"] == lines["year"].min()]["relative_ratio"] == 1).all()
    ours = lines[(lines["by"] == "this book") & (lines["series"] == "peak compute")].sort_values("year")
    slope = math.log(ours["relative_ratio"].iloc[1]) / (ours["year"].iloc[1] - ours["year"].iloc[0])
    chips = points[points["series"] == "peak compute"]
    expected = slope * (chips["year"].mean() - ours["year"].iloc[0])
    assert chips["relative_ratio"].map(math.log).mean() == pytest.approx(expected)


# ------------------------------------------------------------------------------- sentences that follow the data


@pytest.mark.long
def test_conclusions_flip_when_the_data_do(changed: DataPackage) -> None:
    before = prose.texts(prose.values(changed, GIVEN))
    assert "RTX 4090" in before["binding"]
    devices = changed._tables["devices"]
    devices["memory_capacity_byte"] = 2000 * GIBYTE
    devices["memory_bandwidth_byte_per_s"] = devices["memory_bandwidth_byte_per_s"].clip(upper=1e10)
    after = prose.texts(prose.values(changed, GIVEN))
    assert after["binding"].startswith("on all")
    assert after["reach-2023"].startswith("none of the")
    assert after["moe-phone"].startswith("none of the")
    assert after["iphone-14-fp16"] != before["iphone-14-fp16"]


def test_clauses_read_well_whatever_the_data_say() -> None:
    assert prose._which_limit(3, []) == "on all 3 devices bandwidth gives out first"
    assert (
        prose._which_limit(3, ["A"])
        == "the A runs out of memory first. On the other 2 devices bandwidth gives out first"
    )
    assert prose._which_limit(2, ["A", "B"]) == "the A and the B run out of memory first. No other is left"
    assert prose._held(["A"], ["A"], 5).endswith("shown reads few enough weights per token, and A fits in its memory")
    assert prose._held(["A", "B"], [], 5).endswith("none of them fits in its memory")


@pytest.mark.long
def test_values_are_known_numbers_or_texts(package: DataPackage) -> None:
    found = prose.values(package, GIVEN)
    assert len({value.id for value in found}) == len(found)
    for value in found:
        assert value.id.startswith("memory-wall-")
        assert value.text or (value.number is not None and math.isfinite(value.number)), value.id
        assert value.text or value.definition, value.id
        assert "nan" not in str(value.as_dict()["text"]).split(), value.id


@pytest.mark.long
def test_chapter_cites_only_what_is_published_and_tests_all_its_claims(package: DataPackage) -> None:
    cited = set(re.findall(r"\{value\}`([a-z0-9-]+)`", CHAPTER))
    published = {value.id for value in prose.values(package, GIVEN)}
    assert cited <= published
    said = {f"memory-wall-{name}" for name in re.findall(r"say\['([a-z0-9-]+)'\]", CHAPTER)}
    assert said <= published
    claims = package.table("claims").query("chapter == 'memory_wall'")["claim_id"]
    assert set(re.findall(r"\{verdict\}`([a-z0-9-]+)`", CHAPTER)) >= set(claims)


def test_chapter_declares_the_book_parameters() -> None:
    known = yaml.safe_load((ROOT / "chapters" / "parameters.yml").read_text(encoding="utf-8"))
    declared = dict(re.findall(r"^([a-z_]+): (?:float|int|str) = (.+)$", CHAPTER, flags=re.MULTILINE))
    assert declared
    assert {name: json.loads(value) for name, value in declared.items()} == {
        name: known[name]["default"] for name in declared
    }


# ------------------------------------------------------------------------------------------------------- charts


def _charts(package: DataPackage) -> dict[str, Any]:
    points = derived.largest_by_device(package, GIVEN)
    cost = derived.cost_panels(derived.byte_and_flop(package, reference_model="llama-7b"))
    moved = derived.sensitivity(package, GIVEN, device_id="iphone-14")
    bounds = derived.read_limits(package, GIVEN)
    read = charts.read_per_token(derived.read_per_token(package), bounds, acceptance_share=0.7, draft_token=4)
    return {
        "largest": charts.largest_by_device(points, **SPEED),
        "cost": charts.byte_and_flop(cost),
        "roofline": charts.roofline(derived.roofline(package)),
        "used": charts.compute_used(derived.compute_used(package, GIVEN)),
        "cache": charts.kv_cache_over_context(derived.kv_cache_over_context(package, GIVEN)),
        "read": read,
        "sensitivity": charts.sensitivity(moved),
        "growth": charts.compute_against_bandwidth(derived.compute_trend(package), derived.growth_lines(package)),
    }


def _nodes(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for child in node for found in _nodes(child)]
    return [node, *(found for child in node.values() for found in _nodes(child))] if isinstance(node, dict) else []


@pytest.mark.long
def test_charts_are_valid_and_encode_fields_that_exist(package: DataPackage) -> None:
    for name, chart in _charts(package).items():
        spec = chart.to_dict()
        known = {column for rows in spec["datasets"].values() for row in rows for column in row}
        known |= {node["as"] for node in _nodes(spec) if isinstance(node.get("as"), str)}
        fields = {node["field"] for node in _nodes(spec) if isinstance(node.get("field"), str)}
        assert fields <= known, name
        vl_convert.vegalite_to_vega(spec)


def _evaluated(formula: str, row: pd.Series[Any], **names: float) -> float:
    """A Vega expression of this chapter as Python."""
    text = re.sub(r"datum\.([a-z_]+)", r"row['\1']", formula)
    if "?" in text:
        condition, rest = text.split(" ? ")
        yes, no = rest.split(" : ")
        text = f"({yes}) if ({condition}) else ({no})"
    return float(eval(text, {"row": row, "min": min, "pow": pow, **names}))  # noqa: S307 - our own formula


def test_browser_computes_the_same_largest_models(package: DataPackage) -> None:
    sliders = {charts.SPEED: 250.0, charts.TOKENS: 2.0, charts.SHARE: 0.5}
    table = derived.largest_by_device(package, GIVEN)
    for _, row in table.iterrows():
        computed = _evaluated(charts.BY_BANDWIDTH, row, **sliders)
        assert computed == pytest.approx(row["largest_by_bandwidth_param"])
        row["by_bandwidth_param"] = computed
        assert _evaluated(charts.LARGEST, row) == pytest.approx(row["largest_param"])


def test_browser_computes_the_same_reading_per_token(package: DataPackage) -> None:
    for _, row in derived.read_per_token(package).iterrows():
        named = {"acceptance": derived.ACCEPTANCE_SHARE, "drafted": derived.DRAFT_TOKEN}
        assert _evaluated(charts.READ, row, **named) == pytest.approx(row["read_param"])


def test_browser_scales_the_cache_by_its_precision(package: DataPackage) -> None:
    row = derived.kv_cache_over_context(package, GIVEN).iloc[0]
    assert _evaluated(charts.CACHE, row, cache_bits=16) == pytest.approx(row["kv_cache_byte"])
    assert _evaluated(charts.CACHE, row, cache_bits=4) == pytest.approx(row["kv_cache_byte"] / 4)


def test_table_says_where_memory_forbids(package: DataPackage) -> None:
    table = derived.largest_model_table(package, GIVEN)
    long = derived.largest_by_device(package, GIVEN)
    for name in common.FORMATS:
        binding = long[long["format_id"] == name].set_index("device_id")["binding"]
        full = table["device_id"].map(binding) == "capacity"
        assert full.any()
        assert table.loc[full, f"{name}_note"].str.startswith("memory full").all()
        assert (table.loc[~full, f"{name}_note"] == "").all()
    assert (table["limit"] == table["device_id"].map(binding).replace("capacity", "memory")).all()
    assert table[table["is_article"]]["device_id"].str.contains("iphone-14|m2|13900k").all()


# ----------------------------------------------------------------------------------- bounds, bests, expectations


def test_nothing_is_expected_above_the_bound_and_nothing_where_memory_is_full(package: DataPackage) -> None:
    for share in (0.5, 1.0):
        table = derived.expected_by_device(package, GIVEN.but(bandwidth_share=share))
        full = table["is_memory_full"]
        assert full.any()
        assert not full.all()
        ends = table[["expected_low_param", "expected_param", "expected_high_param"]]
        assert ends[full].isna().all().all()
        known = table[~full]
        assert (known["expected_low_param"] < known["expected_param"]).all()
        assert (known["expected_param"] <= known["expected_high_param"]).all()
        assert (known["expected_low_param"] < known["expected_high_param"]).all()
        assert (known["expected_high_param"] <= known["largest_param"] * (1 + 1e-9)).all()


def test_where_memory_is_full_first_all_that_it_holds_is_expected(package: DataPackage) -> None:
    table = derived.answer_table(package, GIVEN)
    full = table["band"] == derived.MEMORY_FULL
    assert full.any()
    assert (table.loc[full, "expected"] == table.loc[full, "q4-k-m"]).all()
    assert (table.loc[~full, "expected"] < table.loc[~full, "q4-k-m"]).all()
    assert (table.loc[full, "limit"] == "memory").all()


@pytest.mark.long
def test_at_most_is_the_full_bandwidth_whatever_share_the_edition_leaves_to_the_weights(package: DataPackage) -> None:
    half, most = (derived.answer_table(package, GIVEN.but(bandwidth_share=share)) for share in (0.5, 1.0))
    pd.testing.assert_frame_equal(half, most)
    row = most.set_index("device_id").loc["pixel-10-pro"]
    # 68.26 GB/s over 25/3 tokens per second, 4.8944 bits a parameter
    assert row["q4-k-m"] == pytest.approx(68.26 / (25 / 3) * 8 / 4.8944, rel=1e-3)


def test_no_measured_run_beats_what_is_called_at_most(package: DataPackage) -> None:
    """Apple's M1 wrote 14.15 tokens per second with Llama 2 7B in Q4_0: 13.0 B at reading speed, where half its bandwidth gives 8.2 B."""
    row = package.row("devices", "macbook-air-m1-8gb")["memory_bandwidth_byte_per_s"]
    measured_param = 14.15 / (25 / 3) * 6.7384e9 * 4.5 / 4.8944
    assert row / (25 / 3) * 8 / 4.8944 > measured_param


@pytest.mark.long
@pytest.mark.parametrize("kind", list(index.KINDS))
def test_the_best_is_the_best_of_all_that_is_shown(changed: DataPackage, kind: str) -> None:
    """One added row that beats all others is the best, in the sentence and in the title, by its name."""
    devices = changed._tables["devices"]
    row = devices[devices["device_class"] == kind].iloc[[0]].assign(
        device_id="a-new-one", name="Brand New One", memory_bandwidth_byte_per_s=9e12, memory_capacity_byte=4000 * GIBYTE,
        default_set="", confidence="estimate",
    )  # fmt: skip
    before = {value.id: value for value in index_findings.values(changed, GIVEN)}
    changed._tables["devices"] = pd.concat([devices, row], ignore_index=True)
    after = {value.id: value for value in index_findings.values(changed, GIVEN)}
    assert "Brand New One (an estimate)" not in before["index-largest-shown"].text
    assert "Brand New One (an estimate)" in after["index-largest-shown"].text
    assert int(after["index-devices"].number or 0) == int(before["index-devices"].number or 0) + 1
    shown = index.explorer(changed, GIVEN)
    named = shown[shown["device_class"] == kind]["largest_param"].max()
    assert after[f"index-largest-{kind}"].number == pytest.approx(named)


@pytest.mark.long
def test_the_share_of_the_bandwidth_is_said_in_words(package: DataPackage) -> None:
    texts = {
        share: {v.id: v.text for v in index_findings.values(package, GIVEN.but(bandwidth_share=share))}[
            "index-article-share"
        ]
        for share in (0.3, 0.5, 1.0)
    }
    assert texts[0.5] == "half of its bandwidth, as the article assumes"
    assert texts[0.3] == "30 % of its bandwidth, as this edition assumes"
    assert texts[1.0] == "its full bandwidth, as this edition assumes"
