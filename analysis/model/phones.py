"""Phones and tablets: the runs that others published, and by how much the calibrated model is off on them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import words
from analysis.figures import Value
from analysis.model import expected, intervals, measured, names, predict
from analysis.tables import DataPackage, source_ids
from analysis.tables.once import once_per_package

UNITS = {"cpu": "cpu", "gpu-metal": "metal", "gpu-opencl": "opencl", "npu": "npu"}
"""Unit of a phone → software stack of the model."""
UNSTATED_BIT = 8.0
"""Bits per weight where a run states neither parameters nor a format that is filed: only the arithmetic of llama.cpp depends on it."""
NAMES = {
    "apple-gpu": "graphics processors of iPhones under MLX and Core AI, Apple's software for models",
    "apple-litert": "graphics processors of iPhones under LiteRT",
    "apple-npu": "neural processors of iPhones",
    "apple-cpu": "processor cores of iPhones", "other-cpu": "processor cores of other phones",
    "other-gpu": "graphics processors of other phones", "other-npu": "neural processors of other phones",
}  # fmt: skip
"""Kind of unit, by the maker of the chip → its name in a sentence, in the order of the table."""
STACK_NAMES = {"metal": "Metal on a Mac", "cpu": "Processor cores", "opencl": "OpenCL", "npu": "Neural processor"}
SINGLE_RUNS = ("litert-lm", "mediapipe")
"""Engines with a run or two on each Android chip, at a fifth of what other engines reach: they judge and are not fitted."""
BORROWED = {"phone-metal": "metal", "phone-opencl": "phone-cpu", "phone-npu": "phone-cpu"}
"""Group with runs of one or two chips → the group whose interval it takes in beside where its own runs lie."""
SUSTAINED = {"": "median of pairs", "-low": "one in ten pairs lies below", "-high": "one in ten pairs lies above"}
RULE_SHARE = 0.5
"""The article's rule, and about what simple tools take: one share of the bandwidth for every unit and every format."""
NAME = "validation-phone-"


def measurements(package: DataPackage) -> pd.DataFrame:
    """Return the runs on phones that say something of the memory, prepared like the rates of computers.

    Software of today.  The KV cache is left out: its shape is not filed, contexts are short.
    """
    rows = package.table("measurements_phone")
    rows = rows[rows["left_out"] == ""].reset_index(drop=True)
    maker = np.where(rows["chip_vendor"] == "Apple", "apple-", "other-")
    rows["kind"] = maker + rows["unit_kind"].str.split("-").str[0].to_numpy()
    rows.loc[(rows["kind"] == "apple-gpu") & (rows["engine"] == "litert-lm"), "kind"] = "apple-litert"
    rows["stack"] = rows["unit_kind"].map(UNITS)
    rows["group"] = [f"phone-{stack}" for stack in rows["stack"]]
    named = [names.number_format(name, package.folder).bit_per_param for name in rows["quantization"]]
    rows["bit_per_param"] = measured.bit_of_file(rows).fillna(pd.Series(named)).fillna(UNSTATED_BIT)
    rows["packing"] = [
        expected.packing(name, bit) for name, bit in zip(rows["quantization"], rows["bit_per_param"], strict=True)
    ]
    rows["introduced_year"] = [expected.generation(chip, package.folder).introduced_year for chip in rows["chip"]]
    rows["n_layer"] = rows["n_layer"].astype(float)
    rows = rows.assign(
        is_hbm=False, flash=True, kv_cache_byte=0.0, is_expert=0.0, is_phone=True, n_thread=np.nan, op_per_s=np.nan,
        year=expected.CURRENT_METAL_YEAR, backend=rows["stack"],
    )  # fmt: skip
    return measured.coded(rows)


def with_expected(rows: pd.DataFrame, token_per_s: np.ndarray) -> pd.DataFrame:
    """Return the runs with an expectation beside them: ``speed_ratio`` is measured over expected."""
    ratio = rows["decode_token_per_s"] / token_per_s
    return rows.assign(
        expected_token_per_s=token_per_s, speed_ratio=ratio, error_ratio=measured.error_ratio(rows, token_per_s)
    )


