"""What prose says of servers: numbers and sentences that follow the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import dram_capacity, memory_wall, server_batching
from analysis.figures import Value
from analysis.model import measured
from analysis.subjects import common, trends
from analysis.subjects.server_batching.derived import (
    ALONE,
    PAIR,
    SERVED,
    article_batch,
    balance,
    capacity_gains,
    decode_steps,
    energy_by_batch,
    experts_touched,
    half_gone_batch,
    hardware,
    hbm_shares,
    latency_by_chips,
    law_rows,
    memory_costs,
    pair_gains,
    pair_ridge,
    pair_rows,
    palm,
    pope,
    price_ratio_sources,
    price_ratios,
    rate_beyond,
    read_energies,
    same_processor_gains,
    same_processor_law,
    two_constants,
)
from analysis.tables import DataPackage

# ------------------------------------------------------------------------------------------ values


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Compute every number and choose every phrase of the chapter."""
    return [
        *_request_values(package, given.reading_token_per_s),
        *_step_values(package),
        *_chip_time_values(package),
        *_prefill_values(package),
        *_holding_values(package),
        *_doubling_values(package),
        *_balance_values(package),
        *_gain_values(package),
        *_work_values(package),
        *_law_values(package),
        *_capacity_values(package),
        *_energy_values(package),
        *_cost_values(package, given),
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
    totals, prompts, answers = (_keyed(palm(package, name), "batch_size") for name in ("total", "prefill", "generate"))
    batch, last = article_batch(package), max(totals)
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
    batch = article_batch(package)
    at = _keyed(decode_steps(package), "batch_size")[batch]
    model, byte, peak, bandwidth = hardware(package, _keyed(palm(package, "generate"), "batch_size")[batch])
    ridge = float(server_batching.ridge_batch_size(peak, bandwidth, byte_per_param=byte))
    weight_share = at["weight_time_s"] / at["step_time_s"]
    entries: list[Entry] = [
        ("step-time", at["step_time_s"], "s", "Measured time of a decode step at the article's point.", ""),
        ("weight-time", at["weight_time_s"], "s", "Least time to read the weights once.", "P · b / (n · BW)"),
        ("compute-time", at["compute_time_s"], "s", "Least time of the matrix products.", "2 · B · P / (n · F)"),
        ("rest-time", at["rest_s"], "s", "What the two leave over if they take turns.", "t − weights − products"),
        ("rest-overlapped-time", at["rest_overlapped_s"], "s", "The same if one hides behind the other.", "t − max(weights, products)"),
        ("kv-time", at["kv_time_s"], "s", "Least time to read the KV cache.", "B · T · KV / (n · BW)"),
        ("weight-share", weight_share, "share", "Least share of the step that reading the weights takes.", "weights / t"),
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
    limit = f"{'less' if past else 'more'} than the products take at least"
    return [
        *_published(entries, [at["source_id"], at["chip_source_id"]]),
        _phrase("param-byte", words.number(byte, 1), "Bytes a client reads per parameter and token."),
        _phrase("shared-byte", words.number(byte / batch, 2), "The same on the server at the article's batch."),
        _phrase("wall", limit, "Reading the weights beside the products, at the article's point, both at peak rates."),
        _phrase("ridge-side", "past" if past else "short of", "On which side of the ridge the article's batch lies."),
    ]


def _chip_time_values(package: DataPackage) -> list[Value]:
    steps = _keyed(decode_steps(package), "batch_size")
    at, least = steps[article_batch(package)], steps[min(steps)]
    model, _, peak, _ = hardware(package, palm(package, "generate").to_dict("records")[0])
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
    rows = _keyed(pope(package, ("2",)), "row_id")
    prompt, answer = (rows[f"t2-high-throughput-palm-540b-{phase}-b512"] for phase in ("prefill", "generate"))
    quick = rows["t2-low-latency-palm-540b-generate-b64"]
    model, byte, _, bandwidth = hardware(package, prompt)
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
    row = palm(package, "generate").to_dict("records")[0]
    model, byte, _, bandwidth = hardware(package, row)
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


Measured = tuple[str, Any, str, int, str, str]
"""A measured number before it is published: name, number, unit, the digits it earns, definition, formula."""


def _earned(entries: Iterable[Measured], sources: Iterable[str]) -> list[Value]:
    cited = sorted(set(sources))
    return [
        Value(f"server-batching-{name}", float(number), unit, _at_digits(float(number), unit, digits), meaning, formula, sources=cited)
        for name, number, unit, digits, meaning, formula in entries
    ]  # fmt: skip


def _at_digits(number: float, unit: str, digits: int) -> str:
    return _text(words.significant(number, digits), unit) if unit == "count" else words.quantity(number, unit, digits)


GAIN = "t(H100) / t(H200)"


def _gain_values(package: DataPackage) -> list[Value]:
    """What the faster memory brings to a step, by batch."""
    slow, fast = (package.row("accelerators", card) for card in PAIR)
    gains = same_processor_gains(package)
    alone = gains[gains["series"] == gains["series"].iloc[0]]
    by_length = ranking.by(gains[gains["context_token"].notna()], "context_token", "batch_size").to_dict("records")
    one, long, large = by_length[0], by_length[-1], _keyed(alone, "batch_size")[article_batch(package)]
    whole = alone[(alone["gain_ratio"] >= one["low_ratio"]).astype(int).cummin() == 1]
    gone = alone[alone["batch_size"] > alone.loc[~alone["is_none"].astype(bool), "batch_size"].max()]
    speeds = slow["memory_bandwidth_byte_per_s"], fast["memory_bandwidth_byte_per_s"]
    held = fast["memory_capacity_byte"] / slow["memory_capacity_byte"]
    ideal = server_batching.half_gain_batch_size(
        pair_ridge(slow, common.byte_per_param(package, SERVED[1])), bandwidth_byte_per_s=speeds[0], faster_bandwidth_byte_per_s=speeds[1]
    )  # fmt: skip
    entries: list[Measured] = [
        ("pair-bandwidth", speeds[1] / speeds[0], "ratio", 3, "Bandwidth of the H200 over that of the H100, by the data sheets.", ""),
        ("pair-capacity", held, "ratio", 3, "Memory of the H200 over that of the H100.", ""),
        ("pair-gain", one["gain_ratio"], "ratio", 3, "Speed of the H200 over that of the H100, one user, the shortest context.", GAIN),
        ("pair-gain-article-batch", large["gain_ratio"], "ratio", 3, "The same at the article's batch.", GAIN),
        ("pair-gain-long", long["gain_ratio"], "ratio", 3, "The same at the longest context and its largest batch.", GAIN),
        ("pair-short-context", one["context_token"], "count", 3, "The shortest context of the figure.", ""),
        ("pair-long-context", long["context_token"], "count", 4, "The longest context of the figure.", ""),
        ("pair-long-batch", long["batch_size"], "count", 3, "The largest batch measured at it.", ""),
        ("pair-full-batch", whole["batch_size"].max(), "count", 3, "Largest batch with the gain of one user, as far as runs differ.", ""),
        ("pair-none-batch", gone["batch_size"].min(), "count", 3, "Smallest batch whose gain is no larger than two runs differ.", ""),
        ("pair-half-batch", half_gone_batch(alone), "count", 2, "Batch at which half of the measured gain is gone.", ""),
        ("pair-half-ideal", ideal, "count", 3, "Batch at which half of the gain is gone at peak rates.", "2 · B* / (1 + r)"),
    ]  # fmt: skip
    return _earned(entries, {slow["source_id"], fast["source_id"], *gains["source_id"]})


def _work_values(package: DataPackage) -> list[Value]:
    """What the faster memory brings to models, formats and prompts, and what a product reaches."""
    steps, routed = pair_gains(package), pair_gains(package, kinds=("moe",))
    prompts = ranking.by(pair_gains(package, kinds=("prefill",)), "context_token", "kind")
    few = steps[steps["batch_size"] == 1]
    is_bound = few["format"].isin(measured.PAIR_BITS)
    bound, unpacked = few.loc[is_bound, "gain_ratio"], few.loc[~is_bound, "gain_ratio"]
    products = pair_rows(package, kinds=("matmul",), but_for=("no-step",))
    products = products[(products["format"] == SERVED[1]) & (products["accelerator_id"] == PAIR[0])]
    product = ranking.first(products, "batch_size", "measurement_id", falling={"batch_size"})
    experts = experts_touched(package)
    reached = product["achieved_flop_per_s"] / product["peak_bf16_dense_flop_per_s"]
    entries: list[Measured] = [
        ("pair-gain-least", bound.min(), "ratio", 3, "Least gain of a model in 16 or 8 bits at batch 1.", GAIN),
        ("pair-gain-most", bound.max(), "ratio", 3, "Largest gain of a model in 16 or 8 bits at batch 1.", GAIN),
        ("pair-gain-unpacked", unpacked.max(), "ratio", 3, "Largest gain of a model in 4 bits at batch 1.", GAIN),
        ("pair-gain-routed", routed["gain_ratio"].iloc[0], "ratio", 3, "Gain of a mixture of experts at batch 1.", GAIN),
        ("pair-gain-prompt", prompts["gain_ratio"].iloc[0], "ratio", 3, "Gain in reading the shortest prompt.", GAIN),
        ("pair-gain-long-prompt", prompts["gain_ratio"].iloc[-1], "ratio", 3, "Gain in reading the longest prompt.", GAIN),
        ("pair-short-prompt", prompts["context_token"].iloc[0], "count", 3, "Tokens of the shortest prompt.", ""),
        ("pair-long-prompt", prompts["context_token"].iloc[-1], "count", 4, "Tokens of the longest prompt.", ""),
        ("pair-peak-share", reached, "share", 2, "Share of the peak that the H100's largest product reaches, at its power limit.", ""),
        ("pair-experts", experts["expected_count"].max(), "count", 3, "Experts of a layer of the mixture measured.", ""),
        ("pair-experts-error", experts["error_ratio"].max(), "share", 2, "Largest error of the expected number of experts called.", ""),
    ]  # fmt: skip
    last = "is no more than two runs differ by" if prompts["is_none"].iloc[-1] else "is more than two runs differ by"
    told = _phrase("pair-long-prompt-side", last, "Whether reading the longest prompt gains anything.")
    return [*_earned(entries, {*steps["source_id"], *experts["source_id"]}), told]


LEAST = "least squares of the relative error"


def _law_values(package: DataPackage) -> list[Value]:
    """The two constants, and how far they carry."""
    rows, table = law_rows(package), same_processor_law(package)
    fitted = rows["accelerator_id"] == PAIR[0]
    layer, share = two_constants(rows[fitted])
    slow, fast = (rows[rows["accelerator_id"] == card] for card in PAIR)
    at_home, carried = (table.loc[table["card"] == one["card"].iloc[0], "error_ratio"] for one in (slow, fast))
    both = slow.merge(fast, on=["model", "format", "context_token"], suffixes=("", "_faster"))
    scaled = both["memory_bandwidth_byte_per_s_faster"] / both["memory_bandwidth_byte_per_s"]
    over = scaled / (both["step_s_median"] / both["step_s_median_faster"]) - 1
    entries: list[Measured] = [
        ("law-rows", fitted.sum(), "count", 3, "Steps of the H100 that the constants are fitted to.", ""),
        ("law-models", rows["model"].nunique(), "count", 3, "Models among them.", ""),
        ("law-layer-time", layer, "s", 2, "Time of a layer whatever its bytes.", LEAST),
        ("law-share", share, "share", 2, "Share of the data sheet's bandwidth that reading reaches.", LEAST),
        ("law-error", at_home.median(), "share", 2, "Median error on the H100.", ""),
        ("law-carried-error", carried.median(), "share", 2, "Median error on the H200.", ""),
        ("law-carried-most", carried.max(), "share", 2, "Largest error on the H200.", ""),
        ("law-scaled-error", over.median(), "share", 2, "What scaling the speed by the bandwidth overstates, in the median.", ""),
    ]  # fmt: skip
    return _earned(entries, rows["source_id"])


def _capacity_values(package: DataPackage) -> list[Value]:
    """What the larger memory brings beside the faster one."""
    table = capacity_gains(package)
    slow, fast = table[table["is_largest"]].to_dict("records")
    same = _keyed(table[table["card"] == fast["card"]], "batch_size")[slow["batch_size"]]
    whole, bandwidth = fast["token_per_s"] / slow["token_per_s"], same["token_per_s"] / slow["token_per_s"]
    entries: list[Measured] = [
        ("capacity-small-batch", slow["batch_size"], "count", 3, "Largest batch measured on the H100, of doublings.", ""),
        ("capacity-large-batch", fast["batch_size"], "count", 3, "Largest batch measured on the H200, of doublings.", ""),
        ("capacity-context", slow["context_token"], "count", 3, "Tokens of context of each user.", ""),
        ("capacity-gain", whole, "ratio", 2, "Tokens per second of the H200 over the H100, each at its largest batch.", ""),
        ("capacity-bandwidth-gain", bandwidth, "ratio", 3, "The same at the largest batch that fits both.", ""),
        ("capacity-batch-gain", whole / bandwidth, "ratio", 2, "What is left for the larger batch.", "the one over the other"),
        ("capacity-double-batch", 2 * slow["batch_size"], "count", 3, "Twice the largest batch of the H100.", ""),
        ("capacity-double-gain", fast["token_per_s"] / rate_beyond(package, slow), "ratio", 2,
         "Tokens per second of the H200 over what the law of two constants gives an H100 at twice its largest batch.", ""),
        ("capacity-small-rate", slow["token_per_s"], "token_per_s", 3, "Tokens per second of all users of the H100.", "B / t"),
        ("capacity-large-rate", fast["token_per_s"], "token_per_s", 3, "Tokens per second of all users of the H200.", "B / t"),
        ("capacity-small-user-rate", 1 / slow["step_time_s"], "token_per_s", 2, "Tokens per second of each of them, H100.", "1 / t"),
        ("capacity-large-user-rate", 1 / fast["step_time_s"], "token_per_s", 2, "Tokens per second of each of them, H200.", "1 / t"),
        ("capacity-weights", slow["weight_byte"], "byte", 3, "Bytes of weights that a step of the model reads.", ""),
    ]  # fmt: skip
    return _earned(entries, [slow["source_id"], slow["card_source_id"], fast["card_source_id"]])


def _energy_values(package: DataPackage) -> list[Value]:
    """Joules at two digits, since another card of the kind differs by a tenth."""
    table, bits = energy_by_batch(package), read_energies(package)
    served, other = table[table["is_line"]], table[~table["is_line"]]
    last = ranking.first(other, "batch_size", "token_energy_j", falling={"batch_size", "token_energy_j"})
    alike = other[(other["card"] == last["card"]) & (other["context"] == last["context"])]
    smaller = alike[alike["batch_size"] < last["batch_size"]]
    near = ranking.first(alike if smaller.empty else smaller, "batch_size", "card", falling={"batch_size"})
    off = (table["high_energy_j"] / table["token_energy_j"] - 1).max()
    entries: list[Measured] = [
        ("energy-batch", served["batch_size"].max(), "count", 3, "Largest batch whose energy was counted at this context.", ""),
        ("energy-off", off, "share", 2, "By how much the energy of another card of the same kind differs.", ""),
        ("energy-last-batch", last["batch_size"], "count", 4, "Largest batch whose energy was counted.", ""),
        ("energy-last", last["token_energy_j"], "j", 2, f"Energy of a token at it, {last['card']}.", "E / B"),
        ("energy-near-batch", near["batch_size"], "count", 4, "The largest batch but one at the same context on the same card.", ""),
        ("energy-near", near["token_energy_j"], "j", 2, f"Energy of a token at it, {near['card']}.", "E / B"),
    ]  # fmt: skip
    spans = []
    for card in dict.fromkeys(served["card"]):
        one, *_, many = served[served["card"] == card].to_dict("records")
        read, name = bits.loc[bits["card"] == card, "read_energy_j_per_bit"] / PICO, card.lower()
        entries += [
            (f"energy-{name}", one["token_energy_j"], "j", 2, f"Energy of a token at batch 1, {card}.", "E / B"),
            (f"energy-batch-{name}", many["token_energy_j"], "j", 2, f"The same at the largest batch, {card}.", "E / B"),
            (f"energy-saving-{name}", one["token_energy_j"] / many["token_energy_j"], "ratio", 2, f"The one over the other, {card}.", ""),
        ]  # fmt: skip
        spans.append(
            _phrase(
                f"energy-bit-{name}", f"{_span(read)} pJ", f"Energy above idle for each bit read, at batch 1, {card}."
            )
        )
    spans += [
        _phrase("energy-short-context", str(last["context"]), "Context of each user in the largest batch."),
        _phrase("energy-last-card", str(last["card"]), "Card of the largest batch."),
    ]
    return [*_earned(entries, table["source_id"]), *spans]


def _span(values: pd.Series[float]) -> str:
    """The least and the largest at two digits, or one number where they read alike."""
    ends = [_short(end, 2) for end in (values.min(), values.max())]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


PICO = units.unit("pj").factor


def _cost_values(package: DataPackage, given: Parameters) -> list[Value]:
    price, batch = _claim(package, "ddr-4x-cheaper"), article_batch(package)
    costs = memory_costs(package, given, price_ratio=price)
    lines = _keyed(costs[costs["is_shown"] & (costs["batch_size"] == batch)], "model")
    model = common.model(package, given.reference_model)
    alone, cached = lines[ALONE], lines[model["name"]]
    first = common.kv_byte_per_token(model, common.byte_per_param(package, "fp16"))
    equal = dram_capacity.largest_context_token(cached["weight_byte"] / batch, kv_cache_byte_per_token=first)
    limit = server_batching.memory_cost_ratio(
        price, batch_size=np.inf, kv_to_weight_ratio=cached["cache_to_weight_ratio"]
    )
    entries: list[Entry] = [
        ("context", given.context_token, "count", "Tokens of context of each user.", ""),
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
