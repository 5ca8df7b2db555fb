"""Decisions stand in columns: an analyst's row can say them, code reads them, a check asks for them; phones judge what is borrowed."""

from __future__ import annotations

import ast
import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.model import calibration, expected, measured, phones, predict
from analysis.subjects import common
from analysis.subjects.server_batching import derived as server_batching
from analysis.subjects.storage_io import derived as storage_io
from analysis.tables import DataPackage, checks
from tests.conftest import ROOT, nodes

DATA = ROOT / "data"
READERS = ("contains", "match", "fullmatch", "extract", "startswith", "endswith")
"""Methods of text columns that read a decision out of words."""


def changed(folder: Path, table: str, key: str, cells: Mapping[str, str]) -> DataPackage:
    """A copy of the data in which one row has other cells."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if key in row.values():
            row.update(cells)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return DataPackage(folder)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "analysis").glob("[cdm]*/*.py")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_no_decision_is_read_out_of_words(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and node.attr in READERS and isinstance(node.value, ast.Attribute):
            assert node.value.attr != "str", (
                f"{path.name}:{node.lineno} reads words; make it a column with allowed values"
            )


# ------------------------------------------------------------------------------------------------ what a row can say


def test_a_drive_that_stands_in_is_no_drive_and_a_measured_one_is(data_copy: Path) -> None:
    said = {"note": "", "storage_basis": "measured"}
    table = storage_io.drives(changed(data_copy, "devices", "desktop-core-i9-13900k-32gb", said)).set_index("drive_id")
    assert table.at["desktop-core-i9-13900k-32gb", "basis"] == "measured"
    said = {"note": "storage: measured by nobody", "storage_basis": "stand-in"}
    table = storage_io.drives(changed(data_copy, "devices", "desktop-core-i9-13900k-32gb", said)).set_index("drive_id")
    assert "desktop-core-i9-13900k-32gb" not in table.index


def test_a_fact_becomes_a_drive_by_its_name(data_copy: Path) -> None:
    said = {"drive_name": "", "drive_class": ""}
    assert "ssd-crucial-t700" not in set(
        storage_io.drives(changed(data_copy, "facts", "ssd-crucial-t700", said))["drive_id"]
    )
    said = {"drive_name": "Flash of my own", "drive_class": "laptop"}
    table = storage_io.drives(changed(data_copy, "facts", "ssd-crucial-t700", said)).set_index("drive_id")
    assert tuple(table.loc["ssd-crucial-t700", ["name", "device_class"]]) == ("Flash of my own", "laptop")


def test_one_drive_above_every_maker_is_doubtful_and_three_are_not(package: DataPackage, data_copy: Path) -> None:
    assert storage_io.drives(package).set_index("drive_id").at["storage-090", "is_doubtful"]
    three = storage_io.drives(changed(data_copy, "measurements_storage", "storage-090", {"n_drive": "3"}))
    assert not three.set_index("drive_id").at["storage-090", "is_doubtful"]


def test_an_announcement_is_what_its_column_says(data_copy: Path) -> None:
    table = server_batching.balance(changed(data_copy, "accelerators", "nvidia-b200", {"status": "announced"}))
    assert table.set_index("name").at["NVIDIA B200 180 GB", "is_announced"]


@pytest.mark.long
def test_the_engine_decides_what_is_fitted(data_copy: Path) -> None:
    fitted = calibration.fitted_rows(DataPackage(DATA))
    key = str(fitted["measurement_id"].iloc[0])
    left = measured.decode_measurements(changed(data_copy, "measurements_decode", key, {"engine": "gpt-fast"}))
    assert left.set_index("measurement_id").at[key, "left_out"] == "another engine"


WRONG = [
    ("devices", "iphone-14", {"backend": "opencl"}, "backend"),
    ("devices", "iphone-14", {"storage_read_gbyte_per_s": "1.2", "storage_basis": ""}, "storage_basis"),
    ("devices", "iphone-14", {"storage_read_gbyte_per_s": "1.2", "storage_basis": "guessed"}, "storage_basis"),
    ("devices", "iphone-14", {"backend": "", "vendor": "Nobody"}, "backend"),
    ("facts", "ssd-crucial-t700", {"drive_class": ""}, "drive_class"),
    ("facts", "ssd-crucial-t700", {"value": ""}, "value"),
    ("measurements_storage", "storage-090", {"device_class": ""}, "device_class"),
    ("measurements_storage", "storage-090", {"n_drive": ""}, "n_drive"),
    ("accelerators", "nvidia-b200", {"status": "rumoured"}, "status"),
    ("servers", "dgx-h100-2022", {"scope": "kit"}, "scope"),
    ("measurements_decode", "decode-0001", {"engine": "llama"}, "engine"),
    ("measurements_bandwidth", "bandwidth-094", {"quality": "b"}, "measured_gbyte_per_s"),
    ("measurements_phone", "phone-001", {"read_gibyte": ""}, "read_gibyte"),
    ("measurements_phone", "phone-001", {"left_out": "too slow"}, "left_out"),
    ("measurements_phone", "phone-001", {"decode_token_per_s": "900"}, "decode_token_per_s"),
    ("measurements_crowd", "crowd-002", {"decode_token_per_s": "900"}, "decode_token_per_s"),
    ("measurements_crowd", "crowd-002", {"weight_gibyte": ""}, "weight_gibyte"),
    ("measurements_gpu_pair", "h100-047", {"token_per_s": "9000"}, "token_per_s"),
]


@pytest.mark.long
@pytest.mark.parametrize(("table", "key", "cells", "column"), WRONG, ids=lambda value: str(value)[:40])
def test_a_decision_left_out_or_of_no_allowed_value_is_told(
    data_copy: Path, table: str, key: str, cells: Mapping[str, str], column: str
) -> None:
    found = [
        problem for problem in checks.problems(changed(data_copy, table, key, cells).folder) if problem.column == column
    ]
    assert found, f"nothing is said of {table}.{column}"
    assert all(problem.row and problem.expected for problem in found)


# --------------------------------------------------------------------------------------------------- what is expected


def of(package: DataPackage, device_id: str) -> dict[str, Any]:
    devices = common.devices(package)
    devices = devices[devices["device_id"] == device_id].reset_index(drop=True)
    return measured.expected_models(package, devices, format_ids=("int4",), token_per_s=8.0).to_dict("records")[0]  # type: ignore[return-value]


def test_a_device_without_a_backend_has_that_of_its_vendors_others(data_copy: Path) -> None:
    assert of(changed(data_copy, "devices", "rtx-4090-24gb", {"backend": ""}), "rtx-4090-24gb")["stack"] == "cuda"


def test_nothing_is_expected_where_nobody_names_the_backend(data_copy: Path) -> None:
    alone = of(changed(data_copy, "devices", "rtx-4090-24gb", {"backend": "", "vendor": "Nobody"}), "rtx-4090-24gb")
    assert math.isnan(alone["expected_param"])
    assert alone["limit_param"] > 0


def test_a_name_decides_nothing(data_copy: Path) -> None:
    row = of(changed(data_copy, "devices", "rtx-4090-24gb", {"backend": "vulkan"}), "rtx-4090-24gb")
    assert row["stack"] == "vulkan"


@pytest.mark.long
@pytest.mark.parametrize(
    ("device_id", "guessed"),
    [
        ("iphone-14", True), ("ipad-pro-m4-8gb", True), ("galaxy-s24", True), ("macbook-neo-8gb", True), ("mac-mini-m6-24gb", True),
        ("desktop-core-i9-13900k-32gb", True), ("desktop-ryzen-9-7950x-32gb", True), ("laptop-snapdragon-x-elite-16gb", True),
        ("macbook-air-m2-8gb", False), ("rtx-4090-24gb", False), ("framework-desktop-ryzen-ai-max-395-128gb", False),
    ],
)  # fmt: skip
def test_what_no_measurement_speaks_for_is_extrapolated(package: DataPackage, device_id: str, guessed: bool) -> None:
    assert of(package, device_id)["is_extrapolated"] == guessed


def test_no_band_is_narrower_than_what_is_known_of_its_group(package: DataPackage) -> None:
    known = expected.calibration(package.folder)
    devices = common.devices(package)
    stacks = measured.stacks(package, devices)
    table = measured._known_as(package, devices, known, "plain")
    held = devices["device_class"].isin(measured.HANDHELD)
    for stack, in_hand, row in zip(stacks, held, table.to_dict("records"), strict=True):
        ends = [
            known.intervals[expected.group(stack, "plain", is_phone=bool(in_hand))],
            *([known.intervals[row["group"]]] if row["is_extrapolated"] else []),
        ]
        assert row["low"] <= min(low for low, _ in ends) < 1 < max(high for _, high in ends) <= row["high"]
    phone = table[devices["device_id"] == "iphone-14"].iloc[0]
    assert phone["high"] / phone["low"] > known.intervals["metal"][1] / known.intervals["metal"][0]


# ------------------------------------------------------------------------------------------------------------- phones


def test_no_phone_beats_its_memory(package: DataPackage) -> None:
    rows = phones.measurements(package)
    assert (rows["decode_token_per_s"] * rows["read_byte"] <= rows["memory_bandwidth_byte_per_s"]).all()
    assert phones.unseen(package)[["speed_ratio", "error_ratio"]].notna().all().all()


def test_an_expected_speed_of_a_phone_by_hand(package: DataPackage) -> None:
    """Llama 3.2 3B in 4.5 bits on an iPhone 17 Pro under MLX: 28 layers, and bytes over 0.87 of 76.8 GB/s."""
    rows = phones.unseen(package)
    row = rows[(rows["engine"] == "mlx") & (rows["model"] == "Llama-3.2-3B")].to_dict("records")[0]
    p = expected.calibration(package.folder).parameters
    layer = p["launch"] * np.exp(p["launch-decline"] * (2024 - 2025)) + p["width-metal"] * 76.8 / 400
    time = 28 * layer + row["read_byte"] / (p["bandwidth-share"] * 76.8e9)
    assert row["expected_token_per_s"] == pytest.approx(1 / time, rel=1e-6)


def test_the_errors_of_phones_are_those_of_their_rows(package: DataPackage) -> None:
    rows, table = phones.unseen(package), phones.errors(package).set_index("kind")
    for kind, part in rows.groupby("kind"):
        off = np.abs(part["expected_token_per_s"] / part["decode_token_per_s"] - 1)
        assert table.at[kind, "error_ratio"] == pytest.approx(off.median())
        half = part["memory_bandwidth_byte_per_s"] / part["read_byte"] / 2
        assert table.at[kind, "rule_error_ratio"] == pytest.approx(
            np.abs(half / part["decode_token_per_s"] - 1).median()
        )
    assert (table["low_ratio"] < table["high_ratio"]).all()
    assert table["n_row"].sum() == len(rows)
    assert table["error_ratio"].idxmin() == "apple-gpu"


def test_what_is_left_of_a_burst_follows_the_pairs(package: DataPackage, data_copy: Path) -> None:
    """The filed factor, the note and the sentence come from the pairs of runs; a pair more moves them."""
    middle, low, high = phones.sustained_ends(package)
    known = expected.calibration(package.folder).parameters
    assert (known["sustained"], known["sustained-low"], known["sustained-high"]) == pytest.approx(
        (middle, low, high), rel=1e-4
    )
    pairs = phones.sustained(package)
    assert pairs["chip"].unique().tolist() == ["A19 Pro"]
    assert (pairs["sustained_ratio"] < 1).all()
    assert f"keeps {100 * middle:.0f} % of it after ten minutes" in predict.burst(known)
    key = str(pairs["measurement_id"].iloc[0])
    assert (
        len(phones.sustained(changed(data_copy, "measurements_phone", key, {"sustained_token_per_s": ""})))
        == len(pairs) - 1
    )


def test_a_phone_says_that_its_speed_is_a_burst_and_a_mac_does_not(package: DataPackage) -> None:
    rows = [
        {"device": name, "model_id": "qwen3-0.6b", "format": "q4-k-m"}
        for name in ("iphone-17-pro", "galaxy-s26-ultra", "rtx-4090-24gb")
    ]
    notes = predict.predict(pd.DataFrame(rows))["note"].tolist()
    assert ["cool phone" in note for note in notes] == [True, True, False]


def test_the_filed_intervals_of_phones_are_those_of_their_runs(package: DataPackage) -> None:
    known = expected.calibration(package.folder)
    found = calibration.phone_intervals(phones.unseen(package), known.intervals)
    assert set(found) == set(phones.BORROWED)
    for group, ends in found.items():
        assert known.intervals[group] == pytest.approx(ends, rel=1e-4)
        lender = known.intervals[phones.BORROWED[group]]
        assert ends[0] <= lender[0] < lender[1] <= ends[1]


def test_a_sentence_on_phones_follows_the_rows(package: DataPackage, data_copy: Path) -> None:
    assert "20 runs of 1 chip" in phones.sentence(package)
    key = str(phones.measurements(package).query("kind == 'apple-gpu'")["measurement_id"].iloc[0])
    fewer = changed(data_copy, "measurements_phone", key, {"left_out": "copy"})
    assert "19 runs of 1 chip" in phones.sentence(fewer)
