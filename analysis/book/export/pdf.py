"""The book as one PDF: cover, contents with page numbers, chapters; the same bytes from the same browser."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
from lxml import html
from markupsafe import Markup

from analysis import fonts
from analysis.book.export import browser, chapters
from analysis.book.export.chapters import Book, Chapter, Element, Place
from analysis.book.pictures.lettering import START, plain
from analysis.book.record import citation
from analysis.book.store import templates

PLACEHOLDER = re.compile(r"mw-picture-(\d+)-")
CLIP = re.compile(r'(?<=\bid=")(?=\w)|(?<=url\(#)')
"""Where a name begins that a picture gives to a part of itself: two pictures of one page give the same."""
TALL = 0.85
"""Height by width of a chart that has rows to read: it gets more of a page than others."""
MARGIN_POINT = 22 * 72 / 25.4
"""Above and below the text, as the style sheet has it."""
FEW = 0.15
"""Share of a page that the end of a part has to fill, or the part is set tighter: so many lines are not worth a page."""
TIGHTEST = 2
"""Steps of the style sheet by which a part is set tighter, as far as it needs."""
CONTENTS = "contents"
PALE = 200
"""From here on up a shade of 255 is paper."""
FONTS = {"Regular": ("400", "normal"), "Semibold": ("600 700", "normal"), "It": ("400", "italic")}


def made(book: Book) -> bytes:
    """The PDF; printed again for parts that have to be set tighter, and for the contents, whose pages are then known."""
    browser.required()
    bodies = [(chapter, _body(book, chapter)) for chapter in book.chapters]

    def printed(numbers: dict[str, int], tight: Mapping[str, int]) -> bytes:
        with TemporaryDirectory() as folder:
            page = Path(folder) / "book.html"
            page.write_text(_document(book, bodies, numbers, tight), encoding="utf-8")
            return browser.printed(page)

    tight: dict[str, int] = {}
    document = printed({}, tight)
    for step in range(1, TIGHTEST + 1):
        few = parts_with_few_lines_on_their_last_page(book, document)
        if few:
            tight |= dict.fromkeys(few, step)
            document = printed({}, tight)
    return _finished(printed(page_numbers(document), tight), book)


def parts_with_few_lines_on_their_last_page(book: Book, document: bytes) -> list[str]:
    """The contents and the chapters whose last page holds nearly nothing, in the order of the book."""
    numbers = page_numbers(document)
    parts = [CONTENTS, *(chapter.name for chapter in book.chapters)]
    with pypdfium2.PdfDocument(document) as opened:
        ends = [*(numbers[_anchor(Place(chapter.name))] - 1 for chapter in book.chapters), len(opened)]
        return [part for part, end in zip(parts, ends, strict=True) if filled(opened[end - 1]) < FEW]


def filled(page: pypdfium2.PdfPage) -> float:
    """The share of a page's height between its margins down to which something is drawn."""
    rows = page.render(scale=0.5).to_numpy().min(axis=(1, 2))
    margin = round(MARGIN_POINT / page.get_height() * len(rows))
    text = rows[margin : len(rows) - margin]
    return float(np.flatnonzero(text < PALE).max(initial=0) / len(text))


def _document(
    book: Book, bodies: list[tuple[Chapter, Markup]], numbers: dict[str, int], tight: Mapping[str, int]
) -> str:
    return templates.page(
        "print",
        book=book, author=citation.AUTHOR, cited=citation.text(book.work), bodies=bodies, contents=_contents(book), numbers=numbers,
        tight=tight,
        style=Markup(_style(book)),  # noqa: S704 - our own style sheet; its one line of text is quoted for CSS
    )  # fmt: skip


def _style(book: Book) -> str:
    faces = [
        f'@font-face {{ font-family: "Memory Wall Sans"; font-weight: {weight}; font-style: {style}; '
        f"src: url(data:font/ttf;base64,{b64encode(fonts.file(name).read_bytes()).decode()}); }}"
        for name, (weight, style) in FONTS.items()
    ]
    sheet = (chapters.FILES / "print.css").read_text(encoding="utf-8")
    heads = [
        f'@page p-{number} {{ @top-right {{ content: "{_quoted(chapter.title)}"; font: 8pt "Memory Wall Sans"; color: #5b6673; }} }}'
        for number, chapter in enumerate(book.chapters, 1)
    ]
    return "\n".join([*faces, sheet.replace("LINE", _quoted(book.line)), *heads])


