"""The charts of the chapter on bandwidth: rows of devices, roofs, cache over context, growth."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.charts import domains, expressions, marks, theme

FORMAT_LABELS = "{fp16: 'FP16', int8: 'int8', int4: 'int4'}[datum.label]"
SPEED, TOKENS, SHARE = "reading_speed", "tokens_per_word", "bandwidth_share"
"""Names of the sliders in the specification."""
BY_BANDWIDTH = expressions.largest_by_bandwidth(
    bandwidth_share=SHARE, reading_speed=SPEED, tokens=TOKENS, byte_per_param="datum.byte_per_param"
)
"""The equation of the largest model, as the browser computes it."""
LARGEST = "min(datum.by_bandwidth_param, datum.largest_by_capacity_param)"
BELOW = 8
"""Pixels from the middle of a row to its marks, under the row's name."""


def _stroke(column: str, palette: dict[str, str], present: list[str], **legend: Any) -> alt.Stroke:
    """Outline by category: hollow marks are computed, and their legend is hollow too."""
    colour = marks.colour(column, palette, present)
    return alt.Stroke(f"{column}:N", scale=colour["scale"], legend=alt.Legend(title=None, **legend))


def _format_stroke(table: pd.DataFrame) -> alt.Stroke:
    return _stroke("format_id", theme.FORMATS, list(table["format_id"].unique()), labelExpr=FORMAT_LABELS)


def _format_shape(table: pd.DataFrame) -> alt.Shape:
    channel = marks.shape("format_id", theme.FORMAT_SHAPES, list(table["format_id"].unique()))
    channel.legend = alt.Legend(title=None, labelExpr=FORMAT_LABELS)
    return channel


def _rows(order: list[str], column: str = "label") -> alt.Y:
    """One row per name, in the given order; the name itself is drawn inside the plot, which suits a phone too."""
    return alt.Y(f"{column}:N", sort=order, axis=None)


def _once(base: alt.Chart) -> alt.Chart:
    """One row of data per device: what is drawn from it does not depend on the format."""
    return base.transform_filter("datum.format_id == 'fp16'")


def _row_names(base: alt.Chart, order: list[str], column: str = "label", **more: Any) -> alt.Chart:
    mark = base.mark_text(align="left", baseline="bottom", fontSize=12, dy=-1, **more)
    return mark.encode(x=alt.XValue(0), y=_rows(order, column), text=alt.Text(f"{column}:N"))


# ------------------------------------------------------------------------------------------ the largest model


def largest_by_device(
    table: pd.DataFrame, *, reading_speed_word_per_min: float, token_per_word: float, bandwidth_share: float
) -> alt.FacetChart:
    """Rows of devices in two sets, a point per format; dashed where memory is full before bandwidth is."""
    order = list(dict.fromkeys(table["label"]))
    base = (
        alt.Chart(table)
        .transform_calculate(by_bandwidth_param=BY_BANDWIDTH)
        .transform_calculate(largest_now_param=LARGEST)
    )
    ends = domains.covering((1e8, 3e11), [*table["largest_param"], *table["largest_by_bandwidth_param"]])
    x = marks.x("largest_now_param", "Largest model (parameters)", log=True, domain=ends, values=[1e8, 1e9, 7e9, 7e10])
    x["axis"]["grid"] = True
    tips = marks.tooltip(
        "label", "format_id", "largest_now_param", "by_bandwidth_param", "largest_by_capacity_param",
        "memory_bandwidth_byte_per_s", "memory_capacity_byte", "confidence",
        titles={"label": "Device", "format_id": "Format", "largest_now_param": "Largest model",
                "by_bandwidth_param": "Bandwidth allows", "largest_by_capacity_param": "Memory holds"},
    )  # fmt: skip
    held = base.transform_filter("datum.largest_now_param > 0")
    points = held.mark_point(filled=False, size=62, strokeWidth=2.2, opacity=1, clip=True, yOffset=BELOW).encode(
        x=x, y=_rows(order), stroke=_format_stroke(table), shape=_format_shape(table), tooltip=tips
    )
    lost = _lost(base.transform_calculate(from_param=f"max(datum.largest_now_param, {ends[0]})"), order, table)
    sliders = _sliders(reading_speed_word_per_min, token_per_word, bandwidth_share)
    layers = marks.layered(
        _rules(base, order), _row_names(_once(base), order), *_article(table, order), lost, points,
        params=sliders,
    )  # fmt: skip
    facet = alt.Facet("set_name:N", sort=list(dict.fromkeys(table["set_name"])), title=None)
    return layers.facet(facet, columns=2).resolve_scale(y="independent")


