"""What models keep of their context, by shape: worked by hand for each sort of layer, and known to one module."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import tables
from analysis.model import configurations, expected, file_sizes, shapes
from analysis.model.predict import predict_file
from analysis.subjects import common
from analysis.subjects.dram_capacity import derived as dram_capacity
from analysis.tables import checks, overlay
from tests.conftest import ROOT

BYTE = 2.0
MODEL: dict[str, Any] = {
    "model_id": "mine-9b", "name": "Mine 9B", "release_date": "2026-02", "total_gparam": 9, "n_layer": 32, "model_dim": 4096,
    "n_head": 16, "n_kv_head": 4, "head_dim": 256, "vocab_size": 248320, "context_token": 262144, "attention_kind": "hybrid",
    "tied_embedding": "false", "is_moe": "false", "param_basis": "approximate",
}  # fmt: skip
STATE = {"n_cache_layer": 8, "state_byte": 26_345_472}
WINDOW = {"n_sliding_layer": 28, "sliding_window_token": 512, "n_kv_head": 1, "head_dim": 256, "n_layer": 35}

BY_HAND = [
    # 8 of 32 layers keep 2 x 4 x 256 x 2 bytes a token; the others 26,345,472 bytes, whatever the context
    (MODEL | STATE, 131_072, 8 * 4096 * 131_072 + 26_345_472),
    (MODEL | STATE, 0, 26_345_472),
    # attention and a state in every layer
    ({"n_layer": 36, "n_kv_head": 2, "head_dim": 64, "n_cache_layer": 36, "state_byte": 14_542_848}, 1000, 36 * 512 * 1000 + 14_542_848),
    # latent attention in 7 of 27 layers: 576 numbers a token
    ({"n_layer": 27, "n_kv_head": 32, "head_dim": 128, "kv_latent_dim": 512, "rope_head_dim": 64, "n_cache_layer": 7,
      "state_byte": 22_446_080}, 1000, 7 * 1152 * 1000 + 22_446_080),
    # 15 of 35 layers keep a cache of their own: 12 with a window of 512 and one head of 256, 3 with one head of 512
    (WINDOW | {"n_cache_layer": 3, "n_sliding_cache_layer": 12, "full_head_dim": 512, "full_n_kv_head": 1}, 2048,
     3 * 2048 * 2048 + 12 * 1024 * 512),
    # 21 of 56 layers reuse the cache of another
    ({"n_layer": 56, "n_kv_head": 2, "head_dim": 128, "n_cache_layer": 35, "state_byte": 0}, 4096, 35 * 1024 * 4096),
    # one vector for key and value both
    ({"n_layer": 10, "n_kv_head": 1, "head_dim": 512, "shares_key_value": True}, 100, 10 * 1024 * 100),
    # plain, and with windows everywhere
    ({"n_layer": 32, "n_kv_head": 8, "head_dim": 128}, 8192, 131_072 * 8192),
    ({"n_layer": 32, "n_kv_head": 8, "head_dim": 128, "n_sliding_layer": 32, "sliding_window_token": 4096}, 8192, 131_072 * 4096),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "context_token", "byte"), BY_HAND)
def test_a_cache_by_hand(shape: dict[str, Any], context_token: int, byte: int) -> None:
    assert float(shapes.cache(shape, BYTE).at(context_token)) == byte
    assert common.kv_cache_byte(shape, context_token, BYTE) == byte


def test_many_models_at_once_are_each_as_alone() -> None:
    columns = {name: np.array([shape.get(name, np.nan) for shape, _, _ in BY_HAND]) for name in shapes.COLUMNS}
    columns[shapes.HALVED] = np.array([shape.get(shapes.HALVED) for shape, _, _ in BY_HAND], dtype=object)
    contexts, bytes_ = (np.array([case[place] for case in BY_HAND], dtype=float) for place in (1, 2))
    assert list(shapes.cache(columns, BYTE).at(contexts)) == list(bytes_)


def test_a_state_has_its_own_bytes_whatever_the_format_of_the_cache() -> None:
    whole, half = (shapes.cache(MODEL | STATE, byte) for byte in (2.0, 1.0))
    assert half.full_byte_per_token == whole.full_byte_per_token / 2
    assert half.state_byte == whole.state_byte


def test_without_a_shape_or_a_window_nothing_is_known() -> None:
    assert math.isnan(shapes.cache({}, BYTE).at(100))
    assert math.isnan(shapes.cache(WINDOW | {"sliding_window_token": np.nan}, BYTE).at(100))


def test_one_module_knows_the_columns() -> None:
    """Whoever reckons with a cache asks it; no other code reads what only a cache follows from."""
    own = {"analysis/model/shapes.py", "analysis/model/configurations.py", "analysis/tables/model_shapes.py"}
    asked = ("n_sliding_layer", "kv_latent_dim", "n_cache_layer", "full_head_dim", "shares_key_value")
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        assert place in own | {"analysis/model/measured.py"} or not [name for name in asked if f'"{name}"' in text], (
            place
        )


def added(folder: Path, **cells: Any) -> Path:
    (folder / "mine").mkdir()
    row = MODEL | cells
    with (folder / "mine" / "models.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    return overlay.merged(folder / "mine", folder / "data")


@pytest.mark.long
def test_a_model_with_a_state_counts_it_wherever_a_cache_counts(tmp_path: Path) -> None:
    """9 B parameters at 8.5 bits are 8.9 GiB; 8 layers keep 4 GiB of 131,072 tokens, 32 would keep 16."""
    folder = added(tmp_path, **STATE)
    assert [problem for problem in checks.problems(folder) if problem.column not in ("default_set",)] == []
    package = tables.DataPackage(folder)
    kept = dram_capacity.models(package, ["mine-9b"])
    assert dram_capacity.cache_byte(kept, 131_072)[0] == 8 * 4096 * 131_072 + 26_345_472
    rows = "backend,memory_bandwidth_gbyte_per_s,model_id,quantization,context_token,memory_capacity_gibyte\n"
    rows += "cuda,736,mine-9b,Q8_0,131072,16\n"
    (tmp_path / "in.csv").write_text(rows, encoding="utf-8")
    predict_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), folder=folder)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        [answer] = csv.DictReader(file)
    assert answer["fits"] == "yes", answer


def test_the_longest_context_leaves_room_for_the_state(tmp_path: Path) -> None:
    package = tables.DataPackage(added(tmp_path, **STATE))
    kept = dram_capacity.models(package, ["mine-9b"]).assign(usable_byte=10e9, weight_byte=9e9)
    longest = float(dram_capacity.context_within(kept)[0])
    assert 9e9 + dram_capacity.cache_byte(kept, longest)[0] == pytest.approx(10e9)


OPEN = [
    ({"n_sliding_layer": 24}, "sliding_window_token", "error", "n_cache_layer"),
    ({}, "n_cache_layer", "error", "attention_kind is hybrid"),
    ({"n_cache_layer": 8}, "state_byte", "warning", "layers without a cache"),
    ({"n_cache_layer": 33, "state_byte": 1}, "n_cache_layer", "error", "at most n_layer"),
    ({"state_byte": 1, "n_sliding_layer": 8, "sliding_window_token": 512}, "state_byte", "error", "n_cache_layer beside it"),
    ({"sliding_window_token": 512, "n_cache_layer": 32}, "n_sliding_layer", "error", "have the window of 512"),
    ({"attention_kind": "gqa", "n_sliding_layer": 8, "sliding_window_token": 512}, "n_sliding_layer", "error", "attention_kind is gqa"),
    ({"attention_kind": "sliding", "n_sliding_layer": 8, "sliding_window_token": 512}, "n_sliding_layer", "error", "32, all layers"),
    ({"attention_kind": "mla"}, "kv_latent_dim", "error", "kv_lora_rank"),
    ({"attention_kind": "gqa", "kv_latent_dim": 512}, "kv_latent_dim", "error", "attention_kind is gqa"),
    ({"attention_kind": "mqa"}, "n_kv_head", "error", "1, as attention_kind is mqa"),
    ({"attention_kind": "mha"}, "n_kv_head", "error", "16, as attention_kind is mha"),
    ({"attention_kind": "gqa", "n_kv_head": 64}, "n_kv_head", "error", "at most n_head"),
    ({"attention_kind": "gqa", "n_kv_head": ""}, "n_kv_head", "error", "no cache can be reckoned"),
    ({"attention_kind": "gqa", "head_dim": ""}, "head_dim", "error", "no cache can be reckoned"),
    ({"attention_kind": "gqa", "active_gparam": 90}, "active_gparam", "error", "at most total_gparam"),
    ({"attention_kind": "gqa", "is_moe": "true"}, "active_gparam", "warning", "every parameter counts"),
    ({"attention_kind": "gqa", "is_moe": "true", "active_gparam": 3}, "n_expert", "warning", "how many experts"),
    ({"attention_kind": "gqa", "n_expert": 8}, "n_expert", "error", "is_moe is false"),
    ({"attention_kind": "gqa", "is_moe": "true", "active_gparam": 3, "n_expert": 8, "n_active_expert": 9}, "n_active_expert", "error",
     "at most n_expert"),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("cells", "column", "level", "words"), OPEN, ids=lambda value: str(value)[:60])
def test_a_shape_that_leaves_something_open_is_told(
    cells: dict[str, Any], column: str, level: str, words: str, tmp_path: Path
) -> None:
    found = [problem for problem in checks.problems(added(tmp_path, **cells)) if problem.column == column]
    assert [(problem.row, problem.level) for problem in found] == [(2, level)]
    assert words in str(found[0])


# --------------------------------------------------------------------------------------- rows, and our own reading

CONFIGURATIONS: dict[str, Any] = json.loads((ROOT / "tests/data/model_configurations.json").read_text(encoding="utf-8"))
"""Model → the part of its published configuration that decides its shape, as repositories of its engines carry it."""


@pytest.mark.parametrize("model_id", CONFIGURATIONS)
def test_a_row_is_what_our_own_reading_of_the_configuration_gives(model_id: str) -> None:
    """Counts within a hundredth of a percent, and every width, layer, window and byte of state: windows, states, experts, latents."""
    [row] = [row for row in expected.rows(ROOT / "data" / "models.csv") if row["model_id"] == model_id]
    shape = configurations.of_config(CONFIGURATIONS[model_id], model_id)
    assert shape.attention_kind == row["attention_kind"]
    for column, read in (configurations.MODEL_COLUMNS | configurations.CACHE_COLUMNS).items():
        filed = float(row[column] or "nan")
        assert read(shape) == pytest.approx(filed, rel=1e-4 if "gparam" in column else 0, nan_ok=True), column


# -------------------------------------------------------------------------------------------------- sizes of files

SIZES = {("qwen3-8b", "Q4_K_M"): 4.68, ("llama-3.1-8b", "i1-Q8_0"): 7.95, ("gpt-oss-20b", "MXFP4"): 11.27}


@pytest.mark.parametrize(("model_id", "name"), SIZES)
def test_the_size_of_a_file_is_that_of_its_row_in_any_spelling(model_id: str, name: str) -> None:
    assert file_sizes.file_gibyte(model_id, name, ROOT / "data") == SIZES[model_id, name]


def test_a_file_nobody_printed_has_no_size() -> None:
    for model_id, name in (("qwen3-8b", "IQ1_S"), ("qwen3-8b", "some format"), ("mine", "Q4_K_M")):
        assert math.isnan(file_sizes.file_gibyte(model_id, name, ROOT / "data"))


@pytest.mark.long
def test_files_take_the_bits_of_their_format_or_say_why_not(tmp_path: Path) -> None:
    """8.19 billion parameters at 4.89 bits are 4.67 GiB."""
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "file_sizes.csv"
    for size, unlike, told in (("4.68", "", []), ("6.1", "", ["file_gibyte"]), ("6.1", "mix", [])):
        path.write_text(f"file_size_id,file_gibyte,unlike\nqwen3-8b-q4-k-m,{size},{unlike}\n", encoding="utf-8")
        folder = overlay.merged(tmp_path / "mine", tmp_path / f"data{size}{unlike}")
        found = [problem for problem in checks.problems(folder) if "bits of the format" in problem.expected]
        assert [problem.column for problem in found] == told


def test_a_reason_stands_only_where_a_size_needs_it() -> None:
    package = tables.DataPackage(ROOT / "data")
    rows = (
        package.table("file_sizes")
        .merge(package.table("models"), on="model_id")
        .merge(package.raw("number_formats"), on="format_id")
    )
    bits = rows["file_byte"] * 8 / rows["total_param"]
    far = (bits / rows["effective_bit_per_param"] - 1).abs() > 0.1
    assert list(rows.loc[far, "file_size_id"]) == list(rows.loc[rows["unlike"] != "", "file_size_id"])
    assert (bits.between(1.5, 17) | (rows["unlike"] == "second-output")).all()


def test_cells_of_phones_have_the_voltage_of_lithium() -> None:
    rows = tables.DataPackage(ROOT / "data").raw("batteries")
    charges = rows["note"].str.extract(r"^(\d+) mAh")[0].astype(float)
    volts = rows["battery_wh"] / charges * 1000
    assert volts.count() >= 12
    assert volts.dropna().between(3.7, 3.95).all()


@pytest.mark.parametrize(
    ("table", "column", "other"),
    [
        ("file_sizes", "model_id", "models"),
        ("file_sizes", "format_id", "number_formats"),
        ("batteries", "device_id", "devices"),
    ],
)
def test_what_lies_beside_a_table_is_of_its_rows(table: str, column: str, other: str) -> None:
    """A rule for the book's own rows alone: an analyst's whole table of devices is not bound to the batteries filed here."""
    package = tables.DataPackage(ROOT / "data")
    assert set(package.raw(table)[column]) <= set(package.raw(other)[column])
