"""The claims about weights kept in storage."""

from __future__ import annotations

from analysis import ranking
from analysis.claims.engine import Book, rule
from analysis.claims.readings import Outcome
from analysis.claims.statements import shown
from analysis.equations import storage_io
from analysis.equations.ranges import Result as Number
from analysis.subjects.lookups import byte_per_param, either, month, named, rate, weights

ONE_A_SECOND = "the model gives one token per second"


@rule("io-14gb-per-token", "IO = r·P·b")
def io_14gb_per_token(book: Book) -> Outcome:
    """Give the rate a time: at one token per second, and at reading speed."""
    weight, fastest = weights(book, "fp16"), book.fact("ssd-fastest-2026")
    slow, reading = (storage_io.io_needed_byte_per_s(weight, speed) for speed in (1.0, rate(book)))
    return Outcome(
        (
            book.reading("at one token per second", slow, assumption=ONE_A_SECOND),
            book.reading("at reading speed", reading),
        ),
        "The sentence leaves out the time.",
        latest=storage_io.streamed_token_per_s(weight, fastest),
        latest_unit="token_per_s",
        latest_label="from the fastest drive of 2026",
    )


@rule("token-4-chars", "characters per token")
def token_4_chars(book: Book) -> Outcome:
    """Take the rule of thumb for English."""
    return Outcome((book.reading("rule of thumb for English", book.fact("characters-per-token-english")),))


@rule("fastest-ssd-6gbs", "sequential reads of drives on sale before the article")
def fastest_ssd_6gbs(book: Book) -> Outcome:
    """Drives one could buy on the day of the article."""
    drives = {
        "ssd-samsung-990-pro": "Samsung 990 Pro, PCIe 4.0", "ssd-first-pcie-5": "the first PCIe 5.0 drives",
        "ssd-samsung-980-pro": "Samsung 980 Pro, PCIe 4.0",
    }  # fmt: skip
    readings = [book.reading(label, book.fact(key)) for key, label in drives.items()]
    later = book.fact("ssd-crucial-t700")
    return Outcome(
        tuple(readings),
        lambda: (
            f"A drive of {shown(later, 'gbyte_per_s')} went on sale two weeks after the article and is not counted."
        ),
        latest=book.fact("ssd-fastest-2026"),
        latest_label="fastest drive of 2026",
    )


@rule("most-below-1gbs", "sequential reads")
def most_below_1gbs(book: Book) -> Outcome:
    """Older phones by the limit of their storage, newer ones as measured before the article."""
    table = book.table("devices")
    until = month(book.date("article-published"))
    phones = table[
        (table["device_class"] == "phone") & table["storage_read_byte_per_s"].notna() & (table["release_date"] <= until)
    ]
    measured = [
        book.reading(
            f"{row['name']}, measured", book.value("devices", str(row["device_id"]), "storage_read_byte_per_s")
        )
        for _, row in phones.iterrows()
    ]
    today = table[(table["device_class"] == "phone") & table["storage_read_byte_per_s"].notna()]
    newest = str(ranking.by(today, "release_date", "device_id")["device_id"].iloc[-1])
    return Outcome(
        (book.reading("phones with UFS 2.1, at its limit", book.fact("ufs-2.1-read")), *measured),
        "Which kind makes up most devices in use is not known: no count of devices by storage was found.",
        latest=book.value("devices", newest, "storage_read_byte_per_s"),
        latest_label=named(book, newest),
    )


@rule("ssd-2b-int4", "P_max = IO / (r·b)")
def ssd_2b_int4(book: Book) -> Outcome:
    """At one token per second, and at reading speed."""
    drive, byte = book.of_claim("most-below-1gbs"), byte_per_param(book, "int4")
    slow, reading = (
        storage_io.largest_model_param(drive, token_per_s=speed, byte_per_param=byte) for speed in (1.0, rate(book))
    )
    today = storage_io.largest_model_param(book.fact("ssd-fastest-2026"), token_per_s=rate(book), byte_per_param=byte)
    return Outcome(
        (
            book.reading("at one token per second", slow, assumption=ONE_A_SECOND),
            book.reading("at reading speed", reading),
        ),
        "The speed that counts as usable is not stated; it is not the reading speed of the passages that follow.",
        latest=today,
        latest_label="fastest drive of 2026, at reading speed",
    )


