"""Whether the shape of a language model says what it keeps of its context: nothing left open where a cache is reckoned with.

A row without ``n_layer`` publishes no shape, and nothing is asked of it.  Each rule is a condition on the cells of one row, the
column it is told at, and what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analysis import tables
from analysis.errors import Problem
from analysis.tables import rules

Row = dict[str, str]


def _number(row: Row, column: str, otherwise: float = 0.0) -> float:
    try:
        return float(row[column])
    except ValueError:
        return otherwise


def _all(row: Row) -> float:
    """All layers; a number that is none is told where it stands, and nothing is held against it."""
    return max(0.0, _number(row, "n_layer"))


def _windowed(row: Row) -> float:
    return _number(row, "n_sliding_layer")


def _without_window(row: Row) -> float:
    return _all(row) - _windowed(row)


def _without_cache(row: Row) -> float:
    """Layers that keep no cache of their own."""
    own = _number(row, "n_sliding_cache_layer", _windowed(row))
    return _all(row) - _number(row, "n_cache_layer", _without_window(row)) - own


@dataclass(frozen=True)
class Shape:
    """One thing that a shape must say: where it does not (``fails``), what is told there; cells of the row may stand in the words."""

    column: str
    fails: Callable[[Row], bool]
    expected: str
    todo: str
    level: str = "error"


def _asks_heads(row: Row) -> bool:
    """Whether some layer keeps keys and values of heads."""
    return row["attention_kind"] not in ("mla", "unknown") and (row["n_cache_layer"] != "0" or _windowed(row) > 0)


WINDOWS, EXPERTS = ("sliding", "hybrid"), ("n_expert", "n_active_expert")
NO_CACHE = (
    "Layers without a cache (linear attention, state space, convolution) have no window: leave n_sliding_layer empty, write in "
    "n_cache_layer how many layers do keep one, and in state_byte what the others keep."
)
SHAPES = (
    Shape("sliding_window_token", lambda row: bool(row["n_sliding_layer"]) and not row["sliding_window_token"],
          "the tokens that a window sees, as n_sliding_layer is {n_sliding_layer}", NO_CACHE),
    Shape("n_sliding_layer", lambda row: bool(row["sliding_window_token"]) and not row["n_sliding_layer"],
          "how many layers have the window of {sliding_window_token}", "All of them in a sliding model."),
    Shape("n_cache_layer", lambda row: row["attention_kind"] == "hybrid" and not row["n_sliding_layer"] and not row["n_cache_layer"],
          "how many layers keep a cache that grows, as attention_kind is hybrid and no layer has a window",
          "Write state_byte for the others, or n_sliding_layer and sliding_window_token where they have a window."),
    Shape("n_sliding_layer", lambda row: row["attention_kind"] == "sliding" and _windowed(row) != _all(row),
          "{n_layer}, all layers, as attention_kind is sliding", "Where others see everything, attention_kind is hybrid."),
    Shape("n_sliding_layer", lambda row: bool(row["n_sliding_layer"]) and row["attention_kind"] not in WINDOWS,
          "nothing, as attention_kind is {attention_kind}", "With a window in some layers it is hybrid, in all sliding."),
    Shape("kv_latent_dim", lambda row: row["attention_kind"] == "mla" and not row["kv_latent_dim"],
          "the width of the latent vector, as attention_kind is mla", "It is kv_lora_rank in a configuration."),
    Shape("kv_latent_dim", lambda row: bool(row["kv_latent_dim"]) and row["attention_kind"] != "mla",
          "nothing, as attention_kind is {attention_kind}", "With a latent vector it is mla."),
    Shape("n_sliding_layer", lambda row: _windowed(row) > _all(row), "at most n_layer, {n_layer}", "It counts layers."),
    Shape("n_cache_layer", lambda row: _number(row, "n_cache_layer") > max(0.0, _without_window(row)),
          "at most n_layer without the layers with a window", "It counts the layers that see everything."),
    Shape("n_sliding_cache_layer", lambda row: _number(row, "n_sliding_cache_layer") > _windowed(row),
          "at most n_sliding_layer, {n_sliding_layer}", "It counts those of them that keep a cache of their own."),
    Shape("state_byte", lambda row: bool(row["n_cache_layer"]) and _without_cache(row) > 0 and not row["state_byte"],
          "what the layers without a cache keep of a sequence, in bytes",
          "0 where they reuse another layer's cache. Until then it counts as 0.", "warning"),
    Shape("state_byte", lambda row: _number(row, "state_byte") > 0 and not row["n_cache_layer"],
          "n_cache_layer beside it", "How many layers keep a cache that grows? All of them, where each has a state too."),
    Shape("n_kv_head", lambda row: row["attention_kind"] == "mqa" and row["n_kv_head"] not in ("", "1"), "1, as attention_kind is mqa",
          "With a few heads it is gqa."),
    Shape("n_kv_head", lambda row: row["attention_kind"] == "mha" and bool(row["n_head"]) and row["n_kv_head"] not in ("", row["n_head"]),
          "{n_head}, as attention_kind is mha: each head has keys and values of its own", "With fewer it is gqa."),
    Shape("n_kv_head", lambda row: bool(row["n_head"]) and _number(row, "n_kv_head") > _number(row, "n_head"), "at most n_head, {n_head}",
          "Are the two exchanged?"),
    Shape("n_kv_head", lambda row: _asks_heads(row) and not row["n_kv_head"],
          "how many heads keep keys and values", "num_key_value_heads in a configuration; without it no cache can be reckoned."),
    Shape("head_dim", lambda row: _asks_heads(row) and not row["head_dim"], "the width of a head",
          "head_dim in a configuration, or hidden_size / num_attention_heads; without it no cache can be reckoned."),
)  # fmt: skip
"""What is asked of a row with ``n_layer``; the first of a column counts."""
PARTS = (
    Shape("active_gparam", lambda row: _number(row, "active_gparam") > _number(row, "total_gparam"), "at most total_gparam, {total_gparam}",
          "Are the two exchanged?"),
    Shape("active_gparam", lambda row: row["is_moe"] in tables.TRUE and not row["active_gparam"],
          "the parameters of one token, as is_moe is true", "Until then every parameter counts as read for each token.", "warning"),
    Shape("n_active_expert", lambda row: _number(row, "n_active_expert") > _number(row, "n_expert", 1e9), "at most n_expert, {n_expert}",
          "Are the two exchanged?"),
    Shape("n_expert", lambda row: row["is_moe"] in tables.TRUE and not all(row[name] for name in EXPERTS),
          "how many experts there are, and how many a token uses, as is_moe is true",
          "Until then a batch of several sequences counts as reading no more than one.", "warning"),
    Shape("n_expert", lambda row: row["is_moe"] in tables.FALSE and any(row[name] for name in EXPERTS), "nothing, as is_moe is false",
          "With experts it is true."),
)  # fmt: skip
"""What is asked of every row."""


def problems(data: rules.Data) -> Iterator[Problem]:
    """What the rows of models leave open, or say against themselves."""
    models = data.texts["models"]
    for number, row in zip(models.index, models.to_dict("records"), strict=True):
        yield from _of_row(int(number), {str(name): str(cell) for name, cell in row.items()})


def _of_row(number: int, row: Row) -> Iterator[Problem]:
    told: set[str] = set()
    for one in (*(SHAPES if row["n_layer"] else ()), *PARTS):
        if one.column not in told and one.fails(row):
            told.add(one.column)
            found = repr(row[one.column]) if row[one.column] else "nothing"
            yield Problem("models.csv", found, one.expected.format(**row), one.todo, number, one.column, one.level)
