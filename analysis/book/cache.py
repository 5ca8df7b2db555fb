"""Results kept between builds, by content address: executed chapters, pictures, scripts.

An entry is one file, a digest followed by the content it is the digest of, renamed into place when it is complete: a build
killed in the middle of writing leaves no entry, and one truncated or damaged later is not there for whoever asks.  Keeping is
a favour, never a duty: a cache that cannot be written (full disk, read-only folder) slows the next build and nothing else.
Not a library, because the well-kept ones (diskcache, joblib) unpickle what they find and check no digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import TypeVar

from analysis.book import places

T = TypeVar("T")
DIGEST_BYTE = 32
LARGEST_BYTE = 600_000_000
"""Above this size ``trim`` drops what was not asked for longest."""
ABANDONED_S = 3600
"""A half-written entry older than this belongs to a build that died."""


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes or text."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


GONE = "not there"
PROBE = "does it keep what it is given?"


def file_digest(path: Path) -> str:
    """The digest of a file, or a word that it is not there."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return GONE


class Store:
    """Key → bytes in one folder below the cache."""

    def __init__(self, name: str) -> None:
        self.folder = places.cache_folder() / name

    def path(self, key: str) -> Path:
        """The file that holds, or would hold, the entry."""
        address = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / address[:2] / address[2:]

    def get(self, key: str) -> bytes | None:
        """The content, or None where there is none or what is there is damaged."""
        path = self.path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, body = content[:DIGEST_BYTE], content[DIGEST_BYTE:]
        if hashlib.sha256(body).digest() != digest:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return body

    def has(self, key: str) -> bool:
        """Whether there is an entry; it may yet turn out to be damaged."""
        return self.path(key).exists()

    def put(self, key: str, body: bytes) -> None:
        """Keep the content; where the disk refuses, go without."""
        path = self.path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, hashlib.sha256(body).digest() + body)

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


@cache
def code() -> str:
    """The digest of this package's source."""
    package = places.REPOSITORY / "analysis"
    return digest("".join(f"{path}{file_digest(path)}" for path in sorted(package.rglob("*.py"))))


def recalled(function: Callable[[T], str]) -> Callable[[T], str]:
    """A function of one argument and nothing else, whose text is kept between builds of the same source."""

    @wraps(function)
    def remembering(argument: T) -> str:
        key = f"{function.__qualname__} {code()} {json.dumps(argument, sort_keys=True, default=repr)}"
        return Store("pieces").made(key, lambda: function(argument).encode()).decode()

    return remembering


def replace(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the new one, at any instant."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def trim(largest_byte: int = LARGEST_BYTE) -> None:
    """Keep the cache below a size: what was asked for longest ago goes first, and so do leavings of builds that died."""
    entries = []
    for path in places.cache_folder().glob("*/??/*"):
        with contextlib.suppress(OSError):
            found = path.stat()
            if path.name.startswith(".new-") and time.time() - found.st_mtime > ABANDONED_S:
                path.unlink()
            else:
                entries.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= largest_byte:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
