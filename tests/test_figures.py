"""What is published is checked first: a chart against the schema of Vega-Lite."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd
import pytest
from altair.utils.schemapi import SchemaValidationError

from analysis import figures, tables
from analysis.charts import schema
from analysis.errors import FigureError

TABLE = pd.DataFrame({"year": [2023, 2026], "memory_gbyte": [5.5, 12.5]})


def chart(**given: object) -> alt.Chart:
    return alt.Chart(TABLE, **{"mark": "line", **given}).encode(x="year:O", y=alt.Y("memory_gbyte:Q"))


@pytest.mark.parametrize(
    ("ends", "told"), [(None, None), ((0.5, 2.0), [0.5, 2]), ((0.5, float("inf")), None), ((float("nan"), 2), None)]
)
def test_an_interval_without_an_end_is_none(ends: tuple[float, float] | None, told: list[float] | None) -> None:
    assert figures.Value("x-y", 1.0, interval=ends).as_dict()["interval"] == told


def test_a_chart_is_what_altair_makes_of_it() -> None:
    assert schema.specification(chart(), figures.records) == chart().to_dict()


def test_a_table_that_several_layers_draw_is_read_once() -> None:
    read = []

    def rows(table: pd.DataFrame) -> list[list[object]]:
        read.append(table)
        return figures.records(table)

    other = alt.Chart(TABLE.assign(year=TABLE["year"] + 1)).mark_point().encode(x="year:O")
    layers = alt.layer(chart(), chart().mark_point(), other)
    assert schema.specification(layers, rows) == layers.to_dict()
    assert len(read) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (chart(mark="squiggle"), "'squiggle' is an invalid value"),
        (alt.Chart(TABLE).mark_line().encode(x=alt.X("year:O", axis=alt.Axis(labelAngle="steep"))), "'steep'"),
        (chart(width="wide"), "'wide' is an invalid value for `width`"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused_with_altairs_own_words(wrong: alt.TopLevelMixin, said: str) -> None:
    with pytest.raises(SchemaValidationError, match=said):
        figures.figure(
            "x", wrong, TABLE, title="t", subtitle="s", caption="c", alt="a line that goes up, seen from far"
        )


def test_the_schema_is_read_whole() -> None:
    """Each definition that the schema refers to is found: otherwise nothing would be checked below it."""
    assert not schema._validator().is_valid({})
    assert not schema._validator().is_valid({"mark": "point", "encoding": {"x": {"field": ["a"]}}})


def drawn(**texts: str) -> figures.Published:
    """A small figure with these texts."""
    said: dict[str, Any] = {
        "title": "t",
        "subtitle": "s",
        "caption": "c",
        "alt": "a line that goes up, seen from far",
        **texts,
    }
    return figures.figure("x", chart(), TABLE, sources=["epoch-ml-hardware-copy"], **said)


@pytest.mark.parametrize("name", ["title", "subtitle", "caption", "alt", "notice"])
@pytest.mark.parametrize(
    "wrong", ["rests on {say['chips']} machines, as is known", "a half-open } brace in a sentence"]
)
def test_no_text_of_a_figure_is_published_as_a_template(name: str, wrong: str) -> None:
    with pytest.raises(FigureError, match=rf"^figure x: {name} holds an unfilled template"):
        drawn(**{name: wrong})


def test_no_number_and_no_table_is_published_as_a_template() -> None:
    with pytest.raises(FigureError, match=r"^value x-y: text holds an unfilled template"):
        figures.publish(figures.Value("x-y", text="{number} devices"))
    with pytest.raises(FigureError, match=r"^table x: caption holds an unfilled template"):
        figures.show_table("x", TABLE, [figures.Column("year")], caption="of {year}")
    with pytest.raises(FigureError, match=r"^table x: head year holds an unfilled template"):
        figures.show_table("x", TABLE, [figures.Column("year", "{Year}")], caption="of a year")


@pytest.mark.parametrize(
    "title", ["Memory doubled every two years, by one source", "Bandwidth grew 1.5× per year, by one source"]
)
def test_a_trend_is_not_published_without_its_interval(title: str) -> None:
    with pytest.raises(FigureError, match="states a trend without its interval"):
        drawn(title=title)


@pytest.mark.parametrize("title", ["Bandwidth grew 1.5× (1.2 to 1.9) per year", "HBM has half of the cost of a chip"])
def test_a_title_on_few_sources_says_how_many(title: str) -> None:
    with pytest.raises(FigureError, match="expected the words 'one source'"):
        drawn(title=title)
    drawn(title=f"{title}, by one source")


def test_pages_that_repeat_one_model_are_one_source() -> None:
    package = tables.package()
    pages = ["epoch-ai-chip-component-costs-2026", "0xgosu-ai-chip-memory-2026", "haoming-epoch-b200-cost"]
    assert len({package.publishers[page] for page in pages}) == 3
    assert package.independent(pages) == ["Epoch AI"]


def test_figures_and_tables_come_back_from_json_as_they_were() -> None:
    """What a kernel writes as a file, the site reads as the same thing; a part that nobody knows is refused."""
    shown = figures.show_table("x", TABLE, [figures.Column("year", bar=True)], caption="Years.")
    for kind, published in ((figures.Figure, drawn()), (figures.Table, shown)):
        handed_over = json.loads(json.dumps(published.bundle))
        assert json.loads(json.dumps(kind.of(handed_over).as_dict())) == handed_over
        with pytest.raises(TypeError, match="footnote"):
            kind.of(handed_over | {"footnote": ""})
