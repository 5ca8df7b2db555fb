"""What the chapters publish is the same on every processor: nothing in it hangs on the last bit or on how ties are sorted."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import ranking
from analysis.equations import elementary
from tests.conftest import ROOT, parsed
from tests.published import SHUFFLED

DISABLED = "NPY_DISABLE_CPU_FEATURES"
PACKAGE = ROOT / "analysis"


def instruction_sets() -> list[str]:
    """What numpy found on this processor beyond its baseline and can be told to leave alone; empty where it knows no such names."""
    known: dict[str, Any] = dict(np.show_config(mode="dicts"))
    return list(known.get("SIMD Extensions", {}).get("found", []))


def begun(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if name != DISABLED}
    command = [sys.executable, "-m", "tests.published", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=clean | environment, stdout=subprocess.PIPE, text=True)


def published(process: subprocess.Popen[str]) -> dict[str, str]:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    digests: dict[str, str] = json.loads(output)
    return digests


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    """What is published with all that this processor can do."""
    return published(begun())


def test_the_chapters_publish_the_same_on_the_plainest_processor(here: dict[str, str]) -> None:
    if not instruction_sets():
        pytest.skip("numpy uses no instruction set here that could be disabled")
    plain = published(begun(**{DISABLED: " ".join(instruction_sets())}))
    assert {name.split()[1] for name in here} >= {"figure", "table", "values", "claims"}
    assert differing(here, plain) == []


def test_every_order_is_total(here: dict[str, str]) -> None:
    assert differing(here, published(begun(SHUFFLED))) == []


# ------------------------------------------------------------------------- by what the house keeps it so

SORTING = {"sort_values", "nlargest", "nsmallest", "idxmax", "idxmin", "argsort", "argpartition"}
LAST_BIT = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "float_power", "pow", "cbrt", "sin", "cos", "tan", "tanh",
    "sinh", "cosh", "hypot", "dot", "vdot", "matmul", "inner", "einsum", "polyfit", "lstsq",
}  # fmt: skip
"""Functions of numpy and of the C library whose last bit depends on the processor, or on the order in which a library adds."""
LIBRARIES = ("np", "math")
KEYED = {"sorted", "min", "max", "sort"}
APART = {
    "ranking.py": "the one place that sorts",
    "equations/elementary.py": "the one place that has these functions",
    "model/calibration.py": "fits, whose results are filed as data at six digits",
    "machine/measure.py": "measures this machine and nothing else",
    "machine/hardware.py": "describes this machine and nothing else",
}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).as_posix() not in APART]


def is_total(key: ast.expr) -> bool:
    """Several parts, the last one to tell any two apart, or a count, which has no last bit."""
    several = isinstance(key, ast.Lambda) and isinstance(key.body, ast.Tuple)
    return several or (isinstance(key, ast.Name) and key.id == "len")


def is_fixed(power: ast.BinOp) -> bool:
    """Whether it is a power of two or ten, or a whole power written as a number, which are products on every processor."""
    base, exponent = (getattr(side, "value", None) for side in (power.left, power.right))
    return base in (2, 10) or isinstance(exponent, int)


def offences(tree: ast.AST) -> list[str]:
    """Where a module sorts by itself, or calls what differs between processors."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SORTING:
            found.append(f"{node.lineno}: .{node.attr} → analysis.ranking")
        if isinstance(node, ast.Attribute) and node.attr in LAST_BIT and ast.unparse(node.value) in LIBRARIES:
            found.append(f"{node.lineno}: {ast.unparse(node)} → analysis.equations.elementary")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found.append(f"{node.lineno}: @ → np.sum of products")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not is_fixed(node):
            found.append(f"{node.lineno}: ** → analysis.equations.elementary.power")
    return found


