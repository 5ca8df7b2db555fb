"""The charts about streaming weights from storage: each draws one derived table."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from analysis import words
from analysis.charts import marks, theme

FORMATS = tuple(theme.FORMAT_SHAPES)
REASONS = {
    "storage": theme.PRIMARY, "page-cache": "#9a7b12", "sparsity": "#2e8b57", "sparsity-and-cache": "#7a6fc9",
    "thrashing": theme.FORBIDDEN, "other": theme.MUTED,
}  # fmt: skip
"""What explains a measured speed."""
REASON_SHAPES = {
    "storage": "circle", "page-cache": "square", "sparsity": "triangle-up", "sparsity-and-cache": "diamond",
    "thrashing": "cross", "other": "triangle-down",
}  # fmt: skip
OTHER = {"compute": "other", "unknown": "other"}
BOLD = 600


def streaming_speed(
    points: pd.DataFrame,
    article: pd.DataFrame,
    *,
    model_param: float,
    reading_speed_word_per_min: float,
    token_per_word: float,
) -> alt.LayerChart:
    """Draw tokens per second over the drive's speed: a line per format, real drives on it, the reading speed."""
    size = _size("streamed_gparam", model_param)
    name = "Reading speed (words per minute) "
    speed = _slider("reading_word_per_min", name, reading_speed_word_per_min, (50, 1000), step=10)
    formula = f"datum.storage_read_byte_per_s / ({size.name} * 1e9 * datum.byte_per_param)"
    domain = alt.Scale(domain=FORMATS, range=[theme.FORMATS[each] for each in FORMATS])
    io, rate = (0.3e9, 700e9), (0.01, 200)
    base = alt.Chart(points.assign(format=points["format"].str.split(" ").str[0])).encode(
        marks.x(
            "storage_read_byte_per_s", "Sequential read speed of the drive", log=True, domain=io, values=_decades(io)
        ),
        marks.y("token_per_s", "Tokens per second", log=True, domain=rate, values=_decades(rate)),
        alt.Color("format_id:N", scale=domain, legend=None),
    )
    base = base.transform_calculate(token_per_s=formula)
    line, drive = (base.transform_filter(f"datum.role == '{role}'") for role in ("line", "drive"))
    named = drive.transform_filter("datum.label").encode(alt.Text("label:N"), alt.ColorValue(theme.MUTED))
    tip = marks.tooltip("name", "format", "storage_read_byte_per_s", "token_per_s", "basis")
    return marks.layered(
        *_too_slow(speed.name, token_per_word),
        line.mark_line(clip=True),
        _last(line).mark_text(align="left", dx=5, fontWeight=BOLD, clip=True).encode(alt.Text("format:N")),
        *_drive_points(drive.encode(tooltip=tip)),
        named.transform_filter("datum.format_id == 'int4'").mark_text(align="right", dx=-7, dy=-9, clip=True),
        named.transform_filter("datum.format_id == 'fp16'").mark_text(align="left", dx=7, dy=11, clip=True),
        marks.article(article, x="storage_read_byte_per_s", y="token_per_s", label="label", dy=14),
        params=(size, speed),
    )


def _size(name: str, model_param: float) -> Any:
    return _slider(name, "Model size (billion parameters) ", model_param / 1e9, (0.5, 70), step=0.01)


def _slider(name: str, label: str, value: float, ends: tuple[float, float], *, step: float) -> Any:
    """Offer a number to move; it starts at the edition's value, rounded as a reader wants to see it."""
    bind = alt.binding_range(min=min(ends[0], value), max=max(ends[1], value), step=step, name=label)
    return alt.param(name=name, value=round(value, 2), bind=bind)


def _decades(domain: tuple[float, float]) -> list[float]:
    return [tick for tick in marks.log_ticks(domain, most=0) if domain[0] <= tick <= domain[1]]


def _last(line: alt.Chart) -> alt.Chart:
    return line.transform_filter("datum.storage_read_byte_per_s > 1e10")


