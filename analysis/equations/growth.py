"""Growth over the years: how fast a quantity multiplies, and how long it takes to double."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations import elementary
from analysis.equations.ranges import Result, positive


def fitted_growth_ratio(year: ArrayLike, value: ArrayLike, *, period_year: ArrayLike = 1) -> Result:
    """Growth per period of a least-squares line through the logarithms: ``exp(slope · period)``.

    Args:
        year: dates as years with decimals, one-dimensional, in year.
        value: the quantity at these dates, one-dimensional, in any unit.
        period_year: length of the period, in year.

    Raises ValueError where an argument is not above 0 or all dates are the same.
    Describes the sample: a few bold products move it, and it predicts nothing.
    Source: ordinary least squares of ln(value) on time.
    """
    years, values, period = positive(year=year, value=value, period_year=period_year)
    if np.all(years == years.flat[0]):
        raise ValueError(f"year must hold at least two different dates, found {years}")
    return elementary.exp(_slope(years, elementary.log(values)) * period)


def _slope(years: Result, logs: Result) -> Result:
    time = years - np.mean(years)
    slope: Result = np.sum(time * logs) / np.sum(time**2)
    return slope


def growth_spread_ratio(
    year: ArrayLike, value: ArrayLike, *, quantile_count: ArrayLike, period_year: ArrayLike = 1
) -> Result:
    """Half the width of the interval of a fitted growth, as a factor: ``exp(t · σ · period)``.

    Args:
        year: dates as years with decimals, one-dimensional, in year.
        value: the quantity at these dates, one-dimensional, in any unit.
        quantile_count: standard errors on either side, t, a count; of Student's t with one degree of freedom less than years.
        period_year: length of the period, in year.

    Raises ValueError where an argument is not above 0.
    σ is the jackknife's standard error of the slope, one calendar year left out at a time: products of one year have
    much in common.  Infinite where fewer than three years hold points.  The interval says how firm the fit is, not
    how the quantity goes on.
    Source: the delete-one-group jackknife; Efron and Tibshirani, An Introduction to the Bootstrap, chapter 11.
    """
    years, values, quantile, period = positive(
        year=year, value=value, quantile_count=quantile_count, period_year=period_year
    )
    groups = np.unique(np.floor(years))
    if len(groups) < LEAST_YEARS:
        return np.inf * quantile
    logs = np.asarray(elementary.log(values))
    without = np.array([_slope(years[kept], logs[kept]) for kept in (np.floor(years) != group for group in groups)])
    error = np.sqrt((len(groups) - 1) * np.mean((without - np.mean(without)) ** 2))
    spread: Result = elementary.exp(quantile * error * period)
    return spread


LEAST_YEARS = 3
"""Calendar years that an interval needs: with fewer, leaving one out leaves no slope."""


def growth_ratio(
    start_value: ArrayLike,
    end_value: ArrayLike,
    *,
    elapsed_year: ArrayLike,
    period_year: ArrayLike = 1,
) -> Result:
    """Growth per period between two points: ``(end / start)^(period / elapsed)``.

    Args:
        start_value: the quantity at the start, in any unit.
        end_value: the quantity at the end, in the same unit.
        elapsed_year: time between the two, in year.
        period_year: length of the period, in year.

    Raises ValueError where an argument is not above 0.
    Two points only: whatever happened between them is smoothed away.
    Source: compound growth.
    """
    start, end, elapsed, period = positive(
        start_value=start_value, end_value=end_value, elapsed_year=elapsed_year, period_year=period_year
    )
    return elementary.power(end / start, period / elapsed)


def compound_growth_ratio(growth_ratio: ArrayLike, *, horizon_year: ArrayLike, period_year: ArrayLike = 1) -> Result:
    """Growth over a longer time at a steady pace: ``ratio^(horizon / period)``.

    Args:
        growth_ratio: growth per period, a ratio.
        horizon_year: the longer time, in year.
        period_year: length of the period, in year.

    Raises ValueError where an argument is not above 0.
    Holds as long as the pace does.
    Source: compound growth.
    """
    ratio, horizon, period = positive(growth_ratio=growth_ratio, horizon_year=horizon_year, period_year=period_year)
    return elementary.power(ratio, horizon / period)


def doubling_time_year(growth_ratio: ArrayLike, *, period_year: ArrayLike = 1) -> Result:
    """Time to double at a steady pace: ``period · ln 2 / ln ratio``.

    Args:
        growth_ratio: growth per period, a ratio; at 1 the time is infinite, below 1 minus the time to halve.
        period_year: length of the period, in year.

    Raises ValueError where an argument is not above 0.
    Holds as long as the pace does.
    Source: compound growth.
    """
    ratio, period = positive(growth_ratio=growth_ratio, period_year=period_year)
    with np.errstate(divide="ignore"):
        return period * elementary.log(2) / elementary.log(ratio)
