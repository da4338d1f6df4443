"""How items may be written down. Every format yields the same `Item`s."""
