"""Layers without a cache that grows: what they keep by hand, and the models of it to their makers' own counts of parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.model import configurations, expected, imports, predict
from analysis.tables import checks, overlay
from tests.conftest import command
from tests.test_foreign import require_layers

STATE_BYTE = 4


def hybrid(places: set[int], n_layer: int) -> list[str]:
    return ["attention" if place in places else "mamba" for place in range(n_layer)]


MAMBA2 = {
    "mamba_n_heads": 128,
    "mamba_d_head": 64,
    "mamba_d_state": 128,
    "mamba_n_groups": 1,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
}
NEMOTRON = {
    "model_type": "nemotron_h",
    "ssm_state_size": 128,
    "n_groups": 8,
    "conv_kernel": 4,
    "head_dim": 128,
    "vocab_size": 131072,
}
CONFIGS: dict[str, tuple[dict[str, Any], float, tuple[float, float], int]] = {
    # the configuration; billions of parameters as the maker prints them; layers with a cache, with a window; numbers of state
    "mamba-130m": (
        {"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24, "state_size": 16, "conv_kernel": 4, "expand": 2,
         "time_step_rank": 48, "vocab_size": 50280, "intermediate_size": 1536}, 0.1291, (0, 0), 24 * 1536 * (16 + 3)),
    "falcon-mamba-7b": (
        {"model_type": "falcon_mamba", "hidden_size": 4096, "num_hidden_layers": 64, "state_size": 16, "conv_kernel": 4, "expand": 2,
         "time_step_rank": 256, "vocab_size": 65024, "tie_word_embeddings": False}, 7.27, (0, 0), 64 * 8192 * (16 + 3)),
    "mamba2-2.7b": (
        {"model_type": "mamba2", "hidden_size": 2560, "num_hidden_layers": 64, "state_size": 128, "conv_kernel": 4, "expand": 2,
         "num_heads": 80, "head_dim": 64, "n_groups": 1, "vocab_size": 50288, "tie_word_embeddings": True}, 2.70, (0, 0),
        64 * (5120 * 128 + 3 * (5120 + 2 * 128))),
    "jamba-v0.1": (
        {"model_type": "jamba", "hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 14336, "num_attention_heads": 32,
         "num_key_value_heads": 8, "num_experts": 16, "num_experts_per_tok": 2, "attn_layer_period": 8, "attn_layer_offset": 4,
         "expert_layer_period": 2, "expert_layer_offset": 1, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2,
         "mamba_dt_rank": 256, "vocab_size": 65536, "tie_word_embeddings": False}, 51.57, (4, 0), 28 * 8192 * (16 + 3)),
    "bamba-9b": (
        MAMBA2 | {"model_type": "bamba", "hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 14336,
                  "num_attention_heads": 32, "num_key_value_heads": 8, "attn_layer_indices": [9, 18, 27], "vocab_size": 128256,
                  "tie_word_embeddings": False}, 9.78, (3, 0), 29 * (8192 * 128 + 3 * (8192 + 256))),
    "granite-4.0-h-small": (
        MAMBA2 | {"model_type": "granitemoehybrid", "hidden_size": 4096, "num_hidden_layers": 40, "num_attention_heads": 32,
                  "num_key_value_heads": 8, "num_local_experts": 72, "num_experts_per_tok": 10, "shared_intermediate_size": 1536,
                  "intermediate_size": 768, "tie_word_embeddings": True, "vocab_size": 100352,
                  "layer_types": hybrid({5, 15, 25, 35}, 40)}, 32.2, (4, 0), 36 * (8192 * 128 + 3 * (8192 + 256))),
    "nemotron-nano-9b-v2": (
        NEMOTRON | {"hidden_size": 4480, "intermediate_size": 15680, "num_hidden_layers": 56, "num_attention_heads": 40,
                    "num_key_value_heads": 8, "mamba_num_heads": 128, "mamba_head_dim": 80, "tie_word_embeddings": False,
                    "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"}, 8.89, (4, 0),
        27 * (10240 * 128 + 3 * (10240 + 2 * 8 * 128))),
    "nemotron-3-nano-30b": (
        NEMOTRON | {"hidden_size": 2688, "intermediate_size": 1856, "num_hidden_layers": 52, "num_attention_heads": 32,
                    "num_key_value_heads": 2, "mamba_num_heads": 64, "mamba_head_dim": 64, "n_routed_experts": 128,
                    "num_experts_per_tok": 6, "moe_intermediate_size": 1856, "moe_shared_expert_intermediate_size": 3712,
                    "n_shared_experts": 1, "tie_word_embeddings": False,
                    "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"}, 31.6, (6, 0),
        23 * (4096 * 128 + 3 * (4096 + 2 * 8 * 128))),
    "falcon-h1-7b": (
        {"model_type": "falcon_h1", "hidden_size": 3072, "intermediate_size": 12288, "num_hidden_layers": 44, "num_attention_heads": 12,
         "num_key_value_heads": 2, "head_dim": 128, "mamba_d_ssm": 3072, "mamba_n_heads": 24, "mamba_d_head": 128, "mamba_d_state": 256,
         "mamba_n_groups": 1, "mamba_d_conv": 4, "vocab_size": 130049, "tie_word_embeddings": False, "attn_layer_indices": None},
        7.59, (44, 0), 44 * (3072 * 256 + 3 * (3072 + 512))),
    "lfm2-350m": (
        {"model_type": "lfm2", "hidden_size": 1024, "block_ff_dim": 6656, "block_auto_adjust_ff_dim": True, "block_multiple_of": 256,
         "block_ffn_dim_multiplier": 1.0, "conv_L_cache": 3, "num_attention_heads": 16, "num_key_value_heads": 8,
         "num_hidden_layers": 16, "vocab_size": 65536, "full_attn_idxs": [2, 5, 8, 10, 12, 14], "tie_embedding": True}, 0.354484,
        (6, 0), 10 * 1024 * 2),
    "minimax-text-01": (
        {"model_type": "minimax_text_01", "hidden_size": 6144, "intermediate_size": 9216, "num_hidden_layers": 80,
         "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128, "num_local_experts": 32, "num_experts_per_tok": 2,
         "attn_type_list": [0, 0, 0, 0, 0, 0, 0, 1] * 10, "vocab_size": 200064, "tie_word_embeddings": False}, 456.0, (10, 0),
        70 * 64 * 128 * 128),
    "kimi-linear-48b": (
        {"model_type": "kimi_linear", "hidden_size": 2304, "intermediate_size": 9216, "moe_intermediate_size": 1024,
         "num_hidden_layers": 27, "num_attention_heads": 32, "num_key_value_heads": 32, "num_experts": 256, "num_experts_per_token": 8,
         "num_shared_experts": 1, "first_k_dense_replace": 1, "moe_layer_freq": 1, "kv_lora_rank": 512, "q_lora_rank": None,
         "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 163840, "tie_word_embeddings": False,
         "linear_attn_config": {"full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "head_dim": 128, "num_heads": 32,
                                "short_conv_kernel_size": 4}}, 49.1, (7, 0), 20 * (32 * 128 * 128 + 3 * 3 * 32 * 128)),
    "recurrentgemma-2b": (
        {"model_type": "recurrent_gemma", "_block_types": ["recurrent", "recurrent", "attention"], "attention_window_size": 2048,
         "conv1d_width": 4, "head_dim": 256, "hidden_size": 2560, "intermediate_size": 15360, "lru_width": 2560,
         "num_attention_heads": 10, "num_hidden_layers": 26, "num_key_value_heads": 1, "vocab_size": 256000}, 2.68, (0, 8),
        18 * 2560 * (1 + 3)),
    "llama-4-scout": (
        {"model_type": "llama4", "text_config": {
            "model_type": "llama4_text", "hidden_size": 5120, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
            "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128, "num_local_experts": 16,
            "num_experts_per_tok": 1, "interleave_moe_layer_step": 1, "attention_chunk_size": 8192, "no_rope_layers": [],
            "vocab_size": 202048, "tie_word_embeddings": False}}, 107.8, (12, 36), 0),
    "chatglm3-6b": (
        {"model_type": "chatglm", "hidden_size": 4096, "num_layers": 28, "num_attention_heads": 32, "kv_channels": 128,
         "multi_query_attention": True, "multi_query_group_num": 2, "padded_vocab_size": 65024, "ffn_hidden_size": 13696,
         "seq_length": 8192, "tie_word_embeddings": False}, 6.24, (28, 0), 0),
    "falcon-40b": (
        {"model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8,
         "multi_query": True, "new_decoder_architecture": True, "vocab_size": 65024}, 41.3, (60, 0), 0),
    "glm-4.5-air": (
        {"model_type": "glm4_moe", "hidden_size": 4096, "num_hidden_layers": 46, "num_attention_heads": 96, "num_key_value_heads": 8,
         "head_dim": 128, "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 128, "num_experts_per_tok": 8,
         "n_shared_experts": 1, "first_k_dense_replace": 1, "vocab_size": 151552, "tie_word_embeddings": False}, 106.9, (46, 0), 0),
    "mimo-v2-flash": (
        {"model_type": "mimo_v2_flash", "hidden_size": 4096, "num_hidden_layers": 48, "num_attention_heads": 64, "num_key_value_heads": 4,
         "head_dim": 192, "v_head_dim": 128, "swa_num_key_value_heads": 8, "swa_head_dim": 192, "swa_v_head_dim": 128,
         "sliding_window": 128, "hybrid_layer_pattern": [0, 1, 1, 1, 1] + [0, 1, 1, 1, 1, 1] * 7 + [0], "vocab_size": 152576,
         "intermediate_size": 16384, "moe_intermediate_size": 2048, "n_routed_experts": 256, "num_experts_per_tok": 8,
         "moe_layer_freq": [0] + [1] * 47, "tie_word_embeddings": False}, 309.0, (9, 39), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_says_its_cache_its_state_and_its_parameters(name: str) -> None:
    config, gparam, layers, state = CONFIGS[name]
    shape = configurations.of_config(config, name)
    assert list(shape.open) == []
    assert (shape.n_full_layer, shape.n_window_layer) == layers
    assert shape.state_byte == state * STATE_BYTE
    assert shape.total_param == pytest.approx(gparam * 1e9, rel=2e-3)
    assert float(shape.cache.at(0)) == state * STATE_BYTE


@pytest.mark.long
def test_a_model_that_is_imported_keeps_what_its_configuration_says(tmp_path: Path) -> None:
    """All of them in one folder: each file has the name of its model, the rows are sound, and their caches the same."""
    columns = [field["name"] for field in tables.package().resource("models")["schema"]["fields"]]
    mine = tmp_path / "mine"
    mine.mkdir()
    shapes = {name: configurations.of_config(config, name) for name, (config, *_) in CONFIGS.items()}
    for shape in shapes.values():
        found = imports.of_shape(shape, "config.json", columns, "2025-01")
        (mine / f"models.{found.part('config.json')}.csv").write_text(found.csv(), encoding="utf-8")
    folder = overlay.merged(mine, tmp_path / "data")
    assert [str(problem) for problem in checks.problems(folder) if problem.level == "error"] == []
    rows = {row["name"]: row for row in expected.rows(folder / "models.csv")}
    for name, shape in shapes.items():
        model = predict.model(rows[name])
        filed = (model.kv_byte_per_token, model.window_kv_byte_per_token, model.window_token, model.state_byte)
        assert filed == tuple(float(part) for part in shape.cache), name


def test_a_second_configuration_goes_beside_the_first(tmp_path: Path) -> None:
    for name in ("lfm2-350m", "bamba-9b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(CONFIGS[name][0]), encoding="utf-8")
        ended = command(
            "import", str(tmp_path / name / "config.json"), "--out", str(tmp_path / "mine"), "--released", "2025"
        )
        assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "models.bamba-9b.csv",
        "models.lfm2-350m.csv",
    ]


def test_a_model_without_a_count_of_parameters_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "rwkv7", "hidden_size": 2560, "num_hidden_layers": 32})
    )
    filled = {"device": "rtx 3060", "format": "Q4_K_M"}
    predict.predict_file(str(tmp_path / "config.json"), str(tmp_path / "out.csv"), filled=filled)
    assert pd.read_csv(tmp_path / "out.csv")["note"][0].startswith("parameters of the model not known")


SPELLED: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "letters": ({"sliding_window": 8, "sliding_window_pattern": "LLLG"}, (1, 3)),
    "flags": ({"sliding_window": 8, "sliding_window_pattern": [True, False] * 2}, (2, 2)),
    "words of another field": ({"sliding_window": 8, "attention_pattern": ["sliding_attention", "full_attention"] * 2}, (2, 2)),
    "places of windows": ({"sliding_window": 8, "sliding_window_layers": [0, 2]}, (2, 2)),
    "half of the layers share the cache of the other half": ({"use_cla": True, "cla_share_factor": 2}, (2, 0)),
    "chosen one by one": ({"block_configs": [{"attention": {"n_heads_in_group": 2}}, {"attention": {"no_op": True}}] * 2}, (2, 0)),
    "groups of several sizes": ({"block_configs": [{"attention": {"n_heads_in_group": size}} for size in (1, 2, 2, 4)]}, (np.nan, 0)),
    "a window for each layer": ({"sliding_window": [None, 8, 8, 8]}, (np.nan, 0)),
    "an encoder": ({"model_type": "bert"}, (np.nan, 0)), "with an encoder": ({"is_encoder_decoder": True}, (np.nan, 0)),
    "two attentions a layer": ({"model_type": "longcat_flash"}, (np.nan, 0)),
    "a state nobody places": ({"mamba_d_state": 16}, (np.nan, 0)),
    "a stream of sound and sight": (
        {"num_hidden_layers": 9, "thinker_config": {"text_config": {"num_hidden_layers": 4, "model_type": "x"}}}, (4, 0)),
}  # fmt: skip
PLAIN = {
    "model_type": "x",
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "vocab_size": 100,
    "intermediate_size": 128,
}


@pytest.mark.parametrize("name", SPELLED)
def test_layers_are_read_in_every_spelling_or_left_open(name: str) -> None:
    change, kept = SPELLED[name]
    require_layers(PLAIN | change, *kept)


def test_a_state_that_does_not_follow_is_said() -> None:
    shape = configurations.of_config(PLAIN | {"layer_types": ["linear_attention", "full_attention"] * 2}, "x")
    assert [what for what, _ in shape.open] == ["state", "parameters"]
    assert float(shape.cache.at(1)) == 2 * 2 * 64 * 2


def test_a_second_cache_is_said() -> None:
    shape = configurations.of_config(PLAIN | {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "index_head_dim": 128}, "x")
    assert ("a second cache", "an indexer keeps 128 numbers a token and layer more") in shape.open


SSM = {"ssm.conv_kernel": 4, "ssm.inner_size": 4096, "ssm.state_size": 128}
GGUF: dict[str, tuple[dict[str, Any], tuple[float, float], int, float]] = {
    # metadata; layers with a cache, with a window; numbers of state; bytes of cache a token of those with a cache
    "mamba": ({"block_count": 2, **SSM, "ssm.state_size": 16}, (0, 0), 2 * 4096 * (16 + 3), 0),
    "mamba2": ({"block_count": 2, **SSM, "ssm.group_count": 1}, (0, 0), 2 * (4096 * 128 + 3 * (4096 + 256)), 0),
    "granitehybrid": ({"block_count": 3, **SSM, "ssm.group_count": 1, "attention.head_count_kv": [0, 4, 0]}, (1, 0),
                      2 * (4096 * 128 + 3 * (4096 + 256)), 1 * 2 * 4 * 32 * 2),
    "falcon-h1": ({"block_count": 2, **SSM, "ssm.group_count": 1, "attention.head_count_kv": 2}, (2, 0),
                  2 * (4096 * 128 + 3 * (4096 + 256)), 2 * 2 * 2 * 32 * 2),
    "nemotron_h": ({"block_count": 4, **SSM, "ssm.group_count": 8, "attention.head_count_kv": [0, 0, 8, 0],
                    "feed_forward_length": [0, 512, 0, 512]}, (1, 0), 4096 * 128 + 3 * (4096 + 2 * 8 * 128), 2 * 8 * 32 * 2),
    "qwen35": ({"block_count": 9, "nextn_predict_layers": 1, "full_attention_interval": 4, **SSM, "ssm.group_count": 16,
                "attention.head_count_kv": 2}, (2, 0), 6 * (4096 * 128 + 3 * (4096 + 2 * 16 * 128)), 2 * 2 * 2 * 32 * 2),
    "lfm2": ({"block_count": 4, "shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 8, 0]}, (1, 0), 3 * 256 * 2, 2 * 8 * 32 * 2),
    "rwkv7": ({"block_count": 2, "wkv.head_size": 64}, (0, 0), 2 * 256 * (64 + 2), 0),
    "kimi-linear": ({"block_count": 4, "kda.head_dim": 128, "ssm.conv_kernel": 4, "attention.head_count_kv": [0, 0, 0, 8],
                     "attention.kv_lora_rank": 512, "rope.dimension_count": 64}, (1, 0),
                    3 * (8 * 128 * 128 + 3 * 3 * 8 * 128), 576 * 2),
    "deci": ({"block_count": 4, "attention.head_count_kv": [8, 0, 4, 0]}, (2, 0), 0, (8 + 4) * 2 * 32 * 2),
    "gemma4": ({"block_count": 4, "attention.sliding_window": 512, "attention.sliding_window_pattern": [True, True, True, False],
                "attention.head_count_kv": [8, 8, 8, 1], "attention.key_length": 512, "attention.value_length": 512,
                "attention.key_length_swa": 256, "attention.value_length_swa": 256}, (1, 3), 0, 1 * 2 * 512 * 2),
}  # fmt: skip


@pytest.mark.parametrize("family", GGUF)
def test_a_gguf_file_says_its_cache_and_its_state(family: str) -> None:
    given, layers, state, byte = GGUF[family]
    whole = {"embedding_length": 256, "attention.head_count": 8} | given
    metadata = {"general.architecture": family} | {f"{family}.{key}": value for key, value in whole.items()}
    shape = configurations.of_gguf(metadata, 1e9, 0.0, True, "x")
    assert list(shape.open) == []
    assert (shape.n_full_layer, shape.n_window_layer) == layers
    assert shape.state_byte == state * STATE_BYTE
    assert float(shape.cache.full_byte_per_token) == byte
