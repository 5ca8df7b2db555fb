"""Predict: rows in, the same rows out with a speed, an interval, a limit and a reason; wrong input is refused by place."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.book.inputs import parameters
from analysis.errors import InputError
from analysis.model import expected, measured, memory_limits, peaks, prompts
from analysis.model import predict as module
from analysis.model.predict import OUTPUT, predict, predict_file
from analysis.subjects.dram_capacity import derived as dram_capacity
from analysis.tables import DataPackage
from tests.conftest import GIVEN, ROOT

DATA = ROOT / "data"
RTX_4090 = {
    "backend": "cuda", "chip": "RTX 4090", "memory_bandwidth_gbyte_per_s": 1008.0, "weight_gibyte": 3.56,
    "quantization": "Q4_0", "n_layer": 32, "year": 2025,
}  # fmt: skip


def one(**changes: object) -> dict[str, Any]:
    return {str(name): value for name, value in predict(pd.DataFrame([RTX_4090 | changes])).iloc[0].items()}


def test_a_known_case_is_near_its_public_score() -> None:
    """The public CUDA scoreboard of llama.cpp lists about 189 tokens per second for this card, which no fit has seen."""
    row = one()
    assert row["token_per_s"] == pytest.approx(189, rel=0.12)
    assert row["token_per_s_low"] < 189 < row["token_per_s_high"]


def test_the_limit_is_bandwidth_over_bytes() -> None:
    assert one()["limit_token_per_s"] == pytest.approx(1008e9 / (3.56 * 2**30))


@pytest.mark.long
@pytest.mark.parametrize("backend", ["cuda", "metal", "rocm", "vulkan", "cpu", "sycl"])
@pytest.mark.parametrize("size", [0.3, 3.56, 40.0])
def test_low_expected_high_limit_are_in_order(backend: str, size: float) -> None:
    row = one(backend=backend, weight_gibyte=size, n_layer=None)
    assert 0 < row["token_per_s_low"] < row["token_per_s"] < row["limit_token_per_s"]
    assert row["token_per_s"] <= row["token_per_s_high"] <= row["limit_token_per_s"]


@pytest.mark.parametrize(
    ("changes", "faster"),
    [
        ({"memory_bandwidth_gbyte_per_s": 1200.0}, True),
        ({"weight_gibyte": 5.0}, False),
        ({"n_layer": 64}, False),
        ({"context_token": 8192, "n_kv_head": 8, "head_dim": 128}, False),
        ({"year": 2024, "chip": "RTX 3090"}, False),
        ({"chip": "GTX 1080 Ti"}, False),
        ({"memory_type": "HBM2e"}, False),
    ],
)
def test_each_input_moves_the_speed_the_right_way(changes: dict[str, object], faster: bool) -> None:
    base, moved = one(), one(**changes)
    assert bool(moved["token_per_s"] > base["token_per_s"]) is faster


def test_missing_stays_missing_and_says_why() -> None:
    row = one(memory_bandwidth_gbyte_per_s=None)
    assert all(pd.isna(row[name]) for name in OUTPUT[:4])
    assert "memory bandwidth is missing" in row["note"]
    assert pd.isna(one(weight_gibyte=None)["token_per_s"])
    assert pd.isna(one(backend="")["token_per_s"])


def test_a_missing_peak_or_layer_is_noted_not_invented() -> None:
    assert "n_layer estimated" in one(n_layer=None)["note"]
    assert one()["note"] == ""
    assert "not recognised" in one(chip="Unheard 9000")["note"]
    assert "no measurements of this backend" in one(backend="sycl")["note"]


def test_model_and_format_stand_for_the_weights() -> None:
    row = predict(
        pd.DataFrame(
            {
                "backend": ["cuda"],
                "memory_bandwidth_gbyte_per_s": [1008],
                "model_id": ["llama-2-7b"],
                "format": ["q5-0"],
            }
        )
    ).iloc[0]
    read = (6.7384e9 - 32000 * 4096) * 5.5 / 8
    assert row["limit_token_per_s"] == pytest.approx(1008e9 / read, rel=1e-3)


def test_a_published_file_stands_for_the_weights() -> None:
    size = _file_gibyte("llama-2-7b", "q4-0")
    row = {"device": "rtx 4090", "model_id": "llama-2-7b", "format": "q4-0"}
    found = predict(pd.DataFrame([row, row | {"weight_gibyte": size}]))
    assert found["needs_gibyte"].tolist() == [float(size)] * 2
    assert found["limit_token_per_s"].nunique() == 1


def _file_gibyte(model_id: str, format_id: str) -> str:
    rows = pd.read_csv(tables.data_folder() / "file_sizes.csv", dtype=str)
    return str(rows.loc[(rows["model_id"] == model_id) & (rows["format_id"] == format_id), "file_gibyte"].item())


def test_a_mixture_of_experts_reads_its_active_parameters() -> None:
    table = pd.DataFrame(
        {
            "backend": "metal",
            "memory_bandwidth_gbyte_per_s": 400,
            "model_id": ["qwen3-30b-a3b", "qwen3-32b"],
            "format": "q4-0",
        }
    )
    sparse, dense = predict(table)["token_per_s"]
    assert sparse > 4 * dense


def test_experts_are_read_as_the_batch_calls_them() -> None:
    """gpt-oss-20b calls 4 of 32 experts: one token reads an eighth of them, 32 tokens 98.6 %."""
    rows = [{"backend": "cuda", "memory_bandwidth_gbyte_per_s": 273, "weight_gibyte": 11.27, "model_id": "gpt-oss-20b"}]
    table = pd.DataFrame(rows * 2).assign(quantization="MXFP4", batch_size=[1, 32])
    result = predict(table)
    expert = 3 * 2880 * 2880 * 24 * 32 * 4.25 / 8
    head = (11.27 * 2**30 - expert) * (1 - 201088 * 2880 / (20.9148e9 - 3 * 2880 * 2880 * 24 * 32))
    byte = 273e9 * table["batch_size"] / result["limit_token_per_s"]
    assert byte[0] == pytest.approx(head + expert / 8, rel=1e-3)
    assert byte[1] == pytest.approx(head + expert * (1 - (7 / 8) ** 32), rel=1e-3)
    assert result["note"].str.contains("mixture of experts").all()


def test_a_mixture_of_experts_is_near_a_public_score() -> None:
    """The llama.cpp scoreboard lists 282.5 tokens per second for gpt-oss-20b on an RTX 5090."""
    row = one(
        chip="RTX 5090",
        memory_bandwidth_gbyte_per_s=1792.0,
        weight_gibyte=11.27,
        model_id="gpt-oss-20b",
        quantization="MXFP4",
        n_layer=None,
    )
    assert row["token_per_s"] == pytest.approx(282.5, rel=0.12)
    assert row["token_per_s_low"] < 282.5 < row["token_per_s_high"]


def test_what_does_not_fit_has_no_speed_or_comes_from_storage() -> None:
    alone = one(weight_gibyte=39.6, memory_capacity_gibyte=24)
    assert pd.isna(alone["token_per_s"])
    assert alone["binding"] == "capacity"
    streamed = one(weight_gibyte=39.6, memory_capacity_gibyte=24, storage_read_gbyte_per_s=7)
    assert streamed["binding"] == "storage"
    assert streamed["token_per_s"] == pytest.approx(7e9 / (15.6 * 2**30), rel=0.05)


def test_a_batch_shares_the_weights() -> None:
    single, batch = one(), one(batch_size=8)
    assert single["token_per_s"] * 4 < batch["token_per_s"] <= single["token_per_s"] * 8
    assert "batch 1" in batch["note"]


def test_a_large_batch_is_bound_by_arithmetic_where_the_peak_is_known() -> None:
    known = {
        "chip": "H100 SXM 80GB",
        "memory_bandwidth_gbyte_per_s": 3350.0,
        "weight_gibyte": 15.0,
        "quantization": "F16",
    }
    assert one(**known, batch_size=1)["binding"] == "bandwidth"
    assert one(**known, batch_size=1024)["binding"] in ("compute", "overhead")
    assert "peak" not in one(**known, batch_size=64)["note"]
    small = one(**known, batch_size=64)
    limit = 64 * 3350e9 / (15 * 2**30)
    assert small["limit_token_per_s"] == pytest.approx(min(limit, small["limit_token_per_s"]))
    unknown = one(batch_size=64) | one(batch_size=64, chip="RTX 4090 Laptop")
    assert pd.isna(unknown["token_per_s"])
    assert "peak of the chip unknown" in unknown["note"]
    assert one(batch_size=64, chip="RTX 4090 Laptop", peak_fp16_tflop_per_s=120)["token_per_s"] > 0


def test_rows_keep_order_columns_and_index() -> None:
    table = pd.DataFrame([RTX_4090 | {"mine": i, "weight_gibyte": 40 - i} for i in range(30)], index=range(100, 130))
    result = predict(table)
    pd.testing.assert_frame_equal(result[list(table.columns)], table)
    assert list(result.columns[-len(OUTPUT) :]) == list(OUTPUT)


def test_array_and_scalar_agree() -> None:
    known = expected.calibration(DATA)
    kind = known.coefficients("cuda", hbm=False, old_software=False, flash=True, packing="plain")
    scalar = expected.token_per_s(
        known,
        kind,
        bandwidth_byte_per_s=1008e9,
        weight_byte=3.56 * 2**30,
        n_layer=32,
        bit_per_param=4.5,
        introduced_year=2022,
    )
    assert scalar == pytest.approx(one()["token_per_s"], rel=1e-9)


@pytest.mark.parametrize(
    ("column", "value", "expected_text"),
    [
        ("memory_bandwidth_gbyte_per_s", "fast", "a number above 0"),
        ("weight_gibyte", "-3", "a number above 0"),
        ("n_layer", "0", "a number above 0"),
        ("context_token", "-1", "0 or more"),
        ("flash_attention", "maybe", "true or false"),
        ("model_id", "lama-2-7b", "llama-2-7b"),
        ("backend", "cdua", "'cuda'"),
        ("weight_gibyte", "inf", "a number above 0"),
    ],
)
def test_wrong_values_are_named_by_row_and_column(tmp_path: Path, column: str, value: str, expected_text: str) -> None:
    rows = pd.DataFrame([{name: str(text) for name, text in RTX_4090.items()} for _ in range(3)])
    rows[column] = rows.get(column, pd.Series([""] * 3))
    rows.loc[1, column] = value
    rows.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(InputError) as error:
        predict_file(str(tmp_path / "mine.csv"), str(tmp_path / "out.csv"))
    assert f"mine.csv:3:{column}" in str(error.value)
    assert expected_text in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="memory_bandwidth_gbyte_per_s"):
        predict(pd.DataFrame({"backend": ["cuda"], "memory_bandwidth_gb_s": [100]}))


def test_a_missing_file_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no such file"):
        predict_file("nowhere.csv")


def test_the_command_reads_standard_input_and_keeps_text(tmp_path: Path) -> None:
    text = 'backend,memory_bandwidth_gbyte_per_s,weight_gibyte,name\ncuda,1008,3.56,"a, ""b"""\nmetal,,3.56,001\n'
    command = [sys.executable, "-m", "analysis", "predict", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=True)
    back = pd.read_csv(io.StringIO(done.stdout), dtype=str, keep_default_na=False)
    assert list(back["name"]) == ['a, "b"', "001"]
    assert float(back["token_per_s"][0]) > 100
    assert back["token_per_s"][1] == ""


