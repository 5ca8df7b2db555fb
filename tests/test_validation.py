"""The calibrated model: prepared data, honest folds, goals, intervals, and a chapter whose numbers follow."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import words
from analysis.equations import validation as equations
from analysis.model import calibration, expected, intervals, measured, peaks, prefill, serving
from analysis.subjects import common
from analysis.subjects.validation import charts, derived, findings
from analysis.tables import DataPackage
from tests.conftest import ROOT

DATA = ROOT / "data"


@pytest.fixture(scope="module")
def package() -> DataPackage:
    return DataPackage(DATA)


@pytest.fixture(scope="module")
def rows(package: DataPackage) -> pd.DataFrame:
    return derived.unseen(package)


# ------------------------------------------------------------------------------------------------ data


@pytest.mark.long
def test_physics_bounds_every_row(rows: pd.DataFrame) -> None:
    assert (rows["decode_token_per_s"] <= rows["limit_token_per_s"] * 1.06).all()


def test_replicates_are_collapsed(rows: pd.DataFrame, package: DataPackage) -> None:
    candidates = package.table("measurements_decode")["is_fit_candidate"].sum()
    assert rows["n_run"].sum() == candidates
    assert len(rows) < candidates
    assert not rows.duplicated(measured.SAME_RUN).any()


def test_the_input_embedding_is_not_read(rows: pd.DataFrame) -> None:
    llama = rows[(rows["model"] == "Llama 2 7B") & (rows["quantization"] == "Q4_0")].iloc[0]
    assert llama["weight_byte"] - llama["read_byte"] == pytest.approx(32000 * 4096 * 4.54 / 8, rel=0.01)


def test_windows_bound_the_cache(rows: pd.DataFrame) -> None:
    gemma = rows[(rows["model"] == "gemma-3-4b") & (rows["context_token"] == 32768)].iloc[0]
    full = 2 * 4 * 256 * 2 * (5 * gemma["mean_context_token"] + 29 * 1024)
    assert gemma["kv_cache_byte"] == pytest.approx(full)


# ------------------------------------------------------------------------------------------------ fits


def filed(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_the_filed_calibration_is_what_the_command_fits(package: DataPackage) -> None:
    """The parameters and one fold; the whole command takes half a minute and is compared where the parameters are."""
    fitted = calibration.fitted_rows(package)
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    found = calibration.fit_all(fitted, calibration.PARAMETERS)
    assert set(found) == {parameter.parameter_id for parameter in calibration.PARAMETERS}
    for name, value in found.items():
        assert value == pytest.approx(known[name], rel=2e-3), f"{name}: run `make calibrate`"


@pytest.mark.long
def test_the_filed_fold_never_saw_its_chip(package: DataPackage) -> None:
    fitted = calibration.fitted_rows(package)
    known = {(row["left_out"], row["parameter_id"]): float(row["value"]) for row in filed("calibration_folds")}
    for chip, parameters in (("A40", calibration.GPU), ("Dimensity 8400 (MT6899)", calibration.CPU)):
        without = calibration.fit_all(fitted[fitted["chip"] != chip], parameters)
        for name, value in without.items():
            assert value == pytest.approx(known[(chip, name)], rel=1e-2), (chip, name)


def test_the_filed_serving_fit_is_what_the_command_fits(package: DataPackage) -> None:
    requests = serving.serving_measurements(package)
    requests = requests[requests["is_fitted"]].reset_index(drop=True)
    problem = calibration.ServingProblem(requests, serving.predicted_request_s, "request_s", "series")
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    for name, value in calibration.fit(problem, calibration.SERVING).items():
        assert value == pytest.approx(known[name], rel=5e-3), f"{name}: run `make calibrate`"


def test_the_filed_time_for_routing_is_what_the_command_fits(package: DataPackage) -> None:
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    dense = {parameter.parameter_id: known[parameter.parameter_id] for parameter in calibration.PARAMETERS}
    found = calibration.fit(calibration.Problem(calibration.expert_rows(package), dense), calibration.EXPERTS)
    assert found["routing"] == pytest.approx(known["routing"], rel=2e-3)


def test_the_filed_fit_to_fastertransformer_never_saw_its_table(package: DataPackage) -> None:
    rows = serving.fastertransformer_measurements(package)
    rows = rows[rows["time_s"].notna() & (rows["table"] != "D.2")].reset_index(drop=True)
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    model = calibration.with_fixed(serving.predicted_fastertransformer_s, known)
    found = calibration.fit(calibration.ServingProblem(rows, model, "time_s", "table"), calibration.FASTERTRANSFORMER)
    folds = {
        row["parameter_id"]: float(row["value"]) for row in filed("calibration_folds") if row["left_out"] == "Table D.2"
    }
    for name, value in found.items():
        assert value == pytest.approx(folds[name], rel=1e-2), f"{name}: run `make calibrate`"


def test_every_fitted_chip_has_its_fold(package: DataPackage) -> None:
    chips = set(calibration.fitted_rows(package)["chip"])
    assert chips <= {row["left_out"] for row in filed("calibration_folds")}


def test_nothing_is_fitted_to_a_chip() -> None:
    assert len(calibration.GPU) <= 13
    shared = {"old-chip-share"}  # of a generation, which several chips are of
    assert not any("chip" in p.parameter_id for p in calibration.PARAMETERS if p.parameter_id not in shared)


def test_known_parameters_are_found_again(package: DataPackage) -> None:
    """Speeds made by the model itself give the parameters back."""
    fitted = calibration.fitted_rows(package)
    truth = {parameter.parameter_id: parameter.start for parameter in calibration.PARAMETERS}
    truth |= {parameter.parameter_id: parameter.start * 1.1 for parameter in calibration.GPU}
    truth["bandwidth-share"] = 0.8
    speeds = measured.predicted_token_per_s(fitted, expected.Calibration(calibration.completed(truth), {}))
    found = calibration.fit_all(fitted.assign(decode_token_per_s=speeds), calibration.PARAMETERS)
    for name in (
        "old-chip-share",
        "cpu-bandwidth-share",
        "cpu-layer",
        "cpu-k",
        "opencl-layer",
        "npu-bandwidth-share",
        "launch",
        "launch-rocm",
        "width-metal",
        "bandwidth-share",
        "bandwidth-share-hbm",
        "kv-cost-without-flash",
    ):
        assert found[name] == pytest.approx(truth[name], rel=0.01), name


# --------------------------------------------------------------------------------------------- judgement


@pytest.mark.long
def test_every_goal_is_said_to_be_met_or_missed(package: DataPackage) -> None:
    """Every group that the figure on coverage shows stands among the goals, met or not, and the sentences count the missed ones."""
    goals = derived.goals(package).set_index("goal")
    said = findings.texts(findings.values(package))
    for name, text, most in derived.GOALS:
        row = dict(goals.loc[text])
        assert row["is_met"] == (derived.reached(package)[name] <= most)
        assert (f"{text} (" in said["goals-met"]) == (not row["is_met"])
    met, total, few, more = map(int, re.findall(r"\d+", said["coverage-met"]))
    missed = goals[(goals["kind"] == derived.COVERAGE_KIND) & ~goals["is_met"]]
    assert (met + few + more, few + more) == (total, len(missed))
    assert few == (missed["reached_ratio"] < missed["low_ratio"]).sum()
    asked = {"chip_share": derived.COVERAGE_GOAL, "row_share": derived.ROW_COVERAGE_GOAL}
    for part in derived.interval_coverage(package).to_dict("records"):
        for column, counted in derived.COUNTED.items():
            goal, (low, high) = goals.loc[f"{part['name']}, {counted}"], asked[column]
            assert goal["is_met"] == (low <= part[column] <= high)


def test_the_goals_that_chips_of_computers_met_stay_met(package: DataPackage) -> None:
    goals = derived.goals(package)
    kept = ("Graphics processors, 4 bits and more, median", "Apple Metal, median", "All backends and formats, median")
    assert goals.loc[goals["goal"].isin(kept), "is_met"].all()
    assert goals.loc[goals["goal"] == "H100 and H200, one sequence, median", "is_met"].all()


def test_a_half_is_for_good_and_neither_is_small(package: DataPackage) -> None:
    """The rule is one of the name alone, so a chip that is added keeps its half, and the filed list is that of the rule."""
    halves = {row["left_out"]: row["half"] for row in filed("calibration_folds")}
    assert all(intervals.half(name) == half for name, half in halves.items())
    counts = pd.Series(halves).value_counts()
    assert counts.min() > len(halves) / 4
    assert set(counts.index) == set(intervals.HALVES)


@pytest.mark.long
def test_what_is_said_of_a_group_is_what_its_table_shows(package: DataPackage) -> None:
    """Each median and each "nine in ten" of a sentence is a cell of the figure's own table."""
    said = findings.texts(findings.values(package))
    for row in derived.error_by_group(package).to_dict("records"):
        for name, column in (("median", "error_ratio"), ("large", "large_error_ratio")):
            assert said[f"group-{derived.hyphened(row['name'])}-{name}"] == words.quantity(row[column], "share", 2)
    chapter = (ROOT / "chapters" / "validation.md").read_text(encoding="utf-8")
    figure = chapter[chapter.index('"error-by-group", charts') :]
    cited = re.findall(r"say\['([a-z0-9-]+)'\]", figure[: figure.index("```")])
    assert all(name.startswith("group-") or name == "cpu-chips" for name in cited), cited


