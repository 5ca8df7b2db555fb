"""What Sphinx leaves to do: the landing page at the root, one style sheet, one script, and a policy that allows no others.

The theme's own scripts (2 MB of Bootstrap and icon fonts beside a few buttons) give way to ``browser/page.js``; of its style
sheets stays what some page uses.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from pathlib import Path
from typing import Any

from analysis.book.pages import stylesheet
from analysis.book.record import citation
from analysis.book.record.policy import MODE, secured
from analysis.book.store import templates
from analysis.book.store.cache import Store, code_of, digest, file_digest
from analysis.book.store.places import LANDING, SEARCH_INDEX, SEARCH_ROWS

STYLING = "analysis.book.pages.stylesheet"
BROWSER = Path(__file__).parents[1] / "browser"
UNUSED = (".buildinfo", ".buildinfo.bak", "_sources")
SEARCH = "search.js"
OWN = ("icon.svg", "memory-wall.css", "memory-wall.js", "memory-wall-vega.js", "fonts")
"""What stays of ``_static``, apart from what is made here."""
TOGGLES = """let toggleHintShow = 'Click to show', toggleHintHide = 'Click to hide', toggleOpenOnPrint = 'true';
let togglebuttonSelector = '.toggle, .admonition.dropdown';
"""
ICONS = {
    "bars": "M4 6h16M4 12h16M4 18h16", "list": "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
    "magnifying-glass": "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM15.5 15.5 20 20",
    "sun": "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z|M12 3a9 9 0 0 0 0 18z",
    "angle-left": "M15 5l-7 7 7 7", "angle-right": "M9 5l7 7-7 7", "chevron-down": "M5 9l7 7 7-7", "arrow-up": "M12 20V4M5 11l7-7 7 7",
}  # fmt: skip
"""Icon of the theme → lines on 24 × 24, and after a bar what is filled."""

ICON = re.compile(r'<(i|span) class="([^"]*?)fa-(?:solid|regular|brands) +fa-([a-z-]+)([^"]*)"([^>]*)></\1>')
ICON_FONT = re.compile(r"--fa-|[Ff]ont ?-?[Aa]wesome|pst-font-icon")
INLINE = re.compile(r"<script(?![^>]*\b(?:src|type)=)[^>]*>(.*?)</script>", re.DOTALL)
HEAD = re.compile(
    r'<link rel="preload"[^>]*>|<link [^>]*rel="stylesheet"[^>]*>|<script[^>]*\bsrc="[^"]*"[^>]*></script>|<!--(?!\[).*?-->|'
    r'<meta name="(?:docsearch:[a-z]+|readthedocs[a-z-]*)"[^>]*>',
    re.DOTALL,
)
NAMED = [re.compile(rf"""{name}=(?:"([^"]*)"|([\w-]+))""") for name in ("class", "id")]
"""Two patterns and not one: each begins with fixed letters, which are found ten times as fast."""
IMPORT = re.compile(r"""@import\s+(?:url\()?["']([^"')]+)["']\)?;""")
SHEET = re.compile(r'<link [^>]*rel="stylesheet"[^>]*>')
CORE_FONT = re.compile(r"""url\(["'](fonts/[^"')]*-(?:Regular|Semibold)-core\.woff2)["']\)""")
"""What every page is set in travels in the style sheet: a font that comes later would move the lines."""
SECTIONS, ARTICLE = 'class="bd-sidebar-secondary', 'class="bd-article-container"'
"""The list of a page's sections, and what takes its room where there is none: a browser would see that only at the page's end."""
SIDEBAR = ('<div id="pst-primary-sidebar"', '<div id="pst-primary-sidebar" role="navigation" aria-label="The book"')
"""The theme leaves the title of the book outside of all landmarks."""
ADVERTISEMENT = re.compile(r'<div id="ethical-ad-placement".*?</div>', re.DOTALL)

CANONICAL = re.compile(r'<link rel="canonical" href="([^"]*)"')
ADDRESSES = re.compile(
    r'(?<![\w-])(href|src|srcset|data-(?:content_root|link|embed|rows|charts|spec|script)|property="og:image" content)="([^"]*)"'
)
"""Everything in a page that names a place in the site: what moves with the page."""


