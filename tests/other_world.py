"""Data of another world: phones eight times as fast and four times as large, dense SRAM, cheap HBM, fast drives, a tiny board."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.conftest import ROOT

Row = dict[str, str]
HOSTILE = 'Fön 16" \' onmouseover=alert(1) && ;x -- %s $(x) \\" :: &lt;b&gt;'
"""A name in which everything is allowed that is not refused, for the pages, files and specifications to show as it is."""


def write(folder: Path) -> Path:
    """The folder with three files of rows that change the book's, one new phone, and a board whose memory the system takes whole."""
    folder.mkdir()
    _changed(folder, "devices", _phone)
    _changed(folder, "sram_bitcells", _cell)
    _changed(folder, "memory_prices", _price)
    new = {
        "device_id": "foen", "name": HOSTILE, "vendor": "ACME & Söhne", "device_class": "phone", "release_date": "2026-11", "chip": "A1",
        "memory_bandwidth_tbyte_per_s": "0.6", "memory_capacity_gibyte": "48", "default_set": "2026",
    }  # fmt: skip
    tiny = {
        "device_id": "tiny", "name": "Tiny board", "vendor": "ACME", "device_class": "phone", "release_date": "2026-11", "chip": "T1",
        "memory_bandwidth_tbyte_per_s": "0.0065", "memory_capacity_gibyte": "1", "storage_read_gbyte_per_s": "0.1", "default_set": "2026",
        "npu_peak_int8_top_per_s": "1",
    }  # fmt: skip
    _put(folder / "devices.new.csv", [dict.fromkeys(tiny, "") | new, tiny])
    return folder


def _changed(folder: Path, table: str, change: Callable[[Row], Row]) -> None:
    with (ROOT / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        key = (reader.fieldnames or [""])[0]
        rows = [{key: row[key], **change(row)} for row in reader if change(row)]
    _put(folder / f"{table}.csv", rows)


def _put(path: Path, rows: Iterable[Row]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _times(row: Row, factor: float, most: float, *columns: str) -> Row:
    return {name: f"{min(float(row[name]) * factor, most):.6g}" if row[name] else "" for name in columns}


def _phone(row: Row) -> Row:
    if row["device_class"] != "phone":
        return {}
    faster = _times(row, 8, 4000, "memory_bandwidth_gbyte_per_s") | _times(row, 4, 512, "memory_capacity_gibyte")
    return {"memory_data_rate_mtransfer_per_s": "NA"} | faster | _times(row, 12, 60, "storage_read_gbyte_per_s")


def _cell(row: Row) -> Row:
    return _times(row, 1 / 3, 1, "bitcell_area_um2") if row["bitcell_area_um2"] else {}


def _price(row: Row) -> Row:
    columns = ("price_usd", "price_usd_per_gbyte", "price_ratio", "share_percent")
    return _times(row, 1 / 8, 1e12, *columns) if "hbm" in row["memory_type"] + row["price_kind"] else {}
