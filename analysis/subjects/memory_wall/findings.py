"""The numbers and the data-chosen sentences that the prose of the chapter on bandwidth cites."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from analysis import ranking, words
from analysis.assumptions import Parameters
from analysis.equations import memory_wall
from analysis.figures import Value
from analysis.subjects import common, standing, trends
from analysis.subjects.memory_wall import derived
from analysis.tables import DataPackage

NAME = "memory-wall-"
PHONE, H100, TPU = "iphone-14", "nvidia-h100-sxm5-80gb", "google-tpu-v4"
CITED_DEVICES = {
    "iphone-14": PHONE, "m2": "macbook-air-m2-8gb", "i9-13900k": "desktop-core-i9-13900k-32gb",
    "rtx-5090": "rtx-5090-32gb", "iphone-17-pro-max": "iphone-17-pro-max", "m5-max": "macbook-pro-16-m5-max-128gb",
}  # fmt: skip


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Every number and every data-chosen sentence that the chapter cites."""
    limits = derived.largest_by_device(package, given)
    most = given.but(bandwidth_share=derived.FULL_BANDWIDTH)
    bounds = derived.largest_models(package, most, format_ids=(*common.FORMATS, common.DOWNLOADED["int4"]))
    return [
        *_parameters(given),
        *_rates(package, given),
        *_limits(limits, given),
        *_bounds(bounds),
        _basis(package),
        *_reach(package, limits, given.reference_model),
        *_cost(package, given),
        *_roofs(package, given),
        *_cache(package, given),
        *_read(package, limits),
        *_sensitivity(package, given),
        *_growth(package),
        *_problems(package, given),
    ]


def texts(found: Iterable[Value]) -> dict[str, str]:
    """Each number as it reads in a sentence, by its id without the chapter's name: for titles and captions."""
    return {value.id.removeprefix(NAME): str(value.as_dict()["text"]) for value in found}


def _number(
    name: str,
    number: float,
    unit: str,
    definition: str,
    formula: str = "",
    *,
    digits: int = 3,
    sources: Sequence[str] = (),
) -> Value:
    used = [source for source in sources if source]
    return Value(NAME + name, float(number), unit, definition=definition, formula=formula, digits=digits, sources=used)


def _text(name: str, text: str, definition: str = "") -> Value:
    return Value(NAME + name, text=text, definition=definition)


def _at(table: pd.DataFrame, row: Any, column: str) -> Any:
    """One cell by its row's label."""
    return table.loc[row, column]


def _parameters(given: Parameters) -> list[Value]:
    found = {
        "speed": f"{given.reading_speed_word_per_min:g} words per minute",
        "fast-speed": f"{given.fast_reading_speed_word_per_min:,g} words per minute",
        "tokens": f"{given.token_per_word:g} tokens per word",
        "share": f"{words.number(given.bandwidth_share * 100, 2)} %",
        "part": common.part_of_bandwidth(given.bandwidth_share),
        "reserve": f"{given.system_reserve_gibyte:g} GiB",
        "context": f"{given.context_token:,.0f} tokens",
    }
    return [_text(f"parameter-{name}", text, "A parameter of this edition.") for name, text in found.items()]


def _rates(package: DataPackage, given: Parameters) -> list[Value]:
    facts = package.table("facts").set_index("fact_id")
    english = 1 / _at(facts, "words-per-token-english", "value")
    source = _at(facts, "words-per-token-english", "source_id")
    found = [
        _number("english-token-per-word", english, "token_per_word", "Tokens of an English word.", sources=[source])
    ]
    for name, rate in {
        "reading": given.reading_token_per_s,
        "fast-reading": given.fast_reading_token_per_s,
        "english-reading": given.but(token_per_word=english).reading_token_per_s,
    }.items():
        time = memory_wall.time_per_token_s(rate)
        found.append(
            _number(f"{name}-rate", rate, "token_per_s", "Tokens per second that keep up with a reader.", "v·t / 60")
        )
        found.append(_number(f"{name}-time", float(time), "s", "Time a token may take.", "1 / r"))
    return found


