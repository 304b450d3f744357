"""A predicted mask as the beginning of a correction, in memory and on a disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.records import Network
from bracketseg.labeling.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """A mask that a network predicted, which strokes go on top of.

    Attributes
    ----------
    origin : Network
    mask : (H, W) bool
        Copied, and read-only.

    Raises
    ------
    LabelingError
        If the mask is of another type, or has no pixel.
    """

    origin: Network
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Keep a copy that nobody else can change."""
        mask = self.mask
        if mask.ndim != 2 or mask.dtype != np.bool_ or mask.size == 0:
            raise LabelingError(
                f"a predicted mask is (height, width) of bool, but this is {mask.dtype} of the "
                f"shape {mask.shape}"
            )
        mask = mask.copy()
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prediction):
            return NotImplemented
        return self.origin == other.origin and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash(self.origin)


Basis = Rule | Prediction
"""What strokes go on top of: a rule on the luma, or a prediction."""


def prediction_name(scene: str, role: MaskRole) -> str:
    """File name of the prediction that a person corrected.

    >>> prediction_name("0000", "low")
    '0000_low_prediction.png'
    """
    return f"{scene}_{role}_prediction.png"


def read_prediction(path: Path) -> NDArray[np.bool_] | None:
    """Read the prediction that a person corrected; None where there is no file.

    Raises
    ------
    LabelingError
        If it is there and is no mask.
    """
    return read_mask(path) if path.is_file() else None


def write_prediction(path: Path, mask: NDArray[np.bool_] | None) -> None:
    """Write a prediction; no file is left where there is none.

    Raises
    ------
    LabelingError
        If the file cannot be written or removed.
    """
    if mask is not None:
        write_mask(path, mask)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabelingError(
            f"{path}: cannot be removed ({error.strerror or error}), and nothing begins from it "
            "any more. Remove it."
        ) from error
