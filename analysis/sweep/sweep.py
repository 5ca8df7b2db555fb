"""From a plan to its editions: judge, compute what is not there yet, put index and summary beside it, the manifest last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis import tables, words
from analysis.book.inputs import parameters
from analysis.book.run.executors import Engine
from analysis.book.store import cache, ends, freshness, sent
from analysis.errors import SiteError, nearest
from analysis.subjects import numbers
from analysis.sweep import folder as places
from analysis.sweep import index, plan, sites, summary, work
from analysis.sweep.carry import Carrier
from analysis.sweep.folder import Folder
from analysis.sweep.plan import Edition, Plan
from analysis.sweep.work import Work

NUMBERS = "numbers"
Bar = Callable[[int], AbstractContextManager[Callable[[str], None]]]
"""Shows how far it is: given the number of steps, it opens to what is told of each."""


@dataclass(frozen=True)
class Request:
    """What a sweep was asked for."""

    plan: Plan
    out: Path
    engine: Engine
    only: str = NUMBERS


@dataclass(frozen=True)
class Outcome:
    """What came of it: how many editions, how many results were computed and how many were there, and what failed."""

    editions: int
    computed: int
    found: int
    failed: list[dict[str, str]]

    def told(self, out: Path) -> str:
        """What came of it, in a sentence or two."""
        said = f"{words.plural(self.editions, 'edition', 'editions')}: {self.computed:,} results computed, {self.found:,} were there."
        lost = (
            f" {words.plural(len(self.failed), 'result', 'results')} failed; the same command tries them again."
            if self.failed
            else ""
        )
        return f"{said}{lost} Open {out / summary.PAGE}"


def swept(request: Request, bar: Bar, tell: Callable[[str], None]) -> Outcome:
    """Make every edition of a plan; raises InputError before anything is written, SiteError where the disk refuses.

    ``bar`` shows how far it is; ``tell`` is told each failure.
    """
    places.require_fit(request.out)
    with TemporaryDirectory() as held, ends.told(), cache.in_use() as trim, ExitStack() as stack:
        merged = plan.judged(request.plan, Path(held))
        _require_known(request.plan, merged)
        editions = request.plan.editions()
        store = sent.Sent(sent.address(request.engine.store))
        sources = ""
        if request.only != NUMBERS:
            sources = freshness.inputs({}, None, apart=freshness.untracked())  # as those who build import them now
            sites.prepare()
            request = replace(request, engine=stack.enter_context(request.engine.standing()))
        with places.claimed(request.out) as folder:
            folder.begin(summary.asked(request.plan, editions), partial(_gives, request.plan, merged))
            works = _works(request.plan, editions, merged, store)
            made = Sweep(request, folder, works, tell)
            made.carry(bar)
            if request.only != NUMBERS:

                def room() -> None:
                    trim()
                    _sent(merged, store)  # it may lie in the cache, and have gone with the rest

                made.build(editions, sources, bar, room)
            return made.finish(editions, merged)


def _itself(place: Path | None) -> Path | None:
    return place


def _gives(asked: Plan, merged: Mapping[str, Path], key: str) -> bool:
    """Whether a plan gives a number, itself or with the part that it is of."""
    package = tables.DataPackage(next(iter(merged.values())))
    return not asked.wanted or bool({key, numbers.part_of(key, package)} & set(asked.wanted))


def _parts(asked: Plan, package: tables.DataPackage) -> list[str]:
    """The parts that give what is wanted; all of them where nothing is named."""
    named = {numbers.part_of(key, package) for key in asked.wanted}
    return [part for part in numbers.PARTS if not named or part in named]


def _require_known(asked: Plan, merged: Mapping[str, Path]) -> None:
    """Raise InputError for an id that the part which its beginning names does not give."""
    package = tables.DataPackage(next(iter(merged.values())))
    given = parameters.validated(asked.fixed)
    for part in _parts(asked, package) if asked.wanted else []:
        if part != numbers.VERDICTS:
            known = [one["id"] for one in numbers.found(part, package, work.given(part, given))]
            for position, key in enumerate(asked.wanted):
                if numbers.part_of(key, package) == part and key not in (part, *known):
                    asked.wrong_wanted(position, f"id {key!r}", nearest(key, known))
    asked.require_sound()


def _sent(merged: Mapping[str, Path], store: sent.Sent) -> dict[str, str]:
    """Data set → its digest, under which the store has it."""
    try:
        return {data: store.send(place) for data, place in merged.items()}
    except OSError as error:
        raise SiteError(f"the sweep stopped: {str(error.strerror or error).lower()} ({store.place})") from None


def _works(
    asked: Plan, editions: Iterable[Edition], merged: Mapping[str, Path], store: sent.Sent
) -> dict[str, list[Work]]:
    """Edition → its pieces of work; the data sets are sent on the way."""
    parts, digests = _parts(asked, tables.DataPackage(next(iter(merged.values())))), _sent(merged, store)
    return {one.name: [_work(part, one, asked, digests[one.data], store) for part in parts] for one in editions}


def _work(part: str, edition: Edition, asked: Plan, data: str, store: sent.Sent) -> Work:
    values = work.given(part, parameters.validated(edition.parameters))
    drawn = tuple(
        (cell.table, cell.row, cell.column, edition.cells[cell.name]) for cell in asked.cells if edition.cells
    )
    return Work(part, dict(values), data, store.place, drawn)


class Sweep:
    """The work of a sweep in its folder."""

    def __init__(
        self, request: Request, folder: Folder, works: Mapping[str, list[Work]], tell: Callable[[str], None]
    ) -> None:
        self.request, self.folder, self.works, self.tell = request, folder, works, tell
        self.distinct = {one.key: one for of_edition in works.values() for one in of_edition}
        self.missing = [one for key, one in self.distinct.items() if folder.kept(key) is None]
        self.errors: dict[str, str] = {}
        self.failed: list[dict[str, str]] = []

    def carry(self, bar: Bar) -> None:
        """Compute what is not there yet."""
        begun = time.monotonic()
        self._log(
            f"{words.plural(len(self.works), 'edition', 'editions')}, {words.plural(len(self.distinct), 'result', 'results')}, "
            f"{len(self.missing)} of them to be computed"
        )
        engine = self.request.engine
        with bar(len(self.distinct)) as step:
            for _ in range(len(self.distinct) - len(self.missing)):
                step("found")

            def kept(one: Work, found: list[dict[str, Any]]) -> None:
                self.folder.keep(one.key, found)
                step(one.part)

            def failed(one: Work, why: str) -> None:
                self.errors[one.key] = why
                self._log(f"failed: {one.part} {dict(one.parameters)}: {why}")
                step(one.part)

            Carrier(engine.opened, work.done, kept=kept, failed=failed).carry(self.missing)
        self._log(f"computed in {time.monotonic() - begun:.1f} s by {engine.address}")

    def build(self, editions: list[Edition], sources: str, bar: Bar, trim: Callable[[], None]) -> None:
        """Build the sites that are asked for and not there yet, or of other sources or data."""
        folder, only = self.folder, self.request.only
        built_of = {one.name: [{"sources": sources, "data": self.works[one.name][0].data}] for one in editions}
        missing = [
            one
            for one in editions
            if folder.kept(f"{only} {one.name}") != built_of[one.name]
            or not sites.target(folder.place, only, one).exists()
        ]
        with bar(len(missing)) as step:

            def done(one: sites.Asked, why: str) -> None:
                if why:
                    self.failed.append({"edition": one.name, "part": only, "error": why})
                else:
                    folder.keep(f"{only} {one.name}", built_of[one.name])
                self._log(f"{only} {one.name}: {why or 'built'}")
                step(one.name)

            asked = list(map(self._asked, missing))
            try:
                for one in (one for one in asked if one.goal.exists()):
                    folder.keep(f"{only} {one.name}", [])
                    sites.forget(one)
            except OSError as error:
                raise folder.refused(error) from None
            sites.build(asked, folder.place, self.request.engine, done=done, trim=trim)

    def _asked(self, one: Edition) -> sites.Asked:
        # A build lays the user's folder over the book's; where cells were drawn, all tables as they then are.
        drawn, place = self.works[one.name][0], self.request.plan.place(one.data)
        data = partial(work.folder, drawn) if one.cells else partial(_itself, place)
        goal = sites.target(self.folder.place, self.request.only, one)
        return sites.Asked(one.name, dict(one.parameters), data, goal, self.request.only)

    def _log(self, line: str) -> None:
        self.folder.log(f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M:%S}  {line}")

    def found(self, edition: Edition) -> Iterable[Mapping[str, Any]]:
        """What is wanted of an edition, part by part; nothing of a part that failed."""
        wanted = frozenset(self.request.plan.wanted)
        for one in self.works[edition.name]:
            whole = not wanted or one.part in wanted
            yield from (entry for entry in self.folder.kept(one.key) or [] if whole or entry["id"] in wanted)

    def finish(self, editions: list[Edition], merged: Mapping[str, Path]) -> Outcome:
        """Write index, summary and manifest."""
        asked, place = self.request.plan, self.folder.place
        self.failed += [
            {"edition": one.name, "part": piece.part, "error": self.errors[piece.key]}
            for one in editions
            for piece in self.works[one.name]
            if piece.key in self.errors
        ]
        failed = self.failed
        try:
            with TemporaryDirectory(dir=place, prefix=".new-") as made:
                index.write(Path(made) / index.FILE, asked, editions, self.found)
                index.write_parquet(Path(made) / index.FILE, Path(made) / index.PARQUET)
                summary.write(Path(made), asked, editions, merged, failed)
                names = sorted(path.name for path in Path(made).iterdir())
                for name in names:
                    (Path(made) / name).replace(place / name)
        except OSError as error:
            raise self.folder.refused(error) from None
        for one in failed:
            self.tell(f"edition {one['edition']}, {one['part']}: {one['error']}")
        self.folder.finish(names, failed)
        self._log(f"written; {len(failed)} results failed")
        computed = len(self.missing) - len(self.errors)
        return Outcome(len(editions), computed, len(self.distinct) - len(self.missing), failed)
