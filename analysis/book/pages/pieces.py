"""Pieces of pages that several pages have.

The cells of tables, a hundred thousand in a site, are put together here and escaped one by one: a template takes twice as long
(0.4 s against 0.2 s for fifty thousand) and cannot recall the cells that come again.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from itertools import repeat
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analysis import tables, words
from analysis.book.pictures import layout, on_page
from analysis.book.record import citation
from analysis.book.store import bundles, templates
from analysis.book.store.cache import recalled
from analysis.book.store.files import write
from analysis.figures import Column, Figure, Table

SCHEMES = ("http://", "https://")
CODE = re.compile(r"`([^`]+)`")


def relative(document: str, target: str) -> str:
    """The address of ``target`` (from the site's root) as seen from the page of ``document``."""
    return posixpath.relpath(target, posixpath.dirname(document) or ".")


def embedded(value: object) -> Markup:
    """JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - of it HTML reads nothing


def with_code(text: str) -> Markup:
    """A text of the descriptor, with what stands between backticks set as code: ``a `b` `` → ``a <code>b</code>``."""
    return Markup(CODE.sub(r"<code>\1</code>", escape(text)))  # noqa: S704 - escaped first


def link(url: str, text: str) -> Markup:
    """A link where the address is a web address; the bare text where it is anything else."""
    if not url.startswith(SCHEMES):
        return templates.escaped(text)
    return Markup(f'<a class="reference external" href="{escape(url)}" rel="noopener">{escape(text)}</a>')  # noqa: S704 - both escaped


def chart(figure: Figure, document: str, heading: str = "p") -> Markup:
    """Title and subtitle, the static pictures (light and dark, wide and phone) and where the script finds what it draws.

    heading  the tag of the title; none where the page shows it and the subtitle itself
    """
    return templates.piece(
        "chart",
        figure=figure.id, heading=heading, title=words.unbroken(figure.title), subtitle=words.unbroken(figure.subtitle), alt=figure.alt,
        folder=relative(document, f"figures/{figure.id}"),
        controls=[param for param in figure.spec.get("params", []) if "input" in _bound(param)], narrow=NARROW,
        wide=on_page.page_size(figure, layout.WIDE), phone=on_page.page_size(figure, layout.PHONE),
    )  # fmt: skip


def _bound(param: dict[str, Any]) -> dict[str, Any]:
    """What on the page sets a parameter of a chart; nothing where that is the chart itself."""
    bind = param.get("bind")
    return bind if isinstance(bind, dict) else {}


def drawn_from(figure: Figure) -> Markup:
    """What the script of a page draws a figure from."""
    return bundles.once(figure.spec, "live", lambda: embedded(on_page.live(figure)))


def write_beside(folder: Path, figure_id: str, content: str) -> None:
    """The same in the folder of its figure, for all pages that show it: a script, as nothing else can be loaded from a disk."""
    write(folder / "chart.js", f'(window.mwSpecs = window.mwSpecs || {{}})["{figure_id}"] = {content};\n')


NARROW = 560
"""Up to so many pixels of window the chart is that for phones: in the usual frame of an article, 600 pixels, it is the wide one."""


def told(value: dict[str, Any], package: tables.DataPackage) -> dict[str, str]:
    """What there is to say about a number: definition, formula, inputs and sources, each as one line of text."""
    inputs = "; ".join(f"{name.replace('_', ' ')} = {shown}" for name, shown in value["inputs"].items())
    names = marked(package, value["sources"])
    return {
        "definition": value.get("definition") or value.get("statement", ""), "formula": value["formula"], "inputs": inputs,
        "sources": f"Sources: {words.listing(names)}." if names else "",
    }  # fmt: skip


def source_note(package: tables.DataPackage, figure: Figure, document: str) -> str:
    """The sources of a figure for the end of its caption: by publisher, or counted and linked where they are many."""
    names = marked(package, figure.sources)
    if len(names) > MOST_PUBLISHERS:
        page = relative(document, f"figures/{figure.id}/index.html")
        return f" Sources: [{len(figure.sources)} documents]({page}#sources){{.external}}, listed with the data."
    return f" Sources: {words.listing(names).removesuffix('.')}." if names else ""


MOST_PUBLISHERS = 5


def publishers(package: tables.DataPackage, source_ids: list[str]) -> list[str]:
    """Publishers of the sources, each once."""
    wanted = set(source_ids)
    return list(dict.fromkeys(name for source, name in package.publishers.items() if source in wanted))


KINDS = {
    "vendor": "maker", "standard": "standards body", "paper": "paper", "filing": "filing", "survey": "survey", "benchmark": "measurements",
    "forum": "forum", "code": "code", "analyst": "analyst", "database": "database", "press": "press", "article": "article",
    "unrecorded": "address not recorded",
}  # fmt: skip
"""Kind of a source → the word that stands beside its publisher."""


def marked(package: tables.DataPackage, source_ids: list[str]) -> list[str]:
    """Publishers of the sources with what sort of source each is, so that a number resting on the press says so."""
    wanted = set(source_ids)
    named = (
        (name, KINDS[package.source_kinds[source]]) for source, name in package.publishers.items() if source in wanted
    )
    return [f"{name} ({word})" for name, word in dict.fromkeys(named)]


def source_list(package: tables.DataPackage, source_ids: list[str]) -> Markup:
    """The sources with titles, links and licences."""
    wanted = set(source_ids)
    listed = (item for name, item in _sources(package).items() if name in wanted)
    return Markup("<ul>{}</ul>").format(Markup("").join(listed))


@lru_cache(maxsize=8)
def _sources(package: tables.DataPackage) -> dict[str, Markup]:
    """Source id → how it is listed, in the order of the table: hundreds of pages list some."""
    rows = package.table("sources").to_dict("records")
    return {row["source_id"]: templates.piece("source", row=row, link=link(row["url"], row["title"])) for row in rows}


def table(shown: Table, most: int | None = None) -> Markup:
    """A sortable, filterable table with bars in the cells of the columns that ask for them; its first ``most`` rows."""
    return _whole(json.loads(_drawn(shown)), most)


def _whole(parts: dict[str, Any], most: int | None) -> Markup:
    rows = "\n".join(parts["rows"][:most])
    return Markup(f"{parts['head']}<tbody>{rows}</tbody></table></div>")  # noqa: S704 - of escaped cells


MOST_SHOWN = 1_000
"""Rows of a figure's or a chapter's table that are on its page; an analyst's data may hold many more."""


def long_table(page: str, place: str, shown: Table, most: int = MOST_SHOWN) -> Markup:
    """A table; beyond its first ``most`` rows a note before it, with a button that loads the rest from ``place`` in the site."""
    return _more(page, place, len(shown.rows), most) + table(shown, most)


def _more(page: str, place: str, count: int, most: int, asked: str = "") -> Markup:
    if count <= most:
        return Markup("")
    return Markup(
        '<p class="mw-more">The first {:,} of {:,} rows. '
        '<button type="button" data-rows="{}" data-asked="{}" hidden>Show all of them, to filter and sort</button></p>'
    ).format(most, count, relative(page, place), asked)


def fresh_table(site: Path, page: str, place: str, shown: Table, most: int = MOST_SHOWN) -> Markup:
    """What ``long_table`` and ``write_rest`` make of a table, drawn anew and once: to recall a long one takes as long."""
    parts = drawn(shown)
    if len(shown.rows) > most:
        write(site / place, _script(parts["rows"][most:]))
    return _more(page, place, len(shown.rows), most) + _whole(parts, most)


def begun_table(page: str, script: str, shown: Table, most: int, entry: str) -> Markup:
    """The first rows of a table; a script makes the others, told which entry's they are and the decimals of each column."""
    places = [one.places for one in _columns(shown)]
    asked = json.dumps([entry, most, places], separators=(",", ":"))
    return _more(page, script, len(shown.rows), most, asked) + _whole(drawn(shown, most), most)


def rest_of(table_id: str) -> str:
    """Where the rows of a chapter's table lie that are not on its page."""
    return f"tables/{table_id}.rows.js"


def write_rest(site: Path, place: str, shown: Table, most: int = MOST_SHOWN) -> None:
    """The rows that ``long_table`` leaves out, at their place in the site; nothing where it leaves out none."""
    if len(shown.rows) > most:
        write(site / place, table_rest(shown, most))


def table_rest(shown: Table, most: int) -> str:
    """The rows that ``table`` leaves out, as a script: one can be loaded from a disk, where nothing else can."""
    return _script(json.loads(_drawn(shown))["rows"][most:])


def _script(rows: list[str]) -> str:
    return f"mwRows({json.dumps(rows, ensure_ascii=False, separators=(',', ':'))});\n"


@dataclass(frozen=True)
class _Drawn:
    """A column with what stands in all its cells taken together: that decides how each of them is shown."""

    column: Column
    cells: list[Any]

    @property
    def numeric(self) -> bool:
        return any(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in self.cells)

    @cached_property
    def places(self) -> int:
        """Decimals, so that the points of a column stand one below the other: the median shows ``digits`` digits."""
        values = sorted(abs(cell) for cell in self.cells if isinstance(cell, (int, float)) and cell)
        if not values or all(float(value).is_integer() for value in values):
            return 0
        return min(max(self.column.digits - 1 - words.magnitude(values[len(values) // 2]), 0), 6)

    @cached_property
    def top(self) -> float:
        """The number whose bar fills its cell; 0 where no bars are drawn."""
        numbers = (cell for cell in self.cells if isinstance(cell, (int, float)))
        return max(numbers, default=0.0) if self.column.bar else 0.0


@recalled
def _drawn(shown: Table) -> str:
    """Head and rows of a table, as JSON."""
    return json.dumps(drawn(shown), ensure_ascii=False)


def _columns(shown: Table) -> list[_Drawn]:
    cells = {name: [row[index] for row in shown.rows] for index, name in enumerate(shown.fields)}
    return [_Drawn(column, cells[column.name]) for column in shown.columns]


def drawn(shown: Table, most: int | None = None) -> dict[str, Any]:
    """Head and first rows of a table, drawn anew: to keep hundreds of short ones takes longer."""
    drawn = _columns(shown)
    names = "\n".join(_head(each.column, each.numeric) for each in drawn)
    menus = " ".join(str([column.name for column in shown.columns].index(name)) for name in shown.filters)
    wide = " mw-wide" if len(drawn) > MOST_COLUMNS else ""
    head = (
        f'<div class="mw-table-scroll"><table class="mw-table{wide}" data-table="{shown.id}" data-filters="{menus}">'
        f"<thead><tr>{names}</tr></thead>"
    )
    tags = ('th scope="row"', *["td"] * (len(drawn) - 1))
    columns = [_cells(each, shown, tag, most) for each, tag in zip(drawn, tags, strict=True)]
    # The search index would run the words of neighbours together.
    rows = [
        f"{begin}{chr(10).join(cells)}</tr>"
        for begin, cells in zip(_begun(shown, most), zip(*columns, strict=True), strict=True)
    ]
    return {"head": head, "rows": rows}


MOST_COLUMNS = 9
"""Beyond this a table is as wide as its text asks for, and scrolls."""


def _head(column: Column, numeric: bool) -> str:
    unit = f' <span class="mw-unit">{escape(column.unit)}</span>' if column.unit else ""
    return f'<th scope="col"{" class=mw-number" if numeric else ""}>{escape(column.title)}{unit}</th>'


def _begun(shown: Table, most: int | None) -> list[str]:
    """The opening tag of each row: highlighted where it is marked, with its address where it has one."""
    at = {name: index for index, name in enumerate(shown.fields)}
    rows = shown.rows[:most]
    marks = [' class="mw-marked"' if shown.mark and row[at[shown.mark]] else "" for row in rows]
    names = [f' id="{escape(str(row[at[shown.row_id]]), quote=True)}"' if shown.row_id else "" for row in rows]
    return [f"<tr{name}{mark}>" for name, mark in zip(names, marks, strict=True)]


def _cells(drawn: _Drawn, shown: Table, tag: str, most: int | None) -> Iterable[str]:
    """The cells of a column: a column at a time, as a row at a time takes twice as long."""
    column, at = drawn.column, {name: index for index, name in enumerate(shown.fields)}

    def beside(name: str) -> Iterable[Any]:
        return [row[at[name]] for row in shown.rows[:most]] if name else repeat("")

    notes = beside(column.note)
    if column.between:
        ends = zip(*map(beside, column.between), strict=True)
        notes = [_interval(these, drawn.places) for these in ends]
    tops = [value or 0.0 for value in beside(column.of)] if column.of else repeat(drawn.top)
    fixed = map(repeat, (tag, drawn.places))
    return map(
        _drawn_cell,
        drawn.cells[:most],
        *fixed,
        tops,
        repeat(column.unit),
        repeat(column.kind),
        notes,
        beside(column.link),
    )


def _interval(ends: Sequence[float | None], places: int) -> str:
    """The ends of a number's interval, at its decimals."""
    return "" if None in ends else words.listing([words.fixed(end, places) for end in ends if end is not None], "to")


@lru_cache(maxsize=2**16, typed=True)  # in long tables the same cells come again and again
def _drawn_cell(
    value: Any, tag: str, places: int, top: float, unit: str, kind: str, note: str | None, link_to: str | None
) -> str:  # fmt: skip
    quiet = f'<div class="mw-note">{escape(note)}</div>' if note else ""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, (int, float)):
        bar = f' style="--bar:{min(100 * value / top, 100):.1f}%"' if top else ""
        number = (str(value) if unit == "year" else words.fixed(value, places)) + quiet
        return f'<{tag} class="mw-number{" mw-bar" if top else ""}" data-value="{value}"{bar}>{number}</{tag[:2]}>'
    text = "" if value is None else str(value)
    told = _linked(link_to, text) if link_to else _shown(text, kind)
    return f"<{tag}>{told or '<span class=mw-missing>–</span>'}{quiet}</{tag[:2]}>"


def _shown(text: str, kind: str) -> str:
    if kind == "badge":
        return badge(text)
    if kind == "details" and text:
        return f"<details><summary>why</summary>{escape(text)}</details>"
    return escape(text)


def _linked(target: str, text: str) -> str:
    if ":" not in target and (target.startswith("#") or target.endswith(".html") or ".html#" in target):
        return f'<a href="{escape(target, quote=True)}">{escape(text)}</a>'
    return link(target, text)


def badge(verdict: str) -> Markup:
    """A verdict as colour, icon and word."""
    return templates.piece("badge", verdict=verdict, icon=ICONS[verdict])


ICONS = {
    "reproduces": "✓", "reproduces-under-assumption": "≈", "ambiguous": "↔", "contradicted": "✗", "not-checkable": "–",
}  # fmt: skip


def footer(page: str, name: str, last_read: str) -> str:
    """The line at the foot of every page: edition, last data, how to cite, and the ways in that the menu does not show."""
    ways = {
        "How to cite": "chapters/colophon.html#how-to-cite-the-book", "Figures": "figures/index.html", "Numbers": "numbers.html",
        "Data": "chapters/data.html", "Editions": "editions/index.html",
        "Who pays": "chapters/colophon.html#who-pays", "Report an error": "chapters/colophon.html#found-an-error",
    }  # fmt: skip
    links = {text: relative(page, target) for text, target in ways.items()}
    return templates.page("foot", title=citation.TITLE, edition=name, last_read=last_read, links=links)
