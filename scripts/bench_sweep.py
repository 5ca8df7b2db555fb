"""How fast a sweep is, as ratios on this machine in this run, and what 10,000 editions would take by these figures: ``make bench``.

A sweep of numbers and verdicts is timed locally and by two workers of Dask, against a shell loop of ``memory-wall build``.  The loop
is not run to its end: a few builds with settings of their own, over the cache that a loop would have, are timed and multiplied, and
the table says so.
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


def swept(out: Path, editions: int, given: argparse.Namespace, *more: str) -> float:
    """Seconds of a sweep: half of the editions differ in reading speed, and each of these in tokens per word."""
    settings = [
        f"reading_speed_word_per_min={SPEEDS[0]:g}:{SPEEDS[1]:g}:{max(editions // 2, 2)}",
        "token_per_word=1.5,2",
    ]
    arguments = [text for setting in settings for text in ("--set", setting)]
    wanted = ["--numbers", given.numbers] if given.numbers else []
    return timed("sweep", *arguments, *wanted, "--jobs", "2", "--out", str(out), *more)


def builds(folder: Path, count: int) -> tuple[list[float], list[Path]]:
    """Seconds of builds with settings of their own, after one that fills the cache; and where the sites are."""
    found, sites = [], []
    for number in range(count + 1):
        out = folder / f"site-{number}"
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
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--editions", type=int, default=200, help="Editions of the sweep.")
    arguments.add_argument("--builds", type=int, default=3, help="Builds by which the loop is reckoned.")
    arguments.add_argument("--numbers", default="index,verdicts", help="What of each edition; nothing for all parts.")
    arguments.add_argument(
        "--out", type=Path, default=ROOT / "_build" / "bench-sweep.json", help="Where the numbers are kept."
    )
    given = arguments.parse_args()
    jitter = noise()
    with tempfile.TemporaryDirectory(prefix="bench-") as held:
        folder = Path(held)
        local = swept(folder / "local", given.editions, given)
        print(f"sweep, local: {local:.1f} s", file=sys.stderr, flush=True)
        by_dask = None
        if importlib.util.find_spec("distributed"):
            by_dask = swept(folder / "dask", given.editions, given, "--executor", "local-cluster")
            print(f"sweep, two workers of Dask: {by_dask:.1f} s", file=sys.stderr, flush=True)
        loop, made = builds(folder, given.builds)
        byte = folder_byte(folder / "local") / given.editions
        kept = kept_byte(made, folder / "store")
        plan = paper_plan(local / given.editions, statistics.median(loop), byte, [sizes(site) for site in made], kept)
    print(report(given, local, by_dask, loop, [*jitter, *noise()]))
    print("\n".join(["", *plan]))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps({"local_s": local, "dask_s": by_dask, "build_s": loop, "byte": byte}), encoding="utf-8"
    )


def report(
    given: argparse.Namespace, local: float, by_dask: float | None, loop: list[float], jitter: list[float]
) -> str:
    """The table, in Markdown."""
    whole = statistics.median(loop) * given.editions
    lines = [
        f"| {given.editions} editions | s | against the loop | goal |", "|---|---|---|---|",
        f"| shell loop of builds, {len(loop)} of them run: {spread(loop)} s each | {whole:,.0f}, extrapolated | 1 | |",
        f"| sweep of {given.numbers or 'all parts'}, local, 2 processes | {local:.1f} | {whole / local:,.0f} | ≥ {GOAL:g} |",
    ]  # fmt: skip
    if by_dask is not None:
        lines.append(
            f"| the same by 2 workers of Dask | {by_dask:.1f} | {whole / by_dask:,.0f}; {by_dask / local:.2f} times the local | |"
        )
    return "\n".join(
        [*lines, "", f"Noise of the machine: {100 * statistics.stdev(jitter) / statistics.mean(jitter):.0f} % standard deviation; "
         f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."]
    )  # fmt: skip


if __name__ == "__main__":
    main()
