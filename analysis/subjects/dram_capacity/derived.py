"""Does it fit: footprints of models, memory of devices, the longest context, what people own, the price of DRAM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import dram_capacity, memory_wall
from analysis.model import file_sizes, memory_limits, shapes
from analysis.subjects import common
from analysis.tables import DataPackage

Floats = npt.NDArray[np.float64]
Record = Mapping[Any, Any]

FORMAT_NAMES = {"fp16": "FP16", "q8-0": "Q8_0", "q4-k-m": "Q4_K_M"}
"""The formats people download: what memory has to hold."""
CONTEXT_MODELS = ("llama-3.2-3b", "llama-3.1-8b", "gemma-3-12b", "qwen3-32b", "llama-3.1-70b")
EXERCISE_MODEL, EXERCISE_CONTEXT_TOKEN = "llama-3.1-8b", 32768
LANDMARKS = {
    "iphone-12": "iPhone 12", "iphone-14": "iPhone 14", "iphone-17-pro-max": "iPhone 17 Pro Max",
    "macbook-air-m2-24gb": "MacBook Air M2", "macbook-pro-16-m5-max-128gb": "M5 Max",
}  # fmt: skip
"""Devices whose memory is drawn as a limit beside the models, with the names on their lines."""
PANELS = {
    "phone": "Phones and tablets", "tablet": "Phones and tablets", "laptop": "Laptops",
    "desktop": "Desktops and small AI machines", "edge": "Desktops and small AI machines", "gpu": "Graphics cards",
    "server": "Servers",
}  # fmt: skip
SIZES_GIBYTE = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Memory sizes sold."""
SYSTEM, VIDEO = "steam-system-ram-share", "steam-vram-share"
THRESHOLDS_GIBYTE = {SYSTEM: (8, 16, 32, 64), VIDEO: (8, 12, 16, 24)}
MEMORIES = {SYSTEM: "Main memory", VIDEO: "Video memory"}
PHONES = {
    "Smartphones sold": "all phones",
    "iPhones sold": "iPhones",
    "Smartphones sold at 600 USD or more": "600 USD or more",
}
"""Kinds of phones drawn, and what they are called."""
DRAM = ("dram", "ddr4", "ddr5", "lpddr5x")
CONTRACT, SPOT, BUYER, RETAIL = "Contract", "Spot", "One buyer, reported", "Retail minimum (2020 $)"
PRICE_KINDS = {"contract": CONTRACT, "spot": SPOT, "purchase-reported": BUYER, "retail-minimum": RETAIL}
FIRST_PRICE_YEAR = 2018
CHIP_SERIES = "DRAMeXchange fixed transaction price"
NO_BREAK = "\u00a0"


# ---------------------------------------------------------------------------------- words


def sold(capacity_byte: float) -> str:
    """Name a memory as devices are sold: 16 · 2^30 byte → ``16 GB``."""
    return f"{capacity_byte / units.unit('gibyte').factor:.3g} GB"


def short_device(name: str, capacity_byte: float) -> str:
    """Name a device in few words with its memory: ``MacBook Air (M2), 256 GB`` → ``MacBook Air M2, 8 GB``."""
    text = re.sub(r"^(Laptop|Desktop), ", "", name)
    text = re.sub(r" \(([MA]\d+(?: (?:Pro|Max|Ultra))?)[^)]*\)", r" \1", text)
    text = re.sub(r"( \([^)]*\)|,.*| \d+ GB$)", "", text)
    return f"{text}, {sold(capacity_byte)}"


def rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Hand out the rows of a table as plain records."""
    return table.to_dict("records")


# ---------------------------------------------------------------------------------- footprint


def models(package: DataPackage, model_ids: Iterable[str]) -> pd.DataFrame:
    """Give models the bytes their cache gains with a token, in layers that see everything and in windowed ones."""
    wanted = set(model_ids)
    for model_id in sorted(wanted):
        package.row("models", model_id)
    table = package.table("models")
    table = ranking.by(table[table["model_id"].isin(wanted)], "total_param", "model_id")
    table["model"] = table["name"].str.replace(r" \(.*\)", "", regex=True)
    cache = shapes.cache({str(name): table[name] for name in table}, common.byte_per_param(package, "fp16"))
    return table.assign(
        full_kv_byte_per_token=cache.full_byte_per_token,
        window_kv_byte_per_token=cache.window_byte_per_token,
        window_token=np.where(np.isinf(cache.window_token), table["context_token"], cache.window_token),
        state_byte=cache.state_byte,
    )


def cache_byte(table: pd.DataFrame, context_token: float) -> Floats:
    """Compute the cache of each model at a context, kept at 16 bits; NaN where its shape is not published."""
    parts = ("full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "state_byte")
    return np.asarray(shapes.Cache(*(table[name].to_numpy(dtype=float) for name in parts)).at(context_token))


def shown(package: DataPackage) -> list[str]:
    """List the models that figures show beside the reference model: in the book from a phone's size to a server's."""
    table = package.table("models")
    return list(table.loc[table["default_set"].fillna(value=False).astype(bool) & table["n_layer"].notna(), "model_id"])


def held_byte(package: DataPackage, table: pd.DataFrame) -> Floats:
    """Bytes of the weights of each row's model in its format: of its file where one is published, else parameters times bits."""
    by_bit = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    pairs = zip(table["model_id"], table["format_id"], strict=True)
    filed = np.array([file_sizes.file_gibyte(*pair, package.folder) for pair in pairs]) * units.unit("gibyte").factor
    return np.where(np.isnan(filed), by_bit, filed)


