"""The explorer of the landing page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts import domains, expressions, marks, theme
from analysis.equations import elementary

ANY = "all"
FIRST, ARTICLE_PHONE = "iPhone 14", "iphone-14"
"""The device the readout opens with: the article's."""
BELOW_BYTE = 3e9
"""Where it says that memory runs out first: in the empty corner, between the lines of 3 and 8 billion parameters."""
AT_MOST = 1.0
"""The share the picture opens with: the full bandwidth, a bound."""
HELD, NEEDED = "held_{}_param", "needed_{}_byte"
"""Columns of the largest model that memory holds in a format, and of the memory that a size of a model needs in it."""


def bandwidth_limit(formats: dict[str, float], share: str = "bandwidth_share") -> str:
    """The equation of the largest model, as the browser computes it; ``formats`` are bytes per parameter by id."""
    return expressions.largest_by_bandwidth(**_given(formats, share))


def bandwidth_needed(formats: dict[str, float], share: str = "bandwidth_share") -> str:
    """The same equation the other way round: the bandwidth that a size needs."""
    return expressions.needed_bandwidth(**_given(formats, share))


def _given(formats: dict[str, float], share: str) -> dict[str, str]:
    byte = f"{{{', '.join(f'{name!r}: {value!r}' for name, value in formats.items())}}}[number_format]"
    return {
        "bandwidth_share": share, "reading_speed": "reading_speed", "tokens": "token_per_word", "byte_per_param": byte,
    }  # fmt: skip


def _held(formats: dict[str, float], column: str = HELD) -> str:
    """What memory holds in the chosen format: computed with its cache before, for every format."""
    columns = ", ".join(f"'{name}': datum.{column.format(name.replace('-', '_'))}" for name in formats)
    return f"{{{columns}}}[number_format]"


def _needed(formats: dict[str, float]) -> str:
    """What a size of a model needs of the memory in the chosen format."""
    return _held(formats, NEEDED)


