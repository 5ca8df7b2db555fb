"""How a verdict is made: a rule computes readings of a claim, each reading holds or not, and the verdict follows.

A reading is one way to understand the claim.  Without a criterion of its own it is held against the article's number,
with the tolerance that the article's own wording sets; with one (``above=``, ``at_most=`` …) against that, and the page
shows it.  A rule gets its numbers from a ``Book``, which keeps account of what was looked up and of who says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis import units, words
from analysis.errors import InputError, Problem, nearest
from analysis.figures import plain
from analysis.tables import DataPackage

ABOUT_SHARE = 0.10
"""A number called "about" may be missed by a tenth."""
BOUND_SHARE = 0.01
"""A number called "at least" or "at most" is printed rounded: a hundredth beyond it still counts."""
HALF = 0.5
"""A number without a hedge stands for half a unit of its last printed digit to either side."""

VERDICTS = ("reproduces", "reproduces-under-assumption", "ambiguous", "contradicted", "not-checkable")

RELATIONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "above": ("above", lambda value, limit: value > limit),
    "below": ("below", lambda value, limit: value < limit),
    "at_least": ("at least", lambda value, limit: value >= limit),
    "at_most": ("at most", lambda value, limit: value <= limit),
}
"""Criterion → how it reads, and how it is decided."""


# --------------------------------------------------------------------------------------------- numbers with their units


def factor(unit: str) -> float:
    """Say what a number in ``unit`` is multiplied with for base units; 1 for plain nouns such as chips."""
    try:
        return units.unit(unit).factor
    except KeyError:
        return 1.0


SHOWN_IN_BASE = {
    "gbyte": "byte", "mbyte": "byte", "byte": "byte", "gbyte_per_s": "byte_per_s", "byte_per_token": "byte_per_token",
    "param": "param", "transistor": "transistor", "s": "s", "ms": "s", "usd": "usd", "ratio": "ratio", "flop": "flop",
}  # fmt: skip
"""Units whose numbers ``words.quantity`` gives the prefix that reads best."""
SUFFIXES = {"percent": "%", "gibyte": "GiB", "mibyte": "MiB", "mm2": "mm²"}
NOUNS = {"gpu": "GPU", "word_per_token": "word per token", "byte_per_param": "byte per parameter"}
FIRST_CALENDAR_YEAR = 1900
BILLION = 1e9
LEAST_IN_OWN_UNIT = 0.1
"""Gigabytes are not turned into hundreds of megabytes beside the article's 0.6 GB."""


def shown(value: float, unit: str, digits: int = 3) -> str:
    """Give a number in base units as it reads in the unit of a claim: ``0.398, percent`` → ``39.8 %``."""
    if math.isnan(value):
        return words.MISSING
    own = value / factor(unit)
    if unit == "usd" and value >= BILLION:
        return f"${words.number(value / BILLION, digits)} billion"
    if unit in ("gbyte", "gbyte_per_s") and LEAST_IN_OWN_UNIT <= own < 1:
        return f"{words.number(own, digits)} {OWN_UNIT[unit]}"
    if unit in SHOWN_IN_BASE:
        return words.quantity(value, SHOWN_IN_BASE[unit], digits)
    return _counted(own, unit, digits)


def _counted(own: float, unit: str, digits: int) -> str:
    if unit == "year" and own > FIRST_CALENDAR_YEAR:
        return f"{own:.0f}"
    number = f"{own:,.0f}" if math.isclose(own, round(own), abs_tol=1e-9) else words.number(own, digits)
    if unit in SUFFIXES:
        return f"{number} {SUFFIXES[unit]}"
    return number if unit in ("", "count") else f"{number} {noun(unit, plural=number != '1')}"


