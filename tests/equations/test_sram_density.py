"""Limits of on-chip memory, and the worked numbers of the chapter."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.equations import sram_density as sram

N3, N3E = 0.0199e-6, 0.021e-6


def test_three_nanometres_hold_0_6_gigabytes_on_100_square_millimetres() -> None:
    bare = sram.sram_capacity_byte(100, sram.macro_density_bit_per_mm2(np.array([N3, N3E])))
    np.testing.assert_allclose(bare, [0.628e9, 0.595e9], rtol=0.001)


def test_overhead_takes_bare_cells_to_the_density_of_the_macro() -> None:
    macro = sram.sram_capacity_byte(100, sram.macro_density_bit_per_mm2(N3, array_efficiency_share=0.7))
    assert 0.42e9 < macro < 0.45e9


def test_area_is_the_inverse_of_capacity() -> None:
    density = sram.macro_density_bit_per_mm2(N3)
    assert sram.sram_capacity_byte(sram.sram_area_mm2(14e9, density), density) == pytest.approx(14e9)


def test_fourteen_gigabytes_need_more_than_two_reticles_of_bare_cells() -> None:
    area = sram.sram_area_mm2(14e9, sram.macro_density_bit_per_mm2(N3))
    assert area == pytest.approx(2229, rel=0.001)
    assert sram.die_count(area, 26 * 33) == pytest.approx(2.6, abs=0.01)
    assert sram.die_count(area, 103.8) == pytest.approx(21.5, abs=0.05)


def test_efficiency_is_the_inverse_of_the_macro_density() -> None:
    density = sram.macro_density_bit_per_mm2(N3E, array_efficiency_share=0.66)
    assert sram.array_efficiency_share(density, N3E) == pytest.approx(0.66)


def test_two_bits_a_cell_double_the_density() -> None:
    one = sram.macro_density_bit_per_mm2(N3)
    assert sram.macro_density_bit_per_mm2(N3, cell_capacity_bit=2) == 2 * one


def test_a_cache_larger_than_the_weights_holds_all_of_them() -> None:
    assert sram.cached_share(4e9, 3.5e9) == 1
    assert sram.cached_share(0, 3.5e9) == 0
    assert sram.cached_share(32e6, 14e9) == pytest.approx(0.0023, rel=0.01)
