"""Chapter 4: streaming weights from storage."""
