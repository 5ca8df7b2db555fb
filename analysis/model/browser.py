"""The arithmetic of ``ask`` for a browser: what Python computes, written down as a script while Python computes it.

Nothing is computed a second way.  The functions of the model run once on symbols in place of numbers; every operation that they
make becomes a line of the script, so that a browser repeats them in the same order.  What differs between devices, formats and
models comes beside it as numbers, asked of ``predict`` itself.
"""

from __future__ import annotations

import itertools
import json
import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import words
from analysis.equations import dram_capacity, elementary, memory_wall
from analysis.model import expected, file_sizes, names, predict, prefill, shapes

if TYPE_CHECKING:
    import pandas as pd

# ----------------------------------------------------------------------------------------------------- symbols


@dataclass
class Script:
    """The lines that were written so far; an expression that comes again is not computed again."""

    lines: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def kept(self, expression: str) -> Symbol:
        """The symbol that stands for an expression."""
        if expression not in self.known:
            self.known[expression] = f"x{len(self.known)}"
            self.lines.append(f"const {self.known[expression]} = {expression};")
        return Symbol(self, self.known[expression])


OPERATORS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.less_equal: "<=", np.less: "<", np.greater: ">",
    np.greater_equal: ">=", np.equal: "===", np.logical_and: "&&", np.bitwise_and: "&&", np.bitwise_or: "||",
}  # fmt: skip
CALLS = {
    np.minimum: "Math.min", np.maximum: "Math.max", np.sqrt: "Math.sqrt", np.ceil: "Math.ceil", np.floor: "Math.floor",
    np.isnan: "Number.isNaN", np.fmin: "fmin", np.fmax: "fmax", np.isinf: "isinf", elementary.SYMBOLIC_POWER: "Math.pow",
}  # fmt: skip
HELPERS = """\
const fmin = (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b));
const fmax = (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b));
const isinf = (a) => Math.abs(a) === Infinity;
"""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that is not known yet: what is done with it is written down."""

    def __init__(self, script: Script, text: str) -> None:
        self.script, self.text = script, text

    def __array_ufunc__(self, function: Any, method: str, *given: Any, **named: Any) -> Symbol:
        """Write an operation down; raises KeyError for one that a browser has no word for."""
        if method != "__call__" or named:
            raise KeyError(f"{function.__name__}.{method}")
        texts = [_text(value) for value in given]
        if function in OPERATORS:
            return self.script.kept(f"({texts[0]} {OPERATORS[function]} {texts[1]})")
        return self.script.kept(f"{CALLS[function]}({', '.join(texts)})")

    def __getitem__(self, place: Any) -> Symbol:
        """A number has no parts."""
        return self

    def __array_function__(self, function: Any, types: Any, given: Any, named: Any) -> Symbol:
        """Write a choice down."""
        if function is not np.where:
            raise KeyError(function.__name__)
        condition, yes, no = map(_text, given)
        return self.script.kept(f"({condition} ? {yes} : {no})")


def _text(value: Any) -> str:
    if isinstance(value, Symbol):
        return value.text
    number = float(value)
    return (
        "NaN"
        if math.isnan(number)
        else ("Infinity" if number > 0 else "-Infinity")
        if math.isinf(number)
        else repr(number)
    )


# -------------------------------------------------------------------------------------------------- arithmetic

KIND = expected.Coefficients._fields
DEVICE = (
    "bandwidth_byte_per_s", "usable_low_byte", "usable_byte", "usable_high_byte", "thread_byte_per_s", "op_per_s", "flop_per_s",
    "whole_flop_ratio", "pass_token", "launch_aging", "unpacking_aging", "first_low", "first_high", "low", "high",
)  # fmt: skip
MODEL = (
    "active_param", "n_layer", "is_expert", "full_byte_per_token", "window_byte_per_token", "window_token", "state_byte", "context_limit",
    "called_share",
)  # fmt: skip
"""What a script is given beside ``KIND``: of the device and the format, and of the model."""
ASKED = ("whole_byte", "read_byte", "expert_byte", "bit_per_param", "kv_share", "context_token", "prompt_token")
ANSWER = (
    "needs_byte", "kv_cache_byte", "grade", "token_per_s", "token_per_s_low", "token_per_s_high", "limit_token_per_s", "first_token_s",
    "first_token_s_low", "first_token_s_high", "longest_context_token", "overhead_s", "reading_s", "arithmetic_s",
)  # fmt: skip


def answer(n: Mapping[str, Any]) -> dict[str, Any]:
    """``ANSWER`` for one sequence on one chip; ``n`` has a number for each name in ``KIND``, ``DEVICE``, ``MODEL`` and ``ASKED``."""
    kept = shapes.Cache(
        n["full_byte_per_token"] * n["kv_share"],
        n["window_byte_per_token"] * n["kv_share"],
        n["window_token"],
        n["state_byte"],
    )
    cached = n["context_token"] + n["prompt_token"]
    cache = kept.at(cached)
    needs = n["whole_byte"] + cache
    step = _step(n, cache, n["read_byte"])
    bare = _step(n, 0.0, _read_at(n, np.minimum(n["prompt_token"], n["pass_token"])))
    speed = 1.0 / step.step_s
    limit = n["bandwidth_byte_per_s"] / (n["read_byte"] + cache)
    reached = n["flop_per_s"] * np.where(n["bit_per_param"] >= prefill.WHOLE_LEAST_BIT, n["whole_flop_ratio"], 1.0)
    first = prefill.time_s(
        param=n["active_param"], prompt_token=n["prompt_token"], n_layer=n["n_layer"], flop_per_s=reached, pass_s=bare.step_s,
        context_token=n["context_token"], passes_token=n["pass_token"],
    )  # fmt: skip
    grade = dram_capacity.fit_grade.plain(
        needs, n["usable_byte"], usable_low_byte=n["usable_low_byte"], usable_high_byte=n["usable_high_byte"]
    )
    fits = np.where(grade > 0, 1.0, np.nan)
    least = _read_at(n, n["prompt_token"]) / n["bandwidth_byte_per_s"]
    longest = np.fmin(np.floor(kept.within(n["usable_byte"] - n["whole_byte"])), n["context_limit"])
    return {
        "needs_byte": needs, "kv_cache_byte": cache - n["state_byte"], "grade": grade, "token_per_s": speed * fits,
        "token_per_s_low": speed * n["low"] * fits, "token_per_s_high": np.minimum(speed * n["high"], limit) * fits,
        "limit_token_per_s": limit, "first_token_s": first * fits, "first_token_s_low": np.maximum(first / n["first_high"], least) * fits,
        "first_token_s_high": first / n["first_low"] * fits, "longest_context_token": longest, "overhead_s": step.overhead_s,
        "reading_s": step.weight_s + step.cache_s, "arithmetic_s": step.arithmetic_s,
    }  # fmt: skip


STEP = ("bandwidth_byte_per_s", "n_layer", "bit_per_param", "is_expert", "thread_byte_per_s", "op_per_s")


def _read_at(n: Mapping[str, Any], token: Any) -> Any:
    """Bytes of weights that a step reads for so many tokens: every expert that one of them calls."""
    touched = memory_wall.touched_share.plain(n["called_share"], batch_size=token)
    return n["read_byte"] + n["expert_byte"] * (touched - n["called_share"])


def _step(n: Mapping[str, Any], cache_byte: Any, weight_byte: Any) -> expected.Parts:
    given = {name: n[name] for name in STEP} | {"weight_byte": weight_byte, "kv_cache_byte": cache_byte}
    kind = expected.Coefficients(*(n[name] for name in KIND))
    return expected.step(kind, given, n["launch_aging"], n["unpacking_aging"])


def script() -> str:
    """``answer`` as a function of a browser: an array of the arguments' numbers in, an array of ``ANSWER`` out."""
    written = Script()
    names = (*KIND, *DEVICE, *MODEL, *ASKED)
    found = answer({name: Symbol(written, f"n[{place}]") for place, name in enumerate(names)})
    result = ", ".join(_text(found[name]) for name in ANSWER)
    body = "\n".join(f"  {line}" for line in written.lines)
    return f"{HELPERS}function answer(n) {{\n{body}\n  return [{result}];\n}}\n"


