"""The chapters of a built site as they stand outside a browser: in the book's order, without what only a browser can use.

Everything is read off the site itself, so that an edition frozen years ago can be exported by a program of today.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lxml import html

from analysis.book.pictures.lettering import lettered
from analysis.book.pictures.on_page import recoloured
from analysis.book.record import cite
from analysis.book.record.citation import BOOK, LICENCE, TITLE, Work, run_mark
from analysis.book.store import verify
from analysis.book.store.files import read_text
from analysis.errors import InputError, Problem

FILES = Path(__file__).parent / "files"
"""Style sheets and the plugin, as they go into what is exported."""
Element = Any
"""An element of lxml, which has no types."""
DROPPED = (
    "self::script", "self::style", "self::noscript", "self::button", "parent::form and not(@data-ask='answer')",
    *(f"contains(concat(' ', @class, ' '), ' {name} ')" for name in (
        "headerlink", "hide", "mw-actions", "vega-bindings", "mw-live", "mw-dark", "toctree-wrapper", "mw-more",
    )),
)  # fmt: skip
"""What is nothing without a browser, as conditions of XPath."""


class Place(NamedTuple):
    """A place in the book: a chapter, and what stands there; empty for its beginning."""

    chapter: str
    fragment: str = ""


@dataclass(frozen=True)
class Chapter:
    """A page of the book: its name, its title with its number, its address in the site, its body."""

    name: str
    title: str
    page: str
    body: Element

    @property
    def ids(self) -> set[str]:
        """What can be pointed at in it."""
        return set(self.body.xpath("descendant-or-self::*/@id"))


@dataclass(frozen=True)
class Book:
    """The chapters of a site, and what the site says of itself."""

    site: Path
    work: Work
    record: dict[str, Any]
    chapters: tuple[Chapter, ...]

    @property
    def stem(self) -> str:
        """The name of its files, without their ending: ``memory-wall-2026.11``; a run never has the name of the book."""
        return self.work.key

    @property
    def title(self) -> str:
        """The title of the cover: the book's own, or that of a run."""
        given = str(self.record["parameters"].get("title", TITLE))
        return BOOK if given == TITLE else given

    @property
    def run(self) -> str:
        """The mark of a run that is not the published book; empty for the book."""
        return run_mark(self.work.run)

    @property
    def line(self) -> str:
        """The line that every page of another medium carries."""
        given = str(self.record["parameters"].get("title", TITLE))
        mark = " · not the published book but a run of it" if self.work.run else ""
        return f"{given}, edition {self.work.edition} · {LICENCE}{mark}"

    @cached_property
    def _by_page(self) -> dict[str, Chapter]:
        return {chapter.page: chapter for chapter in self.chapters}

    def within(self, chapter: Chapter, address: str) -> Place | None:
        """The place in the book that a link of a chapter leads to; None where it leads elsewhere."""
        page, _, fragment = _joined(chapter, address).partition("#")
        found = self._by_page.get(page)
        if found is None and re.fullmatch(r"figures/[\w-]+/(index\.html)?", page):
            return self._figure(page.split("/")[1])
        if found is None:
            return None
        return Place(found.name, fragment if fragment in found.ids else "")

    def _figure(self, name: str) -> Place | None:
        return next((Place(chapter.name, name) for chapter in self.chapters if name in chapter.ids), None)

    def outside(self, chapter: Chapter, address: str) -> str:
        """The full address of what lies beyond the book; empty where it has none: a relative one means nothing on paper."""
        if re.match(r"https?://", address):
            return address
        base = str(self.record.get("address") or "")
        return f"{base.rstrip('/')}/{_joined(chapter, address)}" if base and not re.match(r"[a-z]+:", address) else ""

    @cached_property
    def pictures(self) -> dict[str, bytes]:
        """Name → SVG of every picture, with the letters it is set in; raises InputError where the site lacks one."""
        return {name: lettered(self._picture(place)).encode() for name, place in self._places.items()}

    @cached_property
    def recoloured(self) -> frozenset[str]:
        """Names of those that differ from the picture of the dark page in the colours of the theme and in nothing else."""
        dark = {place: self._picture(place.replace("-light.", "-dark.")) for place in self._places.values()}
        both = {place for place in dark if recoloured(self._picture(place), "light", "dark") == dark[place]}
        return frozenset(name for name, place in self._places.items() if place in both)

    @cached_property
    def _places(self) -> dict[str, str]:
        """Name of each picture → where it lies in the site."""
        return {
            picture_name(source): _joined(chapter, source)
            for chapter in self.chapters
            for source in chapter.body.xpath("descendant::img/@src")
        }

    def _picture(self, name: str) -> str:
        if not (self.site / name).is_file():
            raise _damaged(self.site, f"no {name}")
        return read_text(self.site / name)


def picture_name(source: str) -> str:
    """The name of a picture by where it lies in the site, in a folder that its figure has for itself: ``roofline.svg``."""
    return f"{posixpath.basename(posixpath.dirname(source))}.svg"


def _joined(chapter: Chapter, address: str) -> str:
    if address.startswith("#"):
        return chapter.page + address
    return posixpath.normpath(posixpath.join(posixpath.dirname(chapter.page), address))


def read(site: Path) -> Book:
    """The book of a site; raises InputError where there is none, or where pages of it are missing."""
    work = cite.published_work(site, cite.BOOK)
    chapters = tuple(_chapter(site, page) for page in _pages(site))
    return Book(site, work, verify.read_edition(site), chapters)