def _too_slow(reading: str, token_per_word: float) -> list[alt.Chart]:
    """Draw the reading speed as a dashed line, and shade the side that does not keep up with it."""
    frame = alt.Chart(pd.DataFrame({"limit_label": ["Reading speed"], "side_label": ["Too slow to read along"]}))
    base = frame.transform_calculate(token_per_s=f"{reading} * {token_per_word} / 60")
    height, bottom = alt.Y("token_per_s:Q"), alt.value("height")
    limit = base.mark_text(align="left", baseline="bottom", dx=4, dy=-4)
    side = base.mark_text(align="right", baseline="bottom", dx=-6, dy=-6, color=theme.FORBIDDEN)
    return [
        base.mark_rect(opacity=theme.SHADE, color=theme.FORBIDDEN, clip=True).encode(
            y=height, y2=bottom, x=alt.XValue(0), x2=alt.X2Value("width")
        ),
        base.mark_rule(strokeDash=[5, 4], clip=True).encode(y=height),
        limit.encode(y=height, x=alt.XValue(0), text=alt.Text("limit_label:N")),
        side.encode(y=bottom, x=alt.XValue("width"), text=alt.Text("side_label:N")),
    ]


def _drive_points(base: alt.Chart) -> list[alt.Chart]:
    """Fill measured drives, leave stated ones hollow."""
    measured, stated = (base.transform_filter(f"datum.basis {sign} 'measured'") for sign in ("==", "!="))
    return [
        measured.mark_point(filled=True, size=80, opacity=1, clip=True),
        stated.mark_point(filled=False, size=60, strokeWidth=1.8, opacity=1, clip=True),
    ]


def storage_speeds(drives: pd.DataFrame, *, said: dict[str, float]) -> alt.LayerChart:
    """Draw drives by date of sale, with the speeds the article names (label → byte/s) and its date."""
    present, ticks = list(drives["device_class"]), [1e9, 2e9, 5e9, 1e10, 2e10]
    domain = (0.6e9, 25e9)
    years = (2020, max(2027, math.ceil(drives["sold_year"].max())))
    base = alt.Chart(drives).encode(
        marks.x("sold_year", "On sale since, or measured in", domain=years, values=range(years[0], years[1] + 1)),
        marks.y("storage_read_byte_per_s", "Sequential read speed", log=True, domain=domain, values=ticks),
        marks.colour("device_class", theme.CLASSES, present),
    )
    shape = marks.shape("device_class", theme.CLASS_SHAPES, present)
    tip = marks.tooltip("name", "storage_read_byte_per_s", "basis", "date", "source_id")
    return alt.layer(*_said(drives, said), *_drive_points(base.encode(shape, tooltip=tip)), *_drive_names(base))


def _said(drives: pd.DataFrame, said: dict[str, float]) -> list[alt.Chart]:
    """Draw the article's two speeds and its date."""
    lines = alt.Chart(pd.DataFrame({"label": list(said), "storage_read_byte_per_s": list(said.values())}))
    date = alt.Chart(drives[["article_year", "line_byte_per_s"]].head(1))
    text = lines.mark_text(align="right", baseline="bottom", dx=-4, dy=-4, color=theme.ACCENT, fontWeight=BOLD)
    until = {"x": "article_year:Q", "y": "line_byte_per_s:Q", "y2": alt.value(0)}
    return [
        date.mark_rule(color=theme.ACCENT, strokeDash=[2, 3]).encode(**until),
        lines.mark_rule(color=theme.ACCENT, strokeDash=[5, 4]).encode(alt.Y("storage_read_byte_per_s:Q")),
        text.encode(alt.XValue("width"), alt.Y("storage_read_byte_per_s:Q"), alt.Text("label:N")),
    ]


def _drive_names(base: alt.Chart) -> list[alt.Chart]:
    """Write names on the side of a point where there is room."""
    names = base.transform_filter("datum.label").encode(alt.Text("label:N"), alt.ColorValue(theme.MUTED))
    early, late = "datum.sold_year < datum.article_year", "datum.sold_year > 2025.5"
    slow = "datum.storage_read_byte_per_s < 2e9"
    places: dict[str, dict[str, Any]] = {
        f"{early} && {slow}": {"align": "left", "dx": 9, "dy": 7},
        f"{early} && !({slow})": {"align": "right", "dx": -9},
        f"!({early}) && !({late})": {"align": "left", "dx": 9},
        f"{late} && datum.is_doubtful": {"align": "right", "dx": -9},
        f"{late} && !datum.is_doubtful": {"align": "right", "dx": 12, "dy": 26},
    }
    return [names.transform_filter(where).mark_text(**place) for where, place in places.items()]


