"""Measured decode rates, collapsed and resolved, beside what the model says of them; and what to expect of a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking
from analysis.equations import memory_wall, validation
from analysis.equations.constants import BIT_PER_BYTE
from analysis.model import expected, names, peaks, shapes
from analysis.tables import DataPackage
from analysis.tables.once import once_per_package

FP16_BYTE = 2.0
OTHER_ENGINES = ("gpt-fast",)
"""Engines whose rows are shown and not fitted: they have overheads of their own, on one chip each."""
FITTED_BACKENDS = ("cuda", "vulkan", "rocm", "metal", "cpu")
"""Backends of computers with runs of several chips; what runs on OpenCL and neural processors is fitted to phones."""
OLDEST_FITTED_YEAR = 2015
CROWD_CHIPS = ("GTX 1050 Ti", "M4 Pro", "M5 Max")
"""Chips of users' benchmarks that speak for kinds few others measured: cards of before 2018, and K mixes on Metal of 2026."""
CROWD_WEIGHT = 0.5

SAME_RUN = [
    "chip", "n_gpu_core", "backend", "framework", "model", "quantization", "weight_size", "context_token", "decode_test",
    "flash", "year",
]  # fmt: skip
"""Rows that agree in these are replicates of one configuration."""


# ------------------------------------------------------------------------------------------------ decode


def decode_measurements(package: DataPackage) -> pd.DataFrame:
    """Return measured decode rates, one row per configuration: replicates collapsed to their median, sizes resolved."""
    rows = package.table("measurements_decode")
    return _resolved(rows[rows["is_fit_candidate"].astype(bool) & (rows["quality"] != "c")], package)


def expert_measurements(package: DataPackage) -> pd.DataFrame:
    """Return measured decode rates of mixtures of experts whose shape is filed, prepared like those of dense models.

    Batch 1, one device.  A file said to be smaller than the experts alone is left out: its size cannot be right.
    """
    rows = package.table("measurements_decode")
    rows = rows[(rows["architecture"] == "moe") & (rows["n_device"] == 1) & (rows["quality"] != "c")]
    known = package.table("measured_models").dropna(subset=["model_id"])["model"]
    rows = rows[rows["model"].isin(known)].dropna(subset=["weight_byte", "memory_bandwidth_byte_per_s"])
    rows = _resolved(rows, package)
    return rows[rows["read_byte"] > 0].reset_index(drop=True)


OF_THE_RUN = [
    "chip",
    "backend",
    "framework",
    "engine",
    "model",
    "quantization",
    "weight_byte",
    "memory_bandwidth_byte_per_s",
    "flash",
    "n_device",
    "n_thread",
]


def batched_experts(package: DataPackage) -> pd.DataFrame:
    """Return measured rates of mixtures of experts with several sequences at once, on chips whose rates at batch 1 are known.

    ``decode_token_per_s`` is that of all sequences together.
    """
    rows = package.table("measurements_batching")
    rows = rows[
        (rows["architecture"] == "moe") & (rows["batch_kind"] == "parallel-sequences") & (rows["quality"] != "c")
    ]
    runs = expert_measurements(package)
    runs = ranking.by(runs[runs["flash"]], "year", "measurement_id").drop_duplicates(["chip", "model"], keep="last")
    columns = [
        "measurement_id",
        "chip",
        "model",
        "total_param",
        "architecture",
        "batch_size",
        "input_token",
        "output_token",
    ]
    rows = rows[[*columns, "token_per_s", "date", "source_id"]].merge(runs[OF_THE_RUN], on=["chip", "model"])
    rows["decode_token_per_s"], rows["context_token"] = rows["token_per_s"], rows["input_token"]
    rows["year"] = pd.to_numeric(rows["date"].str[:4], errors="coerce")
    return with_kinds(with_model_facts(rows, package), package).reset_index(drop=True)


def pair_measurements(package: DataPackage) -> pd.DataFrame:
    """Return the steps at batch 1 of the pair of cards: dense models in 16 and 8 bits, prepared like the rates of others."""
    rows = package.table("measurements_gpu_pair")
    rows = rows[(rows["kind"] == "decode") & (rows["left_out"] == "") & (rows["batch"] == 1)]
    rows = rows[rows["format"].isin(PAIR_BITS)].reset_index(drop=True)
    layer = package.table("models").set_index("model_id")["n_layer"].astype(float)
    rows = rows.assign(
        chip=rows["device"], backend="CUDA", framework="PyTorch", quantization=rows["format"], bit_per_param=rows["format"].map(PAIR_BITS),
        n_layer=layer.reindex(rows["model"]).to_numpy(), read_byte=rows["weight_byte"], kv_cache_byte=rows["kv_byte"], batch_size=1.0,
        decode_token_per_s=rows["token_per_s"], architecture="dense", n_thread=np.nan, flash=True, date=rows["time_utc"].str[:10],
    )  # fmt: skip
    rows["year"] = rows["date"].str[:4].astype(float)
    return with_kinds(rows, package).reset_index(drop=True)


