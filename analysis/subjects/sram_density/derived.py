"""Why can't weights live on the chip?  Cells, real dies, the area the weights need, and the memories after SRAM."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis import ranking, units, words
from analysis.assumptions import Parameters
from analysis.equations import growth, memory_wall, sram_density
from analysis.equations.constants import BIT_PER_BYTE
from analysis.subjects import common, trends
from analysis.tables import DataPackage

CELL = "tsmc-n3-hd"
"""The cell of the article: high density, TSMC's base 3 nm process."""
LAST_FULL_SHRINK = "tsmc-n5-hd"
"""The cell that the next node did not make much smaller."""
PROVEN_DIE, PROVEN_CELL = "amd-v-cache-gen-2", "tsmc-n7-hd"
"""A die that is almost nothing but SRAM, and its process: the best density shown in a product."""
NAMED_CELLS = ("tsmc-n7-hd", LAST_FULL_SHRINK, CELL, "tsmc-n2-hd")
"""The cells that are named in the plot."""
PHONE, LAPTOP, RETICLE, WAFER = "apple-a17-pro", "apple-m3", "reticle-limit", "wafer-300mm"
YARDSTICKS = {PHONE: "A17 Pro", LAPTOP: "M3", RETICLE: "reticle", WAFER: "wafer"}
AREA_MM2 = 100.0
"""The area that the article and this chapter count gigabytes on."""

SHORT_FOUNDRIES = {"GlobalFoundries": "GF"}
MACRO_BASES = {"published-macro": "stated by the foundry", "estimate-with-assist": "estimated by WikiChip"}
"""Densities that are those of an array; a whole test chip is not one."""
FORMAT_WORDS = {"fp16": "FP16", "int8": "int8", "int4": "int4"}
BARE, ARRAYS, PROVEN = "bare cells", "arrays", "V-Cache"
DIE_ROWS = {
    "phone": "Phone", "laptop": "Laptop, desktop", "desktop": "Laptop, desktop", "chiplet": "CPU chiplet",
    "stacked-sram": "Stacked SRAM", "datacentre-gpu": "Server GPU", "datacentre-asic": "AI accelerator",
    "wafer-scale": "Whole wafer",
}  # fmt: skip
UNSAFE_AREAS = ("estimate",)
MEMORY_ROWS = {
    "feram": "FeRAM", "stt-mram": "MRAM", "reram": "ReRAM", "stacked-sram": "SRAM", "sram-in-memory-compute": "SRAM",
    "sram": "SRAM", "dram": "DRAM die", "stacked-dram": "HBM stack", "3d-nand": "NAND flash die",
    "high-bandwidth-flash": "Flash stack",
}  # fmt: skip
"""Kinds of memory; processors inside memories are left out, since what they hold is plain DRAM."""
MEMORY_DETAILS = r",.*| \d+ [GT]b.*| TLC| QLC| gen"
FOR_SALE = ("production", "shipping")
MEMORY_NAMES = {
    "feram-micron-nvdram": "NVDRAM", "feram-commercial": "FeRAM chips", "stt-mram-everspin-1gb": "1 Gb MRAM",
    "reram-sandisk-toshiba-32gb": "32 Gb test chip", "imc-d-matrix-corsair": "Corsair card",
    "dram-samsung-ddr5-32gb": "32 Gb DDR5", "hbm4-sk-hynix-16-high": "HBM4, 16 high", "hbf-gen-1": "HBF",
    "nand-kioxia-bics8-qlc": "2 Tb QLC",
}  # fmt: skip
"""Short names, for the memories that are named in the plot."""


def cells(package: DataPackage) -> pd.DataFrame:
    """High-density cells whose area is known, each with a short ``label``: ``TSMC N3``."""
    table = package.table("sram_bitcells")
    table = table[(table["cell_kind"] == "hd") & table["bitcell_area_mm2"].notna()].reset_index(drop=True)
    foundry = table["foundry"].replace(SHORT_FOUNDRIES)
    own = [node.startswith(maker) for node, maker in zip(table["node"], foundry, strict=True)]
    return table.assign(label=table["node"].where(pd.Series(own), foundry + " " + table["node"]))


