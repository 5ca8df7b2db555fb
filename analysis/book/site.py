"""From sources to a published site: check, execute, render, and only then replace the site that is there."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from analysis import figures, tables
from analysis.book.inputs import address, intake, parameters
from analysis.book.pictures import on_page, workers
from analysis.book.record import editions, marks
from analysis.book.run import execution, executors, forking, kernels, prose
from analysis.book.store import bundles, cache, ends, freshness, places, publishing, verify
from analysis.errors import InputError, SiteError
from analysis.tables import overlay

SITE = places.SITE


@dataclass(frozen=True)
class Request:
    """What a build was asked for."""

    data: Path | None = None
    out: Path = SITE
    settings: Mapping[str, Any] = field(default_factory=dict)
    jobs: int | None = None
    engine: executors.Engine = field(default_factory=executors.Engine)
    """Where chapters run: here, or on workers of Dask; pictures are drawn and pages written here."""
    address: str = ""
    time_limit_s: float = execution.TIME_LIMIT_S
    memory_limit_byte: int = execution.MEMORY_LIMIT_BYTE
    freezes: bool = False
    """Whether what is built is kept as an edition: its citations then name the place where it stays."""
    archives: tuple[Path, ...] = ()
    """Archives of earlier editions that are brought back; they join those that are published where the site goes."""
    earlier: Path = SITE
    """Where the earlier editions are taken from; the build sets it."""
    first: tuple[str, ...] = ()
    """The chapters that run before others, where they have to."""
    only_figures: bool = False
    """Whether no pages are made: the figures' files to take away, numbers, verdicts and the record of the edition are there without."""
    inputs: str = ""
    """The digest of everything the site is made from, taken before any of it is read; noted beside the site."""


def chapter_files(toc: Path = tables.REPOSITORY / "_toc.yml") -> list[Path]:
    """The chapters in the order of the table of contents."""
    content = yaml.safe_load(toc.read_text(encoding="utf-8"))
    names = [content["root"]] + [entry["file"] for part in content["parts"] for entry in part["chapters"]]
    return [toc.parent / f"{name}.md" for name in names]


def chapter_file(name: str) -> Path:
    """The file of a chapter; raises InputError with the nearest name where there is none."""
    known = {path.stem: path for path in chapter_files()}
    if name not in known:
        raise InputError.unknown("chapter", name, known, file="_toc.yml")
    return known[name]


