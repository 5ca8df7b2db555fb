"""``make calibrate``: fit the model to the measurements, and say how well it does on chips it never saw.

Writes ``data/calibration.csv`` (parameters and intervals), ``data/calibration_folds.csv`` (the parameters with one chip left out,
for predictions of unseen chips) and ``data/calibration_ladder.csv`` (what each term buys).
scipy is needed here and nowhere else: ``make develop`` installs it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import tables, words
from analysis.model import expected, phones, prompts, serving, transfer
from analysis.model import intervals as spread
from analysis.model import measured as prepared
from analysis.model.own import WEIGHT_OF
from analysis.tables import DataPackage

Values = npt.NDArray[np.float64]
Model = Callable[[pd.DataFrame, Mapping[str, float]], Values]

NOISE_RATIO = 0.05
"""Size of an error, in the logarithm of the speed, from which on a row counts less: the noise of runs without a build number."""
SERVING_NOISE_RATIO = 0.1
"""The same for times of requests on servers."""
DIGITS = 5
POPE_DATE = "2022-11"
LEAST = 1e-6
"""Least value of a parameter, relative to where its search starts."""
SMALLEST_ERROR_SHARE = 1e-6


@dataclass(frozen=True)
class Parameter:
    """One fitted number: where the search starts, how far it may go, and what it means."""

    parameter_id: str
    unit: str
    start: float
    meaning: str
    high: float = np.inf


GPU = (
    Parameter("launch", "s_per_layer", 4e-5, "A layer's launches and small operations on CUDA, Vulkan and Metal, generation of 2024"),
    Parameter("launch-rocm", "s_per_layer", 1e-4, "The same on ROCm"),
    Parameter("width-metal", "s_per_layer", 5e-5, "What a layer takes on top on Metal for every 400 GB/s, as far as bandwidth pays"),
    Parameter("launch-decline", "share_per_year", 0.05, "Rate at which newer generations of chips shed the time of launches"),
    Parameter("old-launch", "ratio", 2.0, "Factor on the launches under CUDA software of before 2025"),
    Parameter("bandwidth-share", "share", 0.85, "Share of the bandwidth reached; of HBM too under engines that compile a model", high=1.0),
    Parameter("bandwidth-share-hbm", "share", 0.65, "Share of the bandwidth reached: HBM under llama.cpp", high=1.0),
    Parameter("bandwidth-share-hbm-old", "share", 0.55, "Share of the bandwidth reached: HBM under llama.cpp of before 2025", high=1.0),
    Parameter("old-chip-share", "ratio", 0.5, "Factor on the share for cards of before 2018"),
    Parameter("kv-cost-without-flash", "ratio", 5.0, "Cost of a byte of KV cache over one of weights without flash attention, not on CUDA"),
    Parameter("unpacking", "bit_per_param", 0.5, "Unpacking, as bits read on top: under 4 bits; K and I mixes but not on newer CUDA cards"),
    Parameter("unpacking-decline", "share_per_year", 0.2, "Rate at which generations from 2020 on shed the cost of unpacking"),
    Parameter("unpacking-metal-new", "ratio", 0.5, "Factor on unpacking K and I mixes under Metal software of 2026"),
)  # fmt: skip
CPU = (
    Parameter("cpu-bandwidth-share", "share", 0.6, "Share of the bandwidth reached by processor cores", high=1.0),
    Parameter("cpu-layer", "s_per_layer", 3e-4, "Time of a layer on processor cores: all threads wait for the last"),
    Parameter("cpu-plain", "op_per_param", 2.0, "Unpacking a weight of a plain format on processor cores under llama.cpp"),
    Parameter("cpu-k", "op_per_bit", 0.6, "The same of a K format, for each of its bits: more bits take more steps"),
    Parameter("cpu-low", "op_per_param", 3.5, "The same under 4 bits"),
    Parameter("cpu-low-i", "op_per_param", 6.5, "The same of an I format under 4 bits"),
    Parameter("cpu-ik", "ratio", 0.8, "Factor on unpacking under ik_llama.cpp"),
)  # fmt: skip
OPENCL = (
    Parameter("opencl-bandwidth-share", "share", 0.7, "Share of the bandwidth reached under OpenCL on phones", high=1.0),
    Parameter("opencl-layer", "s_per_layer", 5e-4, "Time of a layer under OpenCL on phones"),
)  # fmt: skip
NPU = (
    Parameter("npu-bandwidth-share", "share", 0.7, "Share of the bandwidth reached by neural processors", high=1.0),
    Parameter("npu-layer", "s_per_layer", 5e-4, "Time of a layer on a neural processor"),
)  # fmt: skip
FITTED_APART = {"opencl": OPENCL, "npu": NPU, "cpu": CPU}
"""Stack → the parameters that only its rows decide; those of all others are fitted together."""
PARAMETERS = (*GPU, *CPU, *OPENCL, *NPU)
EXPERTS = (
    Parameter("routing", "s_per_layer", 5e-5, "What a layer of a mixture of experts takes on top on graphics processors"),
)  # fmt: skip
"""Fitted to mixtures of experts once the parameters of dense models are fixed."""
PREFILL = (
    Parameter("prefill-matrix", "share", 0.5, "Share of the peak of matrix units that prompts reach, software of 2025 and later"),
    Parameter("prefill-matrix-before-2025", "share", 0.3, "The same under CUDA software of before 2025"),
    Parameter("prefill-matrix-hbm", "share", 0.3, "The same of cards with HBM under llama.cpp"),
    Parameter("prefill-matrix-compiled", "share", 0.6, "The same under engines that compile a model"),
    Parameter("prefill-matrix-vulkan", "share", 0.35, "The same under Vulkan"),
    Parameter("prefill-shader-cuda", "share", 0.8, "Share of the peak of the shaders that prompts reach, cards without matrix units"),
    Parameter("prefill-shader-metal", "share", 0.7, "Share of the 16-bit peak of the shaders reached under Metal"),
    Parameter("prefill-shader-rocm", "share", 0.6, "The same under ROCm"),
    Parameter("prefill-shader-vulkan", "share", 0.45, "The same under Vulkan, cards of AMD and Intel"),
    Parameter("prefill-whole-metal", "ratio", 1.1, "Factor on the share for weights in 16 bits under Metal: nothing is unpacked"),
    Parameter("prefill-unpacking-metal", "ratio", 0.8, "Factor on the share for K and I mixes under Metal software of before 2026"),
)  # fmt: skip
"""Fitted to measured prompts once the parameters of decoding are fixed."""
SERVING = (
    Parameter("serving-launch-vllm", "s_per_layer", 7e-5, "Time of a layer whatever its weights and batch, under vLLM"),
    Parameter("serving-launch-tensorrt-llm", "s_per_layer", 4e-5, "The same under TensorRT-LLM"),
    Parameter("serving-hop", "s_per_layer", 3e-5, "Time a layer takes on top for every doubling of the chips"),
    Parameter("serving-sequence-vllm", "s", 7e-5, "Time of a step for every sequence of the batch, under vLLM"),
    Parameter("serving-sequence-tensorrt-llm", "s", 3e-5, "The same under TensorRT-LLM"),
    Parameter("serving-bandwidth-share", "share", 0.8, "Share of the bandwidth reached by serving engines", high=1.0),
    Parameter("serving-compute-share", "share", 0.7, "Share of the dense peak reached by serving engines", high=1.0),
)  # fmt: skip
STEPS = (
    Parameter("serving-launch-vllm-new", "s_per_layer", 7e-5, "Time of a layer whatever its weights and batch, under vLLM of 2026"),
    Parameter("serving-sequence-vllm-new", "s", 5e-5, "Time of a step for every sequence of the batch, under vLLM of 2026"),
    Parameter("serving-compute-share-new", "share", 0.5, "Share of the dense peak reached by vLLM of 2026", high=1.0),
)  # fmt: skip
"""Fitted to steps of 2026; the share of the bandwidth and the time for chips that share layers are those of the requests."""
TPU = (
    Parameter("tpu-layer", "s_per_layer", 1.5e-4, "Time of a layer on 16 to 64 TPU v4, communication included"),
    Parameter("tpu-bandwidth-share", "share", 0.9, "Share of the bandwidth reached on TPU v4", high=1.0),
    Parameter("tpu-compute-share", "share", 0.5, "Share of the dense peak reached on TPU v4 while writing", high=1.0),
    Parameter("tpu-prefill-share", "share", 0.5, "Share of the dense peak reached on TPU v4 while reading the prompt", high=1.0),
)  # fmt: skip
FASTERTRANSFORMER = (
    Parameter("fastertransformer-layer", "s_per_layer", 2e-4, "Time of a layer under FasterTransformer on the 8 chips of one node"),
    Parameter("fastertransformer-hop", "s_per_layer", 6e-5, "Time a layer takes on top for every doubling of the chips that share it"),
    Parameter("fastertransformer-link", "byte_per_s", 1.5e11, "Rate at which a chip exchanges activations"),
)  # fmt: skip
"""Shares of bandwidth and peak are those of the serving engines on the same chip."""

NEUTRAL = {
    "routing": 0.0, "launch": 0.0, "launch-rocm": 0.0, "width-metal": 0.0, "launch-decline": 0.0, "old-launch": 1.0, "unpacking": 0.0,
    "unpacking-decline": 0.0, "kv-cost-without-flash": expected.FLASH_KV_COST_RATIO, "old-chip-share": 1.0, "unpacking-metal-new": 1.0,
    "cpu-layer": 0.0, "cpu-plain": 0.0, "cpu-k": 0.0, "cpu-low": 0.0,
    "cpu-low-i": 0.0, "cpu-ik": 1.0, "opencl-layer": 0.0, "npu-layer": 0.0,
}  # fmt: skip
"""What a parameter is where the model does without it."""
SAME_AS = {
    "launch-rocm": "launch", "bandwidth-share-hbm": "bandwidth-share", "bandwidth-share-hbm-old": "bandwidth-share-hbm",
    "cpu-bandwidth-share": "bandwidth-share", "opencl-bandwidth-share": "bandwidth-share", "npu-bandwidth-share": "bandwidth-share",
}  # fmt: skip
"""The parameter a missing one falls back on."""
LADDER = (
    ("share", "One share of the bandwidth", ("bandwidth-share",)),
    ("processors", "Processors apart", tuple(parameter.parameter_id for parameter in CPU)),
    ("layers", "Time per layer", ("launch", "launch-rocm", "width-metal")),
    ("hbm", "HBM apart", ("bandwidth-share-hbm",)),
    ("cache", "Cache without flash attention", ("kv-cost-without-flash",)),
    ("software", "Software before 2025", ("old-launch", "bandwidth-share-hbm-old")),
    ("unpacking", "Unpacking", ("unpacking", "unpacking-decline", "unpacking-metal-new")),
    ("generations", "Generation of the chip", ("launch-decline", "old-chip-share")),
)  # fmt: skip
"""The steps from one parameter to all of them, on computers."""


# --------------------------------------------------------------------------------------------- fitting


class Problem:
    """The rows of a fit as arrays, with the weight of each: every chip and backend counts once."""

    def __init__(self, rows: pd.DataFrame, fixed: Mapping[str, float] | None = None) -> None:
        self.rows, self.fixed = rows.reset_index(drop=True), dict(fixed or {})
        self.configuration = prepared.configuration(self.rows)
        self.used, self.codes = np.unique(self.rows["code"].to_numpy(dtype=np.int64), return_inverse=True)
        self.log_measured = np.log(self.rows["decode_token_per_s"].to_numpy(dtype=float))
        self.weight = chip_weight(self.rows)

    def log_predicted(self, parameters: Mapping[str, float]) -> Values:
        """Return the logarithm of the predicted speeds."""
        calibration = expected.Calibration(parameters, {})
        table = np.array([calibration.of(expected.COMBINATIONS[code]) for code in self.used])
        asked = prepared.asked(self.configuration, calibration)
        step_s: Values = np.asarray(calibration.parts(expected.arrays(table, self.codes), asked).step_s)
        return np.asarray(-np.log(step_s))

    def residual(self, parameters: Mapping[str, float]) -> Values:
        """Return the weighted residuals, bent so that their square grows only linearly beyond the noise."""
        error = self.log_predicted(completed(self.fixed | dict(parameters))) - self.log_measured
        return bent(error, self.weight, NOISE_RATIO)


def chip_weight(rows: pd.DataFrame) -> Values:
    """Return the weight of each row: that of its chip on its backend, shared out over its rows; benchmarks of users count half."""
    of_chip = np.asarray(1 / rows.groupby(["chip", "backend"])["chip"].transform("size"), dtype=float)
    return of_chip * (rows["weight"].to_numpy(dtype=float) if "weight" in rows else 1.0)


def completed(fitted: Mapping[str, float]) -> dict[str, float]:
    """Return all parameters, those not fitted at their neutral value or at the one they fall back on."""
    values = dict(NEUTRAL) | dict(fitted)
    for name, other in SAME_AS.items():
        if name not in fitted and other in values:
            values[name] = values[other]
    return values


def fit(
    problem: Problem | ServingProblem, parameters: Iterable[Parameter], start: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the parameters that fit best, by robust least squares on the logarithm of the speed."""
    from scipy.optimize import least_squares

    chosen = list(parameters)
    scale = np.array([parameter.start for parameter in chosen])
    first = np.array([(start or {}).get(parameter.parameter_id, parameter.start) for parameter in chosen]) / scale
    most = np.array([parameter.high for parameter in chosen]) / scale

    def residual(relative: Values) -> Values:
        return problem.residual({p.parameter_id: v for p, v in zip(chosen, relative * scale, strict=True)})

    found = least_squares(residual, np.clip(first, 2 * LEAST, most), bounds=(LEAST, most), xtol=1e-8, ftol=1e-8)
    return {p.parameter_id: float(v) for p, v in zip(chosen, found.x * scale, strict=True)}


