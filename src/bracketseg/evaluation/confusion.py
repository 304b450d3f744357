"""The four counts behind every metric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import LabelingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Pixels of a prediction counted against a reference.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True and false positives, false and true negatives, in pixels.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def total(self) -> int:
        """All pixels."""
        return self.tp + self.fp + self.fn + self.tn


def confusion(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> Confusion:
    """Count the pixels of a prediction against a reference.

    Parameters
    ----------
    reference, prediction : (H, W) bool
        Masks of the same shape, with at least one pixel.

    Raises
    ------
    LabelingError
        If the shapes differ or there is no pixel.

    Examples
    --------
    >>> import numpy as np
    >>> confusion(np.array([[True, True, False]]), np.array([[True, False, False]]))
    Confusion(tp=1, fp=0, fn=1, tn=1)
    """
    if reference.shape != prediction.shape or reference.size == 0:
        raise LabelingError(
            f"the reference is {reference.shape} and the prediction {prediction.shape}: masks "
            "must have one size to be compared. Make both from the same frames."
        )
    tp = int(np.count_nonzero(reference & prediction))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(reference)) - tp
    return Confusion(tp=tp, fp=fp, fn=fn, tn=reference.size - tp - fp - fn)