def test_no_ceiling_is_assumed_for_a_processor_without_stated_threads(package: DataPackage) -> None:
    """The whole share of a wide memory is reached; a ceiling stands only where threads are stated, and is said to be set by hand."""
    known = expected.calibration(DATA)
    kind = known.coefficients("cpu", hbm=False, old_software=False, flash=True, packing="plain")
    asked = {
        "weight_byte": 40e9,
        "bit_per_param": 16.0,
        "n_layer": 32.0,
        "kv_cache_byte": 0.0,
        "introduced_year": 2024.0,
    }
    limits = known.processor(
        bandwidth_byte_per_s=400e9, n_thread=np.array([np.nan, 4.0]), op_per_s=np.nan, is_phone=False
    )
    wide, few = np.asarray(known.parts(kind, asked | {"bandwidth_byte_per_s": 400e9} | limits).weight_s)
    assert wide == pytest.approx(40e9 / (known.parameters["cpu-bandwidth-share"] * 400e9))
    assert few == pytest.approx(40e9 / (4 * expected.THREAD_BYTE_PER_S))
    chapter = (ROOT / "chapters" / "validation.md").read_text()
    assert "set by hand" in chapter
    assert not re.search(r"however wide|whatever the memory", chapter, re.IGNORECASE)


def test_the_printed_step_is_the_one_that_runs() -> None:
    """Every combination, through the equations as a reader calls them, is what the model says, to the last bit."""
    known = expected.calibration(DATA)
    kind = expected.Coefficients(*known.table.T)
    draw, size = np.random.default_rng(0), len(known.table)
    bandwidth, weight, cache = (draw.uniform(low, high, size) for low, high in ((1e10, 5e12), (1e8, 4e11), (0, 1e10)))
    n_layer, bit = np.floor(draw.uniform(1, 130, size)), draw.uniform(1, 16, size)
    limits = known.processor(bandwidth_byte_per_s=bandwidth, n_thread=4.0, op_per_s=np.nan, is_phone=False)
    printed = equations.decode_step_time_s(
        read := equations.dequantised_byte(weight, bit, unpacking_bit_per_param=kind.unpacking_bit_per_param),
        equations.reached_byte_per_s(bandwidth, kind.bandwidth_share, limits["thread_byte_per_s"]),
        n_layer=n_layer, kv_cache_byte=cache, kv_cost_ratio=kind.kv_cost_ratio,
        overhead_s_per_layer=equations.overhead_s_per_layer(
            kind.launch_s_per_layer, width_s_per_layer=kind.width_s_per_layer, ageless_s_per_layer=kind.ageless_s_per_layer,
            routing_s_per_layer=kind.routing_s_per_layer, reference_bandwidth_byte_per_s=expected.REFERENCE_BANDWIDTH_BYTE_PER_S,
            bandwidth_byte_per_s=equations.useful_bandwidth_byte_per_s(
                bandwidth, read_byte=read + cache * kind.kv_cost_ratio, width_s=n_layer * kind.width_s_per_layer,
                reference_bandwidth_byte_per_s=expected.REFERENCE_BANDWIDTH_BYTE_PER_S, bandwidth_share=kind.bandwidth_share,
            ),
        ),
        unpacking_time_s=equations.unpacking_time_s(
            weight * 8 / bit, op_per_param=kind.op_per_param + kind.op_per_bit * bit, op_per_s=limits["op_per_s"]
        ),
    )  # fmt: skip
    parts = known.parts(kind, limits | {
        "bandwidth_byte_per_s": bandwidth, "weight_byte": weight, "n_layer": n_layer, "bit_per_param": bit, "kv_cache_byte": cache,
        "introduced_year": np.full(size, expected.REFERENCE_GENERATION_YEAR), "is_expert": 1.0,
    })  # fmt: skip
    np.testing.assert_array_equal(parts.step_s, printed)
    np.testing.assert_allclose(
        parts.overhead_s + parts.weight_s + parts.cache_s + parts.arithmetic_s, printed, rtol=1e-14
    )
    assert 0 < np.count_nonzero(parts.arithmetic_s) < size


