"""What prose says of the landing page: numbers and sentences that follow the data."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from analysis import ranking, words
from analysis.assumptions import Parameters
from analysis.equations import memory_wall as equations
from analysis.figures import Value
from analysis.subjects import common
from analysis.subjects.index.derived import KINDS, SHOWN_FORMAT, explorer
from analysis.subjects.memory_wall import derived as memory_wall
from analysis.tables import DataPackage

ARTICLE_PHONE = "iphone-14"


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """What the landing page says: the article's phone at full and at the article's bandwidth, the best of today, which limit binds."""
    now = explorer(package, given)
    article = memory_wall.largest_models(package, given)
    most = given.but(bandwidth_share=memory_wall.FULL_BANDWIDTH)
    limit = memory_wall.largest_models(package, most, format_ids=tuple(common.DOWNLOADED.values()))
    bound = int((now["binding"] == "bandwidth").sum())
    return [
        *(_largest(article, key, f"index-iphone-14-{key}", given.bandwidth_share) for key in common.FORMATS),
        *(_largest(limit, key, f"index-iphone-14-limit-{key}", 1.0) for key in ("fp16", SHOWN_FORMAT)),
        *(_named(best(now, kind), kind) for kind in KINDS),
        Value("index-devices", len(now), "count", text=f"{len(now)}", definition="Devices with known bandwidth and memory."),
        Value("index-bandwidth-bound", bound, "count", text=f"{bound}",
              definition="Of these, devices whose bandwidth binds in Q4_K_M at the full bandwidth."),
        Value("index-which-binds", text=_which_binds(bound, len(now)), definition="Chosen by the counts."),
        Value("index-article-share", text=_article_share(package, given.bandwidth_share),
              definition="The share of the bandwidth that this edition leaves to the weights, beside the article's."),
        _needed(package, given),
        _compute_used(package, given),
        Value("index-largest-shown", text=_largest_shown(now), definition="The best of all devices shown and their largest Q4_K_M models.",
              sources=[str(source) for kind in KINDS for source in best(now, kind)["source_id"]]),
    ]  # fmt: skip


def best(devices: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The device of a class with the largest model, of all that are shown; where several tie, each of them."""
    of_kind = devices[devices["device_class"] == kind]
    return ranking.tied(of_kind, "largest_param", "device_id", falling={"largest_param"})


def _article_share(package: DataPackage, share: float) -> str:
    """Say the share reckoned with, and whether it is the article's: ``half of its bandwidth, as the article assumes``."""
    claim = package.row("claims", "half-the-bandwidth")
    of_article = common.base(claim["article_value"], claim["article_unit"])
    whose = "as the article assumes" if math.isclose(share, of_article) else "as this edition assumes"
    return f"{common.part_of_bandwidth(share)}, {whose}"


def _largest(table: pd.DataFrame, format_id: str, value_id: str, share: float) -> Value:
    row = table[(table["device_id"] == ARTICLE_PHONE) & (table["format_id"] == format_id)].iloc[0]
    name = (
        f"Largest model an {row['name']} can read in {row['format']} at the reading speed with "
        f"{common.part_of_bandwidth(share)}, or hold, whichever is smaller."
    )
    sources = [row["source_id"], row["limit_source_id"]]
    return Value(value_id, float(row["largest_param"]), "param", definition=name, sources=sources)


def _named(rows: pd.DataFrame, kind: str) -> Value:
    largest, many = float(rows["largest_param"].iloc[0]), len(rows) > 1
    bound = words.listing(sorted(set(rows["binding"])))
    definition = f"The {KINDS[kind]}{'s' * many} with the largest Q4_K_M model of all devices shown; bound by {bound}."
    return Value(
        f"index-largest-{kind}", largest, "param", text=f"{words.listing(list(rows['name']))}: {words.quantity(largest, 'param')}",
        definition=definition, sources=[str(one) for name in ("source_id", "limit_source_id") for one in rows[name]],
    )  # fmt: skip


def _needed(package: DataPackage, given: Parameters) -> Value:
    """Bandwidth that FP16 weights of the smallest LLaMA need at the reading speed, nothing set aside."""
    model = common.model(package, "llama-7b")
    rate = given.reading_token_per_s
    byte = common.byte_per_param(package, "fp16")
    needed = equations.bandwidth_needed_byte_per_s(model["total_param"], token_per_s=rate, byte_per_param=byte)
    definition = "Bandwidth that the FP16 weights of LLaMA 7B need at the reading speed."
    return Value(
        "index-needed-fp16",
        float(needed),
        "byte_per_s",
        definition=definition,
        formula="P · b · r",
        sources=[model["source_id"]],
    )


def _compute_used(package: DataPackage, given: Parameters) -> Value:
    """Share of the neural processor's peak that the same model uses on the article's phone."""
    model, phone = common.model(package, "llama-7b"), package.row("devices", "iphone-14")
    rate = given.reading_token_per_s
    peak = phone["npu_peak_int8_op_per_s"]
    share = equations.compute_used_share(rate, model_param=model["total_param"], peak_flop_per_s=peak)
    caveat = package.columns("devices")["npu_peak_int8_top_per_s"]["caveat"]
    definition = f"Share of the iPhone 14's neural-processor peak, {caveat}, that LLaMA 7B uses at the reading speed."
    return Value(
        "index-compute-used", float(share), "share", definition=definition, formula="2 · P · r / peak", digits=2,
        sources=[model["source_id"]],
    )  # fmt: skip


def _largest_shown(now: pd.DataFrame) -> str:
    """The best of each class of all devices shown, by name: a sentence each, the first without its beginning."""
    first, *others = (_runs(best(now, kind), KINDS[kind]) for kind in KINDS)
    return ". The best ".join([f"the best {first}", *(other.replace(" shown here", "", 1) for other in others)])


def _runs(rows: pd.DataFrame, kind: str) -> str:
    named, many = [f"the {_said(row)}" for _, row in rows.iterrows()], len(rows) > 1
    which = f"{kind}{'s' * many} shown here, {words.listing(named)}"
    return f"{which}, {'run' if many else 'runs'} at most {_size(rows.iloc[0])}{' each' * many}"


def _size(row: pd.Series[Any]) -> str:
    return words.quantity(float(row["largest_param"]), "param").removesuffix(" parameters")


def _said(row: pd.Series[Any]) -> str:
    """A device by its name; an estimate is called one."""
    name = re.sub(r", (\d+ GB)$", r" with \1", memory_wall.short_name(str(row["name"])))
    return f"{name} (an estimate)" if row["is_estimate"] else name


def title(devices: pd.DataFrame) -> str:
    """The finding of the explorer: what the article's phone and the best laptop shown can do at most.

    The size stands before the device: a name may end in a number of its own.
    """
    first, most = devices[devices["device_id"] == ARTICLE_PHONE].iloc[0], best(devices, "laptop")
    which = (
        _said(most.iloc[0]).replace(" with ", ", ") if len(most) == 1 else f"best {words.spelled(len(most))} laptops"
    )
    return f"In Q4_K_M at most {_size(first)} on an iPhone 14, {_size(most.iloc[0])} on the {which}"


def _which_binds(bound: int, total: int) -> str:
    if bound == total:
        return "every one is limited by memory bandwidth"
    if bound * 2 > total:
        return f"{bound} are limited by memory bandwidth, {total - bound} by memory size"
    return f"{total - bound} are limited by memory size, {bound} by memory bandwidth"
