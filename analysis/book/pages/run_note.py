"""What tells a run from the book: its title, and a line on every page that says which data and parameters are not the book's."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.config import Config

from analysis import tables, words
from analysis.book.inputs import parameters
from analysis.book.pages import pieces
from analysis.book.record import edition
from analysis.book.store import templates
from analysis.tables import overlay

OF_THE_EDITION = ("edition", "edition_date", "title")


def title(app: Sphinx, config: Config) -> None:
    """Give the site the title of the run, before anything is read."""
    config.html_title = edition.given_parameters(app)["title"]


def note(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Put the line at the head of a page."""
    if context.get("body"):
        context["body"] = noted(app, page, context["body"])


def noted(app: Sphinx, page: str, body: str) -> str:
    """What stands on a page, with that line where this is a run."""
    said = differences(app)
    if not said:
        return body
    return templates.page(
        "run_note", title=edition.given_parameters(app)["title"], said=words.listing(said),
        more=pieces.relative(page, "chapters/colophon.html"), body=Markup(body),  # noqa: S704 - Sphinx made it
    )  # fmt: skip


def differences(app: Sphinx) -> list[str]:
    """What in this run is not the book's, in words."""
    return list(_differences(app.config.memory_wall_parameters, edition.package(app)))


@lru_cache(maxsize=8)
def _differences(texts: str, package: tables.DataPackage) -> tuple[str, ...]:
    """They are asked for once for every citation; a package is the same as long as nothing of it changes."""
    given, notes = json.loads(texts) if texts else parameters.defaults(), parameters.declared()
    changed = [name for name in notes if name not in OF_THE_EDITION and given[name] != notes[name]["default"]]
    values = [
        f"{name.replace('_', ' ')} = {_plain(given[name])} (not {_plain(notes[name]['default'])})" for name in changed
    ]
    return (*(_counted(change) for change in edition.supplied(package)), *values)


def _counted(change: overlay.Change) -> str:
    counts = ((change.added, "added"), (change.changed, "changed"), (change.removed, "removed"))
    said = [f"{words.plural(len(rows), 'row')} {what}" for rows, what in counts if rows]
    return f"{words.listing(said)} in {change.table.replace('_', ' ')}"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