def test_wrong_input_ends_with_2() -> None:
    command = [sys.executable, "-m", "analysis", "predict", "-"]
    done = subprocess.run(command, input="backend\ncuda\n", capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_chunks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame([RTX_4090 | {"weight_gibyte": 1 + i} for i in range(25)])
    rows.to_csv(tmp_path / "a.csv", index=False)
    predict_file(str(tmp_path / "a.csv"), str(tmp_path / "whole.csv"))
    monkeypatch.setattr(module, "CHUNK_ROWS", 7)
    monkeypatch.setattr(module, "CHUNK_BYTE", 200)
    predict_file(str(tmp_path / "a.csv"), str(tmp_path / "parts.csv"))
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()


MIXED = (
    "backend,memory_bandwidth_gbyte_per_s,weight_gibyte,chip,name\n"
    "cuda,1008,3.56,RTX 4090,007\nmetal,,3.56,M1,1e3\n,400,7,,\ncuda,1008,40,A100 SXM 80GB,x;y\nsycl,500,4.5,,ä\n"
)


def written(folder: Path, text: str) -> str:
    (folder / "in.csv").write_bytes(text.encode())
    predict_file(str(folder / "in.csv"), str(folder / "out.csv"))
    return (folder / "out.csv").read_bytes().decode()


def test_plain_lines_and_parsed_lines_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = written(tmp_path, MIXED)
    assert written(tmp_path, MIXED.replace("\n", "\r\n")) == plain
    assert written(tmp_path, MIXED.rstrip("\n")) == plain
    monkeypatch.setattr(module, "_predict_plain", lambda *_: None)
    assert written(tmp_path, MIXED) == plain
    assert plain.splitlines()[2].startswith("metal,,3.56,M1,1e3,,,,,3.56,,,,,memory bandwidth is missing")


def test_lines_after_a_quoted_one_are_parsed_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTE", 60)
    quoted = MIXED + 'cuda,1008,3.56,,"a, ""b"""\ncuda,1008,3.56,,c\n'
    assert written(tmp_path, quoted).splitlines()[:6] == written(tmp_path, MIXED).splitlines()
    with pytest.raises(InputError, match=r"in\.csv:8:weight_gibyte"):
        written(tmp_path, quoted.replace("cuda,1008,3.56,,c", "cuda,1008,-1,,c"))


@pytest.mark.parametrize("line", ["cuda,1008\n", "\n", "cuda,1008,3.56,,a,b,c\n"])
def test_lines_of_another_length_are_left_to_the_parser(line: str) -> None:
    assert module._plain_lines((MIXED + line).encode(), MIXED.split("\n", maxsplit=1)[0].split(",")) is None


def test_rows_that_agree_are_written_as_rows_that_do_not(tmp_path: Path) -> None:
    line = MIXED.splitlines()[1]
    many, once = written(tmp_path, MIXED + f"{line}\n" * 20), written(tmp_path, MIXED)
    assert many.splitlines()[:6] == once.splitlines()
    assert set(many.splitlines()[6:]) == {once.splitlines()[1]}


@pytest.mark.parametrize(
    ("chip", "year", "hbm"),
    [
        ("NVIDIA GeForce RTX 4090", 2022, False), ("RTX 3060 12GB", 2020, False), ("A100 SXM 80GB", 2020, True), ("A40", 2020, False),
        ("M1 Ultra", 2020, False), ("M3 Max 40c", 2023, False), ("Apple M4 Pro", 2024, False), ("RX 7900 XTX", 2022, False),
        ("MI300X", 2023, True), ("Tesla P40", 2016, False), ("Tesla P100", 2016, True), ("RTX 2000 Ada", 2022, False),
        ("RTX 6000 Ada", 2022, False), ("RTX PRO 6000 Blackwell", 2025, False), ("H100 80GB", 2022, True),
        ("Ryzen AI Max+ 395", 2024, False), ("Quadro RTX 4000", 2018, False), ("Quadro RTX 5000", 2018, False), ("Arc B580", 2024, False),
    ],
)  # fmt: skip
def test_chips_are_recognised_by_name(chip: str, year: int, hbm: bool) -> None:
    assert expected.generation(chip, DATA)[:2] == (year, hbm)


def test_the_core_needs_numpy_only() -> None:
    code = "import sys; import analysis.model.expected, analysis.model.predict; assert not {'pandas', 'scipy', 'altair'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_processor_has_no_ceiling_but_that_of_its_threads() -> None:
    """Where threads are stated each takes in so much; where they are not, the note says what is assumed of the arithmetic."""
    table = pd.DataFrame(
        {
            "backend": "CPU",
            "memory_bandwidth_gbyte_per_s": 800.0,
            "weight_gibyte": 3.6,
            "n_layer": 32,
            "n_thread": [None, 2, 64],
        }
    )
    answered = predict(table)
    every, few, many = answered["token_per_s"]
    assert few < every
    assert few < many
    assert "8 assumed" in answered["note"][0]
    assert "assumed" not in answered["note"][1]


# ------------------------------------------------------------------------------------- against the model, row by row

PACKAGE = tables.DataPackage(DATA)
KNOWN = expected.calibration(DATA)


def filed(rows: pd.DataFrame) -> pd.DataFrame:
    """The measured rows of one device whose model is filed."""
    return rows[(rows["model_id"].fillna("") != "") & (rows["n_device"] == 1)].reset_index(drop=True)


def asked(rows: pd.DataFrame) -> pd.DataFrame:
    """What a reader would ask of each row: the model by its name and the context, not its layers and heads.

    A mixture whose experts have a format of their own is asked for in it, whatever its file is called.
    """
    own = rows["expert_format_id"].fillna("") != ""
    return pd.DataFrame(
        {
            "backend": rows["backend"], "chip": rows["chip"], "model_id": rows["model_id"], "year": rows["year"],
            "memory_bandwidth_gbyte_per_s": rows["memory_bandwidth_byte_per_s"] / 1e9, "flash_attention": rows["flash"],
            "weight_gibyte": rows["weight_byte"] / 2**30, "context_token": rows["mean_context_token"],
            "quantization": rows["quantization"].where(~own, rows["expert_format_id"]), "batch_size": rows["batch_size"],
            "engine": rows["engine"], "n_thread": rows["n_thread"],
        }
    )  # fmt: skip


@pytest.mark.parametrize("prepared", [measured.decode_measurements, measured.expert_measurements])
def test_every_filed_run_gets_what_the_model_says(prepared: Callable[[tables.DataPackage], pd.DataFrame]) -> None:
    """Two hands count layers, cache and bytes: predict from models.csv, the model from measured_models.csv."""
    rows = filed(prepared(PACKAGE))
    answered = predict(asked(rows))
    assert len(rows) > 50
    assert (rows["mean_context_token"] > 4000).sum() > 10
    assert answered["token_per_s"].to_numpy() == pytest.approx(measured.predicted_token_per_s(rows, KNOWN), rel=1e-3)
    assert answered["limit_token_per_s"].to_numpy() == pytest.approx(measured.ideal_token_per_s(rows), rel=1e-3)


def test_every_filed_batch_takes_the_step_of_the_model_and_its_products() -> None:
    """llama.cpp has no scheduler between the steps: what comes on top of reading are the products, at the share that prompts reach."""
    rows = filed(measured.batched_experts(PACKAGE))
    several = rows["batch_size"] > 1
    models = {row["model_id"]: row["active_param"] for row in PACKAGE.table("models").to_dict("records")}
    [flop_per_s] = {peaks.peak(chip, DATA).quick_flop_per_s for chip in rows["chip"].unique()}
    reached = flop_per_s * KNOWN.parameters["prefill-matrix"]
    product_s = 2 * rows["model_id"].map(models) * rows["batch_size"] / reached * several
    step_s = 1 / measured.predicted_token_per_s(rows, KNOWN) + product_s
    answered = predict(asked(rows))
    assert (rows["batch_size"] / answered["token_per_s"]).to_numpy() == pytest.approx(step_s.to_numpy(), rel=1e-3)
    bare = predict(asked(rows).assign(chip="RTX 4090 Laptop"))
    assert (
        bare["token_per_s"].isna().tolist()
        == several.tolist()
        == bare["note"].str.contains("peak of the chip unknown").tolist()
    )


def test_of_a_mixture_that_does_not_fit_a_token_reads_what_it_uses() -> None:
    """Mixtral calls 2 of 8 experts: a quarter of what is missing comes from storage, so twice the rate saves half of that time."""
    base = {
        "backend": "cuda",
        "memory_bandwidth_gbyte_per_s": 936.0,
        "memory_capacity_gibyte": 16,
        "format": "q4-0",
        "n_layer": 32,
    }
    rows = [
        base | {"model_id": model, "storage_read_gbyte_per_s": rate}
        for model in ("mixtral-8x7b", "llama-2-70b")
        for rate in (4.0, 8.0)
    ]
    answered = predict(pd.DataFrame(rows))
    missing = (answered["needs_gibyte"] - answered["has_gibyte"]) * 2**30
    saved = (1 / answered["token_per_s"]).iloc[::2].to_numpy() - (1 / answered["token_per_s"]).iloc[1::2].to_numpy()
    assert saved == pytest.approx(missing.iloc[::2].to_numpy() * [2 / 8, 1] / 8e9, rel=1e-6)


def test_prompts_and_answers_have_times_of_their_own(tmp_path: Path) -> None:
    """first_token_s asks for a prompt, request_s for an answer too; the file has the columns only where prompts are given."""
    base = {
        "backend": "metal",
        "chip": "M2 Ultra",
        "memory_bandwidth_gbyte_per_s": 800.0,
        "model_id": "llama-2-7b",
        "format": "q4-0",
    }
    table = pd.DataFrame([base | {"prompt_token": 2048, "output_token": answer} for answer in (None, 100)])
    short, long = predict(table).to_dict("records")
    assert short["first_token_s_low"] < short["first_token_s"] < short["first_token_s_high"]
    assert pd.isna(short["request_s"])
    assert long["request_s"] == pytest.approx(long["first_token_s"] + 100 / long["token_per_s"])
    table.to_csv(tmp_path / "in.csv", index=False)
    predict_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"))
    written = pd.read_csv(tmp_path / "out.csv")
    assert written["first_token_s"].tolist() == pytest.approx(predict(table)["first_token_s"].tolist(), abs=1e-4)
    unknown = predict(pd.DataFrame([base | {"chip": "M9 Max", "prompt_token": 512}])).iloc[0]
    assert pd.isna(unknown["first_token_s"])
    assert "no time to the first token" in unknown["note"]
    assert "first_token_s" not in predict(pd.DataFrame([base]))


MIXTURES = ("gpt-oss-120b", "mixtral-8x7b", "deepseek-v3", "llama-3.1-8b")


@pytest.mark.parametrize("model", MIXTURES)
def test_a_prompt_is_read_no_faster_than_the_experts_that_it_calls(model: str) -> None:
    """One token reads what a step reads, many tokens nearly the whole file: once for every 512 of them."""
    table = pd.DataFrame(
        [
            {"device": "mac-studio-m3-ultra-512gb", "model_id": model, "format": "q4-k-m", "prompt_token": n}
            for n in (1, 512, 1024)
        ]
    )
    one, part, two = predict(table).to_dict("records")
    whole = part["needs_gibyte"] * 2**30 / 819e9
    shortest = 1 / one["limit_token_per_s"]
    assert one["first_token_s_low"] >= shortest * (1 - 1e-3)
    assert part["first_token_s_low"] >= 0.9 * whole
    assert two["first_token_s"] >= 2 * 0.95 * part["first_token_s"]


def test_a_prompt_on_units_that_nothing_was_fitted_to_is_told_from_the_others() -> None:
    """Apple's matrix units borrow the share of NVIDIA's; what others measured on them lies far from it."""
    given = {"model_id": "llama-3.1-8b", "format": "q4-k-m", "prompt_token": 1024}
    rows = predict(
        pd.DataFrame(
            [given | {"device": name} for name in ("macbook-pro-16-m5-max-128gb", "macbook-pro-16-m4-max-16c-128gb")]
        )
    )
    new, old = rows.to_dict("records")
    assert "Apple's matrix units" in new["note"]
    assert "Apple's matrix units" not in old["note"]
    widths = [row["first_token_s_high"] / row["first_token_s_low"] for row in (new, old)]
    assert widths[0] > 3 * widths[1]


def test_prompts_of_mixtures_are_off_by_less_once_the_experts_count(package: DataPackage) -> None:
    """Nothing was fitted to them: what a pass reads is all that differs."""
    rows = prompts.with_pass(prompts.expert_measurements(package), KNOWN)
    called = prompts.with_pass(
        rows.assign(read_byte=measured.read_byte(rows, package, batch_size=np.ones(len(rows)))), KNOWN
    )
    after, before = (
        np.median(np.abs(1 - rows["time_s"] / prompts.predicted_s(table, KNOWN.parameters))) for table in (rows, called)
    )
    assert after < 0.25 < before


@pytest.mark.parametrize(
    ("given", "wanted"),
    [({}, 1), ({"engine": "llama.cpp"}, -1), ({"engine": "PyTorch"}, 1), ({"memory_type": "GDDR6"}, 1)],
)
def test_a_card_with_hbm_is_predicted_by_engine(given: dict[str, str], wanted: int) -> None:
    """At 0.87 of 3,350 GB/s and 38 µs a layer a step of 16 GB takes 6.7 ms, or 149 token/s; under llama.cpp far less."""
    base = {
        "backend": "cuda",
        "chip": "H100",
        "memory_bandwidth_gbyte_per_s": 3350.0,
        "weight_gibyte": 14.9,
        "n_layer": 32,
    }
    speed = float(predict(pd.DataFrame([base | given]))["token_per_s"].iloc[0])
    assert (speed > 140) == (wanted > 0)


def test_one_sequence_has_no_products_of_its_own() -> None:
    """At batch 1 the fit holds them: a chip with a known peak gets the speed of the model, to the last digit."""
    rows = pd.DataFrame(
        [
            RTX_4090 | {"chip": "H100 SXM 80GB", "year": 2025, "engine": "llama.cpp", "batch_size": batch}
            for batch in (None, 1)
        ]
    )
    kind = KNOWN.coefficients("cuda", hbm=True, old_software=False, flash=True, packing="plain")
    speed = expected.token_per_s(
        KNOWN,
        kind,
        bandwidth_byte_per_s=1008e9,
        weight_byte=3.56 * 2**30,
        n_layer=32,
        bit_per_param=4.5,
        introduced_year=2022,
    )
    assert predict(rows)["token_per_s"].tolist() == pytest.approx([speed, speed], rel=1e-12)


def read_byte(**of: object) -> float:
    """Bytes of a step, from its limit at 1,000 GB/s."""
    row = {"backend": "cuda", "memory_bandwidth_gbyte_per_s": 1000, "format": "q4-0"} | {
        str(key): value for key, value in of.items()
    }
    return 1e12 / float(predict(pd.DataFrame([row]))["limit_token_per_s"].iloc[0])


def cache_byte(row: Mapping[Any, Any], context_token: int) -> float:
    """Keys and values of every head, or one latent, in 16 bits, in the layers that keep them; a window where there is one."""
    said = {key: value for key, value in row.items() if value == value}
    full = 2 * said.get("full_n_kv_head", row["n_kv_head"]) * said.get("full_head_dim", row["head_dim"]) * 2
    if row["kv_latent_dim"] > 0:
        full = (row["kv_latent_dim"] + row["rope_head_dim"]) * 2
    windowed = said.get("n_sliding_layer", 0)
    grows, kept = said.get("n_cache_layer", row["n_layer"] - windowed), said.get("n_sliding_cache_layer", windowed)
    window = min(context_token, row["sliding_window_token"]) if windowed else 0
    return float(
        full * grows * context_token + (2 * row["n_kv_head"] * row["head_dim"] * 2 * kept * window if windowed else 0)
    )


@pytest.mark.long
def test_the_cache_of_every_model_is_the_one_its_shape_gives() -> None:
    rows = PACKAGE.table("models").to_dict("records")
    known = {str(row["model_id"]): byte for row in rows if (byte := cache_byte(row, 50_000)) > 0}
    assert len(known) > 170
    assert {
        "deepseek-v3",
        "gemma-3-12b",
        "llama-3.1-8b",
        "gemma-4-e2b",
        "qwen3.5-9b",
        "kimi-linear-48b-a3b",
        "falcon-h1-7b",
    } <= set(known)
    for name, byte in known.items():
        gained = read_byte(model_id=name, context_token=50_000) - read_byte(model_id=name)
        assert gained == pytest.approx(byte, rel=1e-6), name


def test_a_mixture_of_unknown_shape_reads_its_active_share(data_copy: Path) -> None:
    models = pd.read_csv(data_copy / "models.csv", dtype=str, keep_default_na=False)
    sparse = models["model_id"] == "qwen3-30b-a3b"
    models.loc[sparse, ["n_expert", "n_active_expert"]] = ""
    models.to_csv(data_copy / "models.csv", index=False)
    row = models[sparse].iloc[0]
    total, active = float(row["total_gparam"]) * 1e9, float(row["active_gparam"]) * 1e9
    asked_for = {"backend": "cuda", "memory_bandwidth_gbyte_per_s": 1000, "format": "q4-0", "model_id": "qwen3-30b-a3b"}
    limit = predict(pd.DataFrame([asked_for]), folder=data_copy)["limit_token_per_s"].iloc[0]
    embedding = float(row["vocab_size"]) * float(row["model_dim"])
    assert 1e12 / limit == pytest.approx((total - embedding) * 4.5 / 8 * active / total, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "head", "chips"),
    [("llama-3.3-70b", 8, 4), ("llama-3.3-70b", 8, 8), ("llama-3.3-70b", 8, 16), ("deepseek-v3", 1, 8)],
)
def test_chips_that_share_a_model_hold_one_head_of_its_cache_at_least(model: str, head: int, chips: int) -> None:
    """Of 8 heads 16 chips hold each twice; a latent is whole on every chip.  What is read grows alike."""
    rows = [{"backend": "cuda", "memory_bandwidth_gbyte_per_s": 3350, "model_id": model, "format": "fp8", "n_chip": chips,
             "context_token": context} for context in (0, 65536)]  # fmt: skip
    one = predict(pd.DataFrame(rows).assign(n_chip=1))["needs_gibyte"]
    table = predict(pd.DataFrame(rows))
    copies = max(1.0, chips / head)
    assert table["needs_gibyte"].diff()[1] == pytest.approx(one.diff()[1] * copies)
    assert ("one at least" in table["note"][1]) is (copies > 1)
    ideal = (1 / table["limit_token_per_s"]).diff()[1] * chips * 3350e9 / 2**30
    assert ideal == pytest.approx(table["needs_gibyte"].diff()[1], rel=1e-6)


