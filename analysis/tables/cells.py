"""One table against its schema: header, type and limits of each cell, keys; each problem with what would be valid.

The messages are for whoever typed the table, so each says what to write instead where that can be known: the nearest name,
the nearest number allowed, the unit in which the number would be plausible.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from analysis import units
from analysis.door import headers
from analysis.door.sheets import LONGEST_CELL, Sheet
from analysis.errors import Problem, nearest, similar
from analysis.tables import FALSE, TRUE

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER_SIGN = r"[-+=@\uff0d\uff0b\uff1d\uff20\ufe63\ufe62\ufe66\ufe6b]"
"""What begins a formula in some spreadsheet, full-width and small forms too."""
FORMULA = re.compile(rf"(?:^|[;,\t\uff1b\uff0c])[\s\"']*({NUMBER_SIGN}[^;,\t\uff1b\uff0c]*)")
"""Text that begins as a formula does, and the same after what separates cells: another spreadsheet splits it there."""
MARKUP = re.compile(
    r"<\s*(?:[a-z/?]|!--|!\[|!doctype)|\b(java|vb)script\s*:|\bdata\s*:\s*text|\{[\w:+-]+\}\s*`|\]\(|\$[^$]*\\[^$]*\$",
    re.IGNORECASE,
)
"""What a browser or the book's own markup could run or follow instead of showing it."""
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks that show nothing."""
VARIANTS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Selectors of another form of the sign before them; seen only as that form."""
UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of Unicode that show nothing, or nothing known: controls, marks of format, line ends, private and unassigned."""
JOINED = re.compile("(?<=[\u0600-\u0dff])[\u200c\u200d](?=[\u0600-\u0dff])")
"""Joiners between letters of Arabic and Indian scripts: they change how a word is spelled, and are seen."""
SEEN = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Signs of number and year that the categories count among the marks of format."""
ACTIVE_TODO = (
    "A spreadsheet or a browser could run it: remove the leading = + - @, the tag, the link or the javascript: address."
)
DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}
"""Names that a system keeps for itself, whatever follows the first point: a file cannot be called so."""
ID_PATTERN = "^[a-z0-9]+([.-][a-z0-9]+)*$"
LONGEST_ID = 80


def active(text: str) -> bool:
    """Whether a spreadsheet, a browser or the book's own markup could run or follow the text instead of showing it."""
    formulas = (found[1].strip(" \"'").rstrip(")]}.") for found in FORMULA.finditer(text))
    return MARKUP.search(text) is not None or any(not NUMBER.fullmatch(formula) for formula in formulas)


def hidden(text: str) -> str:
    """The first sign of a text that shows nothing or turns what is around it, by its Unicode category; empty where there is none."""
    if text.isascii() and text.isprintable():
        return ""
    text = JOINED.sub("", text)
    unseen = (sign for sign in text if (unicodedata.category(sign) in UNSEEN and sign not in SEEN) or sign in FILLERS)
    return next(unseen, "") or next(iter(VARIANTS.findall(text)), "")


def unfit(text: str) -> str:
    """What to do about a text that is no plain text in one line; empty where it is."""
    if sign := hidden(text):
        called = f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".strip()
        return f"It holds a line break or a character that is not seen, {called}: write it in one line of plain characters."
    return ACTIVE_TODO if active(text) else ""


def unfit_id(text: str) -> str:
    """What to do about an id that cannot name a file; empty where it can."""
    if len(text) > LONGEST_ID:
        return f"An id has at most {LONGEST_ID} characters, not {len(text)}: it becomes the name of a file."
    if text.partition(".")[0].lower() in DEVICES:
        return f"Systems keep the name {text.partition('.')[0]!r} for themselves: add a word, as {text}-1."
    return ""


