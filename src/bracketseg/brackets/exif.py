"""The few EXIF fields that a bracket needs: orientation and exposure.

They are read straight from the bytes. A general EXIF library warns about
damaged blocks on the standard error stream, and only the caller of a program
may silence that; here a damaged block is simply one that says nothing.
"""

import math
import struct
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.exposure import Exposure

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
EXPOSURE_TIME = 0x829A
F_NUMBER = 0x829D
ISO = 0x8827
RECOMMENDED_EXPOSURE_INDEX = 0x8832
ISO_SPEED = 0x8833

# A value beyond these was not measured by a camera.
LONGEST_TIME = 86_400.0
LARGEST_F_NUMBER = 1_024.0
LARGEST_ISO = 1e8
# The 16-bit ISO field holds its largest number where the true one did not fit.
ISO_OVERFLOW = 65_535

# EXIF type -> struct code of one number; rationals are two of them.
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 9: "i", 10: "ii", 13: "I"}

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Exif:
    """Orientation (1..8, 1 is upright) and exposure of one picture."""

    orientation: int = 1
    exposure: Exposure = field(default_factory=Exposure)


def parse_exif(block: bytes) -> Exif:
    """Read an EXIF block, which is a small TIFF file.

    Parameters
    ----------
    block : bytes
        From the byte order mark (``II`` or ``MM``) on.

    Returns
    -------
    Exif
        What the block says; a field that is damaged, zero, negative or absurd
        (a time above a day, an f-number above 1024) is missing.

    References
    ----------
    CIPA DC-008-2019 (Exif 2.32), sections 4.6.4 and 4.6.5.
    """
    try:
        order = {b"II": "<", b"MM": ">"}[block[:2]]
        (offset,) = struct.unpack_from(order + "I", block, 4)
        main = _read_ifd(block, offset, order)
        nested = main.get(EXIF_IFD, 0)
        fields = _read_ifd(block, int(nested), order) if nested else {}
    except (KeyError, struct.error, OverflowError):
        return Exif()
    return exif_of(main.get(ORIENTATION), fields)


def exif_of(orientation: Any, fields: dict[int, float]) -> Exif:
    """Make an :class:`Exif` of raw values, dropping those that make no sense."""
    iso = fields.get(ISO)
    if iso is None or iso == ISO_OVERFLOW:
        iso = fields.get(ISO_SPEED, fields.get(RECOMMENDED_EXPOSURE_INDEX))
    return Exif(
        orientation=int(orientation) if orientation in range(1, 9) else 1,
        exposure=Exposure(
            time=_positive(fields.get(EXPOSURE_TIME), LONGEST_TIME),
            f_number=_positive(fields.get(F_NUMBER), LARGEST_F_NUMBER),
            iso=_positive(iso, LARGEST_ISO),
        ),
    )


def apply_orientation(pixels: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Turn stored pixels upright.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C) array
        As stored.
    orientation : int
        The EXIF tag, 1..8.

    Returns
    -------
    (H, W), (W, H), (H, W, C) or (W, H, C) array
        Contiguous; 5 to 8 exchange height and width.

    References
    ----------
    CIPA DC-008-2019 (Exif 2.32), section 4.6.4, tag Orientation.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    # After the exchange of axes: whether rows and columns run backwards.
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(
        pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1],
    )


def _positive(value: float | None, largest: float) -> float | None:
    if value is None or not math.isfinite(value) or not 0 < value <= largest:
        return None
    return float(value)


def _read_ifd(block: bytes, offset: int, order: str) -> dict[int, float]:
    """First number of each numeric entry of the directory at `offset`."""
    (count,) = struct.unpack_from(order + "H", block, offset)
    values: dict[int, float] = {}
    for index in range(count):
        entry = offset + 2 + 12 * index
        if entry + 12 > len(block):
            break
        tag, kind, length = struct.unpack_from(order + "HHI", block, entry)
        code = _CODES.get(kind)
        if code is None or length == 0:
            continue
        size = struct.calcsize("=" + code) * length
        start = entry + 8
        if size > 4:
            (start,) = struct.unpack_from(order + "I", block, start)
        try:
            numbers = struct.unpack_from(order + code, block, start)
        except struct.error:
            continue
        values[tag] = _number(*numbers)
    return values


def _number(numerator: float, denominator: float = 1) -> float:
    return numerator / denominator if denominator else math.nan
