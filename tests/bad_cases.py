"""Inputs that must be refused: what a hurried, an unlucky or a hostile user puts into a data folder, a parameter file, a command.

``CASES`` is the list; ``test_bad_cases`` runs every one, and ``scripts/bad_input_table.py`` prints what each is told.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GOOD = {
    "device_id": "my-phone",
    "name": "My Phone",
    "vendor": "ACME",
    "device_class": "phone",
    "release_date": "2026-11",
    "chip": "A1",
    "memory_bandwidth_gbyte_per_s": "85.3",
    "memory_capacity_gibyte": "16",
    "default_set": "2026",
    "backend": "cpu",
}
SOURCE = {
    "source_id": "mine-2026",
    "publisher": "Mine",
    "title": "My tests",
    "date_published": "2026-11",
    "date_read": "2026-11-22",
    "url": "https://example.org/tests",
    "licence": "CC-BY-4.0",
    "kind": "benchmark",
    "note": "",
}
DECODE = {
    "measurement_id": "mine-1",
    "device": "My PC",
    "memory_bandwidth_gbyte_per_s": "100",
    "model": "LLaMA 7B v2",
    "architecture": "dense",
    "weight_gibyte": "3.56",
    "backend": "CPU",
    "decode_token_per_s": "20",
    "decode_test": "tg128",
    "context_token": "0",
    "n_device": "1",
    "quality": "b",
    "is_fit_candidate": "true",
}


@dataclass(frozen=True)
class Case:
    """One wrong input: its name, files of the data folder, further arguments, and words its message must hold."""

    name: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    folder: bool = True
    params: str | None = None


def table(*rows: Mapping[str, str], delimiter: str = ",") -> bytes:
    """Rows as CSV; the columns are those of the first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def cell(file: str, column: str, value: str, *words: str, row: Mapping[str, str] = GOOD) -> Case:
    """A row that is right but for one cell."""
    place = f"{file}.csv:2:{column}"
    shown = value if value.isprintable() and len(value) < 60 else ascii(value[:40])
    return Case(f"{file}.{column} = {shown!r}", {f"{file}.csv": table({**row, column: value})}, words=(place, *words))


