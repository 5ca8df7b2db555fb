"""What a chart says to those who hear it: its marks as their tooltips have them, its axes by their titles, helpers not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

OPENING, CLOSING, QUOTES = "([{", ")]}", "\"'"
SIDES = {"bottom": "Horizontal", "top": "Horizontal", "left": "Vertical", "right": "Vertical"}


def made(compiled: dict[str, Any]) -> dict[str, Any]:
    """A compiled chart whose marks are named in readers' words and units; changed in place.

    Vega-Lite names a mark by its columns (``memory_bandwidth_byte_per_s: 272000000000``).  A tooltip holds the same in the words
    and units of the page, so it becomes the name.  What has no tooltip draws or labels what has one, and is left out.
    """
    for part in _parts(compiled):
        for axis in part.get("axes", []):
            if axis.get("aria", True) and isinstance(axis.get("title"), str):
                name = f"{SIDES[axis['orient']]} axis: {axis['title']}"
                axis.setdefault("encode", {})["axis"] = {"update": {"description": {"value": name}}}
            elif axis.get("aria", True):
                axis["aria"] = False
        for mark in part.get("marks", []):
            if mark["type"] != "group":
                _name(mark)
    return compiled


def _parts(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield part
    for mark in part.get("marks", []):
        yield from _parts(mark)


def _name(mark: dict[str, Any]) -> None:
    shown = mark.get("encode", {}).get("update", {})
    shown.pop("description", None)
    signal = shown.get("tooltip", {}).get("signal", "") if isinstance(shown.get("tooltip", {}), dict) else ""
    if not signal.startswith("{"):
        mark["aria"] = False
        return
    said = [f"{json.dumps(f'{name}: ', ensure_ascii=False)} + ({value})" for name, value in entries(signal)]
    shown["description"] = {"signal": ' + "; " + '.join(said)}


def entries(signal: str) -> list[tuple[str, str]]:
    """Name → expression of an object in Vega's language, as ``{"Device": datum["name"], …}``."""
    decoder, found = json.JSONDecoder(), []
    for entry in _parted(signal.strip()[1:-1]):
        name, end = decoder.raw_decode(entry)
        found.append((str(name), entry[end:].strip().removeprefix(":").strip()))
    return found


def _parted(text: str) -> Iterator[str]:
    """The text parted at its commas, but for those within brackets and quotes."""
    start, depth, quote = 0, 0, ""
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and text[index - 1] != "\\" else quote
        elif sign in QUOTES:
            quote = sign
        elif sign == "," and not depth:
            yield text[start:index].strip()
            start = index + 1
        else:
            depth += (sign in OPENING) - (sign in CLOSING)
    yield text[start:].strip()
