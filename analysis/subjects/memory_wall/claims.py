"""The claims about bandwidth: what a token costs to read, how fast people read, and how large a model may then be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import ranking, words
from analysis.claims.engine import Book, not_checkable, rule
from analysis.claims.readings import Outcome
from analysis.claims.statements import BOUND_SHARE, Statement, shown, spoken
from analysis.equations import growth, kv_cache, memory_wall, server_batching, sram_density
from analysis.equations.ranges import Result as Number
from analysis.subjects.lookups import (
    byte_per_param,
    chip,
    either,
    largest,
    largest_of,
    month,
    named,
    newest_device,
    rate,
    ratio,
    smallest,
    top_device,
    weights,
)

# ----------------------------------------------------------------------------------------------- compute and its growth


@rule("transistors-50bn", "N(2023) · growth^5, growth from A13 (2019) to A17 Pro (2023)")
def transistors_50bn(book: Book) -> Outcome:
    """Phones five years on at their own pace; laptops on the day of the article."""
    newest, first = book.value("dies", "apple-a17-pro", "transistors_transistor"), book.fact("a13-transistors")
    elapsed = book.value("dies", "apple-a17-pro", "year") - float(book.date("a13-transistors").year)
    pace = growth.growth_ratio(first, newest, elapsed_year=elapsed)
    then = newest * growth.compound_growth_ratio(pace, horizon_year=book.of_claim("never-on-laptops"))
    laptop = top_device(
        book, "transistors_transistor", device_class="laptop", until=month(book.date("article-published"))
    )
    laptop_count = book.value("devices", laptop, "transistors_transistor")
    today = book.fact("dimensity-9400-transistors")
    return Outcome(
        (
            book.reading("the best phone chip after five years at the pace of 2019 to 2023", then),
            book.reading(f"a laptop with {chip(book, laptop)}, on sale before the article", laptop_count),
        ),
        lambda: f"The article gives no date. Phone chips grew {shown(pace - 1, 'percent')} a year.",
        latest=today,
        latest_label="MediaTek Dimensity 9400",
    )


@rule("compute-not-the-limit", "2·P·r / F")
def compute_not_the_limit(book: Book) -> Outcome:
    """Share of the processor that decoding needs at reading speed; a long prompt is another matter."""
    param = book.value("models", "llama-7b", "total_param")
    newest = newest_device(book, "npu_peak_int8_op_per_s", device_class="phone")
    then, now = (compute_used(book, key, param) for key in ("iphone-14", newest))
    peak = book.value("devices", "iphone-14", "npu_peak_int8_op_per_s")
    prompt = server_batching.compute_time_s(book.parameter("context_token"), model_param=param, peak_flop_per_s=peak)
    compute = book.value("growth_rates", "gholami-flops", "growth_per_2_year_ratio")
    bandwidth = book.value("growth_rates", "gholami-dram", "growth_per_2_year_ratio")
    one = "one sequence is decoded at reading speed, without long prompts"
    return Outcome(
        (
            book.reading(
                "share of an iPhone 14's neural engine that decoding LLaMA 7B takes",
                then,
                "percent",
                below=1.0,
                assumption=one,
            ),
            book.reading(
                "time the same engine takes for a prompt that fills the context", prompt, "s", below=book.criterion()
            ),
        ),
        lambda: (
            f"Peak compute grew {spoken(compute, 2)}-fold in two years and DRAM bandwidth "
            f"{spoken(bandwidth, 2)}-fold, so the gap "
            f"{either(compute > bandwidth, 'widens', 'narrows')}. The engine's peak is for 8-bit integers."
        ),
        latest=now,
        latest_label=named(book, newest),
    )


def compute_used(book: Book, device_id: str, param: Number) -> Number:
    """Share of a phone's neural engine that a token rate keeps busy."""
    peak = book.value("devices", device_id, "npu_peak_int8_op_per_s")
    return memory_wall.compute_used_share(rate(book), model_param=param, peak_flop_per_s=peak)


