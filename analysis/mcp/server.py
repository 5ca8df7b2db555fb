"""``memory-wall mcp``: the book as a server of the Model Context Protocol, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.errors import InputError, MemoryWallError, Problem
from analysis.mcp import lookup

INSTRUCTIONS = """How large a language model can a device run, and why? Sourced numbers, recomputed, with citations.
Begin with search or ask; each hit of search names the tool to call next and its arguments. Every answer carries value, unit, interval,
sources, edition and address: give the address or the citation with each number you repeat. An interval is null where the book knows none,
which does not say that the value is exact. At most is a limit, expected is calibrated with an 80 % interval, measured is what somebody
ran."""


class Tools:
    """The tools; their docstrings are what a model reads of them."""

    def __init__(self, site: Path, error: type[Exception]) -> None:
        self.site, self.error = site, error

    def search(self, query: str) -> str:
        """Find numbers, figures, claims, devices, models and sections by words, best first.

        A hit names the tool to call next and its arguments; one that no tool says more of has its first words as excerpt.
        words_not_found: words of the query that stand nowhere in the book, whatever the hits say of the others.
        """
        return self._told(lambda: lookup.search(self.site, query))

    def figure(self, id: str, find: str = "") -> str:  # noqa: A002 - as the protocol's clients call it
        """What a figure shows, its finding, columns with units, and rows of its data: those in which a cell holds `find`.

        id: its id, or its number as 7.1.
        """
        return self._told(lambda: lookup.figure(self.site, id, find))

    def number(self, id: str) -> str:  # noqa: A002
        """One number of the book by its id: value in its base unit, interval, as text, definition, formula, inputs, sources."""
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
        """The citation of a figure, number, claim, table, device or model by its id, or of the `book`; format: text, bibtex, csl or ris."""
        return self._told(lambda: lookup.cited(self.site, id, format))

    def _told(self, answer: Callable[[], lookup.Answer]) -> str:
        try:
            return lookup.told(answer())
        except MemoryWallError as error:
            raise self.error(str(error)) from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise self.error(
                f"{self.site}: the site is damaged ({type(error).__name__}). Build it again: memory-wall build."
            ) from None


def serve(site: Path) -> None:
    """Answer until the client closes standard input; raises InputError where the folder is no site or the extra is missing."""
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.server.mcpserver.tools import Tool
    except ImportError:
        todo = "Install it: pip install 'memory-wall[mcp]'; in this repository: make develop."
        raise InputError([Problem("mcp", "no package mcp", "the extra [mcp] of this package", todo)]) from None
    lookup.require_site(site)

    class Worded(Tool):
        """A tool that says in the book's words what is wrong with its arguments."""

        async def run(self, arguments: dict[str, Any], *given: Any, **named: Any) -> Any:
            """Run it with arguments that are words."""
            try:
                words = lookup.worded(self.name, self.parameters, arguments)
            except InputError as error:
                raise ToolError(str(error)) from None
            return await super().run(words, *given, **named)

    tools = Tools(site, ToolError)
    offered = (tools.search, tools.figure, tools.number, tools.claim, tools.ask, tools.cite)
    made: list[Tool] = [Worded.from_function(one, structured_output=False) for one in offered]
    MCPServer("memory-wall", instructions=INSTRUCTIONS, log_level="ERROR", tools=made).run("stdio")
