"""A chart laid out: its specification at a width and in a theme, on a page or to take away."""

from __future__ import annotations

from typing import Any

from analysis.book.pictures import framing
from analysis.book.record import citation
from analysis.charts import theme
from analysis.figures import Figure

WIDE, PHONE = 720, 340
"""Widths of a chart in pixels: on a full page, on a phone."""
TALL = 450
"""A chart asked to be taller than this has named rows, which need their height on a phone too."""


def laid_out(figure: Figure, *, width: int, mode: str = "light") -> dict[str, Any]:
    """The specification at a width, in a theme."""
    spec = dict(figure.spec)  # what is changed below is replaced, not changed in place
    spec["config"] = theme.config(mode)
    if width <= PHONE:
        spec["config"]["legend"]["columns"] = 3
    if "facet" in spec:
        columns = 1 if width <= PHONE else (figure.columns or 2)
        spec["columns"] = columns
        spec["spec"] = spec["spec"] | {
            "width": (width - 70 * columns) // columns,
            "height": _panel(figure.height, columns),
        }
    elif not {"hconcat", "vconcat", "concat", "repeat"} & set(spec):
        spec |= {
            "width": width,
            "height": figure.height if width > PHONE or figure.height > TALL else min(figure.height, 320),
        }
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def to_take_away(figure: Figure, footer: str, cited: str = "") -> dict[str, Any]:
    """The specification as a file: on paper, with its title, and with the line that says where it is from."""
    words = framing.wrapped(framing.Words(figure.title, figure.subtitle, footer))
    return laid_out(figure, width=WIDE) | {
        "title": {"text": words[0], "subtitle": words[1]},
        "padding": framing.PADDING,
        "background": theme.PAPER["light"],
        "usermeta": {"source": footer, "citation": cited, "licence": citation.LICENCE},
    }


def _panel(height: float, columns: int) -> float:
    """Height of one of a chart's small multiples."""
    return height * 0.6 if columns > 1 or height > TALL else 180
