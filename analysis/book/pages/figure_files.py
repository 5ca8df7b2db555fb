"""The files of a figure that are text: data, citations, metadata, the page for frames, and the archive of all of them."""

from __future__ import annotations

import csv
import io
import zipfile
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import menu, pieces
from analysis.book.record import citation, edition
from analysis.book.store.files import write, write_json


def write_texts(app: Sphinx, folder: Path, document: str, bundle: dict[str, Any]) -> None:
    """Write those that need no picture into the folder of the figure."""
    name, cited = bundle["id"], menu.work(app, document, bundle)
    write(folder / f"{name}.csv", figure_csv(bundle))
    write(folder / f"{name}.bib", citation.bibtex(cited))
    write(folder / f"{name}.ris", citation.ris(cited))
    write_json(folder / f"{name}.csl.json", [citation.csl(cited)])
    write_json(folder / f"{name}.metadata.json", metadata(app, document, bundle, cited))


def write_embedded(app: Sphinx, folder: Path, document: str, bundle: dict[str, Any]) -> None:
    """Write the page for frames, which holds the chart and so needs its pictures."""
    write(folder / "embed.html", embed(bundle, menu.work(app, document, bundle)))


def write_archive(folder: Path) -> None:
    """Write the archive of the files to take away, texts and pictures, which must be there already."""
    name = folder.name
    write(folder / f"{name}.zip", archive(sorted(path for path in folder.glob(f"{name}.*") if path.suffix != ".zip")))


def figure_csv(bundle: dict[str, Any]) -> str:
    """The plotted table as CSV, in base units, the unit in each header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field["name"] for field in bundle["fields"]])
    writer.writerows([["" if value is None else value for value in row] for row in bundle["rows"]])
    return out.getvalue()


def metadata(app: Sphinx, document: str, bundle: dict[str, Any], cited: citation.Work) -> dict[str, Any]:
    """What the figure is, column by column and source by source, for who checks it years later."""
    sources = tables.package().sources(bundle["sources"]).to_dict("records")
    return {
        "id": bundle["id"], "number": cited.number, "title": bundle["title"], "subtitle": bundle["subtitle"],
        "caption": bundle["caption"], "alt": bundle["alt"], "notice": bundle["notice"], "equation": bundle["equation"],
        "chapter": document.rsplit("/", 1)[-1], "edition": cited.edition, "date": cited.date, "commit": edition.commit(),
        "address": cited.address, "citation": citation.text(cited), "licence": "CC-BY-4.0",
        "run": list(cited.run),
        "parameters": edition.given_parameters(app), "columns": bundle["fields"], "sources": sources, "code": bundle["code"],
    }  # fmt: skip


def embed(bundle: dict[str, Any], cited: citation.Work) -> str:
    """A page that holds the figure and nothing else, for a frame in somebody's article; it works from a disk too."""
    page = f"figures/{bundle['id']}/embed"
    run = f'<p class="mw-run">{escape(citation.run_mark(cited.run))}</p>' if cited.run else ""
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(cited.told)}</title>
<link rel="canonical" href="{escape(cited.address or "index.html", quote=True)}">
<link rel="stylesheet" href="../../_static/memory-wall.css">
<script defer src="../../_static/memory-wall.js" data-charts="../../_static/memory-wall-vega.js"></script>
</head>
<body class="mw-embed">
<figure class="mw-figure">{run}{pieces.chart(bundle, page)}
<figcaption><a href="index.html" target="_top">{escape(cited.genre)}</a>, The Memory Wall, edition {escape(cited.edition)}.
{escape(_sources(bundle))} {citation.LICENCE}.</figcaption>
</figure>
</body>
</html>
"""


def _sources(bundle: dict[str, Any]) -> str:
    names = pieces.publishers(bundle["sources"])
    if len(names) > pieces.MOST_PUBLISHERS:
        return f"Sources: {len(bundle['sources'])} documents, listed with the figure."
    return f"Sources: {', '.join(names)}." if names else ""


def archive(paths: list[Path]) -> bytes:
    """A ZIP of files, the same bytes on every build: stored, as compressors differ and pictures are compressed already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path in paths:
            entry = zipfile.ZipInfo(path.name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            file.writestr(entry, path.read_bytes())
    return out.getvalue()
