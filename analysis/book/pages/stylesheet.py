"""Style sheets without what no page uses: rules whose classes and ids occur nowhere, variables nobody reads, fonts nobody names.

A theme is written for every site; this one uses a tenth of it, and a reader waits for all of it before a word is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tinycss2

NAME = re.compile(r"([.#])((?:\\.|[\w-])+)")
ELEMENT = re.compile(r"(?:^|[\s>+~,(])([a-z][a-z0-9]*)")
CONDITIONAL = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
USE = re.compile(r"var\(\s*(--[\w-]+)")
FAMILY = re.compile(r"^font-family:\s*['\"]?([^;'\"]+)")
PLAIN_RULE = re.compile(r"([^{};]+)\{[^{}]*\}")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
GROUPS = ("media", "supports", "layer", "container")


@dataclass(frozen=True)
class Rule:
    """A rule: its selectors or its at-keyword with what follows, and its declarations or the rules within."""

    selectors: tuple[str, ...]
    declarations: tuple[str, ...] = ()
    rules: tuple[Rule, ...] | None = None

    def __str__(self) -> str:
        inner = ";".join(self.declarations) if self.rules is None else "".join(map(str, self.rules))
        return f"{','.join(self.selectors)}{{{inner}}}" if inner else ""

    def is_at(self, *keywords: str) -> bool:
        """Whether it is an at-rule, of these keywords where some are given."""
        return self.selectors[0].startswith(tuple(f"@{keyword}" for keyword in keywords) if keywords else "@")


def parsed(text: str) -> tuple[Rule, ...]:
    """The rules of a style sheet, in order; comments, ``@charset`` and ``@import`` are left out."""
    return _rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))


def _rules(nodes: Iterable[Any]) -> tuple[Rule, ...]:
    return tuple(
        _rule(node) for node in nodes if node.type in ("qualified-rule", "at-rule") and node.content is not None
    )


def _rule(node: Any) -> Rule:
    if node.type == "qualified-rule":
        return Rule(_selectors(node.prelude), _declarations(node.content))
    head = (f"@{node.at_keyword} {_text(node.prelude)}".strip(),)
    if node.lower_at_keyword in GROUPS or node.lower_at_keyword.endswith("keyframes"):
        inner = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
        return Rule(head, rules=_rules(inner))
    return Rule(head, _declarations(node.content))


def _selectors(tokens: Iterable[Any]) -> tuple[str, ...]:
    found: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            found.append([])
        else:
            found[-1].append(token)
    return tuple(_text(one) for one in found)


def _declarations(tokens: Iterable[Any]) -> tuple[str, ...]:
    found = tinycss2.parse_blocks_contents(tokens, skip_comments=True, skip_whitespace=True)
    return tuple(
        f"{one.name}:{_text(one.value)}{'!important' if one.important else ''}"
        for one in found
        if one.type == "declaration"
    )


def _text(tokens: Iterable[Any]) -> str:
    return " ".join(tinycss2.serialize([token for token in tokens if token.type != "comment"]).split())


def names(text: str) -> set[str]:
    """Every class and id that a style sheet speaks of."""
    return {name.replace("\\", "") for _, name in NAME.findall(text)}


def pruned(text: str, present: set[str], unwanted: re.Pattern[str]) -> str:
    """The style sheet as far as it concerns pages with these classes, ids and elements, without what declares something unwanted."""
    # The parser is slow: what plainly concerns no page, nine rules in ten, is taken out before.
    text = PLAIN_RULE.sub(lambda rule: "" if _idle(rule[1], rule[0], present, unwanted) else rule[0], text)
    rules = _used(parsed(text), present, unwanted)
    while (fewer := _read(rules)) != rules:
        rules = fewer
    named = " ".join(part for rule in _flat(rules) if not rule.is_at("font-face") for part in rule.declarations)
    return "\n".join(filter(None, (str(rule) for rule in rules if _wanted(rule, named))))


def _idle(selectors: str, rule: str, present: set[str], unwanted: re.Pattern[str]) -> bool:
    """Whether each of the selectors names a class or an id that is nowhere, or the rule something unwanted."""
    plain = CONDITIONAL.sub("", COMMENT.sub("", selectors))
    absent = (any(name[:1].isalpha() and name not in present for name in names(one)) for one in plain.split(","))
    return all(absent) or bool(unwanted.search(COMMENT.sub("", rule)))


def _used(rules: Iterable[Rule], present: set[str], unwanted: re.Pattern[str]) -> tuple[Rule, ...]:
    kept = []
    for rule in rules:
        if rule.is_at(*GROUPS):
            kept.append(Rule(rule.selectors, rules=_used(rule.rules or (), present, unwanted)))
        elif unwanted.search(str(rule)):
            continue
        elif rule.is_at():
            kept.append(rule)
        elif chosen := tuple(one for one in rule.selectors if _applies(one, present)):
            kept.append(Rule(chosen, rule.declarations))
    return tuple(kept)


def _applies(selector: str, present: set[str]) -> bool:
    plain = CONDITIONAL.sub("", selector)
    return names(plain) | set(ELEMENT.findall(NAME.sub("", plain))) <= present


def _flat(rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        yield from _flat(rule.rules) if rule.rules is not None else [rule]


def _read(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules without variables that no declaration reads."""
    read = {name for rule in _flat(rules) for part in rule.declarations for name in USE.findall(part)}
    return tuple(_without(rule, read) for rule in rules)


def _without(rule: Rule, read: set[str]) -> Rule:
    if rule.rules is not None:
        return Rule(rule.selectors, rules=tuple(_without(inner, read) for inner in rule.rules))
    kept = (part for part in rule.declarations if not part.startswith("--") or part.partition(":")[0] in read)
    return Rule(rule.selectors, tuple(kept))


def _wanted(rule: Rule, named: str) -> bool:
    """Fonts and animations that something names; every other rule."""
    if rule.is_at("font-face"):
        return any(found[1] in named for part in rule.declarations if (found := FAMILY.match(part)))
    if "keyframes" in rule.selectors[0]:
        return bool(re.search(rf"\b{re.escape(rule.selectors[0].split()[-1])}\b", named))
    return True
