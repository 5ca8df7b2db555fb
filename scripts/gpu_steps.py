"""The work that scripts/measure_gpu.py times, in PyTorch: decoders with random weights, single operations, times and joules.

On a processor without CUDA everything runs as well, without graphs: for tests, with small shapes.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from measure_gpu import GROUP, Shape, Work, quantiles

KERNELS: Any = None
try:
    import gpu_kernels
except ImportError:
    pass
else:
    KERNELS = gpu_kernels

Tensor = Any
Replay = Callable[[], object]
ROTATION_BASE, EPSILON, SPREAD = 500_000.0, 1e-5, 0.02


def has_card() -> bool:
    """Whether there is a CUDA card."""
    return bool(torch.cuda.is_available())


DEVICE = "cuda" if has_card() else "cpu"


def normal(*size: int, spread: float = SPREAD, dtype: Any = torch.bfloat16) -> Tensor:
    """Random numbers on the card, made part by part: a cache may have more than an index of 32 bits counts."""
    out = torch.empty(*size, device=DEVICE, dtype=dtype)
    for part in out.view(-1).split(2**30):
        part.normal_(0, spread)
    return out


# ---------------------------------------------------------------------------------------------------- products


class Plain:
    """A product with a bf16 matrix."""

    def __init__(self, n_out: int, n_in: int, weight: Tensor = None) -> None:
        self.weight = normal(n_out, n_in) if weight is None else weight

    def __call__(self, x: Tensor) -> Tensor:
        """The rows of x times the matrix."""
        return F.linear(x, self.weight)


class Fp8:
    """A product of weights and activations in E4M3, one scale a tensor."""

    def __init__(self, n_out: int, n_in: int) -> None:
        self.weight = normal(n_out, n_in, spread=1.0).to(torch.float8_e4m3fn)
        self.scale, self.one = (torch.tensor(value, device=DEVICE) for value in (SPREAD, 1.0))

    def __call__(self, x: Tensor) -> Tensor:
        """The rows of x times the matrix."""
        return torch._scaled_mm(
            x.to(torch.float8_e4m3fn), self.weight.t(), scale_a=self.one, scale_b=self.scale, out_dtype=torch.bfloat16, use_fast_accum=True
        )  # fmt: skip


class Int8:
    """A product of bf16 activations with 8-bit weights, a scale for each of their rows."""

    def __init__(self, n_out: int, n_in: int) -> None:
        self.weight = torch.randint(-127, 128, (n_out, n_in), device=DEVICE, dtype=torch.int8)
        self.scale = torch.full((n_out,), SPREAD / 73, device=DEVICE, dtype=torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        """The rows of x times the matrix."""
        return torch._weight_int8pack_mm(x, self.weight, self.scale)


class Int4:
    """A product of bf16 activations with 4-bit weights, a scale and a zero for each group."""

    def __init__(self, n_out: int, n_in: int) -> None:
        pairs = torch.randint(0, 256, (n_out, n_in // 2), device=DEVICE, dtype=torch.int32).to(torch.uint8)
        self.weight = torch.ops.aten._convert_weight_to_int4pack(pairs, 8)
        self.scale = torch.zeros(n_in // GROUP, n_out, 2, device=DEVICE, dtype=torch.bfloat16)
        self.scale[..., 0] = SPREAD / 4.6

    def __call__(self, x: Tensor) -> Tensor:
        """The rows of x times the matrix."""
        return torch.ops.aten._weight_int4pack_mm(x, self.weight, GROUP, self.scale)


FORMATS: dict[str, Any] = {"bf16": Plain, "fp8": Fp8, "int8": Int8, "int4-g128": Int4}


# --------------------------------------------------------------------------------------- what lies between them


class Eager:
    """Small operations in plain PyTorch."""

    name = "eager"

    def add_norm(self, added: Tensor, stream: Tensor, gain: Tensor, dtype: Any) -> Tensor:
        """Add to the residual stream, where there is anything to add, and return its norm."""
        if added is not None:
            stream += added
        return F.rms_norm(stream, (stream.shape[-1],), gain, EPSILON).to(dtype)

    def rotate(
        self, qkv: Tensor, tables: Tensor, position: Tensor, keys: Tensor, values: Tensor, n_query: int
    ) -> Tensor:
        """Return the rotated queries, and write keys and values to their rows of the cache."""
        n_kv, dim = keys.shape[1:]
        heads = qkv.view(qkv.shape[0], n_query + 2 * n_kv, dim)
        cosine, sine = (table[position][:, None, :] for table in tables)
        x, y = heads[:, : n_query + n_kv].float().chunk(2, -1)
        turned = torch.cat([x * cosine - y * sine, y * cosine + x * sine], -1).to(qkv.dtype)
        keys.copy_(turned[:, n_query:])
        values.copy_(heads[:, n_query + n_kv :])
        return turned[:, :n_query]

    def gate(self, both: Tensor, dtype: Any) -> Tensor:
        """The product of gate and up that goes into the down product."""
        first, second = both.chunk(2, -1)
        return (F.silu(first) * second).to(dtype)


def can_fuse() -> bool:
    """Whether the kernels can run here: on a card, or in Python where Triton is told to."""
    return KERNELS is not None and bool(has_card() or KERNELS.INTERPRETED)


class Fused(Eager):
    """The same, each in one kernel."""

    name = "fused"

    def add_norm(self, added: Tensor, stream: Tensor, gain: Tensor, dtype: Any) -> Tensor:
        """Add to the residual stream, where there is anything to add, and return its norm."""
        return KERNELS.add_norm(added, stream, gain, dtype, EPSILON)

    def rotate(
        self, qkv: Tensor, tables: Tensor, position: Tensor, keys: Tensor, values: Tensor, n_query: int
    ) -> Tensor:
        """Return the rotated queries, and write keys and values to their rows of the cache."""
        return KERNELS.rotate(qkv, tables, position, keys, values, n_query)

    def gate(self, both: Tensor, dtype: Any) -> Tensor:
        """The product of gate and up that goes into the down product."""
        return KERNELS.gate(both, dtype)


def attention(query: Tensor, keys: Tensor, values: Tensor, backend: str = "", **more: Any) -> Tensor:
    """Attention of the library, by the backend of this name where there is a card; heads come before tokens."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(getattr(SDPBackend, f"{backend.upper()}_ATTENTION")) if has_card() and backend else nullcontext():
        return F.scaled_dot_product_attention(query, keys, values, **more)


