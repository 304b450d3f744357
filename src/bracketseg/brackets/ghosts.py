"""Where the frames of a bracket disagree: things that moved between the exposures."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.ghost_areas import ghost_areas
from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.brackets.placement import Placement, common_region, place_image
from bracketseg.brackets.response import BLACK, WHITE, Response, fit_response
from bracketseg.errors import FrameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far frames may differ before something is said to have moved.

    Attributes
    ----------
    sigmas : float
        Standard deviations by which the exposure of each pixel may be off.
    stops : float
        By which each may be off besides, as where a lens flares, or a colour is saturated.
    neighbours : int
        The side of the square in which what a pixel shows may lie in another frame: half as
        many pixels, less a half, are left to the residual of an alignment.
    """

    sigmas: float
    stops: float
    neighbours: int


CERTAIN = Tolerance(sigmas=3.0, stops=0.2, neighbours=5)
"""What differs by more has moved."""

POSSIBLE = Tolerance(sigmas=1.5, stops=0.1, neighbours=3)
"""What differs by more has moved if it hangs together with what certainly has."""

BLURRED = 3
"""The side of the square to which the blur that takes off noise carries white."""

SMOOTHING = 1.0
"""Pixels; the standard deviation of the blur that takes off noise before."""

NEAR = 3
"""The same, for what lies beside something that certainly moved."""

ENOUGH = 100
"""Pixels that two neighbours in exposure show well, below which their steps are not known."""

_SAMPLES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostMap:
    """Where masks cannot be trusted, in the pixels of the reference.

    Attributes
    ----------
    ghosts : (H, W) bool
    valid : (H, W) bool
        What all frames show; there is no ghost outside.
    left_out : tuple of int
        Frames that were not compared, as nothing says how much brighter or darker they are: an
        exposure value can be no more than a guess, as where files are only called low and high.
    """

    ghosts: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    left_out: tuple[int, ...] = ()

    @property
    def share(self) -> float:
        """What ghosts take of the valid region, 0..1."""
        area = int(np.count_nonzero(self.valid))
        return int(np.count_nonzero(self.ghosts)) / area if area else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCompared:
    """Frame number `done` of `total` has been gone through."""

    done: int
    total: int


def find_ghosts(
    images: Sequence[NDArray[Any]],
    evs: Sequence[float],
    placements: Sequence[Placement],
    *,
    reference: int,
) -> Generator[FrameCompared, None, GhostMap]:
    """Find where the frames disagree beyond noise once exposure is compensated.

    Each pixel of each frame gives an interval in which the exposure of the scene lies: what its
    luma says (see :func:`~bracketseg.brackets.response.fit_response`), give or take a multiple
    of the noise and some part of a stop; open above where a channel is clipped, and below
    where it is nearly black. Alignment leaves up to a pixel or two. So a pixel of one frame is
    compared with all neighbours of that pixel in another, and the other way round: something has
    moved where the interval of the one has no exposure in common with those of the others.
    This is done with two tolerances. What differs by more than the greater one (`CERTAIN`) has
    moved, and with it what differs by more than the smaller one (`POSSIBLE`) and hangs together
    with it; see :func:`~bracketseg.brackets.ghost_areas.ghost_areas`.

    What has the same luma before and after cannot be seen this way, whatever its colour.

    Parameters
    ----------
    images : sequence of array
        As for :func:`~bracketseg.brackets.luma.luma`; dark to bright, of one size.
    evs : sequence of float
        Exposure value of each.
    placements : sequence of Placement
        Where each lies on the reference.
    reference : int

    Yields
    ------
    FrameCompared
        Each of the frames is gone through twice.

    Returns
    -------
    GhostMap
        Frames whose placement is not reliable are left out of it, and those with which the
        others share no luma that is neither clipped nor black.

    Raises
    ------
    FrameError
        If the sizes differ, or a picture cannot be used.

    References
    ----------
    K. Jacobs, C. Loscos, G. Ward, "Automatic High-Dynamic Range Image Generation for Dynamic
    Scenes", IEEE Comput. Graph. Appl. 28 (2008) 84-93, DOI 10.1109/MCG.2008.23.
    T. Grosch, "Fast and Robust High Dynamic Range Image Generation with Camera and Object
    Movement", VMV 2006, 277-284, from which the prediction of one exposure by another is taken.
    """
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise FrameError(
            f"frames of different sizes {sorted(sizes)} (rows, columns) cannot be compared; take "
            "those that do not belong here out of the bracket"
        )
    used = [k for k, placement in enumerate(placements) if placement.reliable]
    shape = images[reference].shape[:2]
    valid = common_region(shape, placements)
    total = 2 * len(used)
    lumas, whites = [], []
    for done, k in enumerate(used, start=1):
        lumas.append(_smooth(place_image(luma(images[k]), placements[k].matrix)))
        whites.append(place_image(_clipped(images[k]), placements[k].matrix, 1.0, smooth=False))
        yield FrameCompared(done=done, total=total)
    at = used.index(reference)
    pairs = _pairs(lumas, whites, valid)
    first, last = _linked([len(values) >= ENOUGH for _, _, values, _ in pairs], at)
    compared = range(first, last + 1)
    response = fit_response(
        [(one - first, two - first, dark, lit) for one, two, dark, lit in pairs[first:last]],
        [evs[used[k]] for k in compared],
        at - first,
    )
    certain, possible = _Disagreement(shape, CERTAIN), _Disagreement(shape, POSSIBLE)
    for k, offset in zip(compared, response.offsets, strict=True):
        for level in (certain, possible):
            level.add(lumas[k], whites[k], response, offset)
        yield FrameCompared(done=total - (last - k), total=total)
    return GhostMap(
        ghosts=ghost_areas(certain.found & valid, possible.found & valid) & valid,
        valid=valid,
        left_out=tuple(used[k] for k in range(len(used)) if k not in compared),
    )


