"""What prose says of memory: numbers and sentences that follow the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import dram_capacity, memory_wall
from analysis.figures import Value
from analysis.model import memory_limits
from analysis.subjects import common, trends
from analysis.subjects.dram_capacity.derived import (
    BUYER,
    EXERCISE_CONTEXT_TOKEN,
    EXERCISE_MODEL,
    FORMAT_NAMES,
    LANDMARKS,
    MEMORIES,
    PHONE_AVERAGES,
    SYSTEM,
    Record,
    at_least_share,
    cache_byte,
    chip_contract,
    devices,
    fit_matrix,
    footprints,
    holding_share,
    installed_base,
    largest_context,
    models,
    phone_memory,
    phone_needs,
    phone_sources,
    prices,
    rows,
    sold,
    survey_dates,
)
from analysis.tables import DataPackage

FOUR_BIT = "q4-k-m"
NAMED = (*LANDMARKS, "iphone-14-pro-max", "iphone-16", "macbook-air-m2-8gb")
"""Devices that the prose names."""
SURGE_START = "2025-05"
SET_GBYTE = 16
"""Size of the set of chips that is priced, by the market's label."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


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


# ---------------------------------------------------------------------------------- numbers of the prose


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Make every number and every data-chosen sentence that the chapter's prose cites."""
    needs = footprints(package, given)
    matrix = fit_matrix(package, given)
    return [
        _number("reserve", given.system_reserve_byte, "byte",
                "Memory kept by the system and open applications.", text=f"{given.system_reserve_gibyte:g} GiB"),
        _number("context", given.context_token, "token", "Tokens of context in the cache.", text=f"{given.context_token:,.0f}"),
        *_footprint_values(needs), *_count_values(matrix), *_sentences(matrix[matrix["is_reference"]]),
        *_limit_values(package), *_device_values(package, given),
        *_context_values(package, given),
        *_exercise_values(package, given),
        *_survey_values(package), *_holding_values(package, given), *_phone_values(package, given),
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
    ends: tuple[float, float] | None = None,
    **given: object,
) -> Value:
    identifier = f"dram-capacity-{name}".replace(".", "-")
    return Value(identifier, float(number), unit, text, about, how, given, sorted(set(cited)), digits, ends)


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
    held = f"{many or 'none'}"
    return f"{held} and barely {barely}{' more' * (many > 0)}" if barely else held


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
    return [*found, _words("holding-largest", _holding(largest, common.SETS[-1], FOUR_BIT), about)]


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
        f"{own['model'].iloc[0]} needs {need['fp16']} in FP16 and {need[FOUR_BIT]} in Q4_K_M, a common four-bit format. "
        f"In FP16 it fits {holding[old, 'fp16']} of the {_shown(own, old)} devices of {old} shown here "
        f"and {holding[new, 'fp16']} of the {_shown(own, new)} of {new}. "
        f"In Q4_K_M it fits {holding[old, FOUR_BIT]} of the first and {holding[new, FOUR_BIT]} of the second.".replace(
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
            ends = (row["low_share"], row["high_share"]) if end == "limit" else None
            found.append(_number(f"{name}-{end}-share", share, "share", row["note"], cited=cited, digits=2, ends=ends))
    video = rows(limits.loc[["video-from-0"]])[0]
    cited = [video["source_id"], video["second_source_id"]]
    for end in ("reserve_low", "reserve", "reserve_high"):
        name = f"video-{end.replace('_', '-')}"
        ends = (video["reserve_low_byte"], video["reserve_high_byte"]) if end == "reserve" else None
        found.append(_number(name, video[f"{end}_byte"], "byte", video["note"], cited=cited, digits=2, ends=ends))
    return found


def _device_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = devices(package, given)
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


def _context_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = largest_context(package, given)
    table = table[table["format_id"] == FOUR_BIT]
    reached = {(row["model_id"], row["memory_capacity_byte"]): row["largest_context_token"] for row in rows(table)}
    tokens = {
        (name, size): float(reached.get((model_id, common.base(size, "gibyte")), 0.0))
        for name, model_id in (("reference", given.reference_model), (EXERCISE_MODEL, EXERCISE_MODEL)) for size in (8, 16)
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


def _exercise_values(package: DataPackage, given: Parameters) -> list[Value]:
    """Solve the problem on formats: a model with a long context in a 16 GB laptop."""
    table = models(package, [EXERCISE_MODEL]).merge(
        common.formats(package, tuple(FORMAT_NAMES))[["format_id", "byte_per_param"]], how="cross"
    )
    cache, cited = cache_byte(table, EXERCISE_CONTEXT_TOKEN), list(table["source_id"])
    weight = memory_wall.weight_byte(table["total_param"].to_numpy(), table["byte_per_param"].to_numpy())
    need = np.asarray(dram_capacity.footprint_byte(weight, kv_cache_byte=cache))
    laptop = memory_limits.of_system(package, "pc", [common.base(16, "gibyte")] * len(need), given.system_reserve_byte)
    fits = memory_limits.words(laptop.grade(need))
    held = [FORMAT_NAMES[name] for name, word in zip(table["format_id"], fits, strict=True) if word in HELD]
    usable = float(laptop.byte[0])
    answer = f"{words.listing(held)} {'fit' if len(held) > 1 else 'fits'}"
    return [
        _number("problem-context", EXERCISE_CONTEXT_TOKEN, "token", "Context of the problem on formats.",
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


def _holding_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = holding_share(package, given)
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


def _phone_values(package: DataPackage, given: Parameters) -> list[Value]:
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
    return [*found, basis, _phone_verdict(package, given)]


def _phone_verdict(package: DataPackage, given: Parameters) -> Value:
    needs, table = phone_needs(package, given), phone_memory(package)
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
