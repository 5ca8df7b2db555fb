"""Why can't weights live on the chip?  Cells, real dies, the area the weights need, and the memories after SRAM."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from analysis import ranking, units, words
from analysis.derived import common, standing, trends
from analysis.equations import growth, memory_wall, sram_density
from analysis.equations.constants import BIT_PER_BYTE
from analysis.figures import Value
from analysis.tables import DataPackage

CELL = "tsmc-n3-hd"
"""The cell of the article: high density, TSMC's base 3 nm process."""
NEXT_CELL = "tsmc-n3e-hd"
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
EMERGING = ("FeRAM", "MRAM", "ReRAM")
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


def area_for_the_weights(package: DataPackage, *, reference_model: str, array_efficiency_share: float) -> pd.DataFrame:
    """One row per number format and density: the silicon that holds the weights, in mm2 and in whole-chip areas."""
    table = (
        weights(package, reference_model=reference_model)
        .drop(columns="shown")
        .merge(densities(package, array_efficiency_share=array_efficiency_share), how="cross")
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


def _steps(package: DataPackage) -> pd.DataFrame:
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
    steps, fits = _steps(package), paces(package)
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
    _, middle, last = (row for _, row in _steps(package).iterrows())
    yearly = shrink(package)["yearly_ratio"].iloc[0]
    gone = growth.compound_growth_ratio(yearly, horizon_year=last["year"] - middle["year"])
    areas = [middle["bitcell_area_mm2"], middle["bitcell_area_mm2"] * gone]
    label = f"at the pace of {_steps(package)['year'].iloc[0]}–{middle['year']}"
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


def values(package: DataPackage, *, reference_model: str, array_efficiency_share: float) -> list[Value]:
    """Every number and every data-chosen phrase that the chapter's prose cites."""
    areas = area_for_the_weights(
        package, reference_model=reference_model, array_efficiency_share=array_efficiency_share
    )
    by_node = capacity_by_node(package, array_efficiency_share=array_efficiency_share)
    return [
        *_article_values(package, array_efficiency_share),
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
    densest = str(ranking.by(table, "sram_on_100mm2_byte", "die_id")["name"].iloc[-1])
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
        _phrase("densest-die-name", densest.split(" (", maxsplit=1)[0], "The chip with the most."),
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
        }
        about = f"Time to halve {span}, fitted ({fits[name].window})."
        found.append(_value(f"{name}-halving", row["halving_year"], "year", about, *fits[name].sources, **halving))
        found.append(_phrase(f"{name}-window", fits[name].window, "What that time was fitted to.", *fits[name].sources))
    _, middle, newest = _steps(package)["bitcell_area_mm2"]
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
