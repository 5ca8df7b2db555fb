"""Signposts in the head of a page (FAIR Signposting, level 1): its licence, its kind, what to cite, what describes it, what belongs to it.

The landing page says besides where programs find what they can ask for (RFC 8631).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sphinx.application import Sphinx

from analysis.book.pages import figure_files, menu, pieces, registry, twins
from analysis.book.record import catalogues, citation

DESCRIBING = ("bib", "csl.json", "ris", "metadata.json")
"""Files of a figure that say something of it; all others are it."""
LINKED = "application/ld+json"


class Signpost(NamedTuple):
    """One link for programs: its relation, where it leads, and the media type of what is there."""

    rel: str
    href: str
    type: str = ""


def of(app: Sphinx, page: str, kind: str) -> list[Signpost]:
    """The signposts of a page, whose ``kind`` is a type of schema.org."""
    own = menu.address(app, f"{page}.html")
    found = [Signpost("cite-as", own)] if own else []
    found += [Signpost("license", citation.LICENCE_ADDRESS), Signpost("type", f"https://schema.org/{kind}")]
    found += [Signpost(rel, pieces.relative(page, file), media) for rel, file, media in _files(app, page)]
    twin = twins.beside(page)
    return [*found, Signpost("alternate", twin, catalogues.MEDIA["md"])] if twin else found


def _files(app: Sphinx, page: str) -> Iterator[Signpost]:
    """Those that lead to files of the site."""
    folder, _, name = page.partition("/")
    if page == "chapters/index":
        yield Signpost("service-desc", catalogues.OPENAPI, "application/vnd.oai.openapi+json")
        for file in (catalogues.CRATE, catalogues.CROISSANT):
            yield Signpost("describedby", file, LINKED)
    elif folder == "figures" and name.endswith("/index"):
        for each in figure_files.FILES:
            file = f"figures/{name[:-6]}/{name[:-6]}.{each.ending}"
            yield Signpost("describedby" if each.ending in DESCRIBING else "item", file, catalogues.media(file))
    elif folder == "tables":
        yield Signpost("item", f"{page}.csv", catalogues.MEDIA["csv"])
        yield Signpost("describedby", catalogues.PACKAGE, catalogues.MEDIA["json"])
        yield Signpost("describedby", catalogues.CROISSANT, LINKED)
    elif page in registry.of(app.env).entries["entries"]:
        for ending in ("csv", "json"):
            yield Signpost("item", f"{page}.{ending}", catalogues.MEDIA[ending])
