"""Charts of capacity: models against memory, memory by year, what fits, longest context, what people own, prices."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from analysis import ranking
from analysis.charts import domains, expressions, marks, theme

GIBYTE = 2**30
GIBYTE_LABEL = f"format(datum.value / {GIBYTE}, ',~g') + ' GB'"
"""Tick label of memory as devices are sold: 16 · 2^30 byte reads 16 GB."""
DOLLAR_LABEL = "'$' + format(datum.value * 1e9, '~g')"
COUNT_LABEL = expressions.tick("param")
FORMAT_NAMES = {"fp16": "FP16", "q8-0": "Q8_0", "q4-k-m": "Q4_K_M"}
FORMAT_LABEL = f"{FORMAT_NAMES}[datum.label]"
CONTEXTS = (2048, 8192, 32768, 131072)
PRICE_COLOURS = {
    "Contract": theme.PRIMARY, "Spot": theme.CLASSES["gpu"], "One buyer, reported": theme.CLASSES["server"],
    "Retail minimum (2020 $)": theme.MUTED,
}  # fmt: skip
PRICE_SHAPES = {
    "Contract": "circle", "Spot": "diamond", "One buyer, reported": "square", "Retail minimum (2020 $)": "triangle-up",
}  # fmt: skip
PHONE_COLOURS = {
    "all phones": theme.PRIMARY,
    "iPhones": theme.CLASSES["phone"],
    "600 USD or more": theme.CLASSES["server"],
}
PHONE_SHAPES = {"all phones": "circle", "iPhones": "square", "600 USD or more": "triangle-up"}
FIT_COLOURS = {
    "fits": theme.VERDICTS["reproduces"], "barely fits": theme.VERDICTS["ambiguous"], "does not fit": theme.MUTED, "unknown": theme.MUTED,
}  # fmt: skip


def memory_axis(sizes_gibyte: tuple[int, ...], title: str | None) -> alt.Axis:
    """Label an axis of memory as devices are sold."""
    return alt.Axis(title=title, values=[size * GIBYTE for size in sizes_gibyte], labelExpr=GIBYTE_LABEL)


def years(column: str, domain: tuple[float, float], ticks: tuple[float, ...]) -> alt.X:
    """Lay a horizontal axis of years, without a title."""
    axis = alt.Axis(title=None, values=list(ticks), labelExpr="format(floor(datum.value), 'd')")
    return alt.X(f"{column}:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis)


def floor_year(year: float) -> int:
    """Cut a year with decimals: 2023.4 → 2023."""
    return math.floor(year)


def _format_colour(legend: bool = True) -> alt.Color:
    key = alt.Legend(title=None, labelExpr=FORMAT_LABEL, symbolType="circle") if legend else None
    return alt.Color(
        "format_id:N",
        scale=alt.Scale(domain=list(FORMAT_NAMES), range=[theme.FORMATS[name] for name in FORMAT_NAMES]),
        legend=key,
    )


def _format_shape() -> alt.Shape:
    key = alt.Legend(title=None, labelExpr=FORMAT_LABEL)
    return alt.Shape(
        "format_id:N",
        scale=alt.Scale(domain=list(FORMAT_NAMES), range=[theme.FORMAT_SHAPES[name] for name in FORMAT_NAMES]),
        legend=key,
    )


def _context_menu(context_token: float) -> alt.Parameter:
    options = sorted({*CONTEXTS, int(context_token)})
    bind = alt.binding_select(options=options, labels=[f"{tokens:,}" for tokens in options], name="Context (tokens) ")
    return alt.param(name="context", value=int(context_token), bind=bind)


def _reserve_slider(system_reserve_gibyte: float) -> alt.Parameter:
    bind = alt.binding_range(min=0, max=max(16, system_reserve_gibyte), step=0.5, name="Kept by the system (GiB) ")
    return alt.param(name="reserve", value=system_reserve_gibyte, bind=bind)


NEED = (
    "datum.weight_byte + datum.state_byte + datum.full_kv_byte_per_token * context"
    " + datum.window_kv_byte_per_token * min(context, datum.window_token)"
)
"""The footprint at the chosen context, as ``derived`` computes it at the default one."""
RESERVE = f"(isValid(datum.reserve_byte) ? datum.reserve_byte : reserve * {GIBYTE})"
"""What the system keeps: its own figure, or the slider's."""
MOST_KEPT = f"(isValid(datum.reserve_high_byte) ? max(datum.reserve_high_byte, {RESERVE}) : {RESERVE})"
LEAST_KEPT = f"(isValid(datum.reserve_low_byte) ? min(datum.reserve_low_byte, {RESERVE}) : {RESERVE})"


