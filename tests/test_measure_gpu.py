"""The script that measures a card: bytes and operations of every filed row, the plan, the rows; with PyTorch the steps themselves."""

from __future__ import annotations

import csv
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from analysis.book.inputs import intake
from tests.conftest import ROOT

SCRIPTS = str(ROOT / "scripts")


@pytest.fixture(scope="module")
def gpu() -> Iterator[ModuleType]:
    sys.path.insert(0, SCRIPTS)
    os.environ["TRITON_INTERPRET"] = "1"  # asked when the kernels are taken in: then they run in Python
    yield importlib.import_module("measure_gpu")
    del os.environ["TRITON_INTERPRET"]
    sys.path.remove(SCRIPTS)


@pytest.fixture(scope="module")
def works(gpu: ModuleType) -> list[Any]:
    known = gpu.shapes()
    return [gpu.work_of(row, known) for row in gpu.filed()]


COUNTED = ("n_param", "weight_byte", "kv_byte", "flop")


def test_bytes_and_operations_of_every_filed_row_are_reckoned_again(gpu: ModuleType, works: list[Any]) -> None:
    for row, work in zip(gpu.filed(), works, strict=True):
        found = work.counts(float(row["n_distinct_expert"] or 1))
        assert set(found) == {name for name in COUNTED if row[name]}, row["measurement_id"]
        for name, value in found.items():
            assert value == pytest.approx(float(row[name]), rel=1e-5), f"{row['measurement_id']}: {name}"


H100 = {
    "name": "h100",
    "device": "NVIDIA H100 80GB HBM3",
    "engine_version": "2.11.0+cu130",
    "memory_byte": 85_017_493_504.0,
}


def test_what_did_not_fit_the_smaller_card_is_what_it_has_no_rows_of(gpu: ModuleType, works: list[Any]) -> None:
    held = {work for row, work in zip(gpu.filed(), works, strict=True) if row["device"] == H100["device"]}
    plan = gpu.plan()
    assert len(plan) == sum(row["device"] == "NVIDIA H200" for row in gpu.filed())
    for work in plan:
        assert (work.held_byte + gpu.RESERVE_BYTE <= H100["memory_byte"]) == (work in held), work


def test_a_tiny_plan_has_every_kind_and_format(gpu: ModuleType) -> None:
    plan, tiny = gpu.plan(), gpu.plan(tiny=True)
    assert {(work.kind, work.format, work.ops) for work in tiny} == {
        (work.kind, work.format, work.ops) for work in plan
    }
    assert max(work.held_byte for work in tiny) < 1e8


def test_a_filed_row_is_written_again_from_what_was_measured(gpu: ModuleType, works: list[Any]) -> None:
    rates = (
        "token_per_s",
        "achieved_gbyte_per_s",
        "achieved_tflop_per_s",
        "joule_per_token",
        "joule_uncertainty_percent",
    )
    measured = ("step_s_median", "step_s_p10", "step_s_p90", "joule_per_step", "power_w", "n_distinct_expert", "sm_mhz")
    card = gpu.Card(**H100, datasheet_gbyte_per_s=3350, accelerator_id="nvidia-h100-sxm5-80gb")
    for row, work in zip(gpu.filed(), works, strict=True):
        found = {name: float(row[name]) for name in measured if row[name]}
        made = gpu.row_of(work, card, found | {"is_power_limited": row["time_uncertainty_percent"] == "5"}, 1)
        assert set(made) <= set(row)
        for name in rates:
            assert (
                made.get(name, "") == ""
                if not row[name]
                else float(made[name]) == pytest.approx(float(row[name]), rel=1e-4)
            ), name
        same = (
            "kind",
            "model",
            "format",
            "ops",
            "batch",
            "context_token",
            "left_out",
            "time_uncertainty_percent",
            "note",
        )
        assert {name: made.get(name, "") for name in same} == {name: row[name] for name in same}