def expected_by_device(table: pd.DataFrame) -> alt.LayerChart:
    """A row per device: the ideal limit as a hollow mark, the expectation filled, its 80 % band as a bar."""
    order = list(table["label"] + ", " + table["default_set"])
    base = alt.Chart(table.assign(row=order)).transform_filter("datum.largest_param > 0")
    ticks = {"values": marks.log_ticks([*table["expected_low_param"], *table["largest_param"]])}
    x = marks.x("largest_param", "Parameters in Q4_K_M", log=True, **ticks)
    rows = alt.Y("row:N", scale=alt.Scale(domain=order), axis=marks.names_axis(22, grid=False))
    tips = marks.tooltip(
        "row", "largest_param", "expected_param", "expected_low_param", "expected_high_param", "stack", "is_extrapolated",
        titles={"row": "Device", "largest_param": "At most", "expected_param": "Expected", "stack": "Modelled as",
                "expected_low_param": "80 % from", "expected_high_param": "to", "is_extrapolated": "Extrapolated"},
    )  # fmt: skip
    paler = alt.condition("datum.is_extrapolated", alt.value(0.16), alt.value(0.4))
    band = base.mark_bar(height=7, color=theme.PRIMARY).encode(
        alt.X("expected_low_param:Q"), alt.X2("expected_high_param:Q"), rows, opacity=paler, tooltip=tips
    )
    limit = base.mark_point(filled=False, size=70, strokeWidth=2, opacity=1).encode(
        x, rows, tooltip=tips, stroke=marks.colour("device_class", theme.CLASSES, list(table["device_class"]), columns=2),
        shape=marks.shape("device_class", theme.CLASS_SHAPES, list(table["device_class"]), columns=2),
    )  # fmt: skip
    expected = base.mark_tick(thickness=3, size=13, color=theme.PRIMARY).encode(
        alt.X("expected_param:Q"), rows, tooltip=tips
    )
    return alt.layer(band, expected, limit)


def _rules(base: alt.Chart, order: list[str]) -> alt.Chart:
    """Draw a quiet line per device, to read along."""
    mark = _once(base).mark_rule(strokeWidth=1, opacity=0.25, yOffset=BELOW)
    return mark.encode(x=alt.XValue(0), x2=alt.X2Value("width"), y=_rows(order))


def _lost(base: alt.Chart, order: list[str], table: pd.DataFrame) -> alt.LayerChart:
    """Draw what bandwidth would allow and memory does not hold: a dashed line to a small tick, from the axis where it holds none."""
    full = base.transform_filter("datum.by_bandwidth_param > datum.largest_by_capacity_param * 1.001")
    stroke = _format_stroke(table)
    line = full.mark_rule(strokeDash=[3, 3], strokeWidth=1.6, clip=True, yOffset=BELOW).encode(
        x=alt.X("from_param:Q"), x2=alt.X2("by_bandwidth_param:Q"), y=_rows(order), stroke=stroke
    )
    end = full.mark_point(
        shape="M0,-0.5L0,0.5", filled=False, size=90, strokeWidth=2, clip=True, yOffset=BELOW, opacity=1
    ).encode(x=alt.X("by_bandwidth_param:Q"), y=_rows(order), stroke=stroke)
    return alt.layer(line, end)


def _article(table: pd.DataFrame, order: list[str]) -> list[alt.Chart]:
    """Draw what the article states: stars behind the computed points, a range as a bar with a star at each end."""
    base = alt.Chart(table).transform_filter("isValid(datum.article_param)")
    star: dict[str, Any] = {
        "shape": theme.ACCENT_SHAPE,
        "size": 190,
        "filled": True,
        "color": theme.ACCENT,
        "opacity": 1,
    }
    tips = marks.tooltip("label", "article_param", titles={"label": "Device", "article_param": "The article says"})
    bar = base.transform_filter("isValid(datum.article_high_param)").mark_rule(
        color=theme.ACCENT, strokeWidth=3, opacity=0.55, yOffset=BELOW
    )
    low = base.mark_point(yOffset=BELOW, **star).encode(x=alt.X("article_param:Q"), y=_rows(order), tooltip=tips)
    high = base.mark_point(yOffset=BELOW, **star).encode(x=alt.X("article_high_param:Q"), y=_rows(order), tooltip=tips)
    return [bar.encode(x=alt.X("article_param:Q"), x2=alt.X2("article_high_param:Q"), y=_rows(order)), low, high]


