"""Where in a chapter's own file a warning of Sphinx has its cause: Sphinx reads executed copies, in which lines have other numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from analysis.book.run import execution

CELL_LINES = 10_000
"""myst-nb counts the lines of the n-th cell from n times so many on, and its title as one."""
PLACE = re.compile(
    r"^\S*/(?P<name>[^/\s:]+)\.ipynb:(?P<line>\d*):* ?(?:WARNING|ERROR|CRITICAL|SEVERE)?:? *(?P<said>.*)$"
)
ROLE = re.compile(r"^chapters/\S+: unknown (?P<kind>value|claim) '(?P<key>[^']+)'")
ROLES = {"value": "value", "claim": "claim|verdict"}
LONGEST = 120


def unrendered(printed: str, chapters: Iterable[Path], otherwise: str = "") -> str:
    """What is said of a site that could not be rendered, by what Sphinx printed; where that tells nothing, ``otherwise``."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    said = [line for line in plain.splitlines() if re.search(r"WARNING|ERROR|[Ee]xception|Error", line)]
    told = located(said, chapters) or [plain, otherwise]
    return "\n".join(["the site could not be rendered; nothing was published", *told])


def located(lines: Iterable[str], chapters: Iterable[Path]) -> list[str]:
    """The warnings with ``chapters/<name>.md:<line>`` in front and what stands there below; others as they are."""
    known = {path.stem: path for path in chapters}
    return [_located(line, known) for line in lines]


def _located(line: str, known: dict[str, Path]) -> str:
    found = PLACE.match(line)
    if not found or found["name"] not in known:
        return line
    path = known[found["name"]]
    role = ROLE.match(found["said"])
    number = _line_of(path, ROLES[role["kind"]], role["key"]) if role else own_line(path, int(found["line"] or 0))
    said = found["said"].removeprefix(f"chapters/{path.stem}: ")
    if not number:
        return f"chapters/{path.name}: {said}"
    shown = path.read_text(encoding="utf-8").splitlines()[number - 1].strip()
    cut = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return f"chapters/{path.name}:{number}: {said}\n    {cut}"


def own_line(path: Path, counted: int) -> int:
    """The line of a chapter's file for a line as myst-nb counts them; 0 where it names none."""
    cell, line = divmod(counted, CELL_LINES)
    starts = cell_lines(path)
    return starts[cell - 1] + max(line - 2, 0) if 0 < cell <= len(starts) else 0


def cell_lines(path: Path) -> list[int]:
    """The line at which each cell of a chapter begins in its file."""
    text, place, starts = path.read_text(encoding="utf-8"), 0, []
    for cell in execution.read(path).cells:
        place = max(text.find(cell.source, place), place)
        starts.append(text.count("\n", 0, place) + 1)
        place += len(cell.source)
    return starts


def _line_of(path: Path, roles: str, key: str) -> int:
    """The first line of a chapter's file that names a number or a claim in one of these roles."""
    lines = path.read_text(encoding="utf-8").splitlines()
    asked = re.compile(rf"{{(?:{roles})}}`{re.escape(key)}`")
    return next((number for number, line in enumerate(lines, 1) if asked.search(line)), 0)
