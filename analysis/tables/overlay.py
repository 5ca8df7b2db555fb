"""Tables that somebody supplies for a run, laid over those of the book: a whole table, or rows to add or to change by their key.

The result is a data folder like the book's own, in which ``supplied.json`` remembers what came from where, so that a
problem is told at the supplier's file, row and column, and the site can say what in it is not the book's.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from analysis import door, tables, units
from analysis.door import foreign, sheets
from analysis.door.headers import spelled
from analysis.door.sheets import Sheet
from analysis.errors import InputError, Problem, similar
from analysis.tables import cells

FILE = "supplied.json"
TAKEN_AWAY = "NA"
"""In a row that changes one of the book's, an empty cell leaves the book's value; this takes it away."""
WHOLE_SHARE = 0.9
"""A file with every column and this share of the book's rows is the table itself, edited; rows missing from it are gone."""
SOURCE = {
    "source_id": "supplied-with-this-run", "publisher": "Supplied with this run", "title": "Rows supplied for this run of the book",
    "licence": "facts-quoted", "kind": "unrecorded", "note": "The rows came without a source of their own",
}  # fmt: skip
QUOTES = "'"
FOR_NEW_ROWS = {"source_id": SOURCE["source_id"], "confidence": "estimate"}
"""What a new row has in a column that its file leaves out."""


@dataclass(frozen=True)
class Change:
    """What one file did to one table."""

    table: str
    file: str
    whole: bool
    added: list[str]
    changed: list[str]
    removed: list[str]
    comments: Sequence[int] = ()
    """Lines below the header that begin with # and are left out."""

    def __str__(self) -> str:
        counts = ((self.added, "added"), (self.changed, "changed"), (self.removed, "removed"))
        said = ", ".join(f"{len(rows)} {what}" for rows, what in counts if rows) or "nothing new"
        left = f"; {len(self.comments)} left out that begin with #" if self.comments else ""
        return f"{self.file}: {'the whole table' if self.whole else 'rows'} of {self.table}, {said}{left}"


@dataclass(frozen=True)
class Place:
    """Where a row of the laid-over table stands in the file that supplied it, with a hint and the cells as they stand there.

    converted  column → cell in the supplier's own unit, where that is not the book's
    """

    file: str
    row: int
    hint: str = ""
    converted: Mapping[str, str] = field(default_factory=dict)
    is_stranger: bool = False
    """Whether its key is new and it lacks more than one thing that a new row needs: that has been told once, at the key."""


@dataclass(frozen=True)
class Supplied:
    """What ``supplied.json`` remembers."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    places: Mapping[str, Mapping[int, Place]] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """File → column of the book → how the header of that file calls it."""
    folder: str = ""

    def rows(self) -> dict[str, list[int]]:
        """Table → the rows in it that were supplied."""
        return {table: list(places) for table, places in self.places.items()}

    def relocated(self, problem: Problem) -> Problem:
        """The same problem, told where its cell stands in what was supplied."""
        table = problem.file.removesuffix(".csv")
        if table not in self.places:
            return replace(problem, file=f"the book's {problem.file}") if self.folder else problem
        if problem.row is None:
            return replace(problem, file=self._file(table))
        place = self.places[table].get(problem.row)
        if place is None:
            return replace(problem, file=f"the book's {problem.file}")
        called = self.headers[place.file].get(problem.column or "", problem.column)
        todo = re.sub(r"\brow (\d+)\b", lambda found: self._row(table, int(found[1])), problem.todo)
        there = replace(problem, file=place.file, row=place.row, column=called, todo=todo)
        if problem.column is not None and problem.column in place.converted:
            found = f"{place.converted[problem.column]!r}, which is {problem.found.strip(QUOTES)} in {problem.column}"
            return replace(there, found=found, todo="Is the unit in the header right?")
        return replace(there, todo=f"{todo} {place.hint}".strip()) if problem.found == "nothing" else there

    def is_told(self, problem: Problem) -> bool:
        """Whether what is missing in a row has one cause that has been told: its key is that of no row of the book."""
        place = self.places.get(problem.file.removesuffix(".csv"), {}).get(problem.row or 0)
        return problem.found == "nothing" and place is not None and place.is_stranger

    def removed(self, table: str) -> set[str]:
        """The keys of the book's rows that a whole table left out."""
        return {key for change in self.changes if change.table == table for key in change.removed}

    def _file(self, table: str) -> str:
        """The file a table as a whole comes from: the one that replaced it, else the first that added to it."""
        files = {change.whole: change.file for change in reversed(self.changes) if change.table == table}
        return files.get(True) or files[False]

    def _row(self, table: str, row: int) -> str:
        place = self.places[table].get(row)
        return f"row {place.row}" if place else f"row {row} of the book"


