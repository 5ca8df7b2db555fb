"""Sweeps before they begin: wrong plans, draws, stores, statistics."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import assumptions, door, tables
from analysis.assumptions import Parameters
from analysis.book.inputs import parameters
from analysis.book.store.sent import Sent
from analysis.errors import InputError, SiteError
from analysis.subjects import SUBJECTS, numbers
from analysis.sweep import cells, costs, plan, reading, spreads, statistics, summary, work
from analysis.sweep.spreads import Spread
from tests.conftest import ROOT

# -------------------------------------------------------------------------------------------------------- wrong plans

WRONG = {
    "nothing": ("", "expected a mapping of set, grid, list, draws, data, numbers"),
    "a list": ("- 1", "found list; expected a mapping"),
    "no YAML": ("grid: [1", "plan.yml:1"),
    "an empty mapping": ("{}", "found a mapping without entries; expected one of set, grid"),
    "an unknown key": ("grids: {token_per_word: [1]}", "plan.yml:1:grids: found key 'grids'; expected one of set, grid"),
    "a key twice": ("set: {}\nset: {}", "twice"),
    "an unknown parameter": ("grid:\n  tokens_per_word: [1, 2]", "plan.yml:2:grid.tokens_per_word: found parameter 'tokens_per_word'"),
    "a parameter that is no text": ("grid:\n  1: [200]", "grid: found parameter 1; expected the name of a parameter"),
    "a parameter of a list that is no text": ("list: [{no: 200}]", "found parameter False"),
    "out of range": ("grid:\n  token_per_word:\n    - 2\n    - 99", "plan.yml:4:grid.token_per_word: found 99; expected a number from 0.5"),
    "text for a number": ("grid: {token_per_word: [many]}", "found 'many'; expected a number"),
    "a switch for a number": ("set: {token_per_word: yes}", "found true; expected a number"),
    "a value twice": ("grid: {token_per_word: [2, 2.0]}", "found 2 values, some of them twice"),
    "no values": ("grid: {token_per_word: []}", "found a list without entries; expected at least one value"),
    "an empty grid": ("grid: {}", "expected at least one parameter"),
    "a grid as a list": ("grid: [token_per_word]", "found a list; expected a mapping of parameters to lists"),
    "points without a count": ("grid: {token_per_word: '1:2:x'}", "expected low:high:count"),
    "points upside down": ("grid: {token_per_word: '2:1:5'}", "expected low below high"),
    "one point": ("grid: {token_per_word: '1:2:1'}", "2 to 100,000 points"),
    "points of text": ("grid: {reference_model: 'a:b:3'}", "expected low:high:count"),
    "a model that is none": ("grid:\n  reference_model:\n    - llama-7b\n    - lama-7", "plan.yml:4:grid.reference_model: found 'lama-7'"),
    "a model that is none, for all": ("set: {reference_model: lama-7}", "expected an id in models.csv"),
    "a model that is none, listed": ("list: [{reference_model: lama-7}]", "expected an id in models.csv"),
    "an empty list": ("list: []", "expected at least one setting"),
    "a list of values": ("list: [250]", "expected a mapping of parameters to values"),
    "draws without a count": ("draws: {parameters: {token_per_word: [1, 2]}}", "draws.count: found nothing; expected how many draws"),
    "no draws": ("draws: {count: 0, parameters: {token_per_word: [1, 2]}}", "found 0; expected 1 to 100,000"),
    "draws of nothing": ("draws: {count: 5}", "found neither parameters nor cells"),
    "a seed below zero": ("draws: {count: 5, seed: -1, parameters: {token_per_word: [1, 2]}}", "expected a whole number from 0"),
    "a seed as text": ("draws: {count: 5, seed: x, parameters: {token_per_word: [1, 2]}}", "draws.seed: found x; expected a whole number"),
    "an unknown key of draws": ("draws: {n: 5, count: 5, parameters: {token_per_word: [1, 2]}}", "found key 'n'"),
    "a drawn parameter that is none": ("draws: {count: 5, parameters: {token_word: [1, 2]}}", "Did you mean 'token_per_word'?"),
    "drawn text": ("draws: {count: 5, parameters: {reference_model: [1, 2]}}", "which is text; expected a parameter that is a number"),
    "a range upside down": ("draws: {count: 5, parameters: {token_per_word: [2, 1]}}", "found low 2, high 1; expected low below high"),
    "a range beyond": ("draws: {count: 5, parameters: {token_per_word: [1, 99]}}", "expected values from 0.5 to 10"),
    "three ends": ("draws: {count: 5, parameters: {token_per_word: [1, 2, 3]}}", "expected two numbers, plausible, or a distribution"),
    "an unknown distribution": ("draws: {count: 5, parameters: {token_per_word: {distribution: normall}}}", "Did you mean 'normal'?"),
    "a distribution with too little": ("draws: {count: 5, parameters: {token_per_word: {distribution: normal, mean: 2}}}", "for sd"),
    "a distribution with too much": (
        "draws: {count: 5, parameters: {token_per_word: {distribution: uniform, low: 1, high: 2, mode: 1.5}}}", "found key 'mode'"),
    "a mode outside": (
        "draws: {count: 5, parameters: {token_per_word: {distribution: triangular, low: 1, mode: 3, high: 2}}}", "low below mode below"),
    "no deviation": ("draws: {count: 5, parameters: {token_per_word: {distribution: normal, mean: 2, sd: 0}}}", "above 0"),
    "no logarithm": (
        "draws: {count: 5, parameters: {reused_share: {distribution: log-uniform, low: 0, high: 0.5}}}", "there is a logarithm"),
    "plausible where none is": ("draws: {count: 5, parameters: {system_reserve_gibyte: plausible}}", "No plausible range is declared"),
    "drawn and in the grid": (
        "grid: {token_per_word: [1]}\ndraws: {count: 5, parameters: {token_per_word: [1, 2]}}", "which is drawn too"),
    "fixed and in the grid": ("set: {token_per_word: 1}\ngrid: {token_per_word: [1, 2]}", "which varies too"),
    "cells as a mapping": ("draws: {count: 5, cells: {table: devices}}", "expected a list of cells"),
    "a cell without a row": ("draws: {count: 5, cells: [{table: devices, column: x}]}", "expected row: a name as text"),
    "a table that is none": ("draws: {count: 5, cells: [{table: device, row: a, column: b, spread: 0.1}]}", "Did you mean 'devices'"),
    "a row that is none": (
        "draws: {count: 5, cells: [{table: devices, row: iphone-41, column: memory_bandwidth_gbyte_per_s, spread: 0.1}]}",
        "found row 'iphone-41'; expected a row of devices.csv"),
    "a column that is none": (
        "draws: {count: 5, cells: [{table: devices, row: iphone-14, column: memory_bandwidth, spread: 0.1}]}", "a column of numbers"),
    "a column of text": ("draws: {count: 5, cells: [{table: devices, row: iphone-14, column: name, spread: 0.1}]}", "a column of numbers"),
    "an empty cell": (
        "draws: {count: 5, cells: [{table: memory_limits, row: macos-from-0, column: reserve_gibyte, spread: 0.1}]}", "an empty cell"),
    "a spread too wide": (
        "draws: {count: 5, cells: [{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, spread: 10}]}", "as 0.1"),
    "an end that is no column": (
        "draws: {count: 5, cells: [{table: memory_limits, row: macos-from-0, column: limit_share, low: lowshare, high: 1}]}",
        "found column 'lowshare'"),
    "a cell twice": (
        "draws: {count: 5, cells: [{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, spread: 0.1},"
        "{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, spread: 0.2}]}", "each cell once"),
    "no data": ("data: []", "at least one data folder"),
    "data as text": ("data: mine", "expected a list of data folders"),
    "a folder without a name": ("data: ['']", "plan.yml:1:data: found nothing; expected the name of a folder, or book for the book's own"),
    "a folder that is none": ("data: [nowhere]", "nowhere"),
    "a folder twice": ("data: [book, book]", "each folder once"),
    "an id that is none": ("numbers: [indx-needed-fp16]", "found id 'indx-needed-fp16'; expected the id of a number or a claim"),
    "an id as a number": ("numbers: [12]", "expected the id of a number or a claim"),
    "too many": ("grid: {token_per_word: '1:2:1000', reading_speed_word_per_min: '100:200:1000'}", "1,000,000 editions; expected at"),
}  # fmt: skip


def judged(text: str, place: Path) -> plan.Plan:
    (place / "plan.yml").write_text(text, encoding="utf-8")
    asked = plan.of_file(door.taken(place / "plan.yml"), place)
    (place / "held").mkdir()
    plan.judged(asked, place / "held")
    return asked


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_plan_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    text, said = WRONG[case]
    with pytest.raises(InputError) as refused:
        judged(text, tmp_path)
    told = str(refused.value).replace(f"{tmp_path}/", "")
    assert said in told
    assert "plan.yml" in told or case == "a folder that is none"


def test_every_problem_of_a_plan_comes_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        judged("grid:\n  token_per_word: [99]\nlist:\n  - {bandwidth_share: 7}\nnumbers: 3", tmp_path)
    assert [problem.row for problem in refused.value.problems] == [2, 4, 5]


SAID_ONCE = {
    "a parameter that is none": "grid: {token_per_wrd: [1, 2, 3]}",
    "a model that is none, on two data folders": "set: {reference_model: lama-7}\ndata: [book, mine]",
}


@pytest.mark.parametrize("case", SAID_ONCE)
def test_what_is_wrong_once_is_said_once(case: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError) as refused:
        judged(SAID_ONCE[case], tmp_path)
    assert len(refused.value.problems) == 1


EMPTY = {
    "a setting": ([""], None, "--set: found nothing; expected name=value,value", "reading_speed_word_per_min=200"),
    "numbers": (
        ["token_per_word=1"],
        " ",
        "--numbers: found nothing; expected ids of numbers",
        "without the option every one",
    ),
    "numbers that are none": (
        ["token_per_word=1"],
        "nosuch",
        "--numbers: found id 'nosuch'; expected the id of a number",
        "",
    ),
}


@pytest.mark.parametrize("case", EMPTY)
def test_an_option_that_is_wrong_is_named_with_what_to_do(case: str, tmp_path: Path) -> None:
    settings, wanted, said, todo = EMPTY[case]
    with pytest.raises(InputError) as refused:
        plan.judged(plan.of_settings(settings, wanted, None), tmp_path)
    [problem] = refused.value.problems
    assert str(problem).startswith(said)
    assert todo in problem.todo


def test_what_names_an_edition_is_no_part_of_any_result() -> None:
    values = parameters.defaults()
    other = values | {"title": "Mine", "edition": "2027.01", "edition_date": "2027-01-01"}
    for part in numbers.PARTS:
        assert dict(work.given(part, values)) == dict(work.given(part, other)), part


@pytest.mark.parametrize(
    "settings", [["token_per_word"], ["tokens=1"], ["token_per_word=1,x"], ["token_per_word=1", "token_per_word=2"]]
)
def test_wrong_settings_are_refused(settings: list[str]) -> None:
    with pytest.raises(InputError, match="--set"):
        plan.of_settings(settings, None, None)


@pytest.mark.parametrize(
    ("file", "settings", "data"),
    [(None, [], None), (Path("p.yml"), ["a=1"], None), (Path("p.yml"), [], Path("d"))],
    ids=["neither", "both", "data beside a plan"],
)
def test_a_plan_is_a_file_or_settings(file: Path | None, settings: list[str], data: Path | None) -> None:
    with pytest.raises(InputError):
        plan.asked(file, settings, None, data)


# -------------------------------------------------------------------------------------------------------------- plans


def test_a_plan_makes_the_editions_it_says(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "facts.csv").write_text((ROOT / "data" / "facts.csv").read_text(encoding="utf-8"), encoding="utf-8")
    asked = judged(
        "set: {bandwidth_share: 0.6}\ngrid: {token_per_word: '1:2:3', context_token: [1, 2]}\n"
        "list: [{token_per_word: 3}, {token_per_word: 1, context_token: 1}]\ndata: [book, mine]",
        tmp_path,
    )
    made = asked.editions()
    assert len(made) == 2 * (3 * 2 + 1)  # the second of the list stands in the grid
    assert len({one.name for one in made}) == len(made)
    assert asked.varied() == ["token_per_word", "context_token"]
    assert {one.parameters["bandwidth_share"] for one in made} == {0.6}
    assert [one.parameters["token_per_word"] for one in made[:7:2]] == [1.0, 1.5, 2.0, 3.0]


def test_the_same_setting_has_the_same_name_in_every_plan() -> None:
    [one] = plan.of_settings(["token_per_word=1.5"], None, None).editions()
    many = plan.of_settings(["token_per_word=1,1.5"], None, None).editions()
    assert one in many


# -------------------------------------------------------------------------------------------------------------- draws


@pytest.mark.parametrize(
    "spread",
    [Spread("uniform", {"low": 1, "high": 3}), Spread("log-uniform", {"low": 1, "high": 100}),
     Spread("triangular", {"low": 1, "mode": 1, "high": 3}), Spread("triangular", {"low": 1, "mode": 2.5, "high": 3}),
     Spread("normal", {"mean": 2, "sd": 0.5}, (1.0, 10.0))],
    ids=str,
)  # fmt: skip
def test_each_part_of_equal_probability_is_drawn_from_once(spread: Spread) -> None:
    count = 200
    found = np.sort(spreads.drawn("a", spread, count, 5))
    edges = spread.at(np.arange(1, count) / count)
    low, high = spread.ends
    assert low <= found[0] <= found[-1] <= high
    assert list(np.searchsorted(edges, found, side="right")) == list(range(count))


def test_draws_have_the_distribution_that_was_asked_for() -> None:
    normal = spreads.drawn("a", Spread("normal", {"mean": 10, "sd": 2}), 2000, 1)
    assert normal.mean() == pytest.approx(10, abs=0.02)
    assert normal.std() == pytest.approx(2, abs=0.05)  # cut at three deviations
    skewed = spreads.drawn("a", Spread("triangular", {"low": 0, "mode": 3, "high": 6}), 2000, 1)
    assert skewed.mean() == pytest.approx(3, abs=0.01)
    assert np.median(
        np.log10(spreads.drawn("a", Spread("log-uniform", {"low": 1, "high": 100}), 2000, 1))
    ) == pytest.approx(1, abs=0.01)


def test_draws_follow_from_the_seed_and_no_input_moves_another() -> None:
    spread = Spread("uniform", {"low": 0, "high": 1})
    first = spreads.drawn("a", spread, 300, 1)
    assert list(first) == list(spreads.drawn("a", spread, 300, 1))
    assert list(first) != list(spreads.drawn("a", spread, 300, 2))
    assert abs(np.corrcoef(first, spreads.drawn("b", spread, 300, 1))[0, 1]) < 0.2


def test_what_counts_is_drawn_whole(tmp_path: Path) -> None:
    asked = judged("draws: {count: 20, parameters: {context_token: [512, 8192], token_per_word: plausible}}", tmp_path)
    found = [one.parameters for one in asked.editions()]
    assert {type(one["context_token"]) for one in found} == {int}
    low, high = assumptions.plausible()["token_per_word"]
    assert all(low <= one["token_per_word"] <= high for one in found)


def test_a_drawn_cell_is_another_number_in_its_table_and_nothing_else() -> None:
    before = (ROOT / "data" / "devices.csv").read_bytes()
    column = "memory_bandwidth_gbyte_per_s"
    after = cells.written(before, ["device_id"], {("iphone-14", column): 31.5})
    one, other = (list(csv.reader(text.decode().splitlines())) for text in (before, after))
    moved = [(a[0], x, y) for a, b in zip(one, other, strict=True) for x, y in zip(a, b, strict=True) if x != y]
    assert moved == [("iphone-14", "34.13", "31.5")]


def test_a_folder_comes_back_from_a_store_as_it_was(tmp_path: Path) -> None:
    store = Sent(str(tmp_path / "store"))
    name = store.send(ROOT / "data")
    back = store.fetch(name, tmp_path / "back")
    assert (back / "devices.csv").read_bytes() == (ROOT / "data" / "devices.csv").read_bytes()
    assert store.send(back) == name


def test_a_damaged_store_is_told_and_mended(tmp_path: Path) -> None:
    store = Sent(str(tmp_path / "store"))
    name = store.put(b"content")
    (tmp_path / "store" / name[:2] / name[2:]).write_bytes(b"other")
    with pytest.raises(SiteError, match="does not hold"):
        store.get(name)
    assert store.get(store.put(b"content")) == b"content"
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(SiteError, match="MEMORY_WALL_STORE"):
        store.get(name)


# --------------------------------------------------------------------------------------------------------- statistics


def test_what_moves_a_number_is_found() -> None:
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    table = pd.DataFrame(
        {"id": "n", "unit": "byte", "x": x.ravel(), "y": y.ravel(), "value": 10 * x.ravel() - y.ravel()}
    )
    found = statistics.movers(
        table.assign(same=1.0, name=np.where(table["y"] > 9, "b", "a")), ["y", "x", "same", "name"]
    )
    assert found["input"].iloc[0] == "x"
    assert "same" not in list(found["input"])
    by = {one["input"]: one for one in found.to_dict("records")}
    assert by["x"]["rank_correlation"] > 0.98
    assert by["y"]["rank_correlation"] < 0
    assert by["x"]["at_high"] - by["x"]["at_low"] == pytest.approx(10 * 15)
    assert np.isnan(by["name"]["rank_correlation"])


def test_quantiles_and_verdicts_are_those_of_the_editions() -> None:
    spread = statistics.spreads(pd.DataFrame({"id": "n", "unit": "byte", "value": np.arange(101.0)}), {"n": 7.0}).iloc[
        0
    ]
    assert [spread[name] for name in (*statistics.QUANTILES, "own")] == [0, 10, 50, 90, 100, 7]
    found = pd.DataFrame({"id": ["a"] * 4 + ["b"] * 4, "verdict": ["x", "x", "x", "y"] + ["z"] * 4})
    told = statistics.verdicts(found, {"a": "x", "b": "z"}, {"a": 0.5}).set_index("id")
    assert list(told["share"]) == [0.75, 1.0]
    assert told.at["a", "else"] == "y"
    assert told.at["a", "tried_share"] == 0.5


# -------------------------------------------------------------------------------------------------------------- parts


def test_the_id_of_a_number_begins_with_its_part(package: tables.DataPackage) -> None:
    for part in ("index", "storage_io", "data"):
        given = work.given(part, parameters.defaults())
        assert {numbers.part_of(one["id"], package) for one in numbers.found(part, package, given)} == {part}
    assert numbers.part_of("memory-wall-still-massive", package) == numbers.VERDICTS
    assert numbers.part_of("nonsense", package) == ""
    assert numbers.part_of("verdicts", package) == "verdicts"
    assert set(numbers.FINDINGS) == set(SUBJECTS)


def test_a_part_is_given_what_its_chapter_declares_and_nothing_else() -> None:
    given: Parameters = work.given("sram_density", parameters.defaults())
    assert sorted(given) == ["array_efficiency_share", "reference_model"]
    assert reading.number("context_token", 7.6) == 8


def test_a_share_below_all_is_not_shown_as_all() -> None:
    shown = [summary._percent(share) for share in (1.0, 0.9999, 1 / 6, 0.0, float("nan"))]
    assert shown == ["100 %", "99.9 %", "16.7 %", "0 %", ""]
    assert [summary._quantity(38.0, "count"), summary._quantity(1.5, "count")] == ["38", "1.50"]


def test_the_plan_of_the_rerun_page_is_one(tmp_path: Path) -> None:
    page = (ROOT / "chapters" / "rerun.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    asked = judged(text.replace("[book, my-data]", "[book]"), tmp_path)
    assert len(asked.editions()) == 2 * 4 + 1 + 1000
    assert len(asked.cells) == 2


def test_ten_thousand_editions_are_one_times_their_number(package: tables.DataPackage) -> None:
    """By hand: 36 s x 10,000 = 100 h of one core, on 64 of them 93.75 min; 2.5 MB x 10,000 = 25 GB."""
    asked = pd.DataFrame({"kind": ["site"], "n_edition": [3], "processor_time_s": [36.0], "kept_byte": [2.5e6]})
    found = costs.planned(asked).iloc[0]
    assert found["kind"] == costs.KINDS["site"]
    told = found[["core_time_h", "elapsed_min", "kept_mbyte", "total_gbyte"]].astype(float)
    assert told.to_list() == pytest.approx([100, 93.75, 2.5, 25])
    assert list(package.table("sweep_costs")["kind"]) == list(costs.KINDS)
    assert costs.planned(package.table("sweep_costs")).notna().all(axis=None)