def _sliders(speed: float, tokens: float, share: float) -> list[alt.Parameter]:
    names = ("Reading speed (words per minute) ", "Tokens per word ", "Share of the bandwidth for the weights ")
    ranges = ((50, 1000, 10), (1, 4, 0.05), (0.05, 1, 0.05))
    return [
        alt.param(variable, value=value, bind=alt.binding_range(min=low, max=high, step=step, name=name))
        for variable, value, name, (low, high, step) in zip(
            (SPEED, TOKENS, SHARE), (speed, tokens, share), names, ranges, strict=True
        )
    ]


# --------------------------------------------------------------------------------------- bytes and operations


def byte_and_flop(table: pd.DataFrame) -> alt.FacetChart:
    """Two panels of bars, one row per format: bytes shrink with the format, operations do not."""
    order = list(dict.fromkeys(table["format"]))
    colour = marks.colour("hue", theme.FORMATS, list(table["hue"]), legend=False)
    base = alt.Chart(table)
    bars = base.mark_bar(height=alt.RelativeBandSize(0.62)).encode(
        x=alt.X("amount:Q", axis=None, scale=alt.Scale(domain=[0, float(table["amount"].max()) * 1.35])),
        y=alt.Y("format:N", sort=order, axis=alt.Axis(title=None, ticks=False, grid=False)),
        color=colour,
        tooltip=marks.tooltip(
            "format", "text", "byte_per_param", "intensity_flop_per_byte", titles={"text": "Per token"}
        ),
    )
    text = base.mark_text(align="left", dx=6).encode(
        alt.X("amount:Q"), alt.Y("format:N", sort=order), alt.Text("text:N")
    )
    facet = alt.Facet("quantity:N", sort=list(dict.fromkeys(table["quantity"])), title=None)
    return alt.layer(bars, text).facet(facet, columns=2)


# ---------------------------------------------------------------------------------------------------- roofline


ROOF_X, ROOF_Y = (0.5, 8192), (1.5e10, 2.5e15)


def roofline(table: pd.DataFrame) -> alt.FacetChart:
    """A panel per kind of peak: roofs with their corners on logarithmic axes, and decoding on each."""
    base, works = alt.Chart(), list(dict.fromkeys(table.loc[table["kind"] == "work", "work"]))
    colour = marks.colour("device_class", theme.CLASSES, list(table["device_class"]), legend=False)
    x = marks.x("intensity_flop_per_byte", "Operations per byte read", log=True, domain=ROOF_X,
                values=[1, 10, 100, 1000])  # fmt: skip
    y = marks.y("attainable_op_per_s", "Attainable operations per second", log=True, domain=ROOF_Y,
                values=[1e11, 1e12, 1e13, 1e14, 1e15])  # fmt: skip
    y["axis"]["title"] = None
    roof = base.transform_filter("datum.kind === 'roof'").encode(x=x, y=y)
    lines = roof.mark_line().encode(color=colour, detail=alt.Detail("machine_id:N"))
    tips = marks.tooltip("label", "work", "intensity_flop_per_byte", "attainable_op_per_s", "peak_op_per_s",
                         "peak_kind", "ridge_flop_per_byte",
                         titles={"label": "Machine", "peak_kind": "Peak of"})  # fmt: skip
    key = alt.Legend(title=None, symbolStrokeColor=theme.MUTED, columns=2)
    points = (
        base.transform_filter("datum.kind === 'work'")
        .mark_point(filled=False, size=80, strokeWidth=2.2, opacity=1)
        .encode(x=x, y=y, color=colour, shape=alt.Shape("work:N", sort=works, legend=key), tooltip=tips)
    )
    panels = alt.Facet("peak_kind:N", title=None, sort=list(dict.fromkeys(table["peak_kind"])))
    return alt.layer(lines, points, *_roof_names(roof), data=table).facet(facet=panels, columns=3)


