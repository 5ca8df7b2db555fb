"""The article's claims: a rule per claim, from data and equations to a verdict.

>>> from analysis import claims, tables
>>> found = claims.evaluate(tables.package(), parameters)        # one Claim for every row of data/claims.csv
"""

from analysis.claims import dram_capacity, index, memory_wall, server_batching, sram_density, storage_io
from analysis.claims.board import by_chapter, cited, counts, deviations, publish_claims, scoreboard, show_claims
from analysis.claims.engine import ABOUT_SHARE, VERDICTS, Claim, evaluate
from analysis.claims.prose import titles, values

RULES_OF = (index, memory_wall, sram_density, dram_capacity, storage_io, server_batching)
"""The modules that hold the rules; importing them registers every rule."""

__all__ = [
    "ABOUT_SHARE",
    "RULES_OF",
    "VERDICTS",
    "Claim",
    "by_chapter",
    "cited",
    "counts",
    "deviations",
    "evaluate",
    "publish_claims",
    "scoreboard",
    "show_claims",
    "titles",
    "values",
]
