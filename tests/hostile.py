"""Heavy and special inputs: each must end with a message within 10 s and 1 GB.  ``python -m tests.hostile`` prints what each took.

``CASES`` holds a name, what makes the input in an empty folder, the arguments, and words its message must hold.  Those that
are ``light`` are also a test.  Waiting for a silent pipe takes seconds and next to no work; work is what CPU-seconds count.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bad_cases import GOOD, table
from tests.conftest import ROOT

LIMIT_S, LIMIT_BYTE = 10.0, 10**9
MIB = 2**20
CHECK, PREDICT = ("check", "--data", "{folder}"), ("predict", "{folder}/x.csv")
WRONG = 2
Maker = Callable[[Path], object]


@dataclass(frozen=True)
class Hostile:
    """One hostile input: ``{folder}`` in the arguments is the folder it was made in; ``shell`` stands before the command."""

    name: str
    make: Maker
    arguments: tuple[str, ...] = CHECK
    words: tuple[str, ...] = ()
    code: int = WRONG
    light: bool = False
    given: str = ""


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, what it said, wall-clock and CPU seconds, and the most memory it held."""

    code: int
    said: str
    wall_s: float
    cpu_s: float
    byte: int


def run(case: Hostile, folder: Path, timeout_s: float = 120.0) -> Ended:
    """Make the input and run the command on it, in a process whose work is measured."""
    _make(case, folder)
    arguments = [part.format(folder=folder) for part in case.arguments]
    command = [sys.executable, "-m", "analysis", *arguments]
    if case.given:
        command = ["bash", "-c", f'{case.given.format(folder=folder)} | exec "$@"', "-", *command]
    start = time.monotonic()
    with (folder.parent / "said").open("w+b") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
        alarm = signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(int(timeout_s))
        _, status, used = os.wait4(process.pid, 0)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return Ended(
        process.returncode, text, time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    )


def _make(case: Hostile, folder: Path) -> None:
    """Make the input in a process of its own: a child begins with the memory its parent held, and would be blamed for it."""
    maker = os.fork()
    if not maker:
        try:
            case.make(folder)
        finally:
            os._exit(0)
    os.waitpid(maker, 0)


# --------------------------------------------------------------------------------------------------------------- makers


def writes(name: str, content: bytes) -> Maker:
    """A file with this content."""
    return lambda folder: (folder / name).write_bytes(content)


def repeats(name: str, head: bytes, part: bytes, count: int, tail: bytes = b"") -> Maker:
    """A file of many equal parts, made when it is needed."""
    return lambda folder: (folder / name).write_bytes(head + part * count + tail)


def pipe(name: str) -> Maker:
    """A pipe nobody writes into."""

    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)

    return make


def link(name: str, target: str) -> Maker:
    """A symbolic link."""
    return lambda folder: (folder / name).symlink_to(target)


def sparse(name: str, byte: int) -> Maker:
    """A file that says it is large and holds nothing."""

    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        with (folder / name).open("wb") as file:
            file.truncate(byte)

    return make


def many(count: int) -> Maker:
    """As many files of one row each."""

    def make(folder: Path) -> None:
        for number in range(count):
            (folder / f"devices.part{number}.csv").write_bytes(table({**GOOD, "device_id": f"d{number}"}))

    return make


TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BOOK = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATED}"><sheets><sheet name="devices" sheetId="1" r:id="r1"/></sheets></workbook>'
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>device_id</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'


def reference(number: int, kind: str, target: str) -> str:
    """A reference from one part of a workbook to another."""
    return f'<Relationship Id="r{number}" Type="{RELATED}/{kind}" Target="{target}"/>'


