"""The summary of a sweep, as Markdown and as one page that stands alone: spreads, what moves them, verdicts."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import assumptions, figures, tables, words
from analysis.book.compare.changes import STYLE
from analysis.book.inputs import parameters
from analysis.book.pictures import on_page
from analysis.book.pictures.layout import WIDE
from analysis.book.record.policy import secured
from analysis.book.store import templates
from analysis.claims import robustness
from analysis.subjects import claims, numbers
from analysis.sweep import charts, index, statistics, work
from analysis.sweep.plan import Edition, Plan

MARKDOWN, PAGE = "summary.md", "summary.html"
MOST_TORNADOES = 6
ROW_PIXEL = 26
Section = tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, what is said before the table, heads of its columns, rows."""


def asked(plan: Plan, editions: Sequence[Edition]) -> dict[str, Any]:
    """What a sweep was asked for, as its folder remembers it."""
    return {
        "set": plan.fixed,
        "grid": plan.grid,
        "list": plan.listed,
        "draws": {"count": plan.count, "seed": plan.seed, "parameters": {name: _named(one) for name, one in plan.spreads.items()},
                  "cells": {cell.name: _named(cell.spread) for cell in plan.cells}} if plan.count else {},
        "data": plan.data,
        "numbers": plan.wanted,
        "editions": [one.name for one in editions],
    }  # fmt: skip


def _named(spread: Any) -> dict[str, Any]:
    return {"distribution": spread.kind, **spread.numbers}


