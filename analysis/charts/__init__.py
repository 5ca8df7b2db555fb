"""Kinds of charts: they draw the table they are given and compute nothing."""

from altair.utils import schemapi

# A chart is checked against its schema when it is published, whole; checking each of its parts as well while they are put
# together finds nothing more and takes a tenth of a chapter's time.
schemapi.DEBUG_MODE = False
