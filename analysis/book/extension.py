"""The Sphinx extension of the book, under the name that ``_config.yml`` gives it."""

from analysis.book.pages.extension import setup

__all__ = ["setup"]
