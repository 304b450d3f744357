"""From pixels at which frames disagree to the whole of what moved."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 1 / 30
"""Of the shorter side: how far from what is certain the uncertain is followed."""

GAP = 1 / 60
"""Of the shorter side: gaps of this width are closed."""

LEAST_AREA = 2e-4
"""The share of the frame below which an area is taken for noise."""

LARGEST_HOLE = 0.01
"""The share of the frame up to which what an area encloses belongs to it."""

MARGIN = 1 / 200
"""Of the shorter side: by so much areas are grown, as what moves has soft edges."""

_FEWEST, _NARROWEST = 12, 2


def ghost_areas(certain: NDArray[np.bool_], possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Make whole areas of what is certain to have moved, and of what is likely to beside it.

    Where a thing that moved looks as what is behind it, nothing can be seen; it is found all
    the same as far as it lies between parts that can. In four steps: single pixels are
    dropped; from the others the possible ones that hang together with them are followed, not
    too far; gaps are closed, small areas dropped and holes filled; a margin is added.

    Parameters
    ----------
    certain : (H, W) bool
    possible : (H, W) bool

    Returns
    -------
    (H, W) bool

    References
    ----------
    J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 8 (1986) 679-698,
    DOI 10.1109/TPAMI.1986.4767851, section VIII, for following by two thresholds.
    """
    seeds = cv2.morphologyEx(certain.view(np.uint8), cv2.MORPH_OPEN, _disk(1))
    if not seeds.any():
        return np.zeros_like(certain)
    side = min(certain.shape)
    _, labels = cv2.connectedComponents(seeds | possible.view(np.uint8), connectivity=8)
    joined = np.zeros(int(labels.max()) + 1, np.bool_)
    joined[labels[seeds > 0]] = True
    joined[0] = False
    area = joined[labels] & _within(seeds > 0, max(_NARROWEST, side * REACH))
    area = _closed(area, max(_NARROWEST, side * GAP / 2))
    area = _holes_filled(_without_small(area))
    return _within(area, max(_NARROWEST, side * MARGIN)) if area.any() else area


def _disk(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _within(area: NDArray[np.bool_], distance: float) -> NDArray[np.bool_]:
    """Give what lies no farther from an area, which is not empty."""
    return cv2.distanceTransform((~area).view(np.uint8), cv2.DIST_L2, 5) <= distance


def _closed(area: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    return area | ~_within(~_within(area, radius), radius)


def _without_small(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(area.view(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= max(_FEWEST, round(LEAST_AREA * area.size))
    kept[0] = False
    return cast("NDArray[np.bool_]", kept[labels])


def _holes_filled(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # All around lies one more row, so that what reaches the border is one large part.
    outside = np.pad(~area, 1, constant_values=True).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    hole = stats[:, cv2.CC_STAT_AREA] <= LARGEST_HOLE * area.size
    hole[[0, labels[0, 0]]] = False
    return cast("NDArray[np.bool_]", area | hole[labels][1:-1, 1:-1])
