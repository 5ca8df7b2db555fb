"""The pictures of charts: laid out, rendered, kept, framed."""
