"""What a supplied table with a mistake in it is told: the usual mistakes, each judged anew, for the page on rerunning."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis import door, tables
from analysis.tables import checks, overlay

HEAD = "device_id,name,vendor,device_class,release_date,chip,memory_bandwidth_gbyte_per_s,memory_capacity_gibyte"
ROW = "my-phone,My Phone,ACME,{kind},{date},A1,{speed},{memory}"
GOOD = {"kind": "phone", "date": "2026-11", "speed": "85.3", "memory": "16"}


def _row(**wrong: str) -> str:
    return f"{HEAD}\n{ROW.format(**GOOD | wrong)}\n"


CASES: dict[str, tuple[str, str]] = {
    "a word misspelt": ("devices.csv", _row(kind="labtop")),
    "the unit in the cell": ("devices.csv", _row(memory="16 GB")),
    "a number in another unit": ("devices.csv", _row(speed="85300")),
    "thousands or decimals": ("devices.csv", _row(memory='"1,024"')),
    "something for nothing": ("devices.csv", _row(speed="n/a")),
    "a date from a spreadsheet": ("devices.csv", _row(date="22.11.2026")),
    "a column without its unit": ("devices.csv", "device_id,memory_bandwidth\niphone-14,51.2\n"),
    "a column misspelt": ("devices.csv", "device_id,memory_capcity_gibyte\niphone-14,8\n"),
    "the id of no book's row, and too little for a new one": (
        "devices.csv",
        "device_id,memory_capacity_gibyte\niphone14,8\n",
    ),
    "a bandwidth that its parts do not give": (
        "devices.csv",
        "device_id,memory_bandwidth_gbyte_per_s\niphone-14,273\n",
    ),
    "a source that is not there": ("devices.csv", "device_id,source_id\niphone-14,apple-iphone-15\n"),
    "a whole table without a row of the text": ("number_formats.whole.csv", ""),
    "a formula": ("devices.csv", "device_id,note\niphone-14,=cmd|' /C calc'!A0\n"),
    "a script": ("devices.csv", "device_id,name\niphone-14,<script>alert(1)</script>\n"),
    "a table that is none": ("device.csv", "device_id\niphone-14\n"),
}
"""Mistake → file and its content; no content: the book's own table without a row that the chapters speak of."""


def table() -> pd.DataFrame:
    """One row per mistake, laid over the book's own tables: ``case``, ``message`` (the first, and how many more there are)."""
    with _over_the_book():
        told = {case: messages(name, content) for case, (name, content) in CASES.items()}
    rows = [
        (case, found[0] + (f" (and {len(found) - 1} more)" if found[1:] else ""))
        for case, found in told.items()
        if found
    ]
    return pd.DataFrame(rows, columns=["case", "message"])


@contextlib.contextmanager
def _over_the_book() -> Iterator[None]:
    """What is told of a mistake is the same whatever data a run is given, and large data take long to judge."""
    given = os.environ.pop(door.DATA_VARIABLE, None)
    try:
        yield
    finally:
        if given is not None:
            os.environ[door.DATA_VARIABLE] = given


def messages(name: str, content: str) -> list[str]:
    """What ``memory-wall check --data my-data`` says of a folder with this one file."""
    with TemporaryDirectory() as folder:
        mine = Path(folder) / "my-data"
        mine.mkdir()
        (mine / name).write_text(content or _without_int4(), encoding="utf-8")
        found = checks.problems(overlay.merged(mine, Path(folder) / "data"))
        return [str(problem).replace(f"{folder}/", "") for problem in found if problem.file.startswith(folder)]


def _without_int4() -> str:
    lines = (tables.data_folder() / "number_formats.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("int4,"))
