"""Names as words: which rows of a table a name may mean, however it is written.

``RTX4090``, ``rtx 4090`` and ``NVIDIA GeForce RTX 4090`` are the same words; a word more on either side is another thing:
neither ``RTX 4060`` nor ``RTX 4060 Laptop`` ever stands in for the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from analysis.errors import LIKE, is_close

Words = tuple[str, ...]

SIGNS = re.compile(r"\((?:r|tm|c)\)|[®™©]|@.*$|\bw/.*$|\bwith .*$", re.IGNORECASE)
"""What is printed around a name and says nothing; what comes after ``with`` is another part of the machine."""
BREAK = "|"
"""Between the parts of a row's text: words on its two sides do not follow each other."""
VARIANTS = frozenset((
    "ti", "super", "laptop", "mobile", "max", "pro", "ultra", "plus", "lite", "xt", "xtx", "gre", "se", "mini", "air", "e", "a", "s", "d",
    "xl", "fold", "extreme", "refresh", "ada", "nano", "edge", "gen",
))  # fmt: skip
"""Words that make another thing of the name before them."""
SOFT = re.compile(
    r"gpu|cpu|graphics?|card|video|chip|soc|processor|series|edition|founders|oc|the|my|vram|ram|memory|unified|gen|generation|"
    r"\d+th|\d+cores?|cores?|phone|tablet|pc|computer|desktop|accelerator|corporation|inc"
)
"""Words that narrow a choice where they can, and are left aside where no row has them."""
MAKERS = frozenset(("nvidia", "amd", "intel", "apple", "qualcomm", "google", "samsung"))
MOST = 4
"""Names a message proposes."""


@dataclass(frozen=True)
class Entry:
    """One row: its id, its words in order, and the places of letters written close behind a number: the e of 16e."""

    row_id: str
    words: Words
    tied: frozenset[int]
    known: frozenset[str]
    """The same words in no order: most rows lack one of a name's, and need no longer look."""


def words(text: str) -> Words:
    """The words of a text in lower case, letters of any script and digits apart: ``RTX4090`` → rtx, 4090; a ``+`` is a word."""
    return tuple(WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", SIGNS.sub(" ", text.lower()))
    return re.sub(r"(?<=max)\+", "", text).replace("+", " plus ")


WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|\|")


def entry(row_id: str, texts: Iterable[str]) -> Entry:
    """The words of a row: its names one after the other, with a break where brackets or commas set them apart."""
    whole = _plain(re.sub(r"[(),;/]", BREAK, BREAK.join((row_id, *texts, ""))))
    found = list(WORD.finditer(whole))
    tied = (place for place, word in enumerate(found) if word[0].isalpha() and whole[: word.start()][-1:].isdigit())
    said = tuple(word[0] for word in found)
    return Entry(row_id, said, frozenset(tied), frozenset(said))


def meant(name: str, entries: Sequence[Entry]) -> list[str]:
    """Ids of the rows that hold every word of a name, and no other variant of it; none where a word is missing.

    Rows in which the words follow each other go before those in which they are scattered.
    """
    hard, soft = _chunks(name)
    said = frozenset(word for chunk in (*hard, *soft) for word in chunk)
    whole = tuple(word for chunk in hard if not MAKERS.issuperset(chunk) for word in chunk)
    needed = frozenset(whole)
    found = [one for one in entries if hard and needed <= one.known and _holds_all(one, hard, said)]
    for narrower in (whole, *soft):
        found = [one for one in found if _holds(one, narrower, said)] or found
    return [one.row_id for one in found]


def _chunks(name: str) -> tuple[list[Words], list[Words]]:
    """The words of a name, in the groups in which they are written: those a row must hold, and those that only narrow the choice."""
    text = SIGNS.sub(" ", name.lower())
    aside = [words(chunk) for chunk in IN_BRACKETS.findall(text)]
    chunks = _with_variants(words(chunk) for chunk in APART.split(IN_BRACKETS.sub(" ", text)))
    hard = [chunk for chunk in chunks if chunk and not SOFT.fullmatch("".join(chunk))]
    soft = [chunk for chunk in (*aside, *chunks) if chunk and chunk not in hard]
    return (hard, soft) if hard else (soft, [])


def _with_variants(chunks: Iterable[Words]) -> list[Words]:
    """The groups that hold something; a variant belongs to what it is written behind: ``M4 Pro`` is no MacBook Pro with an M4."""
    found: list[Words] = []
    for chunk in filter(None, chunks):
        if found and VARIANTS.issuperset(chunk):
            found[-1] = (*found[-1], *chunk)
        else:
            found.append(chunk)
    return found


IN_BRACKETS = re.compile(r"\((.*?)\)")
APART = re.compile(r"[\s,;/()|_]+|(?<=\D)-|-(?=\D)(?!cores?\b)")
"""What groups of words are written apart by: a hyphen between digits keeps them together."""


def _holds_all(one: Entry, chunks: Sequence[Words], said: frozenset[str]) -> bool:
    """Whether a row holds every group; a maker's name may be left out of a row beside other words."""
    need = [chunk for chunk in chunks if not MAKERS.issuperset(chunk)]
    makers = MAKERS.intersection(one.words)
    return all(_holds(one, chunk, said) for chunk in (need if need and not makers else chunks))


def _holds(one: Entry, chunk: Words, said: frozenset[str]) -> bool:
    """Whether the words of a group follow each other in a row, and no variant follows them that nobody named."""
    size = len(chunk)
    ends = (place + size for place in range(len(one.words) - size) if one.words[place : place + size] == chunk)
    return any(one.words[end] in said or not (one.words[end] in VARIANTS or end in one.tied) for end in ends)


def like(name: str, known: Mapping[str, str]) -> list[str]:
    """Ids whose names look like a name, the most alike first; never the name itself."""
    texts = {key: " ".join(words(text)) for key, text in known.items()}
    found = process.extract(" ".join(words(name)), texts, scorer=_alike, limit=MOST)
    return [
        key
        for text, score, key in found
        if score >= LIKE and key != name and (is_close(name, key) or is_close(name, text))
    ]


def _alike(one: str, other: str, **_: object) -> float:
    """Of 100: how alike two names are, as words they share and as letters."""
    return (fuzz.token_set_ratio(one, other) + fuzz.WRatio(one, other)) / 2


def proposed(name: str, candidates: Sequence[str], known: Mapping[str, str]) -> str:
    """What to do about a name: the rows it may mean, else those like it, else how many there are."""
    if candidates:
        shown = candidates[:MOST]
        more = f" or {len(candidates) - MOST} more" if len(candidates) > MOST else ""
        return f"It may be {', '.join(shown)}{more}: name one."
    near = like(name, known)
    return (
        f"Did you mean {' or '.join(map(repr, near))}?" if near else f"None of the {len(known)} known names is like it."
    )
