"""Tables as people keep them: CSV from any spreadsheet, XLSX, Parquet; read as text, each row with its place in the file.

Nothing here judges a value.  What cannot be read as a table of text at all is a problem; the rest is for ``cells``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from analysis import door
from analysis.door import parquet, workbooks
from analysis.door.typed import MOST_CELLS, MOST_CELLS_IN_ALL, MOST_COLUMNS, MOST_ROWS
from analysis.errors import Problem, nearest

LONGEST_CELL = 2_000
LONGEST_FIELD = 2**20
MOST_LINES = 1_000_000
LONGEST_LINE = 2**20
MOST_LINES_OF_ROW = 1_000
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
    comments: list[int] = field(default_factory=list)
    """Where, below the header, lines are left out that begin as a comment does and have as many cells as a row."""
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
    paths, problems = door.offered(folder)
    if not paths and not any(problem.level == "error" for problem in problems):
        todo = "`memory-wall template devices --out FOLDER` begins one; without --data the book's own are taken."
        problems.append(
            Problem(str(folder), "no table", f"at least one, in a file of kind {', '.join(door.READERS)}", todo)
        )
    for path in paths:
        name, part = _meant(path)
        if name not in names and path.suffix.lower() != ".xlsx":
            problems.append(_unknown(str(path), name, names))
            continue
        for sheet in _read(path, name, names):
            sheet.whole, sheet.extra = MAIN.get(part, False), part not in MAIN
            (sheets if sheet.table in names else lost).append(sheet)
        if (count := sum(len(sheet.rows) * len(sheet.header) for sheet in sheets)) > MOST_CELLS_IN_ALL:
            found, todo = f"{count:,} cells up to {path.name}", "Keep the rows that are needed."
            return [], [Problem(str(folder), found, f"at most {MOST_CELLS_IN_ALL:,} in all tables", todo)]
    problems += [problem for sheet in lost for problem in sheet.problems]
    return sorted(sheets, key=lambda sheet: sheet.extra), problems + _twice(sheets)


def single(path: Path, content: bytes | None, begins: Callable[[list[str]], bool]) -> Sheet:
    """One table from one file, whatever its rows are called: that of a workbook, from Parquet, or the ``content`` of a CSV.

    begins  says of a row whether it is the header: what stands above it in a workbook is a title
    """
    if content is not None:
        return from_bytes(content, Sheet("table", path.name))
    if path.suffix.lower() != ".xlsx":
        return _from_parquet(path, Sheet("table", path.name))
    whole = Sheet("table", path.name)
    try:
        book = workbooks.Workbook(path)
        pages = [page for title in book.titles if (page := book.page(title)).holds_something]
    except door.Refused as error:
        return whole.refuse(error.found, error.expected, error.todo)
    found = [page for page in pages if any(begins(texts) for _, texts in page.records())]
    return _from_page((found or pages or [workbooks.Page()])[0], whole, begins)


def _meant(path: Path) -> tuple[str, str]:
    """Table and part that a file name means: ``devices.csv``; ``devices.whole.csv``; ``devices.this-machine.csv`` for more rows."""
    name, _, part = path.stem.partition(".")
    return name, part


MAIN = {"": None, "whole": True, "rows": False}
"""Part of the name → whether the file is the whole table; any other part holds more rows."""


def _unknown(file: str, name: str, known: list[str]) -> Problem:
    todo = nearest(name[:80], known)
    return Problem(file=file, found=f"table {name[:80]!r}", expected="a known table", todo=todo)


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
        return from_bytes(door.content(path), sheet)
    except FileNotFoundError:
        return from_bytes(None, sheet)
    except door.Refused as error:
        return sheet.refuse(error.found, error.expected, error.todo)


def from_bytes(content: bytes | None, sheet: Sheet) -> Sheet:
    """Fill a sheet from the content of a CSV file; None where there is no such file."""
    if content is None:
        return sheet.refuse("no such file", f"the table {sheet.table!r}", "Restore the file.")
    text = _decoded(content, sheet)
    if text is None:
        return sheet
    first, header = _beginning(text)
    if not first:
        return sheet.refuse("an empty file", "a header and rows", "See `memory-wall template`.")
    delimiter = _delimiter(header)
    sheet.decimal_comma = delimiter != ","
    lines = _Lines(text, first, lambda line: line.count(delimiter) >= header.count(delimiter) > 0)
    _filled(sheet, _records(lines, delimiter, sheet))
    sheet.comments = lines.comments
    nothing = not sheet.header and not sheet.problems
    return sheet.refuse("no header", "a header and rows", "See `memory-wall template`.", first) if nothing else sheet


def _decoded(raw: bytes, sheet: Sheet) -> str | None:
    try:
        return None if _binary(raw, sheet) else raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        before = raw[max(0, error.start - 12) : error.start].rpartition(b"\n")[2]
        after = raw[error.start : error.start + 6].partition(b"\n")[0]
        word = (before + after).decode("cp1252", "replace").strip()
        found = f"a byte that is not UTF-8, in {word!r} if it is Windows-1252"
        sheet.refuse(found, "text in UTF-8", SAVE_AS, row=row)
    return None


def _binary(raw: bytes, sheet: Sheet) -> bool:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        sheet.refuse("text in UTF-16", "text in UTF-8", SAVE_AS)
    elif b"\0" in raw:
        row = raw[: raw.index(b"\0")].count(b"\n") + 1
        sheet.refuse("a NUL byte", "text in UTF-8", "This is not a text file, or it was cut off while written.", row)
    return bool(sheet.problems)


def _beginning(text: str) -> tuple[int, str]:
    """(number, line) of the first line that holds something, after the mark that one spreadsheet leaves; 0 where none does."""
    for number, line in enumerate(islice(io.StringIO(text, newline=""), MOST_LINES), start=1):
        if line.strip() and not line.startswith(COMMENTS) and line.strip().lower() not in ("sep=;", "sep=,", "sep="):
            return number, line
    return 0, ""


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


class _Lines:
    """The lines of a table, from its header on; a comment is left out between rows, and is text within one."""

    def __init__(self, text: str, first: int, is_row: Callable[[str], bool]) -> None:
        self._lines, self._first, self._number = io.StringIO(text, newline=""), first, 0
        self._of_row = 0
        self.between = True
        self._is_row = is_row
        self.comments: list[int] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._of_row = 1 if self.between else self._of_row + 1
        if len(line) > LONGEST_LINE or self._of_row > MOST_LINES_OF_ROW:
            found = f"a row of more than {LONGEST_LINE:,} characters or {MOST_LINES_OF_ROW:,} lines"
            raise door.Refused(found, "rows of a table", "Is a quotation mark left open, or the separator another?")
        if self.between and self._number < self._first:
            return "\n"
        if self.between and line.startswith(COMMENTS):
            if self._number > self._first and self._is_row(line):
                self.comments.append(self._number)
            return "\n"
        self.between = False
        return line


def _records(lines: _Lines, delimiter: str, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """(line it begins at, cells) of each row that holds something."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    row = 1
    try:
        for cells in reader:
            lines.between = True
            if any(cell.strip() for cell in cells):
                yield row, [cell.strip() for cell in cells]
            row = reader.line_num + 1
            if row > MOST_LINES:
                sheet.refuse(f"more than {MOST_LINES:,} lines", "fewer", "Take out what is empty.", row=row)
                return
    except csv.Error as error:
        sheet.refuse(f"{error}", "cells in which a quotation mark is closed, and doubled to be one", row=row)
    except door.Refused as error:
        sheet.refuse(error.found, error.expected, error.todo, row)


