"""What the chapters published, collected while Sphinx reads them: figures, tables, values, claims, entries; ids are unique."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from analysis.errors import FigureError, nearest
from analysis.figures import Entry, Figure, Table

KINDS = ("figures", "tables", "values", "claims", "entries", "scripts")


@dataclass
class Registry:
    """Kind → id → (document, what it published): a Figure, a Table, an Entry, or what a catalogue holds of a number or of a claim."""

    entries: dict[str, dict[str, tuple[str, Any]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    order: list[str] = field(default_factory=list)
    referred: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Document → kind and id of what its prose shows of any chapter's."""
    read: dict[str, list[str]] = field(default_factory=dict)
    """Document → tables that its numbers were computed from."""
    pages: dict[str, dict[str, Entry]] = field(default_factory=dict)
    """Table → key of a row → the page of its own: hundreds of pages look others up."""

    def add(self, kind: str, document: str, key: str, entry: Any) -> None:
        """Register one entry; raises FigureError naming both documents where the id is taken."""
        known = self.entries[kind].get(key)
        if known is not None and known[0] != document:
            raise FigureError(f"{kind[:-1]} id {key!r} is published by {known[0]} and by {document}; rename one")
        self.entries[kind][key] = (document, entry)
        self._note_page(entry)

    def _note_page(self, entry: Any) -> None:
        if isinstance(entry, Entry):
            self.pages.setdefault(entry.table, {})[entry.id] = entry

    def get(self, kind: str, key: str, *, where: str) -> Any:
        """One entry; raises FigureError with the nearest id where there is none."""
        if key not in self.entries[kind]:
            raise FigureError(f"{where}: unknown {kind[:-1]} {key!r}. {nearest(key, self.entries[kind])}")
        return self.entries[kind][key][1]

    def refer(self, document: str, kind: str, key: str) -> None:
        """Note that the prose of a document shows a number or a claim."""
        self.referred.setdefault(document, set()).add((kind, key))

    def of_document(self, kind: str, document: str) -> list[str]:
        """The ids of what a document published."""
        return [key for key, (where, _) in self.entries[kind].items() if where == document]

    def figures(self) -> list[tuple[str, Figure]]:
        """Every figure with its document."""
        return self._ordered("figures")

    def tables(self) -> list[tuple[str, Table]]:
        """Every shown table with its document."""
        return self._ordered("tables")

    def scripts(self) -> list[tuple[str, tuple[str, str]]]:
        """Every script of a piece of page with its document: its id and its text."""
        return self._ordered("scripts")

    def entries_of(self, table: str) -> dict[str, Entry]:
        """Key of a row → the page of its own, for the rows of a table that have one."""
        return self.pages.get(table, {})

    def all(self, kind: Literal["values", "claims"]) -> list[tuple[str, dict[str, Any]]]:
        """Every number or claim with its document, as the catalogues hold it."""
        return self._ordered(kind)

    def _ordered(self, kind: str) -> list[tuple[str, Any]]:
        """Every (document, entry) of a kind, in the order of the table of contents and then of the page."""
        place = {document: position for position, document in enumerate(self.order)}
        return sorted(self.entries[kind].values(), key=lambda entry: place.get(entry[0], len(place)))

    def document(self, kind: str, key: str) -> str:
        """The document that publishes it."""
        return self.entries[kind][key][0]

    def forget(self, document: str) -> None:
        """Drop what a document published and referred to, before it is read again."""
        self.referred.pop(document, None)
        self.read.pop(document, None)
        for kind in KINDS:
            self.entries[kind] = {key: entry for key, entry in self.entries[kind].items() if entry[0] != document}
        self.pages = {}
        for _, entry in self.entries["entries"].values():
            self._note_page(entry)


def of(env: BuildEnvironment) -> Registry:
    """The registry of a Sphinx environment."""
    if not hasattr(env, "memory_wall_registry"):
        env.memory_wall_registry = Registry()  # type: ignore[attr-defined]
    found: Registry = env.memory_wall_registry  # type: ignore[attr-defined]
    return found


def purge(app: Sphinx, env: BuildEnvironment, document: str) -> None:
    """Sphinx is about to read a document again."""
    of(env).forget(document)


def arrange(app: Sphinx, env: BuildEnvironment) -> None:
    """Every document is read: from now on the order is that of the table of contents."""
    root = env.config.root_doc
    order, waiting = [], [root]
    while waiting:
        document = waiting.pop(0)
        order.append(document)
        waiting = [name for name in env.toctree_includes.get(document, []) if name not in order] + waiting
    of(env).order = order
