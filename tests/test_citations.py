"""Everything that can be cited is read back by parsers that did not write it."""

from __future__ import annotations

import html
import io
import json
import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import bibtexparser
import bs4
import feedparser
import pikepdf
import pytest
import rispy
import yaml
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from lxml.html import fromstring
from PIL import Image
from pyld import jsonld

from analysis import cli, tables
from analysis.book.pages import figure_files
from analysis.book.pictures import renderer
from analysis.book.record import citation, cite, editions
from analysis.errors import InputError
from analysis.figures import Figure
from analysis.mcp import lookup
from tests.conftest import ROOT, names_below
from tests.small import FIGURE, Book, cells

ADDRESS = "https://book.example"
WORK = citation.Work(
    kind="figure", id="roofline", title="A phone uses 0.7 % of its peak: µ & “b_w” #1", edition="2026.11", date="2026-11-22",
    address=f"{ADDRESS}/figures/roofline/", number="1.2",
)  # fmt: skip


def figures(site: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((site / "figures.json").read_text(encoding="utf-8"))
    return found


def linked_data(page: Path) -> list[dict[str, Any]]:
    text = page.read_text(encoding="utf-8")
    return [
        json.loads(block)
        for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, flags=re.DOTALL)
    ]


def test_bibtex_keeps_special_characters() -> None:
    parsed = bibtexparser.loads(citation.bibtex(WORK)).entries[0]
    assert parsed["ID"] == "memory-wall-2026.11-roofline"
    assert "\\%" in parsed["title"]
    assert "\\&" in parsed["title"]
    assert parsed["url"] == WORK.address


def test_ris_is_read_back() -> None:
    parsed = rispy.loads(citation.ris(WORK))[0]
    assert parsed["title"] == WORK.title
    assert parsed["year"] == "2026"
    assert parsed["type_of_reference"] == "FIGURE"
    assert parsed["urls"] == [WORK.address]


def test_a_name_that_is_no_persons_ends_with_a_comma_in_ris() -> None:
    assert "AU  - The Memory Wall authors,\n" in citation.ris(WORK)


def forms(work: citation.Work) -> dict[str, str]:
    csl = json.dumps(citation.csl(work), ensure_ascii=False)
    return {"text": citation.text(work), "bibtex": citation.bibtex(work), "csl": csl, "ris": citation.ris(work)}


def test_every_form_names_the_licence() -> None:
    for form, told in forms(WORK).items():
        assert citation.LICENCE in told, form


def test_a_run_says_so_in_every_form_and_has_a_key_of_its_own() -> None:
    run = replace(WORK, run=("1 row added in devices", "context token = 4096 (not 2048)"))
    for form, told in forms(run).items():
        assert "not the published book but a run with 1 row added in devices" in told, form
        assert "not the published book" not in forms(WORK)[form], form
    assert run.key != WORK.key
    assert run.key != replace(run, run=("2 rows added in devices",)).key


def test_a_run_of_many_changes_is_told_in_a_line() -> None:
    changes = [f"{count} rows changed in a table" for count in range(2, 40)]
    told = citation.run_mark(changes)
    assert "35 more changes" in told
    assert len(told) < 200
    assert citation.run_mark([]) == ""


@pytest.fixture(scope="module")
def run_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book run with a device and a parameter of somebody's own; one of its chapters rests on neither."""
    book = Book(tmp_path_factory.mktemp("run"))
    book.write("figure", FIGURE.replace("head(12)", "tail(12)"))
    book.write("still", STILL)
    book.write("prose", "\n# Prose\n\nThe context is {value}`small-context`.\n")
    own = book.folder / "own"
    own.mkdir()
    cells = {
        "device_id": "my-laptop", "name": "My laptop", "vendor": "ACME", "device_class": "laptop", "release_date": "2026-11", "chip": "X1",
        "memory_bandwidth_gbyte_per_s": "120", "memory_capacity_gibyte": "16", "default_set": "2026",
    }  # fmt: skip
    (own / "devices.csv").write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n", encoding="utf-8")
    another = ("--set", "context_token=4096")
    runs = (
        (*another, "--out", "_build/set"),
        ("--data", str(own), *another, "--title", "My run", "--out", "_build/run"),
    )
    for asked in ((), *runs):
        done = book.run("build", *asked)
        assert done.returncode == 0, done.stderr
    return book.folder / "_build" / "run"


