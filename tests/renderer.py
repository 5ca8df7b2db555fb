"""Vega expressions evaluated by the renderer that draws the book's pictures: read back from the picture."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import vl_convert

TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL)

BETWEEN = "\ue000"


def texts(svg: str) -> list[str]:
    """The texts of a picture in the order they are drawn."""
    return [html.unescape(found) for found in TEXT.findall(svg)]


def evaluated(expression: str, rows: Sequence[dict[str, Any]], **signals: Any) -> list[str]:
    """What an expression gives for each row, as text; ``signals`` are the values of sliders and menus.

    Told by the description of one mark: texts to be drawn are measured, which takes a hundred times as long.
    """
    said = {"type": "formula", "as": "said", "expr": f"'' + ({expression})"}
    told = {"signal": f"'{BETWEEN}' + join(pluck(data('rows'), 'said'), '{BETWEEN}')"}
    spec = {
        "signals": [{"name": name, "value": value} for name, value in signals.items()],
        "data": [{"name": "rows", "values": list(rows), "transform": [said]}],
        "marks": [{"type": "symbol", "encode": {"update": {"description": told}}}],
    }
    [line] = re.findall(f'aria-label="{BETWEEN}([^"]*)"', vl_convert.vega_to_svg(spec))
    found = html.unescape(line).split(BETWEEN)
    assert len(found) == len(rows), expression
    return found


def numbers(expression: str, rows: Sequence[dict[str, Any]], **signals: Any) -> list[float]:
    """What an expression of numbers gives for each row."""
    return [float(text) for text in evaluated(expression, rows, **signals)]