def footprints(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Add up weights and cache for every shown model in every format."""
    table = models(package, (*shown(package), given.reference_model))
    table["kv_cache_byte"] = cache_byte(table, given.context_token)
    formats = common.formats(package, tuple(FORMAT_NAMES)).rename(columns={"source_id": "format_source_id"})
    table = table.merge(formats, how="cross")
    table["weight_byte"] = held_byte(package, table)
    table["footprint_byte"] = dram_capacity.footprint_byte(
        table["weight_byte"].to_numpy(), kv_cache_byte=table["kv_cache_byte"].to_numpy()
    )
    table["is_reference"] = table["model_id"] == given.reference_model
    return table[list(FOOTPRINT)]


FOOTPRINT = (
    "model_id", "model", "format_id", "format", "total_param", "byte_per_param", "weight_byte", "kv_cache_byte",
    "footprint_byte", "full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "state_byte", "is_reference",
    "source_id", "format_source_id",
)  # fmt: skip


def devices(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """List every device with its memory, what one program may take of it, its panel and its date."""
    table = memory_limits.of_devices(package, package.table("devices"), given.system_reserve_byte)
    table["panel"] = table["device_class"].map(PANELS)
    table["release_year"] = table["release_date"].map(common.decimal_year)
    table["device"] = [short_device(row["name"], row["memory_capacity_byte"]) for row in rows(table)]
    return table[list(DEVICE)]


DEVICE = (
    "device_id", "name", "device", "device_class", "panel", "release_date", "release_year", "memory_capacity_byte",
    "usable_low_byte", "usable_byte", "usable_high_byte", *memory_limits.BOUNDS, "is_limit_estimate", "default_set",
    "confidence", "source_id", "second_source_id", "limit_source_id",
)  # fmt: skip


def limit_table(package: DataPackage) -> pd.DataFrame:
    """List what one program may take by system, in words: what is reckoned with, and the ends of its sources."""
    table = package.raw("memory_limits")
    spans = [_span(*row) for row in table[["limit_share", "low_share", "high_share"]].itertuples(index=False)]
    kept = table[["reserve_gibyte", "reserve_low_gibyte", "reserve_high_gibyte"]].itertuples(index=False)
    return table.assign(
        memory_from_gib=table["memory_from_gibyte"],
        granted=spans,
        kept=["" if pd.isna(row[2]) else _span(*row, percent=False) for row in kept],
    )


def _span(reckoned: float, low: float, high: float, *, percent: bool = True) -> str:
    """A figure and the ends of its sources: ``65 % (48 to 70 %)``; the parameter where there is no figure."""
    unit, factor = (" %", 100.0) if percent else ("", 1.0)
    said = [words.number(end * factor, 2) for end in (reckoned, low, high)]
    first = "the parameter" if pd.isna(reckoned) else f"{said[0]}{unit}"
    return first if low == high else f"{first} ({said[1]} to {said[2]}{unit})"


def landmarks(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Pick the devices drawn as limits, by their memory, each with its short name."""
    table = devices(package, given)
    table = ranking.by(table[table["device_id"].isin(LANDMARKS)], "memory_capacity_byte", "device_id")
    return table.assign(
        label=[f"{LANDMARKS[row['device_id']]}, {sold(row['memory_capacity_byte'])}" for row in rows(table)]
    )


def device_years(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Set the memory of every device beside what it must have so that one program may hold the reference model, by format."""
    table = devices(package, given)
    reserve = table["reserve_byte"].fillna(given.system_reserve_byte)
    for format_id, need in reference_footprints(package, given).items():
        table[need_column(format_id)] = np.maximum(need + reserve, need / table["limit_share"])
    return ranking.by(table, "panel", "release_year", "device_id")


def need_column(format_id: str) -> str:
    """Column of the memory a device must have for the reference model in a format."""
    return f"need_{format_id.replace('-', '_')}_byte"


def reference_footprints(package: DataPackage, given: Parameters) -> dict[str, float]:
    """Footprint of the reference model by format."""
    table = footprints(package, given)
    return {row["format_id"]: float(row["footprint_byte"]) for row in rows(table[table["is_reference"]])}


# ---------------------------------------------------------------------------------- does it fit


def fit_matrix(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Try every device shown by default against every shown model and format."""
    table = devices(package, given)
    table = ranking.by(
        table[table["default_set"].isin(common.SETS)], "memory_capacity_byte", "release_year", "device_id"
    )
    needs = footprints(package, given)
    table = table.rename(columns={"source_id": "device_source_id"}).merge(
        needs.rename(columns={"source_id": "model_source_id"}), how="cross"
    )
    need, usable = table["footprint_byte"].to_numpy(), table["usable_byte"].to_numpy()
    table["headroom_byte"] = dram_capacity.headroom_byte(need, usable)
    grade = dram_capacity.fit_grade(
        need,
        usable,
        usable_low_byte=table["usable_low_byte"].to_numpy(),
        usable_high_byte=table["usable_high_byte"].to_numpy(),
    )
    table["fits"] = memory_limits.words(np.asarray(grade))
    return table.reset_index(drop=True)


def fit_table(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Say for the reference model, per device and format, what it takes of what there is, or what it lacks."""
    table = fit_matrix(package, given)
    table = table[table["is_reference"]]
    table = table.assign(answer=[_answer(row) for row in rows(table)], year=table["default_set"])
    keys = ["device_id", "name", "device_class", "year", "memory_capacity_byte", "usable_byte", "device_source_id"]
    wide = table.pivot(index=keys, columns="format_id", values="answer").reset_index().rename_axis(columns=None)
    return ranking.by(
        wide.assign(page=common.device_pages(wide["device_id"])), "year", "memory_capacity_byte", "device_id"
    )


def _answer(row: Record) -> str:
    needs, has = words.quantity(row["footprint_byte"], "byte"), words.quantity(row["usable_byte"], "byte")
    said = {
        "yes": f"yes: {needs} of {has}",
        "barely": f"barely: {needs} of {has}",
        "no": f"no: needs {needs}, has {has}",
    }
    return re.sub(r" (?=[kMGT]?B|\d)", NO_BREAK, said.get(row["fits"], "unknown"))


# ---------------------------------------------------------------------------------- largest context


def largest_context(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Compute the longest context that each size of main memory leaves beside the weights; no row where the weights do not fit."""
    sizes = pd.DataFrame({"memory_capacity_byte": [common.base(size, "gibyte") for size in SIZES_GIBYTE]})
    sizes["usable_byte"] = memory_limits.of_system(
        package, "pc", sizes["memory_capacity_byte"], given.system_reserve_byte
    ).byte
    formats = common.formats(package, tuple(FORMAT_NAMES))[["format_id", "format", "byte_per_param"]]
    table = (
        models(package, (*CONTEXT_MODELS, given.reference_model)).merge(formats, how="cross").merge(sizes, how="cross")
    )
    table["weight_byte"] = held_byte(package, table)
    table["largest_context_token"] = context_within(table)
    table["is_reference"] = table["model_id"] == given.reference_model
    table = table.rename(columns={"context_token": "model_context_token"})
    return table.loc[table["largest_context_token"] >= 1, list(CONTEXT)].reset_index(drop=True)


CONTEXT = (
    "model_id", "model", "attention_kind", "total_param", "format_id", "format", "memory_capacity_byte", "usable_byte",
    "weight_byte", "full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "largest_context_token",
    "model_context_token", "is_reference", "source_id",
)  # fmt: skip


def context_within(table: pd.DataFrame) -> Floats:
    """Find the longest context that fits beside the weights; missing where nothing grows with it."""
    parts = (table[name].to_numpy(dtype=float) for name in KEPT)
    found = shapes.Cache(*parts).within(table["usable_byte"].to_numpy() - table["weight_byte"].to_numpy())
    return np.where(np.isinf(found), np.nan, found)


KEPT = ("full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "state_byte")


# ---------------------------------------------------------------------------------- installed base


def survey_dates(package: DataPackage) -> list[str]:
    """List the months of the survey, oldest first."""
    table = package.table("installed_base")
    return sorted(set(table.loc[table["metric"].isin(MEMORIES), "date"]))


def at_least_share(package: DataPackage, metric: str, date: str, threshold_byte: float) -> float:
    """Add up the share of surveyed PCs with at least so much memory; a bucket that starts below it counts as less."""
    table = package.table("installed_base")
    table = table[(table["metric"] == metric) & (table["date"] == date)]
    least = table["bucket_lower_byte"].fillna(0.0).to_numpy()
    return float(dram_capacity.at_least_share(least, table["share"].to_numpy(), threshold_byte))


def installed_base(package: DataPackage) -> pd.DataFrame:
    """Share of PCs with at least so much main and video memory, month by month."""
    asked = [
        (metric, size, date)
        for metric, sizes in THRESHOLDS_GIBYTE.items()
        for size in sizes
        for date in survey_dates(package)
    ]
    table = pd.DataFrame(asked, columns=["metric", "size", "date"])
    table["memory"] = table["metric"].map(MEMORIES)
    table["label"] = [f"≥ {size} GB" for size in table["size"]]
    table["survey_year"] = table["date"].map(common.decimal_year)
    table["threshold_byte"] = table.pop("size").map(lambda size: common.base(size, "gibyte"))
    table["share"] = [at_least_share(package, row["metric"], row["date"], row["threshold_byte"]) for row in rows(table)]
    sources = package.table("installed_base").groupby(["metric", "date"], as_index=False)[
        ["source_id", "second_source_id"]
    ]
    return table.merge(sources.first(), on=["metric", "date"], how="left")


def holding_share(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Share of PCs that can hold the reference model in each format, in main and in video memory, month by month."""
    [video] = memory_limits.of_package(package).rows["video"]
    reserve = {SYSTEM: given.system_reserve_byte, VIDEO: video.reserve_byte}
    needs = reference_footprints(package, given)
    asked = [(metric, date, format_id) for metric in MEMORIES for date in survey_dates(package) for format_id in needs]
    table = pd.DataFrame(asked, columns=["metric", "date", "format_id"])
    table["need_byte"] = [needs[row["format_id"]] + reserve[row["metric"]] for row in rows(table)]
    table["share"] = [_share_above(package, row) for row in rows(table)]
    return table


def _share_above(package: DataPackage, row: Record) -> float:
    need = float(row["need_byte"])
    return at_least_share(package, row["metric"], row["date"], need) if np.isfinite(need) else float("nan")


def phone_memory(package: DataPackage) -> pd.DataFrame:
    """Average memory of the phones sold, by kind of phone and date; forecasts and subtractions are marked."""
    table = package.table("installed_base")
    table = table[(table["metric"] == "phone-average-dram") & table["population"].isin(PHONES)].copy()
    table["phones"] = table["population"].map(PHONES)
    table["sale_year"] = table["date"].map(common.decimal_year)
    table["is_estimate"] = (table["confidence"] == "estimate") | table["is_derived"].astype(bool)
    kept = ["row_id", "phones", "date", "sale_year", "average_memory_byte", "is_estimate", "confidence", "source_id"]
    return ranking.by(table[kept], "phones", "sale_year", "row_id")


def phone_needs(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Memory a phone needs for the reference model in each format, the reserve included."""
    needs = reference_footprints(package, given)
    table = pd.DataFrame(
        {"format_id": list(needs), "average_memory_byte": [need + given.system_reserve_byte for need in needs.values()]}
    )
    return table.assign(label=[f"needed in {FORMAT_NAMES[name]}" for name in table["format_id"]])


# ---------------------------------------------------------------------------------- price


def prices(package: DataPackage) -> pd.DataFrame:
    """Prices of DRAM per labelled gigabyte, one series per kind, product and survey; ``mark`` names labelled points."""
    table = package.table("memory_prices")
    kept = table["price_kind"].isin(PRICE_KINDS) & table["memory_type"].isin(DRAM) & table["price_usd"].notna()
    table = table[kept & (table["date"].str[:4].astype(int) >= FIRST_PRICE_YEAR)].copy()
    table["price_usd_per_byte"] = dram_capacity.price_usd_per_byte(
        table["price_usd"].to_numpy(), table["capacity_byte"].to_numpy()
    )
    table["price_year"] = table["date"].map(common.decimal_year)
    table["kind"] = table["price_kind"].map(PRICE_KINDS)
    table["series"] = table["kind"] + ", " + table["item"] + ", " + table["basis"]
    table = ranking.by(table[list(PRICE)], "series", "price_year", "price_id")
    return table.assign(mark=_marks(table))


PRICE = (
    "price_id", "series", "kind", "memory_type", "item", "basis", "date", "price_year", "price_usd_per_byte",
    "capacity_basis", "is_forecast", "is_inflation_adjusted", "confidence", "source_id", "second_source_id",
)  # fmt: skip


def _is_chip_contract(table: pd.DataFrame) -> pd.Series[bool]:
    return (table["basis"] == CHIP_SERIES) & ~table["is_forecast"].astype(bool)


def _marks(table: pd.DataFrame) -> list[str]:
    """Name the lowest and the newest contract price of the chip, and its newest spot price."""
    chips = table[_is_chip_contract(table)]
    spot = table[(table["kind"] == SPOT) & table["item"].isin(chips["item"])]
    named: dict[Any, str] = {}
    if len(spot):
        named[_newest(spot)] = "spot"
    if len(chips):
        named |= {
            ranking.first(chips, "price_usd_per_byte", "price_id")["price_id"]: "lowest",
            _newest(chips): "newest",
        }
    return [named.get(row, "") for row in table["price_id"]]


def _newest(prices: pd.DataFrame) -> str:
    return str(ranking.first(prices, "price_year", "price_id", falling={"price_year"})["price_id"])


def chip_contract(package: DataPackage) -> pd.DataFrame:
    """Contract price of the DDR4 chip, the longest series, oldest first."""
    table = prices(package)
    return ranking.by(table[_is_chip_contract(table)], "price_year", "price_id")


PHONE_AVERAGES = {
    "phones-2020": "phone-average-dram-2020-12-all", "phones-2025": "phone-average-dram-2025-12-all",
    "iphones-2025": "phone-average-dram-2025-12-iphone",
}  # fmt: skip
"""Averages that the prose names, and their rows."""


def phone_sources(package: DataPackage) -> list[str]:
    """List the sources of the averages that the prose names."""
    return sorted({str(package.row("installed_base", row_id)["source_id"]) for row_id in PHONE_AVERAGES.values()})
