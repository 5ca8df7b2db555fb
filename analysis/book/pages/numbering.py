"""Numbers and titles that Sphinx gives out."""

from __future__ import annotations

from sphinx.application import Sphinx


def figure_number(app: Sphinx, document: str, figure_id: str) -> str:
    """The number of a figure, ``2.3``."""
    numbers = app.env.toc_fignumbers.get(document, {}).get("figure", {}).get(figure_id, ())
    return ".".join(str(part) for part in numbers)


def equation_number(app: Sphinx, document: str, anchor: str) -> str:
    """The number of an equation, ``1.3``, by the id of its place on the page."""
    numbers = app.env.toc_fignumbers.get(document, {}).get("displaymath", {}).get(anchor, ())
    return ".".join(str(part) for part in numbers)


def chapter_title(app: Sphinx, document: str) -> str:
    """The title of a page."""
    return str(app.env.titles[document].astext())
