"""Do the tests notice?  Change one operator, constant or word of a module at a time, in a copy, and run the tests of its subject.

A mutant that no test notices is printed with its line.  The sample is seeded: the same seed tries the same mutants.

    python scripts/mutants.py --seed 12 --count 60 --minutes 60
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
PATIENCE_S = 600
SHOWN = ("test_shown.py", "test_small_cases.py", "test_figures.py", "test_domains.py")
DRAWN = "test_drawn.py::test_every_chart_is_drawn_as_it_is_filed[{}]"
CHAPTERS = (
    "memory_wall",
    "sram_density",
    "dram_capacity",
    "storage_io",
    "server_batching",
    "time_to_first_token",
    "validation",
)
SUBJECTS = {
    "model/predict.py": ("test_predict.py",),
    "tables/rules.py": ("test_small_cases.py", "test_bad_cases.py", "test_bad_input.py"),
    "units.py": ("test_units.py", "test_words.py", "test_shown.py"),
    "words.py": ("test_words.py", "test_shown.py"),
    "charts/expressions.py": ("test_shown.py",),
    "charts/tooltips.py": ("test_shown.py",),
    "charts/marks.py": (*SHOWN, DRAWN.format("memory_wall"), DRAWN.format("storage_io")),
    "subjects/index/charts.py": (*SHOWN, DRAWN.format("index")),
    **{f"subjects/{name}/charts.py": (DRAWN.format(name), f"test_{name}.py") for name in CHAPTERS},
}
"""Module → the tests of its subject that need no site."""
LOOKS = {
    "size", "height", "width", "dx", "dy", "yOffset", "xOffset", "opacity", "strokeWidth", "fontSize", "fontWeight", "lineHeight",
    "thickness", "strokeDash", "columns", "symbolSize", "labelLineHeight", "cornerRadius", "angle", "offset",
}  # fmt: skip
"""Arguments that say how a picture looks, not what it says: left alone."""
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Add: ast.Sub,
    ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "fmin": "fmax",
}
IN_TEXT = ((" * ", " / "), (" / ", " * "), (" >= ", " < "), (" <= ", " > "), ("min(", "max("))


class Mutant(NamedTuple):
    """One change: the module, its line, what stood there, what stands there now, and the module so changed."""

    module: str
    line: int
    before: str
    after: str
    text: str


def changed(node: ast.AST) -> ast.AST | None:
    """The node with one thing changed; None where nothing in it is worth a change."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in SWAPS:
        new.ops[0] = SWAPS[type(new.ops[0])]()
    elif isinstance(new, (ast.BinOp, ast.BoolOp)) and type(new.op) in SWAPS:
        new.op = SWAPS[type(new.op)]()
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, (ast.Not, ast.Invert)):
        return new.operand
    elif isinstance(new, ast.Name) and new.id in NAMES:
        new.id = NAMES[new.id]
    elif isinstance(new, ast.Attribute) and new.attr in NAMES:
        new.attr = NAMES[new.attr]
    elif isinstance(new, ast.Constant):
        return _other(new)
    else:
        return None
    return new


def _other(node: ast.Constant) -> ast.Constant | None:
    value = node.value
    if isinstance(value, bool):
        return ast.Constant(not value)
    if isinstance(value, (int, float)):
        return ast.Constant(value * 2 if value else 1)
    if isinstance(value, str):
        for old, new in IN_TEXT:
            if old in value:
                return ast.Constant(value.replace(old, new, 1))
    return None