@pytest.mark.parametrize("stack", expected.STACK_NAMES)
def test_more_bandwidth_never_makes_a_prediction_slower(stack: str) -> None:
    known = expected.calibration(DATA)
    bandwidth = np.geomspace(10e9, 10e12, 200)
    for packing in expected.PACKINGS:
        kind = known.coefficients(stack, hbm=False, old_software=False, flash=True, packing=packing)
        for byte in (0.05e9, 1e9, 100e9):
            parts = known.parts(
                kind, {"bandwidth_byte_per_s": bandwidth, "weight_byte": byte, "bit_per_param": 4.5, "n_layer": 30.0, "kv_cache_byte": 0.0,
                       "introduced_year": 2025.0},
            )  # fmt: skip
            assert (np.diff(np.asarray(parts.step_s)) <= 1e-12).all(), (packing, byte)


def test_hbm_under_a_compiling_engine_reaches_what_other_memories_do() -> None:
    known = expected.calibration(DATA)
    kinds = [
        known.coefficients("cuda", hbm=hbm, old_software=False, flash=True, packing="plain", tuning=tuning)
        for hbm, tuning in ((False, "llama.cpp"), (True, "compiled"), (True, "llama.cpp"))
    ]
    assert kinds[0].bandwidth_share == kinds[1].bandwidth_share > kinds[2].bandwidth_share