# ------------------------------------------------------------------------------------------------ coefficients

PIECE = "ask"
"""Name of the piece of page whose script this is: of the form, and of the rows that the pages of models leave out."""
STAND_INS = {"plain": "q8-0", "k-quant": "q4-k-m", "i-quant": "iq4-xs", "low": "q2-k", "low-i": "iq2-xs"}
"""Kind of format → a format of the kind, by which its coefficients are asked for."""
OWN = "own"
"""Begins the names of stand-ins for numbers that a reader gives in place of a device, one for each software stack."""


FITS = {0.0: "no", 1.0: "barely", 2.0: "yes"}


def told(folder: Path, beside: Mapping[str, Any] | None = None) -> str:
    """``coefficients``, and what a page has beside them, as JSON: null is missing, a number too large for any is without end."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return None if math.isnan(value) else "ENDLESS" if math.isinf(value) else words.settled(value)
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    text = json.dumps(plain(coefficients(folder) | dict(beside or {})), ensure_ascii=False, separators=(",", ":"))
    return text.replace('"ENDLESS"', "1e999").replace(".0,", ",").replace(".0]", "]")


def coefficients(folder: Path) -> dict[str, Any]:
    """What the script is given: devices, kinds of software and format, models, number formats; numbers at twelve digits.

    Each device has ``DEVICE`` but the ends of its interval, which go by the kind of format; those stand under ``kinds``.
    """
    table = _devices(folder)
    kinds: dict[tuple[float, ...], int] = {}
    devices = []
    for _, group in itertools.groupby(table.to_dict("records"), operator.itemgetter("key")):
        first, *others = group
        places = [
            kinds.setdefault(tuple(float(row[name]) for name in (*KIND, *ENDS)), len(kinds)) for row in (first, *others)
        ]
        told = {name: first[name] for name in ("key", "name", "device_class", "stack", "engine", "note")}
        devices.append([*told.values(), [float(first[name]) for name in FIXED], places])
    return {
        "fixed": FIXED, "arguments": (*KIND, *DEVICE, *MODEL, *ASKED), "answer": ANSWER, "kind": (*KIND, *ENDS),
        "packings": expected.PACKINGS, "devices": devices, "kinds": list(kinds), "models": _of_models(folder),
        "formats": _of_formats(folder), "notes": {name: predict.NOTES[name] for name in OF_MODELS},
        "experts": expected.calibration(folder).intervals[prefill.EXPERT_GROUP],
    }  # fmt: skip


FIXED = tuple(name for name in DEVICE if name not in ("low", "high"))
ENDS = ("dense_low", "dense_high", "expert_low", "expert_high")
OF_MODELS = ("experts", "active", "cache", "context", "published")


def _devices(folder: Path) -> pd.DataFrame:
    """A row for each device, or stand-in for one, and each kind of format, as ``predict`` sees it."""
    import pandas as pd

    filed = [
        row for row in expected.rows(folder / "devices.csv") if row["memory_bandwidth_gbyte_per_s"] and row["backend"]
    ]
    given = [
        {"key": row["device_id"], "device": row["device_id"], "name": row["name"], "device_class": row["device_class"]}
        for row in filed
    ]
    given += [
        {"key": f"{OWN} {stack}", "backend": stack, predict.BANDWIDTH: "100", predict.CAPACITY: "16", "name": stack, "device_class": OWN}
        for stack in expected.STACKS if stack in expected.STACK_NAMES
    ]  # fmt: skip
    asked = pd.DataFrame(
        [row | {"format": name, "prompt_token": "512"} for row in given for name in STAND_INS.values()], dtype=str
    ).fillna("")
    rows = predict.Rows(asked.drop(columns=["key", "name", "device_class"]).assign(**STAND_IN_MODEL), folder, "devices")
    rows.require_sound()
    return asked.assign(**predict.seen(rows))


STAND_IN_MODEL = {"weight_gibyte": "0.01", "n_layer": "32", "n_kv_head": "8", "head_dim": "128"}
"""A model of which everything is known and that fits everywhere: what is noted of it is noted of the device."""


def _known(folder: Path) -> Iterator[tuple[dict[str, str], predict.Model]]:
    """Models of which a browser computes; one whose shape is not published is answered by the command, with what it assumes."""
    for row in expected.rows(folder / "models.csv"):
        model = predict.model(row)
        if not (math.isnan(model.n_layer) or math.isnan(model.kv_byte_per_token)):
            yield row, model


def models(folder: Path) -> list[str]:
    """Their ids."""
    return [row["model_id"] for row, _ in _known(folder)]


def _of_models(folder: Path) -> list[list[Any]]:
    found = []
    for row, model in _known(folder):
        numbers = [
            model.active_param, model.n_layer, model.is_expert, model.kv_byte_per_token, model.window_kv_byte_per_token, model.window_token,
            model.state_byte, float(row["context_token"] or "nan"), _called_share(model),
        ]  # fmt: skip
        bits = {name: bit for name, _, bit, _ in _of_formats(folder)}
        filed = {name: file_sizes.file_gibyte(row["model_id"], name, folder) * predict.GIBYTE for name in bits}
        filed = {name: byte for name, byte in filed.items() if not math.isnan(byte)}
        whole = filed.get(predict.EXPERT_FORMAT, model.total_param * bits[predict.EXPERT_FORMAT] / 8)
        reads = [_read_shares(model, 1.0, math.nan), _read_shares(model, whole, bits[predict.EXPERT_FORMAT])]
        reads = list(dict.fromkeys(reads))  # one where the experts have no format of their own
        notes = [
            name
            for name, is_so in (
                ("experts", model.is_expert and model.expert_param > 0),
                ("active", model.is_expert and not model.expert_param > 0),
            )
            if is_so
        ]
        few = row.get("published_bit_per_param")
        own = [float(few) * predict.CONVERTED_RATIO] if few else []
        found.append([row["model_id"], row["name"], model.total_param, reads, filed, notes, numbers, *own])
    return found


def _called_share(model: predict.Model) -> float:
    """Share of the experts that a token calls; of a mixture whose experts nobody states, the share of the weights that it uses."""
    return model.n_active_expert / model.n_expert if model.expert_param else model.used_share


def _read_shares(model: predict.Model, whole_byte: float, expert_bit: float) -> tuple[float, float]:
    """Shares of the bytes of a model: what a step reads for one token, and all experts; these may have a format of their own."""
    weights = expected.Weights(*(getattr(model, name) for name in expected.Weights._fields))
    one, every = (
        float(expected.read_byte(weights, whole_byte, expert_bit=expert_bit, batch_size=token) / whole_byte)
        for token in (1.0, math.inf)
    )
    called = _called_share(model)
    return one * model.used_share, (every - one) / (1 - called) if model.expert_param else every * (called < 1)


def _of_formats(folder: Path) -> list[tuple[str, str, float, int]]:
    """Id, name, bits and kind of every number format."""
    found = []
    for row in expected.rows(folder / "number_formats.csv"):
        meant = names.number_format(row["format_id"], folder)
        kind = "low-i" if meant.packing == "i-quant" else "low"
        packing = kind if meant.bit_per_param < expected.LOW_BIT else meant.packing
        found.append(
            (
                row["format_id"],
                row["name"].removesuffix(" (whole file)"),
                meant.bit_per_param,
                expected.PACKINGS.index(packing),
            )
        )
    return found
