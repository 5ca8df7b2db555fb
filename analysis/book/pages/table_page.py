"""Generated pages in the book's own theme: one page per table of the data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import entry_page, menu, pieces, run_note
from analysis.book.record import citation, edition
from analysis.book.store import templates
from analysis.figures import Column, Table, records
from analysis.tables import cells, needed
from analysis.units import stem

MOST_ROWS = 120
"""Beyond these the rows of a table are loaded when somebody asks for them: a page stays light."""


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of every table of the data package."""
    package = edition.package(app)
    for name in package.names:
        resource = package.resource(name)
        yield (
            f"tables/{name}",
            {"title": resource["title"], "body": _table_page(app, package, name, resource)},
            "page.html",
        )


def _table_page(app: Sphinx, package: tables.DataPackage, name: str, resource: dict[str, Any]) -> str:
    rows = package.raw(name)
    cited = tables.source_ids(rows) if "publisher" not in rows.columns else []
    examples = {kind.capitalize(): resource["examples"].get(kind, []) for kind in ("right", "wrong")}
    return templates.page(
        "table",
        name=name, resource=resource, count=f"{len(rows):,}", rows=_rows(app, name, rows, resource),
        columns=[(field, cells.expected(field)) for field in resource["schema"]["fields"]],
        needed=needed.told(needed.Needed(**resource.get("needed", {}))), examples=examples, with_code=pieces.with_code,
        cited=cited, sources=pieces.source_list(package, cited), cite=menu.citation_block(table_work(app, name, resource)),
    )  # fmt: skip


def table_work(app: Sphinx, name: str, resource: dict[str, Any]) -> citation.Work:
    """A table as something that can be cited."""
    told = run_note.told(app, "data", name)
    return menu.cited(app, "table", name.replace("_", "-"), resource["title"], f"tables/{name}.html", told)


def in_sight(resource: dict[str, Any]) -> list[str]:
    """The columns in the order of the page, where only the first are in sight: what a row is, its quantities, what else every row states.

    Quantities are those that every row has or that the chapters need, or else all; what some rows leave empty stands last.
    """
    fields, wanted = resource["schema"]["fields"], needed.Needed(**resource.get("needed", {})).cells
    stated = [field["name"] for field in fields if field.get("constraints", {}).get("required")]
    keys = resource["schema"]["primaryKey"]
    name = next((one for one in stated if one not in keys), "")
    measured = [field["name"] for field in fields if field.get("unit", "year") != "year"]
    quantities = [one for one in measured if one in {*stated, *wanted}] or measured

    def place(column: str) -> int:
        groups = (keys, [name], quantities, stated)
        return next((place for place, group in enumerate(groups) if column in group), len(groups))

    return sorted((field["name"] for field in fields), key=place)


def _rows(app: Sphinx, name: str, rows: pd.DataFrame, resource: dict[str, Any]) -> Markup:
    units = {field["name"]: field.get("unit", "") for field in resource["schema"]["fields"]}
    fields = resource["schema"]["fields"]
    enums = [field["name"] for field in fields if "enum" in field.get("constraints", {}) or "words" in field]
    columns = [
        Column(column, stem(column).replace("_", " "), units[column], 6, link="url" if (name, column) == ("sources", "title") else "")
        for column in in_sight(resource)
    ]  # fmt: skip
    shown = Table(f"{name}-rows", columns, list(rows.columns), records(rows), filters=enums[:3])
    shown = entry_page.linked(app, shown, f"tables/{name}.html")
    return pieces.fresh_table(Path(app.outdir), f"tables/{name}.html", f"tables/{name}.rows.js", shown, MOST_ROWS)
