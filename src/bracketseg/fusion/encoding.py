"""Stored values of pictures as numbers to reckon with: encoded, and linear."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = 512


def as_unit(image: NDArray[Any]) -> NDArray[np.float32]:
    """Scale a picture to 0..1: integers are divided by the white of their type.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16, or float within 0..1.

    Examples
    --------
    >>> as_unit(np.array([[0, 51, 255]], np.uint8))
    array([[0. , 0.2, 1. ]], dtype=float32)
    """
    if image.dtype.kind == "f":
        return image.astype(np.float32, copy=False)
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


def linear(image: NDArray[Any]) -> NDArray[np.float32]:
    """Take a picture for sRGB and make it linear.

    ``v / 12.92`` up to 0.04045, above it ``((v + 0.055) / 1.055)**2.4``: the inverse of
    :func:`~bracketseg.brackets.radiance.displayed` at 0 stops.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        As for :func:`as_unit`.

    Returns
    -------
    float32 array of the same shape, 0..1

    References
    ----------
    IEC 61966-2-1:1999, section 5.2.

    Examples
    --------
    >>> linear(np.array([[0, 188, 255]], np.uint8)).round(3).tolist()
    [[0.0, 0.503000020980835, 1.0]]
    """
    light = np.empty(image.shape, np.float32)
    # In parts: what lies between takes several times the memory of its result.
    for start in range(0, len(image), _ROWS):
        rows = slice(start, start + _ROWS)
        encoded = as_unit(image[rows])
        curve = ((encoded + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
        light[rows] = np.where(encoded <= np.float32(0.04045), encoded / np.float32(12.92), curve)
    return light