def problems(sheet: Sheet, schema: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with one table taken by itself."""
    fields = {field["name"]: field for field in schema["fields"]}
    columns = sheet.columns()
    found = [*sheet.problems, *_header(sheet, list(fields))]
    for name in sheet.header:
        if name in fields:
            found += _column(sheet, fields[name], columns[name])
    return found + list(_keys(sheet, schema["primaryKey"], columns))


def _header(sheet: Sheet, names: list[str]) -> Iterator[Problem]:
    if not sheet.header:
        return
    expected_columns = "the columns " + ", ".join(names)
    for name in dict.fromkeys(sheet.header):
        if sheet.header.count(name) > 1:
            yield Problem(file=sheet.file, row=1, column=name, found="the column twice", expected="each column once")
        if name not in names:
            found, todo = f"column {name[:80]!r}", nearest(name[:80], names)
            yield Problem(
                file=sheet.file, row=1, column=name[:80] or None, found=found, expected=expected_columns, todo=todo
            )
    for name in names:
        if name not in sheet.header:
            yield Problem(file=sheet.file, row=1, column=name, found="no such column", expected=expected_columns)


class Wrong(NamedTuple):
    """What is wrong with a cell: what was found, what to do, and whether it is refused (error) or asked about (warning)."""

    found: str
    todo: str
    level: str = "error"


def _column(sheet: Sheet, field: Mapping[str, Any], cells: list[str]) -> Iterator[Problem]:
    judged: dict[str, Wrong | None] = {}
    first: dict[str, int] = {}
    for (row, _), cell in zip(sheet.rows, cells, strict=True):
        if cell not in judged:
            judged[cell] = _wrong(cell, field, hint=len(judged) < MOST_HINTS)
        wrong = judged[cell]
        if wrong is None and field.get("constraints", {}).get("unique") and cell:
            wrong = Wrong(repr(cell), _again(first[cell])) if cell in first else None
            first.setdefault(cell, row)
        if wrong is not None:
            wanted = PLAIN_TEXT if wrong.todo == ACTIVE_TODO else expected(field)
            yield Problem(sheet.file, wrong.found, wanted, wrong.todo, row, field["name"], wrong.level)


MOST_HINTS = 1_000
"""Different cells of a column for which the nearest word is looked for; more have one cause."""
PLAIN_TEXT = "plain text"
SPOKEN, BRACES = frozenset({"name", "statement", "item", "chip", "vendor"}), frozenset("{}")
"""Columns whose cells stand in sentences, and what no published text may hold: it is how an unfilled template looks."""


def _wrong(cell: str, field: Mapping[str, Any], *, hint: bool) -> Wrong | None:
    """What is not valid or not likely in a cell; the first reason counts."""
    limits, kind = field.get("constraints", {}), field["type"]
    if not cell:
        return Wrong("nothing", "") if limits.get("required") else None
    if len(cell) > LONGEST_CELL:
        return Wrong(f"{len(cell)} characters, {cell[:40]!r}…", f"A cell holds at most {LONGEST_CELL}.")
    shown = repr(cell if len(cell) <= 80 else cell[:80] + "…")
    if kind in ("number", "integer"):
        todo = _wrong_number(cell, field, limits)
    elif kind == "boolean":
        todo = None if cell in TRUE + FALSE else "Write true or false."
    elif field["name"] in SPOKEN and BRACES & set(cell):
        todo = "Sentences, titles and captions are made with it: write it without { and }."
    elif "words" in field and cell not in field["words"] and not unfit(cell):
        return Wrong(shown, *_new_word(cell, field))
    else:
        todo = _wrong_text(cell, field, limits, hint=hint)
    return None if todo is None else Wrong(shown, todo)


def _new_word(cell: str, field: Mapping[str, Any]) -> tuple[str, str]:
    """(what to do, level) for a word that an open list lacks: the same word spelled otherwise is an error, a new one a question."""
    words = field["words"]
    if cell.lower() in NOTHINGS or not re.search(r"[^\W\d_]", cell):
        return "Leave the cell empty where it is not known.", "error"
    spelled = [word for word in words if _letters(word) == _letters(cell)]
    if spelled or cell in field.get("spellings", {}):
        return f"Did you mean {(spelled or [field['spellings'][cell]])[0]!r}?", "error"
    told_by_number = any(re.search(r"\d", word) for word in words)  # GDDR5 is no misspelt GDDR6
    alike = "" if told_by_number else similar(cell[:80], words)
    asked = f"{alike} Or is it" if alike else "Is it"
    return f"{asked} a new word? {field['open']}", "warning"


def _letters(word: str) -> str:
    return re.sub(r"[\W_]", "", word.lower())


def _wrong_text(cell: str, field: Mapping[str, Any], limits: Mapping[str, Any], *, hint: bool) -> str | None:
    if "enum" in limits:
        return (
            None if cell in limits["enum"] else (similar(cell[:80], limits["enum"]) or field.get("closed", "")) * hint
        )
    if hidden(cell):
        return unfit(cell)
    pattern = limits.get("pattern", "")
    if pattern and not _matches(cell, pattern):
        meant = [repr(text) for text in dict.fromkeys(_plainer(cell)) if text and _matches(text, pattern)]
        return f"Did you mean {' or '.join(meant)}?" if meant else "Year first, in digits." if "{4}" in pattern else ""
    return (unfit_id(cell) if pattern == ID_PATTERN else unfit(cell)) or None


def _plainer(cell: str) -> list[str]:
    """What an id or a date may have been meant to be: ``A/b`` → ``a-b``; ``22.11.2026`` and ``Oct 2026`` → ``2026-11-22``, ``2026-10``."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", cell[:80].lower()) if not unicodedata.combining(sign)
    )
    return [*_dates(TIME_OF_DAY.sub("", cell.strip()[:40])), re.sub(r"[^a-z0-9]+", "-", plain).strip("-")]


