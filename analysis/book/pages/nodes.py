"""Places in a page that are filled in once every chapter has been read."""

from __future__ import annotations

from docutils import nodes


class Reference(nodes.inline):
    """Where a number or a verdict goes."""


class Later(nodes.General, nodes.Element):
    """Where a list goes that needs what all chapters published; ``of`` is the directive that asked for it."""


class FigureMenu(nodes.General, nodes.Element):
    """Where the menu of a figure goes: it needs the figure's number."""


class Chart(nodes.General, nodes.Element):
    """Where the chart of a figure goes: it needs the chart's pictures, which may still be being drawn."""
