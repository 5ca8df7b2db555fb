"""What several tests need: the data package, a copy of it to damage, and one real build of the site."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import tables

ROOT = tables.REPOSITORY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that reads the built book is marked by the fixture it asks for: ``make test-fast`` leaves it out."""
    for item in items:
        if "site" in getattr(item, "fixturenames", ()):
            item.add_marker("site")


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
    """The whole book, really built, once for all tests that read it."""
    out = tmp_path_factory.mktemp("book") / "html"
    result = command("build", "--out", str(out))
    assert result.returncode == 0, result.stderr
    return out