def finish(site: Path) -> None:
    """Finish every page and every file that pages share."""
    static = site / "_static"
    found = [
        path for path in sorted(site.rglob("*.html")) if static not in path.parents
    ]  # what lies there goes in the end
    pages = {path: path.read_text(encoding="utf-8") for path in found}
    _move_landing_page(site, pages, moves=site / LANDING in pages)
    pages = {path: _lean(text) for path, text in pages.items()}
    script = TOGGLES + "".join(_unindented(path.read_text(encoding="utf-8")) for path in _scripts(site))
    beside = [path.read_text(encoding="utf-8") for path in sorted((site / "pieces").glob("*.js"))]
    sheet = _sheet(site, pages, "".join([script, *beside]))
    (site / "_static" / "site.css").write_text(sheet, encoding="utf-8")
    (site / "_static" / "site.js").write_text(script, encoding="utf-8")
    _write(site, pages, {"site.css": digest(sheet), "site.js": digest(script)})
    _clear(site)
    (static / SEARCH).write_text(_unindented((BROWSER / SEARCH).read_text(encoding="utf-8")), encoding="utf-8")


def finish_anew(site: Path, published: Path) -> None:
    """Finish a few pages that take their place in a published site, with the style sheet and the script of that."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    _move_landing_page(site, pages, moves=(published / LANDING).exists())
    shared = {name: file_digest(published / "_static" / name) for name in ("site.css", "site.js")}
    _write(site, {path: _lean(text) for path, text in pages.items()}, shared)


def _write(site: Path, pages: dict[Path, str], shared: dict[str, str]) -> None:
    """Write pages with what they share, which is named with the beginning of its digest."""
    marks = {name: known[:8] for name, known in shared.items()}
    for path, text in pages.items():
        path.write_text(secured(_with_shared(text, site, path, marks)), encoding="utf-8")


def _unindented(script: str) -> str:
    """A script without indents and without comments on lines of their own, licences apart: a fifth of its weight."""
    return re.sub(r"^[ \t]*/\*(?!!).*?\*/[ \t]*\n|^[ \t]+", "", script, flags=re.DOTALL | re.MULTILINE)


def _scripts(site: Path) -> list[Path]:
    static = site / "_static"
    return [
        path for path in (static / "togglebutton.js", BROWSER / "page.js", static / "memory-wall.js") if path.exists()
    ]


def _move_landing_page(site: Path, pages: dict[Path, str], *, moves: bool) -> None:
    """Where the landing page moves to the root, it does if it is among these pages, and all of them point there."""
    landing = site / LANDING
    if landing in pages:
        pages[site / "index.html"] = moved_up(pages[landing])
    if moves:
        pages |= {page: _pointing_up(page, text) for page, text in pages.items()}
    if landing not in pages:
        return
    canonical = CANONICAL.search(pages[site / "index.html"])
    own = canonical[1] if canonical else "../index.html"
    pages[landing] = templates.page("redirect", title=citation.TITLE, own=own)


def _pointing_up(page: Path, text: str) -> str:
    text = re.sub(r'(href="(?:\.\./)*)chapters/index\.html', r"\1index.html", text)
    return re.sub(r'href="index\.html', 'href="../index.html', text) if page.parent.name == "chapters" else text


def moved_up(text: str) -> str:
    """A page of ``chapters/`` as it reads at the site's root."""

    def shifted(match: re.Match[str]) -> str:
        name, address = match[1], match[2]
        if re.match(r"[a-z]+:|#|/", address) or not address:
            return match[0]
        return f'{name}="{os.path.normpath(os.path.join("chapters", address))}"'

    text = ADDRESSES.sub(shifted, text)
    return text.replace('href="chapters/index.html', 'href="index.html').replace(
        'data-content_root="."', 'data-content_root="./"'
    )


def _themed(text: str) -> bool:
    return "pst-skip-link" in text


def _lean(text: str) -> str:
    """A page without the theme's scripts, icons and leavings."""
    if not _themed(text):
        return text
    # Code that is scrolled is reached with the keyboard.
    text = text.replace(*SIDEBAR).replace("<pre>", '<pre tabindex="0">')
    text = ICON.sub(_icon, ADVERTISEMENT.sub("", text))
    return text if SECTIONS in text else text.replace(ARTICLE, f"{ARTICLE[:-1]} mw-alone{ARTICLE[-1:]}", 1)


