"""Brackets for File > Open Sample."""

from importlib.resources import files
from pathlib import Path

from bracketseg._napari.layers.reader import LayerData, bracket_layers
from bracketseg.brackets.layouts import find_brackets

LARGE = "garden_gate"
SMALL = "hotel_chair"


def large_bracket() -> list[LayerData]:
    """Open a bracket that is large enough to look at: 1024x640, a fence against the light."""
    return _sample(LARGE)


def small_bracket() -> list[LayerData]:
    """Open a small bracket that is quick to work on: 448x298, a chair beside a window."""
    return _sample(SMALL)


def _sample(scene: str) -> list[LayerData]:
    folder = Path(str(files("bracketseg") / "sample_data" / "brackets" / scene))
    return bracket_layers(find_brackets(folder).brackets[0])
