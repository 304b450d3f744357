"""The Fusion dock: the picture that a bracket and its masks make."""
