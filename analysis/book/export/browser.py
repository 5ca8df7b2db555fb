"""A page printed by the Chromium of this machine, as PDF, without asking anybody for anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from analysis.errors import InputError, Problem, SiteError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
)  # fmt: skip
"""Without a sandbox: it is unavailable to root and in containers, and the page is our own and runs no script."""
PATIENCE_S = 300
SAID_LETTERS = 400


def required() -> str:
    """The program; raises InputError where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        todo = "Install one (Debian: apt install chromium); --epub and --myst need none."
        raise InputError([Problem("--pdf", "no Chromium or Chrome", "one on the PATH", todo)])
    return found


def printed(page: Path) -> bytes:
    """The PDF of a page, which lies in a folder that the browser may write to; raises SiteError where it fails."""
    out = page.with_suffix(".pdf")
    out.unlink(missing_ok=True)
    where = [f"--user-data-dir={page.parent / 'profile'}", f"--print-to-pdf={out}", page.as_uri()]
    try:
        done = subprocess.run([required(), *OPTIONS, *where], capture_output=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise SiteError(f"the browser did not print the book within {PATIENCE_S} s; nothing was written") from None
    if done.returncode or not out.is_file():
        said = done.stderr.decode(errors="replace").strip()[-SAID_LETTERS:]
        raise SiteError(f"the browser could not print the book; nothing was written\n{said}")
    return out.read_bytes()
