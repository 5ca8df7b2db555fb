"""Equations as MathML, made when the site is built: no script, no font download, readable by screen readers."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def inline(translator: Any, node: nodes.math) -> None:
    """An equation in a line."""
    translator.body.append(_converted(node, "inline"))
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """``$$…$$``, with its number and a permanent link where it is labelled."""
    identifier = f' id="{escape(node["ids"][0], quote=True)}"' if node.get("ids") else ""
    translator.body.append(f'<div class="mw-equation"{identifier}>{_converted(node, "block")}')
    if node.get("number"):
        translator.body.append(f'<span class="mw-equation-number">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>")
    raise nodes.SkipNode


def _converted(node: nodes.math | nodes.math_block, display: str) -> str:
    """The equation, with the LaTeX it was written in for whoever reads the page as text."""
    written = escape(node.astext().strip(), quote=True)
    return str(convert(node.astext(), display=display)).replace("<math ", f'<math data-tex="{written}" ', 1)