def archive(parts: dict[str, str | bytes]) -> Maker:
    """A workbook of these parts."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / "devices.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for name, content in parts.items():
                file.writestr(name, content)

    return make


def workbook(rows: str | bytes, *, strings: str = "", styles: str = "", before: str = "") -> Maker:
    """A workbook whose sheet holds these rows after a header, or these bytes as they are."""
    sheet = rows if isinstance(rows, bytes) else f'{before}<worksheet xmlns="{MAIN}"><sheetData>{HEADER}{rows}'
    whole = (
        sheet if isinstance(sheet, bytes) else sheet + ("" if "</sheetData>" in sheet else "</sheetData></worksheet>")
    )
    targets = reference(1, "worksheet", "worksheets/s.xml") + reference(2, "sharedStrings", "strings.xml")
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS.format(reference(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS.format(targets + reference(3, "styles", "styles.xml")),
        "xl/strings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        "xl/worksheets/s.xml": whole,
    }
    return archive(parts)


def later(make: Callable[[], Maker]) -> Maker:
    """A maker whose large texts are put together only when it runs."""

    def whole(folder: Path) -> None:
        make()(folder)

    return whole


def text_cell(place: str, value: str) -> str:
    """A cell of text."""
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


def crowded_archive(folder: Path) -> None:
    """An archive of a very large number of empty files."""
    with zipfile.ZipFile(folder / "devices.xlsx", "w") as file:
        for number in range(30_000):
            file.writestr(f"{number}", b"")


def lying_archive(folder: Path) -> None:
    """An archive whose sheet unpacks to more than it says."""
    workbook(f'<row r="2">{text_cell("A2", "a" * MIB)}</row>')(folder)
    path = folder / "devices.xlsx"
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\1\2")
    content[at + 24 : at + 28] = struct.pack("<L", 100)
    path.write_bytes(content)


def parquet(select: str, options: str = "") -> Maker:
    """What a query selects, as Parquet."""

    def make(folder: Path) -> None:
        import duckdb

        with duckdb.connect() as base:
            base.execute(f"COPY ({select}) TO '{folder}/devices.parquet' (FORMAT parquet{options})")

    return make


def constants(count: int) -> str:
    """Columns that hold one value each."""
    return ", ".join(f"{number} AS c{number}" for number in range(count))


# ---------------------------------------------------------------------------------------------------------------- cases


def special() -> Iterator[Hostile]:
    """What is no regular file, where tables and parameters are looked for."""
    file = ("a regular file", "copy of the file")
    yield Hostile(
        "data: a pipe called as a table", pipe("devices.csv"), words=("devices.csv", "a pipe", *file), light=True
    )
    yield Hostile("data: a pipe in notes", pipe("notes/x"), words=("found no table",))
    yield Hostile(
        "data: a pipe of another name", pipe("other"), words=("found no table", "other", "no file but a pipe")
    )
    yield Hostile(
        "data: a link to an endless device", link("devices.csv", "/dev/zero"), words=("a device", *file), light=True
    )
    yield Hostile(
        "data: a link to nothing", link("devices.csv", "nowhere"), words=("a link to nothing", *file), light=True
    )
    yield Hostile("data: a link to itself", link("devices.csv", "devices.csv"), words=("devices.csv", *file))
    yield Hostile(
        "data: a folder called as a table", lambda folder: (folder / "devices.csv").mkdir(), words=("a folder", *file)
    )
    yield Hostile(
        "data: 5 GB of nothing", sparse("devices.csv", 5 * 10**9), words=("4,768 MiB", "at most 50 MiB"), light=True
    )
    yield Hostile("data: 5 GB of nothing, XLSX", sparse("devices.xlsx", 5 * 10**9), words=("at most 50 MiB",))
    yield Hostile("data: 5 GB of nothing, Parquet", sparse("devices.parquet", 5 * 10**9), words=("at most 50 MiB",))
    yield Hostile("data: 5 GB in notes", sparse("notes/x", 5 * 10**9), words=("found no table",))
    yield Hostile("data: 3,000 files", many(3_000), words=("more than 2,000 entries",))
    yield Hostile("data: 201 files", many(201), words=("201 files", "at most 200", "Join the files"), light=True)
    yield Hostile("data: 200 files", many(200), words=("sound",), code=0)
    yield Hostile(
        "data: a device", lambda folder: None, ("check", "--data", "/dev/zero"), ("a device", "a folder of tables")
    )
    for name, source in (("zero", "/dev/zero"), ("random", "/dev/urandom"), ("null", "/dev/null")):
        yield Hostile(
            f"params: /dev/{name}",
            lambda folder: None,
            ("check", "--params", source),
            ("a device", "a readable YAML file"),
            light=name == "zero",
        )
        yield Hostile(
            f"predict: /dev/{name}",
            lambda folder: None,
            ("predict", source),
            ("a device", "a pipe or standard input"),
            light=name == "zero",
        )
    yield Hostile(
        "params: a silent pipe", pipe("p"), ("check", "--params", "{folder}/p"), ("none for 7 s", "Write it to a file")
    )
    yield Hostile(
        "predict: a silent pipe", pipe("p"), ("predict", "{folder}/p"), ("none for 7 s", "Write it to a file")
    )
    yield Hostile(
        "params: 5 GB of nothing",
        sparse("p", 5 * 10**9),
        ("check", "--params", "{folder}/p"),
        ("at most 100,000 bytes",),
    )
    yield Hostile(
        "predict: 5 GB of nothing",
        sparse("p", 5 * 10**9),
        ("predict", "{folder}/p"),
        ("at most 1,024 MiB",),
        light=True,
    )
    yield Hostile(
        "predict: 1 GB of nothing", sparse("p", 10**9), ("predict", "{folder}/p"), ("a line of more than 1 MiB",)
    )
    yield Hostile(
        "predict: a folder",
        lambda folder: None,
        ("predict", "{folder}"),
        ("a folder", "a pipe or standard input"),
        light=True,
    )
    yield Hostile("predict: a link to nothing", link("p", "nowhere"), ("predict", "{folder}/p"), ("a link to nothing",))
    yield Hostile(
        "params: an endless pipe",
        lambda folder: None,
        ("check", "--params", "/dev/stdin"),
        ("at most 100,000 bytes",),
        given="yes",
    )
    yield Hostile(
        "params: a dripping pipe",
        lambda folder: None,
        ("check", "--params", "-"),
        ("none for 7 s",),
        given="while sleep 1; do echo a; done",
    )
    yield Hostile(
        "predict: an endless pipe", lambda folder: None, ("predict", "-"), ("at most 1,024 MiB",), given="yes"
    )
    yield Hostile(
        "predict: an endless line",
        lambda folder: None,
        ("predict", "-"),
        ("expected",),
        given="head -c 900000000 /dev/zero",
    )


ROW = '<row r="{row}"><c r="{place}"><v>1</v></c></row>'


def workbooks() -> Iterator[Hostile]:
    """XLSX files: far corners, bombs, damage."""
    beyond = ("a row from 1 to 1,048,576",)
    far = f'<row r="1048576">{text_cell("XFD1048576", "far")}</row>'
    yield Hostile(
        "XLSX: text in the last cell", workbook(far), words=("XFD1048576", "at most 500 columns", "'far'"), light=True
    )
    yield Hostile(
        "XLSX: text in the last row",
        workbook(f'<row r="1048576">{text_cell("A1048576", "x")}</row>'),
        words=(":1048576:",),
    )
    yield Hostile(
        "XLSX: text at Z100000",
        workbook(f'<row r="100000">{text_cell("Z100000", "x")}</row>'),
        words=("26 cells; expected 2",),
    )
    yield Hostile(
        "XLSX: a format in the last cell",
        workbook('<row r="1048576"><c r="XFD1048576" s="0"/></row>'),
        words=("devices, nothing new",),
        code=0,
        light=True,
    )
    merged = '</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    yield Hostile("XLSX: everything merged", workbook(merged), words=("devices, nothing new",), code=0, light=True)
    yield Hostile(
        "XLSX: a row beyond the end",
        workbook(ROW.format(row=99999999999, place="A99999999999")),
        words=beyond,
        light=True,
    )
    yield Hostile("XLSX: a row of many digits", workbook(ROW.format(row="9" * 6000, place="A2")), words=beyond)
    yield Hostile(
        "XLSX: a cell beyond the end", workbook(ROW.format(row=2, place="ZZZ2")), words=("a cell within the sheet",)
    )
    yield Hostile("XLSX: a cell of no name", workbook(ROW.format(row=2, place="2A")), words=("a cell called like B2",))
    yield Hostile(
        "XLSX: a cell twice",
        workbook('<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
        words=("A2 twice",),
        light=True,
    )
    yield Hostile(
        "XLSX: a row of a million cells",
        later(lambda: workbook(f'<row r="2">{"<c><v>1</v></c>" * 1_000_000}</row>')),
        words=("expected",),
    )
    yield Hostile(
        "XLSX: 45 MB of empty cells",
        later(lambda: workbook(f'<row r="2">{"<c/>" * 11_000_000}</row>')),
        words=("parts",),
    )
    yield Hostile("XLSX: 45 MB of empty rows", later(lambda: workbook("<row/>" * 7_500_000)), words=("parts",))
    yield Hostile("XLSX: 2 million empty rows", later(lambda: workbook("<row/>" * 2_000_000)), words=("a row from 1",))
    yield Hostile("XLSX: 190 MB of spaces", later(lambda: workbook(" " * 190 * MIB)), words=("at most 50 MiB",))
    yield Hostile(
        "XLSX: 45 MB in one cell",
        later(lambda: workbook(f'<row r="2">{text_cell("A2", "x" * 45 * MIB)}</row>')),
        words=("expected",),
    )
    yield Hostile(
        "XLSX: 45 MB in one attribute", later(lambda: workbook(f'<row r="{"1" * 45 * MIB}"/>')), words=("row",)
    )
    yield Hostile(
        "XLSX: 1.4 million attributes",
        later(lambda: workbook("<row " + " ".join(f'a{n}=""' for n in range(1_400_000)) + "/>")),
        words=("sound",),
        code=0,
    )
    yield Hostile("XLSX: nested without end", later(lambda: workbook("<a>" * 1_500_000)), words=("64 deep",))
    yield Hostile(
        "XLSX: a million shared texts",
        later(lambda: workbook("", strings="<si><t>x</t></si>" * 1_000_000)),
        words=("sound",),
        code=0,
    )
    yield Hostile(
        "XLSX: 9 million shared texts", later(lambda: workbook("", strings="<si/>" * 9_000_000)), words=("parts",)
    )
    yield Hostile(
        "XLSX: 400,000 styles",
        later(lambda: workbook("", styles=f"<cellXfs>{'<xf/>' * 400_000}</cellXfs>")),
        words=("sound",),
        code=0,
    )
    yield Hostile(
        "XLSX: entities in entities", workbook("", before=LAUGHS), words=("a document type declaration",), light=True
    )
    yield Hostile(
        "XLSX: a file as an entity",
        workbook("", before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        words=("a document type declaration",),
    )
    yield Hostile("XLSX: 30,000 files", crowded_archive, words=("an archive of very many files",))
    yield Hostile("XLSX: says less than it holds", lying_archive, words=("no workbook",))
    yield Hostile("XLSX: no XML", workbook(b"PNG"), words=("no workbook (XML",))
    yield Hostile("XLSX: cut off", workbook(b"<worksheet><sheetData>"), words=("no workbook (XML",))
    yield Hostile(
        "XLSX: a text that is not there",
        workbook('<row r="2"><c r="A2" t="s"><v>7</v></c></row>'),
        words=("stored in A2",),
        light=True,
    )
    yield Hostile(
        "XLSX: a style that is not there",
        workbook('<row r="2"><c r="A2" s="7"><v>7</v></c></row>', styles="<cellXfs><xf/></cellXfs>"),
        words=("stored in A2",),
    )
    yield Hostile(
        "XLSX: a number that is none", workbook('<row r="2"><c r="A2"><v>seven</v></c></row>'), words=("stored in A2",)
    )
    yield Hostile(
        "XLSX: a day that is none",
        workbook('<row r="2"><c r="A2" t="d"><v>2026-02-30</v></c></row>'),
        words=("stored in A2",),
    )
    solved = "".join(f'<row r="{row}"><c r="A{row}"><f>A1</f></c></row>' for row in range(2, 100_000))
    yield Hostile(
        "XLSX: 100,000 formulas without results",
        workbook(solved),
        words=("a formula without a result in A2", "980 more"),
    )


def csvs() -> Iterator[Hostile]:
    """CSV files that are large in one way or another."""
    head = b"device_id,name\n"
    yield Hostile(
        "CSV: 49 MB of line ends", repeats("devices.csv", head, b"\n", 49 * MIB), words=("more than 1,000,000 lines",)
    )
    yield Hostile(
        "CSV: 49 MB of line ends before the header",
        repeats("devices.csv", b"", b"\n", 49 * MIB, head),
        words=("an empty file",),
    )
    yield Hostile(
        "CSV: 49 MB of comments", repeats("devices.csv", head, b"#\n", 24 * MIB), words=("more than 1,000,000 lines",)
    )
    yield Hostile(
        "CSV: 49 MB of commas",
        repeats("devices.csv", b"", b",", 49 * MIB),
        words=("devices.csv:1", "characters or 1,000 lines"),
    )
    yield Hostile(
        "CSV: 49 MB of commas below a header", repeats("devices.csv", head, b",", 49 * MIB), words=("expected",)
    )
    yield Hostile(
        "CSV: 49 MB of quotation marks", repeats("devices.csv", head, b'"', 49 * MIB), words=("quotation mark",)
    )
    yield Hostile(
        "CSV: an open quotation mark, 49 MB",
        repeats("devices.csv", head + b'a,"', b"x\n", 24 * MIB),
        words=("quotation mark",),
    )
    yield Hostile(
        "CSV: one cell of 49 MB", repeats("devices.csv", head + b"a,", b"x", 49 * MIB), words=("quotation mark",)
    )
    yield Hostile(
        "CSV: 12 million rows", repeats("devices.csv", head, b"a,b\n", 12 * MIB), words=("more than 50,000 rows of 2",)
    )
    yield Hostile(
        "CSV: 24 million short rows",
        repeats("devices.csv", head, b"a\n", 24 * MIB),
        words=("more than 50,000 rows",),
    )
    yield Hostile(
        "CSV: 40,000 columns",
        lambda folder: (folder / "devices.csv").write_bytes(b",".join(b"c%d" % n for n in range(40_000)) + b"\n"),
        words=("40,000 columns", "at most 500"),
        light=True,
    )
    yield Hostile(
        "CSV: 49 MB that are not UTF-8", repeats("devices.csv", head, b"\xff\n", 24 * MIB), words=("not UTF-8",)
    )
    yield Hostile(
        "CSV: 49 MB of emoji", repeats("devices.csv", head + b"a,", "😀".encode(), 12 * MIB), words=("expected",)
    )
    yield Hostile("CSV: 51 MB", repeats("devices.csv", head, b"a,b\n", 13 * MIB), words=("52 MiB", "at most 50 MiB"))
    yield Hostile("CSV: 40 MB of rows that are right", rows_that_are_right, words=("expected",))
    yield Hostile("CSV: 30,000 rows with words misspelt", misspelt, words=("Did you mean 'laptop'", "29980 more"))
    yield Hostile("CSV: 20,000 rows of unknown sources", unknown_sources, words=("an id in sources.csv", "19980 more"))
    yield Hostile(
        "CSV: 30,000 rows that lack something", lacking, words=("A row that is added needs all of these", "29980 more")
    )
    yield Hostile("CSV: more cells in all than are read", many_cells, words=("in all tables",))
    yield Hostile("CSV: every file at its largest", several_large, words=("at most 200 MiB of tables",))


def _rows(folder: Path, count: int, row: Callable[[int], dict[str, str]]) -> None:
    (folder / "devices.csv").write_bytes(table(*(row(number) for number in range(count))))


def rows_that_are_right(folder: Path) -> None:
    """More sound rows than anybody will ever have."""
    _rows(folder, 220_000, lambda number: {**GOOD, "device_id": f"d{number}", "note": "x" * 100})


def misspelt(folder: Path) -> None:
    """Another wrong word in each row."""
    _rows(folder, 30_000, lambda number: {**GOOD, "device_id": f"d{number}", "device_class": f"labtop{number}"})


def unknown_sources(folder: Path) -> None:
    """Another unknown source in each row."""
    _rows(
        folder,
        20_000,
        lambda number: {**GOOD, "device_id": f"d{number}", "name": f"My Phone {number}", "source_id": f"s{number}"},
    )


def lacking(folder: Path) -> None:
    """Rows of which each lacks what a new row needs."""
    _rows(folder, 30_000, lambda number: {"device_id": f"d{number}", "name": f"x{number}"})


def many_cells(folder: Path) -> None:
    """Files of which each is small enough."""
    for number in range(4):
        rows = (f"{number}-{row}" + ",x" * 29 for row in range(45_000))
        (folder / f"devices.part{number}.csv").write_text(
            "\n".join(["device_id" + ",note" * 29, *rows]), encoding="utf-8"
        )


def several_large(folder: Path) -> None:
    """Five files, each as large as one may be."""
    for name in ("devices", "models", "dies", "facts", "servers"):
        sparse(f"{name}.csv", 50 * MIB)(folder)


def parquets() -> Iterator[Hostile]:
    """Parquet: small files of huge tables, types that are none of a table's, damage."""
    flat = ("text, numbers, dates, true and false", "leave them out")
    deep = "'x'"
    for _ in range(60):
        deep = f"[{deep}]"
    yield Hostile(
        "Parquet: 3 million rows", parquet("SELECT 1 AS device_id FROM range(3000000)"), words=("3,000,000 rows of 1",)
    )
    yield Hostile(
        "Parquet: a million rows of 100 columns",
        parquet(f"SELECT {constants(100)} FROM range(1000000)"),  # noqa: S608 - a query of our own
        words=("1,000,000 rows of 100", "at most 15,000"),
    )
    yield Hostile(
        "Parquet: 40,000 texts of 100 kB",
        parquet("SELECT repeat('x', 100000) AS name FROM range(40000)"),
        words=("at most 50 MiB",),
    )
    yield Hostile("Parquet: lists 60 deep", parquet(f"SELECT {deep} AS name"), words=("column 'name'", *flat))
    for name, value in (
        ("a list", "[1, 2, 3]"),
        ("bytes", "'\\x00'::BLOB"),
        ("a record", "{'a': 1}"),
        ("a map", "MAP {'a': 1}"),
        ("an interval", "INTERVAL 3 DAY"),
    ):
        yield Hostile(
            f"Parquet: {name}",
            parquet(f"SELECT 'a' AS device_id, {value} AS name"),
            words=("column 'name'", *flat),
            light=name == "bytes",
        )
    yield Hostile("Parquet: 2,000 columns", parquet(f"SELECT {constants(2_000)}"), words=("more than 500 columns",))
    yield Hostile(
        "Parquet: 20,000 groups of rows",
        parquet("SELECT 'a' AS device_id FROM range(50000)", ", ROW_GROUP_SIZE 3"),
        words=("expected",),
    )
    yield Hostile(
        "Parquet: a description that says it is huge",
        writes("devices.parquet", b"PAR1" + b"\0" * 20 + struct.pack("<L", 2**31) + b"PAR1"),
        words=("a description of 2,048 MiB",),
    )
    yield Hostile(
        "Parquet: 49 MB of nothing",
        repeats("devices.parquet", b"PAR1", b"\0", 49 * MIB, b"PAR1"),
        words=("no Parquet",),
    )