def capacity_by_node(package: DataPackage, *, array_efficiency_share: float, since_year: int = 2016) -> pd.DataFrame:
    """One row per cell since a year: what 100 mm2 hold as bare cells, as arrays, and at a density somebody states."""
    table = cells(package)
    table = table[table["year"] >= since_year]
    bare = sram_density.macro_density_bit_per_mm2(table["bitcell_area_mm2"])
    arrays = sram_density.macro_density_bit_per_mm2(
        table["bitcell_area_mm2"], array_efficiency_share=array_efficiency_share
    )
    stated = table["macro_density_bit_per_mm2"].where(table["macro_basis"].isin(list(MACRO_BASES)))
    result = table[["cell_id", "label", "foundry", "node", "year", "bitcell_area_mm2"]].assign(
        bare_capacity_byte=sram_density.sram_capacity_byte(AREA_MM2, bare),
        array_capacity_byte=sram_density.sram_capacity_byte(AREA_MM2, arrays),
        stated_capacity_byte=sram_density.sram_capacity_byte(AREA_MM2, stated),
        stated_by=table["macro_basis"].map(MACRO_BASES).fillna(""),
        confidence=table["confidence"],
        source_id=table["source_id"],
        second_source_id=table["second_source_id"],
    )
    return ranking.by(result, "bare_capacity_byte", "cell_id", falling={"bare_capacity_byte"})


def dies(package: DataPackage) -> pd.DataFrame:
    """One row per chip whose area and on-chip memory are known: its memory per 100 mm2, and how to read it."""
    table = package.table("dies")
    table = table[table["area_mm2"].notna() & table["sram_byte"].notna()].reset_index(drop=True)
    unsafe = (table["confidence"] == "estimate") | table["area_kind"].isin(UNSAFE_AREAS)
    more = (table["sram_scope"] == "lower-bound") | (table["area_kind"] == "upper-bound")
    result = table[["die_id", "name", "die_class", "node", "year", "area_mm2", "area_kind", "sram_byte", "sram_scope"]]
    result = result.assign(
        row=table["die_class"].map(DIE_ROWS),
        sram_on_100mm2_byte=AREA_MM2 * sram_density.sram_byte_per_mm2(table["sram_byte"], table["area_mm2"]),
        reading=more.map({True: "at least", False: "all of it"}),
        certainty=unsafe.map({True: "estimate", False: "stated"}),
        confidence=table["confidence"],
        source_id=table["source_id"],
        second_source_id=table["second_source_id"],
    )
    return ranking.by(_with_highlights(result), "row", "sram_on_100mm2_byte", "die_id")


def _with_highlights(table: pd.DataFrame) -> pd.DataFrame:
    """Name the densest chip of each row whose figures are not estimates."""
    stated = table[table["certainty"] == "stated"]
    falling = ranking.by(stated, "row", "sram_on_100mm2_byte", "die_id", falling={"sram_on_100mm2_byte"})
    densest = falling.drop_duplicates("row")["die_id"]
    short = table["name"].str.replace(r" \(.*| gen \d| SXM", "", regex=True)
    return table.assign(highlight=short.where(table["die_id"].isin(densest), ""))


def yardsticks(package: DataPackage) -> pd.DataFrame:
    """Pick the areas to measure against, smallest first: two chips, the reticle limit, a wafer."""
    table = package.table("area_references")
    table = table[table["area_id"].isin(list(YARDSTICKS))]
    return ranking.by(table.assign(label=table["area_id"].map(YARDSTICKS)), "area_mm2", "area_id")


def densities(package: DataPackage, *, array_efficiency_share: float) -> pd.DataFrame:
    """Three densities: bare N3 cells (a bound), arrays of them, and what a real die of almost pure SRAM reaches."""
    cell, die = package.row("sram_bitcells", CELL), package.row("dies", PROVEN_DIE)
    area = cell["bitcell_area_mm2"]
    bare = sram_density.macro_density_bit_per_mm2(area)
    arrays = sram_density.macro_density_bit_per_mm2(area, array_efficiency_share=array_efficiency_share)
    proven = BIT_PER_BYTE * sram_density.sram_byte_per_mm2(die["sram_byte"], die["area_mm2"])
    return pd.DataFrame(
        {
            "basis": [BARE, ARRAYS, PROVEN],
            "density_bit_per_mm2": [bare, arrays, proven],
            "density_source_id": [cell["source_id"], cell["source_id"], die["source_id"]],
        }
    )


def weights(package: DataPackage, *, reference_model: str) -> pd.DataFrame:
    """One row per number format: bytes of the reference model's weights."""
    model, formats = common.model(package, reference_model), common.formats(package)
    return formats.assign(
        format=formats["format_id"].map(FORMAT_WORDS),
        model=model["name"],
        weight_byte=memory_wall.weight_byte(model["total_param"], formats["byte_per_param"]),
        model_source_id=model["source_id"],
    ).assign(shown=lambda table: table["format"] + " " + table["weight_byte"].map(_byte))


