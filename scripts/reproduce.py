"""Whether two strangers get the same bytes: the book is built under conditions that should not matter, and the sites compared.

``chapters/conditions.yml`` names the builds besides the first and what differs in them.  Every file, every byte, every permission
counts; only times of files do not.  Where a file differs, the conditions in which the two builds differ are tried one by one, so
that the cause is found and not guessed.  ``make reproduce`` runs this; ``--only`` chooses builds, or single conditions, by name.
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
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns("_build", ".venv", "__pycache__", ".*_cache", "*.egg-info", ".hypothesis")
PERSONAL = (
    "PYTHON", "MEMORY_WALL_", "LC_", "LANG", "TZ", "SOURCE_DATE_EPOCH", "NPY_", "OPENBLAS_", "OMP_", "GLIBC_TUNABLES", "COLUMNS",
)  # fmt: skip
"""Environment variables that begin so are set here or not at all."""
CONDITIONS = ROOT / "chapters" / "conditions.yml"
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
    numpy_without: str = ""
    c_library_without: str = ""
    blas_core: str = ""
    threads: str = ""
    processors: str = "all"
    standard_input: str = "open"
    optimize: str = ""
    terminal: str = ""
    temporary: str = ""

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
        wrapped = [*wrapper(conditions), *command]
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
        for name, folder in (("HOME", conditions.home), ("TMPDIR", conditions.temporary)):
            if folder not in ("", "own", "unset"):
                given[name] = str(self.folder / folder)
                Path(given[name]).mkdir(exist_ok=True)
        for condition, variables in VARIABLES.items():
            if value := getattr(conditions, condition):
                given |= {name: shape.format(value) for name, shape in variables.items()}
        if conditions.home == "unset":
            own.pop("HOME", None)
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
VARIABLES: dict[str, dict[str, str]] = {
    "source_date_epoch": {"SOURCE_DATE_EPOCH": "{}"}, "numpy_without": {"NPY_DISABLE_CPU_FEATURES": "{}"},
    "c_library_without": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps={}"}, "blas_core": {"OPENBLAS_CORETYPE": "{}"},
    "threads": {"OMP_NUM_THREADS": "{}", "OPENBLAS_NUM_THREADS": "{}"}, "optimize": {"PYTHONOPTIMIZE": "{}"},
    "terminal": {"COLUMNS": "20", "TERM": "dumb"},
}  # fmt: skip
"""Condition → the variables of the environment that make it."""
WRAPPERS: dict[str, list[list[str]]] = {
    "network": [["unshare", "--net"], ["unshare", "--map-root-user", "--net"]],
    "processors": [["taskset", "--cpu-list", str(min(os.sched_getaffinity(0), default=0))]]
    if hasattr(os, "sched_getaffinity")
    else [],
    "standard_input": [["sh", "-c", 'exec "$@" <&-', "sh"]],
}
"""Condition → commands of which one puts a build into it."""
EVIDENCE = {
    "network": "grep -q lo: /proc/net/dev && ! grep -v lo: /proc/net/dev | grep -q :",
    "processors": 'test "$(nproc)" = 1', "standard_input": "! test -e /dev/fd/0",
}  # fmt: skip
"""Condition → what holds in a shell under it."""


@cache
def putting_into(condition: str) -> list[str]:
    """The command that puts a build into a condition, shown to do so; empty where this system has none."""
    for command in WRAPPERS[condition]:
        tried = [*command, "sh", "-c", EVIDENCE[condition]]
        if shutil.which(command[0]) and not subprocess.run(tried, capture_output=True, check=False).returncode:
            return command
    return []


def wrapper(conditions: Conditions) -> list[str]:
    """The commands that put a build into its conditions, one inside the other."""
    plain = Conditions()
    asked = [name for name in WRAPPERS if getattr(conditions, name) != getattr(plain, name)]
    return [word for name in asked for word in putting_into(name)]


def instruction_sets() -> list[str]:
    """What numpy found on this processor beyond its baseline, from the oldest to the newest."""
    known: dict[str, Any] = dict(np.show_config(mode="dicts"))
    return list(known.get("SIMD Extensions", {}).get("found", []))


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


Settings = dict[str, Any]
"""Condition → the word that ``conditions.yml`` has for it."""


def asked(names: list[str]) -> dict[str, Settings]:
    """The builds of these names, and of single conditions; all where none is named.  Raises SystemExit for an unknown name."""
    filed: dict[str, dict[str, Any]] = yaml.safe_load(CONDITIONS.read_text(encoding="utf-8"))["builds"]
    builds = {name: build["set"] for name, build in filed.items()}
    found: dict[str, Settings] = {}
    for name in names:
        condition = name.replace(" ", "_")
        alone = {f"{name} {it[condition]}": {condition: it[condition]} for it in builds.values() if condition in it}
        if name not in builds and not alone:
            conditions = dict.fromkeys(one.replace("_", " ") for it in builds.values() for one in it)
            sys.exit(f"No build and no condition is called {name!r}. Known: {', '.join([*builds, *conditions])}.")
        found |= {name: builds[name]} if name in builds else alone
    return found or builds


def planned(workshop: Workshop, builds: dict[str, Settings]) -> tuple[dict[str, Conditions], list[str]]:
    """The builds by name, the first one first, and what cannot be tried on this machine."""
    first, missing = Conditions(), []
    found = {"first": first}
    for name, settings in builds.items():
        steps: list[Settings] = [{}]
        for condition, value in settings.items():
            values = possible(condition, str(value), workshop)
            steps = [step | {condition: one} for step in steps for one in values] or steps
            missing += (
                [] if values else [f"{name}: {condition.replace('_', ' ')} {value}, which this system does not offer"]
            )
        found |= {
            f"{name} {number}" if len(steps) > 1 else name: replace(first, **step)
            for number, step in enumerate(steps, 1) if step
        }  # fmt: skip
    return found, missing


def possible(condition: str, value: str, workshop: Workshop) -> list[Any]:
    """The values of a condition that a word of ``conditions.yml`` stands for here; none where it cannot be had."""
    sets = instruction_sets()
    if condition == "numpy_without":
        return [" ".join(sets[at:]) for at in ([0] if value == "everything" else range(len(sets) - 1, -1, -1)) if sets]
    if condition in WRAPPERS:
        return [value] if putting_into(condition) else []
    special: dict[str, Callable[[], Any]] = {
        "locale": lambda: workshop.other_locale().replace("POSIX", ""), "python": other_python, "umask": lambda: int(value, 8),
        "jobs": lambda: int(value),
    }  # fmt: skip
    made = special[condition]() if condition in special else value
    return [] if made == "" else [made]


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
    arguments.add_argument(
        "--only", nargs="*", default=[], metavar="NAME",
        help="Builds to compare with the first, or single conditions, by name. Without it: all builds.",
    )  # fmt: skip
    arguments.add_argument(
        "--list", action="store_true", help="Name the builds and their conditions, and build nothing."
    )
    given, folder = arguments.parse_args(), Path(tempfile.mkdtemp(prefix="reproduce-"))
    workshop = Workshop(ROOT, folder)
    builds, missing = planned(workshop, asked(given.only))
    if given.list:
        shutil.rmtree(folder)
        sys.exit(
            "\n".join(
                f"{name}: {', '.join(map(it.told, builds['first'].differing(it)))}" for name, it in builds.items()
            )
        )
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
