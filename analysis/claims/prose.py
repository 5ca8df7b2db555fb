"""What the page of claims says: numbers, titles, and sentences whose conclusion the verdicts choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis import ranking, words
from analysis.claims.board import (
    CHAPTERS,
    counts,
    defined,
    definitions,
    deviations,
    drawn,
    held_of,
    share,
    summary,
)
from analysis.claims.engine import evaluate
from analysis.claims.readings import VERDICTS
from analysis.claims.statements import ABOUT_SHARE
from analysis.claims.verdicts import Claim, flips
from analysis.figures import Value
from analysis.tables import DataPackage

REPRODUCED = VERDICTS[0]
HALF = 0.5
DOUBLE = 2.0


def values(package: DataPackage, parameters: Mapping[str, Any], claims: Sequence[Claim]) -> list[Value]:
    """Every number and sentence the prose cites."""
    other = at_english(package, parameters)
    return [
        *_scores(claims, other), *_distances(claims), *_parameters(parameters), *_explained(claims),
        *_tolerances(package, parameters, claims), *_english(package, parameters, claims, other), *_robust(claims),
    ]  # fmt: skip


def _count(name: str, number: int, definition: str) -> Value:
    return Value(name, number, "count", definition=definition, text=str(number))


def _scores(claims: Sequence[Claim], other: Sequence[Claim]) -> list[Value]:
    found = counts(claims)
    held, checked = held_of(claims)
    return [
        _count("claims-total", len(claims), "Claims of the article."),
        _count("claims-checked", checked, "Claims that numbers can decide, definitions left out."),
        _count("claims-held", held, "Of these, those that hold, some under a named assumption."),
        _count("claims-definitions", len(definitions(claims)), "Claims that hold by what their words mean."),
        Value(
            "claims-held-share",
            held / checked,
            "share",
            definition="Share of the claims put to a test that holds.",
            digits=2,
        ),
        Value("claims-summary", text=summary(claims)),
        Value("claims-answer", text=answer(claims, other)),
        Value("claims-takeaway", text=takeaway(claims)),
        Value("claims-chapters", text=weakest(claims)),
        *(
            _count(f"claims-{name}", number, f"Claims with the verdict {name}, definitions left out.")
            for name, number in found.items()
        ),
    ]


def answer(claims: Sequence[Claim], other: Sequence[Claim]) -> str:
    """Answer the chapter's question, beside the claims as they stand with English words."""
    found, (held, checked) = counts(claims), held_of(claims)
    mostly, fewer = "Mostly" if held / checked > HALF else "Mostly not", len(by_words(claims, other))
    hanging = f", and {fewer} more hang on how many tokens make a word, which it does not say either" if fewer else ""
    return (
        f"{mostly}: {held} of the {checked} claims put to a test hold. "
        f"{found['reproduces-under-assumption']} of them need an assumption that the article does not name{hanging}. "
        f"Beside them, {defined(claims)}."
    )


def by_words(claims: Sequence[Claim], other: Sequence[Claim]) -> list[str]:
    """Ids of the claims that reproduce only by the tokens assumed for a word: with those of English their verdict differs."""
    moved = set(changed(claims, other))
    return [one.statement.id for one in claims if one.verdict == REPRODUCED and one.statement.id in moved]


def takeaway(claims: Sequence[Claim]) -> str:
    """Say whether wrong numbers or open readings are the larger trouble."""
    found = counts(claims)
    unsaid, wrong = found["reproduces-under-assumption"] + found["ambiguous"], found["contradicted"]
    if unsaid > wrong:
        return (
            f"What is left unsaid weighs more than what is wrong: {unsaid} claims need an assumption or leave "
            "their reading open, "
            f"{wrong} fail."
        )
    return f"What is wrong weighs more than what is left unsaid: {wrong} claims fail, {unsaid} leave something open."


def weakest(claims: Sequence[Claim]) -> str:
    """Name the chapter in which the smallest part of the claims holds, or those that tie."""
    shares = {}
    for chapter in CHAPTERS:
        held, checked = held_of([claim for claim in claims if claim.statement.chapter == chapter])
        shares[chapter] = held / checked if checked else 1.0
    settled = {chapter: words.settled(part) for chapter, part in shares.items()}
    lowest = [CHAPTERS[chapter] for chapter, part in settled.items() if part == min(settled.values())]
    which = f"chapter{'s' * (len(lowest) > 1)} {words.listing(lowest)}"
    return f"The smallest share holds in the {which}: {words.quantity(min(settled.values()), 'share', 2)}."


