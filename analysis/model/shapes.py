"""What a model keeps of its context, by its shape as ``models.csv`` files it: the one place that knows the columns.

Layers are of four sorts: those whose cache grows with the context, those with a window, those that reuse the cache of another
layer, and those with a fixed state and no cache (linear attention, state spaces, short convolutions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.equations import dram_capacity, kv_cache

Floats = npt.NDArray[np.float64]
COLUMNS = (
    "n_layer", "n_kv_head", "head_dim", "sliding_window_token", "n_sliding_layer", "kv_latent_dim", "rope_head_dim",
    "n_cache_layer", "n_sliding_cache_layer", "full_n_kv_head", "full_head_dim", "state_byte",
)  # fmt: skip
"""Columns of numbers that decide the cache; empty ones are NaN."""
HALVED = "shares_key_value"
"""Column of models that keep one vector for key and value both."""


class Cache(NamedTuple):
    """What one sequence keeps, each part for all its layers together; NaN where the shape is not published."""

    full_byte_per_token: Floats
    window_byte_per_token: Floats
    window_token: Floats
    state_byte: Floats

    def at(self, context_token: float | Floats, batch_size: float | Floats = 1) -> Any:
        """Bytes of cache and state at a context."""
        return kv_cache.mixed_kv_cache_byte.plain(
            context_token, full_kv_byte_per_token=self.full_byte_per_token, window_kv_byte_per_token=self.window_byte_per_token,
            window_token=self.window_token, state_byte=self.state_byte, batch_size=batch_size,
        )  # fmt: skip

    def within(self, byte: Floats) -> Floats:
        """The longest context of one sequence that so many bytes hold, not rounded; infinite where nothing grows with it.

        Beyond the window only the layers that see everything grow, a state never does.
        """
        growing, windowed = self.full_byte_per_token, self.window_byte_per_token
        room, every = (
            np.maximum(byte - self.state_byte, 0),
            np.where(growing + windowed > 0, growing + windowed, np.nan),
        )
        short = dram_capacity.largest_context_token.plain(room, kv_cache_byte_per_token=every)
        beside = np.maximum(room - windowed * np.where(windowed > 0, self.window_token, 0.0), 0)
        long = dram_capacity.largest_context_token.plain(
            beside, kv_cache_byte_per_token=np.where(growing > 0, growing, np.nan)
        )
        found = np.where(short > self.window_token, long, short)
        return np.where(np.isnan(found) & (room > 0) & (growing == 0), np.inf, found)


def cache(shape: Mapping[str, Any], kv_element_byte: float | Floats) -> Cache:
    """The cache of models whose ``COLUMNS`` (numbers, or arrays of them) are given; a column that is not given is empty.

    A state is filed in bytes as engines keep it, whatever the format of the cache.
    """
    number = {name: np.asarray(shape.get(name, np.nan), dtype=float) for name in COLUMNS}
    windowed = _first(number["n_sliding_layer"], 0.0)
    full_layer = _first(number["n_cache_layer"], number["n_layer"] - windowed)
    window_layer = _first(number["n_sliding_cache_layer"], windowed)
    share = np.where(_is_true(shape.get(HALVED, False)), 0.5, 1.0)
    full = kv_cache.kv_cache_byte_per_token(
        n_layer=1, n_kv_head=_first(number["full_n_kv_head"], number["n_kv_head"]),
        head_dim=_first(number["full_head_dim"], number["head_dim"]), kv_element_byte=kv_element_byte,
    )  # fmt: skip
    latent = kv_cache.latent_cache_byte_per_token(
        n_layer=1, latent_dim=number["kv_latent_dim"], rope_dim=_first(number["rope_head_dim"], 0.0), kv_element_byte=kv_element_byte
    )  # fmt: skip
    window = kv_cache.kv_cache_byte_per_token(
        n_layer=1, n_kv_head=number["n_kv_head"], head_dim=number["head_dim"], kv_element_byte=kv_element_byte
    )
    return Cache(
        np.where(full_layer == 0, 0.0, full_layer * np.where(np.isnan(latent), share * full, latent)),
        np.where(window_layer > 0, window_layer * share * window, 0.0),
        np.where(window_layer > 0, number["sliding_window_token"], np.inf),
        np.where(np.isnan(number["n_layer"]), np.nan, _first(number["state_byte"], 0.0)),
    )


def heads(shape: Mapping[str, Any]) -> tuple[float, float]:
    """Heads over which the chips that share a model can split its growing and its windowed cache; a latent is one for all.

    NaN where they are not filed.
    """
    number = {name: float(shape.get(name, np.nan)) for name in ("n_kv_head", "full_n_kv_head", "kv_latent_dim")}
    full = number["n_kv_head"] if np.isnan(number["full_n_kv_head"]) else number["full_n_kv_head"]
    return full if np.isnan(number["kv_latent_dim"]) else 1.0, number["n_kv_head"]


def _first(value: Floats, otherwise: float | Floats) -> Floats:
    return np.where(np.isnan(value), otherwise, value)


def _is_true(cells: Any) -> npt.NDArray[np.bool_]:
    """Whether a cell is true; what is not filed is not."""
    items = [isinstance(item, (bool, np.bool_)) and bool(item) for item in np.ravel(np.asarray(cells, dtype=object))]
    return np.reshape(np.array(items, dtype=bool), np.shape(cells))