def noun(unit: str, *, plural: bool) -> str:
    """Give a unit as a word: ``token_per_s`` → ``tokens per second``, ``chip`` → ``chips``."""
    text = NOUNS.get(unit, unit.replace("_", " ")).replace(" per s", " per second").replace(" per min", " per minute")
    head, *rest = text.split(" per ")
    many = "companies" if head == "company" else f"{head}s"
    return " per ".join([many if plural else head, *rest])


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
    about_share: float = ABOUT_SHARE

    @classmethod
    def of(cls, row: Mapping[str, Any], about_share: float = ABOUT_SHARE) -> Statement:
        """One row of the table of claims."""
        cited = tuple(str(row[name]) for name in ("source_id", "primary_source_id") if row[name])
        numbers = (float(row["article_value"]), float(row["article_value_high"]))
        words_ = (str(row["claim_id"]), str(row["chapter"]), str(row["statement"]))
        return cls(
            *words_, *numbers, str(row["article_unit"]), str(row["qualifier"]), bool(row["is_checkable"]), cited,
            about_share,
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

    def band(self) -> tuple[float, float]:
        """Give the values that agree with the article's number, from its own hedge."""
        if self.qualifier == "about":
            return self.value * (1 - self.about_share), self.value_high * (1 + self.about_share)
        if self.qualifier == "at-least":
            return self.value * (1 - BOUND_SHARE), math.inf
        if self.qualifier == "at-most":
            return -math.inf, self.value * (1 + BOUND_SHARE)
        half = HALF * float(f"1e-{decimals(self.printed)}") * factor(self.unit)
        return self.value - half, self.value_high + half

    def tolerance(self) -> str:
        """Give the same in words."""
        low, high = self.band()
        if self.qualifier == "at-least":
            return f"at least {self.shown}"
        if self.qualifier == "at-most":
            return f"at most {self.shown}"
        if self.qualifier == "about":
            return span(low, high, self.unit)
        return f"{self.shown} when rounded" if ROUNDED & set(self.unit.split("_")) else f"exactly {self.shown}"


def decimals(printed: float) -> int:
    """Digits after the point of a number as it was printed."""
    text = f"{printed:.15g}"
    return len(text.partition(".")[2])


ROUNDED = {"percent", "gbyte", "s", "ms", "token"}
"""Units of numbers that are printed rounded; counts are exact."""
OWN_UNIT = {"gbyte": "GB", "gbyte_per_s": "GB/s", "ms": "ms", "s": "s", "ratio": "×"}


def trimmed(value: float, unit: str) -> str:
    """Give the article's number as it is printed, without digits it does not have: ``7 B parameters``, ``0.6 GB``."""
    own = f"{value / factor(unit):,.10g}"
    if unit in OWN_UNIT:
        return f"{own} {OWN_UNIT[unit]}".replace(" ×", "×")
    if unit in ("param", "transistor", "usd"):
        return re.sub(r"\.?0+(?= |$)", "", shown(value, unit)) if value >= BILLION else shown(value, unit)
    return f"{own}{shown(value, unit).lstrip('0123456789.,')}"


def span(low: float, high: float, unit: str, digits: int = 3) -> str:
    """Give a number, or a range of two: ``41 to 60 %``."""
    if low == high or math.isnan(high):
        return shown(low, unit, digits)
    return joined(shown(low, unit, digits), shown(high, unit, digits))


def joined(first: str, second: str) -> str:
    """Two numbers as a range; a unit they share is said once."""
    number, _, symbol = first.partition(" ")
    return f"{number} to {second}" if symbol and second.endswith(f" {symbol}") else f"{first} to {second}"


# ---------------------------------------------------------------------------------------------------- readings, outcome


@dataclass(frozen=True)
class Reading:
    """One way to understand a claim: its value, the criterion it is held against, and whether it holds."""

    label: str
    value: float
    value_high: float
    unit: str
    criterion: str
    holds: bool | None
    assumption: str = ""

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


def converted(value: float, unit: str) -> Any:
    """Give a number in base units as JSON knows it, in the unit named beside it."""
    return plain(value / factor(unit))


@dataclass(frozen=True)
class Outcome:
    """What a rule found: readings, the number to show first, why, and the same with the newest data."""

    readings: tuple[Reading, ...]
    context: str = ""
    headline: Reading | None = None
    latest: float = math.nan
    latest_unit: str = ""
    latest_label: str = ""


def verdict(readings: Sequence[Reading]) -> str:
    """Give the verdict that the readings imply.

    Readings without an assumption count first: all hold, ``reproduces``; they split, ``ambiguous``.  Where none of them
    holds, one that holds under a named assumption gives ``reproduces-under-assumption``, and nothing that holds
    ``contradicted``.  A reading whose number is missing does not count; without any the claim is ``not-checkable``.
    """
    known = [reading for reading in readings if reading.holds is not None]
    plain_ = [reading.holds for reading in known if not reading.assumption]
    if not known:
        return "not-checkable"
    if plain_ and all(plain_):
        return "reproduces"
    if any(plain_):
        return "ambiguous"
    return "reproduces-under-assumption" if any(reading.holds for reading in known) else "contradicted"


# ------------------------------------------------------------------------------------------------------------- the book


class Rows:
    """The rows of all tables by their key, read once for all claims."""

    def __init__(self, package: DataPackage) -> None:
        self.package = package
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def row(self, table: str, key: str) -> dict[str, Any]:
        """One row; the nearest id is named where there is none."""
        if table not in self._known:
            column = self.package.resource(table)["schema"]["primaryKey"][0]
            records = self.package.table(table).to_dict("records")
            self._known[table] = {str(row[column]): {str(name): row[name] for name in row} for row in records}
        if key not in self._known[table]:
            raise InputError.unknown("row", key, self._known[table], file=f"{table}.csv")
        return self._known[table][key]


class Book:
    """The tables and parameters as one rule sees them; it keeps account of every number the rule looked up."""

    def __init__(self, rows: Rows, parameters: Mapping[str, Any], statement: Statement) -> None:
        self.package, self.row, self.parameters, self.statement = rows.package, rows.row, parameters, statement
        self.inputs: dict[str, float | str] = {}
        self.cited: set[str] = set(statement.sources)

    def parameter(self, name: str) -> float:
        """Give a parameter of this edition, in base units."""
        value = float(self.parameters[name])
        self.inputs[f"parameter {name}"] = value
        unit = units.parse(name)
        return value * (unit.factor if unit else 1.0)

    def value(self, table: str, key: str, column: str) -> float:
        """One number of a table, in base units."""
        row = self.row(table, key)
        self._cite(row)
        self.inputs[f"{table} {key} {column}"] = value = float(row[column])
        return value

    def text(self, table: str, key: str, column: str) -> str:
        """One word of a table."""
        row = self.row(table, key)
        self._cite(row)
        self.inputs[f"{table} {key} {column}"] = value = str(row[column])
        return value

    def fact(self, key: str) -> float:
        """One single fact, in base units."""
        row = self.row("facts", key)
        self._cite(row)
        self.inputs[f"facts {key} {row['unit']}"] = value = float(row["value"])
        return value * factor(str(row["unit"]))

    def date(self, key: str) -> pd.Timestamp:
        """Give the day of a single fact."""
        row = self.row("facts", key)
        self._cite(row)
        self.inputs[f"facts {key} date"] = str(row["date"])
        return pd.Timestamp(str(row["date"]))

    def of_claim(self, key: str) -> float:
        """Give the article's number in another of its claims, in base units."""
        claim = Statement.of(self.row("claims", key))
        self.inputs[f"claims {key} {claim.unit}"] = claim.printed
        return claim.value

    def table(self, name: str) -> pd.DataFrame:
        """Give a whole table, from which a rule picks the rows it then looks up."""
        return self.package.table(name)

    def _cite(self, row: Mapping[str, Any]) -> None:
        if row.get("source_id"):
            self.cited.add(str(row["source_id"]))

    def reading(
        self,
        label: str,
        value: float,
        unit: str = "",
        *,
        high: float | None = None,
        assumption: str = "",
        **criterion: float,
    ) -> Reading:
        """One reading, held against the article's number or a criterion of its own (``above=``, ``at_most=`` …).

        A range (``value`` to ``high``) agrees with the article's number where it meets the tolerance, and with a
        criterion where all of it does.
        """
        unit, top = unit or self.statement.unit, value if high is None else float(high)
        if not criterion:
            low_limit, high_limit = self.statement.band()
            words_, holds = self.statement.tolerance(), low_limit <= top and value <= high_limit
        else:
            [(name, limit)] = criterion.items()
            phrase, decide = RELATIONS[name]
            words_ = f"{phrase} {shown(limit, unit)}"
            holds = decide(value, limit) and decide(top, limit)
        known = not (math.isnan(value) or math.isnan(top))
        return Reading(label, float(value), top, unit, words_, bool(holds) if known else None, assumption)

    def number(self, label: str, value: float, unit: str = "", *, high: float | None = None) -> Reading:
        """Give a number to show first that decides nothing."""
        top = value if high is None else high
        return Reading(label, float(value), float(top), unit or self.statement.unit, "", None)


# ------------------------------------------------------------------------------------------------------------ the rules


@dataclass(frozen=True)
class Rule:
    """How one claim is decided."""

    decide: Callable[[Book], Outcome]
    formula: str


RULES: dict[str, Rule] = {}


def rule(claim_id: str, formula: str = "") -> Callable[[Callable[[Book], Outcome]], Callable[[Book], Outcome]]:
    """Register the rule of a claim; ``formula`` is what it computes, in one line."""

    def register(decide: Callable[[Book], Outcome]) -> Callable[[Book], Outcome]:
        if claim_id in RULES:
            raise ValueError(f"claim {claim_id!r} has two rules")
        RULES[claim_id] = Rule(decide, formula)
        return decide

    return register


def not_checkable(claim_id: str, why: str) -> None:
    """Register a claim that no number can decide, with the reason."""
    rule(claim_id)(lambda _: Outcome((), why))


@dataclass(frozen=True)
class Claim:
    """A claim with its verdict."""

    statement: Statement
    outcome: Outcome
    formula: str
    inputs: Mapping[str, float | str]
    sources: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        return verdict(self.outcome.readings)

    @property
    def deciding(self) -> Reading | None:
        """The reading whose number stands for the claim: the first that holds where the claim does, else the first."""
        readings = [reading for reading in self.outcome.readings if reading.holds is not None]
        if self.verdict.startswith("reproduces"):
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
        """Why the verdict is what it is: the numbers first, then what the rule adds."""
        return " ".join(part for part in (conclusion(self), self.outcome.context) if part)

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
            "verdict": self.verdict, "assumption": self.assumption, "explanation": self.explanation,
            "formula": self.formula,
            "inputs": {name: plain(value) for name, value in self.inputs.items()},
            "readings": [reading.as_dict() for reading in found.readings], "latest_value": latest,
            "latest_text": self.latest_text, "sources": list(self.sources),
        }  # fmt: skip

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


