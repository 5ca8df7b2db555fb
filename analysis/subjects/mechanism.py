"""Pictures of how a thing works: what holds the weights, what they pass through, and what comes out, with real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from analysis.figures import Published, markup

WIDTH, HEIGHT, BOX, LINE = 420, 120, 134, 20
"""In units of the drawing, which a phone shows at nearly its own size."""


def picture(name: str, *, source: Sequence[str], passage: Sequence[str], sink: Sequence[str], said: str) -> Published:
    """Two boxes and an arrow from one to the other.

    source, sink  lines of the boxes, the first of each its name
    passage       lines above and below the arrow; said: the same as a sentence, for who does not see it
    """
    left, right = BOX / 2 + 1, WIDTH - BOX / 2 - 1
    above, *below = passage
    texts = [
        _box(left, source), _box(right, sink), _text(WIDTH / 2, HEIGHT / 2 - 16, above, "mw-how-name"),
        *(_text(WIDTH / 2, HEIGHT / 2 + 26 + LINE * place, line) for place, line in enumerate(below)),
    ]  # fmt: skip
    tip, middle = WIDTH - BOX - 4, HEIGHT / 2
    arrow = f'<path d="M{BOX + 4} {middle - 5}H{tip - 12}v-5L{tip} {middle}L{tip - 12} {middle + 10}v-5H{BOX + 4}z"/>'
    drawn = f'<svg class="mw-how" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="how-{name}">'
    return markup(f"how-{name}", f'{drawn}<title id="how-{name}">{escape(said)}</title>{arrow}{"".join(texts)}</svg>')


def _box(middle: float, lines: Sequence[str]) -> str:
    top = HEIGHT / 2 - LINE * (len(lines) - 1) / 2 + 5
    texts = (
        _text(middle, top + LINE * place, line, "" if place else "mw-how-name") for place, line in enumerate(lines)
    )
    return f'<rect x="{middle - BOX / 2}" y="1" width="{BOX}" height="{HEIGHT - 2}" rx="8"/>{"".join(texts)}'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(text)}</text>'
