"""What the pages show of the claims: the scoreboard, the table, the data of the two figures, numbers for prose."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import pandas as pd

from analysis import ranking, units, words
from analysis.charts import theme
from analysis.claims.readings import HOLDING, VERDICTS, Reading
from analysis.claims.statements import Statement
from analysis.claims.verdicts import Claim, flips
from analysis.figures import CLAIMS, Column, Published, markup, require_filled, show_table

CHAPTERS = {
    "index": "The setting", "memory_wall": "Bandwidth", "sram_density": "On the chip", "dram_capacity": "Memory size",
    "storage_io": "Storage", "server_batching": "Servers",
}  # fmt: skip
"""Chapter → its name in tables and figures, in the order of the book."""
WORDS = {
    "reproduces": "reproduce", "reproduces-under-assumption": "reproduce under a named assumption",
    "ambiguous": "are ambiguous", "contradicted": "are contradicted", "not-checkable": "cannot be checked",
}  # fmt: skip


def definitions(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that hold by what their words mean: no score counts them among those put to a test."""
    return [claim for claim in claims if claim.statement.kind == "definition"]


def tested(claims: Sequence[Claim]) -> list[Claim]:
    """All other claims, those that cannot be checked among them."""
    return [claim for claim in claims if claim.statement.kind != "definition"]


def counts(claims: Sequence[Claim]) -> dict[str, int]:
    """How many of the claims that are no definitions have each verdict, in the order of ``VERDICTS``."""
    found = Counter(claim.verdict for claim in tested(claims))
    return {verdict: found[verdict] for verdict in VERDICTS}


def held_of(claims: Sequence[Claim]) -> tuple[int, int]:
    """How many claims hold, and how many were put to a test; definitions are neither."""
    found = counts(claims)
    return sum(found[verdict] for verdict in HOLDING), sum(found.values()) - found[VERDICTS[-1]]


def summary(claims: Sequence[Claim]) -> str:
    """Say the score as a clause: ``23 reproduce, 19 …; 7 more are definitions …``."""
    found = [(name, count) for name, count in counts(claims).items() if count]
    said = words.listing([f"{count} {singular(name) if count == 1 else WORDS[name]}" for name, count in found])
    return f"{said}; {defined(claims)}"


def defined(claims: Sequence[Claim]) -> str:
    """Say how many claims are definitions, and whether they hold."""
    found = definitions(claims)
    held = sum(claim.verdict in HOLDING for claim in found)
    if held == len(found):
        return f"{words.plural(len(found), 'definition holds', 'definitions hold')} by what the words mean"
    return f"of {words.plural(len(found), 'definition')} {held} hold"


def publish_claims(claims: Sequence[Claim]) -> Published:
    """Hand the verdicts to the site: badges in prose and ``claims.json`` are made from them."""
    for claim in claims:
        require_filled(f"claim {claim.statement.id}", statement=claim.statement.text, explanation=claim.explanation)
    listed = "".join(f"<li>{escape(claim.statement.text)}: {escape(claim.verdict)}</li>" for claim in claims)
    return Published(CLAIMS, {"claims": [claim.as_dict() for claim in claims]}, f"<ul>{listed}</ul>")


def scoreboard(claims: Sequence[Claim]) -> Published:
    """Give the verdicts as one bar with words and numbers; definitions are counted apart."""
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
    label = escape(f"Of {len(claims)} claims {summary(claims)}.", quote=True)
    return markup(
        "claims-scoreboard",
        f'<div class="mw-scoreboard"><div class="mw-score" role="img" aria-label="{label}">{parts}</div>'
        f'<ul class="mw-score-key">{key}</ul><p>{escape(defined(claims))}, and are not counted.</p></div>',
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
            "assumption": [claim.note for claim in claims],
            "robust": [share(claim) for claim in claims],
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
            Column("robust", "Stands in"),
            Column("today", "Today"),
            Column("chapter", "Chapter", link="page"),
            Column("explanation", "Why", kind="details"),
        ),
        caption=f"All {len(claims)} claims of the article",
        filters=("chapter", "verdict"),
        row_id="id",
    )


def share(claim: Claim) -> str:
    """Give the share of plausible parameters over which a verdict stands; empty where none moves it."""
    found = claim.robustness
    return words.quantity(found.share, "share", 2) if found.draws else ""


