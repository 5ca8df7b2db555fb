"""What prose says of storage: numbers and sentences that follow the data."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import memory_wall, storage_io
from analysis.figures import Value
from analysis.subjects import common
from analysis.subjects.storage_io.derived import (
    ABOUT,
    ARTICLE_PARAM_FACT,
    ARTICLE_TOKEN_PER_S,
    CACHING_DEVICES,
    FLASH_MOE_FACTS,
    FLASH_MOE_ROW,
    HALF_WORD,
    MEASURED,
    NO_CACHE_ROW,
    POWERINFER_ROW,
    article_byte_per_s,
    as_fast,
    drives,
    fastest,
    flash_moe,
    offload_measured,
    resident_share,
    seven_seconds,
    share_needed,
    short_name,
)
from analysis.tables import DataPackage

SPARSE = ("sparsity", "sparsity-and-cache")


# ------------------------------------------------------------------------------------- numbers for prose


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Return every number, and every sentence chosen by the data, that the chapter's prose cites."""
    rate, shares = given.reading_token_per_s, resident_share(package, given)
    return [
        _number("reading-rate", rate, "token_per_s", "Tokens per second that keep up with the reader."),
        _text("words", f"{given.reading_speed_word_per_min:g} words per minute", "Reading speed."),
        _text("tokens", f"{given.token_per_word:g} tokens per word", "Tokens the model generates for a word."),
        _text("reserve", f"{given.system_reserve_gibyte:g} GiB", "Memory that the system keeps."),
        *_streaming_values(package, common.model(package, given.reference_model), rate),
        *_phone_values(package, rate),
        *_drive_values(package, given.article_date),
        *_article_values(package, rate),
        *_waiting_values(package, given.token_per_word),
        *_caching_values(shares, rate),
        *_measured_values(package, rate),
        *_flash_moe_values(package),
        *_sparse_values(package),
        *_problem_values(package, rate),
    ]


def _number(name: str, number: Any, unit: str, definition: str, **more: Any) -> Value:
    return Value(f"storage-io-{name}", float(number), unit, definition=definition, **more)


def _text(name: str, text: str, definition: str, *, sources: Iterable[str] = ()) -> Value:
    return Value(f"storage-io-{name}", text=text, definition=definition, sources=tuple(sources))


def _largest_int4(package: DataPackage, io_byte_per_s: float, token_per_s: float) -> float:
    byte = common.byte_per_param(package, "int4")
    return float(storage_io.largest_model_param(io_byte_per_s, token_per_s=token_per_s, byte_per_param=byte))


def _streaming_values(package: DataPackage, model: Mapping[str, Any], rate: float) -> list[Value]:
    best = fastest(drives(package))
    io, cited = float(best["storage_read_byte_per_s"]), [best["source_id"], model["source_id"]]
    weights = float(memory_wall.weight_byte(model["active_param"], common.byte_per_param(package, "int4")))
    speed, needed = storage_io.streamed_token_per_s(weights, io), storage_io.io_needed_byte_per_s(weights, rate)
    largest, enough = _largest_int4(package, io, rate), bool(speed >= rate)
    answer = "Yes, from the fastest drive" if enough else "Not at reading speed, if every token needs all of them"
    used = {"io_byte_per_s": io, "weight_byte": weights, "token_per_s": rate}
    return [
        _text("answer", answer, "Chosen by comparing the fastest drive with the reading rate."),
        _text("enough", "enough for" if enough else "too slow for", "Chosen by the same comparison."),
        _text("dense", "no longer agree" if enough else "still agree", "Chosen by the same comparison."),
        _text("model", model["name"], "The reference model.", sources=cited[1:]),
        _number("model-size", model["active_param"], "param", "Parameters of the reference model.", sources=cited[1:]),
        _number("model-int4", weights, "byte", "The reference model at 4 bits.", formula="P · b", sources=cited[1:]),
        _text("fastest-name", words.listing(list(as_fast(drives(package))["name"])),
              "The fastest PC drive in the data, or those that tie, leaving out doubted ones.", sources=cited[:1]),
        _number("fastest", io, "byte_per_s", "Its sequential read speed.", sources=cited[:1]),
        _number("fastest-int4", speed, "token_per_s",
                "Most tokens per second of the reference model at 4 bits from it.",
                formula="IO / (P · b)", inputs=used, sources=cited),
        _number("fastest-largest", largest, "param", "Largest 4-bit model it streams at reading speed.",
                formula="IO / (r · b)", inputs=used, sources=cited[:1]),
        _number("needed-int4", needed, "byte_per_s", "Drive speed for the reference model at 4 bits and reading speed.",
                formula="r · P · b", inputs=used, sources=cited[1:]),
        _number("needed-ratio", needed / io, "ratio", "The same, over the fastest drive.", sources=cited, digits=2),
    ]  # fmt: skip


