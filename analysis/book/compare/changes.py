"""What moved, told: as text, as Markdown, as JSON, and as one page with the pictures before and after."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from analysis.book.compare.diff import Difference
from analysis.book.record.policy import secured
from analysis.book.store import templates
from analysis.claims import statements

MOST_LINES = 25
"""Entries of a section in the text form; the other forms list all."""
Section = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, heads of the columns, rows."""


def sections(found: Difference) -> list[Section]:
    """The difference as tables of words, those without a row left out."""
    all_of_them: list[Section] = [
        ("Parameters", ("parameter", "old", "new", "change"), [
            (one["name"], _plain(one["old"]), _plain(one["new"]), _percent(one["percent"])) for one in found.parameters]),
        ("Verdicts that flipped", ("claim", "old", "new", "statement", "because"), [
            (one["id"], _words(one["old"]), _words(one["new"]), one["statement"], "; ".join(one["why"])) for one in found.verdicts]),
        ("Claims whose numbers moved", ("claim", "old", "new", "change", "newest data, old", "new", "change"), [
            (one["id"], _value(one["old"], one["unit"]), _value(one["new"], one["unit"]), _percent(one["percent"]),
             _value(one["latest_old"], one["unit"]), _value(one["latest_new"], one["unit"]), _percent(one["latest_percent"]))
            for one in found.claims]),
        ("Headline numbers", ("number", "old", "new", "change", "what it is"), _numbers(found, headline=True)),
        ("Other numbers", ("number", "old", "new", "change", "what it is"), _numbers(found, headline=False)),
        ("Sentences that changed", ("sentence", "old", "new"), [(one["id"], one["old"], one["new"]) for one in found.sentences]),
        ("Figures", ("figure", "why", "old title", "title"), [
            (f"{one['number']} {one['id']}".strip(), "; ".join(one["why"]), one["old"], one["title"]) for one in found.figures]),
        ("Rows added, changed, removed", ("table", "row", "column", "old", "new", "change"), _rows(found)),
    ]  # fmt: skip
    return [section for section in all_of_them if section[2]]


def _numbers(found: Difference, *, headline: bool) -> list[tuple[str, ...]]:
    return [
        (one["id"], one["old"], one["new"], _percent(one["percent"]), one["definition"])
        for one in found.numbers
        if one["headline"] == headline
    ]


def _rows(found: Difference) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in found.tables:
        rows += [(one["table"], key, "added", "", "", "") for key in one["added"]]
        rows += [(one["table"], key, "removed", "", "", "") for key in one["removed"]]
        rows += [
            (one["table"], cell["key"], cell["column"], cell["old"], cell["new"], _percent(cell["percent"]))
            for cell in one["changed"]
        ]
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _value(value: Any, unit: str) -> str:
    return "–" if value is None else statements.shown(value * statements.factor(unit), unit)


def _percent(change: float | None) -> str:
    return "" if not change else f"{change:+.1f} %".replace("-", "−")


def _words(verdict: str) -> str:
    return verdict.replace("-", " ")


def _heading(found: Difference) -> str:
    return f"What moved from {_named(found.old)} to {_named(found.new)}"


def _named(state: Mapping[str, str]) -> str:
    digits, _, dirty = state["commit"].partition("-")
    commit = f", commit {digits[:10]}{' with changes' if dirty else ''}" if digits else ""
    run = f", a run with {state['run']}" if state["run"] else ""
    return f"{state['name']} (edition {state['edition']}{commit}{run})" if state["edition"] else state["name"]


NOTHING = "Nothing moved."


def as_text(found: Difference, pictures: object = None) -> str:
    """For a terminal."""
    lines = [_heading(found)]
    for title, heads, rows in sections(found):
        lines += ["", f"{title} ({len(rows)})"]
        lines += [f"  {_line(heads, row)}" for row in rows[:MOST_LINES]]
        if len(rows) > MOST_LINES:
            lines.append(f"  … and {len(rows) - MOST_LINES} more; --format json, markdown or html lists them all")
    return "\n".join([*lines, *([NOTHING] if found.nothing else [])]) + "\n"


