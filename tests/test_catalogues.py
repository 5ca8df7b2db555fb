"""Catalogues and programs read the site: each file by the program that reads it elsewhere, without a network."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import mlcroissant
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from pyld import jsonld
from rocrate.rocrate import ROCrate

from analysis.book.record import catalogues, edition, editions
from analysis.book.store import freshness
from tests.conftest import ROOT

SCHEMA = ROOT / "tests" / "data" / "cff-1.2.0.schema.json"
WANTED = {
    "name", "description", "license", "creator", "publisher", "identifier", "keywords", "isAccessibleForFree", "distribution", "version",
    "datePublished", "inLanguage",
}  # fmt: skip
"""What catalogues of data sets ask for."""
FEW = 40
"""Of hundreds of files of a kind, one in so many is checked."""
OUTSIDE = {"license", "type", "cite-as"}
"""Relations that lead out of the site."""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_machine_learning_reads_every_row_of_every_table(site: Path) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(site / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())
    assert read(site / "croissant.json")["conformsTo"].endswith("/1.1")
    for record_set in read(site / "croissant.json")["recordSet"]:
        name = record_set["@id"]
        with (site / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            heads, *rows = csv.reader(file)
        found = list(dataset.records(name))
        assert len(found) == len(rows), name
        assert {key.removeprefix(f"{name}/") for key in found[0]} == set(heads), name


def test_the_files_of_the_catalogue_have_their_digests(site: Path) -> None:
    for file in read(site / "croissant.json")["distribution"]:
        assert hashlib.sha256((site / file["contentUrl"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_site_is_a_research_object(site: Path) -> None:
    crate = ROCrate(str(site))
    assert crate.version == "1.2"
    assert crate.root_dataset["version"] == read(site / "edition.json")["edition"]
    assert str(crate.license.id).startswith("https://creativecommons.org/")
    files = [one.id for one in crate.get_entities() if one.type == "File"]
    assert {
        "index.html",
        "numbers.json",
        "croissant.json",
        "tables/devices.csv",
        "figures/roofline/roofline.csv",
    } <= set(files)
    assert [name for name in files if not (site / name).is_file()] == []


def test_the_addresses_are_described_and_are_there(site: Path) -> None:
    told = read(site / "openapi.json")
    assert list(OpenAPIV31SpecValidator(told).iter_errors()) == []
    for path, item in told["paths"].items():
        assert path.endswith(".json") or answers(item) == [{"type": "string"}], path
        known = item.get("parameters", [{"name": "", "schema": {"enum": [""]}}])
        for value in known[0]["schema"]["enum"]:
            assert (site / re.sub(r"\{\w+\}", value, path).lstrip("/")).is_file(), path


def test_every_file_for_programs_is_what_its_description_says(site: Path) -> None:
    told = read(site / "openapi.json")
    for name, schema in told["components"]["schemas"].items():
        reference = {"$ref": f"#/components/schemas/{name}"}
        using = [path for path, item in told["paths"].items() if reference in answers(item)]
        assert using, name
        files = sorted(file for path in using for file in site.glob(re.sub(r"\{\w+\}", "*", path).lstrip("/")))
        assert files, name
        validator = jsonschema.Draft202012Validator(schema)
        for file in [file for file in files if not file.name.endswith(".oembed.json")][::FEW]:
            found = read(file)
            assert validator.is_valid(found), file
            one, shape = (found[0], schema["items"]) if isinstance(found, list) and found else (found, schema)
            for key in shape.get("required", []) if found else []:
                assert not jsonschema.Draft202012Validator(shape).is_valid({**one, key: object()}), (
                    f"{file}: {key} is anything"
                )
                assert not jsonschema.Draft202012Validator(shape).is_valid({it: one[it] for it in one if it != key}), (
                    file
                )
    assert {"edition", "editions", "answers", "devices", "models"} <= set(told["components"]["schemas"])


def parts(schema: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every schema within a schema, with where it stands."""
    yield place, schema
    for name, one in schema.get("properties", {}).items():
        yield from parts(one, f"{place}/{name}")
    for name in {"items", "additionalProperties"} & set(schema):
        yield from parts(schema[name], f"{place}/{name}")


def test_no_address_gives_out_just_anything(site: Path) -> None:
    told = read(site / "openapi.json")
    answered = [(path, answer) for path, item in told["paths"].items() for answer in answers(item)]
    assert [path for path, answer in answered if set(answer) != {"$ref"} and answer != {"type": "string"}] == []
    assert [path for path, answer in answered if (answer == {"type": "string"}) != (not path.endswith(".json"))] == []
    for name, schema in told["components"]["schemas"].items():
        for place, part in parts(schema, name):
            assert "type" in part, f"{place} is anything"
            assert part["type"] != "object" or set(part) & {"properties", "additionalProperties"}, place


def test_what_is_written_later_or_filled_by_a_run_is_described(site: Path) -> None:
    schemas = read(site / "openapi.json")["components"]["schemas"]
    editions_of = [{"edition": "2026.10", "date": "2026-10-05", "commit": "0" * 40}]
    a_run = {"supplied": [{"table": "devices", "added": ["a"], "changed": [], "removed": []}], "run": ["other data"]}
    run = {**read(site / "edition.json"), **a_run, "marks": {"figures": {"roofline": ["other data"]}}}
    for name, found in (("editions", editions_of), ("edition", run)):
        jsonschema.validate(found, schemas[name])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"edition": "2026.10"}], schemas["editions"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**run, "marks": {"figures": {"roofline": "other data"}}}, schemas["edition"])