not_checkable("accelerators-unsuited", "The article names no measure of what suits a transformer.")


# --------------------------------------------------------------------------------------------------- tokens and weights

HALF_WORD = 0.5
"""As the claim of seven seconds for half a word says it."""


@rule("token-about-word", "words per token")
def token_about_word(book: Book) -> Outcome:
    """Take the rule of thumb, and the two conversions that the article's other numbers imply."""
    common = book.fact("words-per-token-english")
    per_second = book.of_claim("reading-250wpm")
    implied = per_second / book.of_claim("tokens-8-33")
    token_time = book.of_claim("io-14gb-per-token") / book.of_claim("most-below-1gbs")
    slow = HALF_WORD / (book.of_claim("seven-seconds-half-word") / token_time)
    return Outcome(
        (
            book.reading("the rule of thumb for English", common, "word_per_token"),
            book.reading("what 8.33 tokens per second at 250 words per minute imply", implied, "word_per_token"),
            book.reading("what 7 seconds for half a word at 1 GB/s imply", slow, "word_per_token"),
        ),
        "The article uses three conversions, and does not say so.",
    )


@rule("all-params-per-token", "active parameters / all parameters")
def all_params_per_token(book: Book) -> Outcome:
    """Dense models read all of their parameters; mixtures of experts do not."""
    sparse = ratio(book.fact("qwen3.5-397b-a17b-active-params"), book.fact("qwen3.5-397b-a17b-params"))
    small = ratio(
        book.value("models", "gpt-oss-20b", "active_param"), book.value("models", "gpt-oss-20b", "total_param")
    )
    total = book.value("models", "llama-7b", "total_param")
    dense = "the model is dense, decodes one sequence, and no draft model runs ahead"
    return Outcome(
        (
            book.reading("LLaMA-7B, a dense model", ratio(total, total), assumption=dense),
            book.reading("Qwen3.5-397B-A17B, a mixture of experts", sparse),
            book.reading("gpt-oss-20b, a mixture of experts", small),
        ),
        "Mixtures of experts were known in 2023 and are common today.",
        headline=book.number("Qwen3.5-397B-A17B, a mixture of experts", sparse),
        latest=sparse,
        latest_label="Qwen3.5-397B-A17B",
    )


@rule("params-too-big-to-cache", "M / (P·b)")
def params_too_big_to_cache(book: Book) -> Outcome:
    """Share of the weights that the largest cache of the phone would hold."""
    cache, newest = book.fact("a15-system-cache"), book.value("dies", "apple-a19-pro", "sram_byte")
    limit = book.criterion()
    half, quarter = (sram_density.cached_share(cache, weights(book, key)) for key in ("fp16", "int4"))
    return Outcome(
        (
            book.reading("share of the FP16 weights in the A15's system cache", half, "percent", below=limit),
            book.reading("share of the int4 weights in it", quarter, "percent", below=limit),
        ),
        "Caches hold a fixed share of weights that are read in a circle, so a larger cache helps only in proportion.",
        latest=sram_density.cached_share(newest, weights(book, "int4")),
        latest_label="int4 weights in all caches of the A19 Pro",
    )


def called(model_id: str) -> str:
    """Take a LLaMA as it is written."""
    return model_id.upper().replace("LLAMA", "LLaMA")


SIZES = ("llama-7b", "llama-13b", "llama-33b", "llama-65b")


@rule("larger-llama-better", "MMLU of a size / MMLU of the next smaller size")
def larger_llama_better(book: Book) -> Outcome:
    """Every step up in size scores more."""
    scores = [book.fact(f"mmlu-{size}") for size in SIZES]
    steps = list(zip(SIZES, SIZES[1:], scores, scores[1:], strict=False))
    return Outcome(
        tuple(
            book.reading(f"MMLU of {called(large)} over {called(small)}", ratio(better, worse), "ratio", above=1.0)
            for small, large, worse, better in steps
        ),
        lambda: f"The scores are {words.listing([spoken(100 * score) for score in scores])} of 100.",
    )


