"""Every claim has a rule, every verdict is computed, and the verdicts move when the data do."""

from __future__ import annotations

import ast
import csv
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis import figures, tables
from analysis.book.inputs import parameters as book_parameters
from analysis.claims import board, engine, prose, readings, statements, verdicts
from analysis.errors import FigureError, InputError
from analysis.subjects import claims
from analysis.subjects.claims import charts
from analysis.subjects.memory_wall import findings
from tests.conftest import GIVEN

RULES = Path(str(engine.__file__)).parent
REFERENCE = Path(__file__).parent / "data" / "claims_reference.csv"
CLOSE = 0.02
"""How far a recomputed value may be from the reference, which prints two or three digits."""

FIELDS = {
    "id", "chapter", "statement", "article_value", "article_unit", "qualifier", "value", "unit", "text", "verdict",
    "assumption", "explanation", "formula", "inputs", "readings", "latest_value", "latest_text", "sources", "robustness",
    "kind", "hangs_on", "note",
}  # fmt: skip


@pytest.fixture(scope="module")
def parameters() -> dict[str, Any]:
    return book_parameters.defaults()


@pytest.fixture(scope="module")
def found(package: tables.DataPackage, parameters: dict[str, Any]) -> list[claims.Claim]:
    return claims.evaluate(package, parameters)


@pytest.fixture(scope="module")
def by_id(found: list[claims.Claim]) -> dict[str, claims.Claim]:
    return {claim.statement.id: claim for claim in found}


def reference() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


# --------------------------------------------------------------------------------------------------------- completeness


@pytest.mark.long
def test_every_claim_is_evaluated_once_in_the_order_of_the_table(
    found: list[claims.Claim], package: tables.DataPackage
) -> None:
    assert [claim.statement.id for claim in found] == list(package.table("claims")["claim_id"])
    assert {row["claim_id"] for row in reference()} <= {claim.statement.id for claim in found}


