"""Frames that show, where something moved, what one of them shows."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import to_uint8
from bracketseg.fusion.encoding import as_unit
from bracketseg.fusion.frame_taken import NONE

_ENOUGH = 100
"""Pixels that did not move, below which nothing is told from them."""


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