def _phone_values(package: DataPackage, rate: float) -> list[Value]:
    phone = fastest(drives(package), device_class="phone", basis=MEASURED)
    io, cited = float(phone["storage_read_byte_per_s"]), [phone["source_id"]]
    largest, used = _largest_int4(package, io, rate), {"io_byte_per_s": io, "token_per_s": rate}
    return [
        _text("phone-name", phone["name"], "The phone with the fastest storage measured.", sources=cited),
        _number("phone", io, "byte_per_s", "Its sequential read speed, measured.", sources=cited),
        _number("phone-largest", largest, "param", "Largest 4-bit model it streams at reading speed.",
                formula="IO / (r · b)", inputs=used, sources=cited),
    ]  # fmt: skip


def _drive_values(package: DataPackage, article_date: str) -> list[Value]:
    known = drives(package)
    then, now, doubted = fastest(known, before=article_date), fastest(known), known[known["is_doubtful"]]
    said, slow = (article_byte_per_s(package, claim) for claim in ("fastest-ssd-6gbs", "most-below-1gbs"))
    sold = known[known["device_class"].isin(["phone", "laptop"]) & (known["basis"] == MEASURED)]
    sold = sold[(sold["date"] != "") & (sold["date"].str[:7] < article_date[:7])]
    below = f"{int((sold['storage_read_byte_per_s'] < slow).sum())} of {words.plural(len(sold), 'device')}"
    first, gain = (
        float(then["storage_read_byte_per_s"]),
        now["storage_read_byte_per_s"] / then["storage_read_byte_per_s"],
    )
    doubts = [words.quantity(speed, "byte_per_s") for speed in doubted["storage_read_byte_per_s"]]
    cited = [then["source_id"]]
    return [
        _text("said-fastest", words.quantity(said, "byte_per_s", 1), "Fastest drive for PCs, by the article."),
        _text("said-slow", words.quantity(slow, "byte_per_s", 1),
              "Speed that most storage stays below, by the article."),
        _text("then-name", re.sub("^First", "the first", then["name"]), "Fastest drive before the article.",
              sources=cited),
        _number("then", first, "byte_per_s", "Its sequential read speed.", digits=2, sources=cited),
        _text("then-verdict", "already exceeded it" if first > said else "stayed within it",
              "Chosen by comparing the two."),
        _text("then-title", "had passed" if first > said else "had not passed", "Chosen by the same comparison."),
        _number("since", gain, "ratio", "Fastest drive of today over the fastest before the article.", digits=2),
        _text("below", below,
              "Phones and laptops measured, on sale before the article, below its speed of most storage.",
              sources=sold["source_id"]),
        _text("doubtful", words.listing(doubts), "Measurements of one drive above what any maker states.",
              sources=doubted["source_id"]),
    ]  # fmt: skip


