"""The letters of pictures, cards and exports: a font in three styles, and its licence beside it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def file(style: str) -> Path:
    """Where the font of one of the styles lies."""
    return FOLDER / f"MemoryWallSans-{style}.ttf"
