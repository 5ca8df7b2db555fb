"""What changed since the edition before: counted from what both publish, and as the change log tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from sphinx.application import Sphinx

from analysis.book.pages import pieces, registry
from analysis.book.record import edition, editions
from analysis.book.store import places, templates

LOG = places.REPOSITORY / "CHANGELOG.md"
COUNTED: tuple[tuple[Literal["claims", "values"], str, str, str], ...] = (
    ("claims", "claims.json", "verdict", "verdicts"),
    ("values", "numbers.json", "text", "numbers of the prose"),
)
"""What chapters publish, the catalogue that an earlier edition has of it, what may differ, and its name."""


def told(app: Sphinx) -> str:
    """This edition against the newest one that is frozen, and its part of the change log."""
    published, name = Path(app.config.memory_wall_published or "."), edition.name(app)
    before = [one for one in editions.known(published) if one["edition"] != name]
    earlier = before[-1] if before else None
    counted = list(_counted(app, published / editions.FOLDER / earlier["edition"], earlier)) if earlier else []
    return templates.page(
        "since",
        edition=name,
        earlier=earlier["edition"] if earlier else "",
        counted=counted,
        log=_logged(),
        with_code=pieces.with_code,
    )


def _counted(app: Sphinx, folder: Path, earlier: dict[str, Any]) -> Iterator[str]:
    """``3 of 81 verdicts changed``, of what both editions have; then how many figures came."""
    known = registry.of(app.env)
    for kind, catalogue, part, called in COUNTED:
        then = {one["id"]: one.get(part) for one in json.loads((folder / catalogue).read_text(encoding="utf-8"))}
        both = [one for _, one in known.all(kind) if one["id"] in then]
        yield f"{sum(one[part] != then[one['id']] for one in both)} of {len(both)} {called} changed"
    yield f"{len({one.id for _, one in known.figures()} - set(earlier['figures']))} figures are new"


def _logged() -> list[tuple[str, list[str]]]:
    """The newest part of the change log: headings with their entries, none where a book keeps no log."""
    text = LOG.read_text(encoding="utf-8") if LOG.is_file() else ""
    newest = re.split(r"^## .*\n", text, maxsplit=2, flags=re.MULTILINE)[1:2]
    parts = [
        part for one in newest for part in re.split(r"^### (.*)\n", f"### The book\n{one}", flags=re.MULTILINE)[1:]
    ]
    entries = [
        [" ".join(one.split()) for one in re.split(r"^- ", part, flags=re.MULTILINE)[1:]] for part in parts[1::2]
    ]
    return [(head, said) for head, said in zip(parts[::2], entries, strict=True) if said]
