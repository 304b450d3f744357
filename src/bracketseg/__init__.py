"""Find, label and learn the well-exposed regions of exposure brackets."""

__version__ = "0.1.0"
