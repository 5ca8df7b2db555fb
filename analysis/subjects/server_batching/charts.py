"""Charts of the chapter on serving many users: each draws the table of the same name."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis import ranking
from analysis.charts import marks, theme

MEMORY, COMPUTE, REST = theme.PRIMARY, "#9a7b12", theme.MUTED
"""Reading memory, matrix products, and what is neither: the same three colours in every chart of the chapter."""
PHASES = {"Reading the prompt": COMPUTE, "Writing the answer": MEMORY}
PARTS = {"Weights": MEMORY, "Matrix products": COMPUTE, "Rest": REST}
SYSTEM_COLOURS = (MEMORY, "#a8489b", REST, REST, REST)
SYSTEM_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
DASHES = ([5, 4], [1, 0], [8, 3], [2, 2])
LINES = (REST, MEMORY, "#169b9b", "#a8489b")
STAR = {"shape": theme.ACCENT_SHAPE, "size": 170, "filled": True, "color": theme.ACCENT, "opacity": 1}


TITLES = {
    "series": "Series", "batch_size": "Batch", "time_s": "Time", "computed_mfu_share": "MFU", "part_s": "Time",
    "printed_mfu_share": "MFU as printed", "answer_token_per_s": "Answer", "share": "Share",
    "step_time_s": "Whole step", "pass_token": "Tokens together", "chip_kind": "Chip", "n_chip": "Chips",
    "date": "Date",
    "balance_flop_per_byte": "Balance", "precision": "Peak of", "cost_ratio": "Cost, client = 1",
    "cache_to_weight_ratio": "Cache over weights", "basis": "Share of the", "low_share": "At least",
    "high_share": "At most", "item": "HBM", "against": "Over", "gain_ratio": "Speed, H200 over H100", "low_ratio": "At least",
    "high_ratio": "At most", "context_token": "Context", "card": "Card", "layer_byte": "Bytes of a layer",
    "layer_time_s": "Time of a layer",
    "law_step_time_s": "By the law", "error_ratio": "Error", "model": "Model", "format": "Format", "token_per_s": "All users",
    "weight_byte": "Weights", "kv_cache_byte": "Cache", "token_energy_j": "A token",
    "low_energy_j": "At least", "high_energy_j": "At most", "power_w": "Power", "context": "Context of each",
}  # fmt: skip
"""What tooltips call the columns."""


def _select(name: str, label: str, options: list[Any], value: Any, shown: list[str] | None = None) -> alt.Parameter:
    bind = alt.binding_select(options=options, labels=shown or alt.Undefined, name=f"{label} ")
    return alt.param(name=name, value=value, bind=bind)


def _tips(*columns: str) -> list[alt.Tooltip]:
    return marks.tooltip(*columns, titles=TITLES)


def _within(values: list[float], low: float, high: float) -> list[float]:
    return [value for value in values if low <= value <= high]


# --------------------------------------------------------------------------------------- Pope et al.


def pope_figure_9(table: pd.DataFrame) -> alt.LayerChart:
    """Latency against utilization, one line for each system, with the article's point."""
    shown = table.loc[table["is_article"], "workload"].iloc[0]
    workload = _select("workload", "Request", list(table["workload"].unique()), shown)
    base = alt.Chart(table).transform_filter("datum.workload === workload")
    low, high = table["time_s"].min() / 1.3, table["time_s"].max() * 1.3
    x = marks.x("time_s", "Time of the whole request", log=True, domain=(low, high), values=[0.2, 0.5, 1, 2, 5, 10])
    y = marks.y(
        "computed_mfu_share", "Share of peak FLOP/s used (MFU)", domain=(0, 0.5), values=[0, 0.1, 0.2, 0.3, 0.4, 0.5]
    )
    colour, shape = _systems(table)
    lines = base.mark_line(strokeWidth=1.6, opacity=0.75).encode(x, y, colour, alt.Order("batch_size:Q"))
    points = base.mark_point(opacity=1).encode(
        x,
        y,
        colour,
        shape,
        size=alt.condition("datum.is_frontier", alt.value(80), alt.value(42)),
        tooltip=_tips(
            "series", "batch_size", "time_s", "computed_mfu_share", "printed_mfu_share", "answer_token_per_s"
        ),
    )
    layers = (*_too_slow(base), lines, points, *_batches(base), *_article_point(base))
    return marks.layered(*layers, params=(workload,))


