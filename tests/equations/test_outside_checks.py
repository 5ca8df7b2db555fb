"""Worked numbers of other people, reproduced one by one: outside_checks.csv names the source of each."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.equations import dram_capacity as dram
from analysis.equations import growth, kv_cache, storage_io
from analysis.equations import memory_wall as wall
from analysis.equations import server_batching as server
from analysis.equations import sram_density as sram
from analysis.equations import time_to_first_token as wait

with (Path(__file__).parent / "outside_checks.csv").open(encoding="utf-8", newline="") as file:
    CHECKS = {row["check_id"]: row for row in csv.DictReader(file)}

TO_BASE = {"ms": 1e-3, "h": 3600, "MiB": 2**20, "Mib/mm2": 2**20}
V5E = {"peak_flop_per_s": 1.97e14, "bandwidth_byte_per_s": 8.1e11}


def llama2_13b_step_s(batch: int, kv_byte: float = 6.7e9) -> float:
    """Decode step of Llama-2-13B on eight v5e."""
    return float(server.memory_time_s(26e9 + batch * kv_byte, 8.2e11, n_chip=8))


def llama2_13b_rate(batch: int, kv_byte: float = 6.7e9) -> float:
    return float(server.throughput_token_per_s(llama2_13b_step_s(batch, kv_byte), batch_size=batch))


def weight_pass_s(model_param: float, n_chip: int = 1) -> float:
    """Time an A100 takes to read FP16 weights once."""
    return float(server.memory_time_s(wall.weight_byte(model_param, 2), 1.5e12, n_chip=n_chip))


def v5e_count(bit: float) -> float:
    return float(dram.device_count(wall.weight_byte(70e9, wall.byte_per_param(bit)), 16e9))


def ggml(block_byte: int, block_param: int) -> Callable[[], float]:
    return lambda: float(wall.effective_bit_per_param(block_byte, block_param))


def full_over_windowed() -> float:
    layer = kv_cache.kv_cache_byte_per_token(n_layer=1, n_kv_head=8, head_dim=128, kv_element_byte=2)
    windowed = kv_cache.mixed_kv_cache_byte(
        32768, full_kv_byte_per_token=0, window_kv_byte_per_token=32 * layer, window_token=4096
    )
    full = kv_cache.mixed_kv_cache_byte(32768, full_kv_byte_per_token=32 * layer)
    return float(full / windowed)


def mixtral_active() -> float:
    expert = 32 * 3 * 4096 * 14336
    return float(wall.active_param(46.7e9 - 8 * expert, expert_param=expert, n_expert=8, n_active_expert=2))


def palm_with_over_without_attention() -> float:
    attention = wall.attention_flop_per_token(n_layer=118, n_head=48, head_dim=256, context_token=2048)
    return float(1 + attention / wall.flop_per_token(540e9))


def n3b_density() -> float:
    overhead = sram.array_efficiency_share(31.8 * 2**20, 0.021e-6)
    return float(sram.macro_density_bit_per_mm2(0.0199e-6, array_efficiency_share=overhead))


def half_word_s(byte_per_param: float, io_byte_per_s: float, token_per_word: float) -> float:
    byte = storage_io.storage_byte_per_token(wall.weight_byte(7e9, byte_per_param))
    time = storage_io.time_per_output_token_s(byte, io_byte_per_s)
    return float(storage_io.waiting_time_s(0.5, token_per_word=token_per_word, time_per_output_token_s=time))


def reading(word_per_min: float) -> float:
    return float(wall.reading_token_per_s(word_per_min / 60, 2))


def iphone_14(byte_per_param: float) -> float:
    return float(
        wall.largest_model_param(34.1e9, token_per_s=reading(250), byte_per_param=byte_per_param, bandwidth_share=0.5)
    )


def kv(n_layer: int, n_kv_head: int, head_dim: int, kv_element_byte: float = 2, context: float = 1) -> float:
    byte = kv_cache.kv_cache_byte_per_token(
        n_layer=n_layer, n_kv_head=n_kv_head, head_dim=head_dim, kv_element_byte=kv_element_byte
    )
    return float(kv_cache.kv_cache_byte(byte, context))


def qwen36_state() -> float:
    """State of one sequence: linear attention and the convolutions beside it."""
    linear = kv_cache.linear_attention_state_byte(
        n_layer=48, n_head=48, key_dim=128, value_dim=128, state_element_byte=4
    )
    return float(
        linear + kv_cache.convolution_state_byte(n_layer=48, n_channel=10240, n_position=3, state_element_byte=4)
    )


COMPUTED: dict[str, Callable[[], object]] = {
    # Austin et al., How To Scale Your Model
    "sb02": lambda: server.ridge_batch_size(1.97e14, 8.2e11, byte_per_param=1),
    "sb04": lambda: server.ridge_batch_size(1e15, 3.35e12, byte_per_param=2),
    "sb06": lambda: (
        max(
            server.memory_time_s(30e9, 8.1e11, n_chip=16),
            server.compute_time_s(256, model_param=30e9, peak_flop_per_s=1.97e14, n_chip=16),
        )
        + server.memory_time_s(kv_cache.kv_cache_byte(100e3, 8192, batch_size=256), 8.1e11, n_chip=16)
    ),
    "sb07": lambda: kv(40, 40, 128, context=8192),
    "sb10-b1": lambda: llama2_13b_rate(1),
    "sb09-b8": lambda: llama2_13b_step_s(8),
    "sb10-b16": lambda: llama2_13b_rate(16),
    "sb10-b32": lambda: llama2_13b_rate(32),
    "sb09-b240": lambda: llama2_13b_step_s(240),
    "sb10-b240": lambda: llama2_13b_rate(240),
    "sb12-b8": lambda: llama2_13b_rate(8, 1.34e9),
    "sb11-b32": lambda: llama2_13b_step_s(32, 1.34e9),
    "sb12-b32": lambda: llama2_13b_rate(32, 1.34e9),
    "sb11-b240": lambda: llama2_13b_step_s(240, 1.34e9),
    "sb12-b240": lambda: llama2_13b_rate(240, 1.34e9),
    "sb14": lambda: kv(80, 8, 128, 1),
    "sb17": lambda: server.memory_time_s(70e9 + kv_cache.kv_cache_byte(163840, 8192, batch_size=32), 8.1e11, n_chip=8),
    "sb19": lambda: 1 / server.chip_time_per_token_s(0.017, batch_size=32, n_chip=8),
    "sb21": lambda: v5e_count(16),
    "sb22": lambda: v5e_count(8),
    "sb23": lambda: v5e_count(4),
    "sb24": lambda: server.compute_time_s(8192, model_param=70e9, peak_flop_per_s=1.97e14, n_chip=16, mfu_share=0.4),
    "sb25": lambda: server.memory_time_s(16e9, 8.1e11),
    "sb27": lambda: server.ridge_batch_size(
        2 * 1.97e14, 8.1e11, byte_per_param=1, unshared_byte_per_param=(16384 + 4096) / (16384 * 4096)
    ),
    "sb30": lambda: server.memory_time_s(wall.weight_byte(200e9, 2), 1.23e12, n_chip=32),
    "trt-gh200-7b": lambda: server.two_constant_step_time_s(
        wall.weight_byte(6.7384e9 - 32000 * 4096, 2) + kv(32, 32, 128, context=192),
        4.0e12,
        n_layer=32,
        overhead_s_per_layer=38e-6,
        bandwidth_share=0.87,
    ),
    "scaling-book-ridge": lambda: wall.ridge_point_flop_per_byte(1.97e14, 8.2e11),
    # kipply, Transformer Inference Arithmetic
    "kp01": lambda: wall.flop_per_token(2 * 64 * 8192**2),
    "kp03": lambda: weight_pass_s(52e9),
    "kp04": lambda: kv(64, 64, 128),
    "kp05": lambda: dram.largest_context_token(120e9, weight_byte=104e9, kv_cache_byte_per_token=2097152),
    "kp06": lambda: weight_pass_s(12 * 40 * 5120**2),
    "kp08": lambda: weight_pass_s(260e9, n_chip=16),
    # block layouts of ggml
    "gg-bpw-q4-1": ggml(20, 32),
    "gg-bpw-q5-1": ggml(24, 32),
    "gg-bpw-q4-k": ggml(144, 256),
    "gg-bpw-q8-k": ggml(292, 256),
    "gg-bpw-iq3-xxs": ggml(98, 256),
    "gg-bpw-iq4-nl": ggml(18, 32),
    "gg-bpw-iq2-s": ggml(82, 256),
    "gg-bpw-iq4-xs": ggml(136, 256),
    "gg-bpw-iq1-m": ggml(56, 256),
    "gg-bpw-tq2-0": ggml(66, 256),
    "gg-bpw-mxfp4": ggml(17, 32),
    # KV caches, active parameters
    "ll02": lambda: kv(1, 8, 128),
    "ll03": lambda: kv(32, 32, 128, context=4096),
    "deepseek-v3": lambda: kv_cache.latent_cache_byte_per_token(
        n_layer=61, latent_dim=512, rope_dim=64, kv_element_byte=2
    ),
    "qwen25-72b": lambda: kv(80, 8, 128),
    "llama31-405b": lambda: kv(126, 8, 128),
    "vllm-opt13b": lambda: kv(40, 40, 128),
    "mistral-window": full_over_windowed,
    "mixtral-active": mixtral_active,
    "qwen35-kv-q8": lambda: kv(10, 2, 256, 34 / 32, context=128000),
    "qwen35-state": lambda: kv_cache.linear_attention_state_byte(
        n_layer=30, n_head=32, key_dim=128, value_dim=128, state_element_byte=4
    ),
    "qwen36-state": lambda: kv_cache.mixed_kv_cache_byte(
        0, full_kv_byte_per_token=0, state_byte=qwen36_state(), batch_size=4
    ),
    # utilization, traffic, capacity
    "palm-attention": palm_with_over_without_attention,
    "databricks-mbu": lambda: server.mbu_share(wall.weight_byte(7e9, 2), 0.014, bandwidth_byte_per_s=2e12),
    "gz02": lambda: server.memory_time_s(wall.weight_byte(3 * 4096**2 + 4 * 4096, 2), 1200e9, mbu_share=0.8),
    "rm01": lambda: dram.usable_byte(16 * 2**30),
    # speculative decoding, growth
    **{
        f"leviathan-a{round(100 * a)}-k{k}": lambda a=a, k=k: wall.speculative_speedup_ratio(a, k)  # type: ignore[misc]
        for a, k in [(0.6, 2), (0.7, 3), (0.8, 2), (0.8, 5), (0.9, 2), (0.9, 10)]
    },
    "gholami-flops": lambda: growth.compound_growth_ratio(3.0, horizon_year=20, period_year=2),
    "gholami-interconnect": lambda: growth.compound_growth_ratio(1.4, horizon_year=20, period_year=2),
    "gholami-bandwidth": lambda: growth.compound_growth_ratio(1.6, horizon_year=20, period_year=2),
    # silicon
    "wikichip-n3b": n3b_density,
    "cerebras-70b": lambda: math.ceil(dram.device_count(wall.weight_byte(70e9, 2), 44e9)),
    # storage
    "flash-moe-token": lambda: storage_io.storage_byte_per_token(209e9, active_share=4 / 512),
    # SemiAnalysis, 13 May 2023
    "article-reading-rate": lambda: reading(250),
    "article-reading-time": lambda: wall.time_per_token_s(reading(250)),
    "article-fast-reading-rate": lambda: reading(1000),
    "article-fast-reading-time": lambda: wall.time_per_token_s(reading(1000)),
    "article-iphone-14-fp16": lambda: iphone_14(2),
    "article-iphone-14-int4": lambda: iphone_14(0.5),
    "article-llama-7b-fp16": lambda: wall.weight_byte(7e9, wall.byte_per_param(16)),
    "article-io-14gb": lambda: storage_io.io_needed_byte_per_s(14e9, 1),
    "article-ssd-2b-int4": lambda: storage_io.largest_model_param(1e9, token_per_s=1, byte_per_param=0.5),
    "article-seven-seconds-a": lambda: half_word_s(1, 1e9, 2),
    "article-seven-seconds-b": lambda: half_word_s(2, 2e9, 2),
    "article-seven-seconds-c": lambda: half_word_s(2, 1e9, 1),
    "article-seven-seconds-d": lambda: half_word_s(2, 1e9, 2),
    "article-sram-100mm2": lambda: sram.sram_capacity_byte(100, sram.macro_density_bit_per_mm2(0.021e-6)),
    "article-memory-cost": lambda: server.memory_cost_ratio(4, batch_size=256),
    # waiting
    "sb24-roof": lambda: wait.prefill_roof_s(
        8192, model_param=70e9, weight_byte=70e9, peak_flop_per_s=0.4 * 16 * 1.97e14, bandwidth_byte_per_s=16 * 8.1e11
    ),
    "sb24-agents": lambda: wait.agents_at_first_token_count(
        0.91, prompt_token=8192, model_param=70e9, peak_flop_per_s=0.4 * 16 * 1.97e14
    ),
    "sb09-b8-agents": lambda: wait.agents_at_speed_count(
        1 / 0.01213,
        weight_byte=26e9,
        cache_byte=6.7e9,
        bandwidth_byte_per_s=8 * 8.2e11,
        model_param=13e9,
        peak_flop_per_s=8 * 1.97e14,
    ),
    "xai-cached": lambda: wait.new_prompt_token(125, reused_share=98 / 125),
    "mobilellm-350m": lambda: wait.energy_j_per_token(
        0.35e9, 0, reading_j_per_bit=server.read_energy_j_per_bit(0.7, read_byte=7e9), computing_j_per_flop=0
    ),
    "mobilellm-battery": lambda: wait.battery_token(50e3, 0.7) / 10,
    "iphone-17-battery": lambda: wait.battery_token(16.5 * 3600, 0.05 * 16.5 * 3600 / 12288),
}


def test_every_check_is_computed() -> None:
    assert COMPUTED.keys() == CHECKS.keys()


@pytest.mark.parametrize("check_id", sorted(CHECKS))
def test_number_of_somebody_else(check_id: str) -> None:
    row = CHECKS[check_id]
    expected = float(row["expected"]) * TO_BASE.get(row["unit"], 1)
    tolerance = float(row["tolerance_percent"]) / 100
    assert COMPUTED[check_id]() == pytest.approx(expected, rel=max(tolerance, 1e-9), abs=0), row["statement"]


@pytest.mark.parametrize("check_id", sorted(c for c, row in CHECKS.items() if row["kind"] == "known_mistake"))
def test_mistake_of_another_tool_is_not_repeated(check_id: str) -> None:
    row = CHECKS[check_id]
    wrong = float(row["wrong"]) * TO_BASE.get(row["unit"], 1)
    assert COMPUTED[check_id]() != pytest.approx(wrong, rel=0.01, abs=0), row["statement"]
