"""What a chapter's outputs depend on, noted by the kernel while it runs: files opened, modules used, tables looked at."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from analysis.book.store import places

TRACE_VARIABLE = "MEMORY_WALL_TRACE"
"""Environment variable of a kernel: the file it writes its trace to."""
OUTSIDE = ("subprocess.Popen", "os.system", "socket.connect", "socket.getaddrinfo", "urllib.Request")
"""Audit events that make a run depend on more than can be compared: such a run is not kept."""
LEFT_OUT = ("_build/", ".venv/", ".git/")
APART = ("analysis.book", "analysis.cli", "analysis.__main__")
DESCRIPTOR = "data/datapackage.json"


@dataclass
class Tracer:
    """An audit hook that notes which files below the repository and the data folder are opened or listed."""

    data: Path
    repository: Path = places.REPOSITORY
    names: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note one audit event; must never raise."""
        if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, os.PathLike)):
            name = self._name(os.path.abspath(os.fspath(arguments[0])))
            if name and not name.endswith((".py", ".pyc")) and (event == "open" or name.startswith("data/")):
                self.names.add(name if event == "open" else f"{name}/")
        elif event in OUTSIDE:
            self.outside.add(event)

    def _name(self, path: str) -> str:
        if path == str(self.data):
            return "data/."
        for folder, prefix in ((f"{self.data}", "data/"), (f"{self.repository}", "")):
            if path.startswith(folder + os.sep):
                name = prefix + path[len(folder) + 1 :]
                return "" if name.startswith(LEFT_OUT) else name
        return ""

    def write(self, *_: object) -> None:
        """Write what was noted so far; called after every cell."""
        tables = sys.modules.get("analysis.tables")
        read = tables.READ if tables else set()
        names = self.names | {_source(name, _file(name)) for name in list(sys.modules)}
        if DESCRIPTOR in names and "*" not in read:
            names = (names - {DESCRIPTOR}) | {f"{DESCRIPTOR}#{table}" for table in read}
        record = {"names": sorted(names - {""}), "outside": sorted(self.outside)}
        Path(os.environ[TRACE_VARIABLE]).write_text(json.dumps(record), encoding="utf-8")


def _file(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""


@cache
def _source(module: str, file: str) -> str:
    """The file of a module below the repository, of this package or of a book's own; empty for all others.

    ``analysis.book`` runs chapters and sets pages; chapters may not import it (a test says so).
    """
    if module.startswith(APART) or not file.startswith(f"{places.REPOSITORY}{os.sep}"):
        return ""
    name = os.path.relpath(file, places.REPOSITORY)
    return "" if name.startswith(LEFT_OUT) else name
