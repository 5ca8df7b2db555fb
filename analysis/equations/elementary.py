"""Exponential, logarithm, power and Student's t out of sums and products, whose last bit IEEE 754 fixes for every processor.

Those of numpy and of the C library differ in the last bit between sets of instructions, and between one number and an array.
All of the book that needs one takes it from here, so that what is compared, sorted and chosen later is the same everywhere.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.equations.ranges import Result, Values

LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
"""The logarithm of 2 in two parts: a multiple of the first by a whole number below 2^20 is exact."""
EXP_TERMS = [1 / math.factorial(order) for order in range(15)]
"""Of the series of Taylor: within half of ln 2 what is left out is below 2^-56 of the result."""
LOG_TERMS = [1 / order for order in range(1, 25, 2)]
"""Of the series of artanh: within (√2 − 1)/(√2 + 1) what is left out is below 2^-60 of the result."""
LEAST_EXP, MOST_EXP = -746.0, 710.0
"""Beyond them a double is 0 or infinite."""


def exp(x: ArrayLike) -> Result:
    """Exponential: ``e^x = 2^n · e^r`` with ``n`` whole and ``|r| ≤ ln 2 / 2``; within two units in the last place.

    Args:
        x: the exponent, any number.

    Raises nothing; NaN stays NaN, and what no double holds is 0 or infinite.
    Source: Taylor's series after the reduction of Cody and Waite 1980.
    """
    if np.isscalar(x):
        return _exp_of_one(float(x))  # type: ignore[arg-type]
    values = np.clip(np.asarray(x, dtype=np.float64), LEAST_EXP, MOST_EXP)
    whole = np.rint(values / (LN2_HIGH + LN2_LOW))
    rest = (values - whole * LN2_HIGH) - whole * LN2_LOW
    with np.errstate(over="ignore", under="ignore"):
        result: Result = np.ldexp(_polynomial(EXP_TERMS, rest), np.nan_to_num(whole).astype(int))
    return result


def _exp_of_one(x: float) -> float:
    """The same sums and products, hence the same bits, without arrays: a tenth of the time for one number."""
    value = min(max(x, LEAST_EXP), MOST_EXP)
    if math.isnan(value):
        return value
    whole = round(value / (LN2_HIGH + LN2_LOW))
    rest, result = (value - whole * LN2_HIGH) - whole * LN2_LOW, EXP_TERMS[-1]
    for term in EXP_TERMS[-2::-1]:
        result = result * rest + term
    try:
        return math.ldexp(result, whole)
    except OverflowError:  # where arrays become infinite
        return math.inf


def log(x: ArrayLike) -> Result:
    """Natural logarithm: ``ln x = n · ln 2 + 2 artanh((m − 1)/(m + 1))`` with ``x = m · 2^n`` and m around 1.

    Args:
        x: a number; 0 gives minus infinity.

    Raises nothing; of a number below 0 it is NaN.  Within two units in the last place.
    Source: the series of artanh.
    """
    values = np.asarray(x, dtype=np.float64)
    positive = np.where((values > 0) & np.isfinite(values), values, 1.0)
    mantissa, whole = np.frexp(positive)
    small = mantissa < math.sqrt(0.5)
    mantissa, whole = np.where(small, 2 * mantissa, mantissa), whole - small
    ratio = (mantissa - 1) / (mantissa + 1)
    series = 2 * ratio * _polynomial(LOG_TERMS, ratio * ratio)
    known = whole * LN2_HIGH + (series + whole * LN2_LOW)
    beyond = np.select([values == 0, values == np.inf], [-np.inf, np.inf], np.nan)
    result: Result = np.where((values > 0) & np.isfinite(values), known, beyond)[()]
    return result


SYMBOLIC_POWER = np.power
"""Stands for ``power`` where what is done with symbols is written down."""


def power(base: ArrayLike, exponent: ArrayLike) -> Result:
    """Power of a number that is not negative: ``base^exponent = e^(exponent · ln base)``.

    Args:
        base: a number of 0 or more.
        exponent: any number; with 0 the result is 1.

    Raises nothing; of a base below 0 it is NaN.  The error grows with ``|exponent · ln base|`` units in the last place.
    Source: definition.
    """
    if isinstance(base, np.lib.mixins.NDArrayOperatorsMixin):  # a symbol, no number yet
        return SYMBOLIC_POWER(base, exponent)  # type: ignore[unreachable]
    exponents = np.asarray(exponent, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        logarithm = exponents * log(base)
    result: Result = exp(np.where(exponents == 0, 0.0, logarithm))
    return result


def log2(x: ArrayLike) -> Result:
    """Logarithm to the base 2, a whole number for a whole power of 2: ``n + ln m / ln 2`` with ``x = m · 2^n``.

    Args:
        x: a number; 0 gives minus infinity.

    Raises nothing; of a number below 0 it is NaN.
    Source: definition.
    """
    mantissa, whole = np.frexp(np.asarray(x, dtype=np.float64))
    result: Result = (whole - 1) + log(2 * mantissa) / (LN2_HIGH + LN2_LOW)
    return result


def student_quantile(freedom_count: int, share: float) -> float:
    """Quantile of Student's t: the ``t`` below which a share of the distribution lies, by halving what holds it.

    Args:
        freedom_count: degrees of freedom, a whole number from 1 on, a count.
        share: of the distribution below the quantile, above 0 and below 1, a share.

    Raises ValueError for other arguments.  Takes time in proportion to the degrees of freedom.
    Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4, turned round by bisection.
    """
    if freedom_count < 1 or not 0 < share < 1:
        raise ValueError(
            f"a whole number from 1 on and a share inside 0 and 1 are needed, found {freedom_count} and {share:g}"
        )
    if share < 0.5:
        return -student_quantile(freedom_count, 1 - share)
    low, high = 0.0, 1.0
    while _student_share(freedom_count, high) < share:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _student_share(freedom_count, middle) < share else (low, middle)
    return high


def _student_share(freedom: int, t: float) -> float:
    """The share of Student's t below a positive ``t``: a finite sum in the cosine and sine of the angle whose tangent is t/√ν."""
    even = freedom % 2 == 0
    cosine2, sine = freedom / (freedom + t * t), t / math.sqrt(freedom + t * t)
    term = total = sine if even else sine * math.sqrt(cosine2)
    for order in range(2 if even else 3, freedom, 2):
        term *= cosine2 * (order - 1) / order
        total += term
    if even:
        return (1 + total) / 2
    return 0.5 + (_arctan(t / math.sqrt(freedom)) + (total if freedom > 1 else 0.0)) / math.pi


def _arctan(x: float) -> float:
    """The angle whose tangent is ``x``: halved five times, then by its series."""
    for _ in range(5):
        x = x / (1 + math.sqrt(1 + x * x))
    total = 0.0
    for order in range(17, 0, -2):
        total = 1 / order - x * x * total
    return 32 * x * total


def _polynomial(terms: list[float], x: Values) -> Values:
    result = np.full_like(x, terms[-1])
    for term in terms[-2::-1]:
        result *= x
        result += term
    return result
