"""Devices as people call them: ``rtx 3060``, ``NVIDIA GeForce RTX 4090``, ``M4 Pro``, ``MacBook Air M2 16 GB``, or the book's own id.

A name that means several rows gives what they agree in; what they differ in stays missing, and is never chosen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.model import expected, memory_limits, wording

CAPACITY = re.compile(r"(?<![\w.])(\d{1,4})\s*(?:gi?b|gigs?)\b", re.IGNORECASE)
BACKEND_OF = {"NVIDIA": "cuda", "AMD": "rocm"}
"""What a model runs on where an accelerator's maker has software of its own that was measured."""
CONFIGURABLE = ("laptop", "desktop", "tablet")
"""Classes that are sold with several sizes of the same memory: there a size that is named stands for the row's."""
FACTS = ("system", "name", "bandwidth_gbyte_per_s", "capacity_gibyte", "part", "backend", "memory_type", "device_class")


class Device(NamedTuple):
    """What a name says of a device; empty or NaN where it says nothing, or where the rows that it may mean differ.

    system      whose limit counts for what one program may take of the memory
    part        the chip by its own name, as GA102
    ids         the rows it may mean; none where no row has all its words
    problem     why it cannot be used, and what to do; empty where the bandwidth is known
    """

    ids: tuple[str, ...] = ()
    bandwidth_gbyte_per_s: float = np.nan
    capacity_gibyte: float = np.nan
    name: str = ""
    part: str = ""
    backend: str = ""
    memory_type: str = ""
    device_class: str = ""
    system: str = ""
    problem: str = ""

    @property
    def is_known(self) -> bool:
        """Whether it is one of ours."""
        return bool(self.ids)

    @property
    def chip(self) -> str:
        """What the patterns of generations are held against: the chip, and the name it is sold under."""
        return f"{self.part} {self.name}".strip()


@cache
def device(name: str, folder: Path) -> Device:
    """What a name says of a device: an id, a name, its words in any order, with a size of memory or without."""
    filed = _filed(folder)
    if name in filed:
        return filed[name]
    if not (found := ids(name, folder)):
        return Device(problem=wording.proposed(CAPACITY.sub(" ", name), (), _names(folder)))
    size, whole = CAPACITY.search(name), _by_name(folder).get(wording.words(name), "")
    agreed = _agreed([filed[one] for one in found], float(size[1]) if size else np.nan)
    return filed[whole] if agreed.problem and whole else agreed


@cache
def ids(name: str, folder: Path) -> tuple[str, ...]:
    """The rows that a name may mean, whatever size of memory it says; none where no row has all its words."""
    if name in _filed(folder):
        return (name,)
    whole = _by_name(folder).get(wording.words(name), "")
    return tuple(wording.meant(CAPACITY.sub(" ", name), _entries(folder))) or ((whole,) if whole else ())


def _agreed(found: list[Device], size_gibyte: float) -> Device:
    """What rows agree in, those of the named size where there are any."""
    right = [one for one in found if one.capacity_gibyte == size_gibyte]
    ids = tuple(one.ids[0] for one in (right or found))
    if not np.isnan(size_gibyte) and not right:
        if any(one.device_class not in CONFIGURABLE for one in found):
            return Device(problem=wording.proposed("", ids, {}))
        found = [one._replace(capacity_gibyte=size_gibyte) for one in found]
    facts = {name: {getattr(one, name) for one in (right or found)} for name in FACTS}
    same = {name: values.pop() for name, values in facts.items() if len(values) == 1}
    problem = "" if "bandwidth_gbyte_per_s" in same else wording.proposed("", ids, {})
    return Device(ids, **same, problem=problem)


@cache
def _filed(folder: Path) -> dict[str, Device]:
    return dict((*_accelerators(folder), *_devices(folder)))


def _devices(folder: Path) -> Iterator[tuple[str, Device]]:
    for row in expected.rows(folder / "devices.csv"):
        yield row["device_id"], Device(
            (row["device_id"],), _number(row["memory_bandwidth_gbyte_per_s"]), _number(row["memory_capacity_gibyte"]),
            row["name"], row["chip"], row["backend"], row["memory_type"], row["device_class"],
            memory_limits.system_of(row["vendor"], row["device_class"]),
        )  # fmt: skip


def _accelerators(folder: Path) -> Iterator[tuple[str, Device]]:
    """Stacks of HBM are binary: a part sold with 80 GB holds 80 GiB."""
    for row in expected.rows(folder / "accelerators.csv"):
        capacity = _number(row["memory_capacity_gibyte"] or row["memory_capacity_gbyte"])
        yield row["accelerator_id"], Device(
            (row["accelerator_id"],), _number(row["memory_bandwidth_gbyte_per_s"]), capacity, row["name"], "",
            BACKEND_OF.get(row["vendor"], ""), row["memory_type"], "server",
            "video",
        )  # fmt: skip


def _number(cell: str) -> float:
    return float(cell) if cell else np.nan


def _rows(folder: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for table, key in (("devices", "device_id"), ("accelerators", "accelerator_id")):
        for row in expected.rows(folder / f"{table}.csv"):
            yield row[key], row


@cache
def _entries(folder: Path) -> tuple[wording.Entry, ...]:
    return tuple(wording.entry(key, (row["name"], row.get("chip", ""), row["vendor"])) for key, row in _rows(folder))


@cache
def _by_name(folder: Path) -> dict[wording.Words, str]:
    """Words of a row's own name → its id: who writes it whole means no other memory, though longer names hold its words too."""
    named = [(wording.words(row["name"]), key) for key, row in _rows(folder)]
    often = Counter(words for words, _ in named)
    return {words: key for words, key in named if often[words] == 1}


@cache
def _names(folder: Path) -> dict[str, str]:
    """What a name with a typing error is held against: sizes of memory are left out, as most people leave them out."""
    return {key: CAPACITY.sub(" ", row["name"]) for key, row in _rows(folder)}


def row(device_id: str, folder: Path) -> Mapping[str, str]:
    """The row of a device as it is filed; raises KeyError for an id that is none."""
    return _by_id(folder)[device_id]


@cache
def _by_id(folder: Path) -> dict[str, Mapping[str, str]]:
    return dict(_rows(folder))
