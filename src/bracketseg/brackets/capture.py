"""When, with what and how a picture was taken: what tells the brackets of a day apart."""

import math
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime

AUTO_EXPOSURE, MANUAL_EXPOSURE, AUTO_BRACKET = 0, 1, 2
"""Values of `Capture.mode`."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What a camera noted about taking one picture; each part may be missing.

    Attributes
    ----------
    time : float or None
        Seconds of the camera's own clock; only differences mean something.
    camera : str
        Maker, model and serial number; empty if unknown.
    bias : float or None
        Stops by which the photographer moved the exposure.
    mode : int or None
        EXIF's ExposureMode: 0 automatic, 1 manual, 2 automatic bracket.
    """

    time: float | None = None
    camera: str = ""
    bias: float | None = None
    mode: int | None = None


def capture_time(text: str, fraction: str = "") -> float | None:
    """Make seconds of EXIF's date and its decimals.

    Parameters
    ----------
    text : str
        ``2012:07:19 05:16:25``.
    fraction : str
        The digits behind the point, as SubSecTimeOriginal has them.

    Returns
    -------
    float or None
        None if the text is no date.

    Examples
    --------
    >>> capture_time("1970:01:02 00:00:01", "29 ")
    86401.29
    >>> capture_time("0000:00:00 00:00:00") is None
    True
    """
    try:
        moment = datetime.strptime(text.strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    digits = fraction.strip("\0 ")
    decimals = float(f"0.{digits}") if digits.isascii() and digits.isdigit() else 0.0
    return timegm(moment.timetuple()) + decimals


def exposure_bias(value: float | None) -> float | None:
    """Give the bias, or None where no camera can have set it."""
    if value is None or not math.isfinite(value) or abs(value) > 20:
        return None
    return value
