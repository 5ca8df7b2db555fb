"""Why the server wins: what a batch shares, what it costs in waiting, and what the shared memory costs a user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units
from analysis.assumptions import Parameters
from analysis.equations import dram_capacity, elementary, memory_wall, server_batching
from analysis.model import measured
from analysis.subjects import common
from analysis.tables import DataPackage, source_ids

ARTICLE_TABLE = "D.3"
"""60 tokens in, 20 out: the table behind the figure that the article shows."""
PALM, MEGATRON = "PaLM 540B", "Megatron-Turing NLG 530B"
MANY_USERS = 1024
"""The largest batch of the memory chart, and of Pope et al."""
HOLDING_CHIPS = 256
"""Where the ideal lines over the number of chips end."""
LABELLED = (
    "nvidia-v100-sxm2-16gb", "nvidia-a100-sxm4-80gb", "nvidia-h100-sxm5-80gb", "nvidia-h200-sxm-141gb", "nvidia-b200",
    "nvidia-rubin", "google-tpu-v4", "google-tpu-v6e", "google-tpu-v7",
)  # fmt: skip
PRICE_PAIRS = (
    ("hbm3e-gigabit-spot-2025-11", "ddr5-gigabit-spot-2025-11"),
    ("hbm3e-gigabit-spot-2025-11", "ddr4-gigabit-spot-2025-11"),
    ("hbm3e-stack-12-high-2025-11", "ddr5-rdimm-64gb-contract-2025-q4"),
    ("hbm4-stack-12-high-2026", "ddr5-rdimm-64gb-contract-2026-q1"),
)
"""Prices of HBM and DDR close in time; the first two of one source."""
ALONE = "Weights alone"
CONTEXTS = (512, 2048, 8192, 32768, 131072)
"""Contexts that the reader can choose beside that of the edition."""
COMPARED_MODELS = ("llama-3.1-8b", "llama-3.1-70b")
"""Models drawn beside the reference model: grouped queries keep their caches small beside their weights."""


# --------------------------------------------------------------------------------------- Pope et al.


def pope(package: DataPackage, tables: tuple[str, ...] = (ARTICLE_TABLE,)) -> pd.DataFrame:
    """Return the usable rows of these tables, with the peak and the memory of their chip and MFU to more digits."""
    rows = package.table("pope_tables")
    rows = rows[rows["usable"].astype(bool) & rows["table"].isin(tables)]
    chips = package.table("accelerators").set_index("accelerator_id")
    used = ["name", "peak_bf16_dense_flop_per_s", "memory_bandwidth_byte_per_s", "memory_capacity_byte", "source_id"]
    rows = rows.join(chips[used].rename(columns={"name": "chip_name", "source_id": "chip_source_id"}), on="chip")
    rows["processed_token"] = _processed_token(rows)
    rows["computed_mfu_share"] = server_batching.mfu_share(
        rows["processed_token"].to_numpy(),
        rows["time_s"].to_numpy(),
        model_param=rows["model_param"].to_numpy(),
        peak_flop_per_s=rows["peak_bf16_dense_flop_per_s"].to_numpy(),
        n_chip=rows["n_chip"].to_numpy(),
    )
    return rows.reset_index(drop=True)


def _processed_token(rows: pd.DataFrame) -> pd.Series[float]:
    prompt = rows["input_token"].where(rows["phase"] != "generate", 0)
    answer = rows["output_token"].where(rows["phase"] != "prefill", 0)
    return rows["batch_size"] * (prompt + answer)


def palm(package: DataPackage, phase: str) -> pd.DataFrame:
    """Return the rows of PaLM in the article's table for one phase, by batch."""
    rows = pope(package)
    return ranking.by(rows[(rows["model"] == PALM) & (rows["phase"] == phase)], "batch_size", "row_id")


def article_batch(package: DataPackage) -> float:
    """Return the batch that the article names."""
    return float(package.row("claims", "palm-64-b256")["article_value"])


def _article_row(rows: pd.DataFrame, package: DataPackage) -> pd.Series[bool]:
    same = (rows["table"] == ARTICLE_TABLE) & (rows["model"] == PALM)
    return same & (rows["batch_size"] == article_batch(package))


def _series(rows: pd.DataFrame) -> list[str]:
    short = {MEGATRON: "MT-NLG 530B", "nvidia-a100-sxm4-80gb": "A100", "google-tpu-v4": "TPU v4"}
    models = rows["model"].replace(short)
    chips = rows["chip"].map(short).fillna(rows["chip_name"])
    return [f"{model}, {n} {chip}" for model, n, chip in zip(models, rows["n_chip"], chips, strict=True)]


