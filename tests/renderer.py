"""Vega expressions evaluated by the renderer that draws the book's pictures: each as a line of text in a picture, read back."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import vl_convert

TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL)


def texts(svg: str) -> list[str]:
    """The texts of a picture in the order they are drawn."""
    return [html.unescape(found) for found in TEXT.findall(svg)]


def evaluated(expression: str, rows: Sequence[dict[str, Any]], **signals: Any) -> list[str]:
    """What an expression gives for each row, as text; ``signals`` are the values of sliders and menus."""
    said = f"'=' + ({expression})"  # an empty text would not be drawn
    spec = {
        "signals": [{"name": name, "value": value} for name, value in signals.items()],
        "data": [
            {"name": "rows", "values": list(rows), "transform": [{"type": "formula", "as": "said", "expr": said}]}
        ],
        "marks": [{"type": "text", "from": {"data": "rows"}, "encode": {"update": {"text": {"field": "said"}}}}],
    }
    found = [text.removeprefix("=") for text in texts(vl_convert.vega_to_svg(spec))]
    assert len(found) == len(rows), expression
    return found


def numbers(expression: str, rows: Sequence[dict[str, Any]], **signals: Any) -> list[float]:
    """What an expression of numbers gives for each row."""
    return [float(text) for text in evaluated(expression, rows, **signals)]