def _left(share: str, kept: str) -> str:
    """What one program may take, as ``analysis.model.memory_limits`` computes it."""
    return f"max(min(datum.{share} * datum.memory_capacity_byte, datum.memory_capacity_byte - {kept}), 0)"


LEFT = {
    "left_byte": _left("limit_share", RESERVE),
    "left_low_byte": _left("low_share", MOST_KEPT),
    "left_high_byte": _left("high_share", LEAST_KEPT),
}
SPARE_SHARE = 0.1
"""Part of what a program may take that stays free where a model fits: that of ``equations.dram_capacity``, a test holds."""


def footprint_against_memory(
    points: pd.DataFrame, limits: pd.DataFrame, *, context_token: float, system_reserve_gibyte: float
) -> alt.LayerChart:
    """Models in rows, a mark per format at its footprint; lines where the memory of named devices ends."""
    blank = ["\u2007" * (row + 1) for row in range(len(limits))]
    rows = [*blank, *ranking.by(points, "total_param", "model", "format_id")["model"].drop_duplicates()]
    side = alt.Y("model:N", sort=rows, scale=alt.Scale(domain=rows), axis=alt.Axis(title=None, ticks=False))
    most = max(2.5e12, 2 * float(points["footprint_byte"].max()))
    ends = domains.covering((3e8, most), [*points["weight_byte"], *points["footprint_byte"]])
    ticks = [10.0**power for power in range(9, 15)]
    across = marks.x("need_byte", "Memory needed, or left to a model", log=True, domain=ends, values=ticks)
    base = alt.Chart(points).transform_calculate(need_byte=NEED)
    span = base.mark_line(strokeWidth=1.5, color=theme.MUTED, opacity=0.6).encode(
        x=across, y=side, detail=alt.Detail("model:N")
    )
    dots = base.mark_point(filled=False, size=85, strokeWidth=2).encode(
        x=across, y=side, color=_format_colour(), shape=_format_shape(),
        tooltip=[alt.Tooltip("model:N", title="Model"), alt.Tooltip("format:N", title="Format"),
                 alt.Tooltip("need_byte:Q", title="Needed (B)", format=".3~s"),
                 *marks.tooltip("weight_byte", "total_param", titles={"total_param": "Parameters"})],
    )  # fmt: skip
    controls = (_context_menu(context_token), _reserve_slider(system_reserve_gibyte))
    layers = (*_limits(limits, blank, side), span, dots, _article_mark(points, side))
    return marks.layered(*layers, params=controls)


def _limits(limits: pd.DataFrame, blank: list[str], side: alt.Y) -> list[alt.Chart]:
    """Lines where the memory of devices ends, each from its name downwards, so that no line crosses a name."""
    named = ranking.by(limits, "memory_capacity_byte", "name").assign(model=blank)
    left = alt.Chart(named).transform_calculate(**LEFT).transform_filter("datum.left_byte > 0")
    base = left.encode(x=alt.X("left_byte:Q"), y=side)
    tips = [
        alt.Tooltip("name:N", title="Device"), alt.Tooltip("left_byte:Q", title="Left to a model (B)", format=".3~s"),
    ]  # fmt: skip
    rule = base.mark_rule(strokeDash=[5, 4]).encode(y2=alt.Y2Value("height"), tooltip=tips)
    return [rule, base.mark_text(align="left", dx=5, fontSize=12).encode(alt.Text("label:N"))]