def test_a_claim_without_a_rule_and_a_rule_without_a_claim_are_errors(
    package: tables.DataPackage, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = dict(engine.RULES)
    monkeypatch.delitem(engine.RULES, "palm-6-67")
    with pytest.raises(InputError, match="'palm-6-67' without a rule"):
        claims.evaluate(package, parameters)
    monkeypatch.setitem(engine.RULES, "palm-6-67", rules["palm-6-67"])
    monkeypatch.setitem(engine.RULES, "palm-6-68", rules["palm-6-67"])
    with pytest.raises(InputError, match="'palm-6-68', which is no claim"):
        claims.evaluate(package, parameters)


def test_every_entry_has_the_promised_fields(found: list[claims.Claim]) -> None:
    for claim in found:
        entry = claim.as_dict()
        assert entry.keys() >= FIELDS
        assert entry["explanation"]
        assert entry["sources"]
        assert entry["verdict"] in claims.VERDICTS
        assert (entry["verdict"] == "reproduces-under-assumption") == bool(entry["assumption"])
        assert (entry["verdict"] == "not-checkable") == (entry["readings"] == [])


def test_what_the_table_calls_checkable_is_checked(found: list[claims.Claim]) -> None:
    for claim in found:
        assert claim.statement.is_checkable == (claim.verdict != "not-checkable"), claim.statement.id


def test_a_claim_cites_the_source_of_a_row_for_what_it_states_alone(
    found: list[claims.Claim], package: tables.DataPackage
) -> None:
    """The standard of a phone's memory is cited for its bandwidth, and not for the peak of its neural processor."""
    assert "memory_bandwidth_byte_per_s" in package.stated("devices")
    assert "npu_peak_int8_op_per_s" not in package.stated("devices")
    by_id = {claim.statement.id: claim for claim in found}
    source = package.row("devices", "iphone-14")["source_id"]
    assert source in by_id["iphone14-1b-fp16"].sources
    assert any("npu_peak" in name for name in by_id["compute-not-the-limit"].inputs)
    assert source not in by_id["compute-not-the-limit"].sources


def test_the_share_of_the_peak_in_use_is_one_number_in_claim_and_prose(
    package: tables.DataPackage, by_id: dict[str, claims.Claim]
) -> None:
    said = {value.id: value.number for value in findings.values(package, GIVEN)}
    assert by_id["compute-not-the-limit"].as_dict()["value"] == pytest.approx(
        100 * (said["memory-wall-reference-compute-used"] or 0)
    )


def test_every_checked_claim_names_formula_inputs_and_sources_beside_the_article(found: list[claims.Claim]) -> None:
    for claim in found:
        if claim.verdict != "not-checkable":
            assert claim.formula, claim.statement.id
            assert claim.inputs or claim.statement.id == "client-batch-1", claim.statement.id


def test_every_source_is_known(found: list[claims.Claim], package: tables.DataPackage) -> None:
    assert set(board.cited(found)) <= set(package.table("sources")["source_id"])


# ------------------------------------------------------------------------------------------------ against the reference


def test_counts_of_verdicts(found: list[claims.Claim]) -> None:
    assert list(board.counts(found).values()) == [23, 19, 18, 4, 10]
    assert len(board.definitions(found)) == 7


@pytest.mark.parametrize("row", reference(), ids=lambda row: str(row["claim_id"]))
def test_verdict_and_value_equal_the_reference_or_differ_for_a_stated_reason(
    row: dict[str, str], by_id: dict[str, claims.Claim]
) -> None:
    claim = by_id[row["claim_id"]]
    differs = claim.verdict != row["reference_verdict"] or not _same_value(claim, row)
    assert differs == bool(row["expected_difference"]), (claim.verdict, claim.as_dict()["text"], row)


def _same_value(claim: claims.Claim, row: Mapping[str, str]) -> bool:
    if not row["reference_value"]:
        return True
    entry, expected = claim.as_dict(), float(row["reference_value"])
    shown = [value for value in (entry["value"], entry["value_high"]) if value is not None]
    return entry["unit"] == row["reference_unit"] and any(math.isclose(v, expected, rel_tol=CLOSE) for v in shown)


@pytest.mark.parametrize(
    ("claim_id", "value"),
    [
        ("iphone14-1b-fp16", 34.13e9 * 0.5 / (2 * 250 / 60 * 2)),
        ("sram-per-100mm2", 100 / 0.021e-6 / 8 / 1e9),
        ("palm-6-67", 20 / 3.155),
        ("76-percent-85-s", 100 * 2 * 512 * 2048 * 540e9 / (64 * 275e12 * 85.2)),
        ("memory-wall-still-massive", 1000 * 540e9 * 2 / (64 * 1200e9)),
        ("compute-not-the-limit", 100 * 2 * 6.7384e9 * (2 * 250 / 60) / 15.8e12),
        ("pc-majority-8gb", 100 * (16 - 10.5) / (16 - 8)),
    ],
)
def test_worked_by_hand(by_id: dict[str, claims.Claim], claim_id: str, value: float) -> None:
    assert by_id[claim_id].as_dict()["value"] == pytest.approx(value, rel=1e-4)


# ---------------------------------------------------------------------------------------------------------- the verdict


def reading(holds: bool | None, assumption: str = "") -> readings.Reading:
    return readings.Reading("", 1.0, 1.0, "ratio", "", math.nan if holds is None else float(holds), assumption)


@pytest.mark.parametrize(
    ("understood", "expected"),
    [
        ([], "not-checkable"),
        ([reading(None)], "not-checkable"),
        ([reading(True), reading(True)], "reproduces"),
        ([reading(True), reading(False)], "ambiguous"),
        ([reading(False), reading(False)], "contradicted"),
        ([reading(True, "if"), reading(False)], "reproduces-under-assumption"),
        ([reading(True, "if")], "reproduces-under-assumption"),
        ([reading(False, "if"), reading(False)], "contradicted"),
        ([reading(False, "if"), reading(True)], "reproduces"),
        ([reading(True, "if"), reading(False, "if")], "ambiguous"),
        ([reading(True, "if"), reading(False, "or")], "reproduces-under-assumption"),
        ([reading(True), reading(None)], "reproduces"),
    ],
)
def test_readings_imply_the_verdict(understood: list[readings.Reading], expected: str) -> None:
    assert readings.verdict(understood) == expected


def statement(
    printed: float, unit: str, qualifier: str, high: float = math.nan, rounding: float = math.nan
) -> statements.Statement:
    return statements.Statement("x", "index", "", printed, high, unit, qualifier, True, (), rounding)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        (statement(40, "percent", "exact", rounding=1), 0.395, 0.405),
        (statement(8.33, "token_per_s", "exact", rounding=0.01), 8.325, 8.335),
        (statement(120, "ms", "exact", rounding=1), 0.1195, 0.1205),
        (statement(128, "gpu", "exact"), 128, 128),
        (statement(250, "gbyte", "about"), 225e9, 275e9),
        (statement(3, "gparam", "about", 4), 2.7e9, 4.4e9),
        (statement(2, "server", "at-least"), 1.98, math.inf),
        (statement(6, "gbyte_per_s", "at-most"), -math.inf, 6.06e9),
    ],
)
def test_the_articles_hedge_sets_the_tolerance(said: statements.Statement, low: float, high: float) -> None:
    assert said.band() == pytest.approx((low, high))


