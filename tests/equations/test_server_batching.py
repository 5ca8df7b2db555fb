"""Limits of batching, and every utilization printed by Pope et al."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from analysis.equations import memory_wall as wall
from analysis.equations import server_batching as server

TPU_V4 = {"peak_flop_per_s": 275e12, "bandwidth_byte_per_s": 1.2e12}
PEAK_FLOP_PER_S = {"TPU v4": 275e12, "NVIDIA A100 80GB": 312e12}

with (Path(__file__).parent / "pope_mfu.csv").open(encoding="utf-8", newline="") as file:
    POPE = list(csv.DictReader(file))


def is_sound(row: dict[str, str]) -> bool:
    """Leave out what contradicts itself: table D.4's totals on TPUs do not belong to the model above them."""
    return not (row["table"] == "D.4" and row["phase"] == "total" and row["chip"] == "TPU v4")


def processed_token(row: dict[str, str]) -> int:
    prompt = int(row["input_token"]) if row["phase"] in ("prefill", "total") else 0
    output = int(row["output_token"]) if row["phase"] in ("generate", "total") else 0
    return int(row["batch_size"]) * (prompt + output)


@pytest.mark.parametrize("row", [row for row in POPE if is_sound(row)], ids=lambda row: "-".join(
    [row["table"], row["system"].replace(" ", "_"), row["phase"], row["batch_size"]]
))  # fmt: skip
def test_utilization_printed_by_pope(row: dict[str, str]) -> None:
    """Pope et al. 2022, tables 2, 3 and D.2 to D.4, printed in whole percent."""
    mfu = server.mfu_share(
        processed_token(row),
        float(row["time_ms"]) / 1000,
        model_param=float(row["model_gparam"]) * 1e9,
        peak_flop_per_s=PEAK_FLOP_PER_S[row["chip"]],
        n_chip=int(row["n_chip"]),
    )
    # times are rounded too: one row (table 3, batch 512, 5.1 s) is 0.8 points off, the others at most 0.5
    tolerance = 0.9 if row["table"] == "3" else 0.55
    assert 100 * mfu == pytest.approx(float(row["mfu_percent"]), abs=tolerance)


def test_the_two_times_of_the_step_behind_the_article() -> None:
    """PaLM 540B, bf16, 64 TPU v4, batch 256: weights 14.1 ms, operations 15.7 ms of a step of 55.7 ms."""
    weights = server.memory_time_s(wall.weight_byte(540e9, 2), 1.2e12, n_chip=64)
    compute = server.compute_time_s(256, model_param=540e9, peak_flop_per_s=275e12, n_chip=64)
    assert weights == pytest.approx(14.1e-3, rel=0.005)
    assert compute == pytest.approx(15.7e-3, rel=0.005)
    assert server.serial_step_time_s(weights, compute) < 55.7e-3


def test_ridge_batch_is_where_reading_and_computing_take_the_same_time() -> None:
    batch = server.ridge_batch_size(**TPU_V4, byte_per_param=2)
    assert batch == pytest.approx(229, abs=0.5)
    compute = server.compute_time_s(batch, model_param=540e9, peak_flop_per_s=275e12)
    assert compute == pytest.approx(server.memory_time_s(wall.weight_byte(540e9, 2), 1.2e12))


def test_ridge_batch_at_two_bytes_is_the_ridge_point() -> None:
    ridge_point = wall.ridge_point_flop_per_byte(**TPU_V4)
    assert server.ridge_batch_size(**TPU_V4, byte_per_param=2) == pytest.approx(ridge_point)


def test_ridge_batch_with_caches_balances_all_reading() -> None:
    cache = 0.5e9
    batch = server.ridge_batch_size(**TPU_V4, byte_per_param=2, unshared_byte_per_param=cache / 540e9)
    read = server.memory_time_s(wall.weight_byte(540e9, 2) + batch * cache, 1.2e12)
    assert read == pytest.approx(server.compute_time_s(batch, model_param=540e9, peak_flop_per_s=275e12))


