"""The shape of a language model from its configuration: what a token costs in weights and in cache, as far as the file says it.

Hugging Face's ``config.json`` and the metadata of a GGUF file say the same under other names; both are read here.  What is
left open stays missing, and ``open`` says what and why: nothing is filled in from what models usually have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.model import shapes
from analysis.model.expected import EXPERT_MATRICES, FP16_BYTE

Config = Mapping[str, Any]

GQA_FULL, GQA_WINDOW, NO_CACHE = "full", "window", "none"
KINDS = {
    "full_attention": GQA_FULL, "attention": GQA_FULL, "global": GQA_FULL, "hybrid": GQA_FULL, "*": GQA_FULL,
    "sliding_attention": GQA_WINDOW, "local": GQA_WINDOW, "local_attention": GQA_WINDOW, "chunked_attention": GQA_WINDOW,
    "linear_attention": NO_CACHE, "mamba": NO_CACHE, "mamba2": NO_CACHE, "conv": NO_CACHE, "recurrent": NO_CACHE, "m": NO_CACHE,
    "-": NO_CACHE, "e": NO_CACHE, "moe": NO_CACHE, "mlp": NO_CACHE,
}  # fmt: skip
"""What configurations call a layer → the cache it keeps: of every token, of a window, or none that grows."""
WINDOW_EVERY = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3_text": 6,
    "gpt-oss": 2,
    "gpt_oss": 2,
    "cohere2": 4,
    "gemma3n": 5,
    "gemma3n_text": 5,
}
"""Families whose files leave out which layers have the window: every so many layers one sees everything."""
FULL_WHATEVER = ("phi3", "llama", "qwen2", "qwen2_moe", "mixtral", "starcoder2")
"""Families of GGUF that carry the width of a window and are run without one."""
TWO_MATRICES = (
    "gpt2", "gptj", "gpt_neox", "falcon", "phi", "phi2", "opt", "bloom", "mpt", "starcoder2", "gpt_bigcode", "nemotron", "nemotron_h",
)  # fmt: skip
"""Families whose feed-forward part is not gated: up and down alone."""


@dataclass(frozen=True)
class Shape:
    """What a file says of a model; NaN or empty where it says nothing.  Parameters in base units, widths in numbers.

    n_full_layer    layers whose cache grows with every token
    n_window_layer  layers that keep ``window_token`` tokens at most; of ``n_window_all``, as layers may reuse another's
    open            (what is missing, why): what depends on it is not predicted
    """

    name: str
    family: str
    n_layer: float = np.nan
    model_dim: float = np.nan
    n_head: float = np.nan
    n_kv_head: float = np.nan
    head_dim: float = np.nan
    full_n_kv_head: float = np.nan
    full_head_dim: float = np.nan
    ffn_dim: float = np.nan
    vocab_size: float = np.nan
    context_token: float = np.nan
    window_token: float = np.nan
    n_full_layer: float = np.nan
    n_window_layer: float = 0.0
    n_window_all: float = 0.0
    kv_latent_dim: float = np.nan
    rope_head_dim: float = np.nan
    is_tied: bool | None = None
    n_expert: float = np.nan
    n_active_expert: float = np.nan
    expert_param: float = 0.0
    total_param: float = np.nan
    state_byte: float = 0.0
    weight_format: str = ""
    weight_byte: float = np.nan
    open: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_moe(self) -> bool:
        """Whether the feed-forward layers are mixtures of experts."""
        return self.n_expert > 1

    @property
    def active_param(self) -> float:
        """Parameters used for one token: all but the experts that are not called."""
        if not self.is_moe:
            return self.total_param
        return self.total_param - self.expert_param * (1 - self.n_active_expert / self.n_expert)

    @property
    def embedding_param(self) -> float:
        """Parameters of an input embedding that is not the output matrix too: a step reads one row of it."""
        return 0.0 if self.is_tied is not False else self.vocab_size * self.model_dim

    @property
    def cache(self) -> shapes.Cache:
        """What one sequence keeps, in FP16; missing where the layers that keep a cache are not known."""
        if np.isnan(self.n_full_layer):
            return shapes.cache({}, FP16_BYTE)
        return shapes.cache({name: number(self) for name, number in (MODEL_COLUMNS | CACHE_COLUMNS).items()}, FP16_BYTE)

    @property
    def attention_kind(self) -> str:
        """The word of ``models.csv`` for it."""
        if self.kv_latent_dim > 0:
            return "mla"
        if np.isnan(self.n_full_layer):
            return "unknown"
        if self.n_window_layer:
            return "hybrid" if self.n_full_layer else "sliding"
        if self.n_full_layer < self.n_layer:
            return "hybrid"
        return "mha" if self.n_kv_head == self.n_head else "mqa" if self.n_kv_head == 1 else "gqa"


# ------------------------------------------------------------------------------------------------- config.json


def of_config(config: Config, name: str) -> Shape:
    """The shape that a ``config.json`` states; a model that sees or hears has its language part below ``text_config``."""
    text = config
    for part in ("text_config", "language_config", "llm_config", "thinker_config"):
        inner = text.get(part)
        text = {**config, **inner} if isinstance(inner, Mapping) else text
    return _shape(_Said(text), name or str(config.get("_name_or_path", "")), _format_of(config))


def is_config(content: Any) -> bool:
    """Whether parsed JSON is the configuration of a model."""
    if not isinstance(content, Mapping):
        return False
    inner = [content, *(part for part in content.values() if isinstance(part, Mapping))]
    return any(any(name in part for name in (*LAYERS, *WIDTH)) for part in inner)


LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
WIDTH = ("hidden_size", "n_embd", "d_model")


class _Said:
    """A configuration as numbers and lists, under any of the names a quantity has; what is no number is missing."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.family = str(config.get("model_type", ""))

    def number(self, *names: str) -> float:
        """The first of some names that holds a number above zero; NaN where none does."""
        for name in names:
            value = self.config.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < np.inf:
                return float(value)
        return float("nan")

    def count(self, *names: str) -> float:
        """The same, and 0 where no name holds a number."""
        return float(np.nan_to_num(self.number(*names)))

    def flag(self, name: str) -> bool | None:
        """True or false; None where it is not said."""
        value = self.config.get(name)
        return value if isinstance(value, bool) else None

    def words(self, *names: str) -> list[str]:
        """The first of some names that holds a list of words, or a text of signs; empty where none does."""
        found = (self.config.get(name) for name in names)
        return next((list(map(str, value)) for value in found if isinstance(value, list | str) and value), [])


