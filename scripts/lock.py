"""Write the two lock files from ``pyproject.toml``: every package with its version and digests, for every Python and system.

``requirements.lock`` is what a reader needs to build the book, ``requirements-dev.lock`` what tests, checks and the calibration add to
it; in both stands only what readers need on some systems and developers on more.  What is locked stays at its version; ``--upgrade``
takes the newest of all, ``--upgrade NAME`` of one.
Needs uv and a network.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READER, DEVELOPER = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
HEADS = {
    READER: "# What a reader needs to build the book; written by scripts/lock.py.\n",
    DEVELOPER: "# What developers need besides; written by scripts/lock.py.\n-r requirements.lock\n",
}
ENTRY = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)
PIN = re.compile(r"([\w.-]+)==[^\\\n]*")


def entries(lock: str) -> list[str]:
    """One entry per package, with its digests and the note of what asks for it."""
    return [part for part in ENTRY.split(lock) if PIN.match(part)]


def resolved(constraints: str, *arguments: str) -> list[str]:
    """What uv makes of the requirements, for every Python that the package is for."""
    with tempfile.TemporaryDirectory() as folder:
        pins, found = Path(folder) / "pins.txt", Path(folder) / "found.lock"
        pins.write_text(constraints, encoding="utf-8")
        fixed = ["--universal", "--generate-hashes", "--no-header", "--quiet", "--python-version", "3.11"]
        given = ["--constraint", str(pins), "--output-file", str(found)]
        subprocess.run(["uv", "pip", "compile", "pyproject.toml", *fixed, *given, *arguments], cwd=ROOT, check=True)
        text = (
            found.read_text(encoding="utf-8").replace(f"    #   -c {pins}\n", "").replace(f"    # via -c {pins}\n", "")
        )
        return entries(text)


def pins(parts: list[str]) -> str:
    """The versions of entries, as constraints."""
    return "".join(f"{found[0].strip()}\n" for part in parts if (found := PIN.match(part)))


def main(upgraded: list[str]) -> None:
    """Resolve what readers need, then everything with that as given, and write the difference apart."""
    kept = [part for lock in HEADS if lock.exists() for part in entries(lock.read_text(encoding="utf-8"))]
    if upgraded[:1] == ["--upgrade"]:
        kept = [part for part in kept if upgraded[1:] and PIN.match(part)[1] not in upgraded[1:]]  # type: ignore[index]
    reader = resolved(pins(kept))
    known = {part.partition("\n")[0] for part in reader}
    every = resolved(pins(kept) + pins(reader), "--all-extras")
    beyond = [part for part in every if part.partition("\n")[0] not in known]
    for lock, parts in ((READER, reader), (DEVELOPER, beyond)):
        lock.write_text(HEADS[lock] + "".join(parts), encoding="utf-8")
        print(f"{lock.name}: {len(parts)} packages")


if __name__ == "__main__":
    main(sys.argv[1:])
