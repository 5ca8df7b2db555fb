"""This machine among the book's devices: the largest model it can run, what the book predicts for it, and its row to keep."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import words
from analysis.equations import memory_wall
from analysis.errors import InputError, Problem
from analysis.machine.hardware import Machine
from analysis.machine.measure import Memory, Storage
from analysis.model import expected, memory_limits
from analysis.model.predict import predict
from analysis.subjects import common
from analysis.tables import DataPackage

DEVICE_ID = "this-machine"
FILE = "devices.this-machine.csv"
APPLE = "Apple"
"""Maker of the machines whose models run on the graphics processor: it shares the memory that was measured."""
PREDICTED = ("fp16", "q8-0", "q4-k-m")
"""Formats that people run and that the book has measurements of."""
GIGA = 1e9
GIBI = 2.0**30


@dataclass(frozen=True)
class Report:
    """What was found out about this machine."""

    machine: Machine
    memory: Memory
    storage: Storage

    @property
    def bandwidth_byte_per_s(self) -> float:
        """The bandwidth the rest is computed from."""
        return self.memory.read_byte_per_s


def largest(package: DataPackage, found: Report, given: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """Format, largest model in parameters, and which limit binds, at the reading speed of the book."""
    rate = common.reading_token_per_s(given["reading_speed_word_per_min"], given["token_per_word"])
    reserve = common.base(given["system_reserve_gibyte"], "gibyte")
    here = found.machine
    system = memory_limits.system_of(here.vendor, here.device_class)
    [usable] = memory_limits.of_system(package, system, [here.memory_byte or math.nan], reserve).byte
    calibration = expected.calibration(package.folder)
    rows = []
    for row in common.formats(package).itertuples():
        byte = float(str(row.byte_per_param))
        by_speed = float(memory_wall.largest_model_param(
            found.bandwidth_byte_per_s, token_per_s=rate, byte_per_param=byte, bandwidth_share=given["bandwidth_share"],
        ))  # fmt: skip
        held = np.array([common.held_byte_per_param(package, str(row.format_id))])
        [by_size] = memory_limits.largest_by_capacity_param(calibration, usable, held, given["context_token"])
        by_size = math.inf if math.isnan(by_size) else float(by_size)
        rows.append((str(row.format), min(by_speed, by_size), "bandwidth" if by_speed <= by_size else "memory size"))
    return rows


def predicted(found: Report, given: Mapping[str, Any]) -> pd.DataFrame:
    """What the book expects of the reference model on this machine's processor: tokens per second with an interval."""
    asked = pd.DataFrame({
        "backend": "CPU", "memory_bandwidth_gbyte_per_s": found.bandwidth_byte_per_s / GIGA, "model_id": given["reference_model"],
        "format": list(PREDICTED),
    })  # fmt: skip
    if found.machine.memory_byte:
        asked["memory_capacity_gibyte"] = found.machine.memory_byte / GIBI
    if found.storage.read_byte_per_s == found.storage.read_byte_per_s:
        asked["storage_read_gbyte_per_s"] = found.storage.read_byte_per_s / GIGA
    return predict(asked, file="this machine")


def told(package: DataPackage, found: Report, given: Mapping[str, Any]) -> str:
    """The report for a terminal."""
    here, memory = found.machine, found.memory
    size = f"{here.memory_byte / GIBI:.3g} GiB" if here.memory_byte else "unknown"
    read = words.quantity(found.storage.read_byte_per_s, "byte_per_s")
    lines = [
        f"{here.chip}, {words.plural(here.n_processor, 'processor')}, {here.system}",
        f"  memory         {size}",
        f"  triad          {words.quantity(memory.triad_byte_per_s, 'byte_per_s')}",
        f"  matrix×vector  {words.quantity(memory.matrix_vector_byte_per_s, 'byte_per_s')}",
        f"                 median of {memory.n_run} runs, {memory.n_thread} threads, {memory.array_byte / 2**20:.0f} MiB an array, "
        f"middle half within {memory.spread_share:.0%}",
        f"  storage        {read}, {found.storage.note}",
        "",
        f"Largest model at {given['reading_speed_word_per_min']:g} words per minute, {given['token_per_word']:g} tokens per word, "
        f"{common.part_of_bandwidth(given['bandwidth_share'])} for the weights:",
        *(f"  {name:<22} {words.quantity(param, 'param')}, limited by {limit}" for name, param, limit in largest(package, found, given)),
        "",
        f"What the book expects of {package.row('models', given['reference_model'])['name']} on the processor, in tokens per second:",
        *_expected(predicted(found, given)),
        "",
        *(f"Not known: {what}" for what in here.unknown),
        *(f"Beware: {note}" for note in memory.notes),
        "The bandwidth is what the processor reached; a graphics processor on the same memory may reach more.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _expected(table: pd.DataFrame) -> list[str]:
    lines = []
    for _, row in table.iterrows():
        speed, low, high = (
            words.number(float(str(row[name])), 2) for name in ("token_per_s", "token_per_s_low", "token_per_s_high")
        )
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(f"  {row['format']:<22} {speed}, between {low} and {high}; limited by {row['binding']}{note}")
    return lines


def row(found: Report, today: date) -> dict[str, str]:
    """The machine as a row of the table of devices."""
    here = found.machine
    storage = found.storage.read_byte_per_s
    named = here.product if here.product and here.product != here.chip else here.chip
    return {
        "device_id": DEVICE_ID, "name": f"This machine ({named})", "vendor": here.vendor, "device_class": here.device_class,
        "release_date": f"{today:%Y-%m}", "chip": here.chip, "backend": "metal" if here.vendor == APPLE else "cpu",
        "memory_bandwidth_gbyte_per_s": f"{found.bandwidth_byte_per_s / GIGA:.4g}",
        "memory_capacity_gibyte": f"{here.memory_byte / GIBI:.4g}" if here.memory_byte else "",
        "storage_read_gbyte_per_s": f"{storage / GIGA:.4g}" if storage == storage else "",  # noqa: PLR0124
        "storage_basis": "measured" if storage == storage else "",  # noqa: PLR0124
        "confidence": "measured", "default_set": "2026",
        "note": f"Measured on {today.isoformat()} with memory-wall measure: what the processor reached, not the theoretical bandwidth. "
        f"The date is that of the measurement. Storage: {found.storage.note.split(';')[0].split(':')[0]}.",
    }  # fmt: skip


def save(found: Report, folder: Path, today: date) -> Path:
    """Put the row into a data folder, in a file of its own; raises InputError where the folder cannot be written."""
    target = folder / FILE
    values = row(found, today)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([list(values), list(values.values())])
    except OSError as error:
        expected = "a folder that can be written"
        raise InputError([Problem(file=str(target), found=str(error.strerror).lower(), expected=expected)]) from None
    return target
