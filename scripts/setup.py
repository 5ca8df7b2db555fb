"""Make the virtual environment from the lock file: with uv where it is present, with pip otherwise.  Standard library only."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 13)


def main(folder: Path) -> None:
    """Install the locked packages, then this package itself, without asking the network a second time."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"Python {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))} is needed, found {sys.version.split()[0]}: set PYTHON=…"
        )
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True, clear=folder.exists())
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    install = (
        [uv, "pip", "install", "--compile-bytecode", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--disable-pip-version-check"]
    )
    subprocess.run([*install, "-q", "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*install, "-q", "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
