"""The landing page of a figure and the gallery of all of them."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx

from analysis import units, words
from analysis.book.inputs import parameters
from analysis.book.pages import entry_page, menu, pieces, registry, run_note
from analysis.book.pages.numbering import chapter_title, figure_number
from analysis.book.record import edition, editions
from analysis.book.store import templates
from analysis.book.store.cache import recalled
from analysis.figures import Column, Field, Figure, Table

PREFIXES = ((1e12, "t"), (1e9, "g"), (1e6, "m"), (1e3, "k"))


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of the gallery and of every figure."""
    figures = registry.of(app.env).figures()
    if not figures:
        return
    yield "figures/index", {"title": "Figures", "body": _gallery(app, figures)}, "page.html"
    for document, figure in figures:
        name = f"figures/{figure.id}/index"
        yield name, {"title": figure.title, "body": _landing(app, document, figure, name)}, "page.html"


def _gallery(app: Sphinx, figures: list[tuple[str, Figure]]) -> str:
    cards = [(chapter_title(app, document), figure_number(app, document, one.id), one) for document, one in figures]
    return templates.page("gallery", cards=cards, chapters=dict.fromkeys(chapter for chapter, _, _ in cards))


def _landing(app: Sphinx, document: str, figure: Figure, name: str) -> str:
    return templates.page(
        "figure",
        figure=figure, number=figure_number(app, document, figure.id), chapter=chapter_title(app, document),
        title=words.unbroken(figure.title), subtitle=words.unbroken(figure.subtitle),
        back=f"{pieces.relative(name, f'{document}.html')}#{figure.id}", caption=re.sub(r"\*\*|`", "", figure.caption),
        chart=pieces.chart(figure, name, heading=""), menu=menu.figure_menu(app, document, figure, name),
        left_out=left_to_the_csv(figure), data=_data(app, figure, name), sources=pieces.source_list(edition.package(app), figure.sources),
        equation_page=_equation_page(app, document, figure), commit=edition.commit(), code=_highlighted(figure.code),
        functions=[_function(*it) for it in figure.functions], changed=_changed(app, document, figure),
        cite=menu.citation_block(menu.figure_work(app, document, figure)),
        edition=edition.name(app), frozen=editions.FOLDER, earlier=editions.having(app, figure.id),
    )  # fmt: skip


def _data(app: Sphinx, figure: Figure, name: str) -> Markup:
    listed = replace(figure, rows=figure.rows[:MOST_LISTED])
    shown, place = entry_page.linked(app, readable(listed), f"{name}.html"), f"figures/{figure.id}/data.rows.js"
    return pieces.fresh_table(Path(app.outdir), f"{name}.html", place, shown)


MOST_LISTED = 10_000
"""Rows that a page lists, those that it loads on request too: more than that, as an analyst's data make it, nobody reads."""


def left_to_the_csv(figure: Figure) -> Markup:
    """A note where the table of a page ends before the data do; nothing where it has them all."""
    if len(figure.rows) <= MOST_LISTED:
        return Markup("")
    return Markup(
        '<p class="mw-more">Listed: {:,} of {:,} rows. <a href="{}.csv">The CSV</a> has them all.</p>'
    ).format(MOST_LISTED, len(figure.rows), figure.id)


def readable(figure: Figure) -> Table:
    """The plotted table with a prefix per column that reads well: bytes per second become GB/s."""
    scales = [_scale(field, [row[index] for row in figure.rows]) for index, field in enumerate(figure.fields)]
    columns = [
        Column(field.name, field.title, symbol, 4) for field, (_, symbol) in zip(figure.fields, scales, strict=True)
    ]
    rows = [[_scaled(cell, factor) for cell, (factor, _) in zip(row, scales, strict=True)] for row in figure.rows]
    return Table(f"{figure.id}-data", columns, [field.name for field in figure.fields], rows)


def _scaled(cell: Any, factor: float) -> Any:
    return cell if factor == 1 or isinstance(cell, (bool, str)) or cell is None else cell / factor


def _scale(field: Field, cells: list[Any]) -> tuple[float, str]:
    unit = units.parse(field.name)
    numbers = sorted(
        abs(cell) for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell
    )
    if unit is None or units.steps(unit.text)[0] not in (units.SI, units.COUNTS) or not numbers:
        return 1.0, field.unit
    middle = numbers[len(numbers) // 2]
    for factor, prefix in PREFIXES:
        if middle >= factor and math.isfinite(middle):
            return factor, units.unit(prefix + unit.text).symbol
    return 1.0, field.unit


def _equation_page(app: Sphinx, document: str, figure: Figure) -> str:
    """Where the equation stands that the figure draws: in its own chapter, where no other numbers it."""
    numbered = app.env.get_domain("math").equations  # type: ignore[attr-defined]
    chapter = numbered[figure.equation][0] if figure.equation in numbered else document
    return pieces.relative(f"figures/{figure.id}/index", f"{chapter}.html")


def _function(module: str, name: str) -> tuple[str, str, Markup]:
    """Its name, where it stands, how it reads."""
    lines, start = inspect.getsourcelines(getattr(import_module(module), name))
    return name, f"{module.replace('.', '/')}.py, line {start}", _highlighted("".join(lines))


def _highlighted(code: str) -> Markup:
    return Markup(_coloured(code))  # noqa: S704 - Pygments escapes what it colours


@recalled
def _coloured(code: str) -> str:
    return f'<div class="highlight">{highlight(code, PythonLexer(), HtmlFormatter(nowrap=False))}</div>' if code else ""


def _changed(app: Sphinx, document: str, figure: Figure) -> str:
    """The parameters of a figure that are not at their defaults."""
    given = run_note.parameters_of(app, document.rsplit("/", 1)[-1], figure.id)
    defaults = parameters.defaults()
    return "; ".join(
        f"{name} = {value} (default {defaults[name]})" for name, value in given.items() if value != defaults[name]
    )
