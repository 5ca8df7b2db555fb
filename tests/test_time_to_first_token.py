"""The chapter on waiting: what others measured, the model's own answers, conclusions that follow the data, charts of what exists."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.assumptions import Parameters
from analysis.charts import domains, schema
from analysis.figures import Value, records
from analysis.model import predict
from analysis.subjects import common
from analysis.subjects.time_to_first_token import charts, derived, findings
from analysis.tables import REPOSITORY, DataPackage
from tests.conftest import GIVEN, number

CHAPTER = REPOSITORY / "chapters" / "time_to_first_token.md"


def values(package: DataPackage, **changed: Any) -> dict[str, Value]:
    return {value.id.removeprefix(findings.NAME): value for value in findings.values(package, GIVEN.but(**changed))}


@pytest.fixture(scope="module")
def said(package: DataPackage) -> dict[str, Value]:
    return values(package)


# Data


DEFAULTS = {
    "prompt_token": "load-048",
    "answer_token": "load-049",
    "reused_share": "load-059",
    "first_token_target_s": "load-011",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_default_is_the_number_of_the_load_that_it_names(name: str, package: DataPackage) -> None:
    declared = yaml.safe_load((REPOSITORY / "chapters" / "parameters.yml").read_text(encoding="utf-8"))
    row = derived.load(package, DEFAULTS[name])
    assert declared[name]["default"] == pytest.approx(row["value"], rel=0.01)


@pytest.mark.long
def test_the_rate_that_is_asked_for_is_the_rules_limit_upside_down(
    package: DataPackage, said: dict[str, Value]
) -> None:
    declared = yaml.safe_load((REPOSITORY / "chapters" / "parameters.yml").read_text(encoding="utf-8"))
    assert number(said, "rule-rate") == declared["agent_token_per_s"]["default"]
    loads = package.table("agent_loads")
    limits = loads.loc[loads["quantity"] == "token-time-limit", "value"] / 1000
    low, high = declared["agent_token_per_s"]["plausible"]
    assert (low, high) == (pytest.approx(1 / limits.max()), pytest.approx(1 / limits.min(), rel=0.01))


def test_the_prose_calls_the_devices_of_the_figures() -> None:
    assert set(findings.KEYS.values()) == {case.device_id for case in derived.CASES}
    assert set(derived.SHOWN_IN_TURN) < set(findings.KEYS.values())


def test_no_token_is_read_faster_than_its_memory_allows(package: DataPackage) -> None:
    """A phone of 76.8 GB/s cannot read 4-bit weights faster; a wrong count of tokens would."""
    table = package.table("measurements_energy")
    phone = table[(table["scope"] == "device") & (table["left_out"] == "")]
    bandwidth = package.row("devices", "iphone-17-pro")["memory_bandwidth_byte_per_s"]
    assert (phone["token_count"] / phone["window_s"] * phone["weight_byte"] < bandwidth).all()


# Worked numbers of others


def test_five_percent_of_the_battery_wrote_twelve_thousand_tokens(package: DataPackage, said: dict[str, Value]) -> None:
    """The benchmark's own method: 16.5 Wh, a drop of five percent, 12,288 tokens."""
    table = derived.battery_tokens(package).set_index("measurement_id")
    assert table.loc["energy-001", "energy_j_per_token"] == pytest.approx(0.05 * 16.5 * 3600 / 12288)
    assert table.loc["energy-001", "battery_token"] == pytest.approx(20 * 12288)
    assert "energy-006" not in table.index
    assert said["battery-tokens"].text == "200,000 to 250,000"


def test_energy_of_every_scope_is_reckoned_from_what_its_meter_printed(package: DataPackage) -> None:
    table = derived.token_energy(package).set_index("measurement_id")["energy_j_per_token"]
    assert table["energy-007"] == pytest.approx(31.4 / 41.04)
    assert table["energy-019"] == pytest.approx(0.3142)


def test_the_ridge_of_an_h100_in_16_bits_is_its_balance(package: DataPackage) -> None:
    """Austin et al.: 989.5 TFLOP/s over 3.35 TB/s are 295 tokens at two bytes a parameter."""
    known = derived.cases(package, GIVEN)
    ridge = dict(zip(known["device_id"], derived.ridge_token(known), strict=True))
    assert ridge["nvidia-h100-sxm5-80gb"] == pytest.approx(989.5e12 / 3.35e12, rel=1e-3)


# The model's own answers


ODD: list[dict[str, Any]] = [
    {"agent_model": "llama-3.1-405b"}, {"agent_model": "mixtral-8x7b"}, {"agent_model": "llama-3.2-1b"},
    {"prompt_token": 1, "answer_token": 1, "reused_share": 0.99}, {"prompt_token": 1_000_000}, {"reused_share": 0.0},
    {"first_token_target_s": 0.01, "agent_token_per_s": 10_000.0}, {"first_token_target_s": 3600.0, "agent_token_per_s": 0.01},
]  # fmt: skip


