"""Names as people write them: number formats, models, backends and engines, each understood here or said to be unknown.

Nothing is guessed from digits: the bits of a format are filed, or stated as bits per weight, or missing.
``devices`` understands devices and chips.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.model import expected, wording

# ---------------------------------------------------------------------------------------------- number formats


class Format(NamedTuple):
    """What a name says of a number format; empty where it says nothing.

    packing  its kind by what unpacking costs at 4 bits and more; fewer bits cost more
    """

    format_id: str = ""
    bit_per_param: float = np.nan
    packing: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the name says anything that counts."""
        return bool(self.packing)


UNKNOWN = Format()
SIZES = {"small": "s", "medium": "m", "large": "l"}
NOT_A_PART = r"(?!-(?:xxs|xs|s|m|l|xl|xxl|g\d+|mix)(?![a-z0-9]))"
"""Another size or group after a name makes it another format: Q4_K_L is not Q4_K."""
PER_WEIGHT = re.compile(
    r"(?<![\d.,])(?<!\d_)(\d{1,2}(?:[.,]\d+)?)[\s_-]*(?:bpw|bits?(?:/|[\s_-]*per[\s_-]*)(?:weight|param))"
)
WHOLE = re.compile(r"(?<![\d.])(\d{1,2})[-_ ]?bits?(?![a-z])|(?<![a-z0-9])(?:int|w)(\d)(?!\d)")
FEWEST_BIT, MOST_BIT = 0.5, 64.0
"""What ``number_formats.csv`` takes."""
FAMILY = re.compile(r"(?<![a-z0-9])(?:q\d-?k(?![a-z0-9])|iq\d-?(?:xxs|xs|s|m|nl)(?![a-z0-9])|q\d-[01](?![a-z0-9]))")
"""Plain, K and I blocks of any size: what unpacking costs is known, even where the bits are not filed."""


def plain(name: str) -> str:
    """A name in lower case, its words joined by hyphens; sizes in one letter: ``Q4_K - Medium`` → ``q4-k-m``."""
    return _sized(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"))


def _sized(text: str) -> str:
    return re.sub(r"(?<=k-)(small|medium|large)(?![a-z0-9])", lambda found: SIZES[found[1]], text)


@cache
def number_format(name: str, folder: Path) -> Format:
    """What the name of a number format says: the longest filed name in it, or bits per weight it states, or nothing.

    Two formats in one name, and whole bits that are not those of the format, say nothing certain.
    """
    text, stated = plain(name), PER_WEIGHT.search(name.lower())
    format_id = _filed(text, folder)
    bit = _bits(folder).get(format_id, np.nan)
    whole = {int(one or other) for one, other in WHOLE.findall(name.lower())}
    if format_id and whole - {int(bit)}:
        return UNKNOWN
    if stated and FEWEST_BIT <= (per_weight := float(stated[1].replace(",", "."))) <= MOST_BIT:
        bit = per_weight
    if np.isnan(bit) and not FAMILY.search(text):
        return UNKNOWN
    return Format(format_id, bit, expected.packing(format_id or text, expected.LOW_BIT))


@cache
def _bits(folder: Path) -> dict[str, float]:
    rows = expected.rows(folder / "number_formats.csv")
    return {row["format_id"]: float(row["effective_bit_per_param"]) for row in rows}


def formats(folder: Path) -> list[str]:
    """The ids of all number formats."""
    return list(_bits(folder))


@cache
def _spellings(folder: Path) -> dict[str, str]:
    """Every filed spelling, as ``plain`` writes it → id of its format; ids go before names."""
    rows = expected.rows(folder / "number_formats.csv")
    ids = {row["format_id"]: row["format_id"] for row in rows}
    others = {
        plain(text): row["format_id"] for row in rows for text in (row["name"], *row.get("spellings", "").split())
    }
    return others | ids


@cache
def _patterns(folder: Path) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_loose(text)), format_id) for text, format_id in _spellings(folder).items())


