"""Two editions through a repository, a release and a fresh clone: what was published once is there, byte for byte, under a sub-path."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.book.store import archives, verify
from analysis.errors import InputError
from tests.conftest import ROOT, is_untouched, names_below, site_of_yesterday
from tests.small import FIGURE, Book
from tests.test_belongings import RECORD, sealed
from tests.test_places import PREFIX, embeds, is_there, missing, served

__all__ = ["served"]
FIRST, SECOND = "2026.12", "2027.03"


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *named, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def cloned(bare: Path, folder: Path) -> Book:
    """A fresh checkout: nothing of ``_build`` came along."""
    git(bare.parent, "clone", "-q", str(bare), str(folder))
    book = Book.__new__(Book)
    book.folder = folder
    return book


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory, served: tuple[str, Path]) -> dict[str, Path | str]:
    """An edition released in one clone and kept as an archive; another one in a second clone, which has only that archive."""
    address, place = served
    root = tmp_path_factory.mktemp("cycle")
    book = Book(root / "work")
    book.write("index", FIGURE.replace("small-", "landing-").replace("# A figure", "# The landing page"))
    shutil.copyfile(ROOT / "CITATION.cff", book.folder / "CITATION.cff")
    (book.folder / ".gitignore").write_text("/_build/\n__pycache__/\n", encoding="utf-8")
    git(root, "init", "-q", "--bare", "bare.git")
    git(book.folder, "init", "-q")
    git(book.folder, "add", "-A")
    git(book.folder, "commit", "-qm", "the book")
    git(book.folder, "push", "-q", str(root / "bare.git"), "HEAD:main")
    done = book.run("release", "--edition", FIRST, "--date", "2026-12-05", "--address", address)
    assert done.returncode == 0, done.stderr
    assert "chapters/parameters.yml and CITATION.cff say so. Commit them." in done.stdout
    git(book.folder, "commit", "-qam", "the edition")
    git(book.folder, "push", "-q", str(root / "bare.git"), "HEAD:main")
    kept = Path(shutil.copytree(book.folder / "_build" / "releases", root / "kept"))
    fresh = cloned(root / "bare.git", root / "fresh")
    done = fresh.run("release", "--from", str(kept), "--edition", SECOND, "--date", "2027-03-01", "--address", address)
    assert done.returncode == 0, done.stderr
    assert f": {FIRST}, {SECOND}." in done.stdout
    fresh.site.rename(place)
    return {
        "address": address,
        "place": place,
        "first": book.site / "editions" / FIRST,
        "fresh": fresh.folder,
        "kept": kept,
    }


def test_the_first_edition_is_as_it_was_published(cycle: dict[str, Path]) -> None:
    again, first = cycle["place"] / "editions" / FIRST, cycle["first"]
    assert verify.differences(cycle["place"]) == []
    assert names_below(again) == names_below(first)
    assert all((again / name).read_bytes() == (first / name).read_bytes() for name in names_below(first))


def test_every_place_that_the_site_names_is_there(cycle: dict[str, Path]) -> None:
    assert PREFIX in str(cycle["address"])
    assert missing(cycle["place"], f"{cycle['address']}/") == []
    assert is_there(f"{cycle['address']}/editions/{FIRST}/index.html")


def test_the_pages_name_every_edition_and_pin_the_newest(cycle: dict[str, Path]) -> None:
    rows = json.loads((cycle["place"] / "editions.json").read_text(encoding="utf-8"))
    assert [row["edition"] for row in rows] == [FIRST, SECOND]
    page = cycle["place"] / "figures" / "small-figure" / "index.html"
    assert f"Edition {FIRST}, as it was published" in page.read_text(encoding="utf-8")
    assert f"Copy embed code, edition {SECOND} for good" in embeds(page)
    bib = cycle["place"] / "editions" / FIRST / "figures" / "small-figure" / "small-figure.bib"
    assert f"{cycle['address']}/editions/{FIRST}/figures/small-figure/" in bib.read_text(encoding="utf-8")


def test_the_book_calls_itself_by_its_newest_edition(cycle: dict[str, Path]) -> None:
    for file, told in (("chapters/parameters.yml", f'default: "{SECOND}"'), ("CITATION.cff", f'version: "{SECOND}"')):
        text = (cycle["fresh"] / file).read_text(encoding="utf-8")
        assert told in text
        assert '"2027-03-01"' in text
    assert "2023-05-13" in (cycle["fresh"] / "chapters/parameters.yml").read_text(encoding="utf-8")


# --------------------------------------------------------------------------------- archives that are none

EDITION = "2026.11"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The sound archive of an edition."""
    folder = sealed(tmp_path / f"memory-wall-{EDITION}", "frozen")
    target = tmp_path / "archives" / f"memory-wall-{EDITION}.tar.gz"
    target.parent.mkdir()
    with tarfile.open(target, "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    return target


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, link, size
    return found


def added(archive: Path, *entries: tarfile.TarInfo) -> None:
    content = gzip.decompress(archive.read_bytes())
    buffer = io.BytesIO(content)
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        for one in entries:
            tar.addfile(one, io.BytesIO(b"x" * one.size))
    archive.write_bytes(gzip.compress(buffer.getvalue()))


def flipped(archive: Path) -> None:
    content = bytearray(gzip.decompress(archive.read_bytes()))
    place = content.index(b"frozen")
    content[place] ^= 1
    archive.write_bytes(gzip.compress(bytes(content)))


INSIDE = f"memory-wall-{EDITION}"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "cut in the middle": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a byte of the packing": lambda path: path.write_bytes(path.read_bytes()[:60] + b"\x00\xff" + path.read_bytes()[62:]),
    "a byte of a page": flipped,
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_text("<html>404</html>", encoding="utf-8"),
    "a file more": lambda path: added(path, entry(f"{INSIDE}/more.html", size=3)),
    "a place outside": lambda path: added(path, entry("../outside.txt", size=3)),
    "an absolute place": lambda path: added(path, entry("/tmp/outside.txt", size=3)),
    "a link": lambda path: added(path, entry(f"{INSIDE}/link", tarfile.SYMTYPE, "/etc/passwd")),
    "a pipe": lambda path: added(path, entry(f"{INSIDE}/pipe", tarfile.FIFOTYPE)),
    "two editions": lambda path: added(path, entry("memory-wall-2026.12/edition.json", size=3)),
    "another checksum": lambda path: path.with_name(f"{path.name}.sha256").write_text("0" * 64, encoding="utf-8"),
}  # fmt: skip


