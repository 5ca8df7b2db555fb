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

from analysis import units

MISSING = "unknown"
WHOLE = {
    "share": (100.0, "", " %"), "ratio": (1.0, "", "×"), "usd": (1.0, "$", ""), "usd_per_byte": (1e9, "$", " per GB"),
    "": (1.0, "", ""), "count": (1.0, "", ""), "text": (1.0, "", ""),
}  # fmt: skip
"""Units whose sign stands close to the number: factor, before it, after it."""
FIRST_CALENDAR_YEAR = 1900
"""Beyond this a number of years is a date."""
AFTER_NUMBER = re.compile(r"(?<=\d) (?=[^\W\d_]|%)")


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


def _stepped(value: float, steps: units.Steps, digits: int) -> tuple[str, str]:
    for step, symbol in steps:
        if settled(abs(value)) >= settled(step * (1 - float(f"5e-{digits + 1}"))):
            return number(value / step, digits), symbol
    step, symbol = next((one for one in steps if one[0] == 1.0), steps[-1]) if not value else steps[-1]
    return number(value / step, digits), symbol


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """``value`` (in the base unit ``unit``) with the prefix that reads best: 34.128e9, ``byte_per_s`` → ``34.1 GB/s``."""
    if value is None or math.isnan(value):
        return MISSING
    if unit in WHOLE:
        factor, before, after = WHOLE[unit]
        return f"{before}{number(value * factor, digits)}{after}"
    if unit == "year" and value > FIRST_CALENDAR_YEAR:
        return f"{value:.0f}"
    steps, after = units.steps(unit)
    if not steps:
        return f"{number(value, digits)} {after}"
    text, prefix = _stepped(value, steps, digits)
    return f"{text} {prefix}{after}"


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


SPELLED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def spelled(count: int) -> str:
    """A small count in words, a larger one in digits: ``four``, ``27``."""
    return SPELLED[count] if count < len(SPELLED) else f"{count:,}"


def sources(count: int) -> str:
    """``one source``, ``four sources``: what a title says that rests on few."""
    return f"{spelled(count)} {'source' if count == 1 else 'sources'}"


def unbroken(text: str) -> str:
    """``text`` with a space that no line breaks at between a number and what it counts: 87 %, 3.37 GB, 4.1 B."""
    return AFTER_NUMBER.sub("\N{NO-BREAK SPACE}", text)