def test_a_range_agrees_where_it_meets_the_tolerance(package: tables.DataPackage) -> None:
    book = engine.Book(engine.Rows(package), {}, statement(50, "percent", "about"))
    assert book.reading("", 0.41, high=0.46).holds
    assert not book.reading("", 0.41, high=0.44).holds
    assert not book.reading("", 0.41, "percent", high=0.6, above=0.5).holds
    assert book.reading("", math.nan).holds is None


def test_numbers_read_as_people_write_them() -> None:
    cases = {
        (0.398, "percent"): "39.8 %", (32, "chip"): "32 chips", (1, "chip"): "1 chip", (6 * 2**30, "gibyte"): "6 GiB",
        (0.595e9, "gbyte"): "0.595 GB", (1e10, "usd"): "$10.0 billion",
        (250 / 60, "word_per_min"): "250 words per minute",
        (2027.8, "year"): "2028", (0.12, "ms"): "120 ms", (4, "company"): "4 companies", (math.nan, "s"): "unknown",
    }  # fmt: skip
    assert {case: statements.shown(*case) for case in cases} == cases
    assert statement(7, "gparam", "about").band()[0] == pytest.approx(6.3e9)
    assert statements.span(0.41, 0.6, "percent") == "41 to 60 %"


# ------------------------------------------------------------------------------------------------------ the data decide


def one(package: tables.DataPackage, parameters: dict[str, Any], claim_id: str) -> claims.Claim:
    return engine.decided(engine.Rows(package), parameters, statements.Statement.of(package.row("claims", claim_id)))


def changed(table: str, row: str, column: str, change: Callable[[float], float]) -> tables.DataPackage:
    """The data package with one number of one row changed."""
    package = tables.DataPackage(tables.REPOSITORY / "data")
    key = package.resource(table)["schema"]["primaryKey"][0]
    frame = package.table(table)
    chosen = frame[key] == row
    assert chosen.sum() == 1
    frame.loc[chosen, column] = change(float(frame.loc[chosen, column].iloc[0]))
    package._tables[table] = frame
    return package


FLIPS = [
    ("iphone14-1b-fp16", "devices", "iphone-14", "memory_bandwidth_byte_per_s", 2.0, "contradicted"),
    ("idfa", "facts", "meta-idfa-loss-2022", "value", 2.0, "contradicted"),
    ("sram-per-100mm2", "sram_bitcells", "tsmc-n3-hd", "bitcell_area_mm2", 0.5, "ambiguous"),
    ("m3-25-percent", "area_references", "apple-m3", "area_mm2", 133 / 146, "ambiguous"),
    ("modal-iphone-3gb", "facts", "iphone-11-dram", "value", 0.75, "reproduces"),
    ("only-40-percent", "pope_tables", "td3-palm-540b-total-b256", "time_s", 2.0, "contradicted"),
    ("theoretical-io", "measurements_bandwidth", "bandwidth-070", "measured_byte_per_s", 1.2, "contradicted"),
    ("feram-mram-far", "emerging_memory", "stt-mram-everspin-1gb", "capacity_bit", 64.0, "ambiguous"),
    ("must-be-in-ram", "facts", "ssd-fastest-2026", "value", 10.0, "contradicted"),
    ("compression-not-free", "facts", "perplexity-llama-7b-q4-0", "value", 0.5, "ambiguous"),
    ("palm-16-cpu", "facts", "tpu-v4-hosts-per-tray", "value", 2.0, "contradicted"),
    ("chart-20-tokens", "pope_tables", "td3-palm-540b-prefill-b256", "time_s", 0.1, "reproduces"),
]


