"""The data package about itself: what the data page shows."""

from __future__ import annotations

import pandas as pd

from analysis import ranking
from analysis.figures import Value
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


def values(package: DataPackage) -> list[Value]:
    """Counts that the page cites."""
    sources, stated = package.table("sources"), package.table("disagreements")
    estimates = confidence_counts(package).query("confidence == 'estimate'")["row_count"].sum()
    total = sum(len(package.raw(name)) for name in package.names if name not in ("sources", "disagreements"))
    counts = {
        "data-tables": (len(package.names), "Tables in the data package."),
        "data-rows": (total, "Rows in all tables but the sources and the disagreements."),
        "data-sources": (len(sources), "Documents that numbers were read from."),
        "data-sources-unrecorded": (
            int((sources["kind"] == "unrecorded").sum()),
            "Sources whose address was not recorded.",
        ),
        "data-estimates": (int(estimates), "Rows marked as estimates."),
        "data-disagreements": (stated["disagreement_id"].nunique(), "Cells for which sources state different values."),
        "data-stated-values": (len(stated), "Values stated for those cells."),
    }
    return [
        Value(key, count, "count", text=f"{count:,}", definition=definition)
        for key, (count, definition) in counts.items()
    ]
