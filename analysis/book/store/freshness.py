"""Whether a site is what a build would make: then there is nothing to do, and finding that out takes a moment.

Beside the site stands the digest of everything it was built from, and of the site's files as they were published.  Imports
nothing heavy: this is all that a build runs when nothing has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from analysis import door
from analysis.book.store import places

FOLDERS = ("analysis", "chapters")
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


@cache
def commit() -> str:
    """The commit the site is built from, marked where the tree has changes; empty outside a repository."""
    return _git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")


@cache
def tree() -> str:
    """The tree of that commit, whose id Git computes from the content alone; empty where the content is another, and outside."""
    return "" if commit().endswith("-dirty") else _git("rev-parse", "HEAD^{tree}")


def committed_on() -> str:
    """The day of that commit, ``2026-11-22``; empty outside a repository."""
    return _git("log", "-1", "--format=%cs")


def _git(*arguments: str) -> str:
    try:
        found = subprocess.run(["git", *arguments], cwd=places.REPOSITORY, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def installed() -> str:
    """The digest of the names and versions of the installed packages, as their folders tell, without those only developers need."""
    folders = [Path(entry) for entry in sys.path if entry.endswith("-packages")]
    names = {path.name for folder in folders for path in folder.glob("*.dist-info")}
    apart = _locked("requirements-dev.lock")
    kept = sorted(name for name in names if _plain(name.partition("-")[0]) not in apart)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _locked(lock: str) -> set[str]:
    """The names of the packages in a lock file, none where there is no such file."""
    path = places.REPOSITORY / lock
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {_plain(name) for name in re.findall(r"^([\w.-]+)==", text, flags=re.MULTILINE)}


def _plain(name: str) -> str:
    """The name of a package as its folder and the index agree on it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in the order of their names."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        yield from (Path(root, name) for name in sorted(names))


def untracked() -> frozenset[str]:
    """The names of files beside the sources that Git does not know, as somebody's plan or log; none outside a repository."""
    return frozenset(_git("ls-files", "--others", "--directory").splitlines())


def inputs(asked: dict[str, Any], data: Path | None, apart: Collection[str] = ()) -> str:
    """The digest of everything a site depends on: what was asked for, the sources, the packages, Python and the commit.

    What was asked for is given by value.  Of data, the files that will be read are digested, through the same door.  ``apart`` names
    files beside the sources that are none.
    """
    beside = (path for path in sorted(places.REPOSITORY.iterdir()) if path.name not in apart)
    top = [path for path in beside if not path.name.startswith(".")]
    sources = [path for name in FOLDERS for path in files(places.REPOSITORY / name)]
    total = hashlib.sha256(
        json.dumps([asked, commit(), platform.python_version(), installed()], sort_keys=True).encode()
    )
    for path in [*top, *sources]:
        if path.is_file():
            _add(path, total, hashlib.sha256(path.read_bytes()).digest())
    book = door.data_folder()
    offered, problems = door.offered(data) if data and data.is_dir() else ([], [])
    total.update(f"{book}\0{data}\0{problems}".encode())
    for path in [*door.of_book(book), *offered]:
        _add(path, total, _digest(path))
    return total.hexdigest()


def _add(path: Path, total: Any, digest: bytes) -> None:
    total.update(f"\0{path}\0".encode("utf-8", "surrogateescape"))
    total.update(digest)


def _digest(path: Path) -> bytes:
    """The digest of a table; where it cannot be read, whoever reads it says so, and what was built before is no answer."""
    try:
        return hashlib.sha256(door.content(path)).digest()
    except (door.Refused, OSError):
        return os.urandom(16)


def fingerprint(site: Path) -> str:
    """The names, sizes and times of a site's files: anything that touches the site changes it."""
    seen = [
        (str(path.relative_to(site)), found.st_size, found.st_mtime_ns)
        for path in files(site)
        for found in [path.stat()]
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def note_built(out: Path, digest: str) -> None:
    """Note what a site was built from; the caller holds the lock on the file."""
    with contextlib.suppress(OSError):
        places.record_file(out).write_text(json.dumps({"inputs": digest, "site": fingerprint(out)}), encoding="utf-8")


def current(out: Path, digest: str) -> bool:
    """Whether the site was built from inputs with this digest and nobody has touched it since."""
    try:
        noted = json.loads(places.record_file(out).read_text(encoding="utf-8"))
        return bool(noted == {"inputs": digest, "site": fingerprint(out)})
    except (OSError, ValueError):
        return False
