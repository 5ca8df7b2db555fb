"""The search: an index of everything that has an address, as a script, so that it works from a disk too; only the search page loads it.

What is found: sections of chapters, figures, claims, tables, rows with a name (devices, models, accelerators), and numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import registry
from analysis.book.record import citation, edition
from analysis.book.store.files import write
from analysis.book.store.places import LANDING, SEARCH_INDEX, SEARCH_ROWS
from analysis.units import stem

MOST_LETTERS = 5_400
"""Of one section or table: enough for every word of it but those of the very longest."""
NAMED = "name"
"""A table with a column of this name has rows that people look for."""
UNSOUGHT = {"sources"}
"""Its 800 rows have a page and a filter of their own."""
QUIET = {"script", "style", "svg", "button", "template", "select", "summary"}
HIDDEN = {"cell_input", "mw-menu", "headerlink", "mw-record"}
"""Classes of what readers look at, but do not look for: code, menus, digests, the change log."""
HEADINGS = {"h1", "h2", "h3", "h4"}


class Entry(NamedTuple):
    """One thing that can be found."""

    kind: str
    title: str
    place: str
    text: str


def write_index(app: Sphinx) -> None:
    """Write the index of a finished site: rows apart, as another parameter changes none of them."""
    site, known, package = Path(app.outdir), registry.of(app.env), edition.package(app)
    said = (*_sections(site), *_figures(known), *_claims(known), *_numbers(known))
    for place, entries in ((SEARCH_INDEX, said), (SEARCH_ROWS, (*_tables(package), *_rows(package, known)))):
        listed = [[one.kind, _plain(one.title), one.place, _plain(one.text)[:MOST_LETTERS]] for one in entries]
        write(site / place, f"mwIndex({json.dumps(listed, ensure_ascii=False, separators=(',', ':'))});\n")


def _plain(text: str) -> str:
    return " ".join(str(text).split())


def _sections(site: Path) -> Iterator[Entry]:
    """Every section of every chapter, with what a reader sees of it."""
    for page in [site / "index.html", *sorted((site / "chapters").glob("*.html"))]:
        if page.relative_to(site).as_posix() != LANDING:
            reader = Reader()
            reader.feed(page.read_text(encoding="utf-8"))
            name = page.relative_to(site).as_posix()
            for anchor, title, text in reader.sections:
                yield Entry("Section", title, f"{name}#{anchor}", text)


class Reader(HTMLParser):
    """The sections of a page: id, title, text."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, list[str], list[str]]] = []
        self._quiet, self._heading, self._hidden, self._depth = 0, False, "", 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """A section begins, or something that is not read."""
        given = dict(attributes)
        if tag == "section" and given.get("id"):
            self._open.append((str(given["id"]), [], []))
        elif tag in HEADINGS:
            self._heading = True
        elif tag in QUIET:
            self._quiet += 1
        if not self._hidden and HIDDEN & set((given.get("class") or "").split()):
            self._hidden = tag
        self._depth += tag == self._hidden

    def handle_endtag(self, tag: str) -> None:
        """A section is read."""
        if tag == "section" and self._open:
            anchor, title, text = self._open.pop()
            self.sections.append((anchor, "".join(title).rstrip("# "), " ".join(text)))
        elif tag in HEADINGS:
            self._heading = False
        elif tag in QUIET:
            self._quiet = max(self._quiet - 1, 0)
        self._depth -= tag == self._hidden
        self._hidden = self._hidden if self._depth else ""

    def handle_data(self, data: str) -> None:
        """Words, of a heading or of what is below it; code is not among them."""
        if self._open and not self._quiet and not self._hidden and data.strip():
            _, title, text = self._open[-1]
            (title if self._heading else text).append(data)


def _figures(known: registry.Registry) -> Iterator[Entry]:
    for _, figure in known.figures():
        told = (figure.subtitle, figure.caption, figure.alt, figure.notice)
        yield Entry("Figure", figure.title, f"figures/{figure.id}/index.html", " ".join(filter(None, told)))


def _claims(known: registry.Registry) -> Iterator[Entry]:
    for _, claim in known.all("claims"):
        told = [claim["verdict"].replace("-", " "), claim["explanation"], claim["text"]]
        yield Entry("Claim", claim["statement"], f"chapters/claims.html#{claim['id']}", ". ".join(filter(None, told)))


def _numbers(known: registry.Registry) -> Iterator[Entry]:
    for _, value in known.all("values"):
        if value["number"] is not None:
            yield Entry("Number", citation.number_title(value), f"numbers.html#{value['id']}", value["formula"])


def _tables(package: tables.DataPackage) -> Iterator[Entry]:
    """Every table: what it is, its columns, and each word that stands in its cells."""
    for name in package.names:
        resource, raw = package.resource(name), package.raw(name)
        fields = resource["schema"]["fields"]
        columns = [f"{stem(field['name']).replace('_', ' ')} ({field.get('unit', '')})" for field in fields]
        words = [] if name in UNSOUGHT or NAMED in raw.columns else [_words(raw, [field["name"] for field in fields])]
        text = " · ".join([resource["row"], resource["description"], ", ".join(columns), *words])
        yield Entry("Table", resource["title"], f"tables/{name}.html", text.replace("`", "").replace(" ()", ""))


def _words(raw: Any, columns: list[str]) -> str:
    """The different texts of a table's cells, the shortest first: names of chips and models before notes."""
    kept = [column for column in columns if not column.endswith(("source_id", "url"))]
    found = {
        str(cell) for column in kept for cell in raw[column].dropna().unique() if re.search("[A-Za-z]{2}", str(cell))
    }
    return ", ".join(sorted(found, key=lambda text: (len(text), text)))


def _rows(package: tables.DataPackage, known: registry.Registry) -> Iterator[Entry]:
    """Every row that has a name, with its cells and their units; at its own page where it has one."""
    for name in (name for name in package.names if name not in UNSOUGHT):
        raw, resource = package.raw(name), package.resource(name)
        if NAMED not in raw.columns:
            continue
        key = resource["schema"]["primaryKey"][0]
        units = {field["name"]: field.get("unit", "") for field in resource["schema"]["fields"]}
        paged = known.entries_of(name)
        for row in raw.astype(object).where(raw.notna(), "").to_dict("records"):
            cells = [_cell(str(column), _said(value), units[str(column)]) for column, value in row.items()]
            title = f"{row[NAMED]} ({resource['title'].lower()})"
            place = f"{paged[row[key]].page}.html" if row[key] in paged else f"tables/{name}.html#{row[key]}"
            yield Entry("Row", title, place, " · ".join(filter(None, cells)))


def _said(value: object) -> str:
    """A value of a cell as people look for it: ``1008`` and not ``1008.0``."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cell(column: str, value: str, unit: str) -> str:
    """``memory bandwidth 1008 GB/s``; nothing for the name, which is the title, for ids of sources, and where nothing is filed."""
    if not value or column == NAMED or column.endswith(("source_id", "url")):
        return ""
    return f"{stem(column).replace('_', ' ')} {value} {unit}".strip()
