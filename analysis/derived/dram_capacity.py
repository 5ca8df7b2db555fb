"""Does it fit: footprints of models, memory of devices, the longest context, what people own, the price of DRAM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import ranking, units, words
from analysis.derived import common, trends
from analysis.equations import dram_capacity, memory_wall
from analysis.figures import Value
from analysis.model import memory_limits, shapes
from analysis.tables import DataPackage

Floats = npt.NDArray[np.float64]
Record = Mapping[Any, Any]

FORMAT_NAMES = {"fp16": "FP16", "q8-0": "Q8_0", "q4-k-m": "Q4_K_M"}
"""The formats people download: what memory has to hold."""
FOUR_BIT = "q4-k-m"
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
    return shapes.Cache(*(table[name].to_numpy(dtype=float) for name in parts)).at(context_token)


def shown(package: DataPackage) -> list[str]:
    """List the models that figures show beside the reference model: in the book from a phone's size to a server's."""
    table = package.table("models")
    return list(table.loc[table["default_set"].fillna(value=False).astype(bool) & table["n_layer"].notna(), "model_id"])


def footprints(package: DataPackage, *, context_token: float, reference_model: str) -> pd.DataFrame:
    """Add up weights and cache for every shown model in every format."""
    table = models(package, (*shown(package), reference_model))
    table["kv_cache_byte"] = cache_byte(table, context_token)
    formats = common.formats(package, tuple(FORMAT_NAMES)).rename(columns={"source_id": "format_source_id"})
    table = table.merge(formats, how="cross")
    table["weight_byte"] = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    table["footprint_byte"] = dram_capacity.footprint_byte(
        table["weight_byte"].to_numpy(), kv_cache_byte=table["kv_cache_byte"].to_numpy()
    )
    table["is_reference"] = table["model_id"] == reference_model
    return table[list(FOOTPRINT)]


FOOTPRINT = (
    "model_id", "model", "format_id", "format", "total_param", "byte_per_param", "weight_byte", "kv_cache_byte",
    "footprint_byte", "full_kv_byte_per_token", "window_kv_byte_per_token", "window_token", "state_byte", "is_reference",
    "source_id", "format_source_id",
)  # fmt: skip


def devices(package: DataPackage, *, system_reserve_gibyte: float) -> pd.DataFrame:
    """List every device with its memory, what one program may take of it, its panel and its date."""
    reserve = common.base(system_reserve_gibyte, "gibyte")
    table = memory_limits.of_devices(package, package.table("devices"), reserve)
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


def landmarks(package: DataPackage, *, system_reserve_gibyte: float) -> pd.DataFrame:
    """Pick the devices drawn as limits, by their memory, each with its short name."""
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    table = ranking.by(table[table["device_id"].isin(LANDMARKS)], "memory_capacity_byte", "device_id")
    return table.assign(
        label=[f"{LANDMARKS[row['device_id']]}, {sold(row['memory_capacity_byte'])}" for row in rows(table)]
    )


def device_years(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Set the memory of every device beside what it must have so that one program may hold the reference model, by format."""
    table = devices(package, system_reserve_gibyte=system_reserve_gibyte)
    reserve = table["reserve_byte"].fillna(common.base(system_reserve_gibyte, "gibyte"))
    for format_id, need in reference_footprints(package, context_token, reference_model).items():
        table[need_column(format_id)] = np.maximum(need + reserve, need / table["limit_share"])
    return ranking.by(table, "panel", "release_year", "device_id")


def need_column(format_id: str) -> str:
    """Column of the memory a device must have for the reference model in a format."""
    return f"need_{format_id.replace('-', '_')}_byte"


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
    table = ranking.by(
        table[table["default_set"].isin(common.SETS)], "memory_capacity_byte", "release_year", "device_id"
    )
    needs = footprints(package, context_token=context_token, reference_model=reference_model)
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
    return ranking.by(wide, "year", "memory_capacity_byte", "device_id")


