"""How an uncertain input is spread, and values drawn from it: a Latin hypercube, one stratum a draw and input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analysis import words
from analysis.claims import robustness
from analysis.equations import elementary
from analysis.equations.ranges import Values

KINDS: Mapping[str, tuple[str, ...]] = {
    "uniform": ("low", "high"),
    "log-uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "normal": ("mean", "sd"),
}
"""Distribution → the numbers it takes.  A normal one is cut at the range that its input may have."""


@dataclass(frozen=True)
class Spread:
    """A distribution with its numbers; ``within`` is the range of values that are accepted at all."""

    kind: str
    numbers: Mapping[str, float]
    within: tuple[float, float] = (-math.inf, math.inf)

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value; of a normal one where it is cut, at most three standard deviations from its mean."""
        if self.kind != "normal":
            return self.numbers["low"], self.numbers["high"]
        mean, sd = self.numbers["mean"], self.numbers["sd"]
        return max(mean - 3 * sd, self.within[0]), min(mean + 3 * sd, self.within[1])

    def why_not(self) -> str:
        """What is wrong with its numbers; empty where nothing is."""
        if self.kind == "normal" and self.numbers["sd"] <= 0:
            return "a standard deviation above 0"
        ordered = [self.numbers[name] for name in ("low", "mode", "high") if name in self.numbers]
        if ordered != sorted(ordered) or (ordered and ordered[0] == ordered[-1]):
            return f"{' below '.join(name for name in KINDS[self.kind])}"
        if self.kind == "log-uniform" and ordered[0] <= 0:
            return "a low end above 0, of which there is a logarithm"
        low, high = self.ends
        if low < self.within[0] or high > self.within[1] or low >= high:
            return f"values from {self.within[0]:g} to {self.within[1]:g}"
        return ""

    def at(self, shares: Values) -> Values:
        """The values below which these shares of the distribution lie, at six significant digits."""
        return np.array([words.significant(float(value)) for value in QUANTILES[self.kind](self, np.asarray(shares))])


def _uniform(spread: Spread, shares: Values) -> Values:
    low, high = spread.ends
    return low + (high - low) * shares


def _log_uniform(spread: Spread, shares: Values) -> Values:
    low, high = spread.ends
    return low * np.asarray(elementary.power(high / low, shares))


def _triangular(spread: Spread, shares: Values) -> Values:
    low, mode, high = (spread.numbers[name] for name in KINDS["triangular"])
    left = (mode - low) / (high - low)
    rising = low + np.sqrt(shares * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - shares) * (high - low) * (high - mode))
    return np.where(shares < left, rising, falling)


def _normal(spread: Spread, shares: Values) -> Values:
    curve = NormalDist(spread.numbers["mean"], spread.numbers["sd"])
    least, most = (curve.cdf(end) for end in spread.ends)
    return np.array([curve.inv_cdf(least + (most - least) * float(share)) for share in shares])


QUANTILES: Mapping[str, Callable[[Spread, Values], Values]] = {
    "uniform": _uniform,
    "log-uniform": _log_uniform,
    "triangular": _triangular,
    "normal": _normal,
}


def drawn(name: str, spread: Spread, count: int, seed: int) -> Values:
    """Values of one input: one from each of ``count`` parts of equal probability, in an order of the input's own.

    The order follows from name and seed alone: one more input moves no other, and every processor draws the same.
    """
    return spread.at(robustness.draw(name, (0.0, 1.0), count, seed))
