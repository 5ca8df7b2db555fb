"""Write what each wrong input is told, as a table: ``python scripts/bad_input_table.py FILE`` (.md, else CSV)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis import door
from analysis.book.inputs import intake

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import bad_cases


def messages(case: bad_cases.Case) -> list[str]:
    """What the case is told, with the folder it was tried in left out."""
    with TemporaryDirectory() as folder:
        arguments = bad_cases.laid_out(case, Path(folder))
        named = dict(zip(arguments[::2], arguments[1::2], strict=True))
        params, data = (Path(named[name]) if name in named else None for name in ("--params", "--data"))
        settings = [named["--set"]] if "--set" in named else []
        given = door.taken(params) if params else None
        found = intake.judged(data, settings, given, named.get("--title"), tables_too=data is not None)
        return [str(problem).replace(f"{folder}/", "") for problem in found.problems]


def main(out: Path) -> None:
    """Write the table."""
    rows = [(case.name, " / ".join(messages(case))) for case in bad_cases.CASES]
    with out.open("w", encoding="utf-8", newline="") as file:
        if out.suffix == ".md":
            file.write("| case | message |\n|---|---|\n")
            file.writelines(f"| {_cell(name)} | {_cell(message)} |\n" for name, message in rows)
        else:
            csv.writer(file, lineterminator="\n").writerows([("case", "message"), *rows])
    print(f"{len(rows)} cases: {out}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
