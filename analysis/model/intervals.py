"""Ends of prediction intervals: quantiles of the errors on chips that were left out, or Student's t where there are few chips."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import words
from analysis.equations import elementary, validation

Values = npt.NDArray[np.float64]

COVERAGE_SHARE = 0.8
TAILS = ((1 - COVERAGE_SHARE) / 2, (1 + COVERAGE_SHARE) / 2)
AIMED_SHARE = 0.83
"""What the quantiles aim at: chips of kinds that nobody has measured yet lie farther off than chips left out of known kinds."""
AIMED_TAILS = ((1 - AIMED_SHARE) / 2, (1 + AIMED_SHARE) / 2)
LEAST_FOR_SPREAD = 2
"""One chip alone says nothing of how far chips lie apart."""
LEAST_CHIPS = 9
"""From so many chips on quantiles can promise 80 %: from the smallest to the largest of n errors lie (n − 1)/(n + 1) of new ones."""


def half(chip: str) -> str:
    """The half of the chips that one belongs to, for good: terms are chosen on one half and errors reported on the other."""
    return HALVES[hashlib.sha256(chip.encode()).digest()[-1] % 2]


HALVES = ("choose", "report")


def is_few(rows: pd.DataFrame) -> bool:
    """Whether a group has too few chips for quantiles."""
    return bool(rows["chip"].nunique() < LEAST_CHIPS)


def ends(ratio: Values, weight: Values, *, few: bool) -> tuple[float, float]:
    """Return the ends of an interval for a new chip: measured over predicted speed; ``weight`` sums to 1 over each chip and backend."""
    if few:
        return _student_ends(ratio, weight)
    low, high = (float(validation.interval_end_ratio(ratio, weight, tail)) for tail in AIMED_TAILS)
    return low, high


def _student_ends(ratio: Values, weight: Values) -> tuple[float, float]:
    """The interval of a new draw from a log-normal distribution of which only as many draws as chips are known."""
    count = float(weight.sum())
    if count < LEAST_FOR_SPREAD:
        return 0.0, np.inf
    log, share = elementary.log(ratio), weight / count
    middle = np.sum(share * log)
    spread = np.sqrt(np.sum(share * (log - middle) ** 2) * count / (count - 1) * (1 + 1 / count))
    quantiles = (words.settled(elementary.student_quantile(round(count) - 1, tail)) for tail in TAILS)
    low, high = (float(elementary.exp(middle + quantile * spread)) for quantile in quantiles)
    return low, high
