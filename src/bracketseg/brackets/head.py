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
    stored_bytes : int
        What the decoder makes of it, where that is more than `shape` and `dtype` say: wider
        samples, or channels that are dropped.
    row_by_row : bool
        Whether it is a JPEG whose rows are stored once, one after the other; a progressive one is
        stored several times over, ever finer.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    exif: Exif = field(default_factory=Exif)
    profile: bytes = field(default=b"", repr=False)
    cmyk: bool = False
    stored_bytes: int = 0
    row_by_row: bool = False

    @property
    def nbytes(self) -> int:
        """Memory that its pixels take while they are decoded."""
        height, width = self.shape[:2]
        channels = 4 if self.cmyk else 1 if self.is_grey else 3
        return max(height * width * channels * self.dtype.itemsize, self.stored_bytes)

    @property
    def is_grey(self) -> bool:
        """Whether it is read as (H, W)."""
        return len(self.shape) == 2
