"""A bracket and its masks as one radiance map."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.fusion.encoding import linear
from bracketseg.fusion.exposures import Exposures, Weight, normalized, unclipped
from bracketseg.fusion.frame_taken import frame_taken
from bracketseg.fusion.ghost_weights import alone_where_taken

FEATHER = 1 / 250
"""Of the longer side: the standard deviation of the blur of the masks' borders."""

LEAST_TRUST = 1e-3
"""What a frame counts that its mask does not trust, where no other frame has anything to say."""


def radiance_map(exposures: Exposures) -> NDArray[np.float32]:
    """Merge a bracket to linear radiance.

    The stored values of a frame, taken for sRGB, are made linear by the inverse of its curve
    (see :func:`~bracketseg.fusion.encoding.linear`) and divided by the exposure ``2**EV``.
    Each pixel is the mean of the frames that the masks trust, the borders of the masks
    blurred a little; where they trust several, each counts by the light that it caught,
    ``2**EV``, of which its noise is the smaller share. A frame counts less the nearer its
    brightest channel is to clipping, and nothing once that clips; where all clip it is the
    low frame. Where something moved it is one frame alone.

    Parameters
    ----------
    exposures : Exposures
        Their exposure values have to be right: a stop too many makes seams and wrong colours
        where frames meet.

    Returns
    -------
    (H, W) or (H, W, 3) float32
        Linear, primaries of sRGB; 1 is the white of a frame at EV 0.

    Raises
    ------
    FrameError
        If a frame holds values that cannot be used.

    References
    ----------
    IEC 61966-2-1:1999, section 5.2, for the curve.
    P. E. Debevec, J. Malik, "Recovering High Dynamic Range Radiance Maps from Photographs",
    SIGGRAPH 1997, DOI 10.1145/258734.258884, for the weighted mean of exposures.
    """
    total = np.zeros(exposures.images[0].shape, np.float32)
    for image, ev, weight in zip(
        exposures.images, exposures.evs, radiance_weights(exposures), strict=True
    ):
        share = weight / np.float32(2.0**ev)
        total += linear(image) * (share if image.ndim == 2 else share[..., np.newaxis])
    return total


def radiance_weights(exposures: Exposures) -> list[Weight]:
    """Say what each frame counts at each pixel: (H, W) float32, together 1."""
    sigma = FEATHER * max(exposures.shape)
    brightest = max(exposures.evs)
    weights = [
        np.maximum(cv2.GaussianBlur(part, (0, 0), sigma), np.float32(LEAST_TRUST))
        * unclipped(image)
        * np.float32(2.0 ** (ev - brightest))
        for part, image, ev in zip(exposures.trust(), exposures.images, exposures.evs, strict=True)
    ]
    taken = frame_taken(exposures.images, exposures.ghosts, exposures.covers)
    return alone_where_taken(normalized(exposures, weights), taken, exposures.covers)
