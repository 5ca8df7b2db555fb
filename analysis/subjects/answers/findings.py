"""The pages of devices and models, and the numbers that the chapter on them cites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import ranking, units, words
from analysis.figures import Column, Entry, Section, Table, Value
from analysis.model import ask, browser, devices, expected, memory_limits, names, phones, predict
from analysis.subjects import standing
from analysis.subjects.answers import derived
from analysis.tables import DataPackage

ASKED = {
    "format": ask.DEFAULT_FORMAT, "context_token": int(ask.DEFAULT_CONTEXT), "prompt_token": int(ask.DEFAULT_PROMPT),
}  # fmt: skip
WITH = f"with {int(ask.DEFAULT_CONTEXT):,} tokens of context"
SETTING = f"in {ask.DEFAULT_FORMAT}, {WITH} and a prompt of {int(ask.DEFAULT_PROMPT):,} tokens"
SAYING = (
    "Expected speeds come from the calibrated model: 80 % of such runs lie between the two ends below each. At most is what the bandwidth "
    "of the data sheet allows. A speed is missing where nothing is known that it could come from. The longest context ends at what memory "
    "holds or at what the model is made for, as the word below it says. The bar behind what a model needs fills "
    "its cell where that is all the memory one program may take."
)
UNSAID = {"source_id", "second_source_id", "confidence", "note", "default_set", "name", "device_id", "model_id"}
"""Columns that are no facts of a device or a model, or stand elsewhere on its page."""
ABBREVIATED = {
    "npu": "NPU",
    "int8": "INT8",
    "fp16": "FP16",
    "kv": "KV",
    "ffn": "FFN",
    "moe": "MoE",
    "hf": "Hugging Face",
    "dim": "width",
    "published": "published weights",
}
FEW, SOME, MANY = 20, 40, 200
"""Rows of a long table that are written into its page: of the devices of a model, of runs, of the models of a device."""
CLASSES = {
    "phone": "Phones", "tablet": "Tablets", "laptop": "Laptops", "desktop": "Desktops", "edge": "Small machines", "gpu": "Graphics cards",
    "server": "Servers",
}  # fmt: skip
EXPECTED = Column("token_per_s", "Expected", "token/s", between=ask.SPEEDS[1:])
NUMBERS = [
    Column("needs_gibyte", "Needs", "GiB", of="has_gibyte"), EXPECTED,
    Column("limit_token_per_s", "At most", "token/s"), Column("first_token_s", "First token", "s", between=ask.TIMES[1:]),
    Column("longest_context_token", "Longest context", "token", 6, note="longest_by"),
]  # fmt: skip
RUNS = [
    Column("format", "Format"), Column("engine", "Engine"), Column("context_token", "Context", "token", 6),
    Column("measured_token_per_s", "Measured", "token/s"), EXPECTED, Column("date", "Date"),
]  # fmt: skip
BESIDE = (
    "beside what is expected of the same format, engine and context. No speed is expected where the memory of the book's device does "
    "not hold the model: the machine measured had more."
)
MEASURED = {
    "device": f"What others measured on it, or on another machine with its chip, {BESIDE}",
    "model": f"What others measured of it on these devices, or on other machines with their chips, {BESIDE}",
}
RUN_FIELDS = ("on", *(column.name for column in RUNS), *ask.SPEEDS[1:], "measurement_id", "source_id")
RUNS_BY = ("device", "model", "format", "context_token", "measurement_id")
FITS, HAS = (2 + derived.ANSWERS.index(name) for name in ("fits", "has_gibyte"))
OTHER = {"device": "model", "model": "device"}
ORDERS = {"device": "size", "model": "token_per_s"}
"""What a page is about → what its rows are ranked by, after what fits and what barely does."""


class Answers:
    """What all pages are made of, computed once: for ``device`` and for ``model``, id → the rows of its page."""

    def __init__(self, package: DataPackage) -> None:
        self.package = package
        self.rows = {key: derived.paged(package, f"{key}s") for key in OTHER}
        self.named = {key: dict(zip(rows[f"{key}_id"], rows["name"], strict=True)) for key, rows in self.rows.items()}
        models = self.rows["model"]
        self.published = set(models.loc[derived.is_published(models), "model_id"])
        every, runs = derived.pairs(package), derived.measured(package)
        listed = every[every["model"].isin(self.published)]
        self.count = len(listed)
        listed = derived.plain(listed, derived.ANSWERS)
        self.format_id, usual_bit = _usual(package)
        fewer = models[models["published_bit_per_param"] * predict.CONVERTED_RATIO < usual_bit]
        self.few_bit = dict(zip(fewer["model_id"], fewer["published_bit_per_param"], strict=True))
        converted = {key: f"{self.named['model'][key]}, {AS_CONVERTED}" for key in self.few_bit}
        named = {"device": self.named["device"], "model": self.named["model"] | converted}
        self.answers = {key: self._of_each(ask.in_order(listed, by), key, named) for key, by in ORDERS.items()}
        runs = derived.plain(ranking.by(runs, *RUNS_BY), RUN_FIELDS)
        self.runs = {key: self._of_each(runs, key, self.named) for key in OTHER}
        self.weight_gibyte = dict(zip(every["model"], every["weight_gibyte"], strict=True))
        self.cache_byte = derived.cache_byte(package)
        every_device = len(self.rows["device"]) == len(package.table("devices"))
        self.computed = set(browser.models(package.folder)) if every_device else set()
        self.fewer = words.listing([self.named["model"][key] for key in self.few_bit if key in self.published])
        self.basis: dict[str, str] = dict(standing.devices(package)[["device_id", "basis"]].itertuples(index=False))
        self.sources = {row["source_id"]: row for row in package.raw("sources").to_dict("records")}
        limited = memory_limits.of_devices(
            package, package.table("devices"), predict.GIBYTE * memory_limits.DEFAULT_RESERVE_GIBYTE
        )
        self.limits = limited.set_index("device_id")[["is_limit_estimate", "limit_note"]].to_dict("index")
        self.runnable = set(ask.runnable("", package.folder))
        self.phones = {row["device_id"] for row in self.rows["device"].to_dict("records") if _is_phone(row, package)}

    def _of_each(
        self, table: pd.DataFrame, key: str, named: Mapping[str, Mapping[str, str]]
    ) -> dict[str, list[list[Any]]]:
        return derived.of_each(table, key, OTHER[key], named[OTHER[key]])


def _usual(package: DataPackage) -> tuple[str, float]:
    """The format that pages answer for, and its bits per parameter."""
    usual = names.number_format(ask.DEFAULT_FORMAT, package.folder)
    return usual.format_id, usual.bit_per_param


def entries(answers: Answers) -> list[Entry]:
    """A page for each device and one for each model."""
    of_devices = (_device(row, answers) for row in answers.rows["device"].to_dict("records"))
    of_models = (_model(row, answers) for row in answers.rows["model"].to_dict("records"))
    return [*of_devices, *of_models]


def _device(row: dict[Any, Any], answers: Answers) -> Entry:
    key, folder = row["device_id"], answers.package.folder
    of = answers.answers["device"][key]
    used = list(ask.sources(devices.device(key, folder), None, "", answers.format_id, (), folder))
    has = of[0][HAS]
    limit, kept = answers.limits[key], f"{_amount(row['memory_capacity_gibyte'] - has, 'GiB')} are reserved"
    more = [
        ("What one program may take", _amount(has, "GiB"), f"{kept}. {limit['limit_note']}", _named(used, "what one"))
    ]
    rate = _filed(row, "memory_bandwidth_gbyte_per_s", "GB/s")
    said = [
        f"{row['name']}: {_filed(row, 'memory_capacity_gibyte', 'GiB')} of memory"
        + (f" at {rate}" if rate else "; no source states its bandwidth, so no speed is expected")
        + f". {'It is assumed that one' if limit['is_limit_estimate'] else 'One'} program may take {_amount(has, 'GiB')} of it.",
        _fitting(of, "models", "fit", "fits"),
    ]
    shown = sum(one[FITS] != "no" for one in of)
    left_out = len(answers.rows["model"]) - len(answers.published)
    burst = f" {phones.cool(answers.package)}" if key in answers.phones else ""
    told = f"{SAYING}{burst} {words.plural(left_out, 'model')} with neither a licence nor a place to download on file are left out."
    if answers.few_bit:
        told += f" Made for fewer bits than {ask.DEFAULT_FORMAT}, and smaller and faster in their own form: {answers.fewer}."
    sections = [Section("What it runs", told, _heads(key, "model"), MANY, shown, "models", "model")] if shown else []
    headline = _counted(of), f"models fit in {ask.DEFAULT_FORMAT}, {WITH}"
    return _entry("device", row, CLASSES[row["device_class"]], said, headline, sections, more, used, of, answers)


def _is_phone(row: Mapping[Any, Any], package: DataPackage) -> bool:
    return expected.generation(f"{row['chip']} {row['name']}", package.folder).is_phone


def _model(row: dict[Any, Any], answers: Answers) -> Entry:
    key, folder = row["model_id"], answers.package.folder
    of = [one for one in answers.answers["model"].get(key, ()) if one[0] in answers.runnable]
    used = list(ask.sources(None, ask.Model(key, row["name"]), "", answers.format_id, (), folder))
    cache, weights = answers.cache_byte[key], _amount(answers.weight_gibyte[key], "GiB")
    told = "not known: its shape is not published" if np.isnan(cache) else words.quantity(cache, "byte")
    more: list[Fact] = [
        (f"Weights in {ask.DEFAULT_FORMAT}", weights, "", _named(used, "size") or _named(used, "number")),
        ("Cache for 1,000 tokens, in 16 bits", told, "" if np.isnan(cache) else "follows from the shape", None),
    ]
    said = [
        f"{row['name']}: {_filed(row, 'total_gparam', 'billion parameters')}, {weights} of weights in {ask.DEFAULT_FORMAT}.",
        _fitting(of, "devices of known bandwidth", "hold it", "holds it") if of else NOWHERE,
        *([CONVERTED.format(f"{answers.few_bit[key]:g}")] if key in answers.few_bit else []),
    ]
    held = f"; {_counted(of)} devices hold it {WITH}" if of else ""
    headline = weights, f"of weights in {ask.DEFAULT_FORMAT}{held}"
    shown = sum(one[FITS] != "no" for one in of)
    made = browser.PIECE if key in answers.computed else ""
    held_by = {one[0] for one in of if one[FITS] != "no"}
    burst = f" {phones.cool(answers.package)}" if held_by & answers.phones else ""
    sections = (
        [Section("What runs it", f"{SAYING}{burst}", _heads(key, "device"), FEW, shown, "devices", "device", made)]
        if shown
        else []
    )
    return _entry(
        "model", row, f"{row['name']} ".split("-")[0].split()[0], said, headline, sections, more, used, of, answers
    )


AS_CONVERTED = f"converted to {ask.DEFAULT_FORMAT}"
CONVERTED = (
    f"Its makers publish it in {{}} bits per parameter; what is said here is of a file in {ask.DEFAULT_FORMAT}, a conversion "
    "that takes more memory and reads more slowly."
)
NOWHERE = "No licence and no place to download it are filed, so it is in no list of what a device runs."


def _entry(
    kind: str, row: dict[Any, Any], group: str, said: list[str], headline: tuple[str, str], sections: list[Section], more: list[Fact],
    used: list[dict[str, str]], rows: list[list[Any]], answers: Answers,
) -> Entry:  # fmt: skip
    key, other, runs = row[f"{kind}_id"], OTHER[kind], answers.runs[kind].get(row[f"{kind}_id"], [])
    tried = Table(f"{key}-runs", [Column("name", other.capitalize()), *RUNS], [other, "name", *RUN_FIELDS], runs)
    return Entry(
        table=f"{kind}s", id=key, title=row["name"], group=group, said=said, number=headline[0], counted=headline[1],
        sections=[
            *sections, *([Section("Measured", MEASURED[kind], tried, SOME, 0, f"{other}s", other)] if runs else []),
            _facts(kind, row, more, answers),
        ],
        fields=[other, "name", *derived.ANSWERS], rows=rows, asked=ASKED,
        sources=sorted({one["source_id"] for one in used} | {run[-1] for run in runs}),
    )  # fmt: skip


def _heads(key: str, other: str) -> Table:
    """The columns of a page's answers; their rows are those of its CSV."""
    return Table(f"{key}-answers", [Column("name", other.capitalize()), Column("fits", "Fits"), *NUMBERS], [], [])


