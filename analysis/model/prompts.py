"""Measured prompts, prepared, beside what the model says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.model import expected, measured, names, peaks
from analysis.model.prefill import (
    EXPERT_GROUP,
    GROUPS,
    OTHER_GROUP,
    PASS_TOKEN,
    WHOLE_LEAST_BIT,
    kind,
    metal_factor,
    peak_flop_per_s,
    time_s,
    unpacked_as,
)
from analysis.tables import DataPackage


def measurements(package: DataPackage) -> pd.DataFrame:
    """Return measured prompts of dense models on graphics processors whose peak is filed, one row per configuration."""
    rows = _configurations(package, "dense")
    rows["param"] = rows["read_byte"] * 8 / rows["bit_per_param"]
    return with_kinds(measured.with_kinds(rows, package), package)


def expert_measurements(package: DataPackage) -> pd.DataFrame:
    """Return the same of mixtures of experts; ``read_byte`` is what a pass over a part of the prompt reads, ``param`` what a token uses."""
    rows = _configurations(package, "moe")
    rows["param"] = measured.active_param(rows, package)
    part = np.minimum(rows["prompt_token"].to_numpy(dtype=float), PASS_TOKEN)
    rows["read_byte"] = measured.read_byte(rows, package, batch_size=part)
    return with_kinds(measured.with_kinds(rows, package), package).assign(group=EXPERT_GROUP)


def _configurations(package: DataPackage, architecture: str) -> pd.DataFrame:
    """Measured prompts on one chip, one row per configuration, with what is known of their models."""
    rows = package.table("measurements_decode")
    rows = rows[(rows["architecture"] == architecture) & (rows["n_device"] == 1) & (rows["quality"] != "c")]
    rows = rows.dropna(subset=["prompt_token", "prefill_token_per_s", "weight_byte", "memory_bandwidth_byte_per_s"])
    number = {name: rows[name].astype(float) for name in ("prompt_token", "n_gpu_core")}
    rows = rows.assign(context_token=rows["prompt_context_token"].astype(float), **number)
    rows = rows[rows["model"].isin(package.table("measured_models")["model"])]
    rows = measured.with_model_facts(rows.assign(batch_size=1.0, output_token=0.0), package)
    rows["year"] = pd.to_numeric(rows["date"].str[:4], errors="coerce")
    rows["flash"] = True
    same = ["chip", "n_gpu_core", "backend", "engine", "model", "quantization", "prompt_token", "context_token", "year"]
    kept = {name: "first" for name in rows.columns if name not in same}
    rows = rows.groupby(same, dropna=False, sort=False).agg(kept | {"prefill_token_per_s": "median"}).reset_index()
    return rows.assign(time_s=rows["prompt_token"] / rows["prefill_token_per_s"])


def pair_measurements(package: DataPackage) -> pd.DataFrame:
    """Return the prompts read by the pair of cards."""
    rows = package.table("measurements_gpu_pair")
    rows = rows[rows["kind"] == "prefill"].reset_index(drop=True)
    models = package.table("models").set_index("model_id")
    rows = rows.assign(
        chip=rows["device"], backend="CUDA", quantization=rows["format"], bit_per_param=16.0, read_byte=rows["weight_byte"],
        kv_cache_byte=0.0,
        n_layer=models["n_layer"].astype(float).reindex(rows["model"]).to_numpy(), architecture="dense", n_thread=np.nan, flash=True,
        year=2026.0, date=rows["time_utc"].str[:10], prompt_token=rows["context_token"].astype(float), time_s=rows["step_s_median"],
        n_gpu_core=np.nan,
    )  # fmt: skip
    rows["param"], rows["context_token"] = rows["read_byte"] / 2, 0.0
    return with_kinds(measured.with_kinds(rows, package), package)


def own_measurements(package: DataPackage) -> pd.DataFrame:
    """Return prompts read by processor cores, and by whatever a phone computes with: kinds of which no share of a peak was fitted."""
    cores = package.table("measurements_decode")
    cores = cores[
        (cores["backend"] == "CPU")
        & (cores["architecture"] == "dense")
        & (cores["quality"] != "c")
        & (cores["chip"] != "")
    ]
    held = package.table("measurements_phone")
    held = held[(held["left_out"] == "") & (held["unit_kind"] != "gpu-metal")]
    rows = pd.concat([cores.assign(stack="cpu"), held.assign(stack=held["unit_kind"])], ignore_index=True)
    rows = rows.dropna(subset=["prefill_token_per_s", "total_param"]).reset_index(drop=True)
    rows["packing"] = [_packing(name, package) for name in rows["quantization"]]
    return rows


def _packing(name: str, package: DataPackage) -> str:
    bit = names.number_format(name, package.folder).bit_per_param
    return unpacked_as(expected.packing(name, bit), bit)


def with_kinds(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    """Add peak, kind and group; rows of chips without a peak, and of kinds that nothing was measured of, are left out."""
    found = [
        peak_flop_per_s(peaks.peak(chip, package.folder), vendor, cores)
        for chip, vendor, cores in rows[["chip", "chip_vendor", "n_gpu_core"]].itertuples(index=False)
    ]
    rows = rows.assign(peak_flop_per_s=[peak for peak, _ in found], has_matrix=[matrix for _, matrix in found])
    columns = ["stack", "chip_vendor", "has_matrix", "is_hbm", "is_old_software", "tuning"]
    rows["kind"] = [
        kind(s, vendor=v, has_matrix=bool(m), hbm=bool(h), old_software=bool(o), compiled=t == "compiled")
        for s, v, m, h, o, t in rows[columns].itertuples(index=False)
    ]
    rows["group"] = [GROUPS.get(name, OTHER_GROUP) for name in rows["kind"]]
    rows["is_slow_format"] = (rows["kind"] == "shader-metal") & rows["is_old_software"] & (rows["packing"] != "plain")
    return rows[rows["peak_flop_per_s"].notna() & (rows["kind"] != "")].reset_index(drop=True)


def reached_share(rows: pd.DataFrame, parameters: Mapping[str, float]) -> np.ndarray:
    """Return the share of the peak that each row reaches: on Metal 16 bits, and K and I mixes under older software, have factors."""
    share = np.array([parameters[f"prefill-{name}"] for name in rows["kind"]])
    whole = (rows["kind"] == "shader-metal") & (rows["bit_per_param"] >= WHOLE_LEAST_BIT)
    return np.asarray(share * metal_factor(whole.to_numpy(), rows["is_slow_format"].to_numpy(dtype=bool), parameters))


def with_pass(rows: pd.DataFrame, known: expected.Calibration) -> pd.DataFrame:
    """Add the time of a pass whatever its tokens: a decode step of the calibrated model without a cache."""
    return rows.assign(pass_s=1 / measured.predicted_token_per_s(rows.assign(kv_cache_byte=0.0), known))


def predicted_s(rows: pd.DataFrame, parameters: Mapping[str, float]) -> np.ndarray:
    """Return the expected time of each prompt under these shares of the peak."""
    number = {name: rows[name].to_numpy(dtype=float) for name in TIMED}
    time = time_s(
        **number, flop_per_s=rows["peak_flop_per_s"].to_numpy(dtype=float) * reached_share(rows, parameters),
        passes_token=np.where(rows["tuning"] == "compiled", np.inf, PASS_TOKEN),
    )  # fmt: skip
    return np.asarray(time)


TIMED = ("param", "prompt_token", "n_layer", "context_token", "pass_s")
