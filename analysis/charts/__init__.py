"""Kinds of charts: they draw the table they are given and compute nothing."""