NUMBERS = (
    "-85.3",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1e999",
    "eighty",
    "85,3",
    "1.234,5",
    "1,234",
    "1 234",
    "85.3 GB",
    "0x55",
    "1_000",
    "８５",
    "--5",
    "1e",
    "#DIV/0!",
    "∞",
    "½",
    "85.3.1",
    "1/2",
    "true",
    "[1]",
    "null",
    "n/a",
    "?",
    "-",
    "9" * 400,
)
NUMERIC = ("memory_bandwidth_gbyte_per_s", "memory_capacity_gibyte", "memory_bus_width_bit")
IDS = (
    "../evil",
    "..",
    "a/b",
    "a\\b",
    "C:\\x",
    "/etc/passwd",
    "A-B",
    "a b",
    "a--b",
    "-a",
    "a-",
    "%2e%2e",
    "é",
    "a\nb",
    "<b>",
    "${HOME}",
    "`id`",
    "$(id)",
    "a.",
    "a..b",
    "x" * 3000,
    "a\u200bb",
    "１２",
    "a,b",
)
ACTIVE = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil")',
    "+cmd",
    "-cmd",
    "@SUM(1)",
    "\t=1+1",
    " =1+1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil>",
    "</script><script>alert(1)",
    "<!-- x -->",
    "< script >",
    "<a href=//evil>x</a>",
    "<?php",
    "javascript:alert(1)",
    "JaVaScRiPt : alert(1)",
    "vbscript:msgbox",
    "data:text/html,x",
    "[x](javascript:alert(1))",
    "![x](//evil)",
    "{download}`/etc/passwd`",
    "{eval-rst}`x`",
    "$\\input{/etc/passwd}$",
    "\u202eevil",
    "zero\u200bwidth",
    "bell\x07",
    "two\nlines",
    "\ufefftext",
    "<math><mi>",
)
FORMULAS = (
    "-2+3+cmd|' /C calc'!A0",
    "-1+1",
    "+1+1",
    "-.5+1",
    "-1-1",
    "-1e3*2",
    "-5%",
    "+5 GB",
    "--5",
    "-(1)",
    "+A1",
    "-A1",
    "@A1",
    "@5",
    "==1",
    "=",
    "-",
    "+",
    '"=1+1"',
    "'=1+1",
    "\uff1d1+1",
    "\uff0bcmd",
    "\uff0dcmd",
    "\uff20SUM(1)",
    "\ufe66A1",
    "\ufe62A1",
    "\ufe63A1",
    "\ufe6bA1",
    "\u00a0=1+1",
    "\u3000=1+1",
    'x;=HYPERLINK("http://evil")',
    "x; =1+1",
    "x;+cmd",
    "x;-cmd",
    "x;@SUM(1)",
    "x;-1+1",
    "x;\uff1d1",
    "x\uff1b=1",
    "x,=1+1",
    "x, +cmd",
    'x,"=1+1"',
    "x;'=1+1",
    "x;;=1",
    "1;-2;=3",
)
"""Text that a spreadsheet runs, at its beginning or after what separates cells."""
UNSEEN = {
    "\u2028": "LINE SEPARATOR",
    "\u2029": "PARAGRAPH SEPARATOR",
    "\u061c": "ARABIC LETTER MARK",
    "\u00ad": "SOFT HYPHEN",
    "\u034f": "COMBINING GRAPHEME JOINER",
    "\u115f": "HANGUL CHOSEONG FILLER",
    "\u1160": "HANGUL JUNGSEONG FILLER",
    "\u3164": "HANGUL FILLER",
    "\uffa0": "HALFWIDTH HANGUL FILLER",
    "\u17b4": "KHMER VOWEL INHERENT AQ",
    "\u180e": "MONGOLIAN VOWEL SEPARATOR",
    "\u2800": "BRAILLE PATTERN BLANK",
    "\ufff9": "INTERLINEAR ANNOTATION ANCHOR",
    "\ufe0f": "VARIATION SELECTOR-16",
    "\U000e0100": "VARIATION SELECTOR-17",
    "\U000e0041": "TAG LATIN CAPITAL LETTER A",
    "\U000e007f": "CANCEL TAG",
    "\u200c": "ZERO WIDTH NON-JOINER",
    "\u200d": "ZERO WIDTH JOINER",
    "\u200e": "LEFT-TO-RIGHT MARK",
    "\u2060": "WORD JOINER",
    "\u2066": "LEFT-TO-RIGHT ISOLATE",
    "\u206a": "INHIBIT SYMMETRIC SWAPPING",
    "\ue000": "U+E000",
    "\uf8ff": "U+F8FF",
    "\U000f0000": "U+F0000",
    "\u0378": "U+0378",
    "\ufdd0": "U+FDD0",
    "\U0001d173": "MUSICAL SYMBOL BEGIN BEAM",
    "\x85": "U+0085",
    "\x0b": "U+000B",
    "\x1f": "U+001F",
}
"""Signs that show nothing, or nothing known, and what their message calls them."""
FILE_NAMES = ("con", "nul", "aux", "prn", "com1", "lpt9", "com0", "con.x", "nul.tar.gz")
"""Ids that a system keeps for itself."""
URLS = (
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://example.org",
    "//example.org",
    "http:/example.org",
    "https://example.org/a b",
    'https://example.org/" onclick="x',
    "file:///etc/passwd",
    "example.org",
    "https://<b>",
    "https://example.org/\u202e",
)
DATES = (
    "2026-13",
    "2026-02-30",
    "2026-00",
    "26-01-01",
    "2026/11/22",
    "22.11.2026",
    "yesterday",
    "2026-1",
    "２０２６",
    "20261122",
)


