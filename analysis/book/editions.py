"""Editions: a frozen copy of the site for good, an archive with checksums, and the index of all of them."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis.book import edition

FOLDER = "editions"


def known(site: Path) -> list[dict[str, Any]]:
    """The editions frozen in a site, oldest first; each the content of its ``edition.json``."""
    found = []
    for path in sorted((site / FOLDER).glob("*/edition.json")):
        found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def history(app: Sphinx, figure_id: str) -> list[str]:
    """One line per edition that holds the figure, newest first, as HTML; this build is the first line."""
    current = edition.name(app)
    lines = [f"Edition {escape(current)}: this page."]
    for one in reversed(known(Path(app.config.memory_wall_published or "."))):
        if figure_id in one["figures"]:
            page = f"../../{FOLDER}/{escape(one['edition'])}/figures/{figure_id}/index.html"
            lines.append(f'<a class="external" href="{page}">Edition {escape(one["edition"])}, as it was published</a>.')
    return lines
