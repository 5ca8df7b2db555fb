"""The menu under every figure: link, citation, files, embed code, data.  Without scripts the links remain."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from sphinx.application import Sphinx

from analysis.book.pages import figure_files, pieces, run_note
from analysis.book.pages.numbering import figure_number
from analysis.book.record import citation, edition, editions
from analysis.book.store import places, templates
from analysis.figures import Figure


def address(app: Sphinx, page: str) -> str:
    """The address of a page, where the site's own address is configured; else empty."""
    base = str(app.config.html_baseurl)
    return f"{base.rstrip('/')}/{places.public(page)}" if base else ""


def origin(app: Sphinx, run: Sequence[str]) -> str:
    """What a picture is from: the book, the edition, and what of it is not the book's."""
    mark = citation.run_mark(run)
    return f"{citation.TITLE}, edition {edition.name(app)}{f' {mark}' if mark else ''}"


def cited(
    app: Sphinx, kind: str, key: str, title: str, page: str, run: Sequence[str], number: str = ""
) -> citation.Work:
    """Something of this site that can be cited; ``run`` is what of it is not the book's.

    ``page`` is where it stands, in an edition that is frozen: where it stays.
    """
    given = edition.given_parameters(app)
    return citation.Work(
        kind=kind, id=key, title=title, edition=given["edition"], date=given["edition_date"],
        address=address(app, app.config.memory_wall_lasting + places.public(page)), number=number,
        run=tuple(run),
    )  # fmt: skip


def figure_work(app: Sphinx, document: str, figure: Figure) -> citation.Work:
    """A figure as something that can be cited."""
    name, number = figure.id, figure_number(app, document, figure.id)
    told = run_note.told(app, "figures", name)
    return cited(app, "figure", name, figure.title, f"figures/{name}/index.html", told, number)


def figure_menu(app: Sphinx, document: str, figure: Figure, page: str) -> Markup:
    """The menu as it stands on ``page``."""
    cited, frame = figure_work(app, document, figure), f"figures/{figure.id}/embed.html"
    lasting = "" if cited.run else editions.lasting(app, figure.id)
    return templates.piece(
        "menu",
        folder=pieces.relative(page, f"figures/{figure.id}"), figure=figure.id, files=figure_files.FILES,
        text=citation.text(cited), bibtex=citation.bibtex(cited), newest=pieces.relative(page, frame), lasting=lasting,
        pinned=pieces.relative(page, f"{editions.FOLDER}/{lasting}/{frame}"),
    )  # fmt: skip


def citation_block(cited: citation.Work) -> Markup:
    """How to cite, in full, readable without a script."""
    return templates.piece("cite", text=citation.text(cited), bibtex=citation.bibtex(cited))