def test_the_cache_of_a_whole_batch_has_to_fit() -> None:
    """2 · 32 layers · 8 heads · 128 · 2 byte · 8,192 tokens are 1 GiB a sequence."""
    cached = {"context_token": 8192, "n_kv_head": 8, "head_dim": 128, "weight_gibyte": 4.0}
    room = {"memory_capacity_gibyte": 10.0}
    assert one(**cached, **room, batch_size=5)["binding"] != "capacity"
    assert one(**cached, **room, batch_size=6)["binding"] == "capacity"
    streamed = one(**cached, **room, batch_size=9, storage_read_gbyte_per_s=1)
    assert 9 / streamed["token_per_s"] == pytest.approx(
        9 / one(**cached, batch_size=9)["token_per_s"] + (13 - streamed["has_gibyte"]) * 2**30 / 1e9
    )


def test_no_end_of_an_interval_is_above_its_limit() -> None:
    """Over a grid in which some high ends would lie above the limit if nothing held them."""
    values = itertools.product(
        ("cuda", "metal", "rocm", "vulkan", "cpu"),
        (50, 400, 3350),
        (0.5, 4, 40, 140),
        ("Q4_0", "Q4_K_M", "IQ2_XXS", "F16"),
        (1, 8),
        (0, 8192),
    )
    columns = [
        "backend",
        "memory_bandwidth_gbyte_per_s",
        "weight_gibyte",
        "quantization",
        "batch_size",
        "context_token",
    ]
    grid = predict(pd.DataFrame(list(values), columns=columns))
    speed, low, high, limit = (grid[name] for name in OUTPUT[:4])
    told = speed.notna()
    assert (told == (grid["batch_size"].eq(1) | ~grid["note"].str.contains("peak of the chip unknown"))).all()
    speed, low, high, limit = (column[told] for column in (speed, low, high, limit))
    assert (low < speed).all()
    assert (speed <= high).all()
    assert (high <= limit).all()
    assert (high == limit).any()
    assert (high < limit).any()


