"""Where something moved: which frame is taken there, and the others made to show the same."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.fusion.encoding import as_unit
from bracketseg.fusion.exposures import Weight, unclipped

NEARLY_AS_GOOD = 0.9
"""How much the frame that the others were aligned on has to show, of the best, to be taken where
something moved: at the border of such an area it fits best to what surrounds it."""

VISIBLE_FROM = 32
"""Luma below which a frame shows the less, the darker it is: what is made brighter is noisy."""

NONE = -1
"""Where nothing moved, and all frames count."""

BORDER = 1 / 250
"""Of the longer side: within it a frame that is taken alone gives way to all frames."""

_ENOUGH = 100


def frame_taken(
    images: Sequence[NDArray[Any]], ghosts: NDArray[np.bool_] | None
) -> NDArray[np.int8] | None:
    """Choose one frame for each area in which something moved.

    That is the frame that shows most in the area as a whole, neither clipped nor black, and of
    those nearly as good the medium one (of two frames the low one), on which the others were
    aligned.

    Parameters
    ----------
    images, ghosts
        As in :class:`~bracketseg.fusion.exposures.Exposures`.

    Returns
    -------
    (H, W) int8 or None
        The index of the frame, and `NONE` where nothing moved. None if nothing did anywhere.
    """
    if ghosts is None or not ghosts.any():
        return None
    count, labels = cv2.connectedComponents(ghosts.view(np.uint8), connectivity=8)
    flat = labels.ravel()
    quality = np.stack(
        [np.bincount(flat, (_visible(image) * unclipped(image)).ravel(), count) for image in images]
    )
    chosen = quality.argmax(axis=0).astype(np.int8)
    reference = 1 if len(images) == 3 else 0
    chosen[quality[reference] >= NEARLY_AS_GOOD * quality.max(axis=0)] = reference
    chosen[0] = NONE
    return np.asarray(chosen[labels])


def _visible(image: NDArray[Any]) -> Weight:
    return np.minimum(luma(image) / np.float32(VISIBLE_FROM), 1)


def alone_where_taken(weights: Sequence[Weight], taken: NDArray[np.int8] | None) -> list[Weight]:
    """Let the frame that is taken count alone; beside such an area it gives way to all.

    Parameters
    ----------
    weights : sequence of (H, W) float32
        One for each frame; they add up to 1.
    taken : (H, W) int8 or None
        See :func:`frame_taken`.

    Returns
    -------
    list of (H, W) float32
        These add up to 1 as well.
    """
    if taken is None:
        return list(weights)
    width = BORDER * max(taken.shape) + 1
    alone = [_fading(taken == k, width) for k in range(len(weights))]
    total = np.sum(alone, axis=0)
    left, over = np.maximum(1 - total, 0), np.maximum(total, 1)
    still = taken == NONE
    return [
        np.where(still, own / over + left * weight, (taken == k).astype(np.float32))
        for k, (own, weight) in enumerate(zip(alone, weights, strict=True))
    ]


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
    good = np.choose(taken + 1, [np.float32(1), *map(unclipped, images)])
    known = still.astype(np.float32)
    return [
        np.where(still, weight, good * _filled(weight, known) + (1 - good) * (taken == k))
        for k, weight in enumerate(weights)
    ]


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


def showing_the_same(
    images: Sequence[NDArray[Any]], taken: NDArray[np.int8] | None
) -> list[NDArray[Any]]:
    """Make each frame show what the frame that is taken shows, at its own brightness.

    Over the coarse scales of a blend frames reach far beyond their weights, and with them what
    moved. So it is taken out of them: the value of a channel in the frame that is taken says
    which value it has in another, as nothing but the exposure differs. The function is found
    by matching the histograms of what did not move.

    Parameters
    ----------
    images : sequence of (H, W) or (H, W, 3) arrays
        They are left as they are.
    taken : (H, W) int8 or None

    Returns
    -------
    list of arrays of the same shape and type

    References
    ----------
    M. D. Grossberg, S. K. Nayar, "Determining the Camera Response from Images: What Is
    Knowable?", IEEE TPAMI 25 (2003) 1455-1467, DOI 10.1109/TPAMI.2003.1240119, for brightness
    transfer by histograms; T. Grosch, "Fast and Robust High Dynamic Range Image Generation with
    Camera and Object Movement", VMV 2006, 277-284, for the frames predicted by it.
    """
    if taken is None:
        return list(images)
    still = taken == NONE
    ranks = [_ranks(image, still) for image in images]
    found = list(images)
    for source in range(len(images)):
        area = taken == source
        if not area.any():
            continue
        shown = as_unit(images[source][area]).reshape(int(area.sum()), -1)
        for k in range(len(images)):
            if k == source:
                continue
            values = np.stack(
                [
                    _as_in(shown[:, c], of, other)
                    for c, (of, other) in enumerate(zip(ranks[source], ranks[k], strict=True))
                ],
                axis=-1,
            )
            if found[k] is images[k]:
                found[k] = images[k].copy()
            found[k][area] = _stored(values, images[k].dtype).reshape(found[k][area].shape)
    return found


def _ranks(image: NDArray[Any], still: NDArray[np.bool_]) -> list[NDArray[np.float64] | None]:
    """Give for each channel the share of pixels below each of 256 values, half of its own too."""
    narrow = to_uint8(image)
    mask, ranks = still.view(np.uint8), []
    for channel in range(1 if narrow.ndim == 2 else narrow.shape[2]):
        counts = cv2.calcHist([narrow], [channel], mask, [256], [0, 256]).ravel().astype(float)
        total = counts.sum()
        ranks.append((np.cumsum(counts) - counts / 2) / total if total >= _ENOUGH else None)
    return ranks


def _as_in(
    values: NDArray[np.float32],
    ranks: NDArray[np.float64] | None,
    others: NDArray[np.float64] | None,
) -> NDArray[np.float32]:
    """Find the values of another frame, 0..1, that have the ranks of these."""
    if ranks is None or others is None:
        return values
    levels = np.arange(256) / 255
    known = np.flatnonzero(np.diff(others, prepend=-1) > 0)
    table = np.interp(ranks, others[known], levels[known])
    return np.asarray(np.interp(values, levels, table), np.float32)


def _stored(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)