def fitted(package: DataPackage) -> pd.DataFrame:
    """Return the runs that parameters are fitted to: those of Android; on an iPhone's graphics processor the numbers of Macs serve.

    Where one chip gave nearly all runs, it counts as the root of their number: one run says less of a chip than fifty.
    """
    rows = measurements(package)
    rows = rows[(rows["chip_vendor"] != "Apple") & ~rows["engine"].isin(SINGLE_RUNS)].reset_index(drop=True)
    runs = rows.groupby(["chip", "stack"])["chip"].transform("size").to_numpy(dtype=float)
    return rows.assign(weight=np.where(rows["stack"] == "cpu", 1.0, np.sqrt(runs)))


@once_per_package
def unseen(package: DataPackage) -> pd.DataFrame:
    """Return the runs with what is expected of their chip by parameters that never saw it."""
    rows, whole = measurements(package), expected.calibration(package.folder)
    predicted = measured.predicted_token_per_s(rows, whole)
    for chip, entries in package.table("calibration_folds").groupby("left_out"):
        mask = (rows["chip"] == chip).to_numpy()
        if mask.any():
            parameters = dict(whole.parameters) | dict(zip(entries["parameter_id"], entries["value"], strict=True))
            predicted[mask] = measured.predicted_token_per_s(rows[mask], expected.Calibration(parameters, {}))
    return with_expected(rows, predicted)


@once_per_package
def errors(package: DataPackage) -> pd.DataFrame:
    """Return one row per kind of unit: how far off the expectation was, and a rule of one share, and where eight in ten speeds lay."""
    rows = unseen(package)
    frames = []
    for kind, name in NAMES.items():
        of_kind = rows[rows["kind"] == kind]
        low, high = ends(of_kind)
        shares = {
            "error_ratio": of_kind["error_ratio"].median(),
            "rule_error_ratio": float(
                np.median(measured.error_ratio(of_kind, RULE_SHARE * measured.ideal_token_per_s(of_kind)))
            ),
            "large_error_ratio": of_kind["error_ratio"].quantile(0.9),
        }
        scope = {"n_row": len(of_kind), "n_chip": of_kind["chip"].nunique(), "n_source": of_kind["source_id"].nunique()}
        stack = STACK_NAMES[of_kind["stack"].iloc[0]]
        frames.append(
            {"kind": kind, "name": name, "stand_in": stack, "low_ratio": low, "high_ratio": high} | shares | scope
        )
    return pd.DataFrame(frames)


def error_ratios(package: DataPackage) -> dict[str, pd.Series[float]]:
    """Return the errors by kind of unit, as the goals name them; a chip that parameters are fitted to is predicted without it."""
    return {f"phone-{kind}": part["error_ratio"] for kind, part in unseen(package).groupby("kind")}


def ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Return between which ratios of measured to expected speed eight in ten runs lie, every chip counted once."""
    weight = 1 / rows.groupby("chip")["chip"].transform("size")
    return intervals.ends(rows["speed_ratio"].to_numpy(dtype=float), weight.to_numpy(dtype=float), few=False)


@once_per_package
def covered(package: DataPackage) -> pd.DataFrame:
    """Return the unseen runs with whether each lies in the interval that the other chips of its group would have set."""
    rows, known = unseen(package), expected.calibration(package.folder).intervals
    rows["is_covered"] = False
    for (name, chip), part in rows.groupby(["group", "chip"]):
        others = rows[(rows["group"] == name) & (rows["chip"] != chip)]
        every = [ends(others)] if len(others) else []
        every += [known[BORROWED[str(name)]]] if name in BORROWED else []
        low, high = min(low for low, _ in every), max(high for _, high in every)
        rows.loc[part.index, "is_covered"] = part["speed_ratio"].between(low, high)
    return rows


def sustained(package: DataPackage) -> pd.DataFrame:
    """Return the runs of which somebody says what was left after ten minutes, with that over the speed of the cool phone."""
    rows = package.table("measurements_phone").dropna(subset=["sustained_token_per_s"])
    return rows.assign(sustained_ratio=rows["sustained_token_per_s"] / rows["decode_token_per_s"])


def sustained_ends(package: DataPackage) -> tuple[float, float, float]:
    """Return the median of what is left, and between which ratios eight in ten pairs lie."""
    low, middle, high = sustained(package)["sustained_ratio"].quantile([intervals.TAILS[0], 0.5, intervals.TAILS[1]])
    return float(middle), float(low), float(high)


def shown(package: DataPackage) -> pd.DataFrame:
    """Return the errors as a table to read, in percent."""
    table = errors(package)
    spans = [
        f"{words.number(a, 2)} to {words.number(b, 2)}"
        for a, b in zip(table["low_ratio"], table["high_ratio"], strict=True)
    ]
    return table.assign(
        unit=table["name"].str[:1].str.upper() + table["name"].str[1:], span=spans, error_percent=table["error_ratio"] * 100,
        large_percent=table["large_error_ratio"] * 100, rule_percent=table["rule_error_ratio"] * 100,
    )  # fmt: skip


def values(package: DataPackage) -> list[Value]:
    """Return the errors as numbers for sentences, and how many runs they rest on."""
    table, rows = errors(package), unseen(package)
    cited = source_ids(rows)
    filed = len(package.table("measurements_phone"))
    definition = "Median error of the speed expected of the {}, by parameters that never saw the chip."
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
    better = table[table["rule_error_ratio"] < table["error_ratio"]]
    wins = [
        f"{name} ({words.quantity(rule, 'share', 2)} against {words.quantity(ours, 'share', 2)})"
        for name, rule, ours in better[["name", "rule_error_ratio", "error_ratio"]].itertuples(index=False)
    ]
    told = f"does better on {words.listing(wins)}" if wins else "does worse everywhere"
    left, pairs = sustained_ends(package), sustained(package)
    what = "Speed of an iPhone after ten minutes over that of a cool one: {}"
    ends = [
        Value(
            f"{NAME}sustained{name}", ratio, "share", definition=what.format(text), digits=2, sources=source_ids(pairs)
        )
        for (name, text), ratio in zip(SUSTAINED.items(), left, strict=True)
    ]
    below = "Runs on the same cores that were slower than expected."
    return [
        *found,
        *ends,
        Value(f"{NAME}said", text=sentence(package), definition="How far off expected speeds of phones are, and of which phone they are.",
              sources=cited),
        Value(f"{NAME}cool", text=cool(package), definition="Of which phone an expected speed is.", sources=source_ids(pairs)),
        Value(f"{NAME}rule", text=told, definition="Where half of the bandwidth is nearer than the model, unseen", sources=cited),
        Value(f"{NAME}sustained-pairs", text=f"{len(pairs)}", definition="Pairs of a cool and a warm run.", sources=source_ids(pairs)),
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


SPOKEN_OF = ("apple-gpu", "other-cpu")


def sentence(package: DataPackage) -> str:
    """Say by how much the expectations of phones were off, each chip predicted by parameters that never saw it."""
    rows = {row["kind"]: row for row in errors(package).to_dict("records")}
    parts = [
        f"{words.quantity(row['error_ratio'], 'share', 2)} on {row['name']} ({row['n_row']} runs of {words.plural(row['n_chip'], 'chip')})"
        for row in (rows[kind] for kind in SPOKEN_OF)
    ]
    others = "".join(f" It was off by {part}." for part in parts[1:])
    return f"On phone chips it never saw, the model was off in the median by {parts[0]}.{others} {cool(package)}"


def cool(package: DataPackage, *, brief: bool = False) -> str:
    """Say of which phone an expected speed is, wherever one is quoted, in the words of the note on its answer.

    brief    without what a warm phone keeps of it, where the page has said that already
    """
    which, _, kept = predict.burst(expected.calibration(package.folder).parameters).partition(": ")
    said = f"What is expected of a phone is the {which}."
    return said if brief else f"{said} {kept[0].upper()}{kept[1:]}."