def places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node that may be changed, with where it hangs: parent, field, place in a list.  Not docstrings, types and looks."""
    for name, value in ast.iter_fields(node):
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            spared = name in ("annotation", "returns", "decorator_list") or (
                isinstance(child, ast.keyword) and child.arg in LOOKS
            )
            docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not spared and not docstring:
                yield node, name, place, child
                yield from places(child)


def mutants(module: str) -> list[Callable[[], Mutant]]:
    """Every mutant of a module, made when it is asked for."""
    tree = ast.parse((ROOT / "analysis" / module).read_text(encoding="utf-8"))
    return [
        lambda parent=parent, name=name, place=place, node=node: _made(module, tree, (parent, name, place, node))  # type: ignore[misc]
        for parent, name, place, node in places(tree)
        if changed(node) is not None
    ]


def _made(module: str, tree: ast.AST, at: tuple[ast.AST, str, int | None, ast.AST]) -> Mutant:
    parent, name, place, node = at
    new = changed(node)
    assert new is not None
    if place is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[place] = new
    text = ast.unparse(ast.fix_missing_locations(tree))
    said = ast.unparse(new)
    if place is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[place] = node
    return Mutant(module, getattr(node, "lineno", 0), ast.unparse(node), said, text)


# ------------------------------------------------------------------------------------------------------- the tests


def workshop(folder: Path) -> Path:
    """A copy of the repository's files to change."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _tested(folder: str, module: str) -> None:
    """Run the tests of a module in a process of their own, which ends with their verdict."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        import pytest

        paths = [f"tests/{name}" for name in SUBJECTS[module]]
        verdict = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", "not speed and not command", *paths])
    os._exit(int(verdict))


def survives(folder: Path, module: str, text: str) -> bool:
    """Whether the tests of a module stay green with it so written; what hangs does not."""
    target = folder / "analysis" / module
    before = target.read_text(encoding="utf-8")
    target.write_text(text, encoding="utf-8")
    process = multiprocessing.get_context("fork").Process(target=_tested, args=(str(folder), module))
    process.start()
    process.join(PATIENCE_S)
    if process.is_alive():
        process.kill()
        process.join()
    target.write_text(before, encoding="utf-8")
    return process.exitcode == 0


def _try(queue: list[Mutant], number: int, until: float, told: multiprocessing.Queue[tuple[str, bool] | None]) -> None:
    """Try every second mutant in a workshop of its own, until the time is up."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = workshop(Path(name))
        for mutant in queue[number::WORKERS]:
            if time.monotonic() > until:
                break
            alive = survives(folder, mutant.module, mutant.text)
            said = f"{mutant.module}:{mutant.line}: {mutant.before} → {mutant.after}"
            print(f"{'SURVIVED' if alive else 'killed  '} {said}", flush=True)
            told.put((mutant.module, alive))
    told.put(None)


def tried(queue: list[Mutant], until: float) -> list[tuple[str, bool]]:
    """Try the mutants side by side; the module and whether it survived, for each that there was time for."""
    context = multiprocessing.get_context("fork")
    told: multiprocessing.Queue[tuple[str, bool] | None] = context.Queue()
    for number in range(WORKERS):
        context.Process(target=_try, args=(queue, number, until, told)).start()
    found: list[tuple[str, bool]] = []
    for _ in range(WORKERS):
        found += iter(told.get, None)
    return found


def require_green(modules: list[str]) -> None:
    """Stop where the tests of a module fail before anything is changed: nothing could be learned from them."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = workshop(Path(name))
        for module in modules:
            if not survives(folder, module, (ROOT / "analysis" / module).read_text(encoding="utf-8")):
                sys.exit(f"{module}: its tests fail as it stands; mend them first")


def main() -> None:
    """Draw the sample, try it on two cores, and say what was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--count", type=int, default=60, help="mutants to draw")
    parser.add_argument("--minutes", type=float, default=50, help="no new mutant is begun after so long")
    parser.add_argument("--only", nargs="*", choices=list(SUBJECTS), default=list(SUBJECTS))
    given = parser.parse_args()
    for heavy in ("numpy", "pandas", "altair", "scipy.optimize"):
        importlib.import_module(heavy)  # once: each run of the tests is a fork
    require_green(given.only)
    draw, queue = random.Random(given.seed), []
    for module in given.only:
        known = mutants(module)
        queue += [make() for make in draw.sample(known, min(-(-given.count // len(given.only)), len(known)))]
    draw.shuffle(queue)
    found = tried(queue[: given.count], time.monotonic() + 60 * given.minutes)
    for module in given.only:
        verdicts = [alive for name, alive in found if name == module]
        print(f"{module}: {len(verdicts)} tried, {verdicts.count(False)} killed, {verdicts.count(True)} survived")


if __name__ == "__main__":
    main()
