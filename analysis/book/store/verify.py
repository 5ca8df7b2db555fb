"""The seal of a site: ``edition.json`` holds the digest of every file, and whoever has the site can check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.book.store import freshness
from analysis.book.store.cache import digest, file_digest, replace
from analysis.book.store.files import read_text

RECORD = "edition.json"
FROZEN = "editions"
PARTS: dict[str, type] = {"edition": str, "commit": str, "parameters": dict, "figures": dict, "files": dict}
"""What the record of a site that was sealed holds, by type."""
OF_HOSTS = "CNAME"
"""What hosts and Git look for beside a site, and what begins with a dot, may be added to one without changing it."""
LARGEST_SITE_FILE_BYTE = 2**30
"""No file of a site is as large."""
NO_FILE = "no file"
"""In place of the digest of a file that is too large, or of a pipe, which would be read without end."""


def manifest(site: Path) -> dict[str, str]:
    """File → sha256 of everything in a site but its record and its frozen editions, which have records of their own."""
    names = {path.relative_to(site).as_posix(): path for path in freshness.files(site)}
    return {name: _digest(path) for name, path in names.items() if name != RECORD and not _frozen(name)}


def _digest(path: Path) -> str:
    if not path.exists():
        return file_digest(path)
    return file_digest(path) if path.is_file() and path.stat().st_size <= LARGEST_SITE_FILE_BYTE else NO_FILE


def _frozen(name: str) -> bool:
    return name.startswith(f"{FROZEN}/") and name.count("/") > 1


def seal(site: Path) -> None:
    """Write the digests of all files, and then that of the record itself, into the record of the edition."""
    record = json.loads(read_text(site / RECORD)) | {"files": manifest(site)}
    record["seal"] = _seal(record)
    replace(site / RECORD, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def _seal(record: dict[str, Any]) -> str:
    return digest(json.dumps({name: part for name, part in record.items() if name != "seal"}, sort_keys=True))


def digests(site: Path) -> dict[str, str]:
    """File → sha256 as the record says, of files within the site; empty where there is no record of digests."""
    files = read_edition(site).get("files")
    names = files if isinstance(files, dict) else {}
    return {name: str(value) for name, value in names.items() if not {"..", "", "/"} & set(Path(name).parts or [""])}


def differences(site: Path) -> list[str]:
    """What is not as the record says, a line each; frozen editions are looked at too."""
    found = read_edition(site)
    if lacking := [name for name, kind in PARTS.items() if not isinstance(found.get(name), kind)]:
        what = "no digests of files" if "files" in lacking else f"nothing of {', '.join(lacking)}"
        return [f"{site / RECORD}: {what}; this is not a site of this program"]
    return _changes(site, found)


def _changes(site: Path, record: dict[str, Any]) -> list[str]:
    then, now = record["files"], manifest(site)
    found = [f"{RECORD} is not what was published"] if record.get("seal", _seal(record)) != _seal(record) else []
    found += [f"{name} is missing" for name in then if name not in now]
    found += [f"{name} was added" for name in now if name not in then and name != OF_HOSTS and not name.startswith(".")]
    found += [f"{name} is not what was published" for name in now if name in then and then[name] != now[name]]
    return sorted(found) + [
        f"{FROZEN}/{name}/{line}" for name in frozen(site) for line in differences(site / FROZEN / name)
    ]


def frozen(site: Path) -> list[str]:
    """The names of the editions frozen in a site: those it lists, and those that have a record."""
    try:
        rows = json.loads(read_text(site / f"{FROZEN}.json"))
        listed = {row["edition"] for row in rows if isinstance(row["edition"], str) and "/" not in row["edition"]}
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        listed = set()
    return sorted(listed | {path.parent.name for path in (site / FROZEN).glob(f"*/{RECORD}")})


def read_edition(site: Path) -> dict[str, Any]:
    """The content of the site's record; empty where there is none that can be read."""
    try:
        found = json.loads(read_text(site / RECORD)) if (site / RECORD).is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
