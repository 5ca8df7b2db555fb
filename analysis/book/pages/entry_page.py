"""Pages of their own for rows of the data, as a device or a model: what is known of it, tables, citation; beside each a CSV and a JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from sphinx.application import Sphinx

from analysis.book.pages import figure_files, menu, metadata, pieces, registry, run_note, twins
from analysis.book.pictures import workers
from analysis.book.pictures.framing import Words
from analysis.book.record import catalogues, citation, edition
from analysis.book.store import templates
from analysis.book.store.files import write
from analysis.figures import Entry, Section, Table

Page = tuple[str, dict[str, Any], str]
PAGE = "page.html"


def collect(app: Sphinx) -> Iterator[Page]:
    """(page name, context, template) of the lists and of the first entry of each; the others are written after its likeness.

    All pages of a folder under one title are the same but for title, description and body; the theme takes a hundred times as long.
    """
    known = registry.of(app.env)
    listed = list(dict.fromkeys(one.table for _, one in known.entries["entries"].values()))
    for table in listed:
        entries = list(known.entries_of(table).values())
        yield f"{table}/index", {"title": _title(app, table), "body": _list(app, entries)}, PAGE
        for first, *others in _alike(app, [(one, _body(app, one, entries)) for one in entries]):
            yield first[0].page, {"title": first[0].title, "body": first[1]}, PAGE
            _write_like(app, first, others)
        _write_beside(app, entries)
    if listed:
        _write_all(app, list(known.entries_of(listed[0]).values()))


def _title(app: Sphinx, table: str) -> str:
    return str(edition.package(app).resource(table)["title"])


Bodied = tuple[Entry, str]


def _alike(app: Sphinx, pages: Sequence[Bodied]) -> list[list[Bodied]]:
    """The entries by the title of the site on their pages."""
    found: dict[str, list[Bodied]] = {}
    for one in pages:
        found.setdefault(run_note.title(app, one[0].page), []).append(one)
    return list(found.values())


def _write_like(app: Sphinx, first: Bodied, others: Sequence[Bodied]) -> None:
    site = Path(app.outdir)
    text = (site / f"{first[0].page}.html").read_text(encoding="utf-8")
    around, own = text.split(run_note.noted(app, first[0].page, first[1])), _own(app, first[0])
    for entry, plain in others:
        body, parts = run_note.noted(app, entry.page, plain), around
        for mine, its in zip(own, _own(app, entry), strict=True):
            parts = [part.replace(mine, its) for part in parts]
        write(site / f"{entry.page}.html", body.join(parts))
        twins.write_twin(app, entry.page, body)


def _own(app: Sphinx, entry: Entry) -> tuple[str, str, str]:
    """What around the body of a page is its own, the longest first."""
    return metadata.tags(app, entry.page, entry.title), f"<title>{escape(entry.title)}", f"{entry.page}.html"


def _list(app: Sphinx, entries: Sequence[Entry]) -> str:
    table = entries[0].table
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    return templates.page(
        "entries", title=_title(app, table), table=table, entries=entries, groups=groups, answers=catalogues.ANSWERS
    )


def _body(app: Sphinx, entry: Entry, entries: Sequence[Entry]) -> str:
    return templates.page(
        "entry", entry=entry, sections=[(section, _section(app, entry, section)) for section in entry.sections],
        sources=pieces.source_list(edition.package(app), entry.sources), near=_neighbours(entry, entries),
        cite=menu.citation_block(work(app, entry)),
    )  # fmt: skip


def _section(app: Sphinx, entry: Entry, section: Section) -> Markup:
    shown, place = shown_of(app, entry, section), f"{entry.table}/{section.table.id}.rows.js"
    if section.script:
        return pieces.begun_table(f"{entry.page}.html", f"pieces/{section.script}.js", shown, section.most, entry.id)
    return pieces.fresh_table(Path(app.outdir), f"{entry.page}.html", place, shown, section.most)


def shown_of(app: Sphinx, entry: Entry, section: Section) -> Table:
    """The table of a section with its rows, whose first column leads to the pages of others."""
    shown = section.table
    if section.own:
        shown = replace(shown, fields=entry.fields, rows=entry.rows[: section.own])
    if not section.others:
        return shown
    known, at = registry.of(app.env).entries_of(section.others), shown.fields.index(section.key)
    links = [f"../{known[row[at]].page}.html" if row[at] in known else "" for row in shown.rows]
    rows = [[*row, link] for row, link in zip(shown.rows, links, strict=True)]
    first, *rest = shown.columns
    return replace(shown, columns=[replace(first, link="page"), *rest], fields=[*shown.fields, "page"], rows=rows)


def linked(app: Sphinx, shown: Table, page: str) -> Table:
    """A table whose keys of rows with a page of their own lead there, as seen from ``page``."""
    known = registry.of(app.env)
    for table in dict.fromkeys(one.table for _, one in known.entries["entries"].values()):
        key, entries = edition.package(app).resource(table)["schema"]["primaryKey"][0], known.entries_of(table)
        if key in shown.fields:
            at, name = shown.fields.index(key), f"{key} page"
            links = [
                pieces.relative(page, f"{entries[row[at]].page}.html") if row[at] in entries else ""
                for row in shown.rows
            ]
            columns = [replace(one, link=name) if one.name == key else one for one in shown.columns]
            rows = [[*row, link] for row, link in zip(shown.rows, links, strict=True)]
            shown = replace(shown, columns=columns, fields=[*shown.fields, name], rows=rows)
    return shown


def _neighbours(entry: Entry, entries: Sequence[Entry]) -> list[tuple[str, Entry]]:
    """The one before and the one after in its group."""
    group = [one for one in entries if one.group == entry.group]
    at = group.index(entry)
    near = {"Before it": group[at - 1 : at], "After it": group[at + 1 : at + 2]}
    return [(said, one) for said, found in near.items() for one in found]


def work(app: Sphinx, entry: Entry, shown: str = "entries") -> citation.Work:
    """An entry as something that can be cited; of ``cards``, as its card shows it: rows of its page are not on that."""
    told = run_note.told(app, shown, entry.page)
    return menu.cited(app, "table", entry.page.replace("/", "-"), entry.title, f"{entry.page}.html", told)


def _write_beside(app: Sphinx, entries: Sequence[Entry]) -> None:
    """CSV, JSON and card of each; where the site has an address, what a system that embeds by address asks for."""
    for entry in entries:
        write(Path(app.outdir) / f"{entry.page}.{figure_files.CARD}", workers.drawn("number", card_of(app, entry)))
        if picture := menu.address(app, f"{entry.page}.{figure_files.CARD}"):
            told_so = figure_files.embedded_as("link", work(app, entry), picture)
            write(Path(app.outdir) / f"{entry.page}.{figure_files.OEMBED}", _json(told_so))
        write(Path(app.outdir) / f"{entry.page}.csv", csv_text(entry))
        write(Path(app.outdir) / f"{entry.page}.json", _json(told(app, entry)))


def card_of(app: Sphinx, entry: Entry) -> str:
    """What its card is drawn from, as text."""
    cited = work(app, entry, "cards")
    foot = f"{menu.origin(app, cited.run)}. {citation.LICENCE}."
    return json.dumps(Words(entry.title, entry.counted, foot, citation.text(cited), cited.address, entry.number))


def _write_all(app: Sphinx, entries: Sequence[Entry]) -> None:
    """The answers of all entries in one file, each by its id and then by the id of the other."""
    first = entries[0]
    every = {entry.id: {row[0]: row[1:] for row in entry.rows} for entry in entries}
    title, marked = f"All answers, {_title(app, first.table).lower()}", run_note.told(app, "entries")
    whole_work = menu.cited(app, "table", first.table, title, catalogues.ANSWERS, marked)
    whole = {
        "citation": citation.text(whole_work),
        "asked": first.asked,
        "fields": first.fields[1:],
        first.table: every,
    }
    write(Path(app.outdir) / catalogues.ANSWERS, _json(whole))


def _json(content: object) -> str:
    """For programs alone: four hundred files of it, indented, would be three times as heavy."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def csv_text(entry: Entry) -> str:
    """The rows of an entry as a table; empty is missing."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([entry.fields, *entry.rows])
    return text.getvalue()


def told(app: Sphinx, entry: Entry) -> dict[str, Any]:
    """An entry for programs."""
    sections = {
        section.title: {"fields": section.table.fields, "rows": section.table.rows}
        for section in entry.sections
        if not section.own
    }
    cited = work(app, entry)
    return {
        "id": entry.id, "title": entry.title, "said": entry.said, "asked": entry.asked,
        "fields": entry.fields, "rows": entry.rows, **sections,
        "sources": entry.sources, "edition": cited.edition, "citation": citation.text(cited),
    }  # fmt: skip
