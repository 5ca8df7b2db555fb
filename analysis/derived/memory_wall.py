"""Why bandwidth sets the speed: roofline, KV cache, the largest model of each device, growth over the years."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import ranking, words
from analysis.derived import common, measured
from analysis.equations import dram_capacity, elementary, growth, memory_wall
from analysis.tables import DataPackage

FORMAT_NAMES = {"fp16": "FP16", "int8": "int8", "int4": "int4"}
SET_NAMES = {"2023": "On sale in May 2023", "2026": "On sale in 2026"}

# ------------------------------------------------------------------------------------------ the largest model


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

    ``default_set`` keeps the devices of ``2023`` or ``2026``; None keeps all.  ``binding`` names the limit that
    counts, and is ``unknown`` where a device's capacity is.  Bandwidth bounds the parameters read per token, capacity
    bounds all parameters: for a mixture of experts these are two different numbers.
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
    "largest_by_capacity_param", "largest_param", "binding", "release_date", "confidence", "source_id",
    "second_source_id",
)  # fmt: skip


def _formats(package: DataPackage) -> pd.DataFrame:
    return common.formats(package)[["format_id", "format", "byte_per_param"]]


def _reserve_byte(device_class: pd.Series[str], reserve_byte: float) -> npt.NDArray[np.float64]:
    """Reserve where system and model share a memory; that of a graphics card is the model's alone."""
    return np.where(device_class == "gpu", 0.0, reserve_byte)


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