def _answer(row: Record) -> str:
    needs, has = words.quantity(row["footprint_byte"], "byte"), words.quantity(row["usable_byte"], "byte")
    said = {
        "yes": f"yes: {needs} of {has}",
        "barely": f"barely: {needs} of {has}",
        "no": f"no: needs {needs}, has {has}",
    }
    return re.sub(r" (?=[kMGT]?B|\d)", NO_BREAK, said.get(row["fits"], "unknown"))


# ---------------------------------------------------------------------------------- largest context


def largest_context(package: DataPackage, *, system_reserve_gibyte: float, reference_model: str) -> pd.DataFrame:
    """Compute the longest context that each size of main memory leaves beside the weights; no row where the weights do not fit."""
    sizes = pd.DataFrame({"memory_capacity_byte": [common.base(size, "gibyte") for size in SIZES_GIBYTE]})
    reserve = common.base(system_reserve_gibyte, "gibyte")
    sizes["usable_byte"] = memory_limits.of_system(package, "pc", sizes["memory_capacity_byte"], reserve).byte
    formats = common.formats(package, tuple(FORMAT_NAMES))[["format_id", "format", "byte_per_param"]]
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
    """Find the longest context that fits; beyond the window only the layers that see everything grow, a state never does."""
    usable = table["usable_byte"].to_numpy()
    weight = table["weight_byte"].to_numpy() + table["state_byte"].to_numpy()
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
    [video] = memory_limits.of_package(package).rows["video"]
    reserve = {SYSTEM: common.base(system_reserve_gibyte, "gibyte"), VIDEO: video.reserve_byte}
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
    return ranking.by(table[kept], "phones", "sale_year", "row_id")


