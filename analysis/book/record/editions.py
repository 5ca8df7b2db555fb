"""Editions: a frozen copy of the site for good, an archive with checksums, and the index, feed and map of all of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import posixpath
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape as xml

from sphinx.application import Sphinx

from analysis.book.inputs import parameters
from analysis.book.record import catalogues, citation, edition, policy, sbom
from analysis.book.store import archives, places, templates, verify
from analysis.book.store.files import write, write_json
from analysis.errors import InputError, Problem

FOLDER = verify.FROZEN
NOT_FOUND = "404.html"
MOST_SHOWN = 3
QUOTES = {'"': "&quot;", "'": "&apos;"}
"""What XML escapes in attributes besides & and <."""


def known(site: Path) -> list[dict[str, Any]]:
    """The editions frozen in a site, oldest first; each the content of its ``edition.json``, damaged ones left out."""
    found = [verify.read_edition(site / FOLDER / name) for name in verify.frozen(site)]
    return [
        record for record in found if all(isinstance(record.get(name), kind) for name, kind in verify.PARTS.items())
    ]


def require_sound(site: Path) -> None:
    """Raise InputError that names each frozen edition that is not as it was published, before any is carried along."""
    problems = [_damaged(site, name, found) for name in verify.frozen(site) if (found := _found(site / FOLDER / name))]
    if problems:
        raise InputError(problems)


def _found(folder: Path) -> list[str]:
    found, named = verify.differences(folder), verify.read_edition(folder).get("edition")
    return found or ([] if named == folder.name else [f"edition.json is that of edition {named}"])


def _damaged(site: Path, name: str, found: list[str]) -> Problem:
    more = f"; and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    todo = (
        f"Put it back as it was, from its archive ({citation.IMPRINT.name}-{name}.tar.gz, unpacked) or from where else it is published; "
        f"or, to give it up, move {FOLDER}/{name} away and take it out of {FOLDER}.json. Then build again."
    )
    return Problem(
        file=str(site / FOLDER / name), found="; ".join(found[:MOST_SHOWN]) + more,
        expected="the edition as it was published", todo=todo,
    )  # fmt: skip


def having(app: Sphinx, figure_id: str) -> list[str]:
    """The names of the frozen editions that hold the figure, newest first."""
    frozen = known(Path(app.config.memory_wall_published or "."))
    return [str(one["edition"]) for one in reversed(frozen) if figure_id in one["figures"]]


def lasting(app: Sphinx, figure_id: str) -> str:
    """The edition in which a figure stays for good: the one being frozen, else the newest frozen one that has it; empty where none has."""
    if app.config.memory_wall_lasting:
        return edition.name(app)
    return next(iter(having(app, figure_id)), "")


def carry(published: Path, site: Path) -> None:
    """Take the frozen editions of the published site along into a new one; their files are linked where that can be, else copied."""
    source = published / FOLDER

    def left_out(folder: str, names: list[str]) -> set[str]:
        return (
            {"index.html"} & set(names) if Path(folder) == source else set()
        )  # it is written anew, and not into the old one

    if source.is_dir():
        shutil.copytree(
            source, site / FOLDER, symlinks=True, ignore=left_out, copy_function=_linked, dirs_exist_ok=True
        )


def gathered(published: Path, given: Sequence[Path], workshop: Path) -> Path:
    """The folder whose frozen editions a new site takes along: the published site, or a copy that has those of archives too."""
    if not given:
        return published
    together = workshop / "earlier"
    together.mkdir()
    carry(published, together)
    for number, archive in enumerate(given):
        archives.restored(archive, together, workshop / f"archive-{number}")
    return together


def move_on(name: str, day: str) -> list[str]:
    """Write a newer edition and its date where the book says which it is; the files that changed."""
    changed: list[str] = []
    if name <= parameters.defaults()["edition"]:
        return changed
    for file, pattern in OWN_EDITION.items():
        path = places.REPOSITORY / file
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        after = re.sub(pattern, rf'\g<1>"{name}"\g<2>"{day}"', before, flags=re.MULTILINE)
        if after != before:
            write(path, after)
            changed.append(file)
    return changed


OWN_EDITION = {
    "chapters/parameters.yml": r'^(edition:\n  default: )"[^"]*"((?:\n .*)*\nedition_date:\n  default: )"[^"]*"$',
    ".zenodo.json": r'^( "version": )"[^"]*"(,\n "publication_date": )"[^"]*"$',
    "CITATION.cff": r'^(version: )"[^"]*"(\ndate-released: )"[^"]*"$',
}
"""File → what stands before the name of the edition, and between it and its date."""


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links, or another one
        shutil.copy2(source, target, follow_symlinks=False)


def require_new(site: Path, name: str, commit: str) -> None:
    """Raise InputError where an edition of this name is published, or the tree has changes that no commit names."""
    problems = []
    if (site / FOLDER / name).exists():
        todo = "Editions are append-only: name the next one."
        problems.append(Problem("--edition", f"edition {name} is published already", "a new name", todo))
    if commit.endswith("-dirty"):
        todo = "Commit first: an edition names the commit it was made from."
        problems.append(Problem(".", "changes that are not committed", "a clean tree", todo))
    if problems:
        raise InputError(problems)


def freeze(site: Path, releases: Path) -> Path:
    """Put a copy of the site at ``editions/<id>/`` for good and write its archive; an edition is never overwritten."""
    record = json.loads((site / "edition.json").read_text(encoding="utf-8"))
    require_new(site, record["edition"], record["commit"])
    target = site / FOLDER / record["edition"]
    fresh = site / f".{record['edition']}"
    shutil.copytree(site, fresh, ignore=shutil.ignore_patterns(FOLDER, fresh.name))
    for page in [*fresh.rglob("*.html"), *fresh.rglob("*.md")]:
        place = page.relative_to(fresh).as_posix()
        page.write_text(_from_within(page.read_text(encoding="utf-8"), place), encoding="utf-8")
    target.parent.mkdir(exist_ok=True)
    write_json(fresh / catalogues.CRATE, catalogues.crate(record, fresh))
    verify.seal(fresh)
    fresh.rename(target)
    return archive(target, releases, record)


OUTWARD = re.compile(r'((?<![\w-])(?:href|data-embed)="|\]\()([^":#?)]+)')
"""What leads out of a page, and of its twin in Markdown."""


def _from_within(text: str, page: str) -> str:
    """A page of the site as it reads two folders down, in an edition: what is said of other editions and of the newest frames leads out."""
    folder = posixpath.dirname(page)

    def led_out(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[2]))
        outside = found[1].startswith("data-embed") or target.startswith(f"{FOLDER}/")
        return f"{found[1]}{posixpath.relpath(f'../../{target}', folder or '.')}" if outside else found[0]

    return OUTWARD.sub(led_out, text)


def archive(folder: Path, releases: Path, record: dict[str, Any]) -> Path:
    """The edition as one file, the same bytes whenever it is made, with its checksum beside it."""
    name = f"{citation.IMPRINT.name}-{record['edition']}"
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o644, 0
            with path.open("rb") as file:
                tar.addfile(entry, file)
    target = releases / f"{name}.tar.gz"
    write(target, out.getvalue())
    write(releases / f"{name}.tar.gz.sha256", f"{hashlib.sha256(out.getvalue()).hexdigest()}  {target.name}\n")
    write_json(releases / f"{name}.manifest.json", manifest(folder))
    write_json(releases / f"{name}.cdx.json", sbom.bill(record))
    return target


def manifest(folder: Path) -> dict[str, str]:
    """File → sha256 of everything in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def index(site: Path, address: str) -> None:
    """Everything that lists editions: a page, a catalogue and, where the site's address is configured, a feed and a map."""
    editions = known(site)
    rows = [
        {"edition": one["edition"], "date": one["parameters"]["edition_date"], "commit": one["commit"]}
        for one in editions
    ]
    write_json(site / "editions.json", rows)
    write(
        site / FOLDER / "index.html", policy.secured(templates.page("editions", title=citation.TITLE, rows=rows[::-1]))
    )
    if address:
        write(site / "feed.xml", feed(rows, address.rstrip("/")))
        write(site / "sitemap.xml", sitemap(site, address.rstrip("/")))
        write(site / NOT_FOUND, not_found(address.rstrip("/")))


