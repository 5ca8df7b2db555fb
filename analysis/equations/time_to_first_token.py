"""Waiting: the roof of reading a prompt, what a reused prefix spares, energy by the bit, and how many agents keep within limits."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations import memory_wall, server_batching
from analysis.equations.constants import BIT_PER_BYTE, FLOP_PER_PARAM_PER_TOKEN
from analysis.equations.ranges import Result, not_negative, positive

# ------------------------------------------------------------------------------------------- the prompt


def prefill_roof_s(
    prompt_token: ArrayLike,
    *,
    model_param: ArrayLike,
    weight_byte: ArrayLike,
    peak_flop_per_s: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Least time to read a prompt: ``max(W / BW, 2 · P · n / F)``.

    Args:
        prompt_token: tokens that are read together, n, in token.
        model_param: parameters a token uses, P, in param.
        weight_byte: bytes of the weights, read once for all of them, W, in byte.
        peak_flop_per_s: dense peak, F, in flop/s.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    The two are equal at the ridge batch: a prompt is a batch of tokens.  Leaves out attention, which grows with the square of n.
    Source: Austin et al. 2025 (How To Scale Your Model), part 7.
    """
    token, byte = positive(prompt_token=prompt_token, weight_byte=weight_byte)
    reading = server_batching.memory_time_s(byte, bandwidth_byte_per_s)
    computing = server_batching.compute_time_s(
        token, model_param=model_param, peak_flop_per_s=peak_flop_per_s,
        flop_per_param_per_token=flop_per_param_per_token,
    )  # fmt: skip
    return server_batching.overlapped_step_time_s(reading, computing)


def new_prompt_token(prompt_token: ArrayLike, *, reused_share: ArrayLike) -> Result:
    """Tokens of a prompt that must be read though its beginning was read before: ``n · (1 − ρ)``.

    Args:
        prompt_token: tokens of the whole prompt, n, in token.
        reused_share: share of them at its beginning whose keys and values are still there, ρ, from 0 to 1.

    Raises ValueError where an argument is out of range.
    Only a beginning counts: one changed word makes all that follows it new.
    Source: Zheng et al. 2024 (SGLang), section 3; Qin et al. 2025 (Mooncake).
    """
    [token] = positive(prompt_token=prompt_token)
    [reused] = not_negative(reused_share=reused_share)
    return token * (1 - reused)


# ------------------------------------------------------------------------------------------------ energy


def energy_j_per_token(
    read_byte_per_token: ArrayLike,
    flop_per_token: ArrayLike,
    *,
    reading_j_per_bit: ArrayLike,
    computing_j_per_flop: ArrayLike,
) -> Result:
    """Energy of a token by what it reads and computes: ``8 · w · ε + f · φ``.

    Args:
        read_byte_per_token: bytes a token reads, its share of a batch's, w, in byte/token; may be 0.
        flop_per_token: operations of a token, f, in flop/token; may be 0.
        reading_j_per_bit: energy of a bit read, ε, in j/bit; may be 0.
        computing_j_per_flop: energy of an operation, φ, in j/flop; may be 0.

    Raises ValueError where an argument is below 0.
    Two constants of one card and one number format; a server that waits for work adds its idle power.
    Source: Horowitz 2014 (Computing's energy problem): data moved and operations done are counted apart.
    """
    byte, flop, bit_energy, flop_energy = not_negative(
        read_byte_per_token=read_byte_per_token, flop_per_token=flop_per_token, reading_j_per_bit=reading_j_per_bit,
        computing_j_per_flop=computing_j_per_flop,
    )  # fmt: skip
    return BIT_PER_BYTE * byte * bit_energy + flop * flop_energy