def _counted(rows: list[list[Any]]) -> str:
    return f"{sum(row[FITS] == 'yes' for row in rows)} of {len(rows)}"


def _fitting(rows: list[list[Any]], what: str, many: str, one: str) -> str:
    """How many fit, and what becomes of the others; what there is none of is not counted."""
    counts = Counter(row[FITS] for row in rows)
    does = {name: one if counts[name] == 1 else many for name in ("yes", "barely")}
    others = [
        *([f"{counts['barely']} barely {does['barely']}"] if counts["barely"] else []),
        *([f"{counts['no']} {'does' if counts['no'] == 1 else 'do'} not"] if 0 < counts["no"] < len(rows) else []),
        *([f"of {counts[None]} it is not known"] if counts[None] else []),
    ]
    told = words.listing(others)
    rest = f" {told[0].upper()}{told[1:]}." if others else ""
    return f"{counts['yes'] or 'None'} of {len(rows)} {what} {does['yes']} {SETTING}.{rest}"


Fact = tuple[str, str, str, Mapping[str, str] | None]
"""What, how much, what is to be said of it, and the source as ``ask`` names it."""


def _facts(kind: str, row: dict[Any, Any], more: list[Fact], answers: Answers) -> Section:
    """What is filed of it, each with its unit and the source that states it."""
    fields = answers.package.resource(f"{kind}s")["schema"]["fields"]
    stating, basis = _stating(fields, row, answers), answers.basis.get(row[f"{kind}_id"], "")
    filed = [
        [
            _called(field["name"]), _filed(row, field["name"], field.get("unit", "")),
            basis if field["name"] == RATE else field.get("caveat"), *stating.get(field["name"], ("", "")),
        ]
        for field in fields
        if field["name"] not in UNSAID
    ]  # fmt: skip
    rows = [
        [what, value, note or None, source["title"] if source else None, source["url"] if source else None]
        for what, value, note, source in more
    ]
    rows = [[one or None for one in fact] for fact in [*rows, *filed] if fact[1]]
    columns = [
        Column("fact", kind.capitalize()),
        Column("value", "Value", note="note"),
        Column("source", "Source that states it", link="url"),
    ]
    second = isinstance(row["second_source_id"], str) and row["second_source_id"]
    said = f"How its row is known: {row['confidence'].replace('-', ' ')}" + (", from two sources." if second else ".")
    noted = f" {row['note'].rstrip('.')}." if isinstance(row["note"], str) and row["note"] else ""
    table = Table(f"{row[f'{kind}_id']}-facts", columns, ["fact", "value", "note", "source", "url"], rows)
    return Section("What is known of it", f"{said}{noted} {UNSTATED}", table, len(rows))


