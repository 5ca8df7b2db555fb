"""Why the server wins: what a batch shares, what it costs in waiting, and what the shared memory costs a user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.derived import common, trends
from analysis.equations import dram_capacity, elementary, memory_wall, server_batching
from analysis.figures import Value
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


def _pope(package: DataPackage, tables: tuple[str, ...] = (ARTICLE_TABLE,)) -> pd.DataFrame:
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


def _palm(package: DataPackage, phase: str) -> pd.DataFrame:
    """Return the rows of PaLM in the article's table for one phase, by batch."""
    rows = _pope(package)
    return ranking.by(rows[(rows["model"] == PALM) & (rows["phase"] == phase)], "batch_size", "row_id")


def _article_batch(package: DataPackage) -> float:
    """Return the batch that the article names."""
    return float(package.row("claims", "palm-64-b256")["article_value"])


def _article_row(rows: pd.DataFrame, package: DataPackage) -> pd.Series[bool]:
    same = (rows["table"] == ARTICLE_TABLE) & (rows["model"] == PALM)
    return same & (rows["batch_size"] == _article_batch(package))


def _series(rows: pd.DataFrame) -> list[str]:
    short = {MEGATRON: "MT-NLG 530B", "nvidia-a100-sxm4-80gb": "A100", "google-tpu-v4": "TPU v4"}
    models = rows["model"].replace(short)
    chips = rows["chip"].map(short).fillna(rows["chip_name"])
    return [f"{model}, {n} {chip}" for model, n, chip in zip(models, rows["n_chip"], chips, strict=True)]


def pope_figure_9(package: DataPackage, *, reading_speed_word_per_min: float, token_per_word: float) -> pd.DataFrame:
    """Latency against utilization of whole requests, by system, for the two workloads that can be trusted.

    The utilization is recomputed from the time, since the paper prints whole percents.
    ``reading_latency_s`` is the time in which a reader reads the answer.
    """
    rows = _pope(package, ("D.2", "D.3"))
    rows = rows[rows["phase"] == "total"].reset_index(drop=True)
    rows["series"] = _series(rows)
    rows["workload"] = [f"{row.input_token} tokens in, {row.output_token} out" for row in rows.itertuples()]
    rows["is_article"] = _article_row(rows, package)
    rows["answer_token_per_s"] = server_batching.throughput_token_per_s(
        rows["time_s"].to_numpy(), batch_size=rows["output_token"].to_numpy()
    )
    reading = common.reading_token_per_s(reading_speed_word_per_min, token_per_word)
    rows["reading_latency_s"] = rows["output_token"] * float(memory_wall.time_per_token_s(reading))
    columns = [
        "workload", "series", "batch_size", "time_s", "computed_mfu_share", "mfu_share", "answer_token_per_s",
        "is_pareto_all", "is_article", "reading_latency_s", "n_chip", "partitioning", "row_id", "source_id",
        "second_source_id", "chip_source_id",
    ]  # fmt: skip
    return rows[columns].rename(columns={"mfu_share": "printed_mfu_share", "is_pareto_all": "is_frontier"})


def prefill_and_decode(package: DataPackage) -> pd.DataFrame:
    """Time of the prompt and of the answer at each batch, and their shares of the whole request."""
    parts = pd.concat([_palm(package, "prefill"), _palm(package, "generate")], ignore_index=True)
    whole = _palm(package, "total").set_index("batch_size")["time_s"].rename("total_s")
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
    rows = _palm(package, "generate")
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
    rows = pd.concat([_palm(package, "generate"), _palm(package, "prefill")], ignore_index=True)
    rows["pass_token"] = rows["batch_size"] * rows["input_token"].where(rows["phase"] == "prefill", 1)
    rows["chip_time_per_token_s"] = server_batching.chip_time_per_token_s(
        rows["time_s"].to_numpy(), batch_size=rows["processed_token"].to_numpy(), n_chip=rows["n_chip"].to_numpy()
    )
    rows["series"] = rows["phase"].map({"generate": "Writing the answer", "prefill": "Reading the prompt"})
    rows["is_article"] = _article_row(rows, package) & (rows["phase"] == "generate")
    columns = ["series", "batch_size", "pass_token", "chip_time_per_token_s", "computed_mfu_share", "is_article"]
    measured = rows[[*columns, "source_id", "chip_source_id"]]
    return pd.concat([measured, _ideal_chip_times(package, rows)], ignore_index=True)


