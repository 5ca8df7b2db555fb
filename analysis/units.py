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
    "wh": ("j", 3600.0),
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

SI = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
COUNTS = ((1e12, "T "), (1e9, "B "), (1e6, "M "), (1.0, ""))
TIMES = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))

Steps = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Reading:
    """How a word of a unit reads: in a table's head, beside one and beside many, and the steps its numbers take.

    steps  (size, what stands before the word, or instead of it for times), the largest first; none: the number stays whole
    """

    symbol: str
    one: str
    many: str
    steps: Steps = ()


READINGS = {
    "byte": Reading("B", "byte", "bytes", SI), "bit": Reading("bit", "bit", "bits", SI),
    "flop": Reading("FLOP", "FLOP", "FLOP", SI), "op": Reading("OP", "operation", "operations", SI),
    "transfer": Reading("T", "transfer", "transfers", SI), "hz": Reading("Hz", "Hz", "Hz", SI),
    "param": Reading("parameters", "parameter", "parameters", COUNTS),
    "transistor": Reading("transistors", "transistor", "transistors", COUNTS),
    "s": Reading("s", "second", "seconds", TIMES), "ms": Reading("ms", "ms", "ms"), "us": Reading("µs", "µs", "µs"),
    "ns": Reading("ns", "ns", "ns"), "min": Reading("min", "minute", "minutes"), "h": Reading("h", "hour", "hours"),
    "mm2": Reading("mm²", "mm²", "mm²"), "um2": Reading("µm²", "µm²", "µm²"), "nm": Reading("nm", "nm", "nm"),
    "word": Reading("word", "word", "words"), "token": Reading("token", "token", "tokens"),
    "layer": Reading("layer", "layer", "layers"), "w": Reading("W", "W", "W"), "j": Reading("J", "J", "J", SMALL),
    "pj": Reading("pJ", "pJ", "pJ"), "wh": Reading("Wh", "watt-hour", "watt-hours"), "usd": Reading("USD", "USD", "USD"),
    "musd": Reading("million USD", "million USD", "million USD"), "year": Reading("year", "year", "years"),
    "date": Reading("date", "date", "dates"), "count": Reading("", "", ""), "ratio": Reading("×", "×", "×"),
    "share": Reading("", "", ""), "percent": Reading("%", "%", "%"), "gpu": Reading("GPU", "GPU", "GPUs"),
    "company": Reading("company", "company", "companies"),
}  # fmt: skip
"""Word → how it reads: the one place that says it.  A noun that is no unit and has no row gets an s."""
PREFIX_SYMBOLS = {"k": "k", "m": "M", "g": "G", "t": "T", "p": "P", "ki": "Ki", "mi": "Mi", "gi": "Gi", "ti": "Ti"}
PREFIX_WORDS = {"k": "thousand", "m": "million", "g": "billion", "t": "trillion"}
SLASHED = ("s", "mm2", "um2")
"""What stands below a slash where the symbol of a stepped word stands above: GB/s, Mbit/mm²."""
STEPPED_PER = (*SLASHED, "token")
"""Bytes, operations, parameters keep their steps per one of these; per byte, per parameter they are plain: 2 FLOP per byte."""


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
        return "/".join(reading(word).symbol for word in self.text.split("_per_"))


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


@cache
def reading(word: str) -> Reading:
    """How a word reads, with its prefix if it has one; a noun that is no unit reads as it is spelled."""
    if word in READINGS:
        return READINGS[word]
    try:
        base, _ = _word(word)
    except KeyError:
        text = word.replace("_", " ")
        return Reading(text, text, f"{text}s")
    prefix, whole = word.removesuffix(base), READINGS[base]
    if whole.steps == COUNTS:
        text = f"{PREFIX_WORDS[prefix]} {whole.symbol}"
        return Reading(text, text, text)
    text = PREFIX_SYMBOLS[prefix] + whole.symbol
    return Reading(text, text, text)


def phrase(text: str, *, plural: bool = True) -> str:
    """A unit in words: ``token_per_s`` → ``tokens per second``; ``pj_per_byte`` → ``pJ per byte``; ``chip`` → ``chips``."""
    head, *below = text.split("_per_")
    first = reading(head).many if plural else reading(head).one
    return " per ".join([first, *(reading(word).one for word in below)])


@cache
def steps(text: str) -> tuple[Steps, str]:
    """The steps of a unit's numbers and what follows them: ``byte_per_s`` → SI, ``B/s``; no steps where a number stays whole."""
    head, *below = text.split("_per_")
    first = reading(head)
    if not first.steps or (first.steps in (SI, COUNTS) and not set(below) <= set(STEPPED_PER)):
        return (), phrase(text)
    after = "" if first.steps == TIMES else first.symbol
    slashed = set(below) <= set(SLASHED) and first.steps != COUNTS
    joined = [f"/{reading(word).symbol}" if slashed else f" per {reading(word).one}" for word in below]
    return first.steps, after + "".join(joined)


def _is_word(word: str) -> bool:
    try:
        _word(word)
    except KeyError:
        return False
    return True


def is_spelled(word: str) -> bool:
    """Whether a word of a unit, or a noun that is counted, is one that reads as something: ``gbyte``, ``s``, ``gpu``."""
    return word in READINGS or _is_word(word)


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
