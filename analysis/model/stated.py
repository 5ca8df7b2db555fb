"""A model's configuration as numbers, flags and lists, under whichever of its names a quantity stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MOST = 1e15
"""No width, count or number of parameters of a model is as large: whoever says so says nothing."""


class Said:
    """What a configuration says; what is no number where one is asked for is missing.  A part of it has a dot in its name."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.family = str(config.get("model_type", ""))

    def value(self, name: str) -> Any:
        """What stands under a name, ``part.name`` for what stands in a part; None where nothing does."""
        found: Any = self.config
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def number(self, *names: str) -> float:
        """The first of some names that holds a number above zero and below ``MOST``; NaN where none does."""
        for name in names:
            value = self.value(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < MOST:
                return float(value)
        return float("nan")

    def count(self, *names: str) -> float:
        """The same, and 0 where no name holds a number."""
        return float(np.nan_to_num(self.number(*names)))

    def flag(self, *names: str) -> bool | None:
        """True or false, by the first of some names that says it; None where none does."""
        return next((value for name in names if isinstance(value := self.value(name), bool)), None)

    def items(self, *names: str) -> list[Any]:
        """The first of some names that holds a list, or a text of signs; empty where none does."""
        found = (self.value(name) for name in names)
        return next((list(value) for value in found if isinstance(value, list | str) and value), [])


def either(value: float, other: float) -> float:
    """A number, or another where it is missing."""
    return other if np.isnan(value) else value
