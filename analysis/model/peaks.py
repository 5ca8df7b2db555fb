"""What chips compute per second at most, by their names: one resolver, which never takes one chip for its namesake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.model import expected

NAN = float("nan")
TERA = 1e12


class Peak(NamedTuple):
    """Dense peaks of a chip in operations per second; NaN where none is filed.

    matrix_flop_per_s  matrix units with 16-bit inputs and 32-bit sums
    quick_flop_per_s   the same with 16-bit sums
    shader_flop_per_s  shaders, 16 bits
    cpu_op_per_s       processor cores, 32 bits
    n_gpu_core         graphics cores the shaders are of
    """

    matrix_flop_per_s: float = NAN
    shader_flop_per_s: float = NAN
    cpu_op_per_s: float = NAN
    quick_flop_per_s: float = NAN
    n_gpu_core: float = NAN

    @property
    def fastest_flop_per_s(self) -> float:
        """The peak of its graphics processor: of the matrix units where it has any."""
        return self.shader_flop_per_s if np.isnan(self.matrix_flop_per_s) else self.matrix_flop_per_s


UNKNOWN = Peak()
SAID_BESIDE = {
    "nvidia", "geforce", "amd", "radeon", "apple", "intel", "qualcomm", "mediatek", "samsung", "google", "gpu", "graphics", "chip", "soc",
    "the", "for", "galaxy", "bionic", "generation", "desktop", "dgx", "spark", "rtx", "gtx", "rx", "tesla", "hbm", "hbm2", "hbm2e", "hbm3",
    "hbm3e", "sxm", "sxm2", "sxm3", "sxm4", "sxm5", "sxm6", "oam", "core", "tensor", "card", "edition", "r", "tm", "per", "instinct",
}  # fmt: skip
"""Words beside the name of a chip that make no other chip of it."""
SOLD_AS = re.compile(
    r"\b(?:macbook (?:air|pro|neo)(?: \d\d)?|mac (?:mini|studio|pro)|ipad (?:pro|air|mini)|iphone \w+(?: pro)?(?: max| plus)?"
    r"|\d(?:st|nd|rd|th) gen(?:eration)?|(?:ga|ad|gb|gh|tu|gp|gv)\d{3}\w?)\b"
)
"""What a chip is sold in, and the code of its die: neither tells one chip from another."""
TELLING = re.compile(r"\d{3,}|ti|super|laptop|max|max\+|pro|ultra|ada|xt|xtx|gre|d|q|pcie|x|plus|elite|gen|\d+c|xl")
"""Words that make another chip of the name before them."""
SAME = {"mobile": "laptop", "notebook": "laptop"}
JOINED = re.compile(r"\b(rtx|gtx|rx)(?=\d)|(?<=\d)(?=(?:ti|super|xtx|xt)\b)")
SIZE = re.compile(r"\b(?:\d+-)?\d+ ?(?:gi?b|g)\b|\b(?:lp)?ddr\d\w*(?:[- ]\d+)?")
CORES = re.compile(r"\b(\d+)[ -]?cores?\b|\b(\d+)c\b")
OF_GRAPHICS = re.compile(r"\b(\d+)[ -]?cores? gpu\b")
"""Where a name counts both, the cores of the graphics processor tell two chips apart, and those of the processor do not."""
TAKEN_APART = re.compile(r"[^a-z0-9+]+")


@cache
def key(name: str) -> frozenset[str]:
    """The words of a name that tell its chip from all others: numbers, Ti, SUPER, Laptop, Ada, Max, PCIe, cores."""
    text = SIZE.sub(" ", JOINED.sub(lambda found: f"{found[1] or ''} ", name.lower().replace("_", " ")))
    bare = SOLD_AS.sub(" ", text)
    text = bare if re.search(r"[a-z]\d|\d{3}", bare) else text
    counted = OF_GRAPHICS.search(text)
    text = CORES.sub(lambda found: "" if counted else f" {found[1] or found[2]}c ", text)
    text = f"{text} {counted[1]}c".replace(" cpu", " ") if counted else text
    words = (word for word in TAKEN_APART.split(text.replace("tensor g", "tensorg")) if word)
    return frozenset(SAME.get(word, word) for word in words if word not in SAID_BESIDE)


@cache
def _known(folder: Path) -> dict[frozenset[str], Peak]:
    """Peaks by the words of the names; accelerators go before chip_peaks."""
    found: dict[frozenset[str], Peak] = {}
    for row in expected.rows(folder / "accelerators.csv"):
        if row["peak_bf16_dense_tflop_per_s"]:
            dense = _flop(row["peak_bf16_dense_tflop_per_s"])
            found.setdefault(key(row["name"]), Peak(matrix_flop_per_s=dense, quick_flop_per_s=dense))
    for row in expected.rows(folder / "chip_peaks.csv"):
        shader = float(np.fmax(_flop(row["shader_fp16_tflop_per_s"]), _flop(row["shader_fp32_tflop_per_s"])))
        matrix, cores = (_flop(row[name]) for name in ("matrix_fp16_acc32_tflop_per_s", "cpu_fp32_tflop_per_s"))
        if row["kind"] == "cpu" and np.isnan(cores):
            cores, shader = _flop(row["shader_fp32_tflop_per_s"]), NAN
        count = float(row["n_gpu_core"] or "nan")
        found.setdefault(
            key(row["chip"]), Peak(matrix, shader, cores, _flop(row["matrix_fp16_acc16_tflop_per_s"]), count)
        )
    return found


def _flop(cell: str) -> float:
    return float(cell) * TERA if cell else NAN


@cache
def peak(name: str, folder: Path) -> Peak:
    """Peaks of the chip that a name means; those of none, where no filed name has the words that tell it from others."""
    known, words = _known(folder), key(name)
    if not words or words in known:
        return known.get(words, UNKNOWN)
    inside = [other for other in known if other < words and not any(map(TELLING.fullmatch, words - other))]
    bins = [other for other in known if words < other and all(map(CORE_COUNT.fullmatch, other - words))]
    found = {known[other] for other in (inside or bins)}
    is_plain = OF_GRAPHICS.search(name.lower()) or re.search(r"\d+c\b", name.lower())
    return found.pop() if len(found) == 1 else _of_cores(words, known) if is_plain else UNKNOWN


CORE_COUNT = re.compile(r"\d+c")


def _of_cores(words: frozenset[str], known: Mapping[frozenset[str], Peak]) -> Peak:
    """Peaks of a chip of which one with another number of graphics cores is filed: by the cores, which run at one clock.

    Only where a name says that they are of the graphics processor: 16 cores alone may be those of the processor.
    """
    counts = {word for word in words if CORE_COUNT.fullmatch(word)}
    if len(counts) != 1:
        return UNKNOWN
    alike = [peak for other, peak in known.items() if _without_cores(other) == words - counts and peak.n_gpu_core > 0]
    if not alike:
        return UNKNOWN
    count = float(counts.pop().removesuffix("c"))
    first = alike[0]
    matrix, shader, quick = (
        flop * count / first.n_gpu_core
        for flop in (first.matrix_flop_per_s, first.shader_flop_per_s, first.quick_flop_per_s)
    )
    return first._replace(matrix_flop_per_s=matrix, shader_flop_per_s=shader, quick_flop_per_s=quick, n_gpu_core=count)


def _without_cores(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if not CORE_COUNT.fullmatch(word))
