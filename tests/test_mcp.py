"""A real client asks the book over standard input and output: the right number with the right citation, and plain words where it errs."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pytest
from mcp import Client, StdioServerParameters

from analysis.book.record import citation, cite
from analysis.errors import InputError
from analysis.figures import rounded
from analysis.mcp import lookup, server
from analysis.model import predict
from tests.conftest import ROOT

with (ROOT / "tests" / "data" / "mcp_questions.csv").open(encoding="utf-8", newline="") as file:
    QUESTIONS = list(csv.DictReader(file))
WHENCE = {"value", "unit", "interval", "sources", "edition", "address", "citation"}
ASKED = ("device", "model_id", "format", "context_token")
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("number", {"id": "memory-wall-iphone-14-fp"}, "Did you mean 'memory-wall-iphone-14-fp16'"),
    ("number", {"id": " "}, "nothing asked for"),
    ("number", {"id": "index-which-binds"}, "a text: "),
    ("figure", {"id": "rooflin"}, "Did you mean 'roofline'?"),
    ("figure", {"id": "roofline", "find": "iphone 99"}, "expected a known cell"),
    ("claim", {"id": "weights-15gb"}, "Did you mean 'weights-14gb'"),
    ("number", {"id": "weights-14gb"}, "which is a claim; expected a number. Call claim(id='weights-14gb')"),
    ("claim", {"id": "roofline"}, "Call figure(id='roofline')"),
    ("number", {"id": "1.3"}, "which is a figure"),
    ("figure", {"id": "iphone-14"}, "Call ask(device='iphone-14')"),
    ("figure", {"id": "figure 1.99"}, "Known: 1, 1.1, 1.2"),
    ("ask", {"device": "weights-14gb"}, "which is a claim; expected a device or a model"),
    ("number", {"id": ["a"]}, "number:id: found a list; expected words. number takes id."),
    ("ask", {"device": True}, "ask:device: found true or false; expected words"),
    ("number", {}, "number:id: found nothing; expected words"),
    (
        "search",
        {"query": "a", "limit": 3},
        "search: found an argument 'limit'; expected one of its own. search takes query.",
    ),
    ("search", {"query": ""}, "nothing asked for"),
    ("search", {"query": "zzzz qqqq"}, "nothing with 'zzzz qqqq'"),
    ("ask", {}, "nothing asked for"),
    ("ask", {"device": "rtx 3061", "model": "qwen3 8b"}, "expected a device"),
    ("ask", {"device": "rtx 3060", "model": "qwen3 8b", "context": "much"}, "expected tokens"),
    ("cite", {"id": "weights-14gb", "format": "apa"}, "Known: bibtex, csl, ris, text"),
    ("cite", {"id": "nothing-of-this-name"}, "expected the id of something in it"),
]
Answers = list[tuple[bool, str]]


def asked_of(site: Path, questions: list[tuple[str, dict[str, Any]]]) -> Answers:
    """The answers of a server that a client started: whether each is an error, and its text."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "analysis", "mcp", "--site", str(site)], cwd=ROOT
    )

    async def talk() -> Answers:
        async with Client(parameters) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == {
                "search",
                "figure",
                "number",
                "claim",
                "ask",
                "cite",
            }
            results = [await client.call_tool(tool, arguments) for tool, arguments in questions]
            return [
                (bool(one.is_error), "".join(part.text for part in one.content if part.type == "text"))
                for one in results
            ]

    return asyncio.run(talk())


@pytest.fixture(scope="session")
def answers(site: Path) -> Answers:
    questions = [(row["tool"], json.loads(row["arguments"])) for row in QUESTIONS]
    return asked_of(site, [*questions, *((tool, arguments) for tool, arguments, _ in WRONG)])


def catalogue(site: Path, source: str) -> tuple[str, dict[str, Any]]:
    """What a question's answer is held against: the id and the entry of a catalogue of the site."""
    name, _, key = source.partition(":")
    entries = json.loads((site / name).read_text(encoding="utf-8"))
    return key, next(one for one in entries if one["id"] == key)


