"""The luma of frames, made where it holds up nobody and kept as long as their pixels."""

from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma

_kept: dict[int, tuple[ref[NDArray[Any]], NDArray[np.uint8]]] = {}


def keep_luma(pixels: NDArray[Any]) -> None:
    """Make the luma of a frame, in any thread; the frame is not to be changed in place.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) array
        As :func:`~bracketseg.brackets.luma.luma` takes them.

    Raises
    ------
    FrameError
        If their values cannot be used.
    """
    values = dense_luma(pixels)
    if np.may_share_memory(values, pixels):
        return  # A grey frame is its own luma: nothing to spare, and kept it would live for ever.
    key = id(pixels)
    # Bound here: when Python ends, this module's names may be gone before the frames are.
    forget = _kept.pop
    gone = ref(pixels, lambda _: forget(key, None))
    _kept[key] = (gone, values)


def kept_luma(pixels: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Give the luma of this very array, (H, W) uint8; None where it is not kept."""
    known, values = _kept.get(id(pixels), (None, None))
    return values if known is not None and known() is pixels else None


def dense_luma(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Make the luma of a picture, (H, W) uint8."""
    # One channel of three, each third byte, takes thrice the room and the time.
    return np.ascontiguousarray(luma(pixels))
