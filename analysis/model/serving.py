"""The serving model: a step at any batch on any number of chips, and the measurements it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.equations import elementary, kv_cache, server_batching
from analysis.model import expected, measured, shapes
from analysis.tables import DataPackage

Values = npt.NDArray[np.float64]

SOURCE = "llm-inference-bench-all-results"
"""The one public table that varies batch, context and chips for many models on several chips."""
CHIPS = {"Nvidia A100 GPU": "nvidia-a100-sxm4-40gb", "Nvidia H100 GPU": "nvidia-h100-sxm5-80gb"}
"""Chips of that table → accelerators; the A100 is the one with 40 GB, since larger batches run out of memory there."""
ENGINES = ("vLLM", "TensorRT-LLM")
USED_MEMORY_SHARE = 0.9
"""Share of the memory that an engine fills with weights and cache."""
FP16_BYTE = 2.0
WEIGHT_BYTE = {"int8": 1.0, "bf16": 2.0, "fp16": 2.0}
POPE_MODELS = {"PaLM 540B": "palm-540b", "PaLM 62B": "palm-62b", "Megatron-Turing NLG 530B": "mt-nlg-530b"}


def serving_measurements(package: DataPackage) -> pd.DataFrame:
    """Return the times of whole requests, one row per run, with what the model needs.

    ``is_held`` where weights and cache fit; ``is_fitted`` where that holds and the model is dense.
    """
    rows = package.table("measurements_batching")
    rows = rows[(rows["source_id"] == SOURCE) & (rows["quality"] != "c")]
    rows = rows[rows["chip"].isin(CHIPS) & rows["framework"].isin(ENGINES)]
    facts = package.table("measured_models").set_index("model")
    rows = rows[rows["model"].isin(facts.index)].join(
        facts[["model_id", "n_layer", "n_kv_head", "head_dim", "embedding_param"]], on="model"
    )
    rows["accelerator_id"] = rows["chip"].map(CHIPS)
    rows = _with_chips(rows, package, "accelerator_id")
    rows["kv_byte_per_token"] = _cache_per_token(rows)
    longest = rows["kv_byte_per_token"] * rows["batch_size"] * (rows["input_token"] + rows["output_token"])
    whole = rows["total_param"] * FP16_BYTE
    rows["is_held"] = whole + longest <= USED_MEMORY_SHARE * rows["n_chip"] * rows["memory_capacity_byte"]
    rows = _with_experts(rows, package, whole)
    rows["is_fitted"] = rows["is_held"] & ~rows["is_expert"]
    rows["series"] = rows["chip"] + " + " + rows["model"]
    rows["request_s"] = rows["request_time_s"] if "request_time_s" in rows else rows["request_s"]
    return rows.reset_index(drop=True)


ENERGY_MODELS = {
    "Qwen/Qwen3-8B": "qwen3-8b", "Qwen/Qwen3-14B": "qwen3-14b", "Qwen/Qwen3-32B": "qwen3-32b", "google/gemma-3-12b-it": "gemma-3-12b",
    "google/gemma-3-27b-it": "gemma-3-27b", "meta-llama/Llama-3.1-8B-Instruct": "llama-3.1-8b",
    "meta-llama/Llama-3.3-70B-Instruct": "llama-3.3-70b", "meta-llama/Llama-3.1-405B-Instruct": "llama-3.1-405b",
    "meta-llama/Llama-3.1-405B-Instruct-FP8": "llama-3.1-405b",
}  # fmt: skip
"""Dense models of the energy benchmark whose shape is filed."""
ENERGY_CHIPS = {"H100": "nvidia-h100-sxm5-80gb", "B200": "nvidia-b200"}
ENERGY_BYTE = {"bf16": 2.0, "fp8": 1.0}
STEADY = "running-average"


def step_measurements(package: DataPackage) -> pd.DataFrame:
    """Return steps of servers of 2026 that write text for many users at once: dense models, the time of a step from rate and batch.

    Prompts are short and their length is not stated: the mean context is half of the answer.  ``is_long`` marks answers of
    thousands of tokens on the B200, whose steps take up to four times what reading them takes: shown, and not fitted.
    """
    rows = package.table("measurements_batching")
    rows = rows[(rows["batch_kind"] == STEADY) & rows["model"].isin(ENERGY_MODELS) & rows["chip"].isin(ENERGY_CHIPS)]
    rows = rows[(rows["quality"] != "c") & (rows["batch_size"] > 1)].reset_index(drop=True)
    rows["model_id"] = rows["model"].map(ENERGY_MODELS)
    models, names = package.table("models").set_index("model_id"), ["total_param", *shapes.COLUMNS]
    rows = rows.drop(columns=[name for name in names if name in rows]).join(models[names].astype(float), on="model_id")
    rows = _with_chips(rows.assign(accelerator_id=rows["chip"].map(ENERGY_CHIPS)), package, "accelerator_id")
    rows["model_param"], rows["weight_byte"] = (
        rows["total_param"],
        rows["total_param"] * rows["weight_format"].map(ENERGY_BYTE),
    )
    rows["peak_bf16_dense_flop_per_s"] *= 2 / rows["weight_format"].map(ENERGY_BYTE)
    rows["input_token"] = 0.0
    mean = (rows["output_token"] / 2).to_numpy(dtype=float)
    rows["kv_byte_per_token"] = shapes.cache({name: rows[name] for name in shapes.COLUMNS}, FP16_BYTE).at(mean) / mean
    rows["time_s"] = rows["batch_size"] / rows["token_per_s"]
    rows["series"] = rows["chip"] + " + " + rows["model"]
    rows["is_long"] = (rows["chip"] == "B200") & (rows["output_token"] > LONG_TOKEN)
    return rows


LONG_TOKEN = 4000


def predicted_step_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> Values:
    """Return the time of a step of a server of 2026 under vLLM."""
    hops = parameters["serving-hop"] * elementary.log2(rows["n_chip"].to_numpy(dtype=float))
    return step_s(
        rows, layer_s=np.asarray(parameters["serving-launch-vllm-new"] + hops),
        request_s=np.full(len(rows), parameters["serving-sequence-vllm-new"]),
        bandwidth_share=parameters["serving-bandwidth-share"], compute_share=parameters["serving-compute-share-new"],
    )  # fmt: skip


def _with_experts(rows: pd.DataFrame, package: DataPackage, whole_byte: pd.Series[float]) -> pd.DataFrame:
    """Add the parameters a token uses and the bytes a step reads: of a mixture of experts what is shared and what the batch calls."""
    weights = measured.weights(rows, package)
    rows["is_expert"] = weights.expert_param > 0
    active = package.table("models").set_index("model_id")["active_param"].astype(float).reindex(rows["model_id"])
    rows["model_param"] = np.where(rows["is_expert"], active, rows["total_param"])
    read = expected.read_byte(
        weights, whole_byte.to_numpy(dtype=float), batch_size=rows["batch_size"].to_numpy(dtype=float)
    )
    rows["weight_byte"] = np.where(rows["is_expert"], read, whole_byte)
    return rows


def _with_chips(rows: pd.DataFrame, package: DataPackage, key: str) -> pd.DataFrame:
    chips = package.table("accelerators").set_index("accelerator_id")
    chips["memory_capacity_byte"] = chips["memory_capacity_byte"].astype(float)
    return rows.join(
        chips[["memory_bandwidth_byte_per_s", "memory_capacity_byte", "peak_bf16_dense_flop_per_s"]], on=key
    )


def _cache_per_token(rows: pd.DataFrame) -> Values:
    shape = {name: rows[name].to_numpy(dtype=float) for name in ("n_layer", "n_kv_head", "head_dim")}
    return np.asarray(kv_cache.kv_cache_byte_per_token(**shape, kv_element_byte=FP16_BYTE))


def step_s(
    rows: pd.DataFrame, *, layer_s: Values, request_s: Values, bandwidth_share: float, compute_share: float
) -> Values:
    """Return the time of a decode step: weights, cache and products one after the other, a time per layer and one per sequence."""
    number = {
        name: rows[name].to_numpy(dtype=float)
        for name in ("batch_size", "n_chip", "n_layer", "weight_byte", "model_param")
    }
    chips: dict[str, Any] = {"n_chip": number["n_chip"], "mbu_share": bandwidth_share}
    bandwidth = rows["memory_bandwidth_byte_per_s"].to_numpy(dtype=float)
    context = (rows["input_token"] + rows["output_token"] / 2).to_numpy(dtype=float)
    cache = kv_cache.kv_cache_byte(
        rows["kv_byte_per_token"].to_numpy(dtype=float), context, batch_size=number["batch_size"]
    )
    products = server_batching.compute_time_s(
        number["batch_size"], model_param=number["model_param"], n_chip=number["n_chip"], mfu_share=compute_share,
        peak_flop_per_s=rows["peak_bf16_dense_flop_per_s"].to_numpy(dtype=float),
    )  # fmt: skip
    step = server_batching.serial_step_time_s(
        server_batching.memory_time_s(number["weight_byte"], bandwidth, **chips), products,
        kv_time_s=server_batching.memory_time_s(cache, bandwidth, **chips),
        overhead_s=number["n_layer"] * layer_s + number["batch_size"] * request_s,
    )  # fmt: skip
    return np.asarray(step)


def prefill_s(rows: pd.DataFrame, compute_share: float) -> Values:
    """Return the time of reading the prompts: their matrix products."""
    tokens = (rows["batch_size"] * rows["input_token"]).to_numpy(dtype=float)
    products = server_batching.compute_time_s(
        tokens, model_param=rows["model_param"].to_numpy(dtype=float), n_chip=rows["n_chip"].to_numpy(dtype=float),
        peak_flop_per_s=rows["peak_bf16_dense_flop_per_s"].to_numpy(dtype=float), mfu_share=compute_share,
    )  # fmt: skip
    return np.asarray(products)


def predicted_request_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> Values:
    """Return the time of whole requests on GPUs: prefill, and a step for every token of output."""
    vllm = (rows["framework"] == ENGINES[0]).to_numpy()
    launch = np.where(vllm, parameters["serving-launch-vllm"], parameters["serving-launch-tensorrt-llm"])
    request = np.where(vllm, parameters["serving-sequence-vllm"], parameters["serving-sequence-tensorrt-llm"])
    doublings = elementary.log2(rows["n_chip"].to_numpy(dtype=float))
    shares = {
        "bandwidth_share": parameters["serving-bandwidth-share"],
        "compute_share": parameters["serving-compute-share"],
    }
    step = step_s(rows, layer_s=launch + parameters["serving-hop"] * doublings, request_s=request, **shares)
    time = server_batching.request_time_s(
        rows["output_token"].to_numpy(dtype=float),
        prefill_time_s=prefill_s(rows, shares["compute_share"]),
        step_time_s=step,
    )
    return np.asarray(time)


def ideal_reading_s(rows: pd.DataFrame) -> Values:
    """Return the least time of reading the weights once for every token of output, at the full bandwidth."""
    reading = server_batching.memory_time_s(
        rows["weight_byte"].to_numpy(dtype=float),
        rows["memory_bandwidth_byte_per_s"].to_numpy(dtype=float),
        n_chip=rows["n_chip"].to_numpy(dtype=float),
    )
    return np.asarray(rows["output_token"].to_numpy(dtype=float) * reading)


# ------------------------------------------------------------------------------------------------ Pope


def pope_measurements(package: DataPackage) -> pd.DataFrame:
    """Return every usable time of Pope et al. on TPU v4, with what the model needs."""
    rows = package.table("pope_tables")
    rows = rows[rows["usable"].astype(bool) & (rows["chip"] == "google-tpu-v4")]
    rows = _with_chips(rows, package, "chip")
    rows["model_id"] = rows["model"].map(POPE_MODELS)
    filed = package.table("models").set_index("model_id")[["n_layer", "n_kv_head", "head_dim"]]
    rows = rows.drop(columns=[name for name in filed if name in rows]).join(filed, on="model_id")
    rows["weight_byte"] = rows["model_param"] * rows["weight_format"].map(WEIGHT_BYTE)
    rows["kv_byte_per_token"] = _cache_per_token(rows)
    return rows.reset_index(drop=True)


FASTERTRANSFORMER = "fastertransformer"
NODE_CHIP = 8
"""Chips that a node joins by NVLink; beyond them activations leave the node."""


def fastertransformer_measurements(package: DataPackage) -> pd.DataFrame:
    """Return every time that Pope et al. quote for FasterTransformer on A100, runs out of memory included (``time_s`` missing)."""
    rows = package.table("pope_tables")
    rows = _with_chips(rows[rows["system"] == FASTERTRANSFORMER], package, "chip")
    filed = package.table("models").set_index("model_id")[["n_layer", "n_kv_head", "head_dim", "model_dim"]]
    rows["model_id"] = rows["model"].map(POPE_MODELS)
    rows = rows.drop(columns=[name for name in filed if name in rows]).join(filed, on="model_id")
    rows["weight_byte"] = rows["model_param"] * rows["weight_format"].map(WEIGHT_BYTE)
    rows["kv_byte_per_token"] = _cache_per_token(rows)
    rows["part_token"] = float(package.row("facts", "fastertransformer-pipeline-tokens")["value"])
    longest = rows["kv_byte_per_token"] * rows["batch_size"] * (rows["input_token"] + rows["output_token"])
    rows["needed_byte"] = rows["weight_byte"] + longest
    rows["is_held"] = rows["needed_byte"] <= USED_MEMORY_SHARE * rows["n_chip"] * rows["memory_capacity_byte"]
    return rows.reset_index(drop=True)


def _part_size(batch_size: Values, token: Values, stages: Values, most_token: Values) -> Values:
    """Sequences that go through a pipeline together, by the rule of FasterTransformer: whole, or cut until the part is small enough."""
    part = np.where((batch_size % stages == 0) & (stages > 1), batch_size / stages, batch_size)
    while (large := (stages > 1) & (part * token > most_token) & (part % 2 == 0)).any():
        part = np.where(large, part / 2, part)
    return part


def _pass_s(rows: pd.DataFrame, parameters: Mapping[str, float], token: Values, context: Values) -> Values:
    """Time of one pass of a batch through all stages of FasterTransformer, ``token`` of each sequence at a time."""
    number = {name: rows[name].to_numpy(dtype=float) for name in PASS_COLUMNS}
    stages, chips, layers = number["n_stage"], number["n_sharing_chip"], number["n_layer"] / number["n_stage"]
    part = _part_size(number["batch_size"], token, stages, number["part_token"])
    hops = elementary.log2(chips / NODE_CHIP)
    products = server_batching.compute_time_s(
        part * token, model_param=number["model_param"] / stages, n_chip=chips,
        peak_flop_per_s=number["peak_bf16_dense_flop_per_s"], mfu_share=parameters["serving-compute-share"],
    )  # fmt: skip
    exchange = server_batching.exchange_time_s(
        part * token, n_layer=layers, model_dim=number["model_dim"], activation_element_byte=FP16_BYTE,
        link_byte_per_s=parameters["fastertransformer-link"], n_chip=chips,
    )  # fmt: skip
    read = (number["weight_byte"] + part * context * number["kv_byte_per_token"]) / stages
    reading = server_batching.memory_time_s(
        read, number["memory_bandwidth_byte_per_s"], n_chip=chips, mbu_share=parameters["serving-bandwidth-share"]
    )
    layer_s = parameters["fastertransformer-layer"] + parameters["fastertransformer-hop"] * hops
    stage = server_batching.serial_step_time_s(reading, products, overhead_s=exchange + layers * layer_s)
    return np.asarray(server_batching.pipelined_time_s(stage, n_stage=stages, n_microbatch=number["batch_size"] / part))


PASS_COLUMNS = (
    "n_stage", "n_sharing_chip", "n_layer", "batch_size", "part_token", "model_param", "model_dim", "weight_byte",
    "kv_byte_per_token", "peak_bf16_dense_flop_per_s", "memory_bandwidth_byte_per_s",
)  # fmt: skip


def predicted_fastertransformer_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> Values:
    """Return the time of whole requests under FasterTransformer: the prompt in one pass, and a pass for every token of output."""
    given, written = rows["input_token"].to_numpy(dtype=float), rows["output_token"].to_numpy(dtype=float)
    time = server_batching.request_time_s(
        written,
        prefill_time_s=_pass_s(rows, parameters, given, np.zeros(len(rows))),
        step_time_s=_pass_s(rows, parameters, np.ones(len(rows)), given + written / 2),
    )
    return np.asarray(time)


def predicted_pope_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> Values:
    """Return the time of each phase on TPU v4: the prompt in one pass, the answer token by token, or both."""
    layer = np.full(len(rows), parameters["tpu-layer"])
    shares = {"bandwidth_share": parameters["tpu-bandwidth-share"], "compute_share": parameters["tpu-compute-share"]}
    step = step_s(rows, layer_s=layer, request_s=np.zeros(len(rows)), **shares)
    prompt = prefill_s(rows, parameters["tpu-prefill-share"]) + rows["n_layer"].to_numpy(dtype=float) * layer
    reads, writes = (rows["phase"] != "generate").to_numpy(), (rows["phase"] != "prefill").to_numpy()
    return np.asarray(reads * prompt + writes * rows["output_token"].to_numpy(dtype=float) * step)
