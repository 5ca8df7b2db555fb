"""A chart as Vega-Lite, checked against the schema of Vega-Lite: in Rust, which takes a thousandth of the time Altair's own check does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

import altair as alt
import jsonschema_rs
import pandas as pd

DEFINITIONS = "#/definitions/"
TRANSFORMER = "memory-wall"


def specification(chart: alt.TopLevelMixin, rows: Callable[[pd.DataFrame], list[list[Any]]]) -> dict[str, Any]:
    """The chart as Vega-Lite, its tables as ``rows`` makes plain values of them, each once however many layers draw it.

    Raises Altair's error, which names what is wrong with which part, where the chart does not fit the schema.
    """
    known: dict[
        int, tuple[pd.DataFrame, dict[str, Any]]
    ] = {}  # with the table itself, or another could get its identity

    def values(table: pd.DataFrame) -> dict[str, Any]:
        if id(table) not in known:
            plain = [dict(zip(table.columns, row, strict=True)) for row in rows(table)]
            known[id(table)] = (table, {"values": plain})
        return known[id(table)][1]

    alt.data_transformers.register(TRANSFORMER, values)
    with alt.data_transformers.enable(TRANSFORMER):
        found: dict[str, Any] = chart.to_dict(validate=False)
        if not _validator().is_valid(found):
            chart.to_dict()
    return found


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(_addressed(alt.load_schema()))


def _addressed(node: Any) -> Any:
    """The schema with its references as RFC 3986 has them: names of definitions hold brackets and quotation marks."""
    if isinstance(node, list):
        return [_addressed(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: DEFINITIONS + quote(value.removeprefix(DEFINITIONS), safe="") if key == "$ref" else _addressed(value)
        for key, value in node.items()
    }
