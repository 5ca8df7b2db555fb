"""This machine among the book's devices: the largest model it can run, what the book predicts for it, and its row to keep."""

from __future__ import annotations

import csv
import math
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import words
from analysis.assumptions import Parameters
from analysis.equations import memory_wall
from analysis.errors import InputError, Problem
from analysis.machine import measure
from analysis.machine.hardware import Machine
from analysis.machine.measure import Memory, Storage
from analysis.model import expected, memory_limits
from analysis.model.predict import predict
from analysis.subjects import common
from analysis.subjects.validation import derived as validation
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
    """What was found out about this machine; ``datasheet_byte_per_s`` is what its maker prints, 0 where nobody said."""

    machine: Machine
    memory: Memory
    storage: Storage
    datasheet_byte_per_s: float = 0.0

    @property
    def reached_byte_per_s(self) -> float:
        """The bandwidth that the processor reached: what the largest model is computed from."""
        return self.memory.read_byte_per_s

    @property
    def digits(self) -> int:
        """How many digits what follows from it earns."""
        return measure.digits(self.memory.spread_share)


TIMING_SHARE = 0.05
"""By so much caches and clocks may make a bandwidth look larger than it is."""


def checked(found: Report) -> Report:
    """Return the report; raises InputError where a data sheet promises less than was reached."""
    stated, reached = found.datasheet_byte_per_s, found.reached_byte_per_s
    if stated and stated * (1 + TIMING_SHARE) < reached:
        shown = words.quantity(reached, "byte_per_s", found.digits)
        todo = "Is it in GB/s, and of all channels together?"
        raise InputError(
            [Problem("--datasheet", f"{stated / GIGA:g} GB/s", f"at least the {shown} that were reached", todo)]
        )
    return found


TAILS = (0.25, 0.5, 0.75)
"""Of the shares of their data-sheet bandwidth that processors were measured to reach: the middle half, and the middle."""


def datasheet(package: DataPackage, found: Report) -> tuple[float, float, float]:
    """Lowest, middle and highest data-sheet bandwidth in byte/s: what was said, or what the reached one speaks for.

    The model was fitted on data-sheet bandwidths. Where this machine's is not known, it is the reached one over the share
    that other processors were measured to reach of theirs; it is never below what was reached.
    """
    if found.datasheet_byte_per_s:
        return (found.datasheet_byte_per_s,) * 3
    table = validation.bandwidth_achieved(package)
    shares = table.loc[table["unit_name"] == validation.UNITS["cpu"], "reached_share"]
    high, middle, low = (found.reached_byte_per_s / min(float(shares.quantile(tail)), 1.0) for tail in TAILS)
    return low, middle, high


def largest(package: DataPackage, found: Report, given: Parameters) -> list[tuple[str, float, str]]:
    """Format, largest model in parameters, and which limit binds, at the reading speed of the book."""
    here = found.machine
    system = memory_limits.system_of(here.vendor, here.device_class)
    [usable] = memory_limits.of_system(package, system, [here.memory_byte or math.nan], given.system_reserve_byte).byte
    calibration = expected.calibration(package.folder)
    rows = []
    for row in common.formats(package).itertuples():
        byte = float(str(row.byte_per_param))
        by_speed = float(memory_wall.largest_model_param(
            found.reached_byte_per_s, token_per_s=given.reading_token_per_s, byte_per_param=byte,
            bandwidth_share=given.bandwidth_share,
        ))  # fmt: skip
        held = np.array([common.held_byte_per_param(package, str(row.format_id))])
        [by_size] = memory_limits.largest_by_capacity_param(calibration, usable, held, given.context_token)
        by_size = math.inf if math.isnan(by_size) else float(by_size)
        rows.append((str(row.format), min(by_speed, by_size), "bandwidth" if by_speed <= by_size else "memory size"))
    return rows


def predicted(package: DataPackage, found: Report, given: Parameters) -> pd.DataFrame:
    """What the book expects of the reference model on this machine's processor: tokens per second with an interval.

    Where the data-sheet bandwidth is estimated, the interval is that of all of them between its ends.
    """
    low, middle, high = (_predicted(found, given, byte_per_s) for byte_per_s in datasheet(package, found))
    return middle.assign(token_per_s_low=low["token_per_s_low"], token_per_s_high=high["token_per_s_high"])


def _predicted(found: Report, given: Parameters, datasheet_byte_per_s: float) -> pd.DataFrame:
    asked = pd.DataFrame({
        "backend": "CPU", "memory_bandwidth_gbyte_per_s": datasheet_byte_per_s / GIGA, "model_id": given.reference_model,
        "format": list(PREDICTED),
    })  # fmt: skip
    if found.machine.memory_byte:
        asked["memory_capacity_gibyte"] = found.machine.memory_byte / GIBI
    if found.storage.read_byte_per_s == found.storage.read_byte_per_s:
        asked["storage_read_gbyte_per_s"] = found.storage.read_byte_per_s / GIGA
    return predict(asked, file="this machine")


def cells(package: DataPackage, found: Report) -> tuple[dict[str, str], tuple[float, float]]:
    """This machine's processor and memory as columns of ``predict``, and the ends of its bandwidth in GB/s."""
    low, middle, high = (rate / GIGA for rate in datasheet(package, found))
    given = {"backend": "cpu", "memory_bandwidth_gbyte_per_s": f"{middle:.4g}"}
    if found.machine.memory_byte:
        given["memory_capacity_gibyte"] = f"{found.machine.memory_byte / GIBI:.4g}"
    return given, (low, high)


