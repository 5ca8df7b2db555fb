"""Sweeps as they run: what is kept and gone on with, what goes wrong.  Real numbers, no pages."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import door, tables
from analysis.book.inputs import parameters
from analysis.book.run import executors
from analysis.book.store import cache, freshness, places, sent, verify
from analysis.errors import InputError, SiteError
from analysis.subjects import numbers
from analysis.sweep import carry, folder, index, plan, sites, stored, sweep, work
from analysis.sweep.plan import Edition
from tests.conftest import ROOT, command
from tests.small import hears_interrupts

pytestmark = pytest.mark.slow
FEW = "index-iphone-14-fp16,index-needed-fp16"
SPEEDS = ["reading_speed_word_per_min=200,250"]


class Here(Executor):
    """Does what it is given at once, in this process; ends like a killed worker where it is told to."""

    def __init__(self, breaks: Callable[[Any], bool]) -> None:
        self.breaks = breaks

    def submit(self, fn: Any, /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            if self.breaks(given[0]):
                raise BrokenExecutor
            done.set_result(fn(*given))
        except Exception as error:
            done.set_exception(error)
        return done


@dataclass
class Engine:
    """An engine of this process, for which others are not started."""

    address: str = "here"
    jobs: int | None = 1
    store: str = ""
    breaks: Callable[[Any], bool] = lambda _: False
    opened_times: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Executor, int]]:
        self.opened_times.append(1)
        yield Here(self.breaks), 2

    @contextlib.contextmanager
    def standing(self) -> Iterator[Engine]:
        yield self


@contextlib.contextmanager
def bar(total: int) -> Iterator[Callable[[str], None]]:
    yield lambda text: None


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMORY_WALL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def swept(out: Path, settings: list[str] | None = None, wanted: str | None = FEW, **more: Any) -> sweep.Outcome:
    asked = more.pop("asked", None) or plan.of_settings(settings or SPEEDS, wanted, None)
    return sweep.swept(sweep.Request(asked, out, **{"engine": Engine(), **more}), bar, lambda text: None)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / index.FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --------------------------------------------------------------------------------------------- kept, and gone on with


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("swept") / "out"
    swept(out)
    return out


@pytest.fixture
def done(made: Path, tmp_path: Path) -> Path:
    """A sweep that was finished, in a folder that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "out"))


def contents(out: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.is_file() and path.name != folder.LOG
    }


def test_a_sweep_says_what_its_numbers_are(done: Path, package: tables.DataPackage) -> None:
    found = {(one["reading_speed_word_per_min"], one["id"]): float(one["value"]) for one in rows(done)}
    for speed in (200.0, 250.0):
        given = work.given("index", parameters.validated({"reading_speed_word_per_min": speed}))
        own = {one["id"]: one["number"] for one in numbers.found("index", package, given)}
        assert {key: found[str(speed), key] for key in FEW.split(",")} == {key: own[key] for key in FEW.split(",")}


def test_a_finished_sweep_repeats_nothing_and_writes_the_same(done: Path) -> None:
    before = contents(done)
    again = swept(done)
    assert (again.computed, again.found) == (0, 2)
    assert contents(done) == before


def test_more_editions_repeat_none_of_those_there(done: Path) -> None:
    more = swept(done, ["reading_speed_word_per_min=200,250,300"])
    assert (more.computed, more.found) == (1, 2)


