"""Templates of pages: they escape what they are given; HTML is put together elsewhere only where this says why; they are installed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, UndefinedError
from jinja2 import nodes as parts
from markupsafe import Markup

from analysis.book.pages import entry_page, metadata, pieces
from analysis.book.store import cache, places, templates
from tests.conftest import ROOT, nodes

HOSTILE = """<script>alert("it's & on")</script>"""
SAFE = "&lt;script&gt;alert(&quot;it&#x27;s &amp; on&quot;)&lt;/script&gt;"
NAMES = sorted(path.name for path in templates.FOLDER.iterdir())
BY_HAND = {
    "store/templates.py": "what escapes for all templates",
    "pages/pieces.py": "cells of tables, of which a site has a hundred thousand: a template takes twice as long",
    "pages/entry_page.py": "the title as the theme's own template writes it, to be found again on the page",
    "pages/mathml.py": "the id of one element around what a library wrote",
    "pictures/framing.py": "SVG: lines of text in a picture",
    "pictures/card.py": "SVG: lines of text in a picture",
    "record/editions.py": "XML: the feed and the map of the site",
    "view.py": "an attribute of the line that loads a served page anew",
}
"""Module of ``analysis/book`` → why it escapes by itself."""


def of_book() -> dict[str, Path]:
    book = ROOT / "analysis" / "book"
    return {path.relative_to(book).as_posix(): path for path in sorted(book.rglob("*.py"))}


def escapes(path: Path) -> bool:
    """Whether a module imports a function that escapes HTML or XML, or a module that has one."""
    homes = {"html", "markupsafe", "xml.sax.saxutils"}
    return any(
        (isinstance(node, ast.Import) and homes & {alias.name for alias in node.names})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module in homes
            and any(alias.name in ("escape", "quoteattr") for alias in node.names)
        )
        for node in nodes(path)
    )


def test_pages_are_made_by_templates_but_where_this_says_why() -> None:
    assert {name for name, path in of_book().items() if escapes(path)} == set(BY_HAND)


def test_what_is_called_html_already_is_so_by_a_reason_beside_it() -> None:
    for name, path in of_book().items():
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "S704" not in line or re.search(r"# noqa: S704 - \w", line), f"{name}: {line.strip()}"


@pytest.mark.parametrize("name", NAMES)
def test_no_template_calls_anything_safe_or_leaves_escaping(name: str) -> None:
    tree = templates.environment().parse((templates.FOLDER / name).read_text(encoding="utf-8"))
    assert not {it.name for it in tree.find_all(parts.Filter)} & {"safe", "forceescape"}
    assert not list(tree.find_all(parts.ScopedEvalContextModifier))


@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_asked_for(name: str) -> None:
    asked = {
        node.args[0].value
        for path in [*of_book().values(), *(ROOT / "analysis" / "sweep").glob("*.py")]
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("page", "piece")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert name.removesuffix(".html") in asked


def test_what_a_template_is_given_is_escaped_once_and_what_it_is_not_given_is_an_error() -> None:
    shown = templates.page("cite", text=HOSTILE, bibtex=Markup("<b>1</b>"))
    assert f'<p class="mw-citation">{SAFE}</p>' in shown
    assert "<pre><b>1</b></pre>" in shown
    assert templates.environment().autoescape is True
    assert templates.piece("run_note", title="t", said="s", more="m", body=templates.escaped(HOSTILE)).endswith(SAFE)
    with pytest.raises(UndefinedError, match="bibtex"):
        templates.page("cite", text="")


def test_a_page_has_no_line_breaks_of_its_template_and_errors_name_its_line() -> None:
    assert "\n" not in templates.page("cite", text="a", bibtex="b")
    with pytest.raises(UndefinedError) as found:
        templates.page("cite", text="a")
    assert any(entry.lineno + 1 == 3 and str(entry.path).endswith("cite.html") for entry in found.traceback)


def test_cells_escape_as_templates_do() -> None:
    assert pieces._drawn_cell(HOSTILE, "td", 0, 0.0, "", "", HOSTILE, None).count(SAFE) == 2
    assert SAFE in pieces.link("https://a.example/" + HOSTILE, HOSTILE)
    assert pieces.link("javascript:alert(1)", HOSTILE) == SAFE
    assert pieces.with_code(f"`{HOSTILE}`") == f"<code>{SAFE}</code>"


def test_an_entry_finds_the_title_of_another_as_the_theme_escapes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or its page would keep the title of the first one."""
    monkeypatch.setattr(metadata, "tags", lambda *given: "")
    entry: Any = SimpleNamespace(page="devices/a", title="""Maker's 13" & more""")
    page = Environment(autoescape=False).from_string("<title>{{ title|striptags|e }}: Book</title>")  # noqa: S701
    assert entry_page._own(None, entry)[1] + ":" in page.render(title=entry.title)  # type: ignore[arg-type]


def test_a_changed_template_is_another_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "a.html").write_text("a", encoding="utf-8")
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    first = cache.code.__wrapped__()
    (tmp_path / "analysis" / "a.html").write_text("b", encoding="utf-8")
    assert cache.code.__wrapped__() != first


SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
DATA: list[str] = SETUP["package-data"]["analysis"]


def test_what_is_packed_with_the_package_is_there_and_all_of_it_is_packed() -> None:
    package = ROOT / "analysis"
    packed = {pattern: {path for path in package.glob(pattern) if path.is_file()} for pattern in DATA}
    assert not [pattern for pattern, found in packed.items() if not found]
    there = {
        path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }  # fmt: skip
    assert there == set().union(*packed.values())


@pytest.mark.slow
def test_an_installed_package_has_its_templates_and_fonts(tmp_path: Path) -> None:
    """Packed as a wheel, unpacked elsewhere, and asked there for a page and for the width of a word."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "analysis", source / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-CONTENT"):
        shutil.copy(ROOT / name, source / name)
    make = "import setuptools.build_meta as backend; print(backend.build_wheel('..'))"
    subprocess.run([sys.executable, "-c", make], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    there = {path.relative_to(source) for path in (source / "analysis").rglob("*") if path.is_file()}
    assert not {path for path in there if not (tmp_path / "installed" / path).is_file()}
    ask = (
        "from analysis.book.store import templates; from analysis import fonts;"
        "print(templates.__file__); print(fonts.file('It').is_file()); print(templates.page('cite', text='<', bibtex=''))"
    )
    asked = [sys.executable, "-P", "-c", ask]
    told = subprocess.run(
        asked, env={"PYTHONPATH": str(tmp_path / "installed")}, check=True, capture_output=True, text=True
    ).stdout
    place, font, page = told.splitlines()
    assert Path(place).is_relative_to(tmp_path / "installed")
    assert font == "True"
    assert '<p class="mw-citation">&lt;</p>' in page
