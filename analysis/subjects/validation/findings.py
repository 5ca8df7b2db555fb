"""What prose says of the calibrated model: numbers and sentences that follow the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from analysis import ranking, words
from analysis.equations import memory_wall
from analysis.figures import Value
from analysis.model import expected, intervals, measured, phones, prefill, prompts, serving
from analysis.subjects.validation.derived import (
    COVERAGE_GOAL,
    COVERAGE_KIND,
    ERROR_GOAL,
    EXPLANATIONS,
    GROUPS,
    TPU,
    UNITS,
    bandwidth_achieved,
    error_by_group,
    expert_batches,
    expert_rows,
    fitted_rows,
    goals,
    hyphened,
    interval_coverage,
    list_of_reached,
    own_prompts,
    pope_errors,
    pope_rows,
    reached,
    residual_stories,
    serving_frontier,
    serving_predicted,
    sources,
    storage_reached,
    unseen_expert_prompts,
    unseen_pair,
    unseen_prompts,
    unseen_steps,
)
from analysis.tables import DataPackage

NAME = "validation-"


def worst_rows(package: DataPackage, count: int = 10) -> pd.DataFrame:
    """Return the rows with the largest errors, one per chip, backend and kind of format."""
    rows = ranking.by(fitted_rows(package), "error_ratio", "measurement_id", falling={"error_ratio"})
    return rows.drop_duplicates(["chip", "backend", "packing"]).head(count).reset_index(drop=True)


def values(package: DataPackage) -> list[Value]:
    """Every number and every data-chosen sentence that the chapter cites."""
    known = expected.calibration(package.folder).parameters
    return [
        *_error_values(package),
        *_coverage_values(package),
        *_row_values(package),
        *_parameter_values(known),
        *_goal_texts(package),
        *_processor_values(package),
        *_bandwidth_values(package),
        *_storage_values(package),
        *_pope_values(package),
        *_expert_values(package),
        *_story_values(package),
        *_frontier_values(package),
        *_counts(package),
        *_worked(known),
        *_settings(package),
        *phones.values(package),
        *_own_values(package),
    ]


def _own_values(package: DataPackage) -> list[Value]:
    """What one own measurement of a prompt is worth, where no share of a peak was fitted."""
    table, rows = own_prompts(package), prompts.own_measurements(package)
    ends = expected.calibration(package.folder).own_intervals["prefill-other"]
    chips = words.plural(int(table["chip"].nunique()), "chip")
    cited = sorted(rows["source_id"].unique())
    return [
        _share(
            "own-prompt-error",
            float(table["error_ratio"].median()),
            "Median error of a prompt by another of its machine",
            cited,
        ),
        Value(
            f"{NAME}own-prompt-chips",
            text=chips,
            definition="Chips with two prompts of weights packed alike.",
            sources=cited,
        ),
        *_ends_of("own-prompt", ends, cited),
    ]


def _ends_of(name: str, ends: tuple[float, float], cited: list[str]) -> list[Value]:
    """The ends of the interval of a rate of reading prompts, over the expected one."""
    return [
        Value(f"{NAME}{name}-{end}", value, "ratio", definition=f"{side} end of the interval of such a rate.", digits=2, sources=cited)
        for (end, side), value in zip((("low", "Low"), ("high", "High")), ends, strict=True)
    ]  # fmt: skip


def _error_values(package: DataPackage) -> list[Value]:
    found, cited = reached(package), sources(package)
    ladder = package.table("calibration_ladder").set_index("step_id")
    steps, last = ladder["gpu_error_ratio"], ladder.iloc[-1]
    halves = [
        _share(
            f"half-{half}",
            float(last[f"gpu_{half}_error_ratio"]),
            f"Median error on the half of the chips: {half}",
            cited,
        )
        for half in intervals.HALVES
    ]
    halves += [
        _share(f"generation-{name}", float(last[column]), f"Error with whole generations left out: {name}", cited)
        for name, column in (("median", "gpu_generation_error_ratio"), ("large", "gpu_generation_large_error_ratio"))
    ]
    groups = [
        _share(
            f"group-{hyphened(row['name'])}-{name}", row[column], f"Error of the speed, {row['name']}: {text}", cited
        )
        for row in error_by_group(package).to_dict("records")
        for name, column, text in (
            ("median", "error_ratio", "median"),
            ("large", "large_error_ratio", "nine in ten below"),
        )
    ]
    own = [*groups, *halves] + [
        _share(f"error-{name}", found[name], f"Error of the speed on unseen chips: {name}", cited) for name in found
    ]
    up_to = "Median error on graphics processors with the terms up to"
    return own + [_share(f"ladder-{name}", float(steps[name]), f"{up_to}: {name}", cited) for name in steps.index]


def _coverage_values(package: DataPackage) -> list[Value]:
    table, cited = interval_coverage(package), sources(package)
    whole = table[table["group"] == "all"].iloc[0]
    metal = float(table.loc[table["group"] == "metal", "row_share"].iloc[0])
    text = "whose measured speed lies in the 80 % interval set without their chip"
    return [
        _share("coverage-rows", float(whole["row_share"]), f"Configurations {text}", cited),
        _share("coverage-metal", metal, f"Configurations on Metal {text}", cited),
        _share("coverage-chips", float(whole["chip_share"]), f"Chips {text}", cited),
    ]


def _row_values(package: DataPackage) -> list[Value]:
    rows, cited, worst = fitted_rows(package), sources(package), worst_rows(package).iloc[0]
    counts = {
        "row": ("Configurations fitted", len(rows)),
        "run": ("Runs behind them", int(rows["n_run"].sum())),
        "chip": ("Chips among them", rows["chip"].nunique()),
    }
    ratio, where = 1 / float(worst["speed_ratio"]), f"{worst['chip']} under {worst['backend']}"
    return [
        *(
            Value(f"{NAME}{name}-count", text=f"{count:,}", definition=text, sources=cited)
            for name, (text, count) in counts.items()
        ),
        Value(f"{NAME}worst", text=where, definition="Row with the largest error", sources=[worst["source_id"]]),
        Value(f"{NAME}worst-ratio", number=ratio, unit="ratio", definition="Predicted over measured speed of that row"),
    ]


def _share(name: str, number: float, definition: str, sources: list[str]) -> Value:
    return Value(
        f"{NAME}{name}",
        number=number,
        unit="share",
        definition=definition,
        formula="|predicted / measured − 1|",
        sources=sources,
        digits=2,
    )


def _parameter_values(known: Mapping[str, float]) -> list[Value]:
    units = {
        "launch": "s",
        "launch-rocm": "s",
        "width-metal": "s",
        "old-launch": "ratio",
        "bandwidth-share": "share",
        "bandwidth-share-hbm": "share",
        "bandwidth-share-hbm-old": "share",
        "kv-cost-without-flash": "ratio",
        "unpacking": "bit_per_param",
        "old-chip-share": "ratio",
        "cpu-bandwidth-share": "share",
        "cpu-layer": "s",
        "opencl-bandwidth-share": "share",
        "npu-bandwidth-share": "share",
        "serving-bandwidth-share": "share",
        "serving-compute-share": "share",
        "serving-launch-vllm": "s",
        "serving-sequence-vllm": "s",
        "serving-sequence-vllm-new": "s",
        "own-graphics": "share",
        "own-cores": "share",
        "prefill-shader-metal": "share",
        "prefill-matrix": "share",
        "prefill-matrix-hbm": "share",
        "prefill-matrix-compiled": "share",
        "serving-launch-tensorrt-llm": "s",
        "tpu-layer": "s",
        "launch-decline": "share",
        "routing": "s",
        "fastertransformer-link": "byte_per_s",
    }
    return [
        Value(f"{NAME}parameter-{name}", number=known[name], unit=unit, definition="Fitted parameter", digits=2)
        for name, unit in units.items()
    ]


def _article(name: object) -> str:
    """``an`` before a name that is spoken with a vowel first: an M2, an A40."""
    return "an" if re.match(r"[AEFHILMNORSX]\d|[AEIO]", str(name)) else "a"


def _processor_values(package: DataPackage) -> list[Value]:
    """What is known of computers' processors: on which chips it rests, what a thread is taken to do, and how wide a measured core is."""
    rows = fitted_rows(package)
    rows, measured_rows = rows[rows["stack"] == "cpu"], package.table("measurements_bandwidth")
    cores = measured_rows[measured_rows["unit_kind"] == "cpu"]
    chips = [f"{count} of {_article(chip)} {chip}" for chip, count in rows["chip"].value_counts().items()]
    cited = sorted({*rows["source_id"], *cores["source_id"]})
    most = float(cores["measured_byte_per_s"].max())
    texts = {"processor-rows": (words.listing(chips), "Fitted configurations of computers' processors")}
    numbers = {
        "thread-bandwidth": (expected.THREAD_BYTE_PER_S, "Set by hand: most that one thread takes in"),
        "cores-most": (most, "Highest measured bandwidth of processor cores"),
    }
    return [
        *(Value(f"{NAME}{name}", text=text, definition=about, sources=cited) for name, (text, about) in texts.items()),
        *(
            Value(f"{NAME}{name}", number=number, unit="byte_per_s", definition=about, sources=cited, digits=3)
            for name, (number, about) in numbers.items()
        ),
    ]


