"""Whether two strangers get the same bytes: the book is built under conditions that should not matter, and the sites compared.

Four builds besides the first: one with everything changed that differs from desk to desk, one from what the first kept, one in a
network namespace with nothing in it, one with another Python.  Every file, every byte, every permission counts; only times of
files do not.  Where a file differs, the conditions in which the two builds differ are tried one by one, so that the cause is found
and not guessed.  ``make reproduce`` runs this.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns("_build", ".venv", "__pycache__", ".*_cache", "*.egg-info", ".hypothesis")
PERSONAL = ("PYTHON", "MEMORY_WALL_", "LC_", "LANG", "TZ", "SOURCE_DATE_EPOCH")
"""Environment variables that begin so are set here or not at all."""
MOST_SHOWN = 12
CONTEXT_BYTE = 40
PYTHONS = ((3, 11), (3, 12))


@dataclass(frozen=True)
class Conditions:
    """All that may differ between two builds of the same sources; the defaults are the first build's."""

    folder: str = "a"
    time_zone: str = "UTC"
    locale: str = "C.UTF-8"
    hash_seed: str = "0"
    umask: int = 0o022
    jobs: int = 2
    cache: str = "cold"
    network: str = "there"
    home: str = "own"
    source_date_epoch: str = ""
    python: str = sys.executable

    def differing(self, other: Conditions) -> list[str]:
        """The names of the conditions in which the two differ."""
        ours, theirs = asdict(self), asdict(other)
        return [name for name in ours if ours[name] != theirs[name]]

    def told(self, name: str) -> str:
        """One condition in words."""
        value = getattr(self, name)
        shown = f"{value:03o}" if name == "umask" else version(value) if name == "python" else value or "unset"
        return f"{name.replace('_', ' ')} {shown}"


@dataclass(frozen=True)
class Difference:
    """A file that two sites do not have alike, and where they part."""

    file: str
    place: str

    def __str__(self) -> str:
        """The file and the place, as they are printed."""
        return f"{self.file}: {self.place}"


Build = Callable[[Conditions], Path]


def version(python: str) -> str:
    """The version of an interpreter; empty where it does not run."""
    asked = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def differences(one: Path, other: Path) -> Iterator[Difference]:
    """What is not the same in two folders, file by file, in the order of their names."""
    names = sorted({path.relative_to(site).as_posix() for site in (one, other) for path in site.rglob("*")})
    for name in names:
        first, second = one / name, other / name
        if not (first.exists() and second.exists()):
            yield Difference(name, f"only in the {'first' if first.exists() else 'second'} site")
        elif first.stat().st_mode != second.stat().st_mode:
            yield Difference(name, f"permissions {first.stat().st_mode:o} against {second.stat().st_mode:o}")
        elif first.is_file() and (place := parting(first.read_bytes(), second.read_bytes())):
            yield Difference(name, place)


def parting(one: bytes, other: bytes) -> str:
    """The first place where two contents differ, with what stands around it in both; empty where they are the same."""
    if one == other:
        return ""
    least = min(len(one), len(other))
    at = next((index for index in range(least) if one[index] != other[index]), least)
    around = slice(max(at - CONTEXT_BYTE, 0), at + CONTEXT_BYTE)
    shown = [content[around].decode("utf-8", "backslashreplace") for content in (one, other)]
    line = one.count(b"\n", 0, at) + 1
    return f"byte {at}, line {line}\n    {shown[0]!r}\n    {shown[1]!r}"


def causes(first: Conditions, other: Conditions, file: str, build: Build) -> list[str]:
    """The conditions that alone make the file differ, found by building with each; empty where none does by itself."""
    expected, found = content(build(first) / file), []
    for name in first.differing(other):
        if content(build(replace(first, **{name: getattr(other, name)})) / file) != expected:
            found.append(f"{first.told(name)} → {other.told(name)}")
    return found


def content(path: Path) -> tuple[int, bytes] | None:
    """Permissions and bytes of a file, none where it is missing."""
    if not path.exists():
        return None
    return path.stat().st_mode, b"" if path.is_dir() else path.read_bytes()


