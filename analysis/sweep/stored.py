"""Sites of many editions that share files: each file lies packed under its digest, once, and each edition is a list of its files.

Of a file that the edition kept first has otherwise, only what differs is written, where that is less.  The parts are found here, as
what packs by an earlier file of megabytes is in the standard library from Python 3.14 on only.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import math
import os
import re
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from analysis import door
from analysis.book.store import freshness, publishing
from analysis.book.store.cache import digest, replace
from analysis.book.store.files import json_text, read_text
from analysis.errors import InputError, MemoryWallError, Problem, SiteError, nearest

OBJECTS, LIST = "objects", ".json.gz"
DIGEST = re.compile(r"[0-9a-f]{64}")
ARCHIVE, PARTS = ".zip", ".parts"
"""Ending of files that hold others of the site, and of what is kept of a file of which other files hold parts."""
FIRST = "first"
"""Names the edition that was kept first."""
LARGEST_STORED_BYTE = 2**28
"""Of a file of a site in a store: the largest have some tens of megabytes, and what is unpacked is held in memory."""
SMALLEST_BYTE = 4096
"""A file below takes a block of the disk whatever is written of it."""
PACKING = 6
"""How hard gzip tries: beyond it a site takes a hundredth less room and twice the time."""
MOST_PACKED = 20
"""No file of a site is packed to less than a twentieth: where its parts are, it is not tried."""


def keep(site: Path, store: Path, name: str) -> None:
    """Keep a site as an edition: files that are there already are not written again, and the list of files comes last.

    Of an archive only what its files do not hold is written: where they are kept stands for them.
    """
    listed: dict[str, str] = {}
    before = _first(store)
    for path in sorted(freshness.files(site), key=lambda path: path.suffix == ARCHIVE):  # after what they hold
        content, file = path.read_bytes(), path.relative_to(site).as_posix()
        listed[file] = key = digest(content)
        if not any(_place(store, key, ending).exists() for ending in ("", PARTS)):
            is_archive = path.suffix == ARCHIVE
            parts = (
                _parted(content, set(listed.values()))
                if is_archive
                else _differing(content, store, before.get(file, ""))
            )
            _write(store, key, content, parts)
    replace(listing(store, name), _packed(json_text(dict(sorted(listed.items()))).encode()))
    if not (store / FIRST).exists():
        replace(store / FIRST, name.encode())


def forget(store: Path, name: str) -> None:
    """Take an edition out of a store that may have it; its objects stay.  Were it the first, the next that is kept is that."""
    listing(store, name).unlink(missing_ok=True)
    with contextlib.suppress(OSError, ValueError):
        if read_text(store / FIRST) == name:
            (store / FIRST).unlink()


def _write(store: Path, key: str, content: bytes, parts: Parts) -> None:
    """Keep a file, whole or as its parts: whichever takes less room."""
    ending, packed = PARTS, _packed(json.dumps(parts).encode()) if parts else b""
    if len(packed) * MOST_PACKED > len(content) or not parts:
        ending, packed = min((ending, packed), ("", _packed(content)), key=lambda one: len(one[1]) or math.inf)
    place = _place(store, key, ending)
    place.parent.mkdir(parents=True, exist_ok=True)
    replace(place, packed)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, PACKING, mtime=0)


Parts = list[str | list[Any]]
"""A file by its parts: bytes in base 64; [digest of a kept file]; [digest, begin, number of bytes] of one."""


def _parted(content: bytes, kept: Collection[str]) -> Parts:
    """An archive by its parts; empty where it is none, or holds no such file."""
    parts: Parts = []
    done = 0
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            for each in sorted(archive.infolist(), key=lambda each: each.header_offset):
                head = content[each.header_offset : each.header_offset + HEADER_BYTE]
                begin = each.header_offset + HEADER_BYTE + sum(struct.unpack("<HH", head[-4:]))
                key = digest(content[begin : begin + each.file_size])
                if each.compress_type == ZIP_STORED and begin >= done and key in kept:
                    parts += [_plain(content[done:begin]), [key]]
                    done = begin + each.file_size
    except (BadZipFile, struct.error, NotImplementedError):
        return []
    return [*parts, _plain(content[done:])] if parts else []


def _plain(content: bytes) -> str:
    return b64encode(content).decode()


def _first(store: Path) -> dict[str, str]:
    """File → digest of the edition that was kept first; nothing where there is none, or its list is damaged."""
    try:
        return _listed(store, read_text(store / FIRST))
    except (OSError, ValueError, MemoryWallError):
        return {}


def _differing(content: bytes, store: Path, key: str) -> Parts:
    """A file by parts of the one of that digest; empty where that is not kept whole, or has none of them."""
    if len(content) < SMALLEST_BYTE or not key:
        return []
    try:
        before = _unpacked(_place(store, key))
    except DAMAGED:
        return []
    if digest(before) != key:
        return []
    at = dict(_pieces(before))
    runs = [[-1, 0, 0]]  # where it stands in the file before, or -1; from where to where in this one
    for piece, place in _pieces(content):
        begin, first, last = runs[-1]
        if begin >= 0 and before.startswith(piece, begin + last - first):
            found = begin
        elif (found := at.get(piece, -1)) >= 0 or begin >= 0:
            runs.append([found, place, place])
        runs[-1][2] = place + len(piece)
    parts: Parts = [
        [key, begin, last - first] if begin >= 0 else _plain(content[first:last]) for begin, first, last in runs
    ]
    return parts if any(isinstance(one, list) for one in parts) else []


WINDOW_BYTE, PIECE_BYTE = 16, 128
"""So many bytes decide whether a piece ends behind them, which it does once in so many."""
MULTIPLIER = 2_654_435_761
"""An odd number whose powers scatter over 32 bits (Knuth, The Art of Computer Programming, section 6.4)."""


def _pieces(content: bytes) -> Iterator[tuple[bytes, int]]:
    """A file in pieces that end where its bytes say so, whatever stands before them, and where each begins."""
    byte = np.frombuffer(content, np.uint8).astype(np.uint32)
    mixed, factor = np.zeros(max(len(byte) - WINDOW_BYTE + 1, 0), np.uint32), 1
    for back in range(WINDOW_BYTE):
        factor = factor * MULTIPLIER % 2**32
        mixed += byte[WINDOW_BYTE - 1 - back : len(byte) - back] * np.uint32(factor)
    ends = np.flatnonzero((mixed >> 16) % PIECE_BYTE == 0) + WINDOW_BYTE
    begin = 0
    for end in [*ends.tolist(), len(content)]:
        if end > begin:
            yield content[begin:end], begin
            begin = end


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
    with gzip.open(io.BytesIO(door.content(path, LARGEST_STORED_BYTE))) as packed:
        content = packed.read(LARGEST_STORED_BYTE + 1)
    if len(content) > LARGEST_STORED_BYTE:
        raise ValueError("a file that unpacks to more than any of a site")
    return content


def _is_within(file: str) -> bool:
    """Whether a name is that of a file below a folder, whatever a list that was tampered with says."""
    return not Path(file).is_absolute() and bool(Path(file).parts) and "\0" not in file and ".." not in Path(file).parts


def _content(store: Path, key: str, file: str, depth: int = 2) -> bytes:
    """A file of the store.  An archive has parts, and so may a file that it holds; what those are parts of is whole."""
    plain, parts = _place(store, key), _place(store, key, PARTS)
    try:
        content = _unpacked(plain if plain.exists() or not depth else parts)
        if depth and not plain.exists():
            content = _joined(store, json.loads(content), file, depth - 1)
    except DAMAGED:
        raise _lost(file) from None
    if digest(content) != key:
        raise _lost(file)
    return content


def _joined(store: Path, parts: Parts, file: str, depth: int) -> bytes:
    whole = lru_cache(maxsize=1)(lambda key: _content(store, key, file, depth))
    joined = bytearray()
    for one in parts:
        key, begin, byte = (*one, 0, None)[:3] if isinstance(one, list) else ("", 0, None)
        joined += whole(key)[begin : None if byte is None else begin + byte] if key else b64decode(str(one))
        if len(joined) > LARGEST_STORED_BYTE:
            raise ValueError("parts that are more than any file of a site")
    return bytes(joined)


def _lost(what: str) -> SiteError:
    return SiteError(
        f"{what} is damaged or lost in the store: run the sweep again with another --out, or take out another edition."
    )


def _place(store: Path, key: str, ending: str = "") -> Path:
    return store / OBJECTS / key[:2] / f"{key[2:]}{ending}"
