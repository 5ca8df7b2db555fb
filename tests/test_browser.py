"""The built site in a real browser, opened from disk with the network cut: charts drawn, nothing asked for, nothing in the console."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import bibtexparser
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright

from analysis import tables
from analysis.book.pages import pieces, search
from analysis.book.record import editions
from analysis.model import ask, expected, predict, telling
from analysis.model import browser as arithmetic
from analysis.subjects.answers import findings as answer_pages
from tests.conftest import command
from tests.test_browser_arithmetic import SAME

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PAGES = (
    "index.html",
    "chapters/memory_wall.html",
    "chapters/claims.html",
    "figures/roofline/index.html",
    "figures/largest-context/index.html",
)
CHART_PAGE_KIB, TEXT_PAGE_KIB = 355, 84
"""What a page may weigh at first view, and with what is fetched to draw its charts; with a chart, or a picture of one, and without."""
INDEX = ("search-index.js", "search-rows.js")
INDEX_KIB = 200
"""What the index of the search may weigh, once somebody looks for something."""
HEAVIEST = 8
"""Pages of each kind that are weighed: pages of a kind differ by little else than their own text."""
VISITS = 4
"""Further visits to a page that was too heavy."""
LAYOUT_SHIFT = 0.02

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("MEMORY_WALL_REQUIRE_BROWSER"):
            pytest.fail("MEMORY_WALL_REQUIRE_BROWSER is set and no Chromium is installed")
        pytest.skip("no Chromium on this machine: the browser tests are left out")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


class Visit:
    """One page, what it asked for and what it complained of."""

    def __init__(self, browser: Browser, *, width: int = 1280, scripts: bool = True, dark: bool = False) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.loaded: set[Path] = set()
        self.context.route("**/*", self._route)

    def _route(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            if route.request.url.startswith("file:"):
                self.loaded.add(Path(unquote(urlsplit(route.request.url).path)))
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def open(self, path: Path) -> Page:
        page = self.context.new_page()
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page


def come(page: Page) -> None:
    """Give the first sign of a reader, for whom that is fetched which draws the charts."""
    page.mouse.move(300, 300)
    page.wait_for_function("() => window.mwEmbed", timeout=15000)


def darken(page: Page) -> None:
    """Switch the theme and wait until its colours stand: those of buttons take 150 ms, and one in between fails a contrast."""
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))")


def scroll_through(page: Page) -> None:
    come(page)
    for _ in range(200):
        done = page.evaluate(
            "() => { window.scrollBy(0, 600); return window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 2 }"
        )
        page.wait_for_timeout(60)
        if done:
            return


@pytest.mark.parametrize("name", PAGES)
def test_all_charts_are_drawn_offline_and_the_console_is_silent(browser: Browser, site: Path, name: str) -> None:
    visit = Visit(browser)
    page = visit.open(site / name)
    scroll_through(page)
    count = page.locator(".mw-chart").count()
    assert count >= 1
    page.wait_for_function(
        "count => document.querySelectorAll('.mw-chart.mw-drawn svg.marks').length === count", arg=count, timeout=15000
    )
    assert visit.asked == []
    assert visit.complaints == []


def test_what_draws_charts_is_fetched_when_a_reader_comes(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "index.html")
    page.wait_for_timeout(500)
    fetched = "() => document.querySelectorAll('script[src*=vega]').length"
    assert page.evaluate(fetched) == 0
    page.mouse.move(200, 200)
    page.locator(".mw-chart").first.scroll_into_view_if_needed()
    page.locator(".mw-drawn svg.marks").first.wait_for(timeout=15000)
    assert page.evaluate(fetched) == 1


def test_a_long_specification_is_fetched_when_its_chart_is_drawn(browser: Browser, site: Path) -> None:
    beside = next(page for page in sorted(site.glob("figures/*/embed.html")) if (page.parent / "chart.js").exists())
    visit = Visit(browser)
    opened = visit.open(beside)
    assert beside.parent / "chart.js" not in visit.loaded
    opened.mouse.move(200, 200)
    opened.locator(".mw-drawn svg.marks").first.wait_for(timeout=15000)
    assert beside.parent / "chart.js" in visit.loaded
    assert not visit.complaints


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_the_pictures_are_there(browser: Browser, site: Path, name: str) -> None:
    page = Visit(browser, scripts=False).open(site / name)
    pictures = page.locator(".mw-static.mw-light img")
    assert pictures.count() >= 1
    for index in range(pictures.count()):
        picture = pictures.nth(index)
        picture.scroll_into_view_if_needed()
        assert picture.is_visible()
        page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0", arg=picture.element_handle())


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_nothing_sticks_out(browser: Browser, site: Path, name: str) -> None:
    page = Visit(browser, width=390).open(site / name)
    scroll_through(page)
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_charts_follow_the_dark_theme(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    page = visit.open(site / "chapters" / "memory_wall.html")
    chart = page.locator(".mw-chart").first
    chart.scroll_into_view_if_needed()
    label = chart.locator("svg.marks .role-axis-label text").first
    label.wait_for(timeout=15000)
    light = label.get_attribute("fill")
    darken(page)
    page.wait_for_function("([chart, light]) => chart.querySelector('svg.marks .role-axis-label text')?.getAttribute('fill') !== light",
                           arg=[chart.element_handle(), light], timeout=15000)  # fmt: skip
    assert visit.complaints == []


def test_a_slider_moves_the_chart(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "index.html")
    chart = page.locator(".mw-chart").first
    chart.scroll_into_view_if_needed()
    slider = chart.locator("input[type=range]:enabled").first
    slider.wait_for(timeout=15000)
    before = chart.locator("svg.marks").inner_html()
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([chart, before]) => chart.querySelector('svg.marks').innerHTML !== before",
        arg=[chart.element_handle(), before],
        timeout=15000,
    )


def test_the_claims_can_be_filtered_and_sorted(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "chapters" / "claims.html")
    menu = page.locator(".mw-table-bar select", has=page.locator("option", has_text="contradicted")).first
    table = page.locator("table.mw-table", has=page.locator("#iphone14-1b-fp16")).first
    total = table.locator("tbody tr").count()
    menu.select_option(label=menu.locator("option", has_text="contradicted").first.inner_text())
    contradicted = table.locator("tbody tr:not([hidden])").count()
    assert 0 < contradicted < total
    bar = menu.locator("xpath=ancestor::div[contains(@class, 'mw-table-bar')]")
    bar.locator("input[type=search]").fill("memory")
    assert table.locator("tbody tr:not([hidden])").count() < contradicted


SOUGHT = {
    "roofline": "Figure", "4090": "Row", "5090": "Row", "395": "Row", "2150": "Number", "LPDDR5X": "Row", "GDDR7": "Row", "MXFP4": "Row",
    "Jetson": "Row", "GB/s": "Row", "watt": "Table", "TTFT": "Table", "M4 Max": "Row", "Llama 2 7B": "Row", "llama-2-7b": "Row",
    "2,150": "Number", "speculative decoding": "Section", "bandwidth": "Figure", "iPhone 14": "Figure", "Größe": "", "zzzz": "",
    "H200": "Row", "SRAM": "Section", "KV cache": "Section", "(((": "",
}  # fmt: skip
"""What somebody looks for → a kind of thing that must be among what is found; nothing where the book has nothing."""


def looked_up(page: Page, asked: str) -> dict[str, str]:
    """Address → kind of what the search page lists."""
    page.locator("article input[name=q], main input[name=q]").first.fill(asked)
    page.locator("#search-results [role=status]", has_text=asked.strip()).wait_for(timeout=15000)
    more = page.locator("#search-results > button")
    if more.count():
        more.click()
    listed = page.locator(".mw-found li").all()
    links = [item.locator("a").get_attribute("href") or "" for item in listed[:400]]
    return dict(zip(links, page.locator(".mw-found-kind").all_inner_texts(), strict=False))


def test_search_finds_words_digits_units_rows_and_names_from_a_disk(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    page = visit.open(site / "search.html")
    assert not [path for path in visit.loaded if path.name in INDEX], "the index comes with the first question"
    page.goto((site / "search.html").as_uri() + "?q=roofline")
    page.locator(".mw-found li a").first.wait_for(timeout=15000)
    for asked, kind in SOUGHT.items():
        listed = looked_up(page, asked)
        assert (kind.upper() in {one.upper() for one in listed.values()}) if kind else not listed, (asked, listed)
    assert visit.asked == []
    assert visit.complaints == []


def test_what_is_found_has_its_words_around_it_and_leads_there(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    page = visit.open(site / "search.html")
    listed = looked_up(page, "4090 24gb")
    device = next(link for link, kind in listed.items() if kind.upper() == "ROW" and link.startswith("devices/"))
    assert "4090" in page.locator(".mw-found mark").first.inner_text()
    assert page.locator(".mw-found li").first.inner_text().count(" ") > 10, "an excerpt"
    page.goto(f"{site.as_uri()}/{device}")
    assert "4090" in page.locator("h1:visible").inner_text()
    page.goto(site.as_uri() + "/search.html")
    listed = looked_up(page, "h100 sxm")
    row = next(
        link for link, kind in listed.items() if kind.upper() == "ROW" and link.startswith("tables/accelerators.html#")
    )
    page.goto(f"{site.as_uri()}/{row}")
    sought = page.locator("tr.mw-sought")
    sought.wait_for(timeout=15000)
    assert sought.locator("th").inner_text().strip() == unquote(row.partition("#")[2])
    assert sought.is_visible()
    page.goto(f"{site.as_uri()}/tables/compute_trend.html#nvidia-tesla-k80")  # not among the rows that the page holds
    sought.filter(has_text="NVIDIA Tesla K80").wait_for(timeout=15000)
    page.goto(site.as_uri() + "/search.html?q=2150")
    page.locator(".mw-found mark", has_text="2,150").first.wait_for(timeout=15000)


def test_every_address_of_the_search_index_is_there(site: Path) -> None:
    texts = [(site / name).read_text(encoding="utf-8") for name in INDEX]
    said, filed = (json.loads(text.removeprefix("mwIndex(").removesuffix(");\n")) for text in texts)
    assert {kind for kind, *_ in filed} == {"Table", "Row"}, "what rests on the data alone"
    rows = [*said, *filed]
    assert {kind for kind, *_ in rows} == {"Section", "Figure", "Claim", "Table", "Row", "Number"}
    ids = {}
    for kind, title, place, text in rows:
        file, _, anchor = place.partition("#")
        assert title, place
        if file not in ids:
            later = (site / file).with_suffix(".rows.js")
            rest = later.read_text(encoding="utf-8").replace('\\"', '"') if later.exists() else ""
            page = (site / file).read_text(encoding="utf-8") + rest
            ids[file] = set(re.findall(r'\bid="([^"]+)"', page)) | set(
                re.findall(r'<th scope="row">([^<]+)</th>', page)
            )
        assert not anchor or anchor in ids[file], place
        assert len(text) <= search.MOST_LETTERS
        assert kind != "Section" or "def " not in title
    devices = {place for kind, _, place, _ in rows if kind == "Row" and place.startswith("devices/")}
    assert len(devices) == len((site / "tables" / "devices.csv").read_text(encoding="utf-8").splitlines()) - 1


def test_the_index_weighs_little_and_only_the_search_page_loads_it(site: Path) -> None:
    assert sum(len(gzip.compress((site / name).read_bytes())) for name in INDEX) < INDEX_KIB * 1024
    naming = [page for page in site.rglob("*.html") if any(name in page.read_text(encoding="utf-8") for name in INDEX)]
    assert [page.name for page in naming] == ["search.html"]


def test_equations_are_set_without_a_script(browser: Browser, site: Path) -> None:
    page = Visit(browser, scripts=False).open(site / "chapters" / "memory_wall.html")
    equation = page.locator(".mw-equation math").first
    box = equation.bounding_box()
    assert box is not None
    assert box["width"] > 40
    assert box["height"] > 15


def menu_of(page: Page) -> Locator:
    menu = page.locator(".mw-menu").first
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    menu.locator(".mw-menu-body").wait_for(state="visible")
    return menu


def test_a_citation_is_copied_with_the_keyboard_and_parses(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open(site / "figures" / "roofline" / "index.html")
    menu = menu_of(page)
    button = menu.locator(".mw-copy", has_text="Copy BibTeX")
    button.focus()
    page.keyboard.press("Enter")
    menu.locator(".mw-copied").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert bibtexparser.loads(copied).entries[0]["ID"].endswith("-roofline")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert visit.asked == []


def test_every_file_of_the_menu_can_be_downloaded(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "chapters" / "memory_wall.html")
    for link in menu_of(page).locator(".mw-files a").all():
        address = link.get_attribute("href")
        assert address is not None
        assert (site / "chapters" / address).resolve().stat().st_size > 0


def test_the_embed_code_draws_in_a_frame_offline(browser: Browser, site: Path, tmp_path: Path) -> None:
    visit = Visit(browser)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open(site / "chapters" / "memory_wall.html")
    menu = menu_of(page)
    menu.locator(".mw-copy", has_text="newest edition").click()
    menu.locator(".mw-copied").wait_for()
    article = tmp_path / "article.html"
    article.write_text(f"<p>An article.</p>{page.evaluate('() => navigator.clipboard.readText()')}", encoding="utf-8")
    reader = visit.open(article)
    frame = reader.frame_locator("iframe")
    frame.locator(".mw-static.mw-light img").wait_for(timeout=15000)
    box = reader.locator("iframe").bounding_box()
    assert box is not None
    reader.mouse.move(box["x"] + 100, box["y"] + 100)
    frame.locator(".mw-drawn svg.marks").wait_for(timeout=15000)
    assert "The Memory Wall, edition" in frame.locator("figcaption").inner_text()
    assert visit.asked == []


@pytest.mark.parametrize("name", ["how-large-a-model", "largest-model-expected", "roofline", "seven-seconds"])
def test_a_frame_is_as_high_as_its_figure(browser: Browser, site: Path, name: str) -> None:
    """In a column of an article nothing is cut off below, controls or not, and there is no hole."""
    visit = Visit(browser)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open(site / "figures" / name / "index.html")
    menu = menu_of(page)
    menu.locator(".mw-copy", has_text="newest edition").click()
    menu.locator(".mw-copied").wait_for()
    height = int(re.findall(r'height="(\d+)"', page.evaluate("() => navigator.clipboard.readText()"))[0])
    for width in (600, 700):
        framed = Visit(browser, width=width).open(site / "figures" / name / "embed.html")
        drawn_chart(framed)
        needed = framed.evaluate("() => document.querySelector('figure').getBoundingClientRect().bottom")
        assert needed <= height <= needed + 260, (width, needed, height)


@pytest.mark.parametrize("name", ["roofline", "how-large-a-model"])
def test_a_frame_grows_with_its_figure_in_an_article_of_any_width(
    browser: Browser, site: Path, tmp_path: Path, name: str
) -> None:
    """From the narrowest phone to a column, the figure is never scrolled inside its frame, nor cut at the right."""
    visit = Visit(browser, width=700)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open(site / "figures" / name / "index.html")
    menu = menu_of(page)
    menu.locator(".mw-copy", has_text="newest edition").click()
    menu.locator(".mw-copied").wait_for()
    article = tmp_path / "article.html"
    code = page.evaluate("() => navigator.clipboard.readText()")
    article.write_text(f"<body style='margin:0'>{code}</body>", encoding="utf-8")
    reader = visit.open(article)
    reader.frame_locator("iframe").locator("figcaption").wait_for(timeout=15000)
    frame = reader.frames[1]
    for width in (300, 340, 390, 480, 560, 600, 700):
        reader.set_viewport_size({"width": width, "height": 900})
        frame.wait_for_function("() => innerHeight >= document.scrollingElement.scrollHeight", timeout=15000)
        assert frame.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("width", [390, 560, 600, 700])
def test_in_a_frame_of_an_article_picture_and_chart_are_the_same_and_whole(
    browser: Browser, site: Path, width: int
) -> None:
    for name in ("roofline", "footprint-against-memory", "how-large-a-model"):
        page = Visit(browser, width=width).open(site / "figures" / name / "embed.html")
        picture = page.locator(".mw-static.mw-light img")
        picture.evaluate("picture => picture.decode()")
        kind = "phone" if width <= pieces.NARROW else "wide"
        assert str(picture.evaluate("picture => picture.currentSrc")).endswith(f"{kind}-light.svg")
        drawn_chart(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(
            "() => [...document.querySelectorAll('svg.marks text')].every(text => !text.textContent || "
            "text.getBoundingClientRect().right <= document.querySelector('.mw-live').getBoundingClientRect().right + 2)"
        ), name


def test_a_number_says_where_it_comes_from(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "chapters" / "memory_wall.html")
    page.locator("a.mw-value[href*='numbers.html']").first.hover()
    popover = page.locator(".mw-popover")
    popover.wait_for()
    assert popover.locator("a").get_attribute("href")
    assert len(popover.inner_text()) > 40


KINDS = {
    "landing": "index.html", "chapter": "chapters/storage_io.html", "evidence": "chapters/claims.html",
    "glossary": "chapters/glossary.html", "findings": "chapters/findings.html",
    "rerun": "chapters/rerun.html", "colophon": "chapters/colophon.html", "figure": "figures/roofline/index.html",
    "frame": "figures/roofline/embed.html", "gallery": "figures/index.html", "table": "tables/sram_bitcells.html",
    "device": "devices/iphone-14.html", "model": "models/qwen3-8b.html", "list": "devices/index.html", "numbers": "numbers.html",
    "search": "search.html", "editions": "editions/index.html",
    "nowhere": editions.NOT_FOUND,
}  # fmt: skip
"""One page of each kind."""
AXE = Axe().axe_script
FOUND = """(options) => axe.run(document, { resultTypes: ["violations"], preload: false, ...options }).then(({ violations }) =>
  violations.map((one) => [one.id, ...one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]))"""
STANDARD = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
"""WCAG 2.2 AA, with its targets of 24 pixels, and what is good practice besides."""
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What the theme may change."""
NARROWER = (640, 320)
"""A screen of 1,280 pixels at twice and at four times its size."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_each_kind_is_accessible_in_both_themes_and_enlarged(
    browser: Browser, site: Path, tmp_path: Path, kind: str
) -> None:
    visit, path = Visit(browser), site / KINDS[kind]
    if kind == "nowhere":  # a site without an address has none
        path = tmp_path / path.name
        path.write_text(editions.not_found(site.as_uri()), encoding="utf-8")
    page = visit.open(path)
    if page.locator(".mw-chart").count():
        drawn_chart(page)
    page.evaluate(AXE)
    assert page.evaluate(FOUND, STANDARD) == []
    darken(page)
    assert page.evaluate(FOUND, COLOURS) == []
    for width in NARROWER:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, width
    assert visit.complaints == []
    visit.context.close()


def test_the_page_of_a_sweep_is_accessible_in_both_themes_and_enlarged(browser: Browser, tmp_path: Path) -> None:
    settings = ("--set", "reading_speed_word_per_min=200:310:4", "--numbers", "index-iphone-14-fp16,verdicts")
    done = command("sweep", *settings, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    page = Visit(browser).open(tmp_path / "out" / "summary.html")
    page.evaluate(AXE)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert page.evaluate(FOUND, STANDARD) == [], theme
    for width in NARROWER:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, width


def test_who_wants_no_motion_gets_none_and_a_slider_says_its_value_once(browser: Browser, site: Path) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto((site / "chapters" / "memory_wall.html").as_uri())
    moving = """() => [...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter((style) =>
      parseFloat(style.transitionDuration) > 0 || style.animationName !== "none" || style.scrollBehavior === "smooth").length"""
    assert page.evaluate(moving) == 0
    chart = drawn_chart(page)
    slider = chart.get_by_role("slider", name="Reading speed (words per minute)", exact=True)
    assert slider.input_value() == "250"
    context.close()


def test_chart_and_table_of_a_figure_are_tabs(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "figures" / "roofline" / "index.html")
    chart, table = page.locator("#panel-chart"), page.locator("#panel-table")
    assert [chart.is_visible(), table.is_visible()] == [True, False]
    first, second = (page.get_by_role("tab", name=name) for name in ("Chart", "Table"))
    first.focus()
    page.keyboard.press("ArrowRight")
    assert second.evaluate("tab => tab === document.activeElement")
    assert [first.get_attribute("aria-selected"), second.get_attribute("aria-selected")] == ["false", "true"]
    assert [chart.is_visible(), table.is_visible()] == [False, True]
    page.keyboard.press("Home")
    assert chart.is_visible()
    assert page.get_by_role("tabpanel", name="Chart").count() == 1
    page.locator(".mw-actions a[href$='#data']").click()
    assert table.is_visible()
    row = Visit(browser).open(site / "figures" / "roofline" / "index.html")
    row.goto(row.url + "#data")
    row.reload()
    row.locator("#panel-table table").wait_for()
    plain = Visit(browser, scripts=False).open(site / "figures" / "roofline" / "index.html")
    assert [plain.locator(f"#panel-{name}").is_visible() for name in ("chart", "table")] == [True, True]
    assert not plain.get_by_role("tab").first.is_visible()


@pytest.mark.parametrize("width", [390, 1440, 1920])
def test_figures_take_the_room_there_is_and_notes_stand_beside_the_text(
    browser: Browser, site: Path, width: int
) -> None:
    """What is in the margin never lies on a figure, a table or another note, and is nowhere where there is no margin."""
    page = Visit(browser, width=width).open(site / "chapters" / "memory_wall.html")
    figure = page.locator("figure.mw-figure").first.bounding_box()
    assert figure is not None
    assert figure["width"] >= {390: 340, 1440: 860, 1920: 880}[width]
    boxes = """name => [...document.querySelectorAll(name)].map((one) => one.getBoundingClientRect())
      .filter((box) => box.height).map((box) => [box.left, box.top, box.right, box.bottom])"""
    notes = page.evaluate(boxes, ".mw-side")
    others = page.evaluate(boxes, ".bd-article p:not(.mw-side p), figure, .mw-table-scroll, .admonition, .mw-equation")
    assert (len(notes) > 5) is (width > 390)
    said = page.locator(".mw-side p").all_text_contents()
    assert (len([line for line in said if "Sources: " in line]) > 5) is (width > 390)
    assert not [line for line in said if line.startswith("Sources: ")], "of what?"
    for one in notes:
        assert not [box for box in [*others, *notes] if box != one and overlap(one, box)], one


def overlap(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1


def test_a_table_that_is_cut_says_so(browser: Browser, site: Path) -> None:
    page = Visit(browser, width=390).open(site / "tables" / "devices.html")
    told = "() => getComputedStyle(document.querySelector('.mw-table-scroll'), '::after').content"
    assert "More columns" in page.evaluate(told)
    page = Visit(browser, width=1440).open(site / "tables" / "sram_bitcells.html")
    assert page.locator(".mw-table-scroll").evaluate_all(
        "all => all.every(one => one.scrollHeight <= one.clientHeight + 1)"
    )


@pytest.mark.parametrize(
    ("table", "column", "width"),
    [
        ("devices", "memory bandwidth", 1440), ("devices", "memory capacity", 1440), ("measurements_decode", "decode", 1440),
        ("models", "total", 1440), ("devices", "name", 390), ("models", "name", 390),
    ],
)  # fmt: skip
def test_what_a_table_is_looked_up_for_is_in_sight(
    browser: Browser, site: Path, table: str, column: str, width: int
) -> None:
    page = Visit(browser, width=width).open(site / "tables" / f"{table}.html")
    edges = """([box, name]) => [box.getBoundingClientRect().right, [...box.querySelectorAll("thead th")]
      .find((one) => one.textContent.trim().startsWith(name)).getBoundingClientRect().right]"""
    box = page.locator(".mw-table-scroll").first.element_handle()
    room, right = page.evaluate(edges, [box, column])
    assert right <= room


def test_the_gallery_finds_figures_by_words_and_chapter(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "figures" / "index.html")
    total = page.locator(".mw-gallery .mw-card").count()
    page.locator(".mw-gallery-bar input").fill("roofline")
    assert 0 < page.locator(".mw-gallery .mw-card:not([hidden])").count() < total


@cache
def weight_byte(path: Path) -> int:
    """What a file weighs on its way to the reader: text is compressed by the server, fonts and pictures are already."""
    content = path.read_bytes()
    return len(content) if path.suffix in (".woff2", ".png") else len(gzip.compress(content, mtime=0))


def shows_charts(page: Path) -> bool:
    return any(f"wide-light.{kind}" in page.read_text(encoding="utf-8") for kind in ("svg", "png"))


def files_loaded(browser: Browser, page: Path) -> set[Path]:
    visit = Visit(browser)
    opened = visit.open(page)
    if opened.locator("script[data-charts]").count():
        come(opened)
    visit.context.close()
    return visit.loaded


@pytest.mark.parametrize(
    ("charts", "limit_kib"), [(True, CHART_PAGE_KIB), (False, TEXT_PAGE_KIB)], ids=["chart", "text"]
)
def test_pages_are_light(browser: Browser, site: Path, charts: bool, limit_kib: float) -> None:
    kind = [page for page in site.rglob("*.html") if shows_charts(page) is charts]
    chosen = {*sorted(kind, key=weight_byte)[-HEAVIEST:], site / "search.html"} & set(kind)
    assert len(chosen) >= HEAVIEST
    heavy = {}
    for page in sorted(chosen):
        # Chromium now and then asks for a part of a font that no character of the page needs: what each visit asks for counts.
        loaded = files_loaded(browser, page)
        for _ in range(VISITS):
            if sum(map(weight_byte, loaded)) > limit_kib * 1024:
                loaded &= files_loaded(browser, page)
        assert site / "_static" / "site.css" in loaded
        if sum(map(weight_byte, loaded)) > limit_kib * 1024:
            heaviest = sorted(loaded, key=weight_byte, reverse=True)[:5]
            heavy[str(page.relative_to(site))] = {path.name: weight_byte(path) for path in heaviest}
    assert not heavy


@pytest.mark.parametrize(("name", "width"), [*((name, 1280) for name in PAGES), (PAGES[1], 1600)])
def test_nothing_moves_while_a_page_comes_together(browser: Browser, site: Path, name: str, width: int) -> None:
    visit = Visit(browser, width=width)
    visit.context.add_init_script(
        "window.shifts = []; new PerformanceObserver(list => list.getEntries().forEach(one => window.shifts.push(one.value)))"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    page = visit.open(site / name)
    page.wait_for_timeout(500)
    boxes = "() => [...document.querySelectorAll('.mw-chart')].map(chart => Math.round(chart.getBoundingClientRect().height))"
    pictures = page.evaluate(boxes)
    scroll_through(page)
    count = page.locator(".mw-chart").count()
    page.wait_for_function(
        "count => document.querySelectorAll('.mw-chart.mw-drawn svg.marks').length === count", arg=count, timeout=15000
    )
    assert page.evaluate(boxes) == pytest.approx(pictures, abs=3), "a chart is as large as the picture it replaces"
    assert page.evaluate("() => window.shifts.reduce((sum, one) => sum + one, 0)") <= LAYOUT_SHIFT


def test_the_policy_is_really_enforced_and_the_page_meets_it(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    page = visit.open(site / "tables" / "sources.html")
    assert visit.complaints == []
    page.evaluate(
        "() => document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"window.ran = 1\">')"
    )
    page.wait_for_function("() => !!document.images[document.images.length - 1].complete")
    page.wait_for_timeout(200)
    assert page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in said for said in visit.complaints)


def test_a_long_table_shows_its_other_rows_when_asked(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    page = visit.open(site / "tables" / "sources.html")
    rows = page.locator("table[data-table=sources-rows] tbody tr")
    total = len((site / "tables" / "sources.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert rows.count() < total
    page.locator(".mw-more button").click()
    page.wait_for_function("() => !document.querySelector('.mw-more')")
    assert rows.count() == total
    page.locator(".mw-table-bar input[type=search]").first.fill("arxiv")
    assert 0 < page.locator("table[data-table=sources-rows] tbody tr:not([hidden])").count() < total
    assert visit.complaints == []


# ------------------------------------------------------------------------------------ controls, citable numbers, names of marks


def drawn_chart(page: Page) -> Locator:
    page.mouse.move(100, 300)
    chart = page.locator(".mw-chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg.marks").wait_for(timeout=15000)
    chart.scroll_into_view_if_needed()
    return chart


def choose(page: Page, chart: Locator) -> str:
    """Choose another number format and a faster reader; the value of the menu."""
    menu = chart.locator(".mw-live select").first
    menu.select_option(label="FP16")
    slider = chart.locator("input[type=range]:enabled").first
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.mw-shown').textContent.includes('350')")
    return menu.input_value()


def test_a_title_steps_back_when_other_settings_are_shown_and_comes_back_with_them(
    browser: Browser, site: Path
) -> None:
    visit = Visit(browser)
    page = visit.open(site / "index.html")
    chart = drawn_chart(page)
    title, shown = page.locator(".mw-figure-title").first, page.locator(".mw-shown").first
    before = title.inner_text()
    assert not shown.is_visible()
    choose(page, chart)
    assert title.inner_text() == f"With the default settings: {before}"
    assert "Number format: FP16; Words per minute: 350" in shown.inner_text()
    assert shown.get_attribute("role") == "status"
    assert "FP16" in (chart.locator(".mw-live").get_attribute("aria-label") or "")
    chart.locator(".mw-live select").first.select_option(value="q4-k-m")
    for _ in range(10):
        chart.locator("input[type=range]:enabled").first.press("ArrowLeft")
    page.wait_for_function("() => !document.querySelector('.mw-default')")
    assert title.inner_text() == before
    assert "?" not in page.url
    assert visit.complaints == []


def test_every_figure_with_controls_steps_back(browser: Browser, site: Path) -> None:
    figures = [
        page for page in sorted(site.glob("figures/*/index.html")) if "mw-waiting" in page.read_text(encoding="utf-8")
    ]
    assert len(figures) >= 10
    visit = Visit(browser)
    for path in figures:
        page = visit.open(path)
        chart = drawn_chart(page)
        menu, slider = chart.locator(".mw-live select").first, chart.locator("input[type=range]:enabled").first
        if menu.count():
            count = menu.locator("option").count()
            menu.select_option(index=(menu.evaluate("menu => menu.selectedIndex") + 1) % count)
        else:
            slider.press("ArrowLeft")
        page.locator(".mw-default").wait_for()
        assert f"?{path.parent.name}." in page.url, path.parent.name
        page.close()
    assert visit.complaints == []


def test_what_is_chosen_outlives_theme_width_and_visit_and_is_shared(browser: Browser, site: Path) -> None:
    visit = Visit(browser)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open(site / "index.html")
    chart = drawn_chart(page)
    chosen = choose(page, chart)
    page.evaluate("() => { document.querySelector('svg.marks').dataset.old = 1 }")
    darken(page)
    page.locator("svg.marks:not([data-old])").first.wait_for()
    assert chart.locator(".mw-live select").first.input_value() == chosen
    page.evaluate("() => { document.querySelector('svg.marks').dataset.old = 1 }")
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".mw-chart svg.marks:not([data-old])").first.wait_for()
    assert chart.locator(".mw-live select").first.input_value() == chosen
    menu = menu_of(page)
    menu.locator(".mw-copy", has_text="Copy link").click()
    menu.locator(".mw-copied").wait_for()
    for address in (page.url, str(page.evaluate("() => navigator.clipboard.readText()"))):
        again = visit.context.new_page()
        again.goto(address)
        drawn_chart(again)
        again.locator(".mw-shown", has_text="350").wait_for(timeout=15000)
        assert again.locator(".mw-live select").first.input_value() == chosen
    assert visit.complaints == []


@pytest.mark.parametrize(
    "query", ["number_format=int3", "reading_speed=1e9", "reading_speed=", "device=<b>", "nothing=1"]
)
def test_an_address_that_asks_for_what_is_not_there_shows_the_default(browser: Browser, site: Path, query: str) -> None:
    visit = Visit(browser)
    page = visit.context.new_page()
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.goto(f"{(site / 'index.html').as_uri()}?how-large-a-model.{query}")
    page.locator("#how-large-a-model").scroll_into_view_if_needed()
    page.locator(".mw-drawn").first.wait_for(timeout=15000)
    assert page.locator(".mw-default").count() == 0
    assert visit.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_the_menu_of_a_figure_is_usable_on_a_phone(browser: Browser, site: Path, name: str) -> None:
    page = Visit(browser, width=390).open(site / name)
    menu = menu_of(page)
    box = menu.locator(".mw-menu-body").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    menu.locator("summary").click()
    menu.locator(".mw-menu-body").wait_for(state="visible")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


def test_citable_numbers_look_it_and_say_what_describes_them(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "chapters" / "memory_wall.html")
    value = page.locator("a.mw-value[data-definition]").first
    assert value.evaluate("value => getComputedStyle(value).textDecorationStyle") == "dotted"
    value.focus()
    page.locator(".mw-popover").wait_for()
    named = value.get_attribute("aria-describedby")
    assert page.locator(f"#{named}").get_attribute("role") == "tooltip"
    page.keyboard.press("Escape")
    assert page.locator(".mw-popover").count() == 0
    assert value.get_attribute("aria-describedby") is None


@pytest.mark.parametrize("leads_to", ["numbers.html", "glossary.html"])
def test_a_first_tap_shows_what_a_number_or_a_term_is_and_a_second_leads_there(
    browser: Browser, site: Path, leads_to: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((site / "chapters" / "memory_wall.html").as_uri())
    value, before = page.locator(f"a.mw-value[data-definition][href*='{leads_to}']").first, page.url
    value.tap()
    page.locator(".mw-popover").wait_for()
    page.wait_for_timeout(300)
    assert page.url == before
    value.tap()
    page.wait_for_url(f"**/{leads_to}#*")
    context.close()


def test_one_switch_shows_the_code_of_a_page(browser: Browser, site: Path) -> None:
    page = Visit(browser).open(site / "chapters" / "memory_wall.html")
    cells, switch = page.locator("details.hide.above-input"), page.locator(".mw-code-switch")
    assert cells.count() > 3
    assert switch.get_attribute("aria-pressed") == "false"
    assert not cells.first.is_visible()
    switch.press("Enter")
    assert switch.get_attribute("aria-pressed") == "true"
    assert page.locator("details.hide.above-input pre").last.is_visible()
    plain = Visit(browser, scripts=False).open(site / "chapters" / "memory_wall.html")
    assert plain.locator("details.hide.above-input summary").first.is_visible()
    assert plain.locator(".mw-code-switch").count() == 0


def test_a_screen_reader_hears_readers_words(browser: Browser, site: Path) -> None:
    """Of some charts, as pictures of all are held in ``test_site``: its own name, marks and axes in the words and units of the page."""
    visit = Visit(browser)
    heard: list[str] = []
    for name in ("roofline", "footprint-against-memory", "how-large-a-model", "bytes-and-flop-per-token"):
        page = visit.open(site / "figures" / name / "embed.html")
        chart = drawn_chart(page)
        assert chart.locator(".mw-live").get_attribute("aria-label") == chart.locator(
            ".mw-static img"
        ).first.get_attribute("alt")
        tree = visit.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
        heard += [
            str(node["name"].get("value", "")) for node in tree["nodes"] if not node.get("ignored") and "name" in node
        ]
        page.close()
    assert len(heard) > 200
    assert [name for name in heard if re.search(r"\b[a-z]+(_[a-z0-9]+)+: |Vega visualization|\(blank\)", name)] == []


# ------------------------------------------------------------------------------------------------- can mine run it?

ASKED = "(pairs) => pairs.map((pair) => window.mwAsk(...pair))"


def asking(browser: Browser, site: Path, address: str = "", **kind: Any) -> tuple[Visit, Page]:
    visit = Visit(browser, **kind)
    page = visit.open(site / "index.html")
    if address:
        page.goto((site / "index.html").as_uri() + f"#{address}")
        page.reload()
    page.wait_for_function("() => window.mwAsk", timeout=15000)
    return visit, page


def said(page: Page) -> list[str]:
    return page.locator("[data-ask=answer] p").all_inner_texts()


def test_the_form_computes_what_python_computes(browser: Browser, site: Path) -> None:
    folder = tables.data_folder()
    rows = [ids(folder, name, key) for name, key in (("devices", "device_id"), ("models", "model_id"))]
    given = json.loads(arithmetic.told(folder))
    known = [{row[0] for row in given["devices"]}, {row[0] for row in given["models"]}]
    pairs = [pair for pair in itertools.product(*rows) if pair[0] in known[0] and pair[1] in known[1]][::37]
    asked = [
        (*pair, number_format, 16384, 2048) for pair in pairs for number_format in ("q4-k-m", "fp16", "iq2-xs", "mxfp4")
    ]
    _, page = asking(browser, site)
    found = pd.DataFrame(page.evaluate(ASKED, [list(one) for one in asked])).apply(pd.to_numeric, errors="coerce")
    columns = ["device", "model_id", "format", "context_token", "prompt_token"]
    expected = predict.detailed(pd.DataFrame(asked, columns=columns).astype(str), folder=folder)
    assert len(asked) > 4000
    for ours, theirs, factor in SAME:
        np.testing.assert_allclose(
            found[ours].to_numpy(dtype=float), expected[theirs].to_numpy(dtype=float) * factor, rtol=1e-9, err_msg=ours
        )


def ids(folder: Path, table: str, key: str) -> list[str]:
    return pd.read_csv(folder / f"{table}.csv", dtype=str)[key].tolist()


@pytest.mark.parametrize(
    ("device", "model", "context"),
    [
        ("rtx-3060-12gb", "qwen3-8b", 16384),
        ("iphone-17", "llama-3.2-3b", 4096),
        ("iphone-17", "qwen3-8b", 4096),
        ("rtx-3060-12gb", "llama-3.3-70b", 4096),
    ],
)
def test_the_form_says_what_the_command_says(
    browser: Browser, site: Path, device: str, model: str, context: int
) -> None:
    folder = tables.data_folder()
    question = ask.Question((device, model), {"context_token": str(context)})
    sentences = [line for line in telling.sentences(ask.answered(question, folder, "2026.11"), 25 / 3) if line]
    _, page = asking(browser, site, f"d={device}&m={model}&c={context}&p=512")
    head, *lines = said(page)
    assert lines[: len(sentences)] == sentences
    assert "Q4_K_M" in head


@pytest.mark.parametrize("typed", ["rtx 3060", "rtx3060", "RTX 4090", "iphone 17", "geforce rtx 4060 laptop"])
def test_a_name_means_on_the_page_what_it_means_to_the_command(browser: Browser, site: Path, typed: str) -> None:
    folder = tables.data_folder()
    found = ask.device(typed, "", folder)
    assert found is not None
    _, page = asking(browser, site)
    page.locator("[data-ask=device]").fill(typed)
    assert said(page)[0].endswith(f" on {found.name}")


def test_a_name_of_several_is_told_with_some_to_choose_from(browser: Browser, site: Path) -> None:
    _, page = asking(browser, site)
    page.locator("[data-ask=device]").fill("macbook")
    assert said(page)[0].startswith("No one device is called “macbook”.")
    chosen = page.locator("[data-ask=answer] button").first
    name = chosen.inner_text()
    chosen.click()
    assert said(page)[0].endswith(f" on {name}")


@pytest.mark.parametrize(
    ("asked", "other", "part"), [("rtx-3060-12gb", "model", "runs"), ("qwen3-8b", "device", "run-by")]
)
def test_what_else_runs_stands_in_the_order_of_the_command(
    browser: Browser, site: Path, asked: str, other: str, part: str
) -> None:
    folder = tables.data_folder()
    names = {row[f"{other}_id"]: row["name"] for row in expected.rows(folder / f"{other}s.csv")}
    known = {row[0] for row in json.loads(arithmetic.told(folder))[f"{other}s"]}
    rows = ask.answered(ask.Question((asked,)), folder, "")["rows"]
    wanted = [names[row[other]] for row in rows if row["fits"] in ("yes", "barely") and row[other] in known]
    _, page = asking(browser, site)
    page.locator("details", has=page.locator(f"[data-ask={part}]")).locator("summary").click()
    heads = page.locator(f"[data-ask={part}] tbody th")
    heads.nth(len(wanted) - 1).wait_for()
    assert heads.all_inner_texts() == wanted


def test_own_numbers_are_asked_for_before_they_are_answered(browser: Browser, site: Path) -> None:
    _, page = asking(browser, site)
    page.locator("[data-ask=own] summary").click()
    page.locator("[data-ask=bandwidth]").fill("")
    asked_for = said(page)
    assert [line.startswith("Enter bandwidth and memory of your device") for line in asked_for] == [True]
    page.locator("[data-ask=type]").fill("DDR5")
    assert said(page) == asked_for


def test_a_kind_of_memory_is_reckoned_as_the_command_reckons_it(browser: Browser, site: Path) -> None:
    asked = ask.Question(("qwen3-8b",), {"memory_capacity_gibyte": "16", "backend": "cpu"}, "ddr4-3200", 4)
    sentences = [
        line for line in telling.sentences(ask.answered(asked, tables.data_folder(), "2026.11"), 25 / 3) if line
    ]
    _, page = asking(browser, site)
    page.locator("[data-ask=own] summary").click()
    page.locator("[data-ask=type]").fill("ddr4-3200")
    page.locator("[data-ask=channels]").select_option("4")
    assert said(page)[1 : 1 + len(sentences)] == sentences


def test_a_copied_answer_leads_back_to_itself(browser: Browser, site: Path) -> None:
    visit, page = asking(browser, site)
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name in ("iPhone 17", "GeForce RTX 4090"):
        page.locator("[data-ask=device]").fill(name)
        page.locator("[data-ask=cite]").click()
        page.locator("[data-ask=cite].mw-copied").wait_for()
        copied = str(page.evaluate("() => navigator.clipboard.readText()"))
        assert copied.startswith(said(page)[0])
        assert copied.endswith(page.url)
        assert name.split()[-1] in page.url


def test_the_prompt_counts_for_what_a_model_is_made_for(browser: Browser, site: Path) -> None:
    note = "more context than the model is made for"
    for prompt, is_said in ((512, False), (32768, True)):
        _, page = asking(browser, site, f"d=rtx-4090-24gb&m=qwen3-8b&c=32768&p={prompt}")
        assert (note in page.locator("[data-ask=answer]").inner_text()) == is_said


def test_a_number_is_cited_as_programs_read_it(browser: Browser, site: Path) -> None:
    """The page puts its citations together from one frame: for every number they are those of numbers.json."""
    page = Visit(browser).open(site / "numbers.html")
    page.evaluate(
        "() => { window.copied = []; navigator.clipboard.writeText = async (text) => window.copied.push(text); }"
    )
    page.evaluate("() => document.querySelectorAll('.mw-copy[data-number]').forEach((button) => button.click())")
    page.wait_for_function("() => window.copied.length === document.querySelectorAll('.mw-copy[data-number]').length")
    cited = [
        one["citation"]
        for one in json.loads((site / "numbers.json").read_text(encoding="utf-8"))
        if one["number"] is not None
    ]
    assert set(page.evaluate("() => window.copied")) == set(cited)


def test_own_numbers_are_answered_as_the_command_answers_them(browser: Browser, site: Path) -> None:
    cells = {"memory_capacity_gibyte": "16", "memory_bandwidth_gbyte_per_s": "89.6", "backend": "cpu"}
    answer = ask.answered(ask.Question(("qwen3-8b",), cells), tables.data_folder(), "2026.11")
    sentences = [line for line in telling.sentences(answer, 25 / 3) if line]
    _, page = asking(browser, site, "m=qwen3-8b&c=4096&p=512&b=89.6&g=16&s=cpu")
    assert said(page)[1 : 1 + len(sentences)] == sentences


def test_the_other_rows_of_a_model_s_page_are_those_that_python_would_write(browser: Browser, site: Path) -> None:
    """For every model: a button loads the form's script, which makes the rows beyond the first."""
    page = Visit(browser).open(site / "models" / "qwen3-8b.html")
    first = page.locator("table[data-table=qwen3-8b-answers] tbody tr")
    assert first.count() == answer_pages.FEW
    page.locator(".mw-more button").first.click()
    page.wait_for_selector(".mw-more", state="detached")
    assert first.count() > 2 * answer_pages.FEW
    made = answer_pages.entries(answer_pages.Answers(tables.package()))
    begun = [(entry, one) for entry in made for one in entry.sections if one.script]
    assert len(begun) > 150
    for entry, section in begun:
        text = (site / f"{entry.page}.html").read_text(encoding="utf-8")
        if len(entry.rows[: section.own]) <= section.most:
            continue
        places = json.loads(unescape(re.findall(r'data-asked="(\[[^"]*)"', text)[0]))[2]
        page.evaluate(
            """([address, id, places]) => new Promise((resolve) => {
              window.mwRows = (rows) => resolve((window.found = rows));
              const script = document.createElement("script");
              script.src = address;
              script.dataset.asked = JSON.stringify([id, 0, places]);
              document.head.append(script);
            })""",
            ["../pieces/ask.js", entry.id, places],
        )
        rows = [[*row, f"../devices/{row[0]}.html"] for row in entry.rows[: section.own]]
        name, *others = section.table.columns
        shown = replace(
            section.table, columns=[replace(name, link="page"), *others], fields=[*entry.fields, "page"], rows=rows
        )
        assert page.evaluate("() => window.found") == pieces.drawn(shown)["rows"], entry.id


def test_what_is_chosen_stands_in_the_address_and_comes_back(browser: Browser, site: Path) -> None:
    _, page = asking(browser, site)
    assert "#" not in page.url
    page.locator("[data-ask=device]").fill("Raspberry Pi 5 8 GB")
    page.locator("[data-ask=context]").select_option("8192")
    address, before = page.url, said(page)
    assert "d=Raspberry" in address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("() => window.mwAsk")
    assert said(page) == before


def test_a_name_that_is_unknown_is_told_with_what_is_like_it(browser: Browser, site: Path) -> None:
    visit, page = asking(browser, site)
    page.locator("[data-ask=model]").fill("qwen3 8bb")
    assert "Qwen3 8B" in " ".join(said(page))
    assert page.locator("[data-ask=more]").is_hidden()
    assert not visit.complaints


def test_the_lists_choose(browser: Browser, site: Path) -> None:
    _, page = asking(browser, site)
    page.locator("summary", has_text="Which devices run this").click()
    button = page.locator("[data-ask=run-by] button").first
    name = button.inner_text()
    button.click()
    assert page.locator("[data-ask=device]").input_value() == name
    assert name in said(page)[0]


def test_on_a_phone_the_answer_is_in_the_first_view(browser: Browser, site: Path) -> None:
    _, page = asking(browser, site, width=390)
    box = page.locator("[data-ask=answer] p").nth(1).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844


def test_without_scripts_the_first_answer_is_there(browser: Browser, site: Path) -> None:
    page = Visit(browser, scripts=False).open(site / "index.html")
    assert any(line.startswith("Yes, it fits.") for line in said(page))


def test_what_the_form_adds_is_light(site: Path) -> None:
    assert len(gzip.compress((site / "pieces" / "ask.js").read_bytes(), 9)) <= 25 * 1024
