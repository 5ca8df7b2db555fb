"""The calibrated model: what a decode step really takes, beside the ideal limit, and how far off it was."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations import elementary
from analysis.equations.ranges import Result, checked, not_negative, positive

# ------------------------------------------------------------------------------------- parts of a step


@checked("decline_share_per_year")
def aging_ratio(decline_share_per_year: Result, introduced_year: Result, reference_year: Result) -> Result:
    """How much more a cost weighs on an older generation of chips: ``exp(r · (reference − introduced))``.

    Args:
        decline_share_per_year: rate at which newer generations shed the cost, r, in share/year; may be 0.
        introduced_year: year in which the generation of the chip was introduced, in year.
        reference_year: year of the generation for which the cost is stated, in year.

    Raises ValueError where an argument is out of range.
    An average over vendors; single generations jump.
    Source: a shape chosen by cross-validation over chips, see the chapter on validation.
    """
    return elementary.exp(decline_share_per_year * (reference_year - introduced_year))


@checked("launch_s_per_layer ageless_s_per_layer width_s_per_layer routing_s_per_layer")
def overhead_s_per_layer(
    launch_s_per_layer: Result,
    aging_ratio: Result = 1,
    *,
    width_s_per_layer: Result,
    bandwidth_byte_per_s: Result,
    reference_bandwidth_byte_per_s: Result,
    ageless_s_per_layer: Result = 0,
    routing_s_per_layer: Result = 0,
) -> Result:
    """Time a layer takes whatever its weights: ``launch · aging + ageless + width · BW / BW_ref + routing``.

    Args:
        launch_s_per_layer: launches and small operations of a layer under its software, in s/layer; 0 on processor cores.
        aging_ratio: factor of an older generation, a ratio.
        width_s_per_layer: what a chip of the reference bandwidth needs on top, in s/layer; may be 0.
        bandwidth_byte_per_s: memory bandwidth that is made use of, BW, in byte/s.
        reference_bandwidth_byte_per_s: bandwidth for which the width is stated, BW_ref, in byte/s.
        ageless_s_per_layer: what a layer takes on chips of any generation, in s/layer; may be 0.
        routing_s_per_layer: what choosing and gathering experts adds, in s/layer; 0 for a dense model.

    Raises ValueError where an argument is out of range.
    Belongs to the software stack: another engine has other values.
    Source: measurements of llama.cpp; adding it halves the error, see the chapter on validation.
    """
    launch = launch_s_per_layer * aging_ratio + ageless_s_per_layer
    return launch + width_s_per_layer * (bandwidth_byte_per_s / reference_bandwidth_byte_per_s) + routing_s_per_layer


@checked("width_s")
def useful_bandwidth_byte_per_s(
    bandwidth_byte_per_s: Result,
    *,
    read_byte: Result,
    width_s: Result,
    reference_bandwidth_byte_per_s: Result,
    bandwidth_share: Result,
) -> Result:
    """Bandwidth up to which a wider chip pays: ``min(BW, √(W · BW_ref / (η · w)))``.

    Args:
        bandwidth_byte_per_s: memory bandwidth of the chip, BW, in byte/s.
        read_byte: bytes of weights and cache a step reads, W, in byte.
        width_s: what all layers of a step take on top on a chip of the reference bandwidth, w, in s; may be 0.
        reference_bandwidth_byte_per_s: bandwidth for which the width is stated, BW_ref, in byte/s.
        bandwidth_share: share of the bandwidth that a program reaches, η, at most 1.

    Raises ValueError where an argument is out of range.
    A wide chip that is given little to read is no slower than a narrower one of its kind: the overhead stops growing there.
    Source: where ``w · BW / BW_ref + W / (η · BW)`` is least over BW.
    """
    reference = reference_bandwidth_byte_per_s / bandwidth_share
    return np.minimum(bandwidth_byte_per_s, np.sqrt(read_byte * reference / np.maximum(width_s, LEAST_S)))


LEAST_S = 1e-30
"""In place of no time at all, where it is divided by."""


@checked("op_per_param")
def unpacking_time_s(weight_param: Result, *, op_per_param: Result, op_per_s: Result) -> Result:
    """Time that processor cores take to unpack the weights of a step: ``P · ω / A``; reading hides behind it, or it behind reading.

    Args:
        weight_param: weights a step reads, P, in param.
        op_per_param: operations that unpacking and multiplying a weight take, ω, in op/param; may be 0.
        op_per_s: operations per second of the cores in use, A, in op/s.

    Raises ValueError where an argument is out of range.
    Belongs to engine and format: code for one format may be three times as fast as for the next.
    Source: measurements of llama.cpp on phones and computers, see the chapter on validation.
    """
    return weight_param * op_per_param / op_per_s


@checked("unpacking_bit_per_param")
def dequantised_byte(weight_byte: Result, bit_per_param: Result, *, unpacking_bit_per_param: Result) -> Result:
    """Bytes that would take as long to read as the weights take to read and unpack: ``W · (1 + δ / b)``.

    Args:
        weight_byte: bytes of the weights read in a step, W, in byte.
        bit_per_param: effective bits per weight, b, in bit/param.
        unpacking_bit_per_param: what unpacking costs, as if so many more bits were read, δ, in bit/param; may be 0.

    Raises ValueError where an argument is out of range.
    Unpacking is arithmetic: a chip with more arithmetic per byte pays less of it.
    Source: measurements of 1 to 5 bit formats, see the chapter on validation.
    """
    return weight_byte * (1 + unpacking_bit_per_param / bit_per_param)


@checked()
def reached_byte_per_s(
    bandwidth_byte_per_s: Result, bandwidth_share: Result, ceiling_byte_per_s: Result = np.inf
) -> Result:
    """Bandwidth a program reaches: ``min(η · BW, ceiling)``.

    Args:
        bandwidth_byte_per_s: memory bandwidth by the data sheet, BW, in byte/s.
        bandwidth_share: share of it that a program reaches, η, at most 1.
        ceiling_byte_per_s: most that the reading unit took in where it was fitted, in byte/s; infinite where none is known.

    Raises ValueError where an argument is out of range.
    A ceiling is that of the runs it was fitted to: other processors, or more threads, may take in far more.
    Source: the definition of utilization; measured shares in the chapter on validation.
    """
    return np.minimum(bandwidth_share * bandwidth_byte_per_s, ceiling_byte_per_s)


@checked("overhead_s_per_layer kv_cache_byte unpacking_time_s")
def decode_step_time_s(
    read_byte: Result,
    reached_byte_per_s: Result,
    *,
    n_layer: Result,
    overhead_s_per_layer: Result,
    kv_cache_byte: Result = 0,
    kv_cost_ratio: Result = 1,
    unpacking_time_s: Result = 0,
) -> Result:
    """Expected time of a decode step: ``L · t_layer + max((W + k · KV) / reached, unpacking)``.

    Args:
        read_byte: bytes of weights, unpacking on a graphics processor included, W, in byte.
        reached_byte_per_s: bandwidth the program reaches, in byte/s.
        n_layer: layers, L, a count.
        overhead_s_per_layer: time a layer takes whatever its weights, t_layer, in s/layer; may be 0.
        kv_cache_byte: KV cache read in the step, KV, in byte; may be 0.
        kv_cost_ratio: cost of a byte of cache over a byte of weights, k, a ratio.
        unpacking_time_s: time that processor cores take to unpack meanwhile, in s; 0 on other chips.

    Raises ValueError where an argument is out of range.
    Holds below the ridge batch; at larger batches computing joins in.
    Source: additive form of a bandwidth-bound step; fitted to public measurements in the chapter on validation.
    """
    overhead = n_layer * overhead_s_per_layer
    reading = overhead + read_byte / reached_byte_per_s + kv_cost_ratio * kv_cache_byte / reached_byte_per_s
    return np.maximum(reading, overhead + unpacking_time_s)


def typical_layer(
    model_param: ArrayLike, *, reference_param: ArrayLike, reference_layer: ArrayLike, growth_ratio: ArrayLike
) -> Result:
    """Layers of a model of which only the size is known: ``L_ref · (P / P_ref)^g``.

    Args:
        model_param: parameters of the model, P, in param.
        reference_param: parameters of the model for which the layers are stated, P_ref, in param.
        reference_layer: layers of that model, L_ref, in layer.
        growth_ratio: growth of the layers over growth of the parameters, both as logarithms, g, a ratio.

    Raises ValueError where an argument is not above 0.
    A stand-in: models of one size differ by a third in their layers.
    Source: a line through the models of this book on logarithmic scales.
    """
    param, reference, layer, growth = positive(
        model_param=model_param,
        reference_param=reference_param,
        reference_layer=reference_layer,
        growth_ratio=growth_ratio,
    )
    return layer * elementary.power(param / reference, growth)


# ------------------------------------------------------------------------------------ what it is worth


def speed_error_ratio(predicted_token_per_s: ArrayLike, measured_token_per_s: ArrayLike) -> Result:
    """Relative error of a predicted speed: ``|predicted / measured − 1|``.

    Args:
        predicted_token_per_s: predicted tokens per second, in token/s.
        measured_token_per_s: measured tokens per second, in token/s.

    Raises ValueError where an argument is not above 0.
    Bounded by 1 from below, unbounded from above: too fast a prediction can cost more than too slow a one.
    Source: definition; the error that other tools publish.
    """
    predicted, measured = positive(
        predicted_token_per_s=predicted_token_per_s, measured_token_per_s=measured_token_per_s
    )
    return np.abs(predicted / measured - 1)


def interval_end_ratio(speed_ratio: ArrayLike, weight_count: ArrayLike, tail_share: ArrayLike) -> Result:
    """End of an interval: what a share of measured over predicted speeds lies below, rounded outwards.

    Args:
        speed_ratio: measured over predicted speeds of chips that were left out, a ratio.
        weight_count: weight of each, such as 1 / rows of its chip; the sum over the largest is the size of the sample.
        tail_share: share of the weight below the end, at most 1; 0.1 for the lower end of an 80 % interval.

    Raises ValueError where an argument is out of range.
    As good as the claim that a new chip is drawn like the known ones; it knows nothing of new kinds of chips.
    Source: Vovk et al. 2005, conformal prediction, with its correction for a finite sample.
    """
    ratio, weight, tail = not_negative(speed_ratio=speed_ratio, weight_count=weight_count, tail_share=tail_share)
    order = np.lexsort((weight, ratio))
    middle = np.cumsum(weight[order]) - weight[order] / 2
    outward = 0.5 + (tail - 0.5) * (1 + np.max(weight) / np.sum(weight))
    return float(np.interp(outward * np.sum(weight), middle, ratio[order]))
