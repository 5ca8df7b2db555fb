"""The theme's templates, compiled once and kept between builds."""

from __future__ import annotations

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sphinx.application import Sphinx

from analysis.book.store.cache import Store


class Kept(BytecodeCache):
    """Compiled templates in the store of this package: a damaged entry is not there, where Jinja's own would be executed."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket, which itself looks whether what it is given is of its source and of this Python."""
        if (found := Store("templates").get(_key(bucket))) is not None:
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        Store("templates").put(_key(bucket), bucket.bytecode_to_string())


def _key(bucket: Bucket) -> str:
    return f"{bucket.key} {bucket.checksum}"


def keep(app: Sphinx) -> None:
    """Let the builder's templates be kept."""
    if app.builder.format == "html":
        app.builder.templates.environment.bytecode_cache = Kept()
