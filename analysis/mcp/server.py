"""``memory-wall mcp``: the book as a server of the Model Context Protocol, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.errors import InputError, MemoryWallError, Problem
from analysis.mcp import lookup

INSTRUCTIONS = """How large a language model can a device run, and why? Sourced numbers, recomputed, with citations.
Begin with search or ask. Every answer carries value, unit, interval, sources, edition and address: give the address or the citation
with each number you repeat. At most is a limit, expected is calibrated with an 80 % interval, measured is what somebody ran."""


class Tools:
    """The tools; their docstrings are what a model reads of them."""

    def __init__(self, site: Path, error: type[Exception]) -> None:
        self.site, self.error = site, error

    def search(self, query: str) -> str:
        """Find numbers, figures, claims, devices, models and sections by words, best first; each hit names its id and its tool."""
        return self._told(lambda: lookup.search(self.site, query))

    def figure(self, id: str, find: str = "") -> str:  # noqa: A002 - as the protocol's clients call it
        """What a figure shows, its finding, columns with units, and rows of its data: those in which a cell holds `find`."""
        return self._told(lambda: lookup.figure(self.site, id, find))

    def number(self, id: str) -> str:  # noqa: A002
        """One number of the book by its id: value in its base unit, as text, definition, formula, inputs, sources."""
        return self._told(lambda: lookup.number(self.site, id))

    def claim(self, id: str) -> str:  # noqa: A002
        """One claim of the article by its id: statement, recomputed value, verdict, assumption, explanation, sources."""
        return self._told(lambda: lookup.claim(self.site, id))

    def ask(self, device: str = "", model: str = "", format: str = "", context: str = "") -> str:  # noqa: A002
        """Whether a device runs a model, how fast, how long to the first token; one of the two alone: what it runs or what runs it.

        format: of the weights, as Q4_K_M (the default) or fp16. context: tokens in the cache, as 4096 (the default) or 16k.
        """
        return self._told(lambda: lookup.ask(self.site, device, model, format, context))

    def cite(self, id: str, format: str = "text") -> str:  # noqa: A002
        """The citation of a figure, number, claim or table by its id, or of the `book`; format: text, bibtex, csl or ris."""
        return self._told(lambda: lookup.cited(self.site, id, format))

    def _told(self, answer: Callable[[], lookup.Answer]) -> str:
        try:
            return lookup.told(answer())
        except MemoryWallError as error:
            raise self.error(str(error)) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self.error(
                f"{self.site}: the site is damaged ({type(error).__name__}). Build it again: make book."
            ) from None


def serve(site: Path) -> None:
    """Answer until the client closes standard input; raises InputError where the folder is no site or the extra is missing."""
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError:
        todo = "Install it: pip install 'memory-wall[mcp]'; in this repository: make develop."
        raise InputError([Problem("mcp", "no package mcp", "the extra [mcp] of this package", todo)]) from None
    lookup.require_site(site)
    server, tools = MCPServer("memory-wall", instructions=INSTRUCTIONS, log_level="ERROR"), Tools(site, ToolError)
    for tool in (tools.search, tools.figure, tools.number, tools.claim, tools.ask, tools.cite):
        server.add_tool(tool, structured_output=False)
    server.run("stdio")
