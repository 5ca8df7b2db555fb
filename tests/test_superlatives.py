"""Best, densest, fastest, least: where several tie, a sentence names them all; and what is said of a phone says of which."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis import ranking
from analysis.book import site as book
from analysis.claims import prose
from analysis.claims.verdicts import Robustness
from analysis.figures import Value
from analysis.model import phones
from analysis.subjects import claims
from analysis.subjects.index import derived as index_derived
from analysis.subjects.index import findings as index
from analysis.subjects.memory_wall import derived as memory_wall_derived
from analysis.subjects.memory_wall import findings as memory_wall
from analysis.subjects.sram_density import findings as sram_density
from analysis.subjects.storage_io import derived as drives_derived
from analysis.subjects.storage_io import findings as storage_io
from analysis.tables import DataPackage
from tests.conftest import GIVEN

TWIN = "twin-of-the-winner"


def with_twin(folder: Path, table: str, key: str, row_id: str) -> DataPackage:
    """The data with a row that differs from another in its names alone."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    [row] = [row for row in rows if row[key] == row_id]
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, list(row), lineterminator="\n").writerow(
            row | {key: TWIN, "name": "The Twin"} | ({"chip": "T1"} if "chip" in row else {})
        )
    return DataPackage(folder)


def text(values: Iterable[Value], key: str) -> str:
    [found] = [str(value.as_dict()["text"]) for value in values if value.id == key]
    return found


def test_rows_tie_as_far_as_processors_agree() -> None:
    table = pd.DataFrame({"size": [3.0, 1.0, 3.0 + 1e-15, float("nan")], "id": ["b", "c", "a", "d"]})
    assert list(ranking.tied(table, "size", "id", falling={"size"})["id"]) == ["a", "b"]
    assert list(ranking.tied(table, "size", "id")["id"]) == ["c"]
    assert ranking.tied(table[:0], "size", "id").empty


@pytest.mark.parametrize("kind", index_derived.KINDS)
def test_the_landing_page_names_every_device_that_ties_for_the_best(
    kind: str, package: DataPackage, data_copy: Path
) -> None:
    winner = index.best(index_derived.explorer(package, GIVEN), kind)["device_id"].iloc[0]
    table = index_derived.explorer(with_twin(data_copy, "devices", "device_id", winner), GIVEN)
    assert TWIN in set(index.best(table, kind)["device_id"])
    said = index._largest_shown(table)
    assert "the The Twin" in said
    assert all(index._said(row) in said for _, row in index.best(table, kind).iterrows())
    assert len(index.title(table)) <= 90


@pytest.mark.long
def test_chapters_name_what_ties(data_copy: Path, package: DataPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    known = memory_wall_derived.compute_used(package, GIVEN).dropna(subset=["compute_used_share"])
    of_kind = known[known["peak_kind"] == memory_wall_derived.NEURAL]
    busiest = ranking.first(of_kind, "compute_used_share", "device_id", falling={"compute_used_share"})["device_id"]
    twins = with_twin(data_copy, "devices", "device_id", busiest)
    named = text(memory_wall.values(twins, GIVEN), "memory-wall-most-device-neural")
    assert "The Twin" in named
    assert " and " in named
    densest = with_twin(data_copy, "dies", "die_id", "amd-v-cache-gen-2")
    assert "and The Twin" in text(sram_density.values(densest, GIVEN), "sram-density-densest-die-name")
    drives = drives_derived.drives(package)
    twin = drives_derived.as_fast(drives).assign(drive_id=TWIN, name="The Twin")
    monkeypatch.setattr(storage_io, "drives", lambda _: pd.concat([drives, twin], ignore_index=True))
    assert "and The Twin" in text(storage_io.values(package, GIVEN), "storage-io-fastest-name")


def test_claims_and_chapters_that_tie_are_all_named(package: DataPackage) -> None:
    found = claims.evaluate(package, GIVEN)
    moved = [replace(claim, robustness=Robustness(0.5, 9)) for claim in found[:2]]
    assert prose.least_robust(moved).startswith("The least robust are “")
    assert prose.least_robust([moved[0], replace(moved[1], robustness=Robustness(0.6, 9))]).count("“") == 1
    assert prose.farthest(found).count("printed,") == 1
    worst = next(one for one in found if f"“{one.statement.axis_name}”" in prose.farthest(found))
    both = prose.farthest([*found, replace(worst, statement=replace(worst.statement, id=TWIN, axis_name="The Twin"))])
    assert "“The Twin”" in both
    assert both.count("printed,") == 2
    held = [claim for claim in found if claim.verdict == "reproduces" and claim.statement.kind != "definition"]
    assert prose.weakest(held[:1]).startswith("The smallest share holds in the chapters ")


# ------------------------------------------------------------------------------------ what is expected of a phone

OF_A_PHONE = re.compile(
    r"`time-to-first-token-(?:turn|first|answer|waiting)-phone|phones\.sentence|`validation-phone-(?:said|cool)`|entries\(\*"
)
"""What quotes an expected speed of a phone, or a time made of one, in the source of a chapter."""


def test_wherever_a_phone_s_speed_is_expected_it_is_said_of_which(site: Path, package: DataPackage) -> None:
    said = phones.cool(package)
    assert "cool phone" in said
    quoting = {path.stem for path in book.chapter_files() if OF_A_PHONE.search(path.read_text(encoding="utf-8"))}
    assert {"index", "five_ideas", "findings", "memory_wall", "time_to_first_token"} <= quoting
    for name in quoting:
        page = (site / ("index.html" if name == "index" else f"chapters/{name}.html")).read_text(encoding="utf-8")
        assert said in re.sub(r"<[^>]+>|\N{NO-BREAK SPACE}", lambda found: " " if found[0][0] != "<" else "", page), (
            name
        )
    for page in ("devices/iphone-17-pro", "models/qwen3-0.6b"):
        assert said in (site / f"{page}.html").read_text(encoding="utf-8"), page
    assert said not in (site / "devices/rtx-4090-24gb.html").read_text(encoding="utf-8")
