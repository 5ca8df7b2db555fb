"""``memory-wall predict``: expected tokens per second for a table of configurations, with an interval and the ideal limit.

>>> predict(pd.DataFrame({"backend": ["cuda"], "memory_bandwidth_gbyte_per_s": [1008], "weight_gibyte": [3.56]}))

Rows keep their order and their columns.  What is not known stays missing: a row without a bandwidth gets no speed, and its
note says why.  Values that cannot be right (text for a number, a negative size) are refused with their row and column.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from analysis import door
from analysis.door import foreign as forms
from analysis.door import gguf, sheets, typed
from analysis.door.headers import spelled
from analysis.equations import elementary, kv_cache, memory_wall, server_batching
from analysis.errors import InputError, Problem, nearest
from analysis.model import (
    configurations,
    devices,
    expected,
    file_sizes,
    foreign,
    inputs,
    memory_limits,
    names,
    own,
    peaks,
    prefill,
    shapes,
)

if TYPE_CHECKING:
    import pandas as pd

Values = npt.NDArray[np.float64]

GIBYTE = 2.0**30
FACTORS = {
    "memory_bandwidth_gbyte_per_s": 1e9,
    "weight_gibyte": GIBYTE,
    "memory_capacity_gibyte": GIBYTE,
    "storage_read_gbyte_per_s": 1e9,
    "peak_fp16_tflop_per_s": 1e12,
}
"""Column → factor to base units; the other numbers are in base units already."""
BANDWIDTH, CAPACITY = "memory_bandwidth_gbyte_per_s", "memory_capacity_gibyte"
DEVICE_NUMBERS = {BANDWIDTH: "bandwidth_gbyte_per_s", CAPACITY: "capacity_gibyte"}
"""Column → what a device of the book says of it."""
MEASURED, PROMPT = "measured_token_per_s", "prompt_token"
MEASURED_PREFILL = "measured_prefill_token_per_s"
NUMBERS = tuple(column.name for column in inputs.COLUMNS if column.is_number)
TEXT = ("device", "backend", "model_id", "format", "chip", "memory_type", "quantization", "engine", "kv_format")
OUTPUT_NUMBER = (
    "token_per_s", "token_per_s_low", "token_per_s_high", "limit_token_per_s", "needs_gibyte", "has_gibyte", "left_gibyte",
)  # fmt: skip
OUTPUT_TEXT = ("fits", "binding", "note")
OUTPUT = (*OUTPUT_NUMBER, *OUTPUT_TEXT)
TIMES = ("first_token_s", "first_token_s_low", "first_token_s_high", "request_s", "request_s_low", "request_s_high")
"""More columns where prompts are given: until every prompt of the batch is read, and until every answer is written."""
COMPARED = "inside_interval"
"""One more column where speeds were measured: yes, or on which side of the interval they lie."""

BLANKS = ("", " ")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
ASSUMED_BIT_PER_PARAM = 4.85
"""Where a row names no format: bits of the most common one, used to guess the number of layers only."""
CHUNK_ROWS = 100_000
CHUNK_BYTE = 8 * 2**20
COPY_BYTE = 2**20
LONGEST_LINE_BYTE = 2**20
LARGEST_CHUNK_BYTE = 2**27
"""What 100,000 rows may hold, 1.3 kB each: beyond, a quotation mark was never closed."""
MOST_PROBLEMS = 50
DECIMALS = 4
"""Decimals of a speed in a file."""

NOTES = {
    "bandwidth": "memory bandwidth is missing: no prediction",
    "backend": "backend is missing: no prediction",
    "weight": "neither weight_gibyte nor model_id with format is given: no prediction",
    "format": "number format not known: nothing counted for unpacking, the widest interval of the backend",
    "named": "number format as the model's name says it",
    "bit": "bits of the number format not known: give weight_gibyte; no prediction",
    "param": "parameters of the model not known: give weight_gibyte; no prediction",
    "borrowed": "fitted to no measurements of this backend: parameters of Vulkan stand in",
    "split": "what runs on the processor is not counted: all on the graphics processor",
    "by-chip": "bandwidth and memory of the chip's device in the book",
    "several": "the name means several devices: what they differ in is left out",
    "apart": "the row's own bandwidth is far from that of its device in the book",
    "disagree": "size and number format disagree: the size counts",
    "context": "more context than the model is made for",
    "published": "the model is published in fewer bits: in that form it is smaller and reads faster than is said here",
    "engine": "few runs of this engine or none: the widest interval of the backend",
    "llama.cpp": "engine not given: llama.cpp assumed",
    "server": "engine not given: PyTorch with whole graphs assumed, as server engines have them",
    "phone-engine": "engine not given: MLX assumed on an iPhone, Genie on a neural processor",
    "burst": "speed of a cool phone: an iPhone 17 Pro, the only one measured, keeps {left:.0f} % of it after ten minutes "
    "({low:.0f} to {high:.0f} %)",
    "chip": "chip not recognised: generation of 2024 and no HBM assumed",
    "cores": "threads of the processor not given: 8 assumed for the arithmetic of unpacking",
    "layer": "n_layer estimated from the size",
    "cache": "KV cache assumed: 8 heads of 128 in FP16",
    "experts": "mixture of experts: shared weights and the experts called are read",
    "active": "mixture of experts, their number unknown: the active share of the weights is read",
    "own": "scaled by an own measurement of the device under this engine",
    "own-prompt": "time to the first token by an own measurement of a prompt, of weights packed alike",
    "own-refused": "an own measurement does not improve predictions of this kind: not used",
    "own-elsewhere": "an own measurement of the device is of another engine or backend: not used",
    "batch": "all sequences together; the interval holds that of batch 1 and what was measured of servers",
    "peak": "peak of the chip unknown: no speed of several sequences; give peak_fp16_tflop_per_s",
    "prompt": "fitted to no prompts of this backend, or the peak of the chip is unknown: no time to the first token",
    "matrix": "fitted to no prompts read by Apple's matrix units: the share of the peak is that of NVIDIA's, the interval the widest",
    "copies": "more chips than heads of the KV cache: each chip holds one at least",
    "several-chips": "layers shared by several chips, their communication as measured on servers",
    "kv-format": "format of the KV cache not known: 16 bits counted",
    "decimal": "memory counted in decimal GB: where GB is printed and GiB meant, give memory_capacity_gibyte",
    "capacity": "does not fit into what one program may take of the memory: no speed",
    "barely": "barely fits: little stays free, or the sources of the limit disagree",
    "storage": "what does not fit is read from storage for every token; no interval was measured",
}  # fmt: skip


# ------------------------------------------------------------------------------------------- the table


def predict(table: pd.DataFrame, *, folder: Path | None = None, file: str = "table") -> pd.DataFrame:
    """Return the rows of ``table`` with the expected speed, its interval, the ideal limit, what binds, and a note.

    table   columns as ``inputs.COLUMNS`` has them, any others are kept; ``backend`` and ``memory_bandwidth_gbyte_per_s`` must exist
    folder  data folder whose calibration, chips, models and formats count; by default that of the book
    file    what messages call the table

    Raises InputError with every problem found where a column is missing or a value cannot be right.
    """
    rows = Rows(table, folder or _data_folder(), file)
    rows.require_sound()
    answered = _answer(rows)
    return table.assign(**{rows.header.output(str(name)): answered[name] for name in answered})


def example() -> pd.DataFrame:
    """The rows of ``inputs.EXAMPLE`` with their answer, for the page that explains it."""
    import pandas as pd

    return predict(pd.read_csv(io.StringIO(inputs.EXAMPLE), dtype=str, keep_default_na=False))


@dataclass
class Rows:
    """A table being read: numbers in base units, names resolved once each, and the problems met on the way."""

    table: pd.DataFrame
    folder: Path
    file: str
    first_line: int = 2
    lines: Sequence[int] = ()
    """Line of each row, where the rows do not follow each other from ``first_line`` on."""
    filled: Mapping[str, str] = field(default_factory=dict)
    """Our column → what every row has where the table has no such column."""
    described: Mapping[str, configurations.Shape] = field(default_factory=dict)
    """Name → a model that the file itself describes."""
    runs: Sequence[own.Run] = ()
    """What was measured on machines that rows may be about."""
    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def require_sound(self) -> None:
        """Read everything and raise InputError if anything is wrong."""
        self.header = inputs.read([str(name) for name in self.table.columns], (*OUTPUT, *TIMES, COMPARED), self.filled)
        self.problems += [
            Problem(file=self.file, column=name, found=found, expected=wanted, todo=todo)
            for name, found, wanted, todo in self.header.wrong
        ]
        if not self.problems:
            self.numbers = {name: self._number(inputs.BY_NAME[name]) for name in NUMBERS}
            self._note_decimal()
            self.flash = self._flag("flash_attention")
            self.names = {name: self._names(name) for name in TEXT}
            self._check_names(
                "model_id", self._model_ids(), "a known model", lambda name: names.model_todo(name, self.folder)
            )
            self._use_devices()
            self._use_model_names()
            self._check_names("backend", self._backends(), "a backend", lambda name: nearest(name, names.BACKENDS))
            self._check_backends()
            self._check_sizes()
            self._check_formats()
        if self.problems:
            raise InputError(self.problems[:MOST_PROBLEMS])

    def __len__(self) -> int:
        return len(self.table)

    def _column(self, name: str) -> Any:
        import pandas as pd

        if name not in self.header.used:
            given = self.filled.get(name)
            return None if given is None else pd.Series([given]).repeat(len(self)).reset_index(drop=True)
        column = self.table[self.header.used[name]]
        if column.dtype.kind in "fiu":
            return column
        return column.where(column.notna() & ~column.isin(BLANKS), pd.NA)

    def _number(self, wanted: inputs.Column) -> Values:
        """The numbers of a column in base units; NaN where they are missing."""
        import pandas as pd

        column = self._column(wanted.name)
        if column is None:
            return np.full(len(self), np.nan)
        values = np.asarray(pd.to_numeric(typed.in_digits(column), errors="coerce"), dtype=float)
        values = values * self.header.ratio.get(wanted.name, 1.0)
        with np.errstate(invalid="ignore"):
            fits = (values >= wanted.low) & (values <= wanted.high) & (not wanted.is_whole or values % 1 == 0)
        self._refuse(wanted.name, column, column.notna().to_numpy() & ~fits, wanted.allowed)
        return np.where(fits, values, np.nan) * FACTORS.get(wanted.name, 1.0)

    def _note_decimal(self) -> None:
        """Memory that a header counts in GB and that is a whole number of them: makers print so, and mean GiB."""
        decimal = self.header.ratio.get(CAPACITY, 1.0)
        gbyte = self.numbers[CAPACITY] / FACTORS.get(CAPACITY, 1.0) / decimal
        with np.errstate(invalid="ignore"):
            self.note("decimal", (decimal != 1.0) & (np.abs(gbyte - np.round(gbyte)) < WHOLE) & (gbyte >= 1))

    def _flag(self, name: str) -> Values:
        column = self._column(name)
        if column is None:
            return np.full(len(self), np.nan)
        meaning = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0) | {"1.0": 1.0, "0.0": 0.0}
        values = np.asarray(column.astype(str).str.strip().str.lower().map(meaning), dtype=float)
        self._refuse(name, column, column.notna().to_numpy() & np.isnan(values), "true or false")
        return values

    def _refuse(self, name: str, column: Any, wrong: npt.NDArray[np.bool_], wanted: str) -> None:
        called = spelled(self.header.used.get(name, name))
        for position in np.flatnonzero(wrong)[:MOST_PROBLEMS]:
            cell = column.iloc[position]
            self._wrong(int(position), name, repr(cell), wanted, _todo(str(cell).strip(), inputs.BY_NAME[name], called))

    def _wrong(self, position: int, name: str, found: str, wanted: str, todo: str) -> None:
        """Remember a problem in the cell of a row, at the column as the file calls it."""
        line = self.lines[position] if self.lines else position + self.first_line
        called = self.header.used.get(name, name).strip()
        problem = Problem(file=self.file, row=line, column=called, found=found, expected=wanted, todo=todo)
        if name in self.filled and name not in self.header.used:  # which every row has, and is told once
            problem = replace(problem, file="--give", row=None)
        if problem not in self.problems:
            self.problems.append(problem)

    def _names(self, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
        """Position of each row's name in the list of names; -1 where it is missing."""
        import pandas as pd

        column = self._column(name)
        if column is None:
            return np.full(len(self), -1), []
        position, given = pd.factorize(column)
        texts = [str(value).strip() for value in given]
        place = np.array([index if text else -1 for index, text in enumerate(texts)] + [-1], dtype=np.int64)
        return place[position], texts

    def _use_devices(self) -> None:
        """Give each row what its device says; in a table without bandwidths, that of its chip's device.  Own cells go first."""
        is_bare = np.isnan(self.numbers[BANDWIDTH])
        found = [devices.device(name, self.folder) for name in self.names["device"][1]]
        self._check_names("device", [one.is_known for one in found], "a device of the book", self._device_todo)
        self._check_open(found, is_bare)
        is_named = self.names["device"][0] >= 0
        self._take("device", found, is_named)
        own = self.numbers[BANDWIDTH] / (self.looked_up("device", [one.bandwidth_gbyte_per_s for one in found]) * 1e9)
        with np.errstate(invalid="ignore"):
            self.note("apart", (own > FAR_RATIO) | (own < 1 / FAR_RATIO))
        places = [memory_limits.SYSTEMS.index(one.system) if one.system else np.nan for one in found]
        self.system = self.looked_up("device", places)
        by_chip = is_bare & ~is_named & (self.names["chip"][0] >= 0) & (BANDWIDTH not in self.header.used)
        if by_chip.any():
            self._take("chip", [devices.device(name, self.folder) for name in self.names["chip"][1]], by_chip)
        self.note("by-chip", by_chip & ~np.isnan(self.numbers[BANDWIDTH]))

    def _device_todo(self, name: str) -> str:
        return devices.device(name, self.folder).problem

    def _check_open(self, found: Sequence[devices.Device], is_bare: npt.NDArray[np.bool_]) -> None:
        """A name of several devices is open where they differ in bandwidth and the row has none of its own."""
        position = self.names["device"][0]
        for index, one in enumerate(found):
            rows = np.flatnonzero((position == index) & is_bare)
            if one.is_known and one.problem and len(rows):
                given = self.names["device"][1][index]
                self._wrong(int(rows[0]), "device", repr(given[:80]), "one device, or a bandwidth", one.problem)

    def _take(self, name: str, found: Sequence[devices.Device], where: npt.NDArray[np.bool_]) -> None:
        """Fill what rows lack from the devices that a column names."""
        for column, fact in DEVICE_NUMBERS.items():
            said = self.looked_up(name, [getattr(one, fact) for one in found]) * FACTORS[column]
            self.numbers[column] = np.where(where & np.isnan(self.numbers[column]), said, self.numbers[column])
        place = self.names[name][0]
        for column in {"backend", "chip", "memory_type"} - {name}:
            position, texts = self.names[column]
            said_texts = [str(getattr(one, column)) for one in found]
            lacks = where & (position < 0) & (self.looked_up(name, [bool(text) for text in said_texts], 0) > 0)
            self.names[column] = np.where(lacks, len(texts) + place, position), [*texts, *said_texts]
        is_several = self.looked_up(name, [len(one.ids) > 1 for one in found], 0) > 0
        self.note("several", self.notes.get("several", False) | (where & is_several & np.isnan(self.numbers[CAPACITY])))

    def _use_model_names(self) -> None:
        """Take the number format that a model's name holds where a row says neither a format nor a size."""
        place, given = self.names["model_id"]
        bare = np.isnan(self.numbers["weight_gibyte"])
        for kind in FORMATS:
            bare &= self.names[kind][0] < 0
        is_named = [name not in self.described and names.number_format(name, self.folder).is_known for name in given]
        where = bare & (self.looked_up("model_id", is_named, 0) > 0)
        position, texts = self.names["quantization"]
        self.names["quantization"] = np.where(where, len(texts) + place, position), [*texts, *given]
        self.note("named", where)

    def _model_ids(self) -> list[str]:
        """The models that the names in ``model_id`` mean; empty where they mean none."""
        given = self.names["model_id"][1]
        self.models = [name if name in self.described else names.model_id(name, self.folder) for name in given]
        return self.models

    def _backends(self) -> list[names.Backend | None]:
        self.backends = [names.backend(name) for name in self.names["backend"][1]]
        return self.backends

    def _check_names(self, name: str, meant: Sequence[object], wanted: str, todo: Callable[[str], str]) -> None:
        position, given = self.names[name]
        for index, value in enumerate(given):
            if value and not meant[index]:
                first = int(np.flatnonzero(position == index)[0])
                self._wrong(first, name, repr(value[:80]), wanted, todo(value[:80]))

    def _check_backends(self) -> None:
        """A backend has to be one of its device: Metal is Apple's, CUDA is NVIDIA's, and a processor is on no card."""
        pairs = np.stack([self.names["device"][0], self.names["backend"][0]], axis=1)
        for at_device, at_backend in np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0):
            device = devices.device(self.names["device"][1][at_device], self.folder)
            meant = self.backends[at_backend]
            if meant is not None and device.backend and not fits_device(meant.stack, device):
                row = int(np.flatnonzero((pairs == (at_device, at_backend)).all(axis=1))[0])
                todo = f"On {device.ids[0]} it is {device.backend}; leave the cell empty to take that."
                self._wrong(row, "backend", repr(self.names["backend"][1][at_backend]), "a backend of the device", todo)

    def _check_sizes(self) -> None:
        """Weights that would have more bits each than any format, or fewer, are those of another model, or in another unit."""
        total = [self._total_param(name) for name in self.models]
        weight, param = self.numbers["weight_gibyte"], self.looked_up("model_id", total)
        bit = np.asarray(memory_wall.effective_bit_per_param.plain(weight, param))
        with np.errstate(invalid="ignore"):
            wrong = (bit > MOST_BIT) | (bit < names.FEWEST_BIT)
        for position in np.flatnonzero(wrong)[:MOST_PROBLEMS]:
            model = self.names["model_id"][1][self.names["model_id"][0][position]]
            found = f"{bit[position]:.3g} bits a parameter of {model[:60]}"
            todo = "Is it another model's size, or in another unit?"
            self._wrong(int(position), "weight_gibyte", found, f"{names.FEWEST_BIT:g} to {MOST_BIT:g}", todo)

    def _total_param(self, model: str) -> float:
        if model in self.described:
            return self.described[model].total_param
        return float(_models(self.folder)[model]["total_gparam"]) * 1e9 if model else np.nan

    def _check_formats(self) -> None:
        """Resolve the names of formats; two columns may not name two formats of different bits in one row."""
        self.formats = {
            kind: [names.number_format(name, self.folder) for name in self.names[kind][1]] for kind in FORMATS
        }
        bits = {kind: self.looked_up(kind, [found.bit_per_param for found in self.formats[kind]]) for kind in FORMATS}
        with np.errstate(invalid="ignore"):
            several = np.abs(bits["format"] - bits["quantization"]) > 0
        for position in np.flatnonzero(several)[:MOST_PROBLEMS]:
            found = " and ".join(
                f"{kind} {self.names[kind][1][self.names[kind][0][position]]!r}" for kind in ("format", "quantization")
            )
            todo = "The two columns mean one thing: keep one."
            self._wrong(int(position), "format", found, "one number format in a row", todo)

    @property
    def every_format(self) -> list[names.Format]:
        """What the names of formats mean, those of one column after those of the other."""
        return [found for kind in FORMATS for found in self.formats[kind]]

    def looked_up(self, name: str, values: Sequence[float], missing: float = np.nan) -> Values:
        """Return a value per row from a value per name."""
        return np.asarray([*values, missing], dtype=float)[self.names[name][0]]

    def note(self, name: str, where: npt.NDArray[np.bool_]) -> None:
        """Remember that a note belongs to some rows."""
        self.notes[name] = where


