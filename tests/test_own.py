"""One own measurement: it scales what is expected of its machine as far as it pays on chips nobody showed, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis import cli
from analysis.errors import InputError
from analysis.model import ask, expected, own, transfer
from analysis.model.predict import OWN_PROMPT, own_file, predict_file
from analysis.subjects.validation import derived
from analysis.tables import DataPackage
from tests import samples
from tests.conftest import ROOT

DATA = ROOT / "data"
MEASURED = "device,model,format,measured_token_per_s\nrtx 3060 12gb,qwen3 8b,Q4_K_M,{speed}\n"
ASKED = """\
device,model,format,engine,batch
rtx 3060 12gb,qwen3 8b,Q4_K_M,,
rtx 3060 12gb,qwen3 4b,Q8_0,,
rtx 3060 12gb,qwen3 4b,Q8_0,vllm,
rtx 3060 12gb,qwen3 4b,Q8_0,,4
rtx 4090,qwen3 4b,Q8_0,,
"""
SCALED, ELSEWHERE = "scaled by an own measurement", "of another engine or backend"


@pytest.fixture(scope="module")
def package() -> DataPackage:
    return DataPackage(DATA)


def answers(folder: Path, speed: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The answers without a measurement, and with one of 8B on an RTX 3060."""
    (folder / "asked.csv").write_text(ASKED)
    (folder / "bench.csv").write_text(MEASURED.format(speed=speed))
    files = [str(folder / name) for name in ("bare.csv", "with.csv")]
    predict_file(str(folder / "asked.csv"), files[0])
    predict_file(str(folder / "asked.csv"), files[1], measured=str(folder / "bench.csv"))
    bare, scaled = (pd.read_csv(file).fillna({"note": ""}) for file in files)
    return bare, scaled


@pytest.mark.long
def test_what_is_filed_is_what_the_rows_say(package: DataPackage) -> None:
    """The rows of the chapter come from the filed folds, those of the calibration from the fit: they have to agree."""
    known, table = expected.calibration(DATA), derived.own_measurement(package)
    used = table[table["is_used"]].set_index("group")
    assert {*used.index, OWN_PROMPT} == set(known.own_intervals)
    assert transfer.prompt_ends(derived.own_prompts(package)) == pytest.approx(
        known.own_intervals[OWN_PROMPT], rel=1e-4
    )
    for group in used.index:
        ends = known.own_intervals[group]
        row = used.loc[group].to_dict()
        assert (row["low_ratio"], row["high_ratio"]) == pytest.approx(ends, rel=1e-4)
        assert ends[1] / ends[0] <= known.intervals[group][1] / known.intervals[group][0] * 1.0001
        assert row["after_error_ratio"] < row["before_error_ratio"]
    left = table[~table["is_used"]]
    assert (
        (left["n_judge"] < transfer.LEAST_JUDGING) | (left["after_error_ratio"] >= left["before_error_ratio"])
    ).all()
    assert 0.75 < (used["covered_share"] * used["n_chip"]).sum() / used["n_chip"].sum() < 0.95


@pytest.mark.long
@pytest.mark.parametrize(
    ("of_machine", "of_run", "low", "high"), [(0.3, 0.0, 1.0, 1.0), (0.0, 0.3, 0.0, 0.3), (0.2, 0.2, 0.3, 0.7)]
)
def test_the_weight_is_the_share_that_belongs_to_the_machine(
    of_machine: float, of_run: float, low: float, high: float
) -> None:
    """Where machines differ and their runs do not, a run says all; where runs differ at random, next to nothing."""
    draw = np.random.default_rng(0)
    machine = np.repeat(draw.normal(0, of_machine, 60), 6) if of_machine else np.zeros(360)
    ratio = np.exp(machine + draw.normal(0, of_run, 360)) if of_run else np.exp(machine)
    chips = np.repeat([f"chip {number}" for number in range(60)], 6)
    rows = pd.DataFrame(
        {"chip": chips, "stack": "cuda", "engine": "", "source_id": "", "group": "cuda", "speed_ratio": ratio}
    )
    cores = rows.assign(stack="cpu", group="cpu")
    assert low <= transfer.weights(transfer.pairs(pd.concat([rows, cores])))["own-graphics"] <= high