TIME_OF_DAY = re.compile(r"[T ]\d{1,2}:\d\d\S*$")
"""What spreadsheets and programs write behind a date."""


MONTHS = {
    name: str(number).zfill(2)
    for number, names in enumerate(
        (
            "jan ene gen",
            "feb fév",
            "mar mär mrz",
            "apr avr abr",
            "may mai mag",
            "jun giu",
            "jul lug",
            "aug aoû ago",
            "sep set",
            "oct okt ott",
            "nov",
            "dec dez déc dic",
        ),
        1,
    )
    for name in names.split()
}
SPREADSHEET_DAY = date(1899, 12, 30)
"""Day 0 of a spreadsheet, whose dates are numbers of days."""


def _dates(cell: str) -> list[str]:
    """A date as people and spreadsheets write it, in the order year, month, day; both where day and month could be exchanged."""
    if re.fullmatch(r"[34]\d{4}", cell, re.ASCII):
        return [(SPREADSHEET_DAY + timedelta(int(cell))).isoformat()]
    parts = [_part(part) for part in re.split(r"[\s./,-]+", cell) if part]
    years = [part for part in parts if re.fullmatch(r"(19|20)\d\d", part)]
    rest = [part for part in parts if part not in years]
    if len(years) != 1 or len(rest) > 2 or not all(re.fullmatch(r"\d\d", part) for part in rest):
        return []
    orders = [rest] if len(rest) < 2 or parts[0] in years else [rest[::-1], rest]
    orders = [[word, *(part for part in rest if part != word)] for word in _named(cell)[:1]] or orders
    return ["-".join([*years, *order]) for order in orders if _is_day([*years, *order])]


def _part(text: str) -> str:
    text = re.sub(r"(?<=\d)(st|nd|rd|th)$", "", text.lower())
    return MONTHS.get(text[:3], text) if text.isalpha() else text.zfill(2)


def _named(cell: str) -> list[str]:
    """The months that a date names by a word."""
    return [MONTHS[word[:3].lower()] for word in re.findall(r"[^\W\d_]{3,}", cell) if word[:3].lower() in MONTHS]


def _is_day(parts: list[str]) -> bool:
    try:
        date(*(int(part) for part in [*parts, "1", "1"][:3]))
    except ValueError:
        return False
    return True


def _matches(cell: str, pattern: str) -> bool:
    return bool(re.fullmatch(pattern.removeprefix("^").removesuffix("$"), cell, re.ASCII))


def _wrong_number(cell: str, field: Mapping[str, Any], limits: Mapping[str, Any]) -> str | None:
    if not NUMBER.fullmatch(cell):
        return _not_a_number(cell, field, required=bool(limits.get("required")))
    value = float(cell)
    low, high = limits.get("minimum", -math.inf), limits.get("maximum", math.inf)
    if math.isinf(value):
        return "It is too large for any quantity here."
    if not low <= value <= high:
        return _out_of_range(value, field, low, high)
    if field["type"] == "integer" and not INTEGER.fullmatch(cell):
        return f"Did you mean {round(value)}?" if value == round(value) else f"The nearest is {round(value)}."
    return None


def _not_a_number(cell: str, field: Mapping[str, Any], *, required: bool) -> str:
    whole = field["type"] == "integer"
    if re.fullmatch(r"[+-]?\d+,\d+", cell):
        if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell):
            meant = f"{cell.replace(',', '.')} or {cell.replace(',', '')}"
            return f"The comma may stand for thousands or for decimals: write {meant}."
        return "It has no decimals." if whole else f"Did you mean {cell.replace(',', '.')}?"
    if re.fullmatch(r"[+-]?[\d.,' \u00a0\u2009\u202f]+", cell):
        return DIGITS
    if cell.lower() in NOTHINGS:
        return LEAVE_OUT if required else "Leave the cell empty where the value is not known."
    if number := re.fullmatch(r"([+-]?(?:\d+\.)?\d+)\s*([^\d.,]+)", cell):
        return _with_unit(float(number[1]), number[1], number[2], field)
    return DIGITS if re.search(r"\d", cell) else ""


def _with_unit(value: float, digits: str, sign: str, field: Mapping[str, Any]) -> str:
    """What to write for a number with its unit: the number, converted where the header counts in another unit of the kind."""
    if sign in ("k", "K"):
        return f"Write {value * 1024:.10g} or {value * 1000:.10g}: k may be either."
    if "%" in sign:
        return f"A share of what? {DIGITS}"
    said, ours = units.parse(f"x_{headers.unit_word(sign)}"), units.parse(field["name"])
    is_printed = sign == "GB" and "capacity" in field["name"]  # of memory makers print GB and mean GiB
    if said and ours and said.dimensions == ours.dimensions and said.factor != ours.factor and not is_printed:
        return f"Write {value * said.factor / ours.factor:.6g}: the header counts in {ours.symbol}."
    unit = f": {field['unit']}" if field.get("unit") else ""
    return f"Write {digits} alone; the unit stands in the header{unit}."


