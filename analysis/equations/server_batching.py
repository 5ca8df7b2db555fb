"""Serving many users at once: step time, utilization, the ridge batch, and what memory costs per user."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.constants import BIT_PER_BYTE, FLOP_PER_PARAM_PER_TOKEN
from analysis.equations.memory_wall import flop_per_token
from analysis.equations.ranges import Result, not_above, not_negative, positive

# ------------------------------------------------------------------------------------------- step time


def memory_time_s(
    read_byte: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    *,
    n_chip: ArrayLike = 1,
    mbu_share: ArrayLike = 1,
) -> Result:
    """Time to read bytes once from the memories of all chips: ``bytes / (n · η · BW)``.

    Args:
        read_byte: weights, KV cache or both, in byte; may be 0.
        bandwidth_byte_per_s: memory bandwidth of one chip, BW, in byte/s.
        n_chip: chips that divide the bytes evenly, n, a count.
        mbu_share: share of the bandwidth reached, η, at most 1; 1 is the ideal limit.

    Raises ValueError where an argument is out of range.
    Communication between chips is not in it.
    Source: kipply, Transformer Inference Arithmetic; Pope et al. 2022, section 2.
    """
    [byte] = not_negative(read_byte=read_byte)
    bandwidth, chip, share = positive(bandwidth_byte_per_s=bandwidth_byte_per_s, n_chip=n_chip, mbu_share=mbu_share)
    return byte / (chip * share * bandwidth)


def compute_time_s(
    step_token: ArrayLike,
    *,
    model_param: ArrayLike,
    peak_flop_per_s: ArrayLike,
    n_chip: ArrayLike = 1,
    mfu_share: ArrayLike = 1,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Time of the matrix products of a step: ``2 · tokens · P / (n · mfu · F)``.

    Args:
        step_token: tokens processed together, in token: the batch in decode, batch times prompt in prefill.
        model_param: parameters a token uses, P, in param.
        peak_flop_per_s: dense peak of one chip, F, in flop/s.
        n_chip: chips, n, a count.
        mfu_share: share of the peak reached, at most 1; 1 is the ideal limit.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0, or the share above 1.
    Leaves out attention over the context, which counts in long prefills.
    Source: Pope et al. 2022, section 2.
    """
    token, peak, chip, share = positive(
        step_token=step_token, peak_flop_per_s=peak_flop_per_s, n_chip=n_chip, mfu_share=mfu_share
    )
    flop = token * flop_per_token(model_param, flop_per_param_per_token=flop_per_param_per_token)
    return flop / (chip * share * peak)


def overlapped_step_time_s(
    weight_time_s: ArrayLike,
    compute_time_s: ArrayLike,
    *,
    kv_time_s: ArrayLike = 0,
    overhead_s: ArrayLike = 0,
) -> Result:
    """Step time if reading and computing overlap: ``max(weights + KV, compute) + overhead``.

    Args:
        weight_time_s: time to read the weights, in s; may be 0.
        compute_time_s: time of the matrix products, in s; may be 0.
        kv_time_s: time to read the KV cache, in s; may be 0.
        overhead_s: communication, launches and the rest, in s; may be 0.

    Raises ValueError where an argument is below 0.
    The lower bound of the three ways to join the parts.
    Source: Williams, Waterman, Patterson 2009 (Roofline).
    """
    weight, compute, cache, overhead = not_negative(
        weight_time_s=weight_time_s, compute_time_s=compute_time_s, kv_time_s=kv_time_s, overhead_s=overhead_s
    )
    return np.maximum(weight + cache, compute) + overhead


def serial_step_time_s(
    weight_time_s: ArrayLike,
    compute_time_s: ArrayLike,
    *,
    kv_time_s: ArrayLike = 0,
    overhead_s: ArrayLike = 0,
) -> Result:
    """Step time if nothing overlaps: ``weights + compute + KV + overhead``.

    Args:
        weight_time_s: time to read the weights, in s; may be 0.
        compute_time_s: time of the matrix products, in s; may be 0.
        kv_time_s: time to read the KV cache, in s; may be 0.
        overhead_s: communication, launches and the rest, in s; may be 0.

    Raises ValueError where an argument is below 0.
    The upper bound of the three ways to join the parts.
    Source: the sum of the parts.
    """
    weight, compute, cache, overhead = not_negative(
        weight_time_s=weight_time_s, compute_time_s=compute_time_s, kv_time_s=kv_time_s, overhead_s=overhead_s
    )
    return weight + compute + cache + overhead


