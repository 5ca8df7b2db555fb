"""Make the virtual environment from the lock files: with uv where it is present, with pip otherwise.  Standard library only.

``setup.py FOLDER`` installs what a reader needs, ``setup.py FOLDER --develop`` what tests and checks need besides.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 13)
READER, DEVELOPER = "requirements.lock", "requirements-dev.lock"
ROOM_MEBIBYTE = {READER: 900, DEVELOPER: 1400}
"""What the environment takes while it is made, rounded up: 700 and 1,150 MiB, and the packages unpacked on the way."""
MINUTES = {"uv": "well under a minute", "pip": "one to three minutes"}
CAUSES = (
    (
        r"No space left|ENOSPC|Disk quota",
        "the disk is full",
        "Free {room} MiB where {folder} is (and in the folder for temporary files).",
    ),
    (
        r"(?i)name resolution|lookup address|not resolve|connection|connect error|timed out|proxy|dns error|unreachable|error sending",
        "the packages could not be fetched",
        "Check the network, or name a proxy (HTTPS_PROXY=…). What was fetched is kept.",
    ),
    (
        r"(?i)hash",
        "a package is not the one that was locked",
        "Nothing was installed from it. A mirror may have altered it: try another network or index.",
    ),
    (
        r"No matching distribution|no wheels?|no compatible|not supported|is not available",
        "a locked package is not to be had for this Python and system",
        "Try another Python, 3.11 to 3.13: make book PYTHON=python3.12",
    ),
    (
        r"[Pp]ermission|Read-only",
        "{folder} cannot be written",
        "Work in a folder of your own, or name another: make book VENV=…",
    ),
)
"""What an installer says → what that means → what to do."""


class SetupError(Exception):
    """What went wrong, and what to do about it."""


def main(folder: Path, *, develop: bool) -> None:
    """Install the locked packages, then this package itself, without asking the network a second time."""
    require_python()
    lock = DEVELOPER if develop else READER
    uv = shutil.which("uv")
    require_room(folder, ROOM_MEBIBYTE[lock])
    how = "uv" if uv else "pip"
    print(
        f"Setting up {folder} with {how} for Python {sys.version.split()[0]}: {count(lock)} packages, {MINUTES[how]}.",
        flush=True,
    )
    begun = time.monotonic()
    python = environment(folder, uv)
    install = (
        [uv, "pip", "install", "--compile-bytecode", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2"]
    )
    run([*install, "--require-hashes", "-r", str(ROOT / lock)], folder, lock)
    run([*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], folder, lock)
    print(f"Set up in {time.monotonic() - begun:.0f} s; from here on no network is needed.", flush=True)


def require_python() -> None:
    """Raise SetupError where this Python is too old or too new."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            f"Python {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))} is needed, found {sys.version.split()[0]}. "
            "Install one, or name it: make book PYTHON=python3.12"
        )


def require_room(folder: Path, mebibyte: int) -> None:
    """Raise SetupError where the environment will not fit, unless most of it is there already."""
    free = shutil.disk_usage(folder.resolve().parent).free // 2**20
    if free < mebibyte and not (folder / "bin" / "python").exists():
        raise SetupError(f"the disk has {free} MiB left where {folder} goes, and {mebibyte} are needed. Free some.")


def count(lock: str) -> int:
    """How many packages a lock file names, with those of the file it builds on."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    beneath = re.findall(r"^-r (\S+)", text, flags=re.MULTILINE)
    return len(re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE)) + sum(map(count, beneath))


def environment(folder: Path, uv: str | None) -> str:
    """The Python of the environment, which is made where there is none that works."""
    python = folder / "bin" / "python"
    if works(python, needs_pip=False):
        if not uv and not works(python, needs_pip=True):
            run([str(python), "-m", "ensurepip"], folder, READER)  # it was made by uv, which has gone since
        return str(python)
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise SetupError(
            f"{folder} holds something that is no environment of Python. Move it away, or name another: VENV=…"
        )
    for module in ("venv",) if uv else ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            name = ".".join(map(str, sys.version_info[:2]))
            raise SetupError(
                f"this Python comes without its module {module}. On Debian and Ubuntu: sudo apt install python{name}-venv; "
                "or install uv, which needs none."
            )
    import venv

    try:
        venv.create(folder, with_pip=not uv, clear=folder.exists(), symlinks=os.name != "nt")
    except subprocess.CalledProcessError as error:
        raise explained(str(error.output or error), folder, READER) from None
    return str(python)


def works(python: Path, *, needs_pip: bool) -> bool:
    """Whether an environment is there and whole."""
    try:
        asked = [str(python), "-c", "import pip" if needs_pip else "import encodings"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(command: list[str], folder: Path, lock: str) -> None:
    """Run an installer and say how far it is; raise SetupError with what it said last where it fails."""
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in (line.strip() for line in process.stdout or ()):
            if line.startswith("Ignoring "):  # a package for another system
                continue
            said.append(line)
            if told := "".join(progress(line, len([it for it in said if it.startswith("Collecting ")]))):
                print(told, flush=True)
    if process.returncode:
        raise explained("\n".join(said[-12:]), folder, lock)


def progress(line: str, collected: int) -> Iterator[str]:
    """What is told of one line of pip: every thirtieth package, and when it begins to unpack."""
    if line.startswith("Collecting ") and collected % 30 == 0:
        yield f"  {collected} packages fetched"
    if line.startswith("Installing collected packages") and collected:
        yield "  unpacking them"


def explained(said: str, folder: Path, lock: str) -> SetupError:
    """The failure in plain words, with the installer's own behind them."""
    for pattern, cause, todo in CAUSES:
        if re.search(pattern, said):
            about = {"folder": folder, "room": ROOM_MEBIBYTE[lock]}
            return SetupError(f"{cause.format(**about)}. {todo.format(**about)}\nThe installer said:\n{said}")
    return SetupError(
        f"the installer failed. Run the same command again; if it fails again, report what it said:\n{said}"
    )


def told() -> int:
    """Run, and end with a plain message and an exit code, never with a traceback."""
    names = [it for it in sys.argv[1:] if it != "--develop"]
    try:
        main(Path(names[0] if names else ".venv"), develop="--develop" in sys.argv[1:])
    except SetupError as error:
        print(
            f"Set-up stopped: {error}\nThen run the same command again; it goes on from where it was.", file=sys.stderr
        )
        return 1
    except OSError as error:
        print(f"Set-up stopped: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up stopped. Run the same command again; it goes on from where it was.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(told())