def conclusion(claim: Claim) -> str:
    """Give the verdict in a sentence with the numbers that decide it."""
    readings = [reading for reading in claim.outcome.readings if reading.holds is not None]
    holding, failing = [r for r in readings if r.holds], [r for r in readings if not r.holds]
    if claim.verdict == "reproduces":
        return f"It holds: {listed(holding)}."
    if claim.verdict == "reproduces-under-assumption":
        otherwise = f" Otherwise not: {listed([r for r in failing if not r.assumption] or failing)}." if failing else ""
        return f"It holds if one assumes that {claim.assumption}: {listed(holding)}.{otherwise}"
    if claim.verdict == "ambiguous":
        return f"It depends on the reading. It holds for {listed(holding)}; it fails for {listed(failing)}."
    return f"It does not hold: {listed(failing)}." if failing else ""


MOST_LISTED = 4


def listed(readings: Sequence[Reading]) -> str:
    """Give readings with their numbers and what each was held against."""
    said = [f"{reading.label}, {reading.text} (needed: {reading.criterion})" for reading in readings[:MOST_LISTED]]
    more = len(readings) - MOST_LISTED
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)


def evaluate(package: DataPackage, parameters: Mapping[str, Any], *, about_share: float = ABOUT_SHARE) -> list[Claim]:
    """Every claim of the article with its verdict, in the order of ``claims.csv``.

    ``about_share`` is how far a number called "about" may be missed; the book asks what another choice would change.

    Raises InputError where a claim has no rule or a rule no claim.
    """
    rows = package.table("claims").to_dict("records")
    statements = [Statement.of({str(name): value for name, value in row.items()}, about_share) for row in rows]
    _matched([statement.id for statement in statements])
    shared = Rows(package)
    return [decided(shared, parameters, statement) for statement in statements]


def decided(rows: Rows, parameters: Mapping[str, Any], statement: Statement) -> Claim:
    """One claim with its verdict."""
    book, made = Book(rows, parameters, statement), RULES[statement.id]
    outcome = made.decide(book)
    return Claim(statement, outcome, made.formula, book.inputs, tuple(sorted(book.cited)))


def _matched(ids: Sequence[str]) -> None:
    without = [
        Problem("claims.csv", f"claim {name!r} without a rule", "a rule in analysis/claims", nearest(name, RULES))
        for name in ids
        if name not in RULES
    ]
    orphans = [
        Problem("claims.csv", f"a rule for {name!r}, which is no claim", "one row per rule", nearest(name, ids))
        for name in RULES
        if name not in ids
    ]
    if without or orphans:
        raise InputError([*without, *orphans])
