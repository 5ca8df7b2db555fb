"""Files of other programs as they are: read by predict, written as rows for a data folder, and refused where they cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.door import Refused, gguf
from analysis.errors import InputError
from analysis.model import configurations, expected, foreign, imports, inputs
from analysis.model.predict import predict_file
from analysis.tables import checks, overlay
from tests import samples
from tests.conftest import ROOT

DATA = ROOT / "data"
SCHEMAS = {
    name: [field["name"] for field in tables.package().resource(name)["schema"]["fields"]]
    for name in ("models", "devices", "measurements_decode")
}


def answer(folder: Path, content: str | bytes, name: str, **filled: str) -> tuple[pd.DataFrame, str]:
    """The answer to a file, and what is said of it."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    given = inputs.filled([f"{column}={value}" for column, value in filled.items()])
    said = predict_file(str(folder / name), str(folder / "out.csv"), filled=given)
    return pd.read_csv(folder / "out.csv"), said


def imported(folder: Path, content: str | bytes, name: str, **given: str) -> imports.Imported:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return imports.read(str(folder / name), SCHEMAS, DATA, **given)


# ------------------------------------------------------------------------------------------------- llama-bench

PROMPT = {"n_prompt": 512, "n_gen": 0, "avg_ts": 4100.5}
DEEP = {"n_depth": 4096, "avg_ts": 110.2}
FORMS: dict[str, Callable[..., str]] = {
    "b.csv": samples.bench_csv, "b.json": samples.bench_json, "b.jsonl": samples.bench_jsonl, "output.txt": samples.bench_jsonl,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_llama_bench_says_the_same(tmp_path: Path, name: str) -> None:
    """As the same configuration in our own columns, with the speeds beside it; a prompt being read keeps its place."""
    table, said = answer(tmp_path, FORMS[name](PROMPT, {}, DEEP), name)
    ours = (
        "device,model_id,format,weight_gibyte,context_token,year,flash_attention\n"
        "rtx-3090-24gb,qwen3-8b,q4-k-m,4.67689514,64,2026,true\nrtx-3090-24gb,qwen3-8b,q4-k-m,4.67689514,4160,2026,true\n"
    )
    same, _ = answer(tmp_path, ours, "ours.csv")
    assert table["token_per_s"].tolist()[1:] == pytest.approx(same["token_per_s"].tolist(), rel=1e-6)
    assert np.isnan(table["token_per_s"][0])
    assert table["note"][0] == "a prompt being read: not compared"
    assert table["inside_interval"].tolist()[1:] == ["yes", "yes"]
    assert said.splitlines()[0].startswith("read as llama-bench, ")
    assert "gpu_info, or cpu_info" in said
    assert said.splitlines()[-1] == "2 of 2 measured speeds inside the interval"
    assert set(samples.BENCH_HEADER) <= set(table.columns)


def test_the_markdown_of_llama_bench_is_read_with_its_log(tmp_path: Path) -> None:
    table, said = answer(tmp_path, samples.BENCH_LOG + samples.BENCH_MARKDOWN, "b.md")
    assert table["t/s"].tolist()[1] == "121.50 ± 0.40"
    assert table["inside_interval"].tolist()[1:] == ["yes", "yes"]
    assert said.splitlines()[-1] == "2 of 2 measured speeds inside the interval"
    bare, _ = answer(tmp_path, samples.BENCH_MARKDOWN, "bare.md")
    assert bare["token_per_s"].isna().all()
    given, _ = answer(tmp_path, samples.BENCH_MARKDOWN, "bare.md", device="rtx 3090")
    assert given["token_per_s"].tolist() == pytest.approx(table["token_per_s"].tolist(), rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("log", "device"),
    [
        ("  Device 0: AMD Radeon RX 7900 XTX, gfx1100 (0x1100), VMM: no, Wave Size: 32", "AMD Radeon RX 7900 XTX"),
        ("ggml_metal_device_init: GPU name:   MTL0 (Apple M4 Pro)", "Apple M4 Pro"),
        ("ggml_metal_init: GPU name:   Apple M2 Ultra", "Apple M2 Ultra"),
        ("ggml_vulkan: 0 = NVIDIA GeForce RTX 4060 Laptop GPU (NVIDIA) | uma: 0 | fp16: 1", "NVIDIA GeForce RTX 4060 Laptop GPU"),
    ],
)  # fmt: skip
def test_the_device_is_the_one_that_the_log_names(tmp_path: Path, log: str, device: str) -> None:
    found = imported(tmp_path, f"{log}\n{samples.BENCH_MARKDOWN}", "b.md")
    assert {row["device"] for row in found.rows} == {device}


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "note", "is_compared"),
    [
        ({"n_prompt": 512}, "prompt and answer in one rate", False),
        ({"gpu_info": "NVIDIA GeForce RTX 3090, NVIDIA GeForce RTX 3090"}, "2 devices", False),
        ({"n_cpu_moe": 4}, "experts on the processor", False), ({"n_gpu_layers": 20}, "a part of the layers on the processor", False),
        ({"type_k": "q8_0", "type_v": "q8_0"}, "cache in q8_0, counted in 16 bits", True), ({"n_gpu_layers": -1}, "", True),
        ({"model_filename": "x.gguf", "model_type": "qwen9 8B Q4_K - Medium", "n_gpu_layers": 20}, "whether all layers", True),
        ({"gpu_info": "NVIDIA A100"}, "bandwidth is missing", False), ({"gpu_info": "Foo 9000"}, "bandwidth is missing", False),
        ({"model_type": "qwen3 8B oQ4", "model_filename": "Qwen3-8B-oQ4.gguf"}, "number format not known", True),
    ],
)  # fmt: skip
def test_what_a_run_cannot_be_compared_for_is_said(
    tmp_path: Path, change: dict[str, Any], note: str, is_compared: bool
) -> None:
    table, _ = answer(tmp_path, samples.bench_json(change), "b.json")
    assert note in str(table["note"][0])
    assert bool(table["token_per_s"][0] > 0) == is_compared


