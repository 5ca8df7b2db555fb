"""Every pace comes from one function: with its interval, its years, its points and its independent sources."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis import figures
from analysis.subjects import trends
from analysis.tables import DataPackage
from tests.conftest import ROOT

PAGES = ["epoch-ai-chip-component-costs-2026", "0xgosu-ai-chip-memory-2026", "trendforce-hbm-ratio-2024-05"]


def series(year: list[float], value: list[float]) -> pd.DataFrame:
    cited = [PAGES[place % len(PAGES)] for place in range(len(year))]
    return pd.DataFrame({"year": year, "amount": value, "source_id": cited})


def fitted(package: DataPackage, table: pd.DataFrame) -> trends.Trend:
    return trends.fitted(package, table, "amount", period_year=2, points="chip")


def test_a_steady_pace_has_an_interval_without_width_and_says_what_it_rests_on(package: DataPackage) -> None:
    year = [2010.5, 2012.5, 2014.5, 2016.5]
    steady = fitted(package, series(year, [2.0 ** (each / 2) for each in year]))
    assert (steady.ratio, steady.low, steady.high) == pytest.approx((2, 2, 2))
    assert steady.growth == "2.00× (2.00 to 2.00)"
    assert steady.window == "2010 to 2016, 4 chips, two sources"
    assert steady.doubling == "2.0 years (2.0 to 2.0)"


def test_the_interval_is_students_of_the_jackknife(package: DataPackage) -> None:
    """ln value 0, 1, 4 in three years: slope 2, σ² = 4/3 by hand; t of two degrees of freedom at 97.5 % is 4.3027."""
    found = fitted(package, series([2010.0, 2011.0, 2012.0], list(np.exp([0.0, 1.0, 4.0]))))
    assert np.log(found.high / found.ratio) == pytest.approx(2 * 4.3027 * np.sqrt(4 / 3), rel=1e-4)
    assert found.low * found.high == pytest.approx(found.ratio**2)


def test_two_years_have_no_interval_and_what_may_not_shrink_never_halves(package: DataPackage) -> None:
    two = fitted(package, series([2010.0, 2012.0], [4.0, 2.0]))
    assert (two.growth, two.halving) == ("0.500× (0 to ∞)", "2.0 years (0 to never)")
    assert figures.INTERVAL.search(two.growth)
    assert trends.inputs(two)["high_ratio"] is None
    slow = fitted(package, series([2010.0, 2012.0, 2014.0, 2016.0], [4.0, 3.9, 4.05, 3.8]))
    assert slow.halving.endswith(" to never)")


def test_no_other_module_fits_a_pace() -> None:
    """A pace fitted elsewhere would be printed without what it rests on."""
    for path in (ROOT / "analysis").rglob("*.py"):
        if path.name not in ("growth.py", "trends.py"):
            assert not re.search(
                r"fitted_growth_ratio|growth_spread_ratio|linregress", path.read_text(encoding="utf-8")
            ), path
