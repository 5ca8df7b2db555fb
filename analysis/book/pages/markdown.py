"""A piece of a page as Markdown: what a reader of plain text, or a program that reads for one, needs of it.

Read off the HTML that the page is made of, so that no number can be in one and not in the other.  Equations come as the LaTeX they
were written in, charts as their alternative text with the picture's address; code that a page folds away is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from html import unescape
from urllib.parse import quote

from lxml import html
from lxml.html import HtmlElement

Address = Callable[[str], str]
"""From the address in the page to that in its Markdown."""

SPACE = re.compile(r"[ \t\r\n]+")
SPECIAL = re.compile(r"[\\`*\[\]$|]|<(?=[A-Za-z/!?])|(?<!\w)_|_(?!\w)")
"""What Markdown would read as more than letters; an underscore within a word it does not."""
START = re.compile(r"^(?=[#>+-] |>)|^(\d+)(?=[.)] )")
OMITTED = {"script", "style", "button", "select", "input", "svg", "form", "output", "label"}
"""What is worked with and not read."""
UNREAD = {"mw-score", "headerlink", "hide", "cell_input", "mw-table-bar"}
BLOCKS = {
    "p", "div", "section", "aside", "figure", "figcaption", "details", "summary", "ul", "ol", "dl", "dt", "dd", "table", "pre",
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "article", "hr",
}  # fmt: skip
TABLE = re.compile(r"<table\b[^>]*>(.*?)</table>", re.DOTALL)
ROW = re.compile(r'<tr id="([^"]*)"')
CELL = re.compile(r"<t[hd]\b[^>]*>([^<]*(?:<(?!/t[hd]>)[^<]*)*)")
USUAL = re.compile(r'(?:<a [^>]*?href="([^"]*)"[^>]*>)?([^<]*)(?:</a>)?(?:<div class="mw-note">([^<]*)</div>)?')
"""Tables are taken apart as text: of the half a million cells of a site most hold a word and a note, which need no parser."""
MISSING = "<span class=mw-missing>–</span>"
MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
TAKEN = (".csv", ".svg", "index.html")
"""Of the menu of a figure, what a reader of text goes on to."""


def converted(body: str, address: Address = str) -> str:
    """The Markdown of a piece of HTML as templates and Sphinx write it; ``address`` tells where a link leads from there."""
    page = _Page(address)
    root = html.fragment_fromstring(TABLE.sub(page.put_by, body), create_parent="div")
    return "\n\n".join(page.blocks(root)) + "\n"


@lru_cache(maxsize=2**12)
def plain(text: str) -> str:
    """Text with what Markdown reads as more than letters escaped."""
    if "\n" in text or "  " in text:
        text = SPACE.sub(" ", text)
    return text if text.isalnum() else SPECIAL.sub(r"\\\g<0>", text)


@lru_cache(maxsize=2**17)
def _plain_cell(text: str) -> str:
    return plain(unescape(text)).strip()


class _Page:
    """One page on its way: where its links lead."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.tables: list[str] = []

    def blocks(self, node: HtmlElement) -> list[str]:
        """Paragraphs, lists, tables … of a node, each as a text."""
        found: list[str] = []
        line = [plain(node.text or "")]
        for child in node:
            if child.tag in BLOCKS:
                found += [*_paragraph(line), *self._block(child)]
                line = []
            else:
                line.append(self._inline(child))
            line.append(plain(child.tail or ""))
        return [*found, *_paragraph(line)]

    def _block(self, node: HtmlElement) -> list[str]:
        classes = set(node.get("class", "").split())
        if classes & UNREAD:
            return []
        for name, made in SPECIAL_BLOCKS.items():
            if name in classes:
                return made(self, node)
        return TAGS.get(node.tag, _Page.blocks)(self, node)

    def _inline(self, node: HtmlElement) -> str:
        if not isinstance(node.tag, str) or node.tag in OMITTED or "headerlink" in node.get("class", ""):
            return ""
        if node.tag in INLINE:
            return INLINE[node.tag](self, node)
        return self.words(node)

    def words(self, node: HtmlElement) -> str:
        """What a node says, in one line."""
        said = [plain(node.text or "")]
        for child in node:
            if child.tag in BLOCKS:
                said += [" ", self._aside(child), " "]
            else:
                said.append(self._inline(child))
            said.append(plain(child.tail or ""))
        return "".join(said)

    def _aside(self, node: HtmlElement) -> str:
        """A block within a line, as the note in a cell."""
        said = self.words(node).strip()
        return f"({said})" if "mw-note" in node.get("class", "") else said

    def heading(self, node: HtmlElement) -> list[str]:
        """A heading, with its id where that does not follow from its words."""
        said = SPACE.sub(" ", self.words(node)).strip()
        parent = node.getparent()
        first = parent is not None and parent.tag == "section" and parent[0] is node
        name = node.get("id") or (parent.get("id") if first else "") or ""
        return [f"{'#' * int(node.tag[1])} {said}{_named(name, said)}"]

    def paragraph(self, node: HtmlElement) -> list[str]:
        """One paragraph."""
        return list(_paragraph([self.words(node)]))

    def code(self, node: HtmlElement) -> list[str]:
        """A block of code or of a citation's format, as it is."""
        text = node.text_content().strip("\n")
        fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
        return [f"{fence}\n{text}\n{fence}"]

    def listed(self, node: HtmlElement) -> list[str]:
        """A list with those inside it."""
        items = [item for item in node if item.tag == "li"]
        marks = [f"{number}. " if node.tag == "ol" else "- " for number in range(1, len(items) + 1)]
        said = (self.blocks(item) for item in items)
        return ["\n".join(_hung(mark, blocks) for mark, blocks in zip(marks, said, strict=True))]

    def defined(self, node: HtmlElement) -> list[str]:
        """A list of terms and what they mean."""
        said = ((child, self.blocks(child)) for child in node)
        return [
            _hung("- ", blocks)
            if child.tag == "dd"
            else f"**{' '.join(blocks).replace('**', '')}**{_named(child.get('id', ''))}"
            for child, blocks in said
            if blocks
        ]

    def put_by(self, table: re.Match[str]) -> str:
        """Keep what is in a table, and leave a mark where it was."""
        self.tables.append(table[1])
        return f'<table id="{len(self.tables) - 1}"></table>'

    def table(self, node: HtmlElement) -> list[str]:
        """A table, with the ids of its rows behind what stands in their first cells."""
        rows = [row for row in self.tables[int(node.get("id"))].split("</tr>") if "<tr" in row]
        lines = [self._row(row) for row in rows]
        return ["\n".join([lines[0], "|" + "---|" * len(CELL.findall(rows[0])), *lines[1:]])] if rows else []

    def _row(self, row: str) -> str:
        first, *rest = map(self._cell, CELL.findall(row))
        named = ROW.search(row) if "<tr id=" in row else None
        return f"| {' | '.join([first + _named(named[1]) if named else first, *rest])} |"

    def _cell(self, cell: str) -> str:
        if "<" not in cell:
            return _plain_cell(cell)
        usual = USUAL.fullmatch(cell.replace(MISSING, "–"))
        if usual is None:
            return SPACE.sub(" ", self.words(html.fragment_fromstring(cell, create_parent="div"))).strip()
        said = _plain_cell(usual[2])
        linked = f"[{said}]({self._leads(unescape(usual[1]))})" if usual[1] else said
        return f"{linked} ({_plain_cell(usual[3])})" if usual[3] else linked

    def quoted(self, node: HtmlElement) -> list[str]:
        """A quotation or a box: its title in bold, then what it says."""
        return ["\n".join(f"> {line}".rstrip() for line in "\n\n".join(self.blocks(node)).splitlines())]

    def bold(self, node: HtmlElement) -> list[str]:
        """A title that is no heading."""
        return [f"**{said}**" for said in _paragraph([self.words(node)])]

    def equation(self, node: HtmlElement) -> list[str]:
        """An equation as it was written, with its number and its id."""
        number = "".join(one.text or "" for one in node.iterfind(".//span[@class='mw-equation-number']"))
        said = "\n\n".join(f"$$\n{one.get('alttext').strip()}\n$$" for one in node.iter("math"))
        return [" ".join(filter(None, (said, number, _named(node.get("id", "")).strip())))]

    def addressed(self, node: HtmlElement) -> list[str]:
        """A figure or a table with its id behind its title."""
        title, *rest = self.blocks(node)
        return [title + _named(node.get("id", "")), *rest]

    def chart(self, node: HtmlElement) -> list[str]:
        """The picture of a chart, with what is seen on it."""
        picture, name = next(node.iter("img")), node.get("data-figure")
        place = f"{picture.get('src').rpartition('/')[0] or '.'}/{name}.svg"
        return [f"![{plain(picture.get('alt'))}]({self._leads(place)})"]

    def menu(self, node: HtmlElement) -> list[str]:
        """The ways on from a figure."""
        ways = [one for one in node.iter("a") if one.get("href").endswith(TAKEN)]
        return [" · ".join(self.link(way) for way in ways)] if ways else []

    def link(self, node: HtmlElement) -> str:
        """A link; the bare words where it leads nowhere."""
        said, target = self.words(node), node.get("href")
        return f"[{said.strip()}]({self._leads(target)})" if target and said.strip() else said

    def _leads(self, target: str) -> str:
        return quote(self.address(target), safe="/:?#@!$&'*+,;=%-._~")

    def literal(self, node: HtmlElement) -> str:
        """Code within a line."""
        text = SPACE.sub(" ", node.text_content()).strip()
        if not text:
            return ""
        return f"`` {text} ``" if "`" in text else f"`{text}`".replace("|", "\\|")

    def marked(self, node: HtmlElement) -> str:
        """Words that are stressed; the spaces around them stay outside."""
        said = self.words(node)
        kept = said.strip()
        return said.replace(kept, f"{MARKS[node.tag]}{kept}{MARKS[node.tag]}") if kept else said

    def formula(self, node: HtmlElement) -> str:
        """An equation within a line."""
        return f"${node.get('alttext', '').strip()}$"

    def raised(self, node: HtmlElement) -> str:
        """An exponent or an index."""
        return f"{'^' if node.tag == 'sup' else '_'}{self.words(node).strip()}"

    def picture(self, node: HtmlElement) -> str:
        """A picture with its alternative text; one that only decorates is left out."""
        return f"![{plain(node.get('alt'))}]({self._leads(node.get('src', ''))})" if node.get("alt") else ""


