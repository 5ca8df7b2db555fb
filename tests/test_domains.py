"""Axes with fixed ends: moved out where data lie beyond them, left alone where they do not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from analysis import figures
from analysis.book.pages import figure_page, pieces
from analysis.charts import domains, marks
from analysis.subjects import common

NARROW, WIDE = [1.0, 10.0], [5.0, 200.0]


@pytest.mark.parametrize(
    ("values", "log", "expected"),
    [
        ([], True, (1, 10)),
        ([2.0, float("nan")], True, (1, 10)),
        ([1.0, 10.0], True, (1, 10)),
        ([0.5], True, (0.5 / 1.1, 10)),
        ([20.0], True, (1, 22)),
        ([0.0, -3.0], True, (1, 10)),  # no logarithm: nothing to show
        ([-10.0, 20.0], False, (-13, 23)),
    ],
)
def test_ends_move_out_as_far_as_the_data_and_a_little_further(
    values: list[float], log: bool, expected: tuple[float, float]
) -> None:
    assert domains.covering((1.0, 10.0), values, log) == pytest.approx(expected)


def chart(values: list[float], **mark: Any) -> alt.Chart:
    x = marks.x("speed_token_per_s", log=True, domain=(1, 10), values=[1, 10])
    return alt.Chart(pd.DataFrame({"speed_token_per_s": values})).mark_point(**mark).encode(x)


def widened(drawn: alt.TopLevelMixin) -> dict[str, Any]:
    table = pd.DataFrame({"speed_token_per_s": [1.0]})
    found: dict[str, Any] = figures.figure(
        "speeds", drawn, table, sources=[], title="T", subtitle="S", caption="C", alt="Speeds as points on a line."
    ).bundle["spec"]
    return found


def test_what_fits_is_left_as_it_is() -> None:
    spec = widened(chart([1, 10]))
    assert spec["encoding"]["x"]["scale"]["domain"] == [1, 10]
    assert json.dumps(domains.widened(spec), sort_keys=True) == json.dumps(spec, sort_keys=True)


def test_an_end_taken_from_the_data_is_one_of_them() -> None:
    """Data are rounded on their way into a picture; their largest would lie beyond an end that is not."""
    end = 10 / 3
    x = marks.x("speed_token_per_s", log=True, domain=(1, end))
    drawn = alt.Chart(pd.DataFrame({"speed_token_per_s": [1, end]})).mark_point().encode(x)
    assert widened(drawn)["encoding"]["x"]["scale"]["domain"] == [1, 3.33333]


def test_layers_share_their_ends_and_ticks_go_on() -> None:
    spec = widened(alt.layer(chart(NARROW), chart(WIDE)))
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["scale"]["domain"] == [1, 220]
        assert layer["encoding"]["x"]["axis"]["values"] == [1, 10, 100]


def test_many_more_ticks_are_left_to_the_renderer() -> None:
    x = marks.x("speed_token_per_s", domain=(0, 3), values=[0, 1, 2, 3])
    spec = widened(alt.Chart(pd.DataFrame({"speed_token_per_s": [500.0]})).mark_point().encode(x))
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 550]
    assert "values" not in spec["encoding"]["x"]["axis"]


def test_pictures_side_by_side_have_their_own_ends() -> None:
    first, second = widened(alt.hconcat(chart(NARROW), chart(WIDE)))["hconcat"]
    assert first["encoding"]["x"]["scale"]["domain"] == [1, 10]
    assert second["encoding"]["x"]["scale"]["domain"] == [1, 220]


def test_small_multiples_are_covered_with_the_table_of_all() -> None:
    table = pd.DataFrame({"speed_token_per_s": [2.0, 200.0], "name": ["a", "b"]})
    x = marks.x("speed_token_per_s", log=True, domain=(1, 10))
    spec = widened(alt.layer(alt.Chart().mark_point().encode(x), data=table).facet("name:N"))
    assert spec["spec"]["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1, 220]


def test_a_clipped_line_is_cut_on_purpose_a_point_is_not() -> None:
    bar = chart(WIDE).mark_rule(clip=True)
    assert widened(bar)["encoding"]["x"]["scale"]["domain"] == [1, 10]
    assert widened(chart(WIDE, clip=True))["encoding"]["x"]["scale"]["domain"] == [1, 220]


def test_ends_of_intervals_count() -> None:
    table = pd.DataFrame({"speed_token_per_s": [2.0], "high_token_per_s": [200.0]})
    x = marks.x("speed_token_per_s", log=True, domain=(1, 10))
    spec = widened(alt.Chart(table).mark_rule().encode(x, alt.X2("high_token_per_s:Q")))
    assert spec["encoding"]["x"]["scale"]["domain"] == [1, 220]


def test_a_figure_of_very_many_devices_draws_some_and_says_so() -> None:
    many = pd.DataFrame(
        {"device_id": [f"d{number // 2}" for number in range(4_000)], "named": [n == 77 for n in range(4_000)]}
    )
    drawn = common.drawn(many, always=many["named"], most=100)
    assert drawn["device_id"].nunique() == 101
    assert {"d0", "d38", "d1999"} <= set(drawn["device_id"])
    assert set(drawn["device_id"].value_counts()) == {2}, "of a device that is drawn, all rows are"
    assert "Drawn are 101 of 2,000 devices" in common.undrawn(many, drawn)
    few = many.head(200)
    assert common.drawn(few, most=100) is few
    assert common.undrawn(few, few) == ""


def test_rows_beyond_the_first_thousand_lie_beside_the_page(tmp_path: Path) -> None:
    table = figures.Table("t", [figures.Column("n", "N")], ["n"], [[n] for n in range(3_000)])
    shown = pieces.long_table("figures/t/index.html", "figures/t/data.rows.js", table)
    assert shown.count("<tr") == 1 + pieces.MOST_SHOWN
    assert "The first 1,000 of 3,000 rows" in shown
    assert 'data-rows="data.rows.js"' in shown
    pieces.write_rest(tmp_path, "figures/t/data.rows.js", table)
    assert (tmp_path / "figures/t/data.rows.js").read_text(encoding="utf-8").count("<tr") == 3_000 - pieces.MOST_SHOWN


def test_a_page_that_lists_some_rows_says_where_all_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_page, "MOST_LISTED", 2)
    texts = dict.fromkeys(("id", "title", "subtitle", "caption", "alt", "notice", "equation", "code"), "many")
    drawn = figures.Figure(
        **texts, sources=[], spec={}, height=1, columns=None, functions=[], fields=[], rows=[[1.0]] * 2
    )
    assert figure_page.left_to_the_csv(drawn) == ""
    said = figure_page.left_to_the_csv(replace(drawn, rows=[[1.0]] * 3))
    assert "Listed: 2 of 3 rows" in said
    assert f'href="{drawn.id}.csv"' in said
