"""YAML as far as a list of names and values needs it, without what surprises in it.

No name twice, no references (a few lines of them make a file of any size), dates as they are written, numbers decimal:
``1:30`` is no 90 and ``010`` is no 8.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"[Yy]es|YES|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF",
    "int": r"[-+]?(0|[1-9][0-9]{0,29})",
    "float": r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.(nan|NaN)",
}
"""What a word without quotation marks is taken for; everything else is text."""


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse a reference."""
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "a reference (*)", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a name that stands there twice."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key.value, str)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the name {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern in SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), None)


def load(text: str) -> Any:
    """What the text says; raises ``yaml.YAMLError``, ValueError or RecursionError where it is no YAML of this kind."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader, and stricter


Path = tuple[str | int, ...]
"""The names and positions that lead to a part of what was said."""


def lines(text: str) -> dict[Path, int]:
    """The line on which each part stands: ``("grid", "token_per_word", 1)`` → 4; raises as ``load`` does."""
    found: dict[Path, int] = {}

    def walk(node: Any, path: Path) -> None:
        found.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found[(*path, str(key.value))] = key.start_mark.line + 1
                walk(value, (*path, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for position, value in enumerate(node.value):
                walk(value, (*path, position))

    if (root := yaml.compose(text, _Loader)) is not None:
        walk(root, ())
    return found
