"""Charts of the data page."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.charts import marks

CONFIDENCE = {
    "spec": "#2e8b57", "paper": "#169b9b", "measured": "#1f84c4", "derived": "#3a68c9", "third-party": "#7b8794", "estimate": "#d1495b",
}  # fmt: skip


def confidence(counts: pd.DataFrame) -> alt.Chart:
    """Stacked bars: the share of each table's rows by confidence."""
    present = [name for name in CONFIDENCE if name in set(counts["confidence"])]
    colours = alt.Scale(domain=present, range=[CONFIDENCE[name] for name in present])
    return (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            alt.X(
                "row_count:Q",
                stack="normalize",
                axis=marks.axis("share", "Share of rows", values=[0, 0.25, 0.5, 0.75, 1]),
            ),
            alt.Y("table:N", sort=None, axis=marks.names_axis(text="replace(datum.label, /[:,] .*/, '')")),
            alt.Color("confidence:N", scale=colours, legend=alt.Legend(title=None, columns=2)),
            tooltip=[
                alt.Tooltip("table:N", title="Table"),
                alt.Tooltip("confidence:N", title="Confidence"),
                alt.Tooltip("row_count:Q", title="Rows", format=",d"),
            ],
        )
    )
