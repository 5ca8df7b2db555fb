"""Measuring one's own machine: the numbers are those of the memory and the drive, and what is not known is said."""

from __future__ import annotations

import csv
import math
import os
import platform
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analysis import tables
from analysis.errors import InputError
from analysis.machine import hardware, measure, report
from analysis.machine.hardware import Machine
from analysis.machine.measure import Memory, Storage
from analysis.model.predict import predict
from analysis.tables import DataPackage, cells, checks, overlay
from tests.conftest import GIVEN

Run = Callable[..., CompletedProcess[str]]
TODAY = date(2026, 11, 22)
MIB, GIB = 2**20, 2**30
HERE = Machine("Some Chip", "Some Book 14", "Some", "laptop", 16 * GIB, 32 * MIB, 8, "Linux 6", [])
REPORT = report.Report(
    HERE,
    Memory(80e9, 68e9, 0.01, 128 * MIB, 7, 8),
    Storage(3e9, "past the page cache (O_DIRECT); a host may cache"),
    102.4e9,
)
UNSAID = replace(REPORT, datasheet_byte_per_s=0.0)
BOOK = DataPackage(tables.REPOSITORY / "data")


# --------------------------------------------------------------------------------------------------------- measuring


@pytest.mark.long
def test_the_memory_of_this_machine() -> None:
    ticks: list[str] = []
    found = measure.memory(hardware.described(), quick=True, tick=ticks.append)
    assert 0.2e9 < found.triad_byte_per_s < 5e12
    assert 0.2e9 < found.matrix_vector_byte_per_s < 5e12
    assert found.n_run == measure.QUICK_RUNS
    assert len(ticks) == 2 * measure.QUICK_RUNS
    assert found.read_byte_per_s == max(found.triad_byte_per_s, found.matrix_vector_byte_per_s)


def test_the_triad_computes_what_stream_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[npt.NDArray[np.float64]] = []
    zeros = np.zeros

    def remembered(size: int) -> npt.NDArray[np.float64]:
        kept.append(zeros(size))
        return kept[-1]

    monkeypatch.setattr(np, "zeros", remembered)
    with ThreadPoolExecutor(3) as pool:
        measure._triad(8 * 100_001, 3, pool)()
    assert (kept[0] == 2.0 + measure.SCALAR * 0.5).all()


@pytest.mark.parametrize(
    ("cache", "left", "wanted"),
    [
        (32 * MIB, 100 * GIB, 128 * MIB),
        (96 * MIB, 100 * GIB, 384 * MIB),
        (2 * GIB, 100 * GIB, 2 * GIB),
        (96 * MIB, GIB, 102 * MIB),
        (1, 0, 128 * MIB),
    ],
)
def test_arrays_are_well_past_the_caches_and_no_burden(cache: int, left: int, wanted: int) -> None:
    byte = measure.array_byte(cache, left)
    assert byte == pytest.approx(wanted, rel=0.01)
    assert byte % 4096 == 0


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "memory_left_byte", lambda: 40 * MIB)
    found = measure.memory(HERE, quick=True)
    assert "less than 4 times the caches" in found.notes[0]


@pytest.mark.long
def test_the_storage_of_this_machine(tmp_path: Path) -> None:
    ticks: list[str] = []
    found = measure.storage(tmp_path, quick=True, tick=ticks.append)
    assert list(tmp_path.iterdir()) == []
    if math.isnan(found.read_byte_per_s):
        assert found.note.startswith("not measured: ")
    else:
        assert 1e6 < found.read_byte_per_s < 1e12
        assert "page cache" in found.note
        assert len(ticks) == measure.steps(quick=True) - 2 * measure.QUICK_RUNS


def test_a_folder_is_looked_at_before_anything_is_measured_and_not_yet_made(tmp_path: Path) -> None:
    report.require_folder(tmp_path / "mine" / "below")
    assert not (tmp_path / "mine").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder that can be written"):
        report.require_folder(tmp_path / "file" / "below")


def test_what_is_no_drive_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "in_memory", lambda folder: True)
    assert "lies in memory" in measure.storage(tmp_path, quick=True).note
    monkeypatch.undo()
    assert "not measured: No such file" in measure.storage(tmp_path / "nowhere", quick=True).note
    monkeypatch.setattr(measure, "PLATFORM", "win32")
    assert "Windows" in measure.storage(tmp_path, quick=True).note


