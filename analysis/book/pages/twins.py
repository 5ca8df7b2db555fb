"""The Markdown twin of each page, and ``llms.txt``, the list of them at the root (https://llmstxt.org)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from analysis.book.pages import markdown, registry
from analysis.book.pages.numbering import chapter_title, figure_number
from analysis.book.record import catalogues, citation, edition
from analysis.book.store.cache import recalled
from analysis.book.store.files import write
from analysis.book.store.places import LANDING

WITHOUT = re.compile(r"(^|/)(search|genindex)$|^editions/|/embed$")
"""Pages that say nothing of their own, or are made after all others."""
AWAY = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|$")
UNLIKE = re.compile(r"(search|genindex|embed|index)\.html|editions/")
"""What in an address may lead to a page without a twin, or with one elsewhere."""
ENDING = re.compile(r"\.html(?=#|$)")
INDEX = "llms.txt"


def place(page: str) -> str:
    """Where in the site the twin of a page lies, which is named without its ending; empty where it has none."""
    if WITHOUT.search(page):
        return ""
    return "index.md" if f"{page}.html" == LANDING else f"{page}.md"


def beside(page: str) -> str:
    """The address of its twin as seen from a page; empty where it has none."""
    own = place(page)
    return posixpath.relpath(own, posixpath.dirname(page) or ".") if own else ""


def write_twin(app: Sphinx, page: str, body: str) -> None:
    """Write the twin of a page beside it."""
    if own := place(page):
        write(Path(app.outdir) / own, _converted((page, body)))


@recalled
def _converted(asked: tuple[str, str]) -> str:
    """The twin of a page by its name and its body: of another edition most pages are as they were."""
    page, body = asked
    return markdown.converted(body, _addresses(page))


def of_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """The same for a page that Sphinx is about to write, with all that others put into its body."""
    if context.get("body"):
        write_twin(app, page, context["body"])


def _addresses(page: str) -> Callable[[str], str]:
    """How addresses in a page read in its twin: other pages of the site by their twins, the page itself by its own."""
    folder, there = posixpath.dirname(page), posixpath.dirname(place(page)) or "."
    own = f"{page}.html"
    return lru_cache(maxsize=None)(lambda target: target if AWAY.match(target) else _moved(target, folder, there, own))


def _moved(target: str, folder: str, there: str, own: str) -> str:
    if folder == there and not UNLIKE.search(target) and target != posixpath.basename(own):  # nine of ten links
        return ENDING.sub(".md", target.removeprefix("./"), count=1)
    file, mark, rest = target.partition("#")
    named = posixpath.normpath(posixpath.join(folder, file))
    if named == own and not mark:  # a page that leads to itself means the page
        named = "index.html" if own == LANDING else own
    elif named.endswith(".html"):
        named = place(named.removesuffix(".html")) or named
    return posixpath.relpath(named, there) + mark + rest


def write_index(app: Sphinx) -> None:
    """``llms.txt``: what the book is, its pages by their twins, and what is there for programs."""
    known, package = registry.of(app.env), edition.package(app)
    chapters = [(chapter_title(app, name), place(name), "") for name in known.order]
    figures = [
        (f"Figure {figure_number(app, name, one.id)}", place(f"figures/{one.id}/index"), one.title)
        for name, one in known.figures()
    ]
    tables = [
        (package.resource(name)["title"], place(f"tables/{name}"), package.resource(name)["row"])
        for name in package.names
    ]
    entries = dict.fromkeys(one.table for _, one in known.entries["entries"].values())
    listed = [(f"All {name}", place(f"{name}/index"), "a page each") for name in entries]
    numbers = [("Numbers", place("numbers"), "every number of the prose with its definition and sources")]
    parts = {"Chapters": chapters, "Figures": figures, "Data": [*numbers, *tables], "Optional": listed}
    about = [f"# {citation.TITLE}", f"> {citation.IMPRINT.description}", _manner(app)]
    said = [f"## {title}\n\n" + "\n".join(_item(*one) for one in items) for title, items in parts.items() if items]
    write(Path(app.outdir) / INDEX, "\n\n".join([*about, *said]) + "\n")


def _manner(app: Sphinx) -> str:
    answers = [catalogues.ANSWERS] if registry.of(app.env).entries["entries"] else []
    return (
        f"Edition {edition.name(app)}, by {citation.AUTHOR}, {citation.LICENCE} ({citation.LICENCE_ADDRESS}). "
        "Each page below is the Markdown of the page of that name that ends in `.html`; cite the latter. "
        f"For programs: {', '.join(f'`{name}`' for name in [*catalogues.SHARED, *answers])}; "
        f"`{catalogues.OPENAPI}` says what is in each and in the files beside the pages."
    )


def _item(title: str, target: str, said: str) -> str:
    return f"- [{title}]({target})" + (f": {said}" if said else "")
