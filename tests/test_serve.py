"""The book at a local address follows every change."""

from __future__ import annotations

import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from tests.small import LANDING, Book

LONGEST_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def read(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - this machine's own address
            return str(answer.read().decode())
    except OSError:
        return ""


def until(happened: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + LONGEST_S
    while not happened():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)


def wait_for(address: str, text: str) -> str:
    until(lambda: text in read(address), f"{text!r} does not appear at {address}")
    return read(address)


@contextmanager
def served(book: Book) -> Iterator[str]:
    """The address at which the book is served."""
    port = free_port()
    process = book.start("serve", "--port", str(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode in (0, 130)


def is_told(address: str, build: str) -> bool:
    """Whether a page of this build is told in time that there is another."""
    end = time.monotonic() + LONGEST_S
    with urllib.request.urlopen(f"{address}/-/changes?{build}", timeout=LONGEST_S) as lines:  # noqa: S310 - as above
        return any(line.startswith(b"data:") for line in takewhile(lambda _: time.monotonic() < end, lines))


def test_a_change_is_built_and_shown(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    with served(book) as address:
        page = wait_for(f"{address}/index.html", "A small book")
        found = re.search('<script src="/-/reload.js" data-build="([0-9]+)"></script></head>', page)
        assert found
        assert "EventSource" in read(f"{address}/-/reload.js")
        assert read(f"{address}/../../etc/passwd") == ""
        book.write("index", LANDING + "\nA sentence more.\n")
        assert is_told(address, found[1])
        assert "A sentence more." in read(f"{address}/")
        assert is_told(address, "0"), "a page of a server that is no more"


def test_a_change_during_a_build_is_built_too(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    with served(book) as address:
        read_chapter = "_build/.html.workshop-*/source/chapters/index.ipynb"
        until(lambda: any(book.folder.glob(read_chapter)), "no build begins")
        book.write("index", LANDING + "\nA sentence more.\n")
        wait_for(f"{address}/index.html", "A sentence more.")
