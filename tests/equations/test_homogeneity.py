"""Every equation is homogeneous: measure its arguments in other units, and the result follows its name.

A wrong power, an inverted ratio, a forgotten divisor or a constant with a hidden unit fails here; a missing
factor of 8 or 1000 does not, the worked numbers catch those.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from analysis import units

from .samples import EQUATIONS, SAMPLES

DIMENSIONS = ["byte", "flop", "s", "mm2", "usd", "param", "token", "word", "year", "j", "value"]
SCALE = 3.7

COUNTS = ("n_", "batch_size", "_dim")
"""Names without a unit: counts of a model or a machine."""

TOKEN_IS_A_COUNT = {
    # One step makes one token, or one token of context fills one row of the cache: the token is a count.
    "memory_wall.attention_flop_per_token",
    "memory_wall.decode_intensity_flop_per_byte",
    "memory_wall.time_per_token_s",
    "memory_wall.time_per_output_token_s",
    "memory_wall.largest_model_param",
    "memory_wall.bandwidth_needed_byte_per_s",
    "memory_wall.speculative_step_token",
    "memory_wall.speculative_speedup_ratio",
    "kv_cache.kv_cache_byte_per_token",
    "kv_cache.latent_cache_byte_per_token",
    "storage_io.storage_byte_per_token",
    "storage_io.time_per_output_token_s",
    "storage_io.two_tier_time_per_output_token_s",
    "storage_io.largest_model_param",
    "storage_io.waiting_time_s",
    "server_batching.exchange_time_s",
    "server_batching.ridge_batch_size",
    "server_batching.request_time_s",
    "server_batching.throughput_token_per_s",
    "time_to_first_token.agents_at_speed_count",
}


def dimensions(name: str) -> dict[str, int]:
    """Return the power of each dimension in a name; bit and byte measure the same thing."""
    if name.endswith("value"):
        return {"value": 1}
    unit = units.parse(name)
    powers = dict(unit.dimensions) if unit else {}
    if "bit" in powers:
        powers["byte"] = powers.get("byte", 0) + powers.pop("bit")
    return powers


def test_every_equation_is_in_the_table() -> None:
    assert set(SAMPLES) == set(EQUATIONS)
    assert set(EQUATIONS) >= TOKEN_IS_A_COUNT


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_names_carry_a_unit_or_are_known_counts(name: str) -> None:
    for argument in inspect.signature(EQUATIONS[name]).parameters:
        count = argument.startswith(COUNTS[0]) or argument.endswith(COUNTS[1:])
        assert units.parse(argument) or count or argument.endswith("value"), f"{name}: {argument} has no unit"
    stem = name.split(".")[1]
    assert units.parse(stem) or stem == "fit_grade" or stem.endswith("batch_size"), f"{name} has no unit"


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_base_units_only(name: str) -> None:
    for word in [name.split(".")[1], *inspect.signature(EQUATIONS[name]).parameters]:
        unit = units.parse(word)
        assert unit is None or unit.base == unit.text, f"{name}: {word} is not in base units"


CASES = [
    (name, dimension)
    for name in sorted(EQUATIONS)
    for dimension in DIMENSIONS
    if any(dimension in dimensions(word) for word in [name.split(".")[1], *SAMPLES[name]])
    and not (dimension == "token" and name in TOKEN_IS_A_COUNT)
]


@pytest.mark.parametrize(("name", "dimension"), CASES, ids=[f"{n}:{d}" for n, d in CASES])
def test_result_rescales_as_its_name_says(name: str, dimension: str) -> None:
    equation, arguments = EQUATIONS[name], SAMPLES[name]
    rescaled = {
        argument: np.multiply(value, SCALE ** dimensions(argument).get(dimension, 0))
        for argument, value in arguments.items()
    }
    expected = equation(**arguments) * SCALE ** dimensions(name.split(".")[1]).get(dimension, 0)
    assert equation(**rescaled) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", sorted(TOKEN_IS_A_COUNT))
def test_exempt_only_where_needed(name: str) -> None:
    """A name that rescales with the token after all does not belong on the list."""
    powers = {argument: dimensions(argument).get("token", 0) for argument in SAMPLES[name]}
    rescaled = {a: np.multiply(v, SCALE ** powers[a]) for a, v in SAMPLES[name].items()}
    power = dimensions(name.split(".")[1]).get("token", 0)
    equation = EQUATIONS[name]
    assert equation(**rescaled) != pytest.approx(equation(**SAMPLES[name]) * SCALE**power, rel=1e-12, abs=0)
