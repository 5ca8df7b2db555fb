"""Two sites, editions or data folders, and what moved between them."""