def _bandwidth_values(package: DataPackage) -> list[Value]:
    """What each part of a chip reaches of the datasheet bandwidth: the middle half of the measurements."""
    reached = bandwidth_achieved(package)
    found = []
    for kind, name in UNITS.items():
        part = reached.loc[reached["unit_name"] == name]
        low, high = (float(part["reached_share"].quantile(tail)) for tail in (0.25, 0.75))
        text = f"{words.number(low * 100, 2)} to {words.number(high * 100, 2)} %"
        definition = f"Middle half of the measured shares of the datasheet bandwidth: {name.lower()}"
        found.append(
            Value(f"{NAME}reached-{kind}", text=text, definition=definition, sources=sorted(part["source_id"].unique()))
        )
    return found


def _storage_values(package: DataPackage) -> list[Value]:
    """How many streams seem to beat their drive, what explains them, and what the drive alone gives."""
    rows = storage_reached(package)
    above = rows[rows["reached_ratio"] > 1]
    alone = rows.loc[rows["explanation"] == EXPLANATIONS["storage"], "reached_ratio"]
    explained = above["explanation"].isin(
        [EXPLANATIONS[name] for name in ("page-cache", "sparsity", "sparsity-and-cache")]
    )
    others = sorted(set(above.loc[~explained, "explanation"]))
    cited = sorted(rows["source_id"].unique())
    texts = {
        "storage-count": (str(len(rows)), "Streams from drives of known speed"),
        "storage-above": (str(len(above)), "Streams that would need more than their drive gives"),
        "storage-explained": (
            str(int(explained.sum())),
            "Of them explained by the page cache, a sparse model, or both",
        ),
        "storage-others": (words.listing([name.lower() for name in others]), "What stands beside the others"),
        "storage-alone": (
            f"{words.number(float(alone.min()) * 100, 2)} to {words.number(float(alone.max()) * 100, 2)} %",
            "What streams reach of their drive where neither cache nor sparsity helps",
        ),
    }
    return [
        Value(f"{NAME}{name}", text=text, definition=definition, sources=cited)
        for name, (text, definition) in texts.items()
    ]


