"""The shape of a language model from its configuration: what a token costs in weights and in cache, as far as the file says it.

Hugging Face's ``config.json`` and the metadata of a GGUF file say the same under other names; both are read here.  What is
left open stays missing, and ``open`` says what and why: nothing is filled in from what models usually have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.model import layers, mixers, shapes
from analysis.model.expected import EXPERT_MATRICES, FP16_BYTE
from analysis.model.layers import BOTH, DENSE_PART, FULL, SPARSE_PART, STATE, WINDOW
from analysis.model.stated import Said, either

Config = Mapping[str, Any]

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
        """What one sequence keeps, its cache in FP16; missing where the layers that keep a cache are not known."""
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
            return "sliding" if self.n_window_all == self.n_layer else "hybrid"
        if self.n_full_layer < self.n_layer or self.state_byte > 0:
            return "hybrid"
        return "mha" if self.n_kv_head == self.n_head else "mqa" if self.n_kv_head == 1 else "gqa"


# ------------------------------------------------------------------------------------------------- config.json


def of_config(config: Config, name: str) -> Shape:
    """The shape that a ``config.json`` states; a model that sees or hears has its language part below ``text_config``."""
    text = config
    for part in ("thinker_config", "llm_config", "language_config", "text_config"):
        inner = text.get(part)
        text = {**text, **inner} if isinstance(inner, Mapping) else text
    return _shape(Said(text), name or str(config.get("_name_or_path", "")), _format_of(config))


def is_config(content: Any) -> bool:
    """Whether parsed JSON is the configuration of a model."""
    if not isinstance(content, Mapping):
        return False
    inner = [content, *(part for part in content.values() if isinstance(part, Mapping))]
    return any(any(name in part for name in (*LAYERS, *WIDTH)) for part in inner)


LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
WIDTH = ("hidden_size", "n_embd", "d_model", "dim")
KV_HEADS = (
    "num_key_value_heads", "num_kv_heads", "n_head_kv", "n_kv_heads", "multi_query_group_num", "num_query_groups",
    "attn_config.kv_n_heads",
)  # fmt: skip
DENSE_WIDTH = (
    "intermediate_size_mlp",
    "intermediate_size",
    "n_inner",
    "ffn_dim",
    "ffn_hidden_size",
    "block_ff_dim",
    "hidden_dim",
)


def _shape(said: Said, name: str, weight_format: str) -> Shape:
    n_layer, model_dim = said.number(*LAYERS), said.number(*WIDTH)
    n_head = said.number("num_attention_heads", "n_head", "n_heads")
    kv_head, full_kv_head = _kv_heads(said, n_head)
    head_dim, full_dim = _head_dims(said, model_dim / n_head)
    kept = mixers.mixer(said, model_dim, n_head, head_dim)
    kinds, window, why = layers.kinds_of(said, n_layer)
    own = layers.own(said, kinds)
    is_latent = said.number("kv_lora_rank") > 0
    n_state = kinds.count(STATE) + kinds.count(BOTH)
    shape = Shape(
        name, said.family, n_layer, model_dim, n_head, kv_head, said.number("qk_nope_head_dim") if is_latent else head_dim,
        full_n_kv_head=full_kv_head, full_head_dim=full_dim, ffn_dim=_ffn(said, n_layer, model_dim, kinds),
        vocab_size=said.number("vocab_size", "padded_vocab_size"),
        context_token=said.number("max_position_embeddings", "n_positions", "seq_length", "max_sequence_length", "model_max_length",
                                  "max_seq_len"),
        window_token=window, n_full_layer=float(own.count(FULL) + own.count(BOTH)) if kinds else np.nan,
        n_window_layer=float(own.count(WINDOW)), n_window_all=float(kinds.count(WINDOW)),
        kv_latent_dim=said.number("kv_lora_rank"), rope_head_dim=said.number("qk_rope_head_dim") if is_latent else np.nan,
        is_tied=_is_tied(said), n_expert=said.number(*EXPERTS), n_active_expert=_called(said), weight_format=weight_format,
        state_byte=n_state * (kept.state_byte if kept else np.nan) if n_state else 0.0, open=why + _beside(said, n_state, kept),
    )  # fmt: skip
    return _with_params(shape, said, kinds, kept)


EXPERTS = (
    "num_local_experts",
    "num_experts",
    "n_routed_experts",
    "moe_num_experts",
    "ffn_config.moe_num_experts",
    "moe.num_experts",
)
CALLED = (
    "num_experts_per_tok", "moe_topk", "moe_top_k", "num_experts_per_token", "top_k_experts", "moe_num_active_experts", "moe_k",
    "num_selected_experts", "experts_per_token", "ffn_config.moe_top_k", "moe.num_experts_per_tok",
)  # fmt: skip


def _called(said: Said) -> float:
    """Experts that a token calls; missing where they would be more than there are."""
    called = said.number(*CALLED)
    return called if not called > said.number(*EXPERTS) else float("nan")


EXPERT_WIDTH = (
    "moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "ffn_config.ffn_hidden_size",
)  # fmt: skip


def _kv_heads(said: Said, n_head: float) -> tuple[float, float]:
    """(heads that keep keys and values in layers with a window, in those that see everything)."""
    in_groups = said.number(*KV_HEADS)
    if said.flag("multi_query") and not said.flag("new_decoder_architecture"):
        in_groups = 1.0
    if blocks := said.items("block_configs"):
        in_groups = n_head / max(filter(None, map(layers.group, blocks)), default=np.nan)
    heads = either(in_groups, n_head)
    return either(said.number("swa_num_key_value_heads"), heads), either(
        said.number("num_global_key_value_heads"), heads
    )


def _head_dims(said: Said, by_width: float) -> tuple[float, float]:
    """The same of the width of a head; where values are narrower than keys, the mean of the two."""
    key = either(said.number("head_dim", "kv_channels", "attention_head_dim"), by_width)
    full = either(said.number("global_head_dim"), key)
    if said.number("kv_lora_rank") > 0:
        return key, full
    window = either(said.number("swa_head_dim"), key)
    value = said.number("v_head_dim")
    window_value = said.number("swa_v_head_dim", "v_head_dim")
    return (window + either(window_value, window)) / 2, (full + either(value, full)) / 2


def _beside(said: Said, n_state: int, kept: mixers.Mixer | None) -> layers.Open:
    """What is kept beside the cache and not counted."""
    width = said.count("index_head_dim")
    found = (("a second cache", f"an indexer keeps {width:.0f} numbers a token and layer more"),) if width else ()
    if not n_state or kept is not None:
        return found
    return (
        *found,
        ("state", f"what {n_state} layers keep instead of a cache does not follow from the file; it counts as nothing"),
    )


HALF_WIDTH = ("qwen", "recurrent_gemma")
"""Families whose files state the two gated matrices of the feed-forward part as one."""


def _dense_width(said: Said) -> float:
    """Width of a feed-forward part without experts; LFM2 states it before two thirds are taken and rounded up."""
    width = said.number(*DENSE_WIDTH) / (2 if said.family in HALF_WIDTH else 1)
    if not said.flag("block_auto_adjust_ff_dim"):
        return width
    step = either(said.number("block_multiple_of"), 1.0)
    return step * float(np.ceil(np.floor(width * 2 / 3) * either(said.number("block_ffn_dim_multiplier"), 1.0) / step))


def _ffn(said: Said, n_layer: float, model_dim: float, kinds: Sequence[str]) -> float:
    """Width of the feed-forward part, of one expert where there are any; layers that are all state spaces have none."""
    if set(kinds) == {STATE} and not said.family.startswith("rwkv"):
        return float("nan")
    if said.number(*EXPERTS) > 1:
        return either(said.number(*EXPERT_WIDTH, "intermediate_size"), _dense_width(said))
    return either(
        _dense_width(said), 4 * model_dim if said.family in ("gpt2", "falcon", "bloom") and n_layer > 0 else np.nan
    )


TIED = ("gemma", "gpt2", "gpt_bigcode", "recurrent_gemma", "falcon", "bloom", "opt", "mpt", "cohere", "mamba", "lfm2")
"""How families are called that tie where their files say nothing, as the library does."""


def _is_tied(said: Said) -> bool | None:
    """What the file says; the library ties where it says nothing, and so do its files of some families."""
    stated = said.flag("tie_word_embeddings", "tie_embedding")
    return True if stated is None and said.family.startswith(TIED) else stated


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


# -------------------------------------------------------------------------------------------------- parameters


def _with_params(shape: Shape, said: Said, kinds: Sequence[str], kept: mixers.Mixer | None) -> Shape:
    """The shape with its parameters, where every part of it is known."""
    from dataclasses import replace

    n_dense, n_sparse = _feed_forward_layers(shape, said, kinds)
    matrices = 2 if said.family in TWO_MATRICES else EXPERT_MATRICES
    expert = matrices * n_sparse * shape.n_expert * shape.model_dim * shape.ffn_dim if n_sparse else 0.0
    wide = (
        matrices * n_dense * shape.model_dim * (_dense_width(said) if shape.is_moe else shape.ffn_dim)
        if n_dense
        else 0.0
    )
    total = expert + wide + _shared(shape, said, kinds, n_sparse * matrices, kept)
    total += n_sparse * shape.model_dim * shape.n_expert if n_sparse else 0.0
    why = shape.open
    if np.isnan(total):
        why = (*why, ("parameters", "they do not follow from what the file states"))
    return replace(shape, expert_param=expert, total_param=total, open=why)


def _feed_forward_layers(shape: Shape, said: Said, kinds: Sequence[str]) -> tuple[float, float]:
    """(layers with a dense feed-forward part, with experts); where a layer is one part alone, those that are one."""
    if {DENSE_PART, SPARSE_PART} & set(kinds):
        return float(kinds.count(DENSE_PART)), float(kinds.count(SPARSE_PART))
    if set(kinds) == {STATE} and np.isnan(shape.ffn_dim):
        return 0.0, 0.0
    n_dense = _dense_layers(said, shape.n_layer) if shape.is_moe else shape.n_layer
    return n_dense, shape.n_layer - n_dense


def _dense_layers(said: Said, n_layer: float) -> float:
    """Layers without experts in a mixture: the first ones, those listed, or those between."""
    listed = said.items("mlp_layer_types", "moe_layer_freq")
    if listed:
        return n_layer - sum(str(one) in ("sparse", "moe", "1") for one in listed)
    period = said.number("expert_layer_period")
    if period > 0:
        return n_layer - float(np.ceil((n_layer - said.count("expert_layer_offset")) / period))
    first = said.count("first_k_dense_replace", "num_dense_layers", "moe_layer_start_index")
    step = either(said.number("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval"), 1.0)
    return max(first, float(len(said.items("mlp_only_layers"))), n_layer - n_layer // step)


SHARED_WIDTH = ("shared_expert_intermediate_size", "shared_intermediate_size", "moe_shared_expert_intermediate_size")
SHARED_COUNT = ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
UNCOUNTED = ("hidden_size_per_layer_input", "moe_latent_size", "num_mem_blocks", "block_configs")
"""Fields of parts that are not counted here: a table for every layer, a narrower path to experts, blocks used several times."""


def _shared(shape: Shape, said: Said, kinds: Sequence[str], sparse_matrix: float, kept: mixers.Mixer | None) -> float:
    """Parameters outside the feed-forward parts and the experts: embeddings, attention, shared experts, norms."""
    if any(said.value(name) for name in UNCOUNTED) or said.family.startswith(("gemma3n", "zamba")):
        return float("nan")
    embedding = shape.vocab_size * shape.model_dim * (1 if shape.is_tied else 2)
    count = said.count(*SHARED_COUNT) or float(said.family.startswith("llama4"))
    beside = (
        sparse_matrix * shape.model_dim * (said.count(*SHARED_WIDTH) or count * shape.ffn_dim) if sparse_matrix else 0.0
    )
    norms = 2 * (shape.n_layer + 0.5) * shape.model_dim
    return float(embedding + beside + norms + sum(_attention(shape, said, kind, kept) for kind in kinds or [""]))


def _attention(shape: Shape, said: Said, kind: str, kept: mixers.Mixer | None) -> float:
    """Parameters of one layer's attention, or of what stands in its place or beside it."""
    mixed = (kept.param if kept else np.nan) if kind in (STATE, BOTH) else 0.0
    if kind in (STATE, DENSE_PART, SPARSE_PART):
        return mixed
    if shape.kv_latent_dim > 0:
        return _latent_param(shape, said)
    is_full = kind in (FULL, BOTH)
    heads, width = (shape.full_n_kv_head, shape.full_head_dim) if is_full else (shape.n_kv_head, shape.head_dim)
    gate = 2 if said.flag("attn_output_gate") or said.family in GATED else 1
    once = (
        1 if is_full and said.flag("attention_k_eq_v") else 2
    )  # one projection for keys and values; engines cache both
    return mixed + shape.model_dim * width * (shape.n_head * (gate + 1) + once * heads) if kind else float("nan")


