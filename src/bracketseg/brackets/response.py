"""From the luma of a bracket's frames to the exposure of the scene, in stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BLACK, WHITE = 12, 240
"""Luma at or below BLACK, or with a channel at or above WHITE, only bounds the exposure."""

ORDER = 4
"""Degree of the polynomial that the camera's tone curve differs from that of sRGB by."""

_STEPS = 12
_SCALE = 0.15
"""Stops; what differs by more than a few times as much counts little (Cauchy's weight)."""

_RIDGE = 3.0
_FIXED = 1e9
_LEAST_NOISE = 0.5
_BANDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the luma of the frames of one bracket says about the scene's exposure.

    Attributes
    ----------
    stops : (256,) float32
        Logarithm, base 2, of the relative exposure that gives each luma; it increases.
    noise : (256,) float32
        Standard deviation of that, in stops: of one pixel, by its luma.
    offsets : tuple of float
        Stops by which each frame is brighter than the reference, as the frames show it.
    """

    stops: NDArray[np.float32]
    noise: NDArray[np.float32]
    offsets: tuple[float, ...]


def srgb_stops() -> NDArray[np.float64]:
    """Linearize each luma by the inverse of sRGB's curve: (256,) in stops below white.

    References
    ----------
    IEC 61966-2-1:1999, equations 5 and 6.
    """
    encoded = np.maximum(np.arange(256) / 255, 0.5 / 255)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.log2(linear))


def fit_response(
    pairs: Sequence[tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]],
    evs: Sequence[float],
    reference: int,
) -> Response:
    """Find out how luma and exposure go together in a bracket, and how noisy that is.

    The luma is linearized by the inverse of sRGB's curve, and the frames differ by their
    exposure values. What the camera's own tone curve and rounded exposure times add is fitted:
    a polynomial in the luma, the same for all frames, and one offset a frame, by least squares
    with Cauchy's weights, so that what moved counts little. Both are drawn to zero, so that
    they go no farther than the pixels say, and the offsets leave the exposure values as a
    whole as they are: of two frames, exactly.

    The noise is that of the luma, estimated in bands of luma from the median absolute
    deviation of what is left over, which includes what alignment leaves.

    Parameters
    ----------
    pairs : sequence of (int, int, (N,) uint8, (N,) uint8)
        Two frames, and their luma at the same places; neither is clipped there.
    evs : sequence of float
        Exposure value of each frame.
    reference : int

    Returns
    -------
    Response

    References
    ----------
    T. Mitsunaga, S. K. Nayar, "Radiometric Self Calibration", CVPR 1999,
    DOI 10.1109/CVPR.1999.786966.
    """
    base = srgb_stops()
    given = np.asarray(evs, dtype=np.float64)
    given = given - given[reference]
    terms = _terms()
    size = ORDER + len(given)
    # Of both frames the same number of equations from all lumas, common or not.
    first, second, one, other = _sampled(pairs)
    design = np.zeros((len(one), size))
    rows = np.arange(len(one))
    design[:, :ORDER] = terms[other] - terms[one]
    design[rows, ORDER + second] -= 1
    design[rows, ORDER + first] += 1
    wanted = (given[second] - given[first]) - (base[other] - base[one])
    prior = np.diag(np.full(size, _RIDGE))
    prior[ORDER + reference, ORDER + reference] = _FIXED
    # Half the contrast at half the exposure steps would fit as well, and twice as well if what
    # is left over is counted in stops: taken together, the steps are those that were given.
    prior[ORDER:, ORDER:] += _FIXED * np.outer(given, given)
    found = np.zeros(size)
    for _ in range(_STEPS):
        left = wanted - design @ found
        weight = 1 / (1 + (left / _SCALE) ** 2)
        weighted = design * weight[:, np.newaxis]
        found = np.linalg.solve(design.T @ weighted + prior, weighted.T @ wanted)
    stops = base + terms @ found[:ORDER]
    # A luma that is higher never means less exposure.
    stops = np.maximum.accumulate(stops) + 1e-4 * np.arange(256)
    slope = np.gradient(stops)
    left = wanted - design @ found
    noise = _noise(left / np.hypot(slope[one], slope[other]), one, other)
    return Response(
        stops=stops.astype(np.float32),
        noise=(noise * slope).astype(np.float32),
        offsets=tuple(float(ev + found[ORDER + k]) for k, ev in enumerate(given)),
    )


def _terms() -> NDArray[np.float64]:
    """Give the powers 1 to ORDER of the luma, -1..1: (256, ORDER)."""
    centred = np.arange(256) / 127.5 - 1
    return np.stack([centred**power for power in range(1, ORDER + 1)], axis=1)


def _sampled(
    pairs: Sequence[tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8], NDArray[np.uint8]]:
    if not pairs:
        none = np.empty(0, np.intp)
        return none, none, np.empty(0, np.uint8), np.empty(0, np.uint8)
    parts = [(np.full(len(one), a), np.full(len(one), b), one, other) for a, b, one, other in pairs]
    first, second, one, other = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, one, other


def _noise(
    left: NDArray[np.float64], one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Estimate the standard deviation of the luma, by luma: (256,)."""
    if not len(left):
        return np.full(256, 2.0)
    overall = max(1.4826 * float(np.median(np.abs(left))), _LEAST_NOISE)
    edges = np.linspace(BLACK, WHITE, _BANDS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    values = []
    for low, high in pairwise(edges):
        inside = ((one >= low) & (one < high)) | ((other >= low) & (other < high))
        of_band = 1.4826 * float(np.median(np.abs(left[inside]))) if inside.sum() > 100 else overall
        # A band may be full of something that moved.
        values.append(float(np.clip(of_band, _LEAST_NOISE, 2 * overall)))
    return np.asarray(np.interp(np.arange(256), centres, values))