def _article_values(package: DataPackage, rate: float) -> list[Value]:
    io, size = article_byte_per_s(package, "most-below-1gbs"), package.row("facts", ARTICLE_PARAM_FACT)
    whole = float(memory_wall.weight_byte(size["value"], common.byte_per_param(package, "fp16")))
    largest = package.row("claims", "ssd-2b-int4")["article_value"]
    chars, english = (package.row("facts", f"{name}-per-token-english") for name in ("characters", "words"))
    hidden, reading = (_largest_int4(package, io, each) for each in (ARTICLE_TOKEN_PER_S, rate))
    slow, quick = (storage_io.io_needed_byte_per_s(whole, each) for each in (ARTICLE_TOKEN_PER_S, rate))
    half = storage_io.largest_model_param(
        io, token_per_s=rate, byte_per_param=common.byte_per_param(package, "int4"), io_share=0.5
    )
    cited, need, most = [size["source_id"]], "r · P · b", "s · IO / (r · b)"
    return [
        _text("article-size", f"{size['value'] / 1e9:g} billion", "Parameters of the article's model.", sources=cited),
        _text("article-largest", f"{largest / 1e9:g} billion", "Parameters of the largest model, by the article."),
        _text("chars", f"{chars['value']:g} characters", "A token in English, by rule of thumb.",
              sources=[chars["source_id"]]),
        _number("english", 1 / english["value"], "token_per_word", "Tokens of an English word, by rule of thumb.",
                sources=[english["source_id"]]),
        _number("article-token", whole, "byte", "Bytes a token of that model reads at FP16.", digits=2, sources=cited),
        _number("article-hidden", slow, "byte_per_s", "Drive speed for one a second.", formula=need, digits=2,
                sources=cited),
        _number("article-reading", quick, "byte_per_s", "Drive speed at reading speed.", formula=need, sources=cited),
        _number("largest-hidden", hidden, "param", "Largest 4-bit model at one a second.", formula=most, digits=2),
        _number("largest-reading", reading, "param", "The same at reading speed.", formula=most, digits=2),
        _number("largest-half", half, "param", "The same with half of the drive.", formula=most, digits=2),
        _number("hidden-ratio", rate / ARTICLE_TOKEN_PER_S, "ratio", "How much laxer one token a second is."),
    ]  # fmt: skip


def _waiting_values(package: DataPackage, token_per_word: float) -> list[Value]:
    table, best = seven_seconds(package, token_per_word=token_per_word), fastest(drives(package))
    written = table[table["reading"] == "d"].iloc[0]
    time = storage_io.time_per_output_token_s(written["weight_byte"], best["storage_read_byte_per_s"])
    today = storage_io.waiting_time_s(HALF_WORD, token_per_word=token_per_word, time_per_output_token_s=time)
    count = f"{int(table['agrees'].sum())} of the {len(table)} readings"
    spread = table["half_word_s"].max() / table["half_word_s"].min()
    return [
        _text("seven-said", f"{written['article_s']:g} seconds", "The article's waiting time."),
        _text("seven-about", words.quantity(ABOUT, "share", 2), "How far a reading may lie from it."),
        _text("seven-count", count, "Readings that give the article's time."),
        _number("seven-written", written["half_word_s"], "s", "Half a word with the paragraph's own model and drive.",
                digits=2, formula="w · k · P · b / IO", sources=[written["source_id"]]),
        _number("seven-spread", spread, "ratio", "Slowest over fastest reading.", digits=2),
        _number("seven-today", today, "s", "Half a word, as written, from the fastest drive of today.", digits=2,
                sources=[best["source_id"]]),
    ]  # fmt: skip


GAINS = {"half": 0.5, "most": 0.9, "all": 1.0}


def _caching_values(shares: pd.DataFrame, rate: float) -> list[Value]:
    phone, laptop = (shares[shares["device_id"] == CACHING_DEVICES[each]] for each in (0, -1))
    lines, held = phone[phone["role"] == "line"], phone[phone["role"] == "memory"].iloc[0]
    speeds = dict(zip(lines["resident_share"], lines["token_per_s"], strict=True))
    needed = share_needed(laptop, rate)
    found = "more than all" if np.isnan(needed) else words.quantity(needed, "share", 2)
    slower = shares["memory_bandwidth_byte_per_s"] / shares["storage_read_byte_per_s"]
    cited = [held["source_id"], held["second_source_id"]]
    gain = {"gain": held["token_per_s"]} | {name: speeds[share] for name, share in GAINS.items()}
    gains = [
        _number(f"cache-{name}", speed / speeds[0.0], "ratio", "Gain over streaming all.", digits=2, sources=cited)
        for name, speed in gain.items()
    ]
    return [
        _text("cache-device", held["name"], "The phone of the worked number."),
        _number("cache-weight", held["weight_byte"], "byte", "The reference model at FP16.", sources=cited),
        _number("cache-share", held["resident_share"], "share",
                "Share of it that the phone's memory holds beside the system.",
                formula="(C − reserve) / D", digits=2, sources=cited),
        _number("cache-none", speeds[0.0], "token_per_s", "Most tokens per second with everything streamed.",
                digits=2, sources=cited),
        _number("cache-held", held["token_per_s"], "token_per_s", "The same with as much in memory as it holds.",
                digits=2, sources=cited),
        *gains,
        _text("cache-laptop", str(laptop["name"].iloc[0]), "The fastest laptop of the figure."),
        _text("cache-needed", f"{found} of the weights", "What it must hold in memory to reach reading speed.",
              sources=laptop["source_id"]),
        _text("slower", f"{words.number(slower.min(), 2)} to {words.number(slower.max(), 2)} times",
              "Memory bandwidth over drive speed of the devices in the figure.", sources=shares["source_id"]),
    ]  # fmt: skip