def test_a_run_scales_its_machine_under_its_engine_and_nothing_else(tmp_path: Path) -> None:
    bare, scaled = answers(tmp_path, 52.0)
    ratio = 52.0 / bare["token_per_s"][0]
    factor = ratio ** expected.calibration(DATA).parameters["own-graphics"]
    low, high = expected.calibration(DATA).own_intervals["cuda"]
    for row in (0, 1):
        assert scaled["token_per_s"][row] == pytest.approx(bare["token_per_s"][row] * factor, rel=1e-4)
        assert scaled["token_per_s_low"][row] == pytest.approx(scaled["token_per_s"][row] * low, rel=1e-4)
        assert scaled["token_per_s_high"][row] == pytest.approx(scaled["token_per_s"][row] * high, rel=1e-4)
        assert SCALED in scaled["note"][row]
    assert scaled["token_per_s"][2:].tolist() == bare["token_per_s"][2:].tolist()
    assert ELSEWHERE in scaled["note"][2]
    assert "own measurement" not in scaled["note"][3] + scaled["note"][4]
    assert scaled["limit_token_per_s"].tolist() == bare["limit_token_per_s"].tolist()


def test_what_comes_from_storage_is_not_scaled_by_what_memory_did(tmp_path: Path) -> None:
    asked = "device,model,format,storage_read_gbyte_per_s\nmacbook-air-m4-16gb,llama 3.3 70b,Q4_K_M,3\n"
    (tmp_path / "asked.csv").write_text(asked)
    (tmp_path / "bench.csv").write_text(
        "device,model,format,measured_token_per_s\nmacbook-air-m4-16gb,qwen3 8b,Q4_K_M,12\n"
    )
    files = [str(tmp_path / name) for name in ("bare.csv", "with.csv")]
    predict_file(str(tmp_path / "asked.csv"), files[0])
    predict_file(str(tmp_path / "asked.csv"), files[1], measured=str(tmp_path / "bench.csv"))
    bare, scaled = (pd.read_csv(file) for file in files)
    assert bare["binding"][0] == "storage"
    assert scaled["token_per_s"].tolist() == bare["token_per_s"].tolist()


def test_an_interval_holds_the_surprise_it_was_told_of(tmp_path: Path) -> None:
    bare, scaled = answers(tmp_path, 40.0)
    assert scaled["token_per_s_low"][0] == pytest.approx(40.0, rel=1e-4)
    assert scaled["token_per_s_low"][0] < scaled["token_per_s"][0] < bare["token_per_s"][0]


def test_no_scaled_speed_is_above_its_limit(tmp_path: Path) -> None:
    _, scaled = answers(tmp_path, 77.0)
    assert (scaled["token_per_s"] <= scaled["limit_token_per_s"]).all()
    assert (scaled["token_per_s_high"] <= scaled["limit_token_per_s"]).all()


def test_a_kind_it_does_not_improve_is_left_alone_and_says_so() -> None:
    answer = asked("radeon rx 7900 xtx", "qwen3 8b", measured="90")
    assert answer["token_per_s"] == asked("radeon rx 7900 xtx", "qwen3 8b")["token_per_s"]
    assert any("does not improve predictions of this kind" in note for note in answer["notes"])


def asked(*named: str, measured: str = "", **cells: str) -> dict[str, Any]:
    return ask.answered(ask.Question(named, cells, measured=measured), DATA, "2026.11")