def _pope_values(package: DataPackage) -> list[Value]:
    """The median errors table by table, and how many rows are predicted."""
    errors, rows = pope_errors(package), pope_rows(package)
    cited = sorted(rows["source_id"].unique())
    found = []
    for (table, kind), part in errors.groupby(["table", "kind"]):
        key = f"pope-{table}-{'tpu' if kind == TPU else 'fastertransformer'}".lower().replace(".", "-")
        definition = f"Median error of the time, Table {table}, {kind}"
        found.append(_share(key, float(part["median_percent"].iloc[0]) / 100, definition, cited))
    untimed = rows[rows["time_s"].isna()]
    stage = float(package.row("facts", "fastertransformer-pipeline-tokens")["value"])
    counts = {
        "pope-count": len(rows),
        "pope-timed": len(rows) - len(untimed),
        "pope-untimed": len(untimed),
        "pipeline-tokens": int(stage),
    }
    return found + [
        Value(
            f"{NAME}{name}",
            text=f"{count:,}",
            definition="Rows of Tables 2, D.2 and D.3" if "pope" in name else "Tokens in a part",
            sources=cited,
        )
        for name, count in counts.items()
    ]


def _expert_values(package: DataPackage) -> list[Value]:
    rows, batches = expert_rows(package), expert_batches(package)
    cited, shared = sorted(rows["source_id"].unique()), sorted(batches["source_id"].unique())
    large = batches[batches["batch_size"] == batches["batch_size"].max()]
    served = serving_predicted(package)
    mixtral = served[served["kind"] == GROUPS["experts"]]
    requests = serving.serving_measurements(package)
    requests = requests[requests["is_expert"]]
    counts = {
        "mixtral-impossible": (
            int((requests["request_s"] < serving.ideal_reading_s(requests)).sum()),
            "Requests of Mixtral faster than reading evenly called experts at the full bandwidth",
            sorted(requests["source_id"].unique()),
        ),
        "experts-row-count": (len(rows), "Configurations of mixtures of experts", cited),
        "experts-chip-count": (rows["chip"].nunique(), "Chips among them", cited),
        "experts-model-count": (rows["model_id"].nunique(), "Shapes of models among them", cited),
        "experts-batch": (int(batches["batch_size"].max()), "Largest batch measured", shared),
    }
    shares = {
        "error-experts-batched": (float(batches["error_ratio"].median()), "Median error of the step at several sequences", shared),
        "experts-batch-slow": (
            float((large["predicted_s"] / large["measured_s"]).max() - 1),
            "How much too slow the largest batch is predicted at most", shared,
        ),
        "mixtral-slow": (
            float((mixtral["predicted_s"] / mixtral["time_s"]).median() - 1),
            "How much too slow requests of Mixtral are predicted", sorted(mixtral["source_id"].unique()),
        ),
    }  # fmt: skip
    without = float((large["measured_s"] / large["one_token_s"]).median())
    definition = "Measured step of the largest batch over that of a batch that calls no further expert"
    return [
        *(
            Value(f"{NAME}{name}", text=str(count), definition=text, sources=ids)
            for name, (count, text, ids) in counts.items()
        ),
        *(
            Value(f"{NAME}{name}", number=number, unit="share", definition=text, sources=ids, digits=2)
            for name, (number, text, ids) in shares.items()
        ),
        Value(f"{NAME}experts-without", number=without, unit="ratio", definition=definition, sources=shared, digits=2),
    ]


