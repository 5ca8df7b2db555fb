"""Answers off a built site, each small, each with its value, unit, interval, sources, edition, address and citation.

Reads the catalogues of the site and its tables and nothing else: a folder on a disk is enough.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.book.record import cite
from analysis.book.record.citation import FORMATS
from analysis.book.store import places, verify
from analysis.book.store.files import read_text
from analysis.errors import InputError, Problem, nearest
from analysis.figures import rounded
from analysis.model import ask as asking

MOST_BYTE = 3_072
"""Of an answer: a page of text, and no more of a model's attention."""
MOST_HITS, MOST_ROWS, FIRST_ROWS, MOST_WORDS, EXCERPT_LETTERS, MOST_LETTERS = 6, 8, 3, 10, 160, 40
Answer = dict[str, Any]


def require_site(site: Path) -> None:
    """Raise InputError where a folder is no site that was built."""
    cite.published_work(site, cite.BOOK)
    if lacking := [name for name in CATALOGUES.values() if not (site / name).is_file()]:
        todo = "Build the site again, or name another with --site."
        raise InputError([Problem(str(site), f"no {' and no '.join(lacking)}", "a whole site", todo)])


def number(site: Path, key: str) -> Answer:
    """A number of the prose, in its base unit and as it reads."""
    found = _entry(site, "number", key)
    told = {"value": found["number"], "unit": found["unit"], "interval": found.get("interval")}
    told |= {name: found[name] for name in ("text", "definition", "formula", "inputs")}
    return _answer(site, found["id"], told, found["sources"])


def claim(site: Path, key: str) -> Answer:
    """A claim of the article: what it states, what comes out, the verdict and why."""
    found = _entry(site, "claim", key)
    names = (
        "text",
        "statement",
        "article_value",
        "article_unit",
        "verdict",
        "assumption",
        "note",
        "explanation",
        "formula",
        "latest_text",
    )
    told = {name: found[name] for name in names} | {"robustness": found["robustness"]["share"]}
    ends = [found["value"], found["value_high"]]
    interval = ends if None not in ends and ends[0] != ends[1] else None
    value = {"value": found["value"], "unit": found["unit"], "interval": interval}
    return _answer(site, found["id"], value | told, found["sources"])


def figure(site: Path, key: str, find: str = "") -> Answer:
    """A figure by its id or its number: what it shows, in words, and rows of its data: those with ``find`` in a cell, or the first."""
    _require_numbered(site, key)
    found = _entry(site, "figure", _of_number(site, key) or key)
    key = found["id"]
    folder = site / "figures" / key
    columns = _json(folder / f"{key}.metadata.json")["columns"]
    rows = list(csv.DictReader(io.StringIO(read_text(folder / f"{key}.csv"), newline="")))
    meant = [row for row in rows if find and any(find.lower() in cell.lower() for cell in row.values())]
    if find and not meant:
        cells = {cell for row in rows for cell in row.values() if not re.fullmatch(r"[\d.eE+-]*", cell)}
        raise InputError.unknown("cell", find, cells, file=f"{key}.csv")
    told = {
        "value": found["title"], "unit": {one["name"]: one["unit"] for one in columns if one["unit"]}, "interval": None,
        "number": found["number"],
        **{name: found[name] for name in ("subtitle", "caption", "alt", "notice", "chapter")}, "row_count": len(rows),
        "rows": (meant or rows)[: MOST_ROWS if find else FIRST_ROWS], "csv": f"figures/{key}/{key}.csv", "svg": f"figures/{key}/{key}.svg",
    }  # fmt: skip
    return _answer(site, key, told, found["sources"])


def cited(site: Path, key: str, form: str = "text") -> Answer:
    """The citation of anything that has one, in one of the formats of citations."""
    if form not in FORMATS:
        raise InputError.unknown("format", form, FORMATS, file="cite")
    _require_words("cite", key, "book")
    key = _of_number(site, key) or key
    return _answer(site, key, {"format": form, "text": FORMATS[form].write(cite.published_work(site, key))}, [])


