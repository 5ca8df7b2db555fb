"""The house: floors, short bodies, chapters that define nothing and calculate nothing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from analysis.book import site
from analysis.book.inputs import parameters
from analysis.book.run import execution
from analysis.subjects import SUBJECTS
from tests.conftest import ROOT, command, may_start, nodes, parsed, starts_processes

PACKAGE = ROOT / "analysis"
FLOORS = (
    "units errors fonts", "door equations", "words", "ranking", "tables", "charts assumptions", "figures", "model", "claims",
    "subjects", "machine", "book", "mcp sweep", "cli", "__main__",
)  # fmt: skip
"""The rooms of the package, from the ground up.  A room imports rooms of lower floors, and within itself."""
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
INSIDE = {
    "analysis.subjects": (
        "common standing trends lookups mechanism",
        " ".join(name for name in SUBJECTS if name not in ("index", "validation", "claims", "data")),
        "index validation",
        "claims data",
        "numbers",
    ),
    "analysis.book": (
        "store",
        "inputs",
        "record",
        "pictures",
        "run",
        "pages",
        "export",
        "compare",
        "site extension view",
        "watch",
    ),
}
"""The floors inside a folder, where it has some."""
WITHIN = ("derived", "charts findings", "claims")
"""The floors inside a subject; a subject imports no other of its floor."""
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}


@cache
def imports(path: Path) -> set[str]:
    """The modules of this package that a module imports, at its top or inside a function."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                whole if (whole := f"{node.module}.{alias.name}") in NAMES else f"{node.module}" for alias in node.names
            }
    return {name for name in found if name in NAMES and name != "analysis"}


def room(name: str) -> str:
    return name.split(".")[1]


@cache
def graph() -> dict[str, set[str]]:
    """Module → the modules it imports; drawn by the first test that asks, and not wherever tests are collected."""
    return {name: imports(path) for name, path in NAMES.items()}


def test_every_room_has_a_floor_and_every_floor_a_room() -> None:
    assert {room(name) for name in NAMES if name != "analysis"} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"analysis"}))
def test_rooms_import_downwards_only(name: str) -> None:
    for other in graph()[name]:
        here, there = room(name), room(other)
        assert here == there or ROOMS[there] < ROOMS[here], (
            f"{name} (floor {ROOMS[here]}) imports {other} (floor {ROOMS[there]})"
        )


@pytest.mark.parametrize("folder", INSIDE)
def test_rooms_inside_a_folder_import_downwards_only(folder: str) -> None:
    floors = {name: floor for floor, names in enumerate(INSIDE[folder]) for name in names.split()}
    inside = {name: name.removeprefix(f"{folder}.").split(".")[0] for name in NAMES if name.startswith(f"{folder}.")}
    assert set(inside.values()) == set(floors)
    for name, here in inside.items():
        for there in {inside[other] for other in graph()[name] if other in inside}:
            assert here == there or floors[there] < floors[here], f"{name} imports from {there}"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_inside_a_subject_data_come_before_drawings_and_findings_and_claims_come_last(subject: str) -> None:
    floors = {name: floor for floor, names in enumerate(WITHIN) for name in names.split()}
    own = f"analysis.subjects.{subject}."
    for name in [name for name in NAMES if name.startswith(own)]:
        here = name.removeprefix(own)
        for there in [other.removeprefix(own) for other in graph()[name] if other.startswith(own)]:
            assert floors[there] < floors[here], f"{name} imports {there}"


def test_the_list_of_subjects_is_the_folders_and_the_pages() -> None:
    folders = {path.parent.name for path in (PACKAGE / "subjects").glob("*/__init__.py")}
    assert folders == set(SUBJECTS)
    pages = [path.stem for path in site.chapter_files()]
    assert list(SUBJECTS) == [name for name in pages if name in SUBJECTS]