PAIR_BITS = {"bf16": 16.0, "fp8": 8.0}


def crowd_measurements(package: DataPackage) -> pd.DataFrame:
    """Return users' benchmarks of usable size, prepared like the rates of others; the KV cache is left out: contexts are short."""
    rows = package.table("measurements_crowd")
    rows = rows[(rows["left_out"] == "") & rows["backend"].isin(["CUDA", "Metal"])].reset_index(drop=True)
    rows = rows.assign(
        framework=rows["engine"], read_byte=rows["weight_byte"], kv_cache_byte=0.0, batch_size=1.0, architecture="dense",
        n_thread=np.nan, flash=True, year=rows["date"].str[:4].astype(float), n_layer=rows["n_layer"].astype(float),
        bit_per_param=bit_of_file(rows),
    )  # fmt: skip
    return with_kinds(rows, package).reset_index(drop=True)


def _resolved(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    rows = with_model_facts(rows.assign(batch_size=1.0), package)
    rows["year"] = pd.to_numeric(rows["date"].str[:4], errors="coerce")
    rows["flash"] = [
        expected.has_flash(None if pd.isna(on) else bool(on), year)
        for on, year in zip(rows["flash_attention"], rows["year"], strict=True)
    ]
    rows["weight_size"] = (rows["weight_byte"] / rows["weight_byte"].min()).round(1)
    collapsed = _collapsed(rows)
    return with_kinds(collapsed, package).reset_index(drop=True)


def with_model_facts(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    """Add layers, cache and bits of the measured models; the input embedding is a lookup, so its bytes are not read."""
    facts = package.table("measured_models").drop(columns=["source_id", "confidence", "note"])
    rows = rows.merge(facts, on="model", how="left", validate="many_to_one")
    missing = rows.loc[rows["n_layer"].isna(), "model"].unique()
    if len(missing):
        raise KeyError(f"measured_models.csv lacks {', '.join(missing)}")
    rows["bit_per_param"] = _bits(rows, package)
    rows["mean_context_token"] = rows["context_token"] + rows["output_token"].fillna(0) / 2
    batch = rows["batch_size"].to_numpy(dtype=float)
    rows["kv_cache_byte"] = _cache_byte(rows) * batch
    rows["read_byte"] = read_byte(rows, package, batch_size=batch)
    return rows


def read_byte(rows: pd.DataFrame, package: DataPackage, *, batch_size: np.ndarray) -> np.ndarray:
    """Return the bytes of weights that a step reads for so many tokens."""
    whole = rows.assign(total_param=rows["weight_byte"] * 8 / rows["bit_per_param"])
    byte = rows["weight_byte"].to_numpy(dtype=float)
    found = expected.read_byte(
        weights(whole, package), byte, expert_bit=_expert_bit(rows, package), batch_size=batch_size
    )
    return np.asarray(found)


def active_param(rows: pd.DataFrame, package: DataPackage) -> np.ndarray:
    """Return the parameters that a token uses, as the models' makers count them."""
    models = package.table("models").set_index("model_id")
    return models["active_param"].astype(float).reindex(rows["model_id"]).to_numpy()


def weights(rows: pd.DataFrame, package: DataPackage) -> expected.Weights:
    """Return what the models' shapes say of the weights a step reads; a model without filed experts is dense.

    ``rows`` need ``model_id``, ``total_param`` and ``embedding_param``.
    """
    models = package.table("models").set_index("model_id")
    shape = models[["n_layer", "n_expert", "n_active_expert", "model_dim", "ffn_dim", "total_param", "active_param"]]
    numbers: list[Any] = shape.astype(float).to_dict("records")
    shape = shape.astype(float).assign(expert_param=[expected.expert_param(row) for row in numbers])
    mine = shape.reindex(rows["model_id"])
    total = np.where(mine["expert_param"] > 0, mine["total_param"], rows["total_param"].to_numpy(dtype=float))
    return expected.Weights(
        total, rows["embedding_param"].to_numpy(dtype=float), mine["expert_param"].fillna(0.0).to_numpy(),
        mine["n_expert"].to_numpy(), mine["n_active_expert"].to_numpy(),
    )  # fmt: skip


def _expert_bit(rows: pd.DataFrame, package: DataPackage) -> np.ndarray:
    """Bits of experts that have a format of their own, whatever the name of the file says; NaN elsewhere."""
    bits = package.table("number_formats").set_index("format_id")["effective_bit_per_param"].astype(float)
    return bits.reindex(rows["expert_format_id"]).to_numpy()


def _bits(rows: pd.DataFrame, package: DataPackage) -> pd.Series[float]:
    by_name = rows["quantization"].map(lambda name: names.number_format(name, package.folder).bit_per_param)
    return bit_of_file(rows).fillna(by_name)


def bit_of_file(rows: pd.DataFrame) -> pd.Series[float]:
    """Return the effective bits of a weight by the size of the file; missing where that or the parameters are."""
    byte, param = (rows[name].to_numpy(dtype=float) for name in ("weight_byte", "total_param"))
    return pd.Series(memory_wall.effective_bit_per_param(byte, param), index=rows.index)


def _cache_byte(rows: pd.DataFrame) -> pd.Series[float]:
    """Return the bytes of cache read at the mean context of the run, in FP16, windows respected."""
    number = {
        name: rows[name].to_numpy(dtype=float) for name in rows.columns if pd.api.types.is_numeric_dtype(rows[name])
    }
    shape = number | {
        "n_kv_head": number["window_n_kv_head"], "head_dim": number["window_head_dim"], "full_n_kv_head": number["n_kv_head"],
        "full_head_dim": number["head_dim"], "n_cache_layer": number["n_full_layer"], "n_sliding_layer": number["n_window_layer"],
        "sliding_window_token": number["window_token"],
    }  # fmt: skip
    return pd.Series(shapes.cache(shape, FP16_BYTE).at(number["mean_context_token"]), index=rows.index)


def _collapsed(rows: pd.DataFrame) -> pd.DataFrame:
    """Collapse replicates: the median rate, and how many runs it stands for."""
    kept = {name: "first" for name in rows.columns if name not in SAME_RUN}
    grouped = rows.groupby(SAME_RUN, dropna=False, sort=False)
    return grouped.agg(kept | {"decode_token_per_s": "median"}).assign(n_run=grouped.size()).reset_index()


def replicate_spread(package: DataPackage) -> tuple[float, int]:
    """Return by how much the fastest run of a configuration beats its slowest in nine of ten cases at most, and the number of cases."""
    rows = package.table("measurements_decode")
    rows = rows[rows["is_fit_candidate"].astype(bool) & (rows["quality"] != "c")]
    same = [
        "chip",
        "n_gpu_core",
        "backend",
        "framework",
        "model",
        "quantization",
        "weight_byte",
        "context_token",
        "decode_test",
    ]
    runs = rows.groupby([*same, "flash_attention"], dropna=False)["decode_token_per_s"].agg(["max", "min", "size"])
    runs = runs[runs["size"] > 1]
    return float((runs["max"] / runs["min"] - 1).quantile(0.9)), len(runs)


def with_kinds(rows: pd.DataFrame, package: DataPackage) -> pd.DataFrame:
    """Add what the model needs to know of stack, memory, software and format, and whether the row is fitted."""
    rows = rows.copy()
    generations = [expected.generation(chip, package.folder) for chip in rows["chip"]]
    rows["introduced_year"] = [generation.introduced_year for generation in generations]
    families = [expected.family(chip, package.folder) for chip in rows["chip"]]
    rows["generation_id"] = [family.generation_id for family in families]
    rows["chip_vendor"] = [family.vendor for family in families]
    rows["stack"] = rows["backend"].str.lower().map(expected.STACKS).fillna(expected.BORROWED_STACK)
    rows["is_hbm"] = np.array([generation.is_hbm for generation in generations]) & (rows["stack"] != "cpu")
    rows["is_phone"] = False
    rows["op_per_s"] = [peaks.peak(chip, package.folder).cpu_op_per_s for chip in rows["chip"]]
    rows["packing"] = [
        expected.packing(name, bit) for name, bit in zip(rows["quantization"], rows["bit_per_param"], strict=True)
    ]
    rows["is_expert"] = (rows["architecture"] == "moe").astype(float)
    rows = coded(rows)
    kinds = zip(rows["stack"], rows["packing"], rows["is_expert"], strict=True)
    rows["group"] = [expected.group(stack, packing, is_expert=bool(expert)) for stack, packing, expert in kinds]
    rows["left_out"] = _left_out(rows)
    return rows


def coded(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the row of the table of coefficients that stack, engine, memory, generation, software and format lead to."""
    old = [
        expected.is_old_software(year, born, stack)
        for year, born, stack in zip(rows["year"], rows["introduced_year"], rows["stack"], strict=True)
    ]
    rows = rows.assign(is_old_software=old, tuning=[tuning(engine) for engine in rows["engine"]])
    rows["is_old_chip"] = [
        expected.is_old_chip(stack, born, hbm=bool(hbm))
        for stack, born, hbm in zip(rows["stack"], rows["introduced_year"], rows["is_hbm"], strict=True)
    ]
    columns = ["stack", "tuning", "is_hbm", "is_old_software", "is_old_chip", "flash", "packing"]
    codes = [
        expected.code(s, tuning=t, hbm=bool(h), old_software=bool(o), old_chip=bool(c), flash=bool(f), packing=p)
        for s, t, h, o, c, f, p in rows[columns].itertuples(index=False)
    ]
    return rows.assign(code=codes)


def tuning(engine: str) -> str:
    """What an engine makes of a model; one that is not known is taken for llama.cpp."""
    return expected.ENGINES.get(engine, expected.TUNINGS[0])


def _left_out(rows: pd.DataFrame) -> pd.Series[str]:
    """Say why a row is shown but not fitted; empty for the rows that are."""
    reason = pd.Series("", index=rows.index)
    reason[~rows["backend"].str.lower().isin(FITTED_BACKENDS)] = "one chip only on this backend"
    reason[rows["engine"].isin(OTHER_ENGINES)] = "another engine"
    reason[rows["introduced_year"] < OLDEST_FITTED_YEAR] = "chip older than 2015"
    return reason


def configuration(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns the model reads, as arrays."""
    year = rows["introduced_year"].map(expected.clipped_year)
    names = {"bandwidth_byte_per_s": "memory_bandwidth_byte_per_s", "weight_byte": "read_byte"}
    plain = ("n_layer", "bit_per_param", "kv_cache_byte", "is_expert", "n_thread", "op_per_s", "is_phone")
    columns = (
        {key: rows[column] for key, column in names.items()}
        | {name: rows[name] for name in plain}
        | {"introduced_year": year}
    )
    return {key: column.to_numpy(dtype=float) for key, column in columns.items()}


def predicted_token_per_s(rows: pd.DataFrame, calibration: expected.Calibration) -> np.ndarray:
    """Return the expected decode rate of each row under one calibration."""
    kinds = expected.arrays(calibration.table, rows["code"].to_numpy(dtype=np.int64))
    return 1 / np.asarray(calibration.parts(kinds, asked(configuration(rows), calibration)).step_s)


def asked(columns: dict[str, np.ndarray], calibration: expected.Calibration) -> dict[str, np.ndarray]:
    """Return what the model is asked, with what limits processor cores under this calibration."""
    limits = ("bandwidth_byte_per_s", "n_thread", "op_per_s", "is_phone")
    return columns | calibration.processor(**{name: columns[name] for name in limits})


def ideal_token_per_s(rows: pd.DataFrame) -> np.ndarray:
    """Return the ideal limit of each row: bandwidth over bytes."""
    return (rows["memory_bandwidth_byte_per_s"] / (rows["read_byte"] + rows["kv_cache_byte"])).to_numpy(dtype=float)


def error_ratio(rows: pd.DataFrame, predicted: np.ndarray) -> np.ndarray:
    """Return the relative error of predicted speeds."""
    return np.asarray(validation.speed_error_ratio(predicted, rows["decode_token_per_s"].to_numpy(dtype=float)))


def is_graphics(rows: pd.DataFrame) -> pd.Series[bool]:
    """Say which rows are graphics processors at 4 bits and more: the group with the most measurements."""
    return (rows["stack"] != "cpu") & (rows["bit_per_param"] >= expected.LOW_BIT)


# ----------------------------------------------------------------- what to expect of a device, for every chapter


HANDHELD = ("phone", "tablet")
"""Classes of devices none of which is among the fitted measurements."""


def stacks(package: DataPackage, devices: pd.DataFrame) -> list[str]:
    """Return the software stack of each device: its ``backend``; else that of its vendor's others of the class, if all agree; else none."""
    known = package.table("devices")
    known = known[known["backend"] != ""]
    maker = known["vendor"].str.lower()
    agreed = {
        key: part.iloc[0]
        for key, part in known["backend"].groupby([maker, known["device_class"]])
        if part.nunique() == 1
    }
    keys = zip(devices["vendor"].str.lower(), devices["device_class"], strict=True)
    return [filed or agreed.get(key, "") for filed, key in zip(devices["backend"], keys, strict=True)]


@once_per_package
def supported(package: DataPackage) -> pd.DataFrame:
    """Return the kinds of chips that the fitted measurements speak for, each once, as the column ``kind``."""
    rows = decode_measurements(package)
    rows = rows[rows["left_out"] == ""].drop_duplicates(["chip", "stack"])
    kinds = {
        expected.kind(stack, chip, package.folder) for stack, chip in zip(rows["stack"], rows["chip"], strict=True)
    } - {()}
    return pd.DataFrame({"kind": sorted(kinds)})


def is_extrapolated(package: DataPackage, devices: pd.DataFrame, stacks: list[str]) -> list[bool]:
    """Say of which devices no measurement that the model is fitted to speaks: handhelds, and kinds of chips nobody measured."""
    known = set(supported(package)["kind"])
    kinds = [expected.kind(stack, chip, package.folder) for stack, chip in zip(stacks, _chips(devices), strict=True)]
    handheld = devices["device_class"].isin(HANDHELD)
    return [bool(in_hand) or kind not in known for in_hand, kind in zip(handheld, kinds, strict=True)]


def _interval(known: expected.Calibration, group: str, evidence: str) -> tuple[float, float]:
    """Return the ends of a group's interval, widened to what the errors on phones say where there are any."""
    every = [known.intervals[name] for name in (group, evidence) if name in known.intervals]
    return min(low for low, _ in every), max(high for _, high in every)


def _evidence(devices: pd.DataFrame, stacks: list[str], extrapolated: list[bool]) -> list[str]:
    """Name the group of phones whose errors speak for a device: handhelds, and Apple's other chips that nobody measured."""
    handheld = devices["device_class"].isin(HANDHELD)
    return [
        f"phone-{stack}" if guessed and (in_hand or stack == "metal") else ""
        for stack, guessed, in_hand in zip(stacks, extrapolated, handheld, strict=True)
    ]


def expected_models(
    package: DataPackage,
    devices: pd.DataFrame,
    *,
    format_ids: tuple[str, ...],
    token_per_s: float,
    bandwidth_share: float = 1.0,
) -> pd.DataFrame:
    """Return the largest model each device is expected to run at a speed, with its 80 % band and the ideal limit beside it.

    One row per device and format: ``device_id``, ``format_id``, ``limit_param`` (ideal), ``expected_param``,
    ``expected_low_param``, ``expected_high_param``, ``stack``, ``interval_group``, ``is_extrapolated``, ``source_id``.
    ``bandwidth_share`` is what other programs leave of the bandwidth; the KV cache is left out of both.  Missing bandwidth stays missing.
    """
    known = expected.calibration(package.folder)
    frames = [
        _expected_of_format(package, devices, known, format_id, token_per_s, bandwidth_share)
        for format_id in format_ids
    ]
    return pd.concat(frames, ignore_index=True)


def _expected_of_format(
    package: DataPackage,
    devices: pd.DataFrame,
    known: expected.Calibration,
    format_id: str,
    token_per_s: float,
    bandwidth_share: float,
) -> pd.DataFrame:
    bit = float(package.row("number_formats", format_id)["effective_bit_per_param"])
    bandwidth = devices["memory_bandwidth_byte_per_s"].to_numpy(dtype=float) * bandwidth_share
    known_as = _known_as(package, devices, known, expected.packing(format_id, bit))
    kind = _device_kind(package, devices, list(known_as["stack"]), format_id, bit)
    limit = memory_wall.largest_model_param(bandwidth, token_per_s=token_per_s, byte_per_param=bit / BIT_PER_BYTE)
    ratios = (np.ones(len(devices)), known_as["low"].to_numpy(), known_as["high"].to_numpy())
    told = np.where(known_as["is_known"], bandwidth, np.nan)
    cores = _cores(package, devices, known, told)
    solved = [_solved_param(known, kind, told, bit, ratio / token_per_s, cores) for ratio in ratios]
    return pd.DataFrame(
        {
            "device_id": devices["device_id"].to_numpy(), "format_id": format_id, "limit_param": limit, "expected_param": solved[0],
            "expected_low_param": solved[1], "expected_high_param": np.minimum(solved[2], limit),
            "stack": known_as["stack"], "interval_group": known_as["group"], "is_extrapolated": known_as["is_extrapolated"],
            "source_id": devices["source_id"].to_numpy(),
        }
    )  # fmt: skip


def _known_as(
    package: DataPackage, devices: pd.DataFrame, known: expected.Calibration, packing: str, *, is_expert: bool = False
) -> pd.DataFrame:
    """Return how the model sees each device: ``stack``, ``group`` and ends of its interval, whether that is extrapolated.

    Of a device whose software nobody names (``is_known`` false) nothing is expected.
    """
    filed = stacks(package, devices)
    stack = [name or expected.BORROWED_STACK for name in filed]
    guessed = is_extrapolated(package, devices, stack)
    handheld = devices["device_class"].isin(HANDHELD)
    groups = [
        expected.group(name, packing, is_expert=is_expert, is_phone=bool(held))
        for name, held in zip(stack, handheld, strict=True)
    ]
    evidence = _evidence(devices, stack, guessed)
    ends = np.array([_interval(known, *names) for names in zip(groups, evidence, strict=True)]).reshape(-1, 2)
    shown = [name if name in known.intervals else group for group, name in zip(groups, evidence, strict=True)]
    return pd.DataFrame(
        {
            "stack": stack, "is_known": [bool(name) for name in filed], "is_extrapolated": guessed, "group": shown,
            "low": ends[:, 0], "high": ends[:, 1],
        }
    )  # fmt: skip


def _chips(devices: pd.DataFrame) -> list[str]:
    """What the patterns of the generations are held against: the chip and the name of each device."""
    return [f"{chip} {name}" for chip, name in zip(devices["chip"], devices["name"], strict=True)]


def _device_kind(
    package: DataPackage, devices: pd.DataFrame, stacks: list[str], format_id: str, bit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the code of each device in the table of coefficients, and the year of its generation; software of today."""
    generations = [expected.generation(chip, package.folder) for chip in _chips(devices)]
    packing = expected.packing(format_id, bit)
    codes = [_code_of_today(stack, generation, packing) for stack, generation in zip(stacks, generations, strict=True)]
    return np.array(codes), np.array(
        [expected.clipped_year(generation.introduced_year) for generation in generations], dtype=float
    )


def _cores(
    package: DataPackage, devices: pd.DataFrame, known: expected.Calibration, bandwidth: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what limits the processor cores of each device, where its processor does the work: all threads, peaks where they are filed."""
    of_chip = [peaks.peak(chip, package.folder).cpu_op_per_s for chip in devices["chip"]]
    handheld = devices["device_class"].isin(HANDHELD).to_numpy()
    unknown = np.full(len(devices), np.nan)
    return known.processor(
        bandwidth_byte_per_s=bandwidth, n_thread=unknown, op_per_s=np.array(of_chip), is_phone=handheld
    )


def _code_of_today(stack: str, generation: expected.Generation, packing: str) -> int:
    hbm = generation.is_hbm and stack != "cpu"
    old = expected.is_old_chip(stack, generation.introduced_year, hbm=hbm)
    kind = expected.ENGINES[expected.usual_engine(stack, hbm=hbm, is_phone=generation.is_phone)]
    return expected.code(stack, hbm=hbm, old_software=False, flash=True, packing=packing, old_chip=old, tuning=kind)


def _solved_param(
    known: expected.Calibration,
    kind: tuple[np.ndarray, np.ndarray],
    bandwidth: np.ndarray,
    bit: float,
    step_s: np.ndarray,
    cores: dict[str, np.ndarray],
) -> np.ndarray:
    """Return the model size at which a step takes so long, by halving on a logarithmic scale; the time grows with the size."""
    table = expected.arrays(known.table, kind[0])

    def is_quick(param: np.ndarray) -> np.ndarray:
        size = {
            "weight_byte": param * bit / BIT_PER_BYTE,
            "n_layer": expected.typical_layer(known, param),
            "bit_per_param": bit,
        }
        parts = known.parts(
            table,
            {"bandwidth_byte_per_s": bandwidth, "kv_cache_byte": 0.0, "introduced_year": kind[1], **size, **cores},
        )
        return np.asarray(parts.step_s) <= step_s

    return np.where(np.isnan(bandwidth), np.nan, expected.largest_param(is_quick, len(bandwidth)))
