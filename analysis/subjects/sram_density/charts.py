"""The pictures of the chapter on SRAM."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from analysis import ranking, units, words
from analysis.charts import marks, theme

UM2, GPARAM = units.unit("um2").factor, units.unit("gparam").factor
BASES = {"bare cells": "circle", "arrays": "square", "V-Cache": "diamond"}
"""How densely the weights are packed: the first two are computed, the last is a real die."""
DIE_COLOURS = {
    "Phone": theme.CLASSES["phone"], "Laptop, desktop": theme.CLASSES["laptop"],
    "CPU chiplet": theme.CLASSES["desktop"], "Stacked SRAM": theme.CLASSES["desktop"],
    "Server GPU": theme.CLASSES["server"], "AI accelerator": theme.CLASSES["server"],
    "Whole wafer": theme.CLASSES["server"],
}  # fmt: skip
FOUNDRY_SHAPES = {
    "TSMC": "circle", "Intel": "square", "Samsung": "triangle-up", "GlobalFoundries": "diamond", "IBM": "cross"
}  # fmt: skip
FOUNDRY_COLOURS = dict.fromkeys(FOUNDRY_SHAPES, theme.MUTED) | {"TSMC": theme.PRIMARY}
READINGS = {"all of it": "circle", "at least": "triangle-right"}
AVAILABLE = {"for sale": "circle", "not for sale": "diamond"}
EMERGING = {"FeRAM": theme.PRIMARY, "MRAM": theme.PRIMARY, "ReRAM": theme.PRIMARY}
MEMORY_ROWS = [*EMERGING, "SRAM", "DRAM die", "HBM stack", "NAND flash die", "Flash stack"]
MEMORY_COLOURS = dict.fromkeys(MEMORY_ROWS, theme.MUTED) | EMERGING
KINDS = {"bare_capacity_byte": "circle", "computed_array_byte": "square", "stated_capacity_byte": "diamond"}


def area_for_the_weights(
    table: pd.DataFrame,
    yardsticks: pd.DataFrame,
    article: pd.DataFrame,
    *,
    total_param: float,
    array_efficiency_share: float,
) -> alt.LayerChart:
    """Rows are formats, points the area at three densities, lines two chips, the reticle and the wafer."""
    billion, widest = total_param / GPARAM, max(150_000, 1.5 * float(table["area_mm2"].max()))
    label, ends = "Model size (billion parameters) ", {"least": min(0.5, billion), "most": max(70, billion)}
    size = _slider("model_size", billion, label, step=0.1, **ends)
    efficiency = _efficiency("array_efficiency", array_efficiency_share)
    share = f"(datum.basis == 'arrays' ? array_efficiency / {array_efficiency_share * 100:g} : 1)"
    base = alt.Chart(table).transform_calculate(
        needed_mm2=f"8 * model_size * {GPARAM:g} * datum.byte_per_param / (datum.density_bit_per_mm2 * {share})"
    )
    x = _across(
        "needed_mm2",
        "Area needed (mm²)",
        [100, 1000, 10_000, 100_000],
        [min(12, float(table["area_mm2"].min()) / 2), widest],
    )
    y = _rows("format", list(dict.fromkeys(table["format"])), paddingOuter=0.35)
    paint = _paint("format_id", theme.FORMATS, table)
    span = base.transform_aggregate(low="min(needed_mm2)", high="max(needed_mm2)", groupby=["format", "format_id"])
    line = span.mark_rule(strokeWidth=2, opacity=0.5, clip=True).encode(alt.X("low:Q"), alt.X2("high:Q"), y, paint[1])
    tips = [
        *marks.tooltip("format", "basis", titles={"basis": "Density of"}),
        _tip("needed_mm2", "Area needed (mm²)", ",.3~r"),
        _tip("weight_byte", "Weights of the reference model (B)", ".3~s"),
    ]
    points = _points(base, 95, clip=True).encode(
        x, y, *paint, _shape("basis", BASES, table, "At the density of"), _filled("datum.basis == 'V-Cache'"),
        tooltip=tips,
    )  # fmt: skip
    shade = _shade("needed_mm2", yardsticks["area_mm2"].iloc[-2], below=False)
    layers = (shade, *_yard_lines(yardsticks), line, points, *_article_area(article, y))
    return marks.layered(*layers, params=(size, efficiency))


def _yard_lines(yardsticks: pd.DataFrame) -> list[alt.LayerChart]:
    """Draw one dashed line per area, its name on the side where there is room."""
    ends = (yardsticks["area_mm2"].min(), yardsticks["area_mm2"].max())
    return [
        marks.limit(area, name, column="needed_mm2", **_side(left=area in ends))
        for area, name in zip(yardsticks["area_mm2"], yardsticks["label"], strict=True)
    ]


def _article_area(article: pd.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Put the article's star above the row of its format."""
    base = alt.Chart(article).encode(alt.X("area_mm2:Q"), y)
    tips = [_tip("label", "Stated by", kind="N"), _tip("area_mm2", "As bare cells (mm²)", ",.3~r")]
    return [_star(base, yOffset=-19).encode(tooltip=tips), _said(base, dx=11, dy=-19, align="left", field="label")]


