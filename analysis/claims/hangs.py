"""What a verdict hangs on: the ways to decide that the article's words leave to this book, and those that turn the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import words
from analysis.claims.readings import SIDES, VERDICTS, Codes, Reading
from analysis.claims.statements import CRITERIA, Choice, Statement, factor, shown

HALVED, DOUBLED = 0.5, 2.0
"""What else "about" may mean: half of the tolerance, or twice as much."""
SAID = {
    "reproduces": "it reproduces", "reproduces-under-assumption": "it reproduces under an assumption",
    "ambiguous": "it is ambiguous", "contradicted": "it is contradicted", "not-checkable": "it cannot be checked",
}  # fmt: skip
HANGS_ON = {
    "about": "how much “about” allows", "rounding": "less than the rounding of the article's own number",
    "range": "how a range is held against a number", "criterion": "a criterion of ours",
}  # fmt: skip


@dataclass(frozen=True)
class Hang:
    """Something the article leaves to us that turns a verdict: ``about``, ``rounding``, ``range`` or ``criterion``."""

    kind: str
    text: str


def others(readings: Sequence[Reading], statement: Statement, choice: Choice) -> list[tuple[str, Choice]]:
    """Every other way to decide that the article's words allow for these readings."""
    own = [reading for reading in readings if reading.is_own]
    found = []
    if own and statement.qualifier == "about":
        found += [("about", replace(choice, about_share=choice.about_share * times)) for times in (HALVED, DOUBLED)]
    if own and statement.half:
        found += [("rounding", replace(choice, rounding=True))]
    if any(not np.array_equal(reading.value, reading.value_high) for reading in own):
        found += [("range", replace(choice, whole_range=True))]
    if statement.criteria:
        found += [("criterion", replace(choice, criterion=end)) for end in CRITERIA[1:]]
    return found


def hangs(statement: Statement, found: int, tried: Sequence[tuple[str, Choice, Codes]]) -> tuple[Hang, ...]:
    """Give what turns the verdict ``found``, among what was tried; a kind that turns it twice is said once."""
    turning: dict[str, list[str]] = {}
    for kind, other, codes in tried:
        if SIDES[codes[0]] != SIDES[found]:
            said = f"{_chosen(statement, kind, other)} {SAID[VERDICTS[codes[0]]]}"
            turning.setdefault(kind, []).append(said)
    return tuple(Hang(kind, _told(statement, kind, said)) for kind, said in turning.items())


def _told(statement: Statement, kind: str, said: Sequence[str]) -> str:
    reason = f" {statement.criterion_reason}" if kind == "criterion" else ""
    return f"It hangs on {HANGS_ON[kind]}: {words.listing(said)}.{reason}"


def _chosen(statement: Statement, kind: str, other: Choice) -> str:
    """What another choice is, in words."""
    if kind == "about":
        return f"with {shown(other.about_share, 'percent')} to either side"
    if kind == "criterion":
        return f"at {limit(statement, other.criterion)}"
    return {"rounding": "with that granted", "range": "if all of it must lie within the tolerance"}[kind]


def limit(statement: Statement, end: str) -> str:
    """Give a criterion of ours, or an end of what the words allow, as it reads."""
    return shown(statement.criteria[end] * factor(statement.criterion_unit), statement.criterion_unit)


def unturned(statement: Statement, found: Sequence[Hang]) -> str:
    """What there is to say of a criterion of ours on which the verdict does not hang."""
    if not statement.criteria or any(hang.kind == "criterion" for hang in found):
        return ""
    low, high = (limit(statement, end) for end in CRITERIA[1:])
    return f"The criterion is ours; any from {low} to {high} gives the same. {statement.criterion_reason}"
