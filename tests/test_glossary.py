"""Every term of the glossary is used, and every chapter explains the terms that it uses where it uses them first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docutils import nodes

from analysis.book import site as book
from analysis.book.pages import glossary
from analysis.book.pages.nodes import Reference
from tests.test_language import ROLE, prose, words_of

CARD = re.compile(r'<a class="mw-value" href="[^"]*glossary\.html#([\w-]+)"')
PAGES = [path for path in book.chapter_files() if path.stem != "glossary"]


class Blank(dict[str, str]):
    """Numbers of the prose, which hold no terms to explain."""

    def __missing__(self, key: str) -> str:
        return "1"


def page(site: Path, name: str) -> str:
    path = site / ("index.html" if name == "index" else f"chapters/{name}.html")
    return path.read_text(encoding="utf-8")


def test_a_term_is_one_plain_sentence() -> None:
    names = [term.name for term in glossary.terms()]
    assert len(names) == len(set(names)) >= 30
    for term in glossary.terms():
        assert term.said.endswith(".")
        assert not re.search(r"[.!?] [A-Z]", term.said), term.said
        assert len(words_of(term.said)) <= 30, term.said


def test_the_first_use_is_explained_and_nothing_else() -> None:
    words = [
        nodes.Text("Speculative decoding fills the KV cache of a token. Speculative decoding "),
        nodes.literal("", "batch"),
        nodes.Text(" and the KV cache again"),
    ]
    first = nodes.paragraph("", "", *words)
    other = nodes.paragraph("", "", nodes.reference("", "HBM"), nodes.Text(" memory bandwidth of HBM"))
    page = nodes.section("", nodes.title("", "DRAM"), first, other)
    marked = [
        (text.astext()[start:end], term.id) for text, uses in glossary._first_uses(page) for start, end, term in uses
    ]
    assert marked == [
        ("Speculative decoding", "speculative-decoding"),
        ("KV cache", "kv-cache"),
        ("token", "token"),
        ("memory bandwidth", "bandwidth"),
        ("HBM", "hbm"),
    ]
    for text, uses in list(glossary._first_uses(page)):
        glossary._mark(text, uses, "chapters/x")
    assert first.astext() == "".join(word.astext() for word in words)
    assert [node["key"] for node in page.findall(Reference)] == [term for _, term in marked]


SENSES = {
    "a model of 7 billion parameters": "parameter", "2 bytes per parameter": "parameter", "a verdict moves with a parameter": "setting",
    "17 claims that a parameter moves": "setting",
    "the share of plausible parameters": "setting", "jupytext runs it with other parameters": "setting",
    "Nothing depends on the parameters of the edition": "setting",
    "integers with their scales": "effective-bits", "formats whose scales take space": "effective-bits", "the script scales the step": "",
    "the sizes scale with one over it": "", "peak of a chip": "peak", "Sequential peak speed": "", "what attention keeps": "attention",
    "Where attention and money went": "",
}  # fmt: skip


@pytest.mark.parametrize("said", SENSES)
def test_a_word_of_several_senses_leads_to_the_one_that_is_meant(said: str) -> None:
    page = nodes.section("", nodes.paragraph("", "", nodes.Text(said)))
    found = {term.id for _, uses in glossary._first_uses(page) for _, _, term in uses}
    told = {"parameter", "setting", "effective-bits", "peak", "attention"}
    assert found & told == {SENSES[said]} - {""}


OF_RUNS = ("claims", "colophon", "rerun", "validation")
"""Chapters that speak of settings and fits first, and of the parameters of a model later or never."""


@pytest.mark.parametrize("name", OF_RUNS)
def test_where_settings_and_fits_are_spoken_of_a_parameter_is_none_of_a_model(name: str, site: Path) -> None:
    linked = re.findall(
        r"(.{0,200})<a class=\"mw-value\" href=\"[^\"]*glossary\.html#parameter\"", page(site, name), flags=re.DOTALL
    )
    assert all(
        re.search(r"(?:P: number of|token moves all|same machine follow from their) $", re.sub(r"<[^>]*>", "", before))
        for before in linked
    ), linked


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_chapter_explains_every_term_once(path: Path, site: Path) -> None:
    cards = CARD.findall(page(site, path.stem))
    assert len(cards) == len(set(cards))
    text = " ".join(prose(path, Blank()))
    for kind, name in ROLE.findall(path.read_text(encoding="utf-8")):
        text = text.replace(name.replace("_", " ").capitalize(), "") if kind == "doc" else text
    whole = nodes.paragraph("", "", nodes.Text(text))
    used = {term.id for _, uses in glossary._first_uses(whole) for _, _, term in uses}
    assert used <= set(cards)


def test_every_term_is_used_and_found_where_its_card_leads(site: Path) -> None:
    cards = {path.stem: set(CARD.findall(page(site, path.stem))) for path in PAGES}
    listed = page(site, "glossary")
    for term in glossary.terms():
        place = re.search(rf'<dt id="?{term.id}"?>.*?</dd>', listed, flags=re.DOTALL)
        assert place, term.id
        using = {name for name, found in cards.items() if term.id in found}
        assert using, f"{term.id} is in no chapter"
        assert len(re.findall(r"<a ", place[0])) == len(using), term.id
