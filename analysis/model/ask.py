"""``memory-wall ask``: one device and one model, or one of the two, and what is known of them together.

The arithmetic is that of ``predict``; here names become rows of it, and its answer becomes the words a person wants.
A speed is never given for what does not fit, and nothing is called best.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from analysis import ranking, words
from analysis.errors import MANY, InputError, Problem
from analysis.model import (
    configurations,
    devices,
    expected,
    file_sizes,
    foreign,
    memory_limits,
    names,
    own,
    predict,
    wording,
)
from analysis.model.predict import detailed, fits_device

if TYPE_CHECKING:
    import pandas as pd

Found = TypeVar("Found")
DEFAULT_FORMAT, DEFAULT_CONTEXT, DEFAULT_PROMPT = "Q4_K_M", "4096", "512"
"""What is asked where nobody says: the format that most people download, and a short conversation."""
CHANNEL_BYTE = 8
"""Width of a memory channel of DDR modules."""
MEMORY_TYPE = r"DDR[345]-(\d+(?:\.\d+)?)"
"""A kind of memory whose channels have that width, with its rate; in either case of the letters."""
FILES = (".json", ".gguf")
SPEEDS = ("token_per_s", "token_per_s_low", "token_per_s_high")
TIMES = ("first_token_s", "first_token_s_low", "first_token_s_high")
KEYS = (
    "device", "model", "format", "engine", "backend", "context_token", "prompt_token", "n_chip", "batch_size", "fits", "weight_gibyte",
    "kv_cache_gibyte", "state_gibyte", "needs_gibyte", "has_gibyte", "reserved_gibyte", *SPEEDS, "limit_token_per_s", *TIMES,
    "longest_context_token", "longest_by", "binding", "measured", "notes", "sources", "edition",
)  # fmt: skip
"""The answer as a program reads it; empty is null."""
RANKED = (
    "device",
    "model",
    "fits",
    "needs_gibyte",
    "has_gibyte",
    *SPEEDS,
    "limit_token_per_s",
    *TIMES,
    "longest_context_token",
    "longest_by",
    "binding",
)
"""The same of a table of answers: a row for each model that a device is asked about, or each device."""


class UnclearError(InputError):
    """A name means nothing that is filed, or several things: the candidates are named."""

    def __init__(self, problems: Sequence[Problem], candidates: Sequence[str] = ()) -> None:
        super().__init__(problems)
        self.candidates = tuple(candidates)


@dataclass(frozen=True)
class Question:
    """What is asked; empty where nobody said.

    names         a device and a model, in either order; one of them alone; a config.json or a GGUF file for a model
    cells         column of ``predict`` → what stands in it, as format, engine, kv_format, n_chip, batch_size, storage
    memory_type   kind and data rate of own memory, as DDR5-5600, with its ``channels``
    spread        ends of own bandwidth in GB/s where it is an estimate
    measured      token/s that somebody measured of the pair that is asked about, or a file of what was measured on the device
    """

    names: tuple[str, ...]
    cells: Mapping[str, str] = field(default_factory=dict)
    memory_type: str = ""
    channels: int = 0
    spread: tuple[float, ...] = ()
    measured: str = ""
    runs: tuple[own.Run, ...] = ()
    """What ``measured`` says of the device; ``answered`` fills it in."""

    @property
    def has_own(self) -> bool:
        """Whether numbers are given in place of a device."""
        return bool(self.memory_type or self.cells.get(BANDWIDTH))


BANDWIDTH, CAPACITY = "memory_bandwidth_gbyte_per_s", "memory_capacity_gibyte"


# ------------------------------------------------------------------------------------------------------ names


@dataclass(frozen=True)
class Model:
    """A model that was asked for: its id, its name, and what a file says of it where it came from one."""

    model_id: str
    name: str
    format: str = ""
    shape: configurations.Shape | None = None


def device(name: str, memory: str, folder: Path) -> devices.Device | None:
    """The one device a name means, or several that agree in all that counts; None where it means none.

    memory  a size in GiB that decides between rows which differ in it; empty where nobody said

    Raises UnclearError where several are meant that differ.
    """
    found = devices.device(name, folder)
    if len(found.ids) > 1 and memory:
        found = devices.device(f"{name} {float(memory):g} GB", folder)
    if not found.is_known:
        return None
    rates = {devices.device(key, folder).bandwidth_gbyte_per_s for key in found.ids}
    if len(found.ids) > 1 and (len(rates) > 1 or np.isnan(found.capacity_gibyte) or not found.backend):
        todo = "Name one, or its memory: --memory 16." if len(rates) == 1 else "Name one."
        raise _unclear(name, "one device", found.ids, todo)
    return found


def model(name: str, folder: Path) -> Model | None:
    """The one model a name means, or a file describes; None where it means none.  Raises UnclearError where several are meant."""
    if name.lower().endswith(FILES) and Path(name).exists():
        return _described(name, folder)
    known = _models(folder)
    ids = [names.model_id(name, folder)] if names.model_id(name, folder) else names.models_meant(name, folder)
    if len(ids) > 1:
        raise _unclear(name, "one model", ids, "Name one.")
    if not ids:
        return None
    stated = name if names.number_format(name, folder).is_known else ""
    return Model(ids[0], known[ids[0]]["name"], stated)


def _described(file: str, folder: Path) -> Model:
    found = foreign.read(file, folder)
    if found.shape is None:
        problem = Problem(
            file, f"a file of {found.kind}", "a model: a config.json or a GGUF file", "`memory-wall predict` reads it."
        )
        raise InputError([problem])
    return Model(found.shape.name, found.shape.name, found.shape.weight_format, found.shape)


def _models(folder: Path) -> dict[str, dict[str, str]]:
    return _by_key("models", "model_id", folder)


@cache
def _by_key(table: str, key: str, folder: Path) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in expected.rows(folder / f"{table}.csv")}


def _unclear(name: str, wanted: str, candidates: Sequence[str], todo: str) -> UnclearError:
    if len(candidates) <= MANY:
        shown = words.listing(candidates, "or")
    else:
        shown = f"{', '.join(candidates[:MOST_SHOWN])} or {len(candidates) - MOST_SHOWN:,} more, which a longer name tells apart"
    return UnclearError([Problem("ask", f"{name[:80]!r}, which may be {shown}", wanted, todo)], candidates)


MOST_SHOWN = 8
"""Candidates that a message names where there are too many to name all."""


def _unknown(name: str, wanted: str, known: Mapping[str, str]) -> UnclearError:
    near = wording.like(name, known)
    return UnclearError([Problem("ask", repr(name[:80]), wanted, wording.proposed(name, (), known))], near)


def meant(question: Question, folder: Path) -> tuple[devices.Device | None, Model | None]:
    """The device and the model that are asked about; None for the one that is not.  Raises UnclearError."""
    given, memory = question.names, question.cells.get(CAPACITY, "")
    if question.has_own:
        return None, _model_of(given, folder)
    if not 1 <= len(given) <= MOST_NAMES:
        todo = "Put a name of several words in quotation marks: memory-wall ask 'rtx 3060' 'qwen3 8b'."
        raise InputError([Problem("ask", words.plural(len(given), "name"), "a device, a model, or both", todo)])
    if len(given) == 1:
        return _either(given[0], memory, folder)
    first, second = given
    of_devices, of_models = devices._names(folder), {key: row["name"] for key, row in _models(folder).items()}
    if (found := device(first, memory, folder)) is None:
        if (turned := device(second, memory, folder)) is None or (other := model(first, folder)) is None:
            raise _unknown(first, "a device", of_devices)
        return turned, other
    if (asked := model(second, folder)) is None:
        raise _unknown(second, "a model", of_models)
    return found, asked


MOST_NAMES = 2


def _model_of(given: Sequence[str], folder: Path) -> Model | None:
    if not given:
        return None
    if len(given) > 1:
        todo = "Leave the device's name out, or its own numbers."
        raise InputError(
            [Problem("ask", f"{given[0][:80]!r} and numbers of its own", "a device's name or its numbers", todo)]
        )
    if (found := model(given[0], folder)) is None:
        raise _unknown(given[0], "a model", {key: row["name"] for key, row in _models(folder).items()})
    return found


def _either(name: str, memory: str, folder: Path) -> tuple[devices.Device | None, Model | None]:
    """One name alone: a model where it means one, else a device; InputError for a model on a memory without bandwidth."""
    if (asked := model(name, folder)) is not None:
        if memory:
            todo = "Give --bandwidth, or --memory-type and --channels; or name a device."
            raise InputError([Problem("--memory", f"{memory} GiB and no bandwidth", "both, or neither", todo)])
        return None, asked
    if (found := device(name, memory, folder)) is not None:
        return found, None
    known = devices._names(folder) | {key: row["name"] for key, row in _models(folder).items()}
    raise _unknown(name, "a device or a model", known)


# -------------------------------------------------------------------------------------------------------- rows


def own_cells(question: Question) -> dict[str, str]:
    """The cells of numbers given in place of a device; raises InputError where a kind of memory does not say its bandwidth."""
    cells = dict(question.cells)
    if question.memory_type:
        kind = re.fullmatch(MEMORY_TYPE, question.memory_type, re.IGNORECASE)
        if not kind or not question.channels:
            todo = "Give --bandwidth in GB/s: data rate × width of the bus ÷ 8."
            found = f"{question.memory_type!r} with {question.channels or 'no number of'} channels"
            raise InputError(
                [Problem("--memory-type", found, "DDR3, DDR4 or DDR5 with its rate, and --channels", todo)]
            )
        cells[BANDWIDTH] = f"{float(kind[1]) * CHANNEL_BYTE * question.channels / 1000:g}"
    return cells


def tokens(text: str, option: str) -> str:
    """A number of tokens as people write it: 16k is 16 × 1,024; raises InputError for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmM]?)", text.strip().replace("_", ""))
    if found is None:
        raise InputError([Problem(option, repr(text[:80]), "tokens, as 4096 or 16k", "")])
    count = float(found[1]) * {"": 1, "k": 2**10, "m": 2**20}[found[2].lower()]
    return f"{count:.0f}"


