"""Does it fit: footprints of models, memory of devices, the longest context, what people own, the price of DRAM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import units, words
from analysis.derived import common
from analysis.equations import dram_capacity, kv_cache, memory_wall
from analysis.figures import Value
from analysis.tables import DataPackage

Floats = npt.NDArray[np.float64]
Record = Mapping[Any, Any]

FORMAT_NAMES = {"fp16": "FP16", "int8": "int8", "int4": "int4"}
MODELS = (
    "llama-3.2-1b", "llama-3.2-3b", "gemma-3-4b", "llama-3.1-8b", "gemma-3-12b", "qwen3-32b", "llama-3.1-70b",
    "deepseek-v3",
)  # fmt: skip
"""Models shown beside the reference model: from a phone's size to a server's, dense and mixture of experts."""
CONTEXT_MODELS = ("llama-3.2-3b", "llama-3.1-8b", "gemma-3-12b", "qwen3-32b", "llama-3.1-70b")
EXERCISE_MODEL, EXERCISE_CONTEXT_TOKEN = "llama-3.1-8b", 32768
LANDMARKS = {
    "iphone-12": "iPhone 12", "iphone-14": "iPhone 14", "iphone-17-pro-max": "iPhone 17 Pro Max",
    "macbook-air-m2-24gb": "MacBook Air M2", "macbook-pro-16-m5-max-128gb": "M5 Max",
}  # fmt: skip
"""Devices whose memory is drawn as a limit beside the models, with the names on their lines."""
NAMED = (*LANDMARKS, "iphone-14-pro-max", "iphone-16", "macbook-air-m2-8gb")
"""Devices that the prose names."""
PANELS = {
    "phone": "Phones and tablets", "tablet": "Phones and tablets", "laptop": "Laptops",
    "desktop": "Desktops and small AI machines", "edge": "Desktops and small AI machines", "gpu": "Graphics cards",
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
SURGE_START = "2025-05"
SET_GBYTE = 16
"""Size of the set of chips that is priced, by the market's label."""
NO_BREAK = "\u00a0"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


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


def people(count: float) -> str:
    """Say a large number in words: 850e6 → ``850 million``."""
    size, name = (
        (units.unit("gbyte").factor, "billion")
        if count >= units.unit("gbyte").factor
        else (units.unit("mbyte").factor, "million")
    )
    return f"{count / size:.3g} {name}"


def month(date: str) -> str:
    """Say an ISO date in words: ``2023-05`` → ``May 2023``; a year stays a year."""
    year, *rest = date.split("-")
    return f"{MONTHS[int(rest[0]) - 1]} {year}" if rest else year


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
    table = table[table["model_id"].isin(wanted)].sort_values("total_param").reset_index(drop=True)
    table["model"] = table["name"].str.replace(r" \(.*\)", "", regex=True)
    layer = _layer_kv_byte_per_token(table, common.byte_per_param(package, "fp16"))
    table["n_window_layer"] = table["n_sliding_layer"].fillna(0.0)
    table["n_full_layer"] = table["n_layer"] - table["n_window_layer"]
    table["window_token"] = table["sliding_window_token"].fillna(table["context_token"])
    table["layer_kv_byte_per_token"] = layer
    table["full_kv_byte_per_token"] = layer * table["n_full_layer"]
    table["window_kv_byte_per_token"] = layer * table["n_window_layer"]
    return table


def _layer_kv_byte_per_token(table: pd.DataFrame, element_byte: float) -> Floats:
    heads = kv_cache.kv_cache_byte_per_token(
        n_layer=1,
        n_kv_head=table["n_kv_head"].to_numpy(),
        head_dim=table["head_dim"].to_numpy(),
        kv_element_byte=element_byte,
    )
    latent = kv_cache.latent_cache_byte_per_token(
        n_layer=1,
        latent_dim=table["kv_latent_dim"].to_numpy(),
        rope_dim=table["rope_head_dim"].to_numpy(),
        kv_element_byte=element_byte,
    )
    return np.where((table["attention_kind"] == "mla").to_numpy(), latent, heads)


def cache_byte(table: pd.DataFrame, context_token: float) -> Floats:
    """Compute the cache of each model at a context, kept at 16 bits; NaN where its shape is not published."""
    return np.asarray(
        kv_cache.windowed_kv_cache_byte(
            table["layer_kv_byte_per_token"].to_numpy(),
            context_token,
            window_token=table["window_token"].to_numpy(),
            n_window_layer=table["n_window_layer"].to_numpy(),
            n_full_layer=table["n_full_layer"].to_numpy(),
        )
    )