class Workshop:
    """A folder with copies of the sources, what builds keep, and the sites they made."""

    def __init__(self, sources: Path, folder: Path) -> None:
        self.sources, self.folder = sources, folder
        self._built: dict[Conditions, Path] = {}
        self._counted = 0

    def build(self, conditions: Conditions) -> Path:
        """The site as it is made under these conditions, built once; a build that fails ends everything with what it said."""
        if conditions not in self._built:
            self._counted += 1
            self._built[conditions] = self._made(conditions, self.folder / "sites" / str(self._counted))
        return self._built[conditions]

    def _made(self, conditions: Conditions, out: Path) -> Path:
        begun, copy = time.monotonic(), self.copy(conditions)
        more = [str(out), "--jobs", str(conditions.jobs)]
        self._run(conditions, [conditions.python, "-m", "analysis", "build", "--out", *more], copy)
        self._run(conditions, [conditions.python, "-m", "analysis", "verify", str(out)], copy)
        print(f"  built in {time.monotonic() - begun:.0f} s, verified", file=sys.stderr, flush=True)
        return out

    def _run(self, conditions: Conditions, command: list[str], copy: Path) -> None:
        wrapped = [*EMPTY_NETWORK[conditions.network], *command]
        done = subprocess.run(
            wrapped, cwd=copy, env=self.environment(conditions, copy), umask=conditions.umask, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{' '.join(wrapped)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")

    def copy(self, conditions: Conditions) -> Path:
        """The sources in the folder that is asked for, with the permissions a checkout has under the umask."""
        folder = self.folder / f"{conditions.umask:03o}" / conditions.folder
        if not folder.exists():
            shutil.copytree(self.sources, folder, ignore=LEFT_OUT, symlinks=True)
            for path in (path for path in folder.rglob("*") if not path.is_symlink()):
                path.chmod(path.stat().st_mode & ~conditions.umask)
        return folder

    def environment(self, conditions: Conditions, copy: Path) -> dict[str, str]:
        """The environment of a build: this one's, without what is personal, with the conditions."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(PERSONAL)}
        given = {
            "PYTHONPATH": str(copy), "PYTHONHASHSEED": conditions.hash_seed, "TZ": conditions.time_zone, "LC_ALL": conditions.locale,
            "MEMORY_WALL_CACHE": str(self._cache(conditions)),
        }  # fmt: skip
        if (self.folder / "locales" / conditions.locale).exists():
            given["LOCPATH"] = str(self.folder / "locales")
        if conditions.home != "own":
            given["HOME"] = str(self.folder / conditions.home)
            Path(given["HOME"]).mkdir(exist_ok=True)
        if conditions.source_date_epoch:
            given["SOURCE_DATE_EPOCH"] = conditions.source_date_epoch
        return own | given

    def _cache(self, conditions: Conditions) -> Path:
        """What is kept between builds: an empty folder for each cold build, that of the first site for warm ones."""
        number = 1 if conditions.cache == "warm" else self._counted
        return self.folder / "kept" / str(number)

    def other_locale(self) -> str:
        """A locale with a decimal comma: one of the system's, or made here; POSIX where neither can be had."""
        listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
        if found := next((name for name in listed if name.lower().replace("-", "") in COMMA), None):
            return found
        made = self.folder / "locales" / "de_DE.UTF-8"
        made.parent.mkdir(parents=True, exist_ok=True)
        if shutil.which("localedef"):
            subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(made)], capture_output=True, check=False)
        return made.name if made.exists() else "POSIX"


COMMA = ("de_de.utf8", "fr_fr.utf8", "es_es.utf8", "it_it.utf8", "tr_tr.utf8", "pt_br.utf8")
EMPTY_NETWORK: dict[str, list[str]] = {"there": [], "none": []}
"""State of the network → the command that puts a build into it."""


