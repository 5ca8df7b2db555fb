"""Why bandwidth sets the speed: roofline, KV cache, the largest model of each device, growth over the years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, words
from analysis.assumptions import Parameters
from analysis.equations import elementary, growth, memory_wall
from analysis.model import expected, measured, memory_limits
from analysis.subjects import common, standing, trends
from analysis.tables import DataPackage

FORMAT_NAMES = {"fp16": "FP16", "int8": "int8", "int4": "int4", "q8-0": "Q8_0", "q4-k-m": "Q4_K_M"}
SET_NAMES = {"2023": "On sale in May 2023", "2026": "On sale in 2026"}

# ------------------------------------------------------------------------------------------ the largest model


def largest_models(
    package: DataPackage,
    given: Parameters,
    *,
    default_set: str | None = None,
    format_ids: Sequence[str] = common.FORMATS,
) -> pd.DataFrame:
    """Largest model of every device in every format: by bandwidth, by memory capacity, and the smaller of the two.

    ``default_set`` keeps the devices of ``2023`` or ``2026``; None keeps all.  ``binding`` names the limit that
    counts, and is ``unknown`` where a device's capacity is.  Bandwidth bounds the parameters read per token, capacity
    bounds all parameters: for a mixture of experts these are two different numbers.  Memory holds the file that people
    download, and the cache of a typical model at the context given.
    """
    formats = common.formats(package, tuple(format_ids))[["format_id", "format", "byte_per_param"]]
    formats["held_byte_per_param"] = [common.held_byte_per_param(package, name) for name in format_ids]
    table = memory_limits.of_devices(package, common.devices(package, default_set), given.system_reserve_byte)
    table = table.merge(formats, how="cross")
    table["largest_by_bandwidth_param"] = memory_wall.largest_model_param(
        table["memory_bandwidth_byte_per_s"].to_numpy(),
        token_per_s=given.reading_token_per_s,
        byte_per_param=table["byte_per_param"].to_numpy(),
        bandwidth_share=given.bandwidth_share,
    )
    table["largest_by_capacity_param"] = memory_limits.largest_by_capacity_param(
        expected.calibration(package.folder),
        table["usable_byte"].to_numpy(),
        table["held_byte_per_param"].to_numpy(),
        given.context_token,
    )
    table["largest_param"] = table[["largest_by_bandwidth_param", "largest_by_capacity_param"]].min(
        axis=1, skipna=False
    )
    table["binding"] = _binding(table)
    return table[list(LARGEST)].reset_index(drop=True)


LARGEST = (
    "device_id", "name", "device_class", "default_set", "format_id", "format", "byte_per_param",
    "memory_bandwidth_byte_per_s", "memory_capacity_byte", "usable_byte", "largest_by_bandwidth_param",
    "largest_by_capacity_param", "largest_param", "binding", "is_limit_estimate", "release_date", "confidence", "source_id",
    "second_source_id", "limit_source_id",
)  # fmt: skip


def _binding(table: pd.DataFrame) -> list[str]:
    smaller = table["largest_by_bandwidth_param"] <= table["largest_by_capacity_param"]
    known = table["largest_param"].notna()
    return [
        ("bandwidth" if first else "capacity") if sure else "unknown"
        for first, sure in zip(smaller, known, strict=True)
    ]


ARTICLE_CLAIMS = {
    ("iphone-14", "fp16"): "iphone14-1b-fp16",
    ("iphone-14", "int4"): "iphone14-4b-int4",
    ("macbook-air-m2-8gb", "fp16"): "pc-3-to-4b",
    ("macbook-air-m2-24gb", "fp16"): "pc-3-to-4b",
    ("desktop-core-i9-13900k-32gb", "fp16"): "pc-3-to-4b",
}
"""Where the article states a largest model; for PCs it does not name the format, FP16 comes nearest."""


def largest_by_device(
    package: DataPackage, given: Parameters, *, format_ids: Sequence[str] = common.FORMATS
) -> pd.DataFrame:
    """Largest models of both sets of devices, slowest memory first, with what the article states."""
    table = largest_models(package, given, format_ids=format_ids)
    table = table[table["default_set"].isin(common.SETS)].copy()
    table["label"] = table["name"].map(short_name)
    table["set_name"] = table["default_set"].map(SET_NAMES)
    claims = package.table("claims").set_index("claim_id")
    stated = [ARTICLE_CLAIMS.get((str(row.device_id), str(row.format_id))) for row in table.itertuples()]
    for name, column in (("article_param", "article_value"), ("article_high_param", "article_value_high")):
        table[name] = claims[column].reindex(stated).to_numpy()
    table["claim_source_id"] = claims["source_id"].reindex(stated).to_numpy()
    device = ("default_set", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "device_id")
    return ranking.by(table, *device, "byte_per_param", "format_id", falling={"byte_per_param"})


def short_name(name: str) -> str:
    """Device name without its kind and without the second half of a parenthesis."""
    return re.sub(r"\(([^,)]*),[^)]*\)", r"(\1)", re.sub(r"^(Laptop|Desktop), ", "", name))


def largest_model_table(
    package: DataPackage, given: Parameters, *, format_ids: Sequence[str] = common.FORMATS
) -> pd.DataFrame:
    """One row per device, one column per format in 10^9 parameters; a note where capacity is the tighter limit.

    ``binding`` is that of the last format, the one of fewest bits.
    """
    long = largest_by_device(package, given, format_ids=format_ids)
    long["amount"] = long["largest_param"] / common.base(1, "gparam")
    long["note"] = [_forbidden(row) for row in rows(long)]
    long["binding"] = long["device_id"].map(long[long["format_id"] == format_ids[-1]].set_index("device_id")["binding"])
    keys = [
        "device_id",
        "label",
        "device_class",
        "default_set",
        "memory_bandwidth_byte_per_s",
        "memory_capacity_byte",
        "binding",
        "source_id",
        "second_source_id",
    ]
    wide = long.pivot(index=keys, columns="format_id", values=["amount", "note"])
    wide.columns = [str(pair[1]) if pair[0] == "amount" else f"{pair[1]}_{pair[0]}" for pair in wide.columns]
    wide = wide.reset_index().astype(dict.fromkeys(format_ids, float))
    wide["bandwidth_gb"] = wide["memory_bandwidth_byte_per_s"] / common.base(1, "gbyte_per_s")
    wide["capacity_gib"] = wide["memory_capacity_byte"] / common.base(1, "gibyte")
    basis = standing.devices(package).set_index("device_id")["basis"]
    wide["bandwidth_basis"] = wide["device_id"].map(basis)
    wide["limit"] = wide["binding"].replace("capacity", "memory")
    wide["page"] = common.device_pages(wide["device_id"])
    wide["is_article"] = wide["device_id"].isin({device for device, _ in ARTICLE_CLAIMS})
    return ranking.by(wide, "default_set", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "device_id")


EXPECTED_FORMAT = "q4-k-m"
"""Format the expected sizes are given in: what people download for their own devices."""
FULL_BANDWIDTH = 1.0
"""The share of the bandwidth that "at most" means."""


def expected_by_device(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Ideal limit and calibrated expectation with its 80 % band, side by side, for the devices of both sets.

    Both are at the full bandwidth.  Where the expected model does not fit into memory there is no expectation, for no
    speed is asked of what cannot run: ``is_memory_full`` says so.  ``is_extrapolated`` marks phones and tablets, none of
    which is fitted to, and kinds of chips that nobody measured.
    """
    table = largest_by_device(package, given.but(bandwidth_share=FULL_BANDWIDTH), format_ids=(EXPECTED_FORMAT,))
    devices = common.devices(package).set_index("device_id").loc[table["device_id"]].reset_index()
    found = measured.expected_models(
        package, devices, format_ids=(EXPECTED_FORMAT,), token_per_s=given.reading_token_per_s
    )
    held = table["largest_by_capacity_param"]
    table["is_memory_full"] = found["expected_param"] >= held
    for name in ("expected_param", "expected_low_param", "expected_high_param"):
        table[name] = found[name].clip(upper=held).mask(table["is_memory_full"])
    table["stack"], table["is_extrapolated"] = found["stack"], found["is_extrapolated"]
    return table


