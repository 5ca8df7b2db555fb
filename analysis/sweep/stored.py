"""Sites of many editions that share files: each file lies packed under its digest, once, and each edition is a list of its files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from analysis import door
from analysis.book.store import freshness, publishing
from analysis.book.store.cache import digest, replace
from analysis.book.store.files import LARGEST_SITE_FILE_BYTE, json_text
from analysis.errors import InputError, Problem, SiteError, nearest

OBJECTS, LIST = "objects", ".json.gz"
DIGEST = re.compile(r"[0-9a-f]{64}")
ARCHIVE, PARTS = ".zip", ".parts"
"""Ending of files that hold others of the site, and of what is kept of one whose files are kept."""
PACKING = 6
"""How hard gzip tries: beyond it a site takes a hundredth less room and twice the time."""


def keep(site: Path, store: Path, name: str) -> None:
    """Keep a site as an edition: files that are there already are not written again, and the list of files comes last.

    Of an archive only what its files do not hold is written: where they are kept stands for them.
    """
    listed: dict[str, str] = {}
    for path in sorted(freshness.files(site), key=lambda path: path.suffix == ARCHIVE):  # after what they hold
        content = path.read_bytes()
        listed[path.relative_to(site).as_posix()] = key = digest(content)
        parted = _parted(content, set(listed.values())) if path.suffix == ARCHIVE else b""
        if not (place := _place(store, key, PARTS if parted else "")).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            replace(place, _packed(parted or content))
    replace(listing(store, name), _packed(json_text(dict(sorted(listed.items()))).encode()))


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, PACKING, mtime=0)


def _parted(content: bytes, kept: Collection[str]) -> bytes:
    """An archive as JSON: [digest of a kept file] and bytes in base 64 by turns; empty where it is none, or holds no such file."""
    parts: list[str | list[str]] = []
    done = 0
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            for each in sorted(archive.infolist(), key=lambda each: each.header_offset):
                head = content[each.header_offset : each.header_offset + HEADER_BYTE]
                begin = each.header_offset + HEADER_BYTE + sum(struct.unpack("<HH", head[-4:]))
                key = digest(content[begin : begin + each.file_size])
                if each.compress_type == ZIP_STORED and begin >= done and key in kept:
                    parts += [b64encode(content[done:begin]).decode(), [key]]
                    done = begin + each.file_size
    except (BadZipFile, struct.error, NotImplementedError):
        return b""
    return json.dumps([*parts, b64encode(content[done:]).decode()]).encode() if parts else b""


HEADER_BYTE = 30
"""Bytes before the name in the header of a file in a ZIP archive; the last four say how long the name and what follows it are."""


def listing(store: Path, name: str) -> Path:
    """The list of an edition's files; where it is there, they all are."""
    return store / f"{name}{LIST}"


def names(store: Path) -> list[str]:
    """The editions of a store, in the order of their names."""
    return sorted(path.name.removesuffix(LIST) for path in store.glob(f"*{LIST}"))


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
        with _made(out.parent), TemporaryDirectory(dir=out.parent, prefix=f".new-{out.name}-") as folder:
            made = Path(folder) / "site"
            for file, key in sorted(
                listed.items(), key=lambda one: one[0].endswith(ARCHIVE)
            ):  # a lost file is named itself
                (target := made / file).parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_content(store, key, file))
            publishing.opened_to_readers(made)
            os.replace(made, out)
    except OSError as error:
        found = f"{out}: {str(error.strerror or error).lower()}"
        raise InputError([Problem("DIR", found, "a place that can be written")]) from None


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder, made with those above it; those that were not there go again where what is done in it fails."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for place in missing:
                place.rmdir()
        raise


def _listed(store: Path, name: str) -> dict[str, str]:
    """File → digest of an edition."""
    known = names(store)
    if name not in known:
        todo = nearest(name, known) if known else "Sites are kept by memory-wall sweep --only site."
        raise InputError([Problem(str(store), f"no edition {name[:80]!r}", "an edition that is kept there", todo)])
    try:
        found = json.loads(_unpacked(listing(store, name)))
        sound = isinstance(found, dict) and all(
            _is_within(file) and DIGEST.fullmatch(str(key)) for file, key in found.items()
        )
    except DAMAGED:
        sound = False
    if not sound:
        raise _lost(f"the list of files of {name}")
    return {str(file): str(key) for file, key in found.items()}


DAMAGED = (
    FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, TypeError, LookupError, RecursionError, door.Refused,
)  # fmt: skip
"""What comes of reading a file of a store that is not what was kept there."""


def _unpacked(path: Path) -> bytes:
    """What a file of the store holds; raises one of ``DAMAGED``."""
    with gzip.open(io.BytesIO(door.content(path, LARGEST_SITE_FILE_BYTE))) as packed:
        content = packed.read(LARGEST_SITE_FILE_BYTE + 1)
    if len(content) > LARGEST_SITE_FILE_BYTE:
        raise ValueError("a file that unpacks to more than any of a site")
    return content


def _is_within(file: str) -> bool:
    """Whether a name is that of a file below a folder, whatever a list that was tampered with says."""
    return not Path(file).is_absolute() and bool(Path(file).parts) and "\0" not in file and ".." not in Path(file).parts


def _content(store: Path, key: str, file: str) -> bytes:
    plain, parts = _place(store, key), _place(store, key, PARTS)
    try:
        content = _unpacked(plain if plain.exists() else parts)
        if not plain.exists():
            content = _joined(store, json.loads(content), file)
    except DAMAGED:
        raise _lost(file) from None
    if digest(content) != key:
        raise _lost(file)
    return content


def _joined(store: Path, parts: list[str | list[str]], file: str) -> bytes:
    return b"".join(b64decode(one) if isinstance(one, str) else _kept(store, one[0], file) for one in parts)


def _kept(store: Path, key: str, file: str) -> bytes:
    """A file that an archive holds, which is none itself."""
    if not _place(store, key).exists():
        raise _lost(file)
    return _content(store, key, file)


def _lost(what: str) -> SiteError:
    return SiteError(
        f"{what} is damaged or lost in the store: run the sweep again with another --out, or take out another edition."
    )


def _place(store: Path, key: str, ending: str = "") -> Path:
    return store / OBJECTS / key[:2] / f"{key[2:]}{ending}"