def test_long_contexts_are_never_compute_bound() -> None:
    assert server.ridge_batch_size(**TPU_V4, byte_per_param=2, unshared_byte_per_param=0.1) == np.inf


def test_large_batches_are_compute_bound_and_small_ones_bandwidth_bound() -> None:
    batch = np.array([1, 1e6])
    weights = server.memory_time_s(wall.weight_byte(540e9, 2), 1.2e12, n_chip=64)
    compute = server.compute_time_s(batch, model_param=540e9, peak_flop_per_s=275e12, n_chip=64)
    step = server.overlapped_step_time_s(weights, compute)
    np.testing.assert_array_equal(step, np.maximum(weights, compute))
    np.testing.assert_array_equal(step == weights, [True, False])
    mfu = server.mfu_share(batch, step, model_param=540e9, peak_flop_per_s=275e12, n_chip=64)
    np.testing.assert_allclose(mfu, [1 / 229.17, 1], rtol=1e-4)


def test_overlap_is_fastest_and_no_overlap_slowest() -> None:
    parts = {"weight_time_s": 0.014, "compute_time_s": 0.016, "kv_time_s": 0.004, "overhead_s": 0.02}
    assert server.overlapped_step_time_s(**parts) == pytest.approx(0.018 + 0.02)
    assert server.serial_step_time_s(**parts) == pytest.approx(0.014 + 0.016 + 0.004 + 0.02)


def test_chips_divide_time_and_keep_the_cost_of_a_token() -> None:
    n_chip = np.array([1, 64])
    time = server.memory_time_s(1080e9, 1.2e12, n_chip=n_chip)
    np.testing.assert_allclose(time, [0.9, 0.9 / 64])
    cost = server.chip_time_per_token_s(time, batch_size=8, n_chip=n_chip)
    np.testing.assert_allclose(cost, 0.9 / 8)


def test_chip_time_is_the_inverse_of_throughput_per_chip() -> None:
    throughput = server.throughput_token_per_s(0.0557, batch_size=256)
    assert server.chip_time_per_token_s(0.0557, batch_size=256, n_chip=64) == pytest.approx(64 / throughput)


def test_a_request_is_its_prefill_and_its_steps() -> None:
    # Pope et al. 2022, table D.3, batch 256: prefill 2041 ms, 20 tokens in 1114 ms, total 3155 ms
    assert server.request_time_s(20, prefill_time_s=2.041, step_time_s=1.114 / 20) == pytest.approx(3.155)
    assert server.request_time_s(0, prefill_time_s=2.041, step_time_s=0.05) == 2.041


def test_full_use_of_bandwidth_is_the_ideal_time() -> None:
    time = server.memory_time_s(14e9, 1e12)
    assert server.mbu_share(14e9, time, bandwidth_byte_per_s=1e12) == 1


def test_sharing_lowers_the_cost_of_weights_but_not_of_caches() -> None:
    alone = server.memory_cost_ratio(4, batch_size=1, kv_to_weight_ratio=0.1)
    crowd = server.memory_cost_ratio(4, batch_size=1e9, kv_to_weight_ratio=0.1)
    assert alone == pytest.approx(4)
    assert crowd == pytest.approx(4 * 0.1 / 1.1)


def test_the_ratio_is_the_quotient_of_two_costs_per_user() -> None:
    server_usd = 4e-9 * (14e9 / 256 + 1e9)
    client_usd = 1e-9 * (14e9 + 1e9)
    ratio = server.memory_cost_ratio(4, batch_size=256, kv_to_weight_ratio=1 / 14)
    assert server_usd / client_usd == pytest.approx(ratio)


def test_memory_is_two_fifths_of_an_h100() -> None:
    # analysts' estimate: 1350 of 3320 USD to make
    assert server.memory_cost_share(1350, 3320) == pytest.approx(0.41, abs=0.005)