NOTHINGS = (
    "nan",
    "na",
    "n/a",
    "none",
    "null",
    "-",
    "?",
    "inf",
    "-inf",
    "infinity",
    "unknown",
    "tbd",
    "tba",
    "--",
    "k.a.",
)
"""What people write for nothing."""
DIGITS = "Write digits and at most one decimal point, nothing between thousands."
LEAVE_OUT = "No row can do without it: leave the row out where it is not known."


def _out_of_range(value: float, field: Mapping[str, Any], low: float, high: float) -> str:
    column, whole = field["name"], field["type"] == "integer"
    if value < 0 < low <= -value <= high and (value.is_integer() or not whole):
        return f"Did you mean {-value:g}?"
    nearest_value = f"The nearest value allowed is {low if value < low else high:g}."
    hint = other_unit(value, column, low, high)
    return f"{nearest_value} {hint}" if hint else nearest_value


def other_unit(value: float, column: str, low: float, high: float) -> str:
    """A hint where the number would be plausible in another size of the column's unit: 34100 GB/s are likely MB/s."""
    unit = units.parse(column)
    if unit is None or not unit.dimensions or value <= 0:
        return ""
    for name in _sizes(unit.text):
        other = units.unit(name)
        converted = value * other.factor / unit.factor
        if low <= converted <= high:
            head = f"{units.stem(column)}_{other.text}"
            return (
                f"If it is in {other.symbol}, name the column {head}: it is converted to {converted:.6g} {unit.symbol}."
            )
    return ""


def _sizes(text: str) -> list[str]:
    """The same unit with the neighbouring prefixes: ``gbyte_per_s`` → ``mbyte_per_s``, ``tbyte_per_s`` and so on."""
    head, *rest = text.split("_per_")
    base = next((word for word in units.PREFIXED if head.endswith(word)), None)
    binary = base is not None and head.removesuffix(base) in units.BINARY
    prefixes = () if base is None else ("mi", "ti", "ki", "") if binary else ("m", "t", "k", "")
    return ["_per_".join([f"{prefix}{base}", *rest]) for prefix in prefixes if f"{prefix}{base}" != head]


def _keys(sheet: Sheet, key: Sequence[str], columns: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Rows whose key of several columns stands there before; a key of one column is the business of ``unique``."""
    if len(key) < 2 or not set(key) <= set(columns):
        return
    first: dict[tuple[str, ...], int] = {}
    for (row, _), cells in zip(sheet.rows, zip(*(columns[name] for name in key), strict=True), strict=True):
        if cells in first:
            wanted = f"{', '.join(key)} together once"
            yield Problem(
                file=sheet.file,
                row=row,
                column=key[0],
                found=repr(cells),
                expected=wanted,
                todo=_again(first[cells]),
            )
        first.setdefault(cells, row)


def _again(row: int) -> str:
    return f"It is in row {row} too: change one of the two, or take it out."


def expected(field: Mapping[str, Any]) -> str:
    """What a cell of this column may hold, in words."""
    limits = field.get("constraints", {})
    kind = KINDS[field["type"]]
    if "enum" in limits:
        kind = "one of " + ", ".join(str(value) for value in limits["enum"])
    if "words" in field:
        kind = "one of " + ", ".join(field["words"]) + ", or another word"
    if "minimum" in limits or "maximum" in limits:
        kind += f" from {limits.get('minimum', '−∞')} to {limits.get('maximum', '∞')}"
    if field.get("unit"):
        kind += f" in {field['unit']}"
    if "pattern" in limits:
        kind += f" that matches {PATTERNS.get(limits['pattern'], limits['pattern'])}"
    kind += "" if limits.get("required") else ", or nothing"
    return kind + (", each value once" if limits.get("unique") else "")


KINDS = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false"}
PATTERNS = {
    "^[a-z0-9]+([.-][a-z0-9]+)*$": "lower-case words and digits joined by hyphens, as iphone-17-pro",
    r"^\d{4}(-\d{2}(-\d{2})?)?$": "a date: 2026, 2026-11 or 2026-11-22",
    r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$": "a date: 2026, 2026-11 or 2026-11-22",
    r"^\d{4}-\d{2}-\d{2}$": "a day: 2026-11-22",
    "^https?://[^\\s\"'<>]+$": "an address beginning with https:// or http://",
}
"""The patterns of the notes, in words."""