def _systems(table: pd.DataFrame) -> tuple[alt.Color, alt.Shape]:
    names = sorted(table["series"].unique(), key=lambda name: ("PaLM" not in name, "TPU" not in name, name))
    legend = alt.Legend(title=None, columns=2, symbolSize=60)
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=list(SYSTEM_COLOURS)), legend=legend)
    return colour, alt.Shape("series:N", scale=alt.Scale(domain=names, range=list(SYSTEM_SHAPES)), legend=legend)


def _too_slow(base: alt.Chart) -> list[alt.Chart]:
    once = base.transform_aggregate(reading_latency_s="max(reading_latency_s)")
    rect = once.mark_rect(color=theme.FORBIDDEN, opacity=theme.SHADE).encode(
        x=alt.X("reading_latency_s:Q"), x2=alt.X2Value("width")
    )
    rule = once.mark_rule(strokeDash=[5, 4]).encode(alt.X("reading_latency_s:Q"))
    text = once.mark_text(align="left", baseline="top", dx=5, dy=2).encode(
        alt.X("reading_latency_s:Q"), alt.YValue(0), alt.TextValue("slower than reading")
    )
    return [rect, rule, text]


def _batches(base: alt.Chart) -> list[alt.Chart]:
    """Name the batches of PaLM before the article's, where the curve is steep."""
    palm = base.transform_filter("indexof(datum.series, 'PaLM') === 0").transform_joinaggregate(last="max(batch_size)")
    named = palm.transform_filter("datum.computed_mfu_share < 0.38 || datum.batch_size === datum.last")
    text = named.mark_text(align="right", dx=-6, dy=-8)
    return [text.encode(alt.X("time_s:Q"), alt.Y("computed_mfu_share:Q"), alt.Text("batch_size:Q"))]


def _article_point(base: alt.Chart) -> list[alt.Chart]:
    point = base.transform_filter("datum.is_article").encode(alt.X("time_s:Q"), alt.Y("computed_mfu_share:Q"))
    text = point.mark_text(align="center", dy=-18, color=theme.ACCENT, fontWeight=600)
    return [point.mark_point(**STAR), text.encode(alt.TextValue("The article"))]


def prefill_and_decode(table: pd.DataFrame) -> alt.LayerChart:
    """Shares of prompt and answer in the time of a request, by batch."""
    base = alt.Chart(table).encode(_batch_axis())
    bars = base.mark_bar().encode(
        marks.y("share", "Share of the time of a request", domain=(0, 1.14), values=[0, 0.25, 0.5, 0.75, 1]),
        marks.colour("part", PHASES, list(table["part"])),
        order=alt.Order("part:N", sort="descending"),
        tooltip=_tips("batch_size", "part", "time_s", "share", "computed_mfu_share"),
    )
    whole = base.transform_filter(alt.datum.part == next(iter(PHASES)))
    total = whole.mark_text(baseline="bottom", dy=-4).encode(y=alt.datum(1), text=alt.Text("total_s:Q", format=".4~r"))
    star = whole.transform_filter("datum.is_article").mark_point(**STAR).encode(y=alt.datum(1.105))
    return alt.layer(bars, total, star)


def _batch_axis() -> alt.X:
    return alt.X("batch_size:O", axis=alt.Axis(title="Batch (users served together)", labelAngle=0))


# -------------------------------------------------------------------------------------- the decode step


