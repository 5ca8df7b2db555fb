"""ZIP archives of the same bytes everywhere (APPNOTE.TXT 6.3.10, PKWARE, §§ 4.3 and 4.4): no times, no host, and one compressor.

Python's zipfile compresses with the zlib that it meets, and those differ; zlib-ng comes as part of its package (``pictures/pixels.py``).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZIP_STORED
from zlib import crc32

from zlib_ng import zlib_ng

EFFORT, RAW = 6, -15
"""How hard zlib-ng tries, of 9; and without the head and foot of zlib, as members of archives are."""
WORTH = 0.9
"""What does not become this short is stored: a picture is compressed already."""
LOCAL, CENTRAL, END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
VERSION, UNIX = 20, 3
UTF_8, LONG_AGO = 1 << 11, (0, 1 << 5 | 1)
"""How names are written; and midnight of 1 January 1980, from which ZIP counts."""
READABLE = 0o100644 << 16
"""A file that its owner may write and everybody may read."""


def deflated(content: bytes) -> bytes:
    """What stands in an archive for a file that is compressed there."""
    packer = zlib_ng.compressobj(EFFORT, zlib_ng.DEFLATED, RAW)
    return bytes(packer.compress(content) + packer.flush())


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of files in their order."""
    parts, listed, place = [], [], 0
    for name, content in files.items():
        packed, kept = deflated(content), name.encode()
        is_worth = len(packed) < WORTH * len(content)
        body, method = (packed, ZIP_DEFLATED) if is_worth else (content, ZIP_STORED)
        told = (VERSION, UTF_8, method, *LONG_AGO, crc32(content), len(body), len(content), len(kept), 0)
        parts += [struct.pack(LOCAL, b"PK\3\4", *told) + kept, body]
        listed.append(struct.pack(CENTRAL, b"PK\1\2", UNIX << 8 | VERSION, *told, 0, 0, 0, READABLE, place) + kept)
        place += len(parts[-2]) + len(body)
    count, size = len(listed), sum(map(len, listed))
    return b"".join([*parts, *listed, struct.pack(END, b"PK\5\6", 0, 0, count, count, size, place, 0)])
