"""How fast the build is, as ratios to the plain route on the same machine in the same run: ``make bench``.

The plain route is what one types without this package's engine: a ``papermill`` command per chapter, then ``jupyter-book build``,
for the same chapters and the same figures.  Four situations are timed: nothing there yet (cold), one row of ``devices.csv``
changed, one sentence changed, nothing changed.  For an author who has the book served, the seconds are those until the open page
shows a change, and the ratio is to a build after the same change.  Every number is the median of several runs with its spread; the
noise of the machine itself is timed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns("_build", ".venv", "__pycache__", ".*_cache", "*.egg-info", ".hypothesis")
SAMPLE_S = 0.1
GOALS = {"cold": 3.0, "one device row": 5.0, "one sentence": 5.0}
NOTHING_S = 1.0


class Copy:
    """A copy of the repository that a benchmark may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True))
        self.touched = 0

    @property
    def environment(self) -> dict[str, str]:
        """As a user has it; bytecode is kept, which everybody's Python does."""
        left_out = {"PYTHONDONTWRITEBYTECODE", "MEMORY_WALL_CACHE", "MEMORY_WALL_DATA"}
        return {name: value for name, value in os.environ.items() if name not in left_out} | {
            "PYTHONPATH": str(self.folder)
        }

    def chapters(self) -> list[str]:
        """The names of the chapters."""
        content = yaml.safe_load((self.folder / "_toc.yml").read_text(encoding="utf-8"))
        return [Path(content["root"]).name] + [
            Path(entry["file"]).name for part in content["parts"] for entry in part["chapters"]
        ]

    def change_row(self) -> None:
        """One device, with another memory bandwidth than before."""
        path = self.folder / "data" / "devices.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        column = lines[0].split(",").index("memory_bandwidth_gbyte_per_s")
        row = next(number for number, line in enumerate(lines) if line.startswith("iphone-14,"))
        cells = lines[row].split(",")
        cells[column] = f"{float(cells[column]) + 0.1:.1f}"
        lines[row] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def change_sentence(self) -> None:
        """One more sentence at the end of a chapter."""
        self.touched += 1
        with (self.folder / "chapters" / "dram_capacity.md").open("a", encoding="utf-8") as file:
            file.write(f"\nThis is sentence {self.touched}.\n")


class Engine(Copy):
    """The build of this package."""

    def build(self) -> None:
        """``memory-wall build``."""
        run([sys.executable, "-m", "analysis", "build"], self)

    def cold(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder / "_build", ignore_errors=True)


