"""The explorer of the landing page."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.charts import domains, expressions, marks, theme

ANY = "all"
FIRST = "iPhone 14"
"""The device the readout opens with: the article's."""
AT_MOST = 1.0
"""The share the picture opens with: the full bandwidth, a bound."""
HELD = "held_{}_param"
"""Column of the largest model that memory holds in a format."""


def bandwidth_limit(formats: dict[str, float], share: str = "bandwidth_share") -> str:
    """The equation of the largest model, as the browser computes it; ``formats`` are bytes per parameter by id."""
    byte = f"{{{', '.join(f'{name!r}: {value!r}' for name, value in formats.items())}}}[number_format]"
    return expressions.largest_by_bandwidth(
        bandwidth_share=share, reading_speed="reading_speed", tokens="token_per_word", byte_per_param=byte
    )


def _held(formats: dict[str, float]) -> str:
    """What memory holds in the chosen format: computed with its cache before, for every format."""
    columns = ", ".join(f"'{name}': datum.{HELD.format(name.replace('-', '_'))}" for name in formats)
    return f"{{{columns}}}[number_format]"


def explorer(
    devices: pd.DataFrame,
    *,
    reading_speed_word_per_min: float,
    token_per_word: float,
    bandwidth_share: float,
    formats: pd.DataFrame,
    number_format: str,
) -> alt.LayerChart:
    """Every device on its bandwidth, with its largest model; sliders and menus recompute it in the browser.

    ``bandwidth_share`` is the article's: its line is drawn dotted below that of the full bandwidth.  ``formats`` has
    ``format_id``, ``format`` and ``byte_per_param``.
    """
    names = sorted(devices["name"])
    byte = dict(zip(formats["format_id"], formats["byte_per_param"], strict=True))
    controls = [
        _menu("number_format", "Number format ", number_format, list(byte), list(formats["format"])),
        _slider("reading_speed", "Words per minute ", reading_speed_word_per_min, 50, 1000, 10),
        _slider("token_per_word", "Tokens per word ", token_per_word, 1, 4, 0.1),
        _slider("bandwidth_share", "Share of bandwidth ", AT_MOST, 0.1, 1, 0.05),
        _menu("device_class", "Class ", ANY, [ANY, *_present(devices)], ["all classes", *_present(devices)]),
        _menu("device", "Device ", FIRST, names, names),
    ]
    return marks.layered(
        _limit_line(devices, bandwidth_limit(byte), [5, 4]),
        _limit_line(devices, bandwidth_limit(byte, repr(bandwidth_share)), [1, 3]),
        _lost(devices, byte),
        _points(devices, byte),
        _article(devices, byte, bandwidth_share),
        _chosen(devices, byte),
        *_names(devices, byte),
        _readout(devices, byte),
        params=controls,
    )


def _slider(name: str, label: str, value: float, low: float, high: float, step: float) -> alt.Parameter:
    return alt.param(name=name, value=value, bind=alt.binding_range(min=low, max=high, step=step, name=label))


def _menu(name: str, label: str, value: Any, options: list[Any], names: list[str]) -> alt.Parameter:
    return alt.param(name=name, value=value, bind=alt.binding_select(options=options, labels=names, name=label))


def _present(devices: pd.DataFrame) -> list[str]:
    return [name for name in theme.CLASSES if name in set(devices["device_class"])]


def _computed(devices: pd.DataFrame, formats: dict[str, float], share: str = "bandwidth_share") -> alt.Chart:
    columns = ["name", "device_class", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "label", "is_article"]
    held = [HELD.format(name.replace("-", "_")) for name in formats]
    return (
        alt.Chart(devices[[*columns, *held]])
        .transform_calculate(by_bandwidth_param=bandwidth_limit(formats, share), by_capacity_param=_held(formats))
        .transform_calculate(
            largest_param="min(datum.by_bandwidth_param, datum.by_capacity_param)",
            binding="datum.by_bandwidth_param <= datum.by_capacity_param ? 'bandwidth' : 'memory'",
        )
        .transform_filter("datum.largest_param > 0")
    )


def _ends(devices: pd.DataFrame) -> tuple[float, float]:
    """The bandwidths between which the picture lies."""
    return domains.covering((10e9, 3e12), devices["memory_bandwidth_byte_per_s"])


def _axes(devices: pd.DataFrame) -> dict[str, object]:
    across = marks.x(
        "memory_bandwidth_byte_per_s",
        "Memory bandwidth",
        log=True,
        domain=_ends(devices),
        values=[10e9, 30e9, 100e9, 300e9, 1e12, 3e12],
    )
    up = marks.y(
        "largest_param", "Largest model, parameters", log=True, domain=domains.covering([0.1e9, 500e9], devices["largest_param"]),
        values=[0.1e9, 0.3e9, 1e9, 3e9, 7e9, 30e9, 70e9, 200e9],
    )  # fmt: skip
    return {"x": across, "y": up}


