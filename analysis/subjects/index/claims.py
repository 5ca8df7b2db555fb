"""The claims that set the scene: large models in the data centre, small ones on devices, and why anyone wants those."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import ranking
from analysis.claims.engine import Book, not_checkable, rule
from analysis.claims.readings import Outcome, Reading
from analysis.claims.statements import shown, spoken
from analysis.equations import dram_capacity, memory_wall
from analysis.equations.ranges import Result as Number
from analysis.subjects.lookups import (
    byte_per_param,
    chip,
    either,
    largest,
    largest_of,
    rate,
    ratio,
    smallest,
    top_device,
)


def chip_count(book: Book, model_byte: Number, accelerator_id: str) -> Number:
    """Whole chips whose memories together hold so many bytes."""
    capacity = book.value("accelerators", accelerator_id, "memory_capacity_byte")
    return np.ceil(dram_capacity.device_count(model_byte, capacity))


@rule("gpt4-multiple-servers", "servers = ⌈P·b / (chips per server · C)⌉")
def gpt4_multiple_servers(book: Book) -> Outcome:
    """Count servers by the memory the leaked size needs, and by the leaked cluster."""
    per_server = book.fact("gpus-per-server")
    weight = memory_wall.weight_byte(book.fact("gpt-4-params-rumoured"), byte_per_param(book, "fp16"))
    by_memory = np.ceil(chip_count(book, weight, "nvidia-a100-sxm4-80gb") / per_server)
    by_cluster = np.ceil(book.fact("gpt-4-inference-gpus-reported") / per_server)
    leak = "the leaked size of GPT-4 is right"
    return Outcome(
        (
            book.reading("servers of A100 that hold the weights at 16 bits", by_memory, assumption=leak),
            book.reading("servers in the leaked cluster", by_cluster, assumption=leak),
        ),
        "OpenAI never confirmed the size, and the leak comes from the publisher of the article, two months later.",
        latest=np.ceil(chip_count(book, weight, "nvidia-b200") / per_server),
        latest_label="servers of B200",
    )


OWN = "semianalysis"
"""The publisher of the article."""
BOARD = "board"
"""The scope of a board without its host, which is no server."""


@rule("gpt4-server-price", "price of the servers of eight A100 or H100 dated up to the end of the article's year")
def gpt4_server_price(book: Book) -> Outcome:
    """Hold the price against every server of that kind on the market, the one dated nearest to the article first."""
    table, day = book.table("servers"), book.date("article-published")
    table = table[table["accelerator_id"].isin(["nvidia-a100-sxm4-80gb", "nvidia-h100-sxm5-80gb"])]
    table = table[(table["scope"] != BOARD) & table["price_usd"].notna() & (table["date"] <= f"{day.year}-12")]
    away = (pd.to_datetime(table["date"], format="mixed") - day).abs()
    ids = list(ranking.by(table.assign(away=away), "away", "server_id")["server_id"])
    readings = [server_price(book, key, nearest=key == ids[0]) for key in ids]
    prices, source = [reading.value for reading in readings], book.text("servers", ids[0], "source_id")
    return Outcome(
        tuple(readings),
        lambda: (
            f"The kind of server is not named. Prices of that time run from {shown(smallest(prices), 'usd')} to "
            f"{shown(largest_of(prices), 'usd')}; the one dated nearest to the article "
            f"{either(OWN in source, 'comes from its own publisher', 'is independent of it')}."
        ),
        latest=book.value("servers", "dgx-b200-2024", "price_usd"),
        latest_label="DGX B200",
    )


def server_price(book: Book, key: str, *, nearest: bool) -> Reading:
    """One server's price; the one nearest in date is the assumed one."""
    row = book.row("servers", key)
    meant = f"a {row['name']} at the price of its month is meant" if nearest else ""
    return book.reading(f"{row['name']}, {row['date']}", book.value("servers", key, "price_usd"), assumption=meant)


