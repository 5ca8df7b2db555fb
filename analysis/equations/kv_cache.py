"""The KV cache: what a model keeps of its context, by kind of attention."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.ranges import Result, checked, not_negative, positive

KEY_AND_VALUE = 2
"""A cache holds a key and a value for each head."""


def kv_cache_byte_per_token(
    *, n_layer: ArrayLike, n_kv_head: ArrayLike, head_dim: ArrayLike, kv_element_byte: ArrayLike
) -> Result:
    """Cache a token of context adds: ``2 · L · K · d · bytes``.

    Args:
        n_layer: layers with attention, L, a count.
        n_kv_head: heads that keep keys and values, K, a count: all heads (MHA), some (GQA) or 1 (MQA).
        head_dim: width of a head as published, d, a count.
        kv_element_byte: effective bytes of a cached number, in byte; 8-bit blocks have scales too.

    Raises ValueError where an argument is not above 0.
    Latent attention and sliding windows have functions of their own below.
    Source: Pope et al. 2022, section 3.3.
    """
    layer, head, dim, byte = positive(
        n_layer=n_layer, n_kv_head=n_kv_head, head_dim=head_dim, kv_element_byte=kv_element_byte
    )
    return KEY_AND_VALUE * layer * head * dim * byte


def latent_cache_byte_per_token(
    *, n_layer: ArrayLike, latent_dim: ArrayLike, rope_dim: ArrayLike, kv_element_byte: ArrayLike
) -> Result:
    """Cache a token adds under multi-head latent attention (MLA): ``L · (latent + rope) · bytes``.

    Args:
        n_layer: layers, L, a count.
        latent_dim: width of the compressed key and value (``kv_lora_rank``), a count.
        rope_dim: width of the key that carries the position, a count; may be 0.
        kv_element_byte: effective bytes of a cached number, in byte.

    Raises ValueError where an argument is out of range.
    Every tensor-parallel chip keeps a copy of its own.
    Source: DeepSeek-AI 2024 (DeepSeek-V2), section 2.1.
    """
    layer, latent, byte = positive(n_layer=n_layer, latent_dim=latent_dim, kv_element_byte=kv_element_byte)
    [rope] = not_negative(rope_dim=rope_dim)
    return layer * (latent + rope) * byte


def kv_cache_byte(
    kv_cache_byte_per_token: ArrayLike,
    context_token: ArrayLike,
    *,
    batch_size: ArrayLike = 1,
) -> Result:
    """Cache of a batch: ``B · T · bytes per token``.

    Args:
        kv_cache_byte_per_token: cache a token adds, in byte/token.
        context_token: tokens of context of each sequence, T, in token; may be 0.
        batch_size: sequences, B, a count.

    Raises ValueError where an argument is out of range.
    What is in use; engines that reserve the longest context take more.
    Source: Pope et al. 2022, section 2.
    """
    byte, batch = positive(kv_cache_byte_per_token=kv_cache_byte_per_token, batch_size=batch_size)
    [context] = not_negative(context_token=context_token)
    return byte * context * batch


def linear_attention_state_byte(
    *,
    n_layer: ArrayLike,
    n_head: ArrayLike,
    key_dim: ArrayLike,
    value_dim: ArrayLike,
    state_element_byte: ArrayLike,
    batch_size: ArrayLike = 1,
) -> Result:
    """State of linear attention, the same at every context: ``B · L · H · d_key · d_value · bytes``.

    Args:
        n_layer: layers with linear attention, L, a count.
        n_head: heads, H, a count.
        key_dim: width of a key, a count.
        value_dim: width of a value, a count.
        state_element_byte: bytes of a number of the state (often 4), in byte.
        batch_size: sequences, B, a count.

    Raises ValueError where an argument is not above 0.
    Leaves out the small convolution states some models keep beside it.
    Source: Katharopoulos et al. 2020, section 3.4.
    """
    layer, head, key, value, byte, batch = positive(
        n_layer=n_layer,
        n_head=n_head,
        key_dim=key_dim,
        value_dim=value_dim,
        state_element_byte=state_element_byte,
        batch_size=batch_size,
    )
    return batch * layer * head * key * value * byte


def convolution_state_byte(
    *,
    n_layer: ArrayLike,
    n_channel: ArrayLike,
    n_position: ArrayLike,
    state_element_byte: ArrayLike,
    batch_size: ArrayLike = 1,
) -> Result:
    """State of short convolutions, the same at every context: ``B · L · C · (k − 1) · bytes``.

    Args:
        n_layer: layers with a convolution over the last tokens, L, a count.
        n_channel: channels that it runs over, C, a count.
        n_position: tokens it keeps of the past, k − 1 for a kernel of k, a count.
        state_element_byte: bytes of a number of the state, in byte.
        batch_size: sequences, B, a count.

    Raises ValueError where an argument is not above 0.
    Stands beside the state of linear attention in some models, and alone in others.
    Source: Gu and Dao 2023 (Mamba), section 3.4.
    """
    layer, channel, position, byte, batch = positive(
        n_layer=n_layer,
        n_channel=n_channel,
        n_position=n_position,
        state_element_byte=state_element_byte,
        batch_size=batch_size,
    )
    return batch * layer * channel * position * byte


@checked("context_token full_kv_byte_per_token window_kv_byte_per_token state_byte")
def mixed_kv_cache_byte(
    context_token: Result,
    *,
    full_kv_byte_per_token: Result,
    window_kv_byte_per_token: Result = 0,
    window_token: Result = 1,
    state_byte: Result = 0,
    batch_size: Result = 1,
) -> Result:
    """Cache of a model whose layers keep different things: ``B · (full · T + window · min(T, w) + state)``.

    Args:
        context_token: tokens of context, T, in token; may be 0.
        full_kv_byte_per_token: cache a token adds in all layers that see the whole context, in byte/token; may be 0.
        window_kv_byte_per_token: the same in all layers with a window, in byte/token; may be 0.
        window_token: tokens a window sees, w, in token.
        state_byte: fixed state of layers without a cache, in byte; may be 0.
        batch_size: sequences, B, a count.

    Raises ValueError where an argument is out of range.
    Holds for a rolling buffer; an engine without one keeps the whole context in layers with a window too.
    Every part is what its layers keep: layers that reuse another's cache are in none of them.
    Source: Jiang et al. 2023 (Mistral 7B), section 2, and Katharopoulos et al. 2020, section 3.4.
    """
    full, windowed = (
        full_kv_byte_per_token * context_token,
        window_kv_byte_per_token * np.minimum(context_token, window_token),
    )
    return batch_size * (full + windowed + state_byte)
