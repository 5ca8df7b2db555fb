"""Numbers that follow from a definition, each with its unit in its name.  Everything measured is data."""

import math

BIT_PER_BYTE = 8
FLOP_PER_PARAM_PER_TOKEN = 2
"""A weight is multiplied with an activation and added to a sum: two operations."""
MULTIPLY_ADD_FLOP = 2
RETICLE_LIMIT_MM2 = 26 * 33
"""The largest field a lithography scanner exposes at once: 26 mm by 33 mm."""
WAFER_AREA_MM2 = math.pi * 150**2
"""A wafer of 300 mm."""
