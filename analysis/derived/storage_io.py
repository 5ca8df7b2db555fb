"""Streaming weights from storage: what drives deliver, which speed and model that allows, what measurements show."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.derived import common
from analysis.equations import memory_wall, storage_io
from analysis.errors import InputError, Problem
from analysis.figures import Value
from analysis.model import memory_limits
from analysis.tables import DataPackage

ARTICLE_TOKEN_PER_S = 1.0
"""The rate behind the article's storage figures, never stated: 14 GB take 14 GB/s only at one token a second."""
ARTICLE_PARAM_FACT = "llama-7b-nominal-params"
ABOUT = 0.10
"""How far a number may lie from one that the article hedges with "about", relative."""
HALF_WORD = 0.5
ROUNDING = 1e-12
LINE_BYTE_PER_S = (0.3e9, 200e9)
"""The ends of the lines that a figure draws through the drives."""

SPARSE = ("sparsity", "sparsity-and-cache")
MEASURED, STATED, STAND_IN = "measured", "stated", "stand-in"
TODO = "Add one here, or a fact with a drive_name, or move the date."
DRIVE_COLUMNS = [
    "drive_id", "name", "device_class", "storage_read_byte_per_s", "basis", "sold_year", "date", "is_doubtful",
    "source_id",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------ drives


def drives(package: DataPackage) -> pd.DataFrame:
    """Return the sequential read speed of real storage: devices, drives and their classes, reports; slowest first.

    ``basis`` is measured or stated (a maker's "up to", a class limit, a round figure).  A measurement of one drive is
    doubtful where it exceeds everything that any maker states.
    """
    table = pd.concat([_device_drives(package), _sold_drives(package), _reported_drives(package)], ignore_index=True)
    stated = table.loc[table["basis"] == STATED, "storage_read_byte_per_s"].max()
    table["is_doubtful"] = ~(table["n_drive"] > 1) & (table["storage_read_byte_per_s"] > stated)
    table["sold_year"] = [_year(date) for date in table["date"]]
    return ranking.by(table, "storage_read_byte_per_s", "name", "drive_id")[DRIVE_COLUMNS]


def _device_drives(package: DataPackage) -> pd.DataFrame:
    """Devices with a storage speed of their own; a fast drive that stands for an empty slot is no device's drive."""
    table = package.table("devices")
    table = table[table["storage_read_byte_per_s"].notna() & (table["storage_basis"] != STAND_IN)]
    source = table["second_source_id"].where(table["second_source_id"] != "", table["source_id"])
    return table.assign(
        drive_id=table["device_id"],
        name=[short_name(name) for name in table["name"]],
        date=table["release_date"],
        basis=table["storage_basis"].replace("", STATED),
        source_id=source,
    )


def short_name(name: str) -> str:
    """Shorten the name of a device: ``Desktop, Core i9-13900K, DDR5-5600`` → ``Core i9-13900K``."""
    bare = re.sub(r"\((M\d[^,)]*)[^)]*\)", r"(\1)", name.removeprefix("Desktop, "))
    return bare.split(", ")[0]


def _sold_drives(package: DataPackage) -> pd.DataFrame:
    facts = package.table("facts")
    facts = facts[facts["drive_name"] != ""]
    return pd.DataFrame(
        {
            "drive_id": facts["fact_id"],
            "name": facts["drive_name"],
            "device_class": facts["drive_class"],
            "storage_read_byte_per_s": facts["value"] * [units.unit(unit).factor for unit in facts["unit"]],
            "basis": STATED,
            "date": facts["date"],
            "source_id": facts["source_id"],
        }
    )


def _reported_drives(package: DataPackage) -> pd.DataFrame:
    table = package.table("measurements_storage")
    table = table[(table["measurement_kind"] == "bandwidth") & (table["quality"] != "c")]
    basis = table["confidence"].where(table["confidence"] == MEASURED, STATED)
    joined = (", " + table["storage"]).where(table["n_drive"] > 1, "")
    return table.assign(drive_id=table["measurement_id"], name=table["device"] + joined, basis=basis)


def _year(date: str) -> float:
    return common.decimal_year(date) if date else float("nan")


def fastest(table: pd.DataFrame, *, before: str = "", **where: str) -> pd.Series[Any]:
    """Find the fastest drive that nothing speaks against, optionally on sale before the month of a date."""
    kept = table[~table["is_doubtful"]]
    for column, value in where.items():
        kept = kept[kept[column] == value]
    if before:
        kept = kept[(kept["date"] != "") & (kept["date"].str[:7] < before[:7])]
    if kept.empty:
        wanted = ", ".join([*where.values(), *([f"on sale before {before[:7]}"] if before else [])])
        found = f"no drive that is {wanted}"
        raise InputError([Problem(file="devices.csv", found=found, expected="at least one", todo=TODO)])
    return ranking.first(kept, "storage_read_byte_per_s", "name", "drive_id", falling={"storage_read_byte_per_s"})


def storage_speeds(package: DataPackage, *, article_date: str) -> pd.DataFrame:
    """Keep the drives with a date of sale or of measurement; the ones that carry the argument have a label."""
    table = drives(package)
    best = [fastest(table), fastest(table, before=article_date), fastest(table, device_class="phone", basis=MEASURED)]
    table = table[table["sold_year"].notna()].reset_index(drop=True)
    named = {drive["name"] for drive in best} | {table["name"].iloc[0]}
    labels = table["name"].where(table["name"].isin(named), "")
    return table.assign(
        label=labels.mask(table["is_doubtful"], table["name"] + "?"),
        article_year=_year(article_date),
        line_byte_per_s=_article_byte_per_s(package, "most-below-1gbs"),
        claim_source_id=package.row("claims", "most-below-1gbs")["source_id"],
    )


# ------------------------------------------------------------------------------- streaming a dense model


def streaming_speed(package: DataPackage, *, reference_model: str) -> pd.DataFrame:
    """Most tokens per second of the reference model from every drive (role ``drive``), in each format.

    The rows of role ``line`` are no drives: they are the ends of the line through them.
    """
    row, known = common.model(package, reference_model), drives(package)
    known = known[~known["is_doubtful"]].assign(role="drive")
    ends = {"storage_read_byte_per_s": list(LINE_BYTE_PER_S), "role": "line", "source_id": row["source_id"]}
    formats = common.formats(package)[["format_id", "format", "byte_per_param"]]
    table = pd.concat([known, pd.DataFrame(ends)], ignore_index=True).merge(formats, how="cross")
    weights = memory_wall.weight_byte(row["active_param"], table["byte_per_param"].to_numpy())
    table["token_per_s"] = storage_io.streamed_token_per_s(weights, table["storage_read_byte_per_s"].to_numpy())
    phone = fastest(known, device_class="phone", basis=MEASURED)
    return table.drop(columns="is_doubtful").assign(label=_labels(table, low=phone, high=fastest(known)))


def _labels(table: pd.DataFrame, *, low: pd.Series[Any], high: pd.Series[Any]) -> pd.Series[Any]:
    """Names for two drives: the faster one on the highest line, the slower one on the lowest, where there is room."""
    upper = (table["drive_id"] == high["drive_id"]) & (table["format_id"] == "int4")
    lower = (table["drive_id"] == low["drive_id"]) & (table["format_id"] == "fp16")
    return table["name"].where(upper | lower, "")


def largest_streamed(package: DataPackage, *, reading_speed_word_per_min: float, token_per_word: float) -> pd.DataFrame:
    """Largest 4-bit model a drive can stream, by the tokens per second asked for; role ``point``: the two compared."""
    rate = common.reading_token_per_s(reading_speed_word_per_min, token_per_word)
    roles = ["line", "point", "point", "line"]
    asked = pd.DataFrame({"token_per_s": [0.1, ARTICLE_TOKEN_PER_S, rate, 100.0], "role": roles})
    table = _compared_drives(package).merge(asked, how="cross")
    table["byte_per_param"] = common.byte_per_param(package, "int4")
    table["largest_param"] = storage_io.largest_model_param(
        table["storage_read_byte_per_s"].to_numpy(),
        token_per_s=table["token_per_s"].to_numpy(),
        byte_per_param=table["byte_per_param"].to_numpy(),
    )
    return table


def _compared_drives(package: DataPackage) -> pd.DataFrame:
    """Put the article's drive beside the fastest one on sale."""
    claim, columns = package.row("claims", "most-below-1gbs"), ["name", *DRIVE_COLUMNS[2:4], "source_id"]
    article = {
        "name": "The article's drive",
        "storage_read_byte_per_s": _article_byte_per_s(package, "most-below-1gbs"),
        "source_id": claim["source_id"],
        "device_class": "article",
    }
    table = pd.DataFrame([article, dict(fastest(drives(package)))])[columns]
    speeds = [words.quantity(speed, "byte_per_s") for speed in table["storage_read_byte_per_s"]]
    return table.assign(label=[speed.replace(".00", "") for speed in speeds])


def _article_byte_per_s(package: DataPackage, claim_id: str) -> float:
    claim = package.row("claims", claim_id)
    return float(claim["article_value"]) * units.unit(claim["article_unit"]).factor


def article_fastest(package: DataPackage) -> float:
    """Read the speed in byte/s that the article gives the fastest drives for PCs."""
    return _article_byte_per_s(package, "fastest-ssd-6gbs")


def article_stream(package: DataPackage) -> pd.DataFrame:
    """Place the article's own point: 14 GB/s for a token of 7 billion FP16 parameters, at one token a second."""
    speed, claim = _article_byte_per_s(package, "io-14gb-per-token"), package.row("claims", "io-14gb-per-token")
    point = {"storage_read_byte_per_s": speed, "token_per_s": ARTICLE_TOKEN_PER_S, "label": "Article"}
    return pd.DataFrame([point | {"source_id": claim["source_id"]}])


def article_largest(package: DataPackage) -> pd.DataFrame:
    """Place the article's own point: 2 billion parameters, at the one token a second that it does not mention."""
    largest = float(package.row("claims", "ssd-2b-int4")["article_value"])
    return pd.DataFrame({"token_per_s": [ARTICLE_TOKEN_PER_S], "largest_param": [largest], "label": ["Article"]})


# ------------------------------------------------------------------------------------- the seven seconds

READINGS = (
    ("a", "7 B at 8 bits", "int8", 1, None, "The paragraph's drive, half its size of a number"),
    ("b", "7 B at 16 bits, twice the drive", "fp16", 2, None, "The paragraph's model, twice its drive"),
    ("c", "7 B at 16 bits, a token is a word", "fp16", 1, 1.0, "Half of a token's time, though half a token is none"),
    ("d", "7 B at 16 bits, as written", "fp16", 1, None, "The paragraph's own model and drive"),
)  # fmt: skip
"""Ways to read "7 seconds for half a word": id, label, format, drive over the
article's, tokens per word (None: the parameter), what it takes."""


def seven_seconds(package: DataPackage, *, token_per_word: float) -> pd.DataFrame:
    """Time for half a word under each reading of the article's sentence, and whether it gives its seven seconds."""
    size = package.row("facts", ARTICLE_PARAM_FACT)
    columns = ["reading", "label", "format_id", "drive_ratio", "token_per_word", "assumption"]
    table = pd.DataFrame(READINGS, columns=columns)
    table["storage_read_byte_per_s"] = table.pop("drive_ratio") * _article_byte_per_s(package, "most-below-1gbs")
    table["token_per_word"] = table["token_per_word"].astype(float).fillna(token_per_word)
    formats = [common.byte_per_param(package, format_id) for format_id in table["format_id"]]
    table["weight_byte"] = memory_wall.weight_byte(size["value"], formats)
    io = table["storage_read_byte_per_s"].to_numpy()
    table["time_per_token_s"] = storage_io.time_per_output_token_s(table["weight_byte"].to_numpy(), io)
    table["half_word_s"] = storage_io.waiting_time_s(
        HALF_WORD,
        token_per_word=table["token_per_word"].to_numpy(),
        time_per_output_token_s=table["time_per_token_s"].to_numpy(),
    )
    claim = package.row("claims", "seven-seconds-half-word")
    said = float(claim["article_value"])
    table["agrees"] = (table["half_word_s"] - said).abs() <= ABOUT * said
    return table.assign(article_s=said, source_id=size["source_id"], claim_source_id=claim["source_id"])


def seven_seconds_shown(package: DataPackage, *, token_per_word: float) -> pd.DataFrame:
    """Return the same readings as a table to read, sizes in GB and GB/s."""
    table = seven_seconds(package, token_per_word=token_per_word)
    return table.assign(
        weight_gbyte=table["weight_byte"] / units.unit("gbyte").factor,
        storage_read_gbyte_per_s=table["storage_read_byte_per_s"] / units.unit("gbyte_per_s").factor,
        as_written=table["reading"] == "d",
    )


# -------------------------------------------------------------------------------- part of it in memory

CACHING_DEVICES = ("iphone-14-pro-max", "desktop-core-i9-13900k-32gb", "macbook-pro-16-m5-max-128gb")
SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 1)
CACHING_COLUMNS = [
    "device_id", "name", "vendor", "device_class", "storage_read_byte_per_s", "memory_bandwidth_byte_per_s",
    "memory_capacity_byte", "source_id", "second_source_id",
]  # fmt: skip


