"""Generated pages in the book's own theme: the gallery, one landing page per figure, one page per table of the data."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import pandas as pd
from sphinx.application import Sphinx

from analysis import checks, tables
from analysis.book import pieces, registry
from analysis.figures import records
from analysis.units import stem


def figure_number(app: Sphinx, document: str, figure_id: str) -> str:
    """The number Sphinx gave a figure, ``2.3``."""
    numbers = app.env.toc_fignumbers.get(document, {}).get("figure", {}).get(figure_id, ())
    return ".".join(str(part) for part in numbers)


def chapter_title(app: Sphinx, document: str) -> str:
    """The title of a page."""
    return app.env.titles[document].astext()


def figure_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of the gallery and of every figure."""
    figures = registry.of(app.env).all("figures")
    if not figures:
        return
    yield "figures/index", {"title": "Figures", "body": _gallery(app, figures)}, "page.html"
    for document, bundle in figures:
        name = f"figures/{bundle['id']}/index"
        yield name, {"title": bundle["title"], "body": _landing(app, document, bundle, name)}, "page.html"


def _gallery(app: Sphinx, figures: list[tuple[str, dict[str, Any]]]) -> str:
    cards = "".join(
        f'<a class="mw-card" href="{bundle["id"]}/index.html"><img src="{bundle["id"]}/wide-light.svg" alt="" loading="lazy">'
        f"<span>Figure {figure_number(app, document, bundle['id'])}</span><strong>{escape(bundle['title'])}</strong></a>"
        for document, bundle in figures
    )
    return f'<h1>Figures</h1><p>Every figure of the book, with its data and its files.</p><div class="mw-gallery">{cards}</div>'


def _landing(app: Sphinx, document: str, bundle: dict[str, Any], name: str) -> str:
    number = figure_number(app, document, bundle["id"])
    back = pieces.relative(name, f"{document}.html")
    notice = f"<h2>What to notice</h2><p>{escape(bundle['notice'])}</p>" if bundle["notice"] else ""
    return (
        f"<h1>Figure {number}: {escape(bundle['title'])}</h1>"
        f'<figure class="mw-figure">{pieces.chart(bundle, name)}<figcaption>{escape(bundle["caption"])}</figcaption></figure>'
        f"{pieces.actions(bundle, name)}{notice}"
        f'<p>From <a href="{back}#{bundle["id"]}">{escape(chapter_title(app, document))}</a>.</p>'
        f"<h2>Data</h2>{_data_table(bundle)}<h2 id=sources>Sources</h2>{source_list(bundle['sources'])}"
    )


def _data_table(bundle: dict[str, Any]) -> str:
    heads = [{"name": f["name"], "title": f["title"], "unit": f["unit"], "digits": 4, "bar": False, "link": ""} for f in bundle["fields"]]
    shown = {
        "id": f"{bundle['id']}-data", "columns": heads, "fields": [f["name"] for f in bundle["fields"]],
        "rows": bundle["rows"], "mark": "", "filters": [],
    }  # fmt: skip
    return pieces.table(shown, "")


def source_list(source_ids: list[str]) -> str:
    """The sources with titles, links and licences."""
    rows = tables.package().sources(source_ids).to_dict("records")
    items = "".join(
        f'<li id="source-{row["source_id"]}">{escape(row["publisher"])}: {pieces.link(row["url"], row["title"])}'
        f"{', ' + row['date_published'] if row['date_published'] else ''} ({escape(row['licence'])})</li>"
        for row in rows
    )
    return f"<ul>{items}</ul>"


def table_pages() -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of every table of the data package."""
    package = tables.package()
    for name in package.names:
        resource = package.resource(name)
        yield f"tables/{name}", {"title": resource["title"], "body": _table_page(package, name, resource)}, "page.html"


def _table_page(package: tables.DataPackage, name: str, resource: dict[str, Any]) -> str:
    rows = package.raw(name)
    return (
        f"<h1>{escape(resource['title'])}</h1><p class=mw-answer>{escape(resource['row'])}</p>"
        f"<p>{escape(resource['description'])}</p>"
        f'<p>{len(rows):,} rows. <a href="{name}.csv" download>Download the CSV</a> · <a href="datapackage.json" download>'
        f"schema (Frictionless)</a> · {escape(resource['licences'])} · <a href=\"../chapters/data.html\">all tables</a></p>"
        f"<h2>Rows</h2>{_rows(name, rows, resource)}<h2>Columns</h2>{_columns(name, resource)}{_examples(resource)}"
    )


def _rows(name: str, rows: pd.DataFrame, resource: dict[str, Any]) -> str:
    units = {field["name"]: field.get("unit", "") for field in resource["schema"]["fields"]}
    enums = [field["name"] for field in resource["schema"]["fields"] if "enum" in field.get("constraints", {})]
    heads = [
        {"name": column, "title": stem(column).replace("_", " "), "unit": units[column], "digits": 6, "bar": False,
         "link": "url" if (name, column) == ("sources", "title") else ""}
        for column in rows.columns
    ]  # fmt: skip
    shown = {
        "id": f"{name}-rows", "columns": heads, "fields": list(rows.columns), "rows": records(rows), "mark": "",
        "filters": enums[:3], "sources": [],
    }  # fmt: skip
    return pieces.table(shown, f"tables/{name}")


def _columns(name: str, resource: dict[str, Any]) -> str:
    items = "".join(
        f"<tr><th scope=row><code>{field['name']}</code></th><td>{escape(field.get('unit', ''))}</td><td>{field['type']}</td>"
        f"<td>{escape(field['description'])}</td><td>{escape(checks.expected(field))}</td></tr>"
        for field in resource["schema"]["fields"]
    )
    heads = "".join(f"<th scope=col>{text}</th>" for text in ("column", "unit", "type", "meaning", "may hold"))
    return f'<div class="mw-table-scroll"><table class="mw-table"><thead><tr>{heads}</tr></thead><tbody>{items}</tbody></table></div>'


def _examples(resource: dict[str, Any]) -> str:
    kinds = [("Right", resource["examples"].get("right", [])), ("Wrong", resource["examples"].get("wrong", []))]
    lists = "".join(f"<h3>{kind}</h3><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>" for kind, texts in kinds if texts)
    return f"<h2>Entries, right and wrong</h2>{lists}" if lists else ""
