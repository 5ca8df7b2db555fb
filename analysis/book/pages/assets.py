"""The files beside the pages: pictures and data of each figure, the catalogues, the tables, the record of the edition."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from analysis import tables
from analysis.book.pages import figure_files, menu, number_page, pieces, registry, run_note, twins
from analysis.book.pages.numbering import figure_number
from analysis.book.pictures import layout, on_page, workers
from analysis.book.record import citation, edition, licences
from analysis.book.store.files import write, write_json
from analysis.figures import Figure


def write_texts(app: Sphinx) -> None:
    """What stands beside the pages and waits for no picture."""
    site, known = Path(app.outdir), registry.of(app.env)
    for document, figure in known.figures():
        figure_files.write_texts(site / "figures" / figure.id, exported(app, document, figure))
    for _, table in known.tables():
        pieces.write_rest(site, pieces.rest_of(table.id), table)
    for _, (name, script) in known.scripts():
        write_script(site, name, script)
    claims = [public_claim(claim) | cited(number_page.claim_work(app, claim)) for _, claim in known.all("claims")]
    write_json(site / "claims.json", claims)
    write_json(
        site / "numbers.json", [value | cited(number_page.number_work(app, value)) for _, value in known.all("values")]
    )
    copy_tables(edition.package(app), site / "tables")
    write(site / "LICENSES.txt", licences.text())
    twins.write_index(app)


def write_script(site: Path, name: str, script: str) -> None:
    """The script of a piece of a page."""
    write(site / "pieces" / f"{name}.js", script)


def write_embedded(app: Sphinx) -> None:
    """The pages for frames, which hold the charts of pages; beside them what a chart is drawn from where that is long."""
    for document, figure in registry.of(app.env).figures():
        page = figure_files.embed(edition.package(app), figure, menu.figure_work(app, document, figure))
        folder = Path(app.outdir) / "figures" / figure.id
        write(folder / "embed.html", page)
        if address := menu.address(app, f"figures/{figure.id}/"):
            told = figure_files.oembed(figure, menu.figure_work(app, document, figure), address)
            write_json(folder / figure_files.OEMBED, told)
        pieces.write_beside(folder, figure.id, pieces.drawn_from(figure))


def write_pictures(app: Sphinx) -> None:
    """The pictures, the script that draws them anew, their catalogue and the record of the edition, which hold their digests."""
    site, known = Path(app.outdir), registry.of(app.env)
    figures = known.figures()
    if figures:
        write(site / "_static" / "memory-wall-vega.js", on_page.cached_script())
    for document, figure in figures:
        folder = site / "figures" / figure.id
        write_page_pictures(folder, figure)
        figure_files.write_pictures(folder, exported(app, document, figure))
    catalogue = [figure_entry(app, site, document, figure) for document, figure in figures]
    write_json(site / "figures.json", catalogue)
    record = edition.edition_json(app, catalogue, [claim for _, claim in known.all("claims")])
    run = run_note.of_run(app)
    here = {"run": run.run, "marks": run.things, "address": menu.address(app, app.config.memory_wall_lasting)}
    write_json(site / "edition.json", record | here)


def footer(app: Sphinx, document: str, figure: Figure) -> str:
    """The line a picture carries with it: figure, book, edition, sources."""
    from analysis import words

    number = figure_number(app, document, figure.id)
    names = pieces.publishers(edition.package(app), figure.sources)
    many = len(names) > pieces.MOST_PUBLISHERS
    sources = f"{len(figure.sources)} documents, listed with the figure" if many else words.listing(names)
    cited = f" Sources: {sources.removesuffix('.')}." if names else ""
    return f"Figure {number}, {menu.origin(app, run_note.told(app, 'figures', figure.id))}.{cited}"


def draw_files_ahead(app: Sphinx) -> None:
    """Have the pictures drawn that stand alone, as soon as the figures have their numbers and while Sphinx writes pages."""
    workers.draw_ahead(("script",), "")
    for document, figure in registry.of(app.env).figures():
        workers.draw_ahead(figure_files.PICTURES, exported(app, document, figure).picture)


def exported(app: Sphinx, document: str, figure: Figure) -> figure_files.Exported:
    """A figure with what its files say of it."""
    chapter, foot = document.rsplit("/", 1)[-1], footer(app, document, figure)
    return figure_files.Exported(
        figure,
        chapter,
        menu.figure_work(app, document, figure),
        foot,
        run_note.parameters_of(app, chapter, figure.id),
        edition.package(app),
    )


def write_page_pictures(folder: Path, figure: Figure) -> None:
    """The pictures on pages: light and dark, wide and for a phone."""
    for mode in ("light", "dark"):
        write(folder / f"wide-{mode}.svg", on_page.page_picture(figure, layout.WIDE, mode))
        write(folder / f"phone-{mode}.svg", on_page.page_picture(figure, layout.PHONE, mode))


def figure_entry(app: Sphinx, site: Path, document: str, figure: Figure) -> dict[str, Any]:
    """One entry of ``figures.json``."""
    folder, name = site / "figures" / figure.id, figure.id
    files = sorted(path.name for path in folder.iterdir() if path.name.startswith(f"{name}."))
    return {
        "id": name, "number": figure_number(app, document, name), "title": figure.title, "subtitle": figure.subtitle,
        "caption": figure.caption, "alt": figure.alt, "notice": figure.notice, "chapter": document.rsplit("/", 1)[-1],
        "files": [f"figures/{name}/{file}" for file in files], "sources": figure.sources,
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


def copy_tables(package: tables.DataPackage, folder: Path) -> None:
    """The data package as it was used, with its descriptor."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in package.names:
        shutil.copyfile(package.folder / f"{name}.csv", folder / f"{name}.csv")
    shutil.copyfile(package.folder / "datapackage.json", folder / "datapackage.json")
