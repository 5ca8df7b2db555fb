"""What the package imports is what ``pyproject.toml`` declares: no more, no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = packages_distributions()
TOOLS = {"mypy", "ruff", "pytest-timeout", "setuptools"}
"""Run, not imported."""


def plain(name: str) -> str:
    """The name of a distribution as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {plain(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in requirements}


@cache
def imported(*folders: str) -> dict[str, str]:
    """Distribution → a file that imports it, at the top or inside a function."""
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for name in modules(path) - sys.stdlib_module_names - {"analysis", "tests"}:
            for distribution in DISTRIBUTIONS.get(name, [name]):
                found.setdefault(plain(distribution), str(path.relative_to(ROOT)))
    return found


def modules(path: Path) -> set[str]:
    """The first part of every module that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def test_the_package_declares_what_it_imports_and_imports_what_it_declares() -> None:
    found = imported("analysis")
    wanted = declared(PROJECT["dependencies"])
    missing = {name: path for name, path in found.items() if name not in wanted}
    assert not missing, f"imported, not declared: {missing}"
    assert not wanted - set(found), f"declared, never imported: {sorted(wanted - set(found))}"


def test_the_tests_and_scripts_declare_what_they_import_and_import_what_they_declare() -> None:
    found = imported("tests", "scripts")
    wanted = declared(PROJECT["optional-dependencies"]["dev"])
    missing = {name: path for name, path in found.items() if name not in wanted | declared(PROJECT["dependencies"])}
    assert not missing, f"imported, not declared: {missing}"
    stubs = {name for name in wanted if name.startswith("types-") or name.endswith("-stubs")}
    assert not (idle := wanted - set(found) - TOOLS - stubs), f"declared, never imported: {sorted(idle)}"
    assert not wanted & set(imported("analysis")), "a reader's environment needs it"


def test_every_declared_package_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {plain(name) for name in re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE)}
    assert declared([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]) <= locked