def cells() -> Iterator[Case]:
    """One wrong cell in a row that is right."""
    for column in NUMERIC:
        yield from (cell("devices", column, value) for value in NUMBERS)
    yield cell("devices", "memory_capacity_gibyte", "", "nothing", "a number")
    yield cell("devices", "memory_capacity_gibyte", "0", "nearest value allowed is 1")
    yield cell("devices", "memory_bus_width_bit", "128.5", "a whole number")
    yield cell("devices", "memory_bandwidth_gbyte_per_s", "85300", "name the column memory_bandwidth_mbyte_per_s")
    yield cell("devices", "memory_capacity_gibyte", "16384", "memory_capacity_mibyte")
    for value in ("phon", "Phone", "PHONE", "mobile", "phone,tablet"):
        yield cell("devices", "device_class", value, "one of phone")
    yield cell("devices", "device_class", "labtop", "Did you mean 'laptop'")
    for column, value in (
        ("confidence", "sure"),
        ("default_set", "2025"),
        ("memory_type", "LPDDR 5X"),
        ("memory_type", "ddr5"),
    ):
        yield cell("devices", column, value, "one of")
    for value in IDS:
        yield cell("devices", "device_id", value)
    for column in ("name", "note"):
        yield from (cell("devices", column, value) for value in ACTIVE)
    for value in FORMULAS:
        yield cell("devices", "note", value, "plain text", "remove the leading")
    yield from (cell("devices", column, FORMULAS[0], "plain text") for column in ("vendor", "chip", "storage_type"))
    yield cell("sources", "title", FORMULAS[0], "plain text", row=SOURCE)
    yield cell("sources", "url", "https://example.org/;=1+1", "plain text", row=SOURCE)
    for sign, called in UNSEEN.items():
        yield cell("devices", "name", f"My{sign}Phone", called, "plain characters")
    for value in FILE_NAMES:
        yield cell("devices", "device_id", value, "Systems keep the name", f"{value}-1")
    yield cell("models", "model_id", "nul", "Systems keep the name", row={"model_id": "nul"})
    yield cell("devices", "device_id", "y" * 81, "at most 80 characters, not 81")
    yield cell("devices", "device_id", "My-Phone", "Did you mean 'my-phone'")
    for column in ("vendor", "chip", "storage_type"):
        yield from (cell("devices", column, value) for value in ACTIVE[:8:3])
    yield cell("devices", "note", "x" * 200_000, "200000 characters", "at most")
    yield from (cell("devices", "release_date", value) for value in DATES)
    yield from (cell("sources", "url", value, row=SOURCE) for value in URLS)
    yield from (cell("sources", "date_read", value, row=SOURCE) for value in ("2026-11", "2026-02-30", "today"))
    yield cell("sources", "kind", "blog", "one of", row=SOURCE)
    yield cell("devices", "name", "Phone {pro}", "without { and }")
    yield cell("models", "is_moe", "maybe", "true or false", row={"model_id": "llama-7b"})
    yield cell(
        "chip_generations", "chip_pattern", "(unclosed", "a regular expression", row={"generation_id": "nvidia-kepler"}
    )
    yield cell("chip_generations", "chip_pattern", "(a+)+b", "never end", row={"generation_id": "nvidia-kepler"})


def relations() -> Iterator[Case]:
    """Rows that contradict one another, another table, or physics."""
    yield cell("devices", "source_id", "nowhere", "an id in sources.csv")
    yield cell("devices", "source_id", "jedec-lpddr5-2018", "an id in sources.csv", "Did you mean 'jedec-lpddr5-2019'")
    yield cell("devices", "second_source_id", "nowhere", "an id in sources.csv")
    yield Case(
        "the same id twice",
        {"devices.csv": table(GOOD, GOOD)},
        words=("devices.csv:3:device_id", "each value once", "row 2"),
    )
    rate = {**GOOD, "memory_data_rate_mtransfer_per_s": "9600", "memory_bus_width_bit": "64"}
    yield Case(
        "bandwidth 10 % off", {"devices.csv": table(rate)}, words=("devices.csv:2", "data rate × bus width / 8 = 76.8")
    )
    alone = {"device_id": "iphone-14", "memory_bandwidth_gbyte_per_s": "273"}
    limit = {"limit_id": "macos-from-16", "limit_share": "0.6"}
    ordered = ("memory_limits.csv:2:limit_share", "at least low_share, 0.6669", "Order them")
    yield Case("a limit below its own lower end", {"memory_limits.csv": table(limit)}, words=ordered)
    yield Case("bandwidth changed alone", {"devices.csv": table(alone)}, words=("devices.csv:2", "within 2%", "NA"))
    fast = {**DECODE, "decode_token_per_s": "60"}
    yield Case(
        "faster than the memory",
        {"measurements_decode.csv": table(fast)},
        words=(":2:decode_token_per_s", "at most 26"),
    )
    above = {
        "measurement_id": "mine",
        "chip": "X",
        "unit_kind": "cpu",
        "datasheet_gbyte_per_s": "50",
        "measured_gbyte_per_s": "80",
        "operation": "triad",
        "quality": "a",
    }
    yield Case(
        "above the datasheet",
        {"measurements_bandwidth.csv": table(above)},
        words=(":2:measured_gbyte_per_s", "datasheet"),
    )
    drive = {
        "measurement_id": "mine",
        "measurement_kind": "decode",
        "device": "X",
        "storage_read_gbyte_per_s": "2",
        "weight_gbyte": "4",
        "token_per_s": "5",
        "resident_share": "0",
        "quality": "a",
    }
    yield Case(
        "faster than the drive", {"measurements_storage.csv": table(drive)}, words=(":2:token_per_s", "explained_by")
    )
    kept = {
        "disagreement_id": "mine",
        "table": "devices",
        "row_id": "iphone-14",
        "column": "chip",
        "value": "A",
        "source_id": "apple-iphone-14",
        "kept": "true",
        "reason": "x",
    }
    yield Case("two kept values", {"disagreements.csv": table(kept, {**kept, "value": "B"})}, words=("exactly one",))
    yield Case(
        "a new row without what it needs",
        {"devices.csv": b"device_id,name\niphone14,x\n"},
        words=("'iphone-14'", ":2:device_id", "without vendor"),
    )
    mega = {**{k: v for k, v in GOOD.items() if "bandwidth" not in k}, "memory_bandwidth_mbyte_per_s": "9e9"}
    yield Case(
        "a converted number too large",
        {"devices.csv": table(mega)},
        words=("'9e9'", "9000000 in memory_bandwidth_gbyte_per_s"),
    )