def step_time_by_batch(table: pd.DataFrame) -> alt.LayerChart:
    """Two bounds from below beside the measured step, by batch: three bars from zero, as bounds that overlap do not add up."""
    order = list(dict.fromkeys(table["part"]))
    base, beside = alt.Chart(table).encode(_batch_axis()), alt.XOffset("part:N", sort=order)
    most = table["step_time_s"].max()
    bars = base.mark_bar().encode(
        marks.y("time_s", "Time", domain=(0, most * 1.12), values=[0, 0.05, 0.1, 0.15], stack=None),
        marks.colour("part", dict(zip(order, PARTS.values(), strict=True)), order),
        beside,
        tooltip=_tips("batch_size", "part", "time_s", "share", "step_time_s"),
    )
    whole = base.transform_filter(alt.datum.order == len(order) - 1).transform_calculate(
        step_label="format(datum.step_time_s * 1000, '.3~r')"
    )
    total = whole.mark_text(baseline="bottom", dy=-4).encode(alt.Y("step_time_s:Q"), beside, alt.Text("step_label:N"))
    star = whole.transform_filter("datum.is_article").mark_point(**STAR, yOffset=-28)
    return alt.layer(bars, total, star.encode(alt.Y("step_time_s:Q"), beside))


def mfu_and_chip_time(table: pd.DataFrame, *, ridge_batch_size: float) -> alt.LayerChart:
    """Chip time per token against the tokens that share a reading of the weights, with the ridge."""
    low, high = table["pass_token"].min() / 1.5, table["pass_token"].max() * 1.5
    least, most = table["chip_time_per_token_s"].min() / 1.5, table["chip_time_per_token_s"].max() * 2
    x = marks.x("pass_token", "Tokens that share one reading of the weights", log=True, domain=(low, high),
                values=[10, 100, 1000, 10_000])  # fmt: skip
    y = marks.y(
        "chip_time_per_token_s",
        "One chip's time for a token",
        log=True,
        domain=(least, most),
        values=[0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    )
    measured, ideal = table[table["series"] != "At best"], table[table["series"] == "At best"]
    base = alt.Chart(measured).encode(x, y, marks.colour("series", PHASES, list(measured["series"])))
    points = base.mark_point(opacity=1).encode(
        tooltip=_tips("series", "batch_size", "pass_token", "chip_time_per_token_s", "computed_mfu_share")
    )
    limit = alt.Chart(ideal).mark_line(strokeDash=[5, 4], color=REST).encode(x, y)
    return alt.layer(
        limit,
        marks.limit(ridge_batch_size, f"ridge: {ridge_batch_size:,.0f} tokens", column="pass_token"),
        base.mark_line(strokeWidth=1.6),
        points,
        *_utilizations(measured, x, y),
        *_best(ideal, x, y),
    )


def _utilizations(measured: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    decode = alt.Chart(measured[measured["series"] == "Writing the answer"]).encode(x, y)
    least = decode.transform_filter(f"datum.batch_size <= {measured.loc[measured['is_article'], 'batch_size'].max()}")
    used = least.transform_calculate(used_label="format(datum.computed_mfu_share * 100, '.0f') + ' %'")
    text = used.mark_text(align="left", dx=7, dy=-8).encode(alt.Text("used_label:N"))
    star = decode.transform_filter("datum.is_article").mark_point(**STAR)
    return [text, star]


def _best(ideal: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    last = ranking.by(ideal, "pass_token").tail(1)
    return [alt.Chart(last).mark_text(align="right", dy=-9).encode(x, y, alt.TextValue("at best"))]


# ---------------------------------------------------------------------------------- latency and chips


def latency_by_chips(table: pd.DataFrame) -> alt.LayerChart:
    """Latency against the number of chips at one batch, measured and at best."""
    batches = sorted({int(batch) for batch in table["batch_size"]})
    batch = _select("batch", "Batch", batches, batches[-1])
    base = alt.Chart(table).transform_filter("datum.batch_size === batch")
    low, high = table["time_s"].min() / 1.2, table["time_s"].max() * 1.3
    x = marks.x("n_chip", "Chips", log=True, domain=(12, 280), values=[16, 32, 64, 128, 256])
    y = marks.y(
        "time_s",
        "Time of the whole request",
        log=True,
        domain=(low, high),
        values=_within([0.1, 0.2, 0.5, 1, 2, 5], low, high),
    )
    palette = {"NVIDIA A100": theme.CLASSES["gpu"], "Google TPU v4": MEMORY}
    colour = marks.colour("chip_kind", palette, list(table["chip_kind"]))
    shape = marks.shape(
        "chip_kind", {"NVIDIA A100": "triangle-up", "Google TPU v4": "circle"}, list(table["chip_kind"])
    )
    ideal = base.transform_filter("datum.kind === 'at best'")
    measured = base.transform_filter("datum.kind === 'measured'")
    tips = _tips("chip_kind", "n_chip", "partitioning", "batch_size", "time_s")
    points = measured.mark_point(size=110, opacity=1).encode(x, y, colour, shape, tooltip=tips)
    text = measured.transform_calculate(
        chip_label="format(datum.time_s, '.3~r') + ' s' + (datum.partitioning === 'pp3-tp8' ? ', pipeline' : '')"
    ).mark_text(align="left", dx=10, dy=-8)
    lines = ideal.mark_line(strokeDash=[5, 4], strokeWidth=1.6).encode(x, y, colour, alt.Detail("chip_kind:N"))
    return marks.layered(lines, points, text.encode(x, y, alt.Text("chip_label:N")), params=(batch,))


# ----------------------------------------------------------------------------------------- balance


def accelerator_balance(table: pd.DataFrame) -> alt.LayerChart:
    """FLOP that each byte must feed, by year of release."""
    x = marks.x("released_year", "Release", domain=(2007.5, 2027.6), values=[2008, 2012, 2016, 2020, 2024])
    y = marks.y(
        "balance_flop_per_byte", "FLOP per byte", log=True, domain=(4, 900), values=[5, 10, 20, 50, 100, 200, 500]
    )
    shapes = {"16 bit on matrix units": "circle", "16 bit": "square", "32 bit": "triangle-up"}
    base = alt.Chart(table).encode(
        x,
        y,
        marks.shape("precision", shapes, list(table["precision"]), title=None),
        tooltip=_tips("name", "date", "balance_flop_per_byte", "precision"),
    )
    trend = base.transform_filter("datum.kind === 'trend'").mark_point(size=30, color=REST, opacity=0.4)
    chips = base.transform_filter("datum.kind === 'accelerator'")
    sold = chips.transform_filter("!datum.is_announced").mark_point(size=75, color=MEMORY, opacity=1)
    announced = chips.transform_filter("datum.is_announced").mark_point(
        size=75, filled=False, strokeWidth=2, color=MEMORY, opacity=1
    )
    return alt.layer(trend, sold, announced, *_names(table, x, y))


LEFT, RIGHT = ("V100", "TPU v4", "B200"), ("TPU v6e", "TPU v7", "Rubin")
"""Labels to the left and to the right of their points, where there is room."""


def _names(table: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    left, right = (alt.Chart(table[table["label"].isin(names)]) for names in (LEFT, RIGHT))
    return [
        left.mark_text(align="right", dx=-8).encode(x, y, alt.Text("label:N")),
        right.mark_text(align="left", dx=8).encode(x, y, alt.Text("label:N")),
    ]


# ---------------------------------------------------------------------------------- price of memory


def memory_cost_per_user(table: pd.DataFrame, *, price_ratio: float, context_token: int) -> alt.LayerChart:
    """Memory cost per user over that of a client, against the users who share the weights; the price can be moved."""
    price = alt.param(
        name="price",
        value=price_ratio,
        bind=alt.binding_range(min=1, max=10, step=0.5, name="Price of HBM over DDR (times) "),
    )
    context = _select(
        "context", "Context (tokens)", sorted({int(token) for token in table["context_token"]}), context_token
    )
    base = (
        alt.Chart(table)
        .transform_filter("datum.context_token === context")
        .transform_calculate(
            cost_ratio="price * (1 / datum.batch_size + datum.cache_to_weight_ratio)"
            " / (1 + datum.cache_to_weight_ratio)"
        )
    )
    x = marks.x(
        "batch_size",
        "Users who share the weights (batch)",
        log=True,
        domain=(1, 1024),
        values=[1, 4, 16, 64, 256, 1024],
    )
    y = marks.y(
        "cost_ratio",
        "Memory cost per user, client = 1×",
        log=True,
        domain=(0.001, 12),
        values=[0.001, 0.01, 0.1, 1, 10],
    )
    names = list(dict.fromkeys(table["model"]))
    scale = alt.Scale(domain=names, range=list(LINES[: len(names)]))
    legend = alt.Legend(title=None, columns=2, symbolType="stroke")
    colour = alt.Color("model:N", scale=scale, legend=legend)
    tips = _tips("model", "batch_size", "cost_ratio", "cache_to_weight_ratio")
    dash = alt.StrokeDash("model:N", scale=alt.Scale(domain=names, range=list(DASHES[: len(names)])), legend=legend)
    lines = base.mark_line().encode(x, y, colour, dash)
    points = base.mark_point(size=30, opacity=1).encode(x, y, colour, tooltip=tips)
    return marks.layered(*_dearer(), lines, points, *_claimed(table, x, y), params=(price, context))


def _dearer() -> list[alt.Chart]:
    frame = pd.DataFrame({"cost_ratio": [1.0]})
    shade = alt.Chart(frame).mark_rect(color=theme.FORBIDDEN, opacity=theme.SHADE)
    text = alt.Chart(frame).mark_text(align="right", baseline="top", dx=-6, dy=5)
    return [
        shade.encode(alt.Y("cost_ratio:Q"), alt.Y2Value(0)),
        text.encode(alt.XValue("width"), alt.YValue(0), alt.TextValue("dearer than on a client")),
    ]


def _claimed(table: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    point = table[table["is_claimed"] & table["is_shown"]]
    base = alt.Chart(point).encode(x, y)
    text = base.mark_text(align="right", dx=-10, dy=10, color=theme.ACCENT, fontWeight=600)
    return [base.mark_point(**STAR), text.encode(alt.TextValue("The article"))]


def hbm_cost_share(table: pd.DataFrame, *, claimed_share: float) -> alt.LayerChart:
    """Every estimate of HBM's share of the cost of a chip, against the article's half."""
    order = list(table["estimate"])
    y = alt.Y("estimate:N", sort=order, axis=marks.names_axis(grid=True))
    x = marks.x("low_share", "Share of the cost", domain=(0, 0.8), values=[0, 0.2, 0.4, 0.6, 0.8])
    tips = _tips("chip", "publisher", "basis", "date", "low_share", "high_share")
    kinds, legend = ["manufacturing cost", "component cost"], alt.Legend(title=None, columns=1)
    colour = alt.Color("basis:N", scale=alt.Scale(domain=kinds, range=[MEMORY, COMPUTE]), legend=legend)
    shape = alt.Shape("basis:N", scale=alt.Scale(domain=kinds, range=["circle", "square"]), legend=legend)
    base = alt.Chart(table).encode(y, tooltip=tips)
    span = base.mark_rule(strokeWidth=2).encode(x, x2=alt.X2("high_share:Q"), color=colour)
    low = base.mark_point(filled=False, size=80, strokeWidth=2, opacity=1).encode(x, colour, shape)
    high = base.transform_filter("datum.high_share > datum.low_share").mark_point(
        filled=False, size=80, strokeWidth=2, opacity=1
    )
    return alt.layer(*_half(claimed_share), span, low, high.encode(alt.X("high_share:Q"), colour, shape))


def _half(claimed_share: float) -> list[alt.Chart]:
    base = alt.Chart(pd.DataFrame({"low_share": [claimed_share]})).encode(alt.X("low_share:Q"))
    rule = base.mark_rule(strokeDash=[5, 4], color=theme.ACCENT, strokeWidth=1.5)
    star = base.mark_point(**STAR).encode(alt.YValue(-9))
    text = base.mark_text(align="left", dx=11, color=theme.ACCENT, fontWeight=600)
    return [rule, star, text.encode(alt.YValue(-9), alt.TextValue("The article"))]


def hbm_price_ratio(table: pd.DataFrame) -> alt.LayerChart:
    """Price of HBM over DDR by date: the article's, stated, forecast, and from pairs of prices."""
    x = marks.x("at_year", "Date", domain=(2023, 2027.2), values=[2023, 2024, 2025, 2026, 2027])
    y = marks.y("price_ratio", "Price of HBM over DDR, per GB", domain=(0, 6), values=[0, 1, 2, 3, 4, 5, 6])
    found, claimed = table[table["kind"] != "article"], table[table["kind"] == "article"]
    kinds = {"stated": MEMORY, "forecast": MEMORY, "from two prices": COMPUTE}
    shapes = {"stated": "circle", "forecast": "diamond", "from two prices": "square"}
    present = list(found["kind"])
    base = alt.Chart(found).encode(
        x,
        y,
        marks.colour("kind", kinds, present),
        marks.shape("kind", shapes, present),
        tooltip=_tips("item", "against", "date", "price_ratio", "kind"),
    )
    stated = base.transform_filter("datum.kind === 'stated'").mark_point(size=90, opacity=1)
    other = base.transform_filter("datum.kind !== 'stated'").mark_point(size=90, filled=False, strokeWidth=2, opacity=1)
    star = marks.article(
        claimed.assign(article_label="The article"), x="at_year", y="price_ratio", label="article_label"
    )
    same = marks.limit(1, "the same price", column="price_ratio", along="y")
    return alt.layer(same, stated, other, star)


# --------------------------------------------------------------------- one processor with two memories

CARDS = {"H100": theme.CLASSES["gpu"], "H200": MEMORY}
"""The card with the slower and the one with the faster memory; a card that somebody adds is grey."""
CARD_SHAPES = {"H100": "triangle-up", "H200": "circle"}
BATCHES = [1, 4, 16, 64, 256, 1024]


def _users(high: float, *, low: float = 0.85) -> alt.X:
    return marks.x("batch_size", "Users served together (batch)", log=True, domain=(low, high), values=BATCHES)


def same_processor_gains(table: pd.DataFrame, *, bandwidth_ratio: float, ideal: str) -> alt.LayerChart:
    """Speed of a step on the faster memory over that on the slower by batch, a line for each context, and the roofline's."""
    measured, limit = table[table["series"] != ideal], table[table["series"] == ideal]
    x = _users(table["batch_size"].max() * 1.3)
    y = marks.y("gain_ratio", "Speed, H200 over H100", domain=(0.95, 1.5), values=[1, 1.1, 1.2, 1.3, 1.4])
    names = list(dict.fromkeys(measured["series"]))
    colour = marks.colour("series", dict(zip(names, LINES, strict=False)), names, title="Context of each user")
    base = alt.Chart(measured).encode(x, colour)
    tips = _tips("series", "batch_size", "gain_ratio", "low_ratio", "high_ratio", "step_time_s")
    spans = base.mark_rule(opacity=0.45, strokeWidth=3).encode(alt.Y("low_ratio:Q"), alt.Y2("high_ratio:Q"))
    dash = alt.Chart(limit).mark_line(strokeDash=[5, 4], color=REST).encode(x, y)
    return alt.layer(
        marks.limit(1, "no gain", column="gain_ratio", along="y"),
        _roof(limit, x, y, f"weights alone, at best: {bandwidth_ratio:.2f}×, as the bandwidth"),
        dash,
        base.mark_point(size=45, opacity=1).encode(y, tooltip=tips),
        base.mark_line(strokeWidth=1.6).encode(y),
        spans,
    )


def _roof(limit: pd.DataFrame, x: alt.X, y: alt.Y, text: str) -> alt.Chart:
    first = ranking.by(limit, "batch_size").head(1)
    return alt.Chart(first).mark_text(align="left", baseline="bottom", dy=-5).encode(x, y, alt.TextValue(text))


def same_processor_law(table: pd.DataFrame) -> alt.LayerChart:
    """Time of a layer over its bytes on every card: measured marks on the lines of the law, dashed where it is carried."""
    most, longest = table["layer_byte"].max() * 1.04, table["layer_time_s"].max() * 1.06
    x = marks.x("layer_byte", "Bytes read for a layer", domain=(0, most), values=[0, 2e8, 4e8, 6e8, 8e8, 1e9])
    y = marks.y("layer_time_s", "Time of a layer", domain=(0, longest), values=[0, 1e-4, 2e-4, 3e-4])
    cards = list(table["card"])
    colour = marks.colour("card", CARDS, cards)
    measured, lines = (alt.Chart(table[table["kind"] == kind]) for kind in ("measured", "law"))
    tips = _tips("card", "model", "format", "context_token", "step_time_s", "law_step_time_s", "error_ratio")
    points = measured.mark_point(opacity=1).encode(x, y, colour, marks.shape("card", CARD_SHAPES, cards), tooltip=tips)
    roles = sorted(set(table["role"]), reverse=True)
    dash = alt.Scale(domain=roles, range=[[1, 0], [5, 4]])
    carried = alt.StrokeDash("role:N", scale=dash, legend=alt.Legend(title=None, symbolType="stroke"))
    return alt.layer(points, lines.mark_line(strokeWidth=1.6).encode(x, y, colour, carried))


def capacity_gains(table: pd.DataFrame) -> alt.LayerChart:
    """Tokens per second of all users by batch on both cards, as far as the cache fits; ringed where a kernel sets the time."""
    x = _users(table["batch_size"].max() * 2.4)
    low, high = table["token_per_s"].min() / 1.4, table["token_per_s"].max() * 1.6
    y = marks.y("token_per_s", "Tokens per second, all users", log=True, domain=(low, high),
                values=_within([50, 100, 200, 500, 1000, 2000, 5000], low, high))  # fmt: skip
    tips = _tips("card", "batch_size", "token_per_s", "step_time_s", "weight_byte", "kv_cache_byte")
    full = alt.Chart(table[table["is_largest"]]).mark_text(align="left", dx=15).encode(x, y, alt.Text("card:N"))
    return alt.layer(*_by_card(table, table, x, y, tips), full)


def _by_card(table: pd.DataFrame, joined: pd.DataFrame, x: alt.X, y: alt.Y, tips: list[alt.Tooltip]) -> list[alt.Chart]:
    """Marks of each card, a line through those that are joined, and a ring where the attention kernel sets the time."""
    colour, shape = (
        marks.colour("card", CARDS, list(table["card"])),
        marks.shape("card", CARD_SHAPES, list(table["card"])),
    )
    points = alt.Chart(table).mark_point(size=70, opacity=1).encode(x, y, colour, shape, tooltip=tips)
    line = alt.Chart(joined).mark_line(strokeWidth=1.6).encode(x, y, colour)
    ringed = alt.Chart(table[table["is_slow_kernel"]])
    return [
        points,
        line,
        ringed.mark_point(shape="circle", size=260, filled=False, color=REST, strokeWidth=1.4).encode(x, y),
    ]


def energy_by_batch(table: pd.DataFrame) -> alt.LayerChart:
    """Joules of the whole card for a token by batch, both cards and contexts, with the range of other runs."""
    x = _users(table["batch_size"].max() * 10)
    low, high = table["low_energy_j"].min() / 1.3, table["high_energy_j"].max() * 1.3
    y = marks.y("token_energy_j", "Energy of the card for a token", log=True, domain=(low, high),
                values=_within([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5], low, high))  # fmt: skip
    tips = _tips("card", "context", "batch_size", "token_energy_j", "low_energy_j", "high_energy_j", "power_w")
    ends = alt.Chart(table).encode(
        alt.Y("low_energy_j:Q"), alt.Y2("high_energy_j:Q"), marks.colour("card", CARDS, list(table["card"]))
    )
    upper = ranking.by(table, "batch_size", "token_energy_j", falling={"batch_size", "token_energy_j"})
    named = alt.Chart(upper.drop_duplicates("context")).mark_text(align="left", dx=10, dy=-9)
    return alt.layer(
        *_by_card(table, table[table["is_line"]], x, y, tips),
        ends.mark_rule(opacity=0.45, strokeWidth=3).encode(x),
        named.encode(x, y, alt.Text("context:N")),
    )