def supplied(folder: Path) -> Supplied:
    """What is remembered about a data folder; nothing where it is the book's own."""
    try:
        noted = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except OSError:
        return Supplied()
    places = {
        table: {int(row): Place(*place) for row, place in rows.items()} for table, rows in noted["places"].items()
    }
    changes = [Change(**change) for change in noted["changes"]]
    problems = [Problem(**problem) for problem in noted["problems"]]
    return Supplied(changes, problems, places, noted["headers"], noted["folder"])


def merged(given: Path | None, folder: Path) -> Path:
    """The book's tables in ``folder`` with those of ``given`` laid over; what is wrong with them is for ``checks`` to tell."""
    package = _of_book(folder)
    if given is None:
        return folder
    if not given.is_dir():
        kind = door.kind(given)
        found = {"": "a file", "no such file": "no such folder"}.get(kind, kind)
        todo = "Name the folder that holds the files." if given.exists() else _neighbour(given)
        raise InputError([Problem(file=str(given), found=found, expected="a folder of tables", todo=todo)])
    found_sheets, problems = sheets.given(given, package.names)
    noted = Supplied([], problems, {}, {}, str(given))
    done = [_laid_over(sheet, package, noted) for sheet in _once(found_sheets)]
    known = package.raw("sources")["source_id"]
    if any(SOURCE["source_id"] in sheet_sources for sheet_sources in done) and SOURCE["source_id"] not in set(known):
        _append(folder / "sources.csv", SOURCE)
    _note(folder, noted)
    return folder


def _of_book(folder: Path) -> tables.DataPackage:
    """A copy of the book's descriptor and tables; whatever else lies beside them is left where it is."""
    book = tables.data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for path in door.of_book(book):
        try:
            (folder / path.name).write_bytes(door.content(path))
        except door.Refused as error:
            raise InputError([error.problem(str(path))]) from None
        except FileNotFoundError:
            todo = f"Name a copy of the book's data folder in {tables.DATA_VARIABLE}, or lay rows over it with --data."
            raise InputError([Problem(str(path), "no such file", "a data folder of the book", todo)]) from None
    package = tables.DataPackage(folder)
    try:
        package.names  # noqa: B018 - read here, where it can be told what is wrong with it
    except (ValueError, KeyError, TypeError) as error:
        found = f"no descriptor ({type(error).__name__})"
        raise InputError([Problem(str(book / "datapackage.json"), found, "the descriptor of the tables")]) from None
    return package


def _neighbour(given: Path) -> str:
    try:
        beside = [path.name for path in islice(given.parent.iterdir(), door.MOST_ENTRIES) if path.is_dir()]
    except OSError:
        beside = []
    return similar(given.name, beside) or "`memory-wall template devices --out FOLDER` begins one."


def _once(found: list[Sheet]) -> list[Sheet]:
    """One sheet a table; that there are two has been said."""
    main = {sheet.table: sheet for sheet in reversed(found) if not sheet.extra}
    return [*list(main.values())[::-1], *(sheet for sheet in found if sheet.extra)]


