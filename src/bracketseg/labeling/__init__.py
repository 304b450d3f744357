"""From luma to masks: ranges, Otsu, annotators, coverage and the labelling folder."""
