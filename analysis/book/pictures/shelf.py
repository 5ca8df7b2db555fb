"""Pictures by content address: drawn once, read ever after."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from analysis import fonts
from analysis.book.record import imprint
from analysis.book.store import freshness, places
from analysis.book.store.cache import Store, code_of, digest, file_digest

DRAWING = "analysis.book.pictures.renderer"
"""What draws: a picture is kept under the digest of this module and of all that it imports of this package."""
LOOK_S = 0.01
_in_vain = False


@cache
def _tools() -> str:
    """The code that draws, the packages it draws with, the fonts, and the author and licence that pictures carry."""
    ours = places.REPOSITORY / "analysis" / "book" / "static" / "fonts"
    letters = "".join(file_digest(path) for path in [*sorted(fonts.FOLDER.glob("*.ttf")), *sorted(ours.iterdir())])
    return f"{code_of(DRAWING)} {freshness.installed()} {digest(letters)} {imprint.read()}"


def store() -> Store:
    """Where pictures are kept; what cannot be kept is handed over within a build."""
    return Store("pictures", handed_over=True)


def address(kind: str, source: str) -> str:
    """What a picture depends on: what draws it, the kind, the specification."""
    return f"{_tools()} {kind} {source}"


def kept(kind: str, source: str, make: Callable[[], bytes]) -> bytes:
    """The picture from the store, or made and kept."""
    return store().made(address(kind, source), make)


def awaited(kind: str, source: str, patience_s: float) -> bytes | None:
    """The picture from the store; where it is not there, what another process puts there in so long a time."""
    global _in_vain  # noqa: PLW0603 - one per process
    end = time.monotonic() + (0.0 if _in_vain else patience_s)
    while (found := store().get(address(kind, source))) is None and time.monotonic() < end:
        time.sleep(LOOK_S)
    _in_vain |= found is None and patience_s > 0
    return found
