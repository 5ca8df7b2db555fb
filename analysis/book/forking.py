"""The process that others are forked from: it imports what they need once, and starts before anything else of a build."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any

PRELOAD = "analysis.book.preload"
SINGLE_THREADED = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Process(ForkServerProcess):
    """A process that does not run the main script a second time: what workers do is found in this package."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's name for it
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
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
        context = cls()
        context.set_forkserver_preload(list(modules or [PRELOAD]))
        return context


def warm_up() -> None:
    """Start importing in the process that workers are forked from, without waiting for it."""
    from multiprocessing.forkserver import ensure_running

    Context.ready()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: Ctrl-C is for the process that builds
    try:
        ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)
