"""When a chapter need not run again: its outputs are kept under everything they depend on.

Known before a run: the code cells, the values of the declared parameters, the lock file, the installed packages, Python, and
the way chapters are executed.  Known after it, because the kernel noted it: the modules of this package that were used, the
tables that were read, any other file that was opened.  A run is found again when all of these have the digests they had;
prose, the order of words and other people's tables do not count.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.book.run import tracing
from analysis.book.store import freshness, places
from analysis.book.store.cache import GONE, Store, digest, file_digest

MOST_TRACES = 6
"""A chapter that read other files under another set of parameters has several traces; the latest are tried."""


@dataclass(frozen=True)
class Executed:
    """What a run brought: the outputs of each code cell, the bundles they name by digest, what they depend on, how long it took.

    bundles  digest → JSON in one line: who carries or keeps it need not read it
    """

    outputs: list[list[dict[str, Any]]]
    bundles: dict[str, bytes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    duration_s: float = 0.0


def known_before(code: Iterable[tuple[str, list[str]]], given: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a run before it begins: name of each part → its digest, or its value where it is short.

    The way chapters are executed is this folder, whole.
    """
    here = Path(__file__).parent
    return {
        "code cells": digest(json.dumps([[source, sorted(tags)] for source, tags in code])),
        **{f"parameter {name}": json.dumps(value) for name, value in given.items()},
        "requirements.lock": file_digest(places.REPOSITORY / "requirements.lock"),
        "installed packages": freshness.installed(),
        "Python": f"{platform.python_implementation()} {platform.python_version()} {sys.platform}",
        "way of executing": digest("".join(file_digest(path) for path in sorted(here.glob("*.py")))),
    }


class Sources:
    """The files that runs read, as they are now: each is looked at once."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._digests: dict[str, str] = {}

    def noted(self, names: Iterable[str]) -> dict[str, str]:
        """Name → digest."""
        names = list(names)
        self._digests |= {name: self._digest(name) for name in names if name not in self._digests}
        return {name: self._digests[name] for name in names}

    def path(self, name: str) -> Path:
        """Where a file lies; the tables of a run lie in its data folder."""
        return self.data / name.removeprefix("data/") if name.startswith("data/") else places.REPOSITORY / name

    def _digest(self, name: str) -> str:
        file, _, table = name.partition("#")
        if table:
            return digest(self._notes.get(table, GONE))
        path = self.path(file)
        if name.endswith("/"):
            return digest("\n".join(sorted(found.name for found in path.iterdir()))) if path.is_dir() else GONE
        return file_digest(path)

    @cached_property
    def _notes(self) -> dict[str, str]:
        """Table → its part of the descriptor."""
        path = self.path(tracing.DESCRIPTOR)
        resources = json.loads(path.read_text(encoding="utf-8"))["resources"] if path.exists() else []
        return {resource["name"]: json.dumps(resource, sort_keys=True) for resource in resources}


class Keeper:
    """The kept runs of one chapter under one set of parameters; ``is_latest`` where they are what the author asked for last."""

    def __init__(
        self,
        chapter: str,
        before: Mapping[str, str],
        sources: Sources,
        *,
        has_code: bool = True,
        is_latest: bool = True,
    ) -> None:
        self.chapter, self.before, self.sources, self.has_code = chapter, dict(before), sources, has_code
        self.is_latest = is_latest
        self.store = Store("chapters")
        self._basis = json.dumps([chapter, self.before], sort_keys=True)

    def found(self) -> Executed | None:
        """A run in which everything was as it is now; without code there is nothing to run."""
        if not self.has_code:
            return Executed([])
        for names in self._traces():
            body = self.store.get(self._address(names))
            if body is not None:
                self._remember(self.last().get("duration_s", 0.0), names)
                about, *texts = body.split(b"\n")
                outputs, digests = json.loads(about)
                return Executed(outputs, dict(zip(digests, texts, strict=True)), names)
        return None

    def keep(self, run: Executed, begun: float) -> None:
        """Keep a run, unless it depended on something that cannot be compared or that was edited since it began."""
        self._remember(run.duration_s, run.names)
        if run.outside or any(self._edited_since(name, begun) for name in run.names):
            return
        traces = [run.names] + [names for names in self._traces() if names != run.names]
        about = json.dumps([run.outputs, [*run.bundles]]).encode()
        self.store.put(self._address(run.names), b"\n".join([about, *run.bundles.values()]))
        self.store.put(f"traces {self._basis}", json.dumps(traces[:MOST_TRACES]).encode())

    def _edited_since(self, name: str, begun: float) -> bool:
        path = self.sources.path(name)
        return not name.startswith("data/") and path.exists() and path.stat().st_mtime >= begun

    def _traces(self) -> list[list[str]]:
        return list(json.loads(self.store.get(f"traces {self._basis}") or b"[]"))

    def _address(self, names: list[str]) -> str:
        return f"outputs {self._basis} {json.dumps(self.sources.noted(names), sort_keys=True)}"

    def _remember(self, duration_s: float, names: list[str]) -> None:
        if not self.is_latest:
            return
        parts = self.before | self.sources.noted(names)
        self.store.put(f"last {self.chapter}", json.dumps({"duration_s": duration_s, "parts": parts}).encode())

    def last(self) -> dict[str, Any]:
        """Duration and parts of the latest run or find; empty where there was none."""
        return dict(json.loads(self.store.get(f"last {self.chapter}") or b"{}"))

    def reasons(self) -> list[str]:
        """What makes the chapter run again, a line each; empty where it would not."""
        if self.found_quietly():
            return []
        then = self.last().get("parts")
        if then is None:
            return ["it has not been executed here before"]
        names = [name for name in then if name not in self.before and not name.startswith("parameter ")]
        now = self.before | self.sources.noted(name for name in names if "." in name or name.endswith("/"))
        changed = [
            _difference(name, then.get(name, GONE), now.get(name, GONE))
            for name in sorted(set(then) | set(now))
            if then.get(name) != now.get(name)
        ]
        return changed or ["its outputs are no longer in the cache"]

    def found_quietly(self) -> bool:
        """Whether a kept run would be used, without noting that it was."""
        return not self.has_code or any(self.store.get(self._address(names)) is not None for names in self._traces())


def _difference(name: str, then: str, now: str) -> str:
    file, _, table = name.partition("#")
    called = f"{tracing.DESCRIPTOR}, the notes of table {table}," if table else file
    if GONE in (then, now):
        return f"{called} {'is new' if then == GONE else 'is gone'}"
    return f"{called} changed" + (f" from {then} to {now}" if max(len(then), len(now)) <= 40 else "")