@pytest.mark.long
@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: str(flip[0]))
def test_a_changed_number_changes_the_verdict(
    flip: tuple[str, str, str, str, float, str], parameters: dict[str, Any]
) -> None:
    claim_id, table, row, column, times, expected = flip
    after = one(changed(table, row, column, lambda value: value * times), parameters, claim_id)
    assert after.verdict == expected, after.explanation


def test_explanations_follow_the_numbers(parameters: dict[str, Any], by_id: dict[str, claims.Claim]) -> None:
    after = one(
        changed("devices", "iphone-14", "memory_bandwidth_byte_per_s", lambda value: value * 4),
        parameters,
        "iphone14-4b-int4",
    )
    assert "capacity is the limit" in after.explanation
    assert "bandwidth is the limit" in by_id["iphone14-4b-int4"].explanation


def test_a_missing_number_is_unknown_and_not_wrong(parameters: dict[str, Any]) -> None:
    package = changed("dies", "apple-a17-pro", "area_mm2", lambda _: math.nan)
    assert one(package, parameters, "a17-about-100mm2").verdict == "not-checkable"


def test_a_file_of_the_reader_is_what_decides(data_copy: Path, parameters: dict[str, Any]) -> None:
    path = data_copy / "devices.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("LPDDR4X,4266,64,34.13,6", "LPDDR4X,4266,64,68.26,6"), encoding="utf-8"
    )
    assert one(tables.DataPackage(data_copy), parameters, "iphone14-1b-fp16").verdict == "contradicted"


@pytest.mark.long
def test_parameters_move_values_and_verdicts(
    package: tables.DataPackage, parameters: dict[str, Any], by_id: dict[str, claims.Claim]
) -> None:
    after = {c.statement.id: c for c in claims.evaluate(package, parameters | {"token_per_word": 4 / 3})}
    assert after["iphone14-1b-fp16"].verdict == "contradicted"
    assert by_id["iphone14-1b-fp16"].verdict == "reproduces"
    assert after["tokens-8-33"].verdict == "contradicted"
    assert after["fp16-two-bytes"].verdict == by_id["fp16-two-bytes"].verdict


@pytest.mark.long
def test_a_wider_tolerance_never_contradicts_more(package: tables.DataPackage, parameters: dict[str, Any]) -> None:
    wrong = [
        board.counts(claims.evaluate(package, parameters, about_share=share))["contradicted"]
        for share in (0.05, 0.1, 0.2, 0.4)
    ]
    assert wrong == sorted(wrong, reverse=True)


# ---------------------------------------------------------------------------------------- nothing typed, criteria shown

CRITERIA = {"digits", "share"}
HARMLESS = {0, 1, -1, -2, 2, 8}
"""Positions, a whole share, a count of digits, half of something: no measurement is one of these."""


