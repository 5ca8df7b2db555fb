"""Limits of the KV cache, and the longest contexts of Pope et al., table 1."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.equations import dram_capacity, kv_cache

LAYER_BYTE = 4096
POPE_TABLE_1 = "https://arxiv.org/abs/2211.05102, table 1: context with 30 % of the memory of 64 TPU v4 (32 GiB)"
PADDED_HEADS = 64
"""48 heads, divided among 64 chips: each chip holds one, some of them empty."""


@pytest.mark.parametrize(
    ("n_kv_head", "head_dim", "copies", "batch", "longest"),
    [
        (PADDED_HEADS, 128, 1, 128, 1320),
        (PADDED_HEADS, 128, 1, 512, 330),
        (1, 256, 64, 128, 660),
        (1, 256, 64, 512, 165),
        (1, 256, 1, 128, 43000),
        (1, 256, 1, 512, 10700),
    ],
)
def test_longest_context_of_palm(n_kv_head: int, head_dim: int, copies: int, batch: int, longest: float) -> None:
    byte = kv_cache.kv_cache_byte_per_token(n_layer=118, n_kv_head=n_kv_head, head_dim=head_dim, kv_element_byte=2)
    context = dram_capacity.largest_context_token(
        0.3 * 64 * 32 * 2**30, kv_cache_byte_per_token=copies * byte, batch_size=batch
    )
    assert context == pytest.approx(longest, rel=0.015), POPE_TABLE_1


def windowed(context_token: float) -> Any:
    return kv_cache.mixed_kv_cache_byte(
        context_token, full_kv_byte_per_token=0, window_kv_byte_per_token=32 * LAYER_BYTE, window_token=4096
    )


def test_a_longer_window_than_the_context_changes_nothing() -> None:
    full = kv_cache.mixed_kv_cache_byte(1000, full_kv_byte_per_token=32 * LAYER_BYTE)
    assert windowed(1000) == full == kv_cache.kv_cache_byte(32 * LAYER_BYTE, 1000)


def test_a_windowed_cache_stops_growing() -> None:
    assert windowed(10**6) == windowed(4096)


def test_no_context_no_cache() -> None:
    assert kv_cache.kv_cache_byte(131072, 0) == 0


def test_sequences_multiply_the_cache() -> None:
    assert kv_cache.kv_cache_byte(100, 10, batch_size=4) == 4000


def test_heads_of_one_kind_differ_by_their_number_only() -> None:
    config = {"n_layer": 32, "head_dim": 128, "kv_element_byte": 2}
    multi_head = kv_cache.kv_cache_byte_per_token(n_kv_head=32, **config)
    assert multi_head == 4 * kv_cache.kv_cache_byte_per_token(n_kv_head=8, **config)
    assert multi_head == 32 * kv_cache.kv_cache_byte_per_token(n_kv_head=1, **config)
