"""What moved between two states of the book: claims, numbers, sentences, figures and why, rows of the tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analysis import units, words
from analysis.book.compare import states
from analysis.book.compare.states import State
from analysis.book.record import citation
from analysis.book.run import execution
from analysis.book.store import places
from analysis.book.store.files import read_text

WORDING = ("title", "subtitle", "caption", "alt", "notice")
HEADLINE = ("index-",)
"""Numbers whose ids begin so stand on the landing page."""
UM2_SHOWN = 1000
"""Square micrometres below which an area is told in them."""
OF_THE_EDITION = {"edition", "edition_date", "title"}
"""Parameters that no figure is computed from."""


@dataclass
class Difference:
    """Everything that moved; each entry is plain data, as ``--format json`` prints it."""

    old: dict[str, str]
    new: dict[str, str]
    parameters: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @property
    def nothing(self) -> bool:
        """Whether nothing moved."""
        return not any(getattr(self, name) for name in SECTIONS)


SECTIONS = ("parameters", "verdicts", "claims", "numbers", "sentences", "figures", "tables")


def between(old: State, new: State) -> Difference:
    """Compare two states."""
    return Difference(
        _about(old), _about(new), _parameters(old, new), _verdicts(old, new), _claims(old, new), _numbers(old, new),
        _sentences(old, new), _figures(old, new), _tables(old, new),
    )  # fmt: skip


def compared(old: str, new: str, site: Path = places.SITE) -> tuple[Difference, dict[str, tuple[str, str]]]:
    """The difference between two states by path or edition, and the pictures of the figures that changed as SVG texts."""
    with ExitStack() as stack:
        before, after = states.opened(old, stack, site), states.opened(new, stack, site)
        found = between(before, after)
        pictures = {one["id"]: (_svg(before, one["id"]), _svg(after, one["id"])) for one in found.figures}
    return found, pictures


def _svg(state: State, figure: str) -> str:
    path = state.picture(figure)
    return read_text(path) if path.is_file() else ""


def _about(state: State) -> dict[str, str]:
    record = state.record
    named = {"name": state.name, "edition": record.get("edition", ""), "commit": record.get("commit", "")}
    return named | {"run": words.listing(run) if (run := record.get("run")) else ""}


def percent(old: Any, new: Any) -> float | None:
    """The change in per cent of the old number, to one decimal; None where there is no such thing, as across zero."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (old, new))
    return round((new - old) / abs(old) * 100, 1) if numbers and old and old * new >= 0 else None


# ---------------------------------------------------------------------------------------- parameters, claims and numbers


def _parameters(old: State, new: State) -> list[dict[str, Any]]:
    if not (old.is_site and new.is_site):
        return []
    names = sorted(set(old.parameters) | set(new.parameters))
    pairs = [(name, old.parameters.get(name), new.parameters.get(name)) for name in names]
    return [{"name": name, "old": a, "new": b, "percent": percent(a, b)} for name, a, b in pairs if a != b]