GAINING_MODELS = ("LLaMA 3 8B", "Llama-3.1-8B")
"""One shape under two names, as two reports of the same Mac have it."""


def _story_values(package: DataPackage) -> list[Value]:
    """The median of measured over predicted speed of each story, and how much the M1 Max gained between two years."""
    stories = residual_stories(package)
    found = []
    for name, part in stories.groupby("story"):
        key = f"story-{hyphened(str(name))}"
        definition = f"Median of measured over predicted speed: {name}"
        found.append(
            Value(
                f"{NAME}{key}",
                number=float(part["speed_ratio"].median()),
                unit="ratio",
                definition=definition,
                digits=2,
            )
        )
    m1 = stories[
        (stories["chip"] == "M1 Max") & stories["model"].isin(GAINING_MODELS) & (stories["quantization"] == "Q4_K_M")
    ]
    by_year = m1.groupby("year")["decode_token_per_s"].max()
    gain = float(by_year.iloc[-1] / by_year.iloc[0] - 1)
    definition = "Gain of the M1 Max on an 8B model in Q4_K_M between the first and the last year measured"
    return [
        *found,
        Value(
            f"{NAME}m1-gain",
            number=gain,
            unit="share",
            definition=definition,
            digits=2,
            sources=sorted(m1["source_id"].unique()),
        ),
    ]