@rule("palm-64-tpu", "chips = ⌈P·b / C⌉")
def palm_64_tpu(book: Book) -> Outcome:
    """Chips that hold PaLM, and twice as many for latency and the cache."""
    weight = memory_wall.weight_byte(book.value("models", "palm-540b", "total_param"), byte_per_param(book, "bf16"))
    holding = chip_count(book, weight, "google-tpu-v4")
    used = book.value("pope_tables", "td3-palm-540b-total-b256", "n_chip")
    why = "speed and the KV cache want more chips than the weights alone, as in the installation Google measured"
    return Outcome(
        (
            book.reading("TPU v4 that hold the weights at 16 bits", holding),
            book.reading("TPU v4 in the measured installation", used, assumption=why),
        ),
        "The count that fits the weights takes the memory of a TPU v4 as binary, the way Google prints it.",
        headline=book.number("TPU v4 that hold the weights at 16 bits", holding),
        latest=chip_count(book, weight, "google-tpu-v7"),
        latest_label="TPU v7 that hold the weights",
    )


@rule("palm-16-cpu", "hosts = TPUs / chips per tray · hosts per tray")
def palm_16_cpu(book: Book) -> Outcome:
    """Count hosts by trays."""
    trays = book.of_claim("palm-64-tpu") / book.fact("tpu-v4-chips-per-tray")
    hosts = trays * book.fact("tpu-v4-hosts-per-tray")
    return Outcome((book.reading("one host for a tray of TPU v4", hosts, assumption="every tray has one CPU host"),))


@rule("meta-128-gpus", "GPUs reported for training; GPUs = ⌈P·b / C⌉ for serving from their memory alone")
def meta_128_gpus(book: Book) -> Outcome:
    """Take the number reported, which is for training, and count what serving from GPU memory alone would need."""
    training, format_id = book.fact("meta-dlrm-training-gpus"), "fp16"
    weight = memory_wall.weight_byte(book.fact("meta-dlrm-params"), byte_per_param(book, format_id))
    holding = chip_count(book, weight, "nvidia-a100-sxm4-80gb")
    trained = book.reading("GPUs on which Meta reports training such models", training)
    return Outcome(
        (trained, book.reading("A100 that would hold them at 16 bits in their own memory, to serve them", holding)),
        "The paper spreads the models over GPU memory, DRAM and SSD, and names no number for serving: the number is right, "
        "what it is a number of is open.",
        headline=trained,
    )


DOWNLOADED = "q4-k-m"
"""The four-bit format that people download most, scales and mixed tensors included."""


@rule(
    "never-on-laptops", "P_max = BW / (b·r) and C / b, at four bits as downloaded, against a share of PaLM's parameters"
)
def never_on_laptops(book: Book) -> Outcome:
    """By bandwidth, by capacity, and by what a sparse model already does."""
    limit = book.criterion() * book.value("models", "palm-540b", "total_param")
    laptop = top_device(book, device_class="laptop")
    read, name = largest(book, laptop, DOWNLOADED, share=1.0), f"laptop with {chip(book, laptop)}"
    capacity = book.value("devices", laptop, "memory_capacity_byte")
    held = dram_capacity.largest_model_param(capacity, byte_per_param(book, DOWNLOADED))
    sparse = book.fact("qwen3.5-397b-a17b-params")
    by_bandwidth = book.reading(f"a dense model that a {name} reads at reading speed", read, "param", below=limit)
    return Outcome(
        (
            by_bandwidth,
            book.reading(f"a dense model that fits a {name}, at any speed", held, "param", below=limit),
            book.reading(
                "a sparse model that ran on a laptop, all its parameters counted", sparse, "param", below=limit
            ),
        ),
        lambda: f"{sparse_run(book)} The five years end in May 2028.",
        headline=by_bandwidth,
        latest=read,
        latest_label=f"{name}, four bits as downloaded, all its bandwidth",
    )


def sparse_run(book: Book) -> str:
    """Work out what is to be said about the sparse model on a laptop."""
    speed = book.value("measurements_storage", "storage-022", "token_per_s")
    used = book.fact("flash-moe-experts-per-token")
    trained = book.fact("qwen3.5-397b-a17b-experts-per-token")
    pace = either(speed < rate(book), "slower than one reads", "as fast as one reads")
    full = either(used < trained, f", with {used:.0f} experts per layer where it was trained with {trained:.0f}", "")
    return f"The sparse model ran at {shown(speed, 'token_per_s')}, {pace}{full}."


