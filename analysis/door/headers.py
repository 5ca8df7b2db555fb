"""Headers as people write them, spelled as ours: capitals, spaces, units in brackets, usual short forms."""

from __future__ import annotations

import re

from analysis import units

BRACKETS = re.compile(r"^(.*?)[\s_]*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$")
IN_CAPITALS = re.compile(r"^(.*?)[\s_]+([kKMGTP]i?B(?:/s|ps|/sec|))\s*$")
"""A unit at the end without brackets whose B says that bytes are meant."""
SIGN = re.compile(r"([kKMGTP]i?)?(B|b|[bB]ytes?|[bB]its?)(?:(/s|ps|/sec)|)")
SHORT = {"gb": "gbyte", "gib": "gibyte", "mb": "mbyte", "mib": "mibyte", "tb": "tbyte", "tib": "tibyte"}
"""Capacities as columns are often named; of rates it is not known whether bits or bytes are meant."""


PREFIXES = ("", *units.DECIMAL, *units.BINARY)
BELOW = ("", "_per_s", "_per_mm2", "_per_token", "_per_byte", "_per_gbyte")
WORDS = [
    *units.PLAIN,
    *(prefix + base for base in ("byte", "bit", "flop", "op", "transfer", "hz") for prefix in PREFIXES),
]
SYMBOLS = {units.unit(word + below).symbol: word + below for below in BELOW for word in WORDS} | {
    "TFLOPS": "tflop_per_s", "GFLOPS": "gflop_per_s", "TOPS": "top_per_s", "mm2": "mm2", "mm^2": "mm2", "µm2": "um2", "um2": "um2",
    "B": "byte", "$": "usd", "MHz": "mhz", "GHz": "ghz", "tok/s": "token_per_s", "tokens/s": "token_per_s", "t/s": "token_per_s",
    "bits": "bit", "$/GB": "usd_per_gbyte", "Gbps": "gbit_per_s",
}  # fmt: skip
"""Printed unit → ours: what a table's head shows, and what data sheets print."""


def spelled(name: str) -> str:
    """A name as ours are spelled, the unit at its end: ``Bandwidth (GB/s)`` → ``bandwidth_gbyte_per_s``."""
    name = name.replace("_per_s", "/s")
    bracketed = BRACKETS.match(name) or IN_CAPITALS.match(name)
    stem, unit = (bracketed[1], unit_word(bracketed[2])) if bracketed else (name, "")
    words = re.sub(r"[^a-z0-9]+", "_", stem.lower().replace("/s", "_per_s")).strip("_").split("_")
    words[-1] = SHORT.get(words[-1], words[-1])
    return "_".join([*words, *([unit] if unit else [])])


def unit_word(sign: str) -> str:
    """A unit as it is printed, in our words: ``GB/s`` → ``gbyte_per_s``; one that says nothing here is empty."""
    found = SIGN.fullmatch(sign)
    if not found and (ours := SYMBOLS.get(re.sub(r"\s", "", sign))):
        return ours
    if not found:
        return "" if sign.lower() in ("tokens", "token", "tok", "") else re.sub(r"[^a-z0-9]+", "_", sign.lower())
    word = "byte" if found[2].startswith("B") or found[2].lower().startswith("byte") else "bit"
    word = "bit" if found[2].lower().startswith("bit") else word
    return f"{(found[1] or '').lower()}{word}{'_per_s' if found[3] else ''}"