HALF_WORD = 0.5
"""As the claim says it."""
TWICE = 2


@rule("seven-seconds-half-word", "words · tokens per word · P·b / IO")
def seven_seconds_half_word(book: Book) -> Outcome:
    """Four readings; only the first uses the numbers of the passage it stands in."""
    tokens, drive = book.parameter("token_per_word"), book.of_claim("most-below-1gbs")

    def waiting(format_id: str, speed: Number, token_per_word: Number) -> Number:
        step = storage_io.time_per_output_token_s(weights(book, format_id), speed)
        return storage_io.waiting_time_s(HALF_WORD, token_per_word=token_per_word, time_per_output_token_s=step)

    fastest = book.fact("ssd-fastest-2026")
    return Outcome(
        (
            book.reading("7 B at FP16, 1 GB/s, the article's tokens per word", waiting("fp16", drive, tokens)),
            book.reading("the same at int8", waiting("int8", drive, tokens)),
            book.reading("the same at FP16 from storage twice as fast", waiting("fp16", TWICE * drive, tokens)),
            book.reading("the same at FP16 with a token for a word", waiting("fp16", drive, 1.0)),
        ),
        "Neither the size of the model nor the speed of the storage is stated.",
        headline=book.number("three of the readings", waiting("int8", drive, tokens)),
        latest=waiting("fp16", fastest, tokens),
        latest_label="FP16 from the fastest drive of 2026",
    )


@rule("must-be-in-ram", "tokens per second = IO / bytes per token, against reading speed")
def must_be_in_ram(book: Book) -> Outcome:
    """Dense weights streamed whole, and the experts of a sparse model."""
    needed, drive = rate(book), book.fact("ssd-fastest-2026")
    dense = storage_io.streamed_token_per_s(weights(book, "int4"), drive)
    fetched = (
        book.fact("flash-moe-experts-per-token") * book.fact("flash-moe-layers") * book.fact("flash-moe-expert-size")
    )
    claimed = book.value("measurements_storage", "storage-022", "storage_read_byte_per_s")
    ceiling = storage_io.streamed_token_per_s(fetched, claimed)
    printed = book.value("devices", "macbook-pro-16-m5-max-128gb", "storage_read_byte_per_s")
    phone, speed = (book.value("measurements_storage", key, "token_per_s") for key in ("storage-056", "storage-022"))
    whole = "the model is dense and read whole for every token"
    return Outcome(
        (
            book.reading(
                "7 B at int4 from the fastest drive of 2026", dense, "token_per_s", below=needed, assumption=whole
            ),
            book.reading(
                "ceiling of a sparse model's experts, at the drive speed its authors name",
                ceiling,
                "token_per_s",
                below=needed,
            ),
        ),
        lambda: (
            f"Streaming only the experts that a token needs would allow at most {shown(ceiling, 'token_per_s')}, at "
            "a drive speed that is "
            f"{either(claimed > printed, 'more', 'no more')} than Apple prints for a later generation. "
            f"Measured were {shown(speed, 'token_per_s')}, with "
            f"{shown(book.fact('flash-moe-page-cache-hits'), 'percent')} of the reads served by memory. A firmer "
            "counter-example is a phone that "
            f"ran 47 B sparse parameters at {shown(phone, 'token_per_s')}, "
            f"{either(phone >= needed, 'faster', 'slower')} than one reads."
        ),
        headline=book.number("ceiling of the sparse model", ceiling, "token_per_s"),
        latest=phone,
        latest_unit="token_per_s",
        latest_label="47 B sparse, on a phone",
    )
