"""What the file of a picture says about it before any pixel is decoded."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bracketseg.brackets.exif import Exif


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of one picture, as its format module reads it.

    Attributes
    ----------
    shape : tuple of int
        (H, W) for grey, (H, W, 3) for colour; as stored, not turned upright, without alpha.
    dtype : numpy.dtype
        uint8, uint16 or float32: the type of the samples when read.
    exif : Exif
        Empty if the file has none.
    profile : bytes
        Its ICC profile; empty if it has none.
    cmyk : bool
        Whether the stored samples are inks; they are read as RGB.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    exif: Exif = field(default_factory=Exif)
    profile: bytes = field(default=b"", repr=False)
    cmyk: bool = False

    @property
    def is_grey(self) -> bool:
        """Whether it is read as (H, W)."""
        return len(self.shape) == 2
