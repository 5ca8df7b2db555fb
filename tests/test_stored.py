"""Sites of many editions in one store: the same bytes come out, what they share lies there once, damage is named."""

from __future__ import annotations

import errno
import gzip
import json
import random
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from analysis.book.store import cache, verify, zips
from analysis.errors import InputError, SiteError
from analysis.sweep import sites, stored
from tests.conftest import names_below


def small(place: Path, said: str) -> Path:
    """A site of four files, two of which differ between editions: a page, and an archive of it and a table."""
    files = {"index.html": f"<p>{said}</p>", "tables/devices.csv": "id\n1\n" * 99, "tables/empty.csv": ""}
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    (place / "all.zip").write_bytes(zips.zipped({Path(name).name: (place / name).read_bytes() for name in files}))
    return place


def whole(place: Path) -> dict[str, bytes]:
    return {name: (place / name).read_bytes() for name in names_below(place)}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    place = tmp_path / "sites"
    place.mkdir()
    for name in ("one", "other"):
        stored.keep(small(tmp_path / f"built-{name}", name), place, name)
    return place


def objects(store: Path) -> list[Path]:
    return [path for path in sorted((store / stored.OBJECTS).rglob("*")) if path.is_file()]


def test_what_comes_out_is_what_was_built(store: Path, tmp_path: Path) -> None:
    for name in stored.names(store):
        stored.take_out(store, name, tmp_path / "new" / name)
        assert whole(tmp_path / "new" / name) == whole(tmp_path / f"built-{name}")
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / name).rglob("*.csv")} == {0o644}
    assert len(objects(store)) == 6, "two pages of their own and two archives; a table and an empty file that both have"


