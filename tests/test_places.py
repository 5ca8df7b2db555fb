"""Every place a page names beside its links: what is copied, what previews and search engines read; under a path and from a disk."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen
from xml.etree import ElementTree

import bibtexparser
import pytest
from bs4 import BeautifulSoup
from lxml import etree, html

from analysis.book.inputs import parameters
from tests.small import FIGURE, Book

PREFIX = "books/mw"
NAMED = etree.XPath(
    "//@data-link | //@data-embed | //@data-rows | //@data-charts | //link[@rel='canonical']/@href"
    " | //meta[@property='og:image' or @property='og:url' or @name='citation_public_url']/@content"
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing in the output of the tests."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a path on a server, and the place for what is served there."""
    root = tmp_path_factory.mktemp("server")
    place = root / PREFIX
    place.parent.mkdir(parents=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{PREFIX}", place
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, served: tuple[str, Path]) -> tuple[str, Path]:
    """A small book at an address: one edition frozen, and the book built once more after it."""
    address, place = served
    book = Book(tmp_path_factory.mktemp("small"))
    book.write("index", FIGURE.replace("small-", "landing-").replace("# A figure", "# The landing page"))
    done = book.run("release", "--edition", "2026.09", "--date", "2026-09-30", "--address", address)
    assert done.returncode == 0, done.stderr
    done = book.run("build", "--address", address)
    assert done.returncode == 0, done.stderr
    book.site.rename(place)
    return address, place


def named(page: Path) -> list[str]:
    return [str(found) for found in NAMED(html.parse(page))]


def is_there(address: str) -> bool:
    try:
        with urlopen(address.partition("#")[0]) as answer:  # noqa: S310 - this machine's own address, or a file of it
            return answer.status in (200, None)
    except URLError:
        return False


def missing(folder: Path, base: str) -> list[str]:
    """What the pages of a site name that is not where they are read; ``base`` is its address with a slash at the end."""
    pages = [page for page in sorted(folder.rglob("*.html")) if "_static" not in page.parts]
    places = {
        (page, name): urljoin(base + page.relative_to(folder).as_posix(), name)
        for page in pages
        for name in named(page)
    }
    assert len({name for _, name in places}) > 10
    there = {place: place.startswith(base) and is_there(_file(place)) for place in set(places.values())}
    return [f"{page.relative_to(folder)}: {name}" for (page, name), place in places.items() if not there[place]]


def _file(place: str) -> str:
    return f"{place}index.html" if place.startswith("file:") and place.endswith("/") else place


def test_what_the_pages_of_the_book_name_is_there(site: Path, served: tuple[str, Path]) -> None:
    address, place = served
    elsewhere = place.with_name("whole")
    elsewhere.symlink_to(site)
    assert missing(site, f"{site.as_uri()}/") == []
    assert missing(site, f"{address.removesuffix('mw')}whole/") == []


def test_with_an_address_everything_names_it_editions_too(released: tuple[str, Path]) -> None:
    address, place = released
    assert missing(place, f"{address}/") == []
    canonical = {page: BeautifulSoup((place / page).read_text(encoding="utf-8"), "html.parser").select_one("link[rel=canonical]")
                 for page in ("index.html", "chapters/index.html", "figures/small-figure/embed.html")}  # fmt: skip
    told = {page: found["href"] if found else None for page, found in canonical.items()}
    figure = f"{address}/figures/small-figure/"
    assert list(told.values()) == [f"{address}/", f"{address}/", figure]


def test_the_map_lists_each_page_once_under_the_name_it_gives_itself(released: tuple[str, Path]) -> None:
    address, place = released
    listed = [item.text for item in ElementTree.parse(place / "sitemap.xml").iter() if item.tag.endswith("loc")]
    assert len(listed) == len(set(listed))
    assert f"{address}/" in listed
    assert f"{address}/chapters/index.html" not in listed
    assert all(is_there(str(one)) for one in listed)


def test_an_edition_cites_the_place_where_it_stays_and_the_newest_book_its_own(released: tuple[str, Path]) -> None:
    address, place = released
    for folder, base in ((place / "editions" / "2026.09", f"{address}/editions/2026.09"), (place, address)):
        text = (folder / "figures" / "small-figure" / "small-figure.bib").read_text(encoding="utf-8")
        assert bibtexparser.loads(text).entries[0]["url"] == f"{base}/figures/small-figure/"
        assert json.loads((folder / "edition.json").read_text(encoding="utf-8"))["address"].rstrip("/") == base


def test_an_edition_bears_its_own_date_and_the_newest_book_that_of_its_parameters(released: tuple[str, Path]) -> None:
    _, place = released
    told = {
        folder: json.loads((folder / "edition.json").read_text(encoding="utf-8"))["parameters"]
        for folder in (place / "editions/2026.09", place)
    }
    dates = [(one["edition"], one["edition_date"]) for one in told.values()]
    assert dates == [
        ("2026.09", "2026-09-30"),
        (parameters.defaults()["edition"], parameters.defaults()["edition_date"]),
    ]
    assert "2026-09-30" in (place / "feed.xml").read_text(encoding="utf-8")


def embeds(page: Path) -> dict[str, str]:
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    return {button.text: str(button["data-embed"]) for button in soup.select("[data-embed]")}


def test_a_frame_for_good_is_offered_where_there_is_one(site: Path, released: tuple[str, Path]) -> None:
    _, place = released
    assert set(embeds(site / "figures" / "roofline" / "index.html")) == {"Copy embed code, newest edition"}
    pinned = "Copy embed code, edition 2026.09 for good"
    for folder in (place, place / "editions" / "2026.09"):
        page = folder / "figures" / "small-figure" / "index.html"
        offered = embeds(page)
        assert (page.parent / offered[pinned]).resolve() == place / "editions/2026.09/figures/small-figure/embed.html"
        assert (
            page.parent / offered["Copy embed code, newest edition"]
        ).resolve() == place / "figures/small-figure/embed.html"


def test_links_of_an_edition_to_other_editions_lead_out_of_it(released: tuple[str, Path]) -> None:
    _, place = released
    page = place / "editions" / "2026.09" / "index.html"
    links = [
        str(link["href"])
        for link in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select("a[href*=editions]")
    ]
    assert links
    assert all((page.parent / link).resolve() == place / "editions" / "index.html" for link in links)
