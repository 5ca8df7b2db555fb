"""The book reads easily: short sentences, plain words, measured over the prose as a reader sees it, its numbers filled in.

``python -m tests.test_language`` prints grade and longest sentence of every chapter.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from analysis import figures
from analysis.book import site
from analysis.book.run import execution
from tests import published

CHAPTERS = {path.stem: path for path in site.chapter_files()}
MOST_WORDS, HIGHEST_GRADE, MOST_LETTERS = 35, 11.0, 90
SETTINGS: dict[str, dict[str, Any]] = {
    "as published": {},
    "a slow reader of English at the full bandwidth": {
        "reading_speed_word_per_min": 175.0, "fast_reading_speed_word_per_min": 350.0, "token_per_word": 1.3333, "bandwidth_share": 1.0,
        "context_token": 32768, "system_reserve_gibyte": 4.0, "array_efficiency_share": 0.55, "reused_share": 0.95,
    },
    "a large model and a fast reader": {
        "reading_speed_word_per_min": 1000.0, "bandwidth_share": 0.25, "reference_model": "llama-3.1-70b", "agent_model": "qwen3-8b",
        "prompt_token": 100000, "answer_token": 4000, "first_token_target_s": 10.0, "agent_token_per_s": 5.0, "context_token": 512,
    },
}  # fmt: skip
PARAMETERS = [name for name, path in CHAPTERS.items() if "parameters]" in path.read_text(encoding="utf-8")]
"""Chapters that a setting can change."""
ROLE = re.compile(r"\{(\w+)\}`([^`<]*?)(?: ?<[^>]*>)?`")
NOT_PROSE = re.compile(
    r"^(\$\$.*?^\$\$[^\n]*|```.*?^```|:{3,}[^\n]*|:class:[^\n]*|#+ [^\n]*|<img[^\n]*|\([\w-]+\)=)$", re.M | re.S
)
MATHS, LINK, MARKS = re.compile(r"\$[^$]+\$"), re.compile(r"\[([^\]]*)\]\([^)]*\)(\{[^}]*\})?"), re.compile(r"[*`]")
ENDS = re.compile(r"(?<!\bet al\.)(?<!\bvs\.)(?<=[.!?])[”\"’)]*\s+(?=[^a-z\s]|i[A-Z])")
WORD = re.compile(r"[^\W_](?:[\w.,’'×°µ²³/–−-]*[\w×%²³])?|[%×$]")
VOWELS = re.compile(r"[aeiouy]+")


def prose(path: Path, values: dict[str, str]) -> list[str]:
    """The paragraphs and items of lists of a chapter, as they read."""
    cells = (cell.source for cell in execution.read(path).cells if cell.cell_type == "markdown")
    text = "\n\n".join(NOT_PROSE.sub("\n", cell) for cell in cells)
    text = MARKS.sub("", LINK.sub(r"\1", MATHS.sub("X", ROLE.sub(lambda found: _filled(found, values), text))))
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. |: )", text)
    return [" ".join(re.sub(r"^(- |: |\d+\. )", "", block.strip()).split()) for block in blocks if block.strip()]


def _filled(found: re.Match[str], values: dict[str, str]) -> str:
    kind, text = found.groups()
    if kind == "value":
        return values[text]
    return {"verdict": "", "numref": "Figure 1", "eq": "(1)", "doc": text.replace("_", " ").capitalize()}.get(
        kind, text
    )


def sentences(paragraph: str) -> list[str]:
    return [one for one in ENDS.split(paragraph) if WORD.search(one)]


def words_of(sentence: str) -> list[str]:
    return WORD.findall(sentence)


def syllables(word: str) -> int:
    """Groups of vowels, a silent e at the end apart; what has digits or no vowels counts as one."""
    plain = re.sub(r"(?<=[^aeiouyl])e(?=s?$)|(?<=[^td])ed$", "", word.lower())
    return 1 if re.search(r"\d", word) else max(len(VOWELS.findall(plain)), 1)


def grade(found: list[str]) -> float:
    """Flesch and Kincaid's grade: 0.39 · words per sentence + 11.8 · syllables per word − 15.59."""
    said = [word for one in found for word in words_of(one)]
    return 0.39 * len(said) / len(found) + 11.8 * sum(map(syllables, said)) / len(said) - 15.59


@cache
def made(chapter: str, settings: str = "as published") -> list[dict[str, Any]]:
    """What a chapter publishes."""
    plain, figures.Published = figures.Published, published.Noted  # type: ignore[misc]
    try:
        return published.made(CHAPTERS[chapter], **SETTINGS[settings])
    finally:
        figures.Published = plain  # type: ignore[misc]


