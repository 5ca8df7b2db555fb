"""What must hold across the rows and tables of a data folder: keys, physics, dates, orders of magnitude.

Each rule is a function of the data as text, so that one cell that is no number spoils no other check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise
from typing import Any

import pandas as pd

from analysis import tables, units
from analysis.door import sheets
from analysis.errors import Problem, nearest
from analysis.tables import cells, needed, overlay

BANDWIDTH_TOLERANCE = 0.02
ROUNDING = 0.01
"""A measured speed may lie so far above what the memory can deliver before it is called impossible: both are rounded."""
STORAGE_ROUNDING = 0.05
EARLIEST_YEAR, LATEST_YEAR = 1950, 2035
UNRELIABLE = "c"
"""Quality of a measurement that nobody should rely on: it is kept, and used nowhere."""
READ_FROM_DRIVE = "storage"
"""What explains a speed that the drive alone can reach."""
NOTHING = "nothing"
"""Where a column must be empty for another to be asked for."""

Texts = Mapping[str, pd.DataFrame]
"""Table → its cells as text; the index is the row in the file."""


@dataclass(frozen=True)
class Data:
    """What a rule sees: the texts of all tables, their schemas, what of them was supplied for this run, and what is needed."""

    texts: Texts
    schemas: Mapping[str, Any]
    supplied: overlay.Supplied
    needed: Mapping[str, needed.Needed]


def texts(sheet: sheets.Sheet) -> pd.DataFrame:
    """The cells of a sheet; the index is the row in the file."""
    return pd.DataFrame(sheet.columns(), index=pd.Index([row for row, _ in sheet.rows]), dtype=object)


def numbers(table: pd.DataFrame, column: str) -> pd.Series[float]:
    """The column as numbers; what is none is missing."""
    numbers: pd.Series[float] = pd.to_numeric(table[column], errors="coerce").astype(float)
    return numbers.where(numbers.abs() != float("inf"))


# --------------------------------------------------------------------------------------------------- keys and other tables


def _unknown_keys(data: Data) -> Iterator[Problem]:
    for name, schema in data.schemas.items():
        for key in schema.get("foreignKeys", []):
            column, target = key["fields"][0], key["reference"]
            if column not in data.texts[name] or target["fields"][0] not in data.texts[target["resource"]]:
                continue
            known = set(data.texts[target["resource"]][target["fields"][0]])
            named = data.texts[name][column]
            unknown = set(named) - known - {""}
            if lost := unknown & data.supplied.removed(target["resource"]):
                expected = f"every row that the book's {name}.csv refers to"
                yield needed.left_out(target["resource"], sorted(lost), expected, data.supplied)
                unknown -= lost
            named = named[named.isin(list(unknown))] if unknown else named.iloc[:0]
            near = _nearest_of(named, known)
            for row, cell in named.items():
                todo = f"Add the row there first. {near.get(str(cell), '')}".strip()
                yield Problem(
                    file=f"{name}.csv", row=int(str(row)), column=column, found=repr(cell[:80]),
                    expected=f"an id in {target['resource']}.csv", todo=todo,
                )  # fmt: skip


def _nearest_of(unknown: pd.Series[str], known: Iterable[str]) -> dict[str, str]:
    """Unknown name → the nearest known; of very many none but the first are looked for, as they have one cause."""
    names = list(known)
    return {str(name): nearest(str(name)[:80], names) for name in unknown.unique()[: cells.MOST_HINTS]}


def _left_out(data: Data) -> Iterator[Problem]:
    for name, wanted in data.needed.items():
        if set(data.texts[name]) >= {field["name"] for field in data.schemas[name]["fields"]}:
            yield from needed.missing(name, data.texts[name], wanted, data.supplied)


def _measured_models(data: Data) -> Iterator[Problem]:
    """A measurement that the model is compared with needs the shape of its language model."""
    measured, known = data.texts["measurements_decode"], set(data.texts["measured_models"]["model"])
    compared = measured["is_fit_candidate"].isin(tables.TRUE) & (measured["quality"] != "c")
    unknown = measured.loc[compared & ~measured["model"].isin(known), "model"]
    near = _nearest_of(unknown, known)
    for row, name in unknown.items():
        todo = f"Add its shape there first, or set is_fit_candidate to false. {near.get(str(name), '')}".strip()
        yield Problem(
            file="measurements_decode.csv", row=int(str(row)), column="model", found=repr(name[:80]),
            expected="a model of measured_models.csv", todo=todo,
        )  # fmt: skip


def _one_kept(data: Data) -> Iterator[Problem]:
    stated = data.texts["disagreements"]
    kept = stated["kept"].isin(tables.TRUE).groupby(stated["disagreement_id"]).sum()
    for name, count in kept[kept != 1].items():
        yield Problem(
            file="disagreements.csv", column="kept", found=f"{count} kept values for {name!r}", expected="exactly one",
            todo="Mark the value the table holds, and say why in `reason`.",
        )  # fmt: skip


def _patterns(data: Data) -> Iterator[Problem]:
    for name, table in data.texts.items():
        for column in (column for column in table if str(column).endswith("_pattern")):
            for row, cell in table[column].items():
                if reason := _not_a_pattern(cell):
                    yield Problem(
                        file=f"{name}.csv", row=int(str(row)), column=str(column), found=repr(cell[:80]),
                        expected="a regular expression", todo=reason,
                    )  # fmt: skip


def _not_a_pattern(cell: str) -> str:
    try:
        re.compile(cell)
    except (re.error, RecursionError, OverflowError) as error:
        return f"{error}."
    return "A repetition of a repetition may never end." if re.search(r"[+*}]\)*[+*{]", cell) else ""


@dataclass(frozen=True)
class Decision:
    """A cell that must be there where another is: what it decides, and what is done without it, if anything is."""

    table: str
    column: str
    where: str
    value: str
    todo: str
    level: str = "error"


DECISIONS = (
    Decision("devices", "storage_basis", "storage_read_gbyte_per_s", "", "Until then the speed counts as stated.", "warning"),
    Decision("facts", "drive_class", "drive_name", "", "A drive stands among those of its class."),
    Decision("facts", "value", "drive_name", "", "A drive needs a speed, in a unit of bytes per second."),
    Decision("measurements_storage", "device_class", "measurement_kind", "bandwidth", "A drive stands among those of its class."),
    Decision("measurements_storage", "n_drive", "measurement_kind", "bandwidth", "Say 1, or how many are read together."),
    Decision("measurements_phone", "read_gibyte", "left_out", NOTHING, "Or say in `left_out` why the row is not used."),
    Decision("measurements_phone", "memory_bandwidth_gbyte_per_s", "left_out", NOTHING, "Or say in `left_out` why the row is not used."),
    Decision("measurements_phone", "n_layer", "left_out", NOTHING, "Or say in `left_out` why the row is not used."),
    Decision("measurements_phone", "sustained_source_id", "sustained_token_per_s", "", "Say who measured it."),
    Decision("measurements_crowd", "weight_gibyte", "left_out", NOTHING, "Or say in `left_out` why the row is not used."),
    Decision("measurements_crowd", "memory_bandwidth_gbyte_per_s", "left_out", NOTHING, "Or say in `left_out` why the row is not used."),
)  # fmt: skip
"""Table, column, and where it must not be empty: where another column has a value, any value (""), or none."""


def _decisions(data: Data) -> Iterator[Problem]:
    for one in DECISIONS:
        table = data.texts[one.table]
        asked = table[one.where] == ("" if one.value == NOTHING else one.value) if one.value else table[one.where] != ""
        field = next(field for field in data.schemas[one.table]["fields"] if field["name"] == one.column)
        wanted = cells.expected({**field, "constraints": {**field.get("constraints", {}), "required": True}})
        for row in table.index[asked & (table[one.column] == "")]:
            yield Problem(
                file=f"{one.table}.csv", row=int(row), column=one.column, found="nothing", level=one.level,
                expected=f"{wanted}, as {one.where} is " + (str(table.at[row, one.where]) or "empty"), todo=one.todo,
            )  # fmt: skip


def _backends(data: Data) -> Iterator[Problem]:
    """A device that names no backend needs others of its vendor and class that agree on one."""
    devices = data.texts["devices"]
    maker = devices["vendor"].str.lower() + " " + devices["device_class"]
    said = devices[devices["backend"] != ""].groupby(maker)["backend"].nunique()
    for row in devices.index[(devices["backend"] == "") & (maker.map(said).fillna(0) != 1)]:
        yield Problem(
            file="devices.csv", row=int(row), column="backend", found="nothing", level="warning",
            expected="cuda, metal, vulkan, rocm or cpu", todo="Without it no speed is expected of the device, only its limit shown.",
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- physics


def _bandwidth(data: Data) -> Iterator[Problem]:
    devices, column = data.texts["devices"], "memory_bandwidth_gbyte_per_s"
    rate, width = numbers(devices, "memory_data_rate_mtransfer_per_s"), numbers(devices, "memory_bus_width_bit")
    stated, computed = numbers(devices, column), rate * width / 8 / 1000
    for row in devices.index[(stated / computed - 1).abs() > BANDWIDTH_TOLERANCE]:
        yield Problem(
            file="devices.csv", row=int(row), column=column, found=f"{stated[row]:g}",
            expected=f"data rate × bus width / 8 = {computed[row]:.4g} GB/s within {BANDWIDTH_TOLERANCE:.0%}",
            todo="Check all three cells: MHz is not MT/s, Gb is not GB. To change the bandwidth alone, write NA in one of the others.",
        )  # fmt: skip


def _memory_limits(data: Data) -> Iterator[Problem]:
    """What is reckoned with lies between the ends of its sources."""
    table = data.texts["memory_limits"]
    for names in (
        ("low_share", "limit_share", "high_share"),
        ("reserve_low_gibyte", "reserve_gibyte", "reserve_high_gibyte"),
    ):
        for least, most in pairwise(names):
            low, high = numbers(table, least), numbers(table, most)
            for row in table.index[low > high]:
                expected, todo = f"at least {least}, {low[row]:g}", "Order them low, reckoned with, high."
                yield Problem("memory_limits.csv", repr(table.at[row, most]), expected, todo, int(str(row)), most)


def _file_sizes(data: Data) -> Iterator[Problem]:
    """A file takes about the bits of its format for each parameter, or says why not."""
    table, column = data.texts["file_sizes"], "file_gibyte"
    size = numbers(table, column) * units.unit("gibyte").factor * 8
    param = table["model_id"].map(_column(data, "models", "model_id", "total_gparam")) * units.unit("gparam").factor
    bits = table["format_id"].map(_column(data, "number_formats", "format_id", "effective_bit_per_param"))
    for row in table.index[((size / param / bits - 1).abs() > FILE_TOLERANCE) & (table["unlike"] == "")]:
        yield Problem(
            file="file_sizes.csv", row=int(row), column=column, found=str(table.at[row, column]), level="warning",
            expected=f"about {param[row] * bits[row] / 8 / units.unit('gibyte').factor:.4g} GiB: parameters × bits of the format",
            todo="Check size, model and format; say in `unlike` why the bits per weight differ by more than a tenth.",
        )  # fmt: skip


FILE_TOLERANCE = 0.1
"""Embedding, output matrix and norms stay in more bits; in all but small models and low bits they are less than a tenth."""


def _column(data: Data, name: str, key: str, column: str) -> pd.Series[float]:
    """A column of another table as numbers, by its key."""
    table = data.texts[name].drop_duplicates(key)
    return numbers(table, column).set_axis(table[key])


def _decode(data: Data) -> Iterator[Problem]:
    """A dense model is read whole for each token: tokens per second × bytes may not exceed the bandwidth."""
    measured, column = data.texts["measurements_decode"], "decode_token_per_s"
    speed = numbers(measured, column)
    byte = numbers(measured, "weight_gibyte") * units.unit("gibyte").factor
    limit = numbers(measured, "memory_bandwidth_gbyte_per_s") * units.unit("gbyte").factor
    share = speed * byte / (limit * numbers(measured, "n_device"))
    admitted = (measured["note"] != "") & measured["is_fit_candidate"].isin(tables.FALSE)
    for row in measured.index[(measured["architecture"] == "dense") & (share > 1 + ROUNDING) & ~admitted]:
        most = float(speed[row] / share[row])
        yield Problem(
            file="measurements_decode.csv", row=int(row), column=column, found=str(measured.at[row, column]),
            expected=f"at most {most:.4g} token/s: bandwidth / weights, as every weight is read for each token",
            todo=f"It would need {share[row]:.0%} of the memory bandwidth. {KEEP_FIT}",
        )  # fmt: skip


KEEP_FIT = "To keep what a source prints, set is_fit_candidate to false and say in `note` what is wrong with it."


def _phones(data: Data) -> Iterator[Problem]:
    """A token that is used to judge the memory cannot take less time than the memory."""
    for name, size in (("measurements_phone", "read_gibyte"), ("measurements_crowd", "weight_gibyte")):
        measured = data.texts[name]
        byte = numbers(measured, size) * units.unit("gibyte").factor
        yield from _beyond_memory(name, measured, "decode_token_per_s", byte, 1.0)
    pair = data.texts["measurements_gpu_pair"]
    pair = pair[pair["kind"].isin(["decode", "decode-cudnn"])]
    byte = numbers(pair, "weight_byte") + numbers(pair, "kv_byte")
    yield from _beyond_memory("measurements_gpu_pair", pair, "token_per_s", byte, numbers(pair, "batch"))


def _beyond_memory(
    name: str, measured: pd.DataFrame, column: str, byte: pd.Series[float], batch: pd.Series[float] | float
) -> Iterator[Problem]:
    limit = batch * numbers(measured, "memory_bandwidth_gbyte_per_s") * units.unit("gbyte").factor / byte
    for row in measured.index[(measured["left_out"] == "") & (numbers(measured, column) > limit * (1 + ROUNDING))]:
        yield Problem(
            file=f"{name}.csv", row=int(row), column=column, found=str(measured.at[row, column]),
            expected=f"at most {limit[row]:.4g} token/s: bandwidth / bytes read",
            todo="Check size and bandwidth; to keep the row, say in `left_out` why it is not used.",
        )  # fmt: skip


def _measured_bandwidth(data: Data) -> Iterator[Problem]:
    measured, column = data.texts["measurements_bandwidth"], "measured_gbyte_per_s"
    share = numbers(measured, column) / numbers(measured, "datasheet_gbyte_per_s")
    for row in measured.index[(share > 1 + ROUNDING) & (measured["quality"] != UNRELIABLE)]:
        yield Problem(
            file="measurements_bandwidth.csv", row=int(row), column=column, found=str(measured.at[row, column]),
            expected="at most the " + str(measured.at[row, "datasheet_gbyte_per_s"]) + " GB/s of the datasheet",
            todo="A test that fits in the cache does not measure the memory. To keep it, set quality to c and say in `note` what is wrong.",
        )  # fmt: skip


def _measured_storage(data: Data) -> Iterator[Problem]:
    measured = data.texts["measurements_storage"]
    rate = numbers(measured, "token_per_s").fillna(1 / numbers(measured, "time_per_token_s"))
    streamed = numbers(measured, "weight_gbyte") * (1 - numbers(measured, "resident_share").fillna(0))
    share = rate * streamed / numbers(measured, "storage_read_gbyte_per_s") / numbers(measured, "batch_size").fillna(1)
    for row in measured.index[(share > 1 + STORAGE_ROUNDING) & measured["explained_by"].isin(["", READ_FROM_DRIVE])]:
        yield Problem(
            file="measurements_storage.csv", row=int(row), column="token_per_s", found=str(measured.at[row, "token_per_s"]),
            expected=f"at most {rate[row] / share[row]:.4g} token/s: storage speed / weights that are not resident",
            todo="Say in `explained_by` why it is faster: page-cache, sparsity, …",
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------ one quantity, one place


def _two_units(data: Data) -> Iterator[Problem]:
    """A quantity stands in one of its units, or in one of the columns of which another follows: not in both."""
    for name, schema in data.schemas.items():
        for one, other in _same_quantity(schema):
            table = data.texts[name]
            for row in table.index[(table[one] != "") & (table[other] != "")]:
                yield Problem(
                    file=f"{name}.csv", row=int(row), column=other, found=f"{table.at[row, other]!r} beside {one} {table.at[row, one]!r}",
                    expected="one of the two: the other follows from it", todo="Keep what the source prints, in its unit.",
                )  # fmt: skip


def _same_quantity(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    columns = [field["name"] for field in schema["fields"] if units.parse(field["name"])]
    stems = [(one, other) for one, other in combinations(columns, 2) if units.stem(one) == units.stem(other)]
    alike = [(one, other) for one, other in stems if overlay.comparable(one, other)]
    named = [(field["name"], field["instead_of"]) for field in schema["fields"] if "instead_of" in field]
    return [*alike, *named]


def _active(data: Data) -> Iterator[Problem]:
    """A dense model uses every parameter: it has no count of its own of those it uses."""
    models, column = data.texts["models"], "active_gparam"
    total, active = numbers(models, "total_gparam"), numbers(models, column)
    for row in models.index[models["is_moe"].isin(tables.FALSE) & ((active / total - 1).abs() < ROUNDING)]:
        yield Problem(
            file="models.csv", row=int(row), column=column, found=str(models.at[row, column]),
            expected="nothing: is_moe is false, so all parameters are active", todo="Leave it empty, or set is_moe to true.",
        )  # fmt: skip


def _measured_layers(data: Data) -> Iterator[Problem]:
    """Layers that see everything and layers with a window are not more than all layers."""
    shapes, column = data.texts["measured_models"], "n_full_layer"
    most = numbers(shapes, "n_layer") - numbers(shapes, "n_window_layer").fillna(0)
    for row in shapes.index[numbers(shapes, column) > most]:
        yield Problem(
            file="measured_models.csv", row=int(row), column=column, found=str(shapes.at[row, column]),
            expected=f"at most {most[row]:g}: n_layer without n_window_layer", todo="A layer with a window does not see everything.",
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ dates


def _dates(data: Data) -> Iterator[Problem]:
    for name, schema in data.schemas.items():
        for column in (field["name"] for field in schema["fields"] if field["type"] == "string"):
            if re.fullmatch(r"date(_\w+)?|\w+_date", column) and column in data.texts[name]:
                dates = data.texts[name][column]
                odd = {cell: told for cell in set(dates) if (told := _odd_date(cell))}
                for row, cell in dates[dates.isin(list(odd))].items() if odd else ():
                    told = odd[cell]
                    yield Problem(f"{name}.csv", repr(cell), told[0], told[1], int(str(row)), column, told[2])
    yield from _order(data.texts, "sources", "date_published", "date_read")
    yield from _order(data.texts, "measurements_decode", "date", "date_end")


def _odd_date(cell: str) -> tuple[str, str, str] | None:
    """(expected, what to do, level) where a date is none, or is not of this field's time."""
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", cell, re.ASCII):
        return None  # the pattern of the column speaks of that
    year, month, day = (int(part) for part in [*cell.split("-"), "1", "1"][:3])
    try:
        date(year, month, day)
    except ValueError as error:
        return "a day of the calendar", f"{str(error).capitalize()}; the order is year-month-day.", "error"
    if EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    return f"a date from {EARLIEST_YEAR} to {LATEST_YEAR}", "Is the year right?", "warning"


def _order(texts: Texts, name: str, first: str, second: str) -> Iterator[Problem]:
    table = texts[name]
    for row, (begin, end) in zip(table.index, zip(table[first], table[second], strict=True), strict=True):
        if begin and end and end < begin[: len(end)]:
            yield Problem(
                file=f"{name}.csv", row=int(row), column=second, found=repr(end), expected=f"not before {first}, {begin}",
                todo="Are the two dates exchanged?", level="warning",
            )  # fmt: skip


RULES: tuple[Callable[[Data], Iterator[Problem]], ...] = (
    _left_out, _unknown_keys, _measured_models, _bandwidth, _one_kept, _patterns, _decisions, _backends, _memory_limits, _file_sizes,
    _decode, _phones, _measured_bandwidth, _measured_storage, _two_units, _active, _measured_layers, _dates,
)  # fmt: skip
"""Every rule; each may raise KeyError where a column it needs is missing, which the check of the tables has told."""