def suspicious(path: Path) -> list[str]:
    """Numbers in a file of rules that are neither a named constant nor a criterion nor harmless."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    excused = {id(part) for node in named for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in CRITERIA:
            excused |= {id(part) for part in ast.walk(node.value)}
    return [
        f"{path.name}:{node.lineno}: {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
        and id(node) not in excused
        and node.value not in HARMLESS
    ]


def test_no_number_is_typed_into_a_rule() -> None:
    files = {inspect.getsourcefile(made.decide) for made in engine.RULES.values()}
    found = [line for file in sorted(map(str, files)) for line in suspicious(Path(file))]
    allowed = [line for line in found if line.endswith(": 100")]  # a share written as a percentage in a sentence
    assert found == allowed


def test_rules_do_not_read_the_reference() -> None:
    for path in [*RULES.glob("*.py"), *RULES.parent.glob("subjects/*/claims.py")]:
        assert "reference_verdict" not in path.read_text(encoding="utf-8")


def test_every_criterion_is_shown(found: list[claims.Claim]) -> None:
    for claim in found:
        for one in claim.outcome.readings:
            assert one.criterion
        shown = claim.explanation.count("needed: ")
        assert shown >= min(len(claim.outcome.readings), 1)


# ------------------------------------------------------------------------------------------------------------- the page


def test_the_scoreboard_counts_every_claim(found: list[claims.Claim]) -> None:
    bundle = claims.scoreboard(found).bundle
    assert all(f"<strong>{count}</strong>" in bundle["html"] for count in board.counts(found).values())
    assert f"Of {len(found)} claims" in bundle["html"]
    assert f"{len(board.definitions(found))} definitions hold" in bundle["html"]


def test_published_claims_carry_every_entry(found: list[claims.Claim]) -> None:
    published = claims.publish_claims(found)
    assert published.mime == figures.CLAIMS
    assert [entry["id"] for entry in published.bundle["claims"]] == [claim.statement.id for claim in found]


def test_the_table_has_a_row_with_an_address_for_every_claim(found: list[claims.Claim]) -> None:
    from analysis.book.pages import pieces

    html = pieces.table(figures.Table.of(claims.show_claims(found).bundle))
    assert all(f'<tr id="{claim.statement.id}"' in html for claim in found)
    assert html.count("mw-badge") == len(found)


def test_chapters_and_verdicts_add_up(found: list[claims.Claim]) -> None:
    frame = claims.by_chapter(found)
    assert frame["n_claim"].sum() == len(board.tested(found))
    assert (frame["end"] - frame["start"] == frame["n_claim"]).all()


def test_every_claim_with_a_printed_number_has_one_deciding_reading(found: list[claims.Claim]) -> None:
    frame = claims.deviations(found)
    assert (frame.groupby("claim_id")["is_deciding"].sum() == 1).all()
    assert frame["deviation_ratio"].between(*charts.DOMAIN).all()
    assert (frame["name"] != frame["claim_id"]).all()


@pytest.mark.parametrize("name", ["verdicts", "deviations"])
def test_charts_encode_columns_that_exist(name: str, found: list[claims.Claim]) -> None:
    frame = claims.by_chapter(found) if name == "verdicts" else claims.deviations(found)
    chart = charts.verdicts(frame) if name == "verdicts" else charts.deviations(frame, about_share=0.1)
    spec = chart.to_dict()
    known = set(frame.columns) | {"middle", "low_ratio", "high_ratio"}
    named = {channel["field"] for layer in spec["layer"] for channel in _channels(layer)}
    assert named <= known


def _channels(layer: dict[str, Any]) -> list[dict[str, Any]]:
    channels = [
        c for channel in layer["encoding"].values() for c in (channel if isinstance(channel, list) else [channel])
    ]
    return [channel for channel in channels if "field" in channel]


def test_sentences_are_chosen_by_the_verdicts(found: list[claims.Claim]) -> None:
    assert prose.answer(found, found).startswith("Mostly:")
    failing = [claim for claim in found if claim.verdict in ("contradicted", "ambiguous")]
    assert prose.answer(failing, failing).startswith("Mostly not:")
    assert prose.takeaway(found) != prose.takeaway([claim for claim in found if claim.verdict == "contradicted"])


@pytest.mark.long
def test_values_have_their_own_prefix(
    package: tables.DataPackage, parameters: dict[str, Any], found: list[claims.Claim]
) -> None:
    ids = [value.id for value in claims.values(package, parameters, found)]
    assert {f"claims-flips-{name}" for name in prose.HEADLINES} <= set(ids), "the page cites them in every edition"
    assert len(ids) == len(set(ids))
    assert all(name.startswith("claims-") for name in ids)


def test_no_verdict_is_published_with_an_unfilled_template(found: list[verdicts.Claim]) -> None:
    wrong = replace(found[0], outcome=replace(found[0].outcome, context="It is {shown} here."))
    with pytest.raises(FigureError, match=rf"claim {wrong.statement.id}: explanation holds an unfilled template"):
        claims.publish_claims([wrong])