STILL = (
    FIGURE.replace("small-", "still-").replace("context_token", "token_per_word").replace("int = 2048", "float = 2.0")
)
"""A chapter that reads the table in which a row is added, and shows none of its last."""


@pytest.fixture(scope="module")
def published_site(run_site: Path) -> Path:
    """The same book as it is published."""
    return run_site.with_name("html")


CHANGED = {
    "index.html", "index.md", "chapters/figure.html", "chapters/figure.md", "chapters/prose.html", "chapters/prose.md",
    "numbers.html", "numbers.md", "numbers.json", "figures/index.html", "figures/index.md", "figures.json",
    *(f"tables/{table}.{ending}" for table in ("devices", "sources") for ending in ("html", "md", "csv", "rows.js")),
    "edition.json", "croissant.json", "search-index.js", "search-rows.js", "objects.inv", "xref/numbers.json",
    "openapi.json",
}  # fmt: skip
"""What of the site differs besides the folder of the figure that does."""
OF_THE_DATA = {name for name in CHANGED if name.startswith("tables/")} | {
    "croissant.json", "search-rows.js", "figures/index.html", "figures/index.md", "figures.json",
}  # fmt: skip
"""What of these rests on the data alone, as the figure does."""


def test_a_file_that_rests_on_nothing_changed_is_the_published_one(run_site: Path, published_site: Path) -> None:
    names = names_below(published_site)
    own = {name for name in names if name.startswith("figures/small-figure/")}
    for site, changed in ((run_site, CHANGED | own), (run_site.with_name("set"), CHANGED - OF_THE_DATA)):
        assert names_below(site) == names
        differing = {name for name in names if (site / name).read_bytes() != (published_site / name).read_bytes()}
        assert differing == changed


NOTE = re.compile(r'<aside class="mw-run".*?</aside>\s*|<p class="mw-run">.*?</p>', re.DOTALL)
MARKED = re.compile(
    r"\[not the published book[^]]*\]|Not the published book: .*?\. (?=Licence)|-run-[0-9a-f]{8}|My run|The Memory Wall"
)


def unmarked(text: str) -> str:
    """What a page says besides whether it is a run's, and under which title."""
    return " ".join(MARKED.sub("", html.unescape(NOTE.sub("", text))).split())


def test_what_differs_says_so_and_nothing_else_does(run_site: Path, published_site: Path) -> None:
    for page in sorted(run_site.rglob("*.html")):
        text, published = (
            (folder / page.relative_to(run_site)).read_text(encoding="utf-8") for folder in (run_site, published_site)
        )
        speaks = NOTE.search(text) is not None
        assert speaks == (text != published) == ("My run" in text or (speaks and page.name == "embed.html")), page
        assert speaks == (unmarked(text) != unmarked(published)) or page == run_site / "index.html", page


def test_each_thing_is_cited_as_what_it_is(run_site: Path) -> None:
    added, changed = "1 row added in devices", "context token = 4096 (not 2048)"
    run = {
        "book": (added, changed),
        "small-figure": (added, changed),
        "still-figure": (),
        "devices": (added,),
        "models": (),
    }
    assert {key: cite.published_work(run_site, key).run for key in run} == run
    told = json.loads(
        (run_site / "figures" / "still-figure" / "still-figure.metadata.json").read_text(encoding="utf-8")
    )
    assert told["parameters"] == {"token_per_word": 2.0}
    assert lookup.cited(run_site, "still-figure").get("run") is None
    assert lookup.cited(run_site, "small-figure")["run"] == [added, changed]


MARK = "run with 1 row added in devices and context token = 4096 (not 2048)"


