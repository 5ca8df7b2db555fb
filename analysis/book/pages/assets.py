"""The files beside the pages: pictures and data of each figure, the catalogues, the tables, the record of the edition."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import figure_files, menu, number_page, pieces, registry, run_note
from analysis.book.pages.numbering import figure_number
from analysis.book.pictures import layout, on_page, workers
from analysis.book.record import citation, edition, licences
from analysis.book.store.files import write, write_json

TO_TAKE_AWAY = ("framed", "png", "pdf")
"""The pictures of a figure with title and source line: SVG, PNG, PDF."""


def write_texts(app: Sphinx) -> None:
    """What stands beside the pages and waits for no picture."""
    site, known = Path(app.outdir), registry.of(app.env)
    for document, bundle in known.all("figures"):
        figure_files.write_texts(app, site / "figures" / bundle["id"], document, bundle)
    for _, bundle in known.all("tables"):
        pieces.write_rest(site, pieces.rest_of(bundle["id"]), bundle)
    claims = [public_claim(claim) | cited(number_page.claim_work(app, claim)) for _, claim in known.all("claims")]
    write_json(site / "claims.json", claims)
    write_json(site / "numbers.json", [value | cited(number_page.work(app, value)) for _, value in known.all("values")])
    copy_tables(site / "tables")
    write(site / "LICENSES.txt", licences.text())


def write_embedded(app: Sphinx) -> None:
    """The pages for frames, which hold the charts of pages."""
    for document, bundle in registry.of(app.env).all("figures"):
        figure_files.write_embedded(app, Path(app.outdir) / "figures" / bundle["id"], document, bundle)


def write_pictures(app: Sphinx) -> None:
    """The pictures, the script that draws them anew, and the catalogues that hold their digests."""
    site, known = Path(app.outdir), registry.of(app.env)
    figures = known.all("figures")
    if figures:
        write(site / "_static" / "memory-wall-vega.js", on_page.cached_script())
    for document, bundle in figures:
        folder = site / "figures" / bundle["id"]
        write_figure(folder, bundle, *words_of(app, document, bundle))
        figure_files.write_archive(folder)
    catalogue = [figure_entry(app, site, document, bundle) for document, bundle in figures]
    write_json(site / "figures.json", catalogue)
    record = edition.record(app, catalogue, [claim for _, claim in known.all("claims")])
    here = {"run": run_note.differences(app), "address": menu.address(app, app.config.memory_wall_lasting)}
    write_json(site / "edition.json", record | here)


def footer(app: Sphinx, document: str, bundle: dict[str, Any]) -> str:
    """The line a picture carries with it: figure, book, edition, sources."""
    from analysis import words

    number = figure_number(app, document, bundle["id"])
    names = pieces.publishers(bundle["sources"])
    many = len(names) > pieces.MOST_PUBLISHERS
    sources = f"{len(bundle['sources'])} documents, listed with the figure" if many else words.listing(names)
    cited = f" Sources: {sources.removesuffix('.')}." if names else ""
    run = citation.run_mark(run_note.differences(app))
    return f"Figure {number}, The Memory Wall, edition {edition.name(app)}{f' {run}' if run else ''}.{cited}"


def begin(app: Sphinx) -> None:
    """Have the pictures drawn that stand alone, as soon as the figures have their numbers and while Sphinx writes pages."""
    workers.begin(("script",), "")
    for document, bundle in registry.of(app.env).all("figures"):
        workers.begin(TO_TAKE_AWAY, on_page.framed_source(bundle, *words_of(app, document, bundle)))


def words_of(app: Sphinx, document: str, bundle: dict[str, Any]) -> tuple[str, str, str]:
    """What a picture carries with it: the line at its foot, its citation, its address."""
    cited = menu.work(app, document, bundle)
    return footer(app, document, bundle), citation.text(cited), cited.address


def write_figure(folder: Path, bundle: dict[str, Any], note: str, *of_itself: str) -> None:
    """The pictures on the page and the files to take away."""
    for mode in ("light", "dark"):
        write(folder / f"wide-{mode}.svg", on_page.page_picture(bundle, layout.WIDE, mode))
        write(folder / f"phone-{mode}.svg", on_page.page_picture(bundle, layout.PHONE, mode))
    name, text = bundle["id"], on_page.framed_source(bundle, note, *of_itself)
    for kind, extension in zip(TO_TAKE_AWAY, ("svg", "png", "pdf"), strict=True):
        write(folder / f"{name}.{extension}", workers.drawn(kind, text))
    write(folder / f"{name}.vl.json", on_page.source(layout.to_take_away(bundle, note, *of_itself[:1])) + "\n")


def figure_entry(app: Sphinx, site: Path, document: str, bundle: dict[str, Any]) -> dict[str, Any]:
    """One entry of ``figures.json``."""
    folder, name = site / "figures" / bundle["id"], bundle["id"]
    files = sorted(path.name for path in folder.iterdir() if path.name.startswith(f"{name}."))
    return {
        "id": name, "number": figure_number(app, document, name), "title": bundle["title"], "subtitle": bundle["subtitle"],
        "caption": bundle["caption"], "alt": bundle["alt"], "notice": bundle["notice"], "chapter": document.rsplit("/", 1)[-1],
        "files": [f"figures/{name}/{file}" for file in files], "sources": bundle["sources"],
        "sha256": {file: sha256(folder / file) for file in files},
    }  # fmt: skip


def sha256(path: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cited(work: citation.Work) -> dict[str, str]:
    """The citation of an entry, as text and as BibTeX."""
    return {"citation": citation.text(work), "bibtex": citation.bibtex(work)}


def public_claim(claim: dict[str, Any]) -> dict[str, Any]:
    """The fields of a claim that ``claims.json`` promises, and those that explain them."""
    first = (
        "id",
        "chapter",
        "statement",
        "article_value",
        "value",
        "unit",
        "verdict",
        "assumption",
        "latest_value",
        "sources",
        "robustness",
    )
    return {key: claim[key] for key in first} | {key: value for key, value in claim.items() if key not in first}


def copy_tables(folder: Path) -> None:
    """The data package as it was used, with its descriptor."""
    package = tables.package()
    folder.mkdir(parents=True, exist_ok=True)
    for name in package.names:
        shutil.copyfile(package.folder / f"{name}.csv", folder / f"{name}.csv")
    shutil.copyfile(package.folder / "datapackage.json", folder / "datapackage.json")
