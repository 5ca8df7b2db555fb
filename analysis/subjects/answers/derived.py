"""Every device with every model, in a common four-bit format, and what was measured of such pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import words
from analysis.model import ask, devices, expected, names, shapes
from analysis.model.predict import detailed, fits_device
from analysis.subjects.common import SETS
from analysis.tables import DataPackage, overlay

NUMBERS = (
    "needs_gibyte", "has_gibyte", *ask.SPEEDS, "limit_token_per_s", *ask.TIMES, "longest_context_token",
)  # fmt: skip
ANSWERS = ("fits", *NUMBERS, "binding", "longest_by")
"""What a row of a page says of a pair, after id and name of the other."""
MOST_PAGES = 500
"""Of more devices, those of a set that charts draw by default have pages; where there are none, the first so many."""
MOST_PAIRS = 60_000
"""Pairs of a device and a model that pages answer, a third more than the book has: beyond, only so many models have pages, those drawn by
default, then an analyst's own, then the first.  The site of 600 devices and 500 models would weigh 800 MB."""
CACHE_TOKEN = 1000
"""Tokens for which a page states the cache."""
ELEMENT_BYTE = 2.0
"""Of a cache in 16 bits, which is what engines keep where nobody says."""


def paged(package: DataPackage, table: str) -> pd.DataFrame:
    """The rows of a table that have a page, as they are filed."""
    rows = package.raw(table)
    if table == "devices":
        drawn = rows[rows["default_set"].isin(SETS)]
        return rows if len(rows) <= MOST_PAGES else drawn if len(drawn) else rows.head(MOST_PAGES)
    room = min(MOST_PAGES, MOST_PAIRS // len(paged(package, "devices")))
    if len(rows) <= room:
        return rows
    changes = [one for one in overlay.supplied(package.folder).changes if one.table == table]
    own = {key for one in changes for key in (*one.added, *one.changed)}
    first = rows["default_set"].fillna(value=False).astype(bool)
    urgency = np.select([first, rows["model_id"].isin(own)], [0, 1], 2)
    in_turn = np.concatenate([np.flatnonzero(urgency == turn) for turn in range(3)])
    return rows.iloc[np.sort(in_turn[: max(room, int(first.sum()))])]


def is_published(models: pd.DataFrame) -> pd.Series[bool]:
    """Whether a licence or a place is filed under which the weights can be had: without one nobody runs the model."""
    return (models["licence"].fillna("") != "") | (models["hf_id"].fillna("") != "")


def pairs(package: DataPackage) -> pd.DataFrame:
    """One row for each device that has a page with each such model, as ``ask`` answers it."""
    devices_shown, models_shown = (list(paged(package, f"{key}s")[f"{key}_id"]) for key in ("device", "model"))
    return ask.every_pair(devices_shown, models_shown, package.folder)


def plain(table: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """The table with each row's ``cells`` as JSON knows them: not by ``figures.records``, which takes ten times as long for so many."""
    columns = [_each_once(listed(table[name])) for name in fields]
    cells: list[Any] = list(zip(*columns, strict=True))
    return table.assign(cells=cells)


def of_each(table: pd.DataFrame, key: str, other: str, named: Mapping[str, str]) -> dict[str, list[list[Any]]]:
    """Id → its rows in their order, each with id and name of the other before its cells; none of an other without a name."""
    found: dict[str, list[list[Any]]] = {}
    for one, its, cells in zip(*(listed(table[name]) for name in (key, other, "cells")), strict=True):
        if its in named:
            found.setdefault(one, []).append([its, named[its], *cells])
    return found


def listed(column: pd.Series[Any]) -> list[Any]:
    """The values of a column: one of texts hands them out one by one, ten times as slowly as an array of objects."""
    found: list[Any] = column.to_numpy(dtype=object).tolist()
    return found


def _each_once(values: list[Any]) -> list[Any]:
    """The values of a column as JSON knows them; many stand in it again and again."""
    known = {value: _plain(value) for value in set(values)}
    return [known[value] for value in values]


def _plain(value: Any) -> Any:
    """At six digits, whole numbers as such; None for what is missing."""
    if not isinstance(value, float):
        return value or None
    if math.isnan(value):
        return None
    short = words.significant(value)
    return int(short) if short.is_integer() else short


def measured(package: DataPackage) -> pd.DataFrame:
    """One row for each published run of a model on a device or its chip, with what is expected of the same run."""
    folder = package.folder
    devices_shown, models_shown = (set(paged(package, f"{key}s")[f"{key}_id"]) for key in ("device", "model"))
    found = [
        (device, model, row)
        for model, rows in ask.runs(folder).items()
        if model in models_shown
        for row in rows
        for device in _on(row, folder)
        if device in devices_shown
    ]
    given = pd.DataFrame([_asked(device, model, row, folder) for device, model, row in found])
    said = detailed(given, folder=folder, file="measurements")
    columns = ("measurement_id", "device", "engine", "quantization", "date", "source_id")
    runs = pd.DataFrame([{name: row[name] for name in columns} for _, _, row in found])
    runs = runs.rename(columns={"device": "on", "quantization": "format"})
    runs["measured_token_per_s"] = [float(row["decode_token_per_s"]) for _, _, row in found]
    runs["context_token"] = pd.to_numeric(given["context_token"])
    return runs.assign(device=given["device"], model=given["model_id"], **{name: said[name] for name in ask.SPEEDS})


def _on(row: Mapping[str, str], folder: Path) -> list[str]:
    """Devices that a run was on, or that hold its chip, in the order of their table."""
    places, by_chip = _filed(folder)
    # What to propose for a name of nothing takes long among thousands of devices, and nobody reads it here.
    named = devices.device(row["device"], folder).ids if devices.ids(row["device"], folder) else ()
    found = {*named, *by_chip.get(row["chip"], ())}
    return [key for _, key in sorted((places[key], key) for key in found & places.keys())]


@cache
def _filed(folder: Path) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Device → its place in the table, and chip → the devices that hold it."""
    rows = expected.rows(folder / "devices.csv")
    by_chip: dict[str, list[str]] = {}
    for row in rows:
        if row["chip"]:
            by_chip.setdefault(row["chip"], []).append(row["device_id"])
    return {row["device_id"]: place for place, row in enumerate(rows)}, by_chip


def _asked(device_id: str, model_id: str, row: Mapping[str, str], folder: Path) -> dict[str, str]:
    """A run as a row of ``predict``; by the device's own software where its table does not say which, or nothing we know."""
    given = row.get("backend") or row.get("unit_kind", "")
    backend = names.backend(given)
    is_fit = backend is not None and fits_device(backend.stack, devices.device(device_id, folder))
    context = row["context_token"] if float(row["context_token"] or 0) > 0 else ""
    return {
        "device": device_id, "model_id": model_id, "format": row["quantization"], "engine": row["engine"], "context_token": context,
        "backend": given if is_fit else "",
    }  # fmt: skip


def cache_byte(package: DataPackage) -> dict[str, float]:
    """Model → bytes of cache and state for the first 1,000 tokens, in 16 bits; NaN where the shape is not published."""
    models = package.table("models")
    shape: dict[str, Any] = {name: models[name].to_numpy() for name in (*shapes.COLUMNS, shapes.HALVED)}
    return dict(zip(models["model_id"], np.ravel(shapes.cache(shape, ELEMENT_BYTE).at(CACHE_TOKEN)), strict=True))
