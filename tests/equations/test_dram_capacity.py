"""Limits of capacity: what fits, what is left, who has it, what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.equations import dram_capacity as dram
from analysis.equations.memory_wall import weight_byte

NO, BARELY, YES = 0, 1, 2


def grade(footprint_byte: Any, usable_byte: Any) -> Any:
    """Grade where the sources of the limit agree."""
    return dram.fit_grade(footprint_byte, usable_byte, usable_low_byte=usable_byte, usable_high_byte=usable_byte)


def test_sixteen_binary_gigabytes_run_what_sixteen_decimal_ones_refuse() -> None:
    # turboquant-mlx, pull request 78: a planner that took 1e9 refused a model that ran
    model = 16.5e9
    assert grade(model, dram.usable_byte(16 * 2**30)) == BARELY
    assert grade(model, dram.usable_byte(16e9)) == NO


def test_the_tighter_of_reserve_and_limit_counts() -> None:
    assert dram.usable_byte(16e9, reserve_byte=4e9, limit_share=0.5) == 8e9
    assert dram.usable_byte(16e9, reserve_byte=12e9, limit_share=0.5) == 4e9
    assert dram.usable_byte(4e9, reserve_byte=6e9) == 0


def test_seven_billion_at_fp16_fit_neither_a_phone_nor_a_laptop_of_2023() -> None:
    footprint = dram.footprint_byte(weight_byte(7e9, np.array([2, 1, 0.5])))
    np.testing.assert_array_equal(grade(footprint, 8 * 2**30), [NO, YES, YES])


def test_a_footprint_is_the_sum_of_its_parts() -> None:
    assert dram.footprint_byte(4e9, kv_cache_byte=1e9, overhead_byte=5e8) == 5.5e9


def test_an_exact_fit_barely_fits_and_a_tenth_to_spare_fits() -> None:
    assert grade(8e9, 8e9) == BARELY
    assert grade(8e9 + 1, 8e9) == NO
    assert grade(7.2e9, 8e9) == YES
    assert grade(7.2e9 + 1, 8e9) == BARELY


def test_between_the_sources_of_a_limit_nothing_is_better_than_barely() -> None:
    """An iPhone 13 Pro gave one app 2.91 of 6 GiB, and 3.91 with the entitlement for more; users report 4.19."""
    spread = {"usable_byte": 3.91, "usable_low_byte": 2.91, "usable_high_byte": 4.19}
    grades = [float(dram.fit_grade(size, **spread)) for size in (2.8, 3.0, 4.0, 4.3)]
    assert grades == [YES, BARELY, BARELY, NO]


def test_the_largest_model_fits_exactly() -> None:
    largest = dram.largest_model_param(12e9, 0.5, kv_cache_byte=1e9)
    footprint = dram.footprint_byte(weight_byte(largest, 0.5), kv_cache_byte=1e9)
    assert dram.headroom_byte(footprint, 12e9) == pytest.approx(0, abs=1e-3)


def test_unknown_memory_does_not_count_as_fitting() -> None:
    assert np.isnan(grade(8e9, np.nan))
    assert np.isnan(dram.headroom_byte(8e9, np.nan))


def test_a_model_that_does_not_fit_leaves_no_context() -> None:
    assert dram.largest_context_token(8e9, weight_byte=14e9, kv_cache_byte_per_token=131072) == 0


def test_the_longest_context_fills_the_memory() -> None:
    context = dram.largest_context_token(16e9, weight_byte=4e9, kv_cache_byte_per_token=131072, batch_size=4)
    assert 4e9 + 4 * context * 131072 == pytest.approx(16e9)


def test_share_with_at_least_falls_from_all_to_none() -> None:
    bucket, share = np.array([0, 8, 16, 32]) * 1e9, [0.1, 0.3, 0.4, 0.2]
    reached = dram.at_least_share(bucket, share, np.array([0, 8, 9, 16, 32, 64]) * 1e9)
    np.testing.assert_allclose(reached, [1, 0.9, 0.6, 0.6, 0.2, 0])
    assert dram.at_least_share(bucket, share, 16e9) == pytest.approx(0.6)


def test_the_mean_of_two_sizes_gives_their_shares() -> None:
    # TrendForce: 10.5 GB in the mean notebook of 2023; 69 % with 8 GB, if only 8 and 16 existed
    assert dram.smaller_size_share(10.5, smaller_byte=8, larger_byte=16) == pytest.approx(0.69, abs=0.005)
    assert dram.smaller_size_share(8, smaller_byte=8, larger_byte=16) == 1
    with pytest.raises(ValueError, match="mean_byte must be at most larger_byte"):
        dram.smaller_size_share(17, smaller_byte=8, larger_byte=16)


def test_a_price_per_gigabit_is_an_eighth_of_a_price_per_gigabyte() -> None:
    # Counterpoint, November 2025: DDR5 at 1.50 USD a gigabit is 12 USD a gigabyte
    per_byte = dram.price_usd_per_byte(1.50, 1e9 / 8)
    assert per_byte * 1e9 == pytest.approx(12.0)
    assert dram.price_ratio(per_byte, per_byte) == 1