def test_expected_times_are_those_of_predict(package: DataPackage) -> None:
    asked = pd.DataFrame(
        {"device": ["rtx-4090-24gb"], "model_id": ["llama-3.1-8b"], "format": ["q4-k-m"], "context_token": ["0"],
         "prompt_token": ["12035"], "output_token": ["343"]}
    )  # fmt: skip
    [told] = predict.predict(asked, folder=package.folder).to_dict("records")
    table = derived.turns(package, GIVEN)
    [row] = table[(table["device_id"] == "rtx-4090-24gb") & (table["prompt"] == derived.WHOLE)].to_dict("records")
    for ours, theirs in (
        ("first_token_s", "first_token_s"),
        ("turn_s", "request_s"),
        ("turn_s_high", "request_s_high"),
    ):
        assert row[ours] == pytest.approx(told[theirs])


LONG_ANSWER: dict[str, Any] = {"prompt_token": 16, "answer_token": 20_000, "reused_share": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{}, LONG_ANSWER, *ODD], ids=str)
def test_nothing_is_expected_below_its_limit(changed: dict[str, Any], package: DataPackage) -> None:
    given = GIVEN.but(**changed)
    turn, wait = derived.turns(package, given).dropna(), derived.first_token(package, given).dropna()
    assert (turn["least_s"] < turn["turn_s_low"]).all()
    assert (wait["least_s"] < wait["first_token_s"]).all()
    carried = derived.agents(package, given)
    assert (carried["agent_count"] <= carried["most_count"]).all()
    assert carried.groupby("device_id")["binds"].sum().eq(1).all()


def test_agents_by_speed_get_the_rate(package: DataPackage) -> None:
    """Asked again with as many sequences, the model gives each of them the rate."""
    carried = derived.agents(package, GIVEN).set_index(["device_id", "limit"])["agent_count"]
    count = int(carried[("rtx-4090-24gb", "speed")])
    rows = [
        {
            "device_id": "rtx-4090-24gb",
            "batch_size": each,
            "context_token": 12035 + 171,
            "memory_capacity_gibyte": 4096.0,
        }
        for each in (count, count + 1)
    ]
    rate = derived.expectations(package, GIVEN, rows)["token_per_s"] / [count, count + 1]
    assert rate.iloc[0] >= 10 > rate.iloc[1]


def test_measured_prompts_lie_below_the_roof(package: DataPackage) -> None:
    table = derived.prefill_roof(package, GIVEN)
    found = table[table["role"] == "measured"]
    assert {"macbook-air-m4-16gb", "nvidia-h100-sxm5-80gb"} <= set(found["device_id"])
    top = table[table["role"] == "line"].groupby("device_id")["rate_token_per_s"].max()
    assert (found["rate_token_per_s"].to_numpy() < top[found["device_id"]].to_numpy()).all()


def test_two_constants_of_one_card_carry_to_others(package: DataPackage) -> None:
    unseen = derived.unseen_energy(package)
    assert derived.FITTED_CARD not in set(unseen["device"])
    assert len(unseen) > 100
    assert set(unseen["format"]) == {derived.FITTED_FORMAT}
    assert unseen.groupby("device")["error_ratio"].median().max() < 0.35


def test_what_nobody_shares_is_paid_by_each(package: DataPackage) -> None:
    """The prompt of a turn costs the same for one user and for many: only the reading of the weights is shared."""
    table = derived.turn_energy(package, GIVEN)
    turns, shares = (np.asarray(table[name], dtype=float) for name in ("turn_j", "prompt_share"))
    prompts = turns * shares
    assert prompts[0] == pytest.approx(prompts[1])
    weights = 8.0303e9 * 2 * 8 * derived.energy_law(package).reading_j_per_bit * 343
    users = float(table["batch_size"].max())
    carried = derived.agents(package, GIVEN).set_index(["device_id", "limit"])["agent_count"]
    assert users == int(carried[(derived.SERVER, "memory")])
    assert turns[0] - turns[1] == pytest.approx(weights * (1 - 1 / users))


# Sentences that follow the data


@pytest.mark.long
def test_the_tightest_limit_is_named(package: DataPackage, said: dict[str, Value]) -> None:
    assert said["moved"].text.startswith("If all send at once, the wait for the first token")
    assert said["alone"].text.startswith("One agent alone waits 34 s on the iPhone 17 Pro, ")
    patient = values(package, first_token_target_s=3600.0)
    assert "memory" in patient["moved"].text
    assert patient["alone"].text == "One agent alone gets 9.7 tokens per second on the iPhone 17 Pro."
    assert (
        values(package, first_token_target_s=3600.0, agent_token_per_s=0.1)["alone"].text
        == "Each carries at least one agent."
    )


