"""Bandwidth against compute: bytes and operations per token, the roofline, and the largest model."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations import elementary
from analysis.equations.constants import BIT_PER_BYTE, FLOP_PER_PARAM_PER_TOKEN, MULTIPLY_ADD_FLOP
from analysis.equations.ranges import Result, checked, not_above, not_negative, positive

# ---------------------------------------------------------------------------------------------- weights


@checked()
def effective_bit_per_param(block_byte: Result, block_param: Result) -> Result:
    """Bits a number format really spends on a weight, scales included: ``8 · bytes / weights``.

    Args:
        block_byte: bytes of a block of weights, or of a whole file, in byte.
        block_param: weights in that block or file, in param.

    Raises ValueError where an argument is not above 0.
    Of a whole file it is the mean over tensors of different formats.
    Source: the block layouts of ggml, e.g. Q4_K: 144 bytes for 256 weights.
    """
    return BIT_PER_BYTE * block_byte / block_param


def byte_per_param(bit_per_param: ArrayLike) -> Result:
    """Bytes per parameter of a number format: ``b = bits / 8``.

    Args:
        bit_per_param: effective bits per weight, in bit/param.

    Raises ValueError where the bits are not above 0.
    Nominal bits understate it: "4 bit" formats spend 4.25 to 4.9 with their scales.
    Source: definition of the byte.
    """
    [bit] = positive(bit_per_param=bit_per_param)
    return bit / BIT_PER_BYTE


def weight_byte(model_param: ArrayLike, byte_per_param: ArrayLike) -> Result:
    """Bytes of a model's weights, what a dense decode step reads once: ``D = P · b``.

    Args:
        model_param: parameters, in param.
        byte_per_param: effective bytes per parameter, in byte/param.

    Raises ValueError where an argument is not above 0.
    As traffic it is too high by an untied input embedding, of which a step reads one row only.
    Source: kipply, Transformer Inference Arithmetic, "latency calculations".
    """
    param, byte = positive(model_param=model_param, byte_per_param=byte_per_param)
    return param * byte


# --------------------------------------------------------------------------------- mixture of experts


@checked()
def touched_share(called_share: Result, *, batch_size: Result = 1) -> Result:
    """Share of the experts of a layer that at least one token of the batch calls: ``1 − (1 − s)^B``.

    Args:
        called_share: experts a token calls over those of the layer, s, a share.
        batch_size: tokens that go through the layer together, B, a count.

    Raises ValueError where an argument is not above 0, or the share is above 1.
    Assumes that tokens choose independently and evenly; routers that favour some experts touch fewer.
    Source: expected number of distinct draws; s at batch 1.
    """
    return 1 - elementary.power(1 - called_share, batch_size)


def touched_expert_count(n_expert: ArrayLike, n_active_expert: ArrayLike, *, batch_size: ArrayLike = 1) -> Result:
    """Experts of a layer that at least one token of the batch calls: ``E · (1 − (1 − k/E)^B)``.

    Args:
        n_expert: routed experts of a layer, E, a count.
        n_active_expert: experts a token calls, k, a count.
        batch_size: tokens in the step, B, a count.

    Raises ValueError where an argument is not above 0 or k exceeds E.
    Assumes what ``touched_share`` assumes.
    Source: expected number of distinct draws; k of E at batch 1.
    """
    total, active, batch = positive(n_expert=n_expert, n_active_expert=n_active_expert, batch_size=batch_size)
    not_above("n_expert", total, n_active_expert=active)
    return total * touched_share.plain(active / total, batch_size=batch)


def active_param(
    shared_param: ArrayLike,
    *,
    expert_param: ArrayLike,
    n_expert: ArrayLike,
    n_active_expert: ArrayLike,
    batch_size: ArrayLike = 1,
) -> Result:
    """Parameters a mixture-of-experts step reads: ``P_shared + touched experts · P_expert``.

    Args:
        shared_param: parameters every token uses (attention, shared experts, head), in param.
        expert_param: parameters of one routed expert, summed over all layers, in param.
        n_expert: routed experts of a layer, a count.
        n_active_expert: experts a token calls, a count.
        batch_size: tokens in the step, a count; 1 gives the "active parameters" of a model card.

    Raises ValueError where an argument is not above 0 or more experts are active than exist.
    Inherits the even routing of ``touched_expert_count``.
    Source: Jiang et al. 2024 (Mixtral of Experts), section 2.1, for the two counts.
    """
    shared, expert = positive(shared_param=shared_param, expert_param=expert_param)
    return shared + expert * touched_expert_count(n_expert, n_active_expert, batch_size=batch_size)


# ------------------------------------------------------------------------------------------- operations


def flop_per_token(model_param: ArrayLike, *, flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN) -> Result:
    """Operations of the matrix products for one token: ``2 · P``.

    Args:
        model_param: parameters a token uses (the active ones of a mixture of experts), in param.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    Leaves out attention over the context, see ``attention_flop_per_token``.
    Source: Pope et al. 2022, section 2.
    """
    param, flop = positive(model_param=model_param, flop_per_param_per_token=flop_per_param_per_token)
    return flop * param


@checked("context_token")
def attention_flop_per_token(
    *,
    n_layer: Result,
    n_head: Result,
    head_dim: Result,
    context_token: Result,
    multiply_add_flop: Result = MULTIPLY_ADD_FLOP,
) -> Result:
    """Operations of one token's attention over its context: ``2 · 2 · L · H · d · T`` (scores, then values).

    Args:
        n_layer: layers with full attention, L, a count.
        n_head: query heads, H, a count.
        head_dim: width of a head, d, a count.
        context_token: tokens attended to, T, in token; may be 0.
        multiply_add_flop: operations of one multiply-add, in flop.

    Raises ValueError where an argument is out of range.
    The mean over a causal prefill of T tokens is half of it.
    Source: Chowdhery et al. 2022 (PaLM), appendix B.
    """
    return 2 * multiply_add_flop * n_layer * n_head * head_dim * context_token


def decode_intensity_flop_per_byte(
    byte_per_param: ArrayLike,
    *,
    batch_size: ArrayLike = 1,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Arithmetic intensity of a decode step: ``2 · B / b`` operations per byte of weights.

    Args:
        byte_per_param: effective bytes per parameter, b, in byte/param.
        batch_size: sequences that share one read of the weights, B, a count.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    Too high once the KV cache, which no sequence shares, is a visible part of the bytes.
    Source: Williams, Waterman, Patterson 2009 (Roofline), for the quantity.
    """
    byte, batch, flop = positive(
        byte_per_param=byte_per_param,
        batch_size=batch_size,
        flop_per_param_per_token=flop_per_param_per_token,
    )
    return flop * batch / byte


