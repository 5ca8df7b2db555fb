"""What is published is checked first: a chart against the schema of Vega-Lite."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest
from altair.utils.schemapi import SchemaValidationError

from analysis import figures
from analysis.charts import schema

TABLE = pd.DataFrame({"year": [2023, 2026], "memory_gbyte": [5.5, 12.5]})


def chart(**given: object) -> alt.Chart:
    return alt.Chart(TABLE, **{"mark": "line", **given}).encode(x="year:O", y=alt.Y("memory_gbyte:Q"))


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