OTHERS = {
    "other editions": (["reading_speed_word_per_min=200,300"], FEW),
    "fewer editions": (["reading_speed_word_per_min=200"], FEW),
    "other numbers": (SPEEDS, "index-needed-fp16"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_plan_that_would_lose_what_is_there_is_refused(done: Path, case: str) -> None:
    before = contents(done)
    settings, wanted = OTHERS[case]
    with pytest.raises(InputError) as refused:
        swept(done, settings, wanted)
    told = str(refused.value)
    assert (
        f"--out: found {done}, which is that of another plan (grid: {{reading_speed_word_per_min: [200.0, 250.0]}}"
        in told
    )
    assert "grid: {reading_speed_word_per_min: [200.0" in told.partition("expected")[2]
    assert "Name another folder for it" in told
    assert contents(done) == before


def test_more_numbers_of_the_same_editions_are_no_other_plan(done: Path) -> None:
    for wanted in (f"{FEW},index-iphone-14-int8", "index", None):
        assert swept(done, wanted=wanted).failed == []
        assert {one["id"] for one in rows(done)} >= set(FEW.split(","))
    with pytest.raises(InputError, match="that of another plan"):
        swept(done, wanted="index")


@pytest.mark.parametrize("record", ["[", '{"editions": [{}], "numbers": []}', '{"editions": [], "numbers": [1]}'])
def test_a_record_that_was_tampered_with_stops_nobody(done: Path, record: str) -> None:
    (done / folder.ASKED).write_text(record, encoding="utf-8")
    assert swept(done).found == 2


def test_what_a_chapter_does_not_declare_computes_it_once(tmp_path: Path) -> None:
    outcome = swept(tmp_path / "out", ["prompt_token=1000,2000,3000"])
    assert (outcome.editions, outcome.computed) == (3, 1)
    assert len({one["edition"] for one in rows(tmp_path / "out")}) == 3


def test_two_sweeps_write_the_same(done: Path, tmp_path: Path) -> None:
    swept(tmp_path / "other")
    assert contents(done) == contents(tmp_path / "other")


def test_the_manifest_has_the_digests_and_nothing_tells_when_or_where(done: Path, tmp_path: Path) -> None:
    manifest = json.loads((done / folder.MANIFEST).read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"index.csv", "index.parquet", "summary.html", "summary.md"}
    assert all(cache.file_digest(done / name) == digest for name, digest in manifest["files"].items())
    assert not any(str(tmp_path).encode() in content for content in contents(done).values())


def test_parquet_holds_the_same_table(done: Path) -> None:
    import duckdb

    read = (
        duckdb.read_parquet(str(done / index.PARQUET))
        .project("edition, reading_speed_word_per_min, id, value")
        .fetchall()
    )
    assert read == [
        (one["edition"], float(one["reading_speed_word_per_min"]), one["id"], float(one["value"])) for one in rows(done)
    ]


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "exchanged"])
def test_a_damaged_result_is_computed_again(done: Path, damage: str) -> None:
    before, (one, other) = contents(done), sorted(done.glob("objects/*/*.json"))
    content = one.read_bytes()
    one.write_bytes(
        {"flipped": content.replace(b"index-iphone-14-fp16", b"index-iphone-14-fp61"), "cut": content[:-9], "empty": b"",
         "exchanged": other.read_bytes()}[damage]
    )  # fmt: skip
    again = swept(done)
    assert (again.computed, again.found) == (1, 1)
    assert contents(done) == before


def test_a_result_larger_than_a_file_somebody_gives_is_read_back(tmp_path: Path) -> None:
    found = [{"id": "long", "text": "x" * door.LARGEST_FILE_BYTE}]
    with folder.claimed(tmp_path / "sweep") as held:
        held.keep("key", found)
        assert held.kept("key") == found


def test_what_was_begun_by_a_sweep_that_was_killed_is_gone_on_with(done: Path) -> None:
    before = contents(done)
    (done / folder.MANIFEST).unlink()
    next(done.glob("objects/*/*.json")).unlink()
    (done / ".new-index.csv-x").write_text("half", encoding="utf-8")
    (done / ".new-folder").mkdir()
    assert swept(done).computed == 1
    assert contents(done) == before


