"""What chapters published, kept in memory while the site is made.

A bundle leaves the kernel once, as a file under its digest (``analysis.figures``); from there on the digest stands for it: in the
messages of the kernel, the outputs that are kept of a run, and the notebook that Sphinx reads.  Only who draws or sets it on a page
asks for the bundle.  Its data would otherwise be copied, validated and printed half a dozen times on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from analysis import figures

T = TypeVar("T")
_kept: dict[str, Any] = {}
_found: dict[tuple[int, str], tuple[object, Any]] = {}


def forget() -> None:
    """Begin anew."""
    _kept.clear()
    _found.clear()


def keep(bundles: Mapping[str, Any]) -> None:
    """Bundles that runs brought, by their digests; one that is there already stays the same object."""
    for digest, bundle in bundles.items():
        _kept.setdefault(digest, bundle)


def resolved(content: Any) -> Any:
    """The bundle that a digest stands for; what was not handed over is the bundle itself."""
    is_reference = isinstance(content, dict) and set(content) == {figures.DIGEST}
    return _kept[content[figures.DIGEST]] if is_reference else content


def once(subject: object, name: str, make: Callable[[], T]) -> T:
    """What is made from one and the same object several times over, made once; ``name`` says what."""
    key = (id(subject), name)
    if key not in _found or _found[key][0] is not subject:
        _found[key] = (subject, make())
    found: T = _found[key][1]
    return found
