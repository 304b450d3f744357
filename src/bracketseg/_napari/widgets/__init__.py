"""Parts of a window, and work beside it, that know of no bracket."""