def _roof_names(roof: alt.Chart) -> list[alt.Chart]:
    """Names at the right end of the roofs: the lower one of a panel below its line, the others above."""
    last = roof.transform_joinaggregate(
        end="max(intensity_flop_per_byte)",
        lowest="min(peak_op_per_s)",
        highest="max(peak_op_per_s)",
        groupby=["peak_kind"],
    ).transform_filter("datum.intensity_flop_per_byte === datum.end")
    is_below = "datum.peak_op_per_s === datum.lowest && datum.lowest < datum.highest"
    above = last.transform_filter(f"!({is_below})").mark_text(align="right", dx=-2, dy=-8)
    below = last.transform_filter(is_below).mark_text(align="right", dx=-2, dy=11)
    return [mark.encode(text=alt.Text("label:N")) for mark in (above, below)]


def compute_used(table: pd.DataFrame) -> alt.FacetChart:
    """A panel per kind of peak: rows of devices, a point per format, over the share of that peak."""
    order = list(dict.fromkeys(table["label"]))
    base = alt.Chart(table)
    ticks = [0.001, 0.01, 0.1, 1]
    x = marks.x("compute_used_share", "Share of the peak in use", log=True, domain=(0.0005, 1), values=ticks)
    x["axis"]["grid"] = True
    tips = marks.tooltip("label", "format_id", "compute_used_share", "largest_param", "binding", "peak_op_per_s",
                         "peak_kind",
                         titles={"label": "Device", "format_id": "Format", "peak_kind": "Peak of"})  # fmt: skip
    points = base.mark_point(filled=False, size=62, strokeWidth=2.2, opacity=1, yOffset=BELOW).encode(
        x=x, y=_rows(order), stroke=_format_stroke(table), shape=_format_shape(table), tooltip=tips
    )
    layers = alt.layer(_rules(base, order), _row_names(_once(base), order), points)
    panels = alt.Facet("peak_kind:N", title=None, sort=list(dict.fromkeys(table["peak_kind"])))
    return layers.facet(panels, columns=2).resolve_scale(y="independent")


# ---------------------------------------------------------------------------------------------------- KV cache

DASHES = {"MHA": [1, 0], "GQA": [8, 3], "MLA": [2, 3], "window": [4, 4], "part window": [10, 3, 2, 3]}
LONGEST_SHOWN_TOKEN = 1_300_000
"""The axis runs on past the longest context, to leave room for the names."""


def kv_cache_over_context(table: pd.DataFrame) -> alt.LayerChart:
    """Cache over context, a line per model; a dashed limit where it alone uses up what a phone reads for a token."""
    x = marks.x("context_token", "Context (tokens)", log=True, domain=(256, LONGEST_SHOWN_TOKEN),
                values=[256, 1024, 4096, 16384, 131072])  # fmt: skip
    y = marks.y("cache_now_byte", "KV cache", log=True, domain=(1e7, 1e11), values=[1e7, 1e8, 1e9, 1e10, 1e11])
    dash = alt.StrokeDash(
        "attention:N",
        scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())),
        legend=alt.Legend(title=None, symbolSize=400),
    )
    bits = alt.param(
        "cache_bits", value=16, bind=alt.binding_select(options=[16, 8, 4], name="Bits per cached number ")
    )
    base = alt.Chart(table).transform_calculate(cache_now_byte=CACHE)
    tips = marks.tooltip("name", "attention", "context_token", "cache_now_byte",
                         titles={"name": "Model", "cache_now_byte": "KV cache"})  # fmt: skip
    lines = base.mark_line(strokeWidth=2).encode(x=x, y=y, strokeDash=dash, detail=alt.Detail("model_id:N"))
    points = base.mark_point(filled=False, size=26, strokeWidth=1.4, opacity=1).encode(x=x, y=y, tooltip=tips)
    last = base.transform_filter("datum.is_last")
    above = last.transform_filter("datum.context_token < 4096").mark_text(align="right", dx=3, dy=-11)
    right = last.transform_filter("datum.context_token >= 4096").mark_text(align="left", dx=7)
    named = [mark.encode(x=x, y=y, text=alt.Text("label:N")) for mark in (above, right)]
    limit = marks.limit(float(table["budget_byte"].iloc[0]), "iPhone 14 limit", column="budget_byte", along="y")
    return marks.layered(lines, points, *named, limit, params=(bits,))


