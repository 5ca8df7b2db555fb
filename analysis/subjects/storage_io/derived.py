"""Streaming weights from storage: what drives deliver, which speed and model that allows, what measurements show."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import memory_wall, storage_io
from analysis.errors import InputError, Problem
from analysis.model import memory_limits
from analysis.subjects import common
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
    """Find the fastest drive that nothing speaks against, optionally on sale before the month of a date; of several the first name."""
    return as_fast(table, before=before, **where).iloc[0]


def as_fast(table: pd.DataFrame, *, before: str = "", **where: str) -> pd.DataFrame:
    """Find all drives that tie for it."""
    kept = table[~table["is_doubtful"]]
    for column, value in where.items():
        kept = kept[kept[column] == value]
    if before:
        kept = kept[(kept["date"] != "") & (kept["date"].str[:7] < before[:7])]
    if kept.empty:
        wanted = ", ".join([*where.values(), *([f"on sale before {before[:7]}"] if before else [])])
        found = f"no drive that is {wanted}"
        raise InputError([Problem(file="devices.csv", found=found, expected="at least one", todo=TODO)])
    return ranking.tied(kept, "storage_read_byte_per_s", "name", "drive_id", falling={"storage_read_byte_per_s"})


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
        line_byte_per_s=article_byte_per_s(package, "most-below-1gbs"),
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


def largest_streamed(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Largest 4-bit model a drive can stream, by the tokens per second asked for; role ``point``: the two compared."""
    roles = ["line", "point", "point", "line"]
    asked = pd.DataFrame({"token_per_s": [0.1, ARTICLE_TOKEN_PER_S, given.reading_token_per_s, 100.0], "role": roles})
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
        "storage_read_byte_per_s": article_byte_per_s(package, "most-below-1gbs"),
        "source_id": claim["source_id"],
        "device_class": "article",
    }
    table = pd.DataFrame([article, dict(fastest(drives(package)))])[columns]
    speeds = [words.quantity(speed, "byte_per_s") for speed in table["storage_read_byte_per_s"]]
    return table.assign(label=[speed.replace(".00", "") for speed in speeds])


def article_byte_per_s(package: DataPackage, claim_id: str) -> float:
    """The speed in byte/s that a claim of the article prints."""
    claim = package.row("claims", claim_id)
    return float(claim["article_value"]) * units.unit(claim["article_unit"]).factor


def article_fastest(package: DataPackage) -> float:
    """Read the speed in byte/s that the article gives the fastest drives for PCs."""
    return article_byte_per_s(package, "fastest-ssd-6gbs")


def article_stream(package: DataPackage) -> pd.DataFrame:
    """Place the article's own point: 14 GB/s for a token of 7 billion FP16 parameters, at one token a second."""
    speed, claim = article_byte_per_s(package, "io-14gb-per-token"), package.row("claims", "io-14gb-per-token")
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
    table["storage_read_byte_per_s"] = table.pop("drive_ratio") * article_byte_per_s(package, "most-below-1gbs")
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


def resident_share(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Tokens per second of the reference model at FP16, by the share of its weights in memory, read in turn (role ``line``).

    Role ``memory`` marks what one program may hold of each device's memory; ``is_held`` says on which side a row is.
    """
    row, byte = common.model(package, given.reference_model), common.byte_per_param(package, "fp16")
    table = package.table("devices")
    table = table[table["device_id"].isin(CACHING_DEVICES) & table["storage_read_byte_per_s"].notna()][CACHING_COLUMNS]
    weights = float(memory_wall.weight_byte(row["active_param"], byte))
    table = table.assign(usable_byte=memory_limits.of_devices(package, table, given.system_reserve_byte)["usable_byte"])
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
