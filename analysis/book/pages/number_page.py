"""The page of all numbers in the prose: each with its definition, formula, inputs, sources and a citation of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

from analysis.book.pages import menu, pieces, registry, run_note
from analysis.book.pages.numbering import chapter_title
from analysis.book.record import citation, edition
from analysis.book.store import templates, verify

COLOPHON = "chapters/colophon"
"""Where a book shows the settings of its edition, if it has such a page."""


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of the page of numbers."""
    known = [(document, value) for document, value in registry.of(app.env).all("values") if value["number"] is not None]
    if known:
        yield "numbers", {"title": "Numbers", "body": _page(app, known)}, "page.html"


def _page(app: Sphinx, known: list[tuple[str, dict[str, Any]]]) -> str:
    package = edition.package(app)
    numbers = [
        (document, chapter_title(app, document), value, pieces.told(value, package), _mark(app, value))
        for document, value in known
    ]
    chapters = dict.fromkeys(chapter for _, chapter, *_ in numbers)
    record = f"{COLOPHON}.html" if COLOPHON in app.env.found_docs else verify.RECORD
    read = registry.of(app.env).read
    return templates.page(
        "numbers", numbers=numbers, chapters=chapters, read=read, record=record, cited=_around(app, known[0][1])
    )  # fmt: skip


def _mark(app: Sphinx, value: dict[str, Any]) -> str:
    """What stands in a number's citation right behind its title."""
    work = number_work(app, value)
    return work.told.removeprefix(work.title)


def _around(app: Sphinx, value: dict[str, Any]) -> tuple[str, str]:
    """What stands in a number's citation before its title, and after its stop; ``[id]`` is its id.

    The script of the page puts it together, as it says all of it but the title, which the page holds: hundreds of citations are
    as heavy as the rest of the page.
    """
    work = number_work(app, value)
    before, _, after = citation.text(work).partition(work.told)
    return before, after.removeprefix(".").replace(f"#{value['id']}", "#[id]")


def number_work(app: Sphinx, value: dict[str, Any]) -> citation.Work:
    """A number as something that can be cited."""
    told, page = run_note.told(app, "values", value["id"]), f"numbers.html#{value['id']}"
    return menu.cited(app, "number", value["id"], citation.number_title(value), page, told)


def claim_work(app: Sphinx, claim: dict[str, Any]) -> citation.Work:
    """A claim with its verdict as something that can be cited."""
    told, page = run_note.told(app, "claims", claim["id"]), f"chapters/claims.html#{claim['id']}"
    return menu.cited(app, "claim", claim["id"], citation.claim_title(claim), page, told)
