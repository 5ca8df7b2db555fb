"""Folders of a build's own: private, marked, locked as long as the build lives, and cleared away by a later one if it was killed.

What carries no mark of this program is not touched, and neither is what somebody holds: whether a process lives is asked of the
lock it holds and never of its number, which means another process in another container that shares the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from analysis.errors import SiteError

MARK = ".memory-wall"
"""The file in such a folder that is locked; it names the folder, so that a copy of one is nobody's."""
PREFIX = "mw-"
VARIABLE = "MEMORY_WALL_WORKPLACE"
"""Environment variable that tells the processes of a build where its private folder is."""
LONGEST_BYTE = 58
"""Of the path in which the folder is made: a socket's address has 103 bytes on macOS, 107 on Linux, and within the folder its
name takes 45 more: mw-xxxxxxxx/pymp-xxxxxxxx/listener-xxxxxxxx."""
LAST = -200
"""Of what a process does at its end: after multiprocessing has taken away its own folder within."""
SHORT = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the folder made there is private


class Workplace:
    """A folder for one process and those it starts: nobody else's to read, anybody's to clear away once that process is gone."""

    def __init__(self, place: Path, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        unmarked = self.path / f"{MARK}.new"
        self._owner, self._lock = os.getpid(), unmarked.open("xb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._lock.write(_mark(self.path))
        self._lock.flush()
        unmarked.rename(self.path / MARK)  # now that it is locked: nobody finds the mark without its holder

    def end(self) -> None:
        """Take the folder away; in a copy of the process that made it, nothing."""
        if self._owner == os.getpid():
            remove(self.path)
            self._lock.close()


def _mark(folder: Path) -> bytes:
    return f"A build of The Memory Wall works in {folder.name}; this folder goes when it ends.\n".encode()


def abandoned(place: Path, prefix: str) -> Iterator[Path]:
    """Each folder here that carries the mark and belongs to a process that is no more; held while it is looked at."""
    for name in sorted(os.listdir(place)):
        if name.startswith(prefix):
            with _held(place / name) as held:
                if held:
                    yield place / name


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether the folder is one of ours whose lock is free: then it is held."""
    try:
        handle = os.open(folder / MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield False
        return
    try:
        yield _is_own(folder, handle) and _locked(handle)
    finally:
        os.close(handle)


def _is_own(folder: Path, handle: int) -> bool:
    mark, found = os.fstat(handle), folder.lstat()
    ours = all(one.st_uid == os.getuid() for one in (mark, found))
    return ours and stat.S_ISDIR(found.st_mode) and stat.S_ISREG(mark.st_mode) and os.read(handle, 500) == _mark(folder)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def clear(place: Path, prefix: str) -> None:
    """Take away the folders here of processes that are no more."""
    for folder in abandoned(place, prefix):
        remove(folder)


def remove(folder: Path) -> None:
    """Take such a folder away.  The mark goes last: a folder that cannot be emptied, or not to the end, is found again."""
    for path in [path for path in folder.iterdir() if path.name != MARK]:
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    with contextlib.suppress(OSError):
        if not any(path.name != MARK for path in folder.iterdir()):
            (folder / MARK).unlink()
            folder.rmdir()


@cache
def _of_process(number: int) -> Path:
    """The private folder of a process, until its end."""
    place = temporary()
    clear(place, PREFIX)
    made = Workplace(place, PREFIX)
    Finalize(None, made.end, exitpriority=LAST)
    return made.path


def temporary() -> Path:
    """The folder for temporary files, or a usual one where sockets in that would have too long an address."""
    usual = tempfile.gettempdir()
    for folder in (usual, os.environ.get("XDG_RUNTIME_DIR", ""), *SHORT):
        if folder and len(os.fsencode(folder)) <= LONGEST_BYTE and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    raise SiteError(
        f"nothing was published: the path of the temporary folder has {len(os.fsencode(usual))} bytes, too many for sockets "
        f"in it ({usual}). Set TMPDIR to a folder whose path has at most {LONGEST_BYTE}."
    )


@contextlib.contextmanager
def lent() -> Iterator[None]:
    """While a process is started: it and all that it starts put their temporary files into the private folder of this one."""
    folder = str(_of_process(os.getpid()))
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    os.environ[VARIABLE] = folder
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR") if before[1] is None else os.environ.__setitem__("TMPDIR", before[1])


def shared() -> Path | None:
    """The private folder of the build that this process belongs to; None where no other process was started yet."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None
