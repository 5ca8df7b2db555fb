"""The data package about itself: what the data page shows."""

from __future__ import annotations

import pandas as pd

from analysis import ranking
from analysis.tables import DataPackage, source_ids


def overview(package: DataPackage) -> pd.DataFrame:
    """One row per table: title, what a row is, counts of rows, columns and sources, and where its page is."""
    rows = []
    for name in package.names:
        resource, table = package.resource(name), package.raw(name)
        rows.append(
            {
                "table": resource["title"], "page": f"../tables/{name}.html", "row": resource["row"], "row_count": len(table),
                "column_count": len(table.columns), "source_count": len(source_ids(table)), "csv": f"{name}.csv",
                "csv_address": f"../tables/{name}.csv.html", "licence": resource["licences"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def source_kinds(package: DataPackage) -> pd.DataFrame:
    """One row per kind of source: how many there are and how many numbers' rows rest on them."""
    kinds = package.table("sources").set_index("source_id")["kind"]
    cited = pd.concat(
        [
            package.raw(name)["source_id"]
            for name in package.names
            if "source_id" in package.columns(name) and name != "sources"
        ]
    )
    counts = pd.DataFrame({"source_count": kinds.value_counts(), "row_count": cited.map(kinds).value_counts()})
    table = counts.fillna(0).astype(int).rename_axis("kind").reset_index()
    return ranking.by(table, "row_count", "kind", falling={"row_count"})


def confidence_counts(package: DataPackage) -> pd.DataFrame:
    """One row per table and confidence: how many rows say so of themselves."""
    parts = []
    for name in package.names:
        if "confidence" in package.columns(name):
            counts = (
                package.raw(name)["confidence"].value_counts().rename_axis("confidence").reset_index(name="row_count")
            )
            parts.append(counts.assign(table=package.resource(name)["title"]))
    return pd.concat(parts, ignore_index=True)


def confirmed(package: DataPackage, table: str) -> int:
    """How many rows of a table rest on two sources of different origins; a copy of the first source is none of its own."""
    rows = package.raw(table)
    return sum(
        len(package.independent(pair)) > 1 for pair in zip(rows["source_id"], rows["second_source_id"], strict=True)
    )