def footprints(package: DataPackage, *, context_token: float, reference_model: str) -> pd.DataFrame:
    """Add up weights and cache for every shown model in every format."""
    table = models(package, (*MODELS, reference_model))
    table["kv_cache_byte"] = cache_byte(table, context_token)
    formats = common.formats(package).rename(columns={"source_id": "format_source_id"})
    table = table.merge(formats, how="cross")
    table["weight_byte"] = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    table["footprint_byte"] = dram_capacity.footprint_byte(
        table["weight_byte"].to_numpy(), kv_cache_byte=table["kv_cache_byte"].to_numpy()
    )
    table["is_reference"] = table["model_id"] == reference_model
    return table[list(FOOTPRINT)]


FOOTPRINT = (
    "model_id", "model", "format_id", "format", "total_param", "byte_per_param", "weight_byte", "kv_cache_byte",
    "footprint_byte", "full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "is_reference",
    "source_id", "format_source_id",
)  # fmt: skip


def reserve_byte(device_class: pd.Series[str], system_reserve_gibyte: float) -> Floats:
    """Tell what the system keeps: nothing of a graphics card, whose memory is the model's alone."""
    return np.where(device_class == "gpu", 0.0, common.base(system_reserve_gibyte, "gibyte"))


def usable_byte(table: pd.DataFrame, system_reserve_gibyte: float) -> Floats:
    """Compute the memory each device leaves to a model."""
    reserve = reserve_byte(table["device_class"], system_reserve_gibyte)
    return np.asarray(dram_capacity.usable_byte(table["memory_capacity_byte"].to_numpy(), reserve_byte=reserve))


def devices(package: DataPackage, *, system_reserve_gibyte: float) -> pd.DataFrame:
    """List every device with its memory, what is left of it to a model, its panel and its date."""
    table = package.table("devices")
    table["usable_byte"] = usable_byte(table, system_reserve_gibyte)
    table["panel"] = table["device_class"].map(PANELS)
    table["release_year"] = table["release_date"].map(common.decimal_year)
    table["device"] = [short_device(row["name"], row["memory_capacity_byte"]) for row in rows(table)]
    return table[list(DEVICE)]


DEVICE = (
    "device_id", "name", "device", "device_class", "panel", "release_date", "release_year", "memory_capacity_byte",
    "usable_byte", "default_set", "confidence", "source_id", "second_source_id",
)  # fmt: skip


def landmarks(package: DataPackage, *, system_reserve_gibyte: float) -> pd.DataFrame:
    """Pick the devices drawn as limits, by their memory, each with its short name."""
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    table = table[table["device_id"].isin(LANDMARKS)].sort_values("memory_capacity_byte").reset_index(drop=True)
    return table.assign(
        label=[f"{LANDMARKS[row['device_id']]}, {sold(row['memory_capacity_byte'])}" for row in rows(table)]
    )


