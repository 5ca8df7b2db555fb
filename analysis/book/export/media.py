"""The media a site can be written as, and how each is put on the disk: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.book.export import chapters, epub, myst, pdf
from analysis.book.export.chapters import Book
from analysis.book.store.files import write as put
from analysis.book.store.places import BUILD
from analysis.errors import InputError, Problem

FOLDER = BUILD / "export"
MEDIA: dict[str, tuple[str, Callable[[Book], bytes | dict[str, bytes]]]] = {
    "pdf": (".pdf", pdf.made),
    "epub": (".epub", epub.made),
    "myst": ("-myst", myst.made),
}
"""Medium → how its name ends, and what makes it: a file, or the files of a folder."""


def write(site: Path, kinds: list[str], out: Path | None = None) -> Iterator[Path]:
    """Write a site in each of the media, and say where; raises InputError for what cannot be, before anything is written."""
    if problem := _problem(kinds, out):
        raise InputError([problem])
    book = chapters.read(site)
    targets = {kind: out or FOLDER / f"{book.stem}{MEDIA[kind][0]}" for kind in kinds}
    if problems := [_taken(path, kind) for kind, path in targets.items() if _is_taken(path, kind)]:
        raise InputError(problems)
    for kind, path in targets.items():
        _put(path, MEDIA[kind][1](book))
        yield path


def _problem(kinds: list[str], out: Path | None) -> Problem | None:
    if not kinds:
        return Problem("memory-wall export", "no medium", "one or more of --pdf, --epub, --myst")
    if out and len(kinds) > 1:
        return Problem(
            "--out", f"one place for {len(kinds)} media", "one medium", "Leave it out, or ask for one at a time."
        )
    return None


MARKS = {"pdf": b"%PDF-", "epub": b"application/epub+zip"}
"""What a file of a medium says at its beginning, by which one made before is known."""
HEAD_BYTE = 80


def _is_taken(path: Path, kind: str) -> bool:
    """Whether something lies there that is not to be replaced: anything but an empty folder, or a file that was such a medium before."""
    if path.is_symlink() or not path.exists():
        return path.is_symlink()
    if kind == "myst":
        return not (path.is_dir() and not any(path.iterdir()))
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return MARKS[kind] not in file.read(HEAD_BYTE)


def _taken(path: Path, kind: str) -> Problem:
    if kind == "myst":
        return Problem(
            str(path), "something that is there already", "a new folder", "Name another with --out, or move it away."
        )
    what = "a folder" if path.is_dir() else "something else that is there already"
    return Problem(
        str(path), what, f"the name of a new file, or of one that is {kind.upper()}", "Name the file with --out."
    )


def _put(path: Path, content: bytes | dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / "whole"
        for name, part in {"": content}.items() if isinstance(content, bytes) else content.items():
            put(whole / name, part)
        whole.replace(path)
