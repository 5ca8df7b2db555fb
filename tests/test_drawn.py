"""How each chart is drawn, its data apart, is filed: whoever changes it changes the file too, and looks at the picture before.

Encodings, scales, filters, layers, axis texts and marks decide what a chart says; a slip in any of them changes its digest.
``python -m tests.test_drawn`` files them anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis import figures
from analysis.book import site
from tests import published
from tests.conftest import ROOT

FILED = ROOT / "tests" / "data" / "drawn.json"
CHAPTERS = {path.stem: path for path in site.chapter_files()}
DATA = ("datasets", "data")
"""Keys of a specification that hold data; the values of an axis are its ticks, and stay."""


def without_data(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: without_data(value) for key, value in node.items() if key not in DATA}
    return [without_data(value) for value in node] if isinstance(node, list) else node


def drawn(path: Path) -> dict[str, str]:
    """Figure → digest of how it is drawn, for the figures of a chapter."""
    found = published.made(path)
    return {
        one["bundle"]["id"]: published.digest(without_data(one["bundle"]["spec"]))
        for one in found
        if one["mime"] == figures.FIGURE
    }


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chart_is_drawn_as_it_is_filed(chapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "Published", published.Noted)
    filed: dict[str, dict[str, str]] = json.loads(FILED.read_text(encoding="utf-8"))
    found = drawn(CHAPTERS[chapter])
    other = [name for name in {*found, *filed[chapter]} if found.get(name) != filed[chapter].get(name)]
    assert not other, (
        f"{', '.join(sorted(other))}: drawn differently. Look at the picture, then `python -m tests.test_drawn`."
    )


if __name__ == "__main__":
    figures.Published = published.Noted  # type: ignore[misc]
    FILED.write_text(
        json.dumps({name: drawn(path) for name, path in CHAPTERS.items()}, indent=1) + "\n", encoding="utf-8"
    )
    sys.stdout.write(f"Written: {FILED}\n")
