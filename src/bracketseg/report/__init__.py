"""The report on an experiment, from the runs, masks and brackets on a disk; without torch."""
