"""The tables behind the book, on one page."""
