"""Real files as they are: what ``llama-bench``, a model's configuration, a GGUF header or Epoch's list of hardware says in our columns.

Each is taken for what it states and no more; ``taken`` says what was taken for what.  A row that cannot be compared (a prompt
being read, several cards, a part on the processor) keeps its place and says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from analysis import door
from analysis.door import Refused, foreign, gguf, sheets
from analysis.errors import InputError
from analysis.model import configurations, devices, expected, names

GIBYTE = 2.0**30
FULL_OFFLOAD = 99
"""Layers on the graphics processor that stand for all of them, as −1 does."""


@dataclass
class Foreign:
    """A file in our columns.

    kind        what wrote it, in words
    header      the columns of the file itself, and its rows: they are kept
    given       our column → a cell for each row
    remarks     what to say of each row beside what the prediction says; empty for most
    left_out    rows of which no speed is predicted, as theirs is another thing
    models      name in ``model_id`` → the shape the file states
    taken       what was taken for what, a line each
    lines       the line of each row in the file
    """

    kind: str
    header: list[str]
    rows: list[list[str]]
    given: dict[str, list[str]]
    remarks: list[str] = field(default_factory=list)
    left_out: list[bool] = field(default_factory=list)
    models: dict[str, configurations.Shape] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    """A file taken apart: its kind in words, and the runs, the model or the hardware in it."""

    kind: str
    runs: Sequence[Run] = ()
    shape: configurations.Shape | None = None
    records: foreign.Records = field(default_factory=lambda: foreign.Records([], []))


# ------------------------------------------------------------------------------------------------- llama-bench


BENCH_TAKEN = (
    "gpu_info, or cpu_info without layers on a graphics processor → device",
    "backends → backend",
    "model_filename, else model_type → model and number format",
    "model_size → size of the weights",
    "n_depth and half of n_gen → context",
    "flash_attn, test_time → flash attention, year",
    "avg_ts of rows that generate (n_gen, no n_prompt) → measured speed",
)
OLD_BACKENDS = ("cuda", "metal", "vulkan", "hipblas", "sycl", "opencl", "kompute", "blas")
"""Columns of the versions of 2023, one for each backend: 1 where it was built in."""


@dataclass(frozen=True)
class Run:
    """One row of ``llama-bench``, whatever form it was printed in; numbers are NaN where a form leaves them out."""

    gpu: tuple[str, ...]
    cpu: str
    backend: str
    file: str
    model: str
    weight_byte: float
    param: float
    n_prompt: float
    n_gen: float
    n_depth: float
    n_gpu_layer: float
    n_cpu_moe: float
    cache_types: frozenset[str]
    flash: str
    time: str
    build: str
    token_per_s: str

    @property
    def is_cpu(self) -> bool:
        """Whether nothing ran on a graphics processor."""
        found = names.backend(self.backend)
        return self.n_gpu_layer == 0 or not self.gpu or (found is not None and found.stack == "cpu")

    @property
    def device(self) -> str:
        """The device as the program calls it."""
        return self.cpu.removeprefix("Accelerate, ").removeprefix("BLAS, ") if self.is_cpu else self.gpu[0]

    @property
    def test(self) -> str:
        """The test as the program's tables name it: ``tg128 @ d4096``."""
        parts = [f"{word}{count:.0f}" for word, count in (("pp", self.n_prompt), ("tg", self.n_gen)) if count > 0]
        return "+".join(parts) + (f" @ d{self.n_depth:.0f}" if self.n_depth > 0 else "")


def bench_of_columns(records: foreign.Records) -> list[Run]:
    """The runs of CSV, JSON and JSONL, which hold the same fields."""
    return [run_of(dict(zip(records.header, cells, strict=True))) for _, cells in records.rows]


def run_of(cell: Mapping[str, str]) -> Run:
    """One run from the cells of CSV, JSON or JSONL."""
    known = [name for name in OLD_BACKENDS if cell.get(name, "").lower() in ("1", "true")]
    gpus = tuple(part for part in re.split(r", |/(?=\D)", cell.get("gpu_info", "")) if part.strip())
    return Run(
        gpus, cell.get("cpu_info", ""), cell.get("backends", "") or ",".join(known) or "CPU",
        cell.get("model_filename", ""), cell["model_type"], number(cell["model_size"]), number(cell.get("model_n_params", "")),
        number(cell.get("n_prompt", "0")), number(cell["n_gen"]), number(cell.get("n_depth", "0")),
        number(cell.get("n_gpu_layers", "")), number(cell.get("n_cpu_moe", "0")),
        frozenset(cell[name] for name in ("type_k", "type_v") if cell.get(name)), cell.get("flash_attn", ""), cell.get("test_time", ""),
        cell.get("build_commit", ""), cell["avg_ts"],
    )  # fmt: skip