def _note(folder: Path, noted: Supplied) -> None:
    places = {
        table: {
            row: [place.file, place.row, place.hint, place.converted, place.is_stranger] for row, place in rows.items()
        }
        for table, rows in noted.places.items()
    }
    content = {
        "folder": noted.folder, "changes": [asdict(change) for change in noted.changes],
        "problems": [problem.as_dict() for problem in noted.problems], "places": places, "headers": noted.headers,
    }  # fmt: skip
    (folder / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _append(path: Path, row: Mapping[str, str]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([row.get(name, "") for name in header])


# ------------------------------------------------------------------------------------------------------------ one table


def _laid_over(sheet: Sheet, package: tables.DataPackage, noted: Supplied) -> set[str]:
    """Lay one supplied sheet over its table; the source ids it now names."""
    schema = package.resource(sheet.table)["schema"]
    columns, wrong = _columns(sheet, schema)
    noted.problems.extend([*sheet.problems, *wrong])
    missing_key = [name for name in schema["primaryKey"] if name not in columns.values()]
    if sheet.header and missing_key and not wrong:
        found, expected = f"no column {missing_key[0]!r}", f"the key {', '.join(schema['primaryKey'])} in each row"
        todo = f"`memory-wall template {sheet.table}` writes a file to start from."
        noted.problems.append(Problem(file=sheet.file, row=1, found=found, expected=expected, todo=todo))
    if missing_key:
        return set()
    path = package.folder / f"{sheet.table}.csv"
    book = sheets.read(path, sheet.table)
    layer = _Layer(sheet, book, schema, columns)
    layer.lay()
    noted.problems.extend([*layer.problems, *_commented(sheet)])
    _write(path, book.header, layer.rows)
    noted.changes.append(layer.change())
    noted.places[sheet.table] = {**noted.places.get(sheet.table, {}), **layer.places}  # type: ignore[index]
    noted.headers[sheet.file] = {name: sheet.header[index] for index, name in columns.items()}  # type: ignore[index]
    return {row[book.header.index("source_id")] for row in layer.rows} if "source_id" in book.header else set()


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


class _Layer:
    """The rows of a table while a sheet is laid over them."""

    def __init__(self, sheet: Sheet, book: Sheet, schema: Mapping[str, Any], columns: Mapping[int, str]) -> None:
        self.sheet, self.book, self.key, self.columns = sheet, book, schema["primaryKey"], columns
        self.fields = {field["name"]: field for field in schema["fields"]}
        self.required = [name for name, field in self.fields.items() if field.get("constraints", {}).get("required")]
        self.ratios = {index: ratio(_in_our_words(sheet.header[index], name), name) for index, name in columns.items()}
        self.n_hint = 0
        self.problems: list[Problem] = []
        self.rows: list[list[str]] = []
        self.places: dict[int, Place] = {}
        self.originals: dict[int, list[str]] = dict(sheet.rows)
        self.added: list[str] = []
        self.changed: list[str] = []
        self.removed: list[str] = []
        self.whole = False

    def lay(self) -> None:
        """Put the sheet's rows in place of the book's, or among them."""
        stated = [(row, self._values(texts)) for row, texts in self.sheet.rows]
        of_book = {self._key_of(dict(zip(self.book.header, texts, strict=True))): texts for _, texts in self.book.rows}
        keys = {self._key_of(values) for _, values in stated}
        complete = set(self.book.header) <= set(self.columns.values())
        named = self.sheet.whole
        self.whole = (complete and len(keys & set(of_book)) >= WHOLE_SHARE * len(of_book)) if named is None else named
        if self.whole:
            self.removed = [" ".join(key) for key in of_book if key not in keys]
        kept = {} if self.whole else {key: list(texts) for key, texts in of_book.items()}
        self._rows(stated, of_book, kept)

    def _rows(self, stated: Any, of_book: Mapping[tuple[str, ...], list[str]], rows: dict[Any, list[str]]) -> None:
        """Each stated row over the book's of the same key; a key that comes twice stays twice, for the checks to see."""
        origin: dict[Any, Place] = {}
        self.problems += self._ambiguous()
        for row, values in stated:
            key = self._key_of(values)
            slot = key if key not in origin else (key, row)
            old = of_book.get(key)
            rows[slot] = self._row(values, old)
            lacks = self._lacks(rows[slot]) if old is None else []
            origin[slot] = Place(self.sheet.file, row, self._hint(key, lacks), self._converted(row), len(lacks) > 1)
            if len(lacks) > 1:
                self.problems.append(self._stranger(row, key, lacks))
            if old is None:
                self.added.append(" ".join(key))
            elif rows[slot] != old:
                self.changed.append(" ".join(key))
        self.rows = list(rows.values())
        lines = accumulate((1 + _breaks(row) for row in self.rows), initial=2)
        self.places = {line: origin[slot] for line, slot in zip(lines, rows, strict=False) if slot in origin}

    def _key_of(self, values: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(values.get(name, "") for name in self.key)

    def _values(self, texts: Sequence[str]) -> dict[str, str]:
        return {name: self._cell(name, index, texts[index]) for index, name in self.columns.items()}

    def _converted(self, row: int) -> dict[str, str]:
        texts = self.originals[row]
        return {name: texts[index] for index, name in self.columns.items() if self.ratios[index] != 1 and texts[index]}

    def _cell(self, name: str, index: int, text: str) -> str:
        """A cell as the book files it: decimal point, the column's own unit, whole numbers without a point, its word for another's."""
        kind = self.fields[name]["type"]
        if kind not in ("number", "integer"):
            return str(self.fields[name].get("spellings", {}).get(text, text))
        if self.sheet.decimal_comma:
            text = _with_point(text)
        if not cells.NUMBER.fullmatch(text):
            return text
        if self.ratios[index] != 1:
            text = f"{float(text) * self.ratios[index]:.12g}"
        return text.removesuffix(".0") if kind == "integer" else text

    def _ambiguous(self) -> Iterator[Problem]:
        """Numbers whose point may be that of thousands: in a file with decimal commas, where no number has decimals after a point."""
        numeric = [index for index, name in self.columns.items() if self.fields[name]["type"] in ("number", "integer")]
        texts = [(row, index, cells[index]) for row, cells in self.sheet.rows for index in numeric]
        if not self.sheet.decimal_comma or any(DECIMAL_POINT.fullmatch(text) for _, _, text in texts):
            return
        for row, index, text in texts:
            if POINT_OF_THOUSANDS.fullmatch(text):
                todo = f"The point may stand for thousands or for decimals: write {text.replace('.', '')} or {text.replace('.', ',')}."
                name = self.sheet.header[index]
                yield Problem(self.sheet.file, repr(text), "digits and at most one decimal comma", todo, row, name)

    def _row(self, values: Mapping[str, str], old: Sequence[str] | None) -> list[str]:
        if old is None:
            texts = [values.get(name, FOR_NEW_ROWS.get(name, "")) for name in self.book.header]
        else:
            kept = dict(zip(self.book.header, old, strict=True))
            texts = [values.get(name, "") or ("" if self.whole else kept[name]) for name in self.book.header]
        return ["" if text == TAKEN_AWAY else text for text in texts]

    def _lacks(self, texts: Sequence[str]) -> list[str]:
        """What a new row needs and this one does not have."""
        of_row = dict(zip(self.book.header, texts, strict=True))
        return [name for name in self.required if not of_row.get(name)]

    def _hint(self, key: tuple[str, ...], lacks: Sequence[str]) -> str:
        """What to say where a new row lacks something: perhaps it was meant to change one of the book's."""
        near = self._near(key) if lacks else ""
        hint = "A row with a new key needs it"
        return "" if not lacks else f"{hint}, or is the key another? {near}" if near else f"{hint}."

    def _near(self, key: tuple[str, ...]) -> str:
        self.n_hint += 1
        return similar(" ".join(key)[:80], self._keys_of_book) if self.n_hint <= MOST_HINTS else ""

    def _stranger(self, row: int, key: tuple[str, ...], lacks: Sequence[str]) -> Problem:
        """One problem for all that a row with an unknown key lacks."""
        found = f"{' '.join(key)[:80]!r}, the key of no row, without {', '.join(lacks)}"
        todo = f"{self._near(key)} A row that is added needs all of these.".strip()
        column = self.sheet.header[next(index for index, name in self.columns.items() if name == self.key[0])]
        return Problem(
            self.sheet.file, found, "the key of a row of the book, or all that a new row needs", todo, row, column
        )

    @cached_property
    def _keys_of_book(self) -> list[str]:
        """The keys of the book's rows as text."""
        return [" ".join(self._key_of(dict(zip(self.book.header, texts, strict=True)))) for _, texts in self.book.rows]

    def change(self) -> Change:
        """What was done."""
        return Change(
            self.sheet.table, self.sheet.file, self.whole, self.added, self.changed, self.removed, self.sheet.comments
        )


def _with_point(text: str) -> str:
    """A number with a decimal comma, and perhaps points between its thousands, as the book files it; any other as it is."""
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", text, re.ASCII):
        return text.replace(".", "").replace(",", ".")
    is_decimal = re.fullmatch(r"[+-]?\d+,\d+", text, re.ASCII) and not THOUSANDS.fullmatch(text)
    return text.replace(",", ".") if is_decimal else text


def _commented(sheet: Sheet) -> list[Problem]:
    """A question where lines below the header are left out as comments: a row may begin with a # of its own."""
    if not sheet.comments:
        return []
    found = (
        f"{len(sheet.comments)} {'line' if len(sheet.comments) == 1 else 'lines'} below the header that begin with #"
    )
    todo = "They are left out. Is one of them a row? Then put another cell first, or write the name without #."
    return [Problem(sheet.file, found, "rows", todo, sheet.comments[0], level="warning")]


def _breaks(row: Sequence[str]) -> int:
    """Lines of a file that a row takes beyond its first."""
    return sum(len(LINE_END.findall(text)) for text in row if not text.isprintable())


LINE_END = re.compile("\r\n|\r|\n")
MOST_HINTS = 100
"""New rows that lack something for which the nearest key of the book is looked for; more have one cause."""
DECIMAL_POINT = re.compile(r"[+-]?(0\.\d+|\d+\.(\d{1,2}|\d{4,}))", re.ASCII)
POINT_OF_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""A comma before three digits may be that of thousands: it is not taken for a decimal comma."""


# -------------------------------------------------------------------------------------------------------------- columns


def _columns(sheet: Sheet, schema: Mapping[str, Any]) -> tuple[dict[int, str], list[Problem]]:
    """Position in the sheet → column of the book; and what is wrong with the header."""
    fields = {field["name"]: field for field in schema["fields"]}
    found: dict[int, str] = {}
    problems, unknown = [], []
    for index, name in enumerate(sheet.header):
        target = _meant(name, fields)
        if target is None:
            unknown.append(name)
        elif target in found.values():
            first = sheet.header[next(at for at, column in found.items() if column == target)]
            said = f"the column {'twice' if first == name else f'beside {first!r}'}"
            problems.append(Problem(sheet.file, said, "one column for one quantity", "Keep one.", 1, name))
        else:
            found[index] = target
    is_foreign = len(unknown) > MOST_UNKNOWN and len(unknown) * 2 > len(sheet.header)
    told = [_foreign(sheet, unknown, schema)] if is_foreign else [_no_column(sheet, name, fields) for name in unknown]
    return found, told + problems


MOST_UNKNOWN = 5
"""Above so many unknown columns, where they are most of all, the file is another table: that is told once."""


def _foreign(sheet: Sheet, unknown: Sequence[str], schema: Mapping[str, Any]) -> Problem:
    names = [field["name"] for field in schema["fields"]]
    needed = [field["name"] for field in schema["fields"] if field.get("constraints", {}).get("required")]
    found = (
        f"{len(unknown)} of {len(sheet.header)} columns that {sheet.table} does not have: {', '.join(unknown)[:300]}"
    )
    expected = f"the columns of the table, of which a new row needs {', '.join(needed)}"
    todo = f"Is it another program's file? `memory-wall template {sheet.table}` writes an empty table of all {len(names)} columns."
    if foreign.of_columns(sheet.header):
        todo = "Another program wrote it: `memory-wall import FILE --out FOLDER` writes its rows for this folder."
    return Problem(sheet.file, found, expected, todo, 1)


def _meant(name: str, fields: Mapping[str, Any]) -> str | None:
    """The book's column that a header means: by its name, in another unit, or as people write it: ``Memory bandwidth (GB/s)``."""
    if name in fields:
        return name
    if len(name) > LONGEST_HEADER or (in_ours := _in_another_unit(name, fields)):
        return None if len(name) > LONGEST_HEADER else in_ours
    ours = spelled(name)
    meant = ours if ours in fields else _in_another_unit(ours, fields)
    # Memory labelled GB has GiB: which of the two is meant is for whoever knows to say.
    return None if meant and "sizes" in fields[meant] and ours != meant else meant


LONGEST_HEADER = 100


def _in_another_unit(name: str, fields: Mapping[str, Any]) -> str | None:
    """The book's column of the same quantity in another unit."""
    stem = units.stem(name)
    same = [column for column in fields if units.parse(column) and units.stem(column) == stem]
    return next((column for column in same if comparable(name, column)), None)


def comparable(one: str, other: str) -> bool:
    """Whether two columns hold one quantity in two units: ``_gbyte`` and ``_gibyte``, ``_share`` and ``_percent``."""
    first, second = units.parse(one), units.parse(other)
    if first is None or second is None:
        return False
    if not first.dimensions:
        return {first.text, second.text} <= SHARES
    return _in_bytes(first.dimensions) == _in_bytes(second.dimensions)


def _bits(unit: units.Unit) -> int:
    return unit.dimensions.get("bit", 0) + unit.dimensions.get("transfer", 0)


SHARES = {"share", "percent"}
BIT_PER_BYTE = 8


def _in_bytes(dimensions: Mapping[str, int]) -> dict[str, int]:
    # A pin moves one bit a transfer: rates of memories are printed in Gbit/s as in MT/s.
    return {"byte" if word in ("bit", "transfer") else word: power for word, power in dimensions.items()}


def ratio(one: str, other: str) -> float:
    """By what a number in the unit of ``one`` is multiplied for the unit of ``other``: gbit → mbyte is 125."""
    first, second = units.parse(one), units.parse(other)
    if first is None or second is None or first.text == second.text:
        return 1.0
    bits = _bits(second) - _bits(first)
    return math.ldexp(
        first.factor / second.factor, bits * (BIT_PER_BYTE.bit_length() - 1)
    )  # 8 to a whole power, exactly


def _in_our_words(header: str, column: str) -> str:
    """The header where its unit is spelled as ours, else as it is meant."""
    return header if header == column or units.stem(header) == units.stem(column) else spelled(header)


def _no_column(sheet: Sheet, name: str, fields: Mapping[str, Any]) -> Problem:
    stem, unit = units.stem(name), units.parse(name)
    same = [column for column in fields if units.parse(column) and units.stem(column) in (stem, name)]
    expected = "the columns " + ", ".join(fields)
    if not name:
        return Problem(sheet.file, "a column without a name", expected, "Name it, or take it away.", 1)
    if same and unit is None:
        wanted = units.parse(same[0])
        return Problem(
            sheet.file, f"column {name[:80]!r}", f"its unit in its name, as {same[0]}", _spelled(wanted), 1, name[:80]
        )
    if same and unit is not None:
        return Problem(
            sheet.file,
            f"the unit {unit.text}",
            f"a unit like that of {same[0]}",
            "It measures another thing.",
            1,
            name[:80],
        )
    hint = similar(name[:80], fields) or similar(re.sub(r"[^a-z0-9]+", "_", name[:80].lower()).strip("_"), fields)
    return Problem(
        sheet.file, f"column {name[:80]!r}", "a column of the table" if hint else expected, hint, 1, name[:80]
    )


def _spelled(unit: units.Unit | None) -> str:
    return f"{unit.symbol} is spelled {unit.text}." if unit else ""
