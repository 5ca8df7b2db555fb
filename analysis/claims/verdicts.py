"""A claim with its verdict: what decides it, what that hangs on, how it fares over plausible parameters, and all in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import units, words
from analysis.claims.hangs import HANGS_ON, Hang, unturned
from analysis.claims.readings import AMBIGUOUS, HOLDING, VERDICTS, Outcome, Reading, converted, verdict
from analysis.claims.statements import Statement, shown
from analysis.figures import plain


@dataclass(frozen=True)
class Flip:
    """The value of one parameter, in its own unit and with all others as they are, at which a verdict changes."""

    parameter: str
    value: float


@dataclass(frozen=True)
class Robustness:
    """How a verdict fares over plausible parameters.

    share   of the draws, that in which the verdict is the one of this edition; NaN where nothing was drawn
    draws   how many there were; 0 for a verdict that no parameter moves, because none is among what decides it
    flips   where a single parameter turns the verdict, the nearest value to each side
    """

    share: float = math.nan
    draws: int = 0
    flips: tuple[Flip, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give the entry in ``claims.json``; a share that is missing stays missing."""
        flips = [{"parameter": flip.parameter, "value": plain(flip.value)} for flip in self.flips]
        return {"share": plain(self.share), "draws": self.draws, "flips_at": flips}


UNTRIED = Robustness()


