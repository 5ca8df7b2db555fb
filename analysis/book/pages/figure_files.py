"""The files of a figure that are text: data, citations, metadata, the page for frames, and the archive of all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import tables
from analysis.book.pages import pieces
from analysis.book.pictures import card, layout, on_page, workers
from analysis.book.record import citation, edition
from analysis.book.store import templates, zips
from analysis.book.store.files import json_text, write
from analysis.figures import Figure


@dataclass(frozen=True)
class Exported:
    """A figure with what its files say of it: its chapter, its citation, the line at its foot, parameters and data of the build."""

    figure: Figure
    chapter: str
    cited: citation.Work
    foot: str
    parameters: Mapping[str, Any]
    package: tables.DataPackage

    @property
    def picture(self) -> str:
        """What its pictures are drawn from."""
        return on_page.framed_source(self.figure, self.foot, citation.text(self.cited), self.cited.address)


def write_texts(folder: Path, it: Exported) -> None:
    """Write the files that need no picture into the folder of the figure."""
    for file in FILES:
        if file.text:
            write(folder / f"{it.figure.id}.{file.ending}", file.text(it))


def write_pictures(folder: Path, it: Exported) -> None:
    """Write the pictures to take away, and then the archive of all files."""
    name = it.figure.id
    for file in FILES:
        if file.picture:
            write(folder / f"{name}.{file.ending}", workers.drawn(file.picture, it.picture))
    write(folder / CARD, workers.drawn("card", it.picture))
    kept = sorted(path for path in folder.glob(f"{name}.*") if path.suffix != ".zip")
    write(folder / f"{name}.zip", zips.zipped({path.name: path.read_bytes() for path in kept}))


def figure_csv(it: Exported) -> str:
    """The plotted table as CSV, in base units, the unit in each header."""
    figure = it.figure
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in figure.fields])
    writer.writerows([["" if value is None else value for value in row] for row in figure.rows])
    return out.getvalue()


def specification(it: Exported) -> str:
    """The chart as a specification, with its title and the line that says where it is from."""
    return on_page.source(layout.to_take_away(it.figure, it.foot, citation.text(it.cited))) + "\n"


def metadata(it: Exported) -> str:
    """What the figure is, column by column and source by source, for who checks it years later."""
    figure, cited = it.figure, it.cited
    told = {
        "id": figure.id, "number": cited.number, "title": figure.title, "subtitle": figure.subtitle,
        "caption": figure.caption, "alt": figure.alt, "notice": figure.notice, "equation": figure.equation,
        "chapter": it.chapter, "edition": cited.edition, "date": cited.date, "commit": edition.commit(),
        "address": cited.address, "citation": citation.text(cited), "licence": citation.IMPRINT.licence_id, "run": list(cited.run),
        "parameters": it.parameters, "columns": [vars(field) for field in figure.fields],
        "sources": it.package.sources(figure.sources).to_dict("records"), "code": figure.code,
    }  # fmt: skip
    return json_text(told)


def embed(package: tables.DataPackage, figure: Figure, cited: citation.Work) -> str:
    """A page that holds the figure and nothing else, for a frame in somebody's article; it works from a disk too."""
    return templates.page(
        "embed",
        cited=cited, run=citation.run_mark(cited.run), chart=pieces.chart(figure, f"figures/{figure.id}/embed", "h1"),
        title=citation.TITLE, sources=_sources(package, figure), licence=citation.LICENCE,
    )  # fmt: skip


FRAME_PADDING, FRAME_WORDS = 24, 220
"""Pixels beside the chart of the page for frames, and above and below it for title and caption."""
OEMBED = "oembed.json"


def oembed(figure: Figure, cited: citation.Work, folder: str) -> dict[str, Any]:
    """What a system that embeds by address asks for (oEmbed 1.0, type rich); ``folder`` is the full address of the figure's."""
    width, height = on_page.page_size(figure, layout.WIDE)
    width, height = width + FRAME_PADDING, height + FRAME_WORDS
    frame = templates.page("frame", source=f"{folder}embed.html", title=cited.told, width=width, height=height)
    return embedded_as("rich", cited, f"{folder}{CARD}") | {"html": frame, "width": width, "height": height}


def embedded_as(kind: str, cited: citation.Work, picture: str) -> dict[str, Any]:
    """What oEmbed asks for of every type; of ``link``, whose page has nothing to be framed, all of it."""
    return {
        "version": "1.0", "type": kind, "title": cited.told, "author_name": citation.AUTHOR, "provider_name": citation.TITLE,
        "thumbnail_url": picture, "thumbnail_width": card.WIDTH, "thumbnail_height": card.HEIGHT,
    }  # fmt: skip


def _sources(package: tables.DataPackage, figure: Figure) -> str:
    names = pieces.publishers(package, figure.sources)
    if len(names) > pieces.MOST_PUBLISHERS:
        return f"Sources: {len(figure.sources)} documents, listed with the figure."
    return f"Sources: {', '.join(names)}." if names else ""


@dataclass(frozen=True)
class File:
    """One file to take away: as the menu calls it, its ending, what it is, and the text it holds or the kind of picture it is."""

    label: str
    ending: str
    what: str
    text: Callable[[Exported], str] | None = None
    picture: str = ""


FILES = (
    File("PNG", "png", "picture for print and slides", picture="png"),
    File("SVG", "svg", "vector picture, real text", picture="framed"),
    File("PDF", "pdf", "vector picture for documents", picture="pdf"),
    File("CSV", "csv", "the plotted data", figure_csv),
    File("Vega-Lite", "vl.json", "the chart as a specification", specification),
    *(
        File(form.label, form.ending, "citation", lambda it, form=form: form.write(it.cited))  # type: ignore[misc]
        for form in citation.FORMATS.values()
        if form.ending
    ),
    File("Metadata", "metadata.json", "columns, sources, parameters, code", metadata),
    File("ZIP", "zip", "all of these"),
)
"""The files of every figure, in the order of the menu: a row is in the menu, in the archive and in the catalogue."""
CARD = "card.png"
"""The picture that previews of a link show; not a file to take away, so in no menu."""
PICTURES = (*(file.picture for file in FILES if file.picture), "card")
