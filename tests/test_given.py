"""The first cell of a chapter judges its parameters: papermill by itself is as safe as ``memory-wall build --set``."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from analysis import assumptions, figures
from analysis.assumptions import Parameters
from analysis.book import site
from analysis.book.inputs import given, parameters
from analysis.book.run import execution
from analysis.errors import InputError
from tests.conftest import GIVEN, ROOT

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"reading_speed_words_per_min": 300}, "Did you mean 'reading_speed_word_per_min'"),
    "nothing": ({"context_token": None}, "found nothing; expected a whole number from"),
    "text for a number": ({"context_token": "many"}, "found the text 'many'; expected a number"),
    "a number as text": ({"context_token": "2048"}, "papermill gives numbers with -p"),
    "a list": ({"context_token": [1, 2]}, "found a list"),
    "a mapping": ({"bandwidth_share": {}}, "found a mapping"),
    "true": ({"context_token": True}, "found true"),
    "too small": ({"bandwidth_share": 0.0}, "from 0.01 to 1.0"),
    "too large": ({"bandwidth_share": 50}, "from 0.01 to 1.0"),
    "no number": ({"bandwidth_share": math.nan}, "expected a number"),
    "half a token": ({"context_token": 0.5}, "expected a whole number"),
    "no such model": ({"reference_model": "llama-8b"}, "an id in models.csv"),
    "a number for a name": ({"reference_model": 7}, "expected text"),
    "no day": ({"article_date": "2023-02-30"}, "a day of the calendar"),
    "quite another": ({"nonsense": 1}, "expected a declared parameter"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_parameter_is_refused(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(figures.BUILDING, raising=False)
    names, said = WRONG[case]
    with pytest.raises(InputError) as caught:
        given.require({"In": [], "Out": {}, "_": "", "given": given, "token_per_word": 2.0} | names)
    assert said in str(caught.value)
    assert str(caught.value).startswith("parameters:")


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(figures.BUILDING, raising=False)
    with pytest.raises(InputError) as caught:
        given.require({"context_tokens": 1, "bandwidth_share": 7.0})
    assert len(caught.value.problems) == 2


def test_what_a_notebook_has_of_itself_is_no_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(figures.BUILDING, raising=False)
    given.require({"In": [""], "Out": {1: 2}, "_i": "x", "__name__": "__main__", "exit": exit, "context_token": 4096})


CHAPTERS = [path for path in site.chapter_files() if execution.declared_parameters(execution.read(path))]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_with_parameters_judges_them_in_its_first_cell(path: Path) -> None:
    cells = [cell for cell in execution.read(path).cells if cell.cell_type == "code"]
    assert "parameters" in cells[0].metadata.tags
    assert "require(globals())" in cells[1].source
    assert len(CHAPTERS) >= 7


@pytest.mark.slow
@pytest.mark.parametrize("given_to_papermill", [{"reading_speed_words_per_min": 300}, {"context_token": None}])
def test_papermill_stops_at_a_wrong_parameter(tmp_path: Path, given_to_papermill: dict[str, Any]) -> None:
    import jupytext
    import papermill
    from papermill.exceptions import PapermillExecutionError

    notebook = tmp_path / "memory_wall.ipynb"
    jupytext.write(jupytext.read(ROOT / "chapters" / "memory_wall.md"), notebook)
    with pytest.raises(PapermillExecutionError) as caught:
        papermill.execute_notebook(
            notebook, tmp_path / "out.ipynb", given_to_papermill, kernel_name="python3", progress_bar=False
        )
    assert caught.value.ename == "InputError"
    assert str(next(iter(given_to_papermill))) in caught.value.evalue


@pytest.mark.parametrize(
    ("sign", "word"),
    [("{x}", "braces"), ("<b>", "angle brackets"), ("`x`", "backticks"), ("$x", "dollar"), ("\\x", "backslashes")],
)
def test_a_sign_that_a_title_may_not_have_is_named(sign: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        parameters.validated({"title": f"100 % {sign}"}, file="--set")


def test_the_parameters_are_those_declared_and_none_is_changed() -> None:
    assert set(Parameters.__annotations__) == set(assumptions.declared()) == set(GIVEN)
    assert GIVEN.but(context_token=1).context_token == 1 != GIVEN.context_token
    with pytest.raises(FrozenInstanceError):
        GIVEN.context_token = 1  # type: ignore[misc]


def test_a_chapter_asks_only_for_what_its_first_cell_names() -> None:
    few = Parameters({"token_per_word": 2.0, "no_parameter": 1})
    assert dict(few) == {"token_per_word": 2.0}
    with pytest.raises(AttributeError, match="bandwidth_share is not declared here"):
        _ = few.bandwidth_share
    with pytest.raises(KeyError, match="bandwidth_share is not declared here"):
        few.but(bandwidth_share=1.0)


def test_parameters_in_base_units() -> None:
    assert GIVEN.reading_token_per_s == pytest.approx(250 * 2 / 60)
    assert GIVEN.fast_reading_token_per_s == pytest.approx(1000 * 2 / 60)
    assert GIVEN.system_reserve_byte == 2 * 2**30
