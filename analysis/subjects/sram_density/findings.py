"""What prose says of SRAM: numbers and sentences that follow the data."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import growth, sram_density
from analysis.equations.constants import BIT_PER_BYTE
from analysis.figures import Value
from analysis.subjects import standing, trends
from analysis.subjects.sram_density.derived import (
    AREA_MM2,
    ARRAYS,
    BARE,
    CELL,
    LAPTOP,
    PHONE,
    PROVEN,
    PROVEN_CELL,
    PROVEN_DIE,
    RETICLE,
    area_for_the_weights,
    article_area,
    article_capacity,
    capacity_by_node,
    dies,
    memory_densities,
    old_pace,
    other_memories,
    paces,
    shrink,
    shrinking_steps,
)
from analysis.tables import DataPackage

NEXT_CELL = "tsmc-n3e-hd"
EMERGING = ("FeRAM", "MRAM", "ReRAM")


def values(package: DataPackage, given: Parameters) -> list[Value]:
    """Every number and every data-chosen phrase that the chapter's prose cites."""
    areas = area_for_the_weights(package, given)
    by_node = capacity_by_node(package, array_efficiency_share=given.array_efficiency_share)
    return [
        *_article_values(package, given.array_efficiency_share),
        *_capacity_values(by_node),
        *_area_values(areas),
        *_fit_values(areas),
        *_m3_values(package),
        *_die_values(package, areas),
        *_wafer_values(package, areas),
        *_shrink_values(package, areas),
        *_memory_values(package, areas),
    ]


def _value(key: str, number: float, unit: str, definition: str, *sources: str, **more: Any) -> Value:
    return Value(f"sram-density-{key}", float(number), unit, definition=definition, sources=sources, **more)


def _count(key: str, number: int, definition: str, *sources: str) -> Value:
    return _value(key, number, "count", definition, *sources, text=f"{number:,}")


def _phrase(key: str, text: str, definition: str, *sources: str) -> Value:
    return Value(f"sram-density-{key}", text=text, definition=definition, sources=sources)


def _gigabyte(byte: float, digits: int = 3) -> str:
    """Gigabytes also below one, as the article counts: ``0.628 GB``."""
    return f"{words.number(byte / units.unit('gbyte').factor, digits)} GB"


def _cell(key: str, area_mm2: float, definition: str, *sources: str) -> Value:
    text = f"{area_mm2 / units.unit('um2').factor:.3g} µm²"
    return _value(key, area_mm2, "mm2", definition, *sources, text=text)


def _article_values(package: DataPackage, array_efficiency_share: float) -> list[Value]:
    """State what the article says, to set beside what is computed, and the efficiency of this edition."""
    stated, weights_of = article_capacity(package).iloc[0], article_area(package).iloc[0]
    smaller = package.row("claims", "m3-25-percent")
    share = smaller["article_value"] * units.unit(smaller["article_unit"]).factor
    byte, source = stated["capacity_byte"], stated["source_id"]
    return [
        _value("article-capacity", byte, "byte", "The article, on 100 mm².", source, text=_gigabyte(byte, 1)),
        _value(
            "article-weights", weights_of["weight_byte"], "byte", "The article's weights at FP16.", source, digits=2
        ),
        _value(
            "article-area", weights_of["area_mm2"], "mm2", "Those weights as bare N3 cells.", weights_of["source_id"]
        ),
        _value(
            "article-smaller",
            share,
            "share",
            "How much smaller than M3 the article says 100 mm² are.",
            source,
            digits=2,
        ),
        _value("efficiency", array_efficiency_share, "share", "Assumed share of an array that is cells.", digits=2),
    ]


def _capacity_values(table: pd.DataFrame) -> list[Value]:
    """Say what 100 mm2 hold at N3, at N3E and at the node with the smallest cell."""
    columns = {"bare": "bare cells", "array": "arrays at the assumed efficiency", "stated": "arrays, as published"}
    found = []
    for name, cell_id in (("n3", CELL), ("n3e", NEXT_CELL), ("densest", table["cell_id"].iloc[0])):
        row = table[table["cell_id"] == cell_id].iloc[0]
        inputs = {"area of a cell in mm2": row["bitcell_area_mm2"], "area in mm2": AREA_MM2}
        for kind, what in columns.items():
            byte, about = row[f"{kind}_capacity_byte"], f"Bytes that 100 mm² of {row['label']} {what} hold."
            more = {"text": _gigabyte(byte), "formula": "A · e / (8 · a_cell)", "inputs": inputs}
            found.append(_value(f"{name}-{kind}", byte, "byte", about, row["source_id"], **more))
        found.append(
            _cell(f"{name}-cell", row["bitcell_area_mm2"], f"Area of a {row['label']} cell.", row["source_id"])
        )
        bare = row["bare_capacity_byte"]
        found.append(_value(f"{name}-rounded", bare, "byte", "Bare cells, to one digit.", text=_gigabyte(bare, 1)))
    return [*found, _phrase("densest-node", table["label"].iloc[0], "The node with the smallest cell in the data.")]


