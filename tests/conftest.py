"""What several tests need: the data package, a copy of it to damage, and one real build of the site."""

from __future__ import annotations

import ast
import fcntl
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from analysis import tables
from analysis.assumptions import Parameters
from analysis.book.inputs import parameters
from analysis.figures import Value

ROOT = tables.REPOSITORY
GIVEN = Parameters(parameters.defaults())
"""What the book assumes."""


def number(found: Mapping[str, Value], key: str) -> float:
    """The number that a chapter's findings hold under a key, which has one."""
    amount = found[key].number
    assert amount is not None
    return amount


STARTS = {"subprocess", "command", "memory_wall", "Book", "Toy", "Pool", "Plan"}
"""Names by which tests start other processes: commands, builds, kernels."""


def reached(function: Callable[..., object], seen: set[object] | None = None) -> set[str]:
    """Every name that a function of the tests uses, itself or by another function of the tests."""
    seen = set() if seen is None else seen
    names: set[str] = set()
    codes = [] if function in seen else [function.__code__]
    seen.add(function)
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
    for name in sorted(names):
        other = getattr(function, "__globals__", {}).get(name)
        if isinstance(other, FunctionType) and other.__module__.startswith("tests"):
            names |= reached(other, seen)
    return names


@cache
def starts_processes(function: Callable[..., object]) -> bool:
    """Whether a test or a fixture of ours starts processes."""
    plain = inspect.unwrap(function)
    return plain.__module__.startswith("tests") and bool(reached(plain) & STARTS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that read the built book, and those that start processes: ``make test-fast`` leaves them out."""
    for item in (item for item in items if isinstance(item, pytest.Function)):
        fixtures = [found[-1] for found in item._fixtureinfo.name2fixturedefs.values()]
        if "site" in item.fixturenames:
            item.add_marker("site")
        elif any(map(starts_processes, [item.function, *(fixture.func for fixture in fixtures)])):
            item.add_marker("slow")


@cache
def parsed(path: Path) -> ast.Module:
    """A file of Python as a tree, read once by all tests that look at sources."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All parts of that tree."""
    return list(ast.walk(parsed(path)))


RUNNING: list[pytest.Item] = []
_start = subprocess.Popen.__init__


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what runs.  Not by a fixture for each test, which would take a third of the time of a small one."""
    RUNNING[:] = [item]


def may_start(arguments: Any) -> bool:
    """What is neither marked slow nor reads the book may not start Python: it would not be fast for long."""
    marked = not RUNNING or any(RUNNING[0].get_closest_marker(name) for name in ("slow", "site", "browser", "alone"))
    return marked or arguments[0] != sys.executable


def _started(self: subprocess.Popen[str], arguments: Any, *more: Any, **named: Any) -> None:
    assert may_start(arguments), "it starts a command: mark it slow"
    _start(self, arguments, *more, **named)


subprocess.Popen.__init__ = _started  # type: ignore[assignment, method-assign]


def require(found: object, what: str) -> None:
    """Skip where an optional tool is missing; where everything is required, fail."""
    if not found:
        if os.environ.get("MEMORY_WALL_REQUIRE_BROWSER"):
            pytest.fail(f"MEMORY_WALL_REQUIRE_BROWSER is set and there is no {what}")
        pytest.skip(f"no {what} on this machine: this test is left out")


@pytest.fixture(scope="session")
def package() -> tables.DataPackage:
    return tables.DataPackage(ROOT / "data")


@pytest.fixture
def data_copy(tmp_path: Path) -> Path:
    """A data folder that a test may damage."""
    return Path(shutil.copytree(ROOT / "data", tmp_path / "data"))


def site_of_yesterday(out: Path) -> Path:
    """A folder that the build takes for a site it made before."""
    out.mkdir()
    record = {"edition": "2026.10", "parameters": {}, "figures": {}, "claims": {}}
    (out / "edition.json").write_text(json.dumps(record), encoding="utf-8")
    (out / "index.html").write_text("the site of yesterday", encoding="utf-8")
    return out


def is_untouched(out: Path) -> bool:
    """Whether the site of yesterday is as it was, and nothing was left beside it but the record of builds."""
    files = sorted(path.name for path in out.iterdir())
    beside = [
        path.name for path in out.parent.iterdir() if path.name.startswith(".") and not path.name.endswith(".build")
    ]
    text = (out / "index.html").read_text(encoding="utf-8")
    return files == ["edition.json", "index.html"] and text == "the site of yesterday" and not beside


def names_below(folder: Path, depth: int = 99) -> list[str]:
    """The names of what lies in a folder: files at any depth, or files and folders at the first."""
    found = folder.iterdir() if depth == 1 else (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def command(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``memory-wall`` as a user does."""
    environment = {name: value for name, value in os.environ.items() if name != tables.DATA_VARIABLE}
    return subprocess.run(
        [sys.executable, "-m", "analysis", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="session")
def memory_wall() -> Callable[..., subprocess.CompletedProcess[str]]:
    return command


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole book, really built, once for all tests that read it, in whichever process they run."""
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book" / "html"
    out.parent.mkdir(exist_ok=True)
    with (out.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            result = command("build", "--out", str(out))
            assert result.returncode == 0, result.stderr
    return out
