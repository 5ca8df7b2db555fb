"""What a chapter publishes: numbered figures, tables, numbers for its prose, and sentences that follow the data.

Each call returns an object whose output is one JSON bundle; the site turns it into a real numbered figure, a table, or an
entry of the number registry.  Outside a build (in Jupyter) the same objects preview themselves as SVG, HTML or text.
"""

from __future__ import annotations

import ast
import hashlib
import html
import inspect
import json
import linecache
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import tables, units, words
from analysis.errors import FigureError

if TYPE_CHECKING:
    import altair as alt

FIGURE = "application/vnd.memory-wall.figure+json"
TABLE = "application/vnd.memory-wall.table+json"
VALUES = "application/vnd.memory-wall.values+json"
MARKUP = "application/vnd.memory-wall.html+json"
CLAIMS = "application/vnd.memory-wall.claims+json"
ENTRIES = "application/vnd.memory-wall.entries+json"
MIMES = (FIGURE, TABLE, VALUES, MARKUP, CLAIMS, ENTRIES)
BUILDING = "MEMORY_WALL_BUILDING"
"""Set while a site is built: previews are left out."""
HANDED_OVER = "MEMORY_WALL_HANDED_OVER"
"""Set by a build to a folder for what is published: a notebook's messages, copied a dozen times on their way, then name a digest."""

DIGEST, BUNDLE = "sha256", ".bundle.json"
"""What stands in a notebook for a bundle that was handed over, and how its file is called."""

IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SHORTEST_ALT = 20
MAKERS = (".derived", ".charts")
"""How the modules are called that make the data of a figure and its drawing: a figure's page prints what it took of them."""
TEMPLATE = re.compile(r"[{}]")
PACE = re.compile(r"\b(every|per|each|a|in) (\w+ )?years?\b|\bgrew\b|\bgrow|halv|doubl", re.IGNORECASE)
"""Words of a trend in a title."""
INTERVAL = re.compile(r"\d\S* to (\d|∞|never)")
"""The two ends of an interval, as ``subjects.trends`` prints them."""
ESTIMATE = re.compile(
    r"\bestimates? (of|by|put)\b|forecast|\baverage\b|\bprices?\b|\bcost\b|\bcontract\b", re.IGNORECASE
)
"""Words of prices and estimates in a title: numbers that somebody reported, and nobody can read off a product."""
FEW_SOURCES = 5
"""With fewer independent sources behind it, a title on a trend, a price or an estimate says how many there are."""


@dataclass(frozen=True)
class Field:
    """A column of the table behind a figure, as its CSV names it, with the symbol of its unit and as words."""

    name: str
    unit: str
    title: str


@dataclass(frozen=True)
class Figure:
    """A figure as a chapter hands it to the site; ``figure`` says what its parts mean.

    spec       the chart as Vega-Lite, without theme and title; height: of the plot in pixels; columns: of small multiples
    code       the cell that made it; functions: (module, function) it calls for data and drawing
    fields     the columns of the table behind it; rows: its cells as plain JSON values in base units
    """

    id: str
    title: str
    subtitle: str
    caption: str
    alt: str
    notice: str
    equation: str
    sources: list[str]
    spec: dict[str, Any]
    height: int
    columns: int | None
    code: str
    functions: list[tuple[str, str]]
    fields: list[Field]
    rows: list[list[Any]]

    def as_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return vars(self) | {"fields": [vars(field) for field in self.fields]}

    @classmethod
    def of(cls, bundle: Mapping[str, Any]) -> Figure:
        """The figure that ``as_dict`` told; its parts stay the same objects."""
        fields = [Field(**field) for field in bundle["fields"]]
        return cls(**{**bundle, "fields": fields, "functions": [tuple(call) for call in bundle["functions"]]})


