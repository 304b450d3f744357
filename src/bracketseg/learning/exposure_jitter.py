"""Other exposures of the same scene, with the masks that the rule gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bracketseg.brackets.luma import luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.labeling.ranges import Rule

DISPLAY_GAMMA = 2.2
"""Light is about the 2.2th power of a display-referred value."""

_CONTRAST = 1 / 3
"""Change of the exponent, in powers of two, for one stop of exposure."""


def tone_curve(stops: float, contrast: float) -> NDArray[np.uint8]:
    """Give the display value that each 8-bit value becomes.

    Parameters
    ----------
    stops : float
        Change of exposure; 1 is twice the light. What becomes brighter than white clips.
    contrast : float
        Power of two by which the exponent of the curve grows; 0 leaves it.

    Returns
    -------
    (256,) uint8
        ``255 * (v / 255) ** (2 ** contrast) * 2 ** (stops / 2.2)``, clipped and rounded.

    Examples
    --------
    >>> bool((tone_curve(0, 0) == np.arange(256)).all())
    True
    """
    values = (np.arange(256) / 255) ** 2**contrast * 2 ** (stops / DISPLAY_GAMMA)
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def jitter_exposure(
    images: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    rules: Sequence[Rule | None],
    role: MaskRole,
    stops: float,
    generator: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Expose each image anew at random and make its mask anew by its rule.

    The new mask is the true one of the new image, so a set of few scenes teaches as much about
    brightness as one of many. Images whose mask has no rule stay as they are.

    Parameters
    ----------
    images : (N, S, S, 3) uint8
        Display-referred RGB.
    masks : (N, S, S) bool
    rules : sequence of N Rule or None
    role : {"low", "high"}
    stops : float
        Exposure changes by up to this much either way, uniformly, and the contrast with it
        by up to a third of it, in powers of two.
    generator
        Decides the exposure of each image.

    Returns
    -------
    images, masks
        New arrays of the same shapes.
    """
    exposed, made = images.copy(), masks.copy()
    changes = generator.uniform(-stops, stops, size=(len(images), 2))
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        exposed[i] = cv2.LUT(images[i], tone_curve(changes[i, 0], changes[i, 1] * _CONTRAST))
        values = luma(exposed[i])
        made[i] = rule.bounds(values, role).mask(values)
    return exposed, made
