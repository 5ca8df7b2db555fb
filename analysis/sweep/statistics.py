"""What the editions of a sweep have in common: how each number spreads, what moves it, in how many a verdict stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking
from analysis.book.compare.diff import HEADLINE

QUANTILES = {"least": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9, "most": 1.0}
QUARTER = 0.25
CHUNK_ROWS = 1_000_000


def read(source: Path, *, wanted: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The index in two parts: numbers, which are those of the landing page where none are ``wanted`` by name, and verdicts."""
    kinds: Any = {"edition": str, "data": str, "id": str, "unit": str, "verdict": str, "value": float}
    kept = []
    with pd.read_csv(
        source, dtype=kinds, keep_default_na=False, na_values={"value": [""]}, chunksize=CHUNK_ROWS
    ) as chunks:
        for part in chunks:
            shown = True if wanted else part["id"].str.startswith(HEADLINE)
            kept.append(part[shown | (part["verdict"] != "")])
    table = pd.concat(kept, ignore_index=True)
    is_number = table["verdict"] == ""
    return table[is_number].drop(columns="verdict"), table[~is_number]


def spreads(numbers: pd.DataFrame, own: Mapping[str, float]) -> pd.DataFrame:
    """One row for each number: in how many editions it is, its quantiles, and ``own``, what the book has itself."""
    rows = []
    for key, found in numbers.groupby("id", sort=False):
        at = np.quantile(found["value"], list(QUANTILES.values()))
        rows.append(
            {"id": key, "unit": found["unit"].iloc[0], "n_edition": len(found), **dict(zip(QUANTILES, at, strict=True)),
             "own": own.get(str(key), np.nan)}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "unit", "n_edition", *QUANTILES, "own"])


def movers(numbers: pd.DataFrame, inputs: Sequence[str]) -> pd.DataFrame:
    """What moves each number: for each input the rank correlation, and the number's median where the input is low and where it is high.

    Low and high are the lowest and the highest quarter of an input that is a number; of any other the groups with the lowest
    and the highest median, and no correlation.  The inputs of a number stand by how far they move it.
    """
    rows = [
        {"id": key, "input": name, **_moved(found[name], found["value"])}
        for key, found in numbers.groupby("id", sort=False)
        if found["value"].nunique() > 1
        for name in inputs
        if found.loc[found[name] != "", name].nunique() > 1
    ]
    table = pd.DataFrame(rows, columns=["id", "input", "rank_correlation", "at_low", "at_high"])
    order = {key: place for place, key in enumerate(dict.fromkeys(table["id"]))}
    table = table.assign(_number=table["id"].map(order), _span=(table["at_high"] - table["at_low"]).abs())
    return ranking.by(table, "_number", "_span", "input", falling=["_span"]).drop(columns=["_number", "_span"])


def _moved(given: pd.Series[Any], value: pd.Series[Any]) -> dict[str, float]:
    set_, value = given[given != ""], value[given != ""]  # a cell that an edition has as it is filed says nothing
    numeric = pd.to_numeric(set_, errors="coerce")
    if numeric.isna().any():
        medians = value.groupby(set_).median()
        return {"rank_correlation": np.nan, "at_low": float(medians.min()), "at_high": float(medians.max())}
    ranks = np.corrcoef(numeric.rank(), value.rank())[0, 1]
    low, high = numeric.quantile(QUARTER), numeric.quantile(1 - QUARTER)
    return {
        "rank_correlation": round(float(ranks), 6),
        "at_low": float(value[numeric <= low].median()),
        "at_high": float(value[numeric >= high].median()),
    }


def verdicts(found: pd.DataFrame, own: Mapping[str, str], tried: Mapping[str, float]) -> pd.DataFrame:
    """One row for each claim: the book's verdict, the share of editions that have it too, and the verdict most of the others have.

    own    claim → verdict of the book; tried: claim → share of many more draws in which it stands
    """
    rows = []
    for key, of_claim in found.groupby("id", sort=False):
        counts = Counter(of_claim["verdict"])
        others = sorted(counts.keys() - {own[str(key)]}, key=lambda name: (-counts[name], name))
        share = float((of_claim["verdict"] == own[str(key)]).mean())
        rows.append(
            {"id": key, "verdict": own[str(key)], "share": share, "else": others[0] if others else "",
             "tried_share": tried.get(str(key), np.nan)}
        )  # fmt: skip
    table = pd.DataFrame(rows, columns=["id", "verdict", "share", "else", "tried_share"])
    return ranking.by(table, "share", "id")
