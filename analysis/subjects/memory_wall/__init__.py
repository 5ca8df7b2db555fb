"""Chapter 1: memory bandwidth."""