def _hardware(package: DataPackage, row: Mapping[Any, Any]) -> tuple[float, float, float, float]:
    """Return parameters, bytes a parameter, peak and bandwidth of one chip of a measured row."""
    names = ("model_param", "peak_bf16_dense_flop_per_s", "memory_bandwidth_byte_per_s")
    model, peak, bandwidth = (float(row[name]) for name in names)
    return model, common.byte_per_param(package, str(row["weight_format"])), peak, bandwidth


def _ideal_chip_times(package: DataPackage, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the limit on either side of the ridge and at it: three points of a broken line."""
    first = rows.to_dict("records")[0]
    model, byte, peak, bandwidth = _hardware(package, first)
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
    rows = _pope(package)
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
    model, byte, peak, bandwidth = _hardware(package, first)
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


def memory_costs(package: DataPackage, *, price_ratio: float, context_token: int, reference_model: str) -> pd.DataFrame:
    """Memory cost of a user on a server over that on a client, against the users who share the weights.

    One line with the weights alone, and one for each model with the cache of its context, which nobody shares.
    """
    names = dict.fromkeys((reference_model, *COMPARED_MODELS))
    contexts = sorted({context_token, *CONTEXTS})
    lines = pd.DataFrame([_memory(package, name, context) for context in contexts for name in names])
    alone = lines[lines["model_id"] == reference_model].assign(model=ALONE, model_id="", cache_byte=0.0)
    users = pd.DataFrame({"batch_size": np.ldexp(1.0, np.arange(int(elementary.log2(MANY_USERS)) + 1))})
    table = pd.concat([alone, lines], ignore_index=True).merge(users, how="cross")
    table["cache_to_weight_ratio"] = table["cache_byte"] / table["weight_byte"]
    table["cost_ratio"] = server_batching.memory_cost_ratio(
        price_ratio,
        batch_size=table["batch_size"].to_numpy(),
        kv_to_weight_ratio=table["cache_to_weight_ratio"].to_numpy(),
    )
    table["is_shown"] = table["context_token"] == context_token
    table["is_claimed"] = (table["model"] == ALONE) & (table["batch_size"] == _article_batch(package))
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


# ------------------------------------------------------------------------------------------ values


def values(
    package: DataPackage,
    *,
    reading_speed_word_per_min: float,
    token_per_word: float,
    context_token: int,
    reference_model: str,
) -> list[Value]:
    """Compute every number and choose every phrase of the chapter."""
    speed = common.reading_token_per_s(reading_speed_word_per_min, token_per_word)
    return [
        *_request_values(package, speed),
        *_step_values(package),
        *_chip_time_values(package),
        *_prefill_values(package),
        *_holding_values(package),
        *_doubling_values(package),
        *_balance_values(package),
        *_cost_values(package, context_token, reference_model),
        *_share_values(package),
        *_price_values(package),
    ]


def texts(published: Iterable[Value]) -> dict[str, str]:
    """Map the numbers to how they read, by id without the chapter's name: what titles and captions are made of."""
    return {value.id.removeprefix("server-batching-"): str(value.as_dict()["text"]) for value in published}


Entry = tuple[str, Any, str, str, str]
"""A number before it is published: name, number, unit, definition, formula."""


def _published(entries: Iterable[Entry], sources: Iterable[str]) -> list[Value]:
    cited = [source for source in sources if source]
    return [
        Value(f"server-batching-{name}", float(number), unit, _text(float(number), unit), meaning, formula,
              sources=cited)
        for name, number, unit, meaning, formula in entries
    ]  # fmt: skip


def _text(number: float, unit: str) -> str:
    """Say counts in full, seconds as seconds, ratios with two digits, and nothing with idle zeros."""
    if unit == "count":
        return f"{number:,.0f}"
    if unit == "s" and number >= 1:
        return f"{_short(number, 4 if number < LONG_S else 3)} s"
    if unit == "ratio":
        return f"{_short(number, 2)}×"
    return f"{_short(number / PERCENT, 3)} %" if unit == "share" else ""


def _short(number: float, digits: int) -> str:
    text = words.number(number, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


LONG_S = 10
PERCENT = units.unit("percent").factor


def numbers(published: Iterable[Value]) -> dict[str, float]:
    """Map the numbers to their values in base units, by id without the chapter's name."""
    return {value.id.removeprefix("server-batching-"): value.number for value in published if value.number is not None}


def _phrase(name: str, text: str, definition: str) -> Value:
    return Value(f"server-batching-{name}", text=text, definition=definition)


def _keyed(table: pd.DataFrame, key: str) -> dict[Any, dict[str, Any]]:
    """Look rows up by one of their columns."""
    return {row[key]: {str(name): value for name, value in row.items()} for row in table.to_dict("records")}


def _claim(package: DataPackage, claim_id: str) -> float:
    return float(package.row("claims", claim_id)["article_value"])


def _request_values(package: DataPackage, speed_token_per_s: float) -> list[Value]:
    totals, prompts, answers = (_keyed(_palm(package, name), "batch_size") for name in ("total", "prefill", "generate"))
    batch, last = _article_batch(package), max(totals)
    whole, prompt, answer = totals[batch], prompts[batch], answers[batch]
    token = whole["output_token"]
    rates = {size: float(memory_wall.time_per_token_s(row["time_s"] / token)) for size, row in totals.items()}
    fast = [size for size, rate in rates.items() if rate >= speed_token_per_s]
    entries: list[Entry] = [
        ("article-batch", batch, "count", "Users served together at the article's point.", ""),
        ("article-chips", whole["n_chip"], "count", "TPU v4 chips at the article's point.", ""),
        ("prompt-tokens", whole["input_token"], "count", "Tokens of the prompt in the article's chart.", ""),
        ("answer-tokens", token, "count", "Tokens of the answer in the article's chart.", ""),
        ("article-latency", whole["time_s"], "s", "Measured time of the whole request at the article's point.", ""),
        ("prefill-time", prompt["time_s"], "s", "Of it, time to read the prompt.", ""),
        ("decode-time", answer["time_s"], "s", "Of it, time to write the answer.", ""),
        ("prefill-share", prompt["time_s"] / whole["time_s"], "share", "Share of the request spent on the prompt.", ""),
        ("article-rate", rates[batch], "token_per_s", "The article's point, prompt included.", "tokens / time"),
        ("decode-rate", token / answer["time_s"], "token_per_s", "Speed of the answer alone.", "tokens / time"),
        ("claimed-rate", _claim(package, "palm-6-67"), "token_per_s", "Speed that the article names.", ""),
        ("claimed-mfu", _claim(package, "only-40-percent") * PERCENT, "share", "As the article names it.", ""),
        ("total-mfu", whole["computed_mfu_share"], "share", "Utilization over the whole request.", MFU),
        ("prefill-mfu", prompt["computed_mfu_share"], "share", "Utilization while reading the prompt.", MFU),
        ("decode-mfu", answer["computed_mfu_share"], "share", "Utilization while writing the answer.", MFU),
        ("reading-rate", speed_token_per_s, "token_per_s", "Speed that keeps up with the reader.", ""),
        ("fast-batch", max(fast, default=0), "count", "Largest batch that keeps up with the reader.", ""),
        ("fast-rate", rates[max(fast, default=batch)], "token_per_s", "Speed at that batch, prompt included.", ""),
        ("last-batch", last, "count", "Largest batch measured.", ""),
        ("last-latency", totals[last]["time_s"], "s", "Time of a whole request at the largest batch.", ""),
        ("last-latency-ratio", totals[last]["time_s"] / whole["time_s"], "ratio", "The same over the article's.", ""),
        ("last-mfu", totals[last]["computed_mfu_share"], "share", "Utilization at the largest batch.", MFU),
    ]  # fmt: skip
    verb = "keeps up with" if rates[batch] >= speed_token_per_s else "falls short of"
    chosen = _phrase("keeps-up", verb, "Whether the article's point reaches the reading speed.")
    return [*_published(entries, [whole["source_id"]]), chosen]


MFU = "2 · tokens · P / (n · F · t)"


def _step_values(package: DataPackage) -> list[Value]:
    batch = _article_batch(package)
    at = _keyed(decode_steps(package), "batch_size")[batch]
    model, byte, peak, bandwidth = _hardware(package, _keyed(_palm(package, "generate"), "batch_size")[batch])
    ridge = float(server_batching.ridge_batch_size(peak, bandwidth, byte_per_param=byte))
    weight_share = at["weight_time_s"] / at["step_time_s"]
    entries: list[Entry] = [
        ("step-time", at["step_time_s"], "s", "Measured time of a decode step at the article's point.", ""),
        ("weight-time", at["weight_time_s"], "s", "Least time to read the weights once.", "P · b / (n · BW)"),
        ("compute-time", at["compute_time_s"], "s", "Least time of the matrix products.", "2 · B · P / (n · F)"),
        ("rest-time", at["rest_s"], "s", "What the two leave over if they take turns.", "t − weights − products"),
        ("rest-overlapped-time", at["rest_overlapped_s"], "s", "The same if one hides behind the other.", "t − max(weights, products)"),
        ("kv-time", at["kv_time_s"], "s", "Least time to read the KV cache.", "B · T · KV / (n · BW)"),
        ("weight-share", weight_share, "share", "Share of the step that reading the weights takes.", "weights / t"),
        ("rest-share", at["rest_s"] / at["step_time_s"], "share", "Share of the step left over if they take turns.", "rest / t"),
        ("rest-overlapped-share", at["rest_overlapped_s"] / at["step_time_s"], "share", "The same if one hides behind the other.",
         "rest / t"),
        ("ridge", ridge, "count", "Batch at which the products take as long as the weights.", "F · b / (2 · BW)"),
        ("model-size", model, "param", "Parameters of PaLM 540B.", ""),
        ("chip-bandwidth", bandwidth, "byte_per_s", "Memory bandwidth of a TPU v4.", ""),
        ("chip-peak", peak, "flop_per_s", "Dense 16-bit peak of a TPU v4.", ""),
        ("weight-size", memory_wall.weight_byte(model, byte), "byte", "Weights of PaLM 540B at 16 bit.", "P · b"),
    ]  # fmt: skip
    past = batch > ridge
    limit = "no longer sets the pace" if past and weight_share < HALF else "still sets the pace"
    return [
        *_published(entries, [at["source_id"], at["chip_source_id"]]),
        _phrase("param-byte", words.number(byte, 1), "Bytes a client reads per parameter and token."),
        _phrase("shared-byte", words.number(byte / batch, 2), "The same on the server at the article's batch."),
        _phrase("wall", limit, "Whether reading the weights limits the step at the article's point."),
        _phrase("ridge-side", "past" if past else "short of", "On which side of the ridge the article's batch lies."),
    ]


HALF = 0.5


def _chip_time_values(package: DataPackage) -> list[Value]:
    steps = _keyed(decode_steps(package), "batch_size")
    at, least = steps[_article_batch(package)], steps[min(steps)]
    model, _, peak, _ = _hardware(package, _palm(package, "generate").to_dict("records")[0])
    floor = server_batching.compute_time_s(1, model_param=model, peak_flop_per_s=peak)
    saving = least["chip_time_per_token_s"] / at["chip_time_per_token_s"]
    entries: list[Entry] = [
        ("chip-time", at["chip_time_per_token_s"], "s", "Chip time a token costs at the article's point.", "n · t / B"),
        ("floor-chip-time", floor, "s", "The least chip time of a token, at full utilization.", "2 · P / F"),
        ("least-batch", least["batch_size"], "count", "Smallest batch measured.", ""),
        ("least-chip-time", least["chip_time_per_token_s"], "s", "Chip time of a token at that batch.", "n · t / B"),
        ("least-mfu", least["decode_mfu_share"], "share", "Utilization of decoding at that batch.", MFU),
        ("saving", saving, "ratio", "Chip time at the smallest batch over the article's.", ""),
        ("batch-growth", at["batch_size"] / least["batch_size"], "count", "The article's batch over the smallest.", ""),
        ("step-growth", at["step_time_s"] / least["step_time_s"], "ratio", "The article's step over that one.", ""),
    ]  # fmt: skip
    return _published(entries, [at["source_id"], at["chip_source_id"]])


def _prefill_values(package: DataPackage) -> list[Value]:
    rows = _keyed(_pope(package, ("2",)), "row_id")
    prompt, answer = (rows[f"t2-high-throughput-palm-540b-{phase}-b512"] for phase in ("prefill", "generate"))
    quick = rows["t2-low-latency-palm-540b-generate-b64"]
    model, byte, _, bandwidth = _hardware(package, prompt)
    reading = server_batching.memory_time_s(
        memory_wall.weight_byte(model, byte), bandwidth, n_chip=[prompt["n_chip"], 1]
    )
    spread, gathered = np.asarray(reading) / prompt["time_s"]
    entries: list[Entry] = [
        ("big-prefill-time", prompt["time_s"], "s", "Time of the prefill that the article quotes.", ""),
        ("big-prefill-mfu", prompt["computed_mfu_share"], "share", "Its utilization.", MFU),
        ("big-prefill-batch", prompt["batch_size"], "count", "Its batch.", ""),
        ("big-prefill-tokens", prompt["input_token"], "count", "Its prompt in tokens.", ""),
        ("big-prefill-read", spread, "share", "Share of it to read the weights, each chip its part.", ""),
        ("big-prefill-gathered", gathered, "share", "The same if every chip reads all.", ""),
        ("big-decode-time", answer["time_s"], "s", "Time of the decode that goes with it.", ""),
        ("big-decode-mfu", answer["computed_mfu_share"], "share", "Its utilization.", MFU),
        ("quick-step-time", quick["time_s"] / quick["output_token"], "s", "Step in the low-latency setting.", ""),
        ("quick-batch", quick["batch_size"], "count", "Its batch.", ""),
    ]  # fmt: skip
    return _published(entries, [prompt["source_id"]])


def _holding_values(package: DataPackage) -> list[Value]:
    row = _palm(package, "generate").to_dict("records")[0]
    model, byte, _, bandwidth = _hardware(package, row)
    weight = float(memory_wall.weight_byte(model, byte))
    old, new = (_holding_chips(package, name, weight) for name in (row["chip"], NEWEST_TPU))
    one, few = np.asarray(server_batching.memory_time_s(weight, bandwidth, n_chip=[1, old]))
    entries: list[Entry] = [
        ("holding-chips", old, "count", "Fewest TPU v4 that hold the weights.", "P · b / capacity"),
        ("newest-holding-chips", new, "count", "Fewest TPU v7 that hold the weights.", "P · b / capacity"),
        ("one-chip-time", one, "s", "Time one TPU v4 would take to read the weights.", "P · b / BW"),
        ("holding-time", few, "s", "The same on the fewest chips that hold them.", "P · b / (n · BW)"),
    ]
    chips = [package.row("accelerators", name)["source_id"] for name in (row["chip"], NEWEST_TPU)]
    return _published(entries, [row["source_id"], *chips])


NEWEST_TPU = "google-tpu-v7"


def _holding_chips(package: DataPackage, accelerator_id: str, weight_byte: float) -> int:
    capacity = package.row("accelerators", accelerator_id)["memory_capacity_byte"]
    return int(np.ceil(dram_capacity.device_count(weight_byte, capacity)))


def _doubling_values(package: DataPackage) -> list[Value]:
    latencies = latency_by_chips(package)
    batch = latencies["batch_size"].max()
    same = _keyed(latencies[(latencies["kind"] == "measured") & (latencies["batch_size"] == batch)], "partitioning")
    few, many = same["tp16"], same["tp32"]
    entries: list[Entry] = [
        ("shared-batch", batch, "count", "Largest batch that every system completed.", ""),
        ("few-chips", few["n_chip"], "count", "The smaller system of A100.", ""),
        ("many-chips", many["n_chip"], "count", "The larger system of A100.", ""),
        ("few-time", few["time_s"], "s", "Latency of a request on the smaller system.", ""),
        ("many-time", many["time_s"], "s", "Latency of a request on the larger system.", ""),
        ("speedup", few["time_s"] / many["time_s"], "ratio", "How much sooner the larger system answers.", ""),
    ]
    return _published(entries, [few["source_id"]])


def _balance_values(package: DataPackage) -> list[Value]:
    table = balance(package)
    chips = _keyed(table[table["label"] != ""], "label")
    points = table[(table["kind"] == "trend") & (table["precision"] == common.PRECISIONS["tensor-fp16"])]
    points = points.assign(year=points["released_year"])
    pace = trends.fitted(package, points, "balance_flop_per_byte", period_year=2, points="chip")
    h100 = package.row("accelerators", "nvidia-h100-sxm5-80gb")
    peak, bandwidth = h100["peak_bf16_dense_flop_per_s"], h100["memory_bandwidth_byte_per_s"]
    ridge = server_batching.ridge_batch_size(peak, bandwidth, byte_per_param=common.byte_per_param(package, "int8"))
    number = {name: row["balance_flop_per_byte"] for name, row in chips.items()}
    entries: list[Entry] = [
        ("balance-growth", number["B200"] / number["V100"], "ratio", "Balance of the B200 over that of the V100.", ""),
        ("h100-int8-ridge", ridge, "count", "Ridge batch of an H100 with int8 weights.", RIDGE),
    ]
    entries += [
        (f"balance-{name.lower().replace(' ', '-')}", value, "flop_per_byte", f"Peak over bandwidth, {name}.", "F / BW")
        for name, value in number.items()
    ]
    about = "Growth of the balance in two years, fitted to chips with matrix units, at 16 bits on them"
    return [
        *_published(entries, [*pace.sources, *(row["source_id"] for row in chips.values())]),
        trends.value("server-batching-balance-pace", pace, about),
        _phrase("balance-window", pace.window, "What that growth was fitted to."),
    ]


RIDGE = "F · b / (2 · BW)"


def _cost_values(package: DataPackage, context_token: int, reference_model: str) -> list[Value]:
    price, batch = _claim(package, "ddr-4x-cheaper"), _article_batch(package)
    costs = memory_costs(package, price_ratio=price, context_token=context_token, reference_model=reference_model)
    lines = _keyed(costs[costs["is_shown"] & (costs["batch_size"] == batch)], "model")
    model = common.model(package, reference_model)
    alone, cached = lines[ALONE], lines[model["name"]]
    first = common.kv_byte_per_token(model, common.byte_per_param(package, "fp16"))
    equal = dram_capacity.largest_context_token(cached["weight_byte"] / batch, kv_cache_byte_per_token=first)
    limit = server_batching.memory_cost_ratio(
        price, batch_size=np.inf, kv_to_weight_ratio=cached["cache_to_weight_ratio"]
    )
    entries: list[Entry] = [
        ("context", context_token, "count", "Tokens of context of each user.", ""),
        ("claimed-price-ratio", price, "ratio", "Price of HBM over DDR per byte that the article names.", ""),
        ("break-even", _break_even(price), "count", "Fewest users whose shared memory is cheaper.", "B > ρ"),
        ("shared-cost", alone["cost_ratio"], "ratio", "Memory cost per user, weights alone.", "ρ / B"),
        ("shared-advantage", 1 / alone["cost_ratio"], "ratio", "How many times less the server's user pays.", "B / ρ"),
        ("cached-cost", cached["cost_ratio"], "ratio", "Memory cost per user, with the cache.", COST),
        ("cached-advantage", 1 / cached["cost_ratio"], "ratio", "How many times less, with the cache.", ""),
        ("cost-limit", limit, "ratio", "What the cost with the cache tends to for many users.", "ρ · κ / (1 + κ)"),
        ("cache-size", cached["cache_byte"], "byte", "KV cache of one user.", "T · KV"),
        ("cache-ratio", cached["cache_to_weight_ratio"], "share", "The cache of one user over the weights.", "κ"),
        ("equal-context", equal, "token", "Context whose cache equals a user's weights.", "P · b / (B · KV)"),
    ]  # fmt: skip
    named = _phrase("reference-model", model["name"], "The reference model of this edition.")
    return [*_published(entries, [cached["source_id"]]), named]


def _break_even(price_ratio: float) -> int:
    """Count the users whose shared weights cost each of them less than a client's own."""
    return int(np.floor(price_ratio)) + 1


COST = "ρ · (1 / B + κ) / (1 + κ)"


def _share_values(package: DataPackage) -> list[Value]:
    shares = hbm_shares(package)
    half = _claim(package, "hbm-half-of-cost") * PERCENT
    near = (shares["middle_share"] - half).abs() <= NEARLY
    fleet = ranking.by(shares[shares["basis"] == "component cost"], "date", "chip").to_dict("records")
    h100 = shares[shares["chip"] == "H100"]
    old, new = (package.row("memory_prices", f"{name}-rack-memory-share") for name in ("gb300", "vr200"))
    rack = package.row("servers", "vr200-nvl72-2026")
    new_share = server_batching.memory_cost_share(new["price_usd"], rack["price_usd"])
    entries: list[Entry] = [
        ("claimed-half", half, "share", "Share of HBM in the cost of a chip that the article names.", ""),
        ("least-hbm-share", shares["low_share"].min(), "share", "Lowest estimate of HBM in the cost of a chip.", ""),
        ("most-hbm-share", shares["high_share"].max(), "share", "Highest estimate of HBM in the cost of a chip.", ""),
        ("h100-least-share", h100["low_share"].min(), "share", "Lowest estimate for the H100.", ""),
        ("h100-most-share", h100["high_share"].max(), "share", "Highest estimate for the H100.", ""),
        ("fleet-first-share", fleet[0]["low_share"], "share", "HBM in the component cost of AI chips, first date.", ""),
        ("fleet-last-share", fleet[-1]["low_share"], "share", "HBM in the component cost of AI chips, last date.", ""),
        ("gb300-rack-share", old["share"], "share", "Memory in the price of a GB300 rack.", ""),
        ("vr200-rack-share", new_share, "share", "Memory in the price of a VR200 rack.", "memory / rack"),
    ]  # fmt: skip
    origins = shares["source_id"].map(package.origins).value_counts()
    phrases = [
        _phrase("near-half", f"{near.sum()} of {len(shares)}", "Estimates within ten points of the article's half."),
        _phrase("hbm-basis", trends.basis(package, list(shares["source_id"])), "Independent sources of these estimates."),
        _phrase("hbm-one-model", f"{words.spelled(int(origins.iloc[0]))} of the {words.spelled(len(shares))} estimates",
                f"Estimates of one publisher's model, {origins.index[0]}."),
        _phrase("hbm-one-publisher", str(origins.index[0]), "The publisher of most of these estimates."),
        _phrase("hbm-span", _range(shares["low_share"].min() / PERCENT, shares["high_share"].max() / PERCENT) + " %",
                "From the lowest to the highest of these estimates."),
    ]  # fmt: skip
    return [*_published(entries, {*shares["source_id"], old["source_id"], new["source_id"]}), *phrases]


def _range(low: float, high: float, digits: int = 2) -> str:
    """``35 to 63``: two ends at the digits that they are known to."""
    return f"{_short(low, digits)} to {_short(high, digits)}"


NEARLY = 0.1


def _price_values(package: DataPackage) -> list[Value]:
    ratios = price_ratios(package)
    stated, pairs, forecasts = (ratios[ratios["kind"] == kind] for kind in ("stated", "from two prices", "forecast"))
    server = package.row("servers", "dgx-h100-2023-analyst")
    entries: list[Entry] = [
        ("first-price-ratio", stated["price_ratio"].iloc[0], "ratio", "Oldest ratio that an analyst states.", ""),
        ("last-price-ratio", pairs["price_ratio"].iloc[-1], "ratio", "Newest ratio from two prices.", "HBM4 / DDR5"),
        ("forecast-price-ratio", forecasts["price_ratio"].iloc[-1], "ratio", "Forecast for the end of 2026.", ""),
        ("server-2023-price", server["price_usd"], "usd", "Price of a DGX H100 in the month of the article.", ""),
    ]
    entries.append(
        (
            "last-break-even",
            _break_even(pairs["price_ratio"].iloc[-1]),
            "count",
            "Fewest users at the newest ratio.",
            "B > ρ",
        )
    )
    ends = [words.number(ratio, 1) for ratio in (stated["price_ratio"].min(), stated["price_ratio"].max())]
    asked = price_ratio_sources(ratios)
    phrases = [
        _phrase("stated-ratios", f"{ends[0]} to {ends[1]}", "Range of the ratios that analysts state."),
        _phrase("stated-by", words.listing(package.independent(stated["source_id"])), "Who states these ratios."),
        _phrase(
            "stated-years",
            f"{int(stated['at_year'].min())} and {int(stated['at_year'].max())}",
            "When they were stated.",
        ),
        _phrase("price-pairs", f"{words.spelled(len(pairs))} pairs of prices", "Prices of HBM and DDR close in time."),
        _phrase(
            "pair-ratios",
            _range(pairs["price_ratio"].min(), pairs["price_ratio"].max()) + "×",
            "Range of their ratios.",
        ),
        _phrase("price-ratio-basis", trends.basis(package, asked), "Independent sources of the ratios and the pairs."),
    ]
    return [*_published(entries, {*ratios["source_id"], server["source_id"]}), *phrases]


def price_ratio_sources(ratios: pd.DataFrame) -> list[str]:
    """List the sources of what was found on the ratio, the article's own statement left out."""
    return source_ids(ratios.loc[ratios["kind"] != "article", ["source_id", "reference_source_id"]])
