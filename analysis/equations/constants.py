"""Numbers that follow from a definition, each with its unit in its name.  Everything measured is data."""

BIT_PER_BYTE = 8
FLOP_PER_PARAM_PER_TOKEN = 2
"""A weight is multiplied with an activation and added to a sum: two operations."""
MULTIPLY_ADD_FLOP = 2
