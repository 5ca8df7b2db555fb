"""What the charts of all chapters share: axes labelled in readers' words, limits, shading, the article's points.

Scales follow the unit in a column's name: ``x("memory_bandwidth_byte_per_s", log=True)`` labels its ticks 10 GB/s, 100 GB/s, 1 TB/s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis import units
from analysis.charts import expressions, theme
from analysis.words import magnitude, settled

alt.data_transformers.disable_max_rows()


def _unit(column: str) -> str:
    found = units.parse(column)
    return found.base if found else ""


def words(column: str) -> str:
    """A column name as a reader says it: ``memory_bandwidth_byte_per_s`` → ``Memory bandwidth``."""
    text = units.stem(column).replace("_", " ").strip() or column.replace("_", " ")
    return text[:1].upper() + text[1:]


def axis(column: str, title: str | None = None, **more: Any) -> alt.Axis:
    """An axis whose ticks are labelled in the unit the column's name ends with."""
    label = more.pop("labelExpr", expressions.tick(_unit(column)))
    return alt.Axis(title=title or words(column), labelExpr=label, **more)


LINE_HEIGHT = 14
"""Of a name of several lines, in pixels."""


def names_axis(character: int = 15, text: str = "datum.label", **more: Any) -> alt.Axis:
    """An axis of names: all of them, whole, broken after so many characters where a few more follow: a phone keeps room.

    A name of several lines stands with their middle, not with its first line, beside its mark.
    """
    broken = rf"split(replace({text}, /(.{{{character},}}?) (?=.{{6}})/g, '$1\n'), '\n')"
    middle = {"test": f"length({broken}) > 1", "expr": f"-{LINE_HEIGHT / 2:g} * (length({broken}) - 1)"}
    return alt.Axis(
        title=None, labelExpr=broken, labelOverlap=False, labelLineHeight=LINE_HEIGHT,
        labelOffset={"condition": middle, "value": 0}, **more,
    )  # fmt: skip


def scale(log: bool = False, domain: Sequence[float] | None = None, **more: Any) -> alt.Scale:
    """A linear scale from zero, or a logarithmic one; ``domain`` fixes its ends."""
    ends = {} if domain is None else {"domain": list(domain), "nice": False}
    if log:
        return alt.Scale(type="log", **ends, **more)
    fixed = {} if domain is None else {"zero": False}
    return alt.Scale(**ends, **fixed, **more)


def x(
    column: str, title: str | None = None, *, log: bool = False, domain: Sequence[float] | None = None, **more: Any
) -> alt.X:
    """A horizontal channel for a quantity; its ticks carry the unit."""
    ticks = more.pop("values", None)
    marks = axis(column, title, **({"values": list(ticks)} if ticks is not None else {}))
    return alt.X(f"{column}:Q", scale=scale(log, domain), axis=marks, **more)


def y(
    column: str, title: str | None = None, *, log: bool = False, domain: Sequence[float] | None = None, **more: Any
) -> alt.Y:
    """A vertical channel for a quantity; its ticks carry the unit."""
    ticks = more.pop("values", None)
    marks = axis(column, title, **({"values": list(ticks)} if ticks is not None else {}))
    return alt.Y(f"{column}:Q", scale=scale(log, domain), axis=marks, **more)


def log_ticks(values: Iterable[float], most: int = 9) -> list[float]:
    """Few, honest ticks for a logarithmic axis over ``values``: decades, or 1-2-5 steps where the range is short; none of nothing."""
    finite = [value for value in values if value and math.isfinite(value)]
    if not finite:
        return []
    least, greatest = (settled(end) for end in (min(finite), max(finite)))
    low, high = magnitude(least), magnitude(greatest) + (greatest > 10.0 ** magnitude(greatest))
    fine = [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]
    kept = [tick for tick in fine if min(finite) / 1.5 <= tick <= max(finite) * 1.5]
    return kept if len(kept) <= most else [10.0**power for power in range(low, high + 1)]


def tooltip(*columns: str, titles: dict[str, str] | None = None) -> list[alt.Tooltip]:
    """A tooltip with a readable title for every column; ``tooltips.worded`` gives its numbers the units of their columns."""
    named = titles or {}
    return [_tip(column, named.get(column, words(column))) for column in columns]


