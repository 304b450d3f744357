"""How images and masks come to the size that a network is trained at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resize_image(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize by area averaging along axes that shrink and linearly along axes that grow.

    Parameters
    ----------
    image : (H, W) or (H, W, C) uint8
    height, width
        New size in pixels.

    Returns
    -------
    (height, width) or (height, width, C) uint8
        `image` itself where it has this size already.
    """
    return np.asarray(_resize(image, height, width), np.uint8)


def resize_mask(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Resize a mask; a pixel of which at least half is foreground becomes foreground.

    Parameters
    ----------
    mask : (H, W) bool
    height, width
        New size in pixels.

    Returns
    -------
    (height, width) bool
    """
    # The sum of the parts of a half can come out a rounding error below it.
    foreground: NDArray[np.bool_] = _resize(mask.astype(np.float32), height, width) >= 0.5 - 1e-5
    return foreground


def resize_region(region: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Resize a region; a pixel is in it if all of what it shows is.

    Parameters
    ----------
    region : (H, W) bool
    height, width
        New size in pixels.

    Returns
    -------
    (height, width) bool
    """
    inside: NDArray[np.bool_] = _resize(region.astype(np.float32), height, width) >= 1.0 - 1e-5
    return inside


def _resize(image: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    # OpenCV averages areas only if neither axis grows, hence the two stages.
    smaller = min(height, image.shape[0]), min(width, image.shape[1])
    if smaller != image.shape[:2]:
        image = cv2.resize(image, smaller[::-1], interpolation=cv2.INTER_AREA)
    if smaller != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return image
