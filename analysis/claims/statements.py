"""The article's side of a claim: its number, its hedge, its rounding, and how numbers read in the unit of a claim."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis import units, words
from analysis.equations.ranges import Result as Number

ABOUT_SHARE = 0.10
"""A number called "about" may be missed by a tenth."""
BOUND_SHARE = 0.01
"""A number called "at least" or "at most" is printed rounded: a hundredth beyond it still counts."""
HALF = 0.5
"""A number without a hedge stands for half a unit of its last printed digit to either side."""


@dataclass(frozen=True)
class Choice:
    """How a claim is decided where the article's words leave it to us; the default is this book's choice.

    about_share  how far a number called "about" may be missed
    criterion    which criterion of ours is taken: the column of ``claims.csv``
    whole_range  a range agrees only where all of it lies in the tolerance, not where it meets it
    rounding     a number that misses the tolerance by less than the article's own rounding agrees
    """

    about_share: float = ABOUT_SHARE
    criterion: str = "criterion_value"
    whole_range: bool = False
    rounding: bool = False


OURS = Choice()
"""How this book decides."""


# --------------------------------------------------------------------------------------------- numbers with their units


def factor(unit: str) -> float:
    """Say what a number in ``unit`` is multiplied with for base units; 1 for plain nouns such as chips."""
    try:
        return units.unit(unit).factor
    except KeyError:
        return 1.0


BILLION = 1e9
LEAST_IN_OWN_UNIT = 0.1
"""Gigabytes are not turned into hundreds of megabytes beside the article's 0.6 GB."""


def spoken(value: Number, digits: int = 3) -> str:
    """Give a plain number as it reads; nothing for the many numbers of draws, which have no one wording."""
    return "" if np.ndim(value) else words.number(float(value), digits)


def _base(unit: str) -> str:
    """The base unit in which ``words.quantity`` gives a number the prefix that reads best; none where it stays in its own."""
    try:
        base = units.unit(unit).base
    except KeyError:
        return ""
    binary = any(unit.startswith(prefix) for prefix in units.BINARY) and base != unit
    stepped = bool(units.steps(base)[0]) or base in words.WHOLE
    return base if stepped and not binary and unit != "percent" else ""


def shown(many: Number, unit: str, digits: int = 3) -> str:
    """Give a number in base units as it reads in the unit of a claim: ``0.398, percent`` → ``39.8 %``; of draws nothing."""
    if np.ndim(many):
        return ""
    value = float(many)
    if math.isnan(value):
        return words.MISSING
    own, base = value / factor(unit), _base(unit)
    if base == "usd" and value >= BILLION:
        return f"${words.number(value / BILLION, digits)} billion"
    if unit in ("gbyte", "gbyte_per_s") and LEAST_IN_OWN_UNIT <= own < 1:
        return f"{words.number(own, digits)} {units.unit(unit).symbol}"
    return words.quantity(value, base, digits) if base else _counted(own, unit, digits)


def _counted(own: float, unit: str, digits: int) -> str:
    if unit == "year" and own > words.FIRST_CALENDAR_YEAR:
        return f"{own:.0f}"
    number = f"{own:,.0f}" if math.isclose(own, round(own), abs_tol=1e-9) else words.number(own, digits)
    return number if unit in ("", "count") else f"{number} {units.phrase(unit, plural=number != '1')}"


# ------------------------------------------------------------------------------------------------ what the article says