def keys(tree: ast.AST) -> list[str]:
    """Where ``sorted``, ``min`` or ``max`` are given a key by which two things may tie."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            given = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
            found += [f"{node.lineno}: {name}" for key in given if name in KEYED and not is_total(key)]
    return found


@pytest.mark.long
@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_sorts_or_calculates_past_the_house(path: Path) -> None:
    assert offences(parsed(path)) == []


@pytest.mark.parametrize(
    "path", [path for path in modules() if path.relative_to(PACKAGE).parts[0] in ("subjects", "claims", "charts")],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)  # fmt: skip
def test_what_is_chosen_by_a_key_never_ties(path: Path) -> None:
    assert keys(parsed(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "t.sort_values('a')",
        "t['a'].idxmax()",
        "np.exp(x)",
        "math.log10(x)",
        "a @ b",
        "a**b",
        "a**0.5",
        "t.nlargest(1, 'a')",
    ],
)
def test_an_offence_is_seen(source: str) -> None:
    assert offences(ast.parse(source))


def test_what_is_harmless_is_not_held_against_anybody() -> None:
    assert offences(ast.parse("x**2 + 10.0**n; np.sqrt(x); elementary.exp(x); ranking.by(t, 'a', 'id')")) == []
    assert keys(ast.parse("sorted(a, key=lambda b: b.speed)"))
    assert not keys(ast.parse("sorted(a, key=lambda b: (b.speed, b.id)); max(a, key=len)"))


# --------------------------------------------------------------------------------- the functions themselves

EXPONENTS = np.concatenate([np.linspace(-700, 700, 701), np.linspace(-1, 1, 401)])
NUMBERS = np.concatenate([np.linspace(8, 16, 401), np.linspace(0.5, 2, 400)])
BITS = {"exp": "13cc1e0996c49c67", "log": "35e0a36471e38ddc", "power": "ae704c2442108572"}
"""Digests of many results: whatever the processor, not one bit is another."""


def bits(found: object) -> str:
    return hashlib.sha256(np.asarray(found, dtype="<f8").tobytes()).hexdigest()[:16]


def test_the_functions_have_the_same_bits_everywhere_alone_and_together() -> None:
    powers = elementary.power(NUMBERS[:, np.newaxis], np.linspace(-5, 5, 21))
    found = {"exp": elementary.exp(EXPONENTS), "log": elementary.log(NUMBERS), "power": powers}
    assert {name: bits(values) for name, values in found.items()} == BITS
    assert bits([elementary.exp(x) for x in EXPONENTS]) == BITS["exp"]
    assert bits([elementary.log(x) for x in NUMBERS]) == BITS["log"]


def units_off(found: object, exact: list[Decimal]) -> float:
    """By how many units in the last place the worst number is off."""
    pairs = zip(np.asarray(found, dtype=float).tolist(), exact, strict=True)
    return float(max(abs(Decimal(got) - want) / Decimal(float(np.spacing(abs(got)))) for got, want in pairs))


def test_exponential_and_logarithm_are_right_to_two_units() -> None:
    with localcontext() as context:
        context.prec = 40
        assert units_off(elementary.exp(EXPONENTS), [Decimal(x).exp() for x in EXPONENTS.tolist()]) < 2
        assert units_off(elementary.log(NUMBERS), [Decimal(x).ln() for x in NUMBERS.tolist()]) < 3


def test_a_power_is_right_to_what_its_logarithm_allows() -> None:
    base, exponent = np.linspace(0.01, 100, 400), np.linspace(-5, 5, 400)
    with localcontext() as context:
        context.prec = 40
        exact = [(Decimal(a).ln() * Decimal(b)).exp() for a, b in zip(base.tolist(), exponent.tolist(), strict=True)]
        assert units_off(elementary.power(base, exponent), exact) < 64


def test_edges_of_the_functions() -> None:
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(elementary.exp([-np.inf, -800, 0, 800, np.inf]), [0, 0, 1, np.inf, np.inf])
        near = np.linspace(709, 710.5, 500)  # where a double ends: one number alone ends there too
        assert bits([elementary.exp(float(x)) for x in near]) == bits(elementary.exp(near))
        np.testing.assert_array_equal(elementary.log([0, 1, np.inf, -1, np.nan]), [-np.inf, 0, np.inf, np.nan, np.nan])
        np.testing.assert_array_equal(elementary.power([0, 0, 1, 7], [0, 3, 1e9, 0]), [1, 0, 1, 1])
        np.testing.assert_array_equal(elementary.log2(np.ldexp(1.0, np.arange(-20, 20))), np.arange(-20, 20))


def test_ties_to_the_last_bit_fall_to_the_id() -> None:
    table = pd.DataFrame({"id": ["b", "a", "c"], "x": [0.1 + 0.2, 0.3, np.nan]})
    assert list(ranking.by(table, "x", "id")["id"]) == ["a", "b", "c"]
    assert list(ranking.by(table, "x", "id", falling={"x"})["id"]) == ["a", "b", "c"]
    assert ranking.first(table.iloc[::-1], "x", "id")["id"] == "a"


STUDENT = {
    (1, 0.975): 12.706205,
    (2, 0.975): 4.302653,
    (5, 0.9): 1.475884,
    (10, 0.95): 1.812461,
    (30, 0.995): 2.749996,
}
"""Degrees of freedom and share → quantile, as printed tables have it."""


def test_students_t_is_that_of_the_tables_and_of_scipy() -> None:
    from scipy.special import stdtrit

    for (freedom, share), printed in STUDENT.items():
        assert elementary.student_quantile(freedom, share) == pytest.approx(printed, abs=6e-7)
    for freedom in (*range(1, 33), 99, 500):
        for share in (0.0005, 0.025, 0.1, 0.45, 0.55, 0.8, 0.9995):
            known = float(stdtrit(freedom, share))
            assert elementary.student_quantile(freedom, share) == pytest.approx(known, rel=1e-11), (freedom, share)
    assert elementary.student_quantile(7, 0.5) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("freedom", "share"), [(0, 0.9), (-1, 0.9), (3, 0.0), (3, 1.0), (3, float("nan"))])
def test_students_t_has_bounds(freedom: int, share: float) -> None:
    with pytest.raises(ValueError, match="a whole number from 1 on and a share inside 0 and 1"):
        elementary.student_quantile(freedom, share)