def _shape(said: _Said, name: str, weight_format: str) -> Shape:
    n_layer, model_dim = said.number(*LAYERS), said.number(*WIDTH)
    n_head = said.number("num_attention_heads", "n_head", "n_heads")
    kv_head = (
        1.0
        if said.flag("multi_query")
        else _or(said.number("num_key_value_heads", "num_kv_heads", "n_head_kv"), n_head)
    )
    head_dim = _or(said.number("head_dim", "kv_channels", "attention_head_dim"), model_dim / n_head)
    kinds, window, why = _layer_kinds(said, n_layer)
    own = kinds[: int(n_layer - said.count("num_kv_shared_layers"))] if kinds else []
    is_latent = said.number("kv_lora_rank") > 0
    shape = Shape(
        name, said.family, n_layer, model_dim, n_head, kv_head, said.number("qk_nope_head_dim") if is_latent else head_dim,
        full_n_kv_head=_or(said.number("num_global_key_value_heads"), kv_head), full_head_dim=_or(said.number("global_head_dim"), head_dim),
        ffn_dim=_ffn(said, n_layer, model_dim), vocab_size=said.number("vocab_size"),
        context_token=said.number("max_position_embeddings", "n_positions", "seq_length", "max_sequence_length"),
        window_token=window, n_full_layer=float(own.count(GQA_FULL)) if kinds else np.nan, n_window_layer=float(own.count(GQA_WINDOW)),
        n_window_all=float(kinds.count(GQA_WINDOW)),
        kv_latent_dim=said.number("kv_lora_rank"), rope_head_dim=said.number("qk_rope_head_dim") if is_latent else np.nan,
        is_tied=_is_tied(said), n_expert=said.number(*EXPERTS), n_active_expert=said.number(*CALLED), weight_format=weight_format,
        state_byte=_state_byte(said, kinds), open=why,
    )  # fmt: skip
    return _with_params(shape, said, kinds)


EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
CALLED = (
    "num_experts_per_tok",
    "moe_topk",
    "moe_top_k",
    "num_experts_per_token",
    "top_k_experts",
    "moe_num_active_experts",
)
EXPERT_WIDTH = ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size")


def _or(value: float, other: float) -> float:
    return other if np.isnan(value) else value


def _ffn(said: _Said, n_layer: float, model_dim: float) -> float:
    """Width of the feed-forward part, of one expert where there are any."""
    dense = said.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    if said.number(*EXPERTS) > 1:
        return _or(said.number(*EXPERT_WIDTH), dense)
    return _or(dense, 4 * model_dim if said.family in ("gpt2", "falcon", "bloom") and n_layer > 0 else np.nan)


def _is_tied(said: _Said) -> bool | None:
    """What the file says; the library ties where it says nothing, and so do its files of Gemma."""
    stated = said.flag("tie_word_embeddings")
    return True if stated is None and said.family.startswith(("gemma", "gpt2")) else stated


def _format_of(config: Config) -> str:
    """Name of the number format of the weights: how they are quantised, else their type."""
    quantised = config.get("quantization_config") or config.get("quantization") or {}
    if isinstance(quantised, Mapping) and quantised:
        return _quantised(quantised)
    inner = config.get("text_config")
    stated = (
        config.get("torch_dtype") or config.get("dtype") or (inner.get("dtype") if isinstance(inner, Mapping) else "")
    )
    return str(stated or "")


def _quantised(said: Config) -> str:
    method, bits = str(said.get("quant_method", "")), said.get("bits")
    if not method and bits and said.get("group_size") == MLX_GROUP:
        return f"MLX {bits}-bit"
    if method in ("awq", "gptq") and (bits, said.get("group_size")) != (4, 128):
        return f"{method} {bits} bit, groups of {said.get('group_size')}"
    return method or f"{bits} bit"


MLX_GROUP = 64


# ------------------------------------------------------------------------------------- which layers keep a cache


def _layer_kinds(said: _Said, n_layer: float) -> tuple[list[str], float, tuple[tuple[str, str], ...]]:
    """(kind of each layer, window, what is open): as the layers are listed, else by the rule of the family."""
    window = said.number("sliding_window", "sliding_window_size", "attention_chunk_size", "local_attention_window")
    if np.isnan(n_layer):
        return [], window, (("cache", "the number of layers is not stated"),)
    listed = said.words("layer_types", "layers_block_type", "hybrid_override_pattern", "block_types", "attn_types")
    if listed:
        return _listed(listed, int(n_layer), window)
    every = said.number("full_attention_interval")
    if every > 0:
        return _every(int(n_layer), int(every), NO_CACHE), window, ()
    return _by_rule(said, int(n_layer), window)


def _listed(names: Sequence[str], n_layer: int, window: float) -> tuple[list[str], float, tuple[tuple[str, str], ...]]:
    kinds = [KINDS.get(name.lower(), "") for name in names]
    if "" in kinds:
        return [], window, (("cache", f"layers of kind {names[kinds.index('')][:40]!r} are not known"),)
    if len(kinds) < n_layer and set(kinds) <= {GQA_FULL, GQA_WINDOW, NO_CACHE}:
        kinds = [kinds[place % len(kinds)] for place in range(n_layer)] if n_layer % len(kinds) == 0 else []
    if len(kinds) != n_layer:
        return [], window, (("cache", f"{len(names)} layers are listed, {n_layer} stated"),)
    if GQA_WINDOW in kinds and np.isnan(window):
        return [], window, (("cache", "layers have a window whose width is not stated"),)
    return kinds, window, ()


