"""What a browser computes and writes, as Vega expressions: numbers in readers' units, and the largest model by bandwidth.

Each stands here once and has its twin in Python; tests have the renderer evaluate it and hold it against that twin.
"""

from __future__ import annotations

import math

from analysis import units, words

TICK, TOLD = ",~r", ",.3r"
"""Formats of d3: a tick without zeros behind it; three significant digits, as ``words.number`` has them."""
ROUNDED_UP = 1 - 0.5e-3
"""From this share of a step on a number of three digits reads as the step: 999.9 MB is 1.00 GB."""


def quantity(unit: str, of: str = "datum.value", number: str = TOLD, largest: float = math.inf) -> str:
    """Write what ``words.quantity(value, unit)`` says: steps, symbol and words are the same rows.

    unit    a base unit; of: the expression of the value; number: the format of its digits; largest: step that is used
    """
    if unit in words.WHOLE:
        factor, before, after = words.WHOLE[unit]
        scaled = of if factor == 1 else f"{of} * {factor:g}"
        digits = f"{of} === 0 ? ',' : '{number}'"
        return f"'{before}' + format({scaled}, {digits}) + '{after}'"
    if unit == "year":
        return f"{of} > {words.FIRST_CALENDAR_YEAR} ? format({of}, 'd') : format({of}, '{number}') + ' {units.phrase(unit)}'"
    steps, after = units.steps(unit)
    if not steps:
        whole = f"{of} === floor({of}) ? ',' : '{number}'"
        return f"format({of}, {whole}) + ' {after}'"
    *larger, last = [
        (size, f"format({of} / {size:g}, '{number}') + ' {prefix}{after}'".replace(" / 1,", ","))
        for size, prefix in steps
        if size <= largest
    ]
    said = "".join(f"abs({of}) >= {size * ROUNDED_UP:g} ? {text} : " for size, text in larger)
    return f"{of} === 0 ? '0 {dict(steps)[1.0]}{after}' : {said}{last[1]}"


def tick(unit: str, of: str = "datum.value") -> str:
    """Write a tick of an axis: with its unit where the number has steps or stands close to its sign, else alone.

    Times stay in seconds above a second: powers of ten are no round minutes.
    """
    if unit == "year":
        return f"format({of}, 'd')"
    steps = units.steps(unit)[0] if unit else ()
    if not steps and unit not in words.WHOLE:
        return f"format({of}, '{TICK}')"
    written = quantity(unit, of, TICK, 1.0 if steps == units.TIMES else math.inf)
    return written.replace(" parameters'", "'")


def largest_by_bandwidth(*, bandwidth_share: str, reading_speed: str, tokens: str, byte_per_param: str) -> str:
    """Compute the largest model that the bandwidth reads at reading speed; its twin is ``largest_model_param``.

    Each argument is the name of a slider or a column of the row; ``reading_speed`` in words per minute, ``tokens`` per word.
    """
    rate = reading_rate(reading_speed, tokens)
    return f"{bandwidth_share} * datum.memory_bandwidth_byte_per_s / {rate} / {byte_per_param}"


def needed_bandwidth(*, bandwidth_share: str, reading_speed: str, tokens: str, byte_per_param: str) -> str:
    """Compute the bandwidth at which a model of ``model_param`` is read at reading speed; its twin is ``bandwidth_needed_byte_per_s``."""
    return f"datum.model_param * {byte_per_param} * {reading_rate(reading_speed, tokens)} / {bandwidth_share}"


def reading_rate(reading_speed: str, tokens: str) -> str:
    """Tokens per second of a reader, from words per minute."""
    return f"({reading_speed} * {tokens} / {units.unit('min').factor:g})"
