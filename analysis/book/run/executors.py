"""Where work is done: in processes of this machine, or on workers of Dask; to whoever hands work over, all are executors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from analysis.book.run import kernels
from analysis.errors import InputError, Problem, nearest

LOCAL, LOCAL_CLUSTER, DISTANT = "local", "local-cluster", ("tcp://", "tls://")


@dataclass(frozen=True)
class Engine:
    """An executor by its address, how many processes are wanted of it, and the store by which distant ones get their data."""

    address: str = LOCAL
    jobs: int | None = None
    store: str = ""

    def __post_init__(self) -> None:
        """Raise InputError where the address names no executor."""
        if self.address not in (LOCAL, LOCAL_CLUSTER) and not self.address.startswith(DISTANT):
            expected = f"{LOCAL}, {LOCAL_CLUSTER}, or the address of a scheduler, as tcp://127.0.0.1:8786"
            raise InputError(
                [Problem("--executor", self.address, expected, nearest(self.address, (LOCAL, LOCAL_CLUSTER)))]
            )

    @property
    def is_local(self) -> bool:
        """Whether it is processes that this one forks."""
        return self.address == LOCAL

    @contextmanager
    def standing(self) -> Iterator[Engine]:
        """The same for several processes one after the other, or side by side: a cluster of this machine is started once for all."""
        if self.address != LOCAL_CLUSTER:
            yield self
            return
        from analysis.book.run import cluster

        with cluster.started(self.jobs) as address:
            yield replace(self, address=address)

    @contextmanager
    def opened(self) -> Iterator[tuple[Executor, int]]:
        """The executor and how many workers it has; all that it started ends with it."""
        if self.is_local:
            with kernels.Pool(self.jobs) as pool:
                yield pool, pool.jobs
            return
        from analysis.book.run import cluster

        with cluster.opened(self.address, self.jobs, self.store) as found:
            yield found
