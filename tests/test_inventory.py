"""Other books refer to this one: a Sphinx book by its inventory, a MyST book by its list of references, both off the disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sphinx.util.inventory import InventoryFile

BASE = "https://book.example"
OTHER = """Another book
============

See :ref:`wall:roofline` and :external+wall:ref:`eq-roofline`; :external+wall:ref:`memory-wall-iphone-14-fp16` is its answer,
:external+wall:ref:`it is said <weights-14gb>`, in :external+wall:doc:`chapters/memory_wall`, from :external+wall:doc:`devices`.
"""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_another_sphinx_book_refers_to_a_figure_an_equation_a_number(site: Path, tmp_path: Path) -> None:
    mapping = {"wall": (f"{BASE}/", str(site / "objects.inv"))}
    (tmp_path / "conf.py").write_text(f"extensions = ['sphinx.ext.intersphinx']\nintersphinx_mapping = {mapping!r}\n")
    (tmp_path / "index.rst").write_text(OTHER, encoding="utf-8")
    run = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "-b", "html", str(tmp_path), str(tmp_path / "out")]
    result = subprocess.run(run, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    found = re.findall(rf'href="{BASE}/([^"]+)"[^>]*>(?:<[^>]+>)*([^<]+)', page)
    text = {one["id"]: one["text"] for one in read(site / "numbers.json")}["memory-wall-iphone-14-fp16"]
    number = {one["id"]: one["number"] for one in read(site / "figures.json")}["roofline"]
    package = read(site / "tables" / "datapackage.json")
    title = next(one["title"] for one in package["resources"] if one["name"] == "devices")
    assert found == [
        ("chapters/memory_wall.html#roofline", f"Figure {number}"),
        ("chapters/memory_wall.html#equation-eq-roofline", "Equation 1.2"),
        ("numbers.html#memory-wall-iphone-14-fp16", text),
        ("chapters/claims.html#weights-14gb", "it is said"),
        ("chapters/memory_wall.html", "Why does bandwidth, not compute, set the speed?"),
        ("tables/devices.html", title),
    ]


def cited(site: Path) -> set[str]:
    """Every id of the catalogues, and the chapters."""
    numbers = {one["id"] for one in read(site / "numbers.json") if one["number"] is not None}
    named = {one["id"] for name in ("figures", "claims") for one in read(site / f"{name}.json")}
    tables = {one["name"] for one in read(site / "tables" / "datapackage.json")["resources"]}
    return numbers | named | tables | {f"chapters/{path.stem}" for path in (site / "chapters").glob("*.html")}


def leads(site: Path, address: str) -> bool:
    """Whether an address within the site is that of a place on a page."""
    file, _, anchor = address.partition("#")
    return (site / file).is_file() and (not anchor or f'id="{anchor}"' in (site / file).read_text(encoding="utf-8"))


def test_all_that_can_be_cited_can_be_referred_to(site: Path) -> None:
    with (site / "objects.inv").open("rb") as file:
        held = InventoryFile.load(file, "", lambda base, place: place)
    places = {name: item[2] for kind in held.values() for name, item in kind.items()}
    equations = {name for name in places if name.startswith("eq-")}
    assert len(equations) >= 20
    assert set(places) == cited(site) | equations
    assert sum(map(len, held.values())) == len(places), "one id, two things"
    assert [name for name, place in list(places.items())[::7] if not leads(site, place)] == []


def test_myst_finds_every_target_in_the_file_it_is_sent_to(site: Path) -> None:
    listed = read(site / "myst.xref.json")
    assert set(listed) == {"version", "myst", "references"}
    assert listed["version"] == "1"
    named = [one for one in listed["references"] if "identifier" in one]
    assert cited(site) <= {one["identifier"] for one in named}
    assert {one["kind"] for one in listed["references"]} == {"page", "figure", "equation", "heading"}
    trees = {one["data"]: read(site / one["data"].lstrip("/")) for one in listed["references"]}
    for one in named:
        assert set(one) <= {"identifier", "html_id", "kind", "data", "url", "implicit"}
        tree = trees[one["data"]]
        nodes = [node for node in tree["mdast"]["children"] if node["identifier"] == one["identifier"]]
        assert len(nodes) == (one["kind"] != "page"), one
        assert tree["frontmatter"]["title"]
        if nodes:
            assert nodes[0]["html_id"] == one.get("html_id", one["identifier"])
