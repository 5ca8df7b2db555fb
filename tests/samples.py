"""Small files in the true shape of those that other programs write; names and numbers in them are made up or plain facts."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

BENCH_HEADER = [
    "build_commit", "build_number", "cpu_info", "gpu_info", "backends", "model_filename", "model_type", "model_size", "model_n_params",
    "n_batch", "n_ubatch", "n_threads", "cpu_mask", "cpu_strict", "poll", "type_k", "type_v", "n_gpu_layers", "n_cpu_moe", "split_mode",
    "main_gpu", "no_kv_offload", "flash_attn", "devices", "tensor_split", "tensor_buft_overrides", "use_mmap", "use_direct_io",
    "embeddings", "no_op_offload", "no_host", "fit_target", "fit_min_ctx", "n_prompt", "n_gen", "n_depth", "test_time", "avg_ns",
    "stddev_ns", "avg_ts", "stddev_ts",
]  # fmt: skip
BENCH_RUN: dict[str, Any] = dict.fromkeys(BENCH_HEADER, 0) | {
    "build_commit": "a1b2c3d4", "build_number": 6100, "cpu_info": "AMD Ryzen 9 7950X 16-Core Processor",
    "gpu_info": "NVIDIA GeForce RTX 3090", "backends": "CUDA", "model_filename": "/models/Qwen3-8B-Q4_K_M.gguf",
    "model_type": "qwen3 8B Q4_K - Medium", "model_size": 5021779968, "model_n_params": 8190735360, "n_batch": 2048, "n_ubatch": 512,
    "n_threads": 16, "cpu_mask": "0x0", "cpu_strict": False, "poll": 50, "type_k": "f16", "type_v": "f16", "n_gpu_layers": 99,
    "split_mode": "layer", "no_kv_offload": False, "flash_attn": True, "devices": "auto", "tensor_split": "0.00",
    "tensor_buft_overrides": "none", "use_mmap": True, "n_gen": 128, "test_time": "2026-05-20T18:44:36Z", "avg_ns": 1053497942,
    "avg_ts": 121.5, "stddev_ts": 0.4,
}  # fmt: skip


def bench_csv(*changes: dict[str, Any]) -> str:
    """``llama-bench -o csv``: every cell in quotation marks, truth values as 0 and 1."""
    rows = [BENCH_HEADER, *([_as_text((BENCH_RUN | change)[name]) for name in BENCH_HEADER] for change in changes)]
    return "".join(",".join(f'"{cell}"' if place else cell for cell in row) + "\n" for place, row in enumerate(rows))


def _as_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def bench_json(*changes: dict[str, Any]) -> str:
    """``llama-bench -o json``: numbers as numbers, and the single repetitions as lists."""
    samples = {"samples_ns": [1053497942, 1053497000], "samples_ts": [121.4, 121.6]}
    return json.dumps([BENCH_RUN | change | samples for change in changes], indent=2)


def bench_jsonl(*changes: dict[str, Any]) -> str:
    """``llama-bench -o jsonl``: one object a line."""
    return "".join(json.dumps(BENCH_RUN | change | {"samples_ts": [121.4]}) + "\n" for change in changes)


BENCH_LOG = (
    "ggml_cuda_init: found 1 CUDA devices:\n  Device 0: NVIDIA GeForce RTX 3090, compute capability 8.6, VMM: yes\n"
)
BENCH_MARKDOWN = """\
| model                          |       size |     params | backend    | ngl | fa |            test |                  t/s |
| ------------------------------ | ---------: | ---------: | ---------- | --: | -: | --------------: | -------------------: |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 |  1 |           pp512 |      4100.52 ± 30.12 |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 |  1 |           tg128 |        121.50 ± 0.40 |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 |  1 |   tg128 @ d4096 |        110.20 ± 0.30 |

build: a1b2c3d4 (6100)
"""
BENCH_SQL = """\
CREATE TABLE IF NOT EXISTS llama_bench (
  build_commit TEXT,
  avg_ts REAL
);