def largest_streamed(
    lines: pd.DataFrame, article: pd.DataFrame, *, reading_speed_word_per_min: float, token_per_word: float
) -> alt.LayerChart:
    """Draw the largest model a drive streams, by tokens per second asked for: a line per drive, the article's point."""
    rate, (bits, share) = reading_speed_word_per_min * token_per_word / 60, _largest_controls()
    formula = f"{share.name} * datum.storage_read_byte_per_s / (datum.token_per_s * {bits.name} / 8)"
    speeds, sizes = (0.1, 100.0), (1e7, 1e12)
    palette = {"article": theme.ACCENT} | theme.CLASSES
    base = alt.Chart(lines).encode(
        marks.x("token_per_s", "Tokens per second asked for", log=True, domain=speeds, values=_decades(speeds)),
        marks.y("largest_param", "Largest model", log=True, domain=sizes, values=_decades(sizes)),
        marks.colour("device_class", palette, list(lines["device_class"]), legend=False),
    )
    base = base.transform_calculate(largest_param=formula)
    start, point = base.transform_filter("datum.token_per_s < 0.2"), base.transform_filter("datum.role == 'point'")
    billions, millions = (f"format(datum.largest_param / {unit}, '.2r') + '{word}'" for unit, word in UNITS)
    readout = point.transform_calculate(readout=f"datum.largest_param >= 1e9 ? {billions} : {millions}")
    tip = marks.tooltip("name", "storage_read_byte_per_s", "token_per_s", "largest_param")
    return marks.layered(
        marks.limit(1.0, "1 a second", column="token_per_s", align="right", dx=-6),
        marks.limit(rate, "Reading speed", column="token_per_s", dx=6),
        base.mark_line(clip=True),
        point.mark_point(filled=False, size=60, strokeWidth=1.8, opacity=1, clip=True).encode(tooltip=tip),
        start.mark_text(align="left", dx=8, dy=-9, fontWeight=BOLD, clip=True).encode(alt.Text("label:N")),
        readout.mark_text(align="left", dx=9, dy=-9, clip=True).encode(alt.Text("readout:N")),
        _article(article, "token_per_s", "largest_param"),
        params=(bits, share),
    )


UNITS = (("1e9", " B"), ("1e6", " M"))


def _largest_controls() -> tuple[Any, Any]:
    bits = _bits("streamed_bit", 4)
    return bits, _slider("drive_share", "Share of the drive for the model ", 1, (0.1, 1), step=0.05)


def _bits(name: str, value: int) -> Any:
    return alt.param(name=name, value=value, bind=alt.binding_select(options=[16, 8, 4], name="Bits per parameter "))


def _article(frame: pd.DataFrame, x: str, y: str) -> alt.LayerChart:
    """Draw the article's point with its label at the lower left, where a falling line leaves room."""
    more = {"color": theme.ACCENT, "fontWeight": BOLD}
    name = marks.labels(frame, x=x, y=y, label="label", dx=-9, dy=10, align="right", **more)
    return alt.layer(marks.article(frame, x=x, y=y), name)


def seven_seconds(readings: pd.DataFrame, *, said_s: float) -> alt.LayerChart:
    """Draw the seconds for half a word under each reading, and the article's seven."""
    top = 1.15 * max(said_s, readings["half_word_s"].max())
    base = alt.Chart(readings.assign(value=[f"{seconds:.3g} s" for seconds in readings["half_word_s"]])).encode(
        alt.Y("label:N", sort=list(readings["label"]), axis=_lines_axis()),
        marks.x("half_word_s", "Time for half a word", domain=(0, top), values=_ticks(top)),
    )
    colour = alt.condition("datum.agrees", alt.value(theme.PRIMARY), alt.value(theme.MUTED))
    tip = marks.tooltip("storage_read_byte_per_s", "weight_byte", "token_per_word", "half_word_s", "assumption")
    said = alt.Chart(pd.DataFrame({"half_word_s": [said_s], "name": ["Article"]})).encode(alt.X("half_word_s:Q"))
    text = said.mark_text(color=theme.ACCENT, fontWeight=BOLD, align="left", dx=6, baseline="top")
    return alt.layer(
        base.mark_bar(height={"band": 0.5}).encode(color=colour, tooltip=tip),
        base.mark_text(align="left", dx=6, fontWeight=BOLD).encode(alt.Text("value:N")),
        said.mark_rule(color=theme.ACCENT, strokeDash=[5, 4], strokeWidth=1.6),
        text.encode(alt.YValue(0), alt.Text("name:N")),
    )


def _ticks(top: float, most: int = 4) -> list[float]:
    """Give a few round ticks from zero."""
    steps = [step * 10.0**power for power in range(-3, 6) for step in (1, 2, 5)]
    step = next(step for step in steps if top / step <= most)
    return [count * step for count in range(most + 1) if count * step <= top]