def _distances(claims: Sequence[Claim]) -> list[Value]:
    frame = deciding(claims)
    close = frame[(frame["deviation_ratio"] - 1).abs() <= ABOUT_SHARE]
    open_ = deviations(claims).groupby("claim_id").size()
    return [
        _count("claims-compared", len(frame), "Claims with a printed and a recomputed number in one unit."),
        _count("claims-close", len(close), "Of these, those within a tenth of the printed number."),
        _count("claims-several", int((open_ > 1).sum()), "Of these, those with several readings."),
        Value("claims-farthest", text=farthest(claims)),
    ]


def deciding(claims: Sequence[Claim]) -> pd.DataFrame:
    """One row per claim with a printed number: the reading that stands for it."""
    frame = deviations(claims)
    return frame[frame["is_deciding"]].reset_index(drop=True)


def farthest(claims: Sequence[Claim]) -> str:
    """Name the contradicted number that is furthest off, or those that tie."""
    frame = deciding(claims)
    frame = frame[frame["verdict"] == "contradicted"]
    if frame.empty:
        return "None of the printed numbers is contradicted."
    far = frame["deviation_ratio"].map(lambda ratio: max(ratio, 1 / ratio))
    tied = ranking.tied(frame.assign(far=far), "far", "claim_id", falling={"far"})
    listed = [
        f"“{row['name']}”: {row['article_text']} printed, {row['recomputed_text']} found" for _, row in tied.iterrows()
    ]
    which = "the one furthest off is" if len(listed) == 1 else "those furthest off are"
    return f"Of the numbers that fail, {which} {'; '.join(listed)}."


def _parameters(parameters: Mapping[str, Any]) -> list[Value]:
    speeds = [float(parameters[name]) for name in ("reading_speed_word_per_min", "fast_reading_speed_word_per_min")]
    both = f"{words.number(speeds[0])} and {words.number(speeds[1], 4)} words per minute"
    return [
        Value("claims-speeds", text=both, definition="Reading speeds of this edition."),
        Value(
            "claims-token-per-word",
            float(parameters["token_per_word"]),
            "token_per_word",
            digits=2,
            definition="Parameter.",
        ),
        Value(
            "claims-bandwidth-share", float(parameters["bandwidth_share"]), "share", digits=2, definition="Parameter."
        ),
        Value("claims-context", text=f"{parameters['context_token']:,} tokens", definition="Context of this edition."),
    ]


def _explained(claims: Sequence[Claim]) -> list[Value]:
    return [Value(f"claims-why-{claim.statement.id}", text=claim.outcome.why or claim.explanation) for claim in claims]


def changed(before: Sequence[Claim], after: Sequence[Claim]) -> list[str]:
    """Ids of the claims whose verdict differs."""
    return [old.statement.id for old, new in zip(before, after, strict=True) if old.verdict != new.verdict]


def _tolerances(package: DataPackage, parameters: Mapping[str, Any], claims: Sequence[Claim]) -> list[Value]:
    moved = [
        len(changed(claims, evaluate(package, parameters, about_share=ABOUT_SHARE * times))) for times in (HALF, DOUBLE)
    ]
    return [
        Value(
            "claims-about", ABOUT_SHARE, "share", digits=2, definition="How far a number called about may be missed."
        ),
        _count("claims-moved-half", moved[0], "Verdicts that change at half the tolerance."),
        _count("claims-moved-double", moved[1], "Verdicts that change at twice the tolerance."),
    ]


def english(package: DataPackage) -> float:
    """Tokens per word by the rule of thumb for English."""
    return 1 / float(package.row("facts", "words-per-token-english")["value"])


def at_english(package: DataPackage, parameters: Mapping[str, Any]) -> list[Claim]:
    """The claims as they would stand with the rule of thumb for English."""
    return evaluate(package, {**parameters, "token_per_word": english(package)})