def test_a_sound_archive_comes_back(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert archives.restored(archive, tmp_path / "site", tmp_path / "one") == EDITION
    (tmp_path / "two").mkdir()
    assert archives.restored(archive, tmp_path / "site", tmp_path / "two") == EDITION, "the same once more"
    assert verify.differences(tmp_path / "site" / "editions" / EDITION) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_is_refused_by_name(archive: Path, tmp_path: Path, damage: str) -> None:
    DAMAGE[damage](archive)
    (tmp_path / "workshop").mkdir()
    with pytest.raises(
        InputError, match=rf"memory-wall-{EDITION}\.tar\.gz: found .*; expected the archive of an edition"
    ):
        archives.restored(archive, tmp_path / "site", tmp_path / "workshop")
    assert not (tmp_path / "site").exists()
    assert not (tmp_path / "outside.txt").exists()


def test_too_much_in_an_archive_is_refused(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workshop").mkdir()
    for limit, value in (("LARGEST_ARCHIVE_BYTE", 100), ("MOST_FILES", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(archives, limit, value)
            with pytest.raises(InputError, match="more than"):
                archives.restored(archive, tmp_path / "site", tmp_path / "workshop")


@pytest.mark.parametrize("name", ["../x", "2026", "2026.12/x", ""])
def test_an_edition_with_a_strange_name_is_refused(tmp_path: Path, name: str) -> None:
    folder = sealed(tmp_path / "memory-wall-x", "text")
    (folder / "edition.json").write_text(json.dumps(RECORD | {"edition": name}), encoding="utf-8")
    verify.seal(folder)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    (tmp_path / "workshop").mkdir()
    with pytest.raises(InputError, match="an edition called"):
        archives.restored(tmp_path / "x.tar.gz", tmp_path / "site", tmp_path / "workshop")


def test_another_edition_of_a_published_name_is_refused(archive: Path, tmp_path: Path) -> None:
    sealed(tmp_path / "site" / "editions" / EDITION, "other")
    (tmp_path / "workshop").mkdir()
    with pytest.raises(InputError, match=rf"another edition {EDITION} than the one that is published"):
        archives.restored(archive, tmp_path / "site", tmp_path / "workshop")


def test_nothing_is_published_where_an_archive_is_damaged(archive: Path, tmp_path: Path) -> None:
    from tests.conftest import command

    out = site_of_yesterday(tmp_path / "html")
    DAMAGE["cut"](archive)
    for given in (archive.parent, archive, tmp_path / "nowhere"):
        done = command("release", "--from", str(given), "--out", str(out))
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert str(given) in done.stderr
    assert is_untouched(out)