def predicted(site: Path, source: str) -> dict[str, Any]:
    """The same of a prediction, made here and now."""
    given = dict(zip(ASKED, source.removeprefix("predict:").split("|"), strict=True)) | {"prompt_token": "512"}
    [row] = predict.detailed(pd.DataFrame([given], dtype=str), folder=site / "tables").to_dict("records")
    found = {str(name): None if pd.isna(value) else value for name, value in row.items() if not isinstance(value, list)}
    told = json.loads((site / "devices" / f"{given['device']}.json").read_text(encoding="utf-8"))
    return rounded(found) | {"citation": told["citation"]}  # type: ignore[no-any-return]


def test_there_are_fifty_questions_on_all_tools() -> None:
    assert len(QUESTIONS) == len({row["arguments"] + row["tool"] for row in QUESTIONS}) == 50
    assert {row["tool"] for row in QUESTIONS} == {"search", "figure", "number", "claim", "ask", "cite"}


def test_fifty_questions_get_the_right_number_and_citation(site: Path, answers: Answers) -> None:
    wrong = [row["id"] for row, answer in zip(QUESTIONS, answers, strict=False) if not is_right(site, row, answer)]
    assert wrong == []


def is_right(site: Path, row: dict[str, str], answer: tuple[bool, str]) -> bool:
    """Whether an answer has the value and the citation that the site itself has, and all that an answer carries."""
    is_error, text = answer
    assert not is_error, text
    assert len(text.encode()) <= lookup.MOST_BYTE, row
    told = json.loads(text)
    assert {"sources", "edition", "address", "citation"} <= set(told) or row["tool"] == "search", row
    assert (site / told["address"].partition("#")[0]).is_file(), row
    if row["tool"] == "ask":
        wanted = predicted(site, row["expected_from"])
        ends = [wanted["token_per_s_low"], wanted["token_per_s_high"]]
        assert set(told) >= WHENCE
        names = ("fits", "needs_gibyte", "limit_token_per_s", "first_token_s", "citation")
        interval = None if None in ends else ends
        return bool((told["value"], told["interval"]) == (wanted["token_per_s"], interval)) and all(
            told[name] == wanted[name] for name in names
        )
    key, entry = catalogue(site, row["expected_from"])
    value = entry.get("title") if "figures" in row["expected_from"] else entry.get("value", entry.get("number"))
    cited = citation.text(cite.published_work(site, key))
    if row["tool"] == "search":
        hits = {hit["id"]: hit for hit in told["hits"]}
        return key in hits and hits[key].get("value", hits[key]["title"]) == value
    if row["tool"] == "cite":
        return bool(told["text"].strip() == told["citation"] == cited == entry.get("citation", cited))
    assert set(told) >= WHENCE
    assert bool(told["sources"]) == bool(entry["sources"])
    return bool(told["value"] == value and told["citation"] == cited == entry.get("citation", cited))


@pytest.mark.parametrize("at", range(len(WRONG)))
def test_what_is_unknown_or_empty_is_told(answers: Answers, at: int) -> None:
    is_error, text = answers[len(QUESTIONS) + at]
    assert is_error
    assert WRONG[at][2] in text
    assert "Traceback" not in text
    assert "validation error" not in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("query", ["iphone 14 fp16", "rtx 3060 banana", "figure 1.3", "1.3"])
def test_each_hit_says_what_to_ask_next(site: Path, query: str) -> None:
    told, tools = lookup.search(site, query), server.Tools(site, AssertionError)
    assert told["words_not_found"] == [word for word in query.split() if word == "banana"]
    assert all(("tool" in hit) != ("excerpt" in hit) for hit in told["hits"])
    following = [(hit["tool"], hit["arguments"]) for hit in told["hits"] if "tool" in hit]
    assert following
    for tool, arguments in following[:3]:
        answer = json.loads(getattr(tools, tool)(**arguments))
        assert set(arguments.values()) <= {answer.get("id"), answer.get("device"), answer.get("model")}
    if "1.3" in query:
        assert following[0] == ("figure", {"id": lookup.figure(site, "Fig. 1.3")["id"]})


def test_a_word_of_any_length_is_told_within_the_limit(site: Path) -> None:
    told = lookup.search(site, "memory " + "x" * 4000)
    assert told["words_not_found"] == ["x" * lookup.MOST_LETTERS]
    assert len(lookup.told(told).encode()) <= lookup.MOST_BYTE


