"""Workers of Dask: the same digests as at home, workers and clients that are killed, workers of another book."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from analysis.book import site
from analysis.book.inputs import parameters
from analysis.book.run import cluster, execution, executors
from analysis.errors import InputError, SiteError
from analysis.sweep import folder, plan, sweep
from tests.conftest import ROOT
from tests.test_sweep_runs import FEW, MARK, bar, contents, living, until

REQUIRED = "MEMORY_WALL_REQUIRE_DASK"
HERE = importlib.util.find_spec("distributed") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not HERE and not os.environ.get(REQUIRED),
        reason=f"the package distributed is not installed (make develop); required where {REQUIRED} is set",
    ),
]
CHAPTERS = ("storage_io", "sram_density", "data")
MANY = 40
"""Editions: so many that something is left when the first is there and somebody is killed, on a slow machine too."""


def test_dask_is_here_where_it_is_required() -> None:
    assert HERE


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMORY_WALL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def digests(executor: Executor, data: Path) -> list[str]:
    """What chapters put out, run by an executor."""
    asked = [path for path in site.chapter_files() if path.stem in CHAPTERS]
    running = [executor.submit(execution.run, execution.Chapter(path, parameters.defaults(), data)) for path in asked]
    told = [[one.result().outputs, sorted(one.result().bundles.items()), one.result().names] for one in running]
    return [hashlib.sha256(repr(one).encode()).hexdigest() for one in told]


def test_chapters_run_by_workers_are_those_run_here(tmp_path: Path) -> None:
    data = site.merged_data(None, tmp_path / "data")
    found = []
    for address in (executors.LOCAL, executors.LOCAL_CLUSTER):
        with executors.Engine(address, 2).opened() as (executor, count):
            assert count == 2
            found.append(digests(executor, data))
    assert found[0] == found[1]


def swept(out: Path, address: str, count: int = 2) -> sweep.Outcome:
    asked = plan.of_settings([f"reading_speed_word_per_min=200:300:{count}"], FEW, None)
    return sweep.swept(sweep.Request(asked, out, executors.Engine(address, 2)), bar, lambda text: None)


def test_a_sweep_by_workers_is_that_made_here_and_repeats_nothing_of_it(tmp_path: Path) -> None:
    assert swept(tmp_path / "here", executors.LOCAL).computed == 2
    assert swept(tmp_path / "there", executors.LOCAL_CLUSTER).computed == 2
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert swept(tmp_path / "here", executors.LOCAL_CLUSTER).computed == 0


# ------------------------------------------------------------------------------------------------------- what is killed


def command_line(out: Path, *more: str) -> subprocess.Popen[str]:
    setting = f"reading_speed_word_per_min=200:310:{MANY}"
    arguments = ["sweep", "--set", setting, "--numbers", FEW, "--out", str(out), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "analysis", *arguments], cwd=ROOT, env=os.environ | {MARK: str(out)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_a_client_that_is_killed_leaves_no_process_and_its_sweep_is_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = command_line(out, "--executor", "local-cluster", "--jobs", "2")
    until(lambda: list(out.glob("objects/*/*.json")) or process.poll() is not None)
    process.kill()
    process.communicate(timeout=60)
    until(lambda: not living(str(out)), 60)
    there = {path: path.stat().st_mtime_ns for path in out.glob("objects/*/*.json")}
    assert 0 < len(there) < MANY
    again = command_line(out, "--executor", "local-cluster", "--jobs", "2")
    said, told = again.communicate(timeout=300)
    assert again.returncode == 0, told
    assert f"{MANY - len(there)} results computed, {len(there)} were there" in said
    assert {path: path.stat().st_mtime_ns for path in there} == there
    until(lambda: not living(str(out)), 30)


# ---------------------------------------------------------------------------------------------- a scheduler and its workers


@contextlib.contextmanager
def scheduler(place: Path) -> Iterator[str]:
    """The address of a scheduler of Dask as somebody starts it."""
    with scheduling(place) as (_, address):
        yield address


@contextlib.contextmanager
def scheduling(place: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The same with its process."""
    arguments = [
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(place / "scheduler.json"),
    ]
    with started("scheduler", *arguments) as process:
        until(
            lambda: (place / "scheduler.json").exists() and (place / "scheduler.json").read_text(encoding="utf-8"), 60
        )
        yield process, json.loads((place / "scheduler.json").read_text(encoding="utf-8"))["address"]


