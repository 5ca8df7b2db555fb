"""What very many editions take: what one more took when it was measured, times their number."""

from __future__ import annotations

import pandas as pd

from analysis import units

EDITIONS, CORES = 10_000, 64
KINDS = {
    "numbers": "Numbers of the landing page and all verdicts",
    "figures": "Figures with their files, a folder each",
    "site-folder": "Sites, if each were a folder",
    "site-file": "Sites, if each file lay there once",
    "site": "Sites, as a sweep keeps them",
}
"""Kind of sweep, or how its sites are kept → as it is shown."""


def planned(costs: pd.DataFrame) -> pd.DataFrame:
    """What ``EDITIONS`` take on ``CORES``, by kind of sweep.

    core time = processor time of an edition x editions; elapsed time = core time / cores; bytes = bytes of an edition x editions.  The
    elapsed time is the least: cores wait for a disk, for one another, and for the one process that hands out work and writes the index.
    The first edition, and the folder that each site has while it is built, come on top.

    Args:
        costs: rows of ``sweep_costs`` in base units: ``kind``, ``n_edition``, ``processor_time_s``, ``kept_byte``
    """
    core_s = costs["processor_time_s"] * EDITIONS
    return pd.DataFrame(
        {
            "kind": costs["kind"].map(KINDS),
            "n_edition": costs["n_edition"],
            "processor_time_s": costs["processor_time_s"],
            "core_time_h": core_s / units.unit("h").factor,
            "elapsed_min": core_s / CORES / units.unit("min").factor,
            "kept_mbyte": costs["kept_byte"] / units.unit("mbyte").factor,
            "total_gbyte": costs["kept_byte"] * EDITIONS / units.unit("gbyte").factor,
        }
    )