@rule("ads-four-of-five", "advertising revenue / revenue")
def ads_four_of_five(book: Book) -> Outcome:
    """Share of advertising in the revenue of the three companies that publish it."""
    revenue, criterion = book.fact("alphabet-revenue-2022"), book.criterion()
    own = ratio(book.fact("alphabet-search-revenue-2022") + book.fact("alphabet-youtube-ads-revenue-2022"), revenue)
    shares = {
        "Alphabet, search and YouTube": own,
        "Alphabet, all advertising": ratio(book.fact("alphabet-advertising-revenue-2022"), revenue),
        "Meta": book.fact("meta-advertising-share-2022-q4"),
        "Baidu, second quarter": ratio(
            book.fact("baidu-advertising-revenue-2022-q2"), book.fact("baidu-revenue-2022-q2")
        ),
    }
    stands = "revenue stands for profit, and three companies for four"
    return Outcome(
        tuple(
            book.reading(name, share, "percent", above=criterion, assumption=stands) for name, share in shares.items()
        ),
        "The article speaks of profit, which the companies do not split this way; ByteDance was not checked.",
    )


@rule("idfa", "loss expected by Meta for 2022")
def idfa(book: Book) -> Outcome:
    """Take the loss, and its share of revenue."""
    loss = book.fact("meta-idfa-loss-2022")
    share = ratio(loss, book.fact("meta-revenue-2022"))
    return Outcome(
        (book.reading("loss named by Meta's chief financial officer", loss),),
        lambda: (
            f"That is {shown(share, 'percent')} of the revenue of that year. He said it in February 2022, before the "
            "year was over."
        ),
    )


@rule("small-models-last-gen", "MMLU of the small model / MMLU of the large one")
def small_models_last_gen(book: Book) -> Outcome:
    """Take a model of early 2023 against one of 2020, by the same examination."""
    small, large = book.value("models", "llama-13b", "total_param"), book.value("models", "gpt-3-175b", "total_param")
    scores = ratio(book.fact("mmlu-llama-13b"), book.fact("mmlu-gpt-3-175b"))
    size = ratio(large, small)
    return Outcome(
        (book.reading("score of LLaMA-13B over that of GPT-3", scores, "ratio", above=1.0),),
        lambda: f"GPT-3 has {spoken(size)} times the parameters.",
        headline=book.number("size of GPT-3 over LLaMA-13B", size, "ratio"),
    )


not_checkable(
    "local-speech-and-assistants",
    "A judgement of quality: the article names no measure, and none was found that is fair to both sides.",
)
not_checkable(
    "discussion-and-bimodal", "Neither attention nor investment by model size is counted in any source found."
)
not_checkable("deployment-harder", "The article names neither the ways nor a measure.")
not_checkable(
    "speech-upgrade-coming",
    "The article names no feature, no date and no measure; it reports what a conference suggests.",
)
not_checkable("privacy-and-tuning", "A forecast without a date.")


WHISPER = ("base", "small")
"""The sizes that early programs for phones used."""


@rule("whisper-on-phones", "memory of Whisper / memory of the phone")
def whisper_on_phones(book: Book) -> Outcome:
    """Whether the model fits the memory of the phone used most."""
    phone = book.fact("iphone-11-dram")
    large = ratio(book.fact("whisper-large-memory"), phone)
    return Outcome(
        tuple(
            book.reading(
                f"memory that Whisper {size} takes, of an iPhone 11", ratio(book.fact(f"whisper-{size}-memory"), phone),
                "percent", below=1.0,
            )
            for size in WHISPER
        ),
        lambda: f"Its largest size would take {shown(large, 'percent')}. A program of 2022 is shown running on an iPhone "
        "without a network; how fast the field changes is not tested.",
    )  # fmt: skip


@rule("no-dgpu")
def no_dgpu(book: Book) -> Outcome:
    """No number decides "never"; the market's own forecast is shown."""
    share = book.fact("pc-dgpu-share-forecast-2023-q4")
    return Outcome(
        (),
        lambda: (
            f"A forecast without a date. Phones have no discrete GPU; of PCs, {shown(share, 'percent')} were "
            "expected to have one "
            f"in five years, as seen at the end of 2023."
        ),
        latest=share,
        latest_unit="percent",
        latest_label="of PCs, forecast",
    )
