"""How a verdict is made: a rule computes readings of a claim, each reading holds or not, and the verdict follows.

A reading is one way to understand the claim.  Without a criterion of its own it is held against the article's number,
with the tolerance that the article's own wording sets; with one (``above=``, ``at_most=`` …) against that, and the page
shows it.  A rule gets its numbers from a ``Book``, which keeps account of what was looked up and of who says so.

Where the article leaves the deciding to us, a rule is asked again with every other ``Choice`` its words allow; a verdict
that one of them turns is ``ambiguous`` and says which.  Numbers may be arrays, one entry a draw: then no sentence is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from analysis import units
from analysis.claims.hangs import hangs, others
from analysis.claims.readings import (
    AMBIGUOUS,
    RELATIONS,
    SIDES,
    VERDICTS,
    Codes,
    Decided,
    Outcome,
    Reading,
    settled,
    verdict,
    verdicts,
)
from analysis.claims.statements import ABOUT_SHARE, OURS, Choice, Statement, factor, shown
from analysis.claims.verdicts import Claim
from analysis.equations.ranges import Result as Number
from analysis.equations.ranges import Values
from analysis.errors import InputError, Problem, nearest
from analysis.tables import DataPackage

# ------------------------------------------------------------------------------------------------------------- the book


class Rows:
    """The rows of all tables by their key, read once for all claims."""

    def __init__(self, package: DataPackage) -> None:
        self.package = package
        self._known: dict[str, dict[str, dict[str, Any]]] = {}
        self._found: dict[tuple[Any, ...], Any] = {}

    def once(self, key: tuple[Any, ...], find: Callable[[], Any]) -> Any:
        """What ``find`` gives, looked for once for all claims and draws."""
        if key not in self._found:
            self._found[key] = find()
        return self._found[key]

    def row(self, table: str, key: str) -> dict[str, Any]:
        """One row; the nearest id is named where there is none."""
        if table not in self._known:
            column = self.package.resource(table)["schema"]["primaryKey"][0]
            records = self.package.table(table).to_dict("records")
            self._known[table] = {str(row[column]): {str(name): row[name] for name in row} for row in records}
        if key not in self._known[table]:
            raise InputError.unknown("row", key, self._known[table], file=f"{table}.csv")
        return self._known[table][key]


@lru_cache(maxsize=2)
def shared_rows(package: DataPackage) -> Rows:
    """The rows of a package, read once for all settings of the parameters; those of the two packages asked for last are kept."""
    return Rows(package)


Cell = tuple[str, str, str]
"""Table, key, column."""


class Book:
    """The tables and parameters as one rule sees them; it keeps account of every number the rule looked up.

    ``parameters`` and ``cells`` may hold arrays, one entry a draw; ``choice`` is how the claim is decided.
    """

    def __init__(
        self,
        rows: Rows,
        parameters: Mapping[str, Any],
        statement: Statement,
        choice: Choice = OURS,
        cells: Mapping[Cell, Number] | None = None,
    ) -> None:
        self.package, self.row, self.once = rows.package, rows.row, rows.once
        self.parameters, self.statement, self.choice, self.cells = parameters, statement, choice, cells or {}
        self.inputs: dict[str, float | str] = {}
        self.cited: set[str] = set(statement.sources)

    def parameter(self, name: str) -> Number:
        """Give a parameter of this edition, in base units."""
        value: Number = self.parameters[name]
        self.inputs[f"parameter {name}"] = math.nan if np.ndim(value) else float(value)
        unit = units.parse(name)
        return value * (unit.factor if unit else 1.0)

    def criterion(self) -> float:
        """Give the criterion of ours that this claim is held against, in base units."""
        said = self.statement
        if not said.criteria:
            raise InputError.unknown("criterion of ours", said.id, (), file="claims.csv")
        self.inputs[f"claims {said.id} {self.choice.criterion} {said.criterion_unit}"] = value = said.criteria[
            self.choice.criterion
        ]
        return value * factor(said.criterion_unit)

    def value(self, table: str, key: str, column: str) -> Number:
        """One number of a table, in base units."""
        row = self.row(table, key)
        self._cite(row, table, column)
        self.inputs[f"{table} {key} {column}"] = value = float(row[column])
        return self.cells.get((table, key, column), value)

    def text(self, table: str, key: str, column: str) -> str:
        """One word of a table."""
        row = self.row(table, key)
        self._cite(row, table, column)
        self.inputs[f"{table} {key} {column}"] = value = str(row[column])
        return value

    def fact(self, key: str) -> Number:
        """One single fact, in base units."""
        row = self.row("facts", key)
        self._cite(row, "facts", "value")
        self.inputs[f"facts {key} {row['unit']}"] = value = float(row["value"])
        return self.cells.get(("facts", key, "value"), value) * factor(str(row["unit"]))

    def date(self, key: str) -> pd.Timestamp:
        """Give the day of a single fact."""
        row = self.row("facts", key)
        self._cite(row, "facts", "value")
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

    def _cite(self, row: Mapping[str, Any], table: str, column: str) -> None:
        """Cite the source of a row for a column that it states."""
        stated = self.once(("stated", table), lambda: self.package.stated(table))
        if row.get("source_id") and (not stated or column in stated):
            self.cited.add(str(row["source_id"]))

    def reading(
        self,
        label: str,
        value: Number,
        unit: str = "",
        *,
        high: Number | None = None,
        assumption: str = "",
        **criterion: Number,
    ) -> Reading:
        """One reading, held against the article's number or a criterion of its own (``above=``, ``at_most=`` …).

        A range (``value`` to ``high``) agrees with the article's number where it meets the tolerance, and with a
        criterion where all of it does.
        """
        unit, top = unit or self.statement.unit, value if high is None else high
        low_end, high_end = settled(value), settled(top)
        near = False
        if not criterion:
            words_, holds = self.statement.tolerance(self.choice), self._agree(low_end, high_end, self.choice)
            near = bool(np.all(~holds & self._agree(low_end, high_end, replace(self.choice, rounding=True))))
        else:
            [(name, limit)] = criterion.items()
            phrase, decide = RELATIONS[name]
            words_ = f"{phrase} {shown(limit, unit)}"
            holds = decide(low_end, settled(limit)) & decide(high_end, settled(limit))
        agrees = np.where(np.isnan(low_end) | np.isnan(high_end), math.nan, holds)
        return Reading(label, value, top, unit, words_, agrees, assumption, not criterion, near)

    def _agree(self, low: Values, high: Values, choice: Choice) -> Decided:
        """Whether a range meets the tolerance, or lies in it where the choice asks for that."""
        least, most = (settled(end) for end in self.statement.band(choice))
        if choice.whole_range:
            return np.asarray((least <= low) & (high <= most))
        return np.asarray((least <= high) & (low <= most))

    def number(self, label: str, value: Number, unit: str = "", *, high: Number | None = None) -> Reading:
        """Give a number to show first that decides nothing."""
        return Reading(label, value, value if high is None else high, unit or self.statement.unit, "", math.nan)


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


# --------------------------------------------------------------------------------------------------------- the verdicts


def evaluate(package: DataPackage, parameters: Mapping[str, Any], *, about_share: float = ABOUT_SHARE) -> list[Claim]:
    """Every claim of the article with its verdict, in the order of ``claims.csv``.

    ``about_share`` is how far a number called "about" may be missed; the book asks what another choice would change.

    Raises InputError where a claim has no rule or a rule no claim.
    """
    rows = package.table("claims").to_dict("records")
    statements = [Statement.of({str(name): value for name, value in row.items()}) for row in rows]
    _matched([statement.id for statement in statements])
    shared = shared_rows(package)
    return [decided(shared, parameters, statement, Choice(about_share)) for statement in statements]


def decided(rows: Rows, parameters: Mapping[str, Any], statement: Statement, choice: Choice = OURS) -> Claim:
    """One claim with its verdict, and what that hangs on."""
    book, made = Book(rows, parameters, statement, choice), RULES[statement.id]
    outcome = made.decide(book)
    outcome, found = replace(outcome, context=outcome.why), VERDICTS.index(verdict(outcome.readings))
    tried = [
        (kind, other, judged(Book(rows, parameters, statement, other)))
        for kind, other in others(outcome.readings, statement, choice)
    ]
    turning = hangs(statement, found, tried)
    return Claim(statement, outcome, made.formula, book.inputs, tuple(sorted(book.cited)), turning)


def judged(book: Book, n_draw: int = 1) -> Codes:
    """What the readings of a claim imply under the choice of ``book``, for every draw."""
    return verdicts(RULES[book.statement.id].decide(book).readings, n_draw)


def drawn(
    rows: Rows,
    parameters: Mapping[str, Any],
    statement: Statement,
    *,
    cells: Mapping[Cell, Number] | None = None,
    n_draw: int,
) -> Codes | None:
    """Give the verdict of a claim for every draw; None where no reading differs from draw to draw.

    ``parameters`` and ``cells`` hold arrays of ``n_draw`` values for what is drawn.  A verdict that a choice of ours turns
    is ``ambiguous``, as in a single edition.
    """
    book = Book(rows, parameters, statement, cells=cells)
    readings = RULES[statement.id].decide(book).readings
    if not any(np.ndim(reading.agrees) for reading in readings):
        return None
    found = verdicts(readings, n_draw)
    turned = np.zeros(n_draw, dtype=bool)
    for _, other in others(readings, statement, book.choice):
        turned |= SIDES[judged(Book(rows, parameters, statement, other, cells), n_draw)] != SIDES[found]
    return np.where(turned, AMBIGUOUS, found)


def _matched(ids: Sequence[str]) -> None:
    without = [
        Problem("claims.csv", f"claim {name!r} without a rule", "a rule in analysis/subjects", nearest(name, RULES))
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