def resident_share(package: DataPackage, *, reference_model: str, system_reserve_gibyte: float) -> pd.DataFrame:
    """Tokens per second of the reference model at FP16, by the share of its weights in memory, read in turn (role ``line``).

    Role ``memory`` marks what one program may hold of each device's memory; ``is_held`` says on which side a row is.
    """
    row, byte = common.model(package, reference_model), common.byte_per_param(package, "fp16")
    table = package.table("devices")
    table = table[table["device_id"].isin(CACHING_DEVICES) & table["storage_read_byte_per_s"].notna()][CACHING_COLUMNS]
    weights = float(memory_wall.weight_byte(row["active_param"], byte))
    reserve = common.base(system_reserve_gibyte, "gibyte")
    table = table.assign(usable_byte=memory_limits.of_devices(package, table, reserve)["usable_byte"])
    miss = np.asarray(storage_io.pinned_miss_share(table["usable_byte"].to_numpy(), weights))
    names = [short_name(name) for name in table["name"]]
    chips = [name.partition("(")[2].rstrip(")") or name for name in names]
    table = table.assign(name=names, label=chips, weight_byte=weights, largest_share=1 - miss)
    return _with_speed(_with_shares(table))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    lines = table.merge(pd.DataFrame({"resident_share": [float(share) for share in SHARES]}), how="cross")
    ends = table.assign(resident_share=table["largest_share"])
    return pd.concat([lines.assign(role="line"), ends.assign(role="memory")], ignore_index=True)


