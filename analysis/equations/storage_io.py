"""Weights streamed from storage: bytes a token must fetch, the speed that allows, and the model it bounds."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.ranges import Result, not_negative, positive


def pinned_miss_share(resident_byte: ArrayLike, weight_byte: ArrayLike) -> Result:
    """Share of the bytes still fetched when part of the weights stays in memory: ``max(0, 1 − R / D)``.

    Args:
        resident_byte: weights kept in memory, R, in byte; may be 0.
        weight_byte: bytes of all weights, D, in byte.

    Raises ValueError where an argument is out of range.
    For a part that is pinned, or experts called evenly. Popular experts miss less; a cache that drops
    what was used longest ago misses everything of a dense model that does not fit.
    Source: definition.
    """
    [resident] = not_negative(resident_byte=resident_byte)
    [weight] = positive(weight_byte=weight_byte)
    return np.maximum(0, 1 - resident / weight)


def storage_byte_per_token(weight_byte: ArrayLike, *, active_share: ArrayLike = 1, miss_share: ArrayLike = 1) -> Result:
    """Bytes a token fetches from storage: ``D · active · miss``.

    Args:
        weight_byte: bytes of all weights, D, in byte.
        active_share: share of the weights a token uses, at most 1; below 1 for experts or sparse activations.
        miss_share: share of those not already in memory, from 0 to 1.

    Raises ValueError where an argument is out of range.
    Assumes whole reads: small scattered reads fetch more than they use.
    Source: Alizadeh et al. 2023 (LLM in a flash), section 3.
    """
    weight, active = positive(weight_byte=weight_byte, active_share=active_share)
    [miss] = not_negative(miss_share=miss_share)
    return weight * active * miss


def time_per_output_token_s(
    storage_byte_per_token: ArrayLike, io_byte_per_s: ArrayLike, *, io_share: ArrayLike = 1
) -> Result:
    """Least time per output token when weights come from storage: ``bytes / (s · IO)``.

    Args:
        storage_byte_per_token: bytes a token fetches, in byte/token; may be 0.
        io_byte_per_s: speed of the storage, IO, in byte/s.
        io_share: share of that speed left to the model, s, at most 1.

    Raises ValueError where an argument is out of range.
    Sequential peak speed: smaller reads are slower, and what memory holds must be read too.
    Source: SemiAnalysis, 13 May 2023.
    """
    [byte] = not_negative(storage_byte_per_token=storage_byte_per_token)
    io, share = positive(io_byte_per_s=io_byte_per_s, io_share=io_share)
    return byte / (share * io)


def streamed_token_per_s(
    storage_byte_per_token: ArrayLike, io_byte_per_s: ArrayLike, *, io_share: ArrayLike = 1
) -> Result:
    """Most tokens per second when weights come from storage: ``s · IO / bytes``, infinite without any bytes.

    Args:
        storage_byte_per_token: bytes a token fetches, in byte/token; may be 0.
        io_byte_per_s: speed of the storage, IO, in byte/s.
        io_share: share of that speed left to the model, s, at most 1.

    Raises ValueError where an argument is out of range.
    Infinite means that storage is no limit; memory bandwidth then is.
    Source: the inverse of ``time_per_output_token_s``.
    """
    time = time_per_output_token_s(storage_byte_per_token, io_byte_per_s, io_share=io_share)
    with np.errstate(divide="ignore"):
        return np.divide(1, time)


def two_tier_time_per_output_token_s(
    *,
    storage_byte_per_token: ArrayLike,
    io_byte_per_s: ArrayLike,
    memory_byte_per_token: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
) -> Result:
    """Time per output token, first part from storage, then part from memory: ``S / IO + M / BW``.

    Args:
        storage_byte_per_token: bytes fetched from storage (or over PCIe), S, in byte/token; may be 0.
        io_byte_per_s: speed of the storage, IO, in byte/s.
        memory_byte_per_token: bytes read from memory, M, in byte/token; may be 0.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.

    Raises ValueError where an argument is out of range.
    With perfect prefetching the slower of the two alone counts, at best half of the sum.
    Source: the sum of two transfers.
    """
    storage, memory = not_negative(
        storage_byte_per_token=storage_byte_per_token, memory_byte_per_token=memory_byte_per_token
    )
    io, bandwidth = positive(io_byte_per_s=io_byte_per_s, bandwidth_byte_per_s=bandwidth_byte_per_s)
    return storage / io + memory / bandwidth


def largest_model_param(
    io_byte_per_s: ArrayLike,
    *,
    token_per_s: ArrayLike,
    byte_per_param: ArrayLike,
    io_share: ArrayLike = 1,
    active_share: ArrayLike = 1,
    miss_share: ArrayLike = 1,
) -> Result:
    """Largest model that storage can stream at a token rate: ``P_max = s · IO / (r · b · active · miss)``.

    Args:
        io_byte_per_s: speed of the storage, IO, in byte/s.
        token_per_s: tokens per second to keep, r, in token/s.
        byte_per_param: effective bytes per parameter, b, in byte/param.
        io_share: share of the storage's speed left to the model, s, at most 1.
        active_share: share of the weights a token uses, at most 1.
        miss_share: share of those not already in memory, at most 1.

    Raises ValueError where an argument is not above 0, or a share above 1.
    Sequential peak speed, and nothing else on the drive.
    Source: SemiAnalysis, 13 May 2023 (2 billion parameters at 1 GB/s and 4 bit, silently at 1 token/s).
    """
    io, rate, byte, share, active, miss = positive(
        io_byte_per_s=io_byte_per_s,
        token_per_s=token_per_s,
        byte_per_param=byte_per_param,
        io_share=io_share,
        active_share=active_share,
        miss_share=miss_share,
    )
    return share * io / (rate * byte * active * miss)


def io_needed_byte_per_s(storage_byte_per_token: ArrayLike, token_per_s: ArrayLike) -> Result:
    """Storage speed a token rate needs: ``IO = r · bytes``.

    Args:
        storage_byte_per_token: bytes a token fetches, in byte/token; may be 0.
        token_per_s: tokens per second to keep, r, in token/s.

    Raises ValueError where an argument is out of range.
    The least speed: sequential, and nothing else on the drive.
    Source: SemiAnalysis, 13 May 2023 (14 GB/s, at 1 token/s).
    """
    [byte] = not_negative(storage_byte_per_token=storage_byte_per_token)
    [rate] = positive(token_per_s=token_per_s)
    return byte * rate


def waiting_time_s(text_word: ArrayLike, *, token_per_word: ArrayLike, time_per_output_token_s: ArrayLike) -> Result:
    """Time a piece of text takes to appear: ``words · tokens per word · time per output token``.

    Args:
        text_word: length of the text, in word; half a word is 0.5.
        token_per_word: tokens a word costs, in token/word.
        time_per_output_token_s: time of one token, in s.

    Raises ValueError where an argument is not above 0.
    Leaves out the time to the first token.
    Source: SemiAnalysis, 13 May 2023 ("7 seconds for half a word", whose four readings this computes).
    """
    word, token, time = positive(
        text_word=text_word, token_per_word=token_per_word, time_per_output_token_s=time_per_output_token_s
    )
    return word * token * time