def _by_rule(said: _Said, n_layer: int, window: float) -> tuple[list[str], float, tuple[tuple[str, str], ...]]:
    """By a period the file states, or that of its family; a window nobody limits is that of every layer."""
    period, offset = said.number("attn_layer_period"), said.count("attn_layer_offset")
    if period > 0:
        return [GQA_FULL if place % period == offset else NO_CACHE for place in range(n_layer)], window, ()
    if said.family.startswith(("mamba", "rwkv", "jamba", "zamba", "falcon_mamba", "recurrent")):
        return [], window, (("cache", f"which layers of {said.family} keep a cache is not stated"),)
    if np.isnan(window) or said.flag("use_sliding_window") is False:
        return [GQA_FULL] * n_layer, float("nan"), ()
    every = _or(said.number("sliding_window_pattern", "_sliding_window_pattern"), WINDOW_EVERY.get(said.family, np.nan))
    if every > 1:
        return _every(n_layer, int(every), GQA_WINDOW), window, ()
    first_full = said.number("max_window_layers")
    if said.flag("use_sliding_window") and first_full > 0:
        return [GQA_FULL if place < first_full else GQA_WINDOW for place in range(n_layer)], window, ()
    return [GQA_WINDOW] * n_layer, window, ()


def _every(n_layer: int, period: int, other: str) -> list[str]:
    """Every so many layers one that sees everything, the last of each group."""
    return [GQA_FULL if (place + 1) % period == 0 else other for place in range(n_layer)]


# -------------------------------------------------------------------------------------------------- parameters


def _with_params(shape: Shape, said: _Said, kinds: Sequence[str]) -> Shape:
    """The shape with its parameters, where every part of it is known."""
    from dataclasses import replace

    n_dense = _dense_layers(said, shape.n_layer) if shape.is_moe else shape.n_layer
    matrices = 2 if said.family in TWO_MATRICES else EXPERT_MATRICES
    expert = 0.0
    if shape.is_moe:
        expert = matrices * (shape.n_layer - n_dense) * shape.n_expert * shape.model_dim * shape.ffn_dim
    total = expert + _shared(shape, said, kinds, n_dense, matrices)
    why = shape.open
    if np.isnan(total):
        why = (*why, ("parameters", "they do not follow from what the file states"))
    return replace(shape, expert_param=expert, total_param=total, open=why)


