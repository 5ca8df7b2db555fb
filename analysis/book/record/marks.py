"""What in a run is not as in the book, thing by thing: what reads as it is published carries no mark, in no file of its own.

Chapters whose parameters or tables differ are run as published besides; what both runs published alike rests on nothing that differs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from analysis import figures, tables, words
from analysis.book.inputs import parameters
from analysis.book.record import edition
from analysis.book.store import bundles
from analysis.tables import overlay

STAMPS = ("edition", "edition_date", "title")
"""Parameters that name an edition: no number rests on them."""
SOURCES = "sources"
LISTED = ("id", "title", "group")
"""What the list of all entries shows of each, besides the first sentence that is said."""
LETTERED = ("title", "number", "counted")
"""What the card of an entry shows of it."""


@dataclass(frozen=True)
class Change:
    """A table or a parameter that is not the book's: its name, how it is told, and of a table the keys of the rows that differ."""

    name: str
    told: str
    keys: frozenset[str] = frozenset()
    is_table: bool = False


@dataclass(frozen=True)
class Marks:
    """What is not the book's, in words: in the whole run, and by kind and id in each thing that differs from the book's.

    declared  chapter → the parameters that it declares
    """

    run: list[str] = field(default_factory=list)
    things: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    declared: dict[str, list[str]] = field(default_factory=dict)

    def of(self, kind: str, *keys: str) -> list[str]:
        """What is not the book's in things of a kind; in all of that kind where none is named."""
        known = self.things.get(kind, {})
        return self.joined(known.get(key, []) for key in keys or known)

    def joined(self, told: Iterable[Collection[str]]) -> list[str]:
        """What several things tell, each once, in the order of the run."""
        found = {one for each in told for one in each}
        return [one for one in self.run if one in found]

    def text(self) -> str:
        """As ``read`` takes it."""
        return json.dumps(asdict(self), sort_keys=True)


@lru_cache(maxsize=2)
def read(text: str) -> Marks:
    """What ``text`` told; nothing is marked where there is no text."""
    return Marks(**json.loads(text or "{}"))


def changes(given: Mapping[str, Any], package: tables.DataPackage) -> list[Change]:
    """What the tables and parameters of a run have that is not the book's."""
    notes = parameters.declared()
    changed = [name for name in notes if name not in STAMPS and given[name] != notes[name]["default"]]
    return [
        *(Change(one.table, _counted(one), _keys(one), is_table=True) for one in edition.supplied(package)),
        *(Change(name, _valued(name, given[name], notes[name]["default"])) for name in changed),
    ]


def as_published(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the book under the name of a run's edition."""
    return parameters.defaults() | {name: given[name] for name in STAMPS}


def _keys(change: overlay.Change) -> frozenset[str]:
    return frozenset([*change.added, *change.changed, *change.removed])


def _counted(change: overlay.Change) -> str:
    counts = ((change.added, "added"), (change.changed, "changed"), (change.removed, "removed"))
    said = [f"{words.plural(len(rows), 'row')} {what}" for rows, what in counts if rows]
    return f"{words.listing(said)} in {change.table.replace('_', ' ')}"


def _valued(name: str, value: Any, default: Any) -> str:
    return f"{name.replace('_', ' ')} = {_plain(value)} (not {_plain(default)})"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


Outputs = Sequence[Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Run:
    """A chapter as it was run: its name, what of the run's changes it may rest on, its outputs, and those as published."""

    chapter: str
    changes: Sequence[Change]
    outputs: Outputs
    published: Outputs


def found(runs: Iterable[Run], every: Sequence[Change], package: tables.DataPackage) -> dict[str, dict[str, list[str]]]:
    """Kind → id → what is not the book's, of each thing that differs from what is published."""
    resting = [one for one in every if one.is_table and one.name == SOURCES]
    marked: dict[str, dict[str, list[str]]] = {"data": _tables(every, package, resting)}
    for run in runs:
        theirs = dict(_published(run.chapter, run.published))
        for (kind, key), mine in _published(run.chapter, run.outputs):
            told = [] if mine == theirs.get((kind, key)) else [one.told for one in run.changes]
            told += _of_sources(_sources(mine), resting)
            if told:
                marked.setdefault(kind, {})[key] = list(dict.fromkeys(told))
    return marked


def _sources(thing: Any) -> Collection[str]:
    return thing.get(SOURCES, ()) if isinstance(thing, dict) else ()


def _of_sources(named: Collection[str], changed: Sequence[Change]) -> list[str]:
    """What is told of changed sources to what names one of them."""
    return [one.told for one in changed if one.keys & set(named)]


def _tables(every: Sequence[Change], package: tables.DataPackage, sources: Sequence[Change]) -> dict[str, list[str]]:
    """Table of the data → what is not the book's on its page: its rows, and the sources that they name."""
    own = {name: [one.told for one in every if one.is_table and one.name == name] for name in package.names}
    if SOURCES in package.names and overlay.SOURCE["source_id"] in set(package.raw(SOURCES)["source_id"]):
        own[SOURCES] = [
            one.told for one in every if one.is_table
        ]  # it stands there for rows without a source of their own
    named = {name: tables.source_ids(package.raw(name)) for name in package.names if sources and name != SOURCES}
    told = {name: own[name] + _of_sources(named.get(name, ()), sources) for name in package.names}
    return {name: said for name, said in told.items() if said}


def _published(chapter: str, outputs: Outputs) -> Iterator[tuple[tuple[str, str], Any]]:
    """(kind, id) and content of all that a chapter published; what else it shows is one piece."""
    pieces = []
    for output in (output for cell in outputs for output in cell):
        data = output.get("data", {})
        mime = next((mime for mime in figures.MIMES if mime in data), "")
        bundle = bundles.resolved(data[mime]) if mime else output
        if mime in NAMED:
            yield (NAMED[mime], bundle["id"]), bundle
        elif mime in LISTS:
            yield from (((LISTS[mime], one["id"]), one) for one in bundle[LISTS[mime]])
        elif mime == figures.ENTRIES:
            yield from _entries(bundle["entries"])
        else:
            pieces.append(bundle)
    yield ("pieces", chapter), pieces


NAMED = {figures.FIGURE: "figures", figures.TABLE: "tables"}
LISTS = {figures.VALUES: "values", figures.CLAIMS: "claims"}


def _entries(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Any]]:
    lists: dict[str, list[Any]] = {}
    for one in entries:
        page = f"{one['table']}/{one['id']}"
        yield ("entries", page), one
        yield ("cards", page), [one[name] for name in LETTERED]
        lists.setdefault(one["table"], []).append([one[name] for name in LISTED] + one["said"][:1])
    yield from ((("lists", table), listed) for table, listed in lists.items())
