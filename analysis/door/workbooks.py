"""XLSX as it is stored: only the cells a file holds, each with its place, in one pass and within limits.

Formatted empty cells, merged ranges and far corners cost nothing.  What a file must be told about is raised as ``Refused``.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.parsers import expat

from analysis import door
from analysis.door import Refused
from analysis.door.typed import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, text

MOST_TAGS = 6_000_000
DEEPEST = 64
LARGEST_DIRECTORY_BYTE = 2**20
LAST_ROW, LAST_COLUMN = 2**20, 2**14
"""A spreadsheet ends there."""
LONGEST_FORMAT = 200
CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
SAVE = "Open it in the spreadsheet and save it anew, or save the table as “CSV UTF-8”."
WORKBOOK = "a workbook that can be read"
END_OF_DIRECTORY, END_OF_LARGE_DIRECTORY = b"PK\5\6", b"PK\6\7"
END_BYTE = 2**16 + 22
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, struct.error, RuntimeError)
"""What an archive raises that is damaged, or locked with a password."""
MOST_UNSOLVED = 1_000

Attributes = dict[str, str]
Rows = dict[int, dict[int, str]]
"""Row → column → text, both from 1; of the cells that hold something."""


@dataclass
class Page:
    """One sheet of a workbook: its cells, and the places of formulas that have no result."""

    rows: Rows = field(default_factory=dict)
    unsolved: list[tuple[int, str]] = field(default_factory=list)

    @property
    def holds_something(self) -> bool:
        """Whether there is any value, or a formula that should have one."""
        return bool(self.rows or self.unsolved)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """(row, cells) of each row that holds something, all as wide as the widest."""
        width = max((max(cells) for cells in self.rows.values()), default=0)
        for row in sorted(self.rows):
            yield row, [self.rows[row].get(column, "") for column in range(1, width + 1)]


class Workbook:
    """A workbook whose sheets are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        content = door.content(path)
        _require_small_directory(content)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            self._sizes = {part.filename: part.file_size for part in self._zip.infolist()}
            if odd := [part.filename for part in self._zip.infolist() if part.compress_type not in COMPRESSIONS]:
                raise Refused(f"{odd[0][:80]!r} compressed in another way", WORKBOOK, SAVE)
            self._left = door.LARGEST_FILE_BYTE
            self._tags = MOST_TAGS
            self._open()
        except DAMAGED as error:
            raise Refused(f"no workbook ({error})", WORKBOOK, SAVE) from None

    def _open(self) -> None:
        main = next(iter(self._related("", "/officeDocument").values()), "xl/workbook.xml")
        related = self._related(main)
        book = _Book()
        book.read(self.part(main))
        self.epoch_1904 = book.epoch_1904
        self._paths = {title: related[name] for title, name in book.sheets if name in related}
        strings, styles = (self._related(main, kind) for kind in ("/sharedStrings", "/styles"))
        self.strings = _Strings.of(self.part(path) for path in strings.values())
        self.dates = _Styles.of(self.part(path) for path in styles.values())

    @property
    def titles(self) -> list[str]:
        """The names of the sheets in their order."""
        return list(self._paths)

    def page(self, title: str) -> Page:
        """The stored cells of one sheet; raises Refused where it is damaged or too large."""
        reader = _Cells(self)
        try:
            reader.read(self.part(self._paths[title]))
        except DAMAGED as error:
            raise Refused(f"no workbook ({error})", WORKBOOK, SAVE) from None
        return reader.page

    def part(self, path: str) -> bytes:
        """One file of the archive, unpacked; all that are read together are as small as any table."""
        if path not in self._sizes:
            raise Refused(f"no workbook (without {path[:80]!r})", WORKBOOK, SAVE)
        self._left -= self._sizes[path]
        if self._left < 0:
            said = f"at most {door.size(door.LARGEST_FILE_BYTE)}"
            raise Refused("a workbook that unpacks to more than is sensible", said, SAVE)
        content = self._zip.read(path)
        self._tags -= content.count(b"<")
        if self._tags < 0:
            raise Refused(f"a workbook of more than {MOST_TAGS:,} parts", f"at most {MOST_CELLS:,} cells", SAVE)
        return content

    def _related(self, path: str, kind: str = "") -> dict[str, str]:
        """Id → path of what a part refers to, of one kind or of all."""
        folder, name = posixpath.split(path)
        where = posixpath.join(folder, "_rels", f"{name}.rels")
        if where not in self._sizes:
            return {}
        reader = _Relations(folder, kind)
        reader.read(self.part(where))
        return reader.found


