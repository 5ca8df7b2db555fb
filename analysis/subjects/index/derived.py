"""The answer first: every device by bandwidth and memory, and the largest model it can run."""

from __future__ import annotations

import pandas as pd

from analysis import ranking
from analysis.assumptions import Parameters
from analysis.model import expected, memory_limits
from analysis.subjects import common
from analysis.subjects.memory_wall import derived as memory_wall
from analysis.tables import DataPackage

SHOWN_FORMAT = "q4-k-m"
"""The format the explorer opens with: four bits, as people download them for their own devices."""
KINDS = {"phone": "phone", "laptop": "laptop", "desktop": "desktop", "gpu": "graphics card"}
"""Classes whose best device is named, and what a reader calls them."""
LABELLED = {
    "iphone-14": "iPhone 14",
    "macbook-air-m2-8gb": "MacBook Air M2",
    "rtx-5090-32gb": "RTX 5090",
    "macbook-pro-16-m5-max-128gb": "MacBook Pro M5 Max",
    "iphone-17-pro": "iPhone 17 Pro",
    "this-machine": "This machine",
}
"""Devices named in the plot; the rest are named by their tooltips and by the search."""


def explorer(package: DataPackage, given: Parameters, *, format_id: str = SHOWN_FORMAT) -> pd.DataFrame:
    """One row per device: its bandwidth, what memory holds in each format, and its largest model in one, at the full bandwidth."""
    formats = tuple(common.DOWNLOADED.values())
    most = given.but(bandwidth_share=memory_wall.FULL_BANDWIDTH)
    long = memory_wall.largest_models(package, most, format_ids=formats)
    held = long.pivot(index="device_id", columns="format_id", values="largest_by_capacity_param")
    held.columns = [held_column(str(name)) for name in held.columns]
    table = long[(long["format_id"] == format_id) & long["largest_param"].notna()]
    table = table.merge(held.reset_index(), on="device_id", validate="one_to_one")
    table["label"] = table["device_id"].map(LABELLED).fillna("")
    table["is_article"] = table["device_id"].isin({device for device, _ in memory_wall.ARTICLE_CLAIMS})
    table["is_estimate"] = (table["confidence"] == "estimate") | (
        table["is_limit_estimate"] & (table["binding"] == "capacity")
    )
    return ranking.by(table, "device_class", "memory_bandwidth_byte_per_s", "device_id")


SIZES_GPARAM = {
    0.25: "",
    1.0: "1 B",
    3.0: "3 B",
    8.0: "8 B",
    14.0: "14 B",
    32.0: "32 B",
    70.0: "70 B",
    120.0: "120 B",
    1500.0: "",
}
"""Models whose corners are drawn, by what readers call them; those without a name only carry the lines to the frame."""


def sizes(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """One row per size of a model: its name, and the memory that its weights and the cache of a typical model need in each format."""
    table = pd.DataFrame(
        {"model_param": [size * common.base(1, "gparam") for size in SIZES_GPARAM], "size": SIZES_GPARAM.values()}
    )
    known = expected.calibration(package.folder)
    for format_id in common.DOWNLOADED.values():
        byte = common.held_byte_per_param(package, format_id)
        need = memory_limits.held_byte(known, table["model_param"].to_numpy(), byte, given.context_token)
        table[needed_column(format_id)] = need
    return table


def needed_column(format_id: str) -> str:
    """Column of the memory that a model needs in a format."""
    return f"needed_{format_id.replace('-', '_')}_byte"


def held_column(format_id: str) -> str:
    """Column of the largest model that memory holds in a format."""
    return f"held_{format_id.replace('-', '_')}_param"


def drawn(devices: pd.DataFrame) -> pd.DataFrame:
    """The devices that are drawn: where there are very many, those that the figure names and others evenly between them."""
    largest = devices.groupby("device_class")["largest_param"].transform("max")
    named = (devices["label"] != "") | devices["is_article"] | (devices["largest_param"] == largest)
    return common.drawn(devices, always=named)
