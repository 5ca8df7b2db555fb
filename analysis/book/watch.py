"""``memory-wall serve``: the book at a local address, which follows whatever it is made from.

A build leaves a copy of itself behind that has every document read (``pages.anew``).  After a change that copy writes the open page,
which is shown at once from memory; the build after it makes the whole site and publishes it, and a page is loaded anew only if it is
another one there.  A build that a further change makes useless is ended; the one after next is begun ahead, as far as its imports.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

from analysis.book import view
from analysis.book.run import forking, loop
from analysis.book.store import places

WATCHED = ("analysis", "chapters", "data", "_config.yml", "_toc.yml", "requirements.lock", "CHANGELOG.md")
LOOK_MS = 100
"""So long the watcher looks before it says that nothing has changed."""
PATIENCE_S = 20.0
"""So long an answer of the copy is waited for, which takes a second; then the build has to do without."""
END_S = 5.0
"""So long a process that was asked to end is waited for."""
ASKED = 5
"""So often it is asked meanwhile: a library that is just being imported may take the first time for an error of its own."""
MOMENT_S = 0.3
POLL_S = 0.01
DONE = "executed "


Build = Callable[[], object]
"""``memory-wall build``, in a process of its own."""


class Run:
    """A process that builds: forked from one that has imported what does not change, it imports the rest, and waits for its turn."""

    def __init__(self, build: Build) -> None:
        context = forking.Context.ready(forking.PRELOAD, *forking.RENDERER)
        self.line, told = context.Pipe()
        self.copy, copy = context.Pipe()
        self.process = context.Process(target=_work, args=(build, loop.Lines(told, copy)))
        self.process.start()
        told.close()
        copy.close()
        self.problem, self.stays = "", False

    def begin(self, first: tuple[str, ...]) -> None:
        """It is its turn."""
        with contextlib.suppress(OSError):
            self.line.send(first)

    def heard(self) -> Iterator[str]:
        """What it has said since: each step that it has done."""
        with contextlib.suppress(EOFError, OSError):
            while self.line.poll():
                kind, text = self.line.recv()
                if kind == "copy":
                    self.stays = True
                elif kind == "problem":
                    self.problem = text
                else:
                    yield text

    def ended(self) -> bool:
        """Whether it has; then ``problem`` is what is wrong, if anything is."""
        if self.process.is_alive():
            return False
        self.process.join()
        list(self.heard())
        if self.process.exitcode and not self.problem:
            self.problem = f"The build ended with {self.process.exitcode}."
        return True

    def end(self) -> None:
        """End it and its copy, wherever they are; what was published stays."""
        for _ in range(ASKED):
            self.process.terminate()
            self.process.join(END_S / ASKED)
        self.process.kill()
        self.process.join()
        list(self.heard())
        self.retire()

    def retire(self) -> None:
        """Let its copy end."""
        self.line.close()
        self.copy.close()

    def ask(self, asked: Any) -> Any:
        """What its copy answers; None where it has none to give."""
        with contextlib.suppress(EOFError, OSError):
            self.copy.send(asked)
            if self.copy.poll(PATIENCE_S):
                return self.copy.recv()
            self.copy.close()  # what comes later would be taken for the next answer
        return None


def _work(build: Build, lines: loop.Lines) -> None:
    """In that process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        _import()
        loop.begin(lines, lines.told.recv())
        build()


def _import() -> None:
    """What every build needs, here and in the process that its workers are forked from."""
    forking.warm_up()
    from analysis.book import site

    site.import_renderer()


def _adopt() -> None:
    """Have Linux give this process what builds leave behind that are no more, to see to its end."""
    if sys.platform == "linux":
        adopts = 36
        ctypes.CDLL(None).prctl(adopts, 1)


def _own() -> tuple[int, int]:
    """The processes that Python sees to the end of itself: one that others are forked from, one that clears up; 0 where it has none."""
    server: Any = forkserver._forkserver
    tracker: Any = resource_tracker._resource_tracker
    return server._forkserver_pid or 0, tracker._pid or 0


def _bury() -> set[int]:
    """See to the end of processes that were left to this one; those that have not ended yet."""
    own, left = _own(), set()
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            left |= {int(pid) for pid in file.read_text(encoding="ascii").split()} - {*own}
    for pid in sorted(left):
        with contextlib.suppress(ChildProcessError):
            left -= {os.waitpid(pid, os.WNOHANG)[0]}
    return left


def _see_off() -> None:
    """Wait for what is left to end by itself, for a moment: what has to be put away is, and the rest may be importing for seconds."""
    begun = time.monotonic()
    while (left := _bury()) and time.monotonic() < begun + END_S:
        for pid in left if time.monotonic() > begun + MOMENT_S else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_S)
    if server := _own()[0]:
        os.kill(server, signal.SIGKILL)


