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
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import pytest

from analysis.book import view
from tests.small import FIGURE, HEAD, LANDING, Book

LONGEST_S = 90
SOON_S = 5.0
"""In which everything has ended; a second where nobody else uses the machine."""


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
        time.sleep(0.1)


class Served:
    """A book that is served, as a browser on this machine sees it."""

    def __init__(self, book: Book) -> None:
        port = free_port()
        self.process, self.address = book.start("serve", "--port", str(port)), f"http://127.0.0.1:{port}"

    def end(self) -> float:
        """Press Ctrl-C; the seconds until it has ended."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=LONGEST_S)
        assert self.process.returncode in (0, 130)
        return time.monotonic() - begun

    def page(self, name: str) -> str:
        """A page without what loads it anew."""
        return RELOADS.sub("</head>", read(f"{self.address}/{name}"))

    def told(self, name: str, mark: str = "") -> dict[str, str]:
        """What an open page is told at once, by kinds; of another mark than it has, that it is another page."""
        found = RELOADS.search(read(f"{self.address}/{name}"))
        if not found:
            return {"nothing": name}
        asked, said, kind = f"{self.address}/-/changes?{mark or found['mark']}&{found['page']}", {}, "changed"
        with urllib.request.urlopen(asked, timeout=LONGEST_S) as lines:  # noqa: S310 - this machine's own address
            for line in takewhile(lambda line: not line.startswith(b":"), lines):
                if line.startswith(b"event: "):
                    kind = line.decode().removeprefix("event: ").strip()
                elif line.startswith(b"data: "):
                    said[kind] = line.decode().removeprefix("data: ").strip()
        return said

    def settled(self) -> bool:
        """Whether every page is up to date, and nothing is wrong."""
        return not self.told("index.html")


RELOADS = re.compile(
    '<script src="/-/reload.js" data-mark="(?P<mark>[0-9a-f]+)" data-page="(?P<page>[^"]*)"></script></head>'
)


def processes(book: Book) -> list[str]:
    """Those that were started for a book."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(book.folder).encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text(encoding="utf-8"))
    return found


def contents(site: Path) -> dict[str, bytes]:
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def set_bandwidth(book: Book, value: str) -> None:
    """Give the first device another memory bandwidth."""
    path = book.folder / "data" / "devices.csv"
    head, first, *rest = path.read_text(encoding="utf-8").splitlines()
    cells, place = first.split(","), head.split(",").index("memory_bandwidth_gbyte_per_s")
    cells[place] = value
    path.write_text("\n".join([head, ",".join(cells), *rest]) + "\n", encoding="utf-8")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Book, Served]]:
    """A book that cannot be built yet, and is served."""
    book = Book(tmp_path / "book")
    book.write("figure", FIGURE + "\nA number of {value}`no-such-number`.\n")
    server = Served(book)
    yield book, server
    if server.process.returncode is None:
        server.process.kill()
        server.process.communicate()


def test_what_an_author_does_is_shown_at_once_and_in_the_end_as_a_build_makes_it(
    served: tuple[Book, Served], tmp_path: Path
) -> None:
    book, server = served
    until(lambda: "no-such-number" in server.told("index.html").get("problem", ""), "it is not told what is wrong")
    said = json.loads(server.told("index.html")["problem"])
    assert re.search(r"^chapters/figure\.md:\d+: unknown value 'no-such-number'", said, flags=re.MULTILINE)
    assert str(tmp_path) not in said

    book.write("figure", FIGURE)
    read_chapter = "_build/.html.workshop-*/source/chapters/index.ipynb"
    until(lambda: any(book.folder.glob(read_chapter)), "no build begins")
    book.write("index", LANDING + "\nWritten while a build runs.\n")
    until(lambda: "Written while a build runs." in server.page("index.html") and server.settled(), "it is not mended")

    found = RELOADS.search(read(f"{server.address}/index.html"))
    assert found
    (book.folder / "chapters" / "index.md").write_text(f"{HEAD}{LANDING}\nA sentence more.\n", encoding="utf-8")
    until(lambda: "A sentence more." in server.page("index.html"), "a sentence is not shown")
    assert "A sentence more." not in (book.site / "index.html").read_text(encoding="utf-8"), "it waits for the build"
    shown = server.page("index.html"), read(f"{server.address}/index.md")
    assert server.told("index.html", found["mark"]) == {"changed": "changed"}
    until(server.settled, "the rest is not built")
    assert shown == tuple((book.site / name).read_text(encoding="utf-8") for name in ("index.html", "index.md"))

    set_bandwidth(book, "fast")
    until(lambda: "devices.csv" in server.told("chapters/figure.html").get("problem", ""), "a wrong cell is not told")
    said = json.loads(server.told("chapters/figure.html")["problem"])
    assert re.search(r"devices\.csv:2:memory_bandwidth_gbyte_per_s: found .*fast.*; expected ", said)
    set_bandwidth(book, "34.25")
    chart = "figures/small-figure/chart.js"
    until(lambda: "34250000000" in read(f"{server.address}/{chart}"), "a changed row is not shown")
    row = server.page("chapters/figure.html"), read(f"{server.address}/{chart}")
    until(server.settled, "what is mended is still told")
    assert row == tuple((book.site / name).read_text(encoding="utf-8") for name in ("chapters/figure.html", chart))

    assert server.end() < SOON_S
    assert not processes(book)
    assert book.run("build", "--out", str(tmp_path / "built")).returncode == 0
    assert contents(book.site) == contents(tmp_path / "built")


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
    with view.listening(view.View(site), 0) as server:
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


def test_what_is_not_built_yet_is_shown_over_the_site(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<head></head><img src="figures/a.svg?v=1">', encoding="utf-8")
    shown = view.View(tmp_path)
    with view.listening(shown, 0) as server:
        host, marks = f"localhost:{server.server_port}", [shown.mark("index.html")]
        for files in ({"b.md": b"b"}, {"figures/a.svg": b"<svg/>"}, {"index.html": b"<head></head>another"}):
            shown.show(files)
            marks.append(shown.mark("index.html"))
        assert marks[0] == marks[1]
        assert len(set(marks)) == 3, "it is another page where its picture is another one"
        assert asked(server.server_port, "/b.md", host) == (200, b"b")
        assert b"another" in asked(server.server_port, "/?x", host)[1]
        assert asked(server.server_port, "/../b.md/", host)[0] == 404
        shown.published()
        assert shown.mark("index.html") == marks[0]
        assert asked(server.server_port, "/b.md", host)[0] == 404


def test_what_is_shown_ends_what_was_wrong_until_a_build_says_so_again(tmp_path: Path) -> None:
    shown = view.View(tmp_path)
    number = shown.news(-1)
    shown.tell(problem="a wrong cell", rest=True)
    assert shown.news(number) != number
    assert "a wrong cell" in shown.state.told()["problem"]
    shown.show({})
    assert shown.state == view.State(rest=True)