def _frontier_values(package: DataPackage) -> list[Value]:
    """What the largest batch gains and costs on the frontier, as measured."""
    rows = serving_frontier(package)
    rows = ranking.by(rows[rows["basis"] == "Measured"], "batch_size", "setup")
    ends = rows.groupby("setup").agg(["first", "last"])
    sides = {"gain": ("chip", "ratio"), "left": ("user", "share")}
    found = []
    for name, (side, unit) in sides.items():
        rate = ends[f"{side}_token_per_s"]
        definition = f"Tokens of a {side}, largest over smallest batch"
        number = float((rate["last"] / rate["first"]).median())
        found.append(Value(f"{NAME}frontier-{name}", number=number, unit=unit, definition=definition, digits=2))
    largest = str(int(rows["batch_size"].max()))
    return [*found, Value(f"{NAME}frontier-batch", text=largest, definition="Largest batch of the frontier")]


def _counts(package: DataPackage) -> list[Value]:
    kinds = package.table("calibration")
    serving_rows = kinds[kinds["kind"] == "serving"]
    of_engine = serving_rows["parameter_id"].str.split("-").str[0].value_counts()
    tpu, older = (int(of_engine[name]) for name in ("tpu", "fastertransformer"))
    launch = expected.calibration(package.folder).parameters["launch"]
    asked, steps = unseen_prompts(package), unseen_steps(package)
    pair, mixed = unseen_pair(package), unseen_expert_prompts(package)
    held = [
        ("prompt-experts", len(mixed), "Measured prompts of mixtures of experts"),
        ("prompt-experts-chip", mixed["chip"].nunique(), "Chips among them"),
        ("prompt", len(asked), "Measured prompts"), ("prompt-chip", asked["chip"].nunique(), "Chips among them"),
        ("step", int((~steps["is_long"]).sum()), "Steps of servers of 2026"), ("step-long", int(steps["is_long"].sum()), "Steps left out"),
        ("pair", len(pair), "Steps at batch 1 of the pair of cards"),
    ]  # fmt: skip
    ceiling = memory_wall.decode_token_per_s(launch * WORKED["n_layer"], 1.0)
    counts = {
        "decode-count": int((kinds["kind"] == "decode").sum()),
        "prefill-count": int((kinds["kind"] == "prefill").sum()),
        "serving-count": len(serving_rows) - tpu - older,
        "tpu-count": tpu,
        "fastertransformer-count": older,
    }
    return [
        *(Value(f"{NAME}{name}", text=str(count), definition="Fitted parameters") for name, count in counts.items()),
        *(Value(f"{NAME}{name}-held", text=f"{count:,}", definition=text) for name, count, text in held),
        *_ends_of(
            "prompt-experts",
            expected.calibration(package.folder).intervals[prefill.EXPERT_GROUP],
            sorted(mixed["source_id"].unique()),
        ),
        Value(
            f"{NAME}launch-ceiling",
            number=float(ceiling),
            unit="token_per_s",
            definition="Speed of a model that reads nothing but has the layers of the worked case",
        ),
    ]


def _goal_texts(package: DataPackage) -> list[Value]:
    table = goals(package)
    errors, covered = (table[table["kind"] == kind] for kind in (ERROR_GOAL, COVERAGE_KIND))
    narrow = covered[covered["reached_ratio"] < covered["low_ratio"]]
    wide = covered[covered["reached_ratio"] > covered["goal_ratio"]]
    missed = errors[~errors["is_met"]]
    named = [f"missed: {list_of_reached(missed)}"] if len(missed) else []
    sides = {"too few lie inside": narrow, "more lie inside than the interval claims": wide}
    counted = [f"in {len(rows)} {name}" for name, rows in sides.items() if len(rows)]
    return [
        Value(f"{NAME}goals-met", text="; ".join([_met(errors), *named]), definition="Which goals for errors are met"),
        Value(f"{NAME}coverage-met", text="; ".join([_met(covered), *counted]),
              definition="How many goals for coverage are met, and on which side the others are missed"),
    ]  # fmt: skip


