"""How light the pages are: Lighthouse on the landing page, a chapter and the page of a figure, on a phone as it simulates one.

python scripts/bench_pages.py [--site FOLDER] [--out FILE.json]

Node.js and Chromium have to be there; Lighthouse is installed into a throw-away folder.  The site is served as a web host
would serve it, with text compressed.  The four scores are of 100; the goal is 95 in each.
"""

from __future__ import annotations

import argparse
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIGHTHOUSE = "lighthouse@12.8.2"
PAGES = {
    "landing page": "index.html",
    "chapter": "chapters/memory_wall.html",
    "figure": "figures/largest-model-by-device/index.html",
}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = {
    "largest-contentful-paint": "largest paint, s",
    "cumulative-layout-shift": "layout shift",
    "total-byte-weight": "KiB",
}
UNITS = {"largest-contentful-paint": 1e3, "cumulative-layout-shift": 1.0, "total-byte-weight": 1024.0}
GOAL = 95
TEXTS = (".html", ".css", ".js", ".json", ".svg")
FLAGS = "--headless=new --no-sandbox --disable-gpu"


class Host(http.server.SimpleHTTPRequestHandler):
    """A web host: text goes out compressed and may be kept by the browser."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        content = compressed(path) if path.suffix in TEXTS else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=31536000" if "_static" in path.parts else "max-age=600")
        if path.suffix in TEXTS:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing of requests."""


@cache
def compressed(path: Path) -> bytes:
    """A file as it goes over the wire."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)


@contextmanager
def hosted(site: Path) -> Iterator[str]:
    """The address of the site while it is served."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def installed(folder: Path) -> Path:
    """The command of a Lighthouse of its own."""
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), LIGHTHOUSE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Lighthouse cannot be installed:\n{done.stderr[-1000:]}")
    return folder / "node_modules" / ".bin" / "lighthouse"


def judged(lighthouse: Path, address: str, chromium: str) -> dict[str, Any]:
    """What Lighthouse says of one page: scores, metrics, and every check that failed."""
    done = subprocess.run(
        [str(lighthouse), address, "--quiet", "--output=json", f"--chrome-flags={FLAGS}", f"--only-categories={','.join(CATEGORIES)}"],
        capture_output=True, text=True, check=False, env=os.environ | {"CHROME_PATH": chromium},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"Lighthouse failed on {address}:\n{done.stderr[-1000:]}")
    found = json.loads(done.stdout)
    failed = [
        f"{check['title']} ({reference['weight']})"
        for category in found["categories"].values()
        for reference in category["auditRefs"]
        if (check := found["audits"][reference["id"]])["score"] is not None
        and check["score"] < 1
        and reference["weight"]
    ]
    return {
        "scores": {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES},
        "metrics": {name: found["audits"][name]["numericValue"] / UNITS[name] for name in METRICS},
        "failed": failed,
    }


def report(found: dict[str, list[dict[str, Any]]]) -> str:
    """The table, in Markdown: medians of the runs."""
    lines = [
        f"| page | {' | '.join(CATEGORIES)} | {' | '.join(METRICS.values())} |",
        "|---" * (1 + len(CATEGORIES) + len(METRICS)) + "|",
    ]
    for page, runs in found.items():
        scores = [f"{statistics.median(run['scores'][name] for run in runs):.0f}" for name in CATEGORIES]
        metrics = [f"{statistics.median(run['metrics'][name] for run in runs):.3g}" for name in METRICS]
        lines.append(f"| {page} | {' | '.join(scores + metrics)} |")
    lines += [
        f"Below full marks on the {page}: {'; '.join(runs[0]['failed'])}."
        for page, runs in found.items()
        if runs[0]["failed"]
    ]
    return "\n".join([*lines, f"The goal is {GOAL} in each category."])


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--site", type=Path, default=ROOT / "_build" / "html", help="A built site.")
    arguments.add_argument("--runs", type=int, default=3, help="Runs on each page.")
    arguments.add_argument(
        "--out", type=Path, default=ROOT / "_build" / "bench_pages.json", help="Where the numbers are kept."
    )
    given = arguments.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not (chromium and shutil.which("npm")):
        print("Pages were not measured: Chromium or Node.js is missing.")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, hosted(given.site) as address:
        lighthouse = installed(Path(folder))
        found = {
            name: [judged(lighthouse, f"{address}/{page}", chromium) for _ in range(given.runs)]
            for name, page in PAGES.items()
        }
    print(report(found))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
