"""The few EXIF fields that a bracket needs: orientation, exposure, and when it was taken.

They are read straight from the bytes. A general EXIF library warns about
damaged blocks on the standard error stream, and only the caller of a program
may silence that; here a damaged block is simply one that says nothing.
"""

import math
import struct
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.capture import Capture, capture_time, exposure_bias
from bracketseg.brackets.exposure import Exposure

MAKE = 0x010F
MODEL = 0x0110
ORIENTATION = 0x0112
EXIF_IFD = 0x8769
EXPOSURE_TIME = 0x829A
F_NUMBER = 0x829D
ISO = 0x8827
RECOMMENDED_EXPOSURE_INDEX = 0x8832
ISO_SPEED = 0x8833
TIME_ORIGINAL = 0x9003
TIME_DIGITIZED = 0x9004
EXPOSURE_BIAS = 0x9204
DECIMALS_ORIGINAL = 0x9291
DECIMALS_DIGITIZED = 0x9292
EXPOSURE_MODE = 0xA402
SERIAL_NUMBER = 0xA431

# A value beyond these was not measured by a camera.
LONGEST_TIME = 86_400.0
LARGEST_F_NUMBER = 1_024.0
LARGEST_ISO = 1e8
# The 16-bit ISO field holds its largest number where the true one did not fit.
ISO_OVERFLOW = 65_535

# EXIF type -> struct code of one number; rationals are two of them.
_TEXT = 2
_LONGEST_TEXT = 256
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 9: "i", 10: "ii", 13: "I"}

_ORIENTATIONS = range(1, 9)
_MODES = range(3)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Exif:
    """Orientation (1..8, 1 is upright), exposure and capture of one picture."""

    orientation: int = 1
    exposure: Exposure = field(default_factory=Exposure)
    capture: Capture = field(default_factory=Capture)


@dataclass(frozen=True, slots=True)
class Fields:
    """Raw EXIF values by their tags."""

    numbers: dict[int, float] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)


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
        nested = main.numbers.get(EXIF_IFD, 0)
        camera = _read_ifd(block, int(nested), order) if nested else Fields()
    except (KeyError, struct.error, OverflowError, ValueError):
        return Exif()
    return exif_of(Fields(camera.numbers | main.numbers, camera.texts | main.texts))


def exif_of(fields: Fields) -> Exif:
    """Make an :class:`Exif` of raw values, dropping those that make no sense."""
    numbers, texts = fields.numbers, fields.texts
    orientation = numbers.get(ORIENTATION, 1)
    iso = numbers.get(ISO)
    if iso is None or iso == ISO_OVERFLOW:
        iso = numbers.get(ISO_SPEED, numbers.get(RECOMMENDED_EXPOSURE_INDEX))
    time = capture_time(texts.get(TIME_ORIGINAL, ""), texts.get(DECIMALS_ORIGINAL, ""))
    if time is None:
        time = capture_time(texts.get(TIME_DIGITIZED, ""), texts.get(DECIMALS_DIGITIZED, ""))
    names = (texts.get(tag, "").strip("\0 ") for tag in (MAKE, MODEL, SERIAL_NUMBER))
    mode = numbers.get(EXPOSURE_MODE, math.nan)
    return Exif(
        orientation=int(orientation) if orientation in _ORIENTATIONS else 1,
        exposure=Exposure(
            time=_positive(numbers.get(EXPOSURE_TIME), LONGEST_TIME),
            f_number=_positive(numbers.get(F_NUMBER), LARGEST_F_NUMBER),
            iso=_positive(iso, LARGEST_ISO),
        ),
        capture=Capture(
            time=time,
            camera=" ".join(name for name in names if name),
            bias=exposure_bias(numbers.get(EXPOSURE_BIAS)),
            mode=int(mode) if mode in _MODES else None,
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


def _read_ifd(block: bytes, offset: int, order: str) -> Fields:
    """First number of each numeric entry, and each text, of the directory at `offset`."""
    (count,) = struct.unpack_from(order + "H", block, offset)
    fields = Fields()
    for index in range(count):
        entry = offset + 2 + 12 * index
        if entry + 12 > len(block):
            break
        tag, kind, length = struct.unpack_from(order + "HHI", block, entry)
        code = "s" if kind == _TEXT else _CODES.get(kind)
        if code is None or length == 0:
            continue
        size = struct.calcsize("=" + code) * length
        start = entry + 8
        if size > 4:
            (start,) = struct.unpack_from(order + "I", block, start)
        if kind == _TEXT:
            text = block[start : start + min(length, _LONGEST_TEXT)]
            fields.texts[tag] = text.partition(b"\0")[0].decode("latin-1")
            continue
        try:
            numbers = struct.unpack_from(order + code, block, start)
        except struct.error:
            continue
        fields.numbers[tag] = _number(*numbers)
    return fields


def _number(numerator: float, denominator: float = 1) -> float:
    return numerator / denominator if denominator else math.nan