def expected_title(beside: pd.DataFrame) -> str:
    """What to expect of the article's phone, and the bound beside it: a clause that names the unit once."""
    phone = beside[beside["device_id"] == "iphone-14"].iloc[0]
    most = words.quantity(float(phone["largest_param"]), "param")
    if phone["is_memory_full"]:
        return f"an iPhone 14 is limited by its memory: {most}"
    size = words.quantity(float(phone["expected_param"]), "param")
    return f"an iPhone 14 is expected to run {size}, and at most {most.removesuffix(' parameters')}"


MEMORY_FULL = "all that memory holds"
"""Instead of an interval, where memory holds no more than is expected to run: the largest model is that of memory."""


def answer_table(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """The table of largest models at the full bandwidth, with what to expect beside what is possible at most."""
    most = given.but(bandwidth_share=FULL_BANDWIDTH)
    table = largest_model_table(package, most, format_ids=tuple(common.DOWNLOADED.values()))
    found = expected_by_device(package, given).set_index("device_id").loc[table["device_id"]]
    billion = common.base(1, "gparam")
    ends = (found["expected_low_param"] / billion, found["expected_high_param"] / billion)
    full = found["is_memory_full"].to_numpy()
    table["expected"] = table[EXPECTED_FORMAT].where(full, (found["expected_param"] / billion).to_numpy())
    guessed = np.where(found["is_extrapolated"], ", extrapolated", "")
    band = [f"{words.number(a, 2)} to {words.number(b, 2)}{mark}" for a, b, mark in zip(*ends, guessed, strict=True)]
    table["band"] = np.where(full, MEMORY_FULL, np.where(ends[0].isna(), "", band))
    return table


def _forbidden(row: dict[str, Any]) -> str:
    """Say what capacity forbids: the size that bandwidth alone would allow; nothing where bandwidth is the limit."""
    allowed = words.number(row["largest_by_bandwidth_param"] / common.base(1, "gparam"))
    return f"memory full, bandwidth: {allowed}" if row["binding"] == "capacity" else ""


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row as a dictionary from column to value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


# --------------------------------------------------------------------------------------- bytes and operations

COST_FORMATS = ("fp16", "q8-0", "int8", "q4-k-m", "q4-0", "int4")
"""Nominal formats and the block formats people use, whose scales take space too."""


def byte_and_flop(package: DataPackage, *, reference_model: str) -> pd.DataFrame:
    """Bytes read and operations done for one token of the reference model, by number format, in long form."""
    model = common.model(package, reference_model)
    table = common.formats(package, COST_FORMATS)
    byte = table["byte_per_param"].to_numpy()
    table["format"] = table["format_id"].map(FORMAT_NAMES).fillna(table["format"].str.replace(" (whole file)", ""))
    table["read_byte_per_token"] = memory_wall.weight_byte(model["active_param"], byte)
    table["flop_per_token"] = memory_wall.flop_per_token(model["active_param"])
    table["intensity_flop_per_byte"] = memory_wall.decode_intensity_flop_per_byte(byte)
    table["hue"] = pd.cut(table["byte_per_param"], [0, 0.75, 1.5, 4], labels=["int4", "int8", "fp16"]).astype(str)
    table["model_source_id"] = model["source_id"]
    return table


def cost_panels(table: pd.DataFrame) -> pd.DataFrame:
    """Stack bytes and operations, one row per format and quantity, as the two panels draw them."""
    quantities = {
        "Read from memory per token": ("read_byte_per_token", "byte"),
        "Computed per token": ("flop_per_token", "flop"),
    }
    parts = [
        table.assign(quantity=name, amount=table[column], text=[words.quantity(value, unit) for value in table[column]])
        for name, (column, unit) in quantities.items()
    ]
    return pd.concat(parts, ignore_index=True)


# ---------------------------------------------------------------------------------------------------- roofline

ROOFLINE_ACCELERATORS = ("google-tpu-v4", "nvidia-h100-sxm5-80gb")
SERVER_BATCH_SIZE = 256
"""Sequences that share a read of the weights on the article's server."""
ONE_USER, MANY_USERS = "FP16, one user", f"FP16, {SERVER_BATCH_SIZE} users"
ROOF_ENDS_FLOP_PER_BYTE = (0.5, 8192.0)


PEAKS = {
    "npu_peak_int8_op_per_s": "Neural processors, INT8", "shader_peak_fp16_flop_per_s": "Shaders, FP16",
    "peak_bf16_dense_flop_per_s": "Server chips, dense BF16",
}  # fmt: skip
"""Kinds of peaks: a share of one is never set beside a share of another."""
NEURAL, SHADERS, SERVERS = PEAKS.values()


def machines(package: DataPackage) -> pd.DataFrame:
    """Devices with a known peak, one row per device and kind of peak."""
    table = common.devices(package)
    columns = [name for name in PEAKS if name in table]
    long = table.melt(
        id_vars=[name for name in table if name not in columns], value_vars=columns, value_name="peak_op_per_s"
    )
    return (
        long[long["peak_op_per_s"].notna()]
        .assign(peak_kind=lambda rows: rows.pop("variable").map(PEAKS))
        .reset_index(drop=True)
    )


ROOFLINE_DEVICES = {"iphone-14": NEURAL, "laptop-snapdragon-x-elite-16gb": NEURAL, "rtx-4090-24gb": SHADERS}


def roofline(package: DataPackage) -> pd.DataFrame:
    """Roofs of machines (``kind`` roof) and decoding on them (``kind`` work), one row per point, by kind of peak."""
    known = machines(package).rename(columns={"device_id": "machine_id"})
    known = known[
        known["machine_id"].isin(ROOFLINE_DEVICES) & (known["peak_kind"] == known["machine_id"].map(ROOFLINE_DEVICES))
    ]
    roofs = [_roof(row) for row in rows(known)]
    servers = package.table("accelerators").rename(
        columns={"accelerator_id": "machine_id", "peak_bf16_dense_flop_per_s": "peak_op_per_s"}
    )
    servers = servers[servers["machine_id"].isin(ROOFLINE_ACCELERATORS)].copy()
    servers["device_class"], servers["peak_kind"] = "server", SERVERS
    roofs += [_roof(row, SERVER_BATCH_SIZE) for row in rows(servers)]
    return pd.concat(roofs, ignore_index=True)


def _roof(machine: dict[str, Any], batch_size: float | None = None) -> pd.DataFrame:
    """One machine's roof with its corner, and the works on it: batch 1 in FP16 and int4, a server also many users."""
    peak, bandwidth = machine["peak_op_per_s"], machine["memory_bandwidth_byte_per_s"]
    ridge = float(memory_wall.ridge_point_flop_per_byte(peak, bandwidth))
    works = [(ONE_USER, 2.0, 1.0), ("int4, one user", 0.5, 1.0)]
    works += [(MANY_USERS, 2.0, batch_size)] if batch_size else []
    spots = [(end, "roof", "") for end in (ROOF_ENDS_FLOP_PER_BYTE[0], ridge, ROOF_ENDS_FLOP_PER_BYTE[1])]
    spots += [
        (float(memory_wall.decode_intensity_flop_per_byte(byte, batch_size=batch)), "work", name)
        for name, byte, batch in works
    ]
    table = pd.DataFrame(spots, columns=["intensity_flop_per_byte", "kind", "work"])
    table["attainable_op_per_s"] = memory_wall.attainable_flop_per_s(
        table["intensity_flop_per_byte"].to_numpy(), peak_flop_per_s=peak, bandwidth_byte_per_s=bandwidth
    )
    kept = {name: machine[name] for name in ("machine_id", "name", "device_class", "peak_kind", "source_id")}
    return table.assign(
        **kept,
        peak_op_per_s=peak,
        ridge_flop_per_byte=ridge,
        label=re.sub(r" \(.*|^NVIDIA |^Google | SXM.*", "", short_name(machine["name"])),
    )


def compute_used(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Share of its peak a device keeps busy while its largest model writes at reading speed, by kind of peak and format."""
    known = machines(package)[["device_id", "chip", "peak_op_per_s", "peak_kind"]]
    table = largest_by_device(package, given).merge(known, on="device_id")
    runs = table["largest_param"] > 0
    # A figure needs rows: where no device runs any model, all stay, without a share.
    table = table[runs].copy() if runs.any() else table.assign(largest_param=np.nan)
    table["compute_used_share"] = memory_wall.compute_used_share(
        given.reading_token_per_s,
        model_param=table["largest_param"].to_numpy(),
        peak_flop_per_s=table["peak_op_per_s"].to_numpy(),
    )
    table = table.drop_duplicates(["chip", "peak_kind", "format_id"], keep="last")
    columns = ["device_id", "label", "device_class", "default_set", "format_id", "memory_bandwidth_byte_per_s", "largest_param",
               "binding", "peak_op_per_s", "peak_kind", "compute_used_share", "source_id", "second_source_id"]  # fmt: skip
    return ranking.by(table, "memory_bandwidth_byte_per_s", "device_id", "peak_kind", "format_id")[columns]


# ---------------------------------------------------------------------------------------------------- KV cache

CACHE_MODELS = {
    "llama-7b": "MHA",
    "phi-3.5-mini": "MHA",
    "llama-3.1-8b": "GQA",
    "gemma-3-4b": "part window",
    "mistral-7b-v0.1": "window",
    "deepseek-v3": "MLA",
}
SHORTEST_CONTEXT_TOKEN = 256


def kv_cache_over_context(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """KV cache at 16 bits over the advertised contexts, a row per doubling, beside an iPhone 14's bytes per token."""
    element = common.byte_per_param(package, "fp16")
    found = []
    for model_id, kind in CACHE_MODELS.items():
        model = common.model(package, model_id)
        for context in _doublings(model["context_token"]):
            cache = common.kv_cache_byte(model, context, element)
            found.append((model_id, model["name"], kind, context, cache, model["source_id"]))
    table = pd.DataFrame(
        found, columns=["model_id", "name", "attention", "context_token", "kv_cache_byte", "source_id"]
    )
    last = table.groupby("model_id")["context_token"].transform("max")
    table["is_last"] = table["context_token"] == last
    table["budget_byte"] = budget_byte_per_token(package, "iphone-14", given)
    table["budget_source_id"] = package.row("devices", "iphone-14")["source_id"]
    table["label"] = table["name"].str.replace(r" (v0\.1|\(.*\))$", "", regex=True)
    return table


def _doublings(longest: float) -> list[float]:
    steps = int(elementary.log2(longest / SHORTEST_CONTEXT_TOKEN))
    doubled = [float(SHORTEST_CONTEXT_TOKEN * 2**step) for step in range(steps + 1)]
    return doubled if doubled[-1] == longest else [*doubled, float(longest)]


def budget_byte_per_token(package: DataPackage, device_id: str, given: Parameters) -> float:
    """Bytes a device can read for one token at reading speed with the share of its bandwidth left to the model."""
    bandwidth = package.row("devices", device_id)["memory_bandwidth_byte_per_s"]
    return float(memory_wall.largest_model_param(
        bandwidth, token_per_s=given.reading_token_per_s, byte_per_param=1, bandwidth_share=given.bandwidth_share
    ))  # fmt: skip


# ----------------------------------------------------------------- dense, mixture of experts, speculative decoding

READ_MODELS = ("llama-7b", "qwen3-32b", "llama-3.3-70b", "mixtral-8x7b", "qwen3-30b-a3b", "gpt-oss-20b",
               "gpt-oss-120b", "deepseek-v3")  # fmt: skip
DRAFTS = {"qwen3-32b": "qwen3-0.6b", "llama-3.3-70b": "llama-3.2-1b"}
ACCEPTANCE_SHARE, DRAFT_TOKEN = 0.7, 4
"""A draft model's usual luck: seven in ten drafted tokens accepted, four drafted before each check."""


def read_per_token(
    package: DataPackage, *, acceptance_share: float = ACCEPTANCE_SHARE, draft_token: float = DRAFT_TOKEN
) -> pd.DataFrame:
    """Parameters in memory against parameters read per token, dense, mixture of experts, and with a draft model."""
    found = []
    for model_id in READ_MODELS:
        model = common.model(package, model_id)
        kind = "mixture of experts" if model["is_moe"] else "dense"
        found.append(
            (model_id, model["name"], kind, model["total_param"], model["active_param"], 0.0, model["source_id"])
        )
    for model_id, draft_id in DRAFTS.items():
        model, draft = common.model(package, model_id), common.model(package, draft_id)
        size = draft["total_param"] / model["total_param"]
        speedup = float(memory_wall.speculative_speedup_ratio(acceptance_share, draft_token, draft_cost_ratio=size))
        held, read = model["total_param"] + draft["total_param"], model["total_param"] / speedup
        found.append(
            (model_id, f"{model['name']} + draft", "dense + draft model", held, read, size, draft["source_id"])
        )
    columns = ["model_id", "name", "kind", "held_param", "read_param", "draft_cost_ratio", "source_id"]
    table = pd.DataFrame(found, columns=columns)
    dense = table["model_id"].map({model_id: common.model(package, model_id)["total_param"] for model_id in DRAFTS})
    return table.assign(read_share=table["read_param"] / table["held_param"], dense_param=dense)


READ_LIMIT_DEVICES = ("iphone-17-pro-max", "macbook-pro-14-m5-16gb")


def read_limits(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Parameters per token that bandwidth allows two devices of today in int4: ``limit_param`` and its words."""
    table = largest_by_device(package, given).query("format_id == 'int4'")
    table = table[table["device_id"].isin(READ_LIMIT_DEVICES)]
    texts = [f"{row['label']}, int4: {words.number(row['largest_by_bandwidth_param'] / 1e9)} B" for row in rows(table)]
    columns = ["device_id", "label", "source_id"]
    return table[columns].assign(limit_param=table["largest_by_bandwidth_param"], text=texts).reset_index(drop=True)


# ----------------------------------------------------------------------------------------------- sensitivity

SHARE_RANGE, MOST_TOKEN_PER_WORD, LONG_CONTEXT_TOKEN = (0.25, 1.0), 3.0, 32768
SMALL_MODEL = "llama-3.2-1b"
"""Its KV cache stands for that of a model of a billion parameters."""


def sensitivity(package: DataPackage, given: Parameters, *, device_id: str) -> pd.DataFrame:
    """Largest FP16 model of one device when each input alone moves over its range; widest effect first."""
    device = package.row("devices", device_id)
    found = [
        (name, *(_moved(package, device_id, given, {key: end[0]}) for end in (low, high)), low[1], high[1], source)
        for name, key, low, high, source in _cases(package, given.fast_reading_speed_word_per_min)
    ]
    columns = ["input", "low_param", "high_param", "low_text", "high_text", "input_source_id"]
    table = pd.DataFrame(found, columns=columns).assign(source_id=device["source_id"])
    table["stated_param"] = _moved(package, device_id, given, {})
    table["span_ratio"] = table["high_param"] / table["low_param"]
    return ranking.by(table, "span_ratio", "input", falling={"span_ratio"})


End = tuple[Any, str]


def _cases(package: DataPackage, fast: float) -> list[tuple[str, str, End, End, str]]:
    """Each input with its name as an argument, its two ends (value and words) and the source of the range."""
    facts = package.table("facts").set_index("fact_id")
    slow, tokens = rows(facts.loc[["reading-speed-non-fiction-low", "words-per-token-english"]])
    small = common.model(package, SMALL_MODEL)
    cache = common.kv_cache_byte(small, LONG_CONTEXT_TOKEN, common.byte_per_param(package, "fp16"))
    reached = reached_bandwidth(package)
    few, most = 1 / tokens["value"], MOST_TOKEN_PER_WORD
    return [
        ("Number format", "format_id", ("fp16", "FP16"), ("int4", "int4"), ""),
        (
            "Reading speed",
            "reading_speed_word_per_min",
            (fast, f"{fast:,.0f} words/min"),
            (slow["value"], f"{slow['value']:g} words/min"),
            slow["source_id"],
        ),
        ("Bandwidth share", "bandwidth_share", _percent(SHARE_RANGE[0]), _percent(SHARE_RANGE[1]), ""),
        ("Tokens per word", "token_per_word", (most, f"{most:g}"), (few, f"{few:.2f}"), tokens["source_id"]),
        (
            "KV cache on top",
            "kv_cache_byte",
            (cache, f"{LONG_CONTEXT_TOKEN:,} tokens"),
            (0.0, "none"),
            small["source_id"],
        ),
        (
            "Bandwidth reached",
            "reached_share",
            _percent(reached["reached_share"].median()),
            _percent(1.0),
            reached["source_id"].mode()[0],
        ),
    ]


def _percent(share: float) -> tuple[float, str]:
    return share, f"{share:.0%}".replace("%", " %")


def _moved(package: DataPackage, device_id: str, given: Parameters, change: dict[str, Any]) -> float:
    """Largest model of a device with one input changed, everything else as stated; FP16 unless that is the change."""
    used: dict[str, Any] = {"format_id": "fp16", "kv_cache_byte": 0.0, "reached_share": 1.0, **change}
    moved = given.but(**{name: value for name, value in change.items() if name in given})
    bandwidth = package.row("devices", device_id)["memory_bandwidth_byte_per_s"]
    return float(memory_wall.largest_model_param(
        used["reached_share"] * bandwidth,
        token_per_s=moved.reading_token_per_s,
        byte_per_param=common.byte_per_param(package, used["format_id"]),
        bandwidth_share=moved.bandwidth_share,
        kv_cache_byte=used["kv_cache_byte"],
    ))  # fmt: skip


def reached_bandwidth(package: DataPackage) -> pd.DataFrame:
    """Measured over published bandwidth, where both are known and the measurement is trusted (quality a or b)."""
    table = package.table("measurements_bandwidth")
    table = table[table["quality"].isin(["a", "b"]) & table["datasheet_byte_per_s"].notna()].copy()
    table["reached_share"] = table["measured_byte_per_s"] / table["datasheet_byte_per_s"]
    return table[["chip", "operation", "reached_share", "source_id"]].reset_index(drop=True)


# ---------------------------------------------------------------------------------------------------- growth

PERIOD_YEAR = 2.0
"""Growth is given per two years, as Gholami et al. give it."""
COMPUTE, COMPUTE_32, BANDWIDTH, BALANCE = (
    "peak compute",
    "peak compute at 32 bits",
    "memory bandwidth",
    "compute per byte",
)
TRENDS = {
    COMPUTE: ("peak_flop_per_s", "fastest up to 16 bits, mixed"), COMPUTE_32: ("peak_fp32_flop_per_s", "32 bits"),
    BANDWIDTH: ("memory_bandwidth_byte_per_s", ""), BALANCE: ("balance_flop_per_byte", "fastest up to 16 bits, mixed"),
}  # fmt: skip
"""Quantities with a fitted pace: their columns, and the number format they are counted in."""
DRAWN = (COMPUTE, BANDWIDTH)
OURS, OURS_RECENT = "this book", f"this book, since {trends.RECENT_YEAR}"


def chips_by_year(package: DataPackage) -> pd.DataFrame:
    """Chips in the fit, with their date as a year and the operations each byte must feed."""
    table = package.table("compute_trend")
    table = table[table["use_in_fit"].astype(bool)].assign(year=lambda frame: frame["date"].map(common.decimal_year))
    balance = memory_wall.ridge_point_flop_per_byte(
        table["peak_flop_per_s"].to_numpy(), table["memory_bandwidth_byte_per_s"].to_numpy()
    )
    return table.assign(balance_flop_per_byte=balance).reset_index(drop=True)


def pace(package: DataPackage, series: str, *, recent: bool = False, period_year: float = PERIOD_YEAR) -> trends.Trend:
    """Pace of one quantity over all years, or over recent ones."""
    table = chips_by_year(package)
    kept = trends.recent(table) if recent else table
    return trends.fitted(package, kept, TRENDS[series][0], period_year=period_year, points="chip")


def compute_trend(package: DataPackage) -> pd.DataFrame:
    """Peak and bandwidth of server chips over the years, each relative to its fitted level at the first chip's date."""
    return pd.concat([_relative(package, series) for series in DRAWN], ignore_index=True)


def _relative(package: DataPackage, series: str) -> pd.DataFrame:
    table, column = chips_by_year(package), TRENDS[series][0]
    level = _level(table, column, pace(package, series), float(table["year"].min()))
    precision = table["peak_precision"].map(common.PRECISIONS) if series == COMPUTE else series
    return table[["point_id", "name", "year", "source_id", "second_source_id"]].assign(
        precision=precision, series=series, relative_ratio=table[column] / level
    )


def _level(table: pd.DataFrame, column: str, trend: trends.Trend, year: float) -> float:
    """What a fit says for a year: its line passes through the mean of the logarithms."""
    known = table[table[column].notna()]
    middle, elapsed = (
        float(elementary.exp(np.mean(elementary.log(known[column].to_numpy())))),
        float(known["year"].mean()) - year,
    )
    return middle / float(growth.compound_growth_ratio(trend.ratio, horizon_year=elapsed, period_year=PERIOD_YEAR))


def growth_lines(package: DataPackage) -> pd.DataFrame:
    """Two ends of each trend line, relative to the level at the first chip's date: our fits, and two published ones."""
    rates, points = growth_table(package), compute_trend(package)
    rates = rates[rates["series"].isin(DRAWN)].reset_index(drop=True)
    old, end = points["year"].min(), points["year"].max()
    recent = rates["by"] == OURS_RECENT
    start = np.where(recent, float(trends.RECENT_YEAR), old)
    levels = [
        _recent_level(package, series) if new else 1.0 for series, new in zip(rates["series"], recent, strict=True)
    ]
    far = growth.compound_growth_ratio(
        rates["growth_per_2_year_ratio"].to_numpy(), horizon_year=end - start, period_year=PERIOD_YEAR
    )
    first = rates.assign(year=start, relative_ratio=levels)
    return pd.concat([first, rates.assign(year=end, relative_ratio=np.array(levels) * far)], ignore_index=True)


def _recent_level(package: DataPackage, series: str) -> float:
    """Where the fit over recent years begins, relative to the first chip's date."""
    table, column = chips_by_year(package), TRENDS[series][0]
    first = _level(table, column, pace(package, series), float(table["year"].min()))
    begun = _level(trends.recent(table), column, pace(package, series, recent=True), float(trends.RECENT_YEAR))
    return begun / first


PUBLISHED = {
    "gholami-flops": (COMPUTE, "Gholami et al.", "mixed"), "gholami-dram": (BANDWIDTH, "Gholami et al.", ""),
    "epoch-flops": (COMPUTE, "Epoch AI", "32 bits"), "epoch-memory-bandwidth": (BANDWIDTH, "Epoch AI", ""),
    "gholami-interconnect": ("interconnect", "Gholami et al.", ""),
}  # fmt: skip
NO_INTERVAL = "not stated"


def growth_table(package: DataPackage) -> pd.DataFrame:
    """Growth per two years and time to double: our least-squares fits with their intervals beside the published trends."""
    published = package.table("growth_rates").set_index("trend_id").loc[list(PUBLISHED)].reset_index()
    doubling = published["doubling_time_year"].to_numpy()
    implied = growth.compound_growth_ratio(
        2, horizon_year=PERIOD_YEAR, period_year=np.where(doubling > 0, doubling, np.nan)
    )
    published["growth_per_2_year_ratio"] = published["growth_per_2_year_ratio"].fillna(pd.Series(implied))
    told = zip(*(PUBLISHED[trend] for trend in published["trend_id"]), strict=True)
    published["series"], published["by"], published["number_format"] = told
    ours = pd.DataFrame([_our_rate(package, series, recent) for series in TRENDS for recent in (False, True)])
    columns = ["series", "by", "number_format", "window", "growth_per_2_year_ratio", "source_id"]
    table = pd.concat([ours, published[columns].assign(interval=NO_INTERVAL)], ignore_index=True)
    ratio = table["growth_per_2_year_ratio"].to_numpy()
    table["doubling_time_year"] = growth.doubling_time_year(ratio, period_year=PERIOD_YEAR)
    order = [*TRENDS, "interconnect"]
    return ranking.by(table.assign(place=table["series"].map(order.index)), "place", "by").drop(columns="place")


def _our_rate(package: DataPackage, series: str, recent: bool) -> dict[str, Any]:
    trend = pace(package, series, recent=recent)
    return {
        "series": series, "by": OURS_RECENT if recent else OURS, "number_format": TRENDS[series][1], "window": trend.window,
        "growth_per_2_year_ratio": trend.ratio, "interval": f"{words.number(trend.low)} to {words.number(trend.high)}",
        "low_ratio": trend.low, "high_ratio": trend.high, "source_id": trend.sources[0],
    }  # fmt: skip