@dataclass(frozen=True)
class Summary:
    """A sweep that has been carried out, and the book that it is held against."""

    plan: Plan
    source: Path
    n_edition: int
    package: tables.DataPackage
    failed: Sequence[Mapping[str, str]]

    @cached_property
    def _values(self) -> dict[str, Any]:
        return parameters.validated(self.plan.fixed)

    @cached_property
    def _claims(self) -> list[claims.Claim]:
        """The claims at the settings that all editions share, tried over many draws of what the plan draws, or of what is plausible."""
        given = work.given(numbers.VERDICTS, self._values)
        ranges = {name: spread.ends for name, spread in self.plan.spreads.items() if name in given}
        cells = {cell.address(): cell.ends() for cell in self.plan.cells}
        found = claims.evaluate(self.package, given)
        plausible = ranges if self.plan.count else {k: v for k, v in assumptions.plausible().items() if k in given}
        return robustness.tried(self.package, given, found, plausible=plausible, cells=cells, seed=self.plan.seed)

    @cached_property
    def _index(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return statistics.read(self.source, wanted=bool(self.plan.wanted))

    @cached_property
    def inputs(self) -> list[str]:
        """What varies."""
        names = [*self.plan.varied(), *(cell.name for cell in self.plan.cells)]
        return [*(["data"] if len(self.plan.data) > 1 else []), *names]

    @cached_property
    def spreads(self) -> pd.DataFrame:
        """How each number spreads."""
        found = self._index[0]
        own: dict[str, float] = {}
        for part in dict.fromkeys(numbers.part_of(key, self.package) for key in found["id"].unique()):
            told = numbers.found(part, self.package, work.given(part, self._values))
            own |= {one["id"]: one["number"] for one in told}
        return statistics.spreads(found, own)

    @cached_property
    def movers(self) -> pd.DataFrame:
        """What moves each number."""
        return statistics.movers(self._index[0], self.inputs)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """How often each verdict stands."""
        found = self._index[1]
        if found.empty:
            return pd.DataFrame(columns=["id", "verdict", "share", "else", "tried_share"])
        own = {claim.statement.id: claim.verdict for claim in self._claims}
        tried = {c.statement.id: c.robustness.share for c in self._claims if c.robustness.draws}
        return statistics.verdicts(found, own, tried)

    @property
    def lead(self) -> str:
        """What was done, in two sentences."""
        said = f"{words.plural(self.n_edition, 'edition', 'editions')}. "
        said += f"What varies: {words.listing(self.inputs)}." if self.inputs else "Nothing varies."
        lost = len({one["edition"] for one in self.failed})
        return said + (
            f" {words.plural(lost, 'edition', 'editions')} could not be computed as a whole." if lost else ""
        )

    def sections(self) -> list[Section]:
        """The tables in words, those without a row left out."""
        every: list[Section] = [
            ("Numbers", "The book's own is at the settings that all editions share.",
             ("number", "least", "p10", "median", "p90", "most", "the book's own", "editions"), self._spread_rows()),
            ("What moves them", "Medians where an input is in its lowest and in its highest quarter, and the rank correlation.",
             ("number", "input", "where low", "where high", "rank correlation"), self._mover_rows()),
            ("Verdicts", self._verdict_lead(),
             ("claim", "verdict of the book", "stands in", f"in {robustness.DRAWS:,} draws", "else mostly"), self._verdict_rows()),
            ("Failed", "", ("edition", "part", "error"), [(one["edition"], one["part"], one["error"]) for one in self.failed]),
        ]  # fmt: skip
        return [section for section in every if section[3]]

    def _spread_rows(self) -> list[tuple[str, ...]]:
        names = ["least", "p10", "median", "p90", "most", "own"]
        return [
            (one["id"], *(_quantity(one[name], one["unit"]) for name in names), f"{one['n_edition']:,}")
            for one in self.spreads.to_dict("records")
        ]

    def _mover_rows(self) -> list[tuple[str, ...]]:
        unit = dict(zip(self.spreads["id"], self.spreads["unit"], strict=True))
        return [
            (
                one["id"], one["input"], _quantity(one["at_low"], unit[one["id"]]), _quantity(one["at_high"], unit[one["id"]]),
                "" if math.isnan(one["rank_correlation"]) else f"{one['rank_correlation']:+.2f}".replace("-", "−"),
            )
            for one in self.movers.to_dict("records")
        ]  # fmt: skip

    def _verdict_lead(self) -> str:
        ranges = "the ranges of the plan" if self.plan.count else "the book's plausible ranges"
        steady = int((self.verdicts["share"] == 1).sum())
        return (
            f"The same in every edition: {steady} of {words.plural(len(self.verdicts), 'verdict')}. Beside the editions each is tried over "
            f"{robustness.DRAWS:,} draws from {ranges}; empty where nothing that is drawn moves it."
        )

    def _verdict_rows(self) -> list[tuple[str, ...]]:
        return [
            (one["id"], one["verdict"].replace("-", " "), _percent(one["share"]), _percent(one["tried_share"]),
             one["else"].replace("-", " "))
            for one in self.verdicts.to_dict("records")
        ]  # fmt: skip

    def pictures(self) -> list[figures.Figure]:
        """The charts, as far as there is something to draw."""
        drawn = [self._spread_picture(), *self._mover_pictures(), self._verdict_picture()]
        return [one for one in drawn if one is not None]

    def _spread_picture(self) -> figures.Figure | None:
        table = _in_parts(self.spreads, ["least", "p10", "p90", "most", "own"], self.spreads["median"])
        return _figure("sweep-spread", charts.spreads, table, "How far each number spreads",
                       "Line: least to most. Bar: the middle eight in ten. Red: the book's own.")  # fmt: skip

    def _mover_pictures(self) -> list[figures.Figure]:
        median = self.spreads.set_index("id")["median"]
        table = _in_parts(self.movers, ["at_low", "at_high"], self.movers["id"].map(median))
        shown = list(dict.fromkeys(table["id"]))[:MOST_TORNADOES]
        made = [
            _figure(f"sweep-movers-{key}", charts.movers, table[table["id"] == key], f"What moves {key}",
                    "Bar: from the median where the input is low (circle) to where it is high.")
            for key in shown
        ]  # fmt: skip
        return [one for one in made if one is not None]

    def _verdict_picture(self) -> figures.Figure | None:
        table = self.verdicts[self.verdicts["share"] < 1][["id", "verdict", "share"]]
        table = table.assign(verdict=table["verdict"].str.replace("-", " "))
        return _figure("sweep-verdicts", charts.verdicts, table, "How often the verdicts stand that do not always",
                       "Share of editions with the verdict that the book has.")  # fmt: skip


def _quantity(value: float, unit: str) -> str:
    if unit == "count" and float(value).is_integer():
        return f"{value:,.0f}"
    return "" if math.isnan(value) else words.quantity(value, unit)


def _percent(share: float) -> str:
    """A share in per cent; one below all is never shown as all."""
    return "" if math.isnan(share) else f"{100 if share == 1 else min(round(100 * share, 1), 99.9):g} %"


def _in_parts(table: pd.DataFrame, columns: list[str], of: Any) -> pd.DataFrame:
    """The table with these columns as parts of a value of its row, without rows that have none."""
    whole = of.where(of != 0, np.nan)
    parts = {f"{name}_ratio": table[name] / whole for name in columns}
    return table.assign(**parts)[~np.asarray(whole.isna())] if len(table) else table


def _figure(key: str, draw: Any, table: pd.DataFrame, title: str, subtitle: str) -> figures.Figure | None:
    if table.empty:
        return None
    published = figures.figure(
        key, draw(table), table, title=title, subtitle=subtitle, caption=subtitle, sources=[],
        alt=f"{title}, as a chart with {words.plural(len(table), 'row', 'rows')}; the table below has its numbers.",
        height=ROW_PIXEL * len(table) + 30,
    )  # fmt: skip
    return figures.Figure.of(published.bundle)


def write(
    folder: Path,
    plan: Plan,
    editions: Sequence[Edition],
    merged: Mapping[str, Path],
    failed: Sequence[Mapping[str, str]],
) -> None:
    """Write both forms beside the index."""
    package = tables.DataPackage(next(iter(merged.values())))
    made = Summary(plan, folder / index.FILE, len(editions), package, failed)
    (folder / MARKDOWN).write_text(as_markdown(made), encoding="utf-8")
    (folder / PAGE).write_text(as_page(made), encoding="utf-8")


def as_markdown(made: Summary) -> str:
    """For a repository or an e-mail."""
    parts = ["# A sweep of The Memory Wall", made.lead]
    for title, lead, heads, rows in made.sections():
        lines = [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
            for row in (heads, ("---",) * len(heads), *rows)
        ]
        parts += [f"## {title}", *([lead] if lead else []), "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def as_page(made: Summary) -> str:
    """One page that stands alone: no script, nothing to load, the pictures in it."""
    drawn = [(one, b64encode(on_page.page_picture(one, WIDE).encode()).decode()) for one in made.pictures()]
    page = templates.page(
        "sweep",
        title="A sweep of The Memory Wall",
        style=STYLE,
        lead=made.lead,
        sections=made.sections(),
        figures=drawn,
    )
    return secured(page)