def test_a_run_without_a_graphics_processor_is_that_of_the_processor(tmp_path: Path) -> None:
    for change in ({"n_gpu_layers": 0}, {"gpu_info": "", "backends": "CPU"}, {"backends": "BLAS"}):
        table, _ = answer(tmp_path, samples.bench_csv(change), "b.csv")
        assert table["limit_token_per_s"][0] < 20


def test_a_model_is_not_taken_for_another_of_its_name(tmp_path: Path) -> None:
    """Mistral 7B prints itself as llama 7B; its parameters say that it is not LLaMA 7B."""
    base = {"model_filename": "m.gguf", "model_type": "llama 7B Q4_K - Medium", "model_size": 4368438272}
    runs = [foreign.run_of({name: samples._as_text(value) for name, value in (samples.BENCH_RUN | base | extra).items()})
            for extra in ({"model_n_params": 7241732096}, {"model_n_params": 6738415616})]  # fmt: skip
    assert [foreign.model_of(run, DATA) for run in runs] == ["", "llama-7b"]


def test_the_runs_of_2023_name_their_backend_in_columns_of_its_own() -> None:
    cell = {
        "cuda": "1",
        "metal": "0",
        "gpu_info": "NVIDIA GeForce RTX 3090",
        "model_type": "x",
        "model_size": "1",
        "n_gen": "1",
        "avg_ts": "1",
    }
    assert foreign.run_of(cell).backend == "cuda"


# --------------------------------------------------------------------------------------------------- config.json

CONFIGS = {
    "qwen3-8b": samples.QWEN3_8B, "mixtral-8x7b": samples.MIXTRAL, "deepseek-v3": samples.DEEPSEEK_V3, "gemma-3-12b": samples.GEMMA_3_12B,
}  # fmt: skip


