"""The site's own address, as ``--address`` gives it: it stands in links, feed and map, so it is judged before anything runs."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from analysis.errors import InputError, Problem

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"(?:{LABEL}\.)*{LABEL}\.?", re.IGNORECASE)
PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
"""Segments of a path (RFC 3986, § 3.3) without the apostrophe, which ends an attribute in some pages, and without . and .."""
FOREIGN = re.compile(r"[^!-~]|[\"'<>\\^`{|}]")
LONGEST = 2000
EXPECTED = "an address as https://example.org/book"


def required(given: str) -> str:
    """The address without a slash at its end, empty where none is given; raises InputError where it is none of a site."""
    if given and (reason := _wrong(given)):
        shown = given if len(given) <= 80 else f"{given[:80]}…"
        raise InputError([Problem(file="--address", found=repr(shown), expected=EXPECTED, todo=reason)])
    return given.rstrip("/")


def _wrong(given: str) -> str:
    """What is wrong with it, as one sentence; empty where nothing is."""
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return f"It cannot be read: {error}."
    wrong = {
        f"It has more than {LONGEST} characters.": len(given) > LONGEST,
        "It has a character that no address has as it is: write it as % and two digits, a host with xn--.": FOREIGN.search(
            given
        ),
        "Leave out what begins with ? or #: pages are added at its end.": re.search(r"[?#]", given),
        "It begins with https:// or http://.": parts.scheme not in ("http", "https"),
        "Leave out user and password: everybody would read them.": "@" in parts.netloc,
        "Its host is not the name of one.": not _is_host(host, parts.netloc) or port == 0,
        "Its path is not one.": not PATH.fullmatch(parts.path),
    }
    return next((said for said, found in wrong.items() if found), "")


def _is_host(host: str, place: str) -> bool:
    if place.startswith("["):
        try:
            IPv6Address(host)
        except ValueError:
            return False
        return True
    return bool(HOST.fullmatch(host)) and len(host) <= 253 and not place.endswith(":")
