"""Equations as MathML, made when the site is built: no script, no font download, readable by screen readers."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def inline(translator: Any, node: nodes.math) -> None:
    """An equation in a line."""
    translator.body.append(_converted(node.astext(), "inline"))
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """``$$…$$``, with its number and a permanent link where it is labelled."""
    identifier = f' id="{escape(node["ids"][0], quote=True)}"' if node.get("ids") else ""
    translator.body.append(f'<div class="mw-equation"{identifier}>{_converted(node.astext(), "block")}')
    if node.get("number"):
        translator.body.append(f'<span class="mw-equation-number">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>")
    raise nodes.SkipNode


def _converted(tex: str, display: str) -> str:
    """MathML that carries what it was written as, for readers without MathML and for whoever exports the page."""
    return str(convert(tex, display=display)).replace(
        "<math ", f'<math alttext="{escape(tex.strip(), quote=True)}" ', 1
    )
