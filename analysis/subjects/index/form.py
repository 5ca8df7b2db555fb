"""The form "can mine run it?" on the landing page: readable without scripts for one device and one model, alive with them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from analysis.figures import Published, markup
from analysis.model import ask, browser, memory_limits, names, predict, telling, wording
from analysis.tables import DataPackage

DEVICE, MODEL = "rtx-3060-12gb", "qwen3-8b"
"""What is answered before anybody asks: a card and a model that many people have."""
CHANNELS = (1, 2, 4, 6, 8, 12)
CONTEXTS = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
PROMPTS = (128, 512, 2048, 4096, 16384, 32768)
OWN_STACKS = {
    "cpu": "processor",
    "cuda": "NVIDIA card",
    "metal": "Mac",
    "rocm": "AMD card, ROCm",
    "vulkan": "card, Vulkan",
}
"""Software stack → how a reader calls what runs it."""


def form(package: DataPackage, reading_token_per_s: float, edition: str) -> Published:
    """The form with its first answer, and the script that answers all others."""
    given = _first(package)
    answer = ask.answered(
        ask.Question(given, {"context_token": "4096", "prompt_token": "512"}), package.folder, edition
    )
    said = [line for line in telling.sentences(answer, reading_token_per_s) if line]
    called = {"device": package.row("devices", given[0])["name"], "model": package.row("models", given[1])["name"]}
    engine = f"{answer['engine']}, {answer['backend']}"
    html = _html(called, said, engine, _kinds_of_memory(package))
    return markup(browser.PIECE, html, script(package.folder, reading_token_per_s, edition))


def _first(package: DataPackage) -> tuple[str, str]:
    """The device and the model of the first answer: those above, or the first that an analyst's tables have in their place."""
    devices, models = ask.runnable("", package.folder), package.table("models")
    known = list(models.loc[models["n_layer"].notna(), "model_id"])
    return DEVICE if DEVICE in devices else devices[0], MODEL if MODEL in known else known[0]


def _kinds_of_memory(package: DataPackage) -> list[str]:
    """Memory of a channel's width that devices of the book have, as people name it: DDR5-5600."""
    rows = package.raw("devices")[["memory_type", "memory_data_rate_mtransfer_per_s"]].dropna()
    kinds = {f"{kind}-{rate:g}" for kind, rate in rows.itertuples(index=False)}
    return sorted(kind for kind in kinds if re.fullmatch(ask.MEMORY_TYPE, kind))


def script(folder: Path, reading_token_per_s: float, edition: str) -> str:
    """The arithmetic as Python wrote it down, its numbers, and what moves the form."""
    usual = names.number_format(ask.DEFAULT_FORMAT, folder)
    given = browser.told(folder, beside={
        "limits": {stack: _limits(stack, folder) for stack in OWN_STACKS}, "reading": reading_token_per_s, "expert": predict.EXPERT_FORMAT,
        "memoryType": ask.MEMORY_TYPE, "channelByte": ask.CHANNEL_BYTE,
        "usual": {"format": usual.format_id, "context": int(ask.DEFAULT_CONTEXT), "prompt": int(ask.DEFAULT_PROMPT)},
        "words": telling.WORDS | {"cite": f"The Memory Wall, edition {edition}."}, "variants": sorted(wording.VARIANTS),
    })  # fmt: skip
    moving = (Path(__file__).parent / "browser" / "ask.js").read_text(encoding="utf-8")
    return f"(() => {{\n{browser.script()}const GIVEN = {given};\n{moving}}})();\n"


def _limits(stack: str, folder: Path) -> list[list[float]]:
    """What one program may take of own memory: from so many GiB on, the shares and what the system keeps, as ``memory_limits`` has them."""
    system = memory_limits.OF_STACK.get(stack, "video")
    reserve = memory_limits.DEFAULT_RESERVE_GIBYTE * predict.GIBYTE
    return [
        [limit.memory_from_byte / predict.GIBYTE, limit.low_share, limit.limit_share, limit.high_share,
         *(reserve if math.isnan(kept) else kept for kept in (limit.reserve_low_byte, limit.reserve_byte, limit.reserve_high_byte))]
        for limit in memory_limits.filed(folder).rows[system]
    ]  # fmt: skip


