"""What holds for every equation: documented, checked, missing stays missing, arrays equal numbers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from .samples import ELEMENTWISE, EQUATIONS, SAMPLES

FACTORS = np.array([1.0, 0.98, 0.95])
ARGUMENTS = [(name, argument) for name in sorted(SAMPLES) for argument in SAMPLES[name]]


def ids(cases: list[tuple[str, str]]) -> list[str]:
    return [":".join(case) for case in cases]


def test_every_equation_has_a_sample_with_all_its_arguments() -> None:
    assert SAMPLES.keys() == EQUATIONS.keys()
    for name, arguments in SAMPLES.items():
        assert list(arguments) == list(inspect.signature(EQUATIONS[name]).parameters), name


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_docstring_names_arguments_errors_and_source(name: str) -> None:
    text = inspect.getdoc(EQUATIONS[name]) or ""
    for argument in inspect.signature(EQUATIONS[name]).parameters:
        assert f"{argument}: " in text, f"{name} does not explain {argument}"
    assert "Raises ValueError" in text
    assert "Source: " in text


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_at_most_three_positional_arguments(name: str) -> None:
    parameters = inspect.signature(EQUATIONS[name]).parameters.values()
    assert sum(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters) <= 3


@pytest.mark.long
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS, ids=ids(ARGUMENTS))
def test_negative_argument_is_refused_by_name(name: str, argument: str) -> None:
    wrong = SAMPLES[name] | {argument: np.negative(SAMPLES[name][argument])}
    with pytest.raises(ValueError, match=rf"^{argument} must be .*, found -"):
        EQUATIONS[name](**wrong)


SHARES = [case for case in ARGUMENTS if case[1].endswith("share")]


@pytest.mark.parametrize(("name", "argument"), SHARES, ids=ids(SHARES))
def test_share_above_one_is_refused(name: str, argument: str) -> None:
    wrong = SAMPLES[name] | {argument: np.add(SAMPLES[name][argument], 1.5)}
    with pytest.raises(ValueError, match=rf"^{argument} must be .* at most 1, found"):
        EQUATIONS[name](**wrong)


ELEMENTWISE_ARGUMENTS = [case for case in ARGUMENTS if case[0] in ELEMENTWISE]


@pytest.mark.long
@pytest.mark.parametrize(("name", "argument"), ELEMENTWISE_ARGUMENTS, ids=ids(ELEMENTWISE_ARGUMENTS))
def test_missing_stays_missing(name: str, argument: str) -> None:
    assert np.isnan(EQUATIONS[name](**SAMPLES[name] | {argument: np.nan}))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_numbers_give_a_number(name: str) -> None:
    result = EQUATIONS[name](**SAMPLES[name])
    assert isinstance(result, float), type(result)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_arrays_equal_numbers(name: str) -> None:
    series = {argument: value * FACTORS for argument, value in SAMPLES[name].items()}
    together = EQUATIONS[name](**series)
    one_by_one = [EQUATIONS[name](**{a: v[i] for a, v in series.items()}) for i in range(len(FACTORS))]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-14)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if len(SAMPLES[name]) > 1])
def test_arguments_broadcast(name: str) -> None:
    first, second, *_ = SAMPLES[name]
    grid: dict[str, Any] = {
        first: SAMPLES[name][first] * FACTORS[:, np.newaxis],
        second: SAMPLES[name][second] * FACTORS[:2],
    }
    assert EQUATIONS[name](**SAMPLES[name] | grid).shape == (3, 2)
