"""Names as people write them: formats, models and backends are understood in any spelling, or said to be unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import errors
from analysis.errors import InputError
from analysis.model import expected, names
from analysis.model.predict import predict
from tests.conftest import ROOT

DATA = ROOT / "data"
FORMATS = expected.rows(DATA / "number_formats.csv")

SPELLINGS = {
    "q4-k-m": "Q4_K_M q4_k_m Q4-K-M Q4KM i1-Q4_K_M UD-Q4_K_M Q4_K_M.gguf Qwen3-8B-Instruct-Q4_K_M.gguf bartowski/x:Q4_K_M",
    "q5-k-s": "Q5_K_S q5_k_s-imat", "q2-k": "Q2_K q2-k i1-Q2_K", "q4-0": "Q4_0 Q4_0_4_4 gemma-3-4b-it-qat-q4_0",
    "q4-k-xl": "UD-Q4_K_XL Q4_K_XL gemma-3-27b-it-UD-Q4_K_XL", "iq3-xs": "IQ3_XS iq3xs", "iq4-xs": "IQ4_XS iq4-xs i1-IQ4_XS",
    "fp16": "fp16 F16 FP-16 float16 half gpt-oss-20b-F16", "bf16": "BF16 bfloat16", "fp32": "F32 fp32 float32",
    "fp8": "FP8 E4M3 FP8_E4M3 F8_E4M3 fp8-e5m2 Qwen3-8B-FP8", "mxfp4": "MXFP4 MXFP4_MOE gpt-oss-120b-mxfp4.gguf",
    "int4-g128": "AWQ GPTQ AWQ-INT4 gptq-int4 AWQ-4bit int4-g128", "mlx-4bit": "MLX-4bit mlx_4bit Qwen3-8B-MLX-4bit",
    "mlx-8bit": "MLX-8bit", "nvfp4": "NVFP4", "int8": "INT8 W8A8",
}  # fmt: skip
IN_WORDS = {
    "Q4_K - Medium": "q4-k-m", "Q5_K - Small": "q5-k-s", "Q3_K - Large": "q3-k-l", "Q2_K - Medium": "q2-k", "mostly Q4_0": "q4-0",
    "FP16 (HF)": "fp16", "MLX 4bit": "mlx-4bit", "mlx 4-bit": "mlx-4bit", "Q4_0 (not stated)": "q4-0", "MXFP4 MoE": "mxfp4",
}  # fmt: skip
STATED = {
    "EXL2 4.0bpw": 4.0, "4.65bpw-h6": 4.65, "EXL2 2.5 bpw": 2.5, "3,5 bpw": 3.5, "5 bits per weight": 5.0,
    "IQ3_S mix - 3.66 bpw": 3.66,
}  # fmt: skip
MISSING = (
    "4bit", "8", "oQ4", "GGUF", "BitNet", "Q80", "q4f16_1", "W4A16", "EXL2", "GPTQ-8bit", "GPTQ-Int8", "int4 g32", "Q4", "99 bpw",
    "INT4 (dynamic, int8 embed)", "exl2_4_65bpw", "fp16-Q4_0", "Q4_K_L", "Q8_K_XL", "Q6_K_L", "IQ2XXS mix", "hfp8x", "1080",
)  # fmt: skip
"""What names no filed format, names two, or says only whole bits."""


@pytest.mark.parametrize(
    ("name", "format_id"),
    [*((word, format_id) for format_id, words in SPELLINGS.items() for word in words.split()), *IN_WORDS.items()],
)
def test_a_format_is_found_in_any_spelling(name: str, format_id: str) -> None:
    assert names.number_format(name, DATA).format_id == format_id


def test_every_filed_id_name_and_spelling_means_its_own_format() -> None:
    for row in FORMATS:
        for text in (
            row["format_id"],
            row["name"],
            row["format_id"].upper().replace("-", "_"),
            *row["spellings"].split(),
        ):
            found = names.number_format(text, DATA)
            assert (found.format_id, found.bit_per_param) == (
                row["format_id"],
                float(row["effective_bit_per_param"]),
            ), text


@pytest.mark.parametrize(("name", "bit"), STATED.items())
def test_stated_bits_per_weight_are_the_bits(name: str, bit: float) -> None:
    assert names.number_format(name, DATA).bit_per_param == bit


@pytest.mark.parametrize("name", MISSING)
def test_bits_are_missing_where_no_format_is_named(name: str) -> None:
    assert np.isnan(names.number_format(name, DATA).bit_per_param)


@pytest.mark.long
def test_no_digits_become_bits() -> None:
    """Over made-up names: bits are those of a filed format or stated as such, whatever digits stand in the name."""
    filed = {float(row["effective_bit_per_param"]) for row in FORMATS}
    for first in ("x", "Q", "IQ", "W", "fp", "int", "", "llama-7b-"):
        for digits in range(100):
            for last in ("", "b", "-a", "_Z", "bit", " g32"):
                bit = names.number_format(f"{first}{digits}{last}", DATA).bit_per_param
                assert np.isnan(bit) or bit in filed, (first, digits, last)


def test_the_packing_is_known_where_the_bits_are_not() -> None:
    found = {name: names.number_format(name, DATA).packing for name in ("Q6_K_L", "IQ5_XS", "Q1_0", "oQ4", "Q4_K_M")}
    assert found == {"Q6_K_L": "k-quant", "IQ5_XS": "i-quant", "Q1_0": "plain", "oQ4": "", "Q4_K_M": "k-quant"}


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("Qwen3-8B", "qwen3-8b"), ("Qwen3 8B", "qwen3-8b"), ("llama 3.1 8b", "llama-3.1-8b"), ("qwen3_8b", "qwen3-8b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"), ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "llama-3.1-8b"),
        ("gemma-3-12b-it", "gemma-3-12b"), ("Gemma 3 12B", "gemma-3-12b"), ("unsloth/Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "qwen3-30b-a3b"),
        ("Llama 2 7B", "llama-2-7b"), ("llama 7B Q4_K - Medium", "llama-7b"),
        ("Qwen_Qwen3-8B-Q4_K_M-00001-of-00002.gguf", "qwen3-8b"), ("qwen3:8b", "qwen3-8b"),
        ("Qwen3-30B-A3B-Instruct-2507", "qwen3-30b-a3b-2507"),
        ("llama3.1:8b-instruct-q4_K_M", "llama-3.1-8b"), ("Qwen/Qwen3-8B-AWQ", "qwen3-8b"), ("deepseek-r1:70b", ""), ("llama 8b", ""),
        ("qwen3 8b", "qwen3-8b"), ("Meta-Llama-3-8B-Instruct.Q4_0.gguf", "llama-3-8b"),
        ("Phi-3-mini-4k-instruct.Q4_0.gguf", "phi-3-mini-4k"),
        ("Qwen3-4B", "qwen3-4b"), ("Qwen/Qwen3-4B-Instruct-2507", "qwen3-4b-2507"),
        ("Qwen3-4B-Thinking-2507-Q4_K_M.gguf", "qwen3-4b-2507"), ("Qwen3-8B-2507", "qwen3-8b"), ("Qwen3.5 4B", "qwen3.5-4b"),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-Q4_K_M.gguf", "nemotron-3-nano-30b-a3b"), ("glm-4.5", "glm-4.5"), ("GLM 4.5 Air", "glm-4.5-air"),
        ("gemma 4 e2b", "gemma-4-e2b"), ("Kimi-K2-Instruct", "kimi-k2"), ("Mistral-Small-3.2-24B-Instruct-2506", "mistral-small-3.2-24b"),
        ("gpt-oss 20b", "gpt-oss-20b"), ("lama-2-7b", ""), ("Mistral-7B-Instruct-v0.3", ""), ("8b", ""),
    ],
)  # fmt: skip
def test_a_model_is_found_in_any_spelling(name: str, model_id: str) -> None:
    assert names.model_id(name, DATA) == model_id


def test_every_filed_model_is_found_by_its_name() -> None:
    for row in expected.rows(DATA / "models.csv"):
        assert names.model_id(row["model_id"], DATA) == row["model_id"]
        assert names.model_id(row["name"].upper(), DATA) == row["model_id"]
        assert names.model_id(row["hf_id"], DATA) == (row["model_id"] if row["hf_id"] else "")


@pytest.mark.parametrize(
    ("name", "stack"),
    [
        ("CUDA", "cuda"), ("cuda12", "cuda"), ("CUDA 12.4", "cuda"), ("CUDA+CPU", "cuda"), ("CUDA,RPC", "cuda"), ("CUDA,Vulkan", "cuda"),
        ("MTL", "metal"), ("BLAS,MTL", "metal"), ("Metal,BLAS", "metal"), ("MLX", "metal"), ("HIP", "rocm"), ("ROCm 6.3", "rocm"),
        ("Vulkan (RADV)", "vulkan"), ("SYCL", "vulkan"), ("OpenCL", "opencl"), ("NPU", "npu"),
        ("cpu", "cpu"), ("BLAS", "cpu"), ("llama.cpp CUDA", "cuda"),
    ],
)  # fmt: skip
def test_a_backend_is_found_in_any_spelling(name: str, stack: str) -> None:
    found = names.backend(name)
    assert found is not None
    assert found.stack == stack
    assert found.is_measured is (name != "SYCL")
    assert found.is_split is (name == "CUDA+CPU")


ROW = {"backend": "cuda", "memory_bandwidth_gbyte_per_s": 936.0, "model_id": "llama-3.1-8b", "chip": "RTX 3090"}


def one(**changes: object) -> dict[str, Any]:
    return {str(name): value for name, value in predict(pd.DataFrame([ROW | changes])).iloc[0].items()}


@pytest.mark.parametrize(
    ("name", "near"), [("cdua", "'cuda'"), ("llama.cpp", "cuda"), ("vulcan", "'vulkan'"), ("mettal", "'metal'")]
)
def test_an_unknown_backend_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(InputError, match=f"table:2:backend: found '{name}'") as error:
        one(backend=name, weight_gibyte=4.0)
    assert near in str(error.value)


def test_what_one_name_means_is_the_same_in_either_column() -> None:
    asked = {
        column: one(**{column: name})["token_per_s"]
        for column in ("format", "quantization")
        for name in ("i1-Q4_K_M", "q4-k-m")
    }
    assert len(set(asked.values())) == 1
    assert one(quantization="EXL2 4.0bpw")["token_per_s"] > asked["format"]


def test_an_unknown_format_keeps_its_row_where_the_size_is_given() -> None:
    """Nothing is unpacked, and the interval holds those of every format on the backend."""
    unknown, known = one(quantization="oQ4", weight_gibyte=4.0), one(quantization="q4-0", weight_gibyte=4.0)
    assert unknown["token_per_s"] == known["token_per_s"]
    assert (
        unknown["token_per_s_low"] < known["token_per_s_low"] < known["token_per_s_high"] <= unknown["token_per_s_high"]
    )
    assert "number format not known" in unknown["note"]
    low = one(quantization="oQ3", weight_gibyte=3.0)
    assert low["token_per_s"] > one(weight_gibyte=3.0)["token_per_s"]


@pytest.mark.parametrize("name", ["oQ4", "Q80", "W4A16", "GGUF"])
def test_an_unknown_format_without_a_size_stays_empty_and_says_why(name: str) -> None:
    row = one(quantization=name)
    assert np.isnan(row["token_per_s"])
    assert np.isnan(row["limit_token_per_s"])
    assert "bits of the number format not known" in row["note"]


def test_two_formats_in_one_row_are_refused() -> None:
    with pytest.raises(InputError, match=r"table:2:format: found format 'fp16' and quantization 'Q4_K_M'"):
        one(format="fp16", quantization="Q4_K_M")
    assert one(format="q4-k-m", quantization="i1-Q4_K_M")["token_per_s"] > 0


def test_experts_keep_their_group_where_their_number_is_not_filed(data_copy: Any) -> None:
    """The same model without its counts: near the counted one, slower than a dense one, with the interval of experts."""
    models = pd.read_csv(data_copy / "models.csv", dtype=str, keep_default_na=False)
    bare = models[models["model_id"] == "qwen3-30b-a3b"].assign(
        model_id="bare", n_expert="", n_active_expert="", ffn_dim=""
    )
    dense = bare.assign(model_id="dense", is_moe="false")
    pd.concat([models, bare, dense]).to_csv(data_copy / "models.csv", index=False)
    table = pd.DataFrame(
        [
            ROW | {"quantization": "Q4_K_M", "weight_gibyte": 17.28, "model_id": name}
            for name in ("qwen3-30b-a3b", "bare", "dense")
        ]
    )
    counted, uncounted, plain = predict(table, folder=data_copy).to_dict("records")
    low, high = expected.calibration(data_copy).intervals["experts"]
    assert uncounted["token_per_s_low"] / uncounted["token_per_s"] == pytest.approx(low)
    assert uncounted["token_per_s_high"] / uncounted["token_per_s"] == pytest.approx(high)
    assert uncounted["token_per_s"] == pytest.approx(counted["token_per_s"], rel=0.1)
    assert uncounted["token_per_s"] < 0.8 * plain["token_per_s"]
    assert "mixture of experts, their number unknown" in uncounted["note"]


FAR = ["x", "a-1", "my-laptop", "my-model", "review-2026", "tpu", "Q4_K_M", "unknown", "company-lab", "foo"]
NEAR = {
    "cdua": "cuda",
    "litgpt": "litgpt-config",
    "rtx-409": "rtx-4090-24gb",
    "macbok-air-m1-8gb": "macbook-air-m1-8gb",
}


@pytest.mark.parametrize("name", [*FAR, *NEAR])
def test_a_far_name_is_not_proposed_and_a_near_one_is(name: str) -> None:
    """Of sources, devices, models and backends alike: a proposal that is far off misleads more than none."""
    ids = [
        row[key]
        for table, key in (("sources", "source_id"), ("devices", "device_id"), ("models", "model_id"))
        for row in expected.rows(DATA / f"{table}.csv")
    ]
    hint = errors.similar(name, [*ids, *names.BACKENDS])
    assert (NEAR[name] in hint) if name in NEAR else not hint
