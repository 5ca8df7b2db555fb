"""Sites of many editions that share files: each file lies packed under its digest, once, and each edition is a list of its files."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.book.store import freshness, publishing
from analysis.book.store.cache import digest, replace
from analysis.book.store.files import json_text
from analysis.errors import InputError, Problem, SiteError, nearest

OBJECTS = "objects"
PACKING = 6
"""How hard gzip tries: beyond it a site takes a hundredth less room and twice the time."""


def keep(site: Path, store: Path, name: str) -> None:
    """Keep a site as an edition: files that are there already are not written again, and the list of files comes last."""
    listed = {}
    for path in freshness.files(site):
        content = path.read_bytes()
        listed[path.relative_to(site).as_posix()] = key = digest(content)
        if not (place := _place(store, key)).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            replace(place, gzip.compress(content, PACKING, mtime=0))
    replace(listing(store, name), json_text(listed).encode())


def listing(store: Path, name: str) -> Path:
    """The list of an edition's files; where it is there, they all are."""
    return store / f"{name}.json"


def names(store: Path) -> list[str]:
    """The editions of a store, in the order of their names."""
    return sorted(path.stem for path in store.glob("*.json"))


def take_out(store: Path, name: str, out: Path) -> None:
    """Write the site of an edition into a new or empty folder, byte by byte as it was built.

    Raises InputError where the store has no such edition or the folder is taken, SiteError where a file was damaged or lost; the folder
    is then as it was.
    """
    listed = _listed(store, name)
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        todo = "Name a new folder, or an empty one."
        raise InputError([Problem("DIR", str(out), "a place for a site", todo)])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".new-{out.name}-") as folder:
            made = Path(folder) / "site"
            for file, key in listed.items():
                (target := made / file).parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_content(store, key, file))
            publishing.opened_to_readers(made)
            os.replace(made, out)
    except OSError as error:
        found = f"{out}: {str(error.strerror or error).lower()}"
        raise InputError([Problem("DIR", found, "a place that can be written")]) from None


def _listed(store: Path, name: str) -> dict[str, str]:
    """File → digest of an edition."""
    known = names(store)
    if name not in known:
        todo = nearest(name, known) if known else "Sites are kept by memory-wall sweep --only site."
        raise InputError([Problem(str(store), f"no edition {name[:80]!r}", "an edition that is kept there", todo)])
    try:
        found = json.loads(listing(store, name).read_text(encoding="utf-8"))
        sound = isinstance(found, dict) and all(_is_within(file) and len(key) > 2 for file, key in found.items())
    except (OSError, ValueError, RecursionError, TypeError):
        sound = False
    if not sound:
        raise _lost(f"the list of files of {name}")
    return {str(file): str(key) for file, key in found.items()}


def _is_within(file: str) -> bool:
    """Whether a name is that of a file below a folder, whatever a list that was tampered with says."""
    return not Path(file).is_absolute() and bool(file) and ".." not in Path(file).parts


def _content(store: Path, key: str, file: str) -> bytes:
    try:
        content = gzip.decompress(_place(store, key).read_bytes())
    except (FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error):
        raise _lost(file) from None
    if digest(content) != key:
        raise _lost(file)
    return content


def _lost(what: str) -> SiteError:
    return SiteError(
        f"{what} is damaged or lost in the store: run the sweep again with another --out, or take out another edition."
    )


def _place(store: Path, key: str) -> Path:
    return store / OBJECTS / key[:2] / key[2:]
