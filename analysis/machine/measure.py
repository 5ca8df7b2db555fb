"""How fast this machine's memory and storage really are, measured in a few seconds.

Memory: the triad of STREAM (a = b + s · c, three arrays, counted as STREAM counts: two reads, one write) and a matrix times a
vector, which is what a decode step does; all processors, arrays several times the caches, the median of the runs.
Storage: one large file, written, then read in order past the page cache.  What could not be measured says why.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.machine import hardware

PLATFORM: str = sys.platform
MIB = 2**20
CACHES = 4
"""Each array is at least so many times all last-level caches, as STREAM asks."""
LEAST_BYTE, MOST_BYTE = 128 * MIB, 2048 * MIB
MEMORY_SHARE = 0.1
"""An array takes at most this share of the free memory."""
BLOCK = 32_768
"""Elements a triad works on at a time: its three pieces stay in a processor's own cache between the two operations."""
ROWS, COLUMNS = 64, 4096
"""Rows of the matrix a thread multiplies at a time, too few for the library to spread over threads of its own."""
RUNS, QUICK_RUNS = 21, 7
FILE_BYTE, QUICK_FILE_BYTE = 2048 * MIB, 512 * MIB
READ_BYTE = 8 * MIB
READERS = 4
"""Reads under way at once: one alone leaves a fast drive waiting."""
STREAM_ARRAYS = 3
SCALAR = 3.0


@dataclass(frozen=True)
class Memory:
    """Bandwidths in byte/s, each the median of ``n_run`` runs; the spread is that of the middle half."""

    triad_byte_per_s: float
    matrix_vector_byte_per_s: float
    spread_share: float
    array_byte: int
    n_run: int
    n_thread: int
    notes: list[str] = field(default_factory=list)

    @property
    def read_byte_per_s(self) -> float:
        """The faster of the two: what the memory was seen to deliver."""
        return max(self.triad_byte_per_s, self.matrix_vector_byte_per_s)


@dataclass(frozen=True)
class Storage:
    """Sequential read in byte/s; NaN where it was not measured, and ``note`` says why or how; the spread is that of all passes."""

    read_byte_per_s: float
    note: str
    spread_share: float = 0.0


STEADY_SHARE, NOISY_SHARE = 0.02, 0.1
"""Below the first spread three digits are worth printing; above the second, one."""


def digits(spread_share: float) -> int:
    """How many digits a number earns whose runs lie so far apart."""
    return 3 if spread_share < STEADY_SHARE else 2 if spread_share < NOISY_SHARE else 1


Tick = Callable[[str], None]


def silent(what: str) -> None:
    """Say nothing."""


# --------------------------------------------------------------------------------------------------------------- memory


def memory(here: hardware.Machine, *, quick: bool = False, tick: Tick = silent) -> Memory:
    """Measure the bandwidth of the memory; ``tick`` is told of each run."""
    n_run, notes = QUICK_RUNS if quick else RUNS, []
    byte = array_byte(here.cache_byte, hardware.memory_left_byte())
    if byte < CACHES * here.cache_byte:
        notes.append(
            f"Arrays of {byte / MIB:.0f} MiB are less than {CACHES} times the caches: memory is short, the result too high."
        )
    with ThreadPoolExecutor(here.n_processor) as pool:
        triad = _times(_triad(byte, here.n_processor, pool), n_run, lambda: tick("memory, triad"))
        product = _times(_matrix_vector(byte, here.n_processor, pool), n_run, lambda: tick("memory, matrix × vector"))
    best = min(triad, product, key=statistics.median)
    quarter = statistics.quantiles(best, n=4)
    return Memory(
        STREAM_ARRAYS * byte / statistics.median(triad), byte // (4 * COLUMNS) * 4 * COLUMNS / statistics.median(product),
        (quarter[2] - quarter[0]) / statistics.median(best), byte, n_run, here.n_processor, notes,
    )  # fmt: skip


def array_byte(cache_byte: int, left_byte: int) -> int:
    """Bytes of one array: well past the caches, and no burden to the machine; a whole number of pages."""
    wanted = min(max(CACHES * cache_byte, LEAST_BYTE), MOST_BYTE)
    allowed = int(left_byte * MEMORY_SHARE) if left_byte else LEAST_BYTE
    return max(min(wanted, allowed), MIB) // mmap.PAGESIZE * mmap.PAGESIZE


def _times(run: Callable[[], None], n_run: int, tick: Callable[[], None]) -> list[float]:
    """Seconds of each run; the first, in which pages are touched for the first time, does not count."""
    run()
    found = []
    for _ in range(n_run):
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
        tick()
    return found


