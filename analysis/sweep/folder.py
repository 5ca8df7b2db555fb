"""The folder of a sweep: what it holds, who may write there, results that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from analysis.book.run import execution
from analysis.book.store import cache, places
from analysis.book.store.files import read_text
from analysis.book.store.publishing import FILE_MODE
from analysis.errors import InputError, Problem, SiteError

ASKED, MANIFEST, LOCK, OBJECTS, LOG = "sweep.json", "manifest.json", ".lock", "objects", "log.txt"
"""What marks the folder, what is written last, what is locked, results by their key, what happened when."""


def require_fit(out: Path) -> None:
    """Raise InputError where a sweep must not be put: the folder of something else, or one among the sources of the book."""
    why = ""
    if out.exists() and not out.is_dir():
        why = "It is a file."
    elif out.is_dir() and not (out / ASKED).is_file() and {path.name for path in out.iterdir()} - {LOCK}:
        why = "It holds something that is no sweep."
    elif out == places.REPOSITORY or (places.REPOSITORY in out.parents and places.BUILD not in out.parents):
        why = "It lies among the sources of the book."
    if why:
        todo = f"{why} Name a new folder, an empty one, or one of a sweep begun before."
        raise InputError([Problem("--out", str(out), "a place for a sweep", todo)])


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[Folder]:
    """Hold a folder for one sweep; raises InputError where it is another's or cannot be written."""
    require_fit(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK).open("ab")
    except OSError as error:
        found = f"{out}: {error.strerror}"
        raise InputError([Problem("--out", found, "a folder that can be written")]) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            todo = "Wait until it has ended, or name another folder."
            raise InputError([Problem("--out", str(out), "a folder that no other sweep writes to", todo)]) from None
        yield Folder(out)


class Folder:
    """The folder of a sweep that is held."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for left in [*place.glob(".new-*"), *place.glob(f"{OBJECTS}/*/.new-*")]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def put(self, name: str, content: bytes | str) -> None:
        """Put a file so that it is there as a whole or not at all; raises SiteError where the disk refuses."""
        target = self.place / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            cache.replace(target, content.encode() if isinstance(content, str) else content)
            target.chmod(FILE_MODE)
        except OSError as error:
            raise self.refused(error) from None

    def refused(self, error: OSError) -> SiteError:
        """What is said where the disk refuses: what was found so far is kept."""
        said = f"{error.strerror or error} ({self.place})".lower()
        return SiteError(
            f"the sweep stopped: {said}. What was found so far is kept; the same command goes on from there."
        )

    def begin(self, asked: dict[str, Any], gives: Callable[[str], bool]) -> None:
        """Mark the folder as that of a sweep; what told that one was complete is taken away.

        Raises InputError where it is that of a sweep with editions or numbers that this one does not give: they would be lost.
        """
        former = self._former()
        if former and _loses(asked, former, gives):
            found = f"{self.place}, which is that of another plan ({_told(former)})"
            expected = f"the folder of this plan ({_told(asked)}), or of one whose editions and numbers it holds too"
            todo = "Name another folder for it, or ask for what is in both in one plan: that computes only what is missing."
            raise InputError([Problem("--out", found, expected, todo)])
        (self.place / MANIFEST).unlink(missing_ok=True)
        self.put(ASKED, json.dumps(asked, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    def _former(self) -> dict[str, Any]:
        """What was asked for in this folder before; nothing where that cannot be read."""
        try:
            found = json.loads(read_text(self.place / ASKED))
        except (OSError, ValueError, RecursionError):
            return {}
        lists = [found.get(name) for name in ("editions", "numbers")] if isinstance(found, dict) else [None]
        sound = all(isinstance(one, list) and all(isinstance(name, str) for name in one) for one in lists)
        return found if sound else {}

    def keep(self, key: str, found: list[dict[str, Any]]) -> None:
        """Keep a result under its key."""
        body = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        self.put(_name(key), f"{cache.digest(key + body)}\n{body}\n")

    def kept(self, key: str) -> list[dict[str, Any]] | None:
        """The result of a key; None where there is none, or what is there is damaged or another's.

        It was in the memory of a process that ran a chapter, and is no larger than that may have been.
        """
        path = self.place / _name(key)
        try:
            text = read_text(path, execution.MEMORY_LIMIT_BYTE) if path.is_file() else ""
        except (OSError, ValueError):
            return None
        seal, _, body = text.partition("\n")
        body = body.removesuffix("\n")
        if seal != cache.digest(key + body):
            return None
        found: list[dict[str, Any]] = json.loads(body)
        return found

    def log(self, line: str) -> None:
        """Add a line to what happened; a full disk takes that away and nothing else."""
        with contextlib.suppress(OSError), (self.place / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def finish(self, names: list[str], failed: list[dict[str, str]]) -> None:
        """Write the manifest, which is there if and only if the sweep has come to its end: digests of what it wrote."""
        files = {name: cache.file_digest(self.place / name) for name in sorted(names)}
        self.put(MANIFEST, json.dumps({"files": files, "failed": failed}, indent=1, ensure_ascii=False) + "\n")


def _loses(asked: dict[str, Any], former: dict[str, Any], gives: Callable[[str], bool]) -> bool:
    """Whether a plan lacks an edition or a number of another; where one names no number, it is after all of them."""
    all_wanted = not asked["numbers"] if not former["numbers"] else all(map(gives, former["numbers"]))
    return not all_wanted or not set(former["editions"]) <= set(asked["editions"])


MOST_TOLD = 160
"""Letters of a plan where it is named beside another."""


def _told(asked: dict[str, Any]) -> str:
    """What a plan asks for, in a line."""
    said = {name: asked[name] for name in SAID if asked.get(name) and asked[name] != [BOOK]}
    text = "; ".join(f"{name}: {json.dumps(one, ensure_ascii=False)}" for name, one in said.items()).replace('"', "")
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}…"


SAID, BOOK = ("set", "grid", "list", "draws", "data", "numbers"), "book"
"""What of a plan is told, and the data that go without saying."""


def _name(key: str) -> str:
    address = cache.digest(key)
    return os.path.join(OBJECTS, address[:2], f"{address[2:]}.json")
