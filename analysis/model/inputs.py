"""The columns that ``memory-wall predict`` takes: one table that reads a header, refuses what is nearly right, and documents itself.

A header is read as people write it: capitals, spaces, units in brackets, other units of the same kind, usual short forms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from analysis import units
from analysis.door.headers import spelled
from analysis.errors import InputError, Problem


@dataclass(frozen=True)
class Column:
    """One column: what it holds, from where to where a number may go, and what else people call it."""

    name: str
    meaning: str
    low: float = 0.0
    high: float = 0.0
    spellings: str = ""
    is_whole: bool = False
    """Whether its numbers are counts."""

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.high > 0

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        return (
            f"a number {self.zero} ({_short(self.low)} to {_short(self.high)}){', whole' * self.is_whole}"
            if self.is_number
            else "text"
        )

    @property
    def zero(self) -> str:
        """On which side of zero its numbers lie."""
        return "above 0" if self.low > 0 else "of 0 or more"


YEARS = (1990, 2100)
"""The first and the last year that is taken for one of software."""


def _short(number: float) -> str:
    return f"{number:.0f}" if number in YEARS else f"{number:,.0f}" if number >= 1 or not number else f"{number:g}"


COLUMNS = (
    Column(
        "device", "a device of the book, by id or name: rtx-3060-12gb, MacBook Air M2",
        spellings="device_name device_id hardware hardware_name",
    ),
    Column("backend", "needed without a device: cuda, metal, rocm, vulkan, cpu, or what stands for them, as MTL or cuda12"),
    Column("memory_bandwidth_gbyte_per_s", "needed without a device: the data sheet's", 0.01, 1e6, "bandwidth mem_bandwidth memory_bw bw"),
    Column("model_id", "a model of the book, by id or name: llama-3.1-8b, Qwen3 8B", spellings="model model_name llm llm_model model_file"),
    Column("format", "number format of the weights, by id or name: q4-k-m, Q4_K_M, AWQ, 4.5 bpw", spellings="number_format format_id"),
    Column(
        "quantization", "the same as reports name it; the two may not contradict in a row",
        spellings="quant quantisation quant_type quantization_type quant_method",
    ),
    Column("weight_gibyte", "size of the file of weights; else from model and format", 1e-4, 1e6, "weights model_size file_size"),
    Column(
        "context_token", "tokens in the KV cache; without it none", 0.0, 1e9,
        "context_tokens context ctx n_ctx context_length ctx_size context_size ctx_len context_len",
    ),
    Column("batch_size", "sequences at once; without it 1", 1, 1e7, "batch concurrency n_parallel", is_whole=True),
    Column("n_layer", "layers; else the model's, or by its size", 1, 1e5, "layers n_layers num_layers num_hidden_layers", is_whole=True),
    Column("n_kv_head", "heads of the KV cache; else those of the model", 1, 1e5, "n_kv_heads kv_heads num_key_value_heads", is_whole=True),
    Column("head_dim", "numbers a head holds; else those of the model", 1, 1e6, "head_size", is_whole=True),
    Column("chip", "name of the chip: generation, memory, peak; alone, its device", spellings="gpu gpu_name chip_name"),
    Column("memory_type", "kind of memory, where the chip leaves it open: HBM3, GDDR6X", spellings="vram_type"),
    Column("memory_capacity_gibyte", "memory; what does not fit gets no speed", 1e-3, 1e7, "memory vram mem capacity vram_capacity"),
    Column("storage_read_gbyte_per_s", "storage from which the rest is read for every token", 1e-5, 1e5, "storage_read ssd_read storage"),
    Column("engine", "program that runs the model; else that usual on the device", spellings="framework runtime inference_engine"),
    Column("measured_token_per_s", "a measured speed, to be compared", 1e-4, 1e7, "measured measured_tps measured_speed avg_ts"),
    Column(
        "measured_prefill_token_per_s", "a measured rate of reading a prompt: with --measured, times to the first token", 1e-4, 1e7,
        "prefill_token_per_s measured_pp pp_tps prompt_tps",
    ),
    Column("flash_attention", "true or false; else the default of the year", spellings="flash_attn flash fa"),
    Column("year", "year of the software; without it today's", *YEARS, "software_year", is_whole=True),
    Column("prompt_token", "tokens of the prompt: asks for first_token_s", 1, 1e9, "prompt n_prompt prompt_tokens input_tokens"),
    Column("output_token", "tokens of the answer: with a prompt, asks for request_s", 1, 1e9, "output_tokens n_gen max_tokens new_tokens"),
    Column("kv_format", "number format of the KV cache: q8_0, fp8; without it 16 bits", spellings="kv_type cache_type ctk kv_cache_type"),
    Column("kv_bit", "bits of a number in the KV cache; without it 16", 1, 32, "kv_bits kv_cache_bit kv_cache_bits cache_bit"),
    Column(
        "n_chip", "chips that share the layers (tensor parallel); without it 1", 1, 1e5,
        "n_device n_gpu n_gpus num_gpus gpu_count device_count n_devices tensor_parallel tp", is_whole=True,
    ),
    Column("n_thread", "threads of the processor; without it all", 1, 1e4, "threads n_threads", is_whole=True),
    Column("peak_fp16_tflop_per_s", "dense 16-bit peak; else that of the chip", 1e-3, 1e6, "peak"),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
REQUIRED = ("backend", "memory_bandwidth_gbyte_per_s")
NAMING = ("device", "chip")
"""Columns whose names may stand for what is required."""
TODO = "`memory-wall template predict` says what each column holds."
CLOSE = 80
"""Of 100: a name so like one of ours was meant to be it."""
APART = "expected_"
"""What goes before a column of the answer whose name the table has already."""


@dataclass(frozen=True)
class Header:
    """What the header of a table means.

    used      our column → theirs
    ratio     our column → by what its numbers are multiplied for our unit
    unused    theirs that mean none of ours
    wrong     (column, what was found, what was expected, what to do)
    """

    used: Mapping[str, str]
    ratio: Mapping[str, float]
    unused: Sequence[str]
    wrong: Sequence[tuple[str, str, str, str]] = field(default_factory=list)
    given: Sequence[str] = ()

    def output(self, name: str) -> str:
        """The name under which a column of the answer is written: its own, or with ``APART`` where theirs has it."""
        return APART + name if name in self.given else name

    def remark(self, output: Sequence[str]) -> str:
        """One line that says which columns were not used, and which of ours stand under another name; empty where there is none."""
        own = [name for name in output if name in self.given]
        others = [_with_nearest(name) for name in self.unused if name not in own]
        parts = [f"not used: {', '.join(others)}"] if others else []
        return "; ".join([*parts, *(f"{name} is yours, ours is {self.output(name)}" for name in own)])


def _with_nearest(name: str) -> str:
    text = spelled(name)
    if not name.strip():
        return "a column without a name"
    if text in SPEEDS:
        return f"{name} (if you measured it: measured_token_per_s)"
    score, near = max((_alike(text, column), column) for column in BY_NAME)
    return f"{name} (nearest: {near})" if score >= CLOSE else name


SPEEDS = (
    "tokens_per_s",
    "tok_per_s",
    "t_per_s",
    "tps",
    "tokens_sec",
    "tok_sec",
    "tokens_per_sec",
    "tokens_per_second",
    "speed",
)
"""How people call a speed that they measured, or that somebody promised."""


def _alike(one: str, other: str) -> float:
    """Of 100: how alike two names of columns are, in how they begin or in the words they share."""
    words = fuzz.token_set_ratio(one.replace("_", " "), other.replace("_", " "))
    return max(100 * JaroWinkler.similarity(one, other), words)


def read(header: Sequence[str], output: Sequence[str] = (), filled: Collection[str] = ()) -> Header:
    """Say which column of a header is which of ours; what is nearly one of ours is wrong, what is like none is theirs.

    filled  our columns that are given for all rows beside the table
    """
    used: dict[str, str] = {}
    ratios: dict[str, float] = {}
    unused: list[str] = []
    wrong = []
    for name in sorted(header, key=lambda name: name not in BY_NAME):
        target, ratio, problem = _meant(name)
        if problem is not None:
            wrong.append((name, *problem))
        elif not target or (target in used and spelled(name) in WORDS):
            unused.append(name)
        elif target in used:
            wrong.append((name, f"the column beside {used[target]!r}", "one column for one quantity", "Keep one."))
        else:
            used[target], ratios[target] = name, ratio
    if not {*used, *filled} & set(NAMING):
        wrong += _missing([name for name in REQUIRED if name not in used], header, wrong)
    for name in output:
        if name in header and APART + name in header:
            wrong.append((name, f"the column, and {APART + name} too", "room for the answer", "Rename one of the two."))
    return Header(used, ratios, [name for name in header if name in unused], wrong, tuple(header))


def _missing(
    names: Sequence[str], header: Sequence[str], wrong: Sequence[tuple[str, str, str, str]]
) -> list[tuple[str, str, str, str]]:
    """What is said of required columns that are not there: once, and what is there instead where neither is."""
    if len(names) < len(REQUIRED) or wrong:
        return [(name, "no such column", "it, or a column device", _todo(name, wrong)) for name in names[:1]]
    given = ", ".join(repr(name[:40]) for name in header[:MOST_SHOWN]) + ", …" * (len(header) > MOST_SHOWN)
    return [("device", f"no such column among {given or 'none'}", f"it, or {' and '.join(REQUIRED)}", TODO)]


MOST_SHOWN = 8
"""Columns of a table that a message names."""


def _todo(name: str, wrong: Sequence[tuple[str, str, str, str]]) -> str:
    """What to do about a missing column: a name that is nearly it has been refused already."""
    near = [given for given, _, _, todo in wrong if name in todo]
    return f"Rename {near[0]!r}." if near else TODO


@cache
def _meant(name: str) -> tuple[str, float, tuple[str, str, str] | None]:
    """(our column or nothing, ratio of the units, or what is wrong)."""
    text = spelled(name)
    if not text:
        return "", 1.0, None
    if text in BY_NAME or text in WORDS:
        return WORDS.get(text, text), 1.0, None
    unit = units.parse(text)
    target = STEMS.get(units.stem(text), "") if unit else ""
    ours = units.parse(target)
    if unit and ours and _in_bytes(unit) == _in_bytes(ours):
        return target, _ratio(unit, ours), None
    near = [target, STEMS.get(UNIT_LIKE.sub("", text), "") if UNIT_LIKE.search(text) else ""]
    near += [column for column in BY_NAME if units.stem(column) == text or fuzz.ratio(text, column) >= CLOSE]
    if column := next(filter(None, near), ""):
        todo = f"Did you mean {column!r}? {TODO}"
        return "", 1.0, (f"column {name[:80]!r}", "a column under its name, with its unit", todo)
    return "", 1.0, None


UNIT_LIKE = re.compile(r"_?[kmgt]i?b(?:ps|s|_s|_sec|_?per_s(?:ec)?)?$")
"""Ends of names that may be bits or bytes."""
WITH_UNIT = [column for column in COLUMNS if "_g" in column.name]
STEMS = {text: column.name for column in WITH_UNIT for text in (units.stem(column.name), *column.spellings.split())}
"""Name without its unit → our column, whose numbers can be converted."""
WORDS = {text: column.name for column in COLUMNS if column not in WITH_UNIT for text in column.spellings.split()}
"""Short form → our column, of those without a unit to convert."""


def _in_bytes(unit: units.Unit) -> dict[str, int]:
    return {"byte" if word == "bit" else word: power for word, power in unit.dimensions.items()}


BIT_PER_BYTE = 8


def _ratio(unit: units.Unit, ours: units.Unit) -> float:
    return unit.factor / ours.factor / (BIT_PER_BYTE if "bit" in unit.dimensions else 1)


def filled(settings: Sequence[str]) -> dict[str, str]:
    """Our column → its value for every row, from ``column=value`` texts; raises InputError for a column that is none."""
    found = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        target, ratio, problem = _meant(name.strip())
        if not sign or not target or ratio != 1.0 or problem:
            known = ", ".join(column.name for column in COLUMNS)
            todo = problem[2] if problem else f"Columns: {known}."
            raise InputError([Problem("--give", repr(setting[:80]), "column=value, as device=rtx-3060-12gb", todo)])
        found[target] = value.strip()
    return found


def help_text() -> str:
    """What the command says of itself: the answer, and every column."""
    columns = "\n\n".join(f"{column.name}: {column.meaning}." for column in COLUMNS)
    return (
        "Expected tokens per second for each row of a table, with an 80 % interval, the ideal limit, what binds, and a note."
        "\n\nFiles of llama-bench (CSV, JSON, JSONL, Markdown), a model's config.json, GGUF and Epoch's hardware are read as they are."
        f"\n\nColumns, in any order; leave out what is unknown. `memory-wall template predict` writes them as a file.\n\n{columns}"
    )


def described() -> list[dict[str, str]]:
    """Every column, what it holds and what is allowed, for a page."""
    return [{"name": column.name, "meaning": column.meaning, "allowed": column.allowed} for column in COLUMNS]


EXAMPLE = """\
machine,device,model,quant,ctx
office,RTX 4090,Qwen3 8B,Q4_K_M,4096
notebook,M5 Max 128 GB,Qwen3-8B,MLX 4bit,16384
one card,NVIDIA GeForce RTX 5090,llama-3.3-70b,i1-Q4_K_M,
server,H100 SXM,meta-llama/Llama-3.3-70B-Instruct,AWQ,8192
"""
"""The worked example of the page on rerunning."""


def template() -> str:
    """The commented, empty table: what each column holds, one row as an example in a comment, and the header."""
    names = [column.name for column in COLUMNS]
    lines = [
        "Configurations for `memory-wall predict`: one a row. Leave out the columns you do not need; an empty cell is unknown.",
        "Other units of the same kind are converted: memory_capacity_gbyte, Bandwidth (TB/s). Your own columns are kept.",
        "CSV in UTF-8 (commas; or semicolons or tabs with decimal commas), XLSX and Parquet are read; CSV with commas is written.",
        "",
        *(f"{column.name}: {column.meaning}; {column.allowed}" for column in COLUMNS),
        "",
        "An example, its columns named as people name them:",
        *EXAMPLE.splitlines(),
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines) + ",".join(names) + "\n"