def explorer(
    devices: pd.DataFrame,
    sizes: pd.DataFrame,
    *,
    reading_speed_word_per_min: float,
    token_per_word: float,
    bandwidth_share: float,
    formats: pd.DataFrame,
    number_format: str,
) -> alt.LayerChart:
    """A map of devices by bandwidth and memory, and the corner from which on each size of a model runs at reading speed.

    Sliders and menus move the corners in the browser.  ``bandwidth_share`` is the article's: its corners lie on the dotted line.
    ``formats`` has ``format_id``, ``format`` and ``byte_per_param``.
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
    frame = _Frame(devices, sizes, byte)
    return marks.layered(
        *frame.corners(),
        frame.line("bandwidth_share", [5, 4]),
        frame.line(repr(bandwidth_share), [1, 3]),
        *frame.regions(),
        frame.points(),
        frame.article(),
        frame.chosen(),
        *frame.names(),
        frame.readout(),
        params=controls,
    )


def _slider(name: str, label: str, value: float, low: float, high: float, step: float) -> alt.Parameter:
    return alt.param(name=name, value=value, bind=alt.binding_range(min=low, max=high, step=step, name=label))


def _menu(name: str, label: str, value: Any, options: list[Any], names: list[str]) -> alt.Parameter:
    return alt.param(name=name, value=value, bind=alt.binding_select(options=options, labels=names, name=label))


class Place(NamedTuple):
    """Where a name stands from the middle of its point, in pixels."""

    align: str
    dx: int
    dy: int


PLACES = [
    *(Place("center", 0, dy) for dy in (-13, 14)), *(Place(align, dx, 0) for align, dx in (("right", -11), ("left", 11))),
    *(Place(align, dx, dy) for dy in (-13, 14, -20, 21, -28, 29) for align, dx in (("right", 0), ("left", 0), ("right", -9), ("left", 9))),
    *(Place("center", 0, dy) for dy in (-20, 21, -28, 29, -36, 37)),
]  # fmt: skip
"""Places of a name, the nearest first."""
SHOWN_PIXEL = ((650.0, 450.0), (290.0, 480.0))
"""The room inside the axes at the width of a laptop, and of a phone."""
LETTER, LINE, POINT, RING = 6.6, 7.0, 6.0, 12.0
"""Pixels: width of a letter, half the height of a name, of a point, and of the ring around the device picked first."""


def beside(devices: pd.DataFrame, ends: Ends) -> list[Place]:
    """The place of each name of ``devices``: the first at which it covers the fewest points, and no other name, wherever it is shown."""
    rooms = [_middles(devices, ends, room) for room in SHOWN_PIXEL]
    half = np.where(devices["device_id"] == ARTICLE_PHONE, RING, POINT)
    taken = [[(x - r, x + r, y - r, y + r) for (x, y), r in zip(room, half, strict=True)] for room in rooms]
    for room, (width, height) in zip(taken, SHOWN_PIXEL, strict=True):
        room.extend(
            [(-np.inf, 0.0, 0.0, height), (width, np.inf, 0.0, height)] * len(devices)
        )  # no name leaves the picture
    found = []
    for label, *middles in zip(devices["label"], *rooms, strict=True):
        if label:
            boxes = [[_box(middle, label, place) for middle in middles] for place in PLACES]
            met = [
                sum(_meets(box, other) for box, room in zip(each, taken, strict=True) for other in room)
                for each in boxes
            ]
            best = int(np.argmin(met))
            found.append(PLACES[best])
            for box, room in zip(boxes[best], taken, strict=True):
                room.extend([box] * len(devices))
    return found


Box = tuple[float, float, float, float]
Ends = tuple[tuple[float, float], tuple[float, float]]


def _middles(devices: pd.DataFrame, ends: Ends, room: tuple[float, float]) -> list[tuple[float, float]]:
    """Where the points lie in a room, in pixels from its lower left corner; at a tenth, which is the same on every processor."""
    columns = ("memory_bandwidth_byte_per_s", "usable_byte")
    across, up = (
        np.round(size * elementary.log(devices[column].clip(lower=low) / low) / elementary.log(high / low), 1)
        for size, column, (low, high) in zip(room, columns, ends, strict=True)
    )
    return list(zip(across, up, strict=True))


def _box(middle: tuple[float, float], label: str, place: Place) -> Box:
    width = LETTER * len(label)
    left = middle[0] + place.dx - width * {"left": 0.0, "center": 0.5, "right": 1.0}[place.align]
    return left, left + width, middle[1] - place.dy - LINE, middle[1] - place.dy + LINE


def _meets(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _present(devices: pd.DataFrame) -> list[str]:
    return [name for name in theme.CLASSES if name in set(devices["device_class"])]


@dataclass(frozen=True)
class _Frame:
    """What the layers share: the devices, the sizes of models, and the bytes per parameter of each format by its id."""

    devices: pd.DataFrame
    sizes: pd.DataFrame
    formats: dict[str, float]

    @property
    def ends(self) -> Ends:
        """The bandwidths and the amounts of memory between which the picture lies."""
        across = domains.covering((10e9, 3e12), self.devices["memory_bandwidth_byte_per_s"])
        return across, domains.covering((1e9, 200e9), self.devices["usable_byte"])

    def at(self, frame: alt.Chart) -> alt.Chart:
        """Marks of devices in their places."""
        across, up = self.ends
        tips = [
            alt.Tooltip("name:N", title="Device"),
            alt.Tooltip("largest_param:Q", title="At most (parameters)", format=".3~s"),
            alt.Tooltip("binding:N", title="What binds"),
            alt.Tooltip("by_bandwidth_param:Q", title="By bandwidth", format=".3~s"),
            alt.Tooltip("by_capacity_param:Q", title="By memory", format=".3~s"),
            alt.Tooltip("memory_bandwidth_byte_per_s:Q", title="Bandwidth (B/s)", format=".3~s"),
        ]
        ticks = [1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 64e9, 128e9, 256e9, 512e9]
        return frame.encode(
            marks.x("memory_bandwidth_byte_per_s", "Memory bandwidth", log=True, domain=across,
                    values=[10e9, 30e9, 100e9, 300e9, 1e12, 3e12]),
            alt.Y("usable_byte:Q", scale=marks.scale(log=True, domain=up),
                  axis=marks.axis("usable_byte", "Memory that one program may take", values=ticks, grid=False)),
            tooltip=tips,
        )  # fmt: skip

    def computed(self, devices: pd.DataFrame | None = None) -> alt.Chart:
        """Devices with their largest model, as the browser computes it, and what binds."""
        columns = ["name", "device_class", "memory_bandwidth_byte_per_s", "usable_byte", "label"]
        held = [HELD.format(name.replace("-", "_")) for name in self.formats]
        table = (self.devices if devices is None else devices)[[*columns, *held]]
        return (
            alt.Chart(table)
            .transform_calculate(
                by_bandwidth_param=bandwidth_limit(self.formats), by_capacity_param=_held(self.formats)
            )
            .transform_calculate(
                largest_param="min(datum.by_bandwidth_param, datum.by_capacity_param)",
                binding="datum.by_bandwidth_param <= datum.by_capacity_param ? 'bandwidth' : 'memory'",
            )
            .transform_filter("datum.largest_param > 0")
        )

    def needing(self, share: str = "bandwidth_share") -> alt.Chart:
        """Sizes of models with the bandwidth and the memory that each needs."""
        across, up = self.ends
        ends = {"last_byte_per_s": repr(across[1]), "first_byte": repr(up[0]), "last_byte": repr(up[1])}
        return alt.Chart(self.sizes).transform_calculate(
            memory_bandwidth_byte_per_s=bandwidth_needed(self.formats, share), usable_byte=_needed(self.formats), **ends
        )

    def corners(self) -> tuple[alt.Chart, alt.Chart, alt.Chart]:
        """From a corner to the right and upwards: there, one size of a model runs; its name stands at the right."""
        x, y = alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("usable_byte:Q")
        base = self.needing().transform_filter("datum.size != '' && datum.usable_byte >= datum.first_byte")
        line = base.mark_rule(color=theme.MUTED, strokeWidth=1, opacity=0.6, clip=True)
        name = base.mark_text(align="right", baseline="bottom", dy=-2, color=theme.MUTED, fontWeight=600)
        named = name.transform_filter("datum.memory_bandwidth_byte_per_s < datum.last_byte_per_s")
        return (
            line.encode(x, y, alt.X2("last_byte_per_s:Q")),
            line.encode(x, y, alt.Y2("last_byte:Q")),
            named.encode(alt.XValue("width"), y, alt.Text("size:N")),
        )

    def line(self, share: str, dash: list[int]) -> alt.Chart:
        """Where bandwidth and memory run out together: dashed for the chosen share, dotted for the article's."""
        mark = self.needing(share).mark_line(strokeDash=dash, color=theme.MUTED, strokeWidth=1.5, clip=True)
        return mark.encode(
            alt.X("memory_bandwidth_byte_per_s:Q"), alt.Y("usable_byte:Q"), order=alt.Order("model_param:Q")
        )

    def regions(self) -> tuple[alt.Chart, alt.Chart]:
        """On which side of the line which of the two runs out first."""
        said = alt.Chart(pd.DataFrame({"above": ["bandwidth runs out first"], "below": ["memory runs out first"]}))
        return (
            said.mark_text(align="left", baseline="top", fontStyle="italic", color=theme.MUTED).encode(
                alt.XValue(8), alt.YValue(8), alt.Text("above:N")
            ),
            said.mark_text(align="right", baseline="middle", fontStyle="italic", color=theme.MUTED).encode(
                alt.XValue("width"), alt.YDatum(BELOW_BYTE), alt.Text("below:N")
            ),
        )

    def points(self) -> alt.Chart:
        """Every device but the article's."""
        present = _present(self.devices)
        chosen = f"device_class == '{ANY}' || datum.device_class == device_class"
        others = self.computed(self.devices[self.devices["device_id"] != ARTICLE_PHONE])
        return self.at(others.mark_point(filled=False, size=60, strokeWidth=2)).encode(
            color=marks.colour("device_class", theme.CLASSES, present),
            shape=marks.shape("device_class", theme.CLASS_SHAPES, present),
            opacity=alt.condition(chosen, alt.value(0.95), alt.value(0.12)),
        )

    def article(self) -> alt.Chart:
        """The article's phone."""
        own = self.computed(self.devices[self.devices["device_id"] == ARTICLE_PHONE])
        return self.at(own.mark_point(shape=theme.ACCENT_SHAPE, size=190, filled=True, color=theme.ACCENT, opacity=1))

    def chosen(self) -> alt.Chart:
        """A ring around the device picked in the menu."""
        picked = self.computed().transform_filter("datum.name == device")
        return self.at(picked.mark_point(filled=False, size=420, strokeWidth=2, color=theme.MUTED))

    def names(self) -> list[alt.Chart]:
        """Names of a few devices beside their points, each where it covers the fewest others."""
        named = self.devices[self.devices["label"] != ""]
        places = beside(self.devices, self.ends)
        return [
            self.at(
                self.computed(named[[place == one for one in places]]).mark_text(
                    align=place.align, dx=place.dx, dy=place.dy, baseline="middle"
                )
            ).encode(alt.Text("label:N"))
            for place in dict.fromkeys(places)
        ]

    def readout(self) -> alt.Chart:
        """What the picked device can do, and which of the two limits binds, in words in the empty corner."""
        billions = "format(datum.{} / 1e9, '.3~r') + ' B'"
        lines = [
            "datum.name",
            f"'at most ' + {billions.format('largest_param')} + ' parameters, ' + datum.binding + ' binds'",
            f"'by bandwidth ' + {billions.format('by_bandwidth_param')} + ', by memory ' + {billions.format('by_capacity_param')}",
        ]
        said = " + '|' + ".join(lines)
        text = self.computed().transform_filter("datum.name == device").transform_calculate(said=said)
        mark = text.mark_text(align="right", baseline="bottom", lineBreak="|", lineHeight=15, fontWeight=600)
        return mark.encode(alt.XValue("width"), alt.YValue(alt.expr("height - 34")), alt.Text("said:N"))
