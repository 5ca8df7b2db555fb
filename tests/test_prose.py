"""An error of prose names the line of the chapter's own file, and what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.book.run import execution, prose
from tests.conftest import ROOT
from tests.small import LANDING, Book

WRONG = {
    "A paragraph with {numref}`nosuch-figure`.": "undefined label: 'nosuch-figure'",
    "Some {nosuchrole}`x` here.": 'Unknown interpreted text role "nosuchrole"',
    "More text, {doc}`nowhere`.": "unknown document: 'nowhere'",
    "```{nosuchdirective}\nhello\n```": "Unknown directive type: 'nosuchdirective'",
    "### A heading too deep": "Non-consecutive header level increase; H1 to H3",
    "[link](nowhere.md)": "'myst' cross-reference target not found: 'nowhere.md'",
    "It is {value}`no-such-number`.": "unknown value 'no-such-number'",
    "It is {claim}`no-such-claim`.": "unknown claim 'no-such-claim'",
    "It is {verdict}`no-such-verdict`.": "unknown claim 'no-such-verdict'",
}
CODE = "```{code-cell} python\na = 1\n```"


def test_every_error_of_prose_names_file_line_and_text(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    book.write("index", LANDING + "\n" + f"\n\n{CODE}\n\n".join(WRONG) + "\n")
    done = book.run("build")
    assert done.returncode == 1
    file = (book.folder / "chapters" / "index.md").read_text(encoding="utf-8").splitlines()
    for text, said in WRONG.items():
        first = text.splitlines()[0]
        line = file.index(first) + 1
        assert f"chapters/index.md:{line}: {said}" in done.stderr, done.stderr
        assert f"\n    {first}" in done.stderr
    assert ".ipynb" not in done.stderr
    assert str(tmp_path) not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.md")), ids=lambda path: path.stem)
def test_every_cell_of_every_chapter_is_found_in_its_file(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = execution.read(path).cells
    for cell, start in zip(cells, prose.cell_lines(path), strict=True):
        assert lines[start - 1] == cell.source.splitlines()[0]


def test_what_names_no_chapter_stays_as_it_is(tmp_path: Path) -> None:
    lines = ["WARNING: something else", "/x/source/chapters/other.ipynb:10002: WARNING: said", "Exception: x"]
    assert prose.located(lines, [tmp_path / "index.md"]) == lines