def area_for_the_weights(package: DataPackage, given: Parameters) -> pd.DataFrame:
    """One row per number format and density: the silicon that holds the weights, in mm2 and in whole-chip areas."""
    table = (
        weights(package, reference_model=given.reference_model)
        .drop(columns="shown")
        .merge(densities(package, array_efficiency_share=given.array_efficiency_share), how="cross")
    )
    area = sram_density.sram_area_mm2(table["weight_byte"], table["density_bit_per_mm2"])
    table = table.assign(area_mm2=area)
    for row in yardsticks(package).to_dict("records"):
        column = f"{row['label'].lower().replace(' ', '_')}_count"
        table[column] = sram_density.die_count(table["area_mm2"], row["area_mm2"])
    return table


def total_param(package: DataPackage, reference_model: str) -> float:
    """Parameters of the reference model."""
    return float(common.model(package, reference_model)["total_param"])


def area_table(areas: pd.DataFrame) -> pd.DataFrame:
    """Say the same areas as a reader compares them: gigabytes, and percent of a wafer."""
    byte, percent = (
        areas["weight_byte"] / units.unit("gbyte").factor,
        areas["wafer_count"] / units.unit("percent").factor,
    )
    return areas.assign(weight_gbyte=byte, wafer_percent=percent)


def article_area(package: DataPackage) -> pd.DataFrame:
    """Work out the article's 14 GB, 7 billion parameters of two bytes, as bare N3 cells."""
    nominal = package.row("facts", "llama-7b-nominal-params")
    byte = memory_wall.weight_byte(nominal["value"], common.byte_per_param(package, "fp16"))
    cell = package.row("sram_bitcells", CELL)
    area = sram_density.sram_area_mm2(byte, sram_density.macro_density_bit_per_mm2(cell["bitcell_area_mm2"]))
    label = f"article: {words.quantity(float(byte), 'byte', 2)}"
    row = {"weight_byte": byte, "area_mm2": area, "label": label, "source_id": nominal["source_id"]}
    return pd.DataFrame([row | {"format": "FP16"}])


def cell_area_by_year(package: DataPackage) -> pd.DataFrame:
    """One row per cell: its area and year, and whether it is its foundry's smallest of that year."""
    table = cells(package)
    smallest = table.groupby(["foundry", "year"])["bitcell_area_mm2"].transform("min")
    columns = ["cell_id", "label", "foundry", "node", "year", "bitcell_area_mm2", "confidence", "source_id"]
    result = table[columns].assign(
        is_smallest=table["bitcell_area_mm2"] == smallest,
        highlight=_node(table).where(table["cell_id"].isin(NAMED_CELLS), ""),
    )
    return ranking.by(result, "foundry", "year", "cell_id")


def _node(table: pd.DataFrame) -> pd.Series[Any]:
    """Name the node; a bare number gets its unit."""
    return table["node"].str.replace(r"^(\d+)$", r"\1 nm", regex=True)


def shrinking_steps(package: DataPackage) -> pd.DataFrame:
    """TSMC's first cell in the table, the last that shrank as before, and the newest."""
    table = cell_area_by_year(package).query("foundry == 'TSMC' and is_smallest")
    ends = table.index.isin([table.index[0], table.index[-1]])
    return table[ends | (table["cell_id"] == LAST_FULL_SHRINK)].reset_index(drop=True)


def paces(package: DataPackage) -> list[trends.Trend]:
    """Pace of TSMC's cell, area after a year over area before: up to the last full shrink, and since."""
    table = cell_area_by_year(package).query("foundry == 'TSMC' and is_smallest")
    year = table.loc[table["cell_id"] == LAST_FULL_SHRINK, "year"].item()
    periods = (table[table["year"] <= year], table[table["year"] >= year])
    return [trends.fitted(package, part, "bitcell_area_mm2", period_year=1, points="cell") for part in periods]