def _line(heads: Sequence[str], row: Sequence[str]) -> str:
    """``id: old → new (+7 %)  the rest``."""
    cells = dict(zip(heads, row, strict=True)) if len(set(heads)) == len(heads) else {}
    if not cells:
        first, old, new, change, *newest = row
        return f"{first}: {old} → {new} {change}  newest data {newest[0]} → {newest[1]} {newest[2]}".rstrip()
    if "row" in cells:
        moved = (
            f": {cells['old'] or 'nothing'} → {cells['new'] or 'nothing'} {cells['change']}"
            if cells["old"] or cells["new"]
            else ""
        )
        return f"{cells['table']} {cells['row']} {cells['column']}{moved}".rstrip()
    if "why" in cells:
        return f"{cells['figure']}: {cells['why']}"
    rest = [cells.get(name, "") for name in ("change", "statement", "because", "what it is")]
    return f"{row[0]}: {cells['old']} → {cells['new']}  " + "  ".join(text for text in rest if text)


def as_markdown(found: Difference, pictures: object = None) -> str:
    """For a pull request or an e-mail."""
    parts = [f"# {_mark(_heading(found))}"]
    for title, heads, rows in sections(found):
        table = [heads, ("---",) * len(heads), *rows]
        lines = ["| " + " | ".join(_mark(cell) if cell != "---" else cell for cell in row) + " |" for row in table]
        parts += [f"## {title} ({len(rows)})", "\n".join(lines)]
    return "\n\n".join([*parts, *([NOTHING] if found.nothing else [])]) + "\n"


def _mark(cell: str) -> str:
    """A text that Markdown shows as it is."""
    text = cell.replace("\\", "\\\\")
    for sign in "|`*_<>[]#":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def as_json(found: Difference, pictures: object = None) -> str:
    """For programs."""
    return json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n"


STYLE = Markup("""
:root { color-scheme: light dark; --rule: #d5dae0; --quiet: #5b6673; --tint: #f5f7f9; --page: #fff; --ink: #1d2430; }
@media (prefers-color-scheme: dark) { :root { --rule: #2b333d; --quiet: #9aa6b4; --tint: #1a2028; --page: #12161b; --ink: #e3e8ee; } }
body { background: var(--page); color: var(--ink); }
body { font: 16px/1.5 "Source Sans 3", "Liberation Sans", Arial, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 0.92em; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--rule); overflow-wrap: break-word; }
th { color: var(--quiet); font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 1rem; margin: 1rem 0 2rem; }
figure { margin: 0; min-width: 0; } img { width: 100%; background: #fff; border: 1px solid var(--rule); }
figcaption { color: var(--quiet); } .scroll { overflow-x: auto; } p.why { background: var(--tint); padding: 0.4rem 0.7rem; }
@media (max-width: 700px) {
thead { display: none; } tr, td { display: block; } tr { border-bottom: 1px solid var(--rule); padding: 0.4rem 0; }
td { border: 0; padding: 0.1rem 0; overflow-wrap: anywhere; } td:empty { display: none; } td:first-child { font-weight: 600; }
td:not(:first-child)::before { content: attr(data-head) ": "; color: var(--quiet); } }
""")


def as_html(found: Difference, pictures: Mapping[str, tuple[str, str]] | None = None) -> str:
    """One page that stands alone: no script, nothing to load, the pictures in it."""
    pairs = pictures or {}
    page = templates.page(
        "changes", title=_heading(found), style=STYLE, sections=sections(found), anchor=_anchor, most=2 * MOST_LINES,
        nothing=NOTHING if found.nothing else "",
        figures=[(one, _pair(one, pairs.get(one["id"], ("", "")))) for one in found.figures],
    )  # fmt: skip
    return secured(page)


def _anchor(title: str) -> str:
    return title.lower().replace(",", "").replace(" ", "-")


def _pair(one: Mapping[str, Any], pictures: tuple[str, str]) -> list[tuple[str, str, str]]:
    """When, under which title, the picture itself."""
    before, after = (b64encode(svg.encode()).decode() for svg in pictures)
    return [("Before", one["old"], before), ("After", one["title"], after)]


FORMATS: dict[str, Callable[[Difference, Any], str]] = {
    "text": as_text, "markdown": as_markdown, "json": as_json, "html": as_html,
}  # fmt: skip
"""Format → how a difference is told in it."""