def _with_speed(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``token_per_s``: what is resident is read from memory, the rest from storage, one after the other."""
    weights, miss = table["weight_byte"].to_numpy(), 1 - table["resident_share"].to_numpy()
    streamed = storage_io.storage_byte_per_token(weights, miss_share=miss)
    seconds = storage_io.two_tier_time_per_output_token_s(
        storage_byte_per_token=streamed,
        io_byte_per_s=table["storage_read_byte_per_s"].to_numpy(),
        memory_byte_per_token=weights - streamed,
        bandwidth_byte_per_s=table["memory_bandwidth_byte_per_s"].to_numpy(),
    )
    held = table["resident_share"] <= table["largest_share"] + ROUNDING
    return table.assign(token_per_s=memory_wall.time_per_token_s(seconds), is_held=held)


def share_needed(points: pd.DataFrame, token_per_s: float) -> float:
    """Smallest resident share that reaches a rate on the one device in ``points``; NaN where even all of it does not.

    The time of a token falls in a straight line with the share, so interpolating between the two ends is exact.
    """
    lines = points[points["role"] == "line"]
    speed = dict(zip(lines["resident_share"], lines["token_per_s"], strict=True))
    slow, quick, asked = (float(memory_wall.time_per_token_s(rate)) for rate in (speed[0.0], speed[1.0], token_per_s))
    return float("nan") if asked < quick else float(np.interp(asked, [quick, slow], [1.0, 0.0]))


# --------------------------------------------------------------------------------- what others measured

NOT_STREAMED = ("resident", "host-memory", "network", "batching")
MEASURED_COLUMNS = [
    "measurement_id", "device", "model", "method", "weight_byte", "resident_share", "storage_read_byte_per_s",
    "drive_known", "limit_token_per_s", "token_per_s", "speedup_ratio", "explained_by", "date", "quality", "label",
    "note", "source_id",
]  # fmt: skip
MEASURED_LABELS = {"storage-022": "Flash-MoE", "storage-055": "LLaMA 30B"}


def offload_measured(package: DataPackage) -> pd.DataFrame:
    """Measured speed of models that were read from a drive, against the limit of streaming all of their weights.

    One sequence at a time, size of the weights known.  Where the drive is not named it is given the speed of the
    fastest one on sale (``drive_known`` false), so that the limit is generous.
    """
    table = package.table("measurements_storage")
    table = table[(table["measurement_kind"] == "decode") & (table["batch_size"] == 1) & (table["quality"] != "c")]
    table = table[table["weight_byte"].notna() & ~table["explained_by"].isin(NOT_STREAMED)].reset_index(drop=True)
    stand_in = float(fastest(drives(package))["storage_read_byte_per_s"])
    table["drive_known"] = table["storage_read_byte_per_s"].notna()
    table["storage_read_byte_per_s"] = table["storage_read_byte_per_s"].fillna(stand_in)
    miss = 1 - table["resident_share"].fillna(0).to_numpy()
    streamed = storage_io.storage_byte_per_token(table["weight_byte"].to_numpy(), miss_share=miss)
    table["limit_token_per_s"] = storage_io.streamed_token_per_s(streamed, table["storage_read_byte_per_s"].to_numpy())
    table["speedup_ratio"] = table["token_per_s"] / table["limit_token_per_s"]
    table["label"] = [MEASURED_LABELS.get(row, "") for row in table["measurement_id"]]
    return table[MEASURED_COLUMNS]


def offload_shown(package: DataPackage) -> pd.DataFrame:
    """Return the same measurements as a table to read: sizes in GB, highest above its limit first."""
    table = ranking.by(offload_measured(package), "speedup_ratio", "measurement_id", falling={"speedup_ratio"})
    return table.assign(
        weight_gbyte=table["weight_byte"] / units.unit("gbyte").factor,
        explained_by=table["explained_by"].str.replace("-", " "),
        drive=np.where(table["drive_known"], "", "drive not stated"),
    )


FLASH_MOE_ROW, NO_CACHE_ROW, POWERINFER_ROW = "storage-022", "storage-027", "storage-056"
FLASH_MOE_FACTS = {
    "trained": "qwen3.5-397b-a17b-experts-per-token", "read": "flash-moe-experts-per-token",
    "layers": "flash-moe-layers", "size": "flash-moe-expert-size", "hits": "flash-moe-page-cache-hits",
}  # fmt: skip


def flash_moe(package: DataPackage) -> pd.DataFrame:
    """Bytes that Flash-MoE reads for one token, step by step, and the drive speed its measured rate then needs."""
    run = package.row("measurements_storage", FLASH_MOE_ROW)
    fact = {name: package.row("facts", fact_id) for name, fact_id in FLASH_MOE_FACTS.items()}
    count = {name: float(row["value"]) for name, row in fact.items()}
    expert = common.base(count["size"], fact["size"]["unit"]) * count["layers"]
    trained, read = (
        f"{count['trained']:.0f} experts a layer, as trained",
        f"{count['read']:.0f} experts a layer, as run",
    )
    steps = [
        ("All weights", run["weight_byte"], 1.0, run["source_id"]),
        (trained, count["trained"] * expert, 1.0, fact["trained"]["source_id"]),
        (read, count["read"] * expert, 1.0, fact["read"]["source_id"]),
        ("Of these, not cached", count["read"] * expert, 1 - count["hits"], fact["hits"]["source_id"]),
    ]
    table = pd.DataFrame(steps, columns=["step", "weight_byte", "miss_share", "source_id"])
    byte = storage_io.storage_byte_per_token(
        table.pop("weight_byte").to_numpy(), miss_share=table["miss_share"].to_numpy()
    )
    needed = storage_io.io_needed_byte_per_s(byte, run["token_per_s"])
    return table.assign(storage_byte_per_token=byte, token_per_s=run["token_per_s"], io_needed_byte_per_s=needed)


# ------------------------------------------------------------------------------------- numbers for prose


def values(
    package: DataPackage,
    *,
    reading_speed_word_per_min: float,
    token_per_word: float,
    reference_model: str,
    system_reserve_gibyte: float,
    article_date: str,
) -> list[Value]:
    """Return every number, and every sentence chosen by the data, that the chapter's prose cites."""
    rate = common.reading_token_per_s(reading_speed_word_per_min, token_per_word)
    shares = resident_share(package, reference_model=reference_model, system_reserve_gibyte=system_reserve_gibyte)
    return [
        _number("reading-rate", rate, "token_per_s", "Tokens per second that keep up with the reader."),
        _text("words", f"{reading_speed_word_per_min:g} words per minute", "Reading speed."),
        _text("tokens", f"{token_per_word:g} tokens per word", "Tokens the model generates for a word."),
        _text("reserve", f"{system_reserve_gibyte:g} GiB", "Memory that the system keeps."),
        *_streaming_values(package, common.model(package, reference_model), rate),
        *_phone_values(package, rate),
        *_drive_values(package, article_date),
        *_article_values(package, rate),
        *_waiting_values(package, token_per_word),
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
        _text("fastest-name", best["name"], "The fastest drive on sale, leaving out doubted ones.", sources=cited[:1]),
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
    said, slow = (_article_byte_per_s(package, claim) for claim in ("fastest-ssd-6gbs", "most-below-1gbs"))
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
    io, size = _article_byte_per_s(package, "most-below-1gbs"), package.row("facts", ARTICLE_PARAM_FACT)
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
        _text("moe-doubt", doubt, "Chosen by comparing it with the fastest drive on sale."),
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