# ------------------------------------------------------------------------------------------- the same as the figures

BACKENDS = {"laptop": "metal", "desktop": "metal", "gpu": "cuda"}


def test_predict_and_the_figure_of_what_fits_give_the_same_answers() -> None:
    """Every cell of the matrix on a Mac, a PC or a graphics card, asked of ``predict`` by its names: yes, barely, no, and how much."""
    matrix = dram_capacity.fit_matrix(PACKAGE, GIVEN)
    vendor = PACKAGE.table("devices").set_index("device_id")["vendor"]
    matrix = matrix[matrix["device_class"].isin(list(BACKENDS))].assign(vendor=matrix["device_id"].map(vendor))
    apple = (matrix["vendor"] == "Apple") | (matrix["device_class"] == "gpu")
    backend = matrix["device_class"].map(BACKENDS).where(apple, "cpu")
    asked = pd.DataFrame({
        "backend": backend, "memory_bandwidth_gbyte_per_s": 100.0, "model_id": matrix["model_id"], "format": matrix["format_id"],
        "memory_capacity_gibyte": matrix["memory_capacity_byte"] / 2**30, "context_token": 2048,
    })  # fmt: skip
    answered = predict(asked.reset_index(drop=True))
    assert set(answered["fits"]) == {"yes", "barely", "no"}
    assert answered["fits"].tolist() == matrix["fits"].tolist()
    assert (answered["needs_gibyte"] * 2**30).to_numpy() == pytest.approx(matrix["footprint_byte"].to_numpy(), rel=1e-9)
    assert (answered["has_gibyte"] * 2**30).to_numpy() == pytest.approx(matrix["usable_byte"].to_numpy(), rel=1e-9)
    speeds = answered[["token_per_s", "token_per_s_low", "token_per_s_high"]]
    assert speeds[answered["fits"] == "no"].isna().all().all()
    assert speeds[answered["fits"] != "no"].notna().all().all()


def test_the_reserve_of_predict_is_that_of_the_book() -> None:
    assert parameters.defaults()["system_reserve_gibyte"] == memory_limits.DEFAULT_RESERVE_GIBYTE


def test_the_interval_of_two_sequences_holds_what_was_measured_of_servers() -> None:
    known = expected.calibration(tables.data_folder())
    table = pd.DataFrame({"device": "rtx 4090", "model_id": "llama-3.1-8b", "format": "q4-k-m", "batch_size": [1, 2]})
    one, two = predict(table).to_dict("records")
    own, served = known.intervals["cuda"], known.intervals["serving"]
    assert one["token_per_s_low"] / one["token_per_s"] == pytest.approx(own[0])
    assert two["token_per_s_low"] / two["token_per_s"] == pytest.approx(min(own[0], served[0]))
    assert two["token_per_s_high"] == pytest.approx(
        min(two["token_per_s"] * max(own[1], served[1]), two["limit_token_per_s"])
    )
    assert served[0] < own[0]