def _pieces(size: int, n_thread: int) -> list[slice]:
    edges = [size * index // n_thread for index in range(n_thread + 1)]
    return [slice(low, high) for low, high in itertools.pairwise(edges)]


def _triad(byte: int, n_thread: int, pool: ThreadPoolExecutor) -> Callable[[], None]:
    size = byte // 8
    a, b, c = np.zeros(size), np.full(size, 2.0), np.full(size, 0.5)
    parts = _pieces(size, n_thread)

    def piece(part: slice) -> None:
        for low in range(part.start, part.stop, BLOCK):
            block = slice(low, min(low + BLOCK, part.stop))
            np.multiply(c[block], SCALAR, out=a[block])
            np.add(a[block], b[block], out=a[block])

    return lambda: list(pool.map(piece, parts)).clear()


def _matrix_vector(byte: int, n_thread: int, pool: ThreadPoolExecutor) -> Callable[[], None]:
    rows = max(byte // (4 * COLUMNS), n_thread)
    matrix, vector = np.ones((rows, COLUMNS), dtype=np.float32), np.full(COLUMNS, 1e-3, dtype=np.float32)
    result = np.zeros(rows, dtype=np.float32)
    parts = _pieces(rows, n_thread)

    def piece(part: slice) -> None:
        for low in range(part.start, part.stop, ROWS):
            block = slice(low, min(low + ROWS, part.stop))
            np.dot(matrix[block], vector, out=result[block])

    return lambda: list(pool.map(piece, parts)).clear()


# -------------------------------------------------------------------------------------------------------------- storage


def storage(folder: Path, *, quick: bool = False, tick: Tick = silent) -> Storage:
    """Write a file in ``folder``, read it in order past the page cache, remove it."""
    size = QUICK_FILE_BYTE if quick else FILE_BYTE
    if hardware.in_memory(folder):
        return Storage(
            float("nan"), f"not measured: {folder} lies in memory; name a folder on the drive with --scratch"
        )
    if PLATFORM == "win32":
        return Storage(float("nan"), "not measured: no way past the page cache of Windows is known to this program")
    try:
        if os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize < 2 * size:
            return Storage(float("nan"), f"not measured: {folder} has less than {2 * size / 2**30:.0f} GiB free")
        with _file(folder, size, tick) as path:
            return _read_past_cache(path, size, tick, 2 if quick else 3)
    except OSError as error:
        return Storage(float("nan"), f"not measured: {error.strerror} ({folder})")


@contextlib.contextmanager
def _file(folder: Path, size: int, tick: Tick) -> Iterator[Path]:
    """A file of bytes that no drive can squeeze, on the drive and not only in memory."""
    handle, name = tempfile.mkstemp(prefix=".memory-wall-", dir=folder)
    try:
        random = np.random.default_rng(0)
        with os.fdopen(handle, "wb", buffering=0) as file:
            for _ in range(size // READ_BYTE):
                file.write(random.bytes(READ_BYTE))
                tick("storage, writing")
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _read_past_cache(path: Path, size: int, tick: Tick, n_pass: int) -> Storage:
    handle, how = _opened(path)
    try:
        rates = [size / _pass(handle, size, tick) for _ in range(n_pass)]
    finally:
        os.close(handle)
    return Storage(statistics.median(rates), how, (max(rates) - min(rates)) / statistics.median(rates))


def _opened(path: Path) -> tuple[int, str]:
    """A handle that goes around the page cache, and a word on how."""
    if PLATFORM == "darwin":
        import fcntl

        handle = os.open(path, os.O_RDONLY)
        fcntl.fcntl(handle, getattr(fcntl, "F_NOCACHE", 48), 1)
        return handle, "past the page cache (F_NOCACHE)"
    try:
        flags: Any = getattr(os, "O_DIRECT", None)
        if flags is not None:
            return os.open(
                path, os.O_RDONLY | flags
            ), "past the page cache (O_DIRECT); a host or a drive may still cache"
    except OSError:
        pass
    handle = os.open(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    return handle, "page cache asked to forget the file (posix_fadvise), which it may not do: an upper bound"


def _pass(handle: int, size: int, tick: Tick) -> float:
    """Seconds to read the whole file in order, a few reads under way at once."""
    buffers = [mmap.mmap(-1, READ_BYTE) for _ in range(READERS)]

    def reader(index: int) -> None:
        for offset in range(index * READ_BYTE, size, READERS * READ_BYTE):
            os.preadv(handle, [buffers[index]], offset)
            tick("storage, reading")

    started = time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(reader, range(READERS)))
    return time.perf_counter() - started


def memory_steps(*, quick: bool) -> int:
    """How often ``memory`` will call ``tick``."""
    return 2 * (QUICK_RUNS if quick else RUNS)


def steps(*, quick: bool) -> int:
    """How often ``tick`` will be called."""
    size, passes = (QUICK_FILE_BYTE, 2) if quick else (FILE_BYTE, 3)
    return memory_steps(quick=quick) + size // READ_BYTE * (1 + passes)
