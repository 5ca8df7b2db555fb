"""A page for each device and each model: the numbers of ``ask`` and ``predict``, sources, light pages, nothing of a run's parameters."""

from __future__ import annotations

import csv
import gzip
import json
import re
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis import tables
from analysis.book.run import execution
from analysis.errors import FigureError
from analysis.figures import Entry, entries
from analysis.model import ask
from analysis.subjects.answers import derived, findings
from analysis.tables import overlay
from tests.conftest import ROOT

MOST_BYTE = 60 * 2**10
MOST_CARD_BYTE = 14_000
"""Four hundred of them, on the average: 6 MB at most."""
DEVICES = ("rtx-3060-12gb", "iphone-17", "macbook-air-m4-16gb", "framework-desktop-ryzen-ai-max-395-128gb", "pixel-8")
MODELS = ("qwen3-8b", "mixtral-8x7b", "qwen3-0.6b", "deepseek-v3")


@pytest.fixture(scope="module")
def answers() -> findings.Answers:
    return findings.Answers(tables.package())


@pytest.fixture(scope="module")
def made(answers: findings.Answers) -> dict[str, Entry]:
    return {entry.page: entry for entry in findings.entries(answers)}


def answered(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ask.answered(ask.Question((name,)), tables.package().folder, "")["rows"]
    return rows


def same(entry: Entry, expected: list[dict[str, Any]], other: str) -> None:
    assert [row[0] for row in entry.rows] == [row[other] for row in expected]
    for row, wanted in zip(entry.rows, expected, strict=True):
        found = dict(zip(entry.fields, row, strict=True))
        for name in derived.ANSWERS:
            value = wanted[name] or None if isinstance(wanted[name], str) else wanted[name]
            assert found[name] == (value if isinstance(value, str) or value is None else pytest.approx(value, rel=1e-5))


@pytest.mark.long
@pytest.mark.parametrize("device", DEVICES)
def test_a_device_s_page_has_the_answer_of_ask(device: str, made: dict[str, Entry], answers: findings.Answers) -> None:
    listed = [row for row in answered(device) if row["model"] in answers.published]
    same(made[f"devices/{device}"], listed, "model")


@pytest.mark.parametrize("model", MODELS)
def test_a_model_s_page_has_the_answer_of_ask(model: str, made: dict[str, Entry]) -> None:
    same(made[f"models/{model}"], answered(model), "device")


def test_every_row_has_a_page_and_says_where_it_comes_from(made: dict[str, Entry]) -> None:
    package = tables.package()
    wanted = {f"{table}/{key}" for table in ("devices", "models") for key in package.raw(table)[f"{table[:-1]}_id"]}
    assert set(made) == wanted
    for entry in made.values():
        assert entry.sources
        assert set(entry.sources) <= set(package.publishers)
        assert entry.sections[-1].table.rows


def test_a_field_names_a_source_that_states_it_or_none(made: dict[str, Entry]) -> None:
    """The notes of a table say which columns its sources state; a standard states nothing of a device but its kind of memory."""
    package = tables.package()
    kinds = {row["url"]: row["kind"] for row in package.raw("sources").to_dict("records")}
    for entry in made.values():
        fields = package.columns(entry.table)
        stating = [field for field in fields.values() if field["name"] in ("source_id", "second_source_id")]
        stated = {
            findings._called(name)
            for field in stating
            for key in ("states", "states_first_of")
            for name in field.get(key, ())
        } | {
            findings._called(name)
            for field in stating
            for names in field.get("states_from", {}).values()
            for name in names
        }
        for fact, _, _, source, url in entry.sections[-1].table.rows[2 if entry.table == "models" else 1 :]:
            assert not source or fact in stated, (entry.page, fact)
            assert kinds.get(url) != "standard" or fact in ("Memory type", "Memory data rate"), (entry.page, fact)
    phone = {row[0]: row for row in made["devices/iphone-14"].sections[-1].table.rows}
    assert phone["NPU peak INT8"][3] is None
    assert "taken as INT8" in phone["NPU peak INT8"][2]
    assert phone["Memory bandwidth"][2].startswith("LPDDR4X-4266 × 64 bit")
    assert phone["Memory type"][3]
    card = {row[0]: row for row in made["devices/rtx-4090-24gb"].sections[-1].table.rows}
    assert {card[name][3] for name in ("Die area", "Transistors", "Shader peak FP16")} == {
        "GPU data base: GeForce RTX 4090"
    }
    assert phone["Transistors"][3] is None, "a standard of memory says nothing of a chip"
    assert phone["Memory capacity"][3]


def test_a_model_published_in_few_bits_says_that_the_answers_are_of_a_conversion(made: dict[str, Entry]) -> None:
    few = {
        f"models/{row['model_id']}"
        for row in tables.package().raw("models").to_dict("records")
        if row["published_bit_per_param"] > 0
    }
    assert {"models/bonsai-8b", "models/bitnet-b1.58-2b"} <= few
    said = {page for page, entry in made.items() if any("a conversion" in one for one in entry.said)}
    assert said == few
    assert "Bonsai 8B (1-bit)" in made["devices/rtx-3060-12gb"].sections[0].said
    named = dict(row[:2] for row in made["devices/rtx-3060-12gb"].rows)
    assert {f"models/{key}" for key, name in named.items() if name.endswith(", converted to Q4_K_M")} == few & {
        f"models/{key}" for key in named
    }
    for name, is_said in (("Q4_K_M", True), ("iq1-bn", False)):
        notes = ask.answered(ask.Question(("rtx 3060", "bitnet"), {"format": name}), tables.package().folder, "")[
            "notes"
        ]
        assert any("published in fewer bits" in note for note in notes) == is_said


def test_what_sets_the_longest_context_is_said_of_each_pair(made: dict[str, Entry]) -> None:
    limits = tables.package().raw("models").set_index("model_id")["context_token"]
    seen = set()
    for entry in (one for one in made.values() if one.table == "devices"):
        for row in entry.rows:
            told = dict(zip(entry.fields, row, strict=True))
            longest, by = told["longest_context_token"], told["longest_by"]
            assert by == (None if longest is None else "model" if longest >= limits[told["model"]] else "memory"), told
            seen.add(by)
    assert seen == {None, "model", "memory"}


def test_what_the_book_assumes_of_a_system_is_said_to_be_assumed(made: dict[str, Entry]) -> None:
    """No limit of an Android phone or of shared memory was found with a source; those of iPhones, Macs and cards were."""
    limit = {key: made[f"devices/{key}"].sections[-1].table.rows[0] for key in ("pixel-9", "dgx-spark-gb10-128gb")}
    assert "a Pixel 9 Pro XL keeps 2.46 GiB" in limit["pixel-9"][2]
    assert "firmware and driver" in limit["dgx-spark-gb10-128gb"][2]
    assumed = {key for key, entry in made.items() if "It is assumed that one program may take" in entry.said[0]}
    assert {
        "devices/pixel-9",
        "devices/dgx-spark-gb10-128gb",
        "devices/framework-desktop-ryzen-ai-max-395-128gb",
    } <= assumed
    assert not assumed & {"devices/iphone-14", "devices/rtx-4090-24gb", "devices/macbook-air-m4-16gb"}


@pytest.mark.parametrize(
    ("fits", "said"),
    [
        (["yes", "no", "no"], "1 of 3 devices holds it"), (["no", "no"], "None of 2 devices hold it"),
        (["yes", "yes", "barely", None], "2 of 4 devices hold it"),
    ],
)  # fmt: skip
def test_a_count_reads_as_a_sentence(fits: list[str | None], said: str) -> None:
    told = findings._fitting([["", "", one] for one in fits], "devices", "hold it", "holds it")
    assert told.startswith(said)
    assert " 0 " not in told
    assert told.endswith("1 barely holds it and of 1 it is not known.") == (None in fits)


def test_what_is_counted_where_adds_up(made: dict[str, Entry], answers: findings.Answers) -> None:
    count = {value.id: value.number or 0.0 for value in findings.values(answers)}
    assert count["answers-devices"] - count["answers-unknown"] == len(made["models/qwen3-8b"].rows)
    assert (
        count["answers-models"] - count["answers-left-out"]
        == count["answers-listed"]
        == len(made["devices/iphone-14"].rows)
    )


def test_what_nobody_can_download_runs_nowhere(made: dict[str, Entry]) -> None:
    closed = {"gpt-3-175b", "palm-540b", "gemini-nano-1", "apple-afm-on-device-2025"}
    for entry in made.values():
        if entry.table == "devices":
            assert not closed & {row[0] for row in entry.rows}
    for name in closed:
        assert made[f"models/{name}"].rows == []
        assert findings.NOWHERE in made[f"models/{name}"].said


def test_no_speed_where_it_does_not_fit_or_the_bandwidth_is_unknown(made: dict[str, Entry]) -> None:
    for entry in made.values():
        for row in entry.rows:
            told = dict(zip(entry.fields, row, strict=True))
            assert told["fits"] != "no" or told["token_per_s"] is None, entry.page
    pixel = made["devices/pixel-8"]
    assert "no source states its bandwidth" in pixel.said[0]
    assert all(row[pixel.fields.index("token_per_s")] is None for row in pixel.rows)
    assert any(row[findings.FITS] == "yes" for row in pixel.rows)
    assert not any(row[0] == "pixel-8" for row in made["models/qwen3-0.6b"].rows)


def test_a_model_of_unknown_shape_says_so(made: dict[str, Entry]) -> None:
    facts = {row[0]: row[1] for row in made["models/gemini-nano-1"].sections[-1].table.rows}
    assert facts["Cache for 1,000 tokens, in 16 bits"].startswith("not known")


def test_the_cache_is_that_of_the_shape(made: dict[str, Entry]) -> None:
    """Llama 3.1 8B: 2 × 32 layers × 8 heads × 128 × 2 byte × 1,000 tokens."""
    facts = {row[0]: row[1] for row in made["models/llama-3.1-8b"].sections[-1].table.rows}
    assert facts["Cache for 1,000 tokens, in 16 bits"] == "131 MB"


def test_runs_stand_beside_what_is_expected_of_the_same_run(made: dict[str, Entry]) -> None:
    [section] = [one for one in made["devices/rtx-3060-12gb"].sections if one.title == "Measured"]
    [run] = [dict(zip(section.table.fields, row, strict=True)) for row in section.table.rows]
    with (ROOT / "data" / "measurements_decode.csv").open(encoding="utf-8", newline="") as file:
        filed = {row["measurement_id"]: row for row in csv.DictReader(file)}[run["measurement_id"]]
    assert run["measured_token_per_s"] == float(filed["decode_token_per_s"])
    assert run["token_per_s_low"] < run["token_per_s"] < run["token_per_s_high"]


def test_of_a_long_table_only_a_default_set_has_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "MOST_PAGES", 10)
    rows = derived.paged(tables.package(), "devices")
    assert 0 < len(rows) < len(tables.package().raw("devices"))
    assert set(rows["default_set"]) == {"2023", "2026"}


