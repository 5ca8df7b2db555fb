"""Tests of the equations, one file per subject, and three tests that hold for all of them."""
