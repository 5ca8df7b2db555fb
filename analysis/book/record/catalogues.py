"""What catalogues and programs read at the root of a site: Croissant, RO-Crate and OpenAPI, all told from the site's own files.

Addresses are those of the site where it has one, and else within it: a folder on a disk is described as well as a published site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.book.record import citation
from analysis.book.record.citation import Work
from analysis.book.store import verify
from analysis.book.store.cache import file_digest
from analysis.book.store.files import write_json

CROISSANT, CRATE, OPENAPI = "croissant.json", "ro-crate-metadata.json", "openapi.json"
PACKAGE, ANSWERS = "tables/datapackage.json", "answers.json"
CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"}, "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "name": {"@container": "@language"}, "parentField": "cr:parentField", "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
    "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""As Croissant 1.1 prescribes it."""
TYPES = {"string": "sc:Text", "number": "sc:Float", "integer": "sc:Integer", "boolean": "sc:Boolean"}
"""Type of a column in the descriptor → in Croissant."""
MEDIA = {
    "csv": "text/csv", "json": "application/json", "html": "text/html", "md": "text/markdown", "svg": "image/svg+xml", "png": "image/png",
    "pdf": "application/pdf", "zip": "application/zip", "bib": "application/x-bibtex", "ris": "application/x-research-info-systems",
    "csl.json": "application/vnd.citationstyles.csl+json", "jsonld": "application/ld+json",
}  # fmt: skip
"""Ending of a file → media type."""


def media(name: str) -> str:
    """The media type of a file by its name; of the endings that fit, the longest decides."""
    fitting = [ending for ending in MEDIA if name.endswith(f".{ending}")]
    return MEDIA[max(fitting, key=len)] if fitting else "application/octet-stream"


