"""What a network sees of a frame: the one function that training and prediction share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bracketseg.brackets.luma import to_uint8

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNELS = 3


def network_input(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn any frame into the 8-bit RGB picture that the networks are trained on.

    Parameters
    ----------
    image : (H, W), (H, W, 3) uint8, uint16 or float, with or without alpha
        A frame, display-referred. Grey becomes three equal channels. Alpha is dropped and
        depth reduced as `bracketseg.brackets.luma.to_uint8` does it.

    Returns
    -------
    (H, W, 3) uint8, C-contiguous
        Display-referred RGB. May share memory with `image`: do not write into it.

    Raises
    ------
    FrameError
        The shape, the type or the values are none that a frame can have.

    Examples
    --------
    >>> import numpy as np
    >>> network_input(np.array([[0, 65535]], np.uint16)).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    pixels = to_uint8(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], CHANNELS, axis=2)
    return np.ascontiguousarray(pixels)
