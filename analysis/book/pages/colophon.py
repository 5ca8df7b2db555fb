"""The record of an edition and its citation, as the colophon page shows them."""

from __future__ import annotations

from html import escape
from typing import Any

import yaml
from sphinx.application import Sphinx

from analysis import words
from analysis.book.inputs import parameters
from analysis.book.pages import menu
from analysis.book.record import citation as citing
from analysis.book.record import edition
from analysis.book.store import places


def edition_table(app: Sphinx) -> str:
    """Edition and commit, parameters, versions, digests."""
    given, notes = edition.given_parameters(app), parameters.declared()
    rows = [
        (name, _shown(given[name]), _changed(name, given), _plausible(note), note["description"])
        for name, note in notes.items()
    ]
    commit = edition.commit() or "not built from a repository"
    return (
        f"<p>Edition {escape(edition.name(app))}, commit <code>{escape(commit)}</code>. "
        f'The whole record, with the digest of every figure and claim, is in <a href="../edition.json">edition.json</a>; '
        f'the licences of scripts, style sheets and fonts that others wrote are in <a href="../LICENSES.txt">LICENSES.txt</a>.</p>'
        f"<h2>Parameters</h2>{_table(('parameter', 'value', '', 'plausible', 'meaning'), rows)}"
        f"<h2>Versions</h2>{_table(('package', 'version'), edition.versions().items())}"
        f"<h2>Data</h2>{_table(('file', 'sha256'), edition.data_digests().items(), code=1)}"
    )


def reproduced() -> str:
    """The conditions under which the builds are compared, and what nobody has tried, as ``chapters/conditions.yml`` has them."""
    filed = yaml.safe_load((places.REPOSITORY / "chapters" / "conditions.yml").read_text(encoding="utf-8"))
    items = "\n".join(f"<li>{escape(build['tells'])}</li>" for build in filed["builds"].values())
    left_out = words.listing([escape(one) for one in filed["not_tried"]])
    return f"<ul>{items}</ul><p>Not tried: {left_out}.</p>"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plausible(note: dict[str, Any]) -> str:
    """The range over which verdicts are tried, and why it reaches so far."""
    if "plausible" not in note:
        return ""
    low, high = note["plausible"]
    source = f" ({note['plausible_source']})" if "plausible_source" in note else ""
    return f"{low:g} to {high:g}. {note['plausible_reason']}{source}"


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
    cited = menu.cited(app, "book", "", citing.BOOK, places.LANDING)
    return f"<p>{escape(citing.text(cited))}</p><pre>{escape(citing.bibtex(cited))}</pre>"