def write_all(site: Path) -> None:
    """Write the three into a site that has its record, its tables and its catalogues of figures, numbers and claims."""
    record = _json(site / verify.RECORD)
    write_json(site / CROISSANT, croissant(site, record))
    write_json(site / CRATE, crate(record, site))
    write_json(site / OPENAPI, openapi(site, record))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _book(record: Mapping[str, Any]) -> Work:
    """The book as far as its data go: of what is not as in the book, that."""
    marked = {one for told in record.get("marks", {}).get("data", {}).values() for one in told}
    return Work(
        "book", "", citation.BOOK, record["edition"], record["parameters"]["edition_date"], record.get("address", ""),
        run=tuple(one for one in record.get("run", ()) if one in marked),
    )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def croissant(site: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """The data package as Croissant 1.1: a file and a set of records per table, a field per column.

    Keys of other tables are said in words: told as references, readers of Croissant join the tables and drop every row with an
    empty key.
    """
    package, book = _json(site / PACKAGE), _book(record)
    told = {name: package[name] for name in ("title", "description", "keywords") if name in package}
    about = {"name": told.pop("title", citation.BOOK), "description": citation.IMPRINT.description, **told}
    about |= {"url": book.address} if book.address else {}
    return {
        "@context": CONTEXT, "@type": "sc:Dataset", **about,
        "conformsTo": "http://mlcommons.org/croissant/1.1", "license": citation.LICENCE_ADDRESS,
        "version": _three_parts(book.edition), "datePublished": book.date, "creator": {"@type": "sc:Organization", "name": citation.AUTHOR},
        "publisher": {"@type": "sc:Organization", "name": citation.AUTHOR}, "citeAs": citation.bibtex(book).strip(),
        "inLanguage": "en", "isLiveDataset": False,
        "distribution": [_file_object(site, table) for table in package["resources"]],
        "recordSet": [_record_set(table) for table in package["resources"]],
    }  # fmt: skip


def _three_parts(edition: str) -> str:
    """The name of an edition as Croissant wants a version: major, minor, patch."""
    return f"{edition}.0" if re.fullmatch(r"\d+\.\d+", edition) else edition


def _file_object(site: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    file = f"{table['name']}.csv"
    path = f"tables/{file}"
    return {
        "@type": "cr:FileObject", "@id": file, "name": file, "description": _plain(table["row"]), "contentUrl": path,
        "encodingFormat": MEDIA["csv"], "sha256": file_digest(site / path),
    }  # fmt: skip


def _record_set(table: Mapping[str, Any]) -> dict[str, Any]:
    name, schema = table["name"], table["schema"]
    leads = {key["fields"][0]: key["reference"] for key in schema.get("foreignKeys", [])}
    return {
        "@type": "cr:RecordSet", "@id": name, "name": name, "description": _plain(table["description"]),
        "key": [{"@id": f"{name}/{column}"} for column in schema["primaryKey"]],
        "field": [_field(table, field, leads.get(field["name"])) for field in schema["fields"]],
    }  # fmt: skip


def _field(table: Mapping[str, Any], field: Mapping[str, Any], leads: Mapping[str, Any] | None) -> dict[str, Any]:
    unit = f" Unit: {field['unit']}." if field.get("unit") else ""
    key = f" One of {leads['resource']}/{leads['fields'][0]}." if leads else ""
    return {
        "@type": "cr:Field", "@id": f"{table['name']}/{field['name']}", "name": field["name"],
        "description": _plain(field["description"]) + unit + key, "dataType": TYPES.get(field["type"], "sc:Text"),
        "source": {"fileObject": {"@id": f"{table['name']}.csv"}, "extract": {"column": field["name"]}},
    }  # fmt: skip


def crate(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The site as an RO-Crate 1.2: the book, its chapters, tables, figures and catalogues as one research object."""
    figures = [f"figures/{name}/{name}.{kind}" for name in record["figures"] for kind in ("png", "svg", "csv")]
    named = ["index.html", "figures.json", "numbers.json", "claims.json", "llms.txt", CROISSANT, OPENAPI, PACKAGE]
    patterns = ("chapters/*.html", "tables/*.csv")
    found = [path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)]
    files = sorted(name for name in {*found, *figures, *named} if (folder / name).is_file())
    licence = {"@id": citation.LICENCE_ADDRESS}
    root = {
        "@id": "./", "@type": "Dataset", "name": citation.BOOK, "version": record["edition"], "license": licence,
        "datePublished": record["parameters"]["edition_date"], "author": {"@id": "#authors"}, "publisher": {"@id": "#authors"},
        "description": "A reproducible book: figures, claims and the data they were computed from.",
        "identifier": record.get("swhid") or record["commit"], "hasPart": [{"@id": file} for file in files],
    }  # fmt: skip
    about = {
        "@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"},
    }  # fmt: skip
    authors = {"@id": "#authors", "@type": "Organization", "name": citation.AUTHOR}
    terms = {**licence, "@type": "CreativeWork", "name": citation.IMPRINT.licence_name}
    parts = [{"@id": file, "@type": "File", "encodingFormat": media(file), "name": file} for file in files]
    return {"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [about, root, authors, terms, *parts]}


SHARED = {
    "figures.json": "Every figure: number, title, caption, files, sources, digests.",
    "numbers.json": "Every number of the prose: value, unit, text, definition, formula, inputs, sources, citation.",
    "claims.json": "Every claim of the article: what it states, what comes out, verdict, readings, robustness.",
    "edition.json": "The record of the edition: commit, parameters, versions, digest of every file.",
    "editions.json": "The editions that are frozen in this site.",
    PACKAGE: "The data package (Frictionless): every table, column, unit and key.",
    CROISSANT: "The same as Croissant, for machine learning.",
    CRATE: "The site as a research object (RO-Crate).",
    "myst.xref.json": "What MyST books can refer to.",
}
"""File that stands once in a site → what it holds."""
MOST_NAMED = 40
"""Names that an object may have whose fields they are; those of more are ids."""
FIELD = re.compile(r"[@$]?\w+([ :]\w+)*")
"""What the name of a field looks like: names of files, packages and rows are ids."""
LATER: dict[str, Any] = {
    "editions.json": [{"edition": "", "date": "", "commit": ""}],
    "myst.xref.json": {"version": "", "myst": "", "references": [{"kind": "", "data": "", "url": ""}]},
}
"""What is written after its description is, with all it always has."""
SEALED: dict[str, Any] = {"files": {".": ""}, "seal": ""}
"""What ``edition.json`` has besides when the site is whole, which is after its description is."""
OF_A_RUN: dict[str, Any] = {
    "supplied": [{"table": "", "added": [""], "changed": [""], "removed": [""]}],
    "run": [""],
    "marks": {".": {".": [""]}},
}
"""What is empty in a record unless the site is a run, as it is there."""


def openapi(site: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """The addresses of everything for programs, as OpenAPI 3.1: files, which any server gives out and no program answers."""
    written = {**LATER, verify.RECORD: {**record, **SEALED}}
    shapes: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for path, told, known in [*((f"/{name}", told, []) for name, told in SHARED.items()), *_families(site, record)]:
        names = re.findall(r"\{(\w+)\}", path)
        described = _component(path)
        if path.endswith(".json"):
            files = [re.sub(r"\{\w+\}", one, path)[1:] for one in known or [path]]
            found = [written[file] if file in written else _json(site / file) for file in files]
            shapes[described] = _shape([_as_in_a_run(one) for one in found])
        given = {"parameters": [_parameter(name, known) for name in names]} if names else {}
        paths[path] = _get(path, told, described if path.endswith(".json") else "") | given
    return {
        "openapi": "3.1.0",
        "info": {
            "title": citation.TITLE, "version": record["edition"], "summary": citation.IMPRINT.description,
            "description": "Static files: the same addresses work on a web server and in a folder on a disk. Each page `name.html` has a "
            "Markdown twin `name.md`; `llms.txt` lists them.",
            "license": {"name": citation.IMPRINT.licence_name, "identifier": citation.IMPRINT.licence_id},
        },
        "servers": [{"url": record.get("address") or "."}],
        "paths": paths,
        "components": {"schemas": shapes},
    }  # fmt: skip


def _as_in_a_run(value: Any) -> Any:
    """A record with what only a run fills."""
    if type(value) is not dict:
        return value
    return {**value, **{name: of_run for name, of_run in OF_A_RUN.items() if value.get(name) in ([], {})}}


def _families(site: Path, record: Mapping[str, Any]) -> Iterable[tuple[str, str, list[str]]]:
    """Address with what changes in it between braces, what lies there, and what may stand there."""
    figures, tables = sorted(record["figures"]), [table["name"] for table in _json(site / PACKAGE)["resources"]]
    if (site / ANSWERS).is_file():
        yield f"/{ANSWERS}", "What every device makes of every model.", []
    yield "/tables/{table}.csv", "The rows of a table, as its source printed them.", tables
    of_figures = {
        "csv": "The data of a figure, in base units; `name` is `figure` again.", "metadata.json": "What a figure is, column by column.",
        "vl.json": "A figure as Vega-Lite.", "csl.json": "How to cite a figure, as reference managers read it.",
    }  # fmt: skip
    yield from (
        (f"/figures/{{figure}}/{{name}}.{ending}", told, figures) for ending, told in of_figures.items() if figures
    )
    for folder in ("devices", "models"):
        ids = sorted(path.stem for path in (site / folder).glob("*.csv"))
        if ids:
            yield f"/{folder}/{{id}}.json", f"What is known of one of the {folder}, and its answers.", ids
            yield f"/{folder}/{{id}}.csv", "The same answers as a table.", ids


def _get(name: str, told: str, described: str) -> dict[str, Any]:
    """What one address gives out: JSON of a shape that is described, or text."""
    schema = {"$ref": f"#/components/schemas/{described}"} if described else {"type": "string"}
    answer = {"description": told, "content": {media(name): {"schema": schema}}}
    words = [word for word in re.split(r"[^A-Za-z]+", name) if word]
    return {"get": {"operationId": "_".join(words), "summary": told, "responses": {"200": answer}}}


def _component(path: str) -> str:
    """The name of a shape: that of its file, or of the files of a family."""
    return re.sub(r"/?\{\w+\}", "", path).removesuffix(".json").strip("/").replace("/", ".")


def _parameter(name: str, known: list[str]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": known}}


NAMES: dict[type, str] = {
    str: "string", bool: "boolean", int: "number", float: "number", type(None): "null", dict: "object", list: "array",
}  # fmt: skip


def shape(value: Any) -> dict[str, Any]:
    """The JSON Schema of a value, with all that its lists hold taken together: read off the file, so that it fits."""
    return _shape([value])


def _shape(values: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    types = set(map(type, values))
    if kinds := sorted({NAMES[one] for one in types}):
        found["type"] = kinds if len(kinds) > 1 else kinds[0]
    if list in types:
        found["items"] = _shape([item for value in values if type(value) is list for item in value])
    if dict not in types:
        return found
    records = [value for value in values if type(value) is dict]
    shared = set.intersection(*map(set, records))
    fields = shared and max(map(len, records)) <= MOST_NAMED and all(map(FIELD.fullmatch, set().union(*records)))
    if not fields:
        return found | {"additionalProperties": _shape([item for one in records for item in one.values()])}
    names = [name for name in records[0] if name in shared]
    return found | {"required": names, "properties": {name: _shape([one[name] for one in records]) for name in names}}
