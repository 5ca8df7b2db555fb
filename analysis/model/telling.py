"""The answer of ``ask`` as a person reads it: sentences first, then the numbers, then where they come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis import words
from analysis.model import devices, expected
from analysis.model.ask import KEYS, SPEEDS, TIMES

Answer = Mapping[str, Any]

WORDS: dict[str, Any] = {
    "fits": {
        "yes": "Yes, it fits.", "barely": "Barely: it fits with little to spare, or only by some sources of the limit.",
        "no": "No, it does not fit.", "": "Whether it fits is unknown: the memory, or the shape of the model, is.",
    },
    "room": "It needs [needs] of the [has] that one program may take.",
    "over": "It needs [needs]; most sources let one program take [has], some more.",
    "speed": "Expected: [speed] tokens per second (80 % of such runs: [low] to [high]), [ratio] times reading speed; at most [limit] "
    "at full bandwidth.",
    "none": "So no speed is expected of it; memory of that bandwidth would allow at most [limit] tokens per second.",
    "first": "A prompt of [prompt] tokens takes [first] to the first token (80 %: [low] to [high]).",
    "longest": {
        "memory": "The longest context that fits: [longest] tokens, prompt and answer included; there memory is full.",
        "model": "The longest context that fits: [longest] tokens, prompt and answer included, all that the model is made for.",
    },
    "shorter": "With [longest] tokens or fewer, prompt and answer included, it fits by most sources.",
    "binds": {
        "bandwidth": "Most of the time goes into reading weights and cache from memory.",
        "overhead": "Most of the time goes into what every layer takes, whatever its weights.",
        "compute": "Most of the time goes into arithmetic.",
        "storage": "Most of the time goes into reading from storage what memory does not hold.",
    },
}  # fmt: skip
"""What is said of an answer, here and on the page alike; numbers stand in brackets."""


def filled(template: str, **values: str) -> str:
    """A sentence with its numbers."""
    return re.sub(r"\[(\w+)\]", lambda found: values[found[1]], template)


MOST_RUNS = 5
ASIDE = ("measured", "notes", "sources", "edition")
"""Keys that are told in sentences."""


def told(answer: Answer, reading_token_per_s: float, folder: Path) -> str:
    """The answer to a question about a device and a model, or the table of one of them."""
    called = _names(folder)
    answer = {
        **answer,
        **{name: called.get(answer[name].split(" | ")[0], answer[name]) for name in ("device", "model")},
    }
    lines = list(_table(answer)) if "rows" in answer else [*_whole(answer, reading_token_per_s), "", *_numbers(answer)]
    used = [f"  {one['for']}: {one['publisher']}, {one['title']} ({one['source_id']})" for one in answer["sources"]]
    return "\n".join([*lines, "", "Sources", *used, "", f"The Memory Wall, edition {answer['edition']}."]) + "\n"


def _names(folder: Path) -> dict[str, str]:
    of_models = {row["model_id"]: row["name"] for row in expected.rows(folder / "models.csv")}
    return of_models | {key: row["name"] for key, row in devices._rows(folder)}


def _asked(answer: Answer) -> str:
    chips = f"{answer['n_chip']:.0f} × " if answer.get("n_chip", 1) > 1 else ""
    return (
        f"{answer['format']}, {answer['context_token']:,.0f} tokens of context and a prompt of {answer['prompt_token']:,.0f} tokens, "
        f"on {chips}{answer['device'] or 'each device'}"
    )


def _whole(answer: Answer, reading_token_per_s: float) -> Iterator[str]:
    yield f"{answer['model']} in {_asked(answer)}:"
    yield from filter(None, sentences(answer, reading_token_per_s))
    yield from map(_run, answer["measured"][:MOST_RUNS])
    if rest := len(answer["measured"][MOST_RUNS:]):
        yield f"{words.plural(rest, 'more run')} of it: see --json."
    yield from (f"Note: {note}." for note in answer["notes"])


def sentences(answer: Answer, reading_token_per_s: float) -> Iterator[str]:
    """What is said of a device and a model."""
    has, needs, longest = (answer[name] for name in ("has_gibyte", "needs_gibyte", "longest_context_token"))
    is_over = answer["fits"] == "barely" and needs > has
    said = WORDS["over" if is_over else "room"]
    room = "" if needs is None or has is None else filled(said, needs=_gibyte(needs), has=_gibyte(has))
    yield " ".join(filter(None, (WORDS["fits"][answer["fits"]], room)))
    yield from _speed(answer, reading_token_per_s)
    if longest:
        yield filled(WORDS["shorter"] if is_over else WORDS["longest"][answer["longest_by"]], longest=f"{longest:,}")


def _speed(answer: Answer, reading_token_per_s: float) -> Iterator[str]:
    speed, limit = answer["token_per_s"], answer["limit_token_per_s"]
    if speed is not None:
        ends = dict(zip(("speed", "low", "high"), (_known(answer[name], _number) for name in SPEEDS), strict=True))
        yield filled(WORDS["speed"], limit=_number(limit), ratio=words.number(speed / reading_token_per_s, 2), **ends)
        if answer["first_token_s"] is not None:
            ends = dict(zip(("first", "low", "high"), (_known(answer[name], _seconds) for name in TIMES), strict=True))
            yield filled(WORDS["first"], prompt=f"{answer['prompt_token']:,}", **ends)
        yield WORDS["binds"].get(answer["binding"], "")
    elif limit is not None:
        yield filled(WORDS["none"], limit=_number(limit))


def _known(value: float | None, shown: Callable[[float], str]) -> str:
    return "unknown" if value is None else shown(value)


def _run(run: Mapping[str, Any]) -> str:
    engine = run["engine"] or "an engine that is not named"
    return f"Measured: {_number(run['token_per_s'])} tokens per second in {run['format']} with {engine} ({run['source_id']})."


def _number(value: float) -> str:
    return words.number(value, 3)


def _gibyte(value: float) -> str:
    return f"{words.number(value, 3)} GiB"


def _seconds(value: float) -> str:
    return words.quantity(value, "s", 2)


def _numbers(answer: Answer) -> Iterator[str]:
    for key in (key for key in KEYS if key not in ASIDE):
        value = answer[key]
        shown = (
            "–"
            if value in (None, "")
            else words.number(value, 4)
            if isinstance(value, float)
            else f"{value:,}"
            if isinstance(value, int)
            else value
        )
        yield f"  {key:<24}{shown}"


def _table(answer: Answer) -> Iterator[str]:
    what = "model" if answer["device"] else "device"
    yield f"{answer['model'] or 'Every model'} in {_asked(answer)}:"
    yield f"  {what:<34}{'fits':<8}{'needs':>9}   {'expected token/s':<26}{'first token':>12}{'longest context':>17}"
    shown = [row for row in answer["rows"] if row["fits"] != "no"]
    for row in shown:
        speed = "" if row["token_per_s"] is None else f"{_number(row['token_per_s'])}{_ends(row)}"
        first, needs = (
            "" if row[name] is None else text(row[name])
            for name, text in (("first_token_s", _seconds), ("needs_gibyte", _gibyte))
        )
        longest = "" if row["longest_context_token"] is None else f"{row['longest_context_token']:,.0f}"
        yield f"  {row[what]:<34}{row['fits'] or '?':<8}{needs:>9}   {speed:<26}{first:>12}{longest:>17}".rstrip()
    if rest := len(answer["rows"]) - len(shown):
        yield f"  {words.plural(rest, what)} more {'does' if rest == 1 else 'do'} not fit."


def _ends(row: Answer) -> str:
    low, high = row["token_per_s_low"], row["token_per_s_high"]
    return "" if low is None or high is None else f" ({_number(low)} to {_number(high)})"
