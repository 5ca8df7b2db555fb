"""A build's private folders: cleared away when their process is gone, and nothing else ever is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from analysis.book.store import workplace
from analysis.errors import SiteError

PREFIX = "mw-"


@pytest.fixture
def abandoned(tmp_path: Path) -> Path:
    """A folder whose process is no more."""
    made = workplace.Workplace(tmp_path, PREFIX)
    (made.path / "deep" / "er").mkdir(parents=True)
    (made.path / "deep" / "er" / "file").write_text("left", encoding="utf-8")
    made._lock.close()
    return made.path


def test_what_a_killed_build_left_goes(tmp_path: Path, abandoned: Path) -> None:
    assert abandoned.stat().st_mode & 0o077 == 0
    workplace.clear(tmp_path, PREFIX)
    assert not abandoned.exists()


def test_what_is_not_marked_stays(tmp_path: Path, abandoned: Path) -> None:
    names = ("mw-2024-thesis", "mw-12345-", "mw-elsewhere", "mw-link", "mw-copy", "mw-pipe", "mw-empty", "mw-open")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.tex").write_text("years of work", encoding="utf-8")
    (tmp_path / "mw-elsewhere" / workplace.MARK).write_text("another program's", encoding="utf-8")
    (tmp_path / "mw-link" / workplace.MARK).symlink_to(abandoned / workplace.MARK)
    shutil.copyfile(abandoned / workplace.MARK, tmp_path / "mw-copy" / workplace.MARK)
    os.mkfifo(tmp_path / "mw-pipe" / workplace.MARK)
    (tmp_path / "mw-empty" / workplace.MARK).touch()
    (tmp_path / "mw-file").write_text("a file", encoding="utf-8")
    (tmp_path / "mw-dangling").symlink_to(tmp_path / "nowhere")
    before = sorted(path for path in tmp_path.rglob("*") if abandoned not in [path, *path.parents])
    workplace.clear(tmp_path, PREFIX)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_another_process_holds_stays(tmp_path: Path) -> None:
    """Whatever its number is here: another container may share the folder."""
    code = "from analysis.book.store.workplace import Workplace as W; from pathlib import Path"
    code = f"{code}; w = W(Path({str(tmp_path)!r}), {PREFIX!r});"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{code} print(w.path, flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    held = Path(holder.stdout.readline().strip())
    workplace.clear(tmp_path, PREFIX)
    assert held.is_dir()
    holder.kill()
    holder.communicate()
    workplace.clear(tmp_path, PREFIX)
    assert not held.exists()


def test_what_cannot_be_emptied_is_found_again(
    tmp_path: Path, abandoned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(path)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refused)
        workplace.clear(tmp_path, PREFIX)
    assert (abandoned / workplace.MARK).exists()
    workplace.clear(tmp_path, PREFIX)
    assert not abandoned.exists()


def test_a_long_temporary_folder_gives_way_to_a_short_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * workplace.LONGEST_BYTE)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert len(str(workplace.temporary())) <= workplace.LONGEST_BYTE
    monkeypatch.setattr(workplace, "SHORT", ())
    with pytest.raises(SiteError, match="Set TMPDIR to a folder whose path has at most"):
        workplace.temporary()
