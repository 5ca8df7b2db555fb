"""Where things are: the repository, the published site, what is kept between builds.  Imports nothing heavy."""

from __future__ import annotations

import os
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BUILD = REPOSITORY / "_build"
SITE = BUILD / "html"
CACHE_VARIABLE = "MEMORY_WALL_CACHE"
"""Environment variable that names another folder for what is kept between builds."""


def cache_folder() -> Path:
    """Where results are kept between builds: ``MEMORY_WALL_CACHE`` if set, else ``_build/cache``."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else BUILD / "cache"


def record_file(out: Path) -> Path:
    """The file beside a site that builds lock, and in which they note what the site was built from."""
    return out.with_name(f".{out.name}.build")


SEARCH_INDEX, SEARCH_ROWS = "search-index.js", "search-rows.js"
"""What is found, as scripts beside the search page, which alone loads them: what the book says, and what its data hold."""
SEARCH_PARTS = "search-*.js"
"""Both; a site of an earlier version has the first alone."""
LANDING = "chapters/index.html"
"""Where Sphinx puts the landing page; what leads readers who follow an old link there on to the root."""


def public(page: str) -> str:
    """The address of a page within the site as readers see it: the landing page at the root, folders without ``index.html``."""
    return "" if page == LANDING else re.sub(r"(^|/)index\.html$", r"\1", page)
