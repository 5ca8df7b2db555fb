"""Pictures by content address: drawn once, side by side where a build lends its workers, read ever after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache

from analysis.book import freshness, places
from analysis.book.cache import Store, code_of, digest, file_digest

DRAWING = "analysis.book.vega"
"""What draws: a picture is kept under the digest of this module and of all that it imports of this package."""
ENGINE = ("svg", "vega")
"""Kinds that need the renderer's engine, which takes a worker most of a second to start: few workers draw these."""
_executors: tuple[Executor, Executor] | None = None
_underway: dict[tuple[str, str], Future[dict[str, bytes]]] = {}
_elsewhere: set[tuple[str, str]] = set()
PATIENCE_S = 60.0
"""So long a process waits for a picture that another one draws; then it draws it itself, and waits for no more of them."""
LOOK_S = 0.01
_patience_s = PATIENCE_S
_in_vain = False


@contextmanager
def drawn_by(drawers: Executor, others: Executor) -> Iterator[None]:
    """Let the workers of a build draw: some whatever needs the renderer's engine, others the rest."""
    global _executors, _patience_s  # noqa: PLW0603 - Sphinx calls back without a place to carry it
    _executors = (drawers, others)
    _patience_s = PATIENCE_S if _store().keeps() else 0.0
    try:
        yield
    finally:
        _executors = None
        _underway.clear()


def copied() -> None:
    """In a copy of this process: what workers draw for the original arrives here by way of the store alone."""
    global _executors  # noqa: PLW0603 - as above
    _executors = None
    _elsewhere.update(_underway)
    _underway.clear()


def all_drawn() -> bool:
    """Whether nothing that was begun is still being drawn."""
    return all(future.done() for future in _underway.values())


@cache
def _tools() -> str:
    """The code that draws, the packages it draws with, and the fonts."""
    fonts = "".join(file_digest(path) for path in sorted((places.REPOSITORY / "analysis" / "fonts").iterdir()))
    return f"{code_of(DRAWING)} {freshness.installed()} {digest(fonts)}"


def _store() -> Store:
    return Store("pictures", handed_over=True)


def address(kind: str, source: str) -> str:
    """What a picture depends on: what draws it, the kind, the specification."""
    return f"{_tools()} {kind} {source}"


def kept(kind: str, source: str, make: Callable[[], bytes]) -> bytes:
    """The picture from the store, or made and kept."""
    return _store().made(address(kind, source), make)


def begin(kinds: tuple[str, ...], source: str) -> None:
    """Have a picture drawn that will be asked for; without workers, nothing happens yet."""
    missing = tuple(
        kind for kind in kinds if (kind, source) not in _underway and not _store().has(address(kind, source))
    )
    if _executors is not None and missing:
        from analysis.book import vega

        drawers, others = _executors
        executor = drawers if set(missing) & set(ENGINE) else others
        future = executor.submit(vega.draw, missing, source, _patience_s)
        _underway.update(dict.fromkeys(((kind, source) for kind in missing), future))


def awaited(kind: str, source: str, patience_s: float) -> bytes | None:
    """The picture from the store; where it is not there, what another process puts there in so long a time."""
    global _in_vain  # noqa: PLW0603 - one per process
    end = time.monotonic() + (0.0 if _in_vain else patience_s)
    while (found := _store().get(address(kind, source))) is None and time.monotonic() < end:
        time.sleep(LOOK_S)
    _in_vain |= found is None and patience_s > 0
    return found


def drawn(kind: str, source: str) -> bytes:
    """The picture, wherever it comes from."""
    from analysis.book import vega

    if (kind, source) not in _underway:
        found = awaited(kind, source, _patience_s if (kind, source) in _elsewhere else 0.0)
        if found is not None:
            return found
        begin((kind,), source)
    future = _underway.get((kind, source))
    return (vega.draw((kind,), source) if future is None else future.result())[kind]