def _quoted(text: str) -> str:
    """A text within a string of CSS within a style element."""
    return re.sub(r'["\\<>&\n]', lambda found: f"\\{ord(found[0]):x} ", text)


def _anchor(place: Place) -> str:
    """The id in the one page of what has an id of its own in a chapter."""
    return f"{place.chapter}--{place.fragment}"


def _body(book: Book, chapter: Chapter) -> Markup:
    body = chapters.relinked(book, chapter, lambda place: f"#{_anchor(place)}")
    chapters.unfolded(body)
    for element in body.xpath("descendant-or-self::*[@id]"):
        element.set("id", _anchor(Place(chapter.name, element.get("id"))))
    images = body.xpath("descendant::img")
    drawn = [_drawn(book, image, f"{chapter.name}-{place}") for place, image in enumerate(images)]
    for place, image in enumerate(images):
        told = {"role": "img", "aria-label": image.get("alt")} if image.get("alt") else {"aria-hidden": "true"}
        image.attrib.clear()
        image.attrib.update(told)
        image.tag, image.text = "span", f"mw-picture-{place}-"
    text = PLACEHOLDER.sub(lambda found: drawn[int(found[1])], html.tostring(body, encoding="unicode"))
    return Markup(text)  # noqa: S704 - parsed from the site, and written by the parser; pictures are our own


def _drawn(book: Book, image: Element, key: str) -> str:
    """A picture as part of the page, set in the font of the page: one that carries its own is kept in an order that differs."""
    picture = plain(book.pictures[chapters.picture_name(image.get("src"))].decode())
    picture = CLIP.sub(lambda found: f"{found[0]}{key}-", picture)
    tall = ' class="tall"' if int(image.get("height", 0)) > TALL * int(image.get("width", 1)) else ""
    return START.sub(lambda found: f'{found[0][:-1]}{tall} preserveAspectRatio="xMinYMin meet">', picture, count=1)


def _contents(book: Book) -> list[tuple[Chapter, list[tuple[str, str]]]]:
    """Each chapter with the places and the titles of its sections."""
    return [
        (chapter, [(_anchor(Place(chapter.name, part)), title) for part, title in chapters.sections(chapter)])
        for chapter in book.chapters
    ]


def _bookmark(opened: Any, book: Book) -> None:
    """The outline beside the pages: what the contents list."""
    places = opened.Root.Dests

    def item(title: str, name: str) -> pikepdf.OutlineItem:
        return pikepdf.OutlineItem(title, destination=places[f"/{name}"])

    with opened.open_outline() as outline:
        for chapter, sections in _contents(book):
            whole = item(chapter.title, _anchor(Place(chapter.name)))
            whole.children += [item(title, name) for name, title in sections]
            outline.root.append(whole)


def page_numbers(document: bytes) -> dict[str, int]:
    """Name of each place that links lead to → the number of its page, counted from the cover."""
    with pikepdf.open(io.BytesIO(document)) as opened:
        pages: dict[Any, int] = {page.objgen: number for number, page in enumerate(opened.pages, 1)}
        found: Any = opened.Root.get("/Dests", {})
        return {str(name).removeprefix("/"): pages[place[0].objgen] for name, place in found.items()}


def _finished(document: bytes, book: Book) -> bytes:
    """The PDF with what it says of itself, and without what differs from one printing to the next."""
    about = {
        "/Title": f"{book.title} {book.run}".strip(),
        "/Author": citation.AUTHOR,
        "/Subject": citation.text(book.work),
        "/Creator": "memory-wall export",
    }
    day = re.sub(r"\D", "", book.work.date)
    with pikepdf.open(io.BytesIO(document)) as opened:
        for name, text in {**about, "/CreationDate": f"D:{day}000000Z", "/ModDate": f"D:{day}000000Z"}.items():
            opened.docinfo[name] = text
        opened.Root.Lang = "en"
        opened.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        opened.Root.PageMode = pikepdf.Name.UseOutlines
        _bookmark(opened, book)
        _describe(opened)
        out = io.BytesIO()
        opened.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _describe(opened: Any) -> None:
    with opened.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as told:
        told.load_from_docinfo(opened.docinfo)
        told["dc:language"] = {"en"}
        told["dc:rights"], told["xmpRights:WebStatement"] = citation.LICENCE, citation.LICENCE_ADDRESS