def _html(called: dict[str, str], said: list[str], engine: str, kinds: list[str]) -> str:
    own = "".join(f'<option value="{stack}">{escape(name)}</option>' for stack, name in OWN_STACKS.items())
    lines = "".join(f"<p>{escape(line)}</p>" for line in said)
    head = f"{called['model']} in {ask.DEFAULT_FORMAT} on {called['device']}"
    return (
        f'<form id="mw-ask" class="mw-ask" data-script="../pieces/{browser.PIECE}.js" aria-label="Can mine run it?" autocomplete="off">'
        '<div class="mw-ask-fields">'
        f'{_text("device", "Your device", called["device"], "devices")}{_text("model", "Model", called["model"], "models")}'
        f'<label>Format <select data-ask="format"><option value="q4-k-m" selected>{ask.DEFAULT_FORMAT}</option></select></label>'
        f'{_choice("context", "Context", CONTEXTS, 4096)}{_choice("prompt", "Prompt", PROMPTS, 512)}</div>'
        '<details data-ask="own" class="mw-ask-own"><summary>My device is not there: its own numbers</summary><div class="mw-ask-fields">'
        '<label>Bandwidth, GB/s <input data-ask="bandwidth" type="number" min="1" max="20000" step="any" value="89.6"></label>'
        '<label>Memory, GiB <input data-ask="memory" type="number" min="1" max="2048" step="any" value="16"></label>'
        f'<label>It is a <select data-ask="stack">{own}</select></label></div><div class="mw-ask-fields">'
        f'{_text("type", "Or: kind of memory", "", "kinds", kinds)}{_choice("channels", "Channels", CHANNELS, 2)}'
        "</div></details>"
        f'<div data-ask="answer" class="mw-ask-answer" aria-live="polite"><p class="mw-ask-head">{escape(head)}</p>{lines}</div>'
        '<div data-ask="more" class="mw-ask-more">'
        '<div class="mw-ask-bar" data-ask="memory-bar" role="img" aria-label="What of the memory a program may take is used"></div>'
        '<p class="mw-ask-key" data-ask="memory-key"></p>'
        '<div class="mw-ask-axis" data-ask="speed-axis" role="img" aria-label="Tokens per second on a logarithmic scale"></div>'
        f'<p class="mw-note">Engine: <span data-ask="engine">{engine}</span>. Band: 80 % of such runs; dashed: the limit. '
        'What sets the wait: <a href="time_to_first_token.html">How long do I wait?</a></p>'
        '<details><summary>What else runs on it</summary><div class="mw-table-scroll" data-ask="runs"></div></details>'
        '<details><summary>Which devices run this</summary><div class="mw-table-scroll" data-ask="run-by"></div></details>'
        '<button type="button" class="mw-copy" data-ask="cite">Copy the answer with its citation</button></div>'
        "<noscript><style>.mw-ask-fields, .mw-ask-own, .mw-ask-more { display: none; }</style>"
        "<p>Without scripts, this is the answer for one device; "
        "<code>memory-wall ask</code> answers for all.</p></noscript></form>"
    )  # fmt: skip


def _text(name: str, label: str, value: str, choices: str, known: Sequence[str] = ()) -> str:
    hint = f' placeholder="{known[-1]}"' if known else ""
    given = f'value="{escape(value, quote=True)}" spellcheck="false"{hint}'
    options = "".join(f'<option value="{escape(one, quote=True)}">' for one in known)
    return (
        f'<label>{label} <input data-ask="{name}" list="mw-ask-{choices}" {given}></label>'
        f'<datalist id="mw-ask-{choices}" data-ask="{choices}">{options}</datalist>'
    )


def _choice(name: str, label: str, choices: tuple[int, ...], chosen: int) -> str:
    options = "".join(
        f'<option value="{one}"{" selected" if one == chosen else ""}>{one:,}</option>' for one in choices
    )
    return f'<label>{label} <select data-ask="{name}">{options}</select></label>'
