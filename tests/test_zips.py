"""Archives are opened by libraries that did not write them, and say nothing of when and where they were written."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

from analysis.book.store import zips
from tests.conftest import require

FILES = {
    "table.csv": b"id,value\n1,2\n" * 999,
    "picture.png": random.Random(0).randbytes(9999),  # noqa: S311 - noise that does not squeeze
    "empty.txt": b"",
    "\u00fcber \u00bd.txt": "\u00bd".encode() * 99,
}


def test_what_goes_in_comes_out_and_only_what_shrinks_is_compressed() -> None:
    with zipfile.ZipFile(io.BytesIO(zips.zipped(FILES))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert list(FILES) == archive.namelist()
        ways = {each.filename: each.compress_type for each in archive.infolist()}
        sizes = {each.filename: each.compress_size for each in archive.infolist()}
        told = {(each.date_time, each.external_attr >> 16, each.create_system) for each in archive.infolist()}
    assert told == {((1980, 1, 1, 0, 0, 0), 0o100644, 3)}, "no time, and readable by everybody"
    assert (ways["picture.png"], ways["empty.txt"]) == (zipfile.ZIP_STORED, zipfile.ZIP_STORED)
    assert ways["table.csv"] == zipfile.ZIP_DEFLATED
    assert sizes["table.csv"] < len(FILES["table.csv"]) / 50


def test_bytes_are_these_everywhere_and_depend_on_the_files_alone() -> None:
    """By a compressor that the package carries: with the zlib of the system this would hold on one machine only."""
    assert zips.deflated(b"id\n1\n" * 9).hex() == "cb4ce132e4ca24920000"
    assert zips.zipped(FILES) == zips.zipped(dict(FILES.items()))
    assert zips.zipped({}) == b"PK\5\6" + bytes(18)


def test_unzip_finds_nothing_wrong(tmp_path: Path) -> None:
    require(shutil.which("unzip"), "unzip (apt-get install unzip)")
    (tmp_path / "a.zip").write_bytes(zips.zipped(FILES))
    subprocess.run(["unzip", "-t", str(tmp_path / "a.zip")], check=True, capture_output=True)
