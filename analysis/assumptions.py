"""What ``chapters/parameters.yml`` declares of every parameter: default, range, and what is plausible, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from analysis import tables, units
from analysis.errors import InputError, Problem, nearest

FILE = tables.REPOSITORY / "chapters" / "parameters.yml"
KEYS = (
    "default", "minimum", "maximum", "pattern", "table", "filled", "description",
    "plausible", "plausible_reason", "plausible_source",
)  # fmt: skip
Range = tuple[float, float]


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Name → what the file declares of it; raises InputError where that is not sound."""
    return read(FILE)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read a file of declared parameters.

    Raises InputError with every key that is not known, and every plausible range that is none, lies outside of what is
    accepted, leaves out the default, or comes without a reason.
    """
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems = [problem for name, note in found.items() for problem in _problems(path.name, name, note)]
    if problems:
        raise InputError(problems)
    return found


def plausible() -> dict[str, Range]:
    """Name → lowest and highest plausible value, in the parameter's own unit, of those that declare it."""
    return {
        name: (float(note["plausible"][0]), float(note["plausible"][1]))
        for name, note in declared().items()
        if "plausible" in note
    }


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Parameters(Mapping[str, Any]):
    """What a run assumes, made once, by the first cell of a chapter; a mapping of the names that the chapter declares.

    What it does not declare it may not ask for: AttributeError and KeyError say so.  Equations ask for base units below.
    """

    reading_speed_word_per_min: float
    fast_reading_speed_word_per_min: float
    token_per_word: float
    bandwidth_share: float
    reference_model: str
    context_token: int
    agent_model: str
    prompt_token: int
    answer_token: int
    reused_share: float
    first_token_target_s: float
    agent_token_per_s: float
    system_reserve_gibyte: float
    array_efficiency_share: float
    edition: str
    edition_date: str
    article_date: str
    title: str

    def __init__(self, names: Mapping[str, Any]) -> None:
        """Take from ``names``, such as the ``globals()`` of a notebook, what is a parameter."""
        self.__dict__.update({name: names[name] for name in declared() if name in names})

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name] if name in self.__dict__ else self._missing(KeyError, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            self._missing(AttributeError, name)

    @staticmethod
    def _missing(kind: type[Exception], name: str) -> NoReturn:
        raise kind(f"{name} is not declared here: a chapter names each parameter it uses in its first cell")

    def but(self, **changed: Any) -> Parameters:
        """The same with some of them changed: ``given.but(bandwidth_share=1.0)``; KeyError for what is not among them."""
        for name in changed.keys() - self.keys():
            self._missing(KeyError, name)
        return Parameters(self.__dict__ | changed)

    @property
    def reading_token_per_s(self) -> float:
        """Tokens per second that keep up with the reader: 250 words per minute at 2 tokens per word are 8.33."""
        return self._token_per_s(self.reading_speed_word_per_min)

    @property
    def fast_reading_token_per_s(self) -> float:
        """Tokens per second that keep up with a fast reader."""
        return self._token_per_s(self.fast_reading_speed_word_per_min)

    @property
    def system_reserve_byte(self) -> float:
        """Memory that the system keeps where no limit of it is known, in byte."""
        return self.system_reserve_gibyte * units.unit("gibyte").factor

    def _token_per_s(self, word_per_min: float) -> float:
        from analysis.equations import memory_wall  # another book on this package has other equations

        speed = word_per_min * units.unit("word_per_min").factor
        return float(memory_wall.reading_token_per_s(speed, self.token_per_word))


def _problems(file: str, name: str, note: Mapping[str, Any]) -> Iterator[Problem]:
    for key in note:
        if key not in KEYS:
            yield Problem(file, f"key {key!r} of {name}", f"one of {', '.join(KEYS)}", nearest(key, KEYS))
    if "plausible" in note:
        yield from _implausible(file, name, note)
    elif extra := [key for key in note if str(key).startswith("plausible_")]:
        yield Problem(file, f"{extra[0]} of {name} without a range", "plausible: [lowest, highest]", column=name)


def _implausible(file: str, name: str, note: Mapping[str, Any]) -> Iterator[Problem]:
    given = note["plausible"]
    pair = isinstance(given, list) and len(given) == len(("low", "high"))
    if not pair or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in given):
        yield Problem(file, f"plausible {given!r}", "two numbers, the lowest and the highest", column=name)
        return
    low, high = given
    if not note["minimum"] <= low <= note["default"] <= high <= note["maximum"] or low == high:
        accepted = f"a range that holds {note['default']}, within {note['minimum']} to {note['maximum']}"
        yield Problem(file, f"plausible {given!r}", accepted, column=name)
    if not str(note.get("plausible_reason", "")).strip():
        yield Problem(file, "a plausible range without plausible_reason", "why it reaches so far", column=name)
