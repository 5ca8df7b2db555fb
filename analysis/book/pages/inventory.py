"""What other books can refer to: ``objects.inv`` for Sphinx, ``myst.xref.json`` for MyST.

Chapters, figures, equations, numbers, claims and tables, by the ids under which they are cited.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from zlib_ng import zlib_ng

from analysis.book.pages import registry
from analysis.book.pages.numbering import chapter_title, equation_number, figure_number
from analysis.book.record import citation, edition
from analysis.book.store.files import write, write_json
from analysis.book.store.places import LANDING
from analysis.figures import Figure

EFFORT = 9
MYST = "1.2.0"
"""The version of MyST's own syntax trees that these are written in."""


@dataclass(frozen=True)
class Target:
    """One thing that can be referred to.

    name, kind  its id, and what MyST calls what it is
    page        where it stands, without the ending; anchor: where on it, empty for a page itself
    text        as a reference to it reads: ``Figure 1.3``, a number with its unit, the title of a page
    node        what MyST shows of it, and reads its number from
    """

    name: str
    kind: str
    page: str
    anchor: str
    text: str
    node: dict[str, Any]

    @property
    def place(self) -> str:
        """The file it stands in."""
        file = f"{self.page}.html"
        return "index.html" if file == LANDING else file


def targets(app: Sphinx) -> list[Target]:
    """All of them, in the order of the book."""
    known = registry.of(app.env)
    found = [_page(name, chapter_title(app, name), name) for name in known.order]
    found += [_figure(app, document, figure) for document, figure in known.figures()]
    found += _equations(app)
    found += [_said(one["id"], "numbers", one["text"]) for _, one in known.all("values") if one["number"] is not None]
    found += [_said(one["id"], "chapters/claims", one["statement"]) for _, one in known.all("claims")]
    package = edition.package(app)
    return found + [_page(name, package.resource(name)["title"], f"tables/{name}") for name in package.names]


def _page(name: str, title: str, page: str) -> Target:
    return Target(name, "page", page, "", title, {})


def _figure(app: Sphinx, document: str, figure: Figure) -> Target:
    number = figure_number(app, document, figure.id)
    caption = {"type": "caption", "children": [_paragraph(figure.title)]}
    picture = {"type": "image", "url": f"/figures/{figure.id}/{figure.id}.svg", "alt": figure.alt}
    node = {"type": "container", "kind": "figure", "enumerator": number, "children": [picture, caption]}
    return Target(figure.id, "figure", document, figure.id, f"Figure {number}", node)


def _equations(app: Sphinx) -> Iterator[Target]:
    """Those with a label, as they were written."""
    for document in registry.of(app.env).order:
        for node in app.env.get_doctree(document).findall(nodes.math_block):
            if label := node.get("label"):
                number, anchor = equation_number(app, document, node["ids"][0]), node["ids"][0]
                made = {"type": "math", "enumerator": number, "value": node.astext().strip()}
                yield Target(label, "equation", document, anchor, f"Equation {number}", made)


def _said(name: str, page: str, text: str) -> Target:
    """A number or a claim: to MyST a heading, which reads as what it says."""
    return Target(name, "heading", page, name, text, {**_paragraph(text), "type": "heading", "depth": 3})


def _paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "children": [{"type": "text", "value": text}]}


def write_all(app: Sphinx) -> None:
    """Write both lists, and for MyST what it reads of each page."""
    site, found = Path(app.outdir), targets(app)
    write(site / "objects.inv", sphinx_inventory(found, edition.name(app)))
    write_json(site / "myst.xref.json", myst_references(found))
    for page in dict.fromkeys(one.page for one in found):
        write_json(site / data_file(page), _tree([one for one in found if one.page == page]))


def sphinx_inventory(found: list[Target], version: str) -> bytes:
    """The inventory as Intersphinx reads it, version 2: pages as documents, all else as labels."""
    head = f"# Sphinx inventory version 2\n# Project: {citation.TITLE}\n# Version: {version}\n"
    lines = [
        f"{one.name} {'std:label' if one.anchor else 'std:doc'} -1 {one.place}{'#' if one.anchor else ''}{one.anchor} "
        f"{' '.join(one.text.split())}\n"
        for one in found
    ]
    content = zlib_ng.compress("".join(lines).encode(), EFFORT)
    return f"{head}# The remainder of this file is compressed using zlib.\n".encode() + content


def data_file(page: str) -> str:
    """Where MyST finds what it shows of a page's targets."""
    return f"xref/{page}.json"


def myst_references(found: list[Target]) -> dict[str, Any]:
    """The list that MyST looks for at the root of a site."""
    return {"version": "1", "myst": MYST, "references": [reference for one in found for reference in _references(one)]}


def _references(one: Target) -> Iterator[dict[str, Any]]:
    where = {"data": f"/{data_file(one.page)}", "url": f"/{one.place}"}
    if not one.anchor:
        yield {"kind": one.kind, **where}
    own = {"html_id": one.anchor} if one.anchor not in ("", one.name) else {}
    yield {"identifier": one.name, **own, "kind": one.kind, **where}


def _tree(found: list[Target]) -> dict[str, Any]:
    """A page as MyST tells of one: its title, and a syntax tree of what can be referred to on it."""
    title = next((one.text for one in found if not one.anchor), "Numbers")
    children = [
        {**one.node, "identifier": one.name, "label": one.name, "html_id": one.anchor} for one in found if one.anchor
    ]
    return {
        "version": 1, "kind": "Article", "slug": found[0].page.rsplit("/", 1)[-1], "frontmatter": {"title": title},
        "mdast": {"type": "root", "children": children},
    }  # fmt: skip
