"""Frozen editions: carried along as they were published, or named as damaged before anything is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.book.compare import states
from analysis.book.record import cite, editions, policy
from analysis.book.store import verify
from analysis.errors import InputError
from tests.conftest import names_below
from tests.test_belongings import RECORD, sealed, write

DAMAGE: dict[str, Callable[[Path], object]] = {
    "truncated": lambda edition: cut(edition / "edition.json"),
    "empty": lambda edition: (edition / "edition.json").write_text("", encoding="utf-8"),
    "a list": lambda edition: (edition / "edition.json").write_text("[]", encoding="utf-8"),
    "empty braces": lambda edition: (edition / "edition.json").write_text("{}", encoding="utf-8"),
    "deep": lambda edition: (edition / "edition.json").write_text("[" * 100_000, encoding="utf-8"),
    "no UTF-8": lambda edition: (edition / "edition.json").write_bytes(b"\xff\xfe"),
    "a pipe": lambda edition: replaced(edition / "edition.json", os.mkfifo),
    "a folder": lambda edition: replaced(edition / "edition.json", os.mkdir),
    "missing": lambda edition: (edition / "edition.json").unlink(),
    "another commit": lambda edition: changed(edition, commit="b" * 40),
    "no figures": lambda edition: changed(edition, figures=None),
    "another edition": lambda edition: verify.seal(changed(edition, edition="2026.09")),
    "page changed": lambda edition: (edition / "index.html").write_text("changed", encoding="utf-8"),
    "page missing": lambda edition: (edition / "index.html").unlink(),
    "page added": lambda edition: (edition / "added.html").write_text("", encoding="utf-8"),
    "gone": shutil.rmtree,
}


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def changed(edition: Path, /, **parts: object) -> Path:
    record = json.loads((edition / "edition.json").read_text(encoding="utf-8"))
    (edition / "edition.json").write_text(json.dumps(record | parts), encoding="utf-8")
    return edition


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with one frozen edition."""
    made = sealed(tmp_path / "html", "text")
    sealed(made / "editions" / "2026.11", "frozen")
    editions.index(made, "")
    verify.seal(made)
    return made


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_edition_is_named_and_nothing_is_lost(site: Path, damage: str) -> None:
    editions.require_sound(site)
    kept = shutil.copytree(site / "editions" / "2026.11", site.parent / "kept")
    DAMAGE[damage](site / "editions" / "2026.11")
    with pytest.raises(InputError, match=r"editions/2026\.11: found .*Put it back as it was, from its archive"):
        editions.require_sound(site)
    editions.known(site)
    editions.index(site, "https://example.org")
    assert verify.differences(site)
    shutil.rmtree(site / "editions" / "2026.11", ignore_errors=True)
    shutil.copytree(kept, site / "editions" / "2026.11")
    editions.index(site, "")
    editions.require_sound(site)


@pytest.mark.parametrize("links", [True, False])
def test_editions_and_what_lies_beside_them_are_carried_along(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError("no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    write(site / "editions", {"notes/mine.txt": "mine"})
    (site / "editions" / "latest").symlink_to("2026.11")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    before = (site / "editions" / "index.html").read_text(encoding="utf-8")
    editions.carry(site, fresh)
    editions.index(fresh, "")
    assert set(names_below(site / "editions")) == set(names_below(fresh / "editions"))
    assert (fresh / "editions" / "notes" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert os.readlink(fresh / "editions" / "latest") == "2026.11"
    (fresh / "editions" / "index.html").write_text("another", encoding="utf-8")
    assert (site / "editions" / "index.html").read_text(encoding="utf-8") == before, (
        "of the site that is published still"
    )


def test_the_list_of_editions_has_a_policy(site: Path) -> None:
    page = (site / "editions" / "index.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    with pytest.raises(ValueError, match="character set"):
        policy.secured("<html><head></head></html>")


@pytest.mark.parametrize("record", ["[]", "{}", "null", '{"edition": 1}', '{"parameters": []}', "[" * 100_000, "{"])
def test_a_strange_record_is_told_of(tmp_path: Path, record: str) -> None:
    write(
        tmp_path,
        {
            "edition.json": record,
            "claims.json": "[]",
            "figures.json": "[]",
            "tables/datapackage.json": '{"resources": []}',
        },
    )
    with pytest.raises(InputError, match="complete site"):
        cite.published_work(tmp_path, "book")
    with pytest.raises(InputError, match="complete site"):
        states._site(tmp_path, "it")


def test_an_edition_is_cited_by_its_name(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = changed(site / "editions" / "2026.11", address="https://example.org/editions/2026.11")
    assert cite.place("2026.11", site) == frozen
    assert cite.published_work(frozen, "book").address == "https://example.org/editions/2026.11/"
    monkeypatch.chdir(tmp_path)
    assert cite.place("", site) == site
    assert cite.place("2026.12", site) == Path("2026.12")
    (tmp_path / "2026.11").mkdir()
    assert cite.place("2026.11", site) == Path("2026.11"), "a folder of this name goes first"


def test_a_record_that_is_one_is_cited(tmp_path: Path) -> None:
    write(tmp_path, {"edition.json": json.dumps(RECORD)})
    assert cite.published_work(tmp_path, "book").edition == "2026.11"
