"""A chapter's body as MyST Markdown: prose, equations in TeX, figures as directives, numbers as roles."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from analysis.book.export import chapters
from analysis.book.export.chapters import Book, Chapter, Element, Place

SPECIAL = re.compile(r"[\\`*_{}\[\]<>$#|~^@&]")
OPENING = re.compile(r"^(?=[-+=%:]|\d+[.)])")
"""What would begin a list, a comment or a directive at the start of a line."""
FENCES = {"figure": 3, "table": 4, "admonition": 4}
"""Directive → colons around it: more than around what it may hold."""
MARKS = {"em": "*", "i": "*", "strong": "**", "b": "**"}


def escaped(text: str) -> str:
    """Text as Markdown that means nothing but itself."""
    return SPECIAL.sub(r"\\\g<0>", text)


@dataclass(frozen=True)
class Writer:
    """Writes one chapter of a book."""

    book: Book
    chapter: Chapter

    def written(self) -> str:
        """The whole chapter."""
        return re.sub(r"\n{3,}", "\n\n", self.blocks(self.chapter.body)).strip() + "\n"

    def blocks(self, element: Element) -> str:
        """What stands in an element, block by block; a line of text among blocks is a paragraph."""
        parts: list[str] = [_opened(escaped(" ".join((element.text or "").split())))]
        loose: list[str] = []
        for child in element:
            if _is_block(child):
                parts += [_opened(" ".join("".join(loose).split())), self.block(child)]
                loose = [escaped(child.tail or "")]
            else:
                loose += [self.inline(child), escaped(child.tail or "")]
        parts.append(_opened(" ".join("".join(loose).split())))
        return "\n\n".join(part for part in parts if part)

    def block(self, element: Element) -> str:
        """One block."""
        tag, kinds = element.tag, (element.get("class") or "").split()
        if "mw-equation" in kinds:
            return self.equation(element)
        if "mw-table-block" in kinds or tag == "table":
            return self.table(element)
        if "admonition" in kinds:
            return self.admonition(element, [kind for kind in ("takeaway", "dropdown") if kind in kinds])
        if tag == "div" and kinds[:1] in (["mw-answer"], ["mw-parameters"]):
            return f"> {self.blocks(element)}".replace("\n", "\n> ")
        maker: Callable[[Element], str] | None = {
            "h1": self.heading, "h2": self.heading, "h3": self.heading, "p": self.paragraph, "summary": self.paragraph,
            "ul": self.items, "ol": self.items, "dl": self.definitions, "pre": _code, "figure": self.figure, "section": self.section,
        }.get(tag)  # fmt: skip
        return maker(element) if maker else self.blocks(element)

    def section(self, element: Element) -> str:
        """A section with its label."""
        place = Place(self.chapter.name, element.get("id") or "")
        return f"({label(self.chapter, place)})=\n{self.blocks(element)}"

    def heading(self, element: Element) -> str:
        """A heading."""
        return f"{'#' * int(element.tag[1])} {self.text(element)}"

    def paragraph(self, element: Element) -> str:
        """A paragraph in one line."""
        return _opened(self.text(element))

    def items(self, element: Element) -> str:
        """A list."""
        marks = ("-" if element.tag == "ul" else f"{number}." for number in range(1, len(element) + 1))
        return "\n".join(
            f"{mark} {_indented(self.blocks(item), len(mark) + 1)}" for mark, item in zip(marks, element, strict=True)
        )

    def definitions(self, element: Element) -> str:
        """A list of words and what they mean."""
        return "\n".join(
            self.text(part) if part.tag == "dt" else f": {_indented(self.blocks(part), 2)}\n" for part in element
        )

    def equation(self, element: Element) -> str:
        """An equation in TeX, under its own number."""
        number = "".join(element.xpath("span[contains(@class, 'mw-equation-number')]//text()")).strip("() \n")
        options = {"label": element.get("id"), "enumerator": number} if element.get("id") else {}
        return _directive("math", "", options, (element.find(".//math").get("alttext") or "").strip(), fence="```")

    def figure(self, element: Element) -> str:
        """A figure with its number, title, subtitle and caption."""
        image, number = element.find(".//img"), "".join(element.xpath("descendant::*[@class='caption-number']/text()"))
        told = [("mw-figure-title", "**{}**"), ("mw-figure-subtitle", "*{}*"), ("caption-text", "{}")]
        found = [(form, element.xpath(f"descendant::*[contains(@class, '{name}')]")) for name, form in told]
        caption = " ".join(form.format(self.text(parts[0])) for form, parts in found if parts)
        options = {
            "name": element.get("id"),
            "enumerator": number.split()[-1] if number else "",
            "alt": image.get("alt"),
        }
        return _directive("figure", self.image(image), options, caption)

    def image(self, image: Element) -> str:
        """Where the picture lies beside the chapters."""
        return f"images/{chapters.picture_name(image.get('src'))}"

    def table(self, element: Element) -> str:
        """A table under its caption."""
        caption = element.xpath("p[contains(@class, 'mw-table-caption')]")
        rows = [f"| {' | '.join(self.cell(cell) for cell in row)} |" for row in element.xpath("descendant::tr")]
        width = len(element.xpath("descendant::tr[1]/*"))
        body = "\n".join([*rows[:1], "|" + " --- |" * width, *rows[1:]])
        named = {"name": element.get("id")} if element.get("id") else {}
        return _directive("table", self.text(caption[0]) if caption else "", named, body)

    def cell(self, element: Element) -> str:
        """A cell in one line: what stands below one another is parted by semicolons."""
        lines = re.split(r"\n+", self.blocks(element))
        return "; ".join(line.strip() for line in lines if line.strip())

    def admonition(self, element: Element, kinds: list[str]) -> str:
        """A box with its title."""
        title = element.find("p")
        body = self.blocks(chapters.without(element, title))
        return _directive("admonition", self.text(title), {"class": " ".join(kinds)} if kinds else {}, body)

    def text(self, element: Element) -> str:
        """What stands in an element, as one line."""
        inner = [escaped(element.text or "")]
        for child in element:
            inner += [self.inline(child), escaped(child.tail or "")]
        return " ".join("".join(inner).split())

    def inline(self, element: Element) -> str:
        """One piece of a line."""
        kinds = (element.get("class") or "").split()
        if key := chapters.said(element):
            return f"{{value}}`{key}`"
        if "mw-verdict" in kinds:
            return f"{{verdict}}`{(element.get('href') or '').partition('#')[2]}`"
        if element.tag == "math":
            return f"${element.get('alttext')}$"
        if element.tag == "code":
            return _literal(element.text_content())
        if element.tag == "img":
            return f"![{escaped(element.get('alt') or '')}]({self.image(element)})"
        return self.link(element) if element.tag == "a" else self.marked(element)

    def marked(self, element: Element) -> str:
        """Emphasis; anything else is its text."""
        text, mark = self.text(element), MARKS.get(element.tag, "")
        lead, trail = (
            " " if part and part[:1].isspace() else "" for part in (element.text, (element.text or "")[::-1])
        )
        return f"{mark}{text}{mark}" if mark else f"{lead}{text}{trail if not len(element) else ''}"

    def link(self, element: Element) -> str:
        """A link within the book or to a full address; else its text."""
        text, place = self.text(element), self.book.within(self.chapter, element.get("href"))
        if place is None:
            address = self.book.outside(self.chapter, element.get("href"))
            return f"[{text}](<{address}>)" if address else text
        return f"[{text}]({target(self.book, place)})"


def label(chapter: Chapter, place: Place) -> str:
    """The label of a place: figures, tables and equations have one of their own in the whole book, sections one in their chapter."""
    named = chapter.body.xpath("descendant::*[self::figure or self::div][@id = $name]", name=place.fragment)
    return place.fragment if named else f"{place.chapter}-{place.fragment}"


def target(book: Book, place: Place) -> str:
    """What a link to a place says: its label, or the file of its chapter where it has none."""
    chapter = next(chapter for chapter in book.chapters if chapter.name == place.chapter)
    known = chapter.body.xpath(
        "descendant-or-self::*[self::section or self::figure or self::div][@id = $name]", name=place.fragment
    )
    return f"#{label(chapter, place)}" if known else f"./{place.chapter}.md"


BLOCKS = {
    "p",
    "div",
    "section",
    "figure",
    "ul",
    "ol",
    "dl",
    "table",
    "pre",
    "h1",
    "h2",
    "h3",
    "details",
    "summary",
    "aside",
    "figcaption",
}


def _is_block(element: Element) -> bool:
    return element.tag in BLOCKS


def _opened(line: str) -> str:
    return OPENING.sub(lambda found: "\\" if not line[:1].isdigit() else "", _numbered(line))


def _numbered(line: str) -> str:
    return re.sub(r"^(\d+)([.)])(?=\s)", r"\1\\\2", line)


def _indented(text: str, width: int) -> str:
    return text.replace("\n", f"\n{' ' * width}")


def _code(element: Element) -> str:
    return f"```\n{element.text_content().rstrip()}\n```"


def _literal(text: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{text}{fence}" if "`" not in text else f"{fence} {text} {fence}"


def _directive(name: str, argument: str, options: dict[str, str], body: str, fence: str = "") -> str:
    fence = fence or ":" * FENCES.get(name, 3)
    told = "".join(f":{option}: {' '.join(value.split())}\n" for option, value in options.items() if value)
    return f"{fence}{{{name}}} {argument}".rstrip() + f"\n{told}\n{body}\n{fence}"