# ------------------------------------------------------------------------------------------------------- models


class Decoder:
    """A Llama-shaped decoder with random weights, a tensor for each matrix and layer; ``n_distinct_expert`` is known after a step."""

    def __init__(self, shape: Shape, format_id: str) -> None:
        self.shape, self.made = shape, FORMATS[format_id]
        self.dtype = torch.float8_e4m3fn if format_id == "fp8" else torch.bfloat16
        self.embedding = normal(shape.vocab_size, shape.model_dim)
        self.head = Plain(shape.vocab_size, shape.model_dim, self.embedding if shape.tied_embedding else None)
        self.layers = [self._layer() for _ in range(shape.n_layer)]
        self.norm = self._ones()
        self.logits: Tensor = None
        self.tables = self._tables(1)

    def _ones(self) -> Tensor:
        return torch.ones(self.shape.model_dim, device=DEVICE, dtype=torch.bfloat16)

    def _layer(self) -> dict[str, Any]:
        matrices = {
            name: self.made(*size) for name, size in {**self.shape.attention, **self.shape.feed_forward}.items()
        }
        return {"first": self._ones(), "second": self._ones(), **matrices}

    def _tables(self, length: int) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotation at every position."""
        step = torch.arange(0, self.shape.head_dim, 2, device=DEVICE, dtype=torch.float32) / self.shape.head_dim
        angle = torch.arange(length, device=DEVICE, dtype=torch.float32)[:, None] / ROTATION_BASE**step
        return angle.cos().contiguous(), angle.sin().contiguous()

    def caches(self, pool: Tensor, batch: int, length: int) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of every layer, batch by length by heads, one after the other in the pool."""
        parts = pool[: batch * length * self.shape.kv_byte_per_token // 2].view(
            self.shape.n_layer, 2, batch, length, self.shape.n_kv_head, self.shape.head_dim
        )
        return [(keys, values) for keys, values in parts]

    def feed_forward(self, layer: dict[str, Any], h: Tensor, ops: Eager) -> Tensor:
        """The second half of a layer."""
        return layer["down"](ops.gate(layer["gate_up"](h), self.dtype))

    def _through(self, ids: Tensor, ops: Eager, attend: Callable[[int, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Take tokens through all layers: what the last one adds, and the residual stream."""
        stream, added = F.embedding(ids, self.embedding), None
        for index, layer in enumerate(self.layers):
            h = ops.add_norm(added, stream, layer["first"], self.dtype)
            added = layer["o"](attend(index, layer["qkv"](h)).to(self.dtype))
            h = ops.add_norm(added, stream, layer["second"], self.dtype)
            added = self.feed_forward(layer, h, ops)
        return added, stream

    def decode(self, ids: Tensor, caches: Sequence[tuple[Tensor, Tensor]], ops: Eager, backend: str) -> Replay:
        """The work of one step for the tokens ``ids``, each at the last place of its cache; it puts the next ones into ``ids``."""
        batch, shape = len(ids), self.shape
        last = caches[0][0].shape[1] - 1
        self.tables = self._tables(last + 1)
        position = torch.full((batch,), last, device=DEVICE, dtype=torch.int64)

        def attend(index: int, qkv: Tensor) -> Tensor:
            keys, values = caches[index]
            query = ops.rotate(qkv, self.tables, position, keys[:, last], values[:, last], shape.n_head)
            # The heads that share keys are handed over as queries of one head, so that the cache is read once.
            grouped = query.reshape(batch, shape.n_kv_head, -1, shape.head_dim)
            return attention(grouped, keys.transpose(1, 2), values.transpose(1, 2), backend).reshape(batch, -1)

        def step() -> None:
            added, stream = self._through(ids, ops, attend)
            self.logits = self.head(ops.add_norm(added, stream, self.norm, torch.bfloat16))
            ids.copy_(self.logits.argmax(-1))

        return step

    def prefill(self, ids: Tensor, caches: Sequence[tuple[Tensor, Tensor]], ops: Eager, backend: str) -> Replay:
        """The work from a prompt to its first token."""
        shape, position = self.shape, torch.arange(len(ids), device=DEVICE)
        self.tables = self._tables(len(ids))

        def attend(index: int, qkv: Tensor) -> Tensor:
            keys, values = (part[0] for part in caches[index])
            query = ops.rotate(qkv, self.tables, position, keys, values, shape.n_head)
            query, keys, values = (part.transpose(0, 1)[None] for part in (query, keys, values))
            found = attention(query, keys, values, backend, is_causal=True, enable_gqa=shape.n_head > shape.n_kv_head)
            return found[0].transpose(0, 1).reshape(len(ids), -1)

        def step() -> None:
            added, stream = self._through(ids, ops, attend)
            self.logits = self.head(ops.add_norm(None, stream[-1:] + added[-1:], self.norm, torch.bfloat16))

        return step


class Mixture(Decoder):
    """A decoder whose layers choose among experts; a step reads those that its tokens call."""

    def _layer(self) -> dict[str, Any]:
        shape = self.shape
        plain = {name: Plain(*size) for name, size in shape.attention.items()}
        experts = {name: normal(shape.n_expert, *size) for name, size in shape.feed_forward.items()}
        called = torch.zeros(shape.n_expert, device=DEVICE, dtype=torch.int32)
        return {"first": self._ones(), "second": self._ones(), **plain, **experts, "ends": called}

    def feed_forward(self, layer: dict[str, Any], h: Tensor, ops: Eager) -> Tensor:
        """Sort the calls by expert, multiply each group with its expert's matrices, and put them back in place."""
        n_active = self.shape.n_active_expert
        share, chosen = layer["router"](h).float().softmax(-1).topk(n_active, -1)
        ordered, order = chosen.flatten().sort()
        every = torch.arange(self.shape.n_expert, device=DEVICE)
        layer["ends"].copy_(torch.searchsorted(ordered, every, right=True))
        both = torch._grouped_mm(h[order // n_active], layer["gate_up"].transpose(-2, -1), offs=layer["ends"])
        down = torch._grouped_mm(ops.gate(both, self.dtype), layer["down"].transpose(-2, -1), offs=layer["ends"])
        back = torch.empty_like(down)
        back[order] = down
        weight = (share / share.sum(-1, keepdim=True))[..., None].to(back.dtype)
        return (back.view(len(h), n_active, -1) * weight).sum(1)

    @property
    def n_distinct_expert(self) -> float:
        """Different experts that a layer of the last step called, in the mean."""
        calls = [layer["ends"].diff(prepend=layer["ends"].new_zeros(1)) for layer in self.layers]
        return sum(int((each > 0).sum()) for each in calls) / len(calls)


# ------------------------------------------------------------------------------------------------ time and energy


def captured(work: Replay) -> Replay:
    """The same work as a CUDA graph; as it is where there is no card."""
    if not has_card():
        return work
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.no_grad():
        work()
        work()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        work()
    replay: Replay = graph.replay
    return replay


LEAST, MOST, ABOUT_S, WARM_S, JOULE_S, IDLE_S = 12, 400, 0.3, 0.1, 1.6, 1.5
"""Replays that are timed, at least and at most; seconds that they, those before them, and those whose joules are counted take."""


def timed(replay: Replay, *, most: int = MOST, sense: Callable[[], dict[str, Any]] = dict) -> dict[str, Any]:
    """Quantiles of the time between the ends of replays, and what sensors say while they run."""
    if not has_card():
        ends = [time.perf_counter()]
        for _ in range(3):
            replay()
            ends.append(time.perf_counter())
        return {**quantiles([b - a for a, b in pairwise(ends)]), "replays": 3}
    replay()
    once = _spans(replay, 3)[-1]
    count = int(min(max(ABOUT_S / once, LEAST), most))
    for _ in range(min(count, math.ceil(WARM_S / once))):
        replay()
    times, sensed = _spans_sensed(replay, count, sense)
    return {**quantiles(times), "replays": count, **sensed}


def _spans(replay: Replay, count: int) -> list[float]:
    return _spans_sensed(replay, count, dict)[0]


def _spans_sensed(
    replay: Replay, count: int, sense: Callable[[], dict[str, Any]]
) -> tuple[list[float], dict[str, Any]]:
    """Seconds between events around replays; the sensors are read while the card works them off."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        replay()
        event.record()
    sensed = sense()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) / 1e3 for a, b in pairwise(events)], sensed


class Sensors:
    """What the driver says of clocks, temperature, energy and why the clock is held; nothing where pynvml is missing."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.nvml: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            self.nvml, self.handle = pynvml, pynvml.nvmlDeviceGetHandleByIndex(0)
        except Exception as error:  # whatever is missing, times can be had without it
            tell(f"no energy and no clocks: {error!r}")

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What the driver answers; nothing where this card, or its virtual machine, does not say."""
        try:
            return ask()
        except self.nvml.NVMLError:
            return None

    def now(self) -> dict[str, Any]:
        """Clocks, temperature, and whether the power limit holds the clock."""
        if self.nvml is None:
            return {}
        n, h = self.nvml, self.handle
        asks = {
            "sm_mhz": lambda: n.nvmlDeviceGetClockInfo(h, n.NVML_CLOCK_SM),
            "mem_mhz": lambda: n.nvmlDeviceGetClockInfo(h, n.NVML_CLOCK_MEM),
            "temp_c": lambda: n.nvmlDeviceGetTemperature(h, n.NVML_TEMPERATURE_GPU),
            "is_power_limited": lambda: bool(
                n.nvmlDeviceGetCurrentClocksThrottleReasons(h) & n.nvmlClocksThrottleReasonSwPowerCap
            ),
        }
        found = {name: self._asked(ask) for name, ask in asks.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _joule(self) -> float | None:
        milli = self._asked(lambda: self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) if self.nvml else None
        return None if milli is None else milli / 1e3

    def joules(self, work: Callable[[], object]) -> dict[str, float]:
        """Joules of the card and seconds while the work runs; nothing where they cannot be counted."""
        if has_card():
            torch.cuda.synchronize()
        before, start = self._joule(), time.perf_counter()
        if before is None:
            return {}
        work()
        if has_card():
            torch.cuda.synchronize()
        return {"j": (self._joule() or before) - before, "s": time.perf_counter() - start}


# ------------------------------------------------------------------------------------------------------ the meter

MODEL_ROOM = 16
"""Caches of one layer, or matrices, that an operation alone goes through, so that none stays in a cache of the card."""


class Meter:
    """Measures one piece of work after another; the weights of the last model are kept for the next."""

    def __init__(self, *, tiny: bool, tell: Callable[[str], None]) -> None:
        torch.manual_seed(0)
        self.tiny, self.tell, self.sensors = tiny, tell, Sensors(tell)
        self.held: tuple[Any, Decoder] | None = None

    def described(self) -> tuple[str, str, float]:
        """Name of the card, version of PyTorch, and bytes of memory."""
        if not has_card():
            return "cpu", torch.__version__, math.inf
        return torch.cuda.get_device_name(), torch.__version__, float(torch.cuda.get_device_properties(0).total_memory)

    def measure(self, work: Work) -> dict[str, Any]:
        """Times, sensors and joules of one piece of work."""
        if not work.is_step:
            self.held = None
        with torch.no_grad():
            found: dict[str, Any] = getattr(self, "_step" if work.is_step else f"_{work.kind}")(work)
        gc.collect()
        if has_card():
            torch.cuda.empty_cache()
        return found

    def _timed(self, work: Replay, *, count: int = 1, most: int = MOST) -> dict[str, Any]:
        found = timed(captured(work), most=most, sense=self.sensors.now)
        return {name: value / count if name.startswith("step_s") else value for name, value in found.items()}

    def _model(self, work: Work) -> Decoder:
        key = (work.shape, work.format, work.kind == "decode-repeat")
        if self.held is None or self.held[0] != key:
            self.held = None
            gc.collect()
            assert work.shape is not None
            self.held = key, (Mixture if work.shape.n_expert else Decoder)(work.shape, work.format)
        return self.held[1]

    def _step(self, work: Work) -> dict[str, Any]:
        """Time a step or a prompt, and count its joules where the filed row has them."""
        model, is_prompt = self._model(work), work.kind == "prefill"
        ops = (
            Fused()
            if work.ops == "fused" and gpu_kernels is not None and (has_card() or gpu_kernels.INTERPRETED)
            else Eager()
        )
        pool = normal(work.batch * work.context_token * model.shape.kv_byte_per_token // 2, spread=1.0)
        ids = torch.randint(
            0, model.shape.vocab_size, (work.context_token if is_prompt else work.batch,), device=DEVICE
        )
        make = model.prefill if is_prompt else model.decode
        caches = model.caches(pool, work.batch, work.context_token)
        replay = captured(make(ids, caches, ops, "cudnn" if work.kind == "decode-cudnn" else "flash"))
        found = {**timed(replay, sense=self.sensors.now), "ops": ops.name}
        if work.has_joule and has_card():
            found |= self._joules(replay, float(found["step_s_median"]))
        if isinstance(model, Mixture):
            replay()
            found["n_distinct_expert"] = model.n_distinct_expert
        model.logits = None
        return found

    def _joules(self, replay: Replay, step_s: float) -> dict[str, float]:
        count = max(2, int(JOULE_S / step_s))
        for _ in range(count // 4):
            replay()
        spent = self.sensors.joules(lambda: [replay() for _ in range(count)])
        return {"joule_per_step": spent["j"] / count, "power_w": spent["j"] / spent["s"]} if spent else {}

    def _idle(self, work: Work) -> dict[str, Any]:  # noqa: ARG002 - all of them are called alike
        spent = self.sensors.joules(lambda: time.sleep(IDLE_S))
        return {"power_w": spent["j"] / spent["s"], **self.sensors.now()} if spent else {}

    def _bandwidth(self, work: Work) -> dict[str, Any]:
        size = work.size_byte // (2 if work.operation == "copy" else 1)
        x = normal(size // 4, dtype=torch.float32)
        other = torch.empty_like(x) if work.operation == "copy" else x
        rows = x.view(min(2048, len(x)), -1)
        moves: dict[str, Replay] = {
            "read": lambda: torch.sum(rows, dim=1),
            "copy": lambda: other.copy_(x),
            "fill": lambda: x.fill_(1.0),
        }
        return self._timed(moves[work.operation], most=200)

    def _product(self, work: Work) -> dict[str, Any]:
        assert work.shape is not None
        n_out, n_in = work.shape.feed_forward["gate_up"]
        matrices, x = [Plain(n_out, n_in) for _ in range(12)], normal(work.batch, n_in, spread=1.0)
        return self._timed(lambda: [matrix(x) for matrix in matrices], count=len(matrices), most=100)

    def _matmul(self, work: Work) -> dict[str, Any]:
        x, matrix = normal(work.batch, work.batch, spread=1.0), FORMATS[work.format](work.batch, work.batch)
        x = x.to(torch.float8_e4m3fn) if work.format == "fp8" else x
        return self._timed(lambda: matrix(x), most=200)

    def _attention(self, work: Work) -> dict[str, Any]:
        assert work.shape is not None
        shape, backend = work.shape, work.operation.partition(" ")[0]
        size = work.batch, work.context_token, shape.n_kv_head, shape.head_dim
        count = max(2, min(MODEL_ROOM, int(8e9 / (4 * math.prod(size)))))
        caches = [
            (normal(*size, spread=1.0).transpose(1, 2), normal(*size, spread=1.0).transpose(1, 2)) for _ in range(count)
        ]
        query = normal(work.batch, shape.n_kv_head, shape.n_head // shape.n_kv_head, shape.head_dim, spread=1.0)
        return self._timed(lambda: [attention(query, *cache, backend) for cache in caches], count=count, most=100)
