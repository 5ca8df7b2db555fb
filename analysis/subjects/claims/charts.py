"""Charts of the verdicts: how many of each, and how far the recomputed numbers are from the printed ones."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis import ranking
from analysis.charts import marks, theme

COLOURS = {verdict.replace("-", " "): colour for verdict, colour in theme.VERDICTS.items()}
SHAPES = dict(zip(COLOURS, ("circle", "square", "diamond", "cross", "triangle-up"), strict=True))
"""Verdict → marker, so that nothing rests on colour alone."""
KEY = alt.Legend(title=None, columns=2, labelExpr="replace(datum.label, 'reproduces under', 'under')")
DOMAIN = (0.035, 12.0)
TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def verdicts(table: pd.DataFrame) -> alt.LayerChart:
    """One bar per chapter, its parts the verdicts with their counts."""
    order = list(ranking.by(table.drop_duplicates("chapter"), "chapter_order")["chapter"])
    base = alt.Chart(table).encode(alt.Y("chapter:N", sort=order, axis=alt.Axis(title=None, ticks=False)))
    bars = base.mark_bar(stroke="white", strokeOpacity=0.6, height={"band": 0.72}).encode(
        x=alt.X("start:Q", title="Claims", axis=alt.Axis(grid=True, tickMinStep=5)),
        x2=alt.X2("end:Q"),
        color=marks.colour("verdict", COLOURS, list(table["verdict"])).legend(KEY),
        tooltip=marks.tooltip("chapter", "verdict", "n_claim", titles={"n_claim": "Claims"}),
    )
    numbers = base.mark_text(color="white", fontWeight=600).encode(
        alt.X("middle:Q"), alt.Text("n_claim:Q")
    ).transform_calculate(middle="(datum.start + datum.end) / 2")  # fmt: skip
    return alt.layer(bars, numbers)


def deviations(table: pd.DataFrame, *, about_share: float) -> alt.LayerChart:
    """One row per claim: the deciding reading as a marker, other readings hollow, the tolerance shaded."""
    order = list(ranking.by(table.drop_duplicates("name"), "claim_order")["name"])
    y = alt.Y("name:N", sort=order, axis=alt.Axis(title=None, ticks=False, grid=True, labelFontSize=12))
    x = marks.x("deviation_ratio", "Recomputed over printed", log=True, domain=DOMAIN, values=TICKS)
    band = alt.Chart(pd.DataFrame({"low_ratio": [1 - about_share], "high_ratio": [1 + about_share]})).mark_rect(
        color=theme.MUTED, opacity=2 * theme.SHADE
    )
    shaded = band.encode(alt.X("low_ratio:Q", scale=marks.scale(log=True, domain=DOMAIN)), alt.X2("high_ratio:Q"))
    base = alt.Chart(table)
    spans = base.mark_rule(color=theme.MUTED, opacity=0.6).encode(
        y=y, x=alt.X("min(deviation_ratio):Q"), x2=alt.X2("max(deviation_ratio):Q")
    )
    return alt.layer(
        shaded, spans, _points(base, x, y, table, deciding=False), _points(base, x, y, table, deciding=True)
    )


def _points(base: alt.Chart, x: alt.X, y: alt.Y, table: pd.DataFrame, *, deciding: bool) -> alt.Chart:
    chosen = base.transform_filter(f"datum.is_deciding === {'true' if deciding else 'false'}")
    return chosen.mark_point(filled=deciding, size=80 if deciding else 45, opacity=1).encode(
        x=x,
        y=y,
        color=marks.colour("verdict", COLOURS, list(table["verdict"])).legend(KEY),
        shape=marks.shape("verdict", SHAPES, list(table["verdict"])).legend(KEY),
        tooltip=marks.tooltip(
            "statement", "article_text", "reading", "recomputed_text", "verdict",
            titles={"article_text": "Article", "recomputed_text": "Recomputed"},
        ),
    )  # fmt: skip