def _filled(sheet: Sheet, records: Iterator[tuple[int, list[str]]]) -> Sheet:
    """The sheet with its header and those rows that are as wide as the header."""
    top, sheet.header = next(records, (0, []))
    while sheet.header and not sheet.header[-1]:
        sheet.header.pop()
    width = len(sheet.header)
    if width > MOST_COLUMNS:
        sheet.header = []
        return sheet.refuse(f"{width:,} columns", f"at most {MOST_COLUMNS}", "Is the separator right?", row=1)
    most = min(MOST_ROWS, MOST_CELLS // max(width, 1))
    for number, (row, cells) in enumerate(records):
        if number == most:
            sheet.rows.clear()  # what else is wrong with them is not asked for
            sheet.problems.clear()
            return sheet.refuse(f"more than {most:,} rows of {width}", "fewer", "Keep the rows that are needed.", row)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if width == 1 < len(cells) and not sheet.rows:
            return _titled(sheet, top, len(cells))
        if len(cells) == width:
            sheet.rows.append((row, cells))
        else:
            sheet.refuse(f"{len(cells)} cells", f"{width}, as in the header", _why(len(cells), sheet), row=row)
    return sheet


def _titled(sheet: Sheet, row: int, n_cell: int) -> Sheet:
    """Refuse a sheet whose first line is one cell above wider ones: that is told once, not for each row."""
    title, sheet.header = sheet.header[0], []
    todo = "Is there a title above the header? Take it away, or begin its line with #: the first line that holds something is the header."
    return sheet.refuse(f"{title[:80]!r} alone, above rows of {n_cell} cells", "the header of these rows", todo, row)


def _why(n_cell: int, sheet: Sheet) -> str:
    if n_cell < len(sheet.header):
        return "An empty cell still needs its separator."
    point = "" if sheet.decimal_comma else " Decimals take a point, or the whole file semicolons between its cells."
    return f"A cell that holds the separator needs quotation marks.{point}"


# -------------------------------------------------------------------------------------------------------- XLSX, Parquet


def _from_xlsx(path: Path, name: str, known: list[str]) -> list[Sheet]:
    """The sheet of the file's name (or its first), else every sheet that is named for a table."""
    whole = Sheet(name, str(path))
    try:
        book = workbooks.Workbook(path)
        if name not in known:
            return _named_pages(book, whole, known)
        for title in [name] if name in book.titles else book.titles:
            if (page := book.page(title)).holds_something:
                return [_from_page(page, whole)]
        return [_from_page(workbooks.Page(), whole)]
    except door.Refused as error:
        return [whole.refuse(error.found, error.expected, error.todo)]


def _named_pages(book: workbooks.Workbook, whole: Sheet, known: list[str]) -> list[Sheet]:
    """Every sheet as the table of its name; one named for none is refused, and the others are read nevertheless."""
    pages = {title: book.page(title) for title in book.titles}
    sheets = [
        _named_page(page, Sheet(title, f"{whole.file}[{title}]"), known)
        for title, page in pages.items()
        if page.holds_something
    ]
    todo = f"Name the file or its sheets for tables. {nearest(whole.table[:80], known)}"
    return sheets or [whole.refuse("an empty workbook", "sheets named for tables", todo)]


def _named_page(page: workbooks.Page, sheet: Sheet, known: list[str]) -> Sheet:
    if sheet.table in known:
        return _from_page(page, sheet)
    todo = f"Name it for a table, or take it out of the file. {nearest(sheet.table[:80], known)}"
    return sheet.refuse(f"sheet {sheet.table[:80]!r}", "a sheet named for a table", todo)


def _from_page(page: workbooks.Page, sheet: Sheet, begins: Callable[[list[str]], bool] | None = None) -> Sheet:
    for row, place in page.unsolved:
        sheet.refuse(f"a formula without a result in {place}", "a value", "Open and save the workbook.", row)
    every = list(page.records())
    records = [(row, texts) for row, texts in every if not texts[0].startswith(COMMENTS)]
    first = next((place for place, (_, texts) in enumerate(records) if begins and begins(texts)), 0)
    _filled(sheet, iter(records[first:]))
    sheet.comments = [
        row for row, texts in every if records and row > records[first][0] and texts[0].startswith(COMMENTS)
    ]
    return sheet if sheet.header else sheet.refuse("an empty sheet", "a header and rows", "See `memory-wall template`.")


def _from_parquet(path: Path, sheet: Sheet) -> Sheet:
    try:
        sheet.header, rows = parquet.read(path)
        sheet.rows = list(enumerate(rows, start=1))
    except door.Refused as error:
        return sheet.refuse(error.found, error.expected, error.todo)
    return sheet


def _read(path: Path, name: str, known: list[str]) -> list[Sheet]:
    if path.suffix.lower() == ".xlsx":
        return _from_xlsx(path, name, known)
    sheet = Sheet(name, str(path))
    return [_from_csv(path, sheet) if path.suffix.lower() in (".csv", ".tsv") else _from_parquet(path, sheet)]
