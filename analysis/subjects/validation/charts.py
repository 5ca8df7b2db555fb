"""Charts of the chapter on validation: each draws the table of the same name."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis import ranking
from analysis.charts import marks, theme

BACKENDS = {
    "CUDA": "#2e8b57", "Metal": theme.PRIMARY, "ROCm": "#d1495b", "Vulkan": "#c8681c", "Processor": theme.MUTED,
    "OpenCL": "#9a7b12", "Neural processor": "#a8489b",
}  # fmt: skip
BACKEND_SHAPES = {
    "CUDA": "circle", "Metal": "square", "ROCm": "triangle-up", "Vulkan": "diamond", "Processor": "cross", "OpenCL": "triangle-down",
    "Neural processor": "triangle-right",
}  # fmt: skip
ENGINES = {
    "vLLM": theme.PRIMARY, "TensorRT-LLM": "#2e8b57", "FasterTransformer": "#a8489b", "TPU v4": "#c8681c",
    "Mixtures of experts": "#9a7b12", "Out of memory": theme.MUTED,
}  # fmt: skip
ENGINE_SHAPES = {
    "vLLM": "circle", "TensorRT-LLM": "square", "FasterTransformer": "diamond", "TPU v4": "triangle-up",
    "Mixtures of experts": "triangle-down", "Out of memory": "cross",
}  # fmt: skip
EXPLANATIONS = {
    "The drive alone": ("circle", theme.PRIMARY), "Page cache": ("square", "#2e8b57"), "Sparse model": ("triangle-up", "#c8681c"),
    "Sparse model and page cache": ("diamond", "#a8489b"), "Thrashing": ("cross", "#d1495b"), "Computing": ("triangle-down", theme.MUTED),
    "Not known": ("triangle-right", theme.MUTED),
}  # fmt: skip
MEDIAN, LARGE = theme.PRIMARY, theme.MUTED
PREDICTED = "Predicted without the chip, tokens per second"
GOAL_RULE = {"strokeDash": [5, 4], "color": theme.FORBIDDEN, "strokeWidth": 1.6}
TITLES = {
    "chip": "Chip", "backend_name": "Backend", "model": "Model", "quantization": "Format", "decode_token_per_s": "Measured",
    "predicted_token_per_s": "Predicted", "low_token_per_s": "From", "high_token_per_s": "To", "error_ratio": "Error",
    "speed_ratio": "Measured over predicted", "name": "Group", "n_row": "Configurations", "n_chip": "Chips",
    "large_error_ratio": "Nine in ten below", "n_parameter": "Parameters", "term": "Term added", "row_share": "Configurations inside",
    "chip_share": "Chips inside", "reached_share": "Share reached", "operation_name": "Operation", "series": "Series", "kind": "Kind",
    "batch_size": "Batch", "time_s": "Measured", "predicted_s": "Predicted", "user_token_per_s": "A user gets",
    "chip_token_per_s": "The chip yields", "basis": "Basis", "setup": "Set-up", "reached_ratio": "Needed over the drive's rate",
    "prompt_token": "Prompt", "explanation": "Explained by", "device": "Device", "method": "Method",
    "step_s": "Step", "token_per_s": "Measured",
}  # fmt: skip


def _tips(*columns: str) -> list[alt.Tooltip]:
    return marks.tooltip(*columns, titles=TITLES)


def _percent(column: str) -> alt.Tooltip:
    return alt.Tooltip(f"{column}:Q", title=TITLES[column], format=".1%")


def _ends(values: pd.Series[float], room: float = 1.25) -> tuple[float, float]:
    return float(values.min()) / room, float(values.max()) * room


def predicted_against_measured(table: pd.DataFrame) -> alt.LayerChart:
    """Predicted against measured speed, with the line of equality and the interval of every point."""
    shown = table[table["is_fitted"]]
    ends = _ends(pd.concat([shown["decode_token_per_s"], shown["predicted_token_per_s"]]))
    ticks = marks.log_ticks(ends, most=6)
    x = marks.x("decode_token_per_s", "Measured tokens per second", log=True, domain=ends, values=ticks)
    y = marks.y("predicted_token_per_s", PREDICTED, log=True, domain=ends, values=ticks)
    present = list(shown["backend_name"].unique())
    base = alt.Chart(shown).encode(x=x)
    low = marks.y("low_token_per_s", PREDICTED, log=True, domain=ends, values=ticks)
    bars = base.mark_rule(opacity=0.25, clip=True).encode(y=low, y2=alt.Y2("high_token_per_s:Q"))
    points = base.mark_point(filled=True, size=45, opacity=0.75, clip=True).encode(
        y=y,
        color=marks.colour("backend_name", BACKENDS, present, columns=3),
        shape=marks.shape("backend_name", BACKEND_SHAPES, present, columns=3),
        tooltip=[
            *_tips("chip", "backend_name", "model", "quantization", "decode_token_per_s", "predicted_token_per_s"),
            *_tips("low_token_per_s", "high_token_per_s"),
            _percent("error_ratio"),
        ],
    )
    line = (
        alt.Chart(pd.DataFrame({"decode_token_per_s": ends, "predicted_token_per_s": ends}))
        .mark_line(strokeWidth=1.2, color=theme.MUTED)
        .encode(x=x, y=y)
    )
    return alt.layer(line, bars, points)


def error_by_group(table: pd.DataFrame) -> alt.LayerChart:
    """Median error and what nine in ten stay below: backends, formats, memories and years one under the other."""
    median = table.assign(measure="Median", shown_ratio=table["error_ratio"])
    large = table.assign(measure="Nine in ten below", shown_ratio=table["large_error_ratio"])
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1]
    scale = alt.Scale(type="log", domain=[0.02, 1.2], nice=False)
    x = alt.X("shown_ratio:Q", title="Error of the speed", scale=scale, axis=_percent_axis(ticks))
    y = alt.Y("name:N", sort=list(table["name"]), axis=marks.names_axis())
    palette, shapes = (
        {"Median": MEDIAN, "Nine in ten below": LARGE},
        {"Median": "circle", "Nine in ten below": "diamond"},
    )
    base = alt.Chart(pd.concat([median, large]))
    points = base.mark_point(filled=True, size=80).encode(
        x=x, y=y, color=marks.colour("measure", palette, list(palette)), shape=marks.shape("measure", shapes, list(palette)),
        tooltip=[*_tips("kind", "name"), alt.Tooltip("shown_ratio:Q", title="Error", format=".1%"), *_tips("n_row", "n_chip")],
    )  # fmt: skip
    start = alt.X("error_ratio:Q", scale=scale, axis=_percent_axis(ticks), title="Error of the speed")
    rules = (
        base.transform_filter("datum.measure === 'Median'")
        .mark_rule(opacity=0.35)
        .encode(y=y, x=start, x2=alt.X2("large_error_ratio:Q"))
    )
    return alt.layer(rules, points)


def _percent_axis(values: list[float]) -> alt.Axis:
    return alt.Axis(values=values, labelExpr="format(datum.value * 100, '~g') + ' %'")


def residual_stories(table: pd.DataFrame) -> alt.LayerChart:
    """Measured over predicted speed, one line a story, each row a point."""
    order = [name for name in dict.fromkeys(table["story"]) if name != "All other rows"]
    order = [*sorted(order), "All other rows"]
    ticks = [0.4, 0.5, 0.7, 1, 1.4, 2, 2.8]
    x = alt.X(
        "speed_ratio:Q",
        title="Measured over predicted speed",
        scale=alt.Scale(type="log", domain=[0.33, 3], nice=False),
        axis=alt.Axis(values=ticks, labelExpr="format(datum.value, '~g') + '×'"),
    )
    y = alt.Y("story:N", sort=order, axis=marks.names_axis())
    present = list(table["backend_name"].unique())
    points = alt.Chart(table).mark_point(filled=True, size=50, opacity=0.6).encode(
        x=x, y=y, color=marks.colour("backend_name", BACKENDS, present, columns=2),
        shape=marks.shape("backend_name", BACKEND_SHAPES, present, columns=2),
        tooltip=_tips("chip", "backend_name", "model", "quantization", "decode_token_per_s", "predicted_token_per_s", "speed_ratio"),
    )  # fmt: skip
    middle = alt.Chart(pd.DataFrame({"speed_ratio": [1.0]})).mark_rule(color=theme.MUTED, strokeWidth=1.2).encode(x=x)
    return alt.layer(middle, points)


def accuracy_ladder(table: pd.DataFrame, *, goal_ratio: float) -> alt.LayerChart:
    """Median error on unseen chips as terms are added, with the goal."""
    order = list(dict.fromkeys(table["term"]))
    palette = {"Graphics processors, 4 bits and more": MEDIAN, "Everything": LARGE}
    shapes = {"Graphics processors, 4 bits and more": "circle", "Everything": "diamond"}
    x = alt.X(
        "error_ratio:Q",
        title="Median error of the speed",
        scale=alt.Scale(type="log", domain=[0.03, 0.6], nice=False),
        axis=_percent_axis([0.03, 0.05, 0.1, 0.2, 0.5]),
    )
    y = alt.Y("label:N", sort=[_rung(table, term) for term in order], axis=marks.names_axis())
    labelled = table.assign(label=[_rung(table, term) for term in table["term"]])
    legend = {"columns": 1, "labelExpr": "replace(datum.label, 'Graphics processors', 'GPUs')"}
    points = alt.Chart(labelled).mark_point(filled=True, size=90).encode(
        x=x, y=y, color=marks.colour("scope", palette, list(palette), **legend),
        shape=marks.shape("scope", shapes, list(palette), **legend),
        tooltip=[*_tips("term", "n_parameter"), alt.Tooltip("scope:N", title="Over"), _percent("error_ratio")],
    )  # fmt: skip
    goal = alt.Chart(pd.DataFrame({"error_ratio": [goal_ratio]})).mark_rule(**GOAL_RULE).encode(x=x)
    return alt.layer(goal, points)


def _rung(table: pd.DataFrame, term: str) -> str:
    count = int(table.loc[table["term"] == term, "n_parameter"].iloc[0])
    return f"{term} ({count})"


def interval_coverage(table: pd.DataFrame, *, goal: tuple[float, float]) -> alt.LayerChart:
    """Share of measured speeds inside the interval, by group, with the band aimed at."""
    long = pd.concat(
        [
            table.assign(measure="Chips, each once", share=table["chip_share"]),
            table.assign(measure="Configurations", share=table["row_share"]),
        ]
    )
    palette, shapes = (
        {"Chips, each once": MEDIAN, "Configurations": LARGE},
        {"Chips, each once": "circle", "Configurations": "diamond"},
    )
    x = marks.x(
        "share",
        "Measured speeds inside",
        domain=(0.4, 1),
        values=[0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
    )
    y = alt.Y("name:N", sort=list(table["name"]), axis=marks.names_axis())
    points = alt.Chart(long).mark_point(filled=True, size=90).encode(
        x=x, y=y, color=marks.colour("measure", palette, list(palette)), shape=marks.shape("measure", shapes, list(palette)),
        tooltip=[*_tips("name", "n_row", "n_chip"), alt.Tooltip("share:Q", title="Inside", format=".0%")],
    )  # fmt: skip
    band = (
        alt.Chart(pd.DataFrame({"share": [goal[0]], "end": [goal[1]]}))
        .mark_rect(opacity=0.12, color=theme.PRIMARY)
        .encode(x=x, x2=alt.X2("end:Q"))
    )
    return alt.layer(band, points)


def bandwidth_achieved(table: pd.DataFrame) -> alt.Chart:
    """Share of the datasheet bandwidth that was measured, by unit of the chip and operation."""
    units = {"Graphics processor": "#c8681c", "Processor cores": theme.PRIMARY, "Neural processor": theme.MUTED}
    shapes = {"Graphics processor": "circle", "Processor cores": "square", "Neural processor": "cross"}
    medians = table.groupby("operation_name")["reached_share"].median().reset_index()
    ordered = ranking.by(medians, "reached_share", "operation_name", falling={"reached_share"})["operation_name"]
    x = marks.x("reached_share", "Share of the datasheet bandwidth", domain=(0, 1), values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    return alt.Chart(table).mark_point(filled=True, size=60, opacity=0.7).encode(
        x=x, y=alt.Y("operation_name:N", sort=list(ordered), axis=marks.names_axis()),
        color=marks.colour("unit_name", units, list(units), columns=1), shape=marks.shape("unit_name", shapes, list(units), columns=1),
        tooltip=_tips("chip", "operation_name", "reached_share"),
    )  # fmt: skip


def prompts_predicted(table: pd.DataFrame) -> alt.LayerChart:
    """Predicted against measured time of prompts, with the line of equality."""
    ends = _ends(pd.concat([table["time_s"], table["predicted_s"]]))
    ticks = marks.log_ticks(ends, most=6)
    x = marks.x("time_s", "Measured time", log=True, domain=ends, values=ticks)
    y = marks.y("predicted_s", "Predicted without the chip", log=True, domain=ends, values=ticks)
    present = list(table["backend_name"].unique())
    points = alt.Chart(table).mark_point(filled=True, size=45, opacity=0.75).encode(
        x=x, y=y, color=marks.colour("backend_name", BACKENDS, present, columns=2),
        shape=marks.shape("backend_name", BACKEND_SHAPES, present, columns=2),
        tooltip=[
            *_tips("chip", "backend_name", "model", "quantization", "prompt_token", "time_s", "predicted_s"),
            _percent("error_ratio"),
        ],
    )  # fmt: skip
    return _on_equality(points, x, y, ends)


def serving_predicted(table: pd.DataFrame) -> alt.LayerChart:
    """Predicted against measured time of requests and phases, with the line of equality."""
    ends = _ends(pd.concat([table["time_s"], table["predicted_s"]]))
    ticks = [0.1, 1, 10, 100, 1000]
    x = marks.x("time_s", "Measured time", log=True, domain=ends, values=ticks)
    y = marks.y("predicted_s", "Predicted without the series", log=True, domain=ends, values=ticks)
    points = alt.Chart(table).mark_point(filled=True, size=40, opacity=0.65).encode(
        x=x, y=y, color=marks.colour("kind", ENGINES, list(ENGINES), columns=2),
        shape=marks.shape("kind", ENGINE_SHAPES, list(ENGINES), columns=2),
        tooltip=[*_tips("series", "kind", "batch_size", "time_s", "predicted_s"), _percent("error_ratio")],
    )  # fmt: skip
    return _on_equality(points, x, y, ends)


def _on_equality(points: alt.Chart, x: alt.X, y: alt.Y, ends: tuple[float, float]) -> alt.LayerChart:
    """Points of measured and predicted times over the line on which the two are equal."""
    line = alt.Chart(pd.DataFrame({"time_s": ends, "predicted_s": ends}))
    return alt.layer(line.mark_line(strokeWidth=1.2, color=theme.MUTED).encode(x=x, y=y), points)


def serving_frontier(table: pd.DataFrame) -> alt.LayerChart:
    """What a user gets against what the chip yields, batch by batch: points measured, lines predicted."""
    palette: dict[str, Any] = dict(
        zip(sorted(table["setup"].unique()), [theme.PRIMARY, "#2e8b57", "#c8681c", "#a8489b"], strict=False)
    )
    shapes = dict(zip(palette, ["circle", "square", "triangle-up", "diamond"], strict=False))
    x = marks.x(
        "user_token_per_s",
        "Tokens per second for each user",
        domain=(0, float(table["user_token_per_s"].max()) * 1.08),
        values=[0, 25, 50, 75, 100, 125, 150, 175, 200],
    )
    y = marks.y(
        "chip_token_per_s",
        "Tokens per second from the chip",
        log=True,
        domain=_ends(table["chip_token_per_s"], 1.4),
        values=[50, 100, 200, 500, 1000, 2000, 5000],
    )
    colour = marks.colour("setup", palette, list(palette))
    base = alt.Chart(table).encode(x=x, y=y, color=colour)
    lines = (
        base.transform_filter("datum.basis === 'Predicted'")
        .mark_line(strokeDash=[6, 4])
        .encode(alt.Order("batch_size:Q"))
    )
    points = base.transform_filter("datum.basis === 'Measured'").mark_point(filled=True, size=80).encode(
        shape=marks.shape("setup", shapes, list(palette)), tooltip=_tips("setup", "batch_size", "user_token_per_s", "chip_token_per_s")
    )  # fmt: skip
    return alt.layer(lines, points)


def storage_reached(table: pd.DataFrame) -> alt.LayerChart:
    """Read rate that a stream would need over the rate of its drive, one line an explanation."""
    order = list(EXPLANATIONS)
    shapes, palette = ({name: pair[i] for name, pair in EXPLANATIONS.items()} for i in (0, 1))
    x = marks.x(
        "reached_ratio",
        "Rate needed over the rate of the drive",
        log=True,
        domain=(0.02, 400),
        values=[0.1, 1, 10, 100],
    )
    points = alt.Chart(table).mark_point(filled=True, size=60, opacity=0.7).encode(
        x=x, y=alt.Y("explanation:N", sort=order, axis=marks.names_axis()),
        color=alt.Color("explanation:N", legend=None, scale=alt.Scale(domain=order, range=list(palette.values()))),
        shape=alt.Shape("explanation:N", legend=None, scale=alt.Scale(domain=order, range=list(shapes.values()))),
        tooltip=_tips("device", "model", "method", "token_per_s", "reached_ratio"),
    )  # fmt: skip
    drive = alt.Chart(pd.DataFrame({"reached_ratio": [1.0]})).mark_rule(color=theme.MUTED, strokeWidth=1.2).encode(x=x)
    return alt.layer(drive, points)


def expert_batches(table: pd.DataFrame) -> alt.LayerChart:
    """Time of a step against batch: points measured, lines predicted with the experts a batch calls, and without them."""
    models = sorted(table["model"].unique())
    palette: dict[str, Any] = dict(zip(models, [theme.PRIMARY, "#c8681c", "#2e8b57"], strict=False))
    shapes = dict(zip(models, ["circle", "square", "triangle-up"], strict=False))
    batches = sorted(float(size) for size in table["batch_size"].unique())
    x = marks.x(
        "batch_size", "Sequences at once", log=True, domain=(batches[0] / 1.15, batches[-1] * 1.15), values=batches
    )
    y = marks.y(
        "step_s", "Time of a step", log=True, domain=_ends(table["step_s"]), values=[0.01, 0.02, 0.05, 0.1, 0.2]
    )
    base = alt.Chart(table).encode(x=x, y=y, color=marks.colour("model", palette, models, columns=2))
    solid = base.transform_filter("datum.basis === 'Predicted'").mark_line(strokeWidth=2)
    dashed = base.transform_filter("datum.basis !== 'Predicted' && datum.basis !== 'Measured'").mark_line(
        strokeDash=[3, 4]
    )
    points = base.transform_filter("datum.basis === 'Measured'").mark_point(filled=True, size=80).encode(
        shape=marks.shape("model", shapes, models, columns=2), tooltip=_tips("model", "batch_size", "step_s")
    )  # fmt: skip
    return alt.layer(solid, dashed, points)
