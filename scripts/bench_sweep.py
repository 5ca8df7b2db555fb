"""How fast a sweep is, as ratios on this machine in this run, and what 10,000 editions would take by these figures: ``make bench``.

Sweeps of numbers and verdicts, of figures and of whole sites are timed locally and by two workers of Dask, in turn, as often as the
machine's noise asks for, each with a cache of its own; against them a shell loop of ``memory-wall build``.  The loop is not run to its
end: its first builds are timed, and those after the first are multiplied.  Figures and sites are timed with fewer editions, and the
table says with how many.  What one more edition takes is told by a sweep that grows.

    python scripts/bench_sweep.py --rounds 0 --save my-data      # what one more takes, as rows for a build
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from bench_build import noise, spread
from bench_large import run

from analysis.book.store import cache
from analysis.sweep import costs
from analysis.tables import overlay

ROOT = Path(__file__).resolve().parents[1]
GOAL = 20.0
"""So many times as fast as the loop a sweep of numbers should be."""
GOAL_DASK = 0.85
"""Share of the local pool's throughput that two workers of Dask should have."""
EDITIONS = {"numbers": 200, "figures": 4, "site": 4}
DASK = ("--executor", "local-cluster")
GOALS = "Goals: files that one parameter changes at most 16 MB an edition; kept of them, packed, at most 6 MB."
SPEEDS = (160.0, 340.0)


