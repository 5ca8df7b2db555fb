"""What is possible in a supplied row and unlikely all the same: each is asked about, and nothing is refused.

Which columns are compared with what is said by ``notes/<table>.toml``: ``alike``, ``alike_by`` and ``unlike`` (rows of the book
that should hold about the same, or no less), ``clock_by`` (a clock typed for a rate), ``sizes`` (memory comes in round binary sizes).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import tables, units
from analysis.door import sheets
from analysis.errors import Problem, similar
from analysis.tables import cells, letters, rules

MAGNITUDE = 10.0
"""Beyond the book's smallest and largest value by so much, a supplied value is asked about."""
LIKE_ROWS = 5
"""Rows of the same group needed before a value is compared with them alone."""
EXACT = 1e-6
CYCLES = (2, 4, 8, 16)
"""Transfers of a memory in a cycle of one of its clocks: two at double data rate, four to sixteen in graphics memory."""
SPREAD = 1.5
"""Memories of one kind may be so much slower or faster than those of the book."""
ROUND, MOST_BITS = (0.25, 0.5, 0.75, 1.5, 2.5, 3.5, 3.75, 7.5), 2
"""Sizes with decimals that are sold; others are asked about where they are a sum of so few powers of two, converted."""
BINARY_OVER_DECIMAL = {"gibyte": 1.024**3, "mibyte": 1.024**2}
LEAST_BYTE_PER_PARAM = 0.5
"""Weights of 4 bits: what serves in batches has hardly fewer."""
LEAST_SHARE = 0.02
"""Below so much of the data sheet, a measured bandwidth is likely in another unit."""


def _supplied(data: rules.Data, name: str) -> pd.DataFrame:
    """The rows of a table that were supplied for this run."""
    here = data.texts[name]
    return here.loc[[row for row in data.supplied.rows().get(name, ()) if row in here.index]]


def _book(name: str) -> pd.DataFrame:
    path = tables.data_folder() / f"{name}.csv"
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _: int) -> pd.DataFrame:
    return rules.texts(sheets.read(path, path.stem))


def _asked(name: str, row: Any, column: str, found: Any, expected: str, todo: str) -> Problem:
    return Problem(f"{name}.csv", str(found), expected, todo, int(row), column, "warning")


# --------------------------------------------------------------------------------------------------- what the book holds


def _compared(data: rules.Data, how: str) -> Iterator[tuple[str, Mapping[str, Any], pd.DataFrame]]:
    """Table, column and supplied rows, for every column whose note has a word on how it is compared."""
    for name in data.supplied.rows():
        fields = [field for field in data.schemas[name]["fields"] if how in field]
        yield from ((name, field, _supplied(data, name)) for field in fields)


def _alike(data: rules.Data) -> Iterator[Problem]:
    """A supplied value that differs from what the book has for the same thing: its own row, or rows that share other cells."""
    for name, field, mine in _compared(data, "alike"):
        for by in [data.schemas[name]["primaryKey"], *field.get("alike_by", ())]:
            yield from _unlike(name, field, mine, [by] if isinstance(by, str) else by)


def _unlike(name: str, field: Mapping[str, Any], mine: pd.DataFrame, by: Sequence[str]) -> Iterator[Problem]:
    column = field["name"]
    book = _book(name)
    kept = book[(book[column] != "") & book[by[0]].isin(mine[by[0]])]
    known = (
        {key: _held(column_cells, field) for key, column_cells in kept.groupby(list(by))[column]} if len(kept) else {}
    )
    for row, key, cell in zip(mine.index, mine[list(by)].itertuples(index=False, name=None), mine[column], strict=True):
        if cell and key in known and (told := _differs(cell, known[key], field)):
            whose = " and ".join(word for word in key if word)
            yield _asked(name, row, column, cell, f"about {told}, as the book has for {whose}", _why(field))


def _held(held: pd.Series[str], field: Mapping[str, Any]) -> list[str] | tuple[float, float]:
    """What the book holds for a thing: the least and the greatest number, or the words."""
    if field["type"] not in ("number", "integer"):
        return list(dict.fromkeys(held))
    values = held.astype(float)
    return float(values.min()), float(values.max())