def phone_needs(
    package: DataPackage, *, system_reserve_gibyte: float, context_token: float, reference_model: str
) -> pd.DataFrame:
    """Memory a phone needs for the reference model in each format, the reserve included."""
    needs = reference_footprints(package, context_token, reference_model)
    reserve = common.base(system_reserve_gibyte, "gibyte")
    table = pd.DataFrame({"format_id": list(needs), "average_memory_byte": [need + reserve for need in needs.values()]})
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
        *_limit_values(package), *_device_values(package, system_reserve_gibyte),
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
    first, largest = own[0], rows(needs[needs["format_id"] == FOUR_BIT])[-1]
    per_token = first["full_kv_byte_per_token"] + first["window_kv_byte_per_token"]
    cited = [first["source_id"]]
    found = [
        _words("reference", first["model"], "The reference model.", cited),
        _number("parameters", first["total_param"], "param", "Parameters of the reference model.", cited=cited),
        _number("cache-per-token", per_token, "byte_per_token", "Cache a token adds.", cited=cited,
                text=words.quantity(per_token, "byte"), how="2 · layers · heads · head size · 2 byte"),
        _number("cache", first["kv_cache_byte"], "byte", "Cache of the reference model.", how="c · T", cited=cited),
        _words("largest-name", largest["model"], "The largest model shown."),
        _number(f"largest-{FOUR_BIT}", largest["footprint_byte"], "byte", "Footprint of the largest model shown, in Q4_K_M.",
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


def _holding(own: pd.DataFrame, year: str, format_id: str) -> str:
    """How many devices of a year hold a model: those with room to spare, and those that barely do."""
    fits = own.loc[(own["default_set"] == year) & (own["format_id"] == format_id), "fits"]
    many, barely = (int((fits == word).sum()) for word in ("yes", "barely"))
    return f"{many or 'none'}, and {barely} barely," if barely else f"{many or 'none'}"


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
        for name, spoken in FORMAT_NAMES.items():
            about = f"Devices of {year} shown that hold the reference model in {spoken}."
            found.append(_words(f"holding-{name}-{year}", _holding(own, year, name), about, cited))
    about = f"Devices of {common.SETS[-1]} shown that hold the largest model in Q4_K_M."
    return [*found, _words("holding-largest", _holding(largest, common.SETS[-1], FOUR_BIT).rstrip(","), about)]


def _sentences(own: pd.DataFrame) -> list[Value]:
    """Put the answer, and what becomes of the article's devices, in words that follow the data."""
    cited = [*own["model_source_id"], *own["device_source_id"]]
    phone = own[own["device_id"] == "iphone-14"]
    room = float(phone.loc[phone["format_id"] == FOUR_BIT, "headroom_byte"].iloc[0])
    size = words.quantity(abs(room), "byte", 2)
    return [
        _words("answer", _answer_sentence(own), "How many of the devices shown hold the reference model.", cited),
        _words("iphone-14-verdict", _held_in(phone), "The formats in which an iPhone 14 holds the reference model.", cited),
        _number("iphone-14-room", room, "byte", "Room an iPhone 14 leaves in Q4_K_M, if above 0.", cited=cited,
                text=f"has {size} to spare" if room >= 0 else f"is {size} short", how="U − (P · b + c · T)"),
        *_typical_values(own),
    ]  # fmt: skip


def _held_in(device: pd.DataFrame) -> str:
    """In which formats a device holds the model, and in which barely: a clause."""
    names = {
        word: [FORMAT_NAMES[name] for name in device.loc[device["fits"] == word, "format_id"]]
        for word in ("yes", "barely")
    }
    parts = [f"holds the model in {words.listing(names['yes'])}"] if names["yes"] else []
    parts += [f"barely holds it in {words.listing(names['barely'])}"] if names["barely"] else []
    return words.listing(parts) if parts else "holds the model in none of the three formats"


def _answer_sentence(own: pd.DataFrame) -> str:
    old, new = common.SETS
    need = {row["format_id"]: words.quantity(row["footprint_byte"], "byte") for row in rows(own)}
    holding = {(year, name): _holding(own, year, name) for year in common.SETS for name in ("fp16", FOUR_BIT)}
    return (
        f"{own['model'].iloc[0]} needs {need['fp16']} in FP16 and {need[FOUR_BIT]} in Q4_K_M, the four-bit format most people download. "
        f"In FP16 it fits {holding[old, 'fp16']} of the {_shown(own, old)} devices of {old} shown here "
        f"and {holding[new, 'fp16']} of the {_shown(own, new)} of {new}; "
        f"in Q4_K_M it fits {holding[old, FOUR_BIT]} of the first and {holding[new, FOUR_BIT]} of the second.".replace(
            ",.", "."
        )
    )


def _typical_values(own: pd.DataFrame) -> list[Value]:
    full = own[(own["format_id"] == "fp16") & (own["default_set"] == common.SETS[0])]
    phones = full[full["device_class"] == "phone"]
    small = full[(full["device_class"] != "phone") & (full["memory_capacity_byte"] <= common.base(8, "gibyte"))]
    many = int(phones["fits"].isin(HELD).sum())
    sentence = f"{many or 'None'} of the {len(phones)} phones {'do' if many > 1 else 'does'}"
    return [
        _words("phones-fp16", sentence, "Phones of 2023 shown that hold the reference model in FP16."),
        _words(
            "small-computer",
            "does too" if small["fits"].isin(HELD).any() else "does not",
            "Whether a computer of 2023 with 8 GB does.",
        ),
    ]


HELD = ("yes", "barely")


def _limit_values(package: DataPackage) -> list[Value]:
    """State the limits that the text names: of an iPhone, of a Mac with 16 GB, of graphics cards."""
    limits = package.table("memory_limits").set_index("limit_id")
    found = []
    for name, limit_id in (("ios", "ios-from-6"), ("macos", "macos-from-16")):
        row = rows(limits.loc[[limit_id]])[0]
        cited = [row["source_id"], row["second_source_id"]]
        for end in ("low", "limit", "high"):
            share = float(row[f"{end}_share"])
            found.append(_number(f"{name}-{end}-share", share, "share", row["note"], cited=cited, digits=2))
    video = rows(limits.loc[["video-from-0"]])[0]
    cited = [video["source_id"], video["second_source_id"]]
    for end in ("reserve_low", "reserve", "reserve_high"):
        name = f"video-{end.replace('_', '-')}"
        found.append(_number(name, video[f"{end}_byte"], "byte", video["note"], cited=cited, digits=2))
    return found


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
                f"Memory that one program may take on an {row['name']}.",
                how="min(l · C, C − R)",
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
    table = table[table["format_id"] == FOUR_BIT]
    reached = {(row["model_id"], row["memory_capacity_byte"]): row["largest_context_token"] for row in rows(table)}
    tokens = {
        (name, size): float(reached.get((model_id, common.base(size, "gibyte")), 0.0))
        for name, model_id in (("reference", reference_model), (EXERCISE_MODEL, EXERCISE_MODEL)) for size in (8, 16)
    }  # fmt: skip
    start = tokens["reference", 8] or float("nan")
    sharing, doubling = tokens[EXERCISE_MODEL, 8] / start, tokens["reference", 16] / start
    return [
        *(_number(f"context-{name}-{size}gb", most, "token", f"Longest context in {size} GB in Q4_K_M, by memory alone.",
                  text=words.number(most, 2), how="(C − R − P · b) / c", cited=table["source_id"])
          for (name, size), most in tokens.items()),
        _number("context-gain-sharing", sharing, "ratio", "Context of Llama 3.1 8B over the reference's, 8 GB, Q4_K_M.",
                text=_times(sharing)),
        _number("context-gain-memory", doubling, "ratio", "The reference's context in 16 GB over that in 8 GB, Q4_K_M.",
                text=_times(doubling)),
    ]  # fmt: skip


def _times(ratio: float) -> str:
    return "an unknown multiple of" if np.isnan(ratio) else f"{words.number(ratio, 2)} times"


def _exercise_values(package: DataPackage, system_reserve_gibyte: float) -> list[Value]:
    """Solve the first problem: a model with a long context in a 16 GB laptop."""
    table = models(package, [EXERCISE_MODEL]).merge(
        common.formats(package, tuple(FORMAT_NAMES))[["format_id", "byte_per_param"]], how="cross"
    )
    cache, cited = cache_byte(table, EXERCISE_CONTEXT_TOKEN), list(table["source_id"])
    weight = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    need = np.asarray(dram_capacity.footprint_byte(weight, kv_cache_byte=cache))
    reserve = common.base(system_reserve_gibyte, "gibyte")
    laptop = memory_limits.of_system(package, "pc", [common.base(16, "gibyte")] * len(need), reserve)
    fits = memory_limits.words(laptop.grade(need))
    held = [FORMAT_NAMES[name] for name, word in zip(table["format_id"], fits, strict=True) if word in HELD]
    usable = float(laptop.byte[0])
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
    nearest = min(dates, key=lambda date: (words.settled(abs(common.decimal_year(date) - article)), date))
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
    for name, row_id in PHONE_AVERAGES.items():
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
    basis = _words(
        "phones-basis", trends.basis(package, phone_sources(package)), "Independent sources of these averages."
    )
    return [*found, basis, _phone_verdict(package, chosen)]


PHONE_AVERAGES = {
    "phones-2020": "phone-average-dram-2020-12-all", "phones-2025": "phone-average-dram-2025-12-all",
    "iphones-2025": "phone-average-dram-2025-12-iphone",
}  # fmt: skip
"""Averages that the prose names, and their rows."""


def phone_sources(package: DataPackage) -> list[str]:
    """List the sources of the averages that the prose names."""
    return sorted({str(package.row("installed_base", row_id)["source_id"]) for row_id in PHONE_AVERAGES.values()})


def _phone_verdict(package: DataPackage, chosen: dict[str, Any]) -> Value:
    needs, table = phone_needs(package, **chosen), phone_memory(package)
    newest = rows(ranking.by(table[table["phones"] == "all phones"], "sale_year", "row_id"))[-1]
    held = [
        FORMAT_NAMES[row["format_id"]]
        for row in rows(needs)
        if row["average_memory_byte"] <= newest["average_memory_byte"]
    ]
    text = f"has memory for it in {words.listing(held)}" if held else "has memory for it in none of the formats"
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
    phone = rows(ranking.by(table[table["kind"] == BUYER], "price_year", "price_id"))
    retail = rows(ranking.by(table[table["is_inflation_adjusted"].astype(bool)], "price_year", "price_id"))
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
        _words("price-basis", trends.basis(package, chips["source_id"]), "Independent sources of the contract prices."),
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
