"""Somebody else's book: two pages on tides, with a subject, a table, a title and an author of their own, made by ``analysis.book``.

Of this package it has what knows nothing of language models.  What stands here in a few lines is all that such a book needs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from analysis.book.record import imprint
from analysis.errors import InputError
from tests.conftest import ROOT
from tests.small import Book
from tests.test_house import graph, room

OURS = ("subjects", "model", "claims", "machine", "equations")
"""The rooms of this book's own subject: a toy book has none of them."""
NOTES = {
    "sources": ("source_id publisher title date_published date_read url licence kind note origin", "source_id"),
    "harbours": ("harbour_id range_count source_id", "harbour_id"),
}
TABLES = {
    "sources": "source_id,publisher,title,date_published,date_read,url,licence,kind,note,origin\n"
    "almanac,Tide Office,Almanac,2025,2026-01-02,https://tides.example/,facts-quoted,survey,,\n",
    "harbours": "harbour_id,range_count,source_id\nnorth,4.5,almanac\nsouth,7.5,almanac\n",
}
IMPRINT = {
    "name": "tides", "full_title": "Tides: how high & when?", "description": "Two harbours compared.",
    "licence": "CC0", "licence_name": "No rights reserved", "licence_id": "CC0-1.0", "licence_address": "https://creativecommons.org/publicdomain/zero/1.0/",
}  # fmt: skip
PARAMETERS = {
    "spring_share": {"default": 1.2, "minimum": 1.0, "maximum": 2.0, "description": "Spring tide over mean tide."},
    "title": {"default": "Tides", "description": "Title."},
    "edition": {"default": "1.0", "description": "Edition."},
    "edition_date": {"default": "2026-01-02", "description": "Its day."},
}
DERIVED = '''"""Tides of two harbours."""

from analysis import tables


def springs(share):
    """The range of each harbour at spring tide."""
    harbours = tables.package().table("harbours")
    return harbours.assign(spring_count=harbours["range_count"] * share)
'''
CHARTS = '''"""How they are drawn."""

import altair as alt


def bars(table):
    """One bar a harbour."""
    return alt.Chart(table).mark_bar().encode(x="spring_count:Q", y="harbour_id:N")
'''
CHAPTER = """
# Springs

```{code-cell} python
:tags: [parameters]

spring_share: float = 1.2
```

```{code-cell} python
from analysis.figures import Column, Value, figure, publish, show_table
from tides import charts, derived

table = derived.springs(spring_share)
publish(Value("highest-spring", float(table["spring_count"].max()), "count", definition="The highest spring tide."))
```

It reaches {value}`highest-spring`.

```{code-cell} python
figure("spring-tides", charts.bars(derived.springs(spring_share)), table, title="The south is higher", subtitle="Springs", caption="Two.",
       alt="Two bars, the southern the longer one.")
```

```{code-cell} python
show_table("springs", table, [Column("harbour_id"), Column("spring_count", bar=True)], caption="Both harbours.")
```
"""


class Toy(Book):
    """The folder of the other book."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        left_out = shutil.ignore_patterns("__pycache__", *OURS)
        shutil.copytree(ROOT / "analysis", folder / "analysis", ignore=left_out)
        for name in OURS:  # or the installed package would lend its own
            self._write({"__init__.py": f"raise ImportError('a book on tides has no {name}')\n"}, f"analysis/{name}")
        shutil.copyfile(ROOT / "requirements.lock", folder / "requirements.lock")
        self._write({"__init__.py": "", "derived.py": DERIVED, "charts.py": CHARTS}, "tides")
        self._write({f"{name}.csv": text for name, text in TABLES.items()}, "data")
        self._write({"datapackage.json": json.dumps({"resources": [_described(name) for name in TABLES]})}, "data")
        self._write({"parameters.yml": yaml.safe_dump(PARAMETERS)}, "chapters")
        config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")) | {
            "title": "Tides",
            "author": "A. Moon",
        }
        config["sphinx"]["config"] |= {"html_title": "Tides", "memory_wall_imprint": IMPRINT}
        self._write({"_config.yml": yaml.safe_dump(config)}, ".")
        self.write("index", "\n# Tides\n\nSee {doc}`springs`.\n")
        self.write("springs", CHAPTER)

    def build(self) -> None:
        """By ``analysis.book`` itself: the command line knows this book's model."""
        arguments = [sys.executable, "-c", "from analysis.book import site; site.build(site.Request())"]
        built = subprocess.run(
            arguments, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stderr

    def _write(self, files: dict[str, str], folder: str) -> None:
        (self.folder / folder).mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / folder / name).write_text(text, encoding="utf-8")


