"""``memory-wall``: build the book, check the data, say why a chapter runs.

Exit codes: 0 done, 1 a chapter or the site failed, 2 the input is wrong and nothing was changed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from analysis import door
from analysis.assumptions import Parameters
from analysis.errors import InputError, MemoryWallError, Problem, similar
from analysis.model import inputs

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


def _one_of(kinds: type[StrEnum]) -> dict[str, Any]:
    """What makes an option one of these words; a word like one of them is told which."""

    def read(text: str) -> StrEnum:
        try:
            return kinds(text)
        except ValueError:
            known = ", ".join(map(repr, map(str, kinds)))
            raise typer.BadParameter(
                f"{text!r} is not one of {known}. {similar(text, map(str, kinds))}".strip()
            ) from None

    return {"parser": read, "metavar": "|".join(kinds)}


class Format(StrEnum):
    """How a difference is told."""

    text = "text"
    markdown = "markdown"
    json = "json"
    html = "html"


class Citation(StrEnum):
    """Forms of a citation."""

    text = "text"
    bibtex = "bibtex"
    csl = "csl"
    ris = "ris"


Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with tables (CSV, XLSX, Parquet) that are laid over those of the book: whole ones, or rows to add or change. "
        "Without it: the book's own data.",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="name=value for one parameter; may be given again. Without it: the defaults of chapters/parameters.yml.",
    ),
]

Address = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="MEMORY_WALL_ADDRESS",
        help="The site's own address, for permanent links, feed and map. Without it: links are relative, no feed.",
    ),
]


Params = Annotated[
    Path | None, typer.Option(help="YAML file with parameters; --set goes over it. Without it: the defaults.")
]
Processes = Annotated[
    str,
    typer.Option(
        "--executor",
        envvar="MEMORY_WALL_EXECUTOR",
        help="local, local-cluster, or a scheduler of Dask, as tcp://host:8786. Without it: local, processes of this machine.",
    ),
]
Title = Annotated[
    str | None,
    typer.Option(
        help="Title of this run, where it differs from the book. Without it: The Memory Wall.", show_default=False
    ),
]
Chapter = Annotated[str, typer.Argument(help="Name of a chapter: the stem of its file in chapters/.")]


@contextlib.contextmanager
def _stoppable(left: str = "nothing was published") -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"memory-wall: stopped; {left}", err=True)
        raise typer.Exit(130) from None


def _taken(params: Path | None) -> door.Given | None:
    """The file of parameters, read once: a pipe gives its content to one reader only."""
    return door.taken(params) if params else None


@app.command()
@_stoppable()
def build(
    data: Data = None,
    settings: Settings = None,
    params: Params = None,
    title: Title = None,
    out: Annotated[Path | None, typer.Option(help="Where the site is put. Without it: _build/html.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Chapters run side by side. Without it: one a core.")] = None,
    address: Address = "",
    executor: Processes = "local",
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds a cell may run. Without it: 300.")] = 300.0,
    memory_limit: Annotated[float, typer.Option(min=0.1, help="GiB a chapter may allocate. Without it: 3.")] = 3.0,
) -> None:
    """Check data and parameters, execute the chapters, render the site, and put it in place."""
    from analysis.book.inputs import address as own_address
    from analysis.book.run import loop
    from analysis.book.store import ends, freshness, places

    own_address.required(address)
    ends.require_room()
    target = (out or places.SITE).resolve()
    given = _taken(params)
    asked = given.content.hex() if given else None
    digest = freshness.inputs({"settings": settings, "params": asked, "title": title, "address": address}, data)
    if not loop.follows() and freshness.current(target, digest):
        typer.echo(f"Nothing has changed since the book was built. Open {target / 'index.html'}")
        return
    from analysis.book.run import forking

    forking.warm_up()  # it imports on another core while this process imports what it needs itself
    from analysis.book import site
    from analysis.book.inputs import intake
    from analysis.book.run import executors, kernels

    taken = intake.required(data, settings or [], given, title)
    for remark in taken.remarks():
        typer.echo(remark, err=True)
    request = site.Request(
        data=data,
        out=target,
        settings=taken.given,
        jobs=jobs,
        engine=executors.Engine(executor, jobs),
        address=address,
        first=loop.first(),
        inputs=digest,
        time_limit_s=time_limit,
        memory_limit_byte=int(memory_limit * 2**30),
    )
    said: list[str] = []
    gc.freeze()
    gc.set_threshold(*kernels.SELDOM)
    with _progress(len(site.chapter_files()) + 3) as step:
        published = site.build(request, step, tell=said.append)
    for remark in said:
        typer.echo(remark, err=True)
    typer.echo(f"The book is built. Open {published / 'index.html'}")


@app.command()
def serve(
    data: Data = None,
    settings: Settings = None,
    params: Params = None,
    title: Title = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of this machine. Without it: 8000.")] = 8000,
) -> None:
    """Show the book at a local address: what changes is in the open page within seconds, other pages follow when all is built."""
    from analysis.book import watch
    from analysis.book.store import places

    with TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        kept, data = (
            _kept(params, Path(folder)),
            data.resolve() if data else None,
        )  # as the watcher names what changes in it
        named = {"--data": data, "--params": kept, "--title": title}
        arguments = ["build", *(text for name, value in named.items() if value for text in (name, str(value)))]
        arguments += [text for setting in settings or [] for text in ("--set", setting)]
        watch.serve(places.SITE, port, partial(_again, arguments), data, typer.echo)


def _kept(params: Path | None, folder: Path) -> Path | None:
    """A file of parameters that can be read at every build: what came through a pipe is kept in a file."""
    if params is None or (door.descriptor_of(str(params)) is None and not door.kind(params)):
        return params
    given = door.taken(params)
    if given.refused:
        raise InputError([given.refused.problem(given.name)])
    (folder / "parameters.yml").write_bytes(given.content)
    return folder / "parameters.yml"


def _again(arguments: list[str]) -> None:
    """This command line with other arguments, in a process of its own."""
    sys.argv = ["memory-wall", *arguments]
    main()


@app.command()
def verify(site: Annotated[Path, typer.Argument(help="Folder of a site.")]) -> None:
    """Compare every file of a site with the sha256 digests that its edition.json records; exit code 1 where they differ."""
    from analysis.book.store import verify as seal

    if not (site / seal.RECORD).is_file():
        what = "no site" if site.is_dir() else "no such folder"
        todo = "Name the folder that memory-wall build or a release has made."
        raise InputError([Problem(str(site), what, f"a site, with its {seal.RECORD}", todo)])
    found = seal.differences(site)
    for line in found:
        typer.echo(line, err=True)
    if found:
        raise typer.Exit(1)
    typer.echo("Every file is as it was published.")


def _given(settings: list[str] | None, params: Path | None) -> dict[str, Any]:
    from analysis.book.inputs import parameters

    return {**(parameters.read(params) if params else {}), **parameters.parse(settings or [])}


@app.command()
def why(chapter: Chapter, data: Data = None, settings: Settings = None, params: Params = None) -> None:
    """Say whether a chapter would run again in a build, and what changed if it would."""
    from analysis.book import site
    from analysis.book.inputs import parameters
    from analysis.book.run import execution

    path = site.chapter_file(chapter)
    values = parameters.validated(_given(settings, params))
    with TemporaryDirectory() as folder:
        unit = execution.Chapter(path, values, site.merged_data(data, Path(folder) / "data"))
        reasons = execution.keeper(unit, execution.read(path)).reasons()
    typer.echo(
        f"{chapter} runs again:" if reasons else f"{chapter} does not run: nothing its numbers depend on has changed."
    )
    for reason in reasons:
        typer.echo(f"  {reason}")


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from analysis.book.run import loop

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=total)

        def step(text: str) -> None:
            bar.update(task, advance=1, description=text)
            loop.tell("step", text)

        yield step


@app.command()
@_stoppable()
def release(
    name: Annotated[
        str,
        typer.Option("--edition", help="Name of the edition, year and month: 2026.11. Without it: none is frozen."),
    ] = "",
    address: Address = "",
    date: Annotated[
        str, typer.Option(help="Day of the edition, as 2026-12-05. Without it: that of the commit, or else today.")
    ] = "",
    earlier: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="Archive of an earlier edition that is brought back, or a folder of them; may be given again. "
            "Without it: the editions are those published at --out.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The site it is added to. Without it: _build/html.")] = None,
) -> None:
    """Build the book, freeze it at editions/NAME/ for good, and write its archive with checksums; or bring editions back."""
    from analysis.book import site
    from analysis.book.inputs import parameters
    from analysis.book.record import editions
    from analysis.book.store import archives, ends, freshness

    ends.require_room()
    _require_edition(name, date, earlier)
    target = (out or site.SITE).resolve()
    day = date or freshness.committed_on() or f"{datetime.now(tz=UTC):%Y-%m-%d}"
    given = {"edition": name, "edition_date": day} if name else {}
    parameters.validated(given, file="release")
    if name:
        editions.require_new(target, name, freshness.commit())
    brought = tuple(archives.found(earlier or []))
    request = site.Request(out=target, settings=given, address=address, freezes=bool(name), archives=brought)
    frozen = partial(editions.freeze, releases=target.parent / "releases") if name else None
    said: list[str] = []
    with _progress(len(site.chapter_files()) + 3) as step:
        site.build(request, step, frozen, said.append)
    for remark in said:
        typer.echo(remark, err=True)
    if earlier:
        kept = ", ".join(str(one["edition"]) for one in editions.known(target))
        typer.echo(f"Editions at {target / editions.FOLDER}: {kept or 'none yet'}.")
    if not name:
        return
    typer.echo(
        f"Edition {name} of {day} is frozen at {target / editions.FOLDER / name}; its archive is in {target.parent / 'releases'}"
    )
    if changed := editions.move_on(name, day):
        typer.echo(f"The book calls itself edition {name} from here on: {' and '.join(changed)} say so. Commit them.")


def _require_edition(name: str, date: str, earlier: list[Path] | None) -> None:
    """Raise InputError where nothing was asked for, or a day of no edition."""
    if not name and (date or not earlier):
        todo = "Name the edition: --edition 2026.11; or bring earlier ones back: --from ARCHIVE."
        expected = "the name of an edition, or --from" if not date else "the edition that the day is of"
        raise InputError([Problem(file="--edition", found="none", expected=expected, todo=todo)])


@app.command()
def check(
    data: Data = None,
    settings: Settings = None,
    params: Params = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON. Without it: as text.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 2 on a warning too. Without it: a warning asks, and no more.")
    ] = False,
) -> None:
    """Check data and parameters without building anything: every problem, with its file, row and column.

    An error prevents a build: exit code 2.  A warning asks about what is unlikely, and lets it pass: exit code 0.
    """
    from analysis.book.inputs import intake

    found = intake.judged(data, settings or [], _taken(params))
    if as_json:
        told = [problem.as_dict() for problem in found.problems]
        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for line in [*map(str, found.changes), *map(str, found.problems)]:
            typer.echo(line, err=True)
        if not found.errors:
            typer.echo(found.verdict())
    if found.errors or (strict and found.problems):
        raise typer.Exit(InputError.exit_code)


@app.command()
def template(
    table: Annotated[
        str, typer.Argument(help="Name of a table, as devices; predict for the columns that predict takes.")
    ],
    out: Annotated[Path | None, typer.Option(help="File or folder to write it to. Without it: the terminal.")] = None,
) -> None:
    """Write an empty table with comments that say what goes where: the start of a data folder of your own."""
    from analysis import tables
    from analysis.tables import template as writer

    if table == "predict":
        typer.echo(inputs.template(), nl=False) if out is None else typer.echo(
            f"Written: {writer.put(inputs.template(), table, out)}"
        )
    elif out is None:
        typer.echo(writer.text(tables.package(), table), nl=False)
    else:
        typer.echo(f"Written: {writer.write(tables.package(), table, out)}")


Given = Annotated[
    list[str] | None,
    typer.Option(
        "--give",
        help="column=value for every row of a file without that column: device='rtx 3060', format=Q4_K_M, context_token=8192.",
        show_default=False,
    ),
]


@app.command(help=inputs.help_text())
def predict(
    file: Annotated[
        str,
        typer.Argument(
            help="CSV, XLSX or Parquet with one configuration a row; what llama-bench, a model's config.json, GGUF or Epoch's list of "
            "hardware hold; - reads standard input."
        ),
    ],
    out: Annotated[
        str | None, typer.Option(help="CSV file to write. Without it: standard output.", show_default=False)
    ] = None,
    data: Data = None,
    given: Given = None,
    measured: Annotated[
        str,
        typer.Option(
            help="File of llama-bench, or a table with measured_token_per_s: scales what is expected of its devices."
        ),
    ] = "",
) -> None:
    """Answer a table of configurations; what it says of itself is computed from the table of its columns."""
    from analysis.model.predict import predict_file

    filled = inputs.filled(given or [])
    with _merged(data) as folder:
        remark = predict_file(file, out, folder=folder, filled=filled, measured=measured)
    for line in remark.splitlines():
        typer.echo(f"{file}: {line}", err=True)


def _cell(column: str) -> Any:
    """An option of ``ask`` that is a column of ``predict``, whose words it uses."""
    return typer.Option(
        show_default=False, help=f"{inputs.BY_NAME[column].meaning[0].upper()}{inputs.BY_NAME[column].meaning[1:]}."
    )


def _this_machine() -> tuple[tuple[str, ...], dict[str, str], tuple[float, ...]]:
    """This machine as a question names it: a Mac by chip and memory, others by what their memory reaches in a few seconds."""
    from analysis import tables
    from analysis.machine import hardware, report
    from analysis.machine import measure as timing

    here = hardware.described()
    if here.vendor == report.APPLE:
        return (f"{here.chip} {here.memory_byte / report.GIBI:.0f} GB",), {}, ()
    with _progress(timing.memory_steps(quick=True)) as step:
        memory = timing.memory(here, quick=True, tick=step)
    found = report.Report(here, memory, timing.Storage(math.nan, "not measured"))
    return (), *report.cells(tables.package(), found)


COUNTS = {"context_token": "context", "prompt_token": "prompt"}
"""Column → option of ``ask`` that counts tokens."""


@app.command()
def ask(
    about: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE] [MODEL]",
            help="A device and a model by name or id; a config.json or GGUF file for a model. One alone: what it runs, or what runs it.",
        ),
    ] = None,
    number_format: Annotated[
        str, typer.Option("--format", help="Number format of the weights. Without it: Q4_K_M.")
    ] = "",
    context: Annotated[
        str, typer.Option(help="Tokens in the cache before the prompt; 16k is 16,384. Without it: 4096.")
    ] = "",
    prompt: Annotated[str, typer.Option(help="Tokens of the prompt; 4k is 4,096. Without it: 512.")] = "",
    kv_format: Annotated[str, _cell("kv_format")] = "",
    engine: Annotated[str, _cell("engine")] = "",
    backend: Annotated[str, typer.Option(help="cuda, metal, rocm, vulkan, cpu … Without it: that of the device.")] = "",
    batch: Annotated[str, _cell("batch_size")] = "",
    chips: Annotated[str, _cell("n_chip")] = "",
    storage: Annotated[
        str, typer.Option(help="GB/s of a drive that holds what memory does not. Without it: none.")
    ] = "",
    bandwidth: Annotated[str, typer.Option(help="Own memory bandwidth in GB/s, in place of a device.")] = "",
    memory: Annotated[str, typer.Option(help="Own memory in GiB; beside a device's name, which of its sizes.")] = "",
    memory_type: Annotated[
        str, typer.Option(help="Own memory as DDR5-5600, with --channels, in place of a bandwidth.")
    ] = "",
    channels: Annotated[
        int, typer.Option(min=0, max=64, help="Memory channels in use: 2 in most PCs with two modules.")
    ] = 0,
    measured: Annotated[
        str,
        typer.Option(
            help="Token/s that you measured of device and model, or a file of llama-bench: scales what is expected."
        ),
    ] = "",
    this_machine: Annotated[
        bool, typer.Option("--this-machine", help="This machine's processor, measured for a few seconds.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON. Without it: as text.")] = False,
    data: Data = None,
) -> None:
    """Can mine run it: whether a model fits a device, how fast, how long to the first token, and where each number comes from.

    Ends with 0 for every answer, no included; with 2 for a name that is unknown or means several things.
    """
    from analysis import tables
    from analysis.book.inputs import parameters
    from analysis.model import ask as asking
    from analysis.model import telling

    texts = {
        "format": number_format, "context_token": context, "prompt_token": prompt, "kv_format": kv_format, "engine": engine,
        "backend": backend, "batch_size": batch, "n_chip": chips, "storage_read_gbyte_per_s": storage,
        "memory_bandwidth_gbyte_per_s": bandwidth, "memory_capacity_gibyte": memory,
    }  # fmt: skip
    given = Parameters(parameters.defaults())
    rate = given.reading_token_per_s
    texts |= {name: asking.tokens(texts[name], f"--{option}") for name, option in COUNTS.items() if texts[name]}
    cells = {name: text for name, text in texts.items() if text}
    named, own, spread = _this_machine() if this_machine else ((), {}, ())
    question = asking.Question((*named, *(about or ())), own | cells, memory_type, channels, spread, measured)
    try:
        with _merged(data) as folder:
            at = folder or tables.data_folder()
            answer = asking.answered(question, at, given.edition)
            text = (
                json.dumps(answer, indent=1, ensure_ascii=False) + "\n" if as_json else telling.told(answer, rate, at)
            )
    except asking.UnclearError as error:
        if as_json:
            typer.echo(
                json.dumps({"error": str(error), "candidates": list(error.candidates)}, indent=1, ensure_ascii=False)
            )
            raise typer.Exit(InputError.exit_code) from None
        raise
    typer.echo(text, nl=False)


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            help="What llama-bench printed (CSV, JSON, JSONL, Markdown), a config.json, a GGUF file, or Epoch's ml_hardware.csv."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Data folder that gets the rows; build --data and predict --data read it. Without it: the terminal."
        ),
    ] = None,
    released: Annotated[
        str,
        typer.Option(help="Date of a model's publication, which no configuration states: 2026-11.", show_default=False),
    ] = "",
    device: Annotated[
        str,
        typer.Option(
            help="Device that ran llama-bench, where its table does not name it: rtx 3060.", show_default=False
        ),
    ] = "",
    data: Data = None,
) -> None:
    """Write the rows that a foreign file holds for a data folder, and say what was taken for what."""
    from analysis import tables
    from analysis.model import imports
    from analysis.tables import template as writer

    package = tables.package()
    schemas = {name: [field["name"] for field in package.resource(name)["schema"]["fields"]] for name in package.names}
    with _merged(data) as folder:
        found = imports.read(file, schemas, folder or tables.data_folder(), released=released, device=device)
    for line in found.told():
        typer.echo(f"{file}: {line}", err=True)
    if out is None:
        typer.echo(found.csv(), nl=False)
    else:
        typer.echo(f"Written: {writer.put(found.csv(), '', out / f'{found.table}.{found.part(file)}.csv')}")


@contextlib.contextmanager
def _merged(data: Path | None) -> Iterator[Path | None]:
    """The book's data with a folder laid over; None where none is given."""
    if data is None:
        yield None
        return
    from analysis.book import site

    with TemporaryDirectory() as folder:
        yield site.merged_data(data, Path(folder) / "data")


