"""Whatever happens to a build, the published site is whole and the next build succeeds; and a site is put nowhere it would do harm."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.book.store import publishing, verify
from analysis.errors import InputError
from tests.conftest import ROOT
from tests.small import LANDING, Book, cells

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("MEMORY_WALL_KILLS", "3"))
"""How many builds are killed; ``make bench`` asks for thirty."""
MARK = "MEMORY_WALL_TEST_MARK"
LEFT_S = 10
LONGEST_S = 300


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A small book that has been built once."""
    made = Book(tmp_path_factory.mktemp("crash") / "book")
    built(made)
    return made


def built(book: Book) -> dict[str, str]:
    """Build; the digests of the site."""
    done = book.run("build")
    assert done.returncode == 0, done.stderr
    assert_whole(book)
    return digests(book)


def digests(book: Book) -> dict[str, str]:
    record: dict[str, dict[str, str]] = json.loads((book.site / "edition.json").read_text(encoding="utf-8"))
    return record["files"]


def assert_whole(book: Book) -> None:
    assert verify.differences(book.site) == []


def edited(book: Book, text: str) -> None:
    """Change prose and code, so that a build has everything to do."""
    book.write("index", f"{LANDING}\n{text}\n\n" + cells(f"'{text}'"))


def processes(mark: str) -> list[int]:
    """The processes that were started by the command with this mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def assert_gone(mark: str) -> None:
    end = time.monotonic() + LEFT_S
    while (left := processes(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    told = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")[:120] for pid in left]
    assert not left, f"still running: {told}"


def stopped(book: Book, after_s: float, number: int) -> int:
    """Begin a build and send it a signal after a while; its exit code."""
    mark = uuid.uuid4().hex
    process = book.start("build", **{MARK: mark})
    time.sleep(after_s)
    process.send_signal(number)
    try:
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert_gone(mark)
    return 128 - process.returncode if process.returncode < 0 else process.returncode  # as a shell says it


def build_time_s(book: Book) -> float:
    edited(book, "How long does it take?")
    begun = time.monotonic()
    built(book)
    return time.monotonic() - begun


def test_killed_at_any_instant_the_old_site_is_whole_and_the_next_build_succeeds(book: Book) -> None:
    chance, takes_s = random.Random(2026), build_time_s(book)  # noqa: S311 - instants, not secrets
    for number in range(KILLS):
        before = digests(book)
        edited(book, f"Killed for the {number}th time.")
        stopped(book, chance.uniform(0.0, 1.1) * takes_s, signal.SIGKILL)
        assert_whole(book)
        if f"{number}th" not in (book.site / "index.html").read_text(encoding="utf-8"):
            assert digests(book) == before, "neither the old site nor the new one"
    built(book)
    assert not list(book.site.parent.glob(".html.workshop-*"))


def test_interrupted_it_ends_cleanly_with_nothing_left_behind(book: Book) -> None:
    before = built(book)
    for share in (0.15, 0.5, 0.8):
        edited(book, f"Interrupted at {share}.")
        code = stopped(book, share * 4, signal.SIGINT)
        assert code in (0, 130)
        assert code == 0 or digests(book) == before
        assert not list(book.site.parent.glob(".html.workshop-*"))
        before = digests(book)


def test_a_hanging_chapter_is_stopped_and_can_be_interrupted(book: Book) -> None:
    before = built(book)
    book.write("hangs", "\n# It hangs\n\n" + cells("while True:\n    pass"))
    try:
        done = book.run("build", "--time-limit", "2")
        assert done.returncode == 1
        assert "chapter hangs, cell 2" in done.stderr
        assert "while True:" in done.stderr
        assert stopped(book, 5.0, signal.SIGINT) == 130
    finally:
        book.remove("hangs")
    assert digests(book) == before


def test_a_chapter_that_eats_memory_fails_alone(book: Book) -> None:
    before = built(book)
    book.write("eats", "\n# It eats\n\n" + cells("eaten = b'x' * 2_000_000_000"))
    try:
        done = book.run("build", "--memory-limit", "0.5")
        assert done.returncode == 1
        assert "MemoryError" in done.stderr
    finally:
        book.remove("eats")
    assert digests(book) == before


def test_two_builds_at_once_wait_for_each_other(book: Book) -> None:
    edited(book, "Two at once.")
    both = [book.start("build"), book.start("build")]
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert "Two at once." in (book.site / "index.html").read_text(encoding="utf-8")
    assert_whole(book)


def test_a_full_disk_leaves_the_old_site(book: Book) -> None:
    before = built(book)
    edited(book, "The disk is full.")
    small = ["sh", "-c", 'ulimit -f 400; exec "$@"', "sh"]  # no file may grow beyond; the script for charts does
    process = subprocess.Popen(
        [*small, sys.executable, "-m", "analysis", "build"], cwd=book.folder,
        env=book.environment(MEMORY_WALL_CACHE=str(book.folder / "fresh")), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _, told = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "nothing was published" in told
    assert "Traceback" not in told
    assert digests(book) == before
    assert_whole(book)
    built(book)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("a disk of its own cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_small_disk_is_told_of(book: Book, small_disk: Path) -> None:
    done = book.run("build", "--out", str(small_disk / "site"))
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert not (small_disk / "site").exists()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = book.run("build", "--out", str(small_disk / "other"))
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("swaps", [True, False])
def test_the_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool) -> None:
    if not swaps:
        monkeypatch.setattr(publishing, "exchanged", lambda one, other: False)
    out = tmp_path / "html"
    for text in ("first", "second"):
        made = tmp_path / "workshop" / "site"
        made.mkdir(parents=True)
        (made / "index.html").write_text(text, encoding="utf-8")
        publishing.switch(made, out)
        assert (out / "index.html").read_text(encoding="utf-8") == text
        shutil.rmtree(tmp_path / "workshop")
    assert not list(tmp_path.glob(".html.*"))


OF_THE_BOOK = (".", "..", "chapters", "data/new", "_build", "_build/cache", ".git/site")


@pytest.mark.parametrize(
    "place", [Path("/"), Path.home(), Path("/tmp"), *(ROOT / name for name in OF_THE_BOOK)], ids=str
)
def test_a_site_is_not_put_where_it_would_do_harm(place: Path) -> None:
    with pytest.raises(InputError, match="place for a site"):
        publishing.require_safe(place.resolve())


def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="not a site"):
        publishing.require_safe(tmp_path)
    publishing.require_safe(tmp_path / "site")
    with pytest.raises(InputError, match="It is a file"):
        publishing.require_safe(tmp_path / "thesis.tex")


def test_a_site_tells_what_was_changed_in_it(book: Book, tmp_path: Path) -> None:
    built(book)
    site = Path(shutil.copytree(book.site, tmp_path / "site"))
    (site / "figures.json").write_text("[]", encoding="utf-8")
    (site / "search.html").unlink()
    (site / "new.html").write_text("", encoding="utf-8")
    done = book.run("verify", str(site))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "figures.json is not what was published",
        "new.html was added",
        "search.html is missing",
    ]
    assert book.run("verify", str(book.site)).returncode == 0


def test_nothing_changed_is_nothing_done(book: Book) -> None:
    built(book)
    assert "Nothing has changed" in book.run("build").stdout
    (book.site / "index.html").write_text("tampered with", encoding="utf-8")
    built(book)


def child(mark: str, parent: int, named: str) -> int | None:
    """The number of a process that this one started and whose command line says so."""
    for pid in processes(mark):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if int(stat[1]) == parent and named.encode() in line:
            return pid
    return None


@pytest.mark.parametrize("whose", [("resource_tracker",), ("forkserver", "")], ids=["tracker", "worker"])
def test_a_process_that_the_system_kills_is_told_of(book: Book, whose: tuple[str, ...]) -> None:
    edited(book, f"Killed: {' '.join(whose)}.")
    mark = uuid.uuid4().hex
    process = book.start("build", **{MARK: mark})
    try:
        victim = process.pid
        for named in whose:
            while (found := child(mark, victim, named)) is None:
                assert process.poll() is None, "the build ended before there was such a process"
                time.sleep(0.02)
            victim = found
        os.kill(victim, signal.SIGKILL)
        _, told = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
    assert "Traceback" not in told
    assert process.returncode in (0, 1), told
    assert process.returncode == 0 or "nothing was published" in told
    assert_gone(mark)
    assert_whole(book)
    built(book)


def test_everything_odd_at_once_is_no_matter(book: Book, tmp_path: Path) -> None:
    """Python without docstrings, few open files, a temporary folder with a long name, a cache that refuses, and people's own files."""
    edited(book, "Everything is odd.")
    first = built(book)
    places = {"TMPDIR": tmp_path / ("t" * 100), "MEMORY_WALL_CACHE": tmp_path / "file"}
    places["TMPDIR"].mkdir()
    places["MEMORY_WALL_CACHE"].write_text("a file", encoding="utf-8")
    out = Path(shutil.copytree(book.site, tmp_path / "site"))
    (out / ".git").mkdir()
    (out / "CNAME").write_text("example.org", encoding="utf-8")
    command = [sys.executable, "-OO", "-m", "analysis", "build", "--out", str(out)]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh", *command], cwd=book.folder, capture_output=True, text=True, check=False,
        timeout=LONGEST_S, env=book.environment(**{name: str(path) for name, path in places.items()}),
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert verify.digests(out) == first
    assert (out / "CNAME").read_text(encoding="utf-8") == "example.org"
    assert (out / ".git").is_dir()
    assert not list(places["TMPDIR"].iterdir())


def test_the_end_of_a_terminal_leaves_nothing_behind(book: Book) -> None:
    before = built(book)
    edited(book, "The terminal is closed.")
    code = stopped(book, 1.0, signal.SIGHUP)
    assert code in (0, 130)
    assert code == 0 or digests(book) == before
    assert not list(book.site.parent.glob(".html.workshop-*"))


def test_a_worker_that_starts_while_its_build_ends_says_nothing() -> None:
    """What the two share is gone by then; the build has said what there is to say."""
    code = (
        "import _multiprocessing, os; from analysis.book.run.forking import Context; context = Context.ready();"
        "shared = context.Semaphore(); _multiprocessing.sem_unlink(shared._semlock.name);"
        "process = context.Process(target=print, args=(shared,)); process.start(); process.join(); os._exit(process.exitcode)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