def capacity_by_node(table: pd.DataFrame, article: pd.DataFrame, *, array_efficiency_share: float) -> alt.LayerChart:
    """Rows are nodes, points what 100 mm2 hold as bare cells, as arrays, and as somebody publishes."""
    base = alt.Chart(table).transform_calculate(
        technology="'sram'",
        computed_array_byte="datum.bare_capacity_byte * node_efficiency / 100",
        cell_um2=f"datum.bitcell_area_mm2 / {UM2}",
    )
    step = 2e8 * math.ceil(1.1 * float(table[["bare_capacity_byte", "stated_capacity_byte"]].max().max()) / 8e8)
    x = _across("capacity_byte", "Memory on 100 mm²", [0, step, 2 * step, 3 * step], [0, 4 * step], log=False)
    y = _rows("label", list(table["label"]))
    line = base.mark_rule(strokeWidth=2, opacity=0.4, color=theme.PRIMARY).encode(
        alt.X("computed_array_byte:Q"), alt.X2("bare_capacity_byte:Q"), y
    )
    tips = [
        _tip("label", "Process", kind="N"), _tip("year", "Year", "d"), _tip("cell_um2", "Area of a cell (µm²)", ".4~f"),
        _tip("capacity_byte", "On 100 mm² (B)", ".3~s"), _tip("stated_by", "Published density", kind="N"),
    ]  # fmt: skip
    folded = base.transform_fold(list(KINDS), as_=["kind", "capacity_byte"]).transform_filter("datum.capacity_byte > 0")
    stated = "datum.kind == 'stated_capacity_byte' && datum.stated_by == 'stated by the foundry'"
    names = "{'bare_capacity_byte': 'bare cells', 'computed_array_byte': 'arrays'}[datum.label] || 'published'"
    points = _points(folded, 80).encode(
        x, y, *_paint("technology", {"sram": theme.PRIMARY}), _shape("kind", KINDS, names=names), _filled(stated),
        tooltip=tips,
    )  # fmt: skip
    stars = alt.Chart(article).encode(alt.X("capacity_byte:Q"), y)
    star = _star(stars, yOffset=-1).encode(tooltip=[_tip("capacity_byte", "The article, on 100 mm² (B)", ".3~s")])
    layers = (line, points, star, _said(stars, dy=-14, align="center", field="said"))
    return marks.layered(*layers, params=(_efficiency("node_efficiency", array_efficiency_share),))


def dies(table: pd.DataFrame, bare_byte: float) -> alt.LayerChart:
    """Rows are kinds of chips, points chips by memory per 100 mm2, newer ones lower; the line is a bound."""
    choice = alt.binding_select(options=[None, *DIE_COLOURS], labels=["all kinds", *DIE_COLOURS], name="Highlight ")
    column = "sram_on_100mm2_byte"
    x = _across(column, "On-chip memory per 100 mm² of die", [1e7, 1e8, 1e9], [4e6, 1.2e9])
    y = _rows("row", list(DIE_COLOURS))
    titles = {column: "Memory per 100 mm²", "sram_byte": "Memory", "reading": "Counted", "certainty": "Figures"}
    names = ("name", "node", "year", "area_mm2", "sram_byte", column, "reading", "certainty")
    points = _points(alt.Chart(table), 60).encode(
        x, y, alt.YOffset("year:Q", scale=alt.Scale(domain=[2014, 2036])), *_paint("row", DIE_COLOURS, table),
        _shape("reading", READINGS, table, "Memory counted"), _filled("datum.certainty == 'stated'"),
        tooltip=marks.tooltip(*names, titles=titles),
        opacity=alt.condition("chip_kind == null || datum.row == chip_kind", alt.value(0.9), alt.value(0.12)),
    )  # fmt: skip
    bound = marks.limit(
        bare_byte, f"bare cells: {words.quantity(bare_byte, 'byte')}", column=column, **_side(left=True)
    )
    layers = (_shade(column, bare_byte, below=False), bound, points, _names(table, column, y))
    return marks.layered(*layers, params=(alt.param(name="chip_kind", value=None, bind=choice),))