def _loose(spelling: str) -> str:
    """A pattern of a spelling as words of a longer name; hyphens may come or go, but not between digits."""
    parts = re.findall(r"[a-z]+|\d+|-", spelling)
    pattern = "".join("-" if part == "-" else f"{part}-?" for part in parts).replace("-?-", "-?").removesuffix("-?")
    pattern = re.sub(r"(?<=\d)-\?(?=\d)", "-", pattern)
    return rf"(?<![a-z0-9]){pattern}(?![a-z0-9]){NOT_A_PART}"


def _filed(text: str, folder: Path) -> str:
    """Id of the one format a plain name speaks of: the name itself, else what is found in it; empty for none or several."""
    if text in _spellings(folder):
        return _spellings(folder)[text]
    found = {format_id for _, format_id in _found(text, folder)}
    return found.pop() if len(found) == 1 else ""


def _found(text: str, folder: Path) -> Iterator[tuple[tuple[int, int], str]]:
    """The places of formats in a plain name, the longest first; none lies in another."""
    hits = [(hit.span(), format_id) for pattern, format_id in _patterns(folder) for hit in pattern.finditer(text)]
    taken: list[tuple[int, int]] = []
    for (start, end), format_id in sorted(hits, key=lambda hit: (hit[0][0] - hit[0][1], hit[0][0])):
        if all(end <= other or start >= stop for other, stop in taken):
            taken.append((start, end))
            yield (start, end), format_id


# ------------------------------------------------------------------------------------------------------ models

BESIDE = {
    "instruct", "it", "chat", "base", "hf", "gguf", "meta", "ud", "i1", "imatrix", "mlx", "exl2", "qat", "thinking", "2507", "pt", "bnb",
    "awq", "gptq", "fp8", "latest",
}  # fmt: skip
"""Words that people put beside the name of a model, and that leave its shape as it is."""
EDITIONS = {"2507"}
"""Of these, those that may have a row of their own, as a later edition has a longer context: that row goes before the plain one."""


@cache
def model_id(name: str, folder: Path) -> str:
    """Id of the model that a name means: an id, a name, a name on a hub or of a file; empty where none is filed."""
    known = _models(folder)
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    tries = (name, _joined(name), _joined(last), _alone(last, folder, BESIDE - EDITIONS), _alone(last, folder, BESIDE))
    return next((known[key] for key in tries if key in known), "")


def models_meant(name: str, folder: Path) -> list[str]:
    """Ids of the models that have all words of a name."""
    texts = [wording.entry(row["model_id"], (row["name"],)) for row in expected.rows(folder / "models.csv")]
    return wording.meant(name.removesuffix(".gguf"), texts)


def model_todo(name: str, folder: Path) -> str:
    """What to do about a name that means no model, or several: those that have all its words, else those like it."""
    known = {row["model_id"]: row["name"] for row in expected.rows(folder / "models.csv")}
    return wording.proposed(name, models_meant(name, folder), known)


@cache
def _models(folder: Path) -> dict[str, str]:
    models = expected.rows(folder / "models.csv")
    filed = {row["model_id"] for row in models}
    measured = [row for row in expected.rows(folder / "measured_models.csv") if row["model_id"] in filed]
    known = {_joined(row["model"]): row["model_id"] for row in measured}
    known |= {
        _alone(row["hf_id"].rpartition("/")[2], folder, BESIDE - EDITIONS): row["model_id"]
        for row in models
        if row.get("hf_id")
    }
    known |= {_joined(row["name"]): row["model_id"] for row in models}
    known |= {_joined(row["model_id"]): row["model_id"] for row in models}
    return known | {row["model_id"]: row["model_id"] for row in models}


def _joined(name: str) -> str:
    """A name without case, separators and what stands in brackets; the points of its numbers stay."""
    return re.sub(r"\(.*?\)|[^a-z0-9.]+", "", name.lower())


def _alone(name: str, folder: Path, beside: Set[str]) -> str:
    """The same of a name from which its format and the words beside it are taken."""
    text = _sized(re.sub(r"[^a-z0-9.]+", "-", PART_OF.sub("", name.lower().removesuffix(".gguf"))))
    for (start, end), _ in sorted(_found(text.replace(".", "-"), folder), reverse=True):
        text = text[:start] + text[end:]
    rest = [word for word in re.split(r"-+|\.(?!\d)|\.$", text) if word and word not in beside]
    if rest[1:] and rest[1].startswith(rest[0]):  # the maker once more: Qwen_Qwen3-8B
        rest = rest[1:]
    return "".join(rest).strip(".")