def fits_device(stack: str, device: devices.Device) -> bool:
    """Whether a software stack runs on a device: Metal is Apple's, CUDA is NVIDIA's, and a processor is on no card."""
    if stack == "cpu":
        return device.device_class not in ("gpu", "server")
    return (stack == "metal") == (device.backend == "metal") and (stack != "cuda" or device.backend == "cuda")


WHOLE = 1e-6
"""So near to a whole number a converted one counts as whole."""
FAR_RATIO = 2.0
"""So far from its device's a bandwidth is another thing, or in another unit."""
MOST_BIT = 33.0
"""Of a parameter, in any file of weights: 32, and a little for what stands beside them."""


def _todo(cell: str, column: inputs.Column, called: str) -> str:
    from analysis.tables import cells

    if (thousands := re.fullmatch(r"(\d{1,4})[kK]", cell)) and column.name.endswith("_token"):
        return f"Write {int(thousands[1]) * 1024} or {thousands[1]}000: k may be either."
    is_plain = cells.NUMBER.fullmatch(cell) is not None
    said = {"type": "number", "name": called}
    hint = "" if is_plain or not column.is_number else cells._not_a_number(cell, said, required=False)
    return hint or "Correct it, or leave it empty if it is unknown."


# ------------------------------------------------------------------------------------- what a row means


def _data_folder() -> Path:
    from analysis import tables

    return tables.data_folder()


@cache
def _models(folder: Path) -> dict[str, dict[str, str]]:
    return {row["model_id"]: row for row in expected.rows(folder / "models.csv")}