def _measured_values(package: DataPackage, rate: float) -> list[Value]:
    table = offload_measured(package)
    above, dense = table[table["speedup_ratio"] > 1], table[table["explained_by"] == "storage"]
    sparse = int(above["explained_by"].isin(SPARSE).sum())
    cached = int((above["explained_by"] == "page-cache").sum())
    read = int((table["token_per_s"] >= rate).sum())
    top = ranking.first(table, "speedup_ratio", "measurement_id", falling={"speedup_ratio"})
    cited = sorted(set(table["source_id"]))
    return [
        _text("measured-count", words.plural(len(table), "measurement"),
              "Runs from a drive, one sequence, weights known.", sources=cited),
        _text("measured-above", f"{len(above)}", "Of them, faster than streaming every weight allows.", sources=cited),
        _text("measured-sparse", f"{sparse}", "Of those, explained by reading only a part of the weights.",
              sources=cited),
        _text("measured-cache", f"{cached}", "Of those, explained by the page cache.", sources=cited),
        _text("measured-rest", f"{len(above) - sparse - cached}", "Of those, with another reason.", sources=cited),
        _text("measured-dense", words.plural(len(dense), "run"), "Runs explained by the drive itself.",
              sources=dense["source_id"]),
        _number("measured-dense-best", dense["token_per_s"].max(), "token_per_s", "The fastest of these.",
                sources=tuple(dense["source_id"])),
        _text("measured-reading", f"{read} of {len(table)}", "Runs at reading speed or faster.", sources=cited),
        _number("measured-top", top["speedup_ratio"], "ratio", "Largest measured speed over its limit.", digits=2,
                sources=[top["source_id"]]),
    ]  # fmt: skip


def _flash_moe_values(package: DataPackage) -> list[Value]:
    steps, run = flash_moe(package), package.row("measurements_storage", FLASH_MOE_ROW)
    bare = package.row("measurements_storage", NO_CACHE_ROW)
    reported, best = run["storage_read_byte_per_s"], fastest(drives(package))
    whole, trained, used, missed = (float(need) for need in steps["io_needed_byte_per_s"])
    used_byte, missed_byte = (float(byte) for byte in steps["storage_byte_per_token"].iloc[2:])
    hits, experts, full = (package.row("facts", FLASH_MOE_FACTS[name])["value"] for name in ("hits", "read", "trained"))
    above = reported > best["storage_read_byte_per_s"]
    doubt = "more than any maker states for one drive" if above else "within what makers state for one drive"
    cited = sorted(set(steps["source_id"]))
    return [
        _number("moe-weight", run["weight_byte"], "byte", "All weights of the model.", sources=cited),
        _text("moe-memory", f"{run['memory_capacity_byte'] / units.unit('gibyte').factor:g} GiB",
              "Memory of the laptop.", sources=cited),
        _number("moe-rate", run["token_per_s"], "token_per_s", "Measured speed.", sources=cited),
        _number("moe-bare", bare["token_per_s"], "token_per_s", "Measured without the page cache, experts at 2 bits.",
                sources=[bare["source_id"]]),
        _number("moe-whole", whole, "byte_per_s", "Drive speed if every weight were read.", formula="r · D",
                sources=cited),
        _number("moe-trained", trained, "byte_per_s", "Drive speed with the experts as trained.", sources=cited),
        _number("moe-used", used, "byte_per_s", "Drive speed with the experts as run.", sources=cited),
        _number("moe-used-byte", used_byte, "byte", "Bytes of experts a token uses.", formula="K · L · size",
                sources=cited),
        _number("moe-missed", missed, "byte_per_s", "Drive speed after the page cache.", sources=cited),
        _number("moe-missed-byte", missed_byte, "byte", "Bytes a token reads from the drive.", digits=2, sources=cited),
        _number("moe-hits", hits, "share", "Reads found in the page cache.", digits=2, sources=cited),
        _number("moe-sparsity", whole / used, "ratio", "Fewer bytes by using few experts.", digits=2, sources=cited),
        _number("moe-caching", used / missed, "ratio", "Fewer bytes by the page cache.", digits=2, sources=cited),
        _text("moe-experts", f"{experts:.0f} instead of {full:.0f}", "Experts per layer, as run and as trained.",
              sources=cited),
        _number("moe-reported", reported, "byte_per_s", "Drive speed that the report states.",
                sources=[run["source_id"]]),
        _text("moe-doubt", doubt, "Chosen by comparing it with the fastest PC drive in the data."),
    ]  # fmt: skip