def drawn(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that a parameter moves, the least robust first."""
    found = [claim for claim in claims if claim.robustness.draws]
    return sorted(found, key=lambda claim: (claim.robustness.share, claim.statement.id))


def show_robustness(claims: Sequence[Claim]) -> Published:
    """Show how every verdict that a parameter moves fares over plausible ones."""
    rows = drawn(claims)
    if not rows:
        return markup("claims-robustness", "<p>No verdict moves with a parameter.</p>")
    data = pd.DataFrame(
        {
            "statement": [claim.statement.text for claim in rows],
            "verdict": [claim.verdict for claim in rows],
            "stands_percent": [claim.robustness.share / units.unit("percent").factor for claim in rows],
            "flips": [flips(claim) for claim in rows],
        }
    )
    columns = (
        Column("statement", "The article says"),
        Column("verdict", "Verdict", kind="badge"),
        Column("stands_percent", "Stands in", unit="percent", digits=2, bar=True),
        Column("flips", "Turns at, all else as it is"),
    )
    return show_table("claims-robustness", data, columns, caption=f"The {len(rows)} claims that a parameter moves")


def show_turned(before: Sequence[Claim], after: Sequence[Claim]) -> Published:
    """Show the verdicts that another value of a parameter turns, before and after."""
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old.verdict != new.verdict]
    if not pairs:
        return markup("claims-turned", "<p>No verdict changes.</p>")
    data = pd.DataFrame(
        {
            "statement": [old.statement.text for old, _ in pairs],
            "before": [old.verdict for old, _ in pairs],
            "after": [new.verdict for _, new in pairs],
            "recomputed": [new.deciding.text if new.deciding else "" for _, new in pairs],
        }
    )
    columns = (
        Column("statement", "The article says"),
        Column("before", "Here", kind="badge"),
        Column("after", "Then", kind="badge"),
        Column("recomputed", "Recomputed then"),
    )
    return show_table("claims-turned", data, columns, caption="Verdicts that the rule of thumb for English turns")


def by_chapter(claims: Sequence[Claim]) -> pd.DataFrame:
    """Claims by chapter and verdict, definitions left out: ``n_claim``, with where each part of the bar starts and ends."""
    found = Counter((claim.statement.chapter, claim.verdict) for claim in tested(claims))
    rows = [
        {
            "chapter": CHAPTERS[chapter],
            "chapter_order": place,
            "verdict": verdict.replace("-", " "),
            "n_claim": found[chapter, verdict],
        }
        for place, chapter in enumerate(CHAPTERS)
        for verdict in VERDICTS
    ]
    frame = pd.DataFrame(rows)
    frame["end"] = frame.groupby("chapter")["n_claim"].cumsum()
    frame["start"] = frame["end"] - frame["n_claim"]
    return frame[frame["n_claim"] > 0].reset_index(drop=True)


def deviations(claims: Sequence[Claim]) -> pd.DataFrame:
    """Recomputed over printed number for every reading in the article's own unit; a range counts with its middle.

    ``is_deciding`` marks the reading that stands for the claim; claims are ordered by it.
    """
    frame = pd.DataFrame([row for claim in claims for row in readings(claim)])
    decided = ranking.by(frame[frame["is_deciding"]], "deviation_ratio", "claim_id")["claim_id"]
    place = {claim_id: place for place, claim_id in enumerate(decided)}
    placed = frame.assign(claim_order=frame["claim_id"].map(place), row=range(len(frame)))
    return ranking.by(placed, "claim_order", "row").drop(columns="row")


def readings(claim: Claim) -> list[dict[str, object]]:
    """Give the ratios of one claim; none where it prints no number or no reading is in its unit."""
    said = claim.statement
    comparable = [reading for reading in claim.outcome.readings if reading.unit == said.unit and reading.value > 0]
    if math.isnan(said.printed) or not said.qualifier or not comparable:
        return []
    first = next((reading for reading in comparable if reading.holds and claim.verdict in HOLDING), comparable[0])
    return [
        {
            "claim_id": said.id, "name": said.axis_name or said.id, "statement": said.text, "reading": reading.label,
            "article_text": said.shown, "recomputed_text": reading.text, "verdict": claim.verdict.replace("-", " "),
            "deviation_ratio": deviation(reading, said),
            "is_deciding": reading is first,
        }
        for reading in comparable
    ]  # fmt: skip


def deviation(reading: Reading, said: Statement) -> float:
    """Recomputed over printed number, rounded as it is published so that no order hangs on a last bit."""
    found = middle(float(reading.value), float(reading.value_high))
    return words.significant(found / middle(said.value, said.value_high))


def middle(low: float, high: float) -> float:
    """Geometric mean of a range."""
    return math.sqrt(low * high)


def cited(claims: Sequence[Claim]) -> list[str]:
    """Every source that the rules looked at."""
    return sorted({source for claim in claims for source in claim.sources})
