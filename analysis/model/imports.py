"""``memory-wall import``: what a foreign file holds as rows for a data folder, and what was taken for what.

A fact that a file leaves out stays empty; a row that would lack what its table needs, or say something false, is left out and
named with its reason.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.door import Refused
from analysis.door import foreign as forms
from analysis.errors import InputError, Problem
from analysis.model import configurations, devices, expected, foreign, names

Row = dict[str, str]


@dataclass
class Imported:
    """Rows of one table, what was taken for what, which rows were left out and why, and what is still to be filled in."""

    table: str
    rows: list[Row]
    taken: list[str]
    left_out: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)

    @property
    def header(self) -> list[str]:
        """The columns that any row has, in the order in which they come up."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def csv(self) -> str:
        """The rows as a file for ``--data``."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def part(self, source: str) -> str:
        """What the file of these rows is called beside its table: after its model, as all configurations are called alike."""
        called = self.rows[0]["model_id"] if self.table == "models" else Path(source).name
        return re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-") or "import"

    def told(self) -> list[str]:
        """What was done, a line each."""
        count = f"{len(self.rows)} {'row' if len(self.rows) == 1 else 'rows'} of {self.table}"
        return [
            count,
            *self.taken,
            *(f"left out: {one}" for one in self.left_out),
            *(f"to fill in: {one}" for one in self.needed),
        ]


def read(
    source: str, schemas: Mapping[str, Sequence[str]], folder: Path, *, released: str = "", device: str = ""
) -> Imported:
    """The rows that a foreign file holds for a data folder.

    source    a file, a pipe or standard input (``-``)
    schemas   table → its columns: what a table cannot hold is not written
    released  the date of publication of a model, which no configuration states
    device    the device that ran what llama-bench measured, where the file does not name it

    Raises InputError where the file is of no known kind, or holds nothing for any table.
    """
    name = "standard input" if source == "-" else Path(source).name
    try:
        file = foreign.read(source, folder)
    except Refused as error:
        raise InputError([error.problem(name)]) from None
    if file.shape is not None:
        found = of_shape(file.shape, file.kind, schemas["models"], released)
    else:
        runs = [replace(run, gpu=run.gpu if any(run.gpu) else (device,)) for run in file.runs]
        found = of_runs(runs, _slug(name.replace(".", "-")), folder) if file.runs else of_epoch(file)
    if not found.rows:
        reason = found.left_out[0] if found.left_out else "it has no rows"
        raise InputError([Problem(name, f"{file.kind}: {reason}", f"something for the table {found.table}")])
    return found


def _row(cells: Iterable[tuple[str, Any]]) -> Row:
    return {name: _cell(value) for name, value in cells}


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.7g}" if value < 1e6 else f"{value:.0f}"
    return str(value)


def _slug(text: str) -> str:
    """An id: lower-case words and digits joined by hyphens; points stay between digits."""
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^a-z0-9.]+", "-", text.lower()).strip("-.")[:80]


# ------------------------------------------------------------------------------------------------------- models


def of_shape(shape: configurations.Shape, kind: str, columns: Sequence[str], released: str) -> Imported:
    """One row of ``models.csv``; a cache that the table has no columns for leaves the row out, as it would be reckoned too large."""
    found = Imported("models", [], foreign.model_taken(shape))
    special = {name: number(shape) for name, number in configurations.CACHE_COLUMNS.items()}
    unsaid = [name for name, value in special.items() if not np.isnan(value) and name not in columns]
    if unsaid or np.isnan(shape.total_param):
        why = (
            f"the table has no column {unsaid[0]}"
            if unsaid
            else "the number of its parameters does not follow from the file"
        )
        found.left_out.append(f"{shape.name}, as {why}")
        return found
    numbers = {name: number(shape) for name, number in configurations.MODEL_COLUMNS.items()} | special
    cells: dict[str, Any] = {
        "model_id": _slug(shape.name), "name": shape.name, "release_date": released, **numbers, "attention_kind": shape.attention_kind,
        "tied_embedding": "" if shape.is_tied is None else shape.is_tied, "is_moe": shape.is_moe, "param_basis": "computed-from-config",
        "confidence": "derived", "note": f"Read from a {kind}",
    }  # fmt: skip
    found.rows = [_row((name, value) for name, value in cells.items() if name in columns)]
    if not released:
        found.needed.append("release_date, which the file does not state; --released 2026-11 writes it")
    return found


# -------------------------------------------------------------------------------------------------- measurements

MIXTURE = re.compile(
    r"moe|\d+x\d+(?:\.\d+)?b|[-. ]a\d+(?:\.\d+)?b|^(?:deepseek2|gpt-oss|dbrx|grok|arctic) ", re.IGNORECASE
)
"""How llama.cpp prints a mixture of experts: ``qwen3moe 30B.A3B``, ``llama 8x7B``; and families that are nothing else."""
DENSE = (
    "llama", "qwen2", "qwen3", "qwen35", "gemma", "gemma2", "gemma3", "phi2", "phi3", "mistral3", "starcoder2", "falcon", "granite",
    "olmo2", "exaone", "stablelm", "internlm2", "smollm3", "glm4", "command-r", "cohere2", "nemotron",
)  # fmt: skip
"""Families of llama.cpp whose models are dense where their name is not that of a mixture."""
BACKENDS = {"cuda": "CUDA", "metal": "Metal", "rocm": "ROCm", "vulkan": "Vulkan", "cpu": "CPU"}


def of_runs(runs: Sequence[foreign.Run], stem: str, folder: Path) -> Imported:
    """Rows of ``measurements_decode.csv``: what was generated on one device; nothing of it is fitted until somebody says so."""
    found = Imported(
        "measurements_decode",
        [],
        [*foreign.BENCH_TAKEN, "bandwidth: that of the book's device of the name, if there is one"],
    )
    models = {row["model_id"]: row for row in expected.rows(folder / "models.csv")}
    for number, run in enumerate(runs, start=1):
        model_id = foreign.model_of(run, folder)
        said, is_left = foreign.judged(run, model_id, folder)
        kind = _architecture(run, models.get(model_id))
        backend = names.backend(foreign.backend_of(run))
        missing = {"its device": run.device, "whether it is a mixture of experts": kind, "its backend": backend}
        if is_left or not all(missing.values()):
            lacks = next((f"{what} is not known" for what, one in missing.items() if not one), "")
            found.left_out.append(f"row {number}, {run.model} {run.test}: {said if is_left else lacks}")
            continue
        found.rows.append(_measurement(run, f"{stem}-{number}", kind, folder))
    found.needed += ["source_id, if the runs are to be cited: a row in sources.csv"] if found.rows else []
    return found


def _architecture(run: foreign.Run, filed: Mapping[str, str] | None) -> str:
    if filed is not None:
        return "moe" if filed["is_moe"] == "true" else "dense"
    if MIXTURE.search(run.model) or MIXTURE.search(run.file):
        return "moe"
    return "dense" if run.model.partition(" ")[0] in DENSE else ""


def _measurement(run: foreign.Run, key: str, kind: str, folder: Path) -> Row:
    backend = names.backend(foreign.backend_of(run))
    assert backend is not None  # noqa: S101 - runs without one are left out before
    device = devices.device(run.device, folder)
    cells: dict[str, Any] = {
        "measurement_id": key, "device": run.device, "chip": run.device, "memory_bandwidth_gbyte_per_s": device.bandwidth_gbyte_per_s,
        "model": run.model, "total_gparam": run.param / 1e9, "architecture": kind, "quantization": _quantization(run, folder),
        "weight_gibyte": run.weight_byte / foreign.GIBYTE, "weight_basis": "reported",
        "backend": BACKENDS[backend.stack] if backend.is_measured else "GPU", "framework": "llama.cpp", "engine": "llama.cpp",
        "decode_token_per_s": run.token_per_s, "decode_test": run.test, "output_token": f"{run.n_gen:.0f}",
        "context_token": f"{run.n_depth:.0f}", "flash_attention": {"1": "true", "0": "false"}.get(run.flash, ""), "n_device": "1",
        "date": run.time[:10], "quality": "a", "is_fit_candidate": "false", "confidence": "measured",
        "note": f"Read from llama-bench{f', build {run.build}' if run.build else ''}",
    }  # fmt: skip
    return _row(cells.items())


def _quantization(run: foreign.Run, folder: Path) -> str:
    """The format as its program spells it, from the filed one that the run's names mean; else as it is printed."""
    name = foreign.format_name(run, folder)
    return names.number_format(name, folder).format_id.upper().replace("-", "_") or name


