"""Reading a prompt: what it takes until the first token.  numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.equations import memory_wall
from analysis.model import peaks

Number = Any
KINDS = (
    "matrix", "matrix-before-2025", "matrix-hbm", "matrix-compiled", "matrix-vulkan", "shader-cuda", "shader-metal", "shader-rocm",
    "shader-vulkan",
)  # fmt: skip
"""Units that compute, by software: each reaches a share of its peak of its own."""
GROUPS = {
    "shader-metal": "prefill-metal", "matrix": "prefill-cuda", "matrix-before-2025": "prefill-cuda", "matrix-hbm": "prefill-cuda",
    "matrix-compiled": "prefill-cuda",
}  # fmt: skip
METAL = KINDS.index("shader-metal")
OTHER_GROUP = "prefill-other"
"""The interval of all others: old cards, ROCm and Vulkan."""
EXPERT_GROUP = "prefill-experts"
"""What mixtures of experts were measured to keep to on all of them: shares of the peak were fitted to dense models alone."""
INTERVALS = (*(GROUPS.get(name, OTHER_GROUP) for name in KINDS), OTHER_GROUP)
"""The interval of each of ``KINDS``, and that of what was never measured."""
PARAM_PER_WIDTH = 12
"""Parameters of a layer over the square of its width, in a plain transformer: the width follows from size and layers."""
PASS_TOKEN = 512
"""Tokens that llama.cpp reads in one pass: longer prompts read the weights again."""


def kind(
    stack: str, *, vendor: str, has_matrix: bool, hbm: bool = False, old_software: bool = False, compiled: bool = False
) -> str:  # fmt: skip
    """Which share of the peak a chip reaches; empty where none was fitted: processor cores, phones under OpenCL, neural processors."""
    if stack not in ("cuda", "vulkan", "rocm", "metal"):
        return ""
    if vendor not in ("NVIDIA", "Apple") or not has_matrix:
        return f"shader-{stack}"
    if stack == "vulkan":
        return "matrix-vulkan"
    if compiled:
        return "matrix-compiled"
    return "matrix-hbm" if hbm else "matrix-before-2025" if old_software and stack == "cuda" else "matrix"


def peak_flop_per_s(peak: peaks.Peak, vendor: str, n_gpu_core: float = np.nan) -> tuple[float, bool]:
    """The peak that prompts are held against, and whether it is of matrix units; of shaders by the cores that are on."""
    if vendor in ("NVIDIA", "Apple") and not np.isnan(peak.quick_flop_per_s):
        return peak.quick_flop_per_s, True
    share = n_gpu_core / peak.n_gpu_core if np.isfinite(n_gpu_core) and np.isfinite(peak.n_gpu_core) else 1.0
    return peak.shader_flop_per_s * share, False


WHOLE, WHOLE_LEAST_BIT = "whole", 15.0
"""Files of 16-bit weights measure a little less, where a few tensors are smaller."""


def unpacked_as(packing: str, bit: float) -> str:
    """What the products of a prompt wait for: one measured prompt speaks for others of the same kind of format, or of 16 bits."""
    return WHOLE if bit >= WHOLE_LEAST_BIT else packing


def metal_factor(is_whole: Number, is_slow: Number, parameters: Mapping[str, float]) -> Number:
    """Factor on the share reached under Metal: weights in 16 bits need no unpacking, K and I mixes needed more before 2026."""
    whole = np.where(is_whole, parameters["prefill-whole-metal"], 1.0)
    return whole * np.where(is_slow, parameters["prefill-unpacking-metal"], 1.0)


def time_s(
    *, param: Number, prompt_token: Number, n_layer: Number, flop_per_s: Number, pass_s: Number, context_token: Number = 0.0,
    batch_size: Number = 1.0, passes_token: Number = PASS_TOKEN,
) -> Number:  # fmt: skip
    """Time until the prompts are read: products with attention at the rate reached, and a pass over the weights for every part.

    flop_per_s    operations per second that are reached
    pass_s        what a pass takes beside its products: a decode step without cache that reads every expert which its tokens call
    passes_token  tokens in a part, of all prompts together; infinite where products hide the reading of the weights
    """
    width = np.sqrt(param / (PARAM_PER_WIDTH * n_layer))
    attention = memory_wall.attention_flop_per_token.plain(
        n_layer=n_layer, n_head=1.0, head_dim=width, context_token=context_token + prompt_token / 2
    )
    token = prompt_token * batch_size
    products = token * (2 * param + attention) / flop_per_s
    parts = np.ceil(token / passes_token)
    return np.where(np.isinf(passes_token), np.maximum(products, pass_s), products + parts * pass_s)
