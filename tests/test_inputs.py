"""The header of a table to predict: understood as people write it, refused where it is nearly right, kept where it is theirs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from analysis.door import sheets
from analysis.errors import InputError
from analysis.model import inputs
from analysis.model.predict import OUTPUT, example, predict, predict_file
from tests.conftest import ROOT

PLAIN = "backend,memory_bandwidth_gbyte_per_s,weight_gibyte,context_token\ncuda,936.5,3.56,2048\n"
COMMAND = [sys.executable, "-m", "analysis"]


def answer(folder: Path, content: str | bytes, name: str = "in.csv") -> pd.DataFrame:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    predict_file(str(folder / name), str(folder / "out.csv"))
    return pd.read_csv(folder / "out.csv")


def speeds(table: pd.DataFrame) -> list[float]:
    return list(table[list(OUTPUT[:4])].iloc[0])


@pytest.mark.parametrize(
    ("name", "column", "ratio"),
    [
        ("Backend", "backend", 1), (" memory_bandwidth_gbyte_per_s", "memory_bandwidth_gbyte_per_s", 1),
        ("Bandwidth (GB/s)", "memory_bandwidth_gbyte_per_s", 1), ("Memory bandwidth [TB/s]", "memory_bandwidth_gbyte_per_s", 1e3),
        ("memory_bandwidth_gbit_per_s", "memory_bandwidth_gbyte_per_s", 1 / 8),
        ("Memory_Bandwidth_TB_per_s", "memory_bandwidth_gbyte_per_s", 1e3),
        ("Bandwidth GB/s", "memory_bandwidth_gbyte_per_s", 1), ("Bandwidth (Gbit/s)", "memory_bandwidth_gbyte_per_s", 1 / 8),
        ("memory_capacity_gbyte", "memory_capacity_gibyte", 1e9 / 2**30), ("VRAM (GiB)", "memory_capacity_gibyte", 1),
        ("vram_gb", "memory_capacity_gibyte", 1e9 / 2**30), ("Weight [MiB]", "weight_gibyte", 2**-10), ("weight_gib", "weight_gibyte", 1),
        ("context_tokens", "context_token", 1), ("ctx", "context_token", 1), ("Context (tokens)", "context_token", 1),
        ("n_ctx", "context_token", 1), ("Model", "model_id", 1), ("quant", "quantization", 1), ("GPU", "chip", 1),
        ("Batch Size", "batch_size", 1), ("num_hidden_layers", "n_layer", 1), ("flash-attn", "flash_attention", 1),
        ("Device name", "device", 1), ("framework", "engine", 1), ("measured", "measured_token_per_s", 1),
        ("kv_bits", "kv_bit", 1), ("n_gpu", "n_chip", 1),
        ("input_tokens", "prompt_token", 1), ("storage_read_mbyte_per_s", "storage_read_gbyte_per_s", 1e-3),
    ],
)  # fmt: skip
def test_a_column_is_known_as_people_call_it(name: str, column: str, ratio: float) -> None:
    header = inputs.read([name])
    assert header.used[column] == name
    assert header.ratio[column] == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("contex_token", "context_token"), ("memory_bandwidth", "memory_bandwidth_gbyte_per_s"), ("head_dims", "head_dim"),
        ("memory_bandwidth_gb_s", "memory_bandwidth_gbyte_per_s"), ("bandwidth_gbps", "memory_bandwidth_gbyte_per_s"),
        ("memory_capacity_gbyte_per_s", "memory_capacity_gibyte"), ("weight_gibibyte", "weight_gibyte"), ("kv_bitz", "kv_bit"),
        ("memory_capacity", "memory_capacity_gibyte"), ("backends", "backend"), ("n_chips_", "n_chip"), ("Weight (GHz)", "weight_gibyte"),
    ],
)  # fmt: skip
def test_nearly_right_is_refused_with_the_right_name(tmp_path: Path, name: str, near: str) -> None:
    with pytest.raises(InputError, match=f"Did you mean '{near}'"):
        answer(tmp_path, PLAIN.replace("context_token", name))
    assert not (tmp_path / "out.csv").exists()


def test_every_column_is_known_by_its_name_and_its_short_forms() -> None:
    for column in inputs.COLUMNS:
        assert inputs.read([column.name.upper()]).used == {column.name: column.name.upper()}
        unit = "_gbyte_per_s" if "_per_s" in column.name else "_gibyte"
        for text in column.spellings.split():
            assert column.name in inputs.read([text + unit if column in inputs.WITH_UNIT else text]).used, text


def test_what_is_like_no_column_is_kept_and_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("mine,chips_seen,backend,memory_bandwidth_gbyte_per_s,name\n1,2,cuda,936,007\n")
    remark = predict_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"))
    assert "\n" not in remark
    assert re.fullmatch(r"not used: mine, chips_seen \(nearest: chip\), name.*", remark)
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("1,2,cuda,936,007,")
    (tmp_path / "in.csv").write_text(PLAIN)
    assert predict_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv")) == ""


@pytest.mark.parametrize(
    "change", [lambda text: text, lambda text: text.replace("cuda", '"cuda"')], ids=["plain", "parsed"]
)
def test_the_users_own_columns_are_never_written_over(tmp_path: Path, change: Callable[[str], str]) -> None:
    text = "backend,memory_bandwidth_gbyte_per_s,weight_gibyte,token_per_s,note\ncuda,936,3.56,150.2,my own run\n"
    table = answer(tmp_path, change(text))
    assert (table["token_per_s"][0], table["note"][0]) == (150.2, "my own run")
    assert table["expected_token_per_s"][0] == pytest.approx(
        speeds(answer(tmp_path, text.replace("token_per_s,note", "a,b")))[0]
    )
    assert table["token_per_s_low"][0] < table["expected_token_per_s"][0]
    again = text.replace("note", "expected_token_per_s")
    with pytest.raises(InputError, match="Rename one of the two"):
        answer(tmp_path, change(again))


def test_a_frame_keeps_its_columns_too() -> None:
    table = pd.DataFrame([{"Backend": "cuda", "bandwidth (GB/s)": 936, "weight_gibyte": 3.56, "note": "mine"}])
    result = predict(table)
    assert result["note"][0] == "mine"
    assert result["expected_note"][0].startswith("n_layer")


def workbook(folder: Path) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Read me"])
    page = book.create_sheet("Speeds")
    for row in (
        ["Our machines, November"],
        [],
        ["Backend", "Bandwidth (GB/s)", "Weight [GiB]", "ctx"],
        ["cuda", 936.5, 3.56, 2048],
    ):
        page.append(row)
    book.save(folder / "book.xlsx")
    return (folder / "book.xlsx").read_bytes()


def parquet(folder: Path) -> bytes:
    import duckdb

    (folder / "plain.csv").write_text(PLAIN)
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{folder / 'plain.csv'}')) TO '{folder / 'p.parquet'}' (FORMAT parquet)")  # noqa: S608 - our own paths
    return (folder / "p.parquet").read_bytes()


FORMS: dict[str, Callable[[Path], str | bytes]] = {
    "semicolons.csv": lambda _: PLAIN.replace(",", ";").replace(".", ","),
    "tabs.tsv": lambda _: PLAIN.replace(",", "\t").replace(".", ","),
    "tabs and points.csv": lambda _: PLAIN.replace(",", "\t"),
    "mark.csv": lambda _: b"\xef\xbb\xbf" + PLAIN.encode(),
    "mark and semicolons.csv": lambda _: b"\xef\xbb\xbf" + PLAIN.replace(",", ";").encode(),
    "spaces.csv": lambda _: PLAIN.replace(",", ", "),
    "comments.csv": lambda _: "# ours\n" + PLAIN,
    "separator.csv": lambda _: "sep=;\n" + PLAIN.replace(",", ";"),
    "CRLF.csv": lambda _: PLAIN.replace("\n", "\r\n"),
    "capitals.csv": lambda _: PLAIN.replace("backend", "BACKEND").replace("weight_gibyte", "Weight (GiB)"),
    "book.xlsx": workbook,
    "rows.parquet": parquet,
}


@pytest.mark.long
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_table_is_read_alike(tmp_path: Path, name: str) -> None:
    expected = speeds(answer(tmp_path, PLAIN))
    assert speeds(answer(tmp_path, FORMS[name](tmp_path), name)) == expected


def test_rows_of_other_forms_are_told_where_they_stand(tmp_path: Path) -> None:
    wrong = "# a comment\n" + PLAIN.replace(",", ";") + "\ncuda;1,008;-1;0\n"
    with pytest.raises(InputError) as error:
        answer(tmp_path, wrong)
    assert "in.csv:5:weight_gibyte: found '-1'" in str(error.value)
    assert "1.008 or 1008" in str(error.value)


def test_a_decimal_comma_in_a_file_of_commas_stays_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found '51,2'.*Did you mean 51\.2"):
        answer(tmp_path, PLAIN.replace("936.5", '"51,2"'))


def test_tables_of_a_data_folder_may_be_separated_by_tabs() -> None:
    sheet = sheets.from_bytes(b"device_id\tname\na\tb\n", sheets.Sheet("devices", "devices.csv"))
    assert (sheet.header, sheet.rows, sheet.decimal_comma, sheet.problems) == (
        ["device_id", "name"],
        [(2, ["a", "b"])],
        True,
        [],
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "column", [column for column in inputs.COLUMNS if column.is_number], ids=lambda column: column.name
)
@pytest.mark.parametrize("value", ["1e300", "inf", "-1", "1e-300", "x"])
@pytest.mark.filterwarnings("error")
def test_numbers_that_cannot_be_are_refused(tmp_path: Path, column: inputs.Column, value: str) -> None:
    cells = {"backend": "cuda", "memory_bandwidth_gbyte_per_s": "936", "weight_gibyte": "4"} | {column.name: value}
    if value == "1e-300" and not column.low:
        return
    with pytest.raises(InputError, match=rf"in\.csv:2:{column.name}: found '{value}'"):
        answer(tmp_path, ",".join(cells) + "\n" + ",".join(cells.values()) + "\n")


def test_chips_and_the_format_of_the_cache_count(tmp_path: Path) -> None:
    """A cache of half the bits is read in half the time, in whatever column it stands; two chips read twice as fast, and talk."""
    rows = PLAIN.replace("context_token", "context_token,{}").replace("2048", "2048,{}")
    sixteen, eight, named, two = (
        speeds(answer(tmp_path, rows.format(column, *[value] * rows.count("2048"))))[0]
        for column, value in (("kv_bits", 16), ("kv_bit", 8), ("kv_format", "fp8"), ("gpu_count", 2))
    )
    assert sixteen < eight == named
    assert sixteen < two < 2 * sixteen


def test_two_columns_for_one_quantity_are_refused_and_a_short_form_beside_ours_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one column for one quantity"):
        answer(tmp_path, PLAIN.replace("context_token", "weight_gbyte"))
    rows = PLAIN.replace("weight_gibyte,context_token", "model_id,model,quantization").replace(
        "3.56,2048", "llama-3.1-8b,whatever,Q4_K_M"
    )
    assert speeds(answer(tmp_path, rows))[0] > 0


def test_the_template_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = subprocess.run(
        [*COMMAND, "template", "predict"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    header = text.splitlines()[-1].split(",")
    assert header == [column.name for column in inputs.COLUMNS]
    row = dict.fromkeys(header, "") | {"backend": "cuda", "memory_bandwidth_gbyte_per_s": "936", "weight_gibyte": "4"}
    assert speeds(answer(tmp_path, text + ",".join(row.values()) + "\n"))[0] > 0
    told = subprocess.run([*COMMAND, "predict", "--help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for column in inputs.COLUMNS:
        assert f"# {column.name}: " in text
        assert column.name in told


def test_standard_output_holds_the_table_alone() -> None:
    text = PLAIN.replace("context_token", "mine")
    done = subprocess.run([*COMMAND, "predict", "-"], input=text, capture_output=True, text=True, cwd=ROOT, check=True)
    assert len(pd.read_csv(io.StringIO(done.stdout))) == 1
    assert done.stderr == "-: not used: mine\n"


def test_the_worked_example_is_that_of_the_page_and_answered_by_the_command(tmp_path: Path) -> None:
    assert inputs.EXAMPLE in (ROOT / "chapters" / "rerun.md").read_text(encoding="utf-8")
    table = answer(tmp_path, inputs.EXAMPLE)
    office, notebook, old, server = table.to_dict("records")
    for row in (office, notebook, server):
        assert 0 < row["token_per_s_low"] < row["token_per_s"] < row["token_per_s_high"] <= row["limit_token_per_s"]
    assert notebook["token_per_s"] < office["token_per_s"]
    assert notebook["has_gibyte"] > 30
    assert server["left_gibyte"] == pytest.approx(server["has_gibyte"] - server["needs_gibyte"], abs=1e-3)
    assert (old["fits"], old["binding"]) == ("no", "capacity")
    assert pd.isna(old["token_per_s"])
    assert old["left_gibyte"] < 0
    shown = example()[list(OUTPUT[:4])].to_numpy(dtype=float).round(4)
    assert shown == pytest.approx(table[list(OUTPUT[:4])].to_numpy(), nan_ok=True)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path, quote: str) -> None:
    with pytest.raises(InputError, match=r"in\.csv"):
        answer(tmp_path, f"backend,memory_bandwidth_gbyte_per_s,weight_gibyte\n{quote}cuda{quote},936,4,5,6\n")
    assert not (tmp_path / "out.csv").exists()
