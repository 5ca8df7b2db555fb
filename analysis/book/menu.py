"""The menu under every figure: link, citation, files, embed code, data.  Without scripts the links remain."""

from __future__ import annotations

from html import escape
from typing import Any

from sphinx.application import Sphinx

from analysis.book import citation, edition, pieces
from analysis.book.numbering import figure_number

FILES = (
    ("PNG", "png", "picture for print and slides"), ("SVG", "svg", "vector picture, real text"),
    ("PDF", "pdf", "vector picture for documents"),
    ("CSV", "csv", "the plotted data"), ("Vega-Lite", "vl.json", "the chart as a specification"), ("BibTeX", "bib", "citation"),
    ("CSL-JSON", "csl.json", "citation"), ("RIS", "ris", "citation"), ("Metadata", "metadata.json", "columns, sources, parameters, code"),
    ("ZIP", "zip", "all of these"),
)  # fmt: skip


def address(app: Sphinx, page: str) -> str:
    """The permanent address of a page, where the site's own address is configured; else empty."""
    base = str(app.config.html_baseurl)
    return f"{base.rstrip('/')}/{page}" if base else ""


def work(app: Sphinx, document: str, bundle: dict[str, Any]) -> citation.Work:
    """A figure as something that can be cited."""
    given = edition.given_parameters(app)
    return citation.Work(
        kind="figure", id=bundle["id"], title=bundle["title"], edition=given["edition"], date=given["edition_date"],
        address=address(app, f"figures/{bundle['id']}/"), number=figure_number(app, document, bundle["id"]),
    )  # fmt: skip


def figure_menu(app: Sphinx, document: str, bundle: dict[str, Any], page: str) -> str:
    """The menu as it stands on ``page``."""
    folder = pieces.relative(page, f"figures/{bundle['id']}")
    cited = work(app, document, bundle)
    files = "".join(
        f'<a href="{folder}/{bundle["id"]}.{ending}" download title="{escape(what, quote=True)}">{label}</a>'
        for label, ending, what in FILES
    )
    root = pieces.relative(page, ".")
    frozen = f"editions/{cited.edition}/figures/{bundle['id']}/embed.html"
    return (
        f'<div class="mw-actions"><a href="{folder}/index.html">Page of this figure</a><a href="{folder}/index.html#data">Data</a>'
        f'<details class="mw-menu"><summary>Share, cite, download</summary><div class="mw-menu-body">'
        f"{_button('Copy link', link=folder + '/index.html')}{_button('Copy citation', text=citation.text(cited))}"
        f"{_button('Copy BibTeX', text=citation.bibtex(cited))}"
        f"{_button('Copy embed code, newest edition', embed=f'{folder}/embed.html')}"
        f"{_button('Copy embed code, this edition for good', embed=f'{root}/{frozen}')}"
        f'<span class="mw-files">{files}</span></div></details></div>'
    )


def _button(label: str, **data: str) -> str:
    attributes = " ".join(f'data-{name}="{escape(value, quote=True)}"' for name, value in data.items())
    return f'<button type="button" class="mw-copy" {attributes}>{label}</button>'


def citation_block(cited: citation.Work, *, files: str = "") -> str:
    """How to cite, in full, readable without a script."""
    return (
        f'<h2 id="cite">How to cite</h2><p class="mw-citation">{escape(citation.text(cited))}</p>'
        f'<details class="mw-bibtex"><summary>BibTeX</summary><pre>{escape(citation.bibtex(cited))}</pre></details>{files}'
    )
