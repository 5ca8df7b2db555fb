"""The calibrated model as numbers: which stack, which memory, which format, and the time of a decode step.

numpy only, so that asking for one speed costs microseconds; the tables come straight from ``data/*.csv``.
``analysis.model.predict`` puts data frames, files and messages around it, ``analysis.model.calibration`` fits what it reads.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.equations import elementary, kv_cache, memory_wall, validation

Number = Any
"""A float, or an array of floats: the model is the same for both."""

STACKS = {
    "cuda": "cuda", "vulkan": "vulkan", "rocm": "rocm", "hip": "rocm", "metal": "metal", "mlx": "metal", "cpu": "cpu",
    "opencl": "opencl", "npu": "npu",
}  # fmt: skip
"""Backend → software stack with parameters of its own."""
BORROWED_STACK = "vulkan"
"""Stack whose parameters stand in for backends without measurements."""
STACK_NAMES = ("cuda", "vulkan", "rocm", "metal", "cpu", "opencl", "npu")
TUNINGS = ("llama.cpp", "ik_llama.cpp", "compiled")
"""What an engine makes of a model: blocks unpacked as they are read, the same with faster code on processors, or one compiled graph."""
ENGINES = dict.fromkeys(
    ("mlx", "core-ai", "executorch", "litert-lm", "onnxruntime", "mediapipe", "genie", "qnn", "qhexrt", "vllm", "tensorrt-llm", "sglang",
     "pytorch", "gpt-fast", "transformers", "mlc-llm"), "compiled",
) | {"llama.cpp": "llama.cpp", "ik_llama.cpp": "ik_llama.cpp"}  # fmt: skip
"""Engine → its tuning; one that is not here is taken for llama.cpp."""
PACKINGS = ("plain", "k-quant", "i-quant", "low", "low-i")
"""Kinds of formats by what unpacking costs: 4 bits and more in plain blocks, K and I mixes, and below 4 bits."""
LOW_BIT = 4.0
GROUPS = (
    "cuda", "metal", "amd-vulkan", "cpu", "low-bit", "experts", "phone-metal", "phone-cpu", "phone-opencl", "phone-npu", "serving",
    "prefill-metal", "prefill-cuda", "prefill-other", "prefill-experts",
)  # fmt: skip
"""Groups of predictions that share an interval."""

REFERENCE_PARAM = 7e9
REFERENCE_GENERATION_YEAR = 2024.0
OLDEST_GENERATION_YEAR, NEWEST_GENERATION_YEAR = 2012.0, 2026.0
"""Generations outside are treated as these: nothing was measured there."""
REFERENCE_BANDWIDTH_BYTE_PER_S = 400e9
CURRENT_SOFTWARE_YEAR = 2025
"""From this year on llama.cpp launches whole graphs on CUDA; before it the overhead was larger."""
CURRENT_METAL_YEAR = 2026
"""From this year on llama.cpp unpacks K mixes on Metal with newer code."""
OLDEST_UNPACKING_YEAR = 2020
"""Older generations unpack like this one: nothing shows that they are slower still."""
FAST_ARITHMETIC_YEAR = 2018
"""From this generation on graphics cards have fast 16-bit arithmetic; older ones reach a smaller share of their bandwidth."""
PHONE_OP_PER_BYTE = 1.4
"""Arithmetic of a phone's processor cores for each byte of its bandwidth: it only fixes the unit in which unpacking is counted."""
THREAD_BYTE_PER_S, THREAD_OP_PER_S = 33e9, 1e11
"""Most that one thread of a computer takes in and computes: one machine, an M2 Max on 3 and 4 threads, so set by hand and not fitted."""
USUAL_THREADS = 8
"""Threads of a computer's processor where nobody says how many."""
FLASH_BY_DEFAULT_YEAR = 2026
"""From this year on a run that does not say is taken to use flash attention."""
FLASH_KV_COST_RATIO = 1.3
"""Cost of a byte of KV cache over one of weights with flash attention: taken from published runs, not fitted."""


