"""What prose says of the tables: numbers and sentences that follow the data."""

from __future__ import annotations

from analysis.figures import Value
from analysis.subjects import standing
from analysis.subjects.data.derived import confidence_counts, confirmed
from analysis.tables import DataPackage


def values(package: DataPackage) -> list[Value]:
    """Counts that the page cites."""
    sources, stated = package.table("sources"), package.table("disagreements")
    estimates = confidence_counts(package).query("confidence == 'estimate'")["row_count"].sum()
    total = sum(len(package.raw(name)) for name in package.names if name not in ("sources", "disagreements"))
    first_hand = int((standing.devices(package)["standing"] == standing.FIRST).sum())
    counts = {
        "data-tables": (len(package.names), "Tables in the data package."),
        "data-rows": (total, "Rows in all tables but the sources and the disagreements."),
        "data-sources": (len(sources), "Documents that numbers were read from."),
        "data-sources-unrecorded": (
            int((sources["kind"] == "unrecorded").sum()),
            "Sources whose address was not recorded.",
        ),
        "data-estimates": (int(estimates), "Rows marked as estimates."),
        "data-devices": (len(package.raw("devices")), "Devices in the table."),
        "data-devices-first-hand": (first_hand, "Devices with a source of their maker, or with a paper."),
        "data-devices-confirmed": (confirmed(package, "devices"), "Devices with two sources of different origins."),
        "data-models": (len(package.raw("models")), "Models in the table."),
        "data-models-confirmed": (confirmed(package, "models"), "Models with two sources of different origins."),
        "data-disagreements": (stated["disagreement_id"].nunique(), "Cells for which sources state different values."),
        "data-stated-values": (len(stated), "Values stated for those cells."),
    }
    return [
        Value(key, count, "count", text=f"{count:,}", definition=definition)
        for key, (count, definition) in counts.items()
    ]
