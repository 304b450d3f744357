"""The names of the files in a run folder; this module imports no torch."""

CONFIG = "config.json"
SPLIT = "split.json"
HISTORY = "history.csv"
METRICS = "metrics.json"
ENVIRONMENT = "environment.json"

BEST = "best.safetensors"
"""The model: weights and description of the best epoch."""

LAST = "last.pt"
"""The state that a training goes on from."""

PREDICTIONS = "validation"
"""The folder of the masks that the model predicts for its validation scenes."""
