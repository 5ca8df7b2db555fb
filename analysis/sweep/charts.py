"""Charts of a sweep: how far each number spreads, what moves it, how often each verdict stands."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.charts import marks, theme


def spreads(table: pd.DataFrame) -> alt.LayerChart:
    """One row a number, in parts of its median: least to most as a line, the middle eight in ten as a bar, the book's own as a tick."""
    base = alt.Chart(table).encode(alt.Y("id:N", sort=None, axis=alt.Axis(title=None, ticks=False, labelFontSize=12)))
    x = alt.X("least_ratio:Q", title="In parts of the median", scale=alt.Scale(zero=False))
    line = base.mark_rule(color=theme.MUTED).encode(x=x, x2="most_ratio:Q")
    bar = base.mark_bar(color=theme.PRIMARY, height={"band": 0.5}).encode(x="p10_ratio:Q", x2="p90_ratio:Q")
    own = base.mark_tick(color=theme.ACCENT, thickness=3).encode(x="own_ratio:Q")
    return alt.layer(line, bar, own)


def movers(table: pd.DataFrame) -> alt.LayerChart:
    """The tornado of a number: for each input a bar from the median where the input is low, a circle, to that where it is high."""
    base = alt.Chart(table).encode(
        alt.Y("input:N", sort=None, axis=alt.Axis(title=None, ticks=False, labelFontSize=12))
    )
    x = alt.X("at_low_ratio:Q", title="In parts of the median", scale=alt.Scale(zero=False))
    bar = base.mark_bar(color=theme.PRIMARY, height={"band": 0.5}).encode(x=x, x2="at_high_ratio:Q")
    low = base.mark_point(color=theme.ACCENT, size=50, filled=True, opacity=1).encode(x="at_low_ratio:Q")
    return alt.layer(bar, low)


def verdicts(table: pd.DataFrame) -> alt.LayerChart:
    """One row a claim: the share of editions that have the book's verdict, coloured by that verdict."""
    palette = {name.replace("-", " "): colour for name, colour in theme.VERDICTS.items()}
    base = alt.Chart(table).encode(alt.Y("id:N", sort=None, axis=alt.Axis(title=None, ticks=False, labelFontSize=12)))
    bars = base.mark_bar(height={"band": 0.6}).encode(
        x=alt.X("share:Q", title="Share of editions", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        color=marks.colour("verdict", palette, list(table["verdict"])).legend(alt.Legend(title=None, columns=2)),
    )
    text = base.mark_text(align="left", dx=4).encode(x="share:Q", text=alt.Text("share:Q", format=".0%"))
    return alt.layer(bars, text)