def not_found(address: str) -> str:
    """What hosts of static sites show for an address that leads nowhere, at whatever depth: its links are whole addresses."""
    return policy.secured(templates.page("not_found", title=citation.TITLE, root=address))


def feed(rows: list[dict[str, str]], address: str) -> str:
    """An Atom feed with one entry per edition."""
    updated = max((row["date"] for row in rows), default="2026-11-22")
    here = xml(address, QUOTES)
    entries = "".join(_entry(here, **{name: xml(text, QUOTES) for name, text in row.items()}) for row in reversed(rows))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{xml(citation.TITLE)}: editions</title><id>{here}/</id><updated>{xml(updated)}T00:00:00Z</updated>"
        f"<author><name>{xml(citation.AUTHOR)}</name></author>"
        f'<link rel="self" href="{here}/feed.xml"/><link href="{here}/"/>\n{entries}</feed>\n'
    )


def _entry(here: str, edition: str, date: str, commit: str) -> str:
    place = f"{here}/{FOLDER}/{edition}/"
    return (
        f"<entry><title>{xml(citation.TITLE)}, edition {edition}</title><id>{place}</id>"
        f'<updated>{date}T00:00:00Z</updated><link href="{place}index.html"/>'
        f"<summary>Edition {edition}, commit {commit}.</summary></entry>\n"
    )


def sitemap(site: Path, address: str) -> str:
    """Every page of the newest version, for search engines; frozen editions are left out."""
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    wanted = [
        page
        for page in pages
        if not page.startswith(f"{FOLDER}/")
        and not page.endswith(("embed.html", "search.html", "genindex.html", NOT_FOUND, places.LANDING))
    ]
    items = "".join(
        f"<url><loc>{xml(f'{address}/{quote(places.public(page))}', QUOTES)}</loc></url>\n" for page in wanted
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{items}</urlset>\n'
