"""Parquet, judged by its metadata before a value is read: flat columns of text, numbers, dates and truth values, within limits."""

from __future__ import annotations

import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis import door
from analysis.door import Refused
from analysis.door.typed import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, text

LARGEST_FOOTER_BYTE = 2**21
LONGEST_S = 7.0
MEMORY = "500MB"
"""What the reader may take, whatever the file says of itself."""
MAGIC = b"PAR1"
PARQUET = "a Parquet file that can be read"
ANEW = "Write it anew."
FLAT = "text, numbers, dates, true and false"
SCALARS = {"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE"}
TEXT = "TEXT"


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a Parquet file as CSV would hold them; raises Refused where it is none, or no table of ours."""
    content = door.content(path)
    _require_footer(content)
    with tempfile.TemporaryDirectory() as folder, _reader() as reader:
        copy = Path(folder) / "table.parquet"  # the reader takes a name for a pattern
        copy.write_bytes(content)
        try:
            kinds = _kinds(reader, str(copy))
            _require_small(reader, str(copy), len(kinds))
            return list(kinds), _rows(reader, str(copy), kinds)
        except Refused:
            raise
        except Exception as error:  # the reader raises whatever it comes across in a damaged file
            raise Refused(f"no Parquet ({type(error).__name__})", PARQUET, ANEW) from None


def _require_footer(content: bytes) -> None:
    """A footer that says how long it is: reading a very long one is the first thing that would take for ever."""
    if len(content) < 12 or not content.startswith(MAGIC) or not content.endswith(MAGIC):
        raise Refused("no Parquet", PARQUET, ANEW)
    (byte,) = struct.unpack("<L", content[-8:-4])
    if byte > min(len(content) - 12, LARGEST_FOOTER_BYTE):
        raise Refused(f"a description of {door.size(byte)}", f"at most {door.size(LARGEST_FOOTER_BYTE)}", ANEW)


@contextmanager
def _reader() -> Iterator[Any]:
    """A reader that stops by itself."""
    import duckdb

    limits = {"memory_limit": MEMORY, "threads": 1, "temp_directory": ""}
    with duckdb.connect(config=limits) as reader:
        stop = threading.Timer(LONGEST_S, reader.interrupt)
        stop.start()
        try:
            yield reader
        finally:
            stop.cancel()


def _kinds(reader: Any, path: str) -> dict[str, str]:
    """Column → stored type; raises Refused for one that holds lists, records or bytes."""
    ask = "SELECT name, type, repetition_type, num_children, converted_type, logical_type FROM parquet_schema(?)"
    _, *columns = reader.execute(ask, [path]).fetchmany(MOST_COLUMNS + 2)
    if len(columns) > MOST_COLUMNS:
        raise Refused(f"more than {MOST_COLUMNS} columns", "fewer", "Keep the columns that are needed.")
    kinds: dict[str, str] = {}
    for name, stored, repeated, children, *declared in columns:
        kind = "" if children or repeated == "REPEATED" else _kind(stored, *declared)
        if not kind:
            found, todo = f"lists, records or bytes in column {name[:80]!r}", "Write them as text, or leave them out."
            raise Refused(found, FLAT, todo)
        if name in kinds:
            raise Refused(f"the column {name[:80]!r} twice", "each column once", "Keep one.")
        kinds[name] = kind
    return kinds


def _kind(stored: str, converted: str | None, logical: str | None) -> str:
    """Stored type of a column of scalars, ``TEXT`` where it is one of text; empty for anything else."""
    if stored in SCALARS or converted == "DECIMAL":
        return stored
    is_text = converted in ("UTF8", "ENUM") or str(logical).startswith("String")
    return TEXT if stored == "BYTE_ARRAY" and is_text else ""


def _require_small(reader: Any, path: str, n_column: int) -> None:
    (n_row,) = reader.execute("SELECT num_rows FROM parquet_file_metadata(?)", [path]).fetchone()
    most = min(MOST_ROWS, MOST_CELLS // max(n_column, 1))
    if n_row > most:
        raise Refused(f"{n_row:,} rows of {n_column}", f"at most {most:,}", "Keep the rows that are needed.")
    ask = "SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(?)"
    _require_bytes(reader.execute(ask, [path]).fetchone()[0])


def _require_bytes(byte: float) -> None:
    if byte > door.LARGEST_FILE_BYTE:
        said = f"at most {door.size(door.LARGEST_FILE_BYTE)}"
        raise Refused(f"{door.size(byte)} once it is unpacked", said, "Keep the rows that are needed.")


def _rows(reader: Any, path: str, kinds: dict[str, str]) -> list[list[str]]:
    """Every row; numbers in the shortest form of their type, so that 6.1 stays 6.1 in one of four bytes."""
    table = "FROM read_parquet(?, hive_partitioning = false)"
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in kinds}
    texts = [f"coalesce(sum(strlen({quoted[name]})), 0)" for name, kind in kinds.items() if kind == TEXT]
    if texts:  # few bytes may stand for many, where a text is stored once and named often
        _require_bytes(float(reader.execute(f"SELECT {' + '.join(texts)} {table}", [path]).fetchone()[0]))
    asked = [f"CAST({quoted[name]} AS VARCHAR)" if kind == "FLOAT" else quoted[name] for name, kind in kinds.items()]
    found = reader.execute(f"SELECT {', '.join(asked)} {table} LIMIT {MOST_ROWS}", [path]).fetchall()
    written = [WRITTEN.get(kind, text) for kind in kinds.values()]
    return [[write(value) for write, value in zip(written, row, strict=True)] for row in found]


def _single(value: str | None) -> str:
    """A number of four bytes, which the reader has written in its shortest form already."""
    return "" if value in (None, "nan") else str(value).removesuffix(".0")


def _double(value: float | None) -> str:
    return text(value) if value is None or value != value else repr(value).removesuffix(".0")  # noqa: PLR0124 - NaN


WRITTEN: dict[str, Callable[[Any], str]] = {"FLOAT": _single, "DOUBLE": _double}
"""Stored type → how its values are written; the others as in any typed file."""
