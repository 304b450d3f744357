"""The exposure of a frame, and the exposure values of a bracket."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Two exposure values nearer than this are the same setting: cameras step by
# thirds of a stop, and rounding in EXIF moves a value by less.
EV_TOLERANCE = 1e-3

MIN_FRAMES, MAX_FRAMES = 2, 15
"""Frames that pictures have to be to count as one bracket, if nothing but they says so."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a camera noted about one exposure.

    Attributes
    ----------
    time : float or None
        Exposure time in seconds, above 0; None if unknown.
    f_number : float or None
        Focal ratio N, above 0; None if unknown.
    iso : float or None
        ISO sensitivity, above 0; None if unknown.
    """

    time: float | None = None
    f_number: float | None = None
    iso: float | None = None


def relative_evs(exposures: Sequence[Exposure]) -> list[float] | None:
    """Exposure values of the frames of one bracket, in stops.

    ``EV = log2(t * ISO / 100 / N**2)``: the larger, the brighter the picture.
    A part that any of the frames lacks is left out for all of them, so that
    the differences between frames stay right.

    Parameters
    ----------
    exposures : sequence of Exposure
        One for each frame.

    Returns
    -------
    list of float or None
        One value for each frame, in the order given. None where no part is
        known for every frame, or all frames have the same value (within 0.001):
        then the exposures say nothing about the order.

    References
    ----------
    ISO 2720:1974, photographic exposure meters: ``EV = log2(N**2 / t)`` at ISO 100.
    The sign is turned here, so that more light is a larger number.

    Examples
    --------
    >>> relative_evs([Exposure(time=0.25), Exposure(time=1.0), Exposure(time=2.0)])
    [-2.0, 0.0, 1.0]
    """
    evs = [0.0] * len(exposures)
    for part, stops_per_doubling in (("time", 1), ("iso", 1), ("f_number", -2)):
        values = [getattr(exposure, part) for exposure in exposures]
        if any(value is None for value in values):
            continue
        unit = 100 if part == "iso" else 1
        evs = [
            ev + stops_per_doubling * math.log2(value / unit)
            for ev, value in zip(evs, values, strict=True)
        ]
    return evs if tells_apart(evs) else None


def tells_apart(evs: Sequence[float]) -> bool:
    """Whether the values differ by more than 0.001 stops anywhere."""
    return bool(evs) and max(evs) - min(evs) > EV_TOLERANCE
