"""The Markdown twins: what a page shows is in its twin, links lead on, no HTML is left, and a chapter is a tenth of its page."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from analysis.book.pages import markdown, twins
from analysis.book.record import editions
from tests.test_site import HEART

ESCAPED = re.compile(r"\\([\\`*\[\]$|<_])")
CODE = re.compile(r"^(`{3,})\n.*?^\1$|^\$\$\n.*?^\$\$|`[^`\n]*`|(?<!\\)\$[^$\n]*(?<!\\)\$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>One <strong>two </strong>three</p>", "One **two** three"),
        ("<p>5 * 3 &lt;b&gt; costs $2, Q4_K_M, _x_</p>", r"5 \* 3 \<b> costs \$2, Q4_K_M, \_x\_"),
        ('<p>−3.5 × 10⁹, <a href="a(b).html#c">½ µs</a></p>', "−3.5 × 10⁹, [½ µs](a%28b%29.html#c)"),
        ('<p>of <math alttext="P\\,b"><mi>P</mi></math> bytes</p>', "of $P\\,b$ bytes"),
        ('<div class="mw-equation" id="e"><math alttext="a=b"></math></div>', "$$\na=b\n$$ {#e}"),
        ("<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>", "- a\n\n  1. b\n  2. c\n- d"),
        ('<section id="x-y"><h2>X y<a class="headerlink" href="#x-y">#</a></h2></section>', "## X y"),
        ('<section id="z"><h2>X y</h2></section>', "## X y {#z}"),
        ("<p>1. not a list</p><p># nor a heading</p>", "1\\. not a list\n\n\\# nor a heading"),
        ("<details><summary>More</summary><pre>a\n ```\nb</pre></details>", "**More**\n\n````\na\n ```\nb\n````"),
        ('<div class="admonition"><p class="admonition-title">T</p><p>x</p></div>', "> **T**\n>\n> x"),
        ("<p>a<button>Copy</button></p><form>b</form><script>c</script>", "a"),
    ],
)  # fmt: skip
def test_a_piece_of_page_as_markdown(body: str, expected: str) -> None:
    assert markdown.converted(body) == expected + "\n"


def test_a_table_with_notes_links_and_ids() -> None:
    head = '<thead><tr><th scope="col">A</th><th>B <span class="mw-unit">GB/s</span></th></tr></thead>'
    first = (
        '<th scope="row"><a href="x.html">a|b</a></th>\n<td data-value="1">1.0<div class="mw-note">0.5 to 2</div></td>'
    )
    last = "<td><span class=mw-missing>–</span></td><td><details><summary>why</summary>&lt;so&gt;</details></td>"
    table = f'<div><table class="mw-table">{head}<tbody><tr id="one">{first}</tr><tr>{last}</tr></tbody></table></div>'
    expected = "| A | B GB/s |\n|---|---|\n| [a\\|b](x.html) {#one} | 1.0 (0.5 to 2) |\n| – | why \\<so> |\n"
    assert markdown.converted(table) == expected


def test_where_the_twin_of_a_page_lies() -> None:
    assert twins.place("chapters/index") == "index.md"
    assert twins.beside("chapters/index") == "../index.md"
    assert twins.beside("devices/iphone-14") == "iphone-14.md"
    assert not any(map(twins.place, ("search", "genindex", "editions/index", "figures/roofline/embed")))


@cache
def read(path: Path) -> str:
    """A twin with what Markdown escapes as it is read."""
    return ESCAPED.sub(r"\1", path.read_text(encoding="utf-8"))


def page_of(site: Path, twin: Path) -> Path:
    """The page a twin is of."""
    return site / "index.html" if twin == site / "index.md" else twin.with_suffix(".html")


def test_every_page_has_its_twin_and_says_so(site: Path) -> None:
    found = {page_of(site, twin) for twin in site.rglob("*.md")}
    pages = {page for page in site.rglob("*.html") if twins.place(page.relative_to(site).with_suffix("").as_posix())}
    assert found == pages - {site / "chapters" / "index.html"}
    assert len(found) > 500
    for page in found:
        said = re.findall(
            r'<link rel="alternate" type="text/markdown" href="([^"]+)">', page.read_text(encoding="utf-8")
        )
        assert len(said) == 1, page
        assert page_of(site, (page.parent / said[0]).resolve()) == page.resolve(), page


def test_every_published_number_of_a_page_is_in_its_twin(site: Path) -> None:
    numbers = {one["id"]: one["text"] for one in json.loads((site / "numbers.json").read_text(encoding="utf-8"))}
    seen = 0
    for twin in site.rglob("*.md"):
        page = page_of(site, twin).read_text(encoding="utf-8")
        shown = set(re.findall(r'numbers\.html#([a-z0-9-]+)"', page))
        shown |= set(re.findall(r'class="mw-entry" id="([a-z0-9-]+)"', page))
        assert [name for name in shown if numbers[name] not in read(twin)] == [], twin
        seen += len(shown)
    assert seen > 1000


def test_every_number_of_a_table_is_in_its_twin(site: Path) -> None:
    for name in ("devices/iphone-14", "models/llama-3.1-8b", "chapters/claims", "figures/roofline/index", "index"):
        page = (site / f"{name}.html").read_text(encoding="utf-8")
        cells = re.findall(r'<td class="mw-number[^>]*data-value[^>]*>([^<]+)', page)
        rows = [line for line in read(site / f"{name}.md").splitlines() if line.startswith("| ")]
        said = {cell.split(" (")[0] for row in rows for cell in row.strip("| ").split(" | ")}
        assert cells
        assert set(cells) <= said, name


def test_no_html_is_left_and_every_link_leads_somewhere(site: Path) -> None:
    for twin in site.rglob("*.md"):
        text = CODE.sub("", twin.read_text(encoding="utf-8"))
        assert not (left := re.findall(r"(?<!\\)<[A-Za-z/!].{0,40}", text)), f"{twin}: {left[:3]}"
        for address in LINK.findall(text):
            if not twins.AWAY.match(address):
                target, _, name = address.partition("#")
                file = (twin.parent / unquote(target)).resolve()
                assert file.is_file(), f"{twin} → {address}"
                assert name or file != twin, f"{twin} leads to itself"
                assert not name or file.suffix != ".md" or _has(file, name), f"{twin} → {address}: no such place"


def _has(file: Path, name: str) -> bool:
    return name in _places(file)


@cache
def _places(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
    return slugs | set(re.findall(r"\{#([^}]+)\}", text))


def test_figures_equations_and_captions_survive(site: Path) -> None:
    for figure in json.loads((site / "figures.json").read_text(encoding="utf-8")):
        chapter = site / ("index.md" if figure["chapter"] == "index" else f"chapters/{figure['chapter']}.md")
        text, there = read(chapter), "" if figure["chapter"] == "index" else "../"
        name = figure["id"]
        assert f"![{figure['alt']}]({there}figures/{name}/{name}.svg)" in text, name
        assert f"({there}figures/{name}/{name}.csv)" in text, name
        assert f"Figure {figure['number']} " in text, name
        assert name in _places(chapter), name
    assert r"P_{\max} = \frac{s\,BW}{b\,r}" in (site / "chapters" / "memory_wall.md").read_text(encoding="utf-8")


def test_a_chapter_is_a_tenth_of_its_page(site: Path) -> None:
    for name in HEART:
        page, twin = (site / "chapters" / f"{name}.{ending}" for ending in ("html", "md"))
        beside = re.findall(r'data-spec="([^"]+)"', read(page))  # what its charts are drawn from, where that is long
        shown = sum(path.stat().st_size for path in (page, *(page.parent / one for one in beside)))
        assert twin.stat().st_size <= shown / 10, name


def test_a_figure_leads_to_its_page_and_to_its_chapter(site: Path) -> None:
    for figure in json.loads((site / "figures.json").read_text(encoding="utf-8")):
        text = read(site / "figures" / figure["id"] / "index.md")
        assert re.search(r"\[Figure [\d.]+\]\(index\.html\)", text), figure["id"]
        assert re.search(r"^# \S", text, flags=re.MULTILINE), figure["id"]
        there = "index.md" if figure["chapter"] == "index" else f"chapters/{figure['chapter']}.md"
        assert f"](../../{there}#{figure['id']})" in text, figure["id"]


def test_the_index_for_language_models_names_pages_that_are_there(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`]+\.json)`", text))
    assert {"openapi.json", "answers.json", "croissant.json", "ro-crate-metadata.json"} <= named
    assert [name for name in named if not (site / name).is_file()] == []
    assert text.startswith("# The Memory Wall\n\n> ")
    items = re.findall(r"^- \[[^\]]+\]\(([^)]+)\)", text, flags=re.MULTILINE)
    assert [name for name in items if not (site / name).is_file()] == []
    chapters = {path.relative_to(site).as_posix() for path in (site / "chapters").glob("*.md")}
    assert chapters | {"index.md", "numbers.md", "devices/index.md"} <= set(items)
    assert len({name for name in items if name.startswith("figures/")}) == len(
        json.loads((site / "figures.json").read_text(encoding="utf-8"))
    )
    assert len(text.encode()) < 20_000


def test_in_a_frozen_edition_links_to_others_lead_out() -> None:
    text = "[Edition 1](../../editions/1/figures/a/index.html), [b](../b.md)"
    moved = "[Edition 1](../../../../editions/1/figures/a/index.html), [b](../b.md)"
    assert editions._from_within(text, "figures/a/index.md") == moved