def _differs(cell: str, held: list[str] | tuple[float, float], field: Mapping[str, Any]) -> str:
    """What the book holds, where the cell lies further from it than the column's factor; empty where it does not."""
    if isinstance(held, list):
        return "" if cell in held else repr(held[0])
    if not cells.NUMBER.fullmatch(cell):
        return ""
    (low, high), factor = held, field["alike"] * (1 + EXACT)
    least = -math.inf if field.get("unlike") == "above" else low / factor
    if least <= float(cell) <= high * factor:
        return ""
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _why(field: Mapping[str, Any]) -> str:
    return str(field.get("mistaken", "Another thing, another unit, or a slip of the pen?"))


def _clocks(data: rules.Data) -> Iterator[Problem]:
    """A clock typed for a rate: a multiple of it is what the book's memories of this kind have."""
    for name, field, mine in _compared(data, "clock_by"):
        column, by = field["name"], field["clock_by"]
        rates = rules.numbers(_book(name), column)
        known = {str(kind): (of_kind.min(), of_kind.max()) for kind, of_kind in rates.dropna().groupby(_book(name)[by])}
        for row, (kind, rate) in zip(mine.index, zip(mine[by], rules.numbers(mine, column), strict=True), strict=True):
            least, most = known.get(kind, (0.0, 0.0))
            meant = [rate * cycle for cycle in CYCLES if least / SPREAD < rate * cycle < most * SPREAD]
            meant = [value for value in meant if least <= value <= most] or meant
            if rate < least / SPREAD and meant:
                wanted = f"{least:g} to {most:g} {_symbol(column)}, as the book's {kind}"
                todo = f"The clock in MHz? At {meant[0] / rate:g} bits a cycle and pin it is {meant[0]:g}."
                yield _asked(name, row, column, f"{rate:g}", wanted, todo)


def _sizes(data: rules.Data) -> Iterator[Problem]:
    """A round decimal size converted into binary units, or a binary label converted twice: 16 GB are sold, not 14.9 GiB."""
    for name, field, mine in _compared(data, "sizes"):
        column = field["name"]
        ratio = next(value for word, value in BINARY_OVER_DECIMAL.items() if column.endswith(word))
        for row, cell in zip(mine.index, mine[column], strict=True):
            if label := _converted(cell, ratio):
                wanted = f"a size as it is sold; {cell} is {label} converted"
                yield _asked(name, row, column, cell, wanted, f"Decimal and binary mixed up? Then write {label}.")


def _converted(cell: str, ratio: float) -> int:
    """The whole size that a number with decimals is when it is converted, within the rounding of its last digit; 0 where none."""
    if not re.fullmatch(r"\d+\.\d+", cell, re.ASCII) or float(cell) in ROUND:
        return 0
    half_a_digit = max(0.5 / 10 ** len(cell.partition(".")[2]), float(cell) * EXACT)
    for factor in (ratio, 1 / ratio):
        label = round(float(cell) * factor)
        if label and abs(float(cell) * factor - label) <= half_a_digit * factor and _is_sold(label):
            return label
    return 0


def _is_sold(size: int) -> bool:
    """Whether it is a usual size of memory: 4, 6, 8, 12, 16, 24, 40, 80, 96."""
    return size.bit_count() <= MOST_BITS


GROUPS = {
    "devices": "device_class", "memory_prices": "price_kind", "emerging_memory": "technology", "dies": "die_class",
    "installed_base": "metric", "accelerators": "memory_type", "measurements_bandwidth": "unit_kind",
}  # fmt: skip
"""Table → the column whose values set apart what is comparable."""


def _magnitudes(data: rules.Data) -> Iterator[Problem]:
    """Supplied values more than an order of magnitude away from all that the book holds of their kind."""
    for name in data.supplied.rows():
        book, mine = _book(name), _supplied(data, name)
        for field in data.schemas[name]["fields"]:
            unit = units.parse(field["name"])
            if field["type"] in ("number", "integer") and unit is not None and field["name"] in mine:
                yield from _far_off(name, field["name"], mine, book)


def _far_off(name: str, column: str, mine: pd.DataFrame, book: pd.DataFrame) -> Iterator[Problem]:
    numbers, group = rules.numbers(mine, column).dropna(), GROUPS.get(name, "")
    kinds = mine.loc[numbers.index, group] if group in mine else pd.Series("", index=numbers.index)
    known = (
        kinds.where(kinds.isin(book[group]), "") if group in book else kinds
    )  # of a word misspelt there is nothing like it
    for kind, of_kind in numbers[numbers > 0].groupby(known):
        least, most, like = _span(book, column, group, str(kind))
        far = of_kind[(of_kind < least / MAGNITUDE) | (of_kind > most * MAGNITUDE)]
        for row, value in far.items():
            yield Problem(
                file=f"{name}.csv", row=int(str(row)), column=column, found=f"{value:g}", level="warning",
                expected=f"about {least:g} to {most:g} {_symbol(column)}, as the book's values{like}",
                todo=cells.other_unit(float(value), column, least, most) or "Is the unit right?",
            )  # fmt: skip


