"""The citation of one thing by its id, read off the catalogues of a built site: figure, number, claim, table or the book."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from analysis.book.record import citation
from analysis.book.record.citation import Work
from analysis.book.store import verify
from analysis.book.store.files import read_text
from analysis.errors import InputError, Problem, nearest

BOOK = "book"
MARKED = {"figure": "figures", "number": "values", "claim": "claims", "table": "data"}
"""Kind of a thing → under what the record of a site keeps what of it is not the book's."""
ROW = re.compile(r"[\w-][\w.-]*")
"""What an id of a row looks like: nothing that a pattern of files would read as more than letters."""


def place(given: str, site: Path) -> Path:
    """The folder of a site by its path, or by the name of an edition that is frozen in the published one."""
    frozen = site / verify.FROZEN / given
    return (
        site
        if not given
        else frozen
        if not Path(given).exists() and (frozen / verify.RECORD).is_file()
        else Path(given)
    )


def published_work(site: Path, key: str) -> Work:
    """The thing with this id; raises InputError with the nearest ids where there is none."""
    if not (site / "edition.json").is_file():
        todo = "Build it first: memory-wall build."
        raise InputError([Problem(file=str(site), found="no site", expected="a site that was built", todo=todo)])
    try:
        return _work(site, key)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        found = f"a record that is not one ({type(error).__name__}: {error})"
        todo = "Build it again: memory-wall build."
        raise InputError([Problem(file=str(site), found=found, expected="a complete site", todo=todo)]) from None


def _work(site: Path, key: str) -> Work:
    record = _json(site / "edition.json")
    base = record.get("address", "")
    known = _known(site, key)
    if key not in known:
        todo = nearest(key, known)
        raise InputError(
            [Problem(file=str(site), found=f"id {key!r}", expected="the id of something in it", todo=todo)]
        )
    kind, name, title, page, number = known[key]
    given, run = record["parameters"], tuple(record.get("run", ()))
    if kind in MARKED and "marks" in record:  # an edition of before has one mark for all
        row = record["marks"].get("entries", {}).get(page.removesuffix(".html"), ())
        run = tuple(record["marks"].get(MARKED[kind], {}).get(key, row))
    address = f"{base.rstrip('/')}/{page}" if base else ""
    return Work(kind, name, title, record["edition"], given["edition_date"], address, number, run)


def page_of(site: Path, key: str) -> str:
    """Where in the site a thing with a citation stands: its file, which opens from a disk too."""
    page = _known(site, key)[key][3]
    return page if page and not page.endswith("/") else f"{page}index.html"


Entries = dict[str, tuple[str, str, str, str, str]]
"""Id → kind, id, title, page, number."""


def _known(site: Path, key: str) -> Entries:
    book: Entries = {BOOK: (BOOK, "", citation.BOOK, "", "")}
    return {**_rows(site, key), **_tables(site), **_claims(site), **_numbers(site), **_figures(site), **book}


def _rows(site: Path, key: str) -> Entries:
    """The row of this id, where rows have pages of their own with a JSON beside each: of hundreds of files one is read."""
    for path in site.glob(f"*/{key}.json") if ROW.fullmatch(key) else ():
        folder, told = path.parent.name, _json(path)
        if "citation" in told:
            return {key: ("table", f"{folder}-{key}", told["title"], f"{folder}/{key}.html", "")}
    return {}


def _json(path: Path) -> Any:
    return json.loads(read_text(path)) if path.is_file() else []


def _figures(site: Path) -> Entries:
    return {
        one["id"]: ("figure", one["id"], one["title"], f"figures/{one['id']}/", one["number"])
        for one in _json(site / "figures.json")
    }


def _numbers(site: Path) -> Entries:
    return {
        one["id"]: ("number", one["id"], citation.number_title(one), f"numbers.html#{one['id']}", "")
        for one in _json(site / "numbers.json")
        if one["number"] is not None
    }


def _claims(site: Path) -> Entries:
    return {
        one["id"]: ("claim", one["id"], citation.claim_title(one), f"chapters/claims.html#{one['id']}", "")
        for one in _json(site / "claims.json")
    }


def _tables(site: Path) -> Entries:
    found = _json(site / "tables" / "datapackage.json")
    return {
        one["name"]: ("table", one["name"].replace("_", "-"), one["title"], f"tables/{one['name']}.html", "")
        for one in (found["resources"] if found else [])
    }
