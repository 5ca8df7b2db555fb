"""Waiting: the roof of prompts, the time to the first token and of a turn, the energy of a token, agents within limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis import ranking, units
from analysis.assumptions import Parameters
from analysis.equations import kv_cache, memory_wall, server_batching, validation
from analysis.equations import time_to_first_token as equations
from analysis.model import devices, expected, peaks, predict, prefill, prompts, serving
from analysis.subjects import common
from analysis.tables import DataPackage
from analysis.tables.once import once_per_package


class Case(NamedTuple):
    """A device of the chapter: how it is called, and the format and engine that its owner would choose."""

    device_id: str
    name: str
    number_format: str = "q4-k-m"
    engine: str = ""


CASES = (
    Case("iphone-17-pro", "iPhone 17 Pro", engine="llama.cpp"), Case("macbook-air-m4-16gb", "MacBook Air M4"),
    Case("macbook-pro-16-m5-max-128gb", "MacBook Pro M5 Max"), Case("rtx-4090-24gb", "RTX 4090"),
    Case("nvidia-h100-sxm5-80gb", "H100, 16 bit", "bf16", "vllm"),
)  # fmt: skip
"""From a phone to a server; ids of devices and accelerators.  Q4_K_M is a format of llama.cpp, on a phone too."""
SERVER = "nvidia-h100-sxm5-80gb"
SHOWN_IN_TURN = ("iphone-17-pro", "macbook-air-m4-16gb", "rtx-4090-24gb")
WHOLE, REUSED = "all new", "beginning reused"
LENGTHS = tuple(2**power for power in range(7, 18))
"""Prompts drawn, in tokens."""
ANY_MEMORY_GIBYTE = 4096.0
"""More than any device of the book has: asks how fast it would be, whatever it holds."""
BATCHES = tuple(2**power for power in range(15))
KV_ELEMENT_BYTE = 2.0
SCOPES = {"device": "battery", "board": "board", "wall": "plug", "card": "card"}
"""What was read, and how a reader calls it."""


def cases(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """One row per device of the chapter: bandwidth, peak that prompts are held against, bytes of the weights, and class.

    The peak is missing where none is filed; the bytes are those of the file that the device would load.  ``is_extrapolated``
    says that no prompt was measured on units of this kind under this software: the share of the peak is that of others.
    ``is_derived`` says that no maker states the peak: it was worked out of rates that somebody measured.
    """
    table = pd.DataFrame(CASES)
    filed = [devices.device(key, package.folder) for key in table["device_id"]]
    units_of = [
        prefill.peak_flop_per_s(peaks.peak(one.chip, package.folder), expected.family(one.chip, package.folder).vendor)
        for one in filed
    ]
    rows, derived = measured_prompts(package), _derived_peaks(package)
    seen = set(zip(rows["stack"], rows["has_matrix"].astype(bool), strict=True))
    model = common.model(package, given.agent_model)
    asked = expectations(package, given, [{"device_id": key} for key in table["device_id"]])
    return table.assign(
        device_class=[one.device_class for one in filed], bandwidth_byte_per_s=[one.bandwidth_gbyte_per_s * 1e9 for one in filed],
        peak_flop_per_s=[peak for peak, _ in units_of], is_extrapolated=[
            (one.backend, bool(matrix)) not in seen for one, (_, matrix) in zip(filed, units_of, strict=True)
        ], is_derived=[part(one.chip) in derived for one in filed],
        weight_byte=asked["weight_gibyte"] * predict.GIBYTE, usable_byte=asked["has_gibyte"] * predict.GIBYTE,
        model_param=model["active_param"],
        source_id=[devices.row(key, package.folder)["source_id"] for key in table["device_id"]], model_source_id=model["source_id"],
    )  # fmt: skip


def _derived_peaks(package: DataPackage) -> set[str]:
    """Chips whose peak is worked out of what was measured."""
    rows = package.table("chip_peaks")
    return {part(chip) for chip in rows.loc[rows["confidence"] == "derived", "chip"]}


def wide_sum_share(package: DataPackage) -> dict[str, float]:
    """Device → what is left of its peak where sums are in 32 bits and not in 16; 1 where both have one rate, NaN for shaders."""
    known = {
        case.device_id: peaks.peak(devices.device(case.device_id, package.folder).chip, package.folder)
        for case in CASES
    }
    return {key: peak.matrix_flop_per_s / peak.quick_flop_per_s for key, peak in known.items()}


@once_per_package
def measured_prompts(package: DataPackage) -> pd.DataFrame:
    """The prompts of dense models that the shares of the peak were fitted to."""
    return prompts.measurements(package)


@once_per_package
def filed_prompts(package: DataPackage) -> pd.DataFrame:
    """Every prompt on file, whatever the model is fitted to: of each table with a speed of prompts; ``part`` tells chips apart."""
    fields = ["chip", "model", "prompt_token", RATE, "source_id"]
    named = {name: {one["name"] for one in package.resource(name)["schema"]["fields"]} for name in package.names}
    tables = [package.table(name)[fields] for name, own in named.items() if own.issuperset(fields)]
    rows = pd.concat(tables, ignore_index=True).dropna(subset=[RATE])
    return rows.assign(part=[part(str(chip)) for chip in rows["chip"]])


RATE = "prefill_token_per_s"


def expectations(package: DataPackage, given: Parameters, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """What the calibrated model says of devices of the chapter; each row has a ``device_id`` and what else ``predict`` takes."""
    by_id = {case.device_id: case for case in CASES}
    own = [by_id[row["device_id"]] for row in rows]
    table = pd.DataFrame(rows).rename(columns={"device_id": "device"}).fillna("").astype(str)
    table["model_id"], table["format"] = given.agent_model, [case.number_format for case in own]
    if any(case.engine for case in own):
        table["engine"] = [case.engine for case in own]
    table["prompt_token"] = table.get("prompt_token", "1")
    answered = predict.detailed(table, folder=package.folder, file="the chapter on waiting")
    beside = pd.DataFrame(rows)[["device_id"]].assign(name=[case.name for case in own])
    return pd.concat([beside, answered.drop(columns=[*beside], errors="ignore")], axis=1)


# ------------------------------------------------------------------------------------------------- prompts


def prefill_roof(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Prompt tokens per second over the length of the prompt: at most (``line``), where the roof bends (``ridge``), and measured."""
    known = cases(package, given)
    lines = known.merge(pd.DataFrame({"prompt_token": [float(2**power) for power in range(17)]}), how="cross")
    ridges = known.assign(prompt_token=ridge_token(known))
    table = pd.concat([lines.assign(role="line"), ridges.assign(role="ridge")], ignore_index=True)
    table["rate_token_per_s"] = table["prompt_token"] / _roof_s(table)
    found = _measured_prompts(package, known, given.agent_model)
    columns = [
        "device_id",
        "name",
        "device_class",
        "role",
        "prompt_token",
        "rate_token_per_s",
        "source_id",
        "model_source_id",
    ]
    return pd.concat([table, found], ignore_index=True)[columns]