def _area_values(areas: pd.DataFrame) -> list[Value]:
    """Bytes of the weights by format; the area they need as bare cells and as arrays, also counted in chips."""
    found = [_phrase("model", areas["model"].iloc[0], "The reference model.", areas["model_source_id"].iloc[0])]
    for row in areas[areas["basis"] != PROVEN].to_dict("records"):
        name, weights_of = f"{row['format_id']}-{row['basis'].split()[0]}", f"the {row['format']} weights"
        formula = {"formula": "A = 8 · M · a_cell / e", "inputs": {"weights in byte": row["weight_byte"]}}
        about = f"Area that holds {weights_of} of {row['model']} as {row['basis']}."
        found.append(_value(f"area-{name}", row["area_mm2"], "mm2", about, row["density_source_id"], **formula))
        found.append(_value(f"phones-{name}", row["a17_pro_count"], "count", f"{about[:-1]}, in A17 Pro areas."))
        found.append(_value(f"reticles-{name}", row["reticle_count"], "count", f"{about[:-1]}, in reticle fields."))
        if row["basis"] == BARE:
            found.append(_value(f"{row['format_id']}-weights", row["weight_byte"], "byte", f"Size of {weights_of}."))
    return found


def _fit_values(areas: pd.DataFrame) -> list[Value]:
    """Which formats fit where: ``no format fits``, ``only int4 fits``, ``every format fits``."""
    asked = {
        "phone-bare": ("a17_pro", BARE), "reticle-array": ("reticle", ARRAYS), "reticle-proven": ("reticle", PROVEN)
    }  # fmt: skip
    found = []
    for name, (yard, basis) in asked.items():
        rows = areas[areas["basis"] == basis]
        fitting = list(rows.loc[rows[f"{yard}_count"] <= 1, "format"])
        about = f"Formats whose weights need no more than the area ({yard.replace('_', ' ')}), by density: {basis}."
        found.append(_phrase(f"fit-{name}", _fitting(fitting, len(rows)), about))
    return found


def _fitting(names: list[str], of: int) -> str:
    if not names or len(names) == of:
        return f"{'every' if names else 'no'} format fits"
    return f"only {words.listing(names)} {'fits' if len(names) == 1 else 'fit'}"


def _m3_values(package: DataPackage) -> list[Value]:
    """Say the area of the A17 Pro, and how much smaller than M3 100 mm2 are, by each reading of the M3's area."""
    area = package.table("area_references").set_index("area_id")["area_mm2"]
    forecast = package.table("facts").set_index("fact_id")["value"]
    readings = {
        "m3": area[LAPTOP], "m3-table": area["apple-m3-soc-table"],
        "m3-forecast-low": forecast["m3-area-forecast-low"], "m3-forecast-high": forecast["m3-area-forecast-high"],
    }  # fmt: skip
    found = [
        _value("a17-area", area[PHONE], "mm2", "Area of the A17 Pro."),
        _value("m3-area", area[LAPTOP], "mm2", "Area of the M3."),
        _value("reticle-area", area[RETICLE], "mm2", "The largest area a scanner exposes at once."),
    ]
    for name, reading in readings.items():
        smaller = 1 - float(sram_density.die_count(AREA_MM2, reading))
        about = f"How much smaller 100 mm² are than {words.number(reading)} mm², one reading of the M3's area."
        found.append(_value(f"smaller-than-{name}", smaller, "share", about, digits=2))
    return found


def _unrecorded(package: DataPackage, table: pd.DataFrame) -> int:
    """Count the rows that rest, in part at least, on a source whose address was not recorded."""
    return sum("unrecorded" in kinds for kinds in standing.kinds(package, table))


