"""The calibrated model: prepared data, honest folds, goals, intervals, and a chapter whose numbers follow."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import calibration
from analysis.charts import validation as charts
from analysis.derived import common, expected, measured, serving
from analysis.derived import validation as derived
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


def test_the_filed_calibration_is_what_the_command_fits(package: DataPackage) -> None:
    """The parameters and one fold; the whole command takes half a minute and is compared where the parameters are."""
    fitted = calibration.fitted_rows(package)
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    found = calibration.fit(calibration.Problem(fitted), calibration.PARAMETERS)
    for name, value in found.items():
        assert value == pytest.approx(known[name], rel=2e-3), f"{name}: run `make calibrate`"


def test_the_filed_fold_never_saw_its_chip(package: DataPackage) -> None:
    fitted = calibration.fitted_rows(package)
    known = {(row["left_out"], row["parameter_id"]): float(row["value"]) for row in filed("calibration_folds")}
    without = calibration.fit(calibration.Problem(fitted[fitted["chip"] != "A40"]), calibration.PARAMETERS)
    for name, value in without.items():
        assert value == pytest.approx(known[("A40", name)], rel=1e-2)


def test_the_filed_serving_fit_is_what_the_command_fits(package: DataPackage) -> None:
    requests = serving.serving_measurements(package)
    requests = requests[requests["fits"]].reset_index(drop=True)
    problem = calibration.ServingProblem(requests, serving.predicted_request_s, "request_s", "series")
    known = {row["parameter_id"]: float(row["value"]) for row in filed("calibration")}
    for name, value in calibration.fit(problem, calibration.SERVING).items():
        assert value == pytest.approx(known[name], rel=5e-3), f"{name}: run `make calibrate`"


def test_every_fitted_chip_has_its_fold(package: DataPackage) -> None:
    chips = set(calibration.fitted_rows(package)["chip"])
    assert chips <= {row["left_out"] for row in filed("calibration_folds")}


def test_nothing_is_fitted_to_a_chip() -> None:
    assert len(calibration.GPU) <= 11
    assert not any("chip" in parameter.parameter_id for parameter in calibration.PARAMETERS)


def test_known_parameters_are_found_again(package: DataPackage) -> None:
    """Speeds made by the model itself give the parameters back."""
    fitted = calibration.fitted_rows(package)
    truth = {parameter.parameter_id: parameter.start * 1.1 for parameter in calibration.GPU} | {
        parameter.parameter_id: parameter.start for parameter in calibration.CPU
    }
    truth["bandwidth-share"] = 0.8
    speeds = measured.predicted_token_per_s(fitted, expected.Calibration(calibration.completed(truth), {}))
    found = calibration.fit(calibration.Problem(fitted.assign(decode_token_per_s=speeds)), calibration.PARAMETERS)
    for name in (
        "launch",
        "launch-rocm",
        "width-metal",
        "bandwidth-share",
        "bandwidth-share-hbm",
        "kv-cost-without-flash",
    ):
        assert found[name] == pytest.approx(truth[name], rel=0.01), name


# --------------------------------------------------------------------------------------------- judgement


def test_goals_are_met(package: DataPackage) -> None:
    assert derived.goals(package)["is_met"].all()


def test_intervals_cover_as_they_say(package: DataPackage) -> None:
    covered = derived.interval_coverage(package)
    whole = covered[covered["group"] == "all"]
    assert 0.75 <= float(whole["chip_share"].iloc[0]) <= 0.85
    assert 0.75 <= float(whole["row_share"].iloc[0]) <= 0.86


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
    wanted = pope[
        pope["usable"].astype(bool) & (pope["chip"] == "google-tpu-v4") & pope["table"].isin(["2", "D.2", "D.3"])
    ]
    shown = derived.pope_rows(package)
    assert len(shown) == len(wanted)
    assert shown["error_percent"].median() < 12


def test_a_conclusion_follows_the_data(package: DataPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "GOALS", (("gpu", "An impossible goal", 0.001), *derived.GOALS))
    text = next(value.text for value in derived._goal_texts(package))
    assert "An impossible goal" in text


# --------------------------------------------------------------------------------- what others ask for


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


def test_expected_speeds_agree_with_predict(package: DataPackage) -> None:
    from analysis.predict import predict

    devices = common.devices(package)
    devices = devices[devices["device_id"].isin(["rtx-4090-24gb", "macbook-pro-16-m4-max-16c-128gb"])].reset_index(
        drop=True
    )
    speeds = derived.expected_speeds(package, devices, model_id="llama-2-70b", format_id="q4-0")
    table = pd.DataFrame(
        {
            "backend": speeds["stack"], "chip": devices["chip"] + " " + devices["name"], "model_id": "llama-2-70b", "format": "q4-0",
            "memory_bandwidth_gbyte_per_s": devices["memory_bandwidth_byte_per_s"] / 1e9,
        }
    )  # fmt: skip
    assert predict(table)["token_per_s"].to_numpy() == pytest.approx(
        speeds["expected_token_per_s"].to_numpy(), rel=0.01
    )


# ------------------------------------------------------------------------------------------------ charts


@pytest.mark.parametrize(
    "name",
    [
        "predicted_against_measured", "error_by_group", "residual_stories", "interval_coverage", "bandwidth_achieved",
        "serving_predicted", "serving_frontier",
    ],
)  # fmt: skip
def test_charts_encode_columns_that_exist(package: DataPackage, name: str) -> None:
    table = getattr(derived, name)(package)
    spec = getattr(charts, name)(table).to_dict()
    fields = set(_fields(spec))
    made = {column for data in spec.get("datasets", {}).values() for column in data[0]}
    assert fields <= set(table.columns) | made


def test_the_ladder_is_drawn_with_its_goal(package: DataPackage) -> None:
    spec = charts.accuracy_ladder(derived.accuracy_ladder(package), goal_ratio=0.05).to_dict()
    assert any({"error_ratio": 0.05} in rows for rows in spec["datasets"].values())


def _fields(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [str(node["field"])] if isinstance(node.get("field"), str) else []
        return own + [name for key, value in node.items() if key != "datasets" for name in _fields(value)]
    return [name for value in node for name in _fields(value)] if isinstance(node, list) else []


def test_every_value_the_chapter_cites_exists(package: DataPackage) -> None:
    import re

    text = (ROOT / "chapters" / "validation.md").read_text(encoding="utf-8")
    known = {value.id for value in derived.values(package)}
    assert set(re.findall(r"\{value\}`([a-z0-9-]+)`", text)) <= known
    assert {f"validation-{name}" for name in re.findall(r"say\['([a-z0-9-]+)'\]", text)} <= known


def test_calibration_writes_tables(tmp_path: Path) -> None:
    calibration.write(tmp_path, {"calibration": [{"parameter_id": "launch", "value": 1.0}]})
    assert (tmp_path / "calibration.csv").read_text() == "parameter_id,value\nlaunch,1.0\n"
