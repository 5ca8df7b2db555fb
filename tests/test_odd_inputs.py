"""Odd and bad files for ``predict``: what each is told, or how it is answered; nothing is written where something is wrong.

``CASES`` is the list.  A case is a file, what is given beside it, and either words of the message or what the first row holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.model import inputs
from analysis.model.predict import predict, predict_file
from tests import samples

HEAD = "backend,memory_bandwidth_gbyte_per_s,weight_gibyte,n_layer\n"
NAMED = "device,model,format,ctx\n"


@dataclass(frozen=True)
class Case:
    """One file: its content and name, what is given beside it, words it is told, or columns of the first row it is answered with."""

    content: str | bytes
    told: str = ""
    name: str = "in.csv"
    given: tuple[str, ...] = ()
    row: dict[str, Any] = field(default_factory=dict)
    said: str = ""


def cell(text: str, told: str) -> Case:
    """A bandwidth that is none."""
    return Case(
        f"{HEAD}cuda,{text},4,32\n",
        f"in.csv:2:memory_bandwidth_gbyte_per_s: found {text!r}; expected a number above 0{told}",
    )


CARD = {"backend": "cuda", "memory_bandwidth_gbyte_per_s": 936.0, "weight_gibyte": 4.0, "n_layer": 32.0}
RIGHT = {"token_per_s": float(predict(pd.DataFrame([CARD]))["token_per_s"].iloc[0])}
"""What 936 GB/s, 4 GiB and 32 layers on CUDA are answered with."""
NAMES = {"device": "rtx 3060", "model": "qwen3-8b", "format": "Q4_K_M"}


def needs(**more: str) -> dict[str, Any]:
    """What a card needs for a model and a format named plainly."""
    return {"needs_gibyte": float(predict(pd.DataFrame([NAMES | more]))["needs_gibyte"].iloc[0])}


CASES: dict[str, Case] = {
    # ------------------------------------------------------------------------------------------------ numbers that are none
    "thousands with an underscore": cell("1_008", " (0.01 to 1,000,000). Write digits"), "a hexadecimal number": cell("0x3F0", ""),
    "full-width digits": cell("１００８", " (0.01 to 1,000,000). Write digits"), "Arabic digits": cell("١٠٠٨", ""),
    "a unit in the cell": cell("936 GB/s", " (0.01 to 1,000,000). Write 936 alone; the unit stands in the header."),
    "a percentage": cell("50%", ""), "a range": cell("900-936", ""), "about": cell("~936", ""), "a truth value": cell("True", ""),
    "true in small letters": cell("true", ""), "not a number": cell("nan", " (0.01 to 1,000,000). Leave the cell empty"),
    "None": cell("None", " (0.01 to 1,000,000). Leave the cell empty"), "n/a": cell("n/a", ""), "a question mark": cell("?", ""),
    "infinity": cell("Infinity", ""), "more than a float holds": cell("1e309", ""), "a formula": cell("=900+36", ""),
    "two points": cell("1.008.000", ""), "an apostrophe": cell("1'008", ""), "a thin space": cell("1\u2009008", ""),
    "a minus sign of print": cell("−936", ""), "an exponent is one": Case(HEAD + "cuda,9.36e2,4,32\n", row=RIGHT),
    "a plus sign is one": Case(HEAD + "cuda,+936,4,32\n", row=RIGHT),
    "a point at the end is one": Case(HEAD + "cuda,936.,4,32\n", row=RIGHT),
    "spaces around cells": Case(HEAD + " cuda , 936 , 4 , 32 \n", row=RIGHT),
    "half a layer": Case(HEAD + "cuda,936,4,32.5\n", "in.csv:2:n_layer: found '32.5'; expected a number above 0 (1 to 100,000), whole"),
    "half a year": Case("device,year\nrtx 3060,2025.5\n", "in.csv:2:year: found '2025.5'; expected a number above 0 (1990 to 2100), whole"),
    "thousands of tokens": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,16k\n", "in.csv:2:ctx: found '16k'"),
    "k may be either": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,16k\n", "Write 16384 or 16000: k may be either."),
    # ------------------------------------------------------------------------------------------------------ rows and headers
    "a blank line counts": Case(HEAD + "cuda,936,4,32\n\ncuda,x,4,32\n", "in.csv:4:memory_bandwidth_gbyte_per_s: found 'x'"),
    "a line break in a cell counts": Case("name," + HEAD + '"a\nb",cuda,936,4,32\nc,cuda,x,4,32\n', "in.csv:4:memory_bandwidth"),
    "a comment between rows": Case(HEAD + "# mine\ncuda,936,4,32\n", row=RIGHT),
    "a comment counts": Case(HEAD + "# mine\ncuda,936,4,32\ncuda,x,4,32\n", "in.csv:4:memory_bandwidth"),
    "a short row": Case(HEAD + "cuda,936\n", "in.csv:2: found 2 cells; expected 4, as in the header. An empty cell still needs its comma."),
    "a comma at the end of a row": Case(HEAD + "cuda,936,4,32,\n", "in.csv:2: found 5 cells; expected 4"),
    "two short rows": Case(HEAD + "cuda,936\ncuda\n", "in.csv:3: found 1 cells"),
    "a column twice": Case(HEAD[:-1] + ",n_layer\ncuda,936,4,32,9\n", "in.csv:1: found the column 'n_layer' twice"),
    "a column twice by two names": Case(HEAD[:-1] + ",weight_gbyte\ncuda,936,4,32,9\n", "found the column beside 'weight_gibyte'"),
    "a column without a name": Case(HEAD[:-1] + ",\ncuda,936,4,32,9\n", row=RIGHT, said="not used: a column without a name"),
    "a header alone": Case(HEAD, said=""), "a quotation mark left open": Case(HEAD + '"cuda,936,4,32\n', "Is a quotation mark left open?"),
    "CR alone ends lines": Case((HEAD + "cuda,936,4,32\n").replace("\n", "\r"), "lines that end with CR alone"),
    "bars between cells": Case(HEAD.replace(",", "|") + "cuda|936|4|32\n",
        "in.csv:device: found no such column among 'backend|memory_bandwidth_gbyte_per_s|wei'; expected it, or backend and memory"),
    "Windows-1252": Case(HEAD.encode() + b"c\xfcda,936,4,32\n",
        "in.csv:2: found a byte that is not UTF-8, in 'cüda,93' if it is Windows-1252"),
    "a NUL byte": Case(HEAD.encode() + b"cu\0da,936,4,32\n", "in.csv:2: found a NUL byte"),
    "UTF-16": Case(HEAD.encode("utf-16"), "found text in UTF-16"), "no header": Case("cuda,936,4,32\n", "found no such column"),
    # ------------------------------------------------------------------------------------------------------- no table at all
    "gzip": Case(b"\x1f\x8b\x08\x00abc", "found a file packed by gzip"),
    "a workbook by another name": Case(b"PK\3\4abc", "found a ZIP archive"),
    "an old workbook": Case(b"\xd0\xcf\x11\xe0abc", "a workbook of before 2007", "in.xls"), "a PDF": Case(b"%PDF-1.7\n", "found a PDF"),
    "a web page": Case("<!DOCTYPE html><html>", "found a web page"), "a picture": Case(b"\x89PNG\r\n", "found a picture"),
    "Parquet by another name": Case(b"PAR1abc", "found Parquet"), "a database": Case(b"SQLite format 3\0", "found a database", "in.db"),
    "safetensors": Case(b"\x40\0\0\0\0\0\0\0{}", "found", "model.safetensors"),
    "SQL of llama-bench": Case(samples.BENCH_SQL, "found SQL; expected CSV, JSON, JSONL or Markdown of llama-bench", "b.sql"),
    "rows of ours as JSON": Case('[{"device": "rtx 3060"}]', "found JSON with device; expected a config.json", "in.json"),
    "a tokenizer's JSON": Case('{"add_bos_token": false}', "found JSON with add_bos_token", "tokenizer_config.json"),
    "JSON cut off": Case(samples.bench_json({})[:300], "found no JSON", "b.json"),
    "a number as JSON": Case("[1]", "no list of objects", "x.json"),
    "YAML": Case("device: rtx 3060\nmodel: qwen3-8b\n", "found no such column", "in.yml"),
    "a table of another program in Markdown": Case("| GPU | VRAM |\n| --- | --- |\n| a | 8 |\n", "found a Markdown table", "x.md"),
    # -------------------------------------------------------------------------------------------------------------- names
    "a path of Windows": Case(NAMED + "rtx 3060,C:\\m\\Qwen3-8B-Q4_K_M.gguf,Q4_K_M,0\n", row={"fits": "yes"}),
    "an address that ends with a slash": Case(NAMED + "rtx 3060,https://huggingface.co/Qwen/Qwen3-8B/,Q4_K_M,0\n", row={"fits": "yes"}),
    "a picture in a name": Case(NAMED + "RTX 3060 🚀,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "a hyphen of print": Case(NAMED + "RTX‑3060,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "a Cyrillic A": Case(NAMED + "А100,qwen3-8b,Q4_K_M,0\n", "found 'А100'; expected a device of the book"),
    "two devices in a cell": Case(NAMED + "rtx 3060 and rtx 3090,qwen3-8b,Q4_K_M,0\n", "expected a device of the book"),
    "two formats in a cell": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M or Q8_0,0\n",
        row={"token_per_s": np.nan, "note": "bits of the number"}),
    "a size for a model": Case(NAMED + "rtx 3060,8B,Q4_K_M,0\n", "found '8B'; expected a known model"),
    "a very long name": Case(NAMED + f"rtx 3060,{'x' * 5000},Q4_K_M,0\n", f"found '{'x' * 80}'; expected a known model"),
    "Metal on NVIDIA": Case("device,backend\nrtx 3060,metal\n",
        "in.csv:2:backend: found 'metal'; expected a backend of the device. On rtx-3060-12gb"),
    "CUDA on a Mac": Case("device,backend\nMacBook Air M3,CUDA\n", "On macbook-air-m3-8gb it is metal"),
    "a processor on a card": Case("device,backend\nrtx 3060,cpu\n", "On rtx-3060-12gb it is cuda"),
    "Vulkan on NVIDIA": Case("device,backend,model,format\nrtx 3060,Vulkan,qwen3-8b,Q4_K_M\n", row={"fits": "yes"}),
    # --------------------------------------------------------------------------------------------------- what cannot be meant
    "weights of another model": Case("device,model,weight_gibyte\nrtx 3060,qwen3-8b,40\n", "found 41.9 bits a parameter of qwen3-8b"),
    "GB written as GiB, twice": Case("device,model,weight_gibyte\nrtx 3060,qwen3-8b,0.004\n", "expected 0.5 to 33"),
    "a size against its format": Case("device,model,format,weight_gibyte\nrtx 4090,qwen3-8b,Q4_K_M,15\n",
        row={"note": "size and number format disagree"}),
    "more context than the model has": Case(NAMED + "rtx 4090,qwen3-8b,Q4_K_M,100000\n",
        row={"note": "more context than the model is made for"}),
    "the bandwidth of another": Case("device,memory_bandwidth_gbyte_per_s,model,format\nrtx 3060,3350,qwen3-8b,Q4_K_M\n",
                                     row={"note": "far from that of its device"}),
    "a measurement below zero": Case("device,measured\nrtx 3060,-3\n", "in.csv:2:measured: found '-3'"),
    # ------------------------------------------------------------------------------------------------------------ given beside
    "a device for every row": Case("model,format\nqwen3-8b,Q4_K_M\n", given=("device=rtx 3060",), row={"fits": "yes"}),
    "no such column": Case(HEAD, "--give: found 'devise=x'; expected column=value, as device=rtx-3060-12gb", given=("devise=x",)),
    "no value": Case(HEAD, "--give: found 'device'; expected column=value", given=("device",)),
    "a wrong value, told once": Case("model\nqwen3-8b\nqwen3-8b\n", "--give:device: found 'rtx 9'", given=("device=rtx 9",)),
    "another unit": Case(HEAD, "found 'bandwidth_tbyte_per_s=1'", given=("bandwidth_tbyte_per_s=1",)),
    "the table's own go first": Case("device,model,format\nrtx 3060,qwen3-8b,Q4_K_M\n", given=("device=rtx 4090",),
        row={"has_gibyte": 11.721}),
    # ------------------------------------------------------------------------------------------------------------ other forms
    "semicolons and points of thousands": Case("backend;bandwidth (GB/s);weight_gibyte\ncuda;1.008,5;4\n", "in.csv:2:bandwidth (GB/s)"),
    "tabs and decimal commas": Case((HEAD + "cuda\t936,0\t4\t32\n").replace(",w", "\tw").replace("d,m", "d\tm").replace(",n", "\tn"),
                                    name="in.tsv", row=RIGHT),
    "a mark and quotation marks": Case("\ufeff" + HEAD.replace("backend", '"backend"') + "cuda,936,4,32\n", row=RIGHT),
    "a configuration without layers": Case('{"hidden_size": 64, "vocab_size": 10}', name="config.json", given=("device=rtx 3060",),
                                           row={"token_per_s": np.nan}, said="open: cache"),
    "a configuration of words": Case(json.dumps(samples.QWEN3_8B | {"num_hidden_layers": "36"}), name="config.json",
                                     given=("device=rtx 3060",), said="the number of layers is not stated"),
    "a benchmark without a speed": Case(samples.bench_csv({"avg_ts": ""}), name="b.csv", row={"inside_interval": np.nan}),
    "a benchmark with a wrong speed": Case(samples.bench_csv({"avg_ts": "fast"}), "measured_token_per_s: found 'fast'", name="b.csv"),
    # --------------------------------------------------------------------------------------- spreadsheets as they are sent around
    "the separator in a line of its own": Case("sep=;\n" + HEAD.replace(",", ";") + "cuda;936;4;32\n", row=RIGHT),
    "a title above the header": Case(f"Our cards in 2026\n\n{HEAD}cuda,936,4,32\n", row=RIGHT),
    "a title as wide as the header": Case(f"Our cards in 2026,,,\n,,,\n{HEAD}cuda,936,4,32\n", row=RIGHT),
    "a title above semicolons": Case("Unsere Karten\n" + HEAD.replace(",", ";") + "cuda;936,0;4;32\n", row=RIGHT),
    "rows below a title keep their lines": Case(f"Our cards\n\n{HEAD}cuda,x,4,32\n", "in.csv:4:memory_bandwidth_gbyte_per_s"),
    "columns without a name, all empty": Case(HEAD[:-1] + ",,,\ncuda,936,4,32,,,\n", row=RIGHT),
    "rows without anything": Case(HEAD + "cuda,936,4,32\n,,,\n,,,\n", row=RIGHT),
    "a sum below the rows": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,0\nTotal,,,\n", "in.csv:3:device: found 'Total'"),
    "units below the header": Case(NAMED + ",,,tokens\nrtx 3060,qwen3-8b,Q4_K_M,0\n", "in.csv:2:ctx: found 'tokens'"),
    "rows as columns": Case("device,rtx 3060\nmodel,qwen3-8b\n", "in.csv:2:device: found 'model'; expected a device of the book"),
    "words of another language": Case("Gerät,Modell\nrtx 3060,qwen3-8b\n", "found no such column among 'Gerät', 'Modell'"),
    "columns lined up with spaces": Case("device   model\nrtx 3060   qwen3-8b\n", "found no such column among 'device   model'"),
    "a drawn table": Case("+---+\n|device|\n+---+\n", "found no such column among '+---+'"),
    "a table of a web page": Case("<table><tr><td>device</td></tr></table>", "found a web page"),
    "an error of a spreadsheet": cell("#REF!", ""), "not available": cell("#N/A", ""), "a date made of a number": cell("08.Dez", ""),
    "a dash of print": cell("—", ""), "a power": cell("2^10", ""), "a fraction": cell("936 1/2", ""), "an interval": cell("936 ± 5", ""),
    "thousands with a narrow space": cell("1\u202f008", ""), "thousands with an unbreakable space": cell("1\u00a0008", ""),
    "GB in a column of GiB": Case("device,weight_gibyte\nrtx 3060,4GB\n", "Write 3.72529: the header counts in GiB."),
    "MB in a column of GB": Case("device,weight (GB)\nrtx 3060,4000 MB\n", "Write 4: the header counts in GB."),
    "GiB in a column of GiB": Case("device,weight_gibyte\nrtx 3060,4 GiB\n", "Write 4 alone; the unit stands in the header."),
    "the unit of a column of tokens": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,8192 tokens\n", "Write 8192 alone"),
    "as many as it takes": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,max\n", "in.csv:2:ctx: found 'max'"),
    "all of them": Case(NAMED + "rtx 3060,qwen3-8b,Q4_K_M,-1\n", "in.csv:2:ctx: found '-1'"),
    "a yes": Case("device,model,format,fa\nrtx 3060,qwen3-8b,Q4_K_M,yes\n", row={"fits": "yes"}),
    "a cross for a yes": Case("device,model,format,fa\nrtx 3060,qwen3-8b,Q4_K_M,x\n", "in.csv:2:fa: found 'x'; expected true or false"),
    "a yes of another language": Case("device,fa\nrtx 3060,VRAI\n", "in.csv:2:fa: found 'VRAI'; expected true or false"),
    "a year of two digits": Case("device,year\nrtx 3060,25\n", "in.csv:2:year: found '25'"),
    "a date for a year": Case("device,year\nrtx 3060,2025-11-03\n", "in.csv:2:year: found '2025-11-03'"),
    "no sequence": Case("device,batch\nrtx 3060,0\n", "in.csv:2:batch: found '0'; expected a number above 0"),
    "half a chip": Case("device,n_gpu\nrtx 3060,0.5\n", "in.csv:2:n_gpu: found '0.5'"),
    "a measurement with its spread": Case("device,measured\nrtx 3060,41.2 ± 0.3\n", "in.csv:2:measured: found '41.2 ± 0.3'"),
    # --------------------------------------------------------------------------------------------- names as forums write them
    "a space nobody sees": Case(NAMED + "rtx\u200b 3060,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "a mark of direction": Case(NAMED + "\u200frtx 3060,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "full-width letters": Case(NAMED + "ＲＴＸ 3060,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "an unbreakable space in a name": Case(NAMED + "rtx\u00a03060,qwen3-8b,Q4_K_M,0\n", row={"fits": "yes"}),
    "words of forums in the header": Case("GPU,LLM,Quant,Ctx size\nRTX 3060,Qwen3 8B,Q4_K_M,8192\n", row=needs(ctx="8192")),
    "marks of footnotes in the header": Case("device,model,format*,ctx†\nrtx 3060,qwen3-8b,Q4_K_M,8192\n", row=needs(ctx="8192")),
    "a line break in the header": Case('"device\n(name)",model,format\nrtx 3060,qwen3-8b,Q4_K_M\n', row={"fits": "yes"}),
    "a speed in the header": Case("device,model,format,tok/s\nrtx 3060,qwen3-8b,Q4_K_M,42\n",
        said="not used: tok/s (if you measured it: measured_token_per_s)"),
    "layers on the card": Case("device,model,format,ngl\nrtx 3060,qwen3-8b,Q4_K_M,20\n", said="not used: ngl"),
    "memory as it is advertised": Case("GPU,Model,Quant,VRAM (GB)\nRTX 3060,Qwen3 8B,Q4_K_M,12\n",
        row={"note": "memory counted in decimal GB", "fits": "yes"}),
    "memory in GiB": Case("GPU,Model,Quant,VRAM [GiB]\nRTX 3060,Qwen3 8B,Q4_K_M,12\n", row={"has_gibyte": 11.721}),
    "a tag of Ollama": Case(NAMED + "rtx 3060,llama3.1:8b-instruct-q4_K_M,,0\n",
        row=needs(model="llama-3.1-8b") | {"note": "number format as the model's name says it"}),
    "a file as the model": Case("device,model\nrtx 3060,Qwen3-8B-Q4_K_M.gguf\n", row=needs()),
    "a size goes before a name": Case("device,model,weight_gibyte\nrtx 3060,Qwen3-8B-Q4_K_M.gguf,6\n", row={"needs_gibyte": 6.0}),
    "a format goes before a name": Case(NAMED + "rtx 3060,Qwen3-8B-Q4_K_M.gguf,Q8_0,0\n", row=needs(format="Q8_0")),
    "two models in a cell": Case(NAMED + 'rtx 3060,"qwen3-8b, llama-3.1-8b",Q4_K_M,0\n', "expected a known model. Did you mean"),
    "twice a card": Case(NAMED + "2x rtx 3090,qwen3-8b,Q4_K_M,0\n", "expected a device of the book. Did you mean 'rtx-3090"),
    "a card that is another": Case(NAMED + "RTX 3095 Ti,qwen3-8b,Q4_K_M,0\n", "expected a device of the book. Did you mean"),
    "four bits of no kind": Case(NAMED + "rtx 3060,qwen3-8b,4-bit,0\n", row={"token_per_s": np.nan, "note": "bits of the number"}),
    "Q4 of no kind": Case(NAMED + "rtx 3060,qwen3-8b,Q4,0\n", row={"token_per_s": np.nan, "note": "bits of the number"}),
    "bits with a decimal comma": Case(NAMED.replace(",", ";") + "rtx 3060;qwen3-8b;4,25 bpw;0\n", row={"needs_gibyte": 4.0525}),
    "a name nobody knows has no neighbour": Case(NAMED + "my-laptop,qwen3-8b,Q4_K_M,0\n", "known names is like it."),
    "an unknown backend of a benchmark": Case(samples.bench_csv({"backends": "Foo"}), "found 'Foo'; expected a backend", name="b.csv"),
}  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 125


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("error")
def test_an_odd_file_is_told_or_answered(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    (tmp_path / case.name).write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    source, out = str(tmp_path / case.name), tmp_path / "out.csv"
    if case.told:
        with pytest.raises(InputError) as error:
            predict_file(source, str(out), filled=inputs.filled(case.given))
        assert case.told in str(error.value)
        assert len(str(error.value).splitlines()) <= 3, "one cause, one message"
        assert not out.exists()
        return
    said = predict_file(source, str(out), filled=inputs.filled(case.given))
    assert case.said in said
    table = pd.read_csv(out)
    for column, value in case.row.items():
        found = table[column][0]
        same = value in str(found) if isinstance(value, str) else found == pytest.approx(value, rel=1e-4, nan_ok=True)
        assert same, (column, found)