def _article_mark(points: pd.DataFrame, side: alt.Y) -> alt.Chart:
    """Mark the article's own point: the weights of its model at FP16, without a cache."""
    own = points[points["is_reference"] & (points["format_id"] == "fp16")]
    star = alt.Chart(own).mark_point(shape=theme.ACCENT_SHAPE, size=170, filled=True, color=theme.ACCENT, opacity=1)
    return star.encode(
        x=alt.X("weight_byte:Q"),
        y=side,
        tooltip=marks.tooltip("model", "weight_byte", titles={"weight_byte": "Weights alone, the article's point"}),
    )


def device_memory_by_year(points: pd.DataFrame) -> alt.FacetChart:
    """Memory of devices by date, one panel per kind; lines at what the reference model and the system need together."""
    ends = [
        min(3 * GIBYTE, points["memory_capacity_byte"].min() / 1.3),
        max(640 * GIBYTE, points["memory_capacity_byte"].max() * 1.3),
    ]
    y = alt.Y("memory_capacity_byte:Q", scale=alt.Scale(type="log", domain=ends, nice=False),
              axis=memory_axis((2, 4, 8, 16, 32, 64, 128, 256, 512, 1024), None))  # fmt: skip
    first, last = floor_year(points["release_year"].min()), points["release_year"].max()
    x = years("release_year", (first, last + 1.5), tuple(range(first, floor_year(last) + 1, 2)))
    present = list(points["device_class"].unique())
    base = alt.Chart()
    dots = base.mark_point(size=60, opacity=0.75).encode(
        x=x, y=y, color=_class(alt.Color, theme.CLASSES, present), shape=_class(alt.Shape, theme.CLASS_SHAPES, present),
        tooltip=[alt.Tooltip("name:N", title="Device"), alt.Tooltip("release_date:N", title="On sale since"),
                 *marks.tooltip("memory_capacity_byte", "usable_byte", titles={"usable_byte": "Left to a model"})],
    )  # fmt: skip
    lines = [layer for name in FORMAT_NAMES for layer in _need_line(base, name, x, y, label_year=last + 0.25)]
    return alt.layer(*lines, dots, data=points).facet(
        facet=alt.Facet("panel:N", title=None, sort=list(PANELS)), columns=2
    )


PANELS = ("Phones and tablets", "Laptops", "Desktops and small AI machines", "Graphics cards", "Servers")


def _class(channel: Any, palette: dict[str, str], present: list[str]) -> Any:
    domain = [name for name in palette if name in present]
    key = alt.Legend(
        title=None, labelExpr="{'gpu': 'graphics card', 'edge': 'AI machine'}[datum.label] || datum.label", columns=3
    )
    return channel(
        "device_class:N", scale=alt.Scale(domain=domain, range=[palette[name] for name in domain]), legend=key
    )


def _need_line(base: alt.Chart, format_id: str, x: alt.X, y: alt.Y, *, label_year: float) -> list[alt.Chart]:
    name = format_id.replace("-", "_")
    field = f"line_{name}_byte"
    least = base.transform_aggregate(**{field: f"min(need_{name}_byte)"}, groupby=["panel"])
    low, high = y["scale"]["domain"]
    need = least.transform_filter(f"{low} < datum.{field} && datum.{field} < {high}").transform_calculate(
        label_year=f"{label_year}"
    )
    height = alt.Y(f"{field}:Q", scale=y["scale"], axis=y["axis"])
    across = alt.X("label_year:Q", scale=x["scale"], axis=x["axis"])
    rule = need.mark_rule(strokeDash=[5, 4], color=theme.FORMATS[format_id], strokeWidth=1.6).encode(y=height)
    text = need.mark_text(align="left", baseline="bottom", dy=-2, color=theme.FORMATS[format_id], fontWeight=600)
    return [rule, text.encode(x=across, y=height, text=alt.TextValue(FORMAT_NAMES[format_id]))]


