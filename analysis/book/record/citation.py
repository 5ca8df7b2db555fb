"""How to cite a figure, a table, a number or the whole book: as text, BibTeX, CSL-JSON and RIS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from analysis import words
from analysis.book.record import imprint
from analysis.book.store.cache import digest, recalled
from analysis.book.store.files import json_text

IMPRINT = imprint.read()
TITLE, AUTHOR, BOOK = IMPRINT.title, IMPRINT.author, IMPRINT.full_title
LICENCE, LICENCE_ADDRESS = IMPRINT.licence, IMPRINT.licence_address
GENRES = {"figure": "Figure", "table": "Data table", "number": "Number", "claim": "Claim", "book": "Book"}


@dataclass(frozen=True)
class Work:
    """One thing that can be cited."""

    kind: str
    id: str
    title: str
    edition: str
    date: str
    address: str = ""
    number: str = ""
    run: tuple[str, ...] = ()
    """What in this run is not the published book's; a run never passes for the book, in no format."""

    @property
    def key(self) -> str:
        """The citation key, the same in every format: ``memory-wall-2026.11-roofline``, and ``-run-…`` for one on other data."""
        run = f"-run-{digest(' '.join(self.run))[:8]}" if self.run else ""
        return f"{IMPRINT.name}-{self.edition}" + (f"-{self.id}" if self.id else "") + run

    @property
    def told(self) -> str:
        """The title, with what it is a run of."""
        return f"{self.title} {run_mark(self.run)}" if self.run else self.title

    @property
    def note(self) -> str:
        """What no field of a reference manager holds: the run and the licence."""
        run = f"Not the published book: a run of it with {words.listing(self.run)}. " if self.run else ""
        return f"{run}Licence: {LICENCE}, {LICENCE_ADDRESS}"

    @property
    def genre(self) -> str:
        """``Figure 1.2``; for the book itself nothing."""
        return "" if self.kind == "book" else f"{GENRES[self.kind]} {self.number}".strip()


MOST_CHANGES = 3


def run_mark(run: Sequence[str]) -> str:
    """The mark that a run carries wherever the book would be named: ``[run with 1 row changed in devices]``; empty for the book."""
    more = [f"{len(run) - MOST_CHANGES} more changes"] if len(run) > MOST_CHANGES + 1 else run[MOST_CHANGES:]
    return f"[not the published book but a run with {words.listing([*run[:MOST_CHANGES], *more])}]" if run else ""


def number_title(value: Mapping[str, Any]) -> str:
    """The title under which a number is cited, by the site and by the command line alike."""
    return f"{value['text']}: {value['definition']}" if value["definition"] else str(value["text"])


def claim_title(claim: Mapping[str, Any]) -> str:
    """The same of a claim with its verdict."""
    return f"{claim['statement'].rstrip('.')}: {claim['verdict'].replace('-', ' ')}"


def text(work: Work) -> str:
    """One line to paste under a picture or into a list of references."""
    inside = f" {work.genre} in {BOOK}" if work.genre else ""
    end = "" if work.told.endswith((".", "?", "!")) else "."
    stop = "" if inside.endswith("?") or not inside else "."
    edition = f"Edition {work.edition}. {LICENCE}."
    return f"{AUTHOR} ({work.date[:4]}). {work.told}{end}{inside}{stop} {edition} {work.address}".strip()


def csl(work: Work) -> dict[str, Any]:
    """The item as CSL-JSON, for reference managers."""
    year, *rest = (int(part) for part in work.date.split("-"))
    item: dict[str, Any] = {
        "id": work.key, "type": {"book": "book", "figure": "figure"}.get(work.kind, "dataset"), "title": work.told,
        "author": [{"literal": AUTHOR}], "issued": {"date-parts": [[year, *rest]]}, "publisher": TITLE,
        "edition": work.edition, "language": "en", "note": work.note,
    }  # fmt: skip
    if work.genre:
        item |= {"container-title": BOOK, "genre": work.genre}
    return item | ({"URL": work.address} if work.address else {})


@recalled
def bibtex(work: Work) -> str:
    """The item as BibTeX."""
    from pybtex.database import BibliographyData, Entry

    fields = [
        ("title", f"{{{work.told}}}"),
        ("author", f"{{{AUTHOR}}}"),
        ("year", work.date[:4]),
        ("edition", work.edition),
    ]
    if work.genre:
        fields += [("howpublished", f"{work.genre} in {BOOK}")]
    if work.address:
        fields += [("url", work.address)]
    fields += [("note", work.note)]
    entry = Entry("book" if work.kind == "book" else "misc", [*fields, ("publisher", TITLE)])
    written: str = _writer().to_string(BibliographyData({work.key: entry}))
    return written


@cache
def _writer() -> Any:
    """Pybtex's writer, which need not translate the author of a thousand entries a thousand times."""
    from pybtex.database.output.bibtex import Writer  # called by its name, it would be searched for in all packages

    writer = Writer()
    writer._encode = lru_cache(writer._encode)
    return writer


def ris(work: Work) -> str:
    """The item as RIS; a name that is not parted into last and first ends with a comma."""
    kind = {"book": "BOOK", "figure": "FIGURE"}.get(work.kind, "DATA")
    lines = [("TY", kind), ("ID", work.key), ("TI", work.told), ("AU", f"{AUTHOR},"), ("PY", work.date[:4])]
    lines += [("DA", work.date.replace("-", "/")), ("ET", work.edition), ("PB", TITLE)]
    lines += [("T2", BOOK), ("M1", work.genre)] if work.genre else []
    lines += [("UR", work.address)] if work.address else []
    lines += [("N1", work.note)]
    return "".join(f"{tag}  - {value}\n" for tag, value in [*lines, ("ER", "")])


def csl_file(work: Work) -> str:
    """The item as a file of CSL-JSON, which holds a list."""
    return json_text([csl(work)])


@dataclass(frozen=True)
class Format:
    """One way to write a citation: as the command line and as readers call it, the ending of its file, and what writes it."""

    name: str
    label: str
    ending: str
    write: Callable[[Work], str]


FORMATS = {
    each.name: each
    for each in (
        Format("text", "Text", "", lambda work: text(work) + "\n"),  # read on the page: it has no file of its own
        Format("bibtex", "BibTeX", "bib", bibtex),
        Format("csl", "CSL-JSON", "csl.json", csl_file),
        Format("ris", "RIS", "ris", ris),
    )
}
"""The formats of citations: a row is an option of ``memory-wall cite`` and, with an ending, a file of every figure."""
