"""What several tests need: the data package, a copy of it to damage, and one real build of the site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import tables

ROOT = tables.REPOSITORY


@pytest.fixture(scope="session")
def package() -> tables.DataPackage:
    return tables.DataPackage(ROOT / "data")


@pytest.fixture
def data_copy(tmp_path: Path) -> Path:
    """A data folder that a test may damage."""
    return Path(shutil.copytree(ROOT / "data", tmp_path / "data"))


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