def _limits(limits: pd.DataFrame, given: Parameters) -> list[Value]:
    """List the largest models and bandwidths of the devices that the text names."""
    short = {device_id: name for name, device_id in CITED_DEVICES.items()}
    speed = {name: given[name] for name in ("reading_speed_word_per_min", "token_per_word", "bandwidth_share")}
    found = []
    for row in derived.rows(limits[limits["device_id"].isin(short)]):
        inputs = {key: row[key] for key in ("memory_bandwidth_byte_per_s", "usable_byte", "byte_per_param")} | speed
        found.append(Value(
            f"{NAME}{short[row['device_id']]}-{row['format_id']}", row["largest_param"], "param", inputs=inputs,
            definition=f"Largest {derived.FORMAT_NAMES[row['format_id']]} model of {row['name']} at reading speed.",
            formula="min(s·BW / r, memory) / b", sources=[row["source_id"]],
        ))  # fmt: skip
    for row in derived.rows(limits[limits["device_id"] == PHONE].head(1)):
        bandwidth, source = row["memory_bandwidth_byte_per_s"], row["source_id"]
        found.append(_number("iphone-14-bandwidth", bandwidth, "byte_per_s", "Memory bandwidth.", sources=[source]))
    return found


def _bounds(bounds: pd.DataFrame) -> list[Value]:
    """The bounds of the article's phone: its full bandwidth, and what one app may take of its memory."""
    names = derived.FORMAT_NAMES
    return [
        Value(
            f"{NAME}iphone-14-limit-{row['format_id']}", row["largest_param"], "param", formula="min(BW / (r·b), memory)",
            definition="Most parameters of a model on an iPhone 14 at its full bandwidth, in "
            f"{names.get(row['format_id'], row['format'])}.",
            sources=[row["source_id"], row["limit_source_id"]],
        )
        for row in derived.rows(bounds[bounds["device_id"] == PHONE])
    ]  # fmt: skip


def _basis(package: DataPackage) -> Value:
    """Say what the bandwidth of the phone that the chapter is about rests on."""
    basis = standing.devices(package).set_index("device_id").at[PHONE, "basis"]
    definition = "What the bandwidth of the iPhone 14 rests on; its maker publishes none."
    return Value(
        f"{NAME}iphone-14-basis",
        text=str(basis),
        definition=definition,
        sources=[package.row("devices", PHONE)["source_id"]],
    )


def _reach(package: DataPackage, limits: pd.DataFrame, reference_model: str) -> list[Value]:
    half = limits[limits["format_id"] == "fp16"]
    full = list(half[half["binding"] == "capacity"]["label"])
    model = common.model(package, reference_model)
    today = half[(half["default_set"] == "2026") & (half["device_class"] == "phone")]["largest_param"]
    able = [_able(half[half["default_set"] == year], model["total_param"], model["name"], year) for year in common.SETS]
    return [
        _text(
            "bandwidth-first-count", f"{len(half) - len(full)} of {len(half)}", "Devices that bandwidth limits first."
        ),
        _text("binding", _which_limit(len(half), full)),
        *(_text(f"reach-{year}", text) for year, text in zip(common.SETS, able, strict=True)),
        _text("phones-2026", _span(today), "Largest FP16 models of the phones of 2026."),
    ]


def _able(half: pd.DataFrame, size: float, name: str, year: str) -> str:
    """Tell which devices of a set keep up with a reader running the reference model at 16 bits: a clause."""
    able = list(half[half["largest_param"] >= size]["label"])
    if not able:
        return f"none of the {len(half)} devices of {year} runs {name} at 16 bits"
    which = words.listing([f"the {label.split(',')[0]}" for label in able])
    return f"{which} can run {name} at 16 bits, out of the {len(half)} devices of {year}"


def _span(params: pd.Series[Any]) -> str:
    """From the smallest to the largest, in one unit: ``0.51 B to 2.3 B parameters``."""
    billion = common.base(1, "gparam")
    return f"{words.number(params.min() / billion, 2)} B to {words.number(params.max() / billion, 2)} B parameters"


def _which_limit(count: int, full: list[str]) -> str:
    """Tell which devices run out of memory first: a clause that holds whatever the data say."""
    if not full:
        return f"on all {count} devices bandwidth gives out first"
    verb = "runs" if len(full) == 1 else "run"
    rest = (
        f"On the other {count - len(full)} devices bandwidth gives out first"
        if len(full) < count
        else "No other is left"
    )
    return f"{words.listing([f'the {name}' for name in full])} {verb} out of memory first. {rest}"