def test_a_chip_of_a_phone_never_gets_the_interval_of_a_mac() -> None:
    known = expected.calibration(DATA)
    phone, mac = (known.intervals[expected.group("metal", "plain", is_phone=phone)] for phone in (True, False))
    assert phone[0] < mac[0] < mac[1] < phone[1]


def test_prompts_are_predicted_without_their_chip(package: DataPackage) -> None:
    rows = derived.unseen_prompts(package)
    assert rows["predicted_s"].notna().all()
    folds = {row["left_out"] for row in filed("calibration_folds") if row["parameter_id"].startswith("prefill-")}
    assert set(rows["chip"]) <= folds
    assert rows.loc[rows["stack"] == "metal", "error_ratio"].median() < 0.08


def test_a_prompt_takes_products_attention_and_passes() -> None:
    """By hand: 2 · 1e9 · 1000 / 1e12 = 2 s of products, attention 2 · sqrt(12 / (12 · 1e9)) · 500 of it, and two passes of 0.1 s."""
    asked = {"param": 1e9, "prompt_token": 1000.0, "n_layer": 12.0, "flop_per_s": 1e12, "pass_s": 0.1}
    attention = 2 * np.sqrt(1e-9) * 500
    assert prefill.time_s(**asked) == pytest.approx(2 * (1 + attention) + 0.2)
    assert prefill.time_s(**asked, passes_token=np.inf) == pytest.approx(2 * (1 + attention))