def _lines_axis() -> alt.Axis:
    """Label categories, broken at a comma."""
    broken = "split(datum.value, ', ')"
    return alt.Axis(title=None, labelExpr=broken, ticks=False, grid=False, labelLineHeight=15)


def resident_share(lines: pd.DataFrame, *, model_param: float, rate_token_per_s: float) -> alt.LayerChart:
    """Draw tokens per second by the share in memory: solid as far as the memory reaches, dashed beyond."""
    size, bits = _size("resident_gparam", model_param), _bits("resident_bit", 16)
    look = _slider("look_percent", "Weights in memory (percent) ", 50, (0, 100), step=1)
    weight = f"({size.name} * 1e9 * {bits.name} / 8)"
    frame = lines.assign(on_top=lines["storage_read_byte_per_s"] == lines["storage_read_byte_per_s"].max())
    line, ends = (alt.Chart(frame[frame["role"] == role]) for role in ("line", "memory"))
    curve = _at(line, "datum.resident_share", weight)
    now, memory = _at(ends, f"{look.name} / 100", weight), _at(ends, f"min(1, datum.usable_byte / {weight})", weight)
    titles = ("name", "resident_share", "token_per_s", "storage_read_byte_per_s", "memory_bandwidth_byte_per_s")
    tip = marks.tooltip(*titles)
    rule = alt.Chart(pd.DataFrame({"row": [0]})).transform_calculate(resident_share=f"{look.name} / 100")
    readout = now.transform_calculate(readout="format(datum.token_per_s, '.2r') + '/s'")
    inside = curve.transform_filter(f"datum.resident_share <= datum.usable_byte / {weight} + 1e-9")
    return marks.layered(
        rule.mark_rule(strokeDash=[2, 3]).encode(alt.X("resident_share:Q")),
        curve.mark_line(strokeDash=[4, 4], strokeWidth=1.5, clip=True),
        inside.mark_line(clip=True),
        memory.mark_point(shape="stroke", angle=90, size=260, strokeWidth=3, filled=False, opacity=1).encode(
            tooltip=tip
        ),
        now.mark_point(size=70, filled=False, strokeWidth=1.8, opacity=1, clip=True).encode(tooltip=tip),
        readout.mark_text(align="left", dx=7, dy=11, fontWeight=BOLD, clip=True).encode(alt.Text("readout:N")),
        *_device_names(_at(ends, "0", weight)),
        marks.limit(rate_token_per_s, "Reading speed", column="token_per_s", along="y"),
        params=(size, bits, look),
    )


def _at(frame: alt.Chart, share: str, weight: str) -> alt.Chart:
    """Place the rows at a resident share, with the speed that follows from it."""
    streamed, kept = "(1 - datum.resident_share) / datum.storage_read_byte_per_s", "datum.resident_share"
    speed = f"1 / ({weight} * ({streamed} + {kept} / datum.memory_bandwidth_byte_per_s))"
    rates = (0.02, 200)
    placed = frame.transform_calculate(resident_share=share).transform_calculate(token_per_s=speed)
    return placed.encode(
        marks.x("resident_share", "Share of the weights in memory", domain=(0, 1.04), values=[0, 0.25, 0.5, 0.75, 1]),
        marks.y("token_per_s", "Tokens per second", log=True, domain=rates, values=_decades(rates)),
        marks.colour("device_class", theme.CLASSES, list(theme.CLASSES), legend=False),
        alt.Detail("device_id:N"),
    )


def _device_names(start: alt.Chart) -> list[alt.Chart]:
    """Write the name of the fastest device above its line, the others below theirs."""
    above, below = (start.transform_filter(f"{sign}datum.on_top").encode(alt.Text("label:N")) for sign in ("", "!"))
    return [
        above.mark_text(align="left", dx=6, dy=-20, fontWeight=BOLD),
        below.mark_text(align="left", dx=6, dy=13, fontWeight=BOLD),
    ]


