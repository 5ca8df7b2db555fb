"""``memory-wall ask``: the answers of ``predict`` under the names people type, and clear words where there is no answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis import cli, tables
from analysis.errors import InputError
from analysis.model import ask, telling
from analysis.model.predict import predict
from tests.conftest import command

FOLDER = tables.data_folder()
READING_TOKEN_PER_S = 25 / 3


def asked(*named: str, **cells: str) -> dict[str, Any]:
    own = {name: cells.pop(name) for name in ("memory_type", "channels") if name in cells}
    return ask.answered(ask.Question(tuple(named), cells, **own), FOLDER, "2026.11")  # type: ignore[arg-type]


def printed(answer: dict[str, Any]) -> str:
    return telling.told(answer, READING_TOKEN_PER_S, FOLDER)


CASES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "a card": (("rtx 3060", "qwen3 8b"), {"context_token": "16384", "prompt_token": "4096"}),
    "a Mac": (("MacBook Air M2 16 GB", "Llama 3.1 8B"), {}),
    "an 8 GB phone": (("iphone 17", "llama-3.2-3b"), {}),
    "own numbers": (("qwen3 8b",), {"memory_type": "DDR5-5600", "channels": 2, "memory_capacity_gibyte": "16"}),
    "two cards": (("rtx 3090", "llama 3.3 70b"), {"n_chip": "2"}),
    "too large": (("rtx 3060", "llama 3.3 70b"), {}),
    "too large, with a drive": (("rtx 4090", "qwen3 30b a3b"), {"format": "FP16", "storage_read_gbyte_per_s": "7"}),
    "many sequences": (("rtx 4090", "qwen3 8b"), {"batch_size": "8"}),
    "a cache in 8 bits": (("rtx 4090", "qwen3 8b"), {"kv_format": "q8_0", "context_token": "32768"}),
    "another engine": (("rtx 4090", "qwen3 8b"), {"engine": "vllm"}),
}


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_that_of_predict(case: str) -> None:
    named, cells = CASES[case]
    answer = asked(*named, **dict(cells))
    row = {"context_token": "4096", "prompt_token": "512", "format": "Q4_K_M", "model_id": answer["model"]} | cells
    if row.pop("memory_type", None):
        row |= {"memory_bandwidth_gbyte_per_s": "89.6", "backend": "cpu"}
        row.pop("channels")
    else:
        row["device"] = named[0]
    [said] = predict(pd.DataFrame([row])).to_dict("records")
    for name in (*ask.SPEEDS, *ask.TIMES, "limit_token_per_s", "needs_gibyte", "has_gibyte"):
        assert answer[name] == (None if pd.isna(said[name]) else pytest.approx(said[name], rel=1e-12)), name
    assert (answer["fits"], answer["binding"]) == (said["fits"], said["binding"] or "")
    assert set(answer["notes"]) >= {one for one in said["note"].split("; ") if one}


@pytest.mark.parametrize("case", CASES)
def test_every_key_is_there_and_adds_up(case: str) -> None:
    named, cells = CASES[case]
    answer = asked(*named, **dict(cells))
    assert tuple(answer) == ask.KEYS
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    parts = sum(answer[name] for name in ("weight_gibyte", "kv_cache_gibyte", "state_gibyte"))
    assert answer["needs_gibyte"] == pytest.approx(parts)
    if answer["token_per_s"] is not None and answer["token_per_s_low"] is not None:
        assert (
            answer["token_per_s_low"]
            < answer["token_per_s"]
            < answer["token_per_s_high"]
            <= answer["limit_token_per_s"]
        )
    assert {one["for"] for one in answer["sources"]} >= {"model", "number format", "what one program may take"}
    assert all(one["title"] and "file-index" not in one["url"] for one in answer["sources"])


def test_no_speed_for_what_does_not_fit() -> None:
    answer = asked("rtx 3060", "llama 3.3 70b")
    assert (answer["fits"], answer["binding"]) == ("no", "capacity")
    assert [answer[name] for name in (*ask.SPEEDS, *ask.TIMES)] == [None] * 6
    assert answer["limit_token_per_s"] > 0
    text = printed(answer)
    assert "No, it does not fit." in text
    assert "Expected:" not in text


@pytest.mark.parametrize("context_token", ["1024", "32768"])
def test_the_longest_context_is_where_memory_ends(context_token: str) -> None:
    answer = asked("MacBook Air M2 16 GB", "llama 3.1 8b", context_token=context_token, format="Q8_0")
    longest = answer["longest_context_token"]
    assert 0 < longest < 131072
    at, beyond = (
        asked("MacBook Air M2 16 GB", "llama 3.1 8b", format="Q8_0", context_token=str(longest - 512 + more))
        for more in (0, 1)
    )
    assert at["needs_gibyte"] <= at["has_gibyte"] < beyond["needs_gibyte"]


@pytest.mark.long
def test_one_name_alone_is_ranked() -> None:
    of_device, of_model = asked("rtx 3060"), asked("qwen3 8b")
    assert (of_device["device"], of_device["model"]) == ("rtx-3060-12gb", "")
    assert len(of_device["rows"]) == len(pd.read_csv(FOLDER / "models.csv"))
    assert of_model["model"] == "qwen3-8b"
    for answer in (of_device, of_model):
        places = [ask.PLACES[row["fits"]] for row in answer["rows"]]
        assert places == sorted(places)
        assert {row["token_per_s"] is None for row in answer["rows"] if row["fits"] == "no"} == {True}
        assert printed(answer).count("\n") < len(answer["rows"]) + 12
    [same] = [row for row in of_device["rows"] if row["model"] == "qwen3-8b"]
    assert same["token_per_s"] == asked("rtx 3060", "qwen3 8b")["token_per_s"]
    speeds = [row["token_per_s"] for row in of_model["rows"] if row["fits"] == "yes"]
    assert speeds == sorted(speeds, reverse=True)


def test_names_in_either_order_mean_the_same() -> None:
    assert asked("qwen3 8b", "rtx 3060") == asked("NVIDIA GeForce RTX 3060", "Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    ("named", "nearest"),
    [
        (("rtx 306O", "qwen3 8b"), "rtx-3060-12gb"),
        (("rtx 3060", "qwen3 8bb"), "qwen3-8b"),
        (("lama 3.1 8b",), "llama-3.1-8b"),
    ],
)
def test_a_typing_error_is_told_with_what_is_like_it(named: tuple[str, ...], nearest: str) -> None:
    with pytest.raises(ask.UnclearError) as caught:
        asked(*named)
    assert nearest in caught.value.candidates
    assert nearest in str(caught.value)


def test_a_name_of_several_is_told_with_all_of_them() -> None:
    with pytest.raises(ask.UnclearError) as caught:
        asked("rtx 3060", "qwen3")
    assert set(caught.value.candidates) >= {"qwen3-4b", "qwen3-8b", "qwen3-32b"}


@pytest.mark.parametrize(
    ("named", "cells", "expected"),
    [
        ((), {}, "a device, a model, or both"),
        (("rtx", "3060", "qwen3 8b"), {}, "quotation marks"),
        (("rtx 3060", "qwen3 8b"), {"memory_bandwidth_gbyte_per_s": "400"}, "a device's name or its numbers"),
        (("qwen3 8b",), {"memory_type": "LPDDR5X-8533", "channels": 2}, "--bandwidth"),
        (("qwen3 8b",), {"memory_type": "DDR5-5600"}, "--channels"),
        (("qwen3 8b",), {"memory_capacity_gibyte": "16"}, "--bandwidth"),
        (("rtx 3060", "qwen3 8b"), {"format": "q5"}, "a number format.*q5-k-m"),
        (("rtx 3060", "qwen3 8b"), {"batch_size": "0"}, "batch_size"),
        (("rtx 3060", "qwen3 8b"), {"backend": "metal"}, "a backend of the device"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(named: tuple[str, ...], cells: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        asked(*named, **cells)


def test_what_barely_fits_by_some_sources_alone_says_so() -> None:
    """It needs more than most sources let one program take: no sentence says that it lies within."""
    answer = asked("iphone 17", "qwen3 8b")
    assert (answer["fits"], answer["needs_gibyte"] > answer["has_gibyte"]) == ("barely", True)
    said = printed(answer)
    assert "most sources let one program take" in said
    assert "tokens or fewer, prompt and answer included, it fits by most sources" in said
    assert "of the 5.22 GiB" not in said


def test_own_numbers_are_told_with_the_answer() -> None:
    said = printed(asked("qwen3 8b", memory_type="DDR5-5600", channels=2, memory_capacity_gibyte="16"))  # type: ignore[arg-type]
    assert "own numbers: 89.6 GB/s (DDR5-5600, 2 channels) and 16 GiB" in said


@pytest.mark.parametrize(("prompt", "is_said"), [("512", False), ("16384", True)])
def test_the_prompt_counts_for_what_a_model_is_made_for(prompt: str, is_said: bool) -> None:
    cells = {"context_token": "32768", "prompt_token": prompt}
    notes = asked("rtx 4090", "qwen3 8b", **cells)["notes"]
    assert ("more context than the model is made for" in notes) == is_said


@pytest.mark.parametrize(
    ("text", "count"), [("16k", "16384"), ("4096", "4096"), ("0.5K", "512"), ("1M", "1048576"), ("16_000", "16000")]
)
def test_tokens_as_people_write_them(text: str, count: str) -> None:
    assert ask.tokens(text, "--context") == count


@pytest.mark.parametrize("text", ["", "k", "many", "-1", "1e5", "16kb", "nan"])
def test_what_is_no_number_of_tokens_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--context"):
        ask.tokens(text, "--context")


def test_a_configuration_stands_for_a_model(tmp_path: Path) -> None:
    config = {
        "model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 128, "intermediate_size": 12288, "vocab_size": 151936, "tie_word_embeddings": False, "max_position_embeddings": 40960,
    }  # fmt: skip
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    own, filed = (asked("rtx 3060", name, format="Q5_0") for name in (str(file), "qwen3-8b"))
    assert own["kv_cache_gibyte"] == filed["kv_cache_gibyte"]
    assert own["token_per_s"] == pytest.approx(filed["token_per_s"], rel=1e-3)


def test_a_context_that_nothing_limits_is_not_said(tmp_path: Path) -> None:
    """A state space keeps the same at every context, and its configuration states no longest one: neither a number nor infinity."""
    config = {
        "model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24, "state_size": 16, "conv_kernel": 4, "expand": 2,
        "time_step_rank": 48, "vocab_size": 50280,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for named in (["rtx 3060", str(tmp_path / "config.json")], [str(tmp_path / "config.json")]):
        ended = command("ask", *named, "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "Infinity" not in ended.stdout
        assert '"longest_context_token": null' in ended.stdout


def test_the_command_prints_and_refuses() -> None:
    done = CliRunner().invoke(cli.app, ["ask", "rtx 3060", "qwen3 8b", "--context", "16k", "--prompt", "4k", "--json"])
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert (answer["context_token"], answer["prompt_token"]) == (16384, 4096)
    refused = CliRunner().invoke(cli.app, ["ask", "rtx 306O", "qwen3 8b", "--json"])
    assert refused.exit_code == 2
    assert "rtx-3060-12gb" in json.loads(refused.stdout)["candidates"]
    assert CliRunner().invoke(cli.app, ["ask", "rtx 3060", "llama 3.3 70b"]).exit_code == 0


READERS: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]] = {
    "a ThinkPad with 16 GB": (
        ("qwen3 8b",), {"memory_type": "DDR5-5600", "channels": 2, "memory_capacity_gibyte": "16", "context_token": "16384"},
        {"fits": "yes", "backend": "cpu", "speed": (3, 12)},
    ),
    "an RTX 3060": (("rtx 3060 12gb", "qwen3 8b"), {}, {"fits": "yes", "backend": "cuda", "speed": (35, 68)}),
    "an 8 GB iPhone": (("iphone 17", "qwen3 4b"), {}, {"fits": "yes", "backend": "metal", "speed": (8, 25)}),
    "a MacBook Air M4": (("MacBook Air M4 16 GB", "llama 3.1 8b"), {}, {"backend": "metal", "speed": (12, 26)}),
    "a Ryzen AI Max": (("Ryzen AI Max+ 395 128 GB", "gpt-oss-120b"), {"format": "MXFP4"}, {"fits": "yes", "speed": (15, 80)}),
    "a Raspberry Pi 5": (("raspberry pi 5 8gb", "llama 3.2 3b"), {}, {"fits": "yes", "backend": "cpu", "speed": (2, 9)}),
    "two RTX 3090": (("rtx 3090", "llama 3.3 70b"), {"n_chip": "2"}, {"backend": "cuda", "speed": (10, 48)}),
    "what does not fit": (("rtx 3060 12gb", "llama 3.3 70b"), {}, {"fits": "no", "speed": None}),
    "what barely fits": (("iphone 17", "qwen3 8b"), {}, {"fits": "barely"}),
    "a hybrid model at 128k": (("rtx 4090", "qwen3.6 27b"), {"context_token": "131072"}, {"state": True}),
    "experts larger than memory, from a drive": (("rtx 4090", "qwen3 235b a22b"), {"storage_read_gbyte_per_s": "7"},
                                                  {"fits": "no", "binding": "storage", "speed": (0.1, 5), "band": False}),
    "a model of unknown shape": (("rtx 4090", "gemini nano 2"), {}, {"longest": None, "note": "KV cache assumed"}),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("case", READERS)
def test_what_readers_ask(case: str) -> None:
    named, cells, expected = READERS[case]
    answer = asked(*named, **dict(cells))
    for key in ("fits", "backend", "binding"):
        assert key not in expected or answer[key] == expected[key], key
    if "speed" in expected and expected["speed"] is None:
        assert answer["token_per_s"] is None
    elif "speed" in expected:
        low, high = expected["speed"]
        assert low < answer["token_per_s"] < high
    assert (answer["token_per_s_low"] is not None) == (answer["token_per_s"] is not None and expected.get("band", True))
    assert (answer["state_gibyte"] > 0) == expected.get("state", False)
    assert "longest" not in expected or answer["longest_context_token"] is expected["longest"]
    assert expected.get("note", "") in "; ".join(answer["notes"])
    assert printed(answer).startswith(answer["model"]) or answer["model"]


def test_the_name_of_a_chip_finds_its_devices() -> None:
    with pytest.raises(ask.UnclearError) as caught:
        asked("Snapdragon 8 Elite", "qwen3 4b")
    assert "oneplus-13" in caught.value.candidates
    assert len(caught.value.candidates) > 1