def test_a_full_drive_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "QUICK_FILE_BYTE", 2**60)
    assert "GiB free" in measure.storage(tmp_path, quick=True).note


def test_without_a_way_around_the_cache_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("no posix_fadvise on this system")
    monkeypatch.delattr(os, "O_DIRECT", raising=False)
    monkeypatch.setattr(measure, "QUICK_FILE_BYTE", 16 * MIB)
    assert "an upper bound" in measure.storage(tmp_path, quick=True).note


# ------------------------------------------------------------------------------------------------- what a machine says

CPUINFO = "processor\t: 0\nmodel name\t: AMD Ryzen(TM) 9 5950X 16-Core Processor   \nflags: x\n"
FILES = {
    "/proc/cpuinfo": CPUINFO, "/proc/meminfo": "MemTotal:       65752912 kB\nMemAvailable:   60000000 kB\n",
    "/sys/class/dmi/id/product_name": "Book (R) 14", "/sys/class/dmi/id/sys_vendor": "Maker", "/sys/class/dmi/id/chassis_type": "10",
}  # fmt: skip


def test_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "PLATFORM", "linux")
    monkeypatch.setattr(hardware, "_read", lambda path: FILES.get(path, ""))
    found = hardware.described()
    assert found.chip == "AMD Ryzen 9 5950X 16-Core Processor"
    assert (found.product, found.vendor, found.device_class) == ("Book 14", "Maker", "laptop")
    assert found.memory_byte == 65752912 * 2**10
    assert found.cache_byte == hardware.USUAL_CACHE_BYTE
    assert any("caches" in what for what in found.unknown)


def test_a_container_s_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_read", lambda path: {**FILES, "/sys/fs/cgroup/memory.max": str(GIB)}.get(path, ""))
    assert hardware.described().memory_byte == GIB


def test_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "machdep.cpu.brand_string": "Apple M2",
        "hw.model": "MacBookAir",
        "hw.memsize": str(8 * GIB),
        "hw.perflevel0.l2cachesize": str(16 * MIB),
    }
    monkeypatch.setattr(hardware, "PLATFORM", "darwin")
    monkeypatch.setattr(hardware, "_read", lambda path: "")
    monkeypatch.setattr(hardware, "_sysctl", lambda name: told.get(name, ""))
    found = hardware.described()
    assert (found.chip, found.vendor, found.device_class) == ("Apple M2", "Apple", "laptop")
    assert (found.memory_byte, found.cache_byte, found.unknown) == (8 * GIB, 16 * MIB, [])


def test_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"ProcessorNameString": "Intel(R) Core(TM) i9", "SystemProductName": "Tower", "SystemManufacturer": "Maker"}
    monkeypatch.setattr(hardware, "PLATFORM", "win32")
    monkeypatch.setattr(hardware, "_read", lambda path: "")
    monkeypatch.setattr(hardware, "_registry", lambda path, name: told[name])
    monkeypatch.setattr(hardware, "_windows_memory_byte", lambda: 32 * GIB)
    found = hardware.described()
    assert (found.chip, found.vendor, found.memory_byte) == ("Intel Core i9", "Maker", 32 * GIB)


def test_a_machine_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "PLATFORM", "unknown")
    monkeypatch.setattr(hardware, "_read", lambda path: "")
    monkeypatch.setattr(platform, "processor", lambda: "")
    found = hardware.described()
    assert found.chip == "unknown"
    assert len(found.unknown) == 5


@pytest.mark.parametrize(
    "name", ["=cmd|x", "<b>Chip</b>", "  A\tB  ", "Chip\x00\x1b[1m", "Ch\u202eip", "x" * 500, "“{x}`y`”"]
)
def test_a_name_is_fit_for_a_table(name: str) -> None:
    plain = hardware._plain(name)
    assert len(plain) <= hardware.LONGEST_NAME
    assert not cells.unfit(plain)


