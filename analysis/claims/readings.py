"""Readings of a claim, whether each agrees, and the verdict that follows; for one edition or for many draws at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.claims.statements import factor, span
from analysis.equations.ranges import Result as Number
from analysis.equations.ranges import Values
from analysis.figures import plain

VERDICTS = ("reproduces", "reproduces-under-assumption", "ambiguous", "contradicted", "not-checkable")
HOLDING = VERDICTS[:2]
"""Verdicts under which a claim holds."""
REPRODUCES, ASSUMED, AMBIGUOUS, CONTRADICTED, NOT_CHECKABLE = range(len(VERDICTS))
SIDES = np.array([0, 0, 1, 2, 3])
"""Verdict → what it says: that the claim holds, that it is open, that it fails, that nothing is known."""

Decided = npt.NDArray[np.bool_]
RELATIONS: dict[str, tuple[str, Callable[[Values, Values], Decided]]] = {
    "above": ("above", lambda value, limit: value > limit),
    "below": ("below", lambda value, limit: value < limit),
    "at_least": ("at least", lambda value, limit: value >= limit),
    "at_most": ("at most", lambda value, limit: value <= limit),
}
"""Criterion → how it reads, and how it is decided."""

SETTLED_BITS = 30
"""Numbers are rounded to so many binary digits, nine decimal ones, before they are compared: the last bits differ between processors."""


def settled(value: Number) -> Values:
    """``value`` at ``SETTLED_BITS`` significant bits, as everything is before it is compared."""
    part, power = np.frexp(np.asarray(value, dtype=np.float64))
    return np.asarray(np.ldexp(np.round(part * 2.0**SETTLED_BITS), power - SETTLED_BITS))


@dataclass(frozen=True)
class Reading:
    """One way to understand a claim: its value, the criterion it is held against, and whether it agrees (NaN: unknown)."""

    label: str
    value: Number
    value_high: Number
    unit: str
    criterion: str
    agrees: Number
    assumption: str = ""
    is_own: bool = False
    """Whether it is held against the article's own number."""
    is_near: bool = False
    """Whether it misses that by less than the number's own rounding."""

    @property
    def holds(self) -> bool | None:
        """Whether it agrees; None where its number is missing."""
        return None if math.isnan(self.agrees) else bool(self.agrees)

    @property
    def text(self) -> str:
        """The value as it reads."""
        return span(self.value, self.value_high, self.unit)

    def as_dict(self) -> dict[str, Any]:
        """Give the entry in ``claims.json``."""
        return {
            "label": self.label, "value": converted(self.value, self.unit),
            "value_high": converted(self.value_high, self.unit),
            "unit": self.unit, "text": self.text, "criterion": self.criterion, "holds": self.holds,
            "assumption": self.assumption,
        }  # fmt: skip


def converted(value: Number, unit: str) -> Any:
    """Give a number in base units as JSON knows it, in the unit named beside it."""
    return plain(float(value) / factor(unit))


@dataclass(frozen=True)
class Outcome:
    """What a rule found: readings, the number to show first, why (told when asked), and the same with the newest data."""

    readings: tuple[Reading, ...]
    context: str | Callable[[], str] = ""
    headline: Reading | None = None
    latest: Number = math.nan
    latest_unit: str = ""
    latest_label: str = ""

    @property
    def why(self) -> str:
        """What the rule adds to the numbers, in words."""
        return self.context if isinstance(self.context, str) else self.context()


Codes = npt.NDArray[np.int64]
"""Verdicts by their place in ``VERDICTS``, one a draw."""


def verdict(readings: Sequence[Reading]) -> str:
    """Give the verdict that the readings imply; see ``verdicts``."""
    return VERDICTS[verdicts(readings)[0]]


def verdicts(readings: Sequence[Reading], n_draw: int = 1) -> Codes:
    """Give the verdict that the readings imply, for every draw.

    Readings without an assumption count first: all hold, ``reproduces``; they split, ``ambiguous``.  Where none of them
    holds, an assumption under which all of its readings hold gives ``reproduces-under-assumption``; one under which they
    split, ``ambiguous``; and nothing that holds ``contradicted``.  A reading whose number is missing does not count;
    without any the claim is ``not-checkable``.
    """
    agrees = np.array([np.broadcast_to(reading.agrees, (n_draw,)) for reading in readings]).reshape(-1, n_draw)
    said = np.array([reading.assumption for reading in readings], dtype=object)
    all_plain, any_plain = _agreement(agrees[said == ""])
    assumed = [_agreement(agrees[said == name]) for name in dict.fromkeys(said) if name]
    under, split = np.array(assumed, dtype=bool).reshape(-1, 2, n_draw).any(axis=0).reshape(2, n_draw)
    cases = [np.isnan(agrees).all(axis=0), all_plain, any_plain, under, split]
    return np.select(cases, [NOT_CHECKABLE, REPRODUCES, AMBIGUOUS, ASSUMED, AMBIGUOUS], CONTRADICTED)


def _agreement(agrees: Values) -> tuple[Decided, Decided]:
    """Whether all readings that are known agree, and whether any does, for every draw."""
    some = (agrees == 1).any(axis=0)
    return some & (agrees != 0).all(axis=0), some
