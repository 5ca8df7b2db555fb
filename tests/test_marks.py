"""What of a run is marked: what differs, with what of the run it rests on, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis import figures, tables
from analysis.book.inputs import parameters
from analysis.book.record import marks
from analysis.book.record.marks import Change, Marks, Run

SPEED, CONTEXT = Change("reading_speed_word_per_min", "speed"), Change("context_token", "context")
ROWS = Change("devices", "rows", frozenset({"iphone-14"}), is_table=True)
SOURCE = Change("sources", "a source", frozenset({"press"}), is_table=True)


def outputs(*bundles: tuple[str, Mapping[str, Any]]) -> marks.Outputs:
    """What a chapter puts out that publishes these, a cell each."""
    return [[{"data": {mime: bundle}}] for mime, bundle in bundles]


def figure(key: str, title: str, *sources: str) -> tuple[str, Mapping[str, Any]]:
    return figures.FIGURE, {"id": key, "title": title, "sources": list(sources)}


def values(**numbers: float) -> tuple[str, Mapping[str, Any]]:
    return figures.VALUES, {"values": [{"id": key, "number": number, "sources": []} for key, number in numbers.items()]}


def entries(**said: str) -> tuple[str, Mapping[str, Any]]:
    told = [
        {
            "table": "devices",
            "id": key,
            "title": key,
            "group": "",
            "number": text[:1],
            "counted": "",
            "said": text.split("|"),
        }
        for key, text in said.items()
    ]
    return figures.ENTRIES, {"entries": told}


@pytest.fixture
def found(package: tables.DataPackage) -> Any:
    def of(*runs: Run, every: tuple[Change, ...] = (ROWS, SPEED, CONTEXT)) -> dict[str, dict[str, list[str]]]:
        return marks.found(runs, every, package)

    return of


def test_what_reads_as_published_is_not_marked_and_what_differs_names_what_its_chapter_rests_on(found: Any) -> None:
    book = outputs(figure("one", "1"), figure("other", "2"), values(a=1, b=2))
    run = outputs(figure("one", "1"), figure("other", "3"), values(a=1, b=3))
    told = found(
        Run("first", [SPEED], run, book), Run("second", [ROWS, CONTEXT], outputs(values(c=1)), outputs(values(c=2)))
    )
    assert told["figures"] == {"other": ["speed"]}
    assert told["values"] == {"b": ["speed"], "c": ["rows", "context"]}
    assert "pieces" not in told


def test_what_the_book_does_not_have_is_marked(found: Any) -> None:
    told = found(Run("first", [ROWS], outputs(entries(old="Old.", new="New.")), outputs(entries(old="Old."))))
    assert told["entries"] == {"devices/new": ["rows"]}
    assert told["lists"] == {"devices": ["rows"]}
    assert told["cards"] == {"devices/new": ["rows"]}


def test_a_list_of_entries_rests_on_what_it_shows_of_each(found: Any) -> None:
    told = found(Run("first", [ROWS], outputs(entries(a="Same.|Other.")), outputs(entries(a="Same.|More."))))
    assert told["entries"] == {"devices/a": ["rows"]}
    assert "lists" not in told
    assert "cards" not in told, "a card shows no more of it than its number"


def test_what_is_no_bundle_is_part_of_the_page(found: Any) -> None:
    run, book = ([[{"text": text}]] for text in ("4096", "2048"))
    assert found(Run("first", [CONTEXT], run, book))["pieces"] == {"first": ["context"]}


def test_another_source_marks_what_names_it(found: Any, package: tables.DataPackage) -> None:
    alike = outputs(figure("one", "1", "press"), figure("other", "2", "maker"))
    told = found(Run("first", [], alike, alike), every=(SOURCE,))
    assert told["figures"] == {"one": ["a source"]}
    assert set(told["data"]) == {"sources"}
    source = str(package.table("devices")["source_id"].iloc[0])
    named = found(every=(Change("sources", "another", frozenset({source}), is_table=True),))
    assert {"devices", "sources"} <= set(named["data"])
    assert set(named["data"]) < set(package.names)


def test_tables_are_marked_by_their_own_rows(found: Any) -> None:
    assert found()["data"] == {"devices": ["rows"]}


def test_several_things_tell_each_change_once_in_the_order_of_the_run() -> None:
    run = Marks(["rows", "speed"], {"values": {"a": ["speed"], "b": ["rows", "speed"]}})
    assert run.of("values") == ["rows", "speed"]
    assert run.of("values", "a", "none") == ["speed"]
    assert run.of("figures") == []
    assert marks.read(run.text()) == run
    assert marks.read("") == Marks()


def test_changes_are_those_of_data_and_parameters_and_not_the_name_of_the_edition(tmp_path: Path) -> None:
    given = parameters.defaults() | {"context_token": 4096, "edition": "2027.01", "title": "Mine"}
    [change] = marks.changes(given, tables.DataPackage(tables.REPOSITORY / "data"))
    assert change == Change("context_token", "context token = 4096 (not 2048)")
    assert marks.as_published(given) == given | {"context_token": 2048}