def ask(site: Path, device: str, model: str, number_format: str = "", context: str = "") -> Answer:
    """What a device makes of a model by the calibrated model; of one of them alone, what it runs or what runs it."""
    names = tuple(name.strip() for name in (device, model) if name.strip())
    _require_words("ask", " ".join(names), "rtx 3060, qwen3 8b")
    cells = {"format": number_format} if number_format else {}
    cells |= {"context_token": asking.tokens(context, "context")} if context else {}
    for name in names:
        _require_of(site, "ask", name)
    record = _json(site / verify.RECORD)
    found = rounded(asking.answered(asking.Question(names, cells), site / "tables", record["edition"]))
    page = f"devices/{found['device'].split(' | ')[0]}" if found["device"] else f"models/{found['model']}"
    about = site / f"{page}.json"
    work = cite.published_work(site, cite.BOOK)
    citation = _json(about)["citation"] if about.is_file() else FORMATS["text"].write(work).strip()
    place = f"{page}.html" if about.is_file() else f"tables/{page.split('/', maxsplit=1)[0]}.html"
    interval = [found.get("token_per_s_low"), found.get("token_per_s_high")]
    told = {"value": found.get("token_per_s"), "unit": "token/s", "interval": None if None in interval else interval}
    told |= {
        "said": "expected by the calibrated model; interval of 80 %; limit_token_per_s is what the bandwidth allows at most, "
        "whether it fits or not"
    }
    kept = {name: value for name, value in found.items() if name not in ("rows", "edition")}
    rows = {"rows": found["rows"][:MOST_ROWS], "row_count": len(found["rows"])} if "rows" in found else {}
    return fitted(told | rows | kept | _whence(record, _address(record, place), citation))


def search(site: Path, query: str) -> Answer:
    """What in the book has the words, best first, with the tool to ask next of each and what to give it."""
    _require_words("search", query, "iphone 14 fp16")
    words, entries = _sought(query), _index(site)
    scored = sorted((-score, at) for at, score in enumerate(_scores(site, query, words, entries)) if score > 0)
    if not scored:
        todo = nearest(query, {entry[1] for entry in entries})
        raise InputError([Problem("search", f"nothing with {query[:80]!r}", "words of the book", todo)])
    every = " ".join(" ".join(entry) for entry in entries).lower()
    lacking = [word for word in words if word not in every]
    record = _json(site / verify.RECORD)
    hits = [_hit(site, record, *entries[at][:4]) for _, at in scored[:MOST_HITS]]
    work = FORMATS["text"].write(cite.published_work(site, cite.BOOK)).strip()
    found = {
        "query": query[:200],
        "found": len(scored),
        "words_not_found": [word[:MOST_LETTERS] for word in lacking[:MOST_WORDS]],
        "hits": hits,
    }
    return fitted(found | _whence(record, _address(record, "search.html"), work))


UNSOUGHT = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is", "it", "my", "of",
        "on", "or", "the", "to", "what", "which", "why", "with",
    }
)  # fmt: skip
"""Words that stand everywhere: of a question the others say what is meant."""


def _sought(query: str) -> list[str]:
    words = re.findall(r"\w+", query.lower())
    return [word for word in words if word not in UNSOUGHT] or words


def _index(site: Path) -> list[list[str]]:
    """Kind, title, place and text of everything that the search of the site knows."""
    parts = sorted(site.glob(places.SEARCH_PARTS)) or [site / places.SEARCH_INDEX]
    texts = map(read_text, parts)
    return [entry for text in texts for entry in json.loads(text[text.index("(") + 1 : text.rindex(")")])]


def _scores(site: Path, query: str, words: Sequence[str], entries: Sequence[Sequence[str]]) -> list[float]:
    """How well each entry has the words; a figure that is asked for by its number comes first, or alone where it is called one."""
    named = NUMBERED.fullmatch(query)
    if named and named[1]:
        _require_numbered(site, query)
    first = f"figures/{_of_number(site, query)}/index.html"
    if named and named[1]:
        return [float(entry[2] == first) for entry in entries]
    return [math.inf if entry[2] == first and "." in query else _score(words, entry) for entry in entries]


def _score(words: Sequence[str], entry: Sequence[str]) -> float:
    """How well an entry has the words: all of them count a hundredfold, those that stand so in its title or its id fourfold."""
    title, text = f"{entry[1]} {entry[2]}".lower(), entry[3].lower()
    whole = set(re.findall(r"\w+", title))
    found = [4 * (word in whole) + (word in title) + (word in text) for word in words]
    return sum(found) + (100 if all(found) else 0) - len(title) / 1000


