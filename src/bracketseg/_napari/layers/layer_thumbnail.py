"""The small pictures in napari's list of layers, of layers that are hidden.

napari draws those of the layers that are seen. One that is filled while it is hidden would
go on showing what it held before.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 32
"""Pixels of the longer side, as napari has them."""


def picture_thumbnail(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Take some pixels of a frame.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) array
        uint8, uint16, or floats of which 1 is white.

    Returns
    -------
    (h, w, 4) uint8
        Opaque; the longer side is :data:`SIZE`.
    """
    some = _some(pixels)
    white = np.iinfo(some.dtype).max if some.dtype.kind == "u" else 1
    shown = np.clip(np.rint(some * (255 / white)), 0, 255).astype(np.uint8)
    colors = shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)
    return np.dstack([colors[..., :3], np.full(colors.shape[:2], 255, np.uint8)])


def mask_thumbnail(mask: NDArray[Any], color: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take some pixels of a mask.

    Parameters
    ----------
    mask : (H, W) array
        Foreground is what is not 0.
    color : (4,) array
        Red, green, blue and opacity of the foreground, 0..1.

    Returns
    -------
    (h, w, 4) uint8
        Transparent where there is no foreground; the longer side is :data:`SIZE`.
    """
    there = (_some(mask) != 0)[..., None]
    colors: NDArray[np.uint8] = np.rint(there * np.asarray(color, float) * 255).astype(np.uint8)
    return colors


def _some(pixels: NDArray[Any]) -> NDArray[Any]:
    step = max(pixels.shape[:2]) / SIZE
    rows, columns = (
        np.minimum((np.arange(max(1, round(length / step))) + 0.5) * step, length - 1).astype(int)
        for length in pixels.shape[:2]
    )
    some: NDArray[Any] = pixels[rows[:, None], columns]
    return some
