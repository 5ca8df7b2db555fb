"""Whole sites of the editions, or their figures: each is built by a command of its own, one after the other, over a shared cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from analysis.book.run.executors import Engine
from analysis.book.store import sent
from analysis.errors import InputError, Problem
from analysis.sweep import stored
from analysis.sweep.plan import Edition

BUILD = "from analysis.book.run import kernels; kernels.end_with_parent(); from analysis.__main__ import main; main()"
"""What is run of Python: it ends with the sweep, however that ends."""
SITES, FIGURES_OF = "sites", "figures"
"""The store of the editions' sites, and the folder that holds a folder of figures for each."""
FIGURES = ("figures", "figures.json", "numbers.json", "claims.json", "edition.json")
"""What of a site is kept where figures are asked for."""


def target(place: Path, only: str, edition: Edition) -> Path:
    """Where the figures of an edition go, or the list of its site's files; what is there is whole."""
    return stored.listing(place / SITES, edition.name) if only == "site" else place / FIGURES_OF / edition.name


def build(place: Path, only: str, edition: Edition, data: Path | None, engine: Engine) -> str:
    """Build one edition; why it failed, empty where it did not."""
    goal = target(place, only, edition)
    goal.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place, prefix=".new-") as folder:
        made = Path(folder) / "site"
        given = Path(folder) / "parameters.yml"
        given.write_text(yaml.safe_dump(dict(edition.parameters)) if edition.parameters else "{}", encoding="utf-8")
        named: dict[str, Any] = {
            "--params": given,
            "--out": made,
            "--data": data,
            "--jobs": engine.jobs,
            "--executor": engine.address,
        }
        arguments = [text for name, value in named.items() if value is not None for text in (name, str(value))]
        command = [sys.executable, "-c", BUILD, "build", *arguments]
        seen = os.environ | {sent.VARIABLE: sent.address(engine.store)}
        done = subprocess.run(command, env=seen, capture_output=True, text=True, check=False)
        if done.returncode:
            return " ".join(done.stderr.split())[:500]
        try:
            _kept(made, only, goal, edition.name)
        except OSError as error:
            return f"built, and not kept: {error.strerror or error}".lower()
    return ""


def _kept(made: Path, only: str, goal: Path, name: str) -> None:
    if only == "site":
        stored.keep(made, goal.parent, name)
    else:
        _figures(made, made.parent / "figures").rename(goal)


def _figures(site: Path, kept: Path) -> Path:
    kept.mkdir()
    for name in FIGURES:
        (site / name).rename(kept / name)
    return kept


def store_of(sweep: Path) -> Path:
    """The store of the sites of a sweep; raises InputError where its folder is not there."""
    if not sweep.is_dir():
        found = f"{sweep}, a file" if sweep.exists() else f"{sweep}, no such folder"
        todo = "Sites are kept by memory-wall sweep --only site; --from names the folder that it was given with --out."
        raise InputError([Problem("--from", found, "the folder of a sweep", todo)])
    return sweep / SITES


def missing(place: Path, only: str, editions: list[Edition]) -> list[Edition]:
    """The editions that are not there yet."""
    return [one for one in editions if not target(place, only, one).exists()]