@pytest.mark.long
def test_agents_that_take_turns_are_limited_by_the_time_of_a_round(
    package: DataPackage, said: dict[str, Value]
) -> None:
    """42 prompts at a quarter of a second, and 343 tokens of each at the rate that 42 get."""
    round_ = derived.turn_taking(package, GIVEN)
    assert round_.agent_count == 42
    assert round_.prompts_s == pytest.approx(42 * 0.2462, rel=1e-3)
    assert round_.allowed_s == pytest.approx(34.3)
    assert "is expected to have time" in said["rota"].text
    assert "is not expected" in values(package, agent_token_per_s=20.0)["rota"].text


@pytest.mark.long
def test_the_longer_part_is_named_where_intervals_tell(package: DataPackage, said: dict[str, Value]) -> None:
    assert "On the iPhone 17 Pro and the MacBook Pro M5 Max both are about as long" in said["longer-parts"].text
    short = values(package, prompt_token=10, answer_token=1000)
    assert "prompt" not in short["longer-parts"].text
    assert "about as long" not in short["longer-parts"].text
    assert "reuse cannot be counted on" in short["reuse-matters"].text


@pytest.mark.long
def test_what_does_not_fit_has_no_longer_part(package: DataPackage) -> None:
    """Of 70 billion parameters in 4 bits only one of the five devices has the room."""
    parts = values(package, agent_model="llama-3.1-70b")["longer-parts"].text
    whole = derived.turns(package, GIVEN.but(agent_model="llama-3.1-70b")).query("prompt == 'all new'")
    timed, untimed = parts.split("No such turn fits on ")
    for name, time in zip(whole["name"].str.split(",").str[0], whole["turn_s"], strict=True):
        assert (f"the {name}" in untimed) == np.isnan(time)
        assert (f"the {name}" in timed) != np.isnan(time)


def test_a_bit_of_the_fitted_card_is_of_that_card_alone(package: DataPackage, said: dict[str, Value]) -> None:
    table = derived.token_energy(package)
    own = table.loc[(table["device"] == derived.FITTED_CARD) & (table["batch_size"] == 1), "j_per_bit"] / findings.PICO
    assert said["card-pj"].text == f"{own.min():.0f} to {own.max():.0f} pJ"


def test_the_error_is_cited_with_the_prompts_of_its_own_kind(package: DataPackage, said: dict[str, Value]) -> None:
    for kind in ("metal", "cuda"):
        row = package.row("calibration", f"interval-prefill-{kind}-high")
        assert (said[f"error-{kind}-held"].text, said[f"error-{kind}-chips"].text) == (
            str(row["n_row"]),
            str(row["n_chip"]),
        )


@pytest.mark.long
def test_what_a_source_says_does_not_follow_what_is_assumed(package: DataPackage, said: dict[str, Value]) -> None:
    other = values(package, reused_share=0.6, agent_token_per_s=20.0)
    assert other["trace-reused"].number == said["trace-reused"].number == derived.load(package, "load-059")["value"]
    assert other["reckons"].text == "this edition assumes 60 %"
    assert said["asks"].text.startswith("As MLPerf does")
    assert other["asks"].text.startswith("MLPerf asks for 10 tokens per second")


def test_a_borrowed_time_is_called_so_wherever_it_is_said(said: dict[str, Value]) -> None:
    assert "NVIDIA" in said["expected-phone"].text
    for page in (CHAPTER, CHAPTER.with_name("index.md")):
        text = page.read_text(encoding="utf-8")
        cited = "{value}`" + findings.NAME
        first = text.index(f"{cited}turn-phone`")
        assert f"{cited}expected-phone`" in text[:first].splitlines()[-1]
    assert "MacBook" not in said["extrapolated-drawn"].text


def test_what_a_warm_phone_keeps_is_said_once_in_the_chapter(said: dict[str, Value]) -> None:
    text = CHAPTER.read_text(encoding="utf-8")
    warm = [name for name, value in said.items() if "after ten minutes" in value.text]
    assert sum(text.count(f"'{name}'") + text.count(f"{findings.NAME}{name}`") for name in warm) == 1
    assert "validation-phone-cool" not in text