@pytest.mark.parametrize("model_id", CONFIGS)
def test_a_configuration_says_what_the_book_files(model_id: str) -> None:
    shape = configurations.of_config(CONFIGS[model_id], model_id)
    filed = next(row for row in expected.rows(DATA / "models.csv") if row["model_id"] == model_id)
    assert shape.open == ()
    assert shape.attention_kind == filed["attention_kind"]
    said = {name: number(shape) for name, number in configurations.MODEL_COLUMNS.items()}
    for name in (
        "n_layer",
        "n_kv_head",
        "head_dim",
        "ffn_dim",
        "vocab_size",
        "n_sliding_layer",
        "kv_latent_dim",
        "n_expert",
    ):
        assert said[name] == pytest.approx(float(filed[name] or "nan"), nan_ok=True), name
    assert said["total_gparam"] == pytest.approx(float(filed["total_gparam"]), rel=1e-3)
    if filed["active_gparam"]:
        assert said["active_gparam"] == pytest.approx(float(filed["active_gparam"]), rel=0.02)


FAMILIES = {
    "gemma-2": "gemma2",
    "gemma-3-": "gemma3_text",
    "gpt-oss": "gpt_oss",
    "phi-2": "phi",
    "gpt-3": "gpt2",
    "mt-nlg": "gpt2",
    "apertus": "nemotron",
    "afm-4.5b": "nemotron",
}
"""Start of an id → its family, or one that is as it: two matrices in the feed-forward part, windows in some layers."""
BESIDE: dict[str, dict[str, int]] = {
    "llama-4-scout": {"shared_expert_intermediate_size": 8192, "sliding_window_pattern": 4},
    "llama-4-maverick": {"shared_expert_intermediate_size": 8192, "sliding_window_pattern": 4, "interleave_moe_layer_step": 2,
                         "moe_intermediate_size": 8192, "intermediate_size": 16384},
    "glm-4.5-air": {"first_k_dense_replace": 1, "n_shared_experts": 1, "moe_intermediate_size": 1408, "intermediate_size": 10944},
    "glm-4.": {"first_k_dense_replace": 3, "n_shared_experts": 1, "moe_intermediate_size": 1536, "intermediate_size": 12288},
    "minimax-m3": {"first_k_dense_replace": 3, "n_shared_experts": 1, "moe_intermediate_size": 3072, "intermediate_size": 12288},
    "ling-mini-2.0": {"first_k_dense_replace": 1, "n_shared_experts": 1, "moe_intermediate_size": 512, "intermediate_size": 5120},
    "hunyuan-a13b": {"shared_expert_intermediate_size": 3072},
    **{start: {"sliding_window_pattern": 4} for start in ("olmo-3", "exaone-4.0-32b", "exaone-4.5")},
}  # fmt: skip
"""Start of an id → what its configuration says beside the columns, and its note in words: dense layers, shared experts, windows."""
NAMES = {
    "n_layer": "num_hidden_layers", "model_dim": "hidden_size", "n_head": "num_attention_heads", "n_kv_head": "num_key_value_heads",
    "head_dim": "head_dim", "ffn_dim": "intermediate_size", "vocab_size": "vocab_size", "n_expert": "num_local_experts",
    "n_active_expert": "num_experts_per_tok", "sliding_window_token": "sliding_window",
}  # fmt: skip


def test_parameters_and_windows_follow_from_the_shape_of_every_filed_model() -> None:
    """The configuration that each row would have says the row's own count, to a thousandth, and its kind of attention."""
    rows = [row for row in expected.rows(DATA / "models.csv") if row["param_basis"] == "computed-from-config"]
    assert len(rows) > 150
    for row in rows:
        family = next((family for start, family in FAMILIES.items() if row["model_id"].startswith(start)), "llama")
        config: dict[str, Any] = {theirs: int(row[ours]) for ours, theirs in NAMES.items() if row[ours]} | {
            "model_type": family
        }
        config |= next((more for start, more in BESIDE.items() if row["model_id"].startswith(start)), {})
        if row["tied_embedding"]:
            config["tie_word_embeddings"] = row["tied_embedding"] == "true"
        if (
            row["attention_kind"] in ("mla", "unknown")
            or row.get("n_cache_layer")
            or row.get("full_head_dim")
            or row.get("full_n_kv_head")
        ):
            continue
        shape = configurations.of_config(config, row["name"])
        assert shape.total_param == pytest.approx(float(row["total_gparam"]) * 1e9, rel=5e-3), row["model_id"]
        assert shape.n_window_layer == float(row["n_sliding_layer"] or 0), row["model_id"]