def test_other_data_is_another_result(done: Path, data_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = data_copy / "facts.csv"
    facts.write_text(
        facts.read_text(encoding="utf-8").replace("Most tokens that", "The most tokens that"), encoding="utf-8"
    )
    monkeypatch.setenv("MEMORY_WALL_DATA", str(data_copy))
    assert swept(done).computed == 2


def test_other_code_is_another_result(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "code", lambda: ["another"])
    assert swept(done).computed == 2


@pytest.mark.parametrize("kind", ["a folder of somebody's", "a file"])
def test_what_is_no_sweep_is_refused_and_untouched(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "a file":
        out.write_text("mine", encoding="utf-8")
    else:
        out.mkdir()
        (out / "thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="expected a place for a sweep"):
        swept(out)
    assert out.read_text() == "mine" if kind == "a file" else [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_the_sources_of_the_book_are_no_place() -> None:
    with pytest.raises(InputError, match="among the sources"):
        folder.require_fit(ROOT / "data" / "sweep")


def test_two_sweeps_into_one_folder_are_refused(done: Path) -> None:
    with folder.claimed(done), pytest.raises(InputError, match="no other sweep"):
        swept(done)


# ---------------------------------------------------------------------------------------------------- what goes wrong


def test_a_setting_that_fails_is_tried_three_times_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, whole = [], work.done

    def failing(one: work.Work) -> Any:
        tried.append(one.parameters["reading_speed_word_per_min"])
        if tried[-1] == 200.0:
            raise ZeroDivisionError("by nothing")
        return whole(one)

    monkeypatch.setattr(work, "done", failing)
    outcome = swept(tmp_path / "out")
    assert sorted(tried) == [200.0] * carry.TRIES + [250.0]
    [failed] = outcome.failed
    assert (failed["part"], failed["error"]) == ("index", "ZeroDivisionError: by nothing")
    assert {one["reading_speed_word_per_min"] for one in rows(tmp_path / "out")} == {"250.0"}
    assert json.loads((tmp_path / "out" / folder.MANIFEST).read_text(encoding="utf-8"))["failed"] == outcome.failed
    assert "ZeroDivisionError: by nothing" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    monkeypatch.setattr(work, "done", whole)
    again = swept(tmp_path / "out")
    assert (again.computed, again.failed) == (1, [])


def test_the_setting_that_ends_processes_is_told_from_those_beside_it(tmp_path: Path) -> None:
    poison = Engine(breaks=lambda one: one.parameters["reading_speed_word_per_min"] == 220.0)
    outcome = swept(tmp_path / "out", ["reading_speed_word_per_min=200,220,250,300"], engine=poison)
    assert outcome.computed == 3
    [failed] = outcome.failed
    assert "a process ended while it was done" in failed["error"]
    assert len(poison.opened_times) == carry.TRIES + 1  # once with others, then alone until it has failed


class StandIn(sites.Build):
    """In place of a process that builds: figures that are one file; at one speed a failure, at another the end of the process."""

    def __init__(self, asked: sites.Asked, engine: Any, place: Path) -> None:
        self.asked, speed = asked, asked.parameters["reading_speed_word_per_min"]
        self.line, theirs = multiprocessing.Pipe()
        if speed == 250:
            asked.goal.mkdir(parents=True, exist_ok=True)
            (asked.goal / "edition.json").write_text(f"{speed} by {engine.jobs}")
        if speed != 225:
            theirs.send("" if speed == 250 else "the chapter failed")
        theirs.close()

    def end(self) -> None:
        self.line.close()

    _process = SimpleNamespace(join=lambda within_s: None)  # type: ignore[assignment]


def test_figures_of_each_edition_are_kept_and_what_cannot_be_built_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "Build", StandIn)
    monkeypatch.setattr(sites, "prepare", lambda: None)
    out = tmp_path / "out"
    asked: dict[str, Any] = {
        "settings": ["reading_speed_word_per_min=250,225,200"],
        "only": "figures",
        "engine": Engine(jobs=4),
    }
    outcome = swept(out, **asked)
    told = {(one["part"], one["error"]) for one in outcome.failed}
    assert told == {("figures", "the chapter failed"), ("figures", sites.ENDED)}
    [made] = (out / "figures").iterdir()
    assert (made / "edition.json").read_text(encoding="utf-8") == "250.0 by 4", "the first has all processes"
    there = (made / "edition.json").stat().st_mtime_ns
    assert len(swept(out, **asked).failed) == 2
    assert (made / "edition.json").stat().st_mtime_ns == there
    own = freshness.inputs
    for sources in (lambda *given, **more: "other sources", own):  # there, and back again
        monkeypatch.setattr(freshness, "inputs", sources)
        assert len(swept(out, **asked).failed) == 2
        assert (made / "edition.json").stat().st_mtime_ns > there
        there = (made / "edition.json").stat().st_mtime_ns


def site_of(place: Path, text: str) -> Path:
    place.mkdir(parents=True)
    (place / "page.html").write_text(f"<p>{text}</p>" + "".join(f"<p>line {number}</p>" for number in range(2000)))
    return place


def test_a_plan_beside_the_sources_is_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a site was built of is asked anew with each sweep, and a plan of more editions is another file."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    (tmp_path / "_config.yml").write_text("title: a book")
    for command_of_git in (["init", "-q"], ["add", "_config.yml"]):
        subprocess.run(["git", *command_of_git], cwd=tmp_path, check=True)

    def found(plan: str) -> str:
        (tmp_path / "plan.yml").write_text(plan)
        return freshness.inputs({}, None, apart=freshness.untracked())

    assert found("list: []") == (first := found("list: [{}]"))
    (tmp_path / "_config.yml").write_text("title: another book")
    assert found("list: []") != first


@pytest.mark.parametrize("only", ["figures", "site"])
def test_what_was_built_before_is_gone_before_it_is_built_anew(tmp_path: Path, only: str) -> None:
    edition = Edition("abc", {}, "book", {})
    asked = sites.Asked("abc", {}, lambda: None, sites.target(tmp_path, only, edition), only)
    sites.forget(asked)
    for text in ("before", "after"):
        sites.keep(asked, site_of(tmp_path / text, text))
        assert asked.goal.exists()
        if only == "site":
            stored.take_out(tmp_path / sites.SITES, "abc", tmp_path / f"{text}-out")
            assert text in (tmp_path / f"{text}-out" / "page.html").read_text()
        else:
            assert text in (asked.goal / "page.html").read_text()
        sites.forget(asked)
        assert not asked.goal.exists()


def test_a_store_whose_first_edition_is_built_anew_goes_on_to_keep_what_differs(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    for turn, order in {"before": ("first", "second"), "after": ("second", "first")}.items():
        for name in order:
            stored.keep(site_of(tmp_path / turn / name, f"{turn} {name}"), store, name)
        for name in ("first", "second"):
            stored.take_out(store, name, tmp_path / "out" / turn / name)
            assert contents(tmp_path / "out" / turn / name) == contents(tmp_path / turn / name)
        assert len(list(store.glob("objects/*/*.parts"))) == (1 if turn == "before" else 2), "of what was kept second"
        for name in ("first", "second"):
            stored.forget(store, name)


def test_what_an_edition_needs_is_there_after_the_cache_was_trimmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn cells are laid over data that lie in the cache, the oldest of all that does."""
    held: list[Path | None] = []

    class Needing(StandIn):
        def __init__(self, asked: sites.Asked, engine: Any, place: Path) -> None:
            sent._fetched.clear()  # as in a process of its own
            held.append(asked.data())
            super().__init__(asked, engine, place)

    monkeypatch.setattr(sites, "Build", Needing)
    monkeypatch.setattr(sites, "prepare", lambda: None)
    monkeypatch.setattr(sites, "BETWEEN", 1)
    monkeypatch.setattr(sites, "ROUNDS", 1)
    trimmed: list[int] = []

    def trim(**given: float) -> None:
        trimmed.append(len(held))
        shutil.rmtree(places.cache_folder() / "sent")

    monkeypatch.setattr(cache, "trim", trim)
    cells = "[{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, spread: 0.05}]"
    (tmp_path / "plan.yml").write_text(
        f"draws: {{count: 3, seed: 1, cells: {cells}}}\nset: {{reading_speed_word_per_min: 250}}\n"
    )
    asked = plan.asked(tmp_path / "plan.yml", [], FEW, None)
    assert not swept(tmp_path / "out", asked=asked, only="figures", engine=Engine(jobs=1)).failed
    assert trimmed[:2] == [1, 2]
    assert len(held) == 3


def test_the_cache_is_trimmed_between_editions_and_while_none_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site leaves megabytes in the cache: those of a sweep of thousands would fill a disk that their store does not."""
    begun: list[str] = []
    ended: list[str] = []
    trimmed: list[tuple[int, int]] = []

    class Counted(StandIn):
        def __init__(self, asked: sites.Asked, engine: Any, place: Path) -> None:
            super().__init__(asked, engine, place)
            begun.append(asked.name)

    monkeypatch.setattr(sites, "Build", Counted)
    monkeypatch.setattr(sites, "BETWEEN", 3)
    asked = [
        sites.Asked(f"{number}", {"reading_speed_word_per_min": 200}, lambda: None, tmp_path / f"{number}", "figures")
        for number in range(8)
    ]
    sites.build(
        asked, tmp_path, executors.Engine(jobs=1), done=lambda one, why: ended.append(one.name),
        trim=lambda: trimmed.append((len(begun), len(ended))),
    )  # fmt: skip
    assert trimmed == [(4, 4)], "four a process, where that is more than three"
    assert sorted(ended) == [one.name for one in asked]


def test_a_full_disk_keeps_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, room = cache.replace, [4]

    def full(path: Path, content: bytes) -> None:
        room[0] -= "objects" in str(path)
        if room[0] < 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        whole(path, content)

    monkeypatch.setattr(cache, "replace", full)
    with pytest.raises(SiteError, match="no space left on device"):
        swept(tmp_path / "out")
    assert not (tmp_path / "out" / folder.MANIFEST).exists()
    monkeypatch.setattr(cache, "replace", whole)
    again = swept(tmp_path / "out")
    assert (again.computed, again.found) == (1, 1)


def test_a_wrong_plan_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="index-needed-fp16"):
        swept(tmp_path / "out", wanted="index-needed-fp61")
    assert not (tmp_path / "out").exists()


def test_a_drawn_cell_moves_the_numbers_that_rest_on_it(tmp_path: Path) -> None:
    text = (
        "draws: {count: 2, cells: [{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, low: 30, high: 40}]}\n"
        "numbers: [index-iphone-14-fp16]"
    )
    asked = plan.of_file(door.Given("plan.yml", text.encode()), tmp_path)
    swept(tmp_path / "out", asked=asked)
    found = {
        float(one["devices/iphone-14/memory_bandwidth_gbyte_per_s"]): float(one["value"])
        for one in rows(tmp_path / "out")
    }
    assert sorted(found) == [32.5, 37.5]
    assert found[37.5] / found[32.5] == pytest.approx(37.5 / 32.5, rel=0.01)


# ------------------------------------------------------------------------------------------------------------- stores


# -------------------------------------------------------------------------------------------------- as a command does it


def of_site(place: Path) -> tuple[dict[str, float], dict[str, tuple[str, float | None]]]:
    """The numbers and the verdicts of a site."""
    told, judged = (json.loads((place / f"{name}.json").read_text(encoding="utf-8")) for name in ("numbers", "claims"))
    values = {one["id"]: one["number"] for one in told if one["number"] is not None}
    return values, {one["id"]: (one["verdict"], one["value"]) for one in judged}


BANDWIDTH = "devices/iphone-14/memory_bandwidth_gbyte_per_s"
EDITIONS = """
list: [{reading_speed_word_per_min: 250}, {reading_speed_word_per_min: 300}]
draws: {count: 1, cells: [{table: devices, row: iphone-14, column: memory_bandwidth_gbyte_per_s, low: 34.2, high: 34.3}]}
"""
MOST_KEPT_BYTE = 6_000_000
"""By so much at most a store of sites grows with an edition of which one parameter, or one cell, is another."""


def kept_byte(store: Path, edition: str, than: str) -> int:
    """Bytes that a store has for one edition and not for another."""
    own, others = (set(stored._listed(store, name).values()) for name in (edition, than))
    return sum(
        path.stat().st_size for key in own - others for path in (store / stored.OBJECTS / key[:2]).glob(f"{key[2:]}*")
    )


def test_figures_are_those_of_sites(site: Path, tmp_path: Path) -> None:
    """Without the pages: they show nothing without the style sheet of a site."""
    out = tmp_path / "out"
    asked = ("--set", "reading_speed_word_per_min=250", "--numbers", FEW, "--only", "figures")
    done = command("sweep", *asked, "--out", str(out))
    assert done.returncode == 0, done.stderr
    [edition] = {one["edition"] for one in rows(out)}
    place = out / sites.FIGURES_OF / edition
    assert verify.differences(place) == []
    own, pages = verify.digests(place), re.compile(r"(^|/)(index|embed)\.\w+$|\.js$")
    assert own == {
        name: told
        for name, told in verify.digests(site).items()
        if name.startswith(("figures", "numbers.json", "claims.json")) and not pages.search(name)
    }


def test_numbers_verdicts_and_sites_are_those_of_builds(site: Path, tmp_path: Path) -> None:
    """For the default, for another setting and for another cell, every one of them, to the last digit that is published."""
    out = tmp_path / "out"
    (tmp_path / "plan.yml").write_text(EDITIONS, encoding="utf-8")
    done = command("sweep", str(tmp_path / "plan.yml"), "--only", "site", "--out", str(out))
    assert done.returncode == 0, done.stderr
    found = rows(out)
    by_cell = [one for one in found if one[BANDWIDTH]]
    found = [one for one in found if not one[BANDWIDTH]]
    edition = {one["reading_speed_word_per_min"]: tmp_path / one["edition"] for one in found}
    [of_cell] = {one["edition"] for one in by_cell}
    for name in (edition["300.0"].name, of_cell):
        assert kept_byte(out / sites.SITES, name, edition["250.0"].name) < MOST_KEPT_BYTE
    edition["a cell"] = tmp_path / of_cell
    for place in edition.values():
        assert command("checkout", place.name, str(place), "--from", str(out)).returncode == 0
        assert verify.differences(place) == []
    assert verify.digests(edition["250.0"]) == verify.digests(site)
    for own, place in (
        ([one for one in found if one["reading_speed_word_per_min"] == "250.0"], site),
        ([one for one in found if one["reading_speed_word_per_min"] == "300.0"], edition["300.0"]),
        (by_cell, edition["a cell"]),
    ):
        values, judged = of_site(place)
        assert {one["id"]: float(one["value"]) for one in own if not one["verdict"]} == values
        told = {
            one["id"]: (one["verdict"], float(one["value"]) if one["value"] else None) for one in own if one["verdict"]
        }
        assert told == judged


def started(out: Path, *asked: str, **more: str) -> subprocess.Popen[str]:
    """A sweep of a dozen editions, as a command in a session of its own."""
    arguments = [
        "sweep",
        "--set",
        "reading_speed_word_per_min=200:310:12",
        "--numbers",
        FEW,
        "--out",
        str(out),
        "--jobs",
        "2",
        *asked,
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "analysis", *arguments], cwd=ROOT, env=os.environ | {MARK: str(out)} | more,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=hears_interrupts,  # noqa: PLW1509 - the tests start processes from one thread
    )  # fmt: skip


MARK = "MEMORY_WALL_TEST_OF_SWEEPS"


def living(mark: str) -> list[str]:
    """The command lines of processes that were started with a mark in their environment."""
    found = []
    for folder_ in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder_ / "environ").read_bytes():
                found.append((folder_ / "cmdline").read_text(encoding="utf-8").replace("\0", " "))
    return found


def until(true: Callable[[], object], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_is_ended_leaves_no_process_and_repeats_nothing(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    process = started(out)
    until(lambda: list(out.glob("objects/*/*.json")) or process.poll() is not None)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert number == signal.SIGKILL or "what was found so far is kept" in told
    assert "Traceback" not in told
    until(lambda: not living(str(out)), 30)
    there = {path: path.stat().st_mtime_ns for path in out.glob("objects/*/*.json")}
    assert 0 < len(there) < 12
    assert not (out / folder.MANIFEST).exists()
    again = started(out)
    said, told = again.communicate(timeout=300)
    assert again.returncode == 0, told
    assert f"{12 - len(there)} results computed, {len(there)} were there" in said
    assert {path: path.stat().st_mtime_ns for path in there} == there
    assert not living(str(out))


def test_a_sweep_that_is_killed_while_it_builds_leaves_no_process_and_no_half_of_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started(out, "--only", "figures")
    until(lambda: list(out.glob(".new-*/site*")) or list(out.glob(".new-*/.site*")) or process.poll() is not None)
    process.kill()
    process.communicate(timeout=60)
    until(lambda: not living(str(out)), 30)
    assert not list(out.glob(f"{sites.FIGURES_OF}/*"))
    with folder.claimed(out):
        assert not list(out.glob(".new-*"))


@pytest.mark.parametrize("n_process", [1, 2], ids=["while it is read", "while workers begin"])
def test_ctrl_c_ends_a_sweep_that_has_just_begun_with_one_line(tmp_path: Path, n_process: int) -> None:
    out = tmp_path / "out"
    process = started(out, MEMORY_WALL_CACHE=str(tmp_path / "cache"))
    until(lambda: len(living(str(out))) >= n_process)
    time.sleep(0.2)  # Python itself is there now
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to all that were started
    said, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert (said, len(told.strip().splitlines())) == ("", 1), told
    assert "memory-wall: stopped" in told
    until(lambda: not living(str(out)), 30)


def test_a_wrong_plan_ends_with_two_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text("grid:\n  token_per_wrd: [1]\n", encoding="utf-8")
    done = command("sweep", str(tmp_path / "plan.yml"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "plan.yml:2:grid.token_per_wrd: found parameter 'token_per_wrd'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