ASSUMED_STACK = "cpu"
"""What runs a model on own numbers where nobody says."""


def _cells(question: Question, asked: Model | None, folder: Path) -> dict[str, str]:
    """What is asked for, with what stands for what is not; raises UnclearError for a format whose bits nobody knows."""
    cells = own_cells(question)
    cells.setdefault("context_token", DEFAULT_CONTEXT)
    cells.setdefault("prompt_token", DEFAULT_PROMPT)
    if "format" not in cells and asked is not None and asked.shape is not None and asked.shape.weight_byte > 0:
        cells["weight_gibyte"] = f"{asked.shape.weight_byte / 2**30!r}"
    cells.setdefault("format", (asked.format if asked else "") or DEFAULT_FORMAT)
    if "weight_gibyte" not in cells and not names.number_format(cells["format"], folder).bit_per_param > 0:
        raise _unknown(cells["format"], "a number format", {key: key for key in names.formats(folder)})
    if question.has_own:
        cells.setdefault("backend", ASSUMED_STACK)
    return cells


def _predicted(
    question: Question, rows: Sequence[Mapping[str, str]], asked: Model | None, folder: Path
) -> pd.DataFrame:
    """The answers of ``predict``; where own bandwidth is an estimate, the intervals hold those of both its ends."""
    import pandas as pd

    described = {asked.model_id: asked.shape} if asked and asked.shape else {}
    given = pd.DataFrame(rows, dtype=str).fillna("")
    found, *others = (
        _of_table(table, described, folder, question.runs)
        for table in (given, *(given.assign(**{BANDWIDTH: f"{end:.4g}"}) for end in question.spread))
    )
    for outer, names_of_ends in ((np.fmin, LOW_ENDS), (np.fmax, HIGH_ENDS)):
        for name in names_of_ends:
            found[name] = outer.reduce([one[name] for one in (found, *others)])
    return found