def test_models_have_pages_as_far_as_pairs_with_devices_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those drawn by default, then the first, in the order of their table; and the page says of how many."""
    package = tables.package()
    every = package.raw("models")
    drawn = set(every.loc[every["default_set"].fillna(value=False), "model_id"])
    monkeypatch.setattr(derived, "MOST_PAIRS", (len(drawn) + 1) * len(package.raw("devices")))
    shown = list(derived.paged(package, "models")["model_id"])
    assert set(shown) == drawn | {next(key for key in every["model_id"] if key not in drawn)}
    assert shown == [key for key in every["model_id"] if key in shown]
    said = {value.id: value.text for value in findings.values(findings.Answers(package))}
    assert said["answers-models"] == f"{len(shown)} of {len(every)}"
    assert said["answers-devices"] == f"{len(package.raw('devices'))}"


def test_where_few_models_have_pages_an_analyst_s_own_are_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = tables.package().raw("models")
    [key] = every.loc[~every["default_set"].fillna(value=False), "model_id"].tail(1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "models.csv").write_text(f"model_id,note\n{key},ours\n", encoding="utf-8")
    package = tables.DataPackage(overlay.merged(tmp_path / "mine", tmp_path / "data"))
    few = int(every["default_set"].fillna(value=False).sum()) + 1
    monkeypatch.setattr(derived, "MOST_PAIRS", few * len(package.raw("devices")))
    assert list(derived.paged(package, "models")["model_id"])[-1] == key


def test_no_page_depends_on_a_parameter() -> None:
    assert execution.declared_parameters(execution.read(ROOT / "chapters" / "answers.md")) == []


def test_an_entry_comes_back_as_it_was(made: dict[str, Entry]) -> None:
    for entry in list(made.values())[::50]:
        assert Entry.of(json.loads(json.dumps(entry.as_dict()))) == entry


def test_an_entry_says_something_and_no_template(made: dict[str, Entry]) -> None:
    entry = made["devices/pixel-8"]
    for wrong, told in (
        (replace(entry, said=[]), "nothing is said"),
        (replace(entry, said=["{x}"]), "unfilled template"),
    ):
        with pytest.raises(FigureError, match=told):
            entries(wrong)


# ------------------------------------------------------------------------------------------------ the built site


def test_each_page_is_there_light_and_about_its_own(site: Path, made: dict[str, Entry]) -> None:
    descriptions = set()
    for entry in made.values():
        text = (site / f"{entry.page}.html").read_text(encoding="utf-8")
        assert len(gzip.compress(text.encode(), 6)) <= MOST_BYTE, entry.page
        assert f"<h1>{escape(entry.title)}</h1>" in text
        assert f"<title>{escape(entry.title)} " in text
        descriptions.add(re.findall(r'<meta name="description" content="([^"]*)"', text)[0])
        assert 'id="cite"' in text
    assert len(descriptions) == len(made)


def test_a_shared_link_shows_the_number_of_its_page(site: Path, made: dict[str, Entry]) -> None:
    """The card says of itself what is lettered on it: as many as the page's own file has rows that fit, and what the page says first."""
    weights = []
    for entry in made.values():
        text = (site / f"{entry.page}.html").read_text(encoding="utf-8")
        [place, alt] = (re.findall(f'<meta property="og:image{it}" content="([^"]*)"', text)[0] for it in ("", ":alt"))
        path = (site / f"{entry.page}.html").parent / place
        with Image.open(path) as card:
            assert card.size == (1200, 630)
            assert card.text["Title"] == unescape(alt)  # type: ignore[attr-defined]
        rows = json.loads((site / f"{entry.page}.json").read_text(encoding="utf-8"))["rows"]
        if entry.table == "devices":
            assert entry.number == f"{sum(row[findings.FITS] == 'yes' for row in rows)} of {len(rows)}"
        said = f"{entry.said[0]} {entry.said[1]}".replace("None of", "0 of")
        assert re.findall(r"[\d.,]*\d", entry.number)[0] in re.findall(r"[\d.,]*\d", said)
        assert unescape(alt) == f"{entry.title}: {entry.number} {entry.counted}"
        weights.append(path.stat().st_size)
    assert sum(weights) / len(weights) < MOST_CARD_BYTE


