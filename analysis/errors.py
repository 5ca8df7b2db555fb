"""What can go wrong, in one place: each error says what was found, what was expected and what to do next.

Exit codes are part of the public surface: 1 a chapter or the site failed, 2 the input is wrong and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from rapidfuzz import fuzz, process


class MemoryWallError(Exception):
    """Any error this package raises on purpose; ``exit_code`` is what the command line ends with."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where, what was found, what was expected, what to do."""

    file: str
    found: str
    expected: str
    todo: str = ""
    row: int | None = None
    column: str | None = None
    level: str = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.row, self.column) if part is not None)
        text = f"{place}: found {self.found}; expected {self.expected}"
        text = f"{text}. {self.todo}" if self.todo else text
        text = text if self.level == "error" else f"{self.level}: {text}"
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)

    def as_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)


class InputError(MemoryWallError):
    """Data or parameters are wrong.  Carries every problem found, not only the first; nothing was changed on disk."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)

    @classmethod
    def unknown(cls, kind: str, name: str, known: Iterable[str], *, file: str) -> InputError:
        """A name that does not exist, with the nearest that does."""
        return cls(
            [Problem(file=file, found=f"{kind} {name!r}", expected=f"a known {kind}", todo=nearest(name, known))]
        )


class ChapterError(MemoryWallError):
    """A chapter raised while it was executed: chapter, cell, source line, parameters and the exception."""

    def __init__(self, *, chapter: str, cell: int, source: str, parameters: object, cause: str) -> None:
        self.chapter, self.cell = chapter, cell
        self._told: dict[str, Any] = {
            "chapter": chapter,
            "cell": cell,
            "source": source,
            "parameters": parameters,
            "cause": cause,
        }
        super().__init__(
            f"chapter {chapter}, cell {cell}, failed; nothing was published\n"
            f"  source      {source}\n  parameters  {parameters}\n  exception   {cause}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Chapters run in other processes: the error must survive the way back, keywords and all.
        return partial(type(self), **self._told), ()


class SiteError(MemoryWallError):
    """The site could not be rendered; the site published before is untouched."""


class FigureError(MemoryWallError):
    """A figure, value or table in a chapter is not fit to be published."""


LIKE = 70
"""Of 100: how alike two names must be for the one to be suggested for the other."""
CLOSE = 57
"""Of 100: so much of their letters two names must share as they stand, where neither holds the other: a word is no likeness."""
SHORTEST_PART = 4
"""Letters of a name that says something where another holds it."""


MANY = 30
"""Above so many, a list of all names helps nobody."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the known names closest to ``name``, else what is known."""
    names = list(known)
    if hint := similar(name, names):
        return hint
    if len(names) > MANY:
        return f"None of the {len(names)} known names is like it."
    return "Known: " + ", ".join(sorted(set(names))) if names else "There is none yet."


def similar(name: str, known: Iterable[str]) -> str:
    """The known names that look like ``name``, as a question; empty where none does.  Never the name itself."""
    found = process.extract(name, [one for one in known if one != name], limit=3, processor=str.lower)
    best = [match for match, score, _ in found if score >= LIKE and is_close(name, match)]
    return "Did you mean " + " or ".join(repr(match) for match in best) + "?" if best else ""


def is_close(name: str, other: str) -> bool:
    """Whether two names share most of their letters, or one holds the other: a far one proposed misleads more than none."""
    one, two = ("".join(filter(str.isalnum, text.lower())) for text in (name, other))
    shorter, longer = sorted((one, two), key=len)
    return fuzz.ratio(one, two) >= CLOSE or (len(shorter) >= SHORTEST_PART and shorter in longer)
