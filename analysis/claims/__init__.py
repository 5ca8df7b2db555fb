"""The article's claims: a rule per claim, from data and equations to a verdict.

>>> from analysis import claims, tables
>>> found = claims.evaluate(tables.package(), parameters)        # one Claim for every row of data/claims.csv
"""

from analysis.claims import dram_capacity, index, memory_wall, server_batching, sram_density, storage_io
from analysis.claims.board import by_chapter, deviations, publish_claims, scoreboard, show_claims, values
from analysis.claims.engine import VERDICTS, Claim, evaluate

__all__ = [
    "VERDICTS",
    "Claim",
    "by_chapter",
    "deviations",
    "dram_capacity",
    "evaluate",
    "index",
    "memory_wall",
    "publish_claims",
    "scoreboard",
    "server_batching",
    "show_claims",
    "sram_density",
    "storage_io",
    "values",
]
