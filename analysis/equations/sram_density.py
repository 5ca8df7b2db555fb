"""On-chip memory: from the area of a bitcell to gigabytes, and from gigabytes to silicon."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.constants import BIT_PER_BYTE
from analysis.equations.ranges import Result, not_negative, positive


def macro_density_bit_per_mm2(
    bitcell_area_mm2: ArrayLike,
    *,
    array_efficiency_share: ArrayLike = 1,
    cell_capacity_bit: ArrayLike = 1,
) -> Result:
    """Bits on a square millimetre of memory array: ``efficiency / a_cell``.

    Args:
        bitcell_area_mm2: area of one cell, a_cell, in mm2.
        array_efficiency_share: share of the array that is cells, at most 1; 1 for bare bitcells.
        cell_capacity_bit: bits a cell stores, in bit: 1 for SRAM, more for some emerging memories.

    Raises ValueError where an argument is not above 0, or the efficiency above 1.
    Bare bitcells are a bound no chip reaches; decoders, sense amplifiers and assist circuits take about 30 %.
    Source: WikiChip Fuse on TSMC N3 at IEDM 2022 (0.0199 um2, about 33.55 Mib/mm2).
    """
    area, efficiency, bit = positive(
        bitcell_area_mm2=bitcell_area_mm2,
        array_efficiency_share=array_efficiency_share,
        cell_capacity_bit=cell_capacity_bit,
    )
    return bit * efficiency / area


def array_efficiency_share(
    macro_density_bit_per_mm2: ArrayLike,
    bitcell_area_mm2: ArrayLike,
    *,
    cell_capacity_bit: ArrayLike = 1,
) -> Result:
    """Share of an array that is cells, from its published density: ``density · a_cell``.

    Args:
        macro_density_bit_per_mm2: bits on a square millimetre of array, in bit/mm2.
        bitcell_area_mm2: area of one cell, a_cell, in mm2.
        cell_capacity_bit: bits a cell stores, in bit.

    Raises ValueError where an argument is not above 0.
    Above 1 the two figures do not belong together: another cell, or Mb taken for Mib.
    Source: the inverse of ``macro_density_bit_per_mm2``.
    """
    density, area, bit = positive(
        macro_density_bit_per_mm2=macro_density_bit_per_mm2,
        bitcell_area_mm2=bitcell_area_mm2,
        cell_capacity_bit=cell_capacity_bit,
    )
    return density * area / bit


def sram_capacity_byte(area_mm2: ArrayLike, macro_density_bit_per_mm2: ArrayLike) -> Result:
    """Bytes an area of memory holds: ``M = A · density / 8``.

    Args:
        area_mm2: area given to memory, A, in mm2.
        macro_density_bit_per_mm2: bits on a square millimetre of array, in bit/mm2.

    Raises ValueError where an argument is not above 0.
    The whole area is memory: no logic, no wires between arrays.
    Source: SemiAnalysis, 13 May 2023 (about 0.6 GB on 100 mm2 of TSMC 3 nm).
    """
    area, density = positive(area_mm2=area_mm2, macro_density_bit_per_mm2=macro_density_bit_per_mm2)
    return area * density / BIT_PER_BYTE


def sram_area_mm2(capacity_byte: ArrayLike, macro_density_bit_per_mm2: ArrayLike) -> Result:
    """Area that holds so many bytes: ``A = 8 · M / density``.

    Args:
        capacity_byte: bytes to hold, M, in byte.
        macro_density_bit_per_mm2: bits on a square millimetre of array, in bit/mm2.

    Raises ValueError where an argument is not above 0.
    The whole area is memory: no logic, no wires between arrays.
    Source: the inverse of ``sram_capacity_byte``.
    """
    capacity, density = positive(capacity_byte=capacity_byte, macro_density_bit_per_mm2=macro_density_bit_per_mm2)
    return BIT_PER_BYTE * capacity / density


def die_count(needed_area_mm2: ArrayLike, die_area_mm2: ArrayLike) -> Result:
    """Dies (or reticle fields, or wafers) an area amounts to, not rounded: ``A / A_die``.

    Args:
        needed_area_mm2: area needed, A, in mm2.
        die_area_mm2: area of one die, field or wafer, A_die, in mm2.

    Raises ValueError where an argument is not above 0.
    Of whole wafers it counts every square millimetre, the edge included.
    Source: definition.
    """
    needed, die = positive(needed_area_mm2=needed_area_mm2, die_area_mm2=die_area_mm2)
    return needed / die


def sram_byte_per_mm2(sram_byte: ArrayLike, die_area_mm2: ArrayLike) -> Result:
    """Bytes of memory a real chip carries per area of its whole die: ``M / A_die``.

    Args:
        sram_byte: on-chip memory, M, in byte.
        die_area_mm2: area of the die, A_die, in mm2.

    Raises ValueError where an argument is not above 0.
    A lower bound where the vendor counts only some of the caches.
    Source: definition.
    """
    memory, area = positive(sram_byte=sram_byte, die_area_mm2=die_area_mm2)
    return memory / area


def cached_share(cache_byte: ArrayLike, weight_byte: ArrayLike) -> Result:
    """Share of the weights an on-chip memory can hold: ``min(1, M / D)``.

    Args:
        cache_byte: on-chip memory, M, in byte; may be 0.
        weight_byte: bytes of the weights, D, in byte.

    Raises ValueError where an argument is out of range.
    Assumes pinning: a cache that evicts what was used longest ago keeps nothing of weights read in a circle.
    Source: definition.
    """
    [cache] = not_negative(cache_byte=cache_byte)
    [weight] = positive(weight_byte=weight_byte)
    return np.minimum(1, cache / weight)
