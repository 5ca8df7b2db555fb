"""Check that the arguments of an equation are in their range: the one check all of them make."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

Values: TypeAlias = npt.NDArray[np.float64]
Result: TypeAlias = npt.NDArray[np.float64] | float
"""What an equation returns: a float for numbers, an array for arrays."""
P = ParamSpec("P")


class Checked(Protocol[P]):
    """An equation that checks its arguments; ``plain`` is the same one for who has checked them before and asks millions of times."""

    plain: Callable[P, Result]

    def __call__(self, *values: P.args, **named: P.kwargs) -> Result:
        """Return the result of arguments in their range; raise ValueError where one is not."""


def checked(zero: str = "") -> Callable[[Callable[P, Result]], Checked[P]]:
    """Let an equation check its arguments as ``positive`` does; those named in ``zero``, apart by blanks, may be 0."""

    def around(plain: Callable[P, Result]) -> Checked[P]:
        names, may_be_zero = list(inspect.signature(plain).parameters), zero.split()

        @wraps(plain)
        def equation(*values: ArrayLike, **named: ArrayLike) -> Result:
            given = dict(zip(names, values, strict=False)) | named
            ranged = {name: _in_range(name, value, zero=name in may_be_zero) for name, value in given.items()}
            return cast("Callable[..., Result]", plain)(**ranged)

        found = cast("Checked[P]", equation)
        found.plain = plain
        return found

    return around


def positive(**arguments: ArrayLike) -> list[Values]:
    """Return the arguments as arrays of floats, in order; raise ValueError where one is not above 0."""
    return [_in_range(name, value, zero=False) for name, value in arguments.items()]


def not_negative(**arguments: ArrayLike) -> list[Values]:
    """Return the arguments as arrays of floats, in order; raise ValueError where one is below 0."""
    return [_in_range(name, value, zero=True) for name, value in arguments.items()]


def not_above(limit_name: str, limit: Values, **argument: Values) -> None:
    """Raise ValueError where an argument exceeds another one that bounds it."""
    for name, value in argument.items():
        wrong = value > limit
        if np.any(wrong):
            found, most = (np.broadcast_to(each, wrong.shape)[wrong].flat[0] for each in (value, limit))
            raise ValueError(f"{name} must be at most {limit_name}, found {found:g} with {limit_name} {most:g}")


def _in_range(name: str, value: ArrayLike, *, zero: bool) -> Values:
    """Check one argument; a name that ends in ``share`` is bounded by 1 too, and NaN passes."""
    values = np.asarray(value, dtype=np.float64)
    share = name.endswith("share")
    wrong = (values < 0) if zero else (values <= 0)
    if share:
        wrong = wrong | (values > 1)
    if wrong.any():
        expected = ("0 or more" if zero else "more than 0") + (" and at most 1" if share else "")
        raise ValueError(f"{name} must be {expected}, found {values[wrong].flat[0]:g}")
    return values
