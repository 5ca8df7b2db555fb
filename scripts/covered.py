"""How much of the rooms that compute the fast tests run, lines and branches, against a floor for each: ``make coverage``.

Reads what ``coverage run`` left; exits with 1 where a room is below its floor, and names the files that leave out most.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from coverage import Coverage

FLOORS = {"analysis/model": 90, "analysis/tables": 82, "analysis/claims": 97}
"""Room → percent of its lines and branches.  A floor follows what is reached upwards, and never falls."""
MOST_TOLD = 3


def measured() -> dict[str, dict[str, int]]:
    """File → what coverage counted in it; a file that no test imports counts whole."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        coverage = Coverage()
        coverage.combine()
        coverage.json_report(outfile=str(out))
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["files"]
    return {file: told["summary"] for file, told in found.items()}


def reached(counted: list[dict[str, int]]) -> float:
    """The share of lines and branches that were run, in percent."""
    run = sum(each["covered_lines"] + each["covered_branches"] for each in counted)
    return 100 * run / sum(each["num_statements"] + each["num_branches"] for each in counted)


def main() -> int:
    """Tell what is reached, room by room; 1 where one is below its floor."""
    files, low = measured(), False
    for room, floor in FLOORS.items():
        of_room = {file: counted for file, counted in files.items() if file.startswith(f"{room}/")}
        share = reached(list(of_room.values()))
        print(f"{room}: {share:.1f} % of lines and branches, floor {floor} %")
        if share < floor:
            low = True
            worst = sorted(of_room, key=lambda file: -of_room[file]["missing_lines"])[:MOST_TOLD]
            print("".join(f"  {file}: {of_room[file]['missing_lines']} lines not run\n" for file in worst), end="")
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
