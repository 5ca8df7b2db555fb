"""Numbers as a reader reads them: two or three significant digits, with the unit, never a raw float.

>>> quantity(34.128e9, "byte_per_s")
'34.1 GB/s'
>>> quantity(1.0238e9, "param")
'1.02 B parameters'
>>> quantity(0.12, "s")
'120 ms'
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

MISSING = "unknown"
AFTER_NUMBER = re.compile(r"(?<=\d) (?=[^\W\d_]|%)")
STEPS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
COUNTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
SECONDS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SYMBOLS = {
    "byte": "B", "byte_per_s": "B/s", "byte_per_token": "B per token", "flop": "FLOP", "flop_per_s": "FLOP/s",
    "op_per_s": "op/s", "flop_per_token": "FLOP per token", "bit": "bit",
}  # fmt: skip
PLAIN = {
    "token_per_s": "tokens per second", "flop_per_byte": "FLOP per byte", "word_per_min": "words per minute",
    "token_per_word": "tokens per word", "mm2": "mm²", "usd_per_gbyte": "USD per GB", "token": "tokens", "year": "years",
    "bit_per_param": "bits per parameter", "byte_per_param": "bytes per parameter", "w": "W", "um2": "µm²",
}  # fmt: skip


def settled(value: float) -> float:
    """``value`` at twelve significant digits: what is equal but for the last bits becomes equal, and a half stays a half."""
    return float(f"{value:.12g}")


def significant(value: float, digits: int = 6) -> float:
    """``value`` at so many significant digits, six as data are published: what its last bits say never shows."""
    return float(f"{settled(value):.{digits}g}")


def magnitude(value: float) -> int:
    """The power of ten of the first digit: 999 → 2, 0.05 → −2; read from the digits, as logarithms end a bit above or below."""
    return int(f"{value:.16e}".partition("e")[2])


def number(value: float, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits, thousands separated, no exponent: 1234.5 → ``1,230``."""
    if value is None or math.isnan(value):
        return MISSING
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else ("∞" if value > 0 else "−∞")
    rounded = significant(value, digits)
    places = digits - 1 - magnitude(rounded)
    return f"{rounded:,.{max(places, 0)}f}".replace("-", "−")


def fixed(value: float, places: int) -> str:
    """``value`` with ``places`` decimals; one too small to show any digit that way keeps two significant digits."""
    if value and abs(settled(value)) < float(f"5e-{places + 1}"):
        return number(value, 2)
    return f"{settled(value):,.{places}f}".replace("-", "−")


def _stepped(value: float, steps: Sequence[tuple[float, str]], digits: int) -> tuple[str, str]:
    for step, symbol in steps:
        if settled(abs(value)) >= settled(step * (1 - float(f"5e-{digits + 1}"))):
            return number(value / step, digits), symbol
    step, symbol = steps[-1]
    return (number(value, digits), "") if step > 1 else (number(value / step, digits), symbol)


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """``value`` (in the base unit ``unit``) with the prefix that reads best: 34.128e9, ``byte_per_s`` → ``34.1 GB/s``."""
    if value is None or math.isnan(value):
        return MISSING
    if unit in SYMBOLS:
        text, prefix = _stepped(value, STEPS, digits)
        return f"{text} {prefix}{SYMBOLS[unit]}"
    if unit in ("param", "transistor"):
        text, prefix = _stepped(value, COUNTS, digits)
        return f"{text} {prefix} {unit}eters".replace("transistoreters", "transistors").replace("  ", " ")
    if unit == "s":
        return " ".join(_stepped(value, SECONDS, digits)) if value else "0 s"
    return _fixed(value, unit, digits)


def _fixed(value: float, unit: str, digits: int) -> str:
    if unit == "share":
        return f"{number(value * 100, digits)} %"
    if unit == "ratio":
        return f"{number(value, digits)}×"
    if unit == "usd":
        return f"${number(value, digits)}"
    if unit in ("", "count", "text"):
        return number(value, digits)
    return f"{number(value, digits)} {PLAIN.get(unit, unit.replace('_per_', ' per ').replace('_', ' '))}"


def listing(items: Sequence[str], conjunction: str = "and") -> str:
    """``a, b and c``; an empty list reads ``none``."""
    if not items:
        return "none"
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def plural(count: int, singular: str, many: str | None = None) -> str:
    """``1 device``, ``3 devices``."""
    return f"{count:,} {singular if count == 1 else (many or singular + 's')}"


def unbroken(text: str) -> str:
    """``text`` with a space that no line breaks at between a number and what it counts: 87 %, 3.37 GB, 4.1 B."""
    return AFTER_NUMBER.sub("\N{NO-BREAK SPACE}", text)