State = Annotated[
    str, typer.Argument(help="A built site, the name of a frozen edition, its archive, or a data folder.")
]


@app.command()
def diff(
    old: State,
    new: State,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            **_one_of(Format),
            help="How it is told; html has the pictures before and after. Without it: text.",
        ),
    ] = Format.text,
    out: Annotated[
        Path | None, typer.Option(help="File it is written to. Without it: the terminal, and changes.html for html.")
    ] = None,
) -> None:
    """Say what moved between two states of the book: verdicts, numbers, sentences, figures and why, rows of the data."""
    from analysis.book.compare import changes
    from analysis.book.compare import diff as comparison

    found, pictures = comparison.compared(old, new)
    told = changes.FORMATS[form.value](found, pictures)
    target = out or (Path("changes.html") if form is Format.html else None)
    if target is None:
        typer.echo(told, nl=False)
    else:
        _write(target, told)


@app.command()
def cite(
    key: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a figure, number, claim or table; book for the book.")
    ],
    form: Annotated[
        Citation, typer.Option("--format", **_one_of(Citation), help="Form of the citation. Without it: text.")
    ] = Citation.text,
    site: Annotated[
        str, typer.Option(help="The site it is read from, or the name of a frozen edition. Without it: _build/html.")
    ] = "",
) -> None:
    """Print the citation of one figure, number, claim or table of a built site."""
    from analysis.book.record import citation
    from analysis.book.record import cite as reading
    from analysis.book.store import places

    typer.echo(
        citation.FORMATS[form.value].write(reading.published_work(reading.place(site, places.SITE), key)), nl=False
    )