@rule("fp16-two-bytes", "bits / 8")
def fp16_two_bytes(book: Book) -> Outcome:
    """By definition of the formats."""
    return Outcome(tuple(book.reading(key.upper(), byte_per_param(book, key)) for key in ("fp16", "bf16")))


@rule("llama-7b-smallest", "P")
def llama_7b_smallest(book: Book) -> Outcome:
    """By its name, and by its exact count."""
    return Outcome(
        (
            book.reading(
                "parameters in its name",
                book.fact("llama-7b-nominal-params"),
                assumption="sizes are meant as models are named",
            ),
            book.reading("exact count of LLaMA-7B", book.value("models", "llama-7b", "total_param")),
        ),
        "Whether it was the smallest worth using is a judgement; the size is what is tested.",
        headline=book.number("exact count of LLaMA-7B", book.value("models", "llama-7b", "total_param")),
    )


@rule("weights-14gb", "P·b")
def weights_14gb(book: Book) -> Outcome:
    """Seven billion parameters, as the claim has it, at two bytes."""
    exact = weights(book, "fp16", exact=True)
    return Outcome(
        (book.reading("7 B parameters at two bytes", weights(book, "fp16")),),
        lambda: (
            f"With the exact count of LLaMA-7B it is {shown(exact, 'gbyte')}; the claim speaks of 7 billion, so that "
            "number decides."
        ),
        latest=weights(book, "int4"),
        latest_label="int4, as models are run on devices today",
    )


@rule("overheads-ignored", "KV = 2·L·K·d·bytes·T, over P·b")
def overheads_ignored(book: Book) -> Outcome:
    """Work out what the KV cache alone adds at the context of this edition."""
    context = book.parameter("context_token")
    cache = kv_cache.kv_cache_byte(kv_per_token(book, "llama-7b"), context)
    rounding = Statement.of(book.row("claims", "weights-14gb")).half
    added = book.reading(f"KV cache of {shown(context, 'token')}", cache, "gbyte", above=rounding)
    return Outcome(
        (added,),
        lambda: (
            f"The criterion is the rounding of the 14 GB; the cache is {shown(ratio(cache, weights(book, 'fp16')), 'percent')} "
            "of the weights."
        ),
        headline=added,
        latest=kv_cache.kv_cache_byte(
            kv_per_token(book, "llama-3.1-8b"), book.value("models", "llama-3.1-8b", "context_token")
        ),
        latest_unit="gbyte",
        latest_label="Llama 3.1 8B at its full context",
    )


def kv_per_token(book: Book, model_id: str) -> Number:
    """Bytes of 16-bit cache that a token adds."""
    layers, heads, width = (book.value("models", model_id, name) for name in ("n_layer", "n_kv_head", "head_dim"))
    byte = byte_per_param(book, "fp16")
    return kv_cache.kv_cache_byte_per_token(n_layer=layers, n_kv_head=heads, head_dim=width, kv_element_byte=byte)


QUANTISED = (
    ("LLaMA-7B, 8 bits", "perplexity-llama-7b-q8-0", "perplexity-llama-7b-f16"),
    ("LLaMA-7B, 4 bits", "perplexity-llama-7b-q4-0", "perplexity-llama-7b-f16"),
    ("Llama 2 70B, 4 bits", "perplexity-llama-2-70b-q4-k-m", "perplexity-llama-2-70b-f16"),
    ("Llama 2 70B, 2 bits", "perplexity-llama-2-70b-q2-k", "perplexity-llama-2-70b-f16"),
)


NEXT_TO_NOTHING = 0.001
"""A loss below a thousandth is called next to nothing."""


