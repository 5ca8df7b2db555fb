"""Devices, chips and engines as people call them: found in any spelling, never one for another, and what is open is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.model import devices, expected, names, wording
from analysis.model.predict import COMPARED, OUTPUT, predict
from tests.conftest import ROOT

DATA = ROOT / "data"
ONE = {
    "rtx-3060-12gb": ("rtx 3060", "RTX3060", "GeForce RTX 3060 12GB", "NVIDIA GeForce RTX 3060", "3060", "nvidia rtx-3060"),
    "rtx-4060-8gb": ("RTX 4060", "NVIDIA GeForce RTX 4060"), "rtx-4060-laptop-8gb": ("NVIDIA GeForce RTX 4060 Laptop GPU",),
    "rtx-4060-ti-16gb": ("4060 ti", "RTX 4060Ti 16 GB"), "rtx-4090-24gb": ("rtx-4090-24gb", "RTX4090", "rtx 4090 (24GB)"),
    "rx-7900-xtx-24gb": ("AMD Radeon RX 7900 XTX (RADV NAVI31)", "7900xtx"), "arc-a770-16gb": ("Intel(R) Arc(TM) A770 Graphics",),
    "nvidia-h100-sxm5-80gb": ("H100 SXM", "NVIDIA H100 SXM5 80GB"), "nvidia-a100-sxm4-80gb": ("A100 80GB", "A100-SXM4-80GB"),
    "iphone-16": ("iPhone 16", "iphone16"), "iphone-16e": ("iphone 16e",), "iphone-15-pro": ("iPhone15Pro", "Apple iPhone 15 Pro"),
    "galaxy-s24": ("Galaxy S24", "samsung galaxy s24"), "galaxy-s22-plus": ("Galaxy S22+",),
    "framework-desktop-ryzen-ai-max-395-128gb": ("AMD Ryzen AI Max+ 395 w/ Radeon 8060S", "Ryzen AI Max 395"),
    "macbook-pro-14-m3-max-16c-128gb": ("M3 Max 16-core", "M3 Max 128GB"), "dgx-spark-gb10-128gb": ("DGX Spark", "GB10"),
    "rtx-3090-ti-24gb": ("RTX 3090 Ti", "3090ti"), "rtx-4070-super-12gb": ("RTX 4070 Super",), "rtx-4070-12gb": ("rtx 4070",),
    "rtx-4080-laptop-12gb": ("RTX 4080 Laptop",), "raspberry-pi-5-8gb": ("Raspberry Pi 5 8GB",), "iphone-air": ("iPhone Air",),
    "pixel-8": ("Pixel 8",), "pixel-8a": ("Pixel 8a",), "rx-7900-xt-20gb": ("7900 xt",), "gtx-1080-ti-11gb": ("GTX 1080 Ti",),
    "rtx-2080-ti-11gb": ("2080 ti",), "rtx-2080-8gb": ("2080",), "oneplus-13": ("OnePlus 13",), "oneplus-13r": ("oneplus 13r",),
    "rtx-pro-6000-blackwell-96gb": ("NVIDIA RTX PRO 6000 Blackwell",), "rtx-6000-ada-48gb": ("RTX 6000 Ada Generation",),
    "desktop-ryzen-9-7950x-32gb": ("AMD Ryzen 9 7950X 16-Core Processor",), "mac-studio-m2-ultra-192gb": ("m2 ultra 192 gb",),
}  # fmt: skip
NONE = (
    "RTX 3080 Laptop", "RTX 3070 Super", "RTX 5070 Super", "L40", "AMD RTX 3060", "M2 Pro Max", "iPhone 14 Mini", "MI300", "i9-13900",
    "TPU v5",
    "Galaxy S24 FE", "foo", "",
    "RTX 3060 8GB", "RTX 4090 48GB", "9090", "MacBook Pro M9",
)  # fmt: skip
"""What the book has no row of: another variant, maker or size never stands in."""
SEVERAL = {
    "H100": np.nan,
    "A100": np.nan,
    "M3 Max 64GB": np.nan,
    "M4 Pro": 273.06,
    "MacBook Air M2": 102.4,
    "M4": 120.0,
    "RTX 5060 Ti": 448.0,
    "Raspberry Pi 5": 17.07,
    "MacBook Air M5": 153.6,
}
"""Names of several rows → the bandwidth they agree in."""


@pytest.mark.parametrize(("row_id", "name"), [(row_id, name) for row_id, given in ONE.items() for name in given])
def test_a_device_is_found_in_any_spelling(row_id: str, name: str) -> None:
    assert devices.device(name, DATA).ids == (row_id,)


@pytest.mark.long
def test_every_device_is_found_by_its_own_name() -> None:
    """Its whole name goes before longer ones: MacBook Pro 14 (M4) is not the one with the M4 Pro, whose memory is another."""
    for row in expected.rows(DATA / "devices.csv"):
        for name in (row["name"], row["name"].upper().replace("(", " ").replace(")", " ")):
            found = devices.device(name, DATA)
            assert row["device_id"] in found.ids, name
            filed = float(row["memory_bandwidth_gbyte_per_s"] or "nan")
            assert found.bandwidth_gbyte_per_s == pytest.approx(filed, nan_ok=True), name
    assert devices.device("Mac Studio M3 Ultra", DATA).ids == ("mac-studio-m3-ultra-96gb", "mac-studio-m3-ultra-512gb")


@pytest.mark.parametrize("name", NONE)
def test_nothing_stands_in_for_what_is_not_filed(name: str) -> None:
    found = devices.device(name, DATA)
    assert not found.ids
    assert found.problem
    assert np.isnan(found.bandwidth_gbyte_per_s)


@pytest.mark.parametrize(("name", "bandwidth"), SEVERAL.items())
def test_a_name_of_several_gives_what_they_agree_in(name: str, bandwidth: float) -> None:
    found = devices.device(name, DATA)
    assert len(found.ids) > 1
    assert found.bandwidth_gbyte_per_s == pytest.approx(bandwidth, nan_ok=True)
    assert bool(found.problem) == bool(np.isnan(bandwidth))


def test_every_filed_device_is_found_by_its_id_and_its_name() -> None:
    for table, key in (("devices", "device_id"), ("accelerators", "accelerator_id")):
        for row in expected.rows(DATA / f"{table}.csv"):
            assert devices.device(row[key], DATA).ids == (row[key],)
            assert row[key] in devices.device(row["name"].upper(), DATA).ids


def test_a_size_that_is_named_stands_for_that_of_a_computer() -> None:
    found = devices.device("MacBook Air M2 16 GB", DATA)
    assert (found.capacity_gibyte, found.bandwidth_gbyte_per_s, found.backend) == (16, 102.4, "metal")
    assert (devices.device("M4 Pro", DATA).chip, bool(np.isnan(devices.device("M4 Pro", DATA).capacity_gibyte))) == (
        "M4 Pro",
        True,
    )


@pytest.mark.parametrize(
    ("name", "engine_id"),
    [
        ("llama.cpp", "llama.cpp"), ("llama.cpp b4567", "llama.cpp"), ("Ollama", "llama.cpp"), ("LM Studio 0.3", "llama.cpp"),
        ("llama-cpp-python", "llama.cpp"), ("ik_llama.cpp", "ik_llama.cpp"), ("vLLM", "vllm"), ("vLLM 0.9.1", "vllm"), ("MLX", "mlx"),
        ("mlx-lm", "mlx"), ("TensorRT-LLM", "tensorrt-llm"), ("ExLlamaV2", "exllamav2"), ("cdua", ""),
        ("sglang", "sglang"), ("foo", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_engine_is_found_in_any_spelling(name: str, engine_id: str) -> None:
    assert names.engine(name, DATA) == engine_id


def rows(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in predict(pd.DataFrame(given)).to_dict("records")]


def test_names_stand_for_numbers() -> None:
    """device, model and format as the book's ids say what the same numbers say."""
    named = rows({"device": "rtx-4090-24gb", "model": "llama-3-8b", "format": "q4-k-m"})[0]
    typed = rows({
        "backend": "cuda", "chip": "RTX 4090", "memory_bandwidth_gbyte_per_s": 1008, "memory_capacity_gibyte": 24,
        "model_id": "llama-3-8b", "quantization": "Q4_K_M",
    })[0]  # fmt: skip
    assert [named[name] for name in OUTPUT] == [typed[name] for name in OUTPUT]
    assert named["left_gibyte"] == pytest.approx(named["has_gibyte"] - named["needs_gibyte"])


