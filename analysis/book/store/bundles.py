"""What chapters published, kept in memory while the site is made.

A bundle leaves the kernel once, as a file under its digest (``analysis.figures``); from there on the digest stands for it: in the
messages of the kernel, the outputs that are kept of a run, and the notebook that Sphinx reads.  Only who draws or sets it on a page
asks for the bundle, and only then its text is read.  Its data would otherwise be copied, validated and printed half a dozen times on
the way: the pages of thousands of rows are a hundred megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from analysis import figures

T = TypeVar("T")
_texts: dict[str, bytes] = {}
_kept: dict[str, Any] = {}
_found: dict[tuple[int, str], tuple[object, Any]] = {}


def forget() -> None:
    """Begin anew."""
    _texts.clear()
    _kept.clear()
    _found.clear()


def keep(bundles: Mapping[str, bytes]) -> None:
    """Bundles that runs brought, as JSON by their digests; one that is there already stays the same object."""
    _texts.update(bundles)


def resolved(content: Any) -> Any:
    """The bundle that a digest stands for; what was not handed over is the bundle itself."""
    if not (isinstance(content, dict) and set(content) == {figures.DIGEST}):
        return content
    digest = content[figures.DIGEST]
    if digest not in _kept:
        _kept[digest] = json.loads(_texts.pop(digest))
    return _kept[digest]


def once(subject: object, name: str, make: Callable[[], T]) -> T:
    """What is made from one and the same object several times over, made once; ``name`` says what."""
    key = (id(subject), name)
    if key not in _found or _found[key][0] is not subject:
        _found[key] = (subject, make())
    found: T = _found[key][1]
    return found