def ridge_token(known: pd.DataFrame) -> np.ndarray:
    """The length of prompt at which each device leaves the memory wall: its ridge batch, a prompt being a batch of tokens."""
    bits = known["weight_byte"] / known["model_param"]
    return np.asarray(
        server_batching.ridge_batch_size(
            known["peak_flop_per_s"].to_numpy(),
            known["bandwidth_byte_per_s"].to_numpy(),
            byte_per_param=bits.to_numpy(),
        )
    )


def _roof_s(table: pd.DataFrame) -> np.ndarray:
    number = {name: table[name].to_numpy(dtype=float) for name in ROOF}
    return np.asarray(equations.prefill_roof_s(table["prompt_token"].to_numpy(dtype=float), **number))


ROOF = ("model_param", "weight_byte", "peak_flop_per_s", "bandwidth_byte_per_s")


def _measured_prompts(package: DataPackage, known: pd.DataFrame, agent_model: str) -> pd.DataFrame:
    """Prompts that somebody read on a chip of the chapter, of a model of the same shape, in the format of that device."""
    alike = _same_shape(package, agent_model)
    rows = measured_prompts(package)
    ids = package.table("measured_models").set_index("model")["model_id"]
    rows = rows[rows["model"].map(ids).isin(alike) & (rows["context_token"].fillna(0) == 0)]
    rows = rows.assign(number_format=rows["quantization"].str.lower().str.replace("_", "-", regex=False))
    pair = prompts.pair_measurements(package)
    pair = pair[pair["model"].isin(alike)].assign(
        number_format="bf16", prefill_token_per_s=pair["prompt_token"] / pair["time_s"]
    )
    rows = pd.concat([rows, pair], ignore_index=True)
    rows["part"] = [part(str(chip)) for chip in rows["chip"]]
    parts = {case.device_id: part(devices.device(case.device_id, package.folder).chip) for case in CASES}
    found = known.assign(part=known["device_id"].map(parts)).drop(columns="source_id")
    found = found.merge(
        rows[["part", "number_format", "prompt_token", "prefill_token_per_s", "source_id"]],
        on=["part", "number_format"],
    )
    return found.rename(columns={"prefill_token_per_s": "rate_token_per_s"}).assign(role="measured")


