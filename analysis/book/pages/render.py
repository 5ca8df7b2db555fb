"""The JSON bundles of a chapter become Sphinx nodes: real numbered figures, tables, registry entries."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer

from analysis import figures
from analysis.book.pages import pieces, registry
from analysis.book.pages.nodes import Chart, FigureMenu
from analysis.book.record import edition
from analysis.book.store import bundles


class MemoryWallRenderer:
    """The ``myst_nb.mime_renderers`` plugin (an entry point of this package)."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [("*", mime, 1) for mime in figures.MIMES]

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Nodes for one output, or None where the output is not ours."""
        if inline or data.mime_type not in figures.MIMES:
            return None
        bundle = bundles.resolved(data.content if isinstance(data.content, dict) else json.loads(data.string))
        return {
            figures.FIGURE: _figure, figures.TABLE: _table, figures.VALUES: _values, figures.MARKUP: _markup,
            figures.CLAIMS: _claims, figures.ENTRIES: _entries,
        }[data.mime_type](renderer, bundle)  # fmt: skip


def _environment(renderer: NbElementRenderer) -> Any:
    return renderer.renderer.document.settings.env


def _register(renderer: NbElementRenderer, kind: str, key: str, entry: Any) -> str:
    env = _environment(renderer)
    registry.of(env).add(kind, env.docname, key, entry)
    return str(env.docname)


def _html(text: str) -> nodes.raw:
    return nodes.raw("", str(text), format="html")


def _captioned(renderer: NbElementRenderer, node: nodes.Element, text: str) -> None:
    caption = nodes.caption("", "")
    with renderer.renderer.current_node_context(caption):
        renderer.renderer.nested_render_text(text, 0, inline=True)
    node += caption


def _figure(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    figure = figures.Figure.of(bundle)
    document = _register(renderer, "figures", figure.id, figure)
    node = nodes.figure("", ids=[figure.id], names=[figure.id], classes=["mw-figure"])
    node += Chart("", figure=figure.id, document=document)
    _captioned(
        renderer,
        node,
        figure.caption + pieces.source_note(edition.package(_environment(renderer).app), figure, document),
    )
    node += nodes.legend("", FigureMenu("", figure=figure.id, document=document))
    renderer.renderer.document.note_explicit_target(node, node)
    return [node]


def _table(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    table = figures.Table.of(bundle)
    document = _register(renderer, "tables", table.id, table)
    node = nodes.container("", ids=[table.id], classes=["mw-table-block"])
    caption = nodes.paragraph("", "", classes=["mw-table-caption"])
    with renderer.renderer.current_node_context(caption):
        renderer.renderer.nested_render_text(table.caption, 0, inline=True)
    node += caption
    node += _html(pieces.long_table(f"{document}.html", pieces.rest_of(table.id), table))
    return [node]


def _values(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    for value in bundle["values"]:
        document = _register(renderer, "values", value["id"], value)
        registry.of(_environment(renderer)).read[document] = bundle["tables"]
    return [_html("")]


def _claims(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    for claim in bundle["claims"]:
        _register(renderer, "claims", claim["id"], claim)
    return [_html("")]


def _entries(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    for entry in map(figures.Entry.of, bundle["entries"]):
        _register(renderer, "entries", entry.page, entry)
    return [_html("")]


def _markup(renderer: NbElementRenderer, bundle: dict[str, Any]) -> list[nodes.Element]:
    if script := bundle.get("script"):
        _register(renderer, "scripts", bundle["id"], (bundle["id"], script))
    return [_html(bundle["html"])]
