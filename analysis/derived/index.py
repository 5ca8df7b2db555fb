"""The answer first: every device by bandwidth and memory, and the largest model it can run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis import words
from analysis.derived import common, memory_wall
from analysis.equations import memory_wall as equations
from analysis.figures import Value
from analysis.tables import DataPackage

SHOWN_FORMAT = "int4"
"""The format the explorer opens with: four bits, what people run on their own devices."""
LABELLED = {
    "iphone-14": "iPhone 14",
    "macbook-air-m2-8gb": "MacBook Air M2",
    "rtx-5090-32gb": "RTX 5090",
    "macbook-pro-16-m5-max-128gb": "MacBook Pro M5 Max",
    "iphone-17-pro": "iPhone 17 Pro",
    "this-machine": "This machine",
}
"""Devices named in the plot; the rest are named by their tooltips and by the search."""


def explorer(package: DataPackage, *, format_id: str = SHOWN_FORMAT, **parameters: float) -> pd.DataFrame:
    """One row per device: its bandwidth, the memory left to a model, and its largest model in one format."""
    table = memory_wall.largest_models(package, default_set=None, **parameters)
    table = table[(table["format_id"] == format_id) & table["largest_param"].notna()].reset_index(drop=True)
    table["label"] = table["device_id"].map(LABELLED).fillna("")
    table["is_article"] = table["device_id"].isin({device for device, _ in memory_wall.ARTICLE_CLAIMS})
    order = ["device_class", "memory_bandwidth_byte_per_s", "device_id"]
    return table.sort_values(order, ignore_index=True)


def drawn(devices: pd.DataFrame) -> pd.DataFrame:
    """The devices that are drawn: where there are very many, those that the figure names and others evenly between them."""
    largest = devices.groupby("device_class")["largest_param"].transform("max")
    named = (devices["label"] != "") | devices["is_article"] | (devices["largest_param"] == largest)
    return common.drawn(devices, always=named)


def values(package: DataPackage, **parameters: float) -> list[Value]:
    """What the landing page says: the newest phone and laptop beside the article's, and which limit binds."""
    table = memory_wall.largest_models(package, default_set=None, **parameters)
    now = explorer(package, format_id=SHOWN_FORMAT, **parameters)
    newest = now[now["default_set"] == "2026"]
    phone = newest[newest["device_class"] == "phone"].nlargest(1, "largest_param").iloc[0]
    laptop = newest[newest["device_class"] == "laptop"].nlargest(1, "largest_param").iloc[0]
    card = newest[newest["device_class"] == "gpu"].nlargest(1, "largest_param").iloc[0]
    bound = int((now["binding"] == "bandwidth").sum())
    return [
        *(_largest(table, "iphone-14", key, f"index-iphone-14-{key}") for key in common.FORMATS),
        *(_named(row, name) for row, name in ((phone, "phone"), (laptop, "laptop"), (card, "gpu"))),
        Value("index-devices", len(now), "count", text=f"{len(now)}", definition="Devices with known bandwidth and memory."),
        Value("index-bandwidth-bound", bound, "count", text=f"{bound}", definition="Of these, devices whose bandwidth binds at int4."),
        Value("index-which-binds", text=_which_binds(bound, len(now)), definition="Chosen by the counts."),
        _needed(package, **parameters),
        _compute_used(package, **parameters),
        Value("index-largest-shown", text=_largest_shown(newest), definition="The newest devices and their largest int4 models."),
    ]  # fmt: skip


def _largest(table: pd.DataFrame, device_id: str, format_id: str, value_id: str) -> Value:
    row = table[(table["device_id"] == device_id) & (table["format_id"] == format_id)].iloc[0]
    name = f"Largest model an {row['name']} can read in {row['format']} at the reading speed, or hold, whichever is smaller."
    return Value(value_id, float(row["largest_param"]), "param", definition=name, sources=[row["source_id"]])


def _named(row: pd.Series[Any], kind: str) -> Value:
    largest = float(str(row["largest_param"]))
    text = f"{row['name']}: {words.quantity(largest, 'param')}"
    definition = f"The {kind} of today's set with the largest int4 model; bound by {row['binding']}."
    return Value(
        f"index-largest-{kind}", largest, "param", text=text, definition=definition, sources=[str(row["source_id"])]
    )


def _needed(package: DataPackage, **parameters: float) -> Value:
    """Bandwidth that FP16 weights of the smallest LLaMA need at the reading speed, nothing set aside."""
    model = common.model(package, "llama-7b")
    rate = common.reading_token_per_s(parameters["reading_speed_word_per_min"], parameters["token_per_word"])
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


def _compute_used(package: DataPackage, **parameters: float) -> Value:
    """Share of the neural processor's peak that the same model uses on the article's phone."""
    model, phone = common.model(package, "llama-7b"), package.row("devices", "iphone-14")
    rate = common.reading_token_per_s(parameters["reading_speed_word_per_min"], parameters["token_per_word"])
    peak = phone["npu_peak_int8_op_per_s"]
    share = equations.compute_used_share(rate, model_param=model["total_param"], peak_flop_per_s=peak)
    definition = "Share of the iPhone 14's neural-processor peak that LLaMA 7B uses at the reading speed."
    return Value(
        "index-compute-used", float(share), "share", definition=definition, formula="2 · P · r / peak", digits=2,
        sources=[model["source_id"], phone["source_id"]],
    )  # fmt: skip


def _largest_shown(newest: pd.DataFrame) -> str:
    """The best phone, laptop and graphics card of today's set, in a sentence's words."""
    parts = []
    for kind, name in (("phone", "phone"), ("laptop", "laptop"), ("gpu", "graphics card")):
        best = float(newest.loc[newest["device_class"] == kind, "largest_param"].max())
        parts.append(f"{words.quantity(best, 'param').removesuffix(' parameters')} on the best {name}")
    return words.listing(parts)


def title(devices: pd.DataFrame) -> str:
    """The finding of the explorer: what the article's phone and today's best devices reach."""
    first = float(devices.loc[devices["device_id"] == "iphone-14", "largest_param"].iloc[0])
    newest = devices[devices["default_set"] == "2026"]
    phone = float(newest.loc[newest["device_class"] == "phone", "largest_param"].max())
    laptop = float(newest.loc[newest["device_class"] == "laptop", "largest_param"].max())
    reached = [words.quantity(value, "param").removesuffix(" parameters") for value in (first, phone, laptop)]
    best = f"the best phone of 2026 {reached[1]}, the best laptop {reached[2]}"
    return f"In four bits an iPhone 14 runs at most {reached[0]} parameters, {best}"


def _which_binds(bound: int, total: int) -> str:
    if bound == total:
        return "every one is limited by memory bandwidth"
    if bound * 2 > total:
        return f"{bound} are limited by memory bandwidth, {total - bound} by memory size"
    return f"{total - bound} are limited by memory size, {bound} by memory bandwidth"
