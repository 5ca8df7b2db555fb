"""The numbers of tooltips in readers' units: 14.4 B parameters and 120 GB/s, where letters of SI alone would say 14.4G and 120G."""

from __future__ import annotations

from typing import Any

from analysis import units
from analysis.charts import expressions

Node = dict[str, Any]
SI_LETTERS = ".3~s"
"""A format that shows letters of SI without a unit: it gives way to the unit of the column."""
ADDED = "_told"
"""What the name of a text ends with, made from the column of the same name."""
UNKNOWN = "'unknown'"


def worded(spec: Node) -> Node:
    """The specification, changed in place: a tooltip of a column with a unit shows what ``words.quantity`` says of its number.

    A tooltip with a format of its own, or of an aggregate, stays as it is.
    """
    for view in _views(spec):
        tips = view["encoding"]["tooltip"]
        told = [_told(tip) for tip in (tips if isinstance(tips, list) else [tips])]
        made = {one["as"]: one for one in told if one}
        view["transform"] = [*view.get("transform", []), *made.values()]
        if not view["transform"]:
            del view["transform"]
    return spec


def _views(node: Any) -> list[Node]:
    """Every part of a specification that has tooltips."""
    if isinstance(node, list):
        return [view for part in node for view in _views(part)]
    if not isinstance(node, dict):
        return []
    below = [view for name, part in node.items() if name not in ("datasets", "data") for view in _views(part)]
    encoding = node.get("encoding")
    return [node, *below] if isinstance(encoding, dict) and "tooltip" in encoding else below


def _told(tip: Node) -> Node | None:
    """The transform that writes the text of a tooltip, which from then on shows it; None where it stays as it is."""
    column = tip.get("field", "")
    found = units.parse(column) if isinstance(column, str) else None
    if found is None or found.text == "date" or tip.get("type") != "quantitative" or "aggregate" in tip:
        return None
    if tip.get("format", SI_LETTERS) != SI_LETTERS:
        return None
    tip.pop("format", None)
    tip |= {
        "field": f"{column}{ADDED}",
        "type": "nominal",
        "title": str(tip.get("title") or column).removesuffix(f" ({found.symbol})"),
    }
    value = f"datum.{column}"
    said = f"isValid({value}) ? ({expressions.quantity(found.text, value)}) : {UNKNOWN}"
    return {"calculate": said, "as": tip["field"]}