class Coefficients(NamedTuple):
    """What the parameters say about one combination of stack, memory, software and format."""

    launch_s_per_layer: Number
    width_s_per_layer: Number
    bandwidth_share: Number
    kv_cost_ratio: Number
    unpacking_bit_per_param: Number
    routing_s_per_layer: Number
    op_per_param: Number
    ageless_s_per_layer: Number
    op_per_bit: Number


class Parts(NamedTuple):
    """A decode step as the printed equation takes it, and its parts in seconds."""

    read_byte: Number
    reached_byte_per_s: Number
    n_layer: Number
    overhead_s_per_layer: Number
    kv_cache_byte: Number
    kv_cost_ratio: Number
    unpacking_time_s: Number
    """On processor cores; reading hides behind it where it takes longer, and is 0 among the parts then."""

    @property
    def step_s(self) -> Number:
        """The whole step."""
        return validation.decode_step_time_s.plain(
            self.read_byte, self.reached_byte_per_s, n_layer=self.n_layer, overhead_s_per_layer=self.overhead_s_per_layer,
            kv_cache_byte=self.kv_cache_byte, kv_cost_ratio=self.kv_cost_ratio, unpacking_time_s=self.unpacking_time_s,
        )  # fmt: skip

    @property
    def overhead_s(self) -> Number:
        """What the layers take whatever is read."""
        return self.n_layer * self.overhead_s_per_layer

    @property
    def weight_s(self) -> Number:
        """Reading the weights."""
        return self.read_byte / self.reached_byte_per_s * self._reads

    @property
    def cache_s(self) -> Number:
        """Reading the KV cache."""
        return self._cache_byte / self.reached_byte_per_s * self._reads

    @property
    def arithmetic_s(self) -> Number:
        """Unpacking on processor cores where it takes longer than reading."""
        return self.unpacking_time_s * (1.0 - self._reads)

    @property
    def _cache_byte(self) -> Number:
        return self.kv_cache_byte * self.kv_cost_ratio

    @property
    def _reads(self) -> Number:
        """1 where reading sets the step, 0 where unpacking does."""
        return 1.0 * (self.unpacking_time_s <= (self.read_byte + self._cache_byte) / self.reached_byte_per_s)


