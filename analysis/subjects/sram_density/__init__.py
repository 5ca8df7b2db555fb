"""Chapter 2: how much memory fits on a chip."""