PART_OF = re.compile(r"-\d{5}-of-\d{5}$")
"""How files that hold a part of a model end."""


# ---------------------------------------------------------------------------------------------------- backends


class Backend(NamedTuple):
    """The software stack a backend stands for, whether anything was measured on it, and whether a processor takes a part."""

    stack: str
    is_measured: bool
    is_split: bool


NO_BACKEND = Backend(expected.BORROWED_STACK, True, False)
"""In place of a name that is empty: its rows get no speed."""
STACKS = expected.STACKS | {
    "mtl": "metal", "mps": "metal", "cublas": "cuda", "hipblas": "rocm", "blas": "cpu", "openblas": "cpu", "accelerate": "cpu",
    "avx": "cpu", "neon": "cpu",
}  # fmt: skip
"""Word → software stack with parameters of its own."""
BORROWING = (
    "sycl", "oneapi", "gpu", "webgpu", "cann", "musa", "kompute", "directml", "dml", "openvino", "qnn", "hexagon",
    "htp", "coreml", "ane", "unstated",
)  # fmt: skip
"""Backends nothing was fitted to: the parameters of another stack stand in."""
BACKENDS = (*expected.STACKS, "mtl", "sycl", "gpu", "openvino", "webgpu", "directml")
"""What a message proposes."""
COMPANIONS = {
    "v",
    "rpc",
    "radv",
    "amdvlk",
    "backend",
    "llama",
    "cpp",
    "ggml",
    "ollama",
    "exllama",
    "lm",
    "gpu",
    "nvidia",
    "amd",
    "apple",
}
"""Words that may stand beside a backend and are none."""


@cache
def backend(name: str) -> Backend | None:
    """The backend a name means, its versions left out: ``BLAS,MTL`` and ``cuda12`` too; None where it means none.

    A graphics processor goes before the processor that helps it.
    """
    words = re.findall(r"[a-z]+", name.lower())
    known = [word for word in words if word in STACKS or word in BORROWING]
    if not known or not set(words) <= {*known, *COMPANIONS}:
        return None
    cores = [word for word in known if STACKS.get(word) == "cpu"]
    others = [word for word in known if word not in cores and word not in COMPANIONS] or [
        word for word in known if word not in cores
    ]
    first = (others or cores)[0]
    return Backend(STACKS.get(first, expected.BORROWED_STACK), first in STACKS, bool(others) and "cpu" in cores)


# ----------------------------------------------------------------------------------------------------- engines

REFERENCE_ENGINE = "llama.cpp"
"""What nearly all runs that the model is fitted to were made with."""
AROUND = dict.fromkeys(
    ("ollama", "lmstudio", "llamafile", "koboldcpp", "jan", "gpt4all", "llamabench", "llamaserver", "llamacli", "llamacpppython",
     "localai", "ggml", "yzma"), REFERENCE_ENGINE,
) | {
    "exllama": "exllamav2", "trtllm": "tensorrt-llm", "litert": "litert-lm", "mlxlm": "mlx", "hftransformers": "transformers",
    "onnx": "onnxruntime", "torch": "pytorch", "ikllama": "ik_llama.cpp", "coreml": "core-ai",
}  # fmt: skip
"""Programs around an engine, and other names of engines → the engine that does the work."""


@cache
def engine(name: str, folder: Path) -> str:
    """The engine a name means, empty where none is filed; its version left out: ``llama.cpp b4567``, ``LM Studio 0.3`` and ``vLLM`` too."""
    known = {_letters(one): one for one in _engines(folder)} | AROUND
    parts = re.findall(r"[a-z][a-z.+-]*(?:v\d(?![\d.]))?", name.lower())
    tries = [_letters(" ".join(parts[:size])) for size in range(len(parts), 0, -1)]
    return next((known[one] for one in (_letters(name), *tries) if one in known), "")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


@cache
def _engines(folder: Path) -> frozenset[str]:
    filed = {row["engine"] for row in expected.rows(folder / "measurements_decode.csv")} | set(expected.ENGINES)
    return frozenset(filed - {"", "other"})