RATE = "memory_bandwidth_gbyte_per_s"
UNSTATED = "Where no source is named, the sources of the row do not state the field: it is general knowledge, or the note says whose it is."


def _stating(
    fields: Sequence[Mapping[str, Any]], row: Mapping[Any, Any], answers: Answers
) -> dict[str, tuple[str, str]]:
    """Column → title and address of the source of the row that states it, as the notes of the table say which states what.

    A standard says what a kind of memory can do, and nothing of a device.
    """
    found: dict[str, tuple[str, str]] = {}
    for field in reversed([field for field in fields if "states" in field or "states_first_of" in field]):
        if source := answers.sources.get(row[field["name"]]):
            whose = source["origin"] or source["publisher"]
            of_whom = field.get("states_from", {}).get(whose, ()) if source["kind"] == DATABASE else ()
            first = [column for column in field.get("states_first_of", ()) if _filed(row, column, "")][:1]
            stated = OF_KIND if source["kind"] == standing.STANDARD else [*field.get("states", ()), *first, *of_whom]
            found |= dict.fromkeys(stated, (source["title"], source["url"]))
    return found


DATABASE = "database"
OF_KIND = ("memory_type", "memory_data_rate_mtransfer_per_s")
"""What a standard states of a kind of memory."""


def _called(column: str) -> str:
    """``n_kv_head`` is "KV heads"."""
    first, *rest = units.stem(column).split("_")
    told = " ".join(
        ABBREVIATED.get(word, word) for word in ([*rest[:-1], f"{rest[-1]}s"] if first == "n" else [first, *rest])
    )
    return told[0].upper() + told[1:]