TAGS: dict[str, Callable[[_Page, HtmlElement], list[str]]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _Page.heading),
    "p": _Page.paragraph, "pre": _Page.code, "ul": _Page.listed, "ol": _Page.listed, "dl": _Page.defined, "table": _Page.table,
    "blockquote": _Page.quoted, "aside": _Page.quoted, "summary": _Page.bold,
}  # fmt: skip
"""Tag of a block → what is made of it; all others are what is in them."""
SPECIAL_BLOCKS: dict[str, Callable[[_Page, HtmlElement], list[str]]] = {
    "admonition": _Page.quoted, "admonition-title": _Page.bold, "mw-equation": _Page.equation, "mw-chart": _Page.chart,
    "mw-figure": _Page.addressed, "mw-table-block": _Page.addressed, "mw-actions": _Page.menu,
}  # fmt: skip
"""Class of a block → the same, before its tag is asked."""
INLINE: dict[str, Callable[[_Page, HtmlElement], str]] = {
    "a": _Page.link, "code": _Page.literal, **dict.fromkeys(MARKS, _Page.marked), "math": _Page.formula, "sub": _Page.raised,
    "sup": _Page.raised, "img": _Page.picture, "br": lambda page, node: "\n",
}  # fmt: skip


def _paragraph(line: list[str]) -> Iterator[str]:
    said = re.sub(r" +", " ", "".join(line)).strip()
    if said:
        yield START.sub(r"\1\\", said)


def _named(name: str, said: str = "") -> str:
    """The id of what stands before it, as Pandoc and MyST write one; nothing where it is the words themselves."""
    if not name:
        return ""
    words = re.sub(r"[^\w\- ]", "", said.lower()).strip().replace(" ", "-")
    return f" {{#{name}}}" if name and name != words else ""


def _hung(mark: str, blocks: list[str]) -> str:
    """An item of a list: what follows its first line stands below it."""
    return mark + re.sub(r"\n(?!\n)", "\n" + " " * len(mark), "\n\n".join(blocks)) if blocks else mark.strip()
