"""A bracket and its masks as one picture to look at."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bracketseg.fusion.encoding import as_unit
from bracketseg.fusion.exposures import (
    Exposures,
    Weight,
    normalized,
    unclipped,
    well_exposed,
)
from bracketseg.fusion.frame_taken import frame_taken
from bracketseg.fusion.ghost_weights import as_around
from bracketseg.fusion.predicted_frames import showing_the_same
from bracketseg.fusion.pyramid import blend, collapsed, depth, laplacian, merged

SIGMA = 0.25
"""How far from middle brightness a pixel still counts; see `well_exposed`."""

MEDIUM_SHARE = 0.2
"""What the medium frame counts, of 1, where a mask trusts another frame. With less, brightness
jumps from frame to frame; with more, the masks have little to say."""

LEAST_TRUST = 1e-3
"""What a frame counts that its mask does not trust, so that there always is one."""

LEAST_UNCLIPPED = 0.02
"""What a clipped pixel counts: masks corrected by hand may well hold some."""


def display_picture(exposures: Exposures) -> NDArray[np.float32]:
    """Fuse a bracket to a picture to look at; it needs no exposure values.

    The stored values of the frames are blended over all scales (see
    :func:`~bracketseg.fusion.pyramid.blend`), after Mertens' exposure fusion, of whose
    measures the masks take the first place: the weight of a frame is what its mask says,
    times how near its luma is to middle brightness, times how far it is from clipping. The
    frames are of different brightness, so that weights of the masks alone make haloes and
    turn brightness round where frames meet; with the medium frame counting a little
    everywhere, and each frame less towards its ends, they do not.

    Where something moved one frame alone is seen: the others are made to show the same, at
    their own brightness (see :func:`~bracketseg.fusion.predicted_frames.showing_the_same`).

    Parameters
    ----------
    exposures : Exposures

    Returns
    -------
    (H, W) or (H, W, 3) float32
        Display-referred sRGB, 0..1.

    Raises
    ------
    FrameError
        If a frame holds values that cannot be used.

    References
    ----------
    T. Mertens, J. Kautz, F. Van Reeth, "Exposure Fusion", Pacific Graphics 2007,
    DOI 10.1109/PG.2007.17.
    """
    taken = frame_taken(exposures.images, exposures.ghosts, exposures.covers)
    weights = display_weights(exposures, [merit(image) for image in exposures.images], taken)
    images = showing_the_same(exposures.images, taken)
    return blend((as_unit(image) for image in images), weights).clip(0, 1)


class DisplayFusion:
    """Does the same again and again, of the same frames by other masks, several times as fast.

    Parameters
    ----------
    images, ghosts, covers
        Those of the exposures that are to be fused.
    """

    def __init__(
        self,
        images: Sequence[NDArray[Any]],
        ghosts: NDArray[np.bool_] | None = None,
        covers: Sequence[NDArray[np.bool_]] | None = None,
    ) -> None:
        self._merits = [merit(image) for image in images]
        self._taken = frame_taken(images, ghosts, covers)
        self._pyramids = [
            laplacian(as_unit(image), depth(image.shape))
            for image in showing_the_same(images, self._taken)
        ]

    def picture(self, exposures: Exposures) -> NDArray[np.float32]:
        """Give what :func:`display_picture` would."""
        weights = display_weights(exposures, self._merits, self._taken)
        return collapsed(merged(self._pyramids, weights)).clip(0, 1)


def merit(image: NDArray[Any]) -> Weight:
    """Say what each pixel of a frame is worth, whatever the masks say: (H, W) float32."""
    return well_exposed(image, SIGMA) * np.maximum(unclipped(image), np.float32(LEAST_UNCLIPPED))


def display_weights(
    exposures: Exposures, merits: Sequence[Weight], taken: NDArray[np.int8] | None = None
) -> list[Weight]:
    """Say what each frame counts at each pixel: (H, W) float32, together 1.

    Parameters
    ----------
    exposures : Exposures
    merits : sequence of (H, W) float32
        What :func:`merit` gives for each of its images.
    taken : (H, W) int8, optional
        See :func:`~bracketseg.fusion.frame_taken.frame_taken`.
    """
    trust = exposures.trust()
    if exposures.has_medium:
        trust[1] += np.float32(MEDIUM_SHARE) * (1 - trust[1])
    weights = [
        np.maximum(part, np.float32(LEAST_TRUST)) * worth
        for part, worth in zip(trust, merits, strict=True)
    ]
    return as_around(normalized(exposures, weights), exposures.images, taken)
