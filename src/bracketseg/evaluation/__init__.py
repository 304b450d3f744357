"""Masks held against masks: the metrics and tables of the paper."""
