"""Where the frames of a bracket disagree: things that moved between the exposures."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.brackets.placement import Placement, common_region, place_image
from bracketseg.brackets.response import BLACK, WHITE, Response, fit_response
from bracketseg.errors import FrameError

SIGMAS = 3.0
"""Standard deviations by which each pixel's exposure may be off."""

TOLERANCE = 0.12
"""Stops by which each may be off besides, as where a lens flares."""

NEIGHBOURS = 5
"""A frame may lie off by half as many pixels, less a half: the residual of an alignment."""

SMOOTHING = 1.0
"""Pixels; the standard deviation of the blur that takes off noise before."""

LEAST_AREA = 2e-4
"""The share of the frame below which an area is taken for noise."""

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
    luma says (see :func:`~bracketseg.brackets.response.fit_response`), give or take
    three standard deviations of the noise and an eighth of a stop; that of all its
    neighbours, since alignment leaves up to a pixel or two; open above where a channel is
    clipped, and below where it is nearly black. Where the intervals of all frames have no
    exposure in common, something has moved. Then small areas are dropped, and gaps closed.

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
    highest = np.full(shape, -np.inf, np.float32)
    lowest = np.full(shape, np.inf, np.float32)
    for k, offset in zip(compared, response.offsets, strict=True):
        low, high = _interval(lumas[k], whites[k], response)
        np.maximum(highest, low - np.float32(offset), out=highest)
        np.minimum(lowest, high - np.float32(offset), out=lowest)
        yield FrameCompared(done=total - (last - k), total=total)
    return GhostMap(
        ghosts=_cleaned((highest > lowest) & valid) & valid,
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


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return cv2.dilate(mask.view(np.uint8), np.ones((NEIGHBOURS, NEIGHBOURS), np.uint8)) > 0


def _interval(
    values: NDArray[np.uint8], white: NDArray[np.bool_], response: Response
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the lowest and the highest exposure, in stops, that a frame allows for."""
    around = np.ones((NEIGHBOURS, NEIGHBOURS), np.uint8)
    slack = np.float32(SIGMAS) * response.noise + np.float32(TOLERANCE)
    low_of, high_of = response.stops - slack, response.stops + slack
    # Of a luma that only bounds the exposure, it is as high or low as could be.
    low_of[: BLACK + 1] = -np.inf
    low_of[WHITE:] = low_of[WHITE]
    high_of[: BLACK + 1] = high_of[BLACK]
    high_of[WHITE:] = np.inf
    darkest, brightest = cv2.erode(values, around), cv2.dilate(values, around)
    high = high_of[brightest]
    high[_grown(white)] = np.inf
    return low_of[darkest], high


def _cleaned(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop what is small, and close gaps."""
    side = max(3, 2 * round(min(found.shape) / 300) + 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    mask = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_OPEN, small)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disk)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = max(12, round(LEAST_AREA * mask.size))
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    # The neighbours allowed for have taken the edge off what moved.
    grow = np.ones((NEIGHBOURS, NEIGHBOURS), np.uint8)
    return cv2.dilate(kept[labels].view(np.uint8), grow) > 0 if count > 1 else np.zeros_like(found)
