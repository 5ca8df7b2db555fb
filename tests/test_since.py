"""What changed since the edition before is counted, and the newest part of the change log is told, no other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analysis.book.pages import registry, since


def test_only_the_newest_part_of_the_log_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "CHANGELOG.md"
    monkeypatch.setattr(since, "LOG", log)
    assert since._logged() == []
    log.write_text(
        "# Changelog\n\n## 2\n\n- New `a`\n  on two lines.\n\n### Part\n\n- B.\n- C.\n\n## 1\n\n- Old.\n",
        encoding="utf-8",
    )
    assert since._logged() == [("The book", ["New `a` on two lines."]), ("Part", ["B.", "C."])]


def test_what_both_editions_have_is_compared(tmp_path: Path) -> None:
    earlier = {
        "claims.json": [{"id": "a", "verdict": "reproduces"}, {"id": "b", "verdict": "ambiguous"}, {"id": "gone", "verdict": "ambiguous"}],
        "numbers.json": [{"id": "n", "text": "1 GB"}],
    }  # fmt: skip
    for name, rows in earlier.items():
        (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
    known = registry.Registry()
    for key, verdict in (("a", "reproduces"), ("b", "contradicted"), ("new", "reproduces")):
        known.add("claims", "chapters/x", key, {"id": key, "verdict": verdict})
    known.add("values", "chapters/x", "n", {"id": "n", "text": "1 GB"})
    for key in ("old", "new-1", "new-2"):
        known.add("figures", "chapters/x", key, SimpleNamespace(id=key))
    app = cast(Any, SimpleNamespace(env=SimpleNamespace(memory_wall_registry=known)))
    assert list(since._counted(app, tmp_path, {"figures": {"old": {}}})) == [
        "1 of 2 verdicts changed", "0 of 1 numbers of the prose changed", "2 figures are new",
    ]  # fmt: skip
