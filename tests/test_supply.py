"""What a site hands on and what it is made with: licences, a bill of materials, and actions that nobody can exchange."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.book.record import licences, sbom
from tests.conftest import ROOT, command

RECORD = {"edition": "2026.11", "commit": "a" * 40, "parameters": {"edition_date": "2026-11-22"}}


def test_every_component_brings_the_text_of_its_licence() -> None:
    for one in licences.components():
        text = one.terms()
        assert len(text) > 400, one
        assert re.search("copyright|public domain", text, flags=re.IGNORECASE), one


def test_the_site_has_them_and_what_they_are_for(site: Path) -> None:
    text = (site / "LICENSES.txt").read_text(encoding="utf-8")
    assert "University of Washington Interactive Data Lab" in text
    assert "Mike Bostock" in text
    assert "SIL OPEN FONT LICENSE" in text
    assert text == licences.text()
    for one in licences.components():
        for pattern in one.where.split():
            assert pattern == "pages" or list(site.glob(pattern)), (one.components, pattern)
    assert "../LICENSES.txt" in (site / "chapters" / "colophon.html").read_text(encoding="utf-8")


def test_no_file_of_others_is_without_a_licence(site: Path) -> None:
    ours = {"memory-wall.css", "memory-wall.js", "icon.svg"}
    named = {pattern for one in licences.components() for pattern in one.where.split()}
    for path in (site / "_static").iterdir():
        assert path.name in ours or f"_static/{path.name}" in named, path


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom.bill(RECORD)


def test_the_bill_lists_every_locked_package_once(bill: dict[str, Any]) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE)
    listed = [(part["name"], part["version"]) for part in bill["components"] if "purl" in part]
    assert sorted(listed) == sorted((name.lower(), version) for name, version in pinned)
    hashes = [
        entry["content"]
        for part in bill["components"]
        for one in part.get("externalReferences", [])
        for entry in one["hashes"]
    ]
    assert sorted(hashes) == sorted(re.findall(r"--hash=sha256:(\w+)", lock))


def test_the_bill_is_of_its_format(bill: dict[str, Any]) -> None:
    """The fields that CycloneDX 1.5 requires, their forms, and that references lead somewhere once."""
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bill["serialNumber"]
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["metadata"]["timestamp"])
    parts = [bill["metadata"]["component"], *bill["components"]]
    references = [part["bom-ref"] for part in parts]
    assert len(references) == len(set(references))
    for part in parts:
        assert part["type"] in ("application", "library")
        assert part["name"]
        assert re.fullmatch(r"pkg:pypi/[a-z0-9.-]+@[^@]+", part.get("purl", "pkg:pypi/x@1"))
        for reference in part.get("externalReferences", []):
            assert reference["url"].startswith("https://")
            assert all(
                re.fullmatch("[0-9a-f]{64}", one["content"]) and one["alg"] == "SHA-256" for one in reference["hashes"]
            )
    for dependency in bill["dependencies"]:
        assert {dependency["ref"], *dependency["dependsOn"]} <= set(references)


def test_the_bill_is_the_same_every_time(bill: dict[str, Any]) -> None:
    assert json.dumps(sbom.bill(RECORD)) == json.dumps(bill)
    assert sbom.bill(RECORD | {"edition": "2026.12"})["serialNumber"] != bill["serialNumber"]


def actions() -> Iterator[str]:
    for path in (ROOT / ".github").rglob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        yield from (step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step)


def test_actions_are_pinned_by_commit() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github").rglob("*.yml"))
    for action in set(actions()):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
        assert re.search(rf"{action} # v\d+\.\d+\.\d+\n", text), "the version it is, for who updates it"


def steps(job: str) -> list[dict[str, Any]]:
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["jobs"][job]["steps"]
    return found


def test_what_the_workflow_runs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    run = "\n".join(step.get("run", "") for job in ("test", "build") for step in steps(job))
    for target in re.findall(r"^make (\S+)", run, flags=re.MULTILINE):
        assert re.search(rf"^{re.escape(target)}:", makefile.replace("$(READY)", ".venv/.ready"), flags=re.MULTILINE)
    commands = re.findall(r"\.venv/bin/memory-wall (\w+)(.*)", run)
    assert {name for name, _ in commands} == {"release"}
    for name, rest in commands:
        told = command(name, "--help").stdout
        assert all(option in told for option in re.findall(r"--[a-z-]+", rest)), rest


def test_the_workflow_brings_earlier_editions_back_before_it_publishes() -> None:
    """An edition that is not in what is uploaded is gone from the site: the build takes them from releases, and stops without them."""
    names = [step.get("name", step.get("uses", step.get("run", ""))) for step in steps("build")]
    fetched, built, kept, uploaded = (
        next(index for index, name in enumerate(names) if word in name)
        for word in ("Fetch the archives", "freeze the edition", "Keep the edition", "upload-pages-artifact")
    )
    assert fetched < built < kept < uploaded
    fetch = steps("build")[fetched]
    assert fetch["shell"] == "bash", "with pipefail"
    releases = [step for step in steps("build") if "memory-wall release" in step.get("run", "")]
    assert len(releases) == 2
    for step in releases:
        assert "--from _build/earlier" in step["run"]
        assert step["env"]["MEMORY_WALL_ADDRESS"] == "${{ steps.pages.outputs.base_url }}"
    assert {step["if"] for step in releases} == {"inputs.edition == ''", "inputs.edition != ''"}
