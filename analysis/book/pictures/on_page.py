"""The pictures of a page: light and dark, wide and for a phone, and what a browser draws them from anew."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from analysis.book.pictures import framing, renderer, workers
from analysis.book.pictures.layout import PHONE, WIDE, laid_out
from analysis.book.store import bundles
from analysis.charts import theme
from analysis.figures import Figure

DESCRIPTION = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
STAND_IN = re.compile(r'@font-face \{ font-family: "Memory Wall Stand-in"; [^}]*\}')
DRAW = Path(__file__).parents[1] / "browser" / "draw.js"


def source(spec: dict[str, Any]) -> str:
    """A specification as the one text that stands for it."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":"))


def page_source(figure: Figure, width: int, mode: str = "light") -> str:
    """The specification of a picture on a page, as text."""
    return bundles.once(figure.spec, f"{width} {mode}", lambda: source(laid_out(figure, width=width, mode=mode)))


def page_picture(figure: Figure, width: int, mode: str = "light") -> str:
    """The SVG as pages show it: as a picture with an alternative text of its own, so without descriptions of every mark."""
    return DESCRIPTION.sub("", drawn_text(page_source(figure, width, mode))).replace(">", f">{_stand_in()}", 1)


@cache
def _stand_in() -> str:
    """A picture cannot use the page's font; it takes the stand-in of the page, as wide as the font its words were placed for."""
    sheet = (Path(__file__).parents[1] / "static" / "memory-wall.css").read_text(encoding="utf-8")
    return f"<style>{''.join(STAND_IN.findall(sheet)).replace('Memory Wall Stand-in', 'Memory Wall Sans')}</style>"


def page_size(figure: Figure, width: int) -> tuple[int, int]:
    """Width and height of a picture on a page, the same in light and dark."""
    return bundles.once(figure.spec, f"size {width}", lambda: renderer.size(drawn_text(page_source(figure, width))))


def drawn_text(text: str) -> str:
    """The SVG of a specification given as text; that for the dark page from that for the light one."""
    if (light := light_twin(text)) is not None:
        return recoloured(workers.drawn("svg", light).decode(), "light", "dark")
    return workers.drawn("svg", text).decode()


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


def framed_source(figure: Figure, footer: str, *of_itself: str) -> str:
    """What a picture to take away is made from, as text: the chart of the page, and the words around it and of itself."""
    words = framing.Words(figure.title, figure.subtitle, footer, *of_itself)
    return json.dumps([page_source(figure, WIDE), words])


def live(figure: Figure) -> dict[str, Any]:
    """What a browser draws a chart from: the compiled chart for wide and for narrow pages, and once the data both draw.

    Colours are those of the light page; the script changes them for the dark one, as ``recoloured`` does for pictures.
    """
    found: dict[str, Any] = {"datasets": {}}
    for name, width in (("wide", WIDE), ("phone", PHONE)):
        compiled = json.loads(workers.drawn("vega", page_source(figure, width)))
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


def draw_page_pictures_ahead(figure: Figure) -> None:
    """Have the pictures drawn that stand on pages: light and dark, wide and for a phone."""
    for mode in ("light", "dark"):
        for width in (WIDE, PHONE):
            text = page_source(figure, width, mode)
            workers.draw_ahead(("svg", "vega") if mode == "light" else ("svg",), light_twin(text) or text)


def cached_script() -> str:
    """The script for all charts: Vega, from the cache where it was bundled before, what draws, and the colours of the dark page."""
    colours = json.dumps({pair["light"]: pair["dark"] for pair in theme.BY_MODE}, separators=(",", ":"))
    return workers.drawn("script", "").decode() + DRAW.read_text(encoding="utf-8") + f"window.mwDark={colours};\n"
