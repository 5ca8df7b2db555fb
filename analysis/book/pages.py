"""Generated pages: the gallery of figures and one landing page per figure, in the book's own theme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from sphinx.application import Sphinx

from analysis import tables
from analysis.book import pieces, registry


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
        f"<h2>Data</h2>{_data_table(bundle)}<h2>Sources</h2>{source_list(bundle['sources'])}"
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
