"""What prose says of waiting: numbers and sentences that follow the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.figures import Value
from analysis.model import devices, phones
from analysis.subjects import common
from analysis.subjects.time_to_first_token.derived import (
    FITTED_CARD,
    RATE,
    REUSED,
    SCOPES,
    SHOWN_IN_TURN,
    WHOLE,
    Rota,
    agents,
    battery_tokens,
    cases,
    energy_law,
    filed_prompts,
    first_token,
    load,
    measured_prompts,
    new_token,
    part,
    ridge_token,
    token_energy,
    turn_energy,
    turn_taking,
    turns,
    unseen_energy,
    wide_sum_share,
)
from analysis.tables import DataPackage

NAME = "time-to-first-token-"
KEYS = {
    "phone": "iphone-17-pro", "air": "macbook-air-m4-16gb", "laptop": "macbook-pro-16-m5-max-128gb", "gpu": "rtx-4090-24gb",
    "server": "nvidia-h100-sxm5-80gb",
}  # fmt: skip
"""How the prose calls the devices of the chapter."""
SHOWN = ("phone", "air", "gpu")
"""Those of the time line."""
PICO = 1e-12
NO_TIME = "no time, as it does not fit"
LONGEST_S = 600.0
"""Beyond it a time is said in minutes."""


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Compute every number and choose every phrase of the chapter."""
    return [
        *_asked_values(package, given),
        *_roof_values(package, given),
        *_wait_values(package, given),
        *_turn_values(package, given),
        *_energy_values(package, given),
        *_battery_values(package),
        *_agent_values(package, given),
        *_problem_values(package, given),
    ]


def texts(published: Iterable[Value]) -> dict[str, str]:
    """Map the numbers to how they read, by id without the chapter's name: what titles and captions are made of."""
    return {value.id.removeprefix(NAME): str(value.as_dict()["text"]) for value in published}


def _number(name: str, number: Any, unit: str, definition: str, **more: Any) -> Value:
    digits = more.pop("digits", 2)
    text = _seconds(float(number)) if unit == "s" else ""
    return Value(f"{NAME}{name}", float(number), unit, text, definition=definition, digits=digits, **more)


def _expected(name: str, row: Mapping[Any, Any], column: str, definition: str, **more: Any) -> Value:
    """A time that the calibrated model expects, with its interval of 80 %."""
    ends = (row[f"{column}_low"], row[f"{column}_high"])
    return _number(name, row[column], "s", definition, interval=ends, **more)


def _seconds(time_s: float) -> str:
    """A time at two digits, in seconds up to some minutes, as waits are compared: ``80 s``; of what does not fit there is none."""
    if np.isnan(time_s):
        return NO_TIME
    return (
        words.quantity(time_s, "s", 2)
        if time_s < 1 or time_s > LONGEST_S
        else f"{words.number(time_s, 2)} s".replace(".0 s", " s")
    )


def _text(name: str, text: str, definition: str, sources: Iterable[str] = ()) -> Value:
    return Value(f"{NAME}{name}", text=text, definition=definition, sources=tuple(sources))


def _rounded(number: float) -> str:
    """A count at two digits, in full: ``4,100``."""
    return f"{words.significant(number, 2):,.0f}"


def _slowest(table: pd.DataFrame) -> dict[str, Any]:
    """The row with the longest time to the first token; all of it missing where none is known."""
    known = table.dropna(subset=["first_token_s"])
    if not len(known):
        return dict.fromkeys(table.columns, np.nan)
    slowest = ranking.first(known, "first_token_s", "device_id", falling={"first_token_s"})
    return {str(name): value for name, value in slowest.items()}


def _of(table: pd.DataFrame, key: str, **where: Any) -> dict[str, Any]:
    """The one row of a device, optionally of a kind; all of it missing where there is none."""
    rows = table[table["device_id"] == KEYS[key]]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return (
        {str(name): value for name, value in rows.iloc[0].items()}
        if len(rows)
        else dict.fromkeys(table.columns, np.nan)
    )


def _between(low_s: float, high_s: float) -> str:
    """An interval of times: ``67 s to 130 s``."""
    if np.isnan(low_s):
        return NO_TIME
    return f"{_seconds(low_s)} to {_seconds(high_s)}"


