"""The Sphinx extension of the book: numbers and verdicts in prose, charts on pages, and the files beside them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.logging import getLogger

from analysis import door
from analysis.book.pages import (
    builder,
    colophon,
    glossary,
    mathml,
    menu,
    metadata,
    pieces,
    registry,
    run_note,
    since,
    twins,
)
from analysis.book.pages.nodes import Chart, FigureMenu, Later, Reference
from analysis.book.record import edition, imprint
from analysis.book.store import templates
from analysis.errors import FigureError
from analysis.figures import Figure
from analysis.tables import DataPackage

SHORT_LETTERS = 16
"""A number in the prose of up to so many letters stays on one line with its unit."""
BEFORE, LAST = 400, 900
"""Before the theme makes its navigation; after what other extensions do at the end of a build: one writes a style sheet then."""
LOGGER = getLogger(__name__)
STATIC = Path(__file__).parents[1] / "static"


class ReferenceRole(SphinxRole):
    """``{value}`id```, ``{verdict}`id``` (a badge) or ``{claim}`id``` (the claim's recomputed number)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """A node that remembers what it asks for."""
        key = self.text.strip()
        registry.of(self.env).refer(self.env.docname, "values" if self.kind == "value" else "claims", key)
        return [Reference(self.rawtext, "", kind=self.kind, key=key)], []


LATER = {"glossary-list": glossary.listed, "what-changed": since.told}
"""Directive → what it lists, once every chapter has been read."""


class LaterList(SphinxDirective):
    """A list of ``LATER``."""

    def run(self) -> list[nodes.Node]:
        """A place that is filled in once every chapter has been read."""
        return [Later(of=self.name)]


def fill(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Put each such list in its place."""
    for place in list(doctree.findall(Later)):
        place.replace_self(nodes.raw("", LATER[place["of"]](app), format="html"))


class EditionRecord(SphinxDirective):
    """``{edition-record}``: commit, parameters, versions and data digests of the site being built."""

    def run(self) -> list[nodes.Node]:
        """One raw block."""
        return [nodes.raw("", colophon.edition_table(self.env.app), format="html")]


class Reproduced(SphinxDirective):
    """``{reproduced}``: the conditions under which the book was built again and compared."""

    def run(self) -> list[nodes.Node]:
        """One raw block."""
        return [nodes.raw("", colophon.reproduced(), format="html")]


class HowToCite(SphinxDirective):
    """``{how-to-cite}``: the book's citation as text and as BibTeX."""

    def run(self) -> list[nodes.Node]:
        """One raw block."""
        return [nodes.raw("", colophon.citation(self.env.app), format="html")]


def resolve(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Fill in the numbers and verdicts of one page; an unknown id is a warning, and warnings fail the build."""
    known = registry.of(app.env)
    for node in [one for one in doctree.findall(Reference) if one["kind"] != "term"]:
        kind = "values" if node["kind"] == "value" else "claims"
        try:
            entry = known.get(kind, node["key"], where=document)
        except FigureError as error:
            LOGGER.warning(str(error), location=node, type="memory_wall", subtype=kind)
            continue
        if node["kind"] == "verdict":
            node["html"] = _verdict(entry, document)
            continue
        if kind == "claims" or entry["number"] is not None:
            node["html"] = _value(
                edition.package(app), entry, document, "numbers.html" if kind == "values" else "chapters/claims.html"
            )
        node.append(nodes.Text(entry["text"]))


def _value(package: DataPackage, entry: dict[str, Any], document: str, page: str) -> str:
    short = len(entry["text"]) <= SHORT_LETTERS
    return templates.page(
        "value",
        target=f"{pieces.relative(document, page)}#{entry['id']}",
        told=pieces.told(entry, package),
        short=short,
    )


def _verdict(entry: dict[str, Any], document: str) -> str:
    target = f"{pieces.relative(document, 'chapters/claims.html')}#{entry['id']}"
    said = f"{entry['statement']} ({entry['note']})" if entry["note"] else entry["statement"]
    return templates.page("verdict", target=target, statement=said, badge=pieces.badge(entry["verdict"]))


def visit(translator: Any, node: Reference) -> None:
    """HTML around the text of a reference."""
    translator.body.append(node.get("html") or templates.page("said", key=node["key"]))


def depart(translator: Any, node: Reference) -> None:
    """Close what ``visit`` opened."""
    translator.body.append("</a>" if "html" in node else "</span>")


def visit_chart(translator: Any, node: Chart) -> None:
    """The chart of a figure."""
    translator.body.append(pieces.chart(_figure(translator, node), node["document"]))
    raise nodes.SkipNode


def visit_menu(translator: Any, node: FigureMenu) -> None:
    """The menu of a figure."""
    figure, document = _figure(translator, node), node["document"]
    translator.body.append(menu.figure_menu(translator.builder.app, document, figure, document))
    raise nodes.SkipNode


def _figure(translator: Any, node: nodes.Element) -> Figure:
    known = registry.of(translator.builder.app.env)
    found: Figure = known.get("figures", node["figure"], where=node["document"])
    return found


def skip(translator: Any, node: nodes.Element) -> None:
    """Builders other than HTML print the text alone."""


class Navigation:
    """The table of contents beside pages that are not in it themselves: made once for all that lie equally deep."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, str], str] = {}

    def __call__(
        self, app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
    ) -> None:
        """Let the theme have the one that was made before: the way to the same chapters is the same."""
        if doctree is None:
            make = context["toctree"]
            place = (page.split("/", maxsplit=1)[0], page.count("/"))
            context["toctree"] = lambda **given: self._once(
                (*place, repr(sorted(given.items()))), lambda: make(**given)
            )

    def _once(self, key: tuple[str, int, str], make: Callable[[], str]) -> str:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Script, style, metadata and footer of a page."""
    if "title" in context:
        context["pageurl"] = menu.address(app, f"{page}.html") or None
        context["metatags"] = context.get("metatags", "") + metadata.tags(app, page, _plain(context["title"]))
    context["docstitle"] = run_note.title(app, page)
    context["theme_extra_footer"] = pieces.footer(page, edition.name(app), edition.last_read(app))
    app.add_css_file("memory-wall.css", priority=900)
    charts = (
        {"data-charts": context["pathto"]("_static/memory-wall-vega.js", 1)}
        if "mw-chart" in context.get("body", "")
        else {}
    )
    app.add_js_file("memory-wall.js", loading_method="defer", priority=900, **charts)


def _plain(title: str) -> str:
    return re.sub(r"^\d+\. ", "", unescape(re.sub(r"<[^>]+>", "", title)))


def static(app: Sphinx) -> None:
    """The book's own styles, scripts and fonts."""
    app.config.html_static_path.append(str(STATIC))


def setup(app: Sphinx) -> dict[str, Any]:
    """Entry point for Sphinx."""
    app.add_builder(builder.Builder, override=True)
    app.add_config_value("memory_wall_jobs", 1, "", types=(int,))
    app.add_config_value("memory_wall_only_figures", False, "", types=(bool,))
    app.add_config_value("memory_wall_data", str(door.data_folder()), "", types=(str,))
    app.add_config_value("memory_wall_parameters", "", "env", types=(str,))
    app.add_config_value("memory_wall_marks", "", "env", types=(str,))
    others: Any = dict.fromkeys(("latex", "text", "man", "texinfo"), (skip, skip))
    app.add_node(Reference, html=(visit, depart), **others)
    app.add_node(Chart, html=(visit_chart, None), **others)
    app.add_node(FigureMenu, html=(visit_menu, None), **others)
    app.add_config_value("memory_wall_published", "", "", types=(str,))
    app.add_config_value(imprint.SETTING, {}, "env", types=(dict,))
    app.add_config_value("memory_wall_lasting", "", "", types=(str,))
    app.add_role("value", ReferenceRole("value"))
    app.add_role("verdict", ReferenceRole("verdict"))
    app.add_role("claim", ReferenceRole("claim"))
    app.add_directive("edition-record", EditionRecord)
    app.add_directive("how-to-cite", HowToCite)
    for name in LATER:
        app.add_directive(name, LaterList)
    app.add_directive("reproduced", Reproduced)
    app.add_html_math_renderer("mathml", (mathml.inline, None), (mathml.display, None))
    app.connect("builder-inited", static)
    app.connect("builder-inited", templates.keep)
    app.connect("env-purge-doc", registry.purge)
    app.connect("env-updated", registry.arrange)
    app.connect("env-check-consistency", builder.before_writing)
    app.connect("doctree-resolved", fill)
    app.connect("doctree-resolved", glossary.explain)
    app.connect("doctree-resolved", resolve)
    app.connect("html-collect-pages", builder.pages)
    app.connect("html-page-context", Navigation(), priority=BEFORE)
    app.connect("html-page-context", page_context)
    app.connect("html-page-context", run_note.note)
    app.connect("html-page-context", twins.of_page, priority=LAST)
    app.connect("build-finished", builder.finished, priority=LAST)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
