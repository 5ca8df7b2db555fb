"""The ends of an axis, moved out where data lie beyond them: an analyst's device does not leave the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from analysis import words

Node = dict[str, Any]
CHANNELS = {"x": ("x", "x2"), "y": ("y", "y2")}
SIDE_BY_SIDE = ("hconcat", "vconcat", "concat")
ROOM = 0.1
"""So much further than the outermost datum an end is moved: of its value on a logarithmic axis, of the span on a linear one."""
MOST_TICKS = 12


def covering(ends: Sequence[float], values: Iterable[float], log: bool = True) -> tuple[float, float]:
    """The ends, moved out where values lie beyond them; missing values, and those a logarithm does not know, do not count."""
    known = [float(value) for value in values if not math.isnan(value) and (value > 0 or not log)]
    low, high = float(ends[0]), float(ends[1])
    least, most = min(known, default=low), max(known, default=high)
    room = ROOM * (max(most, high) - min(least, low))
    if least < low:
        low = least / (1 + ROOM) if log else least - room
    if most > high:
        high = most * (1 + ROOM) if log else most + room
    return low, high


def widened(spec: Node) -> Node:
    """The specification, changed in place: each axis with fixed ends covers all points along it, and other marks but clipped ones.

    It sees the columns of tables, not what a browser makes of them and of a slider.  ``spec`` has its numbers rounded as its
    data are, or an end taken from the data would seem to lie beside them.
    """
    for view in _views(spec, spec.get("datasets", {}), {}, []):
        for channel, names in CHANNELS.items():
            _cover(view, channel, names)
    return spec


View = list[tuple[Node, list[Node]]]
"""Marks on the same axes: what each encodes, and its rows; without rows where it is clipped."""


def _views(part: Node, datasets: Node, encoding: Node, rows: list[Node]) -> Iterator[View]:
    data, encoding = part.get("data", {}), encoding | part.get("encoding", {})
    rows = datasets.get(data.get("name"), data.get("values", rows))
    if "mark" in part:
        yield [(encoding, [] if _may_be_cut(part["mark"]) else rows)]
    if "layer" in part:
        yield [drawn for layer in part["layer"] for view in _views(layer, datasets, encoding, rows) for drawn in view]
    if "spec" in part:
        yield from _views(part["spec"], datasets, encoding, rows)
    for name in SIDE_BY_SIDE:
        for beside in part.get(name, []):
            yield from _views(beside, datasets, encoding, rows)


def _may_be_cut(mark: str | Node) -> bool:
    return isinstance(mark, dict) and bool(mark.get("clip")) and mark["type"] != "point"


def _cover(view: View, channel: str, names: Iterable[str]) -> None:
    fixed = [encoding[channel] for encoding, _ in view if _is_fixed(encoding.get(channel, {}))]
    if not fixed:
        return
    scales = [definition["scale"] for definition in fixed]
    before = min(scale["domain"][0] for scale in scales), max(scale["domain"][1] for scale in scales)
    fields = [(encoding.get(name, {}).get("field"), rows) for encoding, rows in view for name in names]
    log = any(scale.get("type") == "log" for scale in scales)
    values = [row[field] for field, rows in fields for row in rows if _is_number(row.get(field))]
    after = covering(before, values, log)
    if after == before:
        return
    for definition in fixed:
        definition["scale"]["domain"] = [words.significant(end) for end in after]
        if axis := definition.get("axis"):
            _continue(axis, after, log)


def _is_fixed(definition: Node) -> bool:
    domain = (definition.get("scale") or {}).get("domain")
    return isinstance(domain, list) and bool(domain) and all(_is_number(end) for end in domain)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _continue(axis: Node, ends: tuple[float, float], log: bool) -> None:
    """Go on with the ticks as they were begun; where that would be many, leave them to the renderer."""
    ticks = axis.get("values")
    if not isinstance(ticks, list) or len(ticks) < 2 or not all(_is_number(tick) for tick in ticks):
        return
    step = ticks[1] - ticks[0]

    def beside(tick: float, sign: int) -> float:
        return tick * 10.0**sign if log else tick + sign * step

    more = list(ticks)
    while len(more) <= MOST_TICKS and beside(more[-1], 1) <= ends[1]:
        more.append(beside(more[-1], 1))
    while len(more) <= MOST_TICKS and beside(more[0], -1) >= ends[0]:
        more.insert(0, beside(more[0], -1))
    if len(more) > MOST_TICKS:
        del axis["values"]
    else:
        axis["values"] = [words.significant(tick) for tick in more]
