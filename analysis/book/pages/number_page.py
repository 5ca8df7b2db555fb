"""The page of all numbers in the prose: each with its definition, formula, inputs, sources and a citation of its own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from sphinx.application import Sphinx

from analysis.book.pages import menu, pieces, registry
from analysis.book.pages.numbering import chapter_title
from analysis.book.record import citation


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(page name, context, template) of the page of numbers."""
    known = [(document, value) for document, value in registry.of(app.env).all("values") if value["number"] is not None]
    if known:
        yield "numbers", {"title": "Numbers", "body": _page(app, known)}, "page.html"


def _page(app: Sphinx, known: list[tuple[str, dict[str, Any]]]) -> str:
    parts, current = [], None
    for document, value in known:
        if document != current:
            current = document
            parts.append(f'<h2><a href="{document}.html">{escape(chapter_title(app, document))}</a></h2>')
        parts.append(_entry(app, value))
    return (
        f"<h1>Numbers</h1><p class=mw-answer>{len(known)} numbers of the prose, each computed, each citable.</p>"
        f"{''.join(parts)}<p>For programs: <a href=numbers.json>numbers.json</a>.</p>"
    )


def _entry(app: Sphinx, value: dict[str, Any]) -> str:
    told = pieces.told(value)
    formula = f"<p><code>{escape(told['formula'])}</code></p>" if told["formula"] else ""
    rest = "".join(f"<p>{escape(told[name])}</p>" for name in ("inputs", "sources") if told[name])
    cited = escape(citation.text(number_work(app, value)), quote=True)
    return (
        f'<section class="mw-entry" id="{value["id"]}"><h3>{escape(value["text"])}</h3><p>{escape(value["definition"])}</p>{formula}{rest}'
        f'<p class="mw-actions"><a href="#{value["id"]}">Link</a>'
        f'<button type="button" class="mw-copy" data-text="{cited}">Copy citation</button></p></section>'
    )


def number_work(app: Sphinx, value: dict[str, Any]) -> citation.Work:
    """A number as something that can be cited."""
    return menu.cited(app, "number", value["id"], citation.number_title(value), f"numbers.html#{value['id']}")


def claim_work(app: Sphinx, claim: dict[str, Any]) -> citation.Work:
    """A claim with its verdict as something that can be cited."""
    return menu.cited(app, "claim", claim["id"], citation.claim_title(claim), f"chapters/claims.html#{claim['id']}")