def two_constant_step_time_s(
    read_byte: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    *,
    n_layer: ArrayLike,
    overhead_s_per_layer: ArrayLike,
    bandwidth_share: ArrayLike,
) -> Result:
    """Time of a decode step of few sequences on one chip: ``τ · L + bytes / (η · BW)``.

    Args:
        read_byte: weights and KV cache that the step reads, in byte.
        bandwidth_byte_per_s: memory bandwidth by the data sheet, BW, in byte/s.
        n_layer: layers, L, a count.
        overhead_s_per_layer: what a layer takes whatever its bytes, τ, in s/layer; may be 0.
        bandwidth_share: share of the bandwidth that products and attention reach, η, at most 1.

    Raises ValueError where an argument is out of range.
    Holds while reading outweighs arithmetic, for programs whose kernels are bound by memory: not for formats that must be unpacked.
    Source: two constants fitted to steps of one card, and carried to another by its bandwidth, in the chapter on servers.
    """
    [overhead] = not_negative(overhead_s_per_layer=overhead_s_per_layer)
    layer, share = positive(n_layer=n_layer, bandwidth_share=bandwidth_share)
    return layer * overhead + memory_time_s(read_byte, bandwidth_byte_per_s, mbu_share=share)


def pipelined_time_s(stage_time_s: ArrayLike, *, n_stage: ArrayLike, n_microbatch: ArrayLike = 1) -> Result:
    """Time until the last part of a batch leaves a pipeline of chips: ``(m + p − 1) · t_stage``.

    Args:
        stage_time_s: time one stage takes for one part of the batch, in s.
        n_stage: stages that divide the layers evenly, p, a count.
        n_microbatch: parts the batch is cut into, m, a count.

    Raises ValueError where an argument is not above 0.
    One part leaves all stages but one idle: more chips, and no step is faster.
    Source: Huang et al. 2019 (GPipe), section 2.3.
    """
    stage, depth, part = positive(stage_time_s=stage_time_s, n_stage=n_stage, n_microbatch=n_microbatch)
    return (part + depth - 1) * stage


ALL_REDUCE_PER_LAYER = 2
"""Sums over all chips that a layer cut by tensor parallelism needs: after attention and after the feed-forward part."""


def exchange_time_s(
    step_token: ArrayLike,
    *,
    n_layer: ArrayLike,
    model_dim: ArrayLike,
    activation_element_byte: ArrayLike,
    link_byte_per_s: ArrayLike,
    n_chip: ArrayLike,
) -> Result:
    """Time to sum activations over the chips that share each layer: ``L · 2 · 2(n − 1)/n · tokens · d · byte / link``.

    Args:
        step_token: tokens processed together, in token.
        n_layer: layers, L, a count.
        model_dim: width of the model, d, a count.
        activation_element_byte: bytes per activation, in byte.
        link_byte_per_s: what a chip sends in a second, in byte/s.
        n_chip: chips that share each layer, n, a count; 1 exchanges nothing.

    Raises ValueError where an argument is out of range.
    Volume only; the latency of each sum belongs to the time per layer.
    Source: Shoeybi et al. 2019 (Megatron-LM), section 3; ring all-reduce.
    """
    token, layer, width, byte, link, chip = positive(
        step_token=step_token, n_layer=n_layer, model_dim=model_dim, activation_element_byte=activation_element_byte,
        link_byte_per_s=link_byte_per_s, n_chip=n_chip,
    )  # fmt: skip
    return layer * ALL_REDUCE_PER_LAYER * 2 * (chip - 1) / chip * token * width * byte / link


def request_time_s(output_token: ArrayLike, *, prefill_time_s: ArrayLike, step_time_s: ArrayLike) -> Result:
    """Time of a whole request: ``prefill + tokens · step``.

    Args:
        output_token: tokens generated, in token; may be 0.
        prefill_time_s: time to process the prompt, in s; may be 0.
        step_time_s: time of a decode step, in s.

    Raises ValueError where an argument is out of range.
    Leaves out the wait in the queue, and other requests' prefills between the steps.
    Source: Pope et al. 2022, section 2.
    """
    token, prefill = not_negative(output_token=output_token, prefill_time_s=prefill_time_s)
    [step] = positive(step_time_s=step_time_s)
    return prefill + token * step


