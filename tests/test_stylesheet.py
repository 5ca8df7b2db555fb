"""The style sheet of the pages keeps what they use, and only that."""

from __future__ import annotations

import re

import pytest

from analysis.book.pages.stylesheet import names, parsed, pruned

PRESENT = {"a", "nav", "p", "here", "also"}
UNWANTED = re.compile(r"icon-font")


@pytest.mark.parametrize(
    ("sheet", "left"),
    [
        (".here{color:red}.gone{color:blue}", ".here{color:red}"),
        (".here > p , .gone p{margin:0}", ".here > p{margin:0}"),
        ("video{width:1px}nav a:hover{width:2px}", "nav a:hover{width:2px}"),
        ("p:not(.gone){top:0}", "p:not(.gone){top:0}"),
        (".here:is(.gone, p){top:0}", ".here:is(.gone, p){top:0}"),
        (r".also\:wide{top:0}", ""),
        ("p{color:red!important;}", "p{color:red!important}"),
        ("@media (min-width: 9px){.gone{top:0}.here{top:1px}}", "@media (min-width: 9px){.here{top:1px}}"),
        ("@media print{.gone{top:0}}", ""),
        (":root{--used:1px;--idle:2px}p{top:var(--used)}", ":root{--used:1px}\np{top:var(--used)}"),
        (":root{--one:var(--two);--two:3px}", ""),
        ("@font-face{font-family:Idle;src:url(x)}p{top:0}", "p{top:0}"),
        ('@font-face{font-family:"Used";src:url(x)}p{font-family:Used}', '@font-face{font-family:"Used";src:url(x)}\np{font-family:Used}'),
        ("@keyframes idle{from{top:0}to{top:1px}}", ""),
        ("@keyframes turn{from{top:0}to{top:1px}}p{animation:turn 1s}", "@keyframes turn{from{top:0}to{top:1px}}\np{animation:turn 1s}"),
        ("@keyframes turn{12.5%{top:0}}p{animation:turn 1s}", "@keyframes turn{12.5%{top:0}}\np{animation:turn 1s}"),
        ("/* .gone, icon-font */p{top:0}", "p{top:0}"),
        ("/* .gone */.here{top:0}", ".here{top:0}"),
        (".gone:is(.here, p),.gone p{top:0}", ""),
        ("p{font-family:icon-font}a{top:0}", "a{top:0}"),
        ('@charset "utf-8";@import "x.css";/* words { } */p{top:0}', "p{top:0}"),
        ('p{background:url("data:image/svg+xml;a{b},c")}', 'p{background:url("data:image/svg+xml;a{b},c")}'),
    ],
)  # fmt: skip
def test_what_is_left(sheet: str, left: str) -> None:
    assert pruned(sheet, PRESENT, UNWANTED) == left


def test_names_and_rules() -> None:
    assert names(".one #two.th\\:ree{}") == {"one", "two", "th:ree"}
    assert [rule.selectors for rule in parsed("a,b:is(c,d){top:0}")] == [("a", "b:is(c,d)")]


def test_an_unclosed_rule_loses_nothing_before_it() -> None:
    assert pruned("p{top:0}a{left:0", PRESENT, UNWANTED) == "p{top:0}\na{left:0}"
