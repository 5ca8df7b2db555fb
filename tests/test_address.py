"""The site's own address: what is none is refused, and what is one harms neither feed nor map."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.book.inputs import address
from analysis.book.record import editions
from analysis.errors import InputError
from tests.conftest import command

SOUND = {
    "": "", "https://example.org": "https://example.org", "https://example.org/": "https://example.org",
    "http://localhost:8000/a/b/": "http://localhost:8000/a/b", "https://xn--bcher-kva.example/~x/%C3%A9": "https://xn--bcher-kva.example/~x/%C3%A9",
    "HTTPS://Example.ORG/A&B": "HTTPS://Example.ORG/A&B", "http://[::1]:80/x": "http://[::1]:80/x", "http://127.0.0.1": "http://127.0.0.1",
}  # fmt: skip
NONE = (
    "example.org", "ftp://example.org", "//example.org", "https://", "https:///x", "https://?q", "https://example.org?q", "https://example.org/#x",
    "https://me@example.org", "https://me:word@example.org", "https://a b.org", "https://example.org/a b", 'https://example.org/"',
    "https://example.org/'", "https://example.org/<b>", "https://é.example", "https://example.org:port", "https://example.org:99999",
    "https://example.org:", "https://example.org:0", "https://-a.org", "https://a..org", "https://example.org/../x", "https://example.org/%zz",
    "https://[::1", "https://[x]", "javascript:alert(1)", "https://example.org/\n", "\thttps://example.org", "https://example.org/\x00",
    "https://example.org/\u202e", f"https://example.org/{'x' * 2000}", "https://exa_mple.org", " ", "https://example.org/\\x",
)  # fmt: skip


@pytest.mark.parametrize("given", SOUND)
def test_an_address(given: str) -> None:
    assert address.required(given) == SOUND[given]


@pytest.mark.parametrize("given", NONE, ids=ascii)
def test_none(given: str) -> None:
    with pytest.raises(InputError, match=r"--address: found .*; expected an address as https://example.org/book"):
        address.required(given)


def test_it_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    for verb in (("build",), ("release", "--edition", "2026.11")):
        done = command(*verb, "--address", 'https://example.org/"><script>', "--out", str(tmp_path / "site"))
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hostile", ["https://example.org/a&b", "https://example.org/\"'><x/>&"])
def test_feed_and_map_are_xml_whatever_the_address(tmp_path: Path, hostile: str) -> None:
    rows = [{"edition": '2026.11<"&', "date": "2026-11-22", "commit": "a'b"}]
    (tmp_path / "a&b.html").write_text("", encoding="utf-8")
    feed, places = (
        ElementTree.fromstring(editions.feed(rows, hostile)),
        ElementTree.fromstring(editions.sitemap(tmp_path, hostile)),
    )
    links = [link.get("href") for link in feed.iter("{http://www.w3.org/2005/Atom}link")]
    assert links[:2] == [f"{hostile}/feed.xml", f"{hostile}/"]
    assert [place.text for place in places.iter() if place.tag.endswith("loc")] == [f"{hostile}/a%26b.html"]
