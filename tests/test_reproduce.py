"""Builds under other conditions give the same bytes, and where they do not, file and cause are named."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.conftest import ROOT
from tests.small import Book


@pytest.fixture(scope="module")
def reproduce() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reproduce", ROOT / "scripts" / "reproduce.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reproduce"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders that are the same."""
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "figures").mkdir(parents=True)
    (first / "index.html").write_text("<p>one\n<p>two\n<p>built on a day\n", encoding="utf-8")
    (first / "figures" / "a.png").write_bytes(b"\x89PNG\x00\xff")
    shutil.copytree(first, second)
    return first, second


def told(reproduce: ModuleType, sites: tuple[Path, Path]) -> list[str]:
    return [str(one) for one in reproduce.differences(*sites)]


def test_equal_folders_have_no_differences(reproduce: ModuleType, sites: tuple[Path, Path]) -> None:
    assert told(reproduce, sites) == []


def test_a_changed_byte_is_shown_with_what_stands_around_it(reproduce: ModuleType, sites: tuple[Path, Path]) -> None:
    (sites[1] / "index.html").write_text("<p>one\n<p>two\n<p>built on a night\n", encoding="utf-8")
    (said,) = told(reproduce, sites)
    assert said.startswith("index.html: byte 28, line 3")
    assert "built on a day" in said
    assert "built on a night" in said


def test_a_file_that_merely_ends_earlier_differs(reproduce: ModuleType, sites: tuple[Path, Path]) -> None:
    (sites[1] / "figures" / "a.png").write_bytes(b"\x89PNG\x00")
    (said,) = told(reproduce, sites)
    assert said.startswith("figures/a.png: byte 5,")


def test_files_and_folders_on_one_side_only_are_named(reproduce: ModuleType, sites: tuple[Path, Path]) -> None:
    (sites[0] / "figures" / "a.png").unlink()
    (sites[0] / "empty").mkdir()
    assert told(reproduce, sites) == [
        "empty: only in the first site",
        "figures/a.png: only in the second site",
    ]


def test_permissions_count(reproduce: ModuleType, sites: tuple[Path, Path]) -> None:
    for site in sites:
        (site / "index.html").chmod(0o644)
    assert told(reproduce, sites) == []
    (sites[1] / "index.html").chmod(0o600)
    (said,) = told(reproduce, sites)
    assert said == "index.html: permissions 100644 against 100600"


def test_the_cause_is_found_by_trying_each_condition(reproduce: ModuleType, tmp_path: Path) -> None:
    """A build that writes the time zone into one page and the order of a set into another."""
    tried = []

    def build(conditions: object) -> Path:
        tried.append(conditions)
        site = tmp_path / str(len(tried))
        site.mkdir()
        (site / "same.html").write_text("the same", encoding="utf-8")
        (site / "date.html").write_text(f"built in {conditions.time_zone}", encoding="utf-8")  # type: ignore[attr-defined]
        (site / "set.html").write_text(f"order {conditions.hash_seed}", encoding="utf-8")  # type: ignore[attr-defined]
        return site

    first = reproduce.Conditions()
    other = reproduce.Conditions(time_zone="Asia/Tokyo", hash_seed="7", umask=0o077, jobs=1)
    assert reproduce.causes(first, other, "date.html", build) == ["time zone UTC → time zone Asia/Tokyo"]
    assert reproduce.causes(first, other, "set.html", build) == ["hash seed 0 → hash seed 7"]
    assert reproduce.causes(first, other, "same.html", build) == []


def test_what_is_reported_names_build_file_and_cause(reproduce: ModuleType, tmp_path: Path) -> None:
    def build(conditions: object) -> Path:
        site = tmp_path / f"{conditions.umask:o}"  # type: ignore[attr-defined]
        site.mkdir(exist_ok=True)
        (site / "page.html").write_text(f"umask {site.name}", encoding="utf-8")
        return site

    builds = {"first": reproduce.Conditions(), "private": reproduce.Conditions(umask=0o077)}
    said = reproduce.compared(builds, {name: build(it) for name, it in builds.items()}, build)
    assert said[0] == "private: 1 files differ from the first build."
    assert said[1] == "Cause, for page.html: umask 022 → umask 077."
    assert "page.html: byte 6" in said[2]


