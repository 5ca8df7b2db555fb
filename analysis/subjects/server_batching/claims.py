"""The claims about serving many users at once, most of them held against Pope et al.: PaLM 540B on 64 TPU v4."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis import ranking
from analysis.claims.engine import Book, not_checkable, rule
from analysis.claims.readings import Outcome
from analysis.claims.statements import shown, spoken
from analysis.equations import dram_capacity, memory_wall, server_batching
from analysis.equations.ranges import Result as Number
from analysis.subjects.lookups import byte_per_param, either, largest_of, rate, ratio, smallest
from analysis.subjects.server_batching.derived import PAIR, SERVED, SLOW_KERNEL, pair_rows

POINT = "td3-palm-540b-{phase}-b{batch}"
"""The configuration of the article's chart: 60 tokens in, 20 out."""
LARGEST_BATCH = 1024


def step(book: Book, phase: str, column: str, batch: Number | None = None) -> Number:
    """One entry of Table D.3; at the article's batch unless told otherwise."""
    size = book.of_claim("palm-64-b256") if batch is None else batch
    return book.value("pope_tables", POINT.format(phase=phase, batch=f"{size:.0f}"), column)


def chip(book: Book) -> dict[str, Number]:
    """Peak and bandwidth of the chip of that installation."""
    return {
        "peak_flop_per_s": book.value("accelerators", "google-tpu-v4", "peak_bf16_dense_flop_per_s"),
        "bandwidth_byte_per_s": book.value("accelerators", "google-tpu-v4", "memory_bandwidth_byte_per_s"),
    }


def palm_byte(book: Book) -> Number:
    """Bytes of PaLM's weights at 16 bits, with the parameters of the tables."""
    return memory_wall.weight_byte(step(book, "total", "model_param"), byte_per_param(book, "bf16"))


def weight_time(book: Book, n_chip: Number) -> Number:
    """Time that so many chips take to read the weights once."""
    bandwidth = chip(book)["bandwidth_byte_per_s"]
    return server_batching.memory_time_s(palm_byte(book), bandwidth, n_chip=n_chip)


def decode_step(book: Book, batch: Number | None = None) -> Number:
    """Time of one decode step; at the article's batch unless told otherwise."""
    return step(book, "generate", "time_s", batch) / step(book, "generate", "output_token", batch)


def pair_values(book: Book, card: str, *batches: float, column: str = "step_s_median") -> list[Number]:
    """What a card of the pair took for one step at each of these batches, at the shortest context measured at all of them."""

    def find() -> list[str]:
        rows = pair_rows(book.package, kinds=("decode",), but_for=(SLOW_KERNEL,))
        rows = rows[(rows["accelerator_id"] == card) & (rows["model"] == SERVED[0]) & (rows["format"] == SERVED[1])]
        rows = rows[rows["batch_size"].isin(batches) & rows[column].notna()]
        shared = rows[rows.groupby("context_token")["batch_size"].transform("nunique") == len(set(batches))]
        at = ranking.by(shared, "context_token", "measurement_id").drop_duplicates("batch_size").set_index("batch_size")
        return [str(at.at[batch, "measurement_id"]) if batch in at.index else "" for batch in batches]

    found = book.once(("pair", card, column, *batches), find)
    return [book.value("measurements_gpu_pair", row, column) if row else np.nan for row in found]


def pair_gain(book: Book, batch: float) -> Number:
    """What a faster memory brings at a batch, of what it brings one user: gains of the card with the faster memory."""
    slow, fast = (pair_values(book, card, 1.0, batch) for card in PAIR)
    one, many = (ratio(before, after) - 1 for before, after in zip(slow, fast, strict=True))
    return many / one


# -------------------------------------------------------------------------------------------------- sharing the weights

not_checkable("worst-hit-by-memory-wall", "The article names nothing to compare with.")