def _die_values(package: DataPackage, areas: pd.DataFrame) -> list[Value]:
    """Memory of real chips per 100 mm2, and the share of the weights that a phone chip's caches hold."""
    table = dies(package)
    dense, phones = table["sram_on_100mm2_byte"], table.loc[table["row"] == "Phone", "sram_on_100mm2_byte"]
    by_id = dict(zip(table["die_id"], dense, strict=True))
    proven, phone = package.row("dies", PROVEN_DIE), package.row("dies", PHONE)
    density = BIT_PER_BYTE * sram_density.sram_byte_per_mm2(proven["sram_byte"], proven["area_mm2"])
    cell = package.row("sram_bitcells", PROVEN_CELL)["bitcell_area_mm2"]
    used = float(sram_density.array_efficiency_share(density, cell))
    share = float(sram_density.cached_share(phone["sram_byte"], areas["weight_byte"].iloc[0]))
    densest = ranking.tied(table, "sram_on_100mm2_byte", "die_id", falling={"sram_on_100mm2_byte"})["name"]
    label = f"{words.number(phone['sram_byte'] / units.unit('mibyte').factor, 2)} MiB"
    return [
        _count("dies", len(table), "Chips whose area and memory are both known."),
        _count(
            "unrecorded-dies",
            _unrecorded(package, table),
            "Of these, chips whose area or caches come from a table without an address.",
        ),
        _phrase("a17-basis", standing.words(package, "dies", PHONE), "How sure the area of the A17 Pro is."),
        _value("phone-low", phones.min(), "byte", "Least memory per 100 mm² among the phone chips."),
        _value("phone-high", phones.max(), "byte", "Most memory per 100 mm² among the phone chips."),
        _value("h100", by_id["nvidia-h100"], "byte", "Memory of an H100 per 100 mm²."),
        _value("densest-die", dense.max(), "byte", "The most memory per 100 mm² of any chip in the data."),
        _phrase(
            "densest-die-name",
            words.listing([name.split(" (")[0] for name in densest]),
            "The chip with the most, or those that tie.",
        ),
        _value("v-cache-efficiency", used, "share", "Share of the V-Cache die that is N7 cells.", digits=2),
        _value("a17-cache", phone["sram_byte"], "byte", "Known caches of the A17 Pro.", phone["source_id"], text=label),
        _value("a17-share", share, "share", "Share of the FP16 weights that they hold.", digits=2),
    ]


def _wafer_values(package: DataPackage, areas: pd.DataFrame) -> list[Value]:
    """Say what one node step gave a chip as large as a wafer; how many chips of another maker hold the weights."""
    old, new, groq = (package.row("dies", die_id) for die_id in ("cerebras-wse-2", "cerebras-wse-3", "groq-lpu-v1"))
    sources = [old["source_id"], new["source_id"]]
    held = BIT_PER_BYTE * sram_density.sram_byte_per_mm2(groq["sram_byte"], groq["area_mm2"])
    area = sram_density.sram_area_mm2(areas["weight_byte"].iloc[0], held)
    chips = math.ceil(sram_density.die_count(area, groq["area_mm2"]))
    found = [
        _value("wse-memory", new["sram_byte"], "byte", "Memory of a WSE-3 wafer.", *sources, digits=2),
        _value("wse-area", new["area_mm2"], "mm2", "Area of a WSE-3 wafer.", *sources),
        _value("groq-memory", groq["sram_byte"], "byte", "Memory of a Groq LPU.", groq["source_id"]),
        _count("groq-chips", chips, "Groq LPUs for the FP16 weights.", groq["source_id"]),
    ]  # fmt: skip
    for name, column in (("transistors", "transistors_transistor"), ("memory", "sram_byte")):
        more = float(growth.growth_ratio(old[column], new[column], elapsed_year=1)) - 1
        found.append(_value(f"wse-more-{name}", more, "share", f"More {name} than on WSE-2.", *sources, digits=2))
    return found


