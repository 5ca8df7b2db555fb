"""Limits of streaming weights from storage."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.equations import storage_io
from analysis.equations.memory_wall import weight_byte


def test_nothing_fetched_means_storage_is_no_limit() -> None:
    byte = storage_io.storage_byte_per_token(14e9, miss_share=0)
    assert storage_io.time_per_output_token_s(byte, 1e9) == 0
    assert storage_io.streamed_token_per_s(byte, 1e9) == np.inf


def test_misses_go_from_all_to_none_as_memory_grows() -> None:
    miss = storage_io.pinned_miss_share(np.array([0, 7e9, 14e9, 20e9]), 14e9)
    np.testing.assert_allclose(miss, [1, 0.5, 0, 0])


def test_a_dense_model_reads_all_its_weights() -> None:
    assert storage_io.storage_byte_per_token(weight_byte(7e9, 2)) == 14e9


def test_the_largest_streamed_model_runs_at_the_rate_asked_for() -> None:
    largest = storage_io.largest_model_param(
        7e9, token_per_s=8.33, byte_per_param=0.5, io_share=0.8, active_share=0.05, miss_share=0.3
    )
    byte = storage_io.storage_byte_per_token(weight_byte(largest, 0.5), active_share=0.05, miss_share=0.3)
    assert storage_io.streamed_token_per_s(byte, 7e9, io_share=0.8) == pytest.approx(8.33)


def test_speed_needed_is_the_inverse_of_speed_reached() -> None:
    rate = storage_io.streamed_token_per_s(1.62e9, 17.5e9)
    assert rate == pytest.approx(10.8, abs=0.01)
    assert storage_io.io_needed_byte_per_s(1.62e9, rate) == pytest.approx(17.5e9)


def test_measured_speed_stays_below_the_bound_with_its_cache() -> None:
    # flash-moe, March 2026: 4.36 token/s, SSD 17.5 GB/s, 209 GB model, 4 of 512 experts, 71 % cache hits
    byte = storage_io.storage_byte_per_token(209e9, active_share=4 / 512, miss_share=1 - 0.71)
    assert storage_io.streamed_token_per_s(byte, 17.5e9) > 4.36


def test_two_tiers_tend_to_either_alone() -> None:
    common = {"io_byte_per_s": 7e9, "bandwidth_byte_per_s": 100e9}
    storage = storage_io.two_tier_time_per_output_token_s(storage_byte_per_token=7e9, memory_byte_per_token=0, **common)
    memory = storage_io.two_tier_time_per_output_token_s(storage_byte_per_token=0, memory_byte_per_token=50e9, **common)
    assert (storage, memory) == (1, 0.5)
    both = storage_io.two_tier_time_per_output_token_s(storage_byte_per_token=7e9, memory_byte_per_token=50e9, **common)
    assert both == 1.5