@rule("client-batch-1", "users of a device")
def client_batch_1(book: Book) -> Outcome:
    """One user asks one question at a time."""
    crowd = book.of_claim("palm-64-b256")
    steps = pair_values(book, PAIR[0], 1.0, crowd)
    one, many = (
        server_batching.throughput_token_per_s(time, batch_size=n) for time, n in zip(steps, (1.0, crowd), strict=True)
    )
    return Outcome(
        (book.reading("one user, one sequence", 1.0),),
        lambda: (
            "By what a client is: an assistant that runs several drafts at once would differ. What it forgoes was measured: "
            f"one H100 writes {shown(one, 'token_per_s')} of {book.row('models', SERVED[0])['name']} for one user "
            f"and {shown(many, 'token_per_s')} for {crowd:.0f}."
        ),
    )


@rule("amortise-over-batch", "bytes read per token at B = 1 / at B")
def amortise_over_batch(book: Book) -> Outcome:
    """Bytes of weights per token, alone and in a batch."""
    batch, byte = book.of_claim("palm-64-b256"), byte_per_param(book, "bf16")
    alone, shared = (1 / memory_wall.decode_intensity_flop_per_byte(byte, batch_size=size) for size in (1, batch))
    return Outcome(
        (book.reading("weight bytes per token, one user over the batch", ratio(alone, shared), "ratio", above=1.0),)
    )


@rule("client-memory-not-amortised", "ρ / B")
def client_memory_not_amortised(book: Book) -> Outcome:
    """Cost of the weights' memory per user, server over client, at the article's own price ratio."""
    price, batch = book.of_claim("ddr-4x-cheaper"), book.of_claim("palm-64-b256")
    found = server_batching.memory_cost_ratio(price, batch_size=batch)
    only = "the memory holds weights only, no KV cache, which nobody shares"
    return Outcome(
        (book.reading("memory cost per user, server over client", found, "ratio", below=1.0, assumption=only),)
    )


@rule("batch-not-infinite", "t(B = 1024) / t(B = 256)")
def batch_not_infinite(book: Book) -> Outcome:
    """Work out what four times the batch costs in time, and what it brings."""
    slower = ratio(step(book, "total", "time_s", LARGEST_BATCH), step(book, "total", "time_s"))
    busier = ratio(step(book, "total", "mfu_share", LARGEST_BATCH), step(book, "total", "mfu_share"))
    return Outcome(
        (book.reading("latency at four times the batch, over that at 256", slower, "ratio", above=busier),),
        lambda: f"Utilization grows by a factor of {spoken(busier)} only.",
    )


@rule("server-more-efficient", "bytes of weights per token, client / server")
def server_more_efficient(book: Book) -> Outcome:
    """Weight bytes per token, and the chip time a token takes."""
    batch, n_chip = book.of_claim("palm-64-b256"), step(book, "generate", "n_chip")
    token = server_batching.chip_time_per_token_s(decode_step(book), batch_size=batch, n_chip=n_chip)
    alone = weight_time(book, 1)
    times, joules = (
        batch * ratio(*pair_values(book, PAIR[0], 1.0, batch, column=name))
        for name in ("step_s_median", "joule_per_step")
    )
    labels = {
        "chip time to read all weights for one token, over that used in the batch": ratio(alone, token),
        f"time of a token of an 8B model measured on an H100, alone over a batch of {batch:.0f}": times,
        f"energy of the same, alone over a batch of {batch:.0f}": joules,
    }
    return Outcome(
        tuple(book.reading(label, value, "ratio", above=book.criterion()) for label, value in labels.items()),
        lambda: f"One chip alone would take {shown(alone, 's')} for the weights of a token.",
        headline=book.number("chip time per generated token", token, "ms"),
    )


# ------------------------------------------------------------------------------------------------------------ its price


