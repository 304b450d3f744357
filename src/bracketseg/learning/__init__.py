"""From masks to a network and back. The only package that imports torch."""