def test_layers_of_linear_attention_keep_a_state_and_no_cache() -> None:
    """Qwen3-Next 80B-A3B: 12 of 48 layers keep 2 heads of 256; the others 32 heads of 128 × 128 and a convolution, in FP32."""
    shape = configurations.of_config(samples.QWEN3_NEXT, "x")
    assert (shape.n_full_layer, float(shape.cache.full_byte_per_token)) == (12, 12 * 2 * 2 * 256 * 2)
    assert shape.state_byte == 36 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128)) * 4
    assert shape.total_param == pytest.approx(79.6744e9, rel=1e-4)
    assert shape.attention_kind == "hybrid"


LLAMA = {
    "model_type": "x",
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "vocab_size": 100,
    "intermediate_size": 128,
}
KINDS: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "no window": ({}, (4, 0)), "a window switched off": ({"sliding_window": 8, "use_sliding_window": False}, (4, 0)),
    "a window everywhere": ({"sliding_window": 8}, (0, 4)),
    "the last layers": ({"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 3}, (3, 1)),
    "listed": ({"layer_types": ["full_attention", "linear_attention"] * 2}, (2, 0)),
    "a period of the list": ({"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}, (2, 2)),
    "blocks": ({"layers_block_type": ["mamba", "mamba", "attention", "mamba"]}, (1, 0)),
    "signs": ({"hybrid_override_pattern": "M-M*"}, (1, 0)),
    "a period": ({"attn_layer_period": 4, "attn_layer_offset": 2}, (1, 0)), "every fourth": ({"full_attention_interval": 4}, (1, 0)),
    "shared": ({"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"] * 2, "num_kv_shared_layers": 2}, (1, 1)),
    "an unknown kind": ({"layer_types": ["full_attention", "xlstm"] * 2}, (np.nan, 0)),
    "a state space": ({"model_type": "mamba2"}, (0, 0)),
    "another number": ({"layer_types": ["full_attention"] * 7}, (np.nan, 0)),
    "a window of no width": ({"layer_types": ["sliding_attention", "full_attention"] * 2}, (np.nan, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_which_layers_keep_a_cache_is_read_or_left_open(name: str) -> None:
    change, kept = KINDS[name]
    require_layers(LLAMA | change, *kept)


def require_layers(config: dict[str, Any], full: float, window: float) -> None:
    """Layers whose cache grows and layers with a window, as a configuration has them; a cache is open where they are unknown."""
    shape = configurations.of_config(config, "x")
    assert shape.n_full_layer == pytest.approx(full, nan_ok=True)
    assert shape.n_window_layer == window
    assert any(what == "cache" for what, _ in shape.open) == bool(np.isnan(full))


@pytest.mark.parametrize(
    ("change", "format_id"),
    [
        ({"torch_dtype": "bfloat16"}, "bf16"), ({"dtype": "float16"}, "fp16"),
        ({"quantization": {"group_size": 64, "bits": 4}}, "mlx-4bit"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}, "int4-g128"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 8, "group_size": 32}}, ""),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8"), ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, ""), ({}, ""),
    ],
)  # fmt: skip
def test_the_format_of_the_weights_is_the_stated_one(change: dict[str, Any], format_id: str) -> None:
    from analysis.model import names

    stated = configurations.of_config(LLAMA | change, "x").weight_format
    assert (names.number_format(stated, DATA).format_id if stated else "") == format_id


def test_a_configuration_is_predicted_on_every_device_or_on_the_one_given(tmp_path: Path) -> None:
    content = json.dumps(samples.QWEN3_8B)
    table, said = answer(tmp_path, content, "config.json", format="Q5_0", ctx="8192")
    assert len(table) > 100
    assert {"yes", "no"} <= set(table["fits"])
    assert "8.191 billion parameters, 36 layers, attention gqa, 147,456 bytes of cache a token" in said
    one, _ = answer(tmp_path, content, "config.json", format="Q5_0", ctx="8192", device="rtx 3060")
    filed, _ = answer(tmp_path, "device,model,format,ctx\nrtx 3060,qwen3-8b,Q5_0,8192\n", "x.csv")
    assert one["token_per_s"][0] == pytest.approx(filed["token_per_s"][0], rel=1e-4)
    assert one["needs_gibyte"][0] == pytest.approx(filed["needs_gibyte"][0], rel=1e-4)


# ---------------------------------------------------------------------------------------------------------- GGUF


def test_the_header_of_a_gguf_file_says_the_model_and_its_size(tmp_path: Path) -> None:
    content = samples.gguf(samples.GGUF_LLAMA, samples.GGUF_TENSORS, data=427_744)
    (tmp_path / "tiny.gguf").write_bytes(content)
    file = foreign.read(str(tmp_path / "tiny.gguf"), DATA)
    assert file.shape is not None
    shape = file.shape
    assert (shape.name, shape.n_layer, shape.n_kv_head, shape.head_dim) == ("Tiny Llama", 2, 2, 64)
    assert (shape.total_param, shape.is_tied, shape.weight_format) == (2 * 256_000 + 131_072, False, "Q4_K_M")
    assert shape.weight_byte == 427_744
    assert shape.cache.full_byte_per_token == 2 * 2 * 2 * 64 * 2
    table, said = answer(tmp_path, content, "tiny.gguf", device="rtx 3060")
    assert table["needs_gibyte"][0] == pytest.approx(427_744 / 2**30, abs=1e-4)
    assert "Tiny Llama: 0.0006431 billion parameters" in said


def test_only_the_header_counts() -> None:
    """A file that was cut behind its header says the same: the last tensor takes what others of its type take."""
    import io

    tensors = [*samples.GGUF_TENSORS, ("blk.1.ffn_up.weight", (256, 512), 12, 73_728)]
    whole = foreign.of_header(
        gguf.read(io.BytesIO(cut := samples.gguf(samples.GGUF_LLAMA, tensors))), len(cut), "t.gguf", DATA
    ).shape
    assert whole is not None
    assert whole.weight_byte == sum(byte for *_, byte in tensors)


GGUF_LAYERS: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "gemma3": ({"attention.sliding_window": 1024, "block_count": 12}, (2, 10)),
    "gpt-oss": ({"attention.sliding_window": 128, "block_count": 4}, (2, 2)),
    "lfm2": ({"attention.head_count_kv": [0, 0, 8, 0], "block_count": 4}, (1, 0)),
    "qwen3next": ({"full_attention_interval": 4, "block_count": 8}, (2, 0)),
    "llama": ({"attention.sliding_window": 4096, "block_count": 4}, (4, 0)),
    "gemma4": ({"attention.sliding_window": 512, "block_count": 4, "attention.sliding_window_pattern": [True, True, True, False],
                "attention.head_count_kv": [8, 8, 8, 1]}, (1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("family", GGUF_LAYERS)
def test_the_layers_of_a_gguf_file_are_those_of_its_family(family: str) -> None:
    given, (full, window) = GGUF_LAYERS[family]
    metadata = {
        f"{family}.{key}": value
        for key, value in ({"embedding_length": 256, "attention.head_count": 8} | given).items()
    }
    shape = configurations.of_gguf({"general.architecture": family} | metadata, 1e9, 0.0, True, "x")
    assert (shape.n_full_layer, shape.n_window_layer) == (full, window)
    if family == "gemma4":
        assert (shape.n_kv_head, shape.full_n_kv_head) == (8, 1)


def test_a_part_of_a_model_has_no_size(tmp_path: Path) -> None:
    content = samples.gguf(samples.GGUF_LLAMA | {"split.count": 3, "split.no": 0}, samples.GGUF_TENSORS)
    table, said = answer(tmp_path, content, "x-00001-of-00003.gguf", device="rtx 3060")
    assert "one of 3 parts" in said
    assert np.isnan(table["token_per_s"][0])


GOOD = samples.gguf(samples.GGUF_LLAMA, samples.GGUF_TENSORS)
BAD_GGUF = {
    "nothing but the mark": (b"GGUF", "the end of the file"), "version 1": (samples.gguf({}, [], version=1), "GGUF of version 1"),
    "cut in the metadata": (GOOD[:90], "the end of the file"), "cut in the tensors": (GOOD[:-80], "the end of the file"),
    "too many tensors": (b"GGUF\3\0\0\0" + b"\xff" * 16, "tensors and"), "no model": (samples.gguf({}, []), "no language model"),
    "a projector": (samples.gguf(samples.GGUF_LLAMA | {"general.type": "mmproj"}, []), "no language model"),
    "a long string": (b"GGUF\3\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 7 + b"\xff" * 8, "a string of"),
    "an unknown kind": (GOOD.replace(b"general.name\x08", b"general.name\x63"), "unknown kind 99"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_GGUF)
def test_a_damaged_gguf_file_is_refused(tmp_path: Path, name: str) -> None:
    content, told = BAD_GGUF[name]
    with pytest.raises(InputError, match=r"x\.gguf: found ") as error:
        answer(tmp_path, content, "x.gguf", device="rtx 3060")
    assert told in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_header_is_read_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr(gguf, "LARGEST_HEADER_BYTE", 100)
    with pytest.raises(Refused, match="a header of more than"):
        gguf.read(io.BytesIO(GOOD))


# --------------------------------------------------------------------------------------------------------- Epoch


def test_epochs_list_is_predicted_with_the_model_that_is_given(tmp_path: Path) -> None:
    table, said = answer(tmp_path, samples.EPOCH_CSV, "ml_hardware.csv", model_id="qwen3 8b", format="Q4_K_M")
    l40s, tpu, p4, w7900 = table.to_dict("records")
    assert l40s["token_per_s"] > w7900["token_per_s"] > 0
    assert l40s["has_gibyte"] > 47
    assert "backend is missing" in tpu["note"]
    assert "memory bandwidth is missing" in p4["note"]
    assert "byte/s) → bandwidth" in said
    bare, _ = answer(tmp_path, samples.EPOCH_CSV, "ml_hardware.csv")
    assert bare["note"].str.contains("neither weight_gibyte nor model_id").any()


# -------------------------------------------------------------------------------------------------------- import

SOURCES: dict[str, tuple[Callable[[], str | bytes], str, int]] = {
    "b.csv": (lambda: samples.bench_csv(PROMPT, {}, DEEP), "measurements_decode", 2),
    "b.json": (lambda: samples.bench_json({}, {"gpu_info": "a, b"}), "measurements_decode", 1),
    "b.md": (lambda: samples.BENCH_LOG + samples.BENCH_MARKDOWN, "measurements_decode", 2),
    "config.json": (lambda: json.dumps(samples.QWEN3_8B | {"_name_or_path": "me/Qwen3-8B-mine"}), "models", 1),
    "gemma.json": (lambda: json.dumps(samples.GEMMA_3_12B), "models", 1),
    "deepseek.json": (lambda: json.dumps(samples.DEEPSEEK_V3), "models", 1),
    "ml_hardware.csv": (lambda: samples.EPOCH_CSV, "devices", 2),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", SOURCES)
def test_what_is_imported_is_sound_as_it_is(tmp_path: Path, name: str) -> None:
    content, table, count = SOURCES[name]
    found = imported(tmp_path, content(), name, released="2026-11")
    assert (found.table, len(found.rows)) == (table, count)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / f"{table}.import.csv").write_text(found.csv(), encoding="utf-8")
    problems = checks.problems(overlay.merged(mine, tmp_path / "data"))
    assert [str(problem) for problem in problems if problem.level == "error"] == []
    assert found.told()[0] == f"{count} {'row' if count == 1 else 'rows'} of {table}"


def test_an_imported_model_is_predicted_as_its_configuration_is(tmp_path: Path) -> None:
    content = json.dumps(samples.GEMMA_3_12B | {"_name_or_path": "gemma-mine"})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "models.import.csv").write_text(
        imported(tmp_path, content, "c.json", released="2026").csv(), encoding="utf-8"
    )
    folder = overlay.merged(mine, tmp_path / "data")
    (tmp_path / "x.csv").write_text("device,model,format,ctx\nrtx 4090,gemma-mine,Q4_K_M,32768\n", encoding="utf-8")
    predict_file(str(tmp_path / "x.csv"), str(tmp_path / "out.csv"), folder=folder)
    by_row = pd.read_csv(tmp_path / "out.csv")
    by_file, _ = answer(tmp_path, content, "c.json", device="rtx 4090", format="Q4_K_M", ctx="32768")
    for column in ("token_per_s", "needs_gibyte", "limit_token_per_s"):
        assert by_row[column][0] == pytest.approx(by_file[column][0], rel=1e-4), column


def test_facts_that_a_file_leaves_out_stay_missing(tmp_path: Path) -> None:
    found = imported(tmp_path, json.dumps(samples.QWEN3_8B), "config.json")
    assert found.rows[0]["release_date"] == ""
    assert "to fill in: release_date" in found.told()[-1]
    runs = imported(tmp_path, samples.bench_json({"gpu_info": "Foo 9000", "test_time": ""}), "b.json").rows
    assert (runs[0]["memory_bandwidth_gbyte_per_s"], runs[0]["date"], runs[0]["is_fit_candidate"]) == ("", "", "false")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.csv", "a,b\n1,2\n", "a file of another kind"), ("x.sql", samples.BENCH_SQL, "found SQL"), ("x.json", "{", "no JSON"),
        ("x.json", "[1, 2]", "no list of objects"), ("x.json", '{"a": 1}', "JSON with a"), ("x.json", "[]", "no list of objects"),
        ("x.jsonl", '{"a": 1}\n{"a"\n', "no JSON"), ("x.md", "| a | b |\n| --- | --- |\n| 1 | 2 |\n", "a Markdown table"),
        ("x.csv", samples.bench_csv(PROMPT), "a prompt being read"), ("x.csv", samples.EPOCH_CSV.partition("NVIDIA")[0], "it has no rows"),
        ("x.json", json.dumps({"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2}), "does not follow"),
        ("x.json", "[" * 100_000, "nested too deeply"), ("x.json", b"[\xff]", "not UTF-8 in line 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(InputError) as error:
        imported(tmp_path, content, name)
    assert told in str(error.value)


def test_a_cache_that_the_table_cannot_say_is_not_written(tmp_path: Path) -> None:
    columns = [name for name in SCHEMAS["models"] if name not in configurations.CACHE_COLUMNS]
    found = imports.of_shape(configurations.of_config(samples.QWEN3_NEXT, "next"), "config.json", columns, "2026")
    assert not found.rows
    assert "the table has no column n_cache_layer" in found.left_out[0]
    wide = imports.of_shape(
        configurations.of_config(samples.QWEN3_NEXT, "next"),
        "config.json",
        [*columns, *configurations.CACHE_COLUMNS],
        "2026",
    )
    assert wide.rows[0]["n_cache_layer"] == "12"


def test_a_foreign_file_under_a_tables_name_is_told_once_and_led_to_import(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "measurements_decode.csv").write_text(samples.bench_csv({}), encoding="utf-8")
    problems = checks.problems(overlay.merged(mine, tmp_path / "data"))
    told = [str(problem) for problem in problems if problem.file.startswith(str(mine))]
    assert len(told) == 1
    assert "`memory-wall import FILE --out FOLDER` writes its rows" in told[0]


def test_a_workbook_of_names_is_read_below_its_title(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["Our cards"], [], ["Device", "Model", "Format"], ["rtx 3060", "qwen3 8b", "Q4_K_M"]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    predict_file(str(tmp_path / "x.xlsx"), str(tmp_path / "out.csv"))
    assert pd.read_csv(tmp_path / "out.csv")["token_per_s"][0] > 0
