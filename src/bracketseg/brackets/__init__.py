"""What a bracket is, and how it comes off a disk."""
