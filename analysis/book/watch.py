"""``memory-wall serve``: the book at a local address, built again and shown anew whenever a file it is made from changes."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from analysis.book import places
from analysis.book.forking import PRELOAD, Context
from analysis.errors import InputError, Problem

WATCHED = ("analysis", "chapters", "data", "_config.yml", "_toc.yml", "requirements.lock")
RELOAD = b'new EventSource("/-/changes").onmessage = () => location.reload();\n'
PULSE_S = 5.0


class Edition:
    """The number of the build that is shown; whoever waits is told of the next."""

    def __init__(self) -> None:
        self.number, self._changed = 0, threading.Condition()

    def next(self) -> None:
        """Another build has been published."""
        with self._changed:
            self.number += 1
            self._changed.notify_all()

    def after(self, number: int) -> bool:
        """Wait for a build after this one; False where none has come for a while."""
        with self._changed:
            return self._changed.wait_for(lambda: self.number > number, timeout=PULSE_S)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site; pages with a line more, which reloads them."""

    shown: ClassVar[Edition] = Edition()

    def do_GET(self) -> None:
        """Answer one request."""
        path = self.path.split("?")[0]
        if path == "/-/changes":
            self._changes()
        elif path == "/-/reload.js":
            self._answer(RELOAD, "text/javascript")
        elif path.endswith((".html", "/")):
            self._page()
        else:
            super().do_GET()

    def _page(self) -> None:
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        try:
            page = file.read_bytes()
        except OSError:
            self.send_error(404)
            return
        self._answer(
            page.replace(b"</head>", b'<script src="/-/reload.js"></script></head>', 1), "text/html; charset=utf-8"
        )

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _changes(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        number = self.shown.number
        try:
            while not self.shown.after(number):
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


def serve(site: Path, port: int, build: Callable[[], None], data: Path | None, say: Callable[[str], None]) -> None:
    """Build, serve, and build again on every change, until interrupted.  ``build`` ends its process where it fails."""
    from watchfiles import watch

    with _listening(site, port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _build(build)
        say(f"The book is at http://127.0.0.1:{server.server_address[1]}/ and follows every change. Ctrl-C ends.")
        paths = [places.REPOSITORY / name for name in WATCHED] + ([data] if data else [])
        for changes in watch(*(path for path in paths if path.exists()), raise_interrupt=True):
            say(f"{len(changes)} changed, {min(Path(path).name for _, path in changes)} among them")
            if _build(build):
                Handler.shown.next()


def _listening(site: Path, port: int) -> http.server.ThreadingHTTPServer:
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(site)))
    except OSError as error:
        found = f"{port}: {error.strerror}"
        raise InputError(
            [Problem(file="--port", found=found, expected="a port nobody uses", todo="Try another.")]
        ) from None


def _build(build: Callable[[], None]) -> bool:
    """Build in a process of its own, forked from one that has imported what does not change; whether it succeeded."""
    process = Context.ready(PRELOAD, "jupyter_book.sphinx", "myst_nb").Process(target=build)
    process.start()
    process.join()
    return process.exitcode == 0
