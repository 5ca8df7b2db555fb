"""Archives of editions, as anybody may hand them over: unpacked within limits, compared with their records, or refused by name."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from analysis import door
from analysis.book.store import verify
from analysis.errors import InputError, Problem

ENDING = ".tar.gz"
EXPECTED = "the archive of an edition, as memory-wall release writes it"
ANEW = "Fetch it anew from where it is published."
LARGEST_ARCHIVE_BYTE, MOST_FILES = 2**30, 100_000
"""Ten times what an edition takes: a few kilobytes can unpack to a full disk."""
NAME = re.compile(r"\d{4}\.\d{2}")
LONGEST_HEAD_BYTE = 2**16


class Entry(tarfile.TarInfo):
    """An entry whose name and remarks are short: what stands before it is read as a whole, however long it says it is."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: Any, errors: str) -> Entry:
        """As a header says it; raises ReadError for one that is no file and long."""
        found = super().frombuf(buf, encoding, errors)
        if found.type not in (*tarfile.REGULAR_TYPES, tarfile.DIRTYPE) and found.size > LONGEST_HEAD_BYTE:
            raise tarfile.ReadError(f"a name or remarks of {found.size:,} bytes")
        return found


def found(given: Sequence[Path]) -> list[Path]:
    """The archives among files and folders, in the order of their names; raises InputError where a path is none."""
    problems = [
        _problem(path, "nothing", "Name an archive, or a folder of them.") for path in given if not path.exists()
    ]
    if problems:
        raise InputError(problems)
    return [one for path in given for one in (sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path])]


def unpacked(archive: Path, folder: Path) -> Path:
    """The edition of an archive, unpacked into a folder; raises InputError where it is damaged, too large or none."""
    if found := door.kind(archive):
        raise InputError([_problem(archive, found, "Put a copy of the file itself there.")])
    try:
        _compare_sum(archive)
        with tarfile.open(archive, "r:gz", tarinfo=Entry) as tar:
            for name, content in _files(archive, tar):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError) as error:
        raise InputError([_problem(archive, f"no sound archive ({error})", ANEW)]) from None
    records = sorted(folder.glob(f"*/{verify.RECORD}"))
    if len(records) != 1:
        raise InputError([_problem(archive, f"{verify.RECORD} {len(records)} times in it", ANEW)])
    return records[0].parent


def _compare_sum(archive: Path) -> None:
    """Raise ValueError where the checksum that lies beside it is another."""
    beside = archive.with_name(f"{archive.name}.sha256")
    if beside.is_file():
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in beside.read_text(encoding="utf-8", errors="replace"):
            raise ValueError(f"its digest is not the one in {beside.name}")


def _files(archive: Path, tar: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Name and content of each file; raises ValueError for a place outside, a link, and for too much of them."""
    byte = count = 0
    for entry in tar:
        name = PurePosixPath(entry.name)
        if name.is_absolute() or ".." in name.parts or not (entry.isfile() or entry.isdir()):
            raise ValueError(f"{entry.name[:80]!r} is no plain file within it")
        byte, count = byte + entry.size, count + 1
        if byte > LARGEST_ARCHIVE_BYTE or count > MOST_FILES:
            raise ValueError(f"more than {MOST_FILES:,} files or {LARGEST_ARCHIVE_BYTE / 2**30:g} GiB")
        if content := tar.extractfile(entry) if entry.isfile() else None:
            yield name, content


def restored(archive: Path, site: Path, workshop: Path) -> str:
    """Bring the edition of an archive back into a site, and return its name; one that is there already must be the same."""
    edition = unpacked(archive, workshop)
    if differences := verify.differences(edition):
        raise InputError([_problem(archive, "; ".join(differences[:3]), ANEW)])
    name = str(verify.read_edition(edition)["edition"])
    if not NAME.fullmatch(name):
        raise InputError([_problem(archive, f"an edition called {name[:40]!r}", ANEW)])
    target = site / verify.FROZEN / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        edition.rename(target)
    elif verify.read_edition(target) != verify.read_edition(edition):
        todo = f"An edition is published once: find out which is the right one, and move the archive or {target.name} away."
        raise InputError([_problem(archive, f"another edition {name} than the one that is published", todo)])
    return name


def _problem(archive: Path, what: str, todo: str) -> Problem:
    return Problem(file=str(archive), found=what, expected=EXPECTED, todo=todo)