def test_steps_of_2026_are_predicted_without_their_pair(package: DataPackage) -> None:
    rows = derived.unseen_steps(package)
    assert rows["predicted_s"].notna().all()
    kept = rows[~rows["is_long"]]
    assert kept["error_ratio"].median() < 0.12
    assert 0.7 < kept["is_covered"].mean() < 0.9


@pytest.mark.parametrize(
    ("name", "tflop_per_s"),
    [
        ("NVIDIA GeForce RTX 4070 Ti", 80.18), ("RTX 4070 SUPER", 70.96), ("AD104 GeForce RTX 4070 12 GB", 58.29), ("rtx3080ti", 68.2),
        ("H100 PCIe", 756), ("NVIDIA H100 80GB HBM3", 989.5), ("RTX 4070 Ti SUPER", np.nan), ("RTX 4090 Laptop", np.nan),
        ("RTX 6000", np.nan), ("RTX 6000 Ada", 364.2), ("M4 MacBook Pro", 4.6), ("M4 Pro", 9.2), ("M3 Max", np.nan),
        ("M3 Max (40-core GPU)", 14.2), ("", np.nan),
    ],
)  # fmt: skip
def test_a_chip_never_falls_back_to_its_namesake(name: str, tflop_per_s: float) -> None:
    assert peaks.peak(name, DATA).fastest_flop_per_s / 1e12 == pytest.approx(tflop_per_s, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "tflop_per_s"),
    [
        ("M3 Max (14-core CPU, 30-core GPU) MacBook Pro 14 (M3 Max, 14-core)", 10.65),
        ("M3 Max (16-core CPU, 40-core GPU) MacBook Pro 14 (M3 Max, 16-core), 128 GB", 14.2),
        ("M4 Max (14-core CPU, 32-core GPU) Mac Studio (M4 Max, 14-core)", 14.72),
        ("M4 iPad Pro (M4), 256-512 GB", 4.6),
        ("A15 Bionic iPhone SE (3rd gen)", 1.71),
        ("M5 Max (32-core GPU) MacBook Pro 14 (M5 Max, 32-core GPU)", 30.0 * 32 / 40),
        ("M2 Max 30-core GPU", 13.6 * 30 / 38),
        ("M3 Max", np.nan),
        ("M3 Max (16-core)", np.nan),
    ],
)
def test_cores_of_the_graphics_processor_tell_chips_apart_and_nothing_else_does(name: str, tflop_per_s: float) -> None:
    """Cores of the processor, sizes of storage and generations of a phone are no part of the name of a chip."""
    assert peaks.peak(name, DATA).shader_flop_per_s == pytest.approx(tflop_per_s * 1e12, nan_ok=True)


def test_every_mac_but_the_newest_has_a_time_to_the_first_token() -> None:
    """Whoever asks by name gets a time; where no source has a peak, none."""
    macs = [
        row for row in filed("devices") if row["vendor"] == "Apple" and row["device_class"] in ("laptop", "desktop")
    ]
    without = {
        row["device_id"]
        for row in macs
        if np.isnan(peaks.peak(f"{row['chip']} {row['name']}", DATA).fastest_flop_per_s)
    }
    assert without <= {"mac-mini-m6-24gb", "mac-studio-m5-ultra-96gb", "macbook-neo-a18-pro-8gb"}


