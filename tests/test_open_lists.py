"""Lists of words that may grow: each list says whether it may and why, and a new word is right wherever it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import tables
from analysis.charts import marks, theme
from analysis.errors import InputError
from analysis.model import memory_limits
from analysis.subjects.dram_capacity import derived
from analysis.tables import descriptor, overlay
from tests.bad_cases import GOOD, table
from tests.conftest import GIVEN, ROOT
from tests.odd_cases import MODEL

FIELDS = [
    (resource["name"], field)
    for resource in tables.DataPackage(ROOT / "data").descriptor["resources"]
    for field in resource["schema"]["fields"]
]


def test_every_list_says_why_it_is_closed_or_what_follows_for_a_new_word() -> None:
    lists = [field for _, field in FIELDS if "words" in field or "enum" in field.get("constraints", {})]
    assert len(lists) > 70
    for field in lists:
        reasons = [field[key] for key in ("open", "closed") if key in field]
        assert len(reasons) == 1, field["name"]
        assert reasons[0].endswith("."), field["name"]
    assert {name for name, field in FIELDS if "words" in field} >= {"devices", "accelerators", "measurements_decode"}


@pytest.mark.parametrize("line", ['open = "', 'closed = "'])
def test_a_list_that_says_nothing_of_the_kind_is_no_list(line: str, data_copy: Path) -> None:
    notes = data_copy / "notes" / "devices.toml"
    kept = [text for text in notes.read_text(encoding="utf-8").splitlines() if not text.startswith(line)]
    notes.write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(InputError, match="why the list is closed, or what a new word means"):
        descriptor.build(data_copy)


def test_the_books_own_rows_keep_to_the_words() -> None:
    package = tables.DataPackage(ROOT / "data")
    for name, field in FIELDS:
        if "words" in field:
            assert set(package.raw(name)[field["name"]]) <= {*field["words"], ""}, (name, field["name"])


@pytest.mark.parametrize(
    ("draw", "palette", "other"),
    [(marks.colour, theme.CLASSES, theme.MUTED), (marks.shape, theme.CLASS_SHAPES, "circle")],
)
def test_a_word_that_a_palette_lacks_is_drawn_and_listed(draw, palette, other) -> None:  # type: ignore[no-untyped-def]
    scale = draw("device_class", palette, ["toaster", "phone"]).to_dict()["scale"]
    assert scale == {"domain": ["phone", "toaster"], "range": [palette["phone"], other]}


def merged(folder: Path, name: str, row: dict[str, str]) -> tables.DataPackage:
    (folder / "mine").mkdir()
    (folder / "mine" / f"{name}.csv").write_bytes(table(row))
    return tables.DataPackage(overlay.merged(folder / "mine", folder / "data"))


def test_a_server_has_its_panel_and_the_limit_of_main_memory(tmp_path: Path) -> None:
    package = merged(tmp_path, "devices", GOOD | {"device_class": "server", "memory_capacity_gibyte": "768"})
    row = derived.devices(package, GIVEN).set_index("device_id").loc["my-phone"]
    assert row["panel"] == "Servers"
    assert memory_limits.system_of("ACME", "server") == "pc"
    assert row["usable_byte"] == pytest.approx(766 * 2**30)


def test_every_class_has_a_panel_a_colour_and_a_shape() -> None:
    [classes] = [
        field["constraints"]["enum"] for name, field in FIELDS if (name, field["name"]) == ("devices", "device_class")
    ]
    assert set(classes) == set(derived.PANELS) == set(theme.CLASSES) == set(theme.CLASS_SHAPES)


@pytest.mark.parametrize(("default_set", "is_shown"), [("true", True), ("false", False), ("", False)])
def test_an_added_model_is_shown_where_it_says_so(default_set: str, is_shown: bool, tmp_path: Path) -> None:
    package = merged(tmp_path, "models", MODEL | {"default_set": default_set})
    needs = derived.footprints(package, GIVEN.but(context_token=4096))
    assert ("mine-8b" in set(needs["model_id"])) == is_shown
    asked = derived.footprints(package, GIVEN.but(context_token=4096, reference_model="mine-8b"))
    assert set(asked.loc[asked["is_reference"], "model_id"]) == {"mine-8b"}
