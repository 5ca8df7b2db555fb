"""Writing files beside the pages."""

from __future__ import annotations

import json
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Write a file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def json_text(content: object) -> str:
    """JSON for people and programs alike."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_json(path: Path, content: object) -> None:
    """Write JSON for people and programs alike."""
    write(path, json_text(content))
