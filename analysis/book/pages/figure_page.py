"""The landing page of a figure and the gallery of all of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx

from analysis import units
from analysis.book.inputs import parameters
from analysis.book.pages import entry_page, menu, pieces, registry
from analysis.book.pages.numbering import chapter_title, figure_number
from analysis.book.record import edition, editions
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
    cards = "".join(_card(app, document, figure) for document, figure in figures)
    chapters = dict.fromkeys(chapter_title(app, document) for document, _ in figures)
    options = "".join(f"<option>{escape(chapter)}</option>" for chapter in chapters)
    return (
        f"<h1>Figures</h1><p class=mw-answer>{len(figures)} figures, each with its data, its sources, its code and a citation.</p>"
        '<div class="mw-table-bar mw-gallery-bar" hidden>'
        '<input type="search" placeholder="Words in title or caption" aria-label="Filter figures">'
        f'<label>Chapter <select><option value="">all</option>{options}</select></label><output></output></div>'
        f'<div class="mw-gallery">{cards}</div>'
        f'<p>As a catalogue for programs: <a href="../figures.json">figures.json</a>.</p>'
    )


def _card(app: Sphinx, document: str, figure: Figure) -> str:
    pictures = "".join(
        f'<img class="mw-{mode}" src="{figure.id}/wide-{mode}.svg" alt="" loading="lazy">' for mode in ("light", "dark")
    )
    chapter = escape(chapter_title(app, document), quote=True)
    return (
        f'<a class="mw-card" href="{figure.id}/index.html" data-chapter="{chapter}" '
        f'data-words="{escape(figure.caption, quote=True)}">{pictures}'
        f"<span>Figure {figure_number(app, document, figure.id)}</span><strong>{escape(figure.title)}</strong></a>"
    )


def _landing(app: Sphinx, document: str, figure: Figure, name: str) -> str:
    back = f"{pieces.relative(name, f'{document}.html')}#{figure.id}"
    sections = (
        _notice(figure), _data(app, figure, name), _columns(figure),
        f'<h2 id="sources">Sources</h2>{pieces.source_list(figure.sources)}',
        _making(app, document, figure), _parameters(app),
        menu.citation_block(menu.figure_work(app, document, figure)), _history(app, figure),
    )  # fmt: skip
    return (
        f"<h1>Figure {figure_number(app, document, figure.id)}</h1>"
        f'<p>From the chapter <a href="{back}">{escape(chapter_title(app, document))}</a>.</p>'
        f'<figure class="mw-figure">{pieces.chart(figure, name)}<figcaption>{_plain(figure.caption)}</figcaption></figure>'
        f"{menu.figure_menu(app, document, figure, name)}{''.join(sections)}"
    )


def _plain(text: str) -> str:
    return escape(text.replace("**", "").replace("`", ""))


def _notice(figure: Figure) -> str:
    said = figure.notice or figure.alt
    return f"<h2>What to notice</h2><p>{escape(said)}</p>"


def _data(app: Sphinx, figure: Figure, name: str) -> str:
    listed = replace(figure, rows=figure.rows[:MOST_LISTED])
    shown, place = entry_page.linked(app, readable(listed), f"{name}.html"), f"figures/{figure.id}/data.rows.js"
    pieces.write_rest(Path(app.outdir), place, shown)
    return f'<h2 id="data">Data</h2>{left_to_the_csv(figure)}{pieces.long_table(f"{name}.html", place, shown)}'


MOST_LISTED = 10_000
"""Rows that a page lists, those that it loads on request too: more than that, as an analyst's data make it, nobody reads."""


def left_to_the_csv(figure: Figure) -> str:
    """A note where the table of a page ends before the data do; nothing where it has them all."""
    if len(figure.rows) <= MOST_LISTED:
        return ""
    listed = f"Listed: {MOST_LISTED:,} of {len(figure.rows):,} rows."
    return f'<p class="mw-more">{listed} <a href="{figure.id}.csv">The CSV</a> has them all.</p>'


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


def _columns(figure: Figure) -> str:
    items = "".join(
        f"<li><code>{field.name}</code>{', ' + escape(field.unit) if field.unit else ''}</li>"
        for field in figure.fields
    )
    return f"<details><summary>Columns of the CSV, in base units</summary><ul>{items}</ul></details>"


def _making(app: Sphinx, document: str, figure: Figure) -> str:
    equation = ""
    if figure.equation:
        numbered = app.env.get_domain("math").equations  # type: ignore[attr-defined]
        chapter = numbered[figure.equation][0] if figure.equation in numbered else document
        page = pieces.relative(f"figures/{figure.id}/index", f"{chapter}.html")
        name = escape(figure.equation)
        equation = f'<p>It draws the equation <a href="{page}#equation-{name}">{name.removeprefix("eq-")}</a>.</p>'
    functions = "".join(_function(module, name) for module, name in figure.functions)
    commit = escape(edition.commit())
    return (
        f"<h2>How it was made</h2>{equation}<p>At commit <code>{commit}</code>, by this cell of the chapter and the functions it calls:</p>"
        f"{_highlighted(figure.code)}{functions}"
    )


def _function(module: str, name: str) -> str:
    function = getattr(import_module(module), name)
    lines, start = inspect.getsourcelines(function)
    place = f"{module.replace('.', '/')}.py, line {start}"
    return f"<details><summary><code>{name}</code> in {place}</summary>{_highlighted(''.join(lines))}</details>"


@recalled
def _highlighted(code: str) -> str:
    return f'<div class="highlight">{highlight(code, PythonLexer(), HtmlFormatter(nowrap=False))}</div>' if code else ""


def _parameters(app: Sphinx) -> str:
    given, defaults = edition.given_parameters(app), parameters.defaults()
    changed = [
        f"{name} = {value} (default {defaults[name]})" for name, value in given.items() if value != defaults[name]
    ]
    said = f"Changed for this build: {escape('; '.join(changed))}." if changed else "All parameters at their defaults."
    return f'<h2>Parameters</h2><p>{said} <a href="../../chapters/colophon.html">All of them</a>.</p>'


def _history(app: Sphinx, figure: Figure) -> str:
    items = "".join(f"<li>{line}</li>" for line in editions.history(app, figure.id))
    return f"<h2>History</h2><ul>{items}</ul>"
