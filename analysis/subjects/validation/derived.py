"""The tables behind the figures of the chapter on validation, and the numbers its prose cites."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, words
from analysis.equations import memory_wall, server_batching
from analysis.equations import validation as equations
from analysis.model import expected, intervals, measured, phones, prefill, prompts, serving, transfer
from analysis.model.measured import expected_models
from analysis.subjects.storage_io import derived as storage_io
from analysis.tables import DataPackage
from analysis.tables.once import once_per_package

__all__ = ["expected_models"]
"""What other chapters ask for by the subject's name."""
OTHER_ROWS = "All other rows"
FORMATS = {
    "plain": "4 bits and more, plain",
    "k-quant": "K mixes",
    "i-quant": "I formats",
    "low": "Under 4 bits",
    "low-i": "Under 4 bits",
}
STACKS = {
    "cuda": "CUDA", "metal": "Metal", "rocm": "ROCm", "vulkan": "Vulkan", "cpu": "Processor", "opencl": "OpenCL", "npu": "Neural processor",
}  # fmt: skip
GROUPS = {
    "cuda": "CUDA",
    "metal": "Metal",
    "amd-vulkan": "ROCm and Vulkan",
    "cpu": "Processors",
    "low-bit": "Under 4 bits",
    "experts": "Mixtures of experts",
}
GOALS = (
    ("gpu", "Graphics processors, 4 bits and more, median", 0.05),
    ("gpu-large", "Graphics processors, 4 bits and more, nine in ten below", 0.15),
    ("metal", "Apple Metal, median", 0.035),
    ("all", "All backends and formats, median", 0.08),
    ("all-large", "All backends and formats, nine in ten below", 0.30),
    ("pair", "H100 and H200, one sequence, median", 0.03),
    ("phone-apple-gpu", "Graphics processors of iPhones under MLX and Core AI, median", 0.06),
    ("phone-other-cpu", "Processor cores of Android phones, median", 0.25),
    ("phone-other-gpu", "OpenCL on Android phones, median", 0.25),
    ("phone-other-npu", "Neural processors of Android phones, median", 0.20),
    ("prefill-metal", "Prompts on Metal, median", 0.06),
    ("prefill-cuda", "Prompts on CUDA, median", 0.15),
    ("prefill", "Prompts on all graphics processors, median", 0.15),
    ("serving", "Serving, requests of 2025, unseen pairs of chip and model, median", 0.12),
    ("steps", "Serving, steps of 2026, unseen pairs of chip and model, median", 0.12),
)
"""Goals set before the model was fitted: errors on unseen chips, or unseen pairs of chip and model."""
COVERAGE_GOAL = (0.75, 0.85)
"""Share of unseen chips that an interval should hold."""
ROW_COVERAGE_GOAL = (0.75, 0.88)
"""The same of configurations, which are many on some chips and few on others."""
Story = tuple[str, Callable[[pd.DataFrame], "pd.Series[bool]"]]
STORIES: tuple[Story, ...] = (
    ("Another engine: gpt-fast", lambda t: t["left_out"] == "another engine"),
    ("M1 with K mixes", lambda t: (t["generation_id"] == "apple-m1") & (t["packing"] == "k-quant")),
    ("Metal of 2026", lambda t: (t["stack"] == "metal") & (t["year"] >= 2026)),
    ("HBM, software before 2025", lambda t: t["is_hbm"] & t["is_old_software"]),
    ("HBM, software of today", lambda t: t["is_hbm"] & ~t["is_old_software"]),
    ("Chips of before 2020", lambda t: t["introduced_year"] < 2020),
    ("Vulkan on AMD and Intel", lambda t: (t["stack"] == "vulkan") & t["chip_vendor"].isin(["AMD", "Intel"])),
    ("Processors", lambda t: t["stack"] == "cpu"),
    (OTHER_ROWS, lambda t: t["chip"].notna()),
)
"""Where errors gather, each row in the first story that claims it."""


# ------------------------------------------------------------------------------------------------ decode


@once_per_package
def unseen(package: DataPackage) -> pd.DataFrame:
    """Return every configuration with the speed predicted by parameters that never saw its chip, its interval and its error.

    ``is_covered`` judges the interval as a new chip would: by ends that were set without the chip.
    """
    return _unseen(measured.decode_measurements(package), package)


@once_per_package
def unseen_experts(package: DataPackage) -> pd.DataFrame:
    """Return the same of mixtures of experts on graphics processors: the time for routing comes from other chips, too."""
    rows = measured.expert_measurements(package)
    return _unseen(rows[rows["group"] == "experts"].reset_index(drop=True), package)