@dataclass(frozen=True)
class Calibration:
    """Fitted parameters by id, and the ends of the intervals by group."""

    parameters: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    own_intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of machines one run of which is known, by group; a group that this does not improve is not here."""

    def coefficients(
        self, stack: str, *, hbm: bool, old_software: bool, flash: bool, packing: str, old_chip: bool = False, tuning: str = TUNINGS[0]
    ) -> Coefficients:  # fmt: skip
        """Look up what the parameters say about one combination."""
        p = self.parameters
        if stack == "cpu":
            factor = {"compiled": 0.0, "ik_llama.cpp": p["cpu-ik"]}.get(tuning, 1.0)
            op = p[CPU_OP[packing]] * factor
            ops = (0.0, op) if packing == "k-quant" else (op, 0.0)
            share = p["cpu-bandwidth-share"]
            return Coefficients(0.0, 0.0, share, FLASH_KV_COST_RATIO, 0.0, 0.0, ops[0], p["cpu-layer"], ops[1])
        if stack in ("opencl", "npu"):
            layer, share = p[f"{stack}-layer"], p[f"{stack}-bandwidth-share"]
            return Coefficients(0.0, 0.0, share, FLASH_KV_COST_RATIO, 0.0, p["routing"], 0.0, layer, 0.0)
        is_old = old_software and stack == "cuda" and tuning != "compiled"
        launch = p["launch-rocm" if stack == "rocm" else "launch"] * (p["old-launch"] if is_old else 1.0)
        kv_cost = FLASH_KV_COST_RATIO if flash or stack == "cuda" else p["kv-cost-without-flash"]
        kv_cost = 1.0 if stack == "cuda" and tuning == "compiled" else kv_cost
        width = p["width-metal"] if stack == "metal" else 0.0
        share = self._share(hbm=hbm and tuning != "compiled", old_software=old_software, old_chip=old_chip)
        unpacking = self._unpacking(stack, packing, old_software=old_software, old_chip=old_chip)
        return Coefficients(launch, width, share, kv_cost, unpacking, p["routing"], 0.0, 0.0, 0.0)

    def _share(self, *, hbm: bool, old_software: bool, old_chip: bool) -> float:
        """The share of the bandwidth a graphics processor reaches; HBM has its own where blocks are unpacked."""
        p = self.parameters
        if hbm:
            return p["bandwidth-share-hbm-old" if old_software else "bandwidth-share-hbm"]
        return p["bandwidth-share"] * (p["old-chip-share"] if old_chip else 1.0)

    def _unpacking(self, stack: str, packing: str, *, old_software: bool, old_chip: bool) -> float:
        """Bits that unpacking costs on a graphics processor: under 4 bits, and of K and I mixes except on newer cards with CUDA."""
        p, low = self.parameters, packing.startswith("low")
        if not low and (packing == "plain" or (stack == "cuda" and not old_chip)):
            return 0.0
        is_new_metal = stack == "metal" and not old_software and not low
        return p["unpacking"] * (p["unpacking-metal-new"] if is_new_metal else 1.0)

    @staticmethod
    def processor(
        *, bandwidth_byte_per_s: Number, n_thread: Number, op_per_s: Number, is_phone: Number
    ) -> dict[str, Number]:
        """What limits processor cores beside the memory: what passes through the threads, and their arithmetic; NaN where unknown."""
        on_phone = np.asarray(is_phone) > 0
        through = np.where(np.isnan(n_thread) | on_phone, np.inf, n_thread * THREAD_BYTE_PER_S)
        assumed = np.where(
            on_phone,
            PHONE_OP_PER_BYTE * bandwidth_byte_per_s,
            np.where(np.isnan(n_thread), USUAL_THREADS, n_thread) * THREAD_OP_PER_S,
        )
        return {"thread_byte_per_s": through, "op_per_s": np.where(on_phone | np.isnan(op_per_s), assumed, op_per_s)}

    @cached_property
    def table(self) -> npt.NDArray[np.float64]:
        """The coefficients of every combination, one row per ``code``."""
        return np.array([self.of(combination) for combination in COMBINATIONS])

    @cached_property
    def aging(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Factors of launches and of unpacking by generation, one a year from the oldest on: looked up, since powers take long."""
        years = np.arange(OLDEST_GENERATION_YEAR, NEWEST_GENERATION_YEAR + 1)
        launch = validation.aging_ratio.plain(self.parameters["launch-decline"], years, REFERENCE_GENERATION_YEAR)
        since = np.maximum(years, OLDEST_UNPACKING_YEAR)
        unpacking = validation.aging_ratio.plain(self.parameters["unpacking-decline"], since, REFERENCE_GENERATION_YEAR)
        return np.asarray(launch), np.asarray(unpacking)

    def of(self, combination: Combination) -> Coefficients:
        """Look up what the parameters say about one of ``COMBINATIONS``."""
        return self.coefficients(**combination._asdict())

    def parts(self, kind: Coefficients, configuration: Mapping[str, Number]) -> Parts:
        """Return the parts of a decode step; every entry of ``configuration`` is a number or an array, in base units.

        May be left out: ``is_expert`` (0 or 1), and what ``processor`` gives.
        """
        launching, unpacks = self.aging
        place = _place(configuration["introduced_year"] - OLDEST_GENERATION_YEAR)
        return step(kind, configuration, launching[place], unpacks[place])


