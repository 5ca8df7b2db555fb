"""Limits of waiting: short and long prompts, all or nothing reused, no reading or no computing, no room for anybody."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.equations import server_batching
from analysis.equations import time_to_first_token as wait

PHONE = {"model_param": 8e9, "weight_byte": 5e9, "peak_flop_per_s": 9e12, "bandwidth_byte_per_s": 77e9}


def test_a_short_prompt_takes_one_reading_and_a_long_one_its_products() -> None:
    assert wait.prefill_roof_s(1, **PHONE) == pytest.approx(5e9 / 77e9)
    assert wait.prefill_roof_s(1e5, **PHONE) == pytest.approx(2 * 8e9 * 1e5 / 9e12)


def test_the_roof_bends_at_the_ridge_batch() -> None:
    ridge = server_batching.ridge_batch_size(9e12, 77e9, byte_per_param=5 / 8)
    assert wait.prefill_roof_s(ridge, **PHONE) == pytest.approx(5e9 / 77e9)
    assert wait.prefill_roof_s(1.01 * ridge, **PHONE) > 5e9 / 77e9


def test_all_reused_leaves_nothing_to_read() -> None:
    np.testing.assert_allclose(wait.new_prompt_token(1000, reused_share=np.array([0, 0.5, 1])), [1000, 500, 0])


def test_a_token_that_computes_nothing_costs_its_bits() -> None:
    energy = wait.energy_j_per_token(1e9, 0, reading_j_per_bit=2e-11, computing_j_per_flop=1e-12)
    assert server_batching.read_energy_j_per_bit(energy, read_byte=1e9) == pytest.approx(2e-11)


def test_a_turn_without_an_answer_costs_its_prompt() -> None:
    assert wait.turn_energy_j(100, 0, prompt_j_per_token=0.02, answer_j_per_token=3) == pytest.approx(2)


def test_a_rate_beyond_one_reading_carries_nobody() -> None:
    fast = wait.agents_at_speed_count(100, cache_byte=1e9, **PHONE)
    assert fast == 0
    assert wait.agents_at_speed_count(1, cache_byte=1e9, **PHONE) == pytest.approx(72)


def test_small_caches_leave_the_arithmetic_as_the_limit() -> None:
    assert wait.agents_at_speed_count(1, cache_byte=1, **PHONE) == pytest.approx(9e12 / (2 * 8e9))


def test_twice_the_time_carries_twice_the_agents() -> None:
    once, twice = np.asarray(
        wait.agents_at_first_token_count([1, 2], prompt_token=500, model_param=8e9, peak_flop_per_s=9e12)
    )
    assert twice == pytest.approx(2 * once)
