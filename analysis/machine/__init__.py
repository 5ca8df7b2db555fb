"""This machine: described, measured, and what it can run."""
