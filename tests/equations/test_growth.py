"""Growth over the years: fits recover what they were given, limits hold."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.equations import growth


def test_fit_recovers_a_steady_growth() -> None:
    year = np.array([2004.0, 2011.3, 2017.9, 2024.0])
    assert growth.fitted_growth_ratio(year, 5 * 1.6 ** (year / 2), period_year=2) == pytest.approx(1.6)


def test_fit_agrees_with_numpy() -> None:
    rng = np.random.default_rng(1)
    year, value = rng.uniform(2000, 2025, 50), rng.lognormal(3, 1, 50)
    slope = np.polyfit(year, np.log(value), 1)[0]
    assert growth.fitted_growth_ratio(year, value) == pytest.approx(np.exp(slope))


def test_fit_needs_two_dates() -> None:
    with pytest.raises(ValueError, match="year must hold at least two different dates"):
        growth.fitted_growth_ratio([2020, 2020], [1, 2])


def test_a_missing_value_leaves_no_fit() -> None:
    assert np.isnan(growth.fitted_growth_ratio([2020, 2021], [1, np.nan]))


def test_doubling_in_two_years_is_a_factor_of_two_per_two_years() -> None:
    assert growth.doubling_time_year(2, period_year=2) == pytest.approx(2)
    assert growth.compound_growth_ratio(2, horizon_year=20, period_year=2) == 1024


def test_no_growth_never_doubles_and_decline_counts_backwards() -> None:
    assert growth.doubling_time_year(1) == np.inf
    assert growth.doubling_time_year(0.5) == pytest.approx(-1)


def test_two_points_and_the_fit_through_them_agree() -> None:
    between = growth.growth_ratio(3, 12, elapsed_year=8)
    assert between == pytest.approx(growth.fitted_growth_ratio([2015, 2023], [3, 12]))