# --------------------------------------------------------------------------------------------- roofline


def ridge_point_flop_per_byte(peak_flop_per_s: ArrayLike, bandwidth_byte_per_s: ArrayLike) -> Result:
    """Intensity at which a machine stops waiting for memory, its balance: ``F / BW``.

    Args:
        peak_flop_per_s: dense peak at the precision used, F, in flop/s.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.

    Raises ValueError where an argument is not above 0.
    Peak and bandwidth are both upper bounds: the measured ridge lies elsewhere.
    Source: Williams, Waterman, Patterson 2009 (Roofline).
    """
    peak, bandwidth = positive(peak_flop_per_s=peak_flop_per_s, bandwidth_byte_per_s=bandwidth_byte_per_s)
    return peak / bandwidth


def attainable_flop_per_s(
    intensity_flop_per_byte: ArrayLike,
    *,
    peak_flop_per_s: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
) -> Result:
    """Operations per second a machine can reach, the roofline: ``min(F, I · BW)``.

    Args:
        intensity_flop_per_byte: arithmetic intensity of the work, I, in flop/byte.
        peak_flop_per_s: dense peak at the precision used, F, in flop/s.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.

    Raises ValueError where an argument is not above 0.
    A bound: it assumes that computing and reading overlap completely.
    Source: Williams, Waterman, Patterson 2009 (Roofline).
    """
    intensity, peak, bandwidth = positive(
        intensity_flop_per_byte=intensity_flop_per_byte,
        peak_flop_per_s=peak_flop_per_s,
        bandwidth_byte_per_s=bandwidth_byte_per_s,
    )
    return np.minimum(peak, intensity * bandwidth)


