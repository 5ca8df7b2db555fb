"""How fast a sweep is, as ratios on this machine in this run, and what 10,000 editions would take by these figures: ``make bench``.

Sweeps of numbers and verdicts, of figures and of whole sites are timed locally and by two workers of Dask, in turn, as often as the
machine's noise asks for, each with a cache of its own; against them a shell loop of ``memory-wall build``.  The loop is not run to its
end: a few builds with settings of their own, over the cache that a loop would have, are timed and multiplied.  Figures and sites are
timed with fewer editions, and the table says with how many.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_build import noise, spread

from analysis.book.store import cache
from analysis.sweep import stored

ROOT = Path(__file__).resolve().parents[1]
GOAL = 20.0
"""So many times as fast as the loop a sweep of numbers should be."""
GOAL_DASK = 0.85
"""Share of the local pool's throughput that two workers of Dask should have."""
EDITIONS = {"numbers": 200, "figures": 12, "site": 4}
DASK = ("--executor", "local-cluster")
GOAL_OWN, GOAL_KEPT = 16_000_000, 6_000_000
"""Bytes of the files that one parameter changes, and of what a store keeps of them."""
PLAN_EDITIONS = 10_000
CORES = 64
SPEEDS = (160.0, 340.0)


def timed(*arguments: str, **more: str) -> float:
    """Seconds that a command takes; a failure ends the benchmark with what it said."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "analysis", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | more, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return time.perf_counter() - begun


def swept(folder: Path, kind: str, editions: int, *more: str) -> float:
    """Seconds of a sweep whose editions differ in reading speed."""
    speeds = f"reading_speed_word_per_min={SPEEDS[0]:g}:{SPEEDS[1]:g}:{max(editions, 2)}"
    arguments = ["--set", speeds, "--numbers", "index,verdicts", "--only", kind, "--jobs", "2"]
    kept = {"MEMORY_WALL_CACHE": str(folder / "cache")}
    return timed("sweep", *arguments, "--out", str(folder / "sweep"), *more, **kept)


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
    """Seconds of builds with settings of their own, after one that fills the cache; and where the sites are."""
    found, sites = [], []
    for number in range(count + 1):
        out = folder / f"build-{number}"
        seconds = timed("build", "--set", f"reading_speed_word_per_min={SPEEDS[0] + 7 * number:g}", "--out", str(out))
        sites.append(out)
        found += [seconds] if number else []
        print(f"build {number}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return found, sites


def sizes(site: Path) -> dict[str, int]:
    """Digest → bytes of each distinct file of a site."""
    return {cache.file_digest(path): path.stat().st_size for path in site.rglob("*") if path.is_file()}


def folder_byte(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def kept_byte(sites: list[Path], store: Path) -> float:
    """Bytes by which a store of sites grows with each after the first, the median."""
    store.mkdir()
    grown: list[int] = []
    for number, site in enumerate(sites):
        stored.keep(site, store, f"{number}")
        grown.append(folder_byte(store))
    return statistics.median(after - before for before, after in itertools.pairwise(grown))


def paper_plan(
    numbers_s: float, build_s: float, sweep_byte: float, sites: list[dict[str, int]], kept: float
) -> list[str]:
    """What 10,000 editions take, with its arithmetic: this machine's figures times editions, and nothing else.

    Args:
        numbers_s: seconds an edition of a sweep of numbers, on this machine as a whole
        build_s: seconds a build of a whole site, on this machine as a whole
        sweep_byte: bytes an edition of a sweep of numbers
        sites: digest → bytes of each file, of sites that differ in one parameter
        kept: bytes by which their store grows with each
    """
    cores = os.cpu_count() or 1
    whole = statistics.median(sum(site.values()) for site in sites)
    own = statistics.median(sum(b for d, b in site.items() if d not in sites[0]) for site in sites[1:])
    rows = [
        ("numbers", numbers_s, sweep_byte, f"{sweep_byte:,.0f}"),
        ("whole sites, each a folder", build_s, whole, f"{whole:,.0f}"),
        (
            "whole sites, each file once",
            build_s,
            own,
            f"{own:,.0f}, the files that one parameter changes; goal ≤ {GOAL_OWN:,}",
        ),
        ("whole sites, as `sweep --only site` keeps them", build_s, kept, f"{kept:,.0f}, packed; goal ≤ {GOAL_KEPT:,}"),
    ]
    lines = [
        f"| {PLAN_EDITIONS:,} editions of | s an edition × {cores} cores | core-hours | minutes on {CORES} cores | bytes an edition | GB |",
        "|---|---|---|---|---|---|",
    ]
    for name, seconds, byte, said in rows:
        core_h = seconds * cores * PLAN_EDITIONS / 3600
        told = [name, f"{seconds:.2f} × {cores}", f"{core_h:,.1f}", f"{core_h / CORES * 60:,.0f}", said]
        lines.append(f"| {' | '.join([*told, f'{byte * PLAN_EDITIONS / 1e9:,.1f}'])} |")
    return [*lines, "", "Linear in editions and in cores; measured at the sizes above, extrapolated beyond."]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in EDITIONS.items():
        arguments.add_argument(f"--{kind}", type=int, default=count, help=f"Editions of a sweep of {kind}; 0: none.")
    arguments.add_argument("--rounds", type=int, default=3, help="So often each sweep is timed locally and by Dask.")
    arguments.add_argument("--builds", type=int, default=3, help="Builds by which the loop is reckoned.")
    arguments.add_argument(
        "--out", type=Path, default=ROOT / "_build" / "bench-sweep.json", help="Where the numbers are kept."
    )
    given = arguments.parse_args()
    given.editions = {kind: getattr(given, kind) for kind in EDITIONS if getattr(given, kind)}
    jitter = noise()
    with tempfile.TemporaryDirectory(prefix="bench-") as held:
        folder = Path(held)
        sweeps = {kind: in_turn(folder, kind, given) for kind in given.editions}
        loop, made = builds(folder, given.builds)
        print(report(given, sweeps, loop, [*jitter, *noise()]))
        if given.numbers:
            local = statistics.median(seconds for seconds, _ in sweeps["numbers"]) / given.numbers
            byte = folder_byte(folder / "numbers-0" / "local" / "sweep") / given.numbers
            kept = kept_byte(made, folder / "store")
            print(
                "\n".join(["", *paper_plan(local, statistics.median(loop), byte, [sizes(site) for site in made], kept)])
            )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"sweeps_s": sweeps, "build_s": loop}), encoding="utf-8")


def report(
    given: argparse.Namespace,
    sweeps: dict[str, list[tuple[float, float | None]]],
    loop: list[float],
    jitter: list[float],
) -> str:
    """The table, in Markdown."""
    an_edition = statistics.median(loop)
    lines = [
        f"Against a shell loop of builds, {len(loop)} of them run: {spread(loop)} s each.", "",
        "| sweep of | editions | local, 2 processes, s | times as fast as the loop | 2 workers of Dask, started, s | throughput to local |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for kind, rounds in sweeps.items():
        local, dask = [one for one, _ in rounds], [other for _, other in rounds if other is not None]
        count, ratios = given.editions[kind], [one / other for one, other in rounds if other]
        faster = an_edition * count / statistics.median(local)
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