class Steady:
    """A meter of a card that reads 700 GB/s; the second piece of work fails."""

    def __init__(self) -> None:
        self.count = 0

    def measure(self, work: Any) -> dict[str, float]:
        self.count += 1
        if self.count == 2:
            raise RuntimeError("no such kernel\nand more of it")
        found = work.counts()
        step = 1e-4 + (found.get("weight_byte", 0) + found.get("kv_byte", 0)) / 700e9
        return (
            {}
            if work.kind == "idle"
            else {"step_s_median": step, "step_s_p10": step, "step_s_p90": step, "replays": 12}
        )


def test_work_is_done_until_the_budget_is_used_up_and_a_failure_is_told(gpu: ModuleType, tmp_path: Path) -> None:
    told: list[str] = []
    left = iter([3.0, 2.0, 1.0, *[-1.0] * 300])
    plan, card = gpu.plan(), gpu.Card(**H100, datasheet_gbyte_per_s=3350)
    rows = list(gpu.measured(plan, Steady(), card, left_s=lambda: next(left), tell=told.append))
    assert [row["measurement_id"] for row in rows] == ["h100-001", "h100-003"]
    assert told[0] == f"{plan[1]}: RuntimeError: no such kernel"
    assert (
        sum("the budget is used up" in line for line in told) + sum("do not fit" in line for line in told)
        == len(plan) - 3
    )


def test_the_rows_of_a_card_are_rows_of_the_table(gpu: ModuleType, tmp_path: Path) -> None:
    """What the script writes, a build reads: no problem, and the card's own name, bandwidth and caveats in it."""
    card = gpu.Card("l40s", "NVIDIA L40S", "2.11.0", datasheet_gbyte_per_s=864, memory_byte=48e9)
    made = gpu.measured(gpu.plan(), Steady(), card, left_s=lambda: 1.0, tell=lambda text: None)
    assert gpu.write(tmp_path / "measurements_gpu_pair.l40s.csv", made) > 100
    assert intake.judged(tmp_path).errors == []