@rule("compression-not-free", "perplexity quantised / perplexity at 16 bits − 1")
def compression_not_free(book: Book) -> Outcome:
    """Every quantised model is a little worse; by how much differs widely."""
    losses = {label: ratio(book.fact(small), book.fact(full)) - 1 for label, small, full in QUANTISED}
    meant = "quantisation stands for all compression, and perplexity for accuracy"
    least, most = smallest(losses.values()), largest_of(losses.values())
    return Outcome(
        tuple(book.reading(label, loss, "percent", above=0.0, assumption=meant) for label, loss in losses.items()),
        lambda: (
            f"The price runs from {shown(least, 'percent', 1)} to {shown(most, 'percent', 2)}"
            f"{either(losses['LLaMA-7B, 8 bits'] < NEXT_TO_NOTHING, ', next to nothing at 8 bits', '')}."
        ),
        headline=book.number("LLaMA-7B at 4 bits", losses["LLaMA-7B, 4 bits"], "percent"),
    )


# -------------------------------------------------------------------------------------------------------- reading speed


@rule("reading-250wpm", "mean of fiction and non-fiction")
def reading_250wpm(book: Book) -> Outcome:
    """Take the mean of the two kinds of text that the review of 190 studies gives."""
    mean = (book.fact("reading-speed-non-fiction") + book.fact("reading-speed-fiction")) / 2
    low, high = book.fact("reading-speed-non-fiction-low"), book.fact("reading-speed-non-fiction-high")
    return Outcome(
        (book.reading("mean of fiction and non-fiction", mean),),
        lambda: (
            f"Most adults read non-fiction at {shown(low, 'word_per_min').partition(' ')[0]} to "
            f"{shown(high, 'word_per_min')}."
        ),
    )


def tokens_needed(book: Book, speed: str) -> Outcome:
    """Tokens per second for a reading speed: at the article's two tokens per word, and by the English rule of thumb."""
    assumed = book.parameter("token_per_word")
    rule_of_thumb = 1 / book.fact("words-per-token-english")
    plain = memory_wall.reading_token_per_s(book.parameter(speed), rule_of_thumb)
    return Outcome(
        (
            book.reading(
                f"{spoken(assumed, 2)} tokens per word",
                rate(book, speed),
                assumption=f"a word takes {spoken(assumed, 2)} tokens",
            ),
            book.reading(f"{spoken(rule_of_thumb, 2)} tokens per word, the rule for English", plain),
        ),
        "The article does not state how many tokens make a word.",
    )


rule("tokens-8-33", "r = words per minute / 60 · tokens per word")(
    lambda book: tokens_needed(book, "reading_speed_word_per_min")
)


@rule("tokens-33-3", "r = words per minute / 60 · tokens per word")
def tokens_33_3(book: Book) -> Outcome:
    """Reach the bound with the article's own conversion only; with a smaller one less is enough."""
    found, conversion = tokens_needed(book, "fast_reading_speed_word_per_min"), 1 / book.fact("words-per-token-english")
    fast = memory_wall.reading_token_per_s(book.parameter("fast_reading_speed_word_per_min"), conversion)
    reached = book.of_claim("tokens-33-3") * (1 - BOUND_SHARE)
    plain = book.reading(f"{spoken(conversion, 2)} tokens per word, the rule for English", fast, at_least=reached)
    return Outcome((found.readings[0], plain), found.context)


@rule("latency-120ms", "1 / r")
def latency_120ms(book: Book) -> Outcome:
    """Take the inverse of the article's rate."""
    return Outcome(
        (book.reading("one token at the rate before", memory_wall.time_per_token_s(book.of_claim("tokens-8-33"))),)
    )


@rule("latency-30ms", "1 / r")
def latency_30ms(book: Book) -> Outcome:
    """Take the inverse of the article's rate."""
    return Outcome(
        (book.reading("one token at the rate before", memory_wall.time_per_token_s(book.of_claim("tokens-33-3"))),)
    )


