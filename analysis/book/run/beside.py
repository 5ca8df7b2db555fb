"""A second pair of hands: part of making a site, done by a copy of the process that makes it while that one goes on.

Only files come back from the copy, and what it logged, and what it raised.  Sphinx has such a thing for its own use
(``sphinx.util.parallel``); that one turns every error into text and waits for ever for a copy that was killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from sphinx.util import logging

from analysis.book.pictures import workers
from analysis.book.run import forking, kernels
from analysis.book.store import ends
from analysis.errors import SiteError

LOGGER = logging.getLogger(__name__)
PATIENCE_S, MOST_PATIENCE = 60.0, 60
"""A copy that is silent for so long twice and does not work either waits for a lock that a thread had when it was copied."""


class Task:
    """Work that is being done."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        context: Any = multiprocessing.get_context("fork")
        self._answer, answer = context.Pipe(duplex=False)
        self._process = context.Process(target=_do, args=(work, answer), daemon=True)
        with warnings.catch_warnings():
            # Python warns of forking beside threads, which may hold locks: here they only wait for workers to answer.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        answer.close()  # the copy holds the only one: its death ends the wait

    def result(self) -> None:
        """Wait until it is done, or do it here if the copy hangs; raises what the work raised, SiteError if the copy was killed."""
        try:
            answer = self._answer.recv() if self._is_heard() else None
        except EOFError:
            said = "nothing was published: a process that wrote pages was ended, by the system for want of memory or by somebody"
            raise SiteError(f"{said}. {ends.todo()}") from None
        finally:
            self.end()
        if answer is None:
            self._work()
            return
        logged, error = answer
        for record in logged:
            LOGGER.handle(record)
        if error is not None:
            raise error

    def _is_heard(self) -> bool:
        """Whether it answers: on a busy machine, with large tables, that may take long, and it is waited for while it works."""
        before: list[str] = []
        for _ in range(MOST_PATIENCE):
            if self._answer.poll(PATIENCE_S):  # an answer, or its end
                return True
            if (now := _worked(self._process.pid)) == before:
                return False
            before = now
        return False

    def end(self) -> None:
        """End it, whether it is done or not."""
        self._process.kill()
        self._process.join()


def _worked(pid: int) -> list[str]:
    """For how many ticks a process has computed, in itself and in the system (proc(5): utime, stime); none of one that is gone."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return []


class Done:
    """Work that was done on the spot."""

    def __init__(self, work: Callable[[], object]) -> None:
        work()

    def result(self) -> None:
        """Nothing to wait for."""

    def end(self) -> None:
        """Nothing to end."""


Work = Task | Done


def run(work: Callable[[], object], jobs: int) -> Work:
    """Have the work done beside; on the spot where one process is wanted, or where copying one is not safe (not on Linux)."""
    return Task(work) if jobs > 1 and sys.platform == "linux" else Done(work)


def _do(work: Callable[[], object], answer: Connection) -> None:
    """In the copy: deaf to what is meant for the process it was copied from, gone with it, and without a look at its threads."""
    _deafen()
    kernels.end_with_parent()
    workers.copied()
    collector, error = logging.LogCollector(), None
    with collector.collect():
        try:
            work()
        except Exception as raised:
            error = raised
    logging.convert_serializable(collector.logs)
    answer.send((collector.logs, _portable(error)))
    os._exit(0)


def _deafen() -> None:
    for number in forking.DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def stay(line: Connection, prepare: Callable[[], None], answer: Callable[[Connection], None]) -> bool:
    """Leave a copy of this process behind, which answers on a line until its other end is closed; whether it is prepared to.

    Where copying is not safe there is none.
    """
    if sys.platform != "linux":
        return False
    prepared, done = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as above
        pid = os.fork()
    if pid == 0:
        _stay(line, done, prepare, answer)
    os.close(done)
    with os.fdopen(prepared, "rb") as waited:
        ready = bool(select.select([waited], [], [], PATIENCE_S)[0] and waited.read(1))
    if not ready:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return ready


def _stay(line: Connection, done: int, prepare: Callable[[], None], answer: Callable[[Connection], None]) -> NoReturn:
    """In the copy: nothing is held that belongs to the original, whose locks and pipes would never be free."""
    try:
        _deafen()
        workers.copied()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in map(int, os.listdir("/proc/self/fd")):
            if number > 2 and number not in (line.fileno(), done, nothing):
                with contextlib.suppress(OSError):  # the listing's own
                    os.fstat(number)
                    os.dup2(nothing, number)  # not closed: an object that does so later would close another's file
        prepare()
        os.write(done, b".")
        os.close(done)
        answer(line)
    finally:
        os._exit(0)


def _portable(error: Exception | None) -> Exception | None:
    """The error, or what it says where it cannot travel between processes."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes of our own
    except Exception:
        return SiteError("".join(traceback.format_exception_only(error)).strip())
    return error
