"""The claims about what devices hold in memory."""

from __future__ import annotations

from analysis.claims.engine import Book, rule
from analysis.claims.readings import Outcome
from analysis.claims.statements import shown, spoken
from analysis.equations import dram_capacity
from analysis.subjects.lookups import either, named, newest_device, ratio, weights


@rule("iphone14promax-6gb", "C")
def iphone14promax_6gb(book: Book) -> Outcome:
    """Take the phone itself."""
    newest = newest_device(book, device_class="phone", vendor="Apple")
    top, plain = (book.value("devices", key, "memory_capacity_byte") for key in ("iphone-14-pro-max", "iphone-14"))
    return Outcome(
        (book.reading("iPhone 14 Pro Max", top),),
        lambda: f"The plain iPhone 14 has {either(top > plain, 'less', 'as much')}.",
        latest=book.value("devices", newest, "memory_capacity_byte"),
        latest_label=named(book, newest),
    )


@rule("modal-iphone-3gb", "memory of the model used most")
def modal_iphone_3gb(book: Book) -> Outcome:
    """Take the most used model by web traffic; shares by amount of memory are not published."""
    share = book.fact("iphone-11-usage-share-2023-q2")
    return Outcome(
        (book.reading("iPhone 11, the model used most", book.fact("iphone-11-dram")),),
        lambda: (
            f"That model had {shown(share, 'percent')} of smartphone traffic. The most common model need not have "
            "the most common amount, so "
            "this is inferred; the iPhone 12, 13 and the third SE have the same memory, which makes it safe."
        ),
    )


MAJORITY = 0.5
"""Most, as the article has it, is more than half."""


@rule("pc-majority-8gb", "x = (larger − mean) / (larger − smaller)")
def pc_majority_8gb(book: Book) -> Outcome:
    """Share of the smaller size that the mean implies if only two sizes were sold."""
    sizes = {"smaller_byte": book.of_claim("pc-majority-8gb"), "larger_byte": book.fact("article-high-end-pc-dram")}
    then, later = (
        dram_capacity.smaller_size_share(book.fact(f"notebook-average-dram-{year}"), **sizes)
        for year in ("2023", "2024")
    )
    mean = book.fact("notebook-average-dram-2023")
    only = "only these two sizes were sold, and notebooks stand for all PCs"
    return Outcome(
        (book.reading("share of the smaller size", then, "percent", above=MAJORITY, assumption=only),),
        lambda: f"A notebook sold in 2023 had {shown(mean, 'gibyte')} on average.",
        latest=later,
        latest_unit="percent",
        latest_label="forecast for 2024",
    )


@rule("typical-cannot-run-7b", "P·b / C")
def typical_cannot_run_7b(book: Book) -> Outcome:
    """Take the weights over the memory of the article's own typical devices."""
    weight, small, pc = weights(book, "fp16"), weights(book, "int4"), book.of_claim("pc-majority-8gb")
    phone = book.value("devices", "iphone-14", "memory_capacity_byte")
    return Outcome(
        (
            book.reading("FP16 weights over the memory of the usual PC", ratio(weight, pc), "ratio", above=1.0),
            book.reading("FP16 weights over the memory of an iPhone 14", ratio(weight, phone), "ratio", above=1.0),
        ),
        lambda: (
            f"At int4 the same weights take {shown(small, 'gbyte')}, "
            f"{spoken(ratio(small, pc) * 100, 2)} % of the PC's memory: "
            f"{either(small < pc, 'they fit', 'they do not fit')}."
        ),
        headline=book.number("FP16 weights", weight, "gbyte"),
    )
