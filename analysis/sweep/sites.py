"""Whole sites of the editions, or their figures: each is built by a process of its own, side by side, over a shared cache.

The first is built alone, by all processes that there are: what it runs and draws, the others find.  Each of these has what remains
to be done for itself, which is the quicker way to many: a single build keeps few processes busy.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis.book.run import forking, kernels
from analysis.book.run.executors import Engine
from analysis.book.store import publishing, sent
from analysis.errors import InputError, Problem
from analysis.sweep import carry, stored
from analysis.sweep.plan import Edition

SITES, FIGURES_OF = "sites", "figures"
"""The store of the editions' sites, and the folder that holds a folder of figures for each."""
ENDED = "a process that built it ended: out of memory, or killed from outside"
BETWEEN, ROUNDS = 40, 4
"""So many editions, and so many for each process, are built until there is a moment without a build, in which the cache is trimmed."""
END_S = 5.0
"""So long a process that has answered may take to clear up."""


@dataclass(frozen=True)
class Asked:
    """An edition to be built: its name, its parameters, how its data are had, and where its site or its figures go."""

    name: str
    parameters: Mapping[str, Any]
    data: Callable[[], Path | None]
    goal: Path
    only: str


def target(place: Path, only: str, edition: Edition) -> Path:
    """Where the figures of an edition go, or the list of its site's files; what is there is whole."""
    return stored.listing(place / SITES, edition.name) if only == "site" else place / FIGURES_OF / edition.name


class Build:
    """A process that builds an edition in a folder of its own below that of the sweep."""

    def __init__(self, asked: Asked, engine: Engine, place: Path) -> None:
        self.asked, self._folder = asked, TemporaryDirectory(dir=place, prefix=".new-", ignore_cleanup_errors=True)
        context = forking.Context.ready()
        self.line, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, forking.address(), asked, engine, Path(self._folder.name) / "site")
        )
        self._process.start()
        theirs.close()

    def answer(self) -> str:
        """Why it failed, empty where it did not; waits for its end."""
        try:
            said = str(self.line.recv())
            self._process.join(END_S)
        except (EOFError, OSError):
            said = ENDED
        self.end()
        return said

    def end(self) -> None:
        """End it, whether it is done or not."""
        self.line.close()
        self._process.kill()
        self._process.join()
        self._folder.cleanup()


def prepare() -> None:
    """Have the process that others are forked from import what makes pages too."""
    forking.warm_up(forking.PRELOAD, *forking.RENDERER)


def build(
    asked: Iterable[Asked], place: Path, engine: Engine, *, done: Callable[[Asked, str], None], trim: Callable[[], None]
) -> None:
    """Build editions; ``done`` is told of each why it failed, which is empty where it did not; ``trim`` makes room in the cache."""
    waiting, running, width = deque(asked), dict[Connection, Build](), engine.jobs or kernels.cores()
    between = max(BETWEEN, width * ROUNDS)
    beside, jobs, left = 1, width, between
    try:
        while waiting or running:
            if not left and not running:
                trim()
                left = between
            while waiting and left and len(running) < beside:
                left -= 1
                begun = Build(waiting.popleft(), replace(engine, jobs=jobs), place)
                running[begun.line] = begun
            ready = wait(list(running))
            for line in [one for one in running if one in ready]:
                done(running[line].asked, running[line].answer())
                del running[line]
            beside = max(1, min(width, len(waiting) + len(running)))
            jobs = width // beside
    finally:
        for one in running.values():
            one.end()


def _work(line: Connection, server: str, asked: Asked, engine: Engine, made: Path) -> None:
    """In that process, which ends with the one that began it."""
    kernels.end_with(line)
    forking.share(server)
    os.environ[sent.VARIABLE] = sent.address(engine.store)
    try:
        line.send(_built(asked, engine, made))
    except OSError as error:
        line.send(publishing.told(error)[:500])
    except Exception as error:
        line.send(carry.told(error)[:500])


def _built(asked: Asked, engine: Engine, made: Path) -> str:
    from analysis.book import site

    gc.freeze()
    gc.set_threshold(*kernels.SELDOM)
    figures = asked.only != "site"
    site.build(
        site.Request(data=asked.data(), out=made, settings=asked.parameters, jobs=engine.jobs, engine=engine, only_figures=figures)
    )  # fmt: skip
    try:
        keep(asked, made)
    except OSError as error:
        return f"built, and not kept: {error.strerror or error}".lower()
    return ""


def keep(asked: Asked, made: Path) -> None:
    """Put what was built where it is looked for."""
    asked.goal.parent.mkdir(parents=True, exist_ok=True)
    if asked.only == "site":
        stored.keep(made, asked.goal.parent, asked.name)
    else:
        made.rename(asked.goal)


def forget(asked: Asked) -> None:
    """Take away what was built of an edition before: it would stand for what is not there yet."""
    if asked.only == "site":
        stored.forget(asked.goal.parent, asked.name)
    elif asked.goal.exists():
        shutil.rmtree(asked.goal)


def store_of(sweep: Path) -> Path:
    """The store of the sites of a sweep; raises InputError where its folder is not there."""
    if not sweep.is_dir():
        found = f"{sweep}, a file" if sweep.exists() else f"{sweep}, no such folder"
        todo = "Sites are kept by memory-wall sweep --only site; --from names the folder that it was given with --out."
        raise InputError([Problem("--from", found, "the folder of a sweep", todo)])
    return sweep / SITES
