"""How many pieces a region has."""

import cv2
import numpy as np
from numpy.typing import NDArray

BAND = 2**23
"""Pixels that are looked at together; they are numbered in 32 bits each."""


def count_pieces(region: NDArray[np.bool_], *, band: int = BAND) -> int:
    """Count the 8-connected pieces of a region, without numbering all of a large one at once.

    Parameters
    ----------
    region : (H, W) bool
    band : int
        The most pixels that are looked at together, if that is two rows or more.

    Examples
    --------
    >>> import numpy as np
    >>> count_pieces(np.array([[True, False], [False, True]]))
    1
    """
    height, width = region.shape
    rows = max(2, band // width)
    pieces, joined = 0, _Joined()
    above: NDArray[np.int32] | None = None
    # Bands share a row: what is one piece in either of them is one in both.
    for top in range(0, max(1, height - 1), rows - 1):
        part = np.ascontiguousarray(region[top : top + rows]).view(np.uint8)
        count, numbers = cv2.connectedComponents(part, connectivity=8)
        if above is not None:
            inside = above > 0
            pairs = np.stack([above[inside], numbers[0][inside] + pieces])
            for one, other in np.unique(pairs, axis=1).T.tolist():
                joined.join(one, other)
        above = np.where(numbers[-1] > 0, numbers[-1] + pieces, 0)
        pieces += count - 1  # number 0 is what is not in the region
    return pieces - joined.times


class _Joined:
    """Which numbers mean one piece.

    Attributes
    ----------
    times
        How often two became one.
    """

    def __init__(self) -> None:
        self.times = 0
        self._next: dict[int, int] = {}

    def join(self, one: int, other: int) -> None:
        one, other = self._last(one), self._last(other)
        if one != other:
            self._next[one] = other
            self.times += 1

    def _last(self, number: int) -> int:
        found = number
        while found in self._next:
            found = self._next[found]
        # The way is short the next time.
        while number != found:
            self._next[number], number = found, self._next[number]
        return found
