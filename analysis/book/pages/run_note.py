"""What tells a run from the book: a line and the run's title on each page that shows something that is not as in the book."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx

from analysis import words
from analysis.book.inputs import parameters
from analysis.book.pages import pieces, registry
from analysis.book.record import edition, marks
from analysis.book.store import templates

WHOLE = ("chapters/index", "chapters/colophon")
"""Pages that speak of the whole run."""
DATA = "chapters/data"
"""The page of all tables as one data set."""


def of_run(app: Sphinx) -> marks.Marks:
    """What in this run is not as in the book."""
    return marks.read(app.config.memory_wall_marks)


def told(app: Sphinx, kind: str, *keys: str) -> tuple[str, ...]:
    """What in things of a kind is not the book's, in words; in all of that kind where none is named."""
    return tuple(of_run(app).of(kind, *keys))


def parameters_of(app: Sphinx, chapter: str, figure: str) -> dict[str, Any]:
    """The parameters that the chapter of a figure declares: at the values of the book where the figure is the book's."""
    own = edition.given_parameters(app) if told(app, "figures", figure) else parameters.defaults()
    return {name: own[name] for name in of_run(app).declared.get(chapter, own) if name in own}


def on_page(app: Sphinx, page: str) -> list[str]:
    """What on a page is not the book's, in words."""
    run, known = of_run(app), registry.of(app.env)
    folder, _, name = page.partition("/")
    if page in WHOLE:
        return run.run
    if page == "numbers":
        return run.joined(run.of("values", one["id"]) for _, one in known.all("values") if one["number"] is not None)
    if folder == "figures":
        return run.of("figures", *([name.removesuffix("/index")] if name != "index" else []))
    if folder == "tables":
        return run.of("data", name)
    if folder == "chapters":
        own = [(kind, key) for kind in ("figures", "tables") for key in known.of_document(kind, page)]
        shown = [*own, *known.referred.get(page, ()), ("pieces", name)]
        shown += [("data", key) for key in run.things.get("data", {})] if page == DATA else []
        return run.joined(run.of(kind, key) for kind, key in shown)
    return run.of("lists", folder) if name == "index" else run.of("entries", page)


def title(app: Sphinx, page: str) -> str:
    """The title of the site as a page has it: that of the run where it is marked, or speaks of the whole run."""
    own = edition.given_parameters(app)["title"]
    return str(own if page in WHOLE or on_page(app, page) else parameters.defaults()["title"])


def note(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Put the line at the head of a page."""
    if context.get("body"):
        context["body"] = noted(app, page, context["body"])


def noted(app: Sphinx, page: str, body: str) -> str:
    """What stands on a page, with that line where something of it is not the book's."""
    said = on_page(app, page)
    if not said:
        return body
    return templates.page(
        "run_note", title=title(app, page), said=words.listing(said), more=pieces.relative(page, "chapters/colophon.html"),
        body=Markup(body),  # noqa: S704 - Sphinx made it
    )  # fmt: skip
