"""Rules that turn a frame's luma into a mask: a manual range, or Otsu's threshold."""

import math
from dataclasses import dataclass
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bracketseg.brackets.bracket import MaskRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A closed interval of luma; both ends belong to the mask.

    Attributes
    ----------
    lo, hi : float
        Luma, 0..255. ``lo > hi`` is the empty interval.
    """

    lo: float
    hi: float

    def mask(self, luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Pixels with ``lo <= Y <= hi``.

        Parameters
        ----------
        luma : (H, W) uint8
            Full-range BT.601 luma.

        Returns
        -------
        (H, W) bool

        Examples
        --------
        >>> import numpy as np
        >>> Bounds(lo=120, hi=255).mask(np.array([[119, 120, 255]], np.uint8))
        array([[False,  True,  True]])
        """
        # An integer Y satisfies lo <= Y exactly when ceil(lo) <= Y, and likewise above.
        lo, hi = math.ceil(self.lo), math.floor(self.hi)
        if lo > hi:
            return np.zeros(luma.shape, dtype=np.bool_)
        # One bound is one pass over the pixels.
        if hi >= 255:
            inside = cv2.threshold(luma, lo - 1, 1, cv2.THRESH_BINARY)[1]
        elif lo <= 0:
            inside = cv2.threshold(luma, hi, 1, cv2.THRESH_BINARY_INV)[1]
        else:
            # Of 0 and 255 to 0 and 1 in place: new memory takes longer than the comparison.
            inside = cv2.inRange(luma, float(lo), float(hi))
            np.bitwise_and(inside, 1, out=inside)
        mask: NDArray[np.bool_] = inside.view(np.bool_)
        return mask


class ManualRange(BaseModel):
    """A range of luma that a person chose; both bounds belong to it (sec. 2.1).

    Attributes
    ----------
    lo, hi : float
        Luma, 0..255, ``lo <= hi``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["manual"] = "manual"
    lo: float = Field(ge=0, le=255, description="Smallest luma of the mask, 0 to 255.")
    hi: float = Field(ge=0, le=255, description="Largest luma of the mask, 0 to 255.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lo > self.hi:
            raise ValueError(f"the range is upside down: {self.lo:g} is above {self.hi:g}")
        return self

    def bounds(self, luma: NDArray[np.uint8], role: MaskRole) -> Bounds:  # noqa: ARG002 - Rule's form
        """Give the range itself, whatever the frame shows."""
        return Bounds(lo=self.lo, hi=self.hi)


class Otsu(BaseModel):
    """Otsu's threshold t of the frame itself: low keeps Y > t, high keeps Y <= t."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["otsu"] = "otsu"

    def bounds(self, luma: NDArray[np.uint8], role: MaskRole) -> Bounds:
        """Find the threshold of this frame and express it as bounds.

        Parameters
        ----------
        luma : (H, W) uint8
            Full-range BT.601 luma.
        role : {"low", "high"}
            The dark exposure keeps its brighter side, ``[t + 1, 255]``; the bright
            one its darker side, ``[0, t]``. Y = t is therefore on the dark side.
        """
        threshold = otsu_threshold(luma)
        if role == "low":
            return Bounds(lo=threshold + 1, hi=255)
        return Bounds(lo=0, hi=threshold)


DEFAULT_RANGES: dict[MaskRole, ManualRange] = {
    "low": ManualRange(lo=120, hi=255),
    "high": ManualRange(lo=0, hi=200),
}
"""The ranges of sec. 2.1; its "[0.200]" is a misprint of [0, 200]."""


def otsu_threshold(luma: NDArray[np.uint8]) -> int:
    """Otsu's threshold from the 256-bin histogram of the frame.

    Parameters
    ----------
    luma : (H, W) uint8
        Full-range BT.601 luma.

    Returns
    -------
    int
        The luma t that best separates ``Y <= t`` from ``Y > t``, 0..255. A frame of
        one single value has nothing to separate and gives 0, as OpenCV does.

    References
    ----------
    N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans.
    Syst. Man Cybern. 9 (1979) 62-66, DOI 10.1109/TSMC.1979.4310076.
    """
    threshold, _ = cv2.threshold(luma, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return int(threshold)