def _span(book: pd.DataFrame, column: str, group: str, kind: str) -> tuple[float, float, str]:
    """Smallest and largest value of the book, of this kind alone where it has enough of them."""
    values = rules.numbers(book, column)
    alike = values[book[group] == kind] if group in book else values
    narrow = group in book and alike.count() >= LIKE_ROWS
    values = alike if narrow else values
    return float(values[values > 0].min()), float(values.max()), f" of {kind}" if narrow else ""


def _symbol(column: str) -> str:
    unit = units.parse(column)
    return unit.symbol if unit else ""


# ---------------------------------------------------------------------------------------------------- names, and what is shown

DRAWN = (
    "name",
    "chip",
    "vendor",
    "model",
    "device",
    "maker",
    "product",
    "item",
    "node",
    "foundry",
    "framework",
    "quantity",
)
"""Columns whose cells stand in figures."""


def _letters(data: rules.Data) -> Iterator[Problem]:
    """A name in letters that the font of the figures lacks vanishes from pictures, or differs from machine to machine."""
    for name in data.supplied.rows():
        mine = _supplied(data, name)
        for column in (column for column in DRAWN if column in mine):
            for row, cell in mine[column].items():
                if lacking := letters.missing(cell):
                    told = f"The font of the figures lacks {lacking[:20]!r}: pages show it, pictures may leave it out."
                    todo = f"{told} Add it in Latin letters."
                    yield _asked(name, row, column, repr(cell[:80]), "letters that pictures can show", todo)


def _same_name(data: rules.Data) -> Iterator[Problem]:
    """A new row called like another: it would stand twice in every list."""
    for name in data.supplied.rows():
        every, mine, key = data.texts[name], _supplied(data, name), data.schemas[name]["primaryKey"][0]
        if "name" not in every or _book(name)["name"].str.lower().duplicated().any():
            continue
        first = {called.lower(): row for row, called in reversed(list(every["name"].items()))}
        for row, called in mine["name"].items():
            other = first[called.lower()] if called else row
            if str(every.at[other, key]) != str(mine.at[row, key]):  # a key that stands twice is told as that
                todo = f"It is in row {other} too, as {every.at[other, key]!r}. The same? Then take its {key}: the row is changed."
                yield _asked(name, row, "name", repr(called[:80]), "each name once", todo)


def _unset(data: rules.Data) -> Iterator[Problem]:
    """New rows that do not say whether figures show them."""
    for name, field, mine in _compared(data, "unset"):
        column, key = field["name"], data.schemas[name]["primaryKey"][0]
        added = {row for change in data.supplied.changes if change.table == name for row in change.added}
        rows = mine.index[mine[key].isin(list(added)) & (mine[column] == "")]
        wanted = cells.expected(field).removesuffix(", or nothing")
        for row in rows:
            yield _asked(name, row, column, "nothing", wanted, field["unset"])


# ------------------------------------------------------------------------------------------------- measured, and counted


def _series(data: rules.Data) -> Iterator[Problem]:
    """Prices of one series are of one kind of memory."""
    mine, keys = _supplied(data, "memory_prices"), ["price_kind", "item", "basis"]
    kinds = data.texts["memory_prices"].groupby(keys)["memory_type"].agg(lambda found: ", ".join(sorted(set(found))))
    for row, key in zip(mine.index, mine[keys].itertuples(index=False, name=None), strict=True):
        if "," in kinds[key]:
            wanted = f"one kind of memory in a series; this one has {kinds[key]}"
            todo = "They are different products: name the items apart."
            yield _asked("memory_prices", row, "memory_type", repr(mine.at[row, "memory_type"]), wanted, todo)


def _low_share(data: rules.Data) -> Iterator[Problem]:
    mine, column = _supplied(data, "measurements_bandwidth"), "measured_gbyte_per_s"
    most = rules.numbers(mine, "datasheet_gbyte_per_s")
    for row in mine.index[rules.numbers(mine, column) / most < LEAST_SHARE]:
        wanted, todo = f"most of the {most[row]:g} GB/s of the datasheet", "In TB/s? The column is in GB/s."
        yield _asked("measurements_bandwidth", row, column, mine.at[row, column], wanted, todo)