def test_quantiles_are_values_that_were_measured(gpu: ModuleType) -> None:
    assert gpu.quantiles([3.0]) == {"step_s_median": 3, "step_s_p10": 3, "step_s_p90": 3}
    found = gpu.quantiles([float(value) for value in range(101, 0, -1)])
    assert found == {"step_s_median": 51, "step_s_p10": 11, "step_s_p90": 91}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "--datasheet: expected the memory bandwidth of the card in GB/s"),
        (["--datasheet", "864", "--name", "My card"], "--name: found 'My card', expected small letters and digits"),
        (["--datasheet", "fast"], "invalid float value: 'fast'"),
    ],
)
def test_what_cannot_be_measured_is_told_with_exit_2(
    gpu: ModuleType, given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        gpu.main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_work_is_listed_without_a_card(gpu: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(gpu.plan())
    assert any("15.077 GB" in line and "decode llama-3.1-8b bf16 fused batch 1 context 512" in line for line in lines)


def test_without_pytorch_the_script_says_what_to_install(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gpu_steps", None)
    assert gpu.main(["--datasheet", "864"]) == 2
    assert "Measuring needs PyTorch" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------- with PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: the steps themselves are not tried")


@pytest.fixture(scope="module")
def steps(gpu: ModuleType, torch: Any) -> ModuleType:
    return importlib.import_module("gpu_steps")


def off(found: Any, wanted: Any) -> float:
    return float((found.float() - wanted.float()).norm() / wanted.float().norm())


def both(gpu: ModuleType, name: str, **more: Any) -> Any:
    return gpu.Shape(**{**vars(gpu.TINY), "n_kv_head": {"grouped": 2, "full": 8}[name]} | more)


@pytest.mark.parametrize("name", ["grouped", "full"])
def test_a_token_decoded_is_a_token_read(gpu: ModuleType, steps: ModuleType, torch: Any, name: str) -> None:
    """The last token of a prompt, decoded after the others, has the logits that it has when the prompt is read at once."""
    torch.manual_seed(0)
    model = steps.Decoder(both(gpu, name), "bf16")
    pool = steps.normal(2**18)
    prompt, caches = torch.randint(0, 1024, (17,)), model.caches(pool, 1, 17)
    with torch.no_grad():
        model.prefill(prompt, caches, steps.Eager(), "")()
        whole = model.logits.clone()
        for keys, values in caches:
            keys[:, 16], values[:, 16] = 0, 0
        model.decode(prompt[16:].clone(), caches, steps.Eager(), "")()
    assert off(model.logits, whole) < 0.02


def test_fused_operations_are_the_plain_ones(gpu: ModuleType, steps: ModuleType, torch: Any) -> None:
    pytest.importorskip("triton", reason="Triton is not installed: the fused operations are not tried")
    assert steps.can_fuse()
    torch.manual_seed(0)
    model, pool, found = steps.Decoder(both(gpu, "grouped"), "bf16"), steps.normal(2**18, spread=1.0), []
    for ops in (steps.Eager(), steps.Fused()):
        with torch.no_grad():
            model.decode(torch.arange(3), model.caches(pool.clone(), 3, 24), ops, "")()
        found.append(model.logits.clone())
    assert off(found[1], found[0]) < 0.02


@pytest.mark.parametrize(("name", "matrix"), [
    ("Int8", lambda product: product.weight.float() * product.scale.float()[:, None]),
    ("Fp8", lambda product: product.weight.float() * product.scale),
])  # fmt: skip
def test_a_product_is_that_of_the_matrix_it_stands_for(steps: ModuleType, torch: Any, name: str, matrix: Any) -> None:
    torch.manual_seed(0)
    product, x = getattr(steps, name)(512, 256), steps.normal(5, 256, spread=1.0)
    given = x.to(torch.float8_e4m3fn).float() if name == "Fp8" else x.float()
    assert off(product(x), given @ matrix(product).t()) < 0.02


def test_a_mixture_is_the_sum_of_the_experts_that_are_called(gpu: ModuleType, steps: ModuleType, torch: Any) -> None:
    torch.manual_seed(0)
    model = steps.Mixture(both(gpu, "grouped", n_expert=8, n_active_expert=2, ffn_dim=128), "bf16")
    layer, h = model.layers[0], steps.normal(3, 256, spread=1.0)
    share, chosen = layer["router"](h).float().softmax(-1).topk(2, -1)
    share = share / share.sum(-1, keepdim=True)
    wanted = torch.zeros(3, 256)
    for row in range(3):
        for place in range(2):
            expert = chosen[row, place]
            gate, up = (h[row].float() @ layer["gate_up"][expert].float().t()).chunk(2)
            hidden = torch.nn.functional.silu(gate) * up
            wanted[row] += share[row, place] * (hidden @ layer["down"][expert].float().t())
    with torch.no_grad():
        found = model.feed_forward(layer, h, steps.Eager())
    assert off(found, wanted) < 0.02
    model.layers = model.layers[:1]
    assert model.n_distinct_expert == len(set(chosen.flatten().tolist()))


@pytest.mark.slow
def test_every_path_is_taken_with_small_shapes(
    gpu: ModuleType, steps: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a card only the 4-bit product has no kernel, and that is told."""
    assert gpu.main(["--tiny", "--name", "cpu", "--out", str(tmp_path)]) == 0
    with (tmp_path / "tiny.cpu.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    planned = {(work.kind, work.format) for work in gpu.plan(tiny=True)}
    assert {(row["kind"], row["format"]) for row in rows} | {("decode", "int4-g128")} == planned
    assert all(float(row["step_s_median"]) > 0 for row in rows if row["kind"] != "idle")
    assert "rows in" in capsys.readouterr().err
