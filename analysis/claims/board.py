"""What the pages show of the claims: the scoreboard, the table, the data of the two figures, numbers for prose."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import pandas as pd

from analysis import ranking, words
from analysis.charts import theme
from analysis.claims.engine import VERDICTS, Claim
from analysis.figures import CLAIMS, Column, Published, markup, show_table

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


NAMES = {
    "all-params-per-token": "Parameters read", "palm-64-tpu": "TPUs for PaLM", "token-about-word": "Words per token",
    "pc-3-to-4b": "Largest model, PC", "most-below-1gbs": "Most storage", "palm-6-67": "PaLM's speed",
    "llama-7b-smallest": "Smallest LLaMA", "hbm-half-of-cost": "HBM share of cost",
    "sram-per-100mm2": "SRAM on 100 mm²",
    "76-percent-85-s": "76 % of FLOP/s", "only-40-percent": "40 % of FLOP/s", "reading-250wpm": "Reading speed",
    "palm-16-cpu": "CPUs for PaLM", "meta-128-gpus": "GPUs at Meta", "idfa": "Loss by IDFA",
    "fp16-two-bytes": "FP16 bytes",
    "weights-14gb": "Weights of 7 B", "iphone14promax-6gb": "iPhone 14 Pro Max", "io-14gb-per-token": "IO for a token",
    "token-4-chars": "Characters per token", "ssd-2b-int4": "Largest from storage", "speed-1000wpm": "Speed reading",
    "seven-seconds-half-word": "Half a word from disk",
    "client-batch-1": "Batch on a client", "palm-64-b256": "PaLM's batch",
    "reuse-256": "Uses of a weight", "latency-120ms": "Time per token", "tokens-8-33": "Tokens per second",
    "palm-200wpm": "PaLM in words", "tokens-33-3": "Tokens, fast reader", "latency-30ms": "Time, fast reader",
    "iphone14-1b-fp16": "iPhone 14, FP16", "iphone14-4b-int4": "iPhone 14, int4", "a17-about-100mm2": "Area of A17",
    "transistors-50bn": "Transistors", "gpt4-server-price": "Server price", "ddr-4x-cheaper": "HBM over DDR price",
    "fastest-ssd-6gbs": "Fastest drive", "m3-25-percent": "M3 over 100 mm²", "modal-iphone-3gb": "Usual iPhone memory",
    "half-the-bandwidth": "Bandwidth for others", "gpt4-multiple-servers": "Servers for GPT-4",
}  # fmt: skip
"""Claim → a name short enough for an axis; a claim without one shows its id."""


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
            "claim_id": said.id, "name": NAMES.get(said.id, said.id), "statement": said.text, "reading": reading.label,
            "article_text": said.shown, "recomputed_text": reading.text, "verdict": claim.verdict.replace("-", " "),
            "deviation_ratio": middle(reading.value, reading.value_high) / middle(said.value, said.value_high),
            "is_deciding": reading is first,
        }
        for reading in comparable
    ]  # fmt: skip


HOLDING = VERDICTS[:2]
"""Verdicts under which a claim holds."""


def middle(low: float, high: float) -> float:
    """Geometric mean of a range."""
    return math.sqrt(low * high)


def cited(claims: Sequence[Claim]) -> list[str]:
    """Every source that the rules looked at."""
    return sorted({source for claim in claims for source in claim.sources})
