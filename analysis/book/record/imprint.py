"""Whose book this is: title, author, licence, as ``_config.yml`` has them.  Nothing else in ``book`` names them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analysis.book.store import places
from analysis.errors import InputError, Problem

SETTING = "memory_wall_imprint"


@dataclass(frozen=True)
class Imprint:
    """What the citations, the pictures and the heads of pages say of the book.

    title        as on the cover; author: as Jupyter Book's own settings have both
    name         lower-case words joined by hyphens: citation keys and archives begin with it
    full_title   under which it is cited; description: of the pages that have no figure, for search engines
    licence      in short, licence_name: in full, licence_id: as SPDX calls it, licence_address: where it can be read
    """

    title: str
    author: str
    name: str
    full_title: str
    description: str
    licence: str
    licence_name: str
    licence_id: str
    licence_address: str


@cache
def read(path: Path = places.REPOSITORY / "_config.yml") -> Imprint:
    """The imprint in Jupyter Book's settings; raises InputError with every part that is missing."""
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    given = config | config.get("sphinx", {}).get("config", {}).get(SETTING, {})
    names = [field.name for field in fields(Imprint)]
    if missing := [name for name in names if not str(given.get(name, "")).strip()]:
        todo = f"Write it under sphinx, config, {SETTING}; title and author stand at the top of the file."
        raise InputError([Problem(path.name, f"no {name}", "text for readers", todo, column=name) for name in missing])
    return Imprint(**{name: str(given[name]) for name in names})
