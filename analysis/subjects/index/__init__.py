"""The landing page: the answer in one table."""
