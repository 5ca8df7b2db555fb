"""The unit of work of a sweep: one part of the book under one setting on one data set, pure in its inputs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as once
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis import tables
from analysis.assumptions import Parameters
from analysis.book.record import marks
from analysis.book.run import execution
from analysis.book.store import cache, freshness, places, sent
from analysis.subjects import SUBJECTS, numbers
from analysis.sweep import cells


@dataclass(frozen=True)
class Work:
    """What a worker is told: the part, the parameters that its chapter declares, the digest of its data, where that is.

    ``cells`` are cells with other values than are filed: table, key of the row, column, value.
    """

    part: str
    parameters: Mapping[str, Any]
    data: str
    store: str
    cells: tuple[tuple[str, str, str, float], ...] = ()

    @property
    def key(self) -> str:
        """What the result depends on, and nothing else."""
        return json.dumps([code(), self.part, self.parameters, self.data, self.cells], sort_keys=True)


@once
def code() -> list[str]:
    """The digest of all code that a number comes from, of the installed packages, and Python."""
    rules = [f"analysis.subjects.{name}.claims" for name in SUBJECTS]
    return [cache.code_of("analysis.subjects.numbers", *rules), freshness.installed(), platform.python_version()]


@once
def declared(part: str) -> tuple[str, ...]:
    """The parameters that the chapter of a part declares, without those that name an edition."""
    chapter = places.REPOSITORY / "chapters" / f"{numbers.CHAPTERS.get(part, part)}.md"
    return tuple(name for name in execution.declared_parameters(execution.read(chapter)) if name not in marks.STAMPS)


def given(part: str, parameters: Mapping[str, Any]) -> Parameters:
    """The parameters of a part, of all."""
    return Parameters({name: parameters[name] for name in declared(part)})


def done(work: Work) -> list[dict[str, Any]]:
    """Do it."""
    return numbers.found(work.part, _package(folder(work)), Parameters(work.parameters))


@lru_cache(maxsize=sent.KEPT)
def _package(folder: Path) -> tables.DataPackage:
    return tables.DataPackage(folder)


def folder(work: Work) -> Path:
    """The data of a piece of work in a folder of this process's own."""
    if not work.cells:
        return sent.fetched(work.store, work.data)
    return sent.held((work.store, work.data, work.cells), lambda place: _changed(work, place))


def _changed(work: Work, place: Path) -> None:
    """The folder of a digest with other values in some cells."""
    package = tables.DataPackage(sent.Sent(work.store).fetch(work.data, place))
    for table in sorted({cell[0] for cell in work.cells}):
        file, key = place / f"{table}.csv", package.resource(table)["schema"]["primaryKey"]
        values = {(row, column): value for name, row, column, value in work.cells if name == table}
        file.write_bytes(cells.written(file.read_bytes(), key, values))