def contents(folder: Path) -> dict[str, str]:
    """File → its text, and of a picture what is drawn in it, or what it says of itself; of an archive, those of its files."""
    found = {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.glob("*.*")
        if path.suffix not in (".png", ".pdf", ".zip")
    }
    name = folder.name
    for file in (f"{name}.png", figure_files.CARD):
        with Image.open(folder / file) as picture:
            found[file] = json.dumps(picture.info, default=str, ensure_ascii=False)
    with pikepdf.open(folder / f"{name}.pdf") as document:
        found[f"{name}.pdf"] = str(document.docinfo["/Subject"])
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        found[f"{name}.zip"] = archive.read(f"{name}.bib").decode()
    return {
        file: " ".join(html.unescape(re.sub(r"</text><text[^>]*>", " ", text)).split()) for file, text in found.items()
    }


def test_every_file_of_a_run_that_can_leave_the_site_says_so(run_site: Path) -> None:
    data = ("small-figure.csv", "data.rows.js")  # tables of numbers and nothing else: metadata.json stands beside them
    pictures = {f"{width}-{mode}.svg" for width in ("wide", "phone") for mode in ("light", "dark")}
    drawn = {"chart.js", *pictures}  # parts of pages that say it
    told = {
        file: text
        for file, text in contents(run_site / "figures" / "small-figure").items()
        if file not in {*data, *drawn}
    }
    endings = {file.ending for file in figure_files.FILES} - {"csv"}
    assert set(told) == {"embed.html", "index.html", "index.md", "card.png"} | {
        f"small-figure.{ending}" for ending in endings
    }
    for file, text in told.items():
        assert MARK in text or "run of it with 1 row added in devices" in text, file
    for catalogue in ("numbers.json", "edition.json", "croissant.json"):
        assert "1 row added in devices" in (run_site / catalogue).read_text(encoding="utf-8")


def test_the_citation_of_a_run_is_the_same_from_the_command_line_and_the_site(run_site: Path) -> None:
    folder = run_site / "figures" / "small-figure"
    assert citation.FORMATS["bibtex"].write(cite.published_work(run_site, "small-figure")) == (
        folder / "small-figure.bib"
    ).read_text(encoding="utf-8")
    assert MARK in citation.FORMATS["text"].write(cite.published_work(run_site, "book"))


def test_pictures_say_what_they_are_and_under_which_licence(site: Path) -> None:
    for figure in figures(site):
        base = site / "figures" / figure["id"] / figure["id"]
        cited = json.loads(Path(f"{base}.metadata.json").read_text(encoding="utf-8"))["citation"]
        with Image.open(base.with_suffix(".png")) as picture:
            said = picture.info
            assert (said["Title"], said["Comment"]) == (figure["title"], cited)
            assert citation.LICENCE_ADDRESS in said["Copyright"]
        with pikepdf.open(base.with_suffix(".pdf")) as document:
            assert (str(document.docinfo["/Title"]), str(document.docinfo["/Subject"])) == (figure["title"], cited)
            assert document.Root.Lang == "en"
            assert document.open_metadata()["xmpRights:WebStatement"] == citation.LICENCE_ADDRESS
        told = ElementTree.parse(base.with_suffix(".svg"))
        words = {
            element.tag.rpartition("}")[2]: element.text for element in told.iter() if "purl.org/dc" in element.tag
        }
        assert (words["title"], words["identifier"], words["language"]) == (figure["title"], cited, "en")


def test_csl_json_sets_a_reference() -> None:
    item = citation.csl(WORK)
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON([item]), formatter.plain)
    bibliography.register(Citation([CitationItem(item["id"])]))
    told = str(bibliography.bibliography()[0])
    assert "Memory Wall" in told
    assert "2026" in told


def test_the_citation_as_text() -> None:
    assert citation.text(WORK).startswith("The Memory Wall authors (2026). A phone uses 0.7 % of its peak")
    assert "Figure 1.2 in The Memory Wall" in citation.text(WORK)
    assert citation.text(WORK).endswith(WORK.address)