GATED = ("qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen3_5_text", "qwen3_5_moe_text")
"""Families whose attention has an output gate as wide as its queries."""


def _latent_param(shape: Shape, said: Said) -> float:
    value, rank, dim = said.number("v_head_dim"), said.number("q_lora_rank"), shape.model_dim
    query = shape.n_head * (shape.head_dim + shape.rope_head_dim)
    down = dim * query if np.isnan(rank) else dim * rank + rank * query
    kept = dim * (shape.kv_latent_dim + shape.rope_head_dim)
    return down + kept + shape.kv_latent_dim * shape.n_head * (shape.head_dim + value) + shape.n_head * value * dim


# ---------------------------------------------------------------------------------------------------------- GGUF


GGUF_NAMES = {
    "block_count": "num_hidden_layers", "embedding_length": "hidden_size", "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads", "attention.head_count_kv": "num_key_value_heads", "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window", "attention.sliding_window_pattern": "sliding_window_pattern",
    "attention.shared_kv_layers": "num_kv_shared_layers",
    "attention.kv_lora_rank": "kv_lora_rank", "rope.dimension_count": "qk_rope_head_dim", "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok", "expert_feed_forward_length": "moe_intermediate_size",
    "leading_dense_block_count": "first_k_dense_replace", "context_length": "max_position_embeddings", "vocab_size": "vocab_size",
    "full_attention_interval": "full_attention_interval", "attention.value_length": "v_head_dim",
    "attention.key_length_swa": "swa_head_dim", "attention.value_length_swa": "swa_v_head_dim", "ssm.conv_kernel": "conv_kernel",
    "ssm.inner_size": "ssm_inner_size", "ssm.state_size": "ssm_state_size", "ssm.group_count": "n_groups",
    "shortconv.l_cache": "conv_L_cache", "wkv.head_size": "wkv_head_size", "token_shift_count": "token_shift_count",
    "kda.head_dim": "kda_head_dim", "attention.indexer.key_length": "index_head_dim", "nextn_predict_layers": "num_nextn_predict_layers",
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
    shape = _shape(Said(config), name, "")
    why = tuple(one for one in shape.open if one[0] != "parameters")
    return replace(shape, total_param=param or np.nan, expert_param=expert_param, open=why)


def _without_lists(config: dict[str, Any]) -> dict[str, Any]:
    """Numbers where a file has one for every layer; layers that only draft ahead are left out."""
    said = Said(config)
    n_layer = int(said.count("num_hidden_layers") - said.count("num_nextn_predict_layers"))
    config.pop("num_nextn_predict_layers", None)
    config = {name: value[:n_layer] if isinstance(value, list) else value for name, value in config.items()}
    config |= {"num_hidden_layers": n_layer} if n_layer else {}
    heads = config.get("num_key_value_heads")
    if isinstance(heads, list) and heads:
        pattern = config.pop("sliding_window_pattern", None)
        kinds = (
            ["local" if one else "global" for one in pattern] if isinstance(pattern, list) else ["global"] * len(heads)
        )
        _two_shapes(config, kinds, heads)
        config["layer_types"] = [
            kind if count else _without_heads(config, place)
            for place, (kind, count) in enumerate(zip(kinds, heads, strict=False))
        ]
    for key, value in config.items():
        if isinstance(value, list) and key not in ("layer_types", "sliding_window_pattern"):
            config[key] = _common(value)
    return config


def _without_heads(config: Config, place: int) -> str:
    """What a layer without key and value heads is: one with a state, a feed-forward part alone, or nothing."""
    width = config.get("intermediate_size")
    is_part = str(config["model_type"]).startswith("nemotron_h") and isinstance(width, list) and width[place] > 0
    return "mlp" if is_part else "mamba" if mixers.has_some(Said(config)) else "nothing"


def _two_shapes(config: dict[str, Any], kinds: Sequence[str], heads: Sequence[int]) -> None:
    """Heads of the layers that see everything, and of those with a window; where they differ within a sort, their mean."""
    for kind, name in (("local", "num_key_value_heads"), ("global", "num_global_key_value_heads")):
        found = [count for one, count in zip(kinds, heads, strict=False) if one == kind and count]
        if found:
            config[name] = sum(found) / len(found)
    if "local" not in kinds and "num_global_key_value_heads" in config:
        config["num_key_value_heads"] = config.pop("num_global_key_value_heads")


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
    "n_cache_layer": lambda shape: (
        shape.n_full_layer if shape.n_full_layer + shape.n_window_all < shape.n_layer or shape.state_byte else np.nan
    ),
    "n_sliding_cache_layer": lambda shape: shape.n_window_layer if shape.n_window_layer < shape.n_window_all else np.nan,
    "full_n_kv_head": lambda shape: shape.full_n_kv_head if shape.n_window_all and shape.full_n_kv_head != shape.n_kv_head else np.nan,
    "full_head_dim": lambda shape: shape.full_head_dim if shape.n_window_all and shape.full_head_dim != shape.head_dim else np.nan,
    "state_byte": lambda shape: shape.state_byte or np.nan,
}  # fmt: skip
"""The same, of models whose cache needs them: without the column such a model cannot be said."""