class Only(StrEnum):
    """What a sweep makes of each edition."""

    numbers = "numbers"
    figures = "figures"
    site = "site"


@app.command()
@_stoppable("what was found so far is kept, and the same command goes on from there")
def sweep(
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="YAML file: what varies (grid, list, draws, data), what is set, which numbers. Without it: --set says what varies.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="name=200,250,300 or name=1.33:2.5:8 for one side of a grid; may be given again. Without it: the plan.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the sweep; one begun before is gone on with. Without it: _build/sweep.")
    ] = Path("_build/sweep"),
    numbers: Annotated[
        str | None,
        typer.Option(
            help="Ids of numbers and claims, or names of chapters, or verdicts; with commas. Without it: those of the plan, or every one."
        ),
    ] = None,
    only: Annotated[
        Only,
        typer.Option(
            **_one_of(Only),
            help="numbers: no pages; figures: those of each edition too; site: a whole site each, which checkout takes out. "
            "Without it: numbers.",
        ),
    ] = Only.numbers,
    data: Data = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes side by side. Without it: one a core.")] = None,
    executor: Processes = "local",
    store: Annotated[
        str,
        typer.Option(
            envvar="MEMORY_WALL_STORE",
            help="Folder or address (s3://…) from which workers fetch data, the same for all. Without it: a folder of the cache.",
        ),
    ] = "",
) -> None:
    """Compute the book's numbers and verdicts for many settings, and say how they spread and what moves them."""
    from analysis.book.run import executors
    from analysis.book.store import ends

    ends.require_room()
    engine = executors.Engine(executor, jobs, store)
    from analysis.sweep import plan as plans
    from analysis.sweep import sweep as sweeping

    asked = plans.asked(plan, settings or [], numbers, data)
    request = sweeping.Request(asked, out.resolve(), engine, only.value)
    outcome = sweeping.swept(request, _progress, partial(typer.echo, err=True))
    typer.echo(outcome.told(request.out))
    if outcome.failed:
        raise typer.Exit(1)


