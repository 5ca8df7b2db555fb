"""The bill of materials of an edition (CycloneDX 1.5, JSON): every locked package with its digests, and what the site hands on.

It is made from the lock file and nothing else that could differ between machines, so it is the same whoever makes it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from analysis.book.record import licences
from analysis.book.store import places
from analysis.book.store.cache import digest

LOCK = "requirements.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: *; *([^\\\n]*?))? *\\?$")
HASHED = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""Of names that are addresses (RFC 9562, § 6.6)."""


def bill(record: dict[str, Any]) -> dict[str, Any]:
    """The document for an edition by its record: edition, commit, date of the edition."""
    lock = (places.REPOSITORY / LOCK).read_text(encoding="utf-8")
    about = {"type": "application", "bom-ref": "memory-wall", "name": "memory-wall", "version": record["edition"]}
    commit, date = record.get("commit", ""), record.get("parameters", {}).get("edition_date", "")
    serial = uuid.uuid5(NAMESPACE, f"memory-wall {record['edition']} {commit} {digest(lock)}")
    parts = [*packages(lock), *_handed_on()]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}", "version": 1,
        "metadata": ({"timestamp": f"{date}T00:00:00Z"} if date else {}) | {
            "component": about, "properties": [{"name": "memory-wall:commit", "value": commit}],
        },
        "components": parts,
        "dependencies": [{"ref": "memory-wall", "dependsOn": sorted(part["bom-ref"] for part in parts)}],
    }  # fmt: skip


def packages(lock: str) -> list[dict[str, Any]]:
    """The packages that a lock file pins, with the digests of the files that may be installed."""
    return [_package(*found) for found in _pinned(lock)]


def _pinned(lock: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, version, marker and sha256 digests of each."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    for block in blocks:
        first, _, rest = block.partition("\n")
        if found := PINNED.match(first):
            yield found[1].lower(), found[2], found[3] or "", HASHED.findall(rest)


def _package(name: str, version: str, marker: str, hashes: list[str]) -> dict[str, Any]:
    address = f"pkg:pypi/{name.replace('_', '-')}@{version}"
    part = {
        "type": "library", "bom-ref": f"{address}{f'#{digest(marker)[:8]}' if marker else ''}", "name": name, "version": version,
        "purl": address,
        "externalReferences": [{
            "type": "distribution", "url": f"https://pypi.org/project/{name}/{version}/",
            "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
        }],
    }  # fmt: skip
    return part | ({"properties": [{"name": "memory-wall:marker", "value": marker}]} if marker else {})


def _handed_on() -> Iterator[dict[str, Any]]:
    """What the site hands on besides packages: scripts, style sheets, fonts."""
    for one in licences.components():
        if not one.package:
            yield {
                "type": "library", "bom-ref": f"site:{one.text}", "name": one.components, "licenses": [{"license": {"id": one.licence}}],
                "properties": [{"name": "memory-wall:where", "value": one.where}],
            }  # fmt: skip
