"""Write the headline findings into README.md from the data: ``python scripts/readme.py``.  A test keeps them fresh."""

from __future__ import annotations

import re

from analysis import tables
from analysis.assumptions import Parameters
from analysis.book.inputs import parameters
from analysis.claims import board
from analysis.subjects import claims
from analysis.subjects.index import findings as index
from analysis.subjects.server_batching import findings as server_batching
from analysis.subjects.sram_density import findings as sram_density
from analysis.subjects.storage_io import findings as storage_io

README = tables.REPOSITORY / "README.md"
BEGIN, END = "<!-- findings: written by scripts/readme.py -->", "<!-- end of findings -->"


def findings() -> list[str]:
    """The findings as sentences, each number computed with the default parameters."""
    package, given = tables.package(), Parameters(parameters.defaults())
    chapters = (index, sram_density, storage_io, server_batching)
    known = {value.id: value.as_dict()["text"] for chapter in chapters for value in chapter.values(package, given)}
    found = claims.evaluate(package, given)
    return [
        f"At {given.reading_speed_word_per_min:g} words per minute an iPhone 14 runs at most "
        f"{known['index-iphone-14-limit-fp16']} in FP16 and {known['index-iphone-14-limit-q4-k-m']} in Q4_K_M, at its full bandwidth; "
        f"with {known['index-article-share']}, {known['index-iphone-14-fp16']} in FP16 and {known['index-iphone-14-int4']} at a bare "
        "four bits.",
        f"In Q4_K_M at that pace {known['index-largest-shown']}.",
        f"LLaMA 7B at that pace would use {known['index-compute-used']} of the phone's neural processor; of {known['index-devices']} "
        f"devices, at their full bandwidth, {known['index-which-binds']}.",
        f"100 mm² of bare 3 nm SRAM cells hold {known['sram-density-n3-bare']}; LLaMA 7B in FP16 would take "
        f"{known['sram-density-area-fp16-bare']} of them.",
        f"The fastest drive in the data streams LLaMA 7B in int4 at {known['storage-io-fastest-int4']}; reading wants "
        f"{known['storage-io-reading-rate']}.",
        f"In the article's own server example reading the weights takes at least {known['server-batching-weight-share']} "
        f"of a step, {known['server-batching-wall']}.",
        f"Of the article's {len(found)} claims, {board.summary(found)}.",
    ]


def block() -> str:
    """The generated part of the README."""
    return BEGIN + "\n" + "\n".join(f"- {finding}" for finding in findings()) + "\n" + END


def written(text: str) -> str:
    """``text`` with the generated part brought up to date."""
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block(), text, flags=re.DOTALL)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