LOW_ENDS, HIGH_ENDS = (
    ("token_per_s_low", "first_token_s_low"),
    ("token_per_s_high", "first_token_s_high", "limit_token_per_s"),
)


def _of_table(
    table: pd.DataFrame, described: Mapping[str, configurations.Shape], folder: Path, runs: Sequence[own.Run] = ()
) -> pd.DataFrame:  # fmt: skip
    return _once(lambda: detailed(table, folder=folder, file="ask", described=described, runs=runs))


def _once(read: Callable[[], Found]) -> Found:
    """What is read; what is wrong with an option is told once, and not for every row."""
    try:
        return read()
    except InputError as error:
        raise InputError(list(dict.fromkeys(replace(problem, row=None) for problem in error.problems))) from None


# ------------------------------------------------------------------------------------------------------ answers


def answered(question: Question, folder: Path, edition: str) -> dict[str, Any]:
    """The answer: ``KEYS`` for a device and a model, or for one of the two a table of ``RANKED`` under ``rows``.

    Raises UnclearError where a name is unknown or means several things, InputError where a value cannot be right.
    """
    found, asked = meant(question, folder)
    cells = _cells(question, asked, folder)
    question = replace(question, runs=_runs(question, cells, found, asked, folder))
    if asked is not None and (found is not None or question.has_own):
        answer = _whole(question, cells, found, asked, folder)
    else:
        answer = _ranked(question, cells, found, asked, folder)
    answer["edition"] = edition
    return {name: answer[name] for name in sorted(answer, key=lambda name: KEYS.index(name) if name in KEYS else 0)}


