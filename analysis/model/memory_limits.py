"""What one program may take of a device's memory, and whether a model fits into it: figures, tables and predictions ask here.

numpy only, so that ``predict`` may ask for a million rows; the limits are rows of ``memory_limits.csv``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis import units
from analysis.equations import dram_capacity
from analysis.model import expected

if TYPE_CHECKING:
    import pandas as pd

    from analysis.tables import DataPackage

Floats = npt.NDArray[np.float64]

SYSTEMS = ("macos", "ios", "android", "pc", "video")
OF_APPLE = {"phone": "ios", "tablet": "ios"}
OF_OTHERS = {"phone": "android", "tablet": "android", "gpu": "video"}
OF_STACK = {"metal": "macos", "cpu": "pc"}
"""Where only the software is known: Metal is Apple's, a processor has main memory, all others have a card's."""
DEFAULT_RESERVE_GIBYTE = 2.0
"""The parameter system_reserve_gibyte where nobody sets it: for predictions of rows; a test holds it against the book's."""
FIT_WORDS = ("no", "barely", "yes")
"""How a reader reads ``fit_grade`` 0, 1 and 2; nothing where the capacity is unknown."""


def system_of(vendor: str, device_class: str) -> str:
    """Whose limit counts on a device."""
    if vendor == "Apple":
        return OF_APPLE.get(device_class, "macos")
    return OF_OTHERS.get(device_class, "pc")


class Limit(NamedTuple):
    """One row of ``memory_limits.csv`` in base units, or the rows of many devices as columns; a reserve of NaN is the parameter's."""

    memory_from_byte: Any
    low_share: Any
    limit_share: Any
    high_share: Any
    reserve_low_byte: Any
    reserve_byte: Any
    reserve_high_byte: Any
    is_estimate: Any


class Usable(NamedTuple):
    """Memory left to a model, in byte: what is reckoned with between the ends of the sources, and whether it is an estimate."""

    low_byte: Floats
    byte: Floats
    high_byte: Floats
    is_estimate: npt.NDArray[np.bool_]

    def grade(self, footprint_byte: Floats) -> Floats:
        """Grade whether models of these sizes fit: 2 yes, 1 barely, 0 no, NaN unknown."""
        return np.asarray(
            dram_capacity.fit_grade(
                footprint_byte, self.byte, usable_low_byte=self.low_byte, usable_high_byte=self.high_byte
            )
        )


def words(grade: Floats) -> npt.NDArray[np.object_]:
    """``yes``, ``barely``, ``no``; empty where the capacity is unknown."""
    position = np.where(np.isnan(grade), len(FIT_WORDS), grade).astype(int)
    return np.asarray(np.array([*FIT_WORDS, ""], dtype=object)[position])


@dataclass(frozen=True)
class Limits:
    """The limits of all systems, each from the smallest memory upwards, and the source and the note of each row."""

    rows: Mapping[str, Sequence[Limit]]
    source_ids: Mapping[str, Sequence[str]]
    notes: Mapping[str, Sequence[str]]

    def row(self, system: Sequence[int] | Floats, capacity_byte: Floats) -> npt.NDArray[np.int64]:
        """Position of the row that counts for each device among all rows, system after system."""
        system, found = np.asarray(system), np.zeros(len(capacity_byte), dtype=np.int64)
        start = 0
        for place, name in enumerate(SYSTEMS):
            from_byte = [limit.memory_from_byte for limit in self.rows[name]]
            mine = system == place
            at = np.searchsorted(from_byte, np.nan_to_num(capacity_byte[mine]), side="right") - 1
            found[mine] = start + np.maximum(at, 0)
            start += len(from_byte)
        return found

    def of(self, system: Sequence[int] | Floats, capacity_byte: Floats) -> Limit:
        """The limit of each device, as columns."""
        table = np.array([limit for name in SYSTEMS for limit in self.rows[name]])
        columns: dict[str, Any] = dict(zip(Limit._fields, table[self.row(system, capacity_byte)].T, strict=True))
        return Limit(**columns)

    def usable(self, system: Sequence[int] | Floats, capacity_byte: Floats, system_reserve_byte: float) -> Usable:
        """Memory left to a model on devices whose systems are positions in ``SYSTEMS``; unknown capacities stay unknown."""
        limit = self.of(system, capacity_byte)
        reserve = np.where(np.isnan(limit.reserve_byte), system_reserve_byte, limit.reserve_byte)
        ends = (
            (limit.low_share, np.fmax(limit.reserve_high_byte, reserve)),
            (limit.limit_share, reserve),
            (limit.high_share, np.fmin(limit.reserve_low_byte, reserve)),
        )
        low, middle, high = (
            np.asarray(dram_capacity.usable_byte(capacity_byte, reserve_byte=kept, limit_share=share))
            for share, kept in ends
        )
        return Usable(low, middle, high, limit.is_estimate > 0)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> Limits:
    """Make the limits of rows as they are filed, in file units."""
    found: dict[str, list[Limit]] = {name: [] for name in SYSTEMS}
    sources: dict[str, list[str]] = {name: [] for name in SYSTEMS}
    notes: dict[str, list[str]] = {name: [] for name in SYSTEMS}
    for row in sorted(rows, key=lambda row: float(row["memory_from_gibyte"])):
        shares = {name: float(row[name]) for name in ("low_share", "limit_share", "high_share")}
        kept = {f"reserve{end}_byte": _gibyte(row[f"reserve{end}_gibyte"]) for end in ("_low", "", "_high")}
        least, estimate = _gibyte(row["memory_from_gibyte"]), float(row["basis"] == "estimate")
        found[row["system"]].append(Limit(memory_from_byte=least, is_estimate=estimate, **shares, **kept))
        sources[row["system"]].append(row["source_id"])
        notes[row["system"]].append(row["note"])
    return Limits(found, sources, notes)


