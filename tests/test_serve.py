"""The book at a local address follows every change."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from analysis.book import watch
from tests.small import FIGURE, LANDING, Book

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
        return any(line == b"data: changed\n" for line in takewhile(lambda _: time.monotonic() < end, lines))


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


def problems(address: str, build: str) -> Iterator[str]:
    """What a page of this build is told of builds that failed, one after the other."""
    end = time.monotonic() + LONGEST_S
    with urllib.request.urlopen(f"{address}/-/changes?{build}", timeout=LONGEST_S) as lines:  # noqa: S310 - as above
        named = ""
        for line in takewhile(lambda _: time.monotonic() < end, lines):
            if line.startswith(b"data:") and named == "problem":
                yield json.loads(line.removeprefix(b"data:"))
            named = line.decode().removeprefix("event:").strip() if line.startswith(b"event:") else ""


def build_of(page: str) -> str:
    """The number of the build that a page is of."""
    return str(re.findall('data-build="([0-9]+)"', page)[0])


def test_an_open_page_is_told_what_is_wrong_and_when_it_is_mended(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    book.write("figure", FIGURE + "\nA number of {value}`no-such-number`.\n")
    with served(book) as address:
        until(lambda: "reload.js" in read(f"{address}/"), "a page is shown though nothing was ever built")
        first = build_of(read(f"{address}/"))
        said = problems(address, first)
        assert re.search(r"^chapters/figure\.md:\d+: unknown value 'no-such-number'", next(said), flags=re.MULTILINE)
        book.write("figure", FIGURE)
        assert is_told(address, first)
        build = build_of(wait_for(f"{address}/index.html", "A small book"))
        said = problems(address, build)
        book.write("index", LANDING + "\nSee {numref}`nowhere`.\n")
        told = next(said)
        assert "See {numref}`nowhere`." in told
        assert str(tmp_path) not in told
        assert "A small book" in read(f"{address}/index.html"), "the last page that could be built is still there"
        book.write("index", LANDING + "\nMended.\n")
        assert is_told(address, build)
        wait_for(f"{address}/index.html", "Mended.")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server of a few files, beside which lies a secret."""
    folder = tmp_path_factory.mktemp("served")
    site = folder / "html"
    (site / "tables").mkdir(parents=True)
    for place, text in {"index.html": "<head></head>", "a.csv": "a", "tables/b.csv": "b", "é.txt": "é"}.items():
        (site / place).write_text(text, encoding="utf-8")
    (folder / "secret.html").write_text("secret", encoding="utf-8")
    (site / "out.html").symlink_to(folder / "secret.html")
    (site / "up").symlink_to(folder)
    (site / "loop").symlink_to(site / "loop")
    (site / "in.csv").symlink_to(site / "a.csv")
    os.mkfifo(site / "pipe")
    with watch.listening(site, 0) as server:
        yield server.server_port


def asked(port: int, path: str, host: str | None, method: str = "GET") -> tuple[int, bytes]:
    """The status and the text of an answer."""
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), "Connection: close"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/a.csv", "/-/reload.js", "/-/changes"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost:1",
        "localhost",
        "",
        None,
        "localhost.evil.example:{port}",
        "127.0.0.2:{port}",
    ],
)
def test_only_own_names_are_answered(port: int, host: str | None, path: str, method: str) -> None:
    assert asked(port, path, host and host.format(port=port), method)[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}"])
def test_own_names_are_answered(port: int, host: str) -> None:
    assert asked(port, "/", host.format(port=port))[0] == 200


FOUND = {
    "/a.csv": b"a",
    "/a.csv?x=1": b"a",
    "/in.csv": b"a",
    "/tables/b.csv": b"b",
    "/%C3%A9.txt": "é".encode(),
    "/./a.csv": b"a",
}


@pytest.mark.parametrize("path", FOUND)
def test_files_of_the_site_are_answered(port: int, path: str) -> None:
    assert asked(port, path, f"localhost:{port}") == (200, FOUND[path])


@pytest.mark.parametrize(
    "path",
    [
        "/out.html", "/up/secret.html", "/up/html/../secret.html", "/loop", "/loop/x.html", "/pipe", "/%00", "/%00.html",
        "/a%00.csv", "/%2e%2e/secret.html", "/..%2fsecret.html", "/../secret.html", "/tables/", "/up/", f"/{'x' * 300}",
        f"/{'x/' * 3000}", f"/{'x' * 5000}.html", "/%ff%fe", "/a.csv/", "//etc/passwd", "/nothing.html", "/nothing/", "/%", "*",
    ],
    ids=lambda path: path[:30],
)  # fmt: skip
def test_nothing_else_is(port: int, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    status, body = asked(port, path, f"localhost:{port}")
    assert status == 404
    assert b"secret" not in body
    assert "Traceback" not in capfd.readouterr().err
