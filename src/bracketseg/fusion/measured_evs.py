"""Exposure values measured in the pictures, for brackets of which nothing tells them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.luma import luma
from bracketseg.fusion.encoding import linear
from bracketseg.fusion.exposures import CLIPS_FROM, Exposures, unclipped

DARKEST = 20
"""Luma below which a pixel is mostly noise and rounding."""

ENOUGH = 200
"""Pixels that two frames have to show well, both of them."""

_SAMPLES = 200_000


def tells_evs(bracket: Bracket) -> bool:
    """Whether the exposure values of a bracket are known, and not mere estimates."""
    shown = any(frame.shown_at for frame in bracket.frames)
    return shown or bracket.ev_source in ("exif", "sidecar")


def with_known_evs(exposures: Exposures, bracket: Bracket) -> Exposures:
    """Put measured exposure values in the place of estimates."""
    if tells_evs(bracket):
        return exposures
    return replace(exposures, evs=measured_evs(exposures.images, exposures.evs))


def measured_evs(images: Sequence[NDArray[Any]], evs: Sequence[float]) -> tuple[float, ...]:
    """Measure by how many stops the frames of a bracket differ.

    Two neighbours differ by the median of the ratios of their linear luminances, over the
    pixels that both show well. What a wrong tone curve does to the radiance is least then
    where one frame takes over from the other.

    Parameters
    ----------
    images : sequence of (H, W) or (H, W, 3) arrays
        From dark to bright, lying on each other; display-referred.
    evs : sequence of float
        Exposure values so far. Steps between frames that have too little in common stay.

    Returns
    -------
    tuple of float
        The middle frame (of an even number the darker one of the two) keeps its value.
    """
    steps = [
        _step(one, other, given=after - before)
        for (one, other), (before, after) in zip(pairwise(images), pairwise(evs), strict=True)
    ]
    middle = (len(evs) - 1) // 2
    found = np.concatenate([[0.0], np.cumsum(steps)])
    return tuple(float(ev) for ev in found - found[middle] + evs[middle])


def _step(darker: NDArray[Any], brighter: NDArray[Any], *, given: float) -> float:
    pixels = slice(None, None, max(1, darker.shape[0] * darker.shape[1] // _SAMPLES))
    shown = (luma(darker) >= DARKEST) & (unclipped(brighter) == 1) & (luma(brighter) < CLIPS_FROM)
    both = np.flatnonzero(shown)[pixels]
    if len(both) < ENOUGH:
        return given
    first, second = (_luminance(image, both) for image in (darker, brighter))
    # What moved may be black in the brighter frame: the least ratio, and no more than one of many.
    with np.errstate(divide="ignore"):
        return float(np.median(np.log2(second / first)))


def _luminance(image: NDArray[Any], at: NDArray[np.intp]) -> NDArray[np.float32]:
    some = image.reshape(-1, 1, *image.shape[2:])[at]
    light = linear(some)
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(light if light.ndim == 2 else light @ weights)[:, 0]
