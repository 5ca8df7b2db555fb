"""One site in, one site out: who may write where, one build at a time, and a switch that no reader and no crash can catch half done.

The finished site changes places with the published one in a single system call (``renameat2`` with ``RENAME_EXCHANGE`` on Linux,
``renamex_np`` with ``RENAME_SWAP`` on macOS).  A symbolic link would switch as well, but then ``_build/html`` would not be a folder:
copying, packing and uploading it would surprise.  Where the file system knows no exchange, two renames have to do; a build killed
between them is put right by the next one.  What people keep in a published site is theirs, and goes along (``belongings``).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import IO

from analysis.book.store import belongings, ends, places, workplace
from analysis.book.store.files import read_text
from analysis.errors import InputError, Problem, SiteError

FOLDER_MODE, FILE_MODE = 0o755, 0o644
OLD = "old"
"""Where in the workshop the site is whose place a new one takes."""
LARGEST_NOTE_BYTE = 1_000_000


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
        record = json.loads(read_text(file)) if (file := folder / "edition.json").is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"edition", "parameters", "figures"} <= set(record)


@contextlib.contextmanager
def claimed(out: Path, say: Callable[[str], None], tell: Callable[[str], None] = lambda text: None) -> Iterator[Path]:
    """Hold the place of a site for one build: a fresh workshop beside it, on the same file system, gone in the end.

    ``say`` is told what the build waits for, ``tell`` what its user should know when it is over.
    """
    require_safe(out)
    with _place(out), _held(out, say):
        recover(out, tell)
        if out.is_dir():
            belongings.Belongings(out).require_here()
        workshop = workplace.Workplace(out.parent, _prefix(out))
        try:
            yield workshop.path
        except OSError as error:
            raise SiteError(told(error)) from error
        finally:
            workshop.end()


def _prefix(out: Path) -> str:
    return f".{out.name}.workshop-"


def told(error: OSError) -> str:
    """What the system refused, in one line: a full disk, a folder that cannot be written."""
    if isinstance(error, shutil.Error):  # a list of (from, to, reason)
        return f"nothing was published: {error.args[0][0][2]}"
    place = f" ({error.filename})" if error.filename else ""
    return f"nothing was published: {error.strerror or error}{place}{ends.hint(error)}"


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
            places.record_file(out).unlink(missing_ok=True)
        lock.close()


def _locked(out: Path, say: Callable[[str], None]) -> IO[bytes]:
    """The lock's file, locked; one that its last holder took away while this build waited for it does not count."""
    while True:
        with _writable(out):
            lock = _opened(places.record_file(out))
        _wait_for(lock, say)
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(lock.fileno()), places.record_file(out).stat()):
                return lock
        lock.close()


def _opened(path: Path) -> IO[bytes]:
    """The file of builds beside a site; raises InputError where somebody else's lies there."""
    lock = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666), "r+b")
    try:
        noted = lock.read(LARGEST_NOTE_BYTE) if stat.S_ISREG(os.fstat(lock.fileno()).st_mode) else b"a pipe"
        sound = not noted or isinstance(json.loads(noted), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        lock.close()
        todo = "A build keeps its notes in a file of this name: move yours away, or name another folder for the site."
        raise InputError([Problem(file=str(path), found="somebody else's file", expected="a free name", todo=todo)])
    return lock


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


def recover(out: Path, tell: Callable[[str], None]) -> None:
    """Put right what builds of this site left that were killed, and clear it away; the lock is held, so nobody is using it."""
    for workshop in workplace.abandoned(out.parent, _prefix(out)):
        old = workshop / OLD
        if old.is_dir() and not out.exists():
            old.rename(out)
        elif old.is_dir():
            _retire(old, out, tell)
        workplace.remove(workshop)


def _retire(old: Path, out: Path, tell: Callable[[str], None], linked: Set[str] = frozenset()) -> None:
    """Take out of a site what is not the book's, before it goes; where that cannot be done, the site stays beside the new one."""
    try:
        said = belongings.Belongings(old).settle(out, linked)
    except OSError as error:
        kept = belongings.beside(out)
        old.rename(kept)
        said = f"Not all that was in the old site could be taken along ({error}): it is kept as a whole in {kept}."
    if said:
        tell(said)


def opened_to_readers(site: Path) -> None:
    """Give every file and folder the permissions of published ones, whatever the umask: a web server is another user.

    Who wants a site for themselves keeps it in a folder of their own; that folder has the permissions of their umask.
    """
    _permit(site, FOLDER_MODE)
    for path in site.rglob("*"):
        _permit(path, FOLDER_MODE if path.is_dir() else FILE_MODE)


def _permit(path: Path, mode: int) -> None:
    found = path.lstat()
    shared = stat.S_ISREG(found.st_mode) and found.st_nlink > 1  # of a frozen edition, and so of the published site too
    if not (shared or stat.S_ISLNK(found.st_mode)) and stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def switch(site: Path, out: Path, tell: Callable[[str], None] = lambda text: None) -> None:
    """Put the finished site where readers look, with what people keep in the old one; that one is left in the workshop."""
    if not out.exists():
        site.rename(out)
        return
    linked = belongings.Belongings(out).link(site)
    old = site.with_name(OLD)
    site.rename(old)
    if not exchanged(old, out):
        old.rename(site)
        out.rename(old)
        site.rename(out)
    _retire(old, out, tell, linked)


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