def predictions() -> Iterator[Hostile]:
    """Tables of configurations."""
    head = b"backend,memory_bandwidth_gbyte_per_s,weight_gibyte\n"
    yield Hostile(
        "predict: 900 MB in one line", repeats("x.csv", head, b"x", 900 * MIB), PREDICT, ("a line of more than 1 MiB",)
    )
    yield Hostile(
        "predict: an open quotation mark, 900 MB",
        repeats("x.csv", head + b'cuda,100,"', b"1\n", 450 * MIB),
        PREDICT,
        ("expected", "quotation mark"),
    )
    yield Hostile(
        "predict: a header of 2 MB",
        repeats("x.csv", b"backend", b",x", MIB),
        PREDICT,
        ("a line of more than 1 MiB",),
        light=True,
    )
    yield Hostile("predict: NUL bytes", writes("x.csv", head + b"cuda,1\0,2\n"), PREDICT, ("found",), light=True)
    yield Hostile("predict: UTF-16", writes("x.csv", head.decode().encode("utf-16")), PREDICT, ("found",))
    yield Hostile("predict: nothing", writes("x.csv", b""), PREDICT, ("found",), light=True)
    yield Hostile(
        "predict: out to a pipe that nobody reads",
        lambda folder: (writes("x.csv", head + b"cuda,100,3\n")(folder), pipe("p")(folder)),
        (*PREDICT, "--out", "{folder}/p"),
        ("a file that can be written",),
        light=True,
    )
    yield Hostile(
        "predict: out to a folder",
        writes("x.csv", head + b"cuda,100,3\n"),
        (*PREDICT, "--out", "{folder}"),
        ("is a directory", "a file that can be written"),
        light=True,
    )


