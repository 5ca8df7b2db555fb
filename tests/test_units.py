"""Units by name."""

from __future__ import annotations

import pytest

from analysis import units, words


@pytest.mark.parametrize(
    ("name", "base", "factor", "symbol"),
    [
        ("memory_bandwidth_gbyte_per_s", "memory_bandwidth_byte_per_s", 1e9, "GB/s"),
        ("memory_capacity_gibyte", "memory_capacity_byte", 2.0**30, "GiB"),
        ("bitcell_area_um2", "bitcell_area_mm2", 1e-6, "µm²"),
        ("macro_density_mbit_per_mm2", "macro_density_bit_per_mm2", 1e6, "Mbit/mm²"),
        ("macro_density_mibit_per_mm2", "macro_density_bit_per_mm2", 2.0**20, "Mibit/mm²"),
        ("price_usd_per_gbyte", "price_usd_per_byte", 1e-9, "USD/GB"),
        ("reading_speed_word_per_min", "reading_speed_word_per_s", 1 / 60, "word/min"),
        ("time_ms", "time_s", 1e-3, "ms"),
        ("share_percent", "share", 0.01, "%"),
        ("mfu_percent", "mfu_share", 0.01, "%"),
        ("total_gparam", "total_param", 1e9, "billion parameters"),
    ],
)
def test_names_carry_their_unit(name: str, base: str, factor: float, symbol: str) -> None:
    found = units.parse(name)
    assert found is not None
    assert found.factor == pytest.approx(factor)
    assert units.base_name(name) == base
    assert found.symbol == symbol


@pytest.mark.parametrize("name", ["n_layer", "name", "head_dim", "batch_size", "device_class", "note", "source_id"])
def test_names_without_a_unit_have_none(name: str) -> None:
    assert units.parse(name) is None


def test_the_dimensions_of_a_quotient() -> None:
    assert units.unit("gbyte_per_s").dimensions == {"byte": 1, "s": -1}
    assert units.unit("ratio").dimensions == {}


def test_the_list_is_closed() -> None:
    with pytest.raises(KeyError):
        units.unit("furlong_per_s")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7200.0, "2.00 h"),
        (120.0, "2.00 min"),
        (1.5, "1.50 s"),
        (1.5e-3, "1.50 ms"),
        (1.5e-6, "1.50 µs"),
        (1.5e-9, "1.50 ns"),
    ],
)
def test_times_step_at_their_own_units(seconds: float, text: str) -> None:
    assert words.quantity(seconds, "s") == text