def _met(table: pd.DataFrame) -> str:
    """Say how many goals of a table are met."""
    count = int(table["is_met"].sum())
    return f"all {count} are met" if count == len(table) else f"{count} of {len(table)} are met"


WORKED = {"bandwidth_byte_per_s": 1008e9, "weight_byte": 3.56 * 2**30, "n_layer": 32.0, "introduced_year": 2022.0}
WORKED_CASE = "LLaMA-2 7B in Q4_0 on a GeForce RTX 4090"
"""A chip that is not among the measurements."""


def _worked(known: Mapping[str, float]) -> list[Value]:
    calibration = expected.Calibration(known, {})
    kind = calibration.coefficients("cuda", hbm=False, old_software=False, flash=True, packing="plain")
    parts = calibration.parts(kind, WORKED | {"bit_per_param": 4.5, "kv_cache_byte": 0.0})
    limit = memory_wall.decode_token_per_s(WORKED["weight_byte"], WORKED["bandwidth_byte_per_s"])
    numbers = {"overhead": (parts.overhead_s, "s"), "reading": (parts.weight_s, "s"), "step": (parts.step_s, "s")}
    given = {"layers": f"{WORKED['n_layer']:.0f}", "size": f"{WORKED['weight_byte'] / 2**30:.2f} GiB"}
    speeds = {"speed": (1 / parts.step_s, "token_per_s"), "limit": (limit, "token_per_s")}
    return [
        Value(
            f"{NAME}worked-{name}",
            number=float(number),
            unit=unit,
            definition=WORKED_CASE,
            inputs=WORKED,
        )
        for name, (number, unit) in (numbers | speeds).items()
    ] + [Value(f"{NAME}worked-{name}", text=text, definition=WORKED_CASE) for name, text in given.items()]


def _settings(package: DataPackage) -> list[Value]:
    """What was set and not fitted: dates, shares, and how far runs of one configuration lie apart."""
    rows = fitted_rows(package)
    low, high = COVERAGE_GOAL
    years = sorted(
        residual_stories(package).query("chip == 'M1 Max' and quantization == 'Q4_K_M'")["year"].dropna().unique()
    )
    texts = {
        "software-year": (f"{expected.CURRENT_SOFTWARE_YEAR}", "Year from which on software counts as that of today"),
        "oldest-year": (f"{measured.OLDEST_FITTED_YEAR}", "Chips introduced before are not fitted"),
        "coverage-goal": (f"{words.number(low * 100, 2)} to {words.quantity(high, 'share', 2)}", "Coverage aimed at"),
        "coverage-stated": (words.quantity(intervals.COVERAGE_SHARE, "share", 2), "Coverage an interval states"),
        "memory-share": (words.quantity(serving.USED_MEMORY_SHARE, "share", 2), "Share of the memory an engine fills"),
        "cpu-chips": (str(rows.loc[rows["stack"] == "cpu", "chip"].nunique()), "Machines whose processors were fitted"),
        "least-chips": (
            str(intervals.LEAST_CHIPS),
            "Chips from which on quantiles can promise what the interval states",
        ),
        "m1-years": (
            words.listing([f"{year:.0f}" for year in (years[0], years[-1])]),
            "First and last year of the M1 Max",
        ),
    }
    spread, count = measured.replicate_spread(package)
    return [
        *(Value(f"{NAME}{name}", text=text, definition=definition) for name, (text, definition) in texts.items()),
        _share(
            "replicate-spread",
            spread,
            "What nine in ten repeated runs of one configuration differ by at most, fastest over slowest",
            sources(package),
        ),
        Value(f"{NAME}replicate-count", text=str(count), definition="Configurations that were run more than once"),
        _share(
            "llama-cpp-share",
            float((rows["engine"] == "llama.cpp").mean()),
            "Configurations run with llama.cpp",
            sources(package),
        ),
    ]


def texts(found: Iterable[Value]) -> dict[str, str]:
    """Each number as it reads in a sentence, by its id without the chapter's name: for titles and captions."""
    return {value.id.removeprefix(NAME): str(value.as_dict()["text"]) for value in found}
