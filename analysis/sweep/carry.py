"""Many pieces of work through an executor: each to its end or to its third failure, whatever becomes of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from analysis.errors import MemoryWallError
from analysis.sweep.work import Work

TRIES = 3
AHEAD = 4
"""So many pieces a process are handed over at a time: enough that none waits, few enough to be lost with one."""
Result = list[dict[str, Any]]


@dataclass
class Piece:
    """Work with how often it failed, and whether a process ended while it was done."""

    work: Work
    failures: int = 0
    suspect: bool = False


class Carrier:
    """Hands work to an executor and takes results; where a process of it ends, a new one is opened.

    When a process ends, everybody's work is lost with it.  Whatever was under way is then done alone, piece by piece, so that the
    one that ends processes is told from those that were beside it.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[tuple[Executor, int]]],
        do: Callable[[Work], Result],
        *,
        kept: Callable[[Work, Result], None],
        failed: Callable[[Work, str], None],
    ) -> None:
        self._opened, self._do, self._kept, self._failed, self._most = opened, do, kept, failed, AHEAD
        self._waiting: deque[Piece] = deque()
        self._running: dict[Future[Result], Piece] = {}

    def carry(self, works: Iterable[Work]) -> None:
        """Do all of it; raises what an executor raises that cannot be opened at all."""
        self._waiting.extend(Piece(work) for work in works)
        while self._waiting:
            with ExitStack() as stack:
                executor, width = stack.enter_context(self._opened())
                self._most = width * AHEAD
                try:
                    self._with(executor)
                except BrokenExecutor:
                    self._lost()

    def _with(self, executor: Executor) -> None:
        while self._waiting or self._running:
            while self._waiting and self._may_begin():
                future = executor.submit(self._do, self._waiting[0].work)
                self._running[future] = self._waiting.popleft()
            ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in [one for one in self._running if one in ended]:  # in the order in which they were begun
                self._settle(future)

    def _may_begin(self) -> bool:
        """A suspect is done alone."""
        if self._waiting[0].suspect or any(piece.suspect for piece in self._running.values()):
            return not self._running
        return len(self._running) < self._most

    def _settle(self, future: Future[Result]) -> None:
        error = future.exception()
        if isinstance(error, BrokenExecutor):
            raise error
        piece = self._running.pop(future)
        if error is None:
            self._kept(piece.work, future.result())
        elif isinstance(error, Exception):
            self._again(piece, told(error))
        else:
            raise error

    def _again(self, piece: Piece, why: str) -> None:
        piece.failures += 1
        if piece.failures < TRIES:
            self._waiting.append(piece)
        else:
            self._failed(piece.work, why)

    def _lost(self) -> None:
        """A process ended, with whatever was under way."""
        lost, self._running = list(self._running.values()), {}
        for piece in lost:
            if len(lost) == 1:
                self._again(piece, "a process ended while it was done: out of memory, or killed from outside")
            else:
                self._waiting.append(piece)
            piece.suspect = True


def told(error: Exception) -> str:
    """An error in one line."""
    said = " ".join(str(error).split())
    return said if isinstance(error, MemoryWallError) else f"{type(error).__name__}: {said}"
