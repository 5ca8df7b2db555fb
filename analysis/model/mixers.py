"""What stands in the place of attention in some layers, and what it keeps of a sequence instead of a cache.

Linear attention, state spaces, gated recurrences and short convolutions: which of them a layer is follows from the fields that a
configuration has.  A state is some numbers, as many at every context, and the last few inputs of a convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.equations import kv_cache
from analysis.model.stated import Said, either

STATE_ELEMENT_BYTE = 4.0
"""Bytes of a number of a state: llama.cpp keeps states in FP32, and configurations that say a type for it say the same."""


@dataclass(frozen=True)
class Mixer:
    """One layer without a cache that grows; NaN where its configuration leaves something out.

    row       of its recurrent state, all heads together; 0 without one
    column    of the same
    channel   channels that its convolution runs over
    position  of the past that the convolution keeps
    param     parameters; NaN where they do not follow
    """

    row: float
    column: float
    channel: float
    position: float
    param: float

    @property
    def state_byte(self) -> float:
        """Bytes that it keeps of one sequence, at every context the same."""
        state = (
            kv_cache.linear_attention_state_byte(
                n_layer=1, n_head=1, key_dim=self.column, value_dim=self.row, state_element_byte=STATE_ELEMENT_BYTE
            )
            if self.row
            else 0.0
        )
        convolved = (
            kv_cache.convolution_state_byte(
                n_layer=1, n_channel=self.channel, n_position=self.position, state_element_byte=STATE_ELEMENT_BYTE
            )
            if self.channel
            else 0.0
        )
        return float(state + convolved)


def mixer(said: Said, model_dim: float, n_head: float, head_dim: float) -> Mixer | None:
    """What the layers without a growing cache are; None where the configuration does not say it.

    Source: the layers as the libraries transformers and llama.cpp build them.
    """
    found = (kind(said, model_dim, n_head, head_dim) for kind in KINDS)
    return next((one for one in found if one is not None and np.isfinite(one.state_byte)), None)


def _delta(said: Said, dim: float, _head: float, _width: float) -> Mixer:
    """A gated delta rule: Qwen3-Next, Qwen3.5, OLMo hybrid."""
    key = said.number("linear_num_key_heads") * said.number("linear_key_head_dim")
    heads, kernel = said.number("linear_num_value_heads"), said.number("linear_conv_kernel_dim")
    value = heads * said.number("linear_value_head_dim")
    convolved = 2 * key + value
    param = dim * (2 * key + 2 * value + 2 * heads) + kernel * convolved + value * dim
    return Mixer(value, said.number("linear_key_head_dim"), convolved, kernel - 1, param)


def _kimi_delta(said: Said, dim: float, n_head: float, _width: float) -> Mixer:
    """Kimi's delta attention: a gate for each channel, of two narrow matrices; so is the one on the way out."""
    width = said.number("linear_attn_config.head_dim", "kda_head_dim")
    heads = either(said.number("linear_attn_config.num_heads"), n_head)
    kernel = said.number("linear_attn_config.short_conv_kernel_size", "conv_kernel")
    inner = heads * width
    param = dim * (4 * inner + heads + 2 * width) + 2 * width * inner + 3 * kernel * inner + inner + heads
    return Mixer(inner, width, 3 * inner, kernel - 1, param)


INNER_STATE = ("ssm_state_size", "mamba_d_state", "state_size")
KERNEL = ("conv_kernel", "mamba_d_conv")
GROUPS = ("n_groups", "mamba_n_groups", "mamba_ngroups")
HEADS = ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads")
EXPAND = ("expand", "mamba_expand")


def _grouped_space(said: Said, dim: float, _head: float, _width: float) -> Mixer:
    """A state space with heads in groups (Mamba 2), and the same of a GGUF file, whose delta rule is counted alike."""
    heads = said.number(*HEADS)
    width = said.number("mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim")
    wide = either(said.number("ssm_inner_size", "mamba_d_ssm"), heads * width)
    inner = either(wide, said.number(*EXPAND) * dim)
    state, kernel = said.number(*INNER_STATE), said.number(*KERNEL)
    convolved = inner + 2 * said.number(*GROUPS) * state
    param = dim * (inner + convolved + heads) + (kernel + 1) * convolved + 3 * heads + inner + inner * dim
    return Mixer(inner, state, convolved, kernel - 1, param)


def _selective_space(said: Said, dim: float, _head: float, _width: float) -> Mixer:
    """A state space with a step for each channel (Mamba)."""
    inner = either(said.number("ssm_inner_size"), said.number(*EXPAND) * dim)
    state, kernel = said.number(*INNER_STATE), said.number(*KERNEL)
    rank = said.number("time_step_rank", "mamba_dt_rank")
    ways = dim * 2 * inner + inner * (rank + 2 * state) + rank * inner + inner * dim
    return Mixer(inner, state, inner, kernel - 1, ways + (kernel + 1) * inner + inner * state + 2 * inner)


def _short_convolution(said: Said, dim: float, _head: float, _width: float) -> Mixer:
    """A gated convolution over a few tokens, alone: LFM2."""
    kernel, channel = said.number("conv_L_cache"), either(said.number("conv_dim"), dim)
    return Mixer(0.0, 0.0, channel, kernel - 1, 4 * dim * channel + kernel * channel)


def _gated_recurrence(said: Said, dim: float, n_head: float, _width: float) -> Mixer:
    """A gated linear recurrence behind a convolution: RecurrentGemma."""
    width, kernel = said.number("lru_width"), said.number("conv1d_width")
    gates = 2 * (width * width / n_head + width) + width
    return Mixer(width, 1.0, width, kernel - 1, 3 * dim * width + (kernel + 1) * width + gates)


TOKEN_SHIFT = 2.0
"""Inputs that a layer of RWKV keeps of the token before: one for each of its two parts."""


def _weighted_keys(said: Said, dim: float, _head: float, _width: float) -> Mixer | None:
    """RWKV from its fifth version on: a matrix for each head; before, three numbers for each channel."""
    if not said.family.startswith(("rwkv", "arwkv")):
        return None
    width = said.number("wkv_head_size", "head_size", "head_dim")
    row, column = (dim, width) if width > 0 else (either(said.number("attention_hidden_size"), dim), 3.0)
    return Mixer(row, column, dim, either(said.number("token_shift_count"), TOKEN_SHIFT), float("nan"))


def _lightning(said: Said, dim: float, n_head: float, head_dim: float) -> Mixer | None:
    """Linear attention with a decay for each head and a gate on the way out: MiniMax, Ling and Ring."""
    if not said.family.lower().startswith(("minimax", "bailing")):
        return None
    inner = n_head * head_dim
    return Mixer(inner, head_dim, 0.0, 0.0, 5 * dim * inner + inner)


KINDS: tuple[Callable[[Said, float, float, float], Mixer | None], ...] = (
    _delta, _kimi_delta, _weighted_keys, _grouped_space, _selective_space, _short_convolution, _gated_recurrence, _lightning,
)  # fmt: skip
"""The kinds, the more particular first."""
MARKS = ("mamba_", "ssm_", "linear_attn", "linear_num", "lru_", "wkv_", "kda_", "conv_L")
"""How fields begin that only models have some of whose layers keep a state."""


def has_some(said: Said) -> bool:
    """Whether a configuration has fields of layers that keep a state."""
    return any(key.startswith(MARKS) and value for key, value in said.config.items())