def test_a_number_has_its_interval_where_the_book_knows_one(site: Path) -> None:
    every = [one for one in json.loads((site / "numbers.json").read_text(encoding="utf-8")) if one["interval"]]
    assert len(every) > 30
    for one in every:
        low, high = one["interval"]
        assert low <= one["number"] <= high, one["id"]
        assert lookup.number(site, one["id"])["interval"] == [low, high]
        if ends := {name: value for name, value in one["inputs"].items() if name in ("low_ratio", "high_ratio")}:
            assert one["unit"] != "ratio" or list(ends.values()) == [low, high]
    assert lookup.number(site, "index-devices")["interval"] is None


def test_a_question_is_searched_by_the_words_that_say_what_is_meant(site: Path) -> None:
    asked, sought = (
        lookup.search(site, it) for it in ("Why is the speed of an iPhone 14 what it is?", "speed iphone 14")
    )
    assert (asked["found"], asked["hits"]) == (sought["found"], sought["hits"])
    assert lookup.search(site, "what is it")["hits"]


def test_rows_with_pages_and_figures_by_number_are_cited(site: Path) -> None:
    for page in ("devices/iphone-14", "models/qwen2.5-14b"):
        told = lookup.cited(site, page.partition("/")[2])
        assert (
            told["text"].strip() == json.loads((site / f"{page}.json").read_text(encoding="utf-8"))["citation"].strip()
        )
        assert told["address"] == f"{page}.html"
    assert lookup.cited(site, "figure 1.3", "bibtex")["id"] == "roofline"
    with pytest.raises(InputError):
        lookup.cited(site, "datapackage")


def test_numbers_and_null_are_taken_for_words() -> None:
    schema = {"properties": {"id": {}, "find": {}}, "required": ["id"]}
    assert lookup.worded("figure", schema, {"id": 1.3, "find": None}) == {"id": "1.3"}


def test_rows_of_a_figure_are_those_asked_for(site: Path) -> None:
    told = lookup.figure(site, "roofline", "iphone-14")
    assert told["rows"]
    assert all("iphone-14" in json.dumps(row) for row in told["rows"])
    assert told["unit"]["ridge_flop_per_byte"] == "FLOP/B"


def test_one_name_alone_gets_a_table(site: Path) -> None:
    device, model = lookup.ask(site, "iphone 14", ""), lookup.ask(site, "", "qwen3 8b")
    assert device["rows"][0]["fits"] == model["rows"][0]["fits"] == "yes"
    assert (device["address"], model["address"]) == ("devices/iphone-14.html", "models/qwen3-8b.html")
    assert max(len(lookup.told(one).encode()) for one in (device, model)) <= lookup.MOST_BYTE


def test_every_figure_and_a_claim_fit(site: Path) -> None:
    for kind, found in (("figure", lookup.figure), ("claim", lookup.claim)):
        for entry in json.loads((site / lookup.CATALOGUES[kind]).read_text(encoding="utf-8"))[::4]:
            told: dict[str, Any] = found(site, entry["id"])
            assert len(lookup.told(told).encode()) <= lookup.MOST_BYTE, entry["id"]
            assert bool(told["sources"]) == bool(entry["sources"]), entry["id"]


def test_a_long_answer_gives_way_and_says_so() -> None:
    told = lookup.fitted({"id": "a", "caption": "long " * 900, "sources": [{"title": "t" * 100}] * 40, "value": 1})
    assert len(lookup.told(told).encode()) <= lookup.MOST_BYTE
    assert told["sources"]
    assert told["caption"].endswith("…")
    assert set(told["left_out"]) == {"caption", "sources"}


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(InputError, match=r"pip install 'memory-wall\[mcp\]'"):
        server.serve(tmp_path)


def test_a_folder_that_is_no_site_is_told(memory_wall: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    result = memory_wall("mcp", "--site", str(tmp_path))
    assert result.returncode == 2
    assert result.stdout == ""
    assert "expected a site that was built" in result.stderr
    assert "Traceback" not in result.stderr


def test_half_a_site_is_told_before_anybody_asks(site: Path, tmp_path: Path) -> None:
    (tmp_path / "edition.json").write_bytes((site / "edition.json").read_bytes())
    with pytest.raises(
        InputError, match=r"no numbers\.json and no claims\.json and no figures\.json; expected a whole site"
    ):
        lookup.require_site(tmp_path)
