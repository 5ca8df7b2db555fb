"""Tables as people keep them: CSV from any spreadsheet, XLSX, Parquet; read as text, each row with its place in the file.

Nothing here judges a value.  What cannot be read as a table of text at all is a problem; the rest is for ``cells``.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from analysis.errors import Problem, nearest

LARGEST_BYTE = 50 * 2**20
"""A file above this is no table of ours; an XLSX is measured unpacked."""
LONGEST_CELL = 2_000
MOST_ROWS = 1_000_000
COMMENTS = ("#", '"#')
"""How a line begins that is left out; a spreadsheet may have put quotation marks around it."""
SAVE_AS = "Save it as “CSV UTF-8” in the spreadsheet."


@dataclass
class Sheet:
    """One table as a file holds it: header, rows with their numbers in the file, and what could not be read."""

    table: str
    file: str
    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    decimal_comma: bool = False
    whole: bool | None = None
    """Whether the file's name says that it is the whole table (True) or rows of it (False)."""
    extra: bool = False
    """Whether it holds rows in addition to those of another file of the same table."""
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, found: str, expected: str, todo: str = "", row: int | None = None) -> Sheet:
        """The same sheet with one more problem."""
        self.problems.append(Problem(file=self.file, row=row, found=found, expected=expected, todo=todo))
        return self

    def columns(self) -> dict[str, list[str]]:
        """Column → its cells, from top to bottom; a column named twice counts once."""
        width = range(len(self.header))
        return {self.header[index]: [cells[index] for _, cells in self.rows] for index in reversed(width)}


def read(path: Path, table: str) -> Sheet:
    """A CSV file as a sheet; messages call it by its name."""
    return _from_csv(path, Sheet(table, path.name))


def given(folder: Path, known: Iterable[str]) -> tuple[list[Sheet], list[Problem]]:
    """Every table in a folder that somebody supplied, and what in it is no table of the book."""
    names = list(known)
    sheets: list[Sheet] = []
    lost: list[Sheet] = []
    problems: list[Problem] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or path.name in DESCRIBES:
            continue
        if path.suffix.lower() not in READERS or not path.is_file():
            problems.append(_unreadable(path))
            continue
        name, part = _meant(path)
        if name not in names and path.suffix.lower() != ".xlsx":
            problems.append(_unknown(str(path), name, names))
            continue
        for sheet in _read(path, name, names):
            sheet.whole, sheet.extra = MAIN.get(part, False), part not in MAIN
            (sheets if sheet.table in names else lost).append(sheet)
    problems += [problem for sheet in lost for problem in sheet.problems]
    return sorted(sheets, key=lambda sheet: sheet.extra), problems + _twice(sheets)


DESCRIBES = ("datapackage.json", "README.md", "notes", "supplied.json")
"""Files that come along with a copy of the book's folder and hold no rows."""


def _meant(path: Path) -> tuple[str, str]:
    """Table and part that a file name means: ``devices.csv``; ``devices.whole.csv``; ``devices.this-machine.csv`` for more rows."""
    name, _, part = path.stem.partition(".")
    return name, part


MAIN = {"": None, "whole": True, "rows": False}
"""Part of the name → whether the file is the whole table; any other part holds more rows."""


def _unreadable(path: Path) -> Problem:
    if not path.is_file():
        found, expected = "no file", "files of tables"
        return Problem(file=str(path), found=found, expected=expected, todo="It is not read.", level="warning")
    found, expected = f"a file of kind {path.suffix or 'unknown'}", f"one of {', '.join(READERS)}"
    return Problem(file=str(path), found=found, expected=expected, todo=SAVE_AS)


def _unknown(file: str, name: str, known: list[str]) -> Problem:
    return Problem(file=file, found=f"table {name!r}", expected="a known table", todo=nearest(name, known))


def _twice(sheets: list[Sheet]) -> list[Problem]:
    first: dict[str, str] = {}
    found = []
    for sheet in (sheet for sheet in sheets if not sheet.extra):
        if sheet.table in first:
            said = f"table {sheet.table!r} a second time, after {first[sheet.table]}"
            found.append(Problem(file=sheet.file, found=said, expected="one file for one table", todo="Join the two."))
        first.setdefault(sheet.table, sheet.file)
    return found


