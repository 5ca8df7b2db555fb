"""Terms of the field: the first use in a chapter carries its sentence, and one page lists them all with where they are used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import yaml
from docutils import nodes
from sphinx.application import Sphinx

from analysis.book.pages import pieces
from analysis.book.pages.nodes import Reference
from analysis.book.store import places, templates

FILE = places.REPOSITORY / "chapters" / "glossary.yml"
PAGE = "chapters/glossary"
SILENT = (
    nodes.reference,
    nodes.literal,
    nodes.title,
    nodes.raw,
    nodes.math,
    nodes.math_block,
    nodes.literal_block,
    Reference,
)
"""Parts of a page in which nothing is explained: what already leads elsewhere, and what is no sentence."""


@dataclass(frozen=True)
class Term:
    """A term with its one sentence, and a pattern of the ways it is spelled; one told by what stands beside it goes before others."""

    id: str
    name: str
    said: str
    pattern: re.Pattern[str]
    is_told: bool


@cache
def terms() -> tuple[Term, ...]:
    """The terms of ``chapters/glossary.yml``, in the order of their names; none where a book has no such file."""
    filed = yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    spelled = {key: row.get("spelled", [row["name"]]) for key, row in filed.items()}
    made = [
        Term(
            key,
            row["name"],
            row["said"],
            _pattern(spelled[key], row.get("unlike", [])),
            any("{" in one for one in spelled[key]),
        )
        for key, row in filed.items()
    ]
    return tuple(sorted(made, key=lambda term: term.name.casefold()))


def _pattern(spelled: list[str], unlike: list[str]) -> re.Pattern[str]:
    """Any of the spellings as words of their own, the longest first, with a plural s, but where they begin a phrase of another sense."""
    found = "|".join(map(_spelling, sorted(spelled, key=lambda one: (-len(one), one))))
    return re.compile(rf"{''.join(f'(?!{re.escape(phrase)})' for phrase in unlike)}(?:{found})")


def _spelling(written: str) -> str:
    """One spelling; where a word has several senses it stands in braces, and what is beside it says which is meant: their {scales}."""
    before, word, after = re.match(r"(?:(.*)\{)?([^{}]+)\}?(.*)", written).groups(default="")  # type: ignore[union-attr]
    return rf"(?<=(?<![\w-]){re.escape(before)}){re.escape(word)}s?(?={re.escape(after)}(?![\w-]))"


def explain(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Let the first use of each term on a page carry its sentence, but for the page that lists them."""
    if document != PAGE and PAGE in app.env.found_docs:
        for text, found in _first_uses(doctree):
            _mark(text, found, document)


def _first_uses(doctree: nodes.Element) -> Iterator[tuple[nodes.Text, list[tuple[int, int, Term]]]]:
    """The texts of a page in which terms are used first: where each term begins and ends."""
    known: set[str] = set()
    for text in list(doctree.findall(nodes.Text)):
        uses = {term.id: (start, end, term) for start, end, term in reversed(_uses(text)) if term.id not in known}
        known |= set(uses)
        if uses:
            yield text, sorted(uses.values(), key=lambda use: use[0])


def _uses(text: nodes.Text) -> list[tuple[int, int, Term]]:
    """All uses in a text from its beginning on; what is part of a longer term is not one of its own."""
    found = [(*use.span(), term) for term in terms() for use in term.pattern.finditer(text)] if _is_prose(text) else []
    taken: list[tuple[int, int, Term]] = []
    for start, end, term in sorted(found, key=lambda use: (use[0] - use[1], not use[2].is_told, use[0])):
        if not any(start < other_end and other < end for other, other_end, _ in taken):
            taken.append((start, end, term))
    return sorted(taken, key=lambda use: use[0])


def _is_prose(text: nodes.Text) -> bool:
    node, in_paragraph = text.parent, False
    while node is not None and not isinstance(node, nodes.document):
        if isinstance(node, SILENT):
            return False
        in_paragraph = in_paragraph or isinstance(node, (nodes.paragraph, nodes.caption))
        node = node.parent
    return in_paragraph


def _mark(text: nodes.Text, uses: list[tuple[int, int, Term]], document: str) -> None:
    whole, made, last = text.astext(), [], 0
    for start, end, term in uses:
        made += [nodes.Text(whole[last:start]), _card(whole[start:end], term, document)]
        last = end
    text.parent.replace(text, [node for node in [*made, nodes.Text(whole[last:])] if node.astext()])


def _card(word: str, term: Term, document: str) -> Reference:
    target = f"{pieces.relative(document, PAGE)}.html#{term.id}"
    card = templates.page(
        "value", target=target, told={"definition": term.said, "more": "In the glossary"}, short=False
    )
    return Reference("", nodes.Text(word), kind="term", key=term.id, html=card)


def listed(app: Sphinx) -> str:
    """All terms as a list of definitions, each with links to the chapters that use it."""
    used: dict[str, list[tuple[str, str]]] = {term.id: [] for term in terms()}
    pages = [app.config.root_doc, *app.env.toctree_includes.get(app.config.root_doc, [])]
    for document in [page for page in pages if page != PAGE]:
        title = app.env.titles[document].astext()
        for _, found in _first_uses(app.env.get_doctree(document)):
            for _, _, term in found:
                used[term.id].append((f"{pieces.relative(PAGE, document)}.html", title))
    return templates.page("glossary", terms=terms(), used=used)
