"""Charts as files: SVG and PDF by vl-convert, PNG by PDFium, and the one script that draws them in a browser.

What is rendered depends on nothing but the specification, the theme, the renderer's version and the bundled font.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from analysis.book import bundles, citation, drawings, framing, spoken
from analysis.charts import theme

PNG_SCALE = 2.125
"""1,606 pixels wide or more, 13.6 cm at ..."""
PNG_DPI = 300
"""... so many to the inch, which the file says."""
GEOMETRY = re.compile(r'\b(d|transform|x|y|x1|y1|x2|y2|width|height|cx|cy|r|points)="([^"]*)"')
LONG = re.compile(r"-?\d*\.\d{3,}(?:e-?\d+)?")
DESCRIPTION = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
STAND_IN = re.compile(r'@font-face \{ font-family: "Memory Wall Stand-in"; [^}]*\}')
COUNTED = re.compile(r'(?<=id=")(?:clip|gradient_)\d+(?=")|(?<=url\(#)(?:clip|gradient_)\d+(?=\))')
WIDE, PHONE = 720, 340
"""Widths of a chart in pixels: on a full page, on a phone."""

TALL = 450
"""A chart asked to be taller than this has named rows, which need their height on a phone too."""

INTERPRETER = "vega-interpreter@2.0.0"
"""As the renderer carries it; a test draws a chart with it."""
DRAW = Path(__file__).parent / "browser" / "draw.js"
FONT_FOLDER = Path(__file__).resolve().parents[1] / "fonts"


@cache
def _converter() -> Any:
    import vl_convert

    vl_convert.register_font_directory(str(FONT_FOLDER))
    return vl_convert


def laid_out(bundle: dict[str, Any], *, width: int, mode: str = "light") -> dict[str, Any]:
    """The specification at a width, in a theme."""
    spec = dict(bundle["spec"])  # what is changed below is replaced, not changed in place
    spec["config"] = theme.config(mode)
    if width <= PHONE:
        spec["config"]["legend"]["columns"] = 3
    if "facet" in spec:
        columns = 1 if width <= PHONE else (bundle["columns"] or 2)
        spec["columns"] = columns
        spec["spec"] = spec["spec"] | {
            "width": (width - 70 * columns) // columns,
            "height": _panel(bundle["height"], columns),
        }
    elif not {"hconcat", "vconcat", "concat", "repeat"} & set(spec):
        spec |= {
            "width": width,
            "height": bundle["height"] if width > PHONE or bundle["height"] > TALL else min(bundle["height"], 320),
        }
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def to_take_away(bundle: dict[str, Any], footer: str, cited: str = "") -> dict[str, Any]:
    """The specification as a file: on paper, with its title, and with the line that says where it is from."""
    words = framing.wrapped(framing.Words(bundle["title"], bundle["subtitle"], footer))
    return laid_out(bundle, width=WIDE) | {
        "title": {"text": words[0], "subtitle": words[1]},
        "padding": framing.PADDING,
        "background": theme.PAPER["light"],
        "usermeta": {"source": footer, "citation": cited, "licence": citation.LICENCE},
    }


def _panel(height: float, columns: int) -> float:
    """Height of one of a chart's small multiples."""
    return height * 0.6 if columns > 1 or height > TALL else 180


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


def page_source(bundle: dict[str, Any], width: int, mode: str = "light") -> str:
    """The specification of a picture on a page, as text."""
    return bundles.once(bundle["spec"], f"{width} {mode}", lambda: source(laid_out(bundle, width=width, mode=mode)))


def page_picture(bundle: dict[str, Any], width: int, mode: str = "light") -> str:
    """The SVG as pages show it: as a picture with an alternative text of its own, so without descriptions of every mark."""
    return DESCRIPTION.sub("", drawn_text(page_source(bundle, width, mode))).replace(">", f">{_stand_in()}", 1)


@cache
def _stand_in() -> str:
    """A picture cannot use the page's font; it takes the stand-in of the page, as wide as the font its words were placed for."""
    sheet = (Path(__file__).parent / "static" / "memory-wall.css").read_text(encoding="utf-8")
    return f"<style>{''.join(STAND_IN.findall(sheet)).replace('Memory Wall Stand-in', 'Memory Wall Sans')}</style>"