def _runs(
    question: Question, cells: Mapping[str, str], found: devices.Device | None, asked: Model | None, folder: Path
) -> tuple[own.Run, ...]:  # fmt: skip
    """What was measured on the device that is asked about: of the model that is, or of those in a file.  Raises InputError."""
    import pandas as pd

    text = question.measured
    if not text:
        return ()
    if Path(text).is_file():
        runs = predict.own_file(text, folder)
        ids = set(found.ids) if found else set()
        if any(ids & run.machine.who for run in runs):
            return runs
        of = words.listing(sorted({min(run.machine.who) for run in runs}))
        raise InputError([Problem(text, f"speeds of {of}", "of the device that is asked about", "Name that device.")])
    if not re.fullmatch(r"[0-9.]+", text):
        raise InputError(
            [Problem("--measured", repr(text[:80]), "token/s, or a file that is there", predict.NOTHING_OWN)]
        )
    if asked is None or not (found or question.has_own):
        todo = "Name device and model, or give the file that llama-bench wrote."
        raise InputError([Problem("--measured", f"{text} token/s of one of the two", "of a device and a model", todo)])
    row = {**cells, "model_id": asked.model_id, **_of_device(found, cells), predict.MEASURED: text}
    described = {asked.model_id: asked.shape} if asked.shape else {}
    table = pd.DataFrame([row], dtype=str).drop(columns="prompt_token")
    return _once(lambda: predict.own_runs(predict.Rows(table, folder, "--measured", described=described)))


def _asked(
    cells: Mapping[str, str], found: devices.Device | None, asked: Model | None, question: Question
) -> dict[str, Any]:
    """What was asked, as it was understood."""
    return {
        "device": " | ".join(found.ids) if found else OWN if question.has_own else "", "model": asked.model_id if asked else "",
        "format": cells["format"], **{name: int(float(cells.get(name) or 1)) for name in COUNTS},
    }  # fmt: skip


COUNTS = ("context_token", "prompt_token", "n_chip", "batch_size")


OWN = "own numbers"
"""In place of a device."""


def _whole(
    question: Question, cells: Mapping[str, str], found: devices.Device | None, asked: Model, folder: Path
) -> dict[str, Any]:  # fmt: skip
    row = {**cells, "model_id": asked.model_id, **_of_device(found, cells)}
    [said] = _predicted(question, [row], asked, folder).to_dict("records")
    number = {str(name): _plain(value) for name, value in said.items()}
    runs = list(measured(found, asked, folder)) if found else []
    answer = _asked(cells, found, asked, question) | {"engine": said["engine_used"], "backend": said["stack"]}
    answer["format"] = names.number_format(row["format"], folder).format_id or row["format"]
    answer |= {name: number.get(name) for name in (*SPEEDS, *TIMES)} | {
        name: number[name] for name in KEYS if name in number
    }
    has, capacity = number["has_gibyte"], number["capacity_gibyte"]
    longest = number["longest_context_token"]
    return answer | {
        "reserved_gibyte": None if has is None else capacity - has, "longest_context_token": None if longest is None else int(longest),
        "binding": said["binding"] or "", "measured": runs,
        "notes": [*_own_notes(question, found), *filter(None, said["note"].split("; "))],
        "sources": list(sources(found, asked, said["stack"], answer["format"], runs, folder)),
    }  # fmt: skip