def headers() -> Iterator[Case]:
    """Columns missing, unknown, in a unit that is none, twice."""
    wrong = {
        "memory_bandwidth": "its unit in its name",
        "memory_bandwidth_gbps": "gbyte_per_s",
        "memory_bandwidth_gbyte": "the unit gbyte",
        "memory_bandwith_gbyte_per_s": "memory_bandwidth_gbyte_per_s",
        "bandwidth": "memory_bandwidth_gbyte_per_s",
        "memory_capacity_gbyte_per_s": "a unit like that of",
        "memory_capacity_gb": "memory_capacity_gibyte",
        "price_usd": "the columns",
        "x" * 5000: "the columns",
        "<script>": "the columns",
        "=cmd": "the columns",
        "constructor": "the columns",
        "memory_capacity_parsec": "memory_capacity_gibyte",
    }
    for name, word in wrong.items():
        yield Case(
            f"column {name[:40]!r}",
            {"devices.csv": f"device_id,{name}\niphone-14,1\n".encode()},
            words=("devices.csv:1", word),
        )
    yield Case("no key", {"devices.csv": b"name\nx\n"}, words=("no column 'device_id'", "memory-wall template devices"))
    yield Case(
        "a column twice",
        {"devices.csv": b"device_id,name,name\niphone-14,a,b\n"},
        words=("devices.csv:1:name", "twice"),
    )
    two = b"device_id,memory_capacity_gibyte,memory_capacity_gbyte\niphone-14,6,6\n"
    yield Case("a quantity twice", {"devices.csv": two}, words=("beside 'memory_capacity_gibyte'",))
    yield Case(
        "a column without a name", {"devices.csv": b"device_id,,name\niphone-14,a,b\n"}, words=("without a name",)
    )
    yield Case("rows without a header", {"devices.csv": table(GOOD).split(b"\n")[1] + b"\n"}, words=("the columns",))
    yield Case(
        "whole, columns missing",
        {"devices.whole.csv": b"device_id,name\na,b\n"},
        words=("devices.whole.csv:2:device_id", "without vendor"),
    )