def _pages(site: Path) -> list[str]:
    """The pages in the book's order: the landing page, then what the navigation beside it lists."""
    listed = _parsed(site, "index.html").xpath(
        "//nav[contains(@class, 'bd-links')]//li[contains(@class, 'toctree-l1')]/a/@href"
    )
    found = list(dict.fromkeys(["index.html", *(page.partition("#")[0] for page in listed if page.partition("#")[0])]))
    if len(found) < 2:
        raise _damaged(site, "no list of chapters in index.html")
    return found


def _parsed(site: Path, page: str) -> Element:
    path = site / page
    if not path.is_file():
        raise _damaged(site, f"no {page}")
    return html.document_fromstring(read_text(path))


def _damaged(site: Path, found: str) -> InputError:
    return InputError([Problem(str(site), found, "a complete site", "Build it again: memory-wall build.")])


def _chapter(site: Path, page: str) -> Chapter:
    articles = _parsed(site, page).xpath("//article[contains(@class, 'bd-article')]/section")
    if not articles:
        raise _damaged(site, f"no chapter in {page}")
    body = deepcopy(articles[0])
    body.tail = None
    _clean(body)
    heading = body.find(".//h1")
    title = _text(heading) if heading is not None else page
    return Chapter(Path(page).stem, title, page, body)


def _clean(body: Element) -> None:
    """Take away what only a browser can use, and open what it would unfold."""
    for element in body.xpath(f"descendant::*[{' or '.join(DROPPED)}]") + body.xpath("descendant::comment()"):
        drop(element)
    for picture in body.xpath("descendant::picture"):
        picture.getparent().replace(picture, _with_tail(picture.find(".//img"), picture.tail))
    for element in body.xpath("descendant::form | descendant::*[@data-ask]"):
        element.tag = "div" if element.tag == "form" else element.tag
        for name in set(element.attrib) - {"class", "id"}:
            del element.attrib[name]
    for empty in reversed(body.xpath("descendant::div[not(node()[normalize-space()]) and not(descendant::img)]")):
        drop(empty)


def _with_tail(element: Element, tail: str | None) -> Element:
    element.tail = tail
    return element


def drop(element: Element) -> None:
    """Take an element away, and keep the text behind it."""
    if element.getparent() is not None:
        element.drop_tree() if hasattr(element, "drop_tree") else element.getparent().remove(element)


def shown(chapter: Chapter) -> Iterator[tuple[str, str]]:
    """(id, text) of each published number and of each published text that the sentences of a chapter show, in their order."""
    for element in chapter.body.iter("a", "span"):
        if key := said(element):
            yield key, _text(element)


def said(element: Element) -> str:
    """The id of the published number or text that an element is; empty for any other, as a term with its sentence in the glossary."""
    is_number = "mw-value" in (element.get("class") or "").split() and not element.get("data-more")
    return element.get("data-said") or (element.get("href").partition("#")[2] if is_number else "")


def relinked(book: Book, chapter: Chapter, target: Callable[[Place], str]) -> Element:
    """The body of a chapter with every link leading somewhere in its medium; what leads nowhere is plain text there.

    ``target`` gives the address of a place within the book.
    """
    body = deepcopy(chapter.body)
    for link in body.xpath("descendant::a[@href]"):
        place = book.within(chapter, link.get("href"))
        address = target(place) if place else book.outside(chapter, link.get("href"))
        for name in set(link.attrib) - {"class"}:
            del link.attrib[name]
        if address:
            link.set("href", address)
        else:
            link.tag = "span"
    return body


def unfolded(body: Element) -> None:
    """Show what is folded: reasons in the last column of a table as a row of their own, answers as they are."""
    for fold in body.xpath("descendant::td[not(following-sibling::td)]/details[summary]"):
        _as_row(fold)
    for table in body.xpath("descendant::table[descendant::tr[@class='mw-reason']]"):
        drop(table.xpath("thead/tr/th[last()]")[0])
    for fold in body.xpath("descendant::details"):
        fold.tag = "div"
        if (summary := fold.find("summary")) is not None:
            summary.tag = "p"


def _as_row(fold: Element) -> None:
    cell, row = fold.getparent(), fold.getparent().getparent()
    width = len(row) - 1
    drop(fold.find("summary"))
    reason = html.fromstring(f'<table><tr class="mw-reason"><td colspan="{width}"></td></tr></table>').find(".//tr")
    fold.tag, fold.tail = "div", None
    reason[0].append(fold)
    row.addnext(reason)
    drop(cell)


def sections(chapter: Chapter) -> Iterator[tuple[str, str]]:
    """(id, title) of the sections of a chapter."""
    for part in chapter.body.xpath("descendant::section[@id][h2]"):
        yield part.get("id"), _text(part.find("h2"))


def figures(chapter: Chapter) -> Iterator[tuple[str, str]]:
    """(id, number and title) of the figures of a chapter."""
    for figure in chapter.body.xpath("descendant::figure[@id]"):
        number = figure.xpath("descendant::*[@class='caption-number']")
        title = figure.xpath("descendant::*[@class='mw-figure-title']")
        yield figure.get("id"), " ".join(_text(part) for part in [*number, *title])


def _text(element: Element) -> str:
    return " ".join(element.text_content().split())


def without(element: Element, child: Element) -> Element:
    """A copy of an element without one of its children."""
    copy = deepcopy(element)
    drop(copy[list(element).index(child)])
    return copy
