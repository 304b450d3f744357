"""What frames count where something moved, and beside it."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.fusion.exposures import Weight, smaller, unclipped
from bracketseg.fusion.frame_taken import NONE, column_of

BORDER = 1 / 250
"""Of the longer side: within it a frame that is taken alone gives way to all frames."""

COARSE = 360
"""Pixels of the longer side at which weights are continued."""


def alone_where_taken(
    weights: Sequence[Weight],
    taken: NDArray[np.int8] | None,
    covers: Sequence[NDArray[np.bool_]] | None = None,
) -> list[Weight]:
    """Let the frame that is taken count alone; beside such an area it gives way to all.

    Parameters
    ----------
    weights : sequence of (H, W) float32
        One for each frame; they add up to 1.
    taken : (H, W) int8 or None
        See :func:`~bracketseg.fusion.frame_taken.frame_taken`.
    covers : sequence of (H, W) bool, optional
        What each frame shows; it counts nothing elsewhere.

    Returns
    -------
    list of (H, W) float32
        These add up to 1 as well.
    """
    if taken is None:
        return list(weights)
    width = BORDER * max(taken.shape) + 1
    alone = [_fading(taken == k, width) for k in range(len(weights))]
    for own, cover in zip(alone, covers or (), strict=False):
        own *= cover
    total = np.sum(alone, axis=0)
    near = total > 0
    moved, sums = taken[near] != NONE, total[near]
    left, over = np.maximum(1 - sums, 0), np.maximum(sums, 1)
    found = [weight.copy() for weight in weights]
    for k, (own, weight) in enumerate(zip(alone, found, strict=True)):
        weight[near] = np.where(moved, taken[near] == k, own[near] / over + left * weight[near])
    return found


def as_around(
    weights: Sequence[Weight], images: Sequence[NDArray[Any]], taken: NDArray[np.int8] | None
) -> list[Weight]:
    """Let the frames count as they do around each area where something moved.

    There they show the same (see :func:`showing_the_same`), and so the brightness of the area
    is that of its surroundings. Where the frame that is taken clips it counts alone.

    Parameters
    ----------
    weights : sequence of (H, W) float32
        One for each frame; they add up to 1.
    images : sequence of arrays
        The frames as they were taken.
    taken : (H, W) int8 or None

    Returns
    -------
    list of (H, W) float32
        These add up to 1 as well.
    """
    if taken is None:
        return list(weights)
    still = taken == NONE
    if not still.any():
        return [(taken == k).astype(np.float32) for k in range(len(weights))]
    moved = ~still
    sources = taken[moved]
    good = np.empty(len(sources), np.float32)
    for k in np.unique(sources):
        good[sources == k] = unclipped(column_of(images[k], taken == k))[:, 0]
    found = [weight.copy() for weight in weights]
    known = still.astype(np.float32)
    for k, weight in enumerate(found):
        weight[moved] = good * _around(weight, known)[moved] + (1 - good) * (sources == k)
    return found


def _around(weight: Weight, known: Weight) -> Weight:
    """Go on smoothly where a weight is not known; coarsely, since it is smooth."""
    scale = min(1, COARSE / max(weight.shape))
    height, width = (max(1, round(length * scale)) for length in weight.shape)
    share = smaller(known, (height, width))
    sums = smaller(weight * known, (height, width))
    filled = _filled(sums / np.maximum(share, np.float32(1e-6)), share)
    return np.asarray(cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _filled(values: Weight, known: Weight) -> Weight:
    """Go on smoothly where values are not known: `known` is the share of each that is."""
    if known.min() >= 1 or max(values.shape) < 2:
        return values
    share = cv2.pyrDown(known)
    coarse = np.asarray(cv2.pyrDown(values * known) / np.maximum(share, 1e-6), np.float32)
    around = cv2.pyrUp(
        _filled(coarse, np.minimum(4 * share, 1, dtype=np.float32)), dstsize=values.shape[::-1]
    )
    return np.asarray(known * values + (1 - known) * around, np.float32)


def _fading(area: NDArray[np.bool_], width: float) -> Weight:
    """Give 1 in an area and beyond it less and less, 0 from `width` pixels on."""
    if not area.any():
        return np.zeros(area.shape, np.float32)
    distance = cv2.distanceTransform((~area).view(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.maximum(1 - distance / width, 0), np.float32)