class ServingProblem:
    """Times of requests as a problem to fit; every series counts the same."""

    def __init__(self, rows: pd.DataFrame, model: Model, measured: str, series: str) -> None:
        self.rows, self.model = rows, model
        self.log_measured = np.log(rows[measured].to_numpy(dtype=float))
        self.weight = np.asarray(1 / rows.groupby(series)[series].transform("size"), dtype=float)

    def residual(self, parameters: Mapping[str, float]) -> Values:
        """Return the weighted residuals of the logarithm of the time."""
        return bent(np.log(self.model(self.rows, parameters)) - self.log_measured, self.weight, SERVING_NOISE_RATIO)


def bent(error: Values, weight: Values, noise: float) -> Values:
    """Return weighted residuals whose square grows only linearly beyond the noise."""
    scaled = error / noise
    return np.asarray(np.sqrt(weight) * np.sign(scaled) * np.sqrt(2 * (np.sqrt(1 + scaled**2) - 1)))


def series_folds(
    rows: pd.DataFrame, model: Model, parameters: tuple[Parameter, ...], measured: str, series: str
) -> dict[str, dict[str, float]]:
    """Return the serving parameters fitted with each series left out in turn."""
    whole = fit(ServingProblem(rows, model, measured, series), parameters)
    found = {}
    for name in sorted(rows[series].unique()):
        problem = ServingProblem(rows[rows[series] != name].reset_index(drop=True), model, measured, series)
        found[str(name)] = fit(problem, parameters, whole)
    return found