def told(package: DataPackage, found: Report, given: Parameters) -> str:
    """The report for a terminal."""
    here, memory = found.machine, found.memory
    size = f"{here.memory_byte / GIBI:.3g} GiB" if here.memory_byte else "unknown"
    read = words.quantity(found.storage.read_byte_per_s, "byte_per_s", measure.digits(found.storage.spread_share))
    share = common.part_of_bandwidth(given.bandwidth_share)
    lines = [
        f"{here.chip}, {words.plural(here.n_processor, 'processor')}, {here.system}",
        f"  memory         {size}",
        f"  triad          {words.quantity(memory.triad_byte_per_s, 'byte_per_s', found.digits)}",
        f"  matrix×vector  {words.quantity(memory.matrix_vector_byte_per_s, 'byte_per_s', found.digits)}",
        f"                 reached: median of {memory.n_run} runs, {memory.n_thread} threads, {memory.array_byte / 2**20:.0f} MiB "
        f"an array, middle half within {memory.spread_share:.0%}",
        f"  data sheet     {_datasheet(package, found)}",
        f"  storage        {read}, {found.storage.note}",
        "",
        f"Largest model at {given.reading_speed_word_per_min:g} words per minute, {given.token_per_word:g} tokens per word, "
        f"{share} for the weights, at the bandwidth reached:",
        *_largest(package, found, given),
        "",
        f"What the book expects of {package.row('models', given.reference_model)['name']} on the processor, in tokens per second:",
        *_expected(predicted(package, found, given), min(found.digits, 2)),
        "",
        *(f"Not known: {what}" for what in here.unknown),
        *(f"Beware: {note}" for note in [*_noise(found), *memory.notes]),
        "The bandwidth reached is the processor's; a graphics processor on the same memory may reach more.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _largest(package: DataPackage, found: Report, given: Parameters) -> list[str]:
    return [
        f"  {name:<22} {words.quantity(param, 'param', found.digits)}, limited by {limit}"
        for name, param, limit in largest(package, found, given)
    ]


def _datasheet(package: DataPackage, found: Report) -> str:
    """The data-sheet bandwidth, and where it comes from."""
    low, middle, high = (words.quantity(one, "byte_per_s", 2) for one in datasheet(package, found))
    if found.datasheet_byte_per_s:
        return f"{words.quantity(found.datasheet_byte_per_s, 'byte_per_s')}, as given"
    return f"perhaps {middle} ({low} to {high}), from what was reached; say what its maker prints with --datasheet"


def _noise(found: Report) -> list[str]:
    """What the spread of the runs means."""
    parts = {"memory": found.memory.spread_share, "storage": found.storage.spread_share}
    noisy = {name: spread for name, spread in parts.items() if spread >= measure.NOISY_SHARE}
    return [
        f"The runs on {name} lie {spread:.0%} apart: something else is at work here. One digit is all they earn; measure again at rest."
        for name, spread in noisy.items()
    ]


def _expected(table: pd.DataFrame, digits: int) -> list[str]:
    lines = []
    for _, row in table.iterrows():
        speed, low, high = (
            words.number(float(str(row[name])), digits)
            for name in ("token_per_s", "token_per_s_low", "token_per_s_high")
        )
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(f"  {row['format']:<22} {speed}, between {low} and {high}; limited by {row['binding']}{note}")
    return lines


def row(package: DataPackage, found: Report, today: date) -> dict[str, str]:
    """The machine as a row of the table of devices, whose bandwidths are those of data sheets."""
    here = found.machine
    storage = found.storage.read_byte_per_s
    named = here.product if here.product and here.product != here.chip else here.chip
    given = bool(found.datasheet_byte_per_s)
    bandwidth = f"{found.datasheet_byte_per_s / GIGA:.4g}" if given else f"{datasheet(package, found)[1] / GIGA:.2g}"
    rest = "as given" if given else "estimated from what was reached and what other processors reach of theirs"
    reached = f"{found.reached_byte_per_s / GIGA:.{found.digits}g}"
    return {
        "device_id": DEVICE_ID, "name": f"This machine ({named})", "vendor": here.vendor, "device_class": here.device_class,
        "release_date": f"{today:%Y-%m}", "chip": here.chip, "backend": "metal" if here.vendor == APPLE else "cpu",
        "memory_bandwidth_gbyte_per_s": bandwidth,
        "memory_capacity_gibyte": f"{here.memory_byte / GIBI:.4g}" if here.memory_byte else "",
        "storage_read_gbyte_per_s": f"{storage / GIGA:.{measure.digits(found.storage.spread_share)}g}" if storage == storage else "",  # noqa: PLR0124
        "storage_basis": "measured" if storage == storage else "",  # noqa: PLR0124
        "confidence": "spec" if given else "estimate", "default_set": "2026",
        "note": f"Bandwidth of the data sheet, {rest}. The processor reached {reached} GB/s in memory-wall measure on {today.isoformat()}. "
        f"The date is that of the measurement. Storage: {found.storage.note.split(';')[0].split(':')[0]}.",
    }  # fmt: skip


def save(package: DataPackage, found: Report, folder: Path, today: date) -> Path:
    """Put the row into a data folder, in a file of its own; raises InputError where the folder cannot be written."""
    target = folder / FILE
    values = row(package, found, today)
    require_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([list(values), list(values.values())])
    return target


def require_folder(folder: Path) -> None:
    """Raise InputError where nothing can be written into a folder, or into the nearest above one still to be made; makes none."""
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        expected = "a folder that can be written"
        raise InputError(
            [Problem(file=str(folder / FILE), found=str(error.strerror).lower(), expected=expected)]
        ) from None