LOADS = {
    "trace-prompt": ("load-048", "Mean prompt of the trace that the turn is taken from"),
    "agent-prompt": ("load-004", "Mean prompt of a turn of an agent, as a benchmark of agents has it"),
    "agent-longest": ("load-002", "Longest prompt of that benchmark"),
    "chat-prompt": ("load-040", "Mean prompt of the conversations in a trace of 2023"),
}


def _asked_values(package: DataPackage, given: Parameters) -> list[Value]:
    model = common.model(package, given.agent_model)
    loads = {name: (load(package, key), text) for name, (key, text) in LOADS.items()}
    new, trace = new_token(given), load(package, "load-059")
    first, token = (load(package, key) for key in ("load-011", "load-012"))
    return [
        *(_number(name, row["value"], "token", text, digits=3, sources=[row["source_id"]]) for name, (row, text) in loads.items()),
        _text("model", model["name"], "The model of the chapter.", [model["source_id"]]),
        _text("prompt", f"{given.prompt_token:,}", "Tokens of the prompt of a turn."),
        _text("answer", f"{given.answer_token:,}", "Tokens of its answer."),
        _number("reused", given.reused_share, "share", "Part of the prompt that was read before."),
        _number("trace-reused", trace["value"], "share", "The same in the trace that the turn is taken from, at most.",
                sources=[trace["source_id"]]),
        _text("reckons", _reckons(given.reused_share, trace["value"]), "Chosen by comparing both as they read."),
        _text("new", f"{new:,}", "Tokens of the prompt that are new then."),
        _number("target", given.first_token_target_s, "s", "Time to the first token that is asked for.", digits=1),
        _number("rate", given.agent_token_per_s, "token_per_s", "Tokens per second that an agent is to get."),
        _number("rule-first", first["value"], "s", "Limit of MLPerf for the first token, Llama 3.1 8B, conversations.", digits=1,
                sources=[first["source_id"]]),
        _number("rule-rate", 1 / token["value"], "token_per_s", "Rate that its limit for each further token means.",
                sources=[token["source_id"]]),
        _text("asks", _asks((given.agent_token_per_s, given.first_token_target_s), (1 / token["value"], first["value"])),
              "Chosen by comparing what this edition asks for with the limits of MLPerf.", [first["source_id"], token["source_id"]]),
    ]  # fmt: skip


def _reckons(share: float, traced: float) -> str:
    own = words.quantity(share, "share", 2)
    return f"this edition assumes {'as much' if own == words.quantity(traced, 'share', 2) else own}"


def _asks(own: tuple[float, float], rule: tuple[float, float]) -> str:
    """Say what an agent is to get, and whether MLPerf asks the same of its own prompts."""
    ours, theirs = (f"{words.quantity(rate, 'token_per_s', 2)} and {_seconds(wait)}" for rate, wait in (own, rule))
    if ours == theirs:
        return f"As MLPerf does with prompts of its own, this edition asks for {ours}."
    return f"MLPerf asks for {theirs}, with prompts of its own; this edition asks for {ours}."


def _roof_values(package: DataPackage, given: Parameters) -> list[Value]:
    known = cases(package, given)
    known = known.assign(ridge=ridge_token(known))
    found = {key: _of(known, key) for key in KEYS}
    phone, laptop = found["phone"], found["air"]
    reads, writes = (phone[name] / laptop[name] for name in ("peak_flop_per_s", "bandwidth_byte_per_s"))
    span = f"{known['ridge'].min():.0f} to {known['ridge'].max():.0f}"
    return [
        *(_text(f"ridge-{key}", f"{row['ridge']:.0f}", f"Tokens at which a prompt on the {row['name']} leaves the memory wall.",
                [row["source_id"]]) for key, row in found.items()),
        _text("ridge-span", span, "The same over all devices of the chapter, from the least to the most."),
        _number("phone-compute", reads, "ratio", "Peak of the phone over that of the MacBook Air.", sources=[phone["source_id"]]),
        _number("phone-bandwidth", writes, "ratio", "Bandwidth of the phone over that of the MacBook Air.", sources=[phone["source_id"]]),
        _text("phone-wins", _wins(reads, writes), "Chosen by the two ratios."),
        _text("prompts-beyond", _beyond(package, known["ridge"].max()), "Chosen by the shortest of them."),
        _number("weights", phone["weight_byte"], "byte", "Weights of the model in Q4_K_M.", digits=3),
        _number("param", phone["model_param"], "param", "Parameters of the model.", digits=3),
        _text("derived-peaks", _derived(known.loc[known["is_derived"], "name"]), "Chosen by where the peaks come from."),
        _text("sums", _sums(known, wide_sum_share(package)), "Chosen by the peaks for sums in 16 and in 32 bits."),
        _text("overstated", _overstated(common.model(package, given.agent_model)), "Chosen by the shape of the model."),
    ]  # fmt: skip


