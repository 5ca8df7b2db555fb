"""Which layers of a model keep a cache that grows, one of a window, or a state: as a configuration lists them, or by a rule.

A layer that no list and no rule knows leaves the cache of its model open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.model import mixers
from analysis.model.stated import Said

FULL, WINDOW, STATE, BOTH = "full", "window", "state", "both"
DENSE_PART, SPARSE_PART, NOTHING = "dense", "sparse", "nothing"
KINDS = {
    "full_attention": FULL, "attention": FULL, "global": FULL, "global_attention": FULL, "*": FULL, "g": FULL, "false": FULL,
    "deepseek_sparse_attention": FULL,
    "sliding_attention": WINDOW, "sliding_window": WINDOW, "local": WINDOW, "local_attention": WINDOW, "chunked_attention": WINDOW,
    "l": WINDOW, "true": WINDOW,
    "linear_attention": STATE, "lightning_attention": STATE, "gated_deltanet": STATE, "kda": STATE, "mamba": STATE, "mamba2": STATE,
    "conv": STATE, "short_conv": STATE, "recurrent": STATE, "rwkv": STATE, "m": STATE, "hybrid": BOTH,
    "-": DENSE_PART, "mlp": DENSE_PART, "e": SPARSE_PART, "moe": SPARSE_PART, "nothing": NOTHING,
}  # fmt: skip
"""What configurations call a layer → what it keeps: a cache of every token, one of a window, a state, both, or nothing."""
LISTS: dict[str, dict[str, str]] = {
    "layer_types": {}, "layers_block_type": {}, "hybrid_override_pattern": {}, "block_types": {"attention": "local"},
    "_block_types": {"attention": "local"}, "attn_types": {}, "attention_layers": {}, "attention_pattern": {},
    "sliding_window_pattern": {"0": "global", "1": "local"}, "attn_type_list": {"0": "linear_attention", "1": "attention"},
    "hybrid_layer_pattern": {"0": "attention", "1": "local"},
}  # fmt: skip
"""Fields that list a word or a sign for each layer, or for a period of them; and what numbers in them stand for."""
PLACES = {
    "attn_layer_indices": (0, FULL, STATE), "full_attn_idxs": (0, FULL, STATE), "linear_attn_config.full_attn_layers": (1, FULL, STATE),
    "sliding_window_layers": (0, WINDOW, FULL),
}  # fmt: skip
"""Fields that list the places of some layers: the number of the first, what the listed ones keep, what the others do."""
EVERY = {
    "full_attention_interval": STATE, "layer_group_size": STATE, "sliding_window_pattern": WINDOW, "_sliding_window_pattern": WINDOW,
}  # fmt: skip
"""Fields that say how many layers there are for each that sees everything, the last of its group; and what the others keep."""
WINDOW_EVERY = {
    "gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gpt-oss": 2, "gpt_oss": 2, "cohere2": 4, "gemma3n": 5, "gemma3n_text": 5,
    "llama4": 4, "llama4_text": 4,
}  # fmt: skip
"""The same of families whose files leave it out."""
THROUGHOUT = {
    "mamba": STATE,
    "falcon_mamba": STATE,
    "rwkv": STATE,
    "arwkv": STATE,
    "falcon_h1": BOTH,
    "falcon-h1": BOTH,
}
"""How families are called all of whose layers keep a state, alone or beside a cache."""
UNREAD = {
    "longcat_flash": "its layers have two attentions each", "phi4flash": "its layers share one cache with differing windows",
    "hymba": "its layers share caches with differing windows", "deepseek_v4": "its layers keep compressed caches of several sorts",
} | dict.fromkeys(
    ("bert", "roberta", "xlm-roberta", "distilbert", "electra", "deberta", "deberta-v2", "modernbert", "clip", "siglip", "vit"),
    "it is an encoder, which keeps no context",
)  # fmt: skip
"""Families whose cache has a shape of its own, or that have none."""
WINDOWS = (
    "sliding_window", "sliding_window_size", "attention_chunk_size", "local_attention_window", "attention_window_size", "window_size",
)  # fmt: skip


MOST_LAYERS = 10_000
Open = tuple[tuple[str, str], ...]


def kinds_of(said: Said, n_layer: float) -> tuple[list[str], float, Open]:
    """(kind of each layer, window, what is open): as the layers are listed, else by the rule of the family."""
    window = said.number(*WINDOWS)
    kinds, why = _kinds(said, n_layer, window)
    if why:
        return [], window, (("cache", why),)
    if WINDOW in kinds and np.isnan(window):
        return [], window, (("cache", "layers have a window whose width is not stated"),)
    return kinds, window, ()


def _kinds(said: Said, n_layer: float, window: float) -> tuple[list[str], str]:
    """(kind of each layer, why it is open), of a model whose cache can be said."""
    special = next((why for family, why in UNREAD.items() if said.family.removesuffix("_text") == family), "")
    if said.flag("is_encoder_decoder"):
        special = "it is an encoder with a decoder"
    if n_layer > MOST_LAYERS:
        special = f"{n_layer:.3g} layers are more than any model has"
    if special or np.isnan(n_layer):
        return [], special or "the number of layers is not stated"
    name = next((name for name in LISTS if said.items(name)), "")
    if name:
        return _listed([LISTS[name].get(str(one), str(one)) for one in said.items(name)], int(n_layer))
    for field_name, (first, listed, other) in PLACES.items():
        if places := said.items(field_name):
            return [listed if place + first in places else other for place in range(int(n_layer))], ""
    if said.items("block_configs"):
        return _searched(said.items("block_configs"))
    return _by_rule(said, int(n_layer), window)


def _listed(names: Sequence[str], n_layer: int) -> tuple[list[str], str]:
    kinds = [KINDS.get(name.lower(), "") for name in names]
    if "" in kinds:
        return [], f"layers of kind {names[kinds.index('')][:40]!r} are not known"
    if len(kinds) < n_layer:
        kinds = [kinds[place % len(kinds)] for place in range(n_layer)]
    if len(kinds) != n_layer:
        return [], f"{len(names)} layers are listed, {n_layer} stated"
    return kinds, ""


def group(block: Any) -> float:
    """Heads that share keys and values in a layer that a search has chosen; 0 where it has no attention."""
    attention = block.get("attention") if isinstance(block, Mapping) else None
    return float(attention.get("n_heads_in_group") or 0) if isinstance(attention, Mapping) else 0.0


def _searched(blocks: Sequence[Any]) -> tuple[list[str], str]:
    """Layers that a search has chosen one by one: an attention, or none, or a matrix in its place."""
    groups = [group(block) for block in blocks]
    if len(set(filter(None, groups))) != 1:
        return [], "its layers have groups of several sizes"
    return [FULL if group else NOTHING for group in groups], ""


def _by_rule(said: Said, n_layer: int, window: float) -> tuple[list[str], str]:
    """By a period the file states, or that of its family; a window nobody limits is that of every layer."""
    period, offset = said.number("attn_layer_period"), said.count("attn_layer_offset")
    if period > 0:
        return [FULL if place % period == offset else STATE for place in range(n_layer)], ""
    throughout = next((kind for start, kind in THROUGHOUT.items() if said.family.startswith(start)), "")
    if throughout:
        return [throughout] * n_layer, ""
    for name, other in EVERY.items():
        if said.number(name) > 1 and not (other == WINDOW and np.isnan(window)):
            return _every(n_layer, int(said.number(name)), other), ""
    if mixers.has_some(said):
        return [], "which of its layers keep a cache is not stated"
    if any(said.items(name) for name in WINDOWS):
        return [], "its windows differ from layer to layer"
    return _windowed(said, n_layer, window), ""


def _windowed(said: Said, n_layer: int, window: float) -> list[str]:
    """Layers that all see everything, or some of which, or all, have a window."""
    if np.isnan(window) or said.flag("use_sliding_window") is False:
        return [FULL] * n_layer
    if said.family in WINDOW_EVERY:
        return _every(n_layer, WINDOW_EVERY[said.family], WINDOW)
    first = said.number("max_window_layers")
    if said.flag("use_sliding_window") and first > 0:
        return [FULL if place < first else WINDOW for place in range(n_layer)]
    return [WINDOW] * n_layer


def _every(n_layer: int, period: int, other: str) -> list[str]:
    """Every so many layers one that sees everything, the last of each group."""
    return [FULL if (place + 1) % period == 0 else other for place in range(n_layer)]


def own(said: Said, kinds: Sequence[str]) -> Sequence[str]:
    """The layers that keep a cache of their own: not the last ones that share, nor those between of a group that does."""
    if said.flag("use_cla") and said.count("cla_share_factor") > 1:
        return kinds[:: int(said.count("cla_share_factor"))]
    return kinds[: max(0, len(kinds) - int(said.count("num_kv_shared_layers")))]
