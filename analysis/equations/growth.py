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
    time = years - years.mean()
    if not np.any(time):
        raise ValueError(f"year must hold at least two different dates, found {years}")
    slope = np.sum(time * elementary.log(values)) / np.sum(time**2)
    return elementary.exp(slope * period)


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