INSERT INTO llama_bench (build_commit, avg_ts) VALUES ('a1b2c3d4', '121.5');
"""

QWEN3_8B: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 12288,
    "max_position_embeddings": 40960, "max_window_layers": 36, "num_attention_heads": 32, "num_hidden_layers": 36,
    "num_key_value_heads": 8, "sliding_window": None, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "use_sliding_window": False, "vocab_size": 151936,
}  # fmt: skip
MIXTRAL: dict[str, Any] = {
    "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None, "vocab_size": 32000,
    "max_position_embeddings": 32768, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
DEEPSEEK_V3: dict[str, Any] = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
    "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1,
    "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "vocab_size": 129280, "tie_word_embeddings": False, "max_position_embeddings": 163840,
    "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
}  # fmt: skip
GEMMA_3_12B: dict[str, Any] = {
    "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "torch_dtype": "bfloat16",
    "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27},
    "text_config": {
        "model_type": "gemma3_text", "hidden_size": 3840, "intermediate_size": 15360, "num_attention_heads": 16, "num_hidden_layers": 48,
        "num_key_value_heads": 8, "head_dim": 256, "sliding_window": 1024, "sliding_window_pattern": 6, "vocab_size": 262144,
        "max_position_embeddings": 131072,
    },
}  # fmt: skip
QWEN3_NEXT: dict[str, Any] = {
    "model_type": "qwen3_next", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 16, "num_key_value_heads": 2,
    "head_dim": 256, "intermediate_size": 5120, "vocab_size": 151936, "linear_num_key_heads": 16, "linear_num_value_heads": 32,
    "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "full_attention_interval": 4,
    "num_experts": 512, "num_experts_per_tok": 10, "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512,
    "decoder_sparse_step": 1, "mlp_only_layers": [], "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip

EPOCH_CSV = """\
Hardware name,Manufacturer,Type,Release date,Release price (USD),Tensor-FP16/BF16 performance (FLOP/s),Memory (bytes),\
Memory bandwidth (byte/s),TDP (W)
NVIDIA L40S,NVIDIA,GPU,2023-08-08,,362050000000000.0,48000000000.0,864000000000.0,350.0
Google TPU v5e,Google,TPU,2023-08-29,,197000000000000.0,16000000000.0,819000000000.0,
NVIDIA Tesla P4,NVIDIA,GPU,2016-09-13,,,8000000000.0,,75
AMD Radeon PRO W7900,AMD,GPU,2023-04-13,3999.0,1.226e+14,4.8e+10,8.64e+11,295
"""

KINDS = {int: (4, "<I"), float: (6, "<f"), bool: (7, "<?")}


def gguf(
    metadata: dict[str, Any], tensors: Sequence[tuple[str, tuple[int, ...], int, int]], version: int = 3, data: int = 0
) -> bytes:
    """A GGUF file: metadata, tensors as (name, dimensions, type, bytes), and so many bytes of weights."""
    body = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        body += _text(key) + _value(value)
    offset = 0
    for name, dimensions, kind, byte in tensors:
        body += _text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)
        offset += byte
    return body + b"\0" * (-len(body) % 32) + b"\0" * data


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        inner = 8 if isinstance(value[0], str) else KINDS[type(value[0])][0]
        parts = (_text(one) if inner == 8 else struct.pack(KINDS[type(one)][1], one) for one in value)
        return struct.pack("<IIQ", 9, inner, len(value)) + b"".join(parts)
    kind, code = KINDS[type(value)]
    return struct.pack("<I", kind) + struct.pack(code, value)


GGUF_LLAMA: dict[str, Any] = {
    "general.architecture": "llama", "general.name": "Tiny Llama", "general.file_type": 15, "llama.block_count": 2,
    "llama.embedding_length": 256, "llama.feed_forward_length": 512, "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2, "llama.context_length": 2048, "llama.vocab_size": 1000, "llama.rope.dimension_count": 64,
    "tokenizer.ggml.tokens": ["a", "b", "ü"],
}  # fmt: skip
GGUF_TENSORS = [
    ("token_embd.weight", (256, 1000), 12, 144_000), ("blk.0.ffn_up.weight", (256, 512), 12, 73_728),
    ("output.weight", (256, 1000), 14, 210_016),
]  # fmt: skip
