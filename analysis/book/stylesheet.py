"""Style sheets without what no page uses: rules whose classes and ids occur nowhere, variables nobody reads, fonts nobody names.

A theme is written for every site; this one uses a tenth of it, and a reader waits for all of it before a word is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TOKEN = re.compile(r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^)'"]*\)|[{};]|[^{};"'/u]+|.""", re.DOTALL)
NAME = re.compile(r"([.#])((?:\\.|[\w-])+)")
ELEMENT = re.compile(r"(?:^|[\s>+~,(])([a-z][a-z0-9]*)")
CONDITIONAL = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
VARIABLE = re.compile(r"(--[\w-]+)")
USE = re.compile(r"var\(\s*(--[\w-]+)")
GROUPS = ("@media", "@supports", "@layer", "@container")


@dataclass
class Rule:
    """A rule: what it applies to, and its declarations or the rules within."""

    prelude: str
    declarations: str = ""
    rules: list[Rule] | None = None

    def __str__(self) -> str:
        inner = self.declarations if self.rules is None else "".join(map(str, self.rules))
        return f"{self.prelude}{{{inner}}}" if inner else ""


def parsed(text: str) -> list[Rule]:
    """The rules of a style sheet, in order; comments, ``@charset`` and ``@import`` are left out."""
    return _rules(iter(found for found in TOKEN.findall(text) if not found.startswith("/*")))


def _rules(pieces: Iterator[str]) -> list[Rule]:
    rules, prelude = [], ""
    for piece in pieces:
        if piece == "}":
            break
        if piece == ";":
            prelude = ""
        elif piece == "{":
            prelude = " ".join(prelude.split())
            if prelude.startswith(GROUPS) or "@keyframes" in prelude or "@-webkit-keyframes" in prelude:
                rules.append(Rule(prelude, rules=_rules(pieces)))
            else:
                rules.append(Rule(prelude, _declarations(pieces)))
            prelude = ""
        else:
            prelude += piece
    return rules


def _declarations(pieces: Iterator[str]) -> str:
    text = ""
    for piece in pieces:
        if piece == "}":
            break
        text += piece
    return ";".join(filter(None, (" ".join(part.split()) for part in _split(text, ";"))))


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark that stands outside brackets and quotes."""
    parts, depth, quote, last = [], 0, "", 0
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == mark and not depth:
            parts.append(text[last:index])
            last = index + 1
    return [*parts, text[last:]]


def names(text: str) -> set[str]:
    """Every class and id that a style sheet speaks of."""
    return {name.replace("\\", "") for _, name in NAME.findall(text)}


def pruned(text: str, present: set[str]) -> str:
    """The style sheet as far as it concerns pages with these classes, ids and elements."""
    rules = _used(parsed(text), present)
    while (fewer := _read(rules)) != rules:
        rules = fewer
    named = "".join(rule.declarations for rule in _flat(rules) if not rule.prelude.startswith("@font-face"))
    return "\n".join(filter(None, (str(rule) for rule in rules if _wanted(rule, named))))


def _used(rules: Iterable[Rule], present: set[str]) -> list[Rule]:
    kept = []
    for rule in rules:
        if rule.rules is not None and rule.prelude.startswith(GROUPS):
            kept.append(Rule(rule.prelude, rules=_used(rule.rules, present)))
        elif rule.prelude.startswith("@"):
            kept.append(rule)
        elif chosen := [one.strip() for one in _split(rule.prelude, ",") if _applies(one, present)]:
            kept.append(Rule(",".join(chosen), rule.declarations))
    return kept


def _applies(selector: str, present: set[str]) -> bool:
    plain = CONDITIONAL.sub("", selector)
    wanted = {name.replace("\\", "") for _, name in NAME.findall(plain)} | set(ELEMENT.findall(NAME.sub("", plain)))
    return wanted <= present


def _flat(rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        yield from _flat(rule.rules) if rule.rules is not None else [rule]


def _read(rules: list[Rule]) -> list[Rule]:
    """The rules without variables that no declaration reads."""
    read = {name for rule in _flat(rules) for name in USE.findall(rule.declarations)}
    return [_without(rule, read) for rule in rules]


def _without(rule: Rule, read: set[str]) -> Rule:
    if rule.rules is not None:
        return Rule(rule.prelude, rules=[_without(inner, read) for inner in rule.rules])
    kept = [part for part in _split(rule.declarations, ";") if not (found := VARIABLE.match(part)) or found[1] in read]
    return Rule(rule.prelude, ";".join(kept))


def _wanted(rule: Rule, named: str) -> bool:
    """Fonts and animations that something names; every other rule."""
    if rule.prelude.startswith("@font-face"):
        family = re.search(r"font-family:\s*['\"]?([^;'\"]+)", rule.declarations)
        return family is not None and family[1] in named
    if "keyframes" in rule.prelude:
        return bool(re.search(rf"\b{re.escape(rule.prelude.split()[-1])}\b", named))
    return True
