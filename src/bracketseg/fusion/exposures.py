"""What is fused: the frames of a bracket, and how far the masks trust each of them."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.errors import FrameError, LabelingError

Weight = NDArray[np.float32]

CLIPS_FROM, CLIPS_AT = 236, 250
"""Values of the brightest channel, 0..255, from which a frame is trusted less, and at which it
is not trusted any more. Cameras clip at 248 as well as at 255."""

_CHANNELS_AT_WHITE = np.interp(np.arange(256), [CLIPS_FROM, CLIPS_AT], [1, 0]).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposures:
    """The frames of one bracket that lie on each other, and the masks of two of them.

    Attributes
    ----------
    images : tuple of two or three (H, W) or (H, W, 3) arrays
        The low, the medium (where there is one) and the high frame, display-referred; of one
        shape and type, see :func:`~bracketseg.brackets.luma.luma`.
    evs : tuple of float
        Exposure value of each, in stops.
    low, high : (H, W) float32, 0..1
        How far the masks trust these two frames: 0 and 1, or a probability.
    ghosts : (H, W) bool or None
        Where something moved between the frames.
    covers : tuple of (H, W) bool, or None
        The pixels that each frame shows; None where all show all.

    Raises
    ------
    FrameError
        If the frames do not fit together, or hold values that cannot be used.
    LabelingError
        If a mask is of another size than the frames.
    """

    images: tuple[NDArray[Any], ...]
    evs: tuple[float, ...]
    low: Weight
    high: Weight
    ghosts: NDArray[np.bool_] | None = None
    covers: tuple[NDArray[np.bool_], ...] | None = None

    def __post_init__(self) -> None:
        """Check what everything else relies on."""
        shapes = [image.shape for image in self.images]
        if not 2 <= len(shapes) == len(self.evs) <= 3 or len(set(shapes)) > 1:
            raise FrameError(
                f"frames of {' and '.join(map(str, shapes))} cannot be fused; give two or three "
                "of one size, all grey or all in colour"
            )
        for name in ("low", "high", "ghosts"):
            mask = getattr(self, name)
            if mask is not None and mask.shape != self.shape:
                raise LabelingError(
                    f"the {name} mask is {mask.shape}, but the frames are {self.shape} (rows, "
                    "columns); make it of these frames"
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) of the frames."""
        return self.images[0].shape[:2]

    @property
    def has_medium(self) -> bool:
        """Whether there is a frame between the two that have masks."""
        return len(self.images) == 3

    def trust(self) -> list[Weight]:
        """Say how far the masks trust each frame, (H, W) in 0..1.

        The low and the high frame as far as their masks say; what neither of them holds is
        left to the medium frame, or to both alike where there is none.
        """
        left = 1 - np.maximum(self.low, self.high)
        if self.has_medium:
            return [self.low, left, self.high]
        return [self.low + left, self.high + left]

    def reduced(self, side: int) -> "Exposures":
        """Make the same smaller, with `side` pixels on the longer side at most."""
        scale = side / max(self.shape)
        if scale >= 1:
            return self
        height, width = (max(1, round(length * scale)) for length in self.shape)
        size = (height, width)

        def small_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
            return smaller(mask.astype(np.float32), size) >= np.float32(0.5)

        return Exposures(
            images=tuple(smaller(image, size) for image in self.images),
            evs=self.evs,
            low=smaller(self.low, size),
            high=smaller(self.high, size),
            ghosts=None if self.ghosts is None else small_mask(self.ghosts),
            covers=None if self.covers is None else tuple(small_mask(c) for c in self.covers),
        )


def smaller(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Average a picture or a weight over the area of each pixel of (H, W)."""
    if values.shape[:2] == shape:
        return values
    return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA))


def as_weight(mask: ArrayLike) -> Weight:
    """Make a weight of a mask or a probability.

    Parameters
    ----------
    mask : (H, W) array
        bool; uint16, a probability as it is stored; or float within 0..1.

    Returns
    -------
    (H, W) float32, 0..1

    Raises
    ------
    LabelingError
        If it is of another type or shape, or a value is not finite or outside 0..1.

    Examples
    --------
    >>> as_weight(np.array([[0, 65535]], np.uint16))
    array([[0., 1.]], dtype=float32)
    """
    values = np.asarray(mask)
    if values.ndim != 2 or (values.dtype not in (np.bool_, np.uint16) and values.dtype.kind != "f"):
        raise LabelingError(
            f"a mask of {values.dtype} and the shape {values.shape} cannot be used; give (H, W) "
            "of bool, or a probability"
        )
    if values.dtype == np.uint16:
        return values.astype(np.float32) / np.float32(65535)
    # A NaN anywhere makes both NaN, and every comparison with it is false.
    if values.dtype != np.bool_ and values.size and not (values.min() >= 0 and values.max() <= 1):
        raise LabelingError(
            f"a probability has to be finite and within 0..1, but this one runs from "
            f"{values.min():g} to {values.max():g}; predict it again"
        )
    return values.astype(np.float32)


def softened(mask: NDArray[np.bool_], probability: Weight) -> Weight:
    """Take a probability for the weight wherever the mask says the same, above a half or below.

    Elsewhere it is the mask, 0 or 1: a person has corrected it there.

    Examples
    --------
    >>> softened(np.array([[True, False, True]]), np.array([[0.9, 0.2, 0.3]], np.float32))
    array([[0.9, 0.2, 1. ]], dtype=float32)
    """
    same = (probability >= np.float32(0.5)) == mask
    return np.where(same, probability, mask.astype(np.float32))


def unclipped(image: NDArray[Any]) -> Weight:
    """Say how far from clipping the brightest channel of each pixel is.

    Parameters
    ----------
    image : array
        As for :func:`~bracketseg.brackets.luma.luma`.

    Returns
    -------
    (H, W) float32
        1 up to a value of 236 of 255, falling to 0 at 250.
    """
    narrow = to_uint8(image)
    return _looked_up(_CHANNELS_AT_WHITE, narrow if narrow.ndim == 2 else narrow.max(axis=2))


def well_exposed(image: NDArray[Any], sigma: float) -> Weight:
    """Say how near to middle brightness the luma Y of each pixel is.

    ``exp(-(Y / 255 - 0.5)**2 / (2 * sigma**2))``: (H, W) float32.

    References
    ----------
    T. Mertens, J. Kautz, F. Van Reeth, "Exposure Fusion", Pacific Graphics 2007,
    DOI 10.1109/PG.2007.17, section 3.1, of which this is the well-exposedness, on the luma.
    """
    values = (np.arange(256, dtype=np.float64) / 255 - 0.5) ** 2
    return _looked_up(np.exp(-values / (2 * sigma**2)).astype(np.float32), luma(image))


def _looked_up(table: Weight, values: NDArray[np.uint8]) -> Weight:
    # NumPy's own look-up keeps all other threads from running, a window's included.
    return np.asarray(cv2.LUT(values, table), np.float32)


def normalized(exposures: Exposures, weights: list[Weight]) -> list[Weight]:
    """Have weights add up to 1 at each pixel; none count where a frame shows nothing.

    Where none of them is above 0, the low frame counts alone, as it clips last.
    """
    if exposures.covers is not None:
        weights = [w * c for w, c in zip(weights, exposures.covers, strict=True)]
    total = np.sum(weights, axis=0)
    nothing = total <= 0
    if nothing.any():
        weights = [weights[0] + nothing, *weights[1:]]
        total = total + nothing
    return [weight / total for weight in weights]