def part(chip: str) -> str:
    """The words that tell a chip from all others, in one order."""
    return " ".join(sorted(peaks.key(chip)))


def _same_shape(package: DataPackage, model_id: str) -> set[str]:
    models = package.table("models")
    own = models[models["model_id"] == model_id].iloc[0]
    same = (models[["total_param", "n_layer", "model_dim"]] == own[["total_param", "n_layer", "model_dim"]]).all(axis=1)
    return set(models.loc[same, "model_id"])


def first_token(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Time to the first token over the length of the prompt, expected with its interval, and the least by the roof.

    Missing where prompt and weights do not fit into what one program may take.
    """
    known = cases(package, given).set_index("device_id")
    keys = [(key, length) for key in known.index for length in LENGTHS]
    rows = [{"device_id": key, "prompt_token": length, "context_token": 0} for key, length in keys]
    table = expectations(package, given, rows).assign(prompt_token=[float(length) for _, length in keys])
    table = table.join(known[[*ROOF, "device_class", "source_id", "model_source_id"]], on="device_id")
    table["least_s"] = np.where(table["first_token_s"].isna(), np.nan, _roof_s(table))
    return table[[*NAMED, "prompt_token", *FIRST, "least_s", "source_id", "model_source_id"]].reset_index(drop=True)


NAMED = ["device_id", "name", "device_class"]
FIRST = ["first_token_s", "first_token_s_low", "first_token_s_high"]
ANSWER = ["answer_s", "answer_s_low", "answer_s_high"]
TURN = ["turn_s", "turn_s_low", "turn_s_high"]


# --------------------------------------------------------------------------------------------------- turns


def middle_token(given: Parameters) -> int:
    """The context when half of the answer is written."""
    return given.prompt_token + given.answer_token // 2


def cache_byte(package: DataPackage, given: Parameters, context_token: float) -> float:
    """The cache of one user of the model, in bytes."""
    return float(common.kv_cache_byte(common.model(package, given.agent_model), context_token, KV_ELEMENT_BYTE))


def caches_that_fit(package: DataPackage, given: Parameters) -> pd.Series[float]:
    """Caches of prompt and whole answer that fit beside the weights, by device; missing where the memory is not known."""
    known = cases(package, given).set_index("device_id")
    whole = cache_byte(package, given, given.prompt_token + given.answer_token)
    return (known["usable_byte"] - known["weight_byte"]) / whole


def new_token(given: Parameters) -> int:
    """Whole tokens of the prompt that are new, at least the last one."""
    return max(1, round(float(equations.new_prompt_token(given.prompt_token, reused_share=given.reused_share))))


def turns(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Each device's turn, with all of the prompt new and with its beginning reused: expected with interval, in parts, and the least."""
    new = new_token(given)
    kinds = {WHOLE: (0, given.prompt_token), REUSED: (given.prompt_token - new, new)}
    keys = [(case.device_id, kind) for case in CASES for kind in kinds]
    rows = [
        {
            "device_id": key,
            "context_token": kinds[kind][0],
            "prompt_token": kinds[kind][1],
            "output_token": given.answer_token,
        }
        for key, kind in keys
    ]
    known = cases(package, given).set_index("device_id")
    table = expectations(package, given, rows)
    table = table.assign(prompt=[kind for _, kind in keys], prompt_token=[float(kinds[kind][1]) for _, kind in keys])
    table = table.rename(columns={f"request_s{end}": f"turn_s{end}" for end in ("", "_low", "_high")})
    table = table.join(known[[*ROOF, "device_class", "source_id", "model_source_id"]], on="device_id")
    for end in ("", "_low", "_high"):
        table[f"answer_s{end}"] = table[f"turn_s{end}"] - table[f"first_token_s{end}"]
    writing = given.answer_token / table["limit_token_per_s"].to_numpy(dtype=float)
    table["least_s"] = _roof_s(table) + writing
    return table[
        [*NAMED, "prompt", "prompt_token", *FIRST, *ANSWER, *TURN, "least_s", "fits", "source_id", "model_source_id"]
    ]


def one_turn(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """The turn of three devices as a time line: a row for the prompt and one for the answer, from when to when."""
    table = turns(package, given)
    table = table[(table["prompt"] == WHOLE) & table["device_id"].isin(SHOWN_IN_TURN)]
    parts = {
        "prompt": (0.0 * table["turn_s"], table["first_token_s"]),
        "answer": (table["first_token_s"], table["turn_s"]),
    }
    return pd.concat(
        [
            table[[*NAMED, "source_id"]].assign(part=part, start_s=start, end_s=end)
            for part, (start, end) in parts.items()
        ],
        ignore_index=True,
    )


# -------------------------------------------------------------------------------------------------- energy


def token_energy(package: DataPackage) -> pd.DataFrame:
    """Measured energy of a token written, over the bytes that a token reads: its share of the weights and its own cache."""
    table = pd.concat([_alone(package), _pair(package), _served(package)], ignore_index=True)
    table = table[table["read_byte_per_token"].notna()].reset_index(drop=True)
    table["j_per_bit"] = server_batching.read_energy_j_per_bit(
        table["energy_j_per_token"].to_numpy(), read_byte=table["read_byte_per_token"].to_numpy()
    )
    return ranking.by(table, "read_byte_per_token", "measurement_id")[ENERGY]


ENERGY = [
    "measurement_id", "device", "device_class", "model", "format", "batch_size", "scope", "read_byte_per_token", "flop_per_token",
    "energy_j_per_token", "j_per_bit", "source_id",
]  # fmt: skip


def _alone(package: DataPackage) -> pd.DataFrame:
    """Phones and computers that serve one user."""
    table = package.table("measurements_energy")
    table = table[table["left_out"] == ""].reset_index(drop=True)
    param = table["model_id"].map(package.table("models").set_index("model_id")["total_param"])
    bits = table["format"].map(package.table("number_formats").set_index("format_id")["effective_bit_per_param"])
    weight = table["weight_byte"].fillna(param * bits / 8)
    counted = table["energy_j"] / table["token_count"]
    metered = table["power_w"] / table["token_per_s"]
    return table.assign(
        energy_j_per_token=table["energy_j_per_token"].fillna(counted).fillna(metered), read_byte_per_token=weight, batch_size=1.0,
        flop_per_token=memory_wall.flop_per_token(param.to_numpy()), scope=table["scope"].map(SCOPES),
    )  # fmt: skip


def _pair(package: DataPackage) -> pd.DataFrame:
    """Steps of the pair of cards whose energy was read, in 16 bits, where no kernel is at fault."""
    rows = package.table("measurements_gpu_pair")
    rows = rows[
        (rows["kind"] == "decode")
        & (rows["left_out"] == "")
        & (rows["format"] == "bf16")
        & rows["joule_per_token"].notna()
    ]
    read = (rows["weight_byte"] + rows["kv_byte"].fillna(0)) / rows["batch"]
    device = rows["device"].str.extract(r"(H\d+)")[0]
    names = rows["model"].map(package.table("models").set_index("model_id")["name"])
    return rows.assign(
        device=device, device_class="server", model=names, batch_size=rows["batch"].astype(float), scope=SCOPES["card"],
        read_byte_per_token=read, flop_per_token=rows["flop"] / rows["batch"], energy_j_per_token=rows["joule_per_token"],
    )  # fmt: skip


def _served(package: DataPackage) -> pd.DataFrame:
    """Servers under load, of dense models whose shape is filed."""
    rows = serving.step_measurements(package)
    rows = rows[rows["energy_j_per_token"].notna() & ~rows["is_long"]]
    cache = kv_cache.kv_cache_byte(rows["kv_byte_per_token"].to_numpy(), (rows["output_token"] / 2).to_numpy())
    return rows.assign(
        device=rows["chip"] + ", served", device_class="server", scope=SCOPES["card"], format=rows["weight_format"],
        read_byte_per_token=rows["weight_byte"] / rows["batch_size"] + cache,
        flop_per_token=memory_wall.flop_per_token(rows["model_param"].to_numpy()),
    )  # fmt: skip


class EnergyLaw(NamedTuple):
    """Energy of a bit read and of an operation, as one card's steps have it."""

    reading_j_per_bit: float
    computing_j_per_flop: float

    def energy(self, table: pd.DataFrame) -> np.ndarray:
        """The energy of a token by what it reads and computes."""
        read, flop = (table[name].to_numpy(dtype=float) for name in ("read_byte_per_token", "flop_per_token"))
        return np.asarray(equations.energy_j_per_token(read, flop, **self._asdict()))


FITTED_CARD = "H100"
"""The card that the two constants come from; the others are the test."""
FITTED_FORMAT = "bf16"
"""The format of its steps: of others the constants say nothing."""


def energy_law(package: DataPackage) -> EnergyLaw:
    """The two constants of the H100: a bit by steps of one sequence, an operation by its largest batch."""
    table = token_energy(package)
    table = table[table["device"] == FITTED_CARD]
    bit = float(table.loc[table["batch_size"] == 1, "j_per_bit"].median())
    large = table[table["batch_size"] == table["batch_size"].max()]
    rest = large["energy_j_per_token"].to_numpy() - EnergyLaw(bit, 0.0).energy(large)
    return EnergyLaw(bit, float(np.median(rest / large["flop_per_token"].to_numpy())))


def unseen_energy(package: DataPackage) -> pd.DataFrame:
    """What the constants of the H100 say of every card and server in its format that they were not taken from, and how far off."""
    table = token_energy(package)
    is_asked = (table["device_class"] == "server") & (table["format"] == FITTED_FORMAT)
    table = table[is_asked & (table["device"] != FITTED_CARD)].reset_index(drop=True)
    table["predicted_j_per_token"] = energy_law(package).energy(table)
    ratio = validation.speed_error_ratio(
        table["predicted_j_per_token"].to_numpy(), table["energy_j_per_token"].to_numpy()
    )
    return table.assign(error_ratio=ratio)


def turn_energy(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Energy of the turn on the H100 by its law: for one user, and for as many as its memory holds, who share the weights' reading.

    The caches are shared by nobody: at a long context they are most of what a token reads.
    """
    known = cases(package, given).set_index("device_id").loc[SERVER]
    model, middle = common.model(package, given.agent_model), middle_token(given)
    cache, fits = cache_byte(package, given, middle), caches_that_fit(package, given)[SERVER]
    sharing = pd.DataFrame(
        {"sharing": ["alone", "shared"], "batch_size": [1.0, max(1.0, np.floor(np.nan_to_num(fits)))]}
    )
    shape = {name: model[name] for name in ("n_layer", "n_head", "head_dim")}
    products = float(memory_wall.flop_per_token(model["active_param"]))
    attended = (
        memory_wall.attention_flop_per_token(**shape, context_token=token) for token in (given.prompt_token / 2, middle)
    )
    reading, writing = (products + float(flop) for flop in attended)
    law = energy_law(package)
    prompt = pd.DataFrame(
        {"read_byte_per_token": [known["weight_byte"] / given.prompt_token], "flop_per_token": [reading]}
    )
    answer = sharing.assign(
        read_byte_per_token=known["weight_byte"] / sharing["batch_size"] + cache, flop_per_token=writing
    )
    each = {"prompt_j_per_token": law.energy(prompt), "answer_j_per_token": law.energy(answer)}
    turn = equations.turn_energy_j(given.prompt_token, given.answer_token, **each)
    return sharing.assign(turn_j=turn, prompt_share=given.prompt_token * each["prompt_j_per_token"] / turn)


# -------------------------------------------------------------------------------------------------- agents


def agents(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """Agents that each limit allows on each device, expected with its interval and at most; below 1 not even one.

    memory       caches of prompt and answer that fit beside the weights
    speed        agents that all write at the rate asked for
    first token  agents whose prompts, sent at once, are read within the time asked for
    """
    known, rate, target = cases(package, given), given.agent_token_per_s, given.first_token_target_s
    memory = caches_that_fit(package, given).to_numpy()
    model, number = common.model(package, given.agent_model), {name: known[name].to_numpy() for name in ROOF}
    least_read = number | {"weight_byte": number["weight_byte"] * model["active_param"] / model["total_param"]}
    computed = {name: number[name] for name in ("model_param", "peak_flop_per_s")}
    most = {
        "memory": memory,
        "speed": _most_at_speed(rate, cache_byte(package, given, middle_token(given)), least_read),
        "first token": equations.agents_at_first_token_count(target, prompt_token=new_token(given), **computed),
    }
    speed, first = _agents_at_speed(package, given), _agents_at_first_token(package, given)
    found: dict[str, Ends] = {"memory": (memory, memory, memory), "speed": speed, "first token": first}
    named = known[[*NAMED, "source_id", "model_source_id"]]
    rows = [
        named.assign(
            limit=limit, agent_count=middle, agent_count_low=low, agent_count_high=high, most_count=most[limit]
        )
        for limit, (middle, low, high) in found.items()
    ]
    table = pd.concat(rows, ignore_index=True)
    counts = ["agent_count", "agent_count_low", "agent_count_high", "most_count"]
    table[counts] = table[counts].fillna(0.0).clip(lower=0.0)
    is_least = table["agent_count"] == table.groupby("device_id")["agent_count"].transform("min")
    return table.assign(binds=is_least & ~table.assign(is_least=is_least).duplicated(["device_id", "is_least"]))


Ends = tuple[np.ndarray, np.ndarray, np.ndarray]


def _most_at_speed(rate: float, cache: float, number: dict[str, np.ndarray]) -> np.ndarray:
    """The most agents by bandwidth and peak; below 1 the part of the rate that one gets, as what is expected has it.

    Of experts only those count as read that one token calls.
    """
    most = np.asarray(equations.agents_at_speed_count(rate, cache_byte=cache, **number))
    reading_s = (number["weight_byte"] + cache) / number["bandwidth_byte_per_s"]
    computing_s = memory_wall.flop_per_token(number["model_param"]) / number["peak_flop_per_s"]
    return np.where(most < 1, 1 / (rate * np.maximum(reading_s, computing_s)), most)


def _agents_at_speed(package: DataPackage, given: Parameters) -> Ends:
    """The batch at which each sequence still gets the rate, between batches asked about; below 1 the part of the rate that one gets."""
    keys = [(case.device_id, batch) for case in CASES for batch in BATCHES]
    rows = [
        {"device_id": key, "batch_size": batch, "context_token": middle_token(given),
         "memory_capacity_gibyte": ANY_MEMORY_GIBYTE}
        for key, batch in keys
    ]  # fmt: skip
    table = expectations(package, given, rows).assign(batch_size=[float(batch) for _, batch in keys])
    ends = []
    for end in ("", "_low", "_high"):
        each = table[f"token_per_s{end}"] / table["batch_size"] / given.agent_token_per_s
        ends.append(np.array([_crossing(each[table["device_id"] == case.device_id].to_numpy()) for case in CASES]))
    return ends[0], ends[1], ends[2]


def _crossing(ratio: np.ndarray) -> float:
    """The batch at which a falling ratio is 1, along a straight line of step times; the ratio itself where it is below 1 at batch 1.

    Where the rate is still kept at the largest batch that has an answer, that batch.
    """
    step = 1 / ratio
    if not step[0] < 1:
        return float(ratio[0])
    known = np.isfinite(step)
    return float(np.interp(1.0, np.maximum.accumulate(step[known]), np.array(BATCHES)[known]))


def _agents_at_first_token(package: DataPackage, given: Parameters) -> Ends:
    new = new_token(given)
    rows = [
        {"device_id": case.device_id, "context_token": given.prompt_token - new, "prompt_token": new,
         "memory_capacity_gibyte": ANY_MEMORY_GIBYTE}
        for case in CASES
    ]  # fmt: skip
    table = expectations(package, given, rows)
    return tuple(
        given.first_token_target_s / table[name].to_numpy(dtype=float) for name in (FIRST[0], FIRST[2], FIRST[1])
    )  # type: ignore[return-value]


class Rota(NamedTuple):
    """Agents that fill the server's memory and take turns: how many, and the time their prompts and answers take of what is allowed."""

    agent_count: int
    prompts_s: float
    answers_s: float
    allowed_s: float


def turn_taking(package: DataPackage, given: Parameters) -> Rota:
    """What a round of turns takes on the server if nobody waits for anybody: all prompts one by one, all answers together.

    Leaves out that prompts which come in heaps wait, and that answers pause while one is read.
    """
    count = int(np.floor(np.nan_to_num(caches_that_fit(package, given)[SERVER])))
    row = turns(package, given).query("device_id == @SERVER and prompt == @REUSED").iloc[0]
    asked = {"device_id": SERVER, "batch_size": max(count, 1), "context_token": middle_token(given)}
    step = expectations(package, given, [asked | {"memory_capacity_gibyte": ANY_MEMORY_GIBYTE}])
    answers_s = given.answer_token * max(count, 1) / float(step["token_per_s"].iloc[0])
    return Rota(
        max(count, 0), count * float(row["first_token_s"]), answers_s, given.answer_token / given.agent_token_per_s
    )


# ------------------------------------------------------------------------------------------------- battery


def battery_tokens(package: DataPackage) -> pd.DataFrame:
    """Tokens that the battery of each measured phone writes, by its own runs."""
    table = package.table("measurements_energy")
    batteries = package.table("batteries")[["device_id", "battery_j", "source_id"]]
    batteries = batteries.rename(columns={"source_id": "second_source_id"})
    table = table[(table["left_out"] == "") & (table["scope"] == "device")].merge(batteries, on="device_id")
    energy = (table["energy_j"] / table["token_count"]).to_numpy()
    return table.assign(
        energy_j_per_token=energy, battery_token=equations.battery_token(table["battery_j"].to_numpy(), energy)
    )


def load(package: DataPackage, load_id: str) -> dict[str, Any]:
    """One row of the loads, its value in base units."""
    row = package.row("agent_loads", load_id)
    return row | {"value": row["value"] * units.unit(row["unit"]).factor}
