"""Chapters shown anew within a second: a copy of the process that wrote every page stays, and reads what has changed since.

Each time it is asked, a copy of the copy does the work, so that nothing is left of what failed.  What it makes are pages as a build
makes them, which follows: other pages may have changed with these, and only a build publishes.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis.book.pages import assets, finishing, pieces, registry
from analysis.book.pages.nodes import Reference
from analysis.book.pictures import layout, on_page
from analysis.book.record import edition
from analysis.book.run import execution, kernels, loop, prose
from analysis.book.run.loop import Answer, Asked, Failed, Shown, Waiting
from analysis.book.store import freshness, places, workplace
from analysis.book.store.cache import digest, file_digest
from analysis.book.store.files import write
from analysis.figures import Figure
from analysis.tables import overlay

FOLDER = "chapters"


def stay(app: Sphinx) -> None:
    """Where this is a build of many, leave a copy of it that answers."""
    if loop.follows():
        copy = Copy(app)
        loop.leave(copy.prepare, copy.answer)


class Copy:
    """The process in which every document is read and every page was written."""

    def __init__(self, app: Sphinx) -> None:
        self.app, self.env = app, app.env
        self.sources = {name: file_digest(_source(app.srcdir, name)) for name in self.env.found_docs}
        for name in self.env.found_docs:
            self.env.get_doctree(name)  # from now on it is in memory
        printed: Any = app._warning
        self.warned, self.printed = app._warncount, len(printed.getvalue())

    def prepare(self) -> None:
        """Take along what the original takes away at its end."""
        gc.freeze()
        self.place = workplace.Workplace(workplace.temporary(), workplace.PREFIX)
        self._read_from(Path(shutil.copytree(self.app.config.memory_wall_data, self.place.path / "data")))

    def _read_from(self, data: Path) -> None:
        self.app.config.memory_wall_data = str(data)
        edition.last_read(self.app)  # every page says it

    def answer(self, line: Connection) -> None:
        """Have each question answered by a copy, for as long as there is somebody who asks."""
        try:
            while True:
                asked, place = line.recv(), Path(tempfile.mkdtemp(dir=self.place.path))
                pid = os.fork()
                if pid == 0:
                    self._answer(line, asked, place)
                if os.waitpid(pid, 0)[1]:
                    line.send(None)  # a build says what is wrong
                shutil.rmtree(place, ignore_errors=True)
        except (EOFError, OSError):
            self.place.end()

    def _answer(self, line: Connection, asked: Asked, place: Path) -> None:
        failed = 1
        try:
            kernels.end_with_parent()
            line.send(self.made(asked, place))
            failed = 0
        finally:
            os._exit(failed)

    def made(self, asked: Asked, place: Path) -> Answer:
        """The pages asked for, as a build makes them."""
        freshness.commit.cache_clear()
        freshness.tree.cache_clear()
        shown, needed = set(asked.changed), set(asked.changed)
        if asked.has_data_changed and asked.page in self.env.found_docs:
            shown |= {asked.page}
            needed |= {asked.page, *self._cited(asked.page)}
        if not shown:
            return None
        if asked.has_data_changed:
            self._read_from(overlay.merged(asked.data, place / "data"))
        data, values = Path(self.app.config.memory_wall_data), edition.given_parameters(self.app)
        plan = execution.Plan(execution.Chapter(_chapter(name), values, data) for name in sorted(needed))
        if plan.stale:
            return Waiting(tuple(chapter.name for chapter in plan.stale))
        self._move_to(place)
        self._read(plan.kept(), shown)
        for name in sorted(shown):
            self._draw(name)
            self._write(name)
        if said := self._warned():
            return Failed(said)
        finishing.finish_anew(place / "site", places.SITE)
        return Shown(_files(place / "site"))

    def _cited(self, page: str) -> Iterator[str]:
        """The documents whose numbers and verdicts a page shows."""
        known = registry.of(self.env)
        for node in self.env.get_doctree(page).findall(Reference):
            kind = "values" if node["kind"] == "value" else "claims"
            if node["key"] in known.entries[kind]:
                yield known.document(kind, node["key"])

    def _move_to(self, place: Path) -> None:
        """Read and write below another folder: that of the build is gone."""
        app, path = self.app, type(self.app.outdir)
        for one in (app, app.builder, self.env):
            for name in ("source", "site", "doctrees"):
                (place / name).mkdir(exist_ok=True)
            one.srcdir, one.doctreedir = path(place / "source"), path(place / "doctrees")
            one.outdir = path(place / "site")  # type: ignore[union-attr]
        app.project.srcdir = app.srcdir

    def _read(self, notebooks: Mapping[str, str], shown: set[str]) -> None:
        """Read what is to be shown, and of what it needs the chapters that are not as they were."""
        builder = self.app.builder
        for chapter, notebook in notebooks.items():
            name = f"{FOLDER}/{chapter}"
            if name in shown or digest(notebook) != self.sources[name]:
                write(_source(self.app.srcdir, name), notebook)
                self.app.events.emit("env-purge-doc", self.env, name)
                self.env.clear_doc(name)
                self.env._pickled_doctree_cache.pop(name, None)
                builder.read_doc(name)
        vars(self.env).pop("master_doctree", None)
        self.app.events.emit("env-updated", self.env)
        self._count_anew()
        list(self.env.check_dependents(self.app, set()))  # numbers sections and figures

    def _count_anew(self) -> None:
        """Where the extension that numbers chapters has counted to, the next count would begin."""
        for listener in self.app.events.listeners["env-get-updated"]:
            counted = vars(getattr(listener.handler, "__self__", self))
            counted.update({name: 0 for name in counted if name.endswith("_count")})

    def _figures(self, name: str) -> list[Figure]:
        return [figure for document, figure in registry.of(self.env).figures() if document == name]

    def _draw(self, name: str) -> None:
        """Draw what is new, the last picture first: a build that runs meanwhile begins with the first, and keeps what it has drawn."""
        for figure in reversed(self._figures(name)):
            pieces.drawn_from(figure)
            for width in (layout.PHONE, layout.WIDE):
                on_page.page_picture(figure, width)

    def _write(self, name: str) -> None:
        """Write a chapter, and what its page shows."""
        builder, site = self.app.builder, Path(self.app.outdir)
        doctree = self.env.get_and_resolve_doctree(name, builder)
        builder.write_doc_serialized(name, doctree)
        builder.write_doc(name, doctree)
        known = registry.of(self.env)
        for figure in self._figures(name):
            folder = site / "figures" / figure.id
            assets.write_page_pictures(folder, figure)
            pieces.write_beside(folder, figure.id, pieces.drawn_from(figure))
        for table in (table for document, table in known.tables() if document == name):
            pieces.write_rest(site, pieces.rest_of(table.id), table)
        for script in (script for document, script in known.scripts() if document == name):
            assets.write_script(site, *script)

    def _warned(self) -> str:
        """What Sphinx warned of since the copy stays; empty where nothing was wrong."""
        if self.app._warncount == self.warned:
            return ""
        printed: Any = self.app._warning
        return prose.unrendered(printed.getvalue()[self.printed :], map(_chapter, sorted(self.env.found_docs)))


def _chapter(document: str) -> Path:
    return places.REPOSITORY / f"{document}.md"


def _source(folder: str | Path, document: str) -> Path:
    return Path(folder) / f"{document}.ipynb"


def _files(site: Path) -> dict[str, bytes]:
    """Where each file lies, and what it holds; but not that old links to the landing page are led on."""
    named = {path.relative_to(site).as_posix(): path.read_bytes() for path in freshness.files(site)}
    return {name: content for name, content in named.items() if name != places.LANDING}
