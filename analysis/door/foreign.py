"""Files that other programs write, taken apart as they are: records of ``llama-bench``, JSON, Markdown tables, GGUF headers.

Only their form is judged here: which of them a file is, and whether it can be read.  What they say is for ``analysis.model.foreign``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.door import Refused, typed

HEAD_BYTE = 2**16
"""So much of a file says what it is."""
MOST_PARTS = 2_000_000
"""Values with a name, lists and objects of a JSON file: as many as the records of a whole table have."""
BENCH = frozenset(("model_type", "model_size", "avg_ts", "n_gen"))
"""Columns that no table has but that of ``llama-bench``."""
BENCH_MARKDOWN = frozenset(("model", "size", "params", "test", "t/s"))
EPOCH_NAMES, EPOCH_BANDWIDTH = ("Hardware name", "Name of the hardware"), "Memory bandwidth (byte/s)"
JSON_TODO = "It is read where it is what `llama-bench -o json` or `-o jsonl` wrote, or the config.json of a model."
LEFT_OPEN = "Was it cut off while it was written?"


@dataclass(frozen=True)
class Records:
    """Rows that a file holds under one header, each with its line; and what stands around them."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    around: list[str] = field(default_factory=list)


def kind(head: bytes, name: str = "") -> str:
    """What a file is by how it begins: ``gguf``, ``json``, ``jsonl``, ``markdown``, ``sql``; empty for a table of any other kind."""
    if head.startswith(b"GGUF"):
        return "gguf"
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text.startswith(("{", "[")):
        is_one = "\n{" not in text.replace("\r", "") or name.lower().endswith(".json") or text.startswith("[")
        return "json" if is_one else "jsonl"
    if re.match(r"(?:CREATE TABLE|INSERT INTO)\b", text, re.IGNORECASE):
        return "sql"
    return "markdown" if re.search(r"^\s*\|[ :|-]*-{3,}[ :|-]*\|\s*$", text, re.MULTILINE) else ""


PACKED = (
    (b"\x1f\x8b", "a file packed by gzip"), (b"PK\3\4", "a ZIP archive or a workbook"), (b"BZh", "a file packed by bzip2"),
    (b"\xfd7zXZ", "a file packed by xz"), (b"\x28\xb5\x2f\xfd", "a file packed by zstd"), (b"PAR1", "Parquet"), (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"), (b"\xd0\xcf\x11\xe0", "a workbook of before 2007"), (b"SQLite format 3", "a database"),
    (b"\xff\xfe", "text in UTF-16"), (b"\xfe\xff", "text in UTF-16"),
)  # fmt: skip
"""How files begin that are no text."""


def packed(head: bytes) -> str:
    """What a file is that is no text in UTF-8, by how it begins; empty where it may be text."""
    is_page = re.match(rb"\s*<(?:!doctype|html|\?xml|svg|table|head|body|meta|div)", head, re.IGNORECASE)
    return "a web page, or XML" if is_page else next((said for start, said in PACKED if head.startswith(start)), "")


def of_columns(header: Sequence[str]) -> str:
    """Whose table has these columns: ``bench`` for ``llama-bench``, ``epoch`` for Epoch's list of hardware; else empty."""
    names = set(header)
    is_epoch = EPOCH_BANDWIDTH in names and bool(names.intersection(EPOCH_NAMES))
    return "bench" if names >= BENCH else "epoch" if is_epoch else ""


def text(content: bytes) -> str:
    """A text file in UTF-8, with or without its mark; raises Refused where it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise Refused(f"a byte that is not UTF-8 in line {row}", "text in UTF-8", "Save it as UTF-8.") from None


def parsed(content: bytes, *, lines: bool) -> Any:
    """JSON, or one object a line; raises Refused where it is neither."""
    if sum(map(content.count, (b":", b"[", b"{"))) > MOST_PARTS:
        raise Refused(
            f"JSON of more parts than {MOST_PARTS:,}", f"at most {MOST_PARTS:,}", "Keep those that are needed."
        )
    whole = text(content)
    try:
        found = [json.loads(line) for line in whole.splitlines() if line.strip()] if lines else json.loads(whole)
    except json.JSONDecodeError as error:
        raise Refused(f"no JSON: {error.msg.lower()} in line {error.lineno}", "JSON", LEFT_OPEN) from None
    except (RecursionError, ValueError):
        raise Refused("JSON that is nested too deeply, or numbers too long", "plain JSON", JSON_TODO) from None
    return found


def of_json(found: Any) -> Records:
    """The records of a list of flat objects, as ``llama-bench`` writes them; each is told by its place in the list."""
    records = found if isinstance(found, list) else [found]
    if not records or not all(isinstance(one, Mapping) for one in records):
        raise Refused("JSON that is no list of objects", "records, or a configuration", JSON_TODO)
    header = list(dict.fromkeys(name for one in records for name, value in one.items() if not isinstance(value, list)))
    _require_table(len(records), len(header))
    rows = [(place, [_cell(one.get(name)) for name in header]) for place, one in enumerate(records, start=1)]
    return Records(header, rows)


def _require_table(n_row: int, n_column: int) -> None:
    """Raise Refused where records are more than a table: each has a cell for every column that any of them has."""
    if n_row > typed.MOST_ROWS or n_column > typed.MOST_COLUMNS or n_row * n_column > typed.MOST_CELLS:
        found = f"{n_row:,} records of {n_column:,} columns"
        most = f"at most {typed.MOST_ROWS:,} of {typed.MOST_COLUMNS}, and {typed.MOST_CELLS:,} cells"
        raise Refused(found, most, "Keep those that are needed.")


def _cell(value: Any) -> str:
    if value is None or isinstance(value, Mapping):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def of_markdown(content: bytes) -> Records:
    """The rows of every table of ``llama-bench`` in a text, under the columns that any of them has; the rest is kept beside."""
    header: dict[str, None] = {}
    found: list[tuple[int, dict[str, str]]] = []
    around = []
    names: list[str] = []
    for number, line in enumerate(text(content).splitlines(), start=1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.strip().startswith("|") else []
        if set(cells) >= BENCH_MARKDOWN:
            names = cells
            header |= dict.fromkeys(cells)
        elif names and len(cells) == len(names):
            if not all(re.fullmatch(":?-+:?", cell) for cell in cells):
                found.append((number, dict(zip(names, cells, strict=True))))
        elif not cells:
            around.append(line)
        else:
            names = []
    _require_table(len(found), len(header))
    return Records([*header], [(number, [row.get(name, "") for name in header]) for number, row in found], around)


DEVICE_LINES = (
    re.compile(r"^\s*Device \d+: ([^,\[]+)"),
    re.compile(r"ggml_metal\w*: GPU name:\s*(?:MTL\d+ \()?(?!MTL\d)([^()]+)"),
    re.compile(r"ggml_vulkan: \d+ = ([^|(]+)"), re.compile(r"^\|\s*\d+\|\s*\[\w+:\w+:\d+\]\|\s*([^|]+?)\s*\|"),
)  # fmt: skip
"""How the log above a table names a device: CUDA and ROCm, Metal, Vulkan, SYCL."""


def devices(around: Sequence[str]) -> list[str]:
    """The devices that a log names, in its order."""
    return [name.strip() for line in around for name in _named(line)]


def _named(line: str) -> Iterator[str]:
    for pattern in DEVICE_LINES:
        if found := pattern.search(line):
            yield found[1]