# ------------------------------------------------------------------------------------------------------------------ CSV


def _from_csv(path: Path, sheet: Sheet) -> Sheet:
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTE:
            return sheet.refuse(_size(size), f"at most {_size(LARGEST_BYTE)}")
        return from_bytes(path.read_bytes(), sheet)
    except FileNotFoundError:
        return from_bytes(None, sheet)
    except OSError as error:
        return sheet.refuse(str(error.strerror).lower(), "a file that can be read")


def from_bytes(content: bytes | None, sheet: Sheet) -> Sheet:
    """Fill a sheet from the content of a CSV file; None where there is no such file."""
    if content is None:
        return sheet.refuse("no such file", f"the table {sheet.table!r}", "Restore the file.")
    text = _decoded(content, sheet)
    if text is None:
        return sheet
    lines = ["\n" if line.startswith(COMMENTS) else line for line in text.splitlines(keepends=True)]
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].strip().lower() in ("sep=;", "sep=,"):  # a mark that one spreadsheet leaves
        lines[first] = "\n"
        first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return sheet.refuse("an empty file", "a header and rows", "See `memory-wall template`.")
    delimiter = _delimiter(lines[first])
    sheet.decimal_comma = delimiter == ";"
    if delimiter == "\t":
        return sheet.refuse("cells separated by tabs", "commas or semicolons", SAVE_AS, row=first + 1)
    return _filled(sheet, _records(lines, delimiter, sheet))


def _decoded(raw: bytes, sheet: Sheet) -> str | None:
    try:
        return None if _binary(raw, sheet) else raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, after = raw[: error.start].split(b"\n"), raw[error.start :].split(b"\n")[0]
        word = (before[-1][-12:] + after[:6]).decode("cp1252", "replace").strip()
        found = f"a byte that is not UTF-8, in {word!r} if it is Windows-1252"
        sheet.refuse(found, "text in UTF-8", SAVE_AS, row=len(before))
    return None


def _size(byte: int) -> str:
    return f"{byte / 2**20:.0f} MiB"


def _binary(raw: bytes, sheet: Sheet) -> bool:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        sheet.refuse("text in UTF-16", "text in UTF-8", SAVE_AS)
    elif b"\0" in raw:
        row = raw[: raw.index(b"\0")].count(b"\n") + 1
        sheet.refuse("a NUL byte", "text in UTF-8", "This is not a text file, or it was cut off while written.", row)
    return bool(sheet.problems)


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _records(lines: list[str], delimiter: str, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """(line it begins at, cells) of each row that holds something."""
    csv.field_size_limit(LARGEST_BYTE)
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True)
    row = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield row, [cell.strip() for cell in cells]
            row = reader.line_num + 1
    except csv.Error as error:
        sheet.refuse(f"{error}", "cells in which a quotation mark is closed, and doubled to be one", row=row)


def _filled(sheet: Sheet, records: Iterator[tuple[int, list[str]]]) -> Sheet:
    """The sheet with its header and those rows that are as wide as the header."""
    sheet.header = next(records, (0, []))[1]
    while sheet.header and not sheet.header[-1]:
        sheet.header.pop()
    width = len(sheet.header)
    for row, cells in records:
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) == width:
            sheet.rows.append((row, cells))
        else:
            sheet.refuse(f"{len(cells)} cells", f"{width}, as in the header", _why(len(cells) > width, sheet), row=row)
    return sheet


def _why(more: bool, sheet: Sheet) -> str:
    if not more:
        return "An empty cell still needs its separator."
    point = "" if sheet.decimal_comma else " Decimals take a point, or the whole file semicolons between its cells."
    return f"A cell that holds the separator needs quotation marks.{point}"


# -------------------------------------------------------------------------------------------------------- XLSX, Parquet


