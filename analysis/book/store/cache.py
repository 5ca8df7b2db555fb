"""Results kept between builds, by content address: executed chapters, pictures, scripts.

An entry is one file, a digest of key and content followed by the content, renamed into place when it is complete: a build killed
in the middle of writing leaves no entry, and one truncated, damaged or put in another's place later is not there for whoever
asks.  Keeping is a favour, never a duty: a cache that cannot be written (full disk, read-only folder) slows the next build and
nothing else.  Not a library, because the well-kept ones (diskcache, joblib) unpickle what they find and check no digest.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import TypeVar

from analysis.book.store import places, workplace

T = TypeVar("T")
DIGEST_BYTE = 32
LARGEST_CACHE_BYTE = 600_000_000
"""Above this size ``trim`` drops what was not asked for longest."""
OLDEST_S = 90 * 86_400
"""What was not asked for in so long a time is dropped."""
ENTRY = re.compile(r"[0-9a-f]{62}|\.new-[0-9a-f]{62}-\w+")
"""Names of entries, and of entries that are being written: nothing else in the folder is touched."""
TAG = "CACHEDIR.TAG"
TAGGED = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by The Memory Wall; it may be taken away.\n"
"""The tag by which backups know a cache (https://bford.info/cachedir/)."""


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes or text."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


GONE = "not there"
PROBE = "does it keep what it is given?"


def file_digest(path: Path) -> str:
    """The digest of a file, or a word that it is not there."""
    try:
        with path.open("rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return GONE


class Store:
    """Key → bytes in one folder below the cache.

    ``handed_over`` says that processes of a build give each other results by it: what the cache refuses is kept in the private
    folder of the build, as long as that lasts.
    """

    def __init__(self, name: str, *, handed_over: bool = False) -> None:
        self.folder = places.cache_folder() / name
        shared = workplace.shared() if handed_over else None
        self.folders = [self.folder, *([shared / "kept" / name] if shared else [])]

    def path(self, key: str) -> Path:
        """The file that holds, or would hold, the entry."""
        return self.folder / _name(key)

    def get(self, key: str) -> bytes | None:
        """The content, or None where there is none or what is there is damaged or another's."""
        for folder in self.folders:
            found = _read(folder / _name(key), key)
            if found is not None:
                return found
        return None

    def has(self, key: str) -> bool:
        """Whether there is an entry; it may yet turn out to be damaged."""
        return any((folder / _name(key)).exists() for folder in self.folders)

    def put(self, key: str, body: bytes) -> None:
        """Keep the content; where the disk refuses, go without."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                path = folder / _name(key)
                path.parent.mkdir(parents=True, exist_ok=True)
                replace(path, _bound(key, body) + body)
                return

    def keeps(self) -> bool:
        """Whether what is put here can be had back: the disk is not full, the folder not read-only."""
        self.put(PROBE, PROBE.encode())
        return self.get(PROBE) is not None

    def made(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The content from the store, or made and kept."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found


def _name(key: str) -> str:
    address = hashlib.sha256(key.encode()).hexdigest()
    return f"{address[:2]}/{address[2:]}"


def _bound(key: str, body: bytes) -> bytes:
    """The digest that binds a content to its key."""
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + body).digest()


def _read(path: Path, key: str) -> bytes | None:
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    found, body = content[:DIGEST_BYTE], content[DIGEST_BYTE:]
    if _bound(key, body) != found:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return body


@cache
def code_of(*modules: str) -> str:
    """The digest of modules of this package and of all that they import of it, wherever in them they do."""
    found: set[Path] = set()
    left = [_source(name) for name in modules]
    while left:
        path = left.pop()
        if path is not None and path not in found:
            found.add(path)
            left += [_source(name) for name in _imported(path)]
    return digest("".join(f"{path.relative_to(places.REPOSITORY)}{file_digest(path)}" for path in sorted(found)))


def _source(name: str) -> Path | None:
    path = places.REPOSITORY.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@cache
def code() -> str:
    """The digest of this package's source, its templates included."""
    sources = (path for kind in ("py", "html") for path in (places.REPOSITORY / "analysis").rglob(f"*.{kind}"))
    return digest("".join(f"{path}{file_digest(path)}" for path in sorted(sources)))


def recalled(function: Callable[[T], str]) -> Callable[[T], str]:
    """A function of one argument and nothing else, whose text is kept between builds of the same source."""

    @wraps(function)
    def remembering(argument: T) -> str:
        key = f"{function.__qualname__} {code()} {json.dumps(argument, sort_keys=True, default=repr)}"
        return Store("pieces").made(key, lambda: function(argument).encode()).decode()

    return remembering


def replace(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the new one, at any instant."""
    handle, name = tempfile.mkstemp(prefix=f".new-{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def in_use() -> Iterator[Callable[[], None]]:
    """Hold the cache for a build, beside others; in the end, and whenever what is given is called, it is trimmed if nobody else uses it.

    Who calls it has no build under way then, and makes again what it left in the cache and still needs.
    """
    lock = _lock()
    if lock is None:  # nothing can be written there
        yield lambda: None
        return

    def end() -> None:
        with contextlib.suppress(OSError):  # another build uses it, or the file system knows no locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # where it is refused, what was held is lost too
            trim(oldest_s=OLDEST_S)

    def between() -> None:
        end()
        hold()

    def hold() -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_SH)

    try:
        hold()
        yield between
        end()
    finally:
        os.close(lock)


def _lock() -> int | None:
    """The file in the cache that those who use it lock; it is what tags the folder as a cache."""
    path = places.cache_folder() / TAG
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            replace(path, TAGGED.encode())
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    return None


def trim(largest_byte: int = LARGEST_CACHE_BYTE, oldest_s: float = math.inf) -> None:
    """Keep the cache below a size and an age: what was asked for longest ago goes first.

    Entries that were never completed go too: the caller sees to it that nobody is writing any.
    """
    entries = sorted(_entries())
    total, oldest = sum(size for _, size, _ in entries), time.time() - oldest_s
    for asked_for, size, path in entries:
        if total > largest_byte or asked_for < oldest or path.name.startswith("."):
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def _entries() -> Iterator[tuple[float, int, Path]]:
    """When each entry was asked for last, its size, and where it is."""
    for path in places.cache_folder().glob("*/??/*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            if ENTRY.fullmatch(path.name):
                yield found.st_mtime, found.st_size, path
