"""Charts as files: SVG and PDF by vl-convert, PNG by PDFium, and the script that draws them in a browser.

What is rendered depends on nothing but the specification, the theme, the renderer's version and the bundled font.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from analysis import fonts
from analysis.book.pictures import card, framing, lettering, shelf, spoken
from analysis.book.pictures.layout import WIDE
from analysis.book.record import citation

PNG_SCALE = 2.125
"""1,606 pixels wide or more, 13.6 cm at ..."""
PNG_DPI = 300
"""... so many to the inch, which the file says."""
GEOMETRY = re.compile(r'\b(d|transform|x|y|x1|y1|x2|y2|width|height|cx|cy|r|points)="([^"]*)"')
LONG = re.compile(r"-?\d*\.\d{3,}(?:e-?\d+)?")
COUNTED = re.compile(r'(?<=id=")(?:clip|gradient_)\d+(?=")|(?<=url\(#)(?:clip|gradient_)\d+(?=\))')
INTERPRETER = "vega-interpreter@2.0.0"
"""As the renderer carries it; a test draws a chart with it."""


@cache
def _converter() -> Any:
    import vl_convert

    vl_convert.register_font_directory(str(fonts.FOLDER))
    return vl_convert


def draw(kinds: tuple[str, ...], text: str, patience_s: float = 0.0) -> dict[str, bytes]:
    """Draw from one source every kind asked for; what was drawn before is read, what is being drawn waited for so long."""
    compiled = cache(lambda: spoken.made(_converter().vegalite_to_vega(text)))
    framed = cache(lambda: _framed(text, patience_s))
    about = cache(lambda: framing.Words(*json.loads(text)[1]).about)
    printed = cache(lambda: pdf(framed(), about()))
    makers: dict[str, Callable[[], bytes]] = {
        "script": lambda: script().encode(),
        "vega": lambda: json.dumps(compiled(), separators=(",", ":")).encode(),
        "svg": lambda: svg(compiled()).encode(),
        "framed": lambda: lettering.lettered(framed()).encode(),
        "png": lambda: png(printed(), about()),
        "pdf": printed,
        "card": lambda: png(_converter().svg_to_pdf(_framed(text, patience_s, card.card)), about(), 1.0),
        "number": lambda: _numbered(text),
    }
    return {kind: shelf.kept(kind, text, makers[kind]) for kind in kinds}


def _framed(text: str, patience_s: float, frame: Callable[[str, int, int, framing.Words], str] = framing.framed) -> str:
    chart, words = json.loads(text)
    drawn = shelf.awaited("svg", chart, patience_s)
    picture = (draw(("svg",), chart)["svg"] if drawn is None else drawn).decode()
    return frame(picture, *size(picture), framing.Words(*words))


def _numbered(text: str) -> bytes:
    from analysis.book.pictures import number_card

    return number_card.drawn(framing.Words(*json.loads(text)))


def svg(compiled: dict[str, Any]) -> str:
    """A compiled chart as SVG with real text."""
    text: str = _converter().vega_to_svg(compiled)
    return _rounded(_renumbered(text))


def _renumbered(text: str) -> str:
    """The SVG with its clip paths and gradients counted from the first: the renderer counts on from picture to picture."""
    order: dict[str, str] = {}
    return COUNTED.sub(lambda found: order.setdefault(found[0], f"{found[0].rstrip('0123456789')}{len(order)}"), text)


def _rounded(text: str) -> str:
    """The SVG with its geometry at a hundredth of a pixel: half the size, and no last digit to differ between processors."""

    def short(found: re.Match[str]) -> str:
        return repr(round(float(found[0]), 2) + 0.0).removesuffix(".0")  # + 0.0: no minus before zero

    return GEOMETRY.sub(lambda found: f'{found[1]}="{LONG.sub(short, found[2])}"', text)


def size(picture: str) -> tuple[int, int]:
    """Width and height of an SVG in pixels."""
    found = re.search(r'<svg[^>]*? width="([\d.]+)"[^>]*? height="([\d.]+)"', picture)
    return (round(float(found[1])), round(float(found[2]))) if found else (WIDE, 400)


def pdf(picture: str, about: Mapping[str, str]) -> bytes:
    """The SVG as PDF that says what it is, the same bytes on every build."""
    import io

    import pikepdf

    raw: bytes = _converter().svg_to_pdf(picture)
    with pikepdf.open(io.BytesIO(raw)) as document:
        for key in {"/CreationDate", "/ModDate"} & set(document.docinfo.keys()):
            del document.docinfo[key]
        named = {"/Title": "Title", "/Author": "Author", "/Subject": "Comment", "/Keywords": "Source"}
        for key in [key for key, name in named.items() if name in about]:
            document.docinfo[key] = about[named[key]]
        document.Root.Lang = "en"
        with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as described:
            described.load_from_docinfo(document.docinfo)
            described["dc:rights"], described["xmpRights:WebStatement"] = about["Copyright"], citation.LICENCE_ADDRESS
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    return out.getvalue()


def png(document: bytes, about: Mapping[str, str], scale: float = PNG_SCALE) -> bytes:
    """The PDF as PNG, ``scale`` pixels to one of its own: a third of the time of drawing the SVG once more, letter by letter."""
    import pypdfium2

    from analysis.book.pictures import pixels

    with contextlib.closing(pypdfium2.PdfDocument(document)) as opened:
        return pixels.png(
            opened[0].render(scale=scale, rev_byteorder=True, prefer_bgrx=True).to_numpy(), PNG_DPI, about
        )


def script() -> str:
    """Vega and its interpreter of expressions, which needs no eval, as one script.

    Vega-Lite and vega-embed, a third of the usual bundle, stay out: charts are compiled when the site is built.  The two
    addresses name modules that the renderer carries within itself; nothing is fetched.
    """
    address = "https://cdn.jsdelivr.net/npm/{}/+esm".format
    snippet = (
        f'import {{ parse, View }} from "{address(f"vega@{_converter().get_vega_version()}")}";'
        f'import {{ expressionInterpreter }} from "{address(INTERPRETER)}";'
        "window.mwVega = { parse, View, expressionInterpreter };"
    )
    bundle: str = _converter().javascript_bundle(snippet)
    # Inside a function, or the bundle's `_` takes the name that Sphinx's own script uses.
    return f"(function () {{\n{bundle}\n}})();\n"
