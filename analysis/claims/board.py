"""What the pages show of the claims: the scoreboard, the table, the data of the two figures, numbers for prose."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import pandas as pd

from analysis import words
from analysis.charts import theme
from analysis.claims.engine import VERDICTS, Claim
from analysis.figures import CLAIMS, Column, Published, Value, markup, show_table

CHAPTERS = {
    "index": "The setting", "memory_wall": "Bandwidth", "sram_density": "On the chip", "dram_capacity": "Memory size",
    "storage_io": "Storage", "server_batching": "Servers",
}  # fmt: skip
"""Chapter → its name in tables and figures, in the order of the book."""
WORDS = {
    "reproduces": "reproduce", "reproduces-under-assumption": "reproduce under a named assumption",
    "ambiguous": "are ambiguous", "contradicted": "are contradicted", "not-checkable": "cannot be checked",
}  # fmt: skip


def counts(claims: Sequence[Claim]) -> dict[str, int]:
    """How many claims have each verdict, in the order of ``VERDICTS``."""
    found = Counter(claim.verdict for claim in claims)
    return {verdict: found[verdict] for verdict in VERDICTS}


def publish_claims(claims: Sequence[Claim]) -> Published:
    """Hand the verdicts to the site: badges in prose and ``claims.json`` are made from them."""
    listed = "".join(f"<li>{escape(claim.statement.text)}: {escape(claim.verdict)}</li>" for claim in claims)
    return Published(CLAIMS, {"claims": [claim.as_dict() for claim in claims]}, f"<ul>{listed}</ul>")


def scoreboard(claims: Sequence[Claim]) -> Published:
    """Give the verdicts as one bar with words and numbers."""
    found = {verdict: count for verdict, count in counts(claims).items() if count}
    parts = "".join(
        f'<span class="mw-score-part" style="flex:{count};background:{theme.VERDICTS[verdict]}">{count}</span>'
        for verdict, count in found.items()
    )
    key = "".join(
        f'<li><span aria-hidden="true" style="color:{theme.VERDICTS[verdict]}">■</span> <strong>{count}</strong> '
        f"{escape(WORDS[verdict] if count > 1 else singular(verdict))}</li>"
        for verdict, count in found.items()
    )
    summary = words.listing([f"{count} {WORDS[verdict]}" for verdict, count in found.items()])
    label = escape(f"Of {len(claims)} claims {summary}.", quote=True)
    return markup(
        "claims-scoreboard",
        f'<div class="mw-scoreboard"><div class="mw-score" role="img" aria-label="{label}">{parts}</div>'
        f'<ul class="mw-score-key">{key}</ul></div>',
    )


def singular(verdict: str) -> str:
    """Give the words for a single claim."""
    return WORDS[verdict].replace("are ", "is ").replace("reproduce", "reproduces")


def table(claims: Sequence[Claim]) -> pd.DataFrame:
    """One row per claim, as the page shows it."""
    return pd.DataFrame(
        {
            "id": [claim.statement.id for claim in claims],
            "statement": [claim.statement.text for claim in claims],
            "chapter": [CHAPTERS[claim.statement.chapter] for claim in claims],
            "page": [f"{claim.statement.chapter}.html" for claim in claims],
            "article": [claim.statement.shown for claim in claims],
            "recomputed": [claim.deciding.text if claim.deciding else "" for claim in claims],
            "label": [claim.deciding.label if claim.deciding else "" for claim in claims],
            "verdict": [claim.verdict for claim in claims],
            "assumption": [claim.assumption for claim in claims],
            "today": [claim.latest_text for claim in claims],
            "explanation": [claim.explanation for claim in claims],
        }
    )


def show_claims(claims: Sequence[Claim]) -> Published:
    """Show the whole table; every row has the id of its claim as its address."""
    return show_table(
        "claims",
        table(claims),
        (
            Column("statement", "The article says"),
            Column("article", "Its value"),
            Column("recomputed", "Recomputed", note="label"),
            Column("verdict", "Verdict", kind="badge", note="assumption"),
            Column("today", "Today"),
            Column("chapter", "Chapter", link="page"),
            Column("explanation", "Why", kind="details"),
        ),
        caption=f"All {len(claims)} claims of the article",
        filters=("chapter", "verdict"),
        row_id="id",
    )


def by_chapter(claims: Sequence[Claim]) -> pd.DataFrame:
    """Claims by chapter and verdict: ``n_claim``, with where each part of the bar starts and ends."""
    found = Counter((claim.statement.chapter, claim.verdict) for claim in claims)
    rows = [
        {"chapter": CHAPTERS[chapter], "chapter_order": place, "verdict": verdict, "n_claim": found[chapter, verdict]}
        for place, chapter in enumerate(CHAPTERS)
        for verdict in VERDICTS
    ]
    frame = pd.DataFrame(rows)
    frame["end"] = frame.groupby("chapter")["n_claim"].cumsum()
    frame["start"] = frame["end"] - frame["n_claim"]
    return frame[frame["n_claim"] > 0].reset_index(drop=True)


def deviations(claims: Sequence[Claim]) -> pd.DataFrame:
    """Recomputed over printed number, for every claim with both in one unit; a range counts with its geometric mean."""
    rows = [row for row in (deviation(claim) for claim in claims) if row]
    frame = pd.DataFrame(rows).sort_values("deviation_ratio", kind="stable").reset_index(drop=True)
    return frame.assign(rank=range(1, len(frame) + 1))


def deviation(claim: Claim) -> dict[str, object]:
    """One claim's ratio; empty where the two numbers cannot be compared."""
    said, reading = claim.statement, claim.deciding
    if reading is None or math.isnan(said.printed) or reading.unit != said.unit or not said.qualifier:
        return {}
    found, printed = (
        math.sqrt(low * high) for low, high in ((reading.value, reading.value_high), (said.value, said.value_high))
    )
    return {
        "claim_id": said.id, "statement": said.text, "chapter": CHAPTERS[said.chapter], "qualifier": said.qualifier,
        "article_text": said.shown, "recomputed_text": reading.text, "verdict": claim.verdict,
        "deviation_ratio": found / printed,
        "source_id": said.sources[0],
    }  # fmt: skip