@rule("hbm-half-of-cost", "HBM / cost of the chip")
def hbm_half_of_cost(book: Book) -> Outcome:
    """Outside cost models of the H100, as a range."""
    model, component = (
        book.value("memory_prices", "h100-hbm-share", "share"),
        book.fact("hbm-component-cost-share-2024-q1"),
    )
    sketch = book.fact("h100-hbm-cost-sketch")
    sketched = [
        server_batching.memory_cost_share(sketch, book.fact(f"h100-cost-sketch-{end}")) for end in ("low", "high")
    ]
    shares = [model, component, *sketched]
    return Outcome(
        (
            book.reading(
                "outside estimates",
                smallest(shares),
                high=largest_of(shares),
                assumption="outside cost models stand for the article's own data",
            ),
        ),
        lambda: (
            f"A cost model of the H100 has {shown(model, 'percent')}, a rough breakdown "
            f"{shown(smallest(sketched), 'percent')} to "
            f"{shown(largest_of(sketched), 'percent')}; {shown(component, 'percent')} is of the components of all AI chips "
            "of early 2024."
        ),
        latest=book.fact("hbm-component-cost-share-2025-q4"),
        latest_label="of component cost, end of 2025",
    )


@rule("ddr-4x-cheaper", "price of HBM per GB / price of DDR per GB")
def ddr_4x_cheaper(book: Book) -> Outcome:
    """Ratios that TrendForce gives, and those of price pairs."""
    keys = ("hbm-ddr5-ratio-2024-05", "hbm3e-ddr5-ratio-2025-q2", "hbm3e-server-ddr5-ratio-2025")
    ratios = [book.value("memory_prices", key, "price_ratio") for key in keys]
    stands = "the ratios to DDR5 published for 2024 and 2025 held in 2023"
    spot = price_ratio(book, "hbm3e-gigabit-spot-2025-11", "ddr5-gigabit-spot-2025-11")
    pair = price_ratio(book, "hbm3-stack-2025", "ddr4-8gb-contract-2025-04")
    return Outcome(
        (
            book.reading(
                "range of the published ratios",
                smallest(ratios),
                high=largest_of(ratios),
                assumption=stands,
            ),
            book.reading("a stack of HBM3 over DDR4 chips, early 2025", pair),
        ),
        lambda: (
            f"No ratio of May 2023 is public; the one nearest in date is {spoken(ratios[0], 2)}, of May 2024. "
            "The shortage of 2025 and 2026 "
            "has made DDR "
            f"{either(spot < book.of_claim('ddr-4x-cheaper') / 2, 'nearly as dear as HBM', 'no dearer against HBM')}."
        ),
        latest=price_ratio(book, "hbm4-stack-12-high-2026", "ddr4-8gb-contract-2026-02"),
        latest_unit="ratio",
        latest_label="HBM4 over DDR4, February 2026",
    )


def price_ratio(book: Book, dear: str, cheap: str) -> Number:
    """Price per byte of one entry of the price table over another."""
    prices = [
        dram_capacity.price_usd_per_byte(
            book.value("memory_prices", key, "price_usd"), book.value("memory_prices", key, "capacity_byte")
        )
        for key in (dear, cheap)
    ]
    return dram_capacity.price_ratio(*prices)


# ------------------------------------------------------------------------------------------------ the chart, its points


PROMPT_COUNTS = "the time for the prompt counts as generation"


@rule("chart-20-tokens", "output tokens, and t(prefill) / t(total)")
def chart_20_tokens(book: Book) -> Outcome:
    """Tokens that the charted run generates, and what part of its time goes to the prompt before any of them."""
    share = ratio(step(book, "prefill", "time_s"), step(book, "total", "time_s"))
    prompt = step(book, "total", "input_token")
    return Outcome(
        (
            book.reading(
                "tokens generated in the charted time", step(book, "total", "output_token"), assumption=PROMPT_COUNTS
            ),
            book.reading(
                "share of the charted latency that goes to the prompt", share, "percent", below=book.criterion()
            ),
        ),
        lambda: f"The chart's time includes reading a prompt of {prompt:.0f} tokens.",
    )