def _described(name: str) -> dict[str, object]:
    columns, key = NOTES[name]
    kinds = {"range_count": "number"}
    fields = [
        {"name": column, "type": kinds.get(column, "string"), "description": column} for column in columns.split()
    ]
    return {
        "name": name, "path": f"{name}.csv", "title": name.capitalize(), "description": name, "row": "One row.", "licences": "CC0",
        "examples": {}, "schema": {"fields": fields, "primaryKey": [key]},
    }  # fmt: skip


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = Toy(tmp_path_factory.mktemp("tides"))
    toy.build()
    return toy


def test_somebody_else_s_book_is_theirs_throughout(toy: Toy) -> None:
    """Its own title, author and licence wherever this book's would stand, in pages, citations, pictures and catalogues."""
    figure = toy.site / "figures" / "spring-tides"
    cited = (figure / "spring-tides.bib").read_text(encoding="utf-8")
    assert all(part in cited for part in ("tides-1.0-spring-tides", "A. Moon", "CC0", "Tides: how high"))
    told = json.loads((figure / "spring-tides.metadata.json").read_text(encoding="utf-8"))
    assert (told["licence"], told["sources"][0]["publisher"]) == ("CC0-1.0", "Tide Office")
    assert "9" in (toy.site / "chapters" / "springs.html").read_text(encoding="utf-8")
    assert "No rights reserved (CC0)" in (toy.site / "LICENSES.txt").read_text(encoding="utf-8")
    for path in toy.site.rglob("*"):
        if path.suffix in (".html", ".json", ".bib", ".ris", ".svg", ".xml") and "_static" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert "The Memory Wall" not in text, path
            assert "language model" not in text, path


def test_its_own_package_counts_as_much_as_this_one(toy: Toy) -> None:
    """A changed function of the other book's package makes its chapter run again."""
    source = toy.folder / "tides" / "derived.py"
    source.write_text(DERIVED.replace("* share", "* share * 2"), encoding="utf-8")
    toy.build()
    assert "18" in (toy.site / "figures" / "spring-tides" / "spring-tides.csv").read_text(encoding="utf-8")


def test_a_book_without_a_licence_says_what_is_missing(tmp_path: Path) -> None:
    config = {
        "title": "Tides",
        "author": "A. Moon",
        "sphinx": {"config": {imprint.SETTING: IMPRINT | {"licence": " "}}},
    }
    path = tmp_path / "_config.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(InputError, match=r"_config\.yml:licence: found no licence; expected text for readers"):
        imprint.read(path)


def test_the_book_knows_no_subject_but_where_it_compares_two_states() -> None:
    """All that ``analysis.book`` imports of this book's own rooms stands in ``compare``; figures and tables need none of them."""
    free = [
        name for name in set(graph()) - {"analysis"} if room(name) in ("book", "figures", "tables", "charts", "door")
    ]
    knowing = {name for name in free if {room(other) for other in graph()[name]} & set(OURS)}
    assert knowing == {"analysis.book.compare.states", "analysis.book.compare.changes"}
    subjects = {name for name in free if any(room(other) == "subjects" for other in graph()[name])}
    assert subjects == {"analysis.book.compare.states"}
