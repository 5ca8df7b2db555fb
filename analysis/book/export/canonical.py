"""A printed PDF in one canonical form: the browser names fonts and pictures in an order that differs from one printing to the next."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pikepdf

NAME = re.compile(rb"/([A-Z]+\d+)(?=[\s\[\]<>/()])")
KINDS = ("/Font", "/XObject", "/ExtGState", "/Pattern", "/Shading", "/ColorSpace")
TAG = re.compile(r"^/[A-Z]{6}\+")


def order(document: Any) -> None:
    """Name every resource by the order in which its page uses it, and every part of a font by what it holds."""
    for holder, stream in _drawn(document):
        _rename(holder.Resources, stream)
    for font in [thing for thing in document.objects if isinstance(thing, pikepdf.Dictionary) and "/BaseFont" in thing]:
        _tag(font)


def _drawn(document: Any) -> Iterator[tuple[Any, Any]]:
    """(what has resources, the stream that names them) of each page and of each picture within one."""
    for page in document.pages:
        page.contents_coalesce()
        yield page.obj, page.obj.Contents
    for thing in document.objects:
        if isinstance(thing, pikepdf.Stream) and "/Resources" in thing:
            yield thing, thing


def _rename(resources: Any, stream: Any) -> None:
    content = stream.read_bytes()
    used = list(dict.fromkeys(found.decode() for found in NAME.findall(content)))
    names = {name: f"{name.rstrip('0123456789')}{place}" for place, name in enumerate(used)}
    for kind in [kind for kind in KINDS if kind in resources]:
        held = resources[kind]
        resources[kind] = pikepdf.Dictionary(
            {f"/{names[name[1:]]}": held[name] for name in held.keys() if name[1:] in names}  # noqa: SIM118 - no mapping of Python
        )
    stream.write(NAME.sub(lambda found: b"/" + names[found[1].decode()].encode(), content))


def _tag(font: Any) -> None:
    """The six letters before the name of a font of which only a part is there, by the letters that it has."""
    inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
    parts = [inner.get("/FontDescriptor", {}).get("/FontFile2"), font.get("/ToUnicode")]
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts if part is not None)).digest()
    letters = "".join(chr(65 + byte % 26) for byte in digest[:6])
    for held, key in ((font, "/BaseFont"), (inner, "/BaseFont"), (inner.get("/FontDescriptor", {}), "/FontName")):
        if key in held and TAG.match(str(held[key])):
            held[key] = pikepdf.Name(TAG.sub(f"/{letters}+", str(held[key])))
