"""Files of a site, written and read."""

from __future__ import annotations

import errno
import json
from pathlib import Path

from analysis import door


def read_text(path: Path, largest: int = door.LARGEST_FILE_BYTE) -> str:
    """A text that somebody hands over; raises OSError where it is no regular file or too large, ValueError for no UTF-8."""
    try:
        return door.content(path, largest).decode("utf-8")
    except door.Refused as refused:
        raise OSError(errno.EINVAL, f"{refused.found}; expected {refused.expected}", str(path)) from None


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