def shrink(package: DataPackage) -> pd.DataFrame:
    """Two periods of TSMC's cell: its area at the end over that at the start, the fitted pace, and the time to halve."""
    steps, fits = shrinking_steps(package), paces(package)
    start, end = steps.iloc[:-1].reset_index(drop=True), steps.iloc[1:].reset_index(drop=True)
    yearly = pd.Series([pace.ratio for pace in fits])
    return pd.DataFrame(
        {
            "start": _node(start), "end": _node(end), "start_year": start["year"], "end_year": end["year"],
            "area_ratio": end["bitcell_area_mm2"] / start["bitcell_area_mm2"], "yearly_ratio": yearly,
            "halving_year": -growth.doubling_time_year(yearly),
            "source_id": end["source_id"], "start_source_id": start["source_id"],
        }
    )  # fmt: skip


def old_pace(package: DataPackage) -> pd.DataFrame:
    """Where TSMC's cell would be by now, had it gone on shrinking as it did up to the last full shrink."""
    _, middle, last = (row for _, row in shrinking_steps(package).iterrows())
    yearly = shrink(package)["yearly_ratio"].iloc[0]
    gone = growth.compound_growth_ratio(yearly, horizon_year=last["year"] - middle["year"])
    areas = [middle["bitcell_area_mm2"], middle["bitcell_area_mm2"] * gone]
    label = f"at the pace of {shrinking_steps(package)['year'].iloc[0]}–{middle['year']}"
    return pd.DataFrame({"year": [middle["year"], last["year"]], "bitcell_area_mm2": areas, "label": ["", label]})


def other_memories(package: DataPackage) -> pd.DataFrame:
    """One row per memory whose capacity is known: bytes of one die, stack or card, and whether one can buy it."""
    table = package.table("emerging_memory")
    table = table[table["technology"].isin(list(MEMORY_ROWS))]
    capacity = table["capacity_byte"].fillna(table["capacity_bit"] / BIT_PER_BYTE)
    table = table.assign(
        row=table["technology"].map(MEMORY_ROWS),
        capacity_byte=capacity,
        availability=table["status"].isin(list(FOR_SALE)).map({True: "for sale", False: "not for sale"}),
        highlight=table["memory_id"].map(MEMORY_NAMES).fillna(""),
    )
    columns = ["memory_id", "product", "maker", "technology", "row", "status", "availability", "year", "capacity_byte"]
    kept = table[table["capacity_byte"].notna()]
    return kept[[*columns, "highlight", "confidence", "source_id", "second_source_id"]].reset_index(drop=True)


def memory_densities(package: DataPackage) -> pd.DataFrame:
    """One row per memory whose density is stated: bytes on 100 mm2, with SRAM cells and a real SRAM die beside it."""
    table = package.table("emerging_memory")
    table = table[table["density_bit_per_mm2"].notna()]
    product = table["product"].str.replace(MEMORY_DETAILS, "", regex=True)
    others = pd.DataFrame(
        {
            "memory": table["maker"].str.split("/").str[0] + " " + product,
            "kind": table["technology"].map(MEMORY_ROWS), "density_bit_per_mm2": table["density_bit_per_mm2"],
            "status": table["status"], "source_id": table["source_id"],
        }
    )  # fmt: skip
    sram = densities(package, array_efficiency_share=1).query("basis != @ARRAYS")
    cell, die = package.row("sram_bitcells", CELL), package.row("dies", PROVEN_DIE)
    ours = pd.DataFrame(
        {
            "memory": [f"{cell['foundry']} {cell['node']} bare cells", "AMD V-Cache die"], "kind": "SRAM",
            "density_bit_per_mm2": sram["density_bit_per_mm2"], "status": ["bound", "shipping"],
            "source_id": [cell["source_id"], die["source_id"]],
        }
    )  # fmt: skip
    result = pd.concat([ours, others])
    held = sram_density.sram_capacity_byte(AREA_MM2, result["density_bit_per_mm2"])
    sold = result["status"].isin(list(FOR_SALE)).map({True: "for sale", False: "not for sale"})
    result = result.assign(capacity_on_100mm2_byte=held, availability=sold)
    return ranking.by(result, "capacity_on_100mm2_byte", "memory", "status")


def _byte(value: float) -> str:
    return words.quantity(value, "byte")


def article_capacity(package: DataPackage) -> pd.DataFrame:
    """One row: the gigabytes that the article states for 100 mm2 at 3 nm."""
    claim = package.row("claims", "sram-per-100mm2")
    byte = float(claim["article_value"]) * units.unit(claim["article_unit"]).factor
    label = cells(package).set_index("cell_id")["label"][CELL]
    row = {"label": label, "capacity_byte": byte, "said": "the article", "source_id": claim["source_id"]}
    return pd.DataFrame([row])
