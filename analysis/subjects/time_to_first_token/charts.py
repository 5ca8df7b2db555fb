"""Charts of the chapter on waiting: each draws the table of the same name."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis import ranking
from analysis.charts import marks, theme

PARTS = {"prompt": "#9a7b12", "answer": theme.PRIMARY}
"""What computing sets and what reading memory sets, in the colours of the chapter on servers."""
LIMITS = {"memory": "#7a6fc9", "speed": theme.PRIMARY, "first token": "#9a7b12"}
LIMIT_SHAPES = {"memory": "square", "speed": "circle", "first token": "triangle-up"}
PROMPTS = {"all new": theme.MUTED, "beginning reused": theme.PRIMARY}
PROMPT_SHAPES = {"all new": "circle", "beginning reused": "square"}
TITLES = {
    "name": "Device", "part": "Part", "start_s": "From", "end_s": "Until", "prompt_token": "Prompt", "rate_token_per_s": "Prompt read",
    "first_token_s": "First token, expected", "least_s": "At least", "turn_s": "Turn, expected", "answer_s": "Answer, expected",
    "prompt": "Prompt", "energy_j_per_token": "Energy", "read_byte_per_token": "Read", "batch_size": "Sequences", "model": "Model",
    "scope": "Measured at the", "limit": "Limit", "agent_count": "Agents, expected", "most_count": "Agents, at most", "device": "Device",
}  # fmt: skip
BOLD = 600
PICO = 1e-12
SECONDS = {0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 60.0: "1 min", 600.0: "10 min"}
"""Ticks of a logarithmic axis of times, and how they read."""


def _tips(*columns: str) -> list[alt.Tooltip]:
    return marks.tooltip(*columns, titles=TITLES)


def _ends(low: pd.Series[float], high: pd.Series[float], least: float, most: float) -> tuple[float, float]:
    """The ends of an axis a little beyond the numbers that are there; two of our own where there are none."""
    there = low[low > 0].dropna(), high[high > 0].dropna()
    return (there[0].min() / 1.5, there[1].max() * 1.6) if all(map(len, there)) else (least, most)


def _names(names: list[str]) -> alt.Y:
    return alt.Y("name:N", sort=names, axis=marks.names_axis(12, "datum.value", ticks=False, grid=False))


STEPS_S = tuple(step * 10.0**power for power in range(-3, 7) for step in (1, 2, 5))


def one_turn(parts: pd.DataFrame) -> alt.LayerChart:
    """Draw a turn as a time line, to scale: the prompt, the first token, the answer."""
    names = list(dict.fromkeys(parts["name"]))
    last = _ends(parts["end_s"], parts["end_s"] / 1.6, 1.0, 10.0)[1]
    step = next(step for step in STEPS_S if last / step <= 5)
    base = alt.Chart(parts).encode(_names(names))
    bars = base.mark_bar(height={"band": 0.5}).encode(
        marks.x(
            "start_s", "Time since the prompt was sent", domain=(0, last * 1.16), values=[n * step for n in range(8)]
        ),
        alt.X2("end_s:Q"),
        marks.colour("part", PARTS, list(parts["part"])),
        tooltip=_tips("name", "part", "start_s", "end_s"),
    )
    answer = base.transform_filter("datum.part === 'answer'")
    total = answer.transform_calculate(said="format(datum.end_s, '.2~r') + ' s'").encode(
        alt.X("end_s:Q"), alt.Text("said:N")
    )
    first = answer.mark_point(shape="triangle-down", size=90, yOffset=-28, color=theme.MUTED).encode(alt.X("start_s:Q"))
    return alt.layer(bars, first, total.mark_text(align="left", dx=7, fontWeight=BOLD))


def prefill_roof(table: pd.DataFrame) -> alt.LayerChart:
    """Draw the most tokens of a prompt that a device reads a second, where its roof bends, and what was measured."""
    lines, ridges, found = (table[table["role"] == role] for role in ("line", "ridge", "measured"))
    ends = (1.0, float(lines["prompt_token"].max()))
    rates = (lines["rate_token_per_s"].min() / 1.6, lines["rate_token_per_s"].max() * 2.2)
    present = list(table["device_class"])
    axes = (
        marks.x("prompt_token", "Tokens of the prompt", log=True, domain=ends, values=[1, 10, 100, 1000, 10000]),
        marks.y("rate_token_per_s", "Tokens of the prompt read a second", log=True, domain=rates, values=[10, 100, 1e3, 1e4, 1e5]),
        marks.colour("device_class", theme.CLASSES, present, legend=False),
    )  # fmt: skip
    tip = _tips("name", "prompt_token", "rate_token_per_s")
    bend, points, last = (
        alt.Chart(rows).encode(*axes, tooltip=tip)
        for rows in (ridges, found, lines[lines["prompt_token"] == lines["prompt_token"].max()])
    )
    return alt.layer(
        alt.Chart(lines).encode(*axes, alt.Detail("device_id:N")).mark_line(strokeDash=[5, 4], clip=True),
        bend.mark_point(shape="diamond", filled=False, size=90, strokeWidth=1.8, opacity=1),
        points.mark_point(filled=True, size=60, opacity=1),
        last.mark_text(align="right", dx=-4, dy=-10, fontWeight=BOLD).encode(alt.Text("name:N")),
    )


def first_token(table: pd.DataFrame, *, target_s: float) -> alt.LayerChart:
    """Draw the time to the first token over the length of the prompt: expected with its interval, the least, and the target."""
    shortest, longest = table["prompt_token"].min(), table["prompt_token"].max()
    times = (0.003, max(600.0, table["first_token_s_high"].fillna(0).max()))
    colour = marks.colour("device_class", theme.CLASSES, list(table["device_class"]), legend=False)
    x = marks.x(
        "prompt_token", "Tokens of the prompt", log=True, domain=(shortest / NAMES_RATIO, longest * 1.1), values=[128, 1024, 8192, 131072]
    )  # fmt: skip
    base = alt.Chart(table).encode(x, colour, alt.Detail("device_id:N"))
    low = alt.Y("first_token_s_low:Q", scale=marks.scale(True, times))
    named = table[(table["prompt_token"] == shortest) & table["first_token_s"].notna()]
    starts = alt.Chart(_apart(named)).encode(alt.X("prompt_token:Q"), alt.Y("name_s:Q"), alt.Text("name:N"), colour)
    y = _time_axis("first_token_s", "Time to the first token", times)
    line = base.encode(y, tooltip=_tips("name", "prompt_token", "first_token_s", "least_s"))
    return alt.layer(
        base.mark_area(opacity=0.16, clip=True).encode(low, alt.Y2("first_token_s_high:Q")),
        line.mark_line(clip=True),
        base.mark_line(strokeDash=[2, 3], strokeWidth=1.2, clip=True).encode(alt.Y("least_s:Q")),
        line.mark_point(size=22, filled=True, opacity=1),
        marks.limit(target_s, f"Asked for: {target_s:g} s", column="first_token_s", along="y"),
        starts.mark_text(align="right", dx=-7, fontWeight=BOLD),
    )


NAMES_RATIO = 60.0
"""Room for names left of the shortest prompt, on a logarithmic axis."""
APART_RATIO = 1.8
"""How far names lie apart, at least, on a logarithmic axis."""


def _apart(named: pd.DataFrame) -> pd.DataFrame:
    """Place each name at its time, or above the name below it where both would touch."""
    named = ranking.by(named, "first_token_s", "device_id")
    places: list[float] = []
    for time in named["first_token_s"]:
        places.append(max(time, places[-1] * APART_RATIO) if places else time)
    return named.assign(name_s=places)


def _time_axis(column: str, title: str, ends: tuple[float, float]) -> alt.Y:
    ticks = [value for value in SECONDS if ends[0] <= value <= ends[1]]
    return marks.y(column, title, log=True, domain=ends, values=ticks)


def turn_time(table: pd.DataFrame) -> alt.LayerChart:
    """Draw the time of a turn by device, with all of the prompt new and with its beginning reused: intervals, and the least."""
    names, kinds = list(dict.fromkeys(table["name"])), list(dict.fromkeys(table["prompt"]))
    ends = _ends(table["least_s"], table["turn_s_high"], 1.0, 100.0)
    base = alt.Chart(table).encode(
        _names(names), marks.colour("prompt", PROMPTS, kinds), alt.YOffset("prompt:N", sort=kinds, scale=alt.Scale(paddingOuter=0.6)),
        tooltip=_tips("name", "prompt", "turn_s", "first_token_s", "answer_s", "least_s"),
    )  # fmt: skip
    x = marks.x(
        "turn_s",
        "Time of the turn",
        log=True,
        domain=ends,
        values=[v for v in (1, 2, 5, 10, 20, 60, 120, 300) if ends[0] <= v <= ends[1]],
    )
    label = base.transform_calculate(said="format(datum.turn_s, '.2r') + ' s'").encode(
        alt.X("turn_s_high:Q"), alt.Text("said:N")
    )
    return alt.layer(
        base.mark_rule(strokeWidth=3, opacity=0.35).encode(
            alt.X("turn_s_low:Q", scale=marks.scale(True, ends)), alt.X2("turn_s_high:Q")
        ),
        base.mark_point(shape="stroke", angle=90, size=120, strokeWidth=2, filled=False).encode(alt.X("least_s:Q")),
        base.mark_point(filled=True, size=70, opacity=1).encode(x, marks.shape("prompt", PROMPT_SHAPES, kinds)),
        label.mark_text(align="left", dx=6),
    )


LINES_PJ = (10, 100)
"""Energies of a bit for which a line is drawn, in picojoules."""


def token_energy(table: pd.DataFrame) -> alt.LayerChart:
    """Draw the measured energy of a token over what it reads, with lines of equal energy for a bit."""
    reads = (table["read_byte_per_token"].min() / 1.4, table["read_byte_per_token"].max() * 1.6)
    joules = (table["energy_j_per_token"].min() / 1.5, table["energy_j_per_token"].max() * 1.8)
    present = list(table["device_class"])
    axes = (
        alt.X("read_byte_per_token:Q", scale=marks.scale(True, reads),
              axis=marks.axis("read_byte", "Read for a token", values=[1e8, 1e9, 1e10, 1e11])),
        alt.Y("energy_j_per_token:Q", scale=marks.scale(True, joules),
              axis=marks.axis("energy_j", "Energy of a token", values=[0.01, 0.1, 1, 10])),
    )  # fmt: skip
    base = alt.Chart(table).encode(*axes)
    tip = _tips("device", "model", "batch_size", "scope", "read_byte_per_token", "energy_j_per_token")
    points = base.encode(
        marks.colour("device_class", theme.CLASSES, present),
        marks.shape("device_class", theme.CLASS_SHAPES, present),
        tooltip=tip,
    )
    return alt.layer(
        *_lines(reads, joules),
        points.transform_filter("datum.batch_size > 1").mark_point(
            filled=False, size=26, strokeWidth=1.2, opacity=0.75
        ),
        points.transform_filter("datum.batch_size <= 1").mark_point(filled=True, size=70, opacity=1),
        *_named(table),
    )


def _lines(reads: tuple[float, float], joules: tuple[float, float]) -> list[alt.Chart]:
    """Lines of equal energy for a bit, named at their lower ends."""
    low = joules[0] * 1.12
    slopes = {f"{pj} pJ": 8 * pj * PICO for pj in LINES_PJ}
    rows = [(said, read, read * slope) for said, slope in slopes.items() for read in (low / slope, reads[1])]
    columns = ["said", "read_byte_per_token", "energy_j_per_token"]
    places = [alt.X("read_byte_per_token:Q"), alt.Y("energy_j_per_token:Q")]
    lines = alt.Chart(pd.DataFrame(rows, columns=columns)).encode(*places, alt.Detail("said:N"))
    names = pd.DataFrame([row for row in rows if row[1] < reads[1]], columns=columns)
    text = alt.Chart(names).encode(*places, alt.Text("said:N"))
    return [
        lines.mark_line(strokeDash=[4, 4], strokeWidth=1.2, color=theme.MUTED, clip=True),
        text.mark_text(align="left", dx=9, dy=-2, color=theme.MUTED),
    ]


NAMED = {"iPhone 17 Pro": (10, 5), "Framework 13 (Ryzen AI 5 340)": (-10, -4), "H100": (10, 12)}
"""Devices that are named in the plot, and where beside the token for which each reads most, of one sequence."""


def _named(table: pd.DataFrame) -> list[alt.Chart]:
    alone = table[(table["batch_size"] == 1) & table["device"].isin(NAMED)]
    dearest = ranking.by(alone, "device", "read_byte_per_token", "measurement_id").drop_duplicates(
        "device", keep="last"
    )
    return [
        alt.Chart(dearest[dearest["device"] == device])
        .mark_text(align="left" if dx > 0 else "right", dx=dx, dy=dy)
        .encode(alt.X("read_byte_per_token:Q"), alt.Y("energy_j_per_token:Q"), alt.Text("device:N"))
        for device, (dx, dy) in NAMED.items()
    ]


def agents(table: pd.DataFrame) -> alt.LayerChart:
    """Draw how many agents each limit allows on each device, expected with its interval and at most; the least one binds."""
    names, kinds = list(dict.fromkeys(table["name"])), list(dict.fromkeys(table["limit"]))
    shown = table[table["agent_count_low"] > 0]
    least, most = _ends(shown["agent_count_low"], shown["most_count"], 0.1, 10.0)
    ends = (min(least, 0.1), max(most, 10.0))
    base = alt.Chart(shown).encode(
        _names(names), marks.colour("limit", LIMITS, kinds), alt.YOffset("limit:N", sort=kinds, scale=alt.Scale(paddingOuter=0.5)),
        tooltip=_tips("name", "limit", "agent_count", "most_count"),
    )  # fmt: skip
    x = marks.x(
        "agent_count",
        "Agents at once",
        log=True,
        domain=ends,
        values=[v for v in (0.01, 0.1, 1, 10, 100, 1000) if ends[0] <= v <= ends[1]],
    )
    shade: Any = alt.Chart(pd.DataFrame({"agent_count": [ends[0]], "one": [1.0]})).mark_rect(
        color=theme.FORBIDDEN, opacity=theme.SHADE
    )
    return alt.layer(
        shade.encode(alt.X("agent_count:Q"), alt.X2("one:Q")),
        base.mark_rule(strokeWidth=3, opacity=0.35).encode(
            alt.X("agent_count_low:Q", scale=marks.scale(True, ends)), alt.X2("agent_count_high:Q")
        ),
        base.mark_point(shape="stroke", angle=90, size=110, strokeWidth=2, filled=False).encode(alt.X("most_count:Q")),
        base.mark_point(filled=True, size=60, opacity=1).encode(x, marks.shape("limit", LIMIT_SHAPES, kinds)),
        marks.limit(1.0, "one agent", column="agent_count", align="right", dx=-5),
    )
