"""Chapters are run by papermill, one kernel a chapter; nothing is published unless all of them succeed.

The unit of work is one chapter × one parameter set × one data folder: pure in its inputs, so that any ``concurrent.futures``
executor can carry it, and its outputs can be kept (``recipe`` knows for how long).  Prose comes from the source, outputs from the
run or from what was kept of one: an edited sentence never runs code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from analysis import figures, tables, units
from analysis.book.run import kernels, tracing
from analysis.book.run.recipe import Executed, Keeper, Sources, known_before
from analysis.book.store import bundles, ends
from analysis.errors import ChapterError, similar
from analysis.tables import overlay

TIME_LIMIT_S = 300.0
MEMORY_LIMIT_BYTE = 3 * 2**30
NICE = 10
Outputs = list[list[dict[str, Any]]]
"""What the code cells of a chapter put out, cell by cell."""
UNTRACED: dict[str, list[str]] = {"names": [], "outside": ["a kernel that left no trace of what it read"]}
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


@dataclass(frozen=True)
class Chapter:
    """One unit of work: the text notebook, the parameters it is given, the folder its tables are read from."""

    path: Path
    parameters: Mapping[str, Any]
    data: Path
    time_limit_s: float = TIME_LIMIT_S
    memory_limit_byte: int = MEMORY_LIMIT_BYTE
    gives_way: bool = False
    """Whether others are more urgent."""

    @property
    def name(self) -> str:
        """The chapter's name, the stem of its file."""
        return self.path.stem

    def given(self, notebook: NotebookNode) -> dict[str, Any]:
        """The values of the parameters that the chapter declares."""
        return {name: self.parameters[name] for name in declared_parameters(notebook) if name in self.parameters}


def read(path: Path) -> NotebookNode:
    """The text notebook as a notebook whose cell ids follow from name, position and source."""
    import jupytext

    notebook: NotebookNode = jupytext.read(path)
    for index, cell in enumerate(notebook.cells):
        cell.id = _identifier(path.stem, index, cell.source)
        cell.metadata.setdefault("tags", [])
    return notebook


def _identifier(name: str, index: int, source: str) -> str:
    return hashlib.sha256(f"{name}\0{index}\0{source}".encode()).hexdigest()[:16]