def _points(devices: pd.DataFrame, formats: dict[str, float]) -> alt.Chart:
    present = _present(devices)
    chosen = f"device_class == '{ANY}' || datum.device_class == device_class"
    tips = [
        alt.Tooltip("name:N", title="Device"),
        alt.Tooltip("largest_param:Q", title="At most (parameters)", format=".3~s"),
        alt.Tooltip("binding:N", title="What binds"),
        alt.Tooltip("by_bandwidth_param:Q", title="By bandwidth", format=".3~s"),
        alt.Tooltip("by_capacity_param:Q", title="By memory", format=".3~s"),
        alt.Tooltip("memory_bandwidth_byte_per_s:Q", title="Bandwidth (B/s)", format=".3~s"),
    ]
    return (
        _computed(devices, formats)
        .mark_point(filled=False, size=60, strokeWidth=2)
        .encode(
            **_axes(devices),
            color=marks.colour("device_class", theme.CLASSES, present),
            shape=marks.shape("device_class", theme.CLASS_SHAPES, present),
            opacity=alt.condition(chosen, alt.value(0.95), alt.value(0.12)),
            tooltip=tips,
        )
    )


def _lost(devices: pd.DataFrame, formats: dict[str, float]) -> alt.Chart:
    """A thin line from what the bandwidth would allow down to what the memory holds."""
    return (
        _computed(devices, formats)
        .transform_filter("datum.binding == 'memory'")
        .mark_rule(strokeWidth=1, opacity=0.35)
        .encode(alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("largest_param:Q"), alt.Y2("by_bandwidth_param:Q"))
    )


def _limit_line(devices: pd.DataFrame, limit: str, dash: list[int]) -> alt.Chart:
    """What a bandwidth allows: dashed for the chosen share, dotted for the article's."""
    ends = pd.DataFrame({"memory_bandwidth_byte_per_s": list(_ends(devices))})
    line = alt.Chart(ends).transform_calculate(largest_param=limit)
    mark = line.mark_line(strokeDash=dash, color=theme.MUTED, strokeWidth=1.5, clip=True)
    return mark.encode(alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("largest_param:Q"))


def _article(devices: pd.DataFrame, formats: dict[str, float], bandwidth_share: float) -> alt.Chart:
    """The article's phone with the article's share of the bandwidth."""
    own = _computed(devices[devices["device_id"] == "iphone-14"], formats, repr(bandwidth_share))
    star = own.mark_point(shape=theme.ACCENT_SHAPE, size=190, filled=True, color=theme.ACCENT, opacity=1)
    return star.encode(alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("largest_param:Q"))


def _chosen(devices: pd.DataFrame, formats: dict[str, float]) -> alt.Chart:
    """A ring around the device picked in the menu."""
    ring = (
        _computed(devices, formats)
        .transform_filter("datum.name == device")
        .mark_point(filled=False, size=420, strokeWidth=2, color=theme.MUTED)
    )
    return ring.encode(alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("largest_param:Q"))


def _readout(devices: pd.DataFrame, formats: dict[str, float]) -> alt.Chart:
    """What the picked device can do, and which of the two limits binds, in words in the empty corner."""
    billions = "format(datum.{} / 1e9, '.3~r') + ' B'"
    lines = [
        "datum.name",
        f"'at most ' + {billions.format('largest_param')} + ' parameters, ' + datum.binding + ' binds'",
        f"'by bandwidth ' + {billions.format('by_bandwidth_param')} + ', by memory ' + {billions.format('by_capacity_param')}",
    ]
    said = " + '|' + ".join(lines)
    text = _computed(devices, formats).transform_filter("datum.name == device").transform_calculate(said=said)
    mark = text.mark_text(align="right", baseline="bottom", lineBreak="|", lineHeight=18, fontWeight=600)
    return mark.encode(alt.XValue("width"), alt.YValue(alt.expr("height - 58")), alt.Text("said:N"))


def _names(devices: pd.DataFrame, formats: dict[str, float]) -> list[alt.Chart]:
    """Names above the dashed line, or below the points that lie under it."""
    named = _computed(devices[devices["label"] != ""], formats)
    on = named.transform_filter("datum.binding == 'bandwidth'").mark_text(
        align="right", dx=-9, dy=-8, baseline="middle"
    )
    under = named.transform_filter("datum.binding == 'memory'").mark_text(align="center", dy=17, baseline="middle")
    x, y = alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("largest_param:Q")
    return [text.encode(x, y, alt.Text("label:N")) for text in (on, under)]