@dataclass(frozen=True)
class Column:
    """How one column of a shown table looks: its head, the unit of its numbers, digits, and whether bars are drawn in its cells.

    link  a second column, whose cells are the addresses this one's link to
    kind  ``badge`` shows a verdict as colour, icon and word; ``details`` folds a long text away
    note  a second column whose text stands in quiet type under the first's
    between  two more columns of numbers, the ends of its interval, which stand there instead
    of    a second column of numbers, of which the bar in a cell is the share; without it the largest of the column fills its cell
    """

    name: str
    title: str = ""
    unit: str = ""
    digits: int = 3
    bar: bool = False
    link: str = ""
    kind: str = ""
    note: str = ""
    between: Sequence[str] = ()
    of: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it is shown on a page; ``show_table`` says what its parts mean.

    columns  those shown, in order; fields: the names of all that ``rows`` hold, in theirs
    """

    id: str
    columns: list[Column]
    fields: list[str]
    rows: list[list[Any]]
    caption: str = ""
    mark: str = ""
    row_id: str = ""
    filters: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return vars(self) | {"columns": [vars(column) for column in self.columns]}

    @classmethod
    def of(cls, bundle: Mapping[str, Any]) -> Table:
        """The table that ``as_dict`` told."""
        columns = [Column(**{**column, "between": tuple(column["between"])}) for column in bundle["columns"]]
        return cls(**{**bundle, "columns": columns})


@dataclass(frozen=True)
class Section:
    """A part of the page of an entry: what it is called and says, and a table of whose rows the first ``most`` are written in.

    own     how many of the entry's own rows are shown, where the table has none itself
    others  table of the data whose rows the first column names; ``key`` is the column with their ids
    script  name of a piece's script that makes the rows beyond the first ``most`` on the page, for all pages that ask it; without one
            they lie in a file of the table's own
    """

    title: str
    said: str
    table: Table
    most: int
    own: int = 0
    others: str = ""
    key: str = ""
    script: str = ""


@dataclass(frozen=True)
class Entry:
    """A page of its own for a row of the data, as a device or a model.

    table     of the data, whose name is that of the pages' folder; id: the row's key; group: what stands together in the list of all
    said      sentences, each a paragraph; the first describes the page wherever it is named
    number    the one that the page is about, as it reads; counted: what it is of
    sections  tables with what is said of them
    fields    names of what its CSV and its JSON hold under ``rows``; asked: what these rows answer
    sources   source ids
    """

    table: str
    id: str
    title: str
    group: str
    said: list[str]
    number: str
    counted: str
    sections: list[Section]
    fields: list[str]
    rows: list[list[Any]]
    asked: dict[str, Any]
    sources: list[str]

    @property
    def page(self) -> str:
        """Where it lies in the site, without its ending."""
        return f"{self.table}/{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        sections = [vars(section) | {"table": section.table.as_dict()} for section in self.sections]
        return vars(self) | {"sections": sections}

    @classmethod
    def of(cls, bundle: Mapping[str, Any]) -> Entry:
        """The entry that ``as_dict`` told."""
        sections = [Section(**{**section, "table": Table.of(section["table"])}) for section in bundle["sections"]]
        return cls(**{**bundle, "sections": sections})


@dataclass(frozen=True)
class Published:
    """One thing a chapter shows: its MIME type, its bundle, and how it previews outside a build."""

    mime: str
    bundle: dict[str, Any]
    preview: str = field(default="", repr=False)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        output: dict[str, Any] = {self.mime: self._handed_over() or self.bundle}
        if not os.environ.get(BUILDING):
            output["image/svg+xml" if self.mime == FIGURE else "text/html"] = self._preview()
        return output

    def _handed_over(self) -> dict[str, str]:
        """The digest of the bundle, which now lies in the folder under it; nothing where none was asked for."""
        folder = os.environ.get(HANDED_OVER)
        if not folder:
            return {}
        content = json.dumps(self.bundle, allow_nan=False).encode()
        digest = hashlib.sha256(content).hexdigest()
        (Path(folder) / f"{digest}{BUNDLE}").write_bytes(content)
        return {DIGEST: digest}

    def _preview(self) -> str:
        if self.mime != FIGURE:
            return self.preview
        import vl_convert

        svg: str = vl_convert.vegalite_to_svg(json.dumps(self.bundle["spec"]))
        return svg

    def __repr__(self) -> str:
        return f"<{self.mime.split('.')[-1].split('+')[0]} {self.bundle.get('id', '')}>"


def figure(
    figure_id: str,
    chart: alt.TopLevelMixin,
    data: pd.DataFrame,
    *,
    title: str,
    subtitle: str,
    caption: str,
    alt: str,  # the field's word for it; the Altair module is not needed in here
    sources: Iterable[str] | None = None,
    rests_on: Iterable[str] | None = None,
    notice: str = "",
    equation: str = "",
    height: int = 400,
    columns: int | None = None,
) -> Published:
    """A numbered, captioned, citable figure.

    figure_id   words joined by hyphens; once published it never changes meaning
    chart       what is drawn; only columns it encodes are embedded
    data        the table behind it, in base units: what the reader downloads
    title       the finding, with its number; subtitle: what is plotted, with units and parameters
    caption     what the reader should know to read it; alt: what is seen, for who does not see it
    sources     source ids; by default those named by the rows of ``data``
    rests_on    the sources that the title's number rests on, where these are not all sources of the figure
    notice      one sentence: what to notice; equation: the label of the equation it draws
    height      of the plot in pixels at full width; columns: for small multiples, how many stand side by side

    Raises FigureError where the id is not well formed, the alternative text is too short, the data is empty, a text is
    an unfilled template, or a title on a trend or an estimate keeps its interval or its few sources to itself.
    """
    _check(figure_id, alt, data)
    require_filled(f"figure {figure_id}", title=title, subtitle=subtitle, caption=caption, alt=alt, notice=notice)
    cited = sorted(set(tables.source_ids(data) if sources is None else sources))
    _require_candid(figure_id, title, cited if rests_on is None else rests_on)
    from analysis.charts import domains, schema, tooltips

    spec = tooltips.worded(domains.widened(rounded(schema.specification(chart, records))))
    spec = _prune({key: value for key, value in spec.items() if key not in ("config", "title")})
    shown = data.drop(columns=[name for name in data.columns if str(name).startswith("_")])
    cell, functions = _calling_cell()
    made = Figure(
        id=figure_id, title=title, subtitle=subtitle, caption=caption, alt=alt, notice=notice, equation=equation, sources=cited,
        spec=spec, height=height, columns=columns, code=cell, functions=functions,
        fields=[_described(str(name)) for name in shown.columns], rows=records(shown),
    )  # fmt: skip
    return Published(FIGURE, made.as_dict())


def _calling_cell() -> tuple[str, list[tuple[str, str]]]:
    """The source of the cell that made the figure, and what it calls: what a reader needs to make it again."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    if frame is None or frame.f_code.co_name != "<module>":
        return "", []
    # Not by inspect.getsource, which looks through every module there is for the one that holds the cell.
    source = "".join(linecache.getlines(frame.f_code.co_filename)).strip()
    return source, _called(source, frame.f_globals)