# ------------------------------------------------------------------------------------------------------ devices


def of_epoch(file: foreign.File) -> Imported:
    """Rows of ``devices.csv``: graphics processors with bandwidth and capacity; the class has no word for the others."""
    found = Imported("devices", [], list(foreign.EPOCH_TAKEN))
    taken: set[str] = set()
    for line, texts in file.records.rows:
        cell = dict(zip(file.records.header, texts, strict=True))
        name, why = foreign.epoch_name(cell), _epoch_lacks(cell)
        key = _slug(name)
        if why or key in taken:
            found.left_out.append(f"row {line}, {name or 'without a name'}: {why or 'the name stands there before'}")
            continue
        taken.add(key)
        found.rows.append(_epoch_device(cell, key, name))
    return found


def _epoch_lacks(cell: Mapping[str, str]) -> str:
    """Why a row of Epoch's list is no device of the book; empty where it is one."""
    if not foreign.epoch_name(cell):
        return "no name"
    if cell.get("Type", "") != "GPU":
        return f"of type {cell.get('Type') or 'unknown'}, not GPU"
    if not foreign.number(cell[forms.EPOCH_BANDWIDTH]) > 0:
        return "no bandwidth"
    if not foreign.epoch_gibyte(cell) > 0:
        return "no capacity"
    return "" if re.match(r"\d{4}", cell.get("Release date", "")) else "no release date"


def _epoch_device(cell: Mapping[str, str], key: str, name: str) -> Row:
    vendor = cell.get("Manufacturer", "")
    return _row({
        "device_id": key, "name": name, "vendor": vendor, "device_class": "gpu", "release_date": cell["Release date"][:10], "chip": name,
        "backend": devices.BACKEND_OF.get(vendor, ""),
        "memory_bandwidth_gbyte_per_s": foreign.number(cell[forms.EPOCH_BANDWIDTH]) / 1e9,
        "memory_capacity_gibyte": foreign.epoch_gibyte(cell), "confidence": "third-party",
        "note": "From Epoch AI's list of machine-learning hardware (CC BY); capacity as printed, in GB",
    }.items())  # fmt: skip
