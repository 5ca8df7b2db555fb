"""How long a prompt, an answer and a turn take, what they cost in energy, and how many agents a device carries."""