def _batches(data: rules.Data) -> tuple[pd.DataFrame, pd.Series[float]]:
    """The supplied rows that count generated tokens and are used, and their rates."""
    mine = _supplied(data, "measurements_batching")
    mine = mine[mine["token_count_basis"].str.startswith("output") & (mine["quality"] != rules.UNRELIABLE)]
    return mine, rules.numbers(mine, "token_per_s")


def _counted_twice(data: rules.Data) -> Iterator[Problem]:
    """A rate of generation counts generated tokens: over the time of the request it should not give those read as well."""
    mine, rate = _batches(data)
    output, read, time = (rules.numbers(mine, name) for name in ("output_token", "input_token", "request_time_s"))
    counted = rate * time / rules.numbers(mine, "batch_size").fillna(1) / (output + read)
    far_apart = read / (output + read) > 2 * rules.BANDWIDTH_TOLERANCE
    for row in mine.index[far_apart & ((counted - 1).abs() < rules.BANDWIDTH_TOLERANCE)]:
        right = rate[row] * output[row] / (output[row] + read[row])
        wanted, todo = f"{right:.5g}: output tokens over the time of the request", "Are the input tokens counted too?"
        yield _asked("measurements_batching", row, "token_per_s", f"{rate[row]:g}", wanted, todo)


def _faster_than_any_memory(data: rules.Data) -> Iterator[Problem]:
    """The weights are read once for a token of each sequence: no rate goes beyond what the fastest memory known could read."""
    mine, rate = _batches(data)
    chips = data.texts["accelerators"]
    fastest = rules.numbers(chips[chips["memory_type"] != "sram"], "memory_bandwidth_gbyte_per_s").max()
    param = rules.numbers(mine, "active_gparam").fillna(rules.numbers(mine, "total_gparam"))
    read = param * LEAST_BYTE_PER_PARAM / rules.numbers(mine, "batch_size")
    most = fastest * rules.numbers(mine, "n_chip") / read
    for row in mine.index[rate > most]:
        wanted = f"at most {most[row]:.4g} token/s: the fastest memory of the book, and weights of 4 bits"
        todo = "Is the batch larger, or the prompt counted? What a source prints is kept with quality c."
        yield _asked("measurements_batching", row, "token_per_s", f"{rate[row]:g}", wanted, todo)


def _unit_words(data: rules.Data) -> Iterator[Problem]:
    """A unit in a cell is spelled with the words of the headers, or with the noun that is counted, in the singular."""
    for name in data.supplied.rows():
        mine = _supplied(data, name)
        for column in (column for column in mine if re.fullmatch(r"(\w+_)?unit", str(column))):
            known = {word for cell in set(_book(name)[column]) for word in cell.split("_per_")}
            for row, cell in mine[column].items():
                strange = [word for word in cell.split("_per_") if word not in known and not units.is_spelled(word)]
                if strange:
                    wanted = (
                        "a unit as in headers, or the noun that is counted: gbyte_per_s, bit_per_param, usd, expert"
                    )
                    yield _asked(
                        name, row, str(column), repr(cell[:80]), wanted, similar(strange[0][:80], units.READINGS)
                    )


SCALES = (1.0, 1e3, 1e6, 1e9, 1e12)
"""Thousand, million, billion, trillion: how a sentence writes a number."""


def _told_twice(data: rules.Data) -> Iterator[Problem]:
    """A statement names the quantity; its value stands in its own column and would be told twice."""
    mine = _supplied(data, "facts")
    for row, statement, cell in zip(mine.index, mine["statement"], mine["value"], strict=True):
        spelled = [float(word) for word in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])", statement)]
        value = float(cell) if cells.NUMBER.fullmatch(cell) else math.nan
        if any(math.isclose(number * scale, value) for number in spelled if number for scale in SCALES):
            yield _asked(
                "facts",
                row,
                "statement",
                repr(statement[:80]),
                "a statement without its value",
                "The value would be told twice.",
            )


RULES: tuple[Callable[[rules.Data], Iterator[Problem]], ...] = (
    _alike, _clocks, _sizes, _magnitudes, _letters, _same_name, _unset, _series, _low_share, _counted_twice,
    _faster_than_any_memory, _unit_words, _told_twice,
)  # fmt: skip
"""Every question; each may raise KeyError where a column it needs is missing."""