def test_a_pipeline_of_one_stage_is_the_batch_part_by_part() -> None:
    assert server.pipelined_time_s(0.01, n_stage=1, n_microbatch=5) == pytest.approx(0.05)


def test_a_pipeline_wastes_the_bubble_that_gpipe_states() -> None:
    """GPipe, section 2.3: the bubble is (K - 1) / (M + K - 1) of the time; 4 stages and 4 parts idle for 3 of 7."""
    whole = server.pipelined_time_s(1.0, n_stage=4, n_microbatch=4)
    assert 1 - 4 / whole == pytest.approx(3 / 7)


def test_one_chip_exchanges_nothing() -> None:
    alone = {"n_layer": 96, "model_dim": 12288, "activation_element_byte": 2, "link_byte_per_s": 300e9}
    assert server.exchange_time_s(1, **alone, n_chip=1) == 0


def test_many_chips_send_four_activations_a_layer() -> None:
    """Megatron-LM: two sums a layer; a ring moves almost twice the activations of each: 4 x 2 byte x 20480 is 164 kB a token."""
    shape = {"n_layer": 1, "model_dim": 20480, "activation_element_byte": 2, "link_byte_per_s": 1e9}
    assert server.exchange_time_s(1, **shape, n_chip=10**6) == pytest.approx(163840 / 1e9, rel=1e-5)


H100 = {"peak_flop_per_s": 989.5e12, "bandwidth_byte_per_s": 3.35e12}


def test_half_of_a_faster_memory_is_gone_where_the_roofline_says_so() -> None:
    """The batch from the formula, put into the steps of both memories, leaves half of what one user gains."""
    ridge = server.ridge_batch_size(**H100, byte_per_param=2)
    half = server.half_gain_batch_size(ridge, bandwidth_byte_per_s=3.35e12, faster_bandwidth_byte_per_s=4.8e12)
    compute = server.compute_time_s(half, model_param=8e9, peak_flop_per_s=989.5e12)
    slow, fast = (
        server.overlapped_step_time_s(server.memory_time_s(wall.weight_byte(8e9, 2), bandwidth), compute)
        for bandwidth in (3.35e12, 4.8e12)
    )
    assert slow / fast - 1 == pytest.approx((4.8 / 3.35 - 1) / 2)
    assert half == pytest.approx(243, abs=0.5)


def test_a_memory_as_fast_gains_nothing_up_to_the_ridge_and_an_endless_one_loses_it_at_once() -> None:
    at = {"bandwidth_byte_per_s": 3.35e12}
    assert server.half_gain_batch_size(295, **at, faster_bandwidth_byte_per_s=3.35e12) == 295
    assert server.half_gain_batch_size(295, **at, faster_bandwidth_byte_per_s=1e30) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="bandwidth_byte_per_s must be at most faster_bandwidth_byte_per_s"):
        server.half_gain_batch_size(295, **at, faster_bandwidth_byte_per_s=3e12)


def test_the_law_of_two_constants_is_reading_without_layers_and_layers_without_reading() -> None:
    law = {"n_layer": 32, "overhead_s_per_layer": 38e-6, "bandwidth_share": 0.87}
    assert server.two_constant_step_time_s(0, 3.35e12, **law) == pytest.approx(32 * 38e-6)
    ideal = server.two_constant_step_time_s(15e9, 3.35e12, n_layer=32, overhead_s_per_layer=0, bandwidth_share=1)
    assert ideal == server.memory_time_s(15e9, 3.35e12)


def test_energy_of_a_bit_is_what_is_left_above_idle() -> None:
    """A card that draws 500 W, idles at 100 W and reads 2.5 TB/s spends 20 pJ for a bit."""
    found = server.read_energy_j_per_bit(500 * 2e-3, read_byte=5e9, idle_energy_j=100 * 2e-3)
    assert found == pytest.approx(20e-12)
    assert server.read_energy_j_per_bit(100 * 2e-3, read_byte=5e9, idle_energy_j=100 * 2e-3) == 0
