"""What is shown is held against what is computed: formulas of the browser, ticks, tooltips, as the renderer itself evaluates them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert

from analysis import figures, tables, units, words
from analysis.charts import expressions, marks
from analysis.claims import statements
from analysis.equations import memory_wall as equations
from analysis.subjects import common
from analysis.subjects.index import charts as index
from analysis.subjects.index import derived
from analysis.subjects.memory_wall import charts as memory_wall
from tests import renderer
from tests.conftest import GIVEN

BANDWIDTHS = (17e9, 34.1e9, 120e9, 1008e9, 8e12)


# -------------------------------------------------------------------------------------------------- formulas of the browser


FORMATS = {"fp16": 2.0, "q8-0": 1.0625, "q4-k-m": 0.6118, "int4": 0.5}


def combinations() -> Iterator[dict[str, float]]:
    names = ("byte_per_param", "bandwidth_share", "reading_speed", "token_per_word")
    for values in itertools.product(FORMATS.values(), (0.1, 0.5, 1.0), (50, 250), (1.33, 2)):
        yield dict(zip(names, values, strict=True))


def largest(bandwidth: list[float], given: dict[str, float]) -> list[float]:
    """The equation of the book."""
    rate = given["reading_speed"] / 60 * given["token_per_word"]
    shared = {"byte_per_param": given["byte_per_param"], "bandwidth_share": given["bandwidth_share"]}
    found = np.asarray(equations.largest_model_param(np.array(bandwidth), token_per_s=rate, **shared))
    return [float(value) for value in found]


@pytest.mark.long
def test_the_landing_page_computes_what_the_equation_computes() -> None:
    rows = [{"memory_bandwidth_byte_per_s": value} for value in BANDWIDTHS]
    names = {byte: name for name, byte in FORMATS.items()}
    for given in combinations():
        menu = {"number_format": names[given["byte_per_param"]]}
        computed = renderer.numbers(index.bandwidth_limit(FORMATS), rows, **(given | menu))
        assert computed == pytest.approx(largest(list(BANDWIDTHS), given)), given


def test_the_figure_of_devices_computes_what_the_equation_computes() -> None:
    for given in combinations():
        rows = [
            {"memory_bandwidth_byte_per_s": value, "byte_per_param": given["byte_per_param"]} for value in BANDWIDTHS
        ]
        sliders = {
            memory_wall.SPEED: given["reading_speed"], memory_wall.TOKENS: given["token_per_word"],
            memory_wall.SHARE: given["bandwidth_share"],
        }  # fmt: skip
        computed = renderer.numbers(memory_wall.BY_BANDWIDTH, rows, **sliders)
        assert computed == pytest.approx(largest(list(BANDWIDTHS), given)), given


@pytest.mark.long
def test_the_landing_page_takes_bytes_and_memory_from_the_data(package: tables.DataPackage) -> None:
    """Of one device: the formats of the menu by their effective bits, and what memory holds in each, solved before."""
    devices = derived.explorer(package, GIVEN)
    formats = common.formats(package, tuple(common.DOWNLOADED.values()))
    sizes = derived.sizes(package, GIVEN)
    chart = index.explorer(
        devices, sizes, reading_speed_word_per_min=250.0, token_per_word=2.0, bandwidth_share=0.5, formats=formats,
        number_format="q4-k-m",
    )  # fmt: skip
    computed = {
        step["as"]: step["calculate"]
        for layer in chart.to_dict()["layer"]
        for step in layer.get("transform", ())
        if "calculate" in step and repr(0.5) not in step["calculate"].partition("]")[2]
    }
    row: dict[str, Any] = {
        str(name): value for name, value in devices[devices["device_id"] == "iphone-14"].iloc[0].items()
    }
    row = {name: value for name, value in row.items() if isinstance(value, (int, float, str))}
    for name in formats["format_id"]:
        [held] = renderer.numbers(computed["by_capacity_param"], [row], number_format=name)
        assert held == pytest.approx(row[derived.held_column(name)])
        given = {"bandwidth_share": 1.0, "reading_speed": 250.0, "token_per_word": 2.0, "number_format": name}
        [read] = renderer.numbers(computed["by_bandwidth_param"], [row], **given)
        bits = package.row("number_formats", name)["effective_bit_per_param"]
        assert read == pytest.approx(34.13e9 / (25 / 3) / (bits / 8), rel=1e-3)
        corners = [{str(key): value for key, value in size.items()} for size in sizes.to_dict("records")]
        across = renderer.numbers(computed["memory_bandwidth_byte_per_s"], corners, **given)
        assert across == pytest.approx([size["model_param"] * (bits / 8) * 25 / 3 for size in corners])
        up = renderer.numbers(computed["usable_byte"], corners, number_format=name)
        assert up == pytest.approx([size[derived.needed_column(name)] for size in corners])


def test_a_device_lies_in_the_corners_of_exactly_the_models_it_runs(package: tables.DataPackage) -> None:
    """The map says what the table of largest models says: by bandwidth and by memory, for every device and size."""
    devices, sizes = derived.explorer(package, GIVEN), derived.sizes(package, GIVEN)
    byte = package.row("number_formats", "q4-k-m")["effective_bit_per_param"] / 8
    for size in sizes.itertuples():
        param = float(str(size.model_param))
        inside = (devices["memory_bandwidth_byte_per_s"] >= param * byte * GIVEN.reading_token_per_s) & (
            devices["usable_byte"] >= float(str(size.needed_q4_k_m_byte))
        )
        assert (inside == (devices["largest_param"] >= param)).all(), size.size


@pytest.mark.parametrize("room", index.SHOWN_PIXEL)
def test_no_name_on_the_map_touches_a_point_or_another_name(
    room: tuple[float, float], package: tables.DataPackage
) -> None:
    frame = index._Frame(derived.drawn(derived.explorer(package, GIVEN)), derived.sizes(package, GIVEN), {})
    named = frame.devices["label"] != ""
    across, up = (
        size * np.log10(frame.devices[column] / low) / math.log10(high / low)
        for size, column, (low, high) in zip(
            room, ("memory_bandwidth_byte_per_s", "usable_byte"), frame.ends, strict=True
        )
    )
    boxes = []
    for place, x, y, label in zip(
        index.beside(frame.devices, frame.ends), across[named], up[named], frame.devices["label"][named], strict=True
    ):
        width = 6.0 * len(label)
        left = x + place.dx - width * {"left": 0, "center": 0.5, "right": 1}[place.align]
        boxes.append((left, left + width, y - place.dy - 6, y - place.dy + 6))
    for at, (left, right, low, high) in enumerate(boxes):
        assert not ((across > left - 5) & (across < right + 5) & (up > low - 5) & (up < high + 5)).any(), at
        assert not [
            other for other in boxes[:at] if other[0] < right and left < other[1] and other[2] < high and low < other[3]
        ]


# --------------------------------------------------------------------------------------------------- the one table of units

SPELLED = sorted(
    {
        found.text
        for name in tables.package().names
        for field in tables.package().resource(name)["schema"]["fields"]
        if (found := units.parse(field["name"]))
    }
    | {row["article_unit"] for row in tables.package().raw("claims").to_dict("records")} - {""}
    | {
        f"{top}_per_{below}"
        for top in (*units.PREFIXED, "j", "pj", "usd", "s", "w")
        for below in ("byte", "token", "s")
    }
    | {
        "j",
        "pj",
        "w",
        "hz",
        "mm2",
        "um2",
        "word_per_min",
        "bit_per_mm2",
        "byte_per_param",
        "flop_per_byte",
        "usd_per_byte",
    }
)
BASES = sorted({found.base for text in SPELLED if (found := units.parse(f"x_{text}")) and found.text == text})
AS_SPELLED = {
    "j",
    "js",
    "pj",
    "pjs",
    "w",
    "ws",
    "b",
    "gb",
    "hz",
    "mm2",
    "um2",
    "usd",
    "usds",
    "flops",
    "gbyte",
    "gbytes",
    "gibyte",
}
"""Units as columns spell them, which no reader knows."""


@pytest.mark.parametrize("unit", SPELLED)
def test_no_unit_is_read_out_as_it_is_spelled_in_a_column(unit: str) -> None:
    for value in (0.35, 1.0, 3.0, 2.5e7):
        said = [statements.shown(value * statements.factor(unit), unit)]
        if statements.factor(unit) == 1.0 and unit != "date":
            said.append(words.quantity(value, unit))
        for text in said:
            assert re.match(r"[$−]?[\d,.]+", text), text
            assert "_" not in text
            spoken = set(re.findall(r"[^\W\d_]+\d?", text))
            assert not spoken & AS_SPELLED, text
            assert not re.search(r"ss\b|²s\b| per s\b", text), text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.35, "j_per_token", "350 mJ per token"), (4e-12, "pj_per_byte", "4.00 pJ per byte"), (2.5, "j", "2.50 J"),
        (3e-9, "usd_per_gbyte", "$3.00 per GB"), (38.1e6, "mbit_per_mm2", "38.1 Mbit/mm²"), (312e12, "tflop_per_s", "312 TFLOP/s"),
        (2, "byte_per_param", "2 bytes per parameter"), (1, "byte_per_param", "1 byte per parameter"), (8, "gpu", "8 GPUs"),
        (0.026e-6, "um2", "0.0260 µm²"), (2, "sequence", "2 sequences"), (350, "w", "350 W"), (0.12, "s_per_token", "120 ms per token"),
        (15.8e12, "top_per_s", "15.8 TOP/s"), (2023, "year", "2023"), (2.5, "year", "2.50 years"), (0.5, "share", "50.0 %"),
    ],
)  # fmt: skip
def test_every_kind_of_unit_reads_as_people_write_it(value: float, unit: str, text: str) -> None:
    assert statements.shown(value, unit) == text


# --------------------------------------------------------------------------------------------------------- ticks and tooltips

STEPPED = sorted({base for base in BASES if units.steps(base)[0]} | set(words.WHOLE) - {"", "count", "text"})


def steps_of(unit: str) -> list[float]:
    """The sizes at which the numbers of a unit change their word; for one that does not, where its number is 1."""
    return [size for size, _ in units.steps(unit)[0]] or [1 / words.WHOLE.get(unit, (1.0, "", ""))[0]]


def without_zeros(text: str) -> str:
    """A number as ticks have it, which carry no zeros behind their last digit."""
    return re.sub(r"(\.\d*?)0+(?!\d)", lambda found: found[1].rstrip("."), text)


@pytest.mark.parametrize("unit", STEPPED)
def test_a_tick_reads_as_the_sentence_does(unit: str) -> None:
    """Python's words and the renderer's are made of one table; here the renderer itself writes them."""
    sizes = [size for size in steps_of(unit) if units.steps(unit)[0] != units.TIMES or size <= 1]
    values = [0.0, *(size * times for size in sizes for times in (1, 2, 5, 10, 20, 50))]
    drawn = renderer.evaluated(expressions.tick(unit), [{"value": value} for value in values])
    said = [without_zeros(words.quantity(value, unit)) for value in values]
    assert drawn == [text.replace(" parameters", "") if unit == "param" else text for text in said]


@pytest.mark.parametrize("unit", sorted({*BASES, *words.WHOLE} - {"", "text", "date"}))
def test_a_tooltip_reads_as_the_sentence_does(unit: str) -> None:
    random = np.random.default_rng(12)
    values = [float(size * 10 ** random.uniform(-1, 2.9)) for size in steps_of(unit) for _ in range(20)]
    values += [size * near for size in steps_of(unit) for near in (0.9993, 0.9996)] + (
        [2023.0] if unit == "year" else [0.0]
    )
    drawn = renderer.evaluated(expressions.quantity(unit), [{"value": value} for value in values])
    assert drawn == [words.quantity(value, unit) for value in values]


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("byte", 3.2e10, "32 GB"), ("byte_per_s", 1.2e11, "120 GB/s"), ("param", 7e10, "70 B"), ("param", 5e8, "500 M"),
        ("s", 0.12, "120 ms"), ("s", 5e-6, "5 µs"), ("s", 100, "100 s"), ("s", 1000, "1,000 s"), ("share", 0.05, "5 %"),
        ("ratio", 1000, "1,000×"),        ("usd", 2e6, "$2,000,000"),
        ("usd_per_byte", 3e-9, "$3 per GB"), ("year", 2026, "2026"), ("op_per_s", 1e13, "10 TOP/s"), ("token", 16384, "16,384"),
        ("", 40, "40"),
    ],
)  # fmt: skip
def test_a_tick_says_what_a_reader_would(unit: str, value: float, text: str) -> None:
    assert renderer.evaluated(expressions.tick(unit), [{"value": value}]) == [text]


CHART = pd.DataFrame(
    {"name": ["Device"], "memory_bandwidth_byte_per_s": [120e9], "largest_param": [14.4e9], "context_token": [2048]}
)


def test_a_tooltip_takes_the_unit_of_its_column() -> None:
    tips = [
        *marks.tooltip("name", "memory_bandwidth_byte_per_s", "context_token"),
        alt.Tooltip("largest_param:Q", title="At most (parameters)", format=".3~s"),
    ]
    chart = alt.Chart(CHART).mark_point().encode(x="largest_param:Q", tooltip=tips)
    shown = figures.figure(
        "a-figure", chart, CHART, title="t", subtitle="s", caption="c", alt="one point, seen from afar"
    )
    drawn = vl_convert.vegalite_to_svg(shown.bundle["spec"])
    [said] = re.findall(r'aria-label="([^"]*Device[^"]*)"', drawn)
    assert said.endswith("Name: Device; Memory bandwidth: 120 GB/s; Context: 2,048 tokens; At most: 14.4 B parameters")
