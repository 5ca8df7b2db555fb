"""The record of an edition and its citation, as the colophon page shows them."""

from __future__ import annotations

from typing import Any

import yaml
from sphinx.application import Sphinx

from analysis import words
from analysis.book.inputs import parameters
from analysis.book.pages import menu, run_note
from analysis.book.record import citation as citing
from analysis.book.record import edition
from analysis.book.store import places, templates


def edition_table(app: Sphinx) -> str:
    """Edition and commit, parameters, versions, digests."""
    given = edition.given_parameters(app)
    settings = [
        (name, _shown(given[name]), _changed(name, given), _plausible(note), note["description"])
        for name, note in parameters.declared().items()
    ]
    tables = {
        "Parameters": (("parameter", "value", "by default", "plausible", "meaning"), settings),
        "Versions": (("package", "version"), edition.versions().items()),
        "Data": (("file", "sha256"), edition.data_digests(app).items()),
    }
    commit = edition.commit() or "not built from a repository"
    return templates.page("edition", edition=edition.name(app), commit=commit, tables=tables)


def reproduced() -> str:
    """The conditions under which the builds are compared, and what nobody has tried, as ``chapters/conditions.yml`` has them."""
    filed = yaml.safe_load((places.REPOSITORY / "chapters" / "conditions.yml").read_text(encoding="utf-8"))
    return templates.page("reproduced", builds=filed["builds"].values(), not_tried=words.listing(filed["not_tried"]))


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
    return "" if given[name] == default else _shown(default)


def citation(app: Sphinx) -> str:
    """How to cite the book, as text and as BibTeX."""
    cited = menu.cited(app, "book", "", citing.BOOK, places.LANDING, run_note.of_run(app).run)
    return templates.page("cite_book", text=citing.text(cited), bibtex=citing.bibtex(cited))