def offload_measured(runs: pd.DataFrame, *, rate_token_per_s: float) -> alt.LayerChart:
    """Draw measured speed over the speed of streaming every weight: above the diagonal something else is at work."""
    shown = runs.assign(explained_by=runs["explained_by"].replace(OTHER))
    kinds = [name for name in REASONS if name in set(shown["explained_by"])]
    pick, (colour, shape) = _pick(kinds), _reasons(kinds)
    limits, rates = (0.003, 30), (0.02, 60)
    title = "Tokens per second, if all were streamed"
    base = alt.Chart(shown).encode(
        marks.x("limit_token_per_s", title, log=True, domain=limits, values=_decades(limits)),
        marks.y("token_per_s", "Tokens per second, measured", log=True, domain=rates, values=_decades(rates)),
        opacity=alt.condition(pick, alt.value(1), alt.value(0.12)),
    )
    tip = ("device", "model", "method", "limit_token_per_s", "token_per_s", "speedup_ratio", "explained_by", "date")
    known, unknown = (
        base.transform_filter(f"{sign}datum.drive_known").encode(colour, shape, tooltip=marks.tooltip(*tip))
        for sign in ("", "!")
    )
    names = base.transform_filter("datum.label").encode(alt.Text("label:N"), alt.ColorValue(theme.MUTED))
    return alt.layer(
        *_diagonal(),
        marks.limit(rate_token_per_s, "Reading speed", column="token_per_s", along="y", dy=16),
        known.mark_point(filled=True, size=80),
        unknown.mark_point(filled=False, size=60, strokeWidth=1.8),
        names.transform_filter("datum.limit_token_per_s > 0.06").mark_text(align="right", dx=-9),
        names.transform_filter("datum.limit_token_per_s <= 0.06").mark_text(align="left", dx=9),
    ).add_params(pick)


def _pick(kinds: list[str]) -> Any:
    labels = ["all", *[kind.replace("-", " ") for kind in kinds]]
    menu = alt.binding_select(options=[None, *kinds], labels=labels, name="Explained by ")
    return alt.selection_point(name="explanation", fields=["explained_by"], bind=menu)


def _reasons(kinds: list[str]) -> tuple[alt.Color, alt.Shape]:
    legend = alt.Legend(title=None, labelExpr="replace(datum.label, /-/g, ' ')", columns=2)
    colours = alt.Scale(domain=kinds, range=[REASONS[kind] for kind in kinds])
    shapes = alt.Scale(domain=kinds, range=[REASON_SHAPES[kind] for kind in kinds])
    return (
        alt.Color("explained_by:N", scale=colours, legend=legend),
        alt.Shape("explained_by:N", scale=shapes, legend=legend),
    )


def _diagonal() -> list[alt.Chart]:
    """Draw where measured speed equals the limit."""
    both = {"x": "limit_token_per_s:Q", "y": "token_per_s:Q"}
    line = alt.Chart(pd.DataFrame({"limit_token_per_s": [0.02, 30], "token_per_s": [0.02, 30]})).encode(**both)
    name = pd.DataFrame({"limit_token_per_s": [0.028], "token_per_s": [0.028], "name": ["Limit"]})
    text = alt.Chart(name).mark_text(align="left", dx=8, dy=6, color=theme.MUTED)
    return [line.mark_line(color=theme.MUTED, strokeWidth=1.6), text.encode(text=alt.Text("name:N"), **both)]


def sparse_reads(steps: pd.DataFrame, *, fastest_byte_per_s: float) -> alt.LayerChart:
    """Draw the drive speed a measured rate needs, step by step as less is read, and the fastest drive there is."""
    domain = (0.01e9, 20e12)
    base = alt.Chart(
        steps.assign(value=[words.quantity(speed, "byte_per_s") for speed in steps["io_needed_byte_per_s"]])
    ).encode(
        alt.Y("step:N", sort=list(steps["step"]), axis=_lines_axis()),
        marks.x("io_needed_byte_per_s", "Drive speed needed", log=True, domain=domain, values=[1e8, 1e10, 1e12]),
    )
    tip = marks.tooltip("storage_byte_per_token", "io_needed_byte_per_s", "token_per_s", "source_id")
    need, far = "datum.io_needed_byte_per_s", 10 * fastest_byte_per_s
    places: dict[str, dict[str, Any]] = {
        f"{need} > {far}": {"dy": 17},
        f"{need} <= {far} && {need} > {fastest_byte_per_s}": {"align": "left", "dx": 10},
        f"{need} <= {fastest_byte_per_s}": {"align": "right", "dx": -10},
    }
    texts = base.encode(alt.Text("value:N"))
    return alt.layer(
        marks.limit(fastest_byte_per_s, "Fastest drive", column="io_needed_byte_per_s"),
        base.mark_point(size=110, filled=True, color=theme.PRIMARY, opacity=1).encode(tooltip=tip),
        *[texts.transform_filter(where).mark_text(fontWeight=BOLD, **place) for where, place in places.items()],
    )