def _derived(names: Iterable[str]) -> str:
    """Name the devices whose limit rests on a peak that no maker states."""
    listed = list(names)
    if not listed:
        return "None of the peaks is worked out of measurements."
    stated, are = ("peak", "it is") if len(listed) == 1 else ("peaks", "they are")
    return f"No maker states the {stated} of {_the(listed)}: {are} worked out of rates that somebody measured."


def _sums(known: pd.DataFrame, left: Mapping[str, float]) -> str:
    """Say whose peak is for sums in 16 bits only, beside that of the server, which is not."""
    said = [
        f"The peak of the {row['name']} is for sums in 16 bits. For sums in 32 bits it is {words.quantity(share, 'share', 2)} "
        f"of that, and the ridge lies at {row['ridge'] * share:.0f} tokens."
        for row in known.to_dict("records")
        if (share := left[row["device_id"]]) < 1
    ]
    if not said:
        return "No peak here depends on the bits of the sums."
    return " ".join([*said, *(["The H100 has one peak for both."] if left[KEYS["server"]] == 1 else [])])


def _overstated(model: Mapping[str, Any]) -> str:
    """Say by how much all parameters overstate the products: a token is looked up, and only the last one needs an output."""
    unused = model["vocab_size"] * model["model_dim"] * (1 if model["tied_embedding"] else 2)
    over = model["active_param"] / (model["active_param"] - unused) - 1
    return (
        ""
        if np.isnan(over)
        else f": for {model['name']} that overstates the products by up to {words.quantity(over, 'share', 2)}"
    )


def _beyond(package: DataPackage, ridge: float) -> str:
    """Say whether the prompts of the loads named are all past the ridge of every device."""
    shortest = min(load(package, key)["value"] for key, _ in LOADS.values())
    return (
        "All of the prompts named above are longer than that."
        if shortest > ridge
        else "Not all of the prompts named above are longer than that."
    )


def _wins(reads: float, writes: float) -> str:
    if reads > 1 > writes:
        return "so the phone is expected to read a prompt faster and to write more slowly"
    if reads > 1:
        return "so the phone is expected to do both faster"
    return (
        f"so the phone is expected to {'do both more slowly' if writes < 1 else 'read more slowly and to write faster'}"
    )


def _wait_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = first_token(package, given)
    long, short = (table[table["prompt_token"] == length] for length in (8192, 512))
    slow = {"short-slowest": short, "long-slowest": long}
    known = cases(package, given)
    beyond = known[known["is_extrapolated"]]
    drawn = beyond[beyond["device_id"].isin(SHOWN_IN_TURN)]
    barely = turns(package, given).query("prompt == @WHOLE and fits == 'barely' and device_id in @SHOWN_IN_TURN")
    basis = (
        "expected, extrapolated from NVIDIA's matrix units,"
        if KEYS["phone"] in set(beyond["device_id"])
        else "expected"
    )
    held = {kind: package.row("calibration", f"interval-prefill-{kind}-low") for kind in ("metal", "cuda")}
    cool = phones.cool(package)
    longest = {key: _longest(table[table["device_id"] == KEYS[key]], given.first_token_target_s) for key in KEYS}
    return [
        *(_expected(f"long-{key}", _of(long, key), "first_token_s", "Expected time to the first token of a prompt of 8,192 tokens.")
          for key in KEYS),
        *(_expected(name, _slowest(rows), "first_token_s",
                    "Expected time to the first token on the slowest device of the chapter.")
          for name, rows in slow.items()),
        _text("extrapolated", _extrapolated(beyond["name"]), "Chosen by the kinds of units that prompts were measured on."),
        _text("extrapolated-names", f"{_borrowed(beyond['name'])} {phones.cool(package, brief=True)}",
              "Devices whose prompts are of a kind that the model was not fitted to."),
        _text("extrapolated-drawn", f"{_borrowed(drawn['name'])}{_barely(barely['name'])} {cool}",
              "Those of the time line; where it barely fits."),
        _on_file(package, KEYS["phone"]),
        _text("expected-phone", basis, "Chosen by whether prompts were measured on units of the phone's kind."),
        *(_text(f"error-{name}-held", f"{row['n_row']}", "Prompts of chips left out in turn, behind the interval of this kind.")
          for name, row in held.items()),
        *(_text(f"error-{name}-chips", f"{row['n_chip']}", "Chips among them.") for name, row in held.items()),
        *(_text(f"longest-{key}", length, "Longest prompt whose first token is expected within the target, two digits.")
          for key, length in longest.items()),
    ]  # fmt: skip


