"""Chapter 3: how much memory devices have."""
