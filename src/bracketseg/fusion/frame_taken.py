"""Which frame is taken alone where something moved."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma
from bracketseg.fusion.exposures import Weight, unclipped

NEARLY_AS_GOOD = 0.9
"""How much the frame that the others were aligned on has to show, of the best, to be taken where
something moved: at the border of such an area it fits best to what surrounds it."""

VISIBLE_FROM = 32
"""Luma below which a frame shows the less, the darker it is: what is made brighter is noisy."""

NONE = -1
"""Where nothing moved, and all frames count."""


def frame_taken(
    images: Sequence[NDArray[Any]],
    ghosts: NDArray[np.bool_] | None,
    covers: Sequence[NDArray[np.bool_]] | None = None,
) -> NDArray[np.int8] | None:
    """Choose one frame for each area in which something moved.

    That is the frame that shows most in the area as a whole, neither clipped nor black, and of
    those nearly as good the medium one (of two frames the low one), on which the others were
    aligned.

    Parameters
    ----------
    images, ghosts, covers
        As in :class:`~bracketseg.fusion.exposures.Exposures`.

    Returns
    -------
    (H, W) int8 or None
        The index of the frame, and `NONE` where nothing moved, or that frame shows nothing. None
        if nothing moved anywhere.
    """
    if ghosts is None or not ghosts.any():
        return None
    count, labels = cv2.connectedComponents(ghosts.view(np.uint8), connectivity=8)
    of_area = labels[ghosts]
    quality = np.stack(
        [
            np.bincount(of_area, _merit(column_of(image, ghosts)) * cover[ghosts], count)
            for image, cover in zip(images, covers or [ghosts] * len(images), strict=True)
        ]
    )
    chosen = quality.argmax(axis=0).astype(np.int8)
    reference = 1 if len(images) == 3 else 0
    chosen[quality[reference] >= NEARLY_AS_GOOD * quality.max(axis=0)] = reference
    chosen[0] = NONE
    taken = np.asarray(chosen[labels])
    for k, cover in enumerate(covers or ()):
        taken[(taken == k) & ~cover] = NONE
    return taken


def column_of(image: NDArray[Any], area: NDArray[np.bool_]) -> NDArray[Any]:
    """Give the pixels of an area as a picture of one column."""
    return np.asarray(image[area][:, np.newaxis])


def _merit(column: NDArray[Any]) -> Weight:
    visible = np.minimum(luma(column) / np.float32(VISIBLE_FROM), 1)
    return np.asarray((visible * unclipped(column)).ravel(), np.float32)