KINDS = {"Number": "number", "Claim": "claim", "Figure": "figure"}
"""Kind in the index of the search → the tool that says more of it."""
PAGED = {"devices": "device", "models": "model"}
"""Folder of pages → what one of them is of, as ``ask`` calls it."""


def _hit(site: Path, record: Mapping[str, Any], kind: str, title: str, place: str, text: str) -> Answer:
    """One thing that was found and what to ask next, or how it begins; of a number and a claim what it is, too."""
    folder = place.split("/", maxsplit=1)[0]
    key = place.split("/")[1] if kind == "Figure" else place.partition("#")[2] or Path(place).stem
    paged = PAGED.get(folder, "") if kind == "Row" else ""
    following = {"tool": KINDS[kind], "arguments": {"id": key}} if kind in KINDS else {}
    following = (
        {"tool": "ask", "arguments": {paged: key}} if paged else following or {"excerpt": text[:EXCERPT_LETTERS]}
    )
    hit = {
        "kind": paged or kind.lower(),
        "id": key,
        "title": title[:200],
        **following,
        "address": _address(record, place),
    }
    if kind in ("Number", "Claim"):
        entry = _entry(site, KINDS[kind], key)
        hit |= {
            "value": entry["number" if kind == "Number" else "value"],
            "unit": entry["unit"],
            "sources": entry["sources"][:3],
        }
    return hit


CATALOGUES = {"number": "numbers.json", "claim": "claims.json", "figure": "figures.json"}


def _entry(site: Path, kind: str, key: str) -> dict[str, Any]:
    """One entry of a catalogue; raises InputError with the nearest ids where there is none."""
    every = {one["id"]: one for one in _json(site / CATALOGUES[kind])}
    found = {name: one for name, one in every.items() if one.get("number", "") is not None}
    _require_words(kind, key, next(iter(found), ""))
    if key in every and key not in found:
        raise InputError(
            [Problem(CATALOGUES[kind], f"{key!r}, a text: {every[key]['text'][:200]!r}", f"id of a {kind}")]
        )
    if key not in found:
        _require_of(site, kind, key)
        raise InputError.unknown(f"id of a {kind}", key[:80], found, file=CATALOGUES[kind])
    return dict(found[key])


def _require_of(site: Path, tool: str, key: str) -> None:
    """Raise InputError where another tool has what was asked for."""
    for other in CATALOGUES:
        if other != tool and ((other == "figure" and _of_number(site, key)) or key in _ids(site, other)):
            raise _elsewhere(tool, key, f"a {other}", f"{other}(id={key!r})")
    for folder, what in PAGED.items():
        if tool != "ask" and re.fullmatch(r"[\w.-]+", key) and (site / folder / f"{key}.json").is_file():
            raise _elsewhere(tool, key, f"a {what}", f"ask({what}={key!r})")
    if any(key == one["name"] for one in _json(site / "tables" / "datapackage.json")["resources"]):
        raise _elsewhere(tool, key, "a table", f"cite(id={key!r}); its rows are in tables/{key}.csv")


def _elsewhere(tool: str, key: str, what: str, call: str) -> InputError:
    return InputError(
        [
            Problem(
                tool,
                f"{key!r}, which is {what}",
                f"a {tool}" if tool != "ask" else "a device or a model",
                f"Call {call}",
            )
        ]
    )


def _ids(site: Path, kind: str) -> set[str]:
    return {one["id"] for one in _json(site / CATALOGUES[kind])}


NUMBERED = re.compile(r"\s*(fig(?:ure)?\.?\s*)?([0-9]+(?:\.[0-9]+)?)\s*", re.IGNORECASE)
"""A number of a figure, as ``Figure 5.1`` or ``5.1``."""


def _of_number(site: Path, given: str) -> str:
    """The id of the figure that is named by its number; empty where none is."""
    named = NUMBERED.fullmatch(given)
    return _by_number(site).get(named[2], "") if named else ""