def _tip(column: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{column}:Q" if _unit(column) not in ("", "date") else column, title=title)


def colour(column: str, palette: dict[str, str], present: Sequence[str], **legend: Any) -> alt.Color:
    """Colour by a category whose colours are the same in every chapter; ``legend`` as for ``shape``."""
    return alt.Color(**_category(column, palette, present, **legend))


def shape(column: str, palette: dict[str, str], present: Sequence[str], **legend: Any) -> alt.Shape:
    """Marker shape by category, so that nothing rests on colour alone; ``legend`` as for Altair; ``legend=False``: none."""
    return alt.Shape(**_category(column, palette, present, **legend))


OTHERS = {True: theme.MUTED, False: "circle"}
"""Colour (True) and shape of a category that a palette lacks: a word that somebody added to an open list."""


def _category(
    column: str,
    palette: dict[str, str],
    present: Sequence[str],
    *,
    title: str | None = None,
    legend: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """The channel of a category: only those present are listed, in the order of the palette, then those that it lacks."""
    others = dict.fromkeys(sorted(set(present) - set(palette)), OTHERS[next(iter(palette.values())).startswith("#")])
    domain = [name for name in palette if name in set(present)] + list(others)
    key = alt.Legend(title=title, **more) if legend else None
    scale = alt.Scale(domain=domain, range=[(palette | others)[name] for name in domain])
    return {"shorthand": f"{column}:N", "scale": scale, "legend": key}


def layered(*layers: alt.Chart | alt.LayerChart, params: Iterable[alt.Parameter]) -> alt.LayerChart:
    """Layers with the sliders and menus they share: handed over with them, as ``add_params`` copies every layer thrice."""
    return alt.layer(*layers, params=[param.param for param in params])


def limit(
    value: float, label: str, *, column: str, along: str = "x", align: str = "left", **offsets: float
) -> alt.LayerChart:
    """A dashed line where a limit is, named in the plot.  ``along='x'`` draws it at an x value, else at a y value."""
    frame = pd.DataFrame({column: [value], "limit_label": [label]})
    base = alt.Chart(frame)
    if along == "x":
        rule = base.mark_rule(strokeDash=[5, 4]).encode(alt.X(f"{column}:Q"))
        text = base.mark_text(align=align, baseline="top", dx=offsets.get("dx", 5), dy=offsets.get("dy", 2)).encode(
            alt.X(f"{column}:Q"), alt.YValue(0), alt.Text("limit_label:N")
        )
        return alt.layer(rule, text)
    rule = base.mark_rule(strokeDash=[5, 4]).encode(alt.Y(f"{column}:Q"))
    text = base.mark_text(align=align, baseline="bottom", dx=offsets.get("dx", 4), dy=offsets.get("dy", -4)).encode(
        alt.XValue(0), alt.Y(f"{column}:Q"), alt.Text("limit_label:N")
    )
    return alt.layer(rule, text)


def article(
    frame: pd.DataFrame, *, x: str, y: str, label: str | None = None, dx: float = 10, dy: float = 0
) -> alt.LayerChart:
    """The article's own points: one accent colour, one star, with a label beside it."""
    base = alt.Chart(frame).encode(alt.X(f"{x}:Q"), alt.Y(f"{y}:Q"))
    star = base.mark_point(shape=theme.ACCENT_SHAPE, size=170, filled=True, color=theme.ACCENT, opacity=1)
    if label is None:
        return alt.layer(star)
    text = base.mark_text(align="left", dx=dx, dy=dy, color=theme.ACCENT, fontWeight=600).encode(alt.Text(f"{label}:N"))
    return alt.layer(star, text)


def labels(
    frame: pd.DataFrame, *, x: str, y: str, label: str, dx: float = 8, dy: float = 0, align: str = "left", **more: Any
) -> alt.Chart:
    """Direct labels beside points or at the end of lines."""
    mark = alt.Chart(frame).mark_text(align=align, dx=dx, dy=dy, baseline="middle", **more)
    return mark.encode(alt.X(f"{x}:Q"), alt.Y(f"{y}:Q"), alt.Text(f"{label}:N"))
