"""The models that the package brings; this module imports no torch."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bracketseg.brackets.bracket import MaskRole


def shipped_model(role: MaskRole) -> Path:
    """Return the file of the model that the package brings for one role.

    ``README.md`` beside it says what it was trained on and how good it is.

    Parameters
    ----------
    role : {"low", "high"}

    Returns
    -------
    Path
        For `bracketseg.learning.checkpoints.load_model`.
    """
    return Path(str(files("bracketseg") / "models" / f"{role}.safetensors"))