def _both(old: dict[str, Any], new: dict[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    return ((name, old[name], new[name]) for name in new if name in old)


def _verdicts(old: State, new: State) -> list[dict[str, Any]]:
    return [
        {"id": name, "statement": b["statement"], "old": a["verdict"], "new": b["verdict"], "why": _inputs(a, b)}
        for name, a, b in _both(old.claims, new.claims)
        if a["verdict"] != b["verdict"]
    ]


def _inputs(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The inputs of a claim that changed."""
    pairs = _both(old.get("inputs", {}), new.get("inputs", {}))
    return [f"{_plainly(name)}: {_shown(name, a)} → {_shown(name, b)}" for name, a, b in pairs if a != b]


def _plainly(name: str) -> str:
    """An input as it reads: ``devices iphone-14 memory_bandwidth_byte_per_s`` → ``devices iphone-14 memory bandwidth``."""
    *place, column = name.split(" ")
    return " ".join([*place, units.stem(column).replace("_", " ")])


def _shown(name: str, value: Any) -> str:
    """Its value in the unit that the column's name says."""
    unit = units.parse(name.rpartition(" ")[2])
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if unit and numeric and unit.text == "mm2" and abs(value) < units.unit("um2").factor * UM2_SHOWN:
        return f"{value / units.unit('um2').factor:.4g} µm²"
    if unit and numeric and (units.steps(unit.text)[0] or unit.text in (*words.WHOLE, "year")):
        return words.quantity(value, unit.text)
    return f"{value:.4g}{f' {units.phrase(unit.text)}' if unit else ''}".rstrip() if numeric else str(value)


def _claims(old: State, new: State) -> list[dict[str, Any]]:
    """Claims whose recomputed or newest value moved."""
    return [
        {
            "id": name, "statement": b["statement"], "unit": b["unit"], "old": a["value"], "new": b["value"],
            "percent": percent(a["value"], b["value"]), "latest_old": a["latest_value"], "latest_new": b["latest_value"],
            "latest_percent": percent(a["latest_value"], b["latest_value"]), "why": _inputs(a, b),
        }
        for name, a, b in _both(old.claims, new.claims)
        if (a["value"], a["latest_value"]) != (b["value"], b["latest_value"])
    ]  # fmt: skip


def _numbers(old: State, new: State) -> list[dict[str, Any]]:
    """Numbers of the prose that moved, those of the landing page first, then by how far."""
    found = [
        {
            "id": name, "definition": b["definition"], "old": a["text"], "new": b["text"], "old_number": a["number"],
            "new_number": b["number"], "unit": b["unit"], "percent": percent(a["number"], b["number"]),
            "headline": name.startswith(HEADLINE),
        }
        for name, a, b in _both(old.numbers, new.numbers)
        if b["number"] is not None and (a["number"], a["text"]) != (b["number"], b["text"])
    ]  # fmt: skip
    return sorted(found, key=lambda one: (not one["headline"], -abs(one["percent"] or 0), one["id"]))


def _sentences(old: State, new: State) -> list[dict[str, Any]]:
    """Words that the data choose and that they now choose otherwise."""
    return [
        {"id": name, "old": a["text"], "new": b["text"]}
        for name, a, b in _both(old.numbers, new.numbers)
        if b["number"] is None and a["text"] != b["text"]
    ]


# --------------------------------------------------------------------------------------------------------------- tables


def _tables(old: State, new: State) -> list[dict[str, Any]]:
    found = []
    for name in sorted(set(old.tables) | set(new.tables)):
        before, after = old.tables.get(name, {}), new.tables.get(name, {})
        changed = [cell for key, a, b in _both(before, after) for cell in _cells(key, a, b)]
        added, removed = [key for key in after if key not in before], [key for key in before if key not in after]
        if added or removed or changed:
            found.append({"table": name, "added": added, "removed": removed, "changed": changed})
    return found


def _cells(key: str, old: states.Row, new: states.Row) -> Iterable[dict[str, Any]]:
    for column in dict.fromkeys([*old, *new]):
        a, b = old.get(column, ""), new.get(column, "")
        if a != b:
            yield {"key": key, "column": column, "old": a, "new": b, "percent": percent(_number(a), _number(b))}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


# -------------------------------------------------------------------------------------------------------------- figures


def _figures(old: State, new: State) -> list[dict[str, Any]]:
    """Figures that came, went, or changed, and why."""
    if not (old.is_site and new.is_site):
        return []
    found = []
    for name in dict.fromkeys([*new.figures, *old.figures]):
        a, b = old.figures.get(name), new.figures.get(name)
        why = _why(name, old, new) if a and b else ["new" if b else "gone"]
        if why:
            shown = b or a or {}
            title = {"old": a["title"] if a else "", "title": b["title"] if b else a["title"] if a else ""}
            found.append({"id": name, "number": shown["number"], "chapter": shown["chapter"], **title, "why": why})
    return found


def _why(name: str, old: State, new: State) -> list[str]:
    a, b = _metadata(old, name), _metadata(new, name)
    points = _points(old, name) != _points(new, name)
    wording = any(a.get(part) != b.get(part) for part in WORDING)
    code = a.get("code") != b.get("code")
    redrawn = not points and _drawing(old, name) != _drawing(new, name)
    reasons = []
    said_anew = wording and not code  # the words are made of numbers; an edited caption is edited code
    if points or said_anew:
        if rows := _changed_rows(old, new, _sources(old.figures[name], new.figures[name])):
            reasons.append(f"data: {rows}")
        if used := _used_parameters(new.figures[name]["chapter"], old, new):
            reasons.append(f"parameters: {_few(used)}")
    if code or redrawn:
        reasons.append("code")
    if (points or said_anew) and not reasons:
        reasons.append("data, by way of other rows" if _tables(old, new) else "code" if points else "")
    if wording:
        reasons.append("caption" if not points else "caption, with them")
    return [reason for reason in reasons if reason] if points or wording or code or redrawn else []


def _few(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")


def _metadata(state: State, name: str) -> dict[str, Any]:
    path = state.file(name, "metadata.json")
    found: dict[str, Any] = json.loads(read_text(path)) if path.is_file() else {}
    return found


def _points(state: State, name: str) -> list[list[str]]:
    path = state.file(name, "csv")
    return list(csv.reader(io.StringIO(read_text(path), newline=""))) if path.is_file() else []


def _drawing(state: State, name: str) -> str:
    """The specification without its data, its title and the line that names the edition."""
    path = state.file(name, "vl.json")
    spec = json.loads(read_text(path)) if path.is_file() else {}
    left = {key: value for key, value in spec.items() if key not in ("title", "datasets", "$schema", "usermeta")}
    return re.sub(
        r'"[^"]*Figure [\d.]+, ' + re.escape(citation.TITLE) + '[^"]*"', '""', json.dumps(left, sort_keys=True)
    )


def _sources(*entries: dict[str, Any]) -> set[str]:
    return {source for entry in entries for source in entry["sources"]}


def _changed_rows(old: State, new: State, cited: set[str]) -> str:
    """The rows that changed, came or went and whose sources a figure cites: ``devices (iphone-14)``."""
    found = []
    for one in _tables(old, new):
        rows = [old.tables.get(one["table"], {}), new.tables.get(one["table"], {})]
        keys = dict.fromkeys([*one["added"], *one["removed"], *(cell["key"] for cell in one["changed"])])
        of_figure = [key for key in keys if any(cited & _cited(row.get(key, {})) for row in rows)]
        if of_figure:
            found.append(f"{one['table']} ({_few(of_figure)})")
    return ", ".join(found)


def _cited(row: states.Row) -> set[str]:
    return {cell for column, cell in row.items() if column.endswith("source_id") and cell}


def _used_parameters(chapter: str, old: State, new: State) -> set[str]:
    changed = {one["name"] for one in _parameters(old, new)} - OF_THE_EDITION
    path = places.REPOSITORY / "chapters" / f"{chapter}.md"
    return changed & set(execution.declared_parameters(execution.read(path))) if path.is_file() else changed
