"""The house: floors, short bodies, chapters that define nothing and calculate nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from analysis.book import execution, parameters, site
from tests.conftest import ROOT

PACKAGE = ROOT / "analysis"
FLOORS = {
    "units": 0, "errors": 0, "words": 0, "ranking": 0, "door": 0, "typed": 0, "workbooks": 0, "parquet": 0,
    "equations": 1, "tables": 1, "checks": 1, "sheets": 1, "cells": 1, "overlay": 1, "needed": 1,
    "rules": 1, "assumptions": 1, "wrong_inputs": 1, "template": 1, "machine": 1, "measure": 1,
    "descriptor": 1, "inputs": 1, "charts": 1,
    "figures": 2, "derived": 3, "claims": 4, "calibration": 4, "predict": 4, "this_machine": 5,
    "book": 5,
    "cli": 6, "__main__": 7, "__init__": 0,
}  # fmt: skip
"""Module → floor.  ``figures`` stands below ``derived`` because derived tables speak: they make the values prose cites."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def floor(module: str) -> int:
    return FLOORS[module.split(".")[1] if "." in module else "__init__"]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "analysis":
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "analysis"
                else [node.module or ""]
            )
            found |= set(names)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_downwards_only(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports(path):
        assert floor(name) <= FLOORS[here], f"{here} (floor {FLOORS[here]}) imports {name} (floor {floor(name)})"


def test_equations_see_numpy_and_nothing_else() -> None:
    for path in (PACKAGE / "equations").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"import (pandas|altair|frictionless)|from analysis\.(?!equations)", text), path.name


def test_charts_see_no_tables() -> None:
    for path in (PACKAGE / "charts").glob("*.py"):
        assert not {
            name
            for name in imports(path)
            if not name.startswith(("analysis.charts", "analysis.ranking", "analysis.units", "analysis.words"))
        }, path.name


def test_nothing_but_the_command_line_and_the_book_imports_the_book() -> None:
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] not in ("book", "cli.py"):
            assert not any(name.startswith("analysis.book") for name in imports(path)), path.name


def test_no_power_of_ten_in_an_equation() -> None:
    for path in (PACKAGE / "equations").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) >= 1000:
                digits = f"{abs(node.value):.0f}".strip("0")
                assert digits != "1", f"{path.name}:{node.lineno}: {node.value} belongs to a unit's prefix"


def bodies() -> list[tuple[str, int]]:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                found.append((f"{path.relative_to(PACKAGE)}:{node.name}", lines))
    return found


def test_bodies_are_short() -> None:
    lengths = bodies()
    longest = max(lengths, key=lambda item: item[1])
    assert longest[1] <= 50, longest
    assert sum(lines <= 25 for _, lines in lengths) >= 0.9 * len(lengths)


CHAPTERS = [path for path in site.chapter_files() if path.exists()]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_talk_and_call_and_nothing_else(path: Path) -> None:
    for cell in execution.read(path).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 14, f"a long cell:\n{cell.source}"
            tree = ast.parse(cell.source)
            kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While)
            assert not [node for node in ast.walk(tree) if isinstance(node, kinds)], cell.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_declare_parameters_as_the_book_does(path: Path) -> None:
    for cell in execution.read(path).cells:
        if "parameters" in cell.metadata.tags:
            for name, value in re.findall(r"^(\w+)\s*:\s*\w+\s*=\s*([^#\n]+)", cell.source, flags=re.MULTILINE):
                assert yaml.safe_load(value) == parameters.declared()[name]["default"], name


def test_every_declared_parameter_is_used_by_a_chapter_or_the_colophon() -> None:
    used = {name for path in CHAPTERS for name in execution.declared_parameters(execution.read(path))}
    assert set(parameters.declared()) - used <= {"edition", "edition_date", "title"}


def test_the_project_speaks_of_the_project_alone() -> None:
    home, machine = re.escape(str(Path.home())), re.escape(str(ROOT))
    for path in [
        *MODULES,
        *CHAPTERS,
        *ROOT.glob("*.md"),
        *ROOT.glob("data/**/*.toml"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]:
        assert not re.search(rf"{home}/|{machine}", path.read_text(encoding="utf-8")), path
