"""A table derived once for each data package, however many ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

import pandas as pd

from analysis.tables import DataPackage


def once_per_package(derive: Callable[[DataPackage], pd.DataFrame]) -> Callable[[DataPackage], pd.DataFrame]:
    """Derive a table once for each data package, and hand out copies."""
    known: WeakKeyDictionary[DataPackage, pd.DataFrame] = WeakKeyDictionary()

    @wraps(derive)
    def table(package: DataPackage) -> pd.DataFrame:
        if package not in known:
            known[package] = derive(package)
        return known[package].copy()

    return table
