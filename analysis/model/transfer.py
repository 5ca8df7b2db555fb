"""What one run on a machine says of its other runs: every run beside every other, by predictions that never saw the chip."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.equations import elementary
from analysis.model import intervals
from analysis.model.own import WEIGHT_OF

Ends = tuple[float, float]
MACHINE = ["chip", "stack", "engine", "source_id"]
"""Runs that agree in these were made on one machine, or on machines that one report takes for one."""
ONLY_JUDGED = ("phone-metal", "phone-opencl", "phone-npu")
"""Groups with runs of one or two chips: they take a weight that others chose, and all their chips judge it."""
WEIGHTS = np.round(np.linspace(0, 1, 21), 2)
LEAST_JUDGING = 2
"""Chips that have to judge whether a run on the machine improves its group."""


def pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every ordered pair of runs on one machine: logarithms of measured over predicted speed of the one given and the one asked.

    ``rows`` need ``MACHINE``, ``group`` and ``speed_ratio``; every chip counts the same in ``weight``, group by group.
    """
    found = []
    for _, part in rows.groupby(MACHINE, dropna=False):
        given, asked = np.nonzero(~np.eye(len(part), dtype=bool))
        log = np.asarray(elementary.log(part["speed_ratio"].to_numpy(dtype=float)))
        found.append(part.iloc[asked][["chip", "group"]].assign(given=log[given], asked=log[asked]))
    table = pd.concat(found, ignore_index=True)
    table["weight"] = 1 / table.groupby(["group", "chip"])["chip"].transform("size")
    is_chooser = [intervals.half(chip) == intervals.HALVES[0] for chip in table["chip"]]
    return table.assign(is_chooser=np.array(is_chooser) & ~table["group"].isin(ONLY_JUDGED))


def weights(table: pd.DataFrame) -> dict[str, float]:
    """Return the weight by parameter: that with the least mean error, as a logarithm, on the half of the chips that chooses."""
    found = {}
    kind = table["group"].map(WEIGHT_OF)
    for name in dict.fromkeys(WEIGHT_OF.values()):
        part = table[table["is_chooser"] & (kind == name)]
        error = [np.average(np.abs(part["asked"] - w * part["given"]), weights=part["weight"]) for w in WEIGHTS]
        found[name] = float(WEIGHTS[int(np.argmin(np.round(error, 9)))])
    return found


def judged(table: pd.DataFrame, chosen: Mapping[str, float], known: Mapping[str, Ends]) -> pd.DataFrame:
    """Return one row per group: the mean error on the chips that chose nothing, without and with a run on the machine, and the interval.

    ``known`` holds the intervals without a run: they stay where there are too few chips to narrow them.  ``is_used`` where two
    chips or more judge, and the error falls.
    """
    found = [(str(name), part) for name, part in table.groupby("group")]
    return pd.DataFrame([_judged(name, part, chosen[WEIGHT_OF[name]], known[name]) for name, part in found])


def _judged(name: str, part: pd.DataFrame, weight: float, known: Ends) -> dict[str, object]:
    left = part["asked"] - weight * part["given"]
    judges = part[~part["is_chooser"]]
    before, after = (_mean_error(log[judges.index], judges["weight"]) for log in (part["asked"], left))
    ends = _ends(left, part)
    ends = ends if _width(ends) < _width(known) else known
    is_used = judges["chip"].nunique() >= LEAST_JUDGING and after < before
    return {
        "group": name, "weight_share": weight, "n_chip": part["chip"].nunique(), "n_judge": judges["chip"].nunique(),
        "before_error_ratio": before, "after_error_ratio": after, "known_low_ratio": known[0], "known_high_ratio": known[1],
        "low_ratio": ends[0], "high_ratio": ends[1], "covered_share": _covered(left, part, known), "is_used": bool(is_used),
    }  # fmt: skip


def _mean_error(log: pd.Series[float], weight: pd.Series[float]) -> float:
    """Return the mean of predicted over measured speed, less 1, without its sign."""
    error = np.abs(elementary.exp(-log.to_numpy(dtype=float)) - 1)
    return float(np.average(error, weights=weight)) if len(log) else np.nan


def _width(ends: Ends) -> float:
    return float(ends[1] / ends[0]) if ends[0] > 0 else np.inf


def _ends(left: pd.Series[float], part: pd.DataFrame) -> Ends:
    ratio: npt.NDArray[np.float64] = np.asarray(elementary.exp(left.to_numpy(dtype=float)))
    return intervals.ends(ratio, part["weight"].to_numpy(dtype=float), few=intervals.is_few(part))


def _covered(left: pd.Series[float], part: pd.DataFrame, known: Ends) -> float:
    """Return the share of runs inside the interval that the other chips would have set, every chip counted the same."""
    shares = []
    for chip, mine in part.groupby("chip"):
        others = part[part["chip"] != chip]
        ends = _ends(left[others.index], others) if len(others) else known
        low, high = ends if _width(ends) < _width(known) else known
        ratio = elementary.exp(left[mine.index].to_numpy(dtype=float))
        shares.append(float(np.mean((ratio >= low) & (ratio <= high))))
    return float(np.mean(shares))


def prompt_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every ordered pair of prompts that one machine read with weights packed alike: asked over given rate, parameters counted.

    ``rows`` need ``MACHINE``, ``packing``, ``total_param`` and ``prefill_token_per_s``.
    """
    alike = rows.assign(speed_ratio=rows["total_param"] * rows["prefill_token_per_s"], group="prefill-other")
    parts = [pairs(part) for _, part in alike.groupby([*MACHINE, "packing"], dropna=False) if len(part) > 1]
    table = pd.concat(parts, ignore_index=True)
    table["weight"] = 1 / table.groupby("chip")["chip"].transform("size")
    return table.assign(rate_ratio=elementary.exp((table["asked"] - table["given"]).to_numpy(dtype=float)))


def prompt_ends(table: pd.DataFrame) -> Ends:
    """Return the interval of the rate of another prompt: measured over the one that a machine's own prompt lets expect."""
    ratio, weight = (table[name].to_numpy(dtype=float) for name in ("rate_ratio", "weight"))
    return intervals.ends(ratio, weight, few=intervals.is_few(table))