def _english(
    package: DataPackage, parameters: Mapping[str, Any], claims: Sequence[Claim], other: Sequence[Claim]
) -> list[Value]:  # fmt: skip
    rate = english(package)
    return [
        Value(
            "claims-english-token-per-word", rate, "token_per_word", digits=3, definition="Rule of thumb for English."
        ),
        _count(
            "claims-english-count",
            len(changed(claims, other)),
            "Verdicts that change with the rule of thumb for English.",
        ),
        Value("claims-english-finding", text=english_finding(claims, other, rate, float(parameters["token_per_word"]))),
    ]


HEADLINES = ("iphone14-1b-fp16", "iphone14-4b-int4")
"""The article's sizes for a phone, which everything else leads up to."""


def english_finding(before: Sequence[Claim], after: Sequence[Claim], rate: float, assumed: float) -> str:
    """Say what the article's unstated number of tokens per word carries."""
    ids = changed(before, after)
    fallen = [new for new in after if new.statement.id in ids and new.verdict == "contradicted"]
    among = sum(claim.statement.id in HEADLINES for claim in fallen)
    head = f"With {words.number(rate)} tokens per word, the rule of thumb for English, instead of {assumed:g}, "
    if not ids:
        return f"{head}no verdict changes."
    both = {0: "", 1: ", one of the two sizes for the iPhone among them"}.get(
        among, ", both sizes for the iPhone among them"
    )
    fail = words.plural(len(fallen), "more claim fails", "more claims fail") + both
    if len(fallen) == len(ids):
        return f"{head}{fail}."
    return f"{head}{words.plural(len(ids), 'verdict changes', 'verdicts change')}; {fail}."


STEADY_SHARE = 0.9
"""A verdict that stands over nine tenths of what is plausible is called steady."""


def _robust(claims: Sequence[Claim]) -> list[Value]:
    moved = drawn(claims)
    steady = sum(claim.robustness.share >= STEADY_SHARE for claim in moved)
    draws = max((claim.robustness.draws for claim in moved), default=0)
    return [
        _count("claims-draws", draws, "Draws of plausible parameters, the same for every claim."),
        _count("claims-drawn", len(moved), "Claims that a parameter moves."),
        _count("claims-steady", steady, "Of these, those whose verdict stands in nine tenths of the draws."),
        Value("claims-least-robust", text=least_robust(moved)),
        *(
            Value(f"claims-flips-{claim.statement.id}", text=flips(claim) or "no plausible value")
            for claim in claims
            if claim.statement.id in HEADLINES
        ),
    ]


def least_robust(moved: Sequence[Claim]) -> str:
    """Name the verdict that plausible parameters turn most readily, or those that tie."""
    if not moved:
        return "No verdict moves with a parameter."
    least = [claim for claim in moved if claim.robustness.share == moved[0].robustness.share]
    named = words.listing([f"“{claim.statement.axis_name or claim.statement.text}”" for claim in least])
    which = f"is {named}: it stands" if len(least) == 1 else f"are {named}: they stand"
    return f"The least robust {which} in {share(least[0])} of what is plausible."


def titles(claims: Sequence[Claim], other: Sequence[Claim]) -> dict[str, str]:
    """Titles and descriptions of the two figures; ``other`` are the claims as they stand with English words."""
    (held, checked), found, frame = held_of(claims), counts(claims), deciding(claims)
    alone = found[REPRODUCED] - len(by_words(claims, other))
    close = int(((frame["deviation_ratio"] - 1).abs() <= ABOUT_SHARE).sum())
    return {
        "verdicts": f"{held} of {checked} claims put to a test hold, {alone} of them on what the article says alone",
        "verdicts-alt": f"Stacked bars, one per chapter. Over all chapters {summary(claims)}. {weakest(claims)}",
        "verdicts-notice": f"{found['ambiguous']} claims are ambiguous: their words allow readings that disagree, "
        "or the verdict hangs on a choice of ours.",
        "deviations": f"{close} of {len(frame)} printed numbers are within a tenth of what the data give",
        "deviations-alt": f"One row per claim with a printed number. {close} of {len(frame)} markers lie in the band "
        f"within a tenth of one. {farthest(claims)}",
    }
