"""The whole book, really built: pages, catalogues, nothing from outside, and no half-built site ever published."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import pytest
import yaml
from PIL import ImageFont

from analysis import figures, fonts, tables
from analysis.book import site as builder
from analysis.book.inputs import parameters
from analysis.book.pictures import framing
from analysis.book.record import policy as policies
from analysis.book.run import execution
from analysis.errors import ChapterError
from tests import renderer
from tests.conftest import ROOT, is_untouched, site_of_yesterday
from tests.small import Book, cells

Run = Callable[..., CompletedProcess[str]]
ARGUMENT = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"][1]["chapters"]
HEART = [chapter["file"].removeprefix("chapters/") for chapter in ARGUMENT]
PUBLISHED = (ROOT / "tests" / "published_figures.txt").read_text(encoding="utf-8").split()


LED_OUT = ("canonical", "license", "type", "cite-as")
"""Relations of a link in the head that names a place elsewhere, of which nothing is loaded."""


class References(HTMLParser):
    """Every address a page loads or links to, and every id it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        loaded = given.get("src") or given.get("srcset") or (given.get("href") if tag == "link" else None)
        if loaded and given.get("rel") not in (*LED_OUT, "next", "prev", "index", "search", "author"):
            self.loads.append(loaded)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@cache
def read(path: Path) -> References:
    """Read once for all tests: hundreds of pages."""
    found = References()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def test_the_pages_are_there(site: Path) -> None:
    names = [path.stem for path in builder.chapter_files()]
    assert {*HEART, "index", "claims", "data", "rerun", "colophon"} <= set(names)
    for name in names:
        assert (site / "chapters" / f"{name}.html").is_file()
    assert (site / "index.html").is_file()
    assert (site / "search.html").is_file()


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        for address in read(page).loads:
            assert not re.match(r"(https?:)?//", address), f"{page.relative_to(site)} loads {address}"
    for sheet in site.rglob("*.css"):
        addresses = re.findall(
            r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)", sheet.read_text(encoding="utf-8", errors="replace")
        )
        assert not addresses, f"{sheet.name}: {addresses}"


def test_every_link_and_picture_leads_somewhere(site: Path) -> None:
    pages = {page: read(page) for page in site.rglob("*.html") if "_static" not in page.parts}
    for page, found in pages.items():
        for address in found.loads + found.links:
            if re.match(r"[a-z]+:|//", address):
                continue
            target, _, anchor = address.split("?")[0].partition("#")
            file = (page.parent / target).resolve() if target else page
            file = file / "index.html" if file.is_dir() else file
            assert file.exists(), f"{page.relative_to(site)} → {address}"
            if anchor and file in pages:
                assert anchor in pages[file].ids, f"{page.relative_to(site)} → {address}: no such place"


def test_about_thirty_figures_at_least_four_in_each_heart_chapter(site: Path) -> None:
    figures = json.loads((site / "figures.json").read_text(encoding="utf-8"))
    assert len(figures) >= 30
    for chapter in HEART:
        assert sum(figure["chapter"] == chapter for figure in figures) >= 4, chapter
    numbers = [figure["number"] for figure in figures]
    assert all(numbers)
    assert len(set(numbers)) == len(numbers)


PUBLIC = ("id", "number", "title", "subtitle", "caption", "alt", "notice", "chapter", "files", "sources", "sha256")
UNFILLED = re.compile(r"[{}]|\b(?:nan|undefined|null|inf)\b")
"""What is left of a word that was to be filled in, or of a number that was not there."""
UNREADABLE = re.compile(r"\d[GkMT]$|[a-z]_[a-z]|\d e[+-]?\d|\de[+-]?\d")
"""Letters of SI without a unit, names of columns, exponents."""


def test_a_figure_has_the_number_of_its_chapter_and_the_same_everywhere(site: Path) -> None:
    index = (site / "llms.txt").read_text(encoding="utf-8")
    for figure in json.loads((site / "figures.json").read_text(encoding="utf-8")):
        number = f"Figure {figure['number']}"
        page = (site / "figures" / figure["id"] / "index.html").read_text(encoding="utf-8")
        heading = html.unescape(re.findall('<h1 class="mw-figure-title">(.*?)</h1>', page)[0]).replace("\u00a0", " ")
        assert heading == figure["title"]
        assert f'aria-current="page">{number}</a></nav>' in page
        assert f"[{number}](figures/{figure['id']}/index.md)" in index
        if figure["chapter"] == "index":
            continue
        chapter = (site / "chapters" / f"{figure['chapter']}.html").read_text(encoding="utf-8")
        assert f'<span class="caption-number">{number} </span>' in chapter
        assert f'<span class="section-number">{figure["number"].split(".")[0]}. </span>' in chapter


