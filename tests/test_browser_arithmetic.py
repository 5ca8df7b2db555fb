"""The browser's arithmetic is Python's own: the script is written by it, and gives the same answers for every pair."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analysis import tables
from analysis.model import browser, predict

FOLDER = tables.data_folder()
FORMATS = ("fp16", "q8-0", "q4-k-m", "iq4-xs", "q2-k", "iq2-xs", "mxfp4")
SITUATIONS = ((4096, 20, ""), (131072, 4096, "q8-0"))
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(browser.told(FOLDER))
    return found


def arguments(
    given: dict[str, Any], number_format: str, situation: tuple[int, int, str]
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """Every device with every model, as the page puts its numbers together: the pairs, and the arguments of ``answer``."""
    context, prompt, kv = situation
    [(_, _, bit, packing)] = [one for one in given["formats"] if one[0] == number_format]
    kv_bit = next((one[2] for one in given["formats"] if one[0] == kv), 16.0)
    pairs, columns = [], []
    for device, model in itertools.product(given["devices"], given["models"]):
        key, _, _, _, _, _, fixed, places = device
        model_id, _, total, reads, files, _, numbers, *_ = model
        whole = files.get(number_format, total * bit / 8)
        kind = given["kinds"][places[packing]]
        first, ends = fixed[-2:], kind[-4:-2]
        if numbers[2]:
            first, ends = (min(first[0], given["experts"][0]), max(first[1], given["experts"][1])), kind[-2:]
        values = [
            *kind[:-4],
            *fixed[:-2],
            *first,
            *ends,
            *numbers,
            whole,
            *(whole * share for share in reads[-1 if number_format == "mxfp4" else 0]),
            bit,
            kv_bit / 16,
            context,
            prompt,
        ]
        pairs.append((key, model_id))
        columns.append([np.nan if value is None else value for value in values])
    names = [*given["kind"][:-4], *given["fixed"], "low", "high", *browser.MODEL, *browser.ASKED]
    return pd.DataFrame(pairs, columns=["device", "model_id"]), dict(
        zip(names, np.array(columns, dtype=float).T, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("number_format", FORMATS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_pair_is_answered_as_predict_answers_it(
    given: dict[str, Any], number_format: str, situation: tuple[int, int, str]
) -> None:
    pairs, values = arguments(given, number_format, situation)
    filed = ~pairs["device"].str.startswith(browser.OWN)
    found = browser.answer(values)
    asked = pairs[filed].assign(
        format=number_format, context_token=situation[0], prompt_token=situation[1], kv_format=situation[2]
    )
    said = predict.detailed(asked.reset_index(drop=True), folder=FOLDER)
    assert len(asked) * len(FORMATS) * len(SITUATIONS) > 100_000
    for ours, theirs, factor in SAME:
        one, other = np.broadcast_to(found[ours], len(pairs))[filed], said[theirs].to_numpy(dtype=float) * factor
        np.testing.assert_allclose(one, other, rtol=1e-9, err_msg=ours)
    grades = np.broadcast_to(found["grade"], len(pairs))[filed]
    assert [browser.FITS.get(grade, "") for grade in grades] == said["fits"].tolist()


SAME = (
    ("needs_byte", "needs_gibyte", 2.0**30), ("kv_cache_byte", "kv_cache_gibyte", 2.0**30), ("token_per_s", "token_per_s", 1.0),
    ("token_per_s_low", "token_per_s_low", 1.0), ("token_per_s_high", "token_per_s_high", 1.0),
    ("limit_token_per_s", "limit_token_per_s", 1.0), ("first_token_s", "first_token_s", 1.0),
    ("first_token_s_low", "first_token_s_low", 1.0), ("first_token_s_high", "first_token_s_high", 1.0),
    ("longest_context_token", "longest_context_token", 1.0),
)  # fmt: skip
