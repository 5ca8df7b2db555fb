"""The book as EPUB 3: a file a chapter, equations as MathML, pictures as SVG; the same bytes on every machine."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from lxml import etree
from markupsafe import Markup

from analysis import fonts
from analysis.book.export import chapters
from analysis.book.export.chapters import Book, Chapter, Place
from analysis.book.pictures.lettering import START
from analysis.book.record import citation
from analysis.book.store import templates, zips
from analysis.charts import theme

XHTML, SVG, CSS, FONT = "application/xhtml+xml", "image/svg+xml", "text/css", "font/ttf"
CONTAINER = (
    '<?xml version="1.0" encoding="utf-8"?>\n<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
    '<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
ACCESSIBILITY = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual",),
    "accessibilityFeature": ("alternativeText", "MathML", "readingOrder", "structuralNavigation", "tableOfContents"),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": ("Every figure has an alternative text, every equation is MathML; tables have heads.",),
}
"""Schema.org's words for what the book offers to whom."""


@dataclass(frozen=True)
class Item:
    """A file of the book: where it lies, of what kind it is, what it holds; whether it is read in turn."""

    name: str
    kind: str
    content: bytes
    properties: str = ""
    read: bool = False

    @property
    def id(self) -> str:
        """Its name as an XML id."""
        return "f-" + self.name.replace("/", "-")


def made(book: Book) -> bytes:
    """The EPUB."""
    found = items(book)
    package = templates.page(
        "epub_package",
        book=book, items=found, title=f"{book.title} {book.run}".strip(), author=citation.AUTHOR, cited=citation.text(book.work),
        licence=f"{citation.LICENCE}, {citation.LICENCE_ADDRESS}", accessibility=ACCESSIBILITY,
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, f"{book.stem} {book.record.get('seal', '')}"),
    )  # fmt: skip
    files = {"META-INF/container.xml": CONTAINER.encode(), "EPUB/package.opf": package.encode()}
    return zips.zipped(  # the first is stored, as EPUB asks: so few bytes do not get fewer
        {"mimetype": b"application/epub+zip", **files, **{f"EPUB/{item.name}": item.content for item in found}}
    )


def items(book: Book) -> list[Item]:
    """Every file of the book but the list of them: first those that are read, in turn."""
    title = templates.piece("epub_title", book=book, author=citation.AUTHOR, cited=citation.text(book.work))
    read = [
        Item("title.xhtml", XHTML, _page(book.title, title), read=True),
        Item("nav.xhtml", XHTML, _nav(book), "nav", read=True),
    ]
    read += [_chapter(book, chapter) for chapter in book.chapters]
    drawn = [Item(f"images/{name}", SVG, _of_both(book, name)) for name in book.pictures]
    letters = sorted(fonts.FOLDER.glob("*.ttf"))
    set_in = [Item(f"fonts/{path.name}", FONT, path.read_bytes()) for path in letters]
    return [*read, Item("book.css", CSS, (chapters.FILES / "epub.css").read_bytes()), *set_in, *drawn]


def _of_both(book: Book, name: str) -> bytes:
    """A picture for light and for dark pages, where the two differ in colours alone; others stand on white paper on both."""
    picture = book.pictures[name]
    return START.sub(rf"\g<0>{IN_THE_DARK}", picture.decode(), count=1).encode() if name in book.recoloured else picture


IN_THE_DARK = "<style>@media (prefers-color-scheme: dark) {{ {} }}</style>".format(
    " ".join(
        f'[{what}="{pair["light"]}"] {{ {what}: {pair["dark"]} }}'
        for pair in theme.BY_MODE
        for what in ("fill", "stroke")
    )
)
"""A style goes before what an element says of itself: so the colours of the theme change with the page."""


def _page(title: str, body: Markup) -> bytes:
    return templates.page("epub_page", title=title, body=body).encode()


def _nav(book: Book) -> bytes:
    contents = [(chapter, list(chapters.sections(chapter))) for chapter in book.chapters]
    figures = [(chapter.name, *figure) for chapter in book.chapters for figure in chapters.figures(chapter)]
    return _page("Contents", templates.piece("epub_nav", contents=contents, figures=figures))


def _chapter(book: Book, chapter: Chapter) -> Item:
    body = chapters.relinked(book, chapter, lambda place: _address(chapter, place))
    chapters.unfolded(body)
    for image in body.xpath("descendant::img"):
        name = chapters.picture_name(image.get("src"))
        image.set("src", f"images/{name}")
        if name in book.recoloured:
            image.set("class", "of-both")
        image.attrib.pop("loading", None)
    for element in body.iter():
        for name in [name for name in element.attrib if name.startswith("data-")]:
            del element.attrib[name]
    for drawing in body.iter("svg"):
        drawing.set("xmlns", "http://www.w3.org/2000/svg")
        if (box := drawing.attrib.pop("viewbox", None)) is not None:  # the parser of HTML writes all names small
            drawing.set("viewBox", box)
    text = Markup(etree.tostring(body, encoding="unicode"))  # noqa: S704 - parsed from the site, and written by the parser
    holds = " ".join(kind for kind, tag in (("mathml", "math"), ("svg", "svg")) if body.find(f".//{tag}") is not None)
    return Item(f"{chapter.name}.xhtml", XHTML, _page(chapter.title, text), holds, read=True)


def _address(chapter: Chapter, place: Place) -> str:
    page = "" if place.chapter == chapter.name and place.fragment else f"{place.chapter}.xhtml"
    return f"{page}#{place.fragment}" if place.fragment else page