CACHE = "datum.kv_cache_byte * cache_bits / 16"
"""The cache at the chosen precision, as the browser computes it."""

# ----------------------------------------------------------------- dense, mixture of experts, speculative decoding

LEFT_NAMED = ("Qwen3 32B", "Llama 3.3 70B", "Qwen3 32B + draft", "gpt-oss-20b", "DeepSeek-V3")
"""Names that stand to the left of their points, where the right is taken."""
KINDS = {"dense": "circle", "mixture of experts": "diamond", "dense + draft model": "triangle-down"}
KIND_COLOURS = {"dense": theme.MUTED, "mixture of experts": theme.PRIMARY, "dense + draft model": theme.MUTED}


def read_per_token(
    table: pd.DataFrame, limits: pd.DataFrame, *, acceptance_share: float, draft_token: float
) -> alt.LayerChart:
    """Parameters in memory against parameters read per token; a dense model lies on the diagonal."""
    across = domains.covering((4e9, 1e12), table["held_param"])
    up = domains.covering((2e9, 1.5e11), table["read_param"])
    x = marks.x("held_param", "Parameters in memory", log=True, domain=across, values=[1e10, 1e11, 1e12])
    y = marks.y("now_param", "Parameters read per token", log=True, domain=up, values=[1e10, 1e11])
    base = alt.Chart(table).transform_calculate(now_param=READ)
    stroke = _stroke("kind", KIND_COLOURS, list(table["kind"]), columns=2)
    shapes = marks.shape("kind", KINDS, list(table["kind"]))
    shapes.legend = alt.Legend(title=None, columns=2)
    titles = {"name": "Model", "now_param": "Read per token"}
    points = base.mark_point(filled=False, size=80, strokeWidth=2.2, opacity=1).encode(
        x=x, y=y, stroke=stroke, shape=shapes,
        tooltip=marks.tooltip("name", "kind", "held_param", "now_param", titles=titles),
    )  # fmt: skip
    both = max(across[0], up[0]), min(across[1], up[1])
    diagonal = alt.Chart(pd.DataFrame({"held_param": both, "now_param": both}))
    dotted = diagonal.mark_line(strokeWidth=1.2, color=theme.MUTED, strokeDash=[2, 3]).encode(x=x, y=y)
    names = [mark.encode(x=x, y=y, text=alt.Text("name:N")) for mark in _two_sided(base)]
    layers = (dotted, *_limit_lines(limits), points, *names)
    return marks.layered(*layers, params=_drafts(acceptance_share, draft_token))


def _two_sided(base: alt.Chart) -> list[alt.Chart]:
    """Names to the right of their points, and to the left where the right is taken."""
    left = alt.FieldOneOfPredicate("name", list(LEFT_NAMED))
    rest = base.transform_filter(alt.LogicalNotPredicate(**{"not": left}))
    return [
        rest.mark_text(align="left", dx=9, dy=1),
        base.transform_filter(left).mark_text(align="right", dx=-9, dy=1),
    ]


def _drafts(acceptance_share: float, draft_token: float) -> list[alt.Parameter]:
    accepted = alt.binding_range(min=0, max=0.95, step=0.05, name="Accepted drafts (share) ")
    drafted = alt.binding_range(min=0, max=10, step=1, name="Tokens drafted per check ")
    return [
        alt.param("acceptance", value=acceptance_share, bind=accepted),
        alt.param("drafted", value=draft_token, bind=drafted),
    ]


READ = (
    "datum.draft_cost_ratio == 0 ? datum.read_param : datum.dense_param * (1 + drafted * datum.draft_cost_ratio)"
    " * (1 - acceptance) / (1 - pow(acceptance, drafted + 1))"
)
"""Parameters read per token with a draft model, as the browser computes it."""


def _limit_lines(limits: pd.DataFrame) -> list[alt.Chart]:
    """Dashed limits named at their right end."""
    base = alt.Chart(limits).encode(alt.Y("limit_param:Q"))
    rule = base.mark_rule(strokeDash=[5, 4])
    text = base.mark_text(align="right", baseline="bottom", dy=-4).encode(alt.XValue("width"), alt.Text("text:N"))
    return [rule, text]


# ----------------------------------------------------------------------------------------------- sensitivity