def largest_by_device(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """Largest models of both sets of devices, slowest memory first, with what the article states."""
    table = largest_models(package, default_set=None, **parameters)
    table = table[table["default_set"].isin(common.SETS)].copy()
    table["label"] = table["name"].map(_short)
    table["set_name"] = table["default_set"].map(SET_NAMES)
    claims = package.table("claims").set_index("claim_id")
    stated = [ARTICLE_CLAIMS.get((str(row.device_id), str(row.format_id))) for row in table.itertuples()]
    for name, column in (("article_param", "article_value"), ("article_high_param", "article_value_high")):
        table[name] = claims[column].reindex(stated).to_numpy()
    table["claim_source_id"] = claims["source_id"].reindex(stated).to_numpy()
    device = ("default_set", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "device_id")
    return ranking.by(table, *device, "byte_per_param", "format_id", falling={"byte_per_param"})


def _short(name: str) -> str:
    """Device name without its kind and without the second half of a parenthesis."""
    return re.sub(r"\(([^,)]*),[^)]*\)", r"(\1)", re.sub(r"^(Laptop|Desktop), ", "", name))


def largest_model_table(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """One row per device, one column per format in 10^9 parameters; a note where capacity is the tighter limit."""
    long = largest_by_device(package, **parameters)
    long["amount"] = long["largest_param"] / common.base(1, "gparam")
    long["note"] = [_forbidden(row) for row in rows(long)]
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
    wide = wide.reset_index().astype(dict.fromkeys(common.FORMATS, float))
    wide["bandwidth_gb"] = wide["memory_bandwidth_byte_per_s"] / common.base(1, "gbyte_per_s")
    wide["capacity_gib"] = wide["memory_capacity_byte"] / common.base(1, "gibyte")
    wide["limit"] = wide["binding"].replace("capacity", "memory")
    wide["is_article"] = wide["device_id"].isin({device for device, _ in ARTICLE_CLAIMS})
    return ranking.by(wide, "default_set", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "device_id")


EXPECTED_FORMAT = "int4"
"""Format the expected sizes are given in: what people run on their own devices."""


def expected_by_device(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """Ideal limit and calibrated expectation with its 80 % band, side by side, for the devices of both sets.

    What the model expects is cut off at what memory holds, as the limit is.  Phones have no public measurements of the
    kind the model is fitted on: for them the expectation is an extrapolation, and ``is_extrapolated`` says so.
    """
    table = largest_by_device(package, **parameters)
    table = table[table["format_id"] == EXPECTED_FORMAT].reset_index(drop=True)
    rate = common.reading_token_per_s(parameters["reading_speed_word_per_min"], parameters["token_per_word"])
    devices = common.devices(package).set_index("device_id").loc[table["device_id"]].reset_index()
    found = measured.expected_models(
        package, devices, format_ids=(EXPECTED_FORMAT,), token_per_s=rate, bandwidth_share=parameters["bandwidth_share"]
    )
    for name in ("expected_param", "expected_low_param", "expected_high_param"):
        table[name] = found[name].clip(upper=table["largest_by_capacity_param"])
    table["stack"], table["is_extrapolated"] = found["stack"], table["device_class"].isin(["phone", "tablet"])
    return table


def answer_table(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """The table of largest models with what to expect beside what is possible at most."""
    table = largest_model_table(package, **parameters)
    found = expected_by_device(package, **parameters).set_index("device_id")
    billion = common.base(1, "gparam")
    table["expected"] = table["device_id"].map(found["expected_param"]) / billion
    low, high = (table["device_id"].map(found[f"expected_{end}_param"]) / billion for end in ("low", "high"))
    table["band"] = [f"{words.number(a, 2)} to {words.number(b, 2)}" for a, b in zip(low, high, strict=True)]
    return table


def _forbidden(row: dict[str, Any]) -> str:
    """Say what capacity forbids: the size that bandwidth alone would allow; nothing where bandwidth is the limit."""
    allowed = words.number(row["largest_by_bandwidth_param"] / common.base(1, "gparam"))
    return f"memory full, bandwidth: {allowed}" if row["binding"] == "capacity" else ""


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row as a dictionary from column to value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _cell(row: dict[str, Any]) -> float | str:
    billion = common.base(1, "gparam")
    largest, allowed = row["largest_param"] / billion, row["largest_by_bandwidth_param"] / billion
    if row["binding"] != "capacity":
        return float(largest)
    return f"{words.number(largest)} (memory is full; bandwidth allows {words.number(allowed)})"


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

ROOFLINE_DEVICES = ("iphone-14", "laptop-snapdragon-x-elite-16gb", "rtx-4090-24gb")
ROOFLINE_ACCELERATORS = ("google-tpu-v4", "nvidia-h100-sxm5-80gb")
SERVER_BATCH_SIZE = 256
"""Sequences that share a read of the weights on the article's server."""
ONE_USER, MANY_USERS = "FP16, one user", f"FP16, {SERVER_BATCH_SIZE} users"
ROOF_ENDS_FLOP_PER_BYTE = (0.5, 2048.0)


def machines(package: DataPackage) -> pd.DataFrame:
    """Devices with a known peak: the larger published rate of neural processor and shaders, and which it is."""
    table = common.devices(package)
    peaks = table[["npu_peak_int8_op_per_s", "shader_peak_fp16_flop_per_s"]]
    table["peak_op_per_s"] = peaks.max(axis=1)
    table = table[table["peak_op_per_s"].notna()].copy()
    neural = table["npu_peak_int8_op_per_s"] == table["peak_op_per_s"]
    table["peak_kind"] = np.where(neural, "neural processor, INT8", "shaders, FP16")
    return table.reset_index(drop=True)


def roofline(package: DataPackage) -> pd.DataFrame:
    """Roofs of five machines (``kind`` roof) and decoding on them (``kind`` work), one row per point."""
    known = machines(package).rename(columns={"device_id": "machine_id"})
    known = known[known["machine_id"].isin(ROOFLINE_DEVICES)]
    roofs = [_roof(row) for row in rows(known)]
    servers = package.table("accelerators").rename(
        columns={"accelerator_id": "machine_id", "peak_bf16_dense_flop_per_s": "peak_op_per_s"}
    )
    servers = servers[servers["machine_id"].isin(ROOFLINE_ACCELERATORS)].copy()
    servers["device_class"], servers["peak_kind"] = "server", "tensor units, BF16 dense"
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
        **kept, peak_op_per_s=peak, ridge_flop_per_byte=ridge, label=_short(machine["name"]).split(" (")[0]
    )


def compute_used(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """Share of its peak a device keeps busy while its largest model writes at reading speed, by format; none where none fits."""
    known = machines(package)[["device_id", "chip", "peak_op_per_s", "peak_kind"]]
    table = largest_by_device(package, **parameters).query("largest_param > 0").merge(known, on="device_id")
    rate = common.reading_token_per_s(parameters["reading_speed_word_per_min"], parameters["token_per_word"])
    table["compute_used_share"] = memory_wall.compute_used_share(
        rate, model_param=table["largest_param"].to_numpy(), peak_flop_per_s=table["peak_op_per_s"].to_numpy()
    )
    table = table.drop_duplicates(["chip", "format_id"], keep="last")
    most = table.groupby("device_id")["compute_used_share"].transform("max")
    columns = ["device_id", "label", "device_class", "default_set", "format_id", "largest_param", "binding",
               "peak_op_per_s", "peak_kind", "compute_used_share", "source_id", "second_source_id"]  # fmt: skip
    table = ranking.by(
        table.assign(most=most), "most", "device_id", "byte_per_param", "format_id", falling={"byte_per_param"}
    )
    return table[columns]


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


def kv_cache_over_context(package: DataPackage, **parameters: float) -> pd.DataFrame:
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
    table["budget_byte"] = budget_byte_per_token(package, "iphone-14", **parameters)
    table["budget_source_id"] = package.row("devices", "iphone-14")["source_id"]
    table["label"] = table["name"].str.replace(r" (v0\.1|\(.*\))$", "", regex=True)
    return table


def _doublings(longest: float) -> list[float]:
    steps = int(elementary.log2(longest / SHORTEST_CONTEXT_TOKEN))
    doubled = [float(SHORTEST_CONTEXT_TOKEN * 2**step) for step in range(steps + 1)]
    return doubled if doubled[-1] == longest else [*doubled, float(longest)]


def budget_byte_per_token(package: DataPackage, device_id: str, **parameters: float) -> float:
    """Bytes a device can read for one token at reading speed with the share of its bandwidth left to the model."""
    rate = common.reading_token_per_s(parameters["reading_speed_word_per_min"], parameters["token_per_word"])
    bandwidth = package.row("devices", device_id)["memory_bandwidth_byte_per_s"]
    return float(memory_wall.largest_model_param(
        bandwidth, token_per_s=rate, byte_per_param=1, bandwidth_share=parameters["bandwidth_share"]
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


def read_limits(package: DataPackage, **parameters: float) -> pd.DataFrame:
    """Parameters per token that bandwidth allows two devices of today in int4: ``limit_param`` and its words."""
    table = largest_by_device(package, **parameters).query("format_id == 'int4'")
    table = table[table["device_id"].isin(READ_LIMIT_DEVICES)]
    texts = [f"{row['label']}, int4: {words.number(row['largest_by_bandwidth_param'] / 1e9)} B" for row in rows(table)]
    columns = ["device_id", "label", "source_id"]
    return table[columns].assign(limit_param=table["largest_by_bandwidth_param"], text=texts).reset_index(drop=True)


# ----------------------------------------------------------------------------------------------- sensitivity

SHARE_RANGE, MOST_TOKEN_PER_WORD, LONG_CONTEXT_TOKEN = (0.25, 1.0), 3.0, 32768
SMALL_MODEL = "llama-3.2-1b"
"""Its KV cache stands for that of a model of a billion parameters."""


def sensitivity(
    package: DataPackage, *, device_id: str, fast_reading_speed_word_per_min: float, **parameters: float
) -> pd.DataFrame:
    """Largest FP16 model of one device when each input alone moves over its range; widest effect first."""
    device = package.row("devices", device_id)
    found = [
        (name, *(_moved(package, device_id, parameters, {key: end[0]}) for end in (low, high)), low[1], high[1], source)
        for name, key, low, high, source in _cases(package, fast_reading_speed_word_per_min)
    ]
    columns = ["input", "low_param", "high_param", "low_text", "high_text", "input_source_id"]
    table = pd.DataFrame(found, columns=columns).assign(source_id=device["source_id"])
    table["stated_param"] = _moved(package, device_id, parameters, {})
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


def _moved(package: DataPackage, device_id: str, parameters: dict[str, float], change: dict[str, Any]) -> float:
    """Largest model of a device with one input changed, everything else as stated; FP16 unless that is the change."""
    used: dict[str, Any] = {"format_id": "fp16", "kv_cache_byte": 0.0, "reached_share": 1.0, **parameters, **change}
    bandwidth = package.row("devices", device_id)["memory_bandwidth_byte_per_s"]
    return float(memory_wall.largest_model_param(
        used["reached_share"] * bandwidth,
        token_per_s=common.reading_token_per_s(used["reading_speed_word_per_min"], used["token_per_word"]),
        byte_per_param=common.byte_per_param(package, used["format_id"]),
        bandwidth_share=used["bandwidth_share"],
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
SERIES = {
    "peak compute": ("peak_flop_per_s", "gholami-flops"),
    "memory bandwidth": ("memory_bandwidth_byte_per_s", "gholami-dram"),
}


def compute_trend(package: DataPackage) -> pd.DataFrame:
    """Peak and bandwidth of server chips over the years, each relative to its fitted level at the first chip's date."""
    table = package.table("compute_trend")
    table = table[table["use_in_fit"]].assign(year=lambda frame: frame["date"].map(common.decimal_year))
    start = float(table["year"].min())
    parts = [_relative(table, series, column, start) for series, (column, _) in SERIES.items()]
    return pd.concat(parts, ignore_index=True)


def _fit(table: pd.DataFrame, column: str) -> pd.DataFrame:
    known = table[table[column].notna()]
    return known[["point_id", "name", "year", "source_id", "second_source_id"]].assign(amount=known[column])


def _relative(table: pd.DataFrame, series: str, column: str, start: float) -> pd.DataFrame:
    points = _fit(table, column)
    ratio = growth.fitted_growth_ratio(points["year"].to_numpy(), points["amount"].to_numpy(), period_year=PERIOD_YEAR)
    # The fitted line passes through the mean of the logarithms.
    middle = float(elementary.exp(np.mean(elementary.log(points["amount"].to_numpy()))))
    elapsed = float(points["year"].mean()) - start
    level = middle / growth.compound_growth_ratio(ratio, horizon_year=elapsed, period_year=PERIOD_YEAR)
    return points.assign(series=series, relative_ratio=points["amount"] / level).drop(columns="amount")


def growth_lines(package: DataPackage) -> pd.DataFrame:
    """Two ends of each trend line, relative to the level at the first chip's date: our fits, and two published ones."""
    rates, points = growth_table(package), compute_trend(package)
    start, end = points["year"].min(), points["year"].max()
    rates = rates[rates["series"].isin(list(SERIES))].reset_index(drop=True)
    far = growth.compound_growth_ratio(
        rates["growth_per_2_year_ratio"].to_numpy(), horizon_year=end - start, period_year=PERIOD_YEAR
    )
    first = rates.assign(year=start, relative_ratio=1.0)
    return pd.concat([first, rates.assign(year=end, relative_ratio=far)], ignore_index=True)


PUBLISHED = {
    "gholami-flops": ("peak compute", "Gholami et al."),
    "gholami-dram": ("memory bandwidth", "Gholami et al."),
    "epoch-flops": ("peak compute", "Epoch AI"),
    "epoch-memory-bandwidth": ("memory bandwidth", "Epoch AI"),
    "gholami-interconnect": ("interconnect", "Gholami et al."),
}


def growth_table(package: DataPackage) -> pd.DataFrame:
    """Growth per two years and time to double: our least-squares fits beside the published trends."""
    published = package.table("growth_rates").set_index("trend_id").loc[list(PUBLISHED)].reset_index()
    doubling = published["doubling_time_year"].to_numpy()
    implied = growth.compound_growth_ratio(
        2, horizon_year=PERIOD_YEAR, period_year=np.where(doubling > 0, doubling, np.nan)
    )
    published["growth_per_2_year_ratio"] = published["growth_per_2_year_ratio"].fillna(pd.Series(implied))
    published["series"], published["by"] = zip(*(PUBLISHED[trend] for trend in published["trend_id"]), strict=True)
    ours = pd.DataFrame([_our_rate(package, series, column) for series, (column, _) in SERIES.items()]
                        + [_our_rate(package, "peak compute at 32 bits", "peak_fp32_flop_per_s")])  # fmt: skip
    columns = ["series", "by", "window", "growth_per_2_year_ratio", "source_id"]
    table = pd.concat([ours, published[columns]], ignore_index=True)
    ratio = table["growth_per_2_year_ratio"].to_numpy()
    table["doubling_time_year"] = growth.doubling_time_year(ratio, period_year=PERIOD_YEAR)
    shown = ("peak compute", "peak compute at 32 bits", "memory bandwidth", "interconnect")
    return pd.concat([table[table["series"] == series] for series in shown], ignore_index=True)


def _our_rate(package: DataPackage, series: str, column: str) -> dict[str, Any]:
    table = package.table("compute_trend")
    table = table[table["use_in_fit"]].assign(year=lambda frame: frame["date"].map(common.decimal_year))
    points = _fit(table, column)
    ratio = growth.fitted_growth_ratio(points["year"].to_numpy(), points["amount"].to_numpy(), period_year=PERIOD_YEAR)
    window = f"{int(points['year'].min())} to {int(points['year'].max())}, {len(points)} chips"
    source = points["source_id"].mode()[0]
    return {
        "series": series,
        "by": "this book",
        "window": window,
        "growth_per_2_year_ratio": float(ratio),
        "source_id": source,
    }