def _of_device(found: devices.Device | None, cells: Mapping[str, str]) -> dict[str, str]:
    """A device as cells of a row: its memory is that of its name, where the name says a size."""
    if found is None:
        return {}
    is_known = CAPACITY not in cells and not np.isnan(found.capacity_gibyte)
    return {"device": found.ids[0]} | ({CAPACITY: f"{found.capacity_gibyte!r}"} if is_known else {})


def _own_notes(question: Question, found: devices.Device | None) -> Iterator[str]:
    if question.has_own:
        cells = own_cells(question)
        memory = f" and {float(cells[CAPACITY]):g} GiB" if CAPACITY in cells else ""
        kind = f" ({question.memory_type}, {question.channels} channels)" if question.memory_type else ""
        yield f"own numbers: {float(cells[BANDWIDTH]):.4g} GB/s{kind}{memory}"
    if question.has_own and "backend" not in question.cells:
        yield "backend not given: a processor assumed; --backend cuda, metal, rocm or vulkan for a graphics processor"
    if question.runs and not Path(question.measured).is_file():
        ratio = words.number(question.runs[0].speed_ratio, 2)
        yield f"you measured {question.measured} tokens per second, {ratio} times what is expected of such a device"
    if question.spread:
        low, high = question.spread
        yield f"bandwidth estimated from what this machine reached: {low:.3g} to {high:.3g} GB/s by the data sheet"
    if found and len(found.ids) > 1:
        yield f"{len(found.ids)} devices of this name agree in all that counts"


def _plain(value: Any) -> Any:
    """A cell as a program reads it: None for what is missing."""
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value


def _ranked(
    question: Question, cells: Mapping[str, str], found: devices.Device | None, asked: Model | None, folder: Path
) -> dict[str, Any]:  # fmt: skip
    """What a device runs, the largest models first; or what runs a model, the fastest devices first."""
    beside = {"model_id": asked.model_id} if asked else _of_device(found, cells)
    keys = (
        [{"model_id": key} for key in _models(folder)]
        if asked is None
        else [{"device": key} for key in runnable(cells.get("backend", ""), folder)]
    )
    given = [{**cells, **beside, **key} for key in keys]
    table = in_order(_told(question, given, asked, folder), "token_per_s" if asked else "size")
    rows = [{name: _plain(row[name]) for name in RANKED if name in row} for row in table.to_dict("records")]
    cited = list(sources(found, asked, "", "", (), folder))
    return _asked(cells, found, asked, question) | {"rows": rows, "sources": cited}


def every_pair(device_ids: Iterable[str], model_ids: Iterable[str], folder: Path) -> pd.DataFrame:
    """Each of the devices with each of the models, as ``answered`` has them where nothing but one of the two is said; in no order yet."""
    question = Question(())
    cells, keys = _cells(question, None, folder), product(device_ids, model_ids)
    given = [{**cells, "device": device_id, "model_id": model_id} for device_id, model_id in keys]
    return _told(question, given, None, folder)


def _told(
    question: Question, given: Sequence[Mapping[str, str]], asked: Model | None, folder: Path
) -> pd.DataFrame:  # fmt: skip
    """The answers with what each is about, its size, and how well it fits."""
    table = _predicted(question, given, asked, folder)
    table = table.assign(model=[row["model_id"] for row in given], device=[row.get("device", OWN) for row in given])
    return table.assign(place=table["fits"].map(PLACES), size=[_size(key, asked, folder) for key in table["model"]])