def _extrapolated(names: Iterable[str]) -> str:
    """Say for which devices the share of the peak is borrowed."""
    listed = list(names)
    if not listed:
        return "Prompts were measured on units of each kind that is shown."
    return (
        f"For {_the(listed)} the time of the prompt is extrapolated. The model was fitted to no prompt read by their matrix units; "
        "the share of the peak that those of NVIDIA reach stands in, with the widest interval."
    )


def _on_file(package: DataPackage, device_id: str) -> Value:
    """Say what prompts read by a device's chip are on file where the model is fitted to none of them."""
    chip = part(devices.device(device_id, package.folder).chip)
    rows = filed_prompts(package)
    rows = rows[rows["part"] == chip]
    if chip in map(part, measured_prompts(package)["chip"]):
        said = "Prompts read by this chip are among those that the model was fitted to."
    elif rows.empty:
        said = "The book has no prompt read by this chip."
    else:
        length, rate = _span(rows["prompt_token"], 4), _span(rows[RATE], 3)
        said = (
            f"The model was fitted to no prompt read by this chip. The book has {len(rows):,} of a kind that it does not know, "
            f"of {words.listing(sorted(set(rows['model'])))}: {length} tokens at {rate} a second, by engine and format."
        )
    return _text("prompts-on-file", said, "What the book has of prompts on the phone.", sorted(set(rows["source_id"])))


def _span(numbers: pd.Series[float], digits: int) -> str:
    return " to ".join(dict.fromkeys(words.number(end, digits) for end in (numbers.min(), numbers.max())))


def _borrowed(names: Iterable[str]) -> str:
    """The same in a caption."""
    listed = list(names)
    if not listed:
        return "Prompts were measured on units of each kind that is shown."
    return f"Extrapolated: {words.listing(listed)}, with the share of the peak that NVIDIA's matrix units reach and the widest interval."


def _barely(names: Iterable[str]) -> str:
    listed = list(names)
    return f" On {_the(listed)} the model barely fits." if listed else ""


def _longest(rows: pd.DataFrame, target_s: float) -> str:
    """The prompt whose expected time is the target, along straight lines: ``4,100 tokens``; where memory ends first, ``all that fits``."""
    rows = rows[rows["first_token_s"].notna()]
    if rows.empty:
        return "no tokens"
    if target_s > rows["first_token_s"].max():
        return f"all that fits, {_rounded(rows['prompt_token'].max())} tokens or more,"
    return f"{_rounded(float(np.interp(target_s, rows['first_token_s'], rows['prompt_token'], left=0.0)))} tokens"


def _turn_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = turns(package, given)
    found = []
    for key in SHOWN:
        row = _of(table, key, prompt=WHOLE)
        band, cited = _between(row["turn_s_low"], row["turn_s_high"]), [row["source_id"]]
        found += [
            _expected(f"turn-{key}", row, "turn_s", f"Expected time of the turn on the {row['name']}.", sources=cited),
            _text(f"turn-{key}-band", band, "Its 80 % interval, ends of both parts together."),
            _expected(f"first-{key}", row, "first_token_s", "Expected time to its first token.", sources=cited),
            _expected(f"answer-{key}", row, "answer_s", "Expected time to write the answer.", sources=cited),
        ]  # fmt: skip
    for key in KEYS:
        row, other = _of(table, key, prompt=WHOLE), _of(table, key, prompt=REUSED)
        found += [
            _number(f"waiting-{key}", row["first_token_s"] / row["turn_s"], "share", "Part of the turn before the first token."),
            _expected(f"reused-{key}", other, "turn_s", "Expected time of the turn when the beginning is reused."),
            _number(f"saved-{key}", 1 - other["turn_s"] / row["turn_s"], "share", "Part of the turn that reuse saves."),
        ]  # fmt: skip
    whole = table[table["prompt"] == WHOLE]
    timed = whole[whole["turn_s"].notna()]
    is_first = timed["first_token_s_low"] > timed["answer_s_high"]
    is_answer = timed["answer_s_low"] > timed["first_token_s_high"]
    groups = {"prompt": timed[is_first], "close": timed[~is_first & ~is_answer], "answer": timed[is_answer],
              "none": whole[whole["turn_s"].isna()]}  # fmt: skip
    return [
        *found,
        _text("longer-parts", " ".join(PARTS[kind].format(_the(rows["name"])) for kind, rows in groups.items() if len(rows)),
              "Chosen by whether the intervals of both parts of the turn overlap."),
        _text("reuse-matters", _matters(list(groups["prompt"]["name"])), "Chosen by the same comparison."),
    ]  # fmt: skip