def page_size(bundle: dict[str, Any], width: int) -> tuple[int, int]:
    """Width and height of a picture on a page, the same in light and dark."""
    return bundles.once(bundle["spec"], f"size {width}", lambda: size(drawn_text(page_source(bundle, width))))


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


def png(document: bytes, about: Mapping[str, str]) -> bytes:
    """The PDF as PNG, which takes a third of the time of drawing the SVG once more, letter by letter."""
    import pypdfium2

    from analysis.book import pixels

    with contextlib.closing(pypdfium2.PdfDocument(document)) as opened:
        return pixels.png(opened[0].render(scale=PNG_SCALE, rev_byteorder=True).to_numpy(), PNG_DPI, about)


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


def cached_script() -> str:
    """The script for all charts: Vega, from the cache where it was bundled before, what draws, and the colours of the dark page."""
    colours = json.dumps({pair["light"]: pair["dark"] for pair in theme.BY_MODE}, separators=(",", ":"))
    return drawings.drawn("script", "").decode() + DRAW.read_text(encoding="utf-8") + f"window.mwDark={colours};\n"


def drawn_text(text: str) -> str:
    """The SVG of a specification given as text; that for the dark page from that for the light one."""
    if (light := light_twin(text)) is not None:
        return recoloured(drawings.drawn("svg", light).decode(), "light", "dark")
    return drawings.drawn("svg", text).decode()


@lru_cache(maxsize=512)
def light_twin(text: str) -> str | None:
    """The same chart on the light page, where drawing that one and changing its colours gives the same picture.

    The two themes differ in three colours and in nothing else.  A chart that names one of them itself is drawn twice.
    """
    if not any(colours["dark"] in text for colours in theme.BY_MODE):
        return None
    own = source({key: value for key, value in json.loads(text).items() if key != "config"})
    named = any(colour in own for colours in theme.BY_MODE for colour in colours.values())
    return None if named else recoloured(text, "dark", "light")


def recoloured(text: str, before: str, after: str) -> str:
    """The text with the colours of one page in place of those of another."""
    colours = {pair[before]: pair[after] for pair in theme.BY_MODE}
    return re.sub("|".join(colours), lambda found: colours[found[0]], text)


def framed_source(bundle: dict[str, Any], footer: str, *of_itself: str) -> str:
    """What a picture to take away is made from, as text: the chart of the page, and the words around it and of itself."""
    words = framing.Words(bundle["title"], bundle["subtitle"], footer, *of_itself)
    return json.dumps([page_source(bundle, WIDE), words])


def _framed(text: str, patience_s: float) -> str:
    chart, words = json.loads(text)
    drawn = drawings.awaited("svg", chart, patience_s)
    picture = (draw(("svg",), chart)["svg"] if drawn is None else drawn).decode()
    return framing.framed(picture, *size(picture), framing.Words(*words))


def source(spec: dict[str, Any]) -> str:
    """A specification as the one text that stands for it."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":"))


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
        "framed": lambda: framed().encode(),
        "png": lambda: png(printed(), about()),
        "pdf": printed,
    }
    return {kind: drawings.kept(kind, text, makers[kind]) for kind in kinds}


def live(bundle: dict[str, Any]) -> dict[str, Any]:
    """What a browser draws a chart from: the compiled chart for wide and for narrow pages, and once the data both draw.

    Colours are those of the light page; the script changes them for the dark one, as ``recoloured`` does for pictures.
    """
    found: dict[str, Any] = {"columns": (bundle["columns"] or 2) if "facet" in bundle["spec"] else None, "datasets": {}}
    for name, width in (("wide", WIDE), ("phone", PHONE)):
        compiled = json.loads(drawings.drawn("vega", page_source(bundle, width)))
        for data in compiled.get("data", []):
            if isinstance(data.get("values"), list):
                found["datasets"][data["name"]] = by_column(data.pop("values"))
        found[name] = compiled
    return found


def by_column(rows: list[Any]) -> dict[str, list[Any]] | list[Any]:
    """The rows column by column, which compresses better by a fifth; as they are where they do not all have the same fields."""
    if not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        return rows
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def begin_page_pictures(bundle: dict[str, Any]) -> None:
    """Have the pictures drawn that stand on pages: light and dark, wide and for a phone."""
    for mode in ("light", "dark"):
        for width in (WIDE, PHONE):
            text = page_source(bundle, width, mode)
            drawings.begin(("svg", "vega") if mode == "light" else ("svg",), light_twin(text) or text)
