"""What lies in a published site and is not the book's: taken along into the next one, or put aside, and never lost.

The record of a site has the digest of every file that the build wrote.  What it does not name is somebody's own (``.git``,
``CNAME``, a folder of data) and stays where it is.  What it names and what is no longer as it was written was changed by hand:
the new site has its own version of it, and the changed one is put beside the site, where whoever changed it finds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Set
from pathlib import Path

from analysis.book.store import verify
from analysis.book.store.cache import file_digest
from analysis.errors import InputError, Problem


class Belongings:
    """What of a published site is not the book's."""

    def __init__(self, site: Path) -> None:
        self.site = site
        files = verify.digests(site)
        written = {*files, verify.RECORD} if files else set()
        folders = {parent.as_posix() for name in written for parent in Path(name).parents} | {verify.FROZEN}
        self.own = list(_others(site, "", written, folders))
        """Names of files, links and folders that the build did not write, folders before what is in them."""
        self._files = files

    def require_here(self) -> None:
        """Raise InputError where another file system is mounted within: it cannot be taken along."""
        here = self.site.stat().st_dev
        within = [*(self.site / name for name in self.own), *(Path(root) for root, _, _ in os.walk(self.site))]
        todo = "It cannot be taken along: unmount it, or name another folder for the site."
        if mounted := [path for path in within if path.lstat().st_dev != here]:
            found = f"a mount point in the site: {mounted[0]}"
            raise InputError([Problem(file="--out", found=found, expected="a site on one file system", todo=todo)])

    def link(self, site: Path) -> set[str]:
        """Let them be in the new site too before readers see it, as far as the file system has hard links; those that are."""
        linked = set()
        for name in self.own:
            with contextlib.suppress(OSError):
                _settle(self.site / name, site / name)
                linked.add(name)
        return linked

    def settle(self, site: Path, linked: Set[str] = frozenset()) -> str:
        """Move what is not yet in the site that took this one's place there, or put it beside; what was put where, in words.

        What was linked before the site took its place and replaced by its owner since is replaced there too.
        """
        for name in linked:
            if not _is_folder(self.site / name) and not _same(self.site / name, site / name):
                os.replace(self.site / name, site / name)
        refused = self._refused(site)
        changed = [name for name, was in self._files.items() if _changed(self.site / name, was)]
        aside = [name for name in [*refused, *changed] if not _same(self.site / name, site / name)]
        if not aside:
            return ""
        folder = beside(site)
        for name in aside:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.site / name, folder / name)
        more = f" and {len(aside) - 3} more" if len(aside) > 3 else ""
        return f"Changed by hand in the site, and kept in {folder}: {', '.join(aside[:3])}{more}."

    def _refused(self, site: Path) -> list[str]:
        """What was not moved, because the new site has something else of that name; not what lies within such a folder."""
        refused: list[str] = []
        for name in self.own:
            within = any(parent.as_posix() in refused for parent in Path(name).parents)
            if not within and not _moved(self.site / name, site / name):
                refused.append(name)
        return refused


def _others(folder: Path, prefix: str, written: set[str], folders: set[str]) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        name = f"{prefix}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if name == verify.FROZEN and is_folder:
            continue
        if name not in (folders if is_folder else written) or not (is_folder or entry.is_file(follow_symlinks=False)):
            yield name
        if is_folder:
            yield from _others(folder / entry.name, f"{name}/", written, folders)


def _changed(path: Path, was: str) -> bool:
    return path.is_file() and not path.is_symlink() and file_digest(path) != was


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _settle(old: Path, new: Path) -> None:
    """A folder is made, with its permissions; anything else is linked."""
    new.parent.mkdir(parents=True, exist_ok=True)
    if _is_folder(old):
        new.mkdir()
        shutil.copystat(old, new)
    else:
        os.link(old, new, follow_symlinks=False)


def _moved(old: Path, new: Path) -> bool:
    """Move one thing unless it is there; False where the new site has something else of this name."""
    if not os.path.lexists(new):
        if _is_folder(old):
            _settle(old, new)
        else:
            new.parent.mkdir(parents=True, exist_ok=True)
            os.rename(old, new)
        return True
    return _is_folder(old) and _is_folder(new)


def _same(old: Path, new: Path) -> bool:
    """Whether the new site has it already, or there is nothing to be had."""
    if not os.path.lexists(old) or (os.path.lexists(new) and os.path.samestat(old.lstat(), new.lstat())):
        return True
    return old.is_file() and new.is_file() and file_digest(old) == file_digest(new)


def beside(site: Path) -> Path:
    """A new folder beside the site, for what was in an old one."""
    number = 1
    while True:
        folder = site.with_name(f"{site.name}.changed-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
        number += 1