@dataclass(frozen=True)
class Statement:
    """The article's side of a claim, as ``claims.csv`` files it; numbers in base units."""

    id: str
    chapter: str
    text: str
    printed: float
    printed_high: float
    unit: str
    qualifier: str
    is_checkable: bool
    sources: tuple[str, ...]
    rounding: float = math.nan
    kind: str = ""
    axis_name: str = ""
    criteria: Mapping[str, float] = field(default_factory=dict)
    criterion_unit: str = ""
    criterion_reason: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Statement:
        """One row of the table of claims."""
        cited = tuple(str(row[name]) for name in ("source_id", "primary_source_id") if row[name])
        numbers = (float(row["article_value"]), float(row["article_value_high"]))
        words_ = (str(row["claim_id"]), str(row["chapter"]), str(row["statement"]))
        ours = {name: float(row[name]) for name in CRITERIA} if row["criterion"] == "ours" else {}
        return cls(
            *words_, *numbers, str(row["article_unit"]), str(row["qualifier"]), bool(row["is_checkable"]), cited,
            float(row["article_rounding"]), str(row["kind"]), str(row["axis_name"]), ours,
            str(row["criterion_unit"]), str(row["criterion_reason"]),
        )  # fmt: skip

    @property
    def value(self) -> float:
        """The number printed, or the lower end of a printed range, in base units."""
        return self.printed * factor(self.unit)

    @property
    def value_high(self) -> float:
        """The upper end of a printed range; the number itself where there is no range."""
        return self.value if math.isnan(self.printed_high) else self.printed_high * factor(self.unit)

    @property
    def shown(self) -> str:
        """The article's number as it reads; empty where it prints none."""
        if math.isnan(self.printed):
            return ""
        first, second = (trimmed(value, self.unit) for value in (self.value, self.value_high))
        return first if first == second else joined(first, second)

    @property
    def half(self) -> float:
        """Half a unit of the last digit printed, in base units; 0 for counts."""
        return 0.0 if math.isnan(self.rounding) else HALF * self.rounding * factor(self.unit)

    def band(self, choice: Choice = OURS) -> tuple[float, float]:
        """Give the values that agree with the article's number, from its own hedge."""
        low, high = self._hedged(choice.about_share)
        if choice.rounding:
            return min(low, self.value - self.half), max(high, self.value_high + self.half)
        return low, high

    def _hedged(self, about_share: float) -> tuple[float, float]:
        if self.qualifier == "about":
            return self.value * (1 - about_share), self.value_high * (1 + about_share)
        if self.qualifier == "at-least":
            return self.value * (1 - BOUND_SHARE), math.inf
        if self.qualifier == "at-most":
            return -math.inf, self.value * (1 + BOUND_SHARE)
        return self.value - self.half, self.value_high + self.half

    def tolerance(self, choice: Choice = OURS) -> str:
        """Give the same in words."""
        low, high = self.band(choice)
        if self.qualifier == "at-least":
            return f"at least {self.shown}"
        if self.qualifier == "at-most":
            return f"at most {self.shown}"
        if self.qualifier == "about":
            return span(low, high, self.unit)
        return f"{self.shown} when rounded" if self.half else f"exactly {self.shown}"


CRITERIA = ("criterion_value", "criterion_low", "criterion_high")
"""Columns of a criterion of ours: the one taken, and the ends of what the article's words allow."""


def trimmed(value: float, unit: str) -> str:
    """Give the article's number as it is printed, without digits it does not have: ``7 B parameters``, ``0.6 GB``."""
    own = f"{value / factor(unit):,.10g}"
    if unit in ("param", "transistor", "usd"):
        return re.sub(r"\.?0+(?= |$)", "", shown(value, unit)) if value >= BILLION else shown(value, unit)
    if base := _base(unit):
        return f"{own} {units.unit(unit).symbol}".replace(" ×", "×") if base != "share" else shown(value, unit)
    return f"{own}{shown(value, unit).lstrip('0123456789.,')}"


def span(low: Number, high: Number, unit: str, digits: int = 3) -> str:
    """Give a number, or a range of two: ``41 to 60 %``."""
    if np.array_equal(low, high) or np.any(np.isnan(high)):
        return shown(low, unit, digits)
    return joined(shown(low, unit, digits), shown(high, unit, digits))


def joined(first: str, second: str) -> str:
    """Two numbers as a range; a unit they share is said once."""
    number, _, symbol = first.partition(" ")
    return f"{number} to {second}" if symbol and second.endswith(f" {symbol}") else f"{first} to {second}"
