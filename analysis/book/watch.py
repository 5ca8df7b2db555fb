"""``memory-wall serve``: the book at a local address, built again and shown anew whenever a file it is made from changes."""

from __future__ import annotations

import contextlib
import http.server
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from analysis.book.run.forking import PRELOAD, Context
from analysis.book.store import places
from analysis.errors import InputError, Problem

WATCHED = ("analysis", "chapters", "data", "_config.yml", "_toc.yml", "requirements.lock")
RELOAD = b"""const built = document.currentScript.dataset.build;
const news = new EventSource("/-/changes?" + built);
news.onmessage = () => location.reload();
news.addEventListener("problem", (event) => {
  const text = JSON.parse(event.data);
  let box = document.getElementById("mw-problem");
  if (!text) return box && box.remove();
  if (!box) {
    box = document.createElement("pre");
    box.id = "mw-problem";
    box.setAttribute("role", "alert");
    box.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:9999;margin:0;padding:1em;max-height:50vh;overflow:auto;" +
      "white-space:pre-wrap;font:14px/1.5 monospace;background:#7a1f1f;color:#fff";
    document.body.append(box);
  }
  box.textContent = "This page is of the last build that succeeded. The one after it failed:\\n\\n" + text;
});
"""
"""What a served page runs: it is loaded anew after the next build, and shows what a build says that failed."""
EMPTY = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The Memory Wall</title></head><body></body></html>'
"""Shown while there is no page and a build has failed."""
NAMES = ("127.0.0.1", "localhost", "[::1]")
"""By which a browser on this machine asks for the book; a page from elsewhere that had its own name lead here asks by that one."""
WEB = 80
"""The port that an address does not name."""
PULSE_S = 5.0
LOOK_MS = 200
"""So long the watcher looks before it says that nothing has changed."""


class Edition:
    """The number of the build that is shown, and what a later one said that failed; whoever waits is told of the next.

    It begins with the clock, so that a page left open from an earlier server is of another number.
    """

    def __init__(self) -> None:
        self.number, self.problem, self._changed = time.time_ns(), "", threading.Condition()

    def ended(self, problem: str, *, published: bool = True) -> None:
        """A build has ended: another one is published, or there is a problem, or neither."""
        with self._changed:
            self.number += published and not problem
            self.problem = problem
            self._changed.notify_all()

    def other_than(self, number: str, problem: str) -> bool:
        """Wait for another build or another problem than these; False where none has come for a while."""
        with self._changed:
            return self._changed.wait_for(
                lambda: str(self.number) != number or self.problem != problem, timeout=PULSE_S
            )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site; pages with a line more, which reloads them."""

    shown: ClassVar[Edition] = Edition()

    def parse_request(self) -> bool:
        """Whether there is something to answer: a request by one of this server's own names."""
        if not super().parse_request():
            return False
        server: Any = self.server
        asked = (self.headers.get("Host") or "").lower()
        if asked in [f"{name}:{server.server_port}" for name in NAMES] or (
            server.server_port == WEB and asked in NAMES
        ):
            return True
        self.send_error(403, "Ask by the address that was told at the start")
        return False

    def translate_path(self, path: str) -> str:
        """The file or folder of the site that is asked for; an empty name where that lies elsewhere or is none."""
        try:
            site = Path(self.directory).resolve(strict=True)
            found = Path(super().translate_path(path)).resolve(strict=True)
            if not found.is_relative_to(site):
                return ""
            if found.is_dir():
                return f"{found}/" if path.endswith("/") else str(found)
            return str(found) if found.is_file() and not path.endswith("/") else ""
        except (OSError, ValueError, RuntimeError):  # overlong, with a NUL in it, a link that leads to itself
            return ""

    def list_directory(self, path: Any) -> None:
        """Nothing is listed."""
        self.send_error(404)

    def do_GET(self) -> None:
        """Answer one request."""
        path, _, number = self.path.partition("?")
        if path == "/-/changes":
            self._changes(number)
        elif path == "/-/reload.js":
            self._answer(RELOAD, "text/javascript")
        elif path.endswith((".html", "/")):
            self._page()
        else:
            super().do_GET()

    def _page(self) -> None:
        found = self.translate_path(self.path)
        if found.endswith("/"):
            found = self.translate_path(f"{self.path.partition('?')[0].partition('#')[0]}index.html")
        script = f'<script src="/-/reload.js" data-build="{self.shown.number}"></script></head>'  # before it is read
        try:
            page = Path(found).read_bytes()
        except OSError:
            if not self.shown.problem or Path(self.directory).is_dir():
                self.send_error(404)
                return
            page = EMPTY.encode()
        self._answer(page.replace(b"</head>", script.encode(), 1), "text/html; charset=utf-8")

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _changes(self, number: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        told = ""
        try:
            while str(self.shown.number) == number:
                if self.shown.problem != told:
                    told = self.shown.problem
                    self.wfile.write(f"event: problem\ndata: {json.dumps(told)}\n\n".encode())
                elif not self.shown.other_than(number, told):
                    self.wfile.write(b": still the same\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: changed\n\n")
        except (BrokenPipeError, ConnectionResetError):
            return

    def end_headers(self) -> None:
        """Nothing is kept by the browser: the next build may change any file."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing of requests."""


def serve(site: Path, port: int, build: Callable[[Path], None], data: Path | None, say: Callable[[str], None]) -> None:
    """Build, serve, and build again on every change, until interrupted.

    ``build`` ends its process where it fails, and leaves what it said in the file that it is given.
    """
    paths = [places.REPOSITORY / name for name in WATCHED] + ([data] if data else [])
    with listening(site, port) as server:
        changes = _watched([path for path in paths if path.exists()])
        Handler.shown.ended(_build(build), published=False)
        say(f"The book is at http://127.0.0.1:{server.server_address[1]}/ and follows every change. Ctrl-C ends.")
        for changed in changes:
            say(f"{len(changed)} changed, {min(changed)} among them")
            Handler.shown.ended(_build(build))


def _watched(paths: list[Path]) -> Iterator[set[str]]:
    """The names of files that changed since this was called, time and again: what changes during a build counts for the next."""
    from watchfiles import watch

    looks = watch(*paths, rust_timeout=LOOK_MS, yield_on_timeout=True, raise_interrupt=True)
    next(looks)  # it watches from here on, not from when it was made; what it has seen by now, the next build takes in
    return ({Path(path).name for _, path in look} for look in looks if look)


@contextlib.contextmanager
def listening(site: Path, port: int) -> Iterator[http.server.ThreadingHTTPServer]:
    """A server of the site at this port of this machine, answering."""
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(site)))
    except OSError as error:
        found = f"{port}: {error.strerror}"
        raise InputError(
            [Problem(file="--port", found=found, expected="a port nobody uses", todo="Try another.")]
        ) from None
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _build(build: Callable[[Path], None]) -> str:
    """Build in a process of its own, forked from one that has imported what does not change; what it said if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.txt"
        process = Context.ready(PRELOAD, "jupyter_book.sphinx", "myst_nb").Process(target=build, args=(problem,))
        process.start()
        process.join()
        said = problem.read_text(encoding="utf-8") if problem.exists() else ""
        return said or (f"The build ended with {process.exitcode}." if process.exitcode else "")