def _called(source: str, names: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(module, function) for the calls of a cell into the modules that make its data and its drawing."""
    functions = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    called = [
        (getattr(names.get(each.value.id), "__name__", ""), each.attr)
        for each in functions
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)
    ]
    return list(dict.fromkeys((module, name) for module, name in called if module.endswith(MAKERS)))


def _check(figure_id: str, alternative: str, data: pd.DataFrame) -> None:
    if not IDENTIFIER.fullmatch(figure_id):
        raise FigureError(f"figure id {figure_id!r}: expected lower-case words joined by hyphens")
    if len(alternative.strip()) < SHORTEST_ALT:
        raise FigureError(
            f"figure {figure_id}: alt text of {len(alternative)} characters; describe what is seen, with its numbers"
        )
    if data.empty:
        raise FigureError(f"figure {figure_id}: its table has no rows; check the filters against the data")


def require_filled(where: str, **texts: str) -> None:
    """Raise FigureError where a text for readers still holds a brace: an f-string without its ``f`` prints its template."""
    for name, text in texts.items():
        if found := TEMPLATE.search(text):
            near = text[max(found.start() - 20, 0) : found.start() + 30]
            raise FigureError(
                f"{where}: {name} holds an unfilled template, …{near}…; expected a text without braces. "
                "Write the f before the string, or put the value in."
            )


def _require_candid(figure_id: str, title: str, source_ids: Iterable[str]) -> None:
    if PACE.search(title) and not INTERVAL.search(title):
        raise FigureError(
            f"figure {figure_id}: the title {title!r} states a trend without its interval; "
            "expected the text of a trend, such as 1.55× (1.48 to 1.63). Take it from subjects.trends."
        )
    if not (PACE.search(title) or ESTIMATE.search(title)):
        return
    said = words.sources(len(tables.package().independent(source_ids)))
    if said not in title and len(tables.package().independent(source_ids)) < FEW_SOURCES:
        raise FigureError(
            f"figure {figure_id}: the title {title!r} rests on few independent sources and does not say so; "
            f"expected the words {said!r} in it."
        )


def _described(column: str) -> Field:
    unit = units.parse(column)
    return Field(column, unit.symbol if unit else "", units.stem(column).replace("_", " ") or column)


def records(table: pd.DataFrame) -> list[list[Any]]:
    """The rows as plain JSON values: missing is null, numbers at six significant digits."""
    return [[plain(value) for value in row] for row in table.itertuples(index=False, name=None)]


def plain(value: Any) -> Any:
    """One cell as JSON knows it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return _significant(value)
    return value if isinstance(value, (str, int, bool)) else str(value)


@lru_cache(maxsize=2**16)
def _significant(value: float) -> float | int | None:
    if math.isnan(value) or math.isinf(value):
        return None
    short = words.significant(value)
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def rounded(node: Any) -> Any:
    """The same JSON with every float as ``words.significant`` has it."""
    if isinstance(node, dict):
        return {key: rounded(value) for key, value in node.items()}
    if isinstance(node, list):
        return [rounded(value) for value in node]
    return _significant(node) if isinstance(node, float) else node


def _prune(spec: dict[str, Any]) -> dict[str, Any]:
    """Embedded data sets without the columns that nothing in the specification names."""
    drawing = json.dumps({key: value for key, value in spec.items() if key != "datasets"})
    named = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", drawing))
    data = {
        name: [{k: v for k, v in row.items() if k in named} for row in rows]
        for name, rows in spec.get("datasets", {}).items()
    }
    renamed = {name: f"data-{position}" for position, name in enumerate(data)}
    text = json.dumps(spec | {"datasets": {}})
    for old, new in renamed.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    result: dict[str, Any] = json.loads(text) | {"datasets": {renamed[name]: rows for name, rows in data.items()}}
    return result


@dataclass(frozen=True)
class Value:
    """A number (or a word, or a sentence) that prose cites by id: ``{value}`iphone-14-largest-fp16```.

    id          words joined by hyphens
    number      in the base unit ``unit``; None for a text chosen by the data
    text        as it reads in a sentence; by default the number with its unit at three digits
    definition  one sentence; formula: how it was computed; inputs: name → value; sources: source ids
    interval    where the book knows between which two it lies, as the definition or the chapter says with what chance; in ``unit``
    """

    id: str
    number: float | None = None
    unit: str = ""
    text: str = ""
    definition: str = ""
    formula: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)
    sources: Sequence[str] = ()
    digits: int = 3
    interval: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry of the number registry."""
        ends = [plain(float(end)) for end in self.interval or ()]
        number = None if self.number is None else plain(float(self.number))
        text = self.text or words.quantity(
            float("nan") if self.number is None else float(self.number), self.unit, self.digits
        )
        inputs = {name: plain(value) for name, value in self.inputs.items()}
        return {
            "id": self.id, "number": number, "unit": self.unit, "interval": None if None in ends else ends or None,
            "text": text, "definition": self.definition,
            "formula": self.formula, "inputs": inputs, "sources": sorted(set(self.sources)),
        }  # fmt: skip


def publish(*values: Value) -> Published:
    """Put numbers into the registry, from where the prose of any chapter cites them with the role ``value``.

    With them goes what they were computed from: the tables that the chapter has read by then.
    """
    for value in values:
        if not IDENTIFIER.fullmatch(value.id):
            raise FigureError(f"value id {value.id!r}: expected lower-case words joined by hyphens")
        require_filled(f"value {value.id}", text=value.text, definition=value.definition)
    entries = [value.as_dict() for value in values]
    listed = "".join(f"<li><code>{entry['id']}</code> {html.escape(entry['text'])}</li>" for entry in entries)
    return Published(VALUES, {"values": entries, "tables": sorted(tables.READ - {"*"})}, f"<ul>{listed}</ul>")


def show_table(
    table_id: str, data: pd.DataFrame, columns: Sequence[Column], *,
    caption: str, mark: str = "", filters: Sequence[str] = (), row_id: str = "",
) -> Published:  # fmt: skip
    """A table on a page: sortable, searchable, numbers right-aligned in one unit a column.

    data     text cells are shown as they are; number cells in the column's ``unit`` at its digits
    columns  the columns shown, in order; mark: a boolean column whose true rows are the article's own, highlighted
    filters  columns offered as menus above the table; row_id: a column whose values are the rows' addresses on the page
    """
    if not IDENTIFIER.fullmatch(table_id):
        raise FigureError(f"table id {table_id!r}: expected lower-case words joined by hyphens")
    if data.empty:
        raise FigureError(f"table {table_id}: no rows; check the filters against the data")
    require_filled(f"table {table_id}", caption=caption, **{f"head {column.name}": column.title for column in columns})
    heads = [
        replace(column, title=column.title or units.stem(column.name).replace("_", " ").capitalize())
        for column in columns
    ]
    kept = [column.name for column in columns] + [name for name in (mark, row_id) if name]
    kept += [name for column in columns for name in (column.link, column.note, *column.between) if name] + list(filters)
    shown = data[list(dict.fromkeys(kept))]
    made = Table(
        id=table_id, caption=caption, columns=heads, fields=[str(name) for name in shown.columns], rows=records(shown),
        mark=mark, row_id=row_id, filters=list(filters), sources=tables.source_ids(data),
    )  # fmt: skip
    return Published(TABLE, made.as_dict(), shown.to_html(index=False))


def entries(*made: Entry) -> Published:
    """Pages of their own for rows of the data.  Raises FigureError where one says nothing, or a text is an unfilled template."""
    for entry in made:
        if not entry.said:
            raise FigureError(f"entry {entry.page}: nothing is said; expected a sentence on what it is")
        texts = [*entry.said, *(section.said for section in entry.sections)]
        named = {"title": entry.title, "number": entry.number, "counted": entry.counted}
        require_filled(f"entry {entry.page}", **named, **{f"text {at}": text for at, text in enumerate(texts)})
    listed = "".join(f"<li>{html.escape(entry.title)}: {html.escape(entry.said[0])}</li>" for entry in made)
    return Published(ENTRIES, {"entries": [entry.as_dict() for entry in made]}, f"<ul>{listed}</ul>")


def markup(name: str, text: str, script: str = "") -> Published:
    """A piece of page made by the package itself (cards, a scoreboard), escaped by whoever made it.

    A script that makes it move lies beside the pages, is named by ``data-script`` in the piece and begins when it is in sight.
    """
    return Published(MARKUP, {"id": name, "html": text, "script": script}, text)