@pytest.mark.parametrize(
    ("mounts", "found"),
    [("tmpfs /x tmpfs rw 0 0", True), ("a / ext4 rw 0 0\ntmpfs /x/y tmpfs rw 0 0", False), ("", False)],
)
def test_a_folder_in_memory_is_known(mounts: str, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_read", lambda path: mounts)
    assert hardware.in_memory(Path("/x")) is found


# ------------------------------------------------------------------------------------------------------------ the report


def test_the_largest_models_are_those_of_the_formula(package: DataPackage) -> None:
    rows = report.largest(package, REPORT, GIVEN)
    by_speed = 0.5 * 80e9 / (250 / 60 * 2)
    assert [(name, limit) for name, _, limit in rows] == [
        ("FP16", "bandwidth"),
        ("INT8 (per-channel)", "bandwidth"),
        ("INT4 (bare)", "bandwidth"),
    ]
    assert [param for _, param, _ in rows] == pytest.approx([by_speed / byte for byte in (2, 1, 0.5)])


def test_a_machine_short_of_memory_is_limited_by_it(package: DataPackage) -> None:
    small = report.Report(
        Machine("C", "", "V", "desktop", 4 * GIB, 1, 1, "", []), Memory(800e9, 700e9, 0, 1, 7, 1), REPORT.storage
    )
    rows = report.largest(package, small, GIVEN.but(context_token=0))
    assert rows[0][1] == pytest.approx(2 * GIB / 2)
    assert {limit for _, _, limit in rows} == {"memory size"}


def test_the_report_tells_what_was_measured_and_what_is_expected(package: DataPackage) -> None:
    told = report.told(package, REPORT, GIVEN)
    for words in (
        "80.0 GB/s",
        "68.0 GB/s",
        "3.00 GB/s",
        "16 GiB",
        "2.40 B parameters",
        "limited by bandwidth",
        "q4-k-m",
        "between",
        "LLaMA 7B",
    ):
        assert words in told, words


def test_what_is_not_known_is_said(package: DataPackage) -> None:
    here = Machine("unknown", "", "unknown", "desktop", 0, 1, 1, "X", ["the memory's size: the system does not tell"])
    nothing = report.Report(
        here, Memory(1e10, 1e10, 0, 1, 7, 1, ["Arrays are small."]), Storage(math.nan, "not measured: reason")
    )
    told = report.told(package, nothing, GIVEN)
    for words in (
        "memory         unknown",
        "not measured: reason",
        "Not known: the memory's size",
        "Beware: Arrays are small.",
    ):
        assert words in told, words


def test_the_row_joins_the_devices_of_the_book(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    target = report.save(BOOK, REPORT, mine, TODAY)
    (mine / "devices.csv").write_text("device_id,memory_capacity_gibyte\niphone-14,8\n", encoding="utf-8")
    report.save(BOOK, REPORT, mine, TODAY)
    assert target.name == report.FILE
    folder = overlay.merged(mine, tmp_path / "data")
    checks.require(folder)
    row = DataPackage(folder).row("devices", report.DEVICE_ID)
    assert (row["memory_bandwidth_byte_per_s"], row["memory_capacity_byte"], row["storage_read_byte_per_s"]) == (
        102.4e9,
        16 * GIB,
        3e9,
    )
    assert (row["default_set"], row["confidence"], row["name"]) == ("2026", "spec", "This machine (Some Book 14)")
    assert "2026-11-22" in row["note"]


def test_what_is_expected_comes_from_the_data_sheet_and_the_largest_model_from_what_was_reached() -> None:
    """Reached and data-sheet bandwidth are never mixed: the model was fitted on the latter."""
    given = GIVEN
    stated = predict(pd.DataFrame({
        "backend": "CPU", "memory_bandwidth_gbyte_per_s": [102.4], "model_id": given["reference_model"], "format": "q4-k-m",
        "memory_capacity_gibyte": 16, "storage_read_gbyte_per_s": 3,
    }))  # fmt: skip
    found = report.predicted(BOOK, REPORT, given).set_index("format").loc["q4-k-m"]
    for name in ("token_per_s", "token_per_s_low", "token_per_s_high"):
        assert float(str(found[name])) == pytest.approx(float(stated[name].iloc[0]))
    assert report.largest(BOOK, REPORT, given) == report.largest(BOOK, UNSAID, given)


def test_an_unsaid_data_sheet_is_estimated_from_what_other_processors_reach() -> None:
    """80 GB/s reached over the quartiles of measured shares; the interval is that of all of these bandwidths."""
    rows = pd.read_csv(tables.REPOSITORY / "data" / "measurements_bandwidth.csv", keep_default_na=False)
    rows = rows[(rows["unit_kind"] == "cpu") & (rows["quality"] != "c") & (rows["datasheet_gbyte_per_s"] != "")]
    share = rows["measured_gbyte_per_s"].astype(float) / rows["datasheet_gbyte_per_s"].astype(float)
    low, middle, high = report.datasheet(BOOK, UNSAID)
    assert [80e9 / one for one in (low, middle, high)] == pytest.approx([share.quantile(q) for q in (0.75, 0.5, 0.25)])
    assert 80e9 <= low < middle < high
    stated, unsaid = (report.predicted(BOOK, one, GIVEN) for one in (REPORT, UNSAID))
    assert all(
        unsaid["token_per_s_high"] / unsaid["token_per_s_low"] > stated["token_per_s_high"] / stated["token_per_s_low"]
    )
    told = report.told(BOOK, UNSAID, GIVEN)
    assert re.search(r"data sheet     perhaps \d+ GB/s \(\d+ GB/s to \d+ GB/s\), from what was reached", told)
    assert "102 GB/s, as given" in report.told(BOOK, REPORT, GIVEN)


def test_the_row_that_is_kept_says_which_bandwidth_it_has() -> None:
    stated, unsaid = (report.row(BOOK, one, TODAY) for one in (REPORT, UNSAID))
    assert (stated["memory_bandwidth_gbyte_per_s"], stated["confidence"]) == ("102.4", "spec")
    assert "of the data sheet, as given. The processor reached 80 GB/s" in stated["note"]
    assert unsaid["confidence"] == "estimate"
    assert float(unsaid["memory_bandwidth_gbyte_per_s"]) == pytest.approx(
        report.datasheet(BOOK, UNSAID)[1] / 1e9, rel=0.05
    )
    assert "estimated from what was reached" in unsaid["note"]


@pytest.mark.long
@pytest.mark.parametrize(("spread", "shown"), [(0.005, "81.2 GB/s"), (0.05, "81 GB/s"), (0.78, "80 GB/s")])
def test_noisy_runs_say_so_and_print_the_digits_they_earn(spread: float, shown: str) -> None:
    noisy = replace(UNSAID, memory=Memory(81.23e9, 68.12e9, spread, 128 * MIB, 7, 8))
    told = report.told(BOOK, noisy, GIVEN)
    assert f"triad          {shown}" in told
    assert (f"Beware: The runs on memory lie {spread:.0%} apart" in told) == (spread > 0.5)
    printed = re.findall(r"^  .{22} (\S+), between (\S+) and (\S+);", told, flags=re.MULTILINE)
    most = max(len(number.replace(".", "").strip("0")) for numbers in printed for number in numbers)
    assert printed
    assert most <= min(measure.digits(spread), 2)


def test_a_noisy_drive_is_said_too() -> None:
    noisy = replace(UNSAID, storage=Storage(3.21e9, "past the page cache", 0.4))
    told = report.told(BOOK, noisy, GIVEN)
    assert "storage        3 GB/s, past the page cache" in told
    assert "Beware: The runs on storage lie 40% apart" in told
    assert report.row(BOOK, noisy, TODAY)["storage_read_gbyte_per_s"] == "3"


@pytest.mark.parametrize("stated", [1.0, 75.0])
def test_a_data_sheet_below_what_was_reached_is_refused(stated: float) -> None:
    with pytest.raises(
        InputError, match=r"--datasheet: found .* GB/s; expected at least the 80\.0 GB/s that were reached"
    ):
        report.checked(replace(REPORT, datasheet_byte_per_s=stated * 1e9))
    assert report.checked(replace(REPORT, datasheet_byte_per_s=79e9))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="a folder that can be written"):
        report.save(BOOK, REPORT, tmp_path / "file" / "mine", TODAY)


def test_this_machine_stands_in_the_chart_s_table(tmp_path: Path) -> None:
    from analysis.subjects.memory_wall import derived as memory_wall

    report.save(BOOK, REPORT, tmp_path / "mine", TODAY)
    package = tables.DataPackage(overlay.merged(tmp_path / "mine", tmp_path / "data"))
    shown = memory_wall.largest_by_device(package, GIVEN, format_ids=("fp16",))
    assert "This machine (Some Book 14)" in set(shown["name"])


def test_the_command(memory_wall: Run, tmp_path: Path) -> None:
    done = memory_wall("measure", "--quick", "--save", str(tmp_path / "mine"), "--scratch", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Largest model at 250 words per minute" in done.stdout
    assert "memory-wall build --data" in done.stdout
    with (tmp_path / "mine" / report.FILE).open(encoding="utf-8", newline="") as file:
        [row] = list(csv.DictReader(file))
    assert float(row["memory_bandwidth_gbyte_per_s"]) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