def test_intervals_cover_as_they_say(package: DataPackage) -> None:
    covered = derived.interval_coverage(package)
    low, high = derived.COVERAGE_GOAL
    whole = covered[covered["group"] == "all"]
    assert low <= float(whole["chip_share"].iloc[0]) <= high
    assert (covered["chip_share"] >= low).all()


def test_few_chips_get_students_interval_and_many_get_quantiles() -> None:
    """Four log errors of standard deviation 1 (unbiased): the interval is 1.638 sqrt(1 + 1/4) wide, by the table of Student's t."""
    log = np.array([-1.0, 1.0, -1.0, 1.0]) * np.sqrt(3) / 2
    low, high = intervals.ends(np.exp(log), np.ones(4), few=True)
    assert np.log(high) == pytest.approx(1.638 * np.sqrt(1.25), rel=1e-3)
    assert low * high == pytest.approx(1)
    assert intervals.ends(np.exp(log), np.ones(4), few=False) == pytest.approx((np.exp(log.min()), np.exp(log.max())))


def test_quantiles_can_promise_what_is_stated_from_the_least_chips_on() -> None:
    count = intervals.LEAST_CHIPS
    assert (count - 1) / (count + 1) >= intervals.COVERAGE_SHARE > (count - 2) / count


def test_unseen_errors_are_larger_than_seen_ones(rows: pd.DataFrame, package: DataPackage) -> None:
    fitted = rows[rows["left_out"] == ""]
    seen = measured.error_ratio(fitted, measured.predicted_token_per_s(fitted, expected.calibration(DATA)))
    assert np.median(seen) < fitted["error_ratio"].median()


def test_the_ladder_comes_down(package: DataPackage) -> None:
    ladder = package.table("calibration_ladder")
    assert ladder["gpu_error_ratio"].iloc[0] > 0.3
    assert ladder["gpu_error_ratio"].iloc[-1] < 0.05
    assert ladder["n_parameter"].is_monotonic_increasing


def test_out_of_memory_runs_are_told_apart(package: DataPackage) -> None:
    served = derived.serving_predicted(package).groupby("kind")["error_ratio"].median()
    assert served["Out of memory"] > 5 * served["vLLM"]


def test_every_usable_row_of_popes_tables_is_predicted(package: DataPackage) -> None:
    pope = package.table("pope_tables")
    wanted = pope[pope["table"].isin(["2", "D.2", "D.3"])]
    shown = derived.pope_rows(package)
    assert len(shown) == len(wanted)
    timed = shown[shown["time_s"].notna()]
    assert len(timed) == wanted["time_s"].notna().sum()
    assert timed["predicted_s"].notna().all()
    assert (shown.loc[shown["time_s"].isna(), "remark"].str.startswith("Out of memory; as the model says")).all()
    assert (derived.pope_errors(package)["median_percent"] < 12).all()


def test_the_model_knows_which_runs_of_fastertransformer_end_for_want_of_memory(package: DataPackage) -> None:
    rows = serving.fastertransformer_measurements(package)
    assert (rows["time_s"].isna() == ~rows["is_held"]).all()
    assert rows["time_s"].isna().sum() == 3


@pytest.mark.parametrize(
    ("batch", "token", "stages", "part"),
    [(256, 20, 3, 64), (96, 20, 3, 32), (256, 1, 3, 256), (256, 128, 1, 256), (7, 2000, 3, 7)],
)
def test_a_batch_is_cut_as_fastertransformer_cuts_it(batch: int, token: int, stages: int, part: int) -> None:
    """Worked by hand through getLocalBatchSize with 2,048 tokens: divided by the stages if that leaves no rest, then halved while even."""
    arrays = (np.array([float(value)]) for value in (batch, token, stages, 2048))
    assert serving._part_size(*arrays)[0] == part