def cell_area_by_year(table: pd.DataFrame, pace: pd.DataFrame) -> alt.LayerChart:
    """Area of a cell over the years: TSMC's as a line, and the line it left."""
    years = [2011, 2014, 2017, 2020, 2023, 2026]
    x = marks.x("year", "Year of publication or first production", domain=[2010.3, 2026.2], values=years)
    ticks = [UM2 * area for area in (0.005, 0.01, 0.02, 0.05, 0.1)]
    axis = alt.Axis(title=None, values=ticks, labelExpr=f"format(datum.value / {UM2}, '~g') + ' µm²'")
    y = alt.Y("bitcell_area_mm2:Q", scale=marks.scale(True, [5e-9, 1.6e-7]), axis=axis)
    tsmc = table[table["foundry"] == "TSMC"]
    line = alt.Chart(tsmc[tsmc["is_smallest"]]).mark_line(color=theme.PRIMARY).encode(x, y)
    gone = alt.Chart(pace).mark_line(strokeDash=[5, 4], color=theme.MUTED).encode(x, y)
    said = alt.Chart(pace[pace["label"] != ""]).mark_text(align="right", dx=-10, dy=3).encode(x, y, alt.Text("label:N"))
    tips = [
        _tip("label", "Process", kind="N"), _tip("year", "Year", "d"), _tip("cell_um2", "Area of a cell (µm²)", ".4~f"),
        _tip("confidence", "Confidence", kind="N"),
    ]  # fmt: skip
    points = _points(alt.Chart(table).transform_calculate(cell_um2=f"datum.bitcell_area_mm2 / {UM2}"), 75).encode(
        x, y, *_paint("foundry", FOUNDRY_COLOURS, table, legend=alt.Legend(title=None)),
        marks.shape("foundry", FOUNDRY_SHAPES, list(table["foundry"])), tooltip=tips,
        fillOpacity=alt.condition("datum.confidence == 'estimate'", alt.value(0), alt.value(1)),
    )  # fmt: skip
    named = alt.Chart(table[table["highlight"] != ""]).mark_text(
        align="right", dx=-4, dy=12, color=theme.PRIMARY, fontWeight=600
    )
    return alt.layer(gone, said, line, points, named.encode(x, y, alt.Text("highlight:N")))


def other_memories(table: pd.DataFrame, needed: pd.DataFrame) -> alt.LayerChart:
    """Rows are kinds of memory, points products and prototypes by capacity; lines say what the weights need."""
    column = "capacity_byte"
    x = _across(column, "Capacity of one die, stack or card", [1e7, 1e9, 1e11], [2e6, 2e12])
    y = _rows("row", MEMORY_ROWS, paddingOuter=0.3)
    points = _points(alt.Chart(table), 85).encode(
        x, y, *_paint("row", MEMORY_COLOURS, table), _shape("availability", AVAILABLE, table),
        _filled("datum.availability == 'for sale'"),
        tooltip=marks.tooltip("product", "maker", "status", "year", column),
    )  # fmt: skip
    low, high = needed["weight_byte"].min() / 2, needed["weight_byte"].max()
    near = table[column].between(low, high)
    names = [_names(table[~near], column, y), _names(table[near], column, y, align="right", dx=-13)]
    return alt.layer(*_too_small(needed, column), points, *names)


def memory_densities(table: pd.DataFrame, needed: pd.DataFrame) -> alt.LayerChart:
    """Rows are memories, points what 100 mm2 of each hold; lines say what the weights need."""
    column = "capacity_on_100mm2_byte"
    x = _across(column, "Memory on 100 mm²", [1e8, 1e9, 1e10, 1e11], [5e7, 1e12])
    y = _rows("memory", list(table["memory"]), paddingOuter=0.5)
    tips = marks.tooltip("memory", "kind", "status", column, titles={column: "On 100 mm²"})
    points = _points(alt.Chart(table), 95).encode(
        x, y, *_paint("kind", MEMORY_COLOURS, table), _filled("datum.availability == 'for sale'"), tooltip=tips
    )
    return alt.layer(*_too_small(needed, column), points)