@pytest.mark.long
def test_a_question_takes_a_speed_or_a_file(tmp_path: Path) -> None:
    bare, told = asked("rtx 3060 12gb", "qwen3 8b"), asked("rtx 3060 12gb", "qwen3 8b", measured="50")
    assert told["token_per_s"] < bare["token_per_s"]
    assert told["token_per_s_low"] <= 50 <= told["token_per_s_high"]
    assert "you measured 50 tokens per second" in told["notes"][0]
    (tmp_path / "bench.csv").write_text(MEASURED.format(speed=52))
    table = asked("rtx 3060 12gb", measured=str(tmp_path / "bench.csv"))["rows"]
    plain = {row["model"]: row["token_per_s"] for row in asked("rtx 3060 12gb")["rows"]}
    pairs = [(row["token_per_s"], plain[row["model"]]) for row in table if row["token_per_s"]]
    assert len(pairs) > 50
    assert all(ours < theirs for ours, theirs in pairs)


@pytest.mark.parametrize(
    ("named", "measured", "said"),
    [
        (("rtx 3060 12gb", "qwen3 8b"), "145", "found 145 token/s; expected at most 6.*the limit of the memory"),
        (("rtx 3060 12gb", "qwen3 8b"), "fast", "token/s, or a file that is there"),
        (("rtx 3060 12gb", "qwen3 8b"), "0", "measured_token_per_s"),
        (("rtx 3060 12gb",), "45", "of a device and a model"),
        (("qwen3 8b",), "45", "of a device and a model"),
        (("rtx 3060 12gb", "gemini nano 2"), "1e9", "token/s, or a file"),
    ],
)
def test_a_measurement_that_cannot_be_is_refused(named: tuple[str, ...], measured: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(*named, measured=measured)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MEASURED.format(speed=900), "bench.csv:2:measured_token_per_s: found 900 token/s; expected at most 7"),
        (MEASURED.format(speed=""), "no measured speed beside one that is expected"),
        ("device,model,format\nrtx 3060 12gb,qwen3 8b,Q4_K_M\n", "no measured speed"),
        (MEASURED.format(speed=5).replace("qwen3 8b", "llama 3.3 70b"), "no measured speed"),
        (MEASURED.format(speed=45).replace("3060 12gb", "306O"), "a device of the book"),
    ],
)
def test_a_file_of_measurements_is_refused_by_its_place(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bench.csv").write_text(content)
    with pytest.raises(InputError, match=said):
        own_file(str(tmp_path / "bench.csv"), DATA)


def test_a_file_of_another_device_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text(MEASURED.format(speed=45))
    with pytest.raises(InputError, match="found speeds of rtx-3060-12gb"):
        asked("rtx 4090", "qwen3 8b", measured=str(tmp_path / "bench.csv"))
    with pytest.raises(InputError, match="no such file"):
        own_file(str(tmp_path / "none.csv"), DATA)


@pytest.mark.parametrize("name", ["b.csv", "b.json", "b.md"])
def test_every_form_of_llama_bench_is_a_measurement(tmp_path: Path, name: str) -> None:
    forms = {"b.csv": samples.bench_csv, "b.json": samples.bench_json}
    text = forms[name]({}) if name in forms else samples.BENCH_LOG + samples.BENCH_MARKDOWN
    (tmp_path / name).write_text(text)
    [run, *_] = own_file(str(tmp_path / name), DATA)
    assert (run.machine.who, run.machine.stack, run.machine.engine) == (
        frozenset({"rtx-3090-24gb"}),
        "cuda",
        "llama.cpp",
    )
    assert run.speed_ratio == pytest.approx(1, abs=0.2)


def test_several_runs_of_a_machine_count_as_their_mean() -> None:
    here = own.Machine(frozenset({"a", "b"}), "cuda", "llama.cpp")
    runs = [
        own.Run(here._replace(who=frozenset({"a"})), 0.5),
        own.Run(here, 2.0),
        own.Run(here._replace(engine="vllm"), 9.0),
    ]
    assert own.speed_ratio(here, runs) == pytest.approx(1.0)
    assert np.isnan(own.speed_ratio(here._replace(who=frozenset({"c"})), runs))
    assert own.is_elsewhere(here._replace(stack="vulkan"), runs)


@pytest.mark.slow
def test_the_commands_take_it_and_change_nothing_where_it_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "asked.csv").write_text(ASKED)
    (tmp_path / "bench.csv").write_text(MEASURED.format(speed=52))
    (tmp_path / "wrong.csv").write_text(MEASURED.format(speed=999))
    source, out = str(tmp_path / "asked.csv"), tmp_path / "out.csv"
    refused = CliRunner().invoke(
        cli.app, ["predict", source, "--out", str(out), "--measured", str(tmp_path / "wrong.csv")]
    )
    assert refused.exception is not None
    assert not out.exists()
    done = CliRunner().invoke(
        cli.app, ["predict", source, "--out", str(out), "--measured", str(tmp_path / "bench.csv")]
    )
    assert done.exit_code == 0
    assert SCALED in out.read_text()
    told = CliRunner().invoke(cli.app, ["ask", "rtx 3060 12gb", "qwen3 8b", "--measured", "50", "--json"])
    assert any(SCALED in note for note in json.loads(told.stdout)["notes"])


