"""A built site as other media: PDF, EPUB and MyST, each from the same chapter bodies."""
