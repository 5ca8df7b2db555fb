"""How long do the steps of the pair of cards take on yours?  Rows for ``data/measurements_gpu_pair.csv``, measured in plain PyTorch.

python scripts/measure_gpu.py --name l40s --datasheet 864 --out my-data [--budget 250] [--accelerator ID] [--tiny] [--list]

Does again what the table holds: every row of the card with most rows is one piece of work, in that order.  What does not fit into
the memory, or into ``--budget`` seconds, is left out and told.  Writes OUT/measurements_gpu_pair.NAME.csv, which
``memory-wall build --data OUT`` reads, row by row as it is measured.  Needs PyTorch with CUDA; where Triton and pynvml are missing,
small operations are unfused and nothing is said of energy and clocks.  ``--list`` needs none of them: it prints the work with its bytes
and operations.  ``--tiny`` tries every path with small shapes, on any processor, and measures nothing.

A step is one token for each sequence of a batch, all at one context: embedding rows; for each layer add and norm, one product for
Q, K and V, rotation and write into the cache, attention over the whole cache, output product, add and norm, one product for gate and
up, their product, down product; norm, head over the whole vocabulary, the most likely token, which is the next replay's input.
One CUDA graph each; its time is from the end of one replay to the end of the next.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

REPOSITORY = Path(__file__).resolve().parents[1]
TABLE = "measurements_gpu_pair"
BF16_BYTE = 2
GROUP = 128
"""Parameters that share a scale and a zero in the 4-bit format."""
BYTE_BY_FORMAT: dict[str, Callable[[int, int], int]] = {
    "bf16": lambda n_out, n_in: BF16_BYTE * n_out * n_in,
    "fp8": lambda n_out, n_in: n_out * n_in,
    "int8": lambda n_out, n_in: n_out * n_in + BF16_BYTE * n_out,
    "int4-g128": lambda n_out, n_in: n_out * n_in // 2 + 2 * BF16_BYTE * n_out * n_in // GROUP,
}
"""Bytes of a matrix with its scales, by number format."""


# ------------------------------------------------------------------------------------------ bytes and operations


@dataclass(frozen=True)
class Shape:
    """A decoder as its configuration has it; with experts, ``ffn_dim`` is the width of one of them."""

    n_layer: int
    model_dim: int
    n_head: int
    n_kv_head: int
    head_dim: int
    ffn_dim: int
    vocab_size: int
    tied_embedding: bool = False
    n_expert: int = 0
    n_active_expert: int = 0

    @property
    def attention(self) -> dict[str, tuple[int, int]]:
        """The matrices of a layer's attention, and its router, as outputs and inputs."""
        width = self.n_head * self.head_dim
        found = {"qkv": (width + 2 * self.n_kv_head * self.head_dim, self.model_dim), "o": (self.model_dim, width)}
        return found | ({"router": (self.n_expert, self.model_dim)} if self.n_expert else {})

    @property
    def feed_forward(self) -> dict[str, tuple[int, int]]:
        """The matrices of a layer's feed-forward part, or of one expert."""
        return {"gate_up": (2 * self.ffn_dim, self.model_dim), "down": (self.model_dim, self.ffn_dim)}

    def layer_param(self, n_expert: int) -> int:
        """Parameters of a layer's matrices with so many of its experts; one where it has none."""
        shared, own = (sum(a * b for a, b in part.values()) for part in (self.attention, self.feed_forward))
        return shared + own * (n_expert if self.n_expert else 1)

    @property
    def head_param(self) -> int:
        """Parameters of the head, and of the embedding."""
        return self.vocab_size * self.model_dim

    @property
    def norm_param(self) -> int:
        """Parameters of all norms."""
        return (2 * self.n_layer + 1) * self.model_dim

    @property
    def n_param(self) -> int:
        """All parameters."""
        embedding = self.head_param * (1 if self.tied_embedding else 2)
        return self.n_layer * self.layer_param(self.n_expert) + embedding + self.norm_param

    @property
    def matrix_param(self) -> int:
        """Parameters that a token is multiplied with."""
        return self.n_layer * self.layer_param(self.n_active_expert) + self.head_param

    @property
    def kv_byte_per_token(self) -> int:
        """Cache of one token."""
        return 2 * self.n_layer * self.n_kv_head * self.head_dim * BF16_BYTE

    def weight_byte(self, format_id: str, n_token: int, n_distinct_expert: float = 1) -> float:
        """Bytes of weights that a step reads, each once; of the embedding one row a token."""
        size = BYTE_BY_FORMAT[format_id]
        shared, own = (sum(size(a, b) for a, b in part.values()) for part in (self.attention, self.feed_forward))
        plain = self.head_param + self.norm_param + n_token * self.model_dim
        return self.n_layer * (shared + own * n_distinct_expert) + BF16_BYTE * plain

    def decode_flop(self, batch: int, context_token: int) -> float:
        """Operations of a step: a product for each matrix, and attention over the cache."""
        return 2 * batch * self.matrix_param + 4 * batch * context_token * self.n_layer * self.n_head * self.head_dim

    def prefill_flop(self, prompt_token: int) -> float:
        """Operations of a prompt: the head on its last token alone, and half of the attention, which is causal."""
        products = 2 * prompt_token * (self.matrix_param - self.head_param) + 2 * self.head_param
        return products + 2 * prompt_token**2 * self.n_layer * self.n_head * self.head_dim