PARTS = {
    "prompt": "On {} the prompt is expected to be the longer part.",
    "close": "On {} both are about as long: their intervals overlap.",
    "answer": "On {} the answer is expected to be the longer part. There the memory wall is still most of the wait.",
    "none": "No such turn fits on {}.",
}
"""Which part of the turn is the longer one, where the intervals tell."""


def _the(names: Iterable[str]) -> str:
    """Devices in a sentence: ``the iPhone 17 Pro and the H100``."""
    return words.listing([f"the {name.split(',')[0]}" for name in names])


def _matters(names: list[str]) -> str:
    """Say where reuse saves most."""
    if not names:
        return "On none of these devices is the prompt clearly the longer part, so reuse cannot be counted on to save most of the wait"
    return f"On {_the(names)} the prompt is expected to be most of the wait, so reuse saves most there"


def _energy_values(package: DataPackage, given: Parameters) -> list[Value]:
    table, law, unseen = token_energy(package), energy_law(package), unseen_energy(package)
    alone = table[table["batch_size"] == 1]
    pair = alone[alone["device"] == FITTED_CARD]
    fitted = table[table["device"] == FITTED_CARD]
    large = fitted[fitted["batch_size"] == fitted["batch_size"].max()]
    phone = alone[alone["device_class"] == "phone"]
    plug = alone[alone["scope"] == SCOPES["wall"]]
    errors = {
        "h200": unseen[unseen["device"] == "H200"], "b200": unseen[unseen["device"].str.startswith("B200")],
        "h100": unseen[unseen["device"].str.startswith("H100,")],
    }  # fmt: skip
    is_low = (errors["h100"]["predicted_j_per_token"] / errors["h100"]["energy_j_per_token"]).median() < 1
    spans = {"card": pair, "phone": phone, "plug": plug}
    return [
        *(_text(f"{name}-pj", _picojoule(rows), "Energy over bits read, one sequence, from the least to the most.", set(rows["source_id"]))
          for name, rows in spans.items()),
        _number("bit", law.reading_j_per_bit, "j_per_bit", "Energy of a bit read, by the H100's steps of one sequence.",
                sources=set(pair["source_id"])),
        _number("operation", law.computing_j_per_flop, "j_per_flop", "Energy of an operation, by its largest batch.",
                sources=set(pair["source_id"])),
        *(_number(f"error-energy-{name}", rows["error_ratio"].median(), "share", f"Median error of the law of the {FITTED_CARD} there.",
                  sources=set(rows["source_id"])) for name, rows in errors.items()),
        _text("energy-side", f"which take {'more' if is_low else 'less'} than the law says", "Chosen by the median of H100 under load."),
        _text("energy-estimate", "a low estimate" if is_low else "a high estimate", "Chosen by the same median."),
        _text("largest-batch", f"{words.spelled(len(large))} {'step' if len(large) == 1 else 'steps'} of {large['batch_size'].max():,.0f} "
              "sequences", "What the energy of an operation comes from.", set(large["source_id"])),
        _text("energy-phone", words.listing([f"an {name}" for name in phone["device"].unique()]), "Phones whose energy is on record."),
        _text("unseen-energy", words.plural(len(unseen), "measurement"), "Energies that the law was not taken from."),
        _text("cheaper", _cheaper(phone, pair), "Chosen by comparing the medians of the phone and of the cards."),
        _text("energy-unlike", UNLIKE[_cheaper(phone, pair)], "What else the two meters count; chosen by which is cheaper."),
        *_turn_energy(package, given),
    ]  # fmt: skip


