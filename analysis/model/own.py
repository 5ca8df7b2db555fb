"""One own measurement: a speed somebody measured on a machine scales what is expected of that machine.  numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.equations import elementary

WEIGHT_OF = {
    "cuda": "own-graphics", "metal": "own-graphics", "amd-vulkan": "own-graphics", "low-bit": "own-graphics", "experts": "own-graphics",
    "phone-metal": "own-graphics", "phone-opencl": "own-graphics", "cpu": "own-cores", "phone-cpu": "own-cores", "phone-npu": "own-cores",
}  # fmt: skip
"""Group of predictions → parameter that says how far a measurement moves them: 0 not at all, 1 by all it differs from what is expected."""


class Machine(NamedTuple):
    """What one measurement speaks for: a device under one engine.

    who  the rows of the book that its name may mean; else its chip, or its bandwidth
    """

    who: frozenset[str]
    stack: str
    engine: str

    def is_same(self, other: Machine) -> bool:
        """Whether two names may mean one device, under the same engine."""
        return (self.stack, self.engine) == (other.stack, other.engine) and not self.who.isdisjoint(other.who)


class Run(NamedTuple):
    """What was measured of a machine: its speed over the one expected of such a machine, or what it computes while it reads prompts.

    flop_per_s  parameters × 2 × tokens per second of a prompt
    packing     the kind of format this was measured with: unpacking takes as long as the products
    """

    machine: Machine
    speed_ratio: float = np.nan
    flop_per_s: float = np.nan
    packing: str = ""


def speed_ratio(machine: Machine, runs: Iterable[Run]) -> float:
    """Measured over expected speed of a machine: the geometric mean of its runs; NaN where there is none."""
    return _mean(run.speed_ratio for run in runs if run.machine.is_same(machine))


def flop_per_s(machine: Machine, packing: str, runs: Iterable[Run]) -> float:
    """What a machine computes while it reads prompts of weights of one kind: the geometric mean of its runs; NaN where there is none."""
    return _mean(run.flop_per_s for run in runs if run.machine.is_same(machine) and run.packing == packing)


def _mean(values: Iterable[float]) -> float:
    found = np.array([value for value in values if value == value])  # noqa: PLR0124 - NaN is not itself
    return float(elementary.exp(np.mean(elementary.log(found)))) if len(found) else np.nan


def is_elsewhere(machine: Machine, runs: Iterable[Run]) -> bool:
    """Whether the device was measured, and only under another engine or backend."""
    found = [run.machine for run in runs if not run.machine.who.isdisjoint(machine.who)]
    return bool(found) and not any(machine.is_same(other) for other in found)


class Scaling(NamedTuple):
    """What runs of a machine make of its predictions, row by row: 1 and NaN where they change nothing."""

    factor: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    is_refused: npt.NDArray[np.bool_]
    """Whether there is a run, and it does not improve predictions of this kind."""


def scaling(
    ratio: npt.NDArray[np.float64], group: npt.NDArray[np.int64], groups: Sequence[str], parameters: Mapping[str, float],
    ends: Mapping[str, tuple[float, float]],
) -> Scaling:  # fmt: skip
    """What measured over expected speeds make of predictions; ``ends`` holds the intervals of the groups that they improve.

    An interval always holds the measured ratio itself: where a machine surprises, it is as wide as the surprise.
    """
    weight = np.array(
        [parameters[WEIGHT_OF[name]] if name in ends and name in WEIGHT_OF else np.nan for name in groups]
    )[group]
    low, high = np.array([ends.get(name, (np.nan, np.nan)) for name in groups])[group].T
    is_used = np.isfinite(ratio) & np.isfinite(weight)
    factor = np.asarray(elementary.power(np.where(is_used, ratio, 1.0), np.where(is_used, weight, 1.0)))
    itself = np.where(is_used, ratio / factor, np.nan)
    return Scaling(factor, np.minimum(low, itself), np.maximum(high, itself), np.isfinite(ratio) & ~is_used)