def test_what_a_page_shows_is_in_its_files(site: Path, made: dict[str, Entry]) -> None:
    for name in (*(f"devices/{key}" for key in DEVICES), *(f"models/{key}" for key in MODELS)):
        entry = made[name]
        with (site / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        assert head == entry.fields
        assert [["" if cell is None else str(cell) for cell in row] for row in entry.rows] == rows
        told = json.loads((site / f"{name}.json").read_text(encoding="utf-8"))
        assert (told["fields"], told["rows"]) == (entry.fields, entry.rows)
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        for row in entry.rows[:20]:
            if row[findings.FITS] == "yes":
                assert f'data-value="{row[entry.fields.index("needs_gibyte")]}"' in text


def test_all_answers_are_in_one_file(site: Path, made: dict[str, Entry]) -> None:
    whole = json.loads((site / "answers.json").read_text(encoding="utf-8"))
    assert "The Memory Wall" in whole["citation"]
    row = dict(zip(whole["fields"], whole["devices"]["rtx-3060-12gb"]["qwen3-8b"], strict=True))
    assert row["fits"] == "yes"
    assert row["token_per_s_low"] < row["token_per_s"] < row["token_per_s_high"] <= row["limit_token_per_s"] * 2


def test_pages_are_found_from_lists_tables_and_search(site: Path, made: dict[str, Entry]) -> None:
    for table in ("devices", "models"):
        keys = [entry.id for entry in made.values() if entry.table == table]
        listed = (site / table / "index.html").read_text(encoding="utf-8")
        rows = (site / "tables" / f"{table}.html").read_text(encoding="utf-8")
        rest = site / "tables" / f"{table}.rows.js"  # a page begins with its first rows
        rows += rest.read_text(encoding="utf-8").replace('\\"', '"') if rest.exists() else ""
        assert all(f'href="{key}.html"' in listed for key in keys)
        assert all(f'href="../{table}/{key}.html"' in rows for key in keys)
    index = (site / "search-rows.js").read_text(encoding="utf-8")
    assert all(f'"{page}.html"' in index for page in made)
