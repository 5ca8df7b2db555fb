"""How to cite a figure, a table, a number or the whole book: as text, BibTeX, CSL-JSON and RIS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from analysis.book.cache import recalled

AUTHOR = "The Memory Wall authors"
BOOK = "The Memory Wall: how large a language model can your device run?"
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

    @property
    def key(self) -> str:
        """The citation key, the same in every format: ``memory-wall-2026.11-roofline``."""
        return f"memory-wall-{self.edition}" + (f"-{self.id}" if self.id else "")

    @property
    def genre(self) -> str:
        """``Figure 1.2``; for the book itself nothing."""
        return "" if self.kind == "book" else f"{GENRES[self.kind]} {self.number}".strip()


def number_title(value: Mapping[str, Any]) -> str:
    """The title under which a number is cited, by the site and by the command line alike."""
    return f"{value['text']}: {value['definition']}" if value["definition"] else str(value["text"])


def claim_title(claim: Mapping[str, Any]) -> str:
    """The same of a claim with its verdict."""
    return f"{claim['statement'].rstrip('.')}: {claim['verdict'].replace('-', ' ')}"


def text(work: Work) -> str:
    """One line to paste under a picture or into a list of references."""
    inside = f" {work.genre} in {BOOK}" if work.genre else ""
    end = "" if work.title.endswith((".", "?", "!")) else "."
    stop = "" if inside.endswith("?") or not inside else "."
    return f"{AUTHOR} ({work.date[:4]}). {work.title}{end}{inside}{stop} Edition {work.edition}. {work.address}".strip()


def csl(work: Work) -> dict[str, Any]:
    """The item as CSL-JSON, for reference managers."""
    year, *rest = (int(part) for part in work.date.split("-"))
    item: dict[str, Any] = {
        "id": work.key, "type": {"book": "book", "figure": "figure"}.get(work.kind, "dataset"), "title": work.title,
        "author": [{"literal": AUTHOR}], "issued": {"date-parts": [[year, *rest]]}, "publisher": "The Memory Wall",
        "edition": work.edition, "language": "en",
    }  # fmt: skip
    if work.genre:
        item |= {"container-title": BOOK, "genre": work.genre}
    return item | ({"URL": work.address} if work.address else {})


@recalled
def bibtex(work: Work) -> str:
    """The item as BibTeX."""
    from pybtex.database import BibliographyData, Entry

    fields = [
        ("title", f"{{{work.title}}}"),
        ("author", f"{{{AUTHOR}}}"),
        ("year", work.date[:4]),
        ("edition", work.edition),
    ]
    if work.genre:
        fields += [("howpublished", f"{work.genre} in {BOOK}")]
    if work.address:
        fields += [("url", work.address)]
    entry = Entry("book" if work.kind == "book" else "misc", [*fields, ("publisher", "The Memory Wall")])
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
    """The item as RIS."""
    kind = {"book": "BOOK", "figure": "FIGURE"}.get(work.kind, "DATA")
    lines = [("TY", kind), ("ID", work.key), ("TI", work.title), ("AU", AUTHOR), ("PY", work.date[:4])]
    lines += [("DA", work.date.replace("-", "/")), ("ET", work.edition), ("PB", "The Memory Wall")]
    lines += [("T2", BOOK), ("M1", work.genre)] if work.genre else []
    lines += [("UR", work.address)] if work.address else []
    return "".join(f"{tag}  - {value}\n" for tag, value in [*lines, ("ER", "")])