def test_the_catalogue_of_figures_holds_what_it_promises(site: Path) -> None:
    for figure in json.loads((site / "figures.json").read_text(encoding="utf-8")):
        assert tuple(figure) == tuple(sorted(PUBLIC)) or set(figure) == set(PUBLIC)
        metadata = json.loads(
            (site / "figures" / figure["id"] / f"{figure['id']}.metadata.json").read_text(encoding="utf-8")
        )
        for name in ("title", "subtitle", "caption", "alt", "notice"):
            assert figure[name] == metadata[name], figure["id"]
        assert figure["subtitle"]


def test_no_published_text_has_a_hole(site: Path) -> None:
    """Titles, captions, alternative texts, notices, sentences and the statements of claims."""
    catalogue = {
        name: json.loads((site / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("figures", "numbers", "claims")
    }
    parts = {
        "figures": ("title", "subtitle", "caption", "alt", "notice"), "numbers": ("text", "definition", "formula"),
        "claims": ("statement", "article_text", "assumption"),
    }  # fmt: skip
    said = [
        (entry["id"], entry[part]) for name, entries in catalogue.items() for entry in entries for part in parts[name]
    ]
    assert len(said) > 1000
    found = [(name, text) for name, text in said if UNFILLED.search(text or "")]
    assert not found


def test_every_axis_and_label_is_in_readers_units(site: Path) -> None:
    """As the renderer drew them: no letters of SI alone, no names of columns, no exponents, no hole."""
    for picture in site.glob("figures/*/wide-light.svg"):
        for text in renderer.texts(picture.read_text(encoding="utf-8")):
            plain = re.sub(r"<[^>]+>", "", text)
            assert not UNFILLED.search(plain), f"{picture.parent.name}: {plain}"
            assert not UNREADABLE.search(plain), f"{picture.parent.name}: {plain}"


def test_every_tooltip_is_in_readers_units(site: Path) -> None:
    """The tooltips of the drawn marks, as the file to take away describes them to who does not see them."""
    seen = 0
    for picture in site.glob("figures/*/*.svg"):
        for said in re.findall(r'aria-label="([^"]+: [^"]+)"', picture.read_text(encoding="utf-8")):
            for value in (part.partition(": ")[2] for part in said.split("; ")):
                seen += 1
                assert not re.fullmatch(r"[\d.,]+[GkMTµm]", value), f"{picture.name}: {said}"
    assert seen > 1000


def test_no_chart_speaks_in_the_words_of_programs(site: Path) -> None:
    """Columns (``memory_bandwidth_byte_per_s``), axes without words, marks without a name of their own."""
    spoken = [
        (picture.name, said)
        for picture in site.glob("figures/*/*.svg")
        for said in re.findall(r'aria-label="([^"]*)"', picture.read_text(encoding="utf-8"))
    ]
    assert len(spoken) > 1000
    assert [one for one in spoken if re.search(r"\b[a-z]+(_[a-z0-9]+)+: |\(blank\)|values from", one[1])] == []


def test_figure_ids_once_published_stay(site: Path) -> None:
    ids = {figure["id"] for figure in json.loads((site / "figures.json").read_text(encoding="utf-8"))}
    assert set(PUBLISHED) <= ids, f"published figures are gone: {set(PUBLISHED) - ids}"
    assert ids <= set(PUBLISHED), f"add to tests/published_figures.txt: {sorted(ids - set(PUBLISHED))}"


def test_the_files_of_every_figure_are_there(site: Path) -> None:
    for figure in json.loads((site / "figures.json").read_text(encoding="utf-8")):
        folder = site / "figures" / figure["id"]
        for file in ("index.html", "wide-light.svg", "wide-dark.svg", "phone-light.svg", "phone-dark.svg"):
            assert (folder / file).is_file(), folder / file
        for kind in ("svg", "png", "csv", "vl.json"):
            assert f"figures/{figure['id']}/{figure['id']}.{kind}" in figure["files"]
        assert (folder / f"{figure['id']}.png").read_bytes().startswith(b"\x89PNG")
        assert figure["sources"] or figure["chapter"] in ("claims", "data", "validation"), (
            f"{figure['id']} names no source"
        )


def test_claims_are_all_there_with_a_verdict(site: Path) -> None:
    claims = json.loads((site / "claims.json").read_text(encoding="utf-8"))
    assert len(claims) == 81
    verdicts = {"reproduces", "reproduces-under-assumption", "ambiguous", "contradicted", "not-checkable"}
    fields = {
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
    }
    for claim in claims:
        assert fields <= set(claim)
        assert claim["verdict"] in verdicts
    page = read(site / "chapters" / "claims.html")
    assert {claim["id"] for claim in claims} <= page.ids


def test_heart_chapters_show_the_verdicts_of_the_claims_they_test(site: Path) -> None:
    claims = json.loads((site / "claims.json").read_text(encoding="utf-8"))
    for chapter in HEART:
        links = " ".join(read(site / "chapters" / f"{chapter}.html").links)
        missing = [
            claim["id"] for claim in claims if claim["chapter"] == chapter and f"claims.html#{claim['id']}" not in links
        ]
        assert not missing, f"{chapter} does not show {missing}"


def test_tables_and_edition_are_published(site: Path) -> None:
    package = tables.DataPackage(ROOT / "data")
    for name in package.names:
        assert (site / "tables" / f"{name}.csv").read_bytes() == (ROOT / "data" / f"{name}.csv").read_bytes()
        assert (site / "tables" / f"{name}.html").is_file()
    edition = json.loads((site / "edition.json").read_text(encoding="utf-8"))
    assert edition["parameters"] == parameters.defaults()
    assert set(edition["data"]) == {f"{name}.csv" for name in package.names}
    assert len(edition["figures"]) == len(PUBLISHED)
    assert len(edition["claims"]) == 81


def test_no_page_shows_a_missing_number_or_a_raw_object(site: Path) -> None:
    for page in (site / "chapters").glob("*.html"):
        text = re.sub(
            r"<script.*?</script>|<details.*?</details>|<pre.*?</pre>|<[^>]+>",
            " ",
            page.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        for wrong in (
            r"\bnan\b",
            r"\bNone\b(?! of)",
            r"\binf\b",
            r"0x[0-9a-f]{6}",
            r"np\.float",
            r"\{value\}",
            r"\{verdict\}",
            r"\bNaN\b",
        ):
            assert not re.search(wrong, text), f"{page.name}: {wrong}"


@pytest.fixture
def small_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book of one chapter that a test may break."""
    book = tmp_path / "book"
    (book / "chapters").mkdir(parents=True)
    shutil.copyfile(ROOT / "_config.yml", book / "_config.yml")
    toc = {"format": "jb-book", "root": "chapters/index", "parts": []}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    return book


def test_a_failing_chapter_is_named_with_cell_line_parameters_and_cause(small_book: Path) -> None:
    chapter = small_book / "chapters" / "index.md"
    head = "---\nkernelspec: {display_name: Python 3, language: python, name: python3}\n---\n\n# Broken\n\n"
    declared = "```{code-cell} python\n:tags: [parameters]\n\ncontext_token: int = 2048\n```\n\n"
    cells = declared + "```{code-cell} python\nfrom analysis import words\nwords.number('three')\n```\n"
    chapter.write_text(head + cells, encoding="utf-8")
    with pytest.raises(ChapterError) as caught:
        execution.run(execution.Chapter(chapter, parameters.defaults(), ROOT / "data"))
    said = str(caught.value)
    assert "chapter index, cell 3" in said
    assert "words.number('three')" in said
    assert "'context_token': 2048" in said
    assert "TypeError" in said
    assert "analysis/words.py" in said


def test_a_failing_build_leaves_the_site_of_yesterday(tmp_path: Path) -> None:
    out, book = site_of_yesterday(tmp_path / "html"), Book(tmp_path / "book")
    book.write("fails", "\n# It fails\n\n" + cells("{}['a device that is not there']"))
    result = book.run("build", "--out", str(out))
    assert result.returncode == 1, result.stderr
    for told in ("chapter", "cell", "source", "parameters", "exception"):
        assert told in result.stderr, told
    assert "Traceback" not in result.stderr
    assert is_untouched(out)


def test_no_picture_cuts_a_name_short(site: Path) -> None:
    """The renderer ends with an ellipsis what it takes to be longer than its limit; every name is to be read whole."""
    for name in PUBLISHED:
        for kind in ("wide-light", "phone-light", name):
            picture = (site / "figures" / name / f"{kind}.svg").read_text(encoding="utf-8")
            assert "…" not in picture, f"{name}/{kind}.svg"


def test_the_words_of_a_picture_to_take_away_stay_within_it(site: Path) -> None:
    """Title, subtitle and source line are measured with the font they are set in; a picture is drawn around the chart of its page."""
    for name in PUBLISHED:
        picture = ElementTree.parse(site / "figures" / name / f"{name}.svg").getroot()
        chart = ElementTree.parse(site / "figures" / name / "wide-light.svg").getroot()
        width = max(float(chart.get("width", 0)), framing.WORDS_WIDTH)
        assert float(picture.get("width", 0)) == width + 2 * framing.PADDING
        lines = picture.findall("{http://www.w3.org/2000/svg}text")
        assert len(lines) >= 3
        for line in lines:
            face = "Semibold" if int(line.get("font-weight", 0)) > 400 else "Regular"
            font = ImageFont.truetype(fonts.file(face), 100)
            wide = font.getlength(line.text or "") * float(line.get("font-size", "").removesuffix("px")) / 100
            assert wide <= width, f"{name}: {line.text}"
        assert max(float(line.get("y", 0)) for line in lines) < float(picture.get("height", 0)) - framing.PADDING / 2


def test_a_frame_holds_any_words_and_only_pictures() -> None:
    words = framing.Words('Fewer than 5 < 6 & "more"', "one " * 60, "Figure 1")
    framed = framing.framed('<svg width="700" height="100"><path d="M0,0"/></svg>', 700, 100, words)
    root = ElementTree.fromstring(framed)
    said = [line.text for line in root.iter("{http://www.w3.org/2000/svg}text")]
    assert said[0] == words.title
    assert len(said) == 1 + len(framing.wrapped(words)[1]) + 1
    assert root.get("aria-label") == words.title
    with pytest.raises(ValueError, match="something else"):
        framing.framed("<p>not a chart</p>", 700, 100, words)


def test_lines_of_words_are_alike_and_a_number_stays_with_its_unit() -> None:
    title = "The largest FeRAM, MRAM or ReRAM on sale holds 125 MB; the int4 weights take 3.37 GB"
    lines = framing.wrapped(framing.Words(title, "", ""))[0]
    assert lines[-1].endswith("take 3.37\N{NO-BREAK SPACE}GB")
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) < 10


def test_titles_on_trends_use_a_trends_own_text_and_few_sources_are_said(site: Path) -> None:
    """Over every figure as built: an interval in a title is the text of a fitted trend in numbers.json, never typed."""
    numbers = json.loads((site / "numbers.json").read_text(encoding="utf-8"))
    trends = [entry["text"] for entry in numbers if {"low_ratio", "high_ratio", "n_source"} <= set(entry["inputs"])]
    assert len(trends) >= 10
    shown = {
        figure["id"]: figure["title"] for figure in json.loads((site / "figures.json").read_text(encoding="utf-8"))
    }
    paced = {name: title for name, title in shown.items() if figures.PACE.search(title)}
    assert {"compute-against-bandwidth", "sram-scaling"} <= set(paced)
    for name, title in paced.items():
        pieces = re.findall(r"[\d.,]+(?:×| years) \([^)]*\)", title)
        assert pieces, name
        assert all(piece in trends for piece in pieces), title
    for name in ("hbm-cost-share", "hbm-price-ratio", "dram-price", "phone-average-memory", *paced):
        assert re.search(r"\b(one|two|three|four) sources?\b", shown[name]), shown[name]


def test_no_title_sets_two_numbers_side_by_side(site: Path) -> None:
    """A device's name may end in a number or a size: what it can do does not stand right behind it."""
    titles = [figure["title"] for figure in json.loads((site / "figures.json").read_text(encoding="utf-8"))]
    touching = re.compile(r"\d(?: ?[KMGT]?i?B)? \d[\d.,]*(?!\S*B)")  # but "Llama 3.1 8B" is a name
    assert touching.search("the MacBook Pro 16 (M5 Max) with 128 GB 121 B")
    assert touching.search("8 GB leave LLaMA 7B 4,400 tokens")
    assert [title for title in titles if touching.search(title)] == []


def policy(page: str) -> dict[str, list[str]]:
    """Directive → what it allows, of the page's content-security policy."""
    (found,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    return {name: allowed for name, *allowed in (part.split() for part in found.split("; "))}


def test_every_page_allows_the_scripts_written_here_and_no_others(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert policy(page)["script-src"] == ["'self'", "file:", policies.OWN_SCRIPT], path
        assert policy(page)["default-src"] == ["'none'"]
        before, _, _ = page.partition("<meta http-equiv")
        assert "<script" not in before, "what stands before the policy is not under it"
        inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", page, flags=re.DOTALL)
        assert {text for kind, text in inline if "type=" not in kind} <= {policies.MODE}, path
        assert not re.search(r"<[^>]+\son[a-z]+=", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)), path


def test_a_script_that_found_its_way_into_a_page_does_not_run() -> None:
    page = policies.secured('<html><head><meta charset="utf-8"></head><body><script>steal()</script></body></html>')
    assert policy(page)["script-src"] == ["'self'", "file:", policies.OWN_SCRIPT]
