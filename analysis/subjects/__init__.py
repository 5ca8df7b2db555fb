"""The subjects of the book: the only list of them, in the order of its pages.

For each a folder: ``derived`` (the data of its figures: tables in, equations applied, one table out), ``charts`` (how each is
drawn), ``findings`` (numbers and sentences for prose) and ``claims`` (the rules of its claims), as far as it has them.
"""

SUBJECTS = (
    "index", "memory_wall", "sram_density", "dram_capacity", "storage_io", "server_batching", "time_to_first_token", "validation",
    "answers", "claims", "data",
)  # fmt: skip
