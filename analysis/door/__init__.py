"""The one door for what somebody gives: judged before it is read, read once, bounded in size and in time.

Tables come from regular files alone; parameters, and configurations to predict, from a pipe or standard input too.
Imports nothing heavy: a build in which nothing has changed reads through it.
"""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from analysis.errors import InputError, Problem

DATA_VARIABLE = "MEMORY_WALL_DATA"
"""Environment variable that names another data folder; a build sets it for the chapters it runs."""
REPOSITORY = Path(__file__).resolve().parents[2]
READERS = (".csv", ".tsv", ".xlsx", ".parquet")
"""Endings of the files that are read as tables."""
DESCRIBES = ("datapackage.json", "README.md", "notes", "supplied.json")
"""What comes along with a copy of the book's folder and holds no rows: it is left alone, whatever it is."""

LARGEST_FILE_BYTE = 50 * 2**20
"""A file above this is no table of ours; an XLSX is measured unpacked as well."""
LARGEST_FOLDER_BYTE = 200 * 2**20
MOST_FILES = 200
MOST_ENTRIES = 2_000
LARGEST_PARAMETERS_BYTE = 100_000
LARGEST_STREAM_BYTE = 2**30
PATIENCE_S = 7.0
READER_S = 0.05
"""Seconds a pipe may stay silent, and in which parameters must be there as a whole."""
COPY_BYTE = 2**20
STANDARD_INPUT = ("-", "/dev/stdin")
OPEN_ALREADY = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,6})")
"""What the shell has opened: it is taken as it is, as opening it anew would miss that its writer has ended."""
ELSEWHERE = "Put a copy of the file itself there."
KINDS = (
    (stat.S_ISREG, ""), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
    (bool, "a device"),
)  # fmt: skip


class Refused(Exception):  # noqa: N818 - it says what happened
    """What is given cannot be read; the arguments are what was found, what was expected and what to do."""

    def __init__(self, found: str, expected: str, todo: str = "") -> None:
        super().__init__(found, expected, todo)
        self.found, self.expected, self.todo = found, expected, todo

    def problem(self, file: str) -> Problem:
        """The same as a problem of a file."""
        return Problem(file=file, found=self.found, expected=self.expected, todo=self.todo)


def data_folder() -> Path:
    """The folder the book's tables are read from: ``MEMORY_WALL_DATA`` if set, else ``data`` beside the package."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else REPOSITORY / "data"


def size(byte: float) -> str:
    """A size as the messages say it: MiB, or bytes where it is small."""
    return f"{byte / 2**20:,.0f} MiB" if byte >= 2**20 else f"{byte:,.0f} bytes"


# ---------------------------------------------------------------------------------------------------------- regular files


def kind(path: Path) -> str:
    """What a path is where it is no regular file, in words; empty where it is one, or a link to one."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "a link to nothing" if path.is_symlink() else "no such file"
    except OSError as error:
        return str(error.strerror).lower()
    return next(said for holds, said in KINDS if holds(mode))


def content(path: Path, largest: int = LARGEST_FILE_BYTE) -> bytes:
    """The bytes of a regular file of at most ``largest`` bytes; raises Refused, or FileNotFoundError where there is none."""
    with _regular(path, largest) as descriptor:
        found = bytearray()
        while part := os.read(descriptor, min(COPY_BYTE, largest + 1 - len(found))):
            found += part
            _require_at_most(len(found), largest)
    return bytes(found)