def bench_of_markdown(records: foreign.Records) -> list[Run]:
    """The runs of a Markdown table; the device is the one the log around it names, if there is one kind."""
    found = tuple(foreign.devices(records.around))
    build = next((line.partition(":")[2].strip() for line in records.around if line.startswith("build:")), "")
    return [_markdown_run(dict(zip(records.header, cells, strict=True)), found, build) for _, cells in records.rows]


def _markdown_run(cell: Mapping[str, str], gpus: tuple[str, ...], build: str) -> Run:
    test = {kind: float(count) for kind, count in re.findall(r"(pp|tg|@ d)\s*(\d+)", cell["test"])}
    layers = number(cell.get("ngl", ""))
    return Run(
        gpus or ("",), "", cell.get("backend", ""), "", cell["model"], _quantity(cell["size"]), _quantity(cell["params"]),
        test.get("pp", 0.0), test.get("tg", 0.0), test.get("@ d", 0.0), -1.0 if np.isnan(layers) else layers,
        number(cell.get("n_cpu_moe", cell.get("ncmoe", "0"))),
        frozenset(cell[name] for name in ("type_k", "type_v") if cell.get(name)), cell.get("fa", ""), "", build,
        cell["t/s"].partition("±")[0].strip(),
    )  # fmt: skip


SIZES = {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40, "M": 1e6, "B": 1e9, "T": 1e12}


def _quantity(cell: str) -> float:
    found = re.fullmatch(r"([\d.]+) (\w+)", cell)
    return float(found[1]) * SIZES.get(found[2], np.nan) if found else float("nan")


def number(cell: str) -> float:
    """A cell as a number; NaN where it holds none."""
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        return float("nan")


