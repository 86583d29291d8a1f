"""The process of one task: how user code is found, called and served, and what an adapter gets for it."""
