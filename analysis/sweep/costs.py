"""What very many editions take: what one more took when it was measured, times their number."""

from __future__ import annotations

import pandas as pd

from analysis import units

EDITIONS, CORES = 10_000, 64
KINDS = {
    "numbers": "Numbers and verdicts",
    "figures": "Figures with their files",
    "site-folder": "Whole sites, a folder each",
    "site-file": "Whole sites, each file once",
    "site": "Whole sites, of a changed file what differs",
}
"""Kind of sweep, or how its sites are kept → as it is shown."""


def planned(costs: pd.DataFrame) -> pd.DataFrame:
    """What ``EDITIONS`` take on ``CORES``, by kind of sweep.

    core time = processor time of an edition x editions; elapsed time = core time / cores; bytes = bytes of an edition x editions.  It stops
    being true where cores wait: for a disk, a network, the one process that hands out work and takes in results, or the last edition.

    Args:
        costs: rows of ``sweep_costs`` in base units: ``kind``, ``processor_time_s``, ``kept_byte``
    """
    core_s = costs["processor_time_s"] * EDITIONS
    return pd.DataFrame(
        {
            "kind": costs["kind"].map(KINDS),
            "processor_time_s": costs["processor_time_s"],
            "core_time_h": core_s / units.unit("h").factor,
            "elapsed_min": core_s / CORES / units.unit("min").factor,
            "kept_mbyte": costs["kept_byte"] / units.unit("mbyte").factor,
            "total_gbyte": costs["kept_byte"] * EDITIONS / units.unit("gbyte").factor,
        }
    )