def fit_matrix(
    table: pd.DataFrame, *, context_token: float, system_reserve_gibyte: float, shown_set: str
) -> alt.LayerChart:
    """Devices in rows, models in columns, a disc where it fits, a ring where barely; menus for format, context, reserve, devices."""
    columns = list(ranking.by(table, "total_param", "model")["model"].drop_duplicates())
    rows = list(ranking.by(table, "memory_capacity_byte", "release_year", "device")["device"].drop_duplicates())
    x = alt.X("model:N", sort=columns, scale=alt.Scale(paddingInner=0.06), axis=None)
    head, foot = (
        x.axis(alt.Axis(orient=side, title=None, labelAngle=angle, labelAlign="right", ticks=False, labelOverlap=False))
        for side, angle in (("top", 55), ("bottom", -55))
    )
    y = alt.Y(
        "device:N",
        sort=rows,
        scale=alt.Scale(paddingInner=0.08),
        axis=alt.Axis(title=None, ticks=False, labelOverlap=False),
    )
    base = (
        alt.Chart(table)
        .transform_filter("datum.format_id == number_format && datum.default_set == devices_of")
        .transform_calculate(need_byte=NEED, **LEFT)
        .transform_calculate(outcome=OUTCOME)
    )
    tips = [alt.Tooltip("name:N", title="Device"), alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("outcome:N", title="Verdict"), alt.Tooltip("need_byte:Q", title="Needs (B)", format=".3~s"),
            alt.Tooltip("left_byte:Q", title="Has left (B)", format=".3~s")]  # fmt: skip
    scale = alt.Scale(domain=list(FIT_COLOURS), range=list(FIT_COLOURS.values()))
    colour = alt.Color(
        "outcome:N",
        scale=scale,
        legend=alt.Legend(title=None, symbolType="square", columns=2, values=["fits", "barely fits", "does not fit"]),
    )
    cell = base.mark_rect(stroke=None).encode(
        x=head,
        y=y,
        color=colour,
        opacity=alt.condition("datum.outcome == 'does not fit'", alt.value(0.1), alt.value(0.3)),
        tooltip=tips,
    )
    yes = base.transform_filter("datum.outcome == 'fits'").mark_point(filled=True, size=70, opacity=1)
    barely = base.transform_filter("datum.outcome == 'barely fits'").mark_point(
        filled=False, size=70, strokeWidth=1.8, opacity=1
    )
    no = base.transform_filter("datum.outcome == 'does not fit'").mark_point(
        filled=False, size=60, strokeWidth=1.6, opacity=1, shape=CROSS
    )
    marked = ((yes, foot), (barely, x), (no, x))
    layers = (cell, *(mark.encode(x=along, y=y, color=colour, tooltip=tips) for mark, along in marked))
    menus = (*_matrix_menus(table, shown_set), _context_menu(context_token), _reserve_slider(system_reserve_gibyte))
    return marks.layered(*layers, params=menus).resolve_axis(
        x="independent"
    )  # the models are named at the head and at the foot


OUTCOME = (
    "!isValid(datum.need_byte) || !isValid(datum.memory_capacity_byte) ? 'unknown'"
    f" : datum.need_byte <= min({1 - SPARE_SHARE} * datum.left_byte, datum.left_low_byte) ? 'fits'"
    " : datum.need_byte <= max(datum.left_byte, datum.left_high_byte) ? 'barely fits' : 'does not fit'"
)
CROSS = "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7"
"""What does not fit, as an SVG path."""


def _matrix_menus(table: pd.DataFrame, shown_set: str) -> tuple[alt.Parameter, alt.Parameter]:
    formats = alt.binding_select(options=list(FORMAT_NAMES), labels=list(FORMAT_NAMES.values()), name="Format ")
    sets = alt.binding_select(options=sorted(table["default_set"].unique()), name="Devices of ")
    return alt.param(name="devices_of", value=shown_set, bind=sets), alt.param(
        name="number_format", value="q4-k-m", bind=formats
    )