NARROW = Shape(0, 256, 8, 2, 64, 512, 1024)
"""So narrow that its bytes take no time: what the kernels of a layer cost by themselves."""
TINY = Shape(2, 256, 8, 2, 64, 512, 1024)
TINY_BATCH, TINY_CONTEXT = 3, 32


def shapes(tiny: bool = False) -> dict[str, Shape]:
    """The shapes of the models of the book that are known whole, and of the narrow ones; ``tiny``: small ones of the same kinds."""
    with (REPOSITORY / "data" / "models.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(Shape.__dataclass_fields__)
    needed = [name for name in names if "expert" not in name]
    known = {
        row["model_id"]: Shape(**{name: _whole(row[name]) for name in names})
        for row in rows
        if all(row[name] for name in needed)
    }
    known |= {f"narrow-{n}-layers": replace(NARROW, n_layer=n) for n in (16, 32, 80)}
    return {name: _tiny(shape) for name, shape in known.items()} if tiny else known


def _whole(cell: str) -> Any:
    return cell == "true" if cell in ("true", "false") else int(float(cell or 0))


def _tiny(shape: Shape) -> Shape:
    experts: dict[str, Any] = {"n_expert": 8, "n_active_expert": 2, "ffn_dim": 128} if shape.n_expert else {}
    return replace(TINY, tied_embedding=shape.tied_embedding, **experts)


# --------------------------------------------------------------------------------------------------- the work


@dataclass(frozen=True)
class Work:
    """One piece of work: what a filed row says was done.

    operation  of a single operation its name, as ``gate-up``; shape: of the model it is of
    size_byte  of the bytes moved, where memory alone is measured; has_joule: whether energy is counted
    """

    kind: str
    model: str
    operation: str
    shape: Shape | None
    format: str
    ops: str
    batch: int
    context_token: int
    size_byte: int
    has_joule: bool
    left_out: str
    note: str

    @property
    def is_step(self) -> bool:
        """Whether it is a step or a prompt of a whole model."""
        return self.kind in STEPS or self.kind == "prefill"

    def counts(self, n_distinct_expert: float = 1) -> dict[str, float]:
        """Parameters, bytes and operations, as the columns of the table have them; what does not apply is left out."""
        if self.kind == "bandwidth":
            return {"weight_byte": self.size_byte}
        if self.kind == "matmul":
            return {"flop": 2.0 * self.batch**3}
        if self.shape is None:
            return {}
        if self.kind == "product":
            n_out, n_in = self.shape.feed_forward["gate_up"]
            return {"weight_byte": BF16_BYTE * n_out * n_in, "flop": 2.0 * self.batch * n_out * n_in}
        cache = self.batch * self.context_token * self.shape.kv_byte_per_token
        if self.kind == "attention":
            return {"kv_byte": cache / self.shape.n_layer}
        token = self.context_token if self.kind == "prefill" else self.batch
        weight = self.shape.weight_byte(self.format, token, n_distinct_expert)
        flop = (
            self.shape.prefill_flop(token)
            if self.kind == "prefill"
            else self.shape.decode_flop(token, self.context_token)
        )
        return {"n_param": self.shape.n_param, "weight_byte": weight, "kv_byte": cache, "flop": flop}

    @property
    def held_byte(self) -> float:
        """Bytes that the card must hold: all weights with the whole embedding, and the cache."""
        if self.shape is None or not self.is_step:
            return 2.0 * self.size_byte
        embedding = 0 if self.shape.tied_embedding else BF16_BYTE * self.shape.head_param
        weight = self.shape.weight_byte(self.format, 0, max(self.shape.n_expert, 1))
        return weight + embedding + self.batch * self.context_token * self.shape.kv_byte_per_token

    def __str__(self) -> str:
        """As it is told."""
        parts = [self.kind, self.model, self.format, self.ops, f"batch {self.batch}" if self.batch else ""]
        return " ".join(filter(None, [*parts, f"context {self.context_token}" if self.context_token else ""]))


STEPS = ("decode", "decode-cudnn", "decode-repeat", "moe", "floor")
RESERVE_BYTE = 6e9
"""Room for activations, kernels and graphs."""


def filed() -> list[dict[str, str]]:
    """The rows of the table."""
    with (REPOSITORY / "data" / f"{TABLE}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def work_of(row: Mapping[str, str], known: Mapping[str, Shape]) -> Work:
    """The work behind a row of the table."""
    operation, _, model = row["model"].rpartition(" of ")
    batch, context, byte = (int(float(row[name] or 0)) for name in ("batch", "context_token", "weight_byte"))
    return Work(
        kind=row["kind"], model=row["model"], operation=operation or model, shape=known.get(model), format=row["format"],
        ops=row["ops"], batch=batch, context_token=context, size_byte=byte if row["kind"] == "bandwidth" else 0,
        has_joule=bool(row["joule_per_step"]), left_out=row["left_out"], note=row["note"],
    )  # fmt: skip


def plan(tiny: bool = False) -> list[Work]:
    """The work of the card with most rows, in its order; ``tiny``: one of each kind and format with small numbers."""
    rows, known = filed(), shapes(tiny)
    counted = {device: sum(row["device"] == device for row in rows) for device in {row["device"] for row in rows}}
    fullest = max(sorted(counted), key=counted.__getitem__)
    works = [work_of(row, known) for row in rows if row["device"] == fullest]
    return (
        list({(work.kind, work.format, work.ops, work.operation): _small(work) for work in works}.values())
        if tiny
        else works
    )


def _small(work: Work) -> Work:
    size = 256 if work.kind == "matmul" else min(work.batch, TINY_BATCH)
    return replace(
        work, batch=size, context_token=min(work.context_token, TINY_CONTEXT), size_byte=min(work.size_byte, 2**21)
    )


# --------------------------------------------------------------------------------------------------- the rows


@dataclass(frozen=True)
class Card:
    """What is written beside every row: whose it is, and what its data sheet says."""

    name: str
    device: str
    engine_version: str
    datasheet_gbyte_per_s: float
    accelerator_id: str = ""
    memory_byte: float = float("inf")


class Meter(Protocol):
    """What measures work; ``gpu_steps.Meter`` does, and a test's own."""

    def measure(self, work: Work) -> dict[str, float | int | bool | str]:
        """Times, sensors, joules of one piece of work, by column; ``is_power_limited`` where the card says so."""


def quantiles(times_s: Sequence[float]) -> dict[str, float]:
    """Median, and what one in ten lies below and above: values that were measured, none between two."""
    ordered, last = sorted(times_s), len(times_s) - 1
    ends = {"step_s_median": 0.5, "step_s_p10": 0.1, "step_s_p90": 0.9}
    return {name: ordered[min(last, round(share * last))] for name, share in ends.items()}


CALM_PERCENT, POWER_LIMITED_PERCENT, JOULE_PERCENT = 1, 5, 10
"""By how much another run differs where the memory decides, where the power limit does, and in energy."""


def row_of(work: Work, card: Card, found: Mapping[str, float | int | bool | str], number: int) -> dict[str, str]:
    """One row of the table; what was not measured stays empty."""
    cells: dict[str, float | int | bool | str] = {**found}
    limited = bool(cells.pop("is_power_limited", False))
    counts = work.counts(float(cells.get("n_distinct_expert", 1)))
    step = float(cells.get("step_s_median", 0))
    cells |= counts
    if step:
        token = work.context_token if work.kind == "prefill" else work.batch
        moved = counts.get("weight_byte", 0) + counts.get("kv_byte", 0)
        rates = {
            "achieved_gbyte_per_s": moved / step / 1e9,
            "achieved_tflop_per_s": counts.get("flop", 0) / step / 1e12,
        }
        cells |= {name: value for name, value in rates.items() if value}
        cells |= {"token_per_s": token / step} if work.is_step else {}
        cells["time_uncertainty_percent"] = POWER_LIMITED_PERCENT if limited else CALM_PERCENT
        cells["memory_bandwidth_gbyte_per_s"] = card.datasheet_gbyte_per_s or ""
    if "joule_per_step" in cells:
        cells["joule_per_token"] = float(cells["joule_per_step"]) / work.batch
    if {"joule_per_step", "power_w"} & set(cells):
        cells["joule_uncertainty_percent"] = JOULE_PERCENT
    said = {
        "measurement_id": f"{card.name}-{number:03d}", "device": card.device, "accelerator_id": card.accelerator_id, "kind": work.kind,
        "model": work.model, "format": work.format, "ops": work.ops, "batch": work.batch or "", "context_token": work.context_token or "",
        "time_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "engine": "pytorch", "engine_version": card.engine_version,
        "left_out": work.left_out, "confidence": "measured", "note": work.note,
    }  # fmt: skip
    return {name: _cell(value) for name, value in (said | cells).items()}


def _cell(value: object) -> str:
    return (
        f"{value:.6g}"
        if isinstance(value, float) and not value.is_integer()
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )


def measured(
    works: Iterable[Work], meter: Meter, card: Card, *, left_s: Callable[[], float], tell: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """Measure one piece of work after the other while time is left; what cannot be done is told, and the rest goes on."""
    for number, work in enumerate(works, 1):
        if work.held_byte + RESERVE_BYTE > card.memory_byte:
            tell(f"{work}: {work.held_byte / 1e9:.1f} GB of weights and cache do not fit")
        elif left_s() <= 0:
            tell(f"{work}: left out, the budget is used up")
        else:
            try:
                found = meter.measure(work)
            except Exception as error:  # one kernel that a card lacks is no reason to lose the others
                first, *_ = [*str(error).strip().splitlines(), ""]
                tell(f"{work}: {type(error).__name__}: {first[:200]}")
            else:
                yield row_of(work, card, found, number)


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> int:
    """Write rows under the heads of the table as they come; return how many there were.

    Without a column for the source a build marks them as supplied with its run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, [name for name in filed()[0] if name != "source_id"], lineterminator="\n", restval=""
        )
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            file.flush()
            count += 1
    return count


# ------------------------------------------------------------------------------------------- the command line


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for; ends with 2 where it cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--name", default="card", help="short name of the card: begins the ids of the rows, ends the file's name"
    )
    parser.add_argument(
        "--datasheet",
        type=float,
        default=0.0,
        help="memory bandwidth by the data sheet, in GB/s; needed but for --list, --tiny",
    )
    parser.add_argument(
        "--accelerator", default="", help="id of the card in data/accelerators.csv, if it is filed there"
    )
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the rows (default: this one)")
    parser.add_argument(
        "--budget", type=float, default=250.0, help="seconds after which no more work is begun (default: 250)"
    )
    parser.add_argument(
        "--tiny", action="store_true", help="small shapes: every path, written to tiny.NAME.csv, no result"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the work with its bytes and operations, and do nothing"
    )
    asked = parser.parse_args(given)
    if not re.fullmatch(r"[a-z0-9]+", asked.name):
        parser.error(f"--name: found {asked.name!r}, expected small letters and digits, as l40s")
    if not (asked.list or asked.tiny or asked.datasheet > 0):
        parser.error("--datasheet: expected the memory bandwidth of the card in GB/s, as 864 for an L40S")
    return asked


def listed(works: Iterable[Work]) -> Iterator[str]:
    """A line for each piece of work: bytes that it reads, operations, and what the card must hold."""
    for work in works:
        counts = work.counts()
        byte = (counts.get("weight_byte", 0) + counts.get("kv_byte", 0)) / 1e9
        yield f"{byte:9.3f} GB {counts.get('flop', 0) / 1e12:9.3f} TFLOP {work.held_byte / 1e9:8.1f} GB held  {work}"


def main(given: Sequence[str] | None = None) -> int:
    """Measure, or list what would be measured; return the exit status."""
    asked = arguments(given)
    works, start = plan(asked.tiny), time.monotonic()
    if asked.list:
        print("\n".join(listed(works)))
        return 0
    try:
        import gpu_steps
    except ImportError as error:
        print(
            f"{error}. Measuring needs PyTorch: install the build for your card, see https://pytorch.org.",
            file=sys.stderr,
        )
        return 2
    if not (asked.tiny or gpu_steps.has_card()):
        print("PyTorch sees no CUDA card here; --tiny tries every path without one.", file=sys.stderr)
        return 2

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - start:6.1f} s] {text}", file=sys.stderr, flush=True)

    def left_s() -> float:
        return float(asked.budget) - (time.monotonic() - start)

    meter = gpu_steps.Meter(tiny=asked.tiny, tell=tell)
    device, version, memory = meter.described()
    card = Card(asked.name, device, version, asked.datasheet, asked.accelerator, memory)
    path = asked.out / f"{'tiny' if asked.tiny else TABLE}.{asked.name}.csv"
    count = write(path, measured(works, meter, card, left_s=left_s, tell=tell))
    tell(f"{count} of {len(works)} rows in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