@dataclass(frozen=True)
class Claim:
    """A claim with its verdict.

    outcome     its readings, decided as this book chooses to; hangs: what else the article's words allow, and turns them
    robustness  how the verdict fares over plausible parameters, where that was asked
    """

    statement: Statement
    outcome: Outcome
    formula: str
    inputs: Mapping[str, float | str]
    sources: tuple[str, ...]
    hangs: tuple[Hang, ...] = ()
    robustness: Robustness = UNTRIED

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``: what the readings imply, unless that hangs on a choice of ours."""
        return VERDICTS[AMBIGUOUS] if self.hangs else verdict(self.outcome.readings)

    @property
    def deciding(self) -> Reading | None:
        """The reading whose number stands for the claim: the first that holds where the claim does, else the first."""
        readings = [reading for reading in self.outcome.readings if reading.holds is not None]
        if self.verdict in HOLDING:
            readings = [reading for reading in readings if reading.holds]
        return self.outcome.headline or next(iter(readings), None)

    @property
    def assumption(self) -> str:
        """What must be assumed for the claim to hold; empty under any other verdict."""
        if self.verdict != "reproduces-under-assumption":
            return ""
        named = [reading.assumption for reading in self.outcome.readings if reading.holds]
        return "; or ".join(dict.fromkeys(named))

    @property
    def explanation(self) -> str:
        """Why the verdict is what it is: the numbers first, then what it hangs on, then what the rule adds."""
        said = [
            conclusion(self),
            *(hang.text for hang in self.hangs),
            unturned(self.statement, self.hangs),
            f"It hangs on the setting: it turns at {flips(self)}, all else as it is." if self.robustness.flips else "",
            self.outcome.why,
        ]
        return " ".join(part for part in said if part)

    def as_dict(self) -> dict[str, Any]:
        """Give the entry in ``claims.json``; numbers in the unit named beside them."""
        said, found, first = self.statement, self.outcome, self.deciding
        unit = first.unit if first else ""
        latest = converted(found.latest, found.latest_unit or unit)
        return {
            "id": said.id, "chapter": said.chapter, "statement": said.text, "article_value": plain(said.printed),
            "article_value_high": plain(said.printed_high), "article_unit": said.unit, "article_text": said.shown,
            "qualifier": said.qualifier, "value": converted(first.value, unit) if first else None,
            "value_high": converted(first.value_high, unit) if first else None, "unit": unit,
            "text": first.text if first else "", "label": first.label if first else "",
            "verdict": self.verdict, "note": self.note, "assumption": self.assumption, "explanation": self.explanation,
            "formula": self.formula, "kind": said.kind, "hangs_on": [hang.kind for hang in self.hangs],
            "robustness": self.robustness.as_dict(),
            "inputs": {name: plain(value) for name, value in self.inputs.items()},
            "readings": [reading.as_dict() for reading in found.readings], "latest_value": latest,
            "latest_text": self.latest_text, "sources": list(self.sources),
        }  # fmt: skip

    @property
    def note(self) -> str:
        """What stands under the verdict wherever it is quoted: an assumption, a choice of ours, the setting, or that it is a definition."""
        ours = [HANGS_ON[hang.kind] for hang in self.hangs]
        turning = dict.fromkeys(_called(flip.parameter) for flip in self.robustness.flips)
        setting = [f"the setting ({words.listing([*turning])})"] if turning else []
        hanging = f"hangs on {words.listing([*ours, *setting])}" if ours or setting else ""
        kind = "a definition" if self.statement.kind == "definition" else ""
        return "; ".join(filter(None, (self.assumption, hanging, kind)))

    @property
    def latest_text(self) -> str:
        """The value with the newest data, and what it is of."""
        found = self.outcome
        if math.isnan(found.latest):
            return ""
        unit = found.latest_unit or (self.deciding.unit if self.deciding else "")
        return (
            f"{shown(found.latest, unit)} ({found.latest_label})" if found.latest_label else shown(found.latest, unit)
        )


def flips(claim: Claim) -> str:
    """Say at which value of a single parameter a verdict turns."""
    names = dict.fromkeys(flip.parameter for flip in claim.robustness.flips)
    values = {name: [flip.value for flip in claim.robustness.flips if flip.parameter == name] for name in names}
    return "; ".join(in_own_unit(name, found) for name, found in values.items())


def in_own_unit(name: str, values: Sequence[float]) -> str:
    """Give values of a parameter as they read: ``reading speed 244 or 269 words per minute``."""
    unit = units.parse(name)
    said = [words.quantity(value, unit.text if unit else "") for value in values]
    symbol = said[-1].partition(" ")[2]
    numbers = [one.removesuffix(f" {symbol}") for one in said[:-1]]
    return f"{units.stem(name).replace('_', ' ')} {words.listing([*numbers, said[-1]], 'or')}".strip()


def _called(parameter: str) -> str:
    """A parameter as a word: ``reading speed``, ``tokens per word``."""
    unit = units.parse(parameter)
    stem = units.stem(parameter).replace("_", " ")
    return (
        f"{stem}{' share' if unit and unit.text == 'share' else ''}"
        if stem or not unit
        else units.phrase(unit.text, plural=True)
    )


def conclusion(claim: Claim) -> str:
    """Give the verdict in a sentence with the numbers that decide it."""
    readings = [reading for reading in claim.outcome.readings if reading.holds is not None]
    holding, failing = [r for r in readings if r.holds], [r for r in readings if not r.holds]
    if claim.hangs:
        return undecided(holding, failing)
    if claim.verdict == "reproduces":
        return f"It holds: {listed(holding)}."
    if claim.verdict == "reproduces-under-assumption":
        otherwise = f" Otherwise not: {listed([r for r in failing if not r.assumption] or failing)}." if failing else ""
        return f"It holds if one assumes that {claim.assumption}: {listed(holding)}.{otherwise}"
    if claim.verdict == "ambiguous":
        return f"It depends on the reading. It holds for {listed(holding)}; it fails for {listed(failing)}."
    return f"It does not hold: {listed(failing)}." if failing else ""


def undecided(holding: Sequence[Reading], failing: Sequence[Reading]) -> str:
    """Give what the readings say as this book decides them, where another choice turns that."""
    granted = next(
        (f" That takes for granted that {reading.assumption}." for reading in holding if reading.assumption), ""
    )
    found = [("it holds for", holding), ("it fails for", failing)]
    said = "; ".join(f"{verb} {listed(readings)}" for verb, readings in found if readings)
    return f"Decided our way, {said}.{granted}"


MOST_LISTED = 4


def nearly(reading: Reading) -> str:
    """Say of a reading that it misses by less than the article's number is rounded."""
    return ", missed by less than the rounding of the number printed" if reading.is_near else ""


def listed(readings: Sequence[Reading]) -> str:
    """Give readings with their numbers and what each was held against."""
    said = [
        f"{reading.label}, {reading.text} (needed: {reading.criterion}{nearly(reading)})"
        for reading in readings[:MOST_LISTED]
    ]
    more = len(readings) - MOST_LISTED
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)
