"""Whether a build loses, hangs, mixes up or spills anything when the system it runs on misbehaves: a table of tried, held, failed.

A small book is built under odd conditions, with signals sent to it and its processes killed, over damaged records and kept
results, beside files of other people, and served to odd requests.  A fault is held where the build ends with a site that is
right to the last byte, or with a sentence and the old site whole, and where the next build succeeds; a sweep of the whole book,
where it goes on from what it had, repeats nothing, and ends as if nobody had disturbed it.  Hostile inputs are those of
``tests/hostile.py``.  ``make faults`` runs this; it takes at most 20 minutes and then says what it did not come to.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import tests.hostile  # noqa: E402
from analysis.book.store import verify  # noqa: E402 - the repository is found by its own path
from tests.hostile import Hostile  # noqa: E402
from tests.small import LANDING, Book, cells  # noqa: E402

LONGEST_S = 20 * 60
BUILD_S = 300
"""Thirty times what a small book takes alone on two cores: longer is hung."""
MARK = "MEMORY_WALL_FAULTS"
INSTANTS = 3
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PROCESSES = ("tracker", "fork server", "worker", "mother", "kernel", "page writer")


class FaultError(Exception):
    """A fault was not held; what was seen."""


class NotHereError(Exception):
    """A fault cannot be tried on this machine; why."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and the code that makes it go wrong and looks what came of it."""

    area: str
    name: str
    attempt: Callable[[Desk], object]
    """It may return what it took."""


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code and what it said."""

    code: int
    said: str


class Desk:
    """A small book that has been built, and a folder for what each fault needs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.book, self._count = folder, Book(folder / "book"), 0
        self.site = self.book.site
        self.must(self.build())
        self.files = verify.digests(self.site)

    def fresh(self) -> Path:
        """A new folder."""
        self._count += 1
        made = self.folder / f"{self._count}"
        made.mkdir()
        return made

    def build(self, *arguments: str, python: tuple[str, ...] = (), shell: str = "", **more: str) -> Done:
        """Build the small book; under another Python's options, or after a line of shell."""
        command = [sys.executable, *python, "-m", "analysis", "build", *arguments]
        if shell:
            command = ["sh", "-c", f'{shell}; exec "$@"', "sh", *command]
        process = subprocess.Popen(
            command, cwd=self.book.folder, env=self.book.environment(**more), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=BUILD_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise FaultError(f"no end within {BUILD_S} s") from None
        if "Traceback" in said or "Exception ignored" in said:
            raise FaultError(f"a traceback: {said.strip().splitlines()[-1]}")
        return Done(process.returncode, said)

    def must(self, done: Done, code: int = 0, *words: str) -> Done:
        """The build ended as it should; raises FaultError otherwise."""
        if done.code != code or not all(word in done.said for word in words):
            raise FaultError(f"exit code {done.code}, {' '.join(done.said.split())[-300:]!r}")
        return done

    def same(self, out: Path) -> None:
        """The site is the one built first, to the last byte."""
        self.whole(out)
        if verify.digests(out) != self.files:
            raise FaultError("another site than under ordinary conditions")

    def whole(self, out: Path | None = None) -> None:
        """Every file of a site is as it was published."""
        if found := verify.differences(out or self.site):
            raise FaultError(f"the site is not whole: {found[0]}")

    def edit(self) -> str:
        """Change prose and code, so that a build has everything to do."""
        text = f"Edited {uuid.uuid4().hex}."
        self.book.write("index", f"{LANDING}\n{text}\n\n" + cells(f"'{text}'"))
        return text


# ------------------------------------------------------------------------------------------------------------ conditions


def condition(
    name: str,
    *,
    cold: bool = True,
    may_refuse: bool = False,
    python: tuple[str, ...] = (),
    shell: str = "",
    **more: str,
) -> Fault:
    """A build under a condition: the same bytes, or where that may be, a sentence and no site."""

    def attempt(desk: Desk) -> None:
        here = desk.fresh()
        given = {name: value.format(here=here) for name, value in more.items()}
        if "TMPDIR" in given:
            Path(given["TMPDIR"]).mkdir(parents=True, exist_ok=True)
        kept = {"MEMORY_WALL_CACHE": str(here / "cache")} if cold else {}
        refused = _same_or_told(desk, here / "site", may_refuse, python, shell, kept | given)
        if refused:
            desk.must(desk.build("--out", str(here / "site")))
            desk.same(here / "site")

    return Fault("conditions", name, attempt)


def _same_or_told(
    desk: Desk, out: Path, may_refuse: bool, python: tuple[str, ...], shell: str, more: dict[str, str]
) -> bool:
    done = desk.build("--out", str(out), python=python, shell=shell, **more)
    if done.code == 1 and may_refuse and "nothing was published" in done.said and not out.exists():
        return True
    desk.must(done)
    desk.same(out)
    return False


def small_cache(name: str, size: str, *, read_only: bool = False) -> Fault:
    """The cache on a disk that is too small, or cannot be written."""

    def attempt(desk: Desk) -> None:
        here = desk.fresh()
        with mounted(here / "disk", size) as disk:
            if read_only:
                subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            desk.must(desk.build("--out", str(here / "site"), MEMORY_WALL_CACHE=str(disk / "cache")))
            desk.same(here / "site")

    return Fault("conditions", name, attempt)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        raise NotHereError("a disk cannot be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def cache_is_a_file(desk: Desk) -> None:
    """Where the cache should be there is a file."""
    here = desk.fresh()
    (here / "cache").write_text("a file", encoding="utf-8")
    desk.must(desk.build("--out", str(here / "site"), MEMORY_WALL_CACHE=str(here / "cache")))
    desk.same(here / "site")


CONDITIONS = [
    condition("Python -OO", python=("-OO",)),
    condition("PYTHONOPTIMIZE=2", cold=False, PYTHONOPTIMIZE="2"),
    condition("TMPDIR of more than 100 characters", TMPDIR="{here}/" + "x" * 100),
    condition("TMPDIR with a blank and é", cold=False, TMPDIR="{here}/a b é"),
    condition("128 open files", shell="ulimit -n 128"),
    condition("64 open files", shell="ulimit -n 64", may_refuse=True),
    condition("32 open files", shell="ulimit -n 32", may_refuse=True),
    condition("4 GiB of address space", shell="ulimit -v 4194304", may_refuse=True),
    condition("2 GiB of address space", shell="ulimit -v 2097152", may_refuse=True),
    condition("500 MB of address space", shell="ulimit -v 500000", may_refuse=True),
    small_cache("cache on a disk of 1 MB", "1m"),
    small_cache("cache on a disk of 5 MB", "5m"),
    small_cache("cache that cannot be written", "1m", read_only=True),
    Fault("conditions", "cache that is a file", cache_is_a_file),
]


# --------------------------------------------------------------------------------------------------- signals and processes


def signalled(number: int, share: float) -> Fault:
    """A signal to the process that builds, after a share of the time that a build takes."""

    def attempt(desk: Desk) -> None:
        before, text = verify.digests(desk.site), desk.edit()
        process, mark = started(desk)
        time.sleep(share * 4)
        process.send_signal(number)
        said, _ = process.communicate(timeout=BUILD_S)
        no_traceback(said)
        none_left(mark)
        desk.whole()
        published = text in (desk.site / "index.html").read_text(encoding="utf-8")
        if not published and verify.digests(desk.site) != before:
            raise FaultError("neither the old site nor the new one")
        if number != signal.SIGKILL:
            nothing_left(desk)
        desk.must(desk.build())
        nothing_left(desk)

    return Fault("signals", f"{signal.Signals(number).name} after {share:.0%} of four seconds", attempt)


def killed(kind: str) -> Fault:
    """One of the processes of a build is killed, as the system does for want of memory."""

    def attempt(desk: Desk) -> None:
        desk.edit()
        process, mark = started(desk, MEMORY_WALL_CACHE=str(desk.fresh()))
        victim = awaited(mark, kind, process)
        if victim is not None:
            os.kill(victim, signal.SIGKILL)
        said, _ = process.communicate(timeout=BUILD_S)
        no_traceback(said)
        if process.returncode not in (0, 1) or (process.returncode == 1 and "nothing was published" not in said):
            raise FaultError(f"exit code {process.returncode}: {said[-300:]}")
        none_left(mark)
        desk.whole()
        desk.must(desk.build())
        nothing_left(desk)
        if victim is None:
            raise NotHereError("no such process was seen")

    return Fault("killed processes", kind, attempt)


def started(desk: Desk, **more: str) -> tuple[subprocess.Popen[str], str]:
    """A build that has begun, and the mark of its processes."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis", "build"], cwd=desk.book.folder, text=True,
        env=desk.book.environment(**{MARK: mark}, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one thread
    )  # fmt: skip
    return process, mark


def processes(mark: str) -> dict[int, tuple[int, str]]:
    """Number → (its parent's, command line) of each process of a build."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
                found[int(folder.name)] = (parent, (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, ValueError):
            continue
    return found


def awaited(mark: str, kind: str, process: subprocess.Popen[str]) -> int | None:
    """The number of a process of this kind as soon as there is one."""
    while process.poll() is None:
        if (found := of_kind(processes(mark), process.pid).get(kind)) is not None:
            time.sleep(0.3)
            return found
        time.sleep(0.02)
    return None


def of_kind(all_of_them: dict[int, tuple[int, str]], main: int) -> dict[str, int]:
    """Kind → one process of it."""
    found: dict[str, int] = {}
    for number, (parent, line) in all_of_them.items():
        if parent == main and "resource_tracker" in line:
            found["tracker"] = number
        elif parent == main and "forkserver" in line:
            found["fork server"] = number
        elif parent == main and number != main:
            found["page writer"] = number
    below = {"worker": "fork server", "mother": "worker", "kernel": "mother"}
    for kind, above in below.items():
        mine = [number for number, (parent, _) in all_of_them.items() if parent == found.get(above)]
        if mine:
            found[kind] = mine[0]
    return found


def none_left(mark: str) -> None:
    """No process of the build lives on."""
    end = time.monotonic() + 10
    while left := processes(mark):
        if time.monotonic() > end:
            raise FaultError(f"still running: {next(iter(left.values()))[1][:80]}")
        time.sleep(0.05)


def no_traceback(said: str) -> None:
    """What was said is no traceback."""
    if "Traceback" in said:
        raise FaultError(f"a traceback: {said.strip().splitlines()[-1]}")


def nothing_left(desk: Desk) -> None:
    """Neither beside the site nor in the folder for temporary files lies anything of a build."""
    left = [*desk.site.parent.glob(".html.workshop-*"), *Path(tempfile.gettempdir()).glob("mw-????????")]
    left += Path(tempfile.gettempdir()).glob("pymp-*")
    if left:
        raise FaultError(f"left behind: {left[0]}")


# --------------------------------------------------------------------------------------- records, belongings, kept results

RECORDS = {"truncated": '{"edition": "2026.10", "para', "empty": "", "a list": "[]", "empty braces": "{}", "null": "null",
           "deep": "[" * 100_000, "no UTF-8": "\udcff"}  # fmt: skip


def with_edition(desk: Desk) -> Path:
    """A frozen edition in the site; its folder."""
    frozen = desk.site / "editions" / "2026.10"
    if not frozen.exists():
        copied = Path(shutil.copytree(desk.site, desk.fresh() / "copy", ignore=shutil.ignore_patterns("editions")))
        record = json.loads((copied / "edition.json").read_text(encoding="utf-8")) | {"edition": "2026.10"}
        (copied / "edition.json").write_text(json.dumps(record), encoding="utf-8")
        verify.seal(copied)
        shutil.copytree(copied, frozen)
        desk.edit()
        desk.must(desk.build())
    return frozen


def damaged(name: str, damage: Callable[[Path], object]) -> Fault:
    """A frozen edition is damaged: the build names it and does nothing; put back, it builds."""

    def attempt(desk: Desk) -> None:
        frozen = with_edition(desk)
        kept = Path(shutil.copytree(frozen, desk.fresh() / "kept"))
        damage(frozen)
        desk.edit()
        try:
            desk.must(desk.build(), 2, "2026.10", "Put it back")
        finally:
            shutil.rmtree(frozen, ignore_errors=True)
            shutil.copytree(kept, frozen)
        desk.must(desk.build())
        desk.whole()

    return Fault("editions", name, attempt)


def _recorded(text: str) -> Callable[[Path], object]:
    return lambda frozen: (frozen / "edition.json").write_text(text, encoding="utf-8", errors="surrogateescape")


EDITIONS = [
    *(damaged(f"record {name}", _recorded(text)) for name, text in RECORDS.items()),
    damaged("record missing", lambda frozen: (frozen / "edition.json").unlink()),
    damaged("page changed", lambda frozen: (frozen / "index.html").write_text("changed", encoding="utf-8")),
    damaged("page added", lambda frozen: (frozen / "added.html").write_text("added", encoding="utf-8")),
    damaged("half deleted", lambda frozen: shutil.rmtree(frozen / "figures")),
    damaged("gone", shutil.rmtree),
]


def own_files(desk: Desk) -> None:
    """What people keep in a site stays through two builds."""
    files = (".git/HEAD", ".nojekyll", "CNAME", "thesis.tex", "mydata/a.csv", "figures/mine.txt")
    for name in files:
        (desk.site / name).parent.mkdir(parents=True, exist_ok=True)
        (desk.site / name).write_text(name, encoding="utf-8")
    for _ in range(2):
        desk.edit()
        desk.must(desk.build())
        if lost := [name for name in files if not (desk.site / name).exists()]:
            raise FaultError(f"lost: {lost}")
    for name in files:
        (desk.site / name).unlink()


def temporary_files(desk: Desk) -> None:
    """What people keep in the folder for temporary files under names like ours stays."""
    places = [Path(tempfile.gettempdir(), name) for name in ("mw-2024-thesis", "mw-abcdefgh", ".html.workshop-mine")]
    places += [desk.site.with_name(".html.workshop-mine"), desk.site.with_name(".html.old-mine")]
    for place in places:
        place.mkdir(exist_ok=True)
        (place / "thesis.tex").write_text("years of work", encoding="utf-8")
    desk.edit()
    desk.must(desk.build())
    lost = [place for place in places if not (place / "thesis.tex").exists()]
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    if lost:
        raise FaultError(f"lost: {lost}")


def spoilt(name: str, spoil: Callable[[list[Path], random.Random], object]) -> Fault:
    """Kept results are damaged: the site is the same."""

    def attempt(desk: Desk) -> None:
        here = desk.fresh()
        cache = Path(shutil.copytree(desk.book.folder / "_build" / "cache", here / "cache"))
        entries = sorted(path for path in cache.glob("*/??/*") if path.is_file())
        spoil(entries, random.Random(2026))
        desk.must(desk.build("--out", str(here / "first")))
        desk.must(desk.build("--out", str(here / "site"), MEMORY_WALL_CACHE=str(cache)))
        if verify.digests(here / "site") != verify.digests(here / "first"):
            raise FaultError("another site than with sound results")

    return Fault("kept results", name, attempt)


def _each(change: Callable[[bytes], bytes]) -> Callable[[list[Path], random.Random], object]:
    return lambda entries, _: [path.write_bytes(change(path.read_bytes())) for path in entries]


def _exchanged(entries: list[Path], chance: random.Random) -> None:
    chance.shuffle(entries)
    contents = [path.read_bytes() for path in entries]
    for path, content in zip(entries, contents[1:] + contents[:1], strict=True):  # so that none keeps its own
        path.write_bytes(content)


def _replaced(make: Callable[[Path], object]) -> Callable[[list[Path], random.Random], object]:
    def spoil(entries: list[Path], _: random.Random) -> None:
        for path in entries:
            path.unlink()
            make(path)

    return spoil


DAMAGES = {
    "a bit flipped in each": _each(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "each truncated": _each(lambda content: content[: len(content) // 2]),
    "each empty": _each(lambda content: content[:0]),
    "each another's": _exchanged,
    "each a folder": _replaced(Path.mkdir),
    "each a pipe": _replaced(os.mkfifo),
    "each a link to /dev/zero": _replaced(lambda path: path.symlink_to("/dev/zero")),
}
KEPT = [spoilt(name, spoil) for name, spoil in DAMAGES.items()]


# ---------------------------------------------------------------------------------------------------------------- sweeps

N_RESULT = 12
SWEEP = ("--set", f"reading_speed_word_per_min=200:310:{N_RESULT}", "--numbers", "index-iphone-14-fp16", "--jobs", "2")
STOPPED = ((signal.SIGKILL, 1), (signal.SIGKILL, N_RESULT // 2), (signal.SIGTERM, N_RESULT // 2), (signal.SIGINT, 1))
"""What ends a sweep, and how many results are there then."""
SPOILT = ("a bit flipped in each", "each another's", "each a pipe", "each a link to /dev/zero")


def sweeping(desk: Desk, out: Path) -> tuple[subprocess.Popen[str], str]:
    """A sweep of the book that has begun, and the mark of its processes."""
    mark, cache = uuid.uuid4().hex, desk.folder / "cache of sweeps"
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis", "sweep", *SWEEP, "--out", str(out)], cwd=ROOT, text=True,
        env=os.environ | {MARK: mark, "MEMORY_WALL_CACHE": str(cache)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one thread
    )  # fmt: skip
    return process, mark


def swept(desk: Desk, out: Path) -> Done:
    """A sweep to its end."""
    process, mark = sweeping(desk, out)
    said, _ = process.communicate(timeout=BUILD_S)
    no_traceback(said)
    none_left(mark)
    return Done(process.returncode, said)


def results(out: Path) -> list[Path]:
    """The results that a sweep has kept."""
    return sorted(out.glob("objects/*/*.json"))


def gone_on_with(desk: Desk, out: Path, n_found: int) -> None:
    """The same sweep again repeats nothing of what it finds, and ends as one that nobody disturbed."""
    before = {path: path.stat().st_mtime_ns for path in results(out)} if n_found else {}
    desk.must(swept(desk, out), 0, f", {n_found} were there")
    if any(path.stat().st_mtime_ns != then for path, then in before.items()):
        raise FaultError("a result was computed twice")
    undisturbed = desk.folder / "undisturbed sweep"
    if not undisturbed.exists():
        desk.must(swept(desk, undisturbed))
    for name in ("index.csv", "summary.md", "manifest.json"):
        if (out / name).read_bytes() != (undisturbed / name).read_bytes():
            raise FaultError(f"another {name} than of a sweep that nobody disturbed")


def sweep_ended(number: int, n_result: int) -> Fault:
    """A signal to a sweep that has some results, which then goes on."""

    def attempt(desk: Desk) -> None:
        out = desk.fresh() / "out"
        process, mark = sweeping(desk, out)
        while len(results(out)) < n_result and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(number)
        said, _ = process.communicate(timeout=BUILD_S)
        no_traceback(said)
        none_left(mark)
        if number != signal.SIGKILL and process.returncode and "what was found so far is kept" not in said:
            raise FaultError(f"exit code {process.returncode}, {said[-300:]!r}")
        gone_on_with(desk, out, len(results(out)))

    return Fault("sweeps", f"{signal.Signals(number).name} at {n_result} of {N_RESULT} results", attempt)


def sweep_on_a_full_disk(desk: Desk) -> None:
    """A sweep whose disk is full says so, and goes on from there on a larger one."""
    here = desk.fresh()
    with mounted(here / "disk", "40k") as disk:
        desk.must(swept(desk, disk / "out"), 1, "the sweep stopped: no space left on device")
        if (disk / "out" / "manifest.json").exists():
            raise FaultError("it says that it came to its end")
        shutil.copytree(disk / "out", here / "larger")
    gone_on_with(desk, here / "larger", len(results(here / "larger")))


def sweep_spoilt(name: str, spoil: Callable[[list[Path], random.Random], object]) -> Fault:
    """All results are damaged: they are computed again."""

    def attempt(desk: Desk) -> None:
        out = desk.fresh() / "out"
        desk.must(swept(desk, out))
        spoil(results(out), random.Random(2026))
        gone_on_with(desk, out, 0)

    return Fault("sweeps", name, attempt)


SWEEPS = [
    *(sweep_ended(number, n_result) for number, n_result in STOPPED),
    Fault("sweeps", "a full disk", sweep_on_a_full_disk),
    *(sweep_spoilt(f"results, {name}", DAMAGES[name]) for name in SPOILT),
]


# ------------------------------------------------------------------------------------------------------ serving, addresses

ADDRESSES = ("ftp://example.org", "example.org", "https://", "https://a b", "https://example.org/?q", "https://example.org/#x",
             "https://user:word@example.org", "https://example.org/\"x", "https://example.org/<x>", "javascript:alert(1)",
             "https://example.org:99999", "https://exa mple.org", "https://example.org/../x", "https://é.example")  # fmt: skip


def addresses(desk: Desk) -> None:
    """An address that is none is refused before anything is built."""
    for given in ADDRESSES:
        desk.must(desk.build("--address", given), 2, "--address")


REQUESTS = {
    "GET / HTTP/1.1\r\nHost: evil.example": 403, "GET / HTTP/1.1\r\nHost: evil.example:{port}": 403, "GET / HTTP/1.1": 403,
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:1": 403, "GET /%00 HTTP/1.1\r\nHost: localhost:{port}": 404,
    "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost:{port}": 404, "GET /link/passwd HTTP/1.1\r\nHost: localhost:{port}": 404,
    "GET /link/x.html HTTP/1.1\r\nHost: localhost:{port}": 404, "GET /tables/ HTTP/1.1\r\nHost: localhost:{port}": 404,
    "GET /{long} HTTP/1.1\r\nHost: localhost:{port}": 404, "GET / HTTP/1.1\r\nHost: localhost:{port}": 200,
    "GET /index.html HTTP/1.1\r\nHost: [::1]:{port}": 200, "HEAD /figures.json HTTP/1.1\r\nHost: 127.0.0.1:{port}": 200,
}  # fmt: skip
"""Request → the status that answers it."""


def requests(desk: Desk) -> None:
    """Odd requests to the server get an answer, and nothing but the site."""
    from analysis.book import view

    site = Path(shutil.copytree(desk.site, desk.fresh() / "site"))
    (site / "link").symlink_to("/etc")
    with view.listening(view.View(site), 0) as server:
        port = server.server_port
        for request, expected in REQUESTS.items():
            text = request.format(port=port, long="x" * 5000) + "\r\nConnection: close\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port), timeout=10) as asked:
                asked.sendall(text.encode())
                status = asked.recv(2000).split(b" ")[1:2]
            if status != [str(expected).encode()]:
                raise FaultError(f"{request[:60]!r}: {status} in place of {expected}")


def hostile(case: Hostile) -> Fault:
    """A hostile input of a kind: a message in time, without much memory."""

    def attempt(_: Desk) -> str:
        ended, wrong = tests.hostile.tried(case)
        if wrong:
            raise FaultError(f"{wrong}; {ended.said.strip()[-200:]!r}")
        return f"{ended.cpu_s:.1f} s of work and {ended.byte / 1e6:.0f} MB"

    return Fault(f"hostile {case.name.partition(':')[0]}", case.name, attempt)


def faults() -> list[Fault]:
    """All of them; ``fairly`` has the order in which they are tried."""
    return [
        *CONDITIONS,
        *(killed(kind) for kind in PROCESSES),
        *(signalled(number, (at + 0.5) / INSTANTS) for number in SIGNALS for at in range(INSTANTS)),
        *EDITIONS,
        Fault("other people's files", "in the site", own_files),
        Fault("other people's files", "beside it and in the folder for temporary files", temporary_files),
        *KEPT,
        *SWEEPS,
        Fault("addresses", f"{len(ADDRESSES)} that are none", addresses),
        Fault("serving", f"{len(REQUESTS)} odd requests", requests),
        *map(hostile, tests.hostile.CASES),
    ]


# ---------------------------------------------------------------------------------------------------------------- telling


def tried(fault: Fault, desk: Desk) -> str:
    """What came of it: held, or not, or not tried here, with what was seen."""
    try:
        took = fault.attempt(desk)
    except NotHereError as reason:
        return f"not tried: {reason}"
    except FaultError as seen:
        return f"failed: {seen}"
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}"
    return f"held: {took}" if took else "held"


def fairly(wanted: list[Fault], spent: dict[str, float]) -> Iterator[Fault]:
    """The next one is of the area that took the least time so far: where time runs out, no area has gone without."""
    waiting: dict[str, list[Fault]] = {}
    for fault in wanted:
        waiting.setdefault(fault.area, []).append(fault)
        spent.setdefault(fault.area, 0.0)
    while waiting:
        area = min(waiting, key=lambda area: spent[area])
        yield waiting[area].pop(0)
        waiting = {area: left for area, left in waiting.items() if left}


def table(outcomes: dict[Fault, str], spent: dict[str, float]) -> str:
    """Area by area: how many were tried, held, failed, and not tried, and how long that took."""
    rows = ["| Area | Tried | Held | Failed | Not tried | Seconds |", "|---|---|---|---|---|---|"]
    for area, seconds in spent.items():
        found = [outcome.partition(":")[0] for fault, outcome in outcomes.items() if fault.area == area]
        counts = [len(found) - found.count("not tried"), *map(found.count, ("held", "failed", "not tried"))]
        rows.append(f"| {area} | {' | '.join(map(str, counts))} | {seconds:.0f} |")
    told = [f"- {fault.area}, {fault.name}: {said}" for fault, said in outcomes.items() if not said.startswith("held")]
    return "\n".join([*rows, "", *told])


def main() -> None:
    """Try what is asked for, within the time; exit code 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[""], help="Faults whose area or name holds one of these. Without it: all."
    )
    parser.add_argument("--minutes", type=float, default=LONGEST_S / 60, help="The most it may take. Without it: 20.")
    given = parser.parse_args()
    end, outcomes = time.monotonic() + given.minutes * 60, {}
    spent: dict[str, float] = {}
    wanted = [fault for fault in faults() if any(part in f"{fault.area} {fault.name}" for part in given.only)]
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = str(Path(folder, "t"))
        Path(folder, "t").mkdir()
        Path(folder, "apart").mkdir()
        desks = [
            Desk(Path(folder)),
            Desk(Path(folder, "apart")),
        ]  # conditions are compared with a book that nobody edits
        for fault in fairly(wanted, spent):
            begun = time.monotonic()
            desk = desks[fault.area == CONDITIONS[0].area]
            outcomes[fault] = tried(fault, desk) if begun < end else "not tried: no time left"
            spent[fault.area] += (took := time.monotonic() - begun)
            print(f"{took:6.1f} s  {fault.area}, {fault.name}: {outcomes[fault]}", flush=True)
    print(f"\n{table(outcomes, spent)}")
    sys.exit(any(outcome.startswith("failed") for outcome in outcomes.values()))


if __name__ == "__main__":
    main()
