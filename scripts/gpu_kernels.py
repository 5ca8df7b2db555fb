"""The small operations between the products of a step, each as one kernel in Triton; their twins in plain PyTorch are in gpu_steps.

A program takes one row, or one head of one row, in the order in which the book's decoder needs them.
"""

from __future__ import annotations

import os
from typing import Any

import torch
import triton
import triton.language as tl

ROW_WARPS, COLUMNS = 16, 1024
"""Groups of threads for a row as wide as a model, and columns that one program gates."""


INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether Triton runs the kernels in Python, as it does for tests on a processor."""


@triton.jit  # type: ignore[untyped-decorator]
def add_norm_kernel(added, stream, gain, out, width, epsilon, HAS_ADDED: tl.constexpr, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """One row: stream += added; out = stream / sqrt(mean of squares + epsilon) * gain."""
    at = tl.arange(0, BLOCK)
    inside = at < width
    place = tl.program_id(0).to(tl.int64) * width + at
    value = tl.load(stream + place, inside, other=0.0).to(tl.float32)
    if HAS_ADDED:
        value += tl.load(added + place, inside, other=0.0).to(tl.float32)
        tl.store(stream + place, value.to(stream.dtype.element_ty), inside)
    root = tl.sqrt(tl.sum(value * value, axis=0) / width + epsilon)
    scaled = value / root * tl.load(gain + at, inside, other=0.0).to(tl.float32)
    tl.store(out + place, scaled.to(out.dtype.element_ty), inside)


@triton.jit  # type: ignore[untyped-decorator]
def rotate_kernel(  # type: ignore[no-untyped-def]
    qkv,
    cosine,
    sine,
    position,
    query,
    key,
    value,
    key_stride,
    value_stride,
    N_QUERY: tl.constexpr,
    N_KV: tl.constexpr,
    HALF: tl.constexpr,
):
    """One head of one token: rotated into the queries or the cache of keys, or copied into that of values."""
    row, head = tl.program_id(0).to(tl.int64), tl.program_id(1)
    at = tl.arange(0, HALF)
    source = qkv + (row * (N_QUERY + 2 * N_KV) + head) * 2 * HALF
    first, second = tl.load(source + at), tl.load(source + HALF + at)
    if head < N_QUERY + N_KV:
        angle = tl.load(position + row) * HALF + at
        c, s = tl.load(cosine + angle), tl.load(sine + angle)
        x, y = first.to(tl.float32), second.to(tl.float32)
        first, second = (x * c - y * s).to(query.dtype.element_ty), (y * c + x * s).to(query.dtype.element_ty)
    if head < N_QUERY:
        target = query + (row * N_QUERY + head) * 2 * HALF
    elif head < N_QUERY + N_KV:
        target = key + row * key_stride + (head - N_QUERY) * 2 * HALF
    else:
        target = value + row * value_stride + (head - N_QUERY - N_KV) * 2 * HALF
    tl.store(target + at, first)
    tl.store(target + HALF + at, second)


@triton.jit  # type: ignore[untyped-decorator]
def gate_kernel(both, out, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """A piece of one row: silu(gate) * up."""
    row, at = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < width
    gate = tl.load(both + row * 2 * width + at, inside, other=0.0).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + at, inside, other=0.0).to(tl.float32)
    tl.store(out + row * width + at, (gate * tl.sigmoid(gate) * up).to(out.dtype.element_ty), inside)


def add_norm(added: Any, stream: Any, gain: Any, dtype: Any, epsilon: float) -> Any:
    """Add to the residual stream, where there is anything to add, and return its norm."""
    rows, width = stream.shape
    out = torch.empty_like(stream, dtype=dtype)
    block = triton.next_power_of_2(width)
    has_added = added is not None
    add_norm_kernel[(rows,)](
        added if has_added else stream, stream, gain, out, width, epsilon, HAS_ADDED=has_added, BLOCK=block,
        num_warps=ROW_WARPS if width >= 2 * COLUMNS else 4,
    )  # fmt: skip
    return out


def rotate(qkv: Any, tables: Any, position: Any, keys: Any, values: Any, n_query: int) -> Any:
    """Return the rotated queries, and write keys and values to their rows of the cache."""
    rows, (n_kv, dim) = qkv.shape[0], keys.shape[1:]
    query = torch.empty(rows, n_query, dim, device=qkv.device, dtype=qkv.dtype)
    rotate_kernel[(rows, n_query + 2 * n_kv)](
        qkv, *tables, position, query, keys, values, keys.stride(0), values.stride(0), N_QUERY=n_query, N_KV=n_kv, HALF=dim // 2,
        num_warps=1,
    )  # fmt: skip
    return query


def gate(both: Any, dtype: Any) -> Any:
    """The product of gate and up that goes into the down product."""
    rows, width = both.shape[0], both.shape[1] // 2
    out = torch.empty(rows, width, device=both.device, dtype=dtype)
    gate_kernel[(rows, triton.cdiv(width, COLUMNS))](both, out, width, BLOCK=COLUMNS, num_warps=4)
    return out