def empty_network() -> bool:
    """Whether this system lets us build in a network namespace with nothing in it but an idle loopback device."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        done = subprocess.run(
            [*command, "cat", "/proc/net/dev"], capture_output=True, text=True, check=False
        ) if shutil.which("unshare") else None  # fmt: skip
        if (
            done
            and done.returncode == 0
            and [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]] == ["lo"]
        ):
            EMPTY_NETWORK["none"] = command
            return True
    return False


def other_python() -> str:
    """An environment of the same locked packages on the other Python; empty where no such Python runs here."""
    wanted = next(pair for pair in reversed(PYTHONS) if pair != sys.version_info[:2])
    name = ".".join(map(str, wanted))
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{name}.*/bin/python"))
    found = next(
        (
            it
            for it in (shutil.which(f"python{name}"), *map(str, installed))
            if it and version(it).startswith(f"{name}.")
        ),
        "",
    )
    if not found:
        return ""
    folder = ROOT / "_build" / f"venv-{name}"
    lock = hashlib.sha256(
        (ROOT / "requirements.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    ).hexdigest()
    ready = folder / ".ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != lock:
        print(f"setting up Python {name}", file=sys.stderr, flush=True)
        if subprocess.run([found, str(ROOT / "scripts" / "setup.py"), str(folder)], check=False).returncode:
            return ""
        ready.write_text(lock, encoding="utf-8")
    return str(folder / "bin" / "python")


def planned(workshop: Workshop) -> tuple[dict[str, Conditions], list[str]]:
    """The builds by name, the first one first, and what cannot be tried on this machine."""
    first = Conditions()
    elsewhere = Conditions(
        folder="a folder with a länger name/and one more below it/book", time_zone="Pacific/Kiritimati", locale=workshop.other_locale(),
        hash_seed="4242", umask=0o077, jobs=1, home="nobody", source_date_epoch="1000000000",
    )  # fmt: skip
    builds = {"first": first, "elsewhere": elsewhere, "warm": replace(first, cache="warm")}
    missing = (
        [] if elsewhere.locale != "POSIX" else ["a locale with a decimal comma: none is installed and none can be made"]
    )
    if empty_network():
        builds["no network"] = replace(first, network="none", jobs=3)
    else:
        missing.append("an empty network namespace: this system does not let us make one (unshare)")
    if python := other_python():
        builds["other Python"] = replace(first, python=python)
    else:
        missing.append("another Python: neither 3.11 nor 3.12 besides the running one could be set up")
    return builds, missing


def digest(site: Path) -> str:
    """The digest of the manifest in ``edition.json``: one line that stands for the whole site."""
    files = json.loads((site / "edition.json").read_text(encoding="utf-8"))["files"]
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def table(builds: dict[str, Conditions], sites: dict[str, Path]) -> str:
    """The builds, in what they differ from the first, and their manifests, in Markdown."""
    first = builds["first"]
    lines = ["| build | conditions | manifest sha256 |", "|---|---|---|"]
    for name, conditions in builds.items():
        differing = first.differing(conditions) if conditions != first else list(asdict(first))
        lines.append(f"| {name} | {', '.join(map(conditions.told, differing))} | {digest(sites[name])} |")
    return "\n".join(lines)


def compared(builds: dict[str, Conditions], sites: dict[str, Path], build: Build) -> list[str]:
    """What differs from the first site, a paragraph for each file, with the cause of the first difference of each build."""
    said = []
    for name, conditions in list(builds.items())[1:]:
        found = list(differences(sites["first"], sites[name]))
        if found:
            reasons = causes(builds["first"], conditions, found[0].file, build)
            said.append(f"{name}: {len(found)} files differ from the first build.")
            said.append(
                f"Cause, for {found[0].file}: {'; '.join(reasons) or 'no condition alone: chance, or several together'}."
            )
            said += [f"  {one}" for one in found[:MOST_SHOWN]]
            said += [f"  … and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
    return said


def main() -> None:
    """Build, compare, and say what was found; exit 1 on any difference."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="*", help="Names of the builds to compare with the first. Without it: all.")
    given, folder = arguments.parse_args(), Path(tempfile.mkdtemp(prefix="reproduce-"))
    workshop = Workshop(ROOT, folder)
    builds, missing = planned(workshop)
    builds = {name: it for name, it in builds.items() if name == "first" or not given.only or name in given.only}
    sites = {}
    for name, conditions in builds.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        sites[name] = workshop.build(conditions)
    said = compared(builds, sites, workshop.build)
    print(table(builds, sites))
    print(*(f"Not tried here: {one}." for one in missing), *said, sep="\n")
    if said:
        sys.exit(f"The sites differ. They are kept in {folder}.")
    count = sum(path.is_file() for path in sites["first"].rglob("*"))
    print(f"{len(sites)} builds, {count} files each: the same bytes and the same permissions.")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
