"""Charts as files: SVG, PNG and PDF by vl-convert, and the one script that draws them in a browser.

What is rendered depends on nothing but the specification, the theme, the renderer's version and the bundled font.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from analysis import tables
from analysis.charts import theme

WIDE, PHONE = 720, 340
"""Widths of a chart in pixels: on a full page, on a phone."""

TALL = 450
"""A chart asked to be taller than this has named rows, which need their height on a phone too."""

FONT_FOLDER = Path(__file__).resolve().parents[1] / "fonts"


@cache
def _converter() -> Any:
    import vl_convert

    vl_convert.register_font_directory(str(FONT_FOLDER))
    return vl_convert


def version() -> str:
    """The renderer and its Vega-Lite, as a cache key needs them."""
    return f"vl-convert {metadata.version('vl-convert-python')}"


def laid_out(
    bundle: dict[str, Any], *, width: int, mode: str = "light", titled: bool = False, footer: str = ""
) -> dict[str, Any]:
    """The specification at a width, in a theme, with its title and source line where it must stand alone."""
    spec = copy.deepcopy(bundle["spec"])
    spec["config"] = theme.config(mode)
    if width <= PHONE:
        spec["config"]["legend"]["columns"] = 3
    if "facet" in spec:
        columns = 1 if width <= PHONE else (bundle["columns"] or 2)
        spec["columns"] = columns
        spec["spec"] |= {"width": (width - 70 * columns) // columns, "height": _panel(bundle["height"], columns)}
    elif not {"hconcat", "vconcat", "concat", "repeat"} & set(spec):
        spec |= {
            "width": width,
            "height": bundle["height"] if width > PHONE or bundle["height"] > TALL else min(bundle["height"], 320),
        }
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    if titled:
        spec |= {
            "title": {"text": _wrapped(bundle["title"], 78), "subtitle": _wrapped(bundle["subtitle"], 105)},
            "padding": 18,
        }
        spec["background"] = theme.PAPER[mode]
    return _with_footer(spec, footer, mode) if footer else spec


def _panel(height: float, columns: int) -> float:
    """Height of one of a chart's small multiples."""
    return height * 0.6 if columns > 1 or height > TALL else 180


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _with_footer(spec: dict[str, Any], footer: str, mode: str) -> dict[str, Any]:
    lifted = {
        key: spec.pop(key)
        for key in ("config", "background", "padding", "datasets", "$schema", "title", "params")
        if key in spec
    }
    lines = _wrapped(footer, 120)
    note = {
        "data": {"values": [{"line": line, "row": row} for row, line in enumerate(lines)]},
        "width": WIDE, "height": 16 * len(lines), "view": {"stroke": None},
        "mark": {"type": "text", "align": "left", "baseline": "top", "fontSize": 11.5, "color": theme.QUIET[mode], "x": 0},
        "encoding": {"text": {"field": "line"}, "y": {"field": "row", "type": "ordinal", "axis": None}},
    }  # fmt: skip
    spec.pop("autosize", None)
    return lifted | {"vconcat": [spec, note], "spacing": 14, "align": "none"}


def svg(spec: dict[str, Any]) -> str:
    """The chart as SVG with real text."""
    text: str = _converter().vegalite_to_svg(json.dumps(spec))
    return text


def size(picture: str) -> tuple[int, int]:
    """Width and height of an SVG in pixels."""
    found = re.search(r'<svg[^>]*? width="([\d.]+)"[^>]*? height="([\d.]+)"', picture)
    return (round(float(found[1])), round(float(found[2]))) if found else (WIDE, 400)


def png(spec: dict[str, Any], scale: float) -> bytes:
    """The chart as PNG; ``scale`` 2 doubles every pixel."""
    data: bytes = _converter().vegalite_to_png(json.dumps(spec), scale=scale)
    return data


def pdf(spec: dict[str, Any]) -> bytes:
    """The chart as PDF, the same bytes on every build."""
    import io

    import pikepdf

    raw: bytes = _converter().vegalite_to_pdf(json.dumps(spec))
    with pikepdf.open(io.BytesIO(raw)) as document:
        for key in {"/CreationDate", "/ModDate"} & set(document.docinfo.keys()):
            del document.docinfo[key]
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    return out.getvalue()


def script() -> str:
    """One script for all charts of the site: Vega, Vega-Lite and vega-embed, kept out of the page's other names."""
    snippet = "window.mwEmbed = vegaEmbed;"
    bundle: str = _converter().javascript_bundle(snippet)
    # Inside a function, or the bundle's `_` takes the name that Sphinx's own script uses.
    return f"(function () {{\n{bundle}\n}})();\n"


def cached_script() -> str:
    """The script for all charts, with the two themes, from the cache where it was made before."""
    themes = json.dumps({mode: theme.config(mode) for mode in ("light", "dark")}, separators=(",", ":"))
    return cached_text(f"{version()} script 1", script) + f"window.mwThemes={themes};\n"


def cached_text(key: str, make: Any, folder: Path | None = None) -> str:
    """A rendered text by content address: made once, read ever after; a damaged entry is made again."""
    import hashlib

    path = (folder or cache_folder()) / hashlib.sha256(key.encode()).hexdigest()
    try:
        digest, _, body = path.read_text(encoding="utf-8").partition("\n")
        if hashlib.sha256(body.encode()).hexdigest() == digest:
            return body
    except (OSError, UnicodeDecodeError):
        pass
    body = str(make())
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{id(body)}")
    fresh.write_text(hashlib.sha256(body.encode()).hexdigest() + "\n" + body, encoding="utf-8")
    fresh.replace(path)
    return body


def cache_folder() -> Path:
    """Where rendered pictures are kept between builds."""
    return tables.REPOSITORY / "_build" / "cache" / "pictures"


def rendered(spec: dict[str, Any]) -> str:
    """The SVG of a specification, from the cache where it was drawn before."""
    key = json.dumps([version(), spec], sort_keys=True)
    return cached_text(key, lambda: svg(spec))


def rendered_png(spec: dict[str, Any], scale: float = 2.5) -> bytes:
    """The PNG of a specification, from the cache where it was drawn before."""
    key = json.dumps([version(), "png", scale, spec], sort_keys=True)
    return base64.b64decode(cached_text(key, lambda: base64.b64encode(png(spec, scale)).decode()))


def rendered_pdf(spec: dict[str, Any]) -> bytes:
    """The PDF of a specification, from the cache where it was drawn before."""
    key = json.dumps([version(), "pdf", 1, spec], sort_keys=True)
    return base64.b64decode(cached_text(key, lambda: base64.b64encode(pdf(spec)).decode()))
