"""The record of an edition: commit, parameters, versions, and the digest of each data file, figure and claim."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis import tables
from analysis.book.inputs import parameters
from analysis.book.store import freshness
from analysis.tables import overlay

PACKAGES = (
    "altair",
    "jupyter-book",
    "myst-nb",
    "nbclient",
    "numpy",
    "pandas",
    "papermill",
    "pypdfium2",
    "sphinx",
    "vl-convert-python",
    "zlib-ng",
)


def name(app: Sphinx) -> str:
    """The name of the edition, year and month."""
    return str(given_parameters(app)["edition"])


def given_parameters(app: Sphinx) -> dict[str, Any]:
    """The parameters this site is built with."""
    given: str = app.config.memory_wall_parameters
    return dict(json.loads(given)) if given else parameters.defaults()


def package(app: Sphinx) -> tables.DataPackage:
    """The data this site is built with."""
    return _opened(app.config.memory_wall_data)


@lru_cache(maxsize=1)
def _opened(folder: str) -> tables.DataPackage:
    """One and the same for a whole site: tables are read once, and what is made of them is kept by it."""
    return tables.DataPackage(Path(folder))


def commit() -> str:
    """The commit the site is built from, marked where the tree has changes; empty outside a repository."""
    return freshness.commit()


def persistent_id() -> str:
    """The sources as Software Heritage names them, by their content: whoever has them can compute it, and it needs no account."""
    return f"swh:1:dir:{tree}" if (tree := freshness.tree()) else ""


def versions() -> dict[str, str]:
    """The packages that shape the numbers and the pages."""
    return {package: metadata.version(package) for package in PACKAGES}


def data_digests(app: Sphinx) -> dict[str, str]:
    """File → digest of every table as it was read."""
    read = package(app)
    files = [read.folder / f"{table}.csv" for table in read.names]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def supplied(package: tables.DataPackage) -> list[overlay.Change]:
    """What was laid over the book's tables for this run."""
    changes = overlay.supplied(package.folder).changes
    return [change for change in changes if change.added or change.changed or change.removed]


def edition_json(app: Sphinx, figures: list[dict[str, Any]], claims: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of ``edition.json``."""
    return {
        "edition": name(app), "commit": commit(), "swhid": persistent_id(), "parameters": given_parameters(app), "versions": versions(),
        "data": data_digests(app),
        "supplied": [
            {"table": change.table, "added": change.added, "changed": change.changed, "removed": change.removed}
            for change in supplied(package(app))
        ],
        "figures": {entry["id"]: entry["sha256"] for entry in figures},
        "claims": {claim["id"]: hashlib.sha256(json.dumps(claim, sort_keys=True).encode()).hexdigest() for claim in claims},
    }  # fmt: skip


def last_read(app: Sphinx) -> str:
    """The last day on which a source of the data was read."""
    return max((str(day) for day in package(app).table("sources")["date_read"] if day), default="")
