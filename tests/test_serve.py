"""The book at a local address follows every change."""

from __future__ import annotations

import signal
import socket
import time
import urllib.request
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


def wait_for(address: str, text: str) -> str:
    end = time.monotonic() + LONGEST_S
    while text not in (page := read(address)):
        assert time.monotonic() < end, f"{text!r} does not appear at {address}"
        time.sleep(0.2)
    return page


def test_a_change_is_built_and_shown(tmp_path: Path) -> None:
    book, port = Book(tmp_path / "book"), free_port()
    address = f"http://127.0.0.1:{port}"
    process = book.start("serve", "--port", str(port))
    try:
        page = wait_for(f"{address}/index.html", "A small book")
        assert '<script src="/-/reload.js"></script></head>' in page
        assert "EventSource" in read(f"{address}/-/reload.js")
        assert read(f"{address}/../../etc/passwd") == ""
        changes = urllib.request.urlopen(f"{address}/-/changes", timeout=LONGEST_S)  # noqa: S310 - as above
        book.write("index", LANDING + "\nA sentence more.\n")
        assert any(line.startswith(b"data:") for line in changes)
        assert "A sentence more." in read(f"{address}/")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode in (0, 130)