def _place(year: Number) -> Number:
    return year.astype(np.int64) if isinstance(year, np.ndarray) else int(year)


def step(
    kind: Coefficients, configuration: Mapping[str, Number], launch_aging: Number = 1.0, unpacking_aging: Number = 1.0
) -> Parts:
    """A decode step of a kind whose generation makes launches and unpacking so much dearer; the rest as ``Calibration.parts`` has it."""
    bandwidth, n_layer = configuration["bandwidth_byte_per_s"], configuration["n_layer"]
    weight, bit = configuration["weight_byte"], configuration["bit_per_param"]
    unpacking = kind.unpacking_bit_per_param * unpacking_aging
    byte = validation.dequantised_byte.plain(weight, bit, unpacking_bit_per_param=unpacking)
    cache = configuration["kv_cache_byte"]
    useful = validation.useful_bandwidth_byte_per_s.plain(
        bandwidth, read_byte=byte + cache * kind.kv_cost_ratio, width_s=n_layer * kind.width_s_per_layer,
        reference_bandwidth_byte_per_s=REFERENCE_BANDWIDTH_BYTE_PER_S, bandwidth_share=kind.bandwidth_share,
    )  # fmt: skip
    layer = validation.overhead_s_per_layer.plain(
        kind.launch_s_per_layer, launch_aging, width_s_per_layer=kind.width_s_per_layer,
        bandwidth_byte_per_s=useful, reference_bandwidth_byte_per_s=REFERENCE_BANDWIDTH_BYTE_PER_S,
        ageless_s_per_layer=kind.ageless_s_per_layer,
        routing_s_per_layer=kind.routing_s_per_layer * configuration.get("is_expert", 0.0),
    )  # fmt: skip
    reached = validation.reached_byte_per_s.plain(
        bandwidth, kind.bandwidth_share, configuration.get("thread_byte_per_s", np.inf)
    )
    arithmetic = validation.unpacking_time_s.plain(
        weight * 8 / bit, op_per_param=kind.op_per_param + kind.op_per_bit * bit,
        op_per_s=configuration.get("op_per_s", np.inf),
    )  # fmt: skip
    return Parts(byte, reached, n_layer, layer, cache, kind.kv_cost_ratio, arithmetic)


CPU_OP = {"plain": "cpu-plain", "i-quant": "cpu-plain", "k-quant": "cpu-k", "low": "cpu-low", "low-i": "cpu-low-i"}
"""Kind of format → what processor cores compute to unpack a weight of it under llama.cpp."""


class Combination(NamedTuple):
    """What decides the coefficients, in the order of ``codes``."""

    stack: str
    tuning: str
    hbm: bool
    old_software: bool
    old_chip: bool
    flash: bool
    packing: str


BOTH = (False, True)
COMBINATIONS = tuple(Combination(*each) for each in product(STACK_NAMES, TUNINGS, BOTH, BOTH, BOTH, BOTH, PACKINGS))
_CODES = {combination: code for code, combination in enumerate(COMBINATIONS)}


def code(
    stack: str, *, hbm: bool, old_software: bool, flash: bool, packing: str, old_chip: bool = False, tuning: str = TUNINGS[0]
) -> int:  # fmt: skip
    """Row of a combination in ``Calibration.table``."""
    return _CODES[Combination(stack, tuning, hbm, old_software, old_chip, flash, packing)]