def turn_energy_j(
    prompt_token: ArrayLike,
    output_token: ArrayLike,
    *,
    prompt_j_per_token: ArrayLike,
    answer_j_per_token: ArrayLike,
) -> Result:
    """Energy of a turn: ``n · e_prompt + m · e_answer``.

    Args:
        prompt_token: tokens of the prompt that must be read, n, in token; may be 0.
        output_token: tokens written, m, in token; may be 0.
        prompt_j_per_token: energy of a token read, e_prompt, in j/token; may be 0.
        answer_j_per_token: energy of a token written, e_answer, in j/token; may be 0.

    Raises ValueError where an argument is below 0.
    A token of a long context costs more than the first ones.
    Source: the sum of two phases.
    """
    prompt, output, reading, writing = not_negative(
        prompt_token=prompt_token, output_token=output_token, prompt_j_per_token=prompt_j_per_token,
        answer_j_per_token=answer_j_per_token,
    )  # fmt: skip
    return prompt * reading + output * writing


def battery_token(battery_j: ArrayLike, energy_j_per_token: ArrayLike) -> Result:
    """Tokens that a full battery writes: ``E / e``.

    Args:
        battery_j: energy of the full battery, E, in j.
        energy_j_per_token: energy of a token, e, in j/token.

    Raises ValueError where an argument is not above 0.
    Nothing else on the device, and no prompt; an old battery holds less.
    Source: Liu et al. 2024 (MobileLLM), section 1.
    """
    battery, energy = positive(battery_j=battery_j, energy_j_per_token=energy_j_per_token)
    return battery / energy


# ------------------------------------------------------------------------------------------------ agents


def agents_at_speed_count(
    token_per_s: ArrayLike,
    *,
    weight_byte: ArrayLike,
    cache_byte: ArrayLike,
    bandwidth_byte_per_s: ArrayLike,
    model_param: ArrayLike,
    peak_flop_per_s: ArrayLike,
) -> Result:
    """Most agents that all write at a rate: ``min((BW / r − W) / KV, F / (2 · P · r))``, at least 0.

    Args:
        token_per_s: tokens per second of each agent, r, in token/s.
        weight_byte: bytes of the weights, read once for all, W, in byte.
        cache_byte: KV cache of one agent, KV, in byte.
        bandwidth_byte_per_s: memory bandwidth, BW, in byte/s.
        model_param: parameters a token uses, P, in param.
        peak_flop_per_s: dense peak, F, in flop/s.

    Raises ValueError where an argument is not above 0.
    While no prompt is read: reading and computing overlap, and nothing comes on top.
    Source: Austin et al. 2025 (How To Scale Your Model), part 7.
    """
    rate, weight, cache, bandwidth, peak = positive(
        token_per_s=token_per_s, weight_byte=weight_byte, cache_byte=cache_byte,
        bandwidth_byte_per_s=bandwidth_byte_per_s, peak_flop_per_s=peak_flop_per_s,
    )  # fmt: skip
    by_reading = (bandwidth / rate - weight) / cache
    by_computing = peak / (memory_wall.flop_per_token(model_param) * rate)
    return np.maximum(np.minimum(by_reading, by_computing), 0)


def agents_at_first_token_count(
    first_token_s: ArrayLike,
    *,
    prompt_token: ArrayLike,
    model_param: ArrayLike,
    peak_flop_per_s: ArrayLike,
    flop_per_param_per_token: ArrayLike = FLOP_PER_PARAM_PER_TOKEN,
) -> Result:
    """Most agents whose prompts, all sent at once, are read in a time: ``T · F / (2 · P · n)``.

    Args:
        first_token_s: time until the last of them has its first token, T, in s.
        prompt_token: tokens of each prompt that must be read, n, in token.
        model_param: parameters a token uses, P, in param.
        peak_flop_per_s: dense peak, F, in flop/s.
        flop_per_param_per_token: one multiplication and one addition, in flop/param/token.

    Raises ValueError where an argument is not above 0.
    The worst case of arrivals; leaves out attention and the reading of the weights.
    Source: Pope et al. 2022, section 2.
    """
    time, token = positive(first_token_s=first_token_s, prompt_token=prompt_token)
    return time / server_batching.compute_time_s(
        token, model_param=model_param, peak_flop_per_s=peak_flop_per_s,
        flop_per_param_per_token=flop_per_param_per_token,
    )  # fmt: skip