def _cost(package: DataPackage, given: Parameters) -> list[Value]:
    cost = derived.byte_and_flop(package, reference_model=given.reference_model).set_index("format_id")
    model = common.model(package, given.reference_model)
    phone = derived.machines(package).query("peak_kind == @derived.NEURAL").set_index("device_id")
    flop, byte = _at(cost, "fp16", "flop_per_token"), _at(cost, "fp16", "read_byte_per_token")
    read = float(memory_wall.time_per_output_token_s(byte, _at(phone, PHONE, "memory_bandwidth_byte_per_s")))
    compute = float(memory_wall.time_per_token_s(_at(phone, PHONE, "peak_op_per_s") / flop))
    budget, source = derived.budget_byte_per_token(package, PHONE, given), [model["source_id"]]
    sizes = [
        _number(
            f"reference-byte-{row['format_id']}", row["read_byte_per_token"], "byte", "Bytes of all weights.", "P·b"
        )
        for row in derived.rows(cost.reset_index())
    ]
    steps = [
        _number(
            f"intensity-{row['format_id']}",
            row["intensity_flop_per_byte"],
            "flop_per_byte",
            "Intensity.",
            "2 / b",
            digits=2,
        )
        for row in derived.rows(cost.reset_index())
    ]
    return [
        *sizes, *steps,
        _text("reference-model", model["name"]),
        _number("reference-param", model["total_param"], "param", "Parameters of the reference model.", sources=source),
        _number("reference-flop", flop, "flop", "Operations for one token.", "2·P", sources=source),
        _number("phone-read-time", read, "s", "Time an iPhone 14 takes to read the weights once at FP16.", "D / BW"),
        _number("phone-compute-time", compute, "s", "Time its processor takes at peak for the same token.", "2·P / F"),
        _number("reference-compute-used", given.reading_token_per_s * compute, "share",
                "Share of the same peak that it would use at reading speed.", "2·P·r / F", digits=2),
        _number("phone-wait", read / compute, "ratio", "Reading time over computing time."),
        _number("phone-budget", budget, "byte", "What an iPhone 14 may read per token at reading speed, s of its bandwidth.", "s·BW / r"),
    ]  # fmt: skip


def _roofs(package: DataPackage, given: Parameters) -> list[Value]:
    roofs = derived.roofline(package)
    work = roofs[roofs["kind"] == "work"].set_index(["machine_id", "work"])
    share = work["attainable_op_per_s"] / work["peak_op_per_s"]
    asked = {
        "iphone-14-one": (PHONE, derived.ONE_USER), "h100-one": (H100, derived.ONE_USER),
        "h100-many": (H100, derived.MANY_USERS), "tpu-v4-many": (TPU, derived.MANY_USERS),
    }  # fmt: skip
    ridges = roofs.drop_duplicates("machine_id").set_index("machine_id")
    used = derived.compute_used(package, given)
    known = used[used["compute_used_share"].notna()]
    order = ("compute_used_share", "device_id", "format_id")
    busiest = [ranking.tied(known[known["peak_kind"] == kind], *order, falling=order[:1]) for kind in KINDS]
    phone = used[(used["device_id"] == PHONE) & (used["format_id"] == "fp16") & (used["peak_kind"] == derived.NEURAL)]
    about = "Share of the peak that work of this intensity can attain."
    return [
        *(_number(f"ridge-{name}", _at(ridges, key, "ridge_flop_per_byte"), "flop_per_byte", "Ridge point.", "F / BW")
          for name, key in (("iphone-14", PHONE), ("h100", H100))),
        *(_number(f"attainable-{name}", share[key], "share", about, "min(1, I·BW / F)", digits=2)
          for name, key in asked.items()),
        *(value for kind, found in zip(KINDS.values(), busiest, strict=True) for value in _busiest(kind, found)),
        _number("phone-compute-used", phone["compute_used_share"].max(), "share",
                "Share of its neural processor's peak an iPhone 14 uses.", "2·P·r / F", digits=2),
        _text("peak-caveat", package.columns("devices")["npu_peak_int8_top_per_s"]["caveat"], "What the data say of the column."),
        _text("server-batch", f"{derived.SERVER_BATCH_SIZE:g}", "Users who share one read of the weights."),
    ]  # fmt: skip


KINDS = {derived.NEURAL: "neural", derived.SHADERS: "shaders"}


def _busiest(kind: str, found: pd.DataFrame) -> list[Value]:
    """The device that uses most of one kind of peak, or those that tie, and how much; unknown where none has such a peak."""
    about = f"Largest share of a peak in use: {kind}."
    share = found["compute_used_share"].iloc[0] if len(found) else math.nan
    return [
        _number(f"most-used-{kind}", share, "share", about, "2·P·r / F", digits=2),
        _text(
            f"most-device-{kind}",
            words.listing([f"the {label}" for label in found["label"]]) if len(found) else "no device",
            about,
        ),
    ]


