"""Templates: the book's own, which escape whatever they are given, and the theme's; what was compiled is kept between builds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import BaseLoader, BytecodeCache, Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from markupsafe import Markup
from sphinx.application import Sphinx

from analysis.book.store.cache import Store

FOLDER = Path(__file__).parents[1] / "templates"


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


class Joined(FileSystemLoader):
    """Templates without their line breaks: those are for who reads a template, and not in the page."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The source in one line, to Jinja in as many as it has: errors name the right one."""
        source, file, unchanged = super().get_source(environment, template)
        return source.replace("\n", "{#\n#}"), file, unchanged


def escaped(value: object) -> Markup:
    """A value as it stands in HTML, which Markup is already; quotes as ``html.escape`` writes them, so that all pages spell them alike."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))  # noqa: S704 - escaped


@cache
def environment(loader: BaseLoader | None = None) -> Environment:
    """The book's own templates: what is given is escaped unless it is Markup, and what is not given is an error."""
    return Environment(
        loader=loader or Joined(FOLDER), autoescape=True, finalize=escaped, undefined=StrictUndefined, auto_reload=False
    )


@cache
def _template(name: str) -> Template:
    return environment().get_template(f"{name}.html")


def page(name: str, /, **given: object) -> str:
    """A template filled in, as a text for a file or for Sphinx."""
    return _template(name).render(given)


def piece(name: str, /, **given: object) -> Markup:
    """A template filled in, as what other templates take without escaping it again."""
    return Markup(_template(name).render(given))  # noqa: S704 - by a template that escapes
