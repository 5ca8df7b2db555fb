"""The seal of a site: ``edition.json`` holds the digest of every file, and whoever has the site can check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.book import freshness
from analysis.book.cache import file_digest, replace

RECORD = "edition.json"
FROZEN = "editions"


def manifest(site: Path) -> dict[str, str]:
    """File → sha256 of everything in a site but its record and its frozen editions, which have records of their own."""
    names = {path.relative_to(site).as_posix(): path for path in freshness.files(site)}
    return {name: file_digest(path) for name, path in names.items() if name != RECORD and not _frozen(name)}


def _frozen(name: str) -> bool:
    return name.startswith(f"{FROZEN}/") and name.count("/") > 1


def seal(site: Path) -> None:
    """Write the digests of all files into the record of the edition."""
    record = json.loads((site / RECORD).read_text(encoding="utf-8")) | {"files": manifest(site)}
    replace(site / RECORD, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def differences(site: Path) -> list[str]:
    """What is not as the record says, a line each; frozen editions are looked at too."""
    record = _record(site)
    if not isinstance(record.get("files"), dict):
        return [f"{site / RECORD}: no digests of files; this is not a site of this program"]
    then, now = record["files"], manifest(site)
    found = [f"{name} is missing" for name in then if name not in now]
    found += [f"{name} was added" for name in now if name not in then]
    found += [f"{name} is not what was published" for name in now if name in then and then[name] != now[name]]
    editions = sorted(path for path in (site / FROZEN).glob("*") if path.is_dir())
    return sorted(found) + [f"{FROZEN}/{path.name}/{line}" for path in editions for line in differences(path)]


def _record(site: Path) -> dict[str, Any]:
    try:
        found = json.loads((site / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