def arrays(table: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> Coefficients:
    """Return the coefficients of many configurations as columns."""
    return Coefficients(*table[codes].T)


def group(stack: str, packing: str, *, is_expert: bool = False, is_phone: bool = False) -> str:
    """Which interval applies."""
    if stack in ("opencl", "npu") or (is_phone and stack in ("cpu", "metal")):
        return f"phone-{stack}"
    if stack != "cpu" and is_expert:
        return "experts"
    if stack != "cpu" and packing.startswith("low"):
        return "low-bit"
    return "amd-vulkan" if stack in ("rocm", "vulkan") else stack


def widest(known: Calibration, stack: str, *, is_expert: bool = False, is_phone: bool = False) -> tuple[float, float]:
    """The interval that holds those of all formats on a stack: for a format of which nothing is known."""
    lows, highs = zip(
        *(known.intervals[group(stack, k, is_expert=is_expert, is_phone=is_phone)] for k in PACKINGS), strict=True
    )
    return min(lows), max(highs)


def kind(stack: str, chip: str, folder: Path) -> tuple[str, ...]:
    """What one measurement speaks for: graphics processors of one maker and kind of memory, processors of one generation."""
    generation_id, vendor = family(chip, folder)
    if not generation_id:
        return ()
    if generation(chip, folder).is_phone:
        return (stack, vendor, "phone")
    return (stack, generation_id) if stack == "cpu" else (stack, vendor, f"hbm: {generation(chip, folder).is_hbm}")


# ------------------------------------------------------------------------------------------ reading names


def packing(quantization: str, bit_per_param: float) -> str:
    """Kind of a number format, from its name and its effective bits; a format that is not known is plain."""
    name = quantization.upper().replace("-", "_")
    index = re.search(r"(?<![A-Z0-9])IQ\d", name) is not None
    if bit_per_param < LOW_BIT:
        return "low-i" if index else "low"
    if index:
        return "i-quant"
    return "k-quant" if re.search(r"Q\d_K", name) else "plain"


def clipped_year(year: Number) -> Number:
    """Year of a generation, kept inside the years that were measured; unknown generations count as the reference."""
    return (
        REFERENCE_GENERATION_YEAR
        if year is None or np.isnan(year)
        else min(max(year, OLDEST_GENERATION_YEAR), NEWEST_GENERATION_YEAR)
    )


def is_old_software(year: float, introduced_year: float, stack: str = "cuda") -> bool:
    """Whether a run is older than the software of today; no run is older than its chip."""
    newest = max(year, introduced_year) if introduced_year == introduced_year else year  # noqa: PLR0124 - NaN is not itself
    return bool(newest < (CURRENT_METAL_YEAR if stack == "metal" else CURRENT_SOFTWARE_YEAR))


def is_old_chip(stack: str, introduced_year: float, *, hbm: bool) -> bool:
    """Whether a graphics card is of a generation without fast 16-bit arithmetic; a generation that is not known is newer."""
    return stack in ("cuda", "vulkan", "rocm") and not hbm and introduced_year < FAST_ARITHMETIC_YEAR


MEASURED_ENGINES = {
    "cuda": ("llama.cpp", "pytorch", "vllm", "tensorrt-llm"), "metal": ("llama.cpp", "mlx", "core-ai", "litert-lm"),
    "cpu": ("llama.cpp", "ik_llama.cpp", "executorch", "onnxruntime"), "npu": ("llama.cpp", "genie", "core-ai", "qhexrt"),
    "rocm": ("llama.cpp",), "vulkan": ("llama.cpp",), "opencl": ("llama.cpp",),
}  # fmt: skip
"""Stack → engines whose runs are in its interval; of others the widest interval of the stack is told."""


def usual_engine(stack: str, *, hbm: bool = False, is_phone: bool = False) -> str:
    """The engine that is taken where nobody names one: what people run on such a device."""
    if stack == "npu":
        return "genie"
    if stack == "metal" and is_phone:
        return "mlx"
    return "pytorch" if stack == "cuda" and hbm else "llama.cpp"


def has_flash(given: bool | None, year: float) -> bool:
    """Whether flash attention was on; a run that does not say follows the default of its year."""
    return given if given is not None else not year < FLASH_BY_DEFAULT_YEAR


class Generation(NamedTuple):
    """A generation of chips: when it was introduced, whether its memory is HBM, and whether it is made for phones."""

    introduced_year: float
    is_hbm: bool
    is_phone: bool


class Family(NamedTuple):
    """Which generation a chip belongs to and who makes it; empty where its name matches none."""

    generation_id: str
    vendor: str


UNKNOWN_GENERATION, UNKNOWN_FAMILY = Generation(np.nan, False, False), Family("", "")


@cache
def _generations(folder: Path) -> tuple[tuple[re.Pattern[str], Generation, Family], ...]:
    return tuple(
        (
            re.compile(row["chip_pattern"], re.IGNORECASE),
            Generation(float(row["introduced_year"]), row["memory_class"] == "hbm", row["is_phone"] == "true"),
            Family(row["generation_id"], row["vendor"]),
        )
        for row in rows(folder / "chip_generations.csv")
    )


@cache
def _recognised(chip: str, folder: Path) -> tuple[Generation, Family]:
    known = _generations(folder)
    found = ((generation, family) for pattern, generation, family in known if pattern.search(chip))
    return next(found, (UNKNOWN_GENERATION, UNKNOWN_FAMILY))


def generation(chip: str, folder: Path) -> Generation:
    """Generation of a chip by its name: the first pattern that matches; unknown names get no year and no HBM."""
    return _recognised(chip, folder)[0]


def family(chip: str, folder: Path) -> Family:
    """Family of a chip by its name: the first pattern that matches; unknown names get none."""
    return _recognised(chip, folder)[1]


def rows(path: Path) -> list[dict[str, str]]:
    """Read a table as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def calibration(folder: Path) -> Calibration:
    """Read the calibration as it is filed in ``folder``."""
    return from_rows((row["parameter_id"], float(row["value"])) for row in rows(folder / "calibration.csv"))


def from_rows(pairs: Iterable[tuple[str, float]]) -> Calibration:
    """Make a calibration of parameter ids and values; ids ``interval-<group>-low`` and ``-high`` are ends of intervals."""
    values = dict(pairs)
    ends, own = (
        {
            name: (values[f"{at}-{name}-low"], values[f"{at}-{name}-high"])
            for name in GROUPS
            if f"{at}-{name}-low" in values
        }
        for at in ("interval", "interval-own")
    )
    return Calibration(values, ends, own)


# ------------------------------------------------------------------------------------ mixtures of experts

EXPERT_MATRICES = 3
"""Matrices of a gated feed-forward part: up, gate and down."""


def expert_param(row: Mapping[str, float]) -> float:
    """Parameters of all routed experts of a model of ``models.csv``, in base units; 0 for a dense one.

    From the widths; where some layers are dense the widths give too much: more than there are, or so much that fewer would be
    active than are. Then the active parameters decide.
    """
    if not row["n_expert"] > 0:
        return 0.0
    by_width = EXPERT_MATRICES * row["n_layer"] * row["n_expert"] * row["model_dim"] * row["ffn_dim"]
    total, active, idle_share = row["total_param"], row["active_param"], 1 - row["n_active_expert"] / row["n_expert"]
    too_few = active < total and total - by_width * idle_share < active * (1 - ROUNDED)
    return float(by_width if by_width < total and not too_few else (total - active) / idle_share)


ROUNDED = 0.02
"""Counts are rounded by so much at most; makers may leave an embedding out of the active ones, so more is no sign of anything."""


class Weights(NamedTuple):
    """What a step has to know of a model to say which of its weights it reads; numbers or arrays, ``expert_param`` 0 for dense."""

    total_param: Number
    embedding_param: Number
    expert_param: Number
    n_expert: Number
    n_active_expert: Number


def read_byte(weights: Weights, whole_byte: Number, *, expert_bit: Number = np.nan, batch_size: Number = 1.0) -> Number:
    """Bytes of the weights a step reads: shared ones without the input embedding, and the experts the batch calls.

    ``expert_bit`` is given where the experts have a format of their own; the rest of the file is then shared.
    """
    even = whole_byte * weights.expert_param / weights.total_param
    expert = np.where(np.isnan(expert_bit), even, weights.expert_param * expert_bit / 8)
    shared = (whole_byte - expert) * (1 - weights.embedding_param / (weights.total_param - weights.expert_param))
    count, active = np.fmax(weights.n_expert, 1.0), np.fmax(weights.n_active_expert, 1.0)
    return shared + expert * memory_wall.touched_expert_count(count, active, batch_size=batch_size) / count


# ------------------------------------------------------------------------------------------- one speed


def token_per_s(
    known: Calibration, kind: Coefficients, *, bandwidth_byte_per_s: float, weight_byte: float, n_layer: float,
    bit_per_param: float = LOW_BIT, kv_cache_byte: float = 0.0, introduced_year: float = REFERENCE_GENERATION_YEAR,
) -> float:  # fmt: skip
    """Return the expected tokens per second of one configuration, in a few microseconds."""
    configuration = {
        "bandwidth_byte_per_s": bandwidth_byte_per_s, "weight_byte": weight_byte, "n_layer": n_layer,
        "bit_per_param": bit_per_param, "kv_cache_byte": kv_cache_byte, "introduced_year": introduced_year,
    }  # fmt: skip
    return float(1 / known.parts(kind, configuration).step_s)


def codes(
    *, stack: Number, tuning: Number, hbm: Number, old_software: Number, old_chip: Number, flash: Number, packing: Number
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Return rows of ``Calibration.table`` for arrays: positions in ``STACK_NAMES``, ``TUNINGS`` and ``PACKINGS``, and booleans."""
    index = np.asarray(stack, dtype=np.int64) * len(TUNINGS) + np.asarray(tuning, dtype=np.int64)
    for flag in (hbm, old_software, old_chip, flash):
        index = index * 2 + np.asarray(flag, dtype=np.int64)
    return np.asarray(index * len(PACKINGS) + np.asarray(packing, dtype=np.int64))


def typical_layer(known: Calibration, model_param: Number) -> Number:
    """Layers of a model of which only the size is known."""
    level, growth = known.parameters["layers-at-reference"], known.parameters["layers-growth"]
    return validation.typical_layer(
        model_param, reference_param=REFERENCE_PARAM, reference_layer=level, growth_ratio=growth
    )


ASSUMED_KV_HEAD, ASSUMED_HEAD_DIM, FP16_BYTE = 8.0, 128.0, 2.0
"""Cache of a model of which only the size is known: 8 heads of 128 numbers at 16 bits, as most models of 7 to 70 B have it."""


def typical_kv_byte_per_token(known: Calibration, model_param: Number) -> Number:
    """Bytes that a token adds to the cache of a model of which only the size is known."""
    return kv_cache.kv_cache_byte_per_token(
        n_layer=typical_layer(known, model_param),
        n_kv_head=ASSUMED_KV_HEAD,
        head_dim=ASSUMED_HEAD_DIM,
        kv_element_byte=FP16_BYTE,
    )


# ------------------------------------------------------------------------------------ the largest that still does

SOLVING_STEPS = 60
LEAST_PARAM, MOST_PARAM = 1e6, 1e14


def largest_param(does: Callable[[Number], Number], count: int) -> npt.NDArray[np.float64]:
    """Return the largest model sizes for which ``does(sizes)`` still holds, by halving on a logarithmic scale; 0 where none does.

    ``does`` takes ``count`` sizes and says for each whether it does; what holds for a size holds for all smaller ones.
    """
    low, high = (np.full(count, elementary.log(size)) for size in (LEAST_PARAM, MOST_PARAM))
    any_does = np.asarray(does(np.asarray(elementary.exp(low))))
    for _ in range(SOLVING_STEPS):
        middle = (low + high) / 2
        holds = np.asarray(does(np.asarray(elementary.exp(middle))))
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return np.where(any_does, elementary.exp(low), 0.0)