@rule("speed-1000wpm", "fastest speed of trained readers")
def speed_1000wpm(book: Book) -> Outcome:
    """What trained speed readers reach: with comprehension, and where they are content to skim."""
    understood, skimmed = (book.fact(f"reading-speed-trained-{way}") for way in ("with-comprehension", "skimming"))
    claimed, ceiling = book.of_claim("speed-1000wpm"), book.fact("reading-speed-ceiling")
    return Outcome(
        (
            book.reading(
                "speed readers who understand three quarters of an easy text, at most", understood, at_least=claimed
            ),
            book.reading("speed readers who skim and understand less, more than", skimmed, at_least=claimed),
        ),
        lambda: (
            f"Whether skimming is reading is not said. Reading with comprehension above {shown(ceiling, 'word_per_min')} "
            "is held to be impossible."
        ),
    )


# --------------------------------------------------------------------------------------------------- the largest model


@rule("half-the-bandwidth", "P·b·tokens per second / BW")
def half_the_bandwidth(book: Book) -> Outcome:
    """Work out what a shipping model takes of a phone's bandwidth, and what it leaves."""
    param, speed = book.fact("apple-foundation-2024-params"), book.fact("apple-foundation-2024-speed")
    byte = memory_wall.byte_per_param(book.fact("apple-foundation-2024-bits"))
    needed = memory_wall.bandwidth_needed_byte_per_s(param, token_per_s=speed, byte_per_param=byte)
    used = ratio(needed, book.value("devices", "iphone-15-pro", "memory_bandwidth_byte_per_s"))
    half = book.of_claim("half-the-bandwidth")
    return Outcome(
        (
            book.reading(
                "taken by the weights of Apple's model while it answers on an iPhone 15 Pro", used, at_most=half
            ),
            book.reading("then left to everything else", 1 - used, at_most=half),
        ),
        "An assistant in the foreground gets more than half; how much other programs would want is not measured. "
        "Apple states the "
        "speed to be without a draft model.",
    )


def phone_model(book: Book, format_id: str) -> Outcome:
    """Take the largest model of the article's phone, and of the newest one."""
    newest = newest_device(book, device_class="phone", vendor="Apple")
    found = largest(book, "iphone-14", format_id)
    weight = memory_wall.weight_byte(found, byte_per_param(book, format_id))
    memory = book.value("devices", "iphone-14", "memory_capacity_byte")
    return Outcome(
        (book.reading(f"iPhone 14 at {format_id.upper().replace('INT', 'int')}", found),),
        lambda: (
            f"Its {shown(weight, 'gbyte')} {either(weight < memory, 'fit', 'do not fit')} the "
            f"{shown(memory, 'gibyte')} of the phone, "
            f"so {either(weight < memory, 'bandwidth', 'capacity')} is the limit."
        ),
        latest=largest(book, newest, format_id),
        latest_label=named(book, newest),
    )


rule("iphone14-1b-fp16", "P_max = s·BW / (b·r)")(lambda book: phone_model(book, "fp16"))
rule("iphone14-4b-int4", "P_max = s·BW / (b·r)")(lambda book: phone_model(book, "int4"))


@rule("larger-excludes-base")
def larger_excludes_base(book: Book) -> Outcome:
    """Adoption is no number of the article; what Apple shut out since is shown."""
    below = book.value("installed_base", "iphones-below-memory-2026-06-8gb", "device_count")
    need = book.fact("apple-intelligence-minimum-dram")
    return Outcome(
        (),
        lambda: (
            f"A judgement of the market. Apple has since shipped a model that needs {shown(need, 'gibyte')}; about "
            f"{spoken(below / MILLION, 2)} million iPhones in use had less in June 2026."
        ),
        latest=below,
        latest_unit="phone",
        latest_label=f"in use with less than {shown(need, 'gibyte')}",
    )


MILLION = 1e6