@app.command()
@_stoppable()
def checkout(
    edition: Annotated[str, typer.Argument(help="Name of an edition, as index.csv of the sweep has it.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where its site goes: a new folder, or an empty one.")],
    sweep: Annotated[
        Path, typer.Option("--from", help="Folder of a sweep that kept sites (--only site). Without it: _build/sweep.")
    ] = Path("_build/sweep"),
) -> None:
    """Take the site of one edition out of a sweep, byte by byte as it was built."""
    from analysis.sweep import sites, stored

    stored.take_out(sites.store_of(sweep), edition, folder.resolve())
    typer.echo(f"The site of {edition} is at {folder / 'index.html'}")


@app.command()
def mcp(
    site: Annotated[
        str, typer.Option(help="The site that answers, or the name of a frozen edition. Without it: _build/html.")
    ] = "",
) -> None:
    """Answer language models over standard input and output (Model Context Protocol), off a built site and without a network."""
    from analysis.book.record import cite as reading
    from analysis.book.store import places
    from analysis.mcp import server

    server.serve(reading.place(site, places.SITE))


@app.command()
@_stoppable()
def export(
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF, printed by the Chromium of this machine.")] = False,
    epub: Annotated[bool, typer.Option("--epub", help="An EPUB 3.")] = False,
    myst: Annotated[bool, typer.Option("--myst", help="A folder of sources for MyST (Jupyter Book 2).")] = False,
    site: Annotated[
        str, typer.Option(help="The site it is made from, or the name of a frozen edition. Without it: _build/html.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="File or folder it is written to. Without it: in _build/export.", show_default=False),
    ] = None,
) -> None:
    """Write a built site as another medium, with the numbers of the site; --pdf, --epub or --myst, or several of them."""
    from analysis.book.export import media
    from analysis.book.record import cite as reading
    from analysis.book.store import places

    asked = [kind for kind, wanted in {"pdf": pdf, "epub": epub, "myst": myst}.items() if wanted]
    for written in media.write(reading.place(site, places.SITE), asked, out):
        typer.echo(f"Written: {written}")


@app.command()
def measure(
    quick: Annotated[
        bool, typer.Option("--quick", help="A few seconds, fewer runs. Without it: half a minute.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Data folder that gets this machine as a device; build --data shows it. Without it: only told."
        ),
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder on the drive to measure. Without it: the current folder.")
    ] = None,
    datasheet: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=100_000.0,
            help="Bandwidth in GB/s that the maker prints for this machine's memory. Without it: estimated from what is reached.",
        ),
    ] = 0.0,
) -> None:
    """Measure this machine's memory and storage; say the largest model it can run and what the book expects of it."""
    from datetime import UTC, datetime

    from analysis import tables
    from analysis.book.inputs import parameters
    from analysis.machine import hardware, report
    from analysis.machine import measure as timing
    from analysis.tables import checks, overlay

    if save:
        report.require_folder(save)
    if scratch and not scratch.is_dir():
        raise InputError([Problem("--scratch", f"no folder {scratch}", "a folder on the drive to measure")])
    here = hardware.described()
    with _progress(timing.steps(quick=quick)) as step:
        memory = timing.memory(here, quick=quick, tick=step)
        storage = timing.storage(scratch or Path.cwd(), quick=quick, tick=step)
    found = report.checked(report.Report(here, memory, storage, datasheet * report.GIGA))
    typer.echo(report.told(tables.package(), found, Parameters(parameters.defaults())), nl=False)
    if save:
        typer.echo(f"Saved: {report.save(tables.package(), found, save, datetime.now(tz=UTC).date())}")
        with TemporaryDirectory() as folder:
            for problem in checks.problems(overlay.merged(save, Path(folder) / "data")):
                typer.echo(str(problem), err=True)
        typer.echo(f"To see it among the others: memory-wall build --data {save} --out _build/mine")


