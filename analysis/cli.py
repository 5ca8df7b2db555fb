"""``memory-wall``: build the book, check the data, say why a chapter runs.

Exit codes: 0 done, 1 a chapter or the site failed, 2 the input is wrong and nothing was changed.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.errors import InputError, MemoryWallError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with CSV files that replace those of the book. Without it: the book's own data.",
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
Chapter = Annotated[str, typer.Argument(help="Name of a chapter: the stem of its file in chapters/.")]


@app.command()
def build(
    data: Data = None,
    settings: Settings = None,
    params: Params = None,
    out: Annotated[Path | None, typer.Option(help="Where the site is put. Without it: _build/html.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Chapters run side by side. Without it: one a core.")] = None,
    address: Address = "",
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds a cell may run. Without it: 300.")] = 300.0,
    memory_limit: Annotated[float, typer.Option(min=0.1, help="GiB a chapter may allocate. Without it: 3.")] = 3.0,
) -> None:
    """Check data and parameters, execute the chapters, render the site, and put it in place."""
    from analysis.book import freshness, places

    target = (out or places.SITE).resolve()
    asked = params.read_bytes().hex() if params and params.is_file() else str(params)
    digest = freshness.inputs({"settings": settings, "params": asked, "address": address}, data)
    if freshness.current(target, digest):
        typer.echo(f"Nothing has changed since the book was built. Open {target / 'index.html'}")
        return
    from analysis.book import site

    request = site.Request(
        data=data,
        out=target,
        settings=_given(settings, params),
        jobs=jobs,
        address=address,
        inputs=digest,
        time_limit_s=time_limit,
        memory_limit_byte=int(memory_limit * 2**30),
    )
    with _progress(len(site.chapter_files()) + 3) as step:
        published = site.build(request, step)
    typer.echo(f"The book is built. Open {published / 'index.html'}")


def _given(settings: list[str] | None, params: Path | None) -> dict[str, Any]:
    from analysis.book import parameters

    return {**(parameters.read(params) if params else {}), **parameters.parse(settings or [])}


@app.command()
def why(chapter: Chapter, data: Data = None, settings: Settings = None, params: Params = None) -> None:
    """Say whether a chapter would run again in a build, and what changed if it would."""
    from tempfile import TemporaryDirectory

    from analysis.book import execution, parameters, site

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

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=total)
        yield lambda text: bar.update(task, advance=1, description=text)


@app.command()
def release(
    name: Annotated[str, typer.Option("--edition", help="Name of the edition, year and month: 2026.11.")],
    address: Address = "",
    out: Annotated[Path | None, typer.Option(help="The site it is added to. Without it: _build/html.")] = None,
) -> None:
    """Build the book, freeze it at editions/NAME/ for good, and write its archive with checksums."""
    from analysis.book import editions, parameters, site

    target = (out or site.SITE).resolve()
    given = parameters.validated({"edition": name}, file="--edition")
    request = site.Request(out=target, settings={"edition": given["edition"]}, address=address)
    with _progress(len(site.chapter_files()) + 3) as step:
        site.build(request, step, last=lambda built: editions.freeze(built, target.parent / "releases"))
    typer.echo(
        f"Edition {name} is frozen at {target / editions.FOLDER / name}; its archive is in {target.parent / 'releases'}"
    )


@app.command()
def check(
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON. Without it: as text.")] = False,
) -> None:
    """Check the data and the parameters' defaults without building anything."""
    from tempfile import TemporaryDirectory

    from analysis import checks
    from analysis.book import site

    with TemporaryDirectory() as folder:
        found = checks.problems(site.merged_data(data, Path(folder) / "data"))
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in found], indent=1, ensure_ascii=False))
    elif found:
        for problem in found:
            typer.echo(str(problem), err=True)
    else:
        typer.echo("The data is sound.")
    if any(problem.level == "error" for problem in found):
        raise typer.Exit(InputError.exit_code)


@app.command()
def predict(
    file: Annotated[str, typer.Argument(help="CSV file with one configuration a row; - reads standard input.")],
    out: Annotated[
        str | None, typer.Option(help="CSV file to write. Without it: standard output.", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Expected tokens per second for each row of a table, with an 80 % interval, the ideal limit, what binds, and a note."""
    from tempfile import TemporaryDirectory

    from analysis.predict import predict_file

    if data is None:
        predict_file(file, out)
        return
    from analysis.book import site

    with TemporaryDirectory() as folder:
        predict_file(file, out, folder=site.merged_data(data, Path(folder) / "data"))


def main() -> None:
    """Run the command line; known errors end with their own exit code and without a traceback."""
    try:
        app()
    except MemoryWallError as error:
        typer.echo(f"memory-wall: {error}", err=True)
        sys.exit(error.exit_code)