def test_a_small_book_is_the_same_under_all_other_conditions(reproduce: ModuleType, tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    workshop = reproduce.Workshop(book.folder, tmp_path / "workshop")
    first = reproduce.Conditions()
    other = reproduce.Conditions(
        folder="a länger path/below", time_zone="Pacific/Kiritimati", locale=workshop.other_locale(), hash_seed="4242",
        umask=0o077, jobs=1, home="nobody", source_date_epoch="1000000000",
    )  # fmt: skip
    sites = [workshop.build(conditions) for conditions in (first, other)]
    assert told(reproduce, (sites[0], sites[1])) == []
    assert reproduce.digest(sites[0]) == reproduce.digest(sites[1])
    assert sites[1].stat().st_mode & 0o777 == 0o755


def test_every_condition_that_is_filed_is_one_of_the_script(reproduce: ModuleType, tmp_path: Path) -> None:
    fields = set(reproduce.asdict(reproduce.Conditions()))
    builds = reproduce.asked([])
    assert {name for settings in builds.values() for name in settings} == fields
    filed = yaml.safe_load(reproduce.CONDITIONS.read_text(encoding="utf-8"))
    assert filed["not_tried"]
    assert all(build["tells"] for build in filed["builds"].values())


def test_builds_and_single_conditions_are_chosen_by_name(reproduce: ModuleType) -> None:
    assert list(reproduce.asked(["warm"])) == ["warm"]
    assert reproduce.asked(["umask"]) == {"umask 077": {"umask": "077"}, "umask 000": {"umask": "000"}}
    with pytest.raises(SystemExit, match=r"called 'nonsense'\. Known: warm, .*other Python.*, numpy without"):
        reproduce.asked(["nonsense"])


def test_instruction_sets_are_taken_away_one_by_one(
    reproduce: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduce, "instruction_sets", lambda: ["X86_V3", "X86_V4"])
    workshop = reproduce.Workshop(tmp_path, tmp_path)
    settings = {"numpy_without": "step by step"}
    builds, missing = reproduce.planned(workshop, {"fewer": settings})
    assert [it.numpy_without for it in builds.values()] == ["", "X86_V4", "X86_V3 X86_V4"]
    assert missing == []
    assert workshop.environment(builds["fewer 1"], tmp_path)["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"
    monkeypatch.setattr(reproduce, "instruction_sets", list)
    assert reproduce.planned(workshop, {"fewer": settings})[1] == [
        "fewer: numpy without step by step, which this system does not offer"
    ]


@pytest.mark.parametrize("condition", ["processors", "standard_input", "network"])
def test_a_command_that_cannot_be_put_into_a_condition_is_not_tried(
    reproduce: ModuleType, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence is looked for under the command: one that changes nothing does not count."""
    reproduce.putting_into.cache_clear()
    monkeypatch.setitem(reproduce.WRAPPERS, condition, [["env"]])
    monkeypatch.setitem(reproduce.EVIDENCE, condition, "false")
    assert reproduce.putting_into(condition) == []
    monkeypatch.setitem(reproduce.EVIDENCE, condition, "true")
    reproduce.putting_into.cache_clear()
    assert reproduce.putting_into(condition) == ["env"]
    reproduce.putting_into.cache_clear()


def test_the_environment_of_the_bare_desk(reproduce: ModuleType, tmp_path: Path) -> None:
    workshop = reproduce.Workshop(tmp_path, tmp_path)
    bare = reproduce.Conditions(home="unset", temporary="blank é", optimize="1", terminal="narrow", threads="8")
    environment = workshop.environment(bare, tmp_path)
    assert "HOME" not in environment
    assert environment["TMPDIR"] == str(tmp_path / "blank é")
    assert [environment[name] for name in ("PYTHONOPTIMIZE", "COLUMNS", "OMP_NUM_THREADS")] == ["1", "20", "8"]