def test_of_an_archive_only_what_its_files_do_not_hold_is_kept(tmp_path: Path) -> None:
    drawn = random.Random(0).randbytes(100_000)  # noqa: S311 - noise that does not squeeze
    store = tmp_path / "sites"
    site = small(tmp_path / "site", "one")
    (site / "picture.png").write_bytes(drawn)
    (site / "all.zip").write_bytes(zips.zipped({"picture.png": drawn}))
    with ZipFile(site / "squeezed.zip", "w", ZIP_DEFLATED) as archive:
        archive.write(site / "picture.png")
    (site / "none.zip").write_bytes(b"PK\x03\x04 and no archive")
    store.mkdir()
    stored.keep(site, store, "one")
    heavy = sorted(path.stat().st_size // 50_000 for path in objects(store))
    assert heavy[-3:] == [0, 2, 2], "the picture, and the archive that squeezes it"
    stored.take_out(store, "one", tmp_path / "out")
    assert whole(tmp_path / "out") == whole(site)


def test_a_store_is_the_same_whoever_made_it(store: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    for name in ("other", "one"):
        stored.keep(tmp_path / f"built-{name}", again, name)
    told = {name: content for name, content in whole(again).items() if name != stored.FIRST}
    assert told.items() < whole(store).items()


def table(*changed: int) -> str:
    """A long table without a line like another, of whose rows some are changed."""
    noise = random.Random(7)  # noqa: S311 - not a secret
    rows = [f"{number},{noise.random()},{noise.random()}" for number in range(20_000)]
    return "\n".join(f"{row} changed" if number in changed else row for number, row in enumerate(rows))


CHANGES = {
    "nothing": (),
    "the first row": (0,),
    "the last row": (19_999,),
    "some rows": (5, 500, 501, 19_000),
    "every row": tuple(range(20_000)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_of_a_changed_file_what_differs_is_kept_and_all_of_it_comes_out(tmp_path: Path, change: str) -> None:
    store = tmp_path / "sites"
    store.mkdir()
    for name, changed in (("one", ()), ("other", CHANGES[change])):
        site = small(tmp_path / name, name)
        (site / "tables" / "long.csv").write_text(table(*changed), encoding="utf-8")
        with ZipFile(site / "all.zip", "w") as archive:
            archive.writestr(ZipInfo("long.csv"), table(*changed))
        before = sum(path.stat().st_size for path in objects(store))
        stored.keep(site, store, name)
    grown = sum(path.stat().st_size for path in objects(store)) - before
    assert grown < 4_000 * max(len(CHANGES[change]), 1)
    stored.take_out(store, "other", tmp_path / "out")
    assert whole(tmp_path / "out") == whole(tmp_path / "other")


def test_what_differs_from_a_file_that_was_lost_is_lost_and_named(tmp_path: Path) -> None:
    store = tmp_path / "sites"
    store.mkdir()
    for name, changed in (("one", ()), ("other", (5,))):
        site = small(tmp_path / name, name)
        (site / "long.csv").write_text(table(*changed), encoding="utf-8")
        stored.keep(site, store, name)
    key = cache.file_digest(tmp_path / "one" / "long.csv")
    (store / stored.OBJECTS / key[:2] / key[2:]).unlink()
    with pytest.raises(SiteError, match=r"long\.csv is damaged or lost"):
        stored.take_out(store, "other", tmp_path / "out")


def test_what_is_there_is_not_written_again(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(stored, "replace", lambda path, content: written.append(path.name))
    stored.keep(tmp_path / "built-one", store, "one")
    assert written == ["one.json.gz"]


def test_a_list_is_there_only_with_all_its_files(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(stored, "replace", full)
    with pytest.raises(OSError, match="No space"):
        stored.keep(small(tmp_path / "built-third", "third"), store, "third")
    assert stored.names(store) == ["one", "other"]


DAMAGES: dict[str, Any] = {
    "cut": lambda content: content[:9],
    "empty": lambda content: b"",
    "no archive": lambda content: b"something else",
    "another content": lambda content: gzip.compress(b"something else"),
    "bits": lambda content: content[:12] + bytes([content[12] ^ 255]) + content[13:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_nothing_is_left_behind(store: Path, tmp_path: Path, damage: str) -> None:
    for path in objects(store):
        was = path.read_bytes()
        path.write_bytes(DAMAGES[damage](was))
        named = [
            name
            for name, key in json.loads(gzip.decompress(stored.listing(store, "one").read_bytes())).items()
            if key.endswith(path.stem)
        ]
        if named and gzip.decompress(was):  # of an empty file nothing can be lost
            with pytest.raises(SiteError, match=named[0]):
                stored.take_out(store, "one", tmp_path / "out")
        assert not [path for path in tmp_path.iterdir() if path.name.startswith((".new", "out"))]
        path.write_bytes(was)


def test_a_lost_file_is_named(store: Path, tmp_path: Path) -> None:
    for path in objects(store):
        path.unlink()
    with pytest.raises(SiteError, match=r"index\.html is damaged or lost"):
        stored.take_out(store, "one", tmp_path / "out")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"../out/evil": "aaaa"}', '{"/etc/evil": "aaaa"}', '{"a": 1}', '{"": "aaaa"}']
)
def test_a_list_that_was_tampered_with_leads_nowhere(store: Path, tmp_path: Path, text: str) -> None:
    packed = gzip.compress(text.encode())
    for content in (packed, text.encode(), packed[:-9]):
        stored.listing(store, "one").write_bytes(content)
        with pytest.raises(SiteError, match="list of files of one"):
            stored.take_out(store, "one", tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "said"), [("on", "one"), ("../one", "one"), ("", "Known: one, other")])
def test_an_edition_that_is_not_there_is_told_with_those_that_are(
    store: Path, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        stored.take_out(store, name, tmp_path / "out")


def test_where_no_site_was_kept_it_says_how_one_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--only site"):
        stored.take_out(tmp_path / "nothing", "one", tmp_path / "out")


def test_a_sweep_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--from: found .*nowhere, no such folder; expected the folder of a sweep"):
        sites.store_of(tmp_path / "nowhere")


def test_folders_made_on_the_way_go_again_where_it_fails(store: Path, tmp_path: Path) -> None:
    for path in objects(store):
        path.unlink()
    with pytest.raises(SiteError):
        stored.take_out(store, "one", tmp_path / "a" / "b" / "out")
    assert not (tmp_path / "a").exists()


def test_a_folder_of_something_else_is_left_alone(store: Path, tmp_path: Path) -> None:
    taken, empty = tmp_path / "built-other", tmp_path / "empty"
    before = whole(taken)
    with pytest.raises(InputError, match="a place for a site"):
        stored.take_out(store, "one", taken)
    assert whole(taken) == before
    with pytest.raises(InputError, match="a place for a site"):
        stored.take_out(store, "one", taken / "index.html")
    empty.mkdir()
    stored.take_out(store, "one", empty)
    assert whole(empty) == whole(tmp_path / "built-one")


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(store: Path, tmp_path: Path) -> None:
    (tmp_path / "File").write_text("")
    with pytest.raises(InputError, match="File/Out: file exists; expected a place that can be written"):
        stored.take_out(store, "one", tmp_path / "File" / "Out")


def test_the_seal_of_a_book_stays_whole(site: Path, tmp_path: Path) -> None:
    """The built book goes in and comes out."""
    store = tmp_path / "sites"
    store.mkdir()
    stored.keep(site, store, "book")
    stored.take_out(store, "book", tmp_path / "out")
    assert verify.differences(tmp_path / "out") == []
    assert {name: cache.digest(content) for name, content in whole(tmp_path / "out").items()} == {
        name: cache.file_digest(site / name) for name in names_below(site)
    }