def _from_xlsx(path: Path, name: str, known: list[str]) -> list[Sheet]:
    """The sheet of the file's name (or its first), else every sheet that is named for a table."""
    whole = Sheet(name, str(path))
    try:
        if sum(part.file_size for part in zipfile.ZipFile(path).infolist()) > 4 * LARGEST_BYTE:
            return [whole.refuse("a workbook that unpacks to more than is sensible", f"at most {_size(LARGEST_BYTE)}")]
        values, formulas = _workbook(path, data_only=True), _workbook(path, data_only=False)
    except Exception as error:  # the reader raises whatever its XML, its ZIP or its own code comes across
        return [whole.refuse(f"no workbook ({type(error).__name__})", "a workbook that can be read", SAVE_AS)]
    filled = [page for page in values.worksheets if page.max_row > 1 or page["A1"].value is not None]
    if name in known:
        chosen = next((page for page in filled if page.title == name), filled[0] if filled else values.worksheets[0])
        return [_from_page(chosen, formulas[chosen.title], whole)]
    if not filled:
        todo = f"Name the file or its sheets for tables. {nearest(name, known)}"
        return [whole.refuse("an empty workbook", "sheets named for tables", todo)]
    return [
        _named_page(page, formulas[page.title], Sheet(page.title, f"{path}[{page.title}]"), known) for page in filled
    ]


def _named_page(page: Any, formulas: Any, sheet: Sheet, known: list[str]) -> Sheet:
    """A sheet named for a table; one that is not is refused, and the others are read nevertheless."""
    if sheet.table in known:
        return _from_page(page, formulas, sheet)
    todo = f"Name it for a table, or take it out of the file. {nearest(sheet.table, known)}"
    return sheet.refuse(f"sheet {sheet.table!r}", "a sheet named for a table", todo)


def _workbook(path: Path, *, data_only: bool) -> Any:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(path, data_only=data_only)


def _from_page(page: Any, formulas: Any, sheet: Sheet) -> Sheet:
    def records() -> Iterator[tuple[int, list[str]]]:
        for row, cells in enumerate(page.iter_rows(), start=1):
            texts = [text(cell.value) for cell in cells]
            for cell in cells:
                if cell.value is None and formulas[cell.coordinate].data_type == "f":
                    sheet.refuse(
                        f"a formula without a result in {cell.coordinate}", "a value", "Open and save the workbook."
                    )
            if any(texts) and not texts[0].startswith(COMMENTS):
                yield row, texts

    _filled(sheet, records())
    return sheet if sheet.header else sheet.refuse("an empty sheet", "a header and rows", "See `memory-wall template`.")


def _from_parquet(path: Path, sheet: Sheet) -> Sheet:
    if path.stat().st_size > LARGEST_BYTE:
        return sheet.refuse(_size(path.stat().st_size), f"at most {_size(LARGEST_BYTE)}")
    try:
        sheet.header, rows = _records_of_parquet(path)
    except Exception as error:  # as above: the reader raises whatever it comes across
        return sheet.refuse(f"no Parquet ({type(error).__name__})", "a Parquet file that can be read", "Write it anew.")
    if len(rows) > MOST_ROWS:
        return sheet.refuse(f"more than {MOST_ROWS:,} rows", f"at most {MOST_ROWS:,}")
    sheet.rows = [(row, [text(value) for value in values]) for row, values in enumerate(rows, start=1)]
    return sheet


def _records_of_parquet(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Header and rows, one row more than is allowed where there are more: a small file may stand for a huge table."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as reader:
        copy = Path(shutil.copy(path, Path(folder) / "table.parquet"))  # the reader takes a name for a pattern
        table = reader.read_parquet(str(copy), hive_partitioning=False).limit(MOST_ROWS + 1)
        return list(table.columns), table.fetchall()


def text(value: Any) -> str:
    """A cell of a typed file as CSV would hold it; dates as ISO, whole numbers without a point, missing as nothing."""
    if value is None or value != value or str(value) in ("<NA>", "NaT"):  # noqa: PLR0124 - NaN
        return ""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


READERS = (".csv", ".xlsx", ".parquet")
"""Endings of the files that are read."""


def _read(path: Path, name: str, known: list[str]) -> list[Sheet]:
    if path.suffix.lower() == ".xlsx":
        return _from_xlsx(path, name, known)
    sheet = Sheet(name, str(path))
    return [_from_csv(path, sheet) if path.suffix.lower() == ".csv" else _from_parquet(path, sheet)]
