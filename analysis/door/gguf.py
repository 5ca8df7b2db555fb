"""The header of a GGUF file: a block of keys and values, and a list of tensors; the weights behind them are never read.

The package ``gguf`` maps the whole file, makes an object of every word of the vocabulary, and brings four packages along; a
header is a few integers and strings, so that reading it here is shorter than asking for it, and can be held to limits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import IO, Any

from analysis.door import Refused, size

MAGIC = b"GGUF"
VERSIONS = (2, 3)
LARGEST_HEADER_BYTE = 2**27
MOST_KEYS, MOST_TENSORS, MOST_DIMENSIONS = 10_000, 200_000, 8
LONGEST_NAME = 2**16
MOST_WORDS = 2_000_000
"""Strings of all arrays, and numbers of those that are kept: the largest vocabularies and their merges have 800,000."""
MOST_PARAM = 10**15
MOST_KEPT = 10_000
"""Numbers of an array that are kept; longer ones, and those of strings, count as their length."""
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
DEFAULT_ALIGNMENT = 32
A_FILE = "a GGUF file of version 2 or 3 with its whole header"
ANEW = "Download or convert it anew."


@dataclass(frozen=True)
class Tensor:
    """One tensor: its name, how many numbers it holds, the code of their type, and where its bytes begin behind the header."""

    name: str
    n_param: int
    kind: int
    offset: int


@dataclass(frozen=True)
class Header:
    """Metadata by key, tensors in the file's order, and where their bytes begin."""

    metadata: dict[str, Any]
    tensors: list[Tensor]
    start: int


class _Cursor:
    """A stream read forwards, within the largest size of a header."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.place, self.n_value = stream, 0, 0

    def take(self, count: int) -> bytes:
        """The next bytes; raises Refused where the file or the limit ends before them."""
        if self.place + count > LARGEST_HEADER_BYTE:
            raise Refused(f"a header of more than {size(LARGEST_HEADER_BYTE)}", A_FILE, ANEW)
        part = self.stream.read(count)
        if len(part) < count:
            raise Refused(f"the end of the file after {size(self.place + len(part))} of its header", A_FILE, ANEW)
        self.place += count
        return part

    def number(self, code: str) -> Any:
        """A number of little-endian bytes."""
        return struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]

    def text(self) -> str:
        """A string that says its own length."""
        return self.take(self._length()).decode("utf-8", "replace")

    def _length(self) -> int:
        length = int(self.number("Q"))
        if length > LARGEST_HEADER_BYTE:
            raise Refused(f"a string of {size(length)}", A_FILE, ANEW)
        return length

    def name(self) -> str:
        """A string that is a key or the name of a tensor."""
        found = self.text()
        if len(found) > LONGEST_NAME:
            raise Refused(f"a name of {len(found):,} characters", A_FILE, ANEW)
        return found

    def value(self, kind: int) -> Any:
        """A number, a string, a list of numbers, or the length of a longer list or one of strings."""
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            return self._array(int(self.number("I")), int(self.number("Q")))
        raise Refused(f"a value of the unknown kind {kind}", A_FILE, ANEW)

    def _array(self, kind: int, count: int) -> Any:
        self.n_value += count if kind == STRING or count <= MOST_KEPT else 0
        if kind not in (*NUMBERS, STRING) or max(count, self.n_value) > MOST_WORDS:
            raise Refused(f"an array of {count:,} values of kind {kind}, {self.n_value:,} in all", A_FILE, ANEW)
        if kind == STRING:
            for _ in range(count):
                self.take(self._length())
            return count
        width = struct.calcsize(NUMBERS[kind])
        part = self.take(count * width)
        return list(struct.unpack(f"<{count}{NUMBERS[kind]}", part)) if count <= MOST_KEPT else count


def read(stream: IO[bytes]) -> Header:
    """The header of a GGUF file; raises Refused where it is none, damaged, or beyond any limit."""
    cursor = _Cursor(stream)
    magic, version = cursor.take(4), cursor.number("I")
    if magic != MAGIC or version not in VERSIONS:
        found = f"GGUF of version {version}" if magic == MAGIC else "no GGUF"
        raise Refused(found, A_FILE, "Convert it with a current llama.cpp." if magic == MAGIC else ANEW)
    n_tensor, n_key = cursor.number("Q"), cursor.number("Q")
    if n_tensor > MOST_TENSORS or n_key > MOST_KEYS:
        raise Refused(f"{n_tensor:,} tensors and {n_key:,} keys", A_FILE, ANEW)
    metadata = {cursor.name(): cursor.value(int(cursor.number("I"))) for _ in range(n_key)}
    tensors = [_tensor(cursor) for _ in range(n_tensor)]
    alignment = metadata.get("general.alignment")
    step = alignment if isinstance(alignment, int) and alignment > 0 else DEFAULT_ALIGNMENT
    return Header(metadata, tensors, -(-cursor.place // step) * step)


def _tensor(cursor: _Cursor) -> Tensor:
    name, n_dimension = cursor.name(), cursor.number("I")
    if n_dimension > MOST_DIMENSIONS:
        raise Refused(f"a tensor of {n_dimension:,} dimensions", A_FILE, ANEW)
    count = prod(int(cursor.number("Q")) for _ in range(n_dimension))
    if count > MOST_PARAM:
        raise Refused(f"a tensor of {count:.3g} numbers", A_FILE, ANEW)
    return Tensor(name, count, int(cursor.number("I")), int(cursor.number("Q")))