def largest_context(table: pd.DataFrame) -> alt.FacetChart:
    """Longest context over memory, a panel per model, a line per format; dashed where the model's own limit is."""
    x = alt.X("memory_capacity_byte:Q", scale=alt.Scale(type="log", domain=[3.6 * GIBYTE, 150 * GIBYTE], nice=False),
              axis=memory_axis((4, 16, 64), None))  # fmt: skip
    top = max(4e6, 1.5 * float(table["largest_context_token"].max()))
    y = alt.Y("largest_context_token:Q", scale=alt.Scale(type="log", domain=[100, top], nice=False),
              axis=alt.Axis(title=None, values=[1e2, 1e3, 1e4, 1e5, 1e6, 1e7], labelExpr=COUNT_LABEL))  # fmt: skip
    base = alt.Chart()
    lines = base.mark_line(strokeWidth=1.8, clip=True).encode(x=x, y=y, color=_format_colour())
    dots = base.mark_point(filled=False, size=28, strokeWidth=1.6, clip=True).encode(
        x=x, y=y, color=_format_colour(), shape=_format_shape(),
        tooltip=[alt.Tooltip("model:N", title="Model"), alt.Tooltip("format:N", title="Format"),
                 *marks.tooltip("memory_capacity_byte", "weight_byte", "largest_context_token", "model_context_token",
                                titles={"largest_context_token": "Longest context that fits"})],
    )  # fmt: skip
    own = base.transform_aggregate(own_limit="min(model_context_token)", groupby=["model"])
    rule = own.mark_rule(strokeDash=[5, 4]).encode(alt.Y("own_limit:Q", scale=y["scale"], axis=y["axis"]))
    order = list(ranking.by(table, "weight_byte", "model")["model"].drop_duplicates())
    return alt.layer(rule, lines, dots, data=table).facet(facet=alt.Facet("model:N", title=None, sort=order), columns=3)


def installed_base(table: pd.DataFrame) -> alt.FacetChart:
    """Share of PCs with at least so much memory over the years, main and video memory, lines named at their end."""
    first, last = float(table["survey_year"].min()), float(table["survey_year"].max())
    x = years(
        "survey_year",
        (first - 0.2, last + 1.2),
        tuple(year + 0.5 for year in range(floor_year(first), floor_year(last) + 1)),
    )
    quarters = alt.Axis(title=None, values=[0, 0.25, 0.5, 0.75, 1], labelExpr=expressions.tick("share"))
    y = alt.Y("share:Q", scale=alt.Scale(domain=[0, 1]), axis=quarters)
    base = alt.Chart()
    lines = base.mark_line(point={"size": 45, "filled": True}).encode(
        x=x, y=y, detail=alt.Detail("label:N"),
        tooltip=[alt.Tooltip("memory:N", title="Memory"), alt.Tooltip("label:N", title="At least"),
                 alt.Tooltip("date:N", title="Survey of"),
                 alt.Tooltip("share:Q", title="Share of PCs", format=".1%")],
    )  # fmt: skip
    last = base.transform_joinaggregate(newest="max(survey_year)", groupby=["memory"]).transform_filter(
        "datum.survey_year == datum.newest"
    )
    text = last.mark_text(align="left", dx=8, baseline="middle").encode(x=x, y=y, text=alt.Text("label:N"))
    order = ["Main memory", "Video memory"]
    return alt.layer(lines, text, data=table).facet(facet=alt.Facet("memory:N", title=None, sort=order), columns=2)


def phone_memory(table: pd.DataFrame, needs: pd.DataFrame) -> alt.LayerChart:
    """Average memory of phones sold, hollow where forecast or subtracted; lines at what the reference model needs."""
    first, last = floor_year(table["sale_year"].min()), float(table["sale_year"].max())
    x = years("sale_year", (first - 0.2, last + 0.6), tuple(range(first, floor_year(last) + 2, 2)))
    top = max(18 * GIBYTE, 1.2 * float(table["average_memory_byte"].max()))
    y = alt.Y(
        "average_memory_byte:Q",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=memory_axis((0, 4, 8, 12, 16), None),
    )
    present = list(table["phones"].unique())
    shape = marks.shape("phones", PHONE_SHAPES, present)
    tips = [
        alt.Tooltip("phones:N", title="Phones"), alt.Tooltip("date:N", title="Date"),
        *marks.tooltip("average_memory_byte"),
        alt.Tooltip("confidence:N", title="How it is known"),
    ]  # fmt: skip
    base = alt.Chart(table).encode(x=x, y=y, color=marks.colour("phones", PHONE_COLOURS, present), tooltip=tips)
    full = base.transform_filter("!datum.is_estimate").mark_point(filled=True, size=85, opacity=1).encode(shape=shape)
    hollow = (
        base.transform_filter("datum.is_estimate").mark_point(filled=False, size=85, strokeWidth=2).encode(shape=shape)
    )
    return alt.layer(
        *_needs(needs[needs["average_memory_byte"] < top].assign(sale_year=float(first)), x, y),
        base.mark_line(strokeWidth=1.6),
        full,
        hollow,
    )


