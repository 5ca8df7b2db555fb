"""Every number of the book and every verdict for one setting of the parameters, part by part: no page, no kernel, no picture.

A part is a subject, or ``verdicts``.  The id of a number begins with the name of its subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from analysis.assumptions import Parameters
from analysis.figures import Value
from analysis.subjects import SUBJECTS, claims
from analysis.subjects.answers import findings as answers
from analysis.subjects.data import findings as data
from analysis.subjects.dram_capacity import findings as dram_capacity
from analysis.subjects.index import findings as index
from analysis.subjects.memory_wall import findings as memory_wall
from analysis.subjects.server_batching import findings as server_batching
from analysis.subjects.sram_density import findings as sram_density
from analysis.subjects.storage_io import findings as storage_io
from analysis.subjects.time_to_first_token import findings as time_to_first_token
from analysis.subjects.validation import findings as validation
from analysis.tables import DataPackage

VERDICTS = "verdicts"
PARTS = (*SUBJECTS, VERDICTS)
CHAPTERS = {VERDICTS: "claims"}
"""Part → the chapter that declares its parameters, where that bears another name."""


def _of_claims(package: DataPackage, given: Parameters) -> Iterable[Value]:
    return claims.values(package, given, claims.tried(package, given, claims.evaluate(package, given)))


FINDINGS: Mapping[str, Callable[[DataPackage, Parameters], Iterable[Value]]] = {
    "index": index.values,
    "memory_wall": memory_wall.values,
    "sram_density": sram_density.values,
    "dram_capacity": dram_capacity.values,
    "storage_io": storage_io.values,
    "server_batching": server_batching.values,
    "time_to_first_token": time_to_first_token.values,
    "validation": lambda package, _: validation.values(package),
    "answers": lambda package, _: answers.values(answers.Answers(package)),
    "claims": _of_claims,
    "data": lambda package, _: data.values(package),
}


def found(part: str, package: DataPackage, given: Parameters) -> list[dict[str, Any]]:
    """What a part gives: id, number and unit as ``numbers.json`` has them of what is a number, or verdicts as ``claims.json`` has them.

    Args:
        part: one of ``PARTS``
        package: the data
        given: the parameters that the chapter of the part declares
    """
    if part == VERDICTS:
        told = (claim.as_dict() for claim in claims.evaluate(package, given))
        return [{name: one[name] for name in ("id", "verdict", "value", "unit")} for one in told]
    told = (value.as_dict() for value in FINDINGS[part](package, given))
    return [{name: one[name] for name in ("id", "number", "unit")} for one in told if one["number"] is not None]


def part_of(key: str, package: DataPackage) -> str:
    """The part that is meant by its name, or gives a number or a verdict of that id; empty where none can."""
    if key in PARTS:
        return key
    if key in set(package.table("claims")["claim_id"]):
        return VERDICTS
    return next((name for name in SUBJECTS if key.startswith(f"{name.replace('_', '-')}-")), "")