def files() -> Iterator[Case]:
    """Files that are no table of the book."""
    good = table(GOOD)
    contents: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "an empty file"),
        "only blanks": (b"\n \n\n", "an empty file"),
        "only comments": (b"# a\n# b\n", "an empty file"),
        "Latin-1": ("device_id,name\niphone-14,Café\n".encode("latin-1"), "not UTF-8"),
        "UTF-16": (good.decode().encode("utf-16"), "UTF-16"),
        "UTF-16 big-endian": (b"\xfe\xff" + good.decode().encode("utf-16-be"), "UTF-16"),
        "a NUL byte": (b"device_id,name\na,b\0c\n", "NUL"),
        "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "NUL"),
        "half a character": (b"device_id,name\niphone-14,\xe2\x82\n", "not UTF-8"),
        "an open quotation mark": (b'device_id,name\niphone-14,"x\n', "quotation mark"),
        "a stray quotation mark": (b'device_id,name\niphone-14,"a"b\n', "quotation mark"),
        "a cell too few": (b"device_id,name\niphone-14\n", "1 cells"),
        "a cell too many": (b"device_id,name\niphone-14,a,b\n", "3 cells"),
        "a decimal comma shifts": (b"device_id,memory_capacity_gibyte\nx,6,5\n", "point"),
        "thousands": (b"device_id;memory_capacity_gibyte\niphone-14;1,024\n", "1.024 or 1024"),
        "HTML": (b"<!DOCTYPE html><p>404</p>", "the columns"),
        "JSON": (b'[{"device_id": 1}]', "'device_id'"),
        "1000 wrong rows": (table(*({**GOOD, "device_id": f"X{n}"} for n in range(1000))), "980 more"),
    }
    for name, (content, word) in contents.items():
        yield Case(f"file: {name}", {"devices.csv": content}, words=("devices.csv", word))
    names = {
        "device.csv": "Did you mean 'devices'",
        "Devices.csv": "Did you mean 'devices'",
        "prices.csv": "a known table",
        "devices.xls": "one of .csv",
        "devices.ods": "one of .csv",
        "devices.json": "one of .csv",
        "devices.txt": "one of .csv",
        "devices": "one of .csv",
    }
    for name, word in names.items():
        yield Case(f"file name {name}", {name: good}, words=(name, word))
    yield Case("two files for one table", {"devices.csv": good, "devices.whole.csv": good}, words=("a second time",))
    for name, content in (
        ("text", good),
        ("an empty ZIP", b"PK\5\6" + b"\0" * 18),
        ("half a ZIP", b"PK\3\4" + b"\0" * 40),
        ("nothing", b""),
    ):
        yield Case(f"XLSX: {name}", {"devices.xlsx": content}, words=("devices.xlsx", "a workbook that can be read"))
    for name, content in (("text", good), ("half", b"PAR1\0\0PAR1"), ("nothing", b"")):
        yield Case(f"Parquet: {name}", {"devices.parquet": content}, words=("devices.parquet", "a Parquet file"))


def workbooks() -> Iterator[Case]:
    """XLSX files that open and are wrong."""
    yield Case(
        "XLSX: unknown sheet",
        {"mine.xlsx": workbook("Tabelle1", GOOD)},
        words=("sheet 'Tabelle1'", "named for a table"),
    )
    formula = {**GOOD, "memory_capacity_gibyte": "=8*2"}
    yield Case(
        "XLSX: formula without result",
        {"devices.xlsx": workbook("devices", formula)},
        words=("a formula without a result in H2",),
    )
    yield Case(
        "XLSX: text in a number",
        {"devices.xlsx": workbook("devices", {**GOOD, "memory_capacity_gibyte": "six"})},
        words=("devices.xlsx:2",),
    )
    script = {**GOOD, "name": "<script>alert(1)</script>"}
    yield Case(
        "XLSX: script", {"any.xlsx": workbook("devices", script)}, words=("any.xlsx[devices]:2:name", "plain text")
    )
    yield Case("XLSX: empty", {"devices.xlsx": workbook("devices", {})}, words=("an empty sheet",))


def workbook(title: str, row: Mapping[str, str]) -> bytes:
    """A workbook with one sheet of one row."""
    import openpyxl

    book, out = openpyxl.Workbook(), io.BytesIO()
    page = book.active
    page.title = title
    if row:
        page.append(list(row))
        page.append(list(row.values()))
    book.save(out)
    return out.getvalue()