MODEL_NUMBERS = (
    "total_gparam", "active_gparam", "model_dim", "vocab_size", "ffn_dim", "n_expert", "n_active_expert", *shapes.COLUMNS,
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """What a step needs to know of a model; NaN where unknown, in base units."""

    total_param: float = np.nan
    active_param: float = np.nan
    n_layer: float = np.nan
    embedding_param: float = 0.0
    kv_byte_per_token: float = np.nan
    window_kv_byte_per_token: float = 0.0
    window_token: float = np.inf
    state_byte: float = 0.0
    full_head: float = np.nan
    window_head: float = np.nan
    expert_param: float = 0.0
    is_expert: float = 0.0
    n_expert: float = np.nan
    n_active_expert: float = np.nan
    used_share: float = 1.0


def model(row: Mapping[str, str]) -> Model:
    """What a step needs to know of a model that is filed."""
    number = {name: float(row[name]) if row[name] else np.nan for name in MODEL_NUMBERS}
    total = number["total_gparam"] * 1e9
    embedding = 0.0 if row["tied_embedding"] == "true" else np.nan_to_num(number["vocab_size"] * number["model_dim"])
    halved = {shapes.HALVED: row.get(shapes.HALVED) == "true"}
    full, window, reach, state = (float(part) for part in shapes.cache(number | halved, expected.FP16_BYTE))
    active = number["active_gparam"] * 1e9 if row["active_gparam"] else total
    expert = expected.expert_param(number | {"total_param": total, "active_param": active})
    return Model(
        total, active, number["n_layer"], embedding, full, window, reach, state, *shapes.heads(number),
        expert, float(row["is_moe"] == "true"), number["n_expert"], number["n_active_expert"], 1.0 if expert else active / total,
    )  # fmt: skip


def _model_of(shape: configurations.Shape) -> Model:
    """The same of a model that a file describes."""
    full, window, reach, state = (float(part) for part in shape.cache)
    expert = float(np.nan_to_num(shape.expert_param))
    return Model(
        shape.total_param, shape.active_param, shape.n_layer, float(np.nan_to_num(shape.embedding_param)), full, window, reach, state,
        *shapes.heads(shape.__dict__), expert, float(shape.is_moe), shape.n_expert, shape.n_active_expert,
        1.0 if expert else shape.active_param / shape.total_param,
    )  # fmt: skip


DISAGREE_RATIO = 1.5
"""Files are larger than their format says where embeddings stay in more bits, by up to a third in the smallest models."""


class Sizes:
    """Bytes, bits, layers and cache of every row."""

    def __init__(self, rows: Rows, known: expected.Calibration, batch: Values, chips: Values) -> None:
        filed_models = _models(rows.folder)
        own = {name: _model_of(shape) for name, shape in rows.described.items()}
        models = [own.get(name) or model(filed_models[name]) for name in rows.models]
        fact = {
            name: rows.looked_up("model_id", [getattr(model, name) for model in models])
            for name in Model.__dataclass_fields__
        }
        filed = rows.numbers["weight_gibyte"]
        by_size = np.asarray(memory_wall.effective_bit_per_param.plain(filed, fact["total_param"]))
        by_format = _of_format(rows, [found.bit_per_param for found in rows.every_format])
        self.bit = _first(by_size, by_format)
        most = [
            float(filed_models[name]["context_token"] or "nan") if name in filed_models else np.nan
            for name in rows.models
        ]
        with np.errstate(invalid="ignore"):
            rows.note("disagree", (by_size > by_format * DISAGREE_RATIO) | (by_size < by_format / DISAGREE_RATIO))
            held = sum(np.nan_to_num(rows.numbers[name]) for name in ("context_token", PROMPT, "output_token"))
            rows.note("context", held > rows.looked_up("model_id", most))
            few = [float(filed_models.get(name, {}).get("published_bit_per_param") or "nan") for name in rows.models]
            rows.note("published", self.bit > rows.looked_up("model_id", few) * CONVERTED_RATIO)
        published = _published(rows)
        self.whole_byte = _first(filed, published, fact["total_param"] * self.bit / 8)
        self.is_expert = np.nan_to_num(fact["is_expert"]) > 0
        self._weights = expected.Weights(*(fact[name] for name in expected.Weights._fields))
        self._used_share = _first(fact["used_share"], np.ones(len(rows)))
        bits = [found.bit_per_param if found.format_id == EXPERT_FORMAT else np.nan for found in rows.every_format]
        self._expert_bit = _of_format(rows, bits)
        self.read_byte = self.read_at(batch)
        self.param = _first(
            fact["active_param"], self.read_byte * 8 / np.where(np.isnan(self.bit), ASSUMED_BIT_PER_PARAM, self.bit)
        )
        layer = _first(rows.numbers["n_layer"], fact["n_layer"])
        self.n_layer = _first(layer, np.asarray(expected.typical_layer(known, self.param)))
        self.cache = self._cache(rows, fact, chips)
        self.cache_byte = self.cache.at(_cached_token(rows, 0.5))
        self.full_cache_byte = self.cache.at(_cached_token(rows, 1.0))
        self.context_token = rows.looked_up("model_id", most)
        count = np.fmax(fact["n_expert"], 1.0)
        called = memory_wall.touched_expert_count(count, np.fmax(fact["n_active_expert"], 1.0), batch_size=batch)
        self.called_share = np.where(fact["expert_param"] > 0, called / count, self._used_at(batch))
        rows.note("layer", np.isnan(layer))
        rows.note("experts", self.is_expert & (fact["expert_param"] > 0))
        rows.note("active", self.is_expert & ~(fact["expert_param"] > 0))

    def read_at(self, token: Values) -> Values:
        """Bytes of weights that a step reads for so many tokens; a file without a filed model is read whole."""
        read = expected.read_byte(self._weights, self.whole_byte, expert_bit=self._expert_bit, batch_size=token)
        return _first(np.asarray(read * self._used_at(token)), self.whole_byte)

    def _used_at(self, token: Values) -> Values:
        """Share of the weights that so many tokens use, of a mixture whose experts nobody states: as if all weights were experts."""
        return np.asarray(memory_wall.touched_share(self._used_share, batch_size=token))

    def _cache(self, rows: Rows, fact: dict[str, Values], chips: Values) -> shapes.Cache:
        """What one sequence keeps on all chips, in the format of its cache, and the fixed state of layers without one."""
        heads, width = rows.numbers["n_kv_head"], rows.numbers["head_dim"]
        filled = {
            "n_kv_head": _first(heads, np.full(len(rows), expected.ASSUMED_KV_HEAD)),
            "head_dim": _first(width, np.full(len(rows), expected.ASSUMED_HEAD_DIM)),
        }
        assumed = kv_cache.kv_cache_byte_per_token(n_layer=self.n_layer, kv_element_byte=expected.FP16_BYTE, **filled)
        per_token = np.where(
            np.isnan(heads) & np.isfinite(fact["kv_byte_per_token"]), fact["kv_byte_per_token"], assumed
        )
        window = np.nan_to_num(fact["window_kv_byte_per_token"]) * np.isnan(heads)
        self.is_cache_assumed = (np.isnan(heads) | np.isnan(width)) & np.isnan(fact["kv_byte_per_token"])
        rows.note("cache", (_cached_token(rows, 1.0) > 0) & self.is_cache_assumed)
        state = np.nan_to_num(fact["state_byte"]) * np.isnan(heads)
        reach = _first(fact["window_token"], np.full(len(rows), np.inf))
        share = _cache_bit(rows) / KV_BIT
        full, windowed = (
            _copies(chips, _first(heads, fact[name], filled["n_kv_head"])) for name in ("full_head", "window_head")
        )
        rows.note("copies", full > 1)
        return shapes.Cache(per_token * share * full, window * share * windowed, reach, state)


def _copies(chips: Values, head: Values) -> Values:
    """Times that chips which share a model hold its cache, all together: each holds one head of it at least."""
    return np.asarray(np.maximum(1.0, chips / head))


def _published(rows: Rows) -> Values:
    """Bytes of the published file of each row's model in its format; NaN where none is filed."""
    found = np.full(len(rows), np.nan)
    for kind in FORMATS:
        size = np.full((len(rows.models) + 1, len(rows.names[kind][1]) + 1), np.nan)
        size[:-1, :-1] = [
            [file_sizes.file_gibyte(model, name, rows.folder) for name in rows.names[kind][1]] for model in rows.models
        ] or np.nan
        found = _first(found, size[rows.names["model_id"][0], rows.names[kind][0]] * GIBYTE)
    return found


KV_BIT = 16.0
"""Bits of a number in the cache where no format is given."""


def _cached_token(rows: Rows, answer_share: float) -> Values:
    """Tokens in the cache of a sequence: context, prompt, and as much of the answer."""
    context, prompt, answer = (np.nan_to_num(rows.numbers[name]) for name in ("context_token", PROMPT, "output_token"))
    return context + prompt + answer_share * answer


def _cache_bit(rows: Rows) -> Values:
    """Bits of a number in the cache, by the name of its format; a name that means none is noted."""
    formats = [names.number_format(name, rows.folder) for name in rows.names["kv_format"][1]]
    found = rows.looked_up("kv_format", [one.bit_per_param for one in formats])
    rows.note("kv-format", (rows.names["kv_format"][0] >= 0) & np.isnan(found))
    return _first(found, rows.numbers["kv_bit"], np.full(len(rows), KV_BIT))


def _first(*choices: Values) -> Values:
    """Return the first choice that is not missing."""
    found = choices[0]
    for choice in choices[1:]:
        found = np.where(np.isnan(found), choice, found)
    return np.asarray(found, dtype=float)


FORMATS = ("format", "quantization")
"""Two columns for one thing: an id, and a name as people write it; both are understood alike."""
EXPERT_FORMAT = "mxfp4"
"""A format that files give to their experts only: what it leaves of the file is shared."""


def _of_format(rows: Rows, values: Sequence[float]) -> Values:
    """A value per row from one per named format, in the order of ``Rows.every_format``; NaN where no name gives one."""
    n_first = len(rows.formats[FORMATS[0]])
    return _first(rows.looked_up(FORMATS[0], values[:n_first]), rows.looked_up(FORMATS[1], values[n_first:]))


ENGINES = tuple(expected.ENGINES)
BOTH = tuple(product((False, True), repeat=2))
OF_CARDS = tuple(expected.STACK_NAMES.index(name) for name in ("cuda", "vulkan", "rocm"))


class Kinds:
    """Stack, memory, software and format of every row, as rows of the table of coefficients."""

    def __init__(self, rows: Rows, sizes: Sizes) -> None:
        meant = [found or names.NO_BACKEND for found in rows.backends]
        self.stack = rows.looked_up("backend", [expected.STACK_NAMES.index(found.stack) for found in meant], -1).astype(
            int
        )
        borrowed = rows.looked_up("backend", [not found.is_measured for found in meant], 0)
        generations = [expected.generation(name, rows.folder) for name in rows.names["chip"][1]]
        born = rows.looked_up("chip", [generation.introduced_year for generation in generations])
        self.introduced_year = np.clip(
            np.nan_to_num(born, nan=expected.REFERENCE_GENERATION_YEAR),
            expected.OLDEST_GENERATION_YEAR,
            expected.NEWEST_GENERATION_YEAR,
        )
        self.is_hbm = self._is_hbm(rows, generations)
        self.is_phone = rows.looked_up("chip", [generation.is_phone for generation in generations], 0) > 0
        self.is_phone |= np.isin(self.stack, [expected.STACK_NAMES.index(name) for name in ("opencl", "npu")])
        self.old_software, flash = self._software(rows, born)
        old_chip = (born < expected.FAST_ARITHMETIC_YEAR) & ~self.is_hbm & np.isin(self.stack, OF_CARDS)
        self.packing, self.is_unknown = _packing(rows, sizes.bit)
        self._use_engines(rows)
        self.code = expected.codes(
            stack=np.maximum(self.stack, 0), tuning=self.tuning, hbm=self.is_hbm, old_software=self.old_software, old_chip=old_chip,
            flash=flash, packing=self.packing,
        )  # fmt: skip
        self.is_other_engine |= borrowed > 0
        rows.note("borrowed", borrowed > 0)
        rows.note("split", rows.looked_up("backend", [found.is_split for found in meant], 0) > 0)
        rows.note("burst", self.is_phone)
        rows.note("format", self.is_unknown)
        rows.note("engine", self.is_other_engine)
        rows.note(
            "chip", (rows.names["chip"][0] >= 0) & np.isnan(born) & (self.stack != expected.STACK_NAMES.index("cpu"))
        )

    def _software(self, rows: Rows, born: Values) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether the software is older than that of today, and whether flash attention is on; today's where no year is given."""
        year = rows.numbers["year"]
        of_metal = self.stack == expected.STACK_NAMES.index("metal")
        today = np.where(of_metal, expected.CURRENT_METAL_YEAR, expected.CURRENT_SOFTWARE_YEAR)
        flash = np.where(np.isnan(rows.flash), ~(year < expected.FLASH_BY_DEFAULT_YEAR), rows.flash > 0)
        return (np.fmax(year, born) < today) & ~np.isnan(year), np.asarray(flash > 0)

    def _use_engines(self, rows: Rows) -> None:
        """Take the engine of each row, or the usual one of its device; what each makes of a model, and whether its intervals hold."""
        given = [names.engine(name, rows.folder) for name in rows.names["engine"][1]]
        own = rows.looked_up("engine", [ENGINES.index(name) if name in ENGINES else len(ENGINES) for name in given])
        usual = np.array(
            [
                [ENGINES.index(expected.usual_engine(s, hbm=h, is_phone=p)) for h, p in BOTH]
                for s in expected.STACK_NAMES
            ]
        )
        assumed = usual[np.maximum(self.stack, 0), self.is_hbm * 2 + self.is_phone]
        self.engine = np.where(np.isnan(own), assumed, own).astype(int)
        self.tuning = np.array([*(expected.TUNINGS.index(expected.ENGINES[name]) for name in ENGINES), 0])[self.engine]
        self.is_compiled = self.tuning == expected.TUNINGS.index("compiled")
        measured = [
            [name in expected.MEASURED_ENGINES[stack] for name in (*ENGINES, "")] for stack in expected.STACK_NAMES
        ]
        self.is_other_engine = ~np.array(measured)[np.maximum(self.stack, 0), self.engine]
        unnamed, usual_name = np.isnan(own) & (self.stack >= 0), np.array([*ENGINES, ""])[assumed]
        rows.note("llama.cpp", unnamed & (usual_name == expected.TUNINGS[0]) & self.is_phone)
        rows.note("server", unnamed & (usual_name == "pytorch"))
        rows.note("phone-engine", unnamed & np.isin(usual_name, ["mlx", "genie"]))

    def _is_hbm(self, rows: Rows, generations: list[expected.Generation]) -> npt.NDArray[np.bool_]:
        by_chip = rows.looked_up("chip", [generation.is_hbm for generation in generations], 0)
        by_memory = rows.looked_up(
            "memory_type", [name.lower().startswith("hbm") for name in rows.names["memory_type"][1]]
        )
        return np.asarray((_first(by_memory, by_chip) > 0) & (self.stack != expected.STACK_NAMES.index("cpu")))


def _packing(rows: Rows, bit: Values) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Position of each row's kind of format in ``PACKINGS``, and whether a name is given that means none: nothing is unpacked then."""
    place = [expected.PACKINGS.index(found.packing) if found.is_known else np.nan for found in rows.every_format]
    kind = _of_format(rows, place)
    is_named = np.any([rows.names[name][0] >= 0 for name in FORMATS], axis=0)
    is_unknown = np.asarray(is_named & np.isnan(kind))
    low = np.where(
        kind == expected.PACKINGS.index("i-quant"), expected.PACKINGS.index("low-i"), expected.PACKINGS.index("low")
    )
    return np.where((bit < expected.LOW_BIT) & ~is_unknown, low, np.nan_to_num(kind)).astype(np.int64), is_unknown


# ------------------------------------------------------------------------------------------ the answer


def detailed(
    table: pd.DataFrame, *, folder: Path, file: str = "table", described: Mapping[str, configurations.Shape] | None = None,
    runs: Sequence[own.Run] = (),
) -> pd.DataFrame:  # fmt: skip
    """The answer to each row as ``predict`` gives it, and what ``_details`` adds: what its memory holds, and what runs it.

    described  name in ``model_id`` → a model that a file describes
    runs       what was measured of machines that rows are about
    """
    rows = Rows(table, folder, file, described=described or {}, runs=runs)
    rows.require_sound()
    return _answer(rows, whole=True)


CONVERTED_RATIO = 1.1
"""By so much more bits than a model is published in, a file is another form of it."""
LONGEST_BY = ("model", "memory")
"""What the longest context that fits ends at: what the model is made for, or what memory holds."""


def _details(
    rows: Rows, sizes: Sizes, kinds: Kinds, usable_byte: Values, batch: Values, chips: Values
) -> dict[str, Any]:
    """What memory holds, and what runs it; the longest context holds prompt and answer too, and is at most what the model is made for."""
    state = np.nan_to_num(sizes.cache.state_byte) * batch
    held = sizes.cache.within((usable_byte - sizes.whole_byte) / batch)
    longest = np.fmin(np.floor(held), sizes.context_token)  # infinite where nothing grows and no limit is stated
    longest = np.where(sizes.is_cache_assumed | np.isinf(longest), np.nan, longest)
    bound = np.select([np.isnan(longest), longest >= sizes.context_token], [0, 1], 2)
    return {
        "weight_gibyte": sizes.whole_byte / GIBYTE, "kv_cache_gibyte": (sizes.full_cache_byte * batch - state) / GIBYTE,
        "state_gibyte": state / GIBYTE, "capacity_gibyte": rows.numbers[CAPACITY] * chips / GIBYTE, "longest_context_token": longest,
        "longest_by": np.array(["", *LONGEST_BY], dtype=object)[bound],
        "stack": np.array([*expected.STACK_NAMES, ""], dtype=object)[kinds.stack],
        "engine_used": np.array([*ENGINES, ""], dtype=object)[kinds.engine],
    }  # fmt: skip


def seen(rows: Rows) -> dict[str, Any]:
    """What of each row belongs to its device and format alone: what the step, the prompt and the memory take from them."""
    known, ones = expected.calibration(rows.folder), np.ones(len(rows))
    sizes = Sizes(rows, known, ones, ones)
    kinds = Kinds(rows, sizes)
    peak, usable = Peaks(rows, kinds), _usable(rows, kinds, ones)
    _times(rows, known, sizes, kinds, peak, ones, ones, dict.fromkeys(OUTPUT_NUMBER, ones), kinds.stack < 0)
    configuration = _configuration(rows, known, sizes, kinds, peak, ones)
    ends = [_interval(known, kinds, np.full(len(rows), is_expert), ones) for is_expert in (False, True)]
    first = _prompt_interval(known, peak)
    place = (kinds.introduced_year - expected.OLDEST_GENERATION_YEAR).astype(int)
    _parts(rows, known, sizes, kinds, peak, ones, ones)
    return {
        **expected.arrays(known.table, kinds.code)._asdict(), "dense_low": ends[0][0], "dense_high": ends[0][1],
        "expert_low": ends[1][0], "expert_high": ends[1][1],
        **{name: configuration[name] for name in ("bandwidth_byte_per_s", "thread_byte_per_s", "op_per_s")},
        "usable_low_byte": usable.low_byte, "usable_byte": usable.byte, "usable_high_byte": usable.high_byte,
        "whole_flop_ratio": np.where(peak.kind == prefill.METAL, known.parameters["prefill-whole-metal"], 1.0),
        "flop_per_s": _reached_flop_per_s(known, sizes, kinds, peak), "pass_token": np.where(kinds.is_compiled, np.inf, prefill.PASS_TOKEN),
        "launch_aging": known.aging[0][place], "unpacking_aging": known.aging[1][place], "first_low": first[0], "first_high": first[1],
        "stack": np.array([*expected.STACK_NAMES, ""], dtype=object)[kinds.stack],
        "engine": np.array([*ENGINES, ""], dtype=object)[kinds.engine], "note": _note(rows, sizes, kinds, ones),
    }  # fmt: skip


def _answer(rows: Rows, *, whole: bool = False) -> pd.DataFrame:
    """The columns of ``OUTPUT``, those of ``TIMES`` where prompts are given, and ``COMPARED`` where speeds are; ``whole`` adds details."""
    import pandas as pd

    known = expected.calibration(rows.folder)
    batch, chips = (np.nan_to_num(rows.numbers[name], nan=1.0) for name in ("batch_size", "n_chip"))
    sizes = Sizes(rows, known, batch, chips)
    kinds = Kinds(rows, sizes)
    needs = sizes.whole_byte + sizes.full_cache_byte * batch
    usable = _usable(rows, kinds, chips)
    grade = usable.grade(np.where(needs > 0, needs, np.nan))
    peak = Peaks(rows, kinds)
    parts = _parts(rows, known, sizes, kinds, peak, batch, chips)
    parts["storage"] = _streamed(rows, (needs - usable.byte) * sizes.called_share, grade)
    rows.note("barely", grade == 1)
    step = np.sum(list(parts.values()), axis=0)
    missing = np.isnan(step) | (kinds.stack < 0)
    speed = np.where(missing, np.nan, batch / step)
    low, high = _interval(known, kinds, sizes.is_expert, batch)
    limit = np.where(
        missing & ~rows.notes["capacity"] & ~rows.notes["peak"], np.nan, _limit(rows, sizes, peak, batch, chips)
    )
    if rows.runs:
        speed, low, high = _scaled(rows, known, kinds, sizes.is_expert, (speed, low, high), batch * chips)
        speed = np.fmin(speed, np.where(missing, np.nan, limit))
    ended = np.where(rows.notes["storage"], np.nan, 1.0)
    columns: dict[str, Any] = {
        "token_per_s": speed, "token_per_s_low": speed * low * ended, "token_per_s_high": np.minimum(speed * high * ended, limit),
        "limit_token_per_s": limit, "needs_gibyte": needs / GIBYTE, "has_gibyte": usable.byte / GIBYTE,
        "left_gibyte": (usable.byte - needs) / GIBYTE,
    }  # fmt: skip
    if PROMPT in {*rows.header.used, *rows.filled}:
        columns |= _times(rows, known, sizes, kinds, peak, batch, chips, columns, missing)
    columns |= {
        "fits": memory_limits.words(grade), "binding": _binding(rows, parts, missing), "note": _note(rows, sizes, kinds, batch),
    }  # fmt: skip
    if MEASURED in {*rows.header.used, *rows.filled}:
        columns[COMPARED] = _compared(rows.numbers[MEASURED], columns["token_per_s_low"], columns["token_per_s_high"])
    if whole:
        columns |= _details(rows, sizes, kinds, usable.byte, batch, chips)
    return pd.DataFrame(columns, index=rows.table.index)


def _machines(rows: Rows, kinds: Kinds) -> tuple[list[own.Machine], npt.NDArray[np.int64]]:
    """The machines that rows are about, each once, and the place of each row's."""
    columns = [rows.names["device"][0], rows.names["chip"][0], kinds.stack, kinds.engine]
    flags = np.array([*columns, np.nan_to_num(rows.numbers[BANDWIDTH])]).T
    different, place = np.unique(flags, axis=0, return_inverse=True)
    found = []
    for device, chip, stack, engine, bandwidth in different.tolist():
        said = [rows.names[name][1][int(at)] for name, at in (("device", device), ("chip", chip)) if at >= 0]
        ids = next((ids for name in said if (ids := devices.device(name, rows.folder).ids)), said or [f"{bandwidth:g}"])
        found.append(own.Machine(frozenset(ids), [*expected.STACK_NAMES, ""][int(stack)], [*ENGINES, ""][int(engine)]))
    return found, place.reshape(-1)


def _scaled(
    rows: Rows, known: expected.Calibration, kinds: Kinds, is_expert: npt.NDArray[np.bool_], answer: tuple[Values, Values, Values],
    at_once: Values,
) -> tuple[Values, Values, Values]:  # fmt: skip
    """Speeds and ends of intervals, scaled by what was measured of each row's machine; of several sequences or chips nothing is.

    Where the interval is the widest for want of knowledge it stays so.
    """
    machines, place = _machines(rows, kinds)
    ratio = np.array([own.speed_ratio(machine, rows.runs) for machine in machines])[place]
    # What comes from storage does not run slower because memory did.
    ratio = np.where((at_once > 1) | rows.notes["storage"], np.nan, ratio)
    said = own.scaling(ratio, _groups(kinds, is_expert), expected.GROUPS, known.parameters, known.own_intervals)
    rows.note("own", np.isfinite(ratio) & ~said.is_refused)
    rows.note("own-refused", said.is_refused)
    elsewhere = [own.is_elsewhere(machine, rows.runs) for machine in machines]
    rows.note("own-elsewhere", np.array(elsewhere)[place])
    is_wide = kinds.is_unknown | kinds.is_other_engine
    low, high = (
        np.where(is_wide | np.isnan(end), wide, end) for end, wide in ((said.low, answer[1]), (said.high, answer[2]))
    )
    return answer[0] * said.factor, low, high


def own_runs(rows: Rows) -> tuple[own.Run, ...]:
    """What rows with measured speeds of one sequence on one chip say of their machines.

    Raises InputError for a speed that is above what the memory allows, and where no row has a speed beside what is expected of it.
    """
    rows.require_sound()
    answered, measured = _answer(rows, whole=True), rows.numbers[MEASURED]
    limit, speed = (answered[name].to_numpy(dtype=float) for name in ("limit_token_per_s", "token_per_s"))
    for high in np.flatnonzero(measured > limit):
        most = f"at most {limit[high]:.4g}, the limit of the memory"
        rows._wrong(int(high), MEASURED, f"{measured[high]:g} token/s", most, ABOVE)
    at_once, ones = (
        np.nan_to_num([rows.numbers[name] for name in ("batch_size", "n_chip")], nan=1.0),
        np.ones(len(rows)),
    )
    sizes = Sizes(rows, expected.calibration(rows.folder), ones, ones)
    kinds = Kinds(rows, sizes)
    flop = np.where(kinds.stack < 0, np.nan, 2 * sizes.param * rows.numbers[MEASURED_PREFILL])
    said = np.isfinite([measured / speed, flop]) & (at_once == 1).all(axis=0)
    if rows.problems or not said.any():
        nothing = Problem(
            rows.file,
            "no measured speed beside one that is expected",
            f"rows with {MEASURED}, of known devices",
            NOTHING_OWN,
        )
        raise InputError(rows.problems[:MOST_PROBLEMS] or [nothing])
    machines, place = _machines(rows, kinds)
    runs = [own.Run(machines[place[at]], speed_ratio=float(measured[at] / speed[at])) for at in np.flatnonzero(said[0])]
    packings = [
        prefill.unpacked_as(expected.PACKINGS[kind], bit) for kind, bit in zip(kinds.packing, sizes.bit, strict=True)
    ]
    prompts = (
        own.Run(machines[place[at]], flop_per_s=float(flop[at]), packing=packings[at]) for at in np.flatnonzero(said[1])
    )
    return (*runs, *prompts)


ABOVE = "Is it of another model or format, of a prompt being read, of several sequences, or with speculative decoding?"
NOTHING_OWN = "Give the file that llama-bench wrote, or a table with device, model and measured_token_per_s of one sequence on one chip."


def own_file(source: str, folder: Path, filled: Mapping[str, str] | None = None) -> tuple[own.Run, ...]:
    """What a file of llama-bench, or a table as ``predict`` takes it with measured speeds, says of its machines; raises InputError."""
    at = Reading(folder, Path(source).name, 2, None, filled or {}, source)
    try:
        return own_runs(_whole_rows(at))
    except FileNotFoundError:
        raise InputError([Problem(source, "no such file", "a file of measured speeds", NOTHING_OWN)]) from None
    except door.Refused as error:
        raise InputError([error.problem(at.name)]) from None


def _whole_rows(at: Reading) -> Rows:
    """The rows of a file that is read whole: what llama-bench printed, or a table."""
    path = Path(at.source)
    if path.suffix.lower() in (".xlsx", ".parquet"):
        return _rows_of(sheets.single(path, None, _is_header), at)
    content = door.content(path)
    if form := forms.kind(content[: forms.HEAD_BYTE], at.name):
        return _foreign_rows(foreign.of_content(content, form, at.source), at)[0]
    sheet = sheets.single(path, content, _is_header)
    found = None if sheet.problems else foreign.of_records(forms.Records(sheet.header, sheet.rows))
    return _foreign_rows(found, at)[0] if found else _rows_of(sheet, at)


def _compared(measured: Values, low: Values, high: Values) -> npt.NDArray[np.object_]:
    """Where measured speeds lie: ``yes`` inside the interval, ``below`` or ``above`` it; empty where there is none."""
    with np.errstate(invalid="ignore"):
        words = np.select([measured < low, measured > high, measured == measured], ["below", "above", "yes"], "")  # noqa: PLR0124 - NaN
    return np.where(np.isnan(low), "", words).astype(object)


class Peaks:
    """What the chip of every row computes per second: its matrix units or shaders, and its processor cores; NaN where unknown."""

    def __init__(self, rows: Rows, kinds: Kinds) -> None:
        chips = rows.names["chip"][1]
        found = [peaks.peak(name, rows.folder) for name in chips]
        vendors = [expected.family(name, rows.folder).vendor for name in chips]
        units = [prefill.peak_flop_per_s(one, vendor) for one, vendor in zip(found, vendors, strict=True)]
        own = rows.numbers["peak_fp16_tflop_per_s"]
        self.has_matrix = rows.looked_up("chip", [matrix for _, matrix in units], 1.0) > 0
        self.flop_per_s = _first(own, rows.looked_up("chip", [flop for flop, _ in units]))
        dense = rows.looked_up("chip", [one.fastest_flop_per_s for one in found])
        self.matrix_flop_per_s = _first(own, dense)
        self.core_op_per_s = _first(own, rows.looked_up("chip", [one.cpu_op_per_s for one in found]))
        makers = sorted({*vendors, ""})
        maker = rows.looked_up("chip", [makers.index(vendor) for vendor in vendors], makers.index("")).astype(int)
        self.kind = _prompt_kinds(kinds, maker, makers, self.has_matrix)
        self.is_extrapolated = self.has_matrix & (kinds.stack == METAL) & np.isfinite(self.flop_per_s)


METAL = expected.STACK_NAMES.index("metal")


def _prompt_kinds(
    kinds: Kinds, maker: npt.NDArray[np.int64], makers: Sequence[str], has_matrix: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Position of each row in ``prefill.KINDS``; -1 where nothing was measured.  An unknown chip is one of its stack's usual maker."""
    compiled = kinds.is_compiled
    flags = (kinds.stack + 1, maker, has_matrix, kinds.is_hbm, kinds.old_software, compiled)
    shape = (len(expected.STACK_NAMES) + 1, len(makers), 2, 2, 2, 2)
    # One number a row: rows of several take numpy seconds to sort where they are hundreds of thousands.
    different, place = np.unique(
        np.ravel_multi_index([flag.astype(np.int64) for flag in flags], shape), return_inverse=True
    )
    found = []
    for code in different:
        stack, made, matrix, hbm, old, whole = map(int, np.unravel_index(code, shape))
        stack -= 1
        name = expected.STACK_NAMES[stack] if stack >= 0 else ""
        vendor = makers[made] or {"cuda": "NVIDIA", "metal": "Apple"}.get(name, "")
        kind = prefill.kind(
            name,
            vendor=vendor,
            has_matrix=bool(matrix) and (bool(makers[made]) or name == "cuda"),
            hbm=bool(hbm),
            old_software=bool(old),
            compiled=bool(whole),
        )
        found.append(prefill.KINDS.index(kind) if kind else -1)
    return np.array(found, dtype=np.int64)[place.reshape(-1)]


def _parts(
    rows: Rows, known: expected.Calibration, sizes: Sizes, kinds: Kinds, peak: Peaks, batch: Values, chips: Values
) -> dict[str, Values]:
    """Return the parts of a step in seconds, by what binds."""
    parts = known.parts(
        expected.arrays(known.table, kinds.code), _configuration(rows, known, sizes, kinds, peak, batch)
    )
    p = known.parameters
    sequences = np.where(batch > 1, batch * _of_engine(kinds, p, "sequence"), 0.0)
    servers = np.where(batch > 1, sizes.n_layer * _of_engine(kinds, p, "launch"), 0.0)
    hops = np.where(chips > 1, sizes.n_layer * p["serving-hop"] * elementary.log2(chips), 0.0)
    rows.note("several-chips", chips > 1)
    rows.note(
        "cores",
        (kinds.stack == CPU)
        & np.isnan(rows.numbers["n_thread"])
        & np.isnan(peak.core_op_per_s)
        & ~kinds.is_phone
        & ~kinds.is_compiled,
    )
    return {
        "overhead": np.asarray(np.maximum(parts.overhead_s, servers)) + sequences + hops,
        "bandwidth": np.asarray(parts.weight_s + parts.cache_s) / chips,
        "compute": np.asarray(parts.arithmetic_s) + _products(rows, known, sizes, kinds, peak, batch) / chips,
    }


CPU = expected.STACK_NAMES.index("cpu")
OF_SERVERS = {"vllm": "vllm-new", "sglang": "vllm-new", "tensorrt-llm": "tensorrt-llm"}
"""Engine → the parameters of its steps with several sequences; those of SGLang were not measured."""


def _of_engine(kinds: Kinds, parameters: Mapping[str, float], what: str) -> Values:
    """A parameter of serving of each row's engine; 0 for engines without a scheduler between the steps."""
    values = [parameters[f"serving-{what}-{OF_SERVERS[name]}"] if name in OF_SERVERS else 0.0 for name in ENGINES]
    of_engines: Values = np.array([*values, 0.0])
    return np.asarray(of_engines[kinds.engine])


def _configuration(
    rows: Rows, known: expected.Calibration, sizes: Sizes, kinds: Kinds, peak: Peaks, batch: Values
) -> dict[str, Values]:
    bandwidth = rows.numbers[BANDWIDTH]
    limits = known.processor(
        bandwidth_byte_per_s=bandwidth,
        n_thread=rows.numbers["n_thread"],
        op_per_s=peak.core_op_per_s,
        is_phone=kinds.is_phone,
    )
    return {
        "bandwidth_byte_per_s": bandwidth, "weight_byte": sizes.read_byte, "n_layer": sizes.n_layer,
        "bit_per_param": _first(sizes.bit, np.full(len(rows), ASSUMED_BIT_PER_PARAM)), "kv_cache_byte": sizes.cache_byte * batch,
        "introduced_year": kinds.introduced_year, "is_expert": sizes.is_expert.astype(float), **limits,
    }  # fmt: skip


def _usable(rows: Rows, kinds: Kinds, chips: Values) -> memory_limits.Usable:
    """Memory that one program may take, by the system of the device or that which goes with the backend; unknown without a capacity."""
    systems = [memory_limits.SYSTEMS.index(memory_limits.OF_STACK.get(name, "video")) for name in expected.STACK_NAMES]
    by_stack = np.array(systems)[np.maximum(kinds.stack, 0)]
    place = _first(rows.system, by_stack.astype(float)).astype(int)
    usable = memory_limits.filed(rows.folder).usable(
        place, rows.numbers[CAPACITY], memory_limits.DEFAULT_RESERVE_GIBYTE * GIBYTE
    )
    return usable._replace(**{name: getattr(usable, name) * chips for name in ("low_byte", "byte", "high_byte")})


def _streamed(rows: Rows, excess_byte: Values, grade: Values) -> Values:
    """Time to read from storage what a token uses of what does not fit; missing where it does not fit and there is no storage."""
    over, storage = grade == 0, rows.numbers["storage_read_gbyte_per_s"]
    rows.note("storage", over & ~np.isnan(storage))
    rows.note("capacity", over & np.isnan(storage))
    return np.where(over, excess_byte / storage, 0.0)


def _reached_flop_per_s(known: expected.Calibration, sizes: Sizes, kinds: Kinds, peak: Peaks) -> Values:
    """Operations per second that prompts and batches reach; missing where nothing was measured or no peak is known."""
    p = known.parameters
    shares = np.array([*(p[f"prefill-{name}"] for name in prefill.KINDS), np.nan])
    metal = peak.kind == prefill.METAL
    whole = metal & (np.nan_to_num(sizes.bit) >= prefill.WHOLE_LEAST_BIT)
    factor = prefill.metal_factor(whole, metal & kinds.old_software & (kinds.packing != 0), p)
    reached = peak.flop_per_s * shares[peak.kind] * factor
    servers = np.isin(kinds.engine, [ENGINES.index(name) for name in OF_SERVERS])
    return np.where(servers, peak.matrix_flop_per_s * p["serving-compute-share-new"], reached)


def _products(
    rows: Rows, known: expected.Calibration, sizes: Sizes, kinds: Kinds, peak: Peaks, batch: Values
) -> Values:
    """Time of the matrix products of a batch; missing without a peak.  At batch 1 the fit holds them already."""
    reached = np.where(kinds.stack == CPU, peak.core_op_per_s, _reached_flop_per_s(known, sizes, kinds, peak))
    rows.note("peak", (batch > 1) & np.isnan(reached) & (kinds.stack >= 0))
    param = np.where(sizes.param > 0, sizes.param, np.nan)
    products = server_batching.compute_time_s(
        batch, model_param=param, peak_flop_per_s=np.where(reached > 0, reached, np.nan)
    )
    return np.where(batch > 1, products, 0.0)


def _groups(kinds: Kinds, is_expert: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Position of each row's group in ``expected.GROUPS``."""
    every = product(expected.STACK_NAMES, expected.PACKINGS, (False, True), (False, True))
    place: npt.NDArray[np.int64] = np.array(
        [expected.GROUPS.index(expected.group(s, k, is_expert=e, is_phone=p)) for s, k, e, p in every]
    )
    kind = np.maximum(kinds.stack, 0) * len(expected.PACKINGS) + kinds.packing
    return np.asarray(place[kind * 4 + is_expert * 2 + kinds.is_phone])


def _interval(
    known: expected.Calibration, kinds: Kinds, is_expert: npt.NDArray[np.bool_], batch: Values
) -> tuple[Values, Values]:
    """The ends of each row's interval: of its group; the widest of its stack for what is not known; above batch 1 of servers too."""
    ends = np.array([known.intervals.get(name, (np.nan, np.nan)) for name in expected.GROUPS])
    stack = np.maximum(kinds.stack, 0)
    flags = is_expert * 2 + kinds.is_phone
    wide = np.array(
        [
            expected.widest(known, s, is_expert=e, is_phone=p)
            for s, e, p in product(expected.STACK_NAMES, (False, True), (False, True))
        ]
    )
    is_wide = (kinds.is_unknown | kinds.is_other_engine)[:, np.newaxis]
    low, high = np.where(is_wide, wide[stack * 4 + flags], ends[_groups(kinds, is_expert)]).T
    low_served, high_served = known.intervals["serving"]
    return np.where(batch > 1, np.minimum(low, low_served), low), np.where(
        batch > 1, np.maximum(high, high_served), high
    )


def _limit(rows: Rows, sizes: Sizes, peak: Peaks, batch: Values, chips: Values) -> Values:
    """Return the ideal limit: every byte at the full bandwidth of the data sheet, and every product at the full peak where it is known."""
    read = np.where(sizes.read_byte > 0, sizes.read_byte + sizes.cache_byte * batch, np.nan)
    by_memory = batch * chips * memory_wall.decode_token_per_s(read, rows.numbers[BANDWIDTH])
    by_products = (
        chips * peak.matrix_flop_per_s / memory_wall.flop_per_token(np.where(sizes.param > 0, sizes.param, np.nan))
    )
    return np.where(batch > 1, np.fmin(by_memory, by_products), by_memory)


def _times(
    rows: Rows, known: expected.Calibration, sizes: Sizes, kinds: Kinds, peak: Peaks, batch: Values, chips: Values,
    speeds: Mapping[str, Values], missing: npt.NDArray[np.bool_],
) -> dict[str, Values]:  # fmt: skip
    """The time until every prompt is read, and with an answer until every answer is written, with their intervals."""
    prompt, answer = rows.numbers[PROMPT], rows.numbers["output_token"]
    together = np.fmax(np.nan_to_num(prompt), 1.0) * batch
    passes = np.where(kinds.is_compiled, np.inf, prefill.PASS_TOKEN)
    of_a_pass = {"kv_cache_byte": 0.0, "weight_byte": sizes.read_at(np.minimum(together, passes))}
    bare = known.parts(
        expected.arrays(known.table, kinds.code), _configuration(rows, known, sizes, kinds, peak, batch) | of_a_pass
    )
    reached = np.where(missing, np.nan, _reached_flop_per_s(known, sizes, kinds, peak))
    first = prefill.time_s(
        param=sizes.param, prompt_token=prompt, n_layer=sizes.n_layer, flop_per_s=reached * chips, pass_s=np.asarray(bare.step_s) / chips,
        context_token=np.nan_to_num(rows.numbers["context_token"]), batch_size=batch, passes_token=passes,
    )  # fmt: skip
    slow, fast = _prompt_interval(known, peak, sizes.is_expert)
    rows.note("matrix", ~np.isnan(prompt) & peak.is_extrapolated & ~missing)
    least = sizes.read_at(together) / (rows.numbers[BANDWIDTH] * chips)
    if rows.runs:
        alone = np.isnan(first) & ~missing & (batch * chips == 1)
        by_own = np.maximum(_by_own_prompt(rows, sizes, kinds), np.nan_to_num(least))
        rows.note("own-prompt", alone & np.isfinite(by_own))
        first = np.where(alone, by_own, first)
        slow, fast = (
            np.where(alone, end, usual)
            for end, usual in zip(known.own_intervals[OWN_PROMPT], (slow, fast), strict=True)
        )
    rows.note("prompt", ~np.isnan(prompt) & np.isnan(first) & ~missing)
    low = np.maximum(first / fast, np.nan_to_num(least))
    found = {"first_token_s": first, "first_token_s_low": low, "first_token_s_high": first / slow}
    for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
        found[f"request_s{end}"] = found[f"first_token_s{end}"] + answer * batch / speeds[f"token_per_s{other}"]
    return found


def _prompt_interval(
    known: expected.Calibration, peak: Peaks, is_expert: npt.ArrayLike = False
) -> tuple[Values, Values]:
    """The ends of the interval of each row's prompt: that of what computes, of mixtures of experts at least as wide as theirs."""
    place = np.where(peak.is_extrapolated, -1, peak.kind)
    low, high = np.array([known.intervals[name] for name in prefill.INTERVALS])[place].T
    widest, highest = known.intervals[prefill.EXPERT_GROUP]
    return np.where(is_expert, np.minimum(low, widest), low), np.where(is_expert, np.maximum(high, highest), high)


OWN_PROMPT = "prefill-other"


def _by_own_prompt(rows: Rows, sizes: Sizes, kinds: Kinds) -> Values:
    """The time of each prompt by what its machine computed while it read another, of weights of the same kind; missing without one."""
    machines, place = _machines(rows, kinds)
    whole = np.nan_to_num(sizes.bit) >= prefill.WHOLE_LEAST_BIT
    different, which = np.unique(np.array([place, kinds.packing, whole]).T, axis=0, return_inverse=True)
    named = [
        (machines[at], prefill.WHOLE if is_whole else expected.PACKINGS[kind])
        for at, kind, is_whole in different.tolist()
    ]
    found = [own.flop_per_s(machine, packing, rows.runs) for machine, packing in named]
    time = prefill.time_s(
        param=sizes.param, prompt_token=rows.numbers[PROMPT], n_layer=sizes.n_layer, flop_per_s=np.array(found)[which.reshape(-1)],
        pass_s=0.0, context_token=np.nan_to_num(rows.numbers["context_token"]),
    )  # fmt: skip
    return np.asarray(time)


def _binding(rows: Rows, parts: dict[str, Values], missing: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    largest = np.argmax(np.nan_to_num(np.array(list(parts.values()))), axis=0)
    names = np.array(list(parts), dtype=object)[largest]
    names[missing] = None
    names[rows.notes["capacity"]] = "capacity"
    return np.asarray(names, dtype=object)


def _note(rows: Rows, sizes: Sizes, kinds: Kinds, batch: Values) -> npt.NDArray[np.object_]:
    """Return the notes of each row, joined; rows that share their notes share the text."""
    rows.note("bandwidth", np.isnan(rows.numbers["memory_bandwidth_gbyte_per_s"]))
    rows.note("backend", kinds.stack < 0)
    without = np.isnan(sizes.read_byte)
    given = np.any([rows.names[name][0] >= 0 for name in FORMATS], axis=0) & (rows.names["model_id"][0] >= 0)
    rows.note("weight", without & ~given)
    rows.note("bit", without & given & np.isnan(sizes.bit))
    rows.note("param", without & given & ~np.isnan(sizes.bit))
    rows.notes["format"] &= ~without
    rows.note("batch", batch > 1)
    order = [name for name in NOTES if name in rows.notes]
    flags = np.array([rows.notes[name] for name in order])
    flags[order.index("layer")] &= ~without
    patterns, which = np.unique(np.sum(flags.T * (1 << np.arange(len(order))), axis=1), return_inverse=True)
    said = NOTES | {"burst": burst(expected.calibration(rows.folder).parameters)}
    texts = ["; ".join(said[name] for bit, name in enumerate(order) if int(pattern) >> bit & 1) for pattern in patterns]
    return np.array(texts, dtype=object)[which]


def burst(parameters: Mapping[str, float]) -> str:
    """The note on phones, with what is left of their speed."""
    left, low, high = (100 * parameters[f"sustained{end}"] for end in ("", "-low", "-high"))
    return NOTES["burst"].format(left=left, low=low, high=high)


# ------------------------------------------------------------------------------------------------ files


def predict_file(
    source: str, target: str | None = None, *, folder: Path | None = None, filled: Mapping[str, str] | None = None, measured: str = ""
) -> str:  # fmt: skip
    """Read a table (``-``: standard input), and write it as CSV with its predictions to ``target`` (None or ``-``: standard output).

    CSV works in chunks, so the table may be larger than memory; everything else is read whole.  Files of llama-bench, a model's
    config.json, a GGUF header and Epoch's list of hardware are read as they are.  ``filled`` gives our columns for all rows,
    ``measured`` is a file of speeds measured on machines that rows are about.
    Nothing is written where a row is wrong.  Raises InputError with every problem found.  Returns what there is to say of the
    columns that were not used, of what was taken for what, and of measured speeds; empty where there is nothing.
    """
    name = "standard input" if source == "-" else Path(source).name
    at = Reading(folder or _data_folder(), name, 2, None, filled or {}, source)
    at = at._replace(runs=own_file(measured, at.folder, at.filled) if measured else ())
    try:
        with tempfile.TemporaryFile() as store:
            remark = _predict_any(source, store, at)
            store.seek(0)
            _put(store, target)
    except door.Refused as error:
        raise InputError([error.problem(name)]) from None
    return remark


def _predict_any(source: str, store: IO[bytes], at: Reading) -> str:
    if Path(source).suffix.lower() in (".xlsx", ".parquet"):
        if found := door.kind(Path(source)):
            raise door.Refused(found, "a file, a pipe or standard input", "Check the path; - reads standard input.")
        return _predict_sheet(sheets.single(Path(source), None, _is_header), store, at).remark(OUTPUT)
    if Path(source).suffix.lower() == ".gguf" and not door.kind(Path(source)):
        with door.beginning(Path(source)) as (stream, byte):
            return _predict_header(stream, byte, store, at)
    with door.opened(source) as stream:
        head = stream.read(forms.HEAD_BYTE)
        stream.seek(0)
        form = forms.kind(head, at.name)
        if found := forms.packed(head):
            raise door.Refused(
                found, "a text file, XLSX or Parquet by its name", "Unpack it, or give it its own ending."
            )
        columns, titles = _columns_of(head), _titles(head) if not form else 0
        is_plain = not form and not titles and sum(not name.strip() for name in columns) < 2
        if is_plain and _is_of_commas(head.partition(b"\n")[0]) and not forms.of_columns(columns):
            return _predict_stream(stream, store, at).remark(OUTPUT)
        if form == "gguf":
            return _predict_header(stream, os.fstat(stream.fileno()).st_size, store, at)
        content = stream.read(door.LARGEST_FILE_BYTE + 1)
        door._require_at_most(len(content), door.LARGEST_FILE_BYTE)
        return _predict_content(_below(content, titles), form, store, at)


def _predict_content(content: bytes, form: str, store: IO[bytes], at: Reading) -> str:
    """Predict what a file holds that is no plain CSV with commas and was read whole."""
    if form:
        return _predict_foreign(foreign.of_content(content, form, at.source), store, at)
    sheet = sheets.single(Path(at.name), content, _is_header)
    if not sheet.problems and (found := foreign.of_records(forms.Records(sheet.header, sheet.rows))):
        return _predict_foreign(found, store, at)
    return _predict_sheet(sheet, store, at).remark(OUTPUT)


def _predict_header(stream: IO[bytes], byte: int, store: IO[bytes], at: Reading) -> str:
    return _predict_foreign(foreign.of_header(gguf.read(stream), byte, at.source, at.folder), store, at)


def _columns_of(head: bytes) -> list[str]:
    """The columns of a plain CSV, from how it begins."""
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return next(csv.reader(first), [])


MOST_TITLES = 20
"""Lines above a header that may be titles."""


def _titles(head: bytes) -> int:
    """Lines that stand above the header of a table: a title, a date, what a spreadsheet had there."""
    lines = head.decode("utf-8-sig", "replace").splitlines()[:MOST_TITLES]
    rows = (
        [cell.strip() for cell in next(csv.reader([line], delimiter=sheets._delimiter(line)), [])] for line in lines
    )
    return next((place for place, cells in enumerate(rows) if _is_header(cells)), 0)


def _below(content: bytes, titles: int) -> bytes:
    """A file whose titles are comments, so that its lines keep their numbers."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n", titles) if titles else [content]
    return b"\n".join([b"#" if place < titles else line for place, line in enumerate(lines)])


def _predict_foreign(file: foreign.File, store: IO[bytes], at: Reading) -> str:
    """Write the rows of a foreign file with their predictions, and return what was taken for what."""
    import pandas as pd

    rows, found = _foreign_rows(file, at)
    rows.require_sound()
    answered = _remarked(_answer(rows), found)
    whole = pd.DataFrame(found.rows, columns=found.header, dtype=str)
    header = inputs.Header({}, {}, [], given=tuple(found.header))
    store.write(_csv(whole, answered, header).encode())
    said = foreign.summary(answered[COMPARED]) if COMPARED in answered else ""
    return "\n".join([f"read as {found.kind}", *found.taken, *([said] if said else [])])


def _foreign_rows(file: foreign.File, at: Reading) -> tuple[Rows, foreign.Foreign]:
    """What a foreign file asks, as rows of ours."""
    import pandas as pd

    found = foreign.asked(file, at.folder, at.filled)
    table = pd.DataFrame(found.given, dtype=str)
    rows = Rows(
        table, at.folder, at.name, lines=found.lines, filled=at.filled, described=found.models, runs=at.runs
    )  # fmt: skip
    return rows, found


def _remarked(answered: pd.DataFrame, found: foreign.Foreign) -> pd.DataFrame:
    """The answer with the remarks of each row before its note; nothing is answered for rows that are left out."""
    left = np.array(found.left_out, dtype=bool)
    notes = [
        said if is_left or not note else f"{said}; {note}" if said else note
        for said, is_left, note in zip(found.remarks, found.left_out, answered["note"], strict=True)
    ]
    blank = {name: answered[name].mask(left) for name in answered if name != "note"}
    return answered.assign(**{str(name): column for name, column in blank.items()}, note=notes)


def _is_of_commas(first: bytes) -> bool:
    """Whether a file begins as a plain CSV does: with a header, between commas."""
    text = first.decode("utf-8-sig", "replace")
    is_line = bool(text.strip()) and not text.startswith(sheets.COMMENTS) and not text.lower().startswith("sep=")
    return is_line and sheets._delimiter(text) == ","


def _is_header(texts: Sequence[str]) -> bool:
    used = set(inputs.read(texts).used)
    return set(inputs.REQUIRED) <= used or (len(used) > 1 and not used.isdisjoint(inputs.NAMING))


def _predict_sheet(sheet: sheets.Sheet, store: IO[bytes], at: Reading) -> inputs.Header:
    """Write the rows of a table that was read whole, as CSV with commas and decimal points."""
    rows = _rows_of(sheet, at)
    rows.require_sound()
    store.write(_beside(rows, _answer(rows), header=True).encode())
    return rows.header


def _rows_of(sheet: sheets.Sheet, at: Reading) -> Rows:
    """The rows of a table that was read whole."""
    import pandas as pd

    if sheet.problems:
        raise InputError(sheet.problems[:MOST_PROBLEMS])
    if twice := [name for name in sheet.header if sheet.header.count(name) > 1]:
        raise door.Refused(f"the column {twice[0][:80]!r} twice", "each column once", "Keep one.")
    header = inputs.read(sheet.header, OUTPUT, at.filled)
    table = pd.DataFrame([cells for _, cells in sheet.rows], columns=sheet.header, dtype=str)
    if sheet.decimal_comma:
        for name in {header.used[name] for name in NUMBERS if name in header.used}:
            table[name] = table[name].str.replace(DECIMAL_COMMA, ".", regex=True)
    return Rows(table, at.folder, at.name, lines=[row for row, _ in sheet.rows], filled=at.filled, runs=at.runs)


DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d+$)(?!(?<=^[1-9],)\d{3}$)(?!(?<=^[1-9]\d,)\d{3}$)(?!(?<=^[1-9]\d\d,)\d{3}$)")
"""A comma before decimals; before three digits it may be that of thousands, and is left for the message."""


def _put(store: IO[bytes], target: str | None) -> None:
    if target in (None, "-"):
        sys.stdout.flush()
        shutil.copyfileobj(store, sys.stdout.buffer, COPY_BYTE)
        sys.stdout.flush()
        return
    try:
        file = open(str(target), "wb", opener=door.unawaited)  # noqa: SIM115 - a full disk is told as such, and not as a wrong place
    except OSError as error:
        raise door.Refused(f"--out {target}: {str(error.strerror).lower()}", "a file that can be written") from None
    with file:
        shutil.copyfileobj(store, file, COPY_BYTE)


def _line(stream: IO[bytes]) -> bytes:
    """The rest of a line; a file of one endless line is no table."""
    line = stream.readline(LONGEST_LINE_BYTE)
    if len(line) == LONGEST_LINE_BYTE:
        found, todo = (
            f"a line of more than {door.size(LONGEST_LINE_BYTE)}",
            "Is this a text file, with a row in each line?",
        )
        raise door.Refused(found, "a CSV file with a header", todo)
    return line


def _predict_stream(stream: IO[bytes], store: IO[bytes], at: Reading) -> inputs.Header:
    """Write the header and the rows: line by line as they stand while they are plain, through the CSV parser from where they are not."""
    first = _line(stream)
    columns = _plain_header(first, at)
    if columns is None:
        stream.seek(0)
        return _predict_parsed(stream, store, at)
    header = inputs.read(columns, OUTPUT, at.filled)
    store.write(",".join([*columns, *map(header.output, _output(header))]).encode() + b"\n")
    line = at.line
    while True:
        start = stream.tell()
        block = stream.read(CHUNK_BYTE) + _line(stream)
        if not block:
            return header
        here = at._replace(line=line, header=columns)
        count = _predict_plain(block, store, here)
        if count is None:
            stream.seek(start)
            return _predict_parsed(stream, store, here)
        line += count


def _output(header: inputs.Header) -> tuple[str, ...]:
    """The columns of the answer to a table."""
    times = TIMES if PROMPT in header.used else ()
    return (*OUTPUT_NUMBER, *times, *OUTPUT_TEXT, *([COMPARED] if MEASURED in header.used else []))


class Reading(NamedTuple):
    """Where a part of a file stands: data folder, name, its first line, its columns if they are known, and what is given beside it."""

    folder: Path
    name: str
    line: int
    header: list[str] | None
    filled: Mapping[str, str]
    source: str = ""
    runs: Sequence[own.Run] = ()


def _plain_header(first: bytes, at: Reading) -> list[str] | None:
    """Columns of a header that needs no CSV parser and no renaming; None where it does."""
    if first.startswith(b"\xef\xbb\xbf") or b'"' in first or b"\r" in first.rstrip(b"\r\n"):
        return None
    try:
        columns = first.decode("utf-8").rstrip("\r\n").split(",")
    except UnicodeDecodeError:
        return None
    plain = len(set(columns)) == len(columns) and all(columns)
    return columns if plain and not inputs.read(columns, OUTPUT, at.filled).wrong else None


def _predict_plain(block: bytes, store: IO[bytes], at: Reading) -> int | None:
    """Append the predictions to the lines of a block as they stand, and return their number; None where a line is not plain."""
    lines = _plain_lines(block, at.header or [])
    table = None if lines is None else _numbers_and_names(block, at.header or [])
    if lines is None or table is None or len(table) != len(lines):
        return None
    rows = Rows(table, at.folder, at.name, first_line=at.line, filled=at.filled, runs=at.runs)
    try:
        rows.require_sound()
    except InputError:
        return None
    store.write("".join(map(str.__add__, lines, _endings(_answer(rows)))).encode())
    return len(lines)


def _plain_lines(block: bytes, header: list[str]) -> list[str] | None:
    """Lines of a block without quotation marks, each with as many commas as the header; None for any other block.

    They are written back byte for byte, which a parser's cells cannot be, and in half the time that cells take to be written anew.
    """
    if b'"' in block or b"\0" in block:
        return None
    block = block.replace(b"\r\n", b"\n")
    block = block if block.endswith(b"\n") else block + b"\n"
    letters = np.frombuffer(block, dtype=np.uint8)
    commas = np.searchsorted(np.flatnonzero(letters == ord(",")), np.flatnonzero(letters == ord("\n")))
    if b"\r" in block or (np.diff(commas, prepend=0) != len(header) - 1).any():
        return None
    try:
        return block.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError:
        return None


def _numbers_and_names(block: bytes, header: list[str]) -> pd.DataFrame | None:
    """Columns of a plain block that count, numbers as numbers; None where a number is none."""
    import pandas as pd

    meant = inputs.read(header).used
    used = [column for column in header if column in meant.values()]
    numbers = [meant[name] for name in NUMBERS if name in meant]
    kinds = dict.fromkeys(used, "str") | dict.fromkeys(numbers, "float64")
    try:
        table = pd.read_csv(
            io.BytesIO(block), header=None, names=header, usecols=used, dtype=kinds, encoding="utf-8", keep_default_na=False,
            na_values={column: list(BLANKS) for column in numbers}, index_col=False,
        )  # fmt: skip
    except (ValueError, pd.errors.ParserError):
        return None
    has_truth = any(word in block for word in (b"rue", b"RUE", b"alse", b"ALSE"))  # which pandas takes for 1 and 0
    return None if has_truth and table[numbers].isin([0.0, 1.0]).any(axis=None) else table


def _numbers(answered: pd.DataFrame) -> list[str]:
    return [name for name in (*OUTPUT_NUMBER, *TIMES) if name in answered]


def _endings(answered: pd.DataFrame) -> list[str]:
    """The output columns of each row as the end of its line; rows that agree in all of them are written once."""
    speeds = np.round(answered[_numbers(answered)].to_numpy(dtype=float), DECIMALS)
    which, names = _names_text(answered)
    kind = which
    for column in speeds.T:
        values, place = np.unique(column, return_inverse=True)
        if len(values) > len(column) / 2:
            return _written(speeds, which, names)
        kind = np.unique(kind * len(values) + place, return_inverse=True)[1]
    _, first, kind = np.unique(kind, return_index=True, return_inverse=True)
    once = np.array(_written(speeds[first], which[first], names), dtype=object)
    return cast("list[str]", once[kind].tolist())


def _written(speeds: Values, which: npt.NDArray[np.int64], names: list[str]) -> list[str]:
    """The ends of lines: numbers as Python writes them, nothing where one is missing; column by column, as that is quickest."""
    columns = [_cells(column) for column in speeds.T]
    return list(map(",".join, zip([""] * len(which), *columns, np.array(names, dtype=object)[which], strict=True)))


def _cells(column: Values) -> npt.NDArray[np.object_]:
    """The cells of a column: a number that comes again is written once, a missing one is empty."""
    import pandas as pd

    place, values = pd.factorize(column)
    return np.array([*map(repr, values.tolist()), ""], dtype=object)[place]


def _names_text(answered: pd.DataFrame) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The last columns: which text each row has, and the texts."""
    import pandas as pd

    texts_of = [name for name in answered if name not in _numbers(answered)]
    columns = [answered[name].fillna("").to_numpy(dtype=object) for name in texts_of]
    which, lists = zip(*map(pd.factorize, columns), strict=True)
    texts = [",".join(map(_quoted, texts)) + "\n" for texts in product(*lists)]
    return np.asarray(np.ravel_multi_index(which, [len(names) for names in lists]), dtype=np.int64), texts


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text


def _predict_parsed(stream: IO[bytes], store: IO[bytes], at: Reading) -> inputs.Header:
    """Write the rows of the rest of a stream through a CSV parser; raise InputError with every problem found."""
    problems: list[Problem] = []
    header = inputs.read(at.header or [], (), at.filled)
    records = _Records(stream, at)
    is_first = at.header is None
    for table, lines in records.chunks():
        rows = Rows(table, at.folder, at.name, lines=lines, filled=at.filled, runs=at.runs)
        try:
            rows.require_sound()
        except InputError as error:
            problems += error.problems
        problems += records.problems
        if rows.header.wrong or len(problems) >= MOST_PROBLEMS:
            break
        if not problems:
            store.write(_beside(rows, _answer(rows), header=is_first).encode())
        header, is_first = rows.header, False
        records.problems.clear()
    if problems := [*problems, *records.problems]:
        raise InputError(problems[:MOST_PROBLEMS])
    return header


def _beside(rows: Rows, answered: pd.DataFrame, *, header: bool) -> str:
    """The rows with their predictions as CSV."""
    return _csv(rows.table, answered, rows.header, with_header=header)


def _csv(table: pd.DataFrame, answered: pd.DataFrame, header: inputs.Header, *, with_header: bool = True) -> str:
    """A table and its answer as CSV; numbers are written as in plain lines."""
    numbers = _numbers(answered)
    columns = {name: answered[name].round(DECIMALS).astype(object) for name in numbers}
    columns |= {str(name): answered[name] for name in answered if name not in numbers}
    whole = table.assign(**{header.output(name): column for name, column in columns.items()})
    return str(whole.to_csv(index=False, header=with_header, lineterminator="\n"))


class _Records:
    """Rows of a CSV from a stream, however large: each with the line it begins at; those of another width than the header are problems."""

    def __init__(self, stream: IO[bytes], at: Reading) -> None:
        self.stream, self.at = stream, at
        self.line, self.first, self.taken = (at.line - 1 if at.header else 0), at.line, 0
        self.between = True
        self.problems: list[Problem] = []

    def chunks(self) -> Iterator[tuple[pd.DataFrame, list[int]]]:
        """Tables of at most ``CHUNK_ROWS`` rows under the file's header, and the line of each row; the first even where it has none."""
        import pandas as pd

        records = self._records()
        header = self.at.header or self._header(next(records, (0, []))[1])
        is_first = self.at.header is None
        while (rows := list(islice(self._wide(records, len(header)), CHUNK_ROWS))) or is_first:
            self.taken, is_first = 0, False
            yield pd.DataFrame([cells for _, cells in rows], columns=header, dtype=str), [line for line, _ in rows]

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(sheets.LONGEST_FIELD)
        reader = csv.reader(self, strict=True)
        try:
            for cells in reader:
                self.between = True
                if cells:
                    yield self.first, cells
        except csv.Error as error:
            raise self._refused(
                str(error), "cells in which a quotation mark is closed, and doubled to be one", LEFT_OPEN
            ) from None

    def _header(self, cells: list[str]) -> list[str]:
        twice = next((name for name in cells if cells.count(name) > 1), None)
        if not cells or twice is not None:
            found = (
                "an empty file"
                if not cells
                else f"the column {twice[:80]!r} twice"
                if twice
                else "columns without a name"
            )
            raise self._refused(found, "a header that names each column once", "Keep one." if cells else "")
        return cells

    def _wide(self, records: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
        """The rows as wide as the header; the others are problems, of which some are told."""
        for line, cells in records:
            if len(cells) == width:
                yield line, cells
            elif len(self.problems) < MOST_PROBLEMS:
                todo = (
                    "An empty cell still needs its comma."
                    if len(cells) < width
                    else "A cell that holds a comma needs quotation marks."
                )
                self.problems.append(
                    Problem(self.at.name, f"{len(cells)} cells", f"{width}, as in the header", todo, line)
                )

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = _line(self.stream)
        if not raw:
            raise StopIteration
        self.line += 1
        self.taken += len(raw)
        if self.taken > LARGEST_CHUNK_BYTE:
            raise self._refused(
                f"more than {door.size(LARGEST_CHUNK_BYTE)} in {CHUNK_ROWS:,} rows", "rows of a table", LEFT_OPEN
            )
        if self.between:
            self.first = self.line
            if raw.startswith((b"#", b'"#')):
                return "\n"
            self.between = not raw.strip()
        return self._text(raw)

    def _text(self, raw: bytes) -> str:
        if b"\0" in raw:
            raise self._refused(
                "a NUL byte", "text in UTF-8", "This is not a text file, or it was cut off while written."
            )
        if b"\r" in raw.rstrip(b"\r\n"):
            raise self._refused("lines that end with CR alone", "lines that end with LF or CRLF", sheets.SAVE_AS)
        try:
            return raw.decode("utf-8-sig" if self.line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            word = raw[max(0, error.start - 12) : error.start + 6].decode("cp1252", "replace").strip()
            found = f"a byte that is not UTF-8, in {word!r} if it is Windows-1252"
            raise self._refused(found, "text in UTF-8", sheets.SAVE_AS) from None

    def _refused(self, found: str, wanted: str, todo: str) -> InputError:
        return InputError([Problem(self.at.name, found, wanted, todo, self.line or 1)])


LEFT_OPEN = "Is a quotation mark left open?"
