"""From a picture to its luma, and to 8 bits."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import FrameError

# 65535 = 255 * 257. As 257 is odd, no 16-bit value lies half-way between two
# 8-bit ones, and adding 128 before the division rounds without any tie.
_STEP_16 = 257

_ROWS = 1024


def luma(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Luma Y of a picture, 0..255 over the full range.

    ``Y = 0.299 R + 0.587 G + 0.114 B`` on the values as they are stored (no
    linearization), as OpenCV's ``cvtColor(RGB2YCrCb)[..., 0]`` computes it:
    for integers in fixed point, halves rounded up. A 16-bit Y is divided by 257
    and rounded; there no halves occur. A float Y is multiplied by 255 and
    rounded, halves to the even number.

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4) array
        Grey, grey and alpha, RGB, or RGB and alpha; display-referred. uint8,
        uint16, or float in 0..1. Alpha is dropped; grey is its own luma.

    Returns
    -------
    (H, W) uint8 array
        Full-range BT.601 luma.

    Raises
    ------
    FrameError
        If the array is empty or of another shape or type, or if a float value is
        not finite or outside 0..1.

    References
    ----------
    ITU-R Recommendation BT.601-7 (2011), section 2.5.1; full range as in JFIF
    1.02 (ITU-T T.871).

    Examples
    --------
    >>> luma(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    array([[ 76, 150,  29]], dtype=uint8)
    """
    colours = _without_alpha(image)
    if colours.ndim == 2:
        return _narrowed(colours)
    y = np.empty(colours.shape[:2], np.uint8)
    # In parts: OpenCV gives two channels more than are wanted.
    for start in range(0, len(y), _ROWS):
        rows = slice(start, start + _ROWS)
        part = np.ascontiguousarray(colours[rows])
        if part.dtype == np.uint8:
            # In place: a copy takes as long as the arithmetic.
            cv2.extractChannel(cv2.cvtColor(part, cv2.COLOR_RGB2YCrCb), 0, dst=y[rows])
        else:
            y[rows] = _narrowed(_luma(part))
    return y


def _luma(colours: NDArray[Any]) -> NDArray[Any]:
    """Y of RGB, of the same type; never above 1 for floats."""
    y = cv2.extractChannel(cv2.cvtColor(colours, cv2.COLOR_RGB2YCrCb), 0)
    # Rounding in single precision can leave 1 by one last bit.
    return np.minimum(y, np.float32(1)) if y.dtype.kind == "f" else y


def to_uint8(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Narrow a picture to 8 bits, without alpha: what the networks see.

    Parameters
    ----------
    image : array
        As for :func:`luma`.

    Returns
    -------
    (H, W) or (H, W, 3) uint8 array
        uint8 as it is (no copy if there is nothing to drop); uint16 divided by
        257 and rounded, where no halves occur; float times 255 and rounded,
        halves to the even number.

    Raises
    ------
    FrameError
        As for :func:`luma`.

    Examples
    --------
    >>> to_uint8(np.array([[0, 128, 129, 65535]], np.uint16))
    array([[  0,   0,   1, 255]], dtype=uint8)
    """
    return _narrowed(_without_alpha(image))


def _without_alpha(image: NDArray[Any]) -> NDArray[Any]:
    """Check a picture; give it as (H, W) or (H, W, 3) uint8, uint16 or float32."""
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or image.size == 0:
        raise FrameError(
            f"a picture of the shape {image.shape} cannot be used; "
            "give (H, W) for grey or (H, W, 3) for RGB, with or without alpha"
        )
    if image.ndim == 3:
        image = image[..., :3] if channels >= 3 else image[..., 0]
    # OpenCV takes native byte order only.
    image = image.astype(image.dtype.newbyteorder("="), copy=False)
    if image.dtype in (np.uint8, np.uint16):
        return image
    if image.dtype.kind != "f":
        raise FrameError(
            f"a picture of {image.dtype} cannot be used; convert it to uint8, uint16 or float"
        )
    lowest, highest = float(image.min()), float(image.max())
    # A NaN anywhere makes both NaN, and every comparison with it is false.
    if not (lowest >= 0 and highest <= 1):
        raise FrameError(
            f"a float picture has to be finite and within 0..1, but this one runs from "
            f"{lowest:g} to {highest:g}; divide it by its white first"
        )
    return image.astype(np.float32, copy=False)


def _narrowed(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    narrow = np.empty(values.shape, np.uint8)
    # In parts: wider numbers of all of a large picture take as much memory as all else.
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        if values.dtype == np.uint16:
            narrow[rows] = (values[rows].astype(np.uint32) + _STEP_16 // 2) // _STEP_16
        else:
            narrow[rows] = np.rint(values[rows] * np.float32(255))
    return narrow
