"""The book as sources for MyST (Jupyter Book 2): chapters in Markdown, pictures, the numbers, and a plugin that sets them."""

from __future__ import annotations

import yaml

from analysis.book.export import chapters
from analysis.book.export.chapters import Book
from analysis.book.export.markdown import Writer, escaped
from analysis.book.record import citation

PLUGIN = "numbers.mjs"


def made(book: Book) -> dict[str, bytes]:
    """Name → content of every file."""
    mark = f":::{{warning}}\n{escaped(book.run)}\n:::\n\n" if book.run else ""
    files = {f"{chapter.name}.md": (mark + Writer(book, chapter).written()).encode() for chapter in book.chapters}
    files |= {f"images/{name}": content for name, content in book.pictures.items()}
    files |= {name: (book.site / name).read_bytes() for name in ("numbers.json", "claims.json")}
    return {"myst.yml": _project(book).encode(), PLUGIN: (chapters.FILES / PLUGIN).read_bytes(), **files}


def _project(book: Book) -> str:
    names = [f"{chapter.name}.md" for chapter in book.chapters]
    given = {
        "version": 1,
        "project": {
            "id": book.stem, "title": f"{book.title} {book.run}".strip(), "description": citation.text(book.work),
            "authors": [citation.AUTHOR], "license": citation.IMPRINT.licence_id, "date": book.work.date, "plugins": [PLUGIN],
            "toc": [{"file": name} for name in names],
            "exports": [{"format": "jats", "article": names[0], "sub_articles": names[1:], "output": "book.xml"}],
        },
        "site": {"template": "book-theme"},
    }  # fmt: skip
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
