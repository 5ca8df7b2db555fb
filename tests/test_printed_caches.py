"""Sizes of KV caches that engines printed, held to what the book reckons: from the printed shape, and from the book's row of the model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.model import configurations, names, shapes
from analysis.model.predict import predict_file

TOLERANCE = 0.03
MIBYTE = 2.0**20
DATA = tables.data_folder()
with (Path(__file__).parent / "data" / "printed_caches.csv").open(encoding="utf-8", newline="") as stream:
    PRINTED = list(csv.DictReader(stream))
OF_THE_BOOK = [row for row in PRINTED if row["model_id"] and row["key_format"] == row["value_format"]]


def name(row: dict[str, str]) -> str:
    return row["case_id"]


def half(row: dict[str, str], part: str) -> float:
    """Bytes of the keys, or of the values, of a printed shape; of a latent vector, which is both, half."""
    columns = ("n_layer", "n_kv_head", "kv_latent_dim", "rope_head_dim")
    shape = {column: float(row[column] or "nan") for column in columns} | {
        "head_dim": float(row[f"{part}_dim"] or "nan")
    }
    byte = names.number_format(row[f"{part}_format"], DATA).bit_per_param / 8
    return float(shapes.cache(shape, byte).at(float(row["context_token"]))) / 2


@pytest.mark.parametrize("row", PRINTED, ids=name)
def test_a_printed_cache_follows_from_its_shape(row: dict[str, str]) -> None:
    reckoned = (half(row, "key") + half(row, "value")) / MIBYTE
    assert reckoned == pytest.approx(float(row["printed_mib"]), rel=TOLERANCE)


def test_a_printed_cache_follows_from_the_books_row_of_its_model(tmp_path: Path) -> None:
    """What a prediction needs beyond the weights, in the format of the cache that was printed."""
    table = pd.DataFrame({
        "backend": "cuda", "memory_bandwidth_gbyte_per_s": 1000, "format": "Q4_K_M",
        "model_id": [row["model_id"] for row in OF_THE_BOOK], "context_token": [row["context_token"] for row in OF_THE_BOOK],
        "kv_format": [row["key_format"] for row in OF_THE_BOOK],
    })  # fmt: skip
    pd.concat([table, table.assign(context_token=0)]).to_csv(tmp_path / "in.csv", index=False)
    predict_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"))
    full, empty = np.split(pd.read_csv(tmp_path / "out.csv")["needs_gibyte"].to_numpy(), 2)
    cached = (full - empty) * 1024
    assert len(OF_THE_BOOK) > 25
    for row, reckoned in zip(OF_THE_BOOK, cached, strict=True):
        assert reckoned == pytest.approx(float(row["printed_mib"]), rel=TOLERANCE, abs=0.2), row["case_id"]


def test_a_printed_state_follows_from_the_configuration() -> None:
    """Qwen3.6 27B keeps 149.6 MiB a sequence, at every context: 598.5 MiB of four (LM Studio, bug tracker, 1862)."""
    config = {
        "model_type": "qwen3_5", "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 24, "num_key_value_heads": 4,
        "head_dim": 256, "full_attention_interval": 4, "linear_num_key_heads": 16, "linear_num_value_heads": 48,
        "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "vocab_size": 248320,
        "intermediate_size": 17408,
    }  # fmt: skip
    of_file = configurations.of_config(config, "x")
    assert 4 * of_file.state_byte / MIBYTE == pytest.approx(598.5, rel=TOLERANCE)
    assert float(of_file.cache.at(262144) - of_file.state_byte) / MIBYTE == 16384
