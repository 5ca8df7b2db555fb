"""Floor 3: from chapters and data to a published site."""
