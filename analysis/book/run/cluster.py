"""Workers of Dask as an executor: of this machine or of others, each of which has the same package and one thread.

A chapter is sent without paths: the worker takes the text of its own copy of the book and fetches the data by its digest.
"""

from __future__ import annotations

import logging
import multiprocessing
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

from analysis.book.run import kernels
from analysis.book.run.execution import Chapter
from analysis.book.store import cache, freshness, places, sent
from analysis.errors import InputError, Problem, SiteError

LOCAL_CLUSTER = "local-cluster"
PATIENCE_S = 30
"""So long a scheduler, and the first of its workers, are waited for."""
RETRIES = 2
"""So often Dask itself tries again what a worker took along when it went."""
SOURCES = ("analysis", "chapters")
FORBIDDEN = "forbidden (DASK_DISTRIBUTED__WORKER__DAEMON=False allows them)"
"""A chapter's kernel is a process that its worker starts."""


@once
def identity() -> dict[str, str]:
    """What workers must agree in: the digest of the package and its chapters, of the lock file, Python, and that it may start kernels."""
    paths = [path for name in SOURCES for path in freshness.files(places.REPOSITORY / name) if path.suffix != ".pyc"]
    sources = "".join(f"{path.relative_to(places.REPOSITORY)}{cache.file_digest(path)}" for path in paths)
    lock = cache.file_digest(places.REPOSITORY / "requirements.lock")
    own = FORBIDDEN if multiprocessing.current_process().daemon else "allowed"
    return {
        "package": cache.digest(sources)[:12], "requirements.lock": lock[:12], "Python": platform.python_version(),
        "processes of its own": own,
    }  # fmt: skip


def differences(wanted: Mapping[str, str], found: Any) -> str:
    """What a worker has otherwise; empty where it is the same."""
    if not isinstance(found, dict):
        return f"no package of this book ({type(found).__name__})"
    return "; ".join(
        f"{name} {found.get(name)}, wanted {value}" for name, value in wanted.items() if found.get(name) != value
    )


@dataclass(frozen=True)
class Parcel:
    """A chapter without paths."""

    name: str
    parameters: Mapping[str, Any]
    data: str
    store: str
    time_limit_s: float
    memory_limit_byte: int

    def unpacked(self) -> Chapter:
        """The chapter, where the worker has it."""
        path = places.REPOSITORY / "chapters" / f"{self.name}.md"
        data = sent.fetched(self.store, self.data)
        return Chapter(path, self.parameters, data, self.time_limit_s, self.memory_limit_byte)


def checked(wanted: Mapping[str, str], function: Any, *given: Any) -> Any:
    """On the worker: do what was asked for, unless this is not the package that asked."""
    if found := differences(wanted, identity()):
        raise SiteError(f"a worker has another book: {found}")
    return function(*(one.unpacked() if isinstance(one, Parcel) else one for one in given))


class Distant(Executor):
    """Hands work to Dask: chapters by digest, everything with the mark of this package."""

    def __init__(self, inner: Executor, store: str) -> None:
        self._inner, self._store = inner, sent.Sent(store)
        self._digests: dict[Path, str] = {}

    def submit(self, function: Any, /, *given: Any, **named: Any) -> Future[Any]:
        """Have it done by one of the workers."""
        return self._inner.submit(checked, identity(), function, *map(self._portable, given), **named)

    def _portable(self, given: Any) -> Any:
        if not isinstance(given, Chapter):
            return given
        if given.data not in self._digests:
            self._digests[given.data] = self._store.send(given.data)
        data = self._digests[given.data]
        limits = (given.time_limit_s, given.memory_limit_byte)
        return Parcel(given.name, dict(given.parameters), data, self._store.place, *limits)


@contextmanager
def opened(address: str, jobs: int | None, store: str = "") -> Iterator[tuple[Executor, int]]:
    """The executor of a cluster and how many workers it has.

    Raises InputError where there is none, or a worker that does not fit; SiteError where its scheduler ends while it is used.
    """
    distributed = _distributed()
    for name in LOGS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        if address == LOCAL_CLUSTER:
            address = stack.enter_context(started(jobs))
        client = stack.enter_context(_client(distributed, address))
        count = require_fit(client)
        try:
            yield Distant(stack.enter_context(client.get_executor(retries=RETRIES)), sent.address(store)), count
        except CancelledError:  # nobody else takes work back
            raise SiteError(
                f"the scheduler of Dask at {address} ended, or cannot be reached any more. Start it, or leave out --executor: "
                "the same command goes on with what was found so far."
            ) from None


LOGS = ("distributed", "distributed.client")
"""Loggers of Dask that have a level of their own; what they would say of a lost connection is said in a sentence."""


def _distributed() -> Any:
    try:
        import dask
        import distributed
    except ImportError:
        todo = "Install it: .venv/bin/pip install 'memory-wall[dask]'."
        raise InputError([Problem("--executor", "no Dask here", "the package distributed", todo)]) from None
    # Chapters run in processes that a worker starts.
    dask.config.set({"distributed.worker.daemon": False, "distributed.comm.timeouts.connect": f"{PATIENCE_S}s"})
    return distributed


@contextmanager
def started(jobs: int | None) -> Iterator[str]:
    """The address of a cluster of processes of this machine, which end with this one."""
    with _distributed().LocalCluster(
        n_workers=jobs or kernels.cores(), threads_per_worker=1, processes=True, protocol="tcp", host="127.0.0.1", dashboard_address=None,
        silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        todo = "Is it running? dask scheduler prints its address."
        raise InputError(
            [Problem("--executor", f"{address}: {type(error).__name__}", "a scheduler of Dask", todo)]
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError:
            todo = f"Start some: dask worker {address} --nthreads 1"
            raise InputError(
                [Problem("--executor", f"{address} without workers", "at least one worker", todo)]
            ) from None
        yield client


def require_fit(client: Any) -> int:
    """How many workers there are; raises InputError with the name of each that has another book, or more than one thread."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    found = client.run(identity, on_error="return")
    problems = [
        Problem("--executor", f"worker {one['name']} ({address}): {why}", "the same book on every worker", todo)
        for address, one in sorted(workers.items())
        for why, todo in [(differences(identity(), found.get(address)), "Give it the same commit and lock file.")]
        if why
    ]
    problems += [
        Problem(
            "--executor",
            f"worker {one['name']} ({address}) with {one['nthreads']} threads",
            "one thread a worker",
            "--nthreads 1",
        )
        for address, one in sorted(workers.items())
        if one["nthreads"] != 1
    ]
    if problems:
        raise InputError(problems)
    return len(workers)
