"""Set-up says what it does, and where it cannot, what to do: never a traceback."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

SAID = {
    "pip without a network": (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: Temporary failure in name resolution'\n"
        "ERROR: No matching distribution found for numpy==2.4.6", "could not be fetched", "Check the network",
    ),
    "uv without a network": ("error: Failed to fetch\n  Caused by: error sending request: dns error", "could not be fetched", "proxy"),
    "pip, refused": ("Connection refused", "could not be fetched", "proxy"),
    "pip, disk": ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full", "Free 900 MiB"),
    "hash": ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that was locked", "mirror"),
    "no wheel": ("Because numpy has no wheels with a matching Python ABI tag", "not to be had for this Python", "PYTHON=python3.12"),
    "permission": ("PermissionError: [Errno 13] Permission denied: '.venv/x'", "cannot be written", "VENV="),
    "anything": ("Segmentation fault", "the installer failed", "report what it said"),
}  # fmt: skip


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", SAID)
def test_what_an_installer_says_becomes_what_to_do(setup: ModuleType, case: str) -> None:
    said, cause, todo = SAID[case]
    told = str(setup.explained(said, Path(".venv"), "requirements.lock"))
    assert cause in told.partition("\n")[0]
    assert todo in told
    assert said in told


def test_another_python_is_refused(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ((3, 10, 0), (3, 14, 1)):
        monkeypatch.setattr(sys, "version_info", wrong)
        with pytest.raises(setup.SetupError, match=r"Python 3\.11 to 3\.13 is needed, found .*PYTHON="):
            setup.require_python()


def test_a_full_disk_is_seen_before_anything_is_made(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 2**26))
    with pytest.raises(setup.SetupError, match=r"the disk has 64 MiB left .* 900 are needed"):
        setup.require_room(tmp_path / ".venv", 900)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_the_modules_that_make_environments_names_the_package(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else name)
    with pytest.raises(setup.SetupError, match=rf"without its module {module}\..*sudo apt install python3\.\d+-venv"):
        setup.environment(tmp_path / ".venv", None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_environment_is_left_alone(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(setup.SetupError, match="holds something that is no environment"):
        setup.environment(tmp_path, None)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_pip_says_how_far_it_is(setup: ModuleType) -> None:
    said: list[str] = []
    for number in range(1, 62):
        said += setup.progress(f"Collecting package-{number}", number)
    said += setup.progress("Installing collected packages: a, b", 61)
    assert said == ["  30 packages fetched", "  60 packages fetched", "  unpacking them"]


def run(folder: Path, path: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path, **more}
    command = [sys.executable, str(ROOT / "scripts" / "setup.py"), str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def stub(folder: Path, script: str) -> str:
    """A PATH on which uv is this script."""
    folder.mkdir()
    (folder / "uv").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "uv").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_without_a_network_it_ends_with_what_to_do(tmp_path: Path) -> None:
    path = stub(tmp_path / "bin", "echo 'error sending request for url (https://x): dns error' >&2; exit 2")
    done = run(tmp_path / "venv", path)
    assert done.returncode == 1
    assert re.search(r"Setting up .* with uv for Python 3\.\d+\.\d+: \d{3} packages, well under a minute", done.stdout)
    assert "Set-up stopped: the packages could not be fetched. Check the network" in done.stderr
    assert "it goes on from where it was" in done.stderr
    assert "Traceback" not in done.stderr


def test_developers_get_both_locks_and_readers_one(tmp_path: Path) -> None:
    path = stub(tmp_path / "bin", f'echo "$@" >> {tmp_path}/asked')
    for arguments in ((), ("--develop",)):
        done = run(tmp_path / "venv", path, *arguments)
        assert done.returncode == 0, done.stderr
        assert "from here on no network is needed" in done.stdout
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    locks = [re.findall(r"-r \S*/(\S+)", line) for line in asked]
    assert locks == [["requirements.lock"], [], ["requirements-dev.lock"], []]
    assert all("--require-hashes" in line for line in asked[::2])
    assert all("--no-deps --no-build-isolation -e" in line for line in asked[1::2])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = run(tmp_path / "file" / "venv", stub(tmp_path / "bin", "exit 0"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    again = run(tmp_path / "file" / "venv", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for one in (done, again):
        assert "Traceback" not in one.stderr
    assert again.returncode == 1
    assert "Set-up stopped" in again.stderr