@rule("palm-6-67", "output tokens / t")
def palm_6_67(book: Book) -> Outcome:
    """Tokens of a user over the whole inference, and over the generation alone."""
    tokens = step(book, "total", "output_token")
    whole, alone = (tokens / step(book, phase, "time_s") for phase in ("total", "generate"))
    return Outcome(
        (
            book.reading("20 tokens over prompt and generation", whole, assumption=PROMPT_COUNTS),
            book.reading("20 tokens over the generation alone", alone),
        )
    )


@rule("palm-200wpm", "tokens per second · 60 / tokens per word")
def palm_200wpm(book: Book) -> Outcome:
    """Take the rate before, in words, at the article's conversion and at the English one."""
    assumed, measured = (
        book.parameter("token_per_word"),
        step(book, "total", "output_token") / step(book, "total", "time_s"),
    )
    speed, english = book.of_claim("palm-6-67"), book.fact("words-per-token-english")
    smaller = step(book, "total", "output_token") / step(book, "total", "time_s", book.of_claim("palm-64-b256") / 2)
    return Outcome(
        (
            book.reading(
                "at the article's tokens per word",
                speed / assumed,
                assumption=f"a word takes {spoken(assumed, 2)} tokens",
            ),
            book.reading("at the rule for English", speed * english),
        ),
        lambda: (
            f"Earlier the article asks for {shown(rate(book), 'token_per_s')}; the measured "
            f"{shown(measured, 'token_per_s')} "
            f"{either(measured >= rate(book), 'meet', 'miss')} that at this batch, half the batch gives "
            f"{shown(smaller, 'token_per_s')}."
        ),
    )


@rule("palm-64-b256", "B of the measured point")
def palm_64_b256(book: Book) -> Outcome:
    """Find the point in the tables, on as many chips as the article says."""
    chips, batch = step(book, "total", "n_chip"), step(book, "total", "batch_size")
    same = chips == book.of_claim("palm-64-tpu")
    return Outcome((book.reading(f"the point on {shown(chips, 'chip')} in Table D.3", np.where(same, batch, np.nan)),))


@rule("reuse-256", "tokens per read of the weights in decode")
def reuse_256(book: Book) -> Outcome:
    """Every decode step reads the weights once for the whole batch."""
    batch = step(book, "generate", "batch_size")
    prompt = batch * step(book, "prefill", "input_token")
    return Outcome(
        (book.reading("sequences in a decode step", batch),),
        lambda: f"In prefill one read serves {prompt:,.0f} tokens.",
    )


@rule("flops-rise-with-batch", "MFU(B)")
def flops_rise_with_batch(book: Book) -> Outcome:
    """Utilization from one batch size to the next."""
    table = book.table("pope_tables")
    rows = table[(table["table"] == "D.3") & (table["model"] == "PaLM 540B") & (table["phase"] == "total")]
    rows = ranking.by(rows, "batch_size", "row_id")
    shares = [step(book, "total", "mfu_share", float(size)) for size in rows["batch_size"]]
    gain = smallest(ratio(more, less) for less, more in pairwise(shares))
    return Outcome(
        (book.reading("least gain from one batch size to the next", gain, "ratio", at_least=1.0),),
        lambda: (
            f"From B = {rows['batch_size'].min():.0f} to {rows['batch_size'].max():,.0f} it goes from "
            f"{shown(shares[0], 'percent', 2)} to "
            f"{shown(shares[-1], 'percent', 2)}; the last doubling "
            f"{either(shares[-1] > shares[-2], 'still adds', 'adds nothing')}."
        ),
        headline=book.number("utilization, smallest to largest batch", shares[0], "percent", high=shares[-1]),
    )


@rule("latency-needs-chips", "t = P·b / (n·BW)")
def latency_needs_chips(book: Book) -> Outcome:
    """Least time of a step on one chip and on all of them, against the reader's token."""
    allowed = memory_wall.time_per_token_s(rate(book))
    one, many = weight_time(book, 1), weight_time(book, step(book, "total", "n_chip"))
    return Outcome(
        (
            book.reading("least time of a step on all chips", many, "ms", below=allowed),
            book.reading("least time of a step on one chip", one, "ms", above=allowed),
        )
    )


