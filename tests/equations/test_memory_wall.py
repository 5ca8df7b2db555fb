"""Limits of the bandwidth wall: roofline, reading speed, experts, drafts."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.equations import memory_wall as wall

PEAK, BANDWIDTH = 275e12, 1.2e12


def test_attainable_compute_is_bandwidth_bound_left_of_the_ridge_and_peak_right_of_it() -> None:
    ridge = wall.ridge_point_flop_per_byte(PEAK, BANDWIDTH)
    intensity = np.array([ridge / 100, ridge, ridge * 100])
    attainable = wall.attainable_flop_per_s(intensity, peak_flop_per_s=PEAK, bandwidth_byte_per_s=BANDWIDTH)
    np.testing.assert_allclose(attainable, [PEAK / 100, PEAK, PEAK])


def test_fp16_decoding_at_batch_one_does_one_operation_per_byte() -> None:
    assert wall.decode_intensity_flop_per_byte(2) == 1
    assert wall.decode_intensity_flop_per_byte(0.5) == 4
    assert wall.decode_intensity_flop_per_byte(2, batch_size=256) == 256


def test_intensity_is_operations_over_bytes() -> None:
    flop, byte = wall.flop_per_token(7e9), wall.weight_byte(7e9, 0.5)
    assert wall.decode_intensity_flop_per_byte(0.5) == pytest.approx(flop / byte)


def test_reading_speed_uses_under_one_percent_of_a_phone_accelerator() -> None:
    # 7B at 8.33 token/s on the 15.8 TOPS of an A15: 117 GFLOP/s
    share = wall.compute_used_share(250 / 60 * 2, model_param=7e9, peak_flop_per_s=15.8e12)
    assert share == pytest.approx(0.0074, rel=0.01)


def test_largest_model_runs_exactly_at_the_rate_asked_for() -> None:
    largest = wall.largest_model_param(34.1e9, token_per_s=8.33, byte_per_param=0.5, bandwidth_share=0.5)
    rate = wall.decode_token_per_s(wall.weight_byte(largest, 0.5), 34.1e9, bandwidth_share=0.5)
    assert rate == pytest.approx(8.33)


def test_bandwidth_needed_is_the_inverse_of_the_largest_model() -> None:
    common = {"token_per_s": 8.33, "byte_per_param": 0.5, "bandwidth_share": 0.5, "kv_cache_byte": 0.3e9}
    largest = wall.largest_model_param(51.2e9, **common)
    assert wall.bandwidth_needed_byte_per_s(largest, **common) == pytest.approx(51.2e9)


def test_a_cache_that_eats_all_bandwidth_leaves_no_model() -> None:
    assert wall.largest_model_param(10e9, token_per_s=10, byte_per_param=2, kv_cache_byte=2e9) == 0


def test_time_per_output_token_tends_to_zero_with_bandwidth() -> None:
    assert wall.time_per_output_token_s(14e9, np.inf) == 0


def test_one_token_calls_k_experts_and_a_large_batch_all_of_them() -> None:
    assert wall.touched_expert_count(128, 8) == pytest.approx(8)
    assert wall.touched_expert_count(128, 8, batch_size=1e6) == pytest.approx(128)
    assert wall.touched_expert_count(8, 8, batch_size=3) == 8
    assert wall.touched_share(0.5, batch_size=3) == 7 / 8


def test_more_active_than_existing_experts_are_refused() -> None:
    with pytest.raises(ValueError, match="n_active_expert must be at most n_expert, found 9 with n_expert 8"):
        wall.touched_expert_count(8, np.array([2, 9]))


def test_a_draft_never_accepted_yields_one_token_and_a_perfect_one_all() -> None:
    assert wall.speculative_step_token(0, 4) == 1
    assert wall.speculative_step_token(1, 4) == 5
    assert wall.speculative_step_token(1 - 1e-9, 4) == pytest.approx(5)
    assert wall.speculative_step_token(0.8, 0) == pytest.approx(1)
    assert wall.speculative_step_token(0.8, np.inf) == pytest.approx(1 / (1 - 0.8))


def test_a_draft_as_slow_as_the_model_never_pays() -> None:
    assert np.all(wall.speculative_speedup_ratio(np.linspace(0, 1, 11), 4, draft_cost_ratio=1) <= 1)


def test_attention_grows_with_context_and_vanishes_without() -> None:
    config = {"n_layer": 32, "n_head": 32, "head_dim": 128}
    assert wall.attention_flop_per_token(**config, context_token=0) == 0
    twice = wall.attention_flop_per_token(**config, context_token=4096)
    assert twice == 2 * wall.attention_flop_per_token(**config, context_token=2048)
