"""What chapters published, kept in memory while the site is made: notebooks carry a short reference to it.

The data of a figure would otherwise be copied, validated and printed half a dozen times on its way through notebook files.
"""

from __future__ import annotations

from typing import Any

_kept: dict[str, Any] = {}


def forget() -> None:
    """Begin anew."""
    _kept.clear()


def reference(bundle: Any) -> dict[str, str]:
    """What stands in the notebook for a bundle."""
    key = str(len(_kept))
    _kept[key] = bundle
    return {"kept": key}


def resolved(content: Any) -> Any:
    """The bundle that a reference stands for; anything else is the bundle itself."""
    return _kept[content["kept"]] if isinstance(content, dict) and set(content) == {"kept"} else content
