"""Brackets and masks as napari's layers: what they are called, how files become layers and back."""
