"""The licences of what a site hands on that others wrote: scripts, style sheets and fonts, each with its text."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from analysis import fonts
from analysis.book.record import imprint

FOLDER = Path(__file__).parents[1] / "licences"
NAMES = ("LICENSE", "LICENCE", "COPYING")
HEAD = """Licences of what this site hands on

The book's words, figures and tables: {book.licence_name} ({book.licence}),
{book.licence_address}. Its code: MIT, see the repository.

What others wrote and this site hands on, part by part, each with its licence as its authors give it:
"""
RULE = "=" * 100


@dataclass(frozen=True)
class Component:
    """Parts of a site that share one licence text: their names, the licence by its SPDX identifier, where they are in the site."""

    components: str
    licence: str
    where: str
    text: str

    @property
    def package(self) -> str:
        """The Python package that they come with; empty where they come with none."""
        kind, _, name = self.text.partition(":")
        return name if kind == "package" else ""

    def version(self) -> str:
        """The version of that package as installed; empty where there is none."""
        return metadata.version(self.package) if self.package else ""

    def terms(self) -> str:
        """The text of the licence."""
        kind, _, name = self.text.partition(":")
        if kind == "package":
            return _of_package(name)
        folder = fonts.FOLDER if kind == "font" else FOLDER
        return (folder / (name or kind)).read_text(encoding="utf-8")


def components() -> list[Component]:
    """What a site hands on."""
    with (FOLDER / "components.csv").open(encoding="utf-8", newline="") as file:
        return [Component(**row) for row in csv.DictReader(file)]


def _of_package(name: str) -> str:
    """The licence that an installed package brings; raises FileNotFoundError where it brings none."""
    for file in metadata.distribution(name).files or []:
        if file.name.upper().startswith(NAMES) and any(part.endswith(".dist-info") for part in file.parts):
            return file.read_text(encoding="utf-8")
    raise FileNotFoundError(f"package {name} brings no text of its licence")


def text() -> str:
    """``LICENSES.txt``."""
    parts = [HEAD.format(book=imprint.read())]
    for one in components():
        named = " ".join(filter(None, (one.components, one.version())))
        parts.append(f"{RULE}\n{named}\nLicence: {one.licence}\nWhere: {one.where}\n{RULE}\n\n{one.terms().strip()}\n")
    return "\n".join(parts)