def build(
    request: Request,
    step: Callable[[str], None] = lambda text: None,
    last: Callable[[Path], object] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Path:
    """Build the site; raises InputError, ChapterError or SiteError, each time leaving the published site as it was.

    ``step`` is told of each step done; ``last`` may add to the finished site before it is published; ``tell`` is told what
    whoever builds should know when it is done, as where something of theirs was put.
    """
    values = parameters.validated(request.settings)
    request = replace(request, address=address.required(request.address))
    with ends.told(), cache.in_use(), publishing.claimed(request.out, step, tell) as workshop:
        editions.require_sound(request.out)
        request = replace(request, earlier=editions.gathered(request.out, request.archives, workshop))
        site = _made(request, values, workshop, step)
        if last is not None:
            verify.seal(site)
            last(site)
        if not request.only_figures:
            editions.index(site, request.address)
        verify.seal(site)
        publishing.opened_to_readers(site)
        publishing.switch(site, request.out, tell)
        if request.inputs:
            freshness.note_built(request.out, request.inputs)
        step("published")
    return request.out


def _made(request: Request, values: Mapping[str, Any], workshop: Path, step: Callable[[str], None]) -> Path:
    """The finished site in the workshop."""
    with execution.pool(request.jobs) as pool:
        data = merged_data(request.data, workshop / "data")
        limits = (request.time_limit_s, request.memory_limit_byte)
        chapters = [execution.Chapter(path, values, data, *limits) for path in chapter_files()]
        plan = execution.Plan(chapters, request.first)
        if plan.stale:
            forking.warm_up()

        def meanwhile() -> None:
            intake.require_sound(data)
            if unknown := parameters.references(values, tables.DataPackage(data)):
                raise InputError(unknown)
            step("data and parameters are sound")
            import_renderer()

        with (
            pool.drawers() as drawers,
            workers.drawn_by(drawers, pool),
            _runner(request.engine, pool, plan) as executor,
        ):
            # Checked while the first chapters run, whose results nobody asks for if something is found.
            executed = plan.run(executor, lambda name, outputs: _executed(name, outputs, step), meanwhile)
            _stage(workshop / "source", executed)
            marked = _marked(plan, values, data, workshop / "book", executor)
            render(workshop / "source", workshop / "site", values, data, request, marked)
        step("rendered the pages")
    if request.only_figures:
        return _with_figures(workshop / "site", workshop / "figures")
    editions.carry(request.earlier, workshop / "site")
    return workshop / "site"


FIGURES = ("figures", "figures.json", "numbers.json", "claims.json", verify.RECORD)
"""What of a site stands without its pages."""


def _with_figures(site: Path, kept: Path) -> Path:
    kept.mkdir()
    for name in FIGURES:
        (site / name).rename(kept / name)
    return kept


def _marked(plan: execution.Plan, values: Mapping[str, Any], data: Path, book: Path, executor: Executor) -> marks.Marks:
    """What in this run is not as in the book; chapters that may differ are executed as published, unless that was kept."""
    package = tables.DataPackage(data)
    every = marks.changes(values, package)
    resting = {
        chapter.name: [one for one in every if plan.may_rest_on(chapter.name, one.name, is_table=one.is_table)]
        for chapter in plan.chapters
    }
    units = [chapter for chapter in plan.chapters if resting[chapter.name]]
    where = merged_data(None, book) if units else data
    as_published = (replace(one, parameters=marks.as_published(values), data=where) for one in units)
    published = execution.Plan(as_published, is_latest=False)
    published.execute(executor)
    runs = [
        marks.Run(name, resting[name], plan.outputs[name], published.outputs.get(name, plan.outputs[name]))
        for name in resting
    ]
    declared = {name: plan.declared(name) for name in resting}
    return marks.Marks([one.told for one in every], marks.found(runs, every, package) if every else {}, declared)


@contextlib.contextmanager
def _runner(engine: executors.Engine, pool: kernels.Pool, plan: execution.Plan) -> Iterator[Executor]:
    """Who runs chapters: the processes that draw pictures too, or a cluster, which is not asked where none has to run."""
    if engine.is_local or not plan.stale:
        yield pool
        return
    with engine.opened() as (executor, _):
        yield executor


def _executed(name: str, outputs: execution.Outputs, step: Callable[[str], None]) -> None:
    """A chapter's outputs are there: its pictures can be drawn while other chapters run and Sphinx reads."""
    for output in (output for cell in outputs for output in cell):
        if figures.FIGURE in output.get("data", {}):
            bundle = bundles.resolved(output["data"][figures.FIGURE])
            on_page.draw_page_pictures_ahead(figures.Figure.of(bundle))
    step(f"executed {name}")


def merged_data(given: Path | None, folder: Path) -> Path:
    """The book's tables in ``folder``, with what ``given`` holds laid over them."""
    return overlay.merged(given, folder)


def _stage(source: Path, executed: Mapping[str, str]) -> None:
    (source / "chapters").mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(tables.REPOSITORY / name, source / name)
    for name, notebook in executed.items():
        (source / "chapters" / f"{name}.ipynb").write_text(notebook, encoding="utf-8")


def import_renderer() -> None:
    """Import what Sphinx would import by and by once every chapter has run."""
    from sphinx.application import builtin_extensions

    config = yaml.safe_load((tables.REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
    for name in (
        "jupyter_book.sphinx",
        "myst_nb.sphinx_ext",
        *builtin_extensions,
        *config["sphinx"]["config"]["extensions"],
    ):
        import_module(name)


def render(
    source: Path, out: Path, values: Mapping[str, Any], data: Path, request: Request, marked: marks.Marks
) -> None:
    """Run Sphinx over the executed notebooks; any warning fails."""
    from jupyter_book.sphinx import build_sphinx
    from sphinx.errors import ExtensionError

    printed = io.StringIO()
    overrides = {
        "nb_execution_mode": "off", "latex_individualpages": False,
        "memory_wall_data": str(data.resolve()), "memory_wall_parameters": json.dumps(dict(values), sort_keys=True),
        "memory_wall_marks": marked.text(), "memory_wall_lasting": f"{editions.FOLDER}/{values['edition']}/" if request.freezes else "",
        "memory_wall_published": str(request.earlier), "html_baseurl": request.address,
        "memory_wall_jobs": request.jobs or kernels.cores(), "memory_wall_only_figures": request.only_figures,
    }  # fmt: skip
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        result = build_sphinx(
            source, out, path_config=source / "_config.yml", confoverrides=overrides, doctreedir=out.parent / "doctrees",
            noconfig=True, freshenv=True, warningiserror=True, keep_going=True,
        )  # fmt: skip
    cause = result.orig_exc if isinstance(result, ExtensionError) else result
    if isinstance(cause, (KeyboardInterrupt, OSError, *ends.ENDS)):
        raise cause
    if result:
        raise SiteError(prose.unrendered(printed.getvalue(), chapter_files(), repr(result)))
