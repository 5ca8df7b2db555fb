"""Capacity: what a device's memory leaves to a model, whether the model fits, and what a gigabyte costs."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.ranges import Result, checked, not_above, not_negative, positive


def usable_byte(capacity_byte: ArrayLike, *, reserve_byte: ArrayLike = 0, limit_share: ArrayLike = 1) -> Result:
    """Memory left to a model: ``min(C − reserve, limit · C)``, at least 0.

    Args:
        capacity_byte: memory of the device, C, in byte (a "16 GB" computer has 16 · 2^30).
        reserve_byte: what the system and other applications keep, in byte; may be 0.
        limit_share: largest share the system grants one use, at most 1 (the GPU's part of unified memory).

    Raises ValueError where an argument is out of range.
    Swapping makes the limit soft, and slow.
    Source: definition.
    """
    capacity, limit = positive(capacity_byte=capacity_byte, limit_share=limit_share)
    [reserve] = not_negative(reserve_byte=reserve_byte)
    return np.maximum(np.minimum(capacity - reserve, limit * capacity), 0)


def footprint_byte(weight_byte: ArrayLike, *, kv_cache_byte: ArrayLike = 0, overhead_byte: ArrayLike = 0) -> Result:
    """Memory a running model takes: weights plus KV cache plus activations and buffers.

    Args:
        weight_byte: bytes of all weights, for a mixture of experts the total, in byte.
        kv_cache_byte: cache at the context and batch used, in byte; may be 0.
        overhead_byte: activations and the engine's buffers, in byte; may be 0.

    Raises ValueError where an argument is out of range.
    Leaves out what the engine reserves and does not use.
    Source: definition.
    """
    [weight] = positive(weight_byte=weight_byte)
    cache, overhead = not_negative(kv_cache_byte=kv_cache_byte, overhead_byte=overhead_byte)
    return weight + cache + overhead


def headroom_byte(footprint_byte: ArrayLike, usable_byte: ArrayLike) -> Result:
    """Memory that stays free, negative where the model does not fit: ``usable − footprint``.

    Args:
        footprint_byte: memory the model takes, in byte.
        usable_byte: memory left to it, in byte; may be 0.

    Raises ValueError where an argument is out of range.
    Source: definition.
    """
    [footprint] = positive(footprint_byte=footprint_byte)
    [usable] = not_negative(usable_byte=usable_byte)
    return usable - footprint


SPARE_SHARE = 0.1
"""Part of what a program may take that stays free where a model fits with room to spare: for activations and buffers."""


@checked("usable_byte usable_low_byte usable_high_byte spare_share")
def fit_grade(
    footprint_byte: Result,
    usable_byte: Result,
    *,
    usable_low_byte: Result,
    usable_high_byte: Result,
    spare_share: Result = SPARE_SHARE,
) -> Result:
    """Grade whether a model fits: 2 where ``M ≤ (1 − s) · U`` and ``M ≤ U_low``, 0 where ``M > max(U, U_high)``, else 1.

    Args:
        footprint_byte: memory the model takes, M, in byte.
        usable_byte: memory left to it, U, in byte; may be 0.
        usable_low_byte: the least that a source of the limit leaves, in byte; may be 0.
        usable_high_byte: the most that a source of the limit leaves, in byte; may be 0.
        spare_share: part of the memory that stays free where the model fits with room to spare, s, at most 1.

    Raises ValueError where an argument is out of range.
    2 is yes, 1 barely (little is spare, or the sources of the limit disagree), 0 no; missing where any of them is.
    Source: definition.
    """
    with_room = np.minimum((1 - spare_share) * usable_byte, usable_low_byte)
    barely = np.where(footprint_byte <= np.maximum(usable_byte, usable_high_byte), 1.0, 0.0)
    grade = np.where(footprint_byte <= with_room, 2.0, barely)
    return np.where(np.isnan(footprint_byte + with_room + usable_high_byte), np.nan, grade)[()]


def largest_model_param(usable_byte: ArrayLike, byte_per_param: ArrayLike, *, kv_cache_byte: ArrayLike = 0) -> Result:
    """Largest model that fits: ``P_max = (usable − KV) / b``, at least 0.

    Args:
        usable_byte: memory left to the model, in byte; may be 0.
        byte_per_param: effective bytes per parameter, b, in byte/param.
        kv_cache_byte: cache and other overhead, in byte; may be 0.

    Raises ValueError where an argument is out of range.
    Bounds all parameters, those of idle experts too.
    Source: definition.
    """
    usable, cache = not_negative(usable_byte=usable_byte, kv_cache_byte=kv_cache_byte)
    [byte] = positive(byte_per_param=byte_per_param)
    return np.maximum(usable - cache, 0) / byte


@checked("usable_byte weight_byte")
def largest_context_token(
    usable_byte: Result,
    *,
    kv_cache_byte_per_token: Result,
    weight_byte: Result = 0,
    batch_size: Result = 1,
) -> Result:
    """Longest context beside the weights, not rounded: ``(usable − D) / (B · bytes per token)``, at least 0.

    Args:
        usable_byte: memory left to the model, in byte; may be 0.
        kv_cache_byte_per_token: cache a token adds, in byte/token.
        weight_byte: bytes of the weights, D, in byte; 0 where the usable memory is the cache's alone.
        batch_size: sequences, B, a count.

    Raises ValueError where an argument is out of range.
    For layers that all see the whole context; the model's own limit may come first.
    Source: Pope et al. 2022, table 1.
    """
    return np.maximum(usable_byte - weight_byte, 0) / (batch_size * kv_cache_byte_per_token)


def device_count(footprint_byte: ArrayLike, usable_byte: ArrayLike) -> Result:
    """Devices whose memories together hold a model, not rounded: ``footprint / usable``.

    Args:
        footprint_byte: memory the model takes, in byte.
        usable_byte: memory one device leaves to it, in byte.

    Raises ValueError where an argument is not above 0.
    Assumes that the model divides evenly; layers and heads come in whole numbers.
    Source: Austin et al. 2025 (How To Scale Your Model), part 8.
    """
    footprint, usable = positive(footprint_byte=footprint_byte, usable_byte=usable_byte)
    return footprint / usable


# ------------------------------------------------------------------------------------- installed base


def at_least_share(bucket_byte: ArrayLike, bucket_share: ArrayLike, threshold_byte: ArrayLike) -> Result:
    """Share of devices with at least so much memory: the sum of the buckets that start there or above.

    Args:
        bucket_byte: least memory of each bucket, one-dimensional, in byte; the lowest may be 0.
        bucket_share: share of the devices in it, one-dimensional, from 0 to 1.
        threshold_byte: memory asked for, in byte; a number or an array, whose shape the result has.

    Raises ValueError where an argument is out of range.
    A bucket that straddles the threshold counts as below it: a lower bound.
    Source: definition of the survival function.
    """
    bucket, share, threshold = not_negative(
        bucket_byte=bucket_byte, bucket_share=bucket_share, threshold_byte=threshold_byte
    )
    reached: Result = np.sum((bucket >= threshold[..., np.newaxis]) * share, axis=-1)
    return reached


def smaller_size_share(mean_byte: ArrayLike, *, smaller_byte: ArrayLike, larger_byte: ArrayLike) -> Result:
    """Share of the smaller of two sizes, from the mean: ``(larger − mean) / (larger − smaller)``.

    Args:
        mean_byte: mean memory of all devices, between the two sizes, in byte.
        smaller_byte: the smaller size, in byte.
        larger_byte: the larger size, in byte.

    Raises ValueError where an argument is not above 0 or the mean is not between the sizes.
    Real markets have more than two sizes: an indication, not a count.
    Source: the mean of two values.
    """
    mean, smaller, larger = positive(mean_byte=mean_byte, smaller_byte=smaller_byte, larger_byte=larger_byte)
    not_above("larger_byte", larger, mean_byte=mean)
    not_above("mean_byte", mean, smaller_byte=smaller)
    return (larger - mean) / (larger - smaller)


# ---------------------------------------------------------------------------------------------- price


def price_usd_per_byte(price_usd: ArrayLike, capacity_byte: ArrayLike) -> Result:
    """Price of memory: ``price / capacity``.

    Args:
        price_usd: price of a chip, module or stack, in usd.
        capacity_byte: its memory, in byte.

    Raises ValueError where an argument is not above 0.
    Chip, module and retail prices differ: compare like with like.
    Source: definition.
    """
    price, capacity = positive(price_usd=price_usd, capacity_byte=capacity_byte)
    return price / capacity


def price_ratio(price_usd_per_byte: ArrayLike, reference_usd_per_byte: ArrayLike) -> Result:
    """Price of one memory in units of another, or of the same at another date: ``p / p_reference``.

    Args:
        price_usd_per_byte: price, in usd/byte.
        reference_usd_per_byte: price it is compared with, in usd/byte.

    Raises ValueError where an argument is not above 0.
    Means little where the two prices are of different dates or kinds of contract.
    Source: definition.
    """
    price, reference = positive(price_usd_per_byte=price_usd_per_byte, reference_usd_per_byte=reference_usd_per_byte)
    return price / reference
