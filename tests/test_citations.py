"""Everything that can be cited is read back by parsers that did not write it."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import bibtexparser
import feedparser
import pikepdf
import pytest
import rispy
import yaml
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from PIL import Image
from pyld import jsonld

from analysis.book import citation, editions
from analysis.book.pictures import renderer
from analysis.errors import InputError
from tests.conftest import ROOT

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
        assert {".svg", ".png", ".pdf", ".csv", ".vl.json", ".bib", ".csl.json", ".ris", ".metadata.json"} <= names


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
    block = re.search(r"<pre>(@book.*?)</pre>", page, flags=re.DOTALL)
    assert block is not None
    assert bibtexparser.loads(block[1]).entries[0]["year"] == "2026"


def test_every_number_of_the_prose_has_an_entry(site: Path) -> None:
    entries = {value["id"] for value in json.loads((site / "numbers.json").read_text(encoding="utf-8"))}
    page = (site / "numbers.html").read_text(encoding="utf-8")
    for chapter in (site / "chapters").glob("*.html"):
        for cited in re.findall(
            r'class="mw-value[^"]*" href="[^"]*numbers\.html#([^"]+)"', chapter.read_text(encoding="utf-8")
        ):
            assert cited in entries
            assert f'id="{cited}"' in page, cited


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
    assert f"{ADDRESS}/figures/roofline/index.html" in places
    assert not [place for place in places if "/editions/2026.11" in str(place)]