def test_mixtures_of_experts_are_predicted_without_their_chip(package: DataPackage) -> None:
    rows = derived.expert_rows(package)
    assert rows["chip"].nunique() >= intervals.LEAST_CHIPS
    assert rows["error_ratio"].median() < 0.08
    folds = {row["left_out"] for row in filed("calibration_folds") if row["parameter_id"] == "routing"}
    assert set(rows["chip"]) <= folds


def test_a_file_smaller_than_its_experts_is_left_out(package: DataPackage) -> None:
    rows = measured.expert_measurements(package)
    assert "decode-1608" not in set(rows["measurement_id"])
    assert (rows["read_byte"] < rows["weight_byte"]).all()


def test_a_batch_reads_more_experts_and_a_dense_model_does_not() -> None:
    mixture, dense = (expected.Weights(20e9, 0.6e9, experts, 32.0, 4.0) for experts in (19e9, 0.0))
    one, many, all_of_them = (float(expected.read_byte(mixture, 12e9, batch_size=size)) for size in (1, 32, 10**6))
    assert one < many < all_of_them
    assert all_of_them == pytest.approx(12e9 * (19 + 0.4) / 20)
    assert expected.read_byte(dense, 12e9, batch_size=32) == expected.read_byte(dense, 12e9)


@pytest.mark.parametrize(
    ("model", "expert_gparam"),
    [
        ("mixtral-8x7b", 45.10),
        ("gpt-oss-20b", 19.11),
        ("deepseek-v3", 654.5),
        ("llama-2-7b", 0.0),
        ("glm-4.5-air", 99.66),
        ("lfm2.5-8b-a1b", 7.751),
        ("ling-mini-2.0", 15.30),
        ("nemotron-3-nano-30b-a3b", 29.37),
    ],
)
def test_experts_hold_most_of_a_mixture(package: DataPackage, model: str, expert_gparam: float) -> None:
    """Widths by hand: 3 x 4096 x 14336 x 8 x 32 for Mixtral; where layers are dense the active parameters decide: 3 x 2048 x 1792 x 32 x 22
    for LFM2.5, 3 x 2048 x 512 x 256 x 19 for Ling-mini, two matrices in 23 of 52 blocks for Nemotron."""
    row = package.row("models", model)
    names = ("n_layer", "n_expert", "n_active_expert", "model_dim", "ffn_dim", "total_param", "active_param")
    assert expected.expert_param({name: float(row[name]) for name in names}) == pytest.approx(
        expert_gparam * 1e9, rel=1e-3
    )


def test_batches_of_experts_are_nearer_with_the_experts_they_call(package: DataPackage) -> None:
    rows = derived.expert_batches(package)
    rows = rows[rows["batch_size"] > 2]
    without = np.abs(rows["one_token_s"] / rows["measured_s"] - 1)
    assert rows["error_ratio"].median() < without.median() / 2


def test_streams_above_their_drive_are_explained(package: DataPackage) -> None:
    rows = derived.storage_reached(package)
    assert rows["explanation"].notna().all()
    alone = rows[rows["explanation"] == derived.EXPLANATIONS["storage"]]
    assert (alone["reached_ratio"] <= 1.001).all()


def test_other_tools_errors_follow_from_their_speeds(package: DataPackage) -> None:
    """LLM-Viewer, batch 256: 8,934.54 predicted, 5,353 seen."""
    rows = derived.other_tools(package).set_index("tool_error_id")["error_percent"]
    assert rows["llm-viewer-7b-b256"] == pytest.approx(66.9, abs=0.05)
    assert rows["vidur-fidelity"] == 9