UNLIKE = {
    "less": "The phone is metered whole, with its screen, and the card without its host: like for like, the gap would be wider.",
    "more": "But the phone is metered whole, with its screen, and the card without its host: like for like, the phone may take less.",
}
"""What the comparison of a phone's battery with a card's own meter leaves out, by what the phone takes of the two."""


def _picojoule(rows: pd.DataFrame) -> str:
    low, high = rows["j_per_bit"].min() / PICO, rows["j_per_bit"].max() / PICO
    return f"{low:.0f} to {high:.0f} pJ"


def _cheaper(phone: pd.DataFrame, pair: pd.DataFrame) -> str:
    """Compare what a bit costs on the phone and on the cards."""
    return "less" if phone["j_per_bit"].median() < pair["j_per_bit"].median() else "more"


def _turn_energy(package: DataPackage, given: Parameters) -> list[Value]:
    """The turn on the card whose law it is: for one user, and for as many as its memory holds."""
    found = []
    for row in turn_energy(package, given).to_dict("records"):
        name = row["sharing"]
        found += [
            _number(f"turn-energy-{name}", row["turn_j"], "j", "Energy of the turn on the H100, by its law.",
                    formula="n · e_prompt + m · e_answer"),
            _number(f"turn-energy-{name}-prompt", row["prompt_share"], "share", "Part of it that the prompt takes."),
            _text(f"turn-energy-{name}-users", f"{row['batch_size']:.0f}", "Users who share the reading of the weights."),
        ]  # fmt: skip
    return found


def _battery_values(package: DataPackage) -> list[Value]:
    table = battery_tokens(package)
    own = table[table["model_id"] != ""]
    model = package.row("models", own["model_id"].iloc[0])
    cited = [*own["source_id"].unique(), *own["second_source_id"].unique()]
    low, high = (_rounded(own["battery_token"].agg(end)) for end in ("min", "max"))
    battery = own["battery_j"].iloc[0]
    batteries = package.table("batteries")
    others = batteries[batteries["device_id"] != own["device_id"].iloc[0]]
    return [
        _text("battery-device", own["device"].iloc[0], "The phone whose battery was watched.", cited),
        _text("battery-model", model["name"], "What it wrote with.", [model["source_id"]]),
        _text("battery-tokens", f"{low} to {high}", "Tokens of a full battery, by its runs.", cited),
        _text("battery-wh", f"{battery / units.unit('wh').factor:.1f} Wh", "What its battery holds.", cited),
        _text("phone-joule", _joule_span(own["energy_j_per_token"]), "Measured energy of a token there.", cited),
        _text("battery-count", f"{len(others)}", "Other devices whose battery is on record, and whose tokens nobody measured."),
    ]  # fmt: skip


def _joule_span(energy: pd.Series[float]) -> str:
    return f"{words.number(energy.min(), 2)} to {words.number(energy.max(), 2)} J"


def _agent_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = agents(package, given)
    binding = table[table["binds"]]
    found = []
    for key in ("gpu", "server"):
        row, speed, memory = _of(binding, key), _of(table, key, limit="speed"), _of(table, key, limit="memory")
        band = f"{_count(row['agent_count_low'])} to {_count(row['agent_count_high'])}"
        found += [
            _text(f"agents-{key}", _count(row["agent_count"]), f"Agents that the {row['name']} carries within all limits."),
            _text(f"agents-{key}-band", band, "Its 80 % interval."),
            _text(f"agents-{key}-noun", _agents(row["agent_count"]), "The same with what is counted."),
            _text(f"speed-agents-{key}", _count(speed["agent_count"]), "Agents by the rate alone, expected."),
            _text(f"memory-agents-{key}", _count(memory["agent_count"]), "Agents whose caches fit."),
        ]  # fmt: skip
    first = binding[binding["limit"] == "first token"]
    return [
        *found,
        _text("bound-by-first", _of_all(len(first), len(binding)),
              "Devices on which the first token is the tightest of the three limits."),
        _text("alone", _alone(binding[binding["agent_count"] < 1], given), "What one agent gets where the limits carry none."),
        _text("rota", _rota(turn_taking(package, given), given), "Chosen by the time that a round of turns takes."),
        _text("moved", _moved(binding), "Chosen by the limits that bind."),
    ]  # fmt: skip


