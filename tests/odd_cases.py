"""Data folders that are odd rather than hostile: real hardware, other spellings, likely slips; what each is told, and how loudly.

``ODD`` is the list: files → level, file, row, column and words of the one message that matters.  A warning lets a build go on.
``FINE`` are inputs that look odd and are understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bad_cases import DECODE, GOOD, table

Rows = Mapping[str, bytes]
CHIP = {
    "accelerator_id": "my-chip", "name": "My Chip", "vendor": "NVIDIA", "release_date": "2026-03", "memory_type": "hbm3e",
    "memory_capacity_gbyte": "288", "memory_bandwidth_gbyte_per_s": "8000", "peak_bf16_dense_tflop_per_s": "2500", "default_set": "true",
}  # fmt: skip
MODEL = {
    "model_id": "mine-8b", "name": "Mine 8B", "release_date": "2026-02", "total_gparam": "8", "n_layer": "32", "model_dim": "4096",
    "n_head": "32", "n_kv_head": "8", "head_dim": "128", "vocab_size": "128256", "context_token": "131072", "attention_kind": "gqa",
    "tied_embedding": "false", "is_moe": "false", "param_basis": "approximate", "default_set": "false",
}  # fmt: skip
BATCH = {
    "measurement_id": "mine-1", "chip": "Nvidia H100 GPU", "n_chip": "1", "model": "mine", "total_gparam": "7", "architecture": "dense",
    "batch_size": "1", "batch_kind": "static", "input_token": "128", "output_token": "128", "token_per_s": "100",
    "token_count_basis": "output-recomputed", "request_time_s": "1.28", "quality": "a",
}  # fmt: skip
WIDE = {
    "memory_bandwidth_gbyte_per_s": "1638.4",
    "memory_data_rate_mtransfer_per_s": "3200",
    "memory_bus_width_bit": "4096",
}


@dataclass(frozen=True)
class Odd:
    """One odd input: files of the folder, and of its message level, file, row, column and words."""

    name: str
    files: Rows
    level: str = "error"
    file: str = "devices.csv"
    row: int | None = 2
    column: str | None = None
    words: tuple[str, ...] = field(default=())


def one(name: str, row: Mapping[str, str], cells: Mapping[str, str], level: str, column: str, *words: str) -> Odd:
    """A row that is right but for the cells given."""
    stated = ", ".join(f"{key} {value}" for key, value in cells.items())
    return Odd(f"{name}: {stated}", {f"{name}.csv": table({**row, **cells})}, level, f"{name}.csv", 2, column, words)


def device(level: str, column: str, value: str, *words: str, **more: str) -> Odd:
    """A device that is right but for a cell, and what else is given."""
    return one("devices", GOOD, {**more, column: value}, level, column, *words)


def text(content: str, level: str, row: int | None, column: str | None, *words: str, file: str = "devices.csv") -> Odd:
    """A file as somebody wrote it."""
    name = f"{file}: {content[-40:]!r} told in row {row}, {content.count(chr(10))} lines, {len(content)} letters"
    return Odd(name, {file: content.encode()}, level, file, row, column, words)


def open_words() -> Iterator[Odd]:
    """Words that open lists lack: new ones are asked about, known ones in another spelling proposed, nothings refused."""
    for word in (
        "GDDR3",
        "GDDR4",
        "HBM",
        "HBM2e",
        "HBM3",
        "HBM3E",
        "DDR3",
        "DDR3L",
        "LPDDR6",
        "LPDDR4",
        "GDDR6W",
        "SOCAMM2",
    ):
        yield device("warning", "memory_type", word, "a new word?", "not known of it")
    for word, known in (
        ("LPDDR5x", "LPDDR5X"),
        ("lpddr5X", "LPDDR5X"),
        ("LPDDR-5X", "LPDDR5X"),
        ("gddr6x", "GDDR6X"),
        ("Ddr 4", "DDR4"),
    ):
        yield device("error", "memory_type", word, f"Did you mean {known!r}?")
    for word in ("n/a", "unknown", "TBD", "5", "??"):
        yield device("error", "memory_type", word, "Leave the cell empty")
    for vendor in ("Huawei", "Microsoft", "Meta", "Tenstorrent", "SambaNova", "Cambricon"):
        yield one(
            "accelerators", CHIP, {"vendor": vendor}, "warning", "vendor", "a new word?", "nothing follows from it"
        )
    yield one("accelerators", CHIP, {"vendor": "nvidia"}, "error", "vendor", "Did you mean 'NVIDIA'?")
    yield one(
        "accelerators", CHIP, {"vendor": "NVIDEA"}, "warning", "vendor", "Did you mean 'NVIDIA'? Or is it a new word?"
    )
    yield one("accelerators", CHIP, {"memory_type": "lpddr5x"}, "warning", "memory_type", "memory beside the chip")
    yield one("accelerators", CHIP, {"memory_type": "HBM-3E"}, "error", "memory_type", "Did you mean 'hbm3e'?")
    yield one("accelerators", CHIP, {"status": "taped-out"}, "error", "status", "left out of what counts")
    for backend, level, word in (
        ("SYCL", "warning", "no model is fitted"), ("CANN", "warning", "a new word?"),
        ("metal", "error", "Did you mean 'Metal'?"),
    ):  # fmt: skip
        yield one("measurements_decode", DECODE, {"backend": backend}, level, "backend", word)
    yield one("measurements_decode", DECODE, {"engine": "sglang"}, "warning", "engine", "any other of its backend")
    yield one("measurements_decode", DECODE, {"engine": "Llama.cpp"}, "error", "engine", "Did you mean 'llama.cpp'?")
    yield one("measurements_decode", DECODE, {"architecture": "hybrid"}, "error", "architecture", "Linear attention")
    yield device("error", "device_class", "rack", "a machine in a rack is a server")
    yield device("error", "backend", "tpu", "Leave it empty where it is another")


def hardware() -> Iterator[Odd]:
    """Clocks for rates, sizes converted, figures of another part, contradictions."""
    clocks = (
        ("DDR5", "2400", "4800"), ("LPDDR5X", "4266", "8532"), ("LPDDR4X", "2133", "4266"), ("GDDR6", "2000", "16000"),
        ("GDDR7", "1750", "28000"), ("DDR4", "1600", "3200"),
    )  # fmt: skip
    for kind, clock, rate in clocks:
        yield device(
            "warning",
            "memory_data_rate_mtransfer_per_s",
            clock,
            f"the book's {kind}",
            f"it is {rate}",
            memory_type=kind,
        )
    for size, label in (("14.9", "16"), ("7.45", "8"), ("29.8", "32"), ("11.2", "12"), ("22.4", "24"), ("5.59", "6"), ("59.6", "64"),
                        ("119.2", "128")):  # fmt: skip
        yield device("warning", "memory_capacity_gibyte", size, f"is {label} converted", device_class="desktop")
    yield one("accelerators", {k: v for k, v in CHIP.items() if k != "memory_capacity_gbyte"}, {"memory_capacity_gibyte": "74.5"},
              "warning", "memory_capacity_gibyte", "is 80 converted")  # fmt: skip
    yield device(
        "error", "memory_bandwidth_gbyte_per_s", "900", "data rate × bus width", **{k: WIDE[k] for k in list(WIDE)[1:]}
    )
    yield device("warning", "shader_peak_fp16_tflop_per_s", "330", "about 82.58", chip="AD102", device_class="gpu")
    yield device("error", "memory_capacity_gibyte", "16384", "memory_capacity_mibyte")
    yield one("accelerators", {"accelerator_id": "nvidia-h200-sxm-141gb"}, {"memory_bandwidth_gbyte_per_s": "9600"}, "warning",
              "memory_bandwidth_gbyte_per_s", "as the book has for")  # fmt: skip
    yield one(
        "measurements_batching", BATCH, {"token_per_s": "200"}, "warning", "token_per_s", "input tokens counted too?"
    )
    yield one(
        "measurements_batching",
        BATCH,
        {"token_per_s": "30000", "request_time_s": "0.01"},
        "warning",
        "token_per_s",
        "fastest memory",
    )
    yield one(
        "sram_bitcells",
        {"cell_id": "tsmc-n5-hd"},
        {"bitcell_area_um2": "0.21"},
        "warning",
        "bitcell_area_um2",
        "about 0.021",
    )
    yield one("emerging_memory", {"memory_id": "reram-sandisk-toshiba-32gb"}, {"capacity_gbyte": "4"}, "error", "capacity_gbyte",
              "one of the two")  # fmt: skip
    yield one("growth_rates", {"trend_id": "epoch-flops"}, {"growth_per_2_year_ratio": "1.8"}, "error", "growth_per_2_year_ratio",
              "the other follows")  # fmt: skip
    yield one(
        "facts", {"fact_id": "gpt-4-params-rumoured"}, {"unit": "tokens"}, "warning", "unit", "Did you mean 'token'"
    )
    yield one(
        "facts",
        {"fact_id": "gpt-4-params-rumoured"},
        {"statement": "It has 1.8 trillion"},
        "warning",
        "statement",
        "told twice",
    )


def dates() -> Iterator[Odd]:
    """Dates as people write them."""
    for date, meant in (
        ("Oct 2026", "2026-10"), ("October 2026", "2026-10"), ("Okt. 2026", "2026-10"), ("Mai 2026", "2026-05"), ("März 2026", "2026-03"),
        ("10.2026", "2026-10"), ("2026/10", "2026-10"), ("10/2026", "2026-10"), ("2026.10", "2026-10"), ("2026-7", "2026-07"),
        ("15 Oct 2026", "2026-10-15"), ("Oct 15, 2026", "2026-10-15"), ("1st Oct 2026", "2026-10-01"), ("15. Oktober 2026", "2026-10-15"),
        ("2026/10/5", "2026-10-05"), ("46315", "2026-10-20"), ("10/25/2026", "2026-10-25"), ("10/11/2026", "'2026-11-10' or '2026-10-11'"),
    ):  # fmt: skip
        yield device("error", "release_date", date, f"Did you mean {meant if ' or ' in meant else repr(meant)}?")
    yield device("error", "release_date", "Q4 2026", "Year first")
    yield device("warning", "release_date", "1926-10", "Is the year right?")


def headers() -> Iterator[Odd]:
    """Headers that are nearly right, and files of other programs."""
    yield text(
        "device_id,Memory capacity (GB)\niphone-14,6\n", "error", 1, "Memory capacity (GB)", "memory_capacity_gibyte"
    )
    yield text(
        "device_id,memory_capacity_gbyte\niphone-14,6\n", "warning", 2, "memory_capacity_gbyte", "is 6 converted"
    )
    yield text(
        "device_id,Bandwidth (GB/s)\niphone-14,34\n", "error", 1, "Bandwidth (GB/s)", "memory_bandwidth_gbyte_per_s"
    )
    yield text("device_id,memory_bandwidth (Hz)\niphone-14,34\n", "error", 1, "memory_bandwidth (Hz)")
    for program, columns in (
        (
            "measurements_decode",
            "build_commit,build_number,cpu_info,gpu_info,model_filename,model_size,n_batch,avg_ns,stddev_ns,avg_ts",
        ),
        (
            "accelerators",
            "Hardware name,Manufacturer,Release year,FP64,FP32,TF32,TDP in W,Tensor-FP16,Number of transistors",
        ),
        (
            "devices",
            "architecture_name,foundry_name,process_size_nm,base_clock_mhz,boost_clock_mhz,memory_clock_mhz,tdp_w,bus_interface",
        ),
        (
            "models",
            "hidden_size,num_attention_heads,num_hidden_layers,num_key_value_heads,rope_theta,torch_dtype,intermediate_size",
        ),
    ):
        content = f"{columns}\n{','.join('1' for _ in columns.split(','))}\n"
        number = len(columns.split(","))
        yield text(
            content, "error", 1, None, f"{number} of {number} columns", f"template {program}", file=f"{program}.csv"
        )


def numbers() -> Iterator[Odd]:
    """Thousands and decimals in files with semicolons."""
    for cell in ("1.008", "2.048", "12.800"):
        words = f"{cell.replace('.', '')} or {cell.replace('.', ',')}"
        yield text(f"device_id;memory_capacity_gibyte\niphone-14;{cell}\n", "error", 2, "memory_capacity_gibyte", words)
    yield text(
        "device_id;memory_capacity_gibyte\niphone-14;1.234.567\n",
        "error",
        2,
        "memory_capacity_gibyte",
        "nothing between thousands",
    )
    yield text(
        'device_id,memory_capacity_gibyte\niphone-14,"1,008"\n', "error", 2, "memory_capacity_gibyte", "1.008 or 1008"
    )


def rows() -> Iterator[Odd]:
    """Keys, names, what is shown, comments, line breaks."""
    for table_, key, near, columns in (
        ("devices", "iphone14", "iphone-14", "memory_capacity_gibyte"), ("devices", "RTX-4090", "rtx-4090-24gb", "memory_capacity_gibyte"),
        ("models", "llama-3.1-8", "llama-3.1-8b", "context_token"), ("number_formats", "q4_0", "q4-0", "effective_bit_per_param"),
        ("accelerators", "nvidia-h200", "nvidia-h200", "power_w"), ("facts", "gpt-4-params", "gpt-4-params-rumoured", "value"),
    ):  # fmt: skip
        id_ = {
            "devices": "device_id",
            "models": "model_id",
            "number_formats": "format_id",
            "accelerators": "accelerator_id",
        }.get(table_, "fact_id")
        content = f"{id_},{columns}\n{key},16\n"
        yield text(content, "error", 2, id_, "the key of no row", near, file=f"{table_}.csv")
    yield device("warning", "name", "GeForce RTX 4090", "'rtx-4090-24gb'", "Then take its device_id")
    yield one("models", MODEL, {"name": "LLaMA 7B"}, "warning", "name", "'llama-7b'")
    yield device("warning", "default_set", "", "front page", "leave it out")
    yield one("models", MODEL, {"default_set": ""}, "warning", "default_set", "reference_model")
    yield one("accelerators", CHIP, {"default_set": ""}, "warning", "default_set", "in no figure")
    many = [{**GOOD, "device_id": f"my-{number}", "name": f"My {number}", "default_set": ""} for number in range(40)]
    yield Odd(
        "forty rows that no figure shows",
        {"devices.csv": table(*many)},
        "warning",
        "devices.csv",
        2,
        "default_set",
        ("39 more rows",),
    )
    for name in (
        "日本語パソコン",
        "华为 昇腾",
        "삼성 갤럭시",
        "مرحبا",
        "שלום",
        "ไทยแลนด์",
        "हिन्दी",
        "Phone 😀",
        "ጤና",
        "𝕏 Phone",
    ):
        yield device("warning", "name", name, "The font of the figures lacks", "Latin letters")
    yield device("warning", "vendor", "富士通", "The font of the figures lacks")
    good = table(GOOD).decode()
    head, row = good.splitlines()
    yield text(f"My devices\n{good}", "error", 1, None, "'My devices' alone", "Take it away")
    yield text(f"My devices{',' * 9}\n{good}", "error", 1, None, "'My devices' alone")
    yield text(f"{head}\n,,,,,,(GB/s),(GiB),,\n{row}\n", "error", 2, "device_id", "a line of units")
    yield text(f"{good}Total,,,,,,100,16,,\n", "error", 3, "device_id", "'Total', the key of no row")
    yield text(f"{good}#{row}\n", "warning", 3, None, "1 line below the header that begin with #", "left out")
    yield text(f"{head}\n#1 card{row[8:]}\n{row}\n#{row}\n", "warning", 2, None, "2 lines below the header")
    broken = row.replace("My Phone", '"My\nPhone"')
    wrong = row.replace("my-phone", "my-pad").replace("My Phone", "My Pad").replace(",phone,", ",labtop,")
    yield text(f"{head}\n{broken}\n{wrong}\n", "error", 4, "device_class", "'labtop'")
    yield text(f"{head}\r\n{broken}\r\n{wrong}\r\n", "error", 4, "device_class", "'labtop'")
    yield text(f"# note\n{head}\n\n{broken}\n# more\n{wrong}\n", "error", 7, "device_class", "'labtop'")
    asked = [
        {**GOOD, "device_id": f"my-{number}", "name": f"My {number}", "memory_type": "HBM"} for number in range(30)
    ]
    last = {**asked[0], "device_id": "my-last", "name": "Last", "memory_type": "ddr5"}
    yield Odd("thirty questions before an error", {"devices.csv": table(*asked, last)}, "error", "devices.csv", 32, "memory_type",
              ("Did you mean 'DDR5'?",))  # fmt: skip


def folders() -> Iterator[Odd]:
    """Folders without a table."""
    for name, files in (
        ("nothing", {}),
        ("a readme alone", {"README.md": b"x"}),
        ("hidden files alone", {".devices.csv": table(GOOD)}),
    ):
        yield Odd(f"a folder with {name}", files, "error", "", None, None, ("no table", "memory-wall template"))


def sent_around() -> Iterator[Odd]:
    """What spreadsheets, scripts and other languages make of cells."""
    bandwidth, capacity = "memory_bandwidth_gbyte_per_s", "memory_capacity_gibyte"
    yield device("error", bandwidth, "85300 MB/s", "Write 85.3: the header counts in GB/s.")
    yield device("error", bandwidth, "0.0853 TB/s", "Write 85.3: the header counts in GB/s.")
    yield device("error", bandwidth, "85.3 GB/s", "Write 85.3 alone")
    yield device("error", bandwidth, "50%", "A share of what?")
    yield device("error", bandwidth, "1\u202f008", "nothing between thousands")
    yield device("error", bandwidth, "８５.３", "Write digits")
    yield device("error", capacity, "16384 MiB", "Write 16: the header counts in GiB.")
    yield device("error", capacity, "16 GB", "Write 16 alone")
    yield one("models", MODEL, {"context_token": "128k"}, "error", "context_token", "Write 131072 or 128000")
    yield one("models", MODEL, {"total_gparam": "8B"}, "error", "total_gparam", "Write 8 alone")
    yield one("models", MODEL, {"is_moe": "x"}, "error", "is_moe", "Write true or false")
    for written, meant in (
        ("2026-10-05 00:00:00", "2026-10-05"), ("2026-10-05T00:00:00Z", "2026-10-05"), ("5.10.2026 0:00", "2026-10-05"),
        ("fév. 2026", "2026-02"), ("ago 2026", "2026-08"), ("décembre 2025", "2025-12"), ("2026年10月", "2026-10"),
    ):  # fmt: skip
        yield device("error", "release_date", written, meant)
    yield device("error", "device_id", "Müller", "'muller'")
    yield device("error", "source_id", "https://example.org/x", "Add the row there first. None of the")
    yield device("error", "default_set", "x", "one of 2023, 2026")
    yield device("error", "name", "My\u200f laptop", "U+200F RIGHT-TO-LEFT MARK")
    yield device("error", "name", "Lap\u00adtop", "U+00AD SOFT HYPHEN")
    for copy in ("devices (1).csv", "Copy of devices.csv", "devices - Kopie.csv", "Devices.csv", "device.csv"):
        yield Odd(f"a copy called {copy}", {copy: table(GOOD)}, "error", copy, None, None, ("Did you mean 'devices'",))


ODD = [*open_words(), *hardware(), *dates(), *headers(), *numbers(), *rows(), *folders(), *sent_around()]
SHAPED: dict[str, Any] = {"n_cache_layer": "8", "state_byte": "26345472", "attention_kind": "hybrid"}
FINE: dict[str, Rows] = {
    "a server": {"devices.csv": table({**GOOD, "device_class": "server", "memory_capacity_gibyte": "1536"})},
    "tabs under their own name": {"devices.tsv": table(GOOD, delimiter="\t")},
    "a bus of 4096 bit": {"devices.csv": table({**GOOD, **WIDE, "device_class": "gpu"})},
    "8 TB/s": {"devices.csv": table({**GOOD, "device_class": "gpu"}).replace(b"85.3,16", b"8000,180")},
    "layers without a cache": {"models.csv": table(MODEL | SHAPED)},
    "headers as people write them": {
        "devices.csv": b"Device ID,Name,VENDOR,Device class,Release date,chip,Memory bandwidth (GB/s),"
        b"Memory capacity [GiB],default_set,backend\n"
        b"my-x,My X,ACME,laptop,2026-11,A1,100,16,2026,cpu\n"
    },
    "back ends as programs print them": {
        "measurements_decode.csv": table(
            *({**DECODE, "measurement_id": f"m-{word.lower()}", "backend": word} for word in ("MTL", "HIP", "BLAS"))
        )
    },
    "a line break in the header": {"devices.csv": table(GOOD).replace(b"device_id,name", b'"Device\nID",name')},
    "Gbit/s a pin": {
        "devices.csv": table({**GOOD, "memory_data_rate_gbit_per_s": "21", "memory_bus_width_bit": "384", "device_class": "gpu"}).replace(
            b"85.3", b"1008"
        )
    },
    "decimal commas, points of thousands": {
        "devices.csv": table({**GOOD, "device_class": "gpu"}, delimiter=";").replace(b"85.3", b"1.008,5")
    },
    "decimal points in a file with semicolons": {
        "devices.csv": table({**GOOD, "memory_bandwidth_gbyte_per_s": "68.256"}, {**GOOD, "device_id": "b", "name": "B"}, delimiter=";")
    },
    "a name with every letter of Europe": {"devices.csv": table({**GOOD, "name": "Ærø Łódź Çağ Ελλάς Ω µ ½"})},
    "comments that are no rows": {"devices.csv": b"# mine\n" + table(GOOD) + b"# the end\n"},
}  # fmt: skip
