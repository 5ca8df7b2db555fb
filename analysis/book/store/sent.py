"""Folders sent by digest: who works with one has a store at hand and not the path where it was made.

A store is a folder, or any address that fsspec knows (``s3://…``, ``gs://…``).  Content lies under its SHA-256 and is looked at
again when it comes back; a folder is a list of names and digests, itself under its digest.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache as once
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from analysis.book.store import cache, places, workplace
from analysis.errors import InputError, Problem, SiteError

VARIABLE = "MEMORY_WALL_STORE"
"""Environment variable that names the store which workers on other machines see under the same address."""


def address(given: str = "") -> str:
    """The store asked for, or that of the environment, or a folder of the cache."""
    named = given or os.environ.get(VARIABLE, "")
    return named if "://" in named else str(Path(named or places.cache_folder() / "sent").resolve())


class Sent:
    """Contents by their digest."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._remote: Any = _remote(place) if "://" in place else None

    def put(self, content: bytes) -> str:
        """Keep a content where it is not kept yet; its digest.  Raises OSError where the store refuses."""
        name = cache.digest(content)
        if self._remote is not None:
            target = f"{self.place.rstrip('/')}/{name[:2]}/{name[2:]}"
            if not self._remote.exists(target):
                self._remote.pipe_file(target, content)
            return name
        path = self._path(name)
        if cache.file_digest(path) != name:
            path.parent.mkdir(parents=True, exist_ok=True)
            cache.replace(path, content)
        return name

    def get(self, name: str) -> bytes:
        """The content of a digest; raises SiteError where the store lacks it or holds another."""
        try:
            if self._remote is not None:
                content: bytes = self._remote.cat_file(f"{self.place.rstrip('/')}/{name[:2]}/{name[2:]}")
            else:
                content = self._path(name).read_bytes()
        except OSError:
            content = b""
        if cache.digest(content) != name:
            raise SiteError(
                f"the store {self.place} does not hold {name[:12]}…, or holds it damaged. Workers on other machines need a store "
                f"that they see under the same address: name it with {VARIABLE}."
            )
        return content

    def _path(self, name: str) -> Path:
        return Path(self.place) / name[:2] / name[2:]

    def send(self, folder: Path) -> str:
        """Keep the files of a folder; the digest of their list."""
        listed = {
            path.relative_to(folder).as_posix(): self.put(path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        return self.put(json.dumps(listed, sort_keys=True).encode())

    def listed(self, name: str) -> dict[str, str]:
        """What a folder holds: name → digest."""
        return dict(json.loads(self.get(name)))

    def fetch(self, name: str, folder: Path) -> Path:
        """The folder of a digest, put together in another place."""
        for file, digest in self.listed(name).items():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.get(digest))
        return folder


KEPT = 2
"""So many folders a process keeps that it fetched."""
_fetched: dict[tuple[object, ...], Path] = {}


def fetched(place: str, name: str) -> Path:
    """The folder of a digest, in this process's own place; of several the two asked for last are there."""
    return held((place, name), lambda folder: Sent(place).fetch(name, folder))


def held(key: tuple[object, ...], make: Callable[[Path], object]) -> Path:
    """A folder that is made once and kept while no more than a few others are asked for; it goes with the process."""
    if key not in _fetched:
        for oldest in list(_fetched)[: 1 - KEPT or None]:
            shutil.rmtree(_fetched.pop(oldest), ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=_own()))
        make(folder)
        _fetched[key] = folder
    _fetched[key] = _fetched.pop(key)
    return _fetched[key]


@once
def _own() -> Path:
    """A folder of this process's own; where it is killed, a later one takes it away."""
    place = workplace.temporary()
    workplace.clear(place, workplace.PREFIX)
    made = workplace.Workplace(place, workplace.PREFIX)
    Finalize(None, made.end, exitpriority=workplace.LAST)
    return made.path


def _remote(place: str) -> Any:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        todo = "It comes with memory-wall[dask]: .venv/bin/pip install 'memory-wall[dask]'."
        raise InputError(
            [Problem("--store", place, "a folder, or the package fsspec for other places", todo)]
        ) from None
    try:
        return url_to_fs(place)[0]
    except (ImportError, ValueError, OSError) as error:
        raise InputError([Problem("--store", f"{place} ({error})", "an address that fsspec knows")]) from None
