"""The chapter on serving many users: worked numbers, limits, what moves when the data move, and what charts draw."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import figures, tables
from analysis.equations import server_batching as equations
from analysis.subjects.server_batching import charts, derived, findings
from analysis.tables import DataPackage
from tests.conftest import GIVEN

PRICE_RATIO = 4.0


@pytest.fixture(scope="module")
def package() -> DataPackage:
    return DataPackage(tables.data_folder())


@pytest.fixture(scope="module")
def published(package: DataPackage) -> list[figures.Value]:
    return findings.values(package, GIVEN)


def changed(folder: Path, name: str, edit: Callable[[dict[str, str]], None]) -> DataPackage:
    """Copy the data, with the rows of one table edited."""
    shutil.copytree(tables.data_folder(), folder / "data")
    path = folder / "data" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        edit(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return DataPackage(folder / "data")


def at_article(table: pd.DataFrame) -> dict[str, Any]:
    [row] = table[table["is_article"]].to_dict("records")
    return {str(name): value for name, value in row.items()}


# ------------------------------------------------------------------------------------- worked numbers


def test_the_articles_point_is_the_row_of_table_d3(package: DataPackage) -> None:
    # Pope et al. 2022, table D.3: PaLM 540B, total, batch 256: 3155 ms, 40 %
    row = at_article(derived.pope_figure_9(package, GIVEN))
    assert row["batch_size"] == 256
    assert row["time_s"] == pytest.approx(3.155)
    assert row["printed_mfu_share"] == pytest.approx(0.40)
    assert row["answer_token_per_s"] == pytest.approx(20 / 3.155)


def test_recomputed_utilization_agrees_with_the_printed_one(package: DataPackage) -> None:
    table = derived.pope_figure_9(package, GIVEN)
    assert (table["computed_mfu_share"] - table["printed_mfu_share"]).abs().max() < 0.0055


DOMINATED = {"td2-palm-540b-total-b4"}
"""Printed bold in table D.2 although batch 8 is both faster and better used."""


def test_the_frontier_of_the_paper_is_a_frontier_but_for_one_row(package: DataPackage) -> None:
    """At the printed precision nothing is both faster and better used than a row on it."""
    table = derived.pope_figure_9(package, GIVEN)
    table = table[~table["row_id"].isin({"td2-mt-nlg-530b-total-b4"})]  # the same time as PaLM, with fewer parameters
    beaten = set()
    for row in table[table["is_frontier"].astype(bool)].to_dict("records"):
        same = table[table["workload"] == row["workload"]]
        better = (same["time_s"] < row["time_s"]) & (same["printed_mfu_share"] > row["printed_mfu_share"])
        beaten |= {row["row_id"]} if better.any() else set()
    assert beaten == DOMINATED


def test_parts_of_the_step_behind_the_article(package: DataPackage) -> None:
    # the reference reckoning of the book: weights 14.1 ms, FLOPs 15.7 ms of 55.7 ms
    row = at_article(derived.decode_steps(package))
    assert row["weight_time_s"] == pytest.approx(14.06e-3, rel=1e-3)
    assert row["compute_time_s"] == pytest.approx(15.71e-3, rel=1e-3)
    assert row["step_time_s"] == pytest.approx(55.7e-3)
    assert row["rest_s"] == pytest.approx(55.7e-3 - 14.06e-3 - 15.71e-3, rel=1e-3)
    assert row["chip_time_per_token_s"] == pytest.approx(64 * 1.114 / (256 * 20))


def test_the_cache_of_palm_is_negligible(package: DataPackage) -> None:
    steps = derived.decode_steps(package)
    assert (steps["kv_time_s"] < 0.01 * steps["weight_time_s"]).all()


@pytest.mark.long
def test_published_numbers(published: list[figures.Value]) -> None:
    number = findings.numbers(published)
    expected = {
        "ridge": 229.17, "article-rate": 6.339, "decode-rate": 17.95, "prefill-share": 0.6469, "total-mfu": 0.3983,
        "prefill-mfu": 0.4618, "decode-mfu": 0.2820, "weight-share": 0.2524, "chip-time": 13.925e-3,
        "one-chip-time": 0.9,
        "holding-chips": 32, "holding-time": 28.125e-3, "big-prefill-mfu": 0.7552, "big-prefill-gathered": 0.01056,
        "last-latency-ratio": 11.608 / 3.155, "floor-chip-time": 2 * 540e9 / 275e12, "shared-advantage": 64,
    }  # fmt: skip
    for name, value in expected.items():
        assert number[name] == pytest.approx(value, rel=2e-3), name


def test_critical_batch_of_an_h100(published: list[figures.Value]) -> None:
    # Austin et al. 2025, How To Scale Your Model: 298 with 1e15 FLOP/s, 295 with 989e12; half of it with int8 weights
    number = findings.numbers(published)
    assert number["balance-h100"] == pytest.approx(295, abs=1)
    assert number["h100-int8-ridge"] == pytest.approx(number["balance-h100"] / 2)


def test_cost_with_the_cache_of_llama(package: DataPackage, published: list[figures.Value]) -> None:
    # kipply, Transformer Inference Arithmetic: 2 · 32 layers · 4096 · 2 B = 524,288 B a token
    cache = 524_288 * 2048 / (6.7384e9 * 2)
    number = findings.numbers(published)
    assert number["cache-ratio"] == pytest.approx(cache, rel=1e-4)
    assert number["cached-cost"] == pytest.approx(4 * (1 / 256 + cache) / (1 + cache), rel=1e-4)
    assert number["cost-limit"] == pytest.approx(4 * cache / (1 + cache), rel=1e-4)
    assert number["equal-context"] == pytest.approx(6.7384e9 * 2 / 256 / 524_288, rel=1e-4)


def test_price_pairs(package: DataPackage) -> None:
    # Counterpoint, November 2025: HBM3E 1.70, DDR5 1.50, DDR4 2.10 USD per gigabit
    ratios = derived.price_ratios(package)
    pairs = ratios[ratios["kind"] == "from two prices"]["price_ratio"]
    assert any(np.isclose(pairs, 1.70 / 1.50))
    assert any(np.isclose(pairs, 1.70 / 2.10))
    assert ratios.loc[ratios["kind"] == "article", "price_ratio"].tolist() == [4]


# ------------------------------------------------------------------------------- limits and trends


def test_shares_of_prompt_and_answer_are_whole(package: DataPackage) -> None:
    shares = derived.prefill_and_decode(package).groupby("batch_size")
    np.testing.assert_allclose(shares["share"].sum(), 1)
    np.testing.assert_allclose(shares["time_s"].sum(), shares["total_s"].first(), atol=1.5e-3)


def test_bounds_that_may_overlap_are_not_added_up(package: DataPackage) -> None:
    """Each bar starts at zero: two bounds and the measured step, neither bound above it; the rest is told for both extremes."""
    bounds = derived.step_bounds(package)
    assert (bounds.groupby("batch_size").size() == 3).all()
    assert (bounds["time_s"] <= bounds["step_time_s"]).all()
    spec = charts.step_time_by_batch(bounds).to_dict()
    bars = spec["layer"][0]["encoding"]
    assert bars["xOffset"]["field"] == "part"
    assert bars["y"]["field"] == "time_s"
    assert bars["y"]["stack"] is None
    row = at_article(derived.decode_steps(package))
    assert row["rest_overlapped_s"] == pytest.approx(55.7e-3 - 15.71e-3, rel=1e-3)
    assert row["rest_overlapped_s"] > row["rest_s"]


def test_nothing_measured_beats_the_limit(package: DataPackage) -> None:
    costs = derived.chip_times(package)
    measured, ideal = costs[costs["series"] != "At best"], costs[costs["series"] == "At best"]
    limit = np.exp(np.interp(*(np.log(each) for each in (
        measured["pass_token"], ideal["pass_token"], ideal["chip_time_per_token_s"]))))  # fmt: skip
    assert (measured["chip_time_per_token_s"].to_numpy() > limit).all()
    latencies = derived.latency_by_chips(package)
    for _, same in latencies.groupby(["chip_kind", "batch_size"]):
        best = same[same["kind"] == "at best"]
        for row in same[same["kind"] == "measured"].to_dict("records"):
            scaled = best["time_s"] * best["n_chip"] / row["n_chip"]
            assert (row["time_s"] > scaled).all()


def test_ideal_latency_falls_as_one_over_chips(package: DataPackage) -> None:
    latencies = derived.latency_by_chips(package)
    ideal = latencies[latencies["kind"] == "at best"]
    work = (ideal["time_s"] * ideal["n_chip"]).groupby([ideal["chip_kind"], ideal["batch_size"]])
    np.testing.assert_allclose(work.min(), work.max())
    assert ideal.groupby("chip_kind")["n_chip"].min().to_dict() == {"NVIDIA A100": 14, "Google TPU v4": 31}


def test_costs_fall_with_users_and_rise_with_context(package: DataPackage) -> None:
    costs = derived.memory_costs(package, GIVEN, price_ratio=PRICE_RATIO)
    for _, line in costs.groupby(["model", "context_token"]):
        assert line.sort_values("batch_size")["cost_ratio"].is_monotonic_decreasing
    many = costs[(costs["batch_size"] == 1024) & (costs["model"] == "LLaMA 7B")].sort_values("context_token")
    assert many["cost_ratio"].is_monotonic_increasing
    alone = costs[(costs["model"] == derived.ALONE) & costs["is_shown"]]
    np.testing.assert_allclose(alone["cost_ratio"], 4 / alone["batch_size"])


def test_reference_model_is_drawn_once(package: DataPackage) -> None:
    costs = derived.memory_costs(
        package, GIVEN.but(context_token=512, reference_model="llama-3.1-8b"), price_ratio=PRICE_RATIO
    )
    assert set(costs["model"]) == {derived.ALONE, "Llama 3.1 8B", "Llama 3.1 70B"}
    assert not costs.duplicated(["model", "context_token", "batch_size"]).any()


def test_unknown_shape_has_no_line(package: DataPackage) -> None:
    models = package.table("models")
    unknown = models.loc[models["n_layer"].isna() & models["total_param"].notna(), "model_id"].iloc[0]
    costs = derived.memory_costs(
        package, GIVEN.but(context_token=512, reference_model=str(unknown)), price_ratio=PRICE_RATIO
    )
    assert costs["cost_ratio"].notna().all()


# ------------------------------------------------------------------------------------------ data


@pytest.mark.long
def test_unusable_rows_are_never_used(package: DataPackage, tmp_path: Path) -> None:
    def spoil(row: dict[str, str]) -> None:
        if row["usable"] == "false":
            row["time_ms"] = "1"

    spoiled = changed(tmp_path, "pope_tables", spoil)
    for make in (derived.decode_steps, derived.chip_times, derived.latency_by_chips, derived.prefill_and_decode):
        pd.testing.assert_frame_equal(make(package), make(spoiled))
    pd.testing.assert_frame_equal(derived.pope_figure_9(package, GIVEN), derived.pope_figure_9(spoiled, GIVEN))


def test_points_out_of_the_fit_and_memories_on_chip_are_left_out(package: DataPackage) -> None:
    table = derived.balance(package)
    assert not table["name"].str.contains("Groq|Cerebras|MI308X").any()
    assert table["balance_flop_per_byte"].between(1, 1000).all()
    assert table.loc[table["is_announced"].astype(bool), "label"].tolist() == ["Rubin"]


def test_every_estimate_of_the_memory_share_is_shown(package: DataPackage) -> None:
    shares = derived.hbm_shares(package)
    prices = package.table("memory_prices")
    stated = prices[(prices["price_kind"] == "bom-share") & prices["memory_type"].str.startswith("hbm")]
    assert len(shares) == len(stated) + 3
    assert (shares["low_share"] <= shares["high_share"]).all()


def test_servers_without_memory_have_no_price_of_memory(package: DataPackage) -> None:
    servers = derived.server_prices(package).set_index("server_id")
    assert servers["memory_price_usd_per_gbyte"].isna()["gh200-server-2023"]
    # Nvidia 2020: 199,000 USD for 320 GB
    assert servers.loc["dgx-a100-320gb-2020", "memory_price_usd_per_gbyte"] == pytest.approx(199_000 / 320)


def test_rows_name_their_sources(package: DataPackage) -> None:
    made = [
        derived.pope_figure_9(package, GIVEN), derived.prefill_and_decode(package), derived.step_bounds(package),
        derived.chip_times(package), derived.latency_by_chips(package), derived.balance(package),
        derived.memory_costs(package, GIVEN, price_ratio=PRICE_RATIO), derived.hbm_shares(package), derived.price_ratios(package),
        derived.server_prices(package), derived.same_processor_gains(package), derived.same_processor_law(package),
        derived.capacity_gains(package), derived.energy_by_batch(package),
    ]  # fmt: skip
    known = set(package.table("sources")["source_id"])
    for table in made:
        assert set(tables.source_ids(table)) <= known
        assert table["source_id"].notna().all()


# --------------------------------------------------------------------- one processor with two memories


def test_the_gain_is_whole_for_few_users_and_gone_for_many(package: DataPackage) -> None:
    gains = derived.same_processor_gains(package)
    alone = gains[gains["context_token"] == 16].set_index("batch_size")
    assert alone.loc[:16, "gain_ratio"].between(1.29, 1.31).all()
    assert not alone.loc[:256, "is_none"].any()
    assert alone.loc[384:, "is_none"].all()
    assert derived.half_gone_batch(alone.reset_index()) == pytest.approx(185, abs=1)
    # a cache is nobody else's: where it is long, the gain of one user grows with the batch
    long = gains[gains["context_token"] == 8192]
    assert long["gain_ratio"].is_monotonic_increasing


def test_half_of_a_gain_that_stays_is_never_gone(package: DataPackage) -> None:
    assert np.isnan(derived.half_gone_batch(pd.DataFrame({"batch_size": [1.0, 2.0], "gain_ratio": [1.3, 1.2]})))
    halved = pd.DataFrame({"batch_size": [1.0, 16.0, 64.0], "gain_ratio": [1.4, 1.3, 1.1]})
    assert derived.half_gone_batch(halved) == pytest.approx(32)


def test_no_measured_gain_beats_the_bandwidth(package: DataPackage) -> None:
    gains = derived.pair_gains(package)
    assert (gains["gain_ratio"] < 4800 / 3350).all()
    assert (gains["low_ratio"] < gains["gain_ratio"]).all()


def test_what_a_kernel_sets_is_left_out_of_gains_and_marked_elsewhere(package: DataPackage) -> None:
    gains, filled, energy = (
        derived.pair_gains(package),
        derived.capacity_gains(package),
        derived.energy_by_batch(package),
    )
    assert gains[(gains["kind"] == "decode") & (gains["context_token"] >= 512)]["batch_size"].max() < 64
    assert filled.loc[filled["is_slow_kernel"], "batch_size"].tolist() == [128, 256]
    assert set(energy.loc[energy["is_slow_kernel"], "batch_size"]) == {64, 256}


def test_two_constants_are_found_again(package: DataPackage) -> None:
    """Steps made by the law give its constants back; those of the H100 carry to the H200, those of the H200 to the H100."""
    rows = derived.law_rows(package)
    made = rows.assign(step_s_median=derived.law_step_time_s(rows, (40e-6, 0.8)))
    assert derived.two_constants(made) == pytest.approx((40e-6, 0.8))
    for card, other, worst in (("H100", "H200", 0.06), ("H200", "H100", 0.06)):
        constants = derived.two_constants(rows[rows["card"] == card])
        carried = rows[rows["card"] == other]
        errors = np.abs(derived.law_step_time_s(carried, constants) / carried["step_s_median"] - 1)
        assert errors.median() < 0.025
        assert errors.max() < worst


def test_the_rows_of_the_law_are_chosen_by_their_columns(package: DataPackage, tmp_path: Path) -> None:
    assert derived.law_rows(package).groupby("card").size().to_dict() == {"H100": 20, "H200": 20}

    def leave_out(row: dict[str, str]) -> None:
        if row["measurement_id"] == "h100-047":
            row["left_out"] = "repeat"

    fewer = changed(tmp_path, "measurements_gpu_pair", leave_out)
    assert derived.law_rows(fewer).groupby("card").size()["H100"] == 19
    assert derived.two_constants(derived.law_rows(fewer)) != derived.two_constants(derived.law_rows(package))


@pytest.mark.long
def test_another_card_is_drawn_on_the_law_and_nowhere_in_the_pair(package: DataPackage, tmp_path: Path) -> None:
    """Its owner adds rows; it has the law of the H100 with its own bandwidth, and the pair stays a pair."""

    def another(row: dict[str, str]) -> None:
        if row["device"] == "NVIDIA H200" and row["model"] == "llama-3.2-3b":
            row |= {"device": "NVIDIA GeForce RTX 5090", "accelerator_id": "", "memory_bandwidth_gbyte_per_s": "4801"}

    added = changed(tmp_path, "measurements_gpu_pair", another)
    law = derived.same_processor_law(added)
    mine = law[law["card"] == "NVIDIA GeForce RTX 5090"]
    assert set(mine["role"]) == {derived.CARRIED}
    assert set(mine["kind"]) == {"measured", "law"}
    assert set(derived.energy_by_batch(added)["card"]) == {"H100", "H200"}
    charts.same_processor_law(law).to_dict()
    # what is said of the H200 is of the H200
    said = findings.texts(findings.values(added, GIVEN))
    left = law[law["card"] == "H200"]["error_ratio"].median()
    assert said["law-carried-error"] == f"{left:.1%}".replace("%", " %")


def test_a_second_run_of_a_card_counts_as_its_median(package: DataPackage, tmp_path: Path) -> None:
    def again(row: dict[str, str]) -> None:
        if row["measurement_id"] == "h200-228":
            row |= {"kind": "decode", "left_out": "", "step_s_median": "0.004", "time_uncertainty_percent": "3"}

    gains = derived.pair_gains(changed(tmp_path, "measurements_gpu_pair", again))
    assert len(gains) == len(derived.pair_gains(package))
    row = gains[
        (gains["model"] == "llama-3.1-8b") & (gains["format"] == "bf16") & (gains["context_token"] == 512)
    ].iloc[0]
    assert row["gain_ratio"] == pytest.approx(0.00626541 / ((0.004 + 0.00483326) / 2), rel=1e-4)
    assert row["low_ratio"] == pytest.approx(row["gain_ratio"] * 0.97)


def test_experts_are_called_as_evenly_as_chance_has_it(package: DataPackage) -> None:
    touched = derived.experts_touched(package)
    assert touched["error_ratio"].max() < 0.013
    assert touched.groupby("card")["n_distinct_expert"].max().tolist() == [128, 128]


def test_a_bit_costs_a_card_the_same_whatever_the_model(package: DataPackage) -> None:
    bits = derived.read_energies(package)
    spread = bits.groupby("card")["read_energy_j_per_bit"].agg(["min", "max"])
    assert (spread["max"] / spread["min"] < 1.2).all()
    assert bits.groupby("card").size().tolist() == [8, 8]
    # by hand, Llama 3.2 1B on the H100: idle at 125.154 W before and at 137.43 W after
    by_hand = (0.551727 - (125.154 + 137.43) / 2 * 0.00141475) / (8 * (2471632896 + 16777216))
    small = bits[(bits["card"] == "H100") & (bits["model"] == "llama-3.2-1b")]["read_energy_j_per_bit"]
    assert small.tolist() == pytest.approx([by_hand])


def test_values_of_the_pair(published: list[figures.Value]) -> None:
    number, text = findings.numbers(published), findings.texts(published)
    expected = {
        "pair-bandwidth": 4800 / 3350, "pair-capacity": 141 / 80, "pair-full-batch": 16, "pair-none-batch": 384,
        "pair-half-ideal": 242.8, "law-layer-time": 37.75e-6, "law-share": 0.8803, "law-carried-error": 0.0191,
        "capacity-gain": 4614.76 / 1096.52, "capacity-bandwidth-gain": 1.3245, "energy-saving-h100": 64.6,
        "energy-saving-h200": 58.0, "capacity-double-gain": 2.21, "pair-peak-share": 0.71,
    }  # fmt: skip
    for name, value in expected.items():
        assert number[name] == pytest.approx(value, rel=5e-3), name
    assert text["energy-h100"] == "2.9 J"
    assert text["energy-bit-h200"].endswith("16 pJ")
    assert text["pair-long-prompt-side"] == "is no more than two runs differ by"


# ------------------------------------------------------------------------- conclusions follow the data


def phrase(published: list[figures.Value], name: str) -> str:
    return findings.texts(published)[name]


@pytest.mark.long
def test_slower_readers_are_kept_up_with(package: DataPackage) -> None:
    slow = findings.values(package, GIVEN.but(reading_speed_word_per_min=150.0))
    assert phrase(slow, "keeps-up") == "keeps up with"
    assert findings.numbers(slow)["fast-batch"] >= 256


@pytest.mark.long
def test_nobody_is_fast_enough_for_an_impossible_reader(package: DataPackage) -> None:
    fast = findings.values(package, GIVEN.but(reading_speed_word_per_min=5000.0))
    assert findings.numbers(fast)["fast-batch"] == 0


@pytest.mark.long
def test_the_wall_returns_where_memory_is_slower(tmp_path: Path, published: list[figures.Value]) -> None:
    def slow_down(row: dict[str, str]) -> None:
        if row["accelerator_id"] == "google-tpu-v4":
            row["memory_bandwidth_gbyte_per_s"] = "400"

    slower = findings.values(changed(tmp_path, "accelerators", slow_down), GIVEN)
    assert phrase(published, "ridge-side") == "past"
    assert phrase(published, "wall") == "less than the products take at least"
    assert phrase(slower, "ridge-side") == "short of"
    assert phrase(slower, "wall") == "more than the products take at least"


def test_every_value_is_well_formed(published: list[figures.Value]) -> None:
    names = [value.id for value in published]
    assert len(names) == len(set(names))
    for value in published:
        assert value.definition.endswith("."), value.id
        assert value.as_dict()["text"] not in ("", "unknown"), value.id
    figures.publish(*published)


# ------------------------------------------------------------------------------------------ charts

Drawings = dict[str, tuple[Any, pd.DataFrame]]


@pytest.fixture(scope="module")
def drawings(package: DataPackage) -> Drawings:
    made = {
        "pope": derived.pope_figure_9(package, GIVEN), "phases": derived.prefill_and_decode(package),
        "parts": derived.step_bounds(package), "costs": derived.chip_times(package),
        "latencies": derived.latency_by_chips(package), "balance": derived.balance(package),
        "memory": derived.memory_costs(package, GIVEN, price_ratio=PRICE_RATIO), "shares": derived.hbm_shares(package),
        "ratios": derived.price_ratios(package), "gains": derived.same_processor_gains(package),
        "law": derived.same_processor_law(package), "filled": derived.capacity_gains(package),
        "energy": derived.energy_by_batch(package),
    }  # fmt: skip
    drawn = {
        "pope": charts.pope_figure_9(made["pope"]), "phases": charts.prefill_and_decode(made["phases"]),
        "parts": charts.step_time_by_batch(made["parts"]),
        "costs": charts.mfu_and_chip_time(made["costs"], ridge_batch_size=229.2),
        "latencies": charts.latency_by_chips(made["latencies"]), "balance": charts.accelerator_balance(made["balance"]),
        "memory": charts.memory_cost_per_user(made["memory"], price_ratio=4.0, context_token=2048),
        "shares": charts.hbm_cost_share(made["shares"], claimed_share=0.5),
        "ratios": charts.hbm_price_ratio(made["ratios"]), "law": charts.same_processor_law(made["law"]),
        "gains": charts.same_processor_gains(made["gains"], bandwidth_ratio=1.43, ideal=derived.IDEAL),
        "filled": charts.capacity_gains(made["filled"]), "energy": charts.energy_by_batch(made["energy"]),
    }  # fmt: skip
    return {name: (drawn[name], made[name]) for name in made}


def fields(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["field"]} if isinstance(node.get("field"), str) else set()
        return own.union(*(fields(value) for key, value in node.items() if key != "datasets"))
    return set().union(*(fields(value) for value in node)) if isinstance(node, list) else set()


CALCULATED = {"limit_label", "step_label", "used_label", "chip_label", "article_label", "upper", "last"}


@pytest.mark.long
def test_charts_draw_columns_of_their_tables(drawings: Drawings) -> None:
    for name, (chart, table) in drawings.items():
        assert fields(chart.to_dict()) <= {*map(str, table.columns), *CALCULATED}, name


def test_the_browser_computes_what_the_equation_does(drawings: Drawings) -> None:
    chart, table = drawings["memory"]
    text = str(chart.to_dict())
    assert "price * (1 / datum.batch_size + datum.cache_to_weight_ratio) / (1 + datum.cache_to_weight_ratio)" in text
    [price] = [each["value"] for each in chart.to_dict()["params"] if each["name"] == "price"]
    batch, cache = table["batch_size"].to_numpy(), table["cache_to_weight_ratio"].to_numpy()
    drawn = price * (1 / batch + cache) / (1 + cache)
    np.testing.assert_allclose(drawn, table["cost_ratio"])
    np.testing.assert_allclose(drawn, equations.memory_cost_ratio(price, batch_size=batch, kv_to_weight_ratio=cache))


def test_parameters_of_the_charts_start_where_the_edition_stands(drawings: Drawings) -> None:
    chart, _ = drawings["memory"]
    values = {each["name"]: each["value"] for each in chart.to_dict()["params"]}
    assert values == {"price": 4.0, "context": 2048}
    chart, _ = drawings["pope"]
    assert chart.to_dict()["params"][0]["value"] == "60 tokens in, 20 out"
    chart, table = drawings["latencies"]
    assert chart.to_dict()["params"][0]["value"] == table["batch_size"].max() == 128
