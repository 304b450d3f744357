"""The dock Metrics: masks against masks, of two layers or of two folders."""
