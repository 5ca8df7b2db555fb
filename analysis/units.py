"""Units are the last part of a name, spelled out: ``memory_bandwidth_gbyte_per_s``, ``bitcell_area_um2``.

The list of unit words is closed.  ``k m g t`` are powers of ten, ``ki mi gi ti`` powers of two, ``_per_`` is the slash.
Files keep the unit their source printed; everything inside the package is in base units.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

DECIMAL = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}
BINARY = {"ki": 2.0**10, "mi": 2.0**20, "gi": 2.0**30, "ti": 2.0**40}

PREFIXED = ("byte", "bit", "flop", "op", "param", "transistor", "transfer", "hz")
"""Base words that take every prefix."""

PLAIN: dict[str, tuple[str, float]] = {
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "us": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "mm2": ("mm2", 1.0),
    "um2": ("mm2", 1e-6),
    "nm": ("nm", 1.0),
    "word": ("word", 1.0),
    "token": ("token", 1.0),
    "layer": ("layer", 1.0),
    "w": ("w", 1.0),
    "j": ("j", 1.0),
    "pj": ("j", 1e-12),
    "usd": ("usd", 1.0),
    "musd": ("usd", 1e6),
    "year": ("year", 1.0),
    "date": ("date", 1.0),
    "count": ("", 1.0),
    "ratio": ("", 1.0),
    "share": ("", 1.0),
    "percent": ("", 0.01),
}
"""Words that stand alone: word → (base word, factor).  An empty base word is dimensionless."""

SYMBOLS = {
    "byte": "B", "bit": "bit", "flop": "FLOP", "op": "op", "param": "parameters", "transistor": "transistors",
    "transfer": "T", "hz": "Hz", "s": "s", "ms": "ms", "us": "µs", "ns": "ns", "min": "min", "h": "h",
    "mm2": "mm²", "um2": "µm²", "nm": "nm", "word": "word", "token": "token", "layer": "layer", "w": "W", "j": "J",
    "pj": "pJ", "usd": "USD", "musd": "million USD", "year": "year", "date": "date", "count": "", "ratio": "×",
    "share": "", "percent": "%",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit read off a name: its text, the factor to base units, and the power of each base word."""

    text: str
    factor: float
    dimensions: dict[str, int] = field(hash=False)

    @property
    def base(self) -> str:
        """The same unit in base words: ``gbyte_per_s`` → ``byte_per_s``; ``percent`` → ``share``."""
        words = [_word(word)[0] or ("share" if word == "percent" else word) for word in self.text.split("_per_")]
        return "_per_".join(words)

    @property
    def symbol(self) -> str:
        """As a reader writes it: ``gbyte_per_s`` → ``GB/s``."""
        return "/".join(_symbol(word) for word in self.text.split("_per_"))


@cache
def _word(word: str) -> tuple[str, float]:
    if word in PLAIN:
        return PLAIN[word]
    for base in PREFIXED:
        if word == base:
            return base, 1.0
        prefix = word.removesuffix(base)
        if prefix != word and prefix in DECIMAL | BINARY:
            return base, (DECIMAL | BINARY)[prefix]
    raise KeyError(word)


def _symbol(word: str) -> str:
    if word in SYMBOLS:
        return SYMBOLS[word]
    base, _ = _word(word)
    prefix = word.removesuffix(base)
    letters = {"k": "k", "m": "M", "g": "G", "t": "T", "p": "P", "ki": "Ki", "mi": "Mi", "gi": "Gi", "ti": "Ti"}
    if base in ("param", "transistor"):
        return {"k": "thousand", "m": "million", "g": "billion", "t": "trillion"}[prefix] + " " + SYMBOLS[base]
    return letters[prefix] + SYMBOLS[base]


def _is_word(word: str) -> bool:
    try:
        _word(word)
    except KeyError:
        return False
    return True


@cache
def parse(name: str) -> Unit | None:
    """The unit at the end of ``name``, or None where the name carries none (a count, a word, an identifier)."""
    words = name.split("_")
    if words[0] == "n" or not _is_word(words[-1]):  # n_layer, n_chip: a count of things, not a quantity of them
        return None
    start = len(words) - 1
    while start >= 2 and words[start - 1] == "per" and _is_word(words[start - 2]):
        start -= 2
    return unit("_".join(words[start:]))


@cache
def unit(text: str) -> Unit:
    """The unit spelled ``text``; raises KeyError for a word outside the closed list."""
    factor, dimensions = 1.0, Counter[str]()
    for position, word in enumerate(text.split("_per_")):
        base, size = _word(word)
        power = 1 if position == 0 else -1
        factor = factor * size if power > 0 else factor / size
        if base:
            dimensions[base] += power
    return Unit(text, factor, {base: power for base, power in dimensions.items() if power})


def stem(name: str) -> str:
    """The name without its unit: ``memory_bandwidth_gbyte_per_s`` → ``memory_bandwidth``."""
    found = parse(name)
    return name if found is None else name.removesuffix(found.text).removesuffix("_")


def base_name(name: str) -> str:
    """The name of the same quantity in base units: ``weight_gibyte`` → ``weight_byte``, ``share_percent`` → ``share``."""
    found = parse(name)
    if found is None or found.text == found.base:
        return name
    head = stem(name)
    if not head or (found.base == "share" and head.endswith("share")):
        return head or found.base
    return f"{head}_{found.base}"
