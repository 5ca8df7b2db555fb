"""What prose says of the tables: numbers and sentences that follow the data."""

from __future__ import annotations

from analysis.figures import Value
from analysis.subjects.data.derived import confidence_counts
from analysis.tables import DataPackage


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
