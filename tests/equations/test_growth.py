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


def test_the_spread_of_a_fit_is_the_jackknifes() -> None:
    """Points at 0, 1 and 2 years of ln value 0, 1, 4: without each year the slopes are 3, 2 and 1, so σ² = 2/3 · 2 = 4/3."""
    spread = growth.growth_spread_ratio([2010, 2011, 2012], np.exp([0.0, 1.0, 4.0]), quantile_count=1)
    assert spread == pytest.approx(np.exp(np.sqrt(4 / 3)))
    assert growth.growth_spread_ratio([2010, 2011], [1, 2], quantile_count=1) == np.inf


def test_many_products_of_one_year_count_once() -> None:
    """Ten chips of the last year with one mistake in common do not make the fit ten times as firm."""
    year, value = np.array([2010.0, 2012, 2014, 2016]), np.array([1.0, 2.0, 3.0, 9.0])
    repeated = np.r_[year, np.full(9, 2016.0)], np.r_[value, np.full(9, 9.0)]
    one, many = (growth.growth_spread_ratio(*points, quantile_count=2) for points in ((year, value), repeated))
    assert many > one