def _shrink_values(package: DataPackage, areas: pd.DataFrame) -> list[Value]:
    """Pace of the cell before and after the last full shrink; the cell that would put the weights on a phone chip."""
    found, fits = [], dict(zip(("before", "since"), paces(package), strict=True))
    for name, row in zip(fits, shrink(package).to_dict("records"), strict=True):
        span = f"from {row['start']} in {row['start_year']} to {row['end']} in {row['end_year']}"
        sources = [row["source_id"], row["start_source_id"]]
        found.append(_phrase(f"{name}-span", span, "First and last cell of the period.", *sources))
        smaller, about = 1 - row["area_ratio"], f"How much smaller the cell became {span}."
        found.append(_value(f"{name}-shrink", smaller, "share", about, *sources, digits=2))
        halving = {
            "text": fits[name].halving,
            "formula": "−ln 2 / ln(yearly ratio)",
            "inputs": trends.inputs(fits[name]),
            "interval": fits[name].halving_interval_year,
        }
        about = f"Time to halve {span}, fitted ({fits[name].window})."
        found.append(_value(f"{name}-halving", row["halving_year"], "year", about, *fits[name].sources, **halving))
        cells = words.plural(fits[name].n_point, fits[name].points)
        found.append(_phrase(f"{name}-cells", cells, "How many cells that time was fitted to.", *fits[name].sources))
        found.append(_phrase(f"{name}-window", fits[name].window, "What that time was fitted to.", *fits[name].sources))
    _, middle, newest = shrinking_steps(package)["bitcell_area_mm2"]
    projected = float(old_pace(package)["bitcell_area_mm2"].iloc[-1])
    intel, cell = (package.row("sram_bitcells", cell_id) for cell_id in ("intel-18a-hd", CELL))
    return [
        *found,
        _phrase("cell-basis", trends.basis(package, [source for fit in fits.values() for source in fit.sources]),
                "Independent sources of TSMC's cells."),
        _cell("last-full-shrink-cell", middle, "TSMC's last cell of the first period."),
        _cell("newest-cell", newest, "TSMC's newest cell."),
        _cell("projected-cell", projected, "The newest TSMC cell, had the pace of the first period gone on."),
        _value("behind", newest / projected, "ratio", "Area of the newest TSMC cell over that one.", digits=2),
        _cell("intel-18a-cell", intel["bitcell_area_mm2"], "Area of Intel's 18A cell.", intel["source_id"]),
        _cell("needed-cell", cell["bitcell_area_mm2"] / areas["a17_pro_count"].iloc[0],
              "Cell at which the FP16 weights, as bare cells, fill one A17 Pro."),
    ]  # fmt: skip


def _memory_values(package: DataPackage, areas: pd.DataFrame) -> list[Value]:
    """Name the largest emerging memory for sale and the largest shown, and say what the densest holds on 100 mm2."""
    table, density = other_memories(package), memory_densities(package)
    table = table[table["row"].isin(EMERGING)]
    sold = table[table["availability"] == "for sale"]
    shown = ranking.by(table, "capacity_byte", "memory_id").iloc[-1]
    best = density[density["kind"].isin(EMERGING)].iloc[-1]
    most, held = sold["capacity_byte"].max(), best["capacity_on_100mm2_byte"]
    reach = int((sold["capacity_byte"] >= units.unit("gbyte").factor).sum())
    return [
        _value("emerging-sold", most, "byte", "The largest FeRAM, MRAM or ReRAM for sale.", *sold["source_id"]),
        _value(
            "emerging-shown", shown["capacity_byte"], "byte", "The largest one shown.", shown["source_id"], digits=2
        ),
        _phrase("emerging-reach", _reaching(reach), "Whether one for sale reaches a gigabyte.", *sold["source_id"]),
        _value("emerging-density", held, "byte", "What 100 mm² of the densest of them hold.", best["source_id"]),
        _phrase("emerging-densest", best["memory"], "The densest of them.", best["source_id"]),
        _phrase("conclusion", _conclusion(areas, float(most)), "Whether a memory on the die holds the weights."),
    ]


def _reaching(count: int) -> str:
    if not count:
        return "None of those on sale reaches a gigabyte"
    return f"{words.plural(count, 'product')} on sale {'reaches' if count == 1 else 'reach'} a gigabyte"


def _conclusion(areas: pd.DataFrame, emerging_byte: float) -> str:
    """Choose the last sentence by whether SRAM on a phone chip, or an emerging memory on sale, holds the weights."""
    bare = areas[areas["basis"] == BARE]
    kept = bare[(bare["a17_pro_count"] <= 1) | (bare["weight_byte"] <= emerging_byte)]
    model, memory = areas["model"].iloc[0], "memory that can share a die with a phone's processor"
    if kept.empty:
        return f"no {memory} holds {model}, so its weights stay in DRAM"
    return f"a {memory} could hold {model} at {words.listing(list(kept['format']))}"