class Plain(Copy):
    """The plain route: text notebooks converted, a papermill command for each, then jupyter-book."""

    def build(self, chapters: list[str] | None = None) -> None:
        """Execute ``chapters`` (all of them, without) and render the book; nothing is remembered of pictures drawn before."""
        source = self.folder / "plain"
        self._stage(source)
        more = {"MEMORY_WALL_BUILDING": "1", "MEMORY_WALL_CACHE": tempfile.mkdtemp(prefix="bench-", dir=self.folder)}
        for name in chapters or self.chapters():
            written, executed = source / "in" / f"{name}.ipynb", source / "chapters" / f"{name}.ipynb"
            run(
                [
                    tool("jupytext"),
                    "--quiet",
                    "--to",
                    "ipynb",
                    "--output",
                    str(written),
                    str(self.folder / "chapters" / f"{name}.md"),
                ],
                self,
            )
            run(
                [
                    tool("papermill"),
                    "--no-progress-bar",
                    "--cwd",
                    str(self.folder / "chapters"),
                    str(written),
                    str(executed),
                ],
                self,
                **more,
            )
        run([tool("jupyter-book"), "build", str(source)], self, **more)

    def _stage(self, source: Path) -> None:
        for folder in ("in", "chapters"):
            (source / folder).mkdir(parents=True, exist_ok=True)
        config = yaml.safe_load((self.folder / "_config.yml").read_text(encoding="utf-8"))
        config["execute"]["execute_notebooks"] = "off"
        config["exclude_patterns"] = [*config["exclude_patterns"], "in"]
        (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        shutil.copyfile(self.folder / "_toc.yml", source / "_toc.yml")

    def cold(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder / "plain", ignore_errors=True)


def tool(name: str) -> str:
    """The command of the environment this runs in."""
    return str(Path(sys.executable).parent / name)


def run(command: list[str], copy: Copy, **more: str) -> None:
    """Run a command in a copy; a failure ends the benchmark with what it said."""
    done = subprocess.run(
        command, cwd=copy.folder, env=copy.environment | more, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def timed(action: Callable[[], Any]) -> float:
    """Seconds an action takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


@contextmanager
def watched() -> Iterator[list[int]]:
    """The memory of this process's descendants while something runs: a list whose largest entry is the peak, in bytes."""
    samples, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_S):
            samples.append(sum(map(proportional_byte, descendants(os.getpid()))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def descendants(pid: int) -> list[int]:
    """All processes below one, the process itself not counted."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found = list(children.get(pid, []))
    for one in found:
        found.extend(children.get(one, []))
    return found


def proportional_byte(pid: int) -> int:
    """The memory of a process, what it shares with others counted in shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def noise() -> list[float]:
    """The same piece of work a dozen times: how much this machine's seconds differ among themselves."""
    return [timed(lambda: sum(number * number for number in range(2_000_000))) for _ in range(12)]


FLOOR = """
import sys, time, pathlib, tempfile
begun = time.perf_counter()
import analysis.book.run.preload, jupyter_book.sphinx
from analysis.book import site
from analysis.book.inputs import parameters
from analysis.book.record import marks
from analysis.book.run import execution
imports = time.perf_counter() - begun
folder = pathlib.Path(tempfile.mkdtemp())
data = site.merged_data(None, folder / "data")
plan = execution.Plan(execution.Chapter(path, parameters.defaults(), data) for path in site.chapter_files())
assert not plan.stale
site._stage(folder / "source", plan.run(None, lambda name, outputs: None))
begun = time.perf_counter()
site.render(folder / "source", folder / "site", parameters.defaults(), data, site.Request(), marks.Marks())
print(imports, time.perf_counter() - begun)
"""


def floor(engine: Engine) -> tuple[float, float]:
    """Seconds for importing everything once, and for Sphinx alone with every chapter executed and every picture drawn."""
    done = subprocess.run(
        [sys.executable, "-c", FLOOR],
        cwd=engine.folder,
        env=engine.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    imports, sphinx = map(float, done.stdout.split()[-2:])
    return imports, sphinx


def situations(engine: Engine, plain: Plain, runs: int, plain_runs: int) -> dict[str, dict[str, list[float]]]:
    """Situation → route → seconds of each run."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, prepare in (("cold", "cold"), ("one device row", "change_row"), ("one sentence", "change_sentence")):
        found[name] = {"plain": [], "engine": []}
        for route, copy, times in (("plain", plain, plain_runs), ("engine", engine, runs)):
            for _ in range(times):
                getattr(copy, prepare)()
                found[name][route].append(timed(copy.build))
                print(f"{name}, {route}: {found[name][route][-1]:.1f} s", file=sys.stderr, flush=True)
    careful = []
    for _ in range(plain_runs):
        plain.change_sentence()
        careful.append(timed(lambda: plain.build(["dram_capacity"])))
    found["one sentence, that chapter alone"] = {"plain": careful, "engine": found["one sentence"]["engine"]}
    found["nothing changed"] = {"plain": [], "engine": [timed(engine.build) for _ in range(max(runs, 3))]}
    return found


SERVED = {"one sentence": ("dram_capacity", 2.0), "one device row": ("memory_wall", 6.0)}
"""Situation → the chapter that is open, which the change reaches, and the seconds in which it is to be shown."""


def followed(engine: Engine, runs: int) -> dict[str, list[float]]:
    """Situation → seconds from the change to the page that shows it, each time after everything before was built."""
    found: dict[str, list[float]] = {name: [] for name in SERVED}
    with served(engine) as address:
        for name, prepare in (("one sentence", engine.change_sentence), ("one device row", engine.change_row)):
            page = f"{address}/chapters/{SERVED[name][0]}.html"
            for _ in range(runs):
                until(partial(settled, address, page))
                time.sleep(REST_S)
                found[name].append(timed(partial(change, prepare, page)))
                print(f"{name}, shown: {found[name][-1]:.1f} s", file=sys.stderr, flush=True)
    return found


def change(prepare: Callable[[], None], page: str) -> None:
    """Change something, and wait for the page that shows it."""
    before = mark(page)
    prepare()
    until(lambda: mark(page) != before)


REST_S = 5.0
"""In which the build after next is begun ahead."""
LONGEST_S = 600.0
LOOK_S = 0.1


@contextmanager
def served(engine: Engine) -> Iterator[str]:
    """The address at which the book is served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "analysis", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=engine.folder, env=engine.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def mark(page: str) -> str:
    """What tells a page as it is shown from another; empty where there is none yet."""
    try:
        with urllib.request.urlopen(page, timeout=10) as answer:
            return "".join(re.findall('data-mark="([^"]*)"', answer.read().decode()))
    except OSError:
        return ""


def settled(address: str, page: str) -> bool:
    """Whether a page is told at once that there is nothing new."""
    asked = f"{address}/-/changes?{mark(page)}&{page.removeprefix(address).lstrip('/')}"
    try:
        with urllib.request.urlopen(asked, timeout=10) as lines:
            return bool(next(iter(lines), b"").startswith(b":"))
    except OSError:
        return False


def until(happened: Callable[[], bool]) -> None:
    """Wait for something; without it there is nothing to measure."""
    end = time.monotonic() + LONGEST_S
    while not happened():
        if time.monotonic() > end:
            sys.exit("the served book does not follow")
        time.sleep(LOOK_S)


def shown(found: dict[str, dict[str, list[float]]], seconds: dict[str, list[float]]) -> list[str]:
    """The table of the author's loop, in Markdown."""
    lines = ["", "| shown by `memory-wall serve` | s | a build takes, times that | goal |", "|---|---|---|---|"]
    for name, taken in seconds.items():
        ratio = statistics.median(found[name]["engine"]) / statistics.median(taken)
        lines.append(f"| {name} | {spread(taken)} | {ratio:.1f} | ≤ {SERVED[name][1]:g} s |")
    return lines


def report(
    found: dict[str, dict[str, list[float]]],
    seconds: dict[str, list[float]],
    peaks: dict[str, int],
    floors: tuple[float, float],
    jitter: list[float],
) -> str:
    """The tables, in Markdown."""
    lines = ["| situation | plain route, s | memory-wall, s | ratio | goal |", "|---|---|---|---|---|"]
    for name, routes in found.items():
        ours, theirs = statistics.median(routes["engine"]), routes["plain"]
        ratio = f"{statistics.median(theirs) / ours:.1f}" if theirs else ""
        goal = f"≥ {GOALS[name]:g}" if name in GOALS else f"≤ {NOTHING_S:g} s" if name == "nothing changed" else ""
        lines.append(f"| {name} | {spread(theirs)} | {spread(routes['engine'])} | {ratio} | {goal} |")
    lines += shown(found, seconds)
    total = sum(floors)
    above = statistics.median(found["one sentence"]["engine"]) / total
    lines += [
        "", f"Floor: importing everything once {floors[0]:.1f} s, Sphinx alone {floors[1]:.1f} s, together {total:.1f} s; "
        f"a build after one sentence takes {above:.2f} times that.",
        f"Peak memory: {', '.join(f'{name} {byte / 2**30:.2f} GiB' for name, byte in peaks.items())}.",
        f"Noise of the machine: the same work took {min(jitter):.3f} to {max(jitter):.3f} s, "
        f"{100 * statistics.stdev(jitter) / statistics.mean(jitter):.0f} % standard deviation; {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the end.",
    ]  # fmt: skip
    return "\n".join(lines)


def spread(seconds: list[float]) -> str:
    """The median, and the least and the most where there are several."""
    if not seconds:
        return ""
    middle = f"{statistics.median(seconds):.1f}"
    return middle if len(seconds) == 1 else f"{middle} ({min(seconds):.1f}–{max(seconds):.1f})"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3, help="Runs of this package's build in each situation.")
    arguments.add_argument("--plain-runs", type=int, default=1, help="Runs of the plain route in each situation.")
    arguments.add_argument(
        "--out", type=Path, default=ROOT / "_build" / "bench.json", help="Where the numbers are kept."
    )
    given = arguments.parse_args()
    jitter = noise()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        engine, plain = Engine(Path(folder) / "engine"), Plain(Path(folder) / "plain")
        engine.build()  # once for the bytecode, which is not what is measured
        peaks, floors = {}, floor(engine)
        found = situations(engine, plain, given.runs, given.plain_runs)
        seconds = followed(engine, given.runs)
        for name, copy in (("memory-wall, cold", engine), ("plain route, cold", plain)):
            copy.cold()
            with watched() as samples:
                copy.build()
            peaks[name] = max(samples)
    print(report(found, seconds, peaks, floors, jitter + noise()))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps(
            {"seconds": found, "shown_s": seconds, "peak_byte": peaks, "floor_s": floors, "noise_s": jitter}, indent=1
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
