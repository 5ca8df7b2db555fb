"""What can be compared: a site, a frozen edition, its archive, or a data folder, each as one state of the book."""

from __future__ import annotations

import csv
import io
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis import tables
from analysis.assumptions import Parameters
from analysis.book.record import editions
from analysis.book.store import archives, places
from analysis.book.store.files import read_text
from analysis.errors import InputError, Problem, nearest
from analysis.tables import checks, overlay

Row = dict[str, str]


@dataclass
class State:
    """One state of the book.  A data folder has tables, claims and no pages."""

    name: str
    folder: Path
    record: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)

    @property
    def is_site(self) -> bool:
        """Whether it has pages and pictures."""
        return bool(self.record)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters it was built with; none where it was not built."""
        return dict(self.record.get("parameters", {}))

    def file(self, figure: str, ending: str) -> Path:
        """A file of a figure."""
        return self.folder / "figures" / figure / f"{figure}.{ending}"

    def picture(self, figure: str) -> Path:
        """The picture of a figure as it stands on the page."""
        return self.folder / "figures" / figure / "wide-light.svg"


def opened(given: str, stack: ExitStack, site: Path = places.SITE) -> State:
    """The state that a path or the name of an edition means; raises InputError where there is none."""
    path = Path(given)
    named = site / editions.FOLDER / given
    if not path.exists() and (named / "edition.json").is_file():
        return _site(named, f"edition {given}")
    if path.is_dir() and (path / "edition.json").is_file():
        return _site(path, given)
    if path.is_file() and path.name.endswith(".tar.gz"):
        return _site(_unpacked(path, stack), given)
    if path.is_dir() and any(_is_table(child) for child in path.iterdir()):
        return _data(path, given, stack)
    raise InputError([_nothing(given, site)])


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".xlsx", ".parquet")


def _nothing(given: str, site: Path) -> Problem:
    known = [one["edition"] for one in editions.known(site)]
    found = "a folder without a site or tables" if Path(given).is_dir() else "no such folder, archive or edition"
    todo = nearest(given, known) if known else "No edition is frozen here yet."
    return Problem(file=given, found=found, expected="a site, an edition, its archive, or a data folder", todo=todo)


def _unpacked(path: Path, stack: ExitStack) -> Path:
    target = Path(stack.enter_context(TemporaryDirectory(prefix="memory-wall-")))
    return archives.unpacked(path, target)


def _site(folder: Path, name: str) -> State:
    try:
        record, claims, figures = (_json(folder / f"{part}.json") for part in ("edition", "claims", "figures"))
        numbers = _json(folder / "numbers.json") if (folder / "numbers.json").exists() else []
        found = {
            one: {entry["id"]: entry for entry in many} for one, many in (("c", claims), ("f", figures), ("n", numbers))
        }
        state = State(name, folder, record, found["c"], found["n"], found["f"])
        state.tables = _tables(folder / "tables")
        if not isinstance(record.get("parameters"), dict):
            raise ValueError("edition.json is no record of a site")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        missing = _missing(error) if isinstance(error, OSError) else str(error)
        raise InputError([Problem(file=str(folder), found=missing, expected="a complete site")]) from None
    return state


def _missing(error: OSError) -> str:
    name = Path(str(error.filename)).name
    return f"no {name} in it" if isinstance(error, FileNotFoundError) else f"{name}, {str(error.strerror).lower()}"


def _json(path: Path) -> Any:
    return json.loads(read_text(path))


def _tables(folder: Path) -> dict[str, dict[str, Row]]:
    described = _json(folder / "datapackage.json")["resources"]
    return {one["name"]: _rows(folder / f"{one['name']}.csv", one["schema"]["primaryKey"]) for one in described}


def _rows(path: Path, key: list[str]) -> dict[str, Row]:
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
    return {" ".join(row[name] for name in key): row for row in rows}


def _data(given: Path, name: str, stack: ExitStack) -> State:
    """The book with the tables of a folder laid over it: its claims and headline numbers at the default parameters."""
    target = Path(stack.enter_context(TemporaryDirectory(prefix="memory-wall-")))
    folder = overlay.merged(given, target / "data")
    checks.require(folder)
    package = tables.DataPackage(folder)
    state = State(name, folder, tables=_tables(folder))
    state.claims, state.numbers = _computed(package)
    return state


def _computed(package: tables.DataPackage) -> tuple[dict[str, Any], dict[str, Any]]:
    from analysis.book.inputs import parameters
    from analysis.subjects import claims
    from analysis.subjects.index import findings as index

    given = Parameters(parameters.defaults())
    found = claims.tried(package, given, claims.evaluate(package, given))
    values = [*index.values(package, given), *claims.values(package, given, found)]
    return _by_id([claim.as_dict() for claim in found]), _by_id([value.as_dict() for value in values])


def _by_id(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["id"]: entry for entry in entries}
