"""The record of an edition and its citation, as the colophon page shows them."""

from __future__ import annotations

from html import escape
from typing import Any

from sphinx.application import Sphinx

from analysis.book import edition, parameters


def record(app: Sphinx) -> str:
    """Edition and commit, parameters, versions, digests."""
    given, notes = edition.given_parameters(app), parameters.declared()
    rows = [(name, _shown(given[name]), _changed(name, given), notes[name]["description"]) for name in notes]
    commit = edition.commit() or "not built from a repository"
    return (
        f"<p>Edition {escape(edition.name(app))}, commit <code>{escape(commit)}</code>. "
        f'The whole record, with the digest of every figure and claim, is in <a href="../edition.json">edition.json</a>; '
        f'the licences of scripts, style sheets and fonts that others wrote are in <a href="../LICENSES.txt">LICENSES.txt</a>.</p>'
        f"<h2>Parameters</h2>{_table(('parameter', 'value', '', 'meaning'), rows)}"
        f"<h2>Versions</h2>{_table(('package', 'version'), edition.versions().items())}"
        f"<h2>Data</h2>{_table(('file', 'sha256'), edition.data_digests().items(), code=1)}"
    )


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changed(name: str, given: dict[str, Any]) -> str:
    default = parameters.declared()[name]["default"]
    return "" if given[name] == default else f"default {_shown(default)}"


def _table(heads: tuple[str, ...], rows: Any, code: int | None = None) -> str:
    head = "\n".join(f"<th scope=col>{escape(text)}</th>" for text in heads)
    body = "\n".join(
        "<tr>" + "\n".join(_cell(cell, index, code) for index, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="mw-table-scroll"><table class="mw-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, index: int, code: int | None) -> str:
    shown = f"<code>{escape(text)}</code>" if index == code else escape(text)
    return f"<th scope=row>{shown}</th>" if index == 0 else f"<td>{shown}</td>"


def citation(app: Sphinx) -> str:
    """How to cite the book, as text and as BibTeX."""
    given = edition.given_parameters(app)
    address = app.config.html_baseurl
    title = "The Memory Wall: how large a language model can your device run?"
    text = f"The Memory Wall authors ({given['edition_date'][:4]}). {title} Edition {given['edition']}."
    bibtex = (
        f"@book{{memory-wall-{given['edition']},\n  title   = {{{{{title}}}}},\n  author  = {{{{The Memory Wall authors}}}},\n"
        f"  year    = {{{given['edition_date'][:4]}}},\n  edition = {{{given['edition']}}}"
    )
    bibtex += f",\n  url     = {{{address}}}\n}}" if address else "\n}"
    return f"<p>{escape(text)}{' ' + escape(address) if address else ''}</p><pre>{escape(bibtex)}</pre>"
