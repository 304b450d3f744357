"""How much of a scene the masks cover (sec. 3.3, fig. 3), and what they leave (fig. 4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import LabelingError
from bracketseg.labeling.pieces import count_pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Fractions of the frame's area.

    Attributes
    ----------
    low, high : float
        What each mask covers, 0..1.
    union : float
        What at least one of them covers, 0..1.
    remainder : float
        What neither covers, ``1 - union``: the part left to the medium exposure.
    pieces : int
        8-connected pieces of the remainder.
    """

    low: float
    high: float
    union: float
    remainder: float
    pieces: int


def coverage(low: NDArray[np.bool_], high: NDArray[np.bool_]) -> Coverage:
    """Measure what the masks of one bracket cover.

    Parameters
    ----------
    low, high : (H, W) bool
        Masks of the dark and of the bright exposure, of the same shape.

    Raises
    ------
    LabelingError
        If the shapes differ or there is no pixel.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = np.array([[True, False, False]]), np.array([[True, True, False]])
    >>> coverage(low, high).pieces
    1
    """
    if low.shape != high.shape or low.size == 0:
        raise LabelingError(
            f"the masks of one bracket must have one size: low is {low.shape}, high is "
            f"{high.shape}. Label the frames of this bracket again."
        )
    left = low | high
    np.logical_not(left, out=left)
    area = low.size
    covered = area - int(np.count_nonzero(left))
    return Coverage(
        low=int(np.count_nonzero(low)) / area,
        high=int(np.count_nonzero(high)) / area,
        union=covered / area,
        remainder=(area - covered) / area,
        pieces=count_pieces(left),
    )