def sensitivity(table: pd.DataFrame) -> alt.LayerChart:
    """Draw a bar per input from its lowest to its highest result, widest on top, and the stated result as a line."""
    order = list(table["input"])
    base = alt.Chart(table)
    domain = (float(table["low_param"].min()) / 2.8, float(table["high_param"].max()) * 1.8)
    x = marks.x(
        "low_param", "Largest FP16 model (parameters)", log=True, domain=domain, values=[2.5e8, 5e8, 1e9, 2e9, 4e9]
    )
    tips = marks.tooltip("input", "low_text", "low_param", "high_text", "high_param", titles={"input": "Input"})
    bars = base.mark_bar(height=12, yOffset=BELOW, opacity=0.85).encode(
        x=x, x2=alt.X2("high_param:Q"), y=_rows(order, "input"), tooltip=tips
    )
    stated = base.transform_aggregate(stated_param="min(stated_param)")
    rule = stated.mark_rule(strokeDash=[5, 4]).encode(alt.X("stated_param:Q"))
    names = _row_names(base, order, "input", fontWeight=600)
    low = base.mark_text(align="right", dx=-6, yOffset=BELOW).encode(
        x=alt.X("low_param:Q"), y=_rows(order, "input"), text=alt.Text("low_text:N")
    )
    high = base.mark_text(align="left", dx=6, yOffset=BELOW).encode(
        x=alt.X("high_param:Q"), y=_rows(order, "input"), text=alt.Text("high_text:N")
    )
    return alt.layer(rule, bars, names, low, high)


# ---------------------------------------------------------------------------------------------------- growth

FORMATS_OF_PEAKS = {
    "16 bit on matrix units": "diamond",
    "16 bit": "square",
    "32 bit": "triangle-up",
    "memory bandwidth": "circle",
}
"""What a point counts, as its shape."""
COUNTED = dict.fromkeys(FORMATS_OF_PEAKS, theme.MUTED) | {"memory bandwidth": theme.PRIMARY}
BY = {"this book": [1, 0], "Gholami et al.": [7, 4], "Epoch AI": [2, 3]}
RECENT = [12, 3, 2, 3]
"""Dashes of the fit over recent years."""


def compute_against_bandwidth(points: pd.DataFrame, lines: pd.DataFrame) -> alt.LayerChart:
    """Server chips over the years, compute and bandwidth relative to their start, with three trend lines each."""
    first, last = int(points["year"].min()), int(points["year"].max()) + 1
    x = marks.x("year", "Year of release", domain=(first, last), values=list(range(first + 2, last, 4)))
    y = marks.y(
        "relative_ratio",
        f"Relative to the fitted level of {first}",
        log=True,
        domain=(0.5, 2e4),
        values=[1, 10, 100, 1000, 10000],
    )
    key = {"columns": 2, "labelExpr": "datum.label === 'memory bandwidth' ? datum.label : 'compute, ' + datum.label"}
    colour = marks.colour("precision", COUNTED, list(points["precision"]), **key)
    line_colour = alt.condition("datum.series === 'memory bandwidth'", alt.value(theme.PRIMARY), alt.value(theme.MUTED))
    shape = marks.shape("precision", FORMATS_OF_PEAKS, list(points["precision"]), **key)
    titles = {"name": "Chip", "relative_ratio": "Relative level", "precision": "Counted"}
    tips = marks.tooltip("name", "series", "precision", "year", "relative_ratio", titles=titles)
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=26, opacity=0.55)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=tips)
    )
    by = {name: BY.get(name, RECENT) for name in dict.fromkeys(lines["by"])}
    dash = alt.StrokeDash(
        "by:N",
        scale=alt.Scale(domain=list(by), range=list(by.values())),
        legend=alt.Legend(title=None, orient="bottom", columns=2, symbolSize=400),
    )
    titles = {"by": "Trend by", "interval": "95 % interval"}
    tips = marks.tooltip(
        "by", "series", "window", "growth_per_2_year_ratio", "interval", "doubling_time_year", titles=titles
    )
    trends = (
        alt.Chart(lines)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x,
            y=y,
            color=line_colour,
            strokeDash=dash,
            detail=[alt.Detail("series:N"), alt.Detail("by:N")],
            tooltip=tips,
        )
    )
    return alt.layer(dots, trends)