PROMPTS = "device,model,format,prompt_token,context_token\n{device},qwen3 4b,{format},512,\n{device},qwen3 4b,{format},512,8192\n"


@pytest.mark.parametrize(
    ("format_name", "is_alike"), [("Q4_K_M", True), ("Q6_K", True), ("Q8_0", False), ("F16", False)]
)
def test_one_prompt_gives_times_where_none_were_measured_for_weights_packed_alike(
    tmp_path: Path, format_name: str, is_alike: bool
) -> None:  # fmt: skip
    """On a phone's cores nothing was fitted: 1.7B at 60 tokens per second computes 2 × 1.72e9 × 60, and 4B takes as much longer."""
    header = "device,model,format,measured_prefill_token_per_s\n"
    (tmp_path / "bench.csv").write_text(f"{header}galaxy s26 ultra,qwen3 1.7b,Q4_K_M,60\n")
    (tmp_path / "asked.csv").write_text(PROMPTS.format(device="galaxy s26 ultra", format=format_name))
    predict_file(str(tmp_path / "asked.csv"), str(tmp_path / "out.csv"), measured=str(tmp_path / "bench.csv"))
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["first_token_s"].notna().all() == is_alike
    if is_alike:
        first, later = table["first_token_s"]
        assert first == pytest.approx(512 / 60 * 4.02 / 1.72, rel=0.1)
        assert later > 1.2 * first
        low, high = expected.calibration(DATA).own_intervals[OWN_PROMPT]
        assert table["first_token_s_low"][0] == pytest.approx(first / high, rel=1e-3)
        assert table["first_token_s_high"][0] == pytest.approx(first / low, rel=1e-3)
        assert "by an own measurement of a prompt" in table["note"][0]


def test_a_prompt_that_is_expected_is_not_taken_from_a_measurement(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text(
        "device,model,format,measured_prefill_token_per_s\nrtx 3060 12gb,qwen3 8b,Q4_K_M,9\n"
    )
    (tmp_path / "asked.csv").write_text(PROMPTS.format(device="rtx 3060 12gb", format="Q4_K_M"))
    times = []
    for measured in ("", str(tmp_path / "bench.csv")):
        predict_file(str(tmp_path / "asked.csv"), str(tmp_path / "out.csv"), measured=measured)
        times.append(pd.read_csv(tmp_path / "out.csv")["first_token_s"].tolist())
    assert times[0] == times[1]


def test_a_prompt_of_llama_bench_counts_as_one(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(samples.bench_csv({"n_prompt": 512, "n_gen": 0, "avg_ts": 4100.5}))
    [run] = own_file(str(tmp_path / "b.csv"), DATA)
    assert run.flop_per_s == pytest.approx(2 * 8.19e9 * 4100.5, rel=0.1)
    assert run.packing == "k-quant"
    assert np.isnan(run.speed_ratio)
