"""The one theme of the book: type, grid, and colours that keep their meaning in every chapter.

Every colour has a contrast of at least 3:1 on the light and on the dark page (a test computes it), so one specification serves
both; colour never stands alone (shape, position or a label says the same).
"""

from __future__ import annotations

from typing import Any

FONT = "Memory Wall Sans"
FONTS = f"'{FONT}', 'Liberation Sans', Arial, sans-serif"
"""No name with a digit: the renderer takes quotation marks away before it measures words, and would measure with another font."""

PAPER = {"light": "#ffffff", "dark": "#12161c"}
INK = {"light": "#1c2430", "dark": "#e6e9ee"}
QUIET = {"light": "#5b6673", "dark": "#9aa6b4"}
RULE = {"light": "#e3e7ec", "dark": "#2b333d"}

BY_MODE = (INK, QUIET, RULE)
"""All that differs between the light and the dark page of a chart; ``PAPER`` is the page's own."""

FORMATS = {"fp32": "#8a5fd0", "fp16": "#3a68c9", "bf16": "#3a68c9", "int8": "#1f84c4", "int4": "#169b9b",
           "q8-0": "#1f84c4", "q4-k-m": "#169b9b"}  # fmt: skip
"""Number formats: one ordered run of hues, from many bits to few."""

CLASSES = {
    "phone": "#d1495b", "tablet": "#b85fb0", "laptop": "#2f7fd1", "desktop": "#2e8b57", "edge": "#9a7b12",
    "gpu": "#c8681c", "server": "#7a6fc9",
}  # fmt: skip
"""Device classes: one categorical set."""

CLASS_SHAPES = {
    "phone": "circle", "tablet": "square", "laptop": "triangle-up", "desktop": "diamond", "edge": "cross",
    "gpu": "triangle-down", "server": "triangle-right",
}  # fmt: skip
FORMAT_SHAPES = {"fp16": "circle", "int8": "square", "int4": "triangle-up", "q8-0": "square", "q4-k-m": "triangle-up"}

ACCENT = "#e0431f"
"""The article's own points, everywhere, always with ``ACCENT_SHAPE``."""
ACCENT_SHAPE = "M0,-1L0.2469,-0.3398L0.9511,-0.309L0.3994,0.1298L0.5878,0.809L5.144e-17,0.42L-0.5878,0.809L-0.3994,0.1298L-0.9511,-0.309L-0.2469,-0.3398Z"  # noqa: E501 - a star as an SVG path
PRIMARY = "#2f7fd1"
MUTED = "#7b8794"
FORBIDDEN = "#d1495b"
"""The side of a limit that does not work, drawn at ``SHADE`` opacity."""
SHADE = 0.10

VERDICTS = {
    "reproduces": "#28804f", "reproduces-under-assumption": "#1b77b1", "ambiguous": "#8b6f10",
    "contradicted": "#c43e51", "not-checkable": "#677380",
}  # fmt: skip


def config(mode: str = "light") -> dict[str, Any]:
    """The Vega-Lite configuration for the light or the dark page."""
    ink, quiet, rule = INK[mode], QUIET[mode], RULE[mode]
    return {
        "background": "transparent",
        "font": FONTS,
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": 400, "labelColor": quiet, "titleColor": ink,
            "gridColor": rule, "gridWidth": 1, "domain": False, "tickColor": rule, "titlePadding": 10,
            "labelPadding": 6, "labelOverlap": "greedy", "labelLimit": 0,
        },
        "axisX": {"grid": False, "domain": True, "domainColor": quiet, "ticks": True, "tickColor": quiet},
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -9, "titleX": 0, "titleBaseline": "bottom",
                  "titleLimit": 0},
        "header": {"labelFontSize": 13, "labelFontWeight": 600, "labelColor": ink, "titleColor": ink},
        "legend": {
            "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": 400, "labelColor": ink, "titleColor": quiet,
            "symbolStrokeWidth": 2, "orient": "top", "direction": "horizontal", "offset": 30, "labelLimit": 0, "titleLimit": 0,
        },
        "title": {
            "anchor": "start", "frame": "group", "fontSize": 19, "fontWeight": 600, "color": ink, "offset": 18,
            "subtitleFontSize": 14, "subtitleColor": quiet, "subtitlePadding": 6,
        },
        "text": {"fontSize": 12.5, "color": ink},
        "line": {"strokeWidth": 2.2, "color": PRIMARY},
        "point": {"size": 70, "filled": True, "color": PRIMARY},
        "bar": {"color": PRIMARY},
        "area": {"color": PRIMARY, "opacity": 0.2},
        "rule": {"color": quiet},
        "range": {"category": list(CLASSES.values())},
    }  # fmt: skip
