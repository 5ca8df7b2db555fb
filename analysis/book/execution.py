"""Chapters are run by papermill, one process a chapter; nothing is published unless all of them succeed.

The unit of work is one chapter × one parameter set × one data folder: pure in its inputs, so that any ``concurrent.futures``
executor can carry it.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from analysis import figures, tables
from analysis.errors import ChapterError

TIME_LIMIT_S = 300
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


@dataclass(frozen=True)
class Chapter:
    """One unit of work: the text notebook, the parameters it is given, the folder its tables are read from."""

    path: Path
    parameters: Mapping[str, Any]
    data: Path

    @property
    def name(self) -> str:
        """The chapter's name, the stem of its file."""
        return self.path.stem


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


def run(chapter: Chapter) -> str:
    """Execute one chapter and return the executed notebook as JSON; raises ChapterError naming cell, line and parameters."""
    notebook = read(chapter.path)
    given = {name: chapter.parameters[name] for name in declared_parameters(notebook) if name in chapter.parameters}
    executed = _executed(notebook, chapter, given)
    return nbformat.writes(_finished(executed, chapter.name)) + "\n"


def _executed(notebook: NotebookNode, chapter: Chapter, given: dict[str, Any]) -> NotebookNode:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="mw") as sockets:
        environment = {figures.BUILDING: "1", tables.DATA_VARIABLE: str(chapter.data.resolve())}
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            return papermill.execute_notebook(
                notebook, None, given, kernel_name="python3", progress_bar=False, config=_over_ipc(Path(sockets)),
                execution_timeout=TIME_LIMIT_S, cwd=str(chapter.path.parent),
            )  # fmt: skip
        except PapermillExecutionError as error:
            raise _chapter_error(chapter, given, error) from None
        except TimeoutError:
            cause = f"a cell ran longer than {TIME_LIMIT_S} s"
            raise ChapterError(chapter=chapter.name, cell=0, source="unknown", parameters=given, cause=cause) from None
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


def _over_ipc(folder: Path) -> Any:
    from traitlets.config import Config

    # IPC needs no ports; the path must be absolute and short, or client and kernel miss each other.
    return Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "k")}})


def _chapter_error(chapter: Chapter, given: object, error: Any) -> ChapterError:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    lines = re.findall(r"^-+> *(\d+) (.*)$", plain, flags=re.MULTILINE)
    first = next((line for line in error.source.splitlines() if line.strip()), "")
    source = f"line {lines[0][0]}: {lines[0][1].strip()}" if lines else first
    place = _deepest_frame(plain)
    cause = f"{error.ename}: {error.evalue}" + (f"\n              at {place}" if place else "")
    return ChapterError(chapter=chapter.name, cell=_cell_number(chapter, error.source), source=source, parameters=given, cause=cause)


def _cell_number(chapter: Chapter, source: str) -> int:
    sources = [cell.source for cell in read(chapter.path).cells]
    return sources.index(source) + 1 if source in sources else 0


def _deepest_frame(plain: str) -> str:
    frames = re.findall(r"File [^\n]*?(analysis/[\w/]+\.py):(\d+)", plain)
    return f"{frames[-1][0]}, line {frames[-1][1]}" if frames else ""


def _finished(notebook: NotebookNode, name: str) -> NotebookNode:
    for index, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            _check_outputs(name, index, cell)
            tags = sorted({*tags, _visibility(cell)} - {"injected-parameters"})
            cell.execution_count = None
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
        cell.id = _identifier(name, index, cell.source)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = NotebookNode({"kernelspec": kernel, "language_info": {"name": "python"}})
    return notebook


def _visibility(cell: NotebookNode) -> str:
    """Code is folded under what it shows; cells that show nothing are left out of the page."""
    shown = {mime for output in cell.get("outputs", []) for mime in output.get("data", {})} - {"text/plain"}
    if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])) or not cell.get("outputs"):
        return "remove-cell"
    return "remove-input" if shown and shown <= {figures.VALUES, figures.CLAIMS, figures.MARKUP} else "hide-input"


def _check_outputs(name: str, index: int, cell: NotebookNode) -> None:
    for output in cell.get("outputs", []):
        if output.get("execution_count") is not None:
            output["execution_count"] = None
        text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
        if ADDRESS.search(str(text)):
            cause = "the output holds a memory address, which differs in every build; give the object a __repr__"
            raise ChapterError(chapter=name, cell=index + 1, source=cell.source.splitlines()[0], parameters={}, cause=cause)
        if output.get("name") == "stderr":
            cause = f"the cell wrote to stderr: {text.strip()[:300]}"
            raise ChapterError(chapter=name, cell=index + 1, source=cell.source.splitlines()[0], parameters={}, cause=cause)


def pool(jobs: int | None = None) -> Executor:
    """The local executor: one process a core; another engine's executor can take its place."""
    return ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=multiprocessing.get_context("spawn"))


def run_all(
    chapters: Iterable[Chapter], executor: Executor, done: Callable[[str], None] = lambda name: None
) -> dict[str, str]:
    """Execute the chapters in parallel; name → executed notebook.  The first failure cancels what has not begun."""
    futures: dict[Future[str], str] = {executor.submit(run, chapter): chapter.name for chapter in chapters}
    results: dict[str, str] = {}
    try:
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            done(futures[future])
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    return results