# ------------------------------------------------------------------------------ utilization, throughput


def ridge_batch_size(
    peak_flop_per_s: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    *,
    byte_per_param: ArrayLike,
    unshared_byte_per_param: ArrayLike = 0,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Batch at which computing takes as long as reading: ``B* = b / (2 · BW / F − u)``.

    With u = 0 it is ``F · b / (2 · BW)``.

    Args:
        peak_flop_per_s: dense peak, F, in flop/s.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        byte_per_param: bytes per stored parameter, b, in byte/param.
        unshared_byte_per_param: bytes each sequence adds (its KV cache, or activations) over the parameters,
            u, in byte/param; may be 0.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is out of range.
    Infinite where each sequence adds more reading than computing: then no batch is compute-bound.
    Source: Austin et al. 2025 (How To Scale Your Model), parts 1 and 8.
    """
    peak, bandwidth, byte, flop = positive(
        peak_flop_per_s=peak_flop_per_s,
        bandwidth_byte_per_s=bandwidth_byte_per_s,
        byte_per_param=byte_per_param,
        flop_per_param_per_token=flop_per_param_per_token,
    )
    [unshared] = not_negative(unshared_byte_per_param=unshared_byte_per_param)
    with np.errstate(divide="ignore"):
        return byte / np.maximum(flop * bandwidth / peak - unshared, 0)


def half_gain_batch_size(
    ridge_batch_size: ArrayLike, *, bandwidth_byte_per_s: ArrayLike, faster_bandwidth_byte_per_s: ArrayLike
) -> Result:
    """Batch at which half of what a faster memory brings to the same processor is gone: ``2 · B* / (1 + r)``.

    Between the two ridges, ``B*/r`` and ``B*``, only the slower memory still holds its processor up: the gain is
    ``B* / B``, and half of ``r − 1`` is left where that is ``(1 + r) / 2``.

    Args:
        ridge_batch_size: ridge batch of the processor with the slower memory, B*, a count.
        bandwidth_byte_per_s: bandwidth of the slower memory, in byte/s.
        faster_bandwidth_byte_per_s: bandwidth of the faster memory, r times as much, in byte/s.

    Raises ValueError where an argument is not above 0, or the faster memory is slower.
    At peak rates, with reading and arithmetic overlapped and weights alone: caches move it up, a peak not reached down.
    Source: Williams, Waterman, Patterson 2009 (Roofline), applied to two memories.
    """
    ridge, slow, fast = positive(
        ridge_batch_size=ridge_batch_size,
        bandwidth_byte_per_s=bandwidth_byte_per_s,
        faster_bandwidth_byte_per_s=faster_bandwidth_byte_per_s,
    )
    not_above("faster_bandwidth_byte_per_s", fast, bandwidth_byte_per_s=slow)
    return 2 * ridge / (1 + fast / slow)


def mfu_share(
    processed_token: ArrayLike,
    time_s: ArrayLike,
    *,
    model_param: ArrayLike,
    peak_flop_per_s: ArrayLike,
    n_chip: ArrayLike = 1,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Model FLOP utilization: ``2 · tokens · P / (n · F · t)``.

    Args:
        processed_token: tokens of all sequences, prompt and output, in token.
        time_s: time they took, t, in s.
        model_param: parameters a token uses, P, in param.
        peak_flop_per_s: dense peak of one chip, F, in flop/s.
        n_chip: chips, n, a count.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    Above 1 a figure is wrong: a sparse peak, or total for active parameters.
    Source: Chowdhery et al. 2022 (PaLM), section 4.1; Pope et al. 2022, section 4.
    """
    token, time = positive(processed_token=processed_token, time_s=time_s)
    ideal = compute_time_s(
        token,
        model_param=model_param,
        peak_flop_per_s=peak_flop_per_s,
        n_chip=n_chip,
        flop_per_param_per_token=flop_per_param_per_token,
    )
    return ideal / time


def mbu_share(
    read_byte: ArrayLike,
    time_s: ArrayLike,
    *,
    bandwidth_byte_per_s: ArrayLike,
    n_chip: ArrayLike = 1,
) -> Result:
    """Model bandwidth utilization: ``bytes / (n · BW · t)``.

    Args:
        read_byte: weights plus KV cache a step must read, in byte.
        time_s: time of the step, t, in s.
        bandwidth_byte_per_s: memory bandwidth of one chip, BW, in byte/s.
        n_chip: chips, n, a count.

    Raises ValueError where an argument is out of range.
    Above 1 a figure is wrong: weights not read, or bandwidth of another part of the same name.
    Source: Agarwal et al. 2023 (Databricks), LLM Inference Performance Engineering.
    """
    [time] = positive(time_s=time_s)
    return memory_time_s(read_byte, bandwidth_byte_per_s, n_chip=n_chip) / time


def throughput_token_per_s(step_time_s: ArrayLike, *, batch_size: ArrayLike) -> Result:
    """Tokens per second of all users together: ``B / t_step``.

    Args:
        step_time_s: time of a decode step, in s.
        batch_size: sequences in the step, B, a count.

    Raises ValueError where an argument is not above 0.
    Each user sees 1 / t_step; speculative decoding adds a factor.
    Source: Austin et al. 2025 (How To Scale Your Model), part 7.
    """
    step, batch = positive(step_time_s=step_time_s, batch_size=batch_size)
    return batch / step


def chip_time_per_token_s(step_time_s: ArrayLike, *, batch_size: ArrayLike, n_chip: ArrayLike = 1) -> Result:
    """Chip-seconds a token costs: ``n · t_step / B``.

    Args:
        step_time_s: time of a decode step, in s.
        batch_size: sequences in the step, B, a count.
        n_chip: chips, n, a count.

    Raises ValueError where an argument is not above 0.
    Its inverse is the throughput per chip.
    Source: Pope et al. 2022, figure 1.
    """
    step, batch, chip = positive(step_time_s=step_time_s, batch_size=batch_size, n_chip=n_chip)
    return chip * step / batch


def read_energy_j_per_bit(step_energy_j: ArrayLike, *, read_byte: ArrayLike, idle_energy_j: ArrayLike = 0) -> Result:
    """Energy that a bit read costs, whatever else the step does: ``(E − E_idle) / (8 · bytes)``.

    Args:
        step_energy_j: energy of a step, E, in j.
        read_byte: weights and KV cache that the step reads, in byte.
        idle_energy_j: what the idle chip takes in the same time, E_idle, in j; 0 leaves it on the account of the bits.

    Raises ValueError where an argument is out of range.
    Of the whole chip: memory, caches and arithmetic.  It means the memory only where reading is nearly all that is done, at batch 1.
    Source: definition.
    """
    energy, byte = positive(step_energy_j=step_energy_j, read_byte=read_byte)
    [idle] = not_negative(idle_energy_j=idle_energy_j)
    return (energy - idle) / (BIT_PER_BYTE * byte)


# ------------------------------------------------------------------------------------- cost of memory


def memory_cost_ratio(price_ratio: ArrayLike, *, batch_size: ArrayLike, kv_to_weight_ratio: ArrayLike = 0) -> Result:
    """Memory cost per user, server over client: ``ρ · (1/B + κ) / (1 + κ)``.

    Args:
        price_ratio: price per byte of the server's memory over the client's, ρ, a ratio.
        batch_size: users the server serves at once, B, a count; the client serves one.
        kv_to_weight_ratio: KV cache of one user over the weights, κ, a ratio; may be 0.

    Raises ValueError where an argument is out of range.
    Tends to ρ · κ / (1 + κ) for many users: the cache is not shared.
    Source: SemiAnalysis, 13 May 2023 (memory at 4 times the price, shared by 256), with the cache added.
    """
    price, batch = positive(price_ratio=price_ratio, batch_size=batch_size)
    [cache] = not_negative(kv_to_weight_ratio=kv_to_weight_ratio)
    return price * (1 / batch + cache) / (1 + cache)


def memory_cost_share(memory_usd: ArrayLike, total_usd: ArrayLike) -> Result:
    """Share of a chip's cost that is its memory: ``memory / total``.

    Args:
        memory_usd: cost of the memory, in usd; may be 0.
        total_usd: cost of everything, the memory included, in usd.

    Raises ValueError where an argument is out of range.
    Of manufacturing cost; of the sale price it is several times less.
    Source: definition.
    """
    [memory] = not_negative(memory_usd=memory_usd)
    [total] = positive(total_usd=total_usd)
    return memory / total