def _gibyte(cell: Any) -> float:
    return float(cell) * units.unit("gibyte").factor if cell != "" else np.nan


@cache
def filed(folder: Path) -> Limits:
    """Read the limits as they are filed in ``folder``."""
    return from_rows(expected.rows(folder / "memory_limits.csv"))


def of_devices(package: DataPackage, devices: pd.DataFrame, system_reserve_byte: float) -> pd.DataFrame:
    """Add to devices what one program may take: ``usable_byte``, its low and high end, the limit they come from, its source and its note.

    ``devices`` need ``vendor``, ``device_class`` and ``memory_capacity_byte``.
    """
    limits = of_package(package)
    names = [system_of(*pair) for pair in zip(devices["vendor"], devices["device_class"], strict=True)]
    system = [SYSTEMS.index(name) for name in names]
    capacity = devices["memory_capacity_byte"].to_numpy(dtype=float)
    limit = limits.of(system, capacity)
    found = limits.usable(system, capacity, system_reserve_byte)
    sources, notes = (
        np.array([one for name in SYSTEMS for one in filed[name]], dtype=object)
        for filed in (limits.source_ids, limits.notes)
    )
    at = limits.row(system, capacity)
    return devices.assign(
        system=names, **{name: getattr(limit, name) for name in BOUNDS}, usable_low_byte=found.low_byte,
        usable_byte=found.byte, usable_high_byte=found.high_byte, is_limit_estimate=found.is_estimate,
        limit_source_id=sources[at], limit_note=notes[at],
    )  # fmt: skip


BOUNDS = ("low_share", "limit_share", "high_share", "reserve_low_byte", "reserve_byte", "reserve_high_byte")
"""Columns of a limit: what the browser needs to reckon with another reserve."""


def of_package(package: DataPackage) -> Limits:
    """Read the limits of a data package."""
    rows: list[Any] = package.raw("memory_limits").to_dict("records")
    return from_rows(rows)


def of_system(package: DataPackage, system: str, capacity_byte: Iterable[float], system_reserve_byte: float) -> Usable:
    """Memory that devices of one system leave to a model."""
    capacity = np.array(list(capacity_byte), dtype=float)
    places = [SYSTEMS.index(system)] * len(capacity)
    return of_package(package).usable(places, capacity, system_reserve_byte)


def held_byte(
    known: expected.Calibration, param: Floats, byte_per_param: Floats | float, context_token: float
) -> Floats:
    """Memory of models with a cache of so many tokens: ``P · b + c(P) · T``, c as a typical model of P parameters has it."""
    return np.asarray(param * byte_per_param + expected.typical_kv_byte_per_token(known, param) * context_token)


def largest_by_capacity_param(
    known: expected.Calibration, usable_byte: Floats, byte_per_param: Floats, context_token: float
) -> Floats:
    """Largest models that memory holds with a cache of so many tokens: ``P · b + c(P) · T ≤ usable``.

    c is the cache a token adds to a typical model of P parameters.  Missing memory stays missing.
    """
    usable, byte = np.broadcast_arrays(usable_byte, byte_per_param)

    def is_held(param: Floats) -> npt.NDArray[np.bool_]:
        return np.asarray(held_byte(known, param, byte, context_token) <= usable)

    return np.where(np.isnan(usable), np.nan, expected.largest_param(is_held, len(usable)))
