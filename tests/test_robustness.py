"""What a verdict rests on: plausible parameters, criteria of ours, tolerances; and where it turns."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from analysis import assumptions, tables, units
from analysis.book.inputs import parameters as book_parameters
from analysis.book.pages import colophon, extension
from analysis.book.run import execution
from analysis.claims import board, engine, hangs, prose, readings, robustness, statements, verdicts
from analysis.errors import InputError
from analysis.subjects import claims
from tests.conftest import ROOT
from tests.test_readme import findings_script

ENOUGH_DRAWS = 500
BESIDE = 1e-4
"""How far to each side of a flip the verdict is looked at, as a share of it."""
PLAINEST = "X86_V3 X86_V4 AVX512_ICL"


@pytest.fixture(scope="module")
def parameters() -> dict[str, Any]:
    return book_parameters.defaults()


@pytest.fixture(scope="module")
def found(package: tables.DataPackage, parameters: dict[str, Any]) -> list[claims.Claim]:
    return claims.tried(package, parameters, claims.evaluate(package, parameters))


@pytest.fixture(scope="module")
def rows(package: tables.DataPackage) -> engine.Rows:
    return engine.Rows(package)


def used(found: list[claims.Claim]) -> set[str]:
    return {name.removeprefix("parameter ") for c in found for name in c.inputs if name.startswith("parameter ")}


# ------------------------------------------------------------------------------------------------- plausible parameters


WAITING = ROOT / "chapters" / "time_to_first_token.md"
"""Its targets and loads have ranges, too, and decide no claim."""


@pytest.mark.long
def test_every_parameter_that_a_claim_uses_is_plausible_within_a_range_with_a_reason(found: list[claims.Claim]) -> None:
    asked = execution.declared_parameters(execution.read(WAITING))
    assert used(found) | (set(asked) & set(assumptions.plausible())) == set(assumptions.plausible())
    assert not used(found) & set(asked)
    for name, (low, high) in assumptions.plausible().items():
        note = assumptions.declared()[name]
        assert low <= note["default"] <= high, name
        assert note["plausible_reason"].endswith("."), name


def test_the_ranges_are_what_their_reasons_say(package: tables.DataPackage) -> None:
    ranges = assumptions.plausible()
    fact = package.table("facts").set_index("fact_id")["value"].astype(float)
    assert ranges["reading_speed_word_per_min"] == (
        fact["reading-speed-non-fiction-low"],
        fact["reading-speed-non-fiction-high"],
    )
    assert ranges["fast_reading_speed_word_per_min"] == (
        fact["reading-speed-non-fiction-high"],
        fact["reading-speed-ceiling"],
    )
    english = 1 / fact["words-per-token-english"]
    assert ranges["token_per_word"] == pytest.approx((english, 2 * english), abs=1e-4)
    window = float(package.row("models", "llama-7b")["context_token"])
    assert ranges["context_token"] == (window / 4, window * 4)
    runs = package.table("measurements_decode")
    runs = runs[runs["is_fit_candidate"].astype(bool) & (runs["architecture"] == "dense")]
    share = runs["weight_byte"] * runs["decode_token_per_s"] / runs["memory_bandwidth_byte_per_s"]
    assert ranges["bandwidth_share"] == pytest.approx(tuple(share.quantile([0.1, 0.9])), abs=0.05)


def test_the_sources_of_ranges_are_known_and_the_page_shows_them(package: tables.DataPackage) -> None:
    known = set(package.table("sources")["source_id"])
    for note in assumptions.declared().values():
        assert note.get("plausible_source", "brysbaert-reading-rate-2019") in known
    shown = colophon._plausible(assumptions.declared()["token_per_word"])
    assert "1.3333 to 2.6667" in shown
    assert "openai-tokens-help" in shown
    assert colophon._plausible(assumptions.declared()["title"]) == ""


WRONG = [
    ({"plausable": [1, 2]}, "plausible"),
    ({"plausible": [1, 3]}, "plausible_reason"),
    ({"plausible": [3, 1], "plausible_reason": "."}, "a range that holds 2.0"),
    ({"plausible": [2.5, 3], "plausible_reason": "."}, "a range that holds 2.0"),
    ({"plausible": [1, 30], "plausible_reason": "."}, "within 0.5 to 10.0"),
    ({"plausible": [2, 2], "plausible_reason": "."}, "a range that holds 2.0"),
    ({"plausible": 2, "plausible_reason": "."}, "two numbers"),
    ({"plausible": [True, 3], "plausible_reason": "."}, "two numbers"),
    ({"plausible": ["1", 3], "plausible_reason": "."}, "two numbers"),
    ({"plausible_reason": "."}, "plausible: [lowest, highest]"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_a_range_that_is_none_is_refused(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    note = {"default": 2.0, "minimum": 0.5, "maximum": 10.0, "description": "."}
    file = tmp_path / "parameters.yml"
    file.write_text(yaml.safe_dump({"token_per_word": note | wrong}), encoding="utf-8")
    with pytest.raises(InputError) as error:
        assumptions.read(file)
    assert said in str(error.value)
    file.write_text(yaml.safe_dump({"token_per_word": note}), encoding="utf-8")
    assert assumptions.read(file) == {"token_per_word": note}


# ---------------------------------------------------------------------------------------------------------------- draws


def test_draws_fill_the_range_evenly_and_do_not_disturb_each_other() -> None:
    values = robustness.draw("token_per_word", (1.0, 3.0), 500)
    assert np.allclose(np.sort(values), 1.0 + 2.0 * (np.arange(500) + 0.5) / 500)
    other = robustness.draw("bandwidth_share", (1.0, 3.0), 500)
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.1
    assert not np.array_equal(values, robustness.draw("token_per_word", (1.0, 3.0), 500, seed=1))


def test_a_verdict_that_a_parameter_moves_is_tried_often_enough(found: list[claims.Claim]) -> None:
    assert robustness.DRAWS >= ENOUGH_DRAWS
    for claim in found:
        entry = claim.as_dict()["robustness"]
        assert entry.keys() == {"share", "draws", "flips_at"}
        if entry["draws"]:
            assert entry["draws"] == robustness.DRAWS
            assert 0 <= entry["share"] <= 1
            assert used([claim]), claim.statement.id
        else:
            assert (entry["share"], entry["flips_at"]) == (None, []), claim.statement.id


def test_what_no_parameter_decides_is_not_drawn(found: list[claims.Claim]) -> None:
    none = {claim.statement.id for claim in found if not claim.robustness.draws}
    assert {"palm-6-67", "next-year-hardware", "no-dgpu", "fp16-two-bytes"} <= none
    assert "iphone14-1b-fp16" not in none


def test_the_share_is_that_of_single_editions(
    package: tables.DataPackage, parameters: dict[str, Any], found: list[claims.Claim], rows: engine.Rows
) -> None:
    """Twelve draws of the least robust verdict and of two others, one by one, as a rerun of the book would decide them."""
    for claim_id in ("iphone14-1b-fp16", "pc-3-to-4b", "compute-not-the-limit"):
        statement = statements.Statement.of(package.row("claims", claim_id))
        given = {name: robustness.draw(name, within, 12) for name, within in assumptions.plausible().items()}
        together = engine.drawn(rows, parameters | given, statement, n_draw=12)
        assert together is not None
        for place, code in enumerate(together):
            alone = engine.decided(rows, parameters | {name: float(v[place]) for name, v in given.items()}, statement)
            assert readings.VERDICTS[code] == alone.verdict


def test_at_every_flip_the_verdict_turns(
    found: list[claims.Claim], parameters: dict[str, Any], rows: engine.Rows
) -> None:
    seen = 0
    for claim in found:
        for flip in claim.robustness.flips:
            own, value = float(parameters[flip.parameter]), flip.value
            inner, outer = (1 - BESIDE, 1 + BESIDE) if value > own else (1 + BESIDE, 1 - BESIDE)
            verdicts = [
                engine.decided(rows, parameters | {flip.parameter: value * side}, claim.statement).verdict
                for side in (inner, outer)
            ]
            assert verdicts[0] == claim.verdict != verdicts[1], (claim.statement.id, flip)
            seen += 1
    assert seen > 10


def test_where_no_flip_is_named_a_single_parameter_turns_nothing(
    found: list[claims.Claim], parameters: dict[str, Any], rows: engine.Rows
) -> None:
    for claim in found:
        for name, (low, high) in assumptions.plausible().items():
            if claim.robustness.draws and not any(flip.parameter == name for flip in claim.robustness.flips):
                codes = engine.drawn(rows, parameters | {name: np.linspace(low, high, 41)}, claim.statement, n_draw=41)
                assert codes is None or set(codes) == {readings.VERDICTS.index(claim.verdict)}, (
                    claim.statement.id,
                    name,
                )


@pytest.mark.long
def test_uncertain_cells_are_drawn_like_parameters(package: tables.DataPackage, parameters: dict[str, Any]) -> None:
    """Half of the range is narrower than the tolerance: the die of the A17 from 90 to 130 mm², with 90 to 110 agreeing."""
    cell = ("dies", "apple-a17-pro", "area_mm2")
    only = [claim for claim in claims.evaluate(package, parameters) if claim.statement.id == "a17-about-100mm2"]
    [claim] = claims.tried(package, parameters, only, plausible={}, cells={cell: (80.0, 160.0)}, n_draw=1000)
    assert claim.verdict == "reproduces"
    assert claim.robustness.draws == 1000
    assert claim.robustness.share == pytest.approx((105 - 95) / 80, abs=0.002)
    [untried] = claims.tried(
        package, parameters, only, plausible={}, cells={("dies", "apple-m3", "area_mm2"): (1.0, 2.0)}
    )
    assert untried.robustness.draws == 0
    fact = ("facts", "meta-idfa-loss-2022", "value")
    only = [claim for claim in claims.evaluate(package, parameters) if claim.statement.id == "idfa"]
    [claim] = claims.tried(package, parameters, only, cells={fact: (9.5e9, 10.5e9)})
    assert claim.robustness.share == 1.0


def cells_of(claim: claims.Claim) -> dict[engine.Cell, float]:
    """Every number of a table that a rule looked at."""
    found: dict[engine.Cell, float] = {}
    for name, value in claim.inputs.items():
        table, key, column = (*name.split(" "), "")[:3]
        if isinstance(value, float) and table not in ("parameter", "claims"):
            found[table, key, "value" if table == "facts" else column] = value
    return found


def test_every_rule_takes_arrays_for_every_number_it_looks_up(
    found: list[claims.Claim], parameters: dict[str, Any], rows: engine.Rows
) -> None:
    drawn = 0
    for claim in found:
        cells = {cell: np.full(3, value) for cell, value in cells_of(claim).items()}
        many = {name: np.full(3, float(parameters[name])) for name in used([claim])}
        codes = engine.drawn(rows, parameters | many, claim.statement, cells=cells, n_draw=3)
        if codes is not None:
            assert [readings.VERDICTS[code] for code in codes] == [claim.verdict] * 3, claim.statement.id
            drawn += 1
    assert drawn > 55


def digest(found: list[claims.Claim]) -> str:
    entries = [claim.as_dict() for claim in found]
    decided = [(entry["id"], entry["verdict"], entry["hangs_on"], entry["robustness"]) for entry in entries]
    return hashlib.sha256(json.dumps(decided).encode()).hexdigest()


ELSEWHERE = """
from analysis import tables
from analysis.subjects import claims
from analysis.book.inputs import parameters
from tests.test_robustness import digest
package, given = tables.package(), parameters.defaults()
print(digest(claims.tried(package, given, claims.evaluate(package, given))))
"""


def test_the_same_on_the_plainest_instructions(found: list[claims.Claim]) -> None:
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": PLAINEST, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, env=environment, check=False
    )  # fmt: skip
    if "NPY_DISABLE_CPU_FEATURES" in ran.stderr and ran.returncode:
        pytest.skip("this numpy does not know these instruction sets by name")
    assert ran.stdout.strip() == digest(found), ran.stderr


# ------------------------------------------------------------------------------------------------- what a verdict hangs on


def test_only_a_claim_with_a_criterion_of_ours_is_held_against_one(
    found: list[claims.Claim], package: tables.DataPackage
) -> None:
    column = package.table("claims").set_index("claim_id")["criterion"]
    for claim in found:
        said = claim.statement
        asked = any(name.startswith(f"claims {said.id} criterion_value") for name in claim.inputs)
        assert asked == bool(said.criteria) == (column[said.id] == "ours"), said.id
        assert (column[said.id] != "") == said.is_checkable == (said.kind != ""), said.id
        if asked:
            low, high = said.criteria["criterion_low"], said.criteria["criterion_high"]
            assert low <= said.criteria["criterion_value"] <= high
            assert low < high
            assert said.criterion_reason.endswith("."), said.id


def test_a_verdict_on_a_criterion_of_ours_is_ambiguous_or_stands_for_all_that_the_words_allow(
    found: list[claims.Claim], parameters: dict[str, Any], rows: engine.Rows
) -> None:
    for claim in found:
        if not claim.statement.criteria:
            continue
        low, high = (claim.statement.criteria[end] for end in statements.CRITERIA[1:])
        sides = set()
        for value in np.linspace(low, high, 9):
            said = replace(claim.statement, criteria={"criterion_value": float(value)})
            outcome = engine.RULES[said.id].decide(engine.Book(rows, parameters, said))
            sides.add(readings.SIDES[readings.verdicts(outcome.readings)[0]])
        if len(sides) > 1:
            assert claim.verdict == "ambiguous", claim.statement.id
            assert (
                "It hangs on a criterion of ours" in claim.explanation
                or len({reading.holds for reading in claim.outcome.readings}) > 1
            )
        else:
            assert "The criterion is ours; any from" in claim.explanation, claim.statement.id
        assert claim.statement.criterion_reason in claim.explanation


def test_a_verdict_that_half_or_twice_the_tolerance_turns_is_ambiguous(
    package: tables.DataPackage, parameters: dict[str, Any], found: list[claims.Claim], rows: engine.Rows
) -> None:
    turned = []
    for claim in found:
        sides = set()
        for share in (0.05, 0.1, 0.2):
            book = engine.Book(rows, parameters, claim.statement, statements.Choice(share))
            sides.add(readings.SIDES[readings.verdicts(engine.RULES[claim.statement.id].decide(book).readings)[0]])
        if len(sides) > 1:
            turned.append(claim.statement.id)
            assert claim.verdict == "ambiguous", claim.statement.id
    assert "gpt4-server-price" in turned


def statement(
    value: float, qualifier: str, rounding: float, criteria: dict[str, float] | None = None
) -> statements.Statement:
    return statements.Statement(
        "x",
        "index",
        "",
        value,
        np.nan,
        "gbyte",
        qualifier,
        True,
        (),
        rounding,
        "substantive",
        "",
        criteria or {},
        "ratio",
        "Why.",
    )


def hung(
    rows: engine.Rows, said: statements.Statement, monkeypatch: pytest.MonkeyPatch, **reading: Any
) -> claims.Claim:
    """A claim with one reading."""

    def decide(book: engine.Book) -> readings.Outcome:
        given = reading | ({"above": book.criterion()} if said.criteria else {})
        return readings.Outcome((book.reading("it", **given),))

    monkeypatch.setitem(engine.RULES, "x", engine.Rule(decide, ""))
    return engine.decided(rows, {}, said)


@pytest.mark.parametrize(
    ("said", "reading", "kinds", "words"),
    [
        (statement(10, "exact", np.nan), {"value": 10e9}, [], "It holds"),
        (statement(10, "about", 1), {"value": 10.2e9}, [], "It holds"),
        (statement(10, "about", 1), {"value": 10.8e9}, ["about"], "with 5 % to either side it is contradicted"),
        (statement(10, "about", 1), {"value": 11.5e9}, ["about"], "with 20 % to either side it reproduces"),
        (statement(3, "about", 1), {"value": 2.6e9}, ["about", "rounding"], "missed by less than the rounding"),
        (statement(3, "at-least", 1), {"value": 2.6e9}, ["rounding"], "with that granted it reproduces"),
        (statement(3, "at-least", 1), {"value": 2.4e9}, [], "It does not hold"),
        (statement(10, "about", 1), {"value": 9.9e9, "high": 12e9}, ["range"], "if all of it must lie within the tolerance"),
        (statement(0, "", 1, dict(zip(statements.CRITERIA, (5, 2, 9), strict=True))), {"value": 6, "unit": "ratio"},
         ["criterion"], "at 9.00× it is contradicted. Why."),
        (statement(0, "", 1, dict(zip(statements.CRITERIA, (5, 2, 9), strict=True))), {"value": 10, "unit": "ratio"},
         [], "The criterion is ours; any from 2.00× to 9.00× gives the same. Why."),
    ],
)  # fmt: skip
def test_what_turns_a_verdict_is_named(
    said: statements.Statement,
    reading: dict[str, Any],
    kinds: list[str],
    words: str,
    rows: engine.Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = hung(rows, said, monkeypatch, **reading)
    assert [hang.kind for hang in claim.hangs] == kinds == claim.as_dict()["hangs_on"]
    assert (claim.verdict == "ambiguous") == bool(kinds)
    assert words in claim.explanation
    assert bool(claim.note) == bool(kinds)


def test_the_page_says_of_every_kind_what_it_is() -> None:
    assert set(hangs.HANGS_ON) == {"about", "rounding", "range", "criterion"}


# -------------------------------------------------------------------------------------------------------- what is counted


@pytest.mark.long
def test_every_sentence_counts_what_claims_json_holds(found: list[claims.Claim]) -> None:
    entries = [claim.as_dict() for claim in found]
    put = [entry for entry in entries if entry["kind"] != "definition"]
    count = {name: sum(entry["verdict"] == name for entry in put) for name in readings.VERDICTS}
    held, checked = (
        count["reproduces"] + count["reproduces-under-assumption"],
        sum(count.values()) - count["not-checkable"],
    )
    apart = f"{len(entries) - len(put)} definitions hold by what the words mean"
    assert prose.answer(found, found).startswith(f"Mostly: {held} of the {checked} claims put to a test hold")
    assert apart in prose.answer(found, found)
    assert prose.titles(found, found)["verdicts"].startswith(f"{held} of {checked} claims put to a test hold")
    line = next(sentence for sentence in findings_script().findings() if sentence.startswith("Of the article's"))
    for sentence in (line, board.summary(found), board.scoreboard(found).bundle["html"]):
        assert apart in sentence
        assert f"{count['ambiguous']}" in sentence
        assert f"{count['contradicted']}" in sentence
    assert f"{len(entries)} claims" in line


@pytest.mark.long
def test_definitions_that_fail_are_not_said_to_hold(package: tables.DataPackage, parameters: dict[str, Any]) -> None:
    folder = tables.DataPackage(tables.REPOSITORY / "data")
    frame = folder.table("number_formats")
    frame.loc[frame["format_id"] == "bf16", "effective_bit_per_param"] = 17.0
    folder._tables["number_formats"] = frame
    found = claims.evaluate(folder, parameters)
    assert board.defined(found).startswith(f"of {len(board.definitions(found))} definitions ")


@pytest.mark.long
def test_tokens_per_word_is_a_finding(
    package: tables.DataPackage, parameters: dict[str, Any], found: list[claims.Claim]
) -> None:
    other = claims.at_english(package, parameters)
    turned = [new for old, new in zip(found, other, strict=True) if old.verdict != new.verdict]
    said = {value.id: value.text for value in claims.values(package, parameters, found)}["claims-english-finding"]
    assert {"iphone14-1b-fp16", "iphone14-4b-int4"} <= {claim.statement.id for claim in turned}
    assert f"{len(turned)} more claims fail, both sizes for the iPhone among them" in said
    assert "1.33 tokens per word" in said
    page = (ROOT / "chapters" / "claims.md").read_text(encoding="utf-8")
    before, _, folded = page.partition(":class: dropdown")
    assert "claims-english-finding" in before
    assert "claims-english" not in folded
    bundle = claims.show_turned(found, other).bundle
    assert [row[0] for row in bundle["rows"]] == [claim.statement.text for claim in turned]
    assert claims.show_turned(found, found).bundle["html"] == "<p>No verdict changes.</p>"
    reproduced = [claim for claim in found if claim.verdict == "reproduces" and claim.statement.kind != "definition"]
    assert set(prose.HEADLINES) <= set(prose.by_words(found, other))
    assert (
        f"{len(reproduced) - len(prose.by_words(found, other))} of them on what the article says alone"
        in prose.titles(found, other)["verdicts"]
    )
    assert "how many tokens make a word" not in prose.answer(found, found)
    unchanged = prose.english_finding(found, found, 4 / 3, 2.0)
    assert unchanged.endswith("no verdict changes.")


def test_flips_read_in_the_units_of_their_parameters(found: list[claims.Claim]) -> None:
    by_id = {claim.statement.id: claim for claim in found}
    assert (
        verdicts.in_own_unit("reading_speed_word_per_min", [244.0, 269.0])
        == "reading speed 244 or 269 words per minute"
    )
    assert verdicts.in_own_unit("bandwidth_share", [0.464]) == "bandwidth 46.4 %"
    assert "tokens per word" in verdicts.flips(by_id["iphone14-1b-fp16"])
    assert all(units.parse(name) for name in assumptions.plausible())
    assert claims.show_robustness(found).bundle["rows"][0][0] in {
        by_id[name].statement.text for name in ("iphone14-1b-fp16", "iphone14-4b-int4")
    }


def test_a_verdict_that_a_setting_turns_says_so_wherever_it_stands(found: list[claims.Claim]) -> None:
    turning = {claim.statement.id for claim in found if claim.robustness.flips}
    assert {"iphone14-1b-fp16", "iphone14-4b-int4"} <= turning
    for claim in found:
        told = ("the setting (" in claim.note, "It hangs on the setting: it turns at" in claim.explanation)
        assert set(told) == {claim.statement.id in turning}, claim.statement.id
    [phone] = [claim for claim in found if claim.statement.id == "iphone14-1b-fp16"]
    assert "tokens per word" in phone.note
    assert phone.note in extension._verdict(phone.as_dict(), "chapters/memory_wall")
