"""What the package imports is what ``pyproject.toml`` declares: no more, no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT, nodes

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = packages_distributions()
TOOLS = {"mypy", "ruff", "pytest-timeout", "pytest-xdist", "setuptools"}
"""Run, not imported."""
BROUGHT = {"torch", "triton", "pynvml"}
"""What the owner of a card has for it: the script that measures one is of no use without, and nothing else needs it."""
SIBLINGS = {path.stem for path in (ROOT / "scripts").glob("*.py")}
"""Scripts that take in one another."""


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
        for name in modules(path) - sys.stdlib_module_names - SIBLINGS - {"analysis", "tests"}:
            for distribution in DISTRIBUTIONS.get(name, [name]):
                found.setdefault(plain(distribution), str(path.relative_to(ROOT)))
    return found


def modules(path: Path) -> set[str]:
    """The first part of every module that a file imports."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
APART = {
    "calibrate": {"analysis/model/calibration.py"},
    "dask": {"analysis/book/run/cluster.py", "analysis/book/store/sent.py"},
    "mcp": {"analysis/mcp/server.py"},
}
"""Extra → the files of the package that need it, which no page does."""


@pytest.mark.long
def test_the_package_declares_what_it_imports_and_imports_what_it_declares() -> None:
    apart = {name for extra in APART for name in declared(EXTRAS[extra])}
    found = {name: path for name, path in imported("analysis").items() if name not in apart}
    wanted = declared(PROJECT["dependencies"])
    missing = {name: path for name, path in found.items() if name not in wanted}
    assert not missing, f"imported, not declared: {missing}"
    assert not wanted - set(found), f"declared, never imported: {sorted(wanted - set(found))}"


@pytest.mark.long
def test_the_tests_and_scripts_declare_what_they_import_and_import_what_they_declare() -> None:
    found = imported("tests", "scripts")
    wanted = declared(EXTRAS["dev"])
    missing = {
        name: path
        for name, path in found.items()
        if name
        not in wanted | BROUGHT | declared(PROJECT["dependencies"] + [one for extra in APART for one in EXTRAS[extra]])
    }
    assert not missing, f"imported, not declared: {missing}"
    stubs = {name for name in wanted if name.startswith("types-") or name.endswith("-stubs")}
    assert not (idle := wanted - set(found) - TOOLS - stubs), f"declared, never imported: {sorted(idle)}"
    assert not (wanted | BROUGHT) & set(imported("analysis")), "a reader's environment needs it"


def test_what_few_files_need_is_an_extra_that_they_alone_import() -> None:
    for extra, paths in APART.items():
        wanted = declared(EXTRAS[extra])
        files = {str(it.relative_to(ROOT)) for it in sorted((ROOT / "analysis").rglob("*.py")) if modules(it) & wanted}
        assert files == paths, extra
        assert not wanted & declared(PROJECT["dependencies"])


def locked(name: str) -> set[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {plain(found) for found in re.findall(r"^([\w.-]+)==", text, flags=re.MULTILINE)}


def test_every_declared_package_is_locked_where_it_belongs() -> None:
    reader, developer = locked("requirements.lock"), locked("requirements-dev.lock")
    assert declared(PROJECT["dependencies"]) <= reader
    assert {name for extra in EXTRAS.values() for name in declared(extra)} <= reader | developer
    lines = [
        (ROOT / name).read_text(encoding="utf-8").splitlines()
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    twice = {line for line in set(lines[0]) & set(lines[1]) if "==" in line.partition(" ")[0]}
    assert not twice, "a package is in both files only where developers need it on more systems"
    assert "-r requirements.lock\n" in (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")


def test_what_is_locked_is_asked_for() -> None:
    """Every entry says what asks for it, and that is locked too: nothing is left over from what the book once needed."""
    reader, developer = locked("requirements.lock"), locked("requirements-dev.lock")
    for name, known in (("requirements.lock", reader), ("requirements-dev.lock", reader | developer)):
        text = (ROOT / name).read_text(encoding="utf-8")
        asking = set(re.findall(r"^    # (?:via |  )([\w.-]+)$", text, flags=re.MULTILINE))
        assert {plain(one) for one in asking} <= known, name
        entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
        own = {plain(it.partition("==")[0]) for it in entries if "memory-wall (pyproject.toml)" in it}
        wanted = PROJECT["dependencies"] + [one for extra in EXTRAS.values() for one in extra]
        assert own <= declared(wanted), name


def test_every_locked_file_has_its_digest() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries), name