def test_every_figure_comes_with_files_that_parse(site: Path) -> None:
    for figure in figures(site):
        base = site / "figures" / figure["id"] / figure["id"]
        assert bibtexparser.loads(base.with_suffix(".bib").read_text(encoding="utf-8")).entries
        assert rispy.loads(base.with_suffix(".ris").read_text(encoding="utf-8"))
        assert json.loads(Path(f"{base}.csl.json").read_text(encoding="utf-8"))[0]["id"].endswith(figure["id"])
        told = json.loads(Path(f"{base}.metadata.json").read_text(encoding="utf-8"))
        assert told["alt"]
        assert told["columns"]
        assert len(told["alt"]) >= 20
        with zipfile.ZipFile(base.with_suffix(".zip")) as archive:
            names = {name.removeprefix(figure["id"]) for name in archive.namelist()}
        assert names == {f".{file.ending}" for file in figure_files.FILES} - {".zip"}


def test_a_row_of_formats_is_all_that_a_new_one_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The files that are published stay; one more row is written, put into the archive, and offered by the command line."""
    files = ["png", "svg", "pdf", "csv", "vl.json", "bib", "csl.json", "ris", "metadata.json", "zip"]
    assert set(files) <= {file.ending for file in figure_files.FILES}
    assert [form.value for form in cli.Citation] == list(citation.FORMATS)
    titled = figure_files.File("Title", "txt", "the title", lambda it: it.figure.title)
    monkeypatch.setattr(figure_files, "FILES", (titled, figure_files.FILES[-1]))
    told: dict[str, Any] = dict.fromkeys(("subtitle", "caption", "alt", "notice", "equation", "code"), "")
    figure = Figure(
        id="a",
        title="One",
        sources=[],
        spec={"mark": "point"},
        height=1,
        columns=None,
        functions=[],
        fields=[],
        rows=[],
        **told,
    )
    it = figure_files.Exported(figure, "index", WORK, "", {}, tables.package())
    figure_files.write_texts(tmp_path, it)
    figure_files.write_pictures(tmp_path, it)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "One"
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["a.txt"]


def test_pictures_are_fit_for_print(site: Path) -> None:
    for figure in figures(site):
        base = site / "figures" / figure["id"] / figure["id"]
        header = base.with_suffix(".png").read_bytes()[16:26]
        assert int.from_bytes(header[:4]) >= 1600, f"{figure['id']}: {int.from_bytes(header[:4])} pixels wide"
        with Image.open(base.with_suffix(".png")) as picture:
            assert round(picture.info["dpi"][0]) == renderer.PNG_DPI
        svg = base.with_suffix(".svg").read_text(encoding="utf-8")
        assert "<text" in svg
        assert f"Figure {figure['number']}, The Memory Wall, edition" in svg
        with pikepdf.open(base.with_suffix(".pdf")) as document:
            assert len(list(document.pages[0].resources.get("/Font", {}))) >= 1, f"{figure['id']}: no font in the PDF"


def test_the_catalogue_has_what_it_promises(site: Path) -> None:
    for figure in figures(site):
        assert {"id", "number", "title", "caption", "chapter", "files", "sources", "sha256"} <= set(figure)
        for file in figure["files"]:
            assert (site / file).is_file()


def test_linked_data_expands(site: Path) -> None:
    jsonld.set_document_loader(
        lambda url, options: {
            "contextUrl": None,
            "documentUrl": url,
            "document": {"@context": {"@vocab": "https://schema.org/"}},
        }
    )
    pages = {"index.html": "Book", "tables/devices.html": "Dataset", "chapters/memory_wall.html": "Chapter"}
    pages |= {f"figures/{figures(site)[0]['id']}/index.html": "ImageObject"}
    for page, kind in pages.items():
        expanded = [jsonld.expand(block)[0] for block in linked_data(site / page)]
        assert [block["@type"] for block in expanded] == [[f"https://schema.org/{kind}"]], page


def test_reference_managers_and_previews_find_their_tags(site: Path) -> None:
    page = (site / "chapters" / "memory_wall.html").read_text(encoding="utf-8")
    for tag in (
        "citation_title",
        "citation_author",
        "citation_publication_date",
        "og:title",
        "og:image",
        "description",
    ):
        assert tag in page, tag


def test_the_citation_file_is_valid() -> None:
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert told["cff-version"] == "1.2.0"
    assert {"title", "message", "authors", "version", "license", "date-released"} <= set(told)


def test_the_colophon_cites_the_book(site: Path) -> None:
    page = (site / "chapters" / "colophon.html").read_text(encoding="utf-8")
    block = re.search(r"<pre[^>]*>(@book.*?)</pre>", page, flags=re.DOTALL)
    assert block is not None
    assert bibtexparser.loads(html.unescape(block[1])).entries[0]["year"] == "2026"


def test_every_number_of_the_prose_has_an_entry(site: Path) -> None:
    entries = {value["id"] for value in json.loads((site / "numbers.json").read_text(encoding="utf-8"))}
    page = (site / "numbers.html").read_text(encoding="utf-8")
    for chapter in (site / "chapters").glob("*.html"):
        for cited in re.findall(
            r'class="mw-value[^"]*" href="[^"]*numbers\.html#([^"]+)"', chapter.read_text(encoding="utf-8")
        ):
            assert cited in entries
            assert f'id="{cited}"' in page, cited


def test_every_number_says_where_it_comes_from(site: Path) -> None:
    """Documents, or the tables that its chapter has read; a sentence of nothing would not do."""
    page = fromstring((site / "numbers.html").read_text(encoding="utf-8"))
    entries = page.xpath("//section[@class='mw-entry']")
    assert len(entries) > 700
    for entry in entries:
        [line] = entry.xpath("p[starts-with(., 'Sources: ') or starts-with(., 'From the ')]")
        for target in line.xpath("a/@href"):
            told = page.get_element_by_id(target.removeprefix("#"))
            tables = told.xpath("a[starts-with(@href, 'tables/')]/@href")
            assert tables, entry.get("id")
            assert all((site / table).is_file() for table in [*tables, *told.xpath("a/@href")])
            assert len(told.xpath("a")) == len(tables) + 1


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    site = tmp_path / "html"
    (site / "figures" / "roofline").mkdir(parents=True)
    (site / "figures" / "roofline" / "index.html").write_text("<p>a figure", encoding="utf-8")
    (site / "index.html").write_text("<p>the book", encoding="utf-8")
    record = {
        "edition": "2026.11",
        "commit": "a" * 40,
        "parameters": {"edition_date": "2026-11-22"},
        "figures": {"roofline": {}},
    }
    (site / "edition.json").write_text(json.dumps(record), encoding="utf-8")
    return site


def test_an_edition_is_frozen_for_good(small_site: Path, tmp_path: Path) -> None:
    archive = editions.freeze(small_site, tmp_path / "releases")
    frozen = small_site / "editions" / "2026.11"
    (small_site / "index.html").write_text("<p>something newer", encoding="utf-8")
    assert (frozen / "index.html").read_text(encoding="utf-8") == "<p>the book"
    told = (tmp_path / "releases" / "memory-wall-2026.11.tar.gz.sha256").read_text(encoding="utf-8")
    import hashlib

    assert told.split()[0] == hashlib.sha256(archive.read_bytes()).hexdigest()
    with tarfile.open(archive) as tar:
        assert "memory-wall-2026.11/index.html" in tar.getnames()
        crate = json.load(tar.extractfile("memory-wall-2026.11/ro-crate-metadata.json") or io.BytesIO())
    assert crate["@graph"][1]["name"] == citation.BOOK
    with pytest.raises(InputError, match="append-only"):
        editions.freeze(small_site, tmp_path / "releases")


def test_a_dirty_tree_is_no_edition(small_site: Path, tmp_path: Path) -> None:
    record = json.loads((small_site / "edition.json").read_text(encoding="utf-8"))
    (small_site / "edition.json").write_text(json.dumps(record | {"commit": "abc-dirty"}), encoding="utf-8")
    with pytest.raises(InputError, match="clean tree"):
        editions.freeze(small_site, tmp_path / "releases")
    assert not (small_site / "editions").exists()


def test_frozen_editions_travel_with_every_new_build(small_site: Path, tmp_path: Path) -> None:
    editions.freeze(small_site, tmp_path / "releases")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    editions.carry(small_site, fresh)
    assert (fresh / "editions" / "2026.11" / "index.html").read_text(encoding="utf-8") == "<p>the book"


def test_feed_and_map(small_site: Path, tmp_path: Path) -> None:
    editions.freeze(small_site, tmp_path / "releases")
    editions.index(small_site, ADDRESS)
    feed = feedparser.parse((small_site / "feed.xml").read_text(encoding="utf-8"))
    assert not feed.bozo
    assert feed.entries[0].link == f"{ADDRESS}/editions/2026.11/index.html"
    places = [place.text for place in ElementTree.parse(small_site / "sitemap.xml").iter() if place.tag.endswith("loc")]
    assert f"{ADDRESS}/figures/roofline/" in places
    assert not [place for place in places if "/editions/2026.11" in str(place)]


ROW = """from analysis.figures import Entry, entries
entries(Entry("devices", "iphone-14", "iPhone 14", "Phones", ["It has 6 GB."], "6 GB", "of memory", [], ["model"], [], {}, []))"""


@pytest.fixture(scope="module")
def addressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site that knows its own address, with a page for one row."""
    book = Book(tmp_path_factory.mktemp("addressed"))
    book.write("rows", "\n# Rows\n\n" + cells(ROW))
    done = book.run("build", "--address", "https://example.org/book")
    assert done.returncode == 0, done.stderr
    return book.site


