"""All that the chapters publish, run in this process as a script, so that two processes under different conditions can be compared.

``python -m tests.published`` prints the digest of every number, table, figure and list of claims as JSON, by chapter and id.
With ``--shuffled`` each table is shuffled before ``analysis.ranking`` sorts it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import figures, ranking
from analysis.book import site
from analysis.book.run import execution

SHUFFLED = "--shuffled"
MADE: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Noted(figures.Published):
    """What is published, noted when it is made."""

    def __post_init__(self) -> None:
        MADE.append({"mime": self.mime, "bundle": self.bundle})


def digests() -> dict[str, str]:
    """Digest by chapter, kind and id; the numbers of a chapter one by one."""
    found: dict[str, str] = {}
    for path in site.chapter_files():
        for one in made(path):
            kind = one["mime"].split(".")[-1].partition("+")[0]
            for part in one["bundle"].get("values", [one["bundle"]]):
                found[f"{path.stem} {kind} {part.get('id', '')}"] = digest(part)
    return found


def made(path: Path, **changed: Any) -> list[dict[str, Any]]:
    """What a chapter publishes, once ``figures.Published`` is ``Noted``; with those of its parameters changed that are named."""
    MADE.clear()
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in execution.read(path).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, path.name, "exec"), names)  # noqa: S102 - a chapter's own code
        if "parameters" in cell.metadata.get("tags", []):
            names |= {name: value for name, value in changed.items() if name in names}
    return list(MADE)


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, allow_nan=False).encode()).hexdigest()


def shuffle_before_sorting() -> None:
    """Have every order of the book begin from rows in another order: only one that is total stays the same."""
    plain = ranking.by

    def shuffled(table: pd.DataFrame, *columns: str, **more: Any) -> pd.DataFrame:
        return plain(table.sample(frac=1, random_state=1), *columns, **more)

    ranking.by = shuffled


if __name__ == "__main__":
    figures.Published = Noted  # type: ignore[misc]
    if SHUFFLED in sys.argv:
        shuffle_before_sorting()
    sys.stdout.write(json.dumps(digests()))
