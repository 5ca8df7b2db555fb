"""The menu under every figure: link, citation, files, embed code, data.  Without scripts the links remain."""

from __future__ import annotations

from html import escape

from sphinx.application import Sphinx

from analysis.book.pages import figure_files, pieces, run_note
from analysis.book.pages.numbering import figure_number
from analysis.book.record import citation, edition, editions
from analysis.book.store import places
from analysis.figures import Figure


def address(app: Sphinx, page: str) -> str:
    """The address of a page, where the site's own address is configured; else empty."""
    base = str(app.config.html_baseurl)
    return f"{base.rstrip('/')}/{places.public(page)}" if base else ""


def cited(app: Sphinx, kind: str, key: str, title: str, page: str, number: str = "") -> citation.Work:
    """Something of this site that can be cited; ``page`` is where it stands, in an edition that is frozen: where it stays."""
    given = edition.given_parameters(app)
    return citation.Work(
        kind=kind, id=key, title=title, edition=given["edition"], date=given["edition_date"],
        address=address(app, app.config.memory_wall_lasting + places.public(page)), number=number,
        run=tuple(run_note.differences(app)),
    )  # fmt: skip


def figure_work(app: Sphinx, document: str, figure: Figure) -> citation.Work:
    """A figure as something that can be cited."""
    name = figure.id
    return cited(app, "figure", name, figure.title, f"figures/{name}/index.html", figure_number(app, document, name))


def figure_menu(app: Sphinx, document: str, figure: Figure, page: str) -> str:
    """The menu as it stands on ``page``."""
    folder = pieces.relative(page, f"figures/{figure.id}")
    cited, frame = figure_work(app, document, figure), f"figures/{figure.id}/embed.html"
    files = "".join(
        f'<a href="{folder}/{figure.id}.{file.ending}" download title="{escape(file.what, quote=True)}">{file.label}</a>'
        for file in figure_files.FILES
    )
    lasting = editions.lasting(app, figure.id)
    pinned = (
        _button(
            f"Copy embed code, edition {lasting} for good",
            embed=pieces.relative(page, f"{editions.FOLDER}/{lasting}/{frame}"),
        )
        if lasting and not cited.run
        else ""
    )
    return (
        f'<div class="mw-actions"><a href="{folder}/index.html">Page of this figure</a><a href="{folder}/index.html#data">Data</a>'
        f'<details class="mw-menu"><summary>Share, cite, download</summary><div class="mw-menu-body">'
        f"{_button('Copy link', link=folder + '/index.html')}{_button('Copy citation', text=citation.text(cited))}"
        f"{_button('Copy BibTeX', text=citation.bibtex(cited))}"
        f"{_button('Copy embed code, newest edition', embed=pieces.relative(page, frame))}"
        f"{pinned}"
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
