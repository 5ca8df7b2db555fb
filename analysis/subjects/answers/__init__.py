"""What every device runs, and what runs every model: pages of their own for the rows of two tables."""