def test_the_rows_own_cells_go_before_those_of_the_device() -> None:
    base = {"device": "rtx 4090", "model": "qwen3-8b", "format": "q8-0"}
    plain, slower, tight = rows(base, base | {"bandwidth_gbyte_per_s": 504}, base | {"vram_gib": 8})
    assert slower["limit_token_per_s"] == pytest.approx(plain["limit_token_per_s"] / 2)
    assert (plain["fits"], tight["fits"]) == ("yes", "no")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("H100", "one device, or a bandwidth. It may be nvidia-h100-sxm5-80gb, nvidia-h100-pcie-80gb: name one."),
        ("rtx 306O", "Did you mean 'rtx-3060-12gb'"),
        ("rtx 3080 laptop", "Did you mean 'rtx-4060-laptop-8gb'"), ("RTX 3060 8GB", "It may be rtx-3060-12gb"), ("foo", "None of the"),
    ],
)  # fmt: skip
def test_an_open_or_unknown_device_is_refused_with_what_it_may_be(name: str, told: str) -> None:
    with pytest.raises(InputError) as error:
        rows({"device": name, "model": "qwen3-8b", "format": "q8-0"})
    assert f"table:2:device: found {name!r}" in str(error.value)
    assert told in str(error.value)


def test_a_bandwidth_settles_what_a_name_leaves_open() -> None:
    row = rows({"device": "H100", "memory_bandwidth_gbyte_per_s": 3350, "model": "qwen3-8b", "format": "q8-0"})[0]
    assert row["token_per_s"] > 0
    assert row["has_gibyte"] > 79