def pope_figure_9(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Latency against utilization of whole requests, by system, for the two workloads that can be trusted.

    The utilization is recomputed from the time, since the paper prints whole percents.
    ``reading_latency_s`` is the time in which a reader reads the answer.
    """
    rows = pope(package, ("D.2", "D.3"))
    rows = rows[rows["phase"] == "total"].reset_index(drop=True)
    rows["series"] = _series(rows)
    rows["workload"] = [f"{row.input_token} tokens in, {row.output_token} out" for row in rows.itertuples()]
    rows["is_article"] = _article_row(rows, package)
    rows["answer_token_per_s"] = server_batching.throughput_token_per_s(
        rows["time_s"].to_numpy(), batch_size=rows["output_token"].to_numpy()
    )
    rows["reading_latency_s"] = rows["output_token"] * float(memory_wall.time_per_token_s(given.reading_token_per_s))
    columns = [
        "workload", "series", "batch_size", "time_s", "computed_mfu_share", "mfu_share", "answer_token_per_s",
        "is_pareto_all", "is_article", "reading_latency_s", "n_chip", "partitioning", "row_id", "source_id",
        "second_source_id", "chip_source_id",
    ]  # fmt: skip
    return rows[columns].rename(columns={"mfu_share": "printed_mfu_share", "is_pareto_all": "is_frontier"})


def prefill_and_decode(package: DataPackage) -> pd.DataFrame:
    """Time of the prompt and of the answer at each batch, and their shares of the whole request."""
    parts = pd.concat([palm(package, "prefill"), palm(package, "generate")], ignore_index=True)
    whole = palm(package, "total").set_index("batch_size")["time_s"].rename("total_s")
    parts = parts.join(whole, on="batch_size")
    summed = parts.groupby("batch_size")["time_s"].transform("sum")
    parts["share"] = parts["time_s"] / summed
    parts["part"] = parts["phase"].map({"prefill": "Reading the prompt", "generate": "Writing the answer"})
    parts["is_article"] = _article_row(parts, package)
    columns = ["batch_size", "part", "time_s", "share", "total_s", "computed_mfu_share", "is_article", "source_id"]
    return parts[columns]


# -------------------------------------------------------------------------------------- the decode step


def decode_steps(package: DataPackage) -> pd.DataFrame:
    """List the decode steps of PaLM by batch: measured time, its ideal parts, utilization and chip time per token.

    Reading the weights and the matrix products are two bounds from below that may overlap: the rest is least if they
    take turns, and largest if one hides behind the other.
    """
    rows = palm(package, "generate")
    chips = {"n_chip": rows["n_chip"].to_numpy()}
    peak, bandwidth = (rows[name].to_numpy() for name in ("peak_bf16_dense_flop_per_s", "memory_bandwidth_byte_per_s"))
    batch, model = rows["batch_size"].to_numpy(), rows["model_param"].to_numpy()
    rows["step_time_s"] = rows["time_s"] / rows["output_token"]
    weight = memory_wall.weight_byte(model, _stored_byte_per_param(package, rows))
    rows["weight_time_s"] = server_batching.memory_time_s(weight, bandwidth, **chips)
    rows["compute_time_s"] = server_batching.compute_time_s(batch, model_param=model, peak_flop_per_s=peak, **chips)
    cache = batch * [_palm_cache_byte(package, token) for token in rows["input_token"] + rows["output_token"]]
    rows["kv_time_s"] = server_batching.memory_time_s(cache, bandwidth, **chips)
    bounds = rows["weight_time_s"].to_numpy(), rows["compute_time_s"].to_numpy()
    rows["rest_s"] = rows["step_time_s"] - server_batching.serial_step_time_s(*bounds)
    rows["rest_overlapped_s"] = rows["step_time_s"] - server_batching.overlapped_step_time_s(*bounds)
    rows["chip_time_per_token_s"] = server_batching.chip_time_per_token_s(
        rows["step_time_s"].to_numpy(), batch_size=batch, **chips
    )
    rows["is_article"] = _article_row(rows, package)
    return rows[list(STEP)].rename(columns={"computed_mfu_share": "decode_mfu_share"})


STEP = (
    "batch_size", "step_time_s", "weight_time_s", "compute_time_s", "kv_time_s", "rest_s", "rest_overlapped_s", "computed_mfu_share",
    "chip_time_per_token_s", "is_article", "source_id", "second_source_id", "chip_source_id",
)  # fmt: skip


def _stored_byte_per_param(package: DataPackage, rows: pd.DataFrame) -> list[float]:
    return [common.byte_per_param(package, name) for name in rows["weight_format"]]


def _palm_cache_byte(package: DataPackage, context_token: float) -> float:
    """Return the cache of one user of PaLM, each part of it on one chip only."""
    return common.kv_cache_byte(
        common.model(package, "palm-540b"), context_token, common.byte_per_param(package, "bf16")
    )


def step_bounds(package: DataPackage) -> pd.DataFrame:
    """Set the two bounds from below of each decode step beside its measured time; they may overlap, so nothing is added up."""
    steps = decode_steps(package)
    kept = ["batch_size", "is_article", "source_id", "second_source_id", "chip_source_id"]
    table = steps.melt(id_vars=kept, value_vars=list(STEP_BOUNDS), var_name="column", value_name="time_s")
    table["part"] = table.pop("column").map(STEP_BOUNDS)
    table["step_time_s"] = table["batch_size"].map(steps.set_index("batch_size")["step_time_s"])
    table["share"] = table["time_s"] / table["step_time_s"]
    table["order"] = table["part"].map({name: place for place, name in enumerate(STEP_BOUNDS.values())})
    return ranking.by(table, "batch_size", "order")


STEP_BOUNDS = {
    "weight_time_s": "Weights, at least", "compute_time_s": "Products, at least",
    "step_time_s": "Measured step",
}  # fmt: skip


def chip_times(package: DataPackage) -> pd.DataFrame:
    """Chip time per token of both phases against the tokens that one reading of the weights serves.

    In decode these are the users of the batch, in prefill the batch times the prompt.
    """
    rows = pd.concat([palm(package, "generate"), palm(package, "prefill")], ignore_index=True)
    rows["pass_token"] = rows["batch_size"] * rows["input_token"].where(rows["phase"] == "prefill", 1)
    rows["chip_time_per_token_s"] = server_batching.chip_time_per_token_s(
        rows["time_s"].to_numpy(), batch_size=rows["processed_token"].to_numpy(), n_chip=rows["n_chip"].to_numpy()
    )
    rows["series"] = rows["phase"].map({"generate": "Writing the answer", "prefill": "Reading the prompt"})
    rows["is_article"] = _article_row(rows, package) & (rows["phase"] == "generate")
    columns = ["series", "batch_size", "pass_token", "chip_time_per_token_s", "computed_mfu_share", "is_article"]
    measured = rows[[*columns, "source_id", "chip_source_id"]]
    return pd.concat([measured, _ideal_chip_times(package, rows)], ignore_index=True)


def hardware(package: DataPackage, row: Mapping[Any, Any]) -> tuple[float, float, float, float]:
    """Return parameters, bytes a parameter, peak and bandwidth of one chip of a measured row."""
    names = ("model_param", "peak_bf16_dense_flop_per_s", "memory_bandwidth_byte_per_s")
    model, peak, bandwidth = (float(row[name]) for name in names)
    return model, common.byte_per_param(package, str(row["weight_format"])), peak, bandwidth


def _ideal_chip_times(package: DataPackage, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the limit on either side of the ridge and at it: three points of a broken line."""
    first = rows.to_dict("records")[0]
    model, byte, peak, bandwidth = hardware(package, first)
    ridge = server_batching.ridge_batch_size(peak, bandwidth, byte_per_param=byte)
    tokens = np.array([rows["pass_token"].min(), ridge, rows["pass_token"].max()])
    step = server_batching.overlapped_step_time_s(
        server_batching.memory_time_s(memory_wall.weight_byte(model, byte), bandwidth),
        server_batching.compute_time_s(tokens, model_param=model, peak_flop_per_s=peak),
    )
    cost = server_batching.chip_time_per_token_s(step, batch_size=tokens)
    ideal = server_batching.mfu_share(tokens, step, model_param=model, peak_flop_per_s=peak)
    return pd.DataFrame(
        {"series": "At best", "pass_token": tokens, "chip_time_per_token_s": cost, "computed_mfu_share": ideal,
         "is_article": False, "source_id": first["source_id"], "chip_source_id": first["chip_source_id"]}
    )  # fmt: skip


# ---------------------------------------------------------------------------------- latency and chips


def latency_by_chips(package: DataPackage) -> pd.DataFrame:
    """Latency of a whole request to MT-NLG against the number of chips: measured, and at best.

    The ideal line begins at the fewest chips that hold the weights and falls as 1 / chips.
    Only batches that every system completed are kept.
    """
    rows = pope(package)
    rows = rows[(rows["model"] == MEGATRON) & (rows["phase"] == "total")].reset_index(drop=True)
    rows["chip_kind"] = rows["chip"].map(CHIP_KINDS).fillna(rows["chip_name"])
    rows["kind"] = "measured"
    columns = ["kind", "chip_kind", "n_chip", "batch_size", "time_s", "partitioning", "source_id", "chip_source_id"]
    ideal = [_ideal_latency(package, group) for _, group in rows.groupby("chip")]
    table = pd.concat([rows[columns], *(part[columns] for part in ideal)], ignore_index=True)
    return table[table["batch_size"].isin(_shared_batches(rows))].reset_index(drop=True)


def _shared_batches(measured: pd.DataFrame) -> list[int]:
    """List the batches that every system completed: only there all of them can be compared."""
    systems = measured.groupby("batch_size")["n_chip"].nunique()
    return [int(str(batch)) for batch in systems.index[systems == measured["n_chip"].nunique()]]


CHIP_KINDS = {"nvidia-a100-sxm4-80gb": "NVIDIA A100", "google-tpu-v4": "Google TPU v4"}


def _ideal_latency(package: DataPackage, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the limit at the fewest and the most chips for every batch measured on one kind of chip."""
    first = rows.to_dict("records")[0]
    model, byte, peak, bandwidth = hardware(package, first)
    fewest = np.ceil(dram_capacity.device_count(memory_wall.weight_byte(model, byte), first["memory_capacity_byte"]))
    ends = rows.drop_duplicates("batch_size").drop(columns="n_chip")
    ends = ends.merge(pd.DataFrame({"n_chip": [int(fewest), HOLDING_CHIPS]}), how="cross")
    batch, n_chip = ends["batch_size"].to_numpy(), ends["n_chip"].to_numpy()
    weight = server_batching.memory_time_s(memory_wall.weight_byte(model, byte), bandwidth, n_chip=n_chip)
    prompt, answer = (
        server_batching.compute_time_s(token, model_param=model, peak_flop_per_s=peak, n_chip=n_chip)
        for token in (batch * ends["input_token"].to_numpy(), batch)
    )
    ends["time_s"] = server_batching.request_time_s(
        ends["output_token"].to_numpy(),
        prefill_time_s=server_batching.overlapped_step_time_s(weight, prompt),
        step_time_s=server_batching.overlapped_step_time_s(weight, answer),
    )
    return ends.assign(kind="at best", partitioning="")


# ----------------------------------------------------------------------------------------- balance


def balance(package: DataPackage) -> pd.DataFrame:
    """Operations that each byte must feed, by year: the points of the trend, and the accelerators of the book.

    With 16-bit weights this is also the batch at which reading the weights stops being the limit.
    """
    points = package.table("compute_trend")
    points = points[points["use_in_fit"].astype(bool)].assign(kind="trend", label="")
    chips = package.table("accelerators").rename(columns={"release_date": "date"})
    chips = chips[(chips["memory_type"] != "sram") & chips["default_set"].fillna(value=False).astype(bool)]
    chips = chips.assign(kind="accelerator", peak_precision="tensor-fp16")
    chips["peak_flop_per_s"] = chips["peak_bf16_dense_flop_per_s"]
    chips["label"] = chips["name"].map(_short_chip).where(chips["accelerator_id"].isin(LABELLED), "")
    table = pd.concat([points, chips], ignore_index=True)
    table["balance_flop_per_byte"] = memory_wall.ridge_point_flop_per_byte(
        table["peak_flop_per_s"].to_numpy(), table["memory_bandwidth_byte_per_s"].to_numpy()
    )
    table["released_year"] = [common.decimal_year(date) for date in table["date"]]
    table["precision"] = table["peak_precision"].map(common.PRECISIONS)
    table["is_announced"] = table["status"] == ANNOUNCED
    return table[["name", "label", "kind", "is_announced", *BALANCE]]


ANNOUNCED = "announced"
BALANCE = ("released_year", "balance_flop_per_byte", "precision", "date", "source_id")


def _short_chip(name: str) -> str:
    """Shorten a name to what a label needs: ``NVIDIA H100 SXM5 80 GB`` → ``H100``."""
    words_of_name = name.split()
    kept = (
        words_of_name[1:3]
        if words_of_name[0] == "Google"
        else words_of_name[-1:]
        if "Instinct" in name
        else words_of_name[1:2]
    )
    return " ".join(kept)


# ---------------------------------------------------------------------------------- price of memory


def memory_costs(package: DataPackage, given: Parameters, *, price_ratio: float) -> pd.DataFrame:
    """Memory cost of a user on a server over that on a client, against the users who share the weights.

    One line with the weights alone, and one for each model with the cache of its context, which nobody shares.
    """
    names = dict.fromkeys((given.reference_model, *COMPARED_MODELS))
    contexts = sorted({given.context_token, *CONTEXTS})
    lines = pd.DataFrame([_memory(package, name, context) for context in contexts for name in names])
    alone = lines[lines["model_id"] == given.reference_model].assign(model=ALONE, model_id="", cache_byte=0.0)
    users = pd.DataFrame({"batch_size": np.ldexp(1.0, np.arange(int(elementary.log2(MANY_USERS)) + 1))})
    table = pd.concat([alone, lines], ignore_index=True).merge(users, how="cross")
    table["cache_to_weight_ratio"] = table["cache_byte"] / table["weight_byte"]
    table["cost_ratio"] = server_batching.memory_cost_ratio(
        price_ratio,
        batch_size=table["batch_size"].to_numpy(),
        kv_to_weight_ratio=table["cache_to_weight_ratio"].to_numpy(),
    )
    table["is_shown"] = table["context_token"] == given.context_token
    table["is_claimed"] = (table["model"] == ALONE) & (table["batch_size"] == article_batch(package))
    return table[table["cost_ratio"].notna()].reset_index(drop=True)


def _memory(package: DataPackage, model_id: str, context_token: int) -> dict[str, object]:
    model, byte = common.model(package, model_id), common.byte_per_param(package, "fp16")
    return {
        "model_id": model_id,
        "model": model["name"],
        "context_token": context_token,
        "cache_byte": common.kv_cache_byte(model, context_token, byte),
        "weight_byte": float(memory_wall.weight_byte(model["total_param"], byte)),
        "source_id": model["source_id"],
    }


HBM_TYPES = ("hbm", "hbm3", "hbm3e", "hbm4")


def hbm_shares(package: DataPackage) -> pd.DataFrame:
    """Every estimate of what share of an accelerator's cost its HBM is; a range where the source gives one."""
    prices = package.table("memory_prices")
    prices = prices[(prices["price_kind"] == "bom-share") & prices["memory_type"].isin(HBM_TYPES)]
    chips = [item.removeprefix("HBM share of ").removesuffix(" manufacturing cost") for item in prices["item"]]
    table = pd.DataFrame(
        {"chip": chips, "low_share": prices["share"].to_numpy(), "high_share": prices["share"].to_numpy()}
    )
    table = table.assign(
        basis="manufacturing cost", date=prices["date"].to_numpy(), source_id=prices["source_id"].to_numpy()
    )
    table = pd.concat([table, pd.DataFrame([_sketch_share(package), *_fleet_shares(package)])], ignore_index=True)
    publishers = package.table("sources").set_index("source_id")["publisher"]
    table["publisher"] = table["source_id"].map(publishers)
    table["estimate"] = table["chip"] + " · " + table["publisher"]
    table["middle_share"] = table[["low_share", "high_share"]].mean(axis=1)
    return ranking.by(table, "middle_share", "estimate", "date", "basis", falling={"middle_share"})


def _sketch_share(package: DataPackage) -> dict[str, object]:
    memory, least, most = (
        package.row("facts", f"h100-{name}") for name in ("hbm-cost-sketch", "cost-sketch-low", "cost-sketch-high")
    )
    low, high = (float(server_batching.memory_cost_share(memory["value"], whole["value"])) for whole in (most, least))
    return {"chip": "H100", "low_share": low, "high_share": high, "basis": "manufacturing cost", "date": "",
            "source_id": memory["source_id"]}  # fmt: skip


def _fleet_shares(package: DataPackage) -> list[dict[str, object]]:
    facts = [package.row("facts", f"hbm-component-cost-share-{quarter}") for quarter in ("2024-q1", "2025-q4")]
    factor = units.unit("percent").factor
    return [
        {"chip": f"AI chips, {fact['date'][:4]}", "basis": "component cost",
         "low_share": fact["value"] * factor, "high_share": fact["value"] * factor,
         "date": fact["date"], "source_id": fact["source_id"]}
        for fact in facts
    ]  # fmt: skip


def price_ratios(package: DataPackage) -> pd.DataFrame:
    """Price of HBM over DDR per byte, over time: the article's, as stated by analysts, and from pairs of prices."""
    prices = package.table("memory_prices")
    stated = prices[prices["price_kind"] == "price-ratio"].assign(kind="stated", against="DDR5")
    stated.loc[stated["is_forecast"].astype(bool), "kind"] = "forecast"
    others = [_claimed_ratio(package), *(_price_pair(package, *pair) for pair in PRICE_PAIRS)]
    table = pd.concat([stated, pd.DataFrame(others)], ignore_index=True)
    table["at_year"] = [common.decimal_year(date) for date in table["date"]]
    columns = ["at_year", "price_ratio", "kind", "item", "against", "date", "source_id", "reference_source_id", "note"]
    return ranking.by(table[columns], "at_year", "item", "against", "kind", "source_id")


def _claimed_ratio(package: DataPackage) -> dict[str, object]:
    row = package.row("claims", "ddr-4x-cheaper")
    date = package.row("facts", "article-published")["date"]
    return {"price_ratio": row["article_value"], "kind": "article", "item": "HBM", "against": "DDR and LPDDR",
            "date": date, "source_id": row["source_id"]}  # fmt: skip


def _price_pair(package: DataPackage, memory_id: str, reference_id: str) -> dict[str, object]:
    memory, reference = (package.row("memory_prices", name) for name in (memory_id, reference_id))
    first, second = (_usd_per_byte(row) for row in (memory, reference))
    return {
        "price_ratio": float(dram_capacity.price_ratio(first, second)), "kind": "from two prices",
        "item": memory["item"], "against": reference["item"],
        "date": max(memory["date"], reference["date"], key=len), "note": memory["note"],
        "source_id": memory["source_id"], "reference_source_id": reference["source_id"],
    }  # fmt: skip


def _usd_per_byte(row: Mapping[str, float]) -> float:
    return float(dram_capacity.price_usd_per_byte(row["price_usd"], row["capacity_byte"]))


def server_prices(package: DataPackage) -> pd.DataFrame:
    """Servers with a known price, oldest first: what an accelerator and a byte of memory cost inside them."""
    table = package.table("servers")
    table = ranking.by(table[table["price_usd"].notna()], "date", "server_id")
    table["accelerator_price_usd"] = table["price_usd"] / table["n_chip"]
    known = table["memory_capacity_byte"].notna()
    capacity = table.loc[known, "memory_capacity_byte"].to_numpy()
    price = dram_capacity.price_usd_per_byte(table.loc[known, "price_usd"].to_numpy(), capacity)
    table.loc[known, "memory_price_usd_per_gbyte"] = common.base(1, "gbyte") * price
    table["configuration"] = [f"{row.n_chip} × {row.accelerator_name}" for row in table.itertuples()]
    table["kind"] = table["price_kind"].str.replace("-", " ")
    return table


def price_ratio_sources(ratios: pd.DataFrame) -> list[str]:
    """List the sources of what was found on the ratio, the article's own statement left out."""
    return source_ids(ratios.loc[ratios["kind"] != "article", ["source_id", "reference_source_id"]])


# --------------------------------------------------------------------- one processor with two memories

PAIR = ("nvidia-h100-sxm5-80gb", "nvidia-h200-sxm-141gb")
"""The same processor with a slower and with a faster memory."""
SERVED, FILLING = ("llama-3.1-8b", "bf16"), ("llama-3.1-70b", "fp8")
"""Model and format that are drawn over the batch, and those whose weights nearly fill the smaller memory."""
STEPS = ("decode", "decode-cudnn")
SAME_WORK = ["kind", "model", "format", "batch_size", "context_token"]
SLOW_KERNEL = "attention-kernel"
"""Why a row is no limit of the memory: a better kernel would be faster."""
IDEAL = "Weights alone, at best"


def pair_rows(package: DataPackage, *, kinds: tuple[str, ...] = STEPS, but_for: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return what was measured on the filed cards, with the card's short name, peak and memory.

    ``but_for`` are reasons to leave a row out that do not count here.
    """
    rows = package.table("measurements_gpu_pair").rename(columns={"batch": "batch_size"})
    chosen = rows["kind"].isin(kinds) & rows["left_out"].isin(["", *but_for]) & rows["batch_size"].notna()
    cards = package.table("accelerators").set_index("accelerator_id")
    cards = cards.assign(card=cards["name"].map(_short_chip), card_source_id=cards["source_id"])
    facts = ["card", "peak_bf16_dense_flop_per_s", "memory_capacity_byte", "card_source_id"]
    rows = rows[chosen & rows["accelerator_id"].isin(cards.index)].join(cards[facts], on="accelerator_id")
    rows = rows.assign(is_slow_kernel=rows["left_out"] == SLOW_KERNEL).reset_index(drop=True)
    return rows.astype({"batch_size": int})


def pair_gains(package: DataPackage, *, kinds: tuple[str, ...] = STEPS) -> pd.DataFrame:
    """Speed of the faster memory over that of the slower in the same work, with what other runs make of it.

    Several runs of a card count as their median.  ``is_none`` says that the gain is no larger than two runs differ.
    """
    rows = pair_rows(package, kinds=kinds)
    slow, fast = (_runs(rows[rows["accelerator_id"] == card]) for card in PAIR)
    table = slow.merge(fast, on=SAME_WORK, suffixes=("", "_faster"))
    table["gain_ratio"] = table["step_time_s"] / table.pop("step_time_s_faster")
    off = table[["uncertainty_share", "uncertainty_share_faster"]].max(axis=1)
    table["low_ratio"], table["high_ratio"] = table["gain_ratio"] * (1 - off), table["gain_ratio"] * (1 + off)
    table["is_none"] = (table["gain_ratio"] - 1) <= off
    table = table.rename(columns={"source_id_faster": "faster_source_id"})
    return ranking.by(table.drop(columns=["uncertainty_share", "uncertainty_share_faster"]), *SAME_WORK)


def _runs(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs of one card, one row for each piece of work."""
    return rows.groupby(SAME_WORK, as_index=False, dropna=False).agg(
        step_time_s=("step_s_median", "median"),
        uncertainty_share=("time_uncertainty_share", "max"),
        source_id=("source_id", "first"),
    )


def same_processor_gains(package: DataPackage) -> pd.DataFrame:
    """Speed of a step on the faster memory over that on the slower by batch, for every context, and at best for weights alone."""
    table = pair_gains(package)
    table = table[(table["model"] == SERVED[0]) & (table["format"] == SERVED[1])]
    table = table.drop_duplicates(["context_token", "batch_size"])
    table = table[table.groupby("context_token")["batch_size"].transform("size") > 1]
    table["series"] = [f"{token:,.0f} tokens" for token in table["context_token"]]
    ideal = _ideal_gains(package, table["batch_size"].max())
    return pd.concat([ranking.by(table, "context_token", "batch_size"), ideal], ignore_index=True)


def _ideal_gains(package: DataPackage, most: float) -> pd.DataFrame:
    """The same at peak rates, from batch 1 over both ridges to the largest batch."""
    slow, fast = (package.row("accelerators", card) for card in PAIR)
    byte = common.byte_per_param(package, SERVED[1])
    first, last = (pair_ridge(card, byte) for card in (fast, slow))
    batch = np.array([1.0, *np.linspace(first, last, IDEAL_POINTS), most])
    model = common.model(package, SERVED[0])["total_param"]
    steps = [_ideal_step(card, batch, model, byte) for card in (slow, fast)]
    gain = steps[0] / steps[1]
    return pd.DataFrame(
        {"series": IDEAL, "model": SERVED[0], "format": SERVED[1], "batch_size": batch, "gain_ratio": gain, "is_none": gain <= 1,
         "step_time_s": steps[0], "source_id": slow["source_id"], "faster_source_id": fast["source_id"]}
    )  # fmt: skip


IDEAL_POINTS = 9
"""Enough for a curve between two ridges to look like one."""


def pair_ridge(card: Mapping[str, Any], byte_per_param: float) -> float:
    """Return the ridge batch of an accelerator at its 16-bit peak."""
    return float(
        server_batching.ridge_batch_size(
            card["peak_bf16_dense_flop_per_s"], card["memory_bandwidth_byte_per_s"], byte_per_param=byte_per_param
        )
    )


def _ideal_step(card: Mapping[str, Any], batch: np.ndarray, model_param: float, byte_per_param: float) -> np.ndarray:
    weight = memory_wall.weight_byte(model_param, byte_per_param)
    products = server_batching.compute_time_s(
        batch, model_param=model_param, peak_flop_per_s=card["peak_bf16_dense_flop_per_s"]
    )
    reading = server_batching.memory_time_s(weight, card["memory_bandwidth_byte_per_s"])
    return np.asarray(server_batching.overlapped_step_time_s(reading, products))


def half_gone_batch(gains: pd.DataFrame) -> float:
    """Return the batch at which half of the gain of the first is gone, between two measured ones on a logarithmic scale.

    Missing where half of it is left at every batch.
    """
    half = 1 + (gains["gain_ratio"].iloc[0] - 1) / 2
    past = np.flatnonzero(gains["gain_ratio"].to_numpy() < half)
    if not len(past):
        return float("nan")
    ends = gains.iloc[past[0] - 1 : past[0] + 1]
    place = float(
        np.interp(half, ends["gain_ratio"].to_numpy()[::-1], np.asarray(elementary.log2(ends["batch_size"]))[::-1])
    )
    return float(elementary.power(2, place))


def two_constants(rows: pd.DataFrame) -> tuple[float, float]:
    """Fit the time of a layer and the share of the bandwidth to steps: least squares of the relative error."""
    layer = rows["n_layer"] / rows["step_s_median"]
    reading = rows["step_byte"] / rows["memory_bandwidth_byte_per_s"] / rows["step_s_median"]
    [ll, lr, rr, ones_l, ones_r] = (
        math.fsum(part) for part in (layer * layer, layer * reading, reading * reading, layer, reading)
    )
    scale = ll * rr - lr * lr
    return (ones_l * rr - ones_r * lr) / scale, scale / (ones_r * ll - ones_l * lr)


def law_rows(package: DataPackage) -> pd.DataFrame:
    """Return the steps at batch 1 that the law is about, of every card: dense models in 16 and 8 bits, bound by the memory."""
    rows = measured.pair_measurements(package)
    names = package.table("accelerators").set_index("accelerator_id")["name"].map(_short_chip)
    rows["card"] = rows["accelerator_id"].map(names).fillna(rows["device"])
    rows["step_byte"] = rows["read_byte"] + rows["kv_cache_byte"]
    return ranking.by(rows, "card", "measurement_id")


def law_step_time_s(rows: pd.DataFrame, constants: tuple[float, float]) -> np.ndarray:
    """Return what the law says of these steps."""
    return np.asarray(
        server_batching.two_constant_step_time_s(
            rows["step_byte"].to_numpy(), rows["memory_bandwidth_byte_per_s"].to_numpy(), n_layer=rows["n_layer"].to_numpy(),
            overhead_s_per_layer=constants[0], bandwidth_share=constants[1],
        )
    )  # fmt: skip


def same_processor_law(package: DataPackage) -> pd.DataFrame:
    """Time of a layer over its bytes on every card, and the law: fitted on the slower memory, carried by the bandwidth alone."""
    rows = law_rows(package)
    fitted = rows["accelerator_id"] == PAIR[0]
    constants = two_constants(rows[fitted])
    rows["role"] = np.where(fitted, FITTED, CARRIED)
    rows["law_step_time_s"] = law_step_time_s(rows, constants)
    rows["error_ratio"] = (rows["law_step_time_s"] / rows["step_s_median"] - 1).abs()
    rows["layer_byte"], rows["layer_time_s"] = (rows[name] / rows["n_layer"] for name in ("step_byte", "step_s_median"))
    rows = rows.rename(columns={"step_s_median": "step_time_s"}).assign(kind="measured")
    return pd.concat([rows[list(LAW)], _law_lines(rows, constants)[list(LAW)]], ignore_index=True)


FITTED, CARRIED = "fitted", "carried"
LAW = (
    "kind", "card", "role", "model", "format", "context_token", "n_layer", "layer_byte", "layer_time_s", "step_time_s",
    "law_step_time_s", "error_ratio", "memory_bandwidth_byte_per_s", "source_id",
)  # fmt: skip


def _law_lines(rows: pd.DataFrame, constants: tuple[float, float]) -> pd.DataFrame:
    """The ends of the law's line for every card, as of models of one layer."""
    cards = rows.drop_duplicates("card").assign(
        kind="law", model="", format="", context_token=np.nan, n_layer=1.0, step_time_s=np.nan, error_ratio=np.nan
    )
    ends = cards.drop(columns=["step_byte"]).merge(
        pd.DataFrame({"step_byte": [0.0, rows["layer_byte"].max()]}), how="cross"
    )
    ends["layer_byte"] = ends["step_byte"]
    ends["layer_time_s"] = ends["law_step_time_s"] = law_step_time_s(ends, constants)
    return ranking.by(ends, "card", "layer_byte")


def capacity_gains(package: DataPackage) -> pd.DataFrame:
    """Tokens per second of all users by batch, for a model that nearly fills the smaller memory, as far as the cache fits."""
    rows = pair_rows(package, kinds=STEPS[:1], but_for=(SLOW_KERNEL,))
    rows = _of_the_pair(rows[(rows["model"] == FILLING[0]) & (rows["format"] == FILLING[1])])
    rows["is_largest"] = rows["batch_size"] == rows.groupby("card")["batch_size"].transform("max")
    rows = rows.rename(columns={"step_s_median": "step_time_s", "kv_byte": "kv_cache_byte"})
    columns = [
        "card",
        "batch_size",
        "token_per_s",
        "step_time_s",
        "weight_byte",
        "kv_cache_byte",
        "memory_capacity_byte",
        "memory_bandwidth_byte_per_s",
    ]
    return rows[[*columns, "context_token", "is_slow_kernel", "is_largest", "source_id", "card_source_id"]]


def rate_beyond(package: DataPackage, slow: Mapping[Any, Any]) -> float:
    """Tokens per second of all users that the law allows the smaller memory at twice its largest batch, more than it was given."""
    rows = law_rows(package)
    constants = two_constants(rows[rows["accelerator_id"] == PAIR[0]])
    step = server_batching.two_constant_step_time_s(
        slow["weight_byte"] + 2 * slow["kv_cache_byte"], slow["memory_bandwidth_byte_per_s"],
        n_layer=common.model(package, FILLING[0])["n_layer"],
        overhead_s_per_layer=constants[0], bandwidth_share=constants[1],
    )  # fmt: skip
    return 2 * float(slow["batch_size"]) / float(step)


def _of_the_pair(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the two cards, one for each batch and context: the first that is filed."""
    rows = rows[rows["accelerator_id"].isin(PAIR)]
    rows = rows.drop_duplicates(["accelerator_id", "model", "format", "context_token", "batch_size"])
    return ranking.by(rows, "card", "context_token", "batch_size", "measurement_id")


def energy_by_batch(package: DataPackage) -> pd.DataFrame:
    """Joules of the whole card for a token by batch, where they were counted, with the range of other runs.

    ``is_line`` marks the context with most batches; between two far apart of another nothing is known.
    """
    rows = pair_rows(package, kinds=STEPS[:1], but_for=(SLOW_KERNEL,))
    rows = rows[(rows["model"] == SERVED[0]) & (rows["format"] == SERVED[1]) & rows["joule_per_token"].notna()]
    rows = _of_the_pair(rows).rename(columns={"joule_per_token": "token_energy_j"})
    off = rows["joule_uncertainty_share"].to_numpy()
    rows["low_energy_j"], rows["high_energy_j"] = (rows["token_energy_j"] * (1 + side * off) for side in (-1, 1))
    counted = rows.groupby("context_token")["batch_size"].nunique().reset_index()
    most = ranking.first(counted, "batch_size", "context_token", falling={"batch_size"})["context_token"]
    rows["is_line"] = rows["context_token"] == most
    rows["context"] = [f"{token:,.0f} tokens" for token in rows["context_token"]]
    columns = ["card", "context", "batch_size", "token_energy_j", "low_energy_j", "high_energy_j", "power_w"]
    return rows[[*columns, "is_line", "is_slow_kernel", "source_id"]]


def read_energies(package: DataPackage) -> pd.DataFrame:
    """Joules above idle for each bit read in the steps that the law is about, by card."""
    rows = law_rows(package)
    rows = rows[rows["joule_per_step"].notna() & rows["accelerator_id"].isin(PAIR)].reset_index(drop=True)
    table = package.table("measurements_gpu_pair")
    idle = table[table["kind"] == "idle"].groupby("accelerator_id")["power_w"].mean()
    rows["read_energy_j_per_bit"] = server_batching.read_energy_j_per_bit(
        rows["joule_per_step"].to_numpy(), read_byte=rows["step_byte"].to_numpy(),
        idle_energy_j=rows["accelerator_id"].map(idle).to_numpy() * rows["step_s_median"].to_numpy(),
    )  # fmt: skip
    return rows[["card", "model", "format", "read_energy_j_per_bit", "source_id"]]


def experts_touched(package: DataPackage) -> pd.DataFrame:
    """Different experts that a layer called by batch, beside what evenly spread calls would touch."""
    rows = _of_the_pair(pair_rows(package, kinds=("moe",)))
    models = package.table("models").set_index("model_id")
    total, active = (
        models[name].reindex(rows["model"]).to_numpy(dtype=float) for name in ("n_expert", "n_active_expert")
    )
    rows["expected_count"] = memory_wall.touched_expert_count(total, active, batch_size=rows["batch_size"].to_numpy())
    rows["error_ratio"] = (rows["expected_count"] / rows["n_distinct_expert"] - 1).abs()
    return rows[["card", "batch_size", "n_distinct_expert", "expected_count", "error_ratio", "source_id"]]
