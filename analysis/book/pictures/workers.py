"""Who draws: the workers that a build lends, side by side; without them, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from analysis.book.pictures import renderer, shelf

ENGINE = ("svg", "vega")
"""Kinds that need the renderer's engine, which takes a worker most of a second to start: few workers draw these."""
PATIENCE_S = 60.0
"""So long a process waits for a picture that another one draws; then it draws it itself, and waits for no more of them."""
_executors: tuple[Executor, Executor] | None = None
_underway: dict[tuple[str, str], Future[dict[str, bytes]]] = {}
_elsewhere: set[tuple[str, str]] = set()
_patience_s = PATIENCE_S


@contextmanager
def drawn_by(drawers: Executor, others: Executor) -> Iterator[None]:
    """Let the workers of a build draw: some whatever needs the renderer's engine, others the rest."""
    global _executors, _patience_s  # noqa: PLW0603 - Sphinx calls back without a place to carry it
    _executors = (drawers, others)
    _patience_s = PATIENCE_S if shelf.store().keeps() else 0.0
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


def draw_ahead(kinds: tuple[str, ...], source: str) -> None:
    """Have a picture drawn that will be asked for; without workers, nothing happens yet."""
    missing = tuple(
        kind for kind in kinds if (kind, source) not in _underway and not shelf.store().has(shelf.address(kind, source))
    )
    if _executors is not None and missing:
        drawers, others = _executors
        executor = drawers if set(missing) & set(ENGINE) else others
        future = executor.submit(renderer.draw, missing, source, _patience_s)
        _underway.update(dict.fromkeys(((kind, source) for kind in missing), future))


def drawn(kind: str, source: str) -> bytes:
    """The picture, wherever it comes from."""
    if (kind, source) not in _underway:
        found = shelf.awaited(kind, source, _patience_s if (kind, source) in _elsewhere else 0.0)
        if found is not None:
            return found
        draw_ahead((kind,), source)
    future = _underway.get((kind, source))
    return (renderer.draw((kind,), source) if future is None else future.result())[kind]
