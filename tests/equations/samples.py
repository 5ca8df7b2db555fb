"""One sensible call of every equation: what the tests that hold for all of them are run on."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np

import analysis.equations

GB = 1e9
SAMPLES: dict[str, dict[str, Any]] = {
    "memory_wall.effective_bit_per_param": {"block_byte": 144, "block_param": 256},
    "memory_wall.byte_per_param": {"bit_per_param": 4.5},
    "memory_wall.weight_byte": {"model_param": 7e9, "byte_per_param": 2},
    "memory_wall.touched_share": {"called_share": 0.25, "batch_size": 4},
    "memory_wall.touched_expert_count": {"n_expert": 8, "n_active_expert": 2, "batch_size": 4},
    "memory_wall.active_param": {
        "shared_param": 1.6e9, "expert_param": 5.6e9, "n_expert": 8, "n_active_expert": 2, "batch_size": 4,
    },
    "memory_wall.flop_per_token": {"model_param": 7e9, "flop_per_param_per_token": 2},
    "memory_wall.attention_flop_per_token": {
        "n_layer": 32, "n_head": 32, "head_dim": 128, "context_token": 2048, "multiply_add_flop": 2,
    },
    "memory_wall.decode_intensity_flop_per_byte": {
        "byte_per_param": 2, "batch_size": 8, "flop_per_param_per_token": 2,
    },
    "memory_wall.ridge_point_flop_per_byte": {"peak_flop_per_s": 275e12, "bandwidth_byte_per_s": 1200 * GB},
    "memory_wall.attainable_flop_per_s": {
        "intensity_flop_per_byte": 8, "peak_flop_per_s": 275e12, "bandwidth_byte_per_s": 1200 * GB,
    },
    "memory_wall.compute_used_share": {
        "token_per_s": 8, "model_param": 7e9, "peak_flop_per_s": 16e12, "flop_per_param_per_token": 2,
    },
    "memory_wall.reading_token_per_s": {"reading_word_per_s": 4, "token_per_word": 2},
    "memory_wall.time_per_token_s": {"token_per_s": 8},
    "memory_wall.time_per_output_token_s": {
        "read_byte_per_token": 14 * GB, "bandwidth_byte_per_s": 100 * GB, "bandwidth_share": 0.5,
    },
    "memory_wall.decode_token_per_s": {
        "read_byte_per_token": 14 * GB, "bandwidth_byte_per_s": 100 * GB, "bandwidth_share": 0.5,
    },
    "memory_wall.largest_model_param": {
        "bandwidth_byte_per_s": 34 * GB, "token_per_s": 8, "byte_per_param": 0.5, "bandwidth_share": 0.5,
        "kv_cache_byte": 0.2 * GB,
    },
    "memory_wall.bandwidth_needed_byte_per_s": {
        "model_param": 4e9, "token_per_s": 8, "byte_per_param": 0.5, "bandwidth_share": 0.5,
        "kv_cache_byte": 0.2 * GB,
    },
    "memory_wall.speculative_step_token": {"acceptance_share": 0.8, "draft_token": 4},
    "memory_wall.speculative_speedup_ratio": {
        "acceptance_share": 0.8, "draft_token": 4, "draft_cost_ratio": 0.05,
    },
    "kv_cache.kv_cache_byte_per_token": {
        "n_layer": 32, "n_kv_head": 8, "head_dim": 128, "kv_element_byte": 2,
    },
    "kv_cache.latent_cache_byte_per_token": {
        "n_layer": 61, "latent_dim": 512, "rope_dim": 64, "kv_element_byte": 2,
    },
    "kv_cache.kv_cache_byte": {
        "kv_cache_byte_per_token": 131072, "context_token": 4096, "batch_size": 8,
    },
    "kv_cache.linear_attention_state_byte": {
        "n_layer": 30, "n_head": 32, "key_dim": 128, "value_dim": 128, "state_element_byte": 4,
        "batch_size": 2,
    },
    "kv_cache.convolution_state_byte": {
        "n_layer": 48, "n_channel": 10240, "n_position": 3, "state_element_byte": 4, "batch_size": 4,
    },
    "kv_cache.mixed_kv_cache_byte": {
        "context_token": 8192, "full_kv_byte_per_token": 16384, "window_kv_byte_per_token": 81920, "window_token": 1024,
        "state_byte": 26345472, "batch_size": 2,
    },
    "growth.fitted_growth_ratio": {
        "year": [2012.0, 2017.5, 2022.0], "value": [3.0, 20.0, 90.0], "period_year": 2,
    },
    "growth.growth_spread_ratio": {
        "year": np.array([2012.0, 2017.5, 2022.0]), "value": np.array([3.0, 20.0, 90.0]), "quantile_count": 4.3, "period_year": 2,
    },
    "growth.growth_ratio": {"start_value": 3, "end_value": 9, "elapsed_year": 5, "period_year": 2},
    "growth.compound_growth_ratio": {"growth_ratio": 3, "horizon_year": 20, "period_year": 2},
    "growth.doubling_time_year": {"growth_ratio": 3, "period_year": 2},
    "sram_density.macro_density_bit_per_mm2": {
        "bitcell_area_mm2": 0.021e-6, "array_efficiency_share": 0.7, "cell_capacity_bit": 1,
    },
    "sram_density.array_efficiency_share": {
        "macro_density_bit_per_mm2": 33e6, "bitcell_area_mm2": 0.021e-6, "cell_capacity_bit": 1,
    },
    "sram_density.sram_capacity_byte": {"area_mm2": 100, "macro_density_bit_per_mm2": 33e6},
    "sram_density.sram_area_mm2": {"capacity_byte": 14 * GB, "macro_density_bit_per_mm2": 33e6},
    "sram_density.die_count": {"needed_area_mm2": 2229, "die_area_mm2": 104},
    "sram_density.sram_byte_per_mm2": {"sram_byte": 60e6, "die_area_mm2": 104},
    "sram_density.cached_share": {"cache_byte": 32e6, "weight_byte": 14 * GB},
    "dram_capacity.usable_byte": {"capacity_byte": 16 * GB, "reserve_byte": 4 * GB, "limit_share": 0.9},
    "dram_capacity.footprint_byte": {
        "weight_byte": 4 * GB, "kv_cache_byte": 1 * GB, "overhead_byte": 0.5 * GB,
    },
    "dram_capacity.headroom_byte": {"footprint_byte": 5 * GB, "usable_byte": 12 * GB},
    "dram_capacity.fit_grade": {
        "footprint_byte": 5 * GB, "usable_byte": 12 * GB, "usable_low_byte": 10 * GB, "usable_high_byte": 13 * GB,
        "spare_share": 0.1,
    },
    "dram_capacity.largest_model_param": {
        "usable_byte": 12 * GB, "byte_per_param": 0.5, "kv_cache_byte": 1 * GB,
    },
    "dram_capacity.largest_context_token": {
        "usable_byte": 12 * GB, "kv_cache_byte_per_token": 131072, "weight_byte": 4 * GB, "batch_size": 2,
    },
    "dram_capacity.device_count": {"footprint_byte": 70 * GB, "usable_byte": 16 * GB},
    "dram_capacity.at_least_share": {
        "bucket_byte": [0, 8 * GB, 16 * GB, 32 * GB], "bucket_share": [0.1, 0.3, 0.4, 0.2],
        "threshold_byte": 12 * GB,
    },
    "dram_capacity.smaller_size_share": {
        "mean_byte": 10.5 * GB, "smaller_byte": 8 * GB, "larger_byte": 16 * GB,
    },
    "dram_capacity.price_usd_per_byte": {"price_usd": 30, "capacity_byte": 16 * GB},
    "dram_capacity.price_ratio": {"price_usd_per_byte": 12 / GB, "reference_usd_per_byte": 3 / GB},
    "storage_io.pinned_miss_share": {"resident_byte": 4 * GB, "weight_byte": 14 * GB},
    "storage_io.storage_byte_per_token": {"weight_byte": 14 * GB, "active_share": 0.1, "miss_share": 0.3},
    "storage_io.time_per_output_token_s": {
        "storage_byte_per_token": 1.6 * GB, "io_byte_per_s": 7 * GB, "io_share": 0.8,
    },
    "storage_io.streamed_token_per_s": {
        "storage_byte_per_token": 1.6 * GB, "io_byte_per_s": 7 * GB, "io_share": 0.8,
    },
    "storage_io.two_tier_time_per_output_token_s": {
        "storage_byte_per_token": 1.6 * GB, "io_byte_per_s": 7 * GB, "memory_byte_per_token": 5 * GB,
        "bandwidth_byte_per_s": 100 * GB,
    },
    "storage_io.largest_model_param": {
        "io_byte_per_s": 7 * GB, "token_per_s": 8, "byte_per_param": 0.5, "io_share": 0.8,
        "active_share": 0.1,
        "miss_share": 0.3,
    },
    "storage_io.io_needed_byte_per_s": {"storage_byte_per_token": 1.6 * GB, "token_per_s": 8},
    "storage_io.waiting_time_s": {"text_word": 0.5, "token_per_word": 2, "time_per_output_token_s": 7},
    "server_batching.memory_time_s": {
        "read_byte": 1080 * GB, "bandwidth_byte_per_s": 1200 * GB, "n_chip": 64, "mbu_share": 0.8,
    },
    "server_batching.compute_time_s": {
        "step_token": 256, "model_param": 540e9, "peak_flop_per_s": 275e12, "n_chip": 64, "mfu_share": 0.6,
        "flop_per_param_per_token": 2,
    },
    "server_batching.overlapped_step_time_s": {
        "weight_time_s": 0.014, "compute_time_s": 0.016, "kv_time_s": 0.001, "overhead_s": 0.02,
    },
    "server_batching.serial_step_time_s": {
        "weight_time_s": 0.014, "compute_time_s": 0.016, "kv_time_s": 0.001, "overhead_s": 0.02,
    },
    "server_batching.two_constant_step_time_s": {
        "read_byte": 15 * GB, "bandwidth_byte_per_s": 3350 * GB, "n_layer": 32, "overhead_s_per_layer": 38e-6, "bandwidth_share": 0.87,
    },
    "server_batching.pipelined_time_s": {"stage_time_s": 0.01, "n_stage": 3, "n_microbatch": 4},
    "server_batching.exchange_time_s": {
        "step_token": 256, "n_layer": 105, "model_dim": 20480, "activation_element_byte": 2, "link_byte_per_s": 150 * GB,
        "n_chip": 16,
    },
    "server_batching.request_time_s": {"output_token": 20, "prefill_time_s": 2.041, "step_time_s": 0.0557},
    "server_batching.ridge_batch_size": {
        "peak_flop_per_s": 275e12, "bandwidth_byte_per_s": 1200 * GB, "byte_per_param": 2,
        "unshared_byte_per_param": 0.002, "flop_per_param_per_token": 2,
    },
    "server_batching.half_gain_batch_size": {
        "ridge_batch_size": 295, "bandwidth_byte_per_s": 3350 * GB, "faster_bandwidth_byte_per_s": 4800 * GB,
    },
    "server_batching.mfu_share": {
        "processed_token": 20480, "time_s": 3.155, "model_param": 540e9, "peak_flop_per_s": 275e12,
        "n_chip": 64,
        "flop_per_param_per_token": 2,
    },
    "server_batching.mbu_share": {
        "read_byte": 14 * GB, "time_s": 0.014, "bandwidth_byte_per_s": 2000 * GB, "n_chip": 2,
    },
    "server_batching.throughput_token_per_s": {"step_time_s": 0.0557, "batch_size": 256},
    "server_batching.chip_time_per_token_s": {"step_time_s": 0.0557, "batch_size": 256, "n_chip": 64},
    "server_batching.read_energy_j_per_bit": {"step_energy_j": 2.9, "read_byte": 15 * GB, "idle_energy_j": 0.78},
    "server_batching.memory_cost_ratio": {"price_ratio": 4, "batch_size": 256, "kv_to_weight_ratio": 0.07},
    "server_batching.memory_cost_share": {"memory_usd": 1350, "total_usd": 3320},
    "time_to_first_token.prefill_roof_s": {
        "prompt_token": 2048, "model_param": 8e9, "weight_byte": 4.9 * GB, "peak_flop_per_s": 1e14,
        "bandwidth_byte_per_s": 1008 * GB, "flop_per_param_per_token": 2,
    },
    "time_to_first_token.new_prompt_token": {"prompt_token": 12035, "reused_share": 0.37},
    "time_to_first_token.energy_j_per_token": {
        "read_byte_per_token": 16 * GB, "flop_per_token": 16e9, "reading_j_per_bit": 2e-11, "computing_j_per_flop": 1.4e-12,
    },
    "time_to_first_token.turn_energy_j": {
        "prompt_token": 12035, "output_token": 343, "prompt_j_per_token": 0.02, "answer_j_per_token": 2.9,
    },
    "time_to_first_token.battery_token": {"battery_j": 50e3, "energy_j_per_token": 0.7},
    "time_to_first_token.agents_at_speed_count": {
        "token_per_s": 10, "weight_byte": 4.9 * GB, "cache_byte": 1.6 * GB, "bandwidth_byte_per_s": 1008 * GB, "model_param": 8e9,
        "peak_flop_per_s": 1e14,
    },
    "time_to_first_token.agents_at_first_token_count": {
        "first_token_s": 2, "prompt_token": 4500, "model_param": 8e9, "peak_flop_per_s": 1e14, "flop_per_param_per_token": 2,
    },
    "validation.aging_ratio": {"decline_share_per_year": 0.07, "introduced_year": 2020, "reference_year": 2024},
    "validation.overhead_s_per_layer": {
        "launch_s_per_layer": 4e-5, "aging_ratio": 1.3, "width_s_per_layer": 6e-5, "bandwidth_byte_per_s": 800 * GB,
        "reference_bandwidth_byte_per_s": 400 * GB, "ageless_s_per_layer": 1e-5, "routing_s_per_layer": 5e-5,
    },
    "validation.useful_bandwidth_byte_per_s": {
        "bandwidth_byte_per_s": 800 * GB, "read_byte": 0.2 * GB, "width_s": 2e-3, "reference_bandwidth_byte_per_s": 400 * GB,
        "bandwidth_share": 0.87,
    },
    "validation.unpacking_time_s": {"weight_param": 1e9, "op_per_param": 3, "op_per_s": 1e11},
    "validation.dequantised_byte": {"weight_byte": 4 * GB, "bit_per_param": 4.5, "unpacking_bit_per_param": 0.5},
    "validation.reached_byte_per_s": {
        "bandwidth_byte_per_s": 400 * GB, "bandwidth_share": 0.87, "ceiling_byte_per_s": 110 * GB,
    },
    "validation.decode_step_time_s": {
        "read_byte": 4 * GB, "reached_byte_per_s": 87 * GB, "n_layer": 32, "overhead_s_per_layer": 1e-4,
        "kv_cache_byte": 0.5 * GB, "kv_cost_ratio": 1.3, "unpacking_time_s": 0.04,
    },
    "validation.typical_layer": {
        "model_param": 3e9, "reference_param": 7e9, "reference_layer": 32, "growth_ratio": 0.3,
    },
    "validation.speed_error_ratio": {"predicted_token_per_s": 20, "measured_token_per_s": 24},
    "validation.interval_end_ratio": {
        "speed_ratio": np.array([0.8, 0.9, 1.0, 1.1, 1.3]), "weight_count": np.array([1.0, 0.5, 1, 1, 0.5]), "tail_share": 0.9,
    },
}  # fmt: skip

HELPERS = {"constants", "elementary", "ranges"}
"""Modules of the package that hold no equations."""

REDUCING = {
    "growth.fitted_growth_ratio",
    "growth.growth_spread_ratio",
    "dram_capacity.at_least_share",
    "validation.interval_end_ratio",
}
"""Equations that make one number out of a series."""


def public_equations() -> dict[str, Callable[..., Any]]:
    """Return every public function of the package, by module and name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(analysis.equations.__path__):
        if module.name in HELPERS:
            continue
        members = vars(importlib.import_module(f"analysis.equations.{module.name}"))
        for name, value in members.items():
            own = inspect.isfunction(value) and value.__module__.endswith(f".{module.name}")
            if own and not name.startswith("_"):
                found[f"{module.name}.{name}"] = value
    return found


EQUATIONS = public_equations()
ELEMENTWISE = sorted(SAMPLES.keys() - REDUCING)
