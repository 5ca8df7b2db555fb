"""In which order a site is made, and what is done beside what: chapters by Sphinx, all other pages, pictures, finishing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from analysis.book.pages import (
    anew,
    assets,
    entry_page,
    figure_page,
    finishing,
    inventory,
    number_page,
    search,
    table_page,
)
from analysis.book.pictures import workers
from analysis.book.record import catalogues
from analysis.book.run import beside

Page = tuple[str, dict[str, Any], str]


class Builder(StandaloneHTMLBuilder):
    """Sphinx's own builder, with the pages that no chapter is made beside the chapters."""

    _pages: beside.Work | None = None

    def copy_assets(self) -> None:
        """Begin with them as soon as what every page needs is there."""
        super().copy_assets()
        self._pages = beside.run(super().gen_pages_from_extensions, self.app.config.memory_wall_jobs)

    def write(self, *given: Any, **named: Any) -> None:
        """Write the chapters, and wait for the other pages."""
        if self.app.config.memory_wall_only_figures:
            (Path(self.outdir) / "_static").mkdir()  # extensions put there what pages would load
            return
        try:
            super().write(*given, **named)
            if self._pages:
                self._pages.result()
        finally:
            if self._pages:
                self._pages.end()

    def finish(self) -> None:
        """What goes with pages."""
        if not self.app.config.memory_wall_only_figures:
            super().finish()

    def index_page(self, *given: Any) -> None:
        """Sphinx's own search is not the book's (``search``), and its index would be thrown away."""

    def dump_search_index(self) -> None:
        """The same."""

    def dump_inventory(self) -> None:
        """What other books can refer to: more than Sphinx's own inventory holds."""
        inventory.write_all(self.app)

    def gen_pages_from_extensions(self) -> None:
        """They are there by now."""


def before_writing(app: Sphinx, env: object) -> None:
    """Figures have their numbers now: have the pictures drawn that stand alone, and write what waits for none."""
    if app.builder.format == "html":
        assets.draw_files_ahead(app)
        assets.write_texts(app)


def pages(app: Sphinx) -> Iterator[Page]:
    """(page name, context, template) of each page that no chapter is; first those that wait for no picture."""
    yield from table_page.collect(app)
    yield from number_page.collect(app)
    yield from entry_page.collect(app)
    yield from figure_page.collect(app)


def finished(app: Sphinx, exception: Exception | None) -> None:
    """Finish the pages while pictures are being drawn, or else while they are being written."""
    if exception is not None or app.builder.format != "html":
        return
    if app.config.memory_wall_only_figures:
        assets.write_pictures(app)
        return
    assets.write_embedded(app)
    finish = partial(_finish, app) if app.config.memory_wall_published else lambda: None
    finishing_pages = beside.run(finish, app.config.memory_wall_jobs if workers.all_drawn() else 1)
    try:
        assets.write_pictures(app)
        catalogues.write_all(Path(app.outdir))
        finishing_pages.result()
        anew.stay(app)
    finally:
        finishing_pages.end()


def _finish(app: Sphinx) -> None:
    finishing.finish(Path(app.outdir))
    search.write_index(app)
