"""What ``memory-wall serve`` and the builds that it begins have to say to each other; any other build says nothing.

Sphinx and the command line call back without a place to carry it: it is one per process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """What has changed since all pages were written, and what is to be shown.

    changed           documents
    has_data_changed  whether tables have, of the book or in ``data``, the folder of this run
    page              the document that is open
    """

    changed: frozenset[str]
    has_data_changed: bool
    data: Path | None
    page: str


@dataclass(frozen=True)
class Shown:
    """Where in the site each file lies that is to be shown, and what it holds."""

    files: dict[str, bytes]


@dataclass(frozen=True)
class Waiting:
    """The chapters that have to run first."""

    chapters: tuple[str, ...]


@dataclass(frozen=True)
class Failed:
    """What a build would say."""

    said: str


Answer = Shown | Waiting | Failed | None


@dataclass(frozen=True)
class Lines:
    """Where a build says how far it is, and where the copy of it that stays answers."""

    told: Connection
    copy: Connection


_lines: Lines | None = None
_first: tuple[str, ...] = ()


def begin(lines: Lines, first: tuple[str, ...]) -> None:
    """This process builds for ``serve``, to which some chapters are more urgent than others."""
    global _lines, _first
    _lines, _first = lines, first


def first() -> tuple[str, ...]:
    """The chapters that have to run before others."""
    return _first


def follows() -> bool:
    """Whether this build is one of many."""
    return _lines is not None


def tell(kind: str, text: str) -> None:
    """Say that a step is done, or what is wrong; whoever began the build may be gone."""
    if _lines is not None:
        with contextlib.suppress(OSError):
            _lines.told.send((kind, text))


def leave(prepare: Callable[[], None], answer: Callable[[Connection], None]) -> None:
    """Leave a copy of this process behind, with all it has read, that prepares itself and then answers for as long as it is asked."""
    from analysis.book.run import beside

    if _lines is not None and beside.stay(_lines.copy, prepare, answer):
        tell("copy", "stays")
