"""How fast is the model?  Ours beside two published Python tools on the same configurations, in one run.

python scripts/bench_model.py [--out FILE.json]

The two tools (llm-analysis, mlsysim) are installed from PyPI into a throw-away environment that is deleted afterwards; they are
no dependency of the book.  Where they cannot be installed, ours is timed alone and the table says so.  Each tool computes the
decode speed of the same 1,000 configurations: Llama-2 7B and 70B in FP16 on cards of 500 bandwidths, batch 1, context 512.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
COUNT = 1000
BANDWIDTHS_GBYTE_PER_S = np.linspace(100, 4000, COUNT // 2)
BUDGET_S = {"1,000 configurations": 0.7e-3, "one configuration": 10e-6, "import": 0.2}

OTHERS = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
tool, bandwidths = sys.argv[1], json.loads(sys.argv[2])
start = time.perf_counter()
if tool == "llm-analysis":
    from llm_analysis.analysis import LLMAnalysis
    from llm_analysis.config import DtypeConfig, GPUConfig, ModelConfig
    models = [ModelConfig(name="7b", num_layers=32, n_head=32, hidden_dim=4096, vocab_size=32000, max_seq_len=4096, ffn_embed_dim=12288),
              ModelConfig(name="70b", num_layers=80, n_head=64, hidden_dim=8192, vocab_size=32000, max_seq_len=4096,
                          num_key_value_heads=8, ffn_embed_dim=32768)]
    def speed(model, bandwidth):
        gpu = GPUConfig(name="card", mem_per_GPU_in_GB=1000, hbm_bandwidth_in_GB_per_sec=bandwidth, intra_node_bandwidth_in_GB_per_sec=100,
                        intra_node_min_message_latency=1e-5, peak_fp16_TFLOPS=300)
        theirs = LLMAnalysis(model, gpu, DtypeConfig())
        return theirs.inference(batch_size_per_gpu=1, seq_len=512, num_tokens_to_generate=1)["decode_latency"]
else:
    import mlsysim
    from mlsysim import Engine, Hardware, Models
    models = [Models.Language.Llama2_7B, Models.Language.Llama2_70B]
    card = Hardware.Cloud.A100
    unit = card.memory.bandwidth.to("gigabyte / second") / card.memory.bandwidth.to("gigabyte / second").magnitude
    def speed(model, bandwidth):
        memory = card.memory.model_copy(update={"bandwidth": bandwidth * unit})
        return Engine.solve(model, card.model_copy(update={"memory": memory}), batch_size=1, precision="fp16", seq_len=512).latency
loaded = time.perf_counter() - start
speed(models[0], bandwidths[0])
start = time.perf_counter()
for model in models:
    for bandwidth in bandwidths:
        speed(model, bandwidth)
print(json.dumps({"import": loaded, "many": time.perf_counter() - start}))
"""


