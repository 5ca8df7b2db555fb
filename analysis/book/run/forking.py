"""The process that others are forked from: it imports what they need once, and starts before anything else of a build."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any

from analysis.book.store import workplace

PRELOAD = "analysis.book.run.preload"
DEAF_TO = (signal.SIGINT, signal.SIGHUP)
SINGLE_THREADED = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Tracker(resource_tracker.ResourceTracker):
    """Python's process that clears up what a killed build leaves; where that one is killed itself, nobody complains.

    Python starts another, which is then told to forget names it never heard of, and prints a traceback for each.
    """

    _fd: int | None
    _pid: int | None
    _check_alive: Callable[[], bool]

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[object, int | None] = {}

    def ensure_running(self) -> None:
        """Start it where it does not run."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            super().ensure_running()

    def register(self, name: Any, rtype: Any) -> None:
        """Let it know of a resource."""
        super().register(name, rtype)
        self._told[name] = self._pid

    def unregister(self, name: Any, rtype: Any) -> None:
        """Let it forget a resource that it knows of."""
        knows = self._told.pop(name, None) == self._pid
        if knows and self._fd is not None and self._check_alive():
            super().unregister(name, rtype)


def _track() -> None:
    """Have Python use it, unless its own runs already."""
    usual: Any = resource_tracker._resource_tracker
    if not isinstance(usual, Tracker) and usual._fd is None:
        resource_tracker._resource_tracker = tracker = Tracker()
        for name in ("ensure_running", "register", "unregister", "getfd"):
            setattr(resource_tracker, name, getattr(tracker, name))


class Process(ForkServerProcess):
    """A process that does not run the main script a second time: what workers do is found in this package."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's name for it
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            _ensure_server()
            with workplace.lent():
                return ForkServerProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class Context(ForkServerContext):
    """A fork server that imports ``preload`` once, for all workers."""

    Process = Process

    @classmethod
    def ready(cls, *modules: str) -> Context:
        """The context; nothing is started yet."""
        for name, value in SINGLE_THREADED.items():
            os.environ.setdefault(name, value)
        _track()
        context = cls()
        context.set_forkserver_preload(list(modules or [PRELOAD]))
        return context


RENDERER = ("jupyter_book.sphinx", "myst_nb")
"""What processes need besides that make pages."""


def warm_up(*modules: str) -> None:
    """Start importing in the process that workers are forked from, without waiting for it."""
    Context.ready(*modules)
    _ensure_server()


def address() -> str:
    """The address of the process that others are forked from."""
    _ensure_server()
    return str(_server()._forkserver_address)


def share(address: str) -> None:
    """Have this process, which was forked from that one, ask it for others too: its own would import all of it again."""
    server = _server()
    server._forkserver_address, server.ensure_running = address, lambda: None
    forkserver.ensure_running = server.ensure_running


def _server() -> Any:
    return forkserver._forkserver


def _ensure_server() -> None:
    """Have the process run that workers are forked from, deaf to Ctrl-C and to the end of a terminal: those are for this one."""
    with _deaf(), workplace.lent():
        forkserver.ensure_running()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Ignore both, as all do that are started meanwhile; in a thread of its own, which hears neither, nothing is to be done."""
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, signal.SIG_IGN) for number in DEAF_TO} if is_main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