def parts(rows: pd.DataFrame, parameters: Iterable[Parameter]) -> Iterator[tuple[pd.DataFrame, list[Parameter]]]:
    """Yield the rows of each kind of hardware with the parameters that only they decide; graphics processors of all stacks are one."""
    chosen = list(parameters)
    apart = [p for own in FITTED_APART.values() for p in own]
    yield rows[~rows["stack"].isin(list(FITTED_APART))], [p for p in chosen if p not in apart]
    for stack, own in FITTED_APART.items():
        yield rows[rows["stack"] == stack], [p for p in chosen if p in own]


def fit_all(rows: pd.DataFrame, parameters: Iterable[Parameter]) -> dict[str, float]:
    """Return the parameters that fit best, each kind of hardware by its own rows."""
    found: dict[str, float] = {}
    for mine, own in parts(rows, parameters):
        if own and len(mine):
            found |= fit(Problem(mine, found), own)
    return found


def folds(rows: pd.DataFrame, parameters: Iterable[Parameter], by: str = "chip") -> dict[str, dict[str, float]]:
    """Return the parameters fitted with each chip left out in turn, or with what another column tells apart, by what was left out.

    A parameter that no other chip decides is where its search began.
    """
    chosen = list(parameters)
    whole = fit_all(rows, chosen)
    found: dict[str, dict[str, float]] = {str(chip): dict(whole) for chip in sorted(rows[by].unique())}
    for mine, own in parts(rows, chosen):
        for chip in mine[by].unique() if own else ():
            others = mine[mine[by] != chip]
            begun = {p.parameter_id: p.start for p in own}
            found[str(chip)] |= fit(Problem(others, found[str(chip)]), own) if len(others) else begun
    return found