def test_a_conclusion_follows_the_data(package: DataPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "GOALS", (("gpu", "An impossible goal", 0.001), *derived.GOALS))
    text = next(value.text for value in findings._goal_texts(package))
    count = len(derived.GOALS)
    assert f"of {count} are met; missed: An impossible goal" in text


# --------------------------------------------------------------------------------- what others ask for


@pytest.mark.long
def test_expected_models_lie_below_the_limit(package: DataPackage) -> None:
    devices = common.devices(package)
    table = derived.expected_models(package, devices, format_ids=("fp16", "int4"), token_per_s=25 / 3)
    known = table.dropna()
    assert len(table) == 2 * len(devices)
    assert (known["expected_low_param"] < known["expected_param"]).all()
    assert (known["expected_param"] <= known["limit_param"]).all()
    assert (known["expected_high_param"] <= known["limit_param"]).all()


def test_expected_models_solve_the_step(package: DataPackage) -> None:
    devices = common.devices(package)
    devices = devices[devices["device_id"] == "rtx-4090-24gb"].reset_index(drop=True)
    largest = derived.expected_models(package, devices, format_ids=("int8",), token_per_s=20.0).iloc[0]
    known = expected.calibration(DATA)
    kind = known.coefficients("cuda", hbm=False, old_software=False, flash=True, packing="plain")
    speed = expected.token_per_s(
        known, kind, bandwidth_byte_per_s=1008e9, weight_byte=largest["expected_param"], bit_per_param=8,
        n_layer=expected.typical_layer(known, largest["expected_param"]), introduced_year=2022,
    )  # fmt: skip
    assert speed == pytest.approx(20.0, rel=1e-6)


# ------------------------------------------------------------------------------------------------ charts


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "predicted_against_measured", "error_by_group", "residual_stories", "bandwidth_achieved", "storage_reached",
        "serving_predicted", "serving_frontier", "prompts_predicted",
    ],
)  # fmt: skip
def test_charts_encode_columns_that_exist(package: DataPackage, name: str) -> None:
    table = getattr(derived, name)(package)
    spec = getattr(charts, name)(table).to_dict()
    fields = set(_fields(spec))
    made = {column for data in spec.get("datasets", {}).values() for column in data[0]}
    assert fields <= set(table.columns) | made


def test_coverage_and_batches_encode_columns_that_exist(package: DataPackage) -> None:
    covered, batches = derived.interval_coverage(package), derived.expert_batches_drawn(package)
    band = charts.interval_coverage(covered, goal=derived.COVERAGE_GOAL).to_dict()
    assert any({"share": 0.75, "end": 0.85} in rows for rows in band["datasets"].values())
    assert set(_fields(charts.expert_batches(batches).to_dict())) <= set(batches.columns)


def test_the_ladder_is_drawn_with_its_goal(package: DataPackage) -> None:
    spec = charts.accuracy_ladder(derived.accuracy_ladder(package), goal_ratio=0.05).to_dict()
    assert any({"error_ratio": 0.05} in rows for rows in spec["datasets"].values())


def _fields(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [str(node["field"])] if isinstance(node.get("field"), str) else []
        return own + [name for key, value in node.items() if key != "datasets" for name in _fields(value)]
    return [name for value in node for name in _fields(value)] if isinstance(node, list) else []


@pytest.mark.long
def test_every_value_the_chapter_cites_exists(package: DataPackage) -> None:
    text = (ROOT / "chapters" / "validation.md").read_text(encoding="utf-8")
    known = {value.id for value in findings.values(package)}
    assert set(re.findall(r"\{value\}`([a-z0-9-]+)`", text)) <= known
    assert {f"validation-{name}" for name in re.findall(r"say\['([a-z0-9-]+)'\]", text)} <= known


def test_calibration_writes_tables(tmp_path: Path) -> None:
    calibration.write(tmp_path, {"calibration": [{"parameter_id": "launch", "value": 1.0}]})
    assert (tmp_path / "calibration.csv").read_text() == "parameter_id,value\nlaunch,1.0\n"