def _dense_layers(said: _Said, n_layer: float) -> float:
    """Layers without experts in a mixture: the first ones, those listed, or those between."""
    first = said.count("first_k_dense_replace", "num_dense_layers")
    listed = said.config.get("mlp_only_layers")
    step = _or(said.number("decoder_sparse_step", "interleave_moe_layer_step"), 1.0)
    return max(first, float(len(listed)) if isinstance(listed, list) else 0.0, n_layer - n_layer // step)


def _shared(shape: Shape, said: _Said, kinds: Sequence[str], n_dense: float, matrices: int) -> float:
    """Parameters outside the routed experts: embeddings, attention, dense and shared feed-forward parts, router, norms."""
    if said.count("hidden_size_per_layer_input") or said.family.startswith("gemma3n"):
        return float("nan")  # a table of its own for every layer
    embedding = shape.vocab_size * shape.model_dim * (1 if shape.is_tied else 2)
    dense_width = (
        said.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size") if shape.is_moe else shape.ffn_dim
    )
    wide = n_dense * matrices * shape.model_dim * dense_width if n_dense else 0.0
    n_sparse = shape.n_layer - n_dense
    beside = (
        said.count("shared_expert_intermediate_size", "shared_intermediate_size")
        or said.count("n_shared_experts") * shape.ffn_dim
    )
    sparse = n_sparse * shape.model_dim * (matrices * beside + shape.n_expert) if shape.is_moe else 0.0
    norms = 2 * (shape.n_layer + 0.5) * shape.model_dim
    return float(embedding + wide + sparse + norms + sum(_attention(shape, said, kind) for kind in kinds or [""]))


def _attention(shape: Shape, said: _Said, kind: str) -> float:
    """Parameters of one layer's attention, or of what stands in its place."""
    if kind == NO_CACHE:
        return _linear_param(shape, said)
    if shape.kv_latent_dim > 0:
        return _latent_param(shape, said)
    is_full = kind == GQA_FULL
    heads, width = (shape.full_n_kv_head, shape.full_head_dim) if is_full else (shape.n_kv_head, shape.head_dim)
    gate = 2 if said.flag("attn_output_gate") or said.family in GATED else 1
    kept = (
        1 if is_full and said.flag("attention_k_eq_v") else 2
    )  # one projection for keys and values; engines cache both
    return shape.model_dim * width * (shape.n_head * (gate + 1) + kept * heads) if kind else float("nan")


GATED = ("qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen3_5_text", "qwen3_5_moe_text")
"""Families whose attention has an output gate as wide as its queries."""


def _latent_param(shape: Shape, said: _Said) -> float:
    value, rank, dim = said.number("v_head_dim"), said.number("q_lora_rank"), shape.model_dim
    query = shape.n_head * (shape.head_dim + shape.rope_head_dim)
    down = dim * query if np.isnan(rank) else dim * rank + rank * query
    kept = dim * (shape.kv_latent_dim + shape.rope_head_dim)
    return down + kept + shape.kv_latent_dim * shape.n_head * (shape.head_dim + value) + shape.n_head * value * dim


def _linear(said: _Said) -> tuple[float, float, float]:
    """(width of the keys, of the values, value heads) of a layer of linear attention with a gated delta rule."""
    key = said.number("linear_num_key_heads") * said.number("linear_key_head_dim")
    heads = said.number("linear_num_value_heads")
    return key, heads * said.number("linear_value_head_dim"), heads


def _linear_param(shape: Shape, said: _Said) -> float:
    """Projections of query, key, value and gate, the two of each head's step, the convolution, and the way out."""
    key, value, heads = _linear(said)
    convolution = said.number("linear_conv_kernel_dim") * (2 * key + value)
    return shape.model_dim * (2 * key + 2 * value + 2 * heads) + convolution + value * shape.model_dim


def _state_byte(said: _Said, kinds: Sequence[str]) -> float:
    """Bytes that a sequence keeps in layers without a growing cache, in FP16; NaN where the file does not say it."""
    n_layer = kinds.count(NO_CACHE)
    if not n_layer:
        return 0.0
    key, value, _ = _linear(said)
    recurrent = value * key / said.number("linear_num_key_heads")
    convolution = (said.number("linear_conv_kernel_dim") - 1) * (2 * key + value)
    return n_layer * (recurrent + convolution) * FP16_BYTE


# ---------------------------------------------------------------------------------------------------------- GGUF


GGUF_NAMES = {
    "block_count": "num_hidden_layers", "embedding_length": "hidden_size", "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads", "attention.head_count_kv": "num_key_value_heads", "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window", "attention.sliding_window_pattern": "sliding_window_pattern",
    "attention.shared_kv_layers": "num_kv_shared_layers",
    "attention.kv_lora_rank": "kv_lora_rank", "rope.dimension_count": "qk_rope_head_dim", "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok", "expert_feed_forward_length": "moe_intermediate_size",
    "leading_dense_block_count": "first_k_dense_replace", "context_length": "max_position_embeddings", "vocab_size": "vocab_size",
    "full_attention_interval": "full_attention_interval",
}  # fmt: skip
"""Key below the family → what ``config.json`` calls the same."""


def of_gguf(metadata: Mapping[str, Any], param: float, expert_param: float, is_tied: bool, name: str) -> Shape:
    """The shape that the metadata of a GGUF file state; parameters are those of its tensors, counted."""
    from dataclasses import replace

    family = str(metadata.get("general.architecture", ""))
    told = {ours: metadata[f"{family}.{key}"] for key, ours in GGUF_NAMES.items() if f"{family}.{key}" in metadata}
    config = _without_lists(told | {"model_type": family, "tie_word_embeddings": is_tied})
    if family in FULL_WHATEVER:
        config["use_sliding_window"] = False
    if "vocab_size" not in config:
        config["vocab_size"] = metadata.get("tokenizer.ggml.tokens")
    shape = _shape(_Said(config), name, "")
    why = tuple(one for one in shape.open if one[0] != "parameters")
    return replace(shape, total_param=param, expert_param=expert_param, open=why)


def _without_lists(config: dict[str, Any]) -> dict[str, Any]:
    """Numbers where a file has one for every layer; layers without key and value heads keep no cache."""
    heads = config.get("num_key_value_heads")
    pattern = config.pop("sliding_window_pattern", None)
    if isinstance(pattern, list) and all(isinstance(one, bool) for one in pattern):
        config["layer_types"] = ["sliding_attention" if one else "full_attention" for one in pattern]
    elif isinstance(pattern, int) and not isinstance(pattern, bool):
        config["sliding_window_pattern"] = pattern
    if isinstance(heads, list) and heads:
        kinds = config.get("layer_types", ["full_attention"] * len(heads))
        config["layer_types"] = [kind if count else "conv" for kind, count in zip(kinds, heads, strict=False)]
        _two_shapes(config, kinds, heads)
    for key, value in config.items():
        if isinstance(value, list) and key != "layer_types":
            config[key] = _common(value)
    return config


def _two_shapes(config: dict[str, Any], kinds: Sequence[str], heads: Sequence[int]) -> None:
    """Heads of the layers that see everything, where they are not those of the layers with a window."""
    full = [count for kind, count in zip(kinds, heads, strict=False) if kind == "full_attention" and count]
    window = [count for kind, count in zip(kinds, heads, strict=False) if kind != "full_attention" and count]
    if full and window:
        config["num_global_key_value_heads"], config["num_key_value_heads"] = _common(full), _common(window)


def _common(values: Iterable[Any]) -> Any:
    """The value of every layer that has one; None where they differ."""
    found = {value for value in values if value}
    return found.pop() if len(found) == 1 else None


MODEL_COLUMNS: dict[str, Callable[[Shape], float]] = {
    "total_gparam": lambda shape: shape.total_param / 1e9,
    "active_gparam": lambda shape: shape.active_param / 1e9 if shape.is_moe else np.nan,
    "n_layer": lambda shape: shape.n_layer, "model_dim": lambda shape: shape.model_dim, "n_head": lambda shape: shape.n_head,
    "n_kv_head": lambda shape: shape.n_kv_head, "head_dim": lambda shape: shape.head_dim, "ffn_dim": lambda shape: shape.ffn_dim,
    "vocab_size": lambda shape: shape.vocab_size, "context_token": lambda shape: shape.context_token,
    "sliding_window_token": lambda shape: shape.window_token if shape.n_window_all else np.nan,
    "n_sliding_layer": lambda shape: shape.n_window_all or np.nan, "kv_latent_dim": lambda shape: shape.kv_latent_dim,
    "rope_head_dim": lambda shape: shape.rope_head_dim, "n_expert": lambda shape: shape.n_expert if shape.is_moe else np.nan,
    "n_active_expert": lambda shape: shape.n_active_expert if shape.is_moe else np.nan,
}  # fmt: skip
"""Column of ``models.csv`` → its number."""
CACHE_COLUMNS: dict[str, Callable[[Shape], float]] = {
    "n_cache_layer": lambda shape: shape.n_full_layer if shape.n_full_layer + shape.n_window_all < shape.n_layer else np.nan,
    "n_sliding_cache_layer": lambda shape: shape.n_window_layer if shape.n_window_layer < shape.n_window_all else np.nan,
    "full_n_kv_head": lambda shape: shape.full_n_kv_head if shape.n_window_all and shape.full_n_kv_head != shape.n_kv_head else np.nan,
    "full_head_dim": lambda shape: shape.full_head_dim if shape.n_window_all and shape.full_head_dim != shape.head_dim else np.nan,
    "state_byte": lambda shape: shape.state_byte or np.nan,
}  # fmt: skip
"""The same, of models whose cache needs them: without the column such a model cannot be said."""