def _cache(package: DataPackage, given: Parameters) -> list[Value]:
    element = common.byte_per_param(package, "fp16")
    last = derived.kv_cache_over_context(package, given).query("is_last").set_index("model_id")
    over = last["kv_cache_byte"] > derived.budget_byte_per_token(package, PHONE, given)
    reference, grouped = common.model(package, given.reference_model), common.model(package, "llama-3.1-8b")
    token, longest = "KV cache of one token.", "KV cache at the longest context its maker advertises, 16 bits."
    return [
        *(_number(f"cache-{str(model).replace('.', '-')}", byte, "byte", longest)
          for model, byte in last["kv_cache_byte"].items()),
        _number("cache-per-token", common.kv_byte_per_token(reference, element), "byte", token, "2·L·H·d·e"),
        _number("cache-per-token-gqa", common.kv_byte_per_token(grouped, element), "byte", token, "2·L·H·d·e"),
        _number("cache-reference", common.kv_cache_byte(reference, given.context_token, element), "byte", "At this context."),
        *(_text(f"keeps-up-{str(model).replace('.', '-')}", "no, its cache alone takes too long to read" if late
                else "yes, if only its cache counted") for model, late in over.items()),
        _text("cache-over", f"{over.sum()} of the {len(last)} models"),
    ]  # fmt: skip


def _read(package: DataPackage, limits: pd.DataFrame) -> list[Value]:
    read = derived.read_per_token(package)
    sparse, drafted = (read[read["kind"] == kind] for kind in ("mixture of experts", "dense + draft model"))
    phone = derived.rows(limits.query("device_id == 'iphone-17-pro-max' and format_id == 'int4'"))[0]
    quick = sparse[sparse["read_param"] <= phone["largest_by_bandwidth_param"]]
    held = quick[quick["held_param"] <= phone["largest_by_capacity_param"]]
    one = sparse.set_index("model_id")["read_share"]["qwen3-30b-a3b"]
    gain = (drafted["dense_param"] / drafted["read_param"]).iloc[0]
    return [
        _number("moe-share", one, "share", "Share of Qwen3 30B-A3B read per token.", "active / total", digits=2),
        _number("moe-least-share", sparse["read_share"].min(), "share", "Smallest such share shown.", digits=2),
        _number("draft-gain", gain, "ratio", "Speed with a draft model over speed without.", "P / R", digits=2),
        _text(
            "draft-acceptance", f"{derived.ACCEPTANCE_SHARE:g}", "Assumed share of drafted tokens that are accepted."
        ),
        _text("draft-token", f"{derived.DRAFT_TOKEN:g}", "Tokens drafted per check."),
        _text("moe-phone", _held(list(quick["name"]), list(held["name"]), len(sparse))),
    ]


def _held(quick: list[str], held: list[str], count: int) -> str:
    """Tell how many mixtures a phone reads fast enough, and which of them its memory holds: a clause."""
    if not quick:
        return f"none of the {count} mixtures of experts shown reads few enough weights per token"
    verb = "reads" if len(quick) == 1 else "read"
    only = "only " if len(held) < len(quick) else ""
    fit = f"{only}{words.listing(held)} {'fits' if len(held) == 1 else 'fit'}" if held else "none of them fits"
    few = f"{len(quick)} of the {count} mixtures of experts shown {verb} few enough weights per token"
    return f"{few}, and {fit} in its memory"


def _sensitivity(package: DataPackage, given: Parameters) -> list[Value]:
    table = derived.sensitivity(package, given, device_id=PHONE)
    english = table.set_index("input")["high_param"]["Tokens per word"]
    reached = derived.reached_bandwidth(package)["reached_share"]
    apple, ends = _apple_share(package), pd.concat([table["low_param"], table["high_param"]])
    source = ["apple-foundation-models-2024"]
    return [
        _text("widest-input", str(table["input"].iloc[0]).lower()),
        _number("widest-ratio", table["span_ratio"].iloc[0], "ratio", "Highest over lowest result.", digits=2),
        _text("spread", _span(ends), "Range of all results in the figure."),
        _number("english-iphone", english, "param", "Largest FP16 model of an iPhone 14 with English words.", digits=2),
        _number("reached-share", reached.median(), "share", "Median of measured over published bandwidth.", digits=2),
        _text("reached-count", f"{len(reached)}", "Measurements with a published bandwidth beside them."),
        _number("apple-share", apple, "share", "Share Apple's model of 2024 needs.", "P·b·r / BW",
                digits=2, sources=source),
    ]  # fmt: skip


