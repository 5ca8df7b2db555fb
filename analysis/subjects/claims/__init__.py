"""The article's claims: a rule per claim, from data and equations to a verdict.

>>> from analysis import tables
>>> from analysis.subjects import claims
>>> found = claims.evaluate(tables.package(), parameters)        # one Claim for every row of data/claims.csv
"""

from importlib import import_module
from importlib.util import find_spec

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
from analysis.subjects import SUBJECTS

for _name in SUBJECTS:
    if find_spec(f"analysis.subjects.{_name}.claims"):
        import_module(f"analysis.subjects.{_name}.claims")  # which registers its rules

__all__ = [
    "ABOUT_SHARE",
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