@rule("fundamental-limit", "P_max = s·BW / (b·r), against what Apple ships")
def fundamental_limit(book: Book) -> Outcome:
    """Apple's larger model of 2026 by the parameters it reads, and by all of them."""
    newest = newest_device(book, device_class="phone", vendor="Apple")
    half, quarter = (largest(book, newest, key) for key in ("fp16", "int4"))
    active = book.fact("apple-foundation-3-advanced-active-params-high")
    total = book.fact("apple-foundation-3-advanced-params")
    return Outcome(
        (
            book.reading("parameters Apple's model of 2026 reads per token, at most", active, "param", at_most=quarter),
            book.reading("all its parameters, kept in flash", total, "param", at_most=quarter),
        ),
        lambda: (
            f"The limit of the {named(book, newest)} is {shown(half, 'param')} at FP16 and {shown(quarter, 'param')} "
            "at int4; it bounds what "
            "is read per token, not what a model knows."
        ),
        headline=book.number(f"{named(book, newest)}, FP16 to int4", half, "param", high=quarter),
        latest=quarter,
        latest_unit="param",
        latest_label=f"{named(book, newest)}, int4",
    )


MONTH_DAYS = 365.25 / 12


def months(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Months from one day to another."""
    return float((end - start).days) / MONTH_DAYS


@rule("apple-upsell", "months from the article to the announcement")
def apple_upsell(book: Book) -> Outcome:
    """Months to the first AI that needed a newer phone; what counts as soon is not said."""
    day = book.date("article-published")
    first = months(day, book.date("apple-intelligence-announced"))
    later = months(day, book.date("apple-foundation-3-announced"))
    return Outcome(
        (book.reading("months to Apple Intelligence", first, "month", above=book.criterion()),),
        lambda: f"A second step up, a model that needs still more memory, came after {shown(later, 'month', 2)}.",
        latest=later,
        latest_unit="month",
        latest_label="to the model that needs 12 GiB",
    )


@rule("pc-3-to-4b", "P_max = s·BW / (b·r)")
def pc_3_to_4b(book: Book) -> Outcome:
    """Two processors in two formats: the article does not say which format it means."""
    names = {"desktop-core-i9-13900k-32gb": "Core i9-13900K", "macbook-air-m2-8gb": "M2"}
    readings = [
        book.reading(f"{name} at {label}", largest(book, key, format_id))
        for format_id, label in (("fp16", "FP16"), ("int4", "int4"))
        for key, name in names.items()
    ]
    newest = newest_device(book, device_class="laptop", chip="M5")
    return Outcome(
        tuple(readings),
        "The number format is not stated; at 4 bits both take four times as much.",
        headline=book.number("both at FP16", readings[0].value, high=readings[1].value),
        latest=largest(book, newest, "fp16"),
        latest_label=f"{chip(book, newest)}, FP16",
    )


@rule("lower-bounds-wording", "P_max and BW at the fast reader's speed over those at the usual one")
def lower_bounds_wording(book: Book) -> Outcome:
    """Work out what happens to the figures when a left-out demand is added: the model shrinks, the bandwidth grows."""
    fast = rate(book, "fast_reading_speed_word_per_min")
    size = ratio(largest(book, "iphone-14", "fp16", token_per_s=fast), largest(book, "iphone-14", "fp16"))
    demand = {"model_param": book.of_claim("iphone14-1b-fp16"), "byte_per_param": byte_per_param(book, "fp16")}
    needed = [memory_wall.bandwidth_needed_byte_per_s(**demand, token_per_s=speed) for speed in (rate(book), fast)]
    return Outcome(
        (
            book.reading("size of the model under a harder demand, over the figure", size, "ratio", at_least=1.0),
            book.reading(
                "bandwidth needed under a harder demand, over the figure",
                ratio(needed[1], needed[0]),
                "ratio",
                at_least=1.0,
            ),
        ),
        "The sizes are upper bounds; what is a lower bound is the bandwidth they need.",
    )


@rule("kv-counted-or-ignored", "P_max with all of the bandwidth, against the article's number")
def kv_counted_or_ignored(book: Book) -> Outcome:
    """Without a reserve the model would be twice as large: the article's number contains the reserve."""
    share, article = book.parameter("bandwidth_share"), book.of_claim("iphone14-1b-fp16")
    without, reserved = largest(book, "iphone-14", "fp16", share=1.0), largest(book, "iphone-14", "fp16")
    off = np.abs(ratio(without, article) - 1)
    return Outcome(
        (
            book.reading(
                "distance of the model without any reserve from the article's number",
                off,
                "percent",
                below=book.criterion(),
            ),
        ),
        lambda: (
            f"Nothing set aside gives {shown(without, 'param')}; with {shown(1 - share, 'percent')} set aside it is "
            f"{shown(reserved, 'param')}, "
            f"{either(np.abs(ratio(reserved, article) - 1) < off, 'the number printed', 'further from the number printed')}. "
            "An earlier passage puts cache and activations into that part."
        ),
    )


@rule("theoretical-io", "measured bandwidth / datasheet bandwidth")
def theoretical_io(book: Book) -> Outcome:
    """Take the best of all trusted measurements, and the middle one."""
    table = book.table("measurements_bandwidth")
    table = table[table["quality"].isin(["a", "b"])]
    reached = table["measured_byte_per_s"] / table["datasheet_byte_per_s"]
    known = table.assign(reached=reached)
    best = str(ranking.first(known, "reached", "measurement_id", falling={"reached"})["measurement_id"])
    top = ratio(
        *(book.value("measurements_bandwidth", best, f"{kind}_byte_per_s") for kind in ("measured", "datasheet"))
    )
    dropped = len(book.table("measurements_bandwidth")) - len(table)
    return Outcome(
        (
            book.reading(
                f"the best of {len(table)} measurements, {book.text('measurements_bandwidth', best, 'chip')}",
                top,
                "percent",
                below=1.0,
            ),
        ),
        lambda: (
            f"The middle one reaches {shown(float(reached.median()), 'percent')}. Left out are "
            f"{words.plural(dropped, 'reading')} above the "
            "datasheet or otherwise doubtful, each with its reason in the table."
        ),
    )


@rule("next-year-hardware", "months to sale, and bandwidth over the part before")
def next_year_hardware(book: Book) -> Outcome:
    """When the two parts came, and by how much they moved the limit."""
    day = book.date("article-published")
    apple = pd.Timestamp(book.text("devices", "macbook-pro-14-m3-max-16c-128gb", "release_date"))
    amd, end = book.date("ryzen-ai-max-395-announced"), months(day, pd.Timestamp(f"{day.year + 1}-12-31"))
    apple_gain = bandwidth_gain(book, "macbook-pro-14-m3-max-16c-128gb", "macbook-pro-16-m1-max-32gb")
    amd_gain = bandwidth_gain(book, "framework-desktop-ryzen-ai-max-395-128gb", "desktop-core-i9-13900k-32gb")
    sizes = [
        largest(book, f"{key}-128gb", "fp16")
        for key in ("framework-desktop-ryzen-ai-max-395", "macbook-pro-14-m3-max-16c")
    ]
    return Outcome(
        (
            book.reading("months to Apple's M3 Max", months(day, apple), "month", at_most=end),
            book.reading("months to the announcement of AMD's Ryzen AI Max", months(day, amd), "month", at_most=end),
            book.reading("bandwidth of the M3 Max over the M1 Max of 2021", apple_gain, "ratio", above=1.0),
            book.reading("bandwidth of the Ryzen AI Max over a desktop of 2022", amd_gain, "ratio", above=1.0),
        ),
        lambda: (
            "The article's free part names no product. Taken for Apple's and AMD's parts that came, one was in time and "
            f"{either(apple_gain > 1, 'faster', 'no faster')} than its forerunner, the other "
            f"{either(amd_gain > 1, 'faster', 'no faster')} and "
            f"{either(months(day, amd) > end, 'late', 'in time')}."
        ),
        headline=book.number("largest model at FP16 on the two parts", sizes[0], "param", high=sizes[1]),
        latest=sizes[1],
        latest_unit="param",
        latest_label="M3 Max, FP16",
    )


def bandwidth_gain(book: Book, device_id: str, before: str) -> Number:
    """Bandwidth of a device over that of the one before it."""
    return ratio(*(book.value("devices", key, "memory_bandwidth_byte_per_s") for key in (device_id, before)))
