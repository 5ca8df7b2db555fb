"""What search engines, reference managers and link previews read in the head of a page."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from analysis.book.pages import figure_files, menu, pieces, registry, run_note, signposting
from analysis.book.pictures import card
from analysis.book.record import catalogues, citation, edition
from analysis.book.store import templates
from analysis.book.store.cache import file_digest
from analysis.figures import Figure
from analysis.tables import DataPackage


def tags(app: Sphinx, page: str, title: str) -> str:
    """Highwire and preview tags and JSON-LD of one page."""
    given = edition.given_parameters(app)
    title = f"{title} {citation.run_mark(run_note.on_page(app, page))}".strip()
    own = menu.address(app, f"{page}.html")
    named = {
        "citation_title": title, "citation_author": citation.AUTHOR, "citation_publication_date": given["edition_date"].replace("-", "/"),
        "citation_book_title": citation.BOOK, "citation_language": "en", "citation_public_url": own,
    }  # fmt: skip
    preview = {
        "og:title": title, "og:type": "book" if page == "chapters/index" else "article", "og:site_name": run_note.title(app, page),
        "og:description": _description(app, page), "og:url": own, **_card(app, page),
    }  # fmt: skip
    linked = linked_data(app, page, title)
    return templates.page(
        "metadata", named=named, preview=preview, description=_description(app, page),
        links=signposting.of(app, page, linked["@type"]), linked=pieces.embedded(linked), oembed=_oembed(app, page),
    )  # fmt: skip


def _figure(app: Sphinx, page: str) -> tuple[str, Figure] | None:
    """The figure a page shows first: its own on a landing page, the first of a chapter."""
    figures = registry.of(app.env).figures()
    own = [entry for entry in figures if page == f"figures/{entry[1].id}/index"]
    return next(iter(own or [entry for entry in figures if entry[0] == page]), None)


def _card(app: Sphinx, page: str) -> dict[str, Any]:
    """The picture beside a link to a page: its number where it is about one, else its figure, else that of the first page."""
    entry, own = registry.of(app.env).entries["entries"].get(page), _figure(app, page)
    found = own or _figure(app, app.config.root_doc)
    if entry:
        place, alt = f"{page}.{figure_files.CARD}", f"{entry[1].title}: {entry[1].number} {entry[1].counted}"
    elif found:  # what a page without a figure says of that of the first page is the same in every run
        place, alt = f"figures/{found[1].id}/{figure_files.CARD}", own[1].alt if own else citation.BOOK
    else:
        return {}
    told = {"og:image": _place(app, place, page), "og:image:width": card.WIDTH, "og:image:height": card.HEIGHT}
    return told | {"og:image:alt": alt}


def _oembed(app: Sphinx, page: str) -> str:
    """Where a page of a figure, a device … says how it is embedded: by full addresses, so nowhere in a site without its own."""
    if page in registry.of(app.env).entries["entries"]:
        return menu.address(app, f"{page}.{figure_files.OEMBED}")
    found = _figure(app, page) if page.startswith("figures/") else None
    return menu.address(app, f"figures/{found[1].id}/{figure_files.OEMBED}") if found else ""


def _description(app: Sphinx, page: str) -> str:
    found, entry = _figure(app, page), registry.of(app.env).entries["entries"].get(page)
    return found[1].title if found else " ".join(entry[1].said) if entry else citation.IMPRINT.description


def linked_data(app: Sphinx, page: str, title: str) -> dict[str, Any]:
    """The page as schema.org describes it: the book, a chapter, a figure or a data set."""
    given, found = edition.given_parameters(app), _figure(app, page)
    shared = {
        "@context": "https://schema.org", "name": title, "inLanguage": "en", "license": citation.LICENCE_ADDRESS,
        "datePublished": given["edition_date"], "version": given["edition"],
        "author": {"@type": "Organization", "name": citation.AUTHOR},
    }  # fmt: skip
    if address := menu.address(app, f"{page}.html"):
        shared |= {"@id": address, "url": address}
    if page == "chapters/index":
        return shared | {"@type": "Book", "bookEdition": given["edition"], "name": citation.BOOK}
    if found and page.startswith("figures/"):
        return shared | _image(app, page, found[1])
    if page.startswith("tables/"):
        return shared | _dataset(app, page)
    entity = {"mainEntity": shared | _whole_dataset(app)} if page == run_note.DATA else {}
    return shared | entity | {
        "@type": "Chapter" if page.startswith("chapters/") else "WebPage",
        "isPartOf": {"@type": "Book", "name": citation.BOOK},
    }  # fmt: skip


def _image(app: Sphinx, page: str, figure: Figure) -> dict[str, Any]:
    return {
        "@type": "ImageObject", "contentUrl": _place(app, f"figures/{figure.id}/{figure.id}.png", page), "encodingFormat": "image/png",
        "caption": figure.caption, "description": figure.alt, "creditText": citation.TITLE,
        "isPartOf": {"@type": "Book", "name": citation.BOOK},
    }  # fmt: skip


def _dataset(app: Sphinx, page: str) -> dict[str, Any]:
    """A table, with all that catalogues of data sets ask for."""
    name = page.removeprefix("tables/")
    package = edition.package(app)
    resource = package.resource(name)
    measured = [
        {"@type": "PropertyValue", "name": field["name"], "description": field["description"].replace("`", "")}
        | ({"unitText": field["unit"]} if field.get("unit") else {})
        for field in resource["schema"]["fields"]
    ]
    file = {
        "contentUrl": _place(app, f"tables/{name}.csv", page),
        "sha256": file_digest(package.folder / f"{name}.csv"),
    }
    return {
        "@type": "Dataset", "description": f"{resource['row']} {resource['description']}".replace("`", ""), "variableMeasured": measured,
        "distribution": [{"@type": "DataDownload", "encodingFormat": "text/csv", **file}], **_of_data(app, name),
        "isPartOf": {"@type": "Dataset", **_title(package)},
    }  # fmt: skip


def _whole_dataset(app: Sphinx) -> dict[str, Any]:
    """All tables as one data set."""
    package = edition.package(app)
    copies = [("application/json", catalogues.PACKAGE), ("application/ld+json", catalogues.CROISSANT)]
    return {
        "@type": "Dataset", **_title(package), **_of_data(app, "data"),
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": kind, "contentUrl": _place(app, file, "chapters/data")} for kind, file in copies
        ],
    }  # fmt: skip


def _title(package: DataPackage) -> dict[str, str]:
    told = package.descriptor
    return {
        "name": told.get("title", citation.BOOK),
        "description": told.get("description", citation.IMPRINT.description),
    }


def _of_data(app: Sphinx, name: str) -> dict[str, Any]:
    told = run_note.told(app, "data", *([name] if name != "data" else []))
    work = menu.cited(app, "table", name.replace("_", "-"), name, f"tables/{name}.html", told)
    maker = {"@type": "Organization", "name": citation.AUTHOR}
    return {
        "creator": maker,
        "publisher": maker,
        "identifier": work.key,
        "keywords": edition.package(app).descriptor.get("keywords", []),
        "isAccessibleForFree": True,
    }


def _place(app: Sphinx, file: str, page: str) -> str:
    """Where a file of the site lies: by its full address where there is one, else as seen from a page."""
    return menu.address(app, file) or pieces.relative(page, file)