def timed(*arguments: str, **more: str) -> float:
    """Seconds that a command takes; a failure ends the benchmark with what it said."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "analysis", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | more, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return time.perf_counter() - begun


def asked(folder: Path, kind: str, editions: int) -> list[str]:
    """What a sweep in a folder is asked for, whose editions differ in reading speed."""
    speeds = f"{SPEEDS[0]:g}" if editions == 1 else f"{SPEEDS[0]:g}:{SPEEDS[1]:g}:{editions}"
    given = ["--set", f"reading_speed_word_per_min={speeds}", "--numbers", "index,verdicts", "--only", kind]
    return [*given, "--jobs", "2", "--out", str(folder / "sweep")]


def swept(folder: Path, kind: str, editions: int, *more: str) -> float:
    """Seconds of such a sweep, with a cache of its own."""
    return timed("sweep", *asked(folder, kind, editions), *more, MEMORY_WALL_CACHE=str(folder / "cache"))


def starting() -> float:
    """Seconds until two workers of Dask are there, in a process of its own."""
    code = "from analysis.book.run.executors import Engine\nwith Engine('local-cluster', 2).opened(): pass"
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - begun


def in_turn(folder: Path, kind: str, given: argparse.Namespace) -> list[tuple[float, float | None]]:
    """Seconds of the same sweep locally and by Dask without its start, in turn, so that a slow minute of the machine falls on both."""
    has_dask = importlib.util.find_spec("distributed") is not None
    found = []
    for number in range(given.rounds):
        at = folder / f"{kind}-{number}"
        local = swept(at / "local", kind, given.editions[kind])
        by_dask = swept(at / "dask", kind, given.editions[kind], *DASK) - starting() if has_dask else None
        told = f", Dask {by_dask:.1f} s once it has started" if by_dask else ""
        print(f"{kind}, round {number + 1}: local {local:.1f} s{told}", file=sys.stderr, flush=True)
        found.append((local, by_dask))
    return found


def builds(folder: Path, count: int) -> tuple[list[float], list[Path]]:
    """Seconds of builds with settings of their own, of which the first fills a cache; and where the sites are."""
    found, sites = [], []
    for number in range(count + 1):
        sites.append(folder / f"build-{number}")
        speed = f"reading_speed_word_per_min={SPEEDS[0] + 7 * number:g}"
        seconds = timed("build", "--set", speed, "--out", str(sites[-1]), MEMORY_WALL_CACHE=str(folder / "cache"))
        found.append(seconds)
        print(f"build {number}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return found, sites


def sizes(site: Path) -> dict[str, int]:
    """Digest → bytes of each distinct file of a site."""
    return {cache.file_digest(path): path.stat().st_size for path in site.rglob("*") if path.is_file()}


def folder_byte(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def further(folder: Path, kind: str, editions: int) -> tuple[float, float]:
    """CPU-seconds and bytes of each edition after the first: a sweep of one is made one of more, less what a sweep takes that finds all."""
    found = []
    for count in (1, editions, editions):
        used, _ = run("sweep", *asked(folder, kind, count), MEMORY_WALL_CACHE=str(folder / "cache"))
        found.append((used, folder_byte(folder / "sweep")))
    (_, before), (used, after), (idle, _) = found
    return (used - idle) / (editions - 1), (after - before) / (editions - 1)


def measured(folder: Path, counts: Mapping[str, int], sites: list[Path]) -> pd.DataFrame:
    """Rows of ``sweep_costs``; what sites take that are not kept as a sweep keeps them is told by those that were built."""
    found: dict[str, tuple[float, float, int]] = {}
    for kind, count in counts.items():
        found[kind] = (*further(folder / f"{kind}-further", kind, count), count - 1)
        print(f"{kind}, one more: {found[kind][0]:.3g} CPU-s, {found[kind][1]:,.0f} bytes", file=sys.stderr, flush=True)
    if "site" in found:
        first, *others = map(sizes, sites)
        own = statistics.mean(sum(byte for digest, byte in one.items() if digest not in first) for one in others)
        whole = statistics.mean(map(folder_byte, sites[1:]))
        found |= {
            name: (found["site"][0], byte, len(others)) for name, byte in (("site-folder", whole), ("site-file", own))
        }
    day = f"{datetime.now(tz=UTC):%Y-%m-%d}"
    note = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    rows = [
        (kind, float(f"{used:.3g}"), round(byte), count, day, overlay.SOURCE["source_id"], "measured", note)
        for kind in costs.KINDS
        if kind in found
        for used, byte, count in [found[kind]]
    ]
    columns = ["kind", "processor_time_s", "kept_byte", "n_edition", "date", "source_id", "confidence", "note"]
    return pd.DataFrame(rows, columns=columns)


def paper_plan(filed: pd.DataFrame) -> str:
    """What 10,000 editions take, in Markdown."""
    plan = costs.planned(filed)
    told = [[str(one) if isinstance(one, str) else f"{one:,.3g}" for one in row] for row in plan.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in [plan.columns.to_list(), ["---"] * len(plan.columns), *told])


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in EDITIONS.items():
        arguments.add_argument(f"--{kind}", type=int, default=count, help=f"Editions of a sweep of {kind}; 0: none.")
    arguments.add_argument(
        "--rounds", type=int, default=3, help="So often each sweep is timed locally and by Dask; 0: never."
    )
    arguments.add_argument(
        "--save", type=Path, metavar="DIR", help="Data folder that gets what one more edition takes, as rows."
    )
    arguments.add_argument("--builds", type=int, default=3, help="Builds by which the loop is reckoned.")
    arguments.add_argument(
        "--out", type=Path, default=ROOT / "_build" / "bench-sweep.json", help="Where the numbers are kept."
    )
    given = arguments.parse_args()
    if 1 in (given.numbers, given.figures, given.site) or given.builds < 1:
        arguments.error("a sweep needs two editions at least, and the loop a build after its first")
    given.editions = {kind: getattr(given, kind) for kind in EDITIONS if getattr(given, kind)}
    jitter = noise()
    with tempfile.TemporaryDirectory(prefix="bench-") as held:
        folder = Path(held)
        sweeps = {kind: in_turn(folder, kind, given) for kind in given.editions}
        loop, made = builds(folder, given.builds)
        print(report(given, sweeps, loop, [*jitter, *noise()]))
        filed = measured(folder, given.editions, made)
        print(f"\n{costs.EDITIONS:,} editions on {costs.CORES} cores:\n\n{paper_plan(filed)}\n\n{GOALS}")
    if given.save:
        given.save.mkdir(parents=True, exist_ok=True)
        filed.to_csv(given.save / "sweep_costs.csv", index=False)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"sweeps_s": sweeps, "build_s": loop}), encoding="utf-8")


def report(
    given: argparse.Namespace,
    sweeps: dict[str, list[tuple[float, float | None]]],
    loop: list[float],
    jitter: list[float],
) -> str:
    """The table, in Markdown."""
    first, *others = loop
    lines = [
        f"Against a shell loop of builds: {first:.1f} s the first, {spread(others)} s each of {len(others)} more.", "",
        "| sweep of | editions | local, 2 processes, s | times as fast as the loop | 2 workers of Dask, started, s | throughput to local |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for kind, rounds in ((kind, rounds) for kind, rounds in sweeps.items() if rounds):
        local, dask = [one for one, _ in rounds], [other for _, other in rounds if other is not None]
        count, ratios = given.editions[kind], [one / other for one, other in rounds if other]
        faster = (first + statistics.median(others) * (count - 1)) / statistics.median(local)
        goal = f", goal ≥ {GOAL:g}" if kind == "numbers" else ""
        share = f"{middle(ratios)}, goal ≥ {GOAL_DASK}" if ratios else ""
        lines.append(f"| {kind} | {count} | {spread(local)} | {faster:,.1f}{goal} | {spread(dask)} | {share} |")
    return "\n".join(
        [*lines, "", f"Noise of the machine: {100 * statistics.stdev(jitter) / statistics.mean(jitter):.0f} % standard deviation; "
         f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."]
    )  # fmt: skip


def middle(ratios: list[float]) -> str:
    """The median, and the least and the most."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


if __name__ == "__main__":
    main()