@rule("only-40-percent", "MFU = 2·tokens·P / (n·F·t)")
def only_40_percent(book: Book) -> Outcome:
    """Utilization of the whole inference, recomputed."""
    batch = step(book, "total", "batch_size")
    tokens = batch * (step(book, "total", "input_token") + step(book, "total", "output_token"))
    parts = [step(book, phase, "mfu_share") for phase in ("prefill", "generate")]
    return Outcome(
        (
            book.reading(
                "prompt and generation at the charted point",
                utilization(book, tokens, POINT.format(phase="total", batch=f"{book.of_claim('palm-64-b256'):.0f}")),
            ),
        ),
        lambda: f"The prompt alone reaches {shown(parts[0], 'percent')}, generation {shown(parts[1], 'percent')}.",
    )


def utilization(book: Book, tokens: Number, row: str) -> Number:
    """Share of the peak that the model's operations make, for one row of the tables."""
    return server_batching.mfu_share(
        tokens,
        book.value("pope_tables", row, "time_s"),
        model_param=book.value("pope_tables", row, "model_param"),
        peak_flop_per_s=chip(book)["peak_flop_per_s"],
        n_chip=book.value("pope_tables", row, "n_chip"),
    )


@rule("76-percent-85-s", "MFU = 2·tokens·P / (n·F·t)")
def percent_76(book: Book) -> Outcome:
    """Recompute a prefill, which generates nothing, and look at the generation that follows it."""
    prefill, generate = (f"t2-high-throughput-palm-540b-{phase}-b512" for phase in ("prefill", "generate"))
    batch = book.value("pope_tables", prefill, "batch_size")
    found = utilization(book, batch * book.value("pope_tables", prefill, "input_token"), prefill)
    later = book.value("pope_tables", generate, "mfu_share")
    return Outcome(
        (
            book.reading("prefill alone", found, assumption="a prefill that generates no token counts as inference"),
            book.reading("the generation that follows it", later),
        ),
        "The 85.2 seconds are those of the prompts of a whole batch.",
    )


SMALL_BATCH = 64
"""A quarter of the article's batch, so a quarter of the arithmetic for the same weights."""


@rule(
    "memory-wall-still-massive",
    "P·b / (n·BW) / t_step, the same over the least time of the arithmetic, and (gain(B) − 1) / (gain(1) − 1)",
)
def memory_wall_still_massive(book: Book) -> Outcome:
    """Share of a decode step that goes to reading weights, and that time over the arithmetic's; at two batch sizes."""
    batch = book.of_claim("palm-64-b256")
    read, limit = weight_time(book, step(book, "generate", "n_chip")), book.criterion()
    readings = []
    for size in (batch, SMALL_BATCH):
        share, times = ratio(read, decode_step(book, size)), ratio(read, products(book, size))
        at = f"at a batch of {size:.0f}"
        readings += [
            book.reading(f"share of a decode step that reading the weights takes {at}", share, "percent", above=limit),
            book.reading(f"time for reading them over the least for the arithmetic {at}", times, "ratio", above=1.0),
        ]
        of = f"what a faster memory brings an H100's processor {at}, of what it brings one user"
        readings.append(book.reading(of, pair_gain(book, size), "percent", above=limit))
    whole, compute = decode_step(book), products(book, batch)
    return Outcome(
        tuple(readings),
        lambda: (
            f"Of {shown(whole, 's')} the weights take {shown(read, 's')} and the arithmetic at least {shown(compute, 's')}; "
            "the rest goes to communication between chips and other overheads."
        ),
        headline=book.number("weight read of a decode step", read, "ms"),
    )


def products(book: Book, batch: Number) -> Number:
    """Least time of the arithmetic of one decode step."""
    return server_batching.compute_time_s(
        batch,
        model_param=step(book, "generate", "model_param"),
        peak_flop_per_s=chip(book)["peak_flop_per_s"],
        n_chip=step(book, "generate", "n_chip"),
    )
