"""Chapter 5: many users on one server."""