def best(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several times of a call, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def ours() -> dict[str, float]:
    """Return the times of our model: many configurations as arrays, one, a file of rows, and the import."""
    from analysis.model import expected

    known = expected.calibration(REPOSITORY / "data")
    kind = known.coefficients("cuda", hbm=False, old_software=False, flash=True, packing="plain")
    table, codes = (
        known.table,
        np.full(COUNT, expected.code("cuda", hbm=False, old_software=False, flash=True, packing="plain")),
    )
    sizes = {
        "n_layer": (32.0, 80.0),
        "weight_byte": (13.2e9, 137.4e9),
        "kv_cache_byte": (512 * 524288.0, 512 * 327680.0),
    }
    many = {name: np.repeat(pair, COUNT // 2) for name, pair in sizes.items()}
    many |= {
        "bandwidth_byte_per_s": np.tile(BANDWIDTHS_GBYTE_PER_S * 1e9, 2),
        "bit_per_param": np.full(COUNT, 16.0),
        "introduced_year": np.full(COUNT, 2022.0),
    }
    single = {
        "bandwidth_byte_per_s": 1e12,
        "weight_byte": 13.2e9,
        "n_layer": 32.0,
        "bit_per_param": 16.0,
        "kv_cache_byte": 2.7e8,
    }
    return {
        "many": best(lambda: known.parts(expected.arrays(table, codes), many).step_s, 200),
        "one": best(lambda: expected.token_per_s(known, kind, **single), 2000),
        "import": min(_import_s() for _ in range(5)),
    }


def _import_s() -> float:
    """Return the time until a fresh interpreter has imported the model and read its parameters."""
    code = (
        "import time; start = time.perf_counter(); from pathlib import Path; import analysis; from analysis.model import expected; "
        "expected.calibration(Path('data')); print(time.perf_counter() - start)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY, capture_output=True, text=True)
    return float(done.stdout)


def file_rows(count: int = 1_000_000) -> dict[str, dict[str, float]]:
    """Return the time to predict a file of a million rows, and to read and write the same file with pandas.

    Once with configurations that come again, as in a table of devices and models, once with all rows different.
    """
    draw = np.random.default_rng(0)
    cases = {
        "900 different rows": (np.arange(count) % 900 + 100, np.full(count, 3.56)),
        "all rows different": (draw.uniform(100, 1000, count).round(3), draw.uniform(1, 9, count).round(3)),
    }
    return {name: _file_times(*numbers) for name, numbers in cases.items()}


def _file_times(bandwidth: np.ndarray, size: np.ndarray) -> dict[str, float]:
    import pandas as pd

    from analysis.model.predict import predict_file

    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "rows.csv", Path(folder) / "out.csv"
        rows = {
            "backend": "cuda",
            "chip": "RTX 4090",
            "memory_bandwidth_gbyte_per_s": bandwidth,
            "weight_gibyte": size,
            "quantization": "Q4_0",
        }
        pd.DataFrame(rows).to_csv(path, index=False)
        pd.read_csv(path, nrows=1000)
        plain = best(lambda: pd.read_csv(path).to_csv(out, index=False), 2)
        return {"predict": best(lambda: predict_file(str(path), str(out)), 2), "read and write": plain}


def others() -> dict[str, dict[str, float] | str]:
    """Return the times of the two published tools, or why there are none."""
    found: dict[str, dict[str, float] | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        for tool in ("llm-analysis", "mlsysim"):
            try:
                subprocess.run(
                    [python, "-m", "pip", "install", "-q", tool], check=True, capture_output=True, timeout=300
                )
                arguments = [python, "-c", OTHERS, tool, json.dumps(list(BANDWIDTHS_GBYTE_PER_S))]
                done = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=300)
                found[tool] = json.loads(done.stdout.strip().splitlines()[-1])
            except subprocess.CalledProcessError as error:
                said = error.stderr if isinstance(error.stderr, str) else (error.stderr or b"").decode(errors="replace")
                found[tool] = f"not timed: {(said.strip().splitlines() or ['no message'])[-1][:200]}"
            except subprocess.TimeoutExpired:
                found[tool] = "not timed: took longer than five minutes"
    return found


def table(mine: dict[str, float], rivals: dict[str, dict[str, float] | str]) -> list[str]:
    """Return the times as a Markdown table."""
    lines = [
        "| | 1,000 configurations | one configuration | import |",
        "|---|--:|--:|--:|",
        f"| this book | {mine['many'] * 1e3:.3f} ms (as arrays) | {mine['one'] * 1e6:.1f} µs | {mine['import']:.3f} s |",
    ]
    for tool, times in rivals.items():
        if isinstance(times, str):
            lines.append(f"| {tool} | {times} | | |")
        else:
            each = times["many"] / COUNT * 1e6
            lines.append(f"| {tool} | {times['many'] * 1e3:.1f} ms | {each:.0f} µs | {times['import']:.2f} s |")
    many, one = BUDGET_S["1,000 configurations"] * 1e3, BUDGET_S["one configuration"] * 1e6
    return [*lines, f"| budget | {many:.1f} ms | {one:.0f} µs | {BUDGET_S['import']:.1f} s |"]


def file_table(rows: dict[str, dict[str, float]]) -> list[str]:
    """Return the times of files as a Markdown table."""
    lines = ["| a file of 1,000,000 rows | predict | read and write alone | ratio |", "|---|--:|--:|--:|"]
    for name, times in rows.items():
        ratio = times["predict"] / times["read and write"]
        lines.append(f"| {name} | {times['predict']:.1f} s | {times['read and write']:.1f} s | {ratio:.1f} |")
    return lines


def main() -> None:
    """Time everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="write the times as JSON, too")
    parser.add_argument("--alone", action="store_true", help="do not install and time the other tools")
    given = parser.parse_args()
    mine, rows = ours(), file_rows()
    rivals = {} if given.alone else others()
    print("\n".join([*table(mine, rivals), "", *file_table(rows)]))
    if given.out:
        Path(given.out).write_text(json.dumps({"this book": mine, "file": rows, **rivals}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
