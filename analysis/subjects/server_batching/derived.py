"""Why the server wins: what a batch shares, what it costs in waiting, and what the shared memory costs a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units
from analysis.assumptions import Parameters
from analysis.equations import dram_capacity, elementary, memory_wall, server_batching
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
