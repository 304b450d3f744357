"""The pixels of a picture in the order of their probability."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import LabelingError

_STORED_MAX = 65535


class Ranking:
    """Sorts the pixels by their probability once, and answers from that what is counted.

    Nothing is rounded: two pixels are tied only where their probabilities are equal.

    Parameters
    ----------
    reference : (H, W) bool
    probability : (H, W) uint16 or float
        uint16 stands for ``p / 65535`` in single precision, as it is stored.

    Attributes
    ----------
    positives, negatives : int
        Pixels of the two classes of the reference.

    Raises
    ------
    LabelingError
        If the shapes differ or a probability is no number.
    """

    def __init__(self, reference: NDArray[np.bool_], probability: NDArray[np.generic]) -> None:
        if reference.shape != probability.shape:
            raise LabelingError(
                f"the reference is {reference.shape} and the probability {probability.shape}: "
                "they must have one size to be compared. Predict the frames of this scene again."
            )
        self._values: NDArray[Any] | None = None
        # One number a pixel, the class in its last bit: sorting these is several times as
        # fast as ranking floats, and pixels of the background come first among equals.
        ranked = self._keys(probability) << np.uint32(1)
        ranked |= reference.ravel()
        ranked.sort()
        self._ranked = ranked
        self._places = np.flatnonzero(ranked & np.uint32(1))
        self.positives = self._places.size
        self.negatives = ranked.size - self.positives

    def area(self) -> float | None:
        """Give the area under the ROC curve, 0..1; None where there is one class only."""
        n = self.positives
        if not n or not self.negatives:
            return None
        not_above = int(self._places.sum()) - n * (n - 1) // 2
        ranked = self._ranked
        # Where the classes meet within one value.
        last = np.flatnonzero((ranked[1:] ^ ranked[:-1]) == 1)
        last = last[(ranked[last] & np.uint32(1)) == 0]
        value = ranked[last]
        background = last + 1 - np.searchsorted(ranked, value, "left")
        foreground = np.searchsorted(ranked, value | np.uint32(1), "right") - last - 1
        tied = int((background * foreground).sum())
        return (not_above - tied / 2) / (n * self.negatives)

    def at_least(
        self, thresholds: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count the pixels whose ``probability >= threshold``.

        Parameters
        ----------
        thresholds : (T,) float64
            From 0 upwards; compared in the number type of the probability. A pixel that
            equals one counts.

        Returns
        -------
        foreground, background : (T,) int64
            Pixels of the two classes of the reference: true and false positives.
        """
        below = np.searchsorted(self._ranked, self._key_of(thresholds) << np.uint32(1), "left")
        foreground = self.positives - np.searchsorted(self._places, below, "left")
        background = self._ranked.size - below - foreground
        return foreground.astype(np.int64), background.astype(np.int64)

    def _keys(self, probability: NDArray[np.generic]) -> NDArray[np.uint32]:
        """Give numbers below 2**31 in the order of the probabilities."""
        flat = probability.ravel()
        if flat.dtype == np.uint16:
            self._values = np.arange(_STORED_MAX + 1, dtype=np.float32) / np.float32(_STORED_MAX)
            return flat.astype(np.uint32)
        if flat.dtype == np.float16:
            flat = flat.astype(np.float32)
        floats = cast("NDArray[np.floating[Any]]", flat)
        if floats.size and not (np.isfinite(floats.min()) and np.isfinite(floats.max())):
            raise LabelingError(
                "the probability holds values that are no numbers. Predict this scene again."
            )
        if floats.dtype == np.float32 and (floats.size == 0 or floats.min() >= 0):
            # The bits of floats that are not negative are in the floats' order; adding 0
            # turns a negative zero into the other one.
            bits: NDArray[np.uint32] = (floats + np.float32(0)).view(np.uint32)
            return bits
        self._values, numbers = np.unique(floats, return_inverse=True)
        return np.asarray(numbers, np.uint32).ravel()

    def _key_of(self, thresholds: NDArray[np.float64]) -> NDArray[np.uint32]:
        if self._values is None:
            floats: NDArray[np.float32] = np.abs(thresholds.astype(np.float32))
            return floats.view(np.uint32)
        wanted = thresholds.astype(self._values.dtype)
        numbers = np.searchsorted(self._values, wanted, "left")
        return np.asarray(numbers).astype(np.uint32)
