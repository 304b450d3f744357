"""The dock Train: runs in a queue, and how they go."""
