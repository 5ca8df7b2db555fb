"""Why bandwidth sets the speed: roofline, KV cache, the largest model of each device, growth over the years."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.derived import common
from analysis.equations import dram_capacity, memory_wall
from analysis.tables import DataPackage

LIMITS = ("bandwidth", "capacity")


def largest_models(
    package: DataPackage,
    *,
    default_set: str | None = None,
    reading_speed_word_per_min: float,
    token_per_word: float,
    bandwidth_share: float,
    system_reserve_byte: float,
) -> pd.DataFrame:
    """Largest model of every device in every format: by bandwidth, by memory capacity, and the smaller of the two.

    ``default_set`` keeps the devices of ``2023`` or ``2026``; None keeps all.  ``binding`` names the limit that counts,
    and is ``unknown`` where a device's capacity is.  Bandwidth bounds the parameters read per token, capacity bounds all
    parameters: for a mixture of experts these are two different numbers.
    """
    table = common.devices(package, default_set).merge(_formats(package), how="cross")
    table["usable_byte"] = dram_capacity.usable_byte(
        table["memory_capacity_byte"].to_numpy(), reserve_byte=_reserve_byte(table["device_class"], system_reserve_byte)
    )
    byte = table["byte_per_param"].to_numpy()
    table["largest_by_bandwidth_param"] = memory_wall.largest_model_param(
        table["memory_bandwidth_byte_per_s"].to_numpy(),
        token_per_s=common.reading_token_per_s(reading_speed_word_per_min, token_per_word),
        byte_per_param=byte,
        bandwidth_share=bandwidth_share,
    )
    table["largest_by_capacity_param"] = dram_capacity.largest_model_param(table["usable_byte"].to_numpy(), byte)
    table["largest_param"] = table[["largest_by_bandwidth_param", "largest_by_capacity_param"]].min(
        axis=1, skipna=False
    )
    table["binding"] = _binding(table)
    return table[list(LARGEST)].reset_index(drop=True)


LARGEST = (
    "device_id", "name", "device_class", "default_set", "format_id", "format", "byte_per_param",
    "memory_bandwidth_byte_per_s", "memory_capacity_byte", "usable_byte", "largest_by_bandwidth_param",
    "largest_by_capacity_param", "largest_param", "binding", "release_date", "confidence", "source_id", "second_source_id",
)  # fmt: skip


def _formats(package: DataPackage) -> pd.DataFrame:
    return common.formats(package)[["format_id", "format", "byte_per_param"]]


def _reserve_byte(
    device_class: pd.Series[str], reserve_byte: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Reserve where system and model share a memory; that of a graphics card is the model's alone."""
    return np.where(device_class == "gpu", 0.0, reserve_byte)


def _binding(table: pd.DataFrame) -> list[str]:
    smaller = table["largest_by_bandwidth_param"] <= table["largest_by_capacity_param"]
    known = table["largest_param"].notna()
    return [
        ("bandwidth" if first else "capacity") if sure else "unknown"
        for first, sure in zip(smaller, known, strict=True)
    ]