def _icon(found: re.Match[str]) -> str:
    _, before, name, after, attributes = found.groups()
    classes = " ".join([*before.split(), "mw-icon", *(word for word in after.split() if not word.startswith("fa-"))])
    attributes = re.sub(r'\s+title="[^"]*"', "", attributes)
    lines, _, filled = ICONS.get(name, "").partition("|")
    drawing = f'<path d="{lines}"/>' + (f'<path fill="currentColor" d="{filled}"/>' if filled else "")
    return f'<svg class="{classes}"{attributes} viewBox="0 0 24 24" aria-hidden="true">{drawing}</svg>'


def _sheet(site: Path, pages: dict[Path, str], script: str) -> str:
    """The style sheet of all pages: those of the theme and the book's own, in the order pages name them, as far as they are used."""
    links = [link for page in pages.values() if _themed(page) for link in SHEET.findall(page)]
    ordered = dict.fromkeys(name for link in links for name in re.findall(r'href="[^"]*?_static/([^"?]+)', link))
    text = "\n".join(_moved_sheet(site, name) for name in ordered)
    named = stylesheet.names(text)
    present = (
        named & _present(pages, script) | {name for name in named if name.startswith(OWN_NAMES)} | _elements(pages)
    )
    text = CORE_FONT.sub(lambda found: f"url({_carried(site / '_static' / found[1])})", text)
    key = f"{code_of(STYLING)} {digest(text)} {digest(' '.join(sorted(present)))}"
    return Store("sheets").made(key, lambda: stylesheet.pruned(text, present, ICON_FONT).encode()).decode()


def _carried(path: Path) -> str:
    return f"data:font/woff2;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _moved_sheet(site: Path, name: str) -> str:
    """A style sheet as it reads in ``_static`` itself, with those it imports."""
    folder = os.path.dirname(name)

    def imported(found: re.Match[str]) -> str:
        return _moved_sheet(site, os.path.normpath(os.path.join(folder, found[1])))

    text = IMPORT.sub(imported, (site / "_static" / name).read_text(encoding="utf-8"))
    return re.sub(
        r"url\((['\"]?)(?!data:|#|['\"])", lambda found: f"url({found[1]}{folder}/" if folder else found[0], text
    )


def _present(pages: dict[Path, str], script: str) -> set[str]:
    values = {value for text in pages.values() for pattern in NAMED for value in pattern.findall(text)}
    found = {word for value in values for word in " ".join(value).split()}
    return found | set(re.findall(r"[A-Za-z][\w-]+", script + "".join(_later()))) | VEGA


def _later() -> list[str]:
    """The scripts that come to a page later, and what they make of it."""
    return [(BROWSER / name).read_text(encoding="utf-8") for name in ("draw.js", SEARCH)]


OWN_NAMES = "mw-"
"""Begins the classes of the book's own: they stay where no page has them yet, so that what one run shows changes no page of another."""
VEGA = {"vega-embed", "vega-bindings", "vega-bind", "vega-bind-name", "vega-bind-radio", "marks", "role-axis-label"}
"""Classes that Vega gives to what it draws."""


def _elements(pages: dict[Path, str]) -> set[str]:
    return {name for text in pages.values() for name in re.findall(r"<([a-z][a-z0-9]*)", text)} | {
        "dialog",
        "svg",
        "input",
        "select",
        "option",
        "mark",
    }


def _with_shared(text: str, site: Path, path: Path, marks: dict[str, str]) -> str:
    if not _themed(text):
        return text
    root = "../" * (len(path.relative_to(site).parts) - 1)
    text = INLINE.sub("", HEAD.sub("", text))
    charts = f' data-charts="{root}_static/memory-wall-vega.js"' if "mw-chart" in text else ""
    shared = f'<script>{MODE}</script><link rel="icon" href="{root}_static/icon.svg">'
    shared += f'<link rel="stylesheet" href="{root}_static/site.css?v={marks["site.css"]}">'
    shared += f'<script defer src="{root}_static/site.js?v={marks["site.js"]}"{charts}></script>'
    if path.name == "search.html":
        shared += f'<script defer src="{root}_static/{SEARCH}" data-index="{root}{SEARCH_INDEX} {root}{SEARCH_ROWS}"></script>'
    return text.replace("</title>", f"</title>{shared}", 1)


def _clear(site: Path) -> None:
    """Take away what no reader needs."""
    static = site / "_static"
    for path in [site / name for name in UNUSED] + [
        path for path in static.iterdir() if path.name not in (*OWN, "site.css", "site.js")
    ]:
        _remove(path)


def _remove(path: Path) -> Any:
    return shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