def of_bench(file: File, folder: Path) -> Foreign:
    """Runs of ``llama-bench`` as rows to predict, each with the speed that was measured."""
    runs, records = file.runs, file.records
    models = [model_of(run, folder) for run in runs]
    verdicts = [judged(run, model, folder) for run, model in zip(runs, models, strict=True)]
    given = {
        "chip": [run.device for run in runs], "engine": [names.REFERENCE_ENGINE] * len(runs),
        "backend": [backend_of(run) for run in runs], "model_id": models,
        "quantization": [format_name(run, folder) for run in runs],
        "weight_gibyte": [_text(run.weight_byte / GIBYTE) for run in runs],
        "context_token": [_text(run.n_depth + run.n_gen // 2) for run in runs],
        "flash_attention": [{"1": "true", "true": "true", "on": "true", "0": "false", "false": "false", "off": "false"}.get(run.flash, "")
                            for run in runs],
        "year": [run.time[:4] for run in runs],
        "measured_prefill_token_per_s": [
            run.token_per_s if said == A_PROMPT else "" for run, (said, _) in zip(runs, verdicts, strict=True)
        ],
        "measured_token_per_s": ["" if is_left else run.token_per_s for run, (_, is_left) in zip(runs, verdicts, strict=True)],
    }  # fmt: skip
    return Foreign(
        file.kind, records.header, [cells for _, cells in records.rows], given, [said for said, _ in verdicts],
        [is_left for _, is_left in verdicts], taken=list(BENCH_TAKEN), lines=[line for line, _ in records.rows],
    )  # fmt: skip


def _text(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.9g}"


def backend_of(run: Run) -> str:
    """The backend that a run stands for: the processor's where no layer was on a graphics processor."""
    return "cpu" if run.is_cpu else run.backend


PARAM_TOLERANCE = 0.03
"""A model is taken for the one of its name where their parameters agree so closely: other models wear the same name."""


def model_of(run: Run, folder: Path) -> str:
    """Id of the book's model: by the file's name, else by the printed type; its parameters have to agree."""
    for name in (re.split(r"[/\\]", run.file)[-1], run.model):
        found = names.model_id(name, folder) if name else ""
        if found and _agrees(found, run.param, folder):
            return found
    return ""


def _agrees(model_id: str, param: float, folder: Path) -> bool:
    filed = {row["model_id"]: float(row["total_gparam"]) * 1e9 for row in expected.rows(folder / "models.csv")}
    return bool(np.isnan(param) or abs(filed[model_id] / param - 1) <= PARAM_TOLERANCE)


def format_name(run: Run, folder: Path) -> str:
    """The name of the number format: of the printed type where that says one, else of the file."""
    by_type = names.number_format(run.model, folder).is_known
    return run.model if by_type or not run.file else re.split(r"[/\\]", run.file)[-1]


A_PROMPT = "a prompt being read: not compared"


def judged(run: Run, model_id: str, folder: Path) -> tuple[str, bool]:
    """(what to say of a run, whether it is left out)."""
    filed = next((row["n_layer"] for row in expected.rows(folder / "models.csv") if row["model_id"] == model_id), "")
    n_layer = number(filed)
    for is_so, said in (
        (run.n_prompt > 0 and run.n_gen > 0, "prompt and answer in one rate: not compared"),
        (not run.is_cpu and len(run.gpu) > 1, f"{len(run.gpu)} devices: not compared"),
        (run.n_cpu_moe > 0, "experts on the processor: not compared"),
        (0 < run.n_gpu_layer < n_layer, "a part of the layers on the processor: not compared"),
        (not run.n_gen > 0, A_PROMPT),
    ):
        if is_so:
            return said, True
    if np.isnan(n_layer) and 0 < run.n_gpu_layer < FULL_OFFLOAD and not run.is_cpu:
        return "whether all layers were on the graphics processor is not known", False
    other = run.cache_types - {"f16", "bf16", "f32"}
    return (f"cache in {' and '.join(sorted(other))}, counted in 16 bits" if other else ""), False


# ------------------------------------------------------------------------------------------- models and hardware


def of_model(shape: configurations.Shape, kind: str, folder: Path, filled: Mapping[str, str]) -> Foreign:
    """One model on each device of the book, or on the one that is given beside it; a format that is given goes before the file's."""
    every = [row["device_id"] for row in expected.rows(folder / "devices.csv") if row["memory_bandwidth_gbyte_per_s"]]
    rows = every if set(filled).isdisjoint(("device", *HARDWARE)) else [filled.get("device", "")]
    stated = {"format": shape.weight_format, "weight_gibyte": _text(shape.weight_byte / GIBYTE)}
    if {"format", "quantization"} & set(filled):
        stated = {}
    facts = {"device": rows, "model_id": [shape.name] * len(rows)} | {
        name: [cell] * len(rows) for name, cell in stated.items()
    }
    given = {name: cells for name, cells in facts.items() if any(cells)}
    shown = [list(cells) for cells in zip(*given.values(), strict=True)]
    return Foreign(
        kind, list(given), shown, given, [""] * len(rows), [False] * len(rows), {shape.name: shape}, model_taken(shape),
        list(range(1, len(rows) + 1)),
    )  # fmt: skip


HARDWARE = ("chip", "memory_bandwidth_gbyte_per_s")
"""What stands for a device that the book has not."""


def model_taken(shape: configurations.Shape) -> list[str]:
    """What was found of a model, and what is left open."""
    full, window, _, state = (float(part) for part in shape.cache)
    cache = f"{full + window:,.0f} bytes of cache a token" if full >= 0 else ""
    parts = (
        f"{shape.total_param / 1e9:.4g} billion parameters" if shape.total_param > 0 else "",
        f"{shape.n_layer:.0f} layers" if shape.n_layer > 0 else "",
        f"{shape.n_window_layer:.0f} of them with a window of {shape.window_token:.0f} tokens" if shape.n_window_layer else "",
        f"{shape.n_full_layer:.0f} of them with a cache that grows" if shape.n_full_layer < shape.n_layer else "",
        f"attention {shape.attention_kind}", cache, f"{state:,.0f} bytes of state" if state > 0 else "",
        f"{shape.n_active_expert:.0f} of {shape.n_expert:.0f} experts" if shape.is_moe else "",
        f"weights in {shape.weight_format}" if shape.weight_format else "weights in a format that is not stated",
        f"{shape.weight_byte / GIBYTE:.4g} GiB" if shape.weight_byte > 0 else "",
    )  # fmt: skip
    return [f"{shape.name}: {', '.join(filter(None, parts))}", *(f"open: {what}, as {why}" for what, why in shape.open)]


FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L",
    14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M",
    32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
"""``general.file_type`` → the name that llama.cpp prints for it."""


def of_gguf(header: gguf.Header, file_byte: float, name: str, folder: Path) -> configurations.Shape:
    """The shape of a model from the header of its file; the size of the weights from where its tensors lie."""
    from dataclasses import replace

    metadata = header.metadata
    if "general.architecture" not in metadata or metadata.get("general.type", "model") != "model":
        raise Refused("a GGUF file of no language model", "the weights of a language model", "")
    tensors = {one.name for one in header.tensors}
    parts = metadata.get("split.count", 1)
    is_whole = not isinstance(parts, int) or parts < 2
    param = float(sum(one.n_param for one in header.tensors)) if is_whole else np.nan
    expert = float(sum(one.n_param for one in header.tensors if "_exps." in one.name)) if is_whole else np.nan
    called = str(metadata.get("general.name") or "") or name
    shape = configurations.of_gguf(metadata, param, expert, "output.weight" not in tensors, called)
    stated = FILE_TYPES.get(int(metadata.get("general.file_type", -1)), "")
    by_name = name if names.number_format(name, folder).is_known else ""
    why = (
        ()
        if is_whole
        else (("size", f"this is one of {parts} parts: --format says the format, or give weight_gibyte in a table"),)
    )
    return replace(
        shape, weight_format=_finer(stated, by_name, folder), weight_byte=_weight_byte(header, file_byte) if is_whole else np.nan,
        open=(*shape.open, *why),
    )  # fmt: skip


def _finer(stated: str, by_name: str, folder: Path) -> str:
    """The format the metadata state; the file's name where it says more of the same kind, as UD-Q4_K_XL beside Q4_K_M."""
    return by_name if by_name and names.number_format(by_name, folder).format_id else stated


def _weight_byte(header: gguf.Header, file_byte: float) -> float:
    """Bytes of all tensors: from the file's own size, else, of a file that was cut, from where the last begins."""
    if not header.tensors:
        return float("nan")
    ordered = sorted(header.tensors, key=lambda one: one.offset)
    last = ordered[-1]
    if file_byte >= header.start + last.offset + 1:
        return float(file_byte - header.start)
    same = [
        (after.offset - one.offset) / one.n_param
        for one, after in pairwise(ordered)
        if one.kind == last.kind and one.n_param
    ]
    return last.offset + last.n_param * same[0] if same else float("nan")


EPOCH_TAKEN = (
    "Hardware name → device; Manufacturer → backend, of NVIDIA and AMD",
    "Memory bandwidth (byte/s) → bandwidth in GB/s; Memory (bytes) → capacity: as many GiB as makers print GB",
)
EPOCH_CAPACITY = ("Memory (bytes)", "Memory size per board (Byte)")


def of_epoch(records: foreign.Records) -> Foreign:
    """Epoch's list of hardware as devices; the model and its format are given beside it."""
    cells = [dict(zip(records.header, row, strict=True)) for _, row in records.rows]
    given = {
        "chip": [epoch_name(cell) for cell in cells],
        "backend": [devices.BACKEND_OF.get(cell.get("Manufacturer", ""), "") for cell in cells],
        "memory_bandwidth_gbyte_per_s": [_text(number(cell[foreign.EPOCH_BANDWIDTH]) / 1e9) for cell in cells],
        "memory_capacity_gibyte": [_text(epoch_gibyte(cell)) for cell in cells],
    }  # fmt: skip
    return Foreign(
        "Epoch's list of hardware", records.header, [row for _, row in records.rows], given, [""] * len(cells), [False] * len(cells),
        taken=list(EPOCH_TAKEN), lines=[line for line, _ in records.rows],
    )  # fmt: skip


def epoch_name(cell: Mapping[str, str]) -> str:
    """The name of the hardware."""
    return next((cell[name] for name in foreign.EPOCH_NAMES if cell.get(name)), "")


def epoch_gibyte(cell: Mapping[str, str]) -> float:
    """Capacity in GiB: the list turns the GB that makers print into 10⁹ bytes, and what they print are GiB."""
    stated = next((number(cell[name]) for name in EPOCH_CAPACITY if cell.get(name)), np.nan)
    return stated / 1e9


# -------------------------------------------------------------------------------------------------- any of them


def read(source: str, folder: Path) -> File:
    """A file of any of these kinds, taken apart; raises Refused where it is of none."""
    path = Path(source)
    if path.suffix.lower() == ".gguf" and not door.kind(path):
        with door.beginning(path) as (stream, byte):
            return of_header(gguf.read(stream), byte, source, folder)
    with door.opened(source) as stream:
        head = stream.read(foreign.HEAD_BYTE)
        stream.seek(0)
        form = foreign.kind(head, source)
        if form == "gguf":
            return of_header(gguf.read(stream), os.fstat(stream.fileno()).st_size, source, folder)
        content = stream.read(door.LARGEST_FILE_BYTE + 1)
    door._require_at_most(len(content), door.LARGEST_FILE_BYTE)
    found = of_content(content, form, source) if form else of_table(content, path.name)
    if found is None:
        kinds = "what llama-bench printed, a config.json, a GGUF file, or Epoch's ml_hardware.csv"
        raise Refused(
            "a file of another kind",
            kinds,
            "A table of your own goes into --data as it is: see `memory-wall template`.",
        )
    return found


def of_table(content: bytes, name: str) -> File | None:
    """What a CSV holds; None where it is a table of another kind."""
    sheet = sheets.from_bytes(content, sheets.Sheet("table", name))
    if sheet.problems:
        raise InputError(sheet.problems)
    return of_records(foreign.Records(sheet.header, sheet.rows))


def of_content(content: bytes, form: str, source: str) -> File:
    """What JSON, JSONL or Markdown holds; raises Refused where that is none of these kinds."""
    if form == "sql":
        raise Refused("SQL", "CSV, JSON, JSONL or Markdown of llama-bench", "Run it with -o csv, or -o json.")
    if form == "markdown":
        records = foreign.of_markdown(content)
        if not records.rows:
            raise Refused("a Markdown table", "the table of llama-bench, with its columns", "Give it as CSV.")
        return File("llama-bench, Markdown", bench_of_markdown(records), None, records)
    found = foreign.parsed(content, lines=form == "jsonl")
    if configurations.is_config(found):
        return File("config.json", (), configurations.of_config(found, model_name(found, source)))
    records = foreign.of_json(found)
    if foreign.of_columns(records.header) != "bench":
        keys = ", ".join(records.header[:5])
        raise Refused(f"JSON with {keys or 'nothing'}", "a config.json, or runs of llama-bench", foreign.JSON_TODO)
    return File(f"llama-bench, {form.upper()}", bench_of_columns(records), None, records)


def of_records(records: foreign.Records) -> File | None:
    """What a table of a foreign kind holds; None for any other table."""
    kind = foreign.of_columns(records.header)
    if kind == "bench":
        return File("llama-bench, CSV", bench_of_columns(records), None, records)
    return File("Epoch's list of hardware", (), None, records) if kind == "epoch" else None


def of_header(header: gguf.Header, byte: int, source: str, folder: Path) -> File:
    """What the header of a GGUF file says of its model."""
    return File("GGUF header", (), of_gguf(header, float(byte), Path(source).stem, folder))


def asked(file: File, folder: Path, filled: Mapping[str, str]) -> Foreign:
    """The rows of a file as configurations to predict."""
    if file.shape is not None:
        return of_model(file.shape, file.kind, folder, filled)
    return of_bench(file, folder) if file.runs else of_epoch(file.records)


def model_name(config: Mapping[str, Any], source: str) -> str:
    """What a configuration's model is called: as it names itself, else as its file or the folder of its file is called."""
    stated = (
        str(config.get("_name_or_path") or config.get("name_or_path") or "").rstrip("/").rsplit("/", maxsplit=1)[-1]
    )
    path = Path(source)
    called = (
        path.stem
        if path.stem not in ("config", "-", "")
        else path.absolute().parent.name
        if path.name == "config.json"
        else ""
    )
    return stated or called or str(config.get("model_type", "model"))


def summary(measured: Iterable[str]) -> str:
    """How many of the measured speeds lie inside their intervals; empty where none was compared."""
    found = [one for one in measured if one in ("yes", "below", "above")]
    inside, below, above = (found.count(word) for word in ("yes", "below", "above"))
    sides = [f"{count} {word}" for count, word in ((below, "below"), (above, "above")) if count]
    return (
        f"{inside} of {len(found)} measured speeds inside the interval{', ' if sides else ''}{', '.join(sides)}"
        if found
        else ""
    )
