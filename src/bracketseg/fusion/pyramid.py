"""Blending pictures over all scales, so that the borders between them do not show."""

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

COARSEST_SIDE = 4
"""Pixels of the shorter side, about, at which a pyramid ends."""


def depth(shape: tuple[int, ...]) -> int:
    """How many levels the pyramid of an (H, W, ...) picture has, at least 1.

    >>> depth((1060, 1900)), depth((3, 500))
    (9, 1)
    """
    return max(1, int(np.log2(min(shape[:2]) / COARSEST_SIDE)) + 1)


def gaussian(picture: Picture, levels: int) -> list[Picture]:
    """Make the Gaussian pyramid of a picture: each level is half of the one before."""
    pyramid = [picture]
    while len(pyramid) < levels:
        pyramid.append(np.asarray(cv2.pyrDown(pyramid[-1]), np.float32))
    return pyramid


def laplacian(picture: Picture, levels: int) -> list[Picture]:
    """Make the Laplacian pyramid: what each level has beyond the next, and the last level."""
    pyramid = gaussian(picture, levels)
    finer = [level - _doubled(coarser, level.shape) for level, coarser in pairwise(pyramid)]
    return [*finer, pyramid[-1]]


def collapsed(pyramid: list[Picture]) -> Picture:
    """Make the picture again of which this is the Laplacian pyramid."""
    picture = pyramid[-1]
    for level in reversed(pyramid[:-1]):
        picture = _doubled(picture, level.shape) + level
    return picture


def blend(pictures: Iterable[Picture], weights: Iterable[NDArray[np.float32]]) -> Picture:
    """Blend pictures level by level, each by the Gaussian pyramid of its weight.

    Parameters
    ----------
    pictures : iterable of (H, W) or (H, W, C) float32
        Taken one at a time.
    weights : iterable of (H, W) float32
        One for each; at every pixel they add up to 1.

    Returns
    -------
    array of the same shape
        It may leave the range of the pictures by a little.

    References
    ----------
    P. J. Burt, E. H. Adelson, "A Multiresolution Spline with Application to Image Mosaics",
    ACM Trans. Graph. 2 (1983) 217-236, DOI 10.1145/245.247.
    """
    pyramids = (laplacian(picture, depth(picture.shape)) for picture in pictures)
    return collapsed(merged(pyramids, weights))


def merged(
    pyramids: Iterable[list[Picture]], weights: Iterable[NDArray[np.float32]]
) -> list[Picture]:
    """Blend the Laplacian pyramids of pictures to one; see :func:`blend`."""
    total: list[Picture] = []
    for levels, weight in zip(pyramids, weights, strict=True):
        for at, share in enumerate(gaussian(weight, len(levels))):
            part = levels[at] * (share if levels[at].ndim == 2 else share[..., np.newaxis])
            if len(total) == at:
                total.append(part)
            else:
                total[at] += part
    return total


def _doubled(picture: Picture, shape: tuple[int, ...]) -> Picture:
    return np.asarray(cv2.pyrUp(picture, dstsize=(shape[1], shape[0])), np.float32)