@once_per_package
def unseen_pair(package: DataPackage) -> pd.DataFrame:
    """Return the steps of the pair of cards, each predicted by parameters that never saw that card."""
    return _unseen(measured.pair_measurements(package), package)


@once_per_package
def unseen_prompts(package: DataPackage) -> pd.DataFrame:
    """Return measured prompts with the time predicted by shares of the peak that were fitted without their chip; errors are of the rate."""
    rows = pd.concat([prompts.measurements(package), prompts.pair_measurements(package)], ignore_index=True)
    return _unseen_prompts(rows, package)


@once_per_package
def unseen_expert_prompts(package: DataPackage) -> pd.DataFrame:
    """Return the same of mixtures of experts, to which nothing was fitted."""
    return _unseen_prompts(prompts.expert_measurements(package), package)


def _unseen_prompts(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    whole = expected.calibration(package.folder)
    rows = prompts.with_pass(rows, whole)
    known = _parameters_without(package)
    rows["predicted_s"] = _by_series(rows, rows["chip"], known, prompts.predicted_s)
    ends = np.array([whole.intervals[name] for name in rows["group"]])
    ratio = rows["predicted_s"] / rows["time_s"]
    rows["is_covered"] = (ratio >= ends[:, 0]) & (ratio <= ends[:, 1])
    rows["backend_name"] = rows["stack"].map(STACKS)
    rows["error_ratio"] = equations.speed_error_ratio(1 / rows["predicted_s"].to_numpy(), 1 / rows["time_s"].to_numpy())
    return rows


@once_per_package
def unseen_steps(package: DataPackage) -> pd.DataFrame:
    """Return steps of servers of 2026 with the time predicted without their pair of chip and model."""
    rows = serving.step_measurements(package)
    rows["predicted_s"] = _by_series(rows, rows["series"], _parameters_without(package), serving.predicted_step_s)
    low, high = expected.calibration(package.folder).intervals["serving"]
    rows["is_covered"] = (rows["predicted_s"] / rows["time_s"]).between(low, high)
    times = (1 / rows[name].to_numpy(dtype=float) for name in ("predicted_s", "time_s"))
    return rows.assign(error_ratio=equations.speed_error_ratio(*times))


PROMPTS_SHOWN = [
    "measurement_id", "chip", "backend_name", "model", "quantization", "prompt_token", "time_s", "predicted_s", "error_ratio", "source_id",
]  # fmt: skip


def prompts_predicted(package: DataPackage) -> pd.DataFrame:
    """Return prompts, measured and predicted without their chip."""
    return unseen_prompts(package)[PROMPTS_SHOWN].reset_index(drop=True)


def _unseen(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    filed = package.table("calibration_folds")
    whole = expected.calibration(package.folder)
    predicted = measured.predicted_token_per_s(rows, whole)
    for chip, entries in filed.groupby("left_out"):
        mask = (rows["chip"] == chip).to_numpy()
        if mask.any():
            parameters = dict(whole.parameters) | dict(zip(entries["parameter_id"], entries["value"], strict=True))
            predicted[mask] = measured.predicted_token_per_s(rows[mask], expected.Calibration(parameters, {}))
    ends = np.array([whole.intervals[name] for name in rows["group"]])
    rows = rows.assign(predicted_token_per_s=predicted, limit_token_per_s=measured.ideal_token_per_s(rows))
    rows["low_token_per_s"], rows["high_token_per_s"] = (
        predicted * ends[:, 0],
        np.minimum(predicted * ends[:, 1], rows["limit_token_per_s"]),
    )
    rows["error_ratio"] = measured.error_ratio(rows, predicted)
    rows["speed_ratio"] = rows["decode_token_per_s"] / predicted
    rows["backend_name"] = rows["stack"].map(STACKS)
    return rows.assign(is_covered=_covered(rows))


def _covered(rows: pd.DataFrame) -> pd.Series[bool]:
    """Say whether each measured speed lies in the interval that the other chips of its group would have set."""
    fitted = rows["left_out"] == ""
    weight = 1 / rows[fitted].groupby(["chip", "backend"])["chip"].transform("size")
    inside = pd.Series(False, index=rows.index)
    few: dict[Any, bool] = {name: intervals.is_few(part) for name, part in rows[fitted].groupby("group")}
    for (name, chip), part in rows[fitted].groupby(["group", "chip"]):
        others = rows[fitted & (rows["group"] == name) & (rows["chip"] != chip)]
        ratio, share = others["speed_ratio"].to_numpy(), weight[others.index].to_numpy()
        low, high = intervals.ends(ratio, share, few=few[name])
        inside[part.index] = part["speed_ratio"].between(low, high)
    return inside


SHOWN = [
    "measurement_id",
    "chip",
    "backend_name",
    "model",
    "quantization",
    "year",
    "decode_token_per_s",
    "predicted_token_per_s",
    "low_token_per_s",
    "high_token_per_s",
    "limit_token_per_s",
    "error_ratio",
    "n_run",
    "is_fitted",
    "source_id",
]


def predicted_against_measured(package: DataPackage) -> pd.DataFrame:
    """Return one row per configuration: measured and predicted speed, interval, limit; not fitted rows are marked."""
    rows = unseen(package)
    return rows.assign(is_fitted=rows["left_out"] == "")[SHOWN].reset_index(drop=True)


def fitted_rows(package: DataPackage) -> pd.DataFrame:
    """Return the rows that errors are stated over: those whose chips took part in the fits."""
    rows = unseen(package)
    return rows[rows["left_out"] == ""].reset_index(drop=True)


def expert_rows(package: DataPackage) -> pd.DataFrame:
    """Return the mixtures of experts that took part in the fit, predicted without their chip."""
    rows = unseen_experts(package)
    return rows[rows["left_out"] == ""].reset_index(drop=True)


def sources(package: DataPackage) -> list[str]:
    """Return the sources of every row that errors are stated over."""
    return sorted(fitted_rows(package)["source_id"].unique())


def error_by_group(package: DataPackage) -> pd.DataFrame:
    """Return the errors by backend, kind of format, kind of memory and year: median, and what nine in ten stay below."""
    rows, experts = fitted_rows(package), expert_rows(package)
    graphics = rows[measured.is_graphics(rows)]
    memory = np.where(graphics["is_hbm"], "HBM", np.where(graphics["stack"] == "metal", "Unified", "GDDR and LPDDR"))
    stated = [f"{year:.0f}" if np.isfinite(year) else "not stated" for year in rows["year"]]
    years = pd.Series(stated, index=rows.index, dtype=str)
    parts = [
        _errors(rows, "Backend", rows["backend_name"]),
        _errors(rows, "Format", rows["packing"].map(FORMATS)),
        _errors(graphics, "Memory", pd.Series(memory, index=graphics.index, dtype=str)),
        _errors(rows, "Year of the run", years),
        _errors(experts, "Kind of model", pd.Series(GROUPS["experts"], index=experts.index, dtype=str)),
    ]
    return pd.concat(parts, ignore_index=True)


def _errors(rows: pd.DataFrame, kind: str, names: pd.Series[str]) -> pd.DataFrame:
    grouped = rows.groupby(names)
    table = pd.DataFrame(
        {
            "error_ratio": grouped["error_ratio"].median(),
            "large_error_ratio": grouped["error_ratio"].quantile(0.9),
            "n_row": grouped.size(),
            "n_chip": grouped["chip"].nunique(),
        }
    )
    return table.rename_axis("name").reset_index().assign(kind=kind)


def residual_stories(package: DataPackage) -> pd.DataFrame:
    """Return measured over predicted speed by story: where the model is off, and for what reason."""
    rows = unseen(package)
    rows = rows[(rows["left_out"] == "") | (rows["left_out"] == "another engine")]
    story = pd.Series("", index=rows.index)
    for name, claims in STORIES:
        story[(story == "") & claims(rows).astype(bool)] = name
    rows = rows.assign(story=story)
    columns = [
        "story",
        "chip",
        "backend_name",
        "model",
        "quantization",
        "year",
        "speed_ratio",
        "decode_token_per_s",
        "predicted_token_per_s",
    ]
    return rows[[*columns, "source_id"]].reset_index(drop=True)


def accuracy_ladder(package: DataPackage) -> pd.DataFrame:
    """Return the error on unseen chips as terms are added to the model, for graphics processors and for everything."""
    steps = package.table("calibration_ladder")
    shown = {"gpu_error_ratio": "Graphics processors, 4 bits and more", "error_ratio": "Everything"}
    frames = [
        steps[["step_id", "term", "n_parameter"]].assign(scope=name, error_ratio=steps[column])
        for column, name in shown.items()
    ]
    return pd.concat(frames, ignore_index=True)


@once_per_package
def interval_coverage(package: DataPackage) -> pd.DataFrame:
    """Return how often the measured speed lies in the 80 % interval, by group: over rows, and over chips counted once each."""
    rows = pd.concat([fitted_rows(package), expert_rows(package)], ignore_index=True)
    chips = rows.groupby(["group", "chip", "backend"])["is_covered"].mean()
    by_group = rows.groupby("group").agg(
        row_share=("is_covered", "mean"), n_row=("chip", "size"), n_chip=("chip", "nunique")
    )
    by_group["chip_share"] = chips.groupby("group").mean()
    everything = rows.groupby(["group", "chip", "backend"])["is_covered"].mean().mean()
    whole = {
        "group": "all",
        "row_share": rows["is_covered"].mean(),
        "n_row": len(rows),
        "n_chip": rows["chip"].nunique(),
        "chip_share": everything,
    }
    table = pd.concat([by_group.reset_index(), pd.DataFrame([whole])], ignore_index=True)
    return table.assign(name=table["group"].map(GROUPS | {"all": "All together"}))


@once_per_package
def own_measurement(package: DataPackage) -> pd.DataFrame:
    """Return what one own measurement is worth, group by group: errors on chips that chose nothing, without and with it; intervals."""
    rows = [fitted_rows(package), expert_rows(package), unseen_pair(package), phones.unseen(package)]
    known = expected.calibration(package.folder)
    pairs = transfer.pairs(pd.concat([part.reindex(columns=OWN_COLUMNS) for part in rows], ignore_index=True))
    table = transfer.judged(pairs, known.parameters, known.intervals)
    spans = {
        f"{name}_span": [
            f"{words.number(a, 3)} to {words.number(b, 3)}" for a, b in zip(table[low], table[high], strict=True)
        ]
        for name, low, high in (("known", "known_low_ratio", "known_high_ratio"), ("own", "low_ratio", "high_ratio"))
    }
    table = table.assign(
        name=table["group"].map(GROUPS | PHONE_GROUPS), before_percent=table["before_error_ratio"] * 100,
        after_percent=table["after_error_ratio"] * 100, covered_percent=table["covered_share"] * 100,
        used=table["is_used"].map({True: "yes", False: "no"}), **spans,
    )  # fmt: skip
    return table.assign(own_span=table["own_span"].where(table["is_used"], ""))


@once_per_package
def own_prompts(package: DataPackage) -> pd.DataFrame:
    """Return prompts on processor cores and phones, each expected by another that its machine read with weights packed alike."""
    table = transfer.prompt_pairs(prompts.own_measurements(package))
    return table.assign(error_ratio=np.abs(1 / table["rate_ratio"] - 1))


OWN_COLUMNS = [*transfer.MACHINE, "group", "speed_ratio"]
PHONE_GROUPS = {
    "phone-metal": "Graphics processors of iPhones", "phone-cpu": "Processor cores of phones", "phone-opencl": "OpenCL on phones",
    "phone-npu": "Neural processors of phones",
}  # fmt: skip


# ----------------------------------------------------------------------------------------------- experts


BATCH_CONTEXT_TOKEN = 512
"""Context at which the batches are drawn; the errors are over all contexts."""


@once_per_package
def expert_batches(package: DataPackage) -> pd.DataFrame:
    """Return the step of mixtures of experts batch by batch: measured, predicted without the chip, and if no further expert were read."""
    rows = measured.batched_experts(package)
    parameters = _parameters_without(package)
    for name in ("predicted", "one_token"):
        rows[f"{name}_s"] = np.nan
    for chip, part in rows.groupby("chip"):
        known = expected.Calibration(parameters.get(str(chip), parameters[""]), {})
        alone = part.assign(
            read_byte=part["model"].map(part[part["batch_size"] == 1].groupby("model")["read_byte"].first())
        )
        rows.loc[part.index, "predicted_s"] = 1 / measured.predicted_token_per_s(part, known)
        rows.loc[part.index, "one_token_s"] = 1 / measured.predicted_token_per_s(alone, known)
    rows["measured_s"] = rows["batch_size"] / rows["decode_token_per_s"]
    rows["error_ratio"] = equations.speed_error_ratio(rows["measured_s"].to_numpy(), rows["predicted_s"].to_numpy())
    columns = [
        "chip",
        "model",
        "batch_size",
        "context_token",
        "measured_s",
        "predicted_s",
        "one_token_s",
        "error_ratio",
        "source_id",
    ]
    return rows[columns].reset_index(drop=True)


def expert_batches_drawn(package: DataPackage) -> pd.DataFrame:
    """Return the batches at one context, one row a basis: measured, and the two predictions."""
    rows = expert_batches(package)
    rows = rows[rows["context_token"] == BATCH_CONTEXT_TOKEN]
    bases = {"measured_s": "Measured", "predicted_s": "Predicted", "one_token_s": "If a batch called no further expert"}
    kept = ["chip", "model", "batch_size", "context_token", "source_id"]
    frames = [rows[kept].assign(basis=name, step_s=rows[column]) for column, name in bases.items()]
    return pd.concat(frames, ignore_index=True)


# ------------------------------------------------------------------------------------------ bandwidth, storage


OPERATIONS = {
    "copy-both-ways": "Copy, both ways counted",
    "read": "Read",
    "decode": "Decoding",
    "write": "Write",
    "copy": "Copy",
    "copy-one-way": "Copy, counted once",
    "stream": "Stream",
    "triad": "Triad",
    "memory-test": "Memory test",
    "unstated": "Not stated",
}
UNITS = {"gpu": "Graphics processor", "cpu": "Processor cores", "npu": "Neural processor"}


def bandwidth_achieved(package: DataPackage) -> pd.DataFrame:
    """Return measured over datasheet bandwidth, where both are known, by unit of the chip and by operation."""
    rows = package.table("measurements_bandwidth")
    rows = rows[(rows["quality"] != "c") & rows["datasheet_byte_per_s"].notna()].copy()
    rows["reached_share"] = rows["measured_byte_per_s"] / rows["datasheet_byte_per_s"]
    rows["unit_name"], rows["operation_name"] = rows["unit_kind"].map(UNITS), rows["operation"].map(OPERATIONS)
    columns = [
        "chip",
        "unit_name",
        "operation_name",
        "datasheet_byte_per_s",
        "measured_byte_per_s",
        "reached_share",
        "tool",
        "note",
        "source_id",
    ]
    return rows[columns].reset_index(drop=True)


EXPLANATIONS = {
    "storage": "The drive alone",
    "page-cache": "Page cache",
    "sparsity": "Sparse model",
    "sparsity-and-cache": "Sparse model and page cache",
    "thrashing": "Thrashing",
    "compute": "Computing",
    "unknown": "Not known",
}


def storage_reached(package: DataPackage) -> pd.DataFrame:
    """Return the read rate that a streamed model's speed would need without cache or sparsity, over the rate of the drive.

    Runs on drives of known speed; all weights that are not pinned in memory count, for every token.
    """
    rows = storage_io.offload_measured(package)
    rows = rows[rows["drive_known"]].rename(columns={"speedup_ratio": "reached_ratio"})
    rows["explanation"] = rows["explained_by"].map(EXPLANATIONS)
    columns = [
        "device",
        "model",
        "method",
        "storage_read_byte_per_s",
        "token_per_s",
        "reached_ratio",
        "explanation",
        "note",
        "source_id",
    ]
    return rows[columns].reset_index(drop=True)


# ------------------------------------------------------------------------------------------------ serving


@once_per_package
def serving_predicted(package: DataPackage) -> pd.DataFrame:
    """Return requests and Pope's phases: measured time beside the time predicted without the series, or the table, they are of.

    Runs that ended for want of memory have no time of either kind.
    """
    known = _parameters_without(package)
    gpu, tpu = serving.serving_measurements(package), serving.pope_measurements(package)
    older = serving.fastertransformer_measurements(package)
    gpu["predicted_s"] = _by_series(gpu, gpu["series"], known, serving.predicted_request_s)
    gpu["kind"] = gpu["framework"].where(gpu["is_held"], OUT_OF_MEMORY).mask(gpu["is_expert"], GROUPS["experts"])
    for rows, model in ((tpu, serving.predicted_pope_s), (older, serving.predicted_fastertransformer_s)):
        table = "Table " + rows["table"].astype(str)
        rows["predicted_s"] = _by_series(rows, table, known, model)
        rows["series"] = table + ", " + rows["phase"]
    older["predicted_s"] = older["predicted_s"].where(older["time_s"].notna())
    tpu["kind"], older["kind"] = TPU, FASTERTRANSFORMER
    gpu = gpu.rename(columns={"request_s": "time_s"})
    every = pd.concat([rows.reindex(columns=SERVED) for rows in (gpu, tpu, older)], ignore_index=True)
    return every.assign(
        error_ratio=equations.speed_error_ratio(every["time_s"].to_numpy(), every["predicted_s"].to_numpy())
    )


OUT_OF_MEMORY, TPU, FASTERTRANSFORMER = "Out of memory", "TPU v4", "FasterTransformer"
POPE_TABLES = ("2", "D.2", "D.3")
SERVED = [
    "series", "table", "kind", "chip", "model", "partitioning", "n_chip", "batch_size", "input_token", "output_token", "time_s",
    "predicted_s", "needed_byte", "is_held", "source_id",
]  # fmt: skip


def _parameters_without(package: DataPackage) -> dict[str, dict[str, float]]:
    """Return the parameters fitted without each chip, series or table, by what was left out; by "" those fitted to all."""
    whole = dict(expected.calibration(package.folder).parameters)
    found = {"": whole}
    for name, part in package.table("calibration_folds").groupby("left_out"):
        found[str(name)] = whole | dict(zip(part["parameter_id"], part["value"], strict=True))
    return found


def _by_series(
    rows: pd.DataFrame, names: pd.Series[str], by_name: dict[str, dict[str, float]], model: Callable[..., Any]
) -> np.ndarray:
    predicted = np.full(len(rows), np.nan)
    for name in names.unique():
        mask = (names == name).to_numpy()
        predicted[mask] = model(rows[mask], by_name.get(name, by_name[""]))
    return predicted


FRONTIER_MODEL, FRONTIER_TOKEN = "Qwen/Qwen2-7B", 1024


def serving_frontier(package: DataPackage) -> pd.DataFrame:
    """Return what a user gets against what a chip yields, batch by batch: measured and predicted, for one model and context."""
    rows = serving_predicted(package)
    rows = rows[
        (rows["model"] == FRONTIER_MODEL)
        & (rows["output_token"] == FRONTIER_TOKEN)
        & (rows["n_chip"] == 1)
        & (rows["kind"] != OUT_OF_MEMORY)
    ]
    frames = [_yields(rows, column, name) for column, name in (("time_s", "Measured"), ("predicted_s", "Predicted"))]
    table = pd.concat(frames, ignore_index=True)
    return table.assign(setup=table["chip"].str.replace("Nvidia ", "").str.replace(" GPU", "") + ", " + table["kind"])


def _yields(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    time, batch = (rows[column] / rows["output_token"]).to_numpy(), rows["batch_size"].to_numpy()
    yields = server_batching.throughput_token_per_s(time, batch_size=batch)
    return rows.assign(
        basis=name, user_token_per_s=memory_wall.decode_token_per_s(time, np.ones(len(time))), chip_token_per_s=yields
    )


def pope_rows(package: DataPackage) -> pd.DataFrame:
    """Return every row of Tables 2, D.2 and D.3: measured, predicted without its table, error, and a remark where there is no time."""
    rows = serving_predicted(package)
    rows = rows[rows["kind"].isin([TPU, FASTERTRANSFORMER]) & rows["table"].isin(POPE_TABLES)].copy()
    rows["model"] = rows["model"].str.replace("Megatron-Turing NLG", "MT-NLG")
    named = rows["kind"] + ", " + rows["partitioning"].fillna("").str.upper()
    rows["system"] = named.str.removesuffix(", ")
    rows["remark"] = [
        "" if np.isfinite(time) else _no_time(row)
        for time, (_, row) in zip(rows["time_s"], rows.iterrows(), strict=True)
    ]
    columns = [
        "table", "series", "kind", "system", "model", "n_chip", "batch_size", "time_s", "predicted_s", "time_ms", "predicted_ms",
        "error_percent", "error_ratio", "remark", "source_id",
    ]  # fmt: skip
    milliseconds = {name: rows[f"{name.removesuffix('_ms')}_s"] * 1e3 for name in ("time_ms", "predicted_ms")}
    return rows.assign(error_percent=rows["error_ratio"] * 100, **milliseconds)[columns].reset_index(drop=True)


def _no_time(row: pd.Series[Any]) -> str:
    """Say why a row has no time: the source prints OOM; whether the model knew."""
    needed = words.quantity(row["needed_byte"], "byte", 4)
    return f"Out of memory; {'as the model says, it needs' if not row['is_held'] else 'the model says it fits in'} {needed}"


def pope_errors(package: DataPackage) -> pd.DataFrame:
    """Return the errors table by table and system by system, over the rows that have a time."""
    rows = pope_rows(package).dropna(subset=["error_percent"])
    grouped = rows.groupby(["table", "kind"], sort=False)["error_percent"]
    return grouped.agg(median_percent="median", worst_percent="max", n_row="size").reset_index()


def other_tools(package: DataPackage) -> pd.DataFrame:
    """Return what is published of other tools' errors: from the two speeds where they are given, else as stated."""
    rows = package.table("tool_errors")
    predicted, seen = (rows[f"{kind}_token_per_s"].to_numpy(dtype=float) for kind in ("predicted", "measured"))
    error = np.where(
        np.isnan(seen), rows["stated_error_ratio"].to_numpy(dtype=float), equations.speed_error_ratio(predicted, seen)
    )
    rows = rows.assign(error_percent=error * 100)
    named = ranking.by(rows.assign(lower=rows["tool"].str.lower()), "lower", "tool_error_id")
    return named.drop(columns="lower")


# ------------------------------------------------------------------------------------------------- goals


def reached(package: DataPackage) -> dict[str, float]:
    """Return the errors on unseen chips by the names of the goals, and what serving reaches."""
    rows = fitted_rows(package)
    graphics = rows[measured.is_graphics(rows)]
    served = serving_predicted(package)
    requests = served[served["kind"].isin(serving.ENGINES)]
    asked, steps = unseen_prompts(package), unseen_steps(package)
    medians = {
        "gpu": graphics["error_ratio"],
        "metal": graphics.loc[graphics["stack"] == "metal", "error_ratio"],
        "all": rows["error_ratio"],
        "chips": graphics.groupby(["chip", "backend"])["error_ratio"].median(),
        "serving": requests["error_ratio"],
        "pope": served.loc[served["kind"] == TPU, "error_ratio"],
        "fastertransformer": served.loc[served["kind"] == FASTERTRANSFORMER, "error_ratio"].dropna(),
        "experts": expert_rows(package)["error_ratio"],
        "pair": unseen_pair(package)["error_ratio"],
        "prefill": asked["error_ratio"],
        **{f"prefill-{stack}": asked.loc[asked["stack"] == stack, "error_ratio"] for stack in ("metal", "cuda")},
        "prefill-experts": unseen_expert_prompts(package)["error_ratio"],
        "steps": steps.loc[~steps["is_long"], "error_ratio"],
        **phones.error_ratios(package),
        "mixtral": served.loc[served["kind"] == GROUPS["experts"], "error_ratio"],
    }
    found = {name: float(errors.median()) for name, errors in medians.items()}
    large = {
        "gpu-large": graphics["error_ratio"],
        "experts-large": medians["experts"],
        "all-large": rows["error_ratio"],
    }
    return found | {name: float(errors.quantile(intervals.TAILS[1])) for name, errors in large.items()}


def goals(package: DataPackage) -> pd.DataFrame:
    """Return every goal beside what was reached on unseen chips: errors, and the coverage of the intervals group by group."""
    found = reached(package)
    errors = pd.DataFrame(
        {"kind": ERROR_GOAL, "goal": text, "low_ratio": 0.0, "goal_ratio": goal, "reached_ratio": found[name]}
        for name, text, goal in GOALS
    )
    table = pd.concat([errors, _coverage_goals(package)], ignore_index=True)
    met = table["reached_ratio"].between(table["low_ratio"], table["goal_ratio"])
    return table.assign(
        asked=[_asked(row) for row in table.to_dict("records")], reached_percent=table["reached_ratio"] * 100,
        is_met=met, met=met.map({True: "yes", False: "no"}),
    )  # fmt: skip


ERROR_GOAL, COVERAGE_KIND = "error", "coverage"
COUNTED = {"chip_share": "chips", "row_share": "configurations"}
"""What the coverage is a share of: chips, each counted once, or single configurations."""


def _other_coverage(package: DataPackage) -> pd.DataFrame:
    """Return the coverage of phones other than iPhones by what did the work, and of serving, by pairs of chip and model."""
    held = phones.covered(package)
    held = held[held["chip_vendor"] != "Apple"]
    parts = {ANDROID[str(name)]: part for name, part in held.groupby("group")}
    served = serving_predicted(package)
    served = served[served["kind"].isin(serving.ENGINES)]
    low, high = expected.calibration(package.folder).intervals["serving"]
    requests = served.assign(is_covered=(served["predicted_s"] / served["time_s"]).between(low, high))
    steps = unseen_steps(package)
    parts[SERVED_PAIRS] = pd.concat([requests, steps[~steps["is_long"]]]).assign(chip=lambda rows: rows["series"])
    found = [
        {
            "name": name,
            "row_share": part["is_covered"].mean(),
            "chip_share": part.groupby("chip")["is_covered"].mean().mean(),
        }
        for name, part in parts.items()
    ]
    return pd.DataFrame(found)


ANDROID = {
    "phone-cpu": "Processor cores of Android phones", "phone-opencl": "OpenCL on Android phones",
    "phone-npu": "Neural processors of Android phones",
}  # fmt: skip
SERVED_PAIRS = "Serving"
"""Of requests and steps; pairs of chip and model stand for chips."""


def _coverage_goals(package: DataPackage) -> pd.DataFrame:
    """Return the coverage of each group, by chips and by configurations, as goals."""
    every = pd.concat([interval_coverage(package), _other_coverage(package)], ignore_index=True)
    table = every.melt(id_vars=["name"], value_vars=list(COUNTED), value_name="reached_ratio")
    asked = {"chip_share": COVERAGE_GOAL, "row_share": ROW_COVERAGE_GOAL}
    low, high = zip(*table["variable"].map(asked), strict=True)
    counted = table["variable"].map(COUNTED)
    counted = counted.mask(
        (table["name"] == SERVED_PAIRS) & (counted == COUNTED["chip_share"]), "pairs of chip and model"
    )
    names = table["name"] + ", " + counted
    reached = table["reached_ratio"]
    return pd.DataFrame(
        {"kind": COVERAGE_KIND, "goal": names, "low_ratio": low, "goal_ratio": high, "reached_ratio": reached}
    )


def _asked(row: Mapping[Any, Any]) -> str:
    most = f"{row['goal_ratio'] * 100:.3g} %"
    return f"{row['low_ratio'] * 100:.3g} to {most}" if row["kind"] == COVERAGE_KIND else f"at most {most}"


def parameters(package: DataPackage) -> pd.DataFrame:
    """Return the fitted parameters as they are printed, value and standard error with their unit, and what was set by hand."""
    table = package.table("calibration")
    table = table[table["kind"].isin([*WITHOUT_ERROR, "serving"])]
    by_hand = pd.DataFrame(BY_HAND, columns=["parameter_id", "unit", "value", "meaning"]).assign(kind="by-hand")
    table = pd.concat([table, by_hand], ignore_index=True)
    shown = [_printed(value, unit) for value, unit in zip(table["value"], table["unit"], strict=True)]
    errors = [
        _printed(value, unit) if np.isfinite(value) else WITHOUT_ERROR[kind]
        for value, unit, kind in zip(table["standard_error"], table["unit"], table["kind"], strict=True)
    ]
    return table.assign(shown=shown, error=errors)[["parameter_id", "meaning", "shown", "error", "n_row", "n_chip"]]


WITHOUT_ERROR = {
    "decode": "one chip decides", "prefill": "one chip decides", "serving": "one chip decides", "own": "in steps of 5 %",
    "sustained": "pairs of one iPhone",
    "by-hand": "set by hand",
}  # fmt: skip
"""Kind of number → what is said in place of a standard error."""
BY_HAND = (
    ("thread-byte", "byte_per_s", expected.THREAD_BYTE_PER_S, "Most that a thread of a computer's processor takes in"),
    ("thread-op", "op_per_s", expected.THREAD_OP_PER_S, "Most that it computes, where no peak is on record"),
    ("threads", "thread", expected.USUAL_THREADS, "Threads of a computer's processor where nobody says how many"),
    (
        "phone-op",
        "op_per_byte",
        expected.PHONE_OP_PER_BYTE,
        "Arithmetic of a phone's cores for each byte of its bandwidth",
    ),
    (
        "kv-cost",
        "ratio",
        expected.FLASH_KV_COST_RATIO,
        "Cost of a byte of KV cache over one of weights with flash attention",
    ),
    ("prompt-pass", "token", prefill.PASS_TOKEN, "Tokens that llama.cpp reads in one pass"),
    ("aimed", "share", intervals.AIMED_SHARE, "Share that the quantiles of the intervals aim at"),
    (
        "layer-kv-head",
        "head",
        expected.ASSUMED_KV_HEAD,
        "Heads of the KV cache of a model of which only the size is known",
    ),
    ("layer-head-dim", "element", expected.ASSUMED_HEAD_DIM, "Numbers that such a head holds"),
)
"""Constants that nothing was fitted for: id, unit, value, what it is."""
COUNTED_IN = {"thread": "threads", "token": "tokens", "head": "heads", "element": "numbers"}


def _printed(value: float, unit: str) -> str:
    if unit in COUNTED_IN:
        return f"{value:g} {COUNTED_IN[unit]}"
    if unit in ("s_per_layer", "s"):
        return words.quantity(value, "s", 2) + (" per layer" if unit == "s_per_layer" else "")
    if unit == "share_per_year":
        return f"{words.quantity(value, 'share', 2)} a year"
    return words.quantity(value, unit, 2 if unit != "share" else 3)


def hyphened(name: str) -> str:
    """A name as part of an identifier: ``Under 4 bits`` → ``under-4-bits``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def list_of_reached(table: pd.DataFrame) -> str:
    """List goals with what was reached: ``Metal, configurations (68 %)``."""
    pairs = zip(table["goal"], table["reached_percent"], strict=True)
    return words.listing([f"{goal} ({percent:.2g} %)" for goal, percent in pairs])