def _slider(name: str, value: float, label: str, *, least: float, most: float, step: float) -> alt.Parameter:
    return alt.param(name=name, value=value, bind=alt.binding_range(min=least, max=most, step=step, name=label))


def _efficiency(name: str, share: float) -> alt.Parameter:
    return _slider(name, share * 100, "Cells' share of an array (%) ", least=5, most=100, step=1)


def _across(column: str, title: str, ticks: list[float], domain: list[float], *, log: bool = True) -> alt.X:
    """Encode a quantity from left to right, with grid lines, where the rows are names."""
    axis = marks.axis(column, title, values=ticks, grid=True)
    return alt.X(f"{column}:Q", scale=marks.scale(log, domain), axis=axis)


def _rows(column: str, order: list[str], **scale: Any) -> alt.Y:
    axis = alt.Axis(labelOverlap=False, ticks=False)
    return alt.Y(f"{column}:N", sort=order, title=None, scale=alt.Scale(**scale), axis=axis)


def _points(base: alt.Chart, size: float, **more: Any) -> alt.Chart:
    return base.mark_point(size=size, strokeWidth=1.8, filled=True, opacity=1, **more)


def _paint(
    column: str, palette: dict[str, str], table: pd.DataFrame | None = None, legend: alt.Legend | None = None
) -> tuple[alt.Fill, alt.Stroke]:
    """Colour a mark's inside and edge by a category."""
    domain = [name for name in palette if table is None or name in set(table[column])]
    scale = alt.Scale(domain=domain, range=[palette[name] for name in domain])
    return alt.Fill(f"{column}:N", scale=scale, legend=legend), alt.Stroke(f"{column}:N", scale=scale, legend=legend)


def _filled(test: str) -> alt.FillOpacityValue:
    """Fill the points that pass, leave the others hollow."""
    return alt.FillOpacityValue(0, condition={"test": test, "value": 1})


def _shape(
    column: str, palette: dict[str, str], table: pd.DataFrame | None = None, title: str | None = None, names: str = ""
) -> alt.Shape:
    """Shape by a category, with a legend of hollow grey symbols: colour says something else."""
    domain = [name for name in palette if table is None or name in set(table[column])]
    more = {"labelExpr": names} if names else {}
    legend = alt.Legend(title=title, symbolFillColor="transparent", symbolStrokeColor=theme.MUTED, **more)
    scale = alt.Scale(domain=domain, range=[palette[name] for name in domain])
    return alt.Shape(f"{column}:N", scale=scale, legend=legend)


def _tip(column: str, title: str, shown: str = "", kind: str = "Q") -> alt.Tooltip:
    return alt.Tooltip(f"{column}:{kind}", title=title, **({"format": shown} if shown else {}))


def _side(*, left: bool) -> dict[str, Any]:
    return {"align": "right", "dx": -5} if left else {"align": "left", "dx": 5}


def _shade(column: str, limit: float, *, below: bool) -> alt.Chart:
    """Shade the side of a limit that does not work, to the end of the plot."""
    mark = alt.Chart(pd.DataFrame({column: [limit]})).mark_rect(color=theme.FORBIDDEN, opacity=theme.SHADE)
    return mark.encode(alt.X(f"{column}:Q"), alt.X2Value(0 if below else "width"))


def _too_small(needed: pd.DataFrame, column: str) -> list[Any]:
    """Shade what is too small for the smallest format, and draw a line for it and for the largest."""
    ordered = ranking.by(needed, "weight_byte", "format")
    ends = [
        marks.limit(row["weight_byte"], row["shown"], column=column, **_side(left=left))
        for left, row in ((True, ordered.iloc[0]), (False, ordered.iloc[-1]))
    ]
    return [_shade(column, ordered["weight_byte"].iloc[0], below=True), *ends]


def _names(table: pd.DataFrame, x: str, y: alt.Y, **more: Any) -> alt.Chart:
    """Write the names of the highlighted points below them."""
    text = alt.Chart(table[table["highlight"] != ""]).mark_text(dy=16, baseline="middle", fontSize=11.5, **more)
    return text.encode(alt.X(f"{x}:Q"), y, alt.Text("highlight:N"))


def _star(base: alt.Chart, **more: Any) -> alt.Chart:
    return base.mark_point(shape=theme.ACCENT_SHAPE, size=150, filled=True, color=theme.ACCENT, opacity=1, **more)


def _said(base: alt.Chart, *, field: str, **more: Any) -> alt.Chart:
    return base.mark_text(**more, color=theme.ACCENT, fontWeight=600).encode(alt.Text(f"{field}:N"))