def expert_folds(
    rows: pd.DataFrame, dense: Mapping[str, float], dense_folds: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the parameters of mixtures of experts with each chip left out, of the dense fit as well where it was in it."""
    found = {}
    for chip in sorted(rows["chip"].unique()):
        fixed = dict(dense_folds.get(chip, dense))
        found[str(chip)] = fixed | fit(Problem(rows[rows["chip"] != chip], fixed), EXPERTS)
    return found


def unseen_token_per_s(
    rows: pd.DataFrame, left_out: Mapping[str, Mapping[str, float]], by: str = "chip", found: Mapping[str, float] | None = None
) -> Values:  # fmt: skip
    """Return the prediction for each row by the parameters that never saw its chip, or what another column says of it.

    ``found`` are the parameters of rows that nothing was fitted to; without them those have no prediction.
    """
    predicted = np.full(len(rows), np.nan)
    if found is not None:
        predicted = prepared.predicted_token_per_s(rows, expected.Calibration(completed(found), {}))
    for chip, parameters in left_out.items():
        mask = (rows[by] == chip).to_numpy()
        predicted[mask] = prepared.predicted_token_per_s(rows[mask], expected.Calibration(completed(parameters), {}))
    return predicted


# -------------------------------------------------------------------------------------------- judging


def intervals(rows: pd.DataFrame, predicted: Values) -> dict[str, tuple[float, float]]:
    """Return the ends of the interval of each group: measured over predicted speed of chips that were left out."""
    ratio = rows["decode_token_per_s"].to_numpy(dtype=float) / predicted
    weight = np.asarray(1 / rows.groupby(["chip", "backend"])["chip"].transform("size"), dtype=float)
    ends = {}
    for name in (name for name in expected.GROUPS if name in set(rows["group"])):
        mask = (rows["group"] == name).to_numpy()
        ends[name] = spread.ends(ratio[mask], weight[mask], few=spread.is_few(rows[mask]))
    return ends


def phone_intervals(runs: pd.DataFrame, known: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return the ends of the intervals of phones with too few chips: where their unseen runs lie, and the group they borrow from."""
    found = {}
    for name, lender in phones.BORROWED.items():
        low, high = phones.ends(runs[runs["group"] == name])
        found[name] = (min(low, known[lender][0]), max(high, known[lender][1]))
    return found


def standard_errors(left_out: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the standard errors by leaving out one chip at a time (the jackknife)."""
    names = list(next(iter(left_out.values())))
    values = np.array([[parameters[name] for name in names] for parameters in left_out.values()])
    spread = np.sqrt((len(values) - 1) * np.var(values, axis=0))
    return dict(zip(names, spread.tolist(), strict=True))


def ladder(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the error on unseen chips with the terms added one after the other, from the ideal limit on."""
    known = {parameter.parameter_id: parameter for parameter in PARAMETERS}
    steps = [_rung("ideal", "Ideal limit", 0, rows, prepared.ideal_token_per_s(rows))]
    chosen: list[Parameter] = []
    for step_id, name, added in LADDER:
        chosen += [known[parameter_id] for parameter_id in added]
        steps.append(_rung(step_id, name, len(chosen), rows, unseen_token_per_s(rows, folds(rows, chosen))))
    return [*steps[:-1], steps[-1] | generation_errors(rows, chosen)]


def generation_errors(rows: pd.DataFrame, parameters: Iterable[Parameter]) -> dict[str, float]:
    """Return the errors on graphics processors with whole generations left out: median, and what nine in ten stay below."""
    graphics = rows[prepared.is_graphics(rows)].reset_index(drop=True)
    left_out = folds(graphics, parameters, "generation")
    error = prepared.error_ratio(graphics, unseen_token_per_s(graphics, left_out, "generation"))
    return {name: _short(float(np.quantile(error, tail))) for name, tail in GENERATION_TAILS.items()}


GENERATION_TAILS = {"gpu_generation_error_ratio": 0.5, "gpu_generation_large_error_ratio": 0.9}


def _halves(rows: pd.DataFrame) -> dict[str, npt.NDArray[np.bool_]]:
    of_chip = np.array([spread.half(chip) for chip in rows["chip"]])
    return {half: of_chip == half for half in spread.HALVES}


def _rung(step_id: str, name: str, count: int, rows: pd.DataFrame, predicted: Values) -> dict[str, Any]:
    error = prepared.error_ratio(rows, predicted)
    graphics = error[prepared.is_graphics(rows).to_numpy()]
    halves = {half: graphics[mask] for half, mask in _halves(rows[prepared.is_graphics(rows)]).items()}
    columns = {
        "error_ratio": np.median(error),
        "gpu_error_ratio": np.median(graphics),
        "gpu_large_error_ratio": np.quantile(graphics, 0.9),
    } | {f"gpu_{half}_error_ratio": np.median(part) for half, part in halves.items()}
    return (
        {"step_id": step_id, "term": name, "n_parameter": count}
        | {key: _short(float(value)) for key, value in columns.items()}
        | dict.fromkeys(GENERATION_TAILS, "")
    )


# -------------------------------------------------------------------------------------------- writing


def fitted_rows(package: DataPackage) -> pd.DataFrame:
    """Return what the model is fitted to: runs of others, of the pair of cards, of phones, and some of users with half the weight."""
    rows = prepared.decode_measurements(package)
    crowd = prepared.crowd_measurements(package)
    crowd = crowd[crowd["chip"].isin(prepared.CROWD_CHIPS)].assign(weight=prepared.CROWD_WEIGHT, backend="users")
    every = [rows[rows["left_out"] == ""], prepared.pair_measurements(package), crowd, phones.fitted(package)]
    whole = pd.concat([part.reindex(columns=FIT_COLUMNS) for part in every], ignore_index=True)
    generation = whole["generation_id"].where(whole["generation_id"].fillna("") != "", whole["chip"])
    weight, is_phone = whole["weight"].fillna(1.0), whole["is_phone"].astype(bool)
    return whole.assign(weight=weight, is_phone=is_phone, generation=generation)


FIT_COLUMNS = [
    "measurement_id", "chip", "backend", "stack", "group", "code", "is_hbm", "packing", "is_phone", "bit_per_param", "n_layer", "read_byte",
    "kv_cache_byte", "memory_bandwidth_byte_per_s", "introduced_year", "is_expert", "n_thread", "op_per_s", "decode_token_per_s", "weight",
    "total_param", "date", "source_id", "generation_id", "engine",
]  # fmt: skip


def expert_rows(package: DataPackage) -> pd.DataFrame:
    """Return the measured mixtures of experts that the time for routing is fitted to: those on graphics processors."""
    rows = prepared.expert_measurements(package)
    return rows[(rows["left_out"] == "") & (rows["group"] == "experts")].reset_index(drop=True)


def decode_tables(package: DataPackage) -> dict[str, list[dict[str, Any]]]:
    """Fit the decode model and return what is filed of it, table by table."""
    rows, experts = fitted_rows(package), expert_rows(package)
    found = _rounded(fit_all(rows, PARAMETERS))
    left_out = {chip: _rounded(values) for chip, values in folds(rows, PARAMETERS).items()}
    routing = _rounded(fit(Problem(experts, found), EXPERTS))
    left_out_experts = {chip: _rounded(v) for chip, v in expert_folds(experts, found, left_out).items()}
    entries = [
        *_parameter_entries(PARAMETERS, found, left_out, rows),
        *_parameter_entries(EXPERTS, routing, left_out_experts, experts),
        *_every_interval(package, rows, experts, found | routing, left_out | left_out_experts),
    ]
    return {
        "calibration": [
            *entries,
            *_own_prompt_entries(package),
            *_sustained_entries(package),
            *_shape_entries(package),
        ],
        "calibration_folds": _fold_entries(left_out | left_out_experts),
        "calibration_ladder": ladder(rows[(rows["weight"] == 1) & ~rows["is_phone"]].reset_index(drop=True)),
    }


def _every_interval(
    package: DataPackage, rows: pd.DataFrame, experts: pd.DataFrame, found: Mapping[str, float], left_out: Mapping[str, Any]
) -> list[dict[str, Any]]:  # fmt: skip
    judged = pd.concat([rows[rows["backend"] != "users"], experts.assign(weight=1.0)], ignore_index=True)
    judged = judged[~judged["group"].isin(list(phones.BORROWED))].reset_index(drop=True)
    predicted = unseen_token_per_s(judged, left_out)
    ends = intervals(judged, predicted)
    entries = []
    for name, pair in ends.items():
        scope = _scope(judged[judged["group"] == name])
        entries += _ends_entries(name, pair, "measured over predicted speed on unseen chips", scope)
    runs = phones.measurements(package)
    on_phones = phones.with_expected(runs, unseen_token_per_s(runs, left_out, found=found))
    borrowed = phone_intervals(on_phones, ends)
    for name, pair in borrowed.items():
        what = f"measured over expected speed on unseen phones, not narrower than that of group {phones.BORROWED[name]}"
        entries += _ends_entries(name, pair, what, _scope(runs[runs["group"] == name]))
    seen = judged.assign(speed_ratio=judged["decode_token_per_s"] / predicted)[~judged["is_phone"].fillna(value=False)]
    return [*entries, *_own_entries(pd.concat([seen, on_phones], ignore_index=True), ends | borrowed)]


def _sustained_entries(package: DataPackage) -> list[dict[str, Any]]:
    """What is left of the speed of a phone after ten minutes: the median of pairs, and where eight in ten lie."""
    rows = phones.sustained(package)
    return [
        _entry(
            f"sustained{name}",
            "sustained",
            "ratio",
            _short(value),
            f"{SUSTAINED}: {phones.SUSTAINED[name]}",
            **_scope(rows),
        )
        for name, value in zip(phones.SUSTAINED, phones.sustained_ends(package), strict=True)
    ]


SUSTAINED = "Speed of a phone after ten minutes over that of a cool one"


def _own_entries(rows: pd.DataFrame, ends: Mapping[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """What one own measurement is worth: its weight, and the interval of each group that it improves."""
    table = transfer.pairs(rows)
    chosen = transfer.weights(table)
    filed = {name: (_short(low), _short(high)) for name, (low, high) in ends.items()}
    paired = rows[rows.groupby(transfer.MACHINE, dropna=False)["chip"].transform("size") > 1]
    entries = []
    for name, value in chosen.items():
        scope = _scope(paired[paired["group"].map(WEIGHT_OF) == name])
        entries.append(_entry(name, "own", "share", value, OWN_MEANING[name], **scope))
    for row in transfer.judged(table, chosen, filed).to_dict("records"):
        if row["is_used"]:
            name, pair = str(row["group"]), (float(row["low_ratio"]), float(row["high_ratio"]))
            what = "measured over predicted speed of a machine, one other run of which is known"
            entries += _ends_entries(f"own-{name}", pair, what, _scope(paired[paired["group"] == name]))
    return entries


def _own_prompt_entries(package: DataPackage) -> list[dict[str, Any]]:
    """The interval of a prompt on a machine of which another, of weights packed alike, was measured."""
    rows = prompts.own_measurements(package)
    what = "measured over expected rate of reading a prompt on a machine, one other prompt of which is known"
    paired = rows[rows.groupby([*transfer.MACHINE, "packing"], dropna=False)["chip"].transform("size") > 1]
    return _ends_entries("own-prefill-other", transfer.prompt_ends(transfer.prompt_pairs(rows)), what, _scope(paired))


OWN_MEANING = {
    "own-graphics": "Share of what one own measurement differs from what is expected that moves other predictions: graphics processors",
    "own-cores": "The same on processor cores",
}


def _parameter_entries(
    parameters: Iterable[Parameter],
    found: Mapping[str, float],
    left_out: Mapping[str, Mapping[str, float]],
    rows: pd.DataFrame,
) -> list[dict[str, Any]]:
    errors, scope = standard_errors(left_out), _scope(rows)
    entries = []
    for p in parameters:
        value = found[p.parameter_id]
        entries.append(
            _entry(p.parameter_id, "decode", p.unit, value, p.meaning, _error(errors[p.parameter_id], value), **scope)
        )
    return entries


def _fold_entries(left_out: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    return [
        {"left_out": chip, "half": spread.half(chip), "parameter_id": name, "value": value}
        for chip, values in sorted(left_out.items())
        for name, value in values.items()
    ]


def _scope(rows: pd.DataFrame) -> dict[str, Any]:
    return {"n_row": len(rows), "n_chip": rows["chip"].nunique(), "data_date": max(rows["date"].dropna())}


def prefill_tables(package: DataPackage, found: Mapping[str, float]) -> dict[str, list[dict[str, Any]]]:
    """Fit the shares of the peak that prompts reach, and return what is filed of them: parameters, folds, ends of the intervals."""
    known = expected.Calibration(completed(found), {})
    rows = pd.concat([prompts.measurements(package), prompts.pair_measurements(package)], ignore_index=True)
    rows = prompts.with_pass(rows, known)
    filed: dict[str, list[dict[str, Any]]] = {"calibration": [], "calibration_folds": []}
    shares = _file_serving(filed, rows, prompts.predicted_s, PREFILL, "time_s", "chip", kind="prefill")
    left_out: dict[str, dict[str, float]] = {}
    for entry in filed["calibration_folds"]:
        left_out.setdefault(entry["left_out"], {})[entry["parameter_id"]] = entry["value"]
    judged = pd.concat([rows, prompts.with_pass(prompts.expert_measurements(package), known)], ignore_index=True)
    ratio = np.full(len(judged), np.nan)
    for chip, group in judged.groupby("chip"):
        ratio[group.index] = prompts.predicted_s(group, left_out.get(str(chip), shares)) / group["time_s"]
    for name, part in judged.assign(ratio=ratio).groupby("group"):
        weight = np.asarray(1 / part.groupby(["chip", "backend"])["chip"].transform("size"), dtype=float)
        pair = spread.ends(part["ratio"].to_numpy(dtype=float), weight, few=spread.is_few(part))
        what = "measured over predicted rate of reading a prompt on unseen chips"
        filed["calibration"] += _ends_entries(str(name), pair, what, _scope(part.assign(date=part["date"].fillna(""))))
    return filed


def serving_tables(package: DataPackage) -> dict[str, list[dict[str, Any]]]:
    """Fit the serving models and return what is filed of them, table by table."""
    gpu = serving.serving_measurements(package)
    gpu = gpu[gpu["is_fitted"]].reset_index(drop=True)
    tpu, older = serving.pope_measurements(package), serving.fastertransformer_measurements(package)
    older = older[older["time_s"].notna()].reset_index(drop=True)
    fitted: dict[str, list[dict[str, Any]]] = {"calibration": [], "calibration_folds": []}
    found = _file_serving(fitted, gpu, serving.predicted_request_s, SERVING, "request_s", "series")
    steps = serving.step_measurements(package)
    steps = steps[~steps["is_long"]].reset_index(drop=True)
    new = with_fixed(serving.predicted_step_s, found)
    _file_serving(fitted, steps, new, STEPS, "time_s", "series")
    fitted["calibration"] += _serving_interval(fitted["calibration_folds"], gpu, steps, found)
    _file_serving(fitted, tpu, serving.predicted_pope_s, TPU, "time_s", "table")
    _file_serving(
        fitted, older, with_fixed(serving.predicted_fastertransformer_s, found), FASTERTRANSFORMER, "time_s", "table"
    )
    return fitted


def _serving_interval(
    filed: list[dict[str, Any]], requests: pd.DataFrame, steps: pd.DataFrame, found: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the ends of the interval above one sequence: requests and steps, each series predicted by parameters that never saw it."""
    left_out: dict[str, dict[str, float]] = {}
    for entry in filed:
        left_out.setdefault(entry["left_out"], dict(found))[entry["parameter_id"]] = entry["value"]
    ratios, names = [], []
    for rows, model, measured in (
        (requests, serving.predicted_request_s, "request_s"),
        (steps, serving.predicted_step_s, "time_s"),
    ):
        for series, part in rows.groupby("series"):
            ratios.append(model(part, left_out[str(series)]) / part[measured].to_numpy(dtype=float))
            names += [str(series)] * len(part)
    weight = 1 / pd.Series(names).groupby(names).transform("size").to_numpy(dtype=float)
    ends = spread.ends(np.concatenate(ratios), weight, few=False)
    scope = {
        "n_row": len(names),
        "n_chip": pd.concat([requests["chip"], steps["chip"]]).nunique(),
        "data_date": max(steps["date"]),
    }
    return _ends_entries("serving", ends, "measured over predicted speed of unseen pairs of chip and model", scope)


def with_fixed(model: Model, fixed: Mapping[str, float]) -> Model:
    """Return a model some of whose parameters are known."""
    return lambda rows, parameters: model(rows, dict(fixed) | dict(parameters))


def _file_serving(
    filed: dict[str, list[dict[str, Any]]],
    rows: pd.DataFrame,
    model: Model,
    parameters: tuple[Parameter, ...],
    measured: str,
    series: str,
    *,
    kind: str = "serving",
) -> dict[str, float]:
    found = _rounded(fit(ServingProblem(rows, model, measured, series), parameters))
    left_out = {
        name: _rounded(values) for name, values in series_folds(rows, model, parameters, measured, series).items()
    }
    errors = standard_errors(left_out)
    scope = {
        "n_row": len(rows),
        "n_chip": rows["chip"].nunique(),
        "data_date": max(rows["date"].dropna()) if "date" in rows else POPE_DATE,
    }
    for p in parameters:
        error = _error(errors[p.parameter_id], found[p.parameter_id])
        filed["calibration"].append(
            _entry(p.parameter_id, kind, p.unit, found[p.parameter_id], p.meaning, error, **scope)
        )
    prefix = "Table " if series == "table" else ""
    filed["calibration_folds"] += [
        {"left_out": f"{prefix}{name}", "half": spread.half(f"{prefix}{name}"), "parameter_id": key, "value": value}
        for name, values in left_out.items()
        for key, value in values.items()
    ]
    return found


def _ends_entries(name: str, ends: tuple[float, float], what: str, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        _entry(
            f"interval-{name}-{side}", "interval", "ratio", _short(value),
            f"{side.capitalize()} end of the 80 % interval of group {name}: {what}", **scope,
        )
        for side, value in zip(("low", "high"), ends, strict=True)
    ]  # fmt: skip


def _shape_entries(package: DataPackage) -> list[dict[str, Any]]:
    """Fit the layers of a model of which only the size is known: a line through the measured models, by chips that ran them."""
    rows = prepared.decode_measurements(package)
    rows = rows[rows["left_out"] == ""].dropna(subset=["total_param"])
    models = rows.groupby(["total_param", "n_layer"])["chip"].nunique().reset_index()
    size, layer = np.log(models["total_param"] / expected.REFERENCE_PARAM), np.log(models["n_layer"])
    growth, level = np.polyfit(size, layer, 1, w=np.sqrt(models["chip"]))
    scope = {"n_row": len(models), "n_chip": rows["chip"].nunique(), "data_date": max(rows["date"])}
    return [
        _entry(
            "layers-at-reference",
            "shape",
            "layer",
            _short(float(np.exp(level))),
            "Layers of a model of 7 billion parameters",
            **scope,
        ),
        _entry(
            "layers-growth",
            "shape",
            "ratio",
            _short(float(growth)),
            "Growth of the layers over growth of the parameters, as logarithms",
            **scope,
        ),
    ]


def _entry(
    parameter_id: str, kind: str, unit: str, value: float, meaning: str, standard_error: Any = "", **scope: Any
) -> dict[str, Any]:
    return {
        "parameter_id": parameter_id, "kind": kind, "unit": unit, "value": value, "standard_error": standard_error,
        "n_row": scope.get("n_row", ""), "n_chip": scope.get("n_chip", ""), "data_date": scope.get("data_date", ""), "meaning": meaning,
    }  # fmt: skip


def _short(value: float, digits: int = DIGITS) -> float:
    return words.significant(value, digits)


def _error(error: float, value: float) -> float | str:
    """A standard error to two digits; none where one chip alone decides the value."""
    return _short(error, 2) if error > SMALLEST_ERROR_SHARE * abs(value) else ""


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _short(value) for name, value in values.items()}


def write(folder: Path, filed: Mapping[str, list[dict[str, Any]]]) -> None:
    """Write the tables of a calibration into a data folder."""
    for name, entries in filed.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(entries[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(entries)


def main() -> None:
    """Refit everything and write the tables of the calibration into the data folder."""
    package = tables.package()
    decode, served = decode_tables(package), serving_tables(package)
    found = {row["parameter_id"]: float(row["value"]) for row in decode["calibration"]}
    read = prefill_tables(package, found)
    write(package.folder, {name: [*rows, *read.get(name, []), *served.get(name, [])] for name, rows in decode.items()})


if __name__ == "__main__":
    main()