BINDING = {
    "memory": "the memory for their caches",
    "speed": "the rate of their answers",
    "first token": "the wait for the first token",
}


def _of_all(count: int, whole: int) -> str:
    """``all five devices``, ``two of the five devices``."""
    many = f"{words.spelled(whole)} devices"
    return f"all {many}" if count == whole else f"{words.spelled(count)} of the {many}"


def _alone(binding: pd.DataFrame, given: Parameters) -> str:
    """Say how long one agent waits, or how fast it is answered, on the devices that do not carry one within the limits."""
    late, slow, full = (binding[binding["limit"] == limit] for limit in ("first token", "speed", "memory"))
    waits = [f"{_seconds(given.first_token_target_s / row.agent_count)} on the {row.name_}" for row in _named(late)]
    rates = [
        f"{words.quantity(given.agent_token_per_s * row.agent_count, 'token_per_s', 2)} on the {row.name_}"
        for row in _named(slow)
    ]
    said = [
        f"One agent alone waits {words.listing(waits)} for its first token." if waits else "",
        f"One agent alone gets {words.listing(rates)}." if rates else "",
        f"Not one fits on {_the(full['name'])}." if len(full) else "",
    ]
    return " ".join(filter(None, said)) or "Each carries at least one agent."


def _named(rows: pd.DataFrame) -> Iterable[Any]:
    return rows.assign(name_=rows["name"].str.split(",").str[0]).itertuples()


def _moved(binding: pd.DataFrame) -> str:
    """Say which limit sets how many agents a device carries."""
    limits = set(binding["limit"])
    if limits == {"first token"}:
        return (
            "If all send at once, the wait for the first token sets how many agents a device carries, and more bandwidth "
            "alone would not help"
        )
    named = words.listing([BINDING[limit] for limit in BINDING if limit in limits])
    return f"If all send at once, how many agents a device carries is set by {named}, by device"


def _rota(round_: Rota, given: Parameters) -> str:
    """Say whether the server has time for all that its memory holds, if they take turns."""
    if not round_.agent_count:
        return "Its memory holds none."
    has = (
        "is expected to have time"
        if round_.prompts_s + round_.answers_s <= round_.allowed_s
        else "is not expected to have time"
    )
    rate = words.quantity(given.agent_token_per_s, "token_per_s", 2)
    return (
        f"If they take turns, evenly spaced, it {has} for all that it holds. Their prompts take {_seconds(round_.prompts_s)} and "
        f"their answers {_seconds(round_.answers_s)}, of the {_seconds(round_.allowed_s)} that {rate} allow."
    )


def _whole(number: float) -> int:
    """Whole agents; 0 where the model does not fit."""
    return int(np.floor(np.nan_to_num(number) + ROUNDING))


def _count(number: float) -> str:
    """Whole agents, a few in words: ``none``, ``eight``, ``42``."""
    return words.spelled(_whole(number)) if _whole(number) else "none"


def _agents(number: float) -> str:
    return f"{words.spelled(_whole(number))} {'agent' if _whole(number) == 1 else 'agents'}"


ROUNDING = 1e-9


PROBLEM_TOKEN = 131_072
"""The long prompt of the first problem."""


def _problem_values(package: DataPackage, given: Parameters) -> list[Value]:
    known = _of(cases(package, given), "gpu")
    most = given.first_token_target_s * known["peak_flop_per_s"] / (2 * known["model_param"])
    reused = 1 - most / PROBLEM_TOKEN
    phone = battery_tokens(package)
    phone = phone[phone["model_id"] != ""]
    each = given.answer_token * phone["energy_j_per_token"].median() / phone["battery_j"].iloc[0]
    return [
        _text("problem-name", known["name"], "The card of the problem."),
        _text("problem-most", _rounded(most), "Longest new prompt that it reads within the target, at most, two digits.",
              [known["source_id"]]),
        _text("problem-long", f"{PROBLEM_TOKEN:,}", "Tokens of the long prompt."),
        _number("problem-reused", max(reused, 0.0), "share", "Least share of the long prompt that must be reused then."),
        _number("problem-percent", each, "share", "Part of the battery for an answer."),
        _text("problem-answers", _rounded(1 / each), "Answers of a full battery, two digits."),
    ]  # fmt: skip