def _filed(row: Mapping[Any, Any], column: str, unit: str) -> str:
    """A cell as it reads with its unit; empty where nothing is filed."""
    value = row[column]
    if value is None or value is pd.NA or value == "" or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return _amount(float(value), unit) if isinstance(value, (int, float, np.number)) else str(value)


def _amount(value: float, unit: str) -> str:
    return f"{f'{value:,.0f}' if float(value).is_integer() else words.number(value, 4)} {unit}".strip()


def _named(used: Sequence[Mapping[str, str]], what: str) -> Mapping[str, str] | None:
    return next((one for one in used if one["for"].startswith(what)), None)


def values(answers: Answers) -> Iterator[Value]:
    """Counts that the chapter cites."""
    counts = {
        "answers-devices": (len(answers.rows["device"]), "Devices with a page of their own."),
        "answers-unknown": (
            int(answers.rows["device"]["memory_bandwidth_gbyte_per_s"].isna().sum()),
            "Of these, devices whose bandwidth no source states.",
        ),
        "answers-listed": (len(answers.published), "Models of which a device's page says whether they fit."),
        "answers-models": (len(answers.rows["model"]), "Models with a page of their own."),
        "answers-pairs": (answers.count, "Pairs of a device and a model on the pages of devices."),
        "answers-runs": (
            sum(map(len, answers.runs["device"].values())),
            "Published runs set beside a device of the book.",
        ),
        "answers-left-out": (
            len(answers.rows["model"]) - len(answers.published),
            "Models for which neither a licence nor a place to download is filed.",
        ),
    }
    filed = {f"answers-{key}s": len(answers.package.raw(f"{key}s")) for key in OTHER}
    for key, (count, definition) in counts.items():
        of_all = f" of {filed[key]:,}" if filed.get(key, count) > count else ""
        yield Value(key, count, "count", text=f"{count:,}{of_all}", definition=definition)