def circle() -> list[str]:
    """A way from a module back to itself along imports; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        found = (
            []
            if name in done
            else next(filter(None, (walk(other, [*way, name]) for other in sorted(graph()[name]))), [])
        )
        done.add(name)
        return found

    return next(filter(None, (walk(name, []) for name in sorted(graph()))), [])


def test_no_module_imports_itself_by_a_detour() -> None:
    assert not circle(), " → ".join(circle())


def test_the_docstring_of_the_package_lists_the_floors() -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))) or ""
    listed = [
        re.findall(r"``(\w+)``", line.split("  ")[0])
        for line in re.findall(r"^\d+\.\s+(.*)$", text, flags=re.MULTILINE)
    ]
    assert listed == [rooms.split() for rooms in FLOORS[:-1]]


def test_equations_see_numpy_and_nothing_else() -> None:
    for path in (PACKAGE / "equations").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"import (pandas|altair|frictionless)|from analysis\.(?!equations)", text), path.name


SEEN_BY_CHARTS = (
    "analysis.charts",
    "analysis.ranking",
    "analysis.units",
    "analysis.words",
    "analysis.equations.elementary",
)
"""What charts may use: how things are drawn, sorted, named and written, and the arithmetic that is the same on every processor."""


def test_charts_see_no_tables() -> None:
    for path in [*(PACKAGE / "charts").glob("*.py"), *(PACKAGE / "subjects").glob("*/charts.py")]:
        assert not {name for name in imports(path) if not name.startswith(SEEN_BY_CHARTS)}, path.name


def test_nothing_but_the_command_line_and_the_book_imports_the_book() -> None:
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] not in ("book", "mcp", "sweep", "cli.py"):
            assert not any(name.startswith("analysis.book") for name in imports(path)), path.name


def test_no_power_of_ten_in_an_equation() -> None:
    for path in (PACKAGE / "equations").glob("*.py"):
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) >= 1000:
                digits = f"{abs(node.value):.0f}".strip("0")
                assert digits != "1", f"{path.name}:{node.lineno}: {node.value} belongs to a unit's prefix"


def bodies() -> list[tuple[str, int]]:
    found = []
    for path in MODULES:
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                found.append((f"{path.relative_to(PACKAGE)}:{node.name}", lines))
    return found


def test_bodies_are_short() -> None:
    lengths = bodies()
    longest = max(lengths, key=lambda item: item[1])
    assert longest[1] <= 50, longest
    assert sum(lines <= 25 for _, lines in lengths) >= 0.9 * len(lengths)


CHAPTERS = [path for path in site.chapter_files() if path.exists()]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_talk_and_call_and_nothing_else(path: Path) -> None:
    for cell in execution.read(path).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 14, f"a long cell:\n{cell.source}"
            tree = ast.parse(cell.source)
            kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While)
            assert not [node for node in ast.walk(tree) if isinstance(node, kinds)], cell.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_declare_parameters_as_the_book_does(path: Path) -> None:
    for cell in execution.read(path).cells:
        if "parameters" in cell.metadata.tags:
            for name, value in re.findall(r"^(\w+)\s*:\s*\w+\s*=\s*([^#\n]+)", cell.source, flags=re.MULTILINE):
                assert yaml.safe_load(value) == parameters.declared()[name]["default"], name


def test_every_declared_parameter_is_used_by_a_chapter_or_the_colophon() -> None:
    used = {name for path in CHAPTERS for name in execution.declared_parameters(execution.read(path))}
    assert set(parameters.declared()) - used <= {"edition", "edition_date", "title"}


def test_the_fast_tests_leave_out_whatever_is_marked() -> None:
    pytest_options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"][
        "ini_options"
    ]
    left_out = re.search(
        r'^test-fast:.*?-m "not \((.*?)\)"', (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M | re.S
    )
    assert left_out is not None
    assert set(left_out[1].split(" or ")) == {marker.split(":")[0] for marker in pytest_options["markers"]}


def test_a_test_that_starts_a_process_is_known_by_what_it_calls() -> None:
    def by_itself() -> object:
        return command("check")

    def by_another() -> object:
        return [helped() for _ in range(2)]

    assert starts_processes(by_itself)
    assert starts_processes(by_another)
    assert not starts_processes(bodies)


def helped() -> object:
    return command("check")


def test_a_fast_test_may_not_start_python() -> None:
    assert not may_start([sys.executable, "-c", ""])
    assert may_start(["git", "status"])


def test_the_project_speaks_of_the_project_alone() -> None:
    home, machine = re.escape(str(Path.home())), re.escape(str(ROOT))
    for path in [
        *MODULES,
        *CHAPTERS,
        *ROOT.glob("*.md"),
        *ROOT.glob("data/**/*.toml"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]:
        assert not re.search(rf"{home}/|{machine}", path.read_text(encoding="utf-8")), path


def test_names_of_modules_in_texts_name_modules() -> None:
    """In strings and comments as well, where no type checker looks: what a process is told to import, what a reader is sent to."""
    texts = [
        *MODULES,
        *CHAPTERS,
        *(ROOT / "scripts").glob("*.py"),
        *ROOT.glob("*.md"),
        ROOT / "pyproject.toml",
        ROOT / "data/README.md",
    ]
    for path in [text for text in texts if text.name != "CHANGELOG.md"]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"\banalysis(?:\.[a-z_]\w*)+", text):
            inside = name.rpartition(".")[0]
            assert name in NAMES or (inside in NAMES and NAMES[inside].name != "__init__.py") or _holds(inside, name), (
                f"{path.name}: {name}"
            )
        for name, inside in re.findall(r"\b((?:analysis|tests)/[\w/]+\.(?:py|js|css))\b(?::([A-Za-z_]\w*))?", text):
            assert (ROOT / name).is_file(), f"{path.name}: {name}"
            assert not inside or inside in _defined(ROOT / name), f"{path.name}: {name}:{inside}"
        for package, taken in re.findall(r"^from (analysis[\w.]*) import ([\w, ]+)$", text, flags=re.MULTILINE):
            for name in (each.split()[0] for each in taken.split(",")):
                assert f"{package}.{name}" in NAMES or _holds(package, name), (
                    f"{path.name}: from {package} import {name}"
                )


def _holds(package: str, name: str) -> bool:
    """Whether a package of this house defines or takes in a name."""
    return package in NAMES and name.rpartition(".")[2] in NAMES[package].read_text(encoding="utf-8")


REGISTERING = {"rule", "command"}
"""Decorators that keep what they decorate: nothing needs to call it by its name."""


@pytest.mark.long
def test_what_only_tests_ask_for_is_not_there() -> None:
    """A function, class or constant of a module is read somewhere: by the package, a script, a chapter or a setting.

    A column, an argument or a docstring of the same name does not read it: an equation is called, or it is not there.
    """
    trees = [parsed(path) for path in [*MODULES, *(ROOT / "scripts").glob("*.py")]]
    cells = [cell for path in CHAPTERS for cell in execution.read(path).cells if cell.cell_type == "code"]
    read = {name for tree in [*trees, *(ast.parse(cell.source) for cell in cells)] for name in _read(tree)}
    read |= {
        name for file in ("pyproject.toml", "_config.yml") for name in re.findall(r"\w+", (ROOT / file).read_text())
    }
    unread = {f"{path.relative_to(ROOT)}: {name}" for path in MODULES for name in _defined(path) if name not in read}
    assert not unread, unread


def _read(tree: ast.Module) -> Iterator[str]:
    """Names that a module reads, and those it hands to a library as "package.module:name"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Constant) and re.fullmatch(r"analysis(\.\w+)+[.:]\w+", str(node.value)):
            yield re.split(r"[.:]", str(node.value))[-1]


def _defined(path: Path) -> Iterator[str]:
    """Names that a module gives, without those that a decorator keeps."""
    for node in parsed(path).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made = {ast.unparse(each).split("(")[0].split(".")[-1] for each in node.decorator_list}
            yield from [] if made & REGISTERING else [node.name]
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name) and target.id != "__all__")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


ASKS_FOR_DATA = {
    "inputs/given.py": "the first cell of a chapter, which knows its data by the environment alone",
    "store/freshness.py": "which of the book's own files a build will read",
    "pages/extension.py": "what Sphinx reads where nobody tells it",
}
"""Module of ``analysis/book`` → why it looks for the data itself; all others are handed the package of their build."""


def test_the_book_hands_over_its_data() -> None:
    book = PACKAGE / "book"
    asking = {
        path.relative_to(book).as_posix()
        for path in book.rglob("*.py")
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in ("package", "data_folder")
        if isinstance(node.value, ast.Name) and node.value.id in ("tables", "door")
    }
    assert asking == set(ASKS_FOR_DATA)