@pytest.mark.slow
def test_a_shared_link_to_a_figure_shows_its_card_and_says_how_it_is_embedded(addressed: Path) -> None:
    folder, place = addressed / "figures" / "small-figure", "https://example.org/book/figures/small-figure"
    page = bs4.BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    preview = {tag["property"]: tag["content"] for tag in page.select("meta[property]")}
    with Image.open(folder / "card.png") as picture:
        assert (
            picture.size == (int(str(preview["og:image:width"])), int(str(preview["og:image:height"]))) == (1200, 630)
        )
    assert preview["og:image"] == f"{place}/card.png"
    link = page.select_one("link[type='application/json+oembed']")
    assert link is not None
    assert link["href"] == f"{place}/oembed.json"
    told = json.loads((folder / "oembed.json").read_text(encoding="utf-8"))
    assert (told["version"], told["type"], told["thumbnail_url"]) == ("1.0", "rich", f"{place}/card.png")
    assert f'src="{place}/embed.html"' in told["html"]


@pytest.mark.slow
def test_a_shared_link_to_a_row_s_page_shows_its_number(addressed: Path) -> None:
    place = "https://example.org/book/devices/iphone-14"
    page = (addressed / "devices" / "iphone-14.html").read_text(encoding="utf-8")
    assert f'<meta property="og:image" content="{place}.card.png">' in page
    assert f'href="{place}.oembed.json"' in page
    told = json.loads((addressed / "devices" / "iphone-14.oembed.json").read_text(encoding="utf-8"))
    assert (told["version"], told["type"], told["thumbnail_url"]) == ("1.0", "link", f"{place}.card.png")
    with Image.open(addressed / "devices" / "iphone-14.card.png") as card:
        assert card.text["Title"] == "iPhone 14: 6 GB of memory"  # type: ignore[attr-defined]
        assert card.text["Source"] == f"{place}.html"  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_address_that_leads_nowhere_is_told_where_the_book_is(addressed: Path) -> None:
    address = "https://example.org/book/"
    page = (addressed / "404.html").read_text(encoding="utf-8")
    named = re.findall(r'href="([^"]+)"', page)
    assert len(named) == 4
    for one in named:
        assert one.startswith(address)
        assert (addressed / one.removeprefix(address)).is_file(), one
    assert "404.html" not in (addressed / "sitemap.xml").read_text(encoding="utf-8")


def test_a_site_without_an_address_has_no_oembed(site: Path) -> None:
    assert not list(site.glob("figures/*/oembed.json"))
    assert "oembed" not in (site / "figures" / "roofline" / "index.html").read_text(encoding="utf-8")


def test_a_downloaded_svg_carries_the_letters_of_its_title(site: Path) -> None:
    for figure in figures(site):
        text = (site / "figures" / figure["id"] / f"{figure['id']}.svg").read_text(encoding="utf-8")
        assert "data:font/woff2;base64," in text, figure["id"]
