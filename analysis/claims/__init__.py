"""The article's claims: a rule per claim, from data and equations to a verdict.

>>> from analysis import claims, tables
>>> found = claims.evaluate(tables.package(), parameters)        # one Claim for every row of data/claims.csv
"""

from analysis.claims import dram_capacity, index, memory_wall, server_batching, sram_density, storage_io
from analysis.claims.board import (
    by_chapter,
    cited,
    counts,
    deviations,
    publish_claims,
    scoreboard,
    show_claims,
    show_robustness,
    show_turned,
)
from analysis.claims.engine import evaluate
from analysis.claims.prose import at_english, titles, values
from analysis.claims.readings import VERDICTS
from analysis.claims.robustness import tried
from analysis.claims.statements import ABOUT_SHARE
from analysis.claims.verdicts import Claim

RULES_OF = (index, memory_wall, sram_density, dram_capacity, storage_io, server_batching)
"""The modules that hold the rules; importing them registers every rule."""

__all__ = [
    "ABOUT_SHARE",
    "RULES_OF",
    "VERDICTS",
    "Claim",
    "at_english",
    "by_chapter",
    "cited",
    "counts",
    "deviations",
    "evaluate",
    "publish_claims",
    "scoreboard",
    "show_claims",
    "show_robustness",
    "show_turned",
    "titles",
    "tried",
    "values",
]
