"""Odd uses of the commands: each ends with its exit code and says what was found and what to do; nothing is built and nothing changes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import cli
from analysis.book.record import editions
from analysis.book.store import freshness, verify
from tests.conftest import ROOT, is_untouched, names_below, site_of_yesterday
from tests.test_belongings import sealed

pytestmark = pytest.mark.slow

USES: dict[str, tuple[str, int, str]] = {
    "no such command": ("nonsense", 2, "No such command 'nonsense'"),
    "a folder of somebody": ("build --out full", 2, "It holds something that is not a site"),
    "a file for a site": ("build --out file", 2, "It is a file"),
    "below a file": ("build --out file/below", 2, "expected a folder that can be written"),
    "the root": ("build --out /", 2, "Everything in it would be replaced"),
    "among the sources": (f"build --out {ROOT}/data", 2, "It lies among the sources of the book"),
    "no job": ("build --jobs 0", 2, "greater than or equal to 1"),
    "no time": ("build --time-limit 0", 2, "greater than or equal to 1"),
    "no memory": ("build --memory-limit 0", 2, "greater than or equal to 0.1"),
    "an address without https": ("build --address example.org", 2, "It begins with https:// or http://"),
    "an address with a query": ("release --edition 2026.12 --address https://example.org/?q", 2, "Leave out what begins with ?"),
    "a sweep": ("build --set reading_speed_word_per_min=1,2,3", 2, "expected a number from 1.0 to 5000.0"),
    "no value": ("build --set reading_speed_word_per_min", 2, "expected name=value"),
    "no name": ("build --set =3", 2, "expected a declared parameter"),
    "no such parameters": ("build --params nowhere.yml", 2, "nowhere.yml: found no such file"),
    "a list of parameters": ("build --params list.yml", 2, "expected a mapping of parameter names to values"),
    "a parameter twice": ("build --params twice.yml", 2, "twice.yml:2: found the name 'reading_speed_word_per_min' twice"),
    "a folder of parameters": ("build --params full", 2, "full: found a folder"),
    "no such data": ("build --data nowhere", 2, "nowhere: found no such folder"),
    "a file of data": ("build --data file", 2, "Name the folder that holds the files"),
    "markup in a title": ("build --title <b>", 2, "found '<b>'"),
    "a release of nothing": ("release", 2, "Name the edition: --edition 2026.11; or bring earlier ones back: --from ARCHIVE"),
    "an edition in words": ("release --edition november", 2, "expected text like 2026.11"),
    "the thirteenth month": ("release --edition 2026.13", 2, "found '2026.13'"),
    "no month": ("release --edition 2026.00", 2, "found '2026.00'"),
    "one digit for the month": ("release --edition 2026.1", 2, "found '2026.1'"),
    "an edition elsewhere": ("release --edition ../x", 2, "found '../x'"),
    "yesterday": ("release --edition 2026.12 --date yesterday", 2, "found 'yesterday'; expected text like 2026-11-22"),
    "no day of the calendar": ("release --edition 2026.12 --date 2026-02-30", 2, "expected a day of the calendar"),
    "a day of no edition": ("release --date 2026-12-01", 2, "expected the edition that the day is of"),
    "no such archive": ("release --from nowhere", 2, "nowhere: found nothing; expected the archive of an edition"),
    "released twice": ("release --edition 2026.11 --out site", 2, "edition 2026.11 is published already"),
    "cited is what is not there": ("cite rooflin --site site", 2, "found id 'rooflin'"),
    "cited from nowhere": ("cite roofline --site nowhere", 2, "Build it first: memory-wall build"),
    "cited for another program": ("cite roofline --format endnote", 2, "'endnote' is not one of 'text'"),
    "cited for a program by half its name": ("cite roofline --format bib", 2, "Did you mean 'bibtex'?"),
    "an answer on a family": ("ask iphone", 2, "iphone-17-pro-max or iphone-16-plus; expected one device"),
    "compared with nowhere": ("diff full nowhere", 2, "full: found a folder without a site or tables"),
    "compared with half a site": ("diff half half", 2, "half: found no claims.json in it; expected a complete site"),
    "compared with no archive": ("diff broken.tar.gz half", 2, "broken.tar.gz: found no sound archive"),
    "compared in pictures": ("diff full full --format pdf", 2, "'pdf' is not one of 'text'"),
    "verified is nowhere": ("verify nowhere", 2, "nowhere: found no such folder; expected a site, with its edition.json"),
    "verified is somebody's": ("verify full", 2, "full: found no site; expected a site"),
    "verified is a file": ("verify file", 2, "expected a site, with its edition.json"),
    "verified is half a site": ("verify half", 1, "this is not a site of this program"),
    "why of no chapter": ("why memory_wal", 2, "Did you mean 'memory_wall'?"),
    "a template of no table": ("template devicez", 2, "template: found table 'devicez'; expected a known table. Did you mean 'devices'"),
    "a template below a file": ("template devices --out file/below", 2, "expected a place that can be written"),
    "predicted is nothing": ("predict nowhere.csv", 2, "nowhere.csv: found no such file"),
    "predicted is a folder": ("predict full", 2, "full: found a folder"),
    "no such parameter": ("check --set reading_speed=1", 2, "Did you mean"),
    "no such port": ("serve --port 99999", 2, "less than or equal to 65535"),
    "a port in words": ("serve --port http", 2, "valid integer"),
    "measured to below a file": ("measure --quick --save file/below", 2, "expected a folder that can be written"),
    "measured nowhere": ("measure --quick --scratch nowhere", 2, "--scratch: found no folder nowhere"),
    "less than no bandwidth": ("measure --datasheet -5", 2, "greater than or equal to 0"),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with things of somebody's in it, as the one that commands are given in."""
    files = {
        "full/thesis.tex": "years", "file": "mine", "list.yml": "- a\n", "half/edition.json": json.dumps({"edition": "2026.11"}),
        "twice.yml": "reading_speed_word_per_min: 300\nreading_speed_word_per_min: 200\n", "broken.tar.gz": "nothing",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    site = sealed(tmp_path / "site", "text")
    sealed(site / "editions" / "2026.11", "frozen")
    editions.index(site, "")
    verify.seal(site)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(freshness, "commit", lambda: "a" * 40)
    return tmp_path


@contextlib.contextmanager
def given(arguments: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This command line, in this process, narrow or wide as the terminal may be."""
    monkeypatch.setattr(sys, "argv", ["memory-wall", *arguments.split()])
    for name in ("COLUMNS", "TERMINAL_WIDTH"):
        monkeypatch.setenv(name, "400")
    yield


@pytest.mark.parametrize("case", USES)
def test_an_odd_use_is_told_what_is_wrong(
    case: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, said = USES[case]
    before = {name: os.stat(name, follow_symlinks=False).st_mtime_ns for name in names_below(place)}
    with given(arguments, monkeypatch), pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert ended.value.code == code, told.err
    assert said in " ".join(told.err.split()), told.err
    assert "Traceback" not in told.err
    assert "Errno" not in told.err
    after = {name: os.stat(name, follow_symlinks=False).st_mtime_ns for name in names_below(place)}
    assert after == before


def test_a_release_of_changes_that_are_not_committed_is_refused_before_it_is_built(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(freshness, "commit", lambda: f"{'a' * 40}-dirty")
    with given("release --edition 2026.11 --out site", monkeypatch), pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "found edition 2026.11 is published already" in told, "and all of it at once"
    assert "Commit first: an edition names the commit it was made from." in told


def test_a_damaged_archive_stops_a_release_before_anything_is_built(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = site_of_yesterday(tmp_path / "html")
    with given(f"release --from broken.tar.gz --out {out}", monkeypatch), pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "broken.tar.gz: found no sound archive" in capsys.readouterr().err
    assert is_untouched(out)


def test_there_are_many_of_them() -> None:
    assert len(USES) >= 50
    assert len({arguments for arguments, _, _ in USES.values()}) == len(USES)
