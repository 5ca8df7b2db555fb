"""From outputs to pages: Sphinx, templates, and what is done to finished pages."""
