"""What a language model asks the book: lookups in a built site, and the server that answers them over the Model Context Protocol."""
