"""Decisions that a whole table hides: each on a few rows that turn at the one thing decided."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.book.pages import figure_page, pieces
from analysis.figures import Column, Field, Table
from analysis.model import measured
from analysis.subjects.dram_capacity import derived as dram_capacity
from analysis.tables import overlay, rules
from tests.conftest import GIVEN, ROOT

DATA = ROOT / "data"


def raw(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------------------------------------------------- shown tables


def test_a_shown_table_has_its_bars_numbers_and_unit() -> None:
    """4 GB of 16 GB is a bar of a quarter; a column's places follow its median; words and gaps have no bar."""
    columns = [Column("name", "Name"), Column("memory", "Memory", "GB", bar=True), Column("year", "Year", "year")]
    rows: list[list[Any]] = [["a", 4.04, 2023], ["b", 16.16, 2024], ["c", None, 2025], ["d", 0.5, 2026]]
    shown = pieces.table(Table("a-table", columns, ["name", "memory", "year"], rows))
    assert re.findall(r"--bar:([\d.]+)%", shown) == ["25.0", "100.0", "3.1"]
    assert re.findall(r'mw-bar" data-value="[\d.]+"[^>]*>([^<]+)<', shown) == ["4.04", "16.16", "0.50"]
    assert re.findall(r">(20\d\d)<", shown) == ["2023", "2024", "2025", "2026"]
    assert 'Memory <span class="mw-unit">GB</span>' in shown
    assert shown.count("mw-missing") == 1


@pytest.mark.parametrize(
    ("column", "cells", "factor", "symbol"),
    [
        ("memory_bandwidth_byte_per_s", [1e6, 2e9, 5e12], 1e9, "GB/s"),
        ("memory_bandwidth_byte_per_s", [1e6, 2e6, 5e12], 1e6, "MB/s"),
        ("largest_param", [7e9, 1e9, 4e8], 1e9, "billion parameters"),
        ("density_bit_per_mm2", [38e6], 1e6, "Mbit/mm²"),
        ("balance_flop_per_byte", [3e3], 1.0, "FLOP/B"),
        ("time_s", [3e3], 1.0, "s"),
        ("weight_byte", [], 1.0, "B"),
    ],
)
def test_a_column_takes_the_prefix_of_its_median(column: str, cells: list[float], factor: float, symbol: str) -> None:
    unit = {"byte": "B", "byte_per_s": "B/s", "param": "parameters", "s": "s", "flop_per_byte": "FLOP/B"}
    symbol_of_all = unit.get(re.sub(r"^(memory_bandwidth|largest|balance|time|weight)_", "", column), "")
    field = Field(column, symbol_of_all, "")
    assert figure_page._scale(field, [None, "text", True, *cells]) == (factor, symbol)


# ----------------------------------------------------------------------------------------------------------------- rules


def found(rule: str, table: str, rows: Sequence[dict[str, str]]) -> list[int]:
    """The rows that a rule refuses."""
    columns = dict.fromkeys(raw(table)[0], "")
    frame = pd.DataFrame([columns | dict(row) for row in rows], dtype=object)
    data = rules.Data({table: frame}, {}, overlay.Supplied(), {})
    return [problem.row or 0 for problem in getattr(rules, rule)(data)]


def test_an_impossible_rate_is_admitted_only_where_it_is_not_fitted_and_said_why() -> None:
    """10 GiB at 100 GB/s: 9.3 tokens per second at most."""
    run = {
        "architecture": "dense", "weight_gibyte": "10", "memory_bandwidth_gbyte_per_s": "100", "n_device": "1",
        "decode_token_per_s": "20", "note": "", "is_fit_candidate": "true",
    }  # fmt: skip
    cases = [
        run, run | {"note": "as printed"}, run | {"is_fit_candidate": "false"}, run | {"note": "as printed", "is_fit_candidate": "false"},
        run | {"decode_token_per_s": "9.3"}, run | {"n_device": "3"}, run | {"architecture": "moe"},
    ]  # fmt: skip
    assert found("_decode", "measurements_decode", cases) == [0, 1, 2]