def counted(text: bytes) -> bytes:
    """A string of a GGUF file, which says its own length."""
    return struct.pack("<Q", len(text)) + text


def gguf(keys: Iterable[tuple[bytes, int, bytes]], n_tensor: int = 0) -> bytes:
    """The header of a GGUF file: keys with the kinds and bytes of their values."""
    told = [counted(name) + struct.pack("<I", kind) + value for name, kind, value in keys]
    return b"GGUF" + struct.pack("<IQQ", 3, n_tensor, len(told)) + b"".join(told)


def arrays(count: int, kind: int, each: int, value: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """So many keys whose values are arrays of the same value."""
    return ((b"k%d" % number, 9, struct.pack("<IQ", kind, each) + value * each) for number in range(count))


def shape(layers: int) -> list[tuple[bytes, int, bytes]]:
    """The keys of a model of so many layers."""
    numbers = {"block_count": layers, "embedding_length": 4096, "attention.head_count": 32}
    told = [(f"llama.{name}".encode(), 4, struct.pack("<I", number)) for name, number in numbers.items()]
    return [(b"general.architecture", 8, counted(b"llama")), *told]


def made(name: str, content: Callable[[], bytes]) -> Maker:
    """A file whose content is put together only when it is needed."""
    return lambda folder: (folder / name).write_bytes(content())


CONFIG: dict[str, object] = {
    "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "vocab_size": 32000, "intermediate_size": 11008,
    "model_type": "llama",
}  # fmt: skip
CONFIGS: dict[str, dict[str, object]] = {
    "a billion layers": {"num_hidden_layers": 10**9}, "layers of 400 digits": {"num_hidden_layers": 10**400},
    "a billion layers with a window": {"num_hidden_layers": 10**9, "layer_types": ["sliding_attention"], "sliding_window": 4096},
    "layers below zero": {"num_hidden_layers": -1}, "a width without end": {"hidden_size": float("inf")},
    "lists for numbers": {"num_hidden_layers": [32] * 100, "hidden_size": {"a": 1}}, "no heads": {"num_attention_heads": 0},
    "more experts called than there are": {"num_experts": 8, "num_experts_per_tok": 9}, "10^30 experts": {"num_experts": 10**30},
}  # fmt: skip


def models() -> Iterator[Hostile]:
    """Files of models and of runs: GGUF headers, config.json, what llama-bench prints."""
    read, ask = ("import", "{folder}/x.gguf"), ("ask", "rtx 3060", "{folder}/x.gguf")
    many = ("2,0", "in all", "with its whole header")
    floats = made("x.gguf", lambda: gguf(arrays(3300, 6, 10_000, b"abcd")))
    yield Hostile("GGUF: 33 million numbers in short arrays", floats, read, many)
    yield Hostile(
        "GGUF: 100 million bytes in short arrays",
        made("x.gguf", lambda: gguf(arrays(9_900, 0, 10_000, b"a"))),
        read,
        many,
    )
    words = made("x.gguf", lambda: gguf(arrays(4, 8, 1_900_000, counted(b""))))
    yield Hostile("GGUF: 8 million empty words", words, read, ("3,800,000 in all",))
    layers = made("x.gguf", lambda: gguf(shape(4 * 10**9)))
    yield Hostile("GGUF: 4 billion layers", layers, read, ("does not follow",), light=True)
    yield Hostile("GGUF: 4 billion layers, asked", layers, ask, ("The Memory Wall, edition",), code=0)
    yield Hostile("GGUF: layers as text", made("x.gguf", lambda: gguf([*shape(32), (b"llama.block_count", 8, counted(b"x"))])), read,
                  ("does not follow",))  # fmt: skip
    for name, said in CONFIGS.items():
        config = made("config.json", lambda said=said: json.dumps(CONFIG | said).encode())  # type: ignore[misc]
        yield Hostile(
            f"config.json: {name}", config, ("ask", "rtx 3060", "{folder}/config.json"), ("rtx", "edition"), code=0
        )
    keys = made("config.json", lambda: b"{" + b",".join(b'"a%d":{}' % number for number in range(3_500_000)) + b"}")
    yield Hostile("config.json: 3.5 million keys", keys, ("import", "{folder}/config.json"), ("at most 2,000,000",))
    own = made("x.json", lambda: json.dumps([{f"a{number}": 1} for number in range(50_000)]).encode())
    yield Hostile("runs: 50,000 records of a column each", own, ("predict", "{folder}/x.json"), ("50,000 columns", "at most 50,000 of 500"),
                  light=True)  # fmt: skip
    head = (
        "| model | size | params | test | t/s | c{} |\n"
        + "|---" * 6
        + "|\n"
        + "| a | 1 GiB | 1 B | tg128 | 5 | x |\n" * 7
    )
    tables = made("x.md", lambda: "".join(head.format(number) for number in range(7000)).encode())
    yield Hostile(
        "runs: 7,000 tables of a column each", tables, ("import", "{folder}/x.md"), ("49,000 records of 7,005 columns",)
    )


def plans() -> Iterator[Hostile]:
    """Plans of sweeps."""
    asked = ("sweep", "{folder}/plan.yml", "--out", "{folder}/out")
    points = ("sweep", "--set", "token_per_word=1.33:2.5:1000000000", "--out", "{folder}/out")
    yield Hostile("sweep: a billion points", lambda folder: None, points, ("2 to 100,000 points",))
    yield Hostile("sweep: a plan from a silent pipe", pipe("plan.yml"), asked, ("none for 7 s",))
    for name, sign in (("lists", "["), ("keys", "? "), ("entries", "- ")):
        yield Hostile(
            f"sweep: {name} in {name}", writes("plan.yml", sign.encode() * 40_000), asked, ("a readable YAML file",)
        )
    for name, most in (("data", "at most 100"), ("numbers", "at most 1,000")):
        many = f"{name}: [{','.join(f'f{number}' for number in range(12_000))}]"
        yield Hostile(f"sweep: 12,000 {name}", writes("plan.yml", many.encode()), asked, ("12,000", most))
    yield Hostile(
        "sweep: one folder under three names", writes("plan.yml", b"data: [d, ./d, .//d]"), asked, ("each folder once",)
    )


RECORD = (
    b'{"edition": "2026.11", "commit": "x", "parameters": {"edition_date": "2026-11-01"}, "figures": {}, "files": {}}'
)
READ_OF_SITES = (
    "edition.json",
    "claims.json",
    "figures.json",
    "numbers.json",
    "tables/datapackage.json",
    "editions.json",
)


def site(*, but: str, make: Maker) -> Maker:
    """A folder like a site, but for one of its files."""

    def whole(folder: Path) -> None:
        files = dict.fromkeys(READ_OF_SITES, b"[]") | {
            "edition.json": RECORD,
            "tables/datapackage.json": b'{"resources": []}',
        }
        (folder / "s" / "tables").mkdir(parents=True)
        for name, plain in files.items():
            if name != but:
                (folder / "s" / name).write_bytes(plain)
        make(folder / "s")

    return whole


def sites() -> Iterator[Hostile]:
    """Folders that look like sites, for every command that reads one."""
    at = "{folder}/s"
    commands = {
        "verify": ("verify", at), "cite": ("cite", "x", "--site", at), "diff": ("diff", at, at), "mcp": ("mcp", "--site", at),
        "export": ("export", "--myst", "--site", at, "--out", "{folder}/o"),
    }  # fmt: skip
    for name, arguments in commands.items():
        for file in READ_OF_SITES:
            yield Hostile(f"site, {name}: {file} is a pipe", site(but=file, make=pipe(file)), arguments, code=ANY)
            yield Hostile(
                f"site, {name}: {file} of 5 GB", site(but=file, make=sparse(file, 5 * 10**9)), arguments, code=ANY
            )
            deep = site(but=file, make=writes(file, b"[" * 10**6))
            yield Hostile(f"site, {name}: {file} nested", deep, arguments, code=ANY)
    for name, rows in (("long", b"a,b\n1," + b"x" * 200_000), ("short", b"a,b\n1,2,3\n5\n"), ("NUL", b"a,b\n\0,\0\n")):
        broken = site(but="tables/datapackage.json", make=tabled(rows))
        yield Hostile(f"site, diff: cells that are {name}", broken, commands["diff"], code=ANY)


def tabled(rows: bytes) -> Maker:
    """A data package of one table, in a site."""

    def make(folder: Path) -> None:
        described = b'{"resources": [{"name": "t", "schema": {"primaryKey": ["a"]}}]}'
        (folder / "tables" / "datapackage.json").write_bytes(described)
        (folder / "tables" / "t.csv").write_bytes(rows)

    return make


def long_head(kind: bytes, byte: int) -> Maker:
    """An archive of which what stands before its first file is long."""

    def make(folder: Path) -> None:
        entry = tarfile.TarInfo("x")
        entry.type, entry.size = kind, byte
        with gzip.open(folder / "x.tar.gz", "wb", compresslevel=1) as packed:
            packed.write(entry.tobuf(tarfile.GNU_FORMAT))
            for _ in range(byte // MIB):
                packed.write(bytes(MIB))

    return make


def packed(byte: int) -> bytes:
    """So many zeros, by gzip."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as file:
        for _ in range(byte // MIB):
            file.write(bytes(MIB))
    return out.getvalue()


def store(listed: Callable[[], bytes], kept: Callable[[], bytes] = bytes, ending: str = "") -> Maker:
    """The store of a sweep's sites, with the list of an edition and one file of it."""

    def make(folder: Path) -> None:
        (folder / "w" / "sites" / "objects" / KEY[:2]).mkdir(parents=True)
        (folder / "w" / "sites" / "e.json.gz").write_bytes(listed())
        (folder / "w" / "sites" / "objects" / KEY[:2] / f"{KEY[2:]}{ending}").write_bytes(kept())

    return make


KEY = hashlib.sha256(b"x").hexdigest()


def listing(name: str) -> bytes:
    """The list of an edition's files: one, of this name."""
    return gzip.compress(json.dumps({name: KEY}).encode())


def zeros() -> bytes:
    """Three gigabytes of nothing, by gzip."""
    return packed(3_000 * MIB)


def keepings() -> Iterator[Hostile]:
    """Archives of editions, and stores of sites."""
    arguments, out = (
        ("diff", "{folder}/x.tar.gz", "{folder}/x.tar.gz"),
        ("checkout", "e", "{folder}/o", "--from", "{folder}/w"),
    )
    for name, kind in (("a name", tarfile.GNUTYPE_LONGNAME), ("remarks", tarfile.XHDTYPE)):
        yield Hostile(f"archive: {name} of 1.5 GB", long_head(kind, 1_500 * MIB), arguments, ("a name or remarks of",))
    yield Hostile("archive: a pipe", pipe("x.tar.gz"), arguments, ("expected",))
    lost = ("damaged or lost",)
    for name, maker in {
        "a list of 3 GB": store(zeros), "a file of 3 GB": store(lambda: listing("a"), zeros), "no list": store(lambda: b"x"),
        "a name with NUL": store(lambda: listing("a\0b")), "a name of nothing": store(lambda: listing(".")),
        "parts in parts": store(lambda: listing("a"), lambda: gzip.compress(b"[" * 200_000), ".parts"),
        "parts of other kinds": store(lambda: listing("a"), lambda: gzip.compress(b'[{}, [], [1], [["a"]]]'), ".parts"),
    }.items():  # fmt: skip
        yield Hostile(f"checkout: {name}", maker, out, lost, code=1)


ANY = -1
"""Any of the exit codes that a command documents: of sites, commands read different files."""


CASES = [
    *special(), *workbooks(), *csvs(), *parquets(), *predictions(), *models(), *plans(), *sites(), *keepings(),
]  # fmt: skip


def fault(case: Hostile, ended: Ended) -> str:
    """What is wrong with how it ended; empty where nothing is."""
    faults = {
        f"exit code {ended.code}, not {case.code}": ended.code
        not in ((0, 1, WRONG) if case.code == ANY else (case.code,)),
        "a traceback": "Traceback" in ended.said,
        "a name that is missing": bool(re.search(r"\bNone\b(?! of )", ended.said)),
        f"without {next((word for word in case.words if word not in ended.said), '')!r}": any(
            word not in ended.said for word in case.words
        ),
        f"{ended.cpu_s:.1f} CPU-seconds": ended.cpu_s > LIMIT_S,
        f"{ended.byte / 1e6:.0f} MB": ended.byte > LIMIT_BYTE,
    }
    return ", ".join(said for said, holds in faults.items() if holds)


def tried(case: Hostile) -> tuple[Ended, str]:
    """Run one case in a folder of its own."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "mine"
        folder.mkdir()
        ended = run(case, folder)
    return ended, fault(case, ended)


def told(case: Hostile, ended: Ended, wrong: str) -> str:
    """How a case ended, in one line; and the end of what it said where something is wrong."""
    took = f"{ended.wall_s:6.1f} s{ended.cpu_s:6.1f} CPU-s{ended.byte / 1e6:7.0f} MB"
    line = f"{'FAILED' if wrong else 'held':7}{took}  {case.name}  {wrong}".rstrip()
    return f"{line}\n       {ended.said[-300:]!r}\n" if wrong else f"{line}\n"


def main(wanted: str = "") -> int:
    """Run those whose name holds ``wanted``, and print one line for each; the number that failed."""
    failed = 0
    for case in (case for case in CASES if wanted in case.name):
        ended, wrong = tried(case)
        failed += bool(wrong)
        sys.stdout.write(told(case, ended, wrong))
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:2]), 1))