def declared_parameters(notebook: NotebookNode) -> list[str]:
    """The names that the chapter's parameters cell assigns."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            return re.findall(r"^([a-z_][a-z0-9_]*)\s*(?::[^=]+)?=", cell.source, flags=re.MULTILINE)
    return []


def run(chapter: Chapter) -> Executed:
    """Execute one chapter; raises ChapterError naming cell, line and parameters."""
    notebook = read(chapter.path)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        executed = _executed(notebook, chapter, folder)
        trace = _trace(Path(folder))
        shown = [cell.outputs for cell in executed.cells if cell.cell_type == "code" and not _injected(cell)]
        handed_over = {
            path.name.removesuffix(figures.BUNDLE): path.read_bytes()
            for path in sorted(Path(folder).glob(f"*{figures.BUNDLE}"))
        }
    outputs = [_plain(of_cell) for of_cell in shown]
    _check_all(notebook, chapter, outputs)
    return Executed(outputs, handed_over, trace["names"], trace["outside"], round(time.monotonic() - started, 3))


def _trace(folder: Path) -> dict[str, list[str]]:
    file = folder / "trace.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else UNTRACED


def _plain(outputs: list[Any]) -> list[dict[str, Any]]:
    """Outputs without what differs from run to run."""
    found: list[dict[str, Any]] = json.loads(json.dumps(outputs))
    for output in found:
        if "execution_count" in output:
            output["execution_count"] = None
    return found


def _injected(cell: NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def _executed(notebook: NotebookNode, chapter: Chapter, folder: str) -> NotebookNode:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    given, begun = chapter.given(notebook), [""]
    with _environment(chapter, folder):
        try:
            return papermill.execute_notebook(
                notebook, None, given, kernel_name="python3", progress_bar=False, config=kernels.configuration(folder),
                execution_timeout=chapter.time_limit_s, cwd=str(chapter.path.parent), shutdown_kernel="immediate",
                on_cell_execute=lambda cell, cell_index: begun.__setitem__(0, cell.source),
            )  # fmt: skip
        except PapermillExecutionError as error:
            raise _chapter_error(chapter, given, error) from None
        except TimeoutError:
            raise _stopped(
                chapter, given, begun[0], f"the cell ran longer than {chapter.time_limit_s:g} s and was stopped"
            ) from None
        except RuntimeError as error:
            raise _stopped(chapter, given, begun[0], f"{error}: {_cause(folder)}") from None


def _cause(folder: str) -> str:
    """Why a kernel ended, if it left word."""
    left = Path(kernels.cause_file(f"{folder}/kernel.json"))
    said = left.read_text(encoding="utf-8") if left.exists() else "out of memory, or killed from outside"
    return f"{said}. {ends.todo()}"


@contextlib.contextmanager
def _environment(chapter: Chapter, folder: str) -> Iterator[None]:
    given = {
        figures.BUILDING: "1", figures.HANDED_OVER: folder,
        tables.DATA_VARIABLE: str(chapter.data.resolve()), tracing.TRACE_VARIABLE: f"{folder}/trace.json",
        kernels.MEMORY_VARIABLE: str(chapter.memory_limit_byte), kernels.NICE_VARIABLE: str(NICE * chapter.gives_way),
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


def _chapter_error(chapter: Chapter, given: object, error: Any) -> ChapterError:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    lines = dict(enumerate(map(str.strip, error.source.splitlines()), start=1))
    shown = re.findall(
        r"^-+> *(\d+) (.*)$", plain, flags=re.MULTILINE
    )  # the cell's line, and those of libraries it called
    of_cell = (f"line {number}: {line.strip()}" for number, line in shown if lines.get(int(number)) == line.strip())
    source = next(of_cell, next(filter(None, lines.values()), ""))
    place = _deepest_frame(plain)
    cause = f"{error.ename}: {error.evalue}" + (f"\n              at {place}" if place else "")
    if error.ename == "KeyError" and (hint := _column_meant(error.evalue, chapter.data)):
        cause += f"\n              {hint}"
    if error.ename == "MemoryError":
        cause += f"\n              a chapter may allocate {chapter.memory_limit_byte / 2**30:g} GiB"
    for change in overlay.supplied(chapter.data).changes:
        cause += f"\n              with {change}"
    return ChapterError(
        chapter=chapter.name, cell=_cell_number(chapter, error.source), source=source, parameters=given, cause=cause
    )


def _column_meant(said: str, data: Path) -> str:
    """The column of a table that a misspelt one looks like, as the tables have it in base units; empty where none does."""
    package = tables.DataPackage(data)
    columns = sorted({units.base_name(column) for name in package.names for column in package.columns(name)})
    return next(filter(None, (similar(name, columns) for name in re.findall(r"'(\w+)'", said))), "")


def _stopped(chapter: Chapter, given: object, source: str, cause: str) -> ChapterError:
    shown = "\n              ".join(source.splitlines())
    return ChapterError(
        chapter=chapter.name, cell=_cell_number(chapter, source), source=shown, parameters=given, cause=cause
    )


def _cell_number(chapter: Chapter, source: str) -> int:
    sources = [cell.source for cell in read(chapter.path).cells]
    return sources.index(source) + 1 if source in sources else 0


def _deepest_frame(plain: str) -> str:
    frames = re.findall(r"File [^\n]*?(analysis/[\w/]+\.py):(\d+)", plain)
    return f"{frames[-1][0]}, line {frames[-1][1]}" if frames else ""


def _check_all(notebook: NotebookNode, chapter: Chapter, outputs: Outputs) -> None:
    numbered = [(number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code"]
    for (number, cell), shown in zip(numbered, outputs, strict=True):
        byte = sum(map(_plain_byte, shown))
        large = kernels.too_much(byte) if byte > kernels.LARGEST_OUTPUT_BYTE else ""
        for cause in [large] if large else filter(None, map(_unfit, shown)):
            raise ChapterError(
                chapter=chapter.name, cell=number, source=cell.source.splitlines()[0], parameters={}, cause=cause
            )


def _plain_byte(output: dict[str, Any]) -> int:
    """How large an output is, apart from what this package publishes."""
    data = {mime: content for mime, content in output.get("data", {}).items() if mime not in figures.MIMES}
    return len(json.dumps(output | {"data": data}, ensure_ascii=False).encode())


def _unfit(output: dict[str, Any]) -> str:
    """Why an output may not be published; empty where it may."""
    text = str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    if ADDRESS.search(text):
        return "the output holds a memory address, which differs in every build; give the object a __repr__"
    return f"the cell wrote to stderr: {text.strip()[:300]}" if output.get("name") == "stderr" else ""


def assembled(chapter: Chapter, notebook: NotebookNode, outputs: Outputs) -> str:
    """The notebook as the site reads it: prose and code from the source, outputs as given, nothing that tells runs apart."""
    left = iter(outputs)
    cells = [_cell(chapter.name, index, cell, left) for index, cell in enumerate(notebook.cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    # By hand and not by nbformat, which copies the data of every figure three times on the way.
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False)


def _cell(name: str, index: int, cell: NotebookNode, left: Iterator[list[dict[str, Any]]]) -> dict[str, Any]:
    tags = cell.metadata.get("tags", [])
    known = {"cell_type": cell.cell_type, "id": _identifier(name, index, cell.source), "source": cell.source}
    if cell.cell_type == "code":
        shown = next(left)
        tags = sorted({*tags, _visibility(tags, shown)})
        known |= {"outputs": shown, "execution_count": None}
    return known | {"metadata": {"tags": tags} if tags else {}}


def _visibility(tags: list[str], outputs: list[dict[str, Any]]) -> str:
    """Code is folded under what it shows; cells that show nothing are left out of the page."""
    shown = {mime for output in outputs for mime in output.get("data", {})} - {"text/plain"}
    if "parameters" in tags or not outputs:
        return "remove-cell"
    return (
        "remove-input"
        if shown and shown <= {figures.VALUES, figures.CLAIMS, figures.ENTRIES, figures.MARKUP}
        else "hide-input"
    )


def keeper(
    chapter: Chapter, notebook: NotebookNode, sources: Sources | None = None, *, is_latest: bool = True
) -> Keeper:
    """Where the runs of a chapter are kept."""
    code = [(cell.source, list(cell.metadata.get("tags", []))) for cell in notebook.cells if cell.cell_type == "code"]
    return Keeper(
        chapter.name,
        known_before(code, chapter.given(notebook)),
        sources or Sources(chapter.data),
        has_code=bool(code),
        is_latest=is_latest,
    )


class Plan:
    """Which chapters have to run: those whose outputs were not kept; first those that are asked for, then the longest."""

    def __init__(self, chapters: Iterable[Chapter], first: Sequence[str] = (), *, is_latest: bool = True) -> None:
        self.chapters = [replace(chapter, gives_way=bool(first) and chapter.name not in first) for chapter in chapters]
        self.notebooks = {chapter.name: read(chapter.path) for chapter in self.chapters}
        sources = {chapter.data: Sources(chapter.data) for chapter in self.chapters}
        self.keepers = {
            c.name: keeper(c, self.notebooks[c.name], sources[c.data], is_latest=is_latest) for c in self.chapters
        }
        found = {name: known.found() for name, known in self.keepers.items()}
        self.outputs: dict[str, Outputs] = {}
        self._read: dict[str, list[str] | None] = {}
        self.found = {name: run for name, run in found.items() if run is not None}
        self.stale = sorted((chapter for chapter in self.chapters if chapter.name not in self.found), key=self._urgency)

    def _urgency(self, chapter: Chapter) -> tuple[bool, float]:
        # How long it took last time; before the first time, longer sources are taken to run longer.
        known = self.keepers[chapter.name].last().get("duration_s", chapter.path.stat().st_size / 10_000)
        return chapter.gives_way, -float(known)

    def run(
        self, executor: Executor, done: Callable[[str, Outputs], None], meanwhile: Callable[[], None] = lambda: None
    ) -> dict[str, str]:
        """Execute what has to run, in parallel; name → executed notebook.  The first failure cancels what has not begun.

        ``done`` is told the outputs of each chapter as soon as they are there; ``meanwhile`` is done while the first run.
        """
        bundles.forget()
        self.execute(executor, done, meanwhile)
        return self._assembled()

    def kept(self) -> dict[str, str]:
        """Name → executed notebook where no chapter has to run."""
        for name, run in self.found.items():
            self._take(name, run)
        return self._assembled()

    def execute(
        self,
        executor: Executor,
        done: Callable[[str, Outputs], None] = lambda name, outputs: None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Execute what has to run, beside what was executed before, and put no notebooks together."""
        for name, run in chain(self.found.items(), self._executed(executor, meanwhile)):
            self._take(name, run)
            done(name, run.outputs)

    def _take(self, name: str, run: Executed) -> None:
        bundles.keep(run.bundles)
        self.outputs[name] = run.outputs
        self._read[name] = None if run.outside == UNTRACED["outside"] else run.names

    def _assembled(self) -> dict[str, str]:
        return {
            chapter.name: assembled(chapter, self.notebooks[chapter.name], self.outputs[chapter.name])
            for chapter in self.chapters
        }

    def declared(self, chapter: str) -> list[str]:
        """The parameters that a chapter declares."""
        return declared_parameters(self.notebooks[chapter])

    def may_rest_on(self, chapter: str, name: str, *, is_table: bool) -> bool:
        """Whether a chapter that was executed declares a parameter, or read a table; one that left no trace may have read any."""
        if not is_table:
            return name in self.declared(chapter)
        read = self._read[chapter]
        return read is None or f"data/{name}.csv" in read

    def _executed(self, executor: Executor, meanwhile: Callable[[], None]) -> Iterator[tuple[str, Executed]]:
        begun = time.time()
        futures: dict[Future[Executed], str] = {executor.submit(run, chapter): chapter.name for chapter in self.stale}
        try:
            meanwhile()
            for future in as_completed(futures):
                executed, name = future.result(), futures[future]
                self.keepers[name].keep(executed, begun)
                yield name, executed
        finally:
            for future in futures:
                future.cancel()


def pool(jobs: int | None = None) -> kernels.Pool:
    """The local executor: one process a core; another engine's executor can take its place."""
    return kernels.Pool(jobs)
