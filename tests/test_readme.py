"""README, changelog and the rerun page say what is true now."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest

from tests.conftest import ROOT

Run = Callable[..., CompletedProcess[str]]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RERUN = (ROOT / "chapters" / "rerun.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def findings_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "scripts" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_the_findings_are_what_the_data_say() -> None:
    assert findings_script().written(README) == README, "README.md is stale: python scripts/readme.py"


@pytest.mark.parametrize("line", commands(README) + commands(RERUN))
def test_every_command_exists(memory_wall: Run, line: str) -> None:
    words = line.split()
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", MAKEFILE, flags=re.MULTILINE), line
    elif words[0].endswith("memory-wall"):
        told = memory_wall(words[1], "--help")
        assert told.returncode == 0, line
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert option in told.stdout, f"{line}: {option}"
    else:
        assert (ROOT / words[0]).exists() or shutil.which(Path(words[0]).name), line


def test_every_command_of_the_tool_is_in_the_readme_or_the_rerun_page(memory_wall: Run) -> None:
    listed = re.findall(r"^│ ([a-z]+) ", memory_wall("--help").stdout, flags=re.MULTILINE)
    assert {"build", "check"} <= set(listed)
    for name in listed:
        assert re.search(rf"memory-wall {name}\b|make {name}\b", README + RERUN), name


def test_every_option_says_what_happens_without_it(memory_wall: Run) -> None:
    for name in ("build", "check"):
        told = re.sub(r"[│\s]+", " ", memory_wall(name, "--help").stdout)
        for option in re.findall(r"(?<= )--[a-z-]+", told.split("Options")[1]):
            if option not in ("--help", "--json"):
                assert "Without it" in told, option


def test_where_to_look_leads_somewhere() -> None:
    subjects = re.findall(r"`(\w+)`", re.search(r"Subjects: (.*?);", README, flags=re.DOTALL)[1])  # type: ignore[index]
    assert len(subjects) == 5
    for path in re.findall(r"\| `([^`]*<subject>[^`]*)`", README):
        for subject in subjects:
            assert (ROOT / path.replace("<subject>", subject)).exists(), path


def test_every_table_is_in_the_changelog_count(package: object) -> None:
    from analysis import tables

    count = len(tables.DataPackage(ROOT / "data").names)
    assert f"{count} tables as a Frictionless data package" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_papermill_users_keep_their_habits(tmp_path: Path) -> None:
    import jupytext
    import papermill

    notebook = tmp_path / "memory_wall.ipynb"
    jupytext.write(jupytext.read(ROOT / "chapters" / "memory_wall.md"), notebook)
    done = papermill.execute_notebook(
        notebook,
        tmp_path / "out.ipynb",
        {"reading_speed_word_per_min": 300.0},
        kernel_name="python3",
        progress_bar=False,
    )
    told = str([cell.get("outputs") for cell in done.cells])
    assert "application/vnd.memory-wall.figure+json" in told
    assert "image/svg+xml" in told