def answers(item: dict[str, Any]) -> list[Any]:
    """The schemas of what an address gives out."""
    return [media["schema"] for media in item["get"]["responses"]["200"]["content"].values()]


def linked(page: Path) -> Any:
    found = re.search(
        r'<script type="application/ld\+json">(.*?)</script>', page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert found is not None, page
    return json.loads(found[1])


def test_every_table_is_a_data_set_that_search_engines_take(site: Path) -> None:
    loaded = {"@context": {"@vocab": "https://schema.org/"}}
    jsonld.set_document_loader(lambda url, options: {"contextUrl": None, "documentUrl": url, "document": loaded})
    pages = {page: linked(page) for page in sorted((site / "tables").glob("*.html"))}
    pages |= {site / "chapters" / "data.html": linked(site / "chapters" / "data.html")["mainEntity"]}
    for page, told in pages.items():
        assert set(told) >= WANTED, page
        assert 50 <= len(told["description"]) <= 5000, page
        expanded = jsonld.expand(told)[0]
        assert expanded["@type"] == ["https://schema.org/Dataset"]
        assert {f"https://schema.org/{name}" for name in WANTED} <= set(expanded), page
        for file in told["distribution"]:
            assert (page.parent / file["contentUrl"]).is_file(), page


def signposts(page: Path) -> list[tuple[str, str, str]]:
    found = re.findall(r'<link rel="([a-z-]+)"(?: type="([^"]+)")? href="([^"]+)">', page.read_text(encoding="utf-8"))
    return [(rel, kind, target) for rel, kind, target in found if rel not in ("icon", "stylesheet")]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("index.html", {"license", "type", "describedby", "service-desc", "alternate"}),
        ("figures/roofline/index.html", {"license", "type", "describedby", "item", "alternate"}),
        ("tables/devices.html", {"license", "type", "describedby", "item", "alternate"}),
        ("devices/iphone-14.html", {"license", "type", "item", "alternate"}),
        ("models/llama-3.1-8b.html", {"license", "type", "item", "alternate"}),
    ],
)
def test_signposts_lead_somewhere(site: Path, name: str, wanted: set[str]) -> None:
    page = site / name
    found = signposts(page)
    assert wanted <= {rel for rel, _, _ in found}
    for rel, kind, target in found:
        assert rel in OUTSIDE or (page.parent / target).is_file(), target
        assert kind or rel in OUTSIDE | {"index", "search", "next", "prev"}, target


def test_the_citation_file_fits_the_schema_of_its_format() -> None:
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(read(SCHEMA))
    assert list(validator.iter_errors(told)) == []
    assert list(validator.iter_errors(told | {"license": "none"}))


def test_the_archive_is_told_what_the_citation_file_says() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    told = read(ROOT / ".zenodo.json")
    assert told["title"] == cited["title"]
    assert told["description"] == " ".join(cited["abstract"].split())
    assert (told["version"], told["publication_date"]) == (cited["version"], cited["date-released"])
    assert told["keywords"] == cited["keywords"]
    assert told["creators"] == cited["authors"]
    assert told["license"] in cited["license"]
    assert {"upload_type", "access_right"} <= set(told)
    for file, pattern in editions.OWN_EDITION.items():
        assert re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE), file


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def git_id(kind: str, content: bytes) -> str:
    """The id that Git and Software Heritage compute of a content."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()  # noqa: S324 - as both define it


def tree_id(entries: dict[str, tuple[str, str]], folder: str = "") -> str:
    """The id of a folder from the modes and ids of the files below it, as Software Heritage computes that of a directory."""
    inside = {path.removeprefix(folder).partition("/")[0] for path in entries if path.startswith(folder)}
    found = []
    for name in inside:
        mode, own = entries.get(f"{folder}{name}", ("40000", ""))
        key = name if own else f"{name}/"
        found.append((key.encode(), mode.lstrip("0"), name, own or tree_id(entries, f"{folder}{name}/")))
    return git_id(
        "tree", b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(own) for _, mode, name, own in sorted(found))
    )


def test_the_persistent_id_is_that_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = git("ls-tree", "-r", "-z", "HEAD").decode().split("\0")
    entries = {
        path: (about.split()[0], about.split()[2]) for about, _, path in (one.partition("\t") for one in lines if one)
    }
    path = "analysis/book/record/edition.py"
    assert git_id("blob", git("show", f"HEAD:{path}")) == entries[path][1]
    monkeypatch.setattr(freshness, "commit", lambda: "0" * 40)
    freshness.tree.cache_clear()
    assert edition.persistent_id() == f"swh:1:dir:{tree_id(entries)}"
    monkeypatch.setattr(freshness, "commit", lambda: f"{'0' * 40}-dirty")
    freshness.tree.cache_clear()
    assert edition.persistent_id() == "", "what has changed is another content"
    freshness.tree.cache_clear()


def test_what_a_file_holds_is_read_off_it() -> None:
    shape = catalogues.shape(
        [{"id": "a", "number": 1, "sources": []}, {"id": "b", "number": None, "sources": ["c"], "more": True}]
    )
    assert shape == {
        "type": "array",
        "items": {
            "type": "object", "required": ["id", "number", "sources"],
            "properties": {
                "id": {"type": "string"}, "number": {"type": ["null", "number"]},
                "sources": {"type": "array", "items": {"type": "string"}},
            },
        },
    }  # fmt: skip
    assert catalogues.media("a.csl.json") == "application/vnd.citationstyles.csl+json"
    assert catalogues.media("a.unknown") == "application/octet-stream"