def _require_numbered(site: Path, given: str) -> None:
    """Raise InputError where a number of a figure is given that no figure has."""
    named = NUMBERED.fullmatch(given)
    if named and named[2] not in (known := _by_number(site)):
        there = [one for one in known if one.split(".")[0] == named[2].split(".")[0]] or [
            *list(known)[:2],
            "…",
            list(known)[-1],
        ]
        todo = f"Known: {', '.join(there)}"
        raise InputError([Problem(CATALOGUES["figure"], f"figure {named[2]}", "a number of a figure", todo)])


def _by_number(site: Path) -> dict[str, str]:
    return {one["number"]: one["id"] for one in _json(site / CATALOGUES["figure"])}


JSON = {dict: "an object", list: "a list", bool: "true or false"}
"""Type → as JSON calls it."""


def worded(tool: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Arguments of a tool as words: a number as it is written, and without those that are null.

    Raises InputError where one is neither, is lacking, or is not one of the tool's by its JSON Schema.
    """
    known, found = schema["properties"], {name: value for name, value in given.items() if value is not None}
    takes = f"{tool} takes {', '.join(known)}."
    for name, value in found.items():
        if name not in known:
            raise InputError([Problem(tool, f"an argument {name[:80]!r}", "one of its own", takes)])
        if type(value) in JSON:
            raise InputError([Problem(tool, JSON[type(value)], "words", takes, column=name)])
    for name in schema.get("required", ()):
        if name not in found:
            raise InputError([Problem(tool, "nothing", "words", takes, column=name)])
    return {name: str(value) for name, value in found.items()}


def _require_words(tool: str, given: str, example: str) -> None:
    if not re.search(r"\w", given):
        raise InputError([Problem(tool, "nothing asked for", "words or an id", f"For example: {example}")])


def _json(path: Path) -> Any:
    return json.loads(read_text(path))


def _answer(site: Path, key: str, told: Answer, source_ids: Sequence[str]) -> Answer:
    """An answer on something that can be cited by its id."""
    record, work = _json(site / verify.RECORD), cite.published_work(site, key)
    address = work.address or cite.page_of(site, key)
    whence = _whence(record | {"run": list(work.run)}, address, FORMATS["text"].write(work).strip())
    return fitted({"id": key, "kind": work.kind, **told, "sources": list(_sources(site, source_ids)), **whence})


def _whence(record: Mapping[str, Any], address: str, citation: str) -> Answer:
    run = {"run": record["run"]} if record.get("run") else {}
    return {"edition": record["edition"], **run, "address": address, "citation": citation}


def _address(record: Mapping[str, Any], place: str) -> str:
    base = str(record.get("address", ""))
    return f"{base.rstrip('/')}/{place}" if base else place


def _sources(site: Path, source_ids: Sequence[str]) -> Iterator[Answer]:
    wanted = set(source_ids)
    for row in csv.DictReader(io.StringIO(read_text(site / "tables" / "sources.csv"), newline="")):
        if row["source_id"] in wanted:
            yield {name: row[name] for name in ("source_id", "publisher", "title", "url")}


def fitted(answer: Answer) -> Answer:
    """An answer that is no longer than it may be: the longest lists and texts give way to their first, as ``left_out`` says."""
    lost: dict[str, int] = {}
    while len(told(answer | ({"left_out": lost} if lost else {})).encode()) > MOST_BYTE:
        name = max(
            (one for one in SHORTENED if len(answer.get(one) or "") > 1), key=lambda one: len(json.dumps(answer[one]))
        )
        answer = answer | {name: SHORTENED[name](answer[name])}
        lost[name] = lost.get(name, 0) + 1
    return answer | ({"left_out": lost} if lost else {})


def told(answer: Answer) -> str:
    """An answer as the protocol carries it."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _without_last(items: Any) -> Any:
    return dict(list(items.items())[:-1]) if isinstance(items, dict) else items[:-1]


def _without_end(text: str) -> str:
    return f"{text[: len(text) * 2 // 3].rstrip('… ')}…"


SHORTENED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("sources", "rows", "hits", "inputs", "measured", "notes", "unit"), _without_last),
    **dict.fromkeys(("caption", "alt", "explanation", "subtitle", "notice", "definition", "statement", "latest_text"), _without_end),
}  # fmt: skip
"""What of an answer may be shortened → how."""