def _needs(needs: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    base = alt.Chart(needs).encode(y=y)
    rule = base.mark_rule(strokeDash=[5, 4], strokeWidth=1.6, color=theme.MUTED)
    return [rule, base.mark_text(align="left", baseline="bottom", dx=2, dy=-3).encode(x=x, text=alt.Text("label:N"))]


def prices(table: pd.DataFrame) -> alt.LayerChart:
    """Price per gigabyte over time: one line per series, hollow where forecast, dashed where adjusted for inflation."""
    first, last = floor_year(table["price_year"].min()), float(table["price_year"].max())
    x = years("price_year", (first, last + 1), tuple(range(first, floor_year(last) + 2, 2)))
    low, high = float(table["price_usd_per_byte"].min()), float(table["price_usd_per_byte"].max())
    scale = alt.Scale(type="log", domain=[low / 1.2, high * 1.35], nice=False)
    axis = alt.Axis(
        title=None, values=[step * 1e-9 for step in (0.5, 1, 2, 5, 10, 20, 50, 100)], labelExpr=DOLLAR_LABEL
    )
    y = alt.Y("price_usd_per_byte:Q", scale=scale, axis=axis)
    present = list(table["kind"].unique())
    key = {"title": None, "columns": 2}
    colour = marks.colour("kind", PRICE_COLOURS, present).legend(**key)
    shape = marks.shape("kind", PRICE_SHAPES, present).legend(**key)
    tips = [
        alt.Tooltip("item:N", title="Product"), alt.Tooltip("kind:N", title="Price"),
        alt.Tooltip("basis:N", title="Survey"),
        alt.Tooltip("date:N", title="Date"), alt.Tooltip("dollars:Q", title="USD per GB", format=".2f"),
        alt.Tooltip("is_forecast:N", title="Forecast"),
    ]  # fmt: skip
    dollars = alt.Chart(table).transform_calculate(dollars="datum.price_usd_per_byte * 1e9")
    base = dollars.encode(x=x, y=y, color=colour, tooltip=tips)
    line = {"strokeWidth": 1.6}
    nominal = base.transform_filter("!datum.is_inflation_adjusted").mark_line(**line).encode(alt.Detail("series:N"))
    adjusted = (
        base.transform_filter("datum.is_inflation_adjusted")
        .mark_line(strokeDash=[5, 4], **line)
        .encode(alt.Detail("series:N"))
    )
    full = base.transform_filter("!datum.is_forecast").mark_point(filled=True, size=55, opacity=1).encode(shape=shape)
    hollow = (
        base.transform_filter("datum.is_forecast").mark_point(filled=False, size=75, strokeWidth=2).encode(shape=shape)
    )
    return alt.layer(nominal, adjusted, full, hollow, *_price_notes(table, x, y))


def _price_notes(table: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Write the price beside the marked points: right of the lowest and the newest, left of the spot price."""
    places: dict[str, dict[str, Any]] = {
        "lowest": {"align": "left", "baseline": "top", "dx": 14, "dy": 3},
        "newest": {"align": "left", "baseline": "top", "dx": 8},
        "spot": {"align": "right", "baseline": "middle", "dx": -9},
    }  # fmt: skip
    base = (
        alt.Chart(table[table["mark"] != ""])
        .transform_calculate(label="format(datum.price_usd_per_byte * 1e9, '$.2f')")
        .encode(x=x, y=y)
    )
    return [
        base.transform_filter(f"datum.mark == '{name}'").mark_text(fontWeight=600, **place).encode(alt.Text("label:N"))
        for name, place in places.items()
    ]