def in_order(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """What fits first, and of that the fastest (``token_per_s``) or the largest (``size``)."""
    return ranking.by(table, "place", by, "device", "model", falling=("token_per_s", "size"))


def runnable(backend: str, folder: Path) -> list[str]:
    """Devices of which all is known that an answer needs, and that a backend runs on where one is named."""
    meant = names.backend(backend) if backend else None
    rows = (row for row in expected.rows(folder / "devices.csv") if row[BANDWIDTH] and row[CAPACITY] and row["backend"])
    found = [row["device_id"] for row in rows]
    return [key for key in found if meant is None or fits_device(meant.stack, devices.device(key, folder))]


PLACES = {"yes": 0, "barely": 1, "": 2, "no": 3}


def _size(model_id: str, asked: Model | None, folder: Path) -> float:
    return asked.shape.total_param if asked and asked.shape else float(_models(folder)[model_id]["total_gparam"])


# ------------------------------------------------------------------------------------------- measured, sources


def measured(found: devices.Device, asked: Model, folder: Path) -> Iterator[dict[str, Any]]:
    """Runs of this model on this device, or on its chip, that somebody published."""
    for row in runs(folder).get(asked.model_id, ()):
        if _is_of(row, found, folder):
            yield {
                "token_per_s": float(row["decode_token_per_s"]), "format": row["quantization"], "engine": row["engine"],
                "context_token": float(row["context_token"]) if row["context_token"] else None, "date": row["date"],
                "source_id": row["source_id"], "measurement_id": row["measurement_id"],
            }  # fmt: skip


@cache
def runs(folder: Path) -> dict[str, list[Mapping[str, str]]]:
    """Model → the rows of what was measured of it on one device."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for table in ("measurements_decode", "measurements_phone"):
        for row in expected.rows(folder / f"{table}.csv"):
            if row.get("n_device") in (None, "", "1"):
                found.setdefault(names.model_id(row["model"], folder), []).append(row)
    return found


def _is_of(row: Mapping[str, str], found: devices.Device, folder: Path) -> bool:
    if set(devices.device(row["device"], folder).ids) & set(found.ids):
        return True
    return bool(row["chip"]) and row["chip"] == found.part


def sources(
    found: devices.Device | None, asked: Model | None, stack: str, number_format: str, runs: Iterable[Mapping[str, Any]], folder: Path
) -> Iterator[dict[str, str]]:  # fmt: skip
    """Where the numbers come from: what each source is for, with its title and address."""
    filed = _by_key("sources", "source_id", folder)
    used: dict[str, str] = {}
    for what, source_id in _used(found, asked, stack, number_format, runs, folder):
        used.setdefault(source_id, what)
    for source_id, what in used.items():
        if source_id in filed:
            row = filed[source_id]
            yield {
                "for": what,
                "source_id": source_id,
                "publisher": row["publisher"],
                "title": row["title"],
                "url": row["url"],
            }


def _used(
    found: devices.Device | None, asked: Model | None, stack: str, number_format: str, runs: Iterable[Mapping[str, Any]], folder: Path
) -> Iterator[tuple[str, str]]:  # fmt: skip
    rows = {
        "device": devices.row(found.ids[0], folder) if found else {},
        "model": _models(folder).get(asked.model_id, {}) if asked else {},
    }
    for what, row in rows.items():
        yield from ((what, row[name]) for name in ("source_id", "second_source_id") if row.get(name))
    formats = _by_key("number_formats", "format_id", folder)
    if number_format in formats:
        yield "number format", formats[number_format]["source_id"]
    if asked and (read := file_sizes.source_id(asked.model_id, number_format, folder)):
        yield "size of the file", read
    system = found.system if found else memory_limits.OF_STACK.get(stack, "video") if stack else ""
    if system and (limits := memory_limits.filed(folder)).source_ids.get(system):
        capacity = np.array([found.capacity_gibyte if found else 0.0]) * 2.0**30
        place = int(limits.row([memory_limits.SYSTEMS.index(system)], np.nan_to_num(capacity))[0])
        yield (
            "what one program may take",
            [one for name in memory_limits.SYSTEMS for one in limits.source_ids[name]][place],
        )
    yield from (("measured", run["source_id"]) for run in runs)