@contextmanager
def beginning(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """A regular file of any size, of which only the beginning is to be read, and its size; raises Refused where it is none."""
    with _regular(path, sys.maxsize) as descriptor, os.fdopen(os.dup(descriptor), "rb", buffering=COPY_BYTE) as stream:
        yield stream, os.fstat(descriptor).st_size


@contextmanager
def _regular(path: Path, largest: int) -> Iterator[int]:
    """A regular file opened for reading; nothing else is even opened, as opening alone may wait or act."""
    found = kind(path)
    if found == "no such file":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if found:
        raise Refused(found, "a regular file", ELSEWHERE)
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        _require_at_most(os.fstat(descriptor).st_size, largest)
        yield descriptor
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused(str(error.strerror).lower(), "a file that can be read") from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _require_at_most(byte: int, largest: int) -> None:
    if byte > largest:
        found = size(byte) if size(byte) != size(largest) else f"more than {size(largest)}"
        raise Refused(found, f"at most {size(largest)}", "Keep what is needed of it, or correct the file.")


def offered(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The files of tables in a folder, and what in it cannot be one; looks at everything and reads nothing.

    A build takes its digest from these files, and ``sheets`` reads them: nothing else below the folder is ever opened.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        raise InputError([Problem(str(folder), str(error.strerror).lower(), "a folder of tables")]) from None
    paths = [folder / name for name in names if not name.startswith((".", "~$")) and name not in DESCRIBES]
    judged = [(path, _unfit(path)) for path in paths]
    files = [path for path, problem in judged if problem is None]
    whole = _too_much(folder, len(names), files)
    return ([], [whole]) if whole else (files, [problem for _, problem in judged if problem])


def _unfit(path: Path) -> Problem | None:
    """Why an entry of a data folder is not read: an error where it is called like a table, or is some other file."""
    found, called = kind(path), path.suffix.lower() in READERS
    if found and not called:
        todo = "It is not read."
        return Problem(str(path), f"no file but {found}", "files of tables", todo, level="warning")
    if found:
        return Problem(str(path), found, "a regular file", ELSEWHERE)
    if called:
        return None
    todo = "Save it as CSV in UTF-8, or keep it elsewhere."
    return Problem(str(path), f"a file of kind {path.suffix or 'unknown'}", f"one of {', '.join(READERS)}", todo)


def _too_much(folder: Path, n_entry: int, files: list[Path]) -> Problem | None:
    todo = "Join the files of one table, and keep other things elsewhere."
    if n_entry > MOST_ENTRIES:
        return Problem(str(folder), f"more than {MOST_ENTRIES:,} entries", "a folder of tables alone", todo)
    if len(files) > MOST_FILES:
        return Problem(str(folder), f"{len(files):,} files", f"at most {MOST_FILES}", todo)
    total = sum(min(path.stat().st_size, LARGEST_FILE_BYTE) for path in files)
    if total > LARGEST_FOLDER_BYTE:
        return Problem(str(folder), size(total), f"at most {size(LARGEST_FOLDER_BYTE)} of tables", todo)
    return None


def of_book(folder: Path) -> list[Path]:
    """The files of the book's own data folder that a build reads: descriptor and tables."""
    return [*sorted(folder.glob("*.csv")), folder / "datapackage.json"]


# ---------------------------------------------------------------------------------------------- pipes and standard input


@dataclass(frozen=True)
class Given:
    """A file of parameters, read once: its name, and its content or why it has none."""

    name: str
    content: bytes = b""
    refused: Refused | None = None


def taken(path: Path) -> Given:
    """Read parameters from a file, a pipe or standard input (``-``), once; whether they are any is for others to judge."""
    try:
        with _open(str(path), "a readable YAML file") as stream:
            until = time.monotonic() + PATIENCE_S
            parts = _parts(stream, LARGEST_PARAMETERS_BYTE, lambda: until - time.monotonic())
            return Given(str(path), b"".join(parts))
    except Refused as error:
        return Given(str(path), refused=error)


def opened(source: str) -> IO[bytes]:
    """A file, a pipe or standard input (``-``) as a stream that can be read twice; the caller closes it.

    Raises Refused where it is neither, is larger than ``LARGEST_STREAM_BYTE``, or stays silent for ``PATIENCE_S``.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(_open(source, "a file, a pipe or standard input"))
        found = os.fstat(stream.fileno())
        if stat.S_ISREG(found.st_mode):
            _require_at_most(found.st_size, LARGEST_STREAM_BYTE)
        if (
            not stat.S_ISREG(found.st_mode) or descriptor_of(source) is not None
        ):  # which may have been read to some place
            stream = _copied(stream, stack)
        stack.pop_all()
    return stream


def unawaited(path: str, flags: int) -> int:
    """Open a file for writing; for whoever is to read a pipe is waited no longer than ``PATIENCE_S``, then it is an OSError."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "a pipe that nobody reads", path) from None
            time.sleep(READER_S)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def _copied(stream: IO[bytes], stack: ExitStack) -> IO[bytes]:
    """What a stream still holds, in a file that can be read twice; the stream is closed."""
    copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    patience = None if stream.isatty() else PATIENCE_S
    with stream:
        for part in _parts(stream, LARGEST_STREAM_BYTE, lambda: patience):
            copy.write(part)
    copy.seek(0)
    return copy


def descriptor_of(source: str) -> int | None:
    """The number under which a source is open already: standard input (``-``), or what a shell names; None for any other."""
    found = OPEN_ALREADY.fullmatch(source)
    return int(found[1]) if found else 0 if source in STANDARD_INPUT else None


def _open(source: str, wanted: str) -> IO[bytes]:
    """A regular file, a pipe or a terminal, opened without waiting for who writes into it."""
    todo = "Check the path; - reads standard input."
    try:
        if (number := descriptor_of(source)) is not None:
            descriptor = os.dup(number)
        elif (found := kind(Path(source))) not in ("", "a pipe"):
            raise Refused(found, wanted, todo)
        else:
            descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise Refused(str(error.strerror).lower(), wanted, todo) from None
    stream = os.fdopen(descriptor, "rb", buffering=COPY_BYTE)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stream.isatty():
        return stream
    stream.close()
    raise Refused(next(said for holds, said in KINDS if holds(mode)), wanted, todo)


def _parts(stream: IO[bytes], largest: int, patience: Callable[[], float | None]) -> Iterator[bytes]:
    """What a stream holds, part by part; raises Refused where it is too large or silent for too long."""
    descriptor, total = stream.fileno(), 0
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        wait_s = patience()
        if not poll.poll(None if wait_s is None else max(0.0, wait_s) * 1000):
            todo = "Write it to a file first, and name the file."
            raise Refused(f"no end of data, and none for {PATIENCE_S:g} s", "data that arrive", todo)
        try:
            part = os.read(descriptor, COPY_BYTE)
        except OSError as error:
            raise Refused(str(error.strerror).lower(), "data that can be read") from None
        if not part:
            return
        total += len(part)
        _require_at_most(total, largest)
        yield part
