"""What a copy of the process does: its errors, its warnings and its death reach the one that goes on."""

import itertools
import logging
import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sphinx.util import logging as sphinx_logging

from analysis.book.pictures import shelf, workers
from analysis.book.run import beside, kernels
from analysis.book.store import cache, workplace
from analysis.errors import InputError, Problem, SiteError

pytestmark = [
    pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere nothing is done beside"),
    pytest.mark.alone,  # a process that is copied beside others' threads may hang, and is then waited for
]
TWO = 2


class StubbornError(Exception):
    """An error that cannot be sent anywhere."""

    def __reduce__(self) -> str:
        raise TypeError("not to be pickled")


def refuse(error: Exception) -> None:
    raise error


def test_work_is_done_beside_and_only_files_come_back(tmp_path: Path) -> None:
    mine = os.getpid()
    task = beside.run(lambda: (tmp_path / "who").write_text(str(os.getpid())), TWO)
    task.result()
    assert int((tmp_path / "who").read_text()) != mine


def test_with_one_process_it_is_done_on_the_spot(tmp_path: Path) -> None:
    beside.run(lambda: (tmp_path / "who").write_text(str(os.getpid())), 1).result()
    assert int((tmp_path / "who").read_text()) == os.getpid()


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        InputError([Problem(file="devices.csv", found="x", expected="y", row=3, column="id")]),
    ],
)
def test_an_error_arrives_as_what_it_was(error: Exception) -> None:
    task = beside.run(lambda: refuse(error), TWO)
    with pytest.raises(type(error)) as raised:
        task.result()
    assert str(raised.value) == str(error)


def test_an_error_that_cannot_travel_arrives_as_what_it_says() -> None:
    task = beside.run(lambda: refuse(StubbornError("seven apples")), TWO)
    with pytest.raises(SiteError, match="StubbornError: seven apples"):
        task.result()


def test_a_copy_that_is_killed_is_not_waited_for() -> None:
    task = beside.run(lambda: os.kill(os.getpid(), signal.SIGKILL), TWO)
    with pytest.raises(SiteError, match="was ended"):
        task.result()


def test_what_a_hanging_copy_should_do_is_done_on_the_spot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getpid()
    monkeypatch.setattr(beside, "PATIENCE_S", 0.1)

    def hang_in_the_copy() -> None:
        if os.getpid() != mine:
            signal.pause()
        (tmp_path / "who").write_text(str(os.getpid()))

    task = beside.Task(hang_in_the_copy)
    task.result()
    assert int((tmp_path / "who").read_text()) == mine
    with pytest.raises(ProcessLookupError):
        os.kill(task._process.pid or 0, 0)


def test_a_copy_that_works_is_waited_for_however_long_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(beside, "PATIENCE_S", 0.1)
    monkeypatch.setattr(beside, "_worked", lambda _: [str(next(ticks))])

    def work_long() -> None:
        time.sleep(1.0)
        with (tmp_path / "who").open("a") as file:
            file.write(f"{os.getpid()}\n")

    task = beside.Task(work_long)
    task.result()
    assert [int(line) for line in (tmp_path / "who").read_text().splitlines()] == [task._process.pid]


def test_it_is_seen_whether_a_process_works() -> None:
    before = beside._worked(os.getpid())
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    assert beside._worked(os.getpid()) != before
    assert beside._worked(2**22 + 1) == [], "there is no such process"


def test_a_copy_that_ended_before_anybody_asked_is_heard() -> None:
    task = beside.Task(lambda: None)
    task._process.join()
    task.result()


def test_a_copy_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    task = beside.Task(signal.pause)
    child = task._process.pid
    task.end()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_warnings_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[logging.LogRecord] = []
    monkeypatch.setattr(beside.LOGGER, "handle", heard.append)
    beside.run(lambda: sphinx_logging.getLogger(__name__).warning("page %s has a hole", "x"), TWO).result()
    assert [(record.levelno, record.getMessage()) for record in heard] == [(logging.WARNING, "page x has a hole")]


def test_a_picture_that_the_original_has_drawn_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy finds it in the store as soon as a worker has put it there, and draws nothing itself."""
    monkeypatch.setenv("MEMORY_WALL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(workers._underway, ("svg", "one chart"), Future())

    def show() -> None:
        (tmp_path / "shown").write_bytes(workers.drawn("svg", "one chart"))

    task = beside.Task(show)
    cache.Store("pictures").put(shelf.address("svg", "one chart"), b"<svg/>")
    task.result()
    assert (tmp_path / "shown").read_bytes() == b"<svg/>"


def test_a_picture_that_never_comes_is_drawn_by_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_WALL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(workers, "_patience_s", 0.05)
    chart = '{"mark":"point","data":{"values":[{"a":1}]},"encoding":{"x":{"field":"a","type":"quantitative"}}}'
    monkeypatch.setitem(workers._underway, ("svg", chart), Future())
    task = beside.Task(lambda: (tmp_path / "shown").write_bytes(workers.drawn("svg", chart)))
    task.result()
    assert (tmp_path / "shown").read_bytes().startswith(b"<svg")


def test_who_waited_in_vain_once_waits_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_WALL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shelf, "_in_vain", False)
    assert shelf.awaited("svg", "never drawn", 0.05) is None
    assert shelf._in_vain
    assert shelf.awaited("svg", "never drawn", 3600.0) is None


@pytest.mark.parametrize(("writable", "patience_s"), [(True, workers.PATIENCE_S), (False, 0.0)])
def test_nobody_waits_for_a_store_that_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool, patience_s: float
) -> None:
    place = tmp_path / "cache"
    if not writable:
        place.write_text("a file where a folder should be")
    monkeypatch.setenv("MEMORY_WALL_CACHE", str(place))
    monkeypatch.setattr(workplace, "shared", lambda: None)  # outside a build, which would lend a folder of its own
    with ThreadPoolExecutor() as pool, workers.drawn_by(pool, pool):
        assert workers._patience_s == patience_s


def test_half_as_many_workers_draw_and_a_single_one_does_everything() -> None:
    with kernels.Pool(1) as one, one.drawers() as drawers:
        assert drawers is one
    with kernels.Pool(4) as four, four.drawers() as drawers:
        assert isinstance(drawers, kernels.Pool)
        assert drawers.jobs == 2
