"""Phones and tablets: runs that the calibrated model was not fitted to, and by how much it is off on them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import words
from analysis.equations import validation
from analysis.equations.constants import BIT_PER_BYTE
from analysis.figures import Value
from analysis.model import expected, intervals, names
from analysis.tables import DataPackage, source_ids
from analysis.tables.once import once_per_package

STAND_INS = {"cpu": "cpu", "gpu-metal": "metal"}
"""Unit of a phone → software stack whose parameters the model uses for it; the others borrow those of other graphics processors."""
NAMES = {
    "apple-gpu": "graphics processors of iPhones", "apple-npu": "neural processors of iPhones",
    "apple-cpu": "processor cores of iPhones", "other-cpu": "processor cores of other phones",
    "other-gpu": "graphics processors of other phones", "other-npu": "neural processors of other phones",
}  # fmt: skip
"""Kind of unit, by the maker of the chip → its name in a sentence, in the order of the table."""
STACK_NAMES = {"metal": "Metal on a Mac", "cpu": "Processor", expected.BORROWED_STACK: "Vulkan on a graphics card"}
EVIDENCE = {"phone-metal": "apple-gpu", "phone-cpu": "other-cpu"}
"""Interval of a group of devices → the kind of unit whose errors set it."""
NAME = "validation-phone-"


def measurements(package: DataPackage, known: expected.Calibration | None = None) -> pd.DataFrame:
    """Return the runs on phones that say something of the memory, each with its ``kind`` and what the model expects of it.

    ``speed_ratio`` is measured over expected.  The model is asked as the book asks it of a phone: software of today, a
    generation in the middle, the stack that stands in.  The KV cache is left out: its shape is not filed, contexts are short.
    """
    rows = package.table("measurements_phone")
    rows = rows[rows["left_out"] == ""].reset_index(drop=True)
    maker = np.where(rows["chip_vendor"] == "Apple", "apple-", "other-")
    rows["kind"] = maker + rows["unit_kind"].str.split("-").str[0].to_numpy()
    rows["stack"] = rows["unit_kind"].map(STAND_INS).fillna(expected.BORROWED_STACK)
    named = [names.number_format(name, package.folder).bit_per_param for name in rows["quantization"]]
    rows["bit_per_param"] = (rows["weight_byte"] * BIT_PER_BYTE / rows["total_param"]).fillna(pd.Series(named))
    rows["expected_token_per_s"] = _expected(rows, known or expected.calibration(package.folder))
    rows["speed_ratio"] = rows["decode_token_per_s"] / rows["expected_token_per_s"]
    speeds = (rows[name].to_numpy(dtype=float) for name in ("expected_token_per_s", "decode_token_per_s"))
    return rows.assign(error_ratio=validation.speed_error_ratio(*speeds))


def _expected(rows: pd.DataFrame, known: expected.Calibration) -> np.ndarray:
    kinds = zip(rows["stack"], rows["quantization"], rows["bit_per_param"], strict=True)
    codes = [
        expected.code(stack, hbm=False, old_software=False, flash=True, packing=expected.packing(name, bit))
        for stack, name, bit in kinds
    ]
    names = {"bandwidth_byte_per_s": "memory_bandwidth_byte_per_s", "weight_byte": "read_byte"}
    plain = {name: name for name in ("n_layer", "bit_per_param")}
    configuration = {key: rows[column].to_numpy(dtype=float) for key, column in (names | plain).items()}
    configuration["bit_per_param"] = np.nan_to_num(configuration["bit_per_param"], nan=1.0)  # nothing is unpacked then
    whole = configuration | {"kv_cache_byte": 0.0, "introduced_year": expected.clipped_year(np.nan)}
    return np.asarray(1 / known.parts(expected.arrays(known.table, np.array(codes)), whole).step_s)


@once_per_package
def errors(package: DataPackage) -> pd.DataFrame:
    """Return one row per kind of unit: how far off the expectation was, and where eight in ten measured speeds lay."""
    rows = measurements(package)
    frames = []
    for kind, name in NAMES.items():
        of_kind = rows[rows["kind"] == kind]
        low, high = ends(of_kind)
        shares = {
            "error_ratio": of_kind["error_ratio"].median(),
            "large_error_ratio": of_kind["error_ratio"].quantile(0.9),
        }
        scope = {"n_row": len(of_kind), "n_chip": of_kind["chip"].nunique(), "n_source": of_kind["source_id"].nunique()}
        stack = STACK_NAMES[of_kind["stack"].iloc[0]]
        frames.append(
            {"kind": kind, "name": name, "stand_in": stack, "low_ratio": low, "high_ratio": high} | shares | scope
        )
    return pd.DataFrame(frames)


def ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Return between which ratios of measured to expected speed eight in ten runs lie, every chip counted once."""
    weight = 1 / rows.groupby("chip")["chip"].transform("size")
    return intervals.ends(rows["speed_ratio"].to_numpy(dtype=float), weight.to_numpy(dtype=float), few=False)


def shown(package: DataPackage) -> pd.DataFrame:
    """Return the errors as a table to read, in percent."""
    table = errors(package)
    spans = [
        f"{words.number(a, 2)} to {words.number(b, 2)}"
        for a, b in zip(table["low_ratio"], table["high_ratio"], strict=True)
    ]
    return table.assign(
        unit=table["name"].str[:1].str.upper() + table["name"].str[1:], span=spans, error_percent=table["error_ratio"] * 100,
        large_percent=table["large_error_ratio"] * 100,
    )  # fmt: skip


def values(package: DataPackage) -> list[Value]:
    """Return the errors as numbers for sentences, and how many runs they rest on."""
    table, rows = errors(package), measurements(package)
    cited = source_ids(rows)
    filed = len(package.table("measurements_phone"))
    definition = "Median error of the speed expected of the {}, none of which was among the measurements fitted to."
    found = [
        Value(f"{NAME}error-{row['kind']}", float(row["error_ratio"]), "share", definition=definition.format(row["name"]),
              digits=2, sources=cited)
        for row in table.to_dict("records")
    ]  # fmt: skip
    too_fast = 1 + float(table["large_error_ratio"][table["kind"] == "other-cpu"].item())
    slow = (
        "Expected over measured speed that one in ten runs on the processor cores of phones other than iPhones exceeds."
    )
    slower = float((rows["speed_ratio"][rows["kind"] == "other-cpu"] < 1).mean())
    below = "Runs on the same cores that were slower than expected."
    return [
        *found,
        Value(f"{NAME}slower", slower, "share", definition=below, digits=2, sources=cited),
        Value(f"{NAME}too-fast", too_fast, "ratio", definition=slow, digits=2, sources=cited),
        Value(
            f"{NAME}count",
            text=f"{len(rows)}",
            definition="Runs on phones and tablets that are used.",
            sources=cited,
        ),
        Value(f"{NAME}filed", text=f"{filed}", definition="Runs on phones and tablets in the table.", sources=cited),
        Value(f"{NAME}chips", text=f"{rows['chip'].nunique()} chips", definition="Chips among them.", sources=cited),
    ]  # fmt: skip


def sentence(package: DataPackage) -> str:
    """Say by how much the expectations of phones were off where they could be checked."""
    rows = {row["kind"]: row for row in errors(package).to_dict("records")}
    parts = [
        f"{words.quantity(row['error_ratio'], 'share', 2)} on {row['name']} ({row['n_row']} runs of {words.plural(row['n_chip'], 'chip')})"
        for row in (rows[kind] for kind in EVIDENCE.values())
    ]
    return f"On phones, to which it was not fitted, the model was off in the median by {words.listing(parts)}."
