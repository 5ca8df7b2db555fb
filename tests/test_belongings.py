"""What people keep in a published site, or change in it, is never lost, whatever happens to a build."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from analysis.book.store import belongings, publishing, verify, workplace
from analysis.errors import InputError
from tests.conftest import names_below

RECORD = {"edition": "2026.11", "commit": "", "parameters": {"edition_date": "2026-11-22"}, "figures": {}, "claims": {}}
OF_THE_BOOK = ("index.html", "figures/roofline/index.html", "tables/devices.csv")
OWN = {".git/HEAD": "ref", ".nojekyll": "", "CNAME": "example.org", "thesis.tex": "years", "figures/mine/a.txt": "mine",
       "figures/roofline/mine.txt": "mine", "mydata/__pycache__/x.pyc": "kept"}  # fmt: skip


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def sealed(site: Path, text: str, names: tuple[str, ...] = OF_THE_BOOK) -> Path:
    """A site as a build makes it."""
    write(site, dict.fromkeys(names, text) | {"edition.json": json.dumps(RECORD)})
    verify.seal(site)
    return site


def texts(folder: Path, names: dict[str, str]) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A published site in which somebody keeps things."""
    site = sealed(tmp_path / "html", "old")
    write(site, OWN)
    (site / ".git" / "refs").mkdir()
    (site / "link").symlink_to("/nowhere")
    os.mkfifo(site / "pipe")
    (site / "thesis.tex").chmod(0o600)
    return site


def published(out: Path, names: tuple[str, ...] = OF_THE_BOOK) -> list[str]:
    """Publish another site; what its user is told."""
    told: list[str] = []
    with publishing.claimed(out, told.append, told.append) as workshop:
        site = sealed(workshop / "site", "new", names)
        publishing.opened_to_readers(site)
        publishing.switch(site, out, told.append)
    return told


def assert_kept(out: Path) -> None:
    assert texts(out, OWN) == OWN
    assert (out / ".git" / "refs").is_dir()
    assert os.readlink(out / "link") == "/nowhere"
    assert stat.S_ISFIFO((out / "pipe").stat().st_mode)
    assert stat.S_IMODE((out / "thesis.tex").stat().st_mode) == 0o600
    assert (out / "index.html").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("swaps", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_what_is_not_the_books_stays(out: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool, links: bool) -> None:
    if not swaps:
        monkeypatch.setattr(publishing, "exchanged", lambda one, other: False)
    if not links:
        monkeypatch.setattr(os, "link", refused)
    assert published(out, OF_THE_BOOK[:1]) == []
    assert_kept(out)
    assert not (out / "tables").exists(), "what the old book had and the new one has not"
    assert names_below(out.parent, depth=1) == [".html.build", "html"]


def refused(*_: object, **__: object) -> None:
    raise PermissionError("no hard links here")


def test_what_was_changed_by_hand_is_put_beside(out: Path) -> None:
    write(out, {"index.html": "corrected by hand", "tables/devices.csv": "new"})
    (told,) = published(out)
    aside = out.with_name("html.changed-1")
    assert names_below(aside) == ["index.html"], "the other one is what the new site says too"
    assert (aside / "index.html").read_text(encoding="utf-8") == "corrected by hand"
    assert str(aside) in told
    assert "index.html" in told
    assert_kept(out)


def test_what_the_new_site_has_by_that_name_is_put_beside(out: Path) -> None:
    write(out, {"new.html": "mine", "folder/deep/a.txt": "mine", "file": "mine"})
    (told,) = published(out, (*OF_THE_BOOK, "new.html", "folder", "file/index.html"))
    aside = out.with_name("html.changed-1")
    assert texts(aside, {"new.html": "", "folder/deep/a.txt": "", "file": ""}) == dict.fromkeys(
        ("new.html", "folder/deep/a.txt", "file"), "mine"
    )
    assert "3" in told or "new.html" in told
    assert_kept(out)


def test_a_site_without_digests_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "html"
    write(out, {"edition.json": json.dumps(RECORD), "index.html": "of whom?", "about.html": "of whom?"})
    published(out)
    assert (out / "about.html").read_text(encoding="utf-8") == "of whom?"
    assert (tmp_path / "html.changed-1" / "index.html").read_text(encoding="utf-8") == "of whom?"


@pytest.mark.parametrize("swaps", [True, False])
def test_killed_after_the_switch_the_next_build_puts_things_back(out: Path, swaps: bool) -> None:
    workshop = workplace.Workplace(out.parent, ".html.workshop-")
    old = workshop.path / publishing.OLD
    out.rename(old)
    if swaps:
        sealed(out, "new")
    workshop._lock.close()  # killed here
    assert published(out) == []
    assert_kept(out)
    assert names_below(out.parent, depth=1) == [".html.build", "html"]


def test_where_things_cannot_be_moved_the_old_site_stays(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(belongings, "_moved", refused)
    (told,) = published(out)
    kept = out.with_name("html.changed-1")
    assert str(kept) in told
    assert texts(kept, OWN) == OWN


def test_what_its_owner_replaces_meanwhile_is_what_stays(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = publishing.exchanged

    def meanwhile(one: Path, other: Path) -> bool:
        (out / "CNAME").unlink()
        (out / "CNAME").write_text("example.com", encoding="utf-8")
        return swap(one, other)

    monkeypatch.setattr(publishing, "exchanged", meanwhile)
    assert published(out) == []
    assert (out / "CNAME").read_text(encoding="utf-8") == "example.com"


def test_a_mount_point_within_is_told_of(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.stat_result((0, 0, -1, 0, 0, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path, **how: found if path == out else os.stat(path, **how))
    with pytest.raises(InputError, match="mount point"):
        belongings.Belongings(out).require_here()


@pytest.mark.parametrize("text", ["my notes", "[1]", "{"])
def test_a_file_of_somebody_else_where_builds_keep_notes(tmp_path: Path, text: str) -> None:
    note = tmp_path / ".html.build"
    note.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="somebody else's file"), publishing.claimed(tmp_path / "html", print):
        pass
    assert note.read_text(encoding="utf-8") == text


def test_a_link_where_builds_keep_notes_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("{}", encoding="utf-8")
    (tmp_path / ".html.build").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="can be written"), publishing.claimed(tmp_path / "html", print):
        pass


def test_workshops_and_old_sites_of_others_stay(out: Path) -> None:
    others = (".html.workshop-mine", ".html.old-backup", ".html.old-2024")
    for name in others:
        sealed(out.parent / name, "theirs")
    published(out)
    assert names_below(out.parent, depth=1) == sorted([".html.build", "html", *others])


def test_what_hosts_look_for_changes_no_site(out: Path) -> None:
    (out / "pipe").unlink()
    (out / "link").unlink()
    assert verify.differences(out) == sorted(
        f"{name} was added" for name in OWN if not name.startswith((".", "CNAME")) and "__pycache__" not in name
    )
