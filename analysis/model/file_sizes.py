"""Sizes of real files of weights, as ``file_sizes.csv`` has them: asked before bits of a format are multiplied by parameters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from analysis.model import expected, names


def file_gibyte(model_id: str, format_name: str, folder: Path) -> float:
    """Size in GiB of the file of a model in a number format, in any spelling; NaN where none is filed.

    It is that of one file somebody made: another mix under the same name differs by a few percent, and a projector for pictures
    comes on top.  Source: the row's, in ``file_sizes.csv``.
    """
    row = _filed(folder).get((model_id, names.number_format(format_name, folder).format_id))
    return float(row["file_gibyte"]) if row else np.nan


def source_id(model_id: str, format_id: str, folder: Path) -> str:
    """Where the size of that file was read; empty where none is filed."""
    return _filed(folder).get((model_id, format_id), {}).get("source_id", "")


@cache
def _filed(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    rows = expected.rows(folder / "file_sizes.csv")
    return {(row["model_id"], row["format_id"]): row for row in rows}