def _apple_share(package: DataPackage) -> float:
    facts = package.table("facts").set_index("fact_id")["value"]
    needed = memory_wall.bandwidth_needed_byte_per_s(
        facts["apple-foundation-2024-params"],
        token_per_s=facts["apple-foundation-2024-speed"],
        byte_per_param=memory_wall.byte_per_param(facts["apple-foundation-2024-bits"]),
    )
    return float(needed / package.row("devices", "iphone-15-pro")["memory_bandwidth_byte_per_s"])


def _growth(package: DataPackage) -> list[Value]:
    """The paces of compute and bandwidth over all years and over recent ones, and of the gap between them."""
    found = []
    for series, name in GROWING.items():
        for recent, suffix in ((False, ""), (True, "-recent")):
            trend = derived.pace(package, series, recent=recent)
            format_words = derived.TRENDS[series][1]
            about = (
                f"Growth of {series} per two years, fitted{f'; number format: {format_words}' if format_words else ''}"
            )
            found.append(trends.value(f"{NAME}growth-{name}{suffix}", trend, about))
            found.append(_text(f"doubling-{name}{suffix}", trend.doubling, f"Time in which {series} doubles, fitted."))
    chips = derived.chips_by_year(package)
    span = float(chips["year"].max() - chips["year"].min())
    whole = derived.pace(package, derived.BALANCE, period_year=span)
    recent_gap = derived.pace(package, derived.BALANCE, recent=True)
    return [
        *found,
        trends.value(f"{NAME}growth-gap", whole, "How much compute outgrew bandwidth over all years, fitted"),
        _number("growth-years", span, "year", "Years of the fit.", digits=2),
        _text("growth-conclusion", _outgrown(whole, recent_gap), "Chosen by the intervals of the gap."),
        _text("growth-count", f"{chips['point_id'].nunique()}", "Chips in the fit."),
        _text("growth-basis", trends.basis(package, whole.sources), "Independent sources of the fit."),
        _text("growth-since", f"{trends.RECENT_YEAR}", "Where the fit over recent years begins."),
    ]


GROWING = {
    derived.COMPUTE: "compute", derived.BANDWIDTH: "bandwidth", derived.COMPUTE_32: "32-bit", derived.BALANCE: "balance",
}  # fmt: skip


def _outgrown(whole: trends.Trend, recent: trends.Trend) -> str:
    """Tell which of the two ran away from the other, as far as the intervals tell them apart."""
    if whole.low <= 1 <= whole.high:
        return "The data do not tell the pace of compute from that of memory bandwidth"
    first, second = ("Compute", "memory bandwidth") if whole.low > 1 else ("Memory bandwidth", "compute")
    if recent.low <= 1 <= recent.high:
        return f"{first} ran away from {second}; since {trends.RECENT_YEAR} the data do not tell them apart"
    return f"{first} ran away from {second}; since {trends.RECENT_YEAR} one over the other grew {recent.growth} every two years"


def _problems(package: DataPackage, given: Parameters) -> list[Value]:
    size, share = common.model(package, given.reference_model)["total_param"], given.bandwidth_share
    old, new, laptop = (
        package.row("devices", device)["memory_bandwidth_byte_per_s"]
        for device in (PHONE, "iphone-17", "macbook-air-m4-16gb")
    )
    read = memory_wall.weight_byte(size, common.byte_per_param(package, "int4"))
    rate = float(memory_wall.decode_token_per_s(read, laptop, bandwidth_share=share))
    needed = float(memory_wall.bandwidth_needed_byte_per_s(
        size, token_per_s=given.reading_token_per_s,
        byte_per_param=common.byte_per_param(package, "fp16"), bandwidth_share=share,
    ))  # fmt: skip
    reading = rate / given.token_per_word / common.base(1, "word_per_min")
    return [
        _number("laptop-bandwidth", laptop, "byte_per_s", "Memory bandwidth of a MacBook Air with M4."),
        _number(
            "laptop-rate", rate, "token_per_s", "Most tokens per second of the reference model in int4.", "s·BW / D"
        ),
        _number("laptop-words", reading, "word_per_min", "The same in words per minute."),
        _number("needed-bandwidth", needed, "byte_per_s", "Bandwidth the reference model needs at FP16.", "r·P·b / s"),
        _number("needed-ratio", needed / old, "ratio", "The same over an iPhone 14's bandwidth.", digits=2),
        _number("phone-growth", new / old, "ratio", "Bandwidth of an iPhone 17 over an iPhone 14's.", digits=2),
    ]