def ghosts_between(
    images: Sequence[NDArray[Any]],
    evs: Sequence[float],
    placements: Sequence[Placement],
    *,
    reference: int,
) -> GhostMap:
    """Do the same as :func:`find_ghosts`, and give the map alone."""
    steps = find_ghosts(images, evs, placements, reference=reference)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("GhostMap", end.value)


def _linked(common: Sequence[bool], at: int) -> tuple[int, int]:
    """Give the first and the last frame that is known through its neighbours from frame `at`.

    `common` says of each frame but the last whether it has enough in common with the next.
    """
    first, last = at, at
    while first > 0 and common[first - 1]:
        first -= 1
    while last < len(common) and common[last]:
        last += 1
    return first, last


def _clipped(image: NDArray[Any]) -> NDArray[np.bool_]:
    narrow = to_uint8(image)
    return (narrow if narrow.ndim == 2 else narrow.max(axis=2)) >= WHITE


def _smooth(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), SMOOTHING))


def _pairs(
    lumas: Sequence[NDArray[np.uint8]],
    whites: Sequence[NDArray[np.bool_]],
    valid: NDArray[np.bool_],
) -> list[tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Take the luma of neighbours in exposure where both are well exposed, at some places."""
    known = [
        valid & (values > BLACK) & (values < WHITE) & ~_grown(white)
        for values, white in zip(lumas, whites, strict=True)
    ]
    found = []
    for one in range(len(lumas) - 1):
        both = np.flatnonzero(known[one] & known[one + 1])
        both = both[:: max(1, len(both) // _SAMPLES)]
        found.append((one, one + 1, lumas[one].ravel()[both], lumas[one + 1].ravel()[both]))
    return found


def _grown(mask: NDArray[np.bool_], neighbours: int = CERTAIN.neighbours) -> NDArray[np.bool_]:
    return cv2.dilate(mask.view(np.uint8), np.ones((neighbours, neighbours), np.uint8)) > 0


class _Disagreement:
    """Where frames leave no exposure, in stops, that all of them allow for.

    Parameters
    ----------
    shape : tuple of int
        (H, W)
    tolerance : Tolerance
    """

    def __init__(self, shape: tuple[int, ...], tolerance: Tolerance) -> None:
        # Of the pixels themselves, and of all their neighbours.
        self._highest = [np.full(shape, -np.inf, np.float32) for _ in range(2)]
        self._lowest = [np.full(shape, np.inf, np.float32) for _ in range(2)]
        self._tolerance = tolerance

    @property
    def found(self) -> NDArray[np.bool_]:
        """Where a pixel of one frame disagrees with all around it in another: (H, W) bool."""
        return (self._highest[0] > self._lowest[1]) | (self._highest[1] > self._lowest[0])

    def add(
        self,
        values: NDArray[np.uint8],
        white: NDArray[np.bool_],
        response: Response,
        offset: float,
    ) -> None:
        """Add a frame that is brighter by `offset` stops."""
        allowed = self._tolerance
        slack = np.float32(allowed.sigmas) * response.noise + np.float32(allowed.stops)
        low_of = response.stops - slack - np.float32(offset)
        high_of = response.stops + slack - np.float32(offset)
        # Of a luma that only bounds the exposure, it is as high or low as could be.
        low_of[: BLACK + 1] = -np.inf
        low_of[WHITE:] = low_of[WHITE]
        high_of[: BLACK + 1] = high_of[BLACK]
        high_of[WHITE:] = np.inf
        for at, side in enumerate((1, allowed.neighbours)):
            around = np.ones((side, side), np.uint8)
            low = cv2.LUT(cv2.erode(values, around), low_of)
            high = cv2.LUT(cv2.dilate(values, around), high_of)
            high[_grown(white, max(side, BLURRED))] = np.inf
            np.maximum(self._highest[at], low, out=self._highest[at])
            np.minimum(self._lowest[at], high, out=self._lowest[at])
