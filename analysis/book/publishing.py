"""One site in, one site out: who may write where, one build at a time, and a switch that no reader and no crash can catch half done.

The finished site changes places with the published one in a single system call (``renameat2`` with ``RENAME_EXCHANGE`` on Linux,
``renamex_np`` with ``RENAME_SWAP`` on macOS).  A symbolic link would switch as well, but then ``_build/html`` would not be a folder:
copying, packing and uploading it would surprise.  Where the file system knows no exchange, two renames have to do; a build killed
between them is put right by the next one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from analysis.book import places
from analysis.errors import InputError, Problem, SiteError

FOLDER_MODE, FILE_MODE = 0o755, 0o644
SOCKETS = re.compile(r"mw-(\d+)-")


def require_safe(out: Path) -> None:
    """Raise InputError where a site must not be put: it would replace something that is not a site."""
    if reason := _danger(out):
        todo = "Name a folder of its own: a new one, an empty one, or one that holds a site built before."
        raise InputError(
            [Problem(file="--out", found=str(out), expected="a place for a site", todo=f"{reason} {todo}")]
        )


def _danger(out: Path) -> str:
    kept = (Path.home().resolve(), places.REPOSITORY, places.cache_folder(), Path(tempfile.gettempdir()).resolve())
    if any(out == folder or out in folder.parents for folder in kept):
        return "Everything in it would be replaced."
    if places.REPOSITORY in out.parents and (places.BUILD not in out.parents or places.cache_folder() in out.parents):
        return "It lies among the sources of the book."
    if os.path.ismount(out):
        return "It is a mount point, which cannot be replaced as a whole."
    if out.exists() and not out.is_dir():
        return "It is a file."
    if out != places.SITE and out.is_dir() and any(out.iterdir()) and not is_site(out):
        return "It holds something that is not a site."
    return ""


def is_site(folder: Path) -> bool:
    """Whether a folder holds a site that this program built."""
    try:
        record = json.loads((folder / "edition.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"edition", "parameters", "figures"} <= set(record)


def record_file(out: Path) -> Path:
    """The file beside a site that builds lock, and in which they note what the site was built from."""
    return out.with_name(f".{out.name}.build")


@contextlib.contextmanager
def claimed(out: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Hold the place of a site for one build: a fresh workshop beside it, on the same file system, gone in the end."""
    require_safe(out)
    with _place(out), _held(out, say):
        sweep(out)
        sweep_temporary()
        workshop = Path(tempfile.mkdtemp(prefix=f".{out.name}.workshop-", dir=out.parent))
        try:
            yield workshop
        except OSError as error:
            raise SiteError(told(error)) from error
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
            sweep_temporary()


def told(error: OSError) -> str:
    """What the system refused, in one line: a full disk, a folder that cannot be written."""
    if isinstance(error, shutil.Error):  # a list of (from, to, reason)
        return f"nothing was published: {error.args[0][0][2]}"
    place = f" ({error.filename})" if error.filename else ""
    return f"nothing was published: {error.strerror or error}{place}"


@contextlib.contextmanager
def _place(out: Path) -> Iterator[None]:
    """The folder a site is to lie in; where none was put there, the folders made for it are gone in the end."""
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        with _writable(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=out.parent).close()
        yield
    finally:
        with contextlib.suppress(OSError):  # something lies in it
            for folder in made:
                folder.rmdir()


@contextlib.contextmanager
def _held(out: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock beside a site.  Where no site came of it, its file is gone in the end."""
    lock = _locked(out, say)
    try:
        yield
    finally:
        if not out.exists():
            record_file(out).unlink(missing_ok=True)
        lock.close()


def _locked(out: Path, say: Callable[[str], None]) -> IO[bytes]:
    """The lock's file, locked; one that its last holder took away while this build waited for it does not count."""
    while True:
        with _writable(out):
            lock = record_file(out).open("ab")
        _wait_for(lock, say)
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(lock.fileno()), record_file(out).stat()):
                return lock
        lock.close()


@contextlib.contextmanager
def _writable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        found = f"{out}: {error.strerror}"
        raise InputError([Problem(file="--out", found=found, expected="a folder that can be written")]) from None


def _wait_for(lock: IO[bytes], say: Callable[[str], None]) -> None:
    """The lock ends with the process that holds it, however that ends; nobody has to clean up after a crash."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another build")
        fcntl.flock(lock, fcntl.LOCK_EX)


def sweep(out: Path) -> None:
    """Clear away what builds of this site left that were killed; the lock is held, so nobody is using it."""
    for old in sorted(out.parent.glob(f".{out.name}.old-*")):
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(out)
    for workshop in out.parent.glob(f".{out.name}.workshop-*"):
        shutil.rmtree(workshop, ignore_errors=True)


def sweep_temporary() -> None:
    """Clear away the folders of chapters whose process is no more: it was killed, or a build ended before they did."""
    for folder in Path(tempfile.gettempdir()).glob("mw-*-*"):
        found = SOCKETS.match(folder.name)
        if found and not _alive(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def opened_to_readers(site: Path) -> None:
    """Give every file and folder the permissions of published ones, whatever the umask: a web server is another user.

    Who wants a site for themselves keeps it in a folder of their own; that folder has the permissions of their umask.
    """
    _permit(site, FOLDER_MODE)
    for path in site.rglob("*"):
        _permit(path, FOLDER_MODE if path.is_dir() else FILE_MODE)


def _permit(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)


def switch(site: Path, out: Path) -> None:
    """Put the finished site where readers look; the old one is left where the new one was, or gone."""
    if not out.exists():
        site.rename(out)
    elif not exchanged(site, out):
        old = out.with_name(f".{out.name}.old-{site.parent.name}")
        out.rename(old)
        site.rename(out)
        shutil.rmtree(old, ignore_errors=True)


def exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system cannot."""
    library, here, swap = ctypes.CDLL(None, use_errno=True), -100, 2
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            return bool(library.renamex_np(first, second, swap) == 0)
        return bool(library.renameat2(here, first, here, second, swap) == 0)
    except AttributeError:
        return False