def values(claims: Sequence[Claim]) -> list[Value]:
    """Give counts of verdicts and the sentences of the page that depend on them."""
    found = counts(claims)
    total, checked = len(claims), len(claims) - found["not-checkable"]
    held = found["reproduces"] + found["reproduces-under-assumption"]
    source = claims[0].statement.sources[:1]
    made = [
        Value(
            "claims-total", total, "count", definition="Claims of the article.", digits=len(str(total)), sources=source
        ),
        Value(
            "claims-checked", checked, "count", definition="Claims that numbers can decide.", digits=len(str(checked))
        ),
        Value(
            "claims-held",
            held,
            "count",
            definition="Claims that hold, some under a named assumption.",
            digits=len(str(held)),
        ),
        Value(
            "claims-held-share",
            held / checked,
            "share",
            definition="Of the claims that can be checked, the share that holds.",
            digits=2,
        ),
        Value("claims-summary", text=summary(found), definition="Counts of verdicts in words."),
        Value("claims-answer", text=answer(held, checked, found), definition="The answer of the chapter."),
    ]
    made += [
        Value(
            f"claims-{verdict}",
            count,
            "count",
            definition=f"Claims with the verdict {verdict}.",
            digits=max(1, len(str(count))),
        )
        for verdict, count in found.items()
    ]
    return made + distances(deviations(claims))


def summary(found: dict[str, int]) -> str:
    """Give the counts as a clause: ``29 reproduce, 22 …``."""
    return words.listing(
        [f"{count} {WORDS[verdict] if count != 1 else singular(verdict)}" for verdict, count in found.items()]
    )


def answer(held: int, checked: int, found: dict[str, int]) -> str:
    """Give the answer in one sentence, its judgement chosen by the counts."""
    mostly = "Mostly" if held / checked > HALF else "Mostly not"
    lean = (
        "more often than not its numbers"
        if found["reproduces"] > found["reproduces-under-assumption"]
        else "its numbers mostly"
    )
    stand = (
        "stand as printed"
        if found["reproduces"] > found["reproduces-under-assumption"]
        else "stand only under an unstated assumption"
    )
    return f"{mostly}: {held} of {checked} claims that can be checked hold, and {lean} {stand}."


HALF = 0.5
CLOSE = 0.10


def distances(frame: pd.DataFrame) -> list[Value]:
    """How far recomputed and printed numbers are apart."""
    away = (frame["deviation_ratio"] - 1).abs()
    close = int((away <= CLOSE).sum())
    return [
        Value(
            "claims-compared",
            len(frame),
            "count",
            definition="Claims with a printed and a recomputed number in one unit.",
            digits=2,
        ),
        Value(
            "claims-close", close, "count", definition="Of these, those within a tenth of the printed number.", digits=2
        ),
    ]
