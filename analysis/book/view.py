"""What ``memory-wall serve`` shows: the published site, and over it, from memory, pages that the next build will publish."""

from __future__ import annotations

import contextlib
import hashlib
import html
import http.server
import json
import posixpath
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from analysis.errors import InputError, Problem

RELOAD = b"""const { mark, page } = document.currentScript.dataset;
const news = new EventSource("/-/changes?" + mark + "&" + encodeURIComponent(page));
const look = {
  problem: "inset:auto 0 0 0;padding:1em;max-height:50vh;overflow:auto;white-space:pre-wrap;font:14px/1.5 monospace;background:#7a1f1f",
  rest: "right:0;bottom:0;padding:.25em .75em;font:14px/1.5 sans-serif;background:#333",
};
const say = (name, role) => (event) => {
  const text = JSON.parse(event.data), id = "mw-" + name;
  let box = document.getElementById(id);
  if (!text) return box && box.remove();
  if (!box) {
    box = document.createElement("pre");
    box.id = id;
    box.setAttribute("role", role);
    box.style.cssText = "position:fixed;margin:0;color:#fff;z-index:" + (name == "rest" ? 9998 : 9999) + ";" + look[name];
    document.body.append(box);
  }
  box.textContent = text;
};
news.onmessage = () => location.reload();
news.addEventListener("problem", say("problem", "alert"));
news.addEventListener("rest", say("rest", "status"));
"""
"""What a served page runs: it is loaded anew when it is another one, and says what is wrong, and that other pages are being built."""
FAILED = "The book could not be built:\n\n"
REST = "Other pages are being built."
EMPTY = b'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The Memory Wall</title></head><body></body></html>'
"""Shown where nothing was ever built."""
NAMES = ("127.0.0.1", "localhost", "[::1]")
"""By which a browser on this machine asks for the book; a page from elsewhere that had its own name lead here asks by that one."""
WEB = 80
"""The port that an address does not name."""
PULSE_S = 5.0
POLL_S = 0.05
"""So often the server looks whether it is to end."""
DRAWN = re.compile(r'\b(?:src|srcset|data-(?:rows|spec|script))="([^"#?\s]+)')
"""What a page shows of files beside it."""


@dataclass(frozen=True)
class State:
    """What there is to say besides the pages: what is wrong, and whether other pages are being built."""

    problem: str = ""
    rest: bool = False

    def told(self) -> dict[str, str]:
        """The same in words."""
        return {"problem": f"{FAILED}{self.problem}" if self.problem else "", "rest": REST if self.rest else ""}


class View:
    """The site, the files over it, and what there is to say; whoever waits is told of every change."""

    def __init__(self, site: Path) -> None:
        self.site, self.state, self.page = site, State(), ""
        self._over: dict[str, bytes] = {}
        self._number, self._changed = 0, threading.Condition()

    def show(self, files: Mapping[str, bytes]) -> None:
        """Show these files in place of those of the site; what was wrong is mended until a build says that it is not."""
        with self._told():
            self._over = {**self._over, **files}
            self.state = replace(self.state, problem="")

    def published(self) -> None:
        """Another site is published: everything is shown as it is there."""
        with self._told():
            self._over, self.state = {}, State()

    def tell(self, **news: Any) -> None:
        """Say something else."""
        with self._told():
            self.state = replace(self.state, **news)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        with self._changed:
            yield
            self._number += 1
            self._changed.notify_all()

    def news(self, known: int) -> int:
        """Wait for a while for something to change; the number of the change."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != known, timeout=PULSE_S)
            return self._number

    def over(self, name: str) -> bytes | None:
        """A file that is shown in place of one of the site."""
        return self._over.get(name)

    def content(self, name: str) -> bytes | None:
        """What a file of the site holds as it is shown; None where it has none of this name."""
        if (content := self.over(name)) is not None:
            return content
        try:
            found, site = (self.site / name).resolve(strict=True), self.site.resolve(strict=True)
            return found.read_bytes() if found.is_relative_to(site) and found.is_file() else None
        except (OSError, ValueError, RuntimeError):
            return None

    def mark(self, name: str) -> str:
        """The digest of a page and of all that it shows of files beside it."""
        page = self.content(name)
        total = hashlib.sha256(EMPTY if page is None else page)
        for file in dict.fromkeys(DRAWN.findall((page or b"").decode(errors="replace"))):
            total.update(self.content(posixpath.normpath(posixpath.join(posixpath.dirname(name), file))) or b"")
        return total.hexdigest()[:16]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site; pages with a line more, which reloads them."""

    def __init__(self, *given: Any, view: View, **named: Any) -> None:
        self._view = view
        super().__init__(*given, directory=str(view.site), **named)

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
        path, _, query = self.path.partition("?")
        name = posixpath.normpath(unquote(f"{path}index.html" if path.endswith("/") else path)).lstrip("/")
        if path == "/-/changes":
            self._changes(*query.partition("&")[::2])
        elif path == "/-/reload.js":
            self._answer(RELOAD, "text/javascript")
        elif path.endswith((".html", "/")):
            self._page(name)
        elif (content := self._view.over(name)) is not None:
            self._answer(content, self.guess_type(name))
        else:
            super().do_GET()

    def _page(self, name: str) -> None:
        mark, page = (
            self._view.mark(name),
            self._view.content(name),
        )  # in this order: a page is never older than its mark
        if page is None and self._view.site.is_dir():
            self.send_error(404)
            return
        self._view.page = name
        script = f'<script src="/-/reload.js" data-mark="{mark}" data-page="{html.escape(name)}"></script></head>'
        self._answer((page or EMPTY).replace(b"</head>", script.encode(), 1), "text/html; charset=utf-8")

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _changes(self, mark: str, name: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        number, said, name = 0, State().told(), unquote(name)
        try:
            while self._view.mark(name) == mark:
                news = self._view.state.told()
                for kind in (kind for kind in news if news[kind] != said[kind]):
                    self.wfile.write(f"event: {kind}\ndata: {json.dumps(news[kind])}\n\n".encode())
                self.wfile.write(b": still the same\n\n")
                self.wfile.flush()
                number, said = self._view.news(number), news
            self.wfile.write(b"data: changed\n\n")
        except (BrokenPipeError, ConnectionResetError):
            return

    def end_headers(self) -> None:
        """Nothing is kept by the browser: the next build may change any file."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing of requests."""


@contextlib.contextmanager
def listening(view: View, port: int) -> Iterator[http.server.ThreadingHTTPServer]:
    """A server of what is shown at this port of this machine, answering."""
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, view=view))
    except OSError as error:
        found = f"{port}: {error.strerror}"
        raise InputError(
            [Problem(file="--port", found=found, expected="a port nobody uses", todo="Try another.")]
        ) from None
    with server:
        threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
