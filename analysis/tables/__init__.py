"""The data package: ``data/*.csv`` described by ``datapackage.json``, read into base units.

>>> devices = package().table("devices")          # memory_bandwidth_byte_per_s, memory_capacity_byte, …
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import door, units
from analysis.errors import InputError

DATA_VARIABLE, REPOSITORY, data_folder = door.DATA_VARIABLE, door.REPOSITORY, door.data_folder
READ: set[str] = set()
"""Tables this process looked at, ``*`` for the list of all of them: what the results of a chapter depend on."""
TRUE, FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")


class DataPackage:
    """A folder of tables with its descriptor.  Tables are read once and handed out as copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filed: dict[str, pd.DataFrame] = {}
        self._tables: dict[str, pd.DataFrame] = {}
        self._places: dict[str, dict[str, int]] = {}

    @cached_property
    def _descriptor(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "datapackage.json").read_text(encoding="utf-8"))
        return found

    @property
    def descriptor(self) -> dict[str, Any]:
        """The Frictionless descriptor: title, row, licence and columns of every table."""
        READ.add("*")
        return self._descriptor

    @property
    def names(self) -> list[str]:
        """The names of all tables, in the order of the descriptor."""
        return [resource["name"] for resource in self.descriptor["resources"]]

    def resource(self, name: str) -> dict[str, Any]:
        """The descriptor of one table; raises InputError with the nearest name where there is no such table."""
        READ.add(name)
        for resource in self._descriptor["resources"]:
            if resource["name"] == name:
                return dict(resource)
        raise InputError.unknown("table", name, self.names, file="datapackage.json")

    def columns(self, name: str) -> dict[str, dict[str, Any]]:
        """Column name → its field in the descriptor."""
        return {field["name"]: field for field in self.resource(name)["schema"]["fields"]}

    def stated(self, name: str) -> set[str]:
        """The columns, in base units, that the sources of a row state; none where the notes of a table do not say."""
        lists = (field.get(key, ()) for field in self.columns(name).values() for key in ("states", "states_first_of"))
        return {units.base_name(column) for columns in lists for column in columns}

    def raw(self, name: str) -> pd.DataFrame:
        """The table as filed: units as in the header, missing numbers NaN, missing text empty."""
        fields = self.columns(name)
        if name not in self._filed:
            # Not by pandas, which would guess types that the descriptor knows, and takes three times as long without guessing.
            with (self.folder / self.resource(name)["path"]).open(encoding="utf-8", newline="") as file:
                header, *rows = filter(None, csv.reader(file))
            cells = zip(*rows, strict=True) if rows else ((),) * len(header)
            typed = {column: _typed(of_it, fields[column]["type"]) for column, of_it in zip(header, cells, strict=True)}
            self._filed[name] = pd.DataFrame(typed)
        return self._filed[name].copy()

    def table(self, name: str) -> pd.DataFrame:
        """The table in base units, its columns renamed to say so."""
        READ.add(name)
        if name not in self._tables:
            self._tables[name] = in_base_units(self.raw(name))
        return self._tables[name].copy()

    def row(self, name: str, key: str) -> dict[str, Any]:
        """One row by the first column of the table's primary key; the nearest id is named where there is none."""
        column = self.resource(name)["schema"]["primaryKey"][0]
        if name not in self._places:
            places = self._places[name] = {}
            for place, one in enumerate(self.table(name)[column]):
                places.setdefault(one, place)
        if key not in self._places[name]:
            raise InputError.unknown(column, key, self._places[name], file=f"{name}.csv")
        return {str(label): value for label, value in self._tables[name].iloc[self._places[name][key]].items()}

    @cached_property
    def publishers(self) -> dict[str, str]:
        """Source id → publisher."""
        table = self.table("sources")
        return dict(zip(table["source_id"], table["publisher"], strict=True))

    @cached_property
    def origins(self) -> dict[str, str]:
        """Source id → whose figures it prints: its publisher's own, or those of whom it repeats."""
        table = self.table("sources")
        origin = table.get("origin", pd.Series("", index=table.index))
        repeated = origin.where(origin != "", table["publisher"])
        return dict(zip(table["source_id"], repeated, strict=True))

    def independent(self, source_ids: Iterable[str]) -> list[str]:
        """The independent origins behind these sources: ten pages that repeat one model are one."""
        return sorted({self.origins.get(name, name) for name in source_ids if isinstance(name, str) and name})

    @cached_property
    def source_kinds(self) -> dict[str, str]:
        """Source id → what sort of document it is."""
        table = self.table("sources")
        return dict(zip(table["source_id"], table["kind"], strict=True))

    def sources(self, source_ids: Iterable[str]) -> pd.DataFrame:
        """The sources with these ids, each once, in the order of ``sources.csv``."""
        table = self.table("sources")
        return table[table["source_id"].isin(set(source_ids))].reset_index(drop=True)


def _typed(cells: Sequence[str], kind: str) -> pd.Series[Any]:
    if kind == "boolean":
        known = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
        return pd.Series([known.get(cell) for cell in cells], dtype="boolean")
    if kind in ("number", "integer"):
        numbers = pd.Series([float(cell) if cell else math.nan for cell in cells], dtype="float64")
        return numbers.astype("int64") if kind == "integer" and numbers.notna().all() else numbers
    return pd.Series(cells, dtype=object)


def in_base_units(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with every quantity in base units and every column named for the unit it now has."""
    columns: dict[str, Any] = {}
    for name in table.columns:
        unit, numeric = units.parse(name), pd.api.types.is_numeric_dtype(table[name])
        if unit is None or not numeric or pd.api.types.is_bool_dtype(table[name]):
            columns[name] = table[name]
        else:
            values = table[name] if unit.factor == 1 else table[name] * unit.factor
            base = units.base_name(name)
            # A quantity may be filed in one of two units (GB or GiB), whichever its source printed.
            columns[base] = columns[base].fillna(values) if base in columns else values
    return pd.DataFrame(columns)


def source_ids(table: pd.DataFrame) -> list[str]:
    """Every source that the rows of ``table`` name, sorted, each once."""
    columns = [name for name in table.columns if name == "source_id" or str(name).endswith("_source_id")]
    return sorted({str(value) for name in columns for value in table[name] if isinstance(value, str) and value})


@cache
def _opened(folder: Path) -> DataPackage:
    return DataPackage(folder)


def package() -> DataPackage:
    """The data package of this run."""
    return _opened(data_folder())


def forget() -> None:
    """Drop what was read, so that the next call reads the folder anew."""
    _opened.cache_clear()