def test_what_the_book_has_of_a_chip_s_prompts_is_looked_for_in_every_table(
    package: DataPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six rows of the A19 Pro lie among phones, which the fit leaves out: nobody may say that none was measured."""
    phones = package.table("measurements_phone").dropna(subset=["prefill_token_per_s"])
    own = phones[phones["chip"] == "A19 Pro"]
    told = findings._on_file(package, "iphone-17-pro")
    assert {"phone-381", "phone-393"} <= set(own["measurement_id"])
    assert (
        f"has {len(own)} of a kind that it does not know, of Gemma-4-E2B: 1,024 tokens at 729 to 3,880 a second"
        in told.text
    )
    assert set(told.sources) == set(own["source_id"])
    assert "among those that the model was fitted to" in findings._on_file(package, "macbook-air-m4-16gb").text
    monkeypatch.setattr(findings, "filed_prompts", lambda package: own.iloc[:0].assign(part=[]))
    assert findings._on_file(package, "iphone-17-pro").text == "The book has no prompt read by this chip."


def test_a_peak_for_sums_in_16_bits_is_not_set_beside_one_for_32_unsaid(said: dict[str, Value]) -> None:
    """NVIDIA's white paper: 330.3 and 165.2 TFLOP/s on an RTX 4090; an H100 has 989 for both."""
    half = round(int(said["ridge-gpu"].text) * 165.2 / 330.3)
    assert said["sums"].text == (
        f"The peak of the RTX 4090 is for sums in 16 bits. For sums in 32 bits it is 50 % of that, and the ridge lies at {half} tokens. "
        "The H100 has one peak for both."
    )


def test_the_battery_is_that_of_the_model_that_the_prose_names(package: DataPackage) -> None:
    assert "without a SIM tray" in package.row("batteries", "iphone-17-pro")["note"]
    assert set(derived.battery_tokens(package)["device_id"]) == {"iphone-17-pro"}


def test_a_prompt_that_memory_ends_is_not_the_longest_that_time_allows() -> None:
    rows = pd.DataFrame({"first_token_s": [1.0, 2.0, np.nan], "prompt_token": [128.0, 256.0, 512.0]})
    assert findings._longest(rows, 1.5) == "190 tokens"
    assert findings._longest(rows, 3.0).startswith("all that fits")
    assert findings._longest(rows[2:], 3.0) == "no tokens"


def test_phone_and_laptop_are_compared_on_both_counts() -> None:
    assert findings._wins(2, 0.6).endswith("write more slowly")
    assert findings._wins(2, 2).endswith("both faster")
    assert findings._wins(0.5, 0.5).endswith("both more slowly")
    assert findings._wins(0.5, 2).endswith("write faster")


@pytest.mark.slow
@pytest.mark.parametrize("changed", ODD, ids=str)
def test_what_does_not_fit_has_no_time_and_is_still_drawn(changed: dict[str, Any], package: DataPackage) -> None:
    found = values(package, **changed)
    assert not [key for key, value in found.items() if "nan" in str(value.as_dict()["text"]).lower()]
    for chart in drawn(package, GIVEN.but(**changed)):
        json.dumps(domains.widened(schema.specification(chart, records)), allow_nan=False)


def drawn(package: DataPackage, given: Parameters) -> list[alt.LayerChart]:
    return [
        charts.one_turn(derived.one_turn(package, given)), charts.turn_time(derived.turns(package, given)),
        charts.prefill_roof(derived.prefill_roof(package, given)),
        charts.first_token(derived.first_token(package, given), target_s=given.first_token_target_s),
        charts.agents(derived.agents(package, given)),
    ]  # fmt: skip


@pytest.mark.long
def test_a_model_that_nothing_holds_carries_no_agent(package: DataPackage) -> None:
    carried = derived.agents(package, GIVEN.but(agent_model="llama-3.1-405b"))
    assert carried[carried["limit"] == "memory"]["agent_count"].eq(0).all()
    assert values(package, agent_model="llama-3.1-405b")["turn-phone"].as_dict()["text"] == findings.NO_TIME


def test_caches_that_fit_are_counted_whole(package: DataPackage) -> None:
    """An H100 of 80 GB less 16 GB of weights, less what the system keeps, holds 42 caches of 12,378 tokens of 128 KiB."""
    held = common.kv_cache_byte(common.model(package, "llama-3.1-8b"), 12378, 2)
    assert held == 2 * 32 * 8 * 128 * 2 * 12378
    carried = derived.agents(package, GIVEN).set_index(["device_id", "limit"])["agent_count"]
    assert int(carried[("nvidia-h100-sxm5-80gb", "memory")]) == 42


def test_prose_cites_only_numbers_that_are_there(said: dict[str, Value]) -> None:
    text = CHAPTER.read_text(encoding="utf-8")
    own = {part.split("`")[0] for part in text.split("{value}`" + findings.NAME)[1:]}
    assert own <= set(said)
    assert np.mean([key in text for key in said]) > 0.5
