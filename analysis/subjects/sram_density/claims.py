"""The claims about memory on the chip."""

from __future__ import annotations

from analysis import ranking
from analysis.claims.engine import Book, not_checkable, rule
from analysis.claims.readings import Outcome
from analysis.claims.statements import shown
from analysis.equations import sram_density
from analysis.equations.constants import BIT_PER_BYTE
from analysis.equations.ranges import Result as Number
from analysis.subjects.lookups import either, largest_of, ratio, smallest, weights

CELLS = {"tsmc-n3e-hd": "N3E", "tsmc-n3-hd": "N3"}


def cell_density(book: Book, cell_id: str) -> Number:
    """Bits on a square millimetre of bare cells."""
    return sram_density.macro_density_bit_per_mm2(book.value("sram_bitcells", cell_id, "bitcell_area_mm2"))


def capacity(book: Book, density: Number) -> Number:
    """Bytes on the article's area."""
    return sram_density.sram_capacity_byte(book.of_claim("a17-about-100mm2"), density)


@rule("sram-per-100mm2", "M = A / (8·a_cell)")
def sram_per_100mm2(book: Book) -> Outcome:
    """Bare cells of both kinds of TSMC's 3 nm process."""
    return Outcome(
        tuple(
            book.reading(f"bare {name} cells", capacity(book, cell_density(book, key))) for key, name in CELLS.items()
        ),
        latest=capacity(book, cell_density(book, "tsmc-n2-hd")),
        latest_label="N2, bare cells",
    )


@rule("sram-overhead", "density of the macro / density of bare cells")
def sram_overhead(book: Book) -> Outcome:
    """Work out what the published estimate with assist circuits leaves of the bare figure."""
    readings, left = [], []
    for key, name in CELLS.items():
        macro = book.value("sram_bitcells", key, "macro_density_bit_per_mm2")
        share = sram_density.array_efficiency_share(macro, book.value("sram_bitcells", key, "bitcell_area_mm2"))
        readings.append(book.reading(f"what an {name} array keeps of the bare figure", share, "percent", below=1.0))
        left.append(capacity(book, macro))
    return Outcome(
        tuple(readings),
        "The published densities are in binary megabits; taken for decimal ones they would make the loss look larger.",
        headline=book.number("100 mm² of array, N3E to N3", left[0], "gbyte", high=left[1]),
    )


@rule("a17-about-100mm2", "A")
def a17_about_100mm2(book: Book) -> Outcome:
    """Take the chip that came."""
    low, high = book.fact("a17-area-forecast-low"), book.fact("a17-area-forecast-high")
    return Outcome(
        (book.reading("die of the A17 Pro", book.value("dies", "apple-a17-pro", "area_mm2")),),
        lambda: f"Reports of that month had {low:.0f} to {high:.0f} mm².",
        latest=book.value("dies", "apple-a19-pro", "area_mm2"),
        latest_label="A19 Pro",
    )


@rule("m3-25-percent", "1 − A(article) / A(M3)")
def m3_25_percent(book: Book) -> Outcome:
    """Take the two areas in print for the chip that came, and what was rumoured when the article appeared."""
    areas = {key: book.value("area_references", key, "area_mm2") for key in ("apple-m3", "apple-m3-soc-table")}
    less = [1 - ratio(book.of_claim("a17-about-100mm2"), area) for area in areas.values()]
    rumour = 1 - ratio(book.of_claim("a17-about-100mm2"), book.fact("m3-area-forecast-low"))
    return Outcome(
        tuple(
            book.reading(f"M3 of {shown(area, 'mm2')}", share) for area, share in zip(areas.values(), less, strict=True)
        ),
        lambda: (
            f"The smallest area rumoured in that month gave {shown(rumour, 'percent')}: the article took the low "
            "end, and the chip came "
            f"{either(smallest(areas.values()) > book.fact('m3-area-forecast-low'), 'larger', 'smaller')}."
        ),
        headline=book.number("M3 by two sources", less[0], "percent", high=less[1]),
    )


@rule("sram-14gb-impossible", "A = 8·P·b / density, against the largest die one exposure prints")
def sram_14gb_impossible(book: Book) -> Outcome:
    """Area of the weights against the reticle; a wafer is another matter."""
    reticle = book.value("area_references", "reticle-limit", "area_mm2")
    weight, small = weights(book, "fp16"), weights(book, "int4")
    bare = sram_density.sram_area_mm2(weight, cell_density(book, "tsmc-n3-hd"))
    macro = book.value("sram_bitcells", "tsmc-n3-hd", "macro_density_bit_per_mm2")
    array = sram_density.sram_area_mm2(weight, macro)
    quarter = sram_density.sram_area_mm2(small, macro)
    one = "a client processor is a single die"
    return Outcome(
        (
            book.reading(
                "bare N3 cells over the reticle limit", ratio(bare, reticle), "ratio", above=1.0, assumption=one
            ),
            book.reading("N3 arrays over the reticle limit", ratio(array, reticle), "ratio", above=1.0, assumption=one),
        ),
        lambda: (
            f"The reticle limit is {shown(reticle, 'mm2')}. At int4 the arrays take {shown(quarter, 'mm2')}, "
            f"{either(quarter > reticle, 'still too much', 'within one exposure but several phone chips')}."
        ),
        headline=book.number("area, bare cells to arrays", bare, "mm2", high=array),
        latest=book.value("dies", "cerebras-wse-3", "sram_byte"),
        latest_unit="gbyte",
        latest_label="on a wafer, Cerebras WSE-3",
    )


not_checkable("sram-most-common", "Undisputed; there is nothing to compute.")

GIGABYTE = 1e9
FERAM_AND_MRAM = ("feram", "stt-mram")


@rule("feram-mram-far", "largest capacity of a shipping part")
def feram_mram_far(book: Book) -> Outcome:
    """Take the largest parts one can buy, against a gigabyte."""
    table = book.table("emerging_memory")
    technologies = table["technology"].isin(FERAM_AND_MRAM)
    shipping = table[technologies & (table["status"] == "shipping")]
    shipping = ranking.by(shipping, "capacity_bit", "memory_id", falling={"capacity_bit"})
    readings = [
        book.reading(
            f"{row['product']} ({row['maker']})", capacity_byte(book, str(row["memory_id"])), "mbyte", below=GIGABYTE
        )
        for _, row in shipping.iterrows()
    ]
    shown_off = capacity_byte(book, "feram-micron-nvdram")
    return Outcome(
        tuple(readings),
        lambda: (
            f"The largest FeRAM shown had {shown(shown_off, 'gbyte')} on a die, in December 2023; no product followed."
        ),
        latest=largest_of(reading.value for reading in readings),
        latest_label="largest that ships",
    )


def capacity_byte(book: Book, memory_id: str) -> Number:
    """Bytes of a part that is filed in bits."""
    return book.value("emerging_memory", memory_id, "capacity_bit") / BIT_PER_BYTE