class Author:
    """Who changes the book and looks at it: what has changed, what is shown of it, which process does what."""

    def __init__(self, build: Build, data: Path | None, shown: view.View, say: Callable[[str], None]) -> None:
        self._build, self._data, self._view, self._say = build, data, shown, say
        self._unbuilt: set[Path] = set()
        """Changed since the build whose copy answers."""
        self._later: set[Path] = set()
        """Changed since the build began that is running."""
        self._answering: Run | None = None
        self._running: Run | None = None
        self._next: Run | None = None
        self._waiting: set[str] = set()
        """The chapters that have to run before the open page can be shown."""
        self._begun = time.monotonic()

    def begin(self, first: tuple[str, ...] = ()) -> None:
        """Begin a build."""
        self._view.tell(rest=True)
        self._running, self._next = self._next or Run(self._build), None
        self._later = set()
        self._running.begin(first)

    def changed(self, paths: set[Path]) -> None:
        """Show what can be shown at once, and have the rest built; while nothing answers, the build that is running is waited for."""
        self._begun = time.monotonic()
        self._unbuilt |= paths
        self._later |= paths
        if self._next and self._kinds(paths)[2]:
            self._next.end()
            self._next = None
        if self._answering or not self._running:
            ended, self._running = self._running, None
            if ended:
                ended.process.terminate()
            self._ask()
            if ended:
                ended.end()
            self.begin(tuple(sorted(self._waiting)))

    def _ask(self) -> None:
        """Show the open page as it is now, if it can be; note which chapters have to run before."""
        asked = self._asked()
        answer = self._answering.ask(asked) if self._answering and asked else None
        if isinstance(answer, loop.Shown):
            self._view.show(answer.files)
            names = ", ".join(sorted(name for name in answer.files if name.endswith(".html")))
            self._say(
                f"Shown after {time.monotonic() - self._begun:.1f} s: {names or 'nothing new'}. The other pages follow."
            )
        elif isinstance(answer, loop.Failed):
            self._view.tell(problem=answer.said)
        self._waiting = set(answer.chapters) if isinstance(answer, loop.Waiting) else set()

    def _asked(self) -> Any:
        """What has changed, where it is chapters and tables alone; None where more has, as a build alone can answer then."""
        chapters, tables, others = self._kinds(self._unbuilt)
        if others or (tables and self._data):  # which of somebody's own rows differ from the book's, a build finds out
            return None
        names = frozenset(f"chapters/{path.stem}" for path in chapters)
        page = self._view.page.removesuffix(".html")
        page = "chapters/index" if page == "index" else page
        return loop.Asked(names, bool(tables), self._data, page)

    def _kinds(self, paths: set[Path]) -> tuple[set[Path], set[Path], set[Path]]:
        """Chapters, files of data, and what a process may have read that has begun before its turn."""
        folders = [places.REPOSITORY / "data", *([self._data.resolve()] if self._data else [])]
        chapters = {path for path in paths if path.suffix == ".md" and path.parent == places.REPOSITORY / "chapters"}
        data = {path for path in paths if any(path.is_relative_to(folder) for folder in folders)}
        return chapters, data, paths - chapters - data

    def look(self) -> None:
        """Take in what the build that is running has said, and what became of it."""
        _bury()
        if not self._running:
            return
        for step in self._running.heard():
            if step.removeprefix(DONE) in self._waiting:
                self._waiting.discard(step.removeprefix(DONE))
                if not self._waiting:
                    self._ask()
        if self._running.ended():
            self._built(self._running)

    def _built(self, run: Run) -> None:
        self._running, self._waiting = None, set()
        if run.problem:
            run.retire()
            self._view.tell(problem=run.problem, rest=False)
            self._say("The book is shown as it was.")
        else:
            if self._answering:
                self._answering.retire()
            self._answering, self._unbuilt = run if run.stays else None, self._later
            self._view.published()
            self._say("Every page is up to date.")
        if self._later:  # while nothing answered
            self.changed(self._later)
        else:
            self._next = Run(self._build)

    def end(self) -> None:
        """End all processes."""
        runs = [run for run in (self._running, self._next, self._answering) if run]
        for run in runs:
            run.process.terminate()
        for run in runs:
            run.end()
        _see_off()


def serve(site: Path, port: int, build: Build, data: Path | None, say: Callable[[str], None]) -> None:
    """Build, show, and build and show anew on every change, until interrupted."""
    paths = [places.REPOSITORY / name for name in WATCHED] + ([data] if data else [])
    shown = view.View(site)
    shown.tell(rest=True)
    author = Author(build, data, shown, say)
    _adopt()
    with view.listening(shown, port) as server, contextlib.ExitStack() as ending:
        ending.callback(author.end)
        looks = _looks([path for path in paths if path.exists()])
        say(f"The book is at http://127.0.0.1:{server.server_address[1]}/ and follows every change. Ctrl-C ends.")
        author.begin()
        for changed in looks:
            if changed:
                say(f"{len(changed)} changed, {min(path.name for path in changed)} among them")
                author.changed(changed)
            author.look()


def _looks(paths: list[Path]) -> Iterator[set[Path]]:
    """The files that have changed since this was called, none or some, time and again."""
    from watchfiles import watch

    looks = watch(*paths, rust_timeout=LOOK_MS, yield_on_timeout=True, raise_interrupt=True)
    next(looks)  # it watches from here on, not from when it was made; what it has seen by now, the next build takes in
    return (set(filter(_counts, (Path(path) for _, path in look))) for look in looks)


def _counts(path: Path) -> bool:
    """Whether a file is one of the book's and not an editor's own, which comes and goes."""
    return bool(path.suffix) and not path.name.startswith(".")