def test_a_chip_stands_for_its_device_in_a_table_without_bandwidths() -> None:
    base = {"model": "qwen3-8b", "format": "q8-0"}
    found, several, unknown = rows(base | {"gpu": "RTX 3090"}, base | {"gpu": "A100"}, base | {"gpu": "foo"})
    assert found["token_per_s"] == rows(base | {"device": "rtx-3090-24gb"})[0]["token_per_s"]
    assert "chip's device" in found["note"]
    assert pd.isna(several["token_per_s"])
    assert "several devices" in several["note"]
    assert pd.isna(unknown["token_per_s"])


def test_another_engine_keeps_its_row_with_the_widest_interval() -> None:
    base = {"device": "rtx 3090", "model": "qwen3-8b", "format": "q8-0"}
    usual, other, unknown = rows(*(base | {"engine": name} for name in ("Ollama", "SGLang", "foo")))
    assert usual["note"] == ""
    assert other["token_per_s"] == unknown["token_per_s"] == usual["token_per_s"]
    low, high = expected.widest(expected.calibration(DATA), "cuda")
    for row in (other, unknown):
        assert row["token_per_s_low"] == pytest.approx(row["token_per_s"] * low)
        assert row["token_per_s_high"] == pytest.approx(min(row["token_per_s"] * high, row["limit_token_per_s"]))
        assert "engine" in row["note"]


def test_a_measured_speed_is_held_against_the_interval() -> None:
    base = {"device": "rtx 3090", "model": "qwen3-8b", "format": "q8-0"}
    speed = rows(base)[0]["token_per_s"]
    given = rows(*(base | {"measured": value} for value in (speed, speed / 3, speed * 3, None)))
    assert [row[COMPARED] for row in given] == ["yes", "below", "above", ""]
    assert COMPARED not in rows(base)[0]


def test_a_message_never_proposes_the_name_it_refuses() -> None:
    known = {"rtx-3060": "RTX 3060", "rtx-3070": "RTX 3070"}
    for name in known:
        assert name not in wording.like(name, known)
    with pytest.raises(InputError, match=r"It may be llama-3-8b, llama-3\.1-8b: name one"):
        rows({"device": "rtx 3090", "model": "llama 8b", "format": "q8-0"})