SETTINGS = (
    "reading_speed_word_per_min=-5",
    "reading_speed_word_per_min=0",
    "reading_speed_word_per_min=1e999",
    "reading_speed_word_per_min=nan",
    "reading_speed_word_per_min=fast",
    "reading_speed_word_per_min=250,5",
    "reading_speed_word_per_min=yes",
    "reading_speed_word_per_min=1:30",
    "reading_speed_word_per_min=[1]",
    "reading_speed_word_per_min=",
    "reading_sped=1",
    "no_such=1",
    "nonsense",
    "=1",
    "bandwidth_share=1.5",
    "bandwidth_share=50%",
    "context_token=2.5",
    "context_token=0x10",
    "context_token=" + "9" * 5000,
    "edition=November",
    "edition=../2026",
    "edition_date=2026-13-45",
    "edition_date=tomorrow",
    "reference_model=llama-8b",
    "reference_model=../x",
    "reference_model=<b>",
    "title=<script>alert(1)</script>",
    "title={eval-rst}`x`",
    "title=" + "x" * 101,
    "title=",
    "title=\u202ex",
    "title==1+1",
    "title=-1+1",
    "title=+cmd|' /C calc'!A0",
    "title=@SUM(1)",
    "title=\uff1d1",
    "title=x;=1",
    "title=a\u2028b",
    "title=a\u00adb",
    "title=a\U000e0041b",
    "title=a\u3164b",
    "reference_model=con",
)
YAMLS = {
    "empty": "",
    "a list": "- 1\n",
    "a number": "42\n",
    "a name twice": "token_per_word: 2\ntoken_per_word: 3\n",
    "a reference": "a: &a [1]\nb: *a\n",
    "many references": "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "a Python object": "!!python/object/apply:os.system [ls]\n",
    "an open bracket": "a: [\n",
    "deep": "[" * 5000,
    "a tab": "a:\n\tb: 1\n",
    "NUL": "a: \0\n",
    "yes": "token_per_word: yes\n",
    "an edition without quotation marks": "edition: 2026.10\n",
    "no value": "token_per_word:\n",
    "an unknown name": "tokens_per_word: 2\n",
    "no key": "? [a]\n: 1\n",
    "a merge": "<<: {token_per_word: 2}\n",
    "a unit": "token_per_word: 2 tokens\n",
    "a mapping": "token_per_word: {a: 1}\n",
    "huge": "a: " + "x" * 200_000,
    "an infinity": "token_per_word: .inf\n",
    "a formula": "title: '=1+1'\n",
    "a formula after a separator": "title: 'x;=1+1'\n",
    "a line separator": "title: 'a\u2028b'\n",
    "an underscore": "context_token: 1_000\n",
}


def arguments() -> Iterator[Case]:
    """Parameters and folders that are wrong."""
    for setting in SETTINGS:
        name = setting.split("=")[0] if "=" in setting and not setting.startswith("=") else "--set"
        yield Case(f"--set {setting[:60]!r}", arguments=("--set", setting), words=(name,), folder=False)
    for name, text in YAMLS.items():
        yield Case(
            f"YAML: {name}",
            params=text,
            words=("params.yml",) if name not in ("yes",) else ("YAML reads yes",),
            folder=False,
        )
    yield Case(
        "--params: no such file",
        arguments=("--params", "nowhere.yml"),
        words=("nowhere.yml", "a readable YAML file"),
        folder=False,
    )
    yield Case("--params: a folder", arguments=("--params", "."), words=("a readable YAML file",), folder=False)
    yield Case(
        "--data: no such folder", arguments=("--data", "nowhere"), words=("nowhere", "no such folder"), folder=False
    )
    yield Case("--data: a file", arguments=("--data", "pyproject.toml"), words=("a folder of tables",), folder=False)
    yield Case("--title: a formula", arguments=("--title", "-1+1"), words=("title", "remove the leading"), folder=False)
    yield Case("--title: a tag", arguments=("--title", "a\U000e0041"), words=("title", "TAG LATIN"), folder=False)
    yield Case(
        "--params: a device",
        arguments=("--params", "/dev/zero"),
        words=("a device", "a readable YAML file"),
        folder=False,
    )
    yield Case("--title: HTML", arguments=("--title", "<b>x</b>"), words=("title",), folder=False)


CASES = [*cells(), *relations(), *headers(), *files(), *workbooks(), *arguments()]


def laid_out(case: Case, folder: Path) -> list[str]:
    """Put the case on the disk; the arguments that name it."""
    given = list(case.arguments)
    if case.folder:
        mine = folder / "mine"
        mine.mkdir()
        for name, content in case.files.items():
            (mine / name).write_bytes(content)
        given += ["--data", str(mine)]
    if case.params is not None:
        (folder / "params.yml").write_text(case.params, encoding="utf-8")
        given += ["--params", str(folder / "params.yml")]
    return given