def _require_small_directory(content: bytes) -> None:
    """A million empty files in an archive are a bomb that goes off when its directory is read."""
    tail = content[-END_BYTE:]
    at = tail.rfind(END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 22:
        todo = "An older .xls, or one with a password, is none. " + SAVE
        raise Refused("no workbook (not a ZIP archive)", WORKBOOK, todo)
    (byte,) = struct.unpack("<L", tail[at + 12 : at + 16])
    if byte > LARGEST_DIRECTORY_BYTE or END_OF_LARGE_DIRECTORY in tail:
        raise Refused("an archive of very many files", WORKBOOK, SAVE)


# ------------------------------------------------------------------------------------------------------------------- XML


class _Reader:
    """A part read element by element; names without their namespace, no declarations, no depth to speak of."""

    def __init__(self) -> None:
        self._depth = 0
        self._names: dict[str, str] = {}
        self._texts: list[str] | None = None

    def start(self, name: str, attributes: Attributes, /) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def read(self, content: bytes) -> None:
        """Read a whole part at once; raises Refused where it is no XML of a workbook."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._finish
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._text, _declaration
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise Refused(f"no workbook (XML: {error})", WORKBOOK, SAVE) from None

    def _begin(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused(f"elements more than {DEEPEST} deep", WORKBOOK, SAVE)
        self.start(self._names.get(name) or self._local(name), attributes)

    def _local(self, name: str) -> str:
        return self._names.setdefault(name, name.rpartition(":")[2])

    def _finish(self, name: str) -> None:
        self._depth -= 1
        self.end(self._names[name])

    def _text(self, data: str) -> None:
        if self._texts is not None:
            self._texts.append(data)


def _declaration(*_: object) -> None:
    raise Refused("a document type declaration", "a workbook without one", "A spreadsheet writes none. " + SAVE)


class _Relations(_Reader):
    """What a part refers to."""

    def __init__(self, folder: str, kind: str) -> None:
        super().__init__()
        self.folder, self.kind = folder, kind
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes, /) -> None:
        """Keep a reference within the archive."""
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        if attributes.get("Type", "").endswith(self.kind) and "Target" in attributes:
            target = posixpath.normpath(posixpath.join("/", self.folder, attributes["Target"]))
            self.found[attributes.get("Id", "")] = target.lstrip("/")


class _Book(_Reader):
    """The names of the sheets, and from when days are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str]] = []
        self.epoch_1904 = False

    def start(self, name: str, attributes: Attributes, /) -> None:
        """Note a sheet by its name and reference."""
        if name == "workbookPr":
            self.epoch_1904 = attributes.get("date1904", "0") in ("1", "true")
        if name == "sheet":
            reference = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), reference))