def _sparse_values(package: DataPackage) -> list[Value]:
    run, drive = package.row("measurements_storage", POWERINFER_ROW), package.row("facts", "ufs-4.0-read")
    io, cited = common.base(drive["value"], drive["unit"]), [run["source_id"], drive["source_id"]]
    # What a token may take at most: the largest "model" of one byte per parameter.
    byte = storage_io.largest_model_param(io, token_per_s=run["token_per_s"], byte_per_param=1)
    paper = package.row("facts", "llm-in-a-flash-published")
    total, low, high = (package.row("facts", f"apple-foundation-3-advanced-{name}") for name in APPLE_FACTS)
    year, month = paper["date"].split("-")[:2]
    active = f"{low['value'] / 1e9:g} to {words.quantity(high['value'], 'param', 1)}"
    return [
        _text("flash-paper", f"{calendar.month_name[int(month)]} {year}", "Date of the paper.",
              sources=[paper["source_id"]]),
        _number("phone-sparse", run["token_per_s"], "token_per_s", "Measured speed of PowerInfer-2.",
                sources=cited[:1]),
        _text("phone-sparse-model", f"{run['model']} on a {run['device']}", "Model and phone.", sources=cited[:1]),
        _number("phone-sparse-drive", io, "byte_per_s", "Class limit of that phone's storage.", digits=2,
                sources=cited[1:]),
        _number("phone-sparse-byte", byte, "byte", "Most bytes a token can take from it.", formula="IO / r", digits=2,
                sources=cited),
        _number("apple-total", total["value"], "param", "Parameters kept in flash.", digits=2,
                sources=[total["source_id"]]),
        _text("apple-active", active, "Parameters in use for a prompt.", sources=[high["source_id"]]),
        _text("apple-year", total["date"][:4], "Year of that report.", sources=[total["source_id"]]),
    ]  # fmt: skip


APPLE_FACTS = ("params", "active-params-low", "active-params-high")
PROBLEM_DEVICE = "macbook-pro-16-m2-max-96gb"


def _problem_values(package: DataPackage, rate: float) -> list[Value]:
    row = package.row("devices", PROBLEM_DEVICE)
    io, cited = row["storage_read_byte_per_s"], [row["second_source_id"] or row["source_id"]]
    hidden, reading = (_largest_int4(package, io, each) for each in (ARTICLE_TOKEN_PER_S, rate))
    return [
        _text("problem-name", short_name(row["name"]), "The laptop of the problem."),
        _number("problem-drive", io, "byte_per_s", "Its sequential read speed.", sources=cited),
        _number("problem-hidden", hidden, "param", "Largest 4-bit model at one token a second.",
                formula="IO / (r · b)", sources=cited),
        _number("problem-reading", reading, "param", "Largest 4-bit model at reading speed.", formula="IO / (r · b)",
                sources=cited),
    ]  # fmt: skip