def of_kind(chapter: str, mime: str, settings: str = "as published") -> list[dict[str, Any]]:
    return [one["bundle"] for one in made(chapter, settings) if one["mime"] == mime]


@cache
def values() -> dict[str, str]:
    """Every number of the book as it reads, by its id."""
    return {
        value["id"]: value["text"]
        for chapter in CHAPTERS
        for bundle in of_kind(chapter, figures.VALUES)
        for value in bundle["values"]
    }


@cache
def read(chapter: str) -> list[str]:
    """The sentences of a chapter: its prose, what stands over and under its figures, and what is said to who does not see them."""
    parts = ("subtitle", "caption", "notice", "alt")
    under = [figure[part] for figure in of_kind(chapter, figures.FIGURE) for part in parts]
    under += [table["caption"] for table in of_kind(chapter, figures.TABLE)]
    return [one for block in [*prose(CHAPTERS[chapter], values()), *under] for one in sentences(block)]


def longest(chapter: str) -> list[str]:
    return sorted(read(chapter), key=lambda one: (-len(words_of(one)), one))


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_sentence_is_read_twice(chapter: str) -> None:
    long = [one for one in longest(chapter) if len(words_of(one)) > MOST_WORDS]
    assert not long, f"{chapter}: more than {MOST_WORDS} words: {long}"
    assert grade(read(chapter)) <= HIGHEST_GRADE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chapter", "settings"),
    [(name, key) for key in SETTINGS for name in (PARAMETERS if SETTINGS[key] else CHAPTERS)],
)
def test_a_title_is_one_short_finding(chapter: str, settings: str) -> None:
    titles = [figure["title"] for figure in of_kind(chapter, figures.FIGURE, settings)]
    assert not [(len(title), title) for title in titles if len(title) > MOST_LETTERS]
    assert not [title for title in titles if title.count("; ") > 1 or title.endswith(".")]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_paragraph_judges_one_claim(chapter: str) -> None:
    text = CHAPTERS[chapter].read_text(encoding="utf-8")
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. )", text)
    assert not [block for block in blocks if block.count("{verdict}") > 1]


TESTED = re.compile(r"^## The article's claims .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_claim_stands_on_a_line_of_its_own_with_its_verdict_behind_it(chapter: str) -> None:
    for section in TESTED.findall(CHAPTERS[chapter].read_text(encoding="utf-8")):
        items = re.findall(r"^- .*$", section, flags=re.MULTILINE)
        assert items
        assert not [
            item
            for item in items
            if not re.fullmatch(r"- [^{].*[.] \{verdict\}`[\w-]+`|- \{value\}.*[.] \{verdict\}`[\w-]+`", item)
        ]
        assert not [item for item in items if item.count("{verdict}") != 1]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_symbols_are_explained_in_one_kind_of_list(chapter: str) -> None:
    lines = CHAPTERS[chapter].read_text(encoding="utf-8").split("\n")
    assert not [line for line in lines if line.startswith(": ")]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_badge_stands_behind_a_whole_sentence_and_ends_its_paragraph(chapter: str) -> None:
    lines = CHAPTERS[chapter].read_text(encoding="utf-8").split("\n")
    for line, after in pairwise([*lines, ""]):
        if "{verdict}`" in line and "``{verdict}" not in line:
            assert re.search(r"[.?!](?:\*\*)? \{verdict\}`[\w.-]+`$", line), line
            assert not after or after.startswith((":::", "- ")), (line, after)


def test_the_measure_counts_what_a_reader_reads() -> None:
    values = {"speed": "34.1 GB/s"}
    assert _filled(ROLE.search("{value}`speed`"), values) == "34.1 GB/s"  # type: ignore[arg-type]
    assert sentences("Pope et al. ran it. iPhones read 1.5 GB in 3 s. So do others.") == [
        "Pope et al. ran it.", "iPhones read 1.5 GB in 3 s.", "So do others.",
    ]  # fmt: skip
    assert [syllables(word) for word in ("memory", "bandwidth", "stored", "read", "table", "FP16")] == [
        3,
        2,
        1,
        1,
        2,
        1,
    ]
    assert grade(["The cat sat on the mat."]) < 0 < grade(["Architectural considerations necessitate reconsideration."])


if __name__ == "__main__":
    for name in CHAPTERS:
        most = longest(name)
        titles = [len(figure["title"]) for figure in of_kind(name, figures.FIGURE)]
        told = f"longest title {max(titles, default=0)}, grade {grade(read(name)):.1f}"
        sys.stdout.write(f"{name}: {told}, longest sentence {len(words_of(most[0]))} words\n")
        sys.stdout.writelines(f"    {one}\n" for one in most if len(words_of(one)) > MOST_WORDS)
