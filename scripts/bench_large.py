"""How the book takes an analyst's large data: 5,000 devices, 500 models, 20,000 measured runs; CPU-seconds, memory, largest page.

Every row is one of the book's own under another key and name, so that all of them are sound and charts and tables show their share.

    python scripts/bench_large.py --check      # the check alone
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"devices": 5_000, "models": 500, "measurements_decode": 20_000}
BECOME_SUBREAPER = 36
"""Of Linux's prctl: processes whose parents are gone are handed to this one, so that their time is counted."""
KEYS = {"devices": "device_id", "models": "model_id", "measurements_decode": "measurement_id"}


def folder(target: Path) -> Path:
    """Write the tables; each row of the book comes again and again with a number behind its key and its name."""
    for table, size in SIZES.items():
        rows = pd.read_csv(ROOT / "data" / f"{table}.csv", dtype=str, keep_default_na=False)
        copies = pd.concat([rows] * (size // len(rows) + 1), ignore_index=True).iloc[:size].copy()
        copies[KEYS[table]] += [f"-copy-{number}" for number in range(size)]
        if "name" in copies:
            copies["name"] += [f", copy {number}" for number in range(size)]
        copies.to_csv(target / f"{table}.rows.csv", index=False)
    return target


def run(*arguments: str, **more: str) -> tuple[float, float]:
    """CPU-seconds and GiB at the peak of a command with more in its environment; raises CalledProcessError where it fails."""
    ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "analysis", *arguments]
    subprocess.run(command, cwd=ROOT, env=os.environ | more, check=True, stdout=subprocess.DEVNULL)
    with contextlib.suppress(ChildProcessError):
        while True:  # those that outlived it, and with them all that they waited for
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 2**20


def main() -> None:
    """Check, build, and look for the largest page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="Only check the data. Without it: build as well.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-") as name:
        data, site = folder(Path(name)), Path(name, "site")
        os.environ["MEMORY_WALL_CACHE"] = str(Path(name, "cache"))
        print("check: {:.1f} CPU-seconds, {:.2f} GiB".format(*run("check", "--data", str(data))), flush=True)
        if not given.check:
            print(
                "build: {:.1f} CPU-seconds, {:.2f} GiB".format(*run("build", "--data", str(data), "--out", str(site))),
                flush=True,
            )
            pages = sorted(site.rglob("*.html"), key=lambda page: (-page.stat().st_size, page))[:5]
            for page in pages:
                print(f"{page.stat().st_size / 2**20:.2f} MiB  {page.relative_to(site)}")


if __name__ == "__main__":
    main()