def compute_used_share(
    token_per_s: ArrayLike,
    *,
    model_param: ArrayLike,
    peak_flop_per_s: ArrayLike,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Share of a machine's peak that a token rate keeps busy: ``2 · P · r / F``.

    Args:
        token_per_s: tokens per second, r, in token/s.
        model_param: parameters a token uses, P, in param.
        peak_flop_per_s: dense peak, F, in flop/s.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    Above 1 the rate is out of the machine's reach.
    Source: Chowdhery et al. 2022 (PaLM), section 4.1, model FLOP utilization.
    """
    rate, peak = positive(token_per_s=token_per_s, peak_flop_per_s=peak_flop_per_s)
    return rate * flop_per_token(model_param, flop_per_param_per_token=flop_per_param_per_token) / peak


# ---------------------------------------------------------------------------------------- reading speed


def reading_token_per_s(reading_word_per_s: ArrayLike, token_per_word: ArrayLike) -> Result:
    """Tokens per second that keep up with a reader: ``r = words per second · tokens per word``.

    Args:
        reading_word_per_s: reading speed, in word/s (250 words per minute are 250 / 60).
        token_per_word: tokens a word costs, in token/word.

    Raises ValueError where an argument is not above 0.
    Tokens per word depend on language and tokenizer: about 1.3 for English prose.
    Source: SemiAnalysis, 13 May 2023: 250 words per minute are 8.33 tokens per second, at 2 tokens per word.
    """
    speed, token = positive(reading_word_per_s=reading_word_per_s, token_per_word=token_per_word)
    return speed * token


def time_per_token_s(token_per_s: ArrayLike) -> Result:
    """Time a token may take at a token rate: ``1 / r``.

    Args:
        token_per_s: tokens per second, r, in token/s.

    Raises ValueError where the rate is not above 0.
    A mean: single tokens may come faster or later.
    Source: definition.
    """
    [rate] = positive(token_per_s=token_per_s)
    return 1 / rate


# ------------------------------------------------------------------------------------ the bandwidth wall


def time_per_output_token_s(
    read_byte_per_token: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    *,
    bandwidth_share: ArrayLike = 1,
) -> Result:
    """Least time per output token at batch 1: ``bytes read / (s · BW)``.

    Args:
        read_byte_per_token: weights plus KV cache read for a token, in byte/token.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        bandwidth_share: share of the bandwidth left to the model, s, at most 1.

    Raises ValueError where an argument is not above 0, or the share above 1.
    The ideal limit: no launch overhead, no compute; real decoding reaches 50 to 90 % of it.
    Source: SemiAnalysis, 13 May 2023; kipply, Transformer Inference Arithmetic.
    """
    byte, bandwidth, share = positive(
        read_byte_per_token=read_byte_per_token,
        bandwidth_byte_per_s=bandwidth_byte_per_s,
        bandwidth_share=bandwidth_share,
    )
    return byte / (share * bandwidth)


def decode_token_per_s(
    read_byte_per_token: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    *,
    bandwidth_share: ArrayLike = 1,
) -> Result:
    """Most tokens per second at batch 1: ``s · BW / bytes read``.

    Args:
        read_byte_per_token: weights plus KV cache read for a token, in byte/token.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        bandwidth_share: share of the bandwidth left to the model, s, at most 1.

    Raises ValueError where an argument is not above 0, or the share above 1.
    Holds below the ridge point, and for one token per read of the weights.
    Source: the inverse of ``time_per_output_token_s``.
    """
    return 1 / time_per_output_token_s(read_byte_per_token, bandwidth_byte_per_s, bandwidth_share=bandwidth_share)


def largest_model_param(
    bandwidth_byte_per_s: ArrayLike,
    *,
    token_per_s: ArrayLike,
    byte_per_param: ArrayLike,
    bandwidth_share: ArrayLike = 1,
    kv_cache_byte: ArrayLike = 0,
) -> Result:
    """Largest model that keeps a token rate: ``P_max = (s · BW / r − KV) / b``, at least 0.

    Args:
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        token_per_s: tokens per second to keep, r, in token/s.
        byte_per_param: effective bytes per parameter, b, in byte/param.
        bandwidth_share: share of the bandwidth left to the model, s, at most 1.
        kv_cache_byte: KV cache read with every token, in byte; 0 where the share already allows for it.

    Raises ValueError where an argument is out of range.
    Bounds the parameters read per token: for a mixture of experts the active ones, not the total.
    Source: SemiAnalysis, 13 May 2023 (iPhone 14: about 1 billion FP16 parameters with s = 0.5).
    """
    bandwidth, rate, byte, share = positive(
        bandwidth_byte_per_s=bandwidth_byte_per_s,
        token_per_s=token_per_s,
        byte_per_param=byte_per_param,
        bandwidth_share=bandwidth_share,
    )
    [cache] = not_negative(kv_cache_byte=kv_cache_byte)
    return np.maximum(share * bandwidth / rate - cache, 0) / byte


def bandwidth_needed_byte_per_s(
    model_param: ArrayLike,
    *,
    token_per_s: ArrayLike,
    byte_per_param: ArrayLike,
    bandwidth_share: ArrayLike = 1,
    kv_cache_byte: ArrayLike = 0,
) -> Result:
    """Bandwidth a model needs at a token rate: ``BW = r · (P · b + KV) / s``.

    Args:
        model_param: parameters read per token, P, in param.
        token_per_s: tokens per second to keep, r, in token/s.
        byte_per_param: effective bytes per parameter, b, in byte/param.
        bandwidth_share: share of the bandwidth left to the model, s, at most 1.
        kv_cache_byte: KV cache read with every token, in byte; may be 0.

    Raises ValueError where an argument is out of range.
    The least bandwidth: theoretical figures are never reached.
    Source: the inverse of ``largest_model_param``.
    """
    rate, share = positive(token_per_s=token_per_s, bandwidth_share=bandwidth_share)
    [cache] = not_negative(kv_cache_byte=kv_cache_byte)
    return rate * (weight_byte(model_param, byte_per_param) + cache) / share


# --------------------------------------------------------------------------------- speculative decoding


def speculative_step_token(acceptance_share: ArrayLike, draft_token: ArrayLike) -> Result:
    """Tokens one read of the weights yields with a draft model: ``(1 − a^(k+1)) / (1 − a)``.

    Args:
        acceptance_share: chance that a drafted token is accepted, a, from 0 to 1.
        draft_token: tokens drafted before each check, k, in token; may be 0.

    Raises ValueError where an argument is out of range.
    Assumes that acceptances are independent and equally likely; counts the token the check itself adds.
    Source: Leviathan, Kalman, Matias 2023, equation 1.
    """
    chance, draft = not_negative(acceptance_share=acceptance_share, draft_token=draft_token)
    certain = chance == 1
    geometric = (1 - elementary.power(chance, draft + 1)) / np.where(certain, 1, 1 - chance)
    return np.where(certain, draft + 1, geometric)[()]


def speculative_speedup_ratio(
    acceptance_share: ArrayLike, draft_token: ArrayLike, *, draft_cost_ratio: ArrayLike = 0
) -> Result:
    """Speed against plain decoding, the draft's own time counted: ``tokens per step / (k · c + 1)``.

    Args:
        acceptance_share: chance that a drafted token is accepted, a, from 0 to 1.
        draft_token: tokens drafted before each check, k, in token; may be 0.
        draft_cost_ratio: time of a draft step over time of a step of the large model, c; may be 0.

    Raises ValueError where an argument is out of range.
    Needs spare compute: once the check of k + 1 tokens is compute-bound there is no gain.
    Source: Leviathan, Kalman, Matias 2023, theorem 3.8.
    """
    draft, cost = not_negative(draft_token=draft_token, draft_cost_ratio=draft_cost_ratio)
    return speculative_step_token(acceptance_share, draft_token) / (draft * cost + 1)
