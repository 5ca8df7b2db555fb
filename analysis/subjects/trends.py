"""Trends: a fitted pace with its interval, and what it rests on.  Every pace that the book prints comes from here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from analysis import words
from analysis.equations import elementary, growth
from analysis.figures import Value
from analysis.tables import DataPackage, source_ids

CONFIDENCE_SHARE = 0.95
"""What the intervals of trends state."""
RECENT_YEAR = 2018
"""Where the fit over recent years begins: after matrix units, which changed the number format, had come."""


@dataclass(frozen=True)
class Trend:
    """Growth per period with the ends of its interval, the years, the points and the independent sources behind it."""

    ratio: float
    low: float
    high: float
    period_year: float
    first_year: int
    last_year: int
    n_point: int
    sources: tuple[str, ...]
    independent: tuple[str, ...]
    points: str

    @property
    def growth(self) -> str:
        """``1.55× (1.48 to 1.63)``: what stands in sentences and titles, never without its interval."""
        return f"{words.number(self.ratio)}× ({words.number(self.low)} to {words.number(self.high)})"

    @property
    def window(self) -> str:
        """``2008 to 2025, 134 chips, one source``: what it was fitted to."""
        basis = words.sources(len(self.independent))
        return f"{self.first_year} to {self.last_year}, {words.plural(self.n_point, self.points)}, {basis}"

    @property
    def doubling(self) -> str:
        """``3.1 years (2.8 to 3.6)``: the time to double."""
        return _time(growth.doubling_time_year, self)

    @property
    def halving(self) -> str:
        """``3.1 years (2.8 to 3.6)``: the time to halve of what shrinks."""
        return _time(_halving_year, self)

    @property
    def halving_interval_year(self) -> tuple[float, float]:
        """The two ends of the time to halve."""
        return _times(_halving_year, self)[1:]


def _halving_year(ratio: float, period_year: float) -> object:
    return -growth.doubling_time_year(ratio, period_year=period_year)


def _times(time: Callable[..., object], trend: Trend) -> tuple[float, float, float]:
    """A time and the ends of its interval; without end where the ends of the trend have it never pass."""
    middle, *ends = (
        float(str(time(ratio, period_year=trend.period_year)))
        for ratio in (trend.ratio, trend.low, trend.high)
        if ratio
    )
    if trend.low == 0:  # no interval: too few years
        return middle, 0.0, math.inf
    low, high = sorted(ends) if min(ends) > 0 else (max(ends), math.inf)
    return middle, low, high


def _time(time: Callable[..., object], trend: Trend) -> str:
    middle, low, high = (
        "never" if end == math.inf else words.number(end, 2) if end else "0" for end in _times(time, trend)
    )
    return f"{middle} years ({low} to {high})"


def fitted(package: DataPackage, table: pd.DataFrame, column: str, *, period_year: float, points: str) -> Trend:
    """Fit a pace through the logarithms of ``column`` on ``year``; ``points`` is what a row is, in one word."""
    known = table[table[column].notna()]
    year, value = known["year"].to_numpy(dtype=float), known[column].to_numpy(dtype=float)
    ratio = float(growth.fitted_growth_ratio(year, value, period_year=period_year))
    freedom = max(known["year"].astype(int).nunique() - 1, 1)  # one less than the years that are left out in turn
    quantile = words.settled(elementary.student_quantile(freedom, (1 + CONFIDENCE_SHARE) / 2))
    spread = float(growth.growth_spread_ratio(year, value, quantile_count=quantile, period_year=period_year))
    cited = source_ids(known[["source_id"]])
    return Trend(
        ratio, ratio / spread, ratio * spread, period_year, int(year.min()), int(year.max()), len(known),
        tuple(cited), tuple(package.independent(cited)), points,
    )  # fmt: skip


def recent(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of recent years."""
    return table[table["year"] >= RECENT_YEAR]


def value(identifier: str, trend: Trend, definition: str) -> Value:
    """The growth as a number for prose: its text holds the interval, its inputs all that it rests on."""
    return Value(
        identifier,
        trend.ratio,
        "ratio",
        trend.growth,
        f"{definition} ({trend.window}).",
        FORMULA,
        inputs(trend),
        trend.sources,
        interval=(trend.low, trend.high),
    )


FORMULA = "exp(slope of the logarithms · period)"


def inputs(trend: Trend) -> dict[str, object]:
    """What a trend rests on, by name."""
    return {
        "low_ratio": trend.low, "high_ratio": trend.high if math.isfinite(trend.high) else None,
        "period_year": trend.period_year, "first_year": trend.first_year,
        "last_year": trend.last_year, "n_point": trend.n_point, "n_source": len(trend.independent),
    }  # fmt: skip


def basis(package: DataPackage, cited: Iterable[str]) -> str:
    """``four sources``: how many independent ones stand behind these; repeated figures count once."""
    return words.sources(len(package.independent(cited)))