@contextlib.contextmanager
def started(*arguments: str, cwd: Path = ROOT, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]], cwd=cwd, env=os.environ | more,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def worker(
    address: str, name: str, *more: str, **named: Any
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    flags = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1", "--name", name]
    return started("worker", address, *flags, *more, **named)


def test_a_sweep_whose_scheduler_is_killed_says_so_and_is_gone_on_with_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with scheduling(tmp_path) as (process, address), worker(address, "first"):
        sweep = command_line(out, "--executor", address)
        until(lambda: list(out.glob("objects/*/*.json")) or sweep.poll() is not None)
        process.kill()
        _, told = sweep.communicate(timeout=300)
    there = {path: path.stat().st_mtime_ns for path in out.glob("objects/*/*.json")}
    assert sweep.returncode == 1, told
    assert "Traceback" not in told
    assert "scheduler" in told
    assert not (out / "manifest.json").exists()
    assert 0 < len(there) < MANY
    again = command_line(out)
    said, told = again.communicate(timeout=300)
    assert again.returncode == 0, told
    assert f"{MANY - len(there)} results computed, {len(there)} were there" in said
    assert {path: path.stat().st_mtime_ns for path in there} == there


def test_a_worker_that_is_killed_takes_nothing_along(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with scheduler(tmp_path) as address, worker(address, "first") as first, worker(address, "second"):
        _wait_for_workers(address, 2)
        process = command_line(out, "--executor", address)
        until(lambda: list(out.glob("objects/*/*.json")) or process.poll() is not None)
        first.kill()
        said, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert f"{MANY} results computed" in said
    assert json.loads((out / folder.MANIFEST).read_text(encoding="utf-8"))["failed"] == []


def _wait_for_workers(address: str, count: int) -> None:
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


def other_book(place: Path) -> Path:
    """The package as another commit has it: one comment more."""
    import shutil

    shutil.copytree(ROOT / "analysis", place / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("data", "chapters"):
        (place / name).symlink_to(ROOT / name)
    shutil.copyfile(ROOT / "requirements.lock", place / "requirements.lock")
    with (place / "analysis" / "words.py").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    return place


def test_a_worker_with_another_book_or_more_threads_is_refused_by_name(tmp_path: Path) -> None:
    book = other_book(tmp_path / "book")
    named = {"cwd": book, "PYTHONPATH": str(book)}
    with (
        scheduler(tmp_path) as address,
        worker(address, "stranger", **named),
        worker(address, "broad", "--nthreads", "2"),
    ):
        _wait_for_workers(address, 2)
        process = command_line(tmp_path / "out", "--executor", address)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 2, told
    assert re.search(r"found worker stranger \(tcp://\S+\): package \w+, wanted \w+; expected the same book", told)
    assert re.search(r"found worker broad \(tcp://\S+\) with 2 threads; expected one thread a worker", told)
    assert "Traceback" not in told
    assert not list((tmp_path / "out").glob("objects/*/*"))


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_S", 1)
    with (
        pytest.raises(InputError, match="expected a scheduler of Dask"),
        executors.Engine("tcp://127.0.0.1:9").opened(),
    ):
        pass


@pytest.mark.parametrize("address", ["dask", "http://127.0.0.1", "local-clust"])
def test_an_executor_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="--executor"):
        executors.Engine(address)


def test_work_from_another_book_is_refused_where_it_arrives() -> None:
    assert cluster.checked(cluster.identity(), max, 1, 2) == 2
    with pytest.raises(SiteError, match="another book: package"):
        cluster.checked({**cluster.identity(), "package": "another"}, max, 1, 2)
    assert "no package" in cluster.differences(cluster.identity(), ImportError())


def test_a_worker_waits_for_no_path(tmp_path: Path) -> None:
    """A parcel holds no path of the machine that sent it."""
    chapter = execution.Chapter(
        ROOT / "chapters" / "data.md", {"title": "a"}, site.merged_data(None, tmp_path / "data")
    )
    parcel = cluster.Distant(Executor(), str(tmp_path / "store"))._portable(chapter)
    assert parcel.name == "data"
    assert str(tmp_path / "data") not in repr(parcel)
    assert (parcel.unpacked().data / "devices.csv").read_bytes() == (ROOT / "data" / "devices.csv").read_bytes()
