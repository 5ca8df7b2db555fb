"""The serving model: a step at any batch on any number of chips, and the measurements it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.equations import kv_cache, server_batching
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
    """Return the times of whole requests, one row per run, with what the model needs; ``fits`` where weights and cache fit."""
    rows = package.table("measurements_batching")
    rows = rows[(rows["source_id"] == SOURCE) & (rows["quality"] != "c")]
    rows = rows[rows["chip"].isin(CHIPS) & rows["framework"].isin(ENGINES)]
    facts = package.table("measured_models").set_index("model")[["n_layer", "n_kv_head", "head_dim"]]
    rows = rows[rows["model"].isin(facts.index)].join(facts, on="model")
    rows["accelerator_id"] = rows["chip"].map(CHIPS)
    rows = _with_chips(rows, package, "accelerator_id")
    rows["model_param"], rows["weight_byte"] = rows["total_param"], rows["total_param"] * FP16_BYTE
    rows["kv_byte_per_token"] = _cache_per_token(rows)
    longest = rows["kv_byte_per_token"] * rows["batch_size"] * (rows["input_token"] + rows["output_token"])
    rows["fits"] = rows["weight_byte"] + longest <= USED_MEMORY_SHARE * rows["n_chip"] * rows["memory_capacity_byte"]
    rows["series"] = rows["chip"] + " + " + rows["model"]
    rows["request_s"] = rows["request_time_s"] if "request_time_s" in rows else rows["request_s"]
    return rows.reset_index(drop=True)


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
    doublings = np.log2(rows["n_chip"].to_numpy(dtype=float))
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


# ------------------------------------------------------------------------------------------------ Pope


def pope_measurements(package: DataPackage) -> pd.DataFrame:
    """Return every usable time of Pope et al. on TPU v4, with what the model needs."""
    rows = package.table("pope_tables")
    rows = rows[rows["usable"].astype(bool) & (rows["chip"] == "google-tpu-v4")]
    rows = _with_chips(rows, package, "chip")
    rows["model_id"] = rows["model"].map(POPE_MODELS)
    shapes = package.table("models").set_index("model_id")[["n_layer", "n_kv_head", "head_dim"]]
    rows = rows.drop(columns=[name for name in shapes if name in rows]).join(shapes, on="model_id")
    rows["weight_byte"] = rows["model_param"] * rows["weight_format"].map(WEIGHT_BYTE)
    rows["kv_byte_per_token"] = _cache_per_token(rows)
    return rows.reset_index(drop=True)


def predicted_pope_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> Values:
    """Return the time of each phase on TPU v4: the prompt in one pass, the answer token by token, or both."""
    layer = np.full(len(rows), parameters["tpu-layer"])
    shares = {"bandwidth_share": parameters["tpu-bandwidth-share"], "compute_share": parameters["tpu-compute-share"]}
    step = step_s(rows, layer_s=layer, request_s=np.zeros(len(rows)), **shares)
    prompt = prefill_s(rows, parameters["tpu-prefill-share"]) + rows["n_layer"].to_numpy(dtype=float) * layer
    reads, writes = (rows["phase"] != "generate").to_numpy(), (rows["phase"] != "prefill").to_numpy()
    return np.asarray(reads * prompt + writes * rows["output_token"].to_numpy(dtype=float) * step)