def device_years(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Set the memory of every device beside what the reference model and the system need together in each format."""
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    reserve = reserve_byte(table["device_class"], system_reserve_gibyte)
    for format_id, need in reference_footprints(package, context_token, reference_model).items():
        table[f"need_{format_id}_byte"] = need + reserve
    return table.sort_values(["panel", "release_year", "device_id"]).reset_index(drop=True)


def reference_footprints(package: DataPackage, context_token: float, reference_model: str) -> dict[str, float]:
    """Footprint of the reference model by format."""
    table = footprints(package, context_token=context_token, reference_model=reference_model)
    return {row["format_id"]: float(row["footprint_byte"]) for row in rows(table[table["is_reference"]])}


MOST_IN_MATRIX = 40
"""Devices for which a matrix has room."""


# ---------------------------------------------------------------------------------- does it fit


def fit_matrix(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Try every device shown by default against every shown model and format."""
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    table = table[table["default_set"].isin(common.SETS)]
    table = table.sort_values(["memory_capacity_byte", "release_year"], kind="stable")
    needs = footprints(package, context_token=context_token, reference_model=reference_model)
    table = table.rename(columns={"source_id": "device_source_id"}).merge(
        needs.rename(columns={"source_id": "model_source_id"}), how="cross"
    )
    need, usable = table["footprint_byte"].to_numpy(), table["usable_byte"].to_numpy()
    table["headroom_byte"] = dram_capacity.headroom_byte(need, usable)
    table["fits"] = np.asarray(dram_capacity.fits(need, usable))
    table["result"] = np.where(
        table["headroom_byte"].isna(), "unknown", np.where(table["fits"], "fits", "does not fit")
    )
    return table.reset_index(drop=True)


def fit_table(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Say for the reference model, per device and format, what it takes of what there is, or what it lacks."""
    table = fit_matrix(
        package,
        system_reserve_gibyte=system_reserve_gibyte,
        context_token=context_token,
        reference_model=reference_model,
    )
    table = table[table["is_reference"]]
    table = table.assign(answer=[_answer(row) for row in rows(table)], year=table["default_set"])
    keys = ["device_id", "name", "device_class", "year", "memory_capacity_byte", "usable_byte", "device_source_id"]
    wide = table.pivot(index=keys, columns="format_id", values="answer").reset_index().rename_axis(columns=None)
    return wide.sort_values(["year", "memory_capacity_byte", "device_id"]).reset_index(drop=True)


def _answer(row: Record) -> str:
    needs, has = words.quantity(row["footprint_byte"], "byte"), words.quantity(row["usable_byte"], "byte")
    text = {"fits": f"fits: {needs} of {has}", "unknown": "unknown"}.get(row["result"], f"needs {needs}, has {has}")
    return re.sub(r" (?=[kMGT]?B|\d)", NO_BREAK, text)


# ---------------------------------------------------------------------------------- largest context


def largest_context(package: DataPackage, *, system_reserve_gibyte: float, reference_model: str) -> pd.DataFrame:
    """Compute the longest context each memory size leaves beside the weights; no row where the weights do not fit."""
    sizes = pd.DataFrame({"memory_capacity_byte": [common.base(size, "gibyte") for size in SIZES_GIBYTE]})
    sizes["usable_byte"] = usable_byte(sizes.assign(device_class=""), system_reserve_gibyte)
    formats = common.formats(package)[["format_id", "format", "byte_per_param"]]
    table = models(package, (*CONTEXT_MODELS, reference_model)).merge(formats, how="cross").merge(sizes, how="cross")
    table["weight_byte"] = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    table["largest_context_token"] = context_within(table)
    table["is_reference"] = table["model_id"] == reference_model
    table = table.rename(columns={"context_token": "model_context_token"})
    return table.loc[table["largest_context_token"] >= 1, list(CONTEXT)].reset_index(drop=True)


CONTEXT = (
    "model_id", "model", "attention_kind", "total_param", "format_id", "format", "memory_capacity_byte", "usable_byte",
    "weight_byte", "full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "largest_context_token",
    "model_context_token", "is_reference", "source_id",
)  # fmt: skip


def context_within(table: pd.DataFrame) -> Floats:
    """Find the longest context that fits; beyond the window only the layers that see everything grow."""
    usable, weight = table["usable_byte"].to_numpy(), table["weight_byte"].to_numpy()
    full, window = table["full_kv_byte_per_token"].to_numpy(), table["window_kv_byte_per_token"].to_numpy()
    reach = table["window_token"].to_numpy()
    short = dram_capacity.largest_context_token(usable, kv_cache_byte_per_token=full + window, weight_byte=weight)
    growing = np.where(full > 0, full, np.nan)
    long = dram_capacity.largest_context_token(
        usable, kv_cache_byte_per_token=growing, weight_byte=weight + window * np.nan_to_num(reach)
    )
    return np.where(short > reach, long, short)


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


def holding_share(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Share of PCs that can hold the reference model in each format, in main and in video memory, month by month."""
    reserve = {SYSTEM: common.base(system_reserve_gibyte, "gibyte"), VIDEO: 0.0}
    needs = reference_footprints(package, context_token, reference_model)
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
    return table[kept].sort_values(["phones", "sale_year"]).reset_index(drop=True)


def phone_needs(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Memory a phone needs for the reference model in each format, the reserve included."""
    needs = reference_footprints(package, context_token, reference_model)
    reserve = common.base(system_reserve_gibyte, "gibyte")
    table = pd.DataFrame({"format_id": list(needs), "average_memory_byte": [need + reserve for need in needs.values()]})
    return table.assign(label=[f"needed at {FORMAT_NAMES[name]}" for name in table["format_id"]])


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
    table = table[list(PRICE)].sort_values(["series", "price_year"]).reset_index(drop=True)
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
        named[spot["price_year"].idxmax()] = "spot"
    if len(chips):
        named |= {chips["price_usd_per_byte"].idxmin(): "lowest", chips["price_year"].idxmax(): "newest"}
    return [named.get(row, "") for row in table.index]


def chip_contract(package: DataPackage) -> pd.DataFrame:
    """Contract price of the DDR4 chip, the longest series, oldest first."""
    table = prices(package)
    return table[_is_chip_contract(table)].sort_values("price_year").reset_index(drop=True)


# ---------------------------------------------------------------------------------- numbers of the prose


def values(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> list[Value]:
    """Make every number and every data-chosen sentence that the chapter's prose cites."""
    chosen: dict[str, Any] = {
        "system_reserve_gibyte": system_reserve_gibyte, "context_token": context_token,
        "reference_model": reference_model,
    }  # fmt: skip
    needs = footprints(package, context_token=context_token, reference_model=reference_model)
    matrix = fit_matrix(package, **chosen)
    return [
        _number("reserve", common.base(system_reserve_gibyte, "gibyte"), "byte",
                "Memory kept by the system and open applications.", text=f"{system_reserve_gibyte:g} GiB"),
        _number("context", context_token, "token", "Tokens of context in the cache.", text=f"{context_token:,.0f}"),
        *_footprint_values(needs), *_count_values(matrix), *_sentences(matrix[matrix["is_reference"]]),
        *_turning_values(needs[needs["is_reference"]]), *_device_values(package, system_reserve_gibyte),
        *_context_values(package, system_reserve_gibyte, reference_model),
        *_exercise_values(package, system_reserve_gibyte),
        *_survey_values(package), *_holding_values(package, chosen), *_phone_values(package, chosen),
        *_claim_values(package), *_price_values(package),
    ]  # fmt: skip


def said(found: Iterable[Value]) -> dict[str, str]:
    """Tell how each of these numbers reads in a title or an alternative text, by its id without the subject."""
    return {value.id.removeprefix("dram-capacity-"): str(value.as_dict()["text"]) for value in found}


def _number(
    name: str,
    number: Any,
    unit: str,
    about: str,
    *,
    text: str = "",
    how: str = "",
    cited: Iterable[str] = (),
    digits: int = 3,
    **given: object,
) -> Value:
    identifier = f"dram-capacity-{name}".replace(".", "-")
    return Value(identifier, float(number), unit, text, about, how, given, sorted(set(cited)), digits)


def _words(name: str, text: str, about: str, cited: Iterable[str] = ()) -> Value:
    return Value(f"dram-capacity-{name}", text=text, definition=about, sources=sorted(set(cited)))


def _footprint_values(needs: pd.DataFrame) -> list[Value]:
    own = rows(needs[needs["is_reference"]])
    first, largest = own[0], rows(needs[needs["format_id"] == "int4"])[-1]
    per_token = first["full_kv_byte_per_token"] + first["window_kv_byte_per_token"]
    cited = [first["source_id"]]
    found = [
        _words("reference", first["model"], "The reference model.", cited),
        _number("parameters", first["total_param"], "param", "Parameters of the reference model.", cited=cited),
        _number("cache-per-token", per_token, "byte_per_token", "Cache a token adds.", cited=cited,
                text=words.quantity(per_token, "byte"), how="2 · layers · heads · head size · 2 byte"),
        _number("cache", first["kv_cache_byte"], "byte", "Cache of the reference model.", how="c · T", cited=cited),
        _words("largest-name", largest["model"], "The largest model shown."),
        _number("largest-int4", largest["footprint_byte"], "byte", "Footprint of the largest model shown, at int4.",
                how="P · b + c · T", cited=[largest["source_id"]]),
    ]  # fmt: skip
    return found + [value for row in own for value in _format_values(row)]


def _format_values(row: Record) -> list[Value]:
    name, cited = row["format_id"], [row["source_id"], row["format_source_id"]]
    shared: dict[str, Any] = {
        "cited": cited,
        "total_param": row["total_param"],
        "byte_per_param": row["byte_per_param"],
    }
    share = row["kv_cache_byte"] / row["footprint_byte"]
    label = f"the reference model at {row['format']}"
    return [
        _number(f"weights-{name}", row["weight_byte"], "byte", f"Weights of {label}.", how="P · b", **shared),
        _number(f"footprint-{name}", row["footprint_byte"], "byte", f"Size of {label}.", how="P · b + c · T", **shared),
        _number(f"cache-share-{name}", share, "share", f"Part of the cache in the footprint of {label}.", digits=2,
                how="c · T / (P · b + c · T)", cited=cited),
    ]  # fmt: skip


def _holding(own: pd.DataFrame, year: str, format_id: str) -> int:
    return int(own.loc[(own["default_set"] == year) & (own["format_id"] == format_id), "fits"].sum())


def _shown(matrix: pd.DataFrame, year: str) -> int:
    return int(matrix.loc[matrix["default_set"] == year, "device_id"].nunique())


def _count_values(matrix: pd.DataFrame) -> list[Value]:
    own, largest = matrix[matrix["is_reference"]], matrix[matrix["total_param"] == matrix["total_param"].max()]
    found = []
    for year in common.SETS:
        shown, cited = _shown(matrix, year), matrix.loc[matrix["default_set"] == year, "device_source_id"]
        found.append(
            _number(f"devices-{year}", shown, "count", f"Devices shown for {year}.", text=str(shown), cited=cited)
        )
        for name in FORMAT_NAMES:
            many, about = _holding(own, year, name), f"Devices of {year} shown that hold the reference model at {name}."
            found.append(
                _number(
                    f"holding-{name}-{year}",
                    many,
                    "count",
                    about,
                    text=str(many),
                    how="P · b + c · T ≤ C − R",
                    cited=cited,
                )
            )
    many = _holding(largest, common.SETS[-1], "int4")
    about = f"Devices of {common.SETS[-1]} shown that hold the largest model at int4."
    return [*found, _number("holding-largest", many, "count", about, text=str(many or "none"))]


def _sentences(own: pd.DataFrame) -> list[Value]:
    """Put the answer, and what becomes of the article's devices, in words that follow the data."""
    cited = [*own["model_source_id"], *own["device_source_id"]]
    phone = own[own["device_id"] == "iphone-14"]
    held = [FORMAT_NAMES[name] for name in phone.loc[phone["fits"], "format_id"]]
    room = float(phone.loc[phone["format_id"] == "int4", "headroom_byte"].iloc[0])
    size = words.quantity(abs(room), "byte", 2)
    verdict = f"holds the model at {words.listing(held)}" if held else "holds the model in none of the three formats"
    return [
        _words("answer", _answer_sentence(own), "How many of the devices shown hold the reference model.", cited),
        _words("iphone-14-verdict", verdict, "The formats in which an iPhone 14 holds the reference model.", cited),
        _number("iphone-14-room", room, "byte", "Room an iPhone 14 leaves at int4, if above 0.", cited=cited,
                text=f"has {size} to spare" if room >= 0 else f"is {size} short", how="C − R − (P · b + c · T)"),
        *_typical_values(own),
    ]  # fmt: skip


def _answer_sentence(own: pd.DataFrame) -> str:
    old, new = common.SETS
    need = {row["format_id"]: words.quantity(row["footprint_byte"], "byte") for row in rows(own)}
    return (
        f"{own['model'].iloc[0]} needs {need['fp16']} at FP16 and {need['int4']} at int4. "
        f"At FP16 it fits {_holding(own, old, 'fp16')} of the {_shown(own, old)} devices of {old} shown here "
        f"and {_holding(own, new, 'fp16')} of the {_shown(own, new)} of {new}; "
        f"at int4 it fits {_holding(own, old, 'int4')} and {_holding(own, new, 'int4')}."
    )


def _typical_values(own: pd.DataFrame) -> list[Value]:
    full = own[(own["format_id"] == "fp16") & (own["default_set"] == common.SETS[0])]
    phones = full[full["device_class"] == "phone"]
    small = full[(full["device_class"] != "phone") & (full["memory_capacity_byte"] <= common.base(8, "gibyte"))]
    many = int(phones["fits"].sum())
    sentence = f"{many or 'None'} of the {len(phones)} phones {'do' if many > 1 else 'does'}"
    return [
        _words("phones-fp16", sentence, "Phones of 2023 shown that hold the reference model at FP16."),
        _words(
            "small-computer",
            "does too" if small["fits"].any() else "does not",
            "Whether a computer of 2023 with 8 GB does.",
        ),
    ]


def _turning_values(own: pd.DataFrame) -> list[Value]:
    """Find the reserve at which a verdict turns: all the memory that the model itself does not need."""
    needs = own.set_index("format_id")["footprint_byte"]
    found = []
    for size, format_id in ((16, "fp16"), (6, "int4")):
        left = float(dram_capacity.headroom_byte(float(needs[format_id]), common.base(size, "gibyte")))
        about = f"The largest reserve with which {size} GB hold the reference model at {format_id}."
        name, how = f"turning-{size}gb-{format_id}", "C − (P · b + c · T)"
        found.append(_number(name, left, "byte", about, text=_turning(left), how=how, cited=own["source_id"]))
    return found


def _turning(left_byte: float) -> str:
    if np.isnan(left_byte):
        return "may or may not hold it"
    if left_byte < 0:
        return "cannot hold it even if the system keeps nothing"
    return f"holds it if the system keeps at most {left_byte / units.unit('gibyte').factor:.2f} GiB"


def _device_values(package: DataPackage, system_reserve_gibyte: float) -> list[Value]:
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    found = []
    for row in rows(table[table["device_id"].isin(NAMED)]):
        name, cited, memory = row["device_id"], [row["source_id"]], row["memory_capacity_byte"]
        found += [
            _number(f"{name}-memory", memory, "byte", f"Memory of {row['name']}.", text=sold(memory), cited=cited),
            _number(
                f"{name}-usable",
                row["usable_byte"],
                "byte",
                f"Memory {row['name']} leaves to a model.",
                how="C − R",
                cited=cited,
            ),
            _words(f"{name}-year", row["release_date"][:4], f"Year of first sale of {row['name']}.", cited),
        ]
    for device_class in ("phone", "laptop", "desktop", "gpu"):
        most = float(table.loc[table["device_class"] == device_class, "memory_capacity_byte"].max())
        found.append(
            _number(
                f"most-{device_class}", most, "byte", f"Most memory of a {device_class} in the data.", text=sold(most)
            )
        )
    return found


def _context_values(package: DataPackage, system_reserve_gibyte: float, reference_model: str) -> list[Value]:
    table = largest_context(package, system_reserve_gibyte=system_reserve_gibyte, reference_model=reference_model)
    table = table[table["format_id"] == "int4"]
    reached = {(row["model_id"], row["memory_capacity_byte"]): row["largest_context_token"] for row in rows(table)}
    tokens = {
        (name, size): float(reached.get((model_id, common.base(size, "gibyte")), 0.0))
        for name, model_id in (("reference", reference_model), (EXERCISE_MODEL, EXERCISE_MODEL)) for size in (8, 16)
    }  # fmt: skip
    start = tokens["reference", 8] or float("nan")
    sharing, doubling = tokens[EXERCISE_MODEL, 8] / start, tokens["reference", 16] / start
    return [
        *(_number(f"context-{name}-{size}gb", most, "token", f"Longest context in {size} GB at int4, by memory alone.",
                  text=words.number(most, 2), how="(C − R − P · b) / c", cited=table["source_id"])
          for (name, size), most in tokens.items()),
        _number("context-gain-sharing", sharing, "ratio", "Context of Llama 3.1 8B over the reference's, 8 GB, int4.",
                text=_times(sharing)),
        _number("context-gain-memory", doubling, "ratio", "The reference's context in 16 GB over that in 8 GB, int4.",
                text=_times(doubling)),
    ]  # fmt: skip


def _times(ratio: float) -> str:
    return "an unknown multiple of" if np.isnan(ratio) else f"{words.number(ratio, 2)} times"


def _exercise_values(package: DataPackage, system_reserve_gibyte: float) -> list[Value]:
    """Solve the first problem: a model with a long context in a 16 GB laptop."""
    table = models(package, [EXERCISE_MODEL]).merge(
        common.formats(package)[["format_id", "byte_per_param"]], how="cross"
    )
    cache, cited = cache_byte(table, EXERCISE_CONTEXT_TOKEN), list(table["source_id"])
    weight = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    need = np.asarray(dram_capacity.footprint_byte(weight, kv_cache_byte=cache))
    laptop = pd.DataFrame({"memory_capacity_byte": [common.base(16, "gibyte")], "device_class": ["laptop"]})
    usable = float(usable_byte(laptop, system_reserve_gibyte)[0])
    held = [
        FORMAT_NAMES[name]
        for name, size in zip(table["format_id"], need, strict=True)
        if dram_capacity.fits(size, usable)
    ]
    answer = f"{words.listing(held)} {'fit' if len(held) > 1 else 'fits'}"
    return [
        _number("problem-context", EXERCISE_CONTEXT_TOKEN, "token", "Context of the first problem.",
                text=f"{EXERCISE_CONTEXT_TOKEN:,}"),
        _number("problem-cache", cache[0], "byte", "Cache at that context.", how="c · T", cited=cited),
        *(_number(f"problem-need-{name}", size, "byte", f"Footprint at {name}.", how="P · b + c · T", cited=cited)
          for name, size in zip(table["format_id"], need, strict=True)),
        _number("problem-usable", usable, "byte", "What a 16 GB laptop leaves to a model.", how="C − R"),
        _words("problem-answer", answer, "The formats that fit."),
    ]  # fmt: skip


def surveys(package: DataPackage) -> dict[str, str]:
    """Choose the months the prose names: nearest to the article's, the one before the newest, and the newest."""
    dates = survey_dates(package)
    article = common.decimal_year("2023-05")
    nearest = min(dates, key=lambda date: abs(common.decimal_year(date) - article))
    return {"2023": nearest, "previous": dates[-2], "latest": dates[-1]}


def _survey_values(package: DataPackage) -> list[Value]:
    table, named = installed_base(package), surveys(package)
    found = [_words(f"survey-{when}", month(date), "Month of the survey.") for when, date in named.items()]
    for when, date in named.items():
        for row in rows(table[table["date"] == date]):
            name = f"{row['metric'].split('-')[1]}-{sold(row['threshold_byte']).replace(' ', '').lower()}-{when}"
            size, memory = sold(row["threshold_byte"]), row["memory"].lower()
            about = f"Share of surveyed PCs with at least {size} of {memory}, {month(date)}."
            how = "sum of the buckets that start there or above"
            found.append(_number(name, row["share"], "share", about, how=how, cited=[row["source_id"]], digits=2))
    common_size = at_least_share(package, SYSTEM, named["2023"], common.base(16, "gibyte")) > 0.5
    return [
        *found,
        _words("survey-verdict", "most" if common_size else "a minority of", "Whether 16 GB or more was common."),
    ]


def _holding_values(package: DataPackage, chosen: dict[str, Any]) -> list[Value]:
    table = holding_share(package, **chosen)
    base = package.table("installed_base")
    cited = base.loc[base["metric"].isin(MEMORIES), "source_id"]
    found = []
    for when, date in surveys(package).items():
        for row in rows(table[table["date"] == date]):
            memory = MEMORIES[row["metric"]].lower()
            about = f"Share of surveyed PCs whose {memory} holds the reference model at {row['format_id']}."
            name = f"pcs-{row['metric'].split('-')[1]}-{row['format_id']}-{when}"
            how = "sum of the buckets from P · b + c · T + R upwards"
            found.append(
                _number(name, row["share"], "share", about, how=how, cited=cited, digits=2, need_byte=row["need_byte"])
            )
    return found


def _phone_values(package: DataPackage, chosen: dict[str, Any]) -> list[Value]:
    found = []
    for name, row_id in (
        ("phones-2020", "phone-average-dram-2020-12-all"), ("phones-2025", "phone-average-dram-2025-12-all"),
        ("iphones-2025", "phone-average-dram-2025-12-iphone"),
    ):  # fmt: skip
        row = package.row("installed_base", row_id)
        mean, about = row["average_memory_byte"], f"Average memory, {row['population'].lower()}, {month(row['date'])}."
        found.append(_number(name, mean, "byte", about, text=sold(mean), cited=[row["source_id"]]))
    for size in (8, 12):
        row = package.row("installed_base", f"iphones-below-memory-2026-06-{size}gb")
        about = f"iPhones in use with less than {size} GB, an analyst's estimate."
        found.append(
            _number(
                f"iphones-below-{size}gb",
                row["device_count"],
                "count",
                about,
                text=people(row["device_count"]),
                cited=[row["source_id"]],
            )
        )
    return [*found, _phone_verdict(package, chosen)]


def _phone_verdict(package: DataPackage, chosen: dict[str, Any]) -> Value:
    needs, table = phone_needs(package, **chosen), phone_memory(package)
    newest = rows(table[table["phones"] == "all phones"].sort_values("sale_year"))[-1]
    held = [
        FORMAT_NAMES[row["format_id"]]
        for row in rows(needs)
        if row["average_memory_byte"] <= newest["average_memory_byte"]
    ]
    text = f"has memory for it at {words.listing(held)}" if held else "has memory for it in none of the formats"
    return _words("phones-verdict", text, "Formats of the reference model that the average phone has memory for.")


def _claim_values(package: DataPackage) -> list[Value]:
    """State what the article's claims on ownership are tested with."""
    used, share = package.row("facts", "iphone-11-dram"), package.row("facts", "iphone-11-usage-share-2023-q2")
    claim = package.row("claims", "modal-iphone-3gb")
    memory, printed = (
        common.base(used["value"], used["unit"]),
        common.base(claim["article_value"], claim["article_unit"]),
    )
    cited = [used["source_id"], share["source_id"]]
    means = [value for year in (2023, 2024) for value in _notebook_values(package, year)]
    majority = "more than half" if float(means[1].number or 0) > 0.5 else "no more than half"
    return [
        _number(
            "most-used-phone",
            memory,
            "byte",
            "Memory of the iPhone 11, the most used phone model of 2023.",
            text=sold(memory),
            cited=cited,
        ),
        _number(
            "most-used-phone-share",
            common.base(share["value"], share["unit"]),
            "share",
            share["statement"],
            cited=cited,
        ),
        _number(
            "article-modal-phone", printed, "byte", claim["statement"], text=sold(printed), cited=[claim["source_id"]]
        ),
        *means,
        _words(
            "small-notebook-verdict",
            majority,
            "Whether 8 GB was the majority of new notebooks of 2023 under that assumption.",
        ),
    ]


def _notebook_values(package: DataPackage, year: int) -> list[Value]:
    fact = package.row("facts", f"notebook-average-dram-{year}")
    mean, cited = common.base(fact["value"], fact["unit"]), [fact["source_id"]]
    share = dram_capacity.smaller_size_share(
        mean, smaller_byte=common.base(8, "gibyte"), larger_byte=common.base(16, "gibyte")
    )
    about = "Share with 8 GB if all others had 16 GB."
    return [
        _number(f"notebook-mean-{year}", mean, "byte", fact["statement"], text=sold(mean), cited=cited),
        _number(f"small-notebook-share-{year}", share, "share", about, how="(16 − mean) / (16 − 8)", cited=cited),
    ]


def _price_values(package: DataPackage) -> list[Value]:
    table, chips = prices(package), chip_contract(package)
    phone = rows(table[table["kind"] == BUYER].sort_values("price_year"))
    retail = rows(table[table["is_inflation_adjusted"].astype(bool)].sort_values("price_year"))
    before = rows(chips[chips["price_year"] < common.decimal_year(SURGE_START)])[-1]
    named = {row["mark"]: row for row in rows(table) if row["mark"]}
    lowest, newest, spot = named["lowest"], named["newest"], named["spot"]
    points = {
        "lowest": lowest, "before": before, "newest": newest, "spot": spot,
        "phone-first": phone[0], "phone-last": phone[-1], "retail-last": retail[-1],
    }  # fmt: skip
    return [
        *(value for name, row in points.items() for value in _one_price(name, row)),
        _ratio("surge", newest, before), _ratio("from-lowest", newest, lowest),
        _ratio("spot-over-contract", spot, newest), _ratio("phone", phone[-1], phone[0]),
    ]  # fmt: skip


def _one_price(name: str, row: Record) -> list[Value]:
    price, cited, about = row["price_usd_per_byte"], [row["source_id"]], f"{row['series']}, {row['date']}."
    one = price * common.base(1, "gbyte")
    return [
        _number(
            f"price-{name}",
            price,
            "usd_per_byte",
            about,
            text=f"${one:.2f} per GB",
            how="price / capacity",
            cited=cited,
        ),
        _words(f"price-{name}-date", month(row["date"]), "Date of that price.", cited),
        _number(
            f"price-{name}-set",
            one * SET_GBYTE,
            "usd",
            f"{SET_GBYTE} GB at that price: {about}",
            text=f"${one * SET_GBYTE:,.0f}",
            cited=cited,
        ),
    ]


def _ratio(name: str, above: Record, below: Record) -> Value:
    ratio = dram_capacity.price_ratio(above["price_usd_per_byte"], below["price_usd_per_byte"])
    about = f"{above['series']}, {above['date']}, over {below['series']}, {below['date']}."
    cited = [above["source_id"], below["source_id"]]
    return _number(
        f"price-{name}",
        ratio,
        "ratio",
        about,
        text=f"{words.number(float(ratio), 2)} times",
        how="p / p_reference",
        cited=cited,
    )
