"""What chapters published, kept in memory while the site is made: notebooks carry a short reference to it.

The data of a figure would otherwise be copied, validated and printed half a dozen times on its way through notebook files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_kept: dict[str, Any] = {}
_found: dict[tuple[int, str], tuple[object, Any]] = {}


def forget() -> None:
    """Begin anew."""
    _kept.clear()
    _found.clear()


def reference(bundle: Any) -> dict[str, str]:
    """What stands in the notebook for a bundle."""
    key = str(len(_kept))
    _kept[key] = bundle
    return {"kept": key}


def resolved(content: Any) -> Any:
    """The bundle that a reference stands for; anything else is the bundle itself."""
    return _kept[content["kept"]] if isinstance(content, dict) and set(content) == {"kept"} else content


def once(subject: object, name: str, make: Callable[[], T]) -> T:
    """What is made from one and the same object several times over, made once; ``name`` says what."""
    key = (id(subject), name)
    if key not in _found or _found[key][0] is not subject:
        _found[key] = (subject, make())
    found: T = _found[key][1]
    return found
