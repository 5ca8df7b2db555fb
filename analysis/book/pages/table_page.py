"""Generated pages in the book's own theme: one page per table of the data."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import entry_page, menu, pieces
from analysis.book.record import citation
from analysis.figures import Column, Table, records
from analysis.tables import cells, needed
from analysis.units import stem

MOST_ROWS = 150
"""Beyond these the rows of a table are loaded when somebody asks for them: a page stays light."""


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of every table of the data package."""
    package = tables.package()
    for name in package.names:
        resource = package.resource(name)
        yield (
            f"tables/{name}",
            {"title": resource["title"], "body": _table_page(app, package, name, resource)},
            "page.html",
        )


def _table_page(app: Sphinx, package: tables.DataPackage, name: str, resource: dict[str, Any]) -> str:
    rows = package.raw(name)
    return (
        f"<h1>{escape(resource['title'])}</h1><p class=mw-answer>{pieces.with_code(resource['row'])}</p>"
        f"<p>{pieces.with_code(resource['description'])}</p>"
        f'<p>{len(rows):,} rows. <a href="{name}.csv" download>Download the CSV</a> · <a href="datapackage.json" download>'
        f'schema (Frictionless)</a> · {escape(resource["licences"])} · <a href="../chapters/data.html">all tables</a></p>'
        f"<h2>Rows</h2>{_rows(app, name, rows, resource)}<h2>Columns</h2>{_columns(resource)}{_needed(resource)}{_examples(resource)}"
        f"{_sources(rows)}{menu.citation_block(table_work(app, name, resource))}"
    )


def table_work(app: Sphinx, name: str, resource: dict[str, Any]) -> citation.Work:
    """A table as something that can be cited."""
    return menu.cited(app, "table", name.replace("_", "-"), resource["title"], f"tables/{name}.html")


def _sources(rows: pd.DataFrame) -> str:
    cited = tables.source_ids(rows) if "publisher" not in rows.columns else []
    listed = pieces.source_list(cited)
    return f"<h2>Sources</h2><details><summary>{len(cited)} documents</summary>{listed}</details>" if cited else ""


def _rows(app: Sphinx, name: str, rows: pd.DataFrame, resource: dict[str, Any]) -> str:
    units = {field["name"]: field.get("unit", "") for field in resource["schema"]["fields"]}
    fields = resource["schema"]["fields"]
    enums = [field["name"] for field in fields if "enum" in field.get("constraints", {}) or "words" in field]
    columns = [
        Column(column, stem(column).replace("_", " "), units[column], 6, link="url" if (name, column) == ("sources", "title") else "")
        for column in rows.columns
    ]  # fmt: skip
    shown = Table(f"{name}-rows", columns, list(rows.columns), records(rows), filters=enums[:3])
    shown = entry_page.linked(app, shown, f"tables/{name}.html")
    place = f"tables/{name}.rows.js"
    pieces.write_rest(Path(app.outdir), place, shown, MOST_ROWS)
    return pieces.long_table(f"tables/{name}.html", place, shown, MOST_ROWS)


def _columns(resource: dict[str, Any]) -> str:
    items = "\n".join(
        f"<tr><th scope=row><code>{field['name']}</code></th>\n<td>{escape(field.get('unit', ''))}</td>\n<td>{field['type']}</td>\n"
        f"<td>{pieces.with_code(field['description'])}</td>\n<td>{escape(cells.expected(field))}</td></tr>"
        for field in resource["schema"]["fields"]
    )
    heads = "".join(f"<th scope=col>{text}</th>" for text in ("column", "unit", "type", "meaning", "may hold"))
    return f'<div class="mw-table-scroll"><table class="mw-table"><thead><tr>{heads}</tr></thead><tbody>{items}</tbody></table></div>'


def _needed(resource: dict[str, Any]) -> str:
    """What a table that replaces this one must hold, because the chapters speak of it."""
    told = "".join(f"<li>{escape(part)}</li>" for part in needed.told(needed.Needed(**resource.get("needed", {}))))
    return f"<h2>What the chapters need</h2><p>A table that replaces this one keeps:</p><ul>{told}</ul>" if told else ""


def _examples(resource: dict[str, Any]) -> str:
    kinds = [("Right", resource["examples"].get("right", [])), ("Wrong", resource["examples"].get("wrong", []))]
    lists = "".join(
        f"<h3>{kind}</h3><ul>{''.join(f'<li>{pieces.with_code(text)}</li>' for text in texts)}</ul>"
        for kind, texts in kinds
        if texts
    )
    return f"<h2>Entries, right and wrong</h2>{lists}" if lists else ""
