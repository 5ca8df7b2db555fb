"""How each verdict fares over plausible parameters: the share of draws in which it stands, and what turns it.

Draws are a Latin hypercube of integers from a seed, one stream a name, so that they are the same on every processor and
one more name moves no other.  All draws of a claim are arrays in one call of its rule.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import assumptions, words
from analysis.claims.engine import Cell, Rows, drawn, shared_rows
from analysis.claims.readings import VERDICTS, Decided
from analysis.claims.verdicts import UNTRIED, Claim, Flip, Robustness
from analysis.equations.ranges import Result as Number
from analysis.equations.ranges import Values
from analysis.tables import DataPackage

DRAWS = 2048
SEED = 20261122
PARTS, ROUNDS = 32, 5
"""Into how many parts a range is divided to find where a verdict turns, and how often."""
PUBLISHED_DIGITS = 6

Range = tuple[float, float]


@dataclass(frozen=True)
class Draws:
    """Values of every parameter and uncertain cell, one a draw."""

    n_draw: int
    parameters: Mapping[str, Values]
    cells: Mapping[Cell, Values]


def draw(name: str, within: Range, n_draw: int = DRAWS, seed: int = SEED) -> Values:
    """Give evenly spread values of one input in random order: the middles of ``n_draw`` equal parts of its range.

    name    of the input; each name has an order of its own, whatever else is drawn
    within  lowest and highest value
    """
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(n_draw)
    low, high = within
    return low + (high - low) * ((2 * order + 1) / (2 * n_draw))


def tried(
    package: DataPackage,
    parameters: Mapping[str, Number],
    claims: Sequence[Claim],
    *,
    plausible: Mapping[str, Range] | None = None,
    cells: Mapping[Cell, Range] | None = None,
    n_draw: int = DRAWS,
    seed: int = SEED,
) -> list[Claim]:
    """The claims with their robustness: ``share = draws with the verdict of this edition / draws``.

    plausible   range of each parameter, in its own unit; by default that of ``chapters/parameters.yml``
    cells       range of uncertain cells of the tables: (table, key, column) → lowest and highest, in base units; of the
                table of facts the column is ``value``, in the unit of its row

    A claim that looks up none of them is not drawn: ``draws`` is 0 and the share missing.  Inputs are drawn independently
    and evenly; where they move together, the share says too much or too little.
    """
    rows, ranges = shared_rows(package), assumptions.plausible() if plausible is None else plausible
    given = Draws(
        n_draw,
        {name: draw(name, within, n_draw, seed) for name, within in ranges.items()},
        {cell: draw(" ".join(cell), within, n_draw, seed) for cell, within in (cells or {}).items()},
    )
    return [replace(claim, robustness=_of(claim, rows, parameters, ranges, given)) for claim in claims]


def _of(
    claim: Claim,
    rows: Rows,
    parameters: Mapping[str, Number],
    ranges: Mapping[str, Range],
    given: Draws,
) -> Robustness:
    said = claim.statement
    used = [name for name in ranges if f"parameter {name}" in claim.inputs]
    cells: dict[Cell, Number] = {cell: given.cells[cell] for cell in given.cells if _looked_up(claim, cell)}
    values = {**parameters, **{name: given.parameters[name] for name in used}}
    codes = drawn(rows, values, said, cells=cells, n_draw=given.n_draw)
    if codes is None:
        return UNTRIED
    share = float(np.count_nonzero(codes == VERDICTS.index(claim.verdict))) / given.n_draw
    flips = [flip for name in used for flip in _flips(claim, rows, parameters, name, ranges[name])]
    return Robustness(share, given.n_draw, tuple(flips))


def _looked_up(claim: Claim, cell: Cell) -> bool:
    """Whether a rule looked at a cell; facts are looked up by their unit."""
    table, key, column = cell
    return any(
        name.startswith(f"{table} {key} ") and (table == "facts" or name.endswith(f" {column}"))
        for name in claim.inputs
    )


def _flips(claim: Claim, rows: Rows, parameters: Mapping[str, Number], name: str, within: Range) -> Iterator[Flip]:
    """Where one parameter turns the verdict: the nearest value below the edition's own, and the nearest above."""
    own, code = float(parameters[name]), VERDICTS.index(claim.verdict)

    def turned(values: Values) -> Decided:
        codes = drawn(rows, {**parameters, name: values}, claim.statement, n_draw=len(values))
        return np.zeros(len(values), dtype=bool) if codes is None else codes != code

    grid = np.linspace(*within, PARTS + 1)
    for side in (grid[grid < own][::-1], grid[grid > own]):
        path = np.array([own, *side])
        if turned(path).any():
            yield Flip(name, words.significant(_narrowed(turned, path), PUBLISHED_DIGITS))


def _narrowed(turned: Callable[[Values], Decided], path: Values) -> float:
    """Where the verdict turns first on the way along ``path``: the part in which it does is divided again and again."""
    for _ in range(ROUNDS):
        first = int(np.argmax(turned(path)))
        path = np.linspace(path[first - 1], path[first], PARTS + 1)
    return float(path[-1])