def _write(target: Path, content: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "w", encoding="utf-8", opener=door.unawaited) as file:
            file.write(content)
    except OSError as error:
        found, expected = str(error.strerror).lower(), "a place that can be written"
        raise InputError([Problem(file=str(target), found=found, expected=expected)]) from None
    typer.echo(f"Written: {target}")


def main() -> None:
    """Run the command line; known errors end with their own exit code and without a traceback."""
    _with_docstrings()
    try:
        app()
    except MemoryWallError as error:
        _fail(str(error), error.exit_code)
    except MemoryError:
        from analysis.book.store import ends

        _fail(f"there is not enough memory. {ends.todo()}")
    except OSError as error:
        from analysis.book.store import publishing

        _fail(publishing.told(error))


def _fail(said: str, code: int = 1) -> None:
    from analysis.book.run import loop

    loop.tell("problem", said)
    typer.echo(f"memory-wall: {said}", err=True)
    sys.exit(code)


def _with_docstrings() -> None:
    """Begin again where Python was started with -OO: packages that draw charts read docstrings, which that takes away."""
    if sys.flags.optimize > 1:
        os.environ["PYTHONOPTIMIZE"] = "1"
        again = [argument for argument in sys.orig_argv[1:] if not re.fullmatch("-O+", argument)]
        os.execv(sys.executable, [sys.executable, *again])  # noqa: S606 - this program, with its own arguments