class _Strings(_Reader):
    """Texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._whole: list[str] = []
        self._aside = False

    @classmethod
    def of(cls, parts: Iterator[bytes]) -> list[str]:
        """The texts of all parts, mostly one."""
        reader = cls()
        for part in parts:
            reader.read(part)
        return reader.found

    def start(self, name: str, _: Attributes, /) -> None:
        """Begin a text, or a piece of it; how it is pronounced is none."""
        if name == "si":
            self._whole = []
        elif name == "rPh":
            self._aside = True
        elif name == "t" and not self._aside:
            self._texts = self._whole

    def end(self, name: str) -> None:
        """End it."""
        if name == "t":
            self._texts = None
        elif name == "rPh":
            self._aside = False
        elif name == "si":
            self.found.append("".join(self._whole))


class _Styles(_Reader):
    """Which styles show a number as a date."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[bool] = []
        self._formats: dict[str, str] = {}
        self._of_cells = False

    @classmethod
    def of(cls, parts: Iterator[bytes]) -> list[bool]:
        """For each style of cells, whether it is one of dates."""
        reader = cls()
        for part in parts:
            reader.read(part)
        return reader.found

    def start(self, name: str, attributes: Attributes, /) -> None:
        """Note a number format, or the one a style uses."""
        if name == "numFmt":
            self._formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._of_cells = True
        elif name == "xf" and self._of_cells:
            self.found.append(self._is_date(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        """End the styles of cells."""
        if name == "cellXfs":
            self._of_cells = False

    def _is_date(self, number: str) -> bool:
        from openpyxl.styles import numbers

        built_in = numbers.BUILTIN_FORMATS.get(int(number)) if number.isdecimal() and len(number) < 4 else None
        shown = self._formats.get(number) or built_in or ""
        return len(shown) <= LONGEST_FORMAT and bool(numbers.is_date_format(shown))


class _Cells(_Reader):
    """The cells of a sheet."""

    def __init__(self, book: Workbook) -> None:
        super().__init__()
        self.book, self.page = book, Page()
        self._row = self._column = self._n_cell = 0
        self._kind, self._style = "n", ""
        self._formula = self._aside = False
        self._value: list[str] = []

    def start(self, name: str, attributes: Attributes, /) -> None:
        """Begin a row, a cell, or what is in it."""
        if name == "c":
            self._place(attributes.get("r"))
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value, self._formula = [], False
        elif name == "row":
            self._row, self._column = _within(attributes.get("r", str(self._row + 1)), LAST_ROW, "row"), 0
        elif name == "rPh":
            self._aside = True
        elif name == "f":
            self._formula = True
        elif name in ("v", "t") and not self._aside:
            self._texts = self._value

    def end(self, name: str) -> None:
        """End it; a cell that holds something is kept."""
        if name in ("v", "t"):
            self._texts = None
        elif name == "rPh":
            self._aside = False
        elif name == "c":
            value = "".join(self._value)
            if value:
                self._keep(self._text_of(value))
            elif self._formula and len(self.page.unsolved) < MOST_UNSOLVED:
                self.page.unsolved.append((self._row, self._called()))

    def _place(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
        elif (found := CELL.fullmatch(reference)) is None:
            raise Refused(f"a cell called {reference[:40]!r}", "a cell called like B2", SAVE)
        else:
            self._row, self._column = _within(found[2], LAST_ROW, "row"), _number(found[1])
        if not (self._row and self._column <= LAST_COLUMN):
            raise Refused(f"a cell called {str(reference)[:40]!r}", "a cell within the sheet", SAVE)

    def _called(self) -> str:
        from openpyxl.utils import get_column_letter

        return f"{get_column_letter(self._column)}{self._row}"

    def _keep(self, value: str) -> None:
        if not value:
            return
        row = self.page.rows.setdefault(self._row, {})
        if self._column in row:
            raise Refused(f"the cell {self._called()} twice", "each cell once", SAVE)
        if self._column > MOST_COLUMNS:
            todo = f"It holds {value[:40]!r}: delete the columns to the right of the table, and save."
            raise Refused(f"a cell in {self._called()}", f"at most {MOST_COLUMNS} columns", todo)
        row[self._column] = value
        self._n_cell += 1
        if self._n_cell > MOST_CELLS or len(self.page.rows) > MOST_ROWS:
            found = f"more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells"
            raise Refused(found, "a table of at most that", "Keep the rows that are needed.")

    def _text_of(self, value: str) -> str:
        """A stored value as CSV would hold it."""
        try:
            return CONVERTED.get(self._kind, _Cells._plain)(self, value)
        except (ValueError, IndexError, OverflowError):
            found = f"{value[:40]!r} stored in {self._called()} as what it is not"
            raise Refused(found, "a workbook as spreadsheets write it", SAVE) from None

    def _plain(self, value: str) -> str:
        return value.strip()

    def _shared(self, value: str) -> str:
        return self.book.strings[_index(value)].strip()

    def _truth(self, value: str) -> str:
        return {"1": "true", "0": "false"}.get(value, value)

    def _day(self, value: str) -> str:
        return text(datetime.fromisoformat(value))

    def _amount(self, value: str) -> str:
        from openpyxl.utils import datetime as days

        number = float(value)
        dates = self.book.dates
        if self._style and dates and dates[_index(self._style)]:
            return text(days.from_excel(number, days.MAC_EPOCH if self.book.epoch_1904 else days.WINDOWS_EPOCH))
        return value if value.removeprefix("-").isdecimal() else text(number)


CONVERTED: dict[str, Callable[[_Cells, str], str]] = {
    "s": _Cells._shared, "b": _Cells._truth, "d": _Cells._day, "n": _Cells._amount,
}  # fmt: skip
"""Type of a cell → how its stored value is written; anything else is text."""


def _within(number: str, last: int, what: str) -> int:
    if not (number.isdecimal() and len(number) <= len(str(last)) and 1 <= int(number) <= last):
        raise Refused(f"{what} {number[:40]!r}", f"a {what} from 1 to {last:,}, where a spreadsheet ends", SAVE)
    return int(number)


def _index(number: str) -> int:
    if not (number.isdecimal() and len(number) < 10):
        raise ValueError(number)
    return int(number)


def _number(letters: str) -> int:
    """The number of a column: B is 2, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
