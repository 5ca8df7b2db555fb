"""What prose says of waiting: numbers and sentences that follow the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analysis import units, words
from analysis.assumptions import Parameters
from analysis.equations import time_to_first_token as equations
from analysis.figures import Value
from analysis.subjects import common
from analysis.subjects.time_to_first_token.derived import (
    FITTED_CARD,
    REUSED,
    SCOPES,
    WHOLE,
    agents,
    battery_tokens,
    cases,
    energy_law,
    first_token,
    load,
    new_token,
    ridge_token,
    token_energy,
    turn_energy,
    turns,
    unseen_energy,
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
    new = new_token(given)
    first, token = (load(package, key) for key in ("load-011", "load-012"))
    return [
        *(_number(name, row["value"], "token", text, digits=3, sources=[row["source_id"]]) for name, (row, text) in loads.items()),
        _text("model", model["name"], "The model of the chapter.", [model["source_id"]]),
        _text("prompt", f"{given.prompt_token:,}", "Tokens of the prompt of a turn."),
        _text("answer", f"{given.answer_token:,}", "Tokens of its answer."),
        _number("reused", given.reused_share, "share", "Part of the prompt that was read before."),
        _text("new", f"{new:,}", "Tokens of the prompt that are new then."),
        _number("target", given.first_token_target_s, "s", "Time to the first token that is asked for.", digits=1),
        _number("rate", given.agent_token_per_s, "token_per_s", "Tokens per second that an agent is to get."),
        _number("rule-first", first["value"], "s", "Limit of MLPerf for the first token, Llama 3.1 8B, conversations.", digits=1,
                sources=[first["source_id"]]),
        _number("rule-rate", 1 / token["value"], "token_per_s", "Rate that its limit for each further token means.",
                sources=[token["source_id"]]),
    ]  # fmt: skip


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
    ]  # fmt: skip


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
        return "so the phone reads a prompt sooner and writes its answer later"
    if reads > 1:
        return "so the phone does both sooner"
    return "so the phone does both later" if writes < 1 else "so the phone reads later and writes sooner"


def _wait_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = first_token(package, given)
    long, short = (table[table["prompt_token"] == length] for length in (8192, 512))
    slow = {"short-slowest": short, "long-slowest": long}
    known = cases(package, given)
    beyond = known.loc[known["is_extrapolated"], "name"]
    longest = {key: _longest(table[table["device_id"] == KEYS[key]], given.first_token_target_s) for key in KEYS}
    return [
        *(_number(f"long-{key}", _of(long, key)["first_token_s"], "s", "Expected time to the first token of a prompt of 8,192 tokens.")
          for key in KEYS),
        *(_number(name, rows["first_token_s"].max(), "s", "Expected time to the first token on the slowest device of the chapter.")
          for name, rows in slow.items()),
        _text("extrapolated", _extrapolated(beyond), "Chosen by the kinds of units that prompts were measured on."),
        _text("extrapolated-names", f"Extrapolated: {words.listing(list(beyond))}.", "Devices whose prompts are of a kind never measured."),
        *(_text(f"longest-{key}", _rounded(length), "Longest prompt whose first token is expected within the target, two digits.")
          for key, length in longest.items()),
    ]  # fmt: skip


def _extrapolated(names: Iterable[str]) -> str:
    """Say for which devices the share of the peak is borrowed."""
    listed = list(names)
    if not listed:
        return "Prompts were measured on units of each kind that is shown."
    return (
        f"For {_the(listed)} the time of the prompt is extrapolated. None was measured on their matrix units; "
        "the share of the peak that those of NVIDIA reach stands in."
    )


def _longest(rows: pd.DataFrame, target_s: float) -> float:
    """The length at which the expected time is the target, along straight lines; 0 where the shortest takes longer."""
    rows = rows[rows["first_token_s"].notna()]
    if rows.empty:
        return 0.0
    found = np.interp(target_s, rows["first_token_s"], rows["prompt_token"], left=0.0)
    return float(found)


def _turn_values(package: DataPackage, given: Parameters) -> list[Value]:
    table = turns(package, given)
    found = []
    for key in SHOWN:
        row = _of(table, key, prompt=WHOLE)
        band, cited = _between(row["turn_s_low"], row["turn_s_high"]), [row["source_id"]]
        found += [
            _number(f"turn-{key}", row["turn_s"], "s", f"Expected time of the turn on the {row['name']}.", sources=cited),
            _text(f"turn-{key}-band", band, "Its 80 % interval, ends of both parts together."),
            _number(f"first-{key}", row["first_token_s"], "s", "Expected time to its first token.", sources=cited),
            _number(f"answer-{key}", row["answer_s"], "s", "Expected time to write the answer.", sources=cited),
        ]  # fmt: skip
    for key in KEYS:
        row, other = _of(table, key, prompt=WHOLE), _of(table, key, prompt=REUSED)
        found += [
            _number(f"waiting-{key}", row["first_token_s"] / row["turn_s"], "share", "Part of the turn before the first token."),
            _number(f"reused-{key}", other["turn_s"], "s", "Expected time of the turn when the beginning is reused."),
            _number(f"saved-{key}", 1 - other["turn_s"] / row["turn_s"], "share", "Part of the turn that reuse saves."),
        ]  # fmt: skip
    whole = table[table["prompt"] == WHOLE]
    is_first = whole["first_token_s"] > whole["answer_s"]
    mostly, others = (list(whole.loc[mask, "name"]) for mask in (is_first, ~is_first))
    return [
        *found,
        _text("prompt-longer", _longer(mostly, "the prompt"), "Chosen by comparing both parts of the turn."),
        _text(
            "answer-longer",
            _longer(others, "the answer") + (MOSTLY_WALL if others else ""),
            "Chosen by the same comparison.",
        ),
        _text("reuse-matters", _matters(mostly), "Chosen by the same comparison."),
    ]


MOSTLY_WALL = " There the memory wall is still most of the wait."


def _the(names: Iterable[str]) -> str:
    """Devices in a sentence: ``the iPhone 17 Pro and the H100``."""
    return words.listing([f"the {name.split(',')[0]}" for name in names])


def _longer(names: list[str], part: str) -> str:
    """Say on which devices a part of the turn is the longer one."""
    return f"On {_the(names) if names else 'none of them'} {part} is the longer part."


def _matters(names: list[str]) -> str:
    """Say where reuse saves most."""
    if not names:
        return "On none of these devices is the prompt most of the wait, so reuse saves the smaller part"
    return f"On {_the(names)} the prompt is most of the wait, so reuse saves most there"


def _energy_values(package: DataPackage, given: Parameters) -> list[Value]:
    table, law, unseen = token_energy(package), energy_law(package), unseen_energy(package)
    alone = table[table["batch_size"] == 1]
    pair = alone[alone["scope"] == SCOPES["card"]]
    phone = alone[alone["device_class"] == "phone"]
    plug = alone[alone["scope"] == SCOPES["wall"]]
    errors = {
        "h200": unseen[unseen["device"] == "H200"], "b200": unseen[unseen["device"].str.startswith("B200")],
        "h100": unseen[unseen["device"].str.startswith("H100,")],
    }  # fmt: skip
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
        _text("unseen-energy", words.plural(len(unseen), "measurement"), "Energies that the law was not taken from."),
        _text("cheaper", _cheaper(phone, pair), "Chosen by comparing the medians of the phone and of the cards."),
        *_turn_energy(package, given),
    ]  # fmt: skip


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
    rule = package.row("facts", "phone-energy-rule-mobilellm")
    gparam = model["total_param"] / 1e9
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
        _number("rule-joule", rule["value"] * gparam, "j", "What a rule of thumb says of a model of that size.",
                sources=[rule["source_id"]]),
        _text("rule-off", f"{words.number(rule['value'] * gparam / own['energy_j_per_token'].median(), 2)} times",
              "The rule over the median of what was measured.", [rule["source_id"]]),
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
            _text(f"speed-agents-{key}", _count(speed["agent_count"]), "Agents by the rate alone, expected."),
            _text(f"memory-agents-{key}", _count(memory["agent_count"]), "Agents whose caches fit."),
        ]  # fmt: skip
    first = binding[binding["limit"] == "first token"]
    none = binding[binding["agent_count"] < 1]["name"]
    return [
        *found,
        _text("bound-by-first", _of_all(len(first), len(binding)),
              "Devices on which the first token is the tightest of the three limits."),
        _text("none", _the(none) if len(none) else "none of them", "Devices that do not carry one agent within the limits."),
        _text("none-verb", "carries" if len(none) <= 1 else "carry", "Number of the verb."),
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


def _moved(binding: pd.DataFrame) -> str:
    """Say which limit sets how many agents a device carries."""
    limits = set(binding["limit"])
    if limits == {"first token"}:
        return (
            "For agents the wall has moved: the wait for the first token sets how many a device carries, and more bandwidth "
            "would not help"
        )
    named = words.listing([BINDING[limit] for limit in BINDING if limit in limits])
    return f"How many agents a device carries is set by {named}, by device"


def _count(number: float) -> str:
    """Whole agents; none where the model does not fit."""
    return f"{int(np.floor(np.nan_to_num(number) + ROUNDING)):,}"


ROUNDING = 1e-9


def _problem_values(package: DataPackage, given: Parameters) -> list[Value]:
    known = _of(cases(package, given), "gpu")
    most = given.first_token_target_s * known["peak_flop_per_s"] / (2 * known["model_param"])
    reused = float(equations.new_prompt_token(1.0, reused_share=0.0)) - most / 131_072
    phone = battery_tokens(package)
    phone = phone[phone["model_id"] != ""]
    each = given.answer_token * phone["energy_j_per_token"].median() / phone["battery_j"].iloc[0]
    return [
        _text("problem-name", known["name"], "The card of the problem."),
        _text("problem-most", _rounded(most), "Longest new prompt that it reads within the target, at most, two digits.",
              [known["source_id"]]),
        _number("problem-reused", max(reused, 0.0), "share", "Least share of a prompt of 131,072 tokens that must be reused then."),
        _number("problem-percent", each, "share", "Part of the battery for an answer."),
        _text("problem-answers", _rounded(1 / each), "Answers of a full battery, two digits."),
    ]  # fmt: skip