def test_a_batch_shares_what_is_read_from_storage() -> None:
    """10 GB from a drive of 2 GB/s: 0.2 tokens per second alone, 0.8 for four sequences; a resident half doubles both."""
    run = {"weight_gbyte": "10", "storage_read_gbyte_per_s": "2", "resident_share": "", "explained_by": ""}
    cases = [
        run | {"token_per_s": "0.2"}, run | {"token_per_s": "0.8"}, run | {"token_per_s": "0.8", "batch_size": "4"},
        run | {"token_per_s": "0.9", "batch_size": "4"}, run | {"token_per_s": "0.4", "resident_share": "0.5"},
        run | {"token_per_s": "0.8", "explained_by": "page-cache"}, run | {"time_per_token_s": "1"},
    ]  # fmt: skip
    assert found("_measured_storage", "measurements_storage", cases) == [1, 3, 6]


def test_a_run_from_storage_may_be_rounded_up_by_a_twentieth() -> None:
    run = {
        "weight_gbyte": "10",
        "storage_read_gbyte_per_s": "2",
        "resident_share": "",
        "explained_by": "",
        "batch_size": "",
    }
    cases = [run | {"token_per_s": rate} for rate in ("0.209", "0.211", "0.219")]
    assert found("_measured_storage", "measurements_storage", cases) == [1, 2]


# --------------------------------------------------------------------------------------------------- what a file stands for


@pytest.mark.parametrize(("kept_share", "whole"), [(0.6, False), (0.88, False), (0.92, True), (1.0, True)])
def test_a_file_of_nine_tenths_of_the_rows_is_the_table_itself(tmp_path: Path, kept_share: float, whole: bool) -> None:
    (tmp_path / "mine").mkdir()
    many = (DATA / "number_formats.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = many[: 1 + round(kept_share * (len(many) - 1))]
    (tmp_path / "mine" / "number_formats.csv").write_text("".join(kept), encoding="utf-8")
    change = overlay.supplied(overlay.merged(tmp_path / "mine", tmp_path / "data")).changes[0]
    assert change.whole is whole
    assert len(change.removed) == (len(many) - len(kept) if whole else 0)


# -------------------------------------------------------------------------------------------------------- shares and spreads


def test_the_system_takes_of_main_memory_and_not_of_video_memory(package: tables.DataPackage) -> None:
    """Shares added up from the raw rows; for some format and month the reserve would change the share of graphics cards."""
    shown = dram_capacity.holding_share(package, GIVEN)
    model = next(row for row in raw("models") if row["model_id"] == "llama-7b")
    cache = 2 * 32 * 32 * 128 * 2 * 2048
    card = next(float(one["reserve_gibyte"]) for one in raw("memory_limits") if one["limit_id"] == "video-from-0")
    telling = 0
    for row in shown.to_dict("records"):
        bit = next(
            float(one["effective_bit_per_param"])
            for one in raw("number_formats")
            if one["format_id"] == row["format_id"]
        )
        need = float(model["total_gparam"]) * 1e9 * bit / 8 + cache
        buckets = [
            one for one in raw("installed_base") if one["metric"] == row["metric"] and one["date"] == row["date"]
        ]
        of_card, reserved = (share_above(buckets, need + gibyte * 2**30) for gibyte in (card, 2))
        assert row["share"] == pytest.approx(of_card if row["metric"] == dram_capacity.VIDEO else reserved)
        telling += of_card != reserved
    assert telling


def share_above(buckets: list[dict[str, str]], byte: float) -> float:
    return sum(
        float(one["share_percent"]) / 100 for one in buckets if float(one["bucket_lower_gibyte"] or 0) * 2**30 >= byte
    )


def test_nine_in_ten_replicates_agree_within_the_spread(package: tables.DataPackage) -> None:
    same = (
        "chip", "n_gpu_core", "backend", "framework", "model", "quantization", "weight_gibyte", "context_token", "decode_test",
        "flash_attention",
    )  # fmt: skip
    runs: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in raw("measurements_decode"):
        if row["is_fit_candidate"] == "true" and row["quality"] != "c":
            runs[tuple(row[name] for name in same)].append(float(row["decode_token_per_s"]))
    ratios = np.array([max(rates) / min(rates) - 1 for rates in runs.values() if len(rates) > 1])
    spread, count = measured.replicate_spread(package)
    assert count == len(ratios)
    assert abs((ratios <= spread).mean() - 0.9) <= 1 / count
